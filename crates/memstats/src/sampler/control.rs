//! Starting, stopping and reading the sampler.
#![forbid(unsafe_code)]

use alloc::{string::String, vec::Vec};
use core::time::Duration;
use std::time::SystemTime;

use thrifty_sync::{
    ord,
    sync::{Mutex, MutexGuard},
};

use super::{
    draw::SEED,
    engine::{ENGINE, Engine},
    environment,
    rates::{Began, Chosen},
    sites::Room,
    weight::{MAX_RATE_BYTES, mix},
};
use crate::{
    installed,
    profile::{HeapProfile, ProfileError, RateChange},
    thread::{REGISTRY, unsampled, with_local},
};

const DEFAULT_RATE_BYTES: u64 = 512 << 10;
/// Stacks that are told apart.
const SITES: usize = 8192;
const FRAMES: usize = SITES * 40;
const BUCKETS: usize = SITES * 4;
/// Live bytes for which there is room for samples, at the default rate and above.
const LIVE_BYTES: u64 = 16 << 30;
const MIN_SAMPLES: u64 = 1 << 15;
const MAX_SAMPLES: u64 = 1 << 20;

/// Held by whoever starts or stops the sampler, or changes labels. No hook takes it.
static CONTROL: Mutex<()> = Mutex::new(());
/// What threads called themselves; number 0 is nobody.
static LABELS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The rates that were chosen. No hook takes it.
static CHOSEN: Mutex<Chosen> = Mutex::new(Chosen::new());

/// How to sample the heap; from [`profiling`].
#[derive(Debug, Clone)]
#[must_use = "nothing is sampled before `start`"]
pub struct Profiling {
    rate_bytes: u64,
    seed: Option<u64>,
    fingerprints: bool,
    samples: Option<usize>,
}

/// Sets up the sampling heap profile: which code allocates, and which holds what is in use.
///
/// Of all bytes that the program allocates, one in 512 KiB on average is picked, and the block that
/// it belongs to is followed from its stack to its end. All other allocations cost what counting
/// costs, all other frees a load and a compare more.
///
/// # Memory
///
/// Taken from the system when sampling first starts, resident as far as it is used, and never given
/// back: 144 bytes for each sampled block in use, some two kilobytes for each stack.
///
/// # Concurrency
///
/// The hooks take no lock of this crate's, neither those that sample nor those that do not, and a process that
/// forks goes on sampling in the child.
///
/// The system's unwinder, which takes the stacks that [`Unwinder::Tables`](crate::Unwinder::Tables) does not, finds
/// its tables through the loader, with the loader's lock where there is no way without: with glibc before 2.35, with
/// musl and on macOS. There, a sample in a child waits for good if another thread of the parent was loading a
/// library while it forked, and so does one of a thread that an initialiser of a library waits for while it is loaded.
///
/// Stacks that the program made itself, of coroutines, must end in a way that unwinders know: a return address of 0,
/// or tables that mark the end. Otherwise a sample on one may crash, as a panic on it would.
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// thrifty_memstats::profiling().rate(1).start()?; // every event; 512 KiB is for production
/// let numbers: Vec<u64> = (0..1000).collect();
/// let profile = thrifty_memstats::heap_profile()?;
/// let largest = profile.sites().iter().map(|site| site.inuse_bytes).max();
/// assert_eq!(largest, Some(8000));
/// # drop(numbers);
/// # Ok::<(), thrifty_memstats::ProfileError>(())
/// ```
pub const fn profiling() -> Profiling {
    Profiling {
        rate_bytes: DEFAULT_RATE_BYTES,
        seed: None,
        fingerprints: false,
        samples: None,
    }
}

impl Profiling {
    /// Bytes between two samples, on average: 512 KiB unless said otherwise. At 1, every
    /// allocation is a sample, and the profile is exact.
    pub const fn rate(mut self, bytes: u64) -> Self {
        self.rate_bytes = bytes;
        self
    }

    /// What the random numbers start from, for runs that can be repeated. A thread's samples then
    /// depend on the order in which threads first allocated.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Takes fingerprints of the contents of sampled blocks of alignment 1 (strings, byte buffers) up to 256
    /// bytes when they are freed, to find contents that are held many times over. Off unless asked
    /// for: it reads what the program keeps, if only to hash it. On x86-64 and 64-bit ARM.
    pub const fn fingerprints(mut self, on: bool) -> Self {
        self.fingerprints = on;
        self
    }

