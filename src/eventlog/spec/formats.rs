//! The stored formats: what is written is what is read, and every change is noticed.

use bytes::Bytes;
use uuid::Uuid;

use super::helpers::{Dice, ORGANISATION, commit, event};
use crate::block::{self, MAX_PAYLOAD_BYTES, RawBlock};
use crate::chain::{Chain, Depth};
use crate::head::{self, Found, HeadFile};
use crate::piece::{PieceReader, PieceWriter, Record, RecordFault};
use crate::{BlockFault, Hash, Head, MAX_BLOCK_BYTES, NewCommit, pack};

fn genesis() -> Head {
    Head::genesis(ORGANISATION)
}

fn blocks(commits: &[NewCommit]) -> Vec<RawBlock> {
    pack::pack(ORGANISATION, genesis(), commits).unwrap().raws
}

fn large(n: u64, bytes: usize) -> NewCommit {
    NewCommit {
        events: vec![event("big", 1, bytes)],
        ..commit(n)
    }
}

#[test]
fn every_changed_bit_of_a_block_is_noticed() {
    let raw = blocks(&[commit(1), commit(2)]).remove(0);
    for at in 0..raw.bytes().len() {
        let mut bytes = raw.bytes().to_vec();
        bytes[at] ^= 1 << (at % 8);
        assert!(
            RawBlock::parse(bytes.into(), ORGANISATION).is_err(),
            "byte {at}"
        );
    }
    let foreign = RawBlock::parse(raw.bytes().clone(), Uuid::nil()).unwrap_err();
    assert_eq!(foreign, BlockFault::Organisation);
}

#[test]
fn a_block_is_never_larger_than_the_limit() {
    for bytes in MAX_PAYLOAD_BYTES - 120..MAX_PAYLOAD_BYTES + 20 {
        let raws = blocks(&[commit(1), large(2, bytes), commit(3)]);
        assert!(raws.iter().all(|raw| raw.bytes().len() <= MAX_BLOCK_BYTES));
        assert_eq!(raws.last().unwrap().last(), Some(3));
    }
}

#[test]
fn a_chain_refuses_what_is_forged_missing_doubled_or_out_of_order() {
    let raws = blocks(&[
        large(1, 20_000),
        large(2, 20_000),
        commit(3),
        large(4, 8_000),
    ]);
    let walk = |order: &[usize]| {
        let mut chain = Chain::after(genesis(), Depth::Hashes);
        order
            .iter()
            .try_for_each(|index| chain.accept(&raws[*index]).map(drop))
            .map(|()| chain)
    };
    let all: Vec<usize> = (0..raws.len()).collect();
    assert_eq!(walk(&all).unwrap().position(), 4);
    assert_eq!(walk(&[0, 2]).unwrap_err(), BlockFault::Fragments);
    assert_eq!(walk(&[0, 0]).unwrap_err(), BlockFault::Fragments);
    assert_eq!(
        walk(&[3]).unwrap_err(),
        BlockFault::Gap {
            expected: 1,
            found: 2
        }
    );
    assert_eq!(walk(&[0, 1, 3]).unwrap_err(), BlockFault::Fragments);
    assert!(walk(&[0, 1]).unwrap().is_partial());
    let mut outline = *raws[1].outline();
    outline.previous = Hash([7; 32]);
    let forged = RawBlock::seal(ORGANISATION, outline, &raws[1].payload());
    let mut chain = walk(&[0]).unwrap();
    assert_eq!(chain.accept(&forged).unwrap_err(), BlockFault::Link);
}

#[test]
fn a_forged_hash_passes_the_checksum_and_fails_the_full_check() {
    let raw = blocks(&[commit(1)]).remove(0);
    let mut bytes = raw.bytes().to_vec();
    bytes[90] ^= 1;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..24]);
    crc.update(&bytes[28..]);
    bytes[24..28].copy_from_slice(&crc.finalize().to_be_bytes());
    let forged = RawBlock::parse(bytes.into(), ORGANISATION).unwrap();
    assert_eq!(forged.check_hash(), Err(BlockFault::Hash));
    assert_eq!(raw.check_hash(), Ok(()));
}

