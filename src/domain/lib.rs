//! The rules of the sales organisation, as pure decisions.
//!
//! One file per aggregate: its state, the fold of its events into that state, and the table of
//! what each command may do in each state. A decision reads states through the [`Desk`], records
//! events on it or refuses; it knows no clock, no randomness, no storage and no transport, and
//! contexts never import each other's modules except through the events and states they share
//! here.

mod access;
mod amounts;
mod custody;
mod customers;
mod desk;
mod goods;
mod governance;
mod orders;
mod pipeline;
mod refusal;
mod service;
#[cfg(test)]
mod spec;

use daybook_schema::{
    DomainCommand, Event,
    access::{AccountId, ApiKeyId, SessionId, TeamId},
    customers::{CustomerId, InteractionId},
    goods::{PriceId, PriceListId, ProductId, StockItemId, WarehouseId},
    governance::{ErasureId, NaturalKeyId, NumberSeriesId, OrganisationId, PolicyId, TenantId},
    kernel::StreamKey,
    orders::{OrderId, ShipmentId},
    pipeline::{LeadId, OpportunityId},
    service::ComplaintId,
};

pub use access::{
    AccessRejection, Authority, COMMANDS, Cited, CommandRule, FieldClass, KINDS, KindRule, QUERIES,
    QueryRule, authorise, command_rule, is_held, kind_rule, may_list, query_rule,
};
pub use custody::Custody;
pub use desk::{Context, Decided, Desk, Fault, Fold, Loaded, RecordedEvent, State, States};
pub use governance::tenant::Tenant;
pub use refusal::{Declined, Rejection};

/// The state that decisions need of one object: a fold of its events.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// What names the object.
    type Id: StreamKey;
    /// What can happen to it.
    type Event: Event;
    /// Whether the last event alone makes the state, so that a stream without end need not be read
    /// from its beginning.
    const LAST_EVENT_IS_ALL: bool = false;

    /// The state after one more event. Total: the log is true, so no event is ever rejected here.
    fn evolve(self, event: &Self::Event) -> Self;
}

/// Decides one command: records its events on the desk, or refuses and leaves nothing behind.
pub fn decide(command: DomainCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    match command {
        DomainCommand::Organisation(command) => governance::organisation::decide(command, desk),
        DomainCommand::Policy(command) => governance::policy::decide(command, desk),
        DomainCommand::Account(command) => access::account::decide(command, desk),
        DomainCommand::ApiKey(command) => access::api_key::decide(command, desk),
        DomainCommand::Session(command) => access::session::decide(command, desk),
        DomainCommand::Team(command) => access::team::decide(command, desk),
        DomainCommand::Erasure(command) => governance::erasure::decide(command, desk),
        DomainCommand::Tenant(command) => governance::tenant::decide(command, desk),
        DomainCommand::Customer(command) => customers::customer::decide(command, desk),
        DomainCommand::Interaction(command) => customers::interaction::decide(command, desk),
        DomainCommand::Lead(command) => pipeline::lead::decide(command, desk),
        DomainCommand::Opportunity(command) => pipeline::opportunity::decide(command, desk),
        DomainCommand::Complaint(command) => service::complaint::decide(command, desk),
        DomainCommand::Warehouse(command) => goods::warehouse::decide(command, desk),
        DomainCommand::Product(command) => goods::product::decide(command, desk),
        DomainCommand::PriceList(command) => goods::price_list::decide(command, desk),
        DomainCommand::Price(command) => goods::price::decide(command, desk),
        DomainCommand::StockItem(command) => goods::stock_item::decide(command, desk),
        DomainCommand::Order(command) => orders::order::decide(command, desk),
        DomainCommand::Shipment(command) => orders::shipment::decide(command, desk),
    }
}

/// How the states of the streams with this prefix are folded; none for an unknown prefix.
pub fn fold(prefix: &str) -> Option<Fold> {
    match prefix {
        OrganisationId::PREFIX => Some(Fold::of::<governance::organisation::Organisation>()),
        PolicyId::PREFIX => Some(Fold::of::<governance::policy::Policy>()),
        ErasureId::PREFIX => Some(Fold::of::<governance::erasure::Erasure>()),
        TenantId::PREFIX => Some(Fold::of::<governance::tenant::Tenant>()),
        NaturalKeyId::PREFIX => Some(Fold::of::<governance::natural_key::KeyHolder>()),
        NumberSeriesId::PREFIX => Some(Fold::of::<governance::number_series::NumberSeries>()),
        AccountId::PREFIX => Some(Fold::of::<access::account::Account>()),
        ApiKeyId::PREFIX => Some(Fold::of::<access::api_key::ApiKey>()),
        SessionId::PREFIX => Some(Fold::of::<access::session::Session>()),
        TeamId::PREFIX => Some(Fold::of::<access::team::Team>()),
        CustomerId::PREFIX => Some(Fold::of::<customers::customer::Customer>()),
        InteractionId::PREFIX => Some(Fold::of::<customers::interaction::Interaction>()),
        LeadId::PREFIX => Some(Fold::of::<pipeline::lead::Lead>()),
        OpportunityId::PREFIX => Some(Fold::of::<pipeline::opportunity::Opportunity>()),
        ComplaintId::PREFIX => Some(Fold::of::<service::complaint::Complaint>()),
        WarehouseId::PREFIX => Some(Fold::of::<goods::warehouse::Warehouse>()),
        ProductId::PREFIX => Some(Fold::of::<goods::product::Product>()),
        PriceListId::PREFIX => Some(Fold::of::<goods::price_list::PriceList>()),
        PriceId::PREFIX => Some(Fold::of::<goods::price::Price>()),
        StockItemId::PREFIX => Some(Fold::of::<goods::stock_item::StockItem>()),
        OrderId::PREFIX => Some(Fold::of::<orders::order::Order>()),
        ShipmentId::PREFIX => Some(Fold::of::<orders::shipment::Shipment>()),
        _ => None,
    }
}
