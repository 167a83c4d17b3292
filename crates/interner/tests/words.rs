//! The words that every interner shares: auto traits, widths of symbols, errors.

use std::ffi::{CStr, OsStr};

use thrifty_interner::{
    DefaultState, Frozen, FrozenError, FrozenIter, FrozenRef, InternError, Key, KeysError,
    LocalBuilder, LocalInterner, LocalIter, Mark, Resolver, ResolverRef, Sym, Sym8, Sym16, Symbol,
};

thrifty_interner::symbol! {
    /// A brand.
    struct Branded;
    /// A narrow one.
    struct Narrow: Sym8;
}

thrifty_testkit::auto_traits! {
    Sym: [Send Sync Unpin Copy UnwindSafe RefUnwindSafe],
    Sym8: [Send Sync Copy],
    Sym16: [Send Sync Copy],
    Branded: [Send Sync Copy],
    DefaultState: [Send Sync Unpin !Copy],
    InternError: [Send Sync Copy],
    FrozenError: [Send Sync Copy],
    KeysError: [Send Sync Copy],
    Mark: [Send Sync Copy],
    LocalBuilder: [Send Sync],
    LocalInterner: [Send Sync Unpin !Copy],
    LocalInterner<[u64], Branded>: [Send Sync],
    LocalInterner<str, Sym, std::rc::Rc<DefaultState>>: [!Send !Sync],
    LocalIter<'static, str, Sym, DefaultState>: [Send Sync],
    LocalIter<'static, str, Sym, std::cell::Cell<u8>>: [!Send !Sync],
    Frozen: [Send Sync Unpin UnwindSafe RefUnwindSafe],
    FrozenRef<'static>: [Send Sync],
    FrozenIter<'static, str, Sym>: [Send Sync],
    Resolver<[u128], Narrow>: [Send Sync Unpin],
    ResolverRef<'static, OsStr, Sym16>: [Send Sync],
}

fn numbers_go_around<Y: Symbol>(bytes: usize) {
    assert_eq!(size_of::<Option<Y>>(), bytes);
    for index in [0, 1, 2, 127, Y::COUNT - 1] {
        let symbol = Y::try_from_index(index).expect("below the count");
        assert_eq!(symbol.index(), index);
        assert_eq!(Y::try_from_index(symbol.index()), Some(symbol));
    }
    assert!(Y::try_from_index(0) < Y::try_from_index(1));
    for index in [Y::COUNT, Y::COUNT.saturating_add(1), u32::MAX] {
        assert_eq!(Y::try_from_index(index), None);
    }
}

#[test]
fn symbols_have_their_width() {
    numbers_go_around::<Sym>(4);
    numbers_go_around::<Sym16>(2);
    numbers_go_around::<Sym8>(1);
    numbers_go_around::<Branded>(4);
    numbers_go_around::<Narrow>(1);
    assert_eq!(
        (Sym8::COUNT, Sym16::COUNT, Sym::COUNT),
        (255, 65_535, u32::MAX)
    );
}

#[test]
fn errors_are_sentences() {
    let intern = [
        InternError::MemoryLimit { limit_bytes: 1 },
        InternError::SymbolSpace { limit_symbols: 255 },
        InternError::TooLong {
            length_bytes: 9,
            limit_bytes: 8,
        },
        InternError::Backend { size_bytes: 64 },
        InternError::Collisions { seeds: 8 },
    ];
    let said = intern.map(|error| error.to_string());
    assert_eq!(
        said,
        [
            "cannot intern: the limit of 1 bytes is reached",
            "cannot intern: all 255 symbols are given out",
            "cannot intern: 9 bytes are longer than the limit of 8",
            "cannot intern: the allocator refused 64 bytes",
            "cannot intern: the keys collide under each of 8 seeds",
        ]
    );
    let frozen = [
        FrozenError::Length {
            found_bytes: 1,
            expected_bytes: 64,
        },
        FrozenError::Magic,
        FrozenError::Version { found: 2 },
        FrozenError::Kind {
            found: 16,
            expected: 1,
        },
        FrozenError::Alignment {
            found_bytes: 4,
            expected_bytes: 8,
        },
        FrozenError::ByteOrder,
        FrozenError::Misaligned { align_bytes: 8 },
        FrozenError::SymbolSpace {
            count: 256,
            limit_symbols: 255,
        },
        FrozenError::Header,
        FrozenError::Checksum,
        FrozenError::Key { index: 3 },
        FrozenError::Table,
        FrozenError::NoTable,
        FrozenError::Backend { size_bytes: 64 },
    ];
    for error in frozen {
        let said = error.to_string();
        assert!(
            said.starts_with("cannot read a frozen interner: "),
            "{said}"
        );
    }
    let twice = KeysError::Duplicate {
        first: 1,
        second: 3,
    };
    assert_eq!(twice.to_string(), "key 3 is the same as key 1");
    let inner = KeysError::from(intern[0]);
    assert_eq!(inner.to_string(), intern[0].to_string());
    assert!(std::error::Error::source(&inner).is_some());
}

fn assert_bytes<K: Key + ?Sized>(key: &K, bytes: &[u8]) {
    assert_eq!(key.as_bytes(), bytes);
    assert_eq!(key.as_bytes().as_ptr().addr() % K::ALIGN, 0);
}

#[test]
fn keys_are_their_bytes() {
    assert_bytes("text", b"text");
    assert_bytes(OsStr::new("a/b"), b"a/b");
    assert_bytes::<CStr>(c"ab", b"ab\0");
    assert_bytes::<[u64]>(&[], b"");
    assert_bytes(&[[true, false], [false, true]][..], &[1, 0, 0, 1]);
    assert_bytes(&[1_u128][..], &1_u128.to_ne_bytes());
    assert_bytes(&['a'][..], &97_u32.to_ne_bytes());
}
