//! The driver that runs one test body under loom or on real threads.
//!
//! A model is a closure that spawns two or three [`thread`](crate::thread)s over a protocol built
//! from this crate's types and asserts what must hold afterwards. `cargo test` runs it many times
//! on real threads, where it can find crude mistakes; `cargo xtask loom` explores every
//! interleaving and every value that the memory model allows, up to the preemption bound.

/// A model and how far to explore it.
///
/// # Examples
///
/// ```
/// use thrifty_sync::{atomic::AtomicUsize, model::Model, ord, sync::Arc, thread};
///
/// Model::new("increments_are_not_lost").check(|| {
///     let counter = Arc::new(AtomicUsize::new(0));
///     let other = Arc::clone(&counter);
///     let thread = thread::spawn(move || other.fetch_add(1, ord!(docs.count, Relaxed)));
///     counter.fetch_add(1, ord!(docs.count, Relaxed));
///     thread.join().unwrap();
///     assert_eq!(counter.load(ord!(docs.count, Relaxed)), 2);
/// });
/// ```
#[derive(Debug, Clone)]
#[must_use = "a model proves nothing until `check` runs it"]
pub struct Model {
    name: &'static str,
    preemption_bound: Option<usize>,
    rounds: usize,
}

impl Model {
    /// A model with a preemption bound of 3 under loom and 200 rounds on real threads.
    ///
    /// The name states the property that the model proves.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            preemption_bound: Some(3),
            rounds: 200,
        }
    }

    /// How often a thread may be preempted in one execution under loom.
    ///
    /// Two find nearly all bugs in practice; each more multiplies the executions.
    pub const fn preemption_bound(mut self, bound: usize) -> Self {
        self.preemption_bound = Some(bound);
        self
    }

    /// Explores without a bound. For two threads of two or three steps each.
    pub const fn unbounded(mut self) -> Self {
        self.preemption_bound = None;
        self
    }

    /// How often to run on real threads.
    ///
    /// # Panics
    ///
    /// When `rounds` is zero.
    pub const fn rounds(mut self, rounds: usize) -> Self {
        assert!(rounds > 0, "a model that does not run proves nothing");
        self.rounds = rounds;
        self
    }

    /// Runs the model.
    ///
    /// # Panics
    ///
    /// When an assertion of the model fails in some execution. Under loom also when memory is
    /// accessed without synchronisation, when the environment caps the exploration
    /// (`LOOM_MAX_PERMUTATIONS`, `LOOM_MAX_DURATION`, `LOOM_CHECKPOINT_FILE`: loom ends a model
    /// that they cut short as passed), or when there was a single execution only, which means
    /// that loom saw no shared state.
    pub fn check(self, body: impl Fn() + Send + Sync + 'static) {
        let started = std::time::Instant::now();
        let executions = self.explore(body);
        std::println!(
            "model {}: {executions} executions, {:.2} s",
            self.name,
            started.elapsed().as_secs_f64()
        );
    }

    #[cfg(all(thrifty_loom, feature = "loom"))]
    fn explore(&self, body: impl Fn() + Send + Sync + 'static) -> usize {
        use std::sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        };

        /// Says in which execution the model failed.
        struct Report(&'static str, Arc<AtomicUsize>);
        impl Drop for Report {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    let execution = self.1.load(Ordering::Relaxed);
                    std::println!("model {}: failed in execution {execution}", self.0);
                }
            }
        }

        let mut builder = loom::model::Builder::new();
        assert!(
            builder.max_permutations.is_none()
                && builder.max_duration.is_none()
                && builder.checkpoint_file.is_none(),
            "{}: unset LOOM_MAX_PERMUTATIONS, LOOM_MAX_DURATION and LOOM_CHECKPOINT_FILE",
            self.name
        );
        builder.preemption_bound = self.preemption_bound;
        // A counter of std, on purpose: loom must not see it, or it would explore it.
        let executions = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&executions);
        let report = Report(self.name, Arc::clone(&executions));
        builder.check(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            body();
        });
        drop(report);
        let executions = executions.load(Ordering::Relaxed);
        assert!(
            executions > 1,
            "{}: one execution only; loom saw no shared state",
            self.name
        );
        executions
    }

    #[cfg(not(all(thrifty_loom, feature = "loom")))]
    fn explore(&self, body: impl Fn() + Send + Sync + 'static) -> usize {
        for _ in 0..self.rounds {
            body();
        }
        self.rounds
    }
}
