//! Given events, then rows: orders, shipments, their time line and the sales totals.

#![expect(clippy::unwrap_used, reason = "specs may stop at the first surprise")]

use daybook_schema::{
    customers::{CustomerDetails, CustomerEvent, CustomerId},
    goods::{PriceExplanation, PriceSource, ProductId},
    kernel::{Address, BasisPoints, BigInt, Currency, Money, Quantity},
    orders::{
        ConfirmedLine, OrderEvent, OrderId, OrderLine, OrderLineId, OrderStatus, PreparedLine,
        ShipmentEvent, ShipmentId,
    },
};
use rust_decimal::Decimal as Exact;

use super::{
    OrderRow, OrderStep, SalesDimension, SalesTotalRow, ShipmentRow, ShipmentState, time_line,
};
use crate::{
    goods::spec::{cny, cup, north, shop, tea},
    spec::{History, Shown, customer_details, customer_registered, id, money, value},
    store::{Condition, PageRequest, Row},
};

fn customer() -> CustomerId {
    id(1)
}

fn order() -> OrderId {
    id(41)
}

fn parcel(number: u128) -> ShipmentId {
    id(50 + number)
}

fn line_id(number: u128) -> OrderLineId {
    id(60 + number)
}

fn yuan(fen: i64) -> Money {
    Money::from_minor(fen, Currency::CNY)
}

fn address(country: &str) -> Address {
    Address {
        street: None,
        city: None,
        region: None,
        postal_code: None,
        country: Some(value(country)),
    }
}

fn customers() -> History {
    let registered = CustomerEvent::CustomerRegistered {
        number: 1,
        details: CustomerDetails {
            address: Some(address("China")),
            ..customer_details("上海晨光贸易有限公司")
        },
        owner: value("li.wei"),
    };
    shop().event(customer(), registered).on("2026-03-02")
}

fn line(number: u128, product: ProductId, quantity: &str, net: &str) -> OrderLine {
    let tea = product == tea();
    OrderLine {
        line: line_id(number),
        product,
        sku: value(if tea { "TEA-1" } else { "CUP-1" }),
        name: value(if tea { "Green tea" } else { "Cup" }),
        quantity: value(quantity),
        warehouse: None,
        price: PriceExplanation {
            source: PriceSource::Override,
            price_list: None,
            price_version: None,
            tier_min_quantity: None,
            list_unit_price: None,
            unit_price: value("1"),
            discount: BasisPoints::ZERO,
        },
        net: cny(net),
    }
}

fn sum(lines: &[OrderLine]) -> Exact {
    lines.iter().map(|line| line.net.amount.0).sum()
}

fn placed(lines: Vec<OrderLine>, charges: i64) -> OrderEvent {
    let net = sum(&lines);
    OrderEvent::OrderPlaced {
        number: 7,
        customer: customer(),
        currency: Currency::CNY,
        lines,
        lines_net: daybook_schema::kernel::Amount::new(net, Currency::CNY),
        charges: yuan(charges),
        total: Money::rounded(net + yuan(charges).amount(), Currency::CNY).unwrap(),
        ship_to: None,
        requested_on: Some(value("2026-03-10")),
        placed_through: Some(value("online")),
        salesperson: Some(value("wang.fang")),
        opportunity: None,
        customer_reference: None,
        external_number: Some(value("PO-77")),
    }
}

/// 10 teas and 3 cups for 33.333333 and 6, with freight of 5.
fn ordered() -> History {
    let lines = vec![line(1, tea(), "10", "33.333333"), line(2, cup(), "3", "6")];
    customers().event(order(), placed(lines, 500))
}

fn confirmed() -> OrderEvent {
    let source = |number, reserved: &str| ConfirmedLine {
        line: line_id(number),
        warehouse: north(),
        reserved: value(reserved),
    };
    OrderEvent::OrderConfirmed {
        lines: vec![source(1, "10"), source(2, "3")],
    }
}

fn prepared(carrier: &str) -> ShipmentEvent {
    ShipmentEvent::ShipmentPrepared {
        number: 1,
        order: order(),
        customer: customer(),
        lines: vec![PreparedLine {
            line: line_id(1),
            product: tea(),
            warehouse: north(),
            quantity: value("4"),
        }],
        ship_to: None,
        carrier: Some(value(carrier)),
        promised_on: Some(value("2026-03-08")),
    }
}

