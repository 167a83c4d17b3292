//! Reads what `objdump` prints and judges a function's machine code (x86-64, AT&T syntax).

use std::collections::BTreeMap;

/// A disassembled program.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    text: &'a str,
    /// What the slots of the global offset table hold: calls go through them.
    slots: BTreeMap<u64, String>,
}

/// A function as the linker placed it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) instructions: Vec<Instruction>,
}

/// One instruction; padding is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    /// `mov`, or `lock` for a locked one.
    mnemonic: String,
    operands: String,
    /// The symbol that a jump or call goes to, without its offset and version.
    target: Option<String>,
}

/// What a function may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits<'a> {
    /// How many instructions there may be on all paths together.
    pub(crate) instructions: usize,
    /// Functions that may be called, besides cold ones.
    pub(crate) calls: &'a [&'a str],
    /// It may clean up while a panic unwinds, which no path of a call without a panic leads to.
    pub(crate) unwinds: bool,
}

impl Instruction {
    fn is_call(&self) -> bool {
        self.mnemonic.starts_with("call")
    }
}

impl Function {
    /// How many instructions there are up to the first one that writes to where the first argument
    /// points, that one included.
    pub(crate) fn until_first_store(&self) -> Option<usize> {
        let is_store = |instruction: &Instruction| {
            instruction.mnemonic.starts_with("mov") && instruction.operands.ends_with("(%rdi)")
        };
        Some(self.instructions.iter().position(is_store)? + 1)
    }
}

impl<'a> Program<'a> {
    /// From the output of `objdump -d --no-show-raw-insn` and of `objdump -R`.
    pub(crate) fn new(text: &'a str, relocations: &str) -> Self {
        let names: BTreeMap<u64, &str> = text.lines().filter_map(header).collect();
        let slots = relocations
            .lines()
            .filter_map(|line| slot(line, &names))
            .collect();
        Self { text, slots }
    }

    /// The function called `name`, or the generic one whose mangled name has it as its own.
    pub(crate) fn function(&self, name: &str) -> Option<Function> {
        let mangled = format!("{}{name}", name.len());
        let is_it = |this: &str| this == name || this.starts_with('_') && this.contains(&mangled);
        let mut lines = self
            .text
            .lines()
            .skip_while(|line| header(line).is_none_or(|(_, this)| !is_it(this)));
        let (_, name) = header(lines.next()?)?;
        let instructions = lines
            .take_while(|line| header(line).is_none())
            .filter_map(|line| self.instruction(line))
            .collect();
        Some(Function {
            name: name.to_owned(),
            instructions,
        })
    }

    /// A function together with those that it calls and whose names have `part` in them. Whether a
    /// compiler puts them into it hangs on how many others call them, too.
    pub(crate) fn with_called(&self, function: Function, part: &str) -> Function {
        let mut whole = function;
        let is_called = |instruction: &Instruction| {
            let target = instruction.target.clone()?;
            (instruction.is_call() && target.contains(part)).then_some(target)
        };
        while let Some(at) = whole
            .instructions
            .iter()
            .position(|i| is_called(i).is_some())
        {
            let call = whole.instructions.remove(at);
            let called = call.target.and_then(|target| self.function(&target));
            let Some(called) = called else { continue };
            let (from, to) = (called.name, whole.name.clone());
            let instructions = called.instructions.into_iter().map(|mut instruction| {
                // Its jumps within itself are now jumps within the whole.
                if instruction.target.as_ref() == Some(&from) {
                    instruction.target = Some(to.clone());
                }
                instruction
            });
            whole.instructions.extend(instructions);
        }
        whole
    }

    /// The instruction in `    7a10:\tmov    %rdi,%rbx`.
    fn instruction(&self, line: &str) -> Option<Instruction> {
        let (_, code) = line.split_once(":\t")?;
        let code = code.trim();
        let (mnemonic, operands) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
        let padding = ["nop", "nopw", "nopl", "int3", "cs", "data16", "ud2", ""];
        let is_padding = padding.contains(&mnemonic) || code.starts_with("xchg   %ax,%ax");
        (!is_padding).then(|| Instruction {
            mnemonic: mnemonic.to_owned(),
            operands: operands.trim().to_owned(),
            target: self.target(operands),
        })
    }

