//! Orders and shipments in the API, order tracking, and sales totals.

use async_graphql::{Context, Object, SimpleObject};
use daybook_projections::{
    orders::{OrderRow, SalesDimension, SalesTotalRow, ShipmentRow, TimeLineEntry, time_line},
    store::{Cell, Condition, Operator, Row},
};
use daybook_schema::{kernel::Currency, orders::OrderId};

use super::{
    connection::{Connection, PageArguments},
    customers::Customer,
    fault::Answer,
    filter::{OrderBy, Where},
    goods::Product,
    links::{objects, totals},
    object::linked,
    pipeline::Opportunity,
    reading::Reading,
    service::Complaint,
    shown::{Fields, Shown},
};

objects! {
    /// A customer's order (订单).
    Order(OrderRow) = "order", order, orders {
        one {
            /// The customer.
            customer: Customer = "customer";
            /// The opportunity that it closes.
            opportunity: Opportunity = "opportunity";
        }
        many {
            /// Its shipments (发货单).
            shipments: Shipment = "order_id";
            /// Complaints about it (客户投诉).
            complaints: Complaint = "order_id";
        }
    }

    /// A shipment of an order's goods (发货单).
    Shipment(ShipmentRow) = "shipment", shipment, shipments {
        one {
            /// The order.
            order: Order = "order";
            /// The customer.
            customer: Customer = "customer";
        }
    }
}

totals! {
    /// What was sold, by one value of one dimension in one currency (销售汇总).
    SalesTotal(SalesTotalRow) {
        /// The customer, where it is summed up by customer.
        customer: Customer = |row| key(row, "customer");
        /// The product, where it is summed up by product.
        product: Product = |row| key(row, "product");
    }
}

/// The key of a total of this dimension.
fn key(row: &Fields<SalesTotalRow>, dimension: &str) -> Option<String> {
    row.text("key")
        .filter(|_| row.text("dimension").as_deref() == Some(dimension))
}

/// The most shipments that the tracking of an order shows.
const SHIPMENTS_MAX: usize = 200;
/// The most steps that the tracking of an order shows.
const STEPS_MAX: usize = 1_000;

/// Where an order is: its shipments, and what happened to it step by step (物流跟踪).
#[derive(SimpleObject)]
pub(super) struct OrderTracking {
    /// The order with its lines.
    order: Shown<Order>,
    /// Its shipments, oldest first, at most 200.
    shipments: Vec<Shown<Shipment>>,
    /// What happened, in the order of the record, at most 1000 steps.
    time_line: Vec<TimeLineEntry>,
}

/// Questions about orders.
#[derive(Default)]
pub(super) struct OrderQueries;

#[Object]
impl OrderQueries {
    /// Where an order is; empty where there is no such order.
    async fn order_tracking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order.")] order: OrderId,
    ) -> async_graphql::Result<Option<OrderTracking>> {
        let Some(found) = linked::<Order>(ctx, Some(order.to_string())).await? else {
            return Ok(None);
        };
        Ok(Some(tracking(Reading::of(ctx), order, found)?))
    }

    /// What was sold, by customer, product, month and so on, exactly (销售汇总); the greatest net
    /// first where no order is given.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection has as many")]
    async fn sales_totals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "By what.")] by: SalesDimension,
        #[graphql(desc = "Only in this currency.")] currency: Option<Currency>,
        #[graphql(desc = "How many from the beginning, at most 100.")] first: Option<i32>,
        #[graphql(desc = "After the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before the one with this cursor.")] before: Option<String>,
        #[graphql(name = "where", desc = "Which totals.")] filter: Option<Where<SalesTotal>>,
        #[graphql(desc = "In which order.")] order_by: Option<Vec<OrderBy<SalesTotal>>>,
    ) -> async_graphql::Result<Connection<SalesTotal>> {
        let order = order_by.unwrap_or_else(|| vec![OrderBy::descending("net")]);
        let arguments = PageArguments::new(first, after, last, before, filter, Some(order));
        let mut within = vec![is::<SalesTotalRow>("dimension", &by.to_string())];
        within.extend(currency.map(|currency| is::<SalesTotalRow>("currency", &currency)));
        Ok(arguments.read(Reading::of(ctx), Some(Condition::All(within)))?)
    }
}

/// The condition that a column holds a value; a column that is not there holds nothing.
fn is<R: Row>(column: &str, value: &impl Cell) -> Condition {
    let found = R::COLUMNS.iter().position(|own| own.name == column);
    found.map_or(Condition::Any(Vec::new()), |column| Condition::Is {
        column,
        operator: Operator::Eq,
        values: vec![value.cell()],
    })
}

fn tracking(reading: &Reading, id: OrderId, order: Shown<Order>) -> Answer<OrderTracking> {
    let snapshot = reading.snapshot()?;
    let request = daybook_projections::store::PageRequest {
        condition: is::<ShipmentRow>("order_id", &id),
        order: vec![OrderBy::<Shipment>::ascending("number").order],
        after: None,
        before: None,
        limit: SHIPMENTS_MAX,
        backwards: false,
    };
    let shipments = snapshot.page::<ShipmentRow>(&request)?.rows.into_iter();
    Ok(OrderTracking {
        order,
        shipments: shipments.map(|(document, _)| document.into()).collect(),
        time_line: time_line(&snapshot, id, STEPS_MAX)?,
    })
}
