//! What an import did, step by step.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// What became of the commands of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandCounts {
    /// Commands made of rows; in a dry run, those that would be sent.
    pub issued: u64,
    /// Done now.
    pub accepted: u64,
    /// Done by an earlier import already.
    pub replayed: u64,
    /// Refused by a rule, now or by an earlier import.
    pub refused: u64,
    /// Of those refused, the ones that an earlier import has on record already.
    pub refused_before: u64,
    /// Not answered by a rule at all, for example because the row was imported with other content.
    pub failed: u64,
}

/// What became of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepSummary {
    /// The step's name.
    pub step: String,
    /// Rows read from the step's source.
    pub rows: u64,
    /// Rows that the step's condition left out.
    pub filtered: u64,
    /// Rows, or groups of rows, that could not be made into commands.
    pub rejected: u64,
    /// The commands, by name.
    pub commands: BTreeMap<&'static str, CommandCounts>,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportSummary {
    /// Whether nothing was sent.
    pub dry_run: bool,
    /// The steps, in order.
    pub steps: Vec<StepSummary>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl std::ops::AddAssign for CommandCounts {
    fn add_assign(&mut self, other: Self) {
        self.issued += other.issued;
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.refused += other.refused;
        self.refused_before += other.refused_before;
        self.failed += other.failed;
    }
}

impl StepSummary {
    /// All commands of the step together.
    pub fn total(&self) -> CommandCounts {
        let mut total = CommandCounts::default();
        self.commands.values().for_each(|counts| total += *counts);
        total
    }
}

impl ImportSummary {
    /// All commands of all steps together.
    pub fn total(&self) -> CommandCounts {
        let mut total = CommandCounts::default();
        self.steps.iter().for_each(|step| total += step.total());
        total
    }

    /// Rows and groups that could not be made into commands.
    pub fn rejected(&self) -> u64 {
        self.steps.iter().map(|step| step.rejected).sum()
    }

    /// How many commits the import added to the log.
    pub fn commits(&self) -> u64 {
        let total = self.total();
        total.accepted + total.refused - total.refused_before
    }

    /// Whether every row became a command and every command was done, now or before.
    pub fn is_clean(&self) -> bool {
        let total = self.total();
        self.rejected() + total.refused + total.failed == 0
    }
}

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.steps.iter().map(|step| step.step.chars().count());
        let (wide, narrow) = (names.max().unwrap_or(0).max(24), 9);
        write!(
            f,
            "{:wide$}{:>narrow$}{:>narrow$}{:>narrow$}",
            "step", "rows", "filtered", "rejected"
        )?;
        let heads = ["issued", "accepted", "replayed", "refused", "failed"];
        heads
            .iter()
            .try_for_each(|head| write!(f, "{head:>narrow$}"))?;
        for step in &self.steps {
            write!(f, "\n{:wide$}", step.step)?;
            let rows = [step.rows, step.filtered, step.rejected];
            rows.iter()
                .try_for_each(|count| write!(f, "{count:>narrow$}"))?;
            line(f, step.total(), narrow)?;
            for (name, counts) in step.commands.iter().filter(|_| step.commands.len() > 1) {
                let indent = wide + 3 * narrow - 2;
                write!(f, "\n  {name:indent$}")?;
                line(f, *counts, narrow)?;
            }
        }
        let verb = if self.dry_run {
            "would be issued"
        } else {
            "issued"
        };
        let (total, seconds) = (self.total(), self.duration_ms / 1_000);
        let tenths = self.duration_ms % 1_000 / 100;
        write!(
            f,
            "\n{} commands {verb} in {seconds}.{tenths} s",
            total.issued
        )?;
        write!(
            f,
            ", {} commits added, {} rows rejected",
            self.commits(),
            self.rejected()
        )
    }
}

fn line(f: &mut fmt::Formatter<'_>, counts: CommandCounts, width: usize) -> fmt::Result {
    let CommandCounts {
        issued,
        accepted,
        replayed,
        refused,
        failed,
        ..
    } = counts;
    let counts = [issued, accepted, replayed, refused, failed];
    counts
        .iter()
        .try_for_each(|count| write!(f, "{count:>width$}"))
}
