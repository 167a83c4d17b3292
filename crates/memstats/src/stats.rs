//! What a reading says.
#![forbid(unsafe_code)]

use core::fmt;

use crate::counts::Counts;

/// The counters of the whole process at some point; from [`read`](crate::read).
///
/// Who knows Go's `runtime.MemStats` finds its fields here:
///
/// | Go | here |
/// |---|---|
/// | `Alloc`, `HeapAlloc` | [`live_bytes`](Self::live_bytes) |
/// | `TotalAlloc` | [`allocated_bytes`](Self::allocated_bytes) |
/// | `Mallocs` | [`alloc_calls`](Self::alloc_calls): Go has no `realloc`, a growing slice is a new object |
/// | `Frees` | [`frees`](Self::frees) plus [`reallocs`](Self::reallocs) |
/// | `HeapObjects` | [`live_blocks`](Self::live_blocks) |
/// | `Sys`, `HeapSys` | [`os::memory`](crate::os::memory): what the system gave the process |
/// | `NextGC`, `NumGC`, `PauseNs` … | `limit::stats`, with the feature `limit` |
///
/// Sizes are those that the program asked for; what the allocator adds for its own use is not
/// known here.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let stats = thrifty_memstats::read()?;
/// assert!(stats.peak_bytes >= stats.live_bytes);
/// assert_eq!(stats.live_bytes, stats.allocated_bytes - stats.freed_bytes);
/// println!("{stats}");
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde-1",
    derive(serde::Serialize, serde::Deserialize),
    serde(default)
)]
#[non_exhaustive]
pub struct MemStats {
    /// Bytes allocated and not yet freed; never negative, and never above the peak.
    pub live_bytes: u64,
    /// Blocks allocated and not yet freed.
    pub live_blocks: u64,
    /// The most bytes that were live at once: not above the truth, and below it by at most what
    /// each thread allocated since it last looked, 256 KiB (in proportion more past 8 threads).
    pub peak_bytes: u64,
    /// Bytes allocated since the program began; a reallocation adds its new size.
    pub allocated_bytes: u64,
    /// Bytes freed since the program began; a reallocation adds its old size.
    pub freed_bytes: u64,
    /// Bytes that reallocations had to copy because the block could not grow in place.
    pub moved_bytes: u64,
    /// Blocks allocated since the program began.
    pub allocs: u64,
    /// Blocks freed since the program began.
    pub frees: u64,
    /// Blocks that changed their size; they are neither new nor freed.
    pub reallocs: u64,
}

impl MemStats {
    pub(crate) fn new(counts: Counts, peak_bytes: u64) -> Self {
        Self {
            live_bytes: u64::try_from(counts.live_bytes()).unwrap_or(0),
            live_blocks: u64::try_from(counts.live_blocks()).unwrap_or(0),
            peak_bytes,
            allocated_bytes: counts.requested_bytes(),
            freed_bytes: counts.returned_bytes(),
            moved_bytes: counts.moved_bytes,
            allocs: counts.allocs,
            frees: counts.frees,
            reallocs: counts.reallocs,
        }
    }

    /// Calls that asked for memory: allocations and reallocations.
    pub const fn alloc_calls(&self) -> u64 {
        self.allocs.saturating_add(self.reallocs)
    }

    /// What happened since an `earlier` reading.
    ///
    /// The peak of the difference is what the two readings prove: the rise of the live heap, or
    /// of the recorded peak, above the earlier live heap. [`measure`](crate::measure) follows the
    /// peak itself.
    ///
    /// Figures that went down, as they do when the two are swapped, are zero.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Delta {
        let risen_to = if self.peak_bytes > earlier.peak_bytes {
            self.peak_bytes
        } else {
            self.live_bytes
        };
        Delta {
            allocated_bytes: self.allocated_bytes.saturating_sub(earlier.allocated_bytes),
            freed_bytes: self.freed_bytes.saturating_sub(earlier.freed_bytes),
            moved_bytes: self.moved_bytes.saturating_sub(earlier.moved_bytes),
            allocs: self.allocs.saturating_sub(earlier.allocs),
            frees: self.frees.saturating_sub(earlier.frees),
            reallocs: self.reallocs.saturating_sub(earlier.reallocs),
            peak_bytes: risen_to.saturating_sub(earlier.live_bytes),
        }
    }
}

