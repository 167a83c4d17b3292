//! What errors say, and what they ask of the values they carry.

use core::alloc::Layout;
use core::error::Error;

use thrifty_traits::{AllocError, AllocErrorKind, Rejected};

const KINDS: [AllocErrorKind; 5] = [
    AllocErrorKind::Overflow,
    AllocErrorKind::Align,
    AllocErrorKind::Limit,
    AllocErrorKind::Exhausted,
    AllocErrorKind::Backend,
];

/// Implements nothing at all.
struct Nothing;

#[test]
fn messages_take_the_width_that_they_are_given() {
    let overflow = AllocError::overflow(8);
    assert_eq!(
        format!("{overflow:>38}"),
        "   cannot allocate: the size overflows"
    );
    let full = AllocError::new(AllocErrorKind::Exhausted, 1, 1);
    let text = "cannot allocate 1 byte aligned to 1: the allocator is full";
    assert_eq!(format!("{full:60}|"), format!("{text}  |"));
}

#[test]
fn messages_are_lower_case_without_a_period() {
    let layout = Layout::from_size_align(48, 16).unwrap();
    let messages = KINDS.map(|kind| AllocError::for_layout(kind, layout).to_string());
    let expected = [
        "cannot allocate: the size overflows",
        "cannot allocate 48 bytes aligned to 16: the alignment is not supported",
        "cannot allocate 48 bytes aligned to 16: the limit is reached",
        "cannot allocate 48 bytes aligned to 16: the allocator is full",
        "cannot allocate 48 bytes aligned to 16: the allocator below is out of memory",
    ];
    assert_eq!(messages, expected);
    let one_byte = AllocError::new(AllocErrorKind::Limit, 1, 1);
    assert_eq!(
        one_byte.to_string(),
        "cannot allocate 1 byte aligned to 1: the limit is reached"
    );
}

#[test]
fn an_overflow_has_no_size() {
    let error = AllocError::overflow(8);
    assert_eq!(
        (error.kind, error.size, error.align),
        (AllocErrorKind::Overflow, usize::MAX, 8)
    );
}

#[test]
fn rejected_asks_nothing_of_its_value() {
    let error = AllocError::new(AllocErrorKind::Backend, 3, 1);
    let rejected = Rejected::new(Nothing, error);
    let text = format!("{rejected:?}");
    assert!(
        text.starts_with("Rejected") && text.contains("Backend"),
        "{text}"
    );

    // The chain of causes says each thing once.
    let cause = rejected.source().expect("the allocation error");
    assert_eq!(
        rejected.to_string(),
        "the value was handed back because there was no room for it"
    );
    assert_eq!(cause.downcast_ref(), Some(&error));
    assert!(cause.source().is_none());
    let Nothing = rejected.into_value();
}

#[test]
fn debug_output_does_not_show_the_value() {
    let rejected = Rejected::new("hunter2", AllocError::overflow(1));
    assert!(!format!("{rejected:?} {rejected}").contains("hunter2"));
}

#[test]
fn a_borrowed_value_can_be_rejected() {
    let text = String::from("borrowed");
    let rejected = Rejected::new(text.as_str(), AllocError::overflow(1));
    let error: &dyn Error = &rejected;
    assert!(error.source().is_some());
    assert_eq!(rejected.map(str::len).value, 8);
}

#[test]
fn map_keeps_the_reason() {
    let error = AllocError::new(AllocErrorKind::Align, 1, 2);
    assert_eq!(
        Rejected::new(2, error).map(|number| number + 1),
        Rejected::new(3, error)
    );
}

#[test]
fn question_marks_convert() {
    fn drops_the_value(result: Result<(), Rejected<Nothing>>) -> Result<(), AllocError> {
        Ok(result?)
    }

    fn boxes(result: Result<(), Rejected<u8>>) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(result?)
    }

    let error = AllocError::overflow(1);
    assert_eq!(
        drops_the_value(Err(Rejected::new(Nothing, error))),
        Err(error)
    );
    let boxed = boxes(Err(Rejected::new(7, error))).unwrap_err();
    assert_eq!(
        boxed
            .downcast_ref::<Rejected<u8>>()
            .map(|rejected| rejected.value),
        Some(7)
    );
}
