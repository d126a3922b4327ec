//! Packs the commits of one group into blocks and chains them to the head.

use uuid::Uuid;

use crate::block::{MAX_PAYLOAD_BYTES, Outline, RawBlock};
use crate::commit::{self, NewCommit};
use crate::error::LogError;
use crate::hash::Head;
use crate::wire::u32_of;

/// What a group becomes: the blocks in order and the head they lead to.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) raws: Vec<RawBlock>,
    pub(crate) head: Head,
}

/// Fills blocks with whole commits; a commit over one block gets blocks of its own.
///
/// # Errors
/// The first commit that breaks a limit. Nothing has been written then.
pub(crate) fn pack(org: Uuid, head: Head, commits: &[NewCommit]) -> Result<Packed, LogError> {
    let mut packer = Packer {
        organisation: org,
        head,
        raws: Vec::new(),
        open: Open::default(),
    };
    let mut encoded = Vec::new();
    for commit in commits {
        encoded.clear();
        commit::encode(commit, &mut encoded)?;
        packer.add(&encoded, u32_of(commit.events.len()));
    }
    packer.close();
    Ok(Packed {
        raws: packer.raws,
        head: packer.head,
    })
}

/// Seals commits that are already encoded, as one run; `restore` cuts blocks with it.
pub(crate) fn reseal(org: Uuid, head: Head, encoded: &[(Vec<u8>, u32)]) -> Packed {
    let mut packer = Packer {
        organisation: org,
        head,
        raws: Vec::new(),
        open: Open::default(),
    };
    encoded
        .iter()
        .for_each(|(bytes, events)| packer.add(bytes, *events));
    packer.close();
    Packed {
        raws: packer.raws,
        head: packer.head,
    }
}

struct Packer {
    organisation: Uuid,
    /// The head as if the open block were not there.
    head: Head,
    raws: Vec<RawBlock>,
    open: Open,
}

/// The block being filled.
#[derive(Default)]
struct Open {
    commits: u32,
    events: u32,
    payload: Vec<u8>,
}

impl Packer {
    fn add(&mut self, encoded: &[u8], events: u32) {
        if self.open.payload.len() + encoded.len() > MAX_PAYLOAD_BYTES {
            self.close();
        }
        if encoded.len() > MAX_PAYLOAD_BYTES {
            return self.add_fragments(encoded, events);
        }
        self.open.payload.extend_from_slice(encoded);
        self.open.commits += 1;
        self.open.events += events;
    }

    fn close(&mut self) {
        if self.open.commits > 0 {
            let Open {
                commits,
                events,
                payload,
            } = std::mem::take(&mut self.open);
            self.push((0, 1), commits, events, &payload);
            self.head.position += u64::from(commits);
        }
    }

    fn add_fragments(&mut self, encoded: &[u8], events: u32) {
        let pieces = encoded.chunks(MAX_PAYLOAD_BYTES);
        // The limit on commits keeps the number of fragments far below 65,535.
        let count = u16::try_from(pieces.len()).unwrap_or(u16::MAX);
        for (index, piece) in (0..count).zip(pieces) {
            let commits = u32::from(index + 1 == count);
            self.push((index, count), commits, events, piece);
        }
        self.head.position += 1;
    }

    fn push(&mut self, fragment: (u16, u16), commits: u32, events: u32, payload: &[u8]) {
        let first = self.head.position + 1;
        let outline = Outline {
            first,
            fragment,
            commits,
            events,
            previous: self.head.hash,
        };
        let raw = RawBlock::seal(self.organisation, outline, payload);
        self.head.hash = raw.hash();
        self.raws.push(raw);
    }
}
