//! What the overview of a customer has to know of the customer's affairs in other contexts: one
//! small row per order, shipment, opportunity and complaint. Their later events do not name the
//! customer, and they change sums by what the affair was before.

use daybook_schema::{
    customers::CustomerId,
    kernel::{Amount, Money},
    orders::{OrderEvent, ShipmentEvent},
    pipeline::{OpportunityEvent, OpportunityPhase, OpportunityStage},
    service::ComplaintEvent,
};
use serde::{Deserialize, Serialize};

use crate::store::{ColumnKind, Fact, Stamp, table};

/// One affair of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AffairRow {
    id: String,
    stamp: Stamp,
    pub(super) customer: CustomerId,
    /// How people call it: its name, its number, or how it begins.
    pub(super) title: String,
    pub(super) affair: Affair,
}

table!(AffairRow as row, "customer_affair" {
    customer: ColumnKind::Id; "By customer." => row.customer;
} personal ["title!"];);

/// What an affair adds to the overview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Affair {
    /// An order, with the net of what is left of its lines.
    Order { net: Amount, cancelled: bool },
    /// A shipment.
    Shipment { open: bool },
    /// A possible sale.
    Opportunity {
        phase: OpportunityPhase,
        stage: OpportunityStage,
        value: Money,
    },
    /// A complaint.
    Complaint { open: bool },
}

impl AffairRow {
    fn new(fact: &Fact<'_>, customer: CustomerId, title: &impl ToString, affair: Affair) -> Self {
        Self {
            id: fact.stream.to_owned(),
            stamp: Stamp::new(fact),
            customer,
            title: brief(&title.to_string()),
            affair,
        }
    }

    /// Applies an event of the affair's own; says what the change says.
    pub(super) fn change<T>(
        &mut self,
        fact: &Fact<'_>,
        change: impl FnOnce(&mut Affair) -> T,
    ) -> T {
        self.stamp.touch(fact, true);
        change(&mut self.affair)
    }
}

/// The beginning of a text, for a line of the timeline.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(120).collect()
}

/// The affair that an event of an order begins.
pub(super) fn order_placed(fact: &Fact<'_>, event: &OrderEvent) -> Option<AffairRow> {
    let OrderEvent::OrderPlaced {
        number,
        customer,
        lines_net,
        ..
    } = event
    else {
        return None;
    };
    let affair = Affair::Order {
        net: *lines_net,
        cancelled: false,
    };
    Some(AffairRow::new(fact, *customer, number, affair))
}

/// Whether the timeline tells of an event of an order; the steps of its lines are told by the
/// shipments.
pub(super) fn order(affair: &mut Affair, event: &OrderEvent) -> bool {
    let Affair::Order { net, cancelled } = affair else {
        return false;
    };
    match event {
        OrderEvent::OrderPlaced { .. }
        | OrderEvent::OrderConfirmed { .. }
        | OrderEvent::OrderHeld { .. }
        | OrderEvent::OrderReleased {}
        | OrderEvent::OrderCompleted {} => true,
        OrderEvent::OrderAmended { lines_net, .. }
        | OrderEvent::OrderLineCancelled { lines_net, .. } => {
            *net = *lines_net;
            true
        }
        OrderEvent::OrderCancelled { .. } => {
            *cancelled = true;
            true
        }
        OrderEvent::OrderLinePrepared { .. }
        | OrderEvent::OrderLinePutBack { .. }
        | OrderEvent::OrderLineShipped { .. }
        | OrderEvent::OrderLineShipmentLost { .. }
        | OrderEvent::OrderLineDelivered { .. } => false,
    }
}

/// The affair that an event of a shipment begins.
pub(super) fn shipment_prepared(fact: &Fact<'_>, event: &ShipmentEvent) -> Option<AffairRow> {
    let ShipmentEvent::ShipmentPrepared {
        number, customer, ..
    } = event
    else {
        return None;
    };
    let affair = Affair::Shipment { open: true };
    Some(AffairRow::new(fact, *customer, number, affair))
}

/// Whether the timeline tells of an event of a shipment.
pub(super) fn shipment(affair: &mut Affair, event: &ShipmentEvent) -> bool {
    let Affair::Shipment { open } = affair else {
        return false;
    };
    match event {
        ShipmentEvent::ShipmentPrepared { .. }
        | ShipmentEvent::ShipmentDispatched { .. }
        | ShipmentEvent::ShipmentDelayed { .. }
        | ShipmentEvent::ShipmentDamaged { .. } => {}
        ShipmentEvent::ShipmentDelivered { .. }
        | ShipmentEvent::ShipmentLost { .. }
        | ShipmentEvent::ShipmentCancelled { .. } => *open = false,
    }
    true
}

/// The affair that an event of an opportunity begins.
pub(super) fn opportunity_opened(fact: &Fact<'_>, event: &OpportunityEvent) -> Option<AffairRow> {
    let OpportunityEvent::OpportunityOpened {
        customer,
        name,
        value,
        stage,
        ..
    } = event
    else {
        return None;
    };
    let affair = Affair::Opportunity {
        phase: OpportunityPhase::Open,
        stage: stage.clone(),
        value: *value,
    };
    Some(AffairRow::new(fact, *customer, name, affair))
}

/// Whether the timeline tells of an event of an opportunity.
pub(super) fn opportunity(affair: &mut Affair, event: &OpportunityEvent) -> bool {
    use OpportunityEvent as E;
    let Affair::Opportunity {
        phase,
        stage,
        value,
    } = affair
    else {
        return false;
    };
    match event {
        E::OpportunityOpened { .. } => {}
        E::OpportunityStageAdvanced { to_stage, .. }
        | E::OpportunityStageRegressed { to_stage, .. } => *stage = to_stage.clone(),
        E::OpportunityWon { .. } => *phase = OpportunityPhase::Won,
        E::OpportunityLost { .. } => *phase = OpportunityPhase::Lost,
        E::OpportunityReopened { to_stage, .. } => {
            *phase = OpportunityPhase::Open;
            *stage = to_stage.clone();
        }
        E::OpportunityValueChanged { to, .. } => {
            *value = *to;
            return false;
        }
        E::OpportunityCriterionMet { .. }
        | E::OpportunityCloseDateMoved { .. }
        | E::OpportunityOwnerAssigned { .. }
        | E::OpportunityCompetitorAdded { .. }
        | E::OpportunityInsightNoted { .. } => return false,
    }
    true
}

/// The affair that an event of a complaint begins.
pub(super) fn complaint_logged(fact: &Fact<'_>, event: &ComplaintEvent) -> Option<AffairRow> {
    let ComplaintEvent::ComplaintLogged {
        customer,
        description,
        ..
    } = event
    else {
        return None;
    };
    let affair = Affair::Complaint { open: true };
    Some(AffairRow::new(fact, *customer, description, affair))
}

/// Whether the timeline tells of an event of a complaint.
pub(super) fn complaint(affair: &mut Affair, event: &ComplaintEvent) -> bool {
    use ComplaintEvent as E;
    let Affair::Complaint { open } = affair else {
        return false;
    };
    match event {
        E::ComplaintLogged { .. }
        | E::ComplaintAcknowledged { .. }
        | E::RemedyAccepted { .. }
        | E::ComplaintEscalated { .. }
        | E::ComplaintClosed { .. } => {}
        E::ComplaintResolved { .. } => *open = false,
        E::ComplaintReopened { .. } => *open = true,
        E::ComplaintClassified { .. }
        | E::RemedyProposed { .. }
        | E::RemedyApproved { .. }
        | E::RemedyRejected { .. } => return false,
    }
    true
}
