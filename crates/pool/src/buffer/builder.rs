//! How a pool of buffers is made.

use core::{alloc::Layout, time::Duration};
use std::borrow::Cow;

use thrifty_magazine::{Config, Engine};
use thrifty_sync::{clock::Clock, sync::Arc};
use thrifty_traits::{AllocError, AllocErrorKind};

use super::{
    block,
    class::Class,
    classes::{Classes, MAX_CLASSES, rounds_for, share_out},
    error::BufferPoolError,
    pool::BufferPool,
    root::Root,
    rules::{Oversize, Rules, Wipe},
    slots::Slots,
    supplier::Blocks,
};

/// Classes of this capacity and more have no thread caches.
pub(crate) const LARGE: usize = 32 * 1024;

/// The most magazines that a class's depot has slots for, whatever the budget: 64 KiB of slots, for
/// 512 MiB or more of buffers.
const MAX_MAGAZINES: usize = 8192;

/// Makes a [`BufferPool`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use thrifty_pool::{BufferPool, Classes, Oversize, Wipe};
///
/// let pool = BufferPool::builder()
///     .name("frames")
///     .classes(Classes::powers_of_two(1 << 10, 1 << 16)?)
///     .slack(16)
///     .align(64)
///     .oversize(Oversize::Capped(1 << 20))
///     .wipe(Wipe::OnPut)
///     .max_idle_bytes(8 << 20)
///     .decay_interval(Duration::from_secs(5))
///     .build()?;
/// assert_eq!(pool.get(1040).capacity(), 1040);
/// # Ok::<(), thrifty_pool::BufferPoolError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct BufferPoolBuilder {
    rules: Rules,
    max_idle_bytes: usize,
    config: Config,
    name: Cow<'static, str>,
}

impl BufferPoolBuilder {
    pub(crate) fn new() -> Self {
        Self {
            rules: Rules {
                classes: Classes::default(),
                slack: 0,
                align: 1,
                wipe: Wipe::Never,
                oversize: Oversize::Unpooled,
            },
            max_idle_bytes: 64 << 20,
            config: Config::new(),
            name: Cow::Borrowed("buffers"),
        }
    }

    /// The sizes of the buffers; powers of two from 256 bytes to 1 MiB unless told otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, Classes};
    ///
    /// let pool = BufferPool::builder().classes(Classes::new(&[1500, 9000])?).build()?;
    /// assert_eq!(pool.get(100).capacity(), 1500);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn classes(mut self, classes: Classes) -> Self {
        self.rules.classes = classes;
        self
    }

    /// So many bytes more in each class; 0 unless told otherwise.
    ///
    /// For payloads that come in powers of two behind a header: with the header's size as slack,
    /// a frame with a payload of 4096 bytes fits the class of 4096 and does not take up 8192.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().slack(16).build()?;
    /// assert_eq!(pool.get(4096 + 16).capacity(), 4096 + 16);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn slack(mut self, bytes: usize) -> Self {
        self.rules.slack = bytes;
        self
    }

    /// The alignment of a buffer's first byte, a power of two; 16 or more in any case.
    ///
    /// As `O_DIRECT`, DMA and SIMD loads want it. In front of each buffer there is a header of 48
    /// bytes, and the padding that puts the bytes behind it at this alignment: with 4096, a page.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().align(4096).build()?;
    /// assert_eq!(pool.get(100).as_ptr().align_offset(4096), 0);
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn align(mut self, align: usize) -> Self {
        self.rules.align = align;
        self
    }

    /// What happens to requests above the largest class.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, Oversize};
    ///
    /// let pool = BufferPool::builder().oversize(Oversize::Error).build()?;
    /// assert!(pool.try_get((1 << 20) + 1).is_err());
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn oversize(mut self, policy: Oversize) -> Self {
        self.rules.oversize = policy;
        self
    }

    /// Whether buffers are overwritten when they come back.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_pool::{BufferPool, Wipe};
    ///
    /// let keys = BufferPool::builder().wipe(Wipe::OnPutVolatile).build()?;
    /// # let _ = keys;
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn wipe(mut self, policy: Wipe) -> Self {
        self.rules.wipe = policy;
        self
    }

    /// The most bytes that the shared part of the pool keeps idle, over all classes; 64 MiB unless
    /// told otherwise. What threads keep for themselves comes on top of it, see
    /// [`BufferPool`'s memory](BufferPool#memory).
    ///
    /// A class keeps no more than 8192 magazines of 64 KiB each, or 8192 buffers from 32 KiB on.
    ///
    /// The classes get equal shares, in whole buffers. Their sum thus is a bound that holds
    /// whatever the load, without a counter that all threads would have to share; and a class gets
    /// as many magazines as any other, since a magazine is about 64 KiB of any class.
    ///
    /// # Examples
    ///
    /// ```
    /// let small = thrifty_pool::BufferPool::builder().max_idle_bytes(1 << 20).build()?;
    /// # let _ = small;
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn max_idle_bytes(mut self, bytes: usize) -> Self {
        self.max_idle_bytes = bytes;
        self
    }

    /// How many threads may have caches of their own; the others share. Four per processor unless
    /// told otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// // All threads share: what is idle is bounded by `max_idle_bytes`, or three buffers of each
    /// // class, and the slots.
    /// let shared = thrifty_pool::BufferPool::builder().max_thread_caches(0).build()?;
    /// # let _ = shared;
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn max_thread_caches(mut self, threads: usize) -> Self {
        self.config.max_thread_caches = threads;
        self
    }

    /// How often the pool gives back what the last two intervals did not use; 10 seconds unless
    /// told otherwise. [`Duration::MAX`]: only when told to. Who looks at the clock:
    /// [`tick`](BufferPool::tick).
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use thrifty_pool::BufferPool;
    ///
    /// let pool = BufferPool::builder().decay_interval(Duration::from_secs(60)).build()?;
    /// # let _ = pool;
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn decay_interval(mut self, interval: Duration) -> Self {
        self.config.decay_interval = interval;
        self
    }

    /// Where the time for that comes from; the system's clock unless told otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use thrifty_pool::{BufferPool, clock::ManualClock};
    ///
    /// let pool = BufferPool::builder().clock(Arc::new(ManualClock::new())).build()?;
    /// # let _ = pool;
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.config.clock = Some(clock);
        self
    }

    /// What the pool is called in debug output and statistics.
    ///
    /// # Examples
    ///
    /// ```
    /// let pool = thrifty_pool::BufferPool::builder().name("frames").build()?;
    /// assert!(format!("{pool:?}").contains("frames"));
    /// # Ok::<(), thrifty_pool::BufferPoolError>(())
    /// ```
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Makes the pool.
    ///
    /// # Errors
    ///
    /// When a setting is invalid, or there is no memory for the pool's own tables.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use thrifty_pool::BufferPool;
    ///
    /// assert!(BufferPool::builder().decay_interval(Duration::ZERO).build().is_err());
    /// ```
    pub fn build(self) -> Result<BufferPool, BufferPoolError> {
        let Self {
            rules,
            max_idle_bytes,
            config,
            name,
        } = self;
        let blocks = check(&rules)?;
        config.validate()?;
        let count = rules.classes.count();
        let shares = share_out(max_idle_bytes, &blocks[..count]);
        let mut classes = Vec::new();
        if classes.try_reserve_exact(count + 1).is_err() {
            let layout = Layout::new::<[Class; MAX_CLASSES]>();
            return Err(AllocError::for_layout(AllocErrorKind::Backend, layout).into());
        }
        // From the largest down, since each knows the next larger one.
        let oversize = Blocks::new(rules, count, 0, None, None);
        let nothing_idle = for_class(&config, 0, 0);
        classes.push(Class::new(oversize, nothing_idle.clone())?);
        for class in (0..count).rev() {
            let is_large = rules.capacity_of(class) >= LARGE;
            let next = classes.last().map(|next| next.engine().downgrade());
            let slots = large_slots(is_large);
            let supplier = Blocks::new(rules, class, blocks[class], slots, next);
            let mut config = for_class(&config, blocks[class], shares[class]);
            if !is_large {
                config.rounds = rounds_for(block::behind_header(blocks[class]));
            }
            if is_large || config.max_thread_caches == 0 {
                share_all(&mut config);
            }
            config.max_idle = config.max_idle.min(MAX_MAGAZINES * config.rounds.max(1));
            config.validate()?;
            classes.push(Class::new(supplier, config)?);
        }
        classes.reverse();
        match Engine::try_new(Root::new(rules, classes, name), nothing_idle) {
            Ok(root) => Ok(BufferPool::from_root(root)),
            Err(rejected) => Err(rejected.error.into()),
        }
    }
}

