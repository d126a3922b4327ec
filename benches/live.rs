//! Live projection: how far the read models lag behind while events come in at a steady rate, and
//! what of a processor that costs.

use std::{
    fs,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use daybook_app::{CommandError, Organisation, OrganisationOptions, Receipt, demo};
use tokio::sync::oneshot;

use crate::report::Lag;

/// Events that a command of the demo makes, nearly.
const EVENTS_PER_COMMAND: u64 = 2;

type Answer = oneshot::Receiver<Result<Receipt, CommandError>>;

/// Has the demo decided at so many events per second.
pub(crate) fn run(folder: &Path, events_per_second: u64) -> Lag {
    let options = demo::DemoOptions::default();
    let (founding, limits) = (demo::founding(options), OrganisationOptions::default());
    let (organisation, _) = Organisation::open(folder, limits, &founding, &mut |_, _| {}).unwrap();
    let answered = AtomicU64::new(0);
    let (began, cpu_before) = (Instant::now(), projection_cpu());
    let lags = thread::scope(|scope| {
        let (send, answers) = mpsc::channel::<Answer>();
        let (acknowledge, acknowledged) = mpsc::channel();
        let (organisation, answered) = (&organisation, &answered);
        scope.spawn(move || {
            for answer in answers {
                let receipt = answer.blocking_recv().unwrap().unwrap();
                answered.fetch_add(u64::try_from(receipt.events.len()).unwrap(), Relaxed);
                acknowledge
                    .send((receipt.position, Instant::now()))
                    .unwrap();
            }
        });
        let lags = scope.spawn(move || lags(organisation, &acknowledged));
        for (number, envelope) in (0..).zip(demo::commands(options)) {
            while number * EVENTS_PER_COMMAND > events_per_second * micros(began) / 1_000_000 {
                thread::sleep(Duration::from_millis(1));
            }
            let answer = organisation.desk().submit_blocking(envelope).unwrap();
            send.send(answer).unwrap();
        }
        drop(send);
        lags.join().unwrap()
    });
    let seconds = began.elapsed().as_secs_f64();
    let cpu = (projection_cpu() - cpu_before) / seconds;
    organisation.close().unwrap();
    let rate = answered.load(Relaxed) as f64 / seconds;
    Lag::new(format!("live projection, {rate:.0} events/s"), lags, cpu)
}

/// How long after its acknowledgement each commit was in the read models, in milliseconds.
fn lags(organisation: &Organisation, commits: &mpsc::Receiver<(u64, Instant)>) -> Vec<f64> {
    let applied = organisation.applied();
    let mut lags = Vec::new();
    for (position, acknowledged) in commits {
        while applied.borrow().position < position {
            thread::sleep(Duration::from_micros(200));
        }
        lags.push(acknowledged.elapsed().as_secs_f64() * 1e3);
    }
    lags
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap()
}

/// Seconds that the threads of live projection have had a processor; the kernel knows a thread by
/// the first fifteen letters of its name.
fn projection_cpu() -> f64 {
    let mut nanos = 0.0;
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
        if ["daybook-project", "daybook-checkpo"].contains(&name.trim()) {
            let times = fs::read_to_string(task.join("schedstat")).unwrap();
            nanos += times.split(' ').next().unwrap().parse::<f64>().unwrap();
        }
    }
    nanos / 1e9
}
