//! The cipher, XChaCha20-Poly1305: a random nonce, the sealed bytes and their tag, one after the
//! other.
//!
//! The extended nonce goes the way of its draft standard (draft-irtf-cfrg-xchacha): HChaCha20 makes
//! a key of the first sixteen bytes of the nonce, ChaCha20-Poly1305 seals with that key and the
//! other eight. Both come from libraries. The library that has both in one takes four times as
//! long, which is half of what the desk does for a command; a spec holds the two to the same bytes.

use chacha20::cipher::consts::U10;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of the nonce in front.
const NONCE_BYTES: usize = 24;
/// Bytes of it that go into the key.
const KEY_NONCE_BYTES: usize = 16;

/// A secret key, wiped from memory when it is dropped.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// A new random key; none where the system has no randomness to give.
pub(crate) fn new_key() -> Option<Key> {
    let mut key = Key::default();
    SystemRandom::new().fill(key.as_mut()).ok()?;
    Some(key)
}

/// Seals bytes; none where they are longer than the cipher takes, or where the system has no
/// randomness to give.
pub(crate) fn seal(key: &Key, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut nonce).ok()?;
    seal_with(&nonce, key, bound_to, plain)
}

fn seal_with(
    nonce: &[u8; NONCE_BYTES],
    key: &Key,
    bound_to: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let (key, own) = derived(key, nonce)?;
    let mut sealed = Vec::with_capacity(NONCE_BYTES + plain.len() + CHACHA20_POLY1305.tag_len());
    sealed.extend_from_slice(nonce);
    sealed.extend_from_slice(plain);
    let inner = sealed.get_mut(NONCE_BYTES..)?;
    let tag = key.seal_in_place_separate_tag(own, Aad::from(bound_to), inner);
    sealed.extend_from_slice(tag.ok()?.as_ref());
    Some(sealed)
}

/// Opens what [`seal`] made; none where the key, the binding or a byte is another.
pub(crate) fn open(key: &Key, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk()?;
    let (key, own) = derived(key, nonce)?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let plain = key.open_in_place(own, Aad::from(bound_to), &mut opened);
    let length = plain.ok()?.len();
    opened.truncate(length);
    Some(opened)
}

/// The key and the nonce of the inner cipher.
fn derived(key: &Key, nonce: &[u8; NONCE_BYTES]) -> Option<(LessSafeKey, Nonce)> {
    let (outer, inner) = nonce.split_first_chunk::<KEY_NONCE_BYTES>()?;
    let derived: [u8; KEY_BYTES] = chacha20::hchacha::<U10>((&**key).into(), outer.into()).into();
    let derived = Zeroizing::new(derived);
    let derived = UnboundKey::new(&CHACHA20_POLY1305, derived.as_slice()).ok()?;
    let mut own = [0; NONCE_LEN];
    own.get_mut(NONCE_LEN - inner.len()..)?
        .copy_from_slice(inner);
    let own = Nonce::assume_unique_for_key(own);
    Some((LessSafeKey::new(derived), own))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use chacha20poly1305::{
        KeyInit as _, XChaCha20Poly1305,
        aead::{Aead as _, Payload},
    };

    use super::{Key, NONCE_BYTES, new_key, open, seal, seal_with};

    /// What the library makes of the same that has the cipher in one.
    fn by_the_library(nonce: &[u8; NONCE_BYTES], key: &Key, aad: &[u8], msg: &[u8]) -> Vec<u8> {
        let cipher = XChaCha20Poly1305::new(key.as_slice().into());
        let sealed = cipher.encrypt(nonce.into(), Payload { msg, aad }).unwrap();
        [nonce.as_slice(), &sealed].concat()
    }

    #[test]
    fn every_byte_is_that_of_the_cipher() {
        for length in (0_u8..=255).step_by(5) {
            let nonce = std::array::from_fn(|at| length.wrapping_mul(7) ^ at.to_le_bytes()[0]);
            let (key, plain) = (new_key().unwrap(), vec![length; usize::from(length) * 3]);
            let bound_to = plain.get(..plain.len() / 2).unwrap();
            let sealed = seal_with(&nonce, &key, bound_to, &plain).unwrap();
            assert_eq!(sealed, by_the_library(&nonce, &key, bound_to, &plain));
            assert_eq!(*open(&key, bound_to, &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn nothing_opens_that_was_changed() {
        let key = new_key().unwrap();
        let sealed = seal(&key, b"place", b"text").unwrap();
        assert_eq!(*open(&key, b"place", &sealed).unwrap(), b"text");
        assert!(open(&key, b"another place", &sealed).is_none());
        assert!(open(&new_key().unwrap(), b"place", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(open(&key, b"place", &changed).is_none(), "byte {at}");
            assert!(open(&key, b"place", &sealed[..at]).is_none(), "{at} bytes");
        }
    }

    #[test]
    fn no_two_sealings_are_the_same() {
        let key = new_key().unwrap();
        let [one, two] = [0, 1].map(|_| seal(&key, b"place", b"text").unwrap());
        assert_ne!(one, two);
        assert_ne!(new_key().unwrap(), key);
    }
}