/// The sizes of the classes' blocks, if there can be a pool by these rules.
fn check(rules: &Rules) -> Result<[usize; MAX_CLASSES], BufferPoolError> {
    if !rules.align.is_power_of_two() {
        return Err(BufferPoolError::Align(rules.align));
    }
    let mut blocks = [0; MAX_CLASSES];
    for (block, &size) in blocks.iter_mut().zip(rules.classes.sizes()) {
        let layout = size
            .checked_add(rules.slack)
            .and_then(|capacity| block::layout(capacity, rules.align));
        let Some(layout) = layout else {
            let slack = rules.slack;
            return Err(BufferPoolError::TooLarge { size, slack });
        };
        *block = layout.size();
    }
    if let Oversize::Capped(limit) = rules.oversize {
        let largest = rules.largest();
        if limit < largest {
            return Err(BufferPoolError::Cap { limit, largest });
        }
    }
    Ok(blocks)
}

/// The limits of an engine with blocks of this size and this share of the budget, in whole blocks;
/// as yet without any cache.
fn for_class(config: &Config, block_bytes: usize, share: usize) -> Config {
    let mut config = config.clone();
    config.rounds = 0;
    config.max_idle_bytes = share;
    config.max_idle = share.checked_div(block_bytes).unwrap_or(0);
    if config.max_idle == 0 {
        config.stripes = 1;
    }
    config
}

/// Moves a part of the share from the depot to the stripes, which all threads use where there are
/// no caches. Their blocks thus count as idle like those in the depot, which keeps a magazine's at
/// least. Magazines that are too large for that become smaller.
fn share_all(config: &mut Config) {
    let most = config.max_idle;
    config.rounds = config.rounds.min(most.saturating_sub(1) / 3);
    let per_stripe = Config::per_cache(config.rounds);
    let fit = most / (per_stripe + config.rounds.max(1));
    config.stripes = fit.clamp(1, config.stripes.max(1));
    config.max_idle = most.saturating_sub(per_stripe * config.stripes);
}

/// The slots of a class, if it has any.
fn large_slots(is_large: bool) -> Option<Slots> {
    #[cfg(feature = "thread_local")]
    return is_large.then(Slots::new);
    #[cfg(not(feature = "thread_local"))]
    {
        let _ = is_large;
        None
    }
}
