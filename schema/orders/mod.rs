//! Orders: what customers bought, and how it gets to them (订单, 发货).

mod order;
mod shipment;
mod status;

pub use order::{
    AmendOrder, CancelOrder, CancelOrderLine, ConfirmOrder, ConfirmedLine, HoldOrder, OrderCommand,
    OrderEvent, OrderId, OrderLine, OrderLineDraft, OrderLineId, PlaceOrder, ReleaseOrder,
};
pub use shipment::{
    CancelShipment, DelayShipment, DeliverShipment, DispatchShipment, PrepareShipment,
    PreparedLine, ProofOfDelivery, ReportShipmentDamage, ReportShipmentLost, ShipmentCommand,
    ShipmentEvent, ShipmentId, ShipmentLine,
};
pub use status::{LineProgress, OrderPhase, OrderStatus};
