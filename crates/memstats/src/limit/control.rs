//! The one controller of a process: its lock, its turns, its bell and its thread.
//!
//! One lock, taken for a moment to look or to book. Who has the turn runs a cycle, without the lock:
//! reclaimers run on a thread of their own and may register, unregister, set limits and read statistics.
//!
//! A turn and a controller are those of a process. What a forked child finds of its parent's it does not
//! wait for: the threads that had them are not there.
#![forbid(unsafe_code)]

use core::time::Duration;
use std::{process, sync::PoisonError};

use thrifty_sync::{
    clock::{Clock, Instant, SystemClock},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock},
    thread::{self, Thread},
};
use thrifty_traits::Pressure;

use super::{
    amount::LimitError,
    crew::Answer,
    cycle::{self, World},
    event::Event,
    governor::{Plan, Reading, Verdict},
    hand::{Done, Hands, Job, Release, is_inside},
    stall,
    state::{Member, State},
    stats::{Reason, Trim},
    tools::Tools,
    total::{self, SystemFiles},
};
use crate::{
    alarm::{Alarm, Look},
    counts::Counts,
    installed::is_installed,
    os, registry,
    seat::Seat,
    thread::REGISTRY,
};

static STATE: Mutex<State> = Mutex::new(State::new());
static TURNED: Condvar = Condvar::new();
static ALARM: Alarm = Alarm::new();
static CONTROLLER: Post = Post(OnceLock::new());
/// Held while the thread is started, so that there is one.
static STARTING: Mutex<()> = Mutex::new(());

/// How often a share of a control group's limit is looked up again.
const RESOLVE_EVERY: Duration = Duration::from_secs(10);

/// The state. No user code is to run while it is held.
pub(crate) fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn now() -> Instant {
    SystemClock.now()
}

/// Wakes the controller if the live heap has reached the trigger; in the allocator's slow path,
/// after the thread has looked for a peak. Neither locks nor allocates: unparking a thread is a
/// store and a system call.
pub(crate) fn observed(live: u64) {
    if ALARM.is_crossed(|| live) && ALARM.ring() {
        wake();
    }
}

fn wake() {
    if let Some(controller) = CONTROLLER.here() {
        controller.unpark();
    }
}

/// Where a controller is known by, and behind it those that forked children have started: as many as
/// there were forks between this process and the first to have one.
struct Post(OnceLock<Box<Posted>>);

struct Posted {
    process: u32,
    thread: Thread,
    next: Post,
}

impl Post {
    /// This process's controller. Neither locks nor allocates.
    fn here(&self) -> Option<&Thread> {
        let mut last = self.0.get()?;
        while let Some(next) = last.next.0.get() {
            last = next;
        }
        (last.process == process::id()).then_some(&last.thread)
    }

    fn put_up(&self, thread: Thread) {
        let mut place = self;
        while let Some(posted) = place.0.get() {
            place = &posted.next;
        }
        // By one thread at a time, so the place is free.
        place.0.get_or_init(|| {
            Box::new(Posted {
                process: process::id(),
                thread,
                next: Self(OnceLock::new()),
            })
        });
    }
}

/// The turn to look or to run a cycle: one thread of the process has it.
struct Turn {
    tools: Tools,
}