    /// The symbol in `7a80 <malloc@plt>`, `9 <f+0x9>`, and `*0x10(%rip)  # 5018 <_DYNAMIC+0x8>`,
    /// where it is what slot 5018 holds.
    fn target(&self, operands: &str) -> Option<String> {
        if let Some((_, comment)) = operands.split_once("# ") {
            let address = comment.split_whitespace().next()?;
            let held = self.slots.get(&u64::from_str_radix(address, 16).ok()?);
            if let Some(name) = held {
                return Some(name.clone());
            }
        }
        let (_, symbol) = operands.split_once('<')?;
        Some(bare(symbol.split('>').next().unwrap_or(symbol)))
    }
}

/// A symbol without its offset and its version.
fn bare(symbol: &str) -> String {
    let bare = symbol.split(['@', '+']).next().unwrap_or(symbol);
    bare.to_owned()
}

/// What a line of `objdump -R` says that a slot holds: the address of one of our functions
/// (`*ABS*+0x7a10`), or a function of another library by its name.
fn slot(line: &str, names: &BTreeMap<u64, &str>) -> Option<(u64, String)> {
    let mut cells = line.split_whitespace();
    let at = u64::from_str_radix(cells.next()?, 16).ok()?;
    let kind = cells.next()?;
    let value = cells.next()?;
    if !kind.starts_with("R_X86_64_") {
        return None;
    }
    let name = match value.strip_prefix("*ABS*+0x") {
        Some(address) => (*names.get(&u64::from_str_radix(address, 16).ok()?)?).to_owned(),
        None => bare(value),
    };
    Some((at, name))
}

/// The address and the name in `0000000000007a10 <probe_alloc>:`.
fn header(line: &str) -> Option<(u64, &str)> {
    let (address, rest) = line.split_once(" <")?;
    let name = rest.strip_suffix(">:")?;
    Some((u64::from_str_radix(address, 16).ok()?, name))
}

/// What a function does that it may not do.
pub(crate) fn faults(function: &Function, limits: Limits<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    for instruction in &function.instructions {
        let shown = format!("{} {}", instruction.mnemonic, instruction.operands);
        let in_memory = instruction.operands.contains('(');
        match instruction.mnemonic.as_str() {
            "lock" => faults.push(format!("a locked instruction: {shown}")),
            // Locked whether it says so or not.
            "xchg" if in_memory => faults.push(format!("a locked instruction: {shown}")),
            "mfence" => faults.push(format!("a full fence: {shown}")),
            mnemonic if is_jump(mnemonic) && !may_go_to(function, instruction, limits) => {
                faults.push(format!("a call: {shown}"));
            }
            _ => {}
        }
    }
    let count = function.instructions.len();
    if count == 0 {
        faults.push("no instruction at all".into());
    }
    if count > limits.instructions {
        faults.push(format!(
            "{count} instructions; {} is the most",
            limits.instructions
        ));
    }
    faults
}

fn is_jump(mnemonic: &str) -> bool {
    mnemonic.starts_with("call") || mnemonic.starts_with('j')
}

/// Jumps within the function, cold functions and those on the list. A jump through a register
/// could go anywhere.
fn may_go_to(function: &Function, instruction: &Instruction, limits: Limits<'_>) -> bool {
    let Some(target) = &instruction.target else {
        return false;
    };
    (!instruction.is_call() && *target == function.name)
        || limits.calls.contains(&target.as_str())
        || (limits.unwinds && is_unwinding(target))
        || target.contains("slow")
        || target.contains("cold")
}

