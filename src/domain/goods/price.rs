//! The prices of one product in one price list, by period and quantity.
//! Invariants: the periods `[from, to)` of a product in a list never overlap, so a day has at most
//! one price; tiers rise strictly and are half-open `[min, next)`, so a quantity falls into at most
//! one. A price that would break this is refused when it is set, never sorted out at a sale.

use daybook_schema::{
    goods::{EndPrice, PriceCommand, PriceEvent, PriceId, PriceTier, SetPrice},
    kernel::{Date, Quantity},
};

use super::{price_list, product};
use crate::{
    Aggregate, Declined, Desk,
    amounts::{not_negative, positive},
    refusal::{CommonRejection, rejection},
};

/// The greatest number of tiers of one price.
const TIERS_MAX: usize = 100;

/// All prices of a product in a list that hold on some day, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Price {
    versions: u32,
    periods: Vec<Period>,
}

#[derive(Clone, Debug, PartialEq)]
struct Period {
    version: u32,
    tiers: Vec<PriceTier>,
    from: Date,
    to: Option<Date>,
}

impl Period {
    fn overlaps(&self, from: Date, to: Option<Date>) -> bool {
        let begins_before = |begin: Date, end: Option<Date>| end.is_none_or(|end| begin < end);
        begins_before(self.from, to) && begins_before(from, self.to)
    }
}

/// The tier that a price list gives for a quantity on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ListPrice {
    /// The number of the price among those of the product in the list.
    pub(crate) version: u32,
    /// The tier into which the quantity falls.
    pub(crate) tier: PriceTier,
}

/// The rules about prices.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum PriceRejection {
    /// A price has no tier or too many.
    #[error("a price has 1 to 100 tiers, not {count}")]
    TierCountOutOfRange {
        /// How many were given.
        count: usize,
    },
    /// A tier does not begin above the one before.
    #[error("the tier from {min_quantity} does not begin above the tier before it")]
    TiersNotRising {
        /// Where the tier begins.
        min_quantity: Quantity,
    },
    /// A price ends before it begins, or with its first day where that means nothing.
    #[error("a price from {from} cannot end on {to}")]
    PricePeriodInverted {
        /// The first day.
        from: Date,
        /// The first day on which it holds no more.
        to: Date,
    },
    /// Another price holds on some day of the period.
    #[error("price {version} already holds from {from} on")]
    PricePeriodsOverlap {
        /// The price that is in the way.
        version: u32,
        /// Its first day.
        from: Date,
    },
    /// No price begins on the day that was given.
    #[error("no price begins on {from}")]
    PriceUnknown {
        /// The day.
        from: Date,
    },
}
rejection!(
    PriceRejection,
    Self::TierCountOutOfRange { .. } | Self::TiersNotRising { .. } => ["tiers"],
    Self::PricePeriodInverted { .. } => ["to"],
    Self::PricePeriodsOverlap { .. } | Self::PriceUnknown { .. } => ["from"],
);

impl Aggregate for Price {
    type Id = PriceId;
    type Event = PriceEvent;

    fn evolve(mut self, event: &PriceEvent) -> Self {
        match event {
            PriceEvent::PriceSet {
                version,
                tiers,
                from,
                to,
                ..
            } => {
                self.versions = *version;
                self.periods.push(Period {
                    version: *version,
                    tiers: tiers.clone(),
                    from: *from,
                    to: *to,
                });
            }
            PriceEvent::PriceEnded { version, to } => {
                self.periods
                    .retain(|period| period.version != *version || period.from < *to);
                for period in &mut self.periods {
                    if period.version == *version {
                        period.to = Some(*to);
                    }
                }
            }
        }
        self
    }
}

/// What one unit costs on a day when so much is bought at once; none where the list says nothing.
pub(crate) fn price_for(price: &Price, quantity: Quantity, on: Date) -> Option<ListPrice> {
    let period = price
        .periods
        .iter()
        .find(|period| period.from <= on && period.to.is_none_or(|to| on < to))?;
    let mut tiers = period.tiers.iter().rev();
    let tier = tiers.find(|tier| tier.min_quantity <= quantity)?;
    Some(ListPrice {
        version: period.version,
        tier: *tier,
    })
}

pub(crate) fn decide(command: PriceCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    match command {
        PriceCommand::SetPrice(command) => set(command, desk),
        PriceCommand::EndPrice(command) => end(command, desk),
    }
}

fn set(command: SetPrice, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.price();
    let currency = price_list::require_open(desk, command.price_list)?;
    product::require_on_sale(desk, command.product)?;
    check_tiers(&command.tiers)?;
    let SetPrice {
        tiers, from, to, ..
    } = command;
    if let Some(to) = to.filter(|to| *to <= from) {
        return Err(PriceRejection::PricePeriodInverted { from, to }.into());
    }
    let price = desk.load::<Price>(&id)?;
    require_free(&price, from, to, None)?;
    let set = PriceEvent::PriceSet {
        version: price.versions + 1,
        currency,
        tiers,
        from,
        to,
    };
    Ok(desk.record(&id, set)?)
}

fn end(command: EndPrice, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let id = command.price();
    price_list::require_open(desk, command.price_list)?;
    let price = desk.load::<Price>(&id)?;
    let (from, to) = (command.from, command.to);
    let Some(period) = price.periods.iter().find(|period| period.from == from) else {
        return Err(PriceRejection::PriceUnknown { from }.into());
    };
    if to < from {
        return Err(PriceRejection::PricePeriodInverted { from, to }.into());
    }
    if period.to == Some(to) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let version = period.version;
    require_free(&price, from, Some(to), Some(version))?;
    Ok(desk.record(&id, PriceEvent::PriceEnded { version, to })?)
}

fn check_tiers(tiers: &[PriceTier]) -> Result<(), Declined> {
    let count = tiers.len();
    if !(1..=TIERS_MAX).contains(&count) {
        return Err(PriceRejection::TierCountOutOfRange { count }.into());
    }
    let mut below = Quantity::ZERO;
    for tier in tiers {
        positive(tier.min_quantity, &["tiers"])?;
        not_negative(tier.unit_price, &["tiers"])?;
        if tier.min_quantity <= below {
            let min_quantity = tier.min_quantity;
            return Err(PriceRejection::TiersNotRising { min_quantity }.into());
        }
        below = tier.min_quantity;
    }
    Ok(())
}

/// Refuses where a price other than `except` holds on some day of `[from, to)`.
fn require_free(
    price: &Price,
    from: Date,
    to: Option<Date>,
    except: Option<u32>,
) -> Result<(), PriceRejection> {
    let mut others = price
        .periods
        .iter()
        .filter(|period| Some(period.version) != except);
    match others.find(|period| period.overlaps(from, to)) {
        Some(Period { version, from, .. }) => Err(PriceRejection::PricePeriodsOverlap {
            version: *version,
            from: *from,
        }),
        None => Ok(()),
    }
}