/// Four teas are prepared, and sent off on another day.
fn sent() -> History {
    let (line, shipment, quantity) = (line_id(1), parcel(1), value("4"));
    let laid_ready = OrderEvent::OrderLinePrepared {
        line,
        shipment,
        quantity,
        reserved: Quantity::ZERO,
    };
    let shipped = OrderEvent::OrderLineShipped {
        line,
        shipment,
        quantity,
        cost: cny("8.5"),
    };
    let dispatched = ShipmentEvent::ShipmentDispatched {
        tracking_number: Some(value("SF-1")),
    };
    ordered()
        .event(order(), confirmed())
        .commit(vec![
            (order().to_string(), laid_ready.into()),
            (parcel(1).to_string(), prepared("SF").into()),
        ])
        .on("2026-03-12")
        .commit(vec![
            (parcel(1).to_string(), dispatched.into()),
            (order().to_string(), shipped.into()),
        ])
}

fn arrived(at: &str) -> ShipmentEvent {
    ShipmentEvent::ShipmentDelivered {
        signed_by: value("张三"),
        note: None,
        delivered_at: value(at),
    }
}

fn the_order(shown: &Shown) -> OrderRow {
    shown.get(&order().to_string()).unwrap().unwrap()
}

fn totals(shown: &Shown, by: SalesDimension) -> Vec<(Option<String>, u64, String, String)> {
    let all = PageRequest {
        condition: Condition::EVERYTHING,
        order: Vec::new(),
        after: None,
        before: None,
        limit: 100,
        backwards: false,
    };
    let page = shown.page::<SalesTotalRow>(&all).unwrap();
    let rows = page
        .rows
        .iter()
        .map(|(document, _)| document.row().unwrap());
    rows.filter(|row| row.dimension == by)
        .map(|row| {
            let figures = (row.net.to_string(), row.charges.to_string());
            (row.label, row.orders.0, figures.0, figures.1)
        })
        .collect()
}

fn total(
    label: &str,
    orders: u64,
    net: &str,
    charges: &str,
) -> (Option<String>, u64, String, String) {
    (
        Some(label.to_owned()),
        orders,
        net.to_owned(),
        charges.to_owned(),
    )
}

#[test]
fn an_order_shows_its_lines_with_names_and_is_found_by_what_people_remember() {
    let shown = ordered().then();
    let row = the_order(&shown);
    assert_eq!((row.number, row.status), (BigInt(7), OrderStatus::Placed));
    assert_eq!(
        (row.ordered_on, row.total),
        (value("2026-03-02"), yuan(4433))
    );
    assert_eq!(row.lines[0].category, Some(value("Drinks")));
    assert_eq!(
        (row.lines[0].open, row.lines[1].ordered),
        (value("10"), value("3"))
    );
    for typed in ["7", "po-77", "晨光", "CUP", "green"] {
        let hits = shown.search(typed, &[OrderRow::TABLE], 10).unwrap();
        assert_eq!(hits.len(), 1, "`{typed}` finds nothing");
    }
}

#[test]
fn the_status_follows_from_the_lines() {
    let status = |history: History| the_order(&history.then()).status;
    let held = OrderEvent::OrderHeld {
        because: value("unpaid"),
    };
    assert_eq!(
        status(ordered().event(order(), confirmed())),
        OrderStatus::Confirmed
    );
    assert_eq!(status(ordered().event(order(), held)), OrderStatus::OnHold);
    assert_eq!(status(sent()), OrderStatus::PartiallyShipped);
    let delivered = OrderEvent::OrderLineDelivered {
        line: line_id(1),
        shipment: parcel(1),
        quantity: value("4"),
    };
    let some = sent().event(order(), delivered);
    assert_eq!(status(some), OrderStatus::PartiallyDelivered);
}

