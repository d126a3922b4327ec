//! A customer's complaint. Logged → Classified → RemedyProposed → RemedyApproved → Resolved →
//! Closed; reopened, it begins a new cycle. Acknowledgement and escalation stand beside that line.
//! Invariants: no remedy without a classification; nothing is resolved without an acknowledgement,
//! an approved remedy and the customer's notice; a remedy beyond the rules is approved by somebody
//! other than its proposer.

use daybook_schema::{
    governance::{ComplaintRules, NumberSeriesId},
    kernel::{Actor, Code, Date, Money},
    service::{
        AcknowledgeComplaint, ClassifyComplaint, ComplaintCommand, ComplaintEvent, ComplaintId,
        ComplaintPhase, EscalateComplaint, LogComplaint, ProposeRemedy, RejectRemedy, RemedyKind,
        ReopenComplaint, ResolveComplaint, Severity,
    },
};

use crate::{
    Aggregate, Declined, Desk,
    customers::customer,
    goods::product,
    governance::{number_series, policy},
    orders::order,
    refusal::{CommonRejection, rejection},
};

/// The complaint's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Complaint {
    /// Nothing is on record.
    #[default]
    Unlogged,
    /// We deal with it.
    Open(Case),
    /// The customer knows the outcome.
    Resolved {
        /// The cycle that was resolved.
        cycle: u32,
    },
    /// Done with.
    Closed {
        /// The cycle that was closed.
        cycle: u32,
    },
}

/// One cycle of dealing with a complaint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Case {
    cycle: u32,
    acknowledged: bool,
    escalated_to: Option<Actor>,
    step: Step,
}

/// How far a cycle has come.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Logged,
    Classified(Classification, Remedy),
}

#[derive(Clone, Debug, PartialEq)]
struct Classification {
    category: Code,
    cause: Option<Code>,
    severity: Severity,
}

/// The latest proposal of a cycle.
#[derive(Clone, Debug, PartialEq)]
enum Remedy {
    Missing,
    Proposed { proposal: u32, proposer: Actor },
    Rejected { proposal: u32 },
    Approved { proposal: u32 },
    Accepted { proposal: u32 },
}

