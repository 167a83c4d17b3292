//! What is done with a region in an iteration, and who takes part in a row.

use core::hint::black_box;

use thrifty_arena::Arena;

use super::{plain::Std, region::Region};
use crate::suite::{Bar, Figure, Row, Subject, Worker};

/// One iteration, after which the region is reset.
pub(super) trait Job<R>: Sync + 'static {
    /// Allocates, and answers with a checksum of what it finds there.
    fn run(&self, region: &mut R) -> u64;
}

/// Every arena of the bars (DESIGN §5); `bumpalo`'s other forms are as much rivals as its default.
const RIVALS: &[&str] = &[
    "bumpalo",
    "bumpalo-8",
    "bump-scope",
    "bump-scope-8",
    "bump-scope-down",
    "blink-alloc",
];

/// Never slower than the best of them.
pub(super) fn level(row: Row) -> Row {
    bar(row, 1.05)
}

/// Faster than the best of them by 1.3.
pub(super) fn ahead(row: Row) -> Row {
    bar(row, 1.0 / 1.3)
}

fn bar(row: Row, most: f64) -> Row {
    row.bar(Bar::Times {
        subject: "thrifty",
        against: RIVALS,
        most,
    })
}

/// A job, and the regions that its workers make.
struct Jobs<R, J> {
    job: J,
    _region: core::marker::PhantomData<fn() -> R>,
}

impl<R: Region, J: Job<R>> Subject for Jobs<R, J> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(JobWorker {
            region: R::new(),
            job: &self.job,
        })
    }

    /// What a region holds that is warm, in the midst of an iteration: after the work, before the
    /// reset.
    fn figures(&self) -> Vec<Figure> {
        let before = live_bytes();
        let mut region = R::new();
        for _ in 0..WARM {
            self.job.run(&mut region);
            region.reset();
        }
        self.job.run(&mut region);
        let reserved = live_bytes().zip(before);
        let mut figures = Vec::new();
        if let Some(told) = region.told() {
            figures.push(Figure::new("used_bytes", told.used_bytes as u64));
            figures.push(Figure::new("chunks", told.chunks as u64));
        }
        if let Some((after, before)) = reserved {
            let bytes = after.saturating_sub(before);
            figures.push(Figure::new("reserved_bytes", bytes));
        }
        figures
    }
}

/// Enough for every arena to have the chunks that it wants to keep.
const WARM: usize = 8;

struct JobWorker<'a, R, J> {
    region: R,
    job: &'a J,
}

impl<R: Region, J: Job<R>> Worker for JobWorker<'_, R, J> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            // The region is not the compiler's to keep in registers from one iteration to the next.
            let region = black_box(&mut self.region);
            sum = sum.wrapping_add(self.job.run(region));
            region.reset();
        }
        sum
    }
}

/// What the program has allocated and not freed, where its allocator counts.
fn live_bytes() -> Option<u64> {
    thrifty_memstats::read().ok().map(|stats| stats.live_bytes)
}

/// Adds a side to a row.
pub(super) fn add<R: Region, J: Job<R>>(row: Row, name: &'static str, job: fn() -> J) -> Row {
    row.shared(name, move || Jobs::<R, J> {
        job: job(),
        _region: core::marker::PhantomData,
    })
}

/// Ours, std, and with the feature `rivals` every arena.
pub(super) fn everyone<J: Job<Arena> + Job<Std> + others::JobOfOthers>(
    row: Row,
    job: fn() -> J,
) -> Row {
    others::add_all(ours_and_std(row, job), job)
}

/// As [`everyone`], but those without scopes.
pub(super) fn everyone_with_scopes<J: Job<Arena> + Job<Std> + others::JobWithScopes>(
    row: Row,
    job: fn() -> J,
) -> Row {
    others::add_those_with_scopes(ours_and_std(row, job), job)
}

fn ours_and_std<J: Job<Arena> + Job<Std>>(row: Row, job: fn() -> J) -> Row {
    let row = add::<Arena, J>(row, "thrifty", job);
    add::<Std, J>(row, "std", job)
}

#[cfg(not(feature = "rivals"))]
mod others {
    use crate::suite::Row;

    pub(in crate::arena) trait JobOfOthers {}
    impl<J> JobOfOthers for J {}
    pub(in crate::arena) trait JobWithScopes {}
    impl<J> JobWithScopes for J {}

    pub(super) fn add_all<J>(row: Row, _job: fn() -> J) -> Row {
        row
    }

    pub(super) fn add_those_with_scopes<J>(row: Row, _job: fn() -> J) -> Row {
        row
    }
}

#[cfg(feature = "rivals")]
mod others {
    use super::{Job, add};
    use crate::{
        arena::rivals::{
            Blink, Bumpalo, BumpaloAligned, Multitude, ScopeAligned, ScopeDown, ScopeUp,
        },
        suite::Row,
    };

    pub(in crate::arena) trait JobWithScopes:
        Job<ScopeUp> + Job<ScopeAligned> + Job<ScopeDown>
    {
    }
    impl<J: Job<ScopeUp> + Job<ScopeAligned> + Job<ScopeDown>> JobWithScopes for J {}

    pub(in crate::arena) trait JobOfOthers:
        JobWithScopes + Job<Bumpalo> + Job<BumpaloAligned> + Job<Blink> + Job<Multitude>
    {
    }
    impl<J: JobWithScopes + Job<Bumpalo> + Job<BumpaloAligned> + Job<Blink> + Job<Multitude>>
        JobOfOthers for J
    {
    }

    pub(super) fn add_all<J: JobOfOthers>(row: Row, job: fn() -> J) -> Row {
        let row = add::<Bumpalo, J>(row, "bumpalo", job);
        let row = add::<BumpaloAligned, J>(row, "bumpalo-8", job);
        let row = add_those_with_scopes(row, job);
        let row = add::<Blink, J>(row, "blink-alloc", job);
        add::<Multitude, J>(row, "multitude", job)
    }

    pub(super) fn add_those_with_scopes<J: JobWithScopes>(row: Row, job: fn() -> J) -> Row {
        let row = add::<ScopeUp, J>(row, "bump-scope", job);
        let row = add::<ScopeAligned, J>(row, "bump-scope-8", job);
        add::<ScopeDown, J>(row, "bump-scope-down", job)
    }
}
