//! A global allocator that fails when this thread was told that it would.
//!
//! All state is in constant-initialised thread-locals without destructors, so that the allocator
//! itself never allocates, also on a thread that is starting or ending.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::plan::Plan;
use crate::sweep::Fault;

thread_local! {
    static PLAN: Cell<Plan> = const { Cell::new(Plan::OFF) };
    static COUNTS: Cell<ThreadCounts> = const { Cell::new(ThreadCounts::ZERO) };
    /// How many [`Armed`] there are.
    static ARMED: Cell<u32> = const { Cell::new(0) };
    /// Depth of `exempt`.
    static EXEMPT: Cell<u32> = const { Cell::new(0) };
}

/// A global allocator that fails at the chosen calls of the thread that chose them.
///
/// Without a plan it passes everything on, each method as itself, and counts for the thread.
/// A thread that is panicking is spared, so that its message can be made, and its calls are no sites. An allocator that poisons
/// fits inside: `FailingAlloc::new(PoisonAlloc::system())`.
///
/// # Examples
///
/// ```standalone_crate
/// use thrifty_testkit::{AllocFault, FailingAlloc, with_failing};
///
/// #[global_allocator]
/// static ALLOC: FailingAlloc = FailingAlloc::system();
///
/// let mut bytes: Vec<u8> = Vec::new();
/// let (result, struck) = with_failing(AllocFault::Once, 0, || bytes.try_reserve(10));
/// assert!(result.is_err());
/// assert_eq!(struck, 1);
/// ```
#[derive(Debug, Default)]
pub struct FailingAlloc<A = System> {
    inner: A,
}

impl FailingAlloc {
    /// Around the system's allocator.
    #[must_use]
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> FailingAlloc<A> {
    /// Around `inner`.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }

    /// What does the work.
    #[must_use]
    pub const fn inner(&self) -> &A {
        &self.inner
    }
}

/// What this thread asked of the [`FailingAlloc`]s, frees of other threads' blocks included.
///
/// # Examples
///
/// ```standalone_crate
/// use thrifty_testkit::{FailingAlloc, thread_counts};
///
/// #[global_allocator]
/// static ALLOC: FailingAlloc = FailingAlloc::system();
///
/// let before = thread_counts();
/// let boxed = Box::new([1_u8; 40]);
/// assert_eq!(thread_counts().live_bytes - before.live_bytes, 40);
/// # drop(boxed);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadCounts {
    /// Calls of `alloc`.
    pub allocs: u64,
    /// Calls of `alloc_zeroed`.
    pub zeroed_allocs: u64,
    /// Calls of `realloc`.
    pub reallocs: u64,
    /// Calls of `dealloc`.
    pub frees: u64,
    /// Calls that were made to fail.
    pub failures: u64,
    /// Bytes allocated minus bytes freed; negative where other threads' blocks were freed.
    pub live_bytes: i64,
    /// Blocks allocated minus blocks freed.
    pub live_blocks: i64,
}

impl ThreadCounts {
    const ZERO: Self = Self {
        allocs: 0,
        zeroed_allocs: 0,
        reallocs: 0,
        frees: 0,
        failures: 0,
        live_bytes: 0,
        live_blocks: 0,
    };

    /// What came after `before`.
    #[must_use]
    pub const fn since(&self, before: &Self) -> Self {
        Self {
            allocs: self.allocs - before.allocs,
            zeroed_allocs: self.zeroed_allocs - before.zeroed_allocs,
            reallocs: self.reallocs - before.reallocs,
            frees: self.frees - before.frees,
            failures: self.failures - before.failures,
            live_bytes: self.live_bytes - before.live_bytes,
            live_blocks: self.live_blocks - before.live_blocks,
        }
    }

    /// What is live: the reading that a sweep wants unchanged.
    #[must_use]
    pub const fn live(&self) -> (i64, i64) {
        (self.live_bytes, self.live_blocks)
    }
}

/// Reads this thread's counts.
#[must_use]
pub fn thread_counts() -> ThreadCounts {
    COUNTS.get()
}

/// The fault of a [`FailingAlloc`] on the thread that arms it.
///
/// # Examples
///
/// ```standalone_crate
/// use thrifty_testkit::{AllocFault, FailingAlloc, Sweep, thread_counts};
///
/// #[global_allocator]
/// static ALLOC: FailingAlloc = FailingAlloc::system();
///
/// fn subject() -> Option<Vec<Vec<u8>>> {
///     let mut all: Vec<Vec<u8>> = Vec::new();
///     all.try_reserve_exact(1).ok()?;
///     let mut bytes = Vec::new();
///     bytes.try_reserve_exact(100).ok()?;
///     all.push(bytes);
///     Some(all)
/// }
/// let swept = Sweep::over(AllocFault::Once)
///     .unchanged("live", || thread_counts().live())
///     .run(subject);
/// assert_eq!((swept.sites, swept.refused), (2, 2));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllocFault {
    /// One call fails, later ones pass: what goes on after a failure is exercised too.
    Once,
    /// From one call on all fail, as where memory has run out. Whatever the subject allocates
    /// infallibly then aborts the process.
    Onwards,
}

