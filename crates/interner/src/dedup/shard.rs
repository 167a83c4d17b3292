//! One shard: its tables under a lock, who is let in, and who has to go.
//!
//! The policy is S3-FIFO (Yang et al., SOSP 2023) with bytes in place of objects: new keys wait in a small
//! queue for a tenth of the blocks' bytes, and go to the main queue if they are asked for again before they reach its
//! head, or are evicted; the main queue is a clock. What was evicted from the small queue is remembered by its
//! hash ([`Seen`]) and starts in the main queue when it comes back. A stream of keys that never come back
//! thus passes through the tenth and leaves the rest alone. State per entry: two bits, which a hit writes
//! under the lock that it holds anyway, and at most three times.
//!
//! Hits in a thousand lookups, at limits of 1, 3, 10 and 33 hundredths of what all keys would take (the seeded
//! corpora of `thrifty-workloads`, one shard, 2026-11-22; all but the last row simulated with exact memories,
//! 37 bytes a key and no tables, ours as it ships, from which its tables are taken):
//!
//! | policy | log tokens | Zipf words | URLs | words, 30 % unique ids |
//! |---|---|---|---|---|
//! | FIFO | 757 820 851 881 | 428 555 678 823 | 21 58 139 340 | 407 485 552 614 |
//! | LRU | 803 844 862 887 | 472 597 716 851 | 22 62 150 361 | 440 517 583 638 |
//! | CLOCK | 808 845 862 887 | 484 608 725 856 | 23 65 156 367 | 450 527 592 643 |
//! | SIEVE | 834 851 864 886 | 575 672 764 869 | 49 97 187 381 | 527 578 617 646 |
//! | S3-FIFO | 838 854 866 888 | 573 677 769 870 | 61 113 199 383 | 541 594 625 646 |
//! | ours | 838 853 866 887 | 575 672 767 860 | 60 110 193 380 | 543 593 624 646 |
//!
//! Letting keys into the main queue only after two uses, or small queues of a fifth, lost up to 12; one of a twentieth
//! won up to 4, on these corpora, which do not drift. With second sightings, ours had between 7 more (words, the
//! smallest limit) and 72 less (URLs, the largest).
//!
//! Nothing is allocated, freed or called back under the lock: new tables come in through [`Spare`], what is
//! evicted goes out through [`Garbage`], and [`State::admit`] is called again until it says what became of
//! the key. Each call looks the key up anew.

#![forbid(unsafe_code)]

use thrifty_sync::sync::{Mutex, MutexGuard};

use super::seen::Seen;
use super::tables::{Queue, Tables};
use crate::error::InternError;
use crate::key::Key;
use crate::shared::{Shared, block::offset};

/// How many second chances one eviction gives to keys that were used, so that it takes bounded time.
const CHANCES: u32 = 64;

/// How many of those that others hold it passes over: to evict one loses sharing and frees nothing.
const HELD_CHANCES: u32 = 4;

/// The small queue is to have one part in so many of the bytes.
const SMALL_PART: usize = 10;

/// A key larger than one part in so many of a shard's bytes is not cached: it would push out too many.
pub(crate) const LARGEST_PART: usize = 4;

/// What a shard does, the same for all shards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How many bytes it may keep, without its own.
    pub(crate) budget: usize,
    pub(crate) evicts: bool,
    /// Keys are let in when they are met for the second time.
    pub(crate) doorkeeper: bool,
}

/// What a shard counts under its lock.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evictions: u64,
    pub(crate) unshared: u64,
}

/// Aligned, so that no two shards' locks share a line, nor a pair of lines that is fetched together.
#[repr(align(128))]
pub(crate) struct Shard<K: ?Sized + Key>(Mutex<State<K>>);

pub(crate) struct State<K: ?Sized + Key> {
    pub(crate) tables: Tables<K>,
    pub(crate) seen: Option<Seen>,
    pub(crate) counts: Counts,
}

/// What became of a key that was not there.
pub(crate) enum Step<K: ?Sized + Key> {
    /// Somebody else has inserted it meanwhile.
    Found(Shared<K>),
    /// It is cached.
    Kept,
    /// It is not let in.
    Apart,
    /// There is no room for it.
    Full,
    /// To be called again with tables for so many entries, more than now.
    Grow(usize),
    /// To be called again with tables for so many entries, fewer than now.
    Shrink(usize),
    /// To be called again with a memory of so many sets.
    Remember(usize),
    /// To be called again when the garbage is gone.
    Again,
}

