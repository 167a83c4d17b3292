//! A hash of a block's bytes, initialised or not.
//!
//! To read a byte that was never written is undefined behaviour in Rust, and a freed buffer may have
//! such bytes. So the loads are machine instructions, whose result is a number like any other.

use super::weight::mix;

/// Whether there is a way on this processor.
pub(super) const AVAILABLE: bool =
    cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) && !cfg!(thrifty_msan);

/// A hash of `len` bytes, or `None` when all are zero.
///
/// # Safety
///
/// `start` must point to `len` bytes of one live block that nobody writes meanwhile.
pub(super) unsafe fn hash(start: *const u8, len: usize) -> Option<u64> {
    let (mut hash, mut any) = (len as u64, 0);
    for at in 0..len {
        // SAFETY: within the block, by the caller's promise.
        let place = unsafe { start.add(at) };
        // SAFETY: the place is readable, by the caller's promise.
        let byte = unsafe { load(place) };
        any |= byte;
        hash = mix(hash ^ byte);
    }
    (any != 0).then_some(hash)
}

#[cfg(target_arch = "x86_64")]
unsafe fn load(place: *const u8) -> u64 {
    let byte: u64;
    // SAFETY: reads one byte, which the caller promises to be readable; touches no stack and no flags.
    unsafe {
        core::arch::asm!(
            "movzx {byte:e}, byte ptr [{place}]",
            byte = out(reg) byte,
            place = in(reg) place,
            options(nostack, readonly, preserves_flags)
        );
    }
    byte
}

#[cfg(target_arch = "aarch64")]
unsafe fn load(place: *const u8) -> u64 {
    let byte: u64;
    // SAFETY: reads one byte, which the caller promises to be readable; touches no stack and no flags.
    unsafe {
        core::arch::asm!(
            "ldrb {byte:w}, [{place}]",
            byte = out(reg) byte,
            place = in(reg) place,
            options(nostack, readonly, preserves_flags)
        );
    }
    byte
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn load(_place: *const u8) -> u64 {
    0
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Option<u64> {
        // SAFETY: a slice is one live block, borrowed for the call.
        unsafe { hash(bytes.as_ptr(), bytes.len()) }
    }

    #[test]
    fn equal_contents_have_equal_hashes() {
        assert_eq!(of(b"host-17"), of(b"host-17".to_vec().as_slice()));
        assert_ne!(of(b"host-17"), of(b"host-18"));
        assert_ne!(of(b"a\0"), of(b"a"));
        assert_eq!(
            of(&[0; 40]),
            None,
            "nothing was written, or nothing worth sharing"
        );
        assert_eq!(of(&[]), None);
    }
}
