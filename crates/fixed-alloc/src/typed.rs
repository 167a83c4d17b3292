//! Slabs of values: boxes that find their way back by themselves.

mod any;
mod arc;
mod boxed;
mod builder;
mod error;
mod forward;
mod home;
mod slab;
mod uninit;
mod unsize;
mod upkeep;
mod weak;

pub use self::arc::{Counted, SlabArc};
pub use self::boxed::SlabBox;
pub use self::builder::SlabBuilder;
pub use self::error::InsertError;
pub use self::slab::Slab;
pub use self::unsize::Branded;
pub use self::weak::WeakSlab;
