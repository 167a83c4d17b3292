//! `get` is for managers that cannot fail.

use thrifty_pool::{Manage, Pool};

struct Files;

impl Manage for Files {
    type Item = std::fs::File;
    type Error = std::io::Error;
    fn create(&self) -> std::io::Result<std::fs::File> {
        std::fs::File::open("/dev/null")
    }
}

fn main() {
    let _ = Pool::with_manager(Files).get();
}
