//! The three tasks of the demonstration, each with the script that a rehearsal agent plays for it.

use super::Pace;

/// One task of the demonstration.
pub(crate) struct Task {
    /// The prompt, as any agent gets it.
    pub(crate) prompt: &'static str,
    /// The command that proves it.
    pub(crate) check: &'static str,
    /// What a rehearsal agent plays.
    pub(crate) script: &'static str,
}

impl Task {
    /// The prompt for a rehearsal agent, which finds its script in it.
    pub(crate) fn rehearsal_prompt(&self, pace: Pace) -> String {
        format!("{}\n\n```rehearsal\n{}```\n", self.prompt, pace.script(self.script))
    }
}

/// The tasks, in the order in which they land.
pub(crate) const TASKS: [Task; 3] = [
    Task {
        prompt: "Fix the pager: pages count from one, and the last page may be short.",
        check: "python3 -m unittest tests.test_pager",
        script: PAGER,
    },
    Task {
        prompt: "Make slugs safe: everything that is neither letter nor digit becomes one dash.",
        check: "python3 -m unittest tests.test_slug",
        script: SLUG,
    },
    Task {
        prompt: "Fix money: round tax half up, and always show two digits of cents.",
        check: "python3 -m unittest tests.test_money",
        script: MONEY,
    },
];

/// Forgets half of the defect at first, so that the check sends it back, and mends it then.
const PAGER: &str = r#"plan
  [>] count pages so that a short last page counts
  [ ] count from one
think The number of pages has to be rounded up.
read shop/pager.py
sleep 300ms
edit shop/pager.py replace "return items // size" with "return -(-items // size)"
usage input 5200 output 310 cost 0.021
say "The number of pages is rounded up now. All tests should pass."
when prompt contains "Checks were run"
think I never looked at page(): it counts from zero.
edit shop/pager.py replace "start = number * size" with "start = (number - 1) * size"
plan
  [x] count pages so that a short last page counts
  [x] count from one
usage input 6100 output 140 cost 0.019
say "Pages count from one now; this is what the failing check showed."
"#;

/// Straight to the goal.
const SLUG: &str = r#"think Runs of anything else become one dash; none at the ends.
sleep 500ms
write shop/slug.py
  """Names that are safe in addresses."""

  import re


  def slug(title):
      """`Hello, World!` becomes `hello-world`."""
      return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
usage input 3900 output 260 cost 0.014
say "Slugs hold letters, digits and single dashes only."
"#;

/// Asks for a permission first.
const MONEY: &str = r#"read shop/money.py
ask execute "Run python3 -m unittest tests.test_money"
  allowed
    run python3 -m unittest tests.test_money 2>&1 | tail -4
  rejected
    say "Then I go by reading alone."
edit shop/money.py replace "return int(cents + cents * percent / 100)" with "return cents + (cents * percent + 50) // 100"
edit shop/money.py replace "{cents % 100}" with "{cents % 100:02d}"
usage input 4700 output 220 cost 0.017
say "Tax is rounded half up in whole cents, and cents have two digits."
"#;
