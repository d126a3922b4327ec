//! Orders from their placing until they are confirmed, cancelled or handed to the warehouse.

use daybook_schema::{
    goods::PriceListId,
    kernel::{BasisPoints, Date, Decimal, Money},
    orders::{
        AmendOrder, CancelOrder, CancelOrderLine, ConfirmOrder, HoldOrder, OrderId, OrderLineDraft,
        OrderLineId, PlaceOrder, ReleaseOrder,
    },
    pipeline::OpportunityId,
};
use uuid::Uuid;

use super::{
    Simulation,
    cases::Task,
    customers::Customer,
    goods::{WHOLE, price, quantity},
    shipments::Parcel,
    staff::Who,
    stock,
};
use crate::demo::{
    calendar::Region,
    world::{own, text},
};

/// How often the stock is asked for before the customer gives up.
const PATIENCE: u32 = 5;

/// The ways in which orders come.
const WAYS: [&str; 4] = ["direct", "online", "phone", "fair"];

/// An order under way.
pub(super) struct OrderCase {
    pub(super) order: OrderId,
    pub(super) customer: usize,
    pub(super) region: Region,
    pub(super) rep: Who,
    pub(super) warehouse: usize,
    pub(super) lines: Vec<Line>,
    pub(super) parcel: Option<Parcel>,
    pub(super) step: OrderStep,
    /// How often the goods were not there.
    pub(super) waited: u32,
    /// Whether the customer has a reason to complain.
    pub(super) is_trouble: bool,
    is_confirmed: bool,
    is_amended: bool,
    was_held: bool,
}

/// What is to be done next with an order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderStep {
    Confirm,
    Release,
    Prepare,
    Dispatch,
    OnTheWay,
}

/// A line; quantities are thousandths of the product's unit.
pub(super) struct Line {
    pub(super) line: OrderLineId,
    pub(super) good: usize,
    /// Ordered less cancelled.
    pub(super) wanted: i64,
    /// Prepared or shipped, and not lost.
    pub(super) sent: i64,
    /// Kept in the warehouse, what is prepared included.
    pub(super) reserved: i64,
    /// Whether the line names its warehouse.
    is_placed: bool,
}

impl Line {
    pub(super) fn open(&self) -> i64 {
        self.wanted - self.sent
    }
}

impl OrderCase {
    pub(super) fn root(&self) -> Uuid {
        self.order.0
    }

    /// What is still to be sent: which lines, and how much of each.
    pub(super) fn open_lines(&self) -> Vec<(usize, i64)> {
        let lines = self.lines.iter().map(Line::open).enumerate();
        lines.filter(|(_, open)| *open > 0).collect()
    }
}

impl Simulation {
    /// A customer orders; the order may close a deal.
    pub(super) fn place_order(
        &mut self,
        customer: usize,
        opportunity: Option<OpportunityId>,
    ) -> OrderId {
        let (lines, drafts) = self.choose_lines(customer);
        let Customer {
            customer: id,
            region,
            ref owner,
            currency,
            warehouse,
            ..
        } = self.customers.known[customer];
        let rep = owner.clone();
        let way = *self.chance.pick(&WAYS);
        let ship_to = self.customers.known[customer].details.address.clone();
        let command = PlaceOrder {
            customer: id,
            currency,
            lines: drafts,
            charges: self.freight(customer),
            ship_to,
            requested_on: self.requested_on(),
            placed_through: Some(text(way)),
            salesperson: Some(rep.actor.clone()),
            opportunity,
            customer_reference: Some(text(&format!("PO-{:06}", self.number))),
            external_number: (way == "online").then(|| text(&format!("WEB-{:06}", self.number))),
        };
        let order = match opportunity {
            Some(opportunity) => self.follow(opportunity.0, &rep, command),
            None => self.issue(&rep, command),
        };
        let mut case = OrderCase {
            order: OrderId(order),
            customer,
            region,
            rep,
            warehouse,
            lines,
            parcel: None,
            step: OrderStep::Confirm,
            waited: 0,
            is_trouble: false,
            is_confirmed: false,
            is_amended: false,
            was_held: false,
        };
        name_lines(&mut case.lines, order);
        self.next_order_step(case, 0, 2);
        OrderId(order)
    }

    pub(super) fn next_order_step(&mut self, case: OrderCase, low: i64, high: i64) {
        let region = case.region;
        self.plan(region, low, high, Task::Order(Box::new(case)));
    }

    fn freight(&mut self, customer: usize) -> Option<Money> {
        let currency = self.customers.known[customer].currency;
        self.chance
            .permille(350)
            .then(|| Money::from_minor(self.chance.between(10, 90) * 100, currency))
    }

    fn requested_on(&mut self) -> Option<Date> {
        let days = self.chance.between(5, 30);
        self.chance.permille(700).then(|| self.in_days(days))
    }

