//! From one row, or one group of rows, to its commands.

use std::str::FromStr;

use daybook_schema::{
    DomainCommand,
    commit::Source,
    kernel::{Actor, DateTime, Note},
};
use serde_json::Value;

use super::{
    catalogue::ReadCommand,
    condition::{self, Condition},
    convert,
    error::RowProblem,
    expression::{Expression, IdPlan, JoinPlan, ObjectPlan, ValuePlan},
    ids::IdBook,
    table::Tables,
    template::{Bound, Scope, Template},
};
use crate::Envelope;

/// A step of the mapping.
#[derive(Debug)]
pub(super) struct StepPlan {
    pub(super) name: String,
    pub(super) source: Option<String>,
    pub(super) joins: Vec<JoinPlan>,
    pub(super) when: Vec<Condition>,
    pub(super) group_by: Option<Template>,
    pub(super) key: Template,
    pub(super) authorship: Authorship,
    pub(super) commands: Vec<CommandPlan>,
}

/// A command of a step.
#[derive(Debug)]
pub(super) struct CommandPlan {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) read: ReadCommand,
    pub(super) when: Vec<Condition>,
    pub(super) key_suffix: Template,
    pub(super) authorship: Authorship,
    pub(super) fields: ObjectPlan,
}

/// Who did it, when and why, where the mapping says so.
#[derive(Debug, Default)]
pub(super) struct Authorship {
    pub(super) actor: Option<Expression>,
    pub(super) occurred_at: Option<Expression>,
    pub(super) reason: Option<Expression>,
}

/// A command that is ready to be sent.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) envelope: Envelope,
    pub(super) command: &'static str,
    /// The kind of object that it creates, if it creates one.
    pub(super) creates: Option<&'static str>,
    /// The key of the row with the suffix of the command.
    pub(super) key: String,
}

/// A row that becomes no command.
#[derive(Debug)]
pub(super) struct Unprepared {
    pub(super) command: &'static str,
    pub(super) key: String,
    pub(super) problem: RowProblem,
}

impl Unprepared {
    pub(super) fn row(key: String, problem: RowProblem) -> Self {
        let command = "";
        Self {
            command,
            key,
            problem,
        }
    }
}

/// The rows that one round of commands is made of.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) bound: &'a Bound,
    pub(super) group: &'a [Bound],
    pub(super) tables: &'a Tables,
}

impl<'a> Rows<'a> {
    pub(super) fn scope<'s>(&self, book: &'s IdBook) -> Scope<'s>
    where
        'a: 's,
    {
        Scope {
            bound: self.bound,
            group: self.group,
            index: 0,
            parent: None,
            tables: self.tables,
            book,
        }
    }
}

impl StepPlan {
    /// All commands of a row, or none of them: a row that cannot be read in full is not imported
    /// by halves.
    pub(super) fn prepare(
        &self,
        rows: Rows<'_>,
        book: &mut IdBook,
        importer: &Actor,
    ) -> Result<Vec<Prepared>, Unprepared> {
        let key = self.key.render(&rows.scope(book));
        if key.is_empty() {
            let problem = RowProblem::new("IMPORT_KEY_EMPTY", "the key of the row is empty");
            return Err(Unprepared::row(key, problem));
        }
        let mut prepared = Vec::new();
        for plan in &self.commands {
            let scope = rows.scope(book);
            if !condition::all(&plan.when, &scope) {
                continue;
            }
            let key = format!("{key}{}", plan.key_suffix.render(&scope));
            match self.command(plan, rows, &key, book, importer) {
                Ok(command) => prepared.push(command),
                Err(problem) => {
                    self.give_up(&prepared, &key, book);
                    let command = plan.name;
                    return Err(Unprepared {
                        command,
                        key,
                        problem,
                    });
                }
            }
        }
        Ok(prepared)
    }

    fn command(
        &self,
        plan: &CommandPlan,
        rows: Rows<'_>,
        key: &str,
        book: &mut IdBook,
        importer: &Actor,
    ) -> Result<Prepared, RowProblem> {
        let scope = rows.scope(book);
        let fields = plan.fields.evaluate(&scope)?.unwrap_or_default();
        let command = (plan.read)(&Value::Object(fields))?;
        let step = &self.authorship;
        let actor = plan.authorship.actor.as_ref().or(step.actor.as_ref());
        let actor: Option<Actor> = beside("actor", actor, &scope)?;
        let occurred_at = plan.authorship.occurred_at.as_ref();
        let occurred_at = occurred_at.or(step.occurred_at.as_ref());
        let occurred_at: Option<DateTime> = beside("occurred_at", occurred_at, &scope)?;
        let reason = plan.authorship.reason.as_ref().or(step.reason.as_ref());
        let reason: Option<Note> = beside("reason", reason, &scope)?;
        let (command_id, creates) = match is_new(&command) {
            true => (book.create(plan.kind, key)?, Some(plan.kind)),
            false => (book.change(&self.name, key, plan.name)?, None),
        };
        let actor = actor.unwrap_or_else(|| importer.clone());
        let envelope = Envelope {
            occurred_at,
            reason,
            correlation: Some(book.namespace()),
            source: Source::Import,
            ..Envelope::of_process(command_id, actor, command)
        };
        Ok(Prepared {
            envelope,
            command: plan.name,
            creates,
            key: key.to_owned(),
        })
    }

    /// Notes which objects will be missing because their row was rejected.
    fn give_up(&self, prepared: &[Prepared], key: &str, book: &mut IdBook) {
        for command in prepared {
            if let Some(kind) = command.creates {
                book.reject(kind, &command.key);
            }
        }
        let rest = self.commands.iter().skip(prepared.len());
        for plan in rest.filter(|plan| plan.seems_to_create()) {
            book.reject(plan.kind, key);
        }
    }
}

impl CommandPlan {
    /// Whether no field names an object of the command's own kind, which it would then be about.
    fn seems_to_create(&self) -> bool {
        let own = |expression: &Expression| match &expression.value {
            ValuePlan::Id(IdPlan::Object { kind, .. }) => kind == self.kind,
            _ => false,
        };
        !self.fields.0.iter().any(|(_, expression)| own(expression))
    }
}

fn is_new(command: &DomainCommand) -> bool {
    command.target().is_none()
}

fn beside<T>(
    name: &str,
    expression: Option<&Expression>,
    scope: &Scope<'_>,
) -> Result<Option<T>, RowProblem>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let Some(expression) = expression else {
        return Ok(None);
    };
    let field = format!("@{name}");
    let text = expression
        .text(scope)
        .map_err(|problem| problem.within(&field))?;
    let value = text.map(|text| text.parse().map_err(|error: T::Err| error.to_string()));
    value
        .transpose()
        .map_err(|message| convert::invalid(message).within(&field))
}
