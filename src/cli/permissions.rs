//! `daybook permissions`: what each role may do and see.

use clap::Args;
use daybook_api::graphql::{Allowed, Permission, permission_matrix, permissions};
use daybook_schema::access::Role;
use serde_json::json;

use crate::{arguments::Json, error::CliError, exit::Exit, output};

const EXAMPLES: &str = "\
Examples:
  daybook permissions                        the whole matrix
  daybook permissions --role salesperson     what one role may do
  daybook permissions --json
";

/// Lists every permission: mutations, queries, kinds of objects and their hidden fields, by role.
///
/// A role's permissions hold within the scope of the grant: own, team, territory, pool or the
/// whole organisation.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Permissions {
    /// Only what this role may do.
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
    #[command(flatten)]
    json: Json,
}

pub(crate) fn run(arguments: &Permissions) -> Result<Exit, CliError> {
    let text = match (arguments.role, arguments.json.json) {
        (None, false) => permission_matrix(),
        (Some(role), false) => of_role(role),
        (role, true) => as_json(role),
    };
    output::say(text.trim_end())?;
    Ok(Exit::Done)
}

fn allowed(permission: &Permission, role: Role) -> Allowed {
    let mut roles = Role::ALL.iter().zip(&permission.roles);
    let found = roles.find(|(own, _)| **own == role);
    found.map_or(Allowed::No, |(_, allowed)| *allowed)
}

fn of_role(role: Role) -> String {
    let lines = permissions().into_iter().filter_map(|permission| {
        let note = match allowed(&permission, role) {
            Allowed::No => return None,
            Allowed::InScope => "",
            Allowed::Themselves => " (own account)",
        };
        let sort = permission.sort.to_string();
        Some(format!("{sort:<15} {}{note}\n", permission.name))
    });
    lines.collect()
}

fn as_json(role: Option<Role>) -> String {
    let roles = |permission: &Permission| -> serde_json::Map<String, serde_json::Value> {
        let of_one = |one: &&Role| role.is_none_or(|role| role == **one);
        Role::ALL
            .iter()
            .filter(of_one)
            .map(|one| (one.to_string(), json!(allowed(permission, *one))))
            .collect()
    };
    let all: Vec<_> = permissions()
        .iter()
        .map(|permission| {
            json!({ "sort": permission.sort, "name": permission.name, "roles": roles(permission) })
        })
        .collect();
    json!(all).to_string()
}
