//! Imports of small files, told as a user would run them.

mod files;
mod mapping;
mod real;
mod rejects;
mod totals;
mod values;

use std::path::PathBuf;

use daybook_schema::commit::{CommitMeta, Source};
use serde_json::Value;
use tempfile::TempDir;

use super::open;
use crate::{
    Organisation,
    import::{ImportError, ImportOptions, ImportSummary, Mapping, run},
};

/// Customers and what was said to them, as another system might export them.
const MAPPING: &str = r#"
namespace = "spec"

[defaults]
null = ["NULL"]
zone = "Asia/Shanghai"

[sources.customers]
[sources.calls]

[tables.people]
source = "people"
key = "{id}"

[sources.people]
file = "people.ndjson"

[[steps]]
name = "customers"
source = "customers"
key = "{id}"
join = [{ table = "people", key = "{owner}", name = "owner" }]
when = [{ column = "state", not_equals = "deleted" }]

[[steps.commands]]
command = "RegisterCustomer"
[steps.commands.fields]
details.name = "{name}"
details.customerType = { column = "kind", values = { "1" = "company", "2" = "person" } }
details.phone = "{phone}"
details.address.city = "{city}"
details.address.country = "China"
details.externalNumber = "{id}"
contacts = [{ name = "{contact}", title = "{title}" }]
owner = { template = "{owner.first} {owner.last}", as = "user" }

[[steps.commands]]
command = "GradeCustomer"
when = [{ column = "revenue", at_least = 1000000 }]
[steps.commands.fields]
customer = { id = "customer", key = "{id}" }
grade = "A"

[[steps]]
name = "calls"
source = "calls"
key = "{customer}/{@line}"
occurred_at = { column = "at", format = "%d.%m.%Y %H:%M" }
actor = { column = "by", as = "user" }

[[steps.commands]]
command = "LogInteraction"
[steps.commands.fields]
customer = { id = "customer", key = "{customer}" }
details.channel = { column = "channel", values = { P = "phone", E = "email" }, otherwise = "web" }
details.direction = "inbound"
details.summary = "{summary}"
details.participants = ["{with}"]
"#;

const CUSTOMERS: &str = "id,name,kind,phone,city,contact,title,owner,revenue,state
1,晨光文具,1,021-100,上海,王芳,经理,7,2500000,
2,\"Müller, \"\"Söhne\"\" KG\",1,NULL,Berlin,,,8,999999.99,
3,Gone,1,,,,,,,deleted
4,Li Wei,2,010-200,,,,,,
";
const CALLS: &str = "customer,at,by,channel,summary,with
1,01.03.2026 09:30,Zhang San,P,Asked for a price,王芳
1,02.03.2026 10:00,,E,\"Two
lines\",
2,03.03.2026 00:15,Zhang San,X,Via the shop,
";
const PEOPLE: &str = r#"{"id": 7, "first": "Li", "last": "Na"}

{"id": "8", "first": "Zhao", "last": null}
"#;

struct Import {
    folder: TempDir,
    organisation: Option<Organisation>,
}

impl Import {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (organisation, _) = open(&folder.path().join("data"));
        let import = Self {
            folder,
            organisation: Some(organisation),
        };
        import.file("customers.csv", CUSTOMERS.as_bytes());
        import.file("calls.csv", CALLS.as_bytes());
        import.file("people.ndjson", PEOPLE.as_bytes());
        import
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn organisation(&self) -> &Organisation {
        self.organisation.as_ref().unwrap()
    }

    fn try_run(
        &self,
        mapping: &str,
        options: &ImportOptions,
    ) -> Result<ImportSummary, ImportError> {
        let mapping = Mapping::parse(mapping).unwrap();
        let files = [self.folder.path().to_owned()];
        run(self.organisation(), &mapping, &files, options, &mut |_| {})
    }

    fn run(&self, mapping: &str) -> ImportSummary {
        self.try_run(mapping, &self.options()).unwrap()
    }

    fn options(&self) -> ImportOptions {
        ImportOptions {
            rejects: Some(self.rejects_file()),
            ..ImportOptions::new("importer".parse().unwrap())
        }
    }

