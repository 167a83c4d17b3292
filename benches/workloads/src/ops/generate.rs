//! From a spec to its operations.

use super::{Op, Shape, Trace, TraceSpec};
use crate::{rng::Rng, sizes::Sizes};

/// What grows while a trace is written.
pub(super) struct Generator<'a> {
    spec: &'a TraceSpec,
    sizes: Sizes,
    rng: Rng,
    ops: Vec<Op>,
    allocs: u32,
}

impl<'a> Generator<'a> {
    pub(super) fn new(spec: &'a TraceSpec) -> Self {
        assert!(
            spec.sizes.smallest() >= 8,
            "a block of a trace holds its stamp of 8 bytes"
        );
        Self {
            spec,
            sizes: spec.sizes,
            rng: Rng::new(spec.seed),
            ops: Vec::new(),
            allocs: 0,
        }
    }

    pub(super) fn run(mut self) -> Trace {
        let slots = self.spec.shape.slots();
        assert!(slots > 0, "a trace needs a block to live");
        match self.spec.shape {
            Shape::Lifo { depth } => self.repeat(|trace| {
                trace.fill(depth);
                (0..depth).rev().for_each(|slot| trace.free(slot));
            }),
            Shape::WorkingSet { width } => {
                let mut order: Vec<u32> = (0..width).collect();
                self.repeat(|trace| {
                    trace.fill(width);
                    trace.rng.shuffle(&mut order);
                    order.iter().for_each(|&slot| trace.free(slot));
                });
            }
            Shape::Replace { live } => {
                self.fill(live);
                self.repeat(|trace| trace.replace_one(live));
                self.drain(live);
            }
            Shape::Oscillate { held, swing } => {
                assert!(swing > 0, "something comes and goes");
                self.fill(held);
                self.repeat(|trace| {
                    (held..held + swing).for_each(|slot| trace.alloc(slot));
                    (held..held + swing).rev().for_each(|slot| trace.free(slot));
                });
                self.drain(held);
            }
            Shape::Phases { width } => self.repeat(|trace| {
                trace.fill(width);
                trace.ops.push(Op::Reset);
            }),
            Shape::Burst {
                burst,
                trickle,
                ticks,
            } => self.repeat(|trace| trace.burst(burst, trickle, ticks)),
            Shape::Pipeline { batch } => self.repeat(|trace| {
                trace.fill(batch);
                trace.ops.push(Op::HandOver { to: 1 });
                trace.drain(batch);
                trace.ops.push(Op::HandOver { to: 0 });
            }),
            Shape::Larson {
                threads,
                live,
                per_turn,
            } => self.larson(threads, live, per_turn),
        }
        Trace {
            name: self.spec.name.into(),
            reason: self.spec.reason.into(),
            seed: self.spec.seed,
            slots,
            ops: self.ops,
        }
    }

    /// Goes on until the allocations are made. `step` must make at least one.
    fn repeat(&mut self, mut step: impl FnMut(&mut Self)) {
        while self.allocs < self.spec.allocs {
            step(self);
        }
    }

    fn alloc(&mut self, slot: u32) {
        let size = self.sizes.sample(&mut self.rng);
        self.ops.push(Op::Alloc { slot, size });
        self.allocs += 1;
    }

    fn free(&mut self, slot: u32) {
        self.ops.push(Op::Free { slot });
    }

    fn fill(&mut self, count: u32) {
        (0..count).for_each(|slot| self.alloc(slot));
    }

    fn drain(&mut self, count: u32) {
        (0..count).for_each(|slot| self.free(slot));
    }

    fn replace_one(&mut self, live: u32) {
        let slot = below(&mut self.rng, live);
        self.free(slot);
        self.alloc(slot);
    }

    fn burst(&mut self, burst: u32, trickle: u32, ticks: u32) {
        self.fill(burst);
        self.drain(burst);
        for _ in 0..ticks {
            self.ops.push(Op::Tick);
            self.fill(trickle.min(burst));
            self.drain(trickle.min(burst));
        }
    }

    fn larson(&mut self, threads: u8, live: u32, per_turn: u32) {
        assert!(threads > 0 && per_turn > 0, "somebody replaces something");
        self.fill(live);
        let mut thread = 0;
        self.repeat(|trace| {
            (0..per_turn).for_each(|_| trace.replace_one(live));
            thread = (thread + 1) % threads;
            trace.ops.push(Op::HandOver { to: thread });
        });
        self.drain(live);
    }
}

impl Shape {
    /// How many slots a trace of this shape uses.
    fn slots(self) -> u32 {
        match self {
            Self::Lifo { depth: slots }
            | Self::WorkingSet { width: slots }
            | Self::Replace { live: slots }
            | Self::Phases { width: slots }
            | Self::Burst { burst: slots, .. }
            | Self::Pipeline { batch: slots }
            | Self::Larson { live: slots, .. } => slots,
            Self::Oscillate { held, swing } => held + swing,
        }
    }
}

fn below(rng: &mut Rng, bound: u32) -> u32 {
    u32::try_from(rng.below(bound.into())).expect("a number below a u32 is a u32")
}
