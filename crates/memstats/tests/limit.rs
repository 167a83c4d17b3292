//! The limit in a real process: the controller's thread, the hands, registrations, events. One
//! program without a harness, because the controller is one per process.
#![expect(clippy::unwrap_used, reason = "a test, though it has no harness")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU32, Ordering},
    mpsc,
};
use std::time::Duration;

use thrifty_memstats::Alloc;
use thrifty_memstats::limit::{
    self, EnvironmentError, Event, Events, Limit, LimitError, ParseLimitError, Priority, Reason,
    Registration, TrimError, Tuning,
};
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

const MIB: usize = 1 << 20;
/// Longer than anything takes here; nothing waits for so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine that is busy with other tests may keep a reclaimer from running for long.
fn patient() -> Tuning {
    Tuning::new().with_deadline(PATIENCE)
}

fn main() {
    let checks: &[(&str, fn())] = &[
        (
            "the environment is read at the first use",
            the_environment_is_read_at_the_first_use,
        ),
        ("what is wrong is an error", what_is_wrong_is_an_error),
        (
            "a trim asks with growing pressure",
            a_trim_asks_with_growing_pressure,
        ),
        (
            "handles of all kinds register",
            handles_of_all_kinds_register,
        ),
        (
            "a dropped registration is silent",
            a_dropped_registration_is_silent,
        ),
        ("a reclaimer may do anything", a_reclaimer_may_do_anything),
        ("a panicking one is isolated", a_panicking_one_is_isolated),
        (
            "a blocking one is left behind",
            a_blocking_one_is_left_behind,
        ),
        (
            "the allocator wakes the controller",
            the_allocator_wakes_the_controller,
        ),
        ("growth wakes the controller", growth_wakes_the_controller),
        ("nothing to give is told", nothing_to_give_is_told),
        (
            "releases are counted and isolated",
            releases_are_counted_and_isolated,
        ),
        (
            "assist keeps a heap below its limit",
            assist_keeps_a_heap_below_its_limit,
        ),
        (
            "registrations come and go under trims",
            registrations_come_and_go_under_trims,
        ),
    ];
    for (name, check) in checks {
        limit::tune(patient());
        check();
        limit::set_soft(None).unwrap();
        limit::set_percent(None).unwrap();
        assert!(
            limit::stats().reclaimers.is_empty(),
            "{name} left something behind"
        );
        println!("{name}: ok");
    }
    println!("limit: {} passed, 0 failed", checks.len());
}

/// Spare blocks that are given back from some pressure on.
struct Spare {
    blocks: Mutex<Vec<Vec<u8>>>,
    from: Pressure,
    asked: Mutex<Vec<Pressure>>,
}

impl Spare {
    fn new(from: Pressure) -> Arc<Self> {
        Arc::new(Self {
            blocks: Mutex::default(),
            from,
            asked: Mutex::default(),
        })
    }

    fn fill(&self, bytes: usize) {
        self.blocks.lock().unwrap().push(vec![1; bytes]);
    }

    fn held(&self) -> usize {
        self.blocks.lock().unwrap().iter().map(Vec::len).sum()
    }

    fn asked(&self) -> Vec<Pressure> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl MemoryUsage for Spare {
    fn memory_usage(&self) -> Usage {
        Usage::new().with_idle_bytes(self.held())
    }
}

impl Reclaim for Spare {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.asked.lock().unwrap().push(pressure);
        if pressure < self.from {
            return Reclaimed::new();
        }
        let blocks = std::mem::take(&mut *self.blocks.lock().unwrap());
        Reclaimed::new()
            .with_bytes(blocks.iter().map(Vec::len).sum())
            .with_items(blocks.len())
    }
}

/// Runs a closure when it is asked.
struct Does<F>(F);

impl<F> MemoryUsage for Does<F> {
    fn memory_usage(&self) -> Usage {
        Usage::new()
    }
}

impl<F: Fn(Pressure) -> usize + Send + Sync> Reclaim for Does<F> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        Reclaimed::new().with_bytes((self.0)(pressure))
    }
}

fn live() -> u64 {
    thrifty_memstats::read().unwrap().live_bytes
}

/// Waits for an event that fits.
fn expect(events: &Events, what: &str, fits: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events
            .wait(PATIENCE)
            .unwrap_or_else(|| panic!("waited for {what}"));
        if fits(&event) {
            return event;
        }
    }
}

