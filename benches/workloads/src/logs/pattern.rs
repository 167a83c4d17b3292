//! Template families: text with named holes, parsed once and filled many times.

use std::io::Write;

use super::values::Values;
use crate::{rng::Rng, zipf::Zipf};

/// One message shape: what varies stands in braces.
pub(crate) struct Family {
    /// The program or class that prints it.
    pub(crate) origin: &'static str,
    /// How grave it is, in the words of its source; empty where the format has no level.
    pub(crate) level: &'static str,
    /// The message with `{holes}`, each the name of a [`Hole`].
    pub(crate) text: &'static str,
}

/// Families in falling order of frequency, ready to be filled.
pub(crate) struct Families {
    compiled: Vec<(&'static Family, Vec<Piece>)>,
    law: Zipf,
}

/// A stretch of fixed text, or a hole.
enum Piece {
    Text(&'static str),
    Hole(Hole),
}

/// The kinds of value that a family can ask for.
#[derive(Clone, Copy)]
enum Hole {
    Block,
    Client,
    Device,
    Duration,
    Hex,
    Host,
    Job,
    Node,
    Path,
    Pid,
    Port,
    Replica,
    Size,
    Small,
    User,
}

impl Families {
    /// Parses the families.
    ///
    /// # Panics
    ///
    /// When a hole has no such name: the families are constants, and every test fills them.
    pub(crate) fn new(families: &'static [Family]) -> Self {
        let compiled = families
            .iter()
            .map(|family| (family, compile(family.text)))
            .collect();
        Self {
            compiled,
            law: Zipf::new(families.len(), Zipf::CLASSIC),
        }
    }

    /// Draws a family; its text is written by calling the returned [`Draw`].
    pub(crate) fn draw(&self, rng: &mut Rng) -> Draw<'_> {
        let (family, pieces) = &self.compiled[self.law.sample(rng)];
        Draw { family, pieces }
    }
}

/// A family that was drawn and waits for its values.
pub(crate) struct Draw<'a> {
    pub(crate) family: &'static Family,
    pieces: &'a [Piece],
}

impl Draw<'_> {
    /// Appends the message with fresh values.
    pub(crate) fn fill(&self, out: &mut Vec<u8>, values: &Values, rng: &mut Rng) {
        for piece in self.pieces {
            match *piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Hole(hole) => fill_hole(hole, out, values, rng),
            }
        }
    }
}

fn fill_hole(hole: Hole, out: &mut Vec<u8>, values: &Values, rng: &mut Rng) {
    let written = match hole {
        Hole::Block => write!(out, "blk_{}", values.block(rng)),
        Hole::Client => write!(out, "{}", values.client(rng)),
        Hole::Device => write!(out, "sd{}", rng.pick(&["a", "b", "c", "d"])),
        Hole::Duration => write!(out, "{}.{:03}", rng.below(30), rng.below(1000)),
        Hole::Hex => write!(out, "0x{:08x}", rng.below(1 << 32)),
        Hole::Host => write!(out, "{}", values.host(rng)),
        Hole::Job => write!(
            out,
            "job_{}_{:04}",
            200_811_090_000 + rng.below(40),
            rng.below(900)
        ),
        Hole::Node => write!(out, "{}:{}", values.node(rng), rng.range(50_010, 50_015)),
        Hole::Path => write!(out, "{}", values.path(rng)),
        Hole::Pid => write!(out, "{}", rng.range(300, 32_768)),
        Hole::Port => write!(out, "{}", rng.range(1_024, 65_536)),
        Hole::Replica => write!(out, "/mnt/hadoop/dfs/data/current/subdir{}", rng.below(64)),
        Hole::Size => write!(
            out,
            "{}",
            rng.pick(&[67_108_864, 67_108_864, 28_468_417, 3_549_201])
        ),
        Hole::Small => write!(out, "{}", rng.below(12)),
        Hole::User => write!(out, "{}", values.user(rng)),
    };
    written.expect("a Vec takes every byte");
}

fn compile(text: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').expect("a hole must be closed");
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        pieces.push(Piece::Hole(hole(name)));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn hole(name: &str) -> Hole {
    match name {
        "block" => Hole::Block,
        "client" => Hole::Client,
        "device" => Hole::Device,
        "duration" => Hole::Duration,
        "hex" => Hole::Hex,
        "host" => Hole::Host,
        "job" => Hole::Job,
        "node" => Hole::Node,
        "path" => Hole::Path,
        "pid" => Hole::Pid,
        "port" => Hole::Port,
        "replica" => Hole::Replica,
        "size" => Hole::Size,
        "small" => Hole::Small,
        "user" => Hole::User,
        other => panic!("no hole is called {other:?}"),
    }
}
