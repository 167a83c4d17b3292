use core::{cell::Cell, time::Duration};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{Broken, Effort, Standing, measure};
use crate::suite::{Bar, Row, Subject, Worker, each, opaque};

/// Notes who was called, and answers 1 per iteration.
struct Noted {
    letter: char,
    calls: Arc<Mutex<String>>,
}

impl Subject for Noted {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        let mut calls = 0;
        Box::new(each(move || {
            calls += 1;
            // The first two are the calibration's: one call is longer than the turn.
            if thread == 0 && calls > 2 {
                self.calls.lock().unwrap().push(self.letter);
            }
            thread::sleep(Duration::from_millis(2));
            1
        }))
    }
}

const EFFORT: Effort = Effort {
    rounds: 3,
    stretch: 1,
};

#[test]
fn sides_take_turns_with_the_control_and_the_first_round_is_thrown_away() {
    for threads in [1, 2] {
        let calls = Arc::new(Mutex::new(String::new()));
        let noted = |letter| {
            let calls = Arc::clone(&calls);
            move || Noted {
                letter,
                calls: Arc::clone(&calls),
            }
        };
        let row = Row::new(format!("test/turns/{threads}t"), "the order of turns")
            .oracle(|| 1)
            .budget(Duration::ZERO)
            .shared("a", noted('a'))
            .shared("b", noted('b'));
        let mut steps = 0;
        let measured = measure(&row, EFFORT, |_| {
            steps += 1;
            true
        })
        .unwrap();
        let calls = calls.lock().unwrap().clone();
        // The control is a second `a` at the end; a noisy machine makes the rounds run twice.
        // Three sides have a period of six rounds, so three asked for become six.
        assert!(calls.starts_with("abaababaaaabaabbaaaba"), "{calls}");
        assert_eq!(steps, calls.len() / 3);
        let rounds = measured.sides.iter().map(|side| side.series.rounds().len());
        assert_eq!(rounds.collect::<Vec<_>>(), [6, 6]);
        assert!(measured.sides.iter().all(|side| side.operations == 1));
        assert!(
            measured
                .sides
                .iter()
                .all(|side| side.series.min() >= 2_000_000.0)
        );
    }
}

fn answering(answer: u64) -> Row {
    Row::new("test/answers/1t", "who answers what")
        .oracle(|| 7)
        .budget(Duration::ZERO)
        .contestant("right", || each(|| opaque(7)))
        .contestant("other", move || each(move || opaque(answer)))
}

#[test]
fn a_wrong_answer_ends_the_row() {
    assert!(measure(&answering(7), EFFORT, |_| true).is_ok());
    let Err(Broken::Wrong(why)) = measure(&answering(8), EFFORT, |_| true) else {
        panic!("8 passes for 7");
    };
    assert!(why.contains("test/answers/1t: 'other' answers"), "{why}");
}

#[test]
fn an_answer_that_goes_wrong_later_ends_the_row() {
    let row = answering(7).contestant("tiring", || {
        let mut count = 0_u64;
        each(move || {
            count += 1;
            if count > 5_000 { 6 } else { opaque(7) }
        })
    });
    assert!(matches!(
        measure(&row, EFFORT, |_| true),
        Err(Broken::Wrong(_))
    ));
}

#[test]
fn one_thread_of_many_that_panics_ends_the_row() {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let row = Row::new("test/panic/3t", "one of three threads panics")
        .oracle(|| 1)
        .budget(Duration::ZERO)
        .contestant("careless", || {
            each(|| {
                assert!(CALLS.fetch_add(1, Ordering::Relaxed) != 5, "planted");
                1
            })
        });
    let Err(Broken::Wrong(why)) = measure(&row, EFFORT, |_| true) else {
        panic!("a panic is no answer");
    };
    assert_eq!(why, "test/panic/3t: 'careless' panicked");
}

#[test]
fn a_row_needs_an_oracle_and_contestants() {
    let bare = Row::new("test/bare/1t", "nothing in it");
    let Err(Broken::Wrong(why)) = measure(&bare, EFFORT, |_| true) else {
        panic!("measured nothing");
    };
    assert!(why.contains("no contestants"), "{why}");
    let row = Row::new("test/bare/1t", "no oracle").contestant("a", || each(|| 1));
    let Err(Broken::Wrong(why)) = measure(&row, EFFORT, |_| true) else {
        panic!("held to nothing");
    };
    assert!(why.contains("no oracle"), "{why}");
}

#[test]
fn a_row_can_be_given_up_between_rounds() {
    let rounds = Cell::new(0);
    let outcome = measure(&answering(7), EFFORT, |_| {
        rounds.set(rounds.get() + 1);
        rounds.get() < 2
    });
    assert_eq!(outcome.unwrap_err(), Broken::Stopped);
    assert_eq!(rounds.get(), 2);
}

fn sleepy(milliseconds: u64) -> impl Worker {
    each(move || {
        thread::sleep(Duration::from_millis(milliseconds));
        1
    })
}

#[test]
fn a_side_that_was_built_wrong_makes_the_row_invalid() {
    let row = || {
        Row::new("test/sane/1t", "a planted slow side")
            .oracle(|| 1)
            .budget(Duration::ZERO)
            .contestant("quick", || each(|| opaque(1)))
            .contestant("planted", || sleepy(1))
    };
    let measured = measure(&row().sane_within("planted", "quick", 3.0), EFFORT, |_| {
        true
    })
    .unwrap();
    let why = measured.invalid.unwrap();
    assert!(
        why.contains("'planted'") && why.contains("DESIGN §3.9"),
        "{why}"
    );
    let measured = measure(&row().sane_within("planted", "quick", 1e12), EFFORT, |_| {
        true
    })
    .unwrap();
    assert_eq!(measured.invalid, None);
    let measured = measure(&row().sane_within("absent", "quick", 0.1), EFFORT, |_| true);
    assert_eq!(measured.unwrap().invalid, None, "not in this build");
}

#[test]
fn bars_are_held_against_the_sides_that_are_there() {
    let times = |subject, most| Bar::Times {
        subject,
        against: &["slow", "absent"],
        most,
    };
    let extra = |base, most| Bar::Extra {
        subject: "slow",
        base,
        most,
    };
    let row = Row::new("test/bars/1t", "one side takes much longer")
        .oracle(|| 1)
        .budget(Duration::ZERO)
        .contestant("fast", || sleepy(1))
        .contestant("slow", || sleepy(30))
        .bar(times("fast", 0.9))
        .bar(times("fast", 0.001))
        .bar(times("absent", 1.0))
        .bar(extra("fast", 1e9))
        .bar(extra("fast", 1.0))
        .bar(extra("absent", 1.0));
    let measured = measure(&row, EFFORT, |_| true).unwrap();
    let missed: Vec<bool> = measured
        .verdicts
        .iter()
        .map(|verdict| verdict.found.low > verdict.most)
        .collect();
    assert_eq!(
        missed,
        [false, true, false, true],
        "{:?}",
        measured.verdicts
    );
    assert_eq!(measured.verdicts[0].bar, "fast / slow ≤ 0.9");
    assert_eq!(
        measured.unjudged.len(),
        2,
        "a bar without its contestants is told of"
    );
    assert_eq!(measured.fastest().name, "fast");
    let side = |name| measured.side(name).unwrap();
    assert_eq!(side("slow").beside(side("fast")), Standing::Slower);
    assert_eq!(side("fast").beside(side("slow")), Standing::Faster);
    assert_eq!(side("fast").beside(side("fast")), Standing::Even);
}
