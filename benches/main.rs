//! Benchmarks, each against a floor measured in the same run.
//!
//! `cargo bench` runs all; `cargo bench -- append query` runs some. Each prints a table and writes
//! `target/bench/<name>.json`. A ratio says how much of the floor is left; absolute figures depend
//! on the machine and its mood.

#![expect(
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a benchmark stops at the first surprise and prints rounded figures"
)]

mod access;
mod append;
mod bare;
mod company;
mod decide;
mod floor;
mod live;
mod load;
mod project;
mod query;
mod report;
mod start;

/// The allocator of the program itself; floors have it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The name of a benchmark, and what runs it.
type Benchmark = (&'static str, fn());

const BENCHMARKS: &[Benchmark] = &[
    ("append", append::run),
    ("project", project::run),
    ("query", query::run),
    ("start", start::run),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for (name, run) in BENCHMARKS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}
