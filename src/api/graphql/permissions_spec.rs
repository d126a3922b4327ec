#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]
//! Every mutation and every query, asked for by every role, through the whole of the API: what is
//! answered must be what the matrix says. A field without a rule is denied to everybody, and makes
//! the matrix differ from the schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_graphql::{OutputType, SubscriptionType, registry::MetaType};
use axum::{
    Router,
    body::{Body, to_bytes},
};
use daybook_app::{
    Envelope, Founding, Organisation, OrganisationOptions,
    access::{Armoury, Providers, Token, TokenKind, bootstrap},
};
use daybook_schema::{
    Command, CommandVisitor, DomainCommand,
    access::{AccountId, GrantRole, IssueApiKey, RegisterServiceAccount, Role, Scope, ScopeKind},
};
use http::{Request, header};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use uuid::Uuid;

use super::{Allowed, Api, Mutation, Query, Sort, Subscription, command::field_name, permissions};
use crate::{
    health::Report,
    metrics::Metrics,
    transport::{Lifecycle, TransportConfig, router},
};

/// An organisation with one account per role, each granted the role for everything.
struct House {
    router: Router,
    tokens: BTreeMap<Role, String>,
    runtime: tokio::runtime::Runtime,
    organisation: Arc<Organisation>,
    _folder: TempDir,
}

impl House {
    fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let founding = Founding {
            name: "Matrix".parse().unwrap(),
            currency: "CNY".parse().unwrap(),
            founder: "founder".parse().unwrap(),
            policies_from: "2020-01-01".parse().unwrap(),
            keeps_house: false,
            founded_at: None,
        };
        let options = OrganisationOptions {
            min_free_bytes: Some(0),
            ..Default::default()
        };
        let opened = Organisation::open(folder.path(), options, &founding, &mut |_, _| {});
        let organisation = Arc::new(opened.unwrap().0);
        bootstrap(&organisation, &"first".parse().unwrap()).unwrap();
        let roles = Role::ALL.iter();
        let tokens = roles.map(|role| (*role, account(&organisation, *role)));
        let tokens = tokens.collect();
        let api = Api::new(
            organisation.clone(),
            None,
            Arc::new(Providers::new(Vec::new())),
        );
        let (metrics, lifecycle) = (Metrics::new(), Lifecycle::new());
        let config = TransportConfig::default();
        let nothing = Router::new();
        let house = Self {
            router: router(api, Report::ready, config, &metrics, &lifecycle, nothing),
            tokens,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            organisation,
            _folder: folder,
        };
        house.wait();
        house
    }

    fn wait(&self) {
        let head = self.organisation.log().head().position;
        while self.organisation.applied().borrow().position < head {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    fn ask(&self, role: Role, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.tokens[&role]),
            )
            .body(Body::from(body))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            serde_json::from_slice(&bytes).unwrap()
        })
    }
}

/// Makes an account with one role for everything, and gives the key to it.
fn account(organisation: &Organisation, role: Role) -> String {
    let login = format!("{role}.x").parse().unwrap();
    let account = AccountId(login);
    let name = role.to_string().parse().unwrap();
    let login = account.0.clone();
    order(organisation, RegisterServiceAccount { login, name });
    let scope = Scope::of(ScopeKind::Organisation);
    let grant = GrantRole {
        account: account.clone(),
        role,
        scope,
        from: None,
        until: None,
    };
    order(organisation, grant);
    let mut key = IssueApiKey {
        account,
        name: "matrix".parse().unwrap(),
        expires_at: None,
        verifier: None,
    };
    let mut armoury = Armoury::default();
    Command::arm(&mut key, &mut armoury);
    let secret = armoury.secret().unwrap().unwrap();
    let id = order(organisation, key).to_string();
    Token::new(TokenKind::ApiKey, organisation.id(), &id, &secret).reveal()
}

fn order(organisation: &Organisation, command: impl Into<DomainCommand>) -> Uuid {
    let id = Uuid::now_v7();
    let envelope = Envelope::of_process(id, "founder".parse().unwrap(), command);
    let answer = organisation.desk().submit_blocking(envelope).unwrap();
    assert_eq!(answer.blocking_recv().unwrap().unwrap().refusal, None);
    id
}

