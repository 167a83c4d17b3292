//! Which values were made and which were dropped: each exactly once, none lost.
//!
//! ```text
//! Tracked<T>                        State, never freed
//! ┌────────┬────────┬───────┬───┐   ┌──────┬──────┬────────────────────────────────┐
//! │ cookie │ serial │ state │ T │   │ born │ dead │ life of #0, of #1, … (a byte each)│
//! └────────┴────────┴───┬───┴───┘   └──────┴──────┴────────────────────────────────┘
//!                       └───────────▲
//! ```
//!
//! The cookie is made of the serial and the state's address, so that bytes which are no `Tracked`
//! (poisoned, overwritten, never written) are recognised before the pointer is followed. Whether the
//! value lives stands in the state alone, so that one value in two places is dropped in one.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::failing::exempt;

/// Lives in the first segment; each further one has twice as many.
const FIRST: u64 = 64;

/// Enough for four thousand million values.
const SEGMENTS: usize = 26;

/// States of one value, in the ledger.
const UNBORN: u8 = 0;
const BORN: u8 = 1;
const DROPPED: u8 = 2;

/// Counts values from [`track`](Self::track) to their drop. A copy is the same ledger.
///
/// # Memory
///
/// About 700 bytes, and one to two for each tracked value, never given back: a ledger must outlive even
/// the values that a broken subject loses. None of it is counted by a
/// [`FailingAlloc`](crate::FailingAlloc), nor made to fail.
///
/// # Concurrency
///
/// All counting is relaxed: a ledger orders nothing between threads and hides no race from a
/// sanitizer. Join the threads before reading.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::Ledger;
///
/// let ledger = Ledger::new();
/// let values: Vec<_> = (0..3).map(|number| ledger.track(number)).collect();
/// assert_eq!(*values[2], 2);
/// assert_eq!((ledger.born(), ledger.dead(), ledger.live()), (3, 0, 3));
/// drop(values);
/// ledger.assert_balanced();
/// ```
#[derive(Clone, Copy)]
pub struct Ledger {
    state: &'static State,
}

struct State {
    born: AtomicU64,
    dead: AtomicU64,
    /// Segment `n` holds the lives of `FIRST << n` values.
    lives: [OnceLock<Box<[AtomicU8]>>; SEGMENTS],
    /// What went wrong where a panic would have been a second one, or in another thread.
    violations: Mutex<Vec<String>>,
}

impl State {
    /// The byte of a value, if it was ever born.
    fn life(&self, serial: u64) -> Option<&AtomicU8> {
        let (segment, index) = place(serial);
        self.lives.get(segment)?.get()?.get(index)
    }

    /// The byte of a value that is being born.
    fn life_to_be(&self, serial: u64) -> &AtomicU8 {
        let (segment, index) = place(serial);
        let lives = self.lives[segment].get_or_init(|| {
            (0..FIRST << segment)
                .map(|_| AtomicU8::new(UNBORN))
                .collect()
        });
        &lives[index]
    }

    /// Notes what is wrong, and gives it back.
    fn violation(&self, what: String) -> String {
        exempt(|| {
            self.violations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(what.clone());
        });
        what
    }
}

/// Segment and index of a serial number.
fn place(serial: u64) -> (usize, usize) {
    let segment = (serial / FIRST + 1).ilog2();
    let start = FIRST * ((1 << segment) - 1);
    let index = usize::try_from(serial - start).expect("a test tracks fewer values than fit");
    (segment as usize, index)
}

