//! An item may be dropped by a thread that outlives what it borrows.

use thrifty_pool::Pool;

fn main() {
    let text = String::from("short-lived");
    let pool = Pool::with(Vec::<&str>::new, Vec::clear);
    pool.get().push(&text);
}