    fn choose_lines(&mut self, customer: usize) -> (Vec<Line>, Vec<OrderLineDraft>) {
        let Customer {
            taste,
            size,
            warehouse,
            ..
        } = self.customers.known[customer];
        let month = self.month();
        let count = self.chance.between(1, 2 + size);
        let is_placed = self.chance.permille(300);
        let (mut lines, mut drafts) = (Vec::<Line>::new(), Vec::new());
        for _ in 0..count {
            let good = self.goods.choose(&mut self.chance, taste, month);
            let is_there = lines.iter().any(|line| line.good == good);
            if is_there || !self.goods.goods[good].on_sale {
                continue;
            }
            let (line, draft) = self.choose_line(customer, good, warehouse, is_placed);
            lines.push(line);
            drafts.push(draft);
        }
        if lines.is_empty() {
            let good = self.good_on_sale();
            let (line, draft) = self.choose_line(customer, good, warehouse, is_placed);
            lines.push(line);
            drafts.push(draft);
        }
        (lines, drafts)
    }

    fn good_on_sale(&self) -> usize {
        let mut goods = self.goods.goods.iter();
        goods.position(|good| good.on_sale).unwrap_or(0)
    }

    fn choose_line(
        &mut self,
        customer: usize,
        good: usize,
        warehouse: usize,
        is_placed: bool,
    ) -> (Line, OrderLineDraft) {
        let size = self.customers.known[customer].size;
        let step = self.goods.goods[good].step;
        let wanted = self.chance.between(1, 12 * size * size) * step.max(WHOLE / 2);
        let (price_list, unit_price) = self.price_line(customer, good);
        let discount = match (size, self.chance.permille(500)) {
            (3, true) => self.chance.between(1, 8) * 100,
            (2, true) => self.chance.between(0, 3) * 100,
            _ => 0,
        };
        let line = Line {
            line: OrderLineId(Uuid::nil()),
            good,
            wanted,
            sent: 0,
            reserved: 0,
            is_placed,
        };
        let draft = OrderLineDraft {
            product: self.goods.goods[good].product,
            quantity: quantity(wanted),
            warehouse: is_placed.then(|| self.stock.warehouses[warehouse]),
            price_list: Some(price_list),
            unit_price,
            discount: own(BasisPoints::try_from(discount)),
        };
        (line, draft)
    }

    /// The list of a line, and now and then a price that was agreed on.
    fn price_line(&mut self, customer: usize, good: usize) -> (PriceListId, Option<Decimal>) {
        let Customer { currency, size, .. } = self.customers.known[customer];
        let promotion = self.goods.promotion.as_ref();
        let promoted = promotion.filter(|list| {
            let in_time = list.holds_on(good, self.in_days(0));
            in_time && list.currency == currency
        });
        let list = promoted.unwrap_or_else(|| self.list_for(currency, size > 1));
        let (list, agreed) = (list.list, list.unit_price(&self.goods.goods[good]));
        let share = self.chance.between(85, 98);
        let unit_price = self
            .chance
            .permille(60)
            .then(|| price(agreed * share / 100));
        (list, unit_price)
    }

    /// The next step with an order.
    pub(super) fn order(&mut self, mut case: OrderCase) {
        match case.step {
            OrderStep::Confirm => self.try_to_confirm(case),
            OrderStep::Release => {
                let order = case.order;
                self.follow(case.root(), &case.rep, ReleaseOrder { order });
                case.step = if case.is_confirmed {
                    OrderStep::Prepare
                } else {
                    OrderStep::Confirm
                };
                self.next_order_step(case, 0, 2);
            }
            OrderStep::Prepare => self.change_or_prepare(case),
            OrderStep::Dispatch => self.dispatch(case),
            OrderStep::OnTheWay => self.on_the_way(case),
        }
    }

    fn try_to_confirm(&mut self, mut case: OrderCase) {
        let first = case.waited == 0;
        if first && !case.is_amended && self.chance.permille(70) {
            return self.amend(case);
        }
        if first && !case.was_held && self.chance.permille(25) {
            return self.hold(case);
        }
        if first && self.chance.permille(15) {
            return self.cancel(&case);
        }
        for line in &case.lines {
            let (good, wanted) = (line.good, line.wanted);
            if case.waited == 0 {
                self.stock.shelf(good, case.warehouse).asked += wanted;
            }
        }
        if let Some(warehouse) = self.warehouse_with(&case) {
            case.warehouse = warehouse;
            return self.confirm(case);
        }
        if case.waited >= PATIENCE {
            return self.cancel(&case);
        }
        self.wait_for_goods(case);
    }

