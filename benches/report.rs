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

/// How far something lagged behind, and what of one processor it took.
#[derive(Serialize)]
pub(crate) struct Lag {
    what: String,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    cpu_share: f64,
}

impl Lag {
    pub(crate) fn new(what: String, mut lags_ms: Vec<f64>, cpu_share: f64) -> Self {
        lags_ms.sort_by(f64::total_cmp);
        let at = |percent: usize| lags_ms[(lags_ms.len() - 1) * percent / 100];
        Self {
            what,
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
            cpu_share,
        }
    }
}

/// Prints a lag and writes it to `target/bench`.
pub(crate) fn publish_lag(name: &str, lag: &Lag) {
    println!(
        "\n{:<44} {:>12} {:>12} {:>7} {:>6}",
        name, "p50 ms", "p99 ms", "max ms", "cpu"
    );
    println!(
        "{:<44} {:>12.1} {:>12.1} {:>7.1} {:>6.2}",
        lag.what, lag.p50_ms, lag.p99_ms, lag.max_ms, lag.cpu_share
    );
    write(name, lag);
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
    write(name, figures);
}

/// Writes figures to `target/bench` for programs.
pub(crate) fn write(name: &str, figures: &(impl Serialize + ?Sized)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder).unwrap();
    let json = serde_json::to_vec_pretty(figures).unwrap();
    fs::write(folder.join(format!("{name}.json")), json).unwrap();
}
