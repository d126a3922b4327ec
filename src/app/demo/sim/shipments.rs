//! Shipments: how the goods of a confirmed order get to the customer, or do not.

use super::{
    Simulation,
    goods::{WHOLE, quantity},
    orders::{OrderCase, OrderStep},
};
use crate::demo::{
    calendar::{self, Region},
    world::text,
};
use daybook_schema::{
    kernel::{Date, Name},
    orders::{
        CancelOrder, CancelShipment, DelayShipment, DeliverShipment, DispatchShipment,
        PrepareShipment, ProofOfDelivery, ReportShipmentDamage, ReportShipmentLost, ShipmentId,
        ShipmentLine,
    },
};

/// How often missing goods are waited for before the customer does without them.
const PATIENCE: u32 = 4;

/// A shipment under way.
pub(super) struct Parcel {
    shipment: ShipmentId,
    /// Which lines of the order, and how much of each.
    lines: Vec<(usize, i64)>,
    promised_on: Date,
    is_delayed: bool,
    is_damaged: bool,
}

fn carriers(region: Region) -> [&'static str; 3] {
    match region {
        Region::China => ["顺丰速运", "德邦物流", "京东物流"],
        Region::Europe => ["Elbe Spedition", "Alpen Cargo", "Kanal Express"],
        Region::America => ["Cascade Freight", "Prairie Lines", "Bay Parcel"],
    }
}

impl Simulation {
    /// Lays all that is open ready, or a part of it.
    pub(super) fn prepare(&mut self, mut case: OrderCase) {
        let open = case.open_lines();
        if open.is_empty() {
            return self.after_order(&case);
        }
        let lines = self.choose_part(open);
        if !self.keep_missing(&mut case, &lines) {
            if case.waited >= PATIENCE {
                return self.cancel_line(case);
            }
            return self.wait_for_goods(case);
        }
        case.waited = 0;
        let parcel = self.send_parcel(&case, &lines);
        for (index, quantity) in &lines {
            case.lines[*index].sent += quantity;
        }
        case.parcel = Some(parcel);
        case.step = OrderStep::Dispatch;
        self.next_order_step(case, 0, 1);
    }

    fn choose_part(&mut self, mut lines: Vec<(usize, i64)>) -> Vec<(usize, i64)> {
        if !self.chance.permille(220) {
            return lines;
        }
        if lines.len() > 1 {
            let index = self.chance.index(lines.len());
            lines.remove(index);
            return lines;
        }
        for (_, quantity) in &mut lines {
            if *quantity > 4 * WHOLE {
                *quantity = *quantity / 2 / WHOLE * WHOLE;
            }
        }
        lines
    }

    /// What was lost is kept again where it is there; says whether all is.
    fn keep_missing(&mut self, case: &mut OrderCase, lines: &[(usize, i64)]) -> bool {
        let missing = |(index, quantity): &(usize, i64)| {
            let line = &case.lines[*index];
            (*index, (quantity - line.reserved).max(0))
        };
        let missing: Vec<_> = lines.iter().map(missing).collect();
        let is_there = missing.iter().all(|(index, quantity)| {
            let good = case.lines[*index].good;
            self.stock.shelf(good, case.warehouse).available() >= *quantity
        });
        if is_there {
            for (index, quantity) in missing {
                let line = &mut case.lines[index];
                line.reserved += quantity;
                self.stock.shelf(line.good, case.warehouse).reserved += quantity;
            }
        }
        is_there
    }

    /// Has a shipment prepared.
    pub(super) fn send_parcel(&mut self, case: &OrderCase, lines: &[(usize, i64)]) -> Parcel {
        let carrier = *self.chance.pick(&carriers(case.region));
        let days = self.chance.between(3, 9);
        let promised_on = self.in_days(days);
        let command = PrepareShipment {
            order: case.order,
            lines: shipment_lines(case, lines),
            carrier: Some(text(carrier)),
            promised_on: Some(promised_on),
        };
        let who = self.keeper(case.warehouse);
        let shipment = ShipmentId(self.follow(case.root(), &who, command));
        Parcel {
            shipment,
            lines: lines.to_vec(),
            promised_on,
            is_delayed: false,
            is_damaged: false,
        }
    }

    /// Hands the shipment to its carrier, or puts it back.
    pub(super) fn dispatch(&mut self, mut case: OrderCase) {
        let Some(parcel) = case.parcel.take() else {
            return;
        };
        let who = self.keeper(case.warehouse);
        let shipment = parcel.shipment;
        if self.chance.permille(25) {
            let because = self.say(|world| &world.phrases.put_back, case.region);
            self.follow(case.root(), &who, CancelShipment { shipment, because });
            for (index, quantity) in parcel.lines {
                case.lines[index].sent -= quantity;
            }
            case.step = OrderStep::Prepare;
            return self.next_order_step(case, 0, 2);
        }
        let tracking_number: Option<Name> = Some(text(&format!("TN{:09}", self.number)));
        let command = DispatchShipment {
            shipment,
            tracking_number,
        };
        self.follow(case.root(), &who, command);
        for (index, quantity) in &parcel.lines {
            let line = &mut case.lines[*index];
            line.reserved -= quantity;
            let shelf = self.stock.shelf(line.good, case.warehouse);
            shelf.on_hand -= quantity;
            shelf.reserved -= quantity;
        }
        self.try_too_late(&case);
        case.parcel = Some(parcel);
        case.step = OrderStep::OnTheWay;
        self.next_order_step(case, 1, 5);
    }

