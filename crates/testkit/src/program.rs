//! Op programs: run against a subject and an oracle, compared after every op, shrunk to a trace.

#![forbid(unsafe_code)]

use std::fmt;
use std::ops::Range;
use std::panic::Location;

use crate::quiet::{message, quietly};

/// A plain seeded generator (SplitMix64): the same numbers everywhere, for ever.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::Rng;
///
/// let mut rng = Rng::new(7);
/// let sizes: Vec<u64> = (0..3).map(|_| rng.below(100)).collect();
/// assert_eq!(sizes, (0..3).map({ let mut rng = Rng::new(7); move |_| rng.below(100) }).collect::<Vec<_>>());
/// ```
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Starts at a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, by the high bits of a product, so hardly biased.
    ///
    /// # Panics
    ///
    /// If `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "there is no number below 0");
        let wide = (self.next_u64() as u128) * (end as u128);
        (wide >> 64) as u64
    }

    /// An index into something of this length.
    ///
    /// # Panics
    ///
    /// If the length is 0.
    pub fn index(&mut self, len: usize) -> usize {
        let index = self.below(len as u64);
        usize::try_from(index).expect("below a usize")
    }

    /// One of the items.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }
}

/// One step of a program.
///
/// # Examples
///
/// See [`fuzz`].
pub trait Op: Clone + fmt::Debug {
    /// Makes an op. Wild arguments are welcome: ops say "the `n`th live one, modulo how many there
    /// are" rather than an index, so that a program stays meaningful when ops before are removed.
    fn generate(rng: &mut Rng) -> Self;

    /// Ops that do less, the least first, to be tried when a failing program shrinks. Each must be
    /// simpler in the same sense, or shrinking goes in circles until its budget ends.
    fn simpler(&self) -> Vec<Self> {
        Vec::new()
    }
}

/// A sequence of ops. Displays as a numbered trace, one op per line.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::Program;
///
/// let program = Program::new(vec!["push 1", "pop"]);
/// assert_eq!(program.to_string(), "  0  \"push 1\"\n  1  \"pop\"\n");
/// let shrunk = program.shrunk(|ops| ops.contains(&"pop"), |_| Vec::new());
/// assert_eq!(shrunk.ops(), ["pop"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Program<O> {
    ops: Vec<O>,
}

impl<O> Program<O> {
    /// Of these ops.
    #[must_use]
    pub const fn new(ops: Vec<O>) -> Self {
        Self { ops }
    }

    /// The ops in order.
    #[must_use]
    pub fn ops(&self) -> &[O] {
        &self.ops
    }
}

impl<O: Op> Program<O> {
    /// The program of this seed and length.
    #[must_use]
    pub fn seeded(seed: u64, len: usize) -> Self {
        let mut rng = Rng::new(seed);
        Self::new((0..len).map(|_| O::generate(&mut rng)).collect())
    }
}

impl<O: Clone> Program<O> {
    /// A small program that still fails: first without runs of ops, halving, then with simpler ops.
    ///
    /// `fails` is called at most a few thousand times, without any ops too; [`run_against_oracle`]
    /// refuses those.
    #[must_use]
    pub fn shrunk(
        &self,
        mut fails: impl FnMut(&[O]) -> bool,
        simpler: impl Fn(&O) -> Vec<O>,
    ) -> Self {
        let mut budget = 4000_u32;
        let mut fails = |ops: &[O]| {
            budget = budget.saturating_sub(1);
            budget > 0 && fails(ops)
        };
        let mut ops = self.ops.clone();
        loop {
            let before = ops.len();
            let mut run = ops.len().div_ceil(2);
            while run > 0 {
                without_runs(&mut ops, run, &mut fails);
                run /= 2;
            }
            let mut has_changed = ops.len() < before;
            for at in 0..ops.len() {
                for candidate in simpler(&ops[at]) {
                    let previous = std::mem::replace(&mut ops[at], candidate);
                    if fails(&ops) {
                        has_changed = true;
                        break;
                    }
                    ops[at] = previous;
                }
            }
            if !has_changed {
                return Self::new(ops);
            }
        }
    }
}

/// Removes every run of this length without which the program still fails, last ones first.
fn without_runs<O: Clone>(ops: &mut Vec<O>, run: usize, fails: &mut impl FnMut(&[O]) -> bool) {
    let mut end = ops.len();
    while end > 0 {
        let start = end.saturating_sub(run);
        let mut candidate = ops.clone();
        candidate.drain(start..end);
        if fails(&candidate) {
            *ops = candidate;
        }
        end = start;
    }
}

impl<O: fmt::Debug> fmt::Display for Program<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, op) in self.ops.iter().enumerate() {
            writeln!(f, "{at:3}  {op:?}")?;
        }
        Ok(())
    }
}

/// What ops are applied to: a subject, or its oracle. Closures are.
///
/// `Seen` is all that the two must agree on: what the op returned, and what the whole then looks
/// like. The more is in it, the sooner a fault shows.
pub trait Machine<O> {
    /// What can be seen after an op.
    type Seen;

