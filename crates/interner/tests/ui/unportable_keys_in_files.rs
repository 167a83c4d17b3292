//! Not any byte makes a `bool`: such keys are not read from files.

use thrifty_interner::Frozen;

fn main() {
    let _ = Frozen::<[bool]>::from_bytes(&[]);
}
