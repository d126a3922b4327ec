//! One file of the archive: a *piece*, append-only and readable without sled.
//!
//! ```text
//! file    header │ record │ record │ … │ seal
//! header  magic "DBKA" 4 │ version u16 │ zero u16 │ organisation 16 │ first position u64
//!         │ hash before the first block 32 │ crc32 4
//! record  length u32 (of what follows the checksum) │ crc32 4 │ key 10 │ block
//! seal    0xFFFFFFFF 4 │ crc32 4 │ last position u64 │ hash 32
//! ```
//!
//! The name is the first position in twenty digits. A piece begins with a whole commit. A sealed
//! piece is complete and never touched again; only the last piece has no seal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use uuid::Uuid;

use crate::Position;
use crate::block::{BlockFault, KEY_BYTES, MAX_BLOCK_BYTES, RawBlock};
use crate::disk::sync_folder;
use crate::error::LogError;
use crate::hash::{Hash, Head};
use crate::wire::{Input, u32_of, u64_of, usize_of};

pub(crate) const HEADER_BYTES: usize = 68;
const SEAL_BYTES: usize = 48;
const RECORD_HEAD_BYTES: usize = 8;
/// The greatest record there can be.
pub(crate) const RECORD_BYTES_MAX: usize = RECORD_HEAD_BYTES + KEY_BYTES + MAX_BLOCK_BYTES;

const MAGIC: [u8; 4] = *b"DBKA";
const VERSION: u16 = 1;
const SEAL_MARK: u32 = u32::MAX;
const EXTENSION: &str = "dba";

/// What a piece says about itself in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PieceHeader {
    pub(crate) organisation: Uuid,
    /// The head that the piece continues.
    pub(crate) before: Head,
}

/// One entry of a piece.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    Block(RawBlock),
    Seal(Head),
}

/// What is wrong at one place of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordFault {
    /// The file ends within a record, as a crash leaves it.
    #[error("archive ends within a record")]
    Torn,
    #[error("archive record does not match its checksum")]
    Checksum,
    #[error("archive record holds no block: {0}")]
    Block(BlockFault),
}

/// The pieces in a folder, in order; empty when there is no folder.
pub(crate) fn list(dir: &Path) -> Result<Vec<(Position, PathBuf)>, LogError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io("list", dir)(error)),
    };
    let mut pieces = Vec::new();
    for entry in entries {
        let path = entry.map_err(LogError::io("list", dir))?.path();
        let named = path
            .extension()
            .is_some_and(|extension| extension == EXTENSION);
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let first = stem.and_then(|stem| stem.parse().ok()).filter(|_| named);
        // A pipe or a device has no end, and an archive may have been prepared by anybody.
        if let Some(first) = first.filter(|_| path.is_file()) {
            pieces.push((first, path));
        }
    }
    pieces.sort_unstable();
    Ok(pieces)
}

/// Reads one piece from its beginning.
#[derive(Debug)]
pub(crate) struct PieceReader {
    file: BufReader<File>,
    path: PathBuf,
    header: PieceHeader,
    /// Where the next record begins.
    offset: u64,
    length: u64,
}

