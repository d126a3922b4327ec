use daybook_schema::goods::{
    CloseWarehouse, IssueStock, RenameWarehouse, ReserveStock, TransferStock, WarehouseEvent,
    WarehouseId,
};

use crate::spec::{
    given,
    shop::{NORTH, SOUTH, TEA, open_warehouse, receive, shop},
    t, uuid,
};

fn close() -> CloseWarehouse {
    CloseWarehouse {
        warehouse: NORTH,
        because: t("the lease ended"),
    }
}

#[test]
fn a_warehouse_is_opened_under_its_code() {
    let events = given()
        .when(open_warehouse("EAST"))
        .then_types(&["NaturalKeyReserved", "WarehouseOpened"]);
    let opened = WarehouseEvent::WarehouseOpened {
        code: t("EAST"),
        name: t("EAST"),
        address: None,
    };
    assert_eq!(events[1].event, opened.into());
}

#[test]
fn a_warehouse_code_is_unique_whatever_its_case() {
    shop()
        .when(open_warehouse("north"))
        .then_refused("NATURAL_KEY_TAKEN");
}

#[test]
fn a_warehouse_gets_another_name() {
    let rename = |name: &str| RenameWarehouse {
        warehouse: NORTH,
        name: t(name),
    };
    shop().when(rename("Nordlager")).then(&[(
        &NORTH,
        WarehouseEvent::WarehouseRenamed {
            name: t("Nordlager"),
        }
        .into(),
    )]);
    shop()
        .when(rename("NORTH"))
        .then_refused("NOTHING_TO_CHANGE");
}

#[test]
fn a_warehouse_that_does_not_exist_cannot_be_closed() {
    let close = CloseWarehouse {
        warehouse: WarehouseId(uuid(5)),
        because: t("never was"),
    };
    shop().when(close).then_refused("NOT_FOUND");
}

#[test]
fn nothing_comes_into_a_closed_warehouse() {
    shop()
        .done(41, close())
        .when(receive(TEA, "1", "1"))
        .then_refused("WAREHOUSE_CLOSED");
    let transfer = TransferStock {
        product: TEA,
        from: NORTH,
        to: SOUTH,
        quantity: t("1"),
        reference: None,
    };
    let close_south = CloseWarehouse {
        warehouse: SOUTH,
        ..close()
    };
    shop()
        .done(41, receive(TEA, "1", "1"))
        .done(42, close_south)
        .when(transfer)
        .then_refused("WAREHOUSE_CLOSED");
}

#[test]
fn nothing_in_a_closed_warehouse_is_promised() {
    let reserve = ReserveStock {
        product: TEA,
        warehouse: NORTH,
        quantity: t("1"),
        reference: t("trade fair"),
    };
    shop()
        .done(41, receive(TEA, "1", "1"))
        .done(42, close())
        .when(reserve)
        .then_refused("WAREHOUSE_CLOSED");
}

#[test]
fn what_lies_in_a_closed_warehouse_may_still_leave() {
    let closed = || shop().done(41, receive(TEA, "5", "1")).done(42, close());
    let transfer = TransferStock {
        product: TEA,
        from: NORTH,
        to: SOUTH,
        quantity: t("5"),
        reference: None,
    };
    closed()
        .when(transfer)
        .then_types(&["StockTransferredOut", "StockTransferredIn"]);
    let issue = IssueStock {
        product: TEA,
        warehouse: NORTH,
        quantity: t("5"),
        reference: None,
    };
    closed().when(issue).then_types(&["StockIssued"]);
}

#[test]
fn a_closed_warehouse_stays_closed() {
    shop()
        .done(41, close())
        .when(close())
        .then_refused("WAREHOUSE_CLOSED");
}
