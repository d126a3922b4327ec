use chrono::NaiveDate;

use crate::demo::{
    agenda::Agenda,
    calendar::{Region, day_of, demand, later, office, start_of},
    chance::Chance,
};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn chance_draws_every_number_of_a_range_and_no_other() {
    let mut chance = Chance::new(7, 0);
    let mut seen = [0; 5];
    for _ in 0..5_000 {
        let drawn = chance.between(-2, 2);
        seen[usize::try_from(drawn + 2).unwrap()] += 1;
    }
    assert!(
        seen.iter().all(|count| (850..1_150).contains(count)),
        "{seen:?}"
    );
    assert_eq!(chance.below(0), 0);
    assert_eq!(chance.weighted(&[0, 3, 0]), 1);
}

#[test]
fn chance_keeps_the_rate_that_it_is_given() {
    let mut chance = Chance::new(7, 0);
    let sum: u64 = (0..10_000).map(|_| chance.around(2_300)).sum();
    assert!((22_500..23_500).contains(&sum), "{sum}");
}

#[test]
fn streams_of_one_seed_are_independent() {
    let draws = |stream| {
        let mut chance = Chance::new(7, stream);
        (0..4).map(|_| chance.below(1_000_000)).collect::<Vec<_>>()
    };
    assert_eq!(draws(0), draws(0));
    assert_ne!(draws(0), draws(1));
}

#[test]
fn the_new_year_stops_trade_in_china_and_nowhere_else() {
    for new_year in ["2025-01-29", "2026-02-17"] {
        let new_year = day(new_year);
        assert!(demand(new_year, Region::China) < 100);
        assert!(demand(new_year, Region::Europe) > 500);
    }
    let weekday = day("2025-01-20");
    assert!(demand(weekday, Region::China) > 1_300);
}

#[test]
fn weekends_are_quiet_and_the_shopping_days_are_not() {
    let ordinary = demand(day("2025-04-09"), Region::China);
    assert!(demand(day("2025-04-12"), Region::China) * 4 < ordinary);
    assert!(demand(day("2025-11-05"), Region::China) > ordinary * 3 / 2);
    let christmas = demand(day("2025-12-25"), Region::America);
    assert!(christmas * 5 < demand(day("2025-12-10"), Region::America));
}

#[test]
fn offices_work_later_and_never_on_a_holiday() {
    let mut chance = Chance::new(7, 0);
    for number in 0..400 {
        let now = start_of(later(day("2025-01-01"), number).0) + 20 * 3_600_000;
        let days = chance.between(0, 9);
        let at = office(&mut chance, now, Region::China, days);
        assert!(at > now);
        if days > 0 {
            assert!(demand(day_of(at), Region::China) >= 300, "{}", day_of(at));
        }
    }
}

#[test]
fn an_agenda_is_read_by_time_and_then_by_entry() {
    let mut agenda = Agenda::new();
    for (at, thing) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b')] {
        agenda.enter(at, thing);
    }
    let read: Vec<_> = std::iter::from_fn(|| agenda.next()).collect();
    assert_eq!(read, [(3, 'a'), (3, 'b'), (5, 'c'), (5, 'd')]);
}
