//! Assertions hold, fail with figures and a stack, and cannot be fooled by nesting.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};

use thrifty_memstats::{Alloc, allow_alloc, assert_allocs, assert_no_alloc, measure};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

fn message_of(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("the assertion held");
    *panic.downcast::<String>().expect("a formatted message")
}

#[inline(never)]
fn the_culprit() -> Box<[u8; 40]> {
    black_box(Box::new([1; 40]))
}

#[inline(never)]
fn an_accomplice() -> Box<u16> {
    black_box(Box::new(2))
}

#[test]
fn code_that_allocates_nothing_passes_and_yields_its_value() {
    let mut text = String::with_capacity(10);
    let len = assert_no_alloc!({
        text.push_str("0123456789");
        text.len()
    });
    assert_eq!(len, 10);
    assert_eq!(assert_no_alloc!(2 + 2), 4);
    assert_no_alloc! {
        let doubled = len * 2;
        assert_eq!(doubled, 20);
    }
}

#[test]
fn freeing_is_not_allocating() {
    let block = the_culprit();
    assert_no_alloc!(drop(block));
}

#[test]
fn the_failure_names_limit_figure_and_first_stack() {
    let message = message_of(|| {
        assert_no_alloc!({
            drop(the_culprit());
            drop(an_accomplice());
        });
    });
    assert!(
        message.starts_with(
            "assert_no_alloc! failed: allowed <= 0 allocations, found 2 (2 new, 0 resized) of 42 bytes"
        ),
        "{message}"
    );
    if cfg!(feature = "stacks") {
        let first = message.lines().nth(2).unwrap_or_default();
        assert!(message.contains("the_culprit"), "{message}");
        assert!(
            !message.contains("an_accomplice"),
            "only the first stack: {message}"
        );
        assert!(
            !message.contains("thrifty_memstats::thread"),
            "no frames of ours: {message}"
        );
        assert!(
            !first.contains("backtrace"),
            "no frames of the unwinder: {message}"
        );
        assert!(
            message.contains("assertions.rs:"),
            "with file and line: {message}"
        );
    } else {
        assert!(message.contains("stacks"), "{message}");
    }
}

#[test]
fn a_resize_is_an_allocation() {
    let mut numbers = black_box(vec![1_u64; 4]);
    let message = message_of(|| assert_no_alloc!(numbers.push(5)));
    assert!(
        message.contains("found 1 (0 new, 1 resized) of 64 bytes"),
        "{message}"
    );
}

#[test]
fn limits_are_met_exactly() {
    assert_allocs!(<= 2, drop((the_culprit(), an_accomplice())));
    assert_allocs!(<= 42 bytes, drop((the_culprit(), an_accomplice())));
    assert_allocs!(<= 2, <= 42 bytes, drop((the_culprit(), an_accomplice())));
    const CALLS: u32 = 1;
    assert_allocs!(<= CALLS + 1, <= (2 * 21) bytes, drop((the_culprit(), an_accomplice())));
}

#[test]
fn limits_are_missed_by_one() {
    let by_calls = message_of(|| assert_allocs!(<= 1, drop((the_culprit(), an_accomplice()))));
    assert!(by_calls.starts_with("assert_allocs! failed: allowed <= 1 allocations, found 2"));
    let by_bytes =
        message_of(|| assert_allocs!(<= 41 bytes, drop((the_culprit(), an_accomplice()))));
    assert!(by_bytes.starts_with("assert_allocs! failed: allowed <= 41 bytes, found 2"));
    assert!(by_bytes.contains("of 42 bytes"), "{by_bytes}");
    let by_both =
        message_of(|| assert_allocs!(<= 9, <= 41 bytes, drop((the_culprit(), an_accomplice()))));
    assert!(
        by_both.contains("allowed <= 9 allocations, <= 41 bytes"),
        "{by_both}"
    );
    if cfg!(feature = "stacks") {
        for message in [by_calls, by_bytes, by_both] {
            assert!(
                message.contains("an_accomplice"),
                "the one past the limit: {message}"
            );
            assert!(!message.contains("the_culprit"), "{message}");
        }
    }
}

