//! A load of HTTP requests over kept connections.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How many requests per second are answered on so many connections.
pub(crate) async fn rate(
    address: &str,
    path: &str,
    connections: usize,
    time: Duration,
    body: impl Fn() -> String + Clone + Send + 'static,
) -> f64 {
    let began = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(address, path).await;
        let body = body.clone();
        running.spawn(async move {
            let mut done = 0_u64;
            while began.elapsed() < time {
                let answer = connection.ask(&body()).await;
                assert!(!answer.contains("\"errors\""), "{answer}");
                done += 1;
            }
            done
        });
    }
    let done: u64 = running.join_all().await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

pub(crate) struct Connection {
    stream: TcpStream,
    head: String,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str, path: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json\r\nContent-Length: "
        );
        Self {
            stream,
            head,
            buffer: Vec::new(),
        }
    }

    /// The body of the answer.
    pub(crate) async fn ask(&mut self, body: &str) -> String {
        let request = format!("{}{}\r\n\r\n{body}", self.head, body.len());
        self.stream.write_all(request.as_bytes()).await.unwrap();
        loop {
            if let Some(answer) = self.take_answer() {
                return answer;
            }
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
        }
    }

    fn take_answer(&mut self) -> Option<String> {
        let head_end = self
            .buffer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")?
            + 4;
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).to_ascii_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)?
            .split("\r\n")
            .next()?;
        let end = head_end + length.parse::<usize>().unwrap();
        if self.buffer.len() < end {
            return None;
        }
        let answer = String::from_utf8_lossy(&self.buffer[head_end..end]).into_owned();
        self.buffer.drain(..end);
        Some(answer)
    }
}
