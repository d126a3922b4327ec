//! Serving the organisations of a house. Each is opened when it is first asked for, so the house
//! itself is open at once.

use std::path::Path;

use daybook_api::health::{Health, Report};
use daybook_app::House;

use super::{Parts, Serve, keys};
use crate::{config::Settings, error::CliError, exit::Exit, open, organisations};

/// Opens the house.
pub(super) fn begin(
    arguments: &Serve,
    settings: &Settings,
    folder: &Path,
) -> Result<House, CliError> {
    let organisation = organisations::options(arguments.room, &arguments.master);
    let house = House::open(folder, settings.house(organisation))?;
    let organisations = house.organisations()?.len();
    tracing::info!(folder = %folder.display(), organisations, "house open");
    let office = house.office()?;
    open::catch_up(&office);
    keys::show_first(&office, &arguments.administrator)?;
    Ok(house)
}

/// What a server of a house is made of.
pub(super) fn parts(house: &House) -> Parts<Watch> {
    Parts {
        directory: house.clone().into(),
        unproven: None,
        health: Watch(house.clone()),
        // The figures of a log and a desk are one organisation's.
        measured: None,
    }
}

/// Closes every organisation in order.
pub(super) fn close(house: &House) -> Result<Exit, CliError> {
    house.close()?;
    tracing::info!("closed");
    Ok(Exit::Done)
}

/// A house is ready when it is open: what becomes of one organisation must not take the others out
/// of work.
#[derive(Clone)]
pub(super) struct Watch(House);

impl Health for Watch {
    fn report(&self) -> Report {
        let (open, most) = (self.0.open_count(), self.0.open_max());
        Report::ready().with("house", true, format!("{open} of {most} places are taken"))
    }
}
