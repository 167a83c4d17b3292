//! One block from the global allocator: its header, its lists, its end.
//!
//! ```text
//! block (aligned to 16)                                                block + bytes
//! ├──────────────┬───────────────────────────────────────────────────────────┤
//! │ Chunk header │ data: objects ►      free, maybe never touched    ◄ bytes │
//! └──────────────┴───────────────────────────────────────────────────────────┘
//!                └ data()                                              end() ┘
//! ```
//!
//! A chunk is in exactly one list of one arena, linked through `next`, or is about to be.

use alloc::alloc::{alloc, dealloc, realloc};
use core::{alloc::Layout, cell::Cell, ptr::NonNull};

use crate::{asan, kernel::BASE};

/// The bytes that each chunk has in front of its data.
pub(crate) const HEADER: usize = size_of::<Chunk>();

const _: () = assert!(HEADER % BASE == 0 && align_of::<Chunk>() == BASE);

/// The header of a chunk.
#[repr(C, align(16))]
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The next one in the list that this one is in.
    pub(crate) next: Cell<Option<NonNull<Self>>>,
    /// Of the whole block.
    bytes: usize,
    /// Where the cursors stood when the arena went on to another chunk.
    lo: Cell<*mut u8>,
    hi: Cell<*mut u8>,
    /// How many scopes were open when it joined the chain or the side.
    pub(crate) depth: Cell<usize>,
}

/// A list of chunks: the last one pushed comes first.
pub(crate) type Link = Cell<Option<NonNull<Chunk>>>;

impl Chunk {
    /// A chunk whose block has `bytes`, at least [`HEADER`]; none if the allocator has none.
    pub(crate) fn allocate(bytes: usize) -> Option<NonNull<Self>> {
        debug_assert!(bytes >= HEADER, "a chunk has a header");
        let layout = Layout::from_size_align(bytes, BASE).ok()?;
        // SAFETY: the layout is not empty, since there is a header in it.
        let block = unsafe { alloc(layout) };
        let chunk = NonNull::new(block)?.cast::<Self>();
        let header = Self {
            next: Cell::new(None),
            bytes,
            lo: Cell::new(block.wrapping_add(HEADER)),
            hi: Cell::new(block.wrapping_add(bytes)),
            depth: Cell::new(0),
        };
        // SAFETY: the block is aligned to `BASE` and has room for a header.
        unsafe { chunk.write(header) };
        asan::sleep(block.wrapping_add(HEADER), bytes - HEADER);
        Some(chunk)
    }

    /// Frees the block; says how many bytes it had.
    ///
    /// # Safety
    ///
    /// `chunk` is from [`Chunk::allocate`], is in no list, and is *owned*: nothing in it is used again.
    pub(crate) unsafe fn free(chunk: NonNull<Self>) -> usize {
        // SAFETY: valid, since it is not freed yet; nobody has a reference that lasts.
        let bytes = unsafe { chunk.as_ref() }.bytes;
        let block = chunk.as_ptr().cast::<u8>();
        asan::wake(block, bytes);
        // SAFETY: `allocate` made a layout of the same numbers.
        let layout = unsafe { Layout::from_size_align_unchecked(bytes, BASE) };
        // SAFETY: the block is from `alloc` with this layout, and owned.
        unsafe { dealloc(block, layout) };
        bytes
    }

    /// Resizes the block, which may move; what is in it stays. On failure nothing has changed.
    ///
    /// # Safety
    ///
    /// `chunk` is from [`Chunk::allocate`], is in no list, and is *owned*, but for what the caller will
    /// find at the same place of the new block; `bytes` is at least [`HEADER`].
    pub(crate) unsafe fn resize(chunk: NonNull<Self>, bytes: usize) -> Option<NonNull<Self>> {
        // A size for which there is no layout, no block has.
        Layout::from_size_align(bytes, BASE).ok()?;
        // SAFETY: valid, since it is not freed yet; nobody has a reference that lasts.
        let before = unsafe { chunk.as_ref() }.bytes;
        let block = chunk.as_ptr().cast::<u8>();
        asan::wake(block, before);
        // SAFETY: `allocate` made a layout of the same numbers.
        let layout = unsafe { Layout::from_size_align_unchecked(before, BASE) };
        // SAFETY: the block is from `alloc` with this layout, and owned; the new size is not 0, and there
        // is a layout for it.
        let block = unsafe { realloc(block, layout, bytes) };
        let chunk = NonNull::new(block)?.cast::<Self>();
        let header = Self {
            next: Cell::new(None),
            bytes,
            lo: Cell::new(block.wrapping_add(bytes)),
            hi: Cell::new(block.wrapping_add(bytes)),
            depth: Cell::new(0),
        };
        // SAFETY: the block is aligned to `BASE` and has room for a header.
        unsafe { chunk.write(header) };
        Some(chunk)
    }

    /// Of the whole block, header included.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Between [`data`] and [`end`].
    pub(crate) const fn capacity(&self) -> usize {
        self.bytes - HEADER
    }

