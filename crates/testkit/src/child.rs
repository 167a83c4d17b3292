//! Fatal cases, in a child process: the same test of the same binary, run once more.
//!
//! The parent starts its own executable with the test's name as the filter and a variable in the
//! environment. In the child the same call finds the variable, runs the body and exits with a code
//! that nothing else uses; it also says on stderr that the body began, so that a filter which
//! matches no test cannot pass for a quiet end.
//!
//! A test may start several children. Calls are numbered as they come; the child that is to run the
//! third body passes the first two calls by.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::io::{self, Read, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = "THRIFTY_TESTKIT_CHILD";
const NUMBER: &str = "THRIFTY_TESTKIT_CHILD_NUMBER";
const BEGAN: &str = "thrifty-testkit: the child's body begins";

/// How long a child may take to come to its body.
const TO_BEGIN: Duration = Duration::from_secs(120);

/// Exit codes of a child whose body returned or panicked.
const RETURNED: i32 = 92;
const PANICKED: i32 = 93;

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
    /// It did not end in time, and was killed.
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
/// test from its beginning, and passes the earlier bodies by.
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

    /// In the parent: runs this test again, and says how `body` ended there. In the child: runs
    /// `body` and does not return, or passes it by if a later one is meant.
    ///
    /// # Panics
    ///
    /// If the child cannot be started, or did not come as far as `body`.
    #[track_caller]
    pub fn run(self, body: impl FnOnce()) -> Ended {
        let number = next_number(&self.test);
        if env::var_os(NAME).is_some() {
            return self.in_child(number, body);
        }
        let ended = self.in_parent(number);
        match ended {
            Ok(ended) if ended.stderr.contains(BEGAN) => ended,
            Ok(ended) => panic!("{} did not reach the body: {ended}", self.test),
            Err(error) => panic!("{}: {error}", self.test),
        }
    }

    fn in_child(&self, number: u32, body: impl FnOnce()) -> Ended {
        let asked = env::var(NAME).unwrap_or_default();
        assert_eq!(asked, self.test, "a child of another test");
        let asked = env::var(NUMBER).ok().and_then(|text| text.parse().ok());
        if asked > Some(number) {
            return Ended {
                ending: Ending::PassedBy,
                stdout: String::new(),
                stderr: String::new(),
            };
        }
        assert_eq!(asked, Some(number), "the child went past its body");
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
            .env(NAME, &self.test)
            .env(NUMBER, number.to_string())
            .env("RUST_BACKTRACE", "0")
            .envs(self.variables.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (seen, sees) = channel();
        let stdout = collect(child.stdout.take(), seen.clone());
        let stderr = collect(child.stderr.take(), seen);
        let in_time = both_end(&sees, self.timeout, &mut child)?;
        let ending = match child.try_wait()? {
            Some(status) => ending(status),
            None if in_time => ending(child.wait()?),
            None => {
                child.kill()?;
                child.wait()?;
                Ending::TimedOut
            }
        };
        Ok(Ended {
            ending,
            stdout: text(&stdout),
            stderr: text(&stderr),
        })
    }
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

/// What a stream of the child has come to.
enum Seen {
    /// The line that says that the body begins.
    Began,
    /// Its end.
    End,
}

/// Reads a stream to its end on a thread of its own, and says how far it is.
fn collect(stream: Option<impl Read + Send + 'static>, seen: Sender<Seen>) -> Arc<Mutex<Vec<u8>>> {
    let all = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&all);
    thread::spawn(move || {
        let mut piece = [0; 4096];
        let mut has_begun = false;
        if let Some(mut stream) = stream {
            while let Ok(read @ 1..) = stream.read(&mut piece) {
                let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
                into.extend_from_slice(&piece[..read]);
                let fresh = into.len().saturating_sub(read + BEGAN.len());
                let mut places = into[fresh..].windows(BEGAN.len());
                if !has_begun && places.any(|text| text == BEGAN.as_bytes()) {
                    has_begun = true;
                    // The parent may have given up waiting; here and below.
                    let _ = seen.send(Seen::Began);
                }
            }
        }
        let _ = seen.send(Seen::End);
    });
    all
}

/// Whether both streams ended in time, as they do when the child does. The time is the body's: a
/// busy machine may take its own to come so far.
///
/// A process that the child has started may hold the streams for longer than the child lives: then
/// what was read a second after the child's end is all.
fn both_end(
    seen: &Receiver<Seen>,
    timeout: Duration,
    child: &mut process::Child,
) -> io::Result<bool> {
    const GLANCE: Duration = Duration::from_millis(50);
    const AFTER_THE_END: Duration = Duration::from_secs(1);
    let mut since = Instant::now();
    let mut limit = TO_BEGIN;
    let mut has_ended = false;
    let mut ends = 0;
    while ends < 2 {
        let left = limit.saturating_sub(since.elapsed());
        match seen.recv_timeout(left.min(GLANCE)) {
            Ok(Seen::Began) if has_ended => {}
            Ok(Seen::Began) => (since, limit) = (Instant::now(), timeout),
            Ok(Seen::End) => ends += 1,
            Err(_) if left <= GLANCE => return Ok(has_ended),
            Err(_) if !has_ended && child.try_wait()?.is_some() => {
                has_ended = true;
                (since, limit) = (Instant::now(), AFTER_THE_END);
            }
            Err(_) => {}
        }
    }
    Ok(true)
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
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
