//! Stacks, each with its sums: found by hash, told apart by their frames.
//!
//! ```text
//! index:   hash ─► site + 1, or 0        open addressing, twice as many places as sites
//! sites:   [other] │ site 1 │ site 2 │ ...        frames: │ a a a │ b b │ ...
//! buckets: [other] │ ...           a list for each site, newest first
//! ```
//!
//! All of it only grows. Who meets a stack for the first time writes a site that nobody sees, then
//! puts its number into the index by one exchange. Of two threads that do it at the same moment
//! one wins, and the other's site is lost: so nobody ever waits. What finds no room goes to site 0.
//!
//! # Invariants
//!
//! 1. A site's hash, frames and a bucket's key and `next` are written once, before it is published.
#![forbid(unsafe_code)]

use thrifty_sync::{
    atomic::{AtomicU32, AtomicUsize},
    ord,
};

use super::{
    block::Block,
    sums::{BucketSums, SiteSums},
    weight::mix,
};

/// Places in the index that are tried for a stack.
const PROBES: usize = 32;
/// The site of what has no other.
pub(crate) const OTHER: u32 = 0;

/// How much room there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// A power of two.
    pub(crate) sites: usize,
    pub(crate) frames: usize,
    pub(crate) buckets: usize,
}

/// The stacks seen so far.
#[derive(Debug)]
pub(crate) struct Sites {
    index: Block<AtomicU32>,
    sites: Block<SiteSums>,
    frames: Block<AtomicUsize>,
    buckets: Block<BucketSums>,
    sites_used: AtomicUsize,
    frames_used: AtomicUsize,
    buckets_used: AtomicUsize,
}

impl Sites {
    /// No stacks; `None` without memory.
    pub(crate) fn new(room: Room) -> Option<Self> {
        Some(Self {
            index: Block::new(room.sites * 2)?,
            sites: Block::new(room.sites + 1)?,
            frames: Block::new(room.frames)?,
            buckets: Block::new(room.buckets + 1)?,
            sites_used: AtomicUsize::new(1),
            frames_used: AtomicUsize::new(0),
            buckets_used: AtomicUsize::new(1),
        })
    }

    /// Bytes reserved.
    pub(crate) fn bytes(&self) -> usize {
        self.index.bytes() + self.sites.bytes() + self.frames.bytes() + self.buckets.bytes()
    }

    pub(crate) fn sums(&self, site: u32) -> &SiteSums {
        &self.sites[site as usize]
    }

    pub(crate) fn bucket_sums(&self, bucket: u32) -> &BucketSums {
        &self.buckets[bucket as usize]
    }

    /// The site of a stack; [`OTHER`] for an empty one, and where there is no room for a new one.
    pub(crate) fn find(&self, stack: &[usize]) -> u32 {
        if stack.is_empty() {
            return OTHER;
        }
        let hash = stack
            .iter()
            .fold(0, |hash, frame| mix(hash ^ *frame as u64));
        #[expect(clippy::cast_possible_truncation, reason = "any bits of it will do")]
        let start = hash as usize;
        let mut mine = None;
        for probe in 0..PROBES.min(self.index.len()) {
            let place = &self.index[start.wrapping_add(probe) & (self.index.len() - 1)];
            // ORDERING(memstats.site_seen): Acquire; pairs with memstats.site_published: the
            // site's stack was written before.
            let mut site = place.load(ord!(memstats.site_seen, Acquire));
            if site == 0 {
                let Some(new) = mine.or_else(|| self.write(hash, stack)) else {
                    return OTHER;
                };
                mine = Some(new);
                // ORDERING(memstats.site_published): Release; pairs with memstats.site_seen and
                // memstats.site_lost.
                match place.compare_exchange(
                    0,
                    new,
                    ord!(memstats.site_published, Release),
                    // ORDERING(memstats.site_lost): Acquire; pairs with memstats.site_published:
                    // the winner's stack is compared with this one.
                    ord!(memstats.site_lost, Acquire),
                ) {
                    Ok(_) => return new,
                    Err(winner) => site = winner,
                }
            }
            if self.is_of(site, hash, stack) {
                return site;
            }
        }
        OTHER
    }

