//! A syntax tree: the row `ast`. One parser of JSON, generic over the region that its nodes lie in;
//! `serde_json` is the oracle.

use core::hint::black_box;

use serde_json::Value;
use thrifty_workloads::{corpus::CorpusSpec, rng::Rng};

use super::{
    job::{Job, everyone, level},
    region::{Grow, Region},
};
use crate::suite::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "arena/ast/1t",
        "200 records of JSON parsed into a tree of nodes, which is walked; then a reset",
    )
    .operations(RECORDS.into())
    .oracle(|| {
        let value = serde_json::from_str(&Document::new().0).expect("the text is JSON");
        weight_of_value(&value)
    });
    vec![level(everyone(row, Document::new))]
}

/// Records of the text; each is an operation.
const RECORDS: u32 = 200;

/// The text that is parsed.
struct Document(String);

impl Document {
    fn new() -> Self {
        let corpus = CorpusSpec::WORDS.with_tokens(2_000).generate();
        let words: Vec<&str> = corpus.iter().collect();
        let mut rng = Rng::new(8);
        let mut record = |id: u32| {
            let tags: Vec<_> = (0..rng.below(6))
                .map(|_| Value::from(*rng.pick(&words)))
                .collect();
            serde_json::json!({
                "id": id,
                "name": *rng.pick(&words),
                "active": rng.chance(1, 2),
                "parent": null,
                "tags": tags,
                "size": { "width": rng.below(1_000), "height": rng.below(1_000) },
            })
        };
        let records: Vec<_> = (0..RECORDS).map(&mut record).collect();
        Self(Value::from(records).to_string())
    }
}

impl<R: Region> Job<R> for Document {
    fn run(&self, region: &mut R) -> u64 {
        let mut parser = Parser {
            text: black_box(&self.0),
            at: 0,
            region: &*region,
        };
        weight(black_box(&parser.value()))
    }
}

enum Node<'a, R: Region> {
    Null,
    Bool(bool),
    Number(u64),
    Text(R::Text<'a>),
    List(R::List<'a, Self>),
    Record(R::List<'a, (R::Text<'a>, Self)>),
}

/// A sum in which every node takes part, in any order.
fn weight<R: Region>(node: &Node<'_, R>) -> u64 {
    match node {
        Node::Null => NULL,
        Node::Bool(value) => of_bool(*value),
        Node::Number(number) => *number,
        Node::Text(text) => of_text(text),
        Node::List(items) => items.iter().fold(LIST, |sum, item| sum + weight(item)),
        Node::Record(fields) => fields.iter().fold(RECORD, |sum, (name, value)| {
            sum + of_text(name) + weight(value)
        }),
    }
}

fn weight_of_value(value: &Value) -> u64 {
    match value {
        Value::Null => NULL,
        Value::Bool(value) => of_bool(*value),
        Value::Number(number) => number.as_u64().expect("all are whole"),
        Value::String(text) => of_text(text),
        Value::Array(items) => LIST + items.iter().map(weight_of_value).sum::<u64>(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| of_text(name) + weight_of_value(value);
            RECORD + fields.iter().map(field).sum::<u64>()
        }
    }
}

const NULL: u64 = 1;
const LIST: u64 = 2;
const RECORD: u64 = 3;

fn of_bool(value: bool) -> u64 {
    4 + u64::from(value)
}

fn of_text(text: &str) -> u64 {
    let last = text.bytes().next_back().unwrap_or_default();
    6 + text.len() as u64 + u64::from(last)
}

/// Tokens and nodes in one descent. Its texts have no escapes and its numbers are whole, as those
/// of [`Document`] are.
struct Parser<'t, 'a, R> {
    text: &'t str,
    at: usize,
    region: &'a R,
}

impl<'a, R: Region> Parser<'_, 'a, R> {
    fn value(&mut self) -> Node<'a, R> {
        match self.peek() {
            b'n' => self.word("null", Node::Null),
            b't' => self.word("true", Node::Bool(true)),
            b'f' => self.word("false", Node::Bool(false)),
            b'"' => Node::Text(self.string()),
            b'[' => {
                let mut items = self.region.grow();
                self.items(b']', |parser| items.push(parser.value()));
                Node::List(items.finish())
            }
            b'{' => {
                let mut fields = self.region.grow();
                self.items(b'}', |parser| {
                    let name = parser.string();
                    parser.expect(b':');
                    fields.push((name, parser.value()));
                });
                Node::Record(fields.finish())
            }
            _ => self.number(),
        }
    }

    fn items(&mut self, end: u8, mut item: impl FnMut(&mut Self)) {
        self.at += 1;
        if self.peek() == end {
            self.at += 1;
            return;
        }
        loop {
            item(self);
            if self.peek() == end {
                self.at += 1;
                return;
            }
            self.expect(b',');
        }
    }

    fn string(&mut self) -> R::Text<'a> {
        self.expect(b'"');
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|byte| byte == b'"');
        let text = &rest[..end.expect("a text ends")];
        self.at += text.len() + 1;
        self.region.text(text)
    }

    fn number(&mut self) -> Node<'a, R> {
        let mut number = 0_u64;
        while let digit @ b'0'..=b'9' = self.peek() {
            number = 10 * number + u64::from(digit - b'0');
            self.at += 1;
        }
        Node::Number(number)
    }

    fn word(&mut self, word: &str, node: Node<'a, R>) -> Node<'a, R> {
        assert!(self.text[self.at..].starts_with(word), "no such word");
        self.at += word.len();
        node
    }

    fn expect(&mut self, byte: u8) {
        assert_eq!(self.peek(), byte, "at {}", self.at);
        self.at += 1;
    }

    fn peek(&self) -> u8 {
        self.text
            .as_bytes()
            .get(self.at)
            .copied()
            .unwrap_or_default()
    }
}
