//! Names that become paths. What an operator types on the command line is theirs; a name that
//! somebody else gave (in a mapping, in a folder of tables, in a backup, over HTTP) never leaves
//! the folder that it stands in.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use uuid::Uuid;

use crate::{
    books::{code_of, company, contents, copy, daybook, done},
    secrets,
    server::{PROGRAM, Server},
};

/// Stands in a file that nobody may be told of.
const MARK: &str = "Zhqxoutside";
/// Time for a sub-command that must not wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
const JSON: &str = "Content-Type: application/json\r\nAccept: application/json\r\n";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn mapping(file: &str) -> String {
    let file = Value::from(file);
    format!(
        "namespace = \"crm\"\n[sources.customers]\nfile = {file}\nformat = \"csv\"\n\
         [[steps]]\nname = \"customers\"\nsource = \"customers\"\nkey = \"{{id}}\"\n\
         [[steps.commands]]\ncommand = \"RegisterCustomer\"\n\
         [steps.commands.fields]\ndetails.name = \"{{name}}\"\n"
    )
}

/// A folder with tables, beside a file that is not among them.
struct Tables(TempDir);

impl Tables {
    fn new() -> Self {
        let room = tempdir().unwrap();
        fs::create_dir_all(room.path().join("tables/inner")).unwrap();
        let table = format!("id,name\n1,{MARK}\n");
        fs::write(room.path().join("secret.csv"), &table).unwrap();
        fs::write(room.path().join("tables/inner/own.csv"), "id,name\n1,Own\n").unwrap();
        Self(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Imports the folder by a mapping that reads a file of it; gives the exit and the code.
    fn import(&self, file: &str) -> (Option<i32>, Option<String>, String) {
        fs::write(self.path("map.toml"), mapping(file)).unwrap();
        let (map, books, tables) = (
            self.path("map.toml"),
            self.path("books"),
            self.path("tables"),
        );
        let arguments = ["import", "--mapping", text(&map), "--data", text(&books)];
        let output = daybook(&[&arguments[..], &[text(&tables)]].concat());
        let said = String::from_utf8(output.stderr).unwrap();
        let code = code_of(&said).map(str::to_owned);
        (output.status.code(), code, said)
    }

    fn holds_mark(&self) -> bool {
        let books = self.path("books");
        books.exists() && {
            let shown = daybook(&["log", "show", "--full", "--data", text(&books)]);
            String::from_utf8_lossy(&shown.stdout).contains(MARK)
        }
    }
}

#[test]
fn a_mapping_reads_nothing_outside_of_the_folder_of_its_files() {
    let tables = Tables::new();
    let secret = tables.path("secret.csv");
    let names = [
        "../secret.csv",
        "inner/../../secret.csv",
        text(&secret),
        "..",
        "/",
        "",
        "secret.csv\0.csv",
    ];
    for name in names {
        let (exit, code, said) = tables.import(name);
        assert_eq!(exit, Some(1), "{name:?}: {said}");
        assert_eq!(code.as_deref(), Some("IMPORT_MAPPING_INVALID"), "{said}");
    }
    assert!(!tables.path("books").exists());
    // A name that is no path on this system is the name of a file that is not there.
    for name in ["..\\secret.csv", "..%2fsecret.csv", "inner"] {
        let (exit, code, said) = tables.import(name);
        assert_eq!(exit, Some(1), "{name:?}: {said}");
        assert_eq!(code.as_deref(), Some("IMPORT_FILE_MISSING"), "{said}");
    }
    assert!(!tables.holds_mark());
    let (exit, _, said) = tables.import("inner/own.csv");
    assert_eq!(exit, Some(0), "{said}");
}

#[test]
fn a_link_among_tables_leads_nowhere_else() {
    let tables = Tables::new();
    symlink("../secret.csv", tables.path("tables/link.csv")).unwrap();
    symlink(
        tables.path("secret.csv"),
        tables.path("tables/absolute.csv"),
    )
    .unwrap();
    symlink("..", tables.path("tables/up")).unwrap();
    symlink("link.csv", tables.path("tables/chain.csv")).unwrap();
    pipe(&tables.path("tables/pipe.csv"));
    let names = [
        "link.csv",
        "absolute.csv",
        "up/secret.csv",
        "chain.csv",
        "pipe.csv",
    ];
    for name in names {
        let (exit, code, said) = tables.import(name);
        assert_eq!(exit, Some(1), "{name}: {said}");
        assert_eq!(
            code.as_deref(),
            Some("IMPORT_FILE_MISSING"),
            "{name}: {said}"
        );
    }
    assert!(!tables.holds_mark());
    symlink("inner/own.csv", tables.path("tables/near.csv")).unwrap();
    let (exit, _, said) = tables.import("near.csv");
    assert_eq!(exit, Some(0), "{said}");
}

/// A file that whoever reads waits for ever.
fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

/// The exit code of a sub-command, which must end by itself, and what it said.
fn ended(arguments: &[&str]) -> (Option<i32>, String) {
    let said = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdout(std::process::Stdio::null());
    let mut process = command.stderr(said.reopen().unwrap()).spawn().unwrap();
    let since = Instant::now();
    loop {
        if let Some(status) = process.try_wait().unwrap() {
            let said = fs::read_to_string(said.path()).unwrap();
            secrets::overheard("stderr", &said);
            return (status.code(), said);
        }
        if since.elapsed() > PATIENCE {
            let _ = process.kill();
            let _ = process.wait();
            panic!("{arguments:?} waits");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A backup of a company, and a file beside it that is none of its own.
struct Backups {
    room: TempDir,
    backup: PathBuf,
    secret: PathBuf,
}

impl Backups {
    fn new() -> Self {
        let room = tempdir().unwrap();
        let books = room.path().join("books");
        let backup = room.path().join("backup");
        let secret = room.path().join("secret");
        company(&books, 6);
        done(&books, &["backup", "--to", text(&backup)]);
        fs::write(&secret, MARK.repeat(100)).unwrap();
        Self {
            room,
            backup,
            secret,
        }
    }

    /// Restores a backup that somebody changed, and checks that nothing but what a restored folder
    /// has was written, and nothing of the secret. Gives the exit code and the words.
    fn restore(&self, name: &str, change: impl FnOnce(&Path)) -> (Option<i32>, String) {
        let from = self.room.path().join(format!("{name}-backup"));
        let to = self.room.path().join(format!("{name}/restored"));
        copy(&self.backup, &from);
        change(&from);
        let outcome = ended(&["restore", "--from", text(&from), "--to", text(&to)]);
        if to.exists() {
            let known = ["daybook.json", "keys", "log", "master.key"];
            for entry in fs::read_dir(&to).unwrap() {
                let entry = entry.unwrap().file_name().into_string().unwrap();
                assert!(known.contains(&entry.as_str()), "{name}: {entry}");
            }
            for (path, bytes) in contents(&to) {
                let kind = fs::symlink_metadata(&path).unwrap().file_type();
                assert!(kind.is_file(), "{name}: {}", path.display());
                assert!(!has(&bytes, MARK), "{name}: {}", path.display());
            }
        }
        let secret = fs::read_to_string(&self.secret).unwrap();
        assert_eq!(secret, MARK.repeat(100), "{name}");
        assert!(!outcome.1.contains(MARK), "{name}: {}", outcome.1);
        outcome
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn first_piece(backup: &Path) -> PathBuf {
    let pieces = contents(backup).into_keys();
    let mut pieces = pieces.filter(|path| path.extension().is_some_and(|end| end == "dba"));
    pieces.next().unwrap()
}

#[test]
fn a_backup_that_somebody_prepared_writes_and_reads_nothing_outside() {
    let backups = Backups::new();
    let secret = backups.secret.clone();
    assert_eq!(backups.restore("whole", |_| {}).0, Some(0));
    let (exit, said) = backups.restore("strange-entries", |backup| {
        let beside = first_piece(backup).parent().unwrap().to_owned();
        fs::create_dir(beside.join("..inner")).unwrap();
        fs::write(beside.join("..inner/file"), "x").unwrap();
        symlink(&secret, beside.join("link")).unwrap();
        symlink("/", backup.join("everything")).unwrap();
        fs::hard_link(&secret, beside.join("hard")).unwrap();
        pipe(&beside.join("pipe"));
    });
    assert_eq!(exit, Some(0), "{said}");
    let (exit, said) = backups.restore("linked-piece", |backup| {
        let piece = first_piece(backup).with_file_name("00000000000000009999.dba");
        symlink(&secret, piece).unwrap();
    });
    assert!(matches!(exit, Some(0 | 1 | 3)), "{exit:?} {said}");
    let (exit, said) = backups.restore("piece-twice", |backup| {
        let piece = first_piece(backup);
        fs::copy(&piece, piece.with_file_name("00000000000000000002.dba")).unwrap();
    });
    assert!(matches!(exit, Some(0 | 1 | 3)), "{exit:?} {said}");
    for (name, kind) in [("master.key", "linked"), ("keys", "folder")] {
        let (exit, said) = backups.restore(&format!("{kind}-{name}"), |backup| {
            let _ = fs::remove_dir_all(backup.join(name));
            symlink(&secret, backup.join(name)).unwrap();
        });
        assert!(matches!(exit, Some(0 | 1)), "{name}: {exit:?} {said}");
    }
}

#[test]
fn a_backup_whose_files_are_pipes_and_folders_is_refused_at_once() {
    let backups = Backups::new();
    let (exit, said) = backups.restore("piped-piece", |backup| {
        let piece = first_piece(backup);
        fs::remove_file(&piece).unwrap();
        pipe(&piece);
    });
    assert!(matches!(exit, Some(1 | 3)), "{exit:?} {said}");
    let (exit, said) = backups.restore("folder-piece", |backup| {
        let piece = first_piece(backup);
        fs::remove_file(&piece).unwrap();
        fs::create_dir(&piece).unwrap();
    });
    assert!(matches!(exit, Some(1 | 3)), "{exit:?} {said}");
    let (exit, said) = backups.restore("device-piece", |backup| {
        let piece = first_piece(backup);
        fs::remove_file(&piece).unwrap();
        symlink("/dev/zero", &piece).unwrap();
    });
    assert!(matches!(exit, Some(1 | 3)), "{exit:?} {said}");
    let (exit, said) = backups.restore("piped-key", |backup| {
        let _ = fs::remove_file(backup.join("master.key"));
        pipe(&backup.join("master.key"));
    });
    assert!(matches!(exit, Some(0 | 1)), "{exit:?} {said}");
}

#[test]
fn nothing_but_what_is_embedded_is_served() {
    let room = tempdir().unwrap();
    let books = room.path().join("books");
    let server = Server::start(&books);
    let paths = [
        "/../daybook.json",
        "/..%2fdaybook.json",
        "/%2e%2e/daybook.json",
        "/assets/../../daybook.json",
        "/assets/..%2f..%2fdaybook.json",
        "/assets/..%5c..%5cdaybook.json",
        "/assets/%2e%2e%2fdaybook.json",
        "/assets/page.js%00",
        "/assets//etc/passwd",
        "/assets/%2fetc%2fpasswd",
        "//etc/passwd",
        "/etc/passwd",
        "/%00",
        "/graphql/../daybook.json",
        "/daybook.json",
        "/log/FORMAT",
        "/master.key",
        "/security.ndjson",
        "/metrics/../../etc/passwd",
    ];
    for path in paths {
        let (status, body) = server.ask("GET", path, "");
        assert!(matches!(status, 400 | 404), "{path}: {status} {body}");
        for words in ["root:", "organisation", "daybook-log", "fn main"] {
            assert!(!body.contains(words), "{path}: {body}");
        }
    }
    let named = "Content-Disposition: attachment; filename=\"../../secret\"\r\n\
        X-Original-URL: /../daybook.json\r\nX-Rewrite-URL: /../daybook.json\r\n";
    let (status, body) = server.exchange("GET /livez", named, b"");
    assert!(status == 200 && !body.contains("organisation"), "{body}");
    assert_eq!(server.end(), Some(0));
}

fn create(house: &Path, name: &str) -> Value {
    let arguments = ["organisations", "create", "--json", "--organisation", name];
    let output = daybook(&[&arguments[..], &["--house", text(house)]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn house_server(house: &Path) -> Server {
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0", "--house", text(house)]);
    Server::run(command).unwrap()
}

#[test]
fn an_organisation_is_named_by_its_id_and_by_no_path() {
    let room = tempdir().unwrap();
    let house = room.path().join("house");
    let tea = create(&house, "Tea");
    let id = tea["organisation"].as_str().unwrap();
    // The folder of an organisation under a name that is not its own, from inside and outside.
    let outside = room.path().join("outside");
    company(&outside, 2);
    let [linked, copied] = [1, 2].map(|number| Uuid::from_u128(number << 64).to_string());
    let all = house.join("organisations");
    symlink(&outside, all.join(&linked)).unwrap();
    copy(&all.join(id), &all.join(&copied));
    let silk = create(&house, "Silk");
    let replaced = silk["organisation"].as_str().unwrap();
    fs::remove_dir_all(all.join(replaced)).unwrap();
    copy(&all.join(id), &all.join(replaced));
    let server = house_server(&house);
    let sign_in = |organisation: Value| {
        let body = json!({ "organisation": organisation, "login": "admin",
            "password": "correct horse battery" });
        let (head, body) = server.told("POST /session", JSON, body.to_string().as_bytes());
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body)
    };
    let names = [
        "../x",
        "/etc",
        "..%2fx",
        "\0",
        ".",
        "",
        &format!("{id}/../{id}"),
    ];
    for name in names.map(Value::from) {
        assert_eq!(sign_in(name.clone()).0, 400, "{name}");
        let text = name.as_str().unwrap().replace('\0', "%00");
        let bearer = format!("Authorization: Bearer dbk_{text}_x_y\r\n{JSON}");
        let (head, _) = server.told("POST /graphql", &bearer, b"{\"query\":\"{ me { id } }\"}");
        let status = head.split(' ').nth(1).unwrap();
        assert!(matches!(status, "400" | "401"), "{name}: {head}");
    }
    // What the house did not found is not there, whatever lies in its folder.
    for strange in [linked, copied] {
        assert_eq!(sign_in(Value::from(strange)).0, 401);
    }
    let (status, body) = sign_in(Value::from(replaced));
    assert_eq!(status, 500, "{body}");
    assert!(body.contains("internal error"), "{body}");
    assert!(
        server.said().contains("LOG_WRONG_ORGANISATION"),
        "{}",
        server.said()
    );
    assert_eq!(sign_in(Value::from(id)).0, 401);
    assert_eq!(server.end(), Some(0));
}
