//! The organisation, its policies and its tenants in the API.

use daybook_projections::governance::{OrganisationRow, PolicyRow, TenantRow};

use super::links::objects;

objects! {
    /// The organisation that keeps this daybook (组织).
    Organisation(OrganisationRow) = "organisation", organisation, organisations {}

    /// A policy with all its versions (规则).
    Policy(PolicyRow) = "policy", policy, policies {}

    /// An organisation of a house, as its operator knows it (租户).
    Tenant(TenantRow) = "tenant", tenant, tenants {}
}
