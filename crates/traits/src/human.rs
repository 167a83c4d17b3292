//! Byte counts for people.

use core::fmt;

/// Displays a byte count in binary units, with one rounded decimal from KiB on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HumanBytes(pub(crate) usize);

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl fmt::Display for HumanBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0;
        if bytes < 1024 {
            return write!(f, "{bytes} B");
        }
        // Rounding may carry into the next unit: 1023.99 KiB is 1.0 MiB.
        let mut tenths = 0;
        for (unit, shift) in UNITS.iter().zip((10..).step_by(10)) {
            tenths = rounded_tenths(bytes, shift);
            if tenths < 10 * 1024 {
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        // A `usize` of more than 64 bits ends here.
        write!(
            f,
            "{}.{} {}",
            tenths / 10,
            tenths % 10,
            UNITS[UNITS.len() - 1]
        )
    }
}

/// `bytes / 2^shift` in tenths, rounded half up.
fn rounded_tenths(bytes: usize, shift: u32) -> u128 {
    ((bytes as u128).saturating_mul(10) + (1 << (shift - 1))) >> shift
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::HumanBytes;

    fn shown(bytes: usize) -> String {
        HumanBytes(bytes).to_string()
    }

    #[test]
    fn boundaries_between_units() {
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(1023), "1023 B");
        assert_eq!(shown(1024), "1.0 KiB");
        assert_eq!(shown(1536), "1.5 KiB");
        assert_eq!(shown((1 << 20) - 1), "1.0 MiB");
        assert_eq!(shown(1023 * 1024), "1023.0 KiB");
        assert_eq!(shown(1 << 20), "1.0 MiB");
    }

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_largest_count_is_shown() {
        assert_eq!(shown(1 << 40), "1.0 TiB");
        assert_eq!(shown(usize::MAX), "16.0 EiB");
    }

    proptest! {
        /// The text, read back, is the number within the half tenth that rounding may cost.
        #[test]
        fn text_is_within_rounding(bytes: usize) {
            let text = shown(bytes);
            let (number, unit) = text.split_once(' ').unwrap();
            let power = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
                .iter()
                .position(|known| *known == unit)
                .unwrap();
            let unit_bytes = 1024_f64.powi(i32::try_from(power).unwrap());
            let read_back = number.parse::<f64>().unwrap();
            let exact = bytes as f64 / unit_bytes;
            prop_assert!((read_back - exact).abs() <= 0.05 + 1e-9, "{bytes} is {text}");
            prop_assert!(read_back < 1024.0);
        }
    }
}
