//! Filling a buffer from a reader.
//!
//! `Read::read` is a safe function that is given initialised memory, and nothing keeps it from
//! looking at that memory. So it is shown only bytes that this lease has initialised: what it has
//! written before, and zeros. The zeros are written once per lease, and only as far as the reader
//! comes: a window beyond what is initialised grows with what has been read.

#![forbid(unsafe_code)]

use std::io;

use super::buf::PooledBuf;

/// The least that a reader is shown at a time, if there is so much room: enough to make a system
/// call worth it, little enough to fill with zeros in less time than the call takes.
const WINDOW: usize = 32 * 1024;

impl PooledBuf {
    /// Appends what one call of the reader gives, and says how much: 0 at its end.
    ///
    /// Where the buffer is full it grows first, so that 0 does not mean "full".
    ///
    /// The reader is shown memory that is initialised and holds nothing of a former use. Of a
    /// buffer that is filled again and again it is zeroed once, and at most 32 KiB, or as much as
    /// has been read already, further than the bytes that arrived. Without any zeroing works what
    /// fills uninitialised memory: [`spare_capacity_mut`](Self::spare_capacity_mut), or
    /// `bytes::BufMut`.
    ///
    /// # Errors
    ///
    /// The reader's, `Interrupted` included; [`InvalidData`](io::ErrorKind::InvalidData) from a
    /// reader that claims more than it was given room for; when the buffer is full and cannot
    /// grow, [these kinds](crate::BufError#impl-From<BufError>-for-Error). The bytes are then as
    /// they were, also when the reader panics.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut socket: &[u8] = b"HELLO";
    /// let mut buf = pool.get(1024);
    /// assert_eq!(buf.read_from(&mut socket)?, 5);
    /// assert_eq!(buf.read_from(&mut socket)?, 0);
    /// assert_eq!(buf, b"HELLO");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_from<R: io::Read + ?Sized>(&mut self, reader: &mut R) -> io::Result<usize> {
        self.try_reserve(1)?;
        self.read_at_most(reader, usize::MAX)
    }

    /// Appends exactly so many bytes.
    ///
    /// # Errors
    ///
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) when the reader ends before; otherwise as
    /// [`read_from`](Self::read_from), but it goes on after `Interrupted`. Bytes that had arrived
    /// by then stay in the buffer. When the buffer cannot grow, nothing is read.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut socket: &[u8] = b"HELLO";
    /// let mut buf = pool.get(1024);
    /// buf.read_exact_from(&mut socket, 4)?;
    /// assert_eq!(buf, b"HELL");
    /// assert!(buf.read_exact_from(&mut socket, 4).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_exact_from<R: io::Read + ?Sized>(
        &mut self,
        reader: &mut R,
        count: usize,
    ) -> io::Result<()> {
        self.try_reserve(count)?;
        let end = self.len() + count;
        while self.len() < end {
            match self.read_at_most(reader, end - self.len()) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Appends what there is up to the reader's end, but no more than `limit` bytes, and says how
    /// much.
    ///
    /// # Errors
    ///
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) when there is more; to know that, one byte
    /// beyond the limit is read and lost. Otherwise as [`read_from`](Self::read_from), but it goes
    /// on after `Interrupted`. Bytes that had arrived by then stay in the buffer, except for one
    /// where it is full and cannot grow.
    ///
    /// # Examples
    ///
    /// ```
    /// # let pool = thrifty_pool::BufferPool::new();
    /// let mut buf = pool.get(0);
    /// assert_eq!(buf.read_to_end_from(&mut &b"HELLO"[..], 1 << 20)?, 5);
    /// assert!(buf.read_to_end_from(&mut &b"HELLO"[..], 4).is_err());
    /// assert_eq!(buf, b"HELLOHELL");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_to_end_from<R: io::Read + ?Sized>(
        &mut self,
        reader: &mut R,
        limit: usize,
    ) -> io::Result<usize> {
        let start = self.len();
        loop {
            let left = limit - (self.len() - start);
            let more = match left {
                0 => probe(reader),
                // A full buffer does not grow before there is something to hold: what exactly fits
                // stays where it is.
                _ if self.len() == self.capacity() => self.read_on(reader),
                _ => self.read_at_most(reader, left).map(|count| count > 0),
            };
            match more {
                Ok(false) => return Ok(self.len() - start),
                Ok(true) if left == 0 => return Err(io::ErrorKind::FileTooLarge.into()),
                Ok(true) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads into a small place of its own, and grows if something comes. Whether it did.
    fn read_on<R: io::Read + ?Sized>(&mut self, reader: &mut R) -> io::Result<bool> {
        let mut first = [0; 1];
        let count = checked(reader.read(&mut first)?, 1)?;
        self.try_extend_from_slice(&first[..count])?;
        Ok(count > 0)
    }

    /// One call of the reader, into the room there is.
    fn read_at_most<R: io::Read + ?Sized>(
        &mut self,
        reader: &mut R,
        most: usize,
    ) -> io::Result<usize> {
        let initialised = self.shown() - self.len();
        let window = initialised.max(self.len()).max(WINDOW).min(most);
        let room = self.shown_spare(window);
        let count = checked(reader.read(room)?, room.len())?;
        self.advance_shown(count);
        Ok(count)
    }
}

/// Whether the reader has another byte, which is lost.
fn probe<R: io::Read + ?Sized>(reader: &mut R) -> io::Result<bool> {
    let mut one = [0; 1];
    Ok(checked(reader.read(&mut one)?, 1)? > 0)
}

/// What a reader claims to have read, if that can be.
fn checked(count: usize, room: usize) -> io::Result<usize> {
    if count <= room {
        return Ok(count);
    }
    Err(io::ErrorKind::InvalidData.into())
}
