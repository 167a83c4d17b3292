//! What the global allocator asks of the sampler. Nothing in here panics, locks or allocates.
//!
//! # The order around the inner allocator
//!
//! A sample is put into the table *after* the inner allocator handed the block out, and taken out
//! *before* the inner allocator gets it back: in between, nobody else can have its address.

use core::alloc::Layout;

use super::{
    capture::Frames,
    engine::{ENGINE, Engine, FILTER, Origin},
    peek,
    table::Sample,
    weight::{Weight, probability},
};
use crate::{
    counts::Counts,
    thread::{Local, REGISTRY, capturing, count_slowly, count_slowly_and, with_local},
};

/// The longest content of which a fingerprint is taken.
const LONGEST_PRINT: usize = 256;

/// Whether a block may be a sample. "No" is certain: a load and a compare while there are none,
/// another load otherwise.
#[inline]
pub(crate) fn may_be_sampled(block: *mut u8) -> bool {
    FILTER.may_hold(block.addr())
}

/// Counts an allocation, and samples it if it is due. `mark` is the address of a local of the
/// hook.
pub(crate) fn allocated(block: *mut u8, bytes: u64, mark: usize) {
    count_slowly_and(Counts::alloc(bytes), |local| {
        if is_due(local, bytes) {
            let weight = Weight::of(bytes, local.draw().rate());
            sample(local, block.addr(), bytes, weight, Origin::Alloc, mark);
        }
    });
}

/// Counts a free, and ends the sample if the block is one; before the block is freed.
///
/// # Safety
///
/// The block must be live, of this layout, and written by nobody meanwhile.
pub(crate) unsafe fn freed(block: *mut u8, layout: Layout) {
    if may_be_sampled(block) {
        if let Some((engine, sample)) = take(block.addr()) {
            if layout.align() == 1
                && layout.size() <= LONGEST_PRINT
                && peek::AVAILABLE
                && engine.prints.get().is_some()
            {
                // SAFETY: the caller's promise: a live block of that size, which nobody writes.
                let hash = unsafe { peek::hash(block, layout.size()) };
                if let Some(hash) = hash {
                    engine.print(&sample, hash);
                }
            }
            let ended = with_local(|local| engine.end(&sample, Some(local)));
            if ended.is_none() {
                engine.end(&sample, None);
            }
        }
    }
    count_slowly(Counts::free(layout.size() as u64));
}

/// Takes out the sample at an address; to be followed by [`reallocated`] or [`put_back`].
pub(crate) fn take(address: usize) -> Option<(&'static Engine, Sample)> {
    let engine = ENGINE.get()?;
    Some((engine, engine.take(address)?))
}

/// The reallocation failed, and the block stays what it was.
pub(crate) fn put_back(address: usize, sample: Option<(&'static Engine, Sample)>) {
    if let Some((engine, sample)) = sample {
        engine.put_back(address, &sample);
    }
}

/// A reallocation that took place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    pub(crate) address: usize,
    pub(crate) old: u64,
    pub(crate) new: u64,
    pub(crate) copied: u64,
}

/// Counts a reallocation. A sample goes on as one of the new size, or ends with the probability that
/// a smaller block is none; another block may become one.
pub(crate) fn reallocated(moved: Moved, taken: Option<(&'static Engine, Sample)>, mark: usize) {
    let Moved {
        address,
        old,
        new,
        copied,
    } = moved;
    let mut left = taken;
    count_slowly_and(Counts::realloc(old, new, copied), |local| {
        let grown = new.saturating_sub(old);
        let counts = grown > 0 || REGISTRY.rate_bytes() == 1;
        let is_due = counts && is_due(local, grown);
        match left.take() {
            None if is_due => {
                let weight = Weight::of(new, local.draw().rate());
                let origin = Origin::Realloc { old, copied };
                sample(local, address, new, weight, origin, mark);
            }
            None => {}
            Some((engine, old_sample)) => {
                engine.leave(&old_sample);
                if let Some(weight) = weight_after(local, &old_sample, old, new) {
                    let origin = Origin::Moved {
                        old: old_sample,
                        copied,
                    };
                    sample(local, address, new, weight, origin, mark);
                }
            }
        }
    });
    // The thread-local is gone: nobody can follow the block any further.
    if let Some((engine, sample)) = left {
        engine.leave(&sample);
    }
}

/// The weight of a sample after its reallocation; `None` when it is no sample any more.
fn weight_after(local: &Local, sample: &Sample, old: u64, new: u64) -> Option<Weight> {
    let rate = local.draw().rate();
    if sample.weight.0 == 0 {
        return None;
    }
    if new >= old {
        return Some(sample.weight.after_growth(new - old, rate));
    }
    if rate <= 1 {
        return Some(sample.weight);
    }
    let kept = probability(new, rate) / probability(old, rate);
    (local.draw().unit() <= kept).then(|| sample.weight.after_thinning(kept))
}

/// Whether the event that was just counted, and allocated `bytes`, is a sample.
fn is_due(local: &Local, bytes: u64) -> bool {
    let draw = local.draw();
    draw.refresh(REGISTRY.rate_bytes(), local.total(), bytes);
    // What a capture allocates is no sample; the next event is then, instead.
    !local.is_capturing() && draw.is_due(local.total())
}

/// Takes a sample in, with its stack unless one is being captured already.
fn sample(local: &Local, address: usize, size: u64, weight: Weight, origin: Origin, mark: usize) {
    let Some(engine) = ENGINE.get() else {
        return;
    };
    let begin = |frames: Option<&Frames>| {
        engine.begin(local, address, size, weight, origin, frames);
    };
    if local.is_capturing() {
        begin(None);
    } else {
        capturing(|| begin(Some(&engine.stacks.capture(mark))));
    }
}
