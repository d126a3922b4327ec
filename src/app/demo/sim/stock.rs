//! What lies where, as the simulation knows it. Quantities are thousandths of the product's unit.

use daybook_schema::goods::{OpenWarehouse, WarehouseId};
use daybook_schema::kernel::Address;
use uuid::Uuid;

use super::Simulation;
use crate::demo::{
    calendar::Region,
    world::{World, text},
};

/// Code, name, city, country of the warehouses.
const WAREHOUSES: [(&str, &str, &str, &str); 5] = [
    ("SHA", "上海仓", "上海", "CN"),
    ("SZX", "深圳仓", "深圳", "CN"),
    ("CTU", "成都仓", "成都", "CN"),
    ("HAM", "Hamburg", "Hamburg", "DE"),
    ("LGB", "Long Beach", "Long Beach", "US"),
];

/// A shelf: one product in one warehouse.
#[derive(Clone, Copy, Default)]
pub(super) struct Shelf {
    pub(super) on_hand: i64,
    pub(super) reserved: i64,
    /// What is expected to be needed in a week.
    pub(super) weekly: i64,
    /// What was asked for since the last review.
    pub(super) asked: i64,
    /// Whether goods are on their way to it.
    pub(super) awaited: bool,
}

impl Shelf {
    pub(super) fn available(self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// All shelves.
pub(super) struct Stock {
    pub(super) warehouses: Vec<WarehouseId>,
    shelves: Vec<Shelf>,
    /// The depot of the high season and the products in it, while it is open.
    pub(super) depot: Option<(WarehouseId, Vec<usize>)>,
}

impl Stock {
    pub(super) fn new(world: &World) -> Self {
        let goods: usize = world
            .catalogue
            .iter()
            .map(|category| category.items.len())
            .sum();
        Self {
            warehouses: vec![WarehouseId(Uuid::nil()); WAREHOUSES.len()],
            shelves: vec![Shelf::default(); goods * WAREHOUSES.len()],
            depot: None,
        }
    }

    pub(super) fn shelf(&mut self, good: usize, warehouse: usize) -> &mut Shelf {
        &mut self.shelves[good * WAREHOUSES.len() + warehouse]
    }
}

/// The warehouses that serve a region.
pub(super) fn warehouses_of(region: Region) -> std::ops::Range<usize> {
    match region {
        Region::China => 0..3,
        Region::Europe => 3..4,
        Region::America => 4..5,
    }
}

/// The region in which a warehouse stands.
pub(super) fn region_of(warehouse: usize) -> Region {
    match warehouse {
        0..3 => Region::China,
        3 => Region::Europe,
        _ => Region::America,
    }
}

impl Simulation {
    /// Opens the warehouses.
    pub(super) fn open_warehouses(&mut self) {
        for (index, (code, name, city, country)) in WAREHOUSES.into_iter().enumerate() {
            let address = Address {
                street: None,
                city: Some(text(city)),
                region: None,
                postal_code: None,
                country: Some(text(country)),
            };
            let command = OpenWarehouse {
                code: text(code),
                name: text(name),
                address: Some(address),
            };
            let who = self.keeper(index);
            self.stock.warehouses[index] = WarehouseId(self.issue(&who, command));
        }
    }
}
