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
/// The code is a closure: `return` and `?` leave the closure only, `break` and `continue` cannot
/// leave it, and `.await` does not compile in it, because the thread may change there; for futures
/// see [`AllocScope::in_future`](crate::AllocScope::in_future).
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
        $crate::__check!("assert_no_alloc!", 0, i128::MAX, $($body)*)
    };
}

/// Asserts that code allocates at most so often, or so much, on this thread, and yields its value.
///
/// The forms are `<= calls`, `<= bytes bytes`, and both; calls are allocations and reallocations,
/// bytes are those asked for. A number of bytes that is more than a literal or a name stands in
/// parentheses: `<= (4 * 1024) bytes`. Otherwise like [`assert_no_alloc!`](crate::assert_no_alloc!).
///
/// # Panics
///
/// When the code allocates more, when a limit is negative, and when [`Alloc`](crate::Alloc) is not
/// the global allocator.
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
        $crate::__check!("assert_allocs!", i128::MAX, $bytes as i128, $($body)*)
    };
    (<= $calls:expr, <= $bytes:tt bytes, $($body:tt)*) => {
        $crate::__check!("assert_allocs!", $calls as i128, $bytes as i128, $($body)*)
    };
    (<= $calls:expr, $($body:tt)*) => {
        $crate::__check!("assert_allocs!", $calls as i128, i128::MAX, $($body)*)
    };
}

/// What both assertions expand to.
#[doc(hidden)]
#[macro_export]
macro_rules! __check {
    ($name:literal, $calls:expr, $bytes:expr, $($body:tt)*) => {{
        let assertion = $crate::__private::Assertion {
            name: $name,
            limit: $crate::__private::limit($calls, $bytes),
        };
        // The braces are those that the caller wrote around a block of code.
        #[allow(unused_braces, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
        let body = || { $($body)* };
        $crate::__private::check(assertion, body)
    }};
}

/// An assertion as the macros spell it.
#[derive(Debug)]
pub struct Assertion {
    /// The macro's name, for the message.
    pub name: &'static str,
    /// What it tolerates.
    pub limit: Limit,
}

/// Makes a limit; `i128::MAX` stands for none.
///
/// The macros cast to `i128`, which takes every integer as it is, so that a negative budget can be
/// told from a huge one.
///
/// # Panics
///
/// When a limit is negative: such an assertion can only be a slip of the computation before it.
#[track_caller]
pub fn limit(alloc_calls: i128, bytes: i128) -> Limit {
    assert!(
        alloc_calls >= 0,
        "a limit of {alloc_calls} allocations is negative"
    );
    assert!(bytes >= 0, "a limit of {bytes} bytes is negative");
    Limit {
        alloc_calls: u64::try_from(alloc_calls).unwrap_or(u64::MAX),
        bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
    }
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
        counts.requested_bytes(),
    );
}