#[expect(unsafe_code, reason = "sets variables of the environment")]
fn the_environment_is_read_at_the_first_use() {
    // SAFETY: no other thread runs yet that could read the environment.
    unsafe { std::env::set_var("THRIFTY_MEMORY_LIMIT", "lots") };
    let events = limit::subscribe();
    limit::trim_now(Pressure::Low).unwrap();
    let told = expect(&events, "the error", |event| {
        matches!(event, Event::Environment(_))
    });
    assert!(
        told.to_string().starts_with("THRIFTY_MEMORY_LIMIT: "),
        "{told}"
    );
    assert_eq!(limit::stats().environment_error, Some(told.to_string()));
    let error = EnvironmentError::Limit(ParseLimitError::NotANumber);
    assert_eq!(limit::from_env(), Err(error));
    // SAFETY: as above; the hand that ran the trim does not read it.
    unsafe { std::env::set_var("THRIFTY_MEMORY_LIMIT", "3GiB") };
    // SAFETY: as above.
    unsafe { std::env::set_var("THRIFTY_TRIM_PERCENT", "150") };
    limit::from_env().unwrap();
    let stats = limit::stats();
    assert_eq!(
        (stats.soft_limit_bytes, stats.percent),
        (Some(3 << 30), Some(150))
    );
}

fn what_is_wrong_is_an_error() {
    limit::set_soft(Limit::Bytes(1 << 40)).unwrap();
    assert_eq!(limit::set_soft(Limit::Bytes(0)), Err(LimitError::Zero));
    assert_eq!(
        limit::set_soft(Limit::PercentOfRam(101)),
        Err(LimitError::PercentOutOfRange)
    );
    assert_eq!(
        limit::stats().soft_limit_bytes,
        Some(1 << 40),
        "the old one stays"
    );
    if cfg!(target_os = "linux") {
        limit::set_soft(Limit::PercentOfCgroup(50)).unwrap();
        let half = limit::stats().soft_limit_bytes.unwrap();
        limit::set_soft(Limit::PercentOfRam(100)).unwrap();
        assert!(half <= limit::stats().soft_limit_bytes.unwrap() / 2 + 100);
    }
}

fn a_trim_asks_with_growing_pressure() {
    let (cheap, costly) = (Spare::new(Pressure::Low), Spare::new(Pressure::High));
    let _one = limit::register("cheap", Priority::Cheap, Arc::clone(&cheap));
    let _two = limit::register("costly", Priority::Costly, Arc::clone(&costly));
    cheap.fill(MIB);
    costly.fill(MIB);
    let before = live();
    let trim = limit::trim_now(Pressure::Medium).unwrap();
    assert_eq!((trim.reason, trim.calls), (Reason::Forced, 4));
    assert_eq!(trim.reclaimed_bytes, MIB as u64);
    assert!(live() < before - (MIB as u64) / 2);
    assert_eq!(cheap.asked(), [Pressure::Low, Pressure::Medium]);
    assert_eq!(costly.held(), MIB);
    assert_eq!(
        limit::trim_now(Pressure::High).unwrap().reclaimed_bytes,
        MIB as u64
    );
    assert_eq!(costly.asked().last(), Some(&Pressure::High));
    let stats = limit::stats();
    assert_eq!(stats.reclaimers[1].reclaimed_bytes, MIB as u64);
    assert_eq!(stats.last_trims.len() as u64, stats.num_trim);
    assert!(stats.num_forced >= 2 && stats.trim_total > Duration::ZERO);
}

fn handles_of_all_kinds_register() {
    static FIXED: Does<fn(Pressure) -> usize> = Does(|_| 1);
    let spare = Spare::new(Pressure::Low);
    let weak: Registration = limit::register("weak", Priority::Normal, Arc::downgrade(&spare));
    let by_reference = limit::register("static", Priority::Normal, &FIXED);
    let boxed: Box<dyn Reclaim> = Box::new(Does(|_| 2));
    let boxed = limit::register("boxed", Priority::Normal, boxed);
    let shared: Arc<dyn Reclaim> = spare.clone();
    let shared = limit::register("shared", Priority::Normal, shared);
    spare.fill(100);
    assert_eq!(limit::trim_now(Pressure::Low).unwrap().reclaimed_bytes, 103);
    assert_eq!(weak.name(), "weak");
    drop((by_reference, boxed, shared));
    drop(spare);
    assert_eq!(limit::trim_now(Pressure::High).unwrap().reclaimed_bytes, 0);
}

fn a_dropped_registration_is_silent() {
    let spare = Spare::new(Pressure::Low);
    let registration = limit::register("spare", Priority::Normal, Arc::clone(&spare));
    limit::trim_now(Pressure::Low).unwrap();
    drop(registration);
    assert_eq!(
        Arc::strong_count(&spare),
        1,
        "dropped with its registration"
    );
    limit::trim_now(Pressure::High).unwrap();
    assert_eq!(spare.asked(), [Pressure::Low]);
}

