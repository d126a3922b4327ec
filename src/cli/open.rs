//! Opening an organisation, with its progress shown.

use std::{path::Path, thread, time::Duration};

use daybook_app::{Founding, Opening, Organisation, OrganisationOptions};

use crate::{
    arguments::{Master, Room},
    error::CliError,
    progress::Progress,
};

/// Opens the organisation in a folder, founding it where there is none.
pub(crate) fn organisation(
    folder: &Path,
    founding: &Founding,
    options: OrganisationOptions,
) -> Result<(Organisation, Opening), CliError> {
    let mut progress = Progress::new("rebuilding the read models");
    let opened = Organisation::open(folder, options, founding, &mut |done, total| {
        progress.at(done, total);
    });
    progress.finish();
    Ok(opened?)
}

/// Opens it for writing much at once; read models follow when it is opened to be read.
pub(crate) fn for_writing(
    folder: &Path,
    founding: &Founding,
    room: Room,
    master: &Master,
) -> Result<(Organisation, Opening), CliError> {
    let options = OrganisationOptions {
        write_only: true,
        ..room.limits(master)
    };
    organisation(folder, founding, options)
}

/// Waits until the read models show everything that is in the log now, so that the first answer
/// is whole; read models that have stopped are waited for no longer, and fail readiness.
pub(crate) fn catch_up(organisation: &Organisation) {
    let head = organisation.log().head().position;
    let mut progress = Progress::new("posting to the read models");
    let applied = organisation.applied();
    loop {
        let reached = applied.borrow().position;
        if reached >= head || applied.borrow().stopped.is_some() {
            break;
        }
        progress.at(reached, head);
        thread::sleep(Duration::from_millis(20));
    }
    progress.finish();
}
