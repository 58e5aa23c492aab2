//! The report of a run: lines for people, JUnit for machines.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Item, Stop, Verdict};
use crate::lang::{Lang, say};

/// How an item ended.
#[derive(Clone)]
pub struct Outcome {
    /// The item.
    pub item: Item,
    /// Its verdict.
    pub verdict: Verdict,
    /// How long it took.
    pub time: Duration,
}

impl Outcome {
    /// Whether the meter, or the way to it, did wrong.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.verdict, Err(Stop::Failed(_) | Stop::Port(_)))
    }

    fn is_skipped(&self) -> bool {
        matches!(self.verdict, Err(Stop::Skipped(_)))
    }
}

/// One row of the report.
pub(super) fn line(outcome: &Outcome, lang: Lang) -> String {
    let (word, remark) = match &outcome.verdict {
        Ok(remark) => (say(lang, "ok  ", "合格  "), remark),
        Err(Stop::Failed(reason)) => (say(lang, "FAIL", "不合格"), reason),
        Err(Stop::Skipped(reason)) => (say(lang, "skip", "略过  "), reason),
        Err(Stop::Port(reason)) => (say(lang, "PORT", "端口  "), reason),
    };
    let title = outcome.item.title(lang);
    let name = outcome.item.name;
    let mut row = format!("{word} {name:28} {title}");
    if !remark.is_empty() {
        let _ = write!(row, " ({remark})");
    }
    row
}

/// The last row of the report.
pub(super) fn summary(outcomes: &[Outcome], time: Duration, lang: Lang) -> String {
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.is_failure())
        .count();
    let skipped = outcomes
        .iter()
        .filter(|outcome| outcome.is_skipped())
        .count();
    let passed = outcomes.len() - failed - skipped;
    let seconds = time.as_secs_f32();
    match lang {
        Lang::En => {
            format!("{passed} passed, {failed} failed, {skipped} skipped in {seconds:.1} s")
        }
        Lang::Zh => {
            format!("合格{passed}项，不合格{failed}项，略过{skipped}项，用时{seconds:.1}秒")
        }
    }
}

/// The report as JUnit XML.
#[must_use]
pub fn junit(suite: &str, outcomes: &[Outcome], lang: Lang) -> String {
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.is_failure())
        .count();
    let skipped = outcomes
        .iter()
        .filter(|outcome| outcome.is_skipped())
        .count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\">",
        escaped(suite),
        outcomes.len()
    );
    for outcome in outcomes {
        let item = outcome.item;
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(item.clause),
            item.name,
            outcome.time.as_secs_f32()
        );
        match &outcome.verdict {
            Ok(_) => xml.push_str("/>\n"),
            Err(Stop::Failed(reason) | Stop::Port(reason)) => {
                let title = escaped(item.title(lang));
                let reason = escaped(reason);
                let _ = writeln!(
                    xml,
                    "><failure message=\"{title}\">{reason}</failure></testcase>"
                );
            }
            Err(Stop::Skipped(reason)) => {
                let reason = escaped(reason);
                let _ = writeln!(xml, "><skipped message=\"{reason}\"/></testcase>");
            }
        }
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
