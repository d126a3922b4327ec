//! Gapless document numbers, one series per kind of document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kernel::{StreamKey, text_scalar};

/// A series of document numbers, by the kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString)]
pub enum NumberSeriesId {
    /// Customer numbers.
    #[strum(serialize = "numberSeries-customer")]
    Customer,
    /// Order numbers.
    #[strum(serialize = "numberSeries-order")]
    Order,
    /// Shipment numbers.
    #[strum(serialize = "numberSeries-shipment")]
    Shipment,
    /// Complaint numbers.
    #[strum(serialize = "numberSeries-complaint")]
    Complaint,
}

impl StreamKey for NumberSeriesId {
    const PREFIX: &'static str = "numberSeries";
}

text_scalar!(NumberSeriesId, "ID", "id of the form `numberSeries-<kind>`");

/// What can happen to a series.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all_fields = "camelCase")]
pub enum NumberSeriesEvent {
    /// The next number of the series was given to a document, in the same commit.
    DocumentNumberIssued {
        /// The number, counted from 1 without a gap.
        number: u64,
        /// The id of the document.
        document: String,
    },
}