impl fmt::Display for MemStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} B live in {} blocks, {} B at the peak; {} B allocated by {} calls since the start",
            self.live_bytes,
            self.live_blocks,
            self.peak_bytes,
            self.allocated_bytes,
            self.alloc_calls(),
        )
    }
}

/// What the calling thread did since it began; from [`thread`](crate::thread()).
///
/// A block that another thread frees counts as freed there, so the two sides of one thread need
/// not match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadStats {
    /// Bytes allocated; a reallocation adds its new size.
    pub allocated_bytes: u64,
    /// Bytes freed; a reallocation adds its old size.
    pub freed_bytes: u64,
    /// Bytes that reallocations had to copy.
    pub moved_bytes: u64,
    /// Blocks allocated.
    pub allocs: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Blocks that changed their size.
    pub reallocs: u64,
}

impl ThreadStats {
    pub(crate) const fn new(counts: Counts) -> Self {
        Self {
            allocated_bytes: counts.requested_bytes(),
            freed_bytes: counts.returned_bytes(),
            moved_bytes: counts.moved_bytes,
            allocs: counts.allocs,
            frees: counts.frees,
            reallocs: counts.reallocs,
        }
    }

    /// Calls that asked for memory: allocations and reallocations.
    pub const fn alloc_calls(&self) -> u64 {
        self.allocs.saturating_add(self.reallocs)
    }
}

/// What happened in a scope, or between two readings.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let (text, delta) = thrifty_memstats::measure(|| String::with_capacity(100));
/// let delta = delta?;
/// assert_eq!(delta.to_string(), "100 B in 1 alloc, 0 B freed, peak 100 B");
/// assert_eq!(delta.net_bytes(), 100);
/// # drop(text);
/// # Ok::<(), thrifty_memstats::NotInstalled>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delta {
    /// Bytes allocated; a reallocation adds its new size. Go's `B/op` is this per operation.
    pub allocated_bytes: u64,
    /// Bytes freed; a reallocation adds its old size.
    pub freed_bytes: u64,
    /// Bytes that reallocations had to copy because the block could not grow in place.
    pub moved_bytes: u64,
    /// Blocks allocated.
    pub allocs: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Blocks that changed their size; they are neither new nor freed.
    pub reallocs: u64,
    /// How far the live bytes rose above their level at the start. Exact for one thread's scope
    /// ([`measure`](crate::measure), [`AllocScope`](crate::AllocScope)); for the process a lower
    /// bound, see there.
    pub peak_bytes: u64,
}

impl Delta {
    pub(crate) const fn new(counts: Counts, peak_bytes: u64) -> Self {
        Self {
            allocated_bytes: counts.requested_bytes(),
            freed_bytes: counts.returned_bytes(),
            moved_bytes: counts.moved_bytes,
            allocs: counts.allocs,
            frees: counts.frees,
            reallocs: counts.reallocs,
            peak_bytes,
        }
    }

    /// Calls that asked for memory: allocations and reallocations. Go's `allocs/op` is this per
    /// operation.
    pub const fn alloc_calls(&self) -> u64 {
        self.allocs.saturating_add(self.reallocs)
    }

    /// Bytes allocated less bytes freed: what the scope left behind, or, below zero, took away.
    pub const fn net_bytes(&self) -> i64 {
        self.allocated_bytes.wrapping_sub(self.freed_bytes) as i64
    }

    /// Blocks allocated less blocks freed.
    pub const fn net_blocks(&self) -> i64 {
        self.allocs.wrapping_sub(self.frees) as i64
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.alloc_calls();
        write!(
            f,
            "{} B in {calls} alloc{}, {} B freed, peak {} B",
            self.allocated_bytes,
            if calls == 1 { "" } else { "s" },
            self.freed_bytes,
            self.peak_bytes,
        )
    }
}
