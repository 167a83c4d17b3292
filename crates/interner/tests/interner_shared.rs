//! The concurrent interner's figures, batches, parallel iterators, and auto traits.

#[cfg(feature = "stats")]
mod support;

use std::cell::Cell;
use std::rc::Rc;

use thrifty_interner::{
    Builder, DefaultState, Headroom, InternError, Interner, Iter, Mark, Remap, RemapIter,
    StaleMark, Stats, Sym, Sym8, Symbol,
};
use thrifty_testkit::together;

/// A hasher that belongs to a thread.
type Bound = Rc<DefaultState>;

/// A hasher that may be sent and not shared.
struct Alone(#[expect(dead_code, reason = "makes it so")] Cell<u8>);

thrifty_testkit::auto_traits! {
    Interner: [Send Sync Unpin !Copy],
    Interner<[u64], Sym8>: [Send Sync],
    Interner<str, Sym, Bound>: [!Send !Sync],
    Interner<str, Sym, Alone>: [Send !Sync],
    Iter<'static>: [Send Sync],
    Iter<'static, str, Sym, Alone>: [!Send !Sync],
    Builder: [Send Sync],
    Mark: [Send Sync Copy],
    StaleMark: [Send Sync Copy],
    Remap<Sym>: [Send Sync Unpin !Copy],
    RemapIter<'static, Sym>: [Send Sync],
    Headroom: [Send Sync Copy],
    Stats: [Send Sync Copy],
}

#[test]
fn batches_do_what_a_loop_does() {
    let words: Vec<String> = (0..80_000_u32)
        .map(|index| format!("{}", index.wrapping_mul(2_654_435_761) % 50_000))
        .collect();
    let one_by_one = Interner::new();
    let expected: Vec<Sym> = words.iter().map(|word| one_by_one.intern(word)).collect();
    // Of each length around a batch's, and both below and above the size from which memory is asked for ahead.
    let interner = Interner::new();
    let mut symbols = Vec::new();
    let mut rest = words.as_slice();
    for len in (0..200).cycle() {
        let (now, later) = rest.split_at(len.min(rest.len()));
        let all = now.iter().map(String::as_str);
        interner.try_intern_many(all, &mut symbols).unwrap();
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    assert_eq!(symbols, expected);
    let collected: Interner = words.iter().map(String::as_str).collect();
    assert!(collected.iter().eq(interner.iter()));
}

#[test]
fn a_batch_that_meets_a_limit_says_how_far_it_came() {
    let interner: Interner = Interner::builder().max_symbols(20).build();
    let words: Vec<String> = (0..100).map(|index| format!("{}", index % 30)).collect();
    let mut symbols = Vec::new();
    let all = words.iter().map(String::as_str);
    let refused = interner.try_intern_many(all, &mut symbols);
    assert_eq!(refused, Err(InternError::SymbolSpace { limit_symbols: 20 }));
    assert_eq!(symbols.len(), 20);
    assert_eq!(interner.headroom().strings_left, 0);
}

#[test]
fn bytes_are_checked_when_they_are_new() {
    let interner = Interner::new();
    let symbol = interner.intern("grün");
    assert_eq!(interner.try_intern_utf8("grün".as_bytes()), Ok(Ok(symbol)));
    let error = interner.try_intern_utf8(b"ok\xc3").unwrap().unwrap_err();
    assert_eq!(error.valid_up_to(), 2);
    assert_eq!(interner.len(), 1);
    let full: Interner = Interner::builder().max_symbols(0).build();
    assert!(full.try_intern_utf8(b"a").is_err());
}

#[test]
fn one_of_many_threads_is_told_that_a_string_is_new() {
    let interner = Interner::new();
    let counts = together(4, |_| {
        let new = |index: u32| {
            interner
                .try_intern_with_status(&format!("{index}"))
                .unwrap()
                .1
        };
        (0..2000).filter(|index| new(*index)).count()
    });
    assert_eq!(counts.iter().sum::<usize>(), 2000);
}

#[test]
fn headroom_shrinks_as_memory_is_taken() {
    let interner: Interner = Interner::builder()
        .max_bytes(100_000)
        .max_symbols(50)
        .build();
    assert_eq!(interner.headroom().bytes_left, 100_000);
    interner.intern("a");
    let left = interner.headroom();
    assert_eq!(left.bytes_left + interner.stats().reserved_bytes, 100_000);
    assert_eq!(left.strings_left, 49);
}

#[test]
fn what_is_printed_names_no_string() {
    let interner = Interner::new();
    interner.intern("secret");
    let said = format!("{interner:?} {:?} {:?}", interner.stats(), interner.iter());
    assert!(
        said.contains("len: 1") && !said.contains("secret"),
        "{said}"
    );
}

#[test]
fn symbols_of_other_interners_lead_to_nothing_or_to_another_string() {
    let mut interner = Interner::new();
    let symbols: Vec<Sym> = (0..600)
        .map(|index| interner.intern(&format!("{index}")))
        .collect();
    let mark = interner.mark();
    let later = interner.intern("later");
    assert_eq!(interner.rollback(mark), Ok(1));
    assert_eq!(interner.try_resolve(later), None);
    let remap = interner.compact(|symbol| symbol.index() < 10);
    assert_eq!(remap.get(later), None);
    for symbol in symbols {
        let found = interner.try_resolve(symbol).is_some();
        assert_eq!(found, symbol.index() < 10);
    }
}

#[cfg(feature = "stats")]
#[test]
fn each_thread_counts_and_all_are_summed() {
    use thrifty_testkit::churn;

    let interner: Interner = Interner::builder().statistics(true).build();
    interner.intern("four");
    churn(3, 4, |_| {
        for _ in 0..100 {
            interner.intern("four");
            assert_eq!(interner.get("absent"), None);
        }
    });
    let counted = interner.stats().counted.unwrap();
    assert_eq!((counted.hits, counted.misses), (1200, 1201));
    assert_eq!(counted.saved_bytes, 4800);
    assert_eq!(Interner::new().stats().counted, None);
}

/// Found at the first look or at the second, under the lock or not at all.
#[cfg(feature = "stats")]
#[test]
fn each_search_counts_once_whichever_way_it_goes() {
    let colliding: Interner<str, Sym, support::Constant> = Interner::builder()
        .hasher(support::Constant)
        .statistics(true)
        .build();
    // Four stand in the group that is looked at first, the others behind it, until the table has another hash.
    for index in 0..40_u64 {
        let key = format!("{index:03}");
        let expect = |hits, misses| {
            let counted = colliding.stats().counted.unwrap();
            let bytes = 3 * counted.hits;
            assert_eq!(
                (counted.hits, counted.misses, counted.saved_bytes),
                (3 * index + hits, 2 * index + misses, bytes),
                "{key}"
            );
        };
        assert_eq!(colliding.get(&key), None);
        expect(0, 1);
        let symbol = colliding.intern(&key);
        expect(0, 2);
        assert_eq!(colliding.intern(&key), symbol);
        assert_eq!(colliding.get(&key), Some(symbol));
        assert_eq!(colliding.intern_with_status(&key), (symbol, false));
        expect(3, 2);
    }
    let long = "x".repeat(300);
    let interner: Interner = Interner::builder().statistics(true).build();
    interner.intern(&long);
    interner.intern_utf8(long.as_bytes()).unwrap();
    interner.intern_static("static");
    interner.intern_static("static");
    interner.intern_utf8(b"checked").unwrap();
    interner.intern_many([long.as_str(), "checked", "last"], &mut Vec::new());
    let counted = interner.stats().counted.unwrap();
    assert_eq!((counted.hits, counted.misses), (4, 4));
    assert_eq!(counted.saved_bytes, 300 + 6 + 300 + 7);
}

#[cfg(feature = "stats")]
#[test]
fn threads_that_end_are_served_counted_or_not() {
    use std::sync::Arc;

    let builder = Interner::builder().statistics(true);
    let interner: Arc<Interner> = Arc::new(builder.build());
    let late = Arc::clone(&interner);
    let called = thrifty_testkit::around_tls_destructors(|| (), move |_| late.intern("late"));
    assert!(!called.is_empty());
    let counted = interner.stats().counted.unwrap();
    assert!(counted.hits + counted.misses <= called.len() as u64);
}

#[cfg(feature = "rayon-1")]
#[test]
fn parallel_interning_finds_all_and_keeps_the_order_where_asked() {
    use rayon::prelude::*;

    let words: Vec<String> = (0..40_000_u32)
        .map(|index| format!("{}", index.wrapping_mul(2_654_435_761) % 9000))
        .collect();
    let expected: Interner = words.iter().map(String::as_str).collect();
    let ordered = Interner::new();
    ordered.intern(&words[5]);
    ordered
        .try_par_intern_ordered(words.par_iter().map(String::as_str))
        .unwrap();
    let again = Interner::new();
    again.intern(&words[5]);
    words.iter().for_each(|word| {
        again.intern(word);
    });
    assert!(ordered.iter().eq(again.iter()));
    let mut any_order = Interner::new();
    any_order.par_extend(words.par_iter().map(String::as_str));
    assert_eq!(any_order.len(), expected.len());
    assert!(expected.iter().all(|(_, key)| any_order.get(key).is_some()));
    let full: Interner = Interner::builder().max_symbols(10).build();
    let keys = || words.par_iter().map(String::as_str);
    let refused = Err(InternError::SymbolSpace { limit_symbols: 10 });
    assert_eq!(full.try_par_intern(keys()), refused);
    assert_eq!(full.try_par_intern_ordered(keys()), refused);
}
