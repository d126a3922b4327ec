//! Objects cut out of documents are the objects of their rows, and no list reads row by row.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, ID, Object, Request, Response, Schema,
    ValidationMode,
};
use daybook_app::{Organisation, OrganisationOptions, demo};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    DaybookSchema,
    access::{Account, ApiKey, Session, Team},
    caller::Caller,
    customers::{Customer, Interaction},
    fault::Fault,
    goods::{Price, PriceList, Product, StockItem, Warehouse},
    governance::{Organisation as OrganisationObject, Policy, Tenant},
    kinds,
    object::ReadObject,
    orders::{Order, Shipment},
    pipeline::{Lead, Opportunity},
    reading::Reading,
    register::camel,
    service::Complaint,
};

/// A small company with everything that the demo has.
pub(super) struct Company {
    pub(super) organisation: Arc<Organisation>,
    schema: DaybookSchema,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

pub(super) static COMPANY: LazyLock<Company> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let options = demo::DemoOptions {
        scale: 0.02,
        ..demo::DemoOptions::default()
    };
    let limits = OrganisationOptions {
        min_free_bytes: Some(0),
        ..Default::default()
    };
    let founding = demo::founding(options);
    let opened = Organisation::open(folder.path(), limits, &founding, &mut |_, _| {});
    let organisation = opened.unwrap().0;
    demo::fill(&organisation, options, &mut |_, _| {}).unwrap();
    Company {
        organisation: Arc::new(organisation),
        schema: super::schema(ValidationMode::Strict),
        runtime: tokio::runtime::Runtime::new().unwrap(),
        _folder: folder,
    }
});

impl Company {
    fn reading(&self) -> Arc<Reading> {
        self.reading_as(demo::ADMINISTRATOR)
    }

    fn reading_as(&self, login: &str) -> Arc<Reading> {
        let head = self.organisation.log().head().position;
        let caller = Caller::first_of(&self.organisation, login);
        let reading = Reading::begin(&caller, None, Some(head));
        Arc::new(self.runtime.block_on(reading).unwrap())
    }

    /// The answer to a document as somebody else gets it.
    #[track_caller]
    pub(super) fn ask_as(&self, login: &str, document: &str) -> Value {
        let request = Request::new(document).data(self.reading_as(login));
        let response = self.runtime.block_on(self.schema.execute(request));
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// The answer to a document, and how many statements it took.
    fn respond(&self, document: &str) -> (Response, u32) {
        let reading = self.reading();
        let request = Request::new(document).data(reading.clone());
        let response = self.runtime.block_on(self.schema.execute(request));
        (response, reading.snapshot().unwrap().statements())
    }

    #[track_caller]
    fn ask(&self, document: &str) -> Value {
        let (response, _) = self.respond(document);
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }
}

/// Declares a schema of the rows themselves, which resolve field by field.
macro_rules! by_row {
    ($($name:ident: $object:ty),+ $(,)?) => {
        #[derive(Default)]
        struct ByRow;

        #[Object]
        impl ByRow {$(
            async fn $name(
                &self,
                ctx: &Context<'_>,
                id: ID,
            ) -> async_graphql::Result<Option<<$object as ReadObject>::Row>> {
                let snapshot = Reading::of(ctx).snapshot()?;
                Ok(snapshot.get(&id).map_err(Fault::from)?)
            }
        )+}

        /// The links of each kind, by the name of its field.
        fn links() -> BTreeMap<&'static str, &'static [&'static str]> {
            [$((<$object>::SINGULAR, <$object>::LINKS)),+].into_iter().collect()
        }
    };
}

by_row! {
    organisation: OrganisationObject,
    policy: Policy,
    tenant: Tenant,
    account: Account,
    team: Team,
    api_key: ApiKey,
    session: Session,
    customer: Customer,
    interaction: Interaction,
    lead: Lead,
    opportunity: Opportunity,
    complaint: Complaint,
    warehouse: Warehouse,
    product: Product,
    price_list: PriceList,
    price: Price,
    stock_item: StockItem,
    order: Order,
    shipment: Shipment,
}

/// All fields of a type and of the objects in it, but for its links.
fn everything(types: &BTreeMap<String, Value>, name: &str, links: &[&str]) -> String {
    let Some(fields) = types[name]["fields"].as_array() else {
        return String::new();
    };
    let own = fields.iter().filter(|field| {
        let name = field["name"].as_str().unwrap();
        !links.iter().any(|link| camel(link) == name)
    });
    let selected = own.map(|field| {
        let mut ty = &field["type"];
        while !ty["ofType"].is_null() {
            ty = &ty["ofType"];
        }
        let inner = everything(types, ty["name"].as_str().unwrap(), &[]);
        format!("{} {inner}", field["name"].as_str().unwrap())
    });
    format!("{{ {} }}", selected.collect::<Vec<_>>().join(" "))
}

fn types() -> BTreeMap<String, Value> {
    let answer = COMPANY.ask(
        "{ __schema { types { name fields { name type { name ofType { name ofType { name
           ofType { name } } } } } } } }",
    );
    let types = answer["__schema"]["types"].as_array().unwrap();
    let named = types
        .iter()
        .map(|ty| (ty["name"].as_str().unwrap().to_owned(), ty.clone()));
    named.collect()
}

