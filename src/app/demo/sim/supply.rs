//! How goods come in, move between warehouses, are counted and written off.

use daybook_schema::{
    goods::{
        CloseWarehouse, CountStock, IssueStock, OpenWarehouse, ReceiveStock, ReleaseReservation,
        RenameWarehouse, ReserveStock, TransferStock, WarehouseId, WriteOffStock,
    },
    kernel::{Amount, Currency, Name},
};

use super::{
    Simulation,
    cases::Task,
    goods::{WHOLE, price, quantity},
    stock,
};
use crate::demo::{
    calendar::{self, Region},
    world::text,
};

/// Weeks of demand that a shelf holds when goods have just come in.
const FULL_WEEKS: i64 = 7;
/// Weeks of demand below which goods are ordered.
const LOW_WEEKS: i64 = 3;
/// The smallest lot that is worth a delivery.
const SMALLEST_LOT: i64 = 20 * WHOLE;

/// Units that a shelf may need in a week before anything is known.
const WEEKLY_UNITS: u64 = 10;
/// What the depot takes of a product.
const DEPOT_LOT: i64 = 5 * WHOLE;

/// Goods on their way to a shelf.
pub(super) struct Delivery {
    good: usize,
    to: usize,
    quantity: i64,
    /// The warehouse that gives them; none where they come from a supplier.
    from: Option<usize>,
}

impl Simulation {
    /// Fills all shelves for the first time.
    pub(super) fn fill_shelves(&mut self) {
        for good in 0..self.goods.goods.len() {
            for warehouse in 0..self.stock.warehouses.len() {
                let weekly = self.first_guess(warehouse);
                self.stock.shelf(good, warehouse).weekly = weekly;
                let quantity = (weekly * FULL_WEEKS).max(SMALLEST_LOT);
                self.receive(good, warehouse, quantity);
            }
        }
    }

    /// What a shelf may need in a week before anything is known.
    fn first_guess(&mut self, warehouse: usize) -> i64 {
        let share = if warehouse < 2 { 3 } else { 2 };
        let ordinary = share * WEEKLY_UNITS * 1_000_000;
        let scaled = self.chance.around(self.scaled(ordinary));
        i64::try_from(scaled).unwrap_or(0) / WHOLE * WHOLE
    }

    /// Looks through all shelves and orders what runs low.
    pub(super) fn review_stock(&mut self) {
        for good in 0..self.goods.goods.len() {
            for warehouse in 0..self.stock.warehouses.len() {
                let shelf = self.stock.shelf(good, warehouse);
                shelf.weekly = (shelf.weekly * 4 + shelf.asked) / 5;
                shelf.asked = 0;
                let low = shelf.available() < shelf.weekly * LOW_WEEKS;
                if low && !shelf.awaited && self.goods.goods[good].on_sale {
                    self.order_goods(good, warehouse, SMALLEST_LOT);
                }
            }
        }
        let next = calendar::start_of(calendar::later(self.today(), 7).0) + 2 * calendar::HOUR;
        self.agenda.enter(next, Task::StockReview);
    }

    /// Orders goods for a shelf, from a supplier or from another warehouse.
    pub(super) fn order_goods(&mut self, good: usize, to: usize, at_least: i64) {
        let shelf = self.stock.shelf(good, to);
        shelf.awaited = true;
        let wanted = (shelf.weekly * FULL_WEEKS - shelf.available()).max(at_least);
        let quantity = (wanted / WHOLE * WHOLE).max(SMALLEST_LOT);
        let abroad = to >= 3;
        let giver = self.chance.index(2);
        let is_moved = self.chance.permille(if abroad { 600 } else { 150 });
        let from = (is_moved && giver != to).then_some(giver);
        let delivery = Delivery {
            good,
            to,
            quantity,
            from,
        };
        let (low, high) = if abroad { (9, 24) } else { (3, 10) };
        self.plan(Region::China, low, high, Task::Arrival(delivery));
    }

