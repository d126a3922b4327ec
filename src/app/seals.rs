//! The seals of an organisation: personal text is sealed before it reaches the log, and opened
//! wherever the log is read.
//!
//! Nothing else of the program meets a sealed text: who decides, folds or answers sees what was
//! said, or `erased`. What cannot be opened although nobody was erased stays sealed, does not fit
//! the type of its field, and parks its object; the log says which key is lost.

use std::{
    borrow::Cow,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use daybook_eventlog::EventRef;
use daybook_keyring::{KeyError, KeyRing, MARK, MasterKey, Opened, Status, Token};
use daybook_schema::{
    commit::CommitMeta,
    kernel::Note,
    personal::{self, ERASED, WITHHELD},
};
use serde_json::Value;
use uuid::Uuid;

/// The folder of the keys, in that of the organisation.
pub(crate) const FOLDER: &str = "keys";
/// The master key, where nobody named another place.
pub(crate) const MASTER_KEY_FILE: &str = "master.key";
/// What a reason is bound to.
const REASON: &str = "reason";
/// What shows in the place of sealed text where no key is at hand.
const SEALED: &str = "sealed";

/// Where the master key is.
#[derive(Clone, Default)]
pub enum MasterKeySource {
    /// In the organisation's folder, where one is made with the first keys.
    #[default]
    DataFolder,
    /// In a file.
    File(PathBuf),
    /// Here, in base64 or hexadecimal.
    Text(String),
}

impl fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataFolder => f.write_str("DataFolder"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
        }
    }
}

impl MasterKeySource {
    /// The master key for the organisation in a folder.
    pub(crate) fn master_key(&self, folder: &Path) -> Result<MasterKey, KeyError> {
        match self {
            Self::File(path) => MasterKey::read(path),
            Self::Text(text) => MasterKey::parse(text, "what was given"),
            Self::DataFolder => in_data_folder(folder),
        }
    }
}

fn in_data_folder(folder: &Path) -> Result<MasterKey, KeyError> {
    let path = folder.join(MASTER_KEY_FILE);
    if path.exists() {
        return MasterKey::read(&path);
    }
    let keys = folder.join(FOLDER);
    if KeyRing::exists(&keys) {
        let path = keys.display().to_string();
        return Err(KeyError::MasterKeyMissing { path });
    }
    make(&path)
}

/// Makes sure that the folder of a house has a master key, where none is kept elsewhere; one is
/// made only while nothing can have been sealed under another.
pub(crate) fn keep_for_house(
    folder: &Path,
    source: MasterKeySource,
    is_empty: bool,
) -> Result<MasterKeySource, KeyError> {
    let MasterKeySource::DataFolder = source else {
        return Ok(source);
    };
    let path = folder.join(MASTER_KEY_FILE);
    if !path.exists() {
        if !is_empty {
            let path = folder.display().to_string();
            return Err(KeyError::MasterKeyMissing { path });
        }
        make(&path)?;
    }
    Ok(MasterKeySource::File(path))
}

fn make(path: &Path) -> Result<MasterKey, KeyError> {
    let master = MasterKey::generate()?;
    master.write_new(path)?;
    tracing::warn!(
        path = %path.display(),
        "a master key was made; keep a copy elsewhere: without it no personal data can be read, \
         and beside the data it protects nothing"
    );
    Ok(master)
}

/// Seals and opens personal text; cheap to clone.
#[derive(Clone)]
pub struct Seals(Option<Arc<KeyRing>>);

impl Seals {
    /// Opens the key ring of an organisation.
    ///
    /// # Errors
    /// As [`KeyRing::open`], and where there is no master key.
    pub fn open(
        folder: &Path,
        organisation: Uuid,
        source: &MasterKeySource,
    ) -> Result<Self, KeyError> {
        let master = source.master_key(folder)?;
        let ring = KeyRing::open(&folder.join(FOLDER), organisation, &master)?;
        Ok(Self(Some(Arc::new(ring))))
    }

    /// Opens the key ring of an organisation for reading; where there is none, nothing is made.
    ///
    /// # Errors
    /// As [`Seals::open`].
    pub fn existing(
        folder: &Path,
        organisation: Uuid,
        source: &MasterKeySource,
    ) -> Result<Self, KeyError> {
        if KeyRing::exists(&folder.join(FOLDER)) {
            Self::open(folder, organisation, source)
        } else {
            Ok(Self::closed())
        }
    }

