//! Figures that are worked out when someone asks.

use thrifty_sync::ord;

use super::body::{Body, lock};
use super::geometry::Geometry;
use super::slot::{self, GROUP};
use super::table::TableRef;

/// What a walk through all tables has found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Survey {
    /// The greatest number of slots that a search looks at.
    pub(crate) longest_probe: usize,
    /// Tables that have a hash of their own.
    pub(crate) keyed: usize,
}

impl<G: Geometry> Body<G> {
    /// Walks through all tables, one lock after the other.
    pub(crate) fn survey(&self) -> Survey {
        let mut survey = Survey::default();
        for (shard, place) in self.shards().zip(&self.tables) {
            let _writer = lock(&shard.writer);
            // ORDERING(interner.survey): Relaxed; written under the lock that is held.
            let table = place.load(ord!(interner.survey, Relaxed));
            // SAFETY: null or the shard's table, which stays while its lock is held.
            if let Some(table) = unsafe { TableRef::<G>::from_ptr(table) } {
                survey.keyed += usize::from(table.keyed().is_some());
                survey.longest_probe = survey.longest_probe.max(longest_probe(table));
            }
        }
        survey
    }
}

fn longest_probe<G: Geometry>(table: TableRef<G>) -> usize {
    let groups = table.groups();
    let mut longest = 0;
    for group in 0..groups {
        // SAFETY: below the number of groups.
        for slot in unsafe { table.group(group) } {
            // ORDERING(interner.survey): Relaxed; as above.
            let content = slot.load(ord!(interner.survey, Relaxed));
            if content != 0 {
                let home = slot::home(slot::tag(content), groups);
                let steps = if group >= home {
                    group - home
                } else {
                    groups - home + group
                };
                longest = longest.max((steps as usize + 1) * GROUP);
            }
        }
    }
    longest
}
