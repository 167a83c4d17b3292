//! What a buffer held before is never seen by safe code, and what it holds now is what was written.
//!
//! Each program runs against a `Vec<u8>`. All buffers of the pool have been filled with 0xAA
//! before, a byte that no op writes; every op looks at all that safe code can see.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{self, Read, Write};

use thrifty_pool::{BufferPool, Classes, PooledBuf, PooledBytes, Wipe};
use thrifty_testkit::{Op, Rng, fuzz};

const STALE: u8 = 0xAA;

/// Looks at what it is given, as a safe reader may, before it writes to it.
struct Peeking<'a> {
    source: &'a [u8],
    most: usize,
}

impl Read for Peeking<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!into.contains(&STALE), "a reader was shown stale bytes");
        let count = self.source.len().min(into.len()).min(self.most);
        // It may leave its own marks behind, too.
        into.fill(0x11);
        into[..count].copy_from_slice(&self.source[..count]);
        self.source = &self.source[count..];
        Ok(count)
    }
}

#[derive(Clone, Debug)]
enum Act {
    Fresh(usize),
    Zeroed(usize),
    Extend(u8, usize),
    Write(u8, usize),
    Vectored(u8, usize, usize),
    Resize(usize, u8),
    Truncate(usize),
    Clear,
    Reserve(usize),
    Set(usize, u8),
    /// How much there is, and how much the reader gives at a time.
    Read(usize, usize),
    ReadExact(usize, usize),
    ReadToEnd(usize, usize, usize),
    /// Room is exposed, and left as it is.
    Expose,
    FreezeThaw(usize),
    FreezeShare(usize, usize),
    /// Others fill buffers and return them.
    Pollute,
}

impl Op for Act {
    fn generate(rng: &mut Rng) -> Self {
        let size = rng.index(200);
        let size = if rng.below(8) == 0 { size * 20 } else { size };
        let byte = 0x20 + u8::try_from(rng.below(0x50)).unwrap();
        let other = rng.index(300);
        match rng.below(17) {
            0 => Self::Fresh(size),
            1 => Self::Zeroed(size),
            2 => Self::Extend(byte, size),
            3 => Self::Write(byte, size),
            4 => Self::Vectored(byte, size, other),
            5 => Self::Resize(size, byte),
            6 => Self::Truncate(size),
            7 => Self::Clear,
            8 => Self::Reserve(size),
            9 => Self::Set(size, byte),
            10 => Self::Read(size, other + 1),
            11 => Self::ReadExact(size, other + 1),
            12 => Self::ReadToEnd(size, other, other / 7 + 1),
            13 => Self::Expose,
            14 => Self::FreezeThaw(size),
            15 => Self::FreezeShare(size, other),
            _ => Self::Pollute,
        }
    }

    fn simpler(&self) -> Vec<Self> {
        match *self {
            Self::Fresh(1..) => vec![Self::Fresh(0)],
            Self::Extend(byte, 2..) => vec![Self::Extend(byte, 1)],
            Self::Read(size @ 2.., most) => vec![Self::Read(1, most), Self::Read(size / 2, most)],
            _ => Vec::new(),
        }
    }
}

/// What both show: the contents, and what the op answered.
type Seen = (Vec<u8>, Option<usize>);

fn pollute(pool: &BufferPool) {
    let mut all = Vec::new();
    for size in [64, 128, 1024, 1 << 15, 1 << 16] {
        for _ in 0..3 {
            let mut buf = pool.get(size);
            buf.resize(buf.capacity(), STALE);
            all.push(buf);
        }
    }
}

struct Subject {
    pool: BufferPool,
    buf: PooledBuf,
}

