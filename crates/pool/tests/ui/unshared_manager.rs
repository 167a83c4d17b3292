//! A manager is called by several threads at once.

use std::cell::Cell;
use std::convert::Infallible;

use thrifty_pool::{Manage, Pool};

struct Counting(Cell<u32>);

impl Manage for Counting {
    type Item = u32;
    type Error = Infallible;
    fn create(&self) -> Result<u32, Infallible> {
        self.0.set(self.0.get() + 1);
        Ok(self.0.get())
    }
}

fn main() {
    let made = Cell::new(0);
    let _ = Pool::new(move || {
        made.set(made.get() + 1);
        String::new()
    });
    let _ = Pool::with_manager(Counting(Cell::new(0)));
}
