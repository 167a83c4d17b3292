//! A box lives no longer than what its value borrows.

use thrifty_fixed_alloc::Slab;

fn main() {
    let slab = Slab::new();
    let boxed = {
        let text = String::from("short");
        slab.insert(text.as_str())
    };
    println!("{boxed}");
}
