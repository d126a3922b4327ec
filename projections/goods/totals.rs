//! Stock per product over all warehouses, and per warehouse over all products.
//!
//! They are kept as rows because screens show them all the time and a sum over all stock items
//! takes long; they change with every movement, and only there.

use async_graphql::SimpleObject;
use daybook_schema::{
    goods::{ProductDetails, ProductId, StockItemId, WarehouseId},
    kernel::{BigInt, Code, Decimal, Name, Quantity},
};
use rust_decimal::Decimal as Exact;
use serde::{Deserialize, Serialize};

use super::{StockItemRow, stock::average_cost};
use crate::store::{ColumnKind, Fact, FoldError, Stamp, Tables, table, wide};

/// The stock of a product in all warehouses together. Quantities are in the product's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ProductStockFields")]
#[serde(rename_all = "camelCase")]
pub struct ProductStockRow {
    /// The product.
    #[graphql(skip)]
    pub id: ProductId,
    /// When it last changed.
    #[graphql(skip)]
    pub stamp: Stamp,
    /// The product's stock-keeping unit (SKU).
    pub sku: Code,
    /// The product's name.
    pub product_name: Name,
    /// The product's category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Name>,
    /// The unit in which the quantities are given.
    pub unit: Code,
    /// How much there is.
    #[serde(with = "wide")]
    pub on_hand: Quantity,
    /// How much is kept for somebody.
    #[serde(with = "wide")]
    pub reserved: Quantity,
    /// On hand less reserved.
    #[serde(with = "wide")]
    pub available: Quantity,
    /// What the goods on hand had cost, in the organisation's base currency; empty for those who
    /// do not see costs.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Decimal>,
    /// Value ÷ on hand, rounded to 6 decimal places; empty where nothing is on hand.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub average_cost: Option<Decimal>,
    /// The same for each warehouse where it ever lay, in the order in which it came there.
    pub places: Vec<StockPlace>,
}

/// The stock of a product in one warehouse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct StockPlace {
    /// The stock item.
    pub stock_item_id: StockItemId,
    /// The warehouse's code.
    pub warehouse_code: Code,
    /// How much lies there.
    pub on_hand: Quantity,
    /// How much is kept for somebody.
    pub reserved: Quantity,
    /// On hand less reserved.
    pub available: Quantity,
    /// What the goods on hand had cost, in the organisation's base currency; empty for those who
    /// do not see costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
}

table!(ProductStockRow as row, "productStock" {
    sku: ColumnKind::Text; "By the product's stock-keeping unit (SKU)." => row.sku;
    product_name: ColumnKind::Text; "By the product's name." => row.product_name;
    category: ColumnKind::Text, nullable; "By the product's category." => row.category;
    on_hand: ColumnKind::Decimal; "By what there is." => row.on_hand;
    reserved: ColumnKind::Decimal; "By what is kept for somebody." => row.reserved;
    available: ColumnKind::Decimal, indexed; "By on hand less reserved." => row.available;
    value: ColumnKind::Decimal, indexed, cost; "By value." => row.value;
} cost ["value", "averageCost", "places[].value"];);

/// The stock in a warehouse, over all products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "WarehouseStockFields")]
#[serde(rename_all = "camelCase")]
pub struct WarehouseStockRow {
    /// The warehouse.
    #[graphql(skip)]
    pub id: WarehouseId,
    /// When it last changed.
    #[graphql(skip)]
    pub stamp: Stamp,
    /// The warehouse's code.
    pub warehouse_code: Code,
    /// The warehouse's name.
    pub warehouse_name: Name,
    /// How many products lie there.
    pub skus: BigInt,
    /// The sum of what lies there, each product in its own unit.
    #[serde(with = "wide")]
    pub on_hand: Quantity,
    /// The sum of what is kept for somebody, each product in its own unit.
    #[serde(with = "wide")]
    pub reserved: Quantity,
    /// What the goods on hand had cost, in the organisation's base currency; empty for those who
    /// do not see costs.
    #[serde(
        default,
        with = "wide::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub value: Option<Decimal>,
}

table!(WarehouseStockRow as row, "warehouseStock" {
    warehouse_code: ColumnKind::Text; "By the warehouse's code." => row.warehouse_code;
    warehouse_name: ColumnKind::Text; "By the warehouse's name." => row.warehouse_name;
    skus: ColumnKind::Integer; "By how many products lie there." => row.skus;
    on_hand: ColumnKind::Decimal; "By the sum of what lies there." => row.on_hand;
    reserved: ColumnKind::Decimal; "By the sum of what is kept." => row.reserved;
    value: ColumnKind::Decimal, cost; "By value." => row.value;
} cost ["value"];);

