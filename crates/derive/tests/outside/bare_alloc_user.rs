#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

use thrifty_traits::Reset;

#[derive(Reset)]
pub struct Samples {
    pub values: Vec<f32>,
}

#[unsafe(no_mangle)]
pub extern "C" fn reset_samples(samples: &mut Samples) -> usize {
    samples.reset();
    samples.retained_bytes()
}

struct NoMemory;

unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NO_MEMORY: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
