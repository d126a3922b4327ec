//! Imports that cannot be done, wholly or in part: what stands on stderr, in the rejects, and how
//! the program ends.

use std::{fs, path::Path};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::books::{code_of, daybook};

/// A folder with a mapping, a table and whatever else an import needs.
struct Import(TempDir);

const HEAD: &str = "namespace = \"crm\"\n[sources.customers]\n";
const STEP: &str = "[[steps]]\nname = \"customers\"\nsource = \"customers\"\nkey = \"{id}\"\n\
    [[steps.commands]]\ncommand = \"RegisterCustomer\"\n[steps.commands.fields]\n";
const NAME: &str = "details.name = \"{name}\"\n";
const TYPE: &str = "details.customerType = { column = \"type\", values = { c = \"company\" } }\n";
const TABLE: &[u8] = b"id,name,type\n1,Acme,c\n";

impl Import {
    fn of(mapping: &str, table: &[u8]) -> Self {
        let import = Self(tempdir().unwrap());
        fs::write(import.path("map.toml"), mapping).unwrap();
        fs::write(import.path("customers.csv"), table).unwrap();
        import
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs the import of some files; gives the exit code, what was said, and the rejects.
    fn run(&self, files: &[&str]) -> (Option<i32>, String, Vec<Value>) {
        let paths: Vec<_> = files.iter().map(|name| self.path(name)).collect();
        let (mapping, books) = (self.path("map.toml"), self.path("books"));
        let rejects = self.path("rejects.ndjson");
        let mut arguments = vec!["import", "--json", "--mapping", &mapping, "--data", &books];
        arguments.extend(["--rejects", &rejects]);
        arguments.extend(paths.iter().map(String::as_str));
        let output = daybook(&arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("panicked"), "{said}");
        let lines = fs::read_to_string(&rejects).unwrap_or_default();
        let rejects = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        (output.status.code(), said, rejects.collect())
    }

    /// Expects the import not to begin, by its code and words.
    #[track_caller]
    fn refused(&self, files: &[&str], code: &str, words: &str) {
        let (exit, said, _) = self.run(files);
        assert_eq!((exit, code_of(&said)), (Some(1), Some(code)), "{said}");
        assert!(said.contains(words), "`{words}` in {said}");
        let last = said
            .lines()
            .find(|line| line.ends_with(&format!("({code})")));
        assert!(last.is_some_and(|line| !line.starts_with(" (")), "{said}");
        let books = self.path("books");
        let founded = Path::new(&books).join("daybook.json").exists();
        let shown = daybook(&[
            "log",
            "show",
            "--command",
            "RegisterCustomer",
            "--data",
            &books,
        ]);
        assert!(
            !founded || shown.stdout.is_empty(),
            "{code}: rows were imported"
        );
    }
}

#[test]
fn broken_mappings_are_refused_at_their_place() {
    let good = format!("{HEAD}{STEP}{NAME}");
    let cases = [
        ("steps = [".to_owned(), "IMPORT_MAPPING_SYNTAX", "line 1"),
        (
            good.replace("key = ", "keys = "),
            "IMPORT_MAPPING_SYNTAX",
            "`keys`",
        ),
        (
            good.replace("RegisterCustomer", "Sell"),
            "IMPORT_MAPPING_UNKNOWN_COMMAND",
            "`Sell`",
        ),
        (
            good.replace("details.name", "details.nmae"),
            "IMPORT_MAPPING_UNKNOWN_FIELD",
            "`nmae`",
        ),
        (
            good.replace(NAME, "owner = \"li.wei\"\n"),
            "IMPORT_MAPPING_MISSING_FIELD",
            "`details`",
        ),
        (
            good.replace("source = \"customers\"", "source = \"people\""),
            "IMPORT_MAPPING_UNKNOWN_REFERENCE",
            "`people`",
        ),
        (
            good.replace("{name}", "{name"),
            "IMPORT_MAPPING_INVALID",
            "fields.details.name",
        ),
    ];
    for (mapping, code, words) in cases {
        let import = Import::of(&mapping, TABLE);
        import.refused(&["customers.csv"], code, words);
        assert!(!Path::new(&import.path("books")).exists(), "{code}");
    }
    let import = Import::of(&good, TABLE);
    fs::remove_file(import.path("map.toml")).unwrap();
    import.refused(&["customers.csv"], "FILE_UNUSABLE", "map.toml");
}

#[test]
fn files_that_cannot_be_imported_are_refused_whole() {
    let good = format!("{HEAD}{STEP}{NAME}");
    let grouped = good.replace("key = \"{id}\"", "group_by = \"{id}\"");
    let cases: [(&str, &[u8], &str, &str); 4] = [
        (
            &good,
            b"id,name,name\n1,a,b\n",
            "IMPORT_COLUMN_TWICE",
            "`name`",
        ),
        (&good, b"id,title\n1,a\n", "IMPORT_COLUMN_MISSING", "`name`"),
        (
            &good,
            b"id,na\xffme\n1,a\n",
            "IMPORT_HEADER_ENCODING",
            "not valid UTF-8",
        ),
        (
            &grouped,
            b"id,name\n1,a\n2,\xc3\x28\n",
            "IMPORT_ROW_UNREADABLE",
            "line 3",
        ),
    ];
    for (mapping, table, code, words) in cases {
        Import::of(mapping, table).refused(&["customers.csv"], code, words);
    }
    let import = Import::of(&good, TABLE);
    import.refused(
        &["map.toml", "customers.csv"],
        "IMPORT_FILE_UNUSED",
        "map.toml",
    );
    import.refused(&["nowhere.csv"], "IMPORT_FILE_UNUSABLE", "nowhere.csv");
    fs::create_dir(import.path("empty")).unwrap();
    import.refused(&["empty"], "IMPORT_FILE_MISSING", "`customers.csv`");
}

#[test]
fn broken_rows_go_to_the_rejects_and_the_others_are_done() {
    let table = b"id,name,type\n1,Acme,c\n2,short\n3,\xc3\x28,c\n4,,c\n5,Odd,x\n,Keyless,c\n\
        7,Zhongda,c\n";
    let import = Import::of(&format!("{HEAD}{STEP}{NAME}{TYPE}"), table);
    let (exit, said, rejects) = import.run(&["customers.csv"]);
    assert_eq!(exit, Some(5), "{said}");
    let found: Vec<_> = rejects
        .iter()
        .map(|reject| {
            (
                reject["line"].as_u64().unwrap(),
                reject["code"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        (3, "IMPORT_ROW_LENGTH"),
        (4, "IMPORT_ENCODING"),
        (5, "IMPORT_COMMAND_INVALID"),
        (6, "IMPORT_VALUE_UNMAPPED"),
        (7, "IMPORT_KEY_EMPTY"),
    ];
    assert_eq!(found, expected, "{rejects:?}");
    for reject in &rejects {
        assert!(
            reject["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
    }
    let books = import.path("books");
    let shown = daybook(&[
        "log",
        "show",
        "--json",
        "--command",
        "RegisterCustomer",
        "--data",
        &books,
    ]);
    assert_eq!(String::from_utf8(shown.stdout).unwrap().lines().count(), 2);
}
