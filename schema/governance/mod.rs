//! Governance: the organisation itself, its policies, its document numbers and natural keys.

mod natural_key;
mod number_series;
mod organisation;
mod policy;

pub use natural_key::{NaturalKeyEvent, NaturalKeyId};
pub use number_series::{NumberSeriesEvent, NumberSeriesId};
pub use organisation::{FoundOrganisation, OrganisationCommand, OrganisationEvent, OrganisationId};
pub use policy::{
    ComplaintRules, ExitCriterion, OrderRules, PipelineDefinition, PipelineStage, PolicyCommand,
    PolicyEvent, PolicyId, PolicyKind, PolicyRules, PublishPolicy, StockRules,
};
