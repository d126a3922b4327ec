//! Service: complaints, cycle by cycle, and the patterns in them.

mod complaint;
mod patterns;
#[cfg(test)]
mod spec;

use daybook_schema::DomainEvent;

pub use complaint::{
    ComplaintCycle, ComplaintEscalation, ComplaintRow, RemedyProposal, RemedyStatus,
};
pub use patterns::{ComplaintPattern, ComplaintPatterns, patterns};

use crate::store::{Fact, FoldError, ReadModel, Row, Tables};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "service",
    version: 1,
    tables: |definitions| {
        definitions.rows::<ComplaintRow>();
        definitions.rows::<complaint::CustomerNameRow>();
        definitions.index_on(
            ComplaintRow::TABLE,
            &["customer", "category", "logged_at", "id"],
        );
    },
    fold,
};

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Complaint(event) = &fact.event {
        return complaint::fold(fact, event, tables);
    }
    if let DomainEvent::Customer(event) = &fact.event {
        return complaint::name(fact, event, tables);
    }
    Ok(())
}
