//! The monitor in a real process: forked, and where there is no thread to be had.

use std::time::Duration;

use thrifty_memstats::{Alloc, Monitor};
use thrifty_testkit::{Child, in_address_space, this_test};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

/// Longer than any of this takes, so that samples come when they are asked for.
const NEVER: Duration = Duration::from_secs(3600);

#[test]
fn where_no_thread_can_be_had_it_is_an_error() {
    // Half a thread's stack.
    let ended = in_address_space(Child::new(this_test!()), 1 << 20, || {
        assert!(Monitor::every(NEVER).spawn().is_err());
    });
    if let Some(ended) = ended {
        ended.assert_returned();
    }
}

#[cfg(unix)]
#[test]
fn a_forked_child_does_not_wait_for_a_thread_that_it_has_not_got() {
    use std::sync::Mutex;

    if thrifty_testkit::is_skipped_under(&["valgrind", "tsan"], "a fork, and it follows none") {
        return;
    }
    thrifty_testkit::in_child!(|| {
        let monitor = Mutex::new(Monitor::every(NEVER).ring(3).spawn().ok());
        thrifty_testkit::fork(3, std::thread::yield_now, || {
            let monitor = monitor.lock().ok().and_then(|mut monitor| monitor.take());
            let monitor = monitor.expect("nobody took it in this process");
            monitor.sample_now();
            assert_eq!(monitor.samples().len(), 2);
            drop(monitor);
        })
        .assert_all_returned();
        let monitor = monitor.into_inner().ok().flatten();
        assert_eq!(monitor.expect("nobody took it here").samples().len(), 1);
    })
    .assert_returned();
}
