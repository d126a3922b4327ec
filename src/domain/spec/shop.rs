//! A small shop to tell specs about: two products, two warehouses, a customer and a price list,
//! and the books that a reader would keep of its stock.

use std::collections::BTreeMap;

use daybook_schema::{
    DomainEvent,
    customers::{CustomerDetails, CustomerId, CustomerType, RegisterCustomer},
    goods::{
        ListProduct, OpenPriceList, OpenWarehouse, PriceListId, PriceTier, ProductDetails,
        ProductId, ReceiveStock, SetPrice, StockItemEvent, StockItemId, WarehouseId,
    },
    governance::{FoundOrganisation, OrderRules, PolicyRules, PublishPolicy, StockRules},
    kernel::{Amount, BasisPoints, Currency, Money, Name, Quantity},
    orders::{
        ConfirmOrder, OrderId, OrderLineDraft, OrderLineId, PlaceOrder, PrepareShipment,
        ShipmentId, ShipmentLine,
    },
};
use rust_decimal::Decimal as Exact;
use uuid::Uuid;

use super::{Given, given, t, uuid};
use crate::RecordedEvent;

/// Tea, sold by the piece.
pub(crate) const TEA: ProductId = ProductId(uuid(11));
/// A cup.
pub(crate) const CUP: ProductId = ProductId(uuid(12));
/// The warehouse in the north.
pub(crate) const NORTH: WarehouseId = WarehouseId(uuid(21));
/// The warehouse in the south.
pub(crate) const SOUTH: WarehouseId = WarehouseId(uuid(22));
/// The customer.
pub(crate) const CUSTOMER: CustomerId = CustomerId(uuid(31));
/// The price list, in CNY, with prices for tea: 12.50 from 1, 11 from 10, 10 from 100.
pub(crate) const RETAIL: PriceListId = PriceListId(uuid(32));
/// The tea in the north.
pub(crate) const TEA_NORTH: StockItemId = StockItemId {
    product: TEA,
    warehouse: NORTH,
};

/// A shop that sells what it has and ships what was ordered.
#[track_caller]
pub(crate) fn shop() -> Given {
    shop_with(false, 0)
}

/// A shop with rules of its own.
#[track_caller]
pub(crate) fn shop_with(allow_back_orders: bool, over_delivery: i64) -> Given {
    let stock = StockRules { allow_back_orders };
    let over_delivery = points(over_delivery);
    shop_without_rules()
        .done(2, policy(PolicyRules::Stock(stock)))
        .done(3, policy(PolicyRules::Orders(OrderRules { over_delivery })))
}

/// A shop for which no policy is in force.
#[track_caller]
pub(crate) fn shop_without_rules() -> Given {
    let found = FoundOrganisation {
        keeps_house: false,
        name: t("晨光茶行"),
        currency: Currency::CNY,
    };
    given()
        .done(1, found)
        .done(11, list_product("TEA-1", "Green tea"))
        .done(12, list_product("CUP-1", "Cup"))
        .done(21, open_warehouse("NORTH"))
        .done(22, open_warehouse("SOUTH"))
        .done(31, register_customer("上海晨光贸易有限公司"))
        .done(32, open_price_list("CNY"))
        .done(
            33,
            set_price(&[("1", "12.50"), ("10", "11"), ("100", "10")]),
        )
}

fn policy(rules: PolicyRules) -> PublishPolicy {
    PublishPolicy {
        name: None,
        rules,
        effective_from: t("2020-01-01"),
    }
}

pub(crate) fn product_details(name: &str) -> ProductDetails {
    ProductDetails {
        name: t(name),
        names: Vec::new(),
        description: None,
        category: None,
        unit: t("pcs"),
        labels: Vec::new(),
    }
}

pub(crate) fn list_product(sku: &str, name: &str) -> ListProduct {
    ListProduct {
        sku: t(sku),
        details: product_details(name),
    }
}

pub(crate) fn open_warehouse(code: &str) -> OpenWarehouse {
    OpenWarehouse {
        code: t(code),
        name: t(code),
        address: None,
    }
}

fn register_customer(name: &str) -> RegisterCustomer {
    RegisterCustomer {
        details: CustomerDetails {
            name: t(name),
            customer_type: CustomerType::Company,
            tax_number: None,
            phone: None,
            email: None,
            address: None,
            currency: None,
            language: None,
            external_number: None,
        },
        contacts: Vec::new(),
        owner: None,
    }
}

pub(crate) fn open_price_list(currency: &str) -> OpenPriceList {
    OpenPriceList {
        name: t("Retail"),
        currency: t(currency),
    }
}

pub(crate) fn tiers(tiers: &[(&str, &str)]) -> Vec<PriceTier> {
    let tier = |(min_quantity, unit_price): &(&str, &str)| PriceTier {
        min_quantity: t(min_quantity),
        unit_price: t(unit_price),
    };
    tiers.iter().map(tier).collect()
}

/// The price of tea from the beginning of 2026 on.
pub(crate) fn set_price(prices: &[(&str, &str)]) -> SetPrice {
    SetPrice {
        price_list: RETAIL,
        product: TEA,
        tiers: tiers(prices),
        from: t("2026-01-01"),
        to: None,
    }
}

pub(crate) fn points(points: i64) -> BasisPoints {
    BasisPoints::try_from(points).expect("basis points")
}

pub(crate) fn cny(amount: &str) -> Amount {
    Amount {
        amount: t(amount),
        currency: Currency::CNY,
    }
}

pub(crate) fn yuan(amount: &str) -> Money {
    cny(amount).to_money().expect("an amount of money")
}

