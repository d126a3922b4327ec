//! What a caller sees of a commit: the events of objects that the caller sees, without what is
//! hidden of them. Secrets are seen by nobody.

use std::sync::Arc;

use async_graphql::Json;
use daybook_app::access::Principal;
use daybook_domain::FieldClass;
use daybook_projections::store::{Snapshot, View};
use daybook_schema::{
    access::MASK,
    kernel::Actor,
    personal::{self, WITHHELD},
    prefix,
};
use serde_json::Value;

use super::{
    fault::{Answer, Fault},
    history::{Commit, Event},
};

/// The member of an event's data that holds what is kept of a secret.
pub(super) const SECRET: &str = "verifier";
/// The members of events' data that hold costs.
pub(super) const COSTS: [&str; 2] = ["unitCost", "cost"];

/// Through what a caller looks at the record.
pub(super) enum Lens {
    Everything,
    Part {
        view: Arc<View>,
        login: Actor,
        /// The read models, at the position of what is looked at or later.
        snapshot: Arc<Snapshot>,
    },
}

impl Lens {
    /// The lens of a caller; the read models are opened where they are needed.
    pub(super) fn of(
        principal: &Principal,
        snapshot: impl FnOnce() -> Answer<Arc<Snapshot>>,
    ) -> Answer<Self> {
        let Some(view) = principal.view.clone() else {
            return Ok(Self::Everything);
        };
        Ok(Self::Part {
            view,
            login: principal.login().clone(),
            snapshot: snapshot()?,
        })
    }

    /// What a commit shows; none where it shows nothing.
    pub(super) fn look(&self, mut commit: Commit) -> Answer<Option<Commit>> {
        commit.events.iter_mut().for_each(hide_secret);
        let Self::Part {
            view,
            login,
            snapshot,
        } = self
        else {
            return Ok(Some(commit));
        };
        if commit.is_refused() {
            let own = commit.actor == *login;
            return Ok((own || view.refusals_of_all).then_some(commit));
        }
        let streams = commit.events.iter().map(|event| event.stream.to_string());
        let seen = snapshot
            .visible(&streams.collect::<Vec<_>>())
            .map_err(Fault::from)?;
        commit
            .events
            .retain(|event| seen.contains(event.stream.as_str()));
        if commit.events.is_empty() {
            return Ok(None);
        }
        hide_classes(view, &mut commit);
        Ok(Some(commit))
    }
}

fn hide_classes(view: &View, commit: &mut Commit) {
    let mut hides_persons = false;
    for event in &mut commit.events {
        if hides(view, event, FieldClass::Personal) {
            hides_persons = true;
            hide_personal(event);
        }
        if hides(view, event, FieldClass::Cost) {
            hide_costs(event);
        }
    }
    if hides_persons {
        // A reason is written in free words about whoever the command is about.
        commit.reason = None;
    }
}

/// Whether fields of a class are hidden of some objects of the event's kind: then they are hidden
/// of all of them in histories, where an object is told of as it was.
fn hides(view: &View, event: &Event, class: FieldClass) -> bool {
    let kind = view.kinds.get(prefix(&event.stream));
    kind.is_none_or(|kind| {
        let shown = match class {
            FieldClass::Personal => &kind.personal,
            FieldClass::Cost => &kind.cost,
        };
        *shown != kind.reach
    })
}

fn hide_secret(event: &mut Event) {
    if let Some(secret) = event.data.0.get_mut(SECRET) {
        *secret = Value::from(MASK);
    }
}

fn hide_personal(event: &mut Event) {
    let Some(places) = personal::of_event(&event.event_type) else {
        return;
    };
    let Json(data) = &mut event.data;
    let hidden = places.visit(data, &mut |text| {
        WITHHELD.clone_into(text);
        Ok::<(), std::convert::Infallible>(())
    });
    match hidden {
        Ok(()) => {}
        Err(never) => match never {},
    }
}

fn hide_costs(event: &mut Event) {
    for name in COSTS {
        if let Some(cost) = event.data.0.get_mut(name) {
            *cost = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use daybook_schema::DomainEvent;
    use serde_json::Value;

    use super::{COSTS, SECRET};

    /// Calls `visit` with the name of every property that holds a secret, and of every one.
    fn properties(schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
        match schema {
            Value::Object(members) => {
                if let Some(Value::Object(own)) = members.get("properties") {
                    own.iter().for_each(|(name, shape)| visit(name, shape));
                }
                members
                    .values()
                    .for_each(|member| properties(member, visit));
            }
            Value::Array(items) => items.iter().for_each(|item| properties(item, visit)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_secret_and_every_cost_of_an_event_is_known_by_its_name() {
        let mut secrets = 0;
        for family in DomainEvent::catalogue() {
            let schema = family.schema.as_value();
            properties(schema, &mut |name, shape| {
                let is_secret = shape["$ref"] == "#/$defs/Verifier" || shape["x-secret"] == true;
                assert_eq!(is_secret, name == SECRET, "{} {name}", family.aggregate);
                secrets += usize::from(is_secret);
                if name.to_lowercase().contains("cost") {
                    assert!(COSTS.contains(&name), "{} {name}", family.aggregate);
                }
            });
        }
        assert!(secrets >= 5);
    }
}
