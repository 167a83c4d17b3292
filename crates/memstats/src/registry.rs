//! All slots of a process, and what is summed over them.
//!
//! # How a sum is taken
//!
//! Threads count while somebody sums, so a sum is never of one moment. The frees are therefore read
//! twice, before and after the allocations. *Frees first*: each free that is seen brings its
//! allocation with it (ORDERING memstats.freed_bytes), so the difference is never negative and never
//! below the truth. *Allocations first*: the difference is never above what was live in between
//! (ORDERING memstats.between), however long the scanning thread was kept from running; peaks are
//! made of these only. What is reported as live lies between the two. They differ by what was
//! freed during the scan, some hundred bytes unless the thread was descheduled in the middle; then
//! the scan is taken again.
//!
//! # When a peak is looked for
//!
//! Every thread scans after each `interval` bytes that it allocated itself, and when it ends, so
//! the recorded peak is below the true one by at most one interval per live thread: 256 KiB each,
//! more in proportion past 8 threads, so that the scans' share of the time does not grow with the
//! square of the threads; 4 KiB each while a process scope is open. A scan reads a cache line per
//! slot in use and per shard: 30 ns on an idle process and 140 ns beside three threads that
//! allocate without pause (medians on a 4-core x86-64 machine), which is 0.01 to 0.04 ns per
//! 64-byte allocation.
#![forbid(unsafe_code)]

use thrifty_sync::{
    array,
    atomic::{AtomicU32, AtomicU64, AtomicUsize},
    const_unless_loom, fence, ord,
};

use crate::{
    counts::Counts,
    slot::Slot,
    watermark::{Claim, Watermarks},
};

/// Bytes that a thread allocates between two looks for a peak.
pub(crate) const INTERVAL_BYTES: u64 = 256 << 10;
/// The same, while a process scope is open.
pub(crate) const FINE_INTERVAL_BYTES: u64 = 4 << 10;
/// Process scopes that can follow their own peak at the same time.
const SCOPES: usize = 8;

/// `SLOTS` slots for threads of their own and `SHARDS` for the threads that get none.
#[derive(Debug)]
pub(crate) struct Registry<const SLOTS: usize, const SHARDS: usize> {
    slots: [Slot; SLOTS],
    shards: [Slot; SHARDS],
    /// How many slots were ever owned; no slot beyond has a count.
    used: AtomicUsize,
    /// How many process scopes are open.
    scopes: AtomicU32,
    peak_bytes: AtomicU64,
    /// Bytes between two samples of the heap profile, 0 while there are none.
    rate_bytes: AtomicU64,
    watermarks: Watermarks<SCOPES>,
    /// Bytes that a thread allocates between two looks, at most the default.
    #[cfg(feature = "limit")]
    look_bytes: AtomicU64,
}

/// A thread's next sample: its count then, and the rate that it was drawn for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) at: u64,
    pub(crate) rate_bytes: u64,
}

impl Due {
    /// None while there is no sampling.
    #[cfg(any(test, not(feature = "profile")))]
    pub(crate) const NEVER: Self = Self {
        at: u64::MAX,
        rate_bytes: 0,
    };
}

/// How often a reading is taken when threads keep freeing during it.
const SCANS: usize = 4;

/// One sum over everything, with the frees read on both sides of the allocations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan {
    pub(crate) freed_before: Counts,
    pub(crate) allocated: Counts,
    freed_after: Counts,
}

impl Scan {
    /// Live bytes, not below the truth.
    fn at_most(&self) -> u64 {
        live_bytes(self.allocated.plus(self.freed_before))
    }

    /// What was freed during the scan: how far that may be above the truth.
    const fn slack_bytes(&self) -> u64 {
        self.freed_after
            .freed_bytes
            .wrapping_sub(self.freed_before.freed_bytes)
    }
}

/// An open process scope.
#[derive(Debug)]
pub(crate) struct ProcessScope {
    begin: Counts,
    claim: Option<Claim>,
}

impl<const SLOTS: usize, const SHARDS: usize> Registry<SLOTS, SHARDS> {
    const_unless_loom! {
        /// A registry with no owner and all counts at zero.
        pub(crate) const fn new() -> Self {
            Self {
                slots: array!(Slot::new(); SLOTS),
                shards: array!(Slot::new(); SHARDS),
                used: AtomicUsize::new(0),
                scopes: AtomicU32::new(0),
                peak_bytes: AtomicU64::new(0),
                rate_bytes: AtomicU64::new(0),
                watermarks: Watermarks::new(),
                #[cfg(feature = "limit")]
                look_bytes: AtomicU64::new(INTERVAL_BYTES),
            }
        }
    }

