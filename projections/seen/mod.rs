//! Who sees which row of which table: the custody of objects, as decisions know it, in SQL.
//!
//! An object is in the hands of its owner and of whoever holds what it belongs to: a complaint is
//! the customer's, a shipment the order's, an order both its salesperson's and the customer's. A
//! table of anything else follows the objects that it is about. Every table must have a rule; one
//! without is seen by nobody who is restricted.

#[cfg(test)]
mod spec;
#[cfg(test)]
mod world;

use crate::{
    orders, pipeline,
    store::{Class, Form, Hands, Reached, Rule, Sum, Terms, Visible},
};

const fn rule(table: &'static str, seen: fn(&Terms<'_>) -> Visible) -> Rule {
    Rule {
        table,
        seen,
        sum: None,
    }
}

const fn sums(table: &'static str, seen: fn(&Terms<'_>) -> Visible, sum: Sum) -> Rule {
    Rule {
        table,
        seen,
        sum: Some(sum),
    }
}

/// The rule of every table.
pub(crate) const RULES: &[Rule] = &[
    rule("checkpoint", |_| Visible::All),
    rule("organisation", |terms| whole(terms, "organisation")),
    rule("policy", |terms| whole(terms, "policy")),
    rule("tenant", |terms| whole(terms, "tenant")),
    rule("account", |terms| whole(terms, "account")),
    rule("team", |terms| whole(terms, "team")),
    rule("apiKey", |terms| whole(terms, "apiKey")),
    rule("session", |terms| whole(terms, "session")),
    // Signing in looks this up before anybody is known.
    rule("external_identity", |_| Visible::None),
    rule("customer", |terms| held(terms, "customer", "it")),
    rule("interaction", |terms| held(terms, "interaction", "it")),
    rule("customer_overview", overview),
    rule("customer_affair", |terms| any(terms, "it.id")),
    rule("customer_timeline", |terms| any(terms, "it.object")),
    rule("complaint_customer", |terms| {
        about(terms, "customer", "it.id")
    }),
    rule("lead", |terms| held(terms, "lead", "it")),
    rule("opportunity", |terms| held(terms, "opportunity", "it")),
    rule("stage_visit", |terms| {
        about(terms, "opportunity", "it.opportunity")
    }),
    sums(
        "stage_totals",
        |terms| everything(terms, "opportunity"),
        pipeline::sum_stages,
    ),
    rule("complaint", |terms| held(terms, "complaint", "it")),
    rule("warehouse", |terms| whole(terms, "warehouse")),
    rule("product", |terms| whole(terms, "product")),
    rule("priceList", |terms| whole(terms, "priceList")),
    rule("price", |terms| whole(terms, "price")),
    rule("stockItem", |terms| whole(terms, "stockItem")),
    rule("productStock", |terms| whole(terms, "stockItem")),
    rule("warehouseStock", |terms| whole(terms, "stockItem")),
    rule("stockLedger", |terms| whole(terms, "stockItem")),
    rule("order", |terms| held(terms, "order", "it")),
    rule("shipment", |terms| held(terms, "shipment", "it")),
    rule("orderTimeLine", order_steps),
    sums(
        "salesTotal",
        |terms| everything(terms, "order"),
        orders::sum_sales,
    ),
    rule("audit", audit),
    rule("parked", |terms| any(terms, "it.stream")),
    rule("search_object", |terms| {
        any_of(terms, "it.id", "it.object_table")
    }),
];

/// Objects that are in nobody's hands.
const WHOLE: &[&str] = &[
    "organisation",
    "policy",
    "tenant",
    "account",
    "team",
    "apiKey",
    "session",
    "warehouse",
    "product",
    "priceList",
    "price",
    "stockItem",
];

/// Objects that are in somebody's hands.
const HELD: &[&str] = &[
    "customer",
    "interaction",
    "lead",
    "opportunity",
    "complaint",
    "order",
    "shipment",
];

/// Streams that serve other objects: they hold natural keys, such as phones, of all of them.
const INNER: &[&str] = &["naturalKey", "numberSeries", "erasure"];

/// All of a kind that is in nobody's hands.
fn whole(terms: &Terms<'_>, kind: &str) -> Visible {
    Visible::of(!matches!(terms.reached(kind), Reached::Nothing))
}

/// All of a table where everything of a kind is seen.
fn everything(terms: &Terms<'_>, kind: &str) -> Visible {
    Visible::of(matches!(terms.reached(kind), Reached::Everything))
}

/// The rows, so named, of a kind that is in somebody's hands.
fn held(terms: &Terms<'_>, kind: &str, row: &str) -> Visible {
    let hands = match terms.reached(kind) {
        Reached::Everything => return Visible::All,
        Reached::Nothing => return Visible::None,
        Reached::Hands(hands) => hands,
    };
    let column = |name: &str| format!("{row}.{name}");
    match kind {
        "customer" => hands
            .owner(&column("owner"))
            .or(hands.territory(&column("territory"))),
        "lead" => hands
            .owner(&column("owner"))
            .or(hands.territory(&column("territory")))
            .or(hands.pool(&column("owner"), "IS NULL"))
            .or(hands.pool(&column("phase"), "= 'RECYCLED'")),
        "opportunity" => hands.owner(&column("owner")).or(of_customer(hands, row)),
        "order" => hands
            .owner(&column("salesperson"))
            .or(of_customer(hands, row)),
        "shipment" => of_customer(hands, row).or(ordered(hands, row)),
        "complaint" | "interaction" => of_customer(hands, row),
        _ => Visible::None,
    }
}