    /// Goods arrive.
    pub(super) fn take_in(&mut self, delivery: Delivery) {
        let Delivery {
            good,
            to,
            quantity,
            from,
        } = delivery;
        self.stock.shelf(good, to).awaited = false;
        let Some(from) = from else {
            return self.receive(good, to, quantity);
        };
        let spare = self.stock.shelf(good, from).available() / 2 / WHOLE * WHOLE;
        let quantity = quantity.min(spare);
        if quantity > 0 {
            self.transfer(good, from, to, quantity);
        } else {
            self.receive(good, to, SMALLEST_LOT);
        }
    }

    fn receive(&mut self, good: usize, warehouse: usize, thousandths: i64) {
        let cost = self.goods.goods[good].cost;
        let paid = cost * self.chance.between(95, 106) / 100;
        let number = self.number;
        let command = ReceiveStock {
            product: self.goods.goods[good].product,
            warehouse: self.stock.warehouses[warehouse],
            quantity: quantity(thousandths),
            unit_cost: Amount::new(price(paid).0, Currency::CNY),
            reference: Some(text(&format!("GRN-{number:06}"))),
        };
        let who = self.keeper(warehouse);
        self.issue(&who, command);
        self.stock.shelf(good, warehouse).on_hand += thousandths;
    }

    fn transfer(&mut self, good: usize, from: usize, to: usize, thousandths: i64) {
        let command = TransferStock {
            product: self.goods.goods[good].product,
            from: self.stock.warehouses[from],
            to: self.stock.warehouses[to],
            quantity: quantity(thousandths),
            reference: Some(text(&format!("TRF-{:06}", self.number))),
        };
        let who = self.keeper(from);
        self.issue(&who, command);
        self.stock.shelf(good, from).on_hand -= thousandths;
        self.stock.shelf(good, to).on_hand += thousandths;
    }

    /// Counts some shelves and writes off what is broken.
    pub(super) fn count_stock(&mut self) {
        for warehouse in 0..self.stock.warehouses.len() {
            for _ in 0..12 {
                let good = self.chance.index(self.goods.goods.len());
                self.count(good, warehouse);
            }
            let good = self.chance.index(self.goods.goods.len());
            self.write_off(good, warehouse);
        }
        let day = calendar::later(self.today(), 30).0;
        let next = calendar::start_of(day) + 9 * calendar::HOUR;
        self.agenda.enter(next, Task::StockCount);
    }

    fn count(&mut self, good: usize, warehouse: usize) {
        let step = self.goods.goods[good].step;
        let differs = self.chance.permille(250);
        let difference = if differs {
            self.chance.between(-3, 2) * step
        } else {
            0
        };
        let shelf = self.stock.shelf(good, warehouse);
        // A count below what is reserved would be refused: the keeper looks again and finds it.
        let counted = (shelf.on_hand + difference).max(shelf.reserved).max(0);
        shelf.on_hand = counted;
        let remark = match stock::region_of(warehouse) {
            Region::China => "复盘后确认差异。",
            Region::Europe | Region::America => "The difference was confirmed by a second count.",
        };
        let command = CountStock {
            product: self.goods.goods[good].product,
            warehouse: self.stock.warehouses[warehouse],
            counted: quantity(counted),
            note: (difference != 0).then(|| text(remark)),
        };
        let who = self.keeper(warehouse);
        self.issue(&who, command);
    }

    fn write_off(&mut self, good: usize, warehouse: usize) {
        let step = self.goods.goods[good].step;
        let broken = self.chance.between(1, 6) * step;
        let because = self.say(
            |world| &world.phrases.write_off,
            stock::region_of(warehouse),
        );
        let shelf = self.stock.shelf(good, warehouse);
        if shelf.available() < broken {
            return;
        }
        shelf.on_hand -= broken;
        let command = WriteOffStock {
            product: self.goods.goods[good].product,
            warehouse: self.stock.warehouses[warehouse],
            quantity: quantity(broken),
            because,
        };
        let who = self.keeper(warehouse);
        self.issue(&who, command);
    }

