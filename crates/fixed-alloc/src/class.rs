//! Blocks of a few dozen sizes, and an allocator to fall back on.

mod alloc;
mod api2;
mod builder;
mod handle;
mod sizes;
mod stats;
mod upkeep;

pub use self::alloc::ClassAlloc;
pub use self::builder::ClassBuilder;
pub use self::handle::ClassHandle;
pub use self::stats::ClassStats;
