//! The traces there are.

use super::{Trace, generate::Generator};
use crate::sizes::Sizes;

/// A trace before it is generated: a few words that fix every operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceSpec {
    /// The name under which results refer to it.
    pub name: &'static str,
    /// Why it exists, in one line.
    pub reason: &'static str,
    /// Where its randomness comes from.
    pub seed: u64,
    /// The pattern of lives.
    pub shape: Shape,
    /// How large the blocks are.
    pub sizes: Sizes,
    /// About how many allocations to make; the pattern is completed, so it may be more.
    pub allocs: u32,
}

/// Which blocks live how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `depth` blocks are taken, and given back in the reverse order.
    Lifo {
        /// How deep the stack gets.
        depth: u32,
    },
    /// `width` blocks are taken, and given back in a random order.
    WorkingSet {
        /// How many live at once.
        width: u32,
    },
    /// `live` blocks live; a random one is replaced, again and again.
    Replace {
        /// How many live at once.
        live: u32,
    },
    /// `held` blocks live throughout; `swing` more are taken and given back, again and again.
    Oscillate {
        /// How many live throughout.
        held: u32,
        /// How many come and go, the last first.
        swing: u32,
    },
    /// `width` blocks are taken, then everything is given back at once.
    Phases {
        /// How many live at a reset.
        width: u32,
    },
    /// `burst` blocks at once, then a long time with `trickle` of them in use.
    Burst {
        /// How many live at the peak.
        burst: u32,
        /// How many are taken and given back per tick afterwards.
        trickle: u32,
        /// How many ticks until the next burst.
        ticks: u32,
    },
    /// Thread 0 takes `batch` blocks, thread 1 gives them back in the same order.
    Pipeline {
        /// How many are handed over at once.
        batch: u32,
    },
    /// Each of `threads` threads in turn replaces `per_turn` random blocks of `live`.
    Larson {
        /// How many threads.
        threads: u8,
        /// How many live at once.
        live: u32,
        /// How many are replaced before the next thread goes on.
        per_turn: u32,
    },
}

impl TraceSpec {
    /// One block at a time: the best case of every cache of free blocks.
    pub const LIFO_1: Self = Self {
        name: "lifo-1",
        reason: "one block taken and given back: the best case, and labelled as such",
        seed: 1,
        shape: Shape::Lifo { depth: 1 },
        sizes: Sizes::Fixed(64),
        allocs: 4_096,
    };

    /// A stack of 32 blocks: nested calls that each need a buffer.
    pub const LIFO_32: Self = Self {
        name: "lifo-32",
        reason: "nested calls that each hold a buffer",
        seed: 2,
        shape: Shape::Lifo { depth: 32 },
        ..Self::LIFO_1
    };

    /// Eight blocks in a random order: within one magazine.
    pub const WORKING_SET_8: Self = Self {
        name: "working-set-8",
        reason: "a few blocks in random return order: defeats caches of one slot",
        seed: 3,
        shape: Shape::WorkingSet { width: 8 },
        ..Self::LIFO_1
    };

    /// Sixty-four blocks in a random order: about one magazine.
    pub const WORKING_SET_64: Self = Self {
        name: "working-set-64",
        reason: "as many blocks as a magazine holds: its boundary is crossed back and forth",
        seed: 4,
        shape: Shape::WorkingSet { width: 64 },
        ..Self::LIFO_1
    };

    /// 1024 blocks in a random order: beyond every thread cache.
    pub const WORKING_SET_1024: Self = Self {
        name: "working-set-1024",
        reason: "more blocks than a thread keeps: shared state is reached",
        seed: 5,
        shape: Shape::WorkingSet { width: 1_024 },
        allocs: 16_384,
        ..Self::LIFO_1
    };

    /// Two blocks that come and go above 64 that stay.
    pub const BOUNDARY_64: Self = Self {
        name: "boundary-64",
        reason: "to and fro across the edge of a magazine of 64: why each thread has two",
        seed: 13,
        shape: Shape::Oscillate { held: 64, swing: 2 },
        ..Self::LIFO_1
    };

    /// Random replacement among 64 blocks.
    pub const REPLACE_64: Self = Self {
        name: "replace-64",
        reason: "steady churn that fits the first-level cache",
        seed: 6,
        shape: Shape::Replace { live: 64 },
        ..Self::LIFO_1
    };

    /// Random replacement among 4096 blocks.
    pub const REPLACE_4096: Self = Self {
        name: "replace-4096",
        reason: "steady churn beyond the first-level cache: free lists get scattered",
        seed: 7,
        shape: Shape::Replace { live: 4_096 },
        allocs: 32_768,
        ..Self::LIFO_1
    };

    /// Random replacement among 4096 blocks of a server's sizes.
    pub const REPLACE_SERVER: Self = Self {
        name: "replace-server",
        reason: "steady churn of mixed sizes: what a general allocator sees",
        seed: 8,
        sizes: Sizes::SERVER,
        ..Self::REPLACE_4096
    };

    /// Requests: many small blocks, gone at once.
    pub const RESET_LOOP: Self = Self {
        name: "reset-loop",
        reason: "requests that drop everything at their end: what arenas are for",
        seed: 9,
        shape: Shape::Phases { width: 1_000 },
        sizes: Sizes::NODES,
        allocs: 16_000,
    };

    /// A burst, then almost nothing.
    pub const BURST_IDLE: Self = Self {
        name: "burst-idle",
        reason: "a peak long gone: who still holds its memory",
        seed: 10,
        shape: Shape::Burst {
            burst: 8_192,
            trickle: 16,
            ticks: 64,
        },
        sizes: Sizes::Fixed(1_024),
        allocs: 18_432,
    };

    /// One thread takes, another gives back.
    pub const PRODUCER_CONSUMER: Self = Self {
        name: "producer-consumer",
        reason: "every block is freed by another thread than took it",
        seed: 11,
        shape: Shape::Pipeline { batch: 64 },
        ..Self::LIFO_1
    };

    /// Threads that leave their blocks to the next.
    pub const LARSON: Self = Self {
        name: "larson",
        reason: "a server whose threads inherit each other's blocks (Larson and Krishnan, 1998)",
        seed: 12,
        shape: Shape::Larson {
            threads: 4,
            live: 1_024,
            per_turn: 1_024,
        },
        sizes: Sizes::Uniform { low: 16, high: 512 },
        allocs: 16_384,
    };

    /// Every trace.
    pub const ALL: [Self; 13] = [
        Self::LIFO_1,
        Self::LIFO_32,
        Self::WORKING_SET_8,
        Self::WORKING_SET_64,
        Self::WORKING_SET_1024,
        Self::REPLACE_64,
        Self::REPLACE_4096,
        Self::REPLACE_SERVER,
        Self::RESET_LOOP,
        Self::BURST_IDLE,
        Self::PRODUCER_CONSUMER,
        Self::LARSON,
        Self::BOUNDARY_64,
    ];

    /// The same trace with another number of allocations.
    #[must_use]
    pub const fn with_allocs(self, allocs: u32) -> Self {
        Self { allocs, ..self }
    }

    /// The same trace with blocks of other sizes.
    #[must_use]
    pub const fn with_sizes(self, sizes: Sizes) -> Self {
        Self { sizes, ..self }
    }

    /// The same trace with another seed.
    #[must_use]
    pub const fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Writes the operations out.
    ///
    /// # Panics
    ///
    /// When the shape has a width of 0, or a size may be below 8 bytes.
    #[must_use]
    pub fn generate(&self) -> Trace {
        Generator::new(self).run()
    }
}
