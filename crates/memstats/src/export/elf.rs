//! What an ELF image says of itself: its build id, and where its addresses begin.
#![forbid(unsafe_code)]

use alloc::{format, string::String, vec, vec::Vec};

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Address in memory less the address that the file gives to it.
    pub(super) bias: u64,
    /// In hexadecimal digits; empty if there is none.
    pub(super) build_id: String,
}

/// More segments than this are no image's.
const MOST_SEGMENTS: u64 = 128;
const MOST_NOTES_BYTES: u64 = 64 << 10;
const LONGEST_ID_BYTES: usize = 64;

/// A program header.
struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
    align: u64,
}

/// The fields of an image of either width and byte order.
struct Format {
    wide: bool,
    big: bool,
}

impl Format {
    /// The number of so many bytes at an offset; 0 past the end.
    fn number(&self, bytes: &[u8], at: usize, len: usize) -> u64 {
        let digits = at
            .checked_add(len)
            .and_then(|end| bytes.get(at..end))
            .unwrap_or_default();
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.big {
            digits.iter().fold(0, add)
        } else {
            digits.iter().rev().fold(0, add)
        }
    }

    fn segment(&self, bytes: &[u8]) -> Segment {
        let field = |wide_at, narrow_at| {
            let (at, len) = if self.wide {
                (wide_at, 8)
            } else {
                (narrow_at, 4)
            };
            self.number(bytes, at, len)
        };
        Segment {
            kind: u32::try_from(self.number(bytes, 0, 4)).unwrap_or(0),
            offset: field(8, 4),
            address: field(16, 8),
            size: field(32, 16),
            align: field(48, 28),
        }
    }
}

/// The image that is mapped at `base`; `read` reads memory, and is false where there is none.
pub(super) fn in_memory(base: u64, read: &dyn Fn(u64, &mut [u8]) -> bool) -> Option<Image> {
    let (format, segments) = segments(&|at, into| read(base.wrapping_add(at), into))?;
    let first = segments
        .iter()
        .find(|segment| segment.kind == 1 && segment.offset == 0)?;
    let bias = base.wrapping_sub(first.address);
    Some(Image {
        bias,
        build_id: build_id(&format, &segments, &|segment, into| {
            read(bias.wrapping_add(segment.address), into)
        }),
    })
}

/// The build id of a file; `None` if it is no ELF file.
#[cfg(feature = "symbolize")]
pub(super) fn build_id_of_file(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::FileExt as _;

    let file = std::fs::File::open(path).ok()?;
    let read = |at: u64, into: &mut [u8]| file.read_exact_at(into, at).is_ok();
    let (format, segments) = segments(&read)?;
    Some(build_id(&format, &segments, &|segment, into| {
        read(segment.offset, into)
    }))
}

fn segments(read: &dyn Fn(u64, &mut [u8]) -> bool) -> Option<(Format, Vec<Segment>)> {
    let mut head = [0; 64];
    // The narrow head has 52 bytes; an image has more than 64 in any case.
    if !read(0, &mut head) || !head.starts_with(b"\x7fELF") {
        return None;
    }
    let format = Format {
        wide: head[4] == 2,
        big: head[5] == 2,
    };
    let (table, len_at, count_at) = if format.wide {
        (format.number(&head, 32, 8), 54, 56)
    } else {
        (format.number(&head, 28, 4), 42, 44)
    };
    let len = format.number(&head, len_at, 2);
    let count = format.number(&head, count_at, 2);
    let least = if format.wide { 56 } else { 32 };
    if len < least || count > MOST_SEGMENTS {
        return None;
    }
    let mut bytes = [0; 56];
    let wanted = usize::try_from(least).ok()?;
    let segments = (0..count).map(|nth| {
        let at = table.checked_add(nth * len)?;
        read(at, &mut bytes[..wanted]).then(|| format.segment(&bytes[..wanted]))
    });
    let segments = segments.collect::<Option<Vec<_>>>()?;
    Some((format, segments))
}

