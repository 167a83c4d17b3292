//! The I/O traits of `tokio` 1.
//!
//! To fill a buffer from an asynchronous reader without zeroing, pass it to
//! `AsyncReadExt::read_buf`, which takes any `bytes::BufMut` (feature `bytes-1`).

#![forbid(unsafe_code)]

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice, Write};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::{buf::PooledBuf, bytes::PooledBytes};

/// Appends, growing the buffer; always ready.
impl AsyncWrite for PooledBuf {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.get_mut().write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Takes bytes from the front; always ready.
impl AsyncRead for PooledBytes {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let count = into.remaining().min(this.len());
        into.put_slice(&this[..count]);
        this.skip(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for PooledBytes {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(self.get_mut()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().skip(count);
    }
}
