//! The demo's own truths: it is the same everywhere, speaks the whole language, and is decided
//! as it means to be.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

mod books;
mod filling;
mod parts;
mod story;

use std::path::Path;

use daybook_schema::{DomainEvent, commit::CommitMeta};

use super::{DemoOptions, founding};
use crate::{Founding, Organisation, OrganisationOptions};

/// A company of a twentieth of the ordinary size.
fn small(seed: u64) -> DemoOptions {
    DemoOptions {
        seed,
        scale: 0.05,
        ..DemoOptions::default()
    }
}

fn open(folder: &Path) -> Organisation {
    open_as(folder, &founding(DemoOptions::default()))
}

fn open_as(folder: &Path, founding: &Founding) -> Organisation {
    let options = OrganisationOptions {
        min_free_bytes: Some(0),
        ..Default::default()
    };
    let opened = Organisation::open(folder, options, founding, &mut |_, _| {});
    opened.unwrap().0
}

/// Calls `visit` with every commit: its position, its envelope, and its events by stream.
fn read(
    organisation: &Organisation,
    visit: &mut dyn FnMut(u64, CommitMeta, Vec<(String, DomainEvent)>),
) {
    for block in organisation.log().blocks(0) {
        for commit in block.unwrap().commits() {
            let seals = organisation.seals();
            let meta = seals.meta(commit.meta()).unwrap();
            let events = commit.events().map(|event| {
                let (stream, name) = (event.stream, event.type_name);
                let data = seals.event(&event);
                let decoded = DomainEvent::decode(stream, name, event.type_version, &data);
                (stream.to_owned(), decoded.unwrap())
            });
            visit(commit.position(), meta, events.collect());
        }
    }
}
