//! From a spec to its tokens.

use core::fmt::Write as _;

use super::{Builder, Corpus, CorpusSpec, Kind, Sources, append_word, identifiers, tokens};
use crate::{
    logs::LogSpec,
    rng::{Rng, mix},
    sizes::Sizes,
    zipf::Zipf,
};

pub(super) fn corpus(spec: &CorpusSpec) -> Corpus {
    let builder = match spec.kind {
        Kind::ZipfWords { vocabulary } => words(spec, vocabulary),
        Kind::LogTokens => log_tokens(spec),
        Kind::Urls { pages } => urls(spec, pages),
        Kind::UniqueIds => unique_ids(spec),
        Kind::HotKey => hot_key(spec.tokens),
        Kind::Mixed {
            vocabulary,
            ids_per_mille,
        } => mixed(spec, vocabulary, ids_per_mille),
        Kind::Documents { documents } => texts(spec, documents),
        Kind::Identifiers => unreachable!("names come from sources"),
    };
    finish(builder, spec, spec.reason.into())
}

/// What a corpus draws from, once each; nothing for those that make strings as they go.
pub(super) fn vocabulary(spec: &CorpusSpec) -> Corpus {
    let mut builder = Builder::default();
    match spec.kind {
        Kind::ZipfWords { vocabulary } | Kind::Mixed { vocabulary, .. } => {
            for rank in 0..vocabulary.into() {
                append_word(&mut builder.text, FIRST_WORD + rank);
                builder.end_token();
            }
        }
        Kind::Urls { pages } => {
            for page in 0..pages.into() {
                append_url(&mut builder.text, spec.seed, page);
                builder.end_token();
            }
        }
        Kind::Documents { documents } => {
            for number in 0..documents.into() {
                append_text(&mut builder.text, spec.seed, number);
                builder.end_token();
            }
        }
        Kind::HotKey => builder = hot_key(1),
        Kind::LogTokens | Kind::Identifiers | Kind::UniqueIds => {}
    }
    let origin = format!("{}; what it draws from, once each", spec.reason);
    finish(builder, spec, origin)
}

/// The names in the sources, file by file.
pub(super) fn names(spec: &CorpusSpec, sources: &Sources) -> Corpus {
    let mut builder = Builder::default();
    sources.read(|text| {
        for name in identifiers(text) {
            if builder.ends.len() == spec.tokens as usize {
                return false;
            }
            builder.text.push_str(name);
            builder.end_token();
        }
        true
    });
    finish(
        builder,
        spec,
        format!("{}; {}", spec.reason, sources.description()),
    )
}

fn finish(builder: Builder, spec: &CorpusSpec, origin: String) -> Corpus {
    builder.finish(spec.name.into(), origin)
}

fn words(spec: &CorpusSpec, vocabulary: u32) -> Builder {
    let mut rng = Rng::new(spec.seed);
    let law = Zipf::new(vocabulary as usize, Zipf::CLASSIC);
    let mut builder = Builder::default();
    for _ in 0..spec.tokens {
        append_word(&mut builder.text, FIRST_WORD + law.sample(&mut rng) as u64);
        builder.end_token();
    }
    builder
}

/// A log is generated in pieces until it has given enough tokens, since how many a line has is
/// known only afterwards.
fn log_tokens(spec: &CorpusSpec) -> Builder {
    let wanted = spec.tokens as usize;
    let mut lines = u64::from(spec.tokens / TOKENS_PER_LINE + 16);
    loop {
        let mut log = Vec::new();
        LogSpec::MIXED
            .with_seed(spec.seed)
            .with_lines(lines)
            .write_to(&mut log)
            .expect("a Vec takes every byte");
        let log = String::from_utf8(log).expect("the generator writes ASCII");
        let mut builder = Builder::default();
        for token in tokens(&log).take(wanted) {
            builder.text.push_str(token);
            builder.end_token();
        }
        if builder.ends.len() == wanted {
            return builder;
        }
        lines *= 2;
    }
}

fn urls(spec: &CorpusSpec, pages: u32) -> Builder {
    let mut rng = Rng::new(spec.seed);
    let law = Zipf::new(pages as usize, FLAT);
    let mut builder = Builder::default();
    for _ in 0..spec.tokens {
        append_url(&mut builder.text, spec.seed, law.sample(&mut rng) as u64);
        builder.end_token();
    }
    builder
}