/// The first build id in the notes, as digits.
fn build_id(
    format: &Format,
    segments: &[Segment],
    read: &dyn Fn(&Segment, &mut [u8]) -> bool,
) -> String {
    let notes = segments
        .iter()
        .filter(|segment| segment.kind == 4 && segment.size <= MOST_NOTES_BYTES);
    for segment in notes {
        let mut bytes = vec![0; usize::try_from(segment.size).unwrap_or(0)];
        if !read(segment, &mut bytes) {
            continue;
        }
        let align = if segment.align == 8 { 8 } else { 4 };
        if let Some(id) = id_in_notes(format, &bytes, align) {
            return id.iter().map(|byte| format!("{byte:02x}")).collect();
        }
    }
    String::new()
}

/// ```text
/// │ name's length │ content's length │ kind │ name, padded │ content, padded │ ...
/// ```
fn id_in_notes<'a>(format: &Format, notes: &'a [u8], align: usize) -> Option<&'a [u8]> {
    let mut rest = notes;
    while rest.len() >= 12 {
        let len = |at| usize::try_from(format.number(rest, at, 4)).unwrap_or(usize::MAX);
        let (name_len, id_len, kind) = (len(0), len(4), format.number(rest, 8, 4));
        let name_end = 12_usize.checked_add(name_len)?;
        let id_at = name_end.checked_next_multiple_of(align)?;
        let id_end = id_at.checked_add(id_len)?;
        let (name, id) = (rest.get(12..name_end)?, rest.get(id_at..id_end)?);
        if kind == 3 && name == b"GNU\0" && (1..=LONGEST_ID_BYTES).contains(&id_len) {
            return Some(id);
        }
        rest = rest
            .get(id_end.checked_next_multiple_of(align)?..)
            .unwrap_or_default();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const LITTLE: Format = Format {
        wide: true,
        big: false,
    };

    fn note(name: &[u8], kind: usize, id: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [name.len(), id.len(), kind] {
            note.extend(&number.to_le_bytes()[..4]);
        }
        for part in [name, id] {
            note.extend(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    /// A wide little-endian image with a segment that is loaded at `address`, and notes.
    fn image(address: u64, notes: &[u8]) -> Vec<u8> {
        let mut image = vec![0; 64];
        image[..6].copy_from_slice(b"\x7fELF\x02\x01");
        image[32] = 64;
        image[54] = 56;
        image[56] = 2;
        for (kind, at, size) in [(1_u32, 0_u64, 4096_u64), (4, 176, notes.len() as u64)] {
            let mut segment = [0; 56];
            segment[..4].copy_from_slice(&kind.to_le_bytes());
            segment[8..16].copy_from_slice(&at.to_le_bytes());
            segment[16..24].copy_from_slice(&(address + at).to_le_bytes());
            segment[32..40].copy_from_slice(&size.to_le_bytes());
            segment[48] = 4;
            image.extend(segment);
        }
        image.extend(notes);
        image
    }

    fn read_at(image: &[u8], base: u64) -> Option<Image> {
        in_memory(base, &|at, into| {
            let from = usize::try_from(at.wrapping_sub(base)).unwrap_or(usize::MAX);
            let bytes = from
                .checked_add(into.len())
                .and_then(|end| image.get(from..end));
            bytes.map(|bytes| into.copy_from_slice(bytes)).is_some()
        })
    }

    #[test]
    fn the_build_id_is_found_among_other_notes() {
        let mut notes = note(b"GNU\0", 1, &[9; 16]);
        notes.extend(note(b"stapsdt\0", 3, &[1, 2, 3]));
        notes.extend(note(b"GNU\0", 3, &[0xab, 0x01, 0xff]));
        let image = read_at(&image(0x40_0000, &notes), 0x7000_0000).unwrap();
        assert_eq!(image.build_id, "ab01ff");
        assert_eq!(image.bias, 0x7000_0000 - 0x40_0000);
    }

    #[test]
    fn every_beginning_and_every_damage_is_survived() {
        let whole = image(0, &note(b"GNU\0", 3, &[7; 20]));
        for len in 0..whole.len() {
            let _ = read_at(&whole[..len], 4096);
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = read_at(&damaged, 4096);
            }
        }
        let huge = [0xff; 24];
        assert_eq!(id_in_notes(&LITTLE, &huge, 4), None);
        assert_eq!(read_at(b"#!/bin/sh", 0), None);
    }
}
