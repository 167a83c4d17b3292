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
//! - Not proved: that a stack that the program made itself, a coroutine's, ends as it should, with a return address of 0
//!   or a table that marks the end. One that does not leads both unwinders into what stands above it: the system's, which
//!   takes the first such stack, is the one that crashes. `README.md` says so.
//! - **A walk counts when it came to the outermost frame**, which the tables mark, or found as many frames
//!   as are kept. Otherwise the stack is taken by the system's unwinder from the start.
//! - **A rule is followed only after it agreed with the system's unwinder**, once, at its place in the code: a walk
//!   that comes to a new place reads nothing and gives up. The system's unwinder takes that stack, and each
//!   new rule must lead from one of the frames that it finds exactly to the next, before a word is read by it
//!   ([`learn`](Walker::learn)). After the first difference the unwinder does all the work, as it does after one in
//!   the stacks of which one in 256 is compared (`capture`).

mod cfi;
mod machine;
mod modules;
mod rule;

use thrifty_sync::{atomic::AtomicU64, ord};

use self::{
    machine::word_at,
    modules::Module,
    rule::{Rule, Size, Tagged},
};
use super::block::Block;
use crate::unwind::trace;

pub(super) use self::machine::{Registers, registers};

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
    /// returns false. The first frame is the caller's, whose [`registers`] these are.
    pub(super) fn walk(
        &self,
        registers: Registers,
        mut visit: impl FnMut(usize, usize) -> bool,
    ) -> Walk {
        let mut frame = At::first(registers);
        let mut ip = registers.ip;
        while ip != 0 && visit(ip, frame.sp) {
            let Some(tag) = self.tag(frame.pc) else {
                return Walk::Short;
            };
            let end = match self.known(tag) {
                None => return Walk::New,
                Some(Rule::Outermost) => break,
                Some(Rule::Unknown) => return Walk::Short,
                Some(Rule::Frame(size)) => frame.end(size).map(|end| (size, end)),
            };
            let Some((size, end)) = end else {
                return Walk::Short;
            };
            // SAFETY: the rule is one that agreed with the system's unwinder at this place: what it says is the frame
            // of a call that goes on.
            ip = unsafe { frame.leave(size, end) };
        }
        Walk::Whole
    }

    /// The same by the system's unwinder, which begins further inside and may end with a frame that is none. What
    /// it finds confirms new rules on the way, from the frame of these registers outwards; false when one is wrong.
    pub(super) fn learn(
        &self,
        registers: Registers,
        mut visit: impl FnMut(usize, usize) -> bool,
    ) -> bool {
        let mut lesson = Lesson {
            walker: self,
            frame: At::first(registers),
            state: State::Inside,
        };
        let mut is_cut_off = false;
        trace(|ip, sp| {
            lesson.next(ip, sp);
            is_cut_off = !visit(ip, sp);
            !is_cut_off
        });
        if !is_cut_off {
            lesson.ends();
        }
        lesson.state != State::Wrong
    }

    /// What stands for a place in the code, if it is of a file whose tables are read.
    fn tag(&self, pc: usize) -> Option<Tag> {
        let mut modules = self.modules.iter().flatten().enumerate();
        let (number, module) = modules.find(|(_, module)| module.holds(pc))?;
        Some(Tag(module.tag(number, pc)))
    }

    /// The rule that was learned of a place.
    fn known(&self, tag: Tag) -> Option<Rule> {
        self.places(tag).iter().find_map(|place| {
            // ORDERING(memstats.rule): Relaxed; one word that says all, and always the same of its place in the
            // code.
            Tagged(place.load(ord!(memstats.rule, Relaxed))).rule(tag.0)
        })
    }

    /// Keeps a rule.
    fn keep(&self, tag: Tag, rule: Rule) {
        // The newest first; the oldest is learned again when it is needed.
        let mut next = Tagged::new(tag.0, rule);
        for place in self.places(tag) {
            // ORDERING(memstats.rule): Relaxed; as above.
            next = Tagged(place.swap(next.0, ord!(memstats.rule, Relaxed)));
        }
    }

    fn places(&self, tag: Tag) -> &[AtomicU64] {
        let first = Tagged::place(tag.0, RULES.ilog2());
        &self.rules[first..first + Tagged::WAYS]
    }

    /// What the tables say of a place, and whether that is new.
    fn read(&self, pc: usize) -> Option<(Tag, Rule, bool)> {
        let tag = self.tag(pc)?;
        if let Some(rule) = self.known(tag) {
            return Some((tag, rule, false));
        }
        let module = self
            .modules
            .iter()
            .flatten()
            .find(|module| module.holds(pc))?;
        Some((tag, cfi::rule(module, pc), true))
    }
}

/// A place in the code of one of the files.
#[derive(Debug, Clone, Copy)]
struct Tag(u32);

/// A frame as a walk finds it.
#[derive(Debug, Clone, Copy)]
struct At {
    /// An instruction of the code that the frame's call is made by.
    pc: usize,
    sp: usize,
    bp: usize,
}

impl At {
    /// The innermost frame is at its instruction, the others are behind their calls.
    const fn first(registers: Registers) -> Self {
        Self {
            pc: registers.ip,
            sp: registers.sp,
            bp: registers.bp,
        }
    }

    /// Where it ends, if that can be.
    fn end(&self, size: Size) -> Option<usize> {
        let from = if size.from_bp { self.bp } else { self.sp };
        let end = from.wrapping_add(size.offset);
        (is_frame(self.sp, end) && end - self.sp >= size.saved_bp).then_some(end)
    }

