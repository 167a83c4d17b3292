//! The protocols between threads, each as a model named after what it proves.
//!
//! | model | orderings it covers |
//! |---|---|
//! | `no_round_is_lost_or_doubled_through_the_depot` | magazine.publish, magazine.take |
//! | `an_empty_magazine_passes_on_whole` | magazine.put_empty, magazine.take_empty |
//! | `a_late_deposit_finds_the_engine_closed` | magazine.publish, magazine.drain |
//! | `reaping_races_with_takers_and_putters` | magazine.publish, magazine.take |
//! | `the_engine_ends_once_after_all_that_used_it` | leases.release, leases.last, leases.drop_handle, leases.last_handle |
//! | `the_memory_goes_last` | leases.release_weak, leases.last_weak |
//! | `a_seat_passes_on_empty` | seat.claim, seat.release, core.add_seat, core.see_seat |
//! | `a_stripe_is_used_by_one_at_a_time` | stripe.lock, stripe.unlock, stripe.message |
//! | `a_message_empties_the_stripe_of_a_closed_engine` | stripe.message |
//! | `a_late_taker_leaves_nothing_in_a_stripe` | stripe.lock, stripe.message |
//! | `an_answer_passes_the_message_on` | stripe.answer, stripe.lock, stripe.message |

use alloc::boxed::Box;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};

use thrifty_sync::{
    UnsafeCell,
    atomic::AtomicUsize,
    model::Model,
    ord,
    sync::Arc,
    thread::{self, JoinHandle},
};
use thrifty_traits::Pressure;

use crate::{
    cache::Emptied,
    config::Config,
    core::{Core, Vtable},
    magazine::Magazine,
    round::Round,
    seat::Seat,
};

/// An engine with a supplier that writes down what becomes of it.
#[repr(C)]
struct World {
    core: Core,
    /// Written when the supplier is dropped, read by whoever uses it.
    supplier: UnsafeCell<bool>,
    /// Written when the memory is freed, read by whoever has any count.
    memory: UnsafeCell<()>,
    log: Arc<Log>,
}

/// What has happened.
#[derive(Default)]
struct Log {
    made: AtomicUsize,
    destroyed: AtomicUsize,
    ended: AtomicUsize,
    freed: AtomicUsize,
}

fn count(what: &AtomicUsize) {
    // ORDERING(model.count): Relaxed; read after all threads are joined.
    what.fetch_add(1, ord!(model.count, Relaxed));
}

fn read(what: &AtomicUsize) -> usize {
    // ORDERING(model.count): Relaxed; see `count`.
    what.load(ord!(model.count, Relaxed))
}

/// What a round points to. Its cell is written by who has the round, so that loom sees whether
/// the passing on of a round was ordered.
struct Token(UnsafeCell<u32>);

static VTABLE: Vtable = Vtable {
    destroy: |core, rounds| {
        // SAFETY: `core` is the first field of a `World`.
        let world = unsafe { core.cast::<World>().as_ref() };
        world.use_supplier();
        for round in rounds {
            // SAFETY: from `Box::into_raw` in `World::make`, and handed over.
            let token = unsafe { Box::from_raw(round.cast::<Token>().as_ptr()) };
            touch(&token);
            count(&world.log.destroyed);
        }
    },
    weigh: |_, rounds| rounds.len(),
    end: |core| {
        // SAFETY: valid: the caller has a weak count.
        let world = unsafe { core.cast::<World>().as_ref() };
        world.supplier.with_mut(|gone| {
            // SAFETY: valid; exclusive, which is what the models are to show.
            unsafe { *gone = true };
        });
        count(&world.log.ended);
    },
    free: |core| {
        // SAFETY: from `Box::into_raw` in `Handle::new`, and nobody has a count.
        let world = unsafe { Box::from_raw(core.cast::<World>().as_ptr()) };
        world.memory.with_mut(|_| {});
        count(&world.log.freed);
    },
};

fn touch(token: &Token) {
    token.0.with_mut(|uses| {
        // SAFETY: valid; exclusive, which is what the models are to show.
        unsafe { *uses += 1 };
    });
}

impl World {
    fn use_supplier(&self) {
        self.supplier.with(|gone| {
            // SAFETY: valid; shared, which is what the models are to show.
            assert!(!unsafe { *gone }, "the supplier is used after its end");
        });
    }

