//! The table of capacities: which class serves a request, and how a budget is shared out.
//!
//! Plain arithmetic; what is unsafe elsewhere relies on `class_of` never naming a class that is
//! too small, which the tests below compare with a linear search.

#![forbid(unsafe_code)]

use core::fmt;

/// The most classes that a table may have.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Classes, MAX_CLASSES};
///
/// assert!(Classes::powers_of_two(1, 1 << (MAX_CLASSES - 1)).is_ok());
/// ```
pub const MAX_CLASSES: usize = 32;

/// The sizes of buffers that a pool keeps, in ascending order.
///
/// A request gets the smallest class that holds it. Where each class is twice the one before
/// and the first is a power of two, the class is found by counting leading zeros, otherwise by a
/// branch-free binary search of five steps.
///
/// # Examples
///
/// ```
/// use thrifty_pool::Classes;
///
/// let default = Classes::default();
/// assert_eq!(default.sizes().first(), Some(&256));
/// assert_eq!(default.sizes().last(), Some(&(1 << 20)));
///
/// // For frames of 1500 and jumbo frames of 9000 bytes.
/// let frames = Classes::new(&[1500, 9000])?;
/// assert_eq!(frames.sizes(), [1500, 9000]);
/// # Ok::<(), thrifty_pool::ClassesError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Classes {
    /// Ascending; behind `len` all `usize::MAX`, so that a search needs no bound.
    sizes: [usize; MAX_CLASSES],
    len: usize,
    /// The logarithm of the first size, where each size is twice the one before.
    first_shift: Option<u32>,
}

impl Classes {
    /// Powers of two from `first` to `last`, both included.
    ///
    /// # Errors
    ///
    /// When one of the two is no power of two, or `first` is above `last`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::Classes;
    ///
    /// assert_eq!(Classes::powers_of_two(512, 2048)?.sizes(), [512, 1024, 2048]);
    /// # Ok::<(), thrifty_pool::ClassesError>(())
    /// ```
    pub fn powers_of_two(first: usize, last: usize) -> Result<Self, ClassesError> {
        for size in [first, last] {
            if !size.is_power_of_two() {
                return Err(ClassesError::NotPowerOfTwo(size));
            }
        }
        if first > last {
            return Err(ClassesError::Empty);
        }
        let count = (last.ilog2() - first.ilog2()) as usize + 1;
        if count > MAX_CLASSES {
            return Err(ClassesError::TooMany(count));
        }
        let mut sizes = [usize::MAX; MAX_CLASSES];
        for (step, size) in sizes[..count].iter_mut().enumerate() {
            *size = first << step;
        }
        Ok(Self::checked(sizes, count))
    }

    /// These sizes.
    ///
    /// # Errors
    ///
    /// When there are none or more than [`MAX_CLASSES`], when they do not ascend, when one is 0
    /// or `usize::MAX`.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{Classes, ClassesError};
    ///
    /// assert_eq!(Classes::new(&[]), Err(ClassesError::Empty));
    /// assert_eq!(Classes::new(&[512, 512]), Err(ClassesError::NotAscending(512)));
    /// ```
    pub fn new(sizes: &[usize]) -> Result<Self, ClassesError> {
        if sizes.len() > MAX_CLASSES {
            return Err(ClassesError::TooMany(sizes.len()));
        }
        if sizes.is_empty() {
            return Err(ClassesError::Empty);
        }
        let mut before = 0;
        for &size in sizes {
            if size == 0 || size == usize::MAX {
                return Err(ClassesError::OutOfRange(size));
            }
            if size <= before {
                return Err(ClassesError::NotAscending(size));
            }
            before = size;
        }
        let mut table = [usize::MAX; MAX_CLASSES];
        table[..sizes.len()].copy_from_slice(sizes);
        Ok(Self::checked(table, sizes.len()))
    }

    fn checked(sizes: [usize; MAX_CLASSES], len: usize) -> Self {
        let doubles = sizes[..len]
            .windows(2)
            .all(|pair| pair[0].checked_mul(2) == Some(pair[1]));
        let first = sizes[0];
        let first_shift = (doubles && first.is_power_of_two()).then(|| first.ilog2());
        Self {
            sizes,
            len,
            first_shift,
        }
    }

