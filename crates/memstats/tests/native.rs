//! The native form: what is written is read again, and damage is an error.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{hint::black_box, sync::OnceLock};

use proptest::prelude::*;
use thrifty_memstats::{Alloc, HeapProfile, ReadError, heap_profile, profiling};

#[global_allocator]
static ALLOC: Alloc = Alloc::system();

/// A real profile, with every kind of figure in it.
fn profile() -> HeapProfile {
    static STARTED: OnceLock<()> = OnceLock::new();
    // valgrind objects to fingerprints of what the program never wrote.
    let is_valgrind = thrifty_testkit::tool().is_some_and(|tool| tool == "valgrind");
    STARTED.get_or_init(|| {
        profiling()
            .rate(1)
            .fingerprints(!is_valgrind)
            .start()
            .unwrap();
    });
    let mut kept = Vec::new();
    for nth in 0..50_u8 {
        kept.push(black_box(vec![nth; 40]));
        drop(black_box(String::from("seen again and again")));
    }
    let mut profile = heap_profile().unwrap();
    profile.sites.truncate(40);
    profile.labels = vec![String::new(), "\u{0}\u{1b}\"ü".into()];
    profile
}

fn bytes(profile: &HeapProfile) -> Vec<u8> {
    let mut json = Vec::new();
    profile.write_native(&mut json).unwrap();
    json
}

#[test]
fn everything_comes_back() {
    let mut profile = profile();
    profile.locate();
    assert!(profile.sites.iter().any(|site| site.reallocs > 0));
    assert!(
        profile
            .sites
            .iter()
            .any(|site| site.lifetimes.nanos.total() > 0)
    );
    let site = profile.sites[0].stack[0];
    let mut frame = thrifty_memstats::CodeFrame::default();
    frame.function = "f".into();
    profile.code.frames.insert(site, vec![frame]);
    let read = HeapProfile::read_native(bytes(&profile).as_slice()).unwrap();
    // All fields, whatever is added: they are shown by `Debug`.
    assert_eq!(format!("{read:?}"), format!("{profile:?}"));
    assert_eq!(bytes(&read), bytes(&profile));
}

#[test]
fn modules_are_written_along() {
    let read = HeapProfile::read_native(bytes(&profile()).as_slice()).unwrap();
    assert_eq!(read.code.modules.is_empty(), !cfg!(target_os = "linux"));
}

#[test]
fn damage_is_an_error() {
    let mut small = profile();
    small.sites.truncate(2);
    let whole = bytes(&small);
    for len in (0..whole.len() - 2).step_by(7) {
        assert!(HeapProfile::read_native(&whole[..len]).is_err(), "{len}");
    }
    let read = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        change(&mut value);
        HeapProfile::read_native(serde_json::to_vec(&value).unwrap().as_slice())
    };
    assert!(read(&|_| {}).is_ok());
    assert!(matches!(
        read(&|value| value["format"] = "pprof".into()),
        Err(ReadError::Format(_))
    ));
    assert!(matches!(
        read(&|value| value["version"] = 2.into()),
        Err(ReadError::Version(2))
    ));
    let damaged = |change: &dyn Fn(&mut serde_json::Value)| {
        let error = read(&|value| change(&mut value["profile"])).unwrap_err();
        assert!(matches!(error, ReadError::Damaged(_)), "{error}");
    };
    damaged(&|profile| profile["sites"][0]["alloc_bytes"] = u64::MAX.into());
    damaged(&|profile| profile["sites"][0]["buckets"][0]["label"] = 7.into());
    damaged(&|profile| profile["sites"][0]["buckets"][0]["samples"] = (1_u64 << 60).into());
    damaged(&|profile| profile["sites"][0]["stack"] = "no".into());
    damaged(&|profile| {
        profile["sites"][0]["growth"]["final_sizes"] = serde_json::json!({"48": 1});
    });
    // What a later writer adds does not matter, nor what an earlier one lacks.
    assert!(read(&|value| value["profile"]["new"] = 1.into()).is_ok());
    assert!(
        read(&|value| {
            value["profile"]["sites"][0]
                .as_object_mut()
                .unwrap()
                .remove("growth");
        })
        .is_ok()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(HeapProfile::read_native(bytes.as_slice()).is_err());
    }
}
