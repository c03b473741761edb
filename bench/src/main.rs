//! The bars that Divisi holds itself to: `cargo xtask bench`.
//!
//! Every bar is measured against a floor in the same run, the two by turns, so that a busy or slow machine moves both.
//! Rows that concern the whole program start the release build of `divisi` with a home of its own and scripted agents.
//! Not shipped, and no part of the tests but for the pure parts at the end of its files.

mod agent;
mod chart;
mod divisi;
mod file_system;
mod floor;
mod measure;
mod place;
mod processes;
mod report;
mod repositories;
mod row;
mod rows;

use std::path::PathBuf;
use std::process::ExitCode;

/// What every step returns; the sentence is for a person.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What was asked for on the command line.
#[derive(Debug)]
struct Options {
    rows: Vec<String>,
    /// Few repetitions and small repositories: for trying the bench itself, never for the page.
    quick: bool,
    /// Where the page goes; nothing is written without it.
    repository: Option<PathBuf>,
    /// Where everything happens, instead of a place of its own.
    place: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == "agent").is_some() {
        return agent::main();
    }
    match parse(arguments).and_then(run) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options { rows: Vec::new(), quick: false, repository: None, place: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--quick" => options.quick = true,
            "--repository" => options.repository = Some(value()?.into()),
            "--place" => options.place = Some(value()?.into()),
            name if rows::ALL.iter().any(|row| row.name == name) => options.rows.push(argument),
            unknown => {
                let names: Vec<_> = rows::ALL.iter().map(|row| row.name).collect();
                return Err(format!("there is no row `{unknown}`; there are: {}", names.join(", ")).into());
            }
        }
    }
    Ok(options)
}

/// Measures what was asked for. Gives whether every bar holds.
fn run(options: Options) -> Result<bool> {
    // Before any thread: the place may be a file system that only this process sees.
    let place = place::Place::make(options.place.as_deref())?;
    println!("{}\n", place.facts.lines());
    let wanted =
        |row: &&row::Group| options.rows.is_empty() || options.rows.iter().any(|name| name == row.name);
    let bench =
        rows::Bench { place: &place, quick: options.quick, repository: options.repository.as_deref() };
    let mut findings = row::Findings::default();
    for group in rows::ALL.iter().filter(wanted) {
        eprintln!("… {}", group.name);
        let found = (group.measure)(&bench).unwrap_or_else(|error| group.failed(error.as_ref()));
        for outcome in &found.outcomes {
            println!("{}", report::line(outcome));
        }
        findings.add(found);
        bench.end_processes();
    }
    for curve in &findings.curves {
        println!("\n{}", report::curve_text(curve));
    }
    if let Some(repository) = options.repository.filter(|_| options.rows.is_empty() && !options.quick) {
        report::write(&repository, &place.facts, &findings)?;
    }
    let short = findings.outcomes.iter().filter(|outcome| !outcome.holds()).count();
    println!("\n{} of {} hold", findings.outcomes.len() - short, findings.outcomes.len());
    Ok(short == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_name_and_an_unknown_one_is_refused_with_the_known_ones() {
        let parse = |text: &str| parse(text.split(' ').map(str::to_owned));
        let options = parse("store shim --quick").expect("both are known");
        assert_eq!((options.rows, options.quick), (vec!["store".to_owned(), "shim".to_owned()], true));
        let refused = parse("speed").expect_err("there is no such row").to_string();
        assert!(refused.contains("`speed`") && refused.contains("store"), "{refused}");
    }
}