    /// Applies one op.
    fn apply(&mut self, op: &O) -> Self::Seen;
}

impl<O, S, F: FnMut(&O) -> S> Machine<O> for F {
    type Seen = S;

    fn apply(&mut self, op: &O) -> S {
        self(op)
    }
}

/// Where a subject and its oracle part ways.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divergence {
    /// Which op, from 0; at the subject's end, how many there were.
    pub step: usize,
    /// That op; at the end, what came last.
    pub op: String,
    /// What the subject shows, or its panic.
    pub subject: String,
    /// What the oracle shows.
    pub oracle: String,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            step,
            op,
            subject,
            oracle,
        } = self;
        write!(
            f,
            "after op {step}, {op}:\n  subject: {subject}\n  oracle:  {oracle}"
        )
    }
}

impl std::error::Error for Divergence {}

/// Applies each op to both, and compares what both then show. Drops the subject first.
///
/// A panic of the subject, in its drop too, is a divergence; one of the oracle is the test's own
/// fault and goes on.
///
/// # Errors
///
/// The first difference.
///
/// # Panics
///
/// Where the program has no ops, or the machines show a type that has one value only: no difference
/// would ever be seen.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Program, run_against_oracle};
///
/// let program = Program::new(vec![3, 9, 4]);
/// let (mut sum, mut all) = (0_u8, Vec::new());
/// let subject = |op: &u8| { sum += op; sum };
/// let oracle = |op: &u8| { all.push(*op); all.iter().sum() };
/// assert_eq!(run_against_oracle(subject, oracle, &program), Ok(3));
/// ```
#[track_caller]
pub fn run_against_oracle<O, S>(
    subject: impl Machine<O, Seen = S>,
    oracle: impl Machine<O, Seen = S>,
    program: &Program<O>,
) -> Result<usize, Divergence>
where
    O: fmt::Debug,
    S: PartialEq + fmt::Debug,
{
    assert!(!program.ops.is_empty(), "a program of no ops");
    assert!(size_of::<S>() > 0, "a comparison of nothing");
    run_to_the_end(subject, oracle, || Ok(()), program)
}

/// As [`run_against_oracle`], and calls `finish` when both are gone.
fn run_to_the_end<O, S>(
    mut subject: impl Machine<O, Seen = S>,
    mut oracle: impl Machine<O, Seen = S>,
    finish: impl FnOnce() -> Result<(), String>,
    program: &Program<O>,
) -> Result<usize, Divergence>
where
    O: fmt::Debug,
    S: PartialEq + fmt::Debug,
{
    let compared = compare(&mut subject, &mut oracle, program);
    // Before the error is returned, since a subject that went wrong may well panic here as well.
    let dropped = quietly(|| drop(subject));
    compared?;
    drop(oracle);
    let end = |op: &str, subject, oracle: &str| {
        Err(Divergence {
            step: program.ops.len(),
            op: op.to_owned(),
            subject,
            oracle: oracle.to_owned(),
        })
    };
    if let Err(payload) = dropped {
        let what = format!("panicked: {}", message(&*payload));
        return end("the subject's drop", what, "goes on");
    }
    match finish() {
        Ok(()) => Ok(program.ops.len()),
        Err(what) => end("the end", what, "nothing is wrong"),
    }
}

fn compare<O, S>(
    subject: &mut impl Machine<O, Seen = S>,
    oracle: &mut impl Machine<O, Seen = S>,
    program: &Program<O>,
) -> Result<(), Divergence>
where
    O: fmt::Debug,
    S: PartialEq + fmt::Debug,
{
    for (step, op) in program.ops.iter().enumerate() {
        let seen = quietly(|| subject.apply(op));
        let expected = oracle.apply(op);
        let shown = match seen {
            Ok(seen) if seen == expected => continue,
            Ok(seen) => format!("{seen:?}"),
            Err(payload) => format!("panicked: {}", message(&*payload)),
        };
        return Err(Divergence {
            step,
            op: format!("{op:?}"),
            subject: shown,
            oracle: format!("{expected:?}"),
        });
    }
    Ok(())
}

