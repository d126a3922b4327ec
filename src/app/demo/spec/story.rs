use std::collections::BTreeSet;

use daybook_schema::{Command, CommandVisitor, DomainCommand};

use crate::demo::{DemoOptions, commands};

/// The names of all commands.
#[derive(Default)]
struct Names(BTreeSet<&'static str>);

impl CommandVisitor for Names {
    fn command<C: Command>(&mut self) {
        self.0.insert(C::NAME);
    }
}

#[test]
fn the_demo_speaks_the_whole_language() {
    let mut names = Names::default();
    DomainCommand::visit(&mut names);
    for envelope in commands(&DemoOptions::default()) {
        names.0.remove(envelope.command.name());
    }
    // An organisation is founded before it is filled.
    assert_eq!(names.0, BTreeSet::from(["FoundOrganisation"]));
}