    /// Without keys: everything sealed reads `sealed`, and nothing can be sealed.
    #[must_use]
    pub fn closed() -> Self {
        Self(None)
    }

    /// Figures of the key ring.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub fn status(&self) -> Result<Status, KeyError> {
        self.ring()?.status()
    }

    fn ring(&self) -> Result<&KeyRing, KeyError> {
        self.0.as_deref().ok_or(KeyError::Unsealable)
    }

    /// Makes new keys durable; comes before the append of what they sealed.
    pub(crate) fn flush(&self, carried_out: u64) -> Result<(), KeyError> {
        self.ring()?.flush(carried_out)
    }

    pub(crate) fn destroy(&self, subjects: &[String]) -> Result<(), KeyError> {
        self.ring()?.destroy(subjects)
    }

    /// Those of some persons who have no key and were not erased.
    pub(crate) fn without_key(
        &self,
        subjects: impl IntoIterator<Item = String>,
    ) -> Result<Vec<String>, KeyError> {
        let ring = self.ring()?;
        let lost = subjects
            .into_iter()
            .filter_map(|subject| match ring.is_known(&subject) {
                Ok(true) => None,
                Ok(false) => Some(Ok(subject)),
                Err(error) => Some(Err(error)),
            });
        lost.collect()
    }

    pub(crate) fn carried_out(&self) -> Result<u64, KeyError> {
        self.ring()?.carried_out()
    }

    pub(crate) fn carry_out(&self, through: u64) -> Result<(), KeyError> {
        self.ring()?.carry_out(through)
    }

    /// The data of an event as it goes into the log.
    pub(crate) fn seal_event(
        &self,
        subject: &str,
        type_name: &str,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, KeyError> {
        let Some(personal) = personal::of_event(type_name) else {
            return Ok(data);
        };
        let mut json: Value = serde_json::from_slice(&data).map_err(|_| KeyError::Unsealable)?;
        personal.visit(&mut json, &mut |text| {
            *text = self.seal(subject, type_name, text)?;
            Ok::<(), KeyError>(())
        })?;
        serde_json::to_vec(&json).map_err(|_| KeyError::Unsealable)
    }

    /// The envelope of a commit as it goes into the log; its reason is sealed where it belongs to
    /// somebody.
    pub(crate) fn seal_meta(
        &self,
        subject: Option<&str>,
        meta: &CommitMeta,
    ) -> Result<Vec<u8>, KeyError> {
        let (Some(subject), Some(reason)) = (subject, &meta.reason) else {
            return serde_json::to_vec(meta).map_err(|_| KeyError::Unsealable);
        };
        let sealed = self.seal(subject, REASON, reason.as_str())?;
        let rest = CommitMeta {
            reason: None,
            ..meta.clone()
        };
        // A sealed text is longer than a reason may be, so it is put in as text.
        let mut json = serde_json::to_value(&rest).map_err(|_| KeyError::Unsealable)?;
        json[REASON] = Value::String(sealed);
        serde_json::to_vec(&json).map_err(|_| KeyError::Unsealable)
    }

    fn seal(&self, subject: &str, context: &str, text: &str) -> Result<String, KeyError> {
        let sealed = self.ring()?.seal(subject, context, text)?;
        Ok(sealed.unwrap_or_else(|| ERASED.to_owned()))
    }

    /// The data of an event as it was said.
    #[must_use]
    pub fn event<'a>(&self, event: &EventRef<'a>) -> Cow<'a, [u8]> {
        self.open_or_leave(event.type_name, event.data)
    }

    /// The envelope of a commit as it was said.
    ///
    /// # Errors
    /// Where the JSON is not that of an envelope.
    pub fn meta(&self, meta: &[u8]) -> Result<CommitMeta, serde_json::Error> {
        serde_json::from_slice(&self.meta_json(meta))
    }

    pub(crate) fn meta_json<'a>(&self, meta: &'a [u8]) -> Cow<'a, [u8]> {
        self.open_or_leave(REASON, meta)
    }

    fn open_or_leave<'a>(&self, context: &str, json: &'a [u8]) -> Cow<'a, [u8]> {
        let opened = replace_tokens(json, &mut |token| self.opened(token, context));
        opened.unwrap_or_else(|error| {
            tracing::error!(code = error.code(), %error, "sealed text stays sealed");
            Cow::Borrowed(json)
        })
    }

    fn opened(&self, token: Token<'_>, context: &str) -> Result<Cow<'static, str>, KeyError> {
        let Some(ring) = &self.0 else {
            return Ok(Cow::Borrowed(SEALED));
        };
        Ok(match ring.unseal(token, context)? {
            Opened::Text(text) => Cow::Owned(text),
            Opened::Erased => Cow::Borrowed(ERASED),
        })
    }
}

