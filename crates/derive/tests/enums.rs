//! What the derived `Reset` of an enum does.

use core::convert::Infallible;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use thrifty_traits::Reset;

fn seven(value: &mut u8) {
    *value = 7;
}

/// Has a `Default` that differs from its reset state, to tell the two apart.
#[derive(Debug, PartialEq)]
struct Origin(&'static str);

impl Default for Origin {
    fn default() -> Self {
        Self("default")
    }
}

impl Reset for Origin {
    fn reset(&mut self) {
        self.0 = "reset";
    }
}

#[derive(Debug, PartialEq, Reset)]
enum State {
    Failed(String),
    #[reset(default)]
    Open {
        buffer: Vec<u8>,
        origin: Origin,
        #[reset(skip)]
        skipped: Origin,
        #[reset(value = Origin("value"))]
        value: Origin,
        #[reset(with = seven)]
        with: u8,
    },
    Closed,
}

fn open() -> State {
    State::Open {
        buffer: Vec::with_capacity(64),
        origin: Origin("old"),
        skipped: Origin("old"),
        value: Origin("old"),
        with: 1,
    }
}

#[test]
fn leaving_a_value_does_not_leave_the_reset() {
    #[derive(Debug, PartialEq, Reset)]
    enum Leaves<'a, T> {
        #[reset(default)]
        First(
            #[reset(value = { if cfg!(test) { return Some("a"); } None })] Option<&'a str>,
            #[reset(value = return Vec::new())] Vec<T>,
            u8,
        ),
        Second,
    }

    let expected = Leaves::First(Some("a"), vec![], 0);
    let mut in_place = Leaves::First(None, vec!['x'], 1);
    in_place.reset();
    assert_eq!(in_place, expected);
    let mut anew = Leaves::<char>::Second;
    anew.reset();
    assert_eq!(anew, expected);
}

#[test]
fn the_default_variant_is_reset_in_place() {
    let mut state = open();
    let State::Open { buffer, .. } = &mut state else {
        unreachable!()
    };
    buffer.push(1);
    let address = buffer.as_ptr();
    let capacity = buffer.capacity();
    assert_eq!(state.retained_bytes(), capacity);
    state.reset();
    let State::Open {
        buffer,
        origin,
        skipped,
        value,
        with,
    } = &state
    else {
        panic!("left the default variant")
    };
    assert_eq!(
        (buffer.as_ptr(), buffer.len(), buffer.capacity()),
        (address, 0, capacity)
    );
    assert_eq!((origin, skipped), (&Origin("reset"), &Origin("old")));
    assert_eq!((value, with), (&Origin("value"), &7));
    assert_eq!(state.retained_bytes(), capacity);
}

#[test]
fn other_variants_are_replaced() {
    for mut state in [State::Failed("why".to_owned()), State::Closed] {
        assert_eq!(state.retained_bytes(), 0);
        state.reset();
        let expected = State::Open {
            buffer: vec![],
            origin: Origin("default"),
            skipped: Origin("default"),
            value: Origin("value"),
            with: 7,
        };
        assert_eq!(state, expected);
    }
}

#[test]
fn retained_counts_fields_of_the_default_variant() {
    #[derive(Reset)]
    enum Buffer {
        #[reset(default)]
        Idle {
            own: String,
            #[reset(skip)]
            uncounted: String,
            #[reset(skip, retained = String::capacity)]
            skipped: String,
            #[reset(value = String::new(), retained = String::capacity)]
            valued: String,
        },
        Busy,
    }

    let [own, uncounted, skipped, valued] = [1000, 200, 30, 4].map(String::with_capacity);
    let kept = own.capacity() + skipped.capacity();
    let counted = kept + valued.capacity();
    let mut buffer = Buffer::Idle {
        own,
        uncounted,
        skipped,
        valued,
    };
    assert_eq!(buffer.retained_bytes(), counted);
    buffer.reset();
    assert_eq!(buffer.retained_bytes(), kept);
    assert!(matches!(&buffer, Buffer::Idle { uncounted, .. } if uncounted.capacity() >= 200));
    assert_eq!(Buffer::Busy.retained_bytes(), 0);
}

