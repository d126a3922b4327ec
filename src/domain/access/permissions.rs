//! What each role may do and see: one table for commands, one for kinds of objects.
//!
//! The tables are code and not policies of a general engine, because three things have to follow
//! from them that such an engine does not give: a predicate in SQL for lists and sums, a list of
//! everything that is permitted, and a build or test that fails where a new command or kind has no
//! rule. What is not in a table is denied.

use daybook_schema::access::Role;
use daybook_schema::access::Role::{
    Administrator, Analyst, Auditor, Delivery, HumanResources, Integrator, Leader, Manager,
    Operator, QualityMeasurer, SalesManager, Salesperson, ServiceAgent, StockKeeper,
};

/// Who may issue a command.
#[derive(Clone, Copy, Debug)]
pub struct CommandRule {
    /// The command's name.
    pub command: &'static str,
    /// The roles that may, each within the scope of its grant.
    pub roles: &'static [Role],
    /// Whether anybody may where it is about their own account.
    pub themselves: bool,
}

/// Fields that not everybody sees who sees the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display)]
#[strum(serialize_all = "camelCase")]
pub enum FieldClass {
    /// How to reach a person, and what is known of them.
    Personal,
    /// What goods cost us, and what is earned by them.
    Cost,
}

impl FieldClass {
    /// All classes.
    pub const ALL: [Self; 2] = [Self::Personal, Self::Cost];
}

/// Who may see objects of a kind.
#[derive(Clone, Copy, Debug)]
pub struct KindRule {
    /// The prefix of the objects' ids.
    pub kind: &'static str,
    /// The roles that may, each within the scope of its grant.
    pub roles: &'static [Role],
    /// Those of them that do not see what is personal.
    pub without_personal: &'static [Role],
    /// Those of them that do not see costs.
    pub without_cost: &'static [Role],
}

impl KindRule {
    /// Whether a role sees objects of the kind, with the fields of a class where one is given.
    pub fn shows(&self, role: Role, class: Option<FieldClass>) -> bool {
        let hidden_from = match class {
            None => &[][..],
            Some(FieldClass::Personal) => self.without_personal,
            Some(FieldClass::Cost) => self.without_cost,
        };
        self.roles.contains(&role) && !hidden_from.contains(&role)
    }
}

/// The kinds of objects that are in somebody's hands; a grant reaches them by its scope. All other
/// kinds belong to nobody in particular.
const HELD: &[&str] = &[
    "customer",
    "interaction",
    "lead",
    "opportunity",
    "complaint",
    "order",
    "shipment",
];

/// Whether objects of a kind are in somebody's hands.
pub fn is_held(kind: &str) -> bool {
    HELD.contains(&kind)
}

const NOBODY: &[Role] = &[];
const ADMINISTRATION: &[Role] = &[Administrator];
const STAFF: &[Role] = &[Administrator, HumanResources];
const RULES: &[Role] = &[Administrator, Leader];
const ASSIGNING: &[Role] = &[Leader, Manager, SalesManager];
const SELLING: &[Role] = &[Manager, SalesManager, Salesperson];
const SALES_LEADING: &[Role] = &[Manager, SalesManager];
const CUSTOMER_FACING: &[Role] = &[Manager, SalesManager, Salesperson, ServiceAgent];
const SERVING: &[Role] = &[Manager, ServiceAgent];
const APPROVING: &[Role] = &[Leader, Manager, SalesManager];
const KEEPING: &[Role] = &[Manager, StockKeeper];
const PRICING: &[Role] = &[Leader, Manager, SalesManager];
const OPERATING: &[Role] = &[Operator];
const CARRYING: &[Role] = &[Manager, StockKeeper, Delivery];

const fn only(roles: &'static [Role]) -> (&'static [Role], bool) {
    (roles, false)
}

const fn themselves_or(roles: &'static [Role]) -> (&'static [Role], bool) {
    (roles, true)
}

macro_rules! commands {
    ($($who:expr => $($command:ident)+;)+) => {
        /// The rule of every command.
        pub const COMMANDS: &[CommandRule] = &[
            $($(CommandRule {
                command: stringify!($command),
                roles: $who.0,
                themselves: $who.1,
            },)+)+
        ];
    };
}

