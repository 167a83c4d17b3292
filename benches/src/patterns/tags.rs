#![doc = include_str!("../../../docs/patterns/tags.md")]

use alloc::sync::Arc;
use std::collections::HashMap;

use thrifty_interner::{Interner, Sym};
use thrifty_workloads::{rng::Rng, zipf::Zipf};

use super::{COUNT, Pattern};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "tags-1000",
            reason: "records that own a copy each of one of thirty tags",
            input: Input::new,
            oracle: |input| {
                let tags = input.tags.iter().zip(1_u64..);
                tags.map(|(tag, number)| number * weight(tag)).sum()
            },
        }
        .three(
            |input| {
                let records = opaque(owned(&input.tags));
                weigh(records.iter().map(|record| (record.number, &*record.tag)))
            },
            |input| {
                let records = opaque(shared(&input.tags, &input.known));
                weigh(records.iter().map(|record| (record.number, &*record.tag)))
            },
            |input| {
                let records = opaque(interned(&input.tags, &input.interner));
                let name = |tag| input.interner.resolve(tag);
                weigh(
                    records
                        .iter()
                        .map(|record| (record.number, name(record.tag))),
                )
            },
        ),
    ]
}

/// The tags as they come in, and the tables of those already known, as a program keeps them.
struct Input {
    tags: Vec<String>,
    known: HashMap<String, Arc<str>>,
    interner: Interner,
}

impl Input {
    fn new() -> Self {
        let names: Vec<String> = (0..30).map(|n| format!("component-{n:02}")).collect();
        let (law, mut rng) = (Zipf::new(names.len(), Zipf::CLASSIC), Rng::new(30));
        let mut tag = || names[law.sample(&mut rng)].clone();
        let interner = Interner::new();
        for name in &names {
            interner.intern(name);
        }
        Self {
            tags: (0..COUNT).map(|_| tag()).collect(),
            known: names
                .iter()
                .map(|name| (name.clone(), Arc::from(&**name)))
                .collect(),
            interner,
        }
    }
}

/// A record with its tag, in three forms.
struct Record<T> {
    number: u32,
    tag: T,
}

fn records<'a, T>(tags: &'a [String], tag: impl Fn(&'a str) -> T) -> Vec<Record<T>> {
    let tags = tags.iter().zip(1..);
    tags.map(|(text, number)| Record {
        number,
        tag: tag(text),
    })
    .collect()
}

#[inline(never)]
fn owned(tags: &[String]) -> Vec<Record<String>> {
    records(tags, String::from)
}

#[inline(never)]
fn shared(tags: &[String], known: &HashMap<String, Arc<str>>) -> Vec<Record<Arc<str>>> {
    records(tags, |tag| Arc::clone(&known[tag]))
}

#[inline(never)]
fn interned(tags: &[String], interner: &Interner) -> Vec<Record<Sym>> {
    records(tags, |tag| interner.intern(tag))
}

fn weigh<'a>(records: impl Iterator<Item = (u32, &'a str)>) -> u64 {
    records
        .map(|(number, tag)| u64::from(number) * weight(tag))
        .sum()
}

/// Differs from tag to tag, and costs next to nothing.
fn weight(tag: &str) -> u64 {
    let bytes = tag.as_bytes();
    u64::from(bytes[bytes.len() - 1]) + 10 * u64::from(bytes[bytes.len() - 2])
}
