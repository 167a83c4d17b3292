//! Reads the unwind tables of a file: DWARF's call frame information, as `.eh_frame` has it.
//!
//! ```text
//! .eh_frame_hdr   sorted: where a function begins ─► its entry
//! .eh_frame       entry (FDE): the function's range, a program ─► common part (CIE): a program, encodings
//! ```
//!
//! The programs, that of the common part and that of the function, say from place to place in the code how far
//! away the end of the frame is, and where the caller's registers are. Of those, only the return
//! address and the frame pointer matter here. What compilers do not write for the code of this processor is not
//! understood, and the rule then [unknown](Rule::Unknown). Nothing in here panics.
#![forbid(unsafe_code)]

use super::{modules::Module, rule::Rule};

/// Numbers of registers: the frame pointer, the stack pointer, the return address.
const BP: u64 = 6;
const SP: u64 = 7;
const RA: u64 = 16;

/// Encodings of pointers: four bytes, signed, from where they stand, or from the head's start.
const RELATIVE: u8 = 0x1B;
const HEAD_RELATIVE: u8 = 0x3B;
const UNSIGNED: u8 = 0x03;
const OMITTED: u8 = 0xFF;
const INDIRECT: u8 = 0x80;

/// Bytes in front of the table's entries, and of each entry.
const HEAD: usize = 12;
const ENTRY: usize = 8;
/// How many states a program may remember at once.
const REMEMBERED: usize = 4;

/// Whether a file's table of tables is of the form that is understood.
pub(super) fn is_usable(module: &Module<'_>) -> bool {
    let head = module.image().get(module.header..).unwrap_or_default();
    head.starts_with(&[1, RELATIVE, UNSIGNED, HEAD_RELATIVE]) && entries(module).is_some()
}

/// How to get from the frame of a function that is at `pc` to its caller's.
pub(super) fn rule(module: &Module<'_>, pc: usize) -> Rule {
    find(module, pc)
        .and_then(|function| function.rule(pc))
        .unwrap_or(Rule::Unknown)
}

fn entries<'a>(module: &Module<'a>) -> Option<&'a [u8]> {
    let mut head = Reader::new(module.image(), module.header.checked_add(8)?);
    let count = usize::try_from(head.u32()?).ok()?;
    let start = module.header.checked_add(HEAD)?;
    let end = start.checked_add(count.checked_mul(ENTRY)?)?;
    module.image().get(start..end)
}

/// The entry of the function that `pc` lies in.
fn find<'a>(module: &Module<'a>, pc: usize) -> Option<Function<'a>> {
    let entries = entries(module)?;
    let origin = module.address(module.header);
    let begins = |nth: usize, field: usize| -> Option<usize> {
        let offset = Reader::new(entries, nth.checked_mul(ENTRY)?.checked_add(field)?).i32()?;
        Some(origin.wrapping_add_signed(offset as isize))
    };
    // The last function that begins at `pc` or before.
    let (mut low, mut high) = (0, entries.len() / ENTRY);
    while low < high {
        let middle = usize::midpoint(low, high);
        if begins(middle, 0)? <= pc {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let at = begins(low.checked_sub(1)?, 4)?;
    let function = Function::parse(module, module.place(at)?)?;
    (function.start <= pc && pc < function.end).then_some(function)
}

/// A function's entry with its common part.
struct Function<'a> {
    start: usize,
    end: usize,
    code_factor: u64,
    data_factor: i64,
    common: Reader<'a>,
    own: Reader<'a>,
}

impl<'a> Function<'a> {
    fn parse(module: &Module<'a>, at: usize) -> Option<Self> {
        let mut entry = Reader::part(module.image(), at)?;
        let field = entry.at;
        let distance = usize::try_from(entry.u32()?).ok()?;
        // Zero stands for a common part.
        let common = field.checked_sub(distance).filter(|_| distance != 0)?;
        let common = Common::parse(module, common)?;
        let start = module
            .address(entry.at)
            .wrapping_add_signed(entry.i32()? as isize);
        let end = start.checked_add(usize::try_from(entry.u32()?).ok()?)?;
        let extra = entry.uleb()?;
        entry.skip(extra)?;
        Some(Self {
            start,
            end,
            code_factor: common.code_factor,
            data_factor: common.data_factor,
            common: common.program,
            own: entry,
        })
    }