    /// Room for so many sampled blocks in use at once, up to 2^26. What finds no room is counted in
    /// [`HeapProfile::dropped`], and doubles the bytes between two samples, whether those were 1 or more:
    /// [`HeapProfile::rates`] says when. Unless said otherwise it suffices for a heap of 16 GiB at the
    /// rate given, and for a million blocks at rate 1. The first start decides.
    pub const fn live_samples(mut self, samples: usize) -> Self {
        self.samples = Some(samples);
        self
    }

    /// Starts sampling, in all threads.
    ///
    /// What was sampled before a stop is kept, and its blocks are still followed: a profile covers all
    /// the time since the first start. [`HeapProfile::delta`] tells two times apart.
    ///
    /// # Errors
    ///
    /// When [`Alloc`](crate::Alloc) is not the global allocator, sampling is going on already, the
    /// rate is 0 or above 2^40, the room is 0 or above 2^26, or the system has no memory.
    pub fn start(self) -> Result<(), ProfileError> {
        installed::check()?;
        let rate = valid(self.rate_bytes)?;
        let samples = self.room()?;
        let _control = lock(&CONTROL);
        if REGISTRY.rate_bytes() != 0 {
            return Err(ProfileError::AlreadyStarted);
        }
        let engine = match ENGINE.get() {
            Some(engine) => engine,
            None => {
                let room = Room {
                    sites: SITES,
                    frames: FRAMES,
                    buckets: BUCKETS,
                };
                let engine = Engine::new(room, samples).ok_or(ProfileError::OutOfMemory)?;
                ENGINE.get_or_init(|| engine)
            }
        };
        if self.fingerprints && !engine.keep_prints(SITES + 1) {
            return Err(ProfileError::OutOfMemory);
        }
        let seed = self.seed.unwrap_or_else(any_seed);
        // ORDERING(memstats.seed_set): Relaxed; the kick below makes it seen in time, and a thread
        // that misses it has another stream of numbers.
        SEED.store(seed, ord!(memstats.seed_set, Relaxed));
        choose(rate);
        Ok(())
    }

    fn room(&self) -> Result<usize, ProfileError> {
        match self.samples {
            Some(samples) if samples == 0 || samples > 1 << 26 => Err(ProfileError::Invalid(
                "room is needed for one sample at least, and for 2^26 at most",
            )),
            Some(samples) => Ok(samples.next_power_of_two().max(8)),
            None => {
                let samples = (LIVE_BYTES / self.rate_bytes).clamp(MIN_SAMPLES, MAX_SAMPLES);
                Ok(usize::try_from(samples.next_power_of_two()).unwrap_or(1 << 15))
            }
        }
    }
}

/// Starts sampling if the environment asks for it, and says whether it did.
///
/// `THRIFTY_HEAP_PROFILE_RATE` holds the bytes between two samples, as `524288` or `512K`; missing,
/// empty or `0` starts nothing. To be called once, early in `main`.
///
/// # Errors
///
/// When the variable holds anything else, and those of [`Profiling::start`].
///
/// # Examples
///
/// ```
/// #[global_allocator]
/// static ALLOC: thrifty_memstats::Alloc = thrifty_memstats::Alloc::system();
///
/// assert!(!thrifty_memstats::profiling_from_env()?, "this example sets no variable");
/// # Ok::<(), thrifty_memstats::ProfileError>(())
/// ```
pub fn profiling_from_env() -> Result<bool, ProfileError> {
    match environment::rate()? {
        None | Some(0) => Ok(false),
        Some(rate) => profiling().rate(rate).start().map(|()| true),
    }
}

/// Stops sampling, and says whether it was going on.
///
/// Blocks that were sampled are followed to their end, also through reallocations, so what is in use
/// stays right.
///
/// # Concurrency
///
/// A thread in the midst of an allocation may still finish a sample.
pub fn stop_profiling() -> bool {
    let _control = lock(&CONTROL);
    REGISTRY.rate_bytes() != 0 && choose(0) != 0
}

