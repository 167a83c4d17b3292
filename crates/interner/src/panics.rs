//! What the panicking forms say, out of line.

#![forbid(unsafe_code)]

use crate::InternError;

/// What the form without an error returns, of what the other one does.
#[inline]
#[track_caller]
pub(crate) fn or_panic<T>(result: Result<T, InternError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => cold_panic(&error),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn cold_panic(error: &InternError) -> ! {
    panic!("{error}")
}

/// The panic of a symbol that is not from here.
#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn cold_unknown(index: u32, len: usize) -> ! {
    panic!("symbol {index} is not one of the {len} that were given out here")
}
