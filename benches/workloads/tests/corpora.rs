//! Corpora are shaped like what they are named after, and the same everywhere.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use proptest::prelude::*;
use thrifty_workloads::{
    corpus::{Corpus, CorpusSpec, Interned, Kind, Sources, append_word, identifiers, tokens},
    fingerprint::Fingerprint,
};

/// Those that are the same on every machine.
const GENERATED: [CorpusSpec; 8] = [
    CorpusSpec::WORDS,
    CorpusSpec::LOG_TOKENS,
    CorpusSpec::URLS,
    CorpusSpec::UNIQUE_IDS,
    CorpusSpec::HOT_KEY,
    CorpusSpec::MIX_99,
    CorpusSpec::MIX_90,
    CorpusSpec::DOCUMENTS,
];

fn small(spec: CorpusSpec) -> Corpus {
    let is_large = matches!(spec.kind, Kind::Documents { .. });
    let tokens = if is_large { 500 } else { 20_000 };
    spec.with_tokens(tokens).generate()
}

#[test]
fn the_corpora_are_pinned() {
    let found = GENERATED.map(|spec| {
        let corpus = small(spec);
        let mut print = Fingerprint::new();
        for token in corpus.iter() {
            print.add(token.as_bytes());
            print.add(b"\n");
        }
        (spec.name, corpus.bytes(), corpus.distinct(), print.value())
    });
    assert_eq!(
        found, PINNED,
        "the generator changed: every figure on record is void"
    );
}

const PINNED: [(&str, usize, usize, u64); 8] = [
    ("zipf-words", 80_289, 6488, 13_955_075_032_384_590_309),
    ("log-tokens", 143_224, 3708, 4_608_049_408_631_099_857),
    ("urls", 1_265_468, 18_064, 12_643_628_940_789_029_970),
    ("unique-ids", 720_000, 20_000, 8_232_766_617_067_035_738),
    ("hot-key", 240_000, 1, 2_892_244_969_987_257_637),
    ("mix-99-1", 77_312, 1_165, 16_185_998_678_113_541_270),
    ("mix-90-10", 133_829, 2_911, 8_225_564_524_933_565_245),
    ("documents", 6_647_952, 230, 2_057_221_326_969_326_916),
];

#[test]
fn a_shorter_corpus_is_a_prefix() {
    for spec in GENERATED {
        let long = small(spec);
        for tokens in [0, 1, 77, 499] {
            let short = spec.with_tokens(tokens).generate();
            assert_eq!(short.len(), tokens as usize);
            assert!(short.iter().eq(long.iter().take(tokens as usize)));
        }
    }
}

#[test]
fn another_seed_is_another_corpus() {
    for spec in GENERATED {
        let other = small(spec.with_seed(spec.seed + 1));
        let is_same = other == small(spec);
        assert_eq!(is_same, spec == CorpusSpec::HOT_KEY, "{}", spec.name);
    }
}

#[test]
fn words_follow_zipf_and_have_the_length_of_words() {
    let corpus = CorpusSpec::WORDS.generate();
    let mut counts: Vec<u64> = Interned::new(&corpus).counts();
    counts.sort_unstable_by_key(|&count| core::cmp::Reverse(count));
    for rank in [2, 10, 100] {
        let ratio = counts[0] as f64 / counts[rank - 1] as f64;
        assert!(
            (ratio / rank as f64 - 1.0).abs() < 0.1,
            "rank {rank}: {ratio}"
        );
    }
    let mean = corpus.bytes() as f64 / corpus.len() as f64;
    assert!((3.0..6.0).contains(&mean), "{mean}");
    assert!(corpus.distinct() > 40_000);
}

#[test]
fn no_two_ranks_share_a_word() {
    let mut seen = HashSet::new();
    let mut text = String::new();
    for rank in (0..300_000).chain([u64::from(u32::MAX), 1 << 60]) {
        text.clear();
        append_word(&mut text, rank);
        assert!(seen.insert(text.clone()), "rank {rank}: {text} again");
    }
}

#[test]
fn log_tokens_are_partly_unique_and_mostly_not() {
    let corpus = small(CorpusSpec::LOG_TOKENS);
    let counts = Interned::new(&corpus).counts();
    let once = counts.iter().filter(|&&count| count == 1).count();
    let share = corpus.distinct() as f64 / corpus.len() as f64;
    assert!((0.05..0.40).contains(&share), "{share}");
    assert!(
        once * 2 > corpus.distinct(),
        "{once} of {}",
        corpus.distinct()
    );
    assert!(corpus.iter().all(|token| !token.is_empty()));
}

#[test]
fn urls_are_long_and_differ_late() {
    let corpus = small(CorpusSpec::URLS);
    let lengths: Vec<usize> = corpus.iter().map(str::len).collect();
    assert!(lengths.iter().all(|length| (30..=120).contains(length)));
    // One url per page, and one page per url.
    let pages = corpus.iter().map(|url| {
        let end = url.split('?').next().unwrap();
        end.rsplit('/').next().unwrap().parse::<u32>().unwrap()
    });
    let by_page: HashMap<u32, &str> = pages.zip(corpus.iter()).collect();
    assert_eq!(by_page.len(), corpus.distinct());
    // Sorted neighbours share most of what they have.
    let mut sorted: Vec<&str> = by_page.into_values().collect();
    sorted.sort_unstable();
    let shared: usize = sorted.windows(2).map(|pair| common(pair[0], pair[1])).sum();
    assert!(shared / sorted.len() > 20, "{}", shared / sorted.len());
}

