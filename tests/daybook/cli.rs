//! The program as its users meet it: arguments, exit codes, stdout and stderr, signals.

use std::{fs, net::TcpListener, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    books::{code_of, daybook},
    secrets,
    server::{PROGRAM, Server},
};

/// Runs a sub-command on a folder, expects an exit code, and gives what it said on stdout.
#[track_caller]
fn expect(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let folder = folder.to_str().unwrap();
    let output = daybook(&[arguments, &["--data", folder]].concat());
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {complaint}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Expects a sub-command to fail with an exit code and a stable code.
#[track_caller]
fn refused(exit: i32, code: &str, arguments: &[&str]) -> String {
    let output = daybook(arguments);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        output.status.code(),
        Some(exit),
        "{arguments:?}: {complaint}"
    );
    let first = complaint.lines().find(|line| line.starts_with("error: "));
    assert!(
        first.is_some_and(|line| line.ends_with(&format!("({code})"))),
        "{complaint}"
    );
    complaint
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Registers a customer; what is asked next is answered from a position that has it.
fn register_customer(server: &Server) {
    let answer = server.graphql(REGISTER);
    assert_eq!(answer["errors"], Value::Null, "{answer}");
    server.saw(&answer["data"]["registerCustomer"]["receipt"]["position"]);
}

/// A folder with a founded organisation and one customer.
fn organisation(folder: &Path) {
    let server = Server::start(folder);
    register_customer(&server);
    assert_eq!(server.end(), Some(0));
}

const REGISTER: &str = r#"mutation {
    registerCustomer(input: { details: { name: "Acme", customerType: COMPANY }, contacts: [] }) {
        receipt { position }
    }
}"#;

#[test]
fn a_server_answers_and_ends_in_order() {
    let folder = tempdir().unwrap();
    let server = Server::start(folder.path());
    for probe in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(server.ask("GET", probe, "").0, 200, "{probe}");
    }
    register_customer(&server);
    let answer = server.graphql("{ commits(newestFirst: true, first: 1) { nodes { actor } } }");
    assert_eq!(answer["data"]["commits"]["nodes"][0]["actor"], "li.wei");
    let (_, metrics) = server.ask("GET", "/metrics", "");
    assert!(metrics.contains("daybook_log_head_position"), "{metrics}");

    let data = folder.path().to_str().unwrap();
    for command in [["log", "show"].as_slice(), &["verify"], &["rebuild"]] {
        let complaint = refused(4, "LOG_LOCKED", &[command, &["--data", data]].concat());
        assert!(complaint.contains("\nhint: "), "{complaint}");
    }

    assert_eq!(server.end(), Some(0));
    let commands = ["log", "show", "--json", "--command", "RegisterCustomer"];
    let shown = lines(&expect(0, folder.path(), &commands));
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["actor"], "li.wei");
    let types: Vec<_> = shown[0]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["type"])
        .collect();
    assert!(types.contains(&&json!("CustomerRegistered")), "{types:?}");
}

#[test]
fn the_log_is_filtered_and_its_tail_shown() {
    let folder = tempdir().unwrap();
    organisation(folder.path());
    let show = |arguments: &[&str]| {
        let arguments = [&["log"], arguments, &["--json"]].concat();
        lines(&expect(0, folder.path(), &arguments))
    };
    let all = show(&["show"]);
    let positions: Vec<_> = all
        .iter()
        .map(|commit| commit["position"].as_u64().unwrap())
        .collect();
    assert_eq!(
        positions,
        Vec::from_iter(1..=u64::try_from(all.len()).unwrap())
    );
    assert_eq!(show(&["show", "--after", "1", "--first", "2"]), all[1..3]);
    assert_eq!(show(&["tail", "--last", "2"]), all[all.len() - 2..]);
    assert_eq!(show(&["show", "--actor", "li.wei"]), all);
    assert!(show(&["show", "--actor", "zhao.min"]).is_empty());
    let registered = ["show", "--command", "RegisterCustomer"];
    assert_eq!(show(&registered), all[all.len() - 1..]);
    assert_eq!(show(&["show", "--type", "OrganisationFounded"]), all[..1]);
    assert_eq!(show(&["show", "--stream", "policy-stock.default"]).len(), 1);
    assert!(show(&["show", "--refused"]).is_empty());
    let text = expect(0, folder.path(), &["log", "tail", "--last", "1"]);
    assert!(text.contains("RegisterCustomer  by li.wei\n    "), "{text}");
}

