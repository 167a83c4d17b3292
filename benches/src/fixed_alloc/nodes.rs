//! Structures of nodes: the rows `fixed-alloc/list/1t` and `fixed-alloc/tree/1t`. They are built,
//! walked and taken apart over and over, which is more at once than a thread's cache holds.

use core::ptr::NonNull;

use super::{
    blocks::{Blocks, LAYOUT},
    roster::{Form, everyone, sane},
};
use crate::suite::{Row, Subject, Worker, opaque};

pub(super) fn rows() -> Vec<Row> {
    let list = Row::new(
        "fixed-alloc/list/1t",
        "a list of 1000 nodes is built, summed up and freed from its head",
    )
    .operations(NODES)
    .oracle(|| (0..NODES).sum());
    let tree = Row::new(
        "fixed-alloc/tree/1t",
        "a binary tree of 2047 nodes is built, counted and freed from its leaves",
    )
    .operations((1 << DEPTH) - 1)
    .oracle(|| (1 << DEPTH) - 1);
    vec![sane(everyone(list, List)), sane(everyone(tree, Tree))]
}

/// The nodes of the list.
const NODES: u64 = 1000;

/// The levels of the tree.
const DEPTH: u32 = 11;

/// A node of the list or of the tree; a block has room for more.
struct Node {
    number: u64,
    links: [Option<NonNull<Self>>; 2],
}

const _: () = assert!(size_of::<Node>() <= LAYOUT.size() && align_of::<Node>() <= LAYOUT.align());

#[derive(Clone, Copy)]
struct List;

#[derive(Clone, Copy)]
struct Tree;

impl Form for List {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Nodes {
            blocks,
            work: chained::<B>,
        }
    }
}

impl Form for Tree {
    fn subject<B: Blocks>(self, blocks: B) -> impl Subject + 'static {
        Nodes {
            blocks,
            work: branched::<B>,
        }
    }
}

/// An allocator, and one iteration on it.
struct Nodes<B> {
    blocks: B,
    work: fn(&B) -> u64,
}

impl<B: Blocks> Subject for Nodes<B> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(self)
    }
}

impl<B: Blocks> Worker for &Nodes<B> {
    fn run(&mut self, iterations: u64) -> u64 {
        let answers = (0..iterations).map(|_| (self.work)(&self.blocks));
        answers.fold(0, u64::wrapping_add)
    }
}

#[inline]
fn node(blocks: &impl Blocks, number: u64, links: [Option<NonNull<Node>>; 2]) -> NonNull<Node> {
    let node = blocks.alloc().cast::<Node>();
    // SAFETY: the block has room for a node, is aligned for it, and nobody else has it.
    unsafe { node.write(Node { number, links }) };
    node
}

fn chained<B: Blocks>(blocks: &B) -> u64 {
    let mut head = None;
    for number in 0..NODES {
        head = Some(node(blocks, number, [head, None]));
    }
    let mut sum = 0;
    let mut next = opaque(head);
    while let Some(here) = next {
        // SAFETY: a node of this list, none of which is freed yet.
        let here = unsafe { here.as_ref() };
        sum += here.number;
        next = here.links[0];
    }
    while let Some(here) = head {
        // SAFETY: a node of this list, of which those before it are freed.
        head = unsafe { here.as_ref() }.links[0];
        // SAFETY: from `node` of this allocator, and out of the list now.
        unsafe { blocks.free(here.cast()) };
    }
    sum
}

fn branched<B: Blocks>(blocks: &B) -> u64 {
    let root = opaque(grown(blocks, DEPTH));
    // SAFETY: the whole tree, which nobody has but this function.
    unsafe { felled(blocks, root) }
}

/// A tree of so many levels.
fn grown<B: Blocks>(blocks: &B, levels: u32) -> NonNull<Node> {
    let links = match levels {
        1 => [None; 2],
        _ => [(); 2].map(|()| Some(grown(blocks, levels - 1))),
    };
    node(blocks, 1, links)
}

/// Frees a tree; counts its nodes.
///
/// # Safety
///
/// The tree is from `grown` with this allocator, and nobody uses it any more.
unsafe fn felled<B: Blocks>(blocks: &B, root: NonNull<Node>) -> u64 {
    // SAFETY: the root is a node that is not freed yet.
    let Node { number, links } = unsafe { root.read() };
    let below = links.into_iter().flatten();
    // SAFETY: each subtree is as the caller says of the whole.
    let below: u64 = below.map(|link| unsafe { felled(blocks, link) }).sum();
    // SAFETY: from `node` of this allocator; what it knew has been read.
    unsafe { blocks.free(root.cast()) };
    number + below
}
