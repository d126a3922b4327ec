//! The customer at a glance (客户全貌): sums over everything that other contexts know of it, kept
//! as one row, and one timeline of all that happened.

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    customers::{CustomerEvent, CustomerId, InteractionEvent},
    kernel::{Amount, Currency, Date, DateTime, Decimal},
    orders::{OrderEvent, ShipmentEvent},
    pipeline::{LeadEvent, OpportunityEvent, OpportunityPhase},
    service::ComplaintEvent,
};
use serde::{Deserialize, Serialize};

use super::{
    InteractionRow,
    affair::{self, Affair, AffairRow, brief},
    timeline::Line,
};
use crate::{
    measure::{PipelineTotal, Prospect, add, exact, subtract, weighted},
    store::{ColumnKind, Fact, FoldError, ReadModel, Stamp, Tables, table},
};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "customerOverview",
    version: 1,
    tables: |definitions| {
        definitions.rows::<CustomerOverviewRow>();
        definitions.rows::<AffairRow>();
        super::timeline::define(definitions);
    },
    fold,
};

/// A customer at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "CustomerOverview")]
#[serde(rename_all = "camelCase")]
pub struct CustomerOverviewRow {
    /// The customer's id.
    #[graphql(skip)]
    pub id: CustomerId,
    /// Version, position and times.
    #[graphql(skip)]
    pub stamp: Stamp,
    /// How many orders it placed, cancelled ones left out.
    pub order_count: u32,
    /// How many of its orders were cancelled as a whole.
    pub cancelled_order_count: u32,
    /// The day of its first order, even if that was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_order_on: Option<Date>,
    /// The day of its last order, even if that was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_order_on: Option<Date>,
    /// What it ordered, per currency.
    pub sales: Vec<CustomerSales>,
    /// How many shipments are prepared or on their way.
    pub open_shipment_count: u32,
    /// How many opportunities are open.
    pub open_opportunity_count: u32,
    /// What the open opportunities would bring, per currency.
    pub pipeline: Vec<PipelineTotal>,
    /// How many opportunities are won.
    pub won_opportunity_count: u32,
    /// How many opportunities are lost.
    pub lost_opportunity_count: u32,
    /// How many leads turned out to be this customer.
    pub converted_lead_count: u32,
    /// How many complaints there were.
    pub complaint_count: u32,
    /// How many complaints are neither resolved nor closed.
    pub open_complaint_count: u32,
    /// How often somebody spoke with it.
    pub interaction_count: u32,
    /// When somebody last spoke with it, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_interaction_at: Option<DateTime>,
    /// When anything last happened that its timeline tells of, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_activity_at: Option<DateTime>,
}

/// What a customer ordered in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct CustomerSales {
    /// The currency.
    pub currency: Currency,
    /// How many orders, cancelled ones left out.
    pub orders: u32,
    /// The exact sum of what is left of their lines, after discounts and before charges.
    #[serde(with = "exact")]
    pub net: Decimal,
}

table!(CustomerOverviewRow as row, "customer_overview" {
    last_activity_at: ColumnKind::DateTime, nullable; "By when anything last happened."
        => row.last_activity_at;
});

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    match &fact.event {
        DomainEvent::Customer(event) => customer(fact, event, tables),
        DomainEvent::Interaction(event) => interaction(fact, event, tables),
        DomainEvent::Lead(event) => lead(fact, event, tables),
        DomainEvent::Opportunity(event) => opportunity(fact, event, tables),
        DomainEvent::Complaint(event) => complaint(fact, event, tables),
        DomainEvent::Order(event) => order(fact, event, tables),
        DomainEvent::Shipment(event) => shipment(fact, event, tables),
        DomainEvent::Organisation(_)
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
        | DomainEvent::NumberSeries(_) => Ok(()),
    }
}

/// The timeline tells when the record was opened, closed and opened again. What stands in the
/// record is the customer's own row, so its other facts are not named here, nor are new ones.
fn customer(fact: &Fact<'_>, event: &CustomerEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let title = if let CustomerEvent::CustomerRegistered { details, .. } = event {
        tables.insert(CustomerOverviewRow::empty(fact)?);
        details.name.to_string()
    } else if let CustomerEvent::CustomerDeactivated { because } = event {
        brief(because.as_str())
    } else if let CustomerEvent::CustomerReactivated {} = event {
        String::new()
    } else {
        return Ok(());
    };
    tell(fact, fact.id()?, title, tables, |_| {})
}

fn interaction(
    fact: &Fact<'_>,
    event: &InteractionEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        InteractionEvent::InteractionLogged { customer, details } => {
            let (at, title) = (fact.meta.effective_at(), brief(details.summary.as_str()));
            tell(fact, *customer, title, tables, |row| {
                row.interaction_count += 1;
                row.last_interaction_at = row.last_interaction_at.max(Some(at));
            })
        }
        InteractionEvent::InteractionCorrected { details, .. } => {
            let interaction: InteractionRow = tables.require(&fact.stream)?;
            let title = brief(details.summary.as_str());
            tell(fact, interaction.customer, title, tables, |_| {})
        }
    }
}

/// A lead is nobody's timeline until it turns out to be a customer.
fn lead(fact: &Fact<'_>, event: &LeadEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let LeadEvent::LeadConverted { customer, .. } = event else {
        return Ok(());
    };
    tell(fact, *customer, String::new(), tables, |row| {
        row.converted_lead_count += 1;
    })
}

