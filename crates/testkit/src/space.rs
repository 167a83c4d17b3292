//! Real exhaustion: a child process with little address space left.

use std::io;

use crate::child::{Child, Ended};
use crate::tool::say_skipped;

/// Runs `body` in a child process that can map only `bytes` more than it has mapped by then.
///
/// `None`, after saying so on stdout, where this cannot be had: not on Linux, or under a sanitizer,
/// whose shadow memory needs the address space.
///
/// The limit is for new mappings: what the allocator has mapped and not given out, it still gives. So
/// that glibc does not bring 64 megabytes of that for each thread, the body's included, it is told to
/// have one arena (`MALLOC_ARENA_MAX=1`). Leave some room: a megabyte for what the standard library
/// does, and for each new thread its stack, 2 megabytes unless told otherwise.
///
/// # Panics
///
/// As [`Child::run`] does; in the child, if the limit cannot be set.
///
/// # Examples
///
/// ```no_run
/// use thrifty_testkit::{Child, in_address_space, this_test};
///
/// # /*
/// #[test]
/// # */
/// fn exhaustion_is_an_error_and_passes() {
///     let ended = in_address_space(Child::new(this_test!()), 64 << 20, || {
///         let mut bytes: Vec<u8> = Vec::new();
///         assert!(bytes.try_reserve(1 << 30).is_err());
///         assert!(bytes.try_reserve(1 << 20).is_ok());
///     });
///     if let Some(ended) = ended {
///         ended.assert_returned();
///     }
/// }
/// # exhaustion_is_an_error_and_passes();
/// ```
#[track_caller]
#[must_use]
pub fn in_address_space(child: Child, bytes: u64, body: impl FnOnce()) -> Option<Ended> {
    if is_skipped(child.test()) {
        return None;
    }
    Some(child.env("MALLOC_ARENA_MAX", "1").run(|| {
        limit(bytes);
        body();
    }))
}

/// Whether the test goes without, which it then says.
fn is_skipped(test: &str) -> bool {
    let Some(why) = unavailable() else {
        return false;
    };
    say_skipped(&format!("{test}: {why}"));
    true
}

/// Why the limit cannot be had here.
fn unavailable() -> Option<&'static str> {
    if cfg!(not(target_os = "linux")) {
        Some("RLIMIT_AS binds on Linux only")
    } else if cfg!(any(thrifty_asan, thrifty_tsan, thrifty_msan)) {
        Some("a sanitizer's shadow memory needs the address space")
    } else {
        None
    }
}

#[cfg(target_os = "linux")]
fn limit(bytes: u64) {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux says how much is mapped");
    let pages = statm.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    let pages = pages.expect("the first number of statm");
    // SAFETY: asks for a constant of the system; no pointer is passed.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let page_bytes = u64::try_from(page_bytes).expect("a page has a size");
    let most = (pages * page_bytes).saturating_add(bytes);
    let most = libc::rlim_t::try_from(most).unwrap_or(libc::RLIM_INFINITY);
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is valid for a write of an `rlimit`, and exclusive, for the time of the call.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    assert_eq!(result, 0, "getrlimit: {}", io::Error::last_os_error());
    // Nobody may raise the hard limit; where there is a lower one already, it will do.
    limit.rlim_max = limit.rlim_max.min(most);
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid `rlimit` for the time of the call.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
    assert_eq!(result, 0, "setrlimit: {}", io::Error::last_os_error());
}

#[cfg(not(target_os = "linux"))]
fn limit(_bytes: u64) {
    unreachable!("`unavailable` said so");
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{is_skipped, limit, unavailable};

    /// The lanes say at run time what the tests run under; the cfg must have been set to match.
    #[test]
    fn there_is_no_limit_under_a_sanitizer() {
        let under = crate::tool().unwrap_or_default();
        let is_sanitized = ["asan", "tsan", "msan"].contains(&&*under);
        assert_eq!(unavailable().is_some(), is_sanitized, "under {under:?}");
    }

    #[test]
    fn a_limit_above_the_hard_one_leaves_that() {
        if is_skipped(crate::this_test!()) {
            return;
        }
        crate::in_child!(|| {
            limit(64 << 20);
            limit(u64::MAX);
            let mut bytes: Vec<u8> = Vec::new();
            assert!(bytes.try_reserve(1 << 30).is_err());
        })
        .assert_returned();
    }
}
