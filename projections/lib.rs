//! Read models: what the API shows, folded from the log.
//!
//! [`store`] is the machinery, and knows no domain; each context has its rows and its fold. A row
//! is at once the document that is stored, the object that GraphQL shows (its field docs are the
//! manual) and, by its `table!` declaration, the list that can be filtered and sorted.
//! To add a read model: write its row and fold in the context's file and name it in
//! [`READ_MODELS`]; the next start rebuilds.

pub mod access;
pub mod audit;
pub mod customers;
pub mod goods;
pub mod governance;
pub mod measure;
pub mod orders;
pub mod pipeline;
mod seen;
pub mod service;
#[cfg(test)]
mod spec;
pub mod store;

use store::{Definitions, ReadModel};

/// All read models, in the order in which they fold an event.
pub const READ_MODELS: &[ReadModel] = &[
    governance::MODEL,
    access::MODEL,
    customers::MODEL,
    pipeline::MODEL,
    service::MODEL,
    customers::overview::MODEL,
    goods::MODEL,
    orders::MODEL,
];

/// All tables of all read models.
fn definitions() -> Definitions {
    let mut definitions = Definitions::default();
    audit::define(&mut definitions);
    for model in READ_MODELS {
        (model.tables)(&mut definitions);
    }
    definitions
}
