//! A series of document numbers.
//! Invariant: numbers count from 1 without a gap, because a number is issued in the very commit
//! that makes its document.

use daybook_schema::governance::{NumberSeriesEvent, NumberSeriesId};

use crate::{Aggregate, Desk, Fault};

/// The last number issued.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NumberSeries(u64);

impl Aggregate for NumberSeries {
    type Id = NumberSeriesId;
    type Event = NumberSeriesEvent;

    fn evolve(self, event: &NumberSeriesEvent) -> Self {
        match event {
            NumberSeriesEvent::DocumentNumberIssued { number, .. } => Self(*number),
        }
    }
}

/// Gives the next number of a series to a document.
pub(crate) fn issue(
    desk: &mut Desk<'_>,
    series: NumberSeriesId,
    document: &impl ToString,
) -> Result<u64, Fault> {
    let number = desk.load::<NumberSeries>(&series)?.0 + 1;
    let document = document.to_string();
    desk.record(
        &series,
        NumberSeriesEvent::DocumentNumberIssued { number, document },
    )?;
    Ok(number)
}
