//! Settings for an arena.

#![forbid(unsafe_code)]

use crate::{
    Arena, Retain,
    chunk::HEADER,
    config::{BELOW, Config},
    store::Store,
};

/// Settings for an arena: chunk sizes, a limit, what a reset keeps.
///
/// # Examples
///
/// ```
/// use thrifty_arena::{Arena, Retain};
///
/// let arena = Arena::builder()
///     .first_chunk(64 << 10)
///     .limit(8 << 20)
///     .retain(Retain::All)
///     .build();
/// assert_eq!(arena.limit(), 8 << 20);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "build() makes the arena"]
pub struct ArenaBuilder {
    pub(crate) config: Config,
    pub(crate) limit: usize,
    /// What was asked for; what holds is in `config`.
    big_above: Option<usize>,
}

/// The smallest chunk that is worth its header.
const SMALLEST: usize = 256;

impl ArenaBuilder {
    pub(crate) const fn new() -> Self {
        Self {
            config: Config::DEFAULT,
            limit: usize::MAX,
            big_above: None,
        }
    }

    /// Settles what depends on two settings, in whatever order they were set.
    const fn settled(mut self) -> Self {
        // What fits into no regular chunk has to go beside.
        let most = self.config.max_chunk - HEADER - BELOW;
        self.config.side_above = match self.big_above {
            None => self.config.max_chunk / 4,
            Some(bytes) if bytes < most => bytes,
            Some(_) => most,
        };
        self
    }

    /// The size of the first chunk, 4 KiB if not set; at least 256 bytes.
    ///
    /// The header and what the system's allocator adds are part of it, so that powers of two fill pages.
    pub const fn first_chunk(mut self, bytes: usize) -> Self {
        self.config.first_chunk = if bytes < SMALLEST { SMALLEST } else { bytes };
        if self.config.max_chunk < self.config.first_chunk {
            self.config.max_chunk = self.config.first_chunk;
        }
        self.settled()
    }

    /// Where the doubling of chunks ends, 1 MiB if not set. A first chunk that is larger becomes so small.
    ///
    /// An object of more than a quarter of it gets a chunk of its own.
    pub const fn max_chunk(mut self, bytes: usize) -> Self {
        let bytes = if bytes < SMALLEST { SMALLEST } else { bytes };
        self.config.max_chunk = bytes;
        if bytes < self.config.first_chunk {
            self.config.first_chunk = bytes;
        }
        self.settled()
    }

    /// From which size on an object gets a chunk of its own; a quarter of the largest chunk if not set.
    ///
    /// An object that fits into the current chunk goes there; one that fits into no regular chunk gets its own
    /// in any case.
    pub const fn big_above(mut self, bytes: usize) -> Self {
        self.big_above = Some(bytes);
        self.settled()
    }

    /// How many bytes the arena may take from the global allocator, its chunks' headers included.
    ///
    /// The limit is exact: what fits, fits. The last chunk is as large as the limit still permits.
    pub const fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// What a reset keeps; [`Retain::AdaptiveDecay`] if not set.
    pub const fn retain(mut self, policy: Retain) -> Self {
        self.config.retain = policy;
        self
    }

    /// Whether chunks are overwritten with zeros when what is in them is given back: by a reset, by the end
    /// of a scope, by the end of the arena.
    ///
    /// A reset then takes as long as it takes to write all chunks that were used.
    pub const fn zeroize(mut self, yes: bool) -> Self {
        self.config.zeroize = yes;
        self
    }

    /// The arena, with a minimal alignment of 8.
    #[must_use]
    pub const fn build(self) -> Arena {
        self.build_aligned()
    }

    /// The arena, with another minimal alignment.
    ///
    /// # Examples
    ///
    /// ```
    /// let arena = thrifty_arena::Arena::builder().build_aligned::<1>();
    /// # let _ = arena;
    /// ```
    #[must_use]
    pub const fn build_aligned<const MIN_ALIGN: usize>(self) -> Arena<MIN_ALIGN> {
        Arena::with_store(Store::new(self.config, self.limit))
    }
}

impl Default for ArenaBuilder {
    fn default() -> Self {
        Self::new()
    }
}