/// A refused command without what is personal in it: it belongs to nobody yet.
pub(crate) fn withhold(command: &str, mut content: Value) -> Value {
    if let Some(personal) = personal::of_command(command) {
        let done: Result<(), std::convert::Infallible> =
            personal.visit(&mut content, &mut |text| {
                WITHHELD.clone_into(text);
                Ok(())
            });
        match done {
            Ok(()) => {}
        }
    }
    content
}

/// The reason of a refused command that is about nobody who has a key.
pub(crate) fn withheld_reason(command: &str, reason: Option<Note>) -> Option<Note> {
    match personal::of_command(command) {
        Some(_) => reason.and(WITHHELD.parse().ok()),
        None => reason,
    }
}

/// JSON with every sealed text replaced. A sealed text holds nothing that JSON escapes, and a
/// quote inside another text is escaped, so the mark behind a quote is the beginning of a text.
fn replace_tokens<'a>(
    json: &'a [u8],
    open: &mut impl FnMut(Token<'_>) -> Result<Cow<'static, str>, KeyError>,
) -> Result<Cow<'a, [u8]>, KeyError> {
    let mut out = Vec::new();
    let mut rest = json;
    while let Some((before, token, after)) = next_token(rest) {
        out.extend_from_slice(before);
        let text = open(token)?;
        serde_json::to_writer(&mut out, &*text).map_err(|_| KeyError::Unsealable)?;
        rest = after;
    }
    if out.is_empty() {
        return Ok(Cow::Borrowed(json));
    }
    out.extend_from_slice(rest);
    Ok(Cow::Owned(out))
}

/// Everybody for whom something is sealed in some JSON.
pub(crate) fn subjects(mut json: &[u8]) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some((_, token, after)) = next_token(json) {
        found.push(token.subject);
        json = after;
    }
    found
}

/// The bytes before the quote, the sealed text, and the bytes behind the other quote.
fn next_token(json: &[u8]) -> Option<(&[u8], Token<'_>, &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(json.get(from..)?, MARK.as_bytes())?;
        from = at + MARK.len();
        let (before, text) = (json.get(..at)?, json.get(at..)?);
        let before = match before {
            [.., b'\\', b'"'] => continue,
            [before @ .., b'"'] => before,
            _ => continue,
        };
        let end = memchr::memchr(b'"', text)?;
        let (text, after) = (text.get(..end)?, text.get(end + 1..)?);
        let token = std::str::from_utf8(text).ok().and_then(Token::parse);
        if let Some(token) = token {
            return Some((before, token, after));
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use super::{Cow, replace_tokens};

    fn replaced(json: &str) -> String {
        let mut open = |token: super::Token<'_>| Ok(Cow::Owned(format!("\"{}\n", token.subject)));
        let replaced = replace_tokens(json.as_bytes(), &mut open).unwrap();
        String::from_utf8(replaced.into_owned()).unwrap()
    }

    #[test]
    fn sealed_text_is_replaced_by_escaped_text_wherever_it_stands() {
        assert_eq!(
            replaced(r#"{"a":"sealed:1:lead-1:AA","b":["sealed:1:lead-2:BB","c"]}"#),
            r#"{"a":"\"lead-1\n","b":["\"lead-2\n","c"]}"#
        );
        assert_eq!(replaced(r#""sealed:1:x:AA""#), r#""\"x\n""#);
    }

    #[test]
    fn text_that_only_holds_the_mark_is_left_alone() {
        for json in [
            r#"{"a":"says \"sealed:1:lead-1:AA\""}"#,
            r#"{"a":"it is sealed:1:lead-1:AA"}"#,
            r#"{"a":"sealed:1:"}"#,
            r#"{"a":"sealed:1:nothing"}"#,
            r#"{"a":"\\"}"#,
            "",
        ] {
            assert_eq!(replaced(json), json);
        }
    }
}
