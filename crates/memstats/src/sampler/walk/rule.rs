//! How to get from a frame to its caller's, in one word with the place in the code.
#![forbid(unsafe_code)]

const WORD: usize = 8;
const OFFSET_BITS: u32 = 15;
const SAVED_BITS: u32 = 14;
/// The largest frame that a rule can express.
pub(super) const LARGEST_OFFSET: usize = ((1 << OFFSET_BITS) - 1) * WORD;
const LARGEST_SAVED: usize = ((1 << SAVED_BITS) - 1) * WORD;

/// How to get from a frame to its caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// There is no caller.
    Outermost,
    /// The system's unwinder must see to it.
    Unknown,
    /// There is one behind a frame of this size.
    Frame(Size),
}

/// A frame ends `offset` above the stack pointer, or the frame pointer; the return address is its last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) from_bp: bool,
    pub(super) offset: usize,
    /// How far below the end the caller's frame pointer is; 0 when it is still in its register.
    pub(super) saved_bp: usize,
}

/// A rule and what it is of: 32 bits each. Zero is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tagged(pub(super) u64);

impl Rule {
    /// A frame, if it can be expressed.
    pub(super) fn frame(from_bp: bool, offset: i64, saved_bp: i64) -> Option<Self> {
        let words = |bytes: i64, largest: usize| {
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| bytes % WORD == 0 && *bytes <= largest)
        };
        Some(Self::Frame(Size {
            from_bp,
            offset: words(offset, LARGEST_OFFSET)?,
            saved_bp: words(saved_bp, LARGEST_SAVED)?,
        }))
    }

    fn bits(self) -> u32 {
        match self {
            Self::Outermost => 1,
            Self::Unknown => 2,
            #[expect(clippy::cast_possible_truncation, reason = "checked when it was made")]
            Self::Frame(Size {
                from_bp,
                offset,
                saved_bp,
            }) => {
                let (offset, saved) = ((offset / WORD) as u32, (saved_bp / WORD) as u32);
                3 | u32::from(from_bp) << 2 | offset << 3 | saved << (3 + OFFSET_BITS)
            }
        }
    }

    const fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            1 => Self::Outermost,
            3 => Self::Frame(Size {
                from_bp: bits & 4 != 0,
                offset: (bits >> 3 & ((1 << OFFSET_BITS) - 1)) as usize * WORD,
                saved_bp: (bits >> (3 + OFFSET_BITS)) as usize * WORD,
            }),
            _ => Self::Unknown,
        }
    }
}

impl Tagged {
    /// Places where a tag's rule may be.
    pub(super) const WAYS: usize = 4;

    pub(super) fn new(tag: u32, rule: Rule) -> Self {
        Self(u64::from(tag) << 32 | u64::from(rule.bits()))
    }

    /// The rule, if it is of this place in the code.
    pub(super) fn rule(self, tag: u32) -> Option<Rule> {
        #[expect(clippy::cast_possible_truncation, reason = "each half in turn")]
        let (of, bits) = ((self.0 >> 32) as u32, self.0 as u32);
        (of == tag && bits != 0).then(|| Rule::from_bits(bits))
    }

    /// Where the places for a tag's rule begin, among 2^`bits`: a number of so many times [`WAYS`](Self::WAYS).
    pub(super) const fn place(tag: u32, bits: u32) -> usize {
        (tag.wrapping_mul(0x9E37_79B9) >> (32 - bits)) as usize & !(Self::WAYS - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_comes_out_as_it_went_in() {
        let mut rules = vec![Rule::Outermost, Rule::Unknown];
        for from_bp in [false, true] {
            for offset in [8, 16, 4096, LARGEST_OFFSET as i64] {
                for saved in [0, 16, LARGEST_SAVED as i64] {
                    rules.push(Rule::frame(from_bp, offset, saved).unwrap());
                }
            }
        }
        for rule in rules {
            for tag in [0, 1, u32::MAX] {
                assert_eq!(Tagged::new(tag, rule).rule(tag), Some(rule));
                assert_eq!(Tagged::new(tag, rule).rule(tag ^ 1), None);
            }
        }
        assert_eq!(Tagged(0).rule(0), None);
    }

    #[test]
    fn tags_are_spread() {
        let mut sets = vec![0; 1 << 11];
        for tag in (0..1000).map(|nth| nth * 117 + 4096) {
            let place = Tagged::place(tag, 13);
            assert!(place % Tagged::WAYS == 0 && place < 1 << 13);
            sets[place / Tagged::WAYS] += 1;
        }
        let crowded = sets.iter().filter(|count| **count > Tagged::WAYS).count();
        assert!(crowded < 5, "{crowded}");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (offset, saved) in [
            (-8, 0),
            (12, 0),
            (8, 4),
            (8, -8),
            (LARGEST_OFFSET as i64 + 8, 0),
            (8, LARGEST_SAVED as i64 + 8),
            (i64::MAX, i64::MIN),
        ] {
            assert_eq!(Rule::frame(false, offset, saved), None);
        }
    }
}
