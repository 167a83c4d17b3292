//! What the derived `Reset` of a struct does.

// Would make an `#[allow(deprecated)]` in the generated code an error.
#![forbid(deprecated)]

use thrifty_traits::Reset;

#[test]
fn every_field_is_reset_in_declaration_order() {
    /// Appends its letter to a shared log when it is reset.
    struct Traced<'a>(char, &'a core::cell::RefCell<String>);

    impl Reset for Traced<'_> {
        fn reset(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    #[derive(Reset)]
    struct Named<'a> {
        a: Traced<'a>,
        b: Traced<'a>,
        r#type: Traced<'a>,
    }

    #[derive(Reset)]
    struct Tuple<'a>(Traced<'a>, Traced<'a>);

    #[derive(Reset)]
    struct Unit;

    let log = core::cell::RefCell::new(String::new());
    Named {
        a: Traced('a', &log),
        b: Traced('b', &log),
        r#type: Traced('c', &log),
    }
    .reset();
    Tuple(Traced('d', &log), Traced('e', &log)).reset();
    Unit.reset();
    assert_eq!(log.borrow().as_str(), "abcde");
}

#[test]
fn capacity_is_kept_and_summed() {
    #[derive(Reset)]
    struct Buffers {
        text: String,
        rows: Vec<u32>,
        nested: (Vec<u8>, [Vec<u16>; 2]),
        count: usize,
    }

    let mut buffers = Buffers {
        text: "abc".to_owned(),
        rows: vec![1; 100],
        nested: (vec![2; 10], [vec![3; 20], vec![4; 30]]),
        count: 9,
    };
    let capacities = |b: &Buffers| {
        let (bytes, [first, second]) = &b.nested;
        [
            b.text.capacity(),
            b.rows.capacity(),
            bytes.capacity(),
            first.capacity(),
            second.capacity(),
        ]
    };
    let before = capacities(&buffers);
    buffers.reset();
    assert_eq!(capacities(&buffers), before);
    assert!(buffers.text.is_empty() && buffers.rows.is_empty() && buffers.nested.0.is_empty());
    assert!(buffers.nested.1.iter().all(Vec::is_empty));
    assert_eq!(buffers.count, 0);
    let [text, rows, bytes, first, second] = before;
    assert_eq!(
        buffers.retained_bytes(),
        text + 4 * rows + bytes + 2 * first + 2 * second
    );
}

/// No `Reset`, no `Default`.
#[derive(Debug, PartialEq)]
struct Opaque(u8);

mod fill {
    pub(crate) fn with_nine(value: &mut [u8]) {
        value.fill(9);
    }
}

#[test]
fn attributes_replace_the_fields_own_reset() {
    #[derive(Debug, PartialEq, Reset)]
    struct Attributed {
        #[reset(skip)]
        skipped: Opaque,
        #[reset(value = Opaque(1))]
        value: Opaque,
        #[reset(value = "Opaque(1 + 1)")]
        quoted_value: Opaque,
        #[reset(value = "\"text\"")]
        text: &'static str,
        #[reset(value = "four".len())]
        method_on_a_string: usize,
        #[reset(value = Vec::<(u8, u16)>::from([(1, 2)]))]
        commas_in_generics: Vec<(u8, u16)>,
        #[reset(value = if cfg!(test) { [3; 2] } else { [4; 2] })]
        any_expression: [u8; 2],
        #[reset(with = fill::with_nine)]
        with_coercion: Vec<u8>,
        #[reset(with = "fill::with_nine")]
        quoted_with: [u8; 2],
        #[reset(with = <[u8]>::reverse)]
        qualified_with: [u8; 2],
    }

    let mut value = Attributed {
        skipped: Opaque(7),
        value: Opaque(7),
        quoted_value: Opaque(7),
        text: "old",
        method_on_a_string: 7,
        commas_in_generics: vec![],
        any_expression: [7; 2],
        with_coercion: vec![7; 3],
        quoted_with: [7; 2],
        qualified_with: [1, 2],
    };
    value.reset();
    let expected = Attributed {
        skipped: Opaque(7),
        value: Opaque(1),
        quoted_value: Opaque(2),
        text: "text",
        method_on_a_string: 4,
        commas_in_generics: vec![(1, 2)],
        any_expression: [3; 2],
        with_coercion: vec![9; 3],
        quoted_with: [9; 2],
        qualified_with: [2, 1],
    };
    assert_eq!(value, expected);
}

#[test]
fn retained_counts_what_the_trait_cannot() {
    fn megabyte(_: &Opaque) -> usize {
        1 << 20
    }

    #[derive(Reset)]
    struct Counted {
        own: Vec<u64>,
        #[reset(skip)]
        uncounted: Vec<u64>,
        #[reset(skip, retained = "megabyte")]
        skipped: Opaque,
        #[reset(value = String::new(), retained = String::capacity)]
        valued: String,
        /// On a field with its own `Reset`, `retained` replaces `retained_bytes` alone.
        #[reset(retained = Vec::len)]
        replaced: Vec<u8>,
    }

    let mut counted = Counted {
        own: Vec::with_capacity(2),
        uncounted: Vec::with_capacity(1000),
        skipped: Opaque(0),
        valued: String::with_capacity(50),
        replaced: vec![0; 3],
    };
    let own = counted.own.capacity() * 8;
    assert_eq!(
        counted.retained_bytes(),
        own + (1 << 20) + counted.valued.capacity() + 3
    );
    counted.reset();
    assert_eq!(counted.retained_bytes(), own + (1 << 20));
    assert!(counted.uncounted.capacity() >= 1000);
}

