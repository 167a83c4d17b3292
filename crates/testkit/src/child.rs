//! Fatal cases, in a child process: the same test of the same binary, run once more.
//!
//! The parent starts its own executable with the test's name as the filter, and a second filter that
//! matches no test and says which body is meant. An argument, since the environment would go on to
//! whatever the child starts, and another run of the binary would take itself for the child. In the
//! child the same call finds the argument, runs the body and exits with a code that nothing else
//! uses; it also says on stderr that the body began, so that a filter which matches no test cannot
//! pass for a quiet end.
//!
//! A test may start several children. Calls are numbered as they come; the child that is to run the
//! third body passes the first two calls by. A body starts none: the child of a child would have to
//! run the outer body on its way to the inner one.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::streams::{BEGAN, Streams};

/// How the argument begins that tells a child which body it is for: `NUMBER:TEST` follows.
const MARK: &str = "thrifty-testkit-child:";

/// What a child says on stderr when its body starts a child.
const NESTS: &str = "thrifty-testkit: the body of a child starts a child, which is not supported";

/// Exit codes of a child whose body returned, panicked, or started a child.
const RETURNED: i32 = 92;
const PANICKED: i32 = 93;
const NESTED: i32 = 94;

/// Whether this process is a child that has come to its body.
static IN_BODY: AtomicBool = AtomicBool::new(false);

/// What `abort` exits with on Windows: 0xC000_0409.
const FAIL_FAST: i32 = -1_073_740_791;

/// How a child's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It returned.
    Returned,
    /// It panicked, and the panic could be caught.
    Panicked,
    /// It called `abort`, as a panic in a panic and a failed infallible allocation do.
    Aborted,
    /// It exited with a code.
    Exited(i32),
    /// A signal other than abort's ended it.
    Signalled(i32),
    /// It did not end in time, and was killed. What it printed is kept, but for what it had not yet
    /// written: a line of stdout that has no end is still in the child's own buffer.
    TimedOut,
    /// This is itself a child, on its way to a later body of the same test. Assertions on the
    /// earlier ones hold here: the parent has made them.
    PassedBy,
}

/// A child process that has ended, and what it printed.
#[derive(Debug, Clone)]
pub struct Ended {
    ending: Ending,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// How it ended.
    #[must_use]
    pub const fn ending(&self) -> Ending {
        self.ending
    }

    /// What it printed, the test harness's lines included.
    #[must_use]
    pub fn stdout(&self) -> &str {
        &self.stdout
    }

    /// What it printed to stderr, panic messages included.
    #[must_use]
    pub fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Whether it ended because the body started a child.
    fn nests(&self) -> bool {
        self.ending == Ending::Exited(NESTED) && self.stderr.contains(NESTS)
    }

    /// Asserts an ending, and that stderr contains `said`. Use the assertions here rather than your
    /// own where a test starts several children, as each child passes by the earlier ones.
    ///
    /// # Panics
    ///
    /// If not; with everything that the child printed.
    #[track_caller]
    pub fn assert(&self, ending: Ending, said: &str) {
        if self.ending == Ending::PassedBy {
            return;
        }
        assert_eq!(self.ending, ending, "{self}");
        assert!(self.stderr.contains(said), "did not say {said:?}: {self}");
    }

    /// Asserts that the body returned.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_returned(&self) {
        self.assert(Ending::Returned, "");
    }

    /// Asserts that the body panicked, and said this.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_panicked(&self, said: &str) {
        self.assert(Ending::Panicked, said);
    }

    /// Asserts that the process aborted, and said this.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_aborted(&self, said: &str) {
        self.assert(Ending::Aborted, said);
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ending,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "the child: {ending:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---"
        )
    }
}

/// A child process to be: the current test, run again.
///
/// Works under `cargo test` and nextest, in tests that libtest runs. Not in doctests, nor in test
/// targets with a `main` of their own. A test may start several, one after the other: each runs the
/// test from its beginning, and passes the earlier bodies by. A body starts no child of its own: the
/// test fails then, whatever was expected of the child. Other processes that it starts know nothing
/// of whose children they are.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use thrifty_testkit::{Child, Ending, this_test};
///
/// # /*
/// #[test]
/// # */
/// fn it_hangs() {
///     let ended = Child::new(this_test!())
///         .timeout(Duration::from_millis(100))
///         .run(|| loop { std::thread::park() });
///     ended.assert(Ending::TimedOut, "");
/// }
/// # it_hangs();
/// ```
#[derive(Debug)]
pub struct Child {
    test: String,
    timeout: Duration,
    variables: Vec<(String, String)>,
}

impl Child {
    /// Of the test of this name, as libtest knows it; [`this_test!`](crate::this_test) gives it.
    #[must_use]
    pub fn new(test: impl Into<String>) -> Self {
        Self {
            test: test.into(),
            timeout: Duration::from_secs(60),
            variables: Vec::new(),
        }
    }

