//! The pipeline: leads, opportunities, and what their way through the stages shows.
//!
//! | file | what it answers |
//! |---|---|
//! | `lead` | the board of leads: who follows up what, how fast, and when next |
//! | `opportunity` | opportunities with their stages, outcomes and insights |
//! | `board` | what stands in each stage now, kept as sums |
//! | `funnel` | how many went on from each stage, by the month in which they entered it |
//! | `outcomes` | what was won and lost, and why |

mod board;
mod funnel;
mod lead;
mod opportunity;
mod outcomes;
#[cfg(test)]
mod spec;

use daybook_schema::DomainEvent;

pub(crate) use board::sum_stages;
pub use board::{BoardStage, board, board_totals};
pub use funnel::{FunnelCohort, FunnelConversion, FunnelStage, funnel};
pub use lead::{LeadFollowUp, LeadQualification, LeadRow};
pub use opportunity::{
    CriterionMet, InsightNoted, OpportunityOutcome, OpportunityRow, StageExit, StageVisit,
};
pub use outcomes::{LostReason, OutcomeTotal, PipelineOutcomes, outcomes};

use crate::store::{Fact, FoldError, ReadModel, Row, Tables};

pub(crate) const MODEL: ReadModel = ReadModel {
    name: "pipeline",
    version: 2,
    tables: |definitions| {
        definitions.rows::<LeadRow>();
        definitions.rows::<OpportunityRow>();
        definitions.rows::<board::StageTotalsRow>();
        definitions.rows::<funnel::StageVisitRow>();
        definitions.index_on(
            OpportunityRow::TABLE,
            &["pipeline", "phase", "stage", "stage_entered_at", "id"],
        );
        // The funnel is answered from these three alone, without reading a document.
        definitions.index_on(OpportunityRow::TABLE, &["id", "phase"]);
        definitions.index_on(funnel::StageVisitRow::TABLE, funnel::BY_ENTRY);
        definitions.index_on(funnel::StageVisitRow::TABLE, funnel::BY_OPPORTUNITY);
    },
    fold,
};

fn fold(fact: &Fact<'_>, tables: &mut Tables) -> Result<(), FoldError> {
    if let DomainEvent::Lead(event) = &fact.event {
        return lead::fold(fact, event, tables);
    }
    if let DomainEvent::Opportunity(event) = &fact.event {
        return opportunity::fold(fact, event, tables);
    }
    Ok(())
}
