//! The schema as a whole.

use super::sdl;

#[test]
fn the_schema_builds_and_names_what_it_derives() {
    let sdl = sdl();
    for name in [
        "type Mutation {",
        "registerCustomer(",
        "input RegisterCustomerInput {",
        "type RegisterCustomerPayload {",
        "type CustomerConnection {",
        "input CustomerWhere {",
        "input CustomerOrderBy {",
        "interface Node {",
        "scalar DateTime @specifiedBy",
        "type Subscription {",
    ] {
        assert!(sdl.contains(name), "`{name}` is missing in\n{sdl}");
    }
}