/// Keeps the states reachable, so that LeakSanitizer has nothing to say about them.
static STATES: Mutex<Vec<&'static State>> = Mutex::new(Vec::new());

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        exempt(|| {
            let state: &'static State = Box::leak(Box::new(State {
                born: AtomicU64::new(0),
                dead: AtomicU64::new(0),
                lives: [const { OnceLock::new() }; SEGMENTS],
                violations: Mutex::new(Vec::new()),
            }));
            STATES
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(state);
            Self { state }
        })
    }

    /// Wraps a value, which is born by this.
    #[must_use]
    pub fn track<T>(&self, value: T) -> Tracked<T> {
        let serial = self.state.born.fetch_add(1, Relaxed);
        exempt(|| self.state.life_to_be(serial).store(BORN, Relaxed));
        Tracked {
            cookie: cookie(serial, self.state),
            serial,
            state: self.state,
            value: MaybeUninit::new(value),
        }
    }

    /// Values tracked so far.
    #[must_use]
    pub fn born(&self) -> u64 {
        self.state.born.load(Relaxed)
    }

    /// Values dropped, each counted once.
    #[must_use]
    pub fn dead(&self) -> u64 {
        self.state.dead.load(Relaxed)
    }

    /// Values that were tracked and not dropped.
    #[must_use]
    pub fn live(&self) -> u64 {
        self.born() - self.dead()
    }

    /// Whether nothing was dropped twice or used after its drop.
    ///
    /// # Errors
    ///
    /// What was.
    pub fn check_violations(&self) -> Result<(), String> {
        let violations = self
            .state
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match violations.as_slice() {
            [] => Ok(()),
            all => Err(all.join("; ")),
        }
    }

    /// Whether every value was dropped exactly once: a condition for a [`Sweep`](crate::Sweep).
    ///
    /// # Errors
    ///
    /// Which values are left, or what was dropped twice.
    pub fn check(&self) -> Result<(), String> {
        self.check_violations()?;
        let (born, live) = (self.born(), self.live());
        if live == 0 {
            return Ok(());
        }
        let left = (0..born).filter(|serial| {
            let life = self.state.life(*serial);
            life.is_none_or(|life| life.load(Relaxed) != DROPPED)
        });
        let left: Vec<_> = left.take(10).map(|serial| format!("#{serial}")).collect();
        let more = if live > 10 { ", …" } else { "" };
        Err(format!(
            "{live} of {born} values were never dropped: {}{more}",
            left.join(", ")
        ))
    }

    /// Asserts that every value was dropped exactly once.
    ///
    /// # Panics
    ///
    /// If one was lost, dropped twice or used after its drop.
    #[track_caller]
    pub fn assert_balanced(&self) {
        if let Err(what) = self.check() {
            panic!("{what}");
        }
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("born", &self.born())
            .field("dead", &self.dead())
            .finish_non_exhaustive()
    }
}

/// A value that its [`Ledger`] knows. It is its value to `==`, `<`, `Hash`; a clone is another one.
///
/// Every access looks at the cookie first and panics where the bytes are no living value.
/// What it finds in freed memory is by nature luck, better under a
/// [`PoisonAlloc`](crate::PoisonAlloc): a hit is a bug, the absence of hits is no proof.
///
/// # Examples
///
/// ```
/// use thrifty_testkit::{Ledger, message, quietly};
///
/// let ledger = Ledger::new();
/// let mut value = std::mem::ManuallyDrop::new(ledger.track(String::from("once")));
/// // SAFETY: not dropped yet.
/// unsafe { std::mem::ManuallyDrop::drop(&mut value) };
/// // SAFETY: a contract broken on purpose; a tracked value stands it as long as its bytes are there.
/// let panic = quietly(|| unsafe { std::mem::ManuallyDrop::drop(&mut value) }).unwrap_err();
/// assert_eq!(message(&*panic), "value #0 is dropped twice");
/// assert!(ledger.check().is_err());
/// ```
///
/// # Invariants
///
/// 1. Where `cookie` is made of `serial` and `state`, `state` is a ledger's.
/// 2. Where, besides, that ledger says that the value is born and not dropped, `value` is
///    initialised.
pub struct Tracked<T> {
    cookie: u64,
    serial: u64,
    state: *const State,
    value: MaybeUninit<T>,
}

// SAFETY: a `Tracked<T>` owns a `T`, hence `T: Send`. What `state` points to lives for ever and is
// shared by design: atomics, `OnceLock`s of atomics and a `Mutex<Vec<String>>`, which are `Sync`.
unsafe impl<T: Send> Send for Tracked<T> {}
// SAFETY: `&Tracked<T>` gives `&T` and nothing else of `T`, hence `T: Sync`; `T: Send` is not
// needed, since no shared reference moves the value out. The state is `Sync`, as above.
unsafe impl<T: Sync> Sync for Tracked<T> {}

