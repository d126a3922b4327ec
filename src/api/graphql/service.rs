//! Complaints in the API, and the patterns in them.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use daybook_projections::service::{self, ComplaintRow};
use daybook_schema::kernel::Date;

use super::{
    customers::Customer,
    fault::{Answer, Fault},
    goods::Product,
    links::objects,
    object::linked,
    orders::Order,
    pipeline::period,
    reading::Reading,
    shown::Shown,
};

/// The longest time between two complaints that count as one coming again, in days.
const RECURRENCE_DAYS_MAX: u32 = 3_650;

objects! {
    /// A customer's complaint (客户投诉) and its remedy (处理方案), cycle by cycle.
    Complaint(ComplaintRow) = "complaint", complaint, complaints {
        one {
            /// The customer.
            customer: Customer = "customer";
            /// The order that it is about.
            order: Order = "order";
            /// The product that it is about.
            product: Product = "product";
        }
    }
}

/// The complaints of a period by category, product and cause.
#[derive(SimpleObject)]
struct ComplaintPatterns {
    #[graphql(flatten)]
    row: service::ComplaintPatterns,
    /// Category, product and cause, most frequent first.
    patterns: Vec<ComplaintPattern>,
}

/// The complaints of one category about one product for one cause.
#[derive(SimpleObject)]
#[graphql(complex)]
struct ComplaintPattern {
    #[graphql(flatten)]
    row: service::ComplaintPattern,
}

#[ComplexObject]
impl ComplaintPattern {
    /// The product; none where the complaints name none.
    async fn product(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Product>>> {
        Ok(linked::<Product>(ctx, self.row.product.clone()).await?)
    }
}

/// Questions about complaints.
#[derive(Default)]
pub(super) struct ServiceQueries;

#[Object]
impl ServiceQueries {
    /// Which categories, products and causes bring complaints, how many come again, and how long
    /// they take, over the complaints that were put on record in a period.
    async fn complaint_patterns(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first day of the period.")] from: Date,
        #[graphql(desc = "The first day after the period.")] to: Date,
        #[graphql(
            default = 90,
            desc = "A complaint came again where the same customer complained in the same \
                    category at most so many days before, 1 to 3650."
        )]
        recurrence_days: i32,
    ) -> async_graphql::Result<ComplaintPatterns> {
        let period = period(from, to)?;
        let days = window(recurrence_days)?;
        let found = service::patterns(&*Reading::of(ctx).snapshot()?, period, days);
        let mut row = found.map_err(Fault::from)?;
        let patterns = std::mem::take(&mut row.patterns).into_iter();
        let patterns = patterns.map(|row| ComplaintPattern { row }).collect();
        Ok(ComplaintPatterns { row, patterns })
    }
}

fn window(days: i32) -> Answer<u32> {
    let allowed = u32::try_from(days)
        .ok()
        .filter(|days| (1..=RECURRENCE_DAYS_MAX).contains(days));
    allowed.ok_or_else(|| {
        let message = format!("`recurrenceDays` is {days}; 1 to {RECURRENCE_DAYS_MAX} are allowed");
        Fault::bad_input(message)
    })
}
