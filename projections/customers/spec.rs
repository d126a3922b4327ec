//! Given events of all contexts, then the customer at a glance and its timeline.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use daybook_schema::{
    customers::{
        Channel, Contact, ContactId, CustomerEvent, CustomerId, Direction, InteractionDetails,
        InteractionEvent, InteractionId,
    },
    kernel::{Amount, DateTime},
    orders::{OrderEvent, OrderId, ShipmentEvent, ShipmentId},
    pipeline::{OpportunityEvent, OpportunityId, OpportunityStage},
    service::{ComplaintEvent, ComplaintId},
};

use super::{ContactRow, CustomerOverviewRow, CustomerRow, TimelineLine, TimelinePlace, timeline};
use crate::spec::{History, Shown, customer_registered, given, id, money, value};

const CUSTOMER: u128 = 1;

fn customer() -> History {
    customer_registered(given(), CUSTOMER, "北京乳业")
}

fn overview(shown: &Shown) -> CustomerOverviewRow {
    let id: CustomerId = id(CUSTOMER);
    shown.get(&id.to_string()).unwrap().unwrap()
}

fn contact(name: &str, title: Option<&str>) -> Contact {
    Contact {
        name: value(name),
        title: title.map(value),
        phone: None,
        email: None,
    }
}

fn contact_added(number: u128, name: &str) -> CustomerEvent {
    CustomerEvent::ContactAdded {
        contact_id: id(number),
        contact: contact(name, None),
    }
}

fn contact_changed(number: u128, name: &str) -> CustomerEvent {
    CustomerEvent::ContactChanged {
        contact_id: id(number),
        contact: contact(name, Some("采购总监")),
    }
}

#[test]
fn a_changed_contact_stays_where_it_stands() {
    let of: CustomerId = id(CUSTOMER);
    let shown = customer()
        .event(of, contact_added(1, "王芳"))
        .event(of, contact_added(2, "李强"))
        .on("2026-02-01")
        .event(of, contact_changed(1, "王芳芳"))
        .then();
    let row: CustomerRow = shown.get(&of.to_string()).unwrap().unwrap();
    let row_of = |number, contact| ContactRow {
        id: id::<ContactId>(number),
        contact,
    };
    assert_eq!(
        row.contacts,
        [
            row_of(1, contact("王芳芳", Some("采购总监"))),
            row_of(2, contact("李强", None)),
        ]
    );
    assert_eq!(row.stamp.updated_at, value("2026-02-01T09:00:00Z"));
    let lines = timeline(&shown, &of.to_string(), None, 10).unwrap();
    assert_eq!(events(&lines), ["CustomerRegistered"]);
}

#[test]
fn a_change_of_an_unknown_contact_parks_the_customer() {
    let of: CustomerId = id(CUSTOMER);
    let shown = customer().event(of, contact_changed(1, "王芳")).show();
    let parked = shown.parked().unwrap();
    let models: Vec<_> = parked.iter().map(|hole| hole.read_model.as_str()).collect();
    assert_eq!(models, ["customers"]);
}

fn amount(text: &str) -> Amount {
    let (amount, currency) = text.split_once(' ').unwrap();
    Amount {
        amount: value(amount),
        currency: value(currency),
    }
}

fn placed(net: &str) -> OrderEvent {
    OrderEvent::OrderPlaced {
        number: 7,
        customer: id(CUSTOMER),
        currency: amount(net).currency,
        lines: Vec::new(),
        lines_net: amount(net),
        charges: money("0 CNY"),
        total: money("0 CNY"),
        ship_to: None,
        requested_on: None,
        placed_through: None,
        salesperson: None,
        opportunity: None,
        customer_reference: None,
        external_number: None,
    }
}

fn order(number: u128) -> OrderId {
    id(number)
}

fn opened() -> OpportunityEvent {
    OpportunityEvent::OpportunityOpened {
        customer: id(CUSTOMER),
        name: value("冷链设备"),
        value: money("1000 CNY"),
        expected_close_on: value("2026-06-30"),
        owner: value("li.wei"),
        lead: None,
        pipeline: value("default"),
        pipeline_version: 1,
        stage: stage(1, 1_000),
    }
}

fn stage(position: u32, probability: i64) -> OpportunityStage {
    OpportunityStage {
        code: value(&format!("s{position}")),
        position,
        probability: probability.try_into().unwrap(),
    }
}

fn interaction(summary: &str) -> InteractionEvent {
    InteractionEvent::InteractionLogged {
        customer: id(CUSTOMER),
        details: said(summary),
    }
}

fn said(summary: &str) -> InteractionDetails {
    InteractionDetails {
        channel: Channel::Phone,
        direction: Direction::Inbound,
        summary: value(summary),
        participants: Vec::new(),
    }
}

#[test]
fn sales_are_exact_per_currency_and_leave_cancelled_orders_out() {
    let cancelled = OrderEvent::OrderCancelled {
        because: value("changed their mind"),
    };
    let shortened = OrderEvent::OrderLineCancelled {
        line: id(70),
        quantity: value("1"),
        released: value("0"),
        net: amount("0.2 CNY"),
        lines_net: amount("0.2 CNY"),
        total: money("0.20 CNY"),
        because: value("one less"),
    };
    let shown = customer()
        .on("2026-02-01")
        .event(order(1), placed("0.1 CNY"))
        .on("2026-02-03")
        .event(order(2), placed("0.3 CNY"))
        .event(order(2), shortened)
        .on("2026-02-05")
        .event(order(3), placed("99 EUR"))
        .event(order(3), cancelled)
        .event(order(4), placed("5.000001 EUR"))
        .then_in("customerOverview");
    let row = overview(&shown);
    assert_eq!((row.order_count, row.cancelled_order_count), (3, 1));
    assert_eq!(row.first_order_on, Some(value("2026-02-01")));
    assert_eq!(row.last_order_on, Some(value("2026-02-05")));
    let mut sales: Vec<_> = row
        .sales
        .iter()
        .map(|sales| (sales.currency.to_string(), sales.orders, sales.net))
        .collect();
    sales.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        sales,
        [
            ("CNY".to_owned(), 2, value("0.3")),
            ("EUR".to_owned(), 1, value("5.000001")),
        ]
    );
}

