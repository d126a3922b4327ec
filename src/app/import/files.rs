//! Which file each source reads, and whether its header has what the mapping uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{Mapping, error::ImportError, source::SourceReader};

/// The files of the sources that are used, by the names of the sources.
pub(super) struct Files(BTreeMap<String, PathBuf>);

impl Files {
    /// Finds the file of every source among files and folders that were given.
    pub(super) fn find(mapping: &Mapping, given: &[PathBuf]) -> Result<Self, ImportError> {
        let steps = mapping.steps.iter().filter_map(|step| step.source.clone());
        let tables = mapping.tables.iter().map(|table| table.source.clone());
        let used: BTreeSet<String> = steps.chain(tables).collect();
        let mut files = BTreeMap::new();
        for name in &used {
            let Some(plan) = mapping.sources.get(name) else {
                continue;
            };
            let found = match (given, used.len()) {
                ([only], 1) if !only.is_dir() => Some(only.clone()),
                _ => given.iter().find_map(|one| named(one, &plan.file)),
            };
            let path = found.ok_or_else(|| ImportError::FileMissing {
                source_name: name.clone(),
                file: plan.file.clone(),
            })?;
            files.insert(name.clone(), path);
        }
        let unused = given
            .iter()
            .find(|one| !one.is_dir() && !files.values().any(|f| f == *one));
        if let Some(path) = unused {
            return Err(ImportError::FileUnused {
                path: path.clone(),
                expected: mapping.files(),
            });
        }
        let files = Self(files);
        files.check_columns(mapping)?;
        Ok(files)
    }

    /// The file of a source; every source that is used has one.
    pub(super) fn of(&self, source: &str) -> Option<&PathBuf> {
        self.0.get(source)
    }

    fn check_columns(&self, mapping: &Mapping) -> Result<(), ImportError> {
        for (name, path) in &self.0 {
            let Some(plan) = mapping.sources.get(name) else {
                continue;
            };
            let reader = SourceReader::open(plan, path)?;
            let Some(columns) = reader.columns() else {
                continue;
            };
            let mut uses = mapping.uses.iter().filter(|used| used.source == *name);
            if let Some(used) = uses.find(|used| !columns.has(&used.column)) {
                return Err(ImportError::ColumnMissing {
                    path: path.clone(),
                    column: used.column.clone(),
                    used_at: used.path.clone(),
                    columns: columns.names.clone(),
                });
            }
        }
        Ok(())
    }
}

/// The file itself if it has this name, or the file of this name in the folder. A link in the
/// folder that leads out of it is no file of the folder: whoever made the tables could otherwise
/// have any other file read as one.
fn named(given: &Path, name: &str) -> Option<PathBuf> {
    if given.is_dir() {
        let file = given.join(name);
        let within = file
            .canonicalize()
            .ok()?
            .starts_with(given.canonicalize().ok()?);
        return (within && file.is_file()).then_some(file);
    }
    given.ends_with(name).then(|| given.to_owned())
}
