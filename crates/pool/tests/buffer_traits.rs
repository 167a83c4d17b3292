//! What other crates see of buffers: slices, `std::io`, `bytes`, `tokio`.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use thrifty_pool::{BufferPool, PooledBytes};

fn bytes(text: &[u8]) -> PooledBytes {
    let mut buf = BufferPool::new().get(text.len());
    buf.extend_from_slice(text);
    buf.freeze()
}

#[test]
fn frozen_bytes_compare_and_hash_as_slices_do() {
    let (abc, abd) = (bytes(b"abc"), bytes(b"abd"));
    assert!(abc < abd && abc == abc.slice(..) && abc != abd);
    assert_eq!(abc, [b'a', b'b', b'c']);
    assert_eq!(abc, &b"abc"[..]);
    let map = HashMap::from([(abc, 1), (abd, 2)]);
    assert_eq!(map.get(&b"abd"[..]), Some(&2));
    assert_eq!(PooledBytes::from(BufferPool::new().get_zeroed(2)), [0, 0]);
}

#[test]
fn buffers_compare_with_and_collect_what_slices_do() {
    let mut buf = BufferPool::new().get(1);
    buf.extend([1, 2]);
    buf.extend(&[3; 300]);
    let vec: Vec<u8> = (&buf).into_iter().copied().collect();
    assert_eq!((vec.len(), &vec[..3]), (302, &[1, 2, 3][..]));
    let frozen = bytes(&vec);
    assert_eq!(buf, vec);
    assert_eq!(vec, buf);
    assert_eq!(vec[..], buf);
    assert_eq!(buf, frozen);
    assert_eq!(frozen, buf);
    assert_eq!(frozen, vec);
    assert_eq!(vec, frozen);
    assert_ne!(vec[1..], frozen);
    assert_eq!((&frozen).into_iter().max(), Some(&3));
}

#[test]
fn frozen_bytes_are_read_from_the_front() {
    let mut text = bytes(b"one\ntwo\nthree");
    let mut line = String::new();
    assert_eq!(text.read_line(&mut line).unwrap(), 4);
    let mut rest = Vec::new();
    text.by_ref().take(4).read_to_end(&mut rest).unwrap();
    assert_eq!((line.as_str(), &rest[..]), ("one\n", &b"two\n"[..]));
    assert_eq!(text, b"three");
    assert_eq!(text.read(&mut [0; 9]).unwrap(), 5);
    assert_eq!(text.read(&mut [0; 9]).unwrap(), 0);
}

#[test]
fn views_are_cut_like_slices() {
    let all = bytes(b"0123456789");
    for from in 0..=10 {
        for to in from..=10 {
            assert_eq!(all.slice(from..to), &all[from..to]);
            let mut view = all.clone();
            let tail = view.split_off(to);
            let head = view.split_to(from);
            assert_eq!((&head[..], &view[..]), (&all[..from], &all[from..to]));
            assert_eq!(tail, &all[to..]);
            view.truncate(100);
            assert_eq!(view.len(), to - from);
        }
    }
    assert!(std::panic::catch_unwind(|| all.slice(3..11)).is_err());
    assert!(std::panic::catch_unwind(|| all.slice(..=usize::MAX)).is_err());
    #[expect(clippy::reversed_empty_ranges, reason = "this is what is tested")]
    let reversed = std::panic::catch_unwind(|| all.slice(5..4));
    assert!(reversed.is_err());
    assert!(std::panic::catch_unwind(|| all.clone().split_to(11)).is_err());
    assert!(std::panic::catch_unwind(|| all.clone().skip(11)).is_err());
}

#[test]
fn only_the_last_view_becomes_a_buffer_again() {
    let all = bytes(b"0123456789");
    let mut part = all.slice(3..6);
    let all = all.try_into_mut().unwrap_err();
    drop(all);
    part.skip(1);
    let mut buf = part.try_into_mut().unwrap();
    assert_eq!(buf, b"45");
    buf.resize(256, 7);
    assert_eq!(buf.capacity(), 256);
}

#[cfg(feature = "bytes-1")]
mod bytes_1 {
    use bytes::{Buf, BufMut, Bytes};
    use thrifty_pool::{BufferPool, Oversize};

