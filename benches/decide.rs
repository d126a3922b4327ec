//! Deciding alone: the commands of the demo against a desk in memory, without queue and log,
//! beside the bare decoding of the same commands.

use std::{cell::RefCell, collections::HashMap, hint::black_box, time::Instant};

use daybook_app::{default_policies, demo};
use daybook_domain::{Authority, Context, Desk, Fault, Loaded, States, decide, fold};
use daybook_schema::{
    DomainCommand,
    governance::{FoundOrganisation, PublishPolicy},
    prefix,
};
use uuid::Uuid;

use crate::report::Figure;

#[derive(Default)]
struct Memory(RefCell<HashMap<String, Loaded>>);

impl States for Memory {
    fn load(&self, stream: &str) -> Result<Loaded, Fault> {
        if let Some(loaded) = self.0.borrow().get(stream) {
            return Ok(loaded.clone());
        }
        let fold = fold(prefix(stream)).unwrap();
        Ok(Loaded::initial(fold))
    }
}

pub(crate) fn run(scale: f64) -> Figure {
    let commands = commands(scale);
    let floor = decode(&commands);
    let memory = Memory::default();
    let began = Instant::now();
    let (mut decided, mut accepted) = (0_u64, 0_u64);
    for (context, command) in commands {
        let mut desk = Desk::new(&memory, &context);
        if decide(command, &mut desk).is_ok() {
            memory.0.borrow_mut().extend(desk.finish().states);
            accepted += 1;
        }
        decided += 1;
    }
    let rate = decided as f64 / began.elapsed().as_secs_f64();
    // A demo whose beginning is refused would measure refusals.
    assert!(accepted * 10 > decided * 9, "{accepted} of {decided}");
    let what = format!("deciding {decided} commands in memory");
    Figure::new(what, rate, floor, None)
}

fn commands(scale: f64) -> Vec<(Context, DomainCommand)> {
    let options = demo::DemoOptions {
        scale,
        ..demo::DemoOptions::default()
    };
    let founding = demo::founding(options);
    let mut first: Vec<DomainCommand> = vec![
        FoundOrganisation {
            keeps_house: false,
            name: founding.name,
            currency: founding.currency,
        }
        .into(),
    ];
    for rules in default_policies().unwrap() {
        let publish = PublishPolicy {
            name: None,
            rules,
            effective_from: founding.policies_from,
        };
        first.push(publish.into());
    }
    let context = |command_id, actor, at| Context {
        command_id,
        organisation: Uuid::nil(),
        actor,
        on_behalf_of: None,
        authority: Authority::Process,
        recorded_at: at,
        occurred_at: Some(at),
    };
    let at = founding.founded_at.unwrap();
    let first = (1..).zip(first).map(|(number, command)| {
        let id = Uuid::from_u128(number);
        (context(id, founding.founder.clone(), at), command)
    });
    let demo = demo::commands(options).map(|envelope| {
        let at = envelope.occurred_at.unwrap_or(at);
        let context = context(envelope.command_id, envelope.actor, at);
        (context, envelope.command)
    });
    first.chain(demo).collect()
}

/// How many commands a second are read from their JSON.
fn decode(commands: &[(Context, DomainCommand)]) -> f64 {
    let json: Vec<_> = commands
        .iter()
        .map(|(_, command)| (command.name(), serde_json::to_vec(command).unwrap()))
        .collect();
    let began = Instant::now();
    for (name, json) in &json {
        let value = serde_json::from_slice(json).unwrap();
        black_box(DomainCommand::read(name, &value).unwrap().unwrap());
    }
    json.len() as f64 / began.elapsed().as_secs_f64()
}
