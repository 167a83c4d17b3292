//! Where the threads of a row wait for each other within a turn.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    thread,
};

/// A barrier that lets everybody go, panicking, when one of them has panicked.
pub(super) struct Gate {
    threads: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    waiting: usize,
    passed: u64,
    is_broken: bool,
}

impl Gate {
    pub(super) fn new(threads: usize) -> Self {
        Self {
            threads,
            state: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// Waits until all threads are here.
    ///
    /// # Panics
    ///
    /// When one of them will not come.
    pub(super) fn pass(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        if state.waiting == self.threads {
            state.waiting = 0;
            state.passed += 1;
            self.moved.notify_all();
            return;
        }
        let own = state.passed;
        while state.passed == own {
            assert!(!state.is_broken, "another thread panicked");
            let woken = self.moved.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Breaks the gate if the thread panics while this lives.
    pub(super) fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }
}

pub(super) struct Alarm<'a>(&'a Gate);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let state = self.0.state.lock();
            state.unwrap_or_else(PoisonError::into_inner).is_broken = true;
            self.0.moved.notify_all();
        }
    }
}