/// What the bytes of a `Tracked` are.
enum Found {
    Alive(&'static State),
    Dropped(&'static State),
    Garbage(u64),
}

/// What makes bytes a tracked value: nothing else has this by chance.
fn cookie(serial: u64, state: *const State) -> u64 {
    0x7AC4_ED11_FE5A_11FE
        ^ serial.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (state.addr() as u64).rotate_left(17)
}

impl<T> Tracked<T> {
    /// Which one it is: values count from 0 in each ledger.
    ///
    /// # Panics
    ///
    /// If this is no living value.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.assert_alive();
        self.serial
    }

    /// Takes the value out; this is its drop, as far as the ledger is concerned.
    ///
    /// # Panics
    ///
    /// If this is no living value.
    #[must_use]
    pub fn into_inner(self) -> T {
        let this = ManuallyDrop::new(self);
        match this.bury() {
            // SAFETY: initialised by invariant 2, which `bury` has looked at; owned: `bury` says so
            // once for a value, and `this` is never dropped.
            Ok(()) => unsafe { this.value.assume_init_read() },
            Err(what) => panic!("{what}"),
        }
    }

    fn find(&self) -> Found {
        // SAFETY: valid: a place of our own; volatile, so that it is read even where the compiler
        // knows that a program without bugs could find only one value.
        let now = unsafe { (&raw const self.cookie).read_volatile() };
        if now != cookie(self.serial, self.state) {
            return Found::Garbage(now);
        }
        // SAFETY:
        // - valid: by invariant 1 it is a ledger's state, which is never freed;
        // - shared: a state is only ever reached through shared references.
        let state = unsafe { &*self.state };
        let life = state
            .life(self.serial)
            .map_or(UNBORN, |life| life.load(Relaxed));
        if life == BORN {
            Found::Alive(state)
        } else {
            Found::Dropped(state)
        }
    }

    fn assert_alive(&self) {
        let what = match self.find() {
            Found::Alive(_) => return,
            Found::Dropped(state) => {
                state.violation(format!("value #{} is used after its drop", self.serial))
            }
            Found::Garbage(cookie) => format!("no tracked value is here: cookie {cookie:#018x}"),
        };
        panic!("{what}");
    }

    /// Marks the value as dropped. `Ok` comes once for a value: the caller then owns it. Otherwise
    /// says, here and in the ledger, what is wrong.
    fn bury(&self) -> Result<(), String> {
        let twice = || format!("value #{} is dropped twice", self.serial);
        let state = match self.find() {
            Found::Alive(state) => state,
            Found::Dropped(state) => return Err(state.violation(twice())),
            Found::Garbage(cookie) => {
                return Err(format!(
                    "what is dropped is no tracked value: cookie {cookie:#018x}"
                ));
            }
        };
        // Of two copies that are dropped at the same time, one finds the other's mark.
        let life = state
            .life(self.serial)
            .map(|life| life.swap(DROPPED, Relaxed));
        if life != Some(BORN) {
            return Err(state.violation(twice()));
        }
        state.dead.fetch_add(1, Relaxed);
        Ok(())
    }
}

impl<T> Drop for Tracked<T> {
    fn drop(&mut self) {
        match self.bury() {
            // SAFETY: valid: initialised by invariant 2, which `bury` has looked at; exclusive:
            // through `&mut self`; owned: `bury` says so once for a value.
            Ok(()) => unsafe { self.value.assume_init_drop() },
            // The ledger has noted it, unless these bytes lead to none: then nobody else knows.
            Err(what) if std::thread::panicking() => eprintln!("thrifty-testkit: {what}"),
            Err(what) => panic!("{what}"),
        }
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.assert_alive();
        // SAFETY:
        // - valid: initialised by invariant 2, and alive as just seen;
        // - shared: behind `&self`.
        unsafe { self.value.assume_init_ref() }
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.assert_alive();
        // SAFETY:
        // - valid: initialised by invariant 2, and alive as just seen;
        // - exclusive: behind `&mut self`.
        unsafe { self.value.assume_init_mut() }
    }
}

impl<T: Clone> Clone for Tracked<T> {
    fn clone(&self) -> Self {
        let value = (**self).clone();
        match self.find() {
            Found::Alive(state) => Ledger { state }.track(value),
            _ => panic!("the value's own `clone` dropped it"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} ", self.serial())?;
        (**self).fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Tracked<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Tracked<T> {}

impl<T: PartialOrd> PartialOrd for Tracked<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for Tracked<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: Hash> Hash for Tracked<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}