/// Goods that come into the north.
pub(crate) fn receive(product: ProductId, quantity: &str, unit_cost: &str) -> ReceiveStock {
    ReceiveStock {
        product,
        warehouse: NORTH,
        quantity: t(quantity),
        unit_cost: cny(unit_cost),
        reference: None,
    }
}

/// A line of tea or cups from the north at ten yuan apiece.
pub(crate) fn draft(product: ProductId, quantity: &str) -> OrderLineDraft {
    OrderLineDraft {
        product,
        quantity: t(quantity),
        warehouse: Some(NORTH),
        price_list: None,
        unit_price: Some(t("10")),
        discount: BasisPoints::ZERO,
    }
}

pub(crate) fn place(lines: Vec<OrderLineDraft>) -> PlaceOrder {
    PlaceOrder {
        customer: CUSTOMER,
        currency: Currency::CNY,
        lines,
        charges: None,
        ship_to: None,
        requested_on: None,
        placed_through: None,
        salesperson: None,
        opportunity: None,
        customer_reference: None,
        external_number: None,
    }
}

/// The order that the command with this id placed.
pub(crate) fn order(command_id: u128) -> OrderId {
    OrderId(uuid(command_id))
}

/// A line of the order that the command with this id placed, counted from 0.
pub(crate) fn line(command_id: u128, index: usize) -> OrderLineId {
    let name = index.to_string();
    OrderLineId(Uuid::new_v5(&uuid(command_id), name.as_bytes()))
}

pub(crate) fn confirm(command_id: u128) -> ConfirmOrder {
    ConfirmOrder {
        order: order(command_id),
        default_warehouse: None,
    }
}

/// The shipment that the command with this id prepared.
pub(crate) fn shipment(command_id: u128) -> ShipmentId {
    ShipmentId(uuid(command_id))
}

/// Lays ready so much of each line of an order, given by the line's index.
pub(crate) fn prepare(order_command_id: u128, lines: &[(usize, &str)]) -> PrepareShipment {
    let part = |(index, quantity): &(usize, &str)| ShipmentLine {
        line: line(order_command_id, *index),
        quantity: t(quantity),
    };
    PrepareShipment {
        order: order(order_command_id),
        lines: lines.iter().map(part).collect(),
        carrier: None,
        promised_on: None,
    }
}

/// What a reader knows of one stock item from its events alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shelf {
    pub(crate) on_hand: Quantity,
    pub(crate) value: Exact,
    pub(crate) reserved: BTreeMap<Name, Quantity>,
}

/// What a reader knows of all stock, and of what came in from and went out to the world.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Books {
    pub(crate) shelves: BTreeMap<String, Shelf>,
    pub(crate) quantity_from_world: Quantity,
    pub(crate) value_from_world: Exact,
}

impl Books {
    /// Takes down what happened.
    pub(crate) fn read(&mut self, events: &[RecordedEvent]) {
        for recorded in events {
            if let DomainEvent::StockItem(event) = &recorded.event {
                self.read_one(&recorded.stream, event);
            }
        }
    }

    fn read_one(&mut self, stream: &str, event: &StockItemEvent) {
        use StockItemEvent as E;
        let shelf = self.shelves.entry(stream.to_owned()).or_default();
        let (quantity, value, with_world) = match event {
            E::StockReceived {
                quantity, value, ..
            } => (*quantity, value.amount.0, true),
            E::StockIssued {
                quantity,
                value,
                reservation,
                ..
            } => {
                if let Some(reference) = reservation {
                    *shelf.reserved.entry(reference.clone()).or_default() -= *quantity;
                }
                (Quantity(-quantity.0), -value.amount.0, true)
            }
            E::StockTransferredOut {
                quantity, value, ..
            } => (Quantity(-quantity.0), -value.amount.0, false),
            E::StockTransferredIn {
                quantity, value, ..
            } => (*quantity, value.amount.0, false),
            E::StockAdjusted { delta, value } => (*delta, value.amount.0, true),
            E::StockWrittenOff {
                quantity, value, ..
            } => (Quantity(-quantity.0), -value.amount.0, true),
            E::StockReserved {
                quantity,
                reference,
            } => {
                *shelf.reserved.entry(reference.clone()).or_default() += *quantity;
                return;
            }
            E::ReservationReleased {
                quantity,
                reference,
            } => {
                *shelf.reserved.entry(reference.clone()).or_default() -= *quantity;
                return;
            }
            E::StockCounted { .. } => return,
        };
        shelf.on_hand += quantity;
        shelf.value += value;
        if with_world {
            self.quantity_from_world += quantity;
            self.value_from_world += value;
        }
    }

    /// What must hold after every commit of a shop without back orders.
    #[track_caller]
    pub(crate) fn assert_conserved(&self) {
        let mut quantity = Quantity::ZERO;
        let mut value = Exact::ZERO;
        for (stream, shelf) in &self.shelves {
            let reserved: Quantity = shelf.reserved.values().copied().sum();
            assert!(shelf.on_hand >= Quantity::ZERO, "{stream}: {shelf:?}");
            assert!(reserved <= shelf.on_hand, "{stream}: {shelf:?}");
            assert!(shelf.value >= Exact::ZERO, "{stream}: {shelf:?}");
            let worthless = shelf.on_hand.is_positive() || shelf.value.is_zero();
            assert!(worthless, "nothing on hand has no value: {shelf:?}");
            quantity += shelf.on_hand;
            value += shelf.value;
        }
        assert_eq!(quantity, self.quantity_from_world);
        assert_eq!(value, self.value_from_world);
    }
}