commands! {
    // The process itself issues these, and nobody else.
    only(NOBODY) => FoundOrganisation OpenSession ConcludeTenantTask;
    only(RULES) => PublishPolicy;

    only(OPERATING) => CreateTenant SuspendTenant ReinstateTenant ExportTenant RestoreTenant
        EraseTenant;

    only(STAFF) => InviteUser SuspendAccount ReinstateAccount AssignTeam LinkIdentity UnlinkIdentity
        FormTeam RenameTeam MoveTeam DissolveTeam;
    themselves_or(STAFF) => ChangeAccountDetails;
    only(ADMINISTRATION) => EraseSubject RegisterServiceAccount GrantRole RevokeRole;
    themselves_or(ADMINISTRATION) => EndDelegation IssueApiKey RotateApiKey RevokeApiKey
        EndSession;
    themselves_or(NOBODY) => SetPassword DelegateAuthority;

    only(CUSTOMER_FACING) => ChangeCustomerDetails AddContact ChangeContact RemoveContact
        LogInteraction CorrectInteraction;
    only(SELLING) => RegisterCustomer ClassifyCustomer;
    only(SALES_LEADING) => CorrectCustomerDetails GradeCustomer DeactivateCustomer
        ReactivateCustomer;
    only(ASSIGNING) => AssignCustomerOwner AssignCustomerTerritory AssignLead AssignLeadTerritory
        AssignOpportunityOwner;

    only(SELLING) => CaptureLead LogLeadFollowUp QualifyLead DisqualifyLead RecycleLead ConvertLead
        OpenOpportunity RecordExitCriterion AdvanceOpportunityStage RegressOpportunityStage
        ChangeOpportunityValue MoveOpportunityCloseDate AddOpportunityCompetitor
        NoteOpportunityInsight WinOpportunity LoseOpportunity;
    only(SALES_LEADING) => ReopenOpportunity;

    only(CUSTOMER_FACING) => LogComplaint;
    only(SERVING) => AcknowledgeComplaint ClassifyComplaint ProposeRemedy AcceptRemedy
        ResolveComplaint CloseComplaint ReopenComplaint EscalateComplaint;
    only(APPROVING) => ApproveRemedy RejectRemedy;

    only(KEEPING) => OpenWarehouse RenameWarehouse CloseWarehouse ListProduct ChangeProductDetails
        RetireProduct ReinstateProduct ReceiveStock IssueStock TransferStock ReserveStock
        ReleaseReservation CountStock WriteOffStock;
    only(PRICING) => OpenPriceList ClosePriceList SetPrice EndPrice;

    only(SELLING) => PlaceOrder AmendOrder ConfirmOrder CancelOrder CancelOrderLine HoldOrder
        ReleaseOrder;
    only(KEEPING) => PrepareShipment CancelShipment;
    only(CARRYING) => DispatchShipment DelayShipment DeliverShipment ReportShipmentDamage
        ReportShipmentLost;
}

/// The rule of a command; none means that nobody may issue it.
pub fn command_rule(command: &str) -> Option<&'static CommandRule> {
    COMMANDS.iter().find(|rule| rule.command == command)
}

const EVERYBODY: &[Role] = Role::ALL;
const BUSINESS: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    StockKeeper,
    Delivery,
    Analyst,
    QualityMeasurer,
    Auditor,
    Integrator,
];
const SALES: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    Analyst,
    Auditor,
    Integrator,
];
const CUSTOMERS: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    Analyst,
    QualityMeasurer,
    Auditor,
    Integrator,
];
const ORDERS: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    StockKeeper,
    Analyst,
    QualityMeasurer,
    Auditor,
    Integrator,
];
const TENANTS: &[Role] = &[Administrator, Auditor, Operator];
const KEYS: &[Role] = &[Administrator, HumanResources, Auditor];
/// Who sees figures and not persons.
const IMPERSONAL: &[Role] = &[Analyst, QualityMeasurer, Integrator];
/// Who sells, carries or serves without knowing what goods cost us.
const COSTLESS: &[Role] = &[
    Salesperson,
    ServiceAgent,
    Delivery,
    HumanResources,
    QualityMeasurer,
    Integrator,
];

macro_rules! kinds {
    ($($kind:literal: $roles:ident $(, personal hidden from $personal:ident)?
        $(, cost hidden from $cost:ident)?;)+) => {
        /// The rule of every kind of objects.
        pub const KINDS: &[KindRule] = &[
            $(KindRule {
                kind: $kind,
                roles: $roles,
                without_personal: kinds!(@ $($personal)?),
                without_cost: kinds!(@ $($cost)?),
            },)+
        ];
    };
    (@ $roles:ident) => { $roles };
    (@) => { NOBODY };
}

kinds! {
    "organisation": EVERYBODY;
    "policy": EVERYBODY;
    "tenant": TENANTS;
    "account": EVERYBODY, personal hidden from IMPERSONAL;
    "team": EVERYBODY;
    "apiKey": KEYS;
    "session": KEYS;
    "customer": CUSTOMERS, personal hidden from IMPERSONAL;
    "interaction": CUSTOMERS, personal hidden from IMPERSONAL;
    "lead": SALES, personal hidden from IMPERSONAL;
    "opportunity": SALES, personal hidden from IMPERSONAL;
    "complaint": CUSTOMERS, personal hidden from IMPERSONAL;
    "warehouse": BUSINESS;
    "product": BUSINESS;
    "priceList": BUSINESS;
    "price": BUSINESS;
    "stockItem": BUSINESS, cost hidden from COSTLESS;
    "order": ORDERS, personal hidden from IMPERSONAL, cost hidden from COSTLESS;
    "shipment": BUSINESS, personal hidden from IMPERSONAL, cost hidden from COSTLESS;
}

