//! Folding the log into read models: rebuilt from the beginning, beside the bare decoding of the
//! same commits; deciding, beside nothing but the decoding of its commands.

use std::time::Instant;

use daybook_app::rebuild_offline;
use daybook_schema::{DomainEvent, commit::CommitMeta};

use crate::{
    company,
    report::{Figure, publish},
};

pub(crate) fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let organisation = company::open(folder.path(), 3.0);
    let began = Instant::now();
    let mut events = 0_u64;
    for block in organisation.log().blocks(0) {
        for commit in block.unwrap().commits() {
            let meta: CommitMeta = serde_json::from_slice(commit.meta()).unwrap();
            std::hint::black_box(&meta);
            for event in commit.events() {
                let (name, version) = (event.type_name, event.type_version);
                let decoded = DomainEvent::decode(event.stream, name, version, event.data);
                std::hint::black_box(decoded.unwrap());
                events += 1;
            }
        }
    }
    let floor = events as f64 / began.elapsed().as_secs_f64();
    let Ok(organisation) = std::sync::Arc::try_unwrap(organisation) else {
        return;
    };
    organisation.close().unwrap();
    let began = Instant::now();
    let compared = rebuild_offline(&folder.path().join("demo"), &mut |_, _| {}).unwrap();
    let rebuilt = compared.rebuilt.events as f64 / began.elapsed().as_secs_f64();
    assert_eq!(compared.equal(), Some(true));
    let what = format!("rebuild of all read models, {events} events");
    publish(
        "project",
        "decoding the same commits, one thread",
        &[Figure::new(what, rebuilt, floor, Some(0.35))],
    );
}