    fn rule(self, pc: usize) -> Option<Rule> {
        let mut run = Run {
            function_start: self.start,
            pc,
            code_factor: self.code_factor,
            data_factor: self.data_factor,
            row: Row::default(),
            initial: Row::default(),
            remembered: [Row::default(); REMEMBERED],
            depth: 0,
        };
        run.all(self.common)?;
        run.initial = run.row;
        run.all(self.own)?;
        run.row.rule()
    }
}

/// What functions have in common.
struct Common<'a> {
    code_factor: u64,
    data_factor: i64,
    program: Reader<'a>,
}

impl<'a> Common<'a> {
    fn parse(module: &Module<'a>, at: usize) -> Option<Self> {
        let mut part = Reader::part(module.image(), at)?;
        if part.u32()? != 0 {
            return None;
        }
        let version = part.u8()?;
        let mut letters = [0; 8];
        let mut len = 0;
        loop {
            match part.u8()? {
                0 => break,
                letter => *letters.get_mut(len)? = letter,
            }
            len += 1;
        }
        let letters = letters.get(..len)?.strip_prefix(b"z")?;
        let (code_factor, data_factor) = (part.uleb()?, part.sleb()?);
        let return_address = match version {
            1 => u64::from(part.u8()?),
            3 => part.uleb()?,
            _ => return None,
        };
        let extra = part.uleb()?;
        let mut program = part;
        program.skip(extra)?;
        let mut pointers = 0;
        for letter in letters {
            match letter {
                b'R' => pointers = part.u8()?,
                b'L' => drop(part.u8()?),
                b'P' => {
                    let encoding = part.u8()?;
                    part.skip(width(encoding)?)?;
                }
                // `S` is the frame of a signal, which is interrupted and has called nobody.
                _ => return None,
            }
        }
        (return_address == RA && pointers == RELATIVE).then_some(Self {
            code_factor,
            data_factor,
            program,
        })
    }
}

/// The bytes of an encoded pointer.
const fn width(encoding: u8) -> Option<u64> {
    if encoding == OMITTED {
        return Some(0);
    }
    match encoding & !INDIRECT & 0x0F {
        0x00 | 0x04 | 0x0C => Some(8),
        0x02 | 0x0A => Some(2),
        0x03 | 0x0B => Some(4),
        _ => None,
    }
}

/// Where a caller's register is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Saved {
    /// Where it was.
    #[default]
    Same,
    /// So far from the end of the frame.
    At(i64),
    /// Nowhere.
    Lost,
    /// Somewhere that rules cannot express.
    Elsewhere,
}

/// What holds at one place in the code.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    /// The register and the offset that the end of the frame is at; `None` for an expression.
    end: Option<(u64, i64)>,
    bp: Saved,
    ra: Saved,
}

impl Row {
    fn rule(self) -> Option<Rule> {
        if self.ra == Saved::Lost {
            return Some(Rule::Outermost);
        }
        let (register, offset) = self.end?;
        let from_bp = match register {
            BP => true,
            SP => false,
            _ => return None,
        };
        let saved_bp = match self.bp {
            Saved::Same => 0,
            Saved::At(offset) => offset.checked_neg().filter(|below| *below > 0)?,
            Saved::Lost | Saved::Elsewhere => return None,
        };
        if self.ra != Saved::At(-8) {
            return None;
        }
        Rule::frame(from_bp, offset, saved_bp)
    }

    /// The register that matters under a number, if it does.
    fn register(&mut self, number: u64) -> Option<&mut Saved> {
        match number {
            BP => Some(&mut self.bp),
            RA => Some(&mut self.ra),
            _ => None,
        }
    }
}

/// A program as it runs, up to the place in the code that is asked for.
struct Run {
    function_start: usize,
    pc: usize,
    code_factor: u64,
    data_factor: i64,
    row: Row,
    initial: Row,
    remembered: [Row; REMEMBERED],
    depth: usize,
}

