//! The pipeline in the API: leads, opportunities, the board, the funnel and the outcomes.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use daybook_projections::{
    governance::PolicyRow,
    measure::{Period, PipelineTotal},
    pipeline::{self, FunnelStage, LeadRow, OpportunityRow, PipelineOutcomes},
};
use daybook_schema::{
    governance::{PipelineDefinition, PolicyId, PolicyKind},
    kernel::{Actor, Code, Date},
};

use super::{
    customers::Customer,
    fault::{Answer, Fault},
    links::objects,
    object::linked,
    orders::Order,
    reading::Reading,
    shown::Shown,
};

objects! {
    /// A lead (线索): somebody who might buy, before we know whether they will.
    Lead(LeadRow) = "lead", lead, leads {
        one {
            /// The customer that it became.
            customer: Customer = "customer";
            /// The opportunity that it became.
            opportunity: Opportunity = "opportunity";
        }
    }

    /// An opportunity (销售机会): a possible sale on its way through the stages of a pipeline.
    Opportunity(OpportunityRow) = "opportunity", opportunity, opportunities {
        one {
            /// The customer who might buy.
            customer: Customer = "customer";
            /// The lead that it came from.
            lead: Lead = "lead";
            /// The order that it was won with.
            order: Order = "order";
        }
        many {
            /// Orders that name it as what they close (订单).
            orders: Order = "opportunity";
        }
    }
}

/// What stands in the stages of a pipeline now.
#[derive(SimpleObject)]
struct PipelineBoard {
    /// The pipeline.
    pipeline: Code,
    /// Its stages in order; after them stages of older versions that still hold something.
    stages: Vec<PipelineBoardStage>,
    /// All open opportunities, per currency.
    totals: Vec<PipelineTotal>,
}

/// What stands in one stage of a pipeline.
#[derive(SimpleObject)]
#[graphql(complex)]
struct PipelineBoardStage {
    #[graphql(flatten)]
    row: pipeline::BoardStage,
}

#[ComplexObject]
impl PipelineBoardStage {
    /// The opportunity that is in the stage for the longest time.
    async fn oldest(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Shown<Opportunity>>> {
        Ok(linked::<Opportunity>(ctx, self.row.oldest.clone()).await?)
    }
}

/// Questions about the pipeline.
#[derive(Default)]
pub(super) struct PipelineQueries;

#[Object]
impl PipelineQueries {
    /// What stands in each stage of a pipeline now (销售漏斗).
    async fn pipeline_board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline; `default` where it is not said.")] pipeline: Option<Code>,
    ) -> async_graphql::Result<PipelineBoard> {
        let pipeline = pipeline.unwrap_or_else(PolicyId::default_name);
        let snapshot = Reading::of(ctx).snapshot()?;
        let definition = definition(ctx, &pipeline)?;
        let stages = pipeline::board(&snapshot, &pipeline, definition.as_ref());
        let stages = stages.map_err(Fault::from)?;
        let totals = pipeline::board_totals(&stages);
        let stages = stages.into_iter().map(|row| PipelineBoardStage { row });
        Ok(PipelineBoard {
            pipeline,
            stages: stages.collect(),
            totals,
        })
    }

    /// Of the opportunities that entered each stage of a pipeline in a period, how many went on,
    /// were won and were lost, in cohorts by the month of entry. An opportunity counts once per
    /// stage, at its first entry; lost ones stay in.
    async fn pipeline_funnel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pipeline; `default` where it is not said.")] pipeline: Option<Code>,
        #[graphql(desc = "The first day of the period.")] from: Date,
        #[graphql(desc = "The first day after the period.")] to: Date,
    ) -> async_graphql::Result<Vec<FunnelStage>> {
        let pipeline = pipeline.unwrap_or_else(PolicyId::default_name);
        let period = period(from, to)?;
        let funnel = pipeline::funnel(&*Reading::of(ctx).snapshot()?, &pipeline, period);
        Ok(funnel.map_err(Fault::from)?)
    }

    /// What was won and lost in a period, and why it was lost.
    async fn pipeline_outcomes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this pipeline.")] pipeline: Option<Code>,
        #[graphql(desc = "Only opportunities of this owner.")] owner: Option<Actor>,
        #[graphql(desc = "The first day of the period.")] from: Date,
        #[graphql(desc = "The first day after the period.")] to: Date,
    ) -> async_graphql::Result<PipelineOutcomes> {
        let period = period(from, to)?;
        let owner = owner.as_ref().map(Actor::as_str);
        let snapshot = Reading::of(ctx).snapshot()?;
        let outcomes = pipeline::outcomes(&snapshot, period, pipeline.as_ref(), owner);
        Ok(outcomes.map_err(Fault::from)?)
    }
}

/// The last published version of a pipeline.
fn definition(ctx: &Context<'_>, pipeline: &Code) -> Answer<Option<PipelineDefinition>> {
    let id = PolicyId {
        kind: PolicyKind::Pipeline,
        name: pipeline.clone(),
    };
    let policy = Reading::of(ctx)
        .snapshot()?
        .get::<PolicyRow>(&id.to_string())?;
    let last = policy.and_then(|policy| policy.versions.into_iter().next_back());
    Ok(last.and_then(|version| version.pipeline))
}

/// A period as it was asked for.
pub(super) fn period(from: Date, to: Date) -> Answer<Period> {
    if to <= from {
        return Err(Fault::bad_input(format!(
            "`to` {to} is not after `from` {from}"
        )));
    }
    Ok(Period { from, to })
}
