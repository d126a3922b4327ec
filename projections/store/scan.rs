//! Finding one's way over the text of a document without making anything of it.
//!
//! Documents are written by the store itself: well-formed JSON without white space, in whose keys
//! nothing is escaped that need not be. Whatever is met that is not so is an error, because whoever
//! hides members must not take a document for one without them.

/// A document is not as the store writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document is malformed at byte {0}")]
pub(super) struct Malformed(usize);

/// The byte at a place; nothing in JSON is zero, so that stands for the end.
pub(super) fn byte(json: &[u8], at: usize) -> u8 {
    json.get(at).copied().unwrap_or(0)
}

/// The place after a byte that must stand here.
pub(super) fn expect(json: &[u8], at: usize, wanted: u8) -> Result<usize, Malformed> {
    if byte(json, at) == wanted {
        Ok(at + 1)
    } else {
        Err(Malformed(at))
    }
}

/// Makes sure that a member ends here.
pub(super) fn expect_end_of_member(json: &[u8], at: usize) -> Result<(), Malformed> {
    match byte(json, at) {
        b',' | b'}' => Ok(()),
        _ => Err(Malformed(at)),
    }
}

/// The place after the value that begins here.
pub(super) fn skip_value(json: &[u8], at: usize) -> Result<usize, Malformed> {
    match byte(json, at) {
        b'"' => skip_text(json, at + 1),
        b'{' | b'[' => skip_nested(json, at + 1),
        _ => skip_plain(json, at),
    }
}

/// The place after a text whose first quotation mark is behind us.
pub(super) fn skip_text(json: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        at = mark_or_escape(json, at)?;
        if byte(json, at) == b'"' {
            return Ok(at + 1);
        }
        at += 2;
    }
}

/// The place of the next quotation mark or backslash, eight bytes at a time.
fn mark_or_escape(json: &[u8], mut at: usize) -> Result<usize, Malformed> {
    while let Some(eight) = json.get(at..).and_then(<[u8]>::first_chunk) {
        let eight = u64::from_le_bytes(*eight);
        let found = holds(eight, b'"') | holds(eight, b'\\');
        if found != 0 {
            let bytes = usize::try_from(found.trailing_zeros() / 8);
            return Ok(at + bytes.unwrap_or(0));
        }
        at += 8;
    }
    let rest = json.get(at..).ok_or(Malformed(at))?;
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    found.map(|found| at + found).ok_or(Malformed(at))
}

/// A bit in each byte of eight that equals one, exact up to the first of them.
fn holds(eight: u64, byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let zeroed = eight ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & HIGH
}

/// The place after an object or list whose first bracket is behind us.
fn skip_nested(json: &[u8], mut at: usize) -> Result<usize, Malformed> {
    let mut depth = 1_usize;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at = skip_text(json, at)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at);
                }
            }
            _ => {}
        }
    }
    Err(Malformed(at))
}

/// The place after a number, a truth value or null.
fn skip_plain(json: &[u8], at: usize) -> Result<usize, Malformed> {
    let rest = json.get(at..).unwrap_or_default();
    let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'-' | b'+' | b'.' | b'E');
    match rest.iter().take_while(|byte| plain(byte)).count() {
        0 => Err(Malformed(at)),
        length => Ok(at + length),
    }
}