    fn make(&self) -> Round {
        assert_eq!(self.core.census.admit(1), 1);
        self.core.traffic.leases.add(1);
        self.core.census.created(1);
        count(&self.log.made);
        let token = Box::into_raw(Box::new(Token(UnsafeCell::new(0))));
        NonNull::new(token).expect("a box").cast()
    }
}

/// What was in a cache with one magazine.
fn only(magazine: Magazine) -> Emptied {
    Emptied {
        magazines: [Some(magazine), None],
        loose: None,
    }
}

/// A handle, as `Engine` is one.
struct Handle(NonNull<World>);

// SAFETY: a counted pointer, as `Engine` is.
unsafe impl Send for Handle {}
// SAFETY: as for `Send`.
unsafe impl Sync for Handle {}

impl Handle {
    fn new(set: impl FnOnce(&mut Config)) -> (Self, Arc<Log>) {
        let mut config = Config::new();
        config.rounds = 1;
        config.max_idle = 1;
        config.max_thread_caches = 1;
        config.stripes = 0;
        set(&mut config);
        let log = Arc::new(Log::default());
        let world = Box::into_raw(Box::new(MaybeUninit::<World>::uninit()));
        let world = NonNull::new(world).expect("a box").cast::<World>();
        let whole = World {
            core: Core::try_new(config, &VTABLE, 3, world.cast()).expect("memory"),
            supplier: UnsafeCell::new(false),
            memory: UnsafeCell::new(()),
            log: Arc::clone(&log),
        };
        // SAFETY: valid: a box of this size; exclusive: it is new.
        unsafe { world.write(whole) };
        (Self(world), log)
    }

    fn world(&self) -> &World {
        // SAFETY: valid: this handle counts.
        unsafe { self.0.as_ref() }
    }

    fn core(&self) -> &Core {
        &self.world().core
    }

    /// A round in its magazine, taken through the depot's books.
    fn deposit(&self) {
        let round = self.world().make();
        let mut magazine = Magazine::try_new(1).expect("memory");
        magazine.push(round).expect("room");
        // SAFETY: the lease of the round, and a handle beside it.
        unsafe { Core::give_up(self.0.cast(), only(magazine)) };
    }

    fn close(&self) {
        self.core().close();
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        self.core().traffic.leases.add_handle();
        Self(self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // A model that has failed has no more to show, and its state may be anything.
        if std::thread::panicking() {
            return;
        }
        if self.core().traffic.leases.drop_handle() {
            self.close();
            // SAFETY: the handles' common lease.
            unsafe { Core::release(self.0.cast(), 1) };
        }
    }
}

/// A round on its way back, as a guard has it: it keeps the engine by its lease.
struct Lent(NonNull<World>, Round);

// SAFETY: the round belongs to whoever has this.
unsafe impl Send for Lent {}

impl Lent {
    /// The world.
    ///
    /// # Safety
    ///
    /// Something keeps its memory.
    unsafe fn world(&self) -> &World {
        // SAFETY: valid: the caller's promise.
        unsafe { self.0.as_ref() }
    }

    /// Puts the round through a seat of its thread, which then ends.
    fn put_and_leave(self) {
        let Self(world, round) = self;
        // SAFETY: the round's own.
        touch(unsafe { round.cast::<Token>().as_ref() });
        // SAFETY: valid: the round's lease.
        let core = unsafe { &world.as_ref().core };
        if core.is_closed() {
            return Self(world, round).destroy();
        }
        let Some(seat) = core.claim_seat(4) else {
            return Self(world, round).destroy();
        };
        // SAFETY: just claimed.
        unsafe { core.sit(seat, ptr::null()) };
        let seat: *const Seat = seat;
        // SAFETY: valid: the weak count of the seat.
        let seat = unsafe { &*seat };
        // SAFETY: the seat is ours, and so is the round with its lease.
        if let Err(round) = unsafe { Core::put_seated(world.cast(), seat, round) } {
            Self(world, round).destroy();
        }
        // SAFETY: the seat is ours.
        unsafe { Core::leave(seat) };
    }

    /// Ends a weak count.
    ///
    /// # Safety
    ///
    /// There is one, which belongs to the caller.
    unsafe fn release_weak(self) {
        // SAFETY: the caller's promise.
        unsafe { Core::release_weak(self.0.cast()) };
    }