/// Takes a movement of a stock item into both totals.
pub(super) fn moved(
    fact: &Fact<'_>,
    before: &StockItemRow,
    after: &StockItemRow,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let on_hand = after.on_hand.0 - before.on_hand.0;
    let reserved = after.reserved.0 - before.reserved.0;
    let worth = |row: &StockItemRow| row.value.unwrap_or_default().0;
    let value = worth(after) - worth(before);
    tables.upsert(
        fact,
        &after.product,
        |stamp| ProductStockRow::empty(stamp, after),
        |row| {
            row.add(on_hand, reserved, value);
            row.place(after);
        },
    )?;
    tables.upsert(
        fact,
        &after.warehouse,
        |stamp| WarehouseStockRow::empty(stamp, after),
        |row| {
            row.skus = BigInt(row.skus.0.saturating_add_signed(skus(before, after)));
            row.on_hand.0 += on_hand;
            row.reserved.0 += reserved;
            row.value = Some(Decimal(row.value.unwrap_or_default().0 + value));
        },
    )
}

/// By how much a movement changes the number of products that lie in the warehouse.
fn skus(before: &StockItemRow, after: &StockItemRow) -> i64 {
    let lies = |row: &StockItemRow| i64::from(row.on_hand.is_positive());
    lies(after) - lies(before)
}

impl ProductStockRow {
    fn empty(stamp: Stamp, item: &StockItemRow) -> Self {
        Self {
            id: item.product,
            stamp,
            sku: item.sku.clone(),
            product_name: item.product_name.clone(),
            category: item.category.clone(),
            unit: item.unit.clone(),
            on_hand: Quantity::ZERO,
            reserved: Quantity::ZERO,
            available: Quantity::ZERO,
            value: Some(Decimal::default()),
            average_cost: None,
            places: Vec::new(),
        }
    }

    fn add(&mut self, on_hand: Exact, reserved: Exact, value: Exact) {
        self.on_hand.0 += on_hand;
        self.reserved.0 += reserved;
        self.available = self.on_hand - self.reserved;
        let value = self.value.unwrap_or_default().0 + value;
        self.value = Some(Decimal(value));
        self.average_cost = average_cost(value, self.on_hand.0);
    }

    fn place(&mut self, item: &StockItemRow) {
        let place = StockPlace {
            stock_item_id: item.id,
            warehouse_code: item.warehouse_code.clone(),
            on_hand: item.on_hand,
            reserved: item.reserved,
            available: item.available,
            value: item.value,
        };
        let mut places = self.places.iter_mut();
        match places.find(|place| place.stock_item_id == item.id) {
            Some(known) => *known = place,
            None => self.places.push(place),
        }
    }
}

impl WarehouseStockRow {
    fn empty(stamp: Stamp, item: &StockItemRow) -> Self {
        Self {
            id: item.warehouse,
            stamp,
            warehouse_code: item.warehouse_code.clone(),
            warehouse_name: item.warehouse_name.clone(),
            skus: BigInt(0),
            on_hand: Quantity::ZERO,
            reserved: Quantity::ZERO,
            value: Some(Decimal::default()),
        }
    }
}

/// Gives the totals of a warehouse its new name, if it ever had stock.
pub(super) fn warehouse_renamed(
    fact: &Fact<'_>,
    name: &Name,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    if tables.get::<WarehouseStockRow>(fact.stream)?.is_none() {
        return Ok(());
    }
    tables.update(fact, &fact.stream, |row: &mut WarehouseStockRow| {
        row.warehouse_name = name.clone();
    })
}

/// Gives the stock of a product its new name, category and unit, if it ever had stock.
pub(super) fn product_changed(
    fact: &Fact<'_>,
    details: &ProductDetails,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    let Some(stock) = tables.get::<ProductStockRow>(fact.stream)? else {
        return Ok(());
    };
    let items: Vec<_> = stock
        .places
        .iter()
        .map(|place| place.stock_item_id)
        .collect();
    for item in items {
        tables.update(fact, &item, |row: &mut StockItemRow| {
            row.product_name = details.name.clone();
            row.category = details.category.clone();
            row.unit = details.unit.clone();
        })?;
    }
    tables.update(fact, &fact.stream, |row: &mut ProductStockRow| {
        row.product_name = details.name.clone();
        row.category = details.category.clone();
        row.unit = details.unit.clone();
    })
}
