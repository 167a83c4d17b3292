//! The limit where the system refuses, the process forks, and settings or reclaimers make no sense. Each in
//! a process of its own, because the controller is one per process.
#![expect(clippy::unwrap_used, reason = "tests, with helpers")]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};
use std::time::Duration;

use thrifty_memstats::Alloc;
use thrifty_memstats::limit::{
    self, Event, Events, Limit, LimitError, Priority, TrimError, Tuning,
};
use thrifty_testkit::{Child, in_address_space, in_child, this_test};
use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

/// Longer than anything takes here; nothing waits for so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// A block that is there until it is asked for.
fn spare(bytes: usize) -> impl Reclaim {
    let block = Mutex::new(vec![1_u8; bytes]);
    Does(move |_| std::mem::take(&mut *block.lock().unwrap()).len())
}

#[test]
fn where_no_thread_can_be_had_a_limit_is_refused_and_a_trim_runs_here() {
    let child = Child::new(this_test!()).env("THRIFTY_MEMORY_LIMIT", "1GiB");
    // Half a thread's stack.
    let ended = in_address_space(child, 1 << 20, || {
        let refused = limit::set_soft(Limit::Bytes(1 << 30)).unwrap_err();
        assert!(matches!(refused, LimitError::Thread(_)), "{refused:?}");
        let text = refused.to_string();
        assert!(text.contains("thread could not be started: "), "{text}");
        let refused = limit::set_percent(Some(100)).unwrap_err();
        assert!(matches!(refused, LimitError::Thread(_)), "{refused:?}");
        let stats = limit::stats();
        assert_eq!((stats.soft_limit_bytes, stats.percent), (None, None));
        let told = stats.environment_error.unwrap();
        assert!(
            told.starts_with("THRIFTY_MEMORY_LIMIT") && told.contains("thread"),
            "{told}"
        );
        assert!(!limit::assist(), "nothing is limited");

        let here = std::thread::current().id();
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let _registration = limit::register(
            "here",
            Priority::Normal,
            Does(move |pressure| {
                assert_eq!(std::thread::current().id(), here);
                assert_eq!(limit::trim_now(pressure), Err(TrimError::Reentrant));
                counted.fetch_add(1, Ordering::Relaxed);
                0
            }),
        );
        assert_eq!(limit::trim_now(Pressure::High).unwrap().calls, 3);
        assert_eq!(calls.load(Ordering::Relaxed), 3);
        limit::set_soft(None).unwrap();
        limit::set_percent(None).unwrap();
    });
    if let Some(ended) = ended {
        ended.assert_returned();
    }
}

/// What a child does that has forked: all that the parent could.
#[cfg(unix)]
fn a_forked_child_goes_on() {
    limit::tune(Tuning::new());
    let kept = limit::register("child's", Priority::Cheap, spare(1 << 20));
    let trim = limit::trim_now(Pressure::High).unwrap();
    assert!(trim.reclaimed_bytes >= 1 << 20, "{trim}");
    // The parent's thread is not here: the limit needs one of the child's own.
    let events = limit::subscribe();
    limit::set_soft(Limit::Bytes(1)).unwrap();
    expect(&events, "the child's own controller", |event| {
        matches!(event, Event::Trimmed(_))
    });
    drop(kept);
    limit::set_soft(None).unwrap();
}

/// Forks of a process with threads are nothing for these tools, which it says.
#[cfg(unix)]
fn forks_are_not_followed() -> bool {
    thrifty_testkit::is_skipped_under(&["valgrind", "tsan"], "a fork, and it follows none")
}