/// What was allocated before the lock was taken, and what is to be freed when it is released.
struct Spare<K: ?Sized + Key> {
    tables: Option<Tables<K>>,
    /// Tables that were replaced, to be freed.
    old: Option<Tables<K>>,
    seen: Option<Seen>,
    /// There was no memory for it: to go without.
    no_seen: bool,
    /// There was no memory for smaller tables: to keep these.
    no_shrink: bool,
}

impl<K: ?Sized + Key> Spare<K> {
    const fn new() -> Self {
        Self {
            tables: None,
            old: None,
            seen: None,
            no_seen: false,
            no_shrink: false,
        }
    }

    /// To be called again with a memory of hashes, if there is to be one and none was brought along.
    fn wants_seen(&self, rules: Rules) -> Option<Step<K>> {
        let sets = Seen::sets_for(rules.budget);
        let is_missing = self.seen.is_none() && !self.no_seen && sets > 0;
        is_missing.then_some(Step::Remember(sets))
    }
}

/// Handles that were evicted, until the lock is released.
pub(crate) struct Garbage<K: ?Sized + Key> {
    handles: [Option<Shared<K>>; 16],
    len: usize,
}

impl<K: ?Sized + Key> Garbage<K> {
    pub(crate) const fn new() -> Self {
        Self {
            handles: [const { None }; 16],
            len: 0,
        }
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.len == self.handles.len()
    }

    /// # Panics
    ///
    /// If it is full.
    pub(crate) fn push(&mut self, handle: Shared<K>) {
        self.handles[self.len] = Some(handle);
        self.len += 1;
    }

    /// Drops the handles. Not to be called under a lock.
    pub(crate) fn clear(&mut self) {
        for handle in &mut self.handles[..self.len] {
            *handle = None;
        }
        self.len = 0;
    }
}

impl<K: ?Sized + Key> Shard<K> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State {
            tables: Tables::new(),
            seen: None,
            counts: Counts::default(),
        }))
    }

    /// No code of a user's runs under the lock, and nothing panics there but where an invariant is broken.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.0.lock().unwrap_or_else(|lock| lock.into_inner())
    }

    /// The key, if it is cached.
    #[inline]
    pub(crate) fn look(&self, hash: u32, bytes: &[u8]) -> Option<Shared<K>> {
        let mut state = self.lock();
        let Some(entry) = state.tables.find(hash, bytes) else {
            state.counts.misses += 1;
            return None;
        };
        state.counts.hits += 1;
        state.tables.lend(entry)
    }

    /// Whether there may be room for a key where nothing is evicted; asked before it is copied.
    pub(crate) fn might_take(&self, key: &K, rules: Rules) -> bool {
        let need = offset(K::ALIGN).saturating_add(key.as_bytes().len());
        let left = || {
            let state = self.lock();
            let used = state.used_bytes() - state.bytes_from_shrinking();
            rules.budget.saturating_sub(used)
        };
        // Who is seen for the first time by a doorkeeper gets a copy, whatever room there is.
        need <= rules.budget / LARGEST_PART && (rules.doorkeeper || need <= left())
    }

    /// Caches a key that [`look`](Self::look) has not found. The handle that comes back is the cached one, or
    /// the one that came in.
    ///
    /// # Errors
    ///
    /// Why the key is not cached, if not by the doorkeeper's judgement: [`MemoryLimit`](InternError::MemoryLimit)
    /// of the budget, or no memory for the tables. The handle comes back too.
    pub(crate) fn insert_cold(
        &self,
        hash: u32,
        fresh: Shared<K>,
        rules: Rules,
    ) -> Result<Shared<K>, (Shared<K>, InternError)> {
        let mut spare = Spare::new();
        let mut garbage = Garbage::new();
        loop {
            let step = self
                .lock()
                .admit(hash, &fresh, rules, &mut spare, &mut garbage);
            garbage.clear();
            spare.old = None;
            match step {
                Step::Found(handle) => return Ok(handle),
                Step::Kept | Step::Apart => return Ok(fresh),
                Step::Full => {
                    let limit_bytes = rules.budget;
                    return Err((fresh, InternError::MemoryLimit { limit_bytes }));
                }
                Step::Grow(room) => match Tables::try_with_room(room) {
                    Ok(tables) => spare.tables = Some(tables),
                    Err(error) => return Err((fresh, error)),
                },
                Step::Shrink(room) => match Tables::try_with_room(room) {
                    Ok(tables) => spare.tables = Some(tables),
                    Err(_) => spare.no_shrink = true,
                },
                Step::Remember(sets) => match Seen::try_new(sets) {
                    Ok(seen) => spare.seen = Some(seen),
                    Err(_) => spare.no_seen = true,
                },
                Step::Again => {}
            }
        }
    }
}

