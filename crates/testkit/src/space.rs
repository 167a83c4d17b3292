//! Real exhaustion: a child process with little address space left.

use crate::child::{Child, Ended};

/// Runs `body` in a child process that can map only `bytes` more than it has mapped by then.
///
/// `None`, after saying so on stderr, where this cannot be had: not on Linux, or under a sanitizer,
/// whose shadow memory needs the address space.
///
/// Leave some room: a megabyte for what the standard library does, 64 for each new thread, as glibc
/// reserves an arena for it.
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
    if let Some(why) = unavailable() {
        eprintln!("SKIPPED: a test with little address space: {why}");
        return None;
    }
    Some(child.run(|| {
        limit(bytes);
        body();
    }))
}

/// Why the limit cannot be had here.
fn unavailable() -> Option<&'static str> {
    if cfg!(not(target_os = "linux")) {
        Some("RLIMIT_AS binds on Linux only")
    } else if cfg!(any(thrifty_asan, thrifty_tsan)) {
        Some("a sanitizer's shadow memory needs it")
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
    let limit = libc::rlimit {
        rlim_cur: most,
        rlim_max: most,
    };
    // SAFETY: `limit` is a valid `rlimit` for the time of the call.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
    assert_eq!(result, 0, "setrlimit: {}", std::io::Error::last_os_error());
}

#[cfg(not(target_os = "linux"))]
fn limit(_bytes: u64) {
    unreachable!("`unavailable` said so");
}
