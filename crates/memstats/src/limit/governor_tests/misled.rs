//! What misleads the deciding logic: stalls that others cause, reclaimers that lie, settings that make no
//! sense, crowds of newcomers.

use super::*;

const PATIENCE: Duration = Duration::from_secs(1);

#[test]
fn a_heap_that_does_not_grow_starts_no_cycle_whatever_the_percentage() {
    for percent in [0, 1, 5, 6, 100, u32::MAX] {
        for live in [0, MIB, 4 * MIB, 100 * MIB] {
            let mut program = Program::new(live, vec![Stock::new(0, Pressure::Low)]);
            let mut controller = Controller::new(&program);
            controller.governor.limit = None;
            controller.governor.percent = Some(percent);
            controller.governor.base = live;
            controller.idle(&mut program, Duration::from_secs(10));
            assert_eq!(controller.cycles, 0, "{percent} % of {live} B");
            program.in_use = (live + live / 10).max(5 * MIB);
            controller.idle(&mut program, Duration::from_secs(10));
            assert!(controller.cycles <= 1, "{percent} % of {live} B");
        }
    }
}

#[test]
fn growth_that_runs_into_the_limit_is_the_limits_business() {
    let mut governor = Governor::new(Tuning::new());
    (governor.limit, governor.percent) = (Some(LIMIT), Some(100));
    // A goal by growth just below that of the limit.
    governor.base = 30 * MIB;
    let reading = Reading {
        live: Some(70 * MIB),
        ..Reading::default()
    };
    let (verdict, _) = governor.judge(Instant::from_nanos(5), reading);
    let Verdict::Trim(plan) = verdict else {
        panic!("it is above the limit")
    };
    assert_eq!((plan.reason, plan.last), (Reason::Limit, Pressure::High));
}

/// A look at a program whose group has waited for so long.
fn look(controller: &mut Controller, program: &mut Program, waited_ms: u64) -> Option<Reason> {
    let reading = Reading {
        waited: Some(Duration::from_millis(waited_ms)),
        ..program.reading()
    };
    let (verdict, _) = controller.governor.judge(program.now(), reading);
    let Verdict::Trim(plan) = verdict else {
        return None;
    };
    let mut order: Vec<_> = (0..controller.crew.len()).collect();
    let outcome = cycle::run(&plan, PATIENCE, &mut controller.crew, &mut order, program);
    controller.governor.finish(program.now(), &plan, &outcome);
    Some(plan.reason)
}

#[test]
fn waiting_for_memory_starts_cycles_where_that_is_asked_for() {
    let stocks = vec![
        Stock::new(2 * MIB, Pressure::Medium),
        Stock::new(8 * MIB, Pressure::High),
    ];
    let mut program = Program::new(10 * MIB, stocks);
    let mut controller = Controller::new(&program);
    let tuning = Tuning::new().with_stall_percent(10);
    controller.governor.tune(tuning);
    let mut waited = 1_000_000;
    assert_eq!(
        look(&mut controller, &mut program, waited),
        None,
        "what was before"
    );
    for (passed, more, reason) in [
        (250, 24, None),
        (250, 26, Some(Reason::Stall)),
        (50, 50, None),
        (200, 0, Some(Reason::Stall)),
        (250, 0, None),
    ] {
        program.nanos += passed * 1_000_000;
        waited += more;
        let began = look(&mut controller, &mut program, waited);
        assert_eq!(began, reason, "{more} of {passed} ms");
    }
    assert_eq!(program.stocks[0].idle, 0);
    assert_eq!(program.stocks[1].idle, 8 * MIB, "others may be to blame");
    assert_eq!(program.stocks[1].calls[2], 0);
    // Neither a group that was left nor a clock that was set back is a stall, or ends them.
    program.nanos += 250_000_000;
    assert_eq!(look(&mut controller, &mut program, 5), None);
    program.nanos = 7;
    assert_eq!(look(&mut controller, &mut program, 5_000_000), None);
    // Once what is left of the pause is over, which the old clock had set.
    program.nanos = 300_000_000_000;
    look(&mut controller, &mut program, 5_000_000);
    program.nanos += 250_000_000;
    let began = look(&mut controller, &mut program, 5_000_200);
    assert_eq!(began, Some(Reason::Stall));
    // A limit that is near is more than that.
    program.grow(1, 60 * MIB);
    program.nanos += 10_000_000_000;
    assert_eq!(
        look(&mut controller, &mut program, 9_000_000),
        Some(Reason::Limit)
    );
    assert!(controller.notices.is_empty());
}

