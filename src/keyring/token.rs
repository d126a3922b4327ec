//! How sealed text is written: `sealed:1:<subject>:<base64>`, which needs no escaping in JSON.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every sealed text begins with, in the only form there is.
pub const MARK: &str = "sealed:1:";

/// A sealed text, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Whose text.
    pub subject: &'a str,
    pub(crate) sealed: &'a str,
}

impl<'a> Token<'a> {
    /// Takes a text apart; none where it is not sealed.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (subject, sealed) = text.strip_prefix(MARK)?.rsplit_once(':')?;
        let whole = !subject.is_empty() && !sealed.is_empty();
        whole.then_some(Self { subject, sealed })
    }

    pub(crate) fn write(subject: &str, sealed: &[u8]) -> String {
        let mut text = String::with_capacity(MARK.len() + subject.len() + 1 + sealed.len() * 4 / 3);
        text.push_str(MARK);
        text.push_str(subject);
        text.push(':');
        URL_SAFE_NO_PAD.encode_string(sealed, &mut text);
        text
    }

    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.sealed).ok()
    }
}
