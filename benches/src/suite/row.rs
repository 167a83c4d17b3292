//! A row: its contestants, its oracle, its bar.

use alloc::sync::Arc;
use core::{fmt, time::Duration};

use super::{Id, Subject, Worker};

/// One comparison.
#[derive(Debug)]
pub struct Row {
    id: Id,
    reason: &'static str,
    operations: u64,
    budget: Duration,
    is_thorough: bool,
    is_elsewhere: bool,
    oracle: Option<Oracle>,
    contestants: Vec<Contestant>,
    bars: Vec<Bar>,
    sane: Vec<Sane>,
}

/// One side of a comparison.
pub struct Contestant {
    name: String,
    make: Make,
    make_counted: Option<Make>,
    base: Option<&'static str>,
    is_ours: bool,
}

/// How good a contestant has to be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Bar {
    /// `subject` takes at most `most` times what the fastest of `against` takes.
    Times {
        /// Who has to be good.
        subject: &'static str,
        /// Who sets the measure; one that this build lacks is left out.
        against: &'static [&'static str],
        /// The factor.
        most: f64,
    },
    /// `subject` takes at most `most` nanoseconds more than `base` per operation.
    Extra {
        /// Who has to be good.
        subject: &'static str,
        /// What it is compared with.
        base: &'static str,
        /// Nanoseconds.
        most: f64,
    },
    /// What `subject` takes over what `alone` takes is at most so many times what `control` takes over
    /// what `control_alone` takes: it suffers from company no more than the control does.
    Scaling {
        /// Who has to be good, in company.
        subject: &'static str,
        /// The same without company.
        alone: &'static str,
        /// Who sets the measure, in company.
        control: &'static str,
        /// The same without company.
        control_alone: &'static str,
        /// The factor.
        most: f64,
    },
}

/// What no contestant that was built right exceeds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sane {
    /// Who may have been built wrong.
    pub subject: &'static str,
    /// What it is compared with.
    pub base: &'static str,
    /// The factor.
    pub times: f64,
}

type Make = Box<dyn Fn() -> Box<dyn Subject>>;
struct Oracle(Box<dyn Fn() -> u64>);

/// What the rounds of a row may take together, where the row does not say otherwise.
const BUDGET: Duration = Duration::from_millis(1500);

/// What our contestants are called (DESIGN §4): the crate's, and in the patterns the good example's.
const OURS: [&str; 2] = ["thrifty", "best"];

impl Row {
    /// A row without contestants.
    ///
    /// # Panics
    ///
    /// When `id` is not of the form `area/row[/corpus]/Nt`.
    #[must_use]
    pub fn new(id: impl AsRef<str>, reason: &'static str) -> Self {
        let id = id.as_ref();
        Self {
            id: Id::parse(id).unwrap_or_else(|| panic!("'{id}' is not area/row[/corpus]/Nt")),
            reason,
            operations: 1,
            budget: BUDGET,
            is_thorough: false,
            is_elsewhere: false,
            oracle: None,
            contestants: Vec::new(),
            bars: Vec::new(),
            sane: Vec::new(),
        }
    }

    /// How many operations an iteration is; times and counts are per operation. 1 by default.
    ///
    /// # Panics
    ///
    /// When it is 0.
    #[must_use]
    pub fn operations(mut self, per_iteration: u64) -> Self {
        assert!(per_iteration > 0, "an iteration without operations");
        self.operations = per_iteration;
        self
    }

    /// What one iteration must answer, computed another way; called once, when the row's turn
    /// comes. Every answer of every round is held to it.
    #[must_use]
    pub fn oracle(mut self, answer: impl Fn() -> u64 + 'static) -> Self {
        self.oracle = Some(Oracle(Box::new(answer)));
        self
    }

    /// What the timed rounds of a `--quick` run may take together; a full run takes more.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Says that the row takes too much time or memory for a `--quick` run.
    #[must_use]
    pub fn thorough(mut self) -> Self {
        self.is_thorough = true;
        self
    }