/// The URL of a page: everything follows from its number, which also stands in it.
fn append_url(out: &mut String, seed: u64, page: u64) {
    let mut rng = Rng::new(mix(seed) ^ page);
    out.push_str("https://");
    out.push_str(rng.pick::<&str>(&["www.", "api.", "static."]));
    append_word(out, 300 + rng.below(40));
    out.push_str(".example/");
    // Few first segments and more later ones: beginnings are shared, ends are not.
    for breadth in [4, 12, 60, 400].into_iter().take(2 + small(&mut rng, 3)) {
        append_word(out, 300 + rng.below(breadth));
        out.push('-');
        append_word(out, 300 + rng.below(breadth));
        out.push('/');
    }
    write!(out, "{page}").expect("a String takes every character");
    if rng.chance(1, 3) {
        out.push_str("?session=");
        append_hex(out, rng.next_u64(), 16);
    }
}

fn unique_ids(spec: &CorpusSpec) -> Builder {
    let mut rng = Rng::new(spec.seed);
    let mut builder = Builder::default();
    for _ in 0..spec.tokens {
        append_uuid(&mut builder.text, rng.next_u64(), rng.next_u64());
        builder.end_token();
    }
    builder
}

/// Version 4, variant 1, as RFC 9562 lays it out.
fn append_uuid(out: &mut String, high: u64, low: u64) {
    append_hex(out, high >> 32, 8);
    out.push('-');
    append_hex(out, high >> 16 & 0xFFFF, 4);
    out.push('-');
    append_hex(out, high & 0x0FFF | 0x4000, 4);
    out.push('-');
    append_hex(out, low >> 48 & 0x3FFF | 0x8000, 4);
    out.push('-');
    append_hex(out, low & 0xFFFF_FFFF_FFFF, 12);
}

fn append_hex(out: &mut String, number: u64, digits: usize) {
    write!(out, "{number:0digits$x}").expect("a String takes every character");
}

fn hot_key(tokens: u32) -> Builder {
    let mut builder = Builder::default();
    for _ in 0..tokens {
        builder.text.push_str("content-type");
        builder.end_token();
    }
    builder
}

fn mixed(spec: &CorpusSpec, vocabulary: u32, ids_per_mille: u32) -> Builder {
    let mut rng = Rng::new(spec.seed);
    let law = Zipf::new(vocabulary as usize, Zipf::CLASSIC);
    let mut builder = Builder::default();
    for _ in 0..spec.tokens {
        if rng.chance(ids_per_mille.into(), 1_000) {
            append_uuid(&mut builder.text, rng.next_u64(), rng.next_u64());
        } else {
            append_word(&mut builder.text, FIRST_WORD + law.sample(&mut rng) as u64);
        }
        builder.end_token();
    }
    builder
}

fn texts(spec: &CorpusSpec, documents: u32) -> Builder {
    let mut rng = Rng::new(spec.seed);
    let law = Zipf::new(documents as usize, FLAT);
    let mut builder = Builder::default();
    for _ in 0..spec.tokens {
        append_text(&mut builder.text, spec.seed, law.sample(&mut rng) as u64);
        builder.end_token();
    }
    builder
}

/// The text with a number: all of it follows from the number, and it begins with it.
fn append_text(out: &mut String, seed: u64, number: u64) {
    let sizes = Sizes::LogNormal {
        median: 8 << 10,
        sigma_quarters: 6,
        low: 1 << 10,
        high: 64 << 10,
    };
    let mut rng = Rng::new(mix(seed) ^ number);
    let end = out.len() + sizes.sample(&mut rng) as usize;
    write!(out, "{number}").expect("a String takes every character");
    while out.len() < end {
        out.push(' ');
        append_word(out, rng.below(50_000));
    }
    // Words are ASCII: every length is the end of a character.
    out.truncate(end);
}

fn small(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).expect("a small number")
}

/// From here on words have three letters and more, as long as those of a text on average.
const FIRST_WORD: u64 = 320;

/// What the log generator gives on average, rounded down.
const TOKENS_PER_LINE: u32 = 12;

/// The exponent 1/2, in quarters: caches in front of a server flatten what reaches it.
const FLAT: u32 = 2;