fn a_reclaimer_may_do_anything() {
    let own = Arc::new(Mutex::new(None::<Registration>));
    let calls = Arc::new(AtomicU32::new(0));
    let reclaimer = {
        let (own, calls) = (Arc::clone(&own), Arc::clone(&calls));
        Does(move |pressure| {
            calls.fetch_add(1, Ordering::Relaxed);
            assert_eq!(limit::trim_now(pressure), Err(TrimError::Reentrant));
            assert!(!limit::assist());
            limit::set_soft(Limit::Bytes(1 << 41)).unwrap();
            drop(limit::register("another", Priority::Cheap, Does(|_| 0)));
            let _events = limit::subscribe();
            limit::tune(patient());
            assert_eq!(limit::stats().reclaimers.len(), 1);
            // Its own end, from inside; the value itself is dropped after this call.
            drop(own.lock().unwrap().take());
            drop(vec![0_u8; MIB]);
            7
        })
    };
    *own.lock().unwrap() = Some(limit::register("busy", Priority::Normal, reclaimer));
    let trim = limit::trim_now(Pressure::High).unwrap();
    assert_eq!(trim.reclaimed_bytes, 7);
    assert_eq!(
        calls.load(Ordering::Relaxed),
        1,
        "no call after it was unregistered"
    );
    assert_eq!(Arc::strong_count(&calls), 1, "and it was dropped");
    assert_eq!(limit::stats().soft_limit_bytes, Some(1 << 41));
}

fn a_panicking_one_is_isolated() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("what was thrown, when it is dropped");
        }
    }
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let events = limit::subscribe();
    let _bad = limit::register(
        "bad",
        Priority::Cheap,
        Does(|_| std::panic::panic_any(Bomb)),
    );
    let good = Spare::new(Pressure::Low);
    good.fill(1000);
    let _good = limit::register("good", Priority::Costly, Arc::clone(&good));
    assert_eq!(
        limit::trim_now(Pressure::Low).unwrap().reclaimed_bytes,
        1000
    );
    expect(&events, "the panic", |event| {
        *event == Event::Panicked("bad".into())
    });
    limit::trim_now(Pressure::Low).unwrap();
    std::panic::set_hook(hook);
    let stats = limit::stats();
    assert_eq!(
        (stats.reclaimers[0].panics, stats.reclaimers[0].calls),
        (1, 1),
        "it sits out"
    );
    assert_eq!(stats.reclaimers[1].calls, 2);
}

