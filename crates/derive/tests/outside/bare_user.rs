#![no_std]

use thrifty_traits::Reset;

#[derive(Reset)]
pub struct Registers {
    pub general: [u32; 16],
    pub flags: Flags,
}

#[derive(Reset)]
pub enum Flags {
    #[reset(default)]
    Clear,
    Set(u8),
}

#[unsafe(no_mangle)]
pub extern "C" fn reset_registers(registers: &mut Registers) {
    registers.reset();
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
