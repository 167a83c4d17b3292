//! One program, run with a fault at its first site, at its second, … until a run passes.
//!
//! ```text
//! site 0   ╳            refused    check
//! site 1   ─╳           refused    check
//! site 2   ──╳────      absorbed   check
//! site 3   ────────     passes     check, done: 3 sites
//! ```

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::fuse::Blown;
use crate::ledger::{check_thread_garbage, thread_garbage};
use crate::quiet::{Sweeping, message};

/// A sweep gives up after this many runs, unless told otherwise.
const MAX_RUNS: u64 = 10_000;

/// Something that can be made to go wrong at a chosen call.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
/// use thrifty_testkit::{Fault, Sweep};
///
/// /// A clock that fails.
/// #[derive(Default)]
/// struct Clock { left: Cell<u64>, struck: Cell<u64> }
///
/// impl Clock {
///     fn now(&self) -> Option<u64> {
///         let left = self.left.get();
///         self.left.set(left.wrapping_sub(1));
///         self.struck.set(self.struck.get() + u64::from(left == 0));
///         (left != 0).then_some(7)
///     }
/// }
///
/// impl Fault for &Clock {
///     fn arm(&self, after: u64) { self.left.set(after); }
///     fn disarm(&self) -> u64 { self.left.set(u64::MAX); self.struck.take() }
/// }
///
/// let clock = Clock::default();
/// let swept = Sweep::over(&clock).run(|| Some(clock.now()? + clock.now()?));
/// assert_eq!(swept.sites, 2);
/// ```
pub trait Fault {
    /// The next `after` calls pass, the one after them fails.
    fn arm(&self, after: u64);

    /// Nothing fails any more; says how many calls did since `arm`.
    fn disarm(&self) -> u64;
}

/// What a program may return: whether it did what it was asked to.
pub trait Outcome {
    /// What went wrong, or `None`.
    fn refusal(&self) -> Option<&dyn fmt::Debug>;
}

impl Outcome for () {
    fn refusal(&self) -> Option<&dyn fmt::Debug> {
        None
    }
}

impl<T> Outcome for Option<T> {
    fn refusal(&self) -> Option<&dyn fmt::Debug> {
        self.is_none().then_some(&"None")
    }
}

impl<T, E: fmt::Debug> Outcome for Result<T, E> {
    fn refusal(&self) -> Option<&dyn fmt::Debug> {
        self.as_ref()
            .err()
            .map(|error| -> &dyn fmt::Debug { error })
    }
}

/// What a sweep that went well found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Swept {
    /// Sites at which the fault struck; as many runs, and one that passed.
    pub sites: u64,
    /// Runs that returned an error or `None`.
    pub refused: u64,
    /// Runs that a blown fuse's panic ended.
    pub unwound: u64,
    /// Runs that did what they were asked to in spite of the fault.
    pub absorbed: u64,
}

/// Why a sweep proves nothing, or what it proves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SweepError {
    /// The first run met no fault: nothing was tested.
    NeverBlew,
    /// No run was without a fault.
    NeverPassed {
        /// How many there were.
        runs: u64,
    },
    /// The run without a fault did not succeed.
    Unprovoked {
        /// What it returned or panicked with.
        what: String,
    },
    /// The program panicked, or the drop of what it left, and not by a blown fuse.
    Panicked {
        /// Where the fault struck, from 0.
        site: u64,
        /// The panic's message.
        what: String,
    },
    /// Something that must hold after every run does not.
    Broken {
        /// Where the fault struck, from 0; the passing run has the last number.
        site: u64,
        /// What, by the caller's name for it.
        name: &'static str,
        /// How.
        what: String,
    },
}

impl fmt::Display for SweepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverBlew => f.write_str(
                "the fault never struck: is it installed, and does the program reach it?",
            ),
            Self::NeverPassed { runs } => write!(f, "none of {runs} runs was without a fault"),
            Self::Unprovoked { what } => write!(f, "fails without a fault: {what}"),
            Self::Panicked { site, what } => write!(f, "fault at site {site}: panicked: {what}"),
            Self::Broken { site, name, what } => {
                write!(f, "fault at site {site}: {name}: {what}")
            }
        }
    }
}

