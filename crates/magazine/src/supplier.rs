//! What the engine asks of whoever knows what a round is.

use core::ptr::NonNull;

/// Knows what the rounds of an engine point to.
///
/// The engine only moves pointers. It never reads through one.
///
/// When the last lease ends, the engine drops its supplier, on whichever thread that is and perhaps
/// while that thread ends. A panic of the drop goes no further.
///
/// # Safety
///
/// An engine of this supplier may be used from several threads, and a round taken on one thread
/// may have been put by another. So what rounds point to must be sound to send between threads,
/// and to destroy on any thread, also while a thread exits.
pub unsafe trait Supplier: Send + Sync + 'static {
    /// Destroys rounds that nobody uses.
    ///
    /// Must not unwind: the engine calls this while a thread exits. It holds nothing at that
    /// time, so an implementation may use this or another engine.
    ///
    /// # Safety
    ///
    /// Each round was put into an engine of this supplier, and is handed over: this is its only
    /// and last use.
    unsafe fn destroy(&self, rounds: &[NonNull<()>]);

    /// The engine was closed: no round will be taken any more. Those that are out still come back, to
    /// be [destroyed](Self::destroy).
    ///
    /// Must not unwind.
    fn closed(&self) {}

    /// The bytes that destroying these rounds would free.
    ///
    /// Must not unwind. It should say the same for a round as long as it is idle; otherwise limits
    /// and figures in bytes are inexact, and nothing else is.
    ///
    /// # Safety
    ///
    /// Each round was put into an engine of this supplier, and nobody uses it during the call.
    unsafe fn weigh(&self, rounds: &[NonNull<()>]) -> usize;
}