#[test]
fn tuple_and_unit_variants_can_be_the_default() {
    #[derive(Debug, PartialEq, Reset)]
    enum Unit {
        #[reset(default)]
        Idle,
        Busy(u8),
    }

    #[derive(Debug, PartialEq, Reset)]
    enum Tuple {
        #[reset(default)]
        Some(u8, #[reset(value = 'x')] char),
        r#None,
    }

    let mut unit = Unit::Busy(1);
    unit.reset();
    assert_eq!(unit, Unit::Idle);
    unit.reset();
    assert_eq!(unit, Unit::Idle);

    let mut tuple = Tuple::None;
    tuple.reset();
    assert_eq!(tuple, Tuple::Some(0, 'x'));
    tuple = Tuple::Some(5, 'y');
    tuple.reset();
    assert_eq!(tuple, Tuple::Some(0, 'x'));
}

#[test]
fn a_single_variant_needs_no_default_for_its_fields() {
    struct NoDefault(u8);

    impl Reset for NoDefault {
        fn reset(&mut self) {
            self.0 = 0;
        }
    }

    #[derive(Reset)]
    enum Single<T> {
        #[reset(default)]
        Only(T, Vec<u8>),
    }

    let mut single = Single::Only(NoDefault(3), vec![1]);
    single.reset();
    let retained = single.retained_bytes();
    let Single::Only(inner, vec) = single;
    assert_eq!((inner.0, vec.len(), vec.capacity()), (0, 0, retained));
}

#[test]
fn uninhabited_variants_do_no_harm() {
    #[derive(Reset)]
    enum Result<T, E> {
        #[reset(default)]
        Fine(T),
        #[expect(dead_code, reason = "its field has no value")]
        Wrong(E),
    }

    let mut result: Result<u8, Infallible> = Result::Fine(3);
    result.reset();
    assert!(matches!(result, Result::Fine(0)));
}

#[test]
fn generic_enums_bound_the_default_variant_only() {
    /// Implements neither `Reset` nor `Default`.
    struct Nothing;

    #[derive(Reset)]
    enum Slot<T> {
        #[reset(default)]
        Free(Vec<T>),
        Full(T),
    }

    let mut slot = Slot::Full(Nothing);
    slot.reset();
    assert!(matches!(slot, Slot::Free(free) if free.is_empty()));
}

#[test]
fn recursive_enums_work() {
    // Spelt by name, not as `Self`: the macro sees both.
    #[derive(Reset)]
    #[expect(
        clippy::use_self,
        dead_code,
        reason = "the test is about a type that names itself"
    )]
    enum List<T> {
        #[reset(default)]
        Nil,
        Cons(T, Box<List<T>>),
    }

    #[derive(Debug, PartialEq, Reset)]
    enum Expression<T> {
        Literal(T),
        #[reset(default)]
        Sum(T, Vec<Self>),
    }

    let mut list = List::Cons(1, Box::new(List::Cons(2, Box::new(List::Nil))));
    list.reset();
    assert!(matches!(list, List::Nil));

    let mut sum = Expression::Sum(1, vec![Expression::Literal(2)]);
    sum.reset();
    assert_eq!(sum, Expression::Sum(0, vec![]));
    let mut literal = Expression::Literal(1);
    literal.reset();
    assert_eq!(literal, Expression::Sum(0, vec![]));
}

#[test]
fn a_panic_while_the_old_variant_is_dropped_leaves_the_default_one() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }

    #[derive(Reset)]
    enum Armed {
        #[reset(default)]
        Safe(Vec<u8>),
        Hot(Bomb),
    }

    let mut armed = Armed::Hot(Bomb);
    catch_unwind(AssertUnwindSafe(|| armed.reset())).expect_err("the bomb went off");
    assert!(matches!(&armed, Armed::Safe(bytes) if bytes.is_empty()));
}