impl PieceReader {
    /// `None` when the header cannot be trusted.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, LogError> {
        let file = File::open(path).map_err(LogError::io("open", path))?;
        let length = file
            .metadata()
            .map_err(LogError::io("measure", path))?
            .len();
        let mut file = BufReader::with_capacity(1 << 18, file);
        let mut bytes = [0; HEADER_BYTES];
        if length < u64_of(HEADER_BYTES) {
            return Ok(None);
        }
        file.read_exact(&mut bytes)
            .map_err(LogError::io("read", path))?;
        let offset = u64_of(HEADER_BYTES);
        Ok(read_header(&bytes).map(|header| {
            let path = path.to_path_buf();
            Self {
                file,
                path,
                header,
                offset,
                length,
            }
        }))
    }

    pub(crate) fn header(&self) -> &PieceHeader {
        &self.header
    }

    /// Where the next record begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next record, or what is wrong with it; `None` at the end of the file. After a fault
    /// the reader stands behind the record if its length was believable, else at the end.
    pub(crate) fn next_record(&mut self) -> Result<Option<Result<Record, RecordFault>>, LogError> {
        let left = self.length - self.offset;
        if left == 0 {
            return Ok(None);
        }
        if left < u64_of(RECORD_HEAD_BYTES) {
            return self.give_up(RecordFault::Torn);
        }
        let mut head = [0; RECORD_HEAD_BYTES];
        self.read(&mut head)?;
        let mut input = Input::new(&head);
        let (mark, crc) = (input.u32().unwrap_or(0), input.u32().unwrap_or(0));
        let body_bytes = if mark == SEAL_MARK {
            SEAL_BYTES - 8
        } else {
            usize_of(mark)
        };
        if !(KEY_BYTES..=KEY_BYTES + MAX_BLOCK_BYTES).contains(&body_bytes) {
            return self.give_up(RecordFault::Checksum);
        }
        if left < u64_of(RECORD_HEAD_BYTES + body_bytes) {
            return self.give_up(RecordFault::Torn);
        }
        let mut body = vec![0; body_bytes];
        self.read(&mut body)?;
        self.offset += u64_of(RECORD_HEAD_BYTES + body_bytes);
        if checksum(mark, &body) != crc {
            return Ok(Some(Err(RecordFault::Checksum)));
        }
        Ok(Some(self.decode(mark, body.into())))
    }

    fn decode(&self, mark: u32, body: Bytes) -> Result<Record, RecordFault> {
        if mark == SEAL_MARK {
            return read_seal(&body)
                .map(Record::Seal)
                .ok_or(RecordFault::Checksum);
        }
        let parsed = RawBlock::parse(body.slice(KEY_BYTES..), self.header.organisation);
        let raw = parsed.map_err(RecordFault::Block)?;
        let in_place = raw.key() == body[..KEY_BYTES];
        in_place
            .then_some(Record::Block(raw))
            .ok_or(RecordFault::Block(BlockFault::Key))
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), LogError> {
        self.file
            .read_exact(buffer)
            .map_err(LogError::io("read", &self.path))
    }

    fn give_up<T>(
        &mut self,
        fault: RecordFault,
    ) -> Result<Option<Result<T, RecordFault>>, LogError> {
        self.offset = self.length;
        Ok(Some(Err(fault)))
    }
}

/// The seal of a piece, read without the piece; `None` when it has none.
pub(crate) fn peek_seal(path: &Path) -> Result<Option<Head>, LogError> {
    let mut file = File::open(path).map_err(LogError::io("open", path))?;
    let length = file
        .metadata()
        .map_err(LogError::io("measure", path))?
        .len();
    if length < u64_of(HEADER_BYTES + SEAL_BYTES) {
        return Ok(None);
    }
    let mut bytes = [0; SEAL_BYTES];
    file.seek(SeekFrom::Start(length - u64_of(SEAL_BYTES)))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(LogError::io("read", path))?;
    let mut input = Input::new(&bytes);
    let (mark, crc) = (input.u32(), input.u32());
    let whole = mark == Some(SEAL_MARK) && crc == Some(checksum(SEAL_MARK, &bytes[8..]));
    Ok(read_seal(&bytes[8..]).filter(|_| whole))
}

/// Writes one piece.
#[derive(Debug)]
pub(crate) struct PieceWriter {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    bytes: u64,
    head: Head,
}

