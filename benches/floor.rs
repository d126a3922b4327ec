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

/// Has so many clients do a piece of work over and over for a while, each waiting for its own
/// before it begins the next; gives how many were done per second.
pub(crate) async fn rate<Work>(
    clients: usize,
    time: Duration,
    work: impl Fn() -> Work + Clone + Send + 'static,
) -> f64
where
    Work: Future<Output = ()> + Send,
{
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let work = work.clone();
        running.spawn(async move {
            let mut done = 0_u64;
            while began.elapsed() < time {
                work().await;
                done += 1;
            }
            done
        });
    }
    let done: u64 = running.join_all().await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}
