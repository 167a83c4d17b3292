//! `BytesMut` of `bytes` 1.

use bytes::BytesMut;

use super::Reset;

/// Empties this handle's view. The old bytes lie beyond the length, where safe code cannot
/// read.
///
/// A `BytesMut` may share its buffer with handles that `split_to` or `freeze` made. While there
/// are any, the reset leaves their part alone. When this handle is the only one left, the reset
/// takes back what `advance`, `split` and `split_to` gave up at the front, all of it; of what
/// `split_off` gave up at the end it takes back enough to have more than half of the buffer, and
/// the next `reserve` takes the rest. It does not allocate.
///
/// `retained_bytes` is the capacity of this view, although it keeps the whole buffer alive.
impl Reset for BytesMut {
    #[inline]
    fn reset(&mut self) {
        self.clear();
        // A request for more than this view has moves it to the front of the buffer, and fails
        // if it has all there is. Where there is room behind the view, it grows by no more than
        // what is asked for, hence the loop.
        let mut wanted = self.capacity() + 1;
        while self.try_reclaim(wanted) {
            wanted = self.capacity() * 2;
        }
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.capacity()
    }
}
