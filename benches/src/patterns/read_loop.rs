#![doc = include_str!("../../../docs/patterns/read-loop.md")]

use std::io::{self, Read};

use thrifty_workloads::rng::Rng;

use super::{Pattern, scratch_file::ScratchFile};
use crate::suite::{Row, opaque};

pub(super) fn rows() -> Vec<Row> {
    vec![
        Pattern {
            name: "read-loop",
            reason: "64 reads from a file, each into a buffer of its own",
            input: || Input {
                file: ScratchFile::new(&contents()),
                scratch: vec![0; CHUNK_BYTES],
            },
            oracle: |_| {
                let contents = contents();
                let chunks = contents.chunks(CHUNK_BYTES);
                chunks.map(weigh).fold(0, u64::wrapping_add)
            },
        }
        .three(
            |input| read(new_buffers(input.file.rewound())),
            |input| read(one_buffer(input.file.rewound())),
            |input| read(borrowed_buffer(input.file.rewound(), &mut input.scratch)),
        ),
    ]
}

struct Input {
    file: ScratchFile,
    scratch: Vec<u8>,
}

fn contents() -> Vec<u8> {
    let mut rng = Rng::new(64);
    let words = (0..FILE_BYTES / 8).map(|_| rng.next_u64());
    words.flat_map(u64::to_le_bytes).collect()
}

fn read(sum: io::Result<u64>) -> u64 {
    sum.expect("the file was just written")
}

#[inline(never)]
fn new_buffers(file: &mut impl Read) -> io::Result<u64> {
    let mut sum = 0_u64;
    loop {
        let mut buffer = vec![0; CHUNK_BYTES];
        let len = file.read(&mut buffer)?;
        if len == 0 {
            return Ok(sum);
        }
        sum = sum.wrapping_add(weigh(&buffer[..len]));
    }
}

#[inline(never)]
fn one_buffer(file: &mut impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK_BYTES];
    borrowed_buffer(file, &mut buffer)
}

#[inline(never)]
fn borrowed_buffer(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<u64> {
    let mut sum = 0_u64;
    loop {
        let len = file.read(buffer)?;
        if len == 0 {
            return Ok(sum);
        }
        sum = sum.wrapping_add(weigh(&buffer[..len]));
    }
}

/// Both ends of a chunk, and how long it is: no more, so that the buffers show beside the calls
/// of the system.
fn weigh(chunk: &[u8]) -> u64 {
    let chunk = opaque(chunk);
    let (first, last) = (chunk[0], chunk[chunk.len() - 1]);
    chunk.len() as u64 * 65_536 + u64::from(first) * 256 + u64::from(last)
}

const FILE_BYTES: usize = 64 << 10;
const CHUNK_BYTES: usize = 1 << 10;
