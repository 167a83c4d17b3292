//! Other types of `std`.

use std::ffi::OsString;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, TryLockError};

use super::Reset;

impl Reset for OsString {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.capacity()
    }
}

impl Reset for PathBuf {
    #[inline]
    fn reset(&mut self) {
        self.clear();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.capacity()
    }
}

/// Goes back to position 0 and resets the value inside.
impl<T: Reset> Reset for Cursor<T> {
    #[inline]
    fn reset(&mut self) {
        self.set_position(0);
        self.get_mut().reset();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        self.get_ref().retained_bytes()
    }
}

/// Resets the value inside, then clears the poison, because nothing half-updated is left.
///
/// No lock is taken to reset. A guard that was leaked (`mem::forget`) therefore outlives it: the
/// value is as new, and the mutex still locked. `retained_bytes` answers 0 while it is.
impl<T: Reset + ?Sized> Reset for Mutex<T> {
    #[inline]
    fn reset(&mut self) {
        self.get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .reset();
        self.clear_poison();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        match self.try_lock() {
            Ok(value) => value.retained_bytes(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().retained_bytes(),
            Err(TryLockError::WouldBlock) => 0,
        }
    }
}

/// Resets the value inside, then clears the poison, because nothing half-updated is left.
///
/// No lock is taken to reset. A guard that was leaked (`mem::forget`) therefore outlives it: the
/// value is as new, and the lock still held. `retained_bytes` answers 0 while it is held for
/// writing.
impl<T: Reset + ?Sized> Reset for RwLock<T> {
    #[inline]
    fn reset(&mut self) {
        self.get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .reset();
        self.clear_poison();
    }

    #[inline]
    fn retained_bytes(&self) -> usize {
        match self.try_read() {
            Ok(value) => value.retained_bytes(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().retained_bytes(),
            Err(TryLockError::WouldBlock) => 0,
        }
    }
}

/// Empties the cell; the next user initialises it anew.
impl<T> Reset for OnceLock<T> {
    #[inline]
    fn reset(&mut self) {
        drop(self.take());
    }
}