#[test]
fn stalls_that_nobody_can_help_are_answered_less_and_less() {
    let mut program = Program::new(10 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller
        .governor
        .tune(Tuning::new().with_stall_percent(1));
    let mut cycles = 0;
    for step in 0..600 {
        program.nanos += 100_000_000;
        let began = look(&mut controller, &mut program, step * 100);
        cycles += u32::from(began.is_some());
    }
    // Twelve on the way from 5 ms to 5 s, then one each 5 s.
    assert!((10..=30).contains(&cycles), "{cycles} cycles in a minute");
}

#[test]
fn newcomers_are_asked_soon_and_make_no_storm() {
    let mut program = Program::new(100 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(61));
    let cycles = controller.cycles;
    for _ in 0..1000 {
        controller.governor.joined();
        controller.idle(&mut program, Duration::from_millis(1));
    }
    let more = controller.cycles - cycles;
    assert!((2..=200).contains(&more), "{more} cycles in a second");
    assert_eq!(controller.notices, [Notice::Exhausted], "it is said once");
}

#[test]
fn a_cycle_that_was_asked_for_is_not_on_the_limiters_account() {
    let mut program = Program::new(10 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    let plan = Plan {
        reason: Reason::Forced,
        first: Pressure::Low,
        last: Pressure::High,
        target: 0,
        resident_target: Some(0),
        nonheap: 0,
        budget: Duration::MAX,
    };
    let outcome = Outcome {
        took: Duration::from_secs(60),
        satisfied: true,
        before: program.reading(),
        after: program.reading(),
        ..Outcome::default()
    };
    controller.governor.finish(program.now(), &plan, &outcome);
    program.grow(0, 60 * MIB);
    controller.idle(&mut program, Duration::from_millis(100));
    assert_eq!((controller.cycles, program.live()), (1, 10 * MIB));
    assert!(controller.notices.is_empty());
}

#[test]
fn who_lies_is_not_believed() {
    let mut liar = Stock::new(0, Pressure::Low);
    liar.lies = true;
    let mut program = Program::new(100 * MIB, vec![liar]);
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(60));
    assert_eq!(controller.notices, [Notice::Exhausted]);
    assert!(controller.cycles < 30, "{} cycles", controller.cycles);
    assert_eq!(controller.changes[0], (0, Change::Demoted));
    assert!(
        controller.crew[0].bytes > 0,
        "what it says is booked as that"
    );
}

#[test]
fn growth_ends_a_pause_that_was_for_lack_of_anything_to_give() {
    let mut program = Program::new(62 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(61));
    assert_eq!(controller.notices, [Notice::Exhausted]);
    let cycles = controller.cycles;
    program.grow(0, MIB);
    controller.idle(&mut program, Duration::from_millis(20));
    assert_eq!(controller.cycles, cycles, "so little can wait");
    program.grow(0, 3 * MIB);
    let wait = controller.tend(&mut program);
    assert_eq!((wait, program.live()), (Duration::ZERO, 62 * MIB));
    assert_eq!(controller.cycles, cycles + 1, "seconds before its time");
}

/// The controller may be asleep for an hour, and is not woken by a cycle that another thread has run.
#[test]
fn a_cycle_that_was_of_use_leaves_the_bell_where_the_next_begins() {
    let mut program = Program::new(10 * MIB, vec![Stock::new(30 * MIB, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller.governor.limit = None;
    controller.governor.percent = Some(100);
    controller.governor.base = 10 * MIB;
    assert_eq!(controller.tend(&mut program), Duration::ZERO);
    assert_eq!((controller.cycles, program.live()), (1, 10 * MIB));
    assert!(controller.governor.pause_end().is_some());
    let trigger = controller.governor.lines().trigger;
    assert_eq!(controller.governor.bell(), trigger);
}

#[test]
fn no_tuning_is_taken_as_it_is_if_it_makes_no_sense() {
    let mut tuning = Tuning::new();
    tuning.min_pause = Duration::MAX;
    tuning.max_pause = Duration::ZERO;
    (tuning.poll, tuning.window) = (Duration::ZERO, Duration::ZERO);
    tuning.time_percent = 0;
    let mut program = Program::new(100 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller.governor.tune(tuning);
    let taken = controller.governor.tuning;
    assert_eq!((taken.max_pause, taken.time_percent), (Duration::MAX, 1));
    assert!(!taken.poll.is_zero() && !taken.window.is_zero());
    controller.idle(&mut program, Duration::from_secs(5));
    assert_eq!(controller.cycles, 1, "and then the pause of all time");
}
