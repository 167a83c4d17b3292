//! What makes items is called as long as the pool lives, by any thread.

use thrifty_pool::Pool;

fn main() {
    let text = String::from("short-lived");
    let _ = Pool::new(|| text.clone());
}
