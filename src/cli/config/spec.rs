//! The configuration from every side: which source wins, what is refused, what is documented.

#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use clap::{Args as _, FromArgMatches as _};

use super::{
    flags::{Documented, documented},
    read::{Configuration, Flags, Origin, read},
    show,
};

/// A file, variables and flags.
#[derive(Default)]
struct Sources {
    folder: Option<tempfile::TempDir>,
    file: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    flags: BTreeMap<String, String>,
}

impl Sources {
    fn file(mut self, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.toml");
        fs::write(&path, text).unwrap();
        (self.folder, self.file) = (Some(folder), Some(path));
        self
    }

    fn variable(mut self, name: &str, text: &str) -> Self {
        self.variables.insert(name.to_owned(), text.to_owned());
        self
    }

    fn flag(mut self, name: &str, text: &str) -> Self {
        self.flags.insert(name.to_owned(), text.to_owned());
        self
    }

    fn read(&self) -> Result<Configuration, Vec<String>> {
        let flags = Flags {
            file: self.file.clone(),
            values: self.flags.clone(),
        };
        let variable = |name: &str| self.variables.get(name).cloned();
        let read = read(&flags, &variable);
        read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[track_caller]
    fn problems(&self) -> Vec<String> {
        self.read().err().unwrap_or_default()
    }
}

fn sources() -> Sources {
    Sources::default()
}

fn origin(configuration: &Configuration, key: &str) -> Origin {
    let found = configuration
        .shown
        .iter()
        .find(|one| one.entry.key() == key);
    found.unwrap().origin.clone()
}

#[test]
fn flags_go_before_variables_and_those_before_the_file() {
    let given = sources().file("[limits]\ndepth_max = 3\naliases_max = 4\ncost_max = 5\n");
    let given = given
        .variable("DAYBOOK_LIMITS_DEPTH_MAX", "6")
        .variable("DAYBOOK_LIMITS_ALIASES_MAX", "7")
        .flag("limits-depth-max", "8");
    let read = given.read().unwrap();
    let limits = &read.settings.limits;
    assert_eq!(
        (limits.depth_max, limits.aliases_max, limits.cost_max),
        (8, 7, 5)
    );
    assert_eq!(limits.tokens_max, 5_000);
    let flag = Origin::Flag("limits-depth-max".to_owned());
    assert_eq!(origin(&read, "limits.depth_max"), flag);
    let variable = Origin::Variable("DAYBOOK_LIMITS_ALIASES_MAX".to_owned());
    assert_eq!(origin(&read, "limits.aliases_max"), variable);
    let key = "limits.cost_max".to_owned();
    let file = Origin::File(given.file.clone().unwrap(), key);
    assert_eq!(origin(&read, "limits.cost_max"), file);
    assert_eq!(origin(&read, "limits.tokens_max"), Origin::Default);
}

#[test]
fn values_have_their_forms() {
    let read = sources()
        .file(
            "[server]\nlisten = \"localhost:90\"\nhead_bytes_max = \"64KiB\"\ngrace = 3\n\
             origins = [\"https://a.example\", \"https://b.example\"]\nquery_time_max = \"250ms\"\n\
             tls.certificate = \"c.pem\"\ntls.key = \"k.pem\"\n\
             [graphql]\nintrospection = false\n[log]\nformat = \"json\"\n",
        )
        .read()
        .unwrap();
    let server = &read.settings.server;
    assert_eq!(server.listen.to_string(), "127.0.0.1:90");
    assert_eq!(server.head_bytes_max, 65_536);
    assert_eq!(server.grace, Duration::from_secs(3));
    assert_eq!(server.query_time_max, Duration::from_millis(250));
    assert_eq!(server.origins, ["https://a.example", "https://b.example"]);
    assert!(!read.settings.graphql.introspection);
    assert_eq!(read.settings.tls.key, Some("k.pem".into()));
    assert!(read.is_given("server.listen") && !read.is_given("server.drain_time_max"));
}

#[test]
fn an_empty_variable_says_nothing() {
    let read = sources().variable("DAYBOOK_LISTEN", "").read().unwrap();
    assert_eq!(read.settings.server.listen, super::DEFAULT_ADDRESS);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let given = sources()
        .file(
            "colour = 1\n[server]\nlissten = \"127.0.0.1:1\"\nbody_bytes_max = -1\n\
             connections_max = true\n[sever]\n[limits]\ndepth_max = 61\n[rates.x]\ny = [1]\n",
        )
        .variable("DAYBOOK_GRACE", "soon")
        .flag("log-format", "xml");
    let problems = given.problems();
    let expected: [&[&str]; 9] = [
        &[
            "`true`",
            "server.connections_max in",
            "a number from 1 to 1000000",
        ],
        &["`-1`", "server.body_bytes_max", "bytes from 1KiB to 64MiB"],
        &[
            "`soon`",
            "server.grace (environment DAYBOOK_GRACE)",
            "500ms, 10s or 2m",
        ],
        &["`61`", "limits.depth_max in", "a number from 1 to 60"],
        &["`xml`", "log.format (flag --log-format)", "text or json"],
        &["unknown key `colour`", "nearest known ones are"],
        &["unknown key `rates.x.y`"],
        &["unknown key `server.lissten`", "are server.listen,"],
        &["unknown key `sever`"],
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, words) in problems.iter().zip(expected) {
        for word in words {
            assert!(problem.contains(word), "{word:?} is not in {problem:?}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let mut absent = sources();
    absent.file = Some("/nowhere/daybook.toml".into());
    assert!(absent.problems()[0].starts_with("cannot read `/nowhere/daybook.toml`"));
    let broken = sources().file("[server\nlisten = 1\n").flag("grace", "x");
    let problems = broken.problems();
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(
        problems[0].contains("is no toml") && problems[0].contains("line 1"),
        "{problems:?}"
    );
}

#[test]
fn settings_must_go_together() {
    let alone = sources().flag("tls-key", "k.pem").problems();
    assert!(alone[0].contains("go together"), "{alone:?}");
    let small = sources().flag("rates-cost-burst", "49999").problems();
    assert!(
        small[0].contains("rates.cost_burst (49999) is less than"),
        "{small:?}"
    );
    let unlimited = sources().flag("rates-cost-burst", "1");
    assert!(unlimited.flag("rates-cost-per-second", "0").read().is_ok());
}

const TOKEN: &str = "0123456789abcdef-secret";

#[test]
fn a_secret_comes_by_a_file_or_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, format!("{TOKEN}\n")).unwrap();
    let path = path.to_str().unwrap();
    let ways = [
        sources().variable("DAYBOOK_METRICS_TOKEN", TOKEN),
        sources().variable("DAYBOOK_METRICS_TOKEN_FILE", path),
        sources().flag("metrics-token-file", path),
        sources().file(&format!("[server]\nmetrics_token_file = {path:?}\n")),
    ];
    for way in ways {
        let read = way.read().unwrap();
        let token = read.settings.server.metrics_token.as_ref().unwrap();
        assert_eq!(token.reveal(), TOKEN);
        let shown = show::toml(&read.shown) + &show::json(&read.shown).to_string();
        assert!(!shown.contains(TOKEN) && shown.contains("***"), "{shown}");
        assert!(!format!("{read:?}").contains(TOKEN));
    }
}

#[test]
fn a_secret_is_never_shown_nor_taken_from_the_open() {
    let open = sources().file(&format!("[server]\nmetrics_token = \"{TOKEN}\"\n"));
    let twice = sources()
        .variable("DAYBOOK_METRICS_TOKEN", TOKEN)
        .variable("DAYBOOK_METRICS_TOKEN_FILE", "x");
    let short = sources().variable("DAYBOOK_METRICS_TOKEN", "hunter2");
    let absent = sources().flag("metrics-token-file", "/nowhere/token");
    let told = [
        (open, "holds the secret `server.metrics_token`"),
        (
            twice,
            "by environment DAYBOOK_METRICS_TOKEN_FILE: one of them must go",
        ),
        (short, "the secret is not allowed"),
        (absent, "the file `/nowhere/token` of the secret"),
    ];
    for (given, words) in told {
        let problems = given.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(words), "{problems:?}");
        assert!(!problems[0].contains(TOKEN) && !problems[0].contains("hunter2"));
    }
    let broken = sources().file(&format!("[server]\nmetrics_token = {TOKEN}\n"));
    let problems = broken.problems();
    assert!(problems[0].contains("is no toml: line 2: "), "{problems:?}");
    assert!(!problems[0].contains(TOKEN), "{problems:?}");
    assert!(!flags().any(|flag| flag == "metrics-token"));
}

fn flags() -> impl Iterator<Item = String> {
    let command = Flags::augment_args(clap::Command::new("x"));
    let flags: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_long().map(str::to_owned))
        .collect();
    flags.into_iter()
}

