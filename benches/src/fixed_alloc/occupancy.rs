//! What is held for what is live: the row `fixed-alloc/occupancy/1t`.
//!
//! 65536 blocks are taken, half of them are freed, then all but one in a hundred, at random. That is
//! timed; the figures beside the time say what the process holds meanwhile:
//!
//! | figure | when |
//! |---|---|
//! | `…_per_live_100`, `_50`, `_1` | with so many percent live, after a trim where there is one |
//! | `…_per_live_1_churned` | after each of these was replaced eight times, one by one, and trims |
//! | `…_per_live_1_renewed` | after all of these were replaced together, and a trim |
//! | `…_after_release` | when nothing is live any more, and after a trim |
//! | `rss_after_libc_trim` | after a `malloc_trim` on top of it; glibc only |
//!
//! `reserved` is what ours says of itself, `rss` what the process has more than when the side was made.
//! Blocks do not move, so that at 1 % nearly every slab has one in use and none can go back. Who then
//! replaces one by one gets the block back that was just freed, from the thread's cache; who takes many
//! gets them from the fullest slabs, and the others run empty. RSS sees whole pages, and none that an
//! allocator had kept from rows before; so it is exact in a run of this row alone. Slabs of ours go back
//! to the system's allocator, which keeps them for the program until it is told otherwise.

use thrifty_workloads::rng::Rng;

use super::{
    blocks::Blocks,
    roster::{Form, everyone},
    store::{Place, Raw, Store as _},
};
use crate::suite::{Figure, Row, Subject, Worker};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "fixed-alloc/occupancy/1t",
        "65536 taken and freed at random: what is held for what is live",
    )
    .operations(COUNT as u64)
    .oracle(|| (0..COUNT as u64).sum());
    vec![everyone(row, Occupancy)]
}

/// Blocks at the most.
const COUNT: usize = 1 << 16;

/// What is left of them: half, and one in a hundred.
const HALF: usize = COUNT / 2;
const FEW: usize = COUNT / 100;

/// How often each of the few is replaced.
const TURNS: usize = 8;

#[derive(Clone, Copy)]
struct Occupancy;

impl Form for Occupancy {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        let order = order();
        let _ = give_back();
        Occupied {
            shop: Raw(blocks),
            order,
            before: resident(),
        }
    }
}

/// Every place once, at random.
fn order() -> Vec<usize> {
    let mut order: Vec<_> = (0..COUNT).collect();
    Rng::new(COUNT as u64).shuffle(&mut order);
    order
}

struct Occupied<B> {
    shop: Raw<B>,
    /// In which order they are freed.
    order: Vec<usize>,
    /// Resident before there was a block.
    before: Option<u64>,
}

impl<B: Blocks> Occupied<B> {
    fn live(&self) -> Live<'_, B> {
        Live {
            blocks: &self.shop.0,
            order: &self.order,
            places: Vec::with_capacity(COUNT),
            left: Vec::with_capacity(COUNT),
        }
    }
}

impl<B: Blocks> Subject for Occupied<B> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(self.live())
    }

    fn figures(&self) -> Vec<Figure> {
        let mut live = self.live();
        live.fill();
        let own = size_of_val(&*live.places) + size_of_val(&*live.left);
        let mut held = Held {
            blocks: &self.shop.0,
            before: self.before.map(|bytes| bytes + own as u64),
            figures: Vec::with_capacity(16),
        };
        held.tell(COUNT, "reserved_per_live_100", "rss_per_live_100");
        live.free(HALF);
        held.tell(HALF, "reserved_per_live_50", "rss_per_live_50");
        live.free(FEW);
        held.tell(FEW, "reserved_per_live_1", "rss_per_live_1");
        for _ in 0..TURNS {
            live.churn();
            self.shop.0.trim();
        }
        held.tell(FEW, "reserved_per_live_1_churned", "rss_per_live_1_churned");
        live.renew();
        held.tell(FEW, "reserved_per_live_1_renewed", "rss_per_live_1_renewed");
        live.free(0);
        held.tell(1, "reserved_after_release", "rss_after_release");
        if give_back() {
            held.tell_resident(1, "rss_after_libc_trim");
        }
        held.figures
    }
}

