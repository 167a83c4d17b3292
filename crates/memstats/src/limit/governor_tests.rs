//! The deciding logic against a program that is made up: time, heap and reclaimers are numbers.

use core::time::Duration;

use proptest::prelude::*;
use thrifty_sync::clock::Instant;
use thrifty_traits::Pressure;

use super::super::crew::{Answer, Change, Record};
use super::super::cycle::{self, World};
use super::super::priority::Priority;
use super::super::stats::Reason;
use super::super::tuning::Tuning;
use super::{Governor, Notice, Outcome, Plan, Reading, Verdict};

#[path = "governor_tests/misled.rs"]
mod misled;

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 64 * MIB;

/// A component of the made-up program.
#[derive(Debug, Clone)]
struct Stock {
    idle: u64,
    /// From which level on it gives.
    from: Pressure,
    nanos_per_call: u64,
    panics: bool,
    lies: bool,
    calls: [u32; 3],
}

impl Stock {
    fn new(idle: u64, from: Pressure) -> Self {
        Self {
            idle,
            from,
            nanos_per_call: 10_000,
            panics: false,
            lies: false,
            calls: [0; 3],
        }
    }
}

/// A program with a heap, an allocator that keeps what was freed, and a clock.
struct Program {
    nanos: u64,
    in_use: u64,
    /// Freed, and kept by the allocator.
    kept: u64,
    code: u64,
    stocks: Vec<Stock>,
    can_release: bool,
    releases: u32,
    freed: u64,
}

impl Program {
    fn new(in_use: u64, stocks: Vec<Stock>) -> Self {
        Self {
            nanos: 1,
            in_use,
            kept: 0,
            code: 2 * MIB,
            stocks,
            can_release: true,
            releases: 0,
            // About to wrap.
            freed: u64::MAX - 10,
        }
    }

    fn live(&self) -> u64 {
        self.in_use + self.stocks.iter().map(|stock| stock.idle).sum::<u64>()
    }

    fn resident(&self) -> u64 {
        self.live() + self.kept + self.code
    }

    /// Idle memory that is allocated anew comes out of what the allocator keeps.
    fn grow(&mut self, stock: usize, bytes: u64) {
        self.stocks[stock].idle += bytes;
        self.kept = self.kept.saturating_sub(bytes);
    }
}

impl World for Program {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.nanos)
    }

    fn reading(&self) -> Reading {
        Reading {
            live: Some(self.live()),
            freed: Some(self.freed),
            waited: None,
            resident: Some(self.resident()),
        }
    }

    fn ask(&mut self, member: usize, pressure: Pressure, _: Duration) -> Answer {
        let stock = &mut self.stocks[member];
        stock.calls[pressure as usize] += 1;
        self.nanos += stock.nanos_per_call;
        if stock.panics {
            return Answer::Panicked;
        }
        if pressure < stock.from {
            return Answer::Gave(0);
        }
        let bytes = core::mem::take(&mut stock.idle);
        self.kept += bytes;
        self.freed = self.freed.wrapping_add(bytes);
        Answer::Gave(if stock.lies { u64::MAX } else { bytes })
    }

    fn release(&mut self) -> bool {
        self.releases += 1;
        self.nanos += 100_000;
        if self.can_release {
            self.kept = 0;
        }
        self.can_release
    }
}

/// The governor with its crew, driven as the controller's thread drives it.
struct Controller {
    governor: Governor,
    crew: Vec<Record>,
    cycles: u32,
    spent: Duration,
    notices: Vec<Notice>,
    changes: Vec<(usize, Change)>,
}