#[test]
fn a_shipped_line_shows_what_is_left_to_do_and_what_it_cost() {
    let row = the_order(&sent().then());
    let line = &row.lines[0];
    assert_eq!((line.prepared, line.shipped), (value("0"), value("4")));
    assert_eq!((line.open, line.reserved), (value("6"), value("6")));
    assert_eq!(line.warehouse_code, Some(value("NORTH")));
    assert_eq!(
        (line.cost, row.cost),
        (Some(value("8.5")), Some(value("8.5")))
    );
    assert_eq!((row.days_to_ship, row.shipped_late), (Some(10), true));
}

#[test]
fn a_shipment_is_late_by_the_day_that_was_promised_first() {
    let delayed = ShipmentEvent::ShipmentDelayed {
        promised_on: value("2026-03-20"),
        because: value("snow"),
    };
    let damaged = ShipmentEvent::ShipmentDamaged {
        note: value("one box is wet"),
        lines: Vec::new(),
    };
    let shown = sent()
        .event(parcel(1), delayed)
        .event(parcel(1), damaged)
        .on("2026-03-16")
        .event(parcel(1), arrived("2026-03-15T10:00:00Z"))
        .then();
    let row: ShipmentRow = shown.get(&parcel(1).to_string()).unwrap().unwrap();
    assert_eq!(
        (row.state, row.days_late),
        (ShipmentState::Delivered, Some(7))
    );
    assert_eq!(row.promised_on, Some(value("2026-03-20")));
    assert_eq!((row.delays.len(), row.damage.len()), (1, 1));
    assert_eq!(
        (row.order_number, row.lines[0].sku.as_str()),
        (BigInt(7), "TEA-1")
    );
    assert_eq!(
        the_order(&shown).last_delivered_on,
        Some(value("2026-03-15"))
    );
}

#[test]
fn the_time_line_tells_the_steps_of_an_order_and_its_shipments() {
    let shown = sent()
        .on("2026-03-16")
        .event(parcel(1), arrived("2026-03-15T10:00:00Z"))
        .then();
    let steps = time_line(&shown, order(), 100).unwrap();
    let seen: Vec<_> = steps.iter().map(|entry| entry.step).collect();
    assert_eq!(
        seen,
        [
            OrderStep::Placed,
            OrderStep::Confirmed,
            OrderStep::ShipmentPrepared,
            OrderStep::ShipmentDispatched,
            OrderStep::ShipmentDelivered,
        ]
    );
    assert_eq!(steps[4].occurred_at, value("2026-03-15T10:00:00Z"));
    assert_eq!(steps[4].recorded_at, value("2026-03-16T09:00:00Z"));
    assert_eq!(steps[4].shipment_id, Some(parcel(1)));
}

#[test]
fn an_order_counts_in_every_dimension_exactly() {
    let shown = ordered().then();
    let whole = |label: &str| vec![total(label, 1, "39.333333", "5")];
    let by = |dimension| totals(&shown, dimension);
    assert_eq!(by(SalesDimension::Customer), whole("上海晨光贸易有限公司"));
    assert_eq!(by(SalesDimension::Salesperson), whole("wang.fang"));
    assert_eq!(by(SalesDimension::Month), whole("2026-03"));
    assert_eq!(by(SalesDimension::Country), whole("China"));
    assert_eq!(by(SalesDimension::Channel), whole("online"));
    let products = vec![
        total("Green tea", 1, "33.333333", "0"),
        total("Cup", 1, "6", "0"),
    ];
    assert_eq!(by(SalesDimension::Product), products);
    let categories = vec![
        total("Drinks", 1, "33.333333", "0"),
        total("Tableware", 1, "6", "0"),
    ];
    assert_eq!(by(SalesDimension::Category), categories);
    assert_eq!(by(SalesDimension::Carrier)[0].0, None);
}

#[test]
fn what_an_order_does_not_say_counts_as_unknown() {
    let mut other = placed(vec![line(1, tea(), "1", "2")], 0);
    if let OrderEvent::OrderPlaced {
        customer, charges, ..
    } = &mut other
    {
        *customer = id(2);
        *charges = money("0.5 CNY");
    }
    let shown = customer_registered(ordered(), 2, "北京乳业")
        .by("zhao.min")
        .event(id::<OrderId>(42), other)
        .then();
    let unknown = (None, 1, "2".to_owned(), "0.5".to_owned());
    let china = total("China", 1, "39.333333", "5");
    assert_eq!(totals(&shown, SalesDimension::Country), [unknown, china]);
    let everything = (None, 2, "41.333333".to_owned(), "5.5".to_owned());
    assert_eq!(totals(&shown, SalesDimension::All), [everything]);
}