fn common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[test]
fn ids_are_uuids_and_unique() {
    let corpus = small(CorpusSpec::UNIQUE_IDS);
    assert_eq!(corpus.distinct(), corpus.len());
    for id in corpus.iter() {
        let groups: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
    }
    assert_eq!(small(CorpusSpec::HOT_KEY).distinct(), 1);
}

/// Which tokens an interner meets for the first time when it knows the first corpus already.
fn misses(known: &Corpus, corpus: &Corpus) -> Vec<bool> {
    let both = Corpus::collect("both", known.iter().chain(corpus.iter()));
    let mut strings = 0;
    let is_first = |symbol: u32| {
        let is_first = symbol == strings;
        strings += u32::from(is_first);
        is_first
    };
    let symbols = Interned::new(&both).symbols.into_iter();
    symbols.map(is_first).skip(known.len()).collect()
}

/// In per cent.
fn share(misses: &[bool]) -> f64 {
    let count = misses.iter().filter(|&&is_miss| is_miss).count();
    100.0 * count as f64 / misses.len() as f64
}

#[test]
fn mixes_miss_as_often_as_they_say() {
    let none = Corpus::collect("none", [""; 0]);
    for (spec, wanted) in [(CorpusSpec::MIX_99, 1.0), (CorpusSpec::MIX_90, 10.0)] {
        let corpus = spec.generate();
        let (cold, warm) = (misses(&none, &corpus), misses(&spec.vocabulary(), &corpus));
        let (first, second) = warm.split_at(warm.len() / 2);
        // Without its vocabulary a table knows it when half the corpus has gone by.
        let known = &cold[cold.len() / 2..];
        for (part, misses) in [("1", first), ("2", second), ("all", &warm), ("cold", known)] {
            let found = share(misses);
            let place = format!("{} {part}: {found:.2} %", spec.name);
            assert!((found - wanted).abs() < 0.2, "{place}");
        }
        // As many as are on the way: no id is met twice, no word is met first.
        let ids = corpus.iter().map(|token| token.len() == 36);
        assert!(ids.eq(warm), "{}", spec.name);
    }
}

#[test]
fn vocabularies_are_all_that_is_drawn_from() {
    for spec in GENERATED {
        let known = spec.vocabulary();
        let makes_its_own = matches!(spec.kind, Kind::LogTokens | Kind::UniqueIds);
        assert_eq!(known.is_empty(), makes_its_own, "{}", spec.name);
        assert_eq!(known.distinct(), known.len(), "{}", spec.name);
        if !makes_its_own && !matches!(spec.kind, Kind::Mixed { .. }) {
            let missed = share(&misses(&known, &small(spec)));
            assert!(missed == 0.0, "{}: {missed} %", spec.name);
        }
    }
    assert!(CorpusSpec::IDENTIFIERS.vocabulary().is_empty());
}

#[test]
fn documents_are_large_and_come_back() {
    let corpus = small(CorpusSpec::DOCUMENTS);
    assert!(
        corpus
            .iter()
            .all(|text| (1 << 10..=64 << 10).contains(&text.len()))
    );
    assert!(
        (150..300).contains(&corpus.distinct()),
        "{}",
        corpus.distinct()
    );
}

#[test]
fn derived_corpora_keep_what_they_promise() {
    let corpus = small(CorpusSpec::LOG_TOKENS);
    let sorted = |corpus: &Corpus| {
        let mut tokens: Vec<String> = corpus.iter().map(String::from).collect();
        tokens.sort_unstable();
        tokens
    };
    let shuffled = corpus.shuffled(1);
    assert_eq!(sorted(&shuffled), sorted(&corpus));
    assert!(!shuffled.iter().eq(corpus.iter()));
    assert_ne!(shuffled, corpus.shuffled(2));
    assert_eq!(shuffled.name(), corpus.name());
    assert!(shuffled.origin().ends_with("; shuffled"));

    let once = corpus.once_each();
    assert_eq!(
        (once.len(), once.distinct()),
        (corpus.distinct(), corpus.distinct())
    );
    assert!(once.iter().eq(Interned::new(&corpus).strings));

    let known: HashSet<&str> = corpus.iter().collect();
    let strangers = corpus.strangers();
    assert_eq!(strangers.len(), corpus.len());
    assert!(strangers.iter().all(|token| !known.contains(token)));
    let odd = Corpus::collect("odd", ["a", "a,", "a,,"]).strangers();
    assert_eq!(odd.iter().collect::<Vec<_>>(), ["a,,,"; 3]);
}

