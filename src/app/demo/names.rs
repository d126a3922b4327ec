//! Invented companies and people. Every number is used once, so nothing that must be unique is
//! given twice; domains end in `.example`, which nobody owns.

use daybook_schema::{
    customers::{Contact, CustomerDetails, CustomerType},
    kernel::{Address, Currency, Name},
};

use super::{
    calendar::Region,
    chance::Chance,
    world::{Companies, Country, World, currency, text},
};

/// The currency in which a region is invoiced.
pub(super) fn currency_of(region: Region) -> Currency {
    currency(match region {
        Region::China => "CNY",
        Region::Europe => "EUR",
        Region::America => "USD",
    })
}

/// What the master record says of a company, once all of it is known.
pub(super) fn company(
    chance: &mut Chance,
    world: &World,
    region: Region,
    number: u64,
) -> CustomerDetails {
    let companies = &world.companies;
    let (name, address, tax_number) = match region {
        Region::China => chinese(chance, companies, number),
        Region::Europe => western(chance, companies, &companies.europe, number),
        Region::America => western(chance, companies, &companies.america, number),
    };
    CustomerDetails {
        name,
        customer_type: CustomerType::Company,
        tax_number: Some(tax_number),
        phone: Some(phone(region, number)),
        email: Some(text(&format!("office@c{number:05}.example"))),
        address: Some(address),
        currency: Some(currency_of(region)),
        language: Some(text(if region.is_chinese() { "zh-CN" } else { "en" })),
        external_number: None,
    }
}

fn chinese(chance: &mut Chance, companies: &Companies, number: u64) -> (Name, Address, Name) {
    let city = chance.pick(&companies.cities_zh);
    let stem = chance.pick(&companies.stems_zh);
    let trade = chance.pick(&companies.trades_zh);
    let name = text(&format!("{}{stem}{trade}有限公司", city.0));
    let street = chance.pick(&companies.streets_zh);
    let street = text(&format!("{street}{}号", chance.between(1, 900)));
    let tax_number = text(&format!("91310000MA{number:08}"));
    (name, place(street, city, text("CN")), tax_number)
}

fn western(
    chance: &mut Chance,
    companies: &Companies,
    countries: &[Country],
    number: u64,
) -> (Name, Address, Name) {
    let country = chance.pick(countries);
    let first = chance.pick(&companies.stems_en);
    let second = chance.pick(&companies.stems_en).to_lowercase();
    let trade = chance.pick(&companies.trades_en);
    let form = chance.pick(&country.forms);
    let name = text(&format!("{first}{second} {trade} {form}"));
    let street = chance.pick(&country.streets);
    let street = text(&format!("{street} {}", chance.between(1, 240)));
    let city = chance.pick(&country.cities);
    let tax_number = text(&format!("{}{:09}", country.code, 100_000_000 + number));
    (name, place(street, city, country.code.clone()), tax_number)
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
        ..company(chance, world, region, number)
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

fn phone(region: Region, number: u64) -> Name {
    text(&match region {
        Region::China => format!("+86 21 5{:03} {:04}", number / 10_000, number % 10_000),
        Region::Europe => format!("+49 40 7{:03} {:04}", number / 10_000, number % 10_000),
        Region::America => format!("+1 503 {:03} {:04}", 200 + number / 10_000, number % 10_000),
    })
}

/// The same city, another house.
pub(super) fn next_door(chance: &mut Chance, address: &Address) -> Address {
    let old = address.street.as_ref().map_or("1", Name::as_str);
    let street = old.trim_end_matches('号');
    let street = street.trim_end_matches(|c: char| c.is_ascii_digit());
    let suffix = if old.ends_with('号') { "号" } else { "" };
    let house = chance.between(1, 240);
    Address {
        street: Some(text(&format!("{street}{house}{suffix}"))),
        ..address.clone()
    }
}

fn place(street: Name, city: &(Name, Name, Name), country: Name) -> Address {
    let (city, region, postal_code) = city.clone();
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
