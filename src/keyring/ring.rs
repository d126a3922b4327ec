//! The key ring of one organisation: keys in memory over keys on disk. Any thread may use it.

use std::{
    collections::HashMap,
    fs,
    num::NonZeroUsize,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lru::LruCache;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    KeyError, MasterKey, Token,
    cipher::{self, KEY_BYTES, Key},
    store::{self, Kept, Store},
};

/// The database, in the folder of the ring.
const FILE: &str = "keys.db";
/// Keys that are kept in memory without their wrapping.
const CACHED: usize = 32_768;
/// What a master key proves itself by.
const PROOF: &str = "daybook key ring";

/// What became of a sealed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// What was sealed.
    Text(String),
    /// The subject was erased, and nobody can say any more what it was.
    Erased,
}

/// Figures of a key ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Subjects with a key.
    pub keys: u64,
    /// Subjects whose key was destroyed.
    pub destroyed: u64,
    /// The position up to which erasures on the record were carried out.
    pub carried_out: u64,
}

/// What the ring knows of a subject.
#[derive(Clone)]
enum Known {
    Key(Arc<Key>),
    Destroyed,
}

/// The keys of all subjects of one organisation.
pub struct KeyRing {
    organisation: Uuid,
    master: MasterKey,
    memory: Mutex<Memory>,
    /// Lookups do not wait for the sync of a write.
    reading: Mutex<Store>,
    /// Held from looking for a key until its successor is in memory, so that none is made twice.
    writing: Mutex<Store>,
}

struct Memory {
    known: LruCache<String, Known>,
    /// New keys, by subject, that are not on disk yet.
    new: HashMap<String, Arc<Key>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyRing {
    /// Whether a folder holds a key ring.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        folder.join(FILE).is_file()
    }

    /// Opens the key ring in a folder, and makes an empty one where there is none.
    ///
    /// # Errors
    /// [`KeyError::WrongMasterKey`], [`KeyError::WrongOrganisation`], [`KeyError::Store`],
    /// [`KeyError::File`].
    pub fn open(folder: &Path, organisation: Uuid, master: &MasterKey) -> Result<Self, KeyError> {
        fs::create_dir_all(folder).map_err(|source| KeyError::File {
            path: folder.display().to_string(),
            source: Arc::new(source),
        })?;
        let path = folder.join(FILE);
        let store = Store::open(&path)?;
        match store.owner()? {
            None => store.found(organisation, &proof(organisation, master)?)?,
            Some((owner, _)) if owner != organisation.as_bytes() => {
                return Err(KeyError::WrongOrganisation { path: store.path() });
            }
            Some((_, proof)) => {
                let opened = cipher::open(&master.0, &wrapping(organisation, PROOF), &proof);
                opened.ok_or_else(|| KeyError::WrongMasterKey { path: store.path() })?;
            }
        }
        Ok(Self {
            organisation,
            master: master.clone(),
            memory: Mutex::new(Memory {
                known: LruCache::sparse(NonZeroUsize::new(CACHED).unwrap_or(NonZeroUsize::MIN)),
                new: HashMap::new(),
            }),
            reading: Mutex::new(Store::open(&path)?),
            writing: Mutex::new(store),
        })
    }

    /// Seals a text for a subject, who gets a key with the first; none where the subject was
    /// erased, because what nobody may know any more is not written down anew.
    ///
    /// # Errors
    /// [`KeyError::Store`], [`KeyError::Unsealable`].
    pub fn seal(
        &self,
        subject: &str,
        context: &str,
        text: &str,
    ) -> Result<Option<String>, KeyError> {
        let Known::Key(key) = self.key_for_sealing(subject)? else {
            return Ok(None);
        };
        let bound_to = sealing(self.organisation, subject, context);
        let sealed = cipher::seal(&key, &bound_to, text.as_bytes()).ok_or(KeyError::Unsealable)?;
        Ok(Some(Token::write(subject, &sealed)))
    }