    /// Notes where the cursors stand, when the arena goes on to another chunk.
    pub(crate) fn retire(&self, lo: *mut u8, hi: *mut u8) {
        self.lo.set(lo);
        self.hi.set(hi);
    }

    /// Bytes in use, by what [`retire`](Self::retire) noted.
    pub(crate) fn retired_bytes(&self) -> usize {
        self.capacity() - self.wasted_bytes()
    }

    /// Bytes between the cursors, by what [`retire`](Self::retire) noted.
    pub(crate) fn wasted_bytes(&self) -> usize {
        self.hi.get().addr() - self.lo.get().addr()
    }

    /// What [`retire`](Self::retire) noted.
    pub(crate) fn retired_at(&self) -> (*mut u8, *mut u8) {
        (self.lo.get(), self.hi.get())
    }
}

/// The first byte of the chunk's data, with the provenance of the whole block.
pub(crate) fn data(chunk: NonNull<Chunk>) -> *mut u8 {
    chunk.as_ptr().cast::<u8>().wrapping_add(HEADER)
}

/// Past the last byte of the chunk's data.
///
/// # Safety
///
/// `chunk` is not freed.
pub(crate) unsafe fn end(chunk: NonNull<Chunk>) -> *mut u8 {
    // SAFETY: not freed, says the caller; headers are only ever shared.
    let bytes = unsafe { chunk.as_ref() }.bytes;
    chunk.as_ptr().cast::<u8>().wrapping_add(bytes)
}

/// Puts a chunk in front of a list.
///
/// # Safety
///
/// `chunk` is not freed, and in no list.
pub(crate) unsafe fn push(list: &Link, chunk: NonNull<Chunk>) {
    // SAFETY: not freed, says the caller; headers are only ever shared.
    unsafe { chunk.as_ref() }.next.set(list.get());
    list.set(Some(chunk));
}

/// Takes the first chunk of a list.
///
/// # Safety
///
/// The chunks of the list are not freed.
pub(crate) unsafe fn pop(list: &Link) -> Option<NonNull<Chunk>> {
    let chunk = list.get()?;
    // SAFETY: not freed, says the caller; headers are only ever shared.
    list.set(unsafe { chunk.as_ref() }.next.take());
    Some(chunk)
}

/// Takes the first chunk with room for `capacity` bytes, among the first few: the list may be long, and most
/// chunks in it are of one size.
///
/// # Safety
///
/// The chunks of the list are not freed.
pub(crate) unsafe fn take_first(list: &Link, capacity: usize) -> Option<NonNull<Chunk>> {
    const LOOKS: usize = 16;
    let mut before: Option<NonNull<Chunk>> = None;
    let mut at = list.get();
    for _ in 0..LOOKS {
        let chunk = at?;
        // SAFETY: in the list, so not freed; headers are only ever shared.
        let header = unsafe { chunk.as_ref() };
        if header.capacity() >= capacity {
            // SAFETY: the chunks of the list are not freed, and these are two of them.
            return Some(unsafe { unlink(list, before, chunk) });
        }
        before = at;
        at = header.next.get();
    }
    None
}

/// Takes the smallest chunk with room for `capacity` bytes; of many, the first that hardly has more.
///
/// The best one, since a larger one may be needed for a larger object. The alternative is to ask the global
/// allocator for a large block, which is worth some looks.
///
/// # Safety
///
/// The chunks of the list are not freed.
pub(crate) unsafe fn take_best(list: &Link, capacity: usize) -> Option<NonNull<Chunk>> {
    const LOOKS: usize = 256;
    let near = capacity.saturating_add(capacity / 64);
    let mut best: Option<(NonNull<Chunk>, Option<NonNull<Chunk>>, usize)> = None;
    let mut before: Option<NonNull<Chunk>> = None;
    let mut at = list.get();
    for _ in 0..LOOKS {
        let Some(chunk) = at else { break };
        // SAFETY: in the list, so not freed; headers are only ever shared.
        let header = unsafe { chunk.as_ref() };
        let room = header.capacity();
        if room >= capacity && best.is_none_or(|(.., least)| room < least) {
            best = Some((chunk, before, room));
            if room <= near {
                break;
            }
        }
        before = at;
        at = header.next.get();
    }
    let (chunk, before, _) = best?;
    // SAFETY: the chunks of the list are not freed, and these are two of them.
    Some(unsafe { unlink(list, before, chunk) })
}

/// Takes a chunk out of a list.
///
/// # Safety
///
/// The chunks of the list are not freed; `chunk` is in it, and comes after `before`, or first.
unsafe fn unlink(
    list: &Link,
    before: Option<NonNull<Chunk>>,
    chunk: NonNull<Chunk>,
) -> NonNull<Chunk> {
    // SAFETY: in the list, so not freed; headers are only ever shared.
    let next = unsafe { chunk.as_ref() }.next.take();
    match before {
        None => list.set(next),
        // SAFETY: in the list, so not freed; headers are only ever shared.
        Some(before) => unsafe { before.as_ref() }.next.set(next),
    }
    chunk
}