/// Changes the bytes between two samples while sampling goes on. Estimates stay without bias, since
/// each sample keeps the weight that it was taken with; only of a block that grows across the change
/// without being a sample yet the weight is an approximation.
///
/// # Errors
///
/// When sampling is not going on, or the rate is 0 or above 2^40.
pub fn set_profiling_rate(bytes: u64) -> Result<(), ProfileError> {
    let rate = valid(bytes)?;
    let _control = lock(&CONTROL);
    if REGISTRY.rate_bytes() == 0 {
        return Err(ProfileError::NotStarted);
    }
    choose(rate);
    Ok(())
}

/// Changes the rate, and writes it down. The caller holds the lock of all who do.
fn choose(rate_bytes: u64) -> u64 {
    let before = REGISTRY.set_rate_bytes(rate_bytes);
    if let Some(engine) = ENGINE.get() {
        lock(&CHOSEN).note(engine.began(rate_bytes));
    }
    before
}

/// The rates that there were, the oldest first.
fn rates(engine: &Engine) -> Vec<RateChange> {
    let change = |is_widened| {
        move |began: Began| RateChange {
            after: Duration::from_nanos(began.nanos),
            rate_bytes: began.rate_bytes,
            is_widened,
        }
    };
    let mut rates: Vec<_> = lock(&CHOSEN).iter().map(change(false)).collect();
    rates.extend(engine.widened.iter().map(change(true)));
    rates.sort_by_key(|change| change.after);
    rates
}

/// Takes a heap profile: all that was sampled so far.
///
/// What it allocates for itself is counted, and in no profile.
///
/// # Errors
///
/// When [`Alloc`](crate::Alloc) is not the global allocator, or sampling was never started.
///
/// # Concurrency
///
/// Other threads go on meanwhile. In every [`Bucket`](crate::Bucket) what is in use is neither negative nor
/// more than what was allocated; different sites are of slightly different moments.
///
/// # Examples
///
/// See [`profiling`].
pub fn heap_profile() -> Result<HeapProfile, ProfileError> {
    let counted = crate::read::read()?;
    let engine = ENGINE.get().ok_or(ProfileError::NotStarted)?;
    Ok(unsampled(|| {
        let mut labels = lock(&LABELS).clone();
        if labels.is_empty() {
            labels.push(String::new());
        }
        engine.snapshot(REGISTRY.rate_bytes(), rates(engine), labels, counted)
    }))
}

/// Gives the calling thread's samples a label from now on, such as the kind of work that it does.
///
/// Threads with the same label count together: the fewer labels, the better. An empty one takes
/// the label away.
///
/// # Errors
///
/// When there are 65535 other labels already, or no memory for another.
///
/// # Examples
///
/// ```
/// thrifty_memstats::label_thread("worker")?;
/// # Ok::<(), thrifty_memstats::ProfileError>(())
/// ```
pub fn label_thread(label: &str) -> Result<(), ProfileError> {
    let number = number_of(label)?;
    with_local(|local| local.draw().set_label(number));
    Ok(())
}

fn number_of(label: &str) -> Result<u16, ProfileError> {
    if label.is_empty() {
        return Ok(0);
    }
    let mut labels = lock(&LABELS);
    if let Some(at) = labels.iter().position(|known| known == label) {
        return u16::try_from(at).map_err(|_| ProfileError::Invalid("too many labels"));
    }
    let at = labels.len().max(1);
    let number = u16::try_from(at).map_err(|_| ProfileError::Invalid("too many labels"))?;
    let mut text = String::new();
    text.try_reserve_exact(label.len())
        .map_err(|_| ProfileError::OutOfMemory)?;
    text.push_str(label);
    labels
        .try_reserve(2)
        .map_err(|_| ProfileError::OutOfMemory)?;
    if labels.is_empty() {
        labels.push(String::new());
    }
    labels.push(text);
    Ok(number)
}

const fn valid(rate_bytes: u64) -> Result<u64, ProfileError> {
    match rate_bytes {
        0 => Err(ProfileError::Invalid("a rate of 0 samples nothing")),
        1..=MAX_RATE_BYTES => Ok(rate_bytes),
        _ => Err(ProfileError::Invalid("the rate is above 2^40 bytes")),
    }
}

/// A number that differs from run to run.
fn any_seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    mix(now.as_secs() ^ u64::from(now.subsec_nanos()) << 32)
        ^ core::ptr::from_ref(&now).addr() as u64
}

/// What the locks guard stays whole if a holder panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