    /// Opens a sealed text where it was found.
    ///
    /// # Errors
    /// [`KeyError::KeyLost`], [`KeyError::NotAuthentic`], [`KeyError::Store`].
    pub fn unseal(&self, token: Token<'_>, context: &str) -> Result<Opened, KeyError> {
        let subject = token.subject;
        let key = match self.known(subject)? {
            Some(Known::Key(key)) => key,
            Some(Known::Destroyed) => return Ok(Opened::Erased),
            None => {
                let subject = subject.to_owned();
                return Err(KeyError::KeyLost { subject });
            }
        };
        let bound_to = sealing(self.organisation, subject, context);
        let plain = token
            .bytes()
            .and_then(|sealed| cipher::open(&key, &bound_to, &sealed))
            .and_then(|plain| String::from_utf8(plain.to_vec()).ok());
        plain
            .map(Opened::Text)
            .ok_or_else(|| KeyError::NotAuthentic {
                subject: subject.to_owned(),
                context: context.to_owned(),
            })
    }

    /// Makes all new keys durable, in one transaction, and notes that the erasures up to a
    /// position were carried out. Does nothing where no key is new.
    ///
    /// # Errors
    /// [`KeyError::Store`]; the keys are then still new.
    pub fn flush(&self, carried_out: u64) -> Result<(), KeyError> {
        let new = lock(&self.memory).new.clone();
        if new.is_empty() {
            return Ok(());
        }
        let mut wrapped = Vec::with_capacity(new.len());
        for (subject, key) in &new {
            wrapped.push((subject.clone(), self.wrap(&self.master, subject, key)?));
        }
        lock(&self.writing).add(&wrapped, carried_out)?;
        let mut memory = lock(&self.memory);
        memory.new.retain(|subject, _| !new.contains_key(subject));
        Ok(())
    }

    /// Destroys the keys of some subjects: when this returns, nobody can open what they sealed.
    /// Whoever has no key gets none any more. It may be done again.
    ///
    /// # Errors
    /// [`KeyError::Store`]; nothing opens in this process either way.
    pub fn destroy(&self, subjects: &[String]) -> Result<(), KeyError> {
        let mut store = lock(&self.writing);
        {
            let mut memory = lock(&self.memory);
            for subject in subjects {
                memory.new.remove(subject);
                memory.known.put(subject.clone(), Known::Destroyed);
            }
        }
        store.destroy(subjects)?;
        Ok(())
    }

