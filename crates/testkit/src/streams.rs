//! What a child prints: read beside it to the end, also to the end that a kill makes.

#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::process;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a child says on stderr where its body begins.
pub(crate) const BEGAN: &str = "thrifty-testkit: the child's body begins";

/// How long a child may take to come to its body.
const TO_BEGIN: Duration = Duration::from_secs(120);

/// How often a child is looked at that may have ended although its streams have not.
const GLANCE: Duration = Duration::from_millis(50);

/// How long to read on after the child's end: a process that it has started may hold the streams for
/// longer than the child lives.
const AFTER_THE_END: Duration = Duration::from_secs(1);

/// Both streams of a child.
pub(crate) struct Streams {
    seen: Receiver<Seen>,
    /// How many have not come to their end.
    open: u32,
    stdout: Text,
    stderr: Text,
}

type Text = Arc<Mutex<Vec<u8>>>;

/// What a stream of the child has come to.
enum Seen {
    /// The line that says that the body begins.
    Began,
    /// Its end.
    End,
}

impl Streams {
    /// Takes the child's streams and begins to read them.
    pub(crate) fn of(child: &mut process::Child) -> Self {
        Self::reading(child.stdout.take(), child.stderr.take())
    }

    fn reading(
        stdout: Option<impl Read + Send + 'static>,
        stderr: Option<impl Read + Send + 'static>,
    ) -> Self {
        let (sees, seen) = channel();
        Self {
            stdout: collect(stdout, sees.clone()),
            stderr: collect(stderr, sees),
            seen,
            open: 2,
        }
    }

    /// Whether the child or both streams ended in time. The time is the body's: a busy machine may take
    /// its own to come so far.
    pub(crate) fn end_within(
        &mut self,
        timeout: Duration,
        child: &mut process::Child,
    ) -> io::Result<bool> {
        let (mut since, mut limit) = (Instant::now(), TO_BEGIN);
        while self.open > 0 {
            let left = limit.saturating_sub(since.elapsed());
            match self.seen.recv_timeout(left.min(GLANCE)) {
                Ok(Seen::Began) => (since, limit) = (Instant::now(), timeout),
                Ok(Seen::End) => self.open -= 1,
                Err(_) if left <= GLANCE => return Ok(false),
                Err(_) if child.try_wait()?.is_some() => return Ok(true),
                Err(_) => {}
            }
        }
        Ok(true)
    }

    /// What a child that has ended printed, to stdout and to stderr: with what it left in the pipes.
    pub(crate) fn texts(mut self) -> (String, String) {
        let since = Instant::now();
        while self.open > 0 {
            let left = AFTER_THE_END.saturating_sub(since.elapsed());
            match self.seen.recv_timeout(left) {
                Ok(Seen::Began) => {}
                Ok(Seen::End) => self.open -= 1,
                Err(_) => break,
            }
        }
        (text(&self.stdout), text(&self.stderr))
    }
}

/// Reads a stream to its end on a thread of its own, and says how far it is.
fn collect(stream: Option<impl Read + Send + 'static>, sees: Sender<Seen>) -> Text {
    let all = Text::default();
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
                    let _ = sees.send(Seen::Began);
                }
            }
        }
        let _ = sees.send(Seen::End);
    });
    all
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io::{self, Read};
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    use super::Streams;

    /// A pipe: gives what is sent, and ends with the sender.
    struct Pipe(Receiver<&'static str>);

    impl Read for Pipe {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let text = self.0.recv().unwrap_or_default();
            VecDeque::from(text.as_bytes().to_vec()).read(into)
        }
    }

    #[test]
    fn what_is_still_in_a_pipe_is_read() {
        let (write, read) = channel();
        let streams = Streams::reading(Some(Pipe(read)), None::<io::Empty>);
        let texts = thread::scope(|scope| {
            let (started, starts) = channel();
            let reader = scope.spawn(move || {
                started.send(()).expect("it is waited for");
                streams.texts()
            });
            starts.recv().expect("the reader starts");
            write.send("the last ").expect("it is read");
            write.send("words").expect("it is read");
            drop(write);
            reader.join().expect("it ends")
        });
        assert_eq!(texts, ("the last words".to_owned(), String::new()));
    }

    #[test]
    fn a_pipe_that_others_hold_is_not_waited_for_to_its_end() {
        let (write, read) = channel();
        write.send("so far").expect("it is read");
        let streams = Streams::reading(Some(Pipe(read)), None::<io::Empty>);
        assert_eq!(streams.texts().0, "so far");
        drop(write);
    }
}
