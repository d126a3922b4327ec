//! Connections: encrypted, counted by address, and cut where their client does not read.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Lifecycle, Server};
use crate::metrics::Metrics;
use crate::transport::{ServeConfig, Tls, TlsError, serve};

const LIVEZ: &[u8] = b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    lifecycle: Lifecycle,
}

impl Running {
    async fn start(config: ServeConfig) -> Self {
        let server = Server::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = Self {
            address: listener.local_addr().unwrap(),
            metrics: server.metrics.clone(),
            lifecycle: server.lifecycle.clone(),
        };
        tokio::spawn(async move {
            serve(
                listener,
                server.routes,
                &server.lifecycle,
                config,
                &server.metrics,
            )
            .await
        });
        running
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The handshake with whoever shows this certificate.
    async fn trusting(&self, certificate: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        let parsed = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        roots.add(parsed).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.connect().await;
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    async fn cut(&self, reason: &str) -> bool {
        let line = format!("daybook_cut_connections_total{{reason=\"{reason}\"}} 1");
        let since = Instant::now();
        while since.elapsed() < Duration::from_secs(5) {
            if self.metrics.to_text().contains(&line) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes while bytes are unread resets the connection after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Writes a new certificate and its key; the certificate is returned.
fn issue(folder: &Path) -> String {
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = issued.cert.pem();
    std::fs::write(folder.join("certificate.pem"), &certificate).unwrap();
    std::fs::write(folder.join("key.pem"), issued.signing_key.serialize_pem()).unwrap();
    certificate
}

fn load(folder: &Path) -> Result<Tls, TlsError> {
    Tls::load(&folder.join("certificate.pem"), &folder.join("key.pem"))
}

async fn encrypted(folder: &Path) -> (Running, Tls, String) {
    let certificate = issue(folder);
    let tls = load(folder).unwrap();
    let running = Running::start(ServeConfig {
        tls: Some(tls.clone()),
        handshake_time_max: Duration::from_millis(200),
        grace: Duration::ZERO,
        ..Default::default()
    })
    .await;
    (running, tls, certificate)
}

#[tokio::test]
async fn an_encrypted_connection_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _, certificate) = encrypted(folder.path()).await;
    let stream = running.trusting(&certificate).await.unwrap();
    let answer = exchange(stream, LIVEZ).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age="),
        "{answer}"
    );
    assert!(answer.ends_with("alive\n"), "{answer}");
}

#[tokio::test]
async fn plain_http_is_told_to_encrypt() {
    let folder = tempfile::tempdir().unwrap();
    let (running, ..) = encrypted(folder.path()).await;
    let answer = exchange(running.connect().await, LIVEZ).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer:?}");
    assert!(
        answer.ends_with("this port speaks https, not http"),
        "{answer}"
    );
    assert!(!answer.contains("alive"), "{answer}");
    assert!(running.cut("plain").await);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (running, ..) = encrypted(folder.path()).await;
    let started = Instant::now();
    let silent = exchange(running.connect().await, b"").await;
    assert_eq!(silent, "");
    assert!(running.cut("handshake").await);
    // The head of a handshake of 512 bytes, which then stops.
    exchange(running.connect().await, b"\x16\x03\x01\x02\x00").await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    exchange(running.connect().await, &[0x80; 600]).await;
}

#[tokio::test]
async fn a_certificate_is_replaced_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (running, tls, first) = encrypted(folder.path()).await;
    let kept = running.trusting(&first).await.unwrap();
    assert!(!tls.reload().unwrap(), "nothing has changed");
    let second = issue(folder.path());
    assert!(tls.reload().unwrap());
    assert!(
        running.trusting(&first).await.is_err(),
        "the old one is still shown"
    );
    running.trusting(&second).await.unwrap();
    let answer = exchange(kept, LIVEZ).await;
    assert!(
        answer.ends_with("alive\n"),
        "an open connection goes on: {answer}"
    );
    for broken in ["", "no certificate", &first] {
        std::fs::write(folder.path().join("certificate.pem"), broken).unwrap();
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains("certificate.pem"), "{error}");
        assert!(!tls.reload().unwrap(), "told twice: {error}");
        running.trusting(&second).await.unwrap();
    }
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
    running.trusting(&second).await.unwrap();
}

#[tokio::test]
async fn a_replaced_certificate_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (running, tls, _) = encrypted(folder.path()).await;
    let keeping = tokio::spawn(tls.keep(running.lifecycle.clone()));
    let second = issue(folder.path());
    let since = Instant::now();
    while running.trusting(&second).await.is_err() {
        assert!(since.elapsed() < Duration::from_secs(8), "never noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.lifecycle.shut_down();
    keeping.await.unwrap();
}

#[test]
fn what_is_no_certificate_is_refused_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let told = |folder: &Path| load(folder).unwrap_err().to_string();
    assert!(told(folder.path()).contains("cannot read"));
    let other = issue(folder.path());
    issue(folder.path());
    std::fs::write(folder.path().join("certificate.pem"), other).unwrap();
    assert!(told(folder.path()).contains("cannot be used with its key"));
    issue(folder.path());
    std::fs::write(folder.path().join("key.pem"), "x").unwrap();
    let message = told(folder.path());
    assert!(
        message.contains("key.pem") && message.contains("private key"),
        "{message}"
    );
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let running = Running::start(ServeConfig {
        connections_per_address_max: 2,
        limit_local: true,
        ..Default::default()
    })
    .await;
    let first = running.connect().await;
    let second = running.connect().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut third = running.connect().await;
    let mut bytes = Vec::new();
    // Closed, or reset: both are an end.
    let _ = third.read_to_end(&mut bytes).await;
    assert_eq!(bytes, b"");
    assert!(running.cut("address").await);
    drop(first);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = exchange(running.connect().await, LIVEZ).await;
    assert!(answer.ends_with("alive\n"), "{answer}");
    drop(second);
}

#[tokio::test]
async fn a_socket_counts_as_a_connection() {
    let running = Running::start(ServeConfig {
        connections_per_address_max: 1,
        limit_local: true,
        ..Default::default()
    })
    .await;
    let mut socket = running.connect().await;
    let head = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = exchange(running.connect().await, b"").await;
    assert_eq!(refused, "");
    assert!(running.cut("address").await);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let running = Running::start(ServeConfig {
        write_time_max: Duration::from_millis(150),
        ..Default::default()
    })
    .await;
    let mut stream = running.connect().await;
    // More than the buffers of both ends hold.
    let page = r#"{"query":"{ items(first: 16000) { id name price } }"}"#;
    let length = page.len();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{page}"
    );
    for _ in 0..40 {
        if stream.write_all(request.as_bytes()).await.is_err() {
            break;
        }
    }
    assert!(running.cut("stuck").await, "{}", running.metrics.to_text());
}
