//! The schema as a whole.

#[test]
fn the_schema_builds_and_names_its_parts() {
    let sdl = super::sdl();
    for part in [
        "type Query",
        "type Mutation",
        "type Subscription",
        "type Customer ",
    ] {
        assert!(sdl.contains(part), "the schema lacks `{part}`");
    }
}
