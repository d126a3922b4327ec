//! The master key: it wraps all others, and is kept where they are not.

use std::{
    fmt, fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use zeroize::Zeroizing;

use crate::{
    KeyError,
    cipher::{self, KEY_BYTES, Key},
};

/// Base64 of either alphabet, with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The key that wraps the keys of all subjects. It shows itself to nobody.
#[derive(Clone)]
pub struct MasterKey(pub(crate) Key);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

impl MasterKey {
    /// A new random one.
    ///
    /// # Errors
    /// [`KeyError::Unsealable`] where the system has no randomness to give.
    pub fn generate() -> Result<Self, KeyError> {
        cipher::new_key().map(Self).ok_or(KeyError::Unsealable)
    }

    /// Reads 32 bytes in base64 or hexadecimal; `origin` is named where the text is something
    /// else.
    ///
    /// # Errors
    /// [`KeyError::NotMasterKey`].
    pub fn parse(text: &str, origin: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = Zeroizing::new(
            hexadecimal(text)
                .or_else(|| base64(text))
                .unwrap_or_default(),
        );
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice());
        let key = key.map_err(|_| KeyError::NotMasterKey {
            origin: origin.to_owned(),
        })?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// [`KeyError::File`], [`KeyError::NotMasterKey`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = Zeroizing::new(fs::read_to_string(path).map_err(file_error(path))?);
        Self::parse(&text, &path.display().to_string())
    }

    /// Writes it to a file that only its owner may read and that must not exist; durable when
    /// this returns.
    ///
    /// # Errors
    /// [`KeyError::File`].
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let mut text = Zeroizing::new(STANDARD.encode(self.0.as_slice()));
        text.push('\n');
        let written = || {
            let mut options = fs::OpenOptions::new();
            let mut file = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        written().map_err(file_error(path))
    }
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::File {
        path: path.display().to_string(),
        source: Arc::new(source),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * KEY_BYTES || !text.is_ascii() {
        return None;
    }
    let digits = |at: usize| text.get(at..at + 2);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits(at)?, 16).ok())
        .collect()
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let alphabets = [base64::alphabet::STANDARD, base64::alphabet::URL_SAFE];
    alphabets
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok())
}
