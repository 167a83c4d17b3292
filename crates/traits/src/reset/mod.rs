//! The `Reset` trait; its implementations are in the submodules, one file per family of types.

#[cfg(feature = "bytes-1")]
mod bytes_1;
mod cells;
#[cfg(feature = "alloc")]
mod collections;
mod compound;
#[cfg(feature = "std")]
mod hash;
#[cfg(feature = "hashbrown-0-17")]
mod hashbrown_0_17;
mod scalars;
#[cfg(feature = "std")]
mod std_types;
#[cfg(any(feature = "std", feature = "hashbrown-0-17"))]
mod table;

/// Brings a value back to its "as new" state, keeping the memory it holds.
///
/// A pool resets a value before it lends it out again. The contract therefore is:
///
/// 1. **Nothing of the previous contents is observable** through safe code. Elements are
///    dropped, numbers are zero, cursors are at the start.
/// 2. **Capacity is kept**, where the type has any. A reset does not allocate.
/// 3. **Configuration is kept**: the hasher of a map, the length of a boxed slice.
/// 4. A panic (of an element's destructor, say) may leave the value partly reset. It stays
///    valid, can be dropped, and can be reset again; whether contract 1 holds is unspecified,
///    so a pool discards it.
///
/// # What the implementations do
///
/// | type | after a reset | keeps |
/// |---|---|---|
/// | integers, floats, `bool`, `char`, `Duration` | `0`, `false`, `'\0'`, zero | – |
/// | `Vec`, `VecDeque`, `BinaryHeap`, `String`, `OsString`, `PathBuf` | empty | its buffer |
/// | `HashMap`, `HashSet` (std, hashbrown), `HashTable` | empty | its table and hasher |
/// | `BytesMut` | empty | its buffer, or its part while others share it |
/// | `BTreeMap`, `BTreeSet`, `LinkedList` | empty | nothing: they have no spare capacity |
/// | `Option<T>`, `OnceCell<T>`, `OnceLock<T>` | `None`, empty | nothing: the inner value is dropped |
/// | `[T; N]`, `[T]`, tuples, `Wrapping`, `Saturating`, `Reverse` | each element is reset | what the elements keep |
/// | `Box<T>` | the inner value is reset in place | the box and what the inner value keeps |
/// | `Cell`, `RefCell`, `Mutex`, `RwLock` | the inner value is reset, poison is cleared | what the inner value keeps |
/// | `io::Cursor<T>` | position 0, the inner value is reset | what the inner value keeps |
///
/// A collection drops its elements, so a `Vec<Vec<u8>>` keeps the outer buffer only. To keep
/// the inner buffers as well, use a type that resets its elements: `[Vec<u8>; N]` or
/// `Box<[Vec<u8>]>`.
///
/// Some types have no implementation, because "as new" is doubtful for them: `Rc` and `Arc`
/// (others may hold the value), `Cow` (was it new when it borrowed, or when it owned?),
/// references (the value belongs to someone else), `Pin` (a reset may move), atomics and
/// `NonZero` (which value is new?). In a struct, `#[reset(with = …)]`, `#[reset(value = …)]` or
/// `#[reset(skip)]` of the derive macro (feature `derive`) says what you mean.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "alloc")] {
/// use thrifty_traits::Reset;
///
/// struct Request {
///     id: u64,
///     body: Vec<u8>,
/// }
///
/// // `#[derive(Reset)]` writes this implementation, and cannot forget a field.
/// impl Reset for Request {
///     fn reset(&mut self) {
///         self.id.reset();
///         self.body.reset();
///     }
///
///     fn retained_bytes(&self) -> usize {
///         self.body.retained_bytes()
///     }
/// }
///
/// let mut request = Request { id: 7, body: Vec::with_capacity(4096) };
/// request.body.extend_from_slice(b"secret");
/// request.reset();
/// assert_eq!((request.id, request.body.as_slice()), (0, &b""[..]));
/// assert!(request.retained_bytes() >= 4096);
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be reset: `Reset` is not implemented for it",
    label = "`Reset` is not implemented for `{Self}`",
    note = "a field under `#[derive(Reset)]` can say `#[reset(with = path)]`, `#[reset(value = expr)]` or `#[reset(skip)]`"
)]
pub trait Reset {
    /// Makes the value as new, keeping its memory.
    ///
    /// # Panics
    ///
    /// When something that the value drops panics. The value stays valid; see the contract
    /// above.
    ///
    /// # Examples
    ///
    /// ```
    /// use thrifty_traits::Reset;
    ///
    /// let mut pair = (3_u32, [true, false]);
    /// pair.reset();
    /// assert_eq!(pair, (0, [false, false]));
    /// ```
    fn reset(&mut self);

    /// The heap bytes that the value keeps holding once it is reset, beyond
    /// `size_of_val(self)`.
    ///
    /// A pool with a byte budget calls this on a value that was just reset, to decide whether
    /// to keep it. On any other value the answer is what a reset would leave: elements that the
    /// reset would drop do not count, nor do the allocations they own.
    ///
    /// The answer is a lower bound. It counts what was asked of the allocator, not what the
    /// allocator adds for headers and rounding, and it may leave out memory that the value
    /// cannot see (a buffer shared with another handle, a locked mutex).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "alloc")] {
    /// use thrifty_traits::Reset;
    ///
    /// let words: Vec<u32> = Vec::with_capacity(100);
    /// assert!(words.retained_bytes() >= 400);
    /// assert_eq!(Some(words).retained_bytes(), 0); // a reset drops what an `Option` holds
    /// # }
    /// ```
    fn retained_bytes(&self) -> usize {
        0
    }
}
