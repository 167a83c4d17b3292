//! Rounds that are boxes, and know whether they are in use.

use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use thrifty_magazine::{Config, Engine, Refused, Shared, Supplier};
use thrifty_sync::clock::ManualClock;
use thrifty_testkit::exempt;

/// Rounds are boxes; the counter knows how many there are.
pub(crate) struct Boxes {
    alive: Arc<AtomicUsize>,
    weight: usize,
}

impl Boxes {
    pub(crate) fn new(weight: usize) -> Self {
        Self {
            alive: Arc::new(AtomicUsize::new(0)),
            weight,
        }
    }
}

pub(crate) struct Item {
    engine: NonNull<Shared<Boxes>>,
    pub(crate) in_use: bool,
}

// SAFETY: items are boxes without anything of their thread in them.
unsafe impl Supplier for Boxes {
    unsafe fn destroy(&self, rounds: &[NonNull<()>]) {
        for round in rounds {
            // SAFETY: rounds are from `Box::into_raw` in `make`, and handed over.
            let item = unsafe { Box::from_raw(round.cast::<Item>().as_ptr()) };
            assert!(!item.in_use, "destroyed while in use");
            exempt(|| drop(item));
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
    }

    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize {
        rounds.len() * self.weight
    }
}

/// A lent item that comes back when dropped.
pub(crate) struct Lent(pub(crate) NonNull<Item>);

// SAFETY: the item belongs to whoever has this.
unsafe impl Send for Lent {}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the item is ours until it is put.
        let item = unsafe { self.0.as_mut() };
        assert!(item.in_use, "returned twice");
        item.in_use = false;
        let engine = item.engine;
        // SAFETY: valid: the item's lease keeps the engine.
        let shared = unsafe { engine.as_ref() };
        // SAFETY: the item is ours, and handed over.
        if !unsafe { shared.put_hit(self.0.cast()) } {
            // SAFETY: as above; the item is handed over.
            unsafe { Shared::put_cold(engine, self.0.cast()) };
        }
    }
}

pub(crate) fn lend(engine: &Engine<Boxes>) -> Result<Lent, Refused> {
    let idle = engine.take_hit().or_else(|| engine.take_cold());
    let mut item = match idle {
        Some(round) => round.cast::<Item>(),
        None => make(engine)?,
    };
    // SAFETY: the item is ours, from the engine or new.
    let in_use = unsafe { &mut item.as_mut().in_use };
    assert!(!*in_use, "lent twice");
    *in_use = true;
    Ok(Lent(item))
}

pub(crate) fn make(engine: &Engine<Boxes>) -> Result<NonNull<Item>, Refused> {
    let permit = engine.permit()?;
    let item = new_item(engine);
    permit.keep();
    Ok(item)
}

pub(crate) fn new_item(engine: &Engine<Boxes>) -> NonNull<Item> {
    engine.supplier().alive.fetch_add(1, Ordering::Relaxed);
    // The faults are for the engine.
    let item = exempt(|| {
        Box::new(Item {
            engine: engine.shared(),
            in_use: false,
        })
    });
    NonNull::from(Box::leak(item))
}

pub(crate) fn engine_with(
    weight: usize,
    set: impl FnOnce(&mut Config),
) -> (Engine<Boxes>, Arc<AtomicUsize>) {
    let supplier = Boxes::new(weight);
    let alive = Arc::clone(&supplier.alive);
    let mut config = Config::new();
    config.rounds = 4;
    config.max_idle = 64;
    // Time stands still, unless a test brings a clock.
    config.clock = Some(Arc::new(ManualClock::new()));
    set(&mut config);
    let engine = Engine::try_new(supplier, config).expect("memory");
    (engine, alive)
}

pub(crate) fn engine() -> (Engine<Boxes>, Arc<AtomicUsize>) {
    engine_with(1, |_| {})
}

pub(crate) fn lend_many(engine: &Engine<Boxes>, count: usize) -> Vec<Lent> {
    (0..count)
        .map(|_| lend(engine).expect("unbounded"))
        .collect()
}

pub(crate) fn alive(alive: &AtomicUsize) -> usize {
    alive.load(Ordering::Relaxed)
}

/// Runs to the very end of a thread, destructors of its thread-locals included, for which the
/// implicit join of a scope does not wait.
pub(crate) fn in_a_thread(body: impl FnOnce() + Send) {
    std::thread::scope(|scope| scope.spawn(body).join().expect("no panic"));
}
