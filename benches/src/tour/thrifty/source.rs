//! Chunks of whole lines, read by whoever's turn it is.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
    slice,
};

use thrifty_pool::{BufferPool, PooledBuf};

use crate::tour::tuned::PAD;

/// Whole lines, and a pad behind them.
pub(super) struct Chunk {
    pub(super) bytes: PooledBuf,
    /// Where the lines end and the pad begins.
    pub(super) end: usize,
}

impl Chunk {
    fn new(mut bytes: PooledBuf) -> Self {
        let end = bytes.len();
        bytes.extend_from_slice(&[0; PAD]);
        Self { bytes, end }
    }
}

/// Where the next chunk comes from.
pub(super) struct Source<'f> {
    files: slice::Iter<'f, PathBuf>,
    /// What is being read, and what of it is no whole line yet.
    file: Option<File>,
    carry: Option<PooledBuf>,
    pub(super) bytes: u64,
    /// Why there is no more.
    pub(super) failed: Option<io::Error>,
}

impl<'f> Source<'f> {
    pub(super) fn new(files: &'f [PathBuf]) -> Self {
        Self {
            files: files.iter(),
            file: None,
            carry: None,
            bytes: 0,
            failed: None,
        }
    }

    /// The next chunk, unless there is none or it could not be read.
    pub(super) fn next(&mut self, pool: &BufferPool) -> Option<Chunk> {
        if self.failed.is_some() {
            return None;
        }
        self.try_next(pool).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        })
    }

    fn try_next(&mut self, pool: &BufferPool) -> io::Result<Option<Chunk>> {
        loop {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => match self.files.next() {
                    Some(path) => File::open(path)?,
                    None => return Ok(None),
                },
            };
            let mut chunk = self.carry.take().unwrap_or_else(|| pool.get(CAPACITY));
            let (room, searched) = (chunk.capacity() - chunk.len() - RESERVE, chunk.len());
            let read = match chunk.read_from(&mut Read::take(&mut file, room as u64)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
                read => Some(read?),
            };
            if read == Some(0) {
                if chunk.is_empty() {
                    continue;
                }
                chunk.extend_from_slice(b"\n");
                return Ok(Some(Chunk::new(chunk)));
            }
            self.file = Some(file);
            self.bytes += read.unwrap_or(0) as u64;
            let last = chunk[searched..].iter().rposition(|&byte| byte == b'\n');
            let end = last.map_or(0, |last| searched + last + 1);
            let carry = chunk.len() - end;
            // A line longer than half of the buffer: doubling keeps the copying of its carry linear.
            if end == 0 && carry <= (chunk.capacity() - RESERVE) / 2 {
                self.carry = Some(chunk);
                continue;
            }
            let mut next = pool.get(CAPACITY.max(4 * carry + RESERVE));
            next.extend_from_slice(&chunk[end..]);
            self.carry = Some(next);
            if end > 0 {
                chunk.truncate(end);
                return Ok(Some(Chunk::new(chunk)));
            }
        }
    }
}

/// Room behind the bytes read: for the line end that the file's end may lack, and for the pad.
const RESERVE: usize = 1 + PAD;

/// As in tuned: well inside of every L2.
pub(super) const CAPACITY: usize = 64 << 10;