/// What landing pads alone call.
fn is_unwinding(target: &str) -> bool {
    target == "_Unwind_Resume" || target.contains("panic_in_cleanup")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &str = "
a.out:     file format elf64-x86-64

Disassembly of section .text:

0000000000007a10 <probe_alloc>:
    7a10:\tpush   %rbx
    7a11:\tcall   7a80 <inner_alloc>
    7a16:\ttest   %rax,%rax
    7a19:\tje     7a30 <probe_alloc+0x20>
    7a1b:\tmov    %fs:0xffffffffffffff80,%rcx
    7a20:\tadd    %rbx,(%rcx)
    7a23:\tjae    9000 <_ZN15thrifty_memstats6thread10slow_alloc17h0123456789abcdefE>
    7a29:\tnop
    7a30:\tpop    %rbx
    7a31:\tret
    7a32:\tcs nopw 0x0(%rax,%rax,1)
    7a3c:\tnopl   0x0(%rax)

0000000000007a80 <inner_alloc>:
    7a80:\tjmp    *0x3000(%rip)        # b000 <malloc@GLIBC_2.2.5>

0000000000009000 <_ZN15thrifty_memstats6thread10slow_alloc17h0123456789abcdefE>:
    9000:\tret
";

    const RELOCATIONS: &str = "
DYNAMIC RELOCATION RECORDS
OFFSET           TYPE              VALUE
000000000000b018 R_X86_64_RELATIVE  *ABS*+0x0000000000009000
000000000000b020 R_X86_64_GLOB_DAT  free@GLIBC_2.2.5
";

    const LIMITS: Limits<'_> = Limits {
        instructions: 10,
        calls: &["inner_alloc", "malloc"],
        unwinds: false,
    };

    fn found(text: &str) -> Vec<String> {
        let function = Program::new(text, RELOCATIONS).function("probe_alloc");
        faults(&function.unwrap(), LIMITS)
    }

    #[test]
    fn a_function_is_cut_out_and_padding_is_not_counted() {
        let program = Program::new(CAPTURED, "");
        let probe = program.function("probe_alloc").unwrap();
        assert_eq!(probe.instructions.len(), 9);
        let inner = program.function("inner_alloc").unwrap();
        assert_eq!(inner.instructions[0].target.as_deref(), Some("malloc"));
        assert_eq!(faults(&inner, LIMITS), Vec::<String>::new());
        assert_eq!(program.function("probe"), None);
        let generic = program.function("slow_alloc").unwrap();
        assert!(generic.name.starts_with("_ZN15thrifty_memstats"));
        assert_eq!(program.function("low_alloc"), None);
    }

    #[test]
    fn a_lean_function_passes() {
        assert_eq!(found(CAPTURED), Vec::<String>::new());
    }

    #[test]
    fn a_call_through_a_slot_is_a_call_of_what_the_slot_holds() {
        let through = |slot: &str| {
            let call = format!("call   *0x10(%rip)        # {slot} <_DYNAMIC+0x230>");
            found(&CAPTURED.replace("add    %rbx,(%rcx)", &call))
        };
        assert_eq!(through("b018"), Vec::<String>::new(), "the slow path");
        assert_eq!(through("b020").len(), 1, "free");
        assert_eq!(through("b028").len(), 1, "who knows");
    }

    #[test]
    fn each_planted_fault_is_found() {
        let add = "add    %rbx,(%rcx)";
        for (to, fault) in [
            ("lock add %rbx,(%rcx)", "locked instruction"),
            ("lock xadd %rax,0x8(%rcx)", "locked instruction"),
            ("xchg   %rax,(%rcx)", "locked instruction"),
            ("mfence", "full fence"),
            ("call   8000 <__tls_get_addr@plt>", "a call"),
            ("call   7a10 <probe_alloc>", "a call"),
            ("call   *%rax", "a call"),
            (
                "call   *0x10(%rip)        # b010 <free@GLIBC_2.2.5>",
                "a call",
            ),
            ("jmp    8000 <_ZN4core9panicking5panic17h0E>", "a call"),
            ("jmp    *%rax", "a call"),
        ] {
            let found = found(&CAPTURED.replace(add, to));
            assert_eq!(found.len(), 1, "{to}: {found:?}");
            assert!(found[0].contains(fault), "{to}: {found:?}");
        }
        assert_eq!(
            found(&CAPTURED.replace(add, "xchg   %rax,%rcx")),
            Vec::<String>::new()
        );
        let longer = CAPTURED.replace(add, "mov %rax,%rbx\n 1:\tmov %rax,%rbx\n 1:\tret");
        assert!(found(&longer)[0].contains("11 instructions"));
    }

    #[test]
    fn what_is_called_is_judged_as_if_it_stood_there() {
        let text = CAPTURED.replace(
            "7a80:\tjmp    *0x3000(%rip)        # b000 <malloc@GLIBC_2.2.5>",
            "7a80:\tje 7a82 <inner_alloc+0x2>\n    7a82:\tlock add %rbx,(%rcx)\n    7a84:\tcall 1 <_Unwind_Resume@plt>",
        );
        let program = Program::new(&text, "");
        let whole = program.with_called(program.function("probe_alloc").unwrap(), "inner");
        assert_eq!(whole.instructions.len(), 9 - 1 + 3);
        let limits = Limits {
            instructions: 20,
            unwinds: true,
            ..LIMITS
        };
        let found = faults(&whole, limits);
        assert!(
            matches!(&found[..], [one] if one.contains("locked")),
            "{found:?}"
        );
        let found = faults(
            &whole,
            Limits {
                unwinds: false,
                ..limits
            },
        );
        assert!(found[1].contains("_Unwind_Resume"), "{found:?}");
    }

    #[test]
    fn an_empty_function_is_no_pass() {
        let empty = "0000000000000010 <probe_alloc>:\n\n";
        assert_eq!(found(empty), ["no instruction at all"]);
    }
}
