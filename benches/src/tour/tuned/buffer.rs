//! A file as runs of whole lines, through one buffer that is reused.
//!
//! ```text
//!   0            start          end              filled        len
//!   ├── done ──────┼── whole lines ─┼── carry ───────┼── free ──┤
//!                                    no \n in it      at least 1 + PAD bytes
//! ```

use std::io::{self, Read};

use super::PAD;

/// Bytes read and not yet taken in.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// Where the carry starts: every line before it was handed out.
    carry: usize,
    filled: usize,
    /// Up to here there is known to be no line end behind `carry`.
    searched: usize,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; CAPACITY + RESERVE],
            carry: 0,
            filled: 0,
            searched: 0,
        }
    }

    /// Reads once and returns how many bytes came; 0 is the end of the file.
    pub(super) fn fill(&mut self, file: &mut impl Read) -> io::Result<usize> {
        self.bytes.copy_within(self.carry..self.filled, 0);
        self.filled -= self.carry;
        self.carry = 0;
        self.searched = self.filled;
        let free_end = self.bytes.len() - RESERVE;
        // A line longer than half of the buffer: doubling keeps the copying of its carry
        // linear.
        if self.filled > free_end / 2 {
            self.bytes.resize(2 * free_end + RESERVE, 0);
        }
        let free_end = self.bytes.len() - RESERVE;
        loop {
            match file.read(&mut self.bytes[self.filled..free_end]) {
                Ok(read) => {
                    self.filled += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands out the lines that are whole: the buffer, and the range in it that holds them.
    ///
    /// The range is empty or ends with `\n`. At the `end_of_file` the carry is a line, too, and
    /// gets a line end of its own.
    pub(super) fn whole_lines(&mut self, end_of_file: bool) -> (&[u8], usize, usize) {
        if end_of_file && self.filled > self.carry {
            self.bytes[self.filled] = b'\n';
            self.filled += 1;
        }
        let start = self.carry;
        let fresh = &self.bytes[self.searched..self.filled];
        if let Some(last) = fresh.iter().rposition(|&byte| byte == b'\n') {
            self.carry = self.searched + last + 1;
        }
        (&self.bytes, start, self.carry)
    }
}

/// Room behind the bytes read: for the line end that the file's end may lack, and for the pad.
const RESERVE: usize = 1 + PAD;

/// Well inside of every L2, so that what the kernel copied is still there when it is scanned.
/// Sixteen times as much gains nothing that can be measured.
const CAPACITY: usize = 64 << 10;
