//! A customer's master record. Registered → deactivated → reactivated.
//! Invariants: tax number, phone, e-mail and external number belong to one active customer at a
//! time; there is always exactly one owner; a deactivated customer accepts nothing but its
//! reactivation.

use std::collections::{BTreeMap, BTreeSet};

use daybook_schema::{
    customers::{
        Contact, ContactId, CustomerCommand, CustomerDetails, CustomerEvent, CustomerGrade,
        CustomerId, RegisterCustomer,
    },
    governance::{NumberSeriesId, SubjectId},
    kernel::{Actor, Code, Note},
    pipeline::LeadId,
};

use crate::{
    Aggregate, Declined, Desk,
    governance::{erasure, natural_key, number_series},
    refusal::{CommonRejection, rejection},
};

/// The customer's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Customer {
    /// There is no record yet.
    #[default]
    Unregistered,
    /// We do business.
    Active(Record),
    /// The record is closed.
    Inactive(Record),
}

/// What decisions need of the record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    details: CustomerDetails,
    owner: Actor,
    contacts: BTreeMap<ContactId, Contact>,
    /// Persons who were taken off the record, which still tells of them.
    former_contacts: BTreeSet<ContactId>,
    /// The leads that turned out to be this customer.
    leads: BTreeSet<LeadId>,
    classification: Option<Code>,
    grade: Option<CustomerGrade>,
}

/// The rules about customers.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerRejection {
    /// The record is closed.
    #[error("customer `{customer}` is deactivated")]
    CustomerInactive {
        /// The customer.
        customer: CustomerId,
    },
    /// The record is open.
    #[error("customer `{customer}` is active")]
    CustomerActive {
        /// The customer.
        customer: CustomerId,
    },
    /// The person is not on the record.
    #[error("`{contact}` is not a contact of the customer")]
    ContactUnknown {
        /// The person.
        contact: ContactId,
    },
}
rejection!(
    CustomerRejection,
    Self::CustomerInactive { .. } | Self::CustomerActive { .. } => ["customer"],
    Self::ContactUnknown { .. } => ["contact"],
);

impl Aggregate for Customer {
    type Id = CustomerId;
    type Event = CustomerEvent;

    fn evolve(self, event: &CustomerEvent) -> Self {
        match event {
            CustomerEvent::CustomerRegistered { details, owner, .. } => Self::Active(Record {
                details: details.clone(),
                owner: owner.clone(),
                contacts: BTreeMap::new(),
                former_contacts: BTreeSet::new(),
                leads: BTreeSet::new(),
                classification: None,
                grade: None,
            }),
            CustomerEvent::CustomerDetailsChanged { details }
            | CustomerEvent::CustomerDetailsCorrected { details, .. } => {
                self.with(|record| record.details = details.clone())
            }
            CustomerEvent::ContactAdded {
                contact_id,
                contact,
            }
            | CustomerEvent::ContactChanged {
                contact_id,
                contact,
            } => self.with(|record| {
                record.contacts.insert(*contact_id, contact.clone());
            }),
            CustomerEvent::ContactRemoved { contact_id } => self.with(|record| {
                record.contacts.remove(contact_id);
                record.former_contacts.insert(*contact_id);
            }),
            CustomerEvent::CustomerClassified { classification } => {
                self.with(|record| record.classification = Some(classification.clone()))
            }
            CustomerEvent::CustomerGraded { grade } => {
                self.with(|record| record.grade = Some(*grade))
            }
            CustomerEvent::CustomerOwnerAssigned { owner } => {
                self.with(|record| record.owner = owner.clone())
            }
            // Custody knows the territory.
            CustomerEvent::CustomerTerritoryAssigned { .. } => self,
            CustomerEvent::CustomerLeadMatched { lead } => self.with(|record| {
                record.leads.insert(*lead);
            }),
            CustomerEvent::CustomerDeactivated { .. } => match self {
                Self::Active(record) => Self::Inactive(record),
                Self::Unregistered | Self::Inactive(_) => self,
            },
            CustomerEvent::CustomerReactivated {} => match self {
                Self::Inactive(record) => Self::Active(record),
                Self::Unregistered | Self::Active(_) => self,
            },
        }
    }
}

impl Customer {
    fn with(mut self, change: impl FnOnce(&mut Record)) -> Self {
        if let Self::Active(record) | Self::Inactive(record) = &mut self {
            change(record);
        }
        self
    }
}

