//! Programs against an oracle: faults are found, and shrink to what matters.

use std::collections::VecDeque;

use thrifty_testkit::{
    Divergence, Ledger, Machine, Op, Program, Rng, fuzz, fuzz_to_the_end, message, quietly,
    run_against_oracle,
};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Push(u64),
    Pop,
    Clear,
}

impl Op for Step {
    fn generate(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self::Clear,
            1 | 2 => Self::Pop,
            _ => Self::Push(rng.below(1000)),
        }
    }

    fn simpler(&self) -> Vec<Self> {
        match self {
            Self::Push(0) | Self::Pop | Self::Clear => Vec::new(),
            Self::Push(item) => vec![Self::Push(0), Self::Push(item / 2), Self::Push(item - 1)],
        }
    }
}

/// What the op returned, and the whole contents.
type Seen = (Option<u64>, Vec<u64>);

fn oracle() -> impl FnMut(&Step) -> Seen {
    let mut all = Vec::new();
    move |step| {
        let returned = match step {
            Step::Push(item) => {
                all.push(*item);
                None
            }
            Step::Pop => (!all.is_empty()).then(|| all.remove(0)),
            Step::Clear => {
                all.clear();
                None
            }
        };
        (returned, all.clone())
    }
}

/// A queue that loses an item above `limit` when it is the third one, and panics on a clear of four.
fn queue(limit: u64, has_a_panic: bool) -> impl FnMut(&Step) -> Seen {
    let mut queue = VecDeque::new();
    move |step| {
        let returned = match step {
            Step::Push(item) => {
                if queue.len() != 2 || *item <= limit {
                    queue.push_back(*item);
                }
                None
            }
            Step::Pop => queue.pop_front(),
            Step::Clear => {
                assert!(
                    !has_a_panic || queue.len() < 4,
                    "a clear of {}",
                    queue.len()
                );
                queue.clear();
                None
            }
        };
        (returned, queue.iter().copied().collect())
    }
}

#[test]
fn a_right_subject_passes_every_program() {
    assert_eq!(
        fuzz(0..20, 200, || (queue(u64::MAX, false), oracle())),
        4000
    );
}

fn failure(subject: impl Fn() -> Box<dyn FnMut(&Step) -> Seen>) -> String {
    let payload =
        quietly(|| fuzz(3..20, 200, || (subject(), oracle()))).expect_err("a fault is found");
    message(&*payload)
}

#[test]
fn a_fault_is_found_and_shrinks_to_what_it_takes() {
    let text = failure(|| Box::new(queue(700, false)));
    let expected = "after op 2, Push(701):\n  \
        subject: (None, [0, 0])\n  \
        oracle:  (None, [0, 0, 701])\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(
        text.ends_with("  0  Push(0)\n  1  Push(0)\n  2  Push(701)\n"),
        "{text}"
    );
    assert!(
        text.contains("from 200 ops of seed ") && text.contains("tests/programs.rs"),
        "{text}"
    );
}

#[test]
fn a_panic_of_the_subject_is_a_fault_too() {
    let text = failure(|| Box::new(queue(u64::MAX, true)));
    assert!(text.contains("subject: panicked: a clear of 4"), "{text}");
    assert!(text.ends_with("  3  Push(0)\n  4  Clear\n"), "{text}");
}

#[test]
fn the_first_difference_is_told() {
    let program = Program::new(vec![
        Step::Push(1),
        Step::Push(2),
        Step::Push(999),
        Step::Pop,
    ]);
    let found = run_against_oracle(queue(9, false), oracle(), &program);
    let Err(Divergence { step, op, .. }) = &found else {
        panic!("{found:?}");
    };
    assert_eq!((*step, op.as_str()), (2, "Push(999)"));
    assert_eq!(
        run_against_oracle(queue(999, false), oracle(), &program),
        Ok(4)
    );
}

#[test]
fn the_last_op_is_compared_too() {
    let program = Program::new((0..100).collect());
    let subject = |op: &u32| op.min(&98).to_owned();
    let found = run_against_oracle(subject, |op: &u32| *op, &program);
    assert_eq!(found.map_err(|found| found.step), Err(99));
}

#[test]
fn a_run_of_nothing_is_refused() {
    for (seeds, len) in [(0..0, 10), (0..10, 0)] {
        let run = || fuzz(seeds, len, || (queue(0, false), oracle()));
        let payload = quietly(run).unwrap_err();
        assert_eq!(message(&*payload), "a fuzz run of no ops");
    }
    let run = || run_against_oracle(queue(0, false), oracle(), &Program::new(Vec::new()));
    let payload = quietly(run).unwrap_err();
    assert_eq!(message(&*payload), "a program of no ops");
}

#[test]
fn a_seed_is_a_program_for_ever() {
    let program = Program::<Step>::seeded(42, 4);
    assert_eq!(program, Program::seeded(42, 4));
    assert_ne!(program, Program::seeded(43, 4));
    // SplitMix64's published first outputs for seed 1234567.
    let mut rng = Rng::new(1_234_567);
    let first = [(); 3].map(|()| rng.next_u64());
    assert_eq!(
        first,
        [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423
        ]
    );
}

