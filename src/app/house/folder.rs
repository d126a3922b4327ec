//! The folder of a house.

use std::{
    fs,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::HouseError;
use crate::{
    AppError, Founding, MasterKeySource, Organisation, OrganisationOptions, organisation, seals,
};

const ORGANISATIONS: &str = "organisations";
const LOCK_FILE: &str = "house.lock";
/// What the folder of an organisation begins with while it is being founded.
const UNFINISHED: &str = "new-";

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

    /// Removes what a founding left that was cut off: nobody was told of it.
    fn remove_unfinished(&self) -> Result<(), AppError> {
        let all = self.path.join(ORGANISATIONS);
        for entry in fs::read_dir(&all).map_err(file_error(&all))? {
            let entry = entry.map_err(file_error(&all))?;
            let is_unfinished = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(UNFINISHED));
            if is_unfinished {
                fs::remove_dir_all(entry.path()).map_err(file_error(&entry.path()))?;
            }
        }
        Ok(())
    }

    /// Where the master key of the house is; one is made with a new house.
    pub(super) fn master_key(&self, named: MasterKeySource) -> Result<MasterKeySource, HouseError> {
        let is_empty = self.organisations()?.is_empty();
        let kept = seals::keep_for_house(&self.path, named, is_empty);
        Ok(kept.map_err(AppError::from)?)
    }

    pub(super) fn organisations(&self) -> Result<Vec<Uuid>, HouseError> {
        organisations(&self.path)
    }

    /// Whether there is such an organisation.
    pub(super) fn holds(&self, id: Uuid) -> bool {
        organisation::has_identity(&self.of(id))
    }

    /// The folder of an organisation.
    pub(super) fn of(&self, id: Uuid) -> PathBuf {
        self.path.join(ORGANISATIONS).join(id.to_string())
    }

    /// Founds an organisation beside the others, and gives it its name when it is whole.
    pub(super) fn found(
        &self,
        id: Uuid,
        founding: &Founding,
        options: &OrganisationOptions,
    ) -> Result<(), AppError> {
        let all = self.path.join(ORGANISATIONS);
        let beside = all.join(format!("{UNFINISHED}{id}"));
        organisation::write_identity(&beside, id)?;
        let options = OrganisationOptions {
            write_only: true,
            ..options.clone()
        };
        let (founded, _) = Organisation::open(&beside, options, founding, &mut |_, _| {})?;
        founded.close()?;
        fs::rename(&beside, self.of(id)).map_err(file_error(&beside))?;
        fs::File::open(&all)
            .and_then(|folder| folder.sync_all())
            .map_err(file_error(&all))
    }
}

/// The ids of the organisations in the folder of a house, open or not, in the order of their
/// founding.
///
/// # Errors
/// [`HouseError::App`] where the folder cannot be read or is no house.
pub fn organisations(house: &Path) -> Result<Vec<Uuid>, HouseError> {
    let all = house.join(ORGANISATIONS);
    let mut ids = Vec::new();
    for entry in fs::read_dir(&all).map_err(file_error(&all))? {
        let entry = entry.map_err(file_error(&all))?;
        let id = entry
            .file_name()
            .to_str()
            .and_then(|name| Uuid::try_parse(name).ok());
        ids.extend(id.filter(|_| organisation::has_identity(&entry.path())));
    }
    ids.sort_unstable();
    Ok(ids)
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> AppError + use<> {
    let path = path.display().to_string();
    move |source| AppError::File {
        path: path.clone(),
        source,
    }
}
