//! The folder of a house.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use daybook_eventlog::{BackupReport, Head, RestoreOptions};
use daybook_keyring::KeyRing;
use daybook_schema::governance::CreateTenant;

use super::HouseError;
use crate::{
    AppError, Founding, MasterKeySource, Organisation, OrganisationOptions, access, keys, offline,
    organisation, seals,
};

const ORGANISATIONS: &str = "organisations";
const EXPORTS: &str = "exports";
const OFFICE: &str = "office";
const LOCK_FILE: &str = "house.lock";
/// What the folder of an organisation begins with while it is being founded or restored, and
/// while it is being removed.
const UNFINISHED: &str = "new-";
const LEAVING: &str = "old-";

/// The folder, which no other process has.
pub(super) struct Folder {
    path: PathBuf,
    _lock: fs::File,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, HouseError> {
        let organisations = path.join(ORGANISATIONS);
        fs::create_dir_all(&organisations).map_err(file_error(&organisations))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = fs::File::create(&lock_path).map_err(file_error(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let path = path.display().to_string();
                return Err(HouseError::Locked { path });
            }
            Err(fs::TryLockError::Error(error)) => return Err(file_error(&lock_path)(error).into()),
        }
        let folder = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        folder.remove_unfinished()?;
        Ok(folder)
    }

    /// Removes what was founded, restored or erased by half: the record of the house has it done
    /// again. An organisation that was to be replaced and has not been gets its place back.
    fn remove_unfinished(&self) -> Result<(), AppError> {
        let all = self.path.join(ORGANISATIONS);
        for entry in fs::read_dir(&all).map_err(file_error(&all))? {
            let entry = entry.map_err(file_error(&all))?;
            let (name, path) = (entry.file_name(), entry.path());
            let name = name.to_str().unwrap_or_default();
            let left = name.strip_prefix(LEAVING).map(|id| all.join(id));
            match left {
                Some(place) if !place.exists() => rename(&path, &place)?,
                Some(_) => remove(&path)?,
                None if name.starts_with(UNFINISHED) => remove(&path)?,
                None => {}
            }
        }
        Ok(())
    }

    /// Where the master key of the house is; one is made with a new house.
    pub(super) fn master_key(&self, named: MasterKeySource) -> Result<MasterKeySource, HouseError> {
        let is_new = !organisation::has_identity(&self.office());
        let kept = seals::keep_for_house(&self.path, named, is_new);
        Ok(kept.map_err(AppError::from)?)
    }

    /// The folder of the house's own record.
    pub(super) fn office(&self) -> PathBuf {
        self.path.join(OFFICE)
    }

    /// The folder of an organisation.
    pub(super) fn of(&self, id: Uuid) -> PathBuf {
        self.path.join(ORGANISATIONS).join(id.to_string())
    }

    /// The folder of the export of an organisation.
    fn export_of(&self, id: Uuid) -> PathBuf {
        self.path.join(EXPORTS).join(id.to_string())
    }

    fn beside(&self, prefix: &str, id: Uuid) -> PathBuf {
        self.path.join(ORGANISATIONS).join(format!("{prefix}{id}"))
    }

    /// Founds an organisation beside the others, and gives it its name when it is whole; says
    /// where its record ends. One that is there already stays as it is.
    pub(super) fn found(
        &self,
        id: Uuid,
        tenant: &CreateTenant,
        options: &OrganisationOptions,
    ) -> Result<Head, AppError> {
        if !organisation::has_identity(&self.of(id)) {
            let beside = self.beside(UNFINISHED, id);
            remove(&beside)?;
            organisation::write_identity(&beside, id)?;
            let options = OrganisationOptions {
                write_only: true,
                ..options.clone()
            };
            let founding = founding(tenant);
            let (founded, _) = Organisation::open(&beside, options, &founding, &mut |_, _| {})?;
            if let Some(verifier) = &tenant.verifier {
                access::first_account(&founded, &tenant.administrator, verifier.clone())?;
            }
            founded.close()?;
            rename(&beside, &self.of(id))?;
        }
        let opened = offline::open_log(&self.of(id))?;
        let head = opened.log.head();
        opened.writer.close()?;
        Ok(head)
    }

    /// Brings the export of an open organisation up to date.
    pub(super) fn export(&self, organisation: &Organisation) -> Result<BackupReport, AppError> {
        let (id, target) = (organisation.id(), self.export_of(organisation.id()));
        let report = daybook_eventlog::backup(organisation.log(), &target, &mut |_| {})?;
        keys::copy(&self.of(id), &target)?;
        Ok(report)
    }

    /// Puts the export of an organisation that is not open in its place; says where it ends. The
    /// keys stay those of today, so that whoever was erased since is erased in what was older.
    pub(super) fn restore(&self, id: Uuid, until: Option<u64>) -> Result<Head, AppError> {
        let (place, export) = (self.of(id), self.export_of(id));
        let (beside, leaving) = (self.beside(UNFINISHED, id), self.beside(LEAVING, id));
        remove(&beside)?;
        let options = RestoreOptions {
            until,
            ..RestoreOptions::default()
        };
        let report = offline::restore(&export, &beside, &options, &mut |_| {})?;
        if KeyRing::exists(&place.join(seals::FOLDER)) {
            keys::copy(&place, &beside)?;
        }
        if place.exists() {
            rename(&place, &leaving)?;
        }
        rename(&beside, &place)?;
        remove(&leaving)?;
        Ok(report.head)
    }

    /// Destroys an organisation that is not open, and its export; says how many bytes those were.
    pub(super) fn erase(&self, id: Uuid) -> Result<u64, AppError> {
        let (place, export) = (self.of(id), self.export_of(id));
        let leaving = self.beside(UNFINISHED, id);
        let bytes = bytes_in(&place)? + bytes_in(&leaving)? + bytes_in(&export)?;
        // Under its new name it is nobody's, and goes even if this is cut off.
        if place.exists() {
            remove(&leaving)?;
            rename(&place, &leaving)?;
        }
        remove(&leaving)?;
        remove(&export)?;
        Ok(bytes)
    }
}

fn founding(tenant: &CreateTenant) -> Founding {
    Founding {
        name: tenant.name.clone(),
        currency: tenant.currency,
        founder: tenant.administrator.clone(),
        policies_from: tenant.policies_from,
        keeps_house: false,
        founded_at: None,
    }
}

/// Renames a folder within its own, durably.
fn rename(from: &Path, to: &Path) -> Result<(), AppError> {
    fs::rename(from, to).map_err(file_error(from))?;
    match to.parent() {
        Some(parent) => fs::File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(file_error(parent)),
        None => Ok(()),
    }
}

/// Removes a folder with all that is in it, where it is there.
fn remove(folder: &Path) -> Result<(), AppError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.map_err(file_error(folder)),
    }
}

fn bytes_in(folder: &Path) -> Result<u64, AppError> {
    let mut bytes = 0;
    if folder.exists() {
        for entry in fs::read_dir(folder).map_err(file_error(folder))? {
            let entry = entry.map_err(file_error(folder))?;
            let about = entry.metadata().map_err(file_error(folder))?;
            bytes += match about.is_dir() {
                true => bytes_in(&entry.path())?,
                false => about.len(),
            };
        }
    }
    Ok(bytes)
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> AppError + use<> {
    let path = path.display().to_string();
    move |source| AppError::File {
        path: path.clone(),
        source,
    }
}