#[test]
fn numbers_stay_below_their_end_and_reach_it() {
    let mut rng = Rng::new(1);
    let mut seen = [0; 7];
    for _ in 0..7000 {
        seen[rng.index(7)] += 1;
    }
    assert!(
        seen.iter().all(|count| (800..1200).contains(count)),
        "{seen:?}"
    );
    assert_eq!(rng.below(1), 0);
    assert_eq!(*rng.pick(&["only"]), "only");
}

#[test]
fn shrinking_ends_where_simpler_goes_in_circles() {
    let program = Program::new(vec![1, 2]);
    let shrunk = program.shrunk(|ops| !ops.is_empty(), |op| vec![3 - op]);
    assert_eq!(shrunk.ops().len(), 1);
}

#[cfg(feature = "proptest")]
mod with_proptest {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestError, TestRunner};
    use thrifty_testkit::strategies::{program, program_of};

    use super::*;

    fn runner() -> TestRunner {
        let config = Config {
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(
                proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        )
    }

    fn run(program: &Program<Step>) -> Result<(), TestCaseError> {
        let result = run_against_oracle(queue(700, false), oracle(), program);
        result
            .map(drop)
            .map_err(|found| TestCaseError::fail(found.to_string()))
    }

    #[test]
    fn its_strategies_find_and_shrink_too() {
        let step = prop_oneof![
            (0..1000_u64).prop_map(Step::Push),
            Just(Step::Pop),
            Just(Step::Clear)
        ];
        let found = runner().run(&program_of(step, 1..100), |program| run(&program));
        let Err(TestError::Fail(_, shrunk)) = found else {
            panic!("{found:?}");
        };
        assert_eq!(
            shrunk.to_string(),
            "  0  Push(0)\n  1  Push(0)\n  2  Push(701)\n"
        );
    }

    #[test]
    fn programs_of_nothing_are_not_made() {
        let said = quietly(|| drop(program::<Step>(0..100))).unwrap_err();
        assert_eq!(message(&*said), "programs of no ops");
    }

    #[test]
    fn ops_that_generate_themselves_are_a_strategy() {
        let found = runner().run(&program(1..100), |program| run(&program));
        let Err(TestError::Fail(_, shrunk)) = found else {
            panic!("{found:?}");
        };
        assert!(run(&shrunk).is_err());
        assert!((3..20).contains(&shrunk.ops().len()), "{shrunk}");
    }
}

/// Shows the item that was pushed last, and cannot be dropped while that is 3 or more.
struct Last(u64);

impl Machine<Step> for Last {
    type Seen = u64;

    fn apply(&mut self, step: &Step) -> u64 {
        self.0 = last(step);
        self.0
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        assert!(self.0 < 3, "{} at the end", self.0);
    }
}

fn last(step: &Step) -> u64 {
    match step {
        Step::Push(item) => *item,
        _ => 0,
    }
}

#[test]
fn a_panic_in_the_subject_s_drop_is_a_divergence_with_a_trace() {
    let said = message(&*quietly(|| fuzz(0..50, 20, || (Last(0), last))).unwrap_err());
    for part in [
        "after op 1, the subject's drop:\n  subject: panicked: 3 at the end\n",
        "shrunk from 20 ops of seed ",
        "  0  Push(3)\n",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // What went wrong before is what counts.
    let program = Program::new(vec![Step::Push(7)]);
    let error = run_against_oracle(Last(0), |_: &Step| 0, &program).unwrap_err();
    assert_eq!((error.step, error.subject.as_str()), (0, "7"));
}

#[test]
fn a_value_that_the_subject_lost_is_a_divergence_with_a_trace() {
    let lossy = || {
        let (ledger, mut all) = (Ledger::new(), Vec::new());
        let subject = move |step: &Step| {
            match step {
                Step::Push(_) => all.push(ledger.track(())),
                Step::Pop => drop(all.pop()),
                Step::Clear => all.drain(..).for_each(|value| {
                    let _ = std::mem::ManuallyDrop::new(value);
                }),
            }
            all.len()
        };
        let mut oracle = oracle();
        let oracle = move |step: &Step| oracle(step).1.len();
        (subject, oracle, move || ledger.check())
    };
    let said = message(&*quietly(|| fuzz_to_the_end(0..50, 50, lossy)).unwrap_err());
    for part in [
        "after op 2, the end:\n  subject: 1 of 1 values were never dropped: #0\n",
        "  0  Push(0)\n  1  Clear\n",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn machines_that_show_nothing_are_not_compared() {
    let nothing = |_: &Step| ();
    let said = quietly(|| fuzz(0..5, 5, || (nothing, nothing))).unwrap_err();
    assert_eq!(message(&*said), "a comparison of nothing");
    let program = Program::new(vec![Step::Pop]);
    quietly(|| run_against_oracle(nothing, nothing, &program)).expect_err("likewise");
}
