//! A thread that runs other people's code, so that the controller need not.
//!
//! One job at a time; the caller waits for it up to a deadline and then goes on without it. The
//! thread is left to itself: it ends when the job does, and the next job gets another one. Idle, it
//! stays: who calls for it when memory is short could not have another. A forked child has no such thread, whatever its memory says, and starts its own.
#![forbid(unsafe_code)]

use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{process, sync::PoisonError};

use thrifty_sync::{
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
};
use thrifty_traits::{Pressure, Reclaim};

use crate::seat::Seat;

/// What a hand can do.
pub(crate) enum Job {
    /// Asks a reclaimer, whose seat has been begun.
    Reclaim(Arc<Seat<dyn Reclaim>>, Arc<dyn Reclaim>, Pressure),
    /// Gives memory back to the system; the seat tells when one is under way.
    Release(Arc<Seat<Release>>, Arc<Release>),
}

/// What gives memory back to the system.
#[derive(Debug)]
pub(crate) struct Release {
    call: fn(),
    /// What it is called in events.
    pub(crate) name: Arc<str>,
}

impl Release {
    pub(crate) fn new(call: fn()) -> Self {
        Self {
            call,
            name: "release".into(),
        }
    }
}

/// What became of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Gave(u64),
    Panicked,
    Late,
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is a hand at work: its job must not start a cycle and wait for itself.
pub(crate) fn is_inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

/// The hand at hand, if there is one.
#[derive(Default)]
pub(crate) struct Hands(Option<Arc<Desk>>);

struct Desk {
    /// Where its thread is.
    process: u32,
    sheet: Mutex<Sheet>,
    turned: Condvar,
}

#[derive(Default)]
struct Sheet {
    job: Option<Job>,
    done: Option<Done>,
    closed: bool,
}

impl Hands {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Has the job done, and waits for it at most so long.
    ///
    /// Where no thread can be had, it is done here, whatever it takes.
    pub(crate) fn run(&mut self, job: Job, at_most: Duration) -> Done {
        match self.open_desk() {
            Some(desk) => desk.wait_for(job, at_most),
            None => job.run(),
        }
    }

    /// Has a thread wait for jobs, unless one does or none can be had.
    pub(crate) fn make_ready(&mut self) {
        let _desk = self.open_desk();
    }

    fn open_desk(&mut self) -> Option<Arc<Desk>> {
        if let Some(desk) = self.0.take_if(|desk| desk.process != process::id()) {
            // Its lock may be held, and a job lie on it, by a thread that this process has not got.
            let _of_the_parent = ManuallyDrop::new(desk);
        }
        if self.0.as_ref().is_none_or(|desk| desk.lock().closed) {
            self.0 = Desk::staffed();
        }
        self.0.clone()
    }
}

impl Desk {
    fn staffed() -> Option<Arc<Self>> {
        let desk = Arc::new(Self {
            process: process::id(),
            sheet: Mutex::new(Sheet::default()),
            turned: Condvar::new(),
        });
        let own = Arc::clone(&desk);
        thread::Builder::new()
            .name("thrifty-trim".into())
            .spawn(move || own.work())
            .ok()?;
        Some(desk)
    }

    fn lock(&self) -> MutexGuard<'_, Sheet> {
        // No user code runs under this lock.
        self.sheet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, job: Job, at_most: Duration) -> Done {
        let mut sheet = self.lock();
        sheet.done = None;
        sheet.job = Some(job);
        self.turned.notify_all();
        // Time runs from when the thread has the job: it may be a new one, on a busy machine.
        let sheet = self
            .turned
            .wait_while(sheet, |sheet| sheet.job.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        let (mut sheet, _) = self
            .turned
            .wait_timeout_while(sheet, at_most, |sheet| sheet.done.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        sheet.done.take().unwrap_or_else(|| {
            sheet.closed = true;
            Done::Late
        })
    }

    fn work(&self) {
        loop {
            let mut sheet = self
                .turned
                .wait_while(self.lock(), |sheet| sheet.job.is_none())
                .unwrap_or_else(PoisonError::into_inner);
            let Some(job) = sheet.job.take() else { return };
            self.turned.notify_all();
            drop(sheet);
            let done = job.run();
            let mut sheet = self.lock();
            if sheet.closed {
                return;
            }
            sheet.done = Some(done);
            self.turned.notify_all();
        }
    }
}

impl Job {
    fn run(self) -> Done {
        /// Also when this is not a thread of ours.
        struct Leave(bool);
        impl Drop for Leave {
            fn drop(&mut self) {
                INSIDE.with(|inside| inside.set(self.0));
            }
        }

        let _leave = Leave(INSIDE.with(|inside| inside.replace(true)));
        match self {
            Self::Reclaim(seat, reclaimer, pressure) => {
                // The handle may be the last one, if its registration has ended meanwhile: it is
                // dropped in here too.
                let done = shielded(|| reclaimer.reclaim(pressure).bytes as u64);
                let dropped = shielded(|| {
                    drop(reclaimer);
                    0
                });
                seat.end();
                if dropped == Done::Panicked {
                    dropped
                } else {
                    done
                }
            }
            Self::Release(seat, release) => {
                let done = shielded(|| {
                    (release.call)();
                    0
                });
                seat.end();
                done
            }
        }
    }
}

/// Runs user code that may panic.
fn shielded(code: impl FnOnce() -> u64) -> Done {
    let mut result = catch_unwind(AssertUnwindSafe(code));
    loop {
        match result {
            Ok(bytes) => return Done::Gave(bytes),
            // What was thrown may panic when it is dropped, and throw something else.
            Err(thrown) => match catch_unwind(AssertUnwindSafe(|| drop(thrown))) {
                Ok(()) => return Done::Panicked,
                Err(again) => result = Err(again),
            },
        }
    }
}
