//! What a hostile network does to the program, and what the program does about it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::tempdir;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::{
    secrets,
    server::{Server, bearer, serving},
};

const PATIENCE: Duration = Duration::from_secs(8);
const GRAPHQL: &str =
    "Content-Type: application/json\r\nAccept: application/graphql-response+json\r\n";

/// A server with flags, which must still be ready at the end.
fn with_server(flags: &[&str], test: impl FnOnce(&Server)) {
    let folder = tempdir().unwrap();
    let server = Server::start_with(&folder.path().join("data"), flags);
    test(&server);
    assert_eq!(server.ask("GET", "/readyz", "").0, 200);
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert_eq!(server.end(), Some(0));
}

/// Everything that comes back for some bytes, until the server closes.
fn raw(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server that has read enough hangs up while the rest is still on its way.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn query(server: &Server, text: &str) -> (u16, String) {
    let body = json!({ "query": text }).to_string();
    server.exchange("POST /graphql", GRAPHQL, body.as_bytes())
}

#[track_caller]
fn refused((found, answer): (u16, String), status: u16, code: &str) -> Value {
    assert_eq!(found, status, "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{answer}");
    answer
}

fn until_cut(server: &Server, reason: &str) {
    let line = format!("daybook_cut_connections_total{{reason=\"{reason}\"}}");
    let since = Instant::now();
    while !server.ask("GET", "/metrics", "").1.contains(&line) {
        assert!(
            since.elapsed() < PATIENCE,
            "no connection was cut: {reason}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_arrives_slowly_or_never_is_given_up() {
    let flags = ["--head-time-max", "200ms", "--body-time-max", "200ms"];
    with_server(&flags, |server| {
        let since = Instant::now();
        assert_eq!(raw(server.address(), b"GET /livez HT"), "");
        let body = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\n{}content-type: application/json\r\n\
             content-length: 99\r\n\r\n{{\"query\":",
            server.authorization()
        );
        let answer = raw(server.address(), body.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("REQUEST_TIMEOUT"), "{answer}");
        assert!(since.elapsed() < PATIENCE);
    });
}

#[test]
fn what_is_too_large_is_refused() {
    let flags = ["--head-bytes-max", "8KiB", "--body-bytes-max", "2KiB"];
    with_server(&flags, |server| {
        let head = format!(
            "GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
            "y".repeat(9_000)
        );
        let answer = raw(server.address(), head.as_bytes());
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
        let large = format!("{{ status {{ head }} }} # {}", "y".repeat(2_048));
        refused(query(server, &large), 413, "PAYLOAD_TOO_LARGE");
        assert_eq!(query(server, "{ status { head } }").0, 200);
    });
}

#[test]
fn an_address_has_its_share_of_connections_and_requests() {
    let flags = [
        "--limit-local=true",
        "--connections-per-address-max=3",
        "--rates-address-per-second=1",
        "--rates-address-burst=4",
    ];
    let folder = tempdir().unwrap();
    let server = Server::start_with(&folder.path().join("data"), &flags);
    let held: Vec<_> = (0..3)
        .map(|_| TcpStream::connect(server.address()).unwrap())
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(raw(server.address(), b""), "", "one more is closed");
    drop(held);
    std::thread::sleep(Duration::from_millis(200));
    let answers: Vec<_> = (0..6)
        .map(|_| query(&server, "{ status { head } }"))
        .collect();
    assert_eq!(answers[0].0, 200, "{answers:?}");
    let answer = refused(answers[5].clone(), 429, "RATE_LIMITED");
    let wait = answer["errors"][0]["extensions"]["retryAfterMs"]
        .as_u64()
        .unwrap();
    assert!((1..=1000).contains(&wait), "{answer}");
    let whole = raw(
        server.address(),
        b"GET /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    assert!(whole.contains("\r\nretry-after: 1\r\n"), "{whole}");
    assert_eq!(
        server.ask("GET", "/livez", "").0,
        200,
        "probes are not counted"
    );
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_budget_of_cost_is_kept() {
    let flags = [
        "--limit-local=true",
        "--limits-cost-max=100",
        "--rates-cost-per-second=1",
        "--rates-cost-burst=100",
    ];
    with_server(&flags, |server| {
        let text = "{ customers(first: 20) { nodes { id name } } }";
        let answer: Value = serde_json::from_str(&query(server, text).1).unwrap();
        let cost = &answer["extensions"]["cost"];
        let sum = cost["requested"].as_u64().unwrap() + cost["available"].as_u64().unwrap();
        assert_eq!(sum, 100, "{answer}");
        let answer = (0..9)
            .map(|_| query(server, text))
            .find(|(status, _)| *status == 429);
        refused(answer.unwrap(), 429, "RATE_LIMITED");
    });
}

#[test]
fn a_client_that_does_not_read_its_answers_is_cut() {
    with_server(&["--write-time-max", "200ms"], |server| {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let text = "{ __schema { types { name description fields { name description \
            args { name description type { name } } } } } }";
        let body = json!({ "query": text }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\n{}content-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            server.authorization(),
            body.len()
        );
        for _ in 0..100 {
            if stream.write_all(request.as_bytes()).is_err() {
                break;
            }
        }
        until_cut(server, "stuck");
    });
}

#[test]
fn floods_of_every_kind_are_refused_by_the_real_schema() {
    with_server(&[], |server| {
        let aliases: String = (0..101).map(|at| format!("a{at}: head ")).collect();
        let deep = format!(
            "{}{{ id }}{}",
            "{ customers { nodes ".repeat(9),
            "} }".repeat(9)
        );
        let floods = [
            format!("{{ status {{ {aliases} }} }}"),
            format!("{{ {} }}", "status { head } ".repeat(60)),
            deep,
            "{ customers(first: 100) { nodes { orders(first: 100) { nodes { \
                shipments(first: 100) { nodes { id } } } } } } }"
                .to_owned(),
        ];
        for text in floods {
            refused(query(server, &text), 400, "QUERY_TOO_COMPLEX");
        }
        let cycle =
            "{ status { ...A } } fragment A on Status { ...B } fragment B on Status { ...A }";
        refused(query(server, cycle), 400, "GRAPHQL_VALIDATION_FAILED");
        let batch = json!([{ "query": "{ status { head } }" }])
            .to_string()
            .repeat(50);
        let batch = server.exchange("POST /graphql", GRAPHQL, batch.as_bytes());
        refused(batch, 400, "BATCHING_UNSUPPORTED");
    });
}

#[test]
fn a_schema_that_is_not_shown_is_not_told_in_errors() {
    let flags = ["--graphql-introspection=false", "--graphql-query-page=true"];
    with_server(&flags, |server| {
        for text in [
            "{ __schema { queryType { name } } }",
            "{ x: __type(name: \"Query\") { name } }",
        ] {
            refused(query(server, text), 400, "GRAPHQL_VALIDATION_FAILED");
        }
        let texts = [
            "{ nothing }",
            "{ customers { nothing } }",
            "{ customers(where: { nothing: 1 }) { totalCount } }",
            "{ customers(orderBy: [{ field: NOTHING }]) { totalCount } }",
            "{ customers }",
            "{ node { id } }",
            "mutation { placeOrder(input: {}) { receipt { position } } }",
            "mutation { placeOrder { receipt { position } } }",
            "query($x: Nothing) { customers(first: $x) { totalCount } }",
        ];
        for text in texts {
            let answer = refused(query(server, text), 400, "GRAPHQL_VALIDATION_FAILED");
            for error in answer["errors"].as_array().unwrap() {
                let message = error["message"].as_str().unwrap();
                assert_eq!(message, "the document does not fit the schema", "{text}");
            }
        }
        assert_eq!(query(server, "{ status { head } }").0, 200);
    });
}

#[test]
fn metrics_are_for_who_brings_the_token() {
    let folder = tempdir().unwrap();
    let mut command = serving(&folder.path().join("data"), &[]);
    command.env("DAYBOOK_METRICS_TOKEN", "0123456789abcdef");
    let server = Server::run(command).unwrap();
    let (head, answer) = server.told("GET /metrics", "", b"");
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    assert!(answer.contains("UNAUTHENTICATED"), "{answer}");
    // The operator's token is another than any account's.
    let account = server.exchange("GET /metrics", "", b"");
    refused(account, 401, "UNAUTHENTICATED");
    let (head, text) = server.told("GET /metrics", &bearer("0123456789abcdef"), b"");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(text.contains("daybook_log_head_position"), "{text}");
    assert!(
        !server.said().contains("0123456789abcdef"),
        "{}",
        server.said()
    );
    assert_eq!(server.end(), Some(0));
}

#[test]
fn a_page_under_a_strange_name_is_turned_away() {
    with_server(&["--hosts", "books.example"], |server| {
        let ask = |host: &str| {
            let head = format!(
                "GET /graphql?query={{status{{head}}}} HTTP/1.1\r\nhost: {host}\r\n{}\
                 origin: http://{host}\r\nconnection: close\r\n\r\n",
                server.authorization()
            );
            raw(server.address(), head.as_bytes())
        };
        assert!(ask("books.example:80").starts_with("HTTP/1.1 200"));
        let answer = ask("evil.example");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains("FORBIDDEN"), "{answer}");
    });
}

/// A server that encrypts, ended with its test.
struct Encrypted {
    process: Child,
    address: String,
    /// Where the log is, and the key that does not stand in it.
    folder: PathBuf,
}

impl Encrypted {
    fn start(folder: &Path) -> Self {
        let files = [folder.join("certificate.pem"), folder.join("key.pem")];
        let mut command = serving(&folder.join("data"), &[]);
        command.arg("--tls-certificate").arg(&files[0]);
        command.arg("--tls-key").arg(&files[1]);
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let address = stdout.lines().map_while(Result::ok).find_map(|line| {
            let rest = line.strip_prefix("Daybook is ready: query page https://")?;
            Some(rest.strip_suffix("/graphql")?.to_owned())
        });
        let address = address.unwrap();
        let folder = folder.to_owned();
        Self {
            process,
            address,
            folder,
        }
    }

    /// What `/livez` answers whoever trusts this certificate alone.
    fn livez(&self, certificate: &str) -> std::io::Result<String> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(session, TcpStream::connect(&self.address)?);
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.process.id());
        assert!(
            Command::new("sh")
                .args(["-c", &line])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Encrypted {
    fn drop(&mut self) {
        // It has usually ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            let said = fs::read_to_string(self.folder.join("log")).unwrap();
            let key = fs::read_to_string(self.folder.join("key.pem")).unwrap();
            let mut lines = key.lines().filter(|line| !line.starts_with("---"));
            assert!(!lines.any(|line| said.contains(line)), "{said}");
            secrets::overheard("the log of a server", &said);
        }
    }
}

/// Writes a new certificate with its key, and returns the certificate.
fn issue(folder: &Path) -> String {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = issued.cert.pem();
    fs::write(folder.join("key.pem"), issued.signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("certificate.pem"), &certificate).unwrap();
    certificate
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn connections_are_encrypted_and_certificates_replaced() {
    let folder = tempdir().unwrap();
    let first = issue(folder.path());
    let mut server = Encrypted::start(folder.path());
    let answer = server.livez(&first).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("\r\nstrict-transport-security: "),
        "{answer}"
    );
    let plain = raw(
        &server.address,
        b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n",
    );
    assert!(
        plain.starts_with("HTTP/1.1 400") && plain.contains("https"),
        "{plain}"
    );
    let second = issue(folder.path());
    server.signal("HUP");
    until("replaced on a signal", || server.livez(&second).is_ok());
    assert!(server.livez(&first).is_err());
    fs::write(folder.path().join("certificate.pem"), "broken").unwrap();
    let log = || fs::read_to_string(folder.path().join("log")).unwrap();
    until("told", || log().contains("certificate not replaced"));
    assert!(server.livez(&second).is_ok(), "the old one stays");
    let third = issue(folder.path());
    until("replaced by itself", || server.livez(&third).is_ok());
    server.signal("TERM");
    assert_eq!(server.process.wait().unwrap().code(), Some(0), "{}", log());
}