impl std::error::Error for SweepError {}

/// A condition that is read before and checked after each run.
trait Condition {
    fn before(&mut self);
    fn after(&mut self) -> Result<(), String>;
}

struct Unchanged<T, F> {
    read: F,
    before: Option<T>,
}

impl<T: PartialEq + fmt::Debug, F: FnMut() -> T> Condition for Unchanged<T, F> {
    fn before(&mut self) {
        self.before = Some((self.read)());
    }

    fn after(&mut self) -> Result<(), String> {
        let after = Some((self.read)());
        if after == self.before {
            return Ok(());
        }
        Err(format!("was {:?}, is {after:?}", self.before))
    }
}

struct Checked<F>(F);

impl<F: FnMut() -> Result<(), String>> Condition for Checked<F> {
    fn before(&mut self) {}

    fn after(&mut self) -> Result<(), String> {
        (self.0)()
    }
}

/// Runs a program with a fault at each of its sites in turn.
///
/// What the program returns is dropped after the fault is disarmed and before the conditions are
/// checked: return the subject to have it dropped. To see a subject used again after a failure, call
/// it a second time inside the program, or let a condition use it.
///
/// Whatever survives a run outside the program moves the sites: where a cache that the first run
/// filled is kept, later runs do not come to the sites in between, and the sweep passes without
/// them. Start afresh in each run; [`run_with`](Self::run_with) does so where the making of the
/// subject is not to be swept.
///
/// Each run must also leave this thread's count of [`garbage_met`](crate::garbage_met) alone.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Fuse, Ledger, Sweep};
///
/// let (fuse, ledger) = (Fuse::new(), Ledger::new());
/// let swept = Sweep::over(&fuse)
///     .check("ledger", || ledger.check())
///     .run(|| {
///         let mut all = Vec::new();
///         all.resize_with(3, || {
///             fuse.call();
///             ledger.track(1)
///         });
///     });
/// assert_eq!((swept.sites, swept.unwound), (3, 3));
/// ```
pub struct Sweep<'a, F> {
    fault: F,
    conditions: Vec<(&'static str, Box<dyn Condition + 'a>)>,
    max_runs: u64,
}

impl<F> fmt::Debug for Sweep<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.conditions.iter().map(|(name, _)| name).collect();
        f.debug_struct("Sweep")
            .field("conditions", &names)
            .field("max_runs", &self.max_runs)
            .finish_non_exhaustive()
    }
}

impl<'a, F: Fault> Sweep<'a, F> {
    /// A sweep over the sites of `fault`, so far without conditions.
    pub fn over(fault: F) -> Self {
        Self {
            fault,
            conditions: Vec::new(),
            max_runs: MAX_RUNS,
        }
    }

