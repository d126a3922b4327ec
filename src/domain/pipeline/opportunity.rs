//! A possible sale on its way through a pipeline. Open → Won or Lost → reopened.
//! Invariants: it keeps the version of the pipeline that it was opened under; it goes forwards,
//! and is won, only when the exit criteria of every stage it leaves behind are on record; its
//! currency never changes; no outcome is ever erased.

use std::collections::BTreeSet;

use daybook_schema::{
    customers::CustomerId,
    governance::PipelineDefinition,
    kernel::{Actor, Code, Currency, Date, Money, Name},
    orders::OrderId,
    pipeline::{
        LoseOpportunity, NoteOpportunityInsight, OpenOpportunity, OpportunityCommand,
        OpportunityEvent, OpportunityId, OpportunityPhase, OpportunityStage, ReopenOpportunity,
        WinOpportunity,
    },
};

use super::{lead, progress, stages::Stages};
use crate::{
    Aggregate, Declined, Desk,
    customers::customer,
    governance::policy::{self, PolicyRejection},
    orders::order,
    refusal::{CommonRejection, rejection},
};

/// The opportunity's life.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Opportunity {
    /// Nothing is on record.
    #[default]
    Unopened,
    /// To be decided.
    Open(Deal),
    /// The customer bought.
    Won(Deal),
    /// The customer did not buy.
    Lost(Deal),
}

/// What decisions need of an opportunity.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Deal {
    pub(super) customer: CustomerId,
    pub(super) pipeline: Code,
    pub(super) pipeline_version: u32,
    pub(super) stage: OpportunityStage,
    pub(super) met: BTreeSet<Code>,
    pub(super) value: Money,
    pub(super) expected_close_on: Date,
    pub(super) owner: Actor,
    pub(super) competitors: Vec<Name>,
}

/// The rules about opportunities.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum OpportunityRejection {
    /// Less than nothing cannot be had.
    #[error("{value} is less than nothing")]
    OpportunityValueNegative {
        /// What was given.
        value: Money,
    },
    /// The currency stays as it was when the opportunity was opened.
    #[error("{value} is not in {currency}, in which the opportunity was opened")]
    OpportunityCurrencyFixed {
        /// What was given.
        value: Money,
        /// The opportunity's currency.
        currency: Currency,
    },
    /// The pipeline has no such stage.
    #[error("pipeline `{pipeline}` of version {version} has no stage `{stage}`")]
    StageUnknown {
        /// The pipeline.
        pipeline: Code,
        /// The version that the opportunity follows.
        version: u32,
        /// The stage that was given.
        stage: Code,
    },
    /// No stage comes after the present one.
    #[error("`{stage}` is the last stage")]
    StageIsLast {
        /// The present stage.
        stage: Code,
    },
    /// The way forwards leads to later stages only.
    #[error("stage `{to}` does not come after `{stage}`")]
    StageNotAhead {
        /// The stage that was given.
        to: Code,
        /// The present stage.
        stage: Code,
    },
    /// It is a possible sale to another customer.
    #[error("opportunity `{opportunity}` is not one of customer `{customer}`")]
    OpportunityOfAnotherCustomer {
        /// The opportunity.
        opportunity: OpportunityId,
        /// Whose opportunity it should have been.
        customer: CustomerId,
    },
    /// The way back leads to earlier stages only.
    #[error("stage `{to}` does not come before `{stage}`")]
    StageNotBehind {
        /// The stage that was given.
        to: Code,
        /// The present stage.
        stage: Code,
    },
    /// A reopened opportunity does not go on beyond the stage in which it was closed.
    #[error("stage `{to}` comes after `{stage}`, in which the opportunity was closed")]
    StageBeyondClose {
        /// The stage that was given.
        to: Code,
        /// The stage in which it was closed.
        stage: Code,
    },
    /// The present stage lets no opportunity go back.
    #[error("no opportunity may go back from stage `{stage}`")]
    RegressionForbidden {
        /// The present stage.
        stage: Code,
    },
    /// No stage of the pipeline asks for the criterion.
    #[error("pipeline `{pipeline}` of version {version} has no exit criterion `{criterion}`")]
    CriterionUnknown {
        /// The pipeline.
        pipeline: Code,
        /// The version that the opportunity follows.
        version: u32,
        /// The criterion that was given.
        criterion: Code,
    },
    /// What the stages must bring forth is not on record.
    #[error("not on record: {}", list(missing))]
    ExitCriteriaUnmet {
        /// The codes of the missing criteria, in the order of the pipeline.
        missing: Vec<Code>,
    },
    /// The pipeline wants an order for a win.
    #[error("pipeline `{pipeline}` of version {version} is won only with an order")]
    OrderRequired {
        /// The pipeline.
        pipeline: Code,
        /// The version that the opportunity follows.
        version: u32,
    },
    /// The opportunity is decided.
    #[error("opportunity `{opportunity}` is {phase}")]
    OpportunityIsClosed {
        /// The opportunity.
        opportunity: OpportunityId,
        /// How it was decided.
        phase: OpportunityPhase,
    },
    /// The opportunity is still to be decided.
    #[error("opportunity `{opportunity}` is open")]
    OpportunityIsOpen {
        /// The opportunity.
        opportunity: OpportunityId,
    },
}
rejection!(
    OpportunityRejection,
    Self::OpportunityValueNegative { .. } | Self::OpportunityCurrencyFixed { .. } => ["value"],
    Self::StageNotAhead { .. }
    | Self::StageNotBehind { .. }
    | Self::StageIsLast { .. } => ["to"],
    Self::StageBeyondClose { .. } => ["stage"],
    Self::CriterionUnknown { .. } => ["criterion"],
    Self::ExitCriteriaUnmet { .. } => ["criteria"],
    Self::OpportunityIsClosed { .. }
    | Self::OpportunityIsOpen { .. }
    | Self::OpportunityOfAnotherCustomer { .. } => ["opportunity"],
);

