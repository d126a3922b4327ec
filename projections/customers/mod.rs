//! Customers, their contacts, every talk with them, and each customer at a glance.

mod affair;
pub(crate) mod overview;
#[cfg(test)]
mod spec;
mod timeline;

use async_graphql::SimpleObject;
use daybook_schema::{
    DomainEvent,
    customers::{
        Contact, ContactId, CustomerDetails, CustomerEvent, CustomerGrade, CustomerId,
        CustomerType, InteractionDetails, InteractionEvent, InteractionId,
    },
    kernel::{Actor, BigInt, Code, DateTime, Note},
};
use serde::{Deserialize, Serialize};

pub use overview::{CustomerOverviewRow, CustomerSales};
pub use timeline::{TimelineLine, TimelinePlace, timeline};

use crate::store::{
    ColumnKind, Fact, FoldError, ReadModel, Row, Stamp, Tables, enum_column, table,
};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "customers",
    version: 2,
    tables: |definitions| {
        definitions.rows::<CustomerRow>();
        definitions.rows::<InteractionRow>();
    },
    fold,
};

/// A customer's master record (客户档案).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "CustomerFields")]
#[serde(rename_all = "camelCase")]
pub struct CustomerRow {
    /// The customer's id.
    pub id: CustomerId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// Its number, counted without a gap.
    pub number: BigInt,
    /// What the record says of it.
    #[graphql(flatten)]
    pub details: CustomerDetails,
    /// Who looks after it.
    pub owner: Actor,
    /// The persons to talk to.
    #[serde(default)]
    pub contacts: Vec<ContactRow>,
    /// The class it was put in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Code>,
    /// Its grade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<CustomerGrade>,
    /// The sales territory that it lies in (销售区域).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub territory: Option<Code>,
    /// Whether the record is open.
    pub active: bool,
    /// Why the record was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_because: Option<Note>,
    /// When somebody last spoke with it, by business time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_interaction_at: Option<DateTime>,
}

/// A person to talk to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "CustomerContact")]
#[serde(rename_all = "camelCase")]
pub struct ContactRow {
    /// The person's id.
    pub id: ContactId,
    /// Name, title and how to reach the person.
    #[graphql(flatten)]
    pub contact: Contact,
}

table!(CustomerRow as row, "customer" {
    number: ColumnKind::Integer, indexed; "By number." => row.number;
    name: ColumnKind::Text, indexed; "By name." => row.details.name;
    customer_type: enum_column::<CustomerType>(); "By type." => row.details.customer_type;
    tax_number: ColumnKind::Text, nullable, personal; "By tax number." => row.details.tax_number;
    external_number: ColumnKind::Text, nullable, indexed;
        "By the number in another system." => row.details.external_number;
    country: ColumnKind::Text, nullable; "By country."
        => row.details.address.as_ref().and_then(|address| address.country.clone());
    owner: ColumnKind::Text, indexed; "By who looks after it." => row.owner;
    classification: ColumnKind::Text, nullable; "By class." => row.classification;
    grade: enum_column::<CustomerGrade>(), nullable; "By grade." => row.grade;
    territory: ColumnKind::Text, nullable, indexed; "By territory." => row.territory;
    active: ColumnKind::Boolean; "By whether the record is open." => row.active;
    last_interaction_at: ColumnKind::DateTime, nullable; "By the last talk."
        => row.last_interaction_at;
    created_at: ColumnKind::DateTime; "By when the record was opened." => row.stamp.created_at;
} search customer_words(row), personal personal_words(row); personal [
    "details.taxNumber",
    "details.phone",
    "details.email",
    "details.address.street",
    "details.address.city",
    "details.address.region",
    "details.address.postalCode",
    "contacts",
    "deactivatedBecause",
];);

fn customer_words(row: &CustomerRow) -> String {
    let mut words = vec![row.details.name.to_string()];
    words.extend(
        row.details
            .external_number
            .as_ref()
            .map(ToString::to_string),
    );
    words.join("\n")
}

fn personal_words(row: &CustomerRow) -> String {
    let details = &row.details;
    let address = details.address.as_ref();
    let city = address.and_then(|address| address.city.as_ref());
    let known = [
        details.tax_number.as_ref(),
        details.phone.as_ref(),
        details.email.as_ref(),
        city,
    ];
    let contacts = row.contacts.iter().map(|contact| &contact.contact.name);
    let words = known.into_iter().flatten().chain(contacts);
    words
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A talk with a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, SimpleObject)]
#[graphql(name = "InteractionFields")]
#[serde(rename_all = "camelCase")]
pub struct InteractionRow {
    /// The talk's id.
    pub id: InteractionId,
    /// Version, position and times.
    #[graphql(flatten)]
    pub stamp: Stamp,
    /// The customer.
    #[graphql(skip)]
    pub customer: CustomerId,
    /// What was said, by whom, how.
    #[graphql(flatten)]
    pub details: InteractionDetails,
    /// When it took place.
    pub occurred_at: DateTime,
    /// Who wrote it down.
    pub logged_by: Actor,
    /// Whether the first record was wrong and was put right since.
    pub corrected: bool,
}

