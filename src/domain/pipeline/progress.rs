//! How an opportunity goes through its pipeline: forwards, back, and on again after reopening.

use std::collections::BTreeSet;

use daybook_schema::{
    governance::PipelineDefinition,
    kernel::Code,
    pipeline::{
        AdvanceOpportunityStage, MetCriterion, OpportunityEvent, OpportunityId, OpportunityStage,
        RecordExitCriterion, RegressOpportunityStage,
    },
};

use super::{
    opportunity::{Deal, OpportunityRejection},
    stages::Stages,
};
use crate::{Declined, Desk, governance::policy, refusal::CommonRejection};

/// The pipeline as it was when the opportunity was opened.
pub(super) fn pipeline_of(deal: &Deal, desk: &Desk<'_>) -> Result<PipelineDefinition, Declined> {
    let pipeline = policy::pipeline_at_version(desk, &deal.pipeline, deal.pipeline_version)?;
    Ok(pipeline.definition)
}

fn stage_of(
    deal: &Deal,
    stages: &Stages,
    code: &Code,
) -> Result<OpportunityStage, OpportunityRejection> {
    let unknown = || OpportunityRejection::StageUnknown {
        pipeline: deal.pipeline.clone(),
        version: deal.pipeline_version,
        stage: code.clone(),
    };
    stages.find(code).ok_or_else(unknown)
}

pub(super) fn advance(
    id: OpportunityId,
    deal: &Deal,
    command: AdvanceOpportunityStage,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let stages = Stages::from(pipeline_of(deal, desk)?);
    let to_stage = stage_ahead(deal, &stages, command.to.as_ref())?;
    let met = meet_criteria(id, deal, &stages, command.criteria, desk)?;
    require_criteria(deal, &stages, Some(&to_stage), &met)?;
    let advanced = OpportunityEvent::OpportunityStageAdvanced {
        from_stage: deal.stage.clone(),
        to_stage,
        value: deal.value,
    };
    Ok(desk.record(&id, advanced)?)
}

fn stage_ahead(
    deal: &Deal,
    stages: &Stages,
    to: Option<&Code>,
) -> Result<OpportunityStage, OpportunityRejection> {
    let stage = deal.stage.code.clone();
    let Some(code) = to else {
        let next = stages.after(&deal.stage);
        return next.ok_or(OpportunityRejection::StageIsLast { stage });
    };
    let to_stage = stage_of(deal, stages, code)?;
    if to_stage.position <= deal.stage.position {
        let to = to_stage.code;
        return Err(OpportunityRejection::StageNotAhead { to, stage });
    }
    Ok(to_stage)
}

/// Records the criteria that are new, and returns all that are met. One that is on record already
/// may be named again: whoever advances need not know who recorded what before.
pub(super) fn meet_criteria(
    id: OpportunityId,
    deal: &Deal,
    stages: &Stages,
    criteria: Vec<MetCriterion>,
    desk: &mut Desk<'_>,
) -> Result<BTreeSet<Code>, Declined> {
    let mut met = deal.met.clone();
    for MetCriterion { criterion, note } in criteria {
        require_known(deal, stages, &criterion)?;
        if met.insert(criterion.clone()) {
            let stage = deal.stage.code.clone();
            let event = OpportunityEvent::OpportunityCriterionMet {
                criterion,
                stage,
                note,
            };
            desk.record(&id, event)?;
        }
    }
    Ok(met)
}

fn require_known(
    deal: &Deal,
    stages: &Stages,
    criterion: &Code,
) -> Result<(), OpportunityRejection> {
    if stages.ask_for(criterion) {
        return Ok(());
    }
    Err(OpportunityRejection::CriterionUnknown {
        pipeline: deal.pipeline.clone(),
        version: deal.pipeline_version,
        criterion: criterion.clone(),
    })
}

pub(super) fn require_criteria(
    deal: &Deal,
    stages: &Stages,
    to: Option<&OpportunityStage>,
    met: &BTreeSet<Code>,
) -> Result<(), OpportunityRejection> {
    let missing = stages.missing(&deal.stage, to, met);
    if missing.is_empty() {
        return Ok(());
    }
    Err(OpportunityRejection::ExitCriteriaUnmet { missing })
}

pub(super) fn regress(
    id: OpportunityId,
    deal: &Deal,
    command: RegressOpportunityStage,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let stages = Stages::from(pipeline_of(deal, desk)?);
    let to_stage = stage_of(deal, &stages, &command.to)?;
    let stage = deal.stage.code.clone();
    if to_stage.position >= deal.stage.position {
        let to = to_stage.code;
        return Err(OpportunityRejection::StageNotBehind { to, stage }.into());
    }
    if !stages.may_regress(&deal.stage) {
        return Err(OpportunityRejection::RegressionForbidden { stage }.into());
    }
    let regressed = OpportunityEvent::OpportunityStageRegressed {
        from_stage: deal.stage.clone(),
        to_stage,
        value: deal.value,
        because: command.because,
    };
    Ok(desk.record(&id, regressed)?)
}

pub(super) fn record_criterion(
    id: OpportunityId,
    deal: &Deal,
    command: RecordExitCriterion,
    desk: &mut Desk<'_>,
) -> Result<(), Declined> {
    let RecordExitCriterion {
        criterion, note, ..
    } = command;
    if deal.met.contains(&criterion) {
        return Err(CommonRejection::nothing_to_change(&id));
    }
    let stages = Stages::from(pipeline_of(deal, desk)?);
    meet_criteria(
        id,
        deal,
        &stages,
        vec![MetCriterion { criterion, note }],
        desk,
    )?;
    Ok(())
}

/// A stage up to the one in which the opportunity was closed: reopening is no way around the exit
/// criteria.
pub(super) fn stage_to_resume(
    deal: &Deal,
    code: &Code,
    desk: &Desk<'_>,
) -> Result<OpportunityStage, Declined> {
    let stages = Stages::from(pipeline_of(deal, desk)?);
    let to_stage = stage_of(deal, &stages, code)?;
    if to_stage.position > deal.stage.position {
        let (to, stage) = (to_stage.code, deal.stage.code.clone());
        return Err(OpportunityRejection::StageBeyondClose { to, stage }.into());
    }
    Ok(to_stage)
}
