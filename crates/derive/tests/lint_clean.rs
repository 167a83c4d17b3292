//! The generated code passes the strictest lints that a user can turn on, without `std`.

#![no_std]
#![forbid(unsafe_code)]
#![forbid(
    missing_docs,
    unused_qualifications,
    unreachable_patterns,
    trivial_casts
)]
#![deny(warnings, unused, nonstandard_style, future_incompatible)]
#![deny(
    deprecated,
    irrefutable_let_patterns,
    let_underscore_drop,
    single_use_lifetimes,
    unit_bindings,
    unused_results
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(
    clippy::absolute_paths,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::arithmetic_side_effects,
    clippy::default_numeric_fallback,
    clippy::missing_inline_in_public_items,
    clippy::missing_trait_methods,
    clippy::pattern_type_mismatch,
    clippy::question_mark_used,
    clippy::ref_patterns,
    clippy::shadow_reuse,
    clippy::shadow_same,
    clippy::shadow_unrelated
)]

use core::num::Wrapping;

use thrifty_traits::Reset;

/// A struct with all kinds of fields.
#[derive(Debug, Reset)]
pub struct Fields<'a, T: Copy, const N: usize> {
    /// Plain.
    pub plain: Wrapping<u8>,
    /// Generic.
    pub generic: Option<T>,
    /// An array.
    pub array: [u8; N],
    /// Skipped.
    #[reset(skip)]
    pub skipped: &'a str,
    /// By value.
    #[reset(value = true)]
    pub value: bool,
    /// By the value of a block.
    #[reset(value = { let two = 2_u8; two | one_more() })]
    pub block: u8,
    /// By a value that borrows for as long as the struct does.
    #[reset(value = "\"new\"")]
    pub borrowed: &'a str,
    /// With a function, counted by another.
    #[reset(with = one, retained = none)]
    pub with: u8,
    /// No longer recommended.
    #[deprecated]
    pub old: u8,
}

/// Two references that differ in their lifetimes.
#[derive(Debug, Reset)]
pub struct Lifetimes<'a, 'b, T> {
    /// One.
    pub one: Option<&'a T>,
    /// Another.
    pub another: Option<&'b T>,
}

/// No longer recommended.
#[deprecated]
#[derive(Debug, Reset)]
pub struct Old {
    /// Plain.
    pub plain: u8,
}

/// Has a field of a type that is no longer recommended.
#[expect(deprecated, reason = "the test is about it")]
#[derive(Debug, Reset)]
pub struct WithOld<T> {
    /// Its bound names the type.
    pub old: GenericOld<T>,
    /// By value.
    #[reset(value = OLD)]
    pub value: Old,
}

/// Allows it for a field, in an enum.
#[derive(Debug, Reset)]
pub enum EnumWithOld {
    /// The default.
    #[reset(default)]
    First(
        /// Deprecated.
        #[reset(value = OLD)]
        #[expect(deprecated, reason = "the test is about it")]
        Old,
    ),
    /// Another.
    Second,
}

/// No fields.
#[derive(Clone, Copy, Debug, Reset)]
pub struct Unit;

/// A tuple.
#[derive(Debug, Reset)]
pub struct Tuple(pub u8, pub u16);

/// A choice.
#[derive(Debug, Reset)]
pub enum Choice<T> {
    /// The default.
    #[reset(default)]
    First {
        /// Plain.
        plain: [T; 2],
        /// Skipped.
        #[reset(skip)]
        skipped: u8,
        /// By value.
        #[reset(value = 3)]
        value: u8,
        /// With a function.
        #[reset(with = one)]
        with: u8,
    },
    /// Another.
    Second(T),
}

/// One variant.
#[derive(Debug, Reset)]
pub enum Single {
    /// The only one.
    #[reset(default)]
    Only(u8, u16),
}

/// Units only.
#[derive(Clone, Copy, Debug, Reset)]
pub enum Units {
    /// The default.
    #[reset(default)]
    Off,
    /// Another.
    On,
    /// No longer recommended.
    #[deprecated]
    Old,
}

/// No longer recommended.
#[deprecated]
#[derive(Debug, Reset)]
pub struct GenericOld<T>(pub Option<T>);

/// What is deprecated to name is made here, so that the structs above need not.
#[expect(deprecated, reason = "the test is about it")]
const OLD: Old = Old { plain: 1 };

const fn one_more() -> u8 {
    1
}

const fn one(value: &mut u8) {
    *value = 1;
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that `retained` wants"
)]
const fn none(_: &u8) -> usize {
    0
}

#[test]
fn the_types_above_work() {
    let mut units = Units::On;
    units.reset();
    assert!(matches!(units, Units::Off));
    let mut choice = Choice::Second(9_u8);
    choice.reset();
    assert!(matches!(
        choice,
        Choice::First {
            plain: [0, 0],
            skipped: 0,
            value: 3,
            with: 1
        }
    ));
}
