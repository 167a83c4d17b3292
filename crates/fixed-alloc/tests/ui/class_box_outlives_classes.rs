//! What borrows its allocator lives no longer than it.

use allocator_api2::boxed::Box;
use thrifty_fixed_alloc::ClassAlloc;

fn main() {
    let boxed = {
        let classes = ClassAlloc::new();
        Box::new_in(1, &classes)
    };
    println!("{boxed}");
}
