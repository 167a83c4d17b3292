//! Where an allocation goes: plain arithmetic on addresses.
//!
//! ```text
//!        lo ──► objects grow up          bytes grow down ◄── hi
//!  ──────┬──────────────────────────────────────────────────┬──────
//!   used │                      free                        │ used
//!  ──────┴──────────────────────────────────────────────────┴──────
//! ```
//!
//! # Why the sign decides
//!
//! All arithmetic wraps, and one signed comparison tells whether the request fits: the difference
//! between the far cursor and the new one. It is exact, wherever the addresses lie, because no true
//! difference leaves the range of `isize`:
//!
//! - `0 <= hi - lo <= isize::MAX`, since both lie in one allocation;
//! - a layout's size, rounded up to its alignment, is at most `isize::MAX`. So padding and size are
//!   together at most `isize::MAX`; and `isize::MAX + 1` where an up-cursor is kept aligned to more
//!   than the request is, which subtracts to `isize::MIN` at the least.
//!
//! What it costs, and why there are two ends, is in [`window`](crate::window).

#![forbid(unsafe_code)]

/// What a fitting request gets: its first address, and where the cursor then stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) start: usize,
    pub(crate) cursor: usize,
}

/// What the start of a region is a multiple of, and so the largest minimal alignment.
pub(crate) const BASE: usize = 16;

/// The lowest multiple of `align` that is not below `address`; modulo the address space.
#[inline]
pub(crate) const fn align_up(address: usize, align: usize) -> usize {
    address.wrapping_add(align - 1) & !(align - 1)
}

/// The highest multiple of `align` that is not above `address`.
#[inline]
pub(crate) const fn align_down(address: usize, align: usize) -> usize {
    address & !(align - 1)
}

/// Where a request begins at the low end. `lo` is a multiple of `min`.
#[inline]
pub(crate) const fn start_up(lo: usize, align: usize, min: usize) -> usize {
    if align <= min {
        lo
    } else {
        align_up(lo, align)
    }
}

/// How far a request of `size` bytes moves the low cursor, which stays a multiple of `min`.
#[inline]
pub(crate) const fn advance(size: usize, min: usize) -> usize {
    align_up(size, min)
}

/// Whether the cursors, one of which was just moved, have met and passed each other.
#[inline]
pub(crate) const fn crossed(lo: usize, hi: usize) -> bool {
    (hi.wrapping_sub(lo) as isize) < 0
}

/// Whether `size` bytes lie between the cursors, of any number at all.
///
/// What needs no alignment asks so: for a difference of three numbers, whose sign [`crossed`] looks at, the compiler
/// makes a sum of two that nothing else needs.
#[inline]
pub(crate) const fn holds(lo: usize, hi: usize, size: usize) -> bool {
    size <= hi.wrapping_sub(lo)
}

/// As [`holds`], by where bytes at the high end would start: no more than [`FEW`], and `lo` is at least that.
///
/// The start is needed anyway, so that this is one comparison. Nothing wraps, so it needs no sign, of whose difference
/// the compiler would make a sum.
#[inline]
pub(crate) const fn holds_few(lo: usize, start: usize) -> bool {
    lo <= start
}

/// What may be subtracted from every cursor: no memory that an arena uses begins below this address.
pub(crate) const FEW: usize = 32;

/// Places `size` bytes at the low end. `lo` is a multiple of `min`, and stays one.
///
/// `size` and `align` are those of a valid layout. The window takes the same steps with pointers, because
/// an address that is both a number and a pointer costs it an instruction.
#[inline]
pub(crate) const fn up(
    lo: usize,
    hi: usize,
    size: usize,
    align: usize,
    min: usize,
) -> Option<Placed> {
    let start = start_up(lo, align, min);
    let cursor = start.wrapping_add(advance(size, min));
    if crossed(cursor, hi) {
        return None;
    }
    Some(Placed { start, cursor })
}

/// Where a request of `size` bytes begins at the high end; as [`up`], and the cursor stands there then.
#[inline]
pub(crate) const fn start_down(hi: usize, size: usize, align: usize) -> usize {
    align_down(hi.wrapping_sub(size), align)
}