#[test]
fn an_amended_order_counts_as_it_is_now() {
    let lines = vec![line(3, tea(), "1", "2"), line(4, tea(), "1", "2.5")];
    let amended = OrderEvent::OrderAmended {
        lines_net: cny("4.5"),
        lines,
        charges: yuan(100),
        total: yuan(550),
        ship_to: Some(address("Japan")),
        requested_on: None,
        customer_reference: None,
    };
    let shown = ordered().event(order(), amended).then();
    let by = |dimension| totals(&shown, dimension);
    let products = vec![total("Green tea", 1, "4.5", "0"), total("Cup", 0, "0", "0")];
    assert_eq!(by(SalesDimension::Product), products);
    let countries = vec![total("China", 0, "0", "0"), total("Japan", 1, "4.5", "1")];
    assert_eq!(by(SalesDimension::Country), countries);
    assert_eq!(
        by(SalesDimension::Customer),
        [total("上海晨光贸易有限公司", 1, "4.5", "1")]
    );
}

#[test]
fn cancelled_lines_and_orders_leave_the_totals() {
    let line_cancelled = OrderEvent::OrderLineCancelled {
        line: line_id(1),
        quantity: value("4"),
        released: Quantity::ZERO,
        net: cny("20"),
        lines_net: cny("26"),
        total: yuan(3100),
        because: value("too many"),
    };
    let part = ordered().event(order(), line_cancelled);
    let shown = part.then();
    assert_eq!(
        totals(&shown, SalesDimension::Month),
        [total("2026-03", 1, "26", "5")]
    );
    assert_eq!(the_order(&shown).lines[0].open, value("6"));

    let cancelled = OrderEvent::OrderCancelled {
        because: value("no money"),
    };
    let shown = ordered().event(order(), cancelled).then();
    assert_eq!(
        totals(&shown, SalesDimension::Month),
        [total("2026-03", 0, "0", "0")]
    );
    let row = the_order(&shown);
    assert_eq!(
        (row.status, row.total),
        (OrderStatus::Cancelled, yuan(4433))
    );
    assert_eq!(row.lines[0].open, Quantity::ZERO);
}

#[test]
fn charges_count_for_the_carrier_of_the_first_shipment_that_was_not_cancelled() {
    let shown = sent().then();
    assert!(totals(&shown, SalesDimension::Carrier).contains(&total("SF", 1, "39.333333", "5")));

    let put_back = OrderEvent::OrderLinePutBack {
        line: line_id(1),
        shipment: parcel(1),
        quantity: value("4"),
        released: Quantity::ZERO,
    };
    let laid_ready = OrderEvent::OrderLinePrepared {
        line: line_id(1),
        shipment: parcel(1),
        quantity: value("4"),
        reserved: Quantity::ZERO,
    };
    let cancelled = ShipmentEvent::ShipmentCancelled {
        because: value("wrong carrier"),
    };
    let shown = ordered()
        .event(order(), confirmed())
        .event(order(), laid_ready)
        .event(parcel(1), prepared("SF"))
        .event(parcel(2), prepared("EMS"))
        .event(parcel(1), cancelled)
        .event(order(), put_back)
        .then();
    let carriers = totals(&shown, SalesDimension::Carrier);
    assert!(carriers.contains(&total("SF", 0, "0", "0")));
    assert!(carriers.contains(&total("EMS", 1, "39.333333", "5")));
    assert_eq!(the_order(&shown).carrier, Some(value("EMS")));
}

#[test]
fn a_fact_about_a_line_that_is_not_there_parks_the_order_and_leaves_it_as_it_was() {
    let unknown = OrderEvent::OrderLineDelivered {
        line: line_id(9),
        shipment: parcel(1),
        quantity: value("1"),
    };
    let before = the_order(&ordered().then());
    let shown = ordered().event(order(), unknown).show();
    assert_eq!(shown.parked().unwrap()[0].stream, order().to_string());
    assert_eq!(the_order(&shown), before);
}
