use daybook_schema::orders::{LineProgress, OrderPhase, OrderStatus};

use crate::spec::t;

/// Ordered, cancelled, shipped, delivered.
fn progress([ordered, cancelled, shipped, delivered]: [&str; 4]) -> LineProgress {
    LineProgress {
        ordered: t(ordered),
        cancelled: t(cancelled),
        shipped: t(shipped),
        delivered: t(delivered),
    }
}

#[track_caller]
fn confirmed(lines: &[[&str; 4]], expected: OrderStatus) {
    let lines = lines.iter().copied().map(progress);
    assert_eq!(OrderStatus::derive(OrderPhase::Confirmed, lines), expected);
}

#[test]
fn the_status_of_a_confirmed_order_follows_from_its_lines() {
    let untouched = ["10", "0", "0", "0"];
    let shipped = ["10", "0", "10", "0"];
    let delivered = ["10", "0", "10", "10"];
    confirmed(&[untouched, untouched], OrderStatus::Confirmed);
    confirmed(&[untouched, shipped], OrderStatus::PartiallyShipped);
    confirmed(&[["10", "0", "9", "0"]], OrderStatus::PartiallyShipped);
    confirmed(&[shipped, shipped], OrderStatus::Shipped);
    confirmed(&[shipped, delivered], OrderStatus::PartiallyDelivered);
    confirmed(&[untouched, delivered], OrderStatus::PartiallyDelivered);
    confirmed(&[delivered, delivered], OrderStatus::Delivered);
}

#[test]
fn what_is_cancelled_is_not_waited_for() {
    let cancelled = ["10", "10", "0", "0"];
    confirmed(&[cancelled, ["10", "4", "6", "0"]], OrderStatus::Shipped);
    confirmed(&[cancelled, ["10", "4", "6", "6"]], OrderStatus::Delivered);
}

#[test]
fn a_phase_that_is_no_confirmation_speaks_for_the_whole_order() {
    let lines = [progress(["10", "0", "10", "10"])];
    for (phase, status) in [
        (OrderPhase::Placed, OrderStatus::Placed),
        (OrderPhase::OnHold, OrderStatus::OnHold),
        (OrderPhase::Cancelled, OrderStatus::Cancelled),
    ] {
        assert_eq!(OrderStatus::derive(phase, lines), status);
    }
}