impl Run {
    /// Runs one of the two programs; `None` for what is not understood.
    fn all(&mut self, mut program: Reader<'_>) -> Option<()> {
        let mut place = self.function_start;
        while !program.is_at_end() {
            let operation = program.u8()?;
            let low = u64::from(operation & 0x3F);
            let advance = match operation >> 6 {
                1 => Some(low),
                2 => {
                    let offset = program.uleb()?;
                    self.save(low, self.scaled_up(offset)?);
                    None
                }
                3 => {
                    self.restore(low);
                    None
                }
                _ => self.extended(operation, &mut program)?,
            };
            if let Some(advance) = advance {
                let bytes = usize::try_from(advance.checked_mul(self.code_factor)?).ok()?;
                place = place.checked_add(bytes)?;
                if place > self.pc {
                    break;
                }
            }
        }
        Some(())
    }

    /// An operation with a byte of its own; how far it advances in the code, if it does.
    fn extended(&mut self, operation: u8, program: &mut Reader<'_>) -> Option<Option<u64>> {
        match operation {
            0x00 => {}
            0x02 => return Some(Some(program.u8()?.into())),
            0x03 => return Some(Some(program.u16()?.into())),
            0x04 => return Some(Some(program.u32()?.into())),
            0x05 => {
                let (register, offset) = (program.uleb()?, program.uleb()?);
                self.save(register, self.scaled_up(offset)?);
            }
            0x06 => {
                let register = program.uleb()?;
                self.restore(register);
            }
            0x07 => self.set(program.uleb()?, Saved::Lost),
            0x08 => self.set(program.uleb()?, Saved::Same),
            // In another register, or at an offset that is the value itself.
            0x09 | 0x14 => {
                self.set(program.uleb()?, Saved::Elsewhere);
                program.uleb()?;
            }
            0x15 => {
                self.set(program.uleb()?, Saved::Elsewhere);
                program.sleb()?;
            }
            0x0A => {
                *self.remembered.get_mut(self.depth)? = self.row;
                self.depth += 1;
            }
            0x0B => {
                self.depth = self.depth.checked_sub(1)?;
                self.row = *self.remembered.get(self.depth)?;
            }
            0x0C => {
                let (register, offset) = (program.uleb()?, program.uleb()?);
                self.row.end = Some((register, i64::try_from(offset).ok()?));
            }
            0x0D => self.row.end = Some((program.uleb()?, self.row.end?.1)),
            0x0E => {
                let offset = i64::try_from(program.uleb()?).ok()?;
                self.row.end = Some((self.row.end?.0, offset));
            }
            0x0F => {
                let bytes = program.uleb()?;
                program.skip(bytes)?;
                self.row.end = None;
            }
            // By an expression.
            0x10 | 0x16 => {
                self.set(program.uleb()?, Saved::Elsewhere);
                let bytes = program.uleb()?;
                program.skip(bytes)?;
            }
            0x11 => {
                let (register, offset) = (program.uleb()?, program.sleb()?);
                self.save(register, offset.checked_mul(self.data_factor)?);
            }
            0x12 => {
                let (register, offset) = (program.uleb()?, program.sleb()?);
                self.row.end = Some((register, offset.checked_mul(self.data_factor)?));
            }
            0x13 => {
                let offset = program.sleb()?.checked_mul(self.data_factor)?;
                self.row.end = Some((self.row.end?.0, offset));
            }
            // The size of the arguments, which is of interest to landing pads only.
            0x2E => drop(program.uleb()?),
            _ => return None,
        }
        Some(None)
    }

    fn scaled_up(&self, offset: u64) -> Option<i64> {
        i64::try_from(offset).ok()?.checked_mul(self.data_factor)
    }

    fn save(&mut self, register: u64, offset: i64) {
        self.set(register, Saved::At(offset));
    }

    fn restore(&mut self, register: u64) {
        if let Some(initial) = self.initial.register(register).map(|saved| *saved) {
            self.set(register, initial);
        }
    }

    fn set(&mut self, register: u64, to: Saved) {
        if let Some(saved) = self.row.register(register) {
            *saved = to;
        }
    }
}

