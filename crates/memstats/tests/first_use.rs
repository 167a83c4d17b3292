//! The first use of the crate falls into a time when every allocation fails. In a program of its
//! own, because the answer to "is it installed?" is found once.

use thrifty_memstats::{Alloc, assert_no_alloc, is_installed, read};
use thrifty_testkit::{AllocFault, FailingAlloc, with_failing};

#[global_allocator]
static ALLOC: Alloc<FailingAlloc> = Alloc::new(FailingAlloc::system());

#[test]
fn a_first_assertion_holds_where_every_allocation_fails() {
    let (value, struck) = with_failing(AllocFault::Onwards, 0, || {
        assert!(is_installed());
        assert_no_alloc!(2 + 2)
    });
    assert_eq!(value, 4);
    assert!(struck > 0, "the probe asked for memory, and got none");
    assert!(read().is_ok());
}
