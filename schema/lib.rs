//! The published language of Daybook: every command, every event and every value type, as data.
//!
//! | context | aggregates |
//! |---|---|
//! | [`governance`] | organisation, policies, document numbers, natural keys, erasures, tenants |
//! | [`access`] | account, API key, session, team |
//! | [`customers`] | customer, interaction |
//! | [`pipeline`] | lead, opportunity |
//! | [`service`] | complaint |
//! | [`goods`] | warehouse, product, price list, price, stock item |
//! | [`orders`] | order, shipment |
//!
//! The crate holds no rule, does no input or output and reads no clock. Commands say what
//! somebody wants, events what happened; both are documented here once, and from here flow into
//! the GraphQL schema, the JSON Schemas and the samples. The word in front of the dash of an id
//! (`order-…`) names the aggregate; the id is also the name of its stream in the log.

pub mod access;
pub mod commit;
pub mod customers;
pub mod goods;
pub mod governance;
pub mod kernel;
mod language;
pub mod orders;
pub mod personal;
pub mod pipeline;
mod references;
pub mod service;
mod upcast;

use access::{AccountCommand, AccountEvent, AccountId};
use access::{ApiKeyCommand, ApiKeyEvent, ApiKeyId};
use access::{SessionCommand, SessionEvent, SessionId};
use access::{TeamCommand, TeamEvent, TeamId};
use customers::{CustomerCommand, CustomerEvent, CustomerId};
use customers::{InteractionCommand, InteractionEvent, InteractionId};
use goods::{PriceCommand, PriceEvent, PriceId};
use goods::{PriceListCommand, PriceListEvent, PriceListId};
use goods::{ProductCommand, ProductEvent, ProductId};
use goods::{StockItemCommand, StockItemEvent, StockItemId};
use goods::{WarehouseCommand, WarehouseEvent, WarehouseId};
use governance::{ErasureCommand, ErasureEvent, ErasureId};
use governance::{NaturalKeyEvent, NaturalKeyId, NumberSeriesEvent, NumberSeriesId};
use governance::{OrganisationCommand, OrganisationEvent, OrganisationId};
use governance::{PolicyCommand, PolicyEvent, PolicyId};
use governance::{TenantCommand, TenantEvent, TenantId};
pub use language::{Command, CommandVisitor, Event, EventError, EventFamily, prefix};
use orders::{OrderCommand, OrderEvent, OrderId};
use orders::{ShipmentCommand, ShipmentEvent, ShipmentId};
use pipeline::{LeadCommand, LeadEvent, LeadId};
use pipeline::{OpportunityCommand, OpportunityEvent, OpportunityId};
pub use references::references;
use service::{ComplaintCommand, ComplaintEvent, ComplaintId};

language::language! {
    commanded {
        Organisation: OrganisationId, OrganisationEvent, OrganisationCommand;
        Policy: PolicyId, PolicyEvent, PolicyCommand;
        Account: AccountId, AccountEvent, AccountCommand;
        ApiKey: ApiKeyId, ApiKeyEvent, ApiKeyCommand;
        Session: SessionId, SessionEvent, SessionCommand;
        Team: TeamId, TeamEvent, TeamCommand;
        Erasure: ErasureId, ErasureEvent, ErasureCommand;
        Tenant: TenantId, TenantEvent, TenantCommand;
        Customer: CustomerId, CustomerEvent, CustomerCommand;
        Interaction: InteractionId, InteractionEvent, InteractionCommand;
        Lead: LeadId, LeadEvent, LeadCommand;
        Opportunity: OpportunityId, OpportunityEvent, OpportunityCommand;
        Complaint: ComplaintId, ComplaintEvent, ComplaintCommand;
        Warehouse: WarehouseId, WarehouseEvent, WarehouseCommand;
        Product: ProductId, ProductEvent, ProductCommand;
        PriceList: PriceListId, PriceListEvent, PriceListCommand;
        Price: PriceId, PriceEvent, PriceCommand;
        StockItem: StockItemId, StockItemEvent, StockItemCommand;
        Order: OrderId, OrderEvent, OrderCommand;
        Shipment: ShipmentId, ShipmentEvent, ShipmentCommand;
    }
    inner {
        NaturalKey: NaturalKeyId, NaturalKeyEvent;
        NumberSeries: NumberSeriesId, NumberSeriesEvent;
    }
}
