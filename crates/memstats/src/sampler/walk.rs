//! A walk up the calling thread's stack by the program's own unwind tables.
//!
//! ```text
//! lower addresses                                                      higher addresses
//! │ this frame      │ its caller's                 │ ...
//! sp ───────────────┤ cfa = sp or bp + offset ─────┤ cfa = ...
//!               return address at cfa - 8      return address at cfa - 8
//! ```
//!
//! The system's unwinder looks a table up and interprets a program of it for each frame of each stack,
//! which is 3000 instructions a frame. What comes out for a place in the code never changes while
//! the code stays: it is one small [`Rule`](rule::Rule), kept here from then on.
//!
//! # What is proved, and what is not
//!
//! - **No function is taken on trust to keep a frame pointer.** Where the compiler's table says that it
//!   does, the frame pointer is used; where it says how far the stack pointer is from the frame's
//!   end, that is.
//! - **A rule is never stale**: it is of the program itself, of the file that this code is in or of the C library,
//!   none of which can be unloaded. A stack with a frame of any other file, of a signal, of code
//!   without a table or with one that rules cannot express goes to the system's unwinder.
//! - **What is read lies on the stack**: in the frame of a caller that has not returned, as its table says. The
//!   system's unwinder reads the same words for the same reason. Each frame must also end above the one before, and
//!   not far above.
//! - **A walk counts when it came to the outermost frame**, which the tables mark, or found as many frames
//!   as are kept. Otherwise the stack is taken by the system's unwinder from the start.
//! - Not proved: that the tables are right, and read rightly. Each stack through a place in the code that was not
//!   walked through before is therefore compared with what the system's unwinder finds, and one in 64 of the
//!   others; after the first difference the unwinder does all the work (`capture`).

mod cfi;
mod machine;
mod modules;
mod rule;

use thrifty_sync::{atomic::AtomicU64, ord};

use self::{
    machine::{Registers, registers, word_at},
    modules::Module,
    rule::{Rule, Tagged},
};
use super::block::Block;

/// Places for rules: 64 KiB, resident as far as they are used.
const RULES: usize = 8192;
/// Files that are walked through.
const MODULES: usize = 3;
/// The most bytes of a frame: those of the largest offset that a rule can hold.
const LONGEST_FRAME: usize = rule::LARGEST_OFFSET;

/// All that a walk needs.
#[derive(Debug)]
pub(super) struct Walker {
    modules: [Option<Module>; MODULES],
    rules: Block<AtomicU64>,
}

impl Walker {
    /// Looks for the tables; `None` where there are none, or no memory. Not for hooks: it takes the loader's lock.
    pub(super) fn new() -> Option<Self> {
        let modules = modules::permanent();
        modules[0].as_ref()?;
        Some(Self {
            modules,
            rules: Block::new(RULES)?,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.rules.bytes()
    }

    /// Calls `visit` with the instruction pointer and the stack pointer of each frame, innermost first, until it
    /// returns false.
    pub(super) fn walk(&self, mut visit: impl FnMut(usize, usize) -> bool) -> Walk {
        let Registers {
            mut ip,
            mut sp,
            mut bp,
        } = registers();
        // The innermost frame is at its instruction, the others are behind their calls.
        let mut pc = ip;
        let mut is_new = false;
        while ip != 0 && visit(ip, sp) {
            let (from_bp, offset, saved_bp) = match self.rule(pc, &mut is_new) {
                Rule::Outermost => break,
                Rule::Unknown => return Walk::Short,
                Rule::Frame {
                    from_bp,
                    offset,
                    saved_bp,
                } => (from_bp, offset, saved_bp),
            };
            let end = (if from_bp { bp } else { sp }).wrapping_add(offset);
            let saved_at = end.wrapping_sub(saved_bp);
            if !is_frame(sp, end) || saved_at < sp {
                return Walk::Short;
            }
            if saved_bp != 0 {
                // SAFETY: aligned, since `end` and the rule's offsets are; readable: between `sp` and `end`,
                // which by the table of its function is the frame of a call that goes on.
                bp = unsafe { word_at(saved_at) };
            }
            // SAFETY: the last word of the same frame, which is not empty.
            ip = unsafe { word_at(end.wrapping_sub(size_of::<usize>())) };
            sp = end;
            pc = ip.wrapping_sub(1);
        }
        Walk::Whole { is_new }
    }

    fn rule(&self, pc: usize, is_new: &mut bool) -> Rule {
        let mut modules = self.modules.iter().flatten().enumerate();
        let Some((number, module)) = modules.find(|(_, module)| module.holds(pc)) else {
            return Rule::Unknown;
        };
        let tag = module.tag(number, pc);
        let place = Tagged::place(tag, RULES);
        let places = [&self.rules[place], &self.rules[place ^ 1]];
        // ORDERING(memstats.rule): Relaxed; one word that says all, and always the same of its place in the
        // code.
        let kept = places.map(|place| Tagged(place.load(ord!(memstats.rule, Relaxed))));
        if let Some(rule) = kept.iter().find_map(|kept| kept.rule(tag)) {
            return rule;
        }
        *is_new = true;
        let rule = cfi::rule(module, pc);
        // ORDERING(memstats.rule): Relaxed; as above. What is lost is found again.
        places[1].store(kept[0].0, ord!(memstats.rule, Relaxed));
        places[0].store(Tagged::new(tag, rule).0, ord!(memstats.rule, Relaxed));
        rule
    }
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// At the outermost frame, or at a frame that was not to be passed. It is new when it led through a place in
    /// the code for the first time, or for the first time since that was forgotten.
    Whole { is_new: bool },
    /// Before: at a frame that is the system's unwinder's business.
    Short,
}

/// Whether a frame may lie between two addresses.
const fn is_frame(sp: usize, end: usize) -> bool {
    let word = size_of::<usize>();
    end > sp && end - sp >= word && end - sp <= LONGEST_FRAME && end % word == 0 && sp % word == 0
}