#[test]
fn opportunities_shipments_and_complaints_are_counted_as_they_are_now() {
    let deal: OpportunityId = id(1);
    let shipment: ShipmentId = id(1);
    let complaint: ComplaintId = id(1);
    let advanced = OpportunityEvent::OpportunityStageAdvanced {
        from_stage: stage(1, 1_000),
        to_stage: stage(2, 5_000),
        value: money("1000 CNY"),
    };
    let prepared = ShipmentEvent::ShipmentPrepared {
        number: 1,
        order: order(1),
        customer: id(CUSTOMER),
        lines: Vec::new(),
        ship_to: None,
        carrier: None,
        promised_on: None,
    };
    let logged = ComplaintEvent::ComplaintLogged {
        number: 1,
        cycle: 1,
        customer: id(CUSTOMER),
        channel: Channel::Email,
        description: value("late"),
        severity: None,
        order: None,
        product: None,
        contact: None,
    };
    let lost = OpportunityEvent::OpportunityLost {
        stage: stage(1, 1_000),
        value: money("1000 CNY"),
        expected_close_on: value("2026-06-30"),
        lost_reason: value("price"),
        competitor: None,
        note: None,
    };
    let shown = customer()
        .event(deal, opened())
        .event(deal, advanced)
        .event(id::<OpportunityId>(2), opened())
        .event(id::<OpportunityId>(2), lost)
        .event(shipment, prepared)
        .event(complaint, logged)
        .then_in("customerOverview");
    let row = overview(&shown);
    assert_eq!(row.open_opportunity_count, 1);
    assert_eq!(row.lost_opportunity_count, 1);
    assert_eq!(row.pipeline[0].weighted_value, value("500"));
    assert_eq!(row.open_shipment_count, 1);
    assert_eq!((row.complaint_count, row.open_complaint_count), (1, 1));
}

fn events(lines: &[TimelineLine]) -> Vec<&str> {
    lines.iter().map(|line| line.event.as_str()).collect()
}

#[test]
fn the_timeline_runs_by_business_time_and_pages_without_gap() {
    let delivered_at: DateTime = value("2026-02-02T08:00:00Z");
    let shipment: ShipmentId = id(1);
    let prepared = ShipmentEvent::ShipmentPrepared {
        number: 3,
        order: order(1),
        customer: id(CUSTOMER),
        lines: Vec::new(),
        ship_to: None,
        carrier: None,
        promised_on: None,
    };
    let delivered = ShipmentEvent::ShipmentDelivered {
        signed_by: value("Wang"),
        note: None,
        delivered_at,
    };
    let talk: InteractionId = id(1);
    let corrected = InteractionEvent::InteractionCorrected {
        details: said("asked about cheese"),
        corrects: 2,
    };
    let of = id::<CustomerId>(CUSTOMER).to_string();
    let shown = customer()
        .on("2026-02-01")
        .event(talk, interaction("asked about milk"))
        .event(order(1), placed("10 CNY"))
        .event(shipment, prepared)
        .on("2026-02-03")
        .event(talk, corrected)
        .on("2026-02-04")
        .event(shipment, delivered)
        .then_in("customerOverview");
    let page =
        |before: Option<TimelinePlace>, limit: usize| timeline(&shown, &of, before, limit).unwrap();
    let all = page(None, 100);
    assert_eq!(
        events(&all),
        [
            "InteractionCorrected",
            "ShipmentDelivered",
            "ShipmentPrepared",
            "OrderPlaced",
            "InteractionLogged",
            "CustomerRegistered",
        ]
    );
    assert_eq!(all[0].title, "asked about cheese");
    assert_eq!(all[1].occurred_at, delivered_at);
    let mut paged = page(None, 2);
    while let Some(last) = paged.last() {
        let place: TimelinePlace = value(&last.place.to_string());
        let more = page(Some(place), 2);
        if more.is_empty() {
            break;
        }
        paged.extend(more);
    }
    assert_eq!(paged, all);
    let row = overview(&shown);
    assert_eq!(row.interaction_count, 1);
    assert_eq!(row.last_activity_at, Some(value("2026-02-03T09:00:00Z")));
    assert_eq!(row.open_shipment_count, 0);
}

#[test]
fn a_place_that_is_none_is_refused() {
    for text in ["", "1.2", "1.2.3.4", "a.b.c", "1.-2.3"] {
        assert!(text.parse::<TimelinePlace>().is_err(), "`{text}` was read");
    }
}

#[test]
fn an_affair_of_an_unknown_customer_is_parked_whole() {
    let shown = given().event(order(1), placed("10 CNY")).show();
    let parked = shown.parked().unwrap();
    let mut models = parked.iter().map(|hole| hole.read_model.as_str());
    assert!(models.any(|model| model == "customerOverview"));
    assert!(timeline(&shown, "customer", None, 10).unwrap().is_empty());
}
