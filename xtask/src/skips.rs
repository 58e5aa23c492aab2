//! Instruction skips: every instruction on the way to a decision is passed over once, in the
//! emulator, with a forged image or order before it. None may be accepted.
//!
//! A trace of the undisturbed run gives the instructions of the decision in their order, of loops the
//! first and the last passage. Each of them is one run: halt before that instruction for that time, set the program
//! counter behind it, go on. A run that crashes or hangs accepted nothing.
//!
//! The arithmetic of signature, hash and cipher is outside: what disturbs it changes a value that the
//! two comparisons judge.

mod board;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::elf::{self, Function};
use crate::report::Verdict;
use crate::size::{CORES, build_bins};
use crate::tool;
use board::{Board, LR, PC, Snapshot, XPSR};

/// Functions of the decision path, by parts of their names.
const PATH: [&str; 13] = [
    "5skips18__cortex_m_rt_main",
    "5skips10boot_stage",
    "5skips10order_gate",
    "8security2fw4boot",
    "8security2fw8manifest",
    "8security2fw6verify",
    "8security2ct",
    "8security4gate",
    "8security4link",
    "8security8envelope",
    "8security5order",
    "8security4aead",
    "6subtle",
];

/// Case, what stands before the decision, whether it is to be accepted.
const CASES: [(u32, &str, bool); 10] = [
    (8, "order: genuine", true),
    (9, "order: another tag", false),
    (10, "order: sent again", false),
    (11, "order: after its deadline", false),
    (12, "order: number used before", false),
    (13, "order: another tag, behind a genuine one", false),
    (0, "boot: genuine image", true),
    (1, "boot: another signature", false),
    (2, "boot: other bytes in flash", false),
    (3, "boot: older than the stored counter", false),
];

/// Bytes of stack that a run may change: all memory of the smaller board.
const STACK: u32 = 16 * 1024;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepted,
    Refused,
    /// Crashed, or did not end.
    Lost,
    /// The undisturbed way to the point did not come there: nothing was tried.
    Unreached,
}

/// The image and the places that the campaign needs.
struct Target {
    machine: &'static str,
    image: PathBuf,
    elf: Vec<u8>,
    functions: Vec<Function>,
}

/// One passage over one address: the `nth`, from 0.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: u32,
    nth: u32,
}

impl Target {
    fn new(triple: &str, machine: &'static str) -> anyhow::Result<Self> {
        let folder = tool::root().join("target/mcu");
        build_bins(triple, &folder, &["--bin", "skips"])?;
        let image = folder.join(triple).join("release/skips");
        let elf = std::fs::read(&image).with_context(|| image.display().to_string())?;
        let functions = elf::functions(&elf).context("the image has no symbols")?;
        Ok(Self {
            machine,
            image,
            elf,
            functions,
        })
    }

    fn function(&self, part: &str) -> anyhow::Result<&Function> {
        self.functions
            .iter()
            .find(|function| function.name.contains(part))
            .with_context(|| format!("the image has no function {part}"))
    }

    fn address(&self, part: &str) -> anyhow::Result<u32> {
        self.function(part).map(|function| function.at)
    }

    fn path(&self) -> impl Iterator<Item = &Function> {
        self.functions
            .iter()
            .filter(|function| PATH.iter().any(|part| function.name.contains(part)))
    }

    /// A board that halts where a case begins.
    fn begin(&self, case: u32, trace: Option<(&Path, &str)>) -> anyhow::Result<Board> {
        let (choose, begin) = (self.address("6choose")?, self.address("5begin")?);
        let mut board = Board::start(self.machine, &self.image, trace)?;
        board.halt_at(choose)?;
        ensure!(board.run() == Some(choose), "the image did not start");
        // It returns at once, with the number of the case.
        let back = board.register(LR)?;
        board.set(0, case)?;
        board.set(PC, back & !1)?;
        // A run that comes here again was reset: it accepted nothing.
        board.halt_at(begin)?;
        ensure!(board.run() == Some(begin), "the case did not begin");
        board.pass(begin)?;
        for end in ["8accepted", "7refused", "HardFault_", "DefaultHandler_"] {
            board.halt_at(self.address(end)?)?;
        }
        Ok(board)
    }

    fn end(&self, board: &mut Board) -> anyhow::Result<End> {
        let at = board.run();
        Ok(if at == Some(self.address("8accepted")?) {
            End::Accepted
        } else if at == Some(self.address("7refused")?) {
            End::Refused
        } else {
            End::Lost
        })
    }

