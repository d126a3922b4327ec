//! Folding the log into read models: rebuilt from the beginning, beside the bare decoding of the
//! same commits; live, while commits come in at a steady rate. And deciding, beside the decoding
//! of the same commands.

use std::time::Instant;

use daybook_app::rebuild_offline;
use daybook_schema::{DomainEvent, commit::CommitMeta};

use crate::{
    company, decide, live,
    report::{Figure, publish, publish_lag},
};

/// The rate at which live projection is measured.
const EVENTS_PER_SECOND: u64 = 10_000;

pub(crate) fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let organisation = company::open(folder.path(), 3.0);
    let began = Instant::now();
    let mut events = 0_u64;
    for block in organisation.log().blocks(0) {
        for commit in block.unwrap().commits() {
            let meta: CommitMeta = organisation.seals().meta(commit.meta()).unwrap();
            std::hint::black_box(&meta);
            for event in commit.events() {
                let (name, version) = (event.type_name, event.type_version);
                let data = organisation.seals().event(&event);
                let decoded = DomainEvent::decode(event.stream, name, version, &data);
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
    let compared = rebuild_offline(
        &folder.path().join("demo"),
        &Default::default(),
        &mut |_, _| {},
    )
    .unwrap();
    assert_eq!(compared.equal(), Some(true));
    // The rebuild by itself: without opening the log, and without the digest of what served.
    let rebuilt = compared.rebuilt.events as f64 * 1e3 / compared.rebuilt.millis as f64;
    let what = format!("rebuild of all read models, {events} events");
    publish(
        "project",
        "decoding the same commits, one thread",
        &[Figure::new(what, rebuilt, floor, Some(0.35))],
    );
    let decided = decide::run(1.0);
    publish("decide", "decoding the same commands", &[decided]);
    let lag = live::run(&folder.path().join("live"), EVENTS_PER_SECOND);
    publish_lag("live", &lag);
}
