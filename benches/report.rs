//! Tables for people and JSON for programs.

use std::{fs, path::Path};

use serde::Serialize;

/// One measured figure beside its floor.
#[derive(Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// How many of it per second.
    pub(crate) per_second: f64,
    /// The floor: what the machine gave in the same run without us.
    pub(crate) floor_per_second: f64,
    /// The first divided by the second.
    pub(crate) ratio: f64,
    /// The ratio that we mean to reach.
    pub(crate) aim: Option<f64>,
}

impl Figure {
    pub(crate) fn new(
        what: impl Into<String>,
        per_second: f64,
        floor_per_second: f64,
        aim: Option<f64>,
    ) -> Self {
        let ratio = per_second / floor_per_second;
        Self {
            what: what.into(),
            per_second,
            floor_per_second,
            ratio,
            aim,
        }
    }
}

/// Prints the figures of a benchmark and writes them to `target/bench`.
pub(crate) fn publish(name: &str, floor: &str, figures: &[Figure]) {
    println!("\n{name} (floor: {floor})");
    println!(
        "{:<44} {:>12} {:>12} {:>7} {:>6}",
        "", "per second", "floor", "ratio", "aim"
    );
    for figure in figures {
        let aim = figure.aim.map_or(String::new(), |aim| format!("{aim:.2}"));
        println!(
            "{:<44} {:>12.0} {:>12.0} {:>7.2} {aim:>6}",
            figure.what, figure.per_second, figure.floor_per_second, figure.ratio
        );
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder).unwrap();
    let json = serde_json::to_vec_pretty(figures).unwrap();
    fs::write(folder.join(format!("{name}.json")), json).unwrap();
}
