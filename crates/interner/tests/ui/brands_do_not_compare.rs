//! Symbols of two brands are not equal, nor unequal.

use thrifty_interner::{Sym, Symbol};

thrifty_interner::symbol! {
    struct Host;
}

fn main() {
    let _ = Host::try_from_index(0) == Sym::try_from_index(0);
}
