//! What growth needs, behind one lock: spare segments, and the next numbers of chunks and pages.

use core::ptr;

use super::budget::Budget;
use super::geometry::Geometry;
use super::table::{Header, Retired, Segment, TableRef};

/// What growth needs.
pub(crate) struct Shelf {
    /// Retired tables that have segments left, the last retired first.
    spare: *mut Header,
    /// Retired tables whose segments serve others now, or are too small to.
    empty: *mut Header,
    /// Whole segments in the tables of `spare`.
    segments: usize,
    /// How many of those will be taken by tables that are being made.
    promised: usize,
    /// How many numbers of chunks were given out.
    pub(crate) chunks: usize,
    /// How many of those are free again: their entries in the directory are null.
    pub(crate) free_chunks: usize,
    /// How many pages there are.
    pub(crate) pages: usize,
}

// SAFETY: the tables of the lists are the interner's own, and only whoever holds the shelf goes through them.
unsafe impl Send for Shelf {}

impl Shelf {
    pub(crate) fn new() -> Self {
        Self {
            spare: ptr::null_mut(),
            empty: ptr::null_mut(),
            segments: 0,
            promised: 0,
            chunks: 0,
            free_chunks: 0,
            pages: 0,
        }
    }

    /// How many whole segments wait for a table.
    pub(crate) fn segments(&self) -> usize {
        self.segments
    }

    /// Sets up to so many segments aside; how many, which can then be [taken](Self::take).
    pub(crate) fn promise(&mut self, wanted: usize) -> usize {
        let promised = wanted.min(self.segments - self.promised);
        self.promised += promised;
        promised
    }

    /// Segments that were set aside are not needed.
    pub(crate) fn withdraw(&mut self, promised: usize) {
        self.promised -= promised;
    }

    /// Keeps a table that no shard names any more, though readers may still be in it.
    ///
    /// # Safety
    ///
    /// The table was replaced, and is in no list.
    pub(crate) unsafe fn retire<G: Geometry>(&mut self, table: TableRef<G>) {
        let whole = table.slots() >= G::SEGMENT;
        let own = super::slot::segments::<G>(table.slots());
        let list = if whole {
            &mut self.spare
        } else {
            &mut self.empty
        };
        let retired = Retired {
            next: *list,
            segments: own,
        };
        // SAFETY: the cell is for whoever holds the shelf's lock, as `&mut self` does.
        table
            .retired()
            .with_mut(|cell| unsafe { cell.write(retired) });
        *list = table.as_ptr();
        self.segments += if whole { own } else { 0 };
    }

    /// A whole segment that was set aside. Readers of an old table may still look at it.
    pub(crate) fn take<G: Geometry>(&mut self) -> Segment {
        self.promised -= 1;
        // SAFETY: the list's tables stay until the interner ends.
        let table = unsafe { TableRef::<G>::from_ptr(self.spare) }.expect("one was set aside");
        let (next, left) = table.retired().with_mut(|cell| {
            // SAFETY: the cell is for whoever holds the shelf's lock, as `&mut self` does.
            let retired = unsafe { &mut *cell };
            retired.segments -= 1;
            (retired.next, retired.segments)
        });
        // SAFETY: the last of those that were its own.
        let segment = unsafe { table.segment(left) };
        self.segments -= 1;
        if left == 0 {
            self.spare = next;
            let empty = self.empty;
            // SAFETY: as above.
            table
                .retired()
                .with_mut(|cell| unsafe { (*cell).next = empty });
            self.empty = table.as_ptr();
        }
        segment
    }

    /// Frees all retired tables, with the segments that are still theirs, and says how many there were.
    ///
    /// # Safety
    ///
    /// Nobody reads the interner meanwhile; the tables were allocated through `budget`.
    pub(crate) unsafe fn free_retired<G: Geometry>(&mut self, budget: &Budget) -> usize {
        let mut tables = 0;
        for list in [&mut self.spare, &mut self.empty] {
            // SAFETY: the list's tables are freed below and nowhere else.
            while let Some(table) = unsafe { TableRef::<G>::from_ptr(*list) } {
                // SAFETY: the caller has the interner to itself.
                let Retired { next, segments } =
                    table.retired().with(|cell| unsafe { cell.read() });
                *list = next;
                // SAFETY: nobody reads, says the caller; these segments serve no other table.
                unsafe { table.destroy(0..segments, budget) };
                tables += 1;
            }
        }
        self.segments = 0;
        tables
    }
}