    /// A warehouse that has all of an order; none where the lines name another.
    fn warehouse_with(&mut self, case: &OrderCase) -> Option<usize> {
        let is_placed = case.lines.iter().any(|line| line.is_placed);
        let mut candidates = vec![case.warehouse];
        if !is_placed {
            candidates.extend(stock::warehouses_of(case.region));
        }
        candidates.into_iter().find(|warehouse| {
            let mut lines = case.lines.iter();
            lines.all(|line| self.stock.shelf(line.good, *warehouse).available() >= line.wanted)
        })
    }

    fn confirm(&mut self, mut case: OrderCase) {
        self.send_confirmation(&case);
        for line in &mut case.lines {
            line.reserved = line.wanted;
            self.stock.shelf(line.good, case.warehouse).reserved += line.wanted;
        }
        case.is_confirmed = true;
        case.waited = 0;
        case.step = OrderStep::Prepare;
        self.next_order_step(case, 0, 3);
    }

    fn send_confirmation(&mut self, case: &OrderCase) {
        let command = ConfirmOrder {
            order: case.order,
            default_warehouse: Some(self.stock.warehouses[case.warehouse]),
        };
        self.follow(case.root(), &case.rep, command);
    }

    /// The goods are not there: they are ordered, and somebody may try all the same.
    pub(super) fn wait_for_goods(&mut self, mut case: OrderCase) {
        if !case.is_confirmed && case.waited == 0 && self.chance.permille(350) {
            self.send_confirmation(&case);
        }
        for line in &case.lines {
            let shelf = *self.stock.shelf(line.good, case.warehouse);
            if shelf.available() < line.wanted && !shelf.awaited {
                self.order_goods(line.good, case.warehouse, line.wanted * 2);
            }
        }
        case.waited += 1;
        self.next_order_step(case, 3, 9);
    }

    fn amend(&mut self, mut case: OrderCase) {
        let (lines, drafts) = self.choose_lines(case.customer);
        let command = AmendOrder {
            order: case.order,
            lines: drafts,
            charges: self.freight(case.customer),
            ship_to: self.customers.known[case.customer].details.address.clone(),
            requested_on: self.requested_on(),
            customer_reference: None,
        };
        let id = self.follow(case.root(), &case.rep, command);
        case.lines = lines;
        name_lines(&mut case.lines, id);
        case.warehouse = self.customers.known[case.customer].warehouse;
        case.is_amended = true;
        self.next_order_step(case, 0, 2);
    }

    fn hold(&mut self, mut case: OrderCase) {
        let because = self.say(|world| &world.phrases.hold, case.region);
        let order = case.order;
        self.follow(case.root(), &case.rep, HoldOrder { order, because });
        case.was_held = true;
        if case.is_confirmed && self.chance.permille(120) {
            // The warehouse has not heard of it yet.
            self.send_parcel(&case, &case.open_lines());
        }
        case.step = OrderStep::Release;
        self.next_order_step(case, 2, 8);
    }

    fn cancel(&mut self, case: &OrderCase) {
        let because = self.say(|world| &world.phrases.cancel, case.region);
        let order = case.order;
        self.follow(case.root(), &case.rep, CancelOrder { order, because });
        for line in &case.lines {
            self.stock.shelf(line.good, case.warehouse).reserved -= line.reserved;
        }
    }

    fn change_or_prepare(&mut self, case: OrderCase) {
        let untouched = case.lines.iter().all(|line| line.sent == 0);
        if untouched && !case.was_held && self.chance.permille(30) {
            return self.hold(case);
        }
        if untouched && self.chance.permille(12) {
            return self.cancel(&case);
        }
        if self.chance.permille(35) {
            return self.cancel_line(case);
        }
        self.prepare(case);
    }

    /// The customer does without a line, or without a part of it.
    pub(super) fn cancel_line(&mut self, mut case: OrderCase) {
        let index = self.chance.index(case.lines.len());
        let open = case.lines[index].open();
        if open <= 0 {
            return self.prepare(case);
        }
        let all = open < 4 * WHOLE || self.chance.permille(500);
        let cancelled = if all { open } else { open / 2 / WHOLE * WHOLE };
        let because = self.say(|world| &world.phrases.cancel, case.region);
        let command = CancelOrderLine {
            order: case.order,
            line: case.lines[index].line,
            quantity: (!all).then(|| quantity(cancelled)),
            because,
        };
        self.follow(case.root(), &case.rep, command);
        let line = &mut case.lines[index];
        line.wanted -= cancelled;
        let released = (line.reserved - line.open()).max(0);
        line.reserved -= released;
        self.stock.shelf(line.good, case.warehouse).reserved -= released;
        if case.lines.iter().any(|line| line.open() > 0) {
            case.step = OrderStep::Prepare;
            self.next_order_step(case, 0, 2);
        }
    }
}

/// Lines get their ids from the command that brought them.
fn name_lines(lines: &mut [Line], command: Uuid) {
    for (index, line) in lines.iter_mut().enumerate() {
        line.line = OrderLineId(Uuid::new_v5(&command, index.to_string().as_bytes()));
    }
}
