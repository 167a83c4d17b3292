//! A global allocator that makes bad accesses show: fills, redzones, blocks that always move.
//!
//! ```text
//! base                    base + front              + size         + BACK
//!  │ size │ align ^ MAGIC │ F9 F9 … F9 │ A5 A5 … A5  │ F9 F9 … F9  │
//!  └─────── HEADER ───────┴─ ≥ HEADER ─┴── the user's ─┴─────────────┘
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write as _;
use std::ptr;

/// What fresh memory is filled with.
pub const FRESH: u8 = 0xA5;
/// What freed memory is filled with.
pub const FREED: u8 = 0xDE;
/// What stands before and behind each block.
pub const REDZONE: u8 = 0xF9;

const WORD: usize = size_of::<usize>();
const HEADER: usize = 2 * WORD;
/// Redzone behind a block.
const BACK: usize = 16;
const MAGIC: usize = 0x5AFE_B10C;

/// Fills fresh and freed memory, and aborts where a freed block's surroundings were written to.
///
/// | what | how it shows |
/// |---|---|
/// | read of what was never written | `0xA5` in every byte, which no assertion expects |
/// | read after the free, until the memory is used again | `0xDE` in every byte |
/// | write up to 16 bytes behind a block, or that many before it | abort when the block is freed |
/// | free with another layout; free of a pointer that is no block | abort, when the header is readable |
/// | pointer kept over a `realloc` | dangles every time, since each one moves |
///
/// Not seen: reads of redzones, writes further away, writes after the free, and blocks that are never
/// freed. AddressSanitizer sees those; this is for a plain `cargo test`.
///
/// # Memory
///
/// 48 bytes more per block on 64-bit targets, or 16 and the alignment where that is above 32.
///
/// # Examples
///
/// ```standalone_crate
/// use thrifty_testkit::PoisonAlloc;
///
/// #[global_allocator]
/// static ALLOC: PoisonAlloc = PoisonAlloc::system();
///
/// let mut bytes = Vec::<u8>::with_capacity(4);
/// // SAFETY: allocated, and filled by this allocator.
/// unsafe { bytes.set_len(4) };
/// assert_eq!(bytes, [thrifty_testkit::FRESH; 4]);
/// ```
#[derive(Debug, Default)]
pub struct PoisonAlloc<A = System> {
    inner: A,
}

impl PoisonAlloc {
    /// Around the system's allocator.
    #[must_use]
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> PoisonAlloc<A> {
    /// Around `inner`.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }
}

/// Where the user's part begins: behind the header and a redzone, aligned as asked.
const fn front(layout: Layout) -> usize {
    let least = 2 * HEADER;
    if layout.align() > least {
        layout.align()
    } else {
        least
    }
}

/// The layout of a whole block, or `None` if it would be too large.
fn whole(layout: Layout) -> Option<Layout> {
    let align = layout.align().max(WORD);
    let bytes = front(layout)
        .checked_add(layout.size())?
        .checked_add(BACK)?;
    Layout::from_size_align(bytes, align).ok()
}

impl<A: GlobalAlloc> PoisonAlloc<A> {
    /// A block whose user's part is filled with `fill`.
    fn filled(&self, layout: Layout, fill: u8) -> *mut u8 {
        let Some(whole) = whole(layout) else {
            return ptr::null_mut();
        };
        // SAFETY: the size is not zero: it contains a header.
        let base = unsafe { self.inner.alloc(whole) };
        if base.is_null() {
            return base;
        }
        let front = front(layout);
        // SAFETY: valid for `whole.size()` bytes, just allocated; exclusive: nobody else has it.
        unsafe { base.write_bytes(REDZONE, whole.size()) };
        // SAFETY: valid: the header is within the block; unaligned writes are fine anywhere.
        unsafe { base.cast::<usize>().write_unaligned(layout.size()) };
        // SAFETY: in bounds: the header is two words of the block.
        let second = unsafe { base.add(WORD) };
        // SAFETY: valid: the second word of the header.
        unsafe {
            second
                .cast::<usize>()
                .write_unaligned(layout.align() ^ MAGIC);
        }
        // SAFETY: in bounds: `front + size + BACK` is the size of the block.
        let block = unsafe { base.add(front) };
        // SAFETY: valid for `size` bytes, since `front + size` is less than the block.
        unsafe { block.write_bytes(fill, layout.size()) };
        block
    }
}

// SAFETY:
// - a block that is returned has `layout.size()` bytes behind `front`, which is a multiple of the
//   alignment, in a block of `inner` that has at least this alignment; or it is null;
// - `dealloc` gives to `inner` what `filled` had from it, with the same layout;
// - no method unwinds or allocates: `refuse` aborts.
unsafe impl<A: GlobalAlloc> GlobalAlloc for PoisonAlloc<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.filled(layout, FRESH)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.filled(layout, 0)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(whole) = whole(layout) else {
            refuse("a block is freed that is larger than any", block, layout);
        };
        let front = front(layout);
        // SAFETY: in bounds: the caller passes a block of ours with its layout, and `front` bytes
        // of the same allocation are before it. Where the caller breaks the contract, this is what
        // finds it, as far as the memory is there.
        let base = unsafe { block.sub(front) };
        // SAFETY: valid: the header's first word.
        let size = unsafe { base.cast::<usize>().read_unaligned() };
        // SAFETY: in bounds: the header is two words.
        let second = unsafe { base.add(WORD) };
        // SAFETY: valid: the header's second word.
        let align = unsafe { second.cast::<usize>().read_unaligned() } ^ MAGIC;
        if (size, align) != (layout.size(), layout.align()) {
            refuse(
                "freed with another layout, or freed twice, or written to before it",
                block,
                layout,
            );
        }
        // SAFETY: in bounds: the header is the first of `front` bytes.
        let zone = unsafe { base.add(HEADER) };
        // SAFETY: valid and shared: the bytes between the header and the user's part, which nobody
        // may touch.
        let before = unsafe { std::slice::from_raw_parts(zone, front - HEADER) };
        if before.iter().any(|byte| *byte != REDZONE) {
            refuse("written to before it", block, layout);
        }
        // SAFETY: in bounds: the user's part has this size, as the header has just confirmed.
        let zone = unsafe { block.add(layout.size()) };
        // SAFETY: valid and shared: the last `BACK` bytes, which nobody may touch.
        let behind = unsafe { std::slice::from_raw_parts(zone, BACK) };
        if behind.iter().any(|byte| *byte != REDZONE) {
            refuse("written to behind it", block, layout);
        }
        // SAFETY: valid for the whole block; exclusive: the caller gives it up.
        unsafe { base.write_bytes(FREED, whole.size()) };
        // SAFETY: `base` is from `inner.alloc(whole)`.
        unsafe { self.inner.dealloc(base, whole) }
    }

    // `realloc` is the trait's own: allocate, copy, free. It always moves.
}

/// Says what is wrong, without allocating, and ends the process: an allocator must not unwind.
#[cold]
fn refuse(what: &str, block: *mut u8, layout: Layout) -> ! {
    let (size, align) = (layout.size(), layout.align());
    let _ = writeln!(
        std::io::stderr(),
        "thrifty-testkit: block {block:p} of {size} bytes, align {align}: {what}"
    );
    std::process::abort()
}
