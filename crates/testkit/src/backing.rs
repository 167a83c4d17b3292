//! An allocator that is a value: it fails when told to, and checks how it is used.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::HashMap;
use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::failing::exempt;
use crate::plan::Plan;
use crate::sweep::Fault;

/// An allocator to hand to a subject: fails on demand, knows its blocks, refuses foreign ones.
///
/// Clones are the same allocator, so a test keeps one and gives one away. It is a [`GlobalAlloc`],
/// and with the feature `allocator-api2-02` an `Allocator`. As a [`Fault`] it fails one call; use
/// [`onwards`](Self::onwards) to have all later ones fail too.
///
/// A free that does not fit, or a block that is freed twice, is noted and not passed on;
/// [`check`](Self::check) tells. Nothing is made to fail on a thread that is panicking.
///
/// # Concurrency
///
/// Calls take a lock. That orders threads, and may hide a race in a subject that allocates often.
///
/// # Examples
///
/// ```
/// use std::alloc::{GlobalAlloc, Layout};
/// use thrifty_testkit::{Backing, Sweep};
///
/// let backing = Backing::system();
/// let layout = Layout::new::<[u64; 4]>();
/// let swept = Sweep::over(&backing)
///     .check("balanced", || backing.check())
///     .run(|| {
///         // SAFETY: the size is not zero.
///         let block = unsafe { backing.alloc(layout) };
///         if block.is_null() {
///             return None;
///         }
///         // SAFETY: just allocated, with this layout.
///         unsafe { backing.dealloc(block, layout) };
///         Some(())
///     });
/// assert_eq!(swept.sites, 1);
/// ```
pub struct Backing<A = System> {
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    inner: A,
    state: Mutex<State>,
}

struct State {
    plan: Plan,
    /// The live blocks by address.
    blocks: HashMap<usize, Layout>,
    allocs: u64,
    violations: Vec<String>,
}

impl Drop for State {
    fn drop(&mut self) {
        // Allocated outside the counts, so freed outside them.
        exempt(|| {
            self.blocks = HashMap::new();
            self.violations = Vec::new();
        });
    }
}

impl Backing {
    /// Around the system's allocator.
    #[must_use]
    pub fn system() -> Self {
        Self::new(System)
    }
}

impl<A> Backing<A> {
    /// Around `inner`.
    #[must_use]
    pub fn new(inner: A) -> Self {
        let state = State {
            plan: Plan::OFF,
            blocks: HashMap::new(),
            allocs: 0,
            violations: Vec::new(),
        };
        Self {
            shared: Arc::new(Shared {
                inner,
                state: Mutex::new(state),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// From call `after` on, counted from 0, every call fails.
    pub fn fail_onwards(&self, after: u64) {
        self.state().plan = Plan::onwards(after);
    }

    /// The fault that fails all calls from one on, where the allocator itself fails just one.
    #[must_use]
    pub fn onwards(&self) -> impl Fault + use<'_, A> {
        Onwards(self)
    }

    /// Blocks that are live.
    #[must_use]
    pub fn live_blocks(&self) -> usize {
        self.state().blocks.len()
    }

    /// Bytes that are live.
    #[must_use]
    pub fn live_bytes(&self) -> usize {
        self.state().blocks.values().map(Layout::size).sum()
    }

    /// Calls that returned a block.
    #[must_use]
    pub fn allocs(&self) -> u64 {
        self.state().allocs
    }

    /// Whether every free so far fitted a live block.
    ///
    /// # Errors
    ///
    /// Which did not.
    pub fn check_frees(&self) -> Result<(), String> {
        match self.state().violations.as_slice() {
            [] => Ok(()),
            all => Err(all.join("; ")),
        }
    }

    /// Whether every free fitted, and no block is left.
    ///
    /// # Errors
    ///
    /// Which did not, or how much is left.
    pub fn check(&self) -> Result<(), String> {
        self.check_frees()?;
        match self.live_blocks() {
            0 => Ok(()),
            blocks => Err(format!(
                "{blocks} blocks of {} bytes in all were never freed",
                self.live_bytes()
            )),
        }
    }

    /// Counts a call and says whether it fails.
    fn fails(&self) -> bool {
        self.state().plan.strikes()
    }

    fn born(&self, block: *mut u8, layout: Layout) -> *mut u8 {
        if !block.is_null() {
            exempt(|| {
                let mut state = self.state();
                state.allocs += 1;
                state.blocks.insert(block.addr(), layout);
            });
        }
        block
    }

    /// Strikes a block off the list, if it is one with this layout.
    fn dies(&self, block: *mut u8, layout: Layout, doing: &str) -> bool {
        exempt(|| {
            let mut state = self.state();
            let known = state.blocks.get(&block.addr()).copied();
            if known == Some(layout) {
                state.blocks.remove(&block.addr());
                return true;
            }
            let what = match known {
                Some(known) => format!("{block:p} is {doing} as {layout:?} and was {known:?}"),
                None => format!("{block:p} is {doing} and is no live block"),
            };
            state.violations.push(what);
            false
        })
    }
}

impl<A> Clone for Backing<A> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<A> fmt::Debug for Backing<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backing")
            .field("live_blocks", &self.live_blocks())
            .field("live_bytes", &self.live_bytes())
            .finish_non_exhaustive()
    }
}

impl<A> Fault for Backing<A> {
    fn arm(&self, after: u64) {
        self.state().plan = Plan::once(after);
    }

