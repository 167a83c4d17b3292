//! A guard of a local pool borrows it, and its items what they borrow.

use thrifty_pool::LocalPool;

fn main() {
    let guard = {
        let pool = LocalPool::new(String::new);
        pool.get()
    };
    drop(guard);

    let pool = LocalPool::new(Vec::<&str>::new);
    {
        let text = String::from("short-lived");
        pool.get().push(&text);
    }
    drop(pool.get());
}