fn a_blocking_one_is_left_behind() {
    let (free, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let (tell, told) = mpsc::channel::<()>();
    let events = limit::subscribe();
    limit::tune(Tuning::new().with_deadline(Duration::from_millis(500)));
    let stuck = limit::register(
        "stuck",
        Priority::Cheap,
        Does(move |_| {
            blocked.lock().unwrap().recv().unwrap();
            tell.send(()).unwrap();
            0
        }),
    );
    let good = Spare::new(Pressure::Low);
    good.fill(1000);
    let _good = limit::register("good", Priority::Costly, Arc::clone(&good));
    assert_eq!(
        limit::trim_now(Pressure::High).unwrap().reclaimed_bytes,
        1000
    );
    expect(&events, "the delay", |event| {
        *event == Event::Late("stuck".into())
    });
    let stats = limit::stats();
    assert!(stats.reclaimers[0].busy && stats.reclaimers[0].late == 1);
    // Dropped while its call is under way: the call keeps what it uses.
    drop(stuck);
    free.send(()).unwrap();
    told.recv().unwrap();
}

fn the_allocator_wakes_the_controller() {
    let spare = Spare::new(Pressure::Low);
    let _registration = limit::register("spare", Priority::Cheap, Arc::clone(&spare));
    let events = limit::subscribe();
    limit::tune(patient().with_poll(Duration::from_secs(3600)));
    let resident = thrifty_memstats::os::memory().resident_bytes;
    let used = resident.unwrap_or(0).max(live());
    limit::set_soft(Limit::Bytes(used + 100 * MIB as u64)).unwrap();
    let woken = limit::stats().wakeups;
    for _ in 0..150 {
        spare.fill(MIB);
    }
    let event = expect(&events, "a trim", |event| {
        matches!(event, Event::Trimmed(_))
    });
    let Event::Trimmed(trim) = event else {
        unreachable!()
    };
    assert_eq!(trim.reason, Reason::Limit);
    assert!(trim.reclaimed_bytes > 10 * MIB as u64, "{trim}");
    assert!(limit::stats().wakeups <= woken + 10, "no storm");
}

fn growth_wakes_the_controller() {
    let spare = Spare::new(Pressure::Low);
    let _registration = limit::register("spare", Priority::Cheap, Arc::clone(&spare));
    let events = limit::subscribe();
    limit::set_percent(Some(100)).unwrap();
    for _ in 0..32 {
        spare.fill(MIB);
    }
    let event = expect(&events, "a trim", |event| {
        matches!(event, Event::Trimmed(_))
    });
    let Event::Trimmed(trim) = event else {
        unreachable!()
    };
    assert_eq!(trim.reason, Reason::Growth);
    assert!(
        spare
            .asked()
            .iter()
            .all(|&pressure| pressure == Pressure::Low)
    );
}

fn nothing_to_give_is_told() {
    let held = vec![1_u8; 8 * MIB];
    let events = limit::subscribe();
    let before = limit::stats();
    let began = std::time::Instant::now();
    limit::set_soft(Limit::Bytes(MIB as u64)).unwrap();
    let event = expect(&events, "the end", |event| {
        matches!(event, Event::Exhausted { .. })
    });
    assert!(
        event.to_string().starts_with("nothing to give: "),
        "{event}"
    );
    // The program goes on, and the controller stays away.
    for _ in 0..1000 {
        drop(std::hint::black_box(vec![0_u8; 4096]));
    }
    let after = limit::stats();
    assert_eq!(after.exhausted, before.exhausted + 1);
    let cycles = after.num_trim - before.num_trim;
    let most = began.elapsed().as_millis() / 5 + 1;
    assert!(u128::from(cycles) <= most, "{cycles} cycles");
    drop(held);
}

fn releases_are_counted_and_isolated() {
    static RELEASES: AtomicU32 = AtomicU32::new(0);
    static PANIC: AtomicBool = AtomicBool::new(false);
    fn release() {
        RELEASES.fetch_add(1, Ordering::Relaxed);
        assert!(!PANIC.load(Ordering::Relaxed), "on purpose");
    }
    if thrifty_memstats::os::memory().resident_bytes.is_none() {
        println!("releases: SKIPPED, this system does not tell what is resident");
        return;
    }
    limit::set_release(Some(release));
    let trim = limit::trim_now(Pressure::High).unwrap();
    assert!(trim.released && RELEASES.load(Ordering::Relaxed) == 1);
    assert!(!limit::trim_now(Pressure::Medium).unwrap().released);
    PANIC.store(true, Ordering::Relaxed);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let events = limit::subscribe();
    assert!(!limit::trim_now(Pressure::High).unwrap().released);
    std::panic::set_hook(hook);
    expect(&events, "the panic", |event| {
        *event == Event::Panicked("release".into())
    });
    limit::set_release(None);
    assert!(!limit::trim_now(Pressure::High).unwrap().released);
}

fn assist_keeps_a_heap_below_its_limit() {
    let spare = Spare::new(Pressure::High);
    let _registration = limit::register("spare", Priority::Cheap, Arc::clone(&spare));
    let soft = live() + 64 * MIB as u64;
    // Not what is resident, which a debug build under a tool has more of than it frees.
    limit::set_release(None);
    limit::tune(
        patient()
            .with_time_percent(100)
            .with_pauses(Duration::ZERO, Duration::from_millis(1)),
    );
    limit::set_soft(Limit::Bytes(soft)).unwrap();
    let mut most = 0;
    for _ in 0..2000 {
        spare.fill(MIB / 8);
        limit::assist();
        most = live().max(most);
    }
    assert!(
        most <= soft + soft / 20,
        "{most} B live under a limit of {soft} B"
    );
    assert!(spare.asked().contains(&Pressure::High));
}

fn registrations_come_and_go_under_trims() {
    let stop = Arc::new(AtomicBool::new(false));
    let trimming = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || {
            let mut trims = 0;
            while !stop.load(Ordering::Relaxed) || trims < 50 {
                limit::trim_now(Pressure::High).unwrap();
                trims += 1;
            }
        })
    };
    let churners: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..100 {
                    let spare = Spare::new(Pressure::Low);
                    let registration =
                        limit::register("spare", Priority::Normal, Arc::clone(&spare));
                    spare.fill(1000);
                    drop(registration);
                }
            })
        })
        .collect();
    churners
        .into_iter()
        .for_each(|churner| churner.join().unwrap());
    stop.store(true, Ordering::Relaxed);
    trimming.join().unwrap();
}
