//! Lists of blocks, linked through their headers.

use core::{cell::Cell, fmt, marker::PhantomData, ptr::NonNull};

use super::{
    block::Block,
    books::{Request, WORTH},
};

/// Which field of a header links a list. A block may be in one list of each link.
pub(super) trait Link {
    fn of(block: &Block) -> &Cell<Option<NonNull<Block>>>;
}

/// Of the lists in which every block is: in use, or spare.
#[derive(Debug)]
pub(super) struct Whole;

impl Link for Whole {
    fn of(block: &Block) -> &Cell<Option<NonNull<Block>>> {
        &block.next
    }
}

/// Of the lists of partly filled blocks.
#[derive(Debug)]
pub(super) struct Part;

impl Link for Part {
    fn of(block: &Block) -> &Cell<Option<NonNull<Block>>> {
        &block.next_partial
    }
}

/// A list; the block that was pushed last comes first.
///
/// # Invariants
///
/// 1. The blocks in it are not freed, and in no other list of this link.
pub(super) struct List<L> {
    first: Option<NonNull<Block>>,
    link: PhantomData<L>,
}

impl<L: Link> List<L> {
    pub(super) const fn new() -> Self {
        Self {
            first: None,
            link: PhantomData,
        }
    }

    /// Puts a block in front.
    ///
    /// # Safety
    ///
    /// The block is in no list of this link, and is freed only after it was taken out.
    pub(super) unsafe fn push(&mut self, block: NonNull<Block>) {
        // SAFETY: not freed, says the caller; headers are only ever shared.
        L::of(unsafe { block.as_ref() }).set(self.first);
        // INVARIANT: 1.
        self.first = Some(block);
    }

    /// Takes the first block.
    pub(super) fn pop(&mut self) -> Option<NonNull<Block>> {
        self.take(1, |_| Some(0))
    }

    /// Takes the block that costs least, among the first so many; one that costs nothing at once.
    pub(super) fn take(
        &mut self,
        looks: usize,
        cost: impl Fn(NonNull<Block>) -> Option<usize>,
    ) -> Option<NonNull<Block>> {
        let mut best: Option<(NonNull<Block>, Option<NonNull<Block>>, usize)> = None;
        let (mut before, mut at) = (None, self.first);
        for _ in 0..looks {
            let Some(block) = at else { break };
            let least = best.map_or(usize::MAX, |(.., least)| least);
            match cost(block) {
                Some(cost) if cost < least => best = Some((block, before, cost)),
                _ => {}
            }
            if matches!(best, Some((.., 0))) {
                break;
            }
            before = at;
            // SAFETY: in the list, so not freed (invariant 1); headers are only ever shared.
            at = L::of(unsafe { block.as_ref() }).get();
        }
        let (block, before, _) = best?;
        // SAFETY: in the list, so not freed (invariant 1); headers are only ever shared.
        let next = L::of(unsafe { block.as_ref() }).take();
        match before {
            None => self.first = next,
            // SAFETY: as above.
            Some(before) => L::of(unsafe { before.as_ref() }).set(next),
        }
        Some(block)
    }

    /// Whether there are no blocks, or one.
    pub(super) fn is_one_at_most(&self) -> bool {
        // SAFETY: in the list, so not freed (invariant 1); headers are only ever shared.
        self.first
            .is_none_or(|block| L::of(unsafe { block.as_ref() }).get().is_none())
    }

    /// Forgets the blocks, which are in other lists, too.
    pub(super) fn clear(&mut self) {
        self.first = None;
    }
}

impl<L> fmt::Debug for List<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("List").field(&self.first).finish()
    }
}

/// Partly filled blocks that nobody owns, in lists by what is free in them.
///
/// Class `n` has `WORTH << n` bytes and more, and less than twice as much; the last one all that have more.
#[derive(Debug)]
pub(super) struct Partial([List<Part>; CLASSES]);

const CLASSES: usize = 16;

/// How many blocks of a class are looked at, where a new block would do as well: there may be many.
pub(super) const LOOKS: usize = 16;

impl Partial {
    pub(super) const fn new() -> Self {
        Self([const { List::new() }; CLASSES])
    }

    /// Where blocks are that have so many bytes.
    const fn class(bytes: usize) -> usize {
        match (bytes / WORTH).checked_ilog2() {
            None => 0,
            Some(class) if (class as usize) < CLASSES => class as usize,
            Some(_) => CLASSES - 1,
        }
    }

    /// # Safety
    ///
    /// As for [`List::push`]; and nobody owns the block, of which its span says what is free.
    pub(super) unsafe fn push(&mut self, block: NonNull<Block>) {
        // SAFETY: not freed, says the caller; headers are only ever shared.
        let header = unsafe { block.as_ref() };
        // SAFETY: nobody owns it, says the caller.
        let class = Self::class(unsafe { header.span() }.bytes());
        // SAFETY: the caller's contract is the same.
        unsafe { self.0[class].push(block) };
    }

    /// Takes a block with room for a request: one with much room, so that whoever gets it need not
    /// come back soon. At most so many of a class are looked at.
    pub(super) fn take(&mut self, request: Request, looks: usize) -> Option<NonNull<Block>> {
        let fits = |block: NonNull<Block>| {
            // SAFETY: in a list, so not freed; headers are only ever shared.
            let header = unsafe { block.as_ref() };
            // SAFETY: nobody owns it, and it is reached under the lock alone.
            let span = unsafe { header.span() };
            request.carve(span).map(|_| 0)
        };
        // What has less room than the request is large is in lower classes.
        let classes = &mut self.0[Self::class(request.size)..];
        classes
            .iter_mut()
            .rev()
            .find_map(|list| list.take(looks, fits))
    }

    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(List::clear);
    }
}
