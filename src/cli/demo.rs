//! `daybook demo`: two years of an invented company, as commands through the desk.
//!
//! `daybook serve --demo` fills the same demonstration before it answers.

use std::{fs, io, path::Path, path::PathBuf};

use chrono::Utc;
use clap::Args;
use daybook_app::{
    Founding,
    demo::{self, DemoOptions, DemoSummary},
};
use daybook_schema::kernel::Date;

use crate::{
    arguments::{Json, Master, Room},
    error::CliError,
    exit::Exit,
    open, output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook demo                               a demonstration in ./daybook-demo
  daybook demo --scale 0.1 --data ./small    a tenth of it, elsewhere
  daybook serve --demo                       the same, and then answers for it
";

/// Says that a folder holds a whole demonstration. Filling again would change nothing, and would
/// take its time to find that out.
const MARK: &str = "demo.json";

/// Fills a folder that is not open with two years of an invented trading company.
///
/// Everything goes through the desk as a command, so the demonstration holds only what the rules
/// allow, refusals included. Run again after an interruption, it goes on where it stopped.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// The data folder.
    #[arg(
        long,
        env = "DAYBOOK_DATA",
        value_name = "DIR",
        default_value = "./daybook-demo"
    )]
    data: PathBuf,
    #[command(flatten)]
    story: Story,
    #[command(flatten)]
    room: Room,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

/// Which demonstration.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Story {
    /// Another seed tells another demonstration.
    #[arg(long, value_name = "N", default_value_t = DemoOptions::default().seed)]
    seed: u64,
    /// The size of the demonstration: 1 makes some 80 000 events, 0.1 a tenth of it.
    #[arg(long, value_name = "FACTOR", default_value_t = DemoOptions::default().scale)]
    scale: f64,
}

impl Story {
    /// The demonstration ends on its usual day, or today where that day has not come.
    fn options(self) -> DemoOptions {
        let today = Date(Utc::now().date_naive());
        DemoOptions {
            seed: self.seed,
            scale: self.scale,
            until: DemoOptions::default().until.min(today),
        }
    }

    /// How the organisation of the demonstration is founded.
    pub(crate) fn founding(self) -> Founding {
        demo::founding(self.options())
    }

    /// Fills a folder that is not open, unless it says that this is done.
    pub(crate) fn fill(
        self,
        folder: &Path,
        room: Room,
        master: &Master,
    ) -> Result<Option<DemoSummary>, CliError> {
        let mark = folder.join(MARK);
        if mark.exists() {
            return Ok(None);
        }
        let (organisation, _) = open::for_writing(folder, &self.founding(), room, master)?;
        let mut progress = Progress::new("filling the demonstration, days");
        let filled = demo::fill(&organisation, self.options(), &mut |done, total| {
            progress.at(done, total);
        });
        progress.finish();
        organisation.close()?;
        let summary = filled?;
        let text = serde_json::to_string_pretty(&summary).map_err(io::Error::from);
        let written = text.and_then(|text| fs::write(&mark, text));
        written.map_err(|source| CliError::File {
            what: "write",
            path: mark.display().to_string(),
            source,
        })?;
        Ok(Some(summary))
    }
}

pub(crate) fn run(arguments: &Demo) -> Result<Exit, CliError> {
    let filled = arguments
        .story
        .fill(&arguments.data, arguments.room, &arguments.master)?;
    output::answer(arguments.json, &filled, || text(filled.as_ref()))?;
    Ok(Exit::Done)
}

fn text(filled: Option<&DemoSummary>) -> String {
    let Some(summary) = filled else {
        return "the folder holds its whole demonstration already".to_owned();
    };
    format!(
        "{} commands, {} of them known before and {} refused as the demonstration means them to \
         be; {} events",
        summary.commands, summary.replayed, summary.refused, summary.events
    )
}