impl PieceWriter {
    /// Begins a new piece that continues `before`. An empty or torn file of that name is
    /// replaced; the caller has made sure that it holds nothing.
    pub(crate) fn create(dir: &Path, organisation: Uuid, before: Head) -> Result<Self, LogError> {
        let path = dir.join(format!("{:020}.{EXTENSION}", before.position + 1));
        let header = write_header(&PieceHeader {
            organisation,
            before,
        });
        let created = File::create(&path).and_then(|mut file| {
            file.write_all(&header)?;
            file.sync_all()?;
            sync_folder(dir)?;
            Ok(file)
        });
        let file = created.map_err(LogError::io("create", &path))?;
        let bytes = u64_of(HEADER_BYTES);
        Ok(Self {
            file,
            path,
            buffer: Vec::new(),
            bytes,
            head: before,
        })
    }

    /// Goes on behind the last whole record of a piece, and cuts what is behind that.
    pub(crate) fn resume(path: &Path, offset: u64, head: Head) -> Result<Self, LogError> {
        let opened = OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| {
                file.set_len(offset)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(file)
            });
        let file = opened.map_err(LogError::io("open", path))?;
        let (path, buffer) = (path.to_path_buf(), Vec::new());
        Ok(Self {
            file,
            path,
            buffer,
            bytes: offset,
            head,
        })
    }

    /// Adds a block; it reaches the file with the next [`PieceWriter::flush`] at the latest.
    pub(crate) fn append(&mut self, raw: &RawBlock) -> Result<(), LogError> {
        let (key, block) = (raw.key(), raw.bytes());
        let mark = u32_of(key.len() + block.len());
        let mut crc = crc32fast::Hasher::new();
        [&mark.to_be_bytes(), key.as_slice(), block]
            .iter()
            .for_each(|part| crc.update(part));
        self.put(mark, crc.finalize(), &[&key, block]);
        self.head.position = raw.last().unwrap_or(self.head.position);
        self.head.hash = raw.hash();
        if self.buffer.len() < 1 << 20 {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// Completes the piece for ever.
    pub(crate) fn seal(mut self) -> Result<(), LogError> {
        let mut body = self.head.position.to_be_bytes().to_vec();
        body.extend_from_slice(&self.head.hash.0);
        self.put(SEAL_MARK, checksum(SEAL_MARK, &body), &[&body]);
        self.flush()?;
        self.sync()
    }

    pub(crate) fn flush(&mut self) -> Result<(), LogError> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(LogError::io("write", &self.path))
    }

    pub(crate) fn sync(&self) -> Result<(), LogError> {
        self.file
            .sync_data()
            .map_err(LogError::io("sync", &self.path))
    }

    /// The size of the piece so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn put(&mut self, mark: u32, crc: u32, parts: &[&[u8]]) {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(&mark.to_be_bytes());
        self.buffer.extend_from_slice(&crc.to_be_bytes());
        parts
            .iter()
            .for_each(|part| self.buffer.extend_from_slice(part));
        self.bytes += u64_of(self.buffer.len() - before);
    }
}

fn checksum(mark: u32, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&mark.to_be_bytes());
    hasher.update(body);
    hasher.finalize()
}

fn write_header(header: &PieceHeader) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(header.organisation.as_bytes());
    bytes.extend_from_slice(&(header.before.position + 1).to_be_bytes());
    bytes.extend_from_slice(&header.before.hash.0);
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

fn read_header(bytes: &[u8; HEADER_BYTES]) -> Option<PieceHeader> {
    let (content, crc) = bytes.split_at(HEADER_BYTES - 4);
    let mut input = Input::new(content);
    let ours = input.array() == Some(MAGIC) && input.u16() == Some(VERSION);
    let _zero = input.u16()?;
    let organisation = Uuid::from_bytes(input.array()?);
    let position = input.u64()?.checked_sub(1)?;
    let before = Head {
        position,
        hash: Hash(input.array()?),
    };
    let whole = crc32fast::hash(content).to_be_bytes() == crc;
    (ours && whole).then_some(PieceHeader {
        organisation,
        before,
    })
}

fn read_seal(body: &[u8]) -> Option<Head> {
    let mut input = Input::new(body);
    let head = Head {
        position: input.u64()?,
        hash: Hash(input.array()?),
    };
    input.is_empty().then_some(head)
}