/// Runs the programs of some seeds, each on a fresh subject and oracle. Returns how many ops ran.
///
/// # Panics
///
/// On a divergence: with the shrunk program's trace, the seed and the length. Also without a seed,
/// with a length of 0, or where what is shown has one value only, since nothing would be compared.
///
/// # Examples
///
/// ```
/// use std::collections::VecDeque;
/// use thrifty_testkit::{Op, Rng, fuzz};
///
/// #[derive(Debug, Clone)]
/// enum Queue { Push(u8), Pop }
///
/// impl Op for Queue {
///     fn generate(rng: &mut Rng) -> Self {
///         match rng.below(3) {
///             0 => Self::Pop,
///             _ => Self::Push(rng.below(10) as u8),
///         }
///     }
///
///     fn simpler(&self) -> Vec<Self> {
///         match self {
///             Self::Push(1..) => vec![Self::Push(0)],
///             _ => Vec::new(),
///         }
///     }
/// }
///
/// fuzz(0..50, 100, || {
///     let (mut deque, mut vec) = (VecDeque::new(), Vec::new());
///     let subject = move |op: &Queue| match op {
///         Queue::Push(item) => { deque.push_back(*item); None }
///         Queue::Pop => deque.pop_front(),
///     };
///     let oracle = move |op: &Queue| match op {
///         Queue::Push(item) => { vec.push(*item); None }
///         Queue::Pop => (!vec.is_empty()).then(|| vec.remove(0)),
///     };
///     (subject, oracle)
/// });
/// ```
#[track_caller]
pub fn fuzz<O, S, A, B>(seeds: Range<u64>, len: usize, mut make: impl FnMut() -> (A, B)) -> usize
where
    O: Op,
    S: PartialEq + fmt::Debug,
    A: Machine<O, Seen = S>,
    B: Machine<O, Seen = S>,
{
    fuzz_to_the_end(seeds, len, || {
        let (subject, oracle) = make();
        (subject, oracle, || Ok(()))
    })
}

/// As [`fuzz`], with a third part to each run: called when subject and oracle are dropped, it says
/// what is wrong then. A ledger belongs here; make it in the run, or one failure spoils the later
/// ones and nothing shrinks.
///
/// # Panics
///
/// As [`fuzz`] does, and where the third part has an error.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Ledger, Op, Rng, fuzz_to_the_end};
///
/// #[derive(Debug, Clone)]
/// struct Push(u8);
///
/// impl Op for Push {
///     fn generate(rng: &mut Rng) -> Self {
///         Self(rng.below(10) as u8)
///     }
/// }
///
/// fuzz_to_the_end(0..20, 30, || {
///     let (ledger, mut all, mut len) = (Ledger::new(), Vec::new(), 0);
///     let subject = move |op: &Push| { all.push(ledger.track(op.0)); all.len() };
///     let oracle = move |_: &Push| { len += 1; len };
///     (subject, oracle, move || ledger.check())
/// });
/// ```
#[track_caller]
pub fn fuzz_to_the_end<O, S, A, B, C>(
    seeds: Range<u64>,
    len: usize,
    mut make: impl FnMut() -> (A, B, C),
) -> usize
where
    O: Op,
    S: PartialEq + fmt::Debug,
    A: Machine<O, Seen = S>,
    B: Machine<O, Seen = S>,
    C: FnOnce() -> Result<(), String>,
{
    assert!(!seeds.is_empty() && len > 0, "a fuzz run of no ops");
    assert!(size_of::<S>() > 0, "a comparison of nothing");
    let caller = Location::caller();
    let mut run = |program: &Program<O>| {
        let (subject, oracle, finish) = make();
        run_to_the_end(subject, oracle, finish, program)
    };
    let mut ops = 0;
    for seed in seeds {
        let program = Program::<O>::seeded(seed, len);
        let Err(first) = run(&program) else {
            ops += len;
            continue;
        };
        let shrunk = program.shrunk(|ops| run(&Program::new(ops.to_vec())).is_err(), O::simpler);
        let divergence = run(&shrunk).err().unwrap_or(first);
        panic!(
            "{divergence}\nprogram, shrunk from {len} ops of seed {seed} (at {caller}):\n{shrunk}"
        );
    }
    ops
}

/// Strategies for [proptest](https://docs.rs/proptest), which shrinks by itself.
#[cfg(feature = "proptest")]
pub mod strategies {
    use std::fmt;
    use std::ops::Range;

    use proptest::prelude::*;

    use super::{Op, Program, Rng};

    /// Programs of ops from another strategy.
    ///
    /// # Panics
    ///
    /// Where the length may be 0: [`run_against_oracle`](crate::run_against_oracle) refuses such a
    /// program, though only in the runs that come upon it.
    ///
    /// # Examples
    ///
    /// ```
    /// use proptest::prelude::*;
    /// use thrifty_testkit::strategies::program_of;
    ///
    /// proptest! {
    ///     fn in_bounds(program in program_of(0..9_u8, 1..20)) {
    ///         prop_assert!(program.ops().len() < 20);
    ///     }
    /// }
    /// # in_bounds();
    /// ```
    pub fn program_of<O: fmt::Debug>(
        op: impl Strategy<Value = O>,
        len: Range<usize>,
    ) -> impl Strategy<Value = Program<O>> {
        assert!(len.start > 0, "programs of no ops");
        proptest::collection::vec(op, len).prop_map(Program::new)
    }

    /// Programs of ops that generate themselves. They shrink by losing ops; the ops stay.
    ///
    /// # Panics
    ///
    /// As [`program_of`] does.
    pub fn program<O: Op>(len: Range<usize>) -> impl Strategy<Value = Program<O>> {
        let op = any::<u64>()
            .prop_map(|seed| O::generate(&mut Rng::new(seed)))
            .no_shrink();
        program_of(op, len)
    }
}
