//! The calling thread's place in the registry: the hot path, and the slow one behind it.
//!
//! ```text
//!            first event                 no slot free
//!   Fresh ───────────────► Owner ◄───┐ ┌──────────────► Shared
//!                            │       └─┤ every 1024th event tries again
//!                            │         └────────────────◄─┘
//!                            │ thread-local destructors run
//!                            ▼
//!                          Ended   counts into a shard, like Shared
//! ```
//!
//! `LOCAL` is constant-initialised and has no destructor, so it can be used from the first
//! instruction of a thread to its last, and the compiler reaches it without a check. The
//! destructor that gives the slot back belongs to a second thread-local, `EXIT`, which only the
//! slow path touches. Until a thread has a slot, and after it gave it back, its slot pointer is
//! the first shard, whose `next_event` of zero sends every event here.

use core::cell::Cell;
use core::ptr;

use crate::{
    counts::{Counts, CountsCell},
    frame::Frame,
    registry::Registry,
    slot::Slot,
};

/// Threads past this number share shards: right, at the price of locked instructions.
const SLOTS: usize = 1024;
const SHARDS: usize = 16;
/// How many events a thread without a slot lets pass before it looks for one again.
const RETRY_EVENTS: u32 = 1024;

/// The process's counters: 130 KiB, of which a page per 32 threads is ever touched.
pub(crate) static REGISTRY: Registry<SLOTS, SHARDS> = Registry::new();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Owner,
    Shared,
    Ended,
}

struct Local {
    slot: Cell<&'static Slot>,
    state: Cell<State>,
    /// Events to let pass until the next search for a slot, in state `Shared`.
    retry_in: Cell<u32>,
    /// Allocated bytes (of the slot, or of `elsewhere`) at which to look for a peak.
    look_at: Cell<u64>,
    /// The slot's counts when this thread got it.
    base: Cell<Counts>,
    /// What this thread counted in places that are not its present slot.
    elsewhere: CountsCell,
    /// The innermost open scope; null when there is none.
    frames: Cell<*const Frame<'static>>,
    /// Set while a stack is captured, so that its own events do not start another capture.
    capturing: Cell<bool>,
}

thread_local! {
    static LOCAL: Local = const { Local {
        slot: Cell::new(REGISTRY.shard(0)),
        state: Cell::new(State::Fresh),
        retry_in: Cell::new(0),
        look_at: Cell::new(0),
        base: Cell::new(Counts::ZERO),
        elsewhere: CountsCell::new(),
        frames: Cell::new(ptr::null()),
        capturing: Cell::new(false),
    } };

    static EXIT: Exit = const { Exit };
}

/// Gives the thread's slot back when its thread-locals are destroyed.
struct Exit;

impl Drop for Exit {
    fn drop(&mut self) {
        LOCAL.with(Local::end);
    }
}

/// Counts an allocation.
#[inline]
pub(crate) fn on_alloc(bytes: usize) {
    LOCAL.with(|local| {
        if !local.slot.get().try_count_alloc(bytes as u64) {
            slow_alloc(bytes);
        }
    });
}

/// Counts a free.
#[inline]
pub(crate) fn on_free(bytes: usize) {
    LOCAL.with(|local| {
        if !local.slot.get().try_count_free(bytes as u64) {
            slow_free(bytes);
        }
    });
}

/// Counts a reallocation that succeeded.
#[inline]
pub(crate) fn on_realloc(old_bytes: usize, new_bytes: usize, moved: bool) {
    let (old, new) = (old_bytes as u64, new_bytes as u64);
    let moved_bytes = if moved { old.min(new) } else { 0 };
    LOCAL.with(|local| {
        if !local.slot.get().try_count_realloc(old, new, moved_bytes) {
            slow_realloc(old, new, moved_bytes);
        }
    });
}

#[cold]
#[inline(never)]
fn slow_alloc(bytes: usize) {
    LOCAL.with(|local| local.slow(Counts::alloc(bytes as u64)));
}

#[cold]
#[inline(never)]
fn slow_free(bytes: usize) {
    LOCAL.with(|local| local.slow(Counts::free(bytes as u64)));
}

#[cold]
#[inline(never)]
fn slow_realloc(old_bytes: u64, new_bytes: u64, moved_bytes: u64) {
    LOCAL.with(|local| local.slow(Counts::realloc(old_bytes, new_bytes, moved_bytes)));
}

/// What the calling thread counted since it began.
pub(crate) fn counts() -> Counts {
    LOCAL.with(Local::counts)
}

