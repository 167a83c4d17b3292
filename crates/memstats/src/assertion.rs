//! Assertions about what a piece of code allocates.
#![forbid(unsafe_code)]

use crate::{
    frame::{Frame, Kind, Limit},
    installed,
    stack::Stack,
    thread::within,
};

/// Asserts that code allocates nothing on this thread, and yields its value.
///
/// Allocations and reallocations count; frees do not. The failure names the figures and shows the
/// stack of the first allocation. Exceptions are made by [`allow_alloc`](crate::allow_alloc).
///
/// The code is a closure: `return` and `?` leave the closure only, and `.await` does not compile
/// in it, because the thread may change there; for futures see
/// [`AllocScope::in_future`](crate::AllocScope::in_future).
///
/// # Panics
///
/// When the code allocates, and when [`Alloc`](crate::Alloc) is not the global allocator: an
/// assertion that cannot see is not one that holds.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let mut line = String::with_capacity(64);
/// thrifty_memstats::assert_no_alloc!({ line.push_str("fits") });
/// ```
///
/// ```should_panic
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let text = thrifty_memstats::assert_no_alloc!(String::from("does not fit"));
/// # drop(std::hint::black_box(text));
/// ```
#[macro_export]
macro_rules! assert_no_alloc {
    ($($body:tt)*) => {
        $crate::__private::check(
            $crate::__private::Assertion { name: "assert_no_alloc!", limit: $crate::__private::limit(0, u64::MAX) },
            || { $($body)* },
        )
    };
}

/// Asserts that code allocates at most so often, or so much, on this thread, and yields its value.
///
/// The forms are `<= calls`, `<= bytes bytes`, and both; calls are allocations and reallocations,
/// bytes are those asked for. Otherwise like [`assert_no_alloc!`](crate::assert_no_alloc!).
///
/// # Panics
///
/// When the code allocates more, and when [`Alloc`](crate::Alloc) is not the global allocator.
///
/// # Examples
///
/// ```
/// use thrifty_memstats::assert_allocs;
///
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// let words = assert_allocs!(<= 3, <= 4096 bytes, {
///     ["one", "two", "three"].map(String::from)
/// });
/// assert_allocs!(<= 1, words.concat());
/// const ROOM: usize = 64;
/// assert_allocs!(<= ROOM bytes, words.join("+"));
/// ```
#[macro_export]
macro_rules! assert_allocs {
    (<= $bytes:tt bytes, $($body:tt)*) => {
        $crate::__private::check(
            $crate::__private::Assertion { name: "assert_allocs!", limit: $crate::__private::limit(u64::MAX, $bytes as u64) },
            || { $($body)* },
        )
    };
    (<= $calls:expr, <= $bytes:tt bytes, $($body:tt)*) => {
        $crate::__private::check(
            $crate::__private::Assertion {
                name: "assert_allocs!",
                limit: $crate::__private::limit($calls as u64, $bytes as u64),
            },
            || { $($body)* },
        )
    };
    (<= $calls:expr, $($body:tt)*) => {
        $crate::__private::check(
            $crate::__private::Assertion { name: "assert_allocs!", limit: $crate::__private::limit($calls as u64, u64::MAX) },
            || { $($body)* },
        )
    };
}

/// An assertion as the macros spell it.
#[derive(Debug)]
pub struct Assertion {
    /// The macro's name, for the message.
    pub name: &'static str,
    /// What it tolerates.
    pub limit: Limit,
}

/// Makes a limit.
pub const fn limit(alloc_calls: u64, bytes: u64) -> Limit {
    Limit { alloc_calls, bytes }
}

/// Runs `body` and panics if it allocated past the limit.
///
/// Never inlined: its name on a stack marks where the asserted code begins.
///
/// # Panics
///
/// See [`assert_no_alloc!`](crate::assert_no_alloc!).
#[inline(never)]
#[track_caller]
pub fn check<R>(assertion: Assertion, body: impl FnOnce() -> R) -> R {
    if let Err(error) = installed::check() {
        panic!("{} cannot see allocations: {error}", assertion.name);
    }
    let first_past = Stack::new();
    let frame = Frame::new(Kind::Assert {
        limit: assertion.limit,
        first_past: &first_past,
    });
    let result = within(&frame, body);
    let counts = frame.counts.get();
    if !assertion.limit.is_kept_by(counts) {
        fail(&assertion, &frame, &first_past);
    }
    result
}

#[cold]
#[track_caller]
fn fail(assertion: &Assertion, frame: &Frame<'_>, first_past: &Stack) -> ! {
    let Limit { alloc_calls, bytes } = assertion.limit;
    let counts = frame.counts.get();
    let mut allowed = Vec::new();
    if alloc_calls != u64::MAX {
        allowed.push(format!("<= {alloc_calls} allocations"));
    }
    if bytes != u64::MAX {
        allowed.push(format!("<= {bytes} bytes"));
    }
    panic!(
        "{} failed: allowed {}, found {} ({} new, {} resized) of {} bytes\n\
         the first allocation past the limit:\n{first_past}",
        assertion.name,
        allowed.join(", "),
        counts.alloc_calls(),
        counts.allocs,
        counts.reallocs,
        counts.allocated_bytes,
    );
}