impl Subject {
    fn apply(&mut self, act: &Act) -> Seen {
        let buf = &mut self.buf;
        let answer = match *act {
            Act::Fresh(size) => {
                *buf = self.pool.get(size);
                assert!(buf.capacity() >= size);
                None
            }
            Act::Zeroed(size) => {
                *buf = self.pool.get_zeroed(size);
                None
            }
            Act::Extend(byte, size) => {
                buf.extend_from_slice(&vec![byte; size]);
                None
            }
            Act::Write(byte, size) => Some(buf.write(&vec![byte; size]).unwrap()),
            Act::Vectored(byte, first, second) => {
                let parts = [vec![byte; first], vec![byte; second]];
                let parts = parts.each_ref().map(|part| io::IoSlice::new(part));
                Some(buf.write_vectored(&parts).unwrap())
            }
            Act::Resize(size, byte) => {
                buf.resize(size, byte);
                None
            }
            Act::Truncate(size) => {
                buf.truncate(size);
                None
            }
            Act::Clear => {
                buf.clear();
                None
            }
            Act::Reserve(size) => {
                buf.reserve(size);
                assert!(buf.capacity() - buf.len() >= size);
                None
            }
            Act::Set(at, byte) => {
                if let Some(place) = buf.get_mut(at) {
                    *place = byte;
                }
                None
            }
            Act::Read(..) | Act::ReadExact(..) | Act::ReadToEnd(..) => read(buf, act),
            Act::Expose => {
                assert_eq!(buf.spare_capacity_mut().len(), buf.capacity() - buf.len());
                None
            }
            Act::FreezeThaw(skip) => {
                let mut bytes = std::mem::replace(buf, self.pool.get(0)).freeze();
                bytes.skip(skip.min(bytes.len()));
                *buf = bytes.try_into_mut().unwrap();
                None
            }
            Act::FreezeShare(from, to) => self.share(from, to),
            Act::Pollute => {
                pollute(&self.pool);
                None
            }
        };
        assert!(!self.buf.contains(&STALE), "stale bytes are visible");
        (self.buf.to_vec(), answer)
    }

    /// Another view keeps the buffer frozen: the bytes have to be copied to write to them.
    fn share(&mut self, from: usize, to: usize) -> Option<usize> {
        let bytes = std::mem::replace(&mut self.buf, self.pool.get(0)).freeze();
        let to = to.min(bytes.len());
        let part = bytes.slice(from.min(to)..to);
        let bytes: PooledBytes = bytes.try_into_mut().expect_err("there is another view");
        assert_eq!(&bytes[from.min(to)..to], &part[..]);
        self.buf.extend_from_slice(&bytes);
        Some(part.len())
    }
}

/// The ops that read.
fn read(buf: &mut PooledBuf, act: &Act) -> Option<usize> {
    match *act {
        Act::Read(size, most) => {
            let source = vec![7; size];
            let mut reader = Peeking {
                source: &source,
                most,
            };
            let count = buf.read_from(&mut reader).unwrap();
            // How much fits depends on the class; what follows must not.
            let rest = size.min(most) - count;
            buf.extend_from_slice(&vec![7; rest]);
            None
        }
        Act::ReadExact(size, most) => {
            let source = vec![8; size];
            let mut reader = Peeking {
                source: &source,
                most,
            };
            buf.read_exact_from(&mut reader, size).unwrap();
            Some(reader.source.len())
        }
        Act::ReadToEnd(size, limit, most) => {
            let source = vec![9; size];
            let mut reader = Peeking {
                source: &source,
                most,
            };
            buf.read_to_end_from(&mut reader, limit).ok()
        }
        _ => unreachable!("no op that reads: {act:?}"),
    }
}

fn oracle(vec: &mut Vec<u8>, act: &Act) -> Seen {
    let answer = match *act {
        Act::Fresh(_) | Act::Clear => {
            vec.clear();
            None
        }
        Act::Zeroed(size) => {
            *vec = vec![0; size];
            None
        }
        Act::Extend(byte, size) => {
            vec.extend(vec![byte; size]);
            None
        }
        Act::Write(byte, size) => {
            vec.extend(vec![byte; size]);
            Some(size)
        }
        Act::Vectored(byte, first, second) => {
            vec.extend(vec![byte; first + second]);
            Some(first + second)
        }
        Act::Resize(size, byte) => {
            vec.resize(size, byte);
            None
        }
        Act::Truncate(size) => {
            vec.truncate(size);
            None
        }
        Act::Set(at, byte) => {
            if let Some(place) = vec.get_mut(at) {
                *place = byte;
            }
            None
        }
        Act::Read(size, most) => {
            vec.extend(vec![7; size.min(most)]);
            None
        }
        Act::ReadExact(size, _) => {
            vec.extend(vec![8; size]);
            Some(0)
        }
        Act::ReadToEnd(size, limit, _) => {
            vec.extend(vec![9; size.min(limit)]);
            (size <= limit).then_some(size)
        }
        Act::FreezeThaw(skip) => {
            vec.drain(..skip.min(vec.len()));
            None
        }
        Act::FreezeShare(from, to) => {
            let to = to.min(vec.len());
            Some(to - from.min(to))
        }
        Act::Reserve(_) | Act::Expose | Act::Pollute => None,
    };
    (vec.clone(), answer)
}

