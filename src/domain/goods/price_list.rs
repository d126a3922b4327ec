//! A price list. Opened → closed.
//! Invariants: its currency never changes; no order is priced by a closed list.

use daybook_schema::{
    goods::{OpenPriceList, PriceListCommand, PriceListEvent, PriceListId},
    kernel::Currency,
};

use crate::{
    Aggregate, Declined, Desk,
    refusal::{CommonRejection, rejection},
};

/// The list's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum PriceList {
    /// There is no such list yet.
    #[default]
    Unopened,
    /// It takes prices and gives them.
    Open {
        /// The currency of all its prices.
        currency: Currency,
    },
    /// It is a record of the past.
    Closed,
}

/// The rule about price lists.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PriceListRejection {
    /// It takes and gives no price any more.
    #[error("price list `{price_list}` is closed")]
    PriceListClosed {
        /// The price list.
        price_list: PriceListId,
    },
}
rejection!(PriceListRejection, Self::PriceListClosed { .. } => ["priceList"]);

impl Aggregate for PriceList {
    type Id = PriceListId;
    type Event = PriceListEvent;

    fn evolve(self, event: &PriceListEvent) -> Self {
        match event {
            PriceListEvent::PriceListOpened { currency, .. } => Self::Open {
                currency: *currency,
            },
            PriceListEvent::PriceListClosed { .. } => Self::Closed,
        }
    }
}

pub(crate) fn decide(command: PriceListCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use PriceListCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<PriceList>(&id)?, command) {
        (PriceList::Unopened, C::OpenPriceList(command)) => {
            let OpenPriceList { name, currency } = command;
            Ok(desk.record(&id, PriceListEvent::PriceListOpened { name, currency })?)
        }
        (PriceList::Unopened, _) => Err(CommonRejection::not_found(&id)),

        (PriceList::Open { .. }, C::ClosePriceList(command)) => {
            let because = command.because;
            Ok(desk.record(&id, PriceListEvent::PriceListClosed { because })?)
        }
        (PriceList::Open { .. }, C::OpenPriceList(_)) => Err(CommonRejection::already_exists(&id)),

        (PriceList::Closed, _) => {
            Err(PriceListRejection::PriceListClosed { price_list: id }.into())
        }
    }
}

/// The currency of an open price list; refuses any other.
pub(crate) fn require_open(desk: &Desk<'_>, price_list: PriceListId) -> Result<Currency, Declined> {
    match &*desk.load::<PriceList>(&price_list)? {
        PriceList::Unopened => Err(CommonRejection::not_found(&price_list)),
        PriceList::Open { currency } => Ok(*currency),
        PriceList::Closed => Err(PriceListRejection::PriceListClosed { price_list }.into()),
    }
}
