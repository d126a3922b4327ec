//! How far the lines of one order have come.
//! Invariants of every line: delivered ≤ shipped; prepared and shipped together never exceed what
//! is wanted plus the allowance; what is reserved is never less than what is prepared.

use daybook_schema::{
    customers::CustomerId,
    goods::{ProductId, StockItemId, WarehouseId},
    kernel::{Address, Amount, BasisPoints, Currency, Decimal, Money, Quantity},
    orders::{LineProgress, OrderLine, OrderLineId},
};

use super::{order::OrderRejection, pricing};
use crate::{Declined, amounts};

/// What decisions need of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    /// The customer.
    pub(crate) customer: CustomerId,
    /// The currency of all prices and amounts.
    pub(crate) currency: Currency,
    /// Freight and other charges.
    pub(crate) charges: Money,
    /// Where it is shipped to.
    pub(crate) ship_to: Option<Address>,
    /// The lines, in the order of the document.
    pub(crate) lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// The line.
    pub(crate) id: OrderLineId,
    /// The product.
    pub(crate) product: ProductId,
    /// Where it is shipped from, once that is known.
    pub(crate) warehouse: Option<WarehouseId>,
    /// Ordered, cancelled, shipped, delivered.
    pub(crate) progress: LineProgress,
    /// How much lies ready in shipments that were not dispatched.
    pub(crate) prepared: Quantity,
    /// How much the stock keeps for the line.
    pub(crate) reserved: Quantity,
    unit_price: Decimal,
    discount: BasisPoints,
}

impl From<&OrderLine> for Line {
    fn from(line: &OrderLine) -> Self {
        Self {
            id: line.line,
            product: line.product,
            warehouse: line.warehouse,
            progress: LineProgress {
                ordered: line.quantity,
                ..LineProgress::default()
            },
            prepared: Quantity::ZERO,
            reserved: Quantity::ZERO,
            unit_price: line.price.unit_price,
            discount: line.price.discount,
        }
    }
}

impl Line {
    /// What is wanted and neither shipped nor prepared; nothing where more than wanted is.
    pub(crate) fn open(&self) -> Quantity {
        let open = self.progress.wanted() - self.progress.shipped - self.prepared;
        open.max(Quantity::ZERO)
    }

    /// What is kept beyond what is prepared and open.
    pub(crate) fn reserved_in_excess(&self) -> Quantity {
        (self.reserved - self.prepared - self.open()).max(Quantity::ZERO)
    }

    /// What a further preparation of `quantity` needs beyond what is kept.
    pub(crate) fn shortage(&self, quantity: Quantity) -> Quantity {
        (self.prepared + quantity - self.reserved).max(Quantity::ZERO)
    }

    /// Whether the customer has all that is wanted and nothing is on its way.
    fn is_settled(&self) -> bool {
        let LineProgress {
            shipped, delivered, ..
        } = self.progress;
        delivered >= self.progress.wanted() && delivered == shipped && !self.prepared.is_positive()
    }

    /// Whether something is prepared or shipped.
    fn is_under_way(&self) -> bool {
        self.prepared.is_positive() || self.progress.shipped.is_positive()
    }

    /// The stock that the line is taken from; refuses where no warehouse is known.
    pub(crate) fn stock(&self) -> Result<StockItemId, OrderRejection> {
        self.stock_or(None)
    }

    /// The same, with a warehouse for a line that names none.
    pub(crate) fn stock_or(
        &self,
        default: Option<WarehouseId>,
    ) -> Result<StockItemId, OrderRejection> {
        let warehouse = self.warehouse.or(default);
        let line = self.id;
        let warehouse = warehouse.ok_or(OrderRejection::LineWithoutWarehouse { line })?;
        Ok(StockItemId {
            product: self.product,
            warehouse,
        })
    }

    /// The net of what is wanted of it.
    pub(crate) fn net(&self, currency: Currency) -> Result<Amount, Declined> {
        let unit_price = Amount::new(self.unit_price.0, currency);
        amounts::net(self.progress.wanted(), unit_price, self.discount)
    }
}

impl Record {
    /// The line with this id.
    pub(crate) fn line(&self, id: OrderLineId) -> Result<&Line, OrderRejection> {
        let mut lines = self.lines.iter();
        lines
            .find(|line| line.id == id)
            .ok_or(OrderRejection::LineUnknown { line: id })
    }

    /// Changes the line with this id, if there is one.
    pub(crate) fn change(&mut self, id: OrderLineId, change: impl FnOnce(&mut Line)) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            change(line);
        }
    }

    /// Whether every line is delivered or cancelled, and nothing is on its way.
    pub(crate) fn is_settled(&self) -> bool {
        self.lines.iter().all(Line::is_settled)
    }

    /// Whether something is prepared or shipped.
    pub(crate) fn is_under_way(&self) -> bool {
        self.lines.iter().any(Line::is_under_way)
    }

    /// Whether nothing of it is wanted any more.
    pub(crate) fn is_empty(&self) -> bool {
        let mut lines = self.lines.iter();
        !lines.any(|line| line.progress.wanted().is_positive())
    }

    /// The sum of what is wanted, and with the charges what is to be paid.
    pub(crate) fn totals(&self) -> Result<pricing::Totals, Declined> {
        let nets: Result<Vec<_>, _> = self
            .lines
            .iter()
            .map(|line| line.net(self.currency))
            .collect();
        pricing::totals(&nets?, self.charges)
    }
}