#[test]
fn a_folder_is_verified_rebuilt_backed_up_and_restored() {
    let room = tempdir().unwrap();
    let at = |name: &str| room.path().join(name);
    let books = at("books");
    organisation(&books);
    assert_eq!(
        parsed(&expect(0, &books, &["verify", "--json"]))["whole"],
        true
    );
    assert_eq!(
        parsed(&expect(0, &books, &["rebuild", "--json"]))["equal"],
        true
    );

    let (backup, restored) = (at("backup"), at("restored"));
    let (to, target) = (backup.to_str().unwrap(), restored.to_str().unwrap());
    expect(0, &books, &["backup", "--to", to]);
    let again = parsed(&expect(0, &books, &["backup", "--json", "--to", to]));
    let restore = ["restore", "--json", "--from", to, "--to", target];
    let output = daybook(&restore);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(
        parsed(&String::from_utf8(output.stdout).unwrap())["head"],
        again["head"]
    );
    refused(1, "LOG_NOT_USABLE", &restore);

    let show = |folder: &Path| expect(0, folder, &["log", "show", "--json"]);
    // A backup does not hold the master key.
    let unlock = |folder: &Path| fs::copy(books.join("master.key"), folder.join("master.key"));
    unlock(&restored).unwrap();
    assert_eq!(show(&books), show(&restored));
    organisation(&restored);
    let equal = parsed(&expect(0, &restored, &["rebuild", "--json"]));
    assert_eq!(equal["equal"], true, "{equal}");

    let early = at("early");
    let arguments = [
        "restore",
        "--from",
        to,
        "--until",
        "2",
        "--to",
        early.to_str().unwrap(),
    ];
    assert_eq!(daybook(&arguments).status.code(), Some(0));
    unlock(&early).unwrap();
    assert_eq!(lines(&show(&early)), lines(&show(&books))[..2]);
}

#[test]
fn damage_is_found() {
    let folder = tempdir().unwrap();
    organisation(folder.path());
    let archive = fs::read_dir(folder.path().join("log/archive")).unwrap();
    let piece = archive
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    let mut bytes = fs::read(&piece).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&piece, bytes).unwrap();
    let report = parsed(&expect(3, folder.path(), &["verify", "--json"]));
    assert_eq!(report["whole"], false);
    assert_eq!(report["findings"][0]["area"], "archive", "{report}");
}

#[test]
fn what_cannot_be_done_is_told_and_leaves_nothing_behind() {
    let room = tempdir().unwrap();
    let nowhere = room.path().join("nowhere");
    let data = nowhere.to_str().unwrap();
    for command in [["log", "show"].as_slice(), &["verify"], &["rebuild"]] {
        refused(
            1,
            "DATA_FOLDER_MISSING",
            &[command, &["--data", data]].concat(),
        );
    }
    refused(
        1,
        "DATA_FOLDER_MISSING",
        &["backup", "--to", data, "--data", data],
    );
    refused(
        1,
        "LOG_NOT_USABLE",
        &["restore", "--from", data, "--to", data],
    );
    let open_to_all = ["serve", "--listen", "0.0.0.0:0", "--data", data];
    refused(2, "LISTEN_NOT_LOOPBACK", &open_to_all);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        4,
        "LISTEN_FAILED",
        &["serve", "--listen", &address, "--data", data],
    );
    assert!(!nowhere.exists());
}

