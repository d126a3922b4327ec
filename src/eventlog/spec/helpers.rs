//! What the tests have in common.

use std::fs;
use std::path::Path;

use uuid::Uuid;

use crate::{Commit, Log, LogError, LogOptions, NewCommit, NewEvent, Opened};

pub(crate) const ORGANISATION: Uuid = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001);

/// Options that do not look at the free space of whatever machine runs the tests.
pub(crate) fn options() -> LogOptions {
    LogOptions::new(ORGANISATION)
        .min_free(0, 0)
        .cache_bytes(8 << 20)
}

pub(crate) fn open(dir: &Path) -> Opened {
    Log::open(dir, options()).unwrap()
}

/// The n-th commit: one event of about 350 bytes on one of seven streams.
pub(crate) fn commit(n: u64) -> NewCommit {
    NewCommit {
        command_id: Uuid::from_u128((0x0197 << 112) | u128::from(n)),
        meta: format!("{{\"n\":{n}}}").into_bytes(),
        events: vec![event(&format!("order-{}", n % 7), n / 7 + 1, 300)],
    }
}

pub(crate) fn event(stream: &str, version: u64, bytes: usize) -> NewEvent {
    NewEvent {
        stream: stream.to_owned(),
        version,
        type_name: "OrderPlaced".into(),
        type_version: 1,
        data: vec![b'x'; bytes],
    }
}

/// Commits `from..=to`, a group for each ten.
pub(crate) fn fill(opened: &mut Opened, from: u64, to: u64) {
    let all: Vec<NewCommit> = (from..=to).map(commit).collect();
    for group in all.chunks(10) {
        opened.writer.append(group).unwrap();
    }
}

/// The positions and bytes of everything that can be read, or the first error.
pub(crate) fn contents(log: &Log) -> Result<Vec<Commit>, LogError> {
    log.read(0).collect()
}

/// Copies a folder with everything in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Numbers that look random and are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}
