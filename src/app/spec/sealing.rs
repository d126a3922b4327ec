//! Every event that has personal text, sealed and opened again.

use std::{fs, path::Path};

use daybook_eventlog::EventRef;
use daybook_schema::{
    DomainEvent,
    personal::{self, ERASED},
};
use proptest::{collection::vec, prelude::any, test_runner::TestRunner};
use serde_json::Value;
use uuid::Uuid;

use crate::{MasterKeySource, Seals};

const SUBJECT: &str = "customer-0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e";

struct Sample {
    stream: String,
    type_name: String,
    type_version: u16,
    data: Value,
}

impl Sample {
    fn event<'a>(&'a self, data: &'a [u8]) -> EventRef<'a> {
        EventRef {
            index: 0,
            stream: &self.stream,
            version: 1,
            type_name: &self.type_name,
            type_version: self.type_version,
            data,
        }
    }

    fn sealed(&self, seals: &Seals) -> Vec<u8> {
        let data = serde_json::to_vec(&self.data).unwrap();
        seals.seal_event(SUBJECT, &self.type_name, data).unwrap()
    }

    fn opened(&self, seals: &Seals, sealed: &[u8]) -> Value {
        serde_json::from_slice(&seals.event(&self.event(sealed))).unwrap()
    }

    /// Calls `each` with every personal text.
    fn visit(&mut self, each: &mut impl FnMut(&mut String)) {
        if let Some(personal) = personal::of_event(&self.type_name) {
            let done: Result<(), ()> = personal.visit(&mut self.data, &mut |text| {
                each(text);
                Ok(())
            });
            done.unwrap();
        }
    }

    fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        self.visit(&mut |text| texts.push(text.clone()));
        texts
    }
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schema/samples");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let samples = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        let mut parts = name.split('.');
        let type_name = parts.next().unwrap().to_owned();
        let type_version = parts.next().unwrap().parse().unwrap();
        let mut frozen: Value = serde_json::from_slice(&fs::read(entry.path()).unwrap()).unwrap();
        Sample {
            stream: frozen["stream"].as_str().unwrap().to_owned(),
            type_name,
            type_version,
            data: frozen["data"].take(),
        }
    });
    samples.collect()
}

fn seals(folder: &Path) -> Seals {
    Seals::open(folder, Uuid::from_u128(7), &MasterKeySource::DataFolder).unwrap()
}

#[test]
fn every_sample_is_sealed_opened_and_still_read_when_erased() {
    let folder = tempfile::tempdir().unwrap();
    let seals = seals(folder.path());
    let mut sealed = Vec::new();
    let mut texts = 0;
    for sample in samples() {
        let bytes = sample.sealed(&seals);
        assert_eq!(
            sample.opened(&seals, &bytes),
            sample.data,
            "{}",
            sample.type_name
        );
        let stored: Value = serde_json::from_slice(&bytes).unwrap();
        let mut stored = Sample {
            stream: sample.stream.clone(),
            type_name: sample.type_name.clone(),
            type_version: sample.type_version,
            data: stored,
        };
        for text in stored.texts() {
            assert!(
                text.starts_with("sealed:1:customer-"),
                "{}: {text}",
                sample.type_name
            );
            texts += 1;
        }
        sealed.push((sample, bytes));
    }
    assert!(texts > 60, "{texts}");

    seals.destroy(&[SUBJECT.to_owned()]).unwrap();
    for (mut sample, bytes) in sealed {
        let erased = serde_json::to_vec(&sample.opened(&seals, &bytes)).unwrap();
        let (stream, name) = (&sample.stream, &sample.type_name);
        let read = DomainEvent::decode(stream, name, sample.type_version, &erased);
        let again: Value = serde_json::from_slice(&read.unwrap().encode().unwrap()).unwrap();
        sample.visit(&mut |text| ERASED.clone_into(text));
        assert_eq!(again, sample.data, "{}", sample.type_name);
        let later = sample.sealed(&seals);
        assert_eq!(
            sample.opened(&seals, &later),
            sample.data,
            "nothing new is written down"
        );
    }
}

#[test]
fn whatever_the_text_it_opens_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let seals = seals(folder.path());
    let samples: Vec<_> = samples()
        .into_iter()
        .map(|mut one| (one.texts().len(), one))
        .collect();
    let personal: Vec<_> = samples.iter().filter(|(texts, _)| *texts > 0).collect();
    let strategy = (0..personal.len(), vec(any::<String>(), 1..8));
    let run = TestRunner::default().run(&strategy, |(which, words)| {
        let (_, sample) = personal[which];
        let mut sample = Sample {
            stream: sample.stream.clone(),
            type_name: sample.type_name.clone(),
            type_version: sample.type_version,
            data: sample.data.clone(),
        };
        let mut next = words.iter().cycle();
        sample.visit(&mut |text| text.clone_from(next.next().unwrap()));
        let bytes = sample.sealed(&seals);
        assert_eq!(sample.opened(&seals, &bytes), sample.data);
        Ok(())
    });
    run.unwrap();
}

#[test]
fn a_lost_key_leaves_text_sealed_and_the_event_unreadable() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut samples = samples().into_iter();
    let sample = samples
        .find(|one| one.type_name == "CustomerRegistered")
        .unwrap();
    let bytes = sample.sealed(&seals(folder.path()));
    let without = seals(other.path());
    let event = sample.event(&bytes);
    let data = without.event(&event);
    assert_eq!(&*data, &*bytes);
    let read = DomainEvent::decode(&sample.stream, &sample.type_name, 1, &data);
    assert!(read.unwrap_err().to_string().contains("sealed:"));
    let closed = Seals::closed();
    let data = closed.event(&event);
    assert!(!String::from_utf8_lossy(&data).contains("sealed:"));
    DomainEvent::decode(&sample.stream, &sample.type_name, 1, &data).unwrap();
}
