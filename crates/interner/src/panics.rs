//! What the panicking forms say, out of line.

#![forbid(unsafe_code)]

use crate::InternError;

/// The panic of a form that has no error.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn cold_panic(error: &InternError) -> ! {
    panic!("{error}")
}

/// The panic of a symbol that is not from here.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn cold_unknown(index: u32, len: usize) -> ! {
    panic!("symbol {index} is not one of the {len} that were given out here")
}
