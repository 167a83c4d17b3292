//! The bytes of an image: what lies where, and how it is read.
//!
//! ```text
//! 0       64        blocks of 32 symbols      multiple of 16      multiple of 16
//! ├ header ┼ base: u64 │ 32 ends ┤ … ┼ padding ┼ keys' bytes … ┼ padding ┼ slots: u32 … ┤
//!
//! slot    │ high bits of the hash's lower half │ index + 1 │      0: empty
//! ```
//!
//! An end counts from its block's base, so that two bytes do for most; four or eight where 32 keys together
//! are longer. A key begins where the one before ends, or at the next address that suits its alignment. The
//! slot where a search begins is picked by the upper half of the hash; from there it goes on to the next empty one.
//!
//! Numbers are little-endian, and read byte by byte: an image may lie at any address, and comes from any machine.

#![forbid(unsafe_code)]

use super::hash::Hash64;
use crate::{buffer::BLOCK_ALIGN, live::equal::equal};

/// Bytes of the header.
pub(super) const HEADER: usize = 64;
/// Symbols in a block.
pub(super) const BLOCK: usize = 32;

/// Where things are in the header.
pub(super) mod field {
    pub(in crate::frozen) const MAGIC: usize = 0;
    pub(in crate::frozen) const VERSION: usize = 8;
    pub(in crate::frozen) const WIDTH: usize = 10;
    pub(in crate::frozen) const ORDER: usize = 11;
    pub(in crate::frozen) const ALIGN: usize = 12;
    pub(in crate::frozen) const KIND: usize = 16;
    pub(in crate::frozen) const COUNT: usize = 24;
    pub(in crate::frozen) const PAYLOAD: usize = 32;
    pub(in crate::frozen) const SLOTS: usize = 40;
    pub(in crate::frozen) const SEED: usize = 48;
    pub(in crate::frozen) const CHECKSUM: usize = 56;
}

/// How many bytes an end has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Width {
    pub(super) const fn of(byte: u8) -> Option<Self> {
        match byte {
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    /// The least that holds the bytes of any block.
    pub(super) const fn for_span(span: u64) -> Self {
        if span <= u16::MAX as u64 {
            Self::Two
        } else if span <= u32::MAX as u64 {
            Self::Four
        } else {
            Self::Eight
        }
    }

    /// How many slots there are for so many keys: what is left of 9 bytes a key.
    pub(super) const fn slots(self, count: u32) -> u64 {
        let count = count as u64;
        // 6.5 bytes a key beside 2.25 of the ends; 4.7 beside 4.25.
        let slots = match self {
            Self::Two => count * 13 / 8,
            Self::Four | Self::Eight => count * 47 / 40,
        };
        // One is always empty: there a search ends.
        if slots > count { slots } else { count + 1 }
    }

    /// How many taken slots may follow each other, so that a search for what is not there ends soon.
    ///
    /// Of `n` keys with random hashes, some run is so long with a probability of some `n` / 10^22 at most.
    pub(super) const fn longest_run(self) -> usize {
        match self {
            Self::Two => 512,
            Self::Four | Self::Eight => 4096,
        }
    }
}

/// Where the parts of an image are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(super) count: u32,
    pub(super) width: Width,
    /// What the address of a key is a multiple of.
    pub(super) align: usize,
    pub(super) payload_at: usize,
    pub(super) payload_bytes: usize,
    pub(super) slots_at: usize,
    /// 0 where there is no table.
    pub(super) slots: usize,
    /// Bytes of the image.
    pub(super) end: usize,
    /// The bits of a slot that are hash, not index.
    tag_mask: u32,
}

impl Layout {
    /// Of an image with these parts; none if it has more bytes than there are addresses.
    pub(super) fn new(
        count: u32,
        width: Width,
        align: usize,
        payload_bytes: u64,
        slots: u64,
    ) -> Option<Self> {
        let blocks = (count as usize).div_ceil(BLOCK);
        let payload_at = blocks
            .checked_mul(block_bytes(width))?
            .checked_add(HEADER)?
            .checked_next_multiple_of(BLOCK_ALIGN)?;
        let payload_bytes = usize::try_from(payload_bytes).ok()?;
        let slots = usize::try_from(slots).ok()?;
        let slots_at = payload_at
            .checked_add(payload_bytes)?
            .checked_next_multiple_of(BLOCK_ALIGN)?;
        let end = slots_at.checked_add(slots.checked_mul(4)?)?;
        let index_bits = 32 - count.leading_zeros();
        Some(Self {
            count,
            width,
            align,
            payload_at,
            payload_bytes,
            slots_at,
            slots,
            end,
            tag_mask: u32::MAX.checked_shl(index_bits).unwrap_or(0),
        })
    }

