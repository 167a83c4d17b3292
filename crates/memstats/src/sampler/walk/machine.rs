//! What Rust has no words for: the registers, and words of other functions' frames.

/// Where the calling function is.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Registers {
    pub(super) ip: usize,
    pub(super) sp: usize,
    pub(super) bp: usize,
}

/// The registers at one instruction of the function that this is part of.
#[expect(clippy::inline_always, reason = "they are to be the caller's own")]
#[inline(always)]
pub(in super::super) fn registers() -> Registers {
    let (ip, sp, bp);
    // SAFETY: copies three registers; touches no memory, no stack and no flags.
    unsafe {
        core::arch::asm!(
            "lea {ip}, [rip]",
            "mov {sp}, rsp",
            "mov {bp}, rbp",
            ip = out(reg) ip,
            sp = out(reg) sp,
            bp = out(reg) bp,
            options(nomem, nostack, preserves_flags)
        );
    }
    Registers { ip, sp, bp }
}

/// A word of the stack.
///
/// It belongs to no object of Rust's: a return address, or a register that a function put away. So the load is
/// a machine instruction, whose result is a number like any other.
///
/// # Safety
///
/// The address is aligned and of readable memory.
pub(super) unsafe fn word_at(address: usize) -> usize {
    let word;
    // SAFETY: reads one word, which the caller promises to be readable; touches no stack and no flags.
    unsafe {
        core::arch::asm!(
            "mov {word}, qword ptr [{address}]",
            word = out(reg) word,
            address = in(reg) address,
            options(nostack, readonly, preserves_flags)
        );
    }
    word
}
