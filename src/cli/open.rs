//! Opening an organisation, with its progress shown.

use std::path::Path;

use daybook_app::{Founding, Opening, Organisation, OrganisationOptions};

use crate::{error::CliError, progress::Progress};

/// Opens the organisation in a folder, founding it where there is none.
pub(crate) fn organisation(
    folder: &Path,
    founding: &Founding,
) -> Result<(Organisation, Opening), CliError> {
    let mut progress = Progress::new("rebuilding the read models");
    let options = OrganisationOptions::default();
    let opened = Organisation::open(folder, options, founding, &mut |done, total| {
        progress.at(done, total);
    });
    progress.finish();
    Ok(opened?)
}
