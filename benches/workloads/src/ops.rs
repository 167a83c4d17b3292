//! Streams of allocations and frees, as programs make them.
//!
//! A [`Trace`] says what happens to numbered *slots*: a block is put into an empty slot, a full
//! slot is emptied. Who replays one keeps a table of [`Trace::slots`] blocks and looks nothing up.
//! Each block carries a stamp, the number of its allocation; freeing reads it back. An allocator
//! that mixes blocks up therefore gives another checksum than the [`Oracle`].
//!
//! ```text
//!   TraceSpec ──generate──► Trace ──► replay on the real thing ──► checksum ─┐
//!   (name, reason, seed,      │                                             equal?
//!    shape, sizes, ops)       └─────► Oracle (a map of slots) ────► checksum ─┘
//! ```

mod generate;
mod oracle;
mod specs;
mod validate;

pub use self::{
    oracle::{Checksum, Oracle},
    specs::{Shape, TraceSpec},
    validate::{Invalid, Summary, Wrong},
};

/// One step of a program that uses memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Takes a block of `size` bytes, writes the stamp, and puts it into an empty slot.
    Alloc {
        /// The empty slot.
        slot: u32,
        /// At least 8 bytes, so that the stamp fits.
        size: u32,
    },
    /// Reads the stamp of the block in a full slot and gives the block back.
    Free {
        /// The full slot.
        slot: u32,
    },
    /// Gives everything back at once, in the order of the slots.
    Reset,
    /// Time passes and nothing is done: where decay may act.
    Tick,
    /// Another thread goes on, and owns every live block from here.
    HandOver {
        /// The number of that thread, from 0. The first operation is thread 0's.
        to: u8,
    },
}

/// A stream of operations with its name and its reason.
///
/// # Examples
///
/// ```
/// use thrifty_workloads::ops::{Oracle, TraceSpec};
///
/// let trace = TraceSpec::REPLACE_64.generate();
/// let summary = trace.validate()?;
/// assert_eq!(summary.live_max, 64);
/// assert_eq!(Oracle::replay(&trace).value(), Oracle::replay(&trace).value());
/// # Ok::<(), thrifty_workloads::ops::Invalid>(())
/// ```
///
/// # Memory
///
/// Twelve bytes per operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The name under which results refer to it.
    pub name: String,
    /// Why it exists, in one line.
    pub reason: String,
    /// Where its randomness comes from.
    pub seed: u64,
    /// Slots are numbered below this.
    pub slots: u32,
    /// The operations.
    pub ops: Vec<Op>,
}

impl Trace {
    /// The stretches between hand-overs, each with the thread that does it.
    ///
    /// Blocks that one stretch leaves behind are freed by a later one: with real threads, what
    /// has to be passed on.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let mut thread = 0;
        self.ops
            .split_inclusive(|op| matches!(op, Op::HandOver { .. }))
            .map(move |ops| {
                let begun_by = thread;
                let ops = match ops.split_last() {
                    Some((&Op::HandOver { to }, before)) => {
                        thread = to;
                        before
                    }
                    _ => ops,
                };
                Segment {
                    thread: begun_by,
                    ops,
                }
            })
    }
}

/// What one thread does until it hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The thread's number.
    pub thread: u8,
    /// What it does; without the hand-over itself.
    pub ops: &'a [Op],
}
