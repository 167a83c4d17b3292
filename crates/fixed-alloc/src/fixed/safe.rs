//! Blocks as values, for everybody else.

use thrifty_traits::AllocError;

use super::FixedAlloc;
use crate::block::{Block, UninitBlock};
use crate::lend;

impl FixedAlloc {
    /// A block, all of its bytes zero. Dropped, it goes back.
    ///
    /// # Panics
    ///
    /// Where [`try_get`](Self::try_get) returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<[u8; 100]>())?;
    /// let mut block = blocks.get();
    /// block.fill(7);
    /// drop(block);
    /// assert_eq!(*blocks.get(), [0; 100]);
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn get(&self) -> Block {
        self.get_uninit().zeroed()
    }

    /// A block, all of its bytes zero. Dropped, it goes back.
    ///
    /// # Errors
    ///
    /// `max_blocks` are in use or `max_bytes` would be exceeded, and no block is idle where this thread
    /// can reach it; or there is no memory for another slab. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// In a hardened allocator, when the block was written to after it was freed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let one = FixedAlloc::builder(Layout::new::<u64>()).max_blocks(1).build()?;
    /// let block = one.try_get()?;
    /// assert!(one.try_get().is_err());
    /// # drop(block);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_get(&self) -> Result<Block, AllocError> {
        self.try_get_uninit().map(UninitBlock::zeroed)
    }

    /// A block whose bytes are not initialised.
    ///
    /// # Panics
    ///
    /// Where [`try_get_uninit`](Self::try_get_uninit) returns an error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<[u8; 8]>())?;
    /// let block = blocks.get_uninit().copied_from(b"text");
    /// assert_eq!(*block, *b"text\0\0\0\0");
    /// # Ok::<(), thrifty_fixed_alloc::ConfigError>(())
    /// ```
    #[inline]
    #[track_caller]
    pub fn get_uninit(&self) -> UninitBlock {
        match self.try_get_uninit() {
            Ok(block) => block,
            Err(error) => none_cold(error),
        }
    }

    /// A block whose bytes are not initialised.
    ///
    /// # Errors
    ///
    /// As [`try_get`](Self::try_get).
    ///
    /// # Panics
    ///
    /// As [`try_get`](Self::try_get).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::alloc::Layout;
    /// # use thrifty_fixed_alloc::FixedAlloc;
    /// let blocks = FixedAlloc::new(Layout::new::<[u8; 8]>())?;
    /// let block = blocks.try_get_uninit()?.filled(1);
    /// assert_eq!(*block, [1; 8]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn try_get_uninit(&self) -> Result<UninitBlock, AllocError> {
        let block = lend::take(&self.engine)?;
        // SAFETY: a block of this engine with its lease, taken on the line above.
        Ok(unsafe { UninitBlock::new(self.engine.shared(), block) })
    }
}

#[cold]
#[track_caller]
fn none_cold(error: AllocError) -> ! {
    panic!("{error}");
}
