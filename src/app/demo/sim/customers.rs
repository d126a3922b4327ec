//! Customers: they come, are graded, change, go, and are talked to.

use daybook_schema::{
    customers::{
        AddContact, AssignCustomerOwner, ChangeCustomerDetails, Channel, ClassifyCustomer,
        ContactId, CorrectCustomerDetails, CorrectInteraction, CustomerDetails, CustomerGrade,
        CustomerId, DeactivateCustomer, Direction, GradeCustomer, InteractionDetails,
        InteractionId, LogInteraction, ReactivateCustomer, RegisterCustomer, RemoveContact,
    },
    kernel::{BigInt, Code, Currency, Name},
};

use super::{Simulation, cases::Task, staff::Who, stock};
use crate::demo::{calendar::Region, names, world::text};

/// How often a customer is drawn before none is found.
const DRAWS: usize = 24;

/// A customer, as the salespeople know it.
pub(super) struct Customer {
    pub(super) customer: CustomerId,
    pub(super) region: Region,
    pub(super) owner: Who,
    pub(super) contact: Name,
    pub(super) currency: Currency,
    pub(super) grade: Option<CustomerGrade>,
    /// How much it buys: 1 little, 2 some, 3 much.
    pub(super) size: i64,
    /// The category that it likes best.
    pub(super) taste: usize,
    pub(super) warehouse: usize,
    pub(super) is_active: bool,
    pub(super) details: CustomerDetails,
    /// The position of the commit that holds the details.
    described_at: u64,
    /// The details that are still to be asked for, of a customer that was a lead.
    missing: Option<CustomerDetails>,
    class: Option<Code>,
    /// A contact that was added later and may be taken off again.
    second: Option<ContactId>,
}

/// All customers, and which of them live where.
#[derive(Default)]
pub(super) struct Customers {
    pub(super) known: Vec<Customer>,
    of_region: [Vec<usize>; 3],
}

fn place_of(region: Region) -> usize {
    match region {
        Region::China => 0,
        Region::Europe => 1,
        Region::America => 2,
    }
}

impl Simulation {
    /// An active customer of a region; large ones come more often.
    pub(super) fn draw_customer(&mut self, region: Region) -> Option<usize> {
        for _ in 0..DRAWS {
            let candidates = &self.customers.of_region[place_of(region)];
            let index = self.chance.index(candidates.len());
            let customer = *candidates.get(index)?;
            let Customer {
                is_active, size, ..
            } = self.customers.known[customer];
            let size = u64::try_from(size).unwrap_or(1);
            if is_active && self.chance.permille(size * size * 110) {
                return Some(customer);
            }
        }
        None
    }

    /// A new customer registers; somebody registers it twice now and then.
    pub(super) fn register(&mut self, region: Region) {
        let world = self.world.clone();
        let number = self.number;
        let details = if self.chance.permille(60) {
            names::private(&mut self.chance, &world, region, number)
        } else {
            names::company(&mut self.chance, &world, region, number)
        };
        let contact = names::contact(&mut self.chance, &world, region, number);
        let owner = self.rep(region);
        let command = RegisterCustomer {
            details: details.clone(),
            contacts: vec![contact.clone()],
            owner: Some(owner.actor.clone()),
        };
        let repeated = self.chance.permille(25).then(|| command.clone());
        let id = CustomerId(self.issue(&owner, command));
        self.know(id, region, owner.clone(), contact.name, details);
        if let Some(command) = repeated {
            self.issue(&owner, command);
        }
    }

    /// Remembers a customer whose registration was the last command.
    pub(super) fn know(
        &mut self,
        customer: CustomerId,
        region: Region,
        owner: Who,
        contact: Name,
        details: CustomerDetails,
    ) -> usize {
        let index = self.customers.known.len();
        let served_by = stock::warehouses_of(region);
        let size = self.chance.weighted(&[0, 55, 30, 15]);
        self.customers.known.push(Customer {
            customer,
            region,
            owner,
            contact,
            currency: names::currency_of(region),
            grade: None,
            size: i64::try_from(size).unwrap_or(1),
            taste: self.chance.index(self.world.catalogue.len()),
            warehouse: served_by.start + self.chance.index(served_by.len()),
            is_active: true,
            details,
            described_at: self.last_position(),
            missing: None,
            class: None,
            second: None,
        });
        self.customers.of_region[place_of(region)].push(index);
        self.plan(region, 1, 6, Task::Welcome(index));
        self.plan(region, 40, 260, Task::Customer(index));
        index
    }