    /// The undisturbed run: how it ends, and every instruction of the decision path.
    fn trace(&self, case: u32) -> anyhow::Result<(End, Vec<Point>)> {
        let begin = self.address("5begin")?;
        let mut ranges = vec![format!("{begin:#x}+2")];
        ranges.extend(self.path().map(|f| format!("{:#x}+{:#x}", f.at, f.len)));
        let file = self.image.with_extension(format!("{case}.trace"));
        let mut board = self.begin(case, Some((&file, &ranges.join(","))))?;
        let end = self.end(&mut board)?;
        drop(board);
        let text = std::fs::read_to_string(&file)?;
        // Trace 0: host address [base/program counter/flags/flags]
        let mut seen = HashMap::new();
        let mut points = Vec::new();
        let executed = text.lines().filter_map(|line| {
            let (_, inside) = line.strip_prefix("Trace ")?.split_once('[')?;
            u32::from_str_radix(inside.split('/').nth(1)?, 16).ok()
        });
        for at in executed
            .skip_while(|at| *at != begin)
            .filter(|at| *at != begin)
        {
            let count = seen.entry(at).or_insert(0);
            points.push(Point { at, nth: *count });
            *count += 1;
        }
        std::fs::remove_file(&file)?;
        // Of a loop the first and the last passage: those between do the same.
        points.retain(|point| point.nth == 0 || seen.get(&point.at) == Some(&(point.nth + 1)));
        Ok((end, points))
    }

    /// The undisturbed run again, from a snapshot as the disturbed ones: how much work one may take.
    fn patience(&self, case: u32) -> anyhow::Result<Duration> {
        let mut start = Start::new(self, case, Duration::from_secs(60))?;
        let (board, snapshot) = (&mut start.board, &start.snapshot);
        board.restore(snapshot)?;
        let (before, clock) = (board.worked(), Instant::now());
        self.end(board)?;
        let work = match (before, board.worked()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => clock.elapsed(),
        };
        Ok(work * 4 + Duration::from_secs(1))
    }

    /// A run with one instruction passed over. One that cannot be brought to its point tried nothing, and
    /// is not counted as anything else.
    fn skip(&self, board: &mut Board, point: Point) -> anyhow::Result<End> {
        board.halt_at(point.at)?;
        for nth in 0..=point.nth {
            if nth > 0 {
                board.pass(point.at)?;
                if board.step().is_none() {
                    return Ok(End::Unreached);
                }
                board.halt_at(point.at)?;
            }
            if board.run() != Some(point.at) {
                return Ok(End::Unreached);
            }
        }
        board.pass(point.at)?;
        let len = elf::instruction_len(&self.elf, point.at).context("no code there")?;
        let status = board.register(XPSR)?;
        board.set(XPSR, behind_in_block(status))?;
        board.set(PC, point.at + len)?;
        self.end(board)
    }

    fn place(&self, at: u32) -> String {
        let inside = |f: &&Function| (f.at..f.at + f.len).contains(&at);
        self.functions.iter().find(inside).map_or_else(
            || format!("{at:#x}"),
            |f| format!("{at:#x}, {:#x} of {}", at - f.at, f.name),
        )
    }
}

/// A board where a case begins, and what to put back before the next run.
struct Start {
    board: Board,
    snapshot: Snapshot,
}

impl Start {
    fn new(target: &Target, case: u32, patience: Duration) -> anyhow::Result<Self> {
        let mut board = target.begin(case, None)?;
        let top = elf::word_at(&target.elf, 0).context("the image has no vector table")?;
        let snapshot = board.snapshot(top - STACK..top)?;
        board.hangs_after(patience);
        Ok(Self { board, snapshot })
    }
}

/// The status register behind an instruction of an IT block: the block moves on with the skip.
fn behind_in_block(status: u32) -> u32 {
    const BITS: u32 = 0x0600_FC00;
    let block = (status >> 8 & 0xFC) | (status >> 25 & 3);
    let next = if block & 7 == 0 {
        0
    } else {
        (block & 0xE0) | (block << 1 & 0x1F)
    };
    (status & !BITS) | (next & 0xFC) << 8 | (next & 3) << 25
}

/// Counts of the ends of one case.
#[derive(Default)]
struct Counts {
    refused: usize,
    lost: usize,
    accepted: Vec<Point>,
    unreached: Vec<Point>,
}

impl Counts {
    fn add(&mut self, point: Point, end: End) {
        match end {
            End::Accepted => self.accepted.push(point),
            End::Refused => self.refused += 1,
            End::Lost => self.lost += 1,
            End::Unreached => self.unreached.push(point),
        }
    }

    /// Faults tried.
    fn tried(&self) -> usize {
        self.refused + self.lost + self.accepted.len()
    }

    /// What keeps the campaign from passing: a forgery that was accepted, a point that was not tried.
    fn against(&self) -> Option<String> {
        let counts = [
            (self.accepted.len(), "accepted"),
            (self.unreached.len(), "not reached"),
        ];
        let said: Vec<_> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        (!said.is_empty()).then(|| said.join(", "))
    }
}

