//! Import: rows of files become commands by a mapping file.

mod catalogue;
mod compile;
mod condition;
mod convert;
mod error;
mod expression;
mod files;
mod format;
mod ids;
mod mapping;
mod place;
mod plan;
mod rejects;
mod row;
mod run;
mod source;
mod summary;
mod table;
mod template;

pub use error::{ImportError, MappingError, MappingProblem, RowProblem};
pub use mapping::Mapping;
pub use run::{ImportOptions, ImportProgress, rehearse, run};
pub use summary::{CommandCounts, ImportSummary, StepSummary};