    fn destroy(self) {
        // SAFETY: valid: the round's lease.
        let world = unsafe { self.0.as_ref() };
        // SAFETY: ours, and handed over.
        unsafe { (VTABLE.destroy)(self.0.cast(), &[self.1]) };
        world.core.census.gone(1);
        // SAFETY: the round's lease.
        unsafe { Core::release(self.0.cast(), 1) };
    }
}

fn spawn(handle: &Handle, body: impl FnOnce(Handle) + Send + 'static) -> JoinHandle<()> {
    let handle = handle.clone();
    thread::spawn(move || body(handle))
}

fn take_from_depot(handle: &Handle) -> bool {
    let Some(mut magazine) = handle.core().traffic.depot.take() else {
        return false;
    };
    handle.core().traffic.leases.add(magazine.len() as usize);
    let round = magazine.pop().expect("a round");
    assert_eq!(magazine.len(), 0);
    magazine.free();
    // SAFETY: the round is ours.
    touch(unsafe { round.cast::<Token>().as_ref() });
    Lent(handle.0, round).destroy();
    true
}

fn assert_all_gone(log: &Log) {
    assert_eq!(read(&log.destroyed), read(&log.made), "a round is lost");
    assert_eq!((read(&log.ended), read(&log.freed)), (1, 1));
}

#[test]
fn no_round_is_lost_or_doubled_through_the_depot() {
    Model::new("no_round_is_lost_or_doubled_through_the_depot")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = Handle::new(|config| config.max_idle = 2);
            let work = |handle: Handle| {
                handle.deposit();
                take_from_depot(&handle);
            };
            let threads = [spawn(&handle, work), spawn(&handle, work)];
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            while take_from_depot(&handle) {}
            assert_eq!(handle.core().traffic.depot.held(), 0);
            assert_eq!(read(&log.destroyed), 2);
            drop(handle);
            assert_all_gone(&log);
        });
}

#[test]
fn an_empty_magazine_passes_on_whole() {
    Model::new("an_empty_magazine_passes_on_whole")
        .unbounded()
        .check(|| {
            let (handle, _) = Handle::new(|_| {});
            let work = |handle: &Handle| {
                let depot = &handle.core().traffic.depot;
                let empty = depot.take_empty().or_else(|| Magazine::try_new(1));
                let mut magazine = empty.expect("memory");
                assert_eq!(magazine.len(), 0);
                magazine.set_weight(1);
                depot.put_empty(magazine);
            };
            let thread = spawn(&handle, move |handle| work(&handle));
            work(&handle);
            thread.join().unwrap();
        });
}

#[test]
fn a_late_deposit_finds_the_engine_closed() {
    Model::new("a_late_deposit_finds_the_engine_closed").check(|| {
        let (handle, log) = Handle::new(|_| {});
        let thread = spawn(&handle, |handle| handle.deposit());
        handle.close();
        thread.join().unwrap();
        assert_eq!(read(&log.destroyed), 1, "the round lies in a closed engine");
        drop(handle);
        assert_all_gone(&log);
    });
}

#[test]
fn reaping_races_with_takers_and_putters() {
    Model::new("reaping_races_with_takers_and_putters")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = Handle::new(|config| config.max_idle = 2);
            handle.deposit();
            let threads = [
                spawn(&handle, |handle| {
                    let _ = handle.core().reclaim(Pressure::Medium);
                }),
                spawn(&handle, |handle| {
                    handle.deposit();
                    take_from_depot(&handle);
                }),
            ];
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            let held = handle.core().traffic.depot.held();
            assert_eq!(read(&log.destroyed) + held, 2);
            drop(handle);
            assert_all_gone(&log);
        });
}

#[test]
fn the_engine_ends_once_after_all_that_used_it() {
    Model::new("the_engine_ends_once_after_all_that_used_it")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = Handle::new(|_| {});
            let lent = Lent(handle.0, handle.world().make());
            let other = spawn(&handle, |handle| handle.world().use_supplier());
            let user = thread::spawn(move || lent.put_and_leave());
            drop(handle);
            other.join().unwrap();
            user.join().unwrap();
            assert_all_gone(&log);
        });
}

