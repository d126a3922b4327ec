//! The demo company, for benchmarks that need a living one.

use std::{path::Path, sync::Arc};

use daybook_app::{Organisation, OrganisationOptions, demo};

/// Opens the demo company in a folder, and fills it at a scale.
pub(crate) fn open(folder: &Path, scale: f64) -> Arc<Organisation> {
    let options = demo::DemoOptions {
        scale,
        ..demo::DemoOptions::default()
    };
    let founding = demo::founding(options);
    let limits = OrganisationOptions::default();
    let (organisation, _) =
        Organisation::open(&folder.join("demo"), limits, &founding, &mut |_, _| {}).unwrap();
    demo::fill(&organisation, options, &mut |_, _| {}).unwrap();
    let head = organisation.log().head().position;
    while organisation.applied().borrow().position < head {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Arc::new(organisation)
}
