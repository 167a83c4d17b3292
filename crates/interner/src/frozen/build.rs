//! Makes an image from keys.

#![forbid(unsafe_code)]

use core::hash::BuildHasher;
use std::collections::hash_map::RandomState;

use super::{
    hash::Hash64,
    image::Image,
    layout::{BLOCK, Layout, View, Width, put},
    seal,
};
use crate::{InternError, Key, backing::Owned, buffer::Buffer};

/// How many seeds made from the keys are tried. Only keys made for it come beyond the first.
const MADE_SEEDS: usize = 3;

/// How many seeds that nobody can know are tried then.
const DRAWN_SEEDS: usize = 8;

/// How many slots a search may pass by, on average over all keys.
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
        let drawn = (0..DRAWN_SEEDS).map(|_| RandomState::new().hash_one(0_u8));
        fill_table(&layout, buffer.bytes_mut(), drawn)?
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
/// The first seeds are made from the keys, so that equal keys give equal images. Who makes keys up can compute those,
/// too, and choose keys that collide under them: then seeds are drawn, which no key can have been made for. No table
/// is taken that a reader would refuse, and a trial ends as soon as it is known to fail: all takes linear time.
fn fill_table(
    layout: &Layout,
    image: &mut [u8],
    drawn: impl Iterator<Item = u64>,
) -> Result<u64, InternError> {
    let (front, slots) = image.split_at_mut(layout.slots_at);
    let view = View {
        layout,
        bytes: front,
    };
    let first = Hash64::new(u64::from(layout.count)).of(view.payload());
    let next = |seed: &u64, trial: u64| Hash64::new(*seed).of(&trial.to_le_bytes());
    let made = (1..MADE_SEEDS as u64).scan(first, |seed, trial| {
        *seed = next(seed, trial);
        Some(*seed)
    });
    let mut seeds = 0;
    for seed in core::iter::once(first).chain(made).chain(drawn) {
        seeds += 1;
        let most = STEPS_PER_KEY * u64::from(layout.count);
        let filled = fill_slots(view, Hash64::new(seed), slots, most);
        if filled.is_some() && longest_run(slots) <= layout.width.longest_run() {
            return Ok(seed);
        }
        slots.fill(0);
    }
    Err(InternError::Collisions { seeds })
}

/// Fills the slots by one hash; says how many slots all searches pass by together, if not more than `most`.
pub(super) fn fill_slots(view: View<'_>, hash: Hash64, slots: &mut [u8], most: u64) -> Option<u64> {
    let layout = view.layout;
    let mut steps = 0;
    for index in 0..layout.count {
        let hash = hash.of(view.key(index).unwrap_or_default());
        let mut at = layout.home(hash) * 4;
        while slots[at..at + 4] != [0; 4] {
            steps += 1;
            if steps > most {
                return None;
            }
            at += 4;
            if at == slots.len() {
                at = 0;
            }
        }
        put(slots, at, layout.slot(hash, index).to_le_bytes());
    }
    Some(steps)
}

/// How many taken slots follow each other at most, the first after the last: no search passes by more.
pub(super) fn longest_run(slots: &[u8]) -> usize {
    let (mut longest, mut run, mut first) = (0, 0, None);
    for slot in slots.chunks_exact(4) {
        if *slot == [0; 4] {
            first = first.or(Some(run));
            run = 0;
        } else {
            run += 1;
            longest = longest.max(run);
        }
    }
    longest.max(run + first.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::{hash::Hash64, layout::Layout};
    use super::{DRAWN_SEEDS, MADE_SEEDS, Width, fill, fill_table, longest_run};
    use crate::{Frozen, InternError, LocalInterner};

    /// Keys that collide under all seeds that are made from them.
    ///
    /// Each has a block for each seed, which makes the hash forget what is before it; so has the last one for the
    /// seed of the first hash, so that the others can be chosen by what comes out.
    fn crafted(keys: u64) -> Vec<Vec<u8>> {
        let mut last = Hash64::new(keys + 1).forgetful_block().to_vec();
        last.extend([1; 32]);
        let key = |at: u64, seeds: &[u64]| {
            let mut key = vec![0; 32];
            key[..8].copy_from_slice(&at.to_le_bytes());
            for seed in seeds {
                key.extend(Hash64::new(*seed).forgetful_block());
            }
            key.extend([2; 32]);
            key
        };
        let all = |seeds: &[u64]| {
            (0..keys)
                .map(|at| key(at, seeds))
                .chain([last.clone()])
                .collect::<Vec<_>>()
        };
        let payload = all(&[0; MADE_SEEDS]).concat();
        let mut seeds = vec![Hash64::new(keys + 1).of(&payload)];
        for trial in 1..MADE_SEEDS as u64 {
            let before = seeds[seeds.len() - 1];
            seeds.push(Hash64::new(before).of(&trial.to_le_bytes()));
        }
        all(&seeds)
    }

    #[test]
    fn keys_made_to_collide_are_frozen_and_read() {
        let mut keys: LocalInterner<[u8]> = LocalInterner::new();
        keys.extend(crafted(1500).iter().map(Vec::as_slice));
        let bytes = keys.freeze().to_bytes();
        let frozen = Frozen::<[u8]>::from_bytes(&bytes).unwrap();
        assert_eq!(frozen.len(), 1501);
    }

    #[test]
    fn where_all_seeds_fail_it_is_said() {
        let keys = crafted(1500);
        let payload = keys.concat().len() as u64;
        let width = Width::Four;
        let slots = width.slots(1501);
        let layout = Layout::new(1501, width, 1, payload, slots).unwrap();
        let mut image = vec![0; layout.end];
        fill(&layout, &mut image, keys.iter().map(Vec::as_slice));
        let seeds = u32::try_from(MADE_SEEDS).unwrap();
        assert_eq!(
            fill_table(&layout, &mut image, core::iter::empty()),
            Err(InternError::Collisions { seeds })
        );
        assert_eq!(fill_table(&layout, &mut image, 5..6), Ok(5));
        const { assert!(DRAWN_SEEDS > 0) };
    }

    #[test]
    fn a_run_goes_on_at_the_start() {
        let slots = |taken: &[u8]| {
            let slot = |one: &u8| [*one, 0, 0, 0];
            longest_run(&taken.iter().flat_map(slot).collect::<Vec<_>>())
        };
        assert_eq!(slots(&[0]), 0);
        assert_eq!(slots(&[1, 0]), 1);
        assert_eq!(slots(&[1, 1, 0, 1, 0]), 2);
        assert_eq!(slots(&[1, 0, 1, 1, 1, 0]), 3);
        assert_eq!(slots(&[1, 1, 0, 1, 0, 1]), 3);
    }
}
