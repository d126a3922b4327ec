//! A server of its own for a test: the real program on a free port.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_daybook");
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of its own on a free port; ended with the test, whatever becomes of it.
pub(crate) struct Server {
    process: Child,
    address: String,
    /// The position of the last answer; what is asked next must be as recent.
    seen: AtomicU64,
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        let mut process = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut ready).unwrap();
        let address = ready
            .trim_end()
            .strip_prefix("Daybook is ready: query page http://")
            .and_then(|rest| rest.strip_suffix("/graphql"));
        let address = address.unwrap_or_else(|| panic!("not ready: `{ready}`"));
        let address = address.to_owned();
        let seen = AtomicU64::new(0);
        Self {
            process,
            address,
            seen,
        }
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_ask(method, path, body).unwrap()
    }

    fn try_ask(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nAccept: application/json\r\n\
             Daybook-Actor: li.wei\r\nDaybook-At-Least: {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            self.seen.load(Ordering::Relaxed),
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Ok((status.ok_or_else(broken)?, body.to_owned()))
    }

    /// The answer to a document with variables; none where the connection broke.
    pub(crate) fn try_request(&self, query: &str, variables: Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (_, body) = self.try_ask("POST", "/graphql", &body).ok()?;
        serde_json::from_str(&body).ok()
    }

    /// The answer to a document.
    pub(crate) fn graphql(&self, query: &str) -> Value {
        self.request(query, Value::Null)
    }

    /// The answer to a document with variables.
    pub(crate) fn request(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let (status, body) = self.ask("POST", "/graphql", &body);
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        let position = answer["extensions"]["position"].as_str().unwrap();
        self.seen
            .fetch_max(position.parse().unwrap(), Ordering::Relaxed);
        answer
    }

    /// What is asked next must be as recent as a position: a command may be done before the
    /// read models show it, and its answer tells the position that they show.
    pub(crate) fn saw(&self, position: &Value) {
        let position = position.as_str().unwrap().parse().unwrap();
        self.seen.fetch_max(position, Ordering::Relaxed);
    }

    /// Whatever is asked from now on must be answered from this position or later.
    pub(crate) fn catch_up(&self, position: u64) {
        self.seen.fetch_max(position, Ordering::Relaxed);
    }

    /// The host and port that it listens on.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Kills the server as the system would: no handler runs, nothing is flushed.
    pub(crate) fn kill(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -KILL {id}")])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Tells the server to end, and gives its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status();
        assert!(sent.unwrap().success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