    /// Samples are kept for a fair; some are handed out, the rest goes back.
    pub(super) fn go_to_fair(&mut self) {
        let reference: Name = text("广交会样品 Canton Fair");
        for _ in 0..8 {
            let good = self.chance.index(self.goods.goods.len());
            let kept = 4 * WHOLE;
            // The last shelf is asked for too much now and then.
            let asked = if self.chance.permille(120) {
                self.stock.shelf(good, 1).available() + kept
            } else {
                kept
            };
            if asked == kept && self.stock.shelf(good, 1).available() < kept {
                continue;
            }
            self.keep_samples(good, asked, &reference);
            if asked == kept {
                self.return_samples(good, kept, &reference);
            }
        }
    }

    fn keep_samples(&mut self, good: usize, thousandths: i64, reference: &Name) {
        let command = ReserveStock {
            product: self.goods.goods[good].product,
            warehouse: self.stock.warehouses[1],
            quantity: quantity(thousandths),
            reference: reference.clone(),
        };
        let who = self.keeper(1);
        self.issue(&who, command);
    }

    fn return_samples(&mut self, good: usize, kept: i64, reference: &Name) {
        let (product, warehouse) = (self.goods.goods[good].product, self.stock.warehouses[1]);
        let who = self.keeper(1);
        let release = ReleaseReservation {
            product,
            warehouse,
            reference: reference.clone(),
            quantity: None,
        };
        self.issue(&who, release);
        let given = kept / 2;
        let issue = IssueStock {
            product,
            warehouse,
            quantity: quantity(given),
            reference: Some(reference.clone()),
        };
        self.issue(&who, issue);
        self.stock.shelf(good, 1).on_hand -= given;
    }

    /// Opens a depot for the high season and moves goods there; brings them back and closes it
    /// where it is open.
    pub(super) fn use_depot(&mut self) {
        if let Some((depot, goods)) = self.stock.depot.take() {
            return self.leave_depot(depot, goods);
        }
        let who = self.keeper(0);
        let open = OpenWarehouse {
            code: text(&format!("NGB-{}", self.today())),
            name: text("宁波临时仓"),
            address: None,
        };
        let depot = WarehouseId(self.issue(&who, open));
        let mut goods = Vec::new();
        for good in (0..self.goods.goods.len()).step_by(4) {
            let shelf = self.stock.shelf(good, 0);
            if shelf.available() >= DEPOT_LOT {
                shelf.on_hand -= DEPOT_LOT;
                goods.push(good);
                self.move_lot(good, self.stock.warehouses[0], depot);
            }
        }
        self.stock.depot = Some((depot, goods));
    }

    fn leave_depot(&mut self, depot: WarehouseId, goods: Vec<usize>) {
        for good in goods {
            self.stock.shelf(good, 0).on_hand += DEPOT_LOT;
            self.move_lot(good, depot, self.stock.warehouses[0]);
        }
        let who = self.keeper(0);
        let close = CloseWarehouse {
            warehouse: depot,
            because: text("旺季结束，临时仓关闭。"),
        };
        self.issue(&who, close);
    }

    fn move_lot(&mut self, good: usize, from: WarehouseId, to: WarehouseId) {
        let who = self.keeper(0);
        let command = TransferStock {
            product: self.goods.goods[good].product,
            from,
            to,
            quantity: quantity(DEPOT_LOT),
            reference: None,
        };
        self.issue(&who, command);
    }

    /// A warehouse moves into new halls.
    pub(super) fn rename_warehouse(&mut self) {
        let who = self.keeper(2);
        let command = RenameWarehouse {
            warehouse: self.stock.warehouses[2],
            name: text("成都天府仓"),
        };
        self.issue(&who, command);
    }
}
