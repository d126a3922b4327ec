//! What stays the same during the demo: staff, names, places, catalogue and phrases.

use std::{fmt::Debug, str::FromStr};

use daybook_schema::kernel::{Actor, Code, Currency, Name, Note};
use serde::{Deserialize, de::DeserializeOwned};

use super::calendar::Region;

/// Everything that was read from the demo's own files.
pub(super) struct World {
    pub(super) catalogue: Vec<Category>,
    pub(super) people: People,
    pub(super) companies: Companies,
    pub(super) phrases: Phrases,
}

/// A category of the catalogue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Category {
    pub(super) code: String,
    pub(super) en: Name,
    pub(super) zh: Name,
    pub(super) unit: Code,
    /// How much is bought in each month, in hundredths of the ordinary.
    pub(super) season: [u64; 12],
    /// English name, Chinese name, cost of one unit in fen.
    pub(super) items: Vec<(Name, Name, i64)>,
}

/// Those who work in the company, and the stuff that names of other people are made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct People {
    pub(super) sales: Vec<(Actor, Region)>,
    pub(super) stock: Vec<Actor>,
    pub(super) service: Vec<Actor>,
    pub(super) managers: Vec<Actor>,
    pub(super) purchasing: Vec<Actor>,
    pub(super) product: Vec<Actor>,
    pub(super) surnames_zh: Vec<String>,
    pub(super) given_zh: Vec<String>,
    pub(super) given_en: Vec<String>,
    pub(super) surnames_en: Vec<String>,
    pub(super) titles_zh: Vec<Name>,
    pub(super) titles_en: Vec<Name>,
}

/// The stuff that companies are made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Companies {
    /// City, province, postal code.
    pub(super) cities_zh: Vec<(Name, Name, Name)>,
    pub(super) stems_zh: Vec<String>,
    pub(super) trades_zh: Vec<String>,
    pub(super) streets_zh: Vec<String>,
    pub(super) europe: Vec<Country>,
    pub(super) america: Vec<Country>,
    pub(super) stems_en: Vec<String>,
    pub(super) trades_en: Vec<String>,
    pub(super) competitors: Vec<Name>,
    pub(super) classes: Vec<Code>,
}

/// A country with its legal forms, streets and cities.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Country {
    pub(super) code: Name,
    pub(super) forms: Vec<String>,
    pub(super) streets: Vec<String>,
    /// City, region, postal code.
    pub(super) cities: Vec<(Name, Name, Name)>,
}

/// What people say of one matter, in Chinese and in English; `{}` stands for a product.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matter {
    pub(super) zh: Vec<Note>,
    pub(super) en: Vec<Note>,
}

impl Matter {
    /// What people of a region say of it.
    pub(super) fn said_in(&self, region: Region) -> &[Note] {
        if region.is_chinese() {
            &self.zh
        } else {
            &self.en
        }
    }
}

/// What people say.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Phrases {
    pub(super) call: Matter,
    pub(super) interest: Matter,
    pub(super) follow_up: Matter,
    pub(super) need: Matter,
    pub(super) insight: Matter,
    pub(super) back: Matter,
    pub(super) reopen: Matter,
    pub(super) won: Matter,
    pub(super) lost: Matter,
    pub(super) hold: Matter,
    pub(super) cancel: Matter,
    pub(super) delay: Matter,
    pub(super) damage: Matter,
    pub(super) lost_parcel: Matter,
    pub(super) put_back: Matter,
    pub(super) complaint: Matter,
    pub(super) acknowledge: Matter,
    pub(super) remedy: Matter,
    pub(super) no_remedy: Matter,
    pub(super) reject_remedy: Matter,
    pub(super) escalate: Matter,
    pub(super) outcome: Matter,
    pub(super) complaint_again: Matter,
    pub(super) deactivate: Matter,
    pub(super) recycle: Matter,
    pub(super) disqualify: Matter,
    pub(super) write_off: Matter,
    pub(super) retire: Matter,
    pub(super) hand_over: Matter,
    pub(super) new_plan: Matter,
}

impl World {
    pub(super) fn read() -> Self {
        Self {
            catalogue: file(include_str!("data/catalogue.json")),
            people: file(include_str!("data/people.json")),
            companies: file(include_str!("data/companies.json")),
            phrases: file(include_str!("data/phrases.json")),
        }
    }
}

/// The currency of a code that is written in the source.
pub(super) fn currency(code: &str) -> Currency {
    text(code)
}

/// A value of the language made from the demo's own text.
pub(super) fn text<T: FromStr<Err: Debug>>(text: &str) -> T {
    own(text.parse())
}

fn file<T: DeserializeOwned>(json: &str) -> T {
    own(serde_json::from_str(json))
}

/// What was made from the demo's own data, which are part of the program: nothing from outside is
/// mixed into them.
#[expect(
    clippy::expect_used,
    reason = "a malformed text of our own is a mistake in the program, and the specs read them all"
)]
pub(super) fn own<T, E: Debug>(result: Result<T, E>) -> T {
    result.expect("the demo's own texts are well formed")
}