#[cfg(unix)]
#[test]
fn a_forked_child_has_a_controller_of_its_own() {
    if forks_are_not_followed() {
        return;
    }
    in_child!(|| {
        limit::set_soft(Limit::Bytes(1 << 40)).unwrap();
        let _kept = limit::register("parent's", Priority::Cheap, spare(1 << 20));
        // From here on a second thread waits for jobs, which the child does not have either.
        limit::trim_now(Pressure::Low).unwrap();
        thrifty_testkit::fork(3, std::thread::yield_now, a_forked_child_goes_on)
            .assert_all_returned();
        // And the parent's are as before.
        let events = limit::subscribe();
        limit::set_soft(Limit::Bytes(1)).unwrap();
        expect(&events, "the parent's controller", |event| {
            matches!(event, Event::Trimmed(_))
        });
    })
    .assert_returned();
}

#[cfg(unix)]
#[test]
fn a_fork_amid_a_cycle_leaves_the_child_free() {
    if forks_are_not_followed() {
        return;
    }
    in_child!(|| {
        limit::tune(Tuning::new().with_deadline(PATIENCE));
        let calls = Arc::new(AtomicU32::new(0));
        let (begun, has_begun) = std::sync::mpsc::channel();
        let (free, blocked) = std::sync::mpsc::channel::<()>();
        let (counted, blocked) = (Arc::clone(&calls), Mutex::new(blocked));
        let registration = limit::register(
            "blocks",
            Priority::Normal,
            Does(move |_| {
                if counted.fetch_add(1, Ordering::Relaxed) == 0 {
                    begun.send(()).unwrap();
                    blocked.lock().unwrap().recv().unwrap();
                }
                0
            }),
        );
        let cycle = std::thread::spawn(|| limit::trim_now(Pressure::Low).unwrap());
        has_begun.recv().unwrap();
        thrifty_testkit::fork(3, std::thread::yield_now, || {
            // The call that was under way in the parent is none of the child's.
            assert!(!limit::stats().reclaimers[0].busy);
            let before = calls.load(Ordering::Relaxed);
            limit::trim_now(Pressure::Low).unwrap();
            assert_eq!(calls.load(Ordering::Relaxed), before + 1);
            a_forked_child_goes_on();
        })
        .assert_all_returned();
        free.send(()).unwrap();
        cycle.join().unwrap();
        drop(registration);
    })
    .assert_returned();
}

#[test]
fn no_setting_stops_the_controller() {
    in_child!(|| {
        let events = limit::subscribe();
        let mut nonsense = Tuning::new();
        nonsense.min_pause = Duration::from_secs(9);
        nonsense.max_pause = Duration::ZERO;
        nonsense.poll = Duration::ZERO;
        nonsense.window = Duration::ZERO;
        nonsense.time_percent = u32::MAX;
        nonsense.deadline = Duration::MAX;
        nonsense.least_growth_goal_bytes = u64::MAX;
        limit::tune(nonsense);
        limit::set_percent(Some(u32::MAX)).unwrap();
        limit::set_soft(Limit::Bytes(1)).unwrap();
        expect(&events, "a cycle", |event| {
            matches!(event, Event::Trimmed(_))
        });
        let mut other = Tuning::new();
        (other.time_percent, other.max_pause) = (0, Duration::MAX);
        (other.window, other.poll) = (Duration::MAX, Duration::MAX);
        limit::tune(other);
        limit::set_soft(None).unwrap();
        limit::tune(Tuning::new());
        limit::set_soft(Limit::Bytes(1)).unwrap();
        expect(&events, "another", |event| {
            matches!(event, Event::Trimmed(_))
        });
    })
    .assert_returned();
}

#[test]
fn who_says_that_it_gave_and_did_not_is_found_out() {
    in_child!(|| {
        let events = limit::subscribe();
        limit::tune(Tuning::new().with_pauses(Duration::from_micros(1), Duration::from_millis(1)));
        let _liar = limit::register("liar", Priority::Cheap, Does(|_| usize::MAX));
        let in_use = vec![1_u8; 4 << 20];
        limit::set_soft(Limit::Bytes(1 << 20)).unwrap();
        expect(&events, "the truth", |event| {
            matches!(event, Event::Exhausted { .. })
        });
        expect(&events, "what comes of it", |event| {
            *event == Event::Demoted("liar".into())
        });
        assert!(limit::stats().reclaimers[0].demoted);
        assert!(limit::stats().last_trims.iter().all(|trim| !trim.satisfied));
        drop(in_use);
    })
    .assert_returned();
}

