//! What an order costs, and why.
//! Invariants: the lines' sum is exact, and what is to be paid is rounded once, from that sum and
//! the charges together; every price carries its explanation.

use daybook_schema::{
    goods::{PriceExplanation, PriceId, PriceListId, PriceSource},
    kernel::{Amount, BasisPoints, Currency, Money},
    orders::{OrderLine, OrderLineDraft, OrderLineId},
};

use super::order::OrderRejection;
use crate::{
    Declined, Desk,
    amounts::{self, not_negative, positive, same_currency},
    goods::{
        price::{self, ListPrice, Price},
        price_list, product, warehouse,
    },
};

/// The greatest number of lines of an order.
pub(crate) const LINES_MAX: usize = 200;

/// What an order costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Totals {
    /// The sum of the lines, exactly.
    pub(crate) lines_net: Amount,
    /// Lines and charges together, rounded once to the minor unit.
    pub(crate) total: Money,
}

/// What lines of these nets and the charges cost together.
pub(crate) fn totals(nets: &[Amount], charges: Money) -> Result<Totals, Declined> {
    let mut sum = Amount::from(Money::zero(charges.currency()));
    for net in nets {
        same_currency(charges.currency(), net.currency, &["charges"])?;
        sum.amount = amounts::sum(sum.amount.0, net.amount.0)?.into();
    }
    let with_charges = amounts::sum(sum.amount.0, charges.amount())?;
    Ok(Totals {
        lines_net: sum,
        total: Money::rounded(with_charges, charges.currency())?,
    })
}

/// The charges of an order: nothing where none are given; refused below nothing.
pub(crate) fn charges(charges: Option<Money>, currency: Currency) -> Result<Money, Declined> {
    let charges = charges.unwrap_or(Money::zero(currency));
    same_currency(charges.currency(), currency, &["charges"])?;
    not_negative(charges.amount().into(), &["charges"])?;
    Ok(charges)
}

/// Prices the lines of an order on the business day of the command.
pub(crate) fn price_lines(
    desk: &Desk<'_>,
    currency: Currency,
    drafts: Vec<OrderLineDraft>,
) -> Result<Vec<OrderLine>, Declined> {
    let count = drafts.len();
    if !(1..=LINES_MAX).contains(&count) {
        return Err(OrderRejection::LineCountOutOfRange { count }.into());
    }
    let numbered = drafts.into_iter().enumerate();
    numbered
        .map(|(index, draft)| price_line(desk, currency, desk.context().numbered_id(index), draft))
        .collect()
}

fn price_line(
    desk: &Desk<'_>,
    currency: Currency,
    line: OrderLineId,
    draft: OrderLineDraft,
) -> Result<OrderLine, Declined> {
    positive(draft.quantity, &["lines"])?;
    check_discount(draft.discount)?;
    let entry = product::require_on_sale(desk, draft.product)?;
    if let Some(warehouse) = draft.warehouse {
        warehouse::require_open(desk, warehouse)?;
    }
    let price = explain(desk, currency, &draft)?;
    let unit_price = Amount::new(price.unit_price.0, currency);
    Ok(OrderLine {
        line,
        product: draft.product,
        sku: entry.sku,
        name: entry.details.name,
        quantity: draft.quantity,
        warehouse: draft.warehouse,
        net: amounts::net(draft.quantity, unit_price, draft.discount)?,
        price,
    })
}

fn check_discount(discount: BasisPoints) -> Result<(), OrderRejection> {
    if discount < BasisPoints::ZERO || discount > BasisPoints::WHOLE {
        let discount = discount.get();
        return Err(OrderRejection::DiscountOutOfRange { discount });
    }
    Ok(())
}

/// The unit price of a line and where it comes from: the line's own price before the list's.
fn explain(
    desk: &Desk<'_>,
    currency: Currency,
    draft: &OrderLineDraft,
) -> Result<PriceExplanation, Declined> {
    let listed = match draft.price_list {
        Some(list) => look_up(desk, currency, list, draft)?,
        None => None,
    };
    let list_unit_price = listed.map(|price| price.tier.unit_price);
    let (source, unit_price) = match (draft.unit_price, list_unit_price) {
        (Some(own), _) => (PriceSource::Override, own),
        (None, Some(listed)) => (PriceSource::List, listed),
        (None, None) => return Err(no_price(desk, draft)),
    };
    not_negative(unit_price, &["lines"])?;
    Ok(PriceExplanation {
        source,
        price_list: draft.price_list,
        price_version: listed.map(|price| price.version),
        tier_min_quantity: listed.map(|price| price.tier.min_quantity),
        list_unit_price,
        unit_price,
        discount: draft.discount,
    })
}

fn look_up(
    desk: &Desk<'_>,
    currency: Currency,
    list: PriceListId,
    draft: &OrderLineDraft,
) -> Result<Option<ListPrice>, Declined> {
    let listed_in = price_list::require_open(desk, list)?;
    same_currency(listed_in, currency, &["lines"])?;
    let id = PriceId {
        list,
        product: draft.product,
    };
    let prices = desk.load::<Price>(&id)?;
    let on = desk.context().effective_on();
    Ok(price::price_for(&prices, draft.quantity, on))
}

fn no_price(desk: &Desk<'_>, draft: &OrderLineDraft) -> Declined {
    let product = draft.product;
    match draft.price_list {
        None => OrderRejection::PriceMissing { product },
        Some(price_list) => OrderRejection::NoPriceInForce {
            product,
            price_list,
            quantity: draft.quantity,
            on: desk.context().effective_on(),
        },
    }
    .into()
}