#[test]
fn nonsense_is_never_a_block_nor_a_panic() {
    let mut dice = Dice(1);
    let raw = blocks(&[commit(1), commit(2)]).remove(0);
    for _ in 0..2_000 {
        let mut bytes = raw.bytes().to_vec();
        let length = usize::try_from(dice.below(9_000)).unwrap();
        bytes.resize(length, 0);
        let at = usize::try_from(dice.below(9_000)).unwrap();
        bytes
            .iter_mut()
            .skip(at)
            .take(8)
            .for_each(|byte| *byte = 0xFF);
        let parsed = RawBlock::parse(Bytes::from(bytes), ORGANISATION);
        assert!(parsed.is_err() || parsed.unwrap().bytes() == raw.bytes());
    }
}

#[test]
fn keys_sort_as_the_chain_runs() {
    let keys = [
        block::key(1, 0),
        block::key(1, 1),
        block::key(2, 0),
        block::key(256, 0),
    ];
    assert!(keys.is_sorted());
    assert_eq!(block::read_key(&keys[1]), Some((1, 1)));
    assert_eq!(block::read_key(&keys[1][1..]), None);
}

#[test]
fn the_head_record_keeps_its_older_slot_when_the_newer_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        head::read(dir.path(), ORGANISATION).unwrap(),
        Found::Missing
    );
    let mut file = HeadFile::start(dir.path(), ORGANISATION, genesis(), 0).unwrap();
    let heads = [1, 2, 3].map(|position| Head {
        position,
        hash: Hash([9; 32]),
    });
    for head in heads {
        file.write(head, false).unwrap();
        let Found::Record(record) = head::read(dir.path(), ORGANISATION).unwrap() else {
            panic!("a written record is read")
        };
        assert_eq!((record.head, record.clean), (head, false));
    }
    let path = dir.path().join("head");
    // Sequence 5 stands in the second slot, 4 in the first.
    for (offset, left) in [(4096 + 5, Some(2)), (1, None)] {
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[offset] ^= 0xFF;
        std::fs::write(&path, bytes).unwrap();
        let found = match head::read(dir.path(), ORGANISATION).unwrap() {
            Found::Record(record) => Some(record.head.position),
            Found::Missing | Found::Damaged => None,
        };
        assert_eq!(found, left);
    }
}

#[test]
fn a_piece_gives_back_its_blocks_and_tells_torn_from_changed() {
    let dir = tempfile::tempdir().unwrap();
    let raws = blocks(&(1..=60).map(commit).collect::<Vec<_>>());
    let mut piece = PieceWriter::create(dir.path(), ORGANISATION, genesis()).unwrap();
    raws.iter().for_each(|raw| piece.append(raw).unwrap());
    piece.seal().unwrap();
    let path = crate::piece::list(dir.path()).unwrap()[0].1.clone();
    let last = raws.last().unwrap();
    let seal = Head {
        position: 60,
        hash: last.hash(),
    };
    assert_eq!(crate::piece::peek_seal(&path).unwrap(), Some(seal));
    let read = || {
        let mut reader = PieceReader::open(&path).unwrap().unwrap();
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            records.push(record);
        }
        records
    };
    let records = read();
    assert_eq!(records.len(), raws.len() + 1);
    for (record, raw) in records.iter().zip(&raws) {
        assert!(matches!(record, Ok(Record::Block(read)) if read.bytes() == raw.bytes()));
    }
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 60]).unwrap();
    assert!(matches!(read().last(), Some(Err(RecordFault::Torn))));
    let mut changed = bytes;
    changed[500] ^= 1;
    std::fs::write(&path, changed).unwrap();
    let faults = read().iter().filter(|record| record.is_err()).count();
    assert_eq!((faults, read().len()), (1, raws.len() + 1));
}

/// A change of these hashes means that logs written before cannot be read any more.
#[test]
fn the_stored_format_is_frozen() {
    let raws = blocks(&[commit(1), large(2, 9_000), commit(3)]);
    let hashes: Vec<String> = raws.iter().map(|raw| raw.hash().to_string()).collect();
    let frozen = [
        "5c1e6cf06a1432a7d3e3144df15294ff133b13fc8e61b85c5d90b84244dc6ef2",
        "3213d85a97f85a78f08a8fd1d4e831394e4e1c960f1a403b56e98c75220dd0bc",
        "37aba2f99698ca3ec9813c978e2a2dccdfbe3c16a639e122901e67840c03f1b2",
        "267fdc959340e424af078b65d0d7a884027cc4c731e267727882001beb203755",
    ];
    assert_eq!(hashes, frozen);
}