impl Controller {
    fn new(program: &Program) -> Self {
        let mut governor = Governor::new(Tuning::new());
        governor.limit = Some(LIMIT);
        Self {
            governor,
            crew: vec![Record::new(Priority::Normal); program.stocks.len()],
            cycles: 0,
            spent: Duration::ZERO,
            notices: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// One look, and a cycle if one is due. `None` if not, or how long to wait.
    fn tend(&mut self, program: &mut Program) -> Duration {
        let (verdict, notice) = self.governor.judge(program.now(), program.reading());
        self.notices.extend(notice);
        match verdict {
            Verdict::Rest { wait, .. } => wait,
            Verdict::Trim(plan) => {
                let deadline = self.governor.tuning.deadline;
                let mut order: Vec<_> = (0..self.crew.len()).collect();
                let outcome = cycle::run(&plan, deadline, &mut self.crew, &mut order, program);
                for (member, record) in self.crew.iter_mut().enumerate() {
                    let change = record.close(outcome.wanted);
                    self.changes.extend(change.map(|change| (member, change)));
                }
                self.cycles += 1;
                self.spent += outcome.took;
                let notice = self.governor.finish(program.now(), &plan, &outcome);
                self.notices.extend(notice);
                Duration::ZERO
            }
        }
    }

    /// Lets the program stand still for so long.
    fn idle(&mut self, program: &mut Program, time: Duration) {
        let end = program.nanos + u64::try_from(time.as_nanos()).unwrap();
        while program.nanos < end {
            let wait = self.tend(program);
            program.nanos += u64::try_from(wait.as_nanos())
                .unwrap()
                .min(end - program.nanos);
        }
    }
}

#[test]
fn the_goal_is_the_lesser_of_growth_and_limit() {
    let mut governor = Governor::new(Tuning::new());
    assert_eq!(governor.lines().goal, None);
    governor.percent = Some(100);
    governor.base = 10 * MIB;
    assert_eq!(governor.lines().goal, Some(20 * MIB));
    governor.limit = Some(100 * MIB);
    assert_eq!(governor.lines().goal, Some(20 * MIB));
    governor.base = 90 * MIB;
    governor.nonheap = 5 * MIB;
    assert_eq!(
        governor.lines().goal,
        Some(90 * MIB),
        "limit - 5% - nonheap"
    );
    governor.percent = None;
    assert_eq!(governor.lines().trigger, Some(90 * MIB - 90 * MIB / 20));
    governor.nonheap = u64::MAX;
    assert_eq!(governor.lines().goal, Some(0));
    governor.limit = None;
    governor.percent = Some(u32::MAX);
    governor.base = u64::MAX;
    assert_eq!(governor.lines().goal, Some(u64::MAX), "nothing overflows");
    governor.base = 0;
    assert_eq!(
        governor.lines().goal,
        Some(4 * MIB),
        "small heaps are left alone"
    );
}

#[test]
fn a_limit_below_what_is_in_use_is_told_once_and_does_not_spin() {
    let mut program = Program::new(100 * MIB, vec![Stock::new(0, Pressure::Low)]);
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(60));
    assert_eq!(controller.notices, [Notice::Exhausted]);
    // Doubling from 5 ms to 5 s is 11 cycles in the first 10 s, and then one each 5 s.
    assert!(
        (15..30).contains(&controller.cycles),
        "{} cycles",
        controller.cycles
    );
}

#[test]
fn a_steady_heap_is_trimmed_once() {
    let stocks = vec![Stock::new(70 * MIB, Pressure::Low)];
    let mut program = Program::new(30 * MIB, stocks);
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(60));
    assert_eq!((controller.cycles, program.live()), (1, 30 * MIB));
    assert!(
        program.resident() < LIMIT,
        "what the allocator kept went back"
    );
    assert!(controller.notices.is_empty());
}

#[test]
fn what_is_resident_alone_starts_a_cycle_too() {
    let mut program = Program::new(10 * MIB, vec![Stock::new(0, Pressure::Low)]);
    program.kept = 60 * MIB;
    let mut controller = Controller::new(&program);
    controller.idle(&mut program, Duration::from_secs(5));
    assert_eq!((controller.cycles, program.kept), (1, 0));
    assert_eq!(
        program.stocks[0].calls, [0; 3],
        "nobody had to give anything"
    );
}