/// Where the salesperson of the order of a shipment is reached.
fn ordered(hands: Hands<'_>, row: &str) -> Visible {
    hands.owner_through(
        &format!("{row}.order_id"),
        &format!(
            "SELECT 1 FROM main.\"order\" AS ordered
             WHERE ordered.id = {row}.order_id AND ordered.salesperson"
        ),
        "SELECT ordered.id FROM main.\"order\" AS ordered WHERE ordered.salesperson",
    )
}

/// Where the customer of a row is in these hands, which stand beside the row. A shipment's
/// customer is that of its order.
fn of_customer(hands: Hands<'_>, row: &str) -> Visible {
    let territory = hands.territory(&format!("{row}.held_in"));
    hands.owner(&format!("{row}.held_by")).or(territory)
}

/// Where something holds for the row of another table that a column names.
fn within(table: &str, id: &str, name: &str, holds: impl FnOnce(&str) -> Visible) -> Visible {
    match holds(name) {
        holds @ Visible::Where(_) => Visible::test(format!(
            "EXISTS (SELECT 1 FROM main.\"{table}\" AS {name} WHERE {name}.id = {id} AND ({}))",
            holds.sql_as(Form::Walk)
        )),
        all_or_none => all_or_none,
    }
}

/// Where an object of a kind, which a column names, is seen.
fn about(terms: &Terms<'_>, kind: &str, id: &str) -> Visible {
    if WHOLE.contains(&kind) {
        return whole(terms, kind);
    }
    within(kind, id, "object", |row| held(terms, kind, row))
}

/// Where an object of any kind, which a column names, is seen.
fn any(terms: &Terms<'_>, id: &str) -> Visible {
    any_of(terms, id, &format!("substr({id}, 1, instr({id}, '-') - 1)"))
}

fn any_of(terms: &Terms<'_>, id: &str, kind: &str) -> Visible {
    let mut cases = String::new();
    for known in WHOLE.iter().chain(HELD) {
        let seen = about(terms, known, id);
        if seen != Visible::None {
            cases.push_str(&format!(" WHEN '{known}' THEN {}", seen.sql()));
        }
    }
    let personal = terms.of(Class::Personal);
    if everything(terms, "customer").and(everything(&personal, "customer")) == Visible::All {
        for known in INNER {
            cases.push_str(&format!(" WHEN '{known}' THEN 1"));
        }
    }
    if cases.is_empty() {
        return Visible::None;
    }
    Visible::test(format!("CASE {kind}{cases} ELSE 0 END"))
}

/// Whether the object of any kind that some SQL names is seen.
pub(crate) fn object(terms: &Terms<'_>, id: &str) -> Visible {
    any(terms, id)
}

/// A customer's overview sums up its affairs, so it is seen only by those who see all of them.
fn overview(terms: &Terms<'_>) -> Visible {
    let summed = [
        "order",
        "shipment",
        "opportunity",
        "complaint",
        "lead",
        "interaction",
    ];
    let all = summed
        .iter()
        .all(|kind| terms.covers(kind, terms, "customer"));
    about(terms, "customer", "it.id").and(Visible::of(all))
}

/// A step of an order is also one of a shipment, where it names one.
fn order_steps(terms: &Terms<'_>) -> Visible {
    let shipment = about(terms, "shipment", "it.shipment");
    let shipment = Visible::test("it.shipment IS NULL".to_owned()).or(shipment);
    about(terms, "order", "it.order_id").and(shipment)
}

/// A line is seen where the object of its event is, and a refusal by whom it was told, which is
/// no event and has no stream.
fn audit(terms: &Terms<'_>) -> Visible {
    let told = if terms.view().refusals_of_all {
        "1"
    } else {
        "it.actor IN temp.reach_self"
    };
    let refusal = Visible::test(format!("it.stream = '' AND {told}"));
    refusal.or(any_of(terms, "it.stream", "it.aggregate"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{HELD, INNER, RULES, WHOLE};

    #[test]
    fn every_table_has_exactly_one_rule() {
        let quoted = |sql: &String| sql.split('"').nth(1).map(str::to_owned);
        let definitions = crate::definitions();
        let mut tables: BTreeSet<String> = definitions.tables.iter().filter_map(quoted).collect();
        tables.extend(["checkpoint", "parked", "search_object"].map(str::to_owned));
        let ruled: BTreeSet<String> = RULES.iter().map(|rule| rule.table.to_owned()).collect();
        assert_eq!(ruled, tables);
        assert_eq!(ruled.len(), RULES.len(), "a table has two rules");
    }

    #[test]
    fn every_kind_of_streams_is_known() {
        let known: BTreeSet<&str> = [WHOLE, HELD, INNER].concat().into_iter().collect();
        let prefixes: BTreeSet<&str> = daybook_schema::DomainEvent::catalogue()
            .iter()
            .map(|family| family.prefix)
            .collect();
        assert_eq!(known, prefixes);
    }
}
