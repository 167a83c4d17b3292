//! Which auto traits the public types have, and which they must not have.

use core::cell::Cell;
use core::marker::PhantomPinned;

use thrifty_testkit::auto_traits;
use thrifty_traits::{AllocError, AllocErrorKind, Pressure, Reclaim, Reclaimed, Rejected, Usage};

#[test]
fn plain_data_is_free_of_restrictions() {
    auto_traits! {
        AllocError: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
        AllocErrorKind: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
        Pressure: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
        Reclaimed: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
        Usage: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
        Rejected<u8>: [Send Sync Unpin UnwindSafe RefUnwindSafe Copy],
    }
}

#[test]
fn rejected_is_what_its_value_is() {
    auto_traits! {
        Rejected<Cell<u8>>: [Send !Sync !RefUnwindSafe],
        Rejected<*const u8>: [!Send !Sync],
        Rejected<&mut u8>: [!UnwindSafe !Copy],
        Rejected<PhantomPinned>: [!Unpin],
    }
}

#[test]
fn a_reclaim_object_crosses_threads() {
    auto_traits! { dyn Reclaim: [Send Sync] }
}

#[test]
fn handing_a_value_back_costs_no_more_than_the_value_and_the_reason() {
    const {
        assert!(size_of::<Rejected<()>>() == size_of::<AllocError>());
        assert!(size_of::<Result<(), AllocError>>() == size_of::<AllocError>());
        assert!(size_of::<Result<(), Rejected<usize>>>() == 4 * size_of::<usize>());
    }
}
