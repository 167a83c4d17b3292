//! A program whose pools, caches and arenas would hold several times its soft limit, under that
//! limit: the heap and what is resident stay in bounds, the work goes on, trimming keeps to its time.

use std::{
    alloc::Layout,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use thrifty_arena::{ArenaPool, SharedArena};
use thrifty_fixed_alloc::{ClassAlloc, FixedAlloc, Slab};
use thrifty_interner::Dedup;
use thrifty_memstats::limit::{self, Event, Limit, Priority, Tuning};
use thrifty_pool::{BufferPool, Pool};

#[global_allocator]
static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();

const THREADS: u64 = 2;

/// What a server keeps for later.
struct Spares {
    scratch: Pool<Vec<u64>>,
    buffers: BufferPool,
    arenas: Arc<ArenaPool>,
    names: Arc<Dedup>,
}

impl Spares {
    fn new() -> Self {
        Self {
            scratch: Pool::new(Vec::new),
            buffers: BufferPool::builder()
                .max_idle_bytes(1 << 30)
                .build()
                .expect("the settings are fine"),
            arenas: Arc::new(ArenaPool::new()),
            // So much that the soft limit is what counts.
            names: Arc::new(Dedup::new(1 << 30)),
        }
    }

    fn register(&self) -> [limit::Registration; 4] {
        [
            limit::register("scratch", Priority::Cheap, self.scratch.clone()),
            limit::register("buffers", Priority::Cheap, self.buffers.clone()),
            limit::register("arenas", Priority::Normal, Arc::clone(&self.arenas)),
            limit::register("names", Priority::Costly, Arc::clone(&self.names)),
        ]
    }

    /// One request: in bursts it holds many buffers at once, and some names come again.
    fn request(&self, number: u64, random: &mut u64) -> u64 {
        let burst = if number % 64 == 0 { 24 } else { 1 };
        let mut buffers: Vec<_> = (0..burst)
            .map(|_| self.buffers.get(1 << (10 + next(random) % 8)))
            .collect();
        let mut scratch = self.scratch.get();
        let mut arena = self.arenas.get();
        let mut sum = 0;
        for buffer in &mut buffers {
            let block = [next(random).to_le_bytes()[0]; 1 << 10];
            while buffer.len() < buffer.capacity().min(1 << 16) {
                buffer.extend_from_slice(&block);
            }
            sum = checksum(sum, buffer);
        }
        for _ in 0..100 {
            let name = next(random) >> (next(random) % 48);
            let text = arena.alloc_fmt(format_args!("{name:x} is a name {name:0400}"));
            let shared = self.names.dedup(text);
            assert_eq!(&*shared, text);
            scratch.push(shared.len() as u64);
        }
        arena.reset();
        sum + scratch.iter().sum::<u64>()
    }
}

fn next(random: &mut u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random
}

/// What a request is for, so that it is not memory alone.
fn checksum(mut sum: u64, bytes: &[u8]) -> u64 {
    let rounds = if cfg!(debug_assertions) { 1 } else { 64 };
    for _ in 0..rounds {
        for &byte in black_box(bytes) {
            sum = sum.rotate_left(5) ^ u64::from(byte);
        }
    }
    sum
}

fn live() -> u64 {
    thrifty_memstats::read()
        .expect("it is installed")
        .live_bytes
}

fn resident() -> Option<u64> {
    thrifty_memstats::os::memory().resident_bytes
}

/// What was seen while the threads worked.
struct Seen {
    requests: u64,
    most_live: u64,
    most_resident: Option<u64>,
}

/// Works until `enough` says so, and returns the most that was live after a request.
fn work(spares: &Spares, assist: bool, enough: impl Fn(u64) -> bool + Sync) -> Seen {
    let (most_live, most_resident) = (AtomicU64::new(0), AtomicU64::new(0));
    let requests = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in 1..=THREADS {
            let (most_live, most_resident, requests, stop) =
                (&most_live, &most_resident, &requests, &stop);
            let enough = &enough;
            scope.spawn(move || {
                let mut random = worker.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                while !stop.load(Ordering::Relaxed) {
                    let number = requests.fetch_add(1, Ordering::Relaxed);
                    black_box(spares.request(number, &mut random));
                    if assist {
                        limit::assist();
                    }
                    most_live.fetch_max(live(), Ordering::Relaxed);
                    if number % 16 == 0 {
                        most_resident.fetch_max(resident().unwrap_or(0), Ordering::Relaxed);
                    }
                    if enough(number) {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Seen {
        requests: requests.into_inner(),
        most_live: most_live.into_inner(),
        most_resident: Some(most_resident.into_inner()).filter(|&bytes| bytes > 0),
    }
}

/// The whole story under `limit` bytes; `enough` ends the part in which there is something to give.
fn churn(limit: u64, tuning: Tuning, enough: impl Fn(u64) -> bool + Sync) {
    // Without a limit, so that the rest proves something.
    let too_much = limit + limit / 8;
    let unlimited = work(&Spares::new(), false, |_| live() > too_much);
    assert!(unlimited.most_live > too_much);

    let spares = Spares::new();
    let registrations = spares.register();
    limit::trim_now(thrifty_traits::Pressure::High).expect("no reclaimer is asking");
    let events = limit::subscribe();
    limit::set_soft(Limit::Bytes(limit)).expect("it can be set");
    limit::tune(tuning);
    let before = limit::stats();
    let started = Instant::now();
    let seen = work(&spares, true, enough);
    let (elapsed, after) = (started.elapsed(), limit::stats());
    let trims = after.num_trim - before.num_trim;
    let trimming = after.trim_total - before.trim_total;
    let share = trimming.as_secs_f64() / elapsed.as_secs_f64() * 100.0;
    println!(
        "{} requests in {elapsed:.1?}, {trims} trims of {share:.1} % of the time; at most {} KiB live and {:?} KiB \
         resident under {} KiB\n{after}",
        seen.requests,
        seen.most_live >> 10,
        seen.most_resident.map(|bytes| bytes >> 10),
        limit >> 10,
    );
    for trim in after.last_trims.iter().rev().take(5) {
        println!("{trim}");
    }
    assert!(trims > 0, "the limit was never near");
    assert!(
        seen.most_live <= limit + limit / 20,
        "{} B live",
        seen.most_live
    );
    for trim in &after.last_trims {
        if let (true, Some(resident)) = (trim.released, trim.resident_after) {
            assert!(resident <= limit + limit * 15 / 100, "{trim}");
        }
    }
    // One purse of the window may be spent at once, and the end of a cycle may overdraw it.
    let share_of = |time: Duration| time.mul_f64(f64::from(tuning.time_percent) / 100.0);
    let most = share_of(elapsed + tuning.window) + Duration::from_millis(100);
    assert!(trimming <= most, "{share} % of the time");
    let exhausted = core::iter::from_fn(|| events.try_next())
        .any(|event| matches!(event, Event::Exhausted { .. }));
    assert!(!exhausted, "there was something to give");

    nothing_to_give(limit, &spares);
    drop(registrations);
    limit::set_soft(None).expect("a limit can be taken away");
}

/// What is in use cannot be given back: the controller says so, and stays away.
fn nothing_to_give(limit: u64, spares: &Spares) {
    let events = limit::subscribe();
    limit::tune(Tuning::new());
    let in_use = vec![1_u8; 2 * usize::try_from(limit).expect("it is small")];
    let told = (0..1_000).find_map(|number| {
        black_box(spares.request(number, &mut 7));
        match events.wait(Duration::from_millis(20)) {
            Some(event @ Event::Exhausted { .. }) => Some(event),
            _ => None,
        }
    });
    assert!(told.is_some(), "nobody said that there is nothing to give");
    let (before, started) = (limit::stats().num_trim, Instant::now());
    let requests = work(spares, false, |number| number > 100).requests;
    let cycles = u128::from(limit::stats().num_trim - before);
    assert!(requests > 100, "work goes on");
    assert!(
        cycles <= started.elapsed().as_millis() / 5 + 1,
        "{cycles} cycles"
    );
    drop(in_use);
}

/// What of this workspace can be trimmed registers as its users hold it. Before the churn, which looks
/// at all that is registered.
fn everything_registers() {
    let blocks = FixedAlloc::new(Layout::new::<[u64; 8]>()).expect("a layout like others");
    let pool: Pool<Vec<u8>> = Pool::new(Vec::new);
    let buffers = BufferPool::new();
    let registrations = [
        limit::register("weak pool", Priority::Cheap, pool.downgrade()),
        limit::register("weak buffers", Priority::Cheap, buffers.downgrade()),
        limit::register("blocks", Priority::Cheap, blocks.handle()),
        limit::register("slab", Priority::Normal, Arc::new(Slab::<u64>::new())),
        limit::register("classes", Priority::Normal, Arc::new(ClassAlloc::new())),
        limit::register("arena", Priority::Costly, Arc::new(SharedArena::new())),
    ];
    let trim = limit::trim_now(thrifty_traits::Pressure::High).expect("no reclaimer is asking");
    assert_eq!(trim.calls, 18, "six, at three pressures");
    drop(registrations);
}

#[test]
fn a_program_stays_under_its_soft_limit() {
    everything_registers();
    // On a machine that is busy with other tests, time says nothing.
    let tuning = Tuning::new()
        .with_time_percent(100)
        .with_deadline(Duration::from_secs(60));
    churn(32 << 20, tuning, |number| number >= 1_500);
}

#[test]
#[ignore = "30 seconds: cargo xtask verify deep"]
fn a_program_stays_under_its_soft_limit_for_30_seconds() {
    let end = Instant::now() + Duration::from_secs(30);
    churn(64 << 20, Tuning::new(), move |_| Instant::now() >= end);
}
