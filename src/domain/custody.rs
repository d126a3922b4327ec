//! In whose hands an object is: what access is decided by, and whose personal data it holds.
//!
//! Every stream has a custody beside its state, folded from the same events. An object without an
//! owner of its own is in the hands of whoever holds its parent: a complaint follows its customer,
//! a shipment its order. The chain ends at the person or company that everything is about.

use daybook_schema::{
    DomainEvent,
    customers::{CustomerEvent, InteractionEvent},
    kernel::{Actor, Code},
    orders::{OrderEvent, ShipmentEvent},
    pipeline::{LeadEvent, LeadPhase, OpportunityEvent},
    service::ComplaintEvent,
};

/// In whose hands an object is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custody {
    /// Who looks after it.
    pub owner: Option<Actor>,
    /// The object in whose hands it is as well, by id.
    pub parent: Option<String>,
    /// The territory that it lies in.
    pub territory: Option<Code>,
    /// Whether it waits in a public pool for somebody to take it up.
    pub pooled: bool,
}

impl Custody {
    /// The custody after one more event of the object.
    #[must_use]
    pub fn after(self, event: &DomainEvent) -> Self {
        match event {
            DomainEvent::Customer(event) => self.after_customer(event),
            DomainEvent::Lead(event) => self.after_lead(event),
            DomainEvent::Opportunity(event) => self.after_opportunity(event),
            DomainEvent::Order(OrderEvent::OrderPlaced {
                customer,
                salesperson,
                ..
            }) => Self {
                owner: salesperson.clone(),
                ..Self::under(customer)
            },
            DomainEvent::Shipment(ShipmentEvent::ShipmentPrepared { order, .. }) => {
                Self::under(order)
            }
            DomainEvent::Complaint(ComplaintEvent::ComplaintLogged { customer, .. })
            | DomainEvent::Interaction(InteractionEvent::InteractionLogged { customer, .. }) => {
                Self::under(customer)
            }
            // Everything else changes nothing about whose it is.
            DomainEvent::Order(_)
            | DomainEvent::Shipment(_)
            | DomainEvent::Complaint(_)
            | DomainEvent::Interaction(_)
            | DomainEvent::Organisation(_)
            | DomainEvent::Policy(_)
            | DomainEvent::Account(_)
            | DomainEvent::ApiKey(_)
            | DomainEvent::Session(_)
            | DomainEvent::Team(_)
            | DomainEvent::Erasure(_)
            | DomainEvent::Tenant(_)
            | DomainEvent::Warehouse(_)
            | DomainEvent::Product(_)
            | DomainEvent::PriceList(_)
            | DomainEvent::Price(_)
            | DomainEvent::StockItem(_)
            | DomainEvent::NaturalKey(_)
            | DomainEvent::NumberSeries(_) => self,
        }
    }

    fn under(parent: &impl ToString) -> Self {
        Self {
            parent: Some(parent.to_string()),
            ..Self::default()
        }
    }

    fn owned_by(self, owner: &Actor) -> Self {
        Self {
            owner: Some(owner.clone()),
            pooled: false,
            ..self
        }
    }

    fn after_customer(self, event: &CustomerEvent) -> Self {
        match event {
            CustomerEvent::CustomerRegistered { owner, .. }
            | CustomerEvent::CustomerOwnerAssigned { owner } => self.owned_by(owner),
            CustomerEvent::CustomerTerritoryAssigned { territory } => Self {
                territory: territory.clone(),
                ..self
            },
            CustomerEvent::CustomerDetailsChanged { .. }
            | CustomerEvent::CustomerDetailsCorrected { .. }
            | CustomerEvent::ContactAdded { .. }
            | CustomerEvent::ContactChanged { .. }
            | CustomerEvent::ContactRemoved { .. }
            | CustomerEvent::CustomerClassified { .. }
            | CustomerEvent::CustomerGraded { .. }
            | CustomerEvent::CustomerLeadMatched { .. }
            | CustomerEvent::CustomerDeactivated { .. }
            | CustomerEvent::CustomerReactivated {} => self,
        }
    }

    fn after_lead(self, event: &LeadEvent) -> Self {
        match event {
            LeadEvent::LeadCaptured { owner, .. } => Self {
                owner: owner.clone(),
                pooled: owner.is_none(),
                ..self
            },
            LeadEvent::LeadAssigned { assignee, .. } => self.owned_by(assignee),
            LeadEvent::LeadTerritoryAssigned { territory } => Self {
                territory: territory.clone(),
                ..self
            },
            LeadEvent::LeadFollowedUp { phase, .. } => Self {
                pooled: self.owner.is_none() || *phase == LeadPhase::Recycled,
                ..self
            },
            LeadEvent::LeadRecycled { .. } => Self {
                pooled: true,
                ..self
            },
            LeadEvent::LeadDisqualified { .. }
            | LeadEvent::LeadQualified { .. }
            | LeadEvent::LeadConverted { .. } => Self {
                pooled: self.owner.is_none(),
                ..self
            },
        }
    }

    fn after_opportunity(self, event: &OpportunityEvent) -> Self {
        match event {
            OpportunityEvent::OpportunityOpened {
                customer, owner, ..
            } => Self::under(customer).owned_by(owner),
            OpportunityEvent::OpportunityOwnerAssigned { to, .. } => self.owned_by(to),
            OpportunityEvent::OpportunityStageAdvanced { .. }
            | OpportunityEvent::OpportunityStageRegressed { .. }
            | OpportunityEvent::OpportunityCriterionMet { .. }
            | OpportunityEvent::OpportunityValueChanged { .. }
            | OpportunityEvent::OpportunityCloseDateMoved { .. }
            | OpportunityEvent::OpportunityCompetitorAdded { .. }
            | OpportunityEvent::OpportunityInsightNoted { .. }
            | OpportunityEvent::OpportunityWon { .. }
            | OpportunityEvent::OpportunityLost { .. }
            | OpportunityEvent::OpportunityReopened { .. } => self,
        }
    }
}