    /// Says that the sides are other processes, where `--profile` would see nothing of the work.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.is_elsewhere = true;
        self
    }

    /// Adds a side whose threads share nothing: `make` is called on each thread.
    ///
    /// The first contestant added is the one that runs a second time per round as the control.
    ///
    /// # Panics
    ///
    /// As [`Row::shared`].
    #[must_use]
    pub fn contestant<W, F>(self, name: &str, make: F) -> Self
    where
        W: Worker + 'static,
        F: Fn() -> W + Send + Sync + 'static,
    {
        let make = Arc::new(make);
        self.shared(name, move || Apart(Arc::clone(&make)))
    }

    /// Adds a side whose threads work on one subject.
    ///
    /// # Panics
    ///
    /// When another contestant has this name.
    #[must_use]
    pub fn shared<S: Subject + 'static>(
        mut self,
        name: &str,
        make: impl Fn() -> S + 'static,
    ) -> Self {
        assert!(
            self.contestants.iter().all(|other| other.name != name),
            "{}: two contestants are called '{name}'",
            self.id
        );
        self.contestants.push(Contestant {
            name: name.to_owned(),
            make: Box::new(move || Box::new(make())),
            make_counted: None,
            base: None,
            is_ours: OURS.contains(&name),
        });
        self
    }

    /// What the last contestant is in the counting binary, for a subject that gets its memory past
    /// the global allocator: the same subject on a counting allocator.
    #[must_use]
    pub fn counted_as<S: Subject + 'static>(mut self, make: impl Fn() -> S + 'static) -> Self {
        if let Some(last) = self.contestants.last_mut() {
            last.make_counted = Some(Box::new(move || Box::new(make())));
        }
        self
    }

    /// Says that the last contestant is a wrapper of the contestant `base`. It is then compared with
    /// that one and its other wrappers, and with no other side.
    #[must_use]
    pub fn wraps(mut self, base: &'static str) -> Self {
        if let Some(last) = self.contestants.last_mut() {
            last.base = Some(base);
        }
        self
    }

    /// Says that the last contestant is ours. Those called `thrifty` or `best` are anyway; this is for
    /// their other forms, which are then no rivals of each other.
    #[must_use]
    pub fn ours(mut self) -> Self {
        if let Some(last) = self.contestants.last_mut() {
            last.is_ours = true;
        }
        self
    }

    /// Adds a bar.
    #[must_use]
    pub fn bar(mut self, bar: Bar) -> Self {
        self.bars.push(bar);
        self
    }

    /// Beyond so many times what `base` takes, `subject` was built wrong, and the row says
    /// nothing: C and C++ code that was silently built unoptimised shows like this. A factor,
    /// because a busy machine makes nanoseconds of anything.
    #[must_use]
    pub fn sane_within(mut self, subject: &'static str, base: &'static str, times: f64) -> Self {
        self.sane.push(Sane {
            subject,
            base,
            times,
        });
        self
    }

    /// The row's name.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Why the row exists, in one line.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Operations per iteration.
    #[must_use]
    pub fn operations_per_iteration(&self) -> u64 {
        self.operations
    }

    /// What the rounds of a quick run may take.
    #[must_use]
    pub fn time_budget(&self) -> Duration {
        self.budget
    }

    /// See [`Row::thorough`].
    #[must_use]
    pub fn is_thorough(&self) -> bool {
        self.is_thorough
    }

    /// See [`Row::elsewhere`].
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.is_elsewhere
    }

    /// The sides, in the order in which they were added.
    #[must_use]
    pub fn contestants(&self) -> &[Contestant] {
        &self.contestants
    }

    /// The bars.
    #[must_use]
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// See [`Row::sane_within`].
    #[must_use]
    pub fn sanity(&self) -> &[Sane] {
        &self.sane
    }

    /// What one iteration must answer; a row without an oracle is not measured.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.oracle.as_ref().map(|Oracle(answer)| answer())
    }

    /// What each contestant answers to one iteration, for tests. One thread only.
    #[must_use]
    pub fn answers(&self) -> Vec<(&str, u64)> {
        let answer = |side: &Contestant| side.make().worker(0).run(1);
        let sides = self.contestants.iter();
        sides.map(|side| (side.name(), answer(side))).collect()
    }
}

impl Contestant {
    /// The name in tables and records.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The contestant that this one is a wrapper of.
    #[must_use]
    pub fn base(&self) -> Option<&'static str> {
        self.base
    }

    /// Whether it is the one that ought to win.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Makes what is timed.
    #[must_use]
    pub fn make(&self) -> Box<dyn Subject> {
        (self.make)()
    }

    /// Makes what is counted.
    #[must_use]
    pub fn make_counted(&self) -> Box<dyn Subject> {
        self.make_counted.as_ref().unwrap_or(&self.make)()
    }
}

/// A subject that is nothing but its threads' own work.
struct Apart<F>(Arc<F>);

impl<W: Worker + 'static, F: Fn() -> W + Send + Sync> Subject for Apart<F> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new((self.0)())
    }
}

impl fmt::Debug for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contestant")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Oracle")
    }
}
