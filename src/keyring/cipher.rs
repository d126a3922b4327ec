//! The cipher: a random nonce, the sealed bytes and their tag, one after the other.

use chacha20poly1305::{
    AeadCore as _, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, OsRng, Payload},
};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of the nonce in front.
const NONCE_BYTES: usize = 24;

/// A secret key, wiped from memory when it is dropped.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// A new random key.
pub(crate) fn new_key() -> Key {
    Zeroizing::new(XChaCha20Poly1305::generate_key(&mut OsRng).into())
}

/// Seals bytes; none where they are longer than the cipher takes.
pub(crate) fn seal(key: &Key, bound_to: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
    let payload = Payload {
        msg: plain,
        aad: bound_to,
    };
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let sealed = cipher.encrypt(&nonce, payload).ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] made; none where the key, the binding or a byte is another.
pub(crate) fn open(key: &Key, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    let payload = Payload {
        msg: sealed,
        aad: bound_to,
    };
    let cipher = XChaCha20Poly1305::new(key.as_slice().into());
    let plain = cipher.decrypt(XNonce::from_slice(nonce), payload).ok()?;
    Some(Zeroizing::new(plain))
}
