use serde_json::json;

use super::Import;

/// Orders as a flat file, one row per line of an order, the way many systems export them.
const FLAT: &str = "order;day;customer;sku;product;quantity;price;discount;freight;rush
A1;01.03.2026;Chen;K-1;Keyboard;1.000;1.234,50;12,5%;9,90;ja
A2;02.03.2026;Chen;M-1;Mouse;2;10;;-;nein
A1;01.03.2026;Chen;M-1;Mouse;3,5;9,99;0;9,90;ja
A3;03.03.2026;Wang;M-1;Mouse;x;1;;;nein
";

const MAPPING: &str = r#"
namespace = "flat"
sources.flat = { delimiter = ";" }

[defaults]
decimal = ","
thousands = "."
currency = "EUR"
date = "%d.%m.%Y"
date_time = "%d.%m.%Y"
zone = "+08:00"
null = ["-"]

[tables]
flat = { source = "flat", key = "{order}" }

[[steps]]
name = "warehouse"
key = "main"
[[steps.commands]]
command = "OpenWarehouse"
fields = { code = "MAIN", name = "Main" }

[[steps]]
name = "customers"
source = "flat"
group_by = "{customer}"
[[steps.commands]]
command = "RegisterCustomer"
fields = { details = { name = "{customer}" } }

[[steps]]
name = "products"
source = "flat"
group_by = "{sku}"
[[steps.commands]]
command = "ListProduct"
fields.sku = { column = "sku", as = "lower" }
fields.details.name = "{product}"
fields.details.labels = { each = { value = "{parent.sku}-{order}" } }

[[steps]]
name = "receipts"
source = "flat"
group_by = "{sku}"
when = [{ column = "order", not_equals = "A3" }]
[[steps.commands]]
command = "ReceiveStock"
[steps.commands.fields]
product = { id = "product", key = "{sku}" }
warehouse = { id = "warehouse", key = "main" }
quantity = { sum = "{quantity}" }
unitCost = { constant = { amount = "1", currency = "CNY" } }

[[steps]]
name = "orders"
source = "flat"
group_by = "{order}"
occurred_at = "{day}"
[[steps.commands]]
command = "PlaceOrder"
[steps.commands.fields]
customer = { id = "customer", key = "{customer}" }
currency = "EUR"
charges = { column = "freight", as = "money", default = "0" }
requestedOn = { column = "day", as = "date", when = [{ column = "rush", equals = "ja" }] }
[steps.commands.fields.lines.each.fields]
product = { id = "product", key = "{sku}" }
quantity = { column = "quantity", as = "decimal" }
unitPrice = { column = "price", as = "decimal" }
discount = { column = "discount", as = "percent", default = "0" }

[[steps]]
name = "notes"
source = "flat"
group_by = "{order}"
when = [
    { column = "price", above = "9,98" },
    { any = [{ column = "sku", equals = "M-1" }, { value = "{order}{rush}", equals = "A9ja" }] },
]
[[steps.commands]]
command = "LogInteraction"
[steps.commands.fields]
customer = { id = "customer", key = "{customer}" }
details.channel = "web"
details.direction = { column = "rush", values = { ja = "inbound", nein = "outbound" } }
details.summary = "{{{order}}}: {sku}"
[steps.commands.fields.details.participants.each]
table = "flat"
key = "{order}"
value = "{sku}"
"#;

#[test]
fn groups_become_documents_with_lines() {
    let import = Import::new();
    import.file("flat.csv", FLAT.as_bytes());
    let summary = import.run(MAPPING);
    let rejects = import.rejects();
    let invalid = ("IMPORT_CELL_INVALID", "orders", 5, "lines[0].quantity");
    let [(code, step, line, field)] = rejects.as_slice() else {
        panic!("{rejects:?}")
    };
    assert_eq!(
        (code.as_str(), step.as_str(), *line, field.as_str()),
        invalid
    );
    assert_eq!(summary.rejected(), 1);

    let orders = import.facts("OrderPlaced");
    let [(meta, first), (_, second)] = orders.as_slice() else {
        panic!("{orders:?}")
    };
    assert_eq!(
        meta.occurred_at.unwrap().to_string(),
        "2026-02-28T16:00:00Z"
    );
    assert_eq!(first["requestedOn"], "2026-03-01");
    assert_eq!(
        first["charges"],
        json!({ "amount": "9.9", "currency": "EUR" })
    );
    let line = |line: &serde_json::Value| {
        let price = &line["price"];
        json!([
            line["name"],
            line["quantity"],
            price["unitPrice"],
            price["discount"]
        ])
    };
    let lines: Vec<_> = first["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect();
    assert_eq!(
        lines,
        [
            json!(["Keyboard", "1000", "1234.5", 1250]),
            json!(["Mouse", "3.5", "9.99", 0])
        ]
    );
    assert_eq!(second.get("requestedOn"), None);
    assert_eq!(
        second["charges"],
        json!({ "amount": "0", "currency": "EUR" })
    );
}

#[test]
fn groups_are_summed_and_listed() {
    let import = Import::new();
    import.file("flat.csv", FLAT.as_bytes());
    import.run(MAPPING);
    let stock = import.facts("StockReceived").into_iter();
    let stock: Vec<_> = stock.map(|(_, data)| data["quantity"].clone()).collect();
    assert_eq!(stock, ["1000", "5.5"]);
    let products = import.facts("ProductListed").into_iter();
    let products: Vec<_> = products
        .map(|(_, data)| (data["sku"].clone(), data["details"]["labels"].clone()))
        .collect();
    let labels = json!(["M-1-A2", "M-1-A1", "M-1-A3"]);
    assert_eq!(products[1], (json!("m-1"), labels));
    // The keyboards are left out by their number, the cheap mice by their price.
    let notes = import.facts("InteractionLogged").into_iter();
    let notes: Vec<_> = notes.map(|(_, data)| data["details"].clone()).collect();
    let [first, second] = notes.as_slice() else {
        panic!("{notes:?}")
    };
    assert_eq!(first["summary"], "{A2}: M-1");
    assert_eq!(second["summary"], "{A1}: M-1");
    assert_eq!(second["direction"], "inbound");
    assert_eq!(second["participants"], json!(["K-1", "M-1"]));
}

#[test]
fn a_field_of_another_shape_is_named() {
    let import = Import::new();
    import.file("flat.csv", FLAT.as_bytes());
    let wrong = MAPPING.replace("{ column = \"rush\", values = ", "true # ");
    import.run(&wrong);
    let fields: Vec<_> = import
        .rejects()
        .into_iter()
        .map(|(.., field)| field)
        .collect();
    assert_eq!(fields[1..], ["details.direction", "details.direction"]);
}
