//! Records: where a string stands, with its symbol in front.
//!
//! ```text
//! [ number: 4 ][ length: 1 ][ bytes … ]                   up to 252 bytes
//! [ number: 4 ][ LONG: 1 ][ length: 4 ][ bytes … ]        up to a sixteenth of the largest chunk
//! [ number: 4 ][ FAR: 1 ][ address: 8 ][ length: 8 ]      longer ones
//! [ number: 4 ][ STATIC: 1 ][ address: 8 ][ length: 8 ]   those that live for ever elsewhere
//! ```
//!
//! Fields are unaligned and in the machine's order. Bytes begin at a multiple of the key's alignment, for which
//! the space before them is left free. A record begins at an even offset.

use core::mem::size_of;
use core::ptr::NonNull;
use core::slice;

use super::chunk::{self, Chunk};
use super::equal::equal;
use super::slot::{self, UNIT};

/// The longest length that fits into the one byte.
pub(crate) const LONGEST_SHORT: usize = 252;
/// In place of a short length: four bytes of length follow.
const LONG: u8 = 253;
/// In place of a short length: an address and a length follow.
const FAR: u8 = 254;
/// As `FAR`, of a string that lives for ever without the interner.
const STATIC: u8 = 255;

/// Bytes before the length.
const NUMBER: usize = size_of::<u32>();

/// How a string is to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its bytes, in the chunk.
    Near,
    /// Its address, in the chunk.
    Far,
    /// The same, of a string that lives for ever.
    Static,
}

/// Bytes from the record's begin to the string's first, or to the record's end if it is far.
#[inline]
fn head(form: Form, len: usize) -> usize {
    NUMBER
        + 1
        + match form {
            Form::Near if len <= LONGEST_SHORT => 0,
            Form::Near => size_of::<u32>(),
            Form::Far | Form::Static => 2 * size_of::<usize>(),
        }
}

/// Where in a chunk a record that begins at `offset` has its bytes.
#[inline]
fn bytes_at(offset: usize, head: usize, align: usize) -> usize {
    (offset + head + (align - 1)) & !(align - 1)
}

/// The offset behind a record that begins at `offset`, for the next one.
#[inline]
pub(crate) fn end(offset: usize, form: Form, len: usize, align: usize) -> usize {
    let end = match form {
        Form::Near => bytes_at(offset, head(form, len), align) + len,
        Form::Far | Form::Static => offset + head(form, len),
    };
    end.next_multiple_of(UNIT)
}

/// Writes a record.
///
/// # Safety
///
/// `chunk` is alive and its bytes from `offset` to [`end`] are nobody else's. If the form is far, `bytes` stay
/// where they are as long as the record does.
#[inline]
pub(crate) unsafe fn write(
    chunk: NonNull<Chunk>,
    offset: usize,
    number: u32,
    bytes: &[u8],
    form: Form,
    align: usize,
) {
    let len = bytes.len();
    // SAFETY: alive, says the caller.
    unsafe { chunk::watch_write(chunk, offset) };
    // SAFETY: in the chunk.
    let at = unsafe { chunk.cast::<u8>().add(offset) };
    let put = |at: NonNull<u8>, field: &[u8]| {
        // SAFETY: the fields lie between `offset` and `end`, the caller's own; `field` is not in a chunk.
        unsafe { at.copy_from_nonoverlapping(NonNull::from(field).cast(), field.len()) };
    };
    put(at, &number.to_ne_bytes());
    // SAFETY: within the record.
    let tag = unsafe { at.add(NUMBER) };
    // SAFETY: within the record, or its end.
    let rest = unsafe { tag.add(1) };
    match form {
        Form::Near => {
            match u8::try_from(len) {
                Ok(short) if len <= LONGEST_SHORT => put(tag, &[short]),
                _ => {
                    put(tag, &[LONG]);
                    let long =
                        u32::try_from(len).expect("a near string is at most a chunk's sixteenth");
                    put(rest, &long.to_ne_bytes());
                }
            }
            let begin = bytes_at(offset, head(form, len), align);
            // SAFETY: within the record.
            let to = unsafe { chunk.cast::<u8>().add(begin) };
            // In line for what is short, as `equal` compares it: a call of `memcpy` costs more.
            match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
                (Some(first), Some(last)) if len <= 16 => {
                    put(to, first);
                    // SAFETY: eight bytes before the string's end, within the record.
                    put(unsafe { to.add(len - 8) }, last);
                }
                _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
                    (Some(first), Some(last)) if len <= 8 => {
                        put(to, first);
                        // SAFETY: four bytes before the string's end, within the record.
                        put(unsafe { to.add(len - 4) }, last);
                    }
                    _ => put(to, bytes),
                },
            }
        }
        Form::Far | Form::Static => {
            put(tag, &[if form == Form::Far { FAR } else { STATIC }]);
            let address = NonNull::from(bytes).cast::<u8>();
            // SAFETY: within the record, unaligned.
            unsafe { rest.cast::<NonNull<u8>>().write_unaligned(address) };
            // SAFETY: within the record.
            put(unsafe { rest.add(size_of::<usize>()) }, &len.to_ne_bytes());
        }
    }
}

