//! A look at a document's tokens before the parser sees it.
//!
//! The parser descends by recursion, so a document that nests deeply enough would end the
//! process by exhausting the stack. This pass uses none: it counts tokens and open brackets in
//! one walk over the bytes and accepts everything else, right or wrong, for the parser to judge.

use super::errors::Fault;
use super::limits::Limits;

/// Refuses a document with too many tokens or too deep brackets.
///
/// # Errors
/// [`Fault`] with the limit that is exceeded.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), Fault> {
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0_u32, 0_u32);
    while let Some(&byte) = bytes.get(at) {
        let next = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at = end_of_comment(bytes, at);
                continue;
            }
            b'"' => end_of_string(bytes, at),
            byte if is_word(byte) => end_of_word(bytes, at),
            b'{' | b'(' | b'[' => {
                nesting += 1;
                at + 1
            }
            b'}' | b')' | b']' => {
                nesting = nesting.saturating_sub(1);
                at + 1
            }
            _ => at + 1,
        };
        tokens += 1;
        if tokens > limits.tokens_max {
            return Err(Fault::exceeds(
                "tokens",
                limits.tokens_max.into(),
                tokens.into(),
            ));
        }
        if nesting > limits.nesting_max {
            return Err(Fault::exceeds(
                "nesting",
                limits.nesting_max.into(),
                nesting.into(),
            ));
        }
        at = next;
    }
    Ok(())
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.')
}

fn end_of_word(bytes: &[u8], start: usize) -> usize {
    find(bytes, start, |byte| !is_word(byte))
}

fn end_of_comment(bytes: &[u8], start: usize) -> usize {
    find(bytes, start, |byte| byte == b'\n' || byte == b'\r')
}

fn find(bytes: &[u8], start: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start
        + rest
            .iter()
            .position(|byte| wanted(*byte))
            .unwrap_or(rest.len())
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    if bytes
        .get(start..)
        .is_some_and(|rest| rest.starts_with(b"\"\"\""))
    {
        return end_of_block(bytes, start + 3);
    }
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            // A plain string ends with its line at the latest; what follows is no string.
            b'"' | b'\n' | b'\r' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn end_of_block(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest.starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    at
}