    #[test]
    fn buffers_grow_behind_buf_mut() {
        let pool = BufferPool::new();
        let mut buf = pool.get(0);
        buf.put_u32(0x0102_0304);
        buf.put_bytes(9, 300);
        buf.put(b"chain"[..].chain(&b"ed"[..]));
        assert_eq!(buf.len(), 311);
        assert_eq!(&buf[..5], &[1, 2, 3, 4, 9]);
        assert_eq!(&buf[304..], b"chained");
        // Full: the next chunk comes out of a larger buffer.
        buf.resize(512, 0);
        assert_eq!(buf.chunk_mut().len(), 512);
        assert!(buf.remaining_mut() > 1 << 30);
    }

    #[test]
    fn bytes_that_are_split_off_are_not_copied() {
        let mut buf = BufferPool::new().get(10);
        buf.extend_from_slice(b"headbody");
        let mut frozen = buf.freeze();
        let start = frozen.as_ptr();
        let head = frozen.copy_to_bytes(4);
        assert_eq!((&head[..], &frozen[..]), (&b"head"[..], &b"body"[..]));
        assert_eq!(head.as_ptr(), start);
    }

    #[test]
    fn a_chunk_is_written_and_then_taken_over() {
        let pool = BufferPool::new();
        let mut buf = pool.get(10);
        buf.extend_from_slice(b"ab");
        buf.chunk_mut()[..2].copy_from_slice(b"cd");
        #[expect(unsafe_code, reason = "this is how the trait works")]
        // SAFETY: two bytes were written.
        unsafe {
            buf.advance_mut(2);
        }
        assert_eq!(buf, b"abcd");
    }

    #[test]
    fn what_remains_is_what_the_policy_leaves() {
        let pool = BufferPool::builder().oversize(Oversize::Error).build();
        let mut buf = pool.unwrap().get(0);
        assert_eq!(buf.remaining_mut(), 1 << 20);
        buf.put_bytes(1, 1 << 20);
        assert!(!buf.has_remaining_mut());
        assert_eq!(buf.chunk_mut().len(), 0);
        let full = std::panic::AssertUnwindSafe(|| buf.put_u8(1));
        assert!(std::panic::catch_unwind(full).is_err());
    }

    #[test]
    fn frozen_bytes_are_buf_and_bytes() {
        let pool = BufferPool::new();
        let mut buf = pool.get(10);
        buf.put_u16(0x0102);
        buf.put_slice(b"rest");
        let mut bytes = buf.freeze();
        assert_eq!(bytes.get_u16(), 0x0102);
        assert_eq!(bytes.remaining(), 4);
        let owned: Bytes = bytes.clone().into_bytes();
        let again = Bytes::from(pool.get_zeroed(3));
        assert_eq!((&owned[..], &again[..]), (&b"rest"[..], &[0, 0, 0][..]));
        let bytes = bytes.try_into_mut().unwrap_err();
        drop(owned);
        assert!(bytes.is_unique(), "the owner inside the `Bytes` is gone");
        drop((bytes, again));
        assert!(pool.stats().classes().iter().all(|class| class.in_use == 0));
    }
}

#[cfg(feature = "tokio-1")]
mod tokio_1 {
    use std::io::IoSlice;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use thrifty_pool::BufferPool;
    use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

    fn ready<T>(poll: Poll<std::io::Result<T>>) -> T {
        match poll {
            Poll::Ready(Ok(value)) => value,
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => panic!("memory is always ready"),
        }
    }

    #[test]
    fn buffers_are_written_to_and_frozen_ones_read() {
        let context = &mut Context::from_waker(Waker::noop());
        let pool = BufferPool::new();
        let mut buf = pool.get(0);
        assert_eq!(ready(Pin::new(&mut buf).poll_write(context, b"abc")), 3);
        let parts = [IoSlice::new(b"d"), IoSlice::new(&[7; 400])];
        assert!(buf.is_write_vectored());
        let written = Pin::new(&mut buf).poll_write_vectored(context, &parts);
        assert_eq!(ready(written), 401);
        ready(Pin::new(&mut buf).poll_flush(context));
        ready(Pin::new(&mut buf).poll_shutdown(context));

        let mut bytes = buf.freeze();
        let mut place = [0; 3];
        let mut into = ReadBuf::new(&mut place);
        ready(Pin::new(&mut bytes).poll_read(context, &mut into));
        assert_eq!(into.filled(), b"abc");
        assert_eq!(
            ready(Pin::new(&mut bytes).poll_fill_buf(context)).len(),
            401
        );
        Pin::new(&mut bytes).consume(1);
        assert_eq!(bytes, [7; 400]);
    }
}