/// The rule of a kind of objects; none means that nobody sees them.
pub fn kind_rule(kind: &str) -> Option<&'static KindRule> {
    KINDS.iter().find(|rule| rule.kind == kind)
}

/// Who may ask a question of the query root that is not one object or a list of one kind; an
/// answer holds only what the asker sees.
#[derive(Clone, Copy, Debug)]
pub struct QueryRule {
    /// The field of the query or subscription root.
    pub query: &'static str,
    /// The roles that may ask.
    pub roles: &'static [Role],
}

/// Who reads objects and reports. An integrator follows the record and asks for nothing else.
const READERS: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    StockKeeper,
    Delivery,
    Analyst,
    HumanResources,
    QualityMeasurer,
    Auditor,
    Operator,
];
const SALES_FIGURES: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    Analyst,
    Auditor,
];
const GOODS_FIGURES: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    StockKeeper,
    Delivery,
    Analyst,
    QualityMeasurer,
    Auditor,
];
const COMPLAINT_FIGURES: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    ServiceAgent,
    Analyst,
    QualityMeasurer,
    Auditor,
];
const ORDER_FIGURES: &[Role] = &[
    Administrator,
    Leader,
    Manager,
    SalesManager,
    Salesperson,
    ServiceAgent,
    StockKeeper,
    Analyst,
    QualityMeasurer,
    Auditor,
];

macro_rules! queries {
    ($($query:literal: $roles:ident;)+) => {
        /// The rule of every question.
        pub const QUERIES: &[QueryRule] = &[
            $(QueryRule { query: $query, roles: $roles },)+
        ];
    };
}

queries! {
    "me": EVERYBODY;
    "subjectExport": ADMINISTRATION;
    "status": EVERYBODY;
    "commits": EVERYBODY;
    "history": EVERYBODY;
    "node": READERS;
    "nodes": READERS;
    "search": READERS;
    "pipelineBoard": SALES_FIGURES;
    "pipelineFunnel": SALES_FIGURES;
    "pipelineOutcomes": SALES_FIGURES;
    "salesTotals": SALES_FIGURES;
    "orderTracking": ORDER_FIGURES;
    "priceQuote": GOODS_FIGURES;
    "stockLedger": GOODS_FIGURES;
    "stockByWarehouse": GOODS_FIGURES;
    "stockByProduct": GOODS_FIGURES;
    "complaintPatterns": COMPLAINT_FIGURES;
}

/// Whether a role may ask a question that is not about one kind of objects; none where there is no
/// such question.
pub fn query_rule(query: &str) -> Option<&'static QueryRule> {
    QUERIES.iter().find(|rule| rule.query == query)
}

/// Whether a role may ask for one object or a list of a kind.
pub fn may_list(role: Role, kind: &str) -> bool {
    READERS.contains(&role) && kind_rule(kind).is_some_and(|rule| rule.shows(role, None))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use daybook_schema::{Command, CommandVisitor, DomainCommand, DomainEvent};

    use super::{COMMANDS, HELD, KINDS, command_rule, kind_rule};

    #[test]
    fn every_command_has_exactly_one_rule() {
        struct Names(BTreeSet<&'static str>);
        impl CommandVisitor for Names {
            fn command<C: Command>(&mut self) {
                self.0.insert(C::NAME);
            }
        }
        let mut names = Names(BTreeSet::new());
        DomainCommand::visit(&mut names);
        let ruled: BTreeSet<_> = COMMANDS.iter().map(|rule| rule.command).collect();
        assert_eq!(ruled, names.0);
        assert_eq!(ruled.len(), COMMANDS.len(), "a command has two rules");
        assert!(command_rule("Unheard").is_none());
    }

    #[test]
    fn every_kind_of_objects_has_exactly_one_rule() {
        // What serves other objects is shown by nobody's query.
        let inner = ["naturalKey", "numberSeries", "erasure"];
        let prefixes: BTreeSet<_> = DomainEvent::catalogue()
            .iter()
            .map(|family| family.prefix)
            .filter(|prefix| !inner.contains(prefix))
            .collect();
        let ruled: BTreeSet<_> = KINDS.iter().map(|rule| rule.kind).collect();
        assert_eq!(ruled, prefixes);
        assert_eq!(ruled.len(), KINDS.len(), "a kind has two rules");
        assert!(HELD.iter().all(|kind| kind_rule(kind).is_some()));
    }
}
