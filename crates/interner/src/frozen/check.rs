//! Checks an image from outside: after it, each symbol has a key, and each key is found.

#![forbid(unsafe_code)]

use super::{
    build::{STEPS_PER_KEY, longest_run},
    hash::Hash64,
    image::Image,
    layout::View,
    seal,
};
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
/// The work is bounded: a table through which searches go on and on is refused, whether they find something or not.
fn check_table(view: View<'_>, hash: Hash64) -> Result<(), FrozenError> {
    let layout = view.layout;
    let slots = &view.bytes[layout.slots_at..layout.end];
    let taken = slots.chunks_exact(4).filter(|slot| **slot != [0; 4]);
    // At least one is empty, then, since there are more slots than keys: every search ends.
    if taken.count() != layout.count as usize {
        return Err(FrozenError::Table);
    }
    if longest_run(slots) > layout.width.longest_run() {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{
        build::fill_slots,
        hash::Hash64,
        layout::{HEADER, Layout, View, Width, field, put, u64_at},
        seal::{self, checksum},
    };
    use crate::{Frozen, FrozenError, LocalInterner, Resolver, Sym};

    /// An image of some keys, among them empty and long ones.
    fn image(count: usize) -> Vec<u8> {
        let mut keys: LocalInterner = LocalInterner::new();
        keys.extend(["", "ä", "€uro"]);
        for at in 0..count {
            keys.intern(&at.to_string().repeat(1 + at % 7));
        }
        keys.freeze().to_bytes()
    }

    /// Makes the checksum right again, as an enemy would.
    fn reseal(bytes: &mut [u8]) {
        let sum = checksum(&bytes[..HEADER], &bytes[HEADER..]);
        put(bytes, field::CHECKSUM, sum.to_le_bytes());
    }

    /// Whatever the bytes are: an error, or an interner that keeps its promises.
    fn assert_harmless(bytes: &[u8]) {
        if let Ok(frozen) = Frozen::<str, Sym>::from_bytes(bytes) {
            for (symbol, key) in &frozen {
                assert_eq!(frozen.get(key), Some(symbol));
                assert!(core::str::from_utf8(key.as_bytes()).is_ok());
            }
            assert_eq!(frozen.get("no such key"), None);
            assert_eq!(frozen.iter().count(), frozen.len());
        }
        if let Ok(resolver) = Resolver::<str, Sym>::from_bytes(bytes) {
            for (_, key) in &resolver {
                assert!(core::str::from_utf8(key.as_bytes()).is_ok());
            }
            let _ = resolver.try_thaw();
        }
    }

    #[test]
    fn keys_of_another_alignment_are_named() {
        let expected_bytes = align_of::<u64>();
        let lists = Frozen::<[u64], Sym>::try_from_keys([&[1, 2][..], &[3]]).unwrap();
        let mut bytes = lists.to_bytes();
        for found_bytes in [1, 2, 4, 8, 16, 0, 255] {
            bytes[field::ALIGN] = u8::try_from(found_bytes).unwrap();
            reseal(&mut bytes);
            let found = Frozen::<[u64], Sym>::copy_from_bytes(&bytes).err();
            let error = FrozenError::Alignment {
                found_bytes,
                expected_bytes,
            };
            assert_eq!(found, (found_bytes != expected_bytes).then_some(error));
        }
    }

    /// The other byte order is an error where it matters, and nothing where it does not.
    #[test]
    fn keys_of_another_byte_order_are_named() {
        let other = |mut bytes: Vec<u8>| {
            bytes[field::ORDER] ^= 3;
            reseal(&mut bytes);
            bytes
        };
        let lists = Frozen::<[u16], Sym>::try_from_keys([&[1, 2][..], &[3]]).unwrap();
        let lists = other(lists.to_bytes());
        let refused = Frozen::<[u16], Sym>::copy_from_bytes(&lists).err();
        assert_eq!(refused, Some(FrozenError::ByteOrder));
        let (mine, theirs) = (image(40), other(image(40)));
        let mine = Frozen::<str, Sym>::from_bytes(&mine).unwrap();
        let theirs = Frozen::<str, Sym>::from_bytes(&theirs).unwrap();
        assert!(mine.iter().eq(theirs.iter()));
        assert!(
            mine.iter()
                .all(|(symbol, key)| theirs.get(key) == Some(symbol))
        );
    }

    /// As an enemy writes it, with a checksum that is right.
    #[test]
    fn what_is_wrong_with_an_image_is_named() {
        let wrong = |change: &dyn Fn(&mut [u8])| {
            let mut bytes = image(40);
            change(&mut bytes);
            reseal(&mut bytes);
            Frozen::<str, Sym>::from_bytes(&bytes).err()
        };
        let other_seed = wrong(&|bytes| put(bytes, field::SEED, 12_345_u64.to_le_bytes()));
        assert_eq!(other_seed, Some(FrozenError::Table));
        let other_version = wrong(&|bytes| put(bytes, field::VERSION, 2_u16.to_le_bytes()));
        assert_eq!(other_version, Some(FrozenError::Version { found: 2 }));
        // The third end before the second, and one behind the payload; both before any key is read there.
        let backwards = wrong(&|bytes| put(bytes, HEADER + 8 + 4, 1_u16.to_le_bytes()));
        assert_eq!(backwards, Some(FrozenError::Key { index: 2 }));
        let too_far = wrong(&|bytes| put(bytes, HEADER + 8 + 2, u16::MAX.to_le_bytes()));
        assert_eq!(too_far, Some(FrozenError::Key { index: 1 }));
        let no_text = wrong(&|bytes| {
            let at = bytes.windows(2).position(|two| two == "ä".as_bytes());
            bytes[at.unwrap()] = 0xff;
        });
        assert_eq!(no_text, Some(FrozenError::Key { index: 1 }));
    }

    #[test]
    fn a_resealed_image_is_the_same() {
        let mut bytes = image(50);
        let before = bytes.clone();
        reseal(&mut bytes);
        assert_eq!(bytes, before);
    }

    #[test]
    fn every_byte_set_to_extremes_and_resealed_is_harmless() {
        let right = image(40);
        for at in 0..right.len() {
            for value in [
                0,
                1,
                0x7f,
                0x80,
                0xff,
                right[at] ^ 1,
                right[at].wrapping_add(1),
            ] {
                let mut bytes = right.clone();
                bytes[at] = value;
                reseal(&mut bytes);
                assert_harmless(&bytes);
            }
        }
    }

    #[test]
    fn numbers_of_the_header_at_their_limits_are_harmless() {
        let right = image(40);
        for at in [
            field::COUNT,
            field::PAYLOAD,
            field::SLOTS,
            field::KIND,
            HEADER,
        ] {
            let number = u64_at(&right, at);
            for value in [
                0,
                1,
                number ^ 1,
                number + 32,
                u64::from(u32::MAX),
                u64::MAX,
                1 << 63,
            ] {
                let mut bytes = right.clone();
                put(&mut bytes, at, value.to_le_bytes());
                reseal(&mut bytes);
                assert_harmless(&bytes);
            }
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        let mut keys: LocalInterner = LocalInterner::new();
        keys.extend(["aa", "ab", "ac"]);
        let mut bytes = keys.freeze().to_bytes();
        let at = bytes.windows(2).position(|two| two == b"ab").unwrap();
        bytes[at + 1] = b'a';
        reseal(&mut bytes);
        assert_eq!(
            Frozen::<str>::from_bytes(&bytes).err(),
            Some(FrozenError::Table)
        );
        let resolver = Resolver::<str>::from_bytes(&bytes).unwrap();
        assert!(resolver.try_thaw().is_err());
    }

    #[test]
    fn a_table_that_takes_for_ever_is_refused() {
        // Keys chosen so that their searches all begin in one corner of the table, by a seed that is not theirs.
        let (seed, count) = (7, 3000_u32);
        let hash = Hash64::new(seed);
        let is_low = |key: &String| hash.of(key.as_bytes()) >> 57 == 0;
        let keys: Vec<String> = (0..)
            .map(|at: u32| at.to_string())
            .filter(is_low)
            .take(3000)
            .collect();
        let keys = Frozen::<str>::try_from_keys(keys.iter().map(String::as_str)).unwrap();
        let mut bytes = keys.to_bytes();
        assert!(Frozen::<str>::from_bytes(&bytes).is_ok());
        let (layout, _) = seal::read_header::<str>(&bytes).unwrap();
        let (front, slots) = bytes.split_at_mut(layout.slots_at);
        slots.fill(0);
        let view = View {
            layout: &layout,
            bytes: front,
        };
        let steps = fill_slots(view, hash, slots, u64::MAX);
        assert!(steps > Some(1000 * u64::from(count)));
        put(&mut bytes, field::SEED, u64::to_le_bytes(seed));
        reseal(&mut bytes);
        assert_eq!(
            Frozen::<str>::from_bytes(&bytes).err(),
            Some(FrozenError::Table)
        );
        assert!(Resolver::<str>::from_bytes(&bytes).is_ok());
    }

    /// A table with a key at home in each slot but one: all keys are found at once, and all others last.
    #[test]
    fn a_table_in_which_nothing_is_missing_soon_is_refused() {
        let count = 3000_u32;
        let mut keys: LocalInterner = LocalInterner::new();
        keys.extend(
            (0..count)
                .map(|at| at.to_string())
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
        let mut bytes = keys.freeze().to_bytes();
        let (layout, _) = seal::read_header::<str>(&bytes).unwrap();
        // As many slots as there must be at least, all but one of them taken.
        put(&mut bytes, field::SLOTS, u64::from(count + 1).to_le_bytes());
        bytes.truncate(layout.slots_at + (count as usize + 1) * 4);
        reseal(&mut bytes);
        assert_eq!(
            Frozen::<str>::from_bytes(&bytes).err(),
            Some(FrozenError::Header)
        );
    }

    /// The keys of one image at the start of a table: each is found soon, but what is not there is not missed soon.
    #[test]
    fn a_long_run_is_refused() {
        let count = 3000_u32;
        let layout = Layout::new(count, Width::Two, 1, 0, Width::Two.slots(count)).unwrap();
        let hash = Hash64::new(7);
        // One key for each of the first homes.
        let mut homes: Vec<Option<String>> = vec![None; count as usize];
        let mut missing = count;
        for at in 0.. {
            let key = format!("{at:06}");
            let home = homes.get_mut(layout.home(hash.of(key.as_bytes())));
            if let Some(home @ None) = home {
                *home = Some(key);
                missing -= 1;
                if missing == 0 {
                    break;
                }
            }
        }
        let keys = homes.iter().flatten().map(String::as_str);
        let mut bytes = Frozen::<str>::try_from_keys(keys).unwrap().to_bytes();
        let (layout, _) = seal::read_header::<str>(&bytes).unwrap();
        let (front, slots) = bytes.split_at_mut(layout.slots_at);
        slots.fill(0);
        let view = View {
            layout: &layout,
            bytes: front,
        };
        assert_eq!(fill_slots(view, hash, slots, 0), Some(0));
        put(&mut bytes, field::SEED, 7_u64.to_le_bytes());
        reseal(&mut bytes);
        assert_eq!(
            Frozen::<str>::from_bytes(&bytes).err(),
            Some(FrozenError::Table)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn resealed_noise_is_harmless(
            wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        ) {
            let mut bytes = image(70);
            let len = bytes.len();
            for (at, value) in &wrong {
                // The magic and the version decide nothing.
                bytes[10 + at.index(len - 10)] = *value;
            }
            reseal(&mut bytes);
            assert_harmless(&bytes);
        }
    }
}