/// A record that was published.
#[derive(Clone, Copy)]
pub(crate) struct Record {
    chunk: NonNull<Chunk>,
    offset: usize,
}

impl Record {
    /// The record of a slot's lower half.
    ///
    /// # Safety
    ///
    /// `chunk` is the chunk that `record` names, the record was written before whatever told the caller of it, and
    /// it stays while the result is used.
    #[inline]
    pub(crate) unsafe fn new(chunk: NonNull<Chunk>, record: u32) -> Self {
        let offset = slot::offset_of(record);
        // SAFETY: alive, says the caller.
        unsafe { chunk::watch_read(chunk, offset) };
        Self { chunk, offset }
    }

    #[inline]
    fn at(self, distance: usize) -> NonNull<u8> {
        // SAFETY: callers stay within the record, and so within the chunk.
        unsafe { self.chunk.cast::<u8>().add(self.offset + distance) }
    }

    #[inline]
    fn short(self) -> u8 {
        // SAFETY: every record has this byte.
        unsafe { self.at(NUMBER).read() }
    }

    /// The number of the symbol.
    #[inline]
    pub(crate) fn number(self) -> u32 {
        // SAFETY: every record begins with it, unaligned.
        unsafe { self.at(0).cast::<u32>().read_unaligned() }
    }

    /// Whether the string lives for ever without the interner.
    pub(crate) fn is_static(self) -> bool {
        self.short() == STATIC
    }

    /// Whether the length stands in its one byte, and the string behind it.
    #[inline]
    pub(crate) fn is_short(self) -> bool {
        usize::from(self.short()) <= LONGEST_SHORT
    }

    /// The string.
    ///
    /// # Safety
    ///
    /// The record stays for `'a`, and `align` is the one that it was written with.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(self, align: usize) -> &'a [u8] {
        if self.is_short() {
            // SAFETY: as this function, and just seen to be short.
            return unsafe { self.short_bytes(align) };
        }
        // SAFETY: as this function.
        unsafe { self.bytes_slow(align) }
    }

    /// The string of a record that is short.
    ///
    /// # Safety
    ///
    /// As for [`bytes`](Self::bytes), and the record is short.
    #[inline]
    pub(crate) unsafe fn short_bytes<'a>(self, align: usize) -> &'a [u8] {
        let begin = bytes_at(self.offset, NUMBER + 1, align);
        // SAFETY: in the chunk.
        let begin = unsafe { self.chunk.cast::<u8>().add(begin) };
        // SAFETY: a record with a short length has so many bytes here, written once.
        unsafe { slice::from_raw_parts(begin.as_ptr(), usize::from(self.short())) }
    }

    /// # Safety
    ///
    /// As for [`bytes`](Self::bytes), and the record is not short.
    #[cold]
    #[inline(never)]
    unsafe fn bytes_slow<'a>(self, align: usize) -> &'a [u8] {
        if self.short() == LONG {
            // SAFETY: a long record has its length here, unaligned.
            let len = unsafe { self.at(NUMBER + 1).cast::<u32>().read_unaligned() } as usize;
            let begin = bytes_at(self.offset, head(Form::Near, len), align);
            // SAFETY: in the chunk.
            let begin = unsafe { self.chunk.cast::<u8>().add(begin) };
            // SAFETY: the string's bytes, written once.
            return unsafe { slice::from_raw_parts(begin.as_ptr(), len) };
        }
        // SAFETY: a far record has an address here, unaligned.
        let address = unsafe { self.at(NUMBER + 1).cast::<NonNull<u8>>().read_unaligned() };
        let len = self.at(NUMBER + 1 + size_of::<usize>()).cast::<usize>();
        // SAFETY: and then a length.
        let len = unsafe { len.read_unaligned() };
        // SAFETY: the bytes stay as long as the record, as `write`'s caller has promised.
        unsafe { slice::from_raw_parts(address.as_ptr(), len) }
    }

    /// Whether the record is this string's, which is short; `false` also if the record is one of those that hold
    /// an address.
    ///
    /// # Safety
    ///
    /// `align` is the one that the record was written with.
    #[inline]
    pub(crate) unsafe fn is_short_of(self, bytes: &[u8], align: usize) -> bool {
        if usize::from(self.short()) != bytes.len() || bytes.len() > LONGEST_SHORT {
            return false;
        }
        let begin = bytes_at(self.offset, NUMBER + 1, align);
        // SAFETY: in the chunk.
        let begin = unsafe { self.chunk.cast::<u8>().add(begin) };
        // SAFETY: a record with a short length has so many bytes here, written once.
        equal(bytes, unsafe {
            slice::from_raw_parts(begin.as_ptr(), bytes.len())
        })
    }

    /// Whether the record is this string's.
    ///
    /// # Safety
    ///
    /// `align` is the one that the record was written with.
    #[inline]
    pub(crate) unsafe fn is(self, bytes: &[u8], align: usize) -> bool {
        // SAFETY: the record stays while `self` is used, and the bytes do not leave this function.
        equal(bytes, unsafe { self.bytes(align) })
    }
}