pub(crate) fn decide(command: CustomerCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use CustomerCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Customer>(&id)?, command) {
        (Customer::Unregistered, C::RegisterCustomer(command)) => register(id, command, desk),
        (Customer::Unregistered, _) => Err(CommonRejection::not_found(&id)),

        (Customer::Active(record), C::ChangeCustomerDetails(command)) => {
            rewrite(id, record, command.details, None, desk)
        }
        (Customer::Active(record), C::CorrectCustomerDetails(command)) => {
            rewrite(id, record, command.details, Some(command.corrects.0), desk)
        }
        (Customer::Active(_), C::AddContact(command)) => {
            let contact_id = desk.context().new_id();
            add_contact(id, contact_id, command.contact, desk)
        }
        (Customer::Active(record), C::ChangeContact(command)) => {
            change_contact(id, record, command.contact, command.details, desk)
        }
        (Customer::Active(record), C::RemoveContact(command)) => {
            remove_contact(id, record, command.contact, desk)
        }
        (Customer::Active(record), C::ClassifyCustomer(command)) => {
            classify(id, record, command.classification, desk)
        }
        (Customer::Active(record), C::GradeCustomer(command)) => {
            grade(id, record, command.grade, desk)
        }
        (Customer::Active(record), C::AssignCustomerOwner(command)) => {
            assign_owner(id, record, command.owner, desk)
        }
        (Customer::Active(_), C::AssignCustomerTerritory(command)) => {
            assign_territory(id, command.territory, desk)
        }
        (Customer::Active(record), C::DeactivateCustomer(command)) => {
            deactivate(id, record, command.because, desk)
        }
        (Customer::Active(_), C::ReactivateCustomer(_)) => {
            Err(CustomerRejection::CustomerActive { customer: id }.into())
        }

        (Customer::Inactive(record), C::ReactivateCustomer(_)) => {
            erasure::require_kept(desk, SubjectId::Customer(id))?;
            natural_key::exchange(desk, &id, &[], &record.details.natural_keys())?;
            Ok(desk.record(&id, CustomerEvent::CustomerReactivated {})?)
        }
        (Customer::Inactive(_), _) => {
            Err(CustomerRejection::CustomerInactive { customer: id }.into())
        }

        (Customer::Active(_), C::RegisterCustomer(_)) => Err(CommonRejection::already_exists(&id)),
    }
}

/// Refuses unless the customer exists and is active.
pub(crate) fn require_active(desk: &Desk<'_>, customer: CustomerId) -> Result<(), Declined> {
    match &*desk.load::<Customer>(&customer)? {
        Customer::Unregistered => Err(CommonRejection::not_found(&customer)),
        Customer::Active(_) => Ok(()),
        Customer::Inactive(_) => Err(CustomerRejection::CustomerInactive { customer }.into()),
    }
}

/// Refuses unless the person is a contact of the customer.
pub(crate) fn require_contact(
    desk: &Desk<'_>,
    customer: CustomerId,
    contact: ContactId,
) -> Result<(), Declined> {
    match &*desk.load::<Customer>(&customer)? {
        Customer::Active(record) | Customer::Inactive(record)
            if record.contacts.contains_key(&contact) =>
        {
            Ok(())
        }
        Customer::Unregistered | Customer::Active(_) | Customer::Inactive(_) => {
            Err(CustomerRejection::ContactUnknown { contact }.into())
        }
    }
}

/// Opens a record; also what the conversion of a lead does.
pub(crate) fn register(
    id: CustomerId,
    command: RegisterCustomer,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let RegisterCustomer {
        details,
        contacts,
        owner,
    } = command;
    natural_key::exchange(desk, &id, &[], &details.natural_keys())?;
    let number = number_series::issue(desk, NumberSeriesId::Customer, &id)?;
    let owner = owner.unwrap_or_else(|| desk.context().actor.clone());
    desk.record(
        &id,
        CustomerEvent::CustomerRegistered {
            number,
            details,
            owner,
        },
    )?;
    for (index, contact) in contacts.into_iter().enumerate() {
        let contact_id = desk.context().numbered_id(index);
        add_contact(id, contact_id, contact, desk)?;
    }
    Ok(())
}

