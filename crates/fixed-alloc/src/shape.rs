//! How large everything is: a block, a slab, and what lies where in one.
//!
//! ```text
//! base, a multiple of slab_bytes                                     base + slab_bytes
//! ├────────┬─────────┬─────────┬─────────┬─────────┬───────────────────┤
//! │ header │ (gap)   │ block 0 │ block 1 │    …    │ (not asked for)   │
//! └────────┴─────────┴─────────┴─────────┴─────────┴───────────────────┘
//!                    ├─ first            ├─ size ─┤
//! ```

#![forbid(unsafe_code)]

use core::alloc::Layout;

use crate::error::ConfigError;
use crate::header::SlabHeader;

/// A slab has at least so many bytes and so many blocks, unless somebody says otherwise.
const MIN_SLAB_BYTES: usize = 64 << 10;
const MIN_BLOCKS: usize = 8;

/// What the allocator below may need next to a slab for itself. Asking for that much less than
/// `slab_bytes` lets aligned slabs lie side by side. With glibc 2.36, 1000 slabs of 64 KiB that fill
/// their alignment take 129 MiB of address space and 70 MiB of memory; less 56 bytes or more, they take
/// 63 MiB of each, and are freed in half the time (x86-64, 2026-11-22).
const NEIGHBOUR_BYTES: usize = 64;

/// For that, at most one block in so many is given up.
const NEIGHBOUR_SHARE: usize = 8;

/// Sizes that belong together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// What a block has to be good for.
    pub(crate) block: Layout,
    /// Bytes of a block, all of them usable: its size rounded up to its alignment.
    pub(crate) size: usize,
    /// A power of two; the base of a slab is a multiple of it.
    pub(crate) slab_bytes: usize,
    /// Where block 0 begins.
    pub(crate) first: usize,
    /// Blocks in a slab, at least one.
    pub(crate) blocks: u32,
    /// What a slab asks of the allocator below.
    pub(crate) slab: Layout,
    /// 2^32 over `size`, rounded up; 0 where that would not be exact enough.
    inverse: u64,
}

impl Shape {
    /// The shape of slabs of `slab_bytes`, or of the default, for blocks of this layout.
    ///
    /// A default that does not fit into `max_bytes` gives way, as long as a block fits.
    pub(crate) fn try_new(
        block: Layout,
        slab_bytes: Option<usize>,
        max_bytes: usize,
    ) -> Result<Self, ConfigError> {
        if block.size() == 0 {
            return Err(ConfigError::ZeroSized);
        }
        let asked = slab_bytes;
        let slab_bytes = slab_bytes_for(block, asked, max_bytes)?;
        let size = block.pad_to_align().size();
        let first = size_of::<SlabHeader>().next_multiple_of(block.align());
        let room = slab_bytes.saturating_sub(first);
        let fitting = room / size;
        if fitting == 0 || slab_bytes < align_of::<SlabHeader>() {
            // Without a size that somebody asked for, it is the limit that is too small.
            return Err(match asked {
                Some(_) => ConfigError::SlabTooSmall { slab_bytes, block },
                None => ConfigError::LimitBelowSlab {
                    max_bytes,
                    slab_bytes: least_slab_bytes(first, size),
                },
            });
        }
        let mut blocks = fitting;
        if room - blocks * size < NEIGHBOUR_BYTES {
            let given_up = NEIGHBOUR_BYTES.div_ceil(size);
            if blocks >= given_up * NEIGHBOUR_SHARE {
                blocks -= given_up;
            }
        }
        let slab = Layout::from_size_align(first + blocks * size, slab_bytes)
            .map_err(|_| ConfigError::SlabTooLarge(slab_bytes))?;
        if slab_bytes > max_bytes {
            return Err(ConfigError::LimitBelowSlab {
                max_bytes,
                slab_bytes,
            });
        }
        Ok(Self {
            block,
            size,
            slab_bytes,
            first,
            blocks: u32::try_from(blocks).map_err(|_| ConfigError::SlabTooLarge(slab_bytes))?,
            slab,
            inverse: inverse(size, slab_bytes),
        })
    }

    /// The words that a bit for each block takes.
    pub(crate) const fn words(&self) -> usize {
        (self.blocks as usize).div_ceil(u64::BITS as usize)
    }

    /// What the address has in common with all others of the same slab, and with no others.
    pub(crate) const fn key(&self, address: usize) -> usize {
        address >> self.slab_bytes.trailing_zeros()
    }

    /// Where a block begins, from the base of its slab.
    pub(crate) const fn offset(&self, index: u32) -> usize {
        self.first + index as usize * self.size
    }

    /// Which block begins so far from the base of a slab.
    pub(crate) fn index(&self, offset: usize) -> Option<u32> {
        let within = offset.checked_sub(self.first)?;
        let quotient = if self.inverse == 0 {
            (within / self.size) as u64
        } else {
            (within as u64 * self.inverse) >> 32
        };
        let index = u32::try_from(quotient).ok()?;
        (index < self.blocks && self.offset(index) == offset).then_some(index)
    }
}