    /// Where the block of a symbol is.
    pub(super) const fn block_at(&self, index: u32) -> usize {
        HEADER + index as usize / BLOCK * block_bytes(self.width)
    }

    /// What a slot says of a key with this hash.
    #[inline]
    pub(super) const fn slot(&self, hash: u64, index: u32) -> u32 {
        self.tag(hash) | (index + 1)
    }

    #[inline]
    const fn tag(&self, hash: u64) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        let low = hash as u32;
        low & self.tag_mask
    }

    /// The slot where the search for a hash begins.
    #[inline]
    pub(super) const fn home(&self, hash: u64) -> usize {
        let product = hash as u128 * self.slots as u128;
        #[expect(clippy::cast_possible_truncation, reason = "less than `slots`")]
        let home = (product >> 64) as usize;
        home
    }
}

const fn block_bytes(width: Width) -> usize {
    8 + BLOCK * width as usize
}

/// An image that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(super) layout: &'a Layout,
    pub(super) bytes: &'a [u8],
}

impl<'a> View<'a> {
    /// Where the key of a symbol begins and ends, in the payload; none where there is no such symbol.
    #[inline]
    pub(super) fn range(self, index: u32) -> Option<(u64, u64)> {
        if index >= self.layout.count {
            return None;
        }
        let block = self.layout.block_at(index);
        let base = u64_at(self.bytes, block);
        let ends = block + 8;
        let nth = index as usize % BLOCK;
        let (before, end) = match self.layout.width {
            Width::Two => {
                let end = |nth| u64::from(u16::from_le_bytes(array_at(self.bytes, ends + nth * 2)));
                (if nth == 0 { 0 } else { end(nth - 1) }, end(nth))
            }
            Width::Four => {
                let end = |nth| u64::from(u32_at(self.bytes, ends + nth * 4));
                (if nth == 0 { 0 } else { end(nth - 1) }, end(nth))
            }
            Width::Eight => {
                let end = |nth| u64_at(self.bytes, ends + nth * 8);
                (if nth == 0 { 0 } else { end(nth - 1) }, end(nth))
            }
        };
        let start = base.wrapping_add(before);
        let align = self.layout.align as u64;
        let start = start.wrapping_add(align - 1) & !(align - 1);
        Some((start, base.wrapping_add(end)))
    }

    /// The bytes of a symbol's key.
    #[inline]
    pub(crate) fn key(self, index: u32) -> Option<&'a [u8]> {
        let (start, end) = self.range(index)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked: within the payload"
        )]
        let range = start as usize..end as usize;
        self.payload().get(range)
    }

    /// The bytes of all keys.
    #[inline]
    pub(super) fn payload(self) -> &'a [u8] {
        let start = self.layout.payload_at;
        &self.bytes[start..start + self.layout.payload_bytes]
    }

    /// The index of a key. `step` is asked before each slot that is looked at; it ends the search by saying no.
    #[inline]
    pub(super) fn find(
        self,
        hash: &Hash64,
        key: &[u8],
        mut step: impl FnMut() -> bool,
    ) -> Option<u32> {
        let layout = self.layout;
        let hash = hash.of(key);
        let tag = layout.tag(hash);
        let slots = &self.bytes[layout.slots_at..layout.slots_at + layout.slots * 4];
        let mut at = layout.home(hash) * 4;
        while step() {
            let Some(slot) = slots.get(at..at + 4) else {
                if at == 0 {
                    break;
                }
                at = 0;
                continue;
            };
            let slot = u32_at(slot, 0);
            if slot == 0 {
                break;
            }
            if slot & layout.tag_mask == tag {
                let index = (slot & !layout.tag_mask).wrapping_sub(1);
                if self.key(index).is_some_and(|other| equal(other, key)) {
                    return Some(index);
                }
            }
            at += 4;
        }
        None
    }
}

#[inline]
pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

pub(super) fn put<const N: usize>(bytes: &mut [u8], at: usize, what: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&what);
}
