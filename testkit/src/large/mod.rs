//! A realistic repository: a warehouse program in Python with some 270 files and a fast test suite that fails in
//! three places on purpose. Generated, the same in every run; Python because every machine of ours has it.

mod domains;
mod templates;

use domains::{DOMAINS, Domain};

use crate::{Repo, TestEnv};

/// The repository and what is known about it.
pub struct LargeRepo<'env> {
    /// The git repository, with three commits on `main`.
    pub repo: Repo<'env>,
    /// The faults that were put in; each makes exactly one test module fail.
    pub bugs: [Bug; 3],
    /// The command that runs every test; it fails while any fault is left.
    pub test_command: &'static str,
}

/// A fault in the repository, and its mending.
#[derive(Debug, Clone, Copy)]
pub struct Bug {
    /// The file it is in.
    pub path: &'static str,
    /// The line as it is; it occurs once in the file.
    pub wrong: &'static str,
    /// The line as it should be.
    pub right: &'static str,
    /// The command that runs the tests which show it.
    pub test_command: &'static str,
    /// What a person would write to an agent.
    pub prompt: &'static str,
}

const BUGS: [Bug; 3] = [
    Bug {
        path: "depot/orders/rules.py",
        wrong: "    if quantity > DISCOUNT_FROM:",
        right: "    if quantity >= DISCOUNT_FROM:",
        test_command: "python3 -m unittest -q tests.orders.test_rules",
        prompt: "Customers who order exactly the discount quantity pay full price. Fix depot/orders/rules.py.",
    },
    Bug {
        path: "depot/invoices/report.py",
        wrong: "    return total // len(records)",
        right: "    return round(total / len(records))",
        test_command: "python3 -m unittest -q tests.invoices.test_report",
        prompt: "The average in the invoice report is cut off instead of rounded. Fix depot/invoices/report.py.",
    },
    Bug {
        path: "depot/shipments/store.py",
        wrong: "        return self._records.get(key)",
        right: "        return self._records.pop(key, None)",
        test_command: "python3 -m unittest -q tests.shipments.test_store",
        prompt: "A removed shipment is still there afterwards. Fix depot/shipments/store.py.",
    },
];

/// Makes the repository in `env`, below the name `depot`.
///
/// # Panics
/// If the disk or git refuse.
pub fn fixture_repo_large(env: &TestEnv) -> LargeRepo<'_> {
    let repo = env.repo("depot");
    for (path, text) in templates::frame() {
        repo.file(path, text);
    }
    repo.commit("depot: frame, licence and test runner");
    for domain in DOMAINS {
        write(&repo, &templates::domain_files(domain));
    }
    repo.commit("depot: one package per trade");
    for domain in DOMAINS {
        write(&repo, &templates::test_files(domain));
    }
    for bug in BUGS {
        let right = repo.read(bug.path);
        assert_eq!(right.matches(bug.right).count(), 1, "{} does not hold the mended line once", bug.path);
        repo.file(bug.path, right.replace(bug.right, bug.wrong));
    }
    repo.commit("depot: tests for everything");
    LargeRepo { repo, bugs: BUGS, test_command: "python3 -m unittest discover -q -s tests -t ." }
}

impl Bug {
    /// The text of the file with the fault mended.
    ///
    /// # Panics
    /// If the fault is not in `text` exactly once.
    pub fn mended(&self, text: &str) -> String {
        assert_eq!(text.matches(self.wrong).count(), 1, "{} does not hold the fault once", self.path);
        text.replace(self.wrong, self.right)
    }
}

fn write(repo: &Repo, files: &[(String, String)]) {
    for (path, text) in files {
        repo.file(path, text);
    }
}
