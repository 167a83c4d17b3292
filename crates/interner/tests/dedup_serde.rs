//! Handles through serde: as their keys, and shared where a cache reads them.
#![cfg(feature = "serde-1")]

use serde_core::de::DeserializeSeed;
use serde_json::{Deserializer, from_str, to_string};
use thrifty_interner::{Dedup, Shared, WhenFull};

#[test]
fn a_handle_is_written_and_read_as_its_key() {
    let names: Vec<Shared<str>> = ["db-1", "", "grün \"quoted\""].map(Shared::from).into();
    let json = to_string(&names).unwrap();
    assert_eq!(json, r#"["db-1","","grün \"quoted\""]"#);
    assert_eq!(from_str::<Vec<Shared<str>>>(&json).unwrap(), names);
    let numbers = Shared::<[u32]>::from(&[1, 2][..]);
    assert_eq!(to_string(&numbers).unwrap(), "[1,2]");
    assert_eq!(from_str::<Shared<[u32]>>("[1,2]").unwrap(), numbers);
    assert!(from_str::<Shared<str>>("1").is_err());
}

#[test]
fn a_cache_shares_what_it_reads() {
    let cache: Dedup = Dedup::new(1 << 20);
    let read = |json| cache.deserialize(&mut Deserializer::from_str(json));
    let (lent, made) = (read(r#""a\"b""#).unwrap(), read(r#""a\u0022b""#).unwrap());
    assert!(*lent == *"a\"b" && Shared::ptr_eq(&lent, &made));
    let error = read("[]").unwrap_err();
    assert!(error.to_string().contains("expected a string"), "{error}");

    let full: Dedup = Dedup::builder(0).when_full(WhenFull::Refuse).build();
    let error = full
        .deserialize(&mut Deserializer::from_str(r#""a""#))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the limit of 0 bytes is reached"),
        "{error}"
    );
}