    /// Somebody wants to cancel an order whose goods have left.
    fn try_too_late(&mut self, case: &OrderCase) {
        if self.chance.permille(15) {
            let because = self.say(|world| &world.phrases.cancel, case.region);
            let order = case.order;
            let command = CancelOrder { order, because };
            self.follow(case.root(), &case.rep, command);
        }
    }

    /// What happens to a shipment on its way.
    pub(super) fn on_the_way(&mut self, mut case: OrderCase) {
        let Some(mut parcel) = case.parcel.take() else {
            return;
        };
        if !parcel.is_delayed && self.chance.permille(90) {
            self.delay(&case, &mut parcel);
            case.is_trouble |= self.chance.permille(150);
            case.parcel = Some(parcel);
            return self.next_order_step(case, 2, 6);
        }
        if !parcel.is_damaged && self.chance.permille(30) {
            self.damage(&case, &mut parcel);
            case.is_trouble = true;
            case.parcel = Some(parcel);
            return self.next_order_step(case, 0, 2);
        }
        if self.chance.permille(12) {
            return self.lose(case, parcel);
        }
        self.deliver(case, &parcel);
    }

    fn delay(&mut self, case: &OrderCase, parcel: &mut Parcel) {
        let because = self.say(|world| &world.phrases.delay, case.region);
        let days = self.chance.between(2, 8);
        let from = parcel.promised_on.max(self.in_days(0)).0;
        parcel.promised_on = calendar::later(from, days);
        parcel.is_delayed = true;
        let command = DelayShipment {
            shipment: parcel.shipment,
            new_promised_on: parcel.promised_on,
            because,
        };
        let who = self.keeper(case.warehouse);
        self.follow(case.root(), &who, command);
    }

    fn damage(&mut self, case: &OrderCase, parcel: &mut Parcel) {
        parcel.is_damaged = true;
        let note = self.say(|world| &world.phrases.damage, case.region);
        let (index, sent) = parcel.lines[0];
        let step = self.goods.goods[case.lines[index].good].step;
        let damaged = self.chance.between(1, 4) * step;
        let command = ReportShipmentDamage {
            shipment: parcel.shipment,
            note,
            lines: shipment_lines(case, &[(index, damaged.min(sent))]),
        };
        let who = self.keeper(case.warehouse);
        self.follow(case.root(), &who, command);
    }

    fn lose(&mut self, mut case: OrderCase, parcel: Parcel) {
        let note = self.say(|world| &world.phrases.lost_parcel, case.region);
        let who = self.keeper(case.warehouse);
        let shipment = parcel.shipment;
        self.follow(case.root(), &who, ReportShipmentLost { shipment, note });
        for (index, quantity) in parcel.lines {
            case.lines[index].sent -= quantity;
        }
        case.is_trouble = true;
        case.step = OrderStep::Prepare;
        self.next_order_step(case, 1, 4);
    }

    fn deliver(&mut self, mut case: OrderCase, parcel: &Parcel) {
        let remark = self.say(|world| &world.phrases.damage, case.region);
        let signed_by = self.customers.known[case.customer].contact.clone();
        let command = DeliverShipment {
            shipment: parcel.shipment,
            proof: ProofOfDelivery {
                signed_by,
                note: parcel.is_damaged.then_some(remark),
                delivered_at: None,
            },
        };
        let who = self.keeper(case.warehouse);
        let again = self.chance.permille(10).then(|| command.clone());
        self.follow(case.root(), &who, command);
        if let Some(command) = again {
            // The driver sends the proof once more.
            self.follow(case.root(), &who, command);
        }
        if case.open_lines().is_empty() {
            return self.after_order(&case);
        }
        case.step = OrderStep::Prepare;
        self.next_order_step(case, 0, 4);
    }

    /// The customer has everything, and may be content or not.
    fn after_order(&mut self, case: &OrderCase) {
        let complaints = if case.is_trouble { 550 } else { 25 };
        if self.chance.permille(complaints) {
            let good = case.lines[self.chance.index(case.lines.len())].good;
            self.complain(case.customer, Some((case.order, good)));
        }
    }
}

fn shipment_lines(case: &OrderCase, lines: &[(usize, i64)]) -> Vec<ShipmentLine> {
    let line = |(index, sent): &(usize, i64)| ShipmentLine {
        line: case.lines[*index].line,
        quantity: quantity(*sent),
    };
    lines.iter().map(line).collect()
}
