//! A box goes where its value may go.

use std::rc::Rc;
use thrifty_fixed_alloc::Slab;

fn main() {
    let boxed = Slab::new().insert(Rc::new(1));
    std::thread::spawn(move || drop(boxed));
}
