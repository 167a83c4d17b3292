//! Interners as sequences of keys; symbols as numbers, where that is asked for.

#![cfg(feature = "serde-1")]

use std::ffi::CString;

use thrifty_interner::{Frozen, FrozenRef, Interner, LocalInterner, Resolver, Sym, Sym8};

const WORDS: &str = r#"["b","a",""]"#;

#[test]
fn interners_are_their_keys_in_order() {
    let local: LocalInterner = serde_json::from_str(WORDS).unwrap();
    let shared: Interner = serde_json::from_str(WORDS).unwrap();
    let frozen: Frozen = serde_json::from_str(WORDS).unwrap();
    let resolver: Resolver = serde_json::from_str(WORDS).unwrap();
    assert_eq!(serde_json::to_string(&local).unwrap(), WORDS);
    assert_eq!(serde_json::to_string(&shared).unwrap(), WORDS);
    assert_eq!(serde_json::to_string(&frozen).unwrap(), WORDS);
    assert_eq!(serde_json::to_string(&resolver).unwrap(), WORDS);
    assert_eq!(local.get("a"), shared.get("a"));
    assert_eq!(local.get("a"), frozen.get("a"));
    assert!(local.iter().eq(resolver.iter()));
    let bytes = frozen.to_bytes();
    let mapped: FrozenRef<'_> = Frozen::from_bytes(&bytes).unwrap();
    assert_eq!(serde_json::to_string(&mapped).unwrap(), WORDS);
}

#[test]
fn keys_of_other_kinds() {
    let numbers: LocalInterner<[u16]> = serde_json::from_str("[[1,2],[],[3]]").unwrap();
    assert_eq!(serde_json::to_string(&numbers).unwrap(), "[[1,2],[],[3]]");
    let strings: Frozen<std::ffi::CStr> = {
        let mut local: LocalInterner<std::ffi::CStr> = LocalInterner::new();
        local.intern(&CString::new("a").unwrap());
        serde_json::from_str(&serde_json::to_string(&local).unwrap()).unwrap()
    };
    assert!(strings.get(c"a").is_some());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let message = |result: Result<(), serde_json::Error>| result.unwrap_err().to_string();
    let twice = r#"["a","b","a"]"#;
    let said = "key 2 is the same as key 0";
    for error in [
        message(serde_json::from_str::<LocalInterner>(twice).map(drop)),
        message(serde_json::from_str::<Interner>(twice).map(drop)),
        message(serde_json::from_str::<Frozen>(twice).map(drop)),
        message(serde_json::from_str::<Resolver>(twice).map(drop)),
    ] {
        assert!(error.starts_with(said), "{error}");
    }
    let error = message(serde_json::from_str::<LocalInterner>("{}").map(drop));
    assert!(
        error.contains("a sequence of keys, none of them twice"),
        "{error}"
    );
    assert!(serde_json::from_str::<Frozen>(r#"["a", 1]"#).is_err());
    let many: Vec<[u16; 1]> = (0..256).map(|at| [at]).collect();
    let many = serde_json::to_string(&many).unwrap();
    let error = message(serde_json::from_str::<LocalInterner<[u16], Sym8>>(&many).map(drop));
    assert!(
        error.starts_with("cannot intern: all 255 symbols"),
        "{error}"
    );
    assert!(serde_json::from_str::<LocalInterner<[u16], Sym>>(&many).is_ok());
}

#[cfg(feature = "serde-raw")]
mod raw {
    use thrifty_interner::{Sym, Sym8, Symbol};

    thrifty_interner::symbol! {
        struct Branded;
    }

    #[test]
    fn symbols_are_their_indices() {
        let symbol = Sym::try_from_index(7).unwrap();
        assert_eq!(serde_json::to_string(&symbol).unwrap(), "7");
        assert_eq!(serde_json::from_str::<Sym>("7").unwrap(), symbol);
        let branded: Branded = serde_json::from_str("0").unwrap();
        assert_eq!(serde_json::to_string(&branded).unwrap(), "0");
        assert!(serde_json::from_str::<Sym8>("254").is_ok());
        let error = serde_json::from_str::<Sym8>("255").unwrap_err().to_string();
        assert!(
            error.starts_with("there are 255 symbols, none of index 255"),
            "{error}"
        );
        assert!(serde_json::from_str::<Sym>("4294967295").is_err());
        assert!(serde_json::from_str::<Sym>("-1").is_err());
    }
}
