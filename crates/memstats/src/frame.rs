//! One open scope of one thread.
//!
//! Frames live on the stack of whoever opened the scope and form a list, innermost first, whose
//! head is a thread-local. While the list is not empty every event of the thread takes the slow
//! path and walks it, so counts and peaks of a scope are exact.
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::ptr;

use crate::{
    counts::{Counts, CountsCell},
    stack::Stack,
};

/// What a scope does with an event.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    /// Counts it.
    Measure,
    /// Counts it unless it is allowed, and notes the stack of the first one past the limit.
    Assert { limit: Limit, first_past: &'a Stack },
    /// Hides it from the asserting scopes outside.
    Allow,
}

/// What an asserting scope tolerates.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Calls that ask for memory: allocations and reallocations.
    pub alloc_calls: u64,
    /// Bytes asked for.
    pub bytes: u64,
}

impl Limit {
    pub(crate) const fn is_kept_by(self, counts: Counts) -> bool {
        counts.alloc_calls() <= self.alloc_calls && counts.requested_bytes() <= self.bytes
    }
}

/// One open scope.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind<'a>,
    pub(crate) counts: CountsCell,
    /// The highest live bytes since the scope began, which may begin above zero: a future's
    /// scope continues at each poll.
    pub(crate) peak_bytes: Cell<i64>,
    /// The next scope outwards; null for the outermost.
    pub(crate) outer: Cell<*const Frame<'static>>,
}

impl<'a> Frame<'a> {
    pub(crate) const fn new(kind: Kind<'a>) -> Self {
        Self {
            kind,
            counts: CountsCell::new(),
            peak_bytes: Cell::new(0),
            outer: Cell::new(ptr::null()),
        }
    }

    /// Notes an event; `charged` is false when an allowing scope lies further inwards. Returns
    /// what `charged` is for the scopes outside.
    pub(crate) fn note(&self, event: Counts, charged: bool) -> bool {
        match self.kind {
            Kind::Measure => self.add(event),
            Kind::Assert { limit, first_past } if charged => {
                self.add(event);
                if event.alloc_calls() != 0 && !limit.is_kept_by(self.counts.get()) {
                    first_past.capture_once();
                }
            }
            Kind::Assert { .. } => {}
            Kind::Allow => return false,
        }
        charged
    }

    fn add(&self, event: Counts) {
        self.counts.add(event);
        let live = self.counts.get().live_bytes();
        self.peak_bytes.set(self.peak_bytes.get().max(live));
    }
}
