//! Settings of the program: who wins, what is refused, what is shown.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::tempdir;

use crate::{
    books::code_of,
    secrets,
    server::{PROGRAM, Server, serving},
};

const TOKEN: &str = "a-token-that-nobody-shall-see";

/// Runs the program in a folder, with variables.
fn daybook(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(arguments);
    secrets::run(command.envs(variables.iter().copied()))
}

#[track_caller]
fn shown(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = daybook(folder, &[&["config"], arguments].concat(), variables);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], variables: &[(&str, &str)], code: &str) -> String {
    let output = daybook(folder, arguments, variables);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(code_of(&said), Some(code), "{said}");
    said
}

#[test]
fn each_value_is_shown_with_who_gave_it() {
    let folder = tempdir().unwrap();
    let file = "[server]\ngrace = \"1s\"\n[limits]\ndepth_max = 9\naliases_max = 8\n";
    fs::write(folder.path().join("daybook.toml"), file).unwrap();
    let variables = [("DAYBOOK_LIMITS_DEPTH_MAX", "7"), ("DAYBOOK_GRACE", "2s")];
    let text = shown(folder.path(), &["--grace", "3"], &variables);
    for line in [
        "listen = \"127.0.0.1:8080\" # default",
        "grace = \"3s\" # flag --grace",
        "depth_max = 7 # environment DAYBOOK_LIMITS_DEPTH_MAX",
        "aliases_max = 8 # limits.aliases_max in daybook.toml",
        "# key is not set # default",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line:?} is not in {text}"
        );
    }
    let json: Value = serde_json::from_str(&shown(folder.path(), &["--json"], &[])).unwrap();
    assert_eq!(json["limits.depth_max"]["value"], 9);
    assert_eq!(
        json["limits.depth_max"]["from"],
        "limits.depth_max in daybook.toml"
    );
    fs::write(folder.path().join("other.toml"), &text).unwrap();
    let again = shown(folder.path(), &[], &[("DAYBOOK_CONFIG", "other.toml")]);
    assert!(
        again.contains("grace = \"3s\" # server.grace in other.toml"),
        "{again}"
    );
}

#[test]
fn a_secret_is_masked_wherever_it_comes_from() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    let ways = [
        ("DAYBOOK_METRICS_TOKEN", TOKEN),
        ("DAYBOOK_METRICS_TOKEN_FILE", "token"),
    ];
    for way in ways {
        let text = shown(folder.path(), &[], &[way]);
        let line = format!("metrics_token = \"***\" # environment {}", way.0);
        assert!(text.contains(&line) && !text.contains(TOKEN), "{text}");
        let json = shown(folder.path(), &["--json"], &[way]);
        assert!(json.contains("***") && !json.contains(TOKEN), "{json}");
    }
    let output = daybook(folder.path(), &["config", "--metrics-token", TOKEN], &[]);
    assert_eq!(output.status.code(), Some(2), "no flag takes a secret");
}

#[test]
fn a_check_lists_everything_that_is_wrong() {
    let folder = tempdir().unwrap();
    let file = "[server]\nlissten = 1\nbody_bytes_max = \"much\"\nmetrics_token = \"a\"\n\
        [rates]\naddress_burst = 0\n";
    fs::write(folder.path().join("bad.toml"), file).unwrap();
    let arguments = ["config", "--check", "bad.toml"];
    let variables = [("DAYBOOK_QUERY_TIME_MAX", "never")];
    let said = refused(
        folder.path(),
        &arguments,
        &variables,
        "CONFIGURATION_INVALID",
    );
    for words in [
        "unknown key `server.lissten`; the nearest known ones are server.listen",
        "`much` is not allowed for server.body_bytes_max (server.body_bytes_max in bad.toml)",
        "holds the secret `server.metrics_token`: put it into a file",
        "`0` is not allowed for rates.address_burst",
        "`never` is not allowed for server.query_time_max (environment DAYBOOK_QUERY_TIME_MAX)",
    ] {
        assert!(said.contains(words), "{words:?} is not in {said}");
    }
    fs::write(
        folder.path().join("open.toml"),
        "[server]\nlisten = \"0.0.0.0:1\"\n",
    )
    .unwrap();
    let open = ["config", "--check", "open.toml"];
    let said = refused(folder.path(), &open, &[], "CONFIGURATION_INVALID");
    assert!(
        said.contains("0.0.0.0:1 is not a loopback address"),
        "{said}"
    );
    fs::write(folder.path().join("good.toml"), "[limits]\ndepth_max = 9\n").unwrap();
    let good = daybook(folder.path(), &["config", "--check", "good.toml"], &[]);
    assert_eq!(good.status.code(), Some(0), "{good:?}");
}

#[test]
fn a_server_does_not_start_with_what_it_does_not_understand() {
    let folder = tempdir().unwrap();
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
    let wrong = [
        (
            &["--rates-cost-burst", "1"][..],
            "rates.cost_burst (1) is less than",
        ),
        (&["--config", "absent.toml"], "cannot read `absent.toml`"),
        (&["--tls-key", "key.pem"], "go together"),
        (&["--log-format", "xml"], "text or json is expected"),
    ];
    for (arguments, words) in wrong {
        let arguments = [&serve[..], arguments].concat();
        let said = refused(folder.path(), &arguments, &[], "CONFIGURATION_INVALID");
        assert!(said.contains(words), "{said}");
    }
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let files = ["--tls-certificate", "empty.pem", "--tls-key", "empty.pem"];
    let arguments = [&serve[..], &files].concat();
    let said = refused(folder.path(), &arguments, &[], "CERTIFICATE_UNUSABLE");
    assert!(
        said.contains("`empty.pem` holds no usable certificate"),
        "{said}"
    );
    assert!(!folder.path().join("data").exists(), "nothing was founded");
}

#[test]
fn a_server_obeys_its_file() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("daybook.toml");
    let text = "[limits]\ndepth_max = 2\n[log]\nformat = \"json\"\n";
    fs::write(&file, text).unwrap();
    let mut command = serving(&folder.path().join("data"), &["--config"]);
    command.arg(&file);
    let server = Server::run(command).unwrap();
    let (status, answer) = server.ask(
        "POST",
        "/graphql",
        r#"{"query":"{ customers { nodes { name } } }"}"#,
    );
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer.contains("QUERY_TOO_COMPLEX") && answer.contains("3 of 2"),
        "{answer}"
    );
    assert!(server.said().starts_with('{'), "{}", server.said());
    assert_eq!(server.end(), Some(0));
}