#[test]
fn the_memory_goes_last() {
    Model::new("the_memory_goes_last").unbounded().check(|| {
        let (handle, log) = Handle::new(|_| {});
        handle.core().traffic.leases.add_weak();
        let weak = Lent(handle.0, NonNull::dangling());
        let thread = thread::spawn(move || {
            // SAFETY: valid: the weak count.
            unsafe { weak.world() }.memory.with(|_| {});
            // SAFETY: the weak count.
            unsafe { weak.release_weak() };
        });
        drop(handle);
        thread.join().unwrap();
        assert_all_gone(&log);
    });
}

#[test]
fn a_seat_passes_on_empty() {
    Model::new("a_seat_passes_on_empty")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = Handle::new(|config| config.max_idle = 2);
            let work = |handle: Handle| Lent(handle.0, handle.world().make()).put_and_leave();
            let threads = [spawn(&handle, work), spawn(&handle, work)];
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            drop(handle);
            assert_all_gone(&log);
        });
}

/// One stripe, no seats.
fn striped() -> (Handle, Arc<Log>) {
    Handle::new(|config| {
        config.max_thread_caches = 0;
        config.stripes = 1;
        config.max_idle = 0;
    })
}

fn put_striped(handle: &Handle) {
    let round = handle.world().make();
    // SAFETY: the round and its lease are ours, and a handle beside it.
    if let Err(round) = unsafe { Core::put_striped(handle.0.cast(), 0, round) } {
        Lent(handle.0, round).destroy();
    }
}

#[test]
fn a_stripe_is_used_by_one_at_a_time() {
    Model::new("a_stripe_is_used_by_one_at_a_time")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = striped();
            let threads = [
                spawn(&handle, |handle| put_striped(&handle)),
                spawn(&handle, |handle| {
                    if let Some(round) = handle.core().take_striped(0) {
                        Lent(handle.0, round).destroy();
                    }
                }),
            ];
            put_striped(&handle);
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            drop(handle);
            assert_all_gone(&log);
        });
}

#[test]
fn a_message_empties_the_stripe_of_a_closed_engine() {
    Model::new("a_message_empties_the_stripe_of_a_closed_engine").check(|| {
        let (handle, log) = striped();
        let thread = spawn(&handle, |handle| put_striped(&handle));
        handle.close();
        thread.join().unwrap();
        assert_eq!(read(&log.destroyed), 1, "the round lies in a closed engine");
        drop(handle);
        assert_all_gone(&log);
    });
}

#[test]
fn an_answer_passes_the_message_on() {
    Model::new("an_answer_passes_the_message_on")
        .preemption_bound(2)
        .check(|| {
            let (handle, log) = striped();
            let threads = [
                spawn(&handle, |handle| {
                    let _ = handle.core().reclaim(Pressure::High);
                }),
                spawn(&handle, |handle| put_striped(&handle)),
            ];
            handle.close();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            assert_eq!(read(&log.destroyed), 1, "the round lies in a closed engine");
            drop(handle);
            assert_all_gone(&log);
        });
}

/// A magazine of a thread that ends.
struct Ends(NonNull<World>, Magazine);

// SAFETY: it has the leases of its rounds.
unsafe impl Send for Ends {}

impl Ends {
    fn give_up(self) {
        // SAFETY: the leases of the rounds.
        unsafe { Core::give_up(self.0.cast(), only(self.1)) };
    }
}

impl Lent {
    /// Takes another round with nothing but this one's lease to keep the engine.
    fn take_another(self) {
        // SAFETY: valid: the lease.
        let core = unsafe { &self.world().core };
        let taken = if core.is_closed() {
            None
        } else {
            core.take_striped(0)
        };
        if let Some(round) = taken {
            Self(self.0, round).destroy();
        }
        self.destroy();
    }
}

#[test]
fn a_late_taker_leaves_nothing_in_a_stripe() {
    Model::new("a_late_taker_leaves_nothing_in_a_stripe").check(|| {
        let (handle, log) = Handle::new(|config| {
            config.rounds = 2;
            config.max_idle = 2;
            config.max_thread_caches = 0;
            config.stripes = 1;
        });
        let mut magazine = Magazine::try_new(2).expect("memory");
        magazine.push(handle.world().make()).expect("room");
        magazine.push(handle.world().make()).expect("room");
        let ends = Ends(handle.0, magazine);
        let lent = Lent(handle.0, handle.world().make());
        let threads = [
            thread::spawn(move || ends.give_up()),
            thread::spawn(move || lent.take_another()),
        ];
        drop(handle);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_all_gone(&log);
    });
}
