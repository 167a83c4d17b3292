//! Without the global allocator there is nothing to read, and nothing pretends otherwise.

use std::panic::catch_unwind;

use thrifty_memstats::{
    AllocScope, NotInstalled, allocs_per_run, assert_allocs, assert_no_alloc, is_installed,
    measure, measure_process, os, read, thread,
};

#[test]
fn readings_are_refused() {
    assert!(!is_installed());
    assert_eq!(read(), Err(NotInstalled));
    assert_eq!(thread(), Err(NotInstalled));
    assert_eq!(measure(|| 1), (1, Err(NotInstalled)));
    assert_eq!(measure_process(|| 2), (2, Err(NotInstalled)));
    let mut ran = false;
    assert_eq!(allocs_per_run(3, || ran = true), Err(NotInstalled));
    assert!(!ran, "a run that cannot be counted is not made");
}

#[test]
fn scopes_run_and_say_nothing() {
    let scope = AllocScope::new("unseen");
    assert_eq!(scope.run(|| 3), 3);
    assert_eq!(scope.stats(), Err(NotInstalled));
}

#[test]
fn assertions_fail_even_where_nothing_allocates() {
    for result in [
        catch_unwind(|| assert_no_alloc!(())),
        catch_unwind(|| assert_allocs!(<= 1000, ())),
        catch_unwind(|| assert_allocs!(<= 1000 bytes, ())),
    ] {
        let message = *result.unwrap_err().downcast::<String>().unwrap();
        assert!(message.contains("not the global allocator"), "{message}");
    }
}

#[test]
fn the_system_is_asked_all_the_same() {
    if cfg!(target_os = "linux") {
        assert!(os::memory().resident_bytes > Some(0));
    }
}

/// A wrapper that is called as a value counts for itself; that does not make it installed.
#[test]
fn use_as_a_value_is_not_an_installation() {
    #![expect(unsafe_code, reason = "calls an allocator by hand")]
    use std::alloc::{GlobalAlloc, Layout};

    let alloc = thrifty_memstats::Alloc::system();
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout is not of size zero.
    let block = unsafe { alloc.alloc(layout) };
    assert!(!block.is_null());
    // SAFETY: from this allocator, with this layout, and freed once.
    unsafe { alloc.dealloc(block, layout) };
    assert!(!is_installed());
}
