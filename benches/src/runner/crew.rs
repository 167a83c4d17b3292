//! The threads of a row: started once, given turns, each with a clock of its own.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Barrier,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use crate::suite::{Subject, Worker};

/// Threads that wait for orders. They live as long as the row: what a subject keeps per thread
/// is warm after the first turn, and no start of a thread is timed.
pub(crate) struct Crew {
    orders: Vec<Sender<Order>>,
    reports: Receiver<Report>,
}

#[derive(Clone, Copy)]
struct Order {
    subject: usize,
    iterations: u64,
}

/// What one thread has to say after a turn; `Err` if its work panicked.
type Report = Result<Lap, ()>;

/// One thread's part of a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    /// By the thread's own clock.
    pub(crate) elapsed: Duration,
    /// The wrapping sum of its answers.
    pub(crate) answer: u64,
}

/// A worker panicked; its message has gone to standard error.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Starts the threads, lets `lead` give orders, and ends them.
pub(crate) fn with_crew<R>(
    subjects: &[&dyn Subject],
    threads: usize,
    lead: impl FnOnce(&Crew) -> R,
) -> R {
    let start = Barrier::new(threads);
    thread::scope(|scope| {
        let (report, reports) = mpsc::channel();
        let orders = (0..threads).map(|thread| {
            let (order, orders) = mpsc::channel();
            let (report, start) = (report.clone(), &start);
            scope.spawn(move || work(subjects, thread, start, &orders, &report));
            order
        });
        let crew = Crew {
            orders: orders.collect(),
            reports,
        };
        // The end of `crew` closes the channels, and with them the threads.
        lead(&crew)
    })
}

impl Crew {
    /// One turn: all threads do `iterations` of `subject` at once.
    pub(crate) fn turn(&self, subject: usize, iterations: u64) -> Result<Vec<Lap>, Panicked> {
        let order = Order {
            subject,
            iterations,
        };
        for thread in &self.orders {
            thread.send(order).expect("threads outlive the crew");
        }
        let reports = self.reports.iter().take(self.orders.len());
        // All reports are taken before a bad one counts: the next turn begins with none left.
        let reports: Vec<Report> = reports.collect();
        let laps: Result<Vec<Lap>, ()> = reports.into_iter().collect();
        laps.map_err(|()| Panicked)
    }
}

fn work(
    subjects: &[&dyn Subject],
    thread: usize,
    start: &Barrier,
    orders: &Receiver<Order>,
    report: &Sender<Report>,
) {
    // Nothing of a subject is used again once one of them panicked.
    let mut workers = catch_unwind(AssertUnwindSafe(|| {
        let workers = subjects.iter().map(|subject| subject.worker(thread));
        workers.collect::<Vec<_>>()
    }));
    for order in orders {
        let prepared = workers
            .as_mut()
            .map(|workers| catch_unwind(AssertUnwindSafe(|| workers[order.subject].prepare())));
        if let Ok(Err(panic)) = prepared {
            workers = Err(panic);
        }
        // Also where a worker panicked: the others wait here for every thread.
        start.wait();
        let lap = match &mut workers {
            Ok(workers) => lap(&mut *workers[order.subject], order.iterations),
            Err(_) => Err(()),
        };
        if report.send(lap).is_err() {
            return;
        }
    }
}

fn lap(worker: &mut dyn Worker, iterations: u64) -> Report {
    catch_unwind(AssertUnwindSafe(|| {
        let begun = Instant::now();
        let answer = worker.run(iterations);
        let elapsed = begun.elapsed();
        Lap {
            elapsed: worker.took().unwrap_or(elapsed),
            answer,
        }
    }))
    .map_err(drop)
}
