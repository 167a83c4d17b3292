//! The insert as it nearly always goes: all that it needs is there, and nothing has to be made.
//!
//! The general one takes 320 instructions, for what it has to be ready for; this takes a third of them.

use super::body::{Body, Shard};
use super::find::Searched;
use super::geometry::Geometry;
use super::insert::New;
use super::query::Query;
use super::record::{Form, LONGEST_SHORT};
use super::slot;
use super::writer::Writer;

/// A length from which on strings may need more than a record.
const fn longest<G: Geometry>() -> usize {
    let near = slot::longest_inline::<G>();
    if near < LONGEST_SHORT {
        near
    } else {
        LONGEST_SHORT
    }
}

impl<G: Geometry> Body<G> {
    /// Inserts a string, and gives it its number, if it is short and its table, chunk and page have room; if the first
    /// group that is looked at has neither it nor another of its tag, but an empty slot; and if nobody else takes a
    /// number meanwhile. If not, nothing is done.
    #[inline]
    pub(crate) fn insert_usual(
        &self,
        shard: &Shard,
        writer: &mut Writer,
        query: &Query<'_>,
        searched: Searched,
    ) -> Option<u32> {
        let table = self.own_table(self.table(query))?;
        let keyed = table.keyed().is_some();
        if keyed || query.bytes.len() > longest::<G>() || writer.entries >= table.usual() {
            return None;
        }
        let tag = query.tag();
        let (group, steps) = searched.next(table, tag);
        // SAFETY: a group of this table.
        let contents = unsafe { table.own_group(group) };
        if steps > slot::UNSUSPICIOUS || slot::may_have(contents, tag) {
            return None;
        }
        let index = slot::first_empty(contents)?;
        // SAFETY: as above.
        let slot = &unsafe { table.group(group) }[index];
        let room = writer.room_left(Form::Near, query.bytes.len(), query.align)?;
        let given = self.count();
        if given >= self.bounds.symbols {
            return None;
        }
        let number = given + 1;
        let page = self.page(number)?;
        self.take_number(given).ok()?;
        let new = New {
            room,
            form: Form::Near,
            bytes: query.bytes,
            number,
            page,
        };
        // SAFETY: room in the writer's own chunk, and the number's page.
        unsafe { self.publish(shard, writer, new, query.align, slot, tag) };
        Some(number)
    }
}
