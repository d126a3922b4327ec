//! Price lists: what each product costs where, from when on.

use daybook_schema::{
    goods::{ClosePriceList, EndPrice, OpenPriceList, PriceListId, PriceTier, SetPrice},
    kernel::{Currency, Date},
};

use super::{
    Simulation,
    goods::{Good, WHOLE, price, quantity},
    staff::Who,
};
use crate::demo::world::{currency, text};

/// Fen of one cent, for prices abroad.
const FEN_PER_EURO_CENT: i64 = 8;
const FEN_PER_US_CENT: i64 = 7;
/// How many products a promotion has, and for how many days it holds.
const PROMOTED: usize = 20;
const PROMOTION_DAYS: i64 = 12;

/// A price list.
pub(super) struct List {
    pub(super) list: PriceListId,
    pub(super) currency: Currency,
    /// Price of one unit for each hundred of cost, before tiers.
    margin: i64,
    fen_per_minor: i64,
    /// The present price of each product; none where it has none.
    prices: Vec<Option<Present>>,
}

/// A price in force: since when, and at how much of the first price, in hundredths.
#[derive(Clone, Copy)]
struct Present {
    from: Date,
    to: Option<Date>,
    level: i64,
}

impl List {
    /// Whether a product has a price in it.
    pub(super) fn holds(&self, good: usize) -> bool {
        self.prices.get(good).copied().flatten().is_some()
    }

    /// Whether a product has a price in it on a day.
    pub(super) fn holds_on(&self, good: usize, on: Date) -> bool {
        let present = self.prices.get(good).copied().flatten();
        present.is_some_and(|present| present.from <= on && present.to.is_none_or(|to| on < to))
    }

    /// What one unit costs by the list, in hundredths of its currency, before tiers.
    pub(super) fn unit_price(&self, good: &Good) -> i64 {
        good.cost * self.margin / (100 * self.fen_per_minor)
    }

    fn tiers(&self, good: &Good, level: i64) -> Vec<PriceTier> {
        let unit = self.unit_price(good) * level / 100;
        let tier = |from: i64, share: i64| PriceTier {
            min_quantity: quantity(from),
            unit_price: price((unit * share / 100).max(1)),
        };
        vec![
            tier(good.step, 100),
            tier(50 * WHOLE, 94),
            tier(200 * WHOLE, 88),
        ]
    }
}

impl Simulation {
    /// Opens the four lists and sets every price.
    pub(super) fn set_prices(&mut self) {
        let lists = [
            ("零售价目表 Retail", "CNY", 165, 1),
            ("批发价目表 Wholesale", "CNY", 135, 1),
            ("Export Europe", "EUR", 170, FEN_PER_EURO_CENT),
            ("Export America", "USD", 170, FEN_PER_US_CENT),
        ];
        let who = self.product_manager();
        let from = self.in_days(0);
        for (name, code, margin, fen_per_minor) in lists {
            let mut list = self.open_list(&who, name, code, margin, fen_per_minor);
            for good in 0..self.goods.goods.len() {
                let present = Present {
                    from,
                    to: None,
                    level: 100,
                };
                self.set_price(&who, &mut list, good, present);
            }
            self.goods.lists.push(list);
        }
    }

    /// The list by which a customer buys.
    pub(super) fn list_for(&self, currency: Currency, wholesale: bool) -> &List {
        let mut lists = self.goods.lists.iter();
        let mut of_currency = lists.by_ref().filter(|list| list.currency == currency);
        let first = of_currency.next();
        let second = of_currency.next().filter(|_| wholesale);
        second.or(first).unwrap_or(&self.goods.lists[0])
    }

    /// Makes a third of the catalogue dearer from the first day of the next month on.
    pub(super) fn raise_prices(&mut self, from: Date) {
        let who = self.product_manager();
        let mut lists = std::mem::take(&mut self.goods.lists);
        for list in &mut lists {
            for good in 0..self.goods.goods.len() {
                if good % 3 == 0 && self.goods.goods[good].on_sale {
                    self.raise_price(&who, list, good, from);
                }
            }
        }
        self.goods.lists = lists;
    }

    fn raise_price(&mut self, who: &Who, list: &mut List, good: usize, from: Date) {
        let Some(present) = list.prices[good] else {
            return;
        };
        let next = Present {
            from,
            to: None,
            level: present.level + 4,
        };
        if self.chance.permille(20) {
            // Somebody forgets to end the old price first, and is told so.
            self.set_price(who, list, good, next);
        }
        let end = EndPrice {
            price_list: list.list,
            product: self.goods.goods[good].product,
            from: present.from,
            to: from,
        };
        self.issue(who, end);
        self.set_price(who, list, good, next);
    }

    /// Opens a list for the great shopping days; closes it where it is open.
    pub(super) fn promote(&mut self) {
        let who = self.product_manager();
        if let Some(list) = self.goods.promotion.take() {
            let close = ClosePriceList {
                price_list: list.list,
                because: text("活动结束。"),
            };
            self.issue(&who, close);
            return;
        }
        let mut list = self.open_list(&who, "双十一促销 Double Eleven", "CNY", 128, 1);
        let (from, to) = (self.in_days(0), self.in_days(PROMOTION_DAYS));
        for _ in 0..PROMOTED {
            let good = self.chance.index(self.goods.goods.len());
            if self.goods.goods[good].on_sale && !list.holds(good) {
                let to = Some(to);
                let present = Present {
                    from,
                    to,
                    level: 100,
                };
                self.set_price(&who, &mut list, good, present);
            }
        }
        self.goods.promotion = Some(list);
    }

    fn open_list(
        &mut self,
        who: &Who,
        name: &str,
        code: &str,
        margin: i64,
        fen_per_minor: i64,
    ) -> List {
        let currency = currency(code);
        let name = text(name);
        List {
            list: PriceListId(self.issue(who, OpenPriceList { name, currency })),
            currency,
            margin,
            fen_per_minor,
            prices: vec![None; self.goods.goods.len()],
        }
    }

    fn set_price(&mut self, who: &Who, list: &mut List, good: usize, present: Present) {
        let command = SetPrice {
            price_list: list.list,
            product: self.goods.goods[good].product,
            tiers: list.tiers(&self.goods.goods[good], present.level),
            from: present.from,
            to: present.to,
        };
        list.prices[good] = Some(present);
        self.issue(who, command);
    }
}
