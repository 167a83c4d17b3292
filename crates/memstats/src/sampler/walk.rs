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
//!   walked through before is therefore compared with what the system's unwinder finds, and one in 256 of the
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
    modules: [Option<Module<'static>>; MODULES],
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
        let first = Tagged::place(tag, RULES.ilog2());
        let places = &self.rules[first..first + Tagged::WAYS];
        // ORDERING(memstats.rule): Relaxed; one word that says all, and always the same of its place in the
        // code.
        let load = |place: &AtomicU64| Tagged(place.load(ord!(memstats.rule, Relaxed)));
        if let Some(rule) = places.iter().find_map(|place| load(place).rule(tag)) {
            return rule;
        }
        *is_new = true;
        let rule = cfi::rule(module, pc);
        // The newest first; the oldest is found again when it is needed.
        let mut next = Tagged::new(tag, rule);
        for place in places {
            // ORDERING(memstats.rule): Relaxed; as above.
            next = Tagged(place.swap(next.0, ord!(memstats.rule, Relaxed)));
        }
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

#[cfg(test)]
mod tests {
    use core::hint::black_box;

    use super::*;
    use crate::unwind::trace;

    type Frames = Vec<(usize, usize)>;

    /// Both walks from the same frame, without what is inside of it.
    #[inline(never)]
    fn both(walker: &Walker) -> (Frames, Frames, Walk) {
        let mark = 0_u8;
        let mark = core::ptr::from_ref(black_box(&mark)).addr();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let walk = walker.walk(|ip, sp| {
            if sp > mark {
                ours.push((ip, sp));
            }
            true
        });
        trace(|ip, sp| {
            if sp > mark && ip != 0 {
                theirs.push((ip, sp));
            }
            true
        });
        (ours, theirs, walk)
    }

    #[track_caller]
    fn assert_same(walker: &Walker) {
        let (ours, theirs, walk) = both(walker);
        assert_eq!(ours, theirs);
        assert!(ours.len() > 3, "{ours:?}");
        assert!(matches!(walk, Walk::Whole { .. }), "{walk:?}");
    }

    /// Its frame begins where the processor wants it to, so that its size is not known before it runs.
    #[inline(never)]
    fn aligned(depth: usize, walker: &Walker) {
        #[repr(align(256))]
        struct Wide([u8; 300]);
        let wide = Wide([u8::try_from(depth).unwrap(); 300]);
        black_box(&wide);
        if depth == 0 {
            assert_same(walker);
        } else {
            plain(depth - 1, [depth; 20], walker);
        }
        black_box(wide.0[0]);
    }

    #[inline(never)]
    fn plain(depth: usize, numbers: [usize; 20], walker: &Walker) {
        if depth % 3 == 0 {
            aligned(depth, walker);
        } else {
            plain(depth - 1, [depth; 20], walker);
        }
        black_box(numbers);
    }

    #[test]
    fn it_finds_what_the_unwinder_finds() {
        let walker = Walker::new().expect("a program of this system has tables");
        assert_same(&walker);
        for depth in 0..20 {
            plain(depth, [0; 20], &walker);
        }
        let shared = &walker;
        std::thread::scope(|scope| {
            scope.spawn(move || plain(5, [1; 20], shared));
        });
    }

    #[test]
    fn what_is_known_is_not_new() {
        let walker = Walker::new().expect("a program of this system has tables");
        #[inline(never)]
        fn visit(walker: &Walker, frames: usize) -> (Walk, usize) {
            let mut visited = 0;
            let walk = walker.walk(|_, _| {
                visited += 1;
                visited < frames
            });
            (walk, visited)
        }
        // One place in the code, as often as the compiler does not know.
        let mut seen = Vec::new();
        for frames in black_box(&[1000, 1000, 1000, 2][..]) {
            seen.push(visit(&walker, *frames));
        }
        let is_new = |is_new| Walk::Whole { is_new };
        let walks = seen.iter().map(|(walk, _)| *walk);
        assert_eq!(
            walks.collect::<Vec<_>>(),
            [true, false, false, false].map(is_new)
        );
        assert_eq!(seen[3].1, 2);
    }

    /// A function of C that calls back keeps no frame pointer.
    #[test]
    fn it_passes_through_the_c_library() {
        use core::ffi::{c_int, c_void};

        thread_local! {
            static WALKER: Walker = Walker::new().expect("a program of this system has tables");
        }
        unsafe extern "C" fn compare(_: *const c_void, _: *const c_void) -> c_int {
            WALKER.with(assert_same);
            0
        }
        let mut numbers = [2_u32, 1];
        // SAFETY: sorts two numbers of four bytes by a function that looks at neither.
        unsafe {
            libc::qsort(numbers.as_mut_ptr().cast(), 2, 4, Some(compare));
        }
    }

    #[test]
    fn frames_that_cannot_be_are_refused() {
        assert!(is_frame(64, 72));
        for (sp, end) in [
            (64, 64),
            (64, 56),
            (64, 76),
            (60, 72),
            (64, 64 + LONGEST_FRAME + 8),
        ] {
            assert!(!is_frame(sp, end));
        }
    }
}
