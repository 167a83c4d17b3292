//! A side that is another process: the suite's end of [`program`](super::program).

use core::time::Duration;
use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::{
    runner::Lap,
    suite::{Subject, Worker},
};

/// How a program is started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) args: [String; 3],
    pub(super) env: Option<(&'static str, &'static str)>,
    pub(super) threads: usize,
}

/// A program that runs so many times over, or why it does not: the copies take turns, since where the code and the
/// heap of a process lie, which stays until it ends, may make a percent or two.
pub(super) struct Far {
    links: Mutex<Result<[Link; COPIES], String>>,
    last: Mutex<Last>,
    told: Condvar,
}

/// How often a program runs.
const COPIES: usize = 3;

struct Link {
    child: Child,
    answers: BufReader<ChildStdout>,
    threads: usize,
}

/// What the program told last.
struct Last {
    turn: u64,
    laps: Result<Vec<Lap>, String>,
}

impl Far {
    /// Starts the program. If it does not start, the first turn says so.
    pub(super) fn start(launch: &Launch) -> Self {
        Self {
            links: Mutex::new(Link::start_all(launch)),
            last: Mutex::new(Last {
                turn: 0,
                laps: Err("no turn yet".to_owned()),
            }),
            told: Condvar::new(),
        }
    }

    /// One turn of all of its threads, asked for by the worker of thread 0.
    fn lead(&self, iterations: u64) -> Result<Lap, String> {
        let laps = match &mut *lock(&self.links) {
            Ok(links) => {
                links.rotate_left(1);
                links[0].turn(iterations)
            }
            Err(why) => Err(why.clone()),
        };
        let mut last = lock(&self.last);
        last.laps = laps;
        last.turn += 1;
        self.told.notify_all();
        last.lap(0)
    }

    /// The part of another thread in the turn after `seen`. The leader makes no step in which it can panic
    /// before it has told.
    fn follow(&self, thread: usize, seen: u64) -> Result<Lap, String> {
        let last = lock(&self.last);
        let last = self
            .told
            .wait_while(last, |last| last.turn == seen)
            .unwrap_or_else(PoisonError::into_inner);
        last.lap(thread)
    }
}

impl Last {
    fn lap(&self, thread: usize) -> Result<Lap, String> {
        let laps = self.laps.as_ref().map_err(String::clone)?;
        let lap = laps.get(thread);
        lap.copied()
            .ok_or_else(|| "the program has too few threads".to_owned())
    }
}

impl Subject for Far {
    fn worker(&self, thread: usize) -> Box<dyn Worker + '_> {
        Box::new(Remote {
            far: self,
            thread,
            turns: 0,
            took: None,
        })
    }
}

/// A thread of the suite that waits for the thread of the program that does its work.
struct Remote<'a> {
    far: &'a Far,
    thread: usize,
    turns: u64,
    took: Option<Duration>,
}

impl Worker for Remote<'_> {
    fn run(&mut self, iterations: u64) -> u64 {
        let lap = match self.thread {
            0 => self.far.lead(iterations),
            thread => self.far.follow(thread, self.turns),
        };
        self.turns += 1;
        let lap = lap.unwrap_or_else(|why| panic!("{why}"));
        self.took = Some(lap.elapsed);
        lap.answer
    }

    fn took(&self) -> Option<Duration> {
        self.took
    }
}

impl Link {
    fn start_all(launch: &Launch) -> Result<[Self; COPIES], String> {
        let [one, two, three] = [(); COPIES].map(|()| Self::start(launch));
        Ok([one?, two?, three?])
    }

    fn start(launch: &Launch) -> Result<Self, String> {
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.args)
            .envs(launch.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        // Ctrl-C is for the suite, which ends its rows; a program ends when its input does.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let place = launch.program.display();
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {place}: {error}"))?;
        let answers = child.stdout.take().map(BufReader::new);
        let answers = answers.ok_or("a child without a pipe")?;
        Ok(Self {
            child,
            answers,
            threads: launch.threads,
        })
    }

    fn turn(&mut self, iterations: u64) -> Result<Vec<Lap>, String> {
        let lost = |error: std::io::Error| format!("lost the program: {error}");
        let questions = self.child.stdin.as_mut().ok_or("a child without a pipe")?;
        questions
            .write_all(format!("{iterations}\n").as_bytes())
            .and_then(|()| questions.flush())
            .map_err(lost)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(lost)?;
        let laps = laps(&line).filter(|laps| laps.len() == self.threads);
        laps.ok_or_else(|| format!("the program ended, or said something odd: {line:?}"))
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Pairs of nanoseconds and answers.
fn laps(line: &str) -> Option<Vec<Lap>> {
    let numbers: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
    let numbers = numbers.ok()?;
    let pairs = numbers.chunks_exact(2);
    let is_even = pairs.remainder().is_empty();
    let laps = pairs.map(|pair| Lap {
        elapsed: Duration::from_nanos(pair[0]),
        answer: pair[1],
    });
    is_even.then(|| laps.collect())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_programs_are_read() {
        let told = laps("12 7 13 8 \n").unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|lap| (lap.elapsed.as_nanos(), lap.answer))
            .collect();
        assert_eq!(told, [(12, 7), (13, 8)]);
        for odd in ["1", "1 2 3", "a b", "1 -2"] {
            assert!(laps(odd).is_none(), "{odd}");
        }
        assert!(laps("").is_some_and(|laps| laps.is_empty()));
    }

    #[test]
    fn a_program_that_is_not_there_fails_all_threads() {
        let far = Far::start(&Launch {
            program: "no/such/program".into(),
            args: ["pairs", "2", "-"].map(String::from),
            env: None,
            threads: 2,
        });
        assert!(
            far.lead(1)
                .is_err_and(|why| why.contains("no/such/program"))
        );
        assert!(far.follow(1, 0).is_err());
    }
}