    fn rejects_file(&self) -> PathBuf {
        self.folder.path().join("rejects.ndjson")
    }

    /// The rejects of the last run: code, step, line, field.
    fn rejects(&self) -> Vec<(String, String, u64, String)> {
        let text = std::fs::read_to_string(self.rejects_file()).unwrap();
        let lines = text.lines().map(|line| {
            let json: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| json[name].as_str().unwrap().to_owned();
            (
                text("code"),
                text("step"),
                json["line"].as_u64().unwrap(),
                text("field"),
            )
        });
        lines.collect()
    }

    /// The facts of one name, each with what stands beside it.
    fn facts(&self, name: &str) -> Vec<(CommitMeta, Value)> {
        let (log, seals) = (self.organisation().log(), self.organisation().seals());
        let mut facts = Vec::new();
        for position in 1..=log.head().position {
            let commit = log.commit(position).unwrap().unwrap();
            let meta: CommitMeta = seals.meta(commit.meta()).unwrap();
            for event in commit.events().filter(|event| event.type_name == name) {
                facts.push((
                    meta.clone(),
                    serde_json::from_slice(&seals.event(&event)).unwrap(),
                ));
            }
        }
        facts
    }

    fn names(&self) -> Vec<String> {
        let facts = self.facts("CustomerRegistered").into_iter();
        let names = facts.map(|(_, data)| data["details"]["name"].as_str().unwrap().to_owned());
        names.collect()
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        if let Some(organisation) = self.organisation.take() {
            organisation.close().unwrap();
        }
    }
}

#[test]
fn rows_become_facts_with_their_own_author_and_time() {
    let import = Import::new();
    let summary = import.run(MAPPING);
    assert!(summary.is_clean(), "{summary}\n{:?}", import.rejects());
    let [customers, calls] = summary.steps.as_slice() else {
        panic!("{summary}")
    };
    assert_eq!((customers.rows, customers.filtered), (4, 1));
    assert_eq!(customers.commands["RegisterCustomer"].accepted, 3);
    assert_eq!(customers.commands["GradeCustomer"].accepted, 1);
    assert_eq!(calls.total().accepted, 3);
    assert_eq!(
        import.names(),
        ["晨光文具", "Müller, \"Söhne\" KG", "Li Wei"]
    );
    let customers = import.facts("CustomerRegistered");
    let [(first, data), (_, second), _] = customers.as_slice() else {
        panic!("{customers:?}")
    };
    assert_eq!(first.actor.as_str(), "importer");
    assert_eq!(first.source, Source::Import);
    assert_eq!(data["owner"], "li.na");
    assert_eq!(data["details"]["address"]["city"], "上海");
    assert_eq!(second["owner"], "zhao");
    assert_eq!(second["details"].get("phone"), None);
    assert_eq!(import.facts("ContactAdded").len(), 1);
    assert_eq!(import.facts("CustomerGraded").len(), 1);

    let calls = import.facts("InteractionLogged");
    let times = calls
        .iter()
        .map(|(meta, _)| meta.occurred_at.unwrap().to_string());
    let actors = calls.iter().map(|(meta, _)| meta.actor.as_str());
    assert_eq!(
        actors.collect::<Vec<_>>(),
        ["zhang.san", "importer", "zhang.san"]
    );
    assert_eq!(
        times.collect::<Vec<_>>(),
        [
            "2026-03-01T01:30:00Z",
            "2026-03-02T02:00:00Z",
            "2026-03-02T16:15:00Z"
        ]
    );
    assert_eq!(calls[1].1["details"]["summary"], "Two\nlines");
    assert_eq!(calls[2].1["details"]["channel"], "web");
}

#[test]
fn a_second_import_changes_nothing() {
    let import = Import::new();
    import.run(MAPPING);
    let head = import.organisation().log().head().position;
    let again = import.run(MAPPING);
    assert_eq!(import.organisation().log().head().position, head);
    assert_eq!(again.total().replayed, 7);
    assert_eq!((again.total().accepted, again.commits()), (0, 0));
    assert!(again.is_clean());
}
