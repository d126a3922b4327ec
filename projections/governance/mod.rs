//! The organisation, its policies, and its tenants where it keeps a house.

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    governance::{
        ComplaintRules, OrderRules, OrganisationEvent, OrganisationId, PipelineDefinition,
        PolicyEvent, PolicyId, PolicyKind, PolicyRules, StockRules, TenantEvent, TenantHead,
        TenantId, TenantStatus, TenantTask,
    },
    kernel::{Actor, BigInt, Code, Currency, Date, DateTime, Name, Note},
};
use serde::{Deserialize, Serialize};

use crate::store::{ColumnKind, Fact, FoldError, ReadModel, Stamp, Tables, enum_column, table};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "governance",
    version: 2,
    tables: |definitions| {
        definitions.rows::<OrganisationRow>();
        definitions.rows::<PolicyRow>();
        definitions.rows::<TenantRow>();
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
    /// Whether the organisations of a house are its tenants.
    pub keeps_house: bool,
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

/// An organisation of a house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "TenantFields")]
#[serde(rename_all = "camelCase")]
pub struct TenantRow {
    /// The tenant's id; its UUID is that of the organisation.
    pub id: TenantId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The organisation's name.
    pub name: Name,
    /// The currency in which it values its stock.
    pub currency: Currency,
    /// The user name of its first account.
    pub administrator: Actor,
    /// Whether anybody may work in it.
    pub status: TenantStatus,
    /// What the house is doing with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TenantTask>,
    /// Why it was suspended, reinstated, restored or erased, whichever was last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Note>,
    /// Its export, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export: Option<TenantExport>,
    /// The last task that could not be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<TenantTaskFailure>,
}

/// The copy of a tenant among the exports of the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct TenantExport {
    /// The last position in it.
    pub position: BigInt,
    /// The hash of the block that ends there.
    pub hash: Code,
    /// When it was made.
    pub exported_at: DateTime,
}

/// What could not be done with a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[serde(rename_all = "camelCase")]
pub struct TenantTaskFailure {
    /// What it was.
    pub task: TenantTask,
    /// The stable code.
    pub code: Code,
    /// One sentence for a person.
    pub message: Note,
    /// When it was given up.
    pub failed_at: DateTime,
}

table!(TenantRow as row, "tenant" {
    name: ColumnKind::Text; "By name." => row.name;
    status: enum_column::<TenantStatus>(), indexed; "By whether anybody may work in it."
        => row.status.to_string();
    created_at: ColumnKind::DateTime; "By when it was created." => row.stamp.created_at;
});

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Organisation(event) = &fact.event {
        return organisation(fact, event, tables);
    }
    if let DomainEvent::Policy(event) = &fact.event {
        return policy(fact, event, tables);
    }
    if let DomainEvent::Tenant(event) = &fact.event {
        return tenant(fact, event, tables);
    }
    Ok(())
}

fn organisation(
    fact: &Fact<'_>,
    event: &OrganisationEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        OrganisationEvent::OrganisationFounded {
            name,
            currency,
            keeps_house,
        } => {
            tables.insert(OrganisationRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                name: name.clone(),
                currency: *currency,
                keeps_house: *keeps_house,
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

fn tenant(fact: &Fact<'_>, event: &TenantEvent, tables: &mut Tables) -> Result<(), FoldError> {
    if let TenantEvent::TenantCreated {
        name,
        currency,
        administrator,
        ..
    } = event
    {
        tables.insert(TenantRow {
            id: fact.id()?,
            stamp: Stamp::new(fact),
            name: name.clone(),
            currency: *currency,
            administrator: administrator.clone(),
            status: TenantStatus::Founding,
            task: Some(TenantTask::Founding),
            because: None,
            export: None,
            failure: None,
        });
        return Ok(());
    }
    let id: TenantId = fact.id()?;
    tables.update(fact, &id, |row: &mut TenantRow| changed(row, fact, event))
}

fn changed(row: &mut TenantRow, fact: &Fact<'_>, event: &TenantEvent) {
    let at = fact.meta.recorded_at;
    match event {
        TenantEvent::TenantCreated { .. } => {}
        TenantEvent::TenantFounded { .. } => {
            (row.status, row.task) = (TenantStatus::Active, None);
        }
        TenantEvent::TenantSuspended { because } => {
            (row.status, row.because) = (TenantStatus::Suspended, Some(because.clone()));
        }
        TenantEvent::TenantReinstated { because } => {
            (row.status, row.because) = (TenantStatus::Active, because.clone());
        }
        TenantEvent::TenantExportRequested {} => row.task = Some(TenantTask::Export),
        TenantEvent::TenantExported { head } => {
            row.task = None;
            row.export = Some(exported(head, at));
        }
        TenantEvent::TenantRestorationRequested { because, .. } => {
            (row.task, row.because) = (Some(TenantTask::Restoration), Some(because.clone()));
        }
        TenantEvent::TenantRestored { .. } => row.task = None,
        TenantEvent::TenantErasureRequested { because } => {
            (row.task, row.because) = (Some(TenantTask::Erasure), Some(because.clone()));
        }
        TenantEvent::TenantErased { .. } => {
            (row.status, row.task, row.export) = (TenantStatus::Erased, None, None);
        }
        TenantEvent::TenantTaskFailed { task, failure } => {
            row.task = None;
            row.failure = Some(TenantTaskFailure {
                task: *task,
                code: failure.code.clone(),
                message: failure.message.clone(),
                failed_at: at,
            });
        }
    }
}

fn exported(head: &TenantHead, at: DateTime) -> TenantExport {
    TenantExport {
        position: head.position,
        hash: head.hash.clone(),
        exported_at: at,
    }
}
