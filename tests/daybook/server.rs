//! A server of its own for a test: the real program on a free port.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::secrets;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_daybook");
const PATIENCE: Duration = Duration::from_secs(30);

/// A server of its own on a free port; ended with the test, whatever becomes of it.
pub(crate) struct Server {
    process: Child,
    address: String,
    /// What opens it, in the name of `li.wei`; a demonstration needs nothing.
    token: Option<String>,
    /// The position of the last answer; what is asked next must be as recent.
    seen: AtomicU64,
    /// What it said on stdout until it was ready.
    heard: String,
    /// What it says on stderr.
    said: File,
    /// The folder of its organisation; none where it has many.
    folder: Option<PathBuf>,
}

/// How a server ended that was not ready first.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

/// `daybook serve` for a folder on any free port, not started yet.
pub(crate) fn serving(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--administrator",
        "li.wei",
    ]);
    command.arg("--data").arg(folder).args(arguments);
    command
}

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        Self::run(serving(folder, arguments)).unwrap_or_else(|ended| panic!("not ready: {ended:?}"))
    }

    /// Waits until the server is ready, or has ended.
    pub(crate) fn run(mut command: Command) -> Result<Self, Ended> {
        secrets::started(&command);
        // Where a test does not say otherwise, as much is logged as there is to be overheard.
        if command.get_envs().all(|(name, _)| name != "DAYBOOK_LOG") {
            command.env("DAYBOOK_LOG", "debug");
        }
        let said = tempfile::tempfile().unwrap();
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(said.try_clone().unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let mut shown = None;
        let mut address = None;
        let mut heard = String::new();
        for line in stdout.lines().map_while(Result::ok) {
            secrets::handled(&line);
            heard = heard + &line + "\n";
            let line = line.trim();
            shown = shown.or_else(|| line.starts_with("dbk_").then(|| line.to_owned()));
            let ready = line.strip_prefix("Daybook is ready: query page http://");
            address = ready.and_then(|rest| Some(rest.strip_suffix("/graphql")?.to_owned()));
            if address.is_some() {
                break;
            }
        }
        secrets::started(&command);
        let Some(address) = address else {
            let code = process.wait().unwrap().code();
            let said = all_of(&said);
            secrets::overheard("a server that did not start", &said);
            return Err(Ended { code, said });
        };
        Ok(Self {
            token: known(&command, shown),
            process,
            address,
            seen: AtomicU64::new(0),
            heard,
            said,
            folder: folder_of(&command).map(Path::to_owned),
        })
    }

    /// What the server said on stdout until it was ready.
    pub(crate) fn heard(&self) -> &str {
        &self.heard
    }

    /// What the server has said on stderr until now.
    pub(crate) fn said(&self) -> String {
        all_of(&self.said)
    }

    /// The status and the body of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.try_ask(method, path, body).unwrap()
    }

    /// The answer to a request of the first account that is told down to its bytes: the first line
    /// without the protocol, further headers each with its line end, and the body.
    pub(crate) fn exchange(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let (head, body) = self.told(line, &(self.authorization() + headers), body);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body)
    }

    /// The head and the body of the answer to a request in which nothing says who asks, unless
    /// the headers do.
    pub(crate) fn told(&self, line: &str, headers: &str, body: &[u8]) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        secrets::handled(&head);
        secrets::handled(&String::from_utf8_lossy(body));
        stream.write_all(head.as_bytes()).unwrap();
        // A server that has read enough answers and hangs up while the rest is still on its way.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        secrets::handled(body);
        (head.to_owned(), body.to_owned())
    }

    fn try_ask(&self, method: &str, path: &str, body: &str) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        secrets::handled(body);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nAccept: application/json\r\n\
             {}Daybook-At-Least: {}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            self.authorization(),
            self.seen.load(Ordering::Relaxed),
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
        secrets::handled(body);
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

    /// The key of the first account; a demonstration needs none.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The header line that names who asks.
    pub(crate) fn authorization(&self) -> String {
        self.token().map(bearer).unwrap_or_default()
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
        // One that was killed or is full has no figures to show.
        if let Ok((200, figures)) = self.try_ask("GET", "/metrics", "") {
            secrets::overheard("the metrics", &figures);
        }
        let id = self.process.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status();
        assert!(sent.unwrap().success());
        self.process.wait().unwrap().code()
    }
}

/// The keys of first accounts by organisation: each is shown once, when there is none yet, and
/// whoever opens the same organisation again, in whichever folder, needs the same.
static KEYS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// The folder of a command.
fn folder_of(command: &Command) -> Option<&Path> {
    let mut arguments = command.get_args();
    arguments.find(|argument| *argument == "--data");
    arguments.next().map(Path::new)
}

/// The key of the organisation in the folder of a command, which may have been shown just now.
fn known(command: &Command, shown: Option<String>) -> Option<String> {
    let folder = folder_of(command)?;
    if let Some(shown) = shown {
        remember(folder, shown);
    }
    let organisation = organisation(folder)?;
    KEYS.lock().unwrap().get(&organisation).cloned()
}

/// Remembers the key of the first account of the organisation in a folder.
pub(crate) fn remember(folder: &Path, key: String) {
    if let Some(organisation) = organisation(folder) {
        KEYS.lock().unwrap().insert(organisation, key);
    }
}

/// The organisation whose folder it is; none where that cannot be read.
fn organisation(folder: &Path) -> Option<String> {
    let identity = fs::read(folder.join("daybook.json")).ok()?;
    let identity: Value = serde_json::from_slice(&identity).ok()?;
    Some(identity["organisation"].as_str()?.to_owned())
}

/// The header line that brings a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

/// Everything in a file, wherever its writer stands.
fn all_of(file: &File) -> String {
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0).unwrap();
    String::from_utf8(bytes).unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        // A test that failed has said so; a second word would end all others with it.
        if !std::thread::panicking() {
            secrets::overheard("the log of a server", &all_of(&self.said));
            if let Some(folder) = &self.folder {
                secrets::attempts_overheard(folder);
            }
        }
    }
}
