//! `BytesMut` of `bytes` 1.

use bytes::BytesMut;

use super::Reset;

/// Empties this handle's view. The old bytes lie beyond the length, where safe code cannot
/// read.
///
/// A `BytesMut` may share its buffer with handles that `split_to` or `freeze` made; the reset
/// leaves those alone. `retained_bytes` is the capacity of this view. It leaves out what other
/// handles own and the front that `advance` gave up, although this handle keeps the whole
/// buffer alive; the next `reserve` takes the front back when no other handle is left.
impl Reset for BytesMut {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.capacity()
    }
}