    /// Takes a slot for a thread; `None` when all are taken. The slot is disarmed.
    pub(crate) fn claim(&self) -> Option<&Slot> {
        let index = self.slots.iter().position(Slot::try_claim)?;
        // ORDERING(memstats.used): Relaxed; a count in this slot comes later in program order, so
        // who sees the count's effect (memstats.sum_freed_bytes) also sees the slot in use. For a
        // kick, the fences of memstats.kicked and memstats.armed order it.
        self.used.fetch_max(index + 1, ord!(memstats.used, Relaxed));
        Some(&self.slots[index])
    }

    /// A slot, whoever owns it.
    #[cfg(test)]
    pub(crate) fn slot(&self, index: usize) -> &Slot {
        &self.slots[index]
    }

    /// The shard for a thread without a slot; `hint` spreads such threads.
    pub(crate) const fn shard(&self, hint: usize) -> &Slot {
        &self.shards[hint % SHARDS]
    }

    /// Arms the owner's slot up to the next look for a peak, given its count at the last one, or up
    /// to the next sample, which was drawn for a rate. The slot stays disarmed when either is due.
    pub(crate) fn arm(&self, slot: &Slot, last_look: u64, sample: Due) {
        let mut interval = self.interval_bytes();
        loop {
            let at = last_look.saturating_add(interval).min(sample.at);
            if slot.own_allocated_bytes() >= at {
                slot.disarm();
                return;
            }
            slot.arm(at);
            // ORDERING(memstats.armed): SeqCst fence; pairs with memstats.kicked. Either the
            // loads below see the scope that was opened and the rate that was set, or the kicker's
            // store of zero comes after the store above and stays.
            fence!(memstats.armed, SeqCst);
            if self.rate_bytes() != sample.rate_bytes {
                slot.disarm();
                return;
            }
            let now = self.interval_bytes();
            if now >= interval {
                return;
            }
            interval = now;
        }
    }

    /// Bytes between two looks for a peak.
    pub(crate) fn interval_bytes(&self) -> u64 {
        // ORDERING(memstats.scopes): Relaxed; see memstats.armed.
        if self.scopes.load(ord!(memstats.scopes, Relaxed)) != 0 {
            return FINE_INTERVAL_BYTES;
        }
        #[cfg(feature = "limit")]
        // ORDERING(memstats.look_every): Relaxed; see memstats.armed.
        let interval = self.look_bytes.load(ord!(memstats.look_every, Relaxed));
        #[cfg(not(feature = "limit"))]
        let interval = INTERVAL_BYTES;
        interval * (self.in_use().len() as u64 / 8).max(1)
    }

    /// Bytes between two samples, 0 while there are none.
    pub(crate) fn rate_bytes(&self) -> u64 {
        // ORDERING(memstats.rate): Relaxed; see memstats.armed.
        self.rate_bytes.load(ord!(memstats.rate, Relaxed))
    }

    /// Changes the bytes between two samples; every thread draws anew at its next event.
    #[cfg(any(test, feature = "profile"))]
    pub(crate) fn set_rate_bytes(&self, rate_bytes: u64) -> u64 {
        // ORDERING(memstats.rate): Relaxed; the fence of the kick orders it.
        let before = self
            .rate_bytes
            .swap(rate_bytes, ord!(memstats.rate, Relaxed));
        self.kick();
        before
    }

    /// Changes the bytes between two samples from one number to another, unless somebody else did.
    #[cfg(feature = "profile")]
    pub(crate) fn replace_rate_bytes(&self, from: u64, to: u64) -> bool {
        // ORDERING(memstats.rate): Relaxed; the fence of the kick orders it.
        let replaced = self.rate_bytes.compare_exchange(
            from,
            to,
            ord!(memstats.rate, Relaxed),
            ord!(memstats.rate, Relaxed),
        );
        if replaced.is_ok() {
            self.kick();
        }
        replaced.is_ok()
    }

    /// Bytes allocated so far, in a sum of no single moment: a clock that only goes forward. The shards'
    /// lines are read only where threads had to share them; what a thread allocates after its end
    /// is then missing.
    #[cfg(feature = "profile")]
    pub(crate) fn allocated_bytes(&self) -> u64 {
        let slots = self.in_use();
        let are_shared = slots.is_empty() || slots.len() == SLOTS;
        let shards = if are_shared { &self.shards[..] } else { &[] };
        let all = slots.iter().chain(shards);
        all.fold(0, |sum, slot| sum.wrapping_add(slot.own_allocated_bytes()))
    }

    /// Makes every thread pass through its slow path at its next event.
    fn kick(&self) {
        // ORDERING(memstats.kicked): SeqCst fence; pairs with memstats.armed.
        fence!(memstats.kicked, SeqCst);
        self.in_use().iter().for_each(Slot::disarm);
    }

    /// The slots that were ever owned.
    fn in_use(&self) -> &[Slot] {
        // ORDERING(memstats.used): Relaxed; see `claim`.
        &self.slots[..self.used.load(ord!(memstats.used, Relaxed)).min(SLOTS)]
    }

