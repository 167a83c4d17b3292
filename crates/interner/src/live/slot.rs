//! The arithmetic of slots, places and sizes.
//!
//! A slot is one word, `tag << 32 | record`, and 0 is empty. The tag is 32 bits of the hash, all that decides the
//! slot's place, so that growing reads no string. The record is where the string is: `chunk << 16 | unit`, two
//! bytes to the unit. Unit 0 is a chunk's header, so no record is 0.

#![forbid(unsafe_code)]

use super::geometry::Geometry;

/// Bytes to a unit of a record's place.
pub(crate) const UNIT: usize = 2;

/// How many chunks can be told apart.
pub(crate) const MAX_CHUNKS: usize = 1 << 16;

/// The slot of a tag and a record.
#[inline]
pub(crate) const fn pack(tag: u32, record: u32) -> u64 {
    (tag as u64) << 32 | record as u64
}

/// A slot's tag.
#[inline]
pub(crate) const fn tag(slot: u64) -> u32 {
    (slot >> 32) as u32
}

/// A slot's record; 0 if the slot is empty.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half is the record"
)]
pub(crate) const fn record(slot: u64) -> u32 {
    slot as u32
}

/// The record at a byte offset of a chunk.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "chunks end before")]
pub(crate) const fn place(chunk: u32, offset: usize) -> u32 {
    debug_assert!(offset % UNIT == 0 && offset / UNIT < 1 << 16);
    chunk << 16 | (offset / UNIT) as u32
}

/// The number of a record's chunk.
#[inline]
pub(crate) const fn chunk_of(record: u32) -> usize {
    (record >> 16) as usize
}

/// A record's byte offset in its chunk.
#[inline]
pub(crate) const fn offset_of(record: u32) -> usize {
    (record & 0xffff) as usize * UNIT
}

/// Slots that are looked at together: half a cache line of them.
///
/// One slot at a time costs a misprediction at every third search; eight cost more to compare than they save (1.5
/// times `string-interner`'s hit, against 1.3 with one and 1.15 with four; 13,000 distinct tokens of logs).
pub(crate) const GROUP: usize = 4;

/// The same, to count slots with.
const GROUP_SLOTS: u32 = 4;

/// How many groups so many slots are.
#[inline]
pub(crate) const fn groups(slots: u32) -> u32 {
    slots / GROUP_SLOTS
}

/// The first slot of a group.
#[inline]
pub(crate) const fn first(group: u32) -> u32 {
    group * GROUP_SLOTS
}

/// The group where a tag's search begins, by multiplication instead of division.
///
/// It grows with the tag, so that a table is copied into a larger one front to back.
#[inline]
pub(crate) const fn home(tag: u32, groups: u32) -> u32 {
    ((tag as u64 * groups as u64) >> 32) as u32
}

/// The group after another, around the end.
#[inline]
pub(crate) const fn step(group: u32, groups: u32) -> u32 {
    if group + 1 == groups { 0 } else { group + 1 }
}

/// The record in a group that has this tag; something else from 2^32 on if there is none.
///
/// To take the tag away leaves the record where the tag was, and a large number elsewhere, so the least is the
/// one. They are compared by conditional moves and without a branch. If two slots have the tag, the record is one of the two; 0 may also be an empty slot for the tag 0.
#[inline]
pub(crate) fn pick(group: [u64; GROUP], tag: u32) -> u64 {
    let [a, b, c, d] = group.map(|slot| slot ^ (tag as u64) << 32);
    a.min(b).min(c.min(d))
}

/// Whether a group may have a record of this tag. It nearly never has: this is eleven instructions and one branch.
#[inline]
pub(crate) fn may_have(group: [u64; GROUP], tag: u32) -> bool {
    u32::try_from(pick(group, tag)).is_ok()
}

/// The records of this tag in a group.
#[inline]
pub(crate) fn of_tag(group: [u64; GROUP], tag: u32) -> impl Iterator<Item = u32> {
    let has_tag = move |content: &u64| *content != 0 && self::tag(*content) == tag;
    group.into_iter().filter(has_tag).map(record)
}

/// The first empty slot of a group.
#[inline]
pub(crate) fn first_empty(group: [u64; GROUP]) -> Option<usize> {
    group.iter().position(|content| *content == 0)
}

/// Segments from which on shards grow one after the other, and not all at once.
const STAGGERED: u32 = 16;

/// The whole of a shard's phase: see [`grown`].
pub(crate) const PHASES: u32 = 64;

/// How many slots the table after one of `slots` has; `None` when there is no larger one.
///
/// A small table grows four times, since its predecessors are not used again; from a segment on, half as much
/// again, and later a third, in whole segments. Strings fill the shards evenly, so that all would grow at the same time, and then all be
/// half empty; therefore each takes one step to a size of its own, by its `phase`, and so the tables together
/// are always about three quarters full. With steps of a half the interner took 0.7 bytes more a string.
pub(crate) const fn grown<G: Geometry>(slots: u32, phase: u32) -> Option<u32> {
    if slots < G::SEGMENT {
        let wanted = slots.saturating_mul(4);
        return Some(if wanted < G::SEGMENT {
            wanted
        } else {
            G::SEGMENT
        });
    }
    let more = if slots < STAGGERED * G::SEGMENT {
        slots / 2
    } else {
        slots / 3
    };
    let Some(wanted) = slots.checked_add(more) else {
        return None;
    };
    let staggered = STAGGERED * G::SEGMENT;
    if slots < staggered && wanted >= staggered {
        return round::<G>(staggered + staggered / 3 / PHASES * phase);
    }
    round::<G>(wanted)
}

