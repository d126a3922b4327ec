#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::{fs, path::Path};

use tempfile::TempDir;
use uuid::Uuid;

use crate::{KeyError, KeyRing, MARK, MasterKey, Opened, Token};

const ORGANISATION: Uuid = Uuid::from_u128(7);

fn ring(folder: &Path, master: &MasterKey) -> KeyRing {
    KeyRing::open(folder, ORGANISATION, master).unwrap()
}

fn opened(ring: &KeyRing, token: &str, context: &str) -> Result<Opened, KeyError> {
    ring.unseal(Token::parse(token).unwrap(), context)
}

fn sealed(ring: &KeyRing, subject: &str, text: &str) -> String {
    ring.seal(subject, "Told", text).unwrap().unwrap()
}

fn text(text: &str) -> Opened {
    Opened::Text(text.to_owned())
}

/// Whether some bytes stand in any file of a folder.
fn found_in(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let content = fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

fn wrapped(folder: &Path, subject: &str) -> Vec<u8> {
    let connection = rusqlite::Connection::open(folder.join("keys.db")).unwrap();
    let sql = "SELECT wrapped FROM keys WHERE subject = ?1";
    connection
        .query_row(sql, [subject], |row| row.get(0))
        .unwrap()
}

#[test]
fn what_was_sealed_opens_in_its_place_only_and_after_a_restart() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let token = {
        let ring = ring(folder.path(), &master);
        let token = sealed(&ring, "customer-1", "杭州 \"Wang\"");
        assert!(token.starts_with(&format!("{MARK}customer-1:")), "{token}");
        assert_eq!(
            opened(&ring, &token, "Told").unwrap(),
            text("杭州 \"Wang\"")
        );
        ring.flush(0).unwrap();
        token
    };
    let ring = ring(folder.path(), &master);
    assert_eq!(
        opened(&ring, &token, "Told").unwrap(),
        text("杭州 \"Wang\"")
    );
    let elsewhere = opened(&ring, &token, "Heard").unwrap_err();
    assert!(
        matches!(elsewhere, KeyError::NotAuthentic { .. }),
        "{elsewhere}"
    );
    sealed(&ring, "customer-2", "x");
    let moved = token.replace("customer-1", "customer-2");
    let elsewhere = opened(&ring, &moved, "Told").unwrap_err();
    assert!(
        matches!(elsewhere, KeyError::NotAuthentic { .. }),
        "{elsewhere}"
    );
}

#[test]
fn the_same_text_is_never_sealed_alike() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let ring = ring(folder.path(), &master);
    let tokens = [(); 2].map(|()| sealed(&ring, "lead-1", "same"));
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn another_master_key_or_organisation_is_refused() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    drop(ring(folder.path(), &master));
    let wrong = KeyRing::open(folder.path(), ORGANISATION, &MasterKey::generate().unwrap());
    assert!(matches!(wrong, Err(KeyError::WrongMasterKey { .. })));
    let wrong = KeyRing::open(folder.path(), Uuid::from_u128(8), &master);
    assert!(matches!(wrong, Err(KeyError::WrongOrganisation { .. })));
    assert_eq!(ring(folder.path(), &master).status().unwrap().keys, 0);
}

#[test]
fn a_key_is_on_disk_only_after_a_flush_and_without_it_is_lost() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let token = sealed(&ring(folder.path(), &master), "lead-1", "gone");
    let ring = ring(folder.path(), &master);
    let lost = opened(&ring, &token, "Told").unwrap_err();
    assert!(matches!(lost, KeyError::KeyLost { .. }), "{lost}");
    sealed(&ring, "lead-1", "kept");
    ring.flush(12).unwrap();
    let status = ring.status().unwrap();
    assert_eq!((status.keys, status.carried_out), (1, 12));
    sealed(&ring, "lead-2", "kept");
    ring.flush(3).unwrap();
    assert_eq!(
        ring.carried_out().unwrap(),
        12,
        "what was carried out stays so"
    );
}

#[test]
fn of_a_destroyed_key_no_byte_stays_in_any_file() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let ring = ring(folder.path(), &master);
    let subject = |number: usize| format!("customer-{number:04}");
    let tokens: Vec<_> = (0..900)
        .map(|n| sealed(&ring, &subject(n), "text"))
        .collect();
    ring.flush(0).unwrap();
    // Most of the pages are in the database by now, the last ones in the write-ahead log.
    for round in [0..300, 600..900] {
        let victims: Vec<_> = round.step_by(37).map(subject).collect();
        let keys: Vec<_> = victims
            .iter()
            .map(|one| wrapped(folder.path(), one))
            .collect();
        for key in &keys {
            assert!(found_in(folder.path(), key));
        }
        ring.destroy(&victims).unwrap();
        ring.destroy(&victims).unwrap();
        for key in &keys {
            for part in key.chunks_exact(8) {
                assert!(
                    !found_in(folder.path(), part),
                    "a part of the key is still there"
                );
            }
        }
    }
    assert_eq!(opened(&ring, &tokens[0], "Told").unwrap(), Opened::Erased);
    assert_eq!(opened(&ring, &tokens[1], "Told").unwrap(), text("text"));
    assert_eq!(ring.seal(&subject(0), "Told", "again").unwrap(), None);
    drop(ring);
    let again = self::ring(folder.path(), &master);
    assert_eq!(opened(&again, &tokens[0], "Told").unwrap(), Opened::Erased);
    assert_eq!(again.status().unwrap().destroyed, 18);
}

