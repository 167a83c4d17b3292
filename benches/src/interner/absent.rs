//! Asking for strings that are not known, without adding them: the rows `interner/get-absent…`.

use thrifty_workloads::corpus::CorpusSpec;

use super::{
    blocks::{Asked, Blocks},
    data::{BLOCK, Data, Source},
    hit::row,
    roster::{self, FindForm},
    table::Find,
};
use crate::suite::Row;

pub(super) fn rows() -> Vec<Row> {
    let source = Source::Spec(CorpusSpec::LOG_TOKENS);
    let reason = "strings that are not there, and are not added";
    let row = |threads| row("get-absent", reason, &source, threads);
    [1, 4]
        .map(|threads| roster::finders(row(threads), Strangers(source.clone())))
        .into()
}

#[derive(Clone)]
struct Strangers(Source);

impl FindForm for Strangers {
    fn side<T: Find>(&self, row: Row, name: &'static str) -> Row {
        let source = self.0.clone();
        row.shared(name, move || Asked(Absent::<T>::new(source.data())))
    }
}

struct Absent<T> {
    table: T,
    data: &'static Data,
    right: Vec<u64>,
}

impl<T: Find> Absent<T> {
    /// # Panics
    ///
    /// When the table does not find what is there.
    fn new(data: &'static Data) -> Self {
        let table = T::of(&data.known);
        let is_known = |text: &&str| table.find(text) == Some(table.hit(text));
        assert!(data.known.iter().all(is_known), "a string is lost");
        Self {
            table,
            data,
            right: vec![BLOCK as u64; data.strangers.len() / BLOCK],
        }
    }
}

impl<T: Find> Blocks for Absent<T> {
    #[inline]
    fn block(&self, number: usize) -> u64 {
        let block = &self.data.strangers[number * BLOCK..][..BLOCK];
        let absent = block.iter().map(|text| self.table.find(text).is_none());
        absent.map(u64::from).sum()
    }

    fn right(&self) -> &[u64] {
        &self.right
    }
}
