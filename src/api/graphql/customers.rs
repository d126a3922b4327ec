//! Customers in the API.

use async_graphql::{ComplexObject, Context, SimpleObject};
use daybook_projections::customers::{
    self, CustomerOverviewRow, CustomerRow, InteractionRow, TimelineLine,
};

use super::{
    fault::{Answer, Fault},
    links::objects,
    object::Node,
    orders::{Order, Shipment},
    pipeline::Opportunity,
    reading::Reading,
    service::Complaint,
};

/// The greatest page of a timeline.
const LINES_MAX: usize = 100;

objects! {
    /// A customer (客户).
    Customer(CustomerRow) = "customer", customer, customers {
        many {
            /// Talks with the customer (沟通记录).
            interactions: Interaction = "customer";
            /// Possible sales to the customer (销售机会).
            opportunities: Opportunity = "customer";
            /// The customer's complaints (客户投诉).
            complaints: Complaint = "customer";
            /// Its orders (订单).
            orders: Order = "customer";
            /// What is or was on its way to it (发货单).
            shipments: Shipment = "customer";
        }
        also(overview, timeline) {
            /// The customer at a glance (客户全貌): sums over everything on record of it.
            async fn overview(
                &self,
                ctx: &Context<'_>,
            ) -> async_graphql::Result<Option<CustomerOverviewRow>> {
                let id = self.row.id().to_owned();
                let overview = Reading::of(ctx).load::<CustomerOverviewRow>(id).await?;
                let overview = overview.map(|document| document.row()).transpose();
                Ok(overview.map_err(Fault::from)?)
            }

            /// What happened with the customer, from all contexts, newest first.
            async fn timeline(
                &self,
                ctx: &Context<'_>,
                #[graphql(default = 20, desc = "How many lines at most, up to 100.")] first: i32,
                #[graphql(desc = "Before the line with this cursor.")] before: Option<String>,
            ) -> async_graphql::Result<CustomerTimeline> {
                Ok(CustomerTimeline::read(ctx, self.row.id(), first, before)?)
            }
        }
    }

    /// A talk with a customer (沟通记录).
    Interaction(InteractionRow) = "interaction", interaction, interactions {
        one {
            /// The customer.
            customer: Customer = "customer";
        }
    }
}

/// A part of a customer's timeline.
#[derive(SimpleObject)]
struct CustomerTimeline {
    /// The lines, newest first.
    lines: Vec<CustomerTimelineLine>,
    /// Whether there are earlier lines.
    has_more: bool,
}

/// One line of a customer's timeline.
#[derive(SimpleObject)]
#[graphql(complex)]
struct CustomerTimelineLine {
    #[graphql(flatten)]
    row: TimelineLine,
}

#[ComplexObject]
impl CustomerTimelineLine {
    /// The object that it happened to, as it is at the position of this answer.
    async fn object(&self) -> Option<Node> {
        let kind = *super::kinds().of_id(&self.row.object)?;
        let id = self.row.object.clone();
        Some(Node { kind, id })
    }

    /// The place of the line in the timeline.
    async fn cursor(&self) -> String {
        self.row.place.to_string()
    }
}

impl CustomerTimeline {
    fn read(ctx: &Context<'_>, customer: &str, first: i32, before: Option<String>) -> Answer<Self> {
        let limit = usize::try_from(first)
            .ok()
            .filter(|limit| *limit <= LINES_MAX);
        let limit = limit.ok_or_else(|| {
            Fault::bad_input(format!("`first` is {first}; 0 to {LINES_MAX} are allowed"))
        })?;
        let before = before.map(|text| text.parse()).transpose()?;
        let snapshot = Reading::of(ctx).snapshot()?;
        let mut rows = customers::timeline(&snapshot, customer, before, limit + 1)?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let lines = rows.into_iter().map(|row| CustomerTimelineLine { row });
        Ok(Self {
            lines: lines.collect(),
            has_more,
        })
    }
}