impl<K: ?Sized + Key> State<K> {
    /// Takes all keys and tables out, for the caller to drop when the lock is released.
    pub(crate) fn take(&mut self) -> (Tables<K>, Option<Seen>) {
        let tables = core::mem::replace(&mut self.tables, Tables::new());
        (tables, self.seen.take())
    }

    /// What the shard keeps: tables, memory of hashes, and blocks.
    pub(crate) fn used_bytes(&self) -> usize {
        let seen = self.seen.as_ref().map_or(0, Seen::bytes);
        self.tables.bytes() + seen + self.tables.block_bytes()
    }

    fn admit(
        &mut self,
        hash: u32,
        fresh: &Shared<K>,
        rules: Rules,
        spare: &mut Spare<K>,
        garbage: &mut Garbage<K>,
    ) -> Step<K> {
        if let Some(entry) = self.tables.find(hash, fresh.bytes()) {
            return self.tables.lend(entry).map_or(Step::Full, Step::Found);
        }
        let need = fresh.block_bytes();
        if need > rules.budget / LARGEST_PART {
            return Step::Full;
        }
        if let Err(step) = self.remember(rules, spare, garbage) {
            return step;
        }
        let is_known = match &mut self.seen {
            Some(seen) if rules.doorkeeper => seen.note(hash),
            Some(seen) => seen.has(hash),
            None => false,
        };
        if rules.doorkeeper && self.seen.is_some() && !is_known {
            self.counts.unshared += 1;
            return Step::Apart;
        }
        if let Err(step) = self.make_entry_room(rules, spare, garbage, need) {
            return step;
        }
        if let Err(step) = self.make_byte_room(rules, spare, garbage, need) {
            return step;
        }
        let queue = if is_known { Queue::Main } else { Queue::Small };
        match self.tables.push(queue, hash, fresh.clone()) {
            Ok(()) => Step::Kept,
            // Not the last handle: `fresh` is there.
            Err(_) => Step::Full,
        }
    }

    /// Puts a memory of hashes in its place, once there is one: from the first eviction on, and with a doorkeeper
    /// from the start.
    fn remember(
        &mut self,
        rules: Rules,
        spare: &mut Spare<K>,
        garbage: &mut Garbage<K>,
    ) -> Result<(), Step<K>> {
        if self.seen.is_some() {
            return Ok(());
        }
        if let Some(seen) = &spare.seen {
            let bytes = seen.bytes();
            self.make_byte_room(rules, spare, garbage, bytes)?;
            self.seen = spare.seen.take();
        } else if rules.doorkeeper {
            return spare.wants_seen(rules).map_or(Ok(()), Err);
        }
        Ok(())
    }

    /// Makes room for one entry in the tables: by larger ones if the budget has room for them.
    fn make_entry_room(
        &mut self,
        rules: Rules,
        spare: &mut Spare<K>,
        garbage: &mut Garbage<K>,
        need: usize,
    ) -> Result<(), Step<K>> {
        if !self.tables.is_full() {
            return Ok(());
        }
        let room = self.tables.next_room();
        let others = self.used_bytes() - self.tables.bytes() + need;
        let fits = |bytes: usize| others.saturating_add(bytes) <= rules.budget;
        let is_larger = |new: &mut Tables<K>| new.room() > self.tables.room() && fits(new.bytes());
        if let Some(new) = spare.tables.take_if(is_larger) {
            self.replace_tables(new, spare);
            return Ok(());
        }
        if room > self.tables.room() && fits(Tables::<K>::bytes_for(room)) {
            return Err(Step::Grow(room));
        }
        self.evict_one(rules, spare, garbage)
    }

