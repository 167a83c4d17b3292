#![doc = include_str!("../../../docs/patterns/free-list.md")]

use core::{alloc::Layout, ops::DerefMut};
use std::sync::{Mutex, PoisonError};

use thrifty_fixed_alloc::FixedAlloc;

use super::{COUNT, Pattern};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "free-list",
            reason: "blocks of 64 bytes, taken and given back all the time",
            input: || Input {
                free: Mutex::new(Vec::new()),
                blocks: FixedAlloc::new(Layout::new::<Bytes>()).expect("a sound layout"),
            },
            oracle: |_| (0..COUNT as u64).map(|number| number % 256).sum(),
        }
        .three(
            |_| used(|| Box::new([0; BYTES])),
            |input| used(|| Listed::get(&input.free)),
            |input| used(|| input.blocks.get()),
        ),
    ]
}

/// The bytes of a block.
const BYTES: usize = 64;

type Bytes = [u8; BYTES];

/// Boxes, since a block keeps its address while it is out, as an allocator's does.
type Free = Mutex<Vec<Box<Bytes>>>;

/// How many are out at once.
const WINDOW: usize = 16;

struct Input {
    /// The list of one's own.
    free: Free,
    blocks: FixedAlloc,
}

/// Takes blocks, writes into each and reads it when it goes back, which the one does that comes
/// sixteen later. A block that is not zero, or another's too, changes the sum.
fn used<B: AsBytes>(get: impl Fn() -> B) -> u64 {
    let mut window: [Option<B>; WINDOW] = [const { None }; WINDOW];
    let mut sum = 0;
    for number in 0..COUNT {
        let mut block = get();
        block.bytes()[0] = number.to_le_bytes()[0];
        let place = &mut window[number % WINDOW];
        sum += place.replace(opaque(block)).map_or(0, read);
    }
    sum + window.into_iter().flatten().map(read).sum::<u64>()
}

fn read<B: AsBytes>(mut block: B) -> u64 {
    let bytes = block.bytes();
    u64::from(bytes[0]) + u64::from(bytes[BYTES - 1])
}

/// A block, whoever lent it.
trait AsBytes {
    fn bytes(&mut self) -> &mut [u8];
}

impl AsBytes for Box<Bytes> {
    fn bytes(&mut self) -> &mut [u8] {
        &mut self[..]
    }
}

impl AsBytes for thrifty_fixed_alloc::Block {
    fn bytes(&mut self) -> &mut [u8] {
        self.deref_mut()
    }
}

impl AsBytes for Listed<'_> {
    fn bytes(&mut self) -> &mut [u8] {
        match &mut self.block {
            Some(block) => &mut block[..],
            None => &mut [],
        }
    }
}

/// A block that goes back to a list.
struct Listed<'a> {
    /// Until it is dropped.
    block: Option<Box<Bytes>>,
    free: &'a Free,
}

impl<'a> Listed<'a> {
    fn get(free: &'a Free) -> Self {
        let idle = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut block = idle.unwrap_or_else(|| Box::new([0; BYTES]));
        block.fill(0);
        Self {
            block: Some(block),
            free,
        }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(self.block.take());
    }
}