#[test]
fn leaving_a_value_does_not_leave_the_reset() {
    fn parse(digits: &str) -> Option<u8> {
        digits.parse().ok()
    }

    #[derive(Debug, PartialEq, Reset)]
    struct Leaves<'a, T: Copy + 'a> {
        #[reset(value = { if cfg!(test) { return 1; } 2 })]
        number: u8,
        #[reset(value = return "text")]
        text: &'a str,
        #[reset(value = Some(parse("x")? + 1))]
        question_mark: Option<u8>,
        #[reset(value = return None)]
        generic: Option<&'a [T]>,
        #[reset(value = match parse("3") { Some(three) => vec![three], None => return vec![] })]
        matched: Vec<u8>,
        last: u8,
    }

    let mut value = Leaves {
        number: 7,
        text: "old",
        question_mark: Some(7),
        generic: Some(&[7_u8]),
        matched: vec![7],
        last: 7,
    };
    value.reset();
    let expected = Leaves {
        number: 1,
        text: "text",
        question_mark: None,
        generic: None,
        matched: vec![3],
        last: 0,
    };
    assert_eq!(value, expected);
}

#[test]
fn a_value_is_coerced_to_the_type_of_its_field() {
    #[derive(Reset)]
    struct Coerced<'a> {
        #[reset(value = &[1, 2])]
        slice: &'a [u8],
        #[reset(value = Box::new([1_u8, 2, 3]))]
        boxed: Box<[u8]>,
        #[reset(value = |number| number + 1)]
        function: fn(u8) -> u8,
        #[reset(value = Box::new(|| 5))]
        object: Box<dyn Fn() -> u8 + 'a>,
    }

    let mut value = Coerced {
        slice: &[],
        boxed: Box::new([]),
        function: core::convert::identity,
        object: Box::new(|| 0),
    };
    value.reset();
    assert_eq!((value.slice, &*value.boxed), (&[1, 2][..], &[1, 2, 3][..]));
    assert_eq!(((value.function)(1), (value.object)()), (2, 5));
}

#[test]
fn the_sum_saturates() {
    struct Huge;

    impl Reset for Huge {
        fn reset(&mut self) {}

        fn retained_bytes(&self) -> usize {
            usize::MAX - 1
        }
    }

    #[derive(Reset)]
    struct Two(Huge, Huge);

    assert_eq!(Two(Huge, Huge).retained_bytes(), usize::MAX);
}

#[test]
fn packed_structs_take_value_and_skip() {
    #[derive(Reset)]
    #[repr(C, packed(2))]
    struct Packed {
        #[reset(value = 7)]
        number: u64,
        #[reset(skip)]
        tag: u8,
        #[reset(value = Vec::new())]
        owned: Vec<u8>,
    }

    let mut packed = Packed {
        number: 1,
        tag: 2,
        owned: vec![1],
    };
    packed.reset();
    let Packed { number, tag, owned } = packed;
    assert_eq!((number, tag, owned), (7, 2, vec![]));
}

#[test]
fn a_type_may_come_from_a_macro() {
    macro_rules! declare {
        ($name:ident, $param:ident, $ty:ty) => {
            #[derive(Reset)]
            struct $name<$param> {
                field: $ty,
            }
        };
    }
    macro_rules! list_of {
        ($ty:ty) => { Vec<$ty> };
    }
    #[derive(Reset)]
    struct Called<T>(list_of!(T));

    declare!(Declared, T, (T, u8));
    let mut declared = Declared { field: (1_u8, 1) };
    declared.reset();
    assert_eq!(declared.field, (0, 0));

    let mut called = Called(vec![1]);
    called.reset();
    assert!(called.0.is_empty());
}

/// What `$crate::reexport` means in the macro below.
mod reexport {
    pub(crate) use thrifty_traits::Reset;
}

#[test]
fn settings_may_come_from_a_macro() {
    macro_rules! declare {
        ($name:ident, $value:expr, $literal:literal, $path:path) => {
            #[derive(Debug, PartialEq, Reset)]
            #[reset(crate = $crate::reexport)]
            struct $name {
                #[reset(value = $value)]
                value: u8,
                #[reset(value = $literal)]
                literal: u8,
                #[reset(with = $path)]
                with: Vec<u8>,
            }
        };
    }

    declare!(Declared, 1 + 1, "2 + 1", fill::with_nine);
    let mut declared = Declared {
        value: 0,
        literal: 0,
        with: vec![0],
    };
    declared.reset();
    assert_eq!(
        declared,
        Declared {
            value: 2,
            literal: 3,
            with: vec![9]
        }
    );
}
