//! Who works in the company, and in which role they act.

use daybook_schema::kernel::{Actor, Name};

use super::Simulation;
use crate::demo::{calendar::Region, world::text};

/// A person in a role.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) actor: Actor,
    pub(super) role: Name,
}

impl Who {
    fn new(actor: &Actor, role: &str) -> Self {
        let (actor, role) = (actor.clone(), text(role));
        Self { actor, role }
    }

    /// A salesperson by user name.
    pub(super) fn salesperson(actor: &Actor) -> Self {
        Self::new(actor, "salesperson")
    }
}

impl Simulation {
    /// One of the salespeople of a region.
    pub(super) fn rep(&mut self, region: Region) -> Who {
        let sales = &self.world.people.sales;
        let of_region: Vec<_> = sales.iter().filter(|(_, at)| *at == region).collect();
        let (actor, _) = self.chance.pick(&of_region);
        Who::salesperson(actor)
    }

    /// The stock keeper of a warehouse.
    pub(super) fn keeper(&self, warehouse: usize) -> Who {
        let keepers = &self.world.people.stock;
        Who::new(&keepers[warehouse % keepers.len()], "stock keeper")
    }

    /// A service agent who speaks the language of the region.
    pub(super) fn agent(&mut self, region: Region) -> Who {
        let agents = &self.world.people.service;
        let split = agents.len() - 1;
        let agents = if region.is_chinese() {
            &agents[..split]
        } else {
            &agents[split..]
        };
        Who::new(self.chance.pick(agents), "service agent")
    }

    /// The manager of a region.
    pub(super) fn manager(&self, region: Region) -> Who {
        let managers = &self.world.people.managers;
        let index = usize::from(!region.is_chinese());
        Who::new(&managers[index % managers.len()], "manager")
    }

    /// Who buys goods.
    pub(super) fn buyer(&self) -> Who {
        Who::new(&self.world.people.purchasing[0], "purchaser")
    }

    /// Who looks after catalogue and prices.
    pub(super) fn product_manager(&self) -> Who {
        Who::new(&self.world.people.product[0], "product manager")
    }
}
