//! A frozen interner in borrowed bytes ends with them.

use thrifty_interner::Frozen;

fn main() {
    let mapped = {
        let bytes = Frozen::<str>::try_from_keys(["a"]).unwrap().to_bytes();
        Frozen::<str>::from_bytes(&bytes).unwrap()
    };
    assert!(mapped.get("a").is_some());
}
