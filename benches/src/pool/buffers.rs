//! A buffer's life in a server: the row `buffers/read-fill-freeze-drop/1t`.
//!
//! Bytes are read into a buffer of their length (a copy, as from a socket), a header is filled in at
//! its front, the buffer is frozen, shared with one other holder, looked at, and dropped by both.
//! Lengths are log-normal from 100 bytes to 64 KiB, and one in a hundred is a megabyte.
//!
//! `std` is a `Vec` in an `Arc`, `bytes` a `BytesMut` that becomes `Bytes`. `zeropool` has no frozen
//! form; its buffer goes into an `Arc`, and it is told to leave out the zeroing.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use thrifty_pool::{BufferPool, PooledBytes};
use thrifty_workloads::{rng::Rng, sizes::Sizes};

use super::form::live_bytes;
use crate::suite::{Figure, Row, Subject, Worker, opaque};

pub(super) fn rows() -> Vec<Row> {
    let row = Row::new(
        "buffers/read-fill-freeze-drop/1t",
        "buffers of many lengths, each read into, frozen, shared and dropped",
    )
    .operations(COUNT as u64)
    .oracle(|| {
        let input = Input::new();
        let answers = input.lengths.iter().zip(0..);
        answers.fold(0, |sum: u64, (&length, number)| {
            sum.wrapping_add(summary(length, |index| match index {
                0..HEADER => u64::to_le_bytes(number)[index],
                _ => input.source[index],
            }))
        })
    });
    let row = add(row, "thrifty", || Ours(BufferPool::new()));
    let row = add(row, "std", || Plain);
    let row = add(row, "bytes", || WithBytes);
    vec![zero(row)]
}

#[cfg(not(feature = "rivals"))]
fn zero(row: Row) -> Row {
    row
}

#[cfg(feature = "rivals")]
fn zero(row: Row) -> Row {
    add(row, "zeropool", || super::rivals::ZeroBuffers)
}

fn add<F: Freeze>(row: Row, name: &'static str, make: fn() -> F) -> Row {
    row.shared(name, move || {
        let before = live_bytes();
        Buffers {
            freeze: make(),
            before,
        }
    })
}

/// Buffers per iteration.
const COUNT: usize = 512;

/// The bytes that are filled in at the front.
pub(super) const HEADER: usize = 8;

/// One in a hundred is this long.
const LONG: usize = 1 << 20;

/// What is read: lengths, and bytes of which each buffer gets the first.
struct Input {
    lengths: Vec<usize>,
    source: Vec<u8>,
}

impl Input {
    fn new() -> Self {
        let mut rng = Rng::new(64);
        let mut source = vec![0; LONG];
        for chunk in source.chunks_exact_mut(8) {
            chunk.copy_from_slice(&rng.next_u64().to_le_bytes());
        }
        let length = |_| match rng.chance(1, 100) {
            true => LONG,
            false => Sizes::BUFFERS.sample(&mut rng) as usize,
        };
        Self {
            lengths: (0..COUNT).map(length).collect(),
            source,
        }
    }
}

/// Makes frozen buffers.
pub(super) trait Freeze: Sync + 'static {
    /// A buffer that can be shared and no longer changed.
    type Frozen: Clone;

    /// Takes a buffer, reads the bytes into it, fills the header in, and freezes it.
    fn freeze(&self, bytes: &[u8], header: [u8; HEADER]) -> Self::Frozen;

    /// Its bytes.
    fn seen(frozen: &Self::Frozen) -> &[u8];
}

struct Ours(BufferPool);

impl Freeze for Ours {
    type Frozen = PooledBytes;

    #[inline]
    fn freeze(&self, bytes: &[u8], header: [u8; HEADER]) -> PooledBytes {
        let mut buffer = self.0.get(bytes.len());
        buffer.extend_from_slice(bytes);
        buffer[..HEADER].copy_from_slice(&header);
        buffer.freeze()
    }

    #[inline]
    fn seen(frozen: &Self::Frozen) -> &[u8] {
        frozen
    }
}

struct Plain;

impl Freeze for Plain {
    type Frozen = Arc<Vec<u8>>;

    #[inline]
    fn freeze(&self, bytes: &[u8], header: [u8; HEADER]) -> Arc<Vec<u8>> {
        let mut buffer = Vec::with_capacity(bytes.len());
        buffer.extend_from_slice(bytes);
        buffer[..HEADER].copy_from_slice(&header);
        Arc::new(buffer)
    }

    #[inline]
    fn seen(frozen: &Self::Frozen) -> &[u8] {
        frozen
    }
}

struct WithBytes;

impl Freeze for WithBytes {
    type Frozen = Bytes;

    #[inline]
    fn freeze(&self, bytes: &[u8], header: [u8; HEADER]) -> Bytes {
        let mut buffer = BytesMut::with_capacity(bytes.len());
        buffer.extend_from_slice(bytes);
        buffer[..HEADER].copy_from_slice(&header);
        buffer.freeze()
    }

    #[inline]
    fn seen(frozen: &Self::Frozen) -> &[u8] {
        frozen
    }
}

struct Buffers<F> {
    freeze: F,
    before: Option<u64>,
}

impl<F: Freeze> Subject for Buffers<F> {
    fn worker(&self, _thread: usize) -> Box<dyn Worker + '_> {
        Box::new(BuffersWorker {
            freeze: &self.freeze,
            input: Input::new(),
        })
    }

    fn figures(&self) -> Vec<Figure> {
        let retained = self.before.zip(live_bytes());
        let retained = retained.map(|(before, now)| now.saturating_sub(before));
        let figure = retained.map(|bytes| Figure::new("retained_bytes", bytes));
        figure.into_iter().collect()
    }
}

struct BuffersWorker<'a, F> {
    freeze: &'a F,
    input: Input,
}

impl<F: Freeze> Worker for BuffersWorker<'_, F> {
    fn run(&mut self, iterations: u64) -> u64 {
        let mut sum = 0_u64;
        for _ in 0..iterations {
            for (&length, number) in opaque(&self.input.lengths).iter().zip(0_u64..) {
                let bytes = &opaque(&self.input.source)[..length];
                let frozen = self.freeze.freeze(bytes, number.to_le_bytes());
                let shared = opaque(frozen.clone());
                let seen = F::seen(&shared);
                sum = sum.wrapping_add(summary(seen.len(), |index| seen[index]));
            }
        }
        sum
    }
}

/// A buffer's length, its header, and a byte of each of its pages.
fn summary(length: usize, byte: impl Fn(usize) -> u8) -> u64 {
    let places = (0..HEADER).chain((HEADER..length).step_by(4096));
    places
        .chain([length - 1])
        .fold(length as u64, |sum, index| {
            sum.wrapping_mul(31).wrapping_add(byte(index).into())
        })
}