    /// Writes a site that nobody sees yet.
    fn write(&self, hash: u64, stack: &[usize]) -> Option<u32> {
        let first = reserve(&self.frames_used, stack.len(), self.frames.len())?;
        let site = reserve(&self.sites_used, 1, self.sites.len())?;
        for (place, frame) in self.frames[first..].iter().zip(stack) {
            // ORDERING(memstats.site_write): Relaxed; published by memstats.site_published.
            place.store(*frame, ord!(memstats.site_write, Relaxed));
        }
        let sums = &self.sites[site];
        // ORDERING(memstats.site_write): Relaxed; as above.
        sums.hash.store(hash, ord!(memstats.site_write, Relaxed));
        sums.frames.store(
            (first as u64) << 16 | stack.len() as u64,
            ord!(memstats.site_write, Relaxed),
        );
        u32::try_from(site).ok()
    }

    fn is_of(&self, site: u32, hash: u64, stack: &[usize]) -> bool {
        // ORDERING(memstats.site_write): Relaxed; by invariant 1, and seen by the load of the
        // site's number.
        self.sums(site)
            .hash
            .load(ord!(memstats.site_write, Relaxed))
            == hash
            && self.stack(site).eq(stack.iter().copied())
    }

    /// The frames of a site.
    pub(crate) fn stack(&self, site: u32) -> impl Iterator<Item = usize> {
        // ORDERING(memstats.site_write): Relaxed; as in `is_of`.
        let packed = self
            .sums(site)
            .frames
            .load(ord!(memstats.site_write, Relaxed));
        let len = usize::from(u16::try_from(packed & 0xFFFF).unwrap_or(0));
        let first = usize::try_from(packed >> 16).unwrap_or(0);
        self.frames[first..first + len]
            .iter()
            // ORDERING(memstats.site_write): Relaxed; as in `is_of`.
            .map(|frame| frame.load(ord!(memstats.site_write, Relaxed)))
    }

    /// The bucket of a site for a size class and a thread label; `None` where there is no room for
    /// a new one.
    pub(crate) fn bucket(&self, site: u32, class: u32, label: u16) -> Option<u32> {
        let key = u64::from(class) << 16 | u64::from(label);
        if site == OTHER {
            return Some(0);
        }
        let head = &self.sums(site).buckets;
        let mut mine = None;
        // ORDERING(memstats.bucket_seen): Acquire; pairs with memstats.bucket_published: the
        // bucket's key and the next one were written before, and so on down the list.
        let mut newest = head.load(ord!(memstats.bucket_seen, Acquire));
        loop {
            let found = self.list(newest).find(|bucket| self.key(*bucket) == key);
            if found.is_some() {
                return found;
            }
            let new = match mine {
                Some(new) => new,
                None => u32::try_from(reserve(&self.buckets_used, 1, self.buckets.len())?).ok()?,
            };
            mine = Some(new);
            let sums = self.bucket_sums(new);
            // ORDERING(memstats.bucket_write): Relaxed; published by memstats.bucket_published.
            sums.key.store(key, ord!(memstats.bucket_write, Relaxed));
            sums.next
                .store(newest, ord!(memstats.bucket_write, Relaxed));
            // ORDERING(memstats.bucket_published): Release; pairs with memstats.bucket_seen,
            // memstats.bucket_lost and memstats.bucket_listed.
            match head.compare_exchange(
                newest,
                new + 1,
                ord!(memstats.bucket_published, Release),
                // ORDERING(memstats.bucket_lost): Acquire; pairs with memstats.bucket_published:
                // the winner's bucket may be the one that is looked for.
                ord!(memstats.bucket_lost, Acquire),
            ) {
                Ok(_) => return Some(new),
                Err(now) => newest = now,
            }
        }
    }

    fn key(&self, bucket: u32) -> u64 {
        // ORDERING(memstats.bucket_write): Relaxed; by invariant 1, and seen by the load of the
        // bucket's number.
        self.bucket_sums(bucket)
            .key
            .load(ord!(memstats.bucket_write, Relaxed))
    }

