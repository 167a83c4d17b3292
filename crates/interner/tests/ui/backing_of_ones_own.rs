//! Bytes that may change after they were checked are no backing.

use thrifty_interner::backing::Backing;

#[derive(Debug)]
struct Fickle;

impl Backing for Fickle {}

fn main() {}
