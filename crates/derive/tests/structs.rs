//! What the derived `Reset` of a struct does.

use core::marker::PhantomData;

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
fn bounds_are_on_field_types() {
    trait Source {
        type Item;
    }

    struct Numbers;

    impl Source for Numbers {
        type Item = u32;
    }

    /// Implements nothing: as a parameter it satisfies bounds on field types only.
    struct Nothing;

    #[derive(Reset)]
    struct Generic<'a, T, S: Source, const N: usize = 2>
    where
        T: 'a,
    {
        vector: Vec<T>,
        option: Option<&'a T>,
        item: S::Item,
        array: [u8; N],
        marker: PhantomData<S>,
        #[reset(skip)]
        #[expect(dead_code, reason = "its type is what matters")]
        skipped: T,
    }

    let outside = Nothing;
    let mut value = Generic::<Nothing, Numbers> {
        vector: vec![Nothing],
        option: Some(&outside),
        item: 5,
        array: [5; 2],
        marker: PhantomData,
        skipped: Nothing,
    };
    value.reset();
    assert!(value.vector.is_empty() && value.option.is_none());
    assert_eq!((value.item, value.array), (0, [0; 2]));
}

#[test]
fn const_parameters_select_implementations() {
    struct Odd<const N: usize>(u8);

    impl Reset for Odd<3> {
        fn reset(&mut self) {
            self.0 = 3;
        }
    }

    #[derive(Reset)]
    struct Wrapper<const N: usize>(Odd<N>);

    let mut wrapper = Wrapper(Odd::<3>(0));
    wrapper.reset();
    assert_eq!(wrapper.0.0, 3);
}

#[test]
fn unsized_tails_are_reset() {
    #[derive(Reset)]
    struct Tail<T: ?Sized> {
        head: u8,
        tail: T,
    }

    let boxed: &mut Tail<[u8]> = &mut Tail {
        head: 1,
        tail: [1, 2, 3],
    };
    boxed.reset();
    assert_eq!((boxed.head, &boxed.tail), (0, &[0, 0, 0][..]));
}

#[test]
fn recursive_types_have_usable_bounds() {
    // Spelt by name as well as with `Self`: the macro sees both.
    #[derive(Reset)]
    #[expect(
        clippy::use_self,
        reason = "the test is about a type that names itself"
    )]
    struct Tree<T> {
        value: T,
        children: Vec<Tree<T>>,
        sibling: Option<Box<Self>>,
    }

    #[derive(Reset)]
    struct Chain {
        next: Option<Box<Self>>,
    }

    // Each half mentions the other, so neither sees that it is recursive.
    #[derive(Reset)]
    #[reset(bound = "T: Reset")]
    struct Even<T> {
        value: T,
        odd: Box<[Uneven<T>]>,
    }

    #[derive(Reset)]
    #[reset(bound = "T: Reset")]
    struct Uneven<T>(Box<[Even<T>]>);

    let leaf = || Tree {
        value: 1,
        children: vec![],
        sibling: None,
    };
    let mut tree = Tree {
        value: 1,
        children: vec![leaf()],
        sibling: Some(Box::new(leaf())),
    };
    tree.reset();
    assert!(tree.value == 0 && tree.children.is_empty() && tree.sibling.is_none());

    let mut chain = Chain {
        next: Some(Box::new(Chain { next: None })),
    };
    chain.reset();
    assert!(chain.next.is_none());

    let inner = Even {
        value: 1,
        odd: Box::new([]),
    };
    let mut even = Even {
        value: 1,
        odd: Box::new([Uneven(Box::new([inner]))]),
    };
    even.reset();
    assert_eq!((even.value, even.odd[0].0[0].value), (0, 0));
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
