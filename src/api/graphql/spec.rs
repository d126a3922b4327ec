//! The schema builds, and shows everything that it is made of.

/// What opens a field with arguments in the printed schema.
fn opens(sdl: &str, field: &str) -> bool {
    sdl.contains(&format!("\t{field}(")) || sdl.contains(&format!("\t{field}:"))
}

#[test]
fn the_schema_builds_and_shows_every_kind_of_object() {
    let sdl = super::sdl();
    for kind in super::kinds().all() {
        let heading = format!("type {} implements Node", (kind.type_name)());
        assert!(sdl.contains(&heading), "`{heading}` is missing");
        assert!(opens(&sdl, kind.singular), "`{}` is missing", kind.singular);
        assert!(opens(&sdl, kind.plural), "`{}` is missing", kind.plural);
    }
}

#[test]
fn the_schema_shows_the_questions_of_goods_and_orders() {
    let sdl = super::sdl();
    let questions = [
        "priceQuote",
        "stockLedger",
        "stockByWarehouse",
        "stockByProduct",
        "orderTracking",
        "salesTotals",
    ];
    for question in questions {
        assert!(opens(&sdl, question), "`{question}` is missing");
    }
}

#[test]
fn no_type_of_a_row_stands_in_the_schema_under_its_own_name() {
    let sdl = super::sdl();
    let rows = sdl
        .lines()
        .filter(|line| line.starts_with("type ") && line.contains("Fields"));
    assert_eq!(rows.collect::<Vec<_>>(), Vec::<&str>::new());
}
