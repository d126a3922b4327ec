//! Everything that can be permitted, and to whom: what `daybook permissions` lists and what is
//! published as the permission matrix.

use std::fmt;

use daybook_domain::{COMMANDS, FieldClass, KINDS, QUERIES, may_list};
use daybook_schema::access::Role;

/// What kind of thing is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// A field of the mutation root: a command.
    Mutation,
    /// A field of the query or subscription root.
    Query,
    /// The objects of a kind, wherever an answer shows one.
    Objects,
    /// The fields of a kind that hold what is personal.
    PersonalFields,
    /// The fields of a kind that hold costs.
    CostFields,
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mutation => "mutation",
            Self::Query => "query",
            Self::Objects => "objects",
            Self::PersonalFields => "personal fields",
            Self::CostFields => "cost fields",
        })
    }
}

/// How far a role goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Allowed {
    /// Never.
    No,
    /// Within the scope of a grant.
    InScope,
    /// About the account itself only.
    Themselves,
}

/// One thing that can be permitted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// What kind of thing.
    pub sort: Sort,
    /// Its name.
    pub name: String,
    /// How far each role goes, in the order of [`Role::ALL`].
    pub roles: Vec<Allowed>,
}

impl Permission {
    fn new(sort: Sort, name: impl Into<String>, of: impl Fn(Role) -> Allowed) -> Self {
        Self {
            sort,
            name: name.into(),
            roles: Role::ALL.iter().map(|role| of(*role)).collect(),
        }
    }
}

fn in_scope(allowed: bool) -> Allowed {
    if allowed {
        Allowed::InScope
    } else {
        Allowed::No
    }
}

/// Everything that can be permitted, sorted by what it is and by name.
pub fn permissions() -> Vec<Permission> {
    let mut all: Vec<Permission> = COMMANDS
        .iter()
        .map(|rule| {
            let name = super::command::field_name(rule.command);
            Permission::new(Sort::Mutation, name, |role| {
                if rule.roles.contains(&role) {
                    Allowed::InScope
                } else if rule.themselves {
                    Allowed::Themselves
                } else {
                    Allowed::No
                }
            })
        })
        .collect();
    all.extend(QUERIES.iter().map(|rule| {
        Permission::new(Sort::Query, rule.query, |role| {
            in_scope(rule.roles.contains(&role))
        })
    }));
    for kind in super::kinds().all() {
        let may = |role| in_scope(may_list(role, kind.prefix));
        all.push(Permission::new(Sort::Query, kind.singular, may));
        all.push(Permission::new(Sort::Query, kind.plural, may));
    }
    for rule in KINDS {
        all.push(Permission::new(Sort::Objects, rule.kind, |role| {
            in_scope(rule.shows(role, None))
        }));
        let classes = [
            (
                Sort::PersonalFields,
                FieldClass::Personal,
                rule.without_personal,
            ),
            (Sort::CostFields, FieldClass::Cost, rule.without_cost),
        ];
        for (sort, class, hidden_from) in classes {
            if !hidden_from.is_empty() {
                let may = |role| in_scope(rule.shows(role, Some(class)));
                all.push(Permission::new(sort, rule.kind, may));
            }
        }
    }
    all.sort_by(|a, b| (a.sort, &a.name).cmp(&(b.sort, &b.name)));
    all
}

/// The matrix as a table in Markdown: a row per permission, a column per role.
pub fn permission_matrix() -> String {
    let mut text = String::from(
        "# Permissions\n\nWhat each role may do, within the scope of its grant: `x`. `own` is for \
         everybody about their own account. What is not here, nobody may.\n",
    );
    let mut sort = None;
    for permission in permissions() {
        if sort.replace(permission.sort) != Some(permission.sort) {
            let names: Vec<String> = Role::ALL.iter().map(ToString::to_string).collect();
            let head = names.join(" | ");
            let rule = "---|".repeat(names.len() + 1);
            text.push_str(&format!("\n| {} | {head} |\n|{rule}\n", permission.sort));
        }
        let marks = permission.roles.iter().map(|allowed| match allowed {
            Allowed::No => "",
            Allowed::InScope => "x",
            Allowed::Themselves => "own",
        });
        let marks: Vec<&str> = marks.collect();
        text.push_str(&format!(
            "| `{}` | {} |\n",
            permission.name,
            marks.join(" | ")
        ));
    }
    text
}