    /// The sizes, in ascending order.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(thrifty_pool::Classes::default().sizes().len(), 13);
    /// ```
    #[must_use]
    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.len]
    }

    /// The number of classes.
    #[inline]
    pub(crate) const fn count(&self) -> usize {
        self.len
    }

    /// The first class that holds `size` bytes; [`count`](Self::count) or more if none does.
    #[inline]
    pub(crate) fn class_of(&self, size: usize) -> usize {
        match self.first_shift {
            Some(shift) => {
                // The logarithm, rounded up; 0 and 1 have none that is above the first class's.
                let log = usize::BITS - size.saturating_sub(1).leading_zeros();
                log.saturating_sub(shift) as usize
            }
            None => self.search(size),
        }
    }

    /// A lower bound over the whole padded table: five halvings and one comparison, no branch.
    #[inline]
    fn search(&self, size: usize) -> usize {
        let mut below = 0;
        let mut half = MAX_CLASSES / 2;
        while half > 0 {
            below += half * usize::from(self.sizes[below + half - 1] < size);
            half /= 2;
        }
        below + usize::from(self.sizes[below] < size)
    }
}

/// Powers of two from 256 bytes to 1 MiB.
impl Default for Classes {
    fn default() -> Self {
        let mut sizes = [usize::MAX; MAX_CLASSES];
        for (step, size) in sizes[..13].iter_mut().enumerate() {
            *size = 256 << step;
        }
        Self::checked(sizes, 13)
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Classes").field(&self.sizes()).finish()
    }
}

/// What is wrong with a table of classes.
///
/// # Examples
///
/// ```
/// use thrifty_pool::{Classes, ClassesError};
///
/// let error = Classes::powers_of_two(1000, 4096).unwrap_err();
/// assert_eq!(error, ClassesError::NotPowerOfTwo(1000));
/// assert_eq!(error.to_string(), "a class of 1000 bytes is no power of two");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClassesError {
    /// There is no class.
    Empty,
    /// There are so many, more than [`MAX_CLASSES`].
    TooMany(usize),
    /// This one is not larger than the one before.
    NotAscending(usize),
    /// This one is 0 or `usize::MAX`.
    OutOfRange(usize),
    /// This one is no power of two.
    NotPowerOfTwo(usize),
}

impl fmt::Display for ClassesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a table without a class serves no request"),
            Self::TooMany(count) => {
                write!(f, "{count} classes are too many: the most is {MAX_CLASSES}")
            }
            Self::NotAscending(size) => {
                write!(f, "a class of {size} bytes does not exceed the one before")
            }
            Self::OutOfRange(size) => write!(f, "a class of {size} bytes cannot be served"),
            Self::NotPowerOfTwo(size) => {
                write!(f, "a class of {size} bytes is no power of two")
            }
        }
    }
}

impl core::error::Error for ClassesError {}

/// Shares a budget out among classes whose blocks have these sizes; the sum is at most `budget`.
///
/// Equal shares, in whole blocks, from the largest class down, so that what a large class leaves
/// of its share goes to the smaller ones. Where the equal share is less than one block, the class
/// gets one block if the rest of the budget has room for it.
pub(crate) fn share_out(budget: usize, blocks: &[usize]) -> [usize; MAX_CLASSES] {
    let mut shares = [0; MAX_CLASSES];
    let mut left = budget;
    for (class, &block) in blocks.iter().enumerate().rev() {
        if block == 0 {
            continue;
        }
        let equal = left / (class + 1);
        let share = (equal / block).max(usize::from(block <= left)) * block;
        shares[class] = share;
        left -= share;
    }
    shares
}

