//! A customer's master record (客户档案).

use async_graphql::{Enum, InputObject, SimpleObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Actor, Address, Code, Currency, Name, NaturalKey, Note, ids},
    language::commands,
    pipeline::LeadId,
};

ids! {
    /// A customer.
    CustomerId = "customer";
    /// A person to talk to at a customer.
    ContactId = "contact";
}

/// Whether the customer is a company or a person.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerType {
    /// A company or another legal person.
    #[default]
    Company,
    /// A natural person.
    Person,
}

/// How much a customer matters (客户分级).
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    JsonSchema,
    Enum,
    strum::Display,
    strum::EnumString,
)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerGrade {
    /// Key account.
    A,
    /// Regular account.
    B,
    /// Small account.
    C,
}

/// What the master record says of a customer. Tax number, phone and e-mail belong to at most one
/// active customer, whatever their spelling.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "CustomerDetailsInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerDetails {
    /// The name under which it trades.
    #[schemars(extend("x-personal" = true))]
    pub name: Name,
    /// Company or person.
    #[graphql(default)]
    #[serde(default)]
    pub customer_type: CustomerType,
    /// Tax number (税号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub tax_number: Option<Name>,
    /// Main telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub phone: Option<Name>,
    /// Main e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub email: Option<Name>,
    /// Main postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The currency it is usually invoiced in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The language it is spoken to in, by BCP 47 tag, for example `zh-CN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Code>,
    /// The number it has in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub external_number: Option<Code>,
}

impl CustomerDetails {
    /// The keys that no other active customer may have.
    pub fn natural_keys(&self) -> Vec<NaturalKey> {
        let tax_number = self.tax_number.as_ref();
        let phone = self.phone.as_ref();
        let email = self.email.as_ref();
        let external = self.external_number.as_ref();
        [
            tax_number.map(|text| NaturalKey::alphanumeric("taxNumber", text.as_str())),
            phone.map(|text| NaturalKey::digits("phone", text.as_str())),
            email.map(|text| NaturalKey::folded("email", text.as_str())),
            external.map(|text| NaturalKey::folded("externalNumber", text.as_str())),
        ]
        .into_iter()
        .flatten()
        .filter(|key| !key.value.is_empty())
        .collect()
    }
}

/// A person to talk to at a customer.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, InputObject, SimpleObject,
)]
#[graphql(input_name = "ContactInput")]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// The person's name.
    #[schemars(extend("x-personal" = true))]
    pub name: Name,
    /// Position or title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub title: Option<Name>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub phone: Option<Name>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-personal" = true))]
    pub email: Option<Name>,
}

/// Opens the record of a new customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterCustomer {
    /// The master record.
    pub details: CustomerDetails,
    /// The first persons to talk to.
    #[graphql(default)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// Who looks after the customer; the actor where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
}

/// Writes down that the customer's details changed in the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeCustomerDetails {
    /// The customer.
    pub customer: CustomerId,
    /// The details from now on, whole.
    pub details: CustomerDetails,
}

/// Writes down that the record was wrong from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CorrectCustomerDetails {
    /// The customer.
    pub customer: CustomerId,
    /// The details as they should have been, whole.
    pub details: CustomerDetails,
    /// The position of the commit that recorded the wrong details.
    pub corrects: crate::kernel::BigInt,
}

/// Adds a person to talk to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddContact {
    /// The customer.
    pub customer: CustomerId,
    /// The person.
    pub contact: Contact,
}

/// Puts the name, title, telephone number or e-mail address of a person right, or brings them up to
/// date. The person keeps the id, so whatever names the person goes on naming the same one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeContact {
    /// The customer.
    pub customer: CustomerId,
    /// The person.
    pub contact: ContactId,
    /// The person's details from now on, whole.
    pub details: Contact,
}

/// Takes a person off the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveContact {
    /// The customer.
    pub customer: CustomerId,
    /// The person.
    pub contact: ContactId,
}

/// Puts the customer in a class of the organisation's own choosing, such as an industry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClassifyCustomer {
    /// The customer.
    pub customer: CustomerId,
    /// The class, for example `retail`.
    pub classification: Code,
}

/// Grades the customer A, B or C.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GradeCustomer {
    /// The customer.
    pub customer: CustomerId,
    /// The grade.
    pub grade: CustomerGrade,
}

/// Gives the customer to somebody to look after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignCustomerOwner {
    /// The customer.
    pub customer: CustomerId,
    /// Who looks after it from now on.
    pub owner: Actor,
}

/// Says in which sales territory (销售区域) the customer lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssignCustomerTerritory {
    /// The customer.
    pub customer: CustomerId,
    /// The territory; none takes the customer out of the one it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<Code>,
}

/// Closes the record; its natural keys become free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeactivateCustomer {
    /// The customer.
    pub customer: CustomerId,
    /// Why.
    #[schemars(extend("x-personal" = true))]
    pub because: Note,
}

/// Opens a closed record again, if its natural keys are still free.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, InputObject, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReactivateCustomer {
    /// The customer.
    pub customer: CustomerId,
}

commands! {
    /// The commands to a customer.
    CustomerCommand for CustomerId {
        RegisterCustomer,
        ChangeCustomerDetails on customer,
        CorrectCustomerDetails on customer,
        AddContact on customer,
        ChangeContact on customer,
        RemoveContact on customer,
        ClassifyCustomer on customer,
        GradeCustomer on customer,
        AssignCustomerOwner on customer,
        AssignCustomerTerritory on customer,
        DeactivateCustomer on customer,
        ReactivateCustomer on customer,
    }
}

/// What can happen to a customer.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum CustomerEvent {
    /// A customer's record was opened.
    CustomerRegistered {
        /// Its number, counted without a gap.
        number: u64,
        /// The master record.
        details: CustomerDetails,
        /// Who looks after it.
        owner: Actor,
    },
    /// The details changed in the world.
    CustomerDetailsChanged {
        /// The details from now on, whole.
        details: CustomerDetails,
    },
    /// The record was wrong and is put right.
    CustomerDetailsCorrected {
        /// The details as they should have been, whole.
        details: CustomerDetails,
        /// The position of the commit that recorded the wrong details.
        corrects: u64,
    },
    /// A person to talk to was added.
    ContactAdded {
        /// The person's id.
        contact_id: ContactId,
        /// The person.
        contact: Contact,
    },
    /// What the record says of a person to talk to changed.
    ContactChanged {
        /// The person's id.
        contact_id: ContactId,
        /// The person from now on, whole.
        contact: Contact,
    },
    /// A person was taken off the record.
    ContactRemoved {
        /// The person's id.
        contact_id: ContactId,
    },
    /// The customer was put in a class.
    CustomerClassified {
        /// The class.
        classification: Code,
    },
    /// The customer was graded.
    CustomerGraded {
        /// The grade.
        grade: CustomerGrade,
    },
    /// Somebody looks after the customer from now on.
    CustomerOwnerAssigned {
        /// Who.
        owner: Actor,
    },
    /// The customer lies in another territory, or in none, from now on.
    CustomerTerritoryAssigned {
        /// The territory.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        territory: Option<Code>,
    },
    /// A lead turned out to be this customer.
    CustomerLeadMatched {
        /// The lead.
        lead: LeadId,
    },
    /// The record was closed.
    CustomerDeactivated {
        /// Why.
        #[schemars(extend("x-personal" = true))]
        because: Note,
    },
    /// The record was opened again.
    CustomerReactivated {},
}
