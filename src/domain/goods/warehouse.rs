//! A place where goods lie. Opened → closed.
//! Invariants: a code belongs to one warehouse, also after it is closed, because documents cite
//! it; nothing comes into a closed warehouse, while what lies there may still leave. A warehouse
//! does not know its stock, so closing it asks nothing of the stock.

use daybook_schema::{
    goods::{OpenWarehouse, WarehouseCommand, WarehouseEvent, WarehouseId},
    kernel::Name,
};

use crate::{
    Aggregate, Declined, Desk,
    governance::natural_key,
    refusal::{CommonRejection, rejection},
};

/// The warehouse's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Warehouse {
    /// There is no such place yet.
    #[default]
    Unopened,
    /// Goods come and go.
    Open {
        /// Its name.
        name: Name,
    },
    /// Goods only go.
    Closed,
}

/// The rule about warehouses.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum WarehouseRejection {
    /// Nothing comes in any more.
    #[error("warehouse `{warehouse}` is closed")]
    WarehouseClosed {
        /// The warehouse.
        warehouse: WarehouseId,
    },
}
rejection!(WarehouseRejection, Self::WarehouseClosed { .. } => ["warehouse"]);

impl Aggregate for Warehouse {
    type Id = WarehouseId;
    type Event = WarehouseEvent;

    fn evolve(self, event: &WarehouseEvent) -> Self {
        match event {
            WarehouseEvent::WarehouseOpened { name, .. }
            | WarehouseEvent::WarehouseRenamed { name } => Self::Open { name: name.clone() },
            WarehouseEvent::WarehouseClosed { .. } => Self::Closed,
        }
    }
}

pub(crate) fn decide(command: WarehouseCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use WarehouseCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Warehouse>(&id)?, command) {
        (Warehouse::Unopened, C::OpenWarehouse(command)) => open(id, command, desk),
        (Warehouse::Unopened, _) => Err(CommonRejection::not_found(&id)),

        (Warehouse::Open { name }, C::RenameWarehouse(command)) => {
            rename(id, name, command.name, desk)
        }
        (Warehouse::Open { .. }, C::CloseWarehouse(command)) => {
            let because = command.because;
            Ok(desk.record(&id, WarehouseEvent::WarehouseClosed { because })?)
        }
        (Warehouse::Open { .. }, C::OpenWarehouse(_)) => Err(CommonRejection::already_exists(&id)),

        (Warehouse::Closed, _) => Err(closed(id)),
    }
}

/// Refuses unless there is such a warehouse, open or closed.
pub(crate) fn require_known(desk: &Desk<'_>, warehouse: WarehouseId) -> Result<(), Declined> {
    match &*desk.load::<Warehouse>(&warehouse)? {
        Warehouse::Unopened => Err(CommonRejection::not_found(&warehouse)),
        Warehouse::Open { .. } | Warehouse::Closed => Ok(()),
    }
}

/// Refuses unless goods may come into the warehouse.
pub(crate) fn require_open(desk: &Desk<'_>, warehouse: WarehouseId) -> Result<(), Declined> {
    match &*desk.load::<Warehouse>(&warehouse)? {
        Warehouse::Unopened => Err(CommonRejection::not_found(&warehouse)),
        Warehouse::Open { .. } => Ok(()),
        Warehouse::Closed => Err(closed(warehouse)),
    }
}

fn closed(warehouse: WarehouseId) -> Declined {
    WarehouseRejection::WarehouseClosed { warehouse }.into()
}

fn open(id: WarehouseId, command: OpenWarehouse, desk: &mut Desk<'_>) -> Result<(), Declined> {
    natural_key::exchange(desk, &id, &[], &command.natural_keys())?;
    let OpenWarehouse {
        code,
        name,
        address,
    } = command;
    let opened = WarehouseEvent::WarehouseOpened {
        code,
        name,
        address,
    };
    Ok(desk.record(&id, opened)?)
}

fn rename(
    id: WarehouseId,
    current: &Name,
    name: Name,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if name == *current {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, WarehouseEvent::WarehouseRenamed { name })?)
}
