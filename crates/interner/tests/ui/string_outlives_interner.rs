//! What was resolved is borrowed, and nothing is forgotten meanwhile.

use thrifty_interner::LocalInterner;

fn main() {
    let mut names: LocalInterner = LocalInterner::new();
    let symbol = names.intern("a");
    let a = names.resolve(symbol);
    names.clear();
    assert_eq!(a, "a");
}
