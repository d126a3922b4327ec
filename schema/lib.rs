//! The published language of Daybook: every command, every event and every value type, as data.
//!
//! | context | aggregates |
//! |---|---|
//! | [`governance`] | organisation, policies, document numbers, natural keys |
//! | [`customers`] | customer, interaction |
//! | [`pipeline`] | lead, opportunity |
//! | [`service`] | complaint |
//!
//! The crate holds no rule, does no input or output and reads no clock. Commands say what
//! somebody wants, events what happened; both are documented here once, and from here flow into
//! the GraphQL schema, the JSON Schemas and the samples. The word in front of the dash of an id
//! (`order-…`) names the aggregate; the id is also the name of its stream in the log.

pub mod commit;
pub mod customers;
pub mod governance;
pub mod kernel;
mod language;
pub mod pipeline;
pub mod service;
mod upcast;

use customers::{CustomerCommand, CustomerEvent, CustomerId};
use customers::{InteractionCommand, InteractionEvent, InteractionId};
use governance::{NaturalKeyEvent, NaturalKeyId, NumberSeriesEvent, NumberSeriesId};
use governance::{OrganisationCommand, OrganisationEvent, OrganisationId};
use governance::{PolicyCommand, PolicyEvent, PolicyId};
pub use language::{Command, CommandVisitor, Event, EventError, EventFamily, prefix};
use pipeline::{LeadCommand, LeadEvent, LeadId};
use pipeline::{OpportunityCommand, OpportunityEvent, OpportunityId};
use service::{ComplaintCommand, ComplaintEvent, ComplaintId};

language::language! {
    commanded {
        Organisation: OrganisationId, OrganisationEvent, OrganisationCommand;
        Policy: PolicyId, PolicyEvent, PolicyCommand;
        Customer: CustomerId, CustomerEvent, CustomerCommand;
        Interaction: InteractionId, InteractionEvent, InteractionCommand;
        Lead: LeadId, LeadEvent, LeadCommand;
        Opportunity: OpportunityId, OpportunityEvent, OpportunityCommand;
        Complaint: ComplaintId, ComplaintEvent, ComplaintCommand;
    }
    inner {
        NaturalKey: NaturalKeyId, NaturalKeyEvent;
        NumberSeries: NumberSeriesId, NumberSeriesEvent;
    }
}
