//! The processes that stand between the daemon and an agent: what they weigh, what they cost at the start, and what
//! passes through them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use divisi_workspace::launch::{Followed, Launch, ShimCommand, Spec, Stdin};
use tokio::runtime::Runtime;

use super::Bench;
use crate::measure::{Samples, by_turns};
use crate::processes::{memory, parent};
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, divisi, floor};

struct Launches<'a> {
    runtime: &'a Runtime,
    folder: PathBuf,
    shim: ShimCommand,
}

/// Three rows.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let runtime = bench.runtime()?;
    let folder = bench.place.root.join("shim");
    std::fs::create_dir_all(&folder)?;
    let shim = ShimCommand::new(divisi::program()?, ["shim"]).with_fork_server();
    let launches = Launches { runtime: &runtime, folder, shim };
    Ok(Findings::rows([
        launches.resident(bench.pick(10, 2))?,
        launches.spawn(bench.pick(60, 5))?,
        launches.throughput(bench.pick(5, 1), bench.pick(512, 32))?,
    ]))
}

impl Launches<'_> {
    fn start(&self, name: &str, argv: &[&str]) -> Result<Launch> {
        let mut spec = Spec::new(argv.iter().copied(), &self.folder);
        spec.env.insert("PATH".into(), std::env::var_os("PATH").unwrap_or_default());
        spec.stdin = Stdin::Journaled;
        Ok(self.runtime.block_on(Launch::start(&self.folder.join(name), &spec, &self.shim))?)
    }

    fn end(&self, launch: Launch) -> Result {
        self.runtime.block_on(async {
            launch.kill().await?;
            launch.wait().await;
            Ok(std::fs::remove_dir_all(launch.dir())?)
        })
    }

    /// At rest after a conversation of some lines. The larger of the two processes counts; the other stands in the note.
    fn resident(&self, times: usize) -> Result<Outcome> {
        let (mut shims, mut inits, mut private) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..times {
            let launch = self.start(&format!("resident-{n}"), &["cat"])?;
            self.runtime.block_on(converse(&launch))?;
            // It comes to rest a second after the last line.
            std::thread::sleep(std::time::Duration::from_millis(1_500));
            let init = launch.load_identity()?.ok_or("the launch has no identity")?.init.pid;
            let init = u32::try_from(init)?;
            let (of_shim, of_init) = (memory(parent(init)?)?, memory(init)?);
            shims.push(of_shim.resident);
            inits.push(of_init.resident);
            private.push(of_shim.private + of_init.private);
            self.end(launch)?;
        }
        let (shims, inits, private) = (Samples::of(shims), Samples::of(inits), Samples::of(private));
        let note = format!(
            "shim {:.1} MB, init process {:.1} MB; pages of their own, both together {:.1} MB; at rest after 20 lines to and fro",
            shims.median(),
            inits.median(),
            private.median()
        );
        let larger = if inits.median() > shims.median() { inits } else { shims };
        let what = "shim: resident, the larger of its two processes";
        Ok(Outcome::alone("shim", what, Bar::AtMost(2.5), "MB", larger).note(note))
    }

    /// From the call to the first byte that the child wrote.
    fn spawn(&self, times: usize) -> Result<Outcome> {
        const CHILD: [&str; 3] = ["sh", "-c", "echo x"];
        let product = |turn: usize| {
            let started = Instant::now();
            let launch = self.start(&format!("spawn-{turn}"), &CHILD)?;
            let mut output = launch.follow(0)?;
            match self.runtime.block_on(output.next())? {
                Followed::Bytes { .. } => {}
                Followed::Ended(exit) => return Err(format!("it ended without a word: {exit:?}").into()),
            }
            let took = started.elapsed().as_secs_f64() * 1000.0;
            self.runtime.block_on(launch.wait());
            Ok(took)
        };
        let pair = by_turns(times, product, |_| floor::spawn(&CHILD))?;
        Ok(Outcome::ratio("shim", "shim: start to first byte", "bare spawn", Bar::OverAtMost(3.0), pair))
    }

    /// From the start to the last byte in the journal.
    fn throughput(&self, times: usize, megabytes: u64) -> Result<Outcome> {
        let bytes = megabytes << 20;
        let child = ["head", "-c", &bytes.to_string(), "/dev/zero"].map(str::to_owned);
        let child: Vec<&str> = child.iter().map(String::as_str).collect();
        let product = |turn: usize| {
            let name = format!("throughput-{turn}");
            let started = Instant::now();
            let launch = self.start(&name, &child)?;
            let exit = self.runtime.block_on(launch.wait());
            let seconds = started.elapsed().as_secs_f64();
            let journal = self.folder.join(&name).join(divisi_workspace::launch::OUT_JOURNAL);
            let length = std::fs::metadata(&journal)?.len();
            if length != bytes {
                return Err(format!("{length} bytes of {bytes} in the journal: {exit:?}").into());
            }
            std::fs::remove_dir_all(self.folder.join(&name))?;
            Ok(bytes as f64 / 1e6 / seconds)
        };
        let folder: &Path = &self.folder;
        let pair = by_turns(times, product, |_| floor::splice(folder, &child, bytes))?;
        let outcome = Outcome::ratio(
            "shim",
            "shim: journal throughput",
            "FIFO + splice alone",
            Bar::RatioAtLeast(0.6),
            pair,
        );
        Ok(outcome.in_unit("MB/s"))
    }
}

/// Twenty lines to a child that gives them back.
async fn converse(launch: &Launch) -> Result {
    let mut output = launch.follow(0)?;
    let mut at = 0;
    for n in 0..20 {
        at = launch.write(at, format!("line {n} of a conversation\n").as_bytes()).await?;
        while output.offset() < at {
            if let Followed::Ended(exit) = output.next().await? {
                return Err(format!("the child ended: {exit:?}").into());
            }
        }
    }
    Ok(())
}
