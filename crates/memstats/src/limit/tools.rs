//! What a cycle works with, made beforehand: one that runs because memory is short needs none.
#![forbid(unsafe_code)]

use super::{crew::Record, hand::Hands, state::Member};

/// What who has the turn has in hand.
#[derive(Default)]
pub(crate) struct Tools {
    pub(crate) hands: Hands,
    /// Those who are asked; empty between cycles, as are the next two.
    pub(crate) members: Vec<Member>,
    pub(crate) records: Vec<Record>,
    /// In which order; by place.
    pub(crate) order: Vec<usize>,
}

impl Tools {
    pub(crate) const fn new() -> Self {
        Self {
            hands: Hands::new(),
            members: Vec::new(),
            records: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Makes room for so many members, as far as there is memory.
    pub(crate) fn reserve(&mut self, count: usize) {
        let _as_far_as_possible = self
            .members
            .try_reserve(count)
            .and(self.records.try_reserve(count))
            .and(self.order.try_reserve(count));
    }

    /// Notes who is to be asked: all, or as many as there is room for.
    pub(crate) fn note(&mut self, members: &[Member]) {
        self.clear();
        self.reserve(members.len());
        let room = self
            .members
            .capacity()
            .min(self.records.capacity())
            .min(self.order.capacity());
        let members = &members[..room.min(members.len())];
        self.members.extend_from_slice(members);
        self.records
            .extend(members.iter().map(|member| member.record));
        self.order.extend(0..members.len());
    }

    pub(crate) fn clear(&mut self) {
        self.members.clear();
        self.records.clear();
        self.order.clear();
    }
}