    /// Notes that the erasures up to a position of the log were carried out, and none behind it:
    /// a log that was restored may end before the position known so far.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub fn carry_out(&self, through: u64) -> Result<(), KeyError> {
        lock(&self.writing).carry_out(through)
    }

    /// The position up to which erasures on the record were carried out.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub fn carried_out(&self) -> Result<u64, KeyError> {
        lock(&self.reading).carried_out()
    }

    /// Wraps all keys with another master key, in one transaction. The ring is closed by it.
    ///
    /// # Errors
    /// [`KeyError::Store`], [`KeyError::KeyLost`]; the old master key then still holds.
    pub fn rewrap(self, master: &MasterKey) -> Result<(), KeyError> {
        self.flush(0)?;
        let proof = proof(self.organisation, master)?;
        lock(&self.writing).replace(&proof, |subject, wrapped| {
            let key = self.unwrap(subject, wrapped)?;
            self.wrap(master, subject, &key)
        })
    }

    /// Figures.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub fn status(&self) -> Result<Status, KeyError> {
        let store = lock(&self.reading);
        let (keys, destroyed) = store.count()?;
        Ok(Status {
            keys,
            destroyed,
            carried_out: store.carried_out()?,
        })
    }

    /// Copies the wrapped keys of a folder to another, in the place of those that are there.
    /// Needs no master key, since nothing is opened.
    ///
    /// # Errors
    /// [`KeyError::Store`], [`KeyError::File`].
    pub fn copy(from: &Path, to: &Path) -> Result<(), KeyError> {
        let (target, beside) = (to.join(FILE), to.join("keys.db.new"));
        let done = |done: std::io::Result<()>| {
            done.map_err(|source| KeyError::File {
                path: to.display().to_string(),
                source: Arc::new(source),
            })
        };
        done(fs::create_dir_all(to))?;
        done(remove(&beside))?;
        store::copy(&from.join(FILE), &beside.to_string_lossy())?;
        done(fs::File::open(&beside).and_then(|file| file.sync_all()))?;
        done(fs::rename(&beside, &target))?;
        done(fs::File::open(to).and_then(|folder| folder.sync_all()))
    }

    /// Whether a subject has a key, or had one that was destroyed.
    ///
    /// # Errors
    /// [`KeyError::Store`].
    pub fn is_known(&self, subject: &str) -> Result<bool, KeyError> {
        Ok(self.known(subject)?.is_some())
    }

    /// What is known of a subject, new or old; none where there was never a key.
    fn known(&self, subject: &str) -> Result<Option<Known>, KeyError> {
        if let Some(known) = self.remembered(subject) {
            return Ok(Some(known));
        }
        let kept = lock(&self.reading).find(subject)?;
        let known = match kept {
            // A key that was new a moment ago may have become durable between the two looks.
            Kept::Nothing => return Ok(self.remembered(subject)),
            Kept::Destroyed => Known::Destroyed,
            Kept::Wrapped(wrapped) => Known::Key(Arc::new(self.unwrap(subject, &wrapped)?)),
        };
        let mut memory = lock(&self.memory);
        // Whoever destroyed the key since then is right.
        let known = memory.known.get_or_insert(subject.to_owned(), || known);
        Ok(Some(known.clone()))
    }

    fn remembered(&self, subject: &str) -> Option<Known> {
        let mut memory = lock(&self.memory);
        let known = memory.known.get(subject).cloned();
        known.or_else(|| memory.new.get(subject).cloned().map(Known::Key))
    }

    fn key_for_sealing(&self, subject: &str) -> Result<Known, KeyError> {
        if let Some(known) = self.known(subject)? {
            return Ok(known);
        }
        let writing = lock(&self.writing);
        if let Some(known) = self.known(subject)? {
            return Ok(known);
        }
        let key = Arc::new(cipher::new_key().ok_or(KeyError::Unsealable)?);
        let mut memory = lock(&self.memory);
        memory.new.insert(subject.to_owned(), key.clone());
        memory
            .known
            .put(subject.to_owned(), Known::Key(key.clone()));
        drop(writing);
        Ok(Known::Key(key))
    }

    fn wrap(&self, master: &MasterKey, subject: &str, key: &Key) -> Result<Vec<u8>, KeyError> {
        let bound_to = wrapping(self.organisation, subject);
        cipher::seal(&master.0, &bound_to, key.as_slice()).ok_or(KeyError::Unsealable)
    }

    fn unwrap(&self, subject: &str, wrapped: &[u8]) -> Result<Key, KeyError> {
        let bound_to = wrapping(self.organisation, subject);
        let opened = cipher::open(&self.master.0, &bound_to, wrapped);
        let key = opened.and_then(|key| <[u8; KEY_BYTES]>::try_from(key.as_slice()).ok());
        key.map(Zeroizing::new).ok_or_else(|| KeyError::KeyLost {
            subject: subject.to_owned(),
        })
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn proof(organisation: Uuid, master: &MasterKey) -> Result<Vec<u8>, KeyError> {
    let bound_to = wrapping(organisation, PROOF);
    cipher::seal(&master.0, &bound_to, PROOF.as_bytes()).ok_or(KeyError::Unsealable)
}

/// What a wrapped key is bound to.
fn wrapping(organisation: Uuid, subject: &str) -> Vec<u8> {
    [
        b"wrap 1\0",
        organisation.as_bytes().as_slice(),
        subject.as_bytes(),
    ]
    .concat()
}

/// What a sealed text is bound to; neither a subject nor a context holds a zero byte.
fn sealing(organisation: Uuid, subject: &str, context: &str) -> Vec<u8> {
    [
        b"seal 1\0",
        organisation.as_bytes().as_slice(),
        subject.as_bytes(),
        b"\0",
        context.as_bytes(),
    ]
    .concat()
}
