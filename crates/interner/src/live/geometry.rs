//! How big things are: numbers that a model makes tiny.

/// The sizes that the protocols are written over.
pub(crate) trait Geometry: 'static {
    /// Slots of a whole segment, as a power of two.
    const SEGMENT_BITS: u32;
    /// Slots of a shard's first table.
    const FIRST_SLOTS: u32;
    /// Symbols per page, as a power of two.
    const PAGE_BITS: u32;
    /// Bytes of a shard's first chunk.
    const FIRST_CHUNK: usize;
    /// Bytes of the largest chunk.
    const LAST_CHUNK: usize;
    /// Pointers in a directory's first array.
    const FIRST_ENTRIES: usize;

    /// Slots of a whole segment.
    const SEGMENT: u32 = 1 << Self::SEGMENT_BITS;
    /// Symbols per page.
    const PAGE: u32 = 1 << Self::PAGE_BITS;
}

/// The sizes that ship.
///
/// Segments are 4 KiB: small enough that a table of any size is cut from them with little waste, and that one
/// shard's can be used by the next; pages are 2 KiB.
#[derive(Debug)]
pub(crate) struct Shipped;

impl Geometry for Shipped {
    const SEGMENT_BITS: u32 = 9;
    const FIRST_SLOTS: u32 = 8;
    const PAGE_BITS: u32 = 9;
    const FIRST_CHUNK: usize = 256;
    const LAST_CHUNK: usize = 128 << 10;
    const FIRST_ENTRIES: usize = 8;
}