/// Adds a person to talk to; also what the conversion of a lead does.
pub(crate) fn add_contact(
    id: CustomerId,
    contact_id: ContactId,
    contact: Contact,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    Ok(desk.record(
        &id,
        CustomerEvent::ContactAdded {
            contact_id,
            contact,
        },
    )?)
}

/// Notes that a lead turned out to be this customer, so that both are erased together.
pub(crate) fn match_lead(
    id: CustomerId,
    lead: LeadId,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    Ok(desk.record(&id, CustomerEvent::CustomerLeadMatched { lead })?)
}

/// Closes the record of a customer who is erased, and says who is erased with it.
pub(crate) fn erase(
    id: CustomerId,
    because: Note,
    desk: &mut Desk<'_>,
) -> Result<Vec<SubjectId>, Declined> {
    let customer = desk.load::<Customer>(&id)?;
    let record = match &*customer {
        Customer::Unregistered => return Err(CommonRejection::not_found(&id)),
        Customer::Inactive(record) => record,
        Customer::Active(record) => {
            deactivate(id, record, because, desk)?;
            record
        }
    };
    let contacts = record.contacts.keys().chain(&record.former_contacts);
    let contacts = contacts.map(|contact| SubjectId::Contact(*contact));
    let leads = record.leads.iter().map(|lead| SubjectId::Lead(*lead));
    Ok(contacts.chain(leads).collect())
}

/// Takes a contact who is erased off the record, where the person is still on it.
pub(crate) fn erase_contact(
    id: CustomerId,
    contact: ContactId,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    match &*desk.load::<Customer>(&id)? {
        Customer::Unregistered => Err(CommonRejection::not_found(&id)),
        Customer::Active(record) | Customer::Inactive(record) => {
            if record.former_contacts.contains(&contact) {
                return Ok(());
            }
            remove_contact(id, record, contact, desk)
        }
    }
}

fn deactivate(
    id: CustomerId,
    record: &Record,
    because: Note,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    natural_key::exchange(desk, &id, &record.details.natural_keys(), &[])?;
    Ok(desk.record(&id, CustomerEvent::CustomerDeactivated { because })?)
}

fn rewrite(
    id: CustomerId,
    record: &Record,
    details: CustomerDetails,
    corrects: Option<u64>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if details == record.details {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    natural_key::exchange(
        desk,
        &id,
        &record.details.natural_keys(),
        &details.natural_keys(),
    )?;
    let event = match corrects {
        None => CustomerEvent::CustomerDetailsChanged { details },
        Some(corrects) => CustomerEvent::CustomerDetailsCorrected { details, corrects },
    };
    Ok(desk.record(&id, event)?)
}

fn change_contact(
    id: CustomerId,
    record: &Record,
    contact_id: ContactId,
    contact: Contact,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    match record.contacts.get(&contact_id) {
        None => Err(CustomerRejection::ContactUnknown {
            contact: contact_id,
        }
        .into()),
        Some(known) if *known == contact => Err(CommonRejection::nothing_to_change(&id)),
        Some(_) => Ok(desk.record(
            &id,
            CustomerEvent::ContactChanged {
                contact_id,
                contact,
            },
        )?),
    }
}

fn remove_contact(
    id: CustomerId,
    record: &Record,
    contact: ContactId,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if !record.contacts.contains_key(&contact) {
        return Err(CustomerRejection::ContactUnknown { contact }.into());
    }
    Ok(desk.record(
        &id,
        CustomerEvent::ContactRemoved {
            contact_id: contact,
        },
    )?)
}

fn classify(
    id: CustomerId,
    record: &Record,
    classification: Code,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if record.classification.as_ref() == Some(&classification) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, CustomerEvent::CustomerClassified { classification })?)
}

fn grade(
    id: CustomerId,
    record: &Record,
    grade: CustomerGrade,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if record.grade == Some(grade) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, CustomerEvent::CustomerGraded { grade })?)
}

fn assign_owner(
    id: CustomerId,
    record: &Record,
    owner: Actor,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if record.owner == owner {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, CustomerEvent::CustomerOwnerAssigned { owner })?)
}

fn assign_territory(
    id: CustomerId,
    territory: Option<Code>,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if desk.custody(&id.to_string())?.territory == territory {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, CustomerEvent::CustomerTerritoryAssigned { territory })?)
}
