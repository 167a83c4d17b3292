//! The default hasher: fast, and seeded at random.

use core::fmt;
use core::hash::{BuildHasher, Hasher};
use std::collections::hash_map::RandomState as Entropy;

#[cfg(not(thrifty_loom))]
use thrifty_sync::sync::OnceLock;

/// The default hasher of every interner here: seeded at random, per interner.
///
/// It can be made in a constant; the seeds are drawn from the standard library when the first hash is
/// needed. A clone hashes as the original does, so that what was hashed with one is found with the other.
///
/// Which algorithm it is may change between versions. Today it is `ahash`, as safe against made-up
/// collisions as a fast hash can be; where one shard's chains grow suspiciously long all the same, an
/// interner goes over to SipHash there.
///
/// # Examples
///
/// ```
/// use std::hash::BuildHasher;
/// use thrifty_interner::DefaultState;
///
/// static STATE: DefaultState = DefaultState::new();
/// assert_eq!(STATE.hash_one("host"), STATE.clone().hash_one("host"));
/// ```
pub struct DefaultState {
    seeded: OnceLock<ahash::RandomState>,
}

impl DefaultState {
    /// A hasher whose seeds are drawn when they are first needed.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_interner::DefaultState;
    ///
    /// const STATE: DefaultState = DefaultState::new();
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            seeded: OnceLock::new(),
        }
    }

    /// A hasher with a seed of the caller's, for runs that must repeat.
    ///
    /// Who knows the seed can make up strings that collide: not for input from outside.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::hash::BuildHasher;
    /// use thrifty_interner::DefaultState;
    ///
    /// let hash = |seed| DefaultState::with_seed(seed).hash_one("host");
    /// assert_eq!(hash(1), hash(1));
    /// assert_ne!(hash(1), hash(2));
    /// ```
    #[must_use]
    pub fn with_seed(seed: u64) -> Self {
        let state = Self::new();
        // Four odd constants, so that seeds near each other do not give keys near each other.
        let key = |odd: u64| seed.wrapping_add(1).wrapping_mul(odd);
        let _ = state.seeded.set(ahash::RandomState::with_seeds(
            key(0x9e37_79b9_7f4a_7c15),
            key(0xd1b5_4a32_d192_ed03),
            key(0xaef1_7502_108e_f2d9),
            key(0x8cb9_2ba7_2f3d_8dd7),
        ));
        state
    }

    #[inline]
    fn seeds(&self) -> &ahash::RandomState {
        match self.seeded.get() {
            Some(seeds) => seeds,
            None => self.seeds_slow(),
        }
    }

    #[cold]
    #[inline(never)]
    fn seeds_slow(&self) -> &ahash::RandomState {
        self.seeded.get_or_init(Self::draw)
    }

    fn draw() -> ahash::RandomState {
        // One key of the system's entropy per thread, counted up: the standard library's own way to seed.
        let draw = |label: u64| {
            let mut hasher = Entropy::new().build_hasher();
            hasher.write_u64(label);
            hasher.finish()
        };
        ahash::RandomState::with_seeds(draw(1), draw(2), draw(3), draw(4))
    }
}

impl BuildHasher for DefaultState {
    type Hasher = DefaultHasher;

    #[inline]
    fn build_hasher(&self) -> DefaultHasher {
        DefaultHasher(self.seeds().build_hasher())
    }
}

impl Default for DefaultState {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for DefaultState {
    fn clone(&self) -> Self {
        let state = Self::new();
        let _ = state.seeded.set(self.seeds().clone());
        state
    }
}

impl fmt::Debug for DefaultState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The seeds are a secret.
        f.debug_struct("DefaultState").finish_non_exhaustive()
    }
}

/// The hasher that [`DefaultState`] builds.
#[derive(Clone)]
pub struct DefaultHasher(ahash::AHasher);

impl Hasher for DefaultHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.0.write_u8(value);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.0.write_u32(value);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0.write_u64(value);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.0.write_usize(value);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl fmt::Debug for DefaultHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultHasher").finish_non_exhaustive()
    }
}

/// The same under loom, which knows no `OnceLock`: seeds that are fixed, as a model needs them.
#[cfg(thrifty_loom)]
struct OnceLock<T>(T);

#[cfg(thrifty_loom)]
impl OnceLock<ahash::RandomState> {
    const fn new() -> Self {
        Self(ahash::RandomState::with_seeds(1, 2, 3, 4))
    }

    fn get(&self) -> Option<&ahash::RandomState> {
        Some(&self.0)
    }

    fn get_or_init(&self, _: fn() -> ahash::RandomState) -> &ahash::RandomState {
        &self.0
    }

    fn set(&self, _: ahash::RandomState) {}
}
