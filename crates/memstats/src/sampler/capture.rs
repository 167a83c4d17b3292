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

use core::{hint::black_box, ptr};

use thrifty_sync::{atomic::AtomicU64, ord};

use super::walk::{Walk, Walker, registers};
use crate::{
    frame::{Frame, Kind, Limit},
    profile::Unwinder,
    stack::Stack,
    thread::within,
    unwind::trace,
};

/// Frames kept of a stack.
pub(crate) const FRAMES: usize = 64;
/// Of so many walked stacks one is compared with the unwinder's.
const COMPARED: u64 = 256;
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

    fn is(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice() && self.truncated == other.truncated
    }

    /// Leaves out the allocator's entry, at the inner end.
    fn leave_out(&mut self, entry: &Entry) {
        let known = &entry.ips[..entry.len];
        let nearest = &self.ips[..self.len.min(ENTRY_FRAMES)];
        if let Some(last) = nearest.iter().rposition(|ip| known.contains(ip)) {
            self.ips.copy_within(last + 1..self.len, 0);
            self.len -= last + 1;
        }
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
    fn learn() -> Self {
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

/// What captures stacks.
#[derive(Debug)]
pub(crate) struct Stacks {
    entry: Entry,
    /// What a test of the system's unwinder said.
    system: Unwinder,
    walker: Option<Walker>,
    /// Stacks walked by tables; compared with the unwinder's; different from those; taken by the unwinder.
    pub(super) walked: AtomicU64,
    pub(super) compared: AtomicU64,
    pub(super) different: AtomicU64,
    pub(super) unwound: AtomicU64,
}

impl Stacks {
    /// Finds out how stacks can be captured. Not for hooks: it allocates.
    pub(super) fn new() -> Self {
        let system = self_test();
        let zero = || AtomicU64::new(0);
        let stacks = Self {
            entry: Entry::learn(),
            system,
            walker: Walker::new().filter(|_| system == Unwinder::System),
            walked: zero(),
            compared: zero(),
            different: zero(),
            unwound: zero(),
        };
        // Whether this program's tables can be read shows before the first sample.
        let mark = 0_u8;
        for _ in 0..black_box(2) {
            // The first time is the lesson.
            stacks.capture(ptr::from_ref(black_box(&mark)).addr());
        }
        stacks
    }

    /// Bytes reserved.
    pub(super) fn bytes(&self) -> usize {
        self.walker.as_ref().map_or(0, Walker::bytes)
    }

    /// What captures them now: tables if that ever led to an end, as it did at the start if it ever does.
    pub(super) fn unwinder(&self) -> Unwinder {
        // ORDERING(memstats.stacks): Relaxed; a sum of its own.
        let walked = self.walked.load(ord!(memstats.stacks, Relaxed));
        match self.trusted() {
            Some(_) if walked != 0 => Unwinder::Tables,
            _ => self.system,
        }
    }

    /// The walker, unless it was wrong once.
    fn trusted(&self) -> Option<&Walker> {
        // ORDERING(memstats.stacks): Relaxed; a walk that begins before the news is one of those before.
        let different = self.different.load(ord!(memstats.stacks, Relaxed));
        self.walker.as_ref().filter(|_| different == 0)
    }

    /// The calling thread's stack, beginning above the frame that holds `mark` and above the entry.
    #[inline(never)]
    pub(super) fn capture(&self, mark: usize) -> Frames {
        let mut frames = self.walked(mark).unwrap_or_else(|| {
            count(&self.unwound);
            unwound(mark)
        });
        frames.leave_out(&self.entry);
        frames
    }

    /// The stack by the tables, if they lead to its end, or by the unwinder where there is something to learn.
    #[inline(never)]
    fn walked(&self, mark: usize) -> Option<Frames> {
        let walker = self.trusted()?;
        let registers = registers();
        let mut above = Above::new(mark);
        match walker.walk(registers, |ip, sp| above.add(ip, sp)) {
            Walk::Short => return None,
            Walk::New => {
                above = Above::new(mark);
                if !walker.learn(registers, |ip, sp| above.add(ip, sp)) {
                    count(&self.different);
                }
                count(&self.compared);
                count(&self.unwound);
            }
            Walk::Whole if count(&self.walked) % COMPARED == 0 => {
                let system = unwound(mark);
                count(&self.compared);
                if !system.is(&above.frames) {
                    count(&self.different);
                    return Some(system);
                }
            }
            Walk::Whole => {}
        }
        Some(above.frames)
    }
}

/// The stack by the system's unwinder.
fn unwound(mark: usize) -> Frames {
    let mut above = Above::new(mark);
    trace(|ip, stack_address| above.add(ip, stack_address));
    above.frames
}

/// Counts one more, and says how many there were.
fn count(of: &AtomicU64) -> u64 {
    // ORDERING(memstats.stacks): Relaxed; each is a sum of its own, exact when quiet.
    of.fetch_add(1, ord!(memstats.stacks, Relaxed))
}

/// The frames above a mark, as they come.
struct Above {
    frames: Frames,
    mark: usize,
    is_outside: bool,
}

impl Above {
    const fn new(mark: usize) -> Self {
        Self {
            frames: Frames {
                ips: [0; FRAMES],
                len: 0,
                truncated: false,
            },
            mark,
            is_outside: false,
        }
    }

    /// Takes the next frame, and says whether to go on.
    fn add(&mut self, ip: usize, stack_address: usize) -> bool {
        if !self.is_outside {
            // A frame's address is where its stack ended at its call, so that the frame that holds the
            // mark lies below it. What comes next may be the code itself: hooks are inlined.
            self.is_outside = stack_address == 0 || stack_address > self.mark;
            if !self.is_outside {
                return true;
            }
        }
        if ip == 0 {
            // No frame: the system's unwinder says so where there is no other.
            return false;
        }
        let frames = &mut self.frames;
        frames.truncated = frames.len == FRAMES;
        if !frames.truncated {
            frames.ips[frames.len] = ip;
            frames.len += 1;
        }
        !frames.truncated
    }
}

/// Finds out whether stacks can be walked: a chain of calls of known depth must be seen whole.
fn self_test() -> Unwinder {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// How many frames are kept of so many, and whether that is said to be fewer.
    fn kept(frames: usize) -> (usize, bool) {
        let mut above = Above::new(0);
        // The unwinder may end with a frame that is none.
        let ips = (1..=frames).chain([0]);
        let mut all = ips.map(|ip| above.add(ip, 8));
        assert!(all.any(|go_on| !go_on), "it ends by itself");
        (above.frames.as_slice().len(), above.frames.truncated)
    }

    #[test]
    fn what_is_left_out_is_said() {
        assert_eq!(kept(0), (0, false));
        assert_eq!(kept(FRAMES - 1), (FRAMES - 1, false));
        assert_eq!(kept(FRAMES), (FRAMES, false));
        assert_eq!(kept(FRAMES + 1), (FRAMES, true));
    }

    #[test]
    fn frames_below_the_mark_are_no_part_of_it() {
        let mut above = Above::new(100);
        for (ip, stack_address) in [(1, 50), (2, 100), (3, 101), (4, 60)] {
            assert!(above.add(ip, stack_address));
        }
        assert_eq!(above.frames.as_slice(), [3, 4]);
    }

    #[test]
    fn a_walk_that_was_wrong_once_is_the_last() {
        let stacks = Stacks::new();
        let mark = 0_u8;
        let mark = ptr::from_ref(black_box(&mark)).addr();
        let was = stacks.unwinder();
        let first = stacks.capture(mark).as_slice().len();
        count(&stacks.different);
        let walked = count(&stacks.walked);
        assert_eq!(stacks.capture(mark).as_slice().len(), first);
        assert_eq!(count(&stacks.walked), walked + 1, "no other");
        assert_eq!(stacks.unwinder(), self_test());
        assert!(was == self_test() || was == Unwinder::Tables);
    }
}