fn list(codes: &[Code]) -> String {
    let codes: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    codes.join(", ")
}

impl Aggregate for Opportunity {
    type Id = OpportunityId;
    type Event = OpportunityEvent;

    fn evolve(self, event: &OpportunityEvent) -> Self {
        use OpportunityEvent as E;
        match event {
            E::OpportunityOpened {
                customer,
                value,
                expected_close_on,
                owner,
                pipeline,
                pipeline_version,
                stage,
                ..
            } => Self::Open(Deal {
                customer: *customer,
                pipeline: pipeline.clone(),
                pipeline_version: *pipeline_version,
                stage: stage.clone(),
                met: BTreeSet::new(),
                value: *value,
                expected_close_on: *expected_close_on,
                owner: owner.clone(),
                competitors: Vec::new(),
            }),
            E::OpportunityCriterionMet { criterion, .. } => self.with(|deal| {
                deal.met.insert(criterion.clone());
            }),
            E::OpportunityStageAdvanced { to_stage, .. }
            | E::OpportunityStageRegressed { to_stage, .. } => {
                self.with(|deal| deal.stage = to_stage.clone())
            }
            E::OpportunityValueChanged { to, .. } => self.with(|deal| deal.value = *to),
            E::OpportunityCloseDateMoved { to, .. } => {
                self.with(|deal| deal.expected_close_on = *to)
            }
            E::OpportunityOwnerAssigned { to, .. } => self.with(|deal| deal.owner = to.clone()),
            E::OpportunityCompetitorAdded { competitor } => {
                self.with(|deal| deal.competitors.push(competitor.clone()))
            }
            E::OpportunityInsightNoted { .. } => self,
            E::OpportunityWon { .. } => self.enter(Self::Won),
            E::OpportunityLost { .. } => self.enter(Self::Lost),
            E::OpportunityReopened { to_stage, .. } => self
                .enter(Self::Open)
                .with(|deal| deal.stage = to_stage.clone()),
        }
    }
}

impl Opportunity {
    fn with(mut self, change: impl FnOnce(&mut Deal)) -> Self {
        if let Self::Open(deal) | Self::Won(deal) | Self::Lost(deal) = &mut self {
            change(deal);
        }
        self
    }

    fn enter(self, phase: fn(Deal) -> Self) -> Self {
        match self {
            Self::Unopened => self,
            Self::Open(deal) | Self::Won(deal) | Self::Lost(deal) => phase(deal),
        }
    }
}

