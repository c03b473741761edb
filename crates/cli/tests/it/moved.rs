//! A repository that was moved on the disk: its project is found again, with its tasks.

use divisi_testkit::TestEnv;

#[test]
fn init_in_the_new_place_takes_the_project_over() {
    let env = TestEnv::new();
    let repo = env.repo("shop");
    repo.file("list.txt", "one\n").file("divisi.toml", "[[gates]]\nname = \"test\"\ncommand = \"true\"\n");
    repo.commit("first");
    let give_out = ["run", "--agent", "rehearsal", "--wait", "one"];
    env.divisi().in_folder(repo.path()).args(give_out).run().require_success();
    // Another clone is another project as long as the first is where it was.
    env.program("git").args(["clone", "-q", "shop", "clone"]).run().require_success();
    env.divisi()
        .in_folder(env.join("clone"))
        .args(["run", "--agent", "rehearsal", "--wait", "two"])
        .run()
        .require_success();
    std::fs::rename(repo.path(), env.join("moved")).unwrap();
    let other = env.repo("other");
    other.file("a", "a").commit("another history");

    let mut typed = env.transcript(env.join("moved"));
    typed.divisi(["run", "--agent", "rehearsal", "three"]);
    typed.divisi(["-C", "../other", "run", "--agent", "rehearsal", "--wait", "three"]);
    typed.divisi(["init"]);
    typed.divisi(["init", "--json"]);
    typed.divisi(["show", "t1"]);
    typed.divisi(["review", "t1", "--approve"]);
    typed.divisi(["land", "t1"]);
    typed.divisi(["run", "--agent", "rehearsal", "--wait", "four"]);
    typed.divisi(["ls"]);
    insta::assert_snapshot!(typed, @r#"
    $ divisi run --agent rehearsal three
    --- stderr
    error: this is shop, which was in [env]/shop and is not there any more
    hint: divisi init takes it over, with its tasks; then give out this one
    [exit code 4]

    $ divisi -C ../other run --agent rehearsal --wait three
    t3  by rehearsal  three
        ◇ in review: no check is set up, so nothing is proven
        next: divisi diff t3, then divisi review t3 --approve
    --- stderr
    warning: nothing will be proven: divisi.toml has no [[gates]] and no --check was given

    $ divisi init
    this project is known again, with its tasks; it was in [env]/shop

    $ divisi init --json
    --- stderr
    {"error":"wrong_state","message":"[env]/moved/divisi.toml is there already","hint":"divisi init --print shows what would be written, --force replaces the file","causes":[],"exit_code":4}
    [exit code 4]

    $ divisi show t1
    t1  one
    project moved, onto main from [commit 1]

    t1 by rehearsal
      ◇ in review for [duration]: 1 required check passed
      next: divisi diff t1, then divisi review t1 --approve
      branch  divisi/t1-one
      workspace  divisi open t1 (overlay, ports [ports])
      result  [commit 2]: 1 file, +1 -0, after turn 1
      turns  1 completed ([duration])
      usage  1200 tokens in, 80 out; $0.0040, as reported
      checks
        ✓ passed  test  true  passed in [duration], on [commit 2]

    waits for you
      t1#2  review  look at [commit 2] ([duration])
          divisi diff t1, or divisi review t1 --approve

    $ divisi review t1 --approve
    t1  ▲ ready to land  one
        next: divisi land t1

    $ divisi land t1
    t1  landed on main as [commit 3], and your checkout shows it

    $ divisi run --agent rehearsal --wait four
    t4  by rehearsal  four
        ◇ in review: 1 required check passed
        next: divisi diff t4, then divisi review t4 --approve

    $ divisi ls
    TASK  STATE  FOR  AGENT  CHANGE  COST  TITLE
    t1  ✓ landed  [duration]  rehearsal  +1 -0  $0.0040  one
    t2  ◇ in review  [duration]  rehearsal  +1 -0  $0.0040  two
    t3  ◇ in review  [duration]  rehearsal  +1 -0  $0.0040  three
    t4  ◇ in review  [duration]  rehearsal  +1 -0  $0.0040  four
    "#);
}