#[test]
fn whoever_is_erased_before_the_first_key_gets_none() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let ring = ring(folder.path(), &master);
    let token = sealed(&ring, "customer-1", "not flushed");
    ring.destroy(&["customer-1".to_owned(), "customer-2".to_owned()])
        .unwrap();
    ring.flush(0).unwrap();
    assert_eq!(opened(&ring, &token, "Told").unwrap(), Opened::Erased);
    assert_eq!(ring.seal("customer-2", "Told", "later").unwrap(), None);
    assert_eq!(ring.status().unwrap().destroyed, 2);
}

#[test]
fn rewrapping_keeps_the_keys_and_changes_the_master() {
    let (folder, old) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let ring = ring(folder.path(), &old);
    let tokens: Vec<_> = (0..50)
        .map(|n| sealed(&ring, &format!("lead-{n}"), "text"))
        .collect();
    ring.flush(5).unwrap();
    ring.destroy(&["lead-3".to_owned()]).unwrap();
    let before = wrapped(folder.path(), "lead-4");
    let new = MasterKey::generate().unwrap();
    ring.rewrap(&new).unwrap();
    assert!(!found_in(folder.path(), &before));
    let refused = KeyRing::open(folder.path(), ORGANISATION, &old);
    assert!(matches!(refused, Err(KeyError::WrongMasterKey { .. })));
    let ring = self::ring(folder.path(), &new);
    for (number, token) in tokens.iter().enumerate() {
        let expected = if number == 3 {
            Opened::Erased
        } else {
            text("text")
        };
        assert_eq!(opened(&ring, token, "Told").unwrap(), expected);
    }
    assert_eq!(ring.carried_out().unwrap(), 5);
}

#[test]
fn a_copy_opens_with_the_same_master_key_and_replaces_what_was_there() {
    let (folder, other, master) = (
        TempDir::new().unwrap(),
        TempDir::new().unwrap(),
        MasterKey::generate().unwrap(),
    );
    let ring = ring(folder.path(), &master);
    let tokens = ["lead-1", "lead-2"].map(|subject| sealed(&ring, subject, "text"));
    ring.flush(0).unwrap();
    KeyRing::copy(folder.path(), other.path()).unwrap();
    let old = wrapped(other.path(), "lead-1");
    ring.destroy(&["lead-1".to_owned()]).unwrap();
    KeyRing::copy(folder.path(), other.path()).unwrap();
    assert!(!found_in(other.path(), &old));
    let copy = self::ring(other.path(), &master);
    assert_eq!(opened(&copy, &tokens[0], "Told").unwrap(), Opened::Erased);
    assert_eq!(opened(&copy, &tokens[1], "Told").unwrap(), text("text"));
}

#[test]
fn many_threads_give_a_subject_one_key() {
    let (folder, master) = (TempDir::new().unwrap(), MasterKey::generate().unwrap());
    let ring = ring(folder.path(), &master);
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let ring = &ring;
        let work = move |thread: usize| {
            let mut tokens = Vec::new();
            for number in 0..200 {
                tokens.push(sealed(ring, &format!("lead-{number}"), "text"));
                if number % 50 == thread {
                    ring.flush(0).unwrap();
                }
            }
            tokens
        };
        let threads: Vec<_> = (0..4)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    ring.flush(0).unwrap();
    drop(ring);
    let ring = self::ring(folder.path(), &master);
    assert_eq!(ring.status().unwrap().keys, 200);
    for token in &tokens {
        assert_eq!(opened(&ring, token, "Told").unwrap(), text("text"));
    }
}

#[test]
fn a_master_key_is_read_in_three_spellings_and_shows_itself_nowhere() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("master.key");
    let written = MasterKey::generate().unwrap();
    written.write_new(&path).unwrap();
    assert!(matches!(
        written.write_new(&path),
        Err(KeyError::File { .. })
    ));
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let base64 = fs::read_to_string(&path).unwrap();
    assert_eq!(MasterKey::read(&path).unwrap().0, written.0);
    let url = base64.replace('+', "-").replace('/', "_").replace('=', "");
    assert_eq!(MasterKey::parse(&url, "x").unwrap().0, written.0);
    let hex: String = written.0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(MasterKey::parse(&hex, "x").unwrap().0, written.0);
    let refused = MasterKey::parse("c2hvcnQ=", "the variable").unwrap_err();
    assert!(refused.to_string().contains("the variable"), "{refused}");
    assert!(!refused.to_string().contains("c2hvcnQ"), "{refused}");
    assert_eq!(format!("{written:?}"), "MasterKey(..)");
}

#[test]
fn text_that_only_looks_sealed_is_no_token() {
    for text in [
        "",
        "sealed",
        "sealed:1:",
        "sealed:1:x",
        "sealed:1::x",
        "sealed:1:x:",
        "sealed:2:x:y",
    ] {
        assert_eq!(Token::parse(text), None, "{text}");
    }
    let token = Token::parse("sealed:1:customer-1:AAAA").unwrap();
    assert_eq!(token.subject, "customer-1");
}
