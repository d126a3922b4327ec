//! Where secrets are made and passwords hashed.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use daybook_schema::access::{self, Password, Verifier};

use super::token::{digest, new_secret};

/// Arms one command: makes the secret that it needs, or hashes the password in it.
#[derive(Default)]
pub struct Armoury {
    secret: Option<String>,
    failed: Option<String>,
}

impl Armoury {
    /// The secret that was made, to be shown to its owner once; an error where the system has no
    /// randomness to give.
    pub fn secret(self) -> Result<Option<String>, String> {
        match self.failed {
            Some(problem) => Err(problem),
            None => Ok(self.secret),
        }
    }
}

/// Opens nothing: no secret has it as its digest.
fn nothing() -> Verifier {
    Verifier::new("")
}

impl access::Armoury for Armoury {
    fn forge(&mut self) -> Verifier {
        match new_secret() {
            Ok(secret) => {
                let verifier = digest(&secret);
                self.secret = Some(secret);
                verifier
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                nothing()
            }
        }
    }

    /// Argon2id with the library's parameters, which are those that OWASP recommends (19 MiB, two
    /// passes); some 20 to 50 ms of one core, so not for a thread that others wait for.
    fn hash(&mut self, password: &Password) -> Verifier {
        match Argon2::default().hash_password(password.reveal().as_bytes()) {
            Ok(hash) => Verifier::new(&hash.to_string()),
            Err(error) => {
                self.failed = Some(error.to_string());
                nothing()
            }
        }
    }
}

/// Whether a password is the one that a hash was made of. It takes as long where there is no hash,
/// so that nobody learns which accounts have one.
pub fn verify_password(password: &str, verifier: Option<&Verifier>) -> bool {
    let argon = Argon2::default();
    let hash = verifier.and_then(|verifier| PasswordHash::new(verifier.as_str()).ok());
    match hash {
        Some(hash) => argon.verify_password(password.as_bytes(), &hash).is_ok(),
        None => {
            // The outcome of hashing for nobody is nobody's.
            drop(argon.hash_password(password.as_bytes()));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

    use daybook_schema::access::Armoury as _;

    use super::{Armoury, verify_password};

    #[test]
    fn a_hash_is_of_one_password() {
        let hash = Armoury::default().hash(&"correct horse battery".parse().unwrap());
        assert!(hash.as_str().starts_with("$argon2id$"));
        assert!(verify_password("correct horse battery", Some(&hash)));
        assert!(!verify_password("correct horse batterz", Some(&hash)));
        assert!(!verify_password("correct horse battery", None));
    }

    #[test]
    fn every_secret_is_new() {
        let (mut one, mut two) = (Armoury::default(), Armoury::default());
        assert_ne!(one.forge(), two.forge());
        assert!(one.secret().unwrap().unwrap().len() >= 43);
    }
}
