//! Which fields of the roots a caller may ask for. Looked at once, before anything runs; what an
//! answer then holds is decided where it is read.

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use daybook_app::access::Principal;
use daybook_domain::{may_list, query_rule};

use super::fault::Fault;
use crate::transport::errors::Code;

/// Refuses where an operation asks for a field that none of the caller's roles may ask for.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: Option<&str>,
    principal: &Principal,
) -> Result<(), Fault> {
    let mut operations = document.operations.iter();
    let chosen = operations
        .find(|(name, _)| operation.is_none_or(|wanted| name.is_some_and(|name| name == wanted)));
    let Some((_, chosen)) = chosen else {
        return Ok(());
    };
    // Commands are permitted at the desk, where a refusal is put on record.
    if chosen.node.ty == OperationType::Mutation {
        return Ok(());
    }
    match first_denied(document, &chosen.node.selection_set.node, principal) {
        None => Ok(()),
        Some(field) => {
            let message = format!("none of your roles may ask for `{field}`");
            Err(Fault::new(Code::Forbidden, message))
        }
    }
}

/// The first field that may not be asked for. Fragments are not in circles: the transport has
/// measured the document.
fn first_denied<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    principal: &Principal,
) -> Option<&'a str> {
    set.items
        .iter()
        .find_map(|selection| match &selection.node {
            Selection::Field(field) => {
                let name = field.node.name.node.as_str();
                (!permits(principal, name)).then_some(name)
            }
            Selection::InlineFragment(inner) => {
                first_denied(document, &inner.node.selection_set.node, principal)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
                first_denied(document, &fragment.node.selection_set.node, principal)
            }
        })
}

/// Whether a field of the query or subscription root may be asked for.
pub(super) fn permits(principal: &Principal, field: &str) -> bool {
    if field.starts_with("__") {
        return true;
    }
    let mut roles = principal.grants.iter().map(|grant| grant.role);
    if let Some(rule) = query_rule(field) {
        return roles.any(|role| rule.roles.contains(&role));
    }
    let kinds = super::kinds().all();
    let of_kind = kinds
        .iter()
        .find(|kind| kind.singular == field || kind.plural == field);
    of_kind.map_or_else(
        // A field that is none is for validation to report.
        || super::is_unknown_root(field),
        |kind| roles.any(|role| may_list(role, kind.prefix)),
    )
}
