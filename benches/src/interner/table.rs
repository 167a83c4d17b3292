//! What the loops of the rows ask of a table. Each table does what it can.

/// A table that is filled by its one owner.
pub(super) trait Grow: Sized + 'static {
    /// Without a string, and without room where that is possible.
    fn empty() -> Self;

    /// With room for so many strings of so many bytes together, as far as it can be told.
    fn roomy(strings: usize, _bytes: usize) -> Self;

    /// Interns a string that may or may not be known. Equal strings give equal numbers, different
    /// ones different numbers.
    fn add(&mut self, text: &'static str) -> u64;
}

/// A table that several threads fill.
pub(super) trait Live: Grow + Send + Sync {
    /// As [`Grow::add`].
    fn intern(&self, text: &'static str) -> u64;
}

/// A table that threads share, and that does the same with a string whether it is known or not: all that most concurrent
/// ones need to say to be filled, by one thread or by several, and asked.
pub(super) trait Concurrent: Send + Sync + Sized + 'static {
    /// As [`Grow::empty`].
    fn new() -> Self;

    /// As [`Grow::roomy`].
    fn with_room(_strings: usize, _bytes: usize) -> Self {
        Self::new()
    }

    /// As [`Grow::add`].
    fn number(&self, text: &str) -> u64;
}

impl<T: Concurrent> Grow for T {
    fn empty() -> Self {
        Self::new()
    }

    fn roomy(strings: usize, bytes: usize) -> Self {
        Self::with_room(strings, bytes)
    }

    fn add(&mut self, text: &'static str) -> u64 {
        self.number(text)
    }
}

impl<T: Concurrent> Live for T {
    fn intern(&self, text: &'static str) -> u64 {
        self.number(text)
    }
}

impl<T: Concurrent> Lookup for T {
    fn of(texts: &[&'static str]) -> Self {
        filled(texts)
    }

    #[inline]
    fn hit(&self, text: &str) -> u64 {
        self.number(text)
    }
}

/// A table that is asked for strings it knows, by any thread.
pub(super) trait Lookup: Sync + Sized + 'static {
    /// With these strings in it, each of which is there once.
    fn of(texts: &[&'static str]) -> Self;

    /// The number of a string that is known: by `intern` where that takes a shared reference, by
    /// `get` where the table is read-only then.
    fn hit(&self, text: &str) -> u64;

    /// What the numbers of these strings add up to.
    #[inline]
    fn sum(&self, texts: &[&'static str]) -> u64 {
        let numbers = texts.iter().map(|text| self.hit(text));
        numbers.fold(0, u64::wrapping_add)
    }
}

/// A table that can tell that it does not know a string.
pub(super) trait Find: Lookup {
    /// The number, if there is one.
    fn find(&self, text: &str) -> Option<u64>;
}

/// A table that gives strings back.
pub(super) trait Names: Sync + Sized + 'static {
    /// What stands for a string.
    type Symbol: Clone + Send + Sync;

    /// With these strings in it, and their symbols.
    fn with_symbols(texts: &[&'static str]) -> (Self, Vec<Self::Symbol>);

    /// The string.
    fn name<'a>(&'a self, symbol: &'a Self::Symbol) -> &'a str;
}

/// A table that shows all it has.
pub(super) trait Walk: Sync + Sized + 'static {
    /// With these strings in it.
    fn of_all(texts: &[&'static str]) -> Self;

    /// Hands over every string.
    fn walk(&self, each: impl FnMut(&str));
}

/// A table whose memory is counted.
pub(super) trait Held: Sized + 'static {
    /// With these strings in it.
    fn holding(texts: &mut dyn Iterator<Item = &str>) -> Self;

    /// How many strings it holds.
    fn len(&self) -> usize;
}

/// What [`Lookup::of`] is for a table that grows.
pub(super) fn filled<T: Grow>(texts: &[&'static str]) -> T {
    let mut table = T::empty();
    for text in texts {
        table.add(text);
    }
    table
}

/// What [`Held::holding`] is for a table that threads share.
pub(super) fn holding<T: Concurrent>(texts: &mut dyn Iterator<Item = &str>) -> T {
    let table = T::new();
    texts.for_each(|text| {
        table.number(text);
    });
    table
}
