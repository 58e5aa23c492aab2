//! Instruction counts of every hot path beside the committed table.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;

use crate::report::Verdict;
use crate::{size, tool};

/// The compiler that counted, then lines of core, step and instructions.
const TABLE: &str = "xtask/mcu/instructions.txt";
/// Worse by more parts of a hundred than this fails.
const ALLOWED_PERCENT: u64 = 5;

/// In front of the compiler's name.
const COUNTED_BY: &str = "# counted by ";

type Counts = BTreeMap<(String, String), u64>;

/// Counts, prints each step beside the table, and fails where one is more than 5 % worse or missing. With `write` the
/// table is written anew instead. Another compiler counts other code: then the table is shown and nothing is judged.
///
/// # Errors
/// A build or a run that failed, or a table that cannot be read.
pub fn run(write: bool) -> anyhow::Result<Verdict> {
    let counted: Counts = match size::count_all()? {
        Ok(steps) => steps
            .into_iter()
            .map(|(core, step, value)| ((core, step), value))
            .collect(),
        Err(why) => return Ok(Verdict::Skipped(why)),
    };
    let file = tool::root().join(TABLE);
    let compiler = size::compiler()?;
    if write {
        let mut text = format!(
            "{COUNTED_BY}{compiler}\n# core step instructions; written by cargo xtask mcu-bench --write\n"
        );
        for ((core, step), value) in &counted {
            writeln!(text, "{core} {step} {value}")?;
        }
        std::fs::write(&file, text)?;
        println!("{TABLE}: {} steps", counted.len());
        return Ok(Verdict::Passed);
    }
    let text = std::fs::read_to_string(&file).with_context(|| TABLE.to_owned())?;
    let committed = parse(&text)?;
    let (lines, worse) = compare(&counted, &committed);
    print!("{lines}");
    let by = counted_by(&text).unwrap_or("a compiler that is not named");
    if by != compiler {
        return Ok(Verdict::Skipped(format!(
            "{TABLE} was counted by {by}, this is {compiler}: shown, not judged"
        )));
    }
    if worse.is_empty() {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(format!(
            "more than {ALLOWED_PERCENT} % above {TABLE}, or not in it: {}",
            worse.join(", ")
        )))
    }
}

fn counted_by(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix(COUNTED_BY))
}

fn parse(text: &str) -> anyhow::Result<Counts> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().map(str::to_owned);
            let key = word().zip(word());
            let value = word().and_then(|word| word.parse().ok());
            key.zip(value)
                .with_context(|| format!("not core, step, number: {line}"))
        })
        .collect()
}

/// The table as text, and the steps that are too much worse, new, or gone.
fn compare(counted: &Counts, committed: &Counts) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut worse = Vec::new();
    for ((core, step), value) in counted {
        let before = committed.get(&(core.clone(), step.clone())).copied();
        let bad = before.is_none_or(|before| {
            value.saturating_mul(100) > before.saturating_mul(100 + ALLOWED_PERCENT)
        });
        let before = before.map_or_else(|| "new".to_owned(), |before| before.to_string());
        let mark = if bad { "  WORSE" } else { "" };
        let _ = writeln!(text, "{core:<11} {step:<26} {value:>9} {before:>9}{mark}");
        if bad {
            worse.push(format!("{core} {step}"));
        }
    }
    let gone = committed.keys().filter(|key| !counted.contains_key(*key));
    worse.extend(gone.map(|(core, step)| format!("{core} {step} (gone)")));
    (text, worse)
}

#[cfg(test)]
mod tests {
    use super::{compare, counted_by, parse};

    #[test]
    fn the_table_names_its_compiler() {
        let text = "# counted by rustc 1.95.0 (59807616e 2026-04-14)\n# head\nCortex-M0 a 1\n";
        assert_eq!(
            counted_by(text),
            Some("rustc 1.95.0 (59807616e 2026-04-14)")
        );
        assert_eq!(parse(text).unwrap().len(), 1);
        assert_eq!(counted_by("# head\n"), None);
    }

    #[test]
    fn five_in_a_hundred_pass_and_six_do_not() {
        let committed = parse("# head\nCortex-M0 a 100\nCortex-M0 b 100\nCortex-M0 c 7\n").unwrap();
        let counted = parse("Cortex-M0 a 105\nCortex-M0 b 106\nCortex-M0 d 1\n").unwrap();
        let (_, worse) = compare(&counted, &committed);
        assert_eq!(worse, ["Cortex-M0 b", "Cortex-M0 d", "Cortex-M0 c (gone)"]);
        assert!(parse("Cortex-M0 a").is_err());
    }
}
