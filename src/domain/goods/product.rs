//! A product in the catalogue. Listed → retired → reinstated.
//! Invariants: a SKU belongs to one product and never changes, also when the product is retired,
//! because past orders cite it; a retired product is neither ordered nor priced.

use std::collections::HashSet;

use daybook_schema::{
    goods::{ListProduct, ProductCommand, ProductDetails, ProductEvent, ProductId},
    kernel::Code,
};

use crate::{
    Aggregate, Declined, Desk,
    governance::natural_key,
    refusal::{CommonRejection, rejection},
};

/// The product's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Product {
    /// It is not in the catalogue yet.
    #[default]
    Unlisted,
    /// It is on sale.
    Listed(Entry),
    /// It is off sale; its stock still moves.
    Retired(Entry),
}

/// The product's entry in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The stock-keeping unit.
    pub(crate) sku: Code,
    /// What the catalogue says of it.
    pub(crate) details: ProductDetails,
}

/// The rules about products.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ProductRejection {
    /// It is off sale.
    #[error("product `{product}` is retired")]
    ProductRetired {
        /// The product.
        product: ProductId,
    },
    /// It is on sale.
    #[error("product `{product}` is on sale")]
    ProductOnSale {
        /// The product.
        product: ProductId,
    },
    /// Two names are given in one language.
    #[error("the language `{language}` stands twice")]
    LanguageStandsTwice {
        /// The language.
        language: Code,
    },
}
rejection!(
    ProductRejection,
    Self::ProductRetired { .. } | Self::ProductOnSale { .. } => ["product"],
    Self::LanguageStandsTwice { .. } => ["details", "names"],
);

impl Aggregate for Product {
    type Id = ProductId;
    type Event = ProductEvent;

    fn evolve(self, event: &ProductEvent) -> Self {
        match event {
            ProductEvent::ProductListed { sku, details } => Self::Listed(Entry {
                sku: sku.clone(),
                details: details.clone(),
            }),
            ProductEvent::ProductDetailsChanged { details } => match self {
                Self::Listed(entry) => Self::Listed(Entry {
                    details: details.clone(),
                    ..entry
                }),
                Self::Unlisted | Self::Retired(_) => self,
            },
            ProductEvent::ProductRetired { .. } => match self {
                Self::Listed(entry) => Self::Retired(entry),
                Self::Unlisted | Self::Retired(_) => self,
            },
            ProductEvent::ProductReinstated {} => match self {
                Self::Retired(entry) => Self::Listed(entry),
                Self::Unlisted | Self::Listed(_) => self,
            },
        }
    }
}

pub(crate) fn decide(command: ProductCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use ProductCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Product>(&id)?, command) {
        (Product::Unlisted, C::ListProduct(command)) => list(id, command, desk),
        (Product::Unlisted, _) => Err(CommonRejection::not_found(&id)),

        (Product::Listed(entry), C::ChangeProductDetails(command)) => {
            change(id, entry, command.details, desk)
        }
        (Product::Listed(_), C::RetireProduct(command)) => {
            let because = command.because;
            Ok(desk.record(&id, ProductEvent::ProductRetired { because })?)
        }
        (Product::Listed(_), C::ReinstateProduct(_)) => {
            Err(ProductRejection::ProductOnSale { product: id }.into())
        }
        (Product::Listed(_), C::ListProduct(_)) => Err(CommonRejection::already_exists(&id)),

        (Product::Retired(_), C::ReinstateProduct(_)) => {
            Ok(desk.record(&id, ProductEvent::ProductReinstated {})?)
        }
        (Product::Retired(_), _) => Err(ProductRejection::ProductRetired { product: id }.into()),
    }
}

/// Refuses unless there is such a product, on sale or not.
pub(crate) fn require_known(desk: &Desk<'_>, product: ProductId) -> Result<(), Declined> {
    match &*desk.load::<Product>(&product)? {
        Product::Unlisted => Err(CommonRejection::not_found(&product)),
        Product::Listed(_) | Product::Retired(_) => Ok(()),
    }
}

/// The entry of a product that is on sale; refuses any other.
pub(crate) fn require_on_sale(desk: &Desk<'_>, product: ProductId) -> Result<Entry, Declined> {
    match &*desk.load::<Product>(&product)? {
        Product::Unlisted => Err(CommonRejection::not_found(&product)),
        Product::Listed(entry) => Ok(entry.clone()),
        Product::Retired(_) => Err(ProductRejection::ProductRetired { product }.into()),
    }
}

fn list(id: ProductId, command: ListProduct, desk: &mut Desk<'_>) -> Result<(), Declined> {
    check(&command.details)?;
    natural_key::exchange(desk, &id, &[], &command.natural_keys())?;
    let ListProduct { sku, details } = command;
    Ok(desk.record(&id, ProductEvent::ProductListed { sku, details })?)
}

fn change(
    id: ProductId,
    entry: &Entry,
    details: ProductDetails,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if details == entry.details {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    check(&details)?;
    Ok(desk.record(&id, ProductEvent::ProductDetailsChanged { details })?)
}

fn check(details: &ProductDetails) -> Result<(), ProductRejection> {
    let mut languages = HashSet::new();
    for name in &details.names {
        if !languages.insert(&name.language) {
            let language = name.language.clone();
            return Err(ProductRejection::LanguageStandsTwice { language });
        }
    }
    Ok(())
}
