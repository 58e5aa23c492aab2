//! The machine code of the one comparison of secrets, read out of an image for each core: nothing in its
//! loop may depend on what it compares.
//!
//! Allowed are two branches before the loop, which see lengths, the one that closes it, and one behind it,
//! which sees the verdict. Refused are a branch or a conditional instruction inside the loop (an early
//! exit), another loop, a division, whose time depends on its operands, and a call of anything but the
//! barrier against the optimiser, which has no branch of its own. Two routines of the same image that leak
//! must be refused in every run.

use anyhow::{Context, ensure};

use crate::elf::{self, Function};
use crate::report::Verdict;
use crate::size::{CORES, build_bins};
use crate::tool;

/// The routine that every comparison of the `security` crate calls.
const ROUTINE: &str = "8security2ct4same";
/// Routines of the image that a right check refuses.
const CONTROLS: [&str; 2] = ["7compare11early_exits", "7compare7divides"];

/// The barrier in the comparison: it hands a byte back as it came.
const BARRIER: &str = "6subtle9black_box";
/// Branches before the loop: the lengths differ, and there are no bytes.
const BEFORE: usize = 2;
/// Conditions behind the loop: the verdict.
const BEHIND: usize = 1;

/// What an instruction means for the way through a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    On,
    /// A branch that is taken under a condition.
    Branch(u32),
    /// A branch that is always taken.
    Jump(u32),
    Return,
    /// Makes up to four instructions behind it conditional.
    Block,
    /// A call of a place, where it is known.
    Call(Option<u32>),
    Divide,
    /// A jump that is computed, such as through a table.
    Computed,
}

/// Why a routine is no comparison in constant time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leak {
    NoCode,
    NoLoop,
    Loops(usize),
    InLoop { at: u32, step: Step },
    Outside { at: u32, step: Step },
}

/// What was found in a routine that holds.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    instructions: usize,
    before: usize,
    behind: usize,
}

/// The signed number in the lowest `bits` of a field.
fn signed(field: u32, bits: u32) -> i32 {
    let unused = 32 - bits;
    (field << unused).cast_signed() >> unused
}

/// The step of a Thumb instruction at an address: its first halfword and, for a long one, the second.
fn step(at: u32, first: u16, second: Option<u16>) -> Step {
    let to = |offset: i32| at.wrapping_add(4).wrapping_add_signed(offset);
    let low = u32::from(first);
    let Some(second) = second.map(u32::from) else {
        return match first {
            0xD000..=0xDDFF => Step::Branch(to(signed(low & 0xFF, 8) * 2)),
            0xE000..=0xE7FF => Step::Jump(to(signed(low & 0x7FF, 11) * 2)),
            // CBZ and CBNZ: forward only.
            _ if first & 0xF500 == 0xB100 => {
                let offset = (low >> 9 & 1) << 6 | (low >> 3 & 0x1F) << 1;
                Step::Branch(to(offset.cast_signed()))
            }
            _ if first & 0xFF00 == 0xBF00 && first & 0xF != 0 => Step::Block,
            // POP with the program counter, BX of the link register, MOV to the program counter from it.
            _ if first & 0xFF00 == 0xBD00 || matches!(first, 0x4770 | 0x46F7) => Step::Return,
            _ if first & 0xFF80 == 0x4780 => Step::Call(None),
            _ if first & 0xFF80 == 0x4700 || first & 0xFD87 == 0x4487 => Step::Computed,
            _ => Step::On,
        };
    };
    let pc = second >> 12 == 15;
    match first >> 11 {
        0b11110 if second & 0x8000 != 0 => {
            let sign = low >> 10 & 1;
            let (j1, j2) = (second >> 13 & 1, second >> 11 & 1);
            if second & 0x1000 != 0 {
                let (i1, i2) = (1 ^ j1 ^ sign, 1 ^ j2 ^ sign);
                let field = sign << 23 | i1 << 22 | i2 << 21 | (low & 0x3FF) << 11 | second & 0x7FF;
                let to = to(signed(field, 24) * 2);
                return if second & 0x4000 != 0 {
                    Step::Call(Some(to))
                } else {
                    Step::Jump(to)
                };
            }
            if second & 0x4000 != 0 {
                return Step::Call(None);
            }
            if low >> 7 & 7 == 7 {
                return Step::On; // Barriers and special registers.
            }
            let field = sign << 19 | j2 << 18 | j1 << 17 | (low & 0x3F) << 11 | second & 0x7FF;
            Step::Branch(to(signed(field, 20) * 2))
        }
        _ if matches!(first & 0xFFF0, 0xFB90 | 0xFBB0) => Step::Divide,
        // Table branches.
        _ if first & 0xFFF0 == 0xE8D0 && second & 0xFFE0 == 0xF000 => Step::Computed,
        // POP of registers, the program counter among them.
        _ if first == 0xE8BD && second & 0x8000 != 0 => Step::Return,
        _ if first & 0xFE50 == 0xE810 && second & 0x8000 != 0 => Step::Computed,
        // POP of the program counter alone, and other loads of it.
        _ if first == 0xF85D && second == 0xFB04 => Step::Return,
        _ if first & 0xFF70 == 0xF850 && pc => Step::Computed,
        _ => Step::On,
    }
}

