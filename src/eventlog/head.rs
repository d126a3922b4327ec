//! The head record: what was acknowledged last, kept outside sled.
//!
//! A data file that was cut can open without complaint, only shorter. This small file tells: two
//! slots in two different disk sectors, written in turn, each with its own checksum. It is
//! written after the data is durable, so it never claims too much; it is synced about once a
//! second and on closing, so after a power cut it may claim a second too little, never more.
//!
//! ```text
//! slot  magic "DBKH" 4 │ version u16 │ flags u16 │ sequence u64 │ organisation 16
//!       │ position u64 │ hash 32 │ zero 8 │ crc32 4                at 0 and at 4096
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::disk::sync_folder;
use crate::error::LogError;
use crate::hash::{Hash, Head};
use crate::wire::Input;

/// The file in the log's folder.
pub(crate) const FILE: &str = "head";

const MAGIC: [u8; 4] = *b"DBKH";
const VERSION: u16 = 1;
const CLEAN: u16 = 1;
const SLOT_BYTES: usize = 84;
const SLOT_DISTANCE: u64 = 4096;

/// The content of the newer whole slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeadRecord {
    pub(crate) sequence: u64,
    pub(crate) head: Head,
    /// Written by closing, with nothing after it.
    pub(crate) clean: bool,
}

/// What there is to know from the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Missing,
    /// Present, but no slot is whole.
    Damaged,
    Record(HeadRecord),
}

/// Reads the record without changing anything.
pub(crate) fn read(dir: &Path, organisation: Uuid) -> Result<Found, LogError> {
    let path = dir.join(FILE);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Missing),
        Err(error) => return Err(LogError::io("read", &path)(error)),
        Ok(_) => {}
    }
    let second = usize::try_from(SLOT_DISTANCE).unwrap_or(usize::MAX);
    let slots = [
        bytes.get(..SLOT_BYTES),
        bytes.get(second..second + SLOT_BYTES),
    ];
    let whole = slots
        .into_iter()
        .flatten()
        .filter_map(|slot| decode(slot, organisation));
    Ok(whole
        .max_by_key(|record| record.sequence)
        .map_or(Found::Damaged, Found::Record))
}

/// The open file, for the writer.
#[derive(Debug)]
pub(crate) struct HeadFile {
    file: File,
    path: PathBuf,
    organisation: Uuid,
    sequence: u64,
}

impl HeadFile {
    /// Opens or creates the file and puts `head` in it durably, in both slots: from here on the
    /// older slot is never further back than this moment.
    pub(crate) fn start(
        dir: &Path,
        organisation: Uuid,
        head: Head,
        sequence: u64,
    ) -> Result<Self, LogError> {
        let path = dir.join(FILE);
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = opened.map_err(LogError::io("open", &path))?;
        let mut this = Self {
            file,
            path,
            organisation,
            sequence,
        };
        for _ in 0..2 {
            this.write(head, false)?;
            this.sync()?;
        }
        sync_folder(dir).map_err(LogError::io("sync", dir))?;
        Ok(this)
    }

    /// Writes the other slot; not durable yet.
    pub(crate) fn write(&mut self, head: Head, clean: bool) -> Result<(), LogError> {
        self.sequence += 1;
        let record = HeadRecord {
            sequence: self.sequence,
            head,
            clean,
        };
        let slot = encode(&record, self.organisation);
        let offset = SLOT_DISTANCE * (self.sequence % 2);
        self.file
            .write_all_at(&slot, offset)
            .map_err(LogError::io("write", &self.path))
    }

    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.file
            .sync_data()
            .map_err(LogError::io("sync", &self.path))
    }

    /// A second handle, for the thread that syncs.
    pub(crate) fn handle(&self) -> Result<File, LogError> {
        self.file
            .try_clone()
            .map_err(LogError::io("open", &self.path))
    }
}

fn encode(record: &HeadRecord, organisation: Uuid) -> Vec<u8> {
    let mut slot = Vec::with_capacity(SLOT_BYTES);
    slot.extend_from_slice(&MAGIC);
    slot.extend_from_slice(&VERSION.to_be_bytes());
    slot.extend_from_slice(&(if record.clean { CLEAN } else { 0 }).to_be_bytes());
    slot.extend_from_slice(&record.sequence.to_be_bytes());
    slot.extend_from_slice(organisation.as_bytes());
    slot.extend_from_slice(&record.head.position.to_be_bytes());
    slot.extend_from_slice(&record.head.hash.0);
    slot.extend_from_slice(&[0; 8]);
    let crc = crc32fast::hash(&slot);
    slot.extend_from_slice(&crc.to_be_bytes());
    slot
}

fn decode(slot: &[u8], organisation: Uuid) -> Option<HeadRecord> {
    let (content, crc) = slot.split_at_checked(SLOT_BYTES - 4)?;
    let mut input = Input::new(content);
    let magic: [u8; 4] = input.array()?;
    let version = input.u16()?;
    let clean = input.u16()? & CLEAN != 0;
    let sequence = input.u64()?;
    let owner = Uuid::from_bytes(input.array()?);
    let head = Head {
        position: input.u64()?,
        hash: Hash(input.array()?),
    };
    let whole = crc32fast::hash(content).to_be_bytes() == crc;
    let ours = magic == MAGIC && version == VERSION && owner == organisation;
    (whole && ours).then_some(HeadRecord {
        sequence,
        head,
        clean,
    })
}
