//! Whether a trace can be replayed, and what it does.

use core::fmt;

use super::{Op, Trace};

/// What a valid trace does, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Blocks taken.
    pub allocs: u64,
    /// Blocks given back one by one.
    pub frees: u64,
    /// Times that everything was given back.
    pub resets: u64,
    /// Times that time passed.
    pub ticks: u64,
    /// Times that another thread went on.
    pub hand_overs: u64,
    /// Bytes taken.
    pub bytes: u64,
    /// The most blocks that live at once.
    pub live_max: u64,
    /// The most bytes that live at once.
    pub live_bytes_max: u64,
    /// Blocks given back by another thread than took them.
    pub foreign_frees: u64,
}

/// Where a trace cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invalid {
    /// The index of the operation; one past the last for what is missing at the end.
    pub index: usize,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What can be wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wrong {
    /// The slot's number is not below [`Trace::slots`].
    SlotOutOfRange,
    /// A block would be overwritten.
    SlotFull,
    /// There is nothing to give back.
    SlotEmpty,
    /// The block is too small for its stamp.
    TooSmall,
    /// Blocks are left at the end: the next replay would find their slots full.
    Leftovers,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.wrong {
            Wrong::SlotOutOfRange => "its slot does not exist",
            Wrong::SlotFull => "its slot is full",
            Wrong::SlotEmpty => "its slot is empty",
            Wrong::TooSmall => "its size is below 8 bytes",
            Wrong::Leftovers => "blocks are left when the trace ends",
        };
        write!(f, "operation {}: {what}", self.index)
    }
}

impl core::error::Error for Invalid {}

/// The block in a slot, as far as validity goes.
#[derive(Clone, Copy)]
struct Live {
    size: u64,
    thread: u8,
}

#[derive(Default)]
struct State {
    slots: Vec<Option<Live>>,
    live: u64,
    live_bytes: u64,
    thread: u8,
    summary: Summary,
}

impl Trace {
    /// Checks that every operation is possible and nothing is left at the end.
    ///
    /// # Errors
    ///
    /// The first operation that cannot be done.
    pub fn validate(&self) -> Result<Summary, Invalid> {
        let mut state = State {
            slots: vec![None; self.slots as usize],
            ..State::default()
        };
        for (index, &op) in self.ops.iter().enumerate() {
            state.step(op).map_err(|wrong| Invalid { index, wrong })?;
        }
        if state.live > 0 {
            return Err(Invalid {
                index: self.ops.len(),
                wrong: Wrong::Leftovers,
            });
        }
        Ok(state.summary)
    }
}

impl State {
    fn step(&mut self, op: Op) -> Result<(), Wrong> {
        match op {
            Op::Alloc { slot, size } => self.alloc(slot, size),
            Op::Free { slot } => self.free(slot),
            Op::Reset => {
                self.slots.fill(None);
                (self.live, self.live_bytes) = (0, 0);
                self.summary.resets += 1;
                Ok(())
            }
            Op::Tick => {
                self.summary.ticks += 1;
                Ok(())
            }
            Op::HandOver { to } => {
                self.thread = to;
                self.summary.hand_overs += 1;
                Ok(())
            }
        }
    }

    fn alloc(&mut self, slot: u32, size: u32) -> Result<(), Wrong> {
        let place = self
            .slots
            .get_mut(slot as usize)
            .ok_or(Wrong::SlotOutOfRange)?;
        if place.is_some() {
            return Err(Wrong::SlotFull);
        }
        if size < 8 {
            return Err(Wrong::TooSmall);
        }
        *place = Some(Live {
            size: size.into(),
            thread: self.thread,
        });
        self.live += 1;
        self.live_bytes += u64::from(size);
        let summary = &mut self.summary;
        summary.allocs += 1;
        summary.bytes += u64::from(size);
        summary.live_max = summary.live_max.max(self.live);
        summary.live_bytes_max = summary.live_bytes_max.max(self.live_bytes);
        Ok(())
    }

    fn free(&mut self, slot: u32) -> Result<(), Wrong> {
        let place = self
            .slots
            .get_mut(slot as usize)
            .ok_or(Wrong::SlotOutOfRange)?;
        let block = place.take().ok_or(Wrong::SlotEmpty)?;
        self.live -= 1;
        self.live_bytes -= block.size;
        self.summary.frees += 1;
        self.summary.foreign_frees += u64::from(block.thread != self.thread);
        Ok(())
    }
}
