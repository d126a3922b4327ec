//! The certificate with which connections are encrypted. It can be replaced while the server
//! runs: certificates are short-lived, and somebody else renews them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, fs, io};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::lifecycle::Lifecycle;

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{}` holds no usable {what} in PEM: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The certificate and the key cannot be used together.
    #[error("the certificate `{}` cannot be used with its key: {problem}", .path.display())]
    Refused {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong with them.
        problem: rustls::Error,
    },
}

/// A certificate chain and its key, from two files in PEM. Clones share what is loaded.
#[derive(Clone)]
pub struct Tls(Arc<Held>);

struct Held {
    certificate: PathBuf,
    key: PathBuf,
    now: Mutex<Now>,
}

struct Now {
    config: Arc<ServerConfig>,
    /// What the files held when they were looked at last, whether it could be used or not.
    seen: u64,
}

impl Tls {
    /// Reads a certificate chain, the server's own first, and its private key.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files::read(certificate, key)?;
        let now = Now {
            config: files.config(certificate, key)?,
            seen: files.hash(),
        };
        Ok(Self(Arc::new(Held {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            now: Mutex::new(now),
        })))
    }

    /// Reads the files again and uses what they hold for connections from now on, where that has
    /// changed. The content is compared, since files are often replaced within the resolution of
    /// their times. Returns whether something was replaced.
    ///
    /// # Errors
    /// A file cannot be read or used; what was loaded before stays in use. What could not be used
    /// is told once, not at every look.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Held {
            certificate,
            key,
            now,
        } = &*self.0;
        let files = Files::read(certificate, key)?;
        let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = files.hash();
        if std::mem::replace(&mut now.seen, seen) == seen {
            return Ok(false);
        }
        now.config = files.config(certificate, key)?;
        Ok(true)
    }

    /// Looks at the files until the server ends, and tells the log what was found.
    pub async fn keep(self, lifecycle: Lifecycle) {
        let mut unreadable = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = lifecycle.closing() => return,
            }
            let looked = self.look().await;
            let failed = matches!(looked, Err(TlsError::Unreadable { .. }));
            if !(failed && unreadable) {
                tell(&looked);
            }
            unreadable = failed;
        }
    }

    /// Looks at the files now, as [`keep`](Self::keep) does.
    pub async fn look_now(&self) {
        tell(&self.look().await);
    }

    async fn look(&self) -> Result<bool, TlsError> {
        let tls = self.clone();
        let looked = tokio::task::spawn_blocking(move || tls.reload()).await;
        // A look that was cut off at the end of the runtime has found nothing.
        looked.unwrap_or(Ok(false))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&now.config))
    }
}

/// Keys are not shown.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.certificate).finish()
    }
}

fn tell(looked: &Result<bool, TlsError>) {
    match looked {
        Ok(true) => tracing::info!("certificate replaced"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "certificate not replaced; the old one stays in use"),
    }
}

struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let read = |path: &Path| {
            let path = path.to_owned();
            fs::read(&path).map_err(|source| TlsError::Unreadable { path, source })
        };
        Ok(Self {
            certificate: read(certificate)?,
            key: read(key)?,
        })
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.certificate.hash(&mut hasher);
        self.key.hash(&mut hasher);
        hasher.finish()
    }

    fn config(&self, certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
        let malformed = |path: &Path, what, problem: String| TlsError::Malformed {
            path: path.to_owned(),
            what,
            problem,
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| malformed(certificate, "certificate", error.to_string()))?;
        if chain.is_empty() {
            let problem = "there is none".to_owned();
            return Err(malformed(certificate, "certificate", problem));
        }
        let private = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|error| malformed(key, "private key", error.to_string()))?;
        let refused = |problem| TlsError::Refused {
            path: certificate.to_owned(),
            problem,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(refused)?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .map_err(refused)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
