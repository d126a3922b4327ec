//! An organisation on a real log in a temporary folder.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

mod company;
mod desk;
mod erasure;
mod house;
mod import;
mod sealing;

use std::path::Path;

use daybook_schema::customers::{CustomerDetails, CustomerType, RegisterCustomer};
use uuid::Uuid;

use crate::{Envelope, Founding, Opening, Organisation, OrganisationOptions};

fn founding() -> Founding {
    Founding {
        name: "Spec".parse().unwrap(),
        currency: "CNY".parse().unwrap(),
        founder: "founder".parse().unwrap(),
        policies_from: "2020-01-01".parse().unwrap(),
        keeps_house: false,
        founded_at: None,
    }
}

fn open(folder: &Path) -> (Organisation, Opening) {
    let options = OrganisationOptions {
        min_free_bytes: Some(0),
        ..Default::default()
    };
    Organisation::open(folder, options, &founding(), &mut |_, _| {}).unwrap()
}

fn register(name: &str, tax_number: Option<&str>) -> RegisterCustomer {
    let details = CustomerDetails {
        name: name.parse().unwrap(),
        customer_type: CustomerType::Company,
        tax_number: tax_number.map(|number| number.parse().unwrap()),
        phone: None,
        email: None,
        address: None,
        currency: None,
        language: None,
        external_number: None,
    };
    RegisterCustomer {
        details,
        contacts: Vec::new(),
        owner: None,
    }
}

fn envelope(command: impl Into<daybook_schema::DomainCommand>) -> Envelope {
    Envelope::of_process(Uuid::now_v7(), "li.wei".parse().unwrap(), command)
}