table!(InteractionRow as row, "interaction" {
    customer: ColumnKind::Id, indexed; "By customer." => row.customer;
    channel: enum_column::<daybook_schema::customers::Channel>(); "By channel."
        => row.details.channel.to_string();
    occurred_at: ColumnKind::DateTime, indexed; "By when it took place." => row.occurred_at;
    logged_by: ColumnKind::Text; "By who wrote it down." => row.logged_by;
} personal ["details.summary!", "details.participants"]; held by customer;);

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Customer(event) = &fact.event {
        return customer(fact, event, tables);
    }
    if let DomainEvent::Interaction(event) = &fact.event {
        return interaction(fact, event, tables);
    }
    Ok(())
}

fn customer(fact: &Fact<'_>, event: &CustomerEvent, tables: &mut Tables) -> Result<(), FoldError> {
    if let CustomerEvent::CustomerRegistered {
        number,
        details,
        owner,
    } = event
    {
        tables.insert(CustomerRow {
            id: fact.id()?,
            stamp: Stamp::new(fact),
            number: BigInt(*number),
            details: details.clone(),
            owner: owner.clone(),
            contacts: Vec::new(),
            classification: None,
            grade: None,
            territory: None,
            active: true,
            deactivated_because: None,
            last_interaction_at: None,
        });
        return Ok(());
    }
    if let CustomerEvent::ContactChanged { contact_id, .. } = event {
        require_contact(fact, *contact_id, tables)?;
    }
    tables.update(fact, &fact.stream, |row: &mut CustomerRow| {
        change(row, event)
    })
}

fn require_contact(fact: &Fact<'_>, id: ContactId, tables: &mut Tables) -> Result<(), FoldError> {
    let row: Option<&CustomerRow> = tables.get(fact.stream)?;
    if row.is_some_and(|row| row.contacts.iter().any(|contact| contact.id == id)) {
        return Ok(());
    }
    Err(FoldError::Missing {
        table: CustomerRow::TABLE,
        id: format!("{}/{id}", fact.stream),
    })
}

fn change(row: &mut CustomerRow, event: &CustomerEvent) {
    match event {
        CustomerEvent::CustomerRegistered { details, .. }
        | CustomerEvent::CustomerDetailsChanged { details }
        | CustomerEvent::CustomerDetailsCorrected { details, .. } => row.details = details.clone(),
        CustomerEvent::ContactAdded {
            contact_id,
            contact,
        } => {
            row.contacts.push(ContactRow {
                id: *contact_id,
                contact: contact.clone(),
            });
        }
        CustomerEvent::ContactChanged {
            contact_id,
            contact,
        } => {
            let mut known = row.contacts.iter_mut();
            if let Some(known) = known.find(|known| known.id == *contact_id) {
                known.contact = contact.clone();
            }
        }
        CustomerEvent::ContactRemoved { contact_id } => {
            row.contacts.retain(|contact| contact.id != *contact_id);
        }
        CustomerEvent::CustomerClassified { classification } => {
            row.classification = Some(classification.clone());
        }
        CustomerEvent::CustomerGraded { grade } => row.grade = Some(*grade),
        CustomerEvent::CustomerOwnerAssigned { owner } => row.owner = owner.clone(),
        CustomerEvent::CustomerTerritoryAssigned { territory } => {
            row.territory = territory.clone();
        }
        // The lead shows the customer that it turned out to be.
        CustomerEvent::CustomerLeadMatched { .. } => {}
        CustomerEvent::CustomerDeactivated { because } => {
            row.active = false;
            row.deactivated_because = Some(because.clone());
        }
        CustomerEvent::CustomerReactivated {} => {
            row.active = true;
            row.deactivated_because = None;
        }
    }
}

fn interaction(
    fact: &Fact<'_>,
    event: &InteractionEvent,
    tables: &mut Tables,
) -> Result<(), FoldError> {
    match event {
        InteractionEvent::InteractionLogged { customer, details } => {
            let occurred_at = fact.meta.effective_at();
            tables.update(fact, customer, |row: &mut CustomerRow| {
                row.last_interaction_at = row.last_interaction_at.max(Some(occurred_at));
            })?;
            tables.insert(InteractionRow {
                id: fact.id()?,
                stamp: Stamp::new(fact),
                customer: *customer,
                details: details.clone(),
                occurred_at,
                logged_by: fact.meta.actor.clone(),
                corrected: false,
            });
            Ok(())
        }
        InteractionEvent::InteractionCorrected { details, .. } => {
            tables.update(fact, &fact.stream, |row: &mut InteractionRow| {
                row.details = details.clone();
                row.corrected = true;
            })
        }
    }
}
