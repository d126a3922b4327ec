use std::collections::BTreeSet;

use daybook_schema::{
    Command, CommandVisitor, DomainCommand,
    kernel::{Date, DateTime},
};

use super::small;
use crate::{
    Envelope,
    demo::{DemoOptions, commands},
};

/// Commands that the demo leaves out, with the reason.
const LEFT_OUT: [(&str, &str); 28] = [
    (
        "FoundOrganisation",
        "an organisation is founded before it is filled",
    ),
    (
        "ChangeContact",
        "the story is frozen by its digests, and is told without it",
    ),
    ("OpenSession", "only the server opens sessions"),
    ("EndSession", "there is no session to end"),
    ("SetPassword", NO_PASSWORD),
    ("LinkIdentity", SETTLED),
    ("UnlinkIdentity", SETTLED),
    ("ChangeAccountDetails", SETTLED),
    ("SuspendAccount", SETTLED),
    ("ReinstateAccount", SETTLED),
    ("RevokeRole", SETTLED),
    ("DelegateAuthority", SETTLED),
    ("EndDelegation", SETTLED),
    ("RotateApiKey", SETTLED),
    ("RevokeApiKey", SETTLED),
    ("MoveTeam", SETTLED),
    ("RenameTeam", SETTLED),
    ("DissolveTeam", SETTLED),
    ("AssignCustomerTerritory", NO_TERRITORY),
    ("AssignLeadTerritory", NO_TERRITORY),
    ("CreateTenant", NO_HOUSE),
    ("SuspendTenant", NO_HOUSE),
    ("ReinstateTenant", NO_HOUSE),
    ("ExportTenant", NO_HOUSE),
    ("RestoreTenant", NO_HOUSE),
    ("EraseTenant", NO_HOUSE),
    ("ConcludeTenantTask", NO_HOUSE),
    (
        "EraseSubject",
        "the company keeps everybody, so that the whole story can be read",
    ),
];
const NO_PASSWORD: &str = "people prove who they are by shown keys, and nobody has a password";
const SETTLED: &str = "accounts, teams and keys are set up once, before the story begins";
const NO_HOUSE: &str = "the company is no house, and has no tenants";
const NO_TERRITORY: &str = "sales are divided by teams, and there are no territories";

/// The names of all commands.
#[derive(Default)]
struct Names(BTreeSet<&'static str>);

impl CommandVisitor for Names {
    fn command<C: Command>(&mut self) {
        self.0.insert(C::NAME);
    }
}

/// BLAKE3 of all that a demo decides about its commands.
fn digest(envelopes: impl Iterator<Item = Envelope>) -> String {
    let mut hasher = blake3::Hasher::new();
    for envelope in envelopes {
        let content = (
            envelope.command_id,
            envelope.command.name(),
            &envelope.command,
            &envelope.actor,
            &envelope.role,
            envelope.occurred_at,
            envelope.correlation,
        );
        hasher.update(&serde_json::to_vec(&content).unwrap());
    }
    hasher.finalize().to_hex().chars().take(32).collect()
}

#[test]
fn the_demo_speaks_the_whole_language() {
    let mut names = Names::default();
    DomainCommand::visit(&mut names);
    for envelope in commands(DemoOptions::default()) {
        names.0.remove(envelope.command.name());
    }
    assert!(LEFT_OUT.iter().all(|(_, reason)| reason.len() > 20));
    assert_eq!(names.0, LEFT_OUT.iter().map(|(name, _)| *name).collect());
}

#[test]
fn the_first_thousand_commands_are_the_same_everywhere() {
    let first = commands(DemoOptions::default()).take(1_000);
    assert_eq!(digest(first), "3b59918d2018db3d6f925d47c1a278eb");
}

#[test]
fn the_whole_story_of_a_small_company_is_the_same_everywhere() {
    assert_eq!(
        digest(commands(small(1))),
        "332563703b6fa3706015da2f20d699d8"
    );
}

#[test]
fn another_seed_tells_another_story() {
    assert_ne!(digest(commands(small(1))), digest(commands(small(2))));
}

#[test]
fn ids_and_business_times_rise_within_the_two_years() {
    let options = DemoOptions::default();
    let (mut ids, mut times) = (Vec::new(), Vec::new());
    for envelope in commands(options) {
        ids.push(envelope.command_id);
        times.push(envelope.occurred_at.unwrap());
    }
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(times.is_sorted());
    let days = |time: Option<&DateTime>| time.map(|time| time.date());
    assert_eq!(days(times.first()), Some(options.from()));
    assert_eq!(days(times.last()), Some(options.until));
}

#[test]
fn a_company_of_twice_the_size_does_about_twice_as_much() {
    let orders = |scale| {
        let options = DemoOptions {
            scale,
            ..DemoOptions::default()
        };
        let placed = commands(options).filter(|envelope| envelope.command.name() == "PlaceOrder");
        i64::try_from(placed.count()).unwrap()
    };
    let (half, whole) = (orders(0.5), orders(1.0));
    assert!((half * 2 - whole).abs() < whole / 10, "{half} and {whole}");
}

#[test]
fn a_scale_that_is_no_number_is_a_company_without_trade() {
    let options = DemoOptions {
        scale: f64::NAN,
        ..DemoOptions::default()
    };
    let count = commands(options).count();
    assert!((1_000..20_000).contains(&count), "{count}");
    assert!(commands(options).all(|envelope| envelope.command.name() != "PlaceOrder"));
}

#[test]
fn another_last_day_moves_the_two_years() {
    let until: Date = "2025-12-31".parse().unwrap();
    let options = DemoOptions { until, ..small(1) };
    assert_eq!(options.from().to_string(), "2024-01-01");
    let first = commands(options).next().unwrap();
    assert_eq!(first.occurred_at.unwrap().date(), options.from());
}
