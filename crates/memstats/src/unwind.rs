//! The door to the unwinder.

/// Calls `visit` with each instruction pointer of the calling thread's stack, innermost first,
/// until it returns false.
pub(crate) fn trace(mut visit: impl FnMut(usize) -> bool) {
    // 32-bit Windows unwinds through dbghelp, which needs a lock that may allocate.
    if cfg!(all(windows, target_arch = "x86")) {
        return;
    }
    let visit = |frame: &backtrace::Frame| visit(frame.ip().addr());
    // SAFETY: "unsynchronized" means that two threads must not use dbghelp at once, and dbghelp
    // is used on 32-bit Windows only, which the branch above left. Elsewhere the function reads
    // this thread's own stack by the system's unwinder, which is thread-safe.
    unsafe { backtrace::trace_unsynchronized(visit) };
}
