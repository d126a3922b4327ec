//! `daybook rebuild`: builds the read models anew and compares them with those that served.

use clap::Args;
use daybook_app::{Comparison, rebuild_offline};
use serde::Serialize;

use crate::{
    arguments::{Folder, Json, Master},
    error::CliError,
    exit::Exit,
    output,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  daybook rebuild                            the read models in ./daybook-data
  daybook rebuild --json | jq .equal
";

/// Builds the read models of an organisation that is not open from its log, beside those that
/// serve, compares the two by a digest of their content, and puts the new ones in place.
///
/// Ends with code 3 when the two stood at the same position and differ.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    master: Master,
    #[command(flatten)]
    json: Json,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    /// Absent where there was nothing at the same position to compare with.
    equal: Option<bool>,
    position: u64,
    events: u64,
    digest: &'a str,
    served_position: Option<u64>,
    served_digest: Option<&'a str>,
}

pub(crate) fn run(arguments: &Rebuild) -> Result<Exit, CliError> {
    let mut progress = Progress::new("rebuilding the read models");
    let folder = &arguments.folder.data;
    let master = arguments.master.source();
    let compared = rebuild_offline(folder, &master, &mut |done, total| progress.at(done, total));
    progress.finish();
    let compared = compared?;
    let served = compared.served.as_ref();
    let answer = Answer {
        equal: compared.equal(),
        position: compared.rebuilt.position,
        events: compared.rebuilt.events,
        digest: &compared.rebuilt.digest,
        served_position: served.map(|(position, _)| *position),
        served_digest: served.map(|(_, digest)| digest.as_str()),
    };
    output::answer(arguments.json, &answer, || text(&compared))?;
    Ok(match compared.equal() {
        Some(false) => Exit::Damaged,
        Some(true) | None => Exit::Done,
    })
}

fn text(compared: &Comparison) -> String {
    let rebuilt = &compared.rebuilt;
    let verdict = match (&compared.served, compared.equal()) {
        (None, _) => "there were no read models of this version before".to_owned(),
        (Some(_), Some(true)) => "equal to the read models that served before".to_owned(),
        (Some((_, digest)), Some(false)) => {
            format!("NOT equal to the read models that served before, whose digest was {digest}")
        }
        (Some((position, _)), None) => {
            format!("not compared, since the read models before stood at position {position}")
        }
    };
    format!(
        "rebuilt up to position {}: {} events, digest {}\n{verdict}",
        rebuilt.position, rebuilt.events, rebuilt.digest
    )
}

#[cfg(test)]
mod tests {
    use daybook_app::Rebuilt;

    use super::{Comparison, text};

    fn compared(served: Option<(u64, &str)>) -> String {
        text(&Comparison {
            served: served.map(|(position, digest)| (position, digest.to_owned())),
            rebuilt: Rebuilt {
                position: 9,
                events: 12,
                digest: "d1".to_owned(),
                millis: 1,
            },
        })
    }

    #[test]
    fn the_verdict_says_whether_the_two_are_equal() {
        assert!(
            compared(Some((9, "d1"))).ends_with("\nequal to the read models that served before")
        );
        assert!(compared(Some((9, "d0"))).contains("NOT equal"));
        assert!(compared(Some((8, "d0"))).contains("not compared"));
        assert!(compared(None).contains("no read models of this version"));
    }
}
