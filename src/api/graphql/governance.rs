//! The organisation and its policies in the API.

use daybook_projections::governance::{OrganisationRow, PolicyRow};

use super::links::objects;

objects! {
    /// The organisation that keeps this daybook (组织).
    Organisation(OrganisationRow) = "organisation", organisation, organisations {}

    /// A policy with all its versions (规则).
    Policy(PolicyRow) = "policy", policy, policies {}
}