fn opportunity(
    fact: &Fact<'_>,
    event: &OpportunityEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let begun = affair::opportunity_opened(fact, event);
    follow(fact, begun, tables, |state| {
        affair::opportunity(state, event)
    })
}

fn complaint(
    fact: &Fact<'_>,
    event: &ComplaintEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let begun = affair::complaint_logged(fact, event);
    follow(fact, begun, tables, |state| affair::complaint(state, event))
}

fn order(fact: &Fact<'_>, event: &OrderEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let begun = affair::order_placed(fact, event);
    follow(fact, begun, tables, |state| affair::order(state, event))
}

fn shipment(fact: &Fact<'_>, event: &ShipmentEvent, tables: &mut Tables) -> Result<(), FoldError> {
    let begun = affair::shipment_prepared(fact, event);
    follow(fact, begun, tables, |state| affair::shipment(state, event))
}

/// Follows an affair: what it added to the overview is taken out, and what it adds now put in.
/// `change` applies the event to the affair and says whether the timeline tells of it.
fn follow(
    fact: &Fact<'_>,
    begun: Option<AffairRow>,
    tables: &mut Tables,
    change: impl FnOnce(&mut Affair) -> bool,
) -> Result<(), FoldError> {
    let (before, mut after) = match begun {
        Some(row) => (None, row),
        None => {
            let row: AffairRow = tables.require(&fact.stream)?;
            (Some(row.affair.clone()), row)
        }
    };
    let told = after.change(fact, change);
    if before.as_ref() == Some(&after.affair) && !told {
        return Ok(());
    }
    let day = before.is_none().then(|| fact.meta.effective_on());
    let count = |row: &mut CustomerOverviewRow| {
        if let Some(before) = &before {
            row.count(before, -1);
        }
        row.count(&after.affair, 1);
        if let (Some(day), Affair::Order { .. }) = (day, &after.affair) {
            row.first_order_on = Some(row.first_order_on.map_or(day, |first| first.min(day)));
            row.last_order_on = row.last_order_on.max(Some(day));
        }
    };
    if told {
        tell(fact, after.customer, after.title.clone(), tables, count)?;
    } else {
        tables.update(fact, &after.customer, count)?;
    }
    tables.insert(after);
    Ok(())
}

/// Changes a customer's overview and adds a line to its timeline.
fn tell(
    fact: &Fact<'_>,
    customer: CustomerId,
    title: String,
    tables: &mut Tables,
    change: impl FnOnce(&mut CustomerOverviewRow),
) -> Result<(), FoldError> {
    let line = Line::new(fact, customer, title);
    let at = line.occurred_at;
    tables.update(fact, &customer, |row: &mut CustomerOverviewRow| {
        change(row);
        row.last_activity_at = row.last_activity_at.max(Some(at));
    })?;
    tables.append(line);
    Ok(())
}

impl CustomerOverviewRow {
    fn empty(fact: &Fact<'_>) -> Result<Self, FoldError> {
        Ok(Self {
            id: fact.id()?,
            stamp: Stamp::new(fact),
            order_count: 0,
            cancelled_order_count: 0,
            first_order_on: None,
            last_order_on: None,
            sales: Vec::new(),
            open_shipment_count: 0,
            open_opportunity_count: 0,
            pipeline: Vec::new(),
            won_opportunity_count: 0,
            lost_opportunity_count: 0,
            converted_lead_count: 0,
            complaint_count: 0,
            open_complaint_count: 0,
            interaction_count: 0,
            last_interaction_at: None,
            last_activity_at: None,
        })
    }

    /// Puts an affair into the sums (`1`) or takes it out (`-1`).
    fn count(&mut self, affair: &Affair, by: i32) {
        match affair {
            Affair::Order {
                cancelled: true, ..
            } => shift(&mut self.cancelled_order_count, by),
            Affair::Order { net, .. } => {
                shift(&mut self.order_count, by);
                self.sell(*net, by);
            }
            Affair::Shipment { open } => {
                shift(&mut self.open_shipment_count, by * i32::from(*open))
            }
            Affair::Opportunity {
                phase,
                stage,
                value,
            } => match phase {
                OpportunityPhase::Won => shift(&mut self.won_opportunity_count, by),
                OpportunityPhase::Lost => shift(&mut self.lost_opportunity_count, by),
                OpportunityPhase::Open => {
                    shift(&mut self.open_opportunity_count, by);
                    let prospect = Prospect {
                        currency: value.currency(),
                        value: value.amount().into(),
                        weighted_value: weighted(value.amount(), stage.probability).into(),
                    };
                    let into = if by < 0 { subtract } else { add };
                    into(&mut self.pipeline, prospect);
                }
            },
            Affair::Complaint { open } => {
                shift(&mut self.complaint_count, by);
                shift(&mut self.open_complaint_count, by * i32::from(*open));
            }
        }
    }

    fn sell(&mut self, net: Amount, by: i32) {
        let change = net.amount.0 * rust_decimal::Decimal::from(by);
        let mut known = self.sales.iter_mut();
        match known.find(|sales| sales.currency == net.currency) {
            Some(sales) => {
                shift(&mut sales.orders, by);
                sales.net = (sales.net.0 + change).into();
            }
            None => {
                self.sales.push(CustomerSales {
                    currency: net.currency,
                    orders: 1,
                    net: net.amount,
                });
                self.sales.sort_by_key(|sales| sales.currency);
            }
        }
        self.sales.retain(|sales| sales.orders > 0);
    }
}

fn shift(count: &mut u32, by: i32) {
    *count = count.saturating_add_signed(by);
}