    /// Kills the child when its body takes longer; a minute unless told otherwise.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets a variable of the child's environment.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((key.into(), value.into()));
        self
    }

    pub(crate) fn test(&self) -> &str {
        &self.test
    }

    /// In the parent: runs this test again, and says how `body` ended there. In the child: runs
    /// `body` and does not return, or passes it by if a later one is meant.
    ///
    /// # Panics
    ///
    /// If the child cannot be started, did not come as far as `body`, or `body` starts a child itself.
    #[track_caller]
    pub fn run(self, body: impl FnOnce()) -> Ended {
        if IN_BODY.load(Relaxed) {
            // Not by a panic, which the body might catch, or the test expect.
            let _ = writeln!(io::stderr(), "{NESTS}: {}", self.test);
            process::exit(NESTED);
        }
        let number = next_number(&self.test);
        if let Some(asked) = asked() {
            return self.in_child(asked, number, body);
        }
        match self.in_parent(number) {
            Ok(ended) if ended.nests() => panic!("{}: {ended}", self.test),
            Ok(ended) if ended.stderr.contains(BEGAN) => ended,
            Ok(ended) => panic!("{} did not reach the body: {ended}", self.test),
            Err(error) => panic!("{}: {error}", self.test),
        }
    }

    fn in_child(&self, asked: (u32, String), number: u32, body: impl FnOnce()) -> Ended {
        let (asked, test) = asked;
        assert_eq!(test, self.test, "a child of another test");
        if asked > number {
            return Ended {
                ending: Ending::PassedBy,
                stdout: String::new(),
                stderr: String::new(),
            };
        }
        assert_eq!(asked, number, "the child went past its body");
        IN_BODY.store(true, Relaxed);
        no_core_dump();
        let _ = writeln!(io::stderr(), "{BEGAN}");
        let code = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(()) => RETURNED,
            Err(_) => PANICKED,
        };
        process::exit(code)
    }

    fn in_parent(&self, number: u32) -> io::Result<Ended> {
        let mut child = Command::new(env::current_exe()?)
            // An ignored test that runs was asked for; its child is to run no less.
            .args([&self.test, "--exact", "--include-ignored", "--nocapture"])
            .arg(format!("{MARK}{number}:{}", self.test))
            .env("RUST_BACKTRACE", "0")
            .envs(self.variables.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut streams = Streams::of(&mut child);
        let in_time = streams.end_within(self.timeout, &mut child)?;
        let ending = match child.try_wait()? {
            Some(status) => ending(status),
            None if in_time => ending(child.wait()?),
            None => {
                child.kill()?;
                child.wait()?;
                Ending::TimedOut
            }
        };
        let (stdout, stderr) = streams.texts();
        Ok(Ended {
            ending,
            stdout,
            stderr,
        })
    }
}

/// The number of the body, and the test, that this process was started for; `None` in a parent.
fn asked() -> Option<(u32, String)> {
    env::args_os().find_map(|arg| {
        let (number, test) = arg.to_str()?.strip_prefix(MARK)?.split_once(':')?;
        Some((number.parse().ok()?, test.to_owned()))
    })
}

/// How many children this process was asked for by a test before.
fn next_number(test: &str) -> u32 {
    static NUMBERS: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    let mut numbers = NUMBERS.lock().unwrap_or_else(PoisonError::into_inner);
    let numbers = numbers.get_or_insert_default();
    let next = numbers.entry(test.to_owned()).or_default();
    *next += 1;
    *next - 1
}

fn ending(status: ExitStatus) -> Ending {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        match status.signal() {
            Some(libc::SIGABRT) => return Ending::Aborted,
            Some(signal) => return Ending::Signalled(signal),
            None => {}
        }
    }
    match status.code() {
        Some(RETURNED) => Ending::Returned,
        Some(PANICKED) => Ending::Panicked,
        Some(FAIL_FAST) if cfg!(windows) => Ending::Aborted,
        Some(code) => Ending::Exited(code),
        None => Ending::Exited(-1),
    }
}

/// Aborts are what these children are for; nobody wants their memory on disk.
fn no_core_dump() {
    #[cfg(unix)]
    {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        // SAFETY: `none` is a valid `rlimit` for the time of the call. A failure changes nothing.
        unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    }
}

/// The name that libtest knows a function by, from the name of an item inside it.
#[doc(hidden)]
#[must_use]
pub fn test_name(inside: &str) -> &str {
    let path = inside.strip_suffix("::here").unwrap_or(inside);
    let path = path.trim_end_matches("::{{closure}}");
    path.split_once("::").map_or(path, |(_crate, path)| path)
}

/// The name of the test that this stands in, as libtest knows it.
///
/// # Examples
///
/// ```
/// mod sizes {
///     pub fn too_large() -> &'static str {
///         thrifty_testkit::this_test!()
///     }
/// }
/// assert!(sizes::too_large().ends_with("sizes::too_large"));
/// ```
#[macro_export]
macro_rules! this_test {
    () => {{
        fn here() {}
        $crate::__private::test_name(::std::any::type_name_of_val(&here))
    }};
}

/// Runs the current test again in a child process and there this closure; says how it [`Ended`].
///
/// # Examples
///
/// ```no_run
/// use thrifty_testkit::in_child;
///
/// # /*
/// #[test]
/// # */
/// fn a_double_panic_aborts() {
///     in_child!(|| std::process::abort()).assert_aborted("");
/// }
/// # a_double_panic_aborts();
/// ```
#[macro_export]
macro_rules! in_child {
    ($body:expr) => {
        $crate::Child::new($crate::this_test!()).run($body)
    };
}
