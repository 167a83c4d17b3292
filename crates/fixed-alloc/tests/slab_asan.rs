//! Under AddressSanitizer a use of a value after its box is reported, and none before.
#![cfg(thrifty_asan)]
#![expect(unsafe_code, reason = "touches what it must not")]

use thrifty_fixed_alloc::{Slab, SlabBox};
use thrifty_testkit::in_child;

#[test]
fn a_value_is_out_of_reach_after_its_box() {
    let ended = in_child!(|| {
        let slab = Slab::new();
        let boxed = slab.insert([1_u64; 4]);
        let value = SlabBox::as_ptr(&boxed);
        drop(boxed);
        // SAFETY: none, on purpose.
        let number = unsafe { value.cast::<u64>().read() };
        println!("still {number}");
    });
    let report = "AddressSanitizer: use-after-poison";
    assert!(ended.stderr().contains(report), "{ended:?}");
}

#[test]
fn a_block_that_is_used_again_is_not_poisoned() {
    let slab = Slab::new();
    for turn in 0..1000 {
        let boxed = slab.insert([turn; 4]);
        assert_eq!(boxed[3], turn);
    }
}