#[test]
fn flags_are_read_from_the_command_line() {
    let command = Flags::augment_args(clap::Command::new("x"));
    let line = [
        "x",
        "--listen",
        "[::1]:1",
        "--tls-key",
        "k",
        "--config",
        "c.toml",
    ];
    let matches = command.try_get_matches_from(line).unwrap();
    let flags = Flags::from_arg_matches(&matches).unwrap();
    assert_eq!(flags.file, Some("c.toml".into()));
    assert_eq!(flags.values["listen"], "[::1]:1");
    assert_eq!(flags.values.len(), 2);
}

#[test]
fn every_default_is_allowed_and_what_is_shown_can_be_read() {
    let first = sources().read().unwrap();
    let text = show::toml(&first.shown);
    let again = sources().file(&text).read().unwrap();
    for (one, other) in first.shown.iter().zip(&again.shown) {
        assert_eq!(one.value, other.value, "{}", one.entry.key());
        let expected = one.value.is_some();
        assert_eq!(
            other.origin != Origin::Default,
            expected,
            "{}",
            one.entry.key()
        );
    }
    assert!(
        text.contains("listen = \"127.0.0.1:8080\" # default\n"),
        "{text}"
    );
}

/// The table of the README as it should be.
fn table() -> String {
    let mut text = "| key in the file | flag | default | takes | what it is for |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    for one in documented() {
        let Documented {
            entry,
            default,
            allowed,
            secret,
            ..
        } = one;
        // What a value looks like is told once, before the table.
        let allowed = allowed.split(" such as").next().unwrap_or_default();
        let allowed = allowed.trim_end_matches(',');
        let file = if secret { ("_file", "-file") } else { ("", "") };
        let default = default.map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
        text += &format!(
            "| `{}{}` | `--{}{}` | {default} | {allowed} | {} |\n",
            entry.key(),
            file.0,
            entry.flag(),
            file.1,
            entry.help.replace('|', "\\|"),
        );
    }
    text
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let expected = table();
    assert!(
        readme.contains(&expected),
        "the README should hold:\n{expected}"
    );
}
