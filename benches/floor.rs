//! Floors: the same work without us.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

/// Bytes of the file that the floor writes to, over and over.
const FILE_BYTES: usize = 256 << 20;

/// A pre-zeroed file that one thread appends batches to, with one fdatasync each: the least that
/// a durable group commit costs.
#[derive(Clone)]
pub(crate) struct RawLog(mpsc::Sender<(Arc<[u8]>, oneshot::Sender<()>)>);

impl RawLog {
    pub(crate) fn open(folder: &Path) -> Self {
        let file = File::create(folder.join("raw")).unwrap();
        let zeros = vec![0; 1 << 20];
        for index in 0..FILE_BYTES >> 20 {
            file.write_all_at(&zeros, (index << 20) as u64).unwrap();
        }
        file.sync_all().unwrap();
        let (queue, requests) = mpsc::channel(4_096);
        std::thread::spawn(move || write(&file, requests));
        Self(queue)
    }

    pub(crate) async fn append(&self, bytes: Arc<[u8]>) {
        let (answer, done) = oneshot::channel();
        self.0.send((bytes, answer)).await.unwrap();
        done.await.unwrap();
    }
}

fn write(file: &File, mut requests: mpsc::Receiver<(Arc<[u8]>, oneshot::Sender<()>)>) {
    let mut offset = 0;
    let mut batch = Vec::new();
    let mut buffer = Vec::new();
    while let Some(first) = requests.blocking_recv() {
        batch.push(first);
        while batch.len() < 512
            && let Ok(next) = requests.try_recv()
        {
            batch.push(next);
        }
        buffer.clear();
        batch
            .iter()
            .for_each(|(bytes, _)| buffer.extend_from_slice(bytes));
        if offset + buffer.len() > FILE_BYTES {
            offset = 0;
        }
        file.write_all_at(&buffer, offset as u64).unwrap();
        file.sync_data().unwrap();
        offset += buffer.len();
        for (_, answer) in batch.drain(..) {
            let _ = answer.send(());
        }
    }
}

/// Runs `clients` copies of a loop for a while; gives how often per second one of them came round.
pub(crate) async fn rate<F, Work>(clients: usize, time: Duration, work: F) -> f64
where
    F: Fn(usize, u64) -> Work,
    Work: Future<Output = ()> + Send + 'static,
{
    let began = Instant::now();
    let mut done = 0_u64;
    let mut running = tokio::task::JoinSet::new();
    for client in 0..clients {
        running.spawn(work(client, 0));
        let _ = client;
    }
    let mut round = 1;
    while running.join_next().await.is_some() {
        done += 1;
        if began.elapsed() < time {
            running.spawn(work(0, round));
            round += 1;
        }
    }
    done as f64 / began.elapsed().as_secs_f64()
}