/// The number of slots for `entries` at the usual load; `None` when there are not so many.
pub(crate) const fn slots_for<G: Geometry>(entries: u32) -> Option<u32> {
    if entries <= usual(G::FIRST_SLOTS) {
        return Some(G::FIRST_SLOTS);
    }
    // Six in five are a little more than twenty in seventeen.
    match entries.checked_add(entries / 5) {
        Some(wanted) => match wanted.checked_add(1) {
            Some(wanted) if wanted < G::SEGMENT => Some(wanted.next_multiple_of(GROUP_SLOTS)),
            Some(wanted) => round::<G>(wanted),
            None => None,
        },
        None => None,
    }
}

/// Up to whole segments.
const fn round<G: Geometry>(slots: u32) -> Option<u32> {
    match slots.checked_add(G::SEGMENT - 1) {
        Some(sum) => Some(sum & !(G::SEGMENT - 1)),
        None => None,
    }
}

/// How many segments hold so many slots.
#[inline]
pub(crate) const fn segments<G: Geometry>(slots: u32) -> usize {
    slots.div_ceil(G::SEGMENT) as usize
}

/// Entries beyond which a table should grow: 17 slots in 20.
#[inline]
pub(crate) const fn usual(slots: u32) -> u32 {
    slots - (slots / 20 * 3 + (slots % 20 * 3).div_ceil(20))
}

/// Entries beyond which a table must not go: one slot in sixteen stays empty, and one always does.
#[inline]
pub(crate) const fn utmost(slots: u32) -> u32 {
    slots - slots.div_ceil(16)
}

/// Full groups after which a chain is too long to be chance, so that the shard changes its hash.
///
/// At 17 slots in 20, a run of `n` full slots is about as likely as `exp(-n / 80)`: the longest in a million slots has
/// several hundred. This is far above, so that in a million of tables not one is suspected, and a search that
/// goes so far still takes no more than some microseconds.
pub(crate) const fn suspicious(slots: u32) -> u32 {
    32 * (u32::BITS - slots.leading_zeros() + 1)
}

/// So few steps are suspicious in no table.
pub(crate) const UNSUSPICIOUS: u32 = suspicious(1);

/// So many groups a string counts for that has a search's tag and is another: of those, chance makes hardly any.
pub(crate) const COLLISION: u32 = 16;

/// Bytes of the next chunk of a shard that has taken `taken` so far: a sixteenth of it, within bounds.
pub(crate) const fn chunk_size<G: Geometry>(taken: usize) -> usize {
    let wanted = (taken / 16) & !63;
    if wanted < G::FIRST_CHUNK {
        G::FIRST_CHUNK
    } else if wanted > G::LAST_CHUNK {
        G::LAST_CHUNK
    } else {
        wanted
    }
}

/// The longest string that stands in a chunk itself: longer ones would leave too much of a chunk's end unused.
pub(crate) const fn longest_inline<G: Geometry>() -> usize {
    G::LAST_CHUNK / 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Shipped;

    #[test]
    fn a_full_table_grows_into_one_that_is_not() {
        for phase in [0, 31, 63] {
            let mut slots = Shipped::FIRST_SLOTS;
            while let Some(next) = grown::<Shipped>(slots, phase) {
                assert!(next % GROUP_SLOTS == 0 && next > slots);
                assert!(
                    usual(next) > usual(slots) && utmost(next) < next,
                    "{slots} to {next}"
                );
                slots = next;
            }
            assert!(slots > 1 << 30);
        }
    }

    #[test]
    fn room_was_made_for_as_many_as_were_asked_for() {
        for entries in (0..3000).chain([100_000, 1 << 28]) {
            let slots = slots_for::<Shipped>(entries).unwrap();
            assert!(usual(slots) >= entries, "{entries} in {slots}");
        }
        assert_eq!(slots_for::<Shipped>(u32::MAX), None);
    }

    #[test]
    fn picks_the_record_of_the_tag() {
        let group = [pack(7, 70), pack(9, 90), 0, pack(u32::MAX, 5)];
        assert_eq!(pick(group, 9), 90);
        assert_eq!(pick(group, u32::MAX), 5);
        assert!(u32::try_from(pick(group, 8)).is_err());
        // An empty slot and the tag 0 look alike; 0 is no record.
        assert_eq!(pick(group, 0), 0);
    }

    #[test]
    fn places_come_back() {
        let record = place(0xabcd, 131_070);
        assert_eq!((chunk_of(record), offset_of(record)), (0xabcd, 131_070));
        assert_eq!((tag(pack(1, 2)), record_of(1, 2)), (1, 2));
    }

    fn record_of(tag: u32, of: u32) -> u32 {
        record(pack(tag, of))
    }
}
