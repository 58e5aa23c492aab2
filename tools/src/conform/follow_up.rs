//! Items on answers in parts (functions 11 and 12).

use dlt645::Message;

use super::Item;
use super::bench::{Answer, Bench, Stop, Verdict, fail};

pub(super) const ITEMS: &[Item] = &[
    Item {
        name: "follow-up.parts",
        clause: "7.2 follow-up",
        en: "sends a long answer in parts of at most 200 bytes, counted from 1",
        zh: "长数据分帧，每帧不超过200字节，帧序号从1递增",
        touches: false,
        run: |bench| Box::pin(parts(bench)),
    },
    Item {
        name: "follow-up.repeat",
        clause: "7.2 follow-up",
        en: "gives the last part again when it is asked for again",
        zh: "重复请求同一帧序号得到相同数据",
        touches: false,
        run: |bench| Box::pin(repeat(bench)),
    },
    Item {
        name: "follow-up.wrong-number",
        clause: "7.2 follow-up",
        en: "refuses a part that is not the next with D2",
        zh: "帧序号不连续应答D2",
        touches: false,
        run: |bench| Box::pin(wrong_number(bench)),
    },
];

/// Most parts asked for; the longest record of the standard has six.
const PARTS: u8 = 60;

/// The first part of the long answer.
async fn first(bench: &mut Bench) -> Result<Answer, Stop> {
    let id = bench.settings.long;
    let answer = bench.ask(&Message::Read { id, rest: &[] }).await?;
    if answer.control & 0x40 != 0 {
        return Err(Stop::Skipped(format!(
            "the meter has no {id}: name a long one with --long"
        )));
    }
    answer.good(0x11, &id.line())?;
    if !answer.has_more() {
        return Err(Stop::Skipped(format!(
            "{id} fits into one frame: name a longer one with --long"
        )));
    }
    Ok(answer)
}

async fn part(bench: &mut Bench, sequence: u8) -> Result<Answer, Stop> {
    let id = bench.settings.long;
    let answer = bench.ask(&Message::ReadFollowUp { id, sequence }).await?;
    let data = answer.good(0x12, &id.line())?;
    match data.last() {
        Some(number) if *number == sequence => Ok(answer),
        number => fail(format!("part {sequence} is numbered {number:?}")),
    }
}

fn short(answer: &Answer) -> Result<usize, Stop> {
    match answer.data.len() {
        len @ ..=200 => Ok(len),
        len => fail(format!("a frame with {len} data bytes")),
    }
}

async fn parts(bench: &mut Bench) -> Verdict {
    let answer = first(bench).await?;
    let mut bytes = short(&answer)? - 4;
    for sequence in 1..=PARTS {
        let answer = part(bench, sequence).await?;
        bytes += short(&answer)?.saturating_sub(5);
        if !answer.has_more() {
            return Ok(format!("{bytes} bytes in {} frames", sequence + 1));
        }
    }
    fail(format!("more than {PARTS} parts"))
}

async fn repeat(bench: &mut Bench) -> Verdict {
    first(bench).await?;
    let once = part(bench, 1).await?;
    let twice = part(bench, 1).await?;
    if once != twice {
        return fail("the part changed");
    }
    Ok(String::new())
}

async fn wrong_number(bench: &mut Bench) -> Verdict {
    first(bench).await?;
    let id = bench.settings.long;
    let answer = bench
        .ask(&Message::ReadFollowUp { id, sequence: 9 })
        .await?;
    answer.refusal(0x12).map(|err| format!("ERR {err:02X}"))
}
