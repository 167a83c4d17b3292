#![doc = include_str!("../README.md")]
#![no_std]
#![warn(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core
)]

#[cfg(feature = "std")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod atomic;
mod cell;
pub mod clock;
#[cfg(feature = "model")]
pub mod model;
#[doc(hidden)]
pub mod ord;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "std")]
pub mod thread;

pub use cell::UnsafeCell;

pub mod hint {
    //! What to do while waiting.

    /// Tells the processor that the caller spins; under loom it yields to the other threads.
    ///
    /// # Examples
    ///
    /// ```
    /// thrifty_sync::hint::spin_loop();
    /// ```
    #[inline]
    pub fn spin_loop() {
        #[cfg(all(thrifty_loom, feature = "loom"))]
        loom::hint::spin_loop();
        #[cfg(not(all(thrifty_loom, feature = "loom")))]
        core::hint::spin_loop();
    }
}
