//! Which bounds the derived `Reset` of a generic type has.

use core::marker::PhantomData;

use thrifty_traits::Reset;

/// Implements nothing: as a parameter it satisfies bounds on field types only.
struct Nothing;

#[test]
fn bounds_are_on_field_types() {
    trait Source {
        type Item;
    }

    struct Numbers;

    impl Source for Numbers {
        type Item = u32;
    }

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
fn recursion_asks_nothing_of_the_parameters() {
    #[derive(Reset)]
    struct Tree<T> {
        values: Vec<T>,
        children: Vec<Self>,
        parent: Option<Box<Self>>,
        pair: Box<[Self]>,
    }

    let mut tree = Tree {
        values: vec![Nothing],
        children: vec![],
        parent: None,
        pair: Box::new([]),
    };
    tree.reset();
    assert!(tree.values.is_empty() && tree.children.is_empty());
    assert!(tree.parent.is_none() && tree.pair.is_empty());
}

mod inner {
    use super::Reset;

    #[derive(Reset)]
    pub(crate) struct Tree<T>(pub(crate) Vec<T>);
}

#[test]
fn a_wrapper_may_have_the_name_of_what_it_wraps() {
    #[derive(Reset)]
    struct HashMap<K, V>(std::collections::HashMap<K, V>);

    #[derive(Reset)]
    struct Tree<T>(inner::Tree<T>);

    HashMap(std::collections::HashMap::<Nothing, Nothing>::new()).reset();
    let mut tree = Tree(inner::Tree(vec![Nothing]));
    tree.reset();
    assert!(tree.0.0.is_empty());
}

#[test]
fn fields_may_differ_in_lifetimes_alone() {
    struct Cursor<'a, T>(Option<&'a T>);

    impl<T> Reset for Cursor<'_, T> {
        fn reset(&mut self) {
            self.0 = None;
        }
    }

    #[derive(Reset)]
    struct Borrows<'a, 'b, T: 'static> {
        a: Vec<&'a T>,
        b: Vec<&'b T>,
        option: Option<&'a T>,
        forever: Option<&'static T>,
        cursors: (Cursor<'a, T>, Cursor<'b, T>),
        crossed: (Cursor<'b, T>, Cursor<'a, T>),
    }

    #[derive(Reset)]
    struct Short<'a, 'b, T>(Vec<&'a T>, Cursor<'a, T>, Vec<&'b T>, Cursor<'b, T>);

    let (a, b) = (Nothing, Nothing);
    let mut borrows = Borrows {
        a: vec![&a],
        b: vec![&b],
        option: Some(&a),
        forever: Some(&Nothing),
        cursors: (Cursor(Some(&a)), Cursor(Some(&b))),
        crossed: (Cursor(Some(&b)), Cursor(Some(&a))),
    };
    borrows.reset();
    assert!(borrows.a.is_empty() && borrows.b.is_empty());
    assert!(borrows.option.is_none() && borrows.forever.is_none());
    assert!(borrows.cursors.0.0.is_none() && borrows.crossed.1.0.is_none());

    // The parameter may itself be a type with a lifetime.
    let text = String::from("text");
    let inner = &*text;
    let mut short = Short(vec![&inner], Cursor(Some(&inner)), vec![], Cursor(None));
    short.reset();
    assert!(short.0.is_empty() && short.1.0.is_none());
}