impl AllocFault {
    /// Arms this thread by hand: `after` calls pass, then they fail, until the guard is dropped.
    ///
    /// It stands before the method of [`Fault`], which a sweep calls and which lasts until `disarm`.
    /// Where a closure will do, [`with_failing`] says also how many calls failed.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use thrifty_testkit::{AllocFault, FailingAlloc};
    ///
    /// #[global_allocator]
    /// static ALLOC: FailingAlloc = FailingAlloc::system();
    ///
    /// let mut bytes: Vec<u8> = Vec::new();
    /// let armed = AllocFault::Onwards.arm(0);
    /// let result = bytes.try_reserve(10);
    /// drop(armed);
    /// assert!(result.is_err());
    /// assert!(bytes.try_reserve(10).is_ok());
    /// ```
    pub fn arm(&self, after: u64) -> Armed {
        let depth = ARMED.get();
        ARMED.set(depth + 1);
        Armed {
            before: PLAN.replace(self.plan(after)),
            depth,
            here: PhantomData,
        }
    }

    const fn plan(self, after: u64) -> Plan {
        match self {
            Self::Once => Plan::once(after),
            Self::Onwards => Plan::onwards(after),
        }
    }
}

impl Fault for AllocFault {
    fn arm(&self, after: u64) {
        PLAN.set(self.plan(after));
    }

    fn disarm(&self) -> u64 {
        PLAN.replace(Plan::OFF).struck()
    }
}

/// A plan that was armed by hand: its drop, in a panic too, ends it. See [`AllocFault::arm`].
///
/// The plan that was there before then goes on where it was. Guards end in the reverse order of their
/// making; one that outlives an earlier one ends all plans, lest an ended one come back.
#[must_use = "the plan ends with its guard"]
#[derive(Debug)]
pub struct Armed {
    before: Plan,
    /// How many there were before.
    depth: u32,
    /// The plan is this thread's.
    here: PhantomData<*const ()>,
}

impl Drop for Armed {
    fn drop(&mut self) {
        let left = ARMED.get() - 1;
        ARMED.set(left);
        let is_in_order = left == self.depth;
        PLAN.set(if is_in_order { self.before } else { Plan::OFF });
    }
}

/// Runs `f` while the allocator passes `after` calls and then fails; says how many failed.
///
/// The plan ends with `f`, by a panic too; the one that was there before, as a sweep's, then goes on
/// where it was. [`FailingAlloc`] has an example.
pub fn with_failing<R>(fault: AllocFault, after: u64, f: impl FnOnce() -> R) -> (R, u64) {
    let armed = fault.arm(after);
    let result = f();
    let struck = PLAN.get().struck();
    drop(armed);
    (result, struck)
}

/// Runs `f` outside plan and counts: for what a test needs itself in the middle of a subject.
///
/// What is allocated inside must be freed inside or never, or the live counts are off.
///
/// # Examples
///
/// ```standalone_crate
/// use thrifty_testkit::{AllocFault, FailingAlloc, exempt, with_failing};
///
/// #[global_allocator]
/// static ALLOC: FailingAlloc = FailingAlloc::system();
///
/// let (log, _) = with_failing(AllocFault::Onwards, 0, || exempt(|| format!("{}", 1)));
/// assert_eq!(log, "1");
/// # exempt(|| drop(log));
/// ```
pub fn exempt<R>(f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            EXEMPT.set(EXEMPT.get() - 1);
        }
    }
    EXEMPT.set(EXEMPT.get() + 1);
    let _leave = Leave;
    f()
}

/// Whether this call fails. Counts a failure, and otherwise leaves counting to the caller.
fn fails() -> bool {
    if EXEMPT.get() > 0 {
        return false;
    }
    let mut plan = PLAN.get();
    let strikes = plan.strikes();
    PLAN.set(plan);
    if strikes {
        count(|counts| counts.failures += 1);
    }
    strikes
}

fn count(change: impl FnOnce(&mut ThreadCounts)) {
    if EXEMPT.get() > 0 {
        return;
    }
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

/// A size as a difference; a layout's size fits.
fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Counts a block that exists now, if it does.
fn born(block: *mut u8, bytes: usize) -> *mut u8 {
    if !block.is_null() {
        count(|counts| {
            counts.live_bytes += signed(bytes);
            counts.live_blocks += 1;
        });
    }
    block
}

// SAFETY:
// - every method passes its arguments to `inner` and returns what it returns, or returns null
//   without touching anything, which each method that returns a block may do;
// - no method unwinds or allocates: the thread-locals are constant-initialised and have no
//   destructor, and the closures add numbers.
unsafe impl<A: GlobalAlloc> GlobalAlloc for FailingAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(|counts| counts.allocs += 1);
        if fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`, which is the same.
        let block = unsafe { self.inner.alloc(layout) };
        born(block, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(|counts| counts.zeroed_allocs += 1);
        if fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        born(block, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        count(|counts| counts.reallocs += 1);
        if fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`; `block` is from
        // `inner`, since every block that leaves this allocator is.
        let moved = unsafe { self.inner.realloc(block, layout, new_bytes) };
        if !moved.is_null() {
            count(|counts| counts.live_bytes += signed(new_bytes) - signed(layout.size()));
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(|counts| {
            counts.frees += 1;
            counts.live_bytes -= signed(layout.size());
            counts.live_blocks -= 1;
        });
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`; `block` is from
        // `inner`, since every block that leaves this allocator is.
        unsafe { self.inner.dealloc(block, layout) }
    }
}
