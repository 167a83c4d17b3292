//! The generated code keeps clear of whatever names surround it.

// Every name that generated code could stumble over, with a meaning that would break it.
mod hostile {
    #![expect(
        non_camel_case_types,
        dead_code,
        reason = "names that shadow the standard ones"
    )]

    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct Default;
    pub(crate) struct usize;
    pub(crate) trait Reset {
        fn reset(&mut self) -> u8 {
            panic!("the user's own trait was called")
        }
        fn retained_bytes(&self) -> u8 {
            panic!("the user's own trait was called")
        }
    }
    impl<T: ?Sized> Reset for T {}
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod alloc {}
    pub(crate) mod thrifty_traits {}
    pub(crate) const BYTES: u8 = 1;

    #[derive(::thrifty_traits::Reset)]
    pub(crate) struct Named {
        pub(crate) bytes: u8,
        pub(crate) r#self_: u8,
        pub(crate) field_0: super::List<u8>,
        pub(crate) field_1: super::List<u8>,
    }

    #[derive(::thrifty_traits::Reset)]
    pub(crate) enum Choice<fresh: ::core::marker::Sized> {
        #[reset(default)]
        One {
            field_1: u8,
            field_0: super::List<fresh>,
            #[reset(with = super::three)]
            fresh: u8,
        },
        Two,
    }
}

type List<T> = Vec<T>;

fn three(value: &mut u8) {
    *value = 3;
}

/// A pattern that names a constant compares with it, so generated bindings keep clear of
/// constants.
#[expect(
    non_upper_case_globals,
    dead_code,
    reason = "shadow the generated local variables"
)]
mod constants {
    const bytes: usize = 1;
    const field_0: usize = 1;
    const fresh: usize = 1;

    #[derive(thrifty_traits::Reset)]
    pub(crate) enum Choice {
        #[reset(default)]
        One(Vec<u8>, Vec<u8>, #[reset(with = super::three)] u8),
        Two,
    }
}

#[test]
fn surrounding_names_are_not_picked_up() {
    use thrifty_traits::Reset;

    let mut named = hostile::Named {
        bytes: 1,
        self_: 1,
        field_0: vec![1],
        field_1: vec![2],
    };
    let retained = named.field_0.capacity() + named.field_1.capacity();
    named.reset();
    assert_eq!((named.bytes, named.self_), (0, 0));
    assert!(named.field_0.is_empty() && named.field_1.is_empty());
    assert_eq!(named.retained_bytes(), retained);

    let mut choice = hostile::Choice::<u16>::Two;
    choice.reset();
    assert_eq!(choice.retained_bytes(), 0);
    let hostile::Choice::One {
        field_1,
        field_0,
        fresh,
    } = choice
    else {
        panic!("still two")
    };
    assert_eq!((field_1, field_0.len(), fresh), (0, 0, 3));

    let mut choice = constants::Choice::Two;
    choice.reset();
    assert!(matches!(&choice, constants::Choice::One(a, b, 3) if a.is_empty() && b.is_empty()));
    choice.reset();
    assert_eq!(choice.retained_bytes(), 0);
}