    /// The buckets from a number plus one on.
    fn list(&self, newest: u32) -> impl Iterator<Item = u32> {
        let step = |bucket: &u32| {
            // ORDERING(memstats.bucket_write): Relaxed; as in `key`.
            self.bucket_sums(*bucket)
                .next
                .load(ord!(memstats.bucket_write, Relaxed))
                .checked_sub(1)
        };
        core::iter::successors(newest.checked_sub(1), step)
    }

    /// The buckets of a site.
    pub(crate) fn buckets(&self, site: u32) -> impl Iterator<Item = u32> {
        // ORDERING(memstats.bucket_listed): Acquire; pairs with memstats.bucket_published.
        let newest = self
            .sums(site)
            .buckets
            .load(ord!(memstats.bucket_listed, Acquire));
        let newest = if site == OTHER { 1 } else { newest };
        self.list(newest)
    }

    /// All sites that were published, [`OTHER`] among them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let listed = self.index.iter().map(|place| {
            // ORDERING(memstats.site_listed): Acquire; pairs with memstats.site_published.
            place.load(ord!(memstats.site_listed, Acquire))
        });
        core::iter::once(OTHER).chain(listed.filter(|site| *site != 0))
    }
}

/// Takes `count` of what there are `room` of, and says where they begin.
fn reserve(used: &AtomicUsize, count: usize, room: usize) -> Option<usize> {
    // ORDERING(memstats.reserve): Relaxed; a number that only grows: each range goes to one.
    used.fetch_update(
        ord!(memstats.reserve, Relaxed),
        ord!(memstats.reserve, Relaxed),
        |used| used.checked_add(count).filter(|sum| *sum <= room),
    )
    .ok()
}

#[cfg(all(test, not(all(thrifty_loom, feature = "loom"))))]
mod tests {
    use super::*;

    const ROOM: Room = Room {
        sites: 8,
        frames: 40,
        buckets: 4,
    };

    #[test]
    fn a_stack_is_found_again_and_told_from_others() {
        let sites = Sites::new(ROOM).unwrap();
        let (a, b) = (sites.find(&[1, 2, 3]), sites.find(&[1, 2]));
        assert_ne!(a, b);
        assert_eq!(sites.find(&[1, 2, 3]), a);
        assert_eq!(sites.stack(a).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(sites.find(&[]), OTHER);
        let mut listed: Vec<_> = sites.iter().collect();
        listed.sort_unstable();
        assert_eq!(listed, [OTHER, a.min(b), a.max(b)]);
    }

    #[test]
    fn what_finds_no_room_goes_to_the_other_site() {
        let sites = Sites::new(ROOM).unwrap();
        let found: Vec<_> = (1..20).map(|frame| sites.find(&[frame])).collect();
        assert!(found[..8].iter().all(|site| *site != OTHER));
        assert!(found[8..].iter().all(|site| *site == OTHER));
        let long = Sites::new(ROOM).unwrap();
        assert_ne!(long.find(&[7; 40]), OTHER);
        assert_eq!(long.find(&[8; 1]), OTHER, "no frames are left");
        assert_ne!(long.find(&[7; 40]), OTHER);
    }

    #[test]
    fn buckets_are_found_again() {
        let sites = Sites::new(ROOM).unwrap();
        let site = sites.find(&[1]);
        let (a, b) = (sites.bucket(site, 5, 0), sites.bucket(site, 5, 1));
        assert_ne!(a, b);
        assert_eq!(sites.bucket(site, 5, 0), a);
        assert!(sites.bucket(site, 6, 0).is_some());
        assert!(sites.bucket(site, 7, 0).is_some());
        assert_eq!(sites.bucket(site, 8, 0), None, "no room");
        assert_eq!(sites.bucket(OTHER, 8, 0), Some(0));
        assert_eq!(sites.buckets(site).count(), 4);
        assert_eq!(sites.buckets(OTHER).collect::<Vec<_>>(), [0]);
    }
}
