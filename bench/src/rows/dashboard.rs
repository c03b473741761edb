//! The dashboard in a real browser: `web/tests/browser/load` drives it and leaves figures, which are held against the bars here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Bench;
use crate::measure::Samples;
use crate::row::{Bar, Findings, Outcome};
use crate::{Result, divisi};

/// A figure of the browser and its bar.
struct Wanted {
    figure: &'static str,
    what: &'static str,
    bar: f64,
    unit: &'static str,
    /// Which share of the samples has to stay below the bar; the median where there is one sample.
    share: f64,
}

const WANTED: &[Wanted] = &[
    Wanted {
        figure: "first_load_kb",
        what: "script of the first load, packed",
        bar: 120.0,
        unit: "kB",
        share: 1.0,
    },
    Wanted {
        figure: "board_scripting",
        what: "board, 100 agents × 50 messages/s: scripting",
        bar: 0.35,
        unit: "core",
        share: 1.0,
    },
    Wanted {
        figure: "board_key_painted_ms",
        what: "board, 100 agents: key → painted, p95",
        bar: 50.0,
        unit: "ms",
        share: 0.95,
    },
    Wanted {
        figure: "board_heap_growth",
        what: "board, 100 agents: heap after the second minute to that after the first",
        bar: 1.1,
        unit: "×",
        share: 1.0,
    },
    Wanted {
        figure: "transcript_scripting",
        what: "transcript of one of 100 agents: scripting",
        bar: 0.35,
        unit: "core",
        share: 1.0,
    },
    Wanted {
        figure: "transcript_key_painted_ms",
        what: "transcript of one of 100 agents: key → painted, p95",
        bar: 50.0,
        unit: "ms",
        share: 0.95,
    },
    Wanted {
        figure: "transcript_heap_growth",
        what: "transcript of one of 100 agents: heap after the second minute to that after the first",
        bar: 1.1,
        unit: "×",
        share: 1.0,
    },
    Wanted {
        figure: "transcript_open_ms",
        what: "transcript of 50,000 entries opens",
        bar: 1000.0,
        unit: "ms",
        share: 1.0,
    },
    Wanted {
        figure: "transcript_frame_ms",
        what: "transcript of 50,000 entries scrolls: between frames, p95",
        bar: 17.5,
        unit: "ms",
        share: 0.95,
    },
    Wanted {
        figure: "diff_open_ms",
        what: "diff of 2,000 files, 100,000 lines opens",
        bar: 1000.0,
        unit: "ms",
        share: 1.0,
    },
    Wanted {
        figure: "diff_frame_ms",
        what: "diff of 2,000 files scrolls: between frames, p95",
        bar: 17.5,
        unit: "ms",
        share: 0.95,
    },
];

/// Needs the packages of `web/` and Chromium, which `cargo xtask bench` looks for.
pub fn measure(bench: &Bench<'_>) -> Result<Findings> {
    let web = bench.repository.ok_or("the dashboard is measured from its repository")?.join("web");
    let figures = bench.place.root.join("dashboard-figures.json");
    let mut vitest = Command::new(web.join("node_modules/.bin/vitest"));
    vitest
        .current_dir(&web)
        .args(["run", "--config", "tests/browser/vitest.config.ts", "--project", "load"])
        .env("DIVISI_BIN", divisi::program()?)
        .env("DIVISI_TARGET", &bench.place.root)
        .env("DIVISI_FIGURES", &figures)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    if bench.quick {
        vitest.env("DIVISI_QUICK", "1");
    }
    let finished = vitest.status().map_err(|error| format!("Vitest does not start: {error}"))?;
    let found = read(&figures)?;
    let rows = WANTED.iter().map(|wanted| {
        let (samples, note) = found.get(wanted.figure).cloned().unwrap_or_default();
        row(wanted, samples, note)
    });
    let rows: Vec<_> =
        rows.map(|row| row.failed_if(!finished.success(), "the browser did not come to its end")).collect();
    Ok(Findings::rows(rows))
}

fn row(wanted: &Wanted, samples: Samples, note: String) -> Outcome {
    let value = samples.percentile(wanted.share);
    let row =
        Outcome::alone("dashboard", wanted.what, Bar::AtMost(wanted.bar), wanted.unit, samples).note(note);
    Outcome { value: Some(value), ..row }
}

/// Each figure with its samples and what else has to be known.
fn read(path: &Path) -> Result<BTreeMap<String, (Samples, String)>> {
    let text = std::fs::read(path).map_err(|error| format!("the browser left no figures: {error}"))?;
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&text)?;
    let figure = |value: &serde_json::Value| {
        let samples = value["samples"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64);
        (Samples::of(samples), value["words"].as_str().unwrap_or_default().to_owned())
    };
    Ok(all.iter().map(|(name, value)| (name.clone(), figure(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_held_against_its_bar_at_its_share() {
        let wanted = Wanted { figure: "x", what: "x", bar: 50.0, unit: "ms", share: 0.95 };
        let mut samples: Vec<f64> = vec![20.0; 99];
        samples.push(900.0);
        assert!(row(&wanted, Samples::of(samples), String::new()).holds(), "one in a hundred may be slow");
        assert!(!row(&wanted, Samples::of(vec![60.0; 9]), String::new()).holds());
        assert!(
            !row(&wanted, Samples::default(), String::new()).holds(),
            "what was not measured falls short"
        );
    }
}
