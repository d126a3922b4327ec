//! Two hundred organisations that take turns in twenty places.

use std::{
    fs,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Instant,
};

use daybook_projections::{
    customers::CustomerRow,
    store::{Condition, PageRequest},
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::{create, open, options};
use crate::{
    House, Organisation,
    spec::{envelope, register},
};

const ORGANISATIONS: usize = 200;
const OPEN_MAX: usize = 20;
/// Of each of the two threads.
const VISITS: usize = 120;
/// Customers registered in one visit; each is one command, one page and one count.
const CUSTOMERS: u64 = 4;
/// What the process may grow by while others take the places that are taken all, in KiB.
const GROWTH_MAX: u64 = 256 * 1_024;

struct Crowd {
    house: House,
    ids: Vec<Uuid>,
    registered: Vec<AtomicU64>,
    open_most: AtomicUsize,
}

#[test]
fn two_hundred_organisations_share_twenty_places_and_where_proc_is_there_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    let began = Instant::now();
    let crowd = found(&runtime, folder.path());
    let founded = began.elapsed();
    // The caches of all places fill first.
    crowd.visit_at_random(&runtime, 5);
    let before = resident();
    std::thread::scope(|scope| {
        for seed in [11, 23] {
            let (crowd, runtime) = (&crowd, &runtime);
            scope.spawn(move || crowd.visit_at_random(runtime, seed));
        }
    });
    let visited = began.elapsed() - founded;
    let after = resident();
    std::thread::scope(|scope| {
        for half in [0, 1] {
            let (crowd, runtime) = (&crowd, &runtime);
            scope.spawn(move || crowd.check_all(runtime, half));
        }
    });
    println!(
        "founded in {founded:?}, visited in {visited:?}, {} open at most, resident {before:?} to \
         {after:?} KiB",
        crowd.open_most.load(Ordering::Relaxed)
    );
    assert!(crowd.open_most.load(Ordering::Relaxed) <= OPEN_MAX);
    crowd.house.close().unwrap();
    assert_eq!(crowd.house.open_count(), 0);
    if let (Some(before), Some(after)) = (before, after) {
        assert!(after < before + GROWTH_MAX, "{before} KiB to {after} KiB");
    }
}

fn found(runtime: &Runtime, folder: &std::path::Path) -> Crowd {
    let house = open(folder, options(OPEN_MAX));
    let ids = runtime.block_on(create(&house, ORGANISATIONS));
    Crowd {
        house,
        registered: ids.iter().map(|_| AtomicU64::new(0)).collect(),
        ids,
        open_most: AtomicUsize::new(0),
    }
}

impl Crowd {
    fn visit_at_random(&self, runtime: &Runtime, mut seed: u64) {
        for _ in 0..VISITS {
            let number = usize::try_from(next(&mut seed)).unwrap() % ORGANISATIONS;
            self.visit(runtime, number);
        }
    }

    fn visit(&self, runtime: &Runtime, number: usize) {
        let lease = runtime
            .block_on(self.house.enter(self.ids[number]))
            .unwrap();
        let open = self.house.open_count();
        self.open_most.fetch_max(open, Ordering::Relaxed);
        for _ in 0..CUSTOMERS {
            let before = self.registered[number].load(Ordering::SeqCst);
            let name = format!("Guest {} of {number}", Uuid::now_v7());
            let registered = envelope(register(&name, None));
            let receipt = runtime.block_on(lease.desk().submit(registered)).unwrap();
            assert_eq!(receipt.refusal, None);
            self.registered[number].fetch_add(1, Ordering::SeqCst);
            runtime.block_on(posted(&lease, receipt.position));
            assert!(own_customers(&lease, number) > before);
        }
    }

    /// Every organisation holds what was registered there, no more and no less.
    fn check_all(&self, runtime: &Runtime, half: usize) {
        for (number, id) in self.ids.iter().enumerate().skip(half).step_by(2) {
            let lease = runtime.block_on(self.house.enter(*id)).unwrap();
            let expected = self.registered[number].load(Ordering::SeqCst);
            assert_eq!(own_customers(&lease, number), expected);
            self.open_most
                .fetch_max(self.house.open_count(), Ordering::Relaxed);
        }
    }
}

async fn posted(organisation: &Organisation, position: u64) {
    let mut applied = organisation.applied();
    let applied = applied.wait_for(|applied| applied.position >= position);
    assert_eq!(applied.await.unwrap().stopped, None);
}

/// Counts the customers, all of which must carry the mark of their own organisation.
fn own_customers(organisation: &Organisation, number: usize) -> u64 {
    let snapshot = organisation.readers().snapshot(None).unwrap();
    let request = PageRequest {
        condition: Condition::EVERYTHING,
        order: Vec::new(),
        after: None,
        before: None,
        limit: 10_000,
        backwards: false,
    };
    let page = snapshot.page::<CustomerRow>(&request).unwrap();
    let mark = format!(" of {number}");
    for (document, _) in &page.rows {
        let name = document.row().unwrap().details.name.to_string();
        assert!(name.ends_with(&mark), "{name} is not{mark}");
    }
    let count = snapshot.count::<CustomerRow>(&Condition::EVERYTHING);
    let count = count.unwrap();
    assert_eq!(count, u64::try_from(page.rows.len()).unwrap());
    count
}

/// A generator that is the same on every machine.
fn next(seed: &mut u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

/// Resident memory in KiB, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
