//! While a record is being opened, probes are answered and nothing else is.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::NamedTempFile;

use crate::{secrets, server::PROGRAM};

/// A process that ends with its test, whatever becomes of it.
struct Guarded(Child, NamedTempFile);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        if !std::thread::panicking() {
            let said = fs::read_to_string(self.1.path()).unwrap();
            secrets::overheard("the log of a server", &said);
        }
    }
}

/// The status and the body; none while nobody listens.
fn ask(address: &str, request: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[test]
fn probes_are_answered_while_the_record_is_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    drop(free);
    let said = NamedTempFile::new().unwrap();
    let mut command = Command::new(PROGRAM);
    command
        .args(["serve", "--demo", "--scale", "0.1", "--listen", &address])
        .arg("--data")
        .arg(folder.path().join("data"))
        .stdout(Stdio::null())
        .stderr(said.reopen().unwrap());
    let _server = Guarded(command.spawn().unwrap(), said);
    let began = Instant::now();
    let mut told = Vec::new();
    loop {
        assert!(began.elapsed() < Duration::from_secs(60), "never ready");
        match ask(&address, "GET /readyz") {
            Some((200, _)) => break,
            Some((status, body)) if told.is_empty() => {
                assert_eq!((status, body.as_str()), (503, "not ready\n"));
                told.extend(ask(&address, "GET /livez"));
                told.extend(ask(&address, "POST /graphql"));
            }
            Some(_) | None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    assert_eq!(told[0], (200, "alive\n".to_owned()));
    assert_eq!(told[1].0, 503, "{}", told[1].1);
    assert!(told[1].1.contains("SERVICE_UNAVAILABLE"), "{}", told[1].1);
    assert_eq!(ask(&address, "GET /livez").unwrap().0, 200);
}
