//! A folder that an earlier build wrote is opened, verified and answered from as it was.
//!
//! `tests/golden` holds one folder per format: the data folder with each file packed by gzip, and
//! what was asked of it and answered. `DAYBOOK_GOLDEN=write` writes that of the newest format,
//! which is right only together with a new format of the data folder; the older ones stay.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    books::{company, done},
    refusals::Shop,
    server::Server,
};

/// The newest format; raised together with that of the data folder or of the log.
const NEWEST: &str = "data-2";
const ANSWERS: &str = "answers.json";

const CUSTOMERS: &str = "{ customers(first: 3, orderBy: [{ field: NUMBER }]) {
    totalCount nodes { number name version history(first: 2) { nodes { position command actor } } }
} }";
const ORDERS: &str = "{ orders { totalCount nodes { number status customer { name }
    lines { name ordered reserved net { amount } } total { amount currency } } }
    commits(newestFirst: true, first: 3) { nodes { position command actor events { type } } } }";

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A company with customers from an import, an order, a refusal, and several openings.
fn written(folder: &Path) {
    company(folder, 60);
    let server = Server::start(folder);
    let shop = Shop::open(&server);
    let (receive, stock) = shop.receipt("2", "900", "CNY");
    shop.done(receive, stock);
    let (place, order) = shop.order("2", "1500.5", 1);
    let order = shop.done(place, order);
    shop.done("confirmOrder", json!({ "order": order }));
    let (place, rival) = shop.order("1", "1500.5", 1);
    let rival = shop.done(place, rival);
    let refused = ("confirmOrder", json!({ "order": rival }));
    shop.refused(refused, ("INSUFFICIENT_STOCK", ""));
    assert_eq!(server.end(), Some(0));
}

/// What is known of a folder: its log, and the answers to two questions.
fn told(folder: &Path) -> Value {
    let report = done(folder, &["verify"]);
    assert_eq!(report["whole"], true, "{report}");
    let server = Server::start(folder);
    let [customers, orders] = [CUSTOMERS, ORDERS].map(|query| {
        let answer = server.graphql(query);
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"].clone()
    });
    assert_eq!(server.end(), Some(0));
    json!({
        "head": report["head"], "commits": report["commits"], "events": report["events"],
        "customers": customers, "orders": orders
    })
}

/// Packs a folder without the read models, which are derived.
fn pack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() {
            let file = File::create(to.join(format!("{name}.gz"))).unwrap();
            let mut packed = GzEncoder::new(file, Compression::best());
            io::copy(&mut File::open(&path).unwrap(), &mut packed).unwrap();
            packed.finish().unwrap();
        } else if name != "read-models" {
            pack(&path, &to.join(name));
        }
    }
}

fn unpack(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            unpack(&path, &to.join(name));
        } else {
            let mut bytes = Vec::new();
            let mut packed = GzDecoder::new(File::open(&path).unwrap());
            packed.read_to_end(&mut bytes).unwrap();
            fs::write(to.join(name.trim_end_matches(".gz")), bytes).unwrap();
        }
    }
}

fn write_newest() {
    let room = tempdir().unwrap();
    let (books, golden) = (room.path().join("books"), golden().join(NEWEST));
    written(&books);
    assert!(!golden.exists(), "delete {NEWEST} to write it anew");
    pack(&books, &golden.join("books"));
    let answers = serde_json::to_string_pretty(&told(&books)).unwrap();
    fs::write(golden.join(ANSWERS), answers + "\n").unwrap();
}

#[test]
fn folders_of_earlier_builds_are_read_and_written_on() {
    if std::env::var("DAYBOOK_GOLDEN").is_ok_and(|what| what == "write") {
        write_newest();
    }
    let formats = fs::read_dir(golden()).unwrap();
    let formats: Vec<_> = formats.map(|entry| entry.unwrap().path()).collect();
    assert!(formats.contains(&golden().join(NEWEST)), "{formats:?}");
    for format in formats {
        let room = tempdir().unwrap();
        let books = room.path().join("books");
        unpack(&format.join("books"), &books);
        let answers = fs::read(format.join(ANSWERS)).unwrap();
        let answers: Value = serde_json::from_slice(&answers).unwrap();
        assert_eq!(told(&books), answers, "{}", format.display());

        let server = Server::start(&books);
        let open = json!({ "code": "LATER", "name": "Opened by a later build" });
        Shop::of(&server).done("openWarehouse", open);
        assert_eq!(server.end(), Some(0));
        let report = done(&books, &["verify"]);
        assert_eq!(report["whole"], true, "{report}");
        let more = answers["commits"].as_u64().map(|commits| commits + 1);
        assert_eq!(report["commits"].as_u64(), more, "{report}");
        assert_eq!(done(&books, &["rebuild"])["equal"], true);
    }
}