    fn disarm(&self) -> u64 {
        std::mem::replace(&mut self.state().plan, Plan::OFF).struck()
    }
}

struct Onwards<'a, A>(&'a Backing<A>);

impl<A> Fault for Onwards<'_, A> {
    fn arm(&self, after: u64) {
        self.0.fail_onwards(after);
    }

    fn disarm(&self) -> u64 {
        self.0.disarm()
    }
}

// SAFETY:
// - blocks are `inner`'s, with the caller's layout; or null;
// - only a block that `inner` gave and that is live goes back to it, with the layout that it has;
// - no method unwinds: a poisoned lock is entered, and what is wrong is noted. The list allocates, but
//   not through `self`: no `Backing` is global, since a static cannot be made by `new`.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Backing<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        let block = unsafe { self.shared.inner.alloc(layout) };
        self.born(block, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.fails() {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        let block = unsafe { self.shared.inner.alloc_zeroed(layout) };
        self.born(block, layout)
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_bytes: usize) -> *mut u8 {
        if self.fails() {
            return ptr::null_mut();
        }
        // Off the list before it can be anybody else's, back on if it stays.
        if !self.dies(block, layout, "reallocated") {
            return ptr::null_mut();
        }
        // SAFETY: `block` was on the list, so it is from `inner` and live, with this layout; the
        // caller keeps the contract as to `new_bytes`.
        let moved = unsafe { self.shared.inner.realloc(block, layout, new_bytes) };
        if moved.is_null() {
            exempt(|| self.state().blocks.insert(block.addr(), layout));
            return moved;
        }
        // SAFETY: the caller's contract: `new_bytes`, rounded up to the alignment, is no overflow.
        let now = unsafe { Layout::from_size_align_unchecked(new_bytes, layout.align()) };
        self.born(moved, now)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if self.dies(block, layout, "freed") {
            // SAFETY: it was on the list, so it is from `inner` and live, with this layout.
            unsafe { self.shared.inner.dealloc(block, layout) }
        }
    }
}

#[cfg(feature = "allocator-api2-02")]
mod api {
    use std::alloc::{GlobalAlloc, Layout};
    use std::ptr::{self, NonNull};

    use allocator_api2::alloc::{AllocError, Allocator};

    use super::Backing;

    /// What is given for no bytes: aligned, and not a block.
    fn nothing(layout: Layout) -> NonNull<[u8]> {
        let place = ptr::without_provenance_mut::<u8>(layout.align());
        let place = NonNull::new(place).expect("an alignment is not zero");
        NonNull::slice_from_raw_parts(place, 0)
    }

    impl<A: GlobalAlloc> Backing<A> {
        fn block(&self, layout: Layout, is_zeroed: bool) -> Result<NonNull<[u8]>, AllocError> {
            if layout.size() == 0 {
                return Ok(nothing(layout));
            }
            let block = if is_zeroed {
                // SAFETY: the size is not zero.
                unsafe { self.alloc_zeroed(layout) }
            } else {
                // SAFETY: the size is not zero.
                unsafe { self.alloc(layout) }
            };
            let block = NonNull::new(block).ok_or(AllocError)?;
            Ok(NonNull::slice_from_raw_parts(block, layout.size()))
        }
    }

    // SAFETY:
    // - a block is live until it is freed: the list is shared by all clones, and blocks do not move
    //   with the allocator;
    // - a clone frees what another one allocated, since they share one list;
    // - growing and shrinking are the trait's own: allocate, copy, free.
    unsafe impl<A: GlobalAlloc> Allocator for Backing<A> {
        fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
            self.block(layout, false)
        }

        fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
            self.block(layout, true)
        }

        unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
            if layout.size() != 0 {
                // SAFETY: the caller passes a block of this allocator that fits the layout.
                unsafe { self.dealloc(block.as_ptr(), layout) }
            }
        }
    }
}