impl Turn {
    /// Waits for it.
    fn take() -> Self {
        let here = Some(process::id());
        let mut state = TURNED
            .wait_while(state(), |state| state.turn == here)
            .unwrap_or_else(PoisonError::into_inner);
        state.turn = here;
        Self {
            tools: core::mem::take(&mut state.tools),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = state();
        state.tools = core::mem::take(&mut self.tools);
        // Somebody may have joined meanwhile.
        let count = state.members.len();
        state.tools.reserve(count);
        state.turn = None;
        drop(state);
        TURNED.notify_one();
    }
}

/// What can be measured now.
pub(crate) fn reading() -> Reading {
    let counts = is_installed().then(|| REGISTRY.read());
    Reading {
        live: counts.map(live_of),
        freed: counts.map(|counts| counts.freed_bytes),
        waited: None,
        resident: os::memory().resident_bytes,
    }
}

fn live() -> Option<u64> {
    is_installed().then(|| live_of(REGISTRY.read()))
}

fn live_of(counts: Counts) -> u64 {
    u64::try_from(counts.live_bytes()).unwrap_or(0)
}

/// How many cycles there were.
#[cfg(feature = "monitor")]
pub(crate) fn trims() -> u64 {
    state().num_trim()
}

/// Starts the controller if it does not run yet.
pub(crate) fn start() -> Result<(), LimitError> {
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if CONTROLLER.here().is_some() {
        return Ok(());
    }
    let handle = thread::Builder::new()
        .name("thrifty-limit".into())
        .spawn(run)
        .map_err(|error| LimitError::Thread(error.kind()))?;
    // It parks at first, so this comes in time for the first bell.
    CONTROLLER.put_up(handle.thread().clone());
    Ok(())
}

/// Makes the settings known to the allocator's hooks, and has the controller look at them.
pub(crate) fn settings_changed(state: &State) {
    publish(state, Look::Now);
    wake();
}

/// Threads look at the sum more often under a small limit: a thousandth of it, at most as rarely as
/// they look for peaks anyway.
fn publish(state: &State, look: Look) {
    let lines = state.governor.lines();
    let interval = lines.goal.map_or(registry::INTERVAL_BYTES, |goal| {
        (goal / 1024).clamp(registry::FINE_INTERVAL_BYTES, registry::INTERVAL_BYTES)
    });
    REGISTRY.look_every(interval);
    ALARM.set_trigger(state.governor.bell());
    ALARM.look(if lines.goal.is_some() {
        look
    } else {
        Look::Never
    });
}

fn run() {
    Turn::take().tools.hands.make_ready();
    loop {
        let rest = tend(&mut Turn::take().tools);
        if rest.listen {
            ALARM.listen();
            // Whoever counted before it found the bell silent did not ring: look once more.
            let trigger = state().governor.bell();
            if live()
                .zip(trigger)
                .is_some_and(|(live, trigger)| live >= trigger)
            {
                continue;
            }
        }
        thread::park_timeout(rest.wait);
        if rest.listen && ALARM.is_rung() {
            state().woken();
        }
    }
}

/// Until when there is nothing to do.
#[derive(Debug, Clone, Copy)]
struct Rest {
    wait: Duration,
    listen: bool,
    trimmed: bool,
}

/// Looks, and runs a cycle if one is due.
fn tend(tools: &mut Tools) -> Rest {
    resolve_again();
    let mut reading = reading();
    if state().governor.tuning.stall_percent > 0 {
        reading.waited = stall::waited(&SystemFiles);
    }
    let mut state = state();
    let now = now();
    let (verdict, notice) = state.governor.judge(now, reading);
    state.notice(notice, reading);
    match verdict {
        Verdict::Rest { wait, listen } => {
            let end = now + wait;
            publish(
                &state,
                if listen {
                    Look::AtOrCrossed(end)
                } else {
                    Look::At(end)
                },
            );
            Rest {
                wait,
                listen,
                trimmed: false,
            }
        }
        Verdict::Trim(plan) => {
            trim(state, tools, &plan);
            Rest {
                wait: Duration::ZERO,
                listen: false,
                trimmed: true,
            }
        }
    }
}

/// Lets the calling thread do what the controller would, if it is due.
pub(crate) fn assist() -> bool {
    let is_due = || ALARM.is_due(now, || live().unwrap_or(0));
    if is_inside() || !is_due() {
        return false;
    }
    let mut turn = Turn::take();
    // Whoever had the turn before may have done it.
    is_due() && tend(&mut turn.tools).trimmed
}

/// Runs a cycle that was asked for.
pub(crate) fn trim_now(pressure: Pressure) -> Option<Trim> {
    if is_inside() {
        return None;
    }
    let mut turn = Turn::take();
    let plan = Plan {
        reason: Reason::Forced,
        first: Pressure::Low,
        last: pressure,
        target: 0,
        // Nothing resident is too little: the last level gives back what can be.
        resident_target: (pressure == Pressure::High).then_some(0),
        nonheap: 0,
        budget: Duration::MAX,
    };
    let mut state = state();
    state.used(now());
    Some(trim(state, &mut turn.tools, &plan))
}

fn trim(state: MutexGuard<'static, State>, tools: &mut Tools, plan: &Plan) -> Trim {
    let deadline = state.governor.tuning.deadline;
    tools.note(&state.members);
    let release = state.release.clone();
    drop(state);
    let began = now();
    let Tools {
        hands,
        members,
        records,
        order,
    } = tools;
    let mut world = Process {
        members,
        hands,
        release,
        deadline,
    };
    let outcome = cycle::run(plan, deadline, records, order, &mut world);
    let crew = members.iter().map(|member| member.id);
    let crew = crew.zip(records.iter().copied());
    let mut state = self::state();
    let trim = state.settle(began, plan, &outcome, crew);
    publish(
        &state,
        state.governor.pause_end().map_or(Look::Now, Look::At),
    );
    drop(state);
    tools.clear();
    trim
}

/// The memory of this process.
struct Process<'a> {
    members: &'a [Member],
    hands: &'a mut Hands,
    release: Option<Arc<Seat<Release>>>,
    deadline: Duration,
}

impl World for Process<'_> {
    fn now(&self) -> Instant {
        now()
    }

    fn reading(&self) -> Reading {
        reading()
    }

    fn ask(&mut self, member: usize, pressure: Pressure, at_most: Duration) -> Answer {
        let Member { name, seat, .. } = &self.members[member];
        let Some(reclaimer) = seat.begin() else {
            return Answer::Absent;
        };
        let job = Job::Reclaim(Arc::clone(seat), reclaimer, pressure);
        match self.hands.run(job, at_most) {
            Done::Gave(bytes) => Answer::Gave(bytes),
            Done::Panicked => {
                state().listeners.tell(&Event::Panicked(Arc::clone(name)));
                Answer::Panicked
            }
            Done::Late => {
                state().listeners.tell(&Event::Late(Arc::clone(name)));
                Answer::Late
            }
        }
    }

    fn release(&mut self) -> bool {
        let Some(seat) = &self.release else {
            return false;
        };
        let Some(release) = seat.begin() else {
            return false;
        };
        let name = Arc::clone(&release.name);
        let job = Job::Release(Arc::clone(seat), release);
        let event = match self.hands.run(job, self.deadline) {
            Done::Gave(_) => return true,
            Done::Panicked => Event::Panicked(name),
            Done::Late => Event::Late(name),
        };
        state().listeners.tell(&event);
        false
    }
}

/// Looks up what a share is of, in case it changed; keeps the old limit where that fails.
fn resolve_again() {
    let mut state = state();
    let now = now();
    let (Some(said), Some(at)) = (state.said, state.resolved_at) else {
        return;
    };
    if now.since(at) < RESOLVE_EVERY {
        return;
    }
    state.resolved_at = Some(now);
    drop(state);
    let Ok(bytes) = total::resolve(said, &SystemFiles) else {
        return;
    };
    let mut state = self::state();
    if state.said == Some(said) && state.governor.limit != Some(bytes) {
        state.governor.limit = Some(bytes);
        state.governor.refresh();
    }
}
