//! Whatever is appended comes back, however it was grouped.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use uuid::Uuid;

use super::helpers::{contents, open};
use crate::{EventRef, NewCommit, NewEvent, verify};

fn data() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![8 => 0..600_usize, 2 => 7_800..8_300_usize, 1 => Just(60_000_usize)];
    (any::<u8>(), size).prop_map(|(byte, size)| vec![byte; size])
}

fn event() -> impl Strategy<Value = NewEvent> {
    let names = ("[a-zé单]{1,20}", "[A-Z][a-zA-Z]{0,30}");
    (names, any::<(u16, u16)>(), data()).prop_map(|(names, versions, data)| NewEvent {
        stream: names.0,
        version: versions.0.into(),
        type_name: names.1.into(),
        type_version: versions.1,
        data,
    })
}

fn groups() -> impl Strategy<Value = Vec<Vec<NewCommit>>> {
    let commit =
        (vec(any::<u8>(), 0..200), vec(event(), 0..5)).prop_map(|(meta, events)| NewCommit {
            command_id: Uuid::nil(),
            meta,
            events,
        });
    vec(vec(commit, 1..12), 1..6).prop_map(|mut groups| {
        for (n, commit) in (1..).zip(groups.iter_mut().flatten()) {
            commit.command_id = Uuid::from_u128(n);
        }
        groups
    })
}

fn same(event: EventRef<'_>, given: &NewEvent) -> bool {
    event.stream == given.stream
        && event.version == given.version
        && event.type_name == given.type_name
        && event.type_version == given.type_version
        && event.data == given.data
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn commits_survive_grouping_fragments_and_reopening(groups in groups()) {
        let dir = tempfile::tempdir().unwrap();
        let mut opened = open(dir.path());
        for group in &groups {
            opened.writer.append(group).unwrap();
        }
        let fresh = contents(&opened.log).unwrap();
        let head = opened.writer.close().unwrap();
        let opened = open(dir.path());
        prop_assert_eq!(opened.log.head(), head);
        let stored = contents(&opened.log).unwrap();
        prop_assert_eq!(&stored, &fresh);
        prop_assert_eq!(stored.len(), groups.iter().map(Vec::len).sum::<usize>());
        for (commit, given) in stored.iter().zip(groups.iter().flatten()) {
            prop_assert_eq!(commit.command_id(), given.command_id);
            prop_assert_eq!(commit.meta(), &given.meta[..]);
            prop_assert_eq!(commit.bytes(), given.encoded_bytes());
            prop_assert_eq!(commit.events().count(), given.events.len());
            prop_assert!(commit.events().zip(&given.events).all(|(e, g)| same(e, g)));
        }
        let report = verify(&opened.log, &mut |_| {}).unwrap();
        prop_assert!(report.is_whole(), "{}", report);
    }
}
