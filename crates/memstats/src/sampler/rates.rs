//! Which rate held when: those that were chosen, and those that the sampler came to when it had no room.
//!
//! A choice is written down by who makes it, under a lock. A hook takes none: it writes into a place that
//! nobody else writes, ever, and publishes it.
#![forbid(unsafe_code)]

use thrifty_sync::{
    array,
    atomic::{AtomicU64, AtomicUsize},
    const_unless_loom, ord,
};

/// A rate and when it began, in nanoseconds since the sampler was first started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Began {
    pub(crate) nanos: u64,
    pub(crate) rate_bytes: u64,
}

/// Rates that hooks came to. The first `ROOM` are kept: each is at least twice the one before, unless somebody chose a
/// smaller one in between.
#[derive(Debug)]
pub(crate) struct Widened<const ROOM: usize> {
    used: AtomicUsize,
    notes: [Note; ROOM],
}

#[derive(Debug)]
struct Note {
    nanos: AtomicU64,
    /// 0 until the note is whole.
    rate_bytes: AtomicU64,
}

impl Note {
    const_unless_loom! {
        const fn new() -> Self {
            Self {
                nanos: AtomicU64::new(0),
                rate_bytes: AtomicU64::new(0),
            }
        }
    }
}

impl<const ROOM: usize> Widened<ROOM> {
    const_unless_loom! {
        /// None yet.
        pub(crate) const fn new() -> Self {
            Self {
                used: AtomicUsize::new(0),
                notes: array!(Note::new(); ROOM),
            }
        }
    }

    /// Notes a rate, which is not 0.
    pub(crate) fn note(&self, began: Began) {
        // ORDERING(memstats.rate_note): Relaxed; each place goes to one who writes it.
        let place = self.used.fetch_add(1, ord!(memstats.rate_note, Relaxed));
        if let Some(note) = self.notes.get(place) {
            // ORDERING(memstats.rate_note): Relaxed; published by memstats.rate_noted.
            note.nanos
                .store(began.nanos, ord!(memstats.rate_note, Relaxed));
            // ORDERING(memstats.rate_noted): Release; pairs with memstats.rate_listed.
            note.rate_bytes
                .store(began.rate_bytes, ord!(memstats.rate_noted, Release));
        }
    }

    /// Those that are noted.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Began> {
        self.notes.iter().filter_map(|note| {
            // ORDERING(memstats.rate_listed): Acquire; pairs with memstats.rate_noted: the time was written
            // before.
            let rate_bytes = note.rate_bytes.load(ord!(memstats.rate_listed, Acquire));
            // ORDERING(memstats.rate_note): Relaxed; as above.
            let nanos = note.nanos.load(ord!(memstats.rate_note, Relaxed));
            (rate_bytes != 0).then_some(Began { nanos, rate_bytes })
        })
    }
}

/// Rates that were chosen, the newest 64 of them.
#[derive(Debug)]
pub(crate) struct Chosen {
    ring: [Began; Self::ROOM],
    count: usize,
}

impl Chosen {
    const ROOM: usize = 64;

    pub(crate) const fn new() -> Self {
        Self {
            ring: [Began {
                nanos: 0,
                rate_bytes: 0,
            }; Self::ROOM],
            count: 0,
        }
    }

    pub(crate) const fn note(&mut self, began: Began) {
        self.ring[self.count % Self::ROOM] = began;
        self.count += 1;
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Began> {
        let first = self.count.saturating_sub(Self::ROOM);
        (first..self.count).map(|nth| self.ring[nth % Self::ROOM])
    }
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    const fn began(number: u64) -> Began {
        Began {
            nanos: number * 10,
            rate_bytes: number,
        }
    }

    #[test]
    fn the_newest_choices_are_kept() {
        let mut chosen = Chosen::new();
        assert_eq!(chosen.iter().count(), 0);
        (1..=100).for_each(|number| chosen.note(began(number)));
        let kept: Vec<_> = chosen.iter().collect();
        assert_eq!(kept, (37..=100).map(began).collect::<Vec<_>>());
    }

    #[test]
    fn the_first_widenings_are_kept() {
        let widened = Widened::<4>::new();
        (1..=6).for_each(|number| widened.note(began(number)));
        let kept: Vec<_> = widened.iter().collect();
        assert_eq!(kept, (1..=4).map(began).collect::<Vec<_>>());
    }
}
