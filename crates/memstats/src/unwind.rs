//! The door to the unwinder.

/// Calls `visit` with the instruction pointer and the stack address of each frame of the calling
/// thread, innermost first, until it returns false.
///
/// A frame's stack address lies above everything in its own frame and below everything in its
/// caller's. It is zero where the system's unwinder does not tell it.
pub(crate) fn trace(mut visit: impl FnMut(usize, usize) -> bool) {
    // 32-bit Windows unwinds through dbghelp, which needs a lock that may allocate.
    if cfg!(all(windows, target_arch = "x86")) {
        return;
    }
    let visit = |frame: &backtrace::Frame| visit(frame.ip().addr(), frame.sp().addr());
    // SAFETY: "unsynchronized" means that two threads must not use dbghelp at once, and dbghelp
    // is used on 32-bit Windows only, which the branch above left. Elsewhere the function reads
    // this thread's own stack by the system's unwinder, which is thread-safe.
    unsafe { backtrace::trace_unsynchronized(visit) };
}
