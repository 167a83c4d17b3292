//! Giving memory back: what nobody holds, a few keys at a time.

#![forbid(unsafe_code)]

use thrifty_traits::{MemoryUsage, Pressure, Reclaim, Reclaimed, Usage};

use super::shard::{Garbage, Shard, State};
use super::tables::{Queue, Tables};
use super::{Dedup, key_overhead};
use crate::key::Key;

/// How many keys are looked at under one lock, so that nobody waits for long.
const BATCH: usize = 64;

/// Of how many keys of a shard [`MemoryUsage`] looks whether somebody holds them.
const SAMPLE: usize = 64;

impl<K: ?Sized + Key, S> Dedup<K, S> {
    /// Forgets keys that nobody holds; each costs a copy more when it comes again.
    ///
    /// - [`Low`](Pressure::Low): those that were not asked for since they came, or since the last trim;
    /// - [`Medium`](Pressure::Medium): all;
    /// - [`High`](Pressure::High): all, and the tables shrink to what is left.
    ///
    /// Keys that somebody holds stay: to forget them would free nothing. No lock is held for more than a few
    /// keys at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::{Dedup, Pressure};
    ///
    /// let hosts: Dedup = Dedup::new(1 << 20);
    /// let held = hosts.dedup("db-1");
    /// let _ = hosts.dedup("db-2");
    /// assert_eq!(hosts.trim(Pressure::Medium).items, 1);
    /// assert_eq!(hosts.get("db-1"), Some(held));
    /// ```
    pub fn trim(&self, pressure: Pressure) -> Reclaimed {
        let shards = self.shards.get().map_or(&[][..], |made| made.all());
        shards.iter().map(|shard| trim_one(shard, pressure)).sum()
    }
}

fn trim_one<K: ?Sized + Key>(shard: &Shard<K>, pressure: Pressure) -> Reclaimed {
    let mut freed = Reclaimed::new();
    let mut garbage = Garbage::new();
    for queue in Queue::BOTH {
        let mut left = shard.lock().tables.queue_len(queue);
        while left > 0 {
            let looked_at =
                shard
                    .lock()
                    .look_over(queue, left.min(BATCH), pressure, &mut garbage, &mut freed);
            garbage.clear();
            if looked_at == 0 {
                break;
            }
            left -= looked_at;
        }
    }
    if pressure == Pressure::High {
        freed += shrink(shard);
    }
    freed
}

impl<K: ?Sized + Key> State<K> {
    /// Looks at the first keys of a queue: they go, or to its end. Says at how many.
    fn look_over(
        &mut self,
        queue: Queue,
        most: usize,
        pressure: Pressure,
        garbage: &mut Garbage<K>,
        freed: &mut Reclaimed,
    ) -> usize {
        for looked_at in 0..most {
            let Some(first) = self.tables.first(queue) else {
                return looked_at;
            };
            let is_used = pressure == Pressure::Low && first.uses > 0;
            if is_used || first.handle.is_held() {
                self.tables.requeue(queue, queue, 0);
                continue;
            }
            if garbage.is_full() {
                return looked_at;
            }
            if let Some((_, handle)) = self.tables.pop(queue) {
                // Nobody else has a handle, nor can get one any more: the block goes with this one.
                let bytes = handle.block_bytes();
                *freed += Reclaimed::new().with_bytes(bytes).with_items(1);
                garbage.push(handle);
            }
        }
        most
    }
}

/// Moves what is left into tables of its size. Where there is no memory for them, the old ones stay.
fn shrink<K: ?Sized + Key>(shard: &Shard<K>) -> Reclaimed {
    let (len, room) = {
        let state = shard.lock();
        (state.tables.len(), state.tables.room())
    };
    let enough = (len + len / 8).max(Tables::<K>::LEAST_ROOM);
    let new = match len {
        0 => Some(Tables::new()),
        _ if enough < room => Tables::try_with_room(enough).ok(),
        _ => None,
    };
    let mut state = shard.lock();
    let before = state.used_bytes();
    let seen = state.seen.take();
    let mut old = Tables::new();
    if let Some(mut new) = new {
        if state.tables.len() <= new.room() && new.bytes() < state.tables.bytes() {
            state.tables.move_into(&mut new);
            old = core::mem::replace(&mut state.tables, new);
        }
    }
    let bytes = before.saturating_sub(state.used_bytes());
    drop(state);
    // Freed here, and not under the lock.
    drop((seen, old));
    Reclaimed::new().with_bytes(bytes)
}

impl<K: ?Sized + Key, S: Send + Sync> Reclaim for Dedup<K, S> {
    fn reclaim(&self, pressure: Pressure) -> Reclaimed {
        self.trim(pressure)
    }
}

/// In use are the bytes of keys that somebody holds, idle those of the others, estimated from up to 64 keys of
/// each shard; reserved is what the limit counts.
impl<K: ?Sized + Key, S> MemoryUsage for Dedup<K, S> {
    fn memory_usage(&self) -> Usage {
        let Some(made) = self.shards.get() else {
            return Usage::new();
        };
        let shards: Usage = made.all().iter().map(|shard| usage_of(&shard.lock())).sum();
        shards.with_reserved_bytes(shards.reserved_bytes.saturating_add(made.bytes()))
    }
}

fn usage_of<K: ?Sized + Key>(state: &State<K>) -> Usage {
    let tables = &state.tables;
    let key_bytes = tables.block_bytes() - tables.len() * key_overhead::<K>();
    let (sampled, held) = tables.sample(SAMPLE);
    let in_use = if sampled == 0 {
        0
    } else {
        let share = key_bytes as u128 * held as u128 / sampled as u128;
        usize::try_from(share).unwrap_or(key_bytes)
    };
    Usage::new()
        .with_in_use_bytes(in_use)
        .with_idle_bytes(key_bytes - in_use)
        .with_reserved_bytes(state.used_bytes())
}
