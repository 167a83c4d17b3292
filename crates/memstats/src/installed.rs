//! Whether the program counts at all.

use core::alloc::Layout;
use core::fmt;
use core::hint::black_box;

use thrifty_sync::{atomic::AtomicU8, ord};

const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// [`Alloc`](crate::Alloc) is not the global allocator of this program, so there is nothing to
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInstalled;

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thrifty_memstats::Alloc is not the global allocator of this program")
    }
}

impl core::error::Error for NotInstalled {}

/// Whether [`Alloc`](crate::Alloc) is the global allocator of this program.
///
/// Found out once, by an allocation that must move a counter.
///
/// # Examples
///
/// ```
/// // This example installs nothing.
/// assert!(!thrifty_memstats::is_installed());
/// assert!(thrifty_memstats::read().is_err());
/// ```
pub fn is_installed() -> bool {
    static ANSWER: AtomicU8 = AtomicU8::new(UNKNOWN);
    // ORDERING(memstats.answer): Relaxed; the byte is all that is exchanged, and every thread
    // would find the same.
    match ANSWER.load(ord!(memstats.answer, Relaxed)) {
        YES => true,
        NO => false,
        _ => {
            let answer = probe();
            if let Some(yes) = answer {
                ANSWER.store(if yes { YES } else { NO }, ord!(memstats.answer, Relaxed));
            }
            // Where nothing can be allocated, what was counted before answers: std allocates
            // before `main`. It is asked again, since an allocator used as a value counts, too.
            answer.unwrap_or_else(|| crate::thread::REGISTRY.read().allocs != 0)
        }
    }
}

/// `None` when an allocation failed and nothing can be said.
///
/// Two sizes, because an allocator outside the counting one may serve small blocks itself.
fn probe() -> Option<bool> {
    let counted = |layout: Layout| {
        let before = crate::thread::counts();
        // SAFETY: neither of the layouts below is of size zero.
        let block = black_box(unsafe { alloc::alloc::alloc(layout) });
        let after = crate::thread::counts();
        if block.is_null() {
            return None;
        }
        // SAFETY: the block was just allocated by this allocator with this layout.
        unsafe { alloc::alloc::dealloc(block, layout) };
        Some(after != before)
    };
    Some(counted(Layout::new::<u64>())? || counted(Layout::new::<[u64; 8192]>())?)
}

pub(crate) fn check() -> Result<(), NotInstalled> {
    if is_installed() {
        Ok(())
    } else {
        Err(NotInstalled)
    }
}