#[test]
fn names_come_from_a_registry_or_from_here() {
    let sources = Sources::find();
    let corpus = CorpusSpec::IDENTIFIERS
        .with_tokens(50_000)
        .from_sources(&sources);
    assert_eq!(corpus.len(), 50_000);
    assert!(
        (500..25_000).contains(&corpus.distinct()),
        "{}",
        corpus.distinct()
    );
    assert!(corpus.origin().contains(sources.description()));
    assert!(corpus.iter().any(|name| name == "fn"));
    assert_eq!(
        corpus,
        CorpusSpec::IDENTIFIERS.with_tokens(50_000).generate()
    );
}

#[test]
fn sources_are_read_in_the_order_of_their_names() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sources");
    let _ = fs::remove_dir_all(&root);
    for (path, text) in [
        ("b/two.rs", "fn two() {}"),
        ("a/one.rs", "fn one() {}"),
        ("b/three.txt", "fn not_rust() {}"),
        ("target/x.rs", "fn generated() {}"),
        (".git/x.rs", "fn hidden() {}"),
        ("c.rs", "fn last() {}"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(root.join("a/zero.rs"), [0xFF, b'x']).unwrap();
    let sources = Sources::in_directory(&root).unwrap();
    let corpus = CorpusSpec::IDENTIFIERS.from_sources(&sources);
    assert_eq!(
        corpus.iter().collect::<Vec<_>>(),
        ["fn", "one", "fn", "two", "fn", "last"]
    );
    let cut = CorpusSpec::IDENTIFIERS
        .with_tokens(3)
        .from_sources(&sources);
    assert_eq!(cut.iter().collect::<Vec<_>>(), ["fn", "one", "fn"]);
    assert_eq!(Sources::in_directory(&root.join("nowhere")), None);
    fs::remove_dir_all(&root).unwrap();
}

#[test]
fn the_lexer_sees_names_only() {
    for (source, names) in [
        ("// a\nb // c", vec!["b"]),
        ("a /* b /* c */ d */ e", vec!["a", "e"]),
        (r#"a "b \" c" d"#, vec!["a", "d"]),
        (r###"a r#"b " c"# d r"e" f"###, vec!["a", "d", "f"]),
        (r##"a b"b" b'c' c"d" br#"e"# f"##, vec!["a", "f"]),
        ("r#type b", vec!["type", "b"]),
        (r"a '\'' b '\u{1F600}' c '\\' d", vec!["a", "b", "c", "d"]),
        ("'a: loop { break 'a; } 'é' b", vec!["loop", "break", "b"]),
        ("0x1F_u8 1.5e3 x1 _y naïve", vec!["x1", "_y", "naïve"]),
        ("'\"' a", vec!["a"]),
        ("a /* b", vec!["a"]),
        ("a \"b", vec!["a"]),
        ("", vec![]),
    ] {
        assert_eq!(identifiers(source).collect::<Vec<_>>(), names, "{source}");
    }
}

#[test]
fn input_of_any_encoding_becomes_tokens() {
    let corpus = Corpus::from_bytes("input", b"a=b \xFFc, [d] a");
    assert_eq!(
        corpus.iter().collect::<Vec<_>>(),
        ["a", "b", "\u{FFFD}c", "d", "a"]
    );
    assert_eq!((corpus.distinct(), corpus.name()), (4, "input"));
    assert!(Corpus::from_bytes("nothing", b" \n").is_empty());
}

#[test]
fn other_vocabularies_are_possible() {
    let spec = CorpusSpec::WORDS.with_kind(Kind::ZipfWords { vocabulary: 10 });
    assert_eq!(small(spec).distinct(), 10);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_corpus_is_the_list_it_was_made_of(list in proptest::collection::vec("[ab]{0,3}", 0..50)) {
        let corpus = Corpus::collect("any", &list);
        prop_assert!(corpus.iter().eq(list.iter().map(String::as_str)));
        let interned = Interned::new(&corpus);
        prop_assert_eq!(interned.strings.len(), corpus.distinct());
        // By searching, not by hashing.
        let mut firsts: Vec<&str> = Vec::new();
        for (token, symbol) in list.iter().zip(&interned.symbols) {
            if !firsts.contains(&token.as_str()) {
                firsts.push(token);
            }
            prop_assert_eq!(firsts[*symbol as usize], token);
        }
        prop_assert_eq!(&firsts, &interned.strings);
        prop_assert_eq!(interned.counts().iter().sum::<u64>(), list.len() as u64);
    }

    #[test]
    fn tokens_and_names_never_panic_and_lie_in_the_text(text in "\\PC{0,40}") {
        prop_assert!(tokens(&text).all(|token| text.contains(token)));
        prop_assert!(identifiers(&text).all(|name| text.contains(name)));
    }

    #[test]
    fn names_survive_odd_source(parts in proptest::collection::vec(
        prop_oneof![
            Just("'"), Just("\""), Just("\\"), Just("r#"), Just("b"), Just("/*"), Just("*/"),
            Just("//"), Just("\n"), Just("é"), Just("a"), Just("1"), Just(" "),
        ],
        0..30,
    )) {
        let text = parts.concat();
        prop_assert!(identifiers(&text).count() <= text.len());
    }
}
