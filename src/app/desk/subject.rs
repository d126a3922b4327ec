//! Whose personal data it is: the person at the end of an object's custody.

use daybook_domain::{Custody, Fault};
use daybook_schema::{DomainEvent, customers::CustomerEvent, personal};

/// Custody has few levels: a shipment is of an order, an order of a customer.
const LEVELS_MAX: usize = 8;

/// The person that an event of a stream is about; `custody` knows in whose hands an object is.
pub(super) fn of_event(
    stream: &str,
    event: &DomainEvent,
    custody: &dyn Fn(&str) -> Result<Custody, Fault>,
) -> Result<Option<String>, Fault> {
    match event {
        // A person to talk to can be erased without the customer.
        DomainEvent::Customer(
            CustomerEvent::ContactAdded { contact_id, .. }
            | CustomerEvent::ContactChanged { contact_id, .. },
        ) => Ok(Some(contact_id.to_string())),
        _ => of_stream(stream, custody),
    }
}

/// The person that an object belongs to.
pub(super) fn of_stream(
    stream: &str,
    custody: &dyn Fn(&str) -> Result<Custody, Fault>,
) -> Result<Option<String>, Fault> {
    let mut at = stream.to_owned();
    for _ in 0..LEVELS_MAX {
        if personal::is_person(&at) {
            return Ok(Some(at));
        }
        if !personal::is_of_persons(&at) {
            return Ok(None);
        }
        let Some(parent) = custody(&at)?.parent else {
            return Ok(None);
        };
        at = parent;
    }
    Ok(None)
}