#[test]
fn registrations_made_and_ended_by_reclaimers_hold() {
    in_child!(|| {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let victim = limit::register("victim", Priority::Costly, spare(1000));
        kept.lock().unwrap().push(victim);
        let registry = Arc::clone(&kept);
        let _busy = limit::register(
            "busy",
            Priority::Cheap,
            Does(move |_| {
                // Ends those that the cycle has yet to come to, and leaves a new one.
                let ended = std::mem::take(&mut *registry.lock().unwrap());
                let fresh = limit::register("fresh", Priority::Cheap, spare(500));
                registry.lock().unwrap().push(fresh);
                drop(ended);
                0
            }),
        );
        let trim = limit::trim_now(Pressure::Low).unwrap();
        assert_eq!(
            (trim.calls, trim.reclaimed_bytes),
            (1, 0),
            "the victim was not asked"
        );
        let names: Vec<_> = limit::stats()
            .reclaimers
            .iter()
            .map(|one| one.name.to_string())
            .collect();
        assert_eq!(names, ["busy", "fresh"]);
        let fresh = kept.lock().unwrap().pop();
        assert_eq!(limit::trim_now(Pressure::Low).unwrap().reclaimed_bytes, 500);
        drop(fresh);
    })
    .assert_returned();
}

#[test]
fn the_last_256_cycles_are_kept() {
    in_child!(|| {
        for _ in 0..300 {
            limit::trim_now(Pressure::Low).unwrap();
        }
        let stats = limit::stats();
        assert_eq!((stats.num_trim, stats.num_forced), (300, 300));
        let numbers = stats.last_trims.iter().map(|trim| trim.number);
        assert!(numbers.eq(45..=300));
    })
    .assert_returned();
}

#[test]
fn a_setting_of_the_environment_that_is_wrong_is_told_and_nothing_is_set() {
    for (limit, percent, says) in [
        ("lots", "100", "THRIFTY_MEMORY_LIMIT: "),
        ("1GiB", "-1", "THRIFTY_TRIM_PERCENT "),
        ("1GiB", "50%%", "THRIFTY_TRIM_PERCENT "),
        ("1GiB", "+50", "THRIFTY_TRIM_PERCENT "),
        ("0", "100", "THRIFTY_MEMORY_LIMIT: "),
    ] {
        Child::new(this_test!())
            .env("THRIFTY_MEMORY_LIMIT", limit)
            .env("THRIFTY_TRIM_PERCENT", percent)
            .run(|| {
                let events = limit::subscribe();
                limit::trim_now(Pressure::Low).unwrap();
                let told = expect(&events, "the error", |event| {
                    matches!(event, Event::Environment(_))
                });
                assert!(told.to_string().starts_with(says), "{told}");
                let stats = limit::stats();
                assert_eq!(stats.environment_error, Some(told.to_string()));
                assert_eq!((stats.soft_limit_bytes, stats.percent), (None, None));
            })
            .assert_returned();
    }
}

#[cfg(unix)]
#[test]
fn a_setting_that_is_no_text_is_an_error() {
    #[expect(unsafe_code, reason = "sets a variable of the environment")]
    fn body() {
        use std::os::unix::ffi::OsStrExt as _;
        let broken = std::ffi::OsStr::from_bytes(b"1GiB\xff");
        // SAFETY: in a process of its own, whose other thread waits for this one.
        unsafe { std::env::set_var("THRIFTY_MEMORY_LIMIT", broken) };
        let error = limit::from_env().unwrap_err();
        assert!(
            error.to_string().starts_with("THRIFTY_MEMORY_LIMIT: "),
            "{error}"
        );
        assert_eq!(limit::stats().soft_limit_bytes, None);
    }
    in_child!(body).assert_returned();
}
