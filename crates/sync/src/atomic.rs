//! The atomic types and fences, from `core` or from loom.
//!
//! 64-bit atomics are `portable-atomic`'s on targets that have none (Cortex-M, 32-bit MIPS and
//! PowerPC); they are then guarded by a global lock, so a signal handler must not touch them.
//! Targets without compare-and-swap are not supported.
//!
//! Orderings are written with [`ord!`](crate::ord!), fences with [`fence!`](crate::fence!), so
//! that each has a tag, a comment and a mutant.

pub use core::sync::atomic::Ordering;

#[cfg(not(all(thrifty_loom, feature = "loom")))]
pub use self::real::*;
#[cfg(all(thrifty_loom, feature = "loom"))]
pub use loom::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize, fence,
};

#[cfg(not(all(thrifty_loom, feature = "loom")))]
mod real {
    pub use core::sync::atomic::{
        AtomicBool, AtomicI32, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize,
        fence,
    };
    #[cfg(target_has_atomic = "64")]
    pub use core::sync::atomic::{AtomicI64, AtomicU64};
    #[cfg(not(target_has_atomic = "64"))]
    pub use portable_atomic::{AtomicI64, AtomicU64};
}

/// Plain access to an atomic that the caller has to itself.
///
/// `core` calls this `get_mut`, loom `with_mut`; code behind the door uses these two names.
/// `AtomicBool` is missing, because loom's has no such access.
///
/// # Examples
///
/// ```
/// use thrifty_sync::atomic::{AtomicU64, Exclusive};
///
/// let mut counter = AtomicU64::new(1);
/// let value = counter.read_mut();
/// counter.write_mut(value + 1);
/// assert_eq!(counter.read_mut(), 2);
/// ```
pub trait Exclusive {
    /// The plain type inside.
    type Value;

    /// Reads the value without synchronisation.
    fn read_mut(&mut self) -> Self::Value;

    /// Replaces the value without synchronisation.
    fn write_mut(&mut self, value: Self::Value);
}

macro_rules! exclusive {
    ($($atomic:ident: $value:ty),+ $(,)?) => { $(
        impl Exclusive for $atomic {
            type Value = $value;

            #[inline]
            fn read_mut(&mut self) -> $value {
                #[cfg(all(thrifty_loom, feature = "loom"))]
                return self.with_mut(|value| *value);
                #[cfg(not(all(thrifty_loom, feature = "loom")))]
                return *self.get_mut();
            }

            #[inline]
            fn write_mut(&mut self, value: $value) {
                #[cfg(all(thrifty_loom, feature = "loom"))]
                self.with_mut(|place| *place = value);
                #[cfg(not(all(thrifty_loom, feature = "loom")))]
                { *self.get_mut() = value; }
            }
        }
    )+ };
}

exclusive!(
    AtomicI32: i32,
    AtomicI64: i64,
    AtomicIsize: isize,
    AtomicU16: u16,
    AtomicU32: u32,
    AtomicU64: u64,
    AtomicU8: u8,
    AtomicUsize: usize,
);

impl<T> Exclusive for AtomicPtr<T> {
    type Value = *mut T;

    #[inline]
    fn read_mut(&mut self) -> *mut T {
        #[cfg(all(thrifty_loom, feature = "loom"))]
        return self.with_mut(|value| *value);
        #[cfg(not(all(thrifty_loom, feature = "loom")))]
        return *self.get_mut();
    }

    #[inline]
    fn write_mut(&mut self, value: *mut T) {
        #[cfg(all(thrifty_loom, feature = "loom"))]
        self.with_mut(|place| *place = value);
        #[cfg(not(all(thrifty_loom, feature = "loom")))]
        {
            *self.get_mut() = value;
        }
    }
}
