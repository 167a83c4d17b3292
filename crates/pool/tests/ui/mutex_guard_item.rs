//! A lock is released by the thread that took it, so its guard must not wander.

use std::sync::{Mutex, MutexGuard};

use thrifty_pool::{Pool, With};

static LOCK: Mutex<u8> = Mutex::new(0);

fn main() {
    let _ = Pool::with(|| LOCK.lock().unwrap(), |_: &mut MutexGuard<'static, u8>| ());
    struct Server {
        _guards: Pool<MutexGuard<'static, u8>, With<MutexGuard<'static, u8>, fn(&mut MutexGuard<'static, u8>)>>,
    }
}