/// The size of slabs: as asked for, or the default, which gives way to the limit.
fn slab_bytes_for(
    block: Layout,
    asked: Option<usize>,
    max_bytes: usize,
) -> Result<usize, ConfigError> {
    if let Some(bytes) = asked {
        let rounded = bytes.checked_next_power_of_two();
        return rounded.ok_or(ConfigError::SlabTooLarge(bytes));
    }
    let default = default_slab_bytes(block).ok_or(ConfigError::TooLarge(block))?;
    if default <= max_bytes {
        return Ok(default);
    }
    Ok(1 << max_bytes.checked_ilog2().unwrap_or(0))
}

/// The least size of slabs with a block in them.
fn least_slab_bytes(first: usize, size: usize) -> usize {
    let bytes = first.saturating_add(size).checked_next_power_of_two();
    bytes.unwrap_or(usize::MAX).max(align_of::<SlabHeader>())
}

/// What to multiply with instead of dividing by `size`, which would be most of the cost of a free.
///
/// With `inverse = 2^32 / size + e`, `e < 1`, the product for a multiple `n × size` is
/// `n × 2^32 + n × size × e`. The second term vanishes in the shift as long as it is below 2^32, which
/// it is within slabs of up to that size. What is no multiple is found out afterwards.
const fn inverse(size: usize, slab_bytes: usize) -> u64 {
    if slab_bytes as u64 > 1 << 32 {
        return 0;
    }
    (1_u64 << 32).div_ceil(size as u64)
}

/// The size of slabs for blocks of this layout, unless a builder says otherwise; `None` if no slab
/// is large enough.
pub(crate) const fn default_slab_bytes(block: Layout) -> Option<usize> {
    let size = block.pad_to_align().size();
    let Some(bytes) = size.checked_mul(MIN_BLOCKS) else {
        return None;
    };
    let bytes = if bytes < MIN_SLAB_BYTES {
        MIN_SLAB_BYTES
    } else {
        bytes
    };
    match bytes.checked_next_power_of_two() {
        Some(bytes) if Layout::from_size_align(bytes, bytes).is_ok() => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(size: usize, align: usize) -> Shape {
        let block = Layout::from_size_align(size, align).expect("a layout");
        Shape::try_new(block, None, usize::MAX).expect("a shape")
    }

    #[test]
    fn blocks_lie_within_their_slab_and_one_after_the_other() {
        for (size, align) in [
            (1, 1),
            (3, 1),
            (8, 8),
            (24, 8),
            (64, 64),
            (4096, 4096),
            (5000, 1),
            (9000, 4096),
            (1 << 20, 1 << 16),
            (1, 1 << 20),
        ] {
            let shape = shape(size, align);
            let end = shape.offset(shape.blocks);
            assert!(end <= shape.slab_bytes && end == shape.slab.size());
            assert!(shape.first >= size_of::<SlabHeader>() && shape.first % align == 0);
            assert!(shape.size >= size && shape.size % align == 0);
            assert!(shape.blocks >= 7, "{shape:?}");
            for index in 0..shape.blocks {
                assert_eq!(shape.index(shape.offset(index)), Some(index));
                if size > 1 {
                    assert_eq!(shape.index(shape.offset(index) + 1), None);
                }
            }
            assert_eq!(shape.index(end), None);
            assert_eq!(shape.index(0), None);
        }
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn the_largest_slabs_count_right() {
        for (size, slab_bytes) in [(3 << 20, 1 << 32), (5 << 20, 1 << 32), (7 << 20, 1 << 34)] {
            let block = Layout::from_size_align(size, 1).expect("a layout");
            let shape = Shape::try_new(block, Some(slab_bytes), usize::MAX).expect("a shape");
            for index in 0..shape.blocks {
                assert_eq!(shape.index(shape.offset(index)), Some(index));
            }
        }
    }

    #[test]
    fn neighbours_find_room_where_it_costs_little() {
        let small = shape(64, 64);
        assert!(small.slab_bytes - small.slab.size() >= NEIGHBOUR_BYTES);
        let page = shape(4096, 4096);
        assert_eq!((page.blocks, page.slab.size()), (14, 15 << 12));
        let large = shape(1 << 16, 1);
        assert_eq!(large.blocks, 7, "one in seven is too many");
    }

    #[test]
    fn small_limits_make_small_slabs() {
        let block = Layout::new::<u64>();
        let shape = Shape::try_new(block, None, 1000).expect("512 bytes hold some");
        assert_eq!(shape.slab_bytes, 512);
        let none = Shape::try_new(block, None, 8);
        assert!(
            matches!(
                none,
                Err(ConfigError::LimitBelowSlab {
                    max_bytes: 8,
                    slab_bytes: 16
                })
            ),
            "{none:?}"
        );
    }

    #[test]
    fn no_layout_overflows() {
        for size in [usize::MAX >> 1, usize::MAX >> 2, usize::MAX >> 4] {
            let Ok(block) = Layout::from_size_align(size, 1) else {
                continue;
            };
            let shape = Shape::try_new(block, None, usize::MAX);
            assert_eq!(shape.unwrap_err(), ConfigError::TooLarge(block));
        }
    }
}