/// How many bytes a region that starts at a multiple of [`BASE`] must have, so that the request fits;
/// none if that is more than any region has. `unit` is what the cursor moves in multiples of: `min` at
/// the low end, 1 at the high end.
#[inline]
pub(crate) const fn need(size: usize, align: usize, unit: usize) -> Option<usize> {
    let padding = align.saturating_sub(BASE);
    let Some(rounded) = size.checked_next_multiple_of(unit) else {
        return None;
    };
    let bytes = rounded.saturating_add(padding);
    if bytes > isize::MAX as usize {
        return None;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use core::alloc::Layout;

    use proptest::prelude::*;

    use super::*;

    /// `up` in numbers that cannot wrap; the space between the cursors may reach past the last address.
    fn up_oracle(lo: u128, hi: u128, size: u128, align: u128, min: u128) -> Option<(u128, u128)> {
        let start = lo.next_multiple_of(align);
        let cursor = (start + size).next_multiple_of(min);
        (cursor <= hi).then_some((start, cursor))
    }

    /// As the window does it.
    fn down(lo: usize, hi: usize, size: usize, align: usize) -> Option<usize> {
        let start = start_down(hi, size, align);
        let fits = if align == 1 {
            let fits = holds(lo, hi, size);
            if size <= FEW && lo >= FEW {
                assert_eq!(holds_few(lo, start), fits);
            }
            fits
        } else {
            !crossed(lo, start)
        };
        fits.then_some(start)
    }

    fn down_oracle(lo: u128, hi: u128, size: u128, align: u128) -> Option<u128> {
        let start = hi.checked_sub(size)? / align * align;
        (start >= lo).then_some(start)
    }

    fn powers(below: u32) -> impl Strategy<Value = usize> {
        (0..below).prop_map(|shift| 1_usize << shift)
    }

    /// Sizes at both ends of what a layout may have, and near what is free.
    fn layouts() -> impl Strategy<Value = (usize, usize)> {
        (powers(usize::BITS), any::<usize>(), 0..4_u8).prop_map(|(align, raw, kind)| {
            let most = (isize::MAX as usize + 1) - align;
            let size = match kind {
                0 => raw % 64,
                1 => raw % 8192,
                2 => most - raw % 64.min(most + 1),
                _ => raw % (most + 1),
            };
            let size = size.min(most);
            Layout::from_size_align(size, align).unwrap();
            (size, align)
        })
    }

    fn regions() -> impl Strategy<Value = (usize, usize, usize)> {
        (any::<usize>(), any::<usize>(), powers(5), 0..4_u8).prop_map(|(at, raw, min, kind)| {
            let lo = match kind {
                0 => 16,
                1 => (usize::MAX - at % 9000) & !(min - 1),
                _ => at & !(min - 1),
            };
            let room = (usize::MAX - lo).min(isize::MAX as usize);
            let free = match kind {
                0 => 0,
                1 | 2 => raw % 8192,
                _ => raw,
            };
            (lo, lo + free % (room + 1), min)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn up_is_exact((lo, hi, min) in regions(), (size, align) in layouts()) {
            let expected =
                up_oracle(lo as u128, hi as u128, size as u128, align as u128, min as u128);
            let found = up(lo, hi, size, align, min)
                .map(|placed| (placed.start as u128, placed.cursor as u128));
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn down_is_exact((lo, hi, _) in regions(), (size, align) in layouts()) {
            let expected = down_oracle(lo as u128, hi as u128, size as u128, align as u128);
            let found = down(lo, hi, size, align).map(|start| start as u128);
            prop_assert_eq!(found, expected);
        }

        /// What fits exactly fits, and one byte less does not.
        #[test]
        fn the_edge_is_exact(at in 1_usize..1 << 40, size in 1_usize..1 << 20, min in powers(5)) {
            let lo = at.next_multiple_of(16);
            let size = size.next_multiple_of(min);
            prop_assert_eq!(
                up(lo, lo + size, size, min, min),
                Some(Placed { start: lo, cursor: lo + size })
            );
            prop_assert_eq!(up(lo, lo + size - 1, size, min, min), None);
            prop_assert!(down(lo, lo + size, size, 1).is_some());
            prop_assert_eq!(down(lo, lo + size - 1, size, 1), None);
        }

        /// A region of `need` bytes has room, wherever it ends.
        #[test]
        fn what_is_needed_suffices(
            (size, align) in layouts(), min in powers(5), at in 1_usize..1 << 20, tail in 0_usize..32
        ) {
            let lo = at.next_multiple_of(BASE);
            for is_up in [true, false] {
                let region = need(size, align, if is_up { min } else { 1 })
                    .and_then(|bytes| lo.checked_add(bytes)?.checked_add(tail))
                    .filter(|hi| hi - lo <= isize::MAX as usize);
                let Some(hi) = region else { continue };
                if is_up {
                    prop_assert!(up(lo, hi, size, align, min).is_some());
                } else if align <= min {
                    prop_assert!(down(lo, hi, size, align).is_some());
                }
            }
        }

        /// Nor is a byte too much asked for, where no padding can be needed.
        #[test]
        fn what_is_needed_is_no_more(size in 1_usize..1 << 20, min in powers(5), at in 1_usize..1 << 20) {
            let lo = at.next_multiple_of(BASE);
            let bytes = need(size, min, min).unwrap();
            prop_assert!(up(lo, lo + bytes - 1, size, min, min).is_none());
            let bytes = need(size, 1, 1).unwrap();
            prop_assert!(down(lo, lo + bytes - 1, size, 1).is_none());
        }
    }
}
