//! Warehouses and products.

use async_graphql::SimpleObject;
use daybook_schema::{
    goods::{ProductDetails, ProductEvent, ProductId, WarehouseEvent, WarehouseId},
    kernel::{Address, Code, Name, Note},
};
use serde::{Deserialize, Serialize};

use super::{stock, totals};
use crate::store::{ColumnKind, Fact, FoldError, Stamp, Tables, table};

/// A place where goods lie (仓库).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "WarehouseFields")]
#[serde(rename_all = "camelCase")]
pub struct WarehouseRow {
    /// The warehouse's id.
    pub id: WarehouseId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The code by which people name it.
    pub code: Code,
    /// Its name.
    pub name: Name,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Whether goods can come in.
    pub open: bool,
    /// Why it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_because: Option<Note>,
}

table!(WarehouseRow as row, "warehouse" {
    code: ColumnKind::Text, indexed; "By code." => row.code;
    name: ColumnKind::Text, indexed; "By name." => row.name;
    country: ColumnKind::Text, nullable; "By country."
        => row.address.as_ref().and_then(|address| address.country.clone());
    open: ColumnKind::Boolean; "By whether goods can come in." => row.open;
});

/// A product that we sell (货品).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "ProductFields")]
#[serde(rename_all = "camelCase")]
pub struct ProductRow {
    /// The product's id.
    pub id: ProductId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The stock-keeping unit (SKU), which never changes.
    pub sku: Code,
    /// What the catalogue says of it.
    #[graphql(flatten)]
    pub details: ProductDetails,
    /// Whether it can be ordered and priced.
    pub on_sale: bool,
    /// Why it was taken off sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired_because: Option<Note>,
}

table!(ProductRow as row, "product" {
    sku: ColumnKind::Text, indexed; "By stock-keeping unit (SKU)." => row.sku;
    name: ColumnKind::Text, indexed; "By name." => row.details.name;
    category: ColumnKind::Text, nullable, indexed; "By category." => row.details.category;
    unit: ColumnKind::Text; "By unit." => row.details.unit;
    on_sale: ColumnKind::Boolean; "By whether it can be ordered." => row.on_sale;
    created_at: ColumnKind::DateTime; "By when it was listed." => row.stamp.created_at;
} search product_words(row););

fn product_words(row: &ProductRow) -> String {
    let details = &row.details;
    let mut words = vec![row.sku.to_string(), details.name.to_string()];
    words.extend(details.names.iter().map(|other| other.name.to_string()));
    words.extend(details.category.as_ref().map(ToString::to_string));
    words.join("\n")
}

pub(super) fn warehouse(
    fact: &Fact<'_>,
    event: &WarehouseEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        WarehouseEvent::WarehouseOpened {
            code,
            name,
            address,
        } => {
            tables.insert(WarehouseRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                code: code.clone(),
                name: name.clone(),
                address: address.clone(),
                open: true,
                closed_because: None,
            });
            Ok(())
        }
        WarehouseEvent::WarehouseRenamed { name } => {
            tables.update(fact, &fact.stream, |row: &mut WarehouseRow| {
                row.name = name.clone();
            })?;
            totals::warehouse_renamed(fact, name, tables)?;
            stock::warehouse_renamed(fact, name, tables)
        }
        WarehouseEvent::WarehouseClosed { because } => {
            tables.update(fact, &fact.stream, |row: &mut WarehouseRow| {
                row.open = false;
                row.closed_because = Some(because.clone());
            })
        }
    }
}

pub(super) fn product(
    fact: &Fact<'_>,
    event: &ProductEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        ProductEvent::ProductListed { sku, details } => {
            tables.insert(ProductRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                sku: sku.clone(),
                details: details.clone(),
                on_sale: true,
                retired_because: None,
            });
            Ok(())
        }
        ProductEvent::ProductDetailsChanged { details } => {
            tables.update(fact, &fact.stream, |row: &mut ProductRow| {
                row.details = details.clone();
            })?;
            totals::product_changed(fact, details, tables)
        }
        ProductEvent::ProductRetired { because } => {
            tables.update(fact, &fact.stream, |row: &mut ProductRow| {
                row.on_sale = false;
                row.retired_because = Some(because.clone());
            })
        }
        ProductEvent::ProductReinstated {} => {
            tables.update(fact, &fact.stream, |row: &mut ProductRow| {
                row.on_sale = true;
                row.retired_because = None;
            })
        }
    }
}
