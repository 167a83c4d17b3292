//! Pins which auto traits a type has, and which it must not have.

#![forbid(unsafe_code)]

use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// Says no for every type. An inherent constant of the same name wins where the bound holds.
pub trait Otherwise {
    /// Whether the trait is implemented.
    const YES: bool = false;
}

macro_rules! probes {
    ($($probe:ident: $bound:path,)+) => { $(
        /// A type in question.
        #[derive(Debug)]
        pub struct $probe<T: ?Sized>(PhantomData<T>);

        impl<T: ?Sized> Otherwise for $probe<T> {}

        impl<T: ?Sized + $bound> $probe<T> {
            /// Says yes, where the bound holds.
            pub const YES: bool = true;
        }
    )+ };
}

probes! {
    SendProbe: Send,
    SyncProbe: Sync,
    UnpinProbe: Unpin,
    UnwindSafeProbe: UnwindSafe,
    RefUnwindSafeProbe: RefUnwindSafe,
    CopyProbe: Copy,
}

/// Asserts, at compile time, that types have these traits, and with `!` that they have not.
///
/// Of `Send`, `Sync`, `Unpin`, `UnwindSafe`, `RefUnwindSafe` and `Copy`. Types are concrete; a
/// generic one is pinned with a parameter that has the trait and one that has not.
///
/// # Examples
///
/// ```
/// use std::{cell::Cell, rc::Rc};
///
/// thrifty_testkit::auto_traits! {
///     Cell<u8>: [Send !Sync Unpin !RefUnwindSafe],
///     Rc<u8>: [!Send !Sync !Copy],
///     dyn Fn() + Sync: [!Send Sync],
/// }
/// ```
///
/// What does not hold does not compile, nor does a trait that it does not know:
///
/// ```compile_fail,E0080
/// thrifty_testkit::auto_traits! { std::cell::Cell<u8>: [Sync] }
/// ```
///
/// ```compile_fail,E0080
/// thrifty_testkit::auto_traits! { u8: [!Send] }
/// ```
///
/// ```compile_fail
/// thrifty_testkit::auto_traits! { u8: [Clone] }
/// ```
#[macro_export]
macro_rules! auto_traits {
    ($($type:ty: [$($traits:tt)*]),+ $(,)?) => {
        $( $crate::auto_traits!(@each [$type] $($traits)*); )+
    };
    (@each [$type:ty]) => {};
    (@each [$type:ty] ! $name:ident $($rest:tt)*) => {
        const _: () = assert!(
            !$crate::auto_traits!(@has [$type] $name),
            concat!(stringify!($type), " must not be ", stringify!($name)),
        );
        $crate::auto_traits!(@each [$type] $($rest)*);
    };
    (@each [$type:ty] $name:ident $($rest:tt)*) => {
        const _: () = assert!(
            $crate::auto_traits!(@has [$type] $name),
            concat!(stringify!($type), " must be ", stringify!($name)),
        );
        $crate::auto_traits!(@each [$type] $($rest)*);
    };
    (@has [$type:ty] Send) => { $crate::auto_traits!(@probe [$type] SendProbe) };
    (@has [$type:ty] Sync) => { $crate::auto_traits!(@probe [$type] SyncProbe) };
    (@has [$type:ty] Unpin) => { $crate::auto_traits!(@probe [$type] UnpinProbe) };
    (@has [$type:ty] UnwindSafe) => { $crate::auto_traits!(@probe [$type] UnwindSafeProbe) };
    (@has [$type:ty] RefUnwindSafe) => { $crate::auto_traits!(@probe [$type] RefUnwindSafeProbe) };
    (@has [$type:ty] Copy) => { $crate::auto_traits!(@probe [$type] CopyProbe) };
    (@probe [$type:ty] $probe:ident) => {{
        #[allow(unused_imports, reason = "used only where the bound does not hold")]
        use $crate::__private::Otherwise as _;
        $crate::__private::$probe::<$type>::YES
    }};
}
