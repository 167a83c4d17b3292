//! Checks an image from outside: after it, each symbol has a key, and each key is found.

#![forbid(unsafe_code)]

use super::{build::STEPS_PER_KEY, hash::Hash64, image::Image, layout::View, seal};
use crate::{FrozenError, Portable, Symbol, backing::Backing};

/// Reads bytes that claim to be an image.
pub(crate) fn read<K: Portable + ?Sized, Y: Symbol, B: Backing>(
    backing: B,
    with_table: bool,
) -> Result<Image<B>, FrozenError> {
    let bytes = backing.bytes();
    let (layout, seed) = seal::read_header::<K>(bytes)?;
    if layout.count > Y::COUNT {
        return Err(FrozenError::SymbolSpace {
            count: layout.count,
            limit_symbols: Y::COUNT,
        });
    }
    // A table is read only where it is wanted.
    if with_table && layout.slots == 0 {
        return Err(FrozenError::NoTable);
    }
    let payload = bytes[layout.payload_at..].as_ptr();
    if payload.addr() % K::ALIGN != 0 {
        return Err(FrozenError::Misaligned {
            align_bytes: K::ALIGN,
        });
    }
    let view = View {
        layout: &layout,
        bytes,
    };
    check_keys::<K>(view)?;
    if with_table {
        check_table(view, Hash64::new(seed))?;
    }
    Ok(Image::new(layout, seed, backing))
}

/// Keys follow each other to the end of the payload, and are keys.
fn check_keys<K: Portable + ?Sized>(view: View<'_>) -> Result<(), FrozenError> {
    let align = K::ALIGN as u64;
    let mut previous = 0_u64;
    for index in 0..view.layout.count {
        let wrong = FrozenError::Key { index };
        let (start, end) = view.range(index).ok_or(wrong)?;
        // Where the last one ended, but for the alignment: nothing lies between them.
        let expected = previous.checked_next_multiple_of(align).ok_or(wrong)?;
        if start != expected || end < start || end > view.layout.payload_bytes as u64 {
            return Err(wrong);
        }
        previous = end;
        if !view.key(index).is_some_and(K::is_valid) {
            return Err(wrong);
        }
    }
    if previous == view.layout.payload_bytes as u64 {
        Ok(())
    } else {
        Err(FrozenError::Header)
    }
}

/// Each key is found, as itself: so no key is there twice, and no slot says anything else.
///
/// The work is bounded: a table through which searches go on and on is refused.
fn check_table(view: View<'_>, hash: Hash64) -> Result<(), FrozenError> {
    let layout = view.layout;
    let slots = &view.bytes[layout.slots_at..layout.end];
    let taken = slots.chunks_exact(4).filter(|slot| **slot != [0; 4]);
    // At least one is empty, then, since there are more slots than keys: every search ends.
    if taken.count() != layout.count as usize {
        return Err(FrozenError::Table);
    }
    let mut steps = (STEPS_PER_KEY + 4) * u64::from(layout.count);
    for index in 0..layout.count {
        let key = view.key(index).unwrap_or_default();
        let found = view.find(&hash, key, || {
            steps = steps.saturating_sub(1);
            steps > 0
        });
        if found != Some(index) {
            return Err(FrozenError::Table);
        }
    }
    Ok(())
}