    /// Everything counted so far, with live bytes and blocks that are neither negative nor above
    /// the recorded peak.
    pub(crate) fn read(&self) -> Counts {
        let mut scan = self.scan();
        for _ in 1..SCANS {
            if scan.slack_bytes() == 0 {
                break;
            }
            let again = self.scan();
            if again.slack_bytes() < scan.slack_bytes() {
                scan = again;
            }
        }
        let live = scan.at_most().min(self.peak_bytes());
        Counts {
            freed_bytes: scan.allocated.allocated_bytes.wrapping_sub(live),
            frees: scan.freed_before.frees,
            ..scan.allocated
        }
    }

    /// Sums over the slots in use now and the shards. The slots in use are looked up anew for
    /// each sum: a free that was seen may come from a slot that was not in use before.
    fn sum(&self, of: impl Fn(&Slot) -> Counts) -> Counts {
        self.in_use()
            .iter()
            .chain(&self.shards)
            .map(of)
            .fold(Counts::ZERO, Counts::plus)
    }

    /// Looks whether the live heap is higher than ever, and says how high it is.
    pub(crate) fn observe(&self) -> u64 {
        let (allocated, freed) = self.look();
        live_bytes(allocated.plus(freed))
    }

    /// Has every thread look after so many bytes of its own, if that is sooner than it would
    /// anyway.
    #[cfg(feature = "limit")]
    pub(crate) fn look_every(&self, bytes: u64) {
        // ORDERING(memstats.look_every): Relaxed; the fence of the kick orders it.
        let before = self
            .look_bytes
            .swap(bytes, ord!(memstats.look_every, Relaxed));
        if bytes < before {
            self.kick();
        }
    }

    /// Takes one sum with its bounds.
    pub(crate) fn scan(&self) -> Scan {
        let freed_before = self.sum(Slot::freed);
        let (allocated, freed_after) = self.look();
        Scan {
            freed_before,
            allocated,
            freed_after,
        }
    }

    /// Sums up what was allocated, then what was freed, and raises the peaks to the difference.
    fn look(&self) -> (Counts, Counts) {
        // ORDERING(memstats.scopes): Relaxed; a scope that opens now is not owed this look.
        let seen =
            (self.scopes.load(ord!(memstats.scopes, Relaxed)) != 0).then(|| self.watermarks.see());
        let allocated = self.sum(Slot::allocated);
        // ORDERING(memstats.between): Acquire fence; pairs with memstats.allocated, memstats.grown,
        // memstats.slow_allocated and memstats.shared_allocated. The frees are read after the
        // allocations, so the difference cannot exceed what was live in between.
        fence!(memstats.between, Acquire);
        let freed = self.sum(Slot::freed);
        let live = live_bytes(allocated.plus(freed));
        // ORDERING(memstats.peak): Relaxed; a number that only grows.
        if live > self.peak_bytes.load(ord!(memstats.peak, Relaxed)) {
            self.peak_bytes
                .fetch_max(live, ord!(memstats.peak, Relaxed));
        }
        if let Some(seen) = seen {
            self.watermarks.raise(seen, live);
        }
        (allocated, freed)
    }

    /// The highest live heap that any scan saw.
    pub(crate) fn peak_bytes(&self) -> u64 {
        // ORDERING(memstats.peak): Relaxed; a number that only grows.
        self.peak_bytes.load(ord!(memstats.peak, Relaxed))
    }

    /// Starts to follow the whole process.
    pub(crate) fn open(&self) -> ProcessScope {
        // ORDERING(memstats.scopes): Relaxed; the fence of the kick orders it.
        self.scopes.fetch_add(1, ord!(memstats.scopes, Relaxed));
        self.kick();
        let begin = self.read();
        ProcessScope {
            begin,
            claim: self.watermarks.claim(live_bytes(begin)),
        }
    }

    /// What was counted since the scope was opened, and how far the live heap rose above its
    /// level then.
    pub(crate) fn follow(&self, scope: &ProcessScope) -> (Counts, u64) {
        let end = self.read();
        let peak = scope
            .claim
            .map_or(0, |claim| self.watermarks.read(claim))
            .max(live_bytes(end));
        (
            end.minus(scope.begin),
            peak.saturating_sub(live_bytes(scope.begin)),
        )
    }

    /// Ends a process scope; to be called once.
    pub(crate) fn end(&self, scope: &ProcessScope) {
        if let Some(claim) = scope.claim {
            self.watermarks.release(claim);
        }
        // ORDERING(memstats.scopes): Relaxed; threads find out at their next look for a peak.
        self.scopes.fetch_sub(1, ord!(memstats.scopes, Relaxed));
    }
}

/// Live bytes, or zero where more frees than allocations were seen.
fn live_bytes(reading: Counts) -> u64 {
    u64::try_from(reading.live_bytes()).unwrap_or(0)
}