    /// Remembers a customer whose lead told little more than its name.
    pub(super) fn know_thinly(
        &mut self,
        customer: CustomerId,
        region: Region,
        owner: Who,
        contact: Name,
        details: CustomerDetails,
    ) -> usize {
        let thin = names::thin(details.name.clone());
        let index = self.know(customer, region, owner, contact, thin);
        self.customers.known[index].missing = Some(details);
        index
    }

    /// Grades and classifies a new customer, and completes a record that a lead left thin.
    pub(super) fn welcome(&mut self, index: usize) {
        let Customer {
            customer,
            ref owner,
            is_active,
            size,
            ..
        } = self.customers.known[index];
        if !is_active {
            return;
        }
        let owner = owner.clone();
        if let Some(details) = self.customers.known[index].missing.take() {
            self.describe(index, details, None);
        }
        self.grade(index, size);
        if self.chance.permille(850) {
            let classification = self.chance.pick(&self.world.companies.classes).clone();
            self.customers.known[index].class = Some(classification.clone());
            let command = ClassifyCustomer {
                customer,
                classification,
            };
            self.issue(&owner, command);
        }
    }

    fn grade(&mut self, index: usize, size: i64) {
        let grade = match size {
            3.. => CustomerGrade::A,
            2 => CustomerGrade::B,
            _ => CustomerGrade::C,
        };
        let known = &mut self.customers.known[index];
        if known.grade == Some(grade) {
            return;
        }
        (known.grade, known.size) = (Some(grade), size.clamp(1, 3));
        let (customer, owner) = (known.customer, known.owner.clone());
        self.issue(&owner, GradeCustomer { customer, grade });
    }

    fn describe(&mut self, index: usize, details: CustomerDetails, corrects: Option<u64>) {
        let known = &mut self.customers.known[index];
        if known.details == details {
            return;
        }
        known.details = details.clone();
        let (customer, owner) = (known.customer, known.owner.clone());
        match corrects {
            None => self.issue(&owner, ChangeCustomerDetails { customer, details }),
            Some(position) => {
                let corrects = BigInt(position);
                let command = CorrectCustomerDetails {
                    customer,
                    details,
                    corrects,
                };
                self.issue(&owner, command)
            }
        };
        self.customers.known[index].described_at = self.last_position();
    }

    /// The next look at a customer's record.
    pub(super) fn look_after(&mut self, index: usize) {
        let region = self.customers.known[index].region;
        if self.customers.known[index].is_active {
            self.change_record(index);
        } else {
            let known = &mut self.customers.known[index];
            known.is_active = true;
            let (customer, owner) = (known.customer, known.owner.clone());
            self.issue(&owner, ReactivateCustomer { customer });
        }
        self.plan(region, 60, 300, Task::Customer(index));
    }

    fn change_record(&mut self, index: usize) {
        let size = self.customers.known[index].size;
        match self
            .chance
            .weighted(&[200, 120, 150, 60, 120, 200, 45, 105])
        {
            0 => self.add_contact(index),
            1 => self.remove_contact(index),
            2 => self.move_house(index),
            3 => self.correct_record(index),
            4 => self.hand_over(index),
            5 => {
                let size = size + self.chance.between(-1, 1);
                self.grade(index, size);
            }
            6 => self.deactivate(index),
            _ => self.reclassify(index),
        }
    }

    fn add_contact(&mut self, index: usize) {
        let (world, number) = (self.world.clone(), self.number);
        let Customer {
            customer,
            region,
            ref owner,
            ..
        } = self.customers.known[index];
        let owner = owner.clone();
        let contact = names::contact(&mut self.chance, &world, region, number);
        let id = self.issue(&owner, AddContact { customer, contact });
        self.customers.known[index].second = Some(ContactId(id));
    }