/// Blocks per magazine: 64 KiB of them, at least one and at most 64. Padding counts, since it may be
/// most of a block; headers do not, so that of a power of two a magazine holds one.
pub(crate) fn rounds_for(size: usize) -> usize {
    (64 * 1024 / size.max(1)).clamp(1, 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(sizes: &[usize], request: usize) -> Option<usize> {
        sizes.iter().position(|&size| size >= request)
    }

    fn agrees(classes: &Classes, request: usize) -> Result<(), TestCaseError> {
        let found = classes.class_of(request);
        let expected = naive(classes.sizes(), request);
        prop_assert_eq!((found < classes.count()).then_some(found), expected);
        Ok(())
    }

    /// A request at a boundary of the table, or anywhere.
    fn requests(sizes: &[usize], any: usize) -> Vec<usize> {
        let around = |&size: &usize| [size - 1, size, size.saturating_add(1)];
        let mut all: Vec<usize> = sizes.iter().flat_map(around).collect();
        all.extend([0, 1, 2, any, usize::MAX - 1, usize::MAX]);
        all
    }

    proptest! {
        #[test]
        fn powers_of_two_agree_with_a_linear_search(
            first in 0_u32..32, count in 1_u32..=32, any: usize,
        ) {
            let last = (first + count - 1).min(usize::BITS - 1);
            let classes = Classes::powers_of_two(1 << first, 1 << last).unwrap();
            prop_assert!(classes.first_shift.is_some());
            for request in requests(classes.sizes(), any) {
                agrees(&classes, request)?;
            }
        }

        #[test]
        fn custom_tables_agree_with_a_linear_search(
            sizes in prop::collection::btree_set(1..usize::MAX, 1..=32), any: usize,
        ) {
            let sizes: Vec<usize> = sizes.into_iter().collect();
            let classes = Classes::new(&sizes).unwrap();
            for request in requests(&sizes, any) {
                agrees(&classes, request)?;
            }
        }

        #[test]
        fn small_custom_tables_agree_with_a_linear_search(
            sizes in prop::collection::btree_set(1_usize..100, 1..=32), request in 0_usize..128,
        ) {
            let sizes: Vec<usize> = sizes.into_iter().collect();
            agrees(&Classes::new(&sizes).unwrap(), request)?;
        }

        #[test]
        fn shares_are_whole_blocks_within_the_budget(
            budget in 0_usize..1 << 30, blocks in prop::collection::vec(1_usize..1 << 21, 1..=32),
        ) {
            let shares = share_out(budget, &blocks);
            prop_assert!(shares.iter().sum::<usize>() <= budget);
            for (share, block) in shares.iter().zip(&blocks) {
                prop_assert_eq!(share % block, 0);
            }
            // A class goes without only where its block does not fit into what the larger left.
            let mut left = budget;
            for (share, block) in shares.iter().zip(&blocks).take(blocks.len()).rev() {
                prop_assert!(*share > 0 || *block > left);
                left -= share;
            }
        }
    }

    #[test]
    fn an_unlimited_budget_overflows_nothing() {
        let shares = share_out(usize::MAX, &[300, 1000]);
        assert!(shares[0] > 0 && shares[1] > 0);
    }

    #[test]
    fn tables_that_are_wrong_say_why() {
        assert_eq!(Classes::new(&[0, 1]), Err(ClassesError::OutOfRange(0)));
        assert_eq!(
            Classes::new(&[usize::MAX]),
            Err(ClassesError::OutOfRange(usize::MAX))
        );
        assert_eq!(Classes::new(&[2, 1]), Err(ClassesError::NotAscending(1)));
        assert_eq!(Classes::new(&[1; 33]), Err(ClassesError::TooMany(33)));
        assert_eq!(Classes::powers_of_two(512, 256), Err(ClassesError::Empty));
        assert_eq!(
            Classes::powers_of_two(0, 256),
            Err(ClassesError::NotPowerOfTwo(0))
        );
    }

    #[test]
    fn magazines_hold_64_kib_or_64_blocks() {
        assert_eq!(rounds_for(256), 64);
        assert_eq!(rounds_for(4096), 16);
        assert_eq!(rounds_for(1 << 20), 1);
        assert_eq!(rounds_for(0), 64);
    }
}