#[test]
fn pressure_grows_only_as_far_as_it_must() {
    let stocks = vec![
        Stock::new(30 * MIB, Pressure::Medium),
        Stock::new(30 * MIB, Pressure::High),
    ];
    let mut program = Program::new(2 * MIB, stocks);
    let mut controller = Controller::new(&program);
    controller.tend(&mut program);
    assert_eq!(program.stocks[0].idle, 0);
    assert_eq!(
        program.stocks[1].idle,
        30 * MIB,
        "the dear one was left alone"
    );
    assert_eq!(program.stocks[1].calls[2], 0);
}

#[test]
fn growth_asks_everybody_once_and_gently() {
    let stocks = vec![
        Stock::new(8 * MIB, Pressure::Low),
        Stock::new(8 * MIB, Pressure::High),
    ];
    let mut program = Program::new(4 * MIB, stocks);
    let mut controller = Controller::new(&program);
    controller.governor.limit = None;
    controller.governor.percent = Some(100);
    controller.governor.base = 4 * MIB;
    controller.idle(&mut program, Duration::from_secs(60));
    assert_eq!(controller.cycles, 1);
    assert_eq!(
        program
            .stocks
            .iter()
            .map(|s| s.calls[0])
            .collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(program.stocks[1].calls, [1, 0, 0]);
    assert_eq!(controller.governor.base, 12 * MIB);
    assert_eq!(controller.governor.lines().goal, Some(24 * MIB));
}

#[test]
fn the_limiter_engages_when_trimming_takes_all_the_time() {
    let mut stock = Stock::new(0, Pressure::Low);
    stock.nanos_per_call = 20_000_000;
    let mut program = Program::new(40 * MIB, vec![stock]);
    let mut controller = Controller::new(&program);
    let start = program.nanos;
    // Each cycle helps, and the next is due at once: a death spiral.
    while program.nanos - start < 20_000_000_000 {
        if program.live() < 66 * MIB {
            program.grow(0, 30 * MIB);
        }
        let wait = controller.tend(&mut program).min(Duration::from_millis(1));
        program.nanos += u64::try_from(wait.as_nanos()).unwrap();
    }
    assert!(controller.notices.contains(&Notice::Limited));
    let share = controller.spent.as_secs_f64() / 20.0;
    assert!(share < 0.10 + 0.02, "{:.1}% of the time", share * 100.0);
    assert!(share > 0.05, "the share is used");
}

#[test]
fn who_has_nothing_is_asked_less() {
    let stocks = vec![Stock::new(0, Pressure::Low), Stock::new(0, Pressure::Low)];
    let mut program = Program::new(30 * MIB, stocks);
    program.stocks[1].panics = true;
    let mut controller = Controller::new(&program);
    for _ in 0..100 {
        program.grow(0, 40 * MIB);
        controller.idle(&mut program, Duration::from_millis(500));
    }
    assert!(controller.cycles >= 90, "{}", controller.cycles);
    assert_eq!(
        program.stocks[0].calls.iter().sum::<u32>(),
        controller.cycles
    );
    let panicking: u32 = program.stocks[1].calls.iter().sum();
    assert!(panicking < 20, "asked {panicking} times though it panics");
}

#[test]
fn a_useless_one_is_demoted() {
    let stocks = vec![
        Stock::new(0, Pressure::Low),
        Stock::new(0, Pressure::Medium),
    ];
    let mut program = Program::new(28 * MIB, stocks);
    let mut controller = Controller::new(&program);
    for _ in 0..10 {
        program.grow(1, 32 * MIB);
        controller.idle(&mut program, Duration::from_millis(300));
    }
    assert_eq!(controller.cycles, 10);
    assert_eq!(controller.changes[0], (0, Change::Demoted));
    assert_eq!(
        program.stocks[0].calls[0], 3,
        "and then no more at low pressure"
    );
    assert_eq!(program.stocks[1].calls[1], 10);
}

#[test]
fn a_clock_that_goes_backwards_stops_nothing() {
    let mut program = Program::new(30 * MIB, vec![Stock::new(0, Pressure::Low)]);
    program.nanos = 1 << 60;
    let mut controller = Controller::new(&program);
    program.grow(0, 40 * MIB);
    controller.tend(&mut program);
    assert_eq!(controller.cycles, 1);
    program.nanos = 5;
    program.grow(0, 40 * MIB);
    controller.idle(&mut program, Duration::from_secs(300));
    assert_eq!(
        controller.cycles, 2,
        "the pause ends though the clock was set back"
    );
}

#[test]
fn nothing_measured_is_nothing_judged() {
    let mut governor = Governor::new(Tuning::new());
    governor.limit = Some(1);
    governor.percent = Some(1);
    let (verdict, notice) = governor.judge(Instant::from_nanos(5), Reading::default());
    assert!(matches!(verdict, Verdict::Rest { listen: true, .. }));
    assert_eq!(notice, None);
    let resident = Reading {
        resident: Some(1 << 30),
        ..Reading::default()
    };
    let (verdict, _) = governor.judge(Instant::from_nanos(5), resident);
    let Verdict::Trim(plan) = verdict else {
        panic!("what is resident is above the limit")
    };
    assert_eq!(plan.reason, Reason::Limit);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever a program does whose reclaimers hold enough: it stays below its limit, the share of
    /// time holds, and the number of cycles is what the growth asks for.
    #[test]
    fn under_the_limit_without_oscillation(
        steps in prop::collection::vec((0_usize..3, 0_u64..2 * MIB, 0_u64..4), 1..600),
        in_use in 0_u64..40 * MIB,
    ) {
        let stocks = [Pressure::Low, Pressure::Medium, Pressure::High]
            .map(|from| Stock::new(0, from))
            .to_vec();
        let mut program = Program::new(in_use, stocks);
        let mut controller = Controller::new(&program);
        let (start, mut grown) = (program.nanos, 0);
        for (stock, bytes, ms) in steps {
            program.grow(stock, bytes);
            grown += bytes;
            // A step is longer than the least pause, so each can be answered.
            controller.idle(&mut program, Duration::from_millis(6 + ms));
            prop_assert!(program.live() <= LIMIT, "{} MiB live", program.live() / MIB);
            prop_assert!(program.resident() <= LIMIT + LIMIT * 15 / 100);
        }
        let wall = Duration::from_nanos(program.nanos - start);
        prop_assert!(controller.spent <= wall / 10 + Duration::from_millis(220));
        // INVARIANT: 1 of the governor: each cycle needs some MiB of growth.
        let most = grown / (LIMIT / 25) + 1;
        prop_assert!(u64::from(controller.cycles) <= most, "{} cycles for {} MiB", controller.cycles, grown / MIB);
        prop_assert!(controller.notices.is_empty(), "{:?}", controller.notices);
    }

    /// Whatever the readings and answers are, cycles keep their distance and their share.
    #[test]
    fn no_reading_makes_it_spin(
        readings in prop::collection::vec((any::<u64>(), any::<u64>(), 0_u64..10_000_000), 1..300),
        limit in 1_u64..,
        percent in prop::option::of(any::<u32>()),
    ) {
        let mut governor = Governor::new(Tuning::new());
        governor.limit = Some(limit);
        governor.percent = percent;
        let mut program = Program::new(0, vec![Stock::new(0, Pressure::Low)]);
        let mut controller = Controller::new(&program);
        controller.governor = governor;
        let start = program.nanos;
        for (live, resident, pause) in readings {
            program.in_use = live / 2;
            program.code = resident / 4;
            program.nanos += pause;
            controller.tend(&mut program);
        }
        let wall = program.nanos - start;
        prop_assert!(u64::from(controller.cycles) <= wall / 5_000_000 + 1);
    }
}
