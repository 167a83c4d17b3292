//! The stack of a sampled event.
//!
//! ```text
//! lower addresses                                                   higher addresses
//! │ unwinder, sampler │ slow path, `mark` │ allocator's entry │ the code │ main ... │
//!                       known by address     known by address    kept
//! ```
//!
//! The frames of the allocator's entry are the same for every allocation of a program, so they are
//! learned once, at the start, from an allocation of ours.
#![forbid(unsafe_code)]

use core::hint::black_box;

use crate::{
    frame::{Frame, Kind, Limit},
    profile::Unwinder,
    stack::Stack,
    thread::within,
    unwind::trace,
};

/// Frames kept of a stack.
pub(crate) const FRAMES: usize = 64;
/// Frames of the allocator's entry, as many as are looked for.
const ENTRY_FRAMES: usize = 8;

/// Return addresses, innermost first.
pub(crate) struct Frames {
    ips: [usize; FRAMES],
    len: usize,
    pub(crate) truncated: bool,
}

impl Frames {
    pub(crate) fn as_slice(&self) -> &[usize] {
        &self.ips[..self.len]
    }
}

/// Return addresses between the hook and the code that wants memory.
#[derive(Debug)]
pub(crate) struct Entry {
    ips: [usize; 3 * FRAMES],
    len: usize,
}

impl Entry {
    /// Learns them from one allocation of each kind.
    pub(crate) fn learn() -> Self {
        let mut entry = Self {
            ips: [0; 3 * FRAMES],
            len: 0,
        };
        let mut bytes = Vec::with_capacity(8);
        bytes.push(1_u8);
        entry.add(|| drop(black_box(Vec::<u8>::with_capacity(black_box(8)))));
        entry.add(|| drop(black_box(vec![0_u8; black_box(8)])));
        entry.add(|| black_box(&mut bytes).reserve_exact(black_box(100)));
        entry
    }

    /// Adds those of what `allocate` does first.
    #[inline(never)]
    fn add(&mut self, allocate: impl FnOnce()) {
        let stack = Stack::new();
        let limit = Limit {
            alloc_calls: 0,
            bytes: 0,
        };
        let frame = Frame::new(Kind::Assert {
            limit,
            first_past: &stack,
        });
        within(&frame, allocate);
        for ip in stack.ips() {
            if self.len < self.ips.len() && !self.ips[..self.len].contains(&ip) {
                self.ips[self.len] = ip;
                self.len += 1;
            }
        }
    }
}

/// The calling thread's stack, beginning above the frame that holds `mark` and above the entry.
#[inline(never)]
pub(crate) fn capture(mark: usize, entry: &Entry) -> Frames {
    let mut frames = Frames {
        ips: [0; FRAMES],
        len: 0,
        truncated: false,
    };
    let mut is_outside = false;
    trace(|ip, stack_address| {
        if !is_outside {
            // A frame's address is where its stack ended at its call, so that the frame that holds the
            // mark lies below it. What comes next may be the code itself: hooks are inlined.
            is_outside = stack_address == 0 || stack_address > mark;
            if !is_outside {
                return true;
            }
        }
        frames.truncated = frames.len == FRAMES;
        if !frames.truncated && ip != 0 {
            frames.ips[frames.len] = ip;
            frames.len += 1;
        }
        !frames.truncated && ip != 0
    });
    let known = &entry.ips[..entry.len];
    let nearest = &frames.ips[..frames.len.min(ENTRY_FRAMES)];
    if let Some(last) = nearest.iter().rposition(|ip| known.contains(ip)) {
        frames.ips.copy_within(last + 1..frames.len, 0);
        frames.len -= last + 1;
    }
    frames
}

/// Finds out whether stacks can be walked: a chain of calls of known depth must be seen whole.
pub(crate) fn self_test() -> Unwinder {
    const DEPTH: usize = 5;

    #[inline(never)]
    fn descend(depth: usize) -> usize {
        let seen = if depth > 0 {
            descend(depth - 1)
        } else {
            let mut seen = 0;
            trace(|ip, _| {
                seen += usize::from(ip != 0);
                seen < FRAMES
            });
            seen
        };
        black_box(seen)
    }

    if descend(black_box(DEPTH)) > DEPTH {
        Unwinder::System
    } else {
        Unwinder::None
    }
}