#[test]
fn what_is_cut_out_of_a_document_is_what_its_row_shows() {
    /// Kinds of which the demo has none.
    const ABSENT: [&str; 2] = ["session", "tenant"];
    let (types, links) = (types(), links());
    let by_row = Schema::new(ByRow, EmptyMutation, EmptySubscription);
    for kind in kinds().all() {
        let of_kind = format!("{{ {}(first: 20) {{ nodes {{ id }} }} }}", kind.plural);
        let found = COMPANY.ask(&of_kind);
        let ids = found[kind.plural]["nodes"].as_array().unwrap();
        let is_absent = ABSENT.contains(&kind.singular);
        assert_eq!(ids.is_empty(), is_absent, "{}s of the demo", kind.singular);
        let fields = everything(&types, &(kind.type_name)(), links[kind.singular]);
        for id in ids {
            let document = format!("{{ {}(id: {}) {fields} }}", kind.singular, id["id"]);
            let request = Request::new(&document).data(COMPANY.reading());
            let expected = COMPANY.runtime.block_on(by_row.execute(request));
            assert!(expected.errors.is_empty(), "{:?}", expected.errors);
            let expected = expected.data.into_json().unwrap();
            assert_eq!(COMPANY.ask(&document), expected, "{document}");
        }
    }
}

#[test]
fn fields_asked_for_in_several_places_are_put_together() {
    let answer = COMPANY.ask(
        "{
            orders(first: 1) {
                nodes { ...number lines { sku } customer { id } first: lines { id } }
            }
            orders(first: 1) { nodes { lines { name } ... on Node { id } customer { name } } }
        }
        fragment number on Order { number total { amount } total { currency } __typename }",
    );
    let order = &answer["orders"]["nodes"][0];
    let keys: Vec<_> = order.as_object().unwrap().keys().collect();
    for key in [
        "number",
        "total",
        "__typename",
        "lines",
        "customer",
        "first",
        "id",
    ] {
        assert!(!order[key].is_null(), "{key} is missing in {keys:?}");
    }
    assert_eq!(order["__typename"], "Order");
    for (object, fields) in [
        (&order["lines"][0], ["sku", "name"]),
        (&order["customer"], ["id", "name"]),
        (&order["total"], ["amount", "currency"]),
    ] {
        for field in fields {
            assert!(object[field].is_string(), "{field} is missing in {object}");
        }
    }
    assert!(order["first"][0]["id"].is_string());
}

#[test]
fn a_list_takes_a_fixed_number_of_statements() {
    let page = |first: u32| {
        COMPANY.respond(&format!(
            "{{ orders(first: {first}) {{ totalCount nodes {{ id lines {{ sku }}
                customer {{ id name overview {{ orderCount }} }} opportunity {{ lead {{ id }} }}
            }} }} }}"
        ))
    };
    let ((few, statements), (many, statements_of_many)) = (page(2), page(30));
    assert!(few.errors.is_empty() && many.errors.is_empty());
    let nodes = many.data.into_json().unwrap()["orders"]["nodes"].clone();
    assert_eq!(nodes.as_array().unwrap().len(), 30);
    assert!(
        statements_of_many <= 6,
        "30 orders took {statements_of_many} statements"
    );
    assert!(statements <= statements_of_many);
}