/// Every instruction of the cases on every core whose line contains `only`, or a sample of them on the
/// larger core.
pub fn run(quick: bool, only: &str) -> anyhow::Result<Verdict> {
    if let Err(why) = tool::program("qemu-system-arm", &["qemu-system-arm"]) {
        return Ok(Verdict::Skipped(why));
    }
    let mut through = Vec::new();
    println!(
        "{:<11} {:>6} {:>7} {:>7} {:>8} {:>11}  case",
        "core", "skips", "refused", "lost", "accepted", "not reached"
    );
    for (triple, core, machine) in CORES.into_iter().rev() {
        let chosen = |what: &str| format!("{core}, {what}").contains(only);
        if quick && core == CORES[0].1 || !CASES.iter().any(|(_, what, _)| chosen(what)) {
            continue;
        }
        if let Err(why) = tool::target(triple) {
            return Ok(Verdict::Skipped(why));
        }
        let target = Target::new(triple, machine)?;
        for (case, what, genuine) in CASES {
            if !genuine && !chosen(what) {
                continue;
            }
            let (end, points) = target.trace(case)?;
            let right = if genuine { End::Accepted } else { End::Refused };
            ensure!(end == right, "{core}, {what}: undisturbed it ends {end:?}");
            ensure!(!points.is_empty(), "{core}, {what}: nothing was traced");
            if genuine {
                continue;
            }
            let counts = campaign(&target, case, &points, quick)?;
            println!(
                "{core:<11} {:>6} {:>7} {:>7} {:>8} {:>11}  {what}",
                counts.tried(),
                counts.refused,
                counts.lost,
                counts.accepted.len(),
                counts.unreached.len()
            );
            let named = [
                ("accepted without", &counts.accepted),
                ("not reached:", &counts.unreached),
            ];
            for (said, points) in named {
                for point in points {
                    let place = target.place(point.at);
                    println!("    {said} {place} (passage {})", point.nth);
                }
            }
            if let Some(against) = counts.against() {
                through.push(format!("{core}, {what}: {against}"));
            }
        }
    }
    if through.is_empty() {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(through.join("; ")))
    }
}

/// Instructions of a case in the sample of the gate, spread over its way.
const SAMPLE: usize = 10;

fn campaign(target: &Target, case: u32, points: &[Point], quick: bool) -> anyhow::Result<Counts> {
    let stride = if quick {
        points.len().div_ceil(SAMPLE)
    } else {
        1
    };
    let chosen: Vec<_> = points.iter().copied().step_by(stride).collect();
    let patience = target.patience(case)?;
    let workers = std::thread::available_parallelism()?.get();
    let ends: Vec<(Point, End)> = std::thread::scope(|scope| {
        let parts: Vec<_> = chosen
            .chunks(chosen.len().div_ceil(workers))
            .map(|part| {
                scope.spawn(move || {
                    let mut started = None;
                    let mut ends = Vec::new();
                    for point in part {
                        let mut end = End::Unreached;
                        // What was not reached is tried once more, on a board that ran nothing before.
                        for _ in 0..2 {
                            let mut start = match started.take() {
                                Some(start) => start,
                                None => Start::new(target, case, patience)?,
                            };
                            start.board.restore(&start.snapshot)?;
                            end = target.skip(&mut start.board, *point)?;
                            // What crashed cannot be put back.
                            let whole = matches!(end, End::Accepted | End::Refused);
                            started = whole.then_some(start);
                            if end != End::Unreached {
                                break;
                            }
                        }
                        ends.push((*point, end));
                    }
                    anyhow::Ok(ends)
                })
            })
            .collect();
        let mut all = Vec::new();
        for part in parts {
            all.extend(part.join().expect("a worker does not panic")?);
        }
        anyhow::Ok(all)
    })?;
    let mut counts = Counts::default();
    for (point, end) in ends {
        counts.add(point, end);
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::{Counts, End, Point, behind_in_block};

    #[test]
    fn a_skip_moves_its_block_on() {
        // ITTE EQ has firstcond 0000 and mask 0110: behind the first, mask 1100.
        let status = |block: u32| (block & 0xFC) << 8 | (block & 3) << 25 | 1 << 24;
        assert_eq!(behind_in_block(status(0b0000_0110)), status(0b0000_1100));
        assert_eq!(behind_in_block(status(0b0000_1000)), status(0));
        assert_eq!(behind_in_block(status(0)), status(0));
    }

    #[test]
    fn what_was_not_reached_counts_as_nothing_else() {
        let point = Point { at: 0x2E6, nth: 3 };
        let mut counts = Counts::default();
        for end in [End::Refused, End::Lost, End::Refused] {
            counts.add(point, end);
        }
        assert_eq!((counts.tried(), counts.against()), (3, None));
        counts.add(point, End::Unreached);
        assert_eq!(counts.tried(), 3);
        assert_eq!(counts.against().as_deref(), Some("1 not reached"));
        counts.add(point, End::Accepted);
        assert_eq!(counts.tried(), 4);
        assert_eq!(
            counts.against().as_deref(),
            Some("1 accepted, 1 not reached")
        );
    }
}
