//! The pipeline: leads, and the opportunities that the good ones become.

mod lead;
mod opportunity;

pub use lead::{
    AssignLead, CaptureLead, ConvertLead, DisqualifyLead, LeadCommand, LeadEvent, LeadId,
    LeadOpportunity, LeadPhase, LogLeadFollowUp, QualifyLead, RecycleLead,
};
pub use opportunity::{
    AddOpportunityCompetitor, AdvanceOpportunityStage, AssignOpportunityOwner,
    ChangeOpportunityValue, LoseOpportunity, MetCriterion, MoveOpportunityCloseDate,
    NoteOpportunityInsight, OpenOpportunity, OpportunityCommand, OpportunityEvent, OpportunityId,
    OpportunityInsight, OpportunityPhase, OpportunityStage, RecordExitCriterion,
    RegressOpportunityStage, ReopenOpportunity, WinOpportunity,
};
