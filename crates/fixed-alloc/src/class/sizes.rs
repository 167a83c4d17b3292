//! Which size class a layout belongs to.
//!
//! ```text
//! 16  32  48  64  80  96 112 128     steps of 16: at most 15 bytes are lost
//!        160     192     224 256     steps of 32 ┐
//!        320     384     448 512     steps of 64 ├ less than a fifth of a block is lost
//!        640     768     896 1024    steps of 128┘
//! ```
//!
//! # Invariants
//!
//! 1. What is in a class stays in it when its size grows up to that of the class: an allocator may hand
//!    out the whole block and is then told any size in between.
//! 2. The block of a class is as large and as aligned as each layout in it asks for.

#![forbid(unsafe_code)]

use core::alloc::Layout;

/// How many classes there are.
pub(super) const CLASSES: usize = 20;

/// The size of the largest class.
pub(super) const LARGEST: usize = 1024;

/// What the blocks of a class are aligned to at most: a cache line.
pub(super) const MAX_ALIGN: usize = 64;

const SIZES: [usize; CLASSES] = [
    16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
];

/// What every size of a class is a multiple of.
const GRANULE: usize = 16;

/// The class of each size, in granules.
const OF_GRANULES: [u8; LARGEST / GRANULE + 1] = of_granules();

/// A size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u8);

/// Where memory of a layout comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    /// From nowhere: the layout has no bytes.
    Nothing,
    /// From the blocks of a class.
    Class(Class),
    /// From the allocator that is fallen back on.
    Fallback,
}

/// Where memory of a layout comes from.
#[inline]
pub(super) const fn home(layout: Layout) -> Home {
    let (size, align) = (layout.size(), layout.align());
    if size == 0 {
        return Home::Nothing;
    }
    if size > LARGEST || align > MAX_ALIGN {
        return Home::Fallback;
    }
    // From multiples of 32 or 64 the table leads to such multiples, which invariant 2 needs.
    let aligned = (size + align - 1) & !(align - 1);
    Home::Class(Class(OF_GRANULES[aligned.div_ceil(GRANULE)]))
}

impl Class {
    /// Which one of [`CLASSES`].
    #[inline]
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Bytes of a block.
    #[inline]
    pub(super) const fn size(self) -> usize {
        SIZES[self.index()]
    }

    /// What its blocks are good for.
    pub(super) fn block(self) -> Layout {
        let size = self.size();
        let align = (1 << size.trailing_zeros()).min(MAX_ALIGN);
        Layout::from_size_align(size, align).unwrap_or(Layout::new::<()>())
    }

    /// All of them, the smallest first.
    #[expect(clippy::cast_possible_truncation, reason = "there are 20")]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..CLASSES as u8).map(Self)
    }
}

const fn of_granules() -> [u8; LARGEST / GRANULE + 1] {
    let mut table = [0; LARGEST / GRANULE + 1];
    let (mut granules, mut class) = (1, 0);
    while granules < table.len() {
        if granules * GRANULE > SIZES[class as usize] {
            class += 1;
        }
        table[granules] = class;
        granules += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    /// The first class whose blocks will do.
    fn oracle(layout: Layout) -> Home {
        if layout.size() == 0 {
            return Home::Nothing;
        }
        let fits = |class: &Class| {
            let block = class.block();
            block.size() >= layout.size() && block.align() >= layout.align()
        };
        Class::all().find(fits).map_or(Home::Fallback, Home::Class)
    }

    #[test]
    fn every_layout_has_the_smallest_class_that_will_do() {
        for align in (0..13).map(|bit| 1 << bit) {
            for size in 0..3000 {
                let layout = layout(size, align);
                assert_eq!(home(layout), oracle(layout), "{layout:?}");
            }
        }
    }

    #[test]
    fn little_is_lost() {
        for size in 1..=LARGEST {
            let Home::Class(class) = home(layout(size, 1)) else {
                panic!("{size} has no class");
            };
            let lost = class.size() - size;
            assert!(lost < 16 || lost * 4 <= class.size(), "{size}: {lost}");
        }
    }

    #[test]
    fn blocks_are_what_they_say() {
        let blocks: Vec<_> = Class::all().map(Class::block).collect();
        assert!(
            blocks
                .iter()
                .zip(SIZES)
                .all(|(block, size)| block.size() == size)
        );
        assert!(
            blocks
                .iter()
                .all(|block| block.pad_to_align() == *block && block.align() >= 16)
        );
    }

    proptest! {
        #[test]
        fn no_layout_leaves_its_class_within_its_block(size in 1..5000_usize, bit in 0..14_u32, more in 0..200_usize) {
            let align = 1 << bit;
            match home(layout(size, align)) {
                Home::Class(class) => {
                    let grown = (size + more).min(class.size());
                    prop_assert_eq!(home(layout(grown, align)), Home::Class(class));
                }
                other => prop_assert_eq!(home(layout(size + more, align)), other),
            }
        }
    }
}