pub(crate) fn decide(command: OpportunityCommand, desk: &mut Desk<'_>) -> Result<(), Declined> {
    use OpportunityCommand as C;
    let id = command.target().unwrap_or_else(|| desk.context().new_id());
    match (&*desk.load::<Opportunity>(&id)?, command) {
        (Opportunity::Unopened, C::OpenOpportunity(command)) => open(id, command, desk),
        (Opportunity::Unopened, _) => Err(CommonRejection::not_found(&id)),

        (Opportunity::Open(deal), C::AdvanceOpportunityStage(command)) => {
            progress::advance(id, deal, command, desk)
        }
        (Opportunity::Open(deal), C::RegressOpportunityStage(command)) => {
            progress::regress(id, deal, command, desk)
        }
        (Opportunity::Open(deal), C::RecordExitCriterion(command)) => {
            progress::record_criterion(id, deal, command, desk)
        }
        (Opportunity::Open(deal), C::ChangeOpportunityValue(command)) => {
            change_value(id, deal, command.value, desk)
        }
        (Opportunity::Open(deal), C::MoveOpportunityCloseDate(command)) => {
            move_close_date(id, deal, command.expected_close_on, desk)
        }
        (Opportunity::Open(deal), C::AssignOpportunityOwner(command)) => {
            assign_owner(id, deal, command.owner, desk)
        }
        (Opportunity::Open(deal), C::AddOpportunityCompetitor(command)) => {
            add_competitor(id, deal, command.competitor, desk)
        }
        (Opportunity::Open(_), C::NoteOpportunityInsight(command)) => {
            note_insight(id, command, desk)
        }
        (Opportunity::Open(deal), C::WinOpportunity(command)) => win(id, deal, command, desk),
        (Opportunity::Open(deal), C::LoseOpportunity(command)) => lose(id, deal, command, desk),
        (Opportunity::Open(_), C::ReopenOpportunity(_)) => {
            Err(OpportunityRejection::OpportunityIsOpen { opportunity: id }.into())
        }

        (Opportunity::Won(deal), C::ReopenOpportunity(command)) => {
            reopen(id, deal, OpportunityPhase::Won, command, desk)
        }
        (Opportunity::Lost(deal), C::ReopenOpportunity(command)) => {
            reopen(id, deal, OpportunityPhase::Lost, command, desk)
        }
        (
            Opportunity::Open(_) | Opportunity::Won(_) | Opportunity::Lost(_),
            C::OpenOpportunity(_),
        ) => Err(CommonRejection::already_exists(&id)),
        (Opportunity::Won(_), _) => Err(is_closed(id, OpportunityPhase::Won)),
        (Opportunity::Lost(_), _) => Err(is_closed(id, OpportunityPhase::Lost)),
    }
}

fn is_closed(opportunity: OpportunityId, phase: OpportunityPhase) -> Declined {
    OpportunityRejection::OpportunityIsClosed { opportunity, phase }.into()
}

/// Opens an opportunity; also what the conversion of a lead does.
pub(crate) fn open(
    id: OpportunityId,
    command: OpenOpportunity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    customer::require_active(desk, command.customer)?;
    if let Some(lead) = command.lead {
        lead::require_captured(desk, lead)?;
    }
    require_not_negative(command.value)?;
    let pipeline = policy::pipeline_in_force(desk, command.pipeline)?;
    let opened = OpportunityEvent::OpportunityOpened {
        customer: command.customer,
        name: command.name,
        value: command.value,
        expected_close_on: command.expected_close_on,
        owner: command
            .owner
            .unwrap_or_else(|| desk.context().actor.clone()),
        lead: command.lead,
        pipeline: pipeline.name,
        pipeline_version: pipeline.version,
        stage: first_stage(pipeline.definition)?,
    };
    Ok(desk.record(&id, opened)?)
}

fn first_stage(definition: PipelineDefinition) -> Result<OpportunityStage, PolicyRejection> {
    let first = Stages::from(definition).first();
    first.ok_or_else(|| PolicyRejection::BrokenPolicy {
        problem: "the pipeline has no stage".to_owned(),
    })
}

fn require_not_negative(value: Money) -> Result<(), OpportunityRejection> {
    if value.is_negative() {
        return Err(OpportunityRejection::OpportunityValueNegative { value });
    }
    Ok(())
}

