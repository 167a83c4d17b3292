//! Makes an image from keys.

#![forbid(unsafe_code)]

use super::{
    hash::Hash64,
    image::Image,
    layout::{BLOCK, Layout, View, Width, put},
    seal,
};
use crate::{InternError, Key, backing::Owned, buffer::Buffer};

/// How many seeds are tried before a table is taken as it is. Only keys made for it come so far.
const SEEDS: u64 = 8;

/// How many slots a search may pass by, on average over all keys, in a table that is taken at once.
pub(super) const STEPS_PER_KEY: u64 = 64;

/// An image of the keys, which are different from each other, in their order.
///
/// They are walked twice.
///
/// # Panics
///
/// If the second walk does not give what the first one gave.
pub(crate) fn build<'a, K: Key + ?Sized>(
    keys: impl Iterator<Item = &'a K> + Clone,
    with_table: bool,
) -> Result<Image<Owned>, InternError> {
    let size = measure(keys.clone())?;
    let width = Width::for_span(size.span);
    let slots = if with_table {
        width.slots(size.count)
    } else {
        0
    };
    let too_big = InternError::Backend {
        size_bytes: usize::MAX,
    };
    let layout = Layout::new(size.count, width, K::ALIGN, size.payload, slots).ok_or(too_big)?;
    let mut buffer = Buffer::zeroed(layout.end)?;
    fill(&layout, buffer.bytes_mut(), keys);
    let seed = if with_table {
        fill_table(&layout, buffer.bytes_mut())
    } else {
        0
    };
    seal::write_header(&layout, seed, buffer.bytes_mut());
    Ok(Image::new(layout, seed, Owned::new(buffer)))
}

struct Size {
    count: u32,
    payload: u64,
    /// The most that a block's keys have together.
    span: u64,
}

fn measure<'a, K: Key + ?Sized>(keys: impl Iterator<Item = &'a K>) -> Result<Size, InternError> {
    let mut size = Size {
        count: 0,
        payload: 0,
        span: 0,
    };
    let mut base = 0;
    for key in keys {
        if size.count as usize % BLOCK == 0 {
            base = size.payload;
        }
        size.count = size.count.checked_add(1).ok_or(InternError::SymbolSpace {
            limit_symbols: u32::MAX as usize,
        })?;
        let start = size.payload.next_multiple_of(K::ALIGN as u64);
        size.payload = start + key.as_bytes().len() as u64;
        size.span = size.span.max(size.payload - base);
    }
    Ok(size)
}

/// Writes the ends and the keys.
fn fill<'a, K: Key + ?Sized>(layout: &Layout, image: &mut [u8], keys: impl Iterator<Item = &'a K>) {
    let (mut base, mut at, mut count) = (0_usize, 0_usize, 0_u32);
    for key in keys {
        assert!(
            count < layout.count,
            "the keys changed while they were frozen"
        );
        let block = layout.block_at(count);
        let nth = count as usize % BLOCK;
        if nth == 0 {
            base = at;
            put(image, block, (base as u64).to_le_bytes());
        }
        let bytes = key.as_bytes();
        let start = at.next_multiple_of(K::ALIGN);
        at = start + bytes.len();
        assert!(
            at <= layout.payload_bytes,
            "the keys changed while they were frozen"
        );
        let payload = layout.payload_at;
        image[payload + start..payload + at].copy_from_slice(bytes);
        put_end(layout, image, block, nth, (at - base) as u64);
        count += 1;
    }
    assert!(
        count == layout.count && at == layout.payload_bytes,
        "the keys changed while they were frozen"
    );
}

/// Writes one end. What does not fit was refused when the widths were measured.
fn put_end(layout: &Layout, image: &mut [u8], block: usize, nth: usize, end: u64) {
    let at = block + 8 + nth * layout.width as usize;
    let width = layout.width as usize;
    let bytes = end.to_le_bytes();
    assert!(
        bytes[width..].iter().all(|byte| *byte == 0),
        "the keys changed while they were frozen"
    );
    image[at..at + width].copy_from_slice(&bytes[..width]);
}

/// Fills the slots; says by which seed.
///
/// The seed is made from the keys: equal keys give equal images, and who makes keys up cannot know it before he has
/// made them. Where chains come out long all the same, the next one is tried.
fn fill_table(layout: &Layout, image: &mut [u8]) -> u64 {
    let (front, slots) = image.split_at_mut(layout.slots_at);
    let view = View {
        layout,
        bytes: front,
    };
    let mut seed = Hash64::new(u64::from(layout.count)).of(view.payload());
    for trial in 1..=SEEDS {
        let steps = fill_slots(view, Hash64::new(seed), slots);
        if steps <= STEPS_PER_KEY * u64::from(layout.count) || trial == SEEDS {
            break;
        }
        seed = Hash64::new(seed).of(&trial.to_le_bytes());
        slots.fill(0);
    }
    seed
}

/// Fills the slots by one hash; says how many slots all searches pass by together.
pub(super) fn fill_slots(view: View<'_>, hash: Hash64, slots: &mut [u8]) -> u64 {
    let layout = view.layout;
    let mut steps = 0;
    for index in 0..layout.count {
        let hash = hash.of(view.key(index).unwrap_or_default());
        let mut at = layout.home(hash) * 4;
        while slots[at..at + 4] != [0; 4] {
            steps += 1;
            at += 4;
            if at == slots.len() {
                at = 0;
            }
        }
        put(slots, at, layout.slot(hash, index).to_le_bytes());
    }
    steps
}