/// Reads numbers from bytes.
#[derive(Debug, Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// What follows the length that stands at a place; places stay those of the whole.
    fn part(bytes: &'a [u8], at: usize) -> Option<Self> {
        let mut whole = Self::new(bytes, at);
        let len = usize::try_from(whole.u32()?).ok()?;
        let end = whole.at.checked_add(len)?;
        // All ones would announce a longer length, and lies outside of the image.
        Some(Self::new(bytes.get(..end)?, whole.at))
    }

    const fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at += N;
        Some(*taken)
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        let at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (at <= self.bytes.len()).then(|| self.at = at)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_le_bytes)
    }

    /// A number of groups of seven bits, up to nine of them.
    fn uleb(&mut self) -> Option<u64> {
        let mut number = 0;
        for group in 0..9 {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7F) << (7 * group);
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The same with a sign, which is the last group's first bit.
    fn sleb(&mut self) -> Option<i64> {
        let start = self.at;
        let number = self.uleb()? as i64;
        let unused = 64 - 7 * u32::try_from(self.at - start).ok()?;
        Some(number << unused >> unused)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::modules, *};
    use crate::sampler::weight::Random;

    fn own() -> Module<'static> {
        let found = modules::permanent();
        found[0]
            .clone()
            .expect("a program of this system has tables")
    }

    /// Where some functions of this program begin, and the middle of their calls.
    fn places(module: &Module<'_>) -> Vec<usize> {
        let count = entries(module).unwrap().len() / ENTRY;
        let origin = module.address(module.header);
        (0..count)
            .step_by(count.div_ceil(3000))
            .map(|nth| {
                let mut entry = Reader::new(entries(module).unwrap(), nth * ENTRY);
                origin.wrapping_add_signed(entry.i32().unwrap() as isize)
            })
            .collect()
    }

    #[test]
    fn a_function_begins_with_its_return_address() {
        let module = own();
        let at_begin = Rule::frame(false, 8, 0).unwrap();
        let rules: Vec<_> = places(&module)
            .into_iter()
            .map(|place| rule(&module, place))
            .collect();
        let usual = rules.iter().filter(|rule| **rule == at_begin).count();
        // The others are stubs of the linker, and the program's first function.
        assert!(usual * 100 > rules.len() * 95, "{usual} of {}", rules.len());
    }

    #[test]
    fn what_is_no_code_has_no_rule() {
        let module = own();
        for pc in [0, 1, usize::MAX, module.address(0)] {
            assert_eq!(rule(&module, pc), Rule::Unknown);
        }
    }

    #[test]
    fn damaged_tables_are_no_disaster() {
        let module = own();
        let places = places(&module);
        let mut random = Random::new(7);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number"
        )]
        let mut pick = |below: usize| (random.unit() * (below - 1) as f64) as usize;
        // What lies in front of the tables is guarded where AddressSanitizer watches.
        let mut image = module.image()[module.header..].to_vec();
        for _ in 0..3000 {
            let place = places[pick(places.len())] + pick(40);
            let at = match pick(3) {
                0 => pick(image.len()),
                1 => pick(40),
                _ => HEAD + pick(entries(&module).unwrap().len()),
            };
            let near = find(&module, place).map_or(at, |function| function.own.at - module.header);
            for at in [at, near + pick(8), near.saturating_sub(pick(30))] {
                let before = image[at];
                image[at] = u8::try_from(pick(256)).unwrap();
                let damaged = module.with_tables(&image);
                let moved = place
                    .wrapping_sub(module.address(module.header))
                    .wrapping_add(damaged.address(0));
                let _ = (is_usable(&damaged), rule(&damaged, moved));
                image[at] = before;
            }
        }
        assert!(is_usable(&module.with_tables(&image)));
        assert!(!is_usable(&module.with_tables(&image[..20])));
    }

    #[test]
    fn numbers_of_groups() {
        let number = |bytes: &[u8]| Reader::new(bytes, 0).uleb();
        let signed = |bytes: &[u8]| Reader::new(bytes, 0).sleb();
        assert_eq!(number(&[0xE5, 0x8E, 0x26]), Some(624_485));
        assert_eq!(signed(&[0xC0, 0xBB, 0x78]), Some(-123_456));
        assert_eq!(signed(&[0x78]), Some(-8));
        assert_eq!(number(&[0x80]), None, "cut off");
        assert_eq!(number(&[0xFF; 12]), None, "too long");
    }
}
