//! The catalogue, as the simulation knows it.

use daybook_schema::{
    goods::{
        ChangeProductDetails, ListProduct, LocalizedName, ProductDetails, ProductId,
        ReinstateProduct, RetireProduct,
    },
    kernel::{Code, Decimal, Name, Quantity},
};
use rust_decimal::Decimal as Exact;
use uuid::Uuid;

use super::{Simulation, prices::List, staff::Who};
use crate::demo::{
    calendar::Region,
    chance::Chance,
    world::{World, text},
};

/// One unit, in thousandths.
pub(super) const WHOLE: i64 = 1_000;

/// A product.
pub(super) struct Good {
    pub(super) product: ProductId,
    pub(super) category: usize,
    pub(super) on_sale: bool,
    /// What one unit costs, in fen.
    pub(super) cost: i64,
    /// The smallest step of a quantity, in thousandths of the unit.
    pub(super) step: i64,
    /// How much of it is bought, against others of its category.
    popularity: u64,
    details: ProductDetails,
    name_zh: Name,
}

/// All products, their lists, and the seasons of the categories.
pub(super) struct Goods {
    pub(super) goods: Vec<Good>,
    pub(super) lists: Vec<List>,
    seasons: Vec<[u64; 12]>,
    pub(super) promotion: Option<List>,
}

/// Amounts of the language, from thousandths of a unit.
pub(super) fn quantity(thousandths: i64) -> Quantity {
    Quantity::from(Exact::new(thousandths, 3))
}

/// A unit price of the language, from hundredths.
pub(super) fn price(hundredths: i64) -> Decimal {
    Decimal::from(Exact::new(hundredths, 2))
}

impl Goods {
    pub(super) fn of(world: &World) -> Self {
        let mut goods = Vec::new();
        for (category, listed) in world.catalogue.iter().enumerate() {
            for (rank, (en, zh, cost)) in (0..).zip(&listed.items) {
                let chinese = LocalizedName {
                    language: text("zh-CN"),
                    name: zh.clone(),
                    description: None,
                };
                let is_weighed = listed.unit.as_str() == "kg";
                goods.push(Good {
                    product: ProductId(Uuid::nil()),
                    category,
                    on_sale: true,
                    cost: *cost,
                    step: if is_weighed { WHOLE / 2 } else { WHOLE },
                    popularity: 1_000 / (rank + 3),
                    details: ProductDetails {
                        name: en.clone(),
                        names: vec![chinese],
                        description: None,
                        category: Some(text(&format!("{} {}", listed.zh, listed.en))),
                        unit: listed.unit.clone(),
                        labels: Vec::new(),
                    },
                    name_zh: zh.clone(),
                });
            }
        }
        Self {
            goods,
            lists: Vec::new(),
            seasons: world.catalogue.iter().map(|listed| listed.season).collect(),
            promotion: None,
        }
    }

    /// What people of a region call a product.
    pub(super) fn name(&self, good: usize, region: Region) -> &Name {
        let good = &self.goods[good];
        if region.is_chinese() {
            &good.name_zh
        } else {
            &good.details.name
        }
    }

    /// A product that is bought in this month, rather of the category that the customer likes.
    pub(super) fn choose(&self, chance: &mut Chance, taste: usize, month: usize) -> usize {
        let liked = |category: usize| if category == taste { 6 } else { 1 };
        let categories = self.seasons.iter().enumerate();
        let weights: Vec<u64> = categories
            .map(|(category, season)| season[month % 12] * liked(category))
            .collect();
        let category = chance.weighted(&weights);
        let goods = self.goods.iter();
        let weights: Vec<u64> = goods
            .map(|good| u64::from(good.category == category) * good.popularity)
            .collect();
        chance.weighted(&weights)
    }
}

impl Simulation {
    /// Lists all products.
    pub(super) fn list_products(&mut self) {
        let who = self.product_manager();
        let world = self.world.clone();
        for index in 0..self.goods.goods.len() {
            let good = &self.goods.goods[index];
            let code = &world.catalogue[good.category].code;
            let command = ListProduct {
                sku: text(&format!("{code}-{:03}", index + 1)),
                details: good.details.clone(),
            };
            let id = self.issue(&who, command);
            self.goods.goods[index].product = ProductId(id);
        }
    }

    /// Tidies the catalogue up: something leaves it, something comes back, something is labelled.
    pub(super) fn tidy_catalogue(&mut self) {
        let who = self.product_manager();
        let count = self.goods.goods.len();
        for _ in 0..4 {
            let good = self.chance.index(count);
            if self.goods.goods[good].on_sale {
                self.change_details(&who, good);
            }
        }
        let retired = (0..count).find(|good| !self.goods.goods[*good].on_sale);
        if let Some(good) = retired {
            let product = self.goods.goods[good].product;
            self.issue(&who, ReinstateProduct { product });
            self.goods.goods[good].on_sale = true;
        }
        for _ in 0..2 {
            let good = self.chance.index(count);
            self.retire(good);
        }
    }

    fn change_details(&mut self, who: &Who, good: usize) {
        let labels = ["seasonal", "new", "best-seller", "clearance", "gift"];
        let label = *self.chance.pick(&labels);
        let label: Code = text(label);
        let Good {
            product, details, ..
        } = &mut self.goods.goods[good];
        if details.labels.contains(&label) {
            return;
        }
        details.labels.push(label);
        let (product, details) = (*product, details.clone());
        self.issue(who, ChangeProductDetails { product, details });
    }

    fn retire(&mut self, good: usize) {
        let who = self.buyer();
        if !self.goods.goods[good].on_sale {
            return;
        }
        self.goods.goods[good].on_sale = false;
        let because = self.say(|world| &world.phrases.retire, Region::China);
        let product = self.goods.goods[good].product;
        self.issue(&who, RetireProduct { product, because });
    }
}
