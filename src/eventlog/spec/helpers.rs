//! What the tests have in common.

use std::path::Path;

use uuid::Uuid;

use crate::{Log, LogOptions, NewCommit, NewEvent, Opened};

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
        type_name: "OrderPlaced".to_owned(),
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
