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

use std::cell::Cell;
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
    /// What went wrong where a panic would have been a second one, or in another thread. Never
    /// freed: a panic shows it, wherever it is caught, and no live count is to be off by that.
    violations: Mutex<Vec<&'static str>>,
    /// The thread of `Ledger::new`, and the garbage that it had met by then.
    maker: u64,
    garbage_before: u64,
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

    /// Notes what is wrong, and gives it back. All it allocates, it may allocate under a fault.
    fn violation(&self, what: fmt::Arguments<'_>) -> Wrong {
        exempt(|| {
            let what: &'static str = Box::leak(what.to_string().into_boxed_str());
            self.violations
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(what);
            Wrong::Noted(what)
        })
    }
}

/// What is wrong with a value. Showing it is left to the panic: until then nothing is allocated.
enum Wrong {
    /// Its ledger knows.
    Noted(&'static str),
    /// The bytes lead to no ledger: this thread's count knows.
    Used {
        cookie: u64,
    },
    Buried {
        cookie: u64,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noted(what) => f.write_str(what),
            Self::Used { cookie } => write!(f, "no tracked value is here: cookie {cookie:#018x}"),
            Self::Buried { cookie } => write!(
                f,
                "what is dropped is no tracked value: cookie {cookie:#018x}"
            ),
        }
    }
}

/// Garbage that was dropped or used as a tracked value, on all threads.
static GARBAGE: AtomicU64 = AtomicU64::new(0);

// No destructors, so that both work on a thread that is ending.
thread_local! {
    /// As [`GARBAGE`], on this thread.
    static THREAD_GARBAGE: Cell<u64> = const { Cell::new(0) };
    /// Which thread this is; 0 as long as nobody asked. `thread::current` would allocate, and does
    /// not work in destructors.
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

fn this_thread() -> u64 {
    static THREADS: AtomicU64 = AtomicU64::new(1);
    if THREAD.get() == 0 {
        THREAD.set(THREADS.fetch_add(1, Relaxed));
    }
    THREAD.get()
}

/// Counts what no ledger can be told of.
fn note_garbage() {
    GARBAGE.fetch_add(1, Relaxed);
    add_thread_garbage(1);
}

/// What this thread met, or was told of by threads that it has joined.
pub(crate) fn thread_garbage() -> u64 {
    THREAD_GARBAGE.get()
}

/// Takes over what a joined thread met.
pub(crate) fn add_thread_garbage(count: u64) {
    THREAD_GARBAGE.set(THREAD_GARBAGE.get() + count);
}

/// `Ok` where this thread's garbage has not grown.
pub(crate) fn check_thread_garbage(before: u64) -> Result<(), String> {
    match thread_garbage() - before {
        0 => Ok(()),
        count => Err(format!(
            "{count} drops or uses of bytes that are no tracked value"
        )),
    }
}

/// How often in this process something was dropped or used as a [`Tracked`] that is none.
///
/// Such bytes lead to no ledger. The panic may be swallowed, and while unwinding there is none. So a
/// [`Sweep`](crate::Sweep) looks at the count of its thread after each run, and [`Ledger::check`] at
/// what came since [`Ledger::new`] on the same thread. Both include the threads of
/// [`together`](crate::together); for threads of your own compare this.
///
/// # Examples
///
/// ```
/// assert_eq!(thrifty_testkit::garbage_met(), 0);
/// ```
#[must_use]
pub fn garbage_met() -> u64 {
    GARBAGE.load(Relaxed)
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
                maker: this_thread(),
                garbage_before: thread_garbage(),
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

    /// Values that were tracked and not dropped. While other threads are busy, about so many.
    #[must_use]
    pub fn live(&self) -> u64 {
        // In this order, since each is born first; without any other, it may still come out below.
        let dead = self.dead();
        self.born().saturating_sub(dead)
    }

    /// Whether nothing was dropped twice or used after its drop.
    ///
    /// On the ledger's own thread also, whether nothing was dropped or used since
    /// [`new`](Self::new) that is no tracked value of any ledger: see
    /// [`garbage_met`](crate::garbage_met).
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
            [] if self.state.maker == this_thread() => {
                check_thread_garbage(self.state.garbage_before)
            }
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
/// [`PoisonAlloc`](crate::PoisonAlloc): a hit is a bug, the absence of hits is no proof. Bytes that were
/// never written are best effort likewise: to the compiler they may be anything at each look.
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

/// What the bytes of a `Tracked` are: a value's serial number and ledger, or their cookie.
enum Found {
    Alive(u64, &'static State),
    Dropped(u64, &'static State),
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
        self.assert_alive()
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
            Err(wrong) => panic!("{wrong}"),
        }
    }

    /// Looks at each field once, so that what is judged is what is used. Volatile, so that it is read
    /// even where the compiler knows that a program without bugs could find only one value.
    fn find(&self) -> Found {
        // SAFETY: valid: a place of our own, borrowed for the time of the call.
        let now = unsafe { (&raw const self.cookie).read_volatile() };
        // SAFETY: as above.
        let serial = unsafe { (&raw const self.serial).read_volatile() };
        // SAFETY: as above.
        let state = unsafe { (&raw const self.state).read_volatile() };
        if now != cookie(serial, state) {
            return Found::Garbage(now);
        }
        // SAFETY:
        // - valid: by invariant 1 it is a ledger's state, which is never freed;
        // - shared: a state is only ever reached through shared references.
        let state = unsafe { &*state };
        let life = state.life(serial).map_or(UNBORN, |life| life.load(Relaxed));
        if life == BORN {
            Found::Alive(serial, state)
        } else {
            Found::Dropped(serial, state)
        }
    }

    /// The serial number of a value that lives.
    fn assert_alive(&self) -> u64 {
        let wrong = match self.find() {
            Found::Alive(serial, _) => return serial,
            Found::Dropped(serial, state) => {
                state.violation(format_args!("value #{serial} is used after its drop"))
            }
            Found::Garbage(cookie) => {
                note_garbage();
                Wrong::Used { cookie }
            }
        };
        panic!("{wrong}");
    }

    /// Marks the value as dropped. `Ok` comes once for a value: the caller then owns it. Otherwise
    /// says, here and in the ledger, what is wrong.
    fn bury(&self) -> Result<(), Wrong> {
        let twice = |serial, state: &State| {
            Err(state.violation(format_args!("value #{serial} is dropped twice")))
        };
        let (serial, state) = match self.find() {
            Found::Alive(serial, state) => (serial, state),
            Found::Dropped(serial, state) => return twice(serial, state),
            Found::Garbage(cookie) => {
                note_garbage();
                return Err(Wrong::Buried { cookie });
            }
        };
        // Of two copies that are dropped at the same time, one finds the other's mark.
        let life = state.life(serial).map(|life| life.swap(DROPPED, Relaxed));
        if life != Some(BORN) {
            return twice(serial, state);
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
            // A second panic would abort. The ledger or the thread's count has noted it.
            Err(wrong) if std::thread::panicking() => {
                exempt(|| eprintln!("thrifty-testkit: {wrong}"));
            }
            Err(wrong) => panic!("{wrong}"),
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
            Found::Alive(_, state) => Ledger { state }.track(value),
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