    fn remove_contact(&mut self, index: usize) {
        let known = &mut self.customers.known[index];
        let Some(contact) = known.second.take() else {
            return;
        };
        let (customer, owner) = (known.customer, known.owner.clone());
        self.issue(&owner, RemoveContact { customer, contact });
        if self.chance.permille(80) {
            // A colleague takes the same person off once more.
            self.issue(&owner, RemoveContact { customer, contact });
        }
    }

    fn move_house(&mut self, index: usize) {
        let mut details = self.customers.known[index].details.clone();
        let Some(address) = &details.address else {
            return;
        };
        details.address = Some(names::next_door(&mut self.chance, address));
        self.describe(index, details, None);
    }

    fn correct_record(&mut self, index: usize) {
        let number = self.number;
        let known = &self.customers.known[index];
        let mut details = known.details.clone();
        details.email = Some(text(&format!("info@c{number:05}.example")));
        let position = known.described_at;
        self.describe(index, details, Some(position));
    }

    fn hand_over(&mut self, index: usize) {
        let region = self.customers.known[index].region;
        let owner = self.rep(region);
        let manager = self.manager(region);
        let known = &mut self.customers.known[index];
        if known.owner.actor == owner.actor {
            return;
        }
        known.owner = owner.clone();
        let customer = known.customer;
        let owner = owner.actor;
        self.issue(&manager, AssignCustomerOwner { customer, owner });
        let reason = self.say(|world| &world.phrases.hand_over, region);
        self.because(reason);
    }

    fn deactivate(&mut self, index: usize) {
        let region = self.customers.known[index].region;
        let because = self.say(|world| &world.phrases.deactivate, region);
        let known = &mut self.customers.known[index];
        known.is_active = false;
        let (customer, owner) = (known.customer, known.owner.clone());
        self.issue(&owner, DeactivateCustomer { customer, because });
    }

    fn reclassify(&mut self, index: usize) {
        let classification = self.chance.pick(&self.world.companies.classes).clone();
        let known = &mut self.customers.known[index];
        if known.class.as_ref() == Some(&classification) {
            return;
        }
        known.class = Some(classification.clone());
        let (customer, owner) = (known.customer, known.owner.clone());
        let command = ClassifyCustomer {
            customer,
            classification,
        };
        self.issue(&owner, command);
    }

    /// Somebody talks to a customer; what was written down wrongly is put right at once.
    pub(super) fn talk(&mut self, index: usize) {
        let month = self.month();
        let Customer {
            customer,
            region,
            ref owner,
            ref contact,
            taste,
            ..
        } = self.customers.known[index];
        let (owner, contact) = (owner.clone(), contact.clone());
        let good = self.goods.choose(&mut self.chance, taste, month);
        let details = InteractionDetails {
            channel: self.channel(),
            direction: if self.chance.permille(600) {
                Direction::Outbound
            } else {
                Direction::Inbound
            },
            summary: self.say_of(|world| &world.phrases.call, region, good),
            participants: vec![contact, text(owner.actor.as_str())],
        };
        let command = LogInteraction {
            customer,
            details: details.clone(),
        };
        let id = self.issue(&owner, command);
        if self.chance.permille(12) {
            let other = self.goods.choose(&mut self.chance, taste, month);
            let summary = self.say_of(|world| &world.phrases.call, region, other);
            if summary == details.summary {
                return;
            }
            let corrected = CorrectInteraction {
                interaction: InteractionId(id),
                details: InteractionDetails { summary, ..details },
                corrects: BigInt(self.last_position()),
            };
            self.follow(id, &owner, corrected);
        }
    }

    /// A way in which people speak.
    pub(super) fn channel(&mut self) -> Channel {
        *self.chance.pick(&[
            Channel::Phone,
            Channel::Phone,
            Channel::Email,
            Channel::Email,
            Channel::Chat,
            Channel::Chat,
            Channel::Meeting,
            Channel::Web,
            Channel::Letter,
        ])
    }
}