    /// Shrinks and evicts until the budget has room for `need` bytes.
    fn make_byte_room(
        &mut self,
        rules: Rules,
        spare: &mut Spare<K>,
        garbage: &mut Garbage<K>,
        need: usize,
    ) -> Result<(), Step<K>> {
        while self.used_bytes().saturating_add(need) > rules.budget {
            if !self.shrink_half_empty(spare)? {
                self.evict_one(rules, spare, garbage)?;
            }
        }
        Ok(())
    }

    /// Goes over to smaller tables where half of the entries are free, and says whether it did. Keys are larger than they were,
    /// or were trimmed: the tables that many small ones needed would else keep their bytes for ever. To get here took as many
    /// removals as entries are moved.
    fn shrink_half_empty(&mut self, spare: &mut Spare<K>) -> Result<bool, Step<K>> {
        let Some(enough) = self.room_to_shrink_to().filter(|_| !spare.no_shrink) else {
            return Ok(false);
        };
        let (len, room) = (self.tables.len(), self.tables.room());
        let is_smaller = |new: &mut Tables<K>| (len + 1..room).contains(&new.room());
        let Some(new) = spare.tables.take_if(is_smaller) else {
            return Err(Step::Shrink(enough));
        };
        self.replace_tables(new, spare);
        Ok(true)
    }

    /// How many entries are enough, if that is much less than there is room for.
    fn room_to_shrink_to(&self) -> Option<usize> {
        let (len, room) = (self.tables.len(), self.tables.room());
        let enough = (len + len / 4 + 1).max(Tables::<K>::LEAST_ROOM);
        (len <= room / 2 && enough < room).then_some(enough)
    }

    fn bytes_from_shrinking(&self) -> usize {
        self.room_to_shrink_to().map_or(0, |room| {
            self.tables
                .bytes()
                .saturating_sub(Tables::<K>::bytes_for(room))
        })
    }

    /// Moves all keys into tables that have room for them. The old ones are freed when the lock is released: there are no
    /// others by then, since each call of [`admit`](Self::admit) comes with one set of tables at most.
    fn replace_tables(&mut self, mut new: Tables<K>, spare: &mut Spare<K>) {
        self.tables.move_into(&mut new);
        spare.old = Some(core::mem::replace(&mut self.tables, new));
    }

    fn evict_one(
        &mut self,
        rules: Rules,
        spare: &Spare<K>,
        garbage: &mut Garbage<K>,
    ) -> Result<(), Step<K>> {
        if !rules.evicts {
            return Err(Step::Full);
        }
        if self.seen.is_none() {
            spare.wants_seen(rules).map_or(Ok(()), Err)?;
        }
        if garbage.is_full() {
            return Err(Step::Again);
        }
        let queue = self.victim();
        let Some((hash, handle)) = self.tables.pop(queue) else {
            return Err(Step::Full);
        };
        if let (Queue::Small, Some(seen)) = (queue, &mut self.seen) {
            seen.note(hash);
        }
        self.counts.evictions += 1;
        garbage.push(handle);
        Ok(())
    }

    /// Passes over those that get another chance; the first of the queue that it names is to go.
    fn victim(&mut self) -> Queue {
        let (mut chances, mut held_chances) = (CHANCES, HELD_CHANCES);
        loop {
            let tables = &mut self.tables;
            let small_is_over =
                tables.queue_bytes(Queue::Small) > tables.block_bytes() / SMALL_PART;
            let queue = match (small_is_over, tables.queue_len(Queue::Main)) {
                (true, _) | (false, 0) => Queue::Small,
                (false, _) => Queue::Main,
            };
            let Some(first) = tables.first(queue) else {
                return queue;
            };
            let uses = first.uses;
            if uses > 0 && chances > 0 {
                chances -= 1;
                let left = if queue == Queue::Small { 0 } else { uses - 1 };
                tables.requeue(queue, Queue::Main, left);
            } else if queue == Queue::Main && held_chances > 0 && first.handle.is_held() {
                held_chances -= 1;
                tables.requeue(Queue::Main, Queue::Main, uses);
            } else {
                return queue;
            }
        }
    }
}
