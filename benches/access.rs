//! What it costs to see less: the same lists, over HTTP, for who sees everything and for who sees
//! a part, in the same run.

use std::{sync::Arc, time::Duration};

use daybook_app::Organisation;
use serde_json::{Value, json};

use crate::{
    load::rate,
    query::{self, LIST, PAGE},
    report::{Figure, publish},
};

const TIME: Duration = Duration::from_secs(1);
/// Each of these is measured in turn with its floor, because the machine's mood changes.
const ROUNDS: usize = 3;

/// Somebody who looks after one customer only.
const FEW: &str = "holds.little";

const COUNT: &str = "{ orders(first: 1) { totalCount } }";
const CUSTOMERS: &str = "{ customers(first: 100) { nodes { id owner orders { totalCount } } } }";
const INVITE: &str = "mutation($input: InviteUserInput!) {
    done: inviteUser(input: $input) { userErrors { message } } }";
const GRANT: &str = "mutation($input: GrantRoleInput!) {
    done: grantRole(input: $input) { userErrors { message } } }";
const ASSIGN: &str = "mutation($input: AssignCustomerOwnerInput!) {
    done: assignCustomerOwner(input: $input) { userErrors { message } } }";

/// Measures the lists beside those of who sees everything, who is asked at `administrator`.
pub(crate) async fn run(organisation: &Arc<Organisation>, administrator: &str) {
    hire(administrator).await;
    let all = orders(administrator).await;
    let mut figures = Vec::new();
    let seen = [
        ("li.wei", "own, no costs"),
        (FEW, "own, no costs"),
        ("julia.hoffmann", "team"),
        ("xu.na", "all, no costs"),
    ];
    for (login, what) in seen {
        let address = query::serve_ours(Arc::clone(organisation), login).await;
        let share = orders(&address).await * 100.0 / all;
        for (list, document) in [("page", PAGE), ("filtered", LIST)] {
            let (some, everything) = compare(&address, administrator, document).await;
            let what = format!("{list}, {what}, {share:.1} % of {all} orders");
            figures.push(Figure::new(what, some, everything, Some(0.85)));
        }
    }
    publish("access", "the same list for who sees everything", &figures);
}

async fn compare(some: &str, everything: &str, document: &str) -> (f64, f64) {
    let body = json!({ "query": document }).to_string();
    let mut rates = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let (one, two) = (body.clone(), body.clone());
        rates.0 += rate(some, "/graphql", 1, TIME, move || one.clone()).await;
        rates.1 += rate(everything, "/graphql", 1, TIME, move || two.clone()).await;
    }
    let rounds = ROUNDS as f64;
    (rates.0 / rounds, rates.1 / rounds)
}

async fn orders(address: &str) -> f64 {
    let answer = query::ask(address, COUNT, Value::Null).await;
    let count = &answer["data"]["orders"]["totalCount"];
    count.as_str().unwrap().parse().unwrap()
}

/// Gives the customer with the fewest orders, but some, to somebody new.
async fn hire(administrator: &str) {
    let account = format!("account-{FEW}");
    let answer = query::ask(administrator, CUSTOMERS, Value::Null).await;
    let customers = answer["data"]["customers"]["nodes"].as_array().unwrap();
    let orders = |customer: &&Value| -> u64 {
        let count = customer["orders"]["totalCount"].as_str();
        count.unwrap().parse().unwrap()
    };
    let some = customers.iter().filter(|customer| orders(customer) > 0);
    let customer = &some.min_by_key(orders).unwrap()["id"];
    let scope = json!({ "kind": "OWN" });
    // Whom a provider vouches for may act at once.
    let identity = json!({ "issuer": "https://bench.example", "subject": FEW });
    let commands = [
        (
            INVITE,
            json!({ "login": FEW, "name": "Little", "identity": identity }),
        ),
        (
            GRANT,
            json!({ "account": account, "role": "SALESPERSON", "scope": scope }),
        ),
        (ASSIGN, json!({ "customer": customer, "owner": FEW })),
    ];
    for (command, input) in commands {
        let answer = query::ask(administrator, command, json!({ "input": input })).await;
        let refused = &answer["data"]["done"]["userErrors"];
        assert_eq!(refused.as_array().map(Vec::len), Some(0), "{answer}");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
}
