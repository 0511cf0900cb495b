//! `wengert problems`: the list.

use serde::Serialize;
use wengert_problems::registry::{PROBLEMS, Problem};

use crate::arguments::ProblemsArguments;
use crate::error::CliError;
use crate::output::{Table, print, print_json};

/// A problem in JSON.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    description: &'static str,
    sizes: &'static [&'static str],
    default_sizes: &'static [usize],
    reads_data: bool,
}

impl From<&Problem> for Entry {
    fn from(problem: &Problem) -> Self {
        Self {
            name: problem.name,
            description: problem.description,
            sizes: problem.sizes,
            default_sizes: problem.default_sizes,
            reads_data: problem.reads_data,
        }
    }
}

/// Prints the list.
pub(crate) fn run(arguments: &ProblemsArguments) -> Result<(), CliError> {
    if arguments.json {
        return print_json(&PROBLEMS.iter().map(Entry::from).collect::<Vec<_>>());
    }
    let mut table = Table::new(&["name", "sizes [default]", "--data", "description"], 4);
    for problem in &PROBLEMS {
        let sizes = problem.sizes.iter().zip(problem.default_sizes);
        let sizes: Vec<String> = sizes
            .map(|(name, size)| format!("{name} [{size}]"))
            .collect();
        let data = if problem.reads_data { "yes" } else { "" };
        table.push(vec![
            problem.name.into(),
            sizes.join(" "),
            data.into(),
            problem.description.into(),
        ]);
    }
    let mut text = String::new();
    table.render(&mut text);
    print(&text)
}
