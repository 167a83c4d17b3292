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

#[cfg(feature = "profile")]
use crate::sampler::draw::Draw;
use crate::{
    counts::{Counts, CountsCell},
    frame::Frame,
    registry::{Due, Registry},
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

pub(crate) struct Local {
    /// A pointer and no reference, because before Rust 1.90 a constant cannot hold a reference to
    /// a static that changes.
    slot: Cell<*const Slot>,
    state: Cell<State>,
    /// Events to let pass until the next search for a slot, in state `Shared`.
    retry_in: Cell<u32>,
    /// Allocated bytes at the last look for a peak: of the slot in state `Owner`, otherwise of
    /// `elsewhere`.
    last_look: Cell<u64>,
    /// The slot's counts when this thread got it.
    base: Cell<Counts>,
    /// What this thread counted in places that are not its present slot.
    elsewhere: CountsCell,
    /// The innermost open scope; null when there is none.
    frames: Cell<*const Frame<'static>>,
    /// Set while a stack is captured, so that its own events do not start another capture.
    capturing: Cell<bool>,
    /// When the next sample of the heap profile is due.
    #[cfg(feature = "profile")]
    draw: Draw,
}

thread_local! {
    static LOCAL: Local = const { Local {
        slot: Cell::new(&raw const *REGISTRY.shard(0)),
        state: Cell::new(State::Fresh),
        retry_in: Cell::new(0),
        last_look: Cell::new(0),
        base: Cell::new(Counts::ZERO),
        elsewhere: CountsCell::new(),
        frames: Cell::new(ptr::null()),
        capturing: Cell::new(false),
        #[cfg(feature = "profile")]
        draw: Draw::new(),
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

/// Counts an allocation if that is all there is to do; otherwise [`count_slowly`] must.
#[inline]
pub(crate) fn try_count_alloc(bytes: usize) -> bool {
    LOCAL
        .try_with(|local| local.slot().try_count_alloc(bytes as u64))
        .unwrap_or(false)
}

/// Counts a free if that is all there is to do; otherwise [`count_slowly`] must.
#[inline]
pub(crate) fn try_count_free(bytes: usize) -> bool {
    LOCAL
        .try_with(|local| local.slot().try_count_free(bytes as u64))
        .unwrap_or(false)
}

/// Counts a reallocation if that is all there is to do; otherwise [`count_slowly`] must.
#[inline]
pub(crate) fn try_count_realloc(event: Counts) -> bool {
    LOCAL
        .try_with(|local| local.slot().try_count_realloc(event))
        .unwrap_or(false)
}

/// Counts an event that the hot path could not.
///
/// On targets without native thread-locals std destroys `LOCAL` with the thread; an event after that
/// counts for no thread in particular.
pub(crate) fn count_slowly(event: Counts) {
    count_slowly_and(event, |_| ());
}

/// The same, and runs `then` when it is counted, unless the thread-local is gone.
pub(crate) fn count_slowly_and(event: Counts, then: impl FnOnce(&Local)) {
    if LOCAL.try_with(|local| local.slow(event, then)).is_err() {
        REGISTRY.shard(0).count_shared(event);
    }
}

/// Runs `body`, whose events are no samples of the heap profile.
#[cfg(feature = "profile")]
pub(crate) fn unsampled<R>(body: impl FnOnce() -> R) -> R {
    struct Unmute {
        was_muted: bool,
        before: u64,
    }
    impl Drop for Unmute {
        fn drop(&mut self) {
            with_local(|local| {
                let now = local.counts().allocated_bytes;
                local.draw.postpone(now.wrapping_sub(self.before));
                local.draw.mute(self.was_muted);
            });
        }
    }
    let _unmute = with_local(|local| Unmute {
        was_muted: local.draw.mute(true),
        before: local.counts().allocated_bytes,
    });
    body()
}

/// Runs `body` on the thread's place, unless that is gone.
#[cfg(feature = "profile")]
pub(crate) fn with_local<R>(body: impl FnOnce(&Local) -> R) -> Option<R> {
    LOCAL.try_with(body).ok()
}

/// What the calling thread counted since it began.
pub(crate) fn counts() -> Counts {
    LOCAL.try_with(Local::counts).unwrap_or(Counts::ZERO)
}

/// Runs `body` with `frame` as the innermost scope of this thread.
pub(crate) fn within<R>(frame: &Frame<'_>, body: impl FnOnce() -> R) -> R {
    struct Pop(*const Frame<'static>);
    impl Drop for Pop {
        fn drop(&mut self) {
            LOCAL.with(|local| local.pop(self.0));
        }
    }
    let _pop = Pop(LOCAL.with(|local| local.push(frame)));
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
    #[inline]
    fn slot(&self) -> &'static Slot {
        // SAFETY:
        // - valid: the pointer is to a slot or shard of `REGISTRY`, a static: the initial value
        //   is, and `enroll` and `end` store no other;
        // - shared: slots are only ever reached through shared references.
        unsafe { &*self.slot.get() }
    }

    fn slow(&self, event: Counts, then: impl FnOnce(&Self)) {
        self.enroll();
        if self.state.get() == State::Owner {
            self.slot().count(event);
        } else {
            REGISTRY
                .shard(ptr::from_ref(self).addr() / size_of::<Self>())
                .count_shared(event);
            self.elsewhere.add(event);
        }
        if !self.frames.get().is_null() && !self.capturing.get() {
            self.note(event);
        }
        then(self);
        self.look_for_peak();
    }

    /// The thread's clock: bytes that it allocated, as counted in its present place.
    pub(crate) fn total(&self) -> u64 {
        if self.state.get() == State::Owner {
            self.slot().own_allocated_bytes()
        } else {
            self.elsewhere.get().allocated_bytes
        }
    }

    /// Whether a stack is being captured, or a sample taken.
    #[cfg(feature = "profile")]
    pub(crate) fn is_capturing(&self) -> bool {
        self.capturing.get()
    }

    /// When the thread's next sample is due.
    #[cfg(feature = "profile")]
    pub(crate) fn draw(&self) -> &Draw {
        &self.draw
    }

    /// Calls of this thread that asked for memory.
    #[cfg(feature = "profile")]
    pub(crate) fn alloc_calls(&self) -> u64 {
        self.counts().alloc_calls()
    }

    /// The thread's clock goes on as another one.
    #[cfg(feature = "profile")]
    fn rebase(&self, before: u64) {
        self.draw.rebase(before, self.total());
    }

    #[cfg(not(feature = "profile"))]
    #[expect(clippy::unused_self, reason = "the twin with a profile uses it")]
    const fn rebase(&self, _before: u64) {}

    #[cfg(feature = "profile")]
    fn due(&self) -> Due {
        self.draw.refresh(REGISTRY.rate_bytes(), self.total(), 0);
        Due {
            at: self.draw.next(),
            rate_bytes: self.draw.rate(),
        }
    }

    #[cfg(not(feature = "profile"))]
    #[expect(clippy::unused_self, reason = "the twin with a profile uses it")]
    const fn due(&self) -> Due {
        Due::NEVER
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
        let claimed = if cfg!(thrifty_exit_hook) {
            REGISTRY.claim()
        } else {
            None
        };
        let Some(slot) = claimed else {
            self.state.set(State::Shared);
            self.retry_in.set(RETRY_EVENTS);
            return;
        };
        self.base.set(slot.allocated().plus(slot.freed()));
        let since_look = self
            .elsewhere
            .get()
            .allocated_bytes
            .wrapping_sub(self.last_look.get());
        self.last_look
            .set(slot.own_allocated_bytes().saturating_sub(since_look));
        let before = self.total();
        self.slot.set(slot);
        self.state.set(State::Owner);
        self.rebase(before);
        // From here on an event of this thread counts as usual, so it does no harm if the
        // platform allocates to register the destructor.
        if EXIT.try_with(|_| ()).is_err() {
            self.end();
        }
    }

    /// Gives the slot back for good.
    fn end(&self) {
        if self.state.replace(State::Ended) == State::Owner {
            let slot = self.slot();
            self.slot.set(REGISTRY.shard(0));
            self.elsewhere
                .add(slot.allocated().plus(slot.freed()).minus(self.base.get()));
            self.rebase(slot.own_allocated_bytes());
            slot.release();
            // What a thread allocated since its last look must not stay unseen for ever.
            REGISTRY.observe();
            self.last_look.set(self.elsewhere.get().allocated_bytes);
        }
    }

    /// Looks for a peak if it is time to, and lets the next events pass by the slow path unless a
    /// scope is open.
    fn look_for_peak(&self) {
        let owner = self.state.get() == State::Owner;
        let total = self.total();
        if total.wrapping_sub(self.last_look.get()) >= REGISTRY.interval_bytes() {
            let live = REGISTRY.observe();
            self.last_look.set(total);
            if cfg!(feature = "limit") {
                ring_the_bell(live);
            }
        }
        if owner && self.frames.get().is_null() {
            REGISTRY.arm(self.slot(), self.last_look.get(), self.due());
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = self.elsewhere.get();
        if self.state.get() == State::Owner {
            let slot = self.slot();
            counts = counts.plus(slot.allocated().plus(slot.freed()).minus(self.base.get()));
        }
        counts
    }

    fn push(&self, frame: &Frame<'_>) -> *const Frame<'static> {
        let frame: *const Frame<'static> = ptr::from_ref(frame).cast();
        // SAFETY: valid and shared: made from a reference on the line above.
        unsafe { &*frame }.outer.set(self.frames.get());
        self.frames.set(frame);
        if self.state.get() == State::Owner {
            self.slot().disarm();
        }
        frame
    }

    /// Takes a frame out of the list.
    ///
    /// It is the first one, unless scopes ended out of order: two stackful coroutines that took
    /// turns on this thread do that. If it is not in the list at all, a coroutine moved to this
    /// thread with an open scope; the other thread's list then holds a frame that is about to
    /// die, which nothing here can mend.
    fn pop(&self, frame: *const Frame<'static>) {
        let mut place = &self.frames;
        while place.get() != frame {
            if place.get().is_null() {
                std::process::abort();
            }
            // SAFETY:
            // - valid: every frame in the list is one whose `within` has not returned yet, since
            //   each takes out its own frame, here, before it returns or unwinds;
            // - shared: a frame is only ever reached through shared references.
            place = unsafe { &(*place.get()).outer };
        }
        // SAFETY: valid and shared: it is `frame`, which the caller still holds.
        place.set(unsafe { &*frame }.outer.get());
        if self.frames.get().is_null() && self.state.get() == State::Owner {
            REGISTRY.arm(self.slot(), self.last_look.get(), self.due());
        }
    }

    /// Shows an event to all open scopes, innermost first.
    fn note(&self, event: Counts) {
        let mut charged = true;
        let mut next = self.frames.get();
        while !next.is_null() {
            // SAFETY:
            // - valid: every frame in the list is one whose `within` has not returned yet;
            // - shared: a frame is only ever reached through shared references.
            let frame = unsafe { &*next };
            charged = frame.note(event, charged);
            next = frame.outer.get();
        }
    }
}

/// Tells the limit's controller, if there is one, how high the live heap is.
fn ring_the_bell(live: u64) {
    #[cfg(feature = "limit")]
    crate::limit::observed(live);
    #[cfg(not(feature = "limit"))]
    let _ = live;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Kind;

    /// As two stackful coroutines do that open scopes in turn and close them in the same turn.
    #[test]
    fn scopes_may_end_out_of_order() {
        let (first, second) = (Frame::new(Kind::Measure), Frame::new(Kind::Measure));
        LOCAL.with(|local| {
            let (first_place, second_place) = (local.push(&first), local.push(&second));
            local.pop(first_place);
            local.note(Counts::alloc(8));
            local.pop(second_place);
            assert!(local.frames.get().is_null());
            local.note(Counts::alloc(8));
        });
        assert_eq!(
            first.counts.get(),
            Counts::ZERO,
            "a closed scope counts no more"
        );
        assert_eq!(second.counts.get(), Counts::alloc(8), "an open one goes on");
    }
}
