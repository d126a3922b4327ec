//! Where the stages of a pipeline stand, and what it takes to leave them.

use std::collections::BTreeSet;

use daybook_schema::{
    governance::{PipelineDefinition, PipelineStage},
    kernel::Code,
    pipeline::OpportunityStage,
};

/// The stages of one version of a pipeline, first to last.
pub(crate) struct Stages(Vec<PipelineStage>);

impl From<PipelineDefinition> for Stages {
    fn from(definition: PipelineDefinition) -> Self {
        Self(definition.stages)
    }
}

impl Stages {
    /// The stage with which every opportunity begins.
    pub(crate) fn first(&self) -> Option<OpportunityStage> {
        self.numbered().next().map(|(stage, _)| stage)
    }

    /// The stage after another one; none after the last.
    pub(crate) fn after(&self, stage: &OpportunityStage) -> Option<OpportunityStage> {
        self.numbered()
            .map(|(next, _)| next)
            .find(|next| next.position > stage.position)
    }

    /// The stage with a code.
    pub(crate) fn find(&self, code: &Code) -> Option<OpportunityStage> {
        self.numbered()
            .map(|(stage, _)| stage)
            .find(|stage| stage.code == *code)
    }

    /// Whether an opportunity may go back from a stage.
    pub(crate) fn may_regress(&self, stage: &OpportunityStage) -> bool {
        self.0
            .iter()
            .any(|defined| defined.code == stage.code && defined.may_regress)
    }

    /// Whether any stage asks for the criterion.
    pub(crate) fn ask_for(&self, criterion: &Code) -> bool {
        let mut criteria = self.0.iter().flat_map(|stage| &stage.exit_criteria);
        criteria.any(|asked| asked.code == *criterion)
    }

    /// What is still missing to leave the stages from one on up to another, or up to the end, in
    /// the order of the pipeline.
    pub(crate) fn missing(
        &self,
        from: &OpportunityStage,
        to: Option<&OpportunityStage>,
        met: &BTreeSet<Code>,
    ) -> Vec<Code> {
        let left = |stage: &OpportunityStage| {
            stage.position >= from.position && to.is_none_or(|to| stage.position < to.position)
        };
        self.numbered()
            .filter(|(stage, _)| left(stage))
            .flat_map(|(_, defined)| &defined.exit_criteria)
            .filter(|asked| !met.contains(&asked.code))
            .map(|asked| asked.code.clone())
            .collect()
    }

    fn numbered(&self) -> impl Iterator<Item = (OpportunityStage, &PipelineStage)> {
        (1..).zip(&self.0).map(|(position, defined)| {
            let stage = OpportunityStage {
                code: defined.code.clone(),
                position,
                probability: defined.probability,
            };
            (stage, defined)
        })
    }
}
