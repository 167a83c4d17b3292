//! Which auto traits the public types have, and which they must not have.

use core::cell::Cell;
use core::marker::PhantomData;
use core::panic::{RefUnwindSafe, UnwindSafe};

use thrifty_traits::{AllocError, AllocErrorKind, Pressure, Reclaim, Reclaimed, Rejected, Usage};

/// Declares `$name::Probe<T>::IMPLEMENTED`: whether `T` implements the trait. An inherent
/// constant wins over one of a trait, and is there only when the bound holds.
macro_rules! probe {
    ($($name:ident: $bound:path,)+) => {$(
        mod $name {
            use super::*;

            pub(super) struct Probe<T: ?Sized>(PhantomData<T>);

            pub(super) trait Otherwise {
                const IMPLEMENTED: bool = false;
            }

            impl<T: ?Sized> Otherwise for Probe<T> {}

            impl<T: ?Sized + $bound> Probe<T> {
                pub(super) const IMPLEMENTED: bool = true;
            }
        }

        use $name::Otherwise as _;
    )+};
}

probe! {
    send: Send,
    sync: Sync,
    unpin: Unpin,
    unwind_safe: UnwindSafe,
    ref_unwind_safe: RefUnwindSafe,
    copy: Copy,
}

macro_rules! assert_free {
    ($($ty:ty),+) => {$(
        const {
            assert!(send::Probe::<$ty>::IMPLEMENTED);
            assert!(sync::Probe::<$ty>::IMPLEMENTED);
            assert!(unpin::Probe::<$ty>::IMPLEMENTED);
            assert!(unwind_safe::Probe::<$ty>::IMPLEMENTED);
            assert!(ref_unwind_safe::Probe::<$ty>::IMPLEMENTED);
            assert!(copy::Probe::<$ty>::IMPLEMENTED);
        }
    )+};
}

#[test]
fn plain_data_is_free_of_restrictions() {
    assert_free!(
        AllocError,
        AllocErrorKind,
        Pressure,
        Reclaimed,
        Usage,
        Rejected<u8>
    );
}

#[test]
fn rejected_is_what_its_value_is() {
    const {
        assert!(send::Probe::<Rejected<Cell<u8>>>::IMPLEMENTED);
        assert!(!sync::Probe::<Rejected<Cell<u8>>>::IMPLEMENTED);
        assert!(!send::Probe::<Rejected<*const u8>>::IMPLEMENTED);
        assert!(!sync::Probe::<Rejected<*const u8>>::IMPLEMENTED);
        assert!(!unwind_safe::Probe::<Rejected<&mut u8>>::IMPLEMENTED);
        assert!(!ref_unwind_safe::Probe::<Rejected<Cell<u8>>>::IMPLEMENTED);
        assert!(!unpin::Probe::<Rejected<core::marker::PhantomPinned>>::IMPLEMENTED);
        assert!(!copy::Probe::<Rejected<&mut u8>>::IMPLEMENTED);
    }
}

#[test]
fn a_reclaim_object_crosses_threads() {
    const {
        assert!(send::Probe::<dyn Reclaim>::IMPLEMENTED);
        assert!(sync::Probe::<dyn Reclaim>::IMPLEMENTED);
    }
}

#[test]
fn handing_a_value_back_costs_no_more_than_the_value_and_the_reason() {
    const {
        assert!(size_of::<Rejected<()>>() == size_of::<AllocError>());
        assert!(size_of::<Result<(), AllocError>>() == size_of::<AllocError>());
        assert!(size_of::<Result<(), Rejected<usize>>>() == 4 * size_of::<usize>());
    }
}
