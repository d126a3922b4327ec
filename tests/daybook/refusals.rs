//! What the rules and the record forbid: refused with its code, and on the record where a rule
//! said no; nothing else changes.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    bad_input::{head, with_server},
    server::Server,
};

/// A small shop in which rules can be broken.
pub(crate) struct Shop<'a> {
    server: &'a Server,
    product: String,
    warehouse: String,
    customer: String,
}

impl<'a> Shop<'a> {
    /// A shop with nothing in it.
    pub(crate) fn of(server: &'a Server) -> Self {
        Self {
            server,
            product: String::new(),
            warehouse: String::new(),
            customer: String::new(),
        }
    }

    /// A shop with a warehouse, a product and a customer.
    pub(crate) fn open(server: &'a Server) -> Self {
        let mut shop = Self::of(server);
        shop.warehouse = shop.done("openWarehouse", json!({ "code": "SHA", "name": "上海仓" }));
        let product = json!({ "sku": "M-27", "details": { "name": "27 inch monitor" } });
        shop.product = shop.done("listProduct", product);
        let customer = json!({ "details": { "name": "Acme" } });
        shop.customer = shop.done("registerCustomer", customer);
        shop
    }

    /// Issues a command, and gives its payload.
    #[track_caller]
    fn issue(&self, mutation: &str, input: &Value) -> Value {
        let (first, rest) = mutation.split_at(1);
        let query = format!(
            "mutation($input: {}{rest}Input!) {{ it: {mutation}(input: $input) {{
                receipt {{ position events {{ stream }} }}
                userErrors {{ code field message }} }} }}",
            first.to_uppercase()
        );
        let answer = self.server.request(&query, json!({ "input": input }));
        assert_eq!(answer["errors"], Value::Null, "{mutation}: {answer}");
        answer["data"]["it"].clone()
    }

    /// Issues a command that must be done; gives the stream of its last event.
    #[track_caller]
    pub(crate) fn done(&self, mutation: &str, input: Value) -> String {
        let payload = self.issue(mutation, &input);
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload}");
        let events = payload["receipt"]["events"].as_array().unwrap();
        events.last().unwrap()["stream"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Issues a command that a rule must refuse. The refusal is one commit without an event.
    #[track_caller]
    pub(crate) fn refused(&self, (mutation, input): (&str, Value), (code, words): (&str, &str)) {
        let before = head(self.server);
        let payload = self.issue(mutation, &input);
        let error = &payload["userErrors"][0];
        assert_eq!(error["code"], code, "{mutation}: {payload}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "`{words}` in {payload}");
        assert_eq!(payload["receipt"]["events"], json!([]), "{payload}");
        assert_eq!(payload["receipt"]["position"], (before + 1).to_string());
        assert_eq!(head(self.server), before + 1);
    }

    /// Issues a command that a rule about one of its fields must refuse.
    #[track_caller]
    fn refused_for(&self, (mutation, input): (&str, Value), code: &str, field: &[&str]) {
        let payload = self.issue(mutation, &input);
        let error = &payload["userErrors"][0];
        assert_eq!(error["code"], code, "{mutation}: {payload}");
        assert_eq!(error["field"], json!(field), "{mutation}: {payload}");
    }

    /// Issues a command that must leave no trace at all.
    #[track_caller]
    fn turned_away(&self, (mutation, input): (&str, Value), (code, field): (&str, &str)) {
        let before = head(self.server);
        let payload = self.issue(mutation, &input);
        assert_eq!(payload["userErrors"][0]["code"], code, "{payload}");
        assert_eq!(payload["userErrors"][0]["field"], json!([field]));
        assert_eq!(payload["receipt"], Value::Null, "{payload}");
        assert_eq!(head(self.server), before, "{payload}");
    }

    pub(crate) fn receipt(
        &self,
        quantity: &str,
        amount: &str,
        currency: &str,
    ) -> (&'static str, Value) {
        let cost = json!({ "amount": amount, "currency": currency });
        let input = json!({
            "product": self.product, "warehouse": self.warehouse,
            "quantity": quantity, "unitCost": cost
        });
        ("receiveStock", input)
    }

    pub(crate) fn order(&self, quantity: &str, price: &str, lines: usize) -> (&'static str, Value) {
        let line = json!({
            "product": self.product, "warehouse": self.warehouse,
            "quantity": quantity, "unitPrice": price
        });
        let lines = vec![line; lines];
        let input = json!({ "customer": self.customer, "currency": "CNY", "lines": lines });
        ("placeOrder", input)
    }
}

#[test]
fn a_number_that_is_refused_is_named_by_its_field() {
    with_server(|server| {
        let shop = Shop::open(server);
        let quantity = ["quantity"];
        shop.refused_for(
            shop.receipt("0", "1", "CNY"),
            "QUANTITY_NOT_POSITIVE",
            &quantity,
        );
        let cost = ["unitCost", "amount"];
        shop.refused_for(shop.receipt("1", "-1", "CNY"), "AMOUNT_NEGATIVE", &cost);
        let currency = ["unitCost", "currency"];
        shop.refused_for(shop.receipt("1", "1", "USD"), "CURRENCY_DIFFERS", &currency);
        let counted = json!({
            "product": shop.product, "warehouse": shop.warehouse, "counted": "-1"
        });
        let count = ("countStock", counted);
        shop.refused_for(count, "QUANTITY_NEGATIVE", &["counted"]);
        let lines = ["lines"];
        shop.refused_for(shop.order("-1", "1", 1), "QUANTITY_NOT_POSITIVE", &lines);
        shop.refused_for(shop.order("1", "-5", 1), "AMOUNT_NEGATIVE", &lines);
        let (place, mut order) = shop.order("1", "5", 1);
        order["charges"] = json!({ "amount": "1", "currency": "USD" });
        shop.refused_for((place, order.clone()), "CURRENCY_DIFFERS", &["charges"]);
        order["charges"] = json!({ "amount": "-1", "currency": "CNY" });
        shop.refused_for((place, order), "AMOUNT_NEGATIVE", &["charges"]);
        let huge = shop.receipt("999999999999", "999999999999", "CNY");
        shop.refused_for(huge, "AMOUNT_OUT_OF_RANGE", &[]);
    });
}

#[test]
fn impossible_quantities_and_amounts_are_refused_on_the_record() {
    let huge = "999999999999";
    let product = "999999999998000000000001";
    with_server(|server| {
        let shop = Shop::open(server);
        let cases = [
            (
                shop.receipt("-1", "1", "CNY"),
                ("QUANTITY_NOT_POSITIVE", "quantity -1"),
            ),
            (
                shop.receipt("0", "1", "CNY"),
                ("QUANTITY_NOT_POSITIVE", "quantity 0"),
            ),
            (
                shop.receipt("1", "-1", "CNY"),
                ("AMOUNT_NEGATIVE", "amount -1"),
            ),
            (
                shop.receipt("1", "1", "USD"),
                ("CURRENCY_DIFFERS", "in USD, but must be in CNY"),
            ),
            (
                shop.receipt(huge, huge, "CNY"),
                ("AMOUNT_OUT_OF_RANGE", product),
            ),
            (
                shop.order("-1", "1", 1),
                ("QUANTITY_NOT_POSITIVE", "quantity -1"),
            ),
            (shop.order("1", "-5", 1), ("AMOUNT_NEGATIVE", "amount -5")),
            (shop.order(huge, huge, 1), ("AMOUNT_OUT_OF_RANGE", product)),
            (
                shop.order(huge, "1", 2),
                ("AMOUNT_OUT_OF_RANGE", "1999999999998"),
            ),
            (
                shop.order("1", "1", 0),
                ("LINE_COUNT_OUT_OF_RANGE", "1 to 200 lines, not 0"),
            ),
            (
                shop.order("1", "1", 201),
                ("LINE_COUNT_OUT_OF_RANGE", "not 201"),
            ),
        ];
        for (command, expected) in cases {
            shop.refused(command, expected);
        }
        let lists = server.graphql("{ orders { totalCount } stockItems { totalCount } }");
        let nothing =
            json!({ "orders": { "totalCount": "0" }, "stockItems": { "totalCount": "0" } });
        assert_eq!(lists["data"], nothing);
    });
}

#[test]
fn unknown_objects_and_impossible_steps_are_refused_on_the_record() {
    with_server(|server| {
        let shop = Shop::open(server);
        let nobody = format!("customer-{}", Uuid::now_v7());
        let (_, mut foreign) = shop.order("1", "1", 1);
        foreign["customer"] = json!(nobody);
        let (place, input) = shop.order("1", "1", 1);
        let order = shop.done(place, input);
        shop.done(
            "cancelOrder",
            json!({ "order": order, "because": "a trial" }),
        );
        let lead = json!({ "source": "fair", "title": "Monitors", "company": "Acme" });
        let lead = shop.done("captureLead", lead);
        let opportunity = json!({ "lead": lead, "opportunity": {
            "name": "Monitors", "expectedCloseOn": "2026-12-01",
            "value": { "amount": "1", "currency": "CNY" }
        } });
        let taken = json!({ "sku": "M-27", "details": { "name": "another" } });
        let unknown = format!("shipment-{}", Uuid::now_v7());
        let cases = [
            (
                (
                    "deactivateCustomer",
                    json!({ "customer": nobody, "because": "x" }),
                ),
                ("NOT_FOUND", nobody.as_str()),
            ),
            (("placeOrder", foreign), ("NOT_FOUND", nobody.as_str())),
            (
                ("dispatchShipment", json!({ "shipment": unknown })),
                ("NOT_FOUND", &unknown),
            ),
            (("listProduct", taken), ("NATURAL_KEY_TAKEN", "sku")),
            (
                ("confirmOrder", json!({ "order": order })),
                ("ORDER_CANCELLED", "is cancelled"),
            ),
            (("convertLead", opportunity), ("LEAD_NOT_QUALIFIED", "NEW")),
        ];
        for (command, expected) in cases {
            shop.refused(command, expected);
        }
    });
}

#[test]
fn what_conflicts_with_the_record_leaves_no_trace() {
    with_server(|server| {
        let shop = Shop::open(server);
        let id = Uuid::now_v7();
        let opening = |name: &str| json!({ "commandId": id, "code": "BJ", "name": name });
        shop.done("openWarehouse", opening("北京仓"));
        let reused = ("IDEMPOTENCY_KEY_REUSED", "commandId");
        shop.turned_away(("openWarehouse", opening("天津仓")), reused);
        let other = json!({ "commandId": id, "sku": "M-32", "details": { "name": "32 inch" } });
        shop.turned_away(("listProduct", other), reused);
        for version in ["0", "2", "18446744073709551615"] {
            let input = json!({
                "customer": shop.customer, "because": "closed", "expectedVersion": version
            });
            let command = ("deactivateCustomer", input);
            shop.turned_away(command, ("VERSION_CONFLICT", "expectedVersion"));
        }
        let input = json!({
            "customer": shop.customer, "because": "closed", "expectedVersion": "1"
        });
        shop.done("deactivateCustomer", input);
    });
}
