//! Keys that all threads share, and counts that each thread has of its own.
//!
//! ```text
//!   all threads          each thread              merged: a sum of vectors
//!   Interner<[u8], Y>    Vec<u64>
//!   ┌───────────────┐    ┌────┬────┬────┐         ┌────┬────┬────┐
//!   │ b"db-1" ─► 0  │    │ 17 │  4 │  0 │    +    │ 12 │  0 │  9 │
//!   │ b"db-2" ─► 1  │    └────┴────┴────┘         └────┴────┴────┘
//!   │ b"db-3" ─► 2  │      0    1    2   by symbol
//!   └───────────────┘
//! ```

use alloc::borrow::Cow;
use core::{marker::PhantomData, mem};

use thrifty_interner::{InternError, Interner, Symbol, symbol};

use crate::tour::{
    report::Table,
    tuned::{canonical, head},
};

symbol! {
    /// The name of a host.
    pub(super) struct Host;
    /// The name of a component.
    pub(super) struct Component;
    /// A message template.
    pub(super) struct Template;
}

/// One copy of each key, for all threads.
///
/// Symbols have the brand of their interner: a host's is no index into the counts of components.
#[derive(Default)]
pub(super) struct Names {
    pub(super) hosts: Interner<[u8], Host>,
    pub(super) components: Interner<[u8], Component>,
    pub(super) templates: Interner<[u8], Template>,
}

/// How often each symbol came.
pub(super) struct Counts<Y> {
    /// By the symbol's index.
    lines: Vec<u64>,
    symbols: PhantomData<fn(Y)>,
}

impl<Y> Default for Counts<Y> {
    fn default() -> Self {
        Self {
            lines: Vec::new(),
            symbols: PhantomData,
        }
    }
}

impl<Y: Symbol> Counts<Y> {
    /// Counts a symbol once.
    #[inline]
    pub(super) fn add(&mut self, symbol: Y) {
        match self.lines.get_mut(symbol.index() as usize) {
            Some(lines) => *lines += 1,
            None => self.add_slow(symbol),
        }
    }

    #[cold]
    fn add_slow(&mut self, symbol: Y) {
        *self.of(symbol) += 1;
    }

    /// The count of a symbol that may be new here.
    fn of(&mut self, symbol: Y) -> &mut u64 {
        let at = symbol.index() as usize;
        if at >= self.lines.len() {
            self.lines.resize(at + 1, 0);
        }
        &mut self.lines[at]
    }

    /// Adds what another thread has counted.
    pub(super) fn merge(&mut self, mut other: Self) {
        if self.lines.len() < other.lines.len() {
            mem::swap(self, &mut other);
        }
        for (own, other) in self.lines.iter_mut().zip(other.lines) {
            *own += other;
        }
    }

    /// The `top` keys. Here symbols become keys again.
    pub(super) fn into_table(
        mut self,
        names: &Interner<[u8], Y>,
        top: usize,
    ) -> Result<Table, InternError> {
        self.make_canonical(names)?;
        let rows = names.iter().zip(&self.lines);
        let rows = rows.filter_map(|((_, key), &lines)| (lines > 0).then_some((key, lines)));
        Ok(head(rows.collect(), top))
    }

    /// Brings keys that read the same together: invalid UTF-8 and runs of white space.
    fn make_canonical(&mut self, names: &Interner<[u8], Y>) -> Result<(), InternError> {
        let mut others = Vec::new();
        for ((_, key), lines) in names.iter().zip(&mut self.lines) {
            if let Cow::Owned(text) = canonical(key) {
                others.push((text, mem::take(lines)));
            }
        }
        for (text, lines) in others {
            *self.of(names.try_intern(text.as_bytes())?) += lines;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
