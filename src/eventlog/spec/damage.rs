//! Media damage: whatever is done to the files, opening never panics and never shows a log that
//! is shorter or different without saying so, and the archive gives the same log again.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::helpers::{Dice, commit, contents, copy_dir, event, fill, open, options};
use crate::{Commit, Head, Log, LogError, NewCommit, RestoreOptions, restore};

/// A closed log that was opened more than once, and what it holds.
struct Original {
    root: TempDir,
    head: Head,
    commits: Vec<Commit>,
}

impl Original {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("log");
        let mut opened = open(&dir);
        fill(&mut opened, 1, 800);
        let large = NewCommit {
            events: vec![event("big", 1, 100_000)],
            ..commit(801)
        };
        opened.writer.append(&[large]).unwrap();
        opened.writer.close().unwrap();
        let mut opened = open(&dir);
        fill(&mut opened, 802, 1600);
        let commits = contents(&opened.log).unwrap();
        let head = opened.writer.close().unwrap();
        Self {
            root,
            head,
            commits,
        }
    }

    /// Damages copies of the log and checks what comes of it; counts those that open unharmed.
    fn trial(&self, cases: u64, damage: impl Fn(&Path, &mut Dice)) -> u64 {
        (0..cases)
            .filter(|case| self.survives(*case, &damage))
            .count()
            .try_into()
            .unwrap()
    }

    fn survives(&self, case: u64, damage: &impl Fn(&Path, &mut Dice)) -> bool {
        let dir = self.root.path().join(format!("case-{case}"));
        copy_dir(&self.root.path().join("log"), &dir);
        damage(&dir, &mut Dice(case));
        let opened = Log::open(&dir, options());
        let unharmed = match opened {
            Ok(opened) => {
                assert_eq!(opened.log.head(), self.head, "case {case}");
                contents(&opened.log).is_ok_and(|commits| {
                    assert!(commits == self.commits, "case {case}: other commits");
                    true
                })
            }
            Err(LogError::Damaged { first, last, .. }) => {
                assert!(
                    1 <= first && first <= last,
                    "case {case}: range {first} to {last}"
                );
                false
            }
            Err(error) => {
                assert_eq!(error.code(), "LOG_IO", "case {case}: {error}");
                false
            }
        };
        if !unharmed {
            self.restores(&dir, case);
        }
        fs::remove_dir_all(&dir).unwrap();
        unharmed
    }

    fn restores(&self, dir: &Path, case: u64) {
        let back = self.root.path().join(format!("back-{case}"));
        let report = restore(dir, &back, &RestoreOptions::default(), &mut |_| {}).unwrap();
        assert_eq!(report.head, self.head, "case {case}");
        fs::remove_dir_all(&back).unwrap();
    }
}

fn data(dir: &Path) -> PathBuf {
    dir.join("sled").join("db")
}

fn flip(path: &Path, dice: &mut Dice) {
    let mut bytes = fs::read(path).unwrap();
    let at = dice.below(bytes.len().try_into().unwrap());
    bytes[usize::try_from(at).unwrap()] ^= 1 << dice.below(8);
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, dice: &mut Dice) {
    let length = fs::metadata(path).unwrap().len();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(dice.below(length)).unwrap();
}

fn snapshots(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("sled"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    entries
        .filter(|path| path.to_string_lossy().contains("snap."))
        .collect()
}

#[test]
fn bits_flip_in_the_data_file() {
    let original = Original::new();
    let unharmed = original.trial(100, |dir, dice| flip(&data(dir), dice));
    assert!(unharmed < 100, "no flip was ever noticed");
}

#[test]
fn the_data_file_is_cut_or_deleted() {
    let original = Original::new();
    original.trial(40, |dir, dice| cut(&data(dir), dice));
    let unharmed = original.trial(2, |dir, dice| match dice.0 {
        0 => fs::remove_file(data(dir)).unwrap(),
        _ => fs::remove_dir_all(dir.join("sled")).unwrap(),
    });
    assert_eq!(unharmed, 0);
}

#[test]
fn zeros_are_written_over_a_page_of_the_data_file() {
    let original = Original::new();
    original.trial(30, |dir, dice| {
        let mut bytes = fs::read(data(dir)).unwrap();
        let pages = u64::try_from(bytes.len() / 4096).unwrap();
        let at = usize::try_from(dice.below(pages) * 4096).unwrap();
        bytes[at..at + 4096].fill(0);
        fs::write(data(dir), bytes).unwrap();
    });
}

#[test]
fn derived_files_are_damaged_and_the_log_opens_whole() {
    let original = Original::new();
    let all_survive = |cases, damage: &dyn Fn(&Path, &mut Dice)| {
        assert_eq!(original.trial(cases, damage), cases);
    };
    all_survive(2, &|dir, dice| match dice.0 {
        0 => snapshots(dir)
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap()),
        _ => fs::remove_file(dir.join("head")).unwrap(),
    });
    all_survive(5, &|dir, dice| flip(&snapshots(dir)[0], dice));
    all_survive(5, &|dir, dice| flip(&dir.join("head"), dice));
    all_survive(5, &|dir, dice| cut(&dir.join("index.sqlite"), dice));
    all_survive(5, &|dir, dice| flip(&dir.join("index.sqlite"), dice));
    let piece = |dir: &Path| {
        crate::piece::list(&dir.join("archive")).unwrap()[0]
            .1
            .clone()
    };
    all_survive(10, &|dir, dice| flip(&piece(dir), dice));
    all_survive(5, &|dir, dice| cut(&piece(dir), dice));
    all_survive(1, &|dir, _| {
        fs::remove_dir_all(dir.join("archive")).unwrap()
    });
}