fn programs(wipe: Wipe, align: usize) {
    fuzz(0..60, 60, || {
        let pool = BufferPool::builder()
            .classes(Classes::new(&[64, 100, 1000, 1 << 15, 1 << 16]).unwrap())
            .wipe(wipe)
            .align(align)
            .build()
            .unwrap();
        pollute(&pool);
        let buf = pool.get(0);
        let mut subject = Subject { pool, buf };
        let mut vec = Vec::new();
        (
            move |act: &Act| subject.apply(act),
            move |act: &Act| oracle(&mut vec, act),
        )
    });
}

#[test]
fn buffers_behave_like_vectors_and_show_nothing_stale() {
    programs(Wipe::Never, 1);
}

#[test]
fn so_do_wiped_and_aligned_ones() {
    programs(Wipe::OnPut, 64);
    programs(Wipe::OnPutVolatile, 4096);
}

#[test]
fn a_reader_sees_its_own_lease_again_and_zeros_beyond() {
    struct Expecting(Vec<u8>);
    impl Read for Expecting {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            assert_eq!(into[..self.0.len()], self.0[..]);
            assert!(into[self.0.len()..].iter().all(|byte| *byte == 0));
            Ok(0)
        }
    }
    let pool = BufferPool::new();
    drop({
        let mut dirty = pool.get(300);
        dirty.resize(512, STALE);
        dirty
    });
    let mut buf = pool.get(300);
    buf.extend_from_slice(b"secret of this lease");
    buf.truncate(3);
    let own = b"ret of this lease".to_vec();
    assert_eq!(buf.read_from(&mut Expecting(own)).unwrap(), 0);
    assert_eq!(buf, b"sec");
}

#[test]
fn readers_that_lie_panic_or_fail_change_nothing() {
    struct Lying(usize);
    impl Read for Lying {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            Ok(into.len().saturating_add(self.0))
        }
    }
    struct Panicking;
    impl Read for Panicking {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            into.fill(1);
            std::panic::resume_unwind(Box::new("no"));
        }
    }
    struct Failing(io::ErrorKind, usize);
    impl Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match self.1.checked_sub(1) {
                Some(left) => self.1 = left,
                None => return Ok(0),
            }
            into.fill(2);
            Err(self.0.into())
        }
    }
    let pool = BufferPool::new();
    let mut buf = pool.get(10);
    buf.extend_from_slice(b"kept");
    for extra in [1, 1000, usize::MAX] {
        let kind = buf.read_from(&mut Lying(extra)).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::InvalidData);
        assert!(buf.read_exact_from(&mut Lying(extra), 3).is_err());
        assert!(buf.read_to_end_from(&mut Lying(extra), 0).is_err());
        assert!(buf.read_to_end_from(&mut Lying(extra), 5).is_err());
    }
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        buf.read_from(&mut Panicking)
    }));
    assert!(panicked.is_err());
    let failing = &mut Failing(io::ErrorKind::WouldBlock, 1);
    assert_eq!(
        buf.read_from(failing).unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
    let interrupted = &mut Failing(io::ErrorKind::Interrupted, 3);
    assert_eq!(buf.read_to_end_from(interrupted, 100).unwrap(), 0);
    let interrupted = &mut Failing(io::ErrorKind::Interrupted, 3);
    let kind = buf.read_exact_from(interrupted, 1).unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::UnexpectedEof);
    assert_eq!(buf, b"kept");
}

#[test]
fn an_exact_read_keeps_what_had_arrived() {
    let pool = BufferPool::new();
    let mut buf = pool.get(10);
    let kind = buf.read_exact_from(&mut &b"abc"[..], 5).unwrap_err().kind();
    assert_eq!(kind, io::ErrorKind::UnexpectedEof);
    assert_eq!(buf, b"abc");
    assert!(buf.read_exact_from(&mut &b"abc"[..], usize::MAX).is_err());
    assert_eq!(buf, b"abc");
}

#[test]
fn reading_to_the_end_does_not_grow_for_what_exactly_fits() {
    let pool = BufferPool::new();
    let mut buf = pool.get(256);
    let source = [3; 256];
    assert_eq!(buf.read_to_end_from(&mut &source[..], 1000).unwrap(), 256);
    assert_eq!(buf.capacity(), 256);
    let long = [3; 1001];
    let kind = buf
        .read_to_end_from(&mut &long[..], 1000)
        .unwrap_err()
        .kind();
    assert_eq!(kind, io::ErrorKind::FileTooLarge);
    assert_eq!(buf.len(), 1256);
}