/// What is live of an allocator's blocks.
struct Live<'a, B: Blocks> {
    blocks: &'a B,
    order: &'a [usize],
    /// In the order in which they were taken; each has the number of its place.
    places: Vec<Option<Place>>,
    /// Those that are live, in the order in which they will go, the last one first.
    left: Vec<usize>,
}

impl<B: Blocks> Live<'_, B> {
    fn fill(&mut self) {
        let mut blocks = self.blocks;
        self.places.clear();
        self.places
            .extend((0..COUNT as u64).map(|number| Some(blocks.put(number))));
        self.left.clear();
        self.left.extend_from_slice(self.order);
    }

    /// Frees until so many are left; gives the sum of their numbers.
    fn free(&mut self, left: usize) -> u64 {
        let mut blocks = self.blocks;
        let gone = self.left.drain(left..);
        gone.fold(0, |sum, place| {
            let item = self.places[place].take();
            // SAFETY: `fill`, `churn` or `renew` took it from these blocks.
            sum + item.map_or(0, |item| unsafe { blocks.take(item) })
        })
    }

    /// Each of those that are left is replaced by another one, one after the other.
    fn churn(&mut self) {
        let mut blocks = self.blocks;
        for &place in &self.left {
            let new = blocks.put(place as u64);
            if let Some(old) = self.places[place].replace(new) {
                // SAFETY: as in `free`.
                let _ = unsafe { blocks.take(old) };
            }
        }
    }

    /// All of those that are left are replaced by others, which are taken first.
    fn renew(&mut self) {
        let mut blocks = self.blocks;
        let new: Vec<_> = self
            .left
            .iter()
            .map(|&place| blocks.put(place as u64))
            .collect();
        for (&place, new) in self.left.iter().zip(new) {
            if let Some(old) = self.places[place].replace(new) {
                // SAFETY: as in `free`.
                let _ = unsafe { blocks.take(old) };
            }
        }
    }
}

impl<B: Blocks> Worker for Live<'_, B> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            self.fill();
            for left in [HALF, FEW, 0] {
                sum = sum.wrapping_add(self.free(left));
            }
        }
        sum
    }
}

impl<B: Blocks> Drop for Live<'_, B> {
    fn drop(&mut self) {
        self.free(0);
    }
}

/// Tells what is held.
struct Held<'a, B> {
    blocks: &'a B,
    /// Resident before, with what keeps the books here.
    before: Option<u64>,
    figures: Vec<Figure>,
}

impl<B: Blocks> Held<'_, B> {
    /// Bytes for each of so many.
    fn tell(&mut self, live: usize, reserved: &'static str, rss: &'static str) {
        self.blocks.trim();
        let own = self.blocks.reserved_bytes();
        let own = own.map(|bytes| Figure::new(reserved, bytes / live as u64));
        self.figures.extend(own);
        self.tell_resident(live, rss);
    }

    fn tell_resident(&mut self, live: usize, rss: &'static str) {
        let more = self.before.zip(resident());
        let more = more.map(|(before, now)| now.saturating_sub(before));
        let more = more.map(|bytes| Figure::new(rss, bytes / live as u64));
        self.figures.extend(more);
    }
}

fn resident() -> Option<u64> {
    let memory = thrifty_memstats::os::memory();
    memory.anonymous_bytes.or(memory.resident_bytes)
}

/// Has the system's allocator give back what it keeps; `false` where it cannot be told.
fn give_back() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it may be called at any time, and takes any number.
    unsafe {
        libc::malloc_trim(0);
    }
    cfg!(all(target_os = "linux", target_env = "gnu"))
}
