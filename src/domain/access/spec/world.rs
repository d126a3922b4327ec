//! Objects in people's hands, told by the frozen samples of their first events.

use std::fs;

use daybook_schema::{
    DomainEvent,
    customers::{CustomerId, InteractionId},
    kernel::StreamKey,
    orders::{OrderId, ShipmentId},
    pipeline::{LeadId, OpportunityId},
    service::ComplaintId,
};
use serde_json::{Value, json};

use crate::spec::{Given, uuid};

pub(super) fn customer(number: u128) -> CustomerId {
    CustomerId(uuid(1_000 + number))
}

pub(super) fn lead(number: u128) -> LeadId {
    LeadId(uuid(2_000 + number))
}

pub(super) fn opportunity(number: u128) -> OpportunityId {
    OpportunityId(uuid(3_000 + number))
}

pub(super) fn order(number: u128) -> OrderId {
    OrderId(uuid(4_000 + number))
}

pub(super) fn shipment(number: u128) -> ShipmentId {
    ShipmentId(uuid(5_000 + number))
}

pub(super) fn complaint(number: u128) -> ComplaintId {
    ComplaintId(uuid(6_000 + number))
}

pub(super) fn interaction(number: u128) -> InteractionId {
    InteractionId(uuid(7_000 + number))
}

/// A frozen event in which some fields say something else; null takes a field away.
#[track_caller]
fn sample(name: &str, changes: Value) -> DomainEvent {
    let path = format!(
        "{}/../../schema/samples/{name}.1.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(path).expect("a sample");
    let mut frozen: Value = serde_json::from_str(&text).expect("JSON");
    let data = frozen["data"].as_object_mut().expect("an event");
    for (field, value) in changes.as_object().expect("fields") {
        data.insert(field.clone(), value.clone());
    }
    data.retain(|_, value| !value.is_null());
    let data = serde_json::to_vec(&frozen["data"]).expect("JSON");
    let stream = frozen["stream"].as_str().expect("a stream");
    DomainEvent::decode(stream, name, 1, &data).expect("an event")
}

impl Given {
    #[track_caller]
    fn sample(self, id: impl StreamKey, name: &str, changes: Value) -> Self {
        self.event(id, sample(name, changes))
    }

    /// A customer whom somebody looks after.
    #[track_caller]
    pub(super) fn customer(self, number: u128, owner: &str) -> Self {
        let changes = json!({ "owner": owner });
        self.sample(customer(number), "CustomerRegistered", changes)
    }

    /// A customer lies in a territory from here on, or in none.
    #[track_caller]
    pub(super) fn customer_in(self, number: u128, territory: Option<&str>) -> Self {
        let changes = json!({ "territory": territory });
        self.sample(customer(number), "CustomerTerritoryAssigned", changes)
    }

    /// A lead that somebody follows up, or that waits for somebody.
    #[track_caller]
    pub(super) fn lead(self, number: u128, owner: Option<&str>) -> Self {
        let changes = json!({ "owner": owner });
        self.sample(lead(number), "LeadCaptured", changes)
    }

    /// A lead lies in a territory from here on, or in none.
    #[track_caller]
    pub(super) fn lead_in(self, number: u128, territory: Option<&str>) -> Self {
        let changes = json!({ "territory": territory });
        self.sample(lead(number), "LeadTerritoryAssigned", changes)
    }

    /// A lead was put back into the pool.
    #[track_caller]
    pub(super) fn recycled(self, number: u128) -> Self {
        self.sample(lead(number), "LeadRecycled", json!({}))
    }

    /// An opportunity of a customer.
    #[track_caller]
    pub(super) fn opportunity(self, number: u128, of: u128, owner: &str) -> Self {
        let changes = json!({ "customer": customer(of).to_string(), "owner": owner });
        self.sample(opportunity(number), "OpportunityOpened", changes)
    }

    /// An order of a customer.
    #[track_caller]
    pub(super) fn order(self, number: u128, of: u128, salesperson: Option<&str>) -> Self {
        let changes = json!({ "customer": customer(of).to_string(), "salesperson": salesperson });
        self.sample(order(number), "OrderPlaced", changes)
    }

    /// A shipment of an order.
    #[track_caller]
    pub(super) fn shipment(self, number: u128, of: u128) -> Self {
        let changes = json!({ "order": order(of).to_string() });
        self.sample(shipment(number), "ShipmentPrepared", changes)
    }

    /// A complaint of a customer.
    #[track_caller]
    pub(super) fn complaint(self, number: u128, of: u128) -> Self {
        let changes = json!({ "customer": customer(of).to_string() });
        self.sample(complaint(number), "ComplaintLogged", changes)
    }

    /// A talk with a customer.
    #[track_caller]
    pub(super) fn interaction(self, number: u128, of: u128) -> Self {
        let changes = json!({ "customer": customer(of).to_string() });
        self.sample(interaction(number), "InteractionLogged", changes)
    }
}
