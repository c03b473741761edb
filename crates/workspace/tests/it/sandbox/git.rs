//! The pins of a workspace's git directory, with real git.

use divisi_workspace::sandbox::{Overlay, Sandbox};

use super::support::*;

/// What an agent does with git all day; it has to work.
const HABITS: &str = r#"
git config --global user.name A && git config --global user.email a@example.com
echo one > one && git add one && git commit -qm one && git checkout -qb other && echo two > two && git add -A &&
git commit -qm two && git stash list && git tag v1 && git branch -D main && git gc -q --prune=now &&
git repack -adq && git rebase -q HEAD~1 && git log --oneline | wc -l && echo 'habits: done'
"#;

const TAMPERING: &str = r#"
try() { if sh -c "$2" >/dev/null 2>&1; then echo "$1: done"; else echo "$1: no"; fi; }
mkdir evil && cp -a .git/. evil
try 'rename the git directory' 'mv .git old && mv old .git'
try 'replace the git directory by a link' 'mv .git old; ln -s evil .git && test -L .git && rm .git && mv old .git'
try 'change its configuration' 'echo "[core]" >> .git/config'
try 'replace its configuration' 'cp .git/config new && mv new .git/config'
try 'remove its configuration' 'cp .git/config saved && rm .git/config && mv saved .git/config'
try 'set a filter' 'git config filter.x.clean evil'
try 'make a hook' 'echo exit > .git/hooks/post-commit && chmod +x .git/hooks/post-commit'
try 'replace the hooks' 'mv .git/hooks .git/moved && mkdir .git/hooks'
try 'change the attributes' 'echo "* filter=x" > .git/info/attributes'
try 'borrow other objects' 'echo /elsewhere >> .git/objects/info/alternates'
try 'change the mode of a pin' 'chmod 777 .git/config'
try 'bind over a pin' 'mount --bind evil/config .git/config && umount .git/config'
"#;

fn names() -> Vec<&'static str> {
    TAMPERING.lines().filter_map(|line| line.strip_prefix("try '")?.split('\'').next()).collect()
}

/// A repository with a private git directory as workspaces have it; `folder` is where its files are kept.
fn repository(place: &Place, folder: &str) {
    place.folder(format!("{folder}/x"));
    let script = "git init -q -b main && git -c user.name=U -c user.email=u@example.com commit -q --allow-empty -m 0 && \
                  rm -rf .git/hooks && mkdir -p .git/hooks .git/info && echo '* -text' > .git/info/attributes && \
                  touch .git/objects/info/alternates";
    let out = place.command("sh").args(["-c", script]).current_dir(place.path(folder)).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn pinned(place: &Place, folder: &str) -> Sandbox {
    let git = place.path(folder).join(".git");
    let pins = ["config", "hooks", "info/attributes", "objects/info/alternates"];
    Sandbox {
        held: vec![git.clone()],
        read_only: pins.map(|name| git.join(name)).to_vec(),
        ..place.sandbox()
    }
}

#[test]
fn what_is_pinned_stays_and_git_works() {
    for who in everyone() {
        let place = Place::new(who);
        repository(&place, "work");
        let before = std::fs::read_to_string(place.path("work/.git/config")).unwrap();
        let within = place.launch(&place.shell(TAMPERING, Some(pinned(&place, "work"))));
        let refused: Vec<_> = within.lines().filter_map(|line| line.strip_suffix(": no")).collect();
        assert_eq!(refused, names(), "{who:?}\n{within}");
        assert_eq!(std::fs::read_to_string(place.path("work/.git/config")).unwrap(), before);
        assert_eq!(std::fs::read_dir(place.path("work/.git/hooks")).unwrap().count(), 0);
        let habits = place.launch(&place.shell(HABITS, Some(pinned(&place, "work"))));
        assert!(habits.contains("habits: done"), "{who:?}\n{habits}");

        // Without the pins each of it works, but for the last, which takes root.
        let place = Place::new(who);
        repository(&place, "work");
        let without = place.launch(&place.shell(TAMPERING, None));
        let live = without.lines().filter(|line| line.ends_with(": done")).count();
        assert!(live >= names().len() - 1, "{who:?}\n{without}");
    }
}

#[test]
fn an_overlay_has_its_pins_too_and_its_layers_stay() {
    for who in everyone() {
        let place = Place::new(who);
        repository(&place, "layer");
        place.file("layer/kept", "kept\n");
        place.file("layer/doomed", "doomed\n");
        let overlay = Overlay {
            lower: vec![place.path("layer")],
            upper: place.folder("upper"),
            work: place.folder("kernel"),
            target: place.folder("work"),
        };
        let mut sandbox = pinned(&place, "work");
        sandbox.writable.clear();
        sandbox.overlay = Some(overlay);
        let script =
            format!("cat kept && echo changed > kept && rm doomed && mkdir new && {TAMPERING} {HABITS}");
        let mut spec = place.shell(&script, Some(sandbox.clone()));
        spec.env.insert("HOME".into(), "/tmp".into());
        let within = place.launch(&spec);
        let refused: Vec<_> = within.lines().filter_map(|line| line.strip_suffix(": no")).collect();
        assert_eq!(refused, names(), "{who:?}\n{within}");
        assert!(within.contains("habits: done") && within.starts_with("kept\n"), "{who:?}\n{within}");
        assert_eq!(std::fs::read(place.path("layer/kept")).unwrap(), b"kept\n");
        assert!(place.path("layer/doomed").exists());
        assert_eq!(std::fs::read(place.path("upper/kept")).unwrap(), b"changed\n");
        // The next launch finds what the one before left.
        let again = place.launch(&place.shell("cat kept; ls -d doomed new 2>&1", Some(sandbox)));
        assert!(again.starts_with("changed\n") && again.contains("\nnew\n"), "{who:?}\n{again}");
    }
}

#[tokio::test]
async fn the_files_of_a_running_launch_can_be_read_and_written() {
    let place = Place::new(Who::Self_);
    place.file("layer/file", "layer\n");
    let overlay = Overlay {
        lower: vec![place.path("layer")],
        upper: place.folder("upper"),
        work: place.folder("kernel"),
        target: place.folder("work"),
    };
    let sandbox = Sandbox { overlay: Some(overlay.clone()), writable: Vec::new(), ..place.sandbox() };
    let script = "echo mine > own; echo ready; while ! test -e go; do sleep 0.01; done; cat file";
    let launch = place.start(&place.shell(script, Some(sandbox))).await;
    crate::launch::support::output_with(&launch, "ready").await;
    {
        let view = divisi_workspace::launch::view(launch.dir(), &overlay.target).unwrap().unwrap();
        assert_eq!(std::fs::read(view.path().join("own")).unwrap(), b"mine\n");
        std::fs::write(view.path().join("file"), "from outside\n").unwrap();
        std::fs::write(view.path().join("go"), "").unwrap();
    }
    let said = crate::launch::support::output(&launch).await;
    assert_eq!(String::from_utf8(said).unwrap(), "ready\nfrom outside\n");
    assert!(crate::launch::support::exit(&launch).await.success());
    assert!(divisi_workspace::launch::view(launch.dir(), &overlay.target).unwrap().is_none());
    let holder = divisi_workspace::sandbox::Holder::mount(&overlay).unwrap();
    assert_eq!(std::fs::read(holder.view().join("file")).unwrap(), b"from outside\n");
}
