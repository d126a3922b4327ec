//! Durable appends through the desk: decided, encoded, chained, synced, acknowledged.

use std::{sync::Arc, time::Duration};

use daybook_app::{Envelope, Founding, Organisation, OrganisationOptions};
use daybook_schema::{
    customers::{
        Channel, CustomerDetails, CustomerId, CustomerType, Direction, InteractionDetails,
        LogInteraction, RegisterCustomer,
    },
    goods::{ChangeProductDetails, ListProduct, ProductDetails, ProductId},
    kernel::Actor,
};
use uuid::Uuid;

use crate::{
    floor::{RawLog, rate},
    report::{Figure, publish},
};

const TIME: Duration = Duration::from_secs(3);
/// Bytes of one event, as the log keeps it.
const EVENT_BYTES: usize = 350;

pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let raw = RawLog::open(folder.path());
    let alone = Arc::new(open(&folder.path().join("alone"), true));
    let followed = Arc::new(open(&folder.path().join("followed"), false));
    let mut figures = Vec::new();
    for (clients, aim) in [
        (1, Some(0.2)),
        (16, None),
        (64, Some(0.35)),
        (256, None),
        (512, Some(0.5)),
    ] {
        let floor = runtime.block_on(floor(&raw, clients));
        for (organisation, what, aim) in [
            (&alone, "", aim),
            (&followed, ", read models following", None),
        ] {
            let ours = runtime.block_on(ours(organisation, clients));
            let what = format!("{clients} clients{what}");
            figures.push(Figure::new(what, ours, floor, aim));
        }
        let unsealed = runtime.block_on(unsealed(&alone, clients));
        let what = format!("{clients} clients, nothing personal");
        figures.push(Figure::new(what, unsealed, floor, None));
    }
    publish(
        "append",
        "pre-zeroed file + fdatasync, group commit, same clients",
        &figures,
    );
}

async fn floor(raw: &RawLog, clients: usize) -> f64 {
    let bytes: Arc<[u8]> = vec![7; EVENT_BYTES].into();
    let raw = raw.clone();
    rate(clients, TIME, move || {
        let (raw, bytes) = (raw.clone(), bytes.clone());
        async move { raw.append(bytes).await }
    })
    .await
}

async fn ours(organisation: &Arc<Organisation>, clients: usize) -> f64 {
    let customer = register(organisation).await;
    let command = interaction(customer);
    let actor: Actor = "li.wei".parse().unwrap();
    let organisation = organisation.clone();
    rate(clients, TIME, move || {
        let envelope = Envelope::of_process(Uuid::now_v7(), actor.clone(), command.clone());
        let organisation = organisation.clone();
        async move {
            let receipt = organisation.desk().submit(envelope).await.unwrap();
            assert!(receipt.refusal.is_none());
        }
    })
    .await
}

/// The same with events of the same size in which nothing is personal, so that nothing is sealed.
async fn unsealed(organisation: &Arc<Organisation>, clients: usize) -> f64 {
    let product = list(organisation).await;
    let actor: Actor = "li.wei".parse().unwrap();
    let organisation = organisation.clone();
    rate(clients, TIME, move || {
        let id = Uuid::now_v7();
        let details = details(&format!("{} {id}", "x".repeat(EVENT_BYTES - 230)));
        let command = ChangeProductDetails { product, details };
        let envelope = Envelope::of_process(id, actor.clone(), command);
        let organisation = organisation.clone();
        async move {
            let receipt = organisation.desk().submit(envelope).await.unwrap();
            assert!(receipt.refusal.is_none());
        }
    })
    .await
}

async fn list(organisation: &Organisation) -> ProductId {
    let id = Uuid::now_v7();
    let command = ListProduct {
        sku: id.to_string().parse().unwrap(),
        details: details("new"),
    };
    let envelope = Envelope::of_process(id, "bench".parse().unwrap(), command);
    organisation.desk().submit(envelope).await.unwrap();
    ProductId(id)
}

fn details(description: &str) -> ProductDetails {
    ProductDetails {
        name: "Bench".parse().unwrap(),
        names: Vec::new(),
        description: Some(description.parse().unwrap()),
        category: None,
        unit: "pcs".parse().unwrap(),
        labels: Vec::new(),
    }
}

fn open(folder: &std::path::Path, write_only: bool) -> Organisation {
    let founding = Founding {
        name: "Bench".parse().unwrap(),
        currency: "CNY".parse().unwrap(),
        founder: "bench".parse().unwrap(),
        policies_from: "2020-01-01".parse().unwrap(),
        keeps_house: false,
        founded_at: None,
    };
    let options = OrganisationOptions {
        write_only,
        ..OrganisationOptions::default()
    };
    Organisation::open(folder, options, &founding, &mut |_, _| {})
        .unwrap()
        .0
}

async fn register(organisation: &Organisation) -> CustomerId {
    let details = CustomerDetails {
        name: "Bench".parse().unwrap(),
        customer_type: CustomerType::Company,
        tax_number: None,
        phone: None,
        email: None,
        address: None,
        currency: None,
        language: None,
        external_number: None,
    };
    let command = RegisterCustomer {
        details,
        contacts: Vec::new(),
        owner: None,
    };
    let envelope = Envelope::of_process(Uuid::now_v7(), "bench".parse().unwrap(), command);
    let customer = CustomerId(envelope.command_id);
    organisation.desk().submit(envelope).await.unwrap();
    customer
}

fn interaction(customer: CustomerId) -> LogInteraction {
    let details = InteractionDetails {
        channel: Channel::Phone,
        direction: Direction::Inbound,
        summary: "x".repeat(EVENT_BYTES - 160).parse().unwrap(),
        participants: Vec::new(),
    };
    LogInteraction { customer, details }
}