/// Something that fits a JSON Schema, as little as it allows.
fn sample(schema: &Value, definitions: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return by_name(name).unwrap_or_else(|| sample(&definitions[name], definitions));
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(first) = schema[choice].get(0) {
            return sample(first, definitions);
        }
    }
    if let Some(only) = schema.get("const") {
        return only.clone();
    }
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let field = |name: &Value| {
                let name = name.as_str().unwrap();
                let value = sample(&schema["properties"][name], definitions);
                (name.to_owned(), value)
            };
            Value::Object(required.iter().map(field).collect::<Map<_, _>>())
        }
        Some("array") => json!([sample(&schema["items"], definitions)]),
        Some("boolean") => json!(false),
        Some("integer") => json!(1),
        _ => json!("x"),
    }
}

/// Values of scalars, whose schemas say too little.
fn by_name(name: &str) -> Option<Value> {
    let id = "0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e";
    let prefix = |name: &str| {
        let word = name.strip_suffix("Id")?;
        let mut letters = word.chars();
        let first = letters.next()?.to_ascii_lowercase();
        Some(format!("{first}{}", letters.as_str()))
    };
    Some(match name {
        "Currency" => json!("CNY"),
        "Money" | "Amount" => json!({ "amount": "1", "currency": "CNY" }),
        "Decimal" | "Quantity" | "BigInt" => json!("1"),
        "Date" => json!("2026-03-02"),
        "DateTime" => json!("2027-03-02T09:00:00Z"),
        "Password" => json!("correct horse battery"),
        "AccountId" => json!("account-nobody.here"),
        "SubjectId" => json!(format!("customer-{id}")),
        "TeamId" => json!("team-none"),
        "PriceId" | "StockItemId" => json!(format!("{}-{id}.{id}", prefix(name)?)),
        _ if name.ends_with("Id") => json!(format!("{}-{id}", prefix(name)?)),
        _ => return None,
    })
}

/// Asks for every mutation as one role, and remembers which were denied.
struct Walk<'a> {
    house: &'a House,
    role: Role,
    denied: BTreeSet<String>,
    asked: BTreeSet<String>,
}

impl CommandVisitor for Walk<'_> {
    fn command<C: Command>(&mut self) {
        let schema = serde_json::to_value(schemars::schema_for!(C)).unwrap();
        let json = sample(&schema, &schema["$defs"]);
        let command: C = serde_json::from_value(json.clone())
            .unwrap_or_else(|error| panic!("{}: {error}: {json}", C::NAME));
        let mut input = command.to_value().into_json().unwrap();
        // A password is written out as a mask.
        if let Some(password) = input.get_mut("password") {
            *password = by_name("Password").unwrap();
        }
        let field = field_name(C::NAME);
        let name = C::NAME;
        let document = format!(
            "mutation($input: {name}Input!) {{
                {field}(input: $input) {{ userErrors {{ code }} }}
            }}"
        );
        let answer = self.house.ask(
            self.role,
            &document,
            &json!({ "input": without_nulls(input) }),
        );
        let payload = &answer["data"][&field];
        assert!(payload.is_object(), "{name}: {answer}");
        if payload["userErrors"][0]["code"] == "PERMISSION_DENIED" {
            self.denied.insert(field.clone());
        }
        self.asked.insert(field);
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

fn matrix(sort: Sort, role: Role) -> BTreeMap<String, Allowed> {
    let place = Role::ALL.iter().position(|one| *one == role).unwrap();
    let of_sort = permissions().into_iter().filter(|one| one.sort == sort);
    of_sort.map(|one| (one.name, one.roles[place])).collect()
}

#[test]
fn every_role_may_issue_the_commands_that_the_matrix_says() {
    let house = House::open();
    for role in Role::ALL {
        let mut walk = Walk {
            house: &house,
            role: *role,
            denied: BTreeSet::new(),
            asked: BTreeSet::new(),
        };
        DomainCommand::visit(&mut walk);
        let matrix = matrix(Sort::Mutation, *role);
        let listed: BTreeSet<_> = matrix.keys().cloned().collect();
        assert_eq!(walk.asked, listed, "{role}");
        for (name, allowed) in matrix {
            // The samples are about an account that is not the caller's.
            let denied = allowed != Allowed::InScope;
            assert_eq!(walk.denied.contains(&name), denied, "{role} {name}");
        }
    }
}

