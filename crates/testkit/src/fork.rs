//! Forking while another thread is in the middle of something.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use crate::quiet::message;

/// Seconds after which [`fork`] kills a child that hangs.
const PATIENCE: u32 = 5;

/// How the children of [`fork`] ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forked {
    /// Children whose closure returned.
    pub returned: u32,
    /// Children whose closure panicked.
    pub panicked: u32,
    /// Children that hung, as on a lock which a thread held that they do not have.
    pub hung: u32,
    /// What `waitpid` said of the others.
    pub died: Vec<i32>,
}

impl Forked {
    /// Asserts that each child's closure returned, and that there was one.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_all_returned(&self) {
        let others = self.panicked + self.hung;
        let all_returned = others == 0 && self.died.is_empty() && self.returned > 0;
        assert!(all_returned, "{self:?}");
    }
}

/// Forks `times` while another thread runs `busy` over and over; each child runs `child`.
///
/// Before each fork `busy` is seen to have come round, so every fork meets a thread in the midst of its
/// work, though nobody chooses where. This documents what happens; it is no proof.
///
/// A child has the forking thread only. It must not join, and locks that others held stay held:
/// a child that hangs is killed after five seconds and counted. A child's panic is said on stderr.
/// Where valgrind looks for leaks it ends each child with its own exit code: what the other threads
/// held is lost to the child.
///
/// # Panics
///
/// If `fork` or `waitpid` fails, or `busy` panics.
///
/// # Examples
///
/// ```
/// let forked = thrifty_testkit::fork(
///     3,
///     || drop(Box::new(1)),
///     || assert_eq!(vec![1, 2].len(), 2),
/// );
/// forked.assert_all_returned();
/// ```
pub fn fork(times: u32, busy: impl Fn() + Sync, child: impl Fn()) -> Forked {
    fork_for(PATIENCE, times, busy, child)
}

/// As [`fork`], with another number of seconds after which a child is killed; 0 waits for ever.
///
/// # Panics
///
/// As [`fork`] does.
pub fn fork_for(seconds: u32, times: u32, busy: impl Fn() + Sync, child: impl Fn()) -> Forked {
    /// Ends the busy thread, also where a fork fails.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }

    let (rounds, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let busy = scope.spawn(|| {
            while !stop.load(Relaxed) {
                busy();
                rounds.fetch_add(1, Relaxed);
            }
        });
        let _stop = Stop(&stop);
        let mut forked = Forked::default();
        for _ in 0..times {
            let seen = rounds.load(Relaxed);
            while rounds.load(Relaxed) == seen {
                assert!(!busy.is_finished(), "the busy thread panicked");
                thread::yield_now();
            }
            count(&mut forked, one(seconds, &child));
        }
        forked
    })
}

/// Forks once; in the parent, what became of the child.
fn one(seconds: u32, child: &impl Fn()) -> i32 {
    // SAFETY: `fork` takes no pointers. The child has this thread alone: it runs `child`, for which the
    // threads that are gone are as if they were stopped for ever, then leaves by `_exit`, without
    // unwinding into frames that the parent goes on with, and without running exit handlers.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: takes a number; its signal ends the process, since nobody handles it.
        unsafe { libc::alarm(seconds) };
        let result = catch_unwind(AssertUnwindSafe(child));
        let code = i32::from(result.is_err());
        if let Err(payload) = result {
            say(&format!("a forked child panicked: {}", message(&*payload)));
        }
        // SAFETY: ends the process; nothing comes after.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    loop {
        // SAFETY: `status` is valid for writing; `pid` is a child of ours that nobody else waits for.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if waited == pid {
            return status;
        }
        let error = io::Error::last_os_error();
        let was_interrupted = error.kind() == io::ErrorKind::Interrupted;
        assert!(was_interrupted, "waitpid: {error}");
    }
}

/// Says something on the real stderr: what the harness keeps of a child's output ends with the child.
/// Not through `io::stderr`, whose lock another thread may have held at the fork.
fn say(what: &str) {
    let line = format!("thrifty-testkit: {what}\n");
    // SAFETY: as many bytes as said are valid for reading during the call. What is not written is lost.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}

fn count(forked: &mut Forked, status: i32) {
    if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
        forked.returned += 1;
    } else if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 1 {
        forked.panicked += 1;
    } else if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGALRM {
        forked.hung += 1;
    } else {
        forked.died.push(status);
    }
}