    /// `read` must give the same before and after each run.
    #[must_use]
    pub fn unchanged<T: PartialEq + fmt::Debug + 'a>(
        mut self,
        name: &'static str,
        read: impl FnMut() -> T + 'a,
    ) -> Self {
        let condition = Unchanged { read, before: None };
        self.conditions.push((name, Box::new(condition)));
        self
    }

    /// `check` must be `Ok` after each run.
    #[must_use]
    pub fn check(
        mut self,
        name: &'static str,
        check: impl FnMut() -> Result<(), String> + 'a,
    ) -> Self {
        self.conditions.push((name, Box::new(Checked(check))));
        self
    }

    /// Gives up after this many runs; 10 000 unless told otherwise.
    #[must_use]
    pub fn max_runs(mut self, runs: u64) -> Self {
        self.max_runs = runs;
        self
    }

    /// Sweeps.
    ///
    /// # Panics
    ///
    /// Where [`try_run`](Self::try_run) has an error.
    #[track_caller]
    pub fn run<R: Outcome>(self, program: impl FnMut() -> R) -> Swept {
        match self.try_run(program) {
            Ok(swept) => swept,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sweeps over a subject that `setup` makes anew for each run, before the fault is armed. It is
    /// dropped as what the program returns is: after the fault, before the conditions.
    ///
    /// # Panics
    ///
    /// Where [`try_run`](Self::try_run) has an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_testkit::{Fuse, Sweep, quietly};
    ///
    /// let fuse = Fuse::new();
    /// let swept = Sweep::over(&fuse).run_with(
    ///     || vec![0],
    ///     |all| {
    ///         let mut fill = || quietly(|| all.resize_with(3, || { fuse.call(); 1 }));
    ///         // The second call meets what a fault in the first one left.
    ///         let _ = fill();
    ///         let _ = fill();
    ///         assert_eq!(*all, [0, 1, 1]);
    ///     },
    /// );
    /// assert_eq!((swept.sites, swept.absorbed), (2, 2));
    /// ```
    #[track_caller]
    pub fn run_with<S, R: Outcome>(
        self,
        setup: impl FnMut() -> S,
        program: impl FnMut(&mut S) -> R,
    ) -> Swept {
        match self.try_run_with(setup, program) {
            Ok(swept) => swept,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sweeps, and says what is wrong instead of panicking.
    ///
    /// # Errors
    ///
    /// A condition does not hold, the program or the drop of what it left panics by itself or fails
    /// without a fault, the fault never strikes, or it strikes in every run.
    pub fn try_run<R: Outcome>(self, mut program: impl FnMut() -> R) -> Result<Swept, SweepError> {
        self.try_run_with(|| (), |()| program())
    }

    /// As [`run_with`](Self::run_with), and says what is wrong instead of panicking.
    ///
    /// # Errors
    ///
    /// As [`try_run`](Self::try_run).
    pub fn try_run_with<S, R: Outcome>(
        mut self,
        mut setup: impl FnMut() -> S,
        mut program: impl FnMut(&mut S) -> R,
    ) -> Result<Swept, SweepError> {
        let _sweeping = Sweeping::begin();
        let mut swept = Swept::default();
        for site in 0..self.max_runs {
            let garbage = thread_garbage();
            for (_, condition) in &mut self.conditions {
                condition.before();
            }
            let mut subject = setup();
            self.fault.arm(site);
            let outcome = catch_unwind(AssertUnwindSafe(|| program(&mut subject)));
            let has_struck = self.fault.disarm() > 0;
            judge(outcome, subject, site, has_struck, &mut swept)?;
            let broken = |name, what| SweepError::Broken { site, name, what };
            check_thread_garbage(garbage).map_err(|what| broken("tracked values", what))?;
            for (name, condition) in &mut self.conditions {
                condition.after().map_err(|what| broken(name, what))?;
            }
            if !has_struck {
                return if site == 0 {
                    Err(SweepError::NeverBlew)
                } else {
                    Ok(swept)
                };
            }
            swept.sites += 1;
        }
        Err(SweepError::NeverPassed {
            runs: self.max_runs,
        })
    }
}

/// Counts how a run ended, and drops what it left.
fn judge<S, R: Outcome>(
    outcome: Result<R, Box<dyn Any + Send>>,
    subject: S,
    site: u64,
    has_struck: bool,
    swept: &mut Swept,
) -> Result<(), SweepError> {
    let panicked = |what| {
        if has_struck {
            SweepError::Panicked { site, what }
        } else {
            SweepError::Unprovoked { what }
        }
    };
    let verdict = match &outcome {
        Ok(value) => match value.refusal() {
            Some(what) if !has_struck => Err(SweepError::Unprovoked {
                what: format!("{what:?}"),
            }),
            Some(_) => Ok(&mut swept.refused),
            None => Ok(&mut swept.absorbed),
        },
        Err(payload) if has_struck && payload.is::<Blown>() => Ok(&mut swept.unwound),
        Err(payload) => Err(panicked(message(&**payload))),
    };
    let verdict = verdict.map(|count| *count += u64::from(has_struck));
    // One after the other, so that the panic of one does not meet that of the other. What the program
    // did comes first: a drop that panics, too, may be its consequence.
    let drops = [
        catch_unwind(AssertUnwindSafe(|| drop(outcome))),
        catch_unwind(AssertUnwindSafe(|| drop(subject))),
    ];
    verdict?;
    match drops.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(payload) => {
            let what = message(&*payload);
            Err(panicked(format!("dropping what the run left: {what}")))
        }
    }
}