    /// Goes to the caller's frame, and says where that is.
    ///
    /// # Safety
    ///
    /// `end` is what [`end`](Self::end) says, and what lies between `sp` and there is readable.
    unsafe fn leave(&mut self, size: Size, end: usize) -> usize {
        if size.saved_bp != 0 {
            // SAFETY: aligned, since `end` and the size's offsets are; readable: not below `sp`.
            self.bp = unsafe { word_at(end - size.saved_bp) };
        }
        // SAFETY: the last word of the same frame, which has one.
        let ip = unsafe { word_at(end - size_of::<usize>()) };
        self.sp = end;
        self.pc = ip.wrapping_sub(1);
        ip
    }
}

/// A stack of the system's unwinder, by which rules are confirmed.
struct Lesson<'a> {
    walker: &'a Walker,
    frame: At,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The unwinder is still at frames inside of the first one.
    Inside,
    /// It was at `frame` last.
    Here,
    /// Further out nothing can be learned.
    Over,
    /// A rule is wrong.
    Wrong,
}

impl Lesson<'_> {
    /// The unwinder's next frame.
    fn next(&mut self, ip: usize, sp: usize) {
        self.state = match self.state {
            State::Inside if sp < self.frame.sp => State::Inside,
            State::Inside if sp == self.frame.sp => State::Here,
            State::Inside => State::Over,
            State::Here => self.confirm(ip, sp),
            state => state,
        };
    }

    /// Goes from `frame` to the unwinder's next one, if the rule does too.
    fn confirm(&mut self, ip: usize, sp: usize) -> State {
        let Some((tag, rule, is_new)) = self.walker.read(self.frame.pc) else {
            return State::Over;
        };
        let size = match rule {
            Rule::Frame(size) => size,
            Rule::Outermost if ip != 0 => return State::Wrong,
            Rule::Outermost | Rule::Unknown => {
                if is_new {
                    self.walker.keep(tag, rule);
                }
                return State::Over;
            }
        };
        let Some(end) = self.frame.end(size) else {
            return State::Over;
        };
        if end != sp {
            // An unwinder that came to the end may not say where that is.
            return if ip == 0 { State::Over } else { State::Wrong };
        }
        // SAFETY: it lies between two frames that the system's unwinder just found to be one another's neighbours.
        let caller = unsafe { self.frame.leave(size, end) };
        if caller != ip {
            return State::Wrong;
        }
        if is_new {
            self.walker.keep(tag, rule);
        }
        if ip == 0 { State::Over } else { State::Here }
    }

    /// The unwinder saw no way on from `frame`. The only rules that this confirms are those of the same opinion.
    fn ends(&self) {
        if self.state != State::Here {
            return;
        }
        let read = self.walker.read(self.frame.pc);
        if let Some((tag, rule @ (Rule::Outermost | Rule::Unknown), true)) = read {
            self.walker.keep(tag, rule);
        }
    }
}

/// How a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// At the outermost frame, or at a frame that was not to be passed.
    Whole,
    /// Before: at a place in the code of which nothing was learned yet, or not any more.
    New,
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

    type Frames = Vec<(usize, usize)>;

    /// Both walks from the same frame, without what is inside of it.
    #[inline(never)]
    fn both(walker: &Walker) -> (Frames, Frames, Walk) {
        let mark = 0_u8;
        let mark = core::ptr::from_ref(black_box(&mark)).addr();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let registers = registers();
        let right = walker.learn(registers, |ip, sp| {
            if sp > mark && ip != 0 {
                theirs.push((ip, sp));
            }
            true
        });
        assert!(right);
        let walk = walker.walk(registers, |ip, sp| {
            if sp > mark {
                ours.push((ip, sp));
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
        assert_eq!(walk, Walk::Whole);
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
    fn nothing_is_followed_before_it_was_learned() {
        let walker = Walker::new().expect("a program of this system has tables");
        let registers = registers();
        let walk = |frames: usize| {
            let mut visited = 0;
            let walk = walker.walk(registers, |_, _| {
                visited += 1;
                visited < frames
            });
            (walk, visited)
        };
        assert_eq!(walk(1000), (Walk::New, 1));
        // As far as the unwinder went, and no further.
        let mut seen = 0;
        assert!(walker.learn(registers, |_, sp| {
            seen += usize::from(sp > registers.sp);
            seen < 2
        }));
        assert_eq!(walk(1000), (Walk::New, 3));
        assert!(walker.learn(registers, |_, _| true));
        assert_eq!(walk(1000).0, Walk::Whole);
        assert_eq!(walk(2), (Walk::Whole, 2));
    }

    /// What tables would say that are wrong: nothing is read by that, and nothing kept of it.
    #[test]
    fn a_rule_that_the_unwinder_contradicts_is_not_followed() {
        let walker = Walker::new().expect("a program of this system has tables");
        let registers = registers();
        assert!(walker.learn(registers, |_, _| true));
        let tag = walker.tag(registers.ip).unwrap();
        let Some(Rule::Frame(size)) = walker.known(tag) else {
            panic!("this function has a frame");
        };
        for wrong in [
            Rule::Outermost,
            Rule::Frame(Size {
                offset: size.offset + 8,
                ..size
            }),
            Rule::Frame(Size {
                offset: size.offset + 65_536,
                ..size
            }),
        ] {
            walker.keep(tag, wrong);
            assert!(!walker.learn(registers, |_, _| true), "{wrong:?}");
        }
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
