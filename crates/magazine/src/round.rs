//! What the engine moves: a pointer that it never reads through.

use core::ptr::NonNull;

/// A pooled object or block.
pub(crate) type Round = NonNull<()>;
