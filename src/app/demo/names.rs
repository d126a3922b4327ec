//! Invented companies and people. Every number is used once, so nothing that must be unique is
//! given twice; domains end in `.example`, which nobody owns.

use daybook_schema::{
    customers::{Contact, CustomerDetails, CustomerType},
    kernel::{Address, Code, Currency, Name},
};

use super::{
    calendar::Region,
    chance::Chance,
    world::{World, currency, text},
};

/// The currency in which a region is invoiced.
pub(super) fn currency_of(region: Region) -> Currency {
    currency(match region {
        Region::China => "CNY",
        Region::Europe => "EUR",
        Region::America => "USD",
    })
}

/// The name of a company.
pub(super) fn company(chance: &mut Chance, world: &World, region: Region) -> Name {
    let companies = &world.companies;
    if region.is_chinese() {
        let (city, ..) = chance.pick(&companies.cities_zh);
        let stem = chance.pick(&companies.stems_zh);
        let trade = chance.pick(&companies.trades_zh);
        return text(&format!("{city}{stem}{trade}有限公司"));
    }
    let forms = match region {
        Region::Europe => &companies.forms_europe,
        Region::China | Region::America => &companies.forms_america,
    };
    let stem = chance.pick(&companies.stems_en);
    let second = chance.pick(&companies.stems_en).to_lowercase();
    let trade = chance.pick(&companies.trades_en);
    text(&format!("{stem}{second} {trade} {}", chance.pick(forms)))
}

/// What the master record says of a company.
pub(super) fn details(
    chance: &mut Chance,
    world: &World,
    region: Region,
    name: Name,
    number: u64,
) -> CustomerDetails {
    CustomerDetails {
        name,
        customer_type: CustomerType::Company,
        tax_number: Some(tax_number(region, number)),
        phone: Some(phone(region, number)),
        email: Some(text(&format!("office@c{number:05}.example"))),
        address: Some(address(chance, world, region)),
        currency: Some(currency_of(region)),
        language: Some(language(region)),
        external_number: None,
    }
}

/// The record of a person who buys in their own name.
pub(super) fn private(
    chance: &mut Chance,
    world: &World,
    region: Region,
    number: u64,
) -> CustomerDetails {
    CustomerDetails {
        name: person(chance, world, region),
        customer_type: CustomerType::Person,
        tax_number: None,
        ..details(chance, world, region, text("-"), number)
    }
}

/// The record of a company of which a lead told the name alone.
pub(super) fn thin(name: Name) -> CustomerDetails {
    CustomerDetails {
        name,
        customer_type: CustomerType::Company,
        tax_number: None,
        phone: None,
        email: None,
        address: None,
        currency: None,
        language: None,
        external_number: None,
    }
}

fn tax_number(region: Region, number: u64) -> Name {
    text(&match region {
        Region::China => format!("91310000MA{number:08}"),
        Region::Europe => format!("DE{:09}", 100_000_000 + number),
        Region::America => format!("{:02}-{:07}", 10 + number % 80, number),
    })
}

fn phone(region: Region, number: u64) -> Name {
    text(&match region {
        Region::China => format!("+86 21 5{:03} {:04}", number / 10_000, number % 10_000),
        Region::Europe => format!("+49 40 7{:03} {:04}", number / 10_000, number % 10_000),
        Region::America => format!("+1 503 {:03} {:04}", 200 + number / 10_000, number % 10_000),
    })
}

/// The language that people of a region speak with us.
pub(super) fn language(region: Region) -> Code {
    text(if region.is_chinese() { "zh-CN" } else { "en" })
}

/// An address.
pub(super) fn address(chance: &mut Chance, world: &World, region: Region) -> Address {
    let companies = &world.companies;
    let house = chance.between(1, 900);
    let (cities, streets) = match region {
        Region::China => {
            let (city, province, postal_code) = chance.pick(&companies.cities_zh).clone();
            let street = chance.pick(&companies.streets_zh);
            let street = text(&format!("{street}{house}号"));
            return place(street, city, province, postal_code, text("CN"));
        }
        Region::Europe => (&companies.cities_europe, &companies.streets_europe),
        Region::America => (&companies.cities_america, &companies.streets_america),
    };
    let (city, part, postal_code, country) = chance.pick(cities).clone();
    let street = text(&format!("{} {house}", chance.pick(streets)));
    place(street, city, part, postal_code, country)
}

fn place(street: Name, city: Name, region: Name, postal_code: Name, country: Name) -> Address {
    Address {
        street: Some(street),
        city: Some(city),
        region: Some(region),
        postal_code: Some(postal_code),
        country: Some(country),
    }
}

/// The name of a person.
pub(super) fn person(chance: &mut Chance, world: &World, region: Region) -> Name {
    let people = &world.people;
    if region.is_chinese() {
        let surname = chance.pick(&people.surnames_zh);
        return text(&format!("{surname}{}", chance.pick(&people.given_zh)));
    }
    let given = chance.pick(&people.given_en);
    text(&format!("{given} {}", chance.pick(&people.surnames_en)))
}

/// A person to talk to.
pub(super) fn contact(chance: &mut Chance, world: &World, region: Region, number: u64) -> Contact {
    let titles = if region.is_chinese() {
        &world.people.titles_zh
    } else {
        &world.people.titles_en
    };
    Contact {
        name: person(chance, world, region),
        title: Some(chance.pick(titles).clone()),
        phone: Some(phone(region, 5_000_000 + number)),
        email: Some(text(&format!("buyer{number}@c{number:05}.example"))),
    }
}
