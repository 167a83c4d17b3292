//! The header of an image, and its checksum.

#![forbid(unsafe_code)]

use super::{
    hash::Hash64,
    layout::{HEADER, Layout, Width, array_at, field, put, u32_at, u64_at},
};
use crate::{FrozenError, Portable};

/// What every image begins with. Not text, so that nobody takes it for some.
const MAGIC: [u8; 8] = *b"\x89ThrSym\n";
/// The version of the layout and of the hash.
const VERSION: u16 = 1;
/// The byte order of the machine that wrote the keys.
const LITTLE: u8 = 1;
const BIG: u8 = 2;
const NATIVE: u8 = if cfg!(target_endian = "big") {
    BIG
} else {
    LITTLE
};

/// Writes all but the kind and the checksum, which come when the image leaves the program.
pub(super) fn write_header(layout: &Layout, seed: u64, image: &mut [u8]) {
    put(image, field::MAGIC, MAGIC);
    put(image, field::VERSION, VERSION.to_le_bytes());
    image[field::WIDTH] = layout.width as u8;
    image[field::ORDER] = NATIVE;
    let align = u8::try_from(layout.align).unwrap_or(u8::MAX);
    image[field::ALIGN] = align;
    put(image, field::COUNT, layout.count.to_le_bytes());
    put(
        image,
        field::PAYLOAD,
        (layout.payload_bytes as u64).to_le_bytes(),
    );
    put(image, field::SLOTS, (layout.slots as u64).to_le_bytes());
    put(image, field::SEED, seed.to_le_bytes());
}

/// The header with which an image leaves the program.
pub(super) fn sealed_header<K: Portable + ?Sized>(image: &[u8]) -> [u8; HEADER] {
    let mut header: [u8; HEADER] = array_at(image, 0);
    put(&mut header, field::KIND, K::KIND.to_le_bytes());
    let checksum = checksum(&header, &image[HEADER..]);
    put(&mut header, field::CHECKSUM, checksum.to_le_bytes());
    header
}

/// Of everything but itself.
pub(super) fn checksum(header: &[u8], rest: &[u8]) -> u64 {
    let of_header = Hash64::new(u64::from(VERSION)).of(&header[..field::CHECKSUM]);
    Hash64::new(of_header).of(rest)
}

/// Reads a header and checks all that can be checked without looking at what follows, and the checksum. Says
/// where the parts are, and the seed.
pub(super) fn read_header<K: Portable + ?Sized>(
    image: &[u8],
) -> Result<(Layout, u64), FrozenError> {
    if image.len() < HEADER {
        return Err(FrozenError::Length {
            found_bytes: image.len(),
            expected_bytes: HEADER,
        });
    }
    if array_at(image, field::MAGIC) != MAGIC {
        return Err(FrozenError::Magic);
    }
    let version = u16::from_le_bytes(array_at(image, field::VERSION));
    if version != VERSION {
        return Err(FrozenError::Version { found: version });
    }
    let found = u64_at(image, field::KIND);
    if found != K::KIND {
        return Err(FrozenError::Kind {
            found,
            expected: K::KIND,
        });
    }
    let align = usize::from(image[field::ALIGN]);
    if align != K::ALIGN {
        return Err(FrozenError::Alignment {
            found_bytes: align,
            expected_bytes: K::ALIGN,
        });
    }
    let order = image[field::ORDER];
    if order != LITTLE && order != BIG {
        return Err(FrozenError::Header);
    }
    if order != NATIVE && K::HAS_BYTE_ORDER {
        return Err(FrozenError::ByteOrder);
    }
    let width = Width::of(image[field::WIDTH]).ok_or(FrozenError::Header)?;
    let count = u32_at(image, field::COUNT);
    let slots = u64_at(image, field::SLOTS);
    // As many as their writer makes: few empty ones would make each search for what is not there a long one.
    if slots != 0 && slots != width.slots(count) {
        return Err(FrozenError::Header);
    }
    let payload = u64_at(image, field::PAYLOAD);
    let layout = Layout::new(count, width, align, payload, slots).ok_or(FrozenError::Header)?;
    if layout.end != image.len() {
        return Err(FrozenError::Length {
            found_bytes: image.len(),
            expected_bytes: layout.end,
        });
    }
    if checksum(&image[..HEADER], &image[HEADER..]) != u64_at(image, field::CHECKSUM) {
        return Err(FrozenError::Checksum);
    }
    Ok((layout, u64_at(image, field::SEED)))
}