#[test]
fn arguments_that_make_no_sense_are_named_and_nothing_is_begun() {
    let room = tempdir().unwrap();
    let nowhere = room.path().join("nowhere");
    let data = nowhere.to_str().unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["sell"], "'sell'"),
        (&["serve", "--port", "80", "--data", data], "'--port'"),
        (
            &["serve", "--min-free-space", "1GB", "--data", data],
            "'1GB'",
        ),
        (&["serve", "--currency", "euro", "--data", data], "'euro'"),
        (&["log", "show", "--after", "-1", "--data", data], "-1"),
        (
            &["import", "--mapping", "m.toml", "--data", data],
            "<FILE>...",
        ),
        (&["restore", "--from", data], "--to <DIR>"),
        (&["backup", "--too", data, "--data", data], "'--too'"),
        (&["verify", "everything", "--data", data], "'everything'"),
    ];
    for (arguments, words) in cases {
        let output = daybook(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(words), "`{words}` in {complaint}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let mut command = Command::new(PROGRAM);
    let serve = command.env("DAYBOOK_LOG", "loud=very=much");
    let output = secrets::run(serve.args(["serve", "--data", data]));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert_eq!(
        code_of(&complaint),
        Some("LOG_FILTER_INVALID"),
        "{complaint}"
    );
    assert!(!nowhere.exists());
}

#[test]
fn exit_codes_are_told_as_they_are_documented() {
    let help = String::from_utf8(daybook(&["--help"]).stdout).unwrap();
    let (_, codes) = help.split_once("Exit codes:").unwrap();
    let told: Vec<_> = codes
        .lines()
        .filter_map(|line| line.trim().chars().next())
        .collect();
    assert_eq!(told, ['0', '1', '2', '3', '4', '5']);
    let serve = String::from_utf8(daybook(&["serve", "--help"]).stdout).unwrap();
    assert!(serve.contains("--min-free-space <BYTES>"), "{serve}");
}

#[test]
fn the_schema_is_written_and_checked() {
    let folder = tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    refused(1, "SCHEMA_DIFFERS", &["schema", "--check", "--out", out]);
    assert_eq!(daybook(&["schema", "--out", out]).status.code(), Some(0));
    let check = ["schema", "--check", "--out", out];
    assert_eq!(daybook(&check).status.code(), Some(0));
    fs::write(folder.path().join("schema.graphql"), "type Query").unwrap();
    let complaint = refused(1, "SCHEMA_DIFFERS", &check);
    assert!(complaint.contains("schema.graphql"), "{complaint}");
}

#[test]
fn an_import_tells_how_many_rows_were_done_and_rejected() {
    let room = tempdir().unwrap();
    let path = |name: &str| room.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("crm.toml"), MAPPING).unwrap();
    fs::write(path("customers.csv"), "id,name\n1,Acme\n2,\n3,Zhongda\n").unwrap();
    let (mapping, customers) = (path("crm.toml"), path("customers.csv"));
    let (books, rejects) = (room.path().join("books"), path("rejects.csv"));
    let import = ["import", "--json", "--mapping", &mapping, &customers];

    let rehearsed = parsed(&expect(5, &books, &[&import[..], &["--dry-run"]].concat()));
    assert_eq!(rehearsed["steps"][0]["rejected"], 1, "{rehearsed}");
    assert!(!books.exists());
    let arguments = [&import[..], &["--rejects", &rejects]].concat();
    let counts = &parsed(&expect(5, &books, &arguments))["steps"][0]["commands"];
    assert_eq!(counts["RegisterCustomer"]["accepted"], 2, "{counts}");
    assert_eq!(fs::read_to_string(&rejects).unwrap().lines().count(), 2);

    fs::write(path("customers.csv"), "id,name\n1,Acme\n3,Zhongda\n").unwrap();
    let counts = &parsed(&expect(0, &books, &import))["steps"][0]["commands"];
    assert_eq!(counts["RegisterCustomer"]["replayed"], 2, "{counts}");
    fs::write(
        path("crm.toml"),
        MAPPING.replace("RegisterCustomer", "Sell"),
    )
    .unwrap();
    refused(1, "IMPORT_MAPPING_UNKNOWN_COMMAND", &import);
}

const MAPPING: &str = r#"
namespace = "crm"
[sources.customers]
[[steps]]
name = "customers"
source = "customers"
key = "{id}"
[[steps.commands]]
command = "RegisterCustomer"
fields = { details.name = "{name}", details.customerType = "company" }
"#;

#[test]
fn a_demonstration_is_filled_once() {
    let folder = tempdir().unwrap();
    let demo = ["demo", "--json", "--scale", "0.01"];
    let summary = parsed(&expect(0, folder.path(), &demo));
    assert!(summary["events"].as_u64().unwrap() > 100, "{summary}");
    assert_eq!(parsed(&expect(0, folder.path(), &demo)), Value::Null);
    let rebuild = || parsed(&expect(0, folder.path(), &["rebuild", "--json"]));
    assert_eq!(rebuild()["served"], Value::Null);
    assert_eq!(rebuild()["equal"], true);
    assert!(!expect(0, folder.path(), &["log", "show", "--refused"]).is_empty());
}
