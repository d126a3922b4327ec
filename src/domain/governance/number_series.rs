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
    const LAST_EVENT_IS_ALL: bool = true;

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

#[cfg(test)]
mod tests {
    use super::{Aggregate, NumberSeries, NumberSeriesEvent};

    #[test]
    fn the_last_number_is_all_that_a_series_remembers() {
        let issued = |number| NumberSeriesEvent::DocumentNumberIssued {
            number,
            document: format!("document-{number}"),
        };
        const { assert!(NumberSeries::LAST_EVENT_IS_ALL) };
        let all = NumberSeries::default()
            .evolve(&issued(1))
            .evolve(&issued(2));
        assert_eq!(all, NumberSeries::default().evolve(&issued(2)));
    }
}