/// Runs `body` with `frame` as the innermost scope of this thread.
pub(crate) fn within<R>(frame: &Frame<'_>, body: impl FnOnce() -> R) -> R {
    struct Pop;
    impl Drop for Pop {
        fn drop(&mut self) {
            LOCAL.with(Local::pop);
        }
    }
    LOCAL.with(|local| local.push(frame));
    let _pop = Pop;
    body()
}

/// Runs `capture` unless a capture is running already.
pub(crate) fn capturing(capture: impl FnOnce()) {
    LOCAL.with(|local| {
        if !local.capturing.replace(true) {
            capture();
            local.capturing.set(false);
        }
    });
}

impl Local {
    fn slow(&self, event: Counts) {
        self.enroll();
        if self.state.get() == State::Owner {
            self.slot.get().count(event);
        } else {
            REGISTRY
                .shard(ptr::from_ref(self).addr() / size_of::<Self>())
                .count_shared(event);
            self.elsewhere.add(event);
        }
        if !self.frames.get().is_null() && !self.capturing.get() {
            self.note(event);
        }
        self.look_for_peak();
    }

    /// Finds a slot for a thread that has none and may have one.
    fn enroll(&self) {
        match self.state.get() {
            State::Owner | State::Ended => return,
            State::Shared if self.retry_in.get() != 0 => {
                self.retry_in.set(self.retry_in.get() - 1);
                return;
            }
            State::Fresh | State::Shared => {}
        }
        let Some(slot) = REGISTRY.claim() else {
            self.state.set(State::Shared);
            self.retry_in.set(RETRY_EVENTS);
            return;
        };
        self.base.set(slot.allocated().plus(slot.freed()));
        self.look_at.set(0);
        self.slot.set(slot);
        self.state.set(State::Owner);
        // From here on an event of this thread counts as usual, so it does no harm if the
        // platform allocates to register the destructor.
        if EXIT.try_with(|_| ()).is_err() {
            self.end();
        }
    }

    /// Gives the slot back for good.
    fn end(&self) {
        if self.state.replace(State::Ended) == State::Owner {
            let slot = self.slot.replace(REGISTRY.shard(0));
            self.elsewhere
                .add(slot.allocated().plus(slot.freed()).minus(self.base.get()));
            slot.release();
        }
    }

    /// Looks for a peak if it is time to, and lets the next events pass by the slow path unless a
    /// scope is open.
    fn look_for_peak(&self) {
        let owner = self.state.get() == State::Owner;
        let slot = self.slot.get();
        let total = if owner {
            slot.own_allocated_bytes()
        } else {
            self.elsewhere.get().allocated_bytes
        };
        let due = total >= self.look_at.get();
        if due {
            REGISTRY.observe();
            self.look_at
                .set(total.saturating_add(REGISTRY.interval_bytes()));
        }
        if owner && self.frames.get().is_null() {
            self.look_at.set(REGISTRY.arm(slot));
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = self.elsewhere.get();
        if self.state.get() == State::Owner {
            let slot = self.slot.get();
            counts = counts.plus(slot.allocated().plus(slot.freed()).minus(self.base.get()));
        }
        counts
    }

    fn push(&self, frame: &Frame<'_>) {
        frame.outer.set(self.frames.get());
        self.frames.set(ptr::from_ref(frame).cast());
        if self.state.get() == State::Owner {
            self.slot.get().disarm();
        }
    }

    fn pop(&self) {
        let frame = self.frames.get();
        // SAFETY:
        // - valid: `within` pushed this frame, which its caller holds by reference until `within`
        //   returns or unwinds, and `Pop` runs before that; scopes end in the reverse order of
        //   their beginning, because each is a function call;
        // - shared: a frame is only ever reached through shared references.
        let outer = unsafe { &*frame }.outer.get();
        self.frames.set(outer);
        if outer.is_null() && self.state.get() == State::Owner {
            self.look_at.set(REGISTRY.arm(self.slot.get()));
        }
    }

    /// Shows an event to all open scopes, innermost first.
    fn note(&self, event: Counts) {
        let mut charged = true;
        let mut next = self.frames.get();
        while !next.is_null() {
            // SAFETY:
            // - valid: every frame in the list is one whose `within` has not returned yet, on
            //   this thread's own stack;
            // - shared: a frame is only ever reached through shared references.
            let frame = unsafe { &*next };
            charged = frame.note(event, charged);
            next = frame.outer.get();
        }
    }
}