/// The rules about complaints.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum ComplaintRejection {
    /// A remedy needs to know what it is for.
    #[error("complaint `{complaint}` is not classified")]
    ComplaintNotClassified {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// The customer does not know that we took the complaint up.
    #[error("complaint `{complaint}` is not acknowledged")]
    ComplaintNotAcknowledged {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// A compensation is more than nothing, or is not given.
    #[error("a compensation of {compensation} is not more than nothing")]
    CompensationNotPositive {
        /// What was given.
        compensation: Money,
    },
    /// A complaint without remedy costs nothing.
    #[error("a compensation of {compensation} without a remedy")]
    CompensationWithoutRemedy {
        /// What was given.
        compensation: Money,
    },
    /// No proposal awaits an answer.
    #[error("no remedy of complaint `{complaint}` awaits approval")]
    RemedyNotPending {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// Nobody approves a proposal of their own.
    #[error("`{proposer}` proposed the remedy and cannot approve it")]
    ApproverIsProposer {
        /// Who proposed it.
        proposer: Actor,
    },
    /// There is no remedy that may be carried out.
    #[error("complaint `{complaint}` has no approved remedy")]
    RemedyNotApproved {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// The customer cannot have been told on a day to come.
    #[error("the customer was not yet told on {on}, which is after {today}")]
    NoticeInFuture {
        /// The day that was given.
        on: Date,
        /// The day of the command.
        today: Date,
    },
    /// We still deal with the complaint.
    #[error("complaint `{complaint}` is not resolved")]
    ComplaintNotResolved {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// A resolved complaint is closed or reopened, nothing else.
    #[error("complaint `{complaint}` is resolved")]
    ComplaintIsResolved {
        /// The complaint.
        complaint: ComplaintId,
    },
    /// A closed complaint is reopened, nothing else.
    #[error("complaint `{complaint}` is closed")]
    ComplaintIsClosed {
        /// The complaint.
        complaint: ComplaintId,
    },
}
rejection!(
    ComplaintRejection,
    Self::CompensationNotPositive { .. }
    | Self::CompensationWithoutRemedy { .. } => ["compensation"],
    Self::NoticeInFuture { .. } => ["customerNotified", "on"],
    Self::ComplaintNotClassified { .. }
    | Self::ComplaintNotAcknowledged { .. }
    | Self::RemedyNotPending { .. }
    | Self::RemedyNotApproved { .. }
    | Self::ComplaintNotResolved { .. }
    | Self::ComplaintIsResolved { .. }
    | Self::ComplaintIsClosed { .. } => ["complaint"],
);

impl Aggregate for Complaint {
    type Id = ComplaintId;
    type Event = ComplaintEvent;

    fn evolve(self, event: &ComplaintEvent) -> Self {
        use ComplaintEvent as E;
        match event {
            E::ComplaintLogged { cycle, .. } | E::ComplaintReopened { cycle, .. } => {
                Self::Open(Case::begun(*cycle))
            }
            E::ComplaintClassified {
                category,
                cause,
                severity,
                ..
            } => self.with(|case| {
                case.classify(Classification {
                    category: category.clone(),
                    cause: cause.clone(),
                    severity: *severity,
                })
            }),
            E::ComplaintAcknowledged { .. } => self.with(|case| case.acknowledged = true),
            E::RemedyProposed {
                proposal, proposer, ..
            } => self.with(|case| {
                case.set_remedy(Remedy::Proposed {
                    proposal: *proposal,
                    proposer: proposer.clone(),
                })
            }),
            E::RemedyApproved { proposal, .. } => {
                let proposal = *proposal;
                self.with(|case| case.set_remedy(Remedy::Approved { proposal }))
            }
            E::RemedyRejected { proposal, .. } => {
                let proposal = *proposal;
                self.with(|case| case.set_remedy(Remedy::Rejected { proposal }))
            }
            E::RemedyAccepted { proposal, .. } => {
                let proposal = *proposal;
                self.with(|case| case.set_remedy(Remedy::Accepted { proposal }))
            }
            E::ComplaintEscalated { to, .. } => {
                self.with(|case| case.escalated_to = Some(to.clone()))
            }
            E::ComplaintResolved { cycle, .. } => Self::Resolved { cycle: *cycle },
            E::ComplaintClosed { cycle } => Self::Closed { cycle: *cycle },
        }
    }
}

impl Complaint {
    fn with(mut self, change: impl FnOnce(&mut Case)) -> Self {
        if let Self::Open(case) = &mut self {
            change(case);
        }
        self
    }
}

impl Case {
    fn begun(cycle: u32) -> Self {
        Self {
            cycle,
            acknowledged: false,
            escalated_to: None,
            step: Step::Logged,
        }
    }

    fn classify(&mut self, classification: Classification) {
        match &mut self.step {
            Step::Logged => self.step = Step::Classified(classification, Remedy::Missing),
            Step::Classified(earlier, _) => *earlier = classification,
        }
    }

    fn set_remedy(&mut self, next: Remedy) {
        if let Step::Classified(_, remedy) = &mut self.step {
            *remedy = next;
        }
    }

    fn remedy(&self) -> &Remedy {
        match &self.step {
            Step::Logged => &Remedy::Missing,
            Step::Classified(_, remedy) => remedy,
        }
    }
}

pub(crate) fn decide(command: ComplaintCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use ComplaintCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Complaint>(&id)?, command) {
        (Complaint::Unlogged, C::LogComplaint(command)) => log(id, command, desk),
        (Complaint::Unlogged, _) => Err(CommonRejection::not_found(&id)),

        (Complaint::Open(case), C::ClassifyComplaint(command)) => classify(id, case, command, desk),
        (Complaint::Open(case), C::AcknowledgeComplaint(command)) => {
            acknowledge(id, case, command, desk)
        }
        (Complaint::Open(case), C::ProposeRemedy(command)) => propose(id, case, command, desk),
        (Complaint::Open(case), C::ApproveRemedy(_)) => approve(id, case, desk),
        (Complaint::Open(case), C::RejectRemedy(command)) => reject(id, case, command, desk),
        (Complaint::Open(case), C::AcceptRemedy(_)) => accept(id, case, desk),
        (Complaint::Open(case), C::EscalateComplaint(command)) => escalate(id, case, command, desk),
        (Complaint::Open(case), C::ResolveComplaint(command)) => resolve(id, case, command, desk),
        (Complaint::Open(_), C::ReopenComplaint(_) | C::CloseComplaint(_)) => {
            Err(ComplaintRejection::ComplaintNotResolved { complaint: id }.into())
        }

        (Complaint::Resolved { cycle }, C::CloseComplaint(_)) => {
            Ok(desk.record(&id, ComplaintEvent::ComplaintClosed { cycle: *cycle })?)
        }
        (Complaint::Resolved { cycle }, C::ReopenComplaint(command)) => {
            reopen(id, *cycle, ComplaintPhase::Resolved, command, desk)
        }
        (Complaint::Closed { cycle }, C::ReopenComplaint(command)) => {
            reopen(id, *cycle, ComplaintPhase::Closed, command, desk)
        }
        (
            Complaint::Open(_) | Complaint::Resolved { .. } | Complaint::Closed { .. },
            C::LogComplaint(_),
        ) => Err(CommonRejection::already_exists(&id)),
        (Complaint::Resolved { .. }, _) => {
            Err(ComplaintRejection::ComplaintIsResolved { complaint: id }.into())
        }
        (Complaint::Closed { .. }, _) => {
            Err(ComplaintRejection::ComplaintIsClosed { complaint: id }.into())
        }
    }
}

fn log(id: ComplaintId, command: LogComplaint, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let LogComplaint {
        customer,
        channel,
        description,
        severity,
        order,
        product,
        contact,
    } = command;
    customer::require_active(desk, customer)?;
    if let Some(order) = order {
        order::require_of_customer(desk, order, customer)?;
    }
    if let Some(product) = product {
        product::require_known(desk, product)?;
    }
    let number = number_series::issue(desk, NumberSeriesId::Complaint, &id)?;
    let logged = ComplaintEvent::ComplaintLogged {
        number,
        cycle: 1,
        customer,
        channel,
        description,
        severity,
        order,
        product,
        contact,
    };
    Ok(desk.record(&id, logged)?)
}

fn classify(
    id: ComplaintId,
    case: &Case,
    command: ClassifyComplaint,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let ClassifyComplaint {
        category,
        cause,
        severity,
        ..
    } = command;
    if let Step::Classified(known, _) = &case.step
        && (&known.category, &known.cause, known.severity) == (&category, &cause, severity)
    {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let classified = ComplaintEvent::ComplaintClassified {
        cycle: case.cycle,
        category,
        cause,
        severity,
    };
    Ok(desk.record(&id, classified)?)
}

fn acknowledge(
    id: ComplaintId,
    case: &Case,
    command: AcknowledgeComplaint,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if case.acknowledged {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let (cycle, message) = (case.cycle, command.message);
    Ok(desk.record(
        &id,
        ComplaintEvent::ComplaintAcknowledged { cycle, message },
    )?)
}

fn propose(
    id: ComplaintId,
    case: &Case,
    command: ProposeRemedy,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let Step::Classified(_, remedy) = &case.step else {
        return Err(ComplaintRejection::ComplaintNotClassified { complaint: id }.into());
    };
    require_sensible(&command)?;
    let ProposeRemedy {
        kind,
        compensation,
        description,
        ..
    } = command;
    let needs_approval = exceeds(compensation, &policy::complaint_rules(desk)?);
    let (cycle, proposal) = (case.cycle, last_proposal(remedy) + 1);
    let proposed = ComplaintEvent::RemedyProposed {
        cycle,
        proposal,
        kind,
        compensation,
        description,
        proposer: desk.context().actor.clone(),
        needs_approval,
    };
    desk.record(&id, proposed)?;
    if needs_approval {
        return Ok(());
    }
    let approved = ComplaintEvent::RemedyApproved {
        cycle,
        proposal,
        by_rule: true,
        approver: None,
    };
    Ok(desk.record(&id, approved)?)
}

fn require_sensible(command: &ProposeRemedy) -> Result<(), ComplaintRejection> {
    match (command.kind, command.compensation) {
        (_, None) => Ok(()),
        (RemedyKind::NoRemedy, Some(compensation)) => {
            Err(ComplaintRejection::CompensationWithoutRemedy { compensation })
        }
        (_, Some(compensation)) if compensation.minor() <= 0 => {
            Err(ComplaintRejection::CompensationNotPositive { compensation })
        }
        (_, Some(_)) => Ok(()),
    }
}

/// Whether the rules want somebody else's approval; amounts of different currencies cannot be
/// compared, so another currency always does.
fn exceeds(compensation: Option<Money>, rules: &ComplaintRules) -> bool {
    let limit = rules.approval_above;
    compensation.is_some_and(|compensation| {
        compensation.currency() != limit.currency() || compensation.minor() > limit.minor()
    })
}

fn last_proposal(remedy: &Remedy) -> u32 {
    match remedy {
        Remedy::Missing => 0,
        Remedy::Proposed { proposal, .. }
        | Remedy::Rejected { proposal }
        | Remedy::Approved { proposal }
        | Remedy::Accepted { proposal } => *proposal,
    }
}

fn approve(id: ComplaintId, case: &Case, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let Remedy::Proposed { proposal, proposer } = case.remedy() else {
        return Err(ComplaintRejection::RemedyNotPending { complaint: id }.into());
    };
    let approver = desk.context().actor.clone();
    if approver == *proposer || desk.context().acts_as(proposer) {
        let proposer = proposer.clone();
        return Err(ComplaintRejection::ApproverIsProposer { proposer }.into());
    }
    let approved = ComplaintEvent::RemedyApproved {
        cycle: case.cycle,
        proposal: *proposal,
        by_rule: false,
        approver: Some(approver),
    };
    Ok(desk.record(&id, approved)?)
}

fn reject(
    id: ComplaintId,
    case: &Case,
    command: RejectRemedy,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let Remedy::Proposed { proposal, .. } = case.remedy() else {
        return Err(ComplaintRejection::RemedyNotPending { complaint: id }.into());
    };
    let rejected = ComplaintEvent::RemedyRejected {
        cycle: case.cycle,
        proposal: *proposal,
        because: command.because,
    };
    Ok(desk.record(&id, rejected)?)
}

fn accept(id: ComplaintId, case: &Case, desk: &mut Desk<'_>) -> Result<(), Declined> {
    let cycle = case.cycle;
    match case.remedy() {
        Remedy::Approved { proposal } => {
            let proposal = *proposal;
            Ok(desk.record(&id, ComplaintEvent::RemedyAccepted { cycle, proposal })?)
        }
        Remedy::Accepted { .. } => Err(CommonRejection::nothing_to_change(&id)),
        Remedy::Missing | Remedy::Proposed { .. } | Remedy::Rejected { .. } => {
            Err(ComplaintRejection::RemedyNotApproved { complaint: id }.into())
        }
    }
}

fn escalate(
    id: ComplaintId,
    case: &Case,
    command: EscalateComplaint,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let EscalateComplaint { to, because, .. } = command;
    if case.escalated_to.as_ref() == Some(&to) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let cycle = case.cycle;
    Ok(desk.record(
        &id,
        ComplaintEvent::ComplaintEscalated { cycle, to, because },
    )?)
}

fn resolve(
    id: ComplaintId,
    case: &Case,
    command: ResolveComplaint,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if !case.acknowledged {
        return Err(ComplaintRejection::ComplaintNotAcknowledged { complaint: id }.into());
    }
    let (Remedy::Approved { .. } | Remedy::Accepted { .. }) = case.remedy() else {
        return Err(ComplaintRejection::RemedyNotApproved { complaint: id }.into());
    };
    let (on, today) = (command.customer_notified.on, desk.context().effective_on());
    if on > today {
        return Err(ComplaintRejection::NoticeInFuture { on, today }.into());
    }
    let resolved = ComplaintEvent::ComplaintResolved {
        cycle: case.cycle,
        outcome: command.outcome,
        customer_notified: command.customer_notified,
    };
    Ok(desk.record(&id, resolved)?)
}

fn reopen(
    id: ComplaintId,
    cycle: u32,
    from: ComplaintPhase,
    command: ReopenComplaint,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let reopened = ComplaintEvent::ComplaintReopened {
        cycle: cycle.saturating_add(1),
        from,
        because: command.because,
    };
    Ok(desk.record(&id, reopened)?)
}
