//! Items wander between threads.

use std::rc::Rc;

use thrifty_pool::Pool;

fn main() {
    let _ = Pool::with(|| Rc::new(1), |_: &mut Rc<i32>| ());
}