/// The steps of a function, each with its address.
fn steps(function: &Function, halfword: impl Fn(u32) -> Option<u16>) -> Option<Vec<(u32, Step)>> {
    let mut found = Vec::new();
    let mut at = function.at;
    while at < function.at + function.len {
        let first = halfword(at)?;
        let long = first >> 11 >= 0b11101;
        let second = if long { Some(halfword(at + 2)?) } else { None };
        found.push((at, step(at, first, second)));
        at += if long { 4 } else { 2 };
    }
    Some(found)
}

/// Judges a routine by its steps; `barrier` is the one place that it may call.
fn judge(steps: &[(u32, Step)], barrier: Option<u32>) -> Result<Form, Leak> {
    let (Some((begin, _)), Some((end, _))) = (steps.first(), steps.last()) else {
        return Err(Leak::NoCode);
    };
    let inside = |to: u32| (*begin..=*end).contains(&to);
    let mut loops = steps.iter().filter_map(|&(at, step)| match step {
        Step::Branch(to) | Step::Jump(to) if to <= at && inside(to) => Some((to, at, step)),
        _ => None,
    });
    let (head, tail, closing) = loops.next().ok_or(Leak::NoLoop)?;
    let more = loops.count();
    if more > 0 {
        return Err(Leak::Loops(more + 1));
    }
    // A loop that an unconditional jump closes leaves from its middle.
    if !matches!(closing, Step::Branch(_)) {
        return Err(Leak::InLoop {
            at: tail,
            step: closing,
        });
    }
    let (mut before, mut behind) = (0, 0);
    for &(at, step) in steps.iter().filter(|(at, _)| *at != tail) {
        match step {
            Step::On => {}
            Step::Call(to) if to.is_some() && to == barrier => {}
            _ if (head..tail).contains(&at) => return Err(Leak::InLoop { at, step }),
            Step::Return => {}
            Step::Jump(to) if inside(to) => {}
            Step::Branch(to) if at < head && before < BEFORE && inside(to) => before += 1,
            Step::Branch(to) if at > tail && behind < BEHIND && inside(to) => behind += 1,
            Step::Block if at > tail && behind < BEHIND => behind += 1,
            _ => return Err(Leak::Outside { at, step }),
        }
    }
    Ok(Form {
        instructions: steps.len(),
        before,
        behind,
    })
}

/// The comparison and the controls in the image of each core.
pub fn run() -> anyhow::Result<Verdict> {
    for (triple, core, _) in CORES {
        if let Err(why) = tool::target(triple) {
            return Ok(Verdict::Skipped(why));
        }
        let folder = tool::root().join("target/mcu");
        build_bins(triple, &folder, &["--bin", "compare"])?;
        let image = folder.join(triple).join("release/compare");
        let elf = std::fs::read(&image).with_context(|| image.display().to_string())?;
        let functions = elf::functions(&elf).context("the image has no symbols")?;
        let of = |name: &str| {
            let mut named = functions.iter().filter(|f| f.name.contains(name));
            let function = named
                .next()
                .with_context(|| format!("{core}: no function {name}"))?;
            ensure!(
                named.next().is_none(),
                "{core}: more than one function {name}"
            );
            let steps = steps(function, |at| elf::halfword(&elf, at));
            let steps = steps.with_context(|| format!("{core}: {name} has no code"))?;
            anyhow::Ok((function.at, steps))
        };
        // Without one nothing may be called.
        let mut barrier = None;
        if functions.iter().any(|f| f.name.contains(BARRIER)) {
            let (at, steps) = of(BARRIER)?;
            if let Some((at, step)) = steps
                .iter()
                .find(|(_, step)| !matches!(step, Step::On | Step::Return))
            {
                return Ok(Verdict::Failed(format!(
                    "{core}: the barrier has {step:x?} at {at:#x}"
                )));
            }
            barrier = Some(at);
        }
        let judged = |name| anyhow::Ok(judge(&of(name)?.1, barrier));
        for control in CONTROLS {
            match judged(control)? {
                Ok(_) => {
                    return Ok(Verdict::Failed(format!(
                        "{core}: {control} leaks and was not refused"
                    )));
                }
                Err(leak) => println!("{core}: {control} is refused, as it must be: {leak:x?}"),
            }
        }
        match judged(ROUTINE)? {
            Ok(Form {
                instructions,
                before,
                behind,
            }) => println!(
                "{core}: {ROUTINE}: {instructions} instructions; conditions: {before} before one loop, none in it, {behind} behind it"
            ),
            Err(leak) => return Ok(Verdict::Failed(format!("{core}: {ROUTINE}: {leak:x?}"))),
        }
    }
    Ok(Verdict::Passed)
}