#[test]
fn an_exception_is_allowed_and_only_there() {
    assert_no_alloc!({
        let inside = allow_alloc(the_culprit);
        drop(inside);
    });
    let message = message_of(|| {
        assert_no_alloc!({
            allow_alloc(|| drop(the_culprit()));
            drop(an_accomplice());
        });
    });
    assert!(
        message.contains("found 1 (1 new, 0 resized) of 2 bytes"),
        "{message}"
    );
}

#[test]
fn an_assertion_inside_an_exception_still_asserts() {
    let message = message_of(|| {
        assert_no_alloc!({
            allow_alloc(|| assert_no_alloc!(drop(the_culprit())));
        });
    });
    assert!(message.contains("found 1"), "{message}");
}

#[test]
fn a_measured_part_of_an_asserted_scope_counts_for_both() {
    let (message, delta) = measure(|| {
        message_of(|| {
            assert_no_alloc!({
                let (_, inner) = measure(|| drop(the_culprit()));
                assert_eq!(inner.unwrap().allocs, 1);
            });
        })
    });
    assert!(message.contains("found 1"), "{message}");
    assert!(delta.unwrap().allocs >= 1);
}

#[test]
fn measuring_sees_what_an_exception_hides() {
    let ((), delta) = measure(|| {
        assert_no_alloc!(allow_alloc(|| drop(the_culprit())));
    });
    assert_eq!(delta.unwrap().allocs, 1);
}

#[test]
fn an_outer_assertion_sees_what_an_inner_one_tolerates() {
    let message = message_of(|| assert_no_alloc!(assert_allocs!(<= 5, drop(the_culprit()))));
    assert!(message.starts_with("assert_no_alloc! failed"), "{message}");
}

/// The hook runs while the scope's own code captures and prints a backtrace, which allocates,
/// locks and unwinds: nothing may recurse or hang.
#[test]
fn a_backtrace_can_be_formatted_inside() {
    let mut text = String::new();
    let message = message_of(|| {
        assert_no_alloc!({
            text = std::backtrace::Backtrace::force_capture().to_string();
        });
    });
    assert!(
        text.contains("a_backtrace_can_be_formatted_inside"),
        "{text}"
    );
    assert!(message.starts_with("assert_no_alloc! failed"), "{message}");
}

#[test]
fn a_panic_of_the_code_passes_through() {
    let panic = catch_unwind(|| assert_no_alloc!(std::panic::panic_any(7_u8))).unwrap_err();
    assert_eq!(*panic.downcast::<u8>().unwrap(), 7);
    // And the scope is closed.
    drop(the_culprit());
    assert_no_alloc!(());
}

#[test]
fn the_panic_points_at_the_assertion() {
    use std::sync::{Arc, Mutex};

    let place = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&place);
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("fails") {
            *seen.lock().unwrap() = info.location().unwrap().file().to_owned();
        } else {
            default(info);
        }
    }));
    let thread = std::thread::Builder::new()
        .name("fails".into())
        .spawn(|| assert_no_alloc!(drop(the_culprit())))
        .unwrap();
    assert!(thread.join().is_err());
    assert!(place.lock().unwrap().ends_with("assertions.rs"));
}

#[test]
fn a_negative_budget_is_refused() {
    let (base, saved) = (3_i64, 5_i64);
    let message = message_of(|| assert_allocs!(<= base - saved, drop(the_culprit())));
    assert!(message.contains("-2 allocations is negative"), "{message}");
    let message = message_of(|| assert_allocs!(<= (base - saved) bytes, drop(the_culprit())));
    assert!(message.contains("-2 bytes is negative"), "{message}");
}

/// The macros must not bring warnings into code that denies them.
#[test]
fn the_macros_are_clean_under_denied_warnings() {
    #![deny(warnings, unused_braces)]
    let mut line = String::with_capacity(8);
    assert_no_alloc!({ line.push('x') });
    assert_no_alloc!({});
    assert_allocs!(<= 0, { line.len() });
    assert_allocs!(<= 5_000_000_000 bytes, { line.len() });
}
