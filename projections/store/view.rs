//! What an identity sees of the read models, and how a connection is made to see only that.
//!
//! In SQLite a name without a schema is looked for among the temporary tables and views first. So
//! a connection gets a temporary view for each table of which it may not see everything, named
//! like the table. Every statement of every read model then reads what is visible and nothing
//! else, and none of them knows. A table that no rule names is seen by nobody.
//!
//! Values never become part of a statement: logins and territories stand in temporary tables. Who
//! belongs to a team is looked up again whenever a snapshot begins at another position.

mod plan;
mod rows;
mod sums;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use daybook_schema::{access::TeamId, kernel::Code};

pub(crate) use plan::Restriction;
pub(crate) use rows::{Form, Rows};
pub(crate) use sums::{each_seen, put_sum, widen};
pub(crate) use ways::{Way, Ways};

use super::{Class, StoreError};

/// What an identity may see. It is made by the access rules, equal for equal rights, because
/// connections are kept for the next one of the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The user name of the account, which is what objects call their owner.
    pub login: String,
    /// What is seen of each kind of objects, by the prefix of their ids; other kinds are not seen.
    pub kinds: BTreeMap<&'static str, KindView>,
    /// Whether the refusals of others are seen.
    pub refusals_of_all: bool,
}

/// What is seen of one kind of objects. Objects that are in nobody's hands are seen all or not at
/// all: where there is any reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindView {
    /// In whose hands objects are that are seen; any of these will do.
    pub reach: Vec<Reach>,
    /// The same for what is personal about them.
    pub personal: Vec<Reach>,
    /// The same for what they cost.
    pub cost: Vec<Reach>,
}

/// In whose hands objects are that something reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// In anybody's.
    Organisation,
    /// In the account's own.
    Own,
    /// In those of the members of a team and of the teams below it; of the account's own team
    /// where none is named. Teams that are dissolved have no members.
    Team(Option<TeamId>),
    /// They lie in this territory.
    Territory(Code),
    /// They wait for somebody to take them up.
    Pool,
}

/// Who sees a table.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) table: &'static str,
    /// Which of its rows are seen; they are named `it`. Asked for a class of fields, it says of
    /// which rows these are seen.
    pub(crate) seen: fn(&Terms<'_>) -> Rows,
    /// How the table is summed up anew from what is seen, for a table of sums that not everybody
    /// sees; it fills the temporary table of the same name.
    pub(crate) sum: Option<Sum>,
}

/// Sums a table up anew.
pub(crate) type Sum = fn(&rusqlite::Connection) -> Result<(), StoreError>;

/// What a rule is worked out for.
pub(crate) struct Terms<'a> {
    view: &'a View,
    reaches: &'a Reaches,
    class: Option<Class>,
}

/// What a view reaches of a kind.
pub(crate) enum Reached<'a> {
    Everything,
    Nothing,
    Hands(Hands<'a>),
}

impl<'a> Terms<'a> {
    pub(crate) fn view(&self) -> &'a View {
        self.view
    }

    /// The same for a class of fields.
    pub(crate) fn of(&self, class: Class) -> Self {
        Self {
            class: Some(class),
            ..*self
        }
    }

    /// What is reached of a kind.
    pub(crate) fn reached(&self, kind: &str) -> Reached<'a> {
        let set = self.set(kind);
        if set.contains(&Reach::Organisation) {
            return Reached::Everything;
        }
        let mut known = self.reaches.0.iter().enumerate();
        match known.find(|(_, known)| **known == set) {
            Some((number, set)) => Reached::Hands(Hands { number, set }),
            None => Reached::Nothing,
        }
    }

    /// Whether a kind is reached wherever other terms reach another one.
    pub(crate) fn covers(&self, kind: &str, others: &Self, other: &str) -> bool {
        let set = self.set(kind);
        set.contains(&Reach::Organisation) || set.is_superset(&others.set(other))
    }

    fn set(&self, kind: &str) -> BTreeSet<Reach> {
        let Some(kind) = self.view.kinds.get(kind) else {
            return BTreeSet::new();
        };
        let list = match self.class {
            None => &kind.reach,
            Some(Class::Personal) => &kind.personal,
            Some(Class::Cost) => &kind.cost,
        };
        list.iter().cloned().collect()
    }
}

/// The distinct sets of a view, each of which has its own temporary tables.
pub(crate) struct Reaches(Vec<BTreeSet<Reach>>);

impl Reaches {
    fn of(view: &View) -> Self {
        let lists = view
            .kinds
            .values()
            .flat_map(|kind| [&kind.reach, &kind.personal, &kind.cost]);
        let sets = lists.map(|list| list.iter().cloned().collect());
        let in_hands =
            |set: &BTreeSet<Reach>| !set.is_empty() && !set.contains(&Reach::Organisation);
        let distinct: BTreeSet<_> = sets.filter(in_hands).collect();
        Self(distinct.into_iter().collect())
    }
}

/// The hands in which objects are that are reached.
#[derive(Clone, Copy)]
pub(crate) struct Hands<'a> {
    number: usize,
    set: &'a BTreeSet<Reach>,
}

impl Hands<'_> {
    /// Where a column names an owner that is reached.
    pub(crate) fn owner(self, column: &str) -> Rows {
        self.owner_set()
            .map_or(Rows::None, |set| Rows::column(column, &set))
    }

    /// Where the row that some SQL finds by a column names an owner that is reached: `through` is
    /// that SQL, without the comparison of the owner at its end, and `listed` finds the values of
    /// the column the other way round.
    pub(crate) fn owner_through(self, column: &str, through: &str, listed: &str) -> Rows {
        self.owner_set().map_or(Rows::None, |set| {
            Rows::found(
                format!("EXISTS ({through} {set})"),
                format!("{column} IN ({listed} {set})"),
            )
        })
    }

    /// Where a column names a territory that is reached.
    pub(crate) fn territory(self, column: &str) -> Rows {
        let lands = |reach: &Reach| matches!(reach, Reach::Territory(_));
        if self.set.iter().any(lands) {
            let set = format!("IN temp.reach_territory_{}", self.number);
            return Rows::column(column, &set);
        }
        Rows::None
    }

    /// Where something waits for anybody, if such things are reached.
    pub(crate) fn pool(self, column: &str, waits: &str) -> Rows {
        if self.set.contains(&Reach::Pool) {
            return Rows::column(column, waits);
        }
        Rows::None
    }

    /// One name is compared as such, because the planner knows what an index does for that.
    fn owner_set(self) -> Option<String> {
        let persons = |reach: &&Reach| matches!(reach, Reach::Own | Reach::Team(_));
        let mut persons = self.set.iter().filter(persons);
        match (persons.next(), persons.next()) {
            (None, _) => None,
            (Some(Reach::Own), None) => Some("= (SELECT login FROM temp.reach_self)".to_owned()),
            _ => Some(format!("IN temp.reach_login_{}", self.number)),
        }
    }
}
