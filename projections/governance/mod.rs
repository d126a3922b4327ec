//! The organisation and its policies.

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    governance::{
        ComplaintRules, OrderRules, OrganisationEvent, OrganisationId, PipelineDefinition,
        PolicyEvent, PolicyId, PolicyKind, PolicyRules, StockRules,
    },
    kernel::{Actor, Code, Currency, Date, DateTime, Name},
};
use serde::{Deserialize, Serialize};

use crate::store::{ColumnKind, Fact, FoldError, ReadModel, Stamp, Tables, table};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "governance",
    version: 1,
    tables: |definitions| {
        definitions.rows::<OrganisationRow>();
        definitions.rows::<PolicyRow>();
    },
    fold,
};

/// The organisation that keeps this daybook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "OrganisationFields")]
#[serde(rename_all = "camelCase")]
pub struct OrganisationRow {
    /// The organisation's id.
    pub id: OrganisationId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its name.
    pub name: Name,
    /// The currency in which it values its stock.
    pub currency: Currency,
}

table!(OrganisationRow as row, "organisation" {
    name: ColumnKind::Text; "By name." => row.name;
});

/// A policy with all its versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "PolicyFields")]
#[serde(rename_all = "camelCase")]
pub struct PolicyRow {
    /// The policy's id.
    pub id: PolicyId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// What it rules over.
    pub kind: PolicyKind,
    /// Which of several of one kind.
    pub name: Code,
    /// All versions, oldest first.
    pub versions: Vec<PolicyVersion>,
}

/// One version of a policy. Exactly one of the rules is given, the one of the policy's kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct PolicyVersion {
    /// The version, counted from 1.
    pub number: u32,
    /// The first day on which it holds.
    pub effective_from: Date,
    /// When it was published.
    pub published_at: DateTime,
    /// Who published it.
    pub published_by: Actor,
    /// The stages of a sales pipeline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<PipelineDefinition>,
    /// When a complaint's remedy needs approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaints: Option<ComplaintRules>,
    /// What stock may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<StockRules>,
    /// What orders and shipments may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orders: Option<OrderRules>,
}

table!(PolicyRow as row, "policy" {
    kind: ColumnKind::Text; "By kind." => row.kind.to_string();
    name: ColumnKind::Text; "By name." => row.name;
});

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Organisation(event) = &fact.event {
        return organisation(fact, event, tables);
    }
    if let DomainEvent::Policy(event) = &fact.event {
        return policy(fact, event, tables);
    }
    Ok(())
}

fn organisation(
    fact: &Fact<'_>,
    event: &OrganisationEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        OrganisationEvent::OrganisationFounded { name, currency } => {
            tables.insert(OrganisationRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                name: name.clone(),
                currency: *currency,
            });
            Ok(())
        }
    }
}

fn policy(fact: &Fact<'_>, event: &PolicyEvent, tables: &mut Tables) -> Result<(), FoldError> {
    match event {
        PolicyEvent::PolicyPublished {
            version,
            rules,
            effective_from,
        } => {
            let id: PolicyId = fact.id()?;
            let version = PolicyVersion {
                number: *version,
                effective_from: *effective_from,
                published_at: fact.meta.recorded_at,
                published_by: fact.meta.actor.clone(),
                pipeline: if let PolicyRules::Pipeline(r) = rules {
                    Some(r.clone())
                } else {
                    None
                },
                complaints: if let PolicyRules::Complaints(r) = rules {
                    Some(r.clone())
                } else {
                    None
                },
                stock: if let PolicyRules::Stock(r) = rules {
                    Some(r.clone())
                } else {
                    None
                },
                orders: if let PolicyRules::Orders(r) = rules {
                    Some(r.clone())
                } else {
                    None
                },
            };
            let make = |stamp| PolicyRow {
                id: id.clone(),
                stamp,
                kind: id.kind,
                name: id.name.clone(),
                versions: Vec::new(),
            };
            tables.upsert(fact, &id.clone(), make, |row: &mut PolicyRow| {
                row.versions.push(version)
            })
        }
    }
}