fn change_value(
    id: OpportunityId,
    deal: &Deal,
    value: Money,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    require_not_negative(value)?;
    let currency = deal.value.currency();
    if value.currency() != currency {
        return Err(OpportunityRejection::OpportunityCurrencyFixed { value, currency }.into());
    }
    if value == deal.value {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let changed = OpportunityEvent::OpportunityValueChanged {
        from: deal.value,
        to: value,
    };
    Ok(desk.record(&id, changed)?)
}

fn move_close_date(
    id: OpportunityId,
    deal: &Deal,
    to: Date,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let from = deal.expected_close_on;
    if from == to {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(
        &id,
        OpportunityEvent::OpportunityCloseDateMoved { from, to },
    )?)
}

fn assign_owner(
    id: OpportunityId,
    deal: &Deal,
    to: Actor,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let from = deal.owner.clone();
    if from == to {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(&id, OpportunityEvent::OpportunityOwnerAssigned { from, to })?)
}

fn add_competitor(
    id: OpportunityId,
    deal: &Deal,
    competitor: Name,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    if deal.competitors.contains(&competitor) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    Ok(desk.record(
        &id,
        OpportunityEvent::OpportunityCompetitorAdded { competitor },
    )?)
}

fn note_insight(
    id: OpportunityId,
    command: NoteOpportunityInsight,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let NoteOpportunityInsight { insight, note, .. } = command;
    Ok(desk.record(
        &id,
        OpportunityEvent::OpportunityInsightNoted { insight, note },
    )?)
}

fn win(
    id: OpportunityId,
    deal: &Deal,
    command: WinOpportunity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let WinOpportunity {
        order,
        criteria,
        note,
        ..
    } = command;
    let definition = progress::pipeline_of(deal, desk)?;
    require_order(deal, &definition, order, desk)?;
    let stages = Stages::from(definition);
    let met = progress::meet_criteria(id, deal, &stages, criteria, desk)?;
    progress::require_criteria(deal, &stages, None, &met)?;
    let won = OpportunityEvent::OpportunityWon {
        stage: deal.stage.clone(),
        value: deal.value,
        expected_close_on: deal.expected_close_on,
        order,
        note,
    };
    Ok(desk.record(&id, won)?)
}

/// Refuses unless the opportunity is one of this customer, whatever became of it.
pub(crate) fn require_of_customer(
    desk: &Desk<'_>,
    opportunity: OpportunityId,
    customer: CustomerId,
) -> Result<(), Declined> {
    let deal = desk.load::<Opportunity>(&opportunity)?;
    match &*deal {
        Opportunity::Open(deal) | Opportunity::Won(deal) | Opportunity::Lost(deal)
            if deal.customer == customer =>
        {
            Ok(())
        }
        Opportunity::Unopened => Err(CommonRejection::not_found(&opportunity)),
        Opportunity::Open(_) | Opportunity::Won(_) | Opportunity::Lost(_) => {
            Err(OpportunityRejection::OpportunityOfAnotherCustomer {
                opportunity,
                customer,
            }
            .into())
        }
    }
}

/// Refuses a win with an order of another customer, and one without an order where the pipeline
/// asks for one.
fn require_order(
    deal: &Deal,
    definition: &PipelineDefinition,
    order: Option<OrderId>,
    desk: &Desk<'_>,
) -> Result<(), Declined> {
    match order {
        Some(order) => order::require_of_customer(desk, order, deal.customer),
        None if definition.win_requires_order => Err(OpportunityRejection::OrderRequired {
            pipeline: deal.pipeline.clone(),
            version: deal.pipeline_version,
        }
        .into()),
        None => Ok(()),
    }
}

fn lose(
    id: OpportunityId,
    deal: &Deal,
    command: LoseOpportunity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let LoseOpportunity {
        lost_reason,
        competitor,
        note,
        ..
    } = command;
    let lost = OpportunityEvent::OpportunityLost {
        stage: deal.stage.clone(),
        value: deal.value,
        expected_close_on: deal.expected_close_on,
        lost_reason,
        competitor,
        note,
    };
    Ok(desk.record(&id, lost)?)
}

fn reopen(
    id: OpportunityId,
    deal: &Deal,
    outcome: OpportunityPhase,
    command: ReopenOpportunity,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    customer::require_active(desk, deal.customer)?;
    let to_stage = match &command.stage {
        Some(code) => progress::stage_to_resume(deal, code, desk)?,
        None => deal.stage.clone(),
    };
    let reopened = OpportunityEvent::OpportunityReopened {
        outcome,
        from_stage: deal.stage.clone(),
        to_stage,
        value: deal.value,
        because: command.because,
    };
    Ok(desk.record(&id, reopened)?)
}
