//! What programs do while their heap is watched: pairs of alloc and free, and three jobs that allocate much.

mod json;
mod log;
mod maps;

use core::alloc::{GlobalAlloc, Layout};

use self::{json::Json, log::Log, maps::Maps};
use super::churn::Pair;
use crate::suite::{Subject, Worker};

/// A job, on whatever the program's global allocator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A block of 64 bytes, taken and given back.
    Pairs,
    /// The tour's naive log ingestion.
    Log,
    /// A document parsed with `serde_json`, and dropped.
    Json,
    /// A `HashMap` and a `BTreeMap` whose entries come and go.
    Maps,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pairs, Self::Log, Self::Json, Self::Maps];

    /// The name in ids and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pairs => "pairs",
            Self::Log => "log",
            Self::Json => "json",
            Self::Maps => "maps",
        }
    }

    /// The job of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|work| work.name() == name)
    }

    /// What is done, in this process.
    #[must_use]
    pub fn here(self) -> Here {
        Here(match self {
            Self::Pairs => Box::new(Pair(Global)),
            Self::Log => Box::new(Log::new()),
            Self::Json => Box::new(Json::new()),
            Self::Maps => Box::new(Maps),
        })
    }

    /// Operations of an iteration.
    #[must_use]
    pub const fn operations(self) -> u64 {
        match self {
            Self::Pairs => 1,
            Self::Log => log::LINES,
            Self::Json => json::VALUES,
            Self::Maps => maps::STEPS,
        }
    }

    /// What an iteration must answer, computed another way.
    #[must_use]
    pub fn expected(self) -> u64 {
        match self {
            Self::Pairs => 1,
            Self::Log => log::expected(),
            Self::Json => json::expected(),
            Self::Maps => maps::expected(),
        }
    }
}

/// A job that is done in this process.
pub struct Here(Box<dyn Subject>);

impl Subject for Here {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        self.0.worker(thread)
    }
}

impl core::fmt::Debug for Here {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Here").finish_non_exhaustive()
    }
}

/// The program's global allocator, as a value.
struct Global;

// SAFETY: every call is passed on unchanged to the global allocator, which keeps the contract.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        unsafe { std::alloc::alloc(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the same contract.
        unsafe { std::alloc::dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_answers_as_it_must() {
        for work in Work::ALL {
            assert_eq!(Work::from_name(work.name()), Some(work));
            let here = work.here();
            let mut worker = here.worker(0);
            let expected = work.expected();
            assert_eq!(worker.run(1), expected, "{work:?}");
            assert_eq!(worker.run(2), expected.wrapping_mul(2), "{work:?}");
        }
        assert_eq!(Work::from_name("lgo"), None);
    }
}
