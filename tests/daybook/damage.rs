//! Whatever is done to the files of a company: the program never panics, says what is wrong, and
//! never shows a record that is shorter or different without saying so.

use std::{
    fmt, fs, iter,
    path::{Path, PathBuf},
    process::Output,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{
    books::{BEGINNING, code_of, company, copy, daybook, done},
    server::{Ended, Server, serving},
};

const CASES: u64 = 200;

/// A company, what is known of it, and a backup.
struct Original {
    room: TempDir,
    head: Value,
    commits: Value,
}

impl Original {
    fn new() -> Self {
        let room = tempdir().unwrap();
        let books = room.path().join("books");
        company(&books, 400);
        let backup = room.path().join("backup");
        done(&books, &["backup", "--to", backup.to_str().unwrap()]);
        // sled writes its own snapshot when it opens a log that has grown.
        let report = done(&books, &["verify"]);
        let (head, commits) = (report["head"].clone(), report["commits"].clone());
        assert_eq!(commits, 400 + BEGINNING);
        Self {
            room,
            head,
            commits,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    fn case(&self, number: u64) -> Case {
        let weighted = DAMAGES
            .iter()
            .flat_map(|damage| iter::repeat_n(damage, damage.1));
        let turn = usize::try_from(number).unwrap();
        let (what, _, archive_is_whole, damage) = weighted.cycle().nth(turn).unwrap();
        let folder = self.at(&format!("case-{number}"));
        copy(&self.at("books"), &folder);
        damage(&folder, &mut Dice(number));
        Case {
            number,
            what,
            archive_is_whole: *archive_is_whole,
            folder,
        }
    }

    /// Looks at a damaged copy in every way; tells whether `verify` found it whole.
    fn survives(&self, number: u64) -> bool {
        let case = self.case(number);
        let whole = self.verifies(&case);
        // The damages come round every 25 cases, so these meet all of them in turn.
        if number % 13 == 5 {
            self.restores(&case);
        }
        if number % 19 == 3 {
            self.serves(&case);
        }
        fs::remove_dir_all(&case.folder).unwrap();
        whole
    }

    fn verifies(&self, case: &Case) -> bool {
        let folder = case.folder.to_str().unwrap();
        let output = quiet(case, &["verify", "--json", "--data", folder]);
        let said = String::from_utf8(output.stderr).unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        match output.status.code() {
            Some(0) => {
                assert_eq!(report["whole"], true, "{case}: {report}");
                self.is_whole(case, &report);
                return true;
            }
            Some(3) if report.is_object() => {
                let what = report["findings"][0]["what"].as_str();
                assert!(
                    what.is_some_and(|what| !what.is_empty()),
                    "{case}: {report}"
                );
            }
            Some(1 | 3) => assert!(code_of(&said).is_some(), "{case}: {said}"),
            other => panic!("{case}: ended with {other:?}: {said}"),
        }
        false
    }

    #[track_caller]
    fn is_whole(&self, case: &Case, report: &Value) {
        assert_eq!(report["head"], self.head, "{case}: {report}");
        assert_eq!(report["commits"], self.commits, "{case}: {report}");
    }

    /// The archive gives the same log again, and where that was damaged, the backup does.
    fn restores(&self, case: &Case) {
        let to = self.at(&format!("restored-{}", case.number));
        let restore = |from: &Path| {
            let (from, to) = (from.to_str().unwrap(), to.to_str().unwrap());
            quiet(case, &["restore", "--json", "--from", from, "--to", to])
        };
        let output = restore(&case.folder);
        let said = String::from_utf8(output.stderr).unwrap();
        if output.status.code() != Some(0) {
            assert!(!case.archive_is_whole, "{case}: {said}");
            assert!(code_of(&said).is_some(), "{case}: {said}");
            assert!(!to.exists(), "{case}: half a log was left behind");
            assert_eq!(restore(&self.at("backup")).status.code(), Some(0), "{case}");
        }
        self.is_whole(case, &done(&to, &["verify"]));
        fs::remove_dir_all(&to).unwrap();
    }

    /// After a server, everything derived is whole again.
    fn is_mended(&self, case: &Case) {
        let report = done(&case.folder, &["verify"]);
        self.is_whole(case, &report);
        assert_eq!(report["whole"], true, "{case}: {report}");
    }

    /// Either the server says what is wrong, or it answers from the whole record, and mends what
    /// is derived.
    fn serves(&self, case: &Case) {
        let said = match Server::run(serving(&case.folder, &[])) {
            Ok(server) => {
                let answer = server.graphql("{ status { head } customers { totalCount } }");
                let head = self.head["position"].to_string();
                assert_eq!(answer["data"]["status"]["head"], head, "{case}");
                assert_eq!(answer["data"]["customers"]["totalCount"], "400", "{case}");
                let said = server.said();
                assert_eq!(server.end(), Some(0), "{case}: {said}");
                self.is_mended(case);
                said
            }
            Err(Ended { code, said }) => {
                assert!(matches!(code, Some(1 | 3)), "{case}: {code:?} {said}");
                assert!(code_of(&said).is_some(), "{case}: {said}");
                said
            }
        };
        assert!(!said.contains("panicked"), "{case}: {said}");
    }
}

/// Runs the program, which must not panic.
fn quiet(case: &Case, arguments: &[&str]) -> Output {
    let output = daybook(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{case}: {said}");
    output
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

fn flip(path: &Path, dice: &mut Dice) {
    let mut bytes = fs::read(path).unwrap();
    let at = dice.below(u64::try_from(bytes.len()).unwrap());
    bytes[usize::try_from(at).unwrap()] ^= 1 << dice.below(8);
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, dice: &mut Dice) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(dice.below(length)).unwrap();
}

/// Writes zeros over one page of the disk.
fn clear(path: &Path, dice: &mut Dice) {
    let mut bytes = fs::read(path).unwrap();
    let pages = u64::try_from(bytes.len() / 4096).unwrap();
    let at = usize::try_from(dice.below(pages) * 4096).unwrap();
    bytes[at..at + 4096].fill(0);
    fs::write(path, bytes).unwrap();
}

/// The first file of a folder whose name begins so.
fn file(folder: &Path, inner: &str, start: &str) -> PathBuf {
    let mut found: Vec<_> = fs::read_dir(folder.join(inner))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(start)
        })
        .collect();
    found.sort();
    found.swap_remove(0)
}

fn data(folder: &Path) -> PathBuf {
    folder.join("log/sled/db")
}

fn snapshot(folder: &Path) -> PathBuf {
    file(folder, "log/sled", "snap.")
}

fn piece(folder: &Path) -> PathBuf {
    file(folder, "log/archive", "0")
}

fn index(folder: &Path) -> PathBuf {
    folder.join("log/index.sqlite")
}

type Damage = fn(&Path, &mut Dice);

/// What is done to a folder, in how many of a round of cases, and whether the folder's own archive
/// must still give the whole log. The data file is hit most often, because it is the greatest.
const DAMAGES: [(&str, usize, bool, Damage); 17] = [
    ("a bit of the data file flips", 6, true, |folder, dice| {
        flip(&data(folder), dice)
    }),
    ("the data file is cut", 3, true, |folder, dice| {
        cut(&data(folder), dice)
    }),
    (
        "a page of the data file is lost",
        3,
        true,
        |folder, dice| clear(&data(folder), dice),
    ),
    ("the data file is lost", 1, true, |folder, _| {
        fs::remove_file(data(folder)).unwrap()
    }),
    ("sled is lost", 1, true, |folder, _| {
        fs::remove_dir_all(folder.join("log/sled")).unwrap()
    }),
    ("a bit of sled's settings flips", 1, true, |folder, dice| {
        flip(&folder.join("log/sled/conf"), dice);
    }),
    ("a bit of the snapshot flips", 1, true, |folder, dice| {
        flip(&snapshot(folder), dice)
    }),
    ("the snapshot is cut", 1, true, |folder, dice| {
        cut(&snapshot(folder), dice)
    }),
    ("the snapshot is lost", 1, true, |folder, _| {
        fs::remove_file(snapshot(folder)).unwrap()
    }),
    ("a bit of the index flips", 1, true, |folder, dice| {
        flip(&index(folder), dice)
    }),
    ("the index is cut", 1, true, |folder, dice| {
        cut(&index(folder), dice)
    }),
    ("the index is lost", 1, true, |folder, _| {
        fs::remove_file(index(folder)).unwrap()
    }),
    ("a bit of the archive flips", 1, false, |folder, dice| {
        flip(&piece(folder), dice)
    }),
    ("the archive is cut", 1, false, |folder, dice| {
        cut(&piece(folder), dice)
    }),
    ("a bit of the head record flips", 1, true, |folder, dice| {
        flip(&folder.join("log/head"), dice);
    }),
    ("a bit of the format flips", 1, false, |folder, dice| {
        flip(&folder.join("log/FORMAT"), dice)
    }),
    ("a bit of the identity flips", 1, true, |folder, dice| {
        flip(&folder.join("daybook.json"), dice);
    }),
];

/// A damaged copy.
struct Case {
    number: u64,
    what: &'static str,
    archive_is_whole: bool,
    folder: PathBuf,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "case {}, {}", self.number, self.what)
    }
}

#[test]
fn two_hundred_damages_are_told_or_mended() {
    let original = Original::new();
    let (next, whole) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    if case >= CASES {
                        break;
                    }
                    whole.fetch_add(original.survives(case).into(), Ordering::Relaxed);
                }
            });
        }
    });
    let whole = whole.into_inner();
    assert!(
        (1..CASES * 3 / 4).contains(&whole),
        "{whole} of {CASES} were found whole"
    );
}