/// The arguments without which a root field cannot be asked for, by their types.
fn argument(ty: &str, field: &str) -> &'static str {
    match (ty, field) {
        ("[ID!]!", _) => "[]",
        ("ID!", "priceQuote" | "orderTracking" | "subjectExport") => {
            unreachable!("{field} has typed ids")
        }
        ("ID!", _) => "\"x\"",
        ("String!", _) => "\"x\"",
        ("Date!", _) => "\"2026-03-02\"",
        ("Quantity!" | "Decimal!", _) => "\"1\"",
        ("SalesDimension!", _) => "ALL",
        _ => unreachable!("an argument of the type {ty}"),
    }
}

/// A document for every field of the query and subscription roots.
fn documents() -> BTreeMap<String, String> {
    let mut registry = async_graphql::registry::Registry::default();
    <Query as OutputType>::create_type_info(&mut registry);
    <Subscription as SubscriptionType>::create_type_info(&mut registry);
    let mut documents = BTreeMap::new();
    for (root, word) in [("Query", "query"), ("Subscription", "subscription")] {
        let fields = registry.types[root].fields().unwrap();
        for (name, field) in fields.iter().filter(|(name, _)| !name.starts_with("__")) {
            let required = field
                .args
                .values()
                .filter(|one| one.ty.ends_with('!') && one.default_value.is_none());
            let arguments: Vec<_> = required
                .map(|one| format!("{}: {}", one.name, id_of(name, &one.name, &one.ty)))
                .collect();
            let arguments = if arguments.is_empty() {
                String::new()
            } else {
                format!("({})", arguments.join(", "))
            };
            let named = field.ty.trim_matches(['[', ']', '!']);
            let selection = match registry.types.get(named) {
                Some(MetaType::Scalar { .. } | MetaType::Enum { .. }) => "",
                _ => " { __typename }",
            };
            let document = format!("{word} {{ {name}{arguments}{selection} }}");
            // What can be asked for and followed under one name has one rule.
            documents.entry(name.clone()).or_insert(document);
        }
    }
    documents
}

fn id_of(field: &str, argument_name: &str, ty: &str) -> String {
    let id = "0190f3c2-7c1e-7d2a-9a50-3f6b1f0c2d4e";
    match (field, argument_name) {
        ("orderTracking", "order") => format!("\"order-{id}\""),
        ("subjectExport", "of") => format!("\"customer-{id}\""),
        ("priceQuote", "product") => format!("\"product-{id}\""),
        ("priceQuote", "priceList") => format!("\"priceList-{id}\""),
        (_, "to") => "\"2026-03-03\"".to_owned(),
        _ => argument(ty, field).to_owned(),
    }
}

#[test]
fn every_role_may_ask_the_questions_that_the_matrix_says() {
    let house = House::open();
    let documents = documents();
    for role in Role::ALL {
        let matrix = matrix(Sort::Query, *role);
        let listed: BTreeSet<_> = matrix.keys().collect();
        assert_eq!(documents.keys().collect::<BTreeSet<_>>(), listed);
        for (name, document) in &documents {
            let answer = house.ask(*role, document, &Value::Null);
            let denied = answer["errors"][0]["extensions"]["code"] == "FORBIDDEN";
            assert_eq!(
                denied,
                matrix[name] == Allowed::No,
                "{role} {name}: {answer}"
            );
            let malformed =
                answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED";
            assert!(!malformed, "{name}: {answer}");
        }
    }
}

#[test]
fn the_mutation_root_has_the_commands_of_the_matrix_and_nothing_else() {
    let mut registry = async_graphql::registry::Registry::default();
    <Mutation as OutputType>::create_type_info(&mut registry);
    let fields = registry.types["Mutation"].fields().unwrap();
    let fields: BTreeSet<_> = fields
        .keys()
        .filter(|name| !name.starts_with("__"))
        .collect();
    let matrix = matrix(Sort::Mutation, Role::Administrator);
    assert_eq!(fields, matrix.keys().collect::<BTreeSet<_>>());
}