#[cfg(test)]
mod tests {
    use super::{Form, Leak, Step, judge, step};

    #[test]
    fn branches_are_told_from_the_rest() {
        // As an assembler writes them.
        for (at, first, second, means) in [
            (0x102, 0xD1FD, None, Step::Branch(0x100)),
            (0x110, 0xB109, None, Step::Branch(0x116)),
            (0x122, 0xE7FD, None, Step::Jump(0x120)),
            (0x200, 0xF7FF, Some(0xFFFE), Step::Call(Some(0x200))),
            (0x302, 0xF7FF, Some(0xBFFD), Step::Jump(0x300)),
            (0x602, 0xF47F, Some(0xAFFD), Step::Branch(0x600)),
            (0x606, 0xF43F, Some(0xADFB), Step::Branch(0x200)),
            (0x610, 0xFBB0, Some(0xF0F1), Step::Divide), // udiv r0, r0, r1
            (0x614, 0xE8D0, Some(0xF001), Step::Computed), // tbb [r0, r1]
            (0x618, 0xF816, Some(0x0B01), Step::On),     // ldrb r0, [r6], #1
            (0x61C, 0xBD00, None, Step::Return),         // pop {pc}
            (0x61E, 0xF85D, Some(0xFB04), Step::Return), // ldr pc, [sp], #4
            (0x622, 0xE8BD, Some(0x81F0), Step::Return), // pop {r4-r8, pc}
            (0x626, 0xE8B0, Some(0x8002), Step::Computed), // ldm r0!, {r1, pc}
            (0x62A, 0x46F7, None, Step::Return),         // mov pc, lr
            (0x62C, 0x469F, None, Step::Computed),       // mov pc, r3
            (0x62E, 0x449F, None, Step::Computed),       // add pc, r3
            (0x630, 0x4798, None, Step::Call(None)),     // blx r3
            (0x632, 0x4718, None, Step::Computed),       // bx r3
            (0x634, 0xBF18, None, Step::Block),          // it ne
            (0x636, 0xBF00, None, Step::On),             // nop
            (0x638, 0xF8D0, Some(0xF000), Step::Computed), // ldr pc, [r0]
            (0x63C, 0xF3BF, Some(0x8F5F), Step::On),     // dmb sy
        ] {
            assert_eq!(step(at, first, second), means, "{first:04x} {second:04x?}");
        }
    }

    #[test]
    fn a_loop_that_may_end_early_is_refused() {
        let on = |at| (at, Step::On);
        let whole = [
            (0, Step::Branch(8)),
            on(2),
            on(4),
            (6, Step::Branch(4)),
            (8, Step::Return),
        ];
        let form = Form {
            instructions: 5,
            before: 1,
            behind: 0,
        };
        assert_eq!(judge(&whole, Some(0x40)), Ok(form));
        for step in [
            Step::Branch(8),
            Step::Block,
            Step::Return,
            Step::Divide,
            Step::Call(Some(0x42)),
        ] {
            let mut early = whole;
            early[2].1 = step;
            assert_eq!(judge(&early, Some(0x40)), Err(Leak::InLoop { at: 4, step }));
        }
        assert_eq!(judge(&whole[..3], None), Err(Leak::NoLoop));
    }
}
