//! Items on what a DL/T 645-2007 meter answers.

use dlt645::{Address, Authority, DataId, DataId1997, Edition, Message, Operator, Password};

use super::Item;
use super::bench::{Bench, Stop, Verdict, fail, line};
use crate::hex_text::show;

/// Refused by every meter: class FE does not exist.
const UNKNOWN: DataId = DataId(0xFEFE_FEFE);
/// The password of level 4, never told.
const SECRET: DataId = DataId(0x0400_0C05);
/// Date and weekday: writable in every meter.
const CLOCK: DataId = DataId(0x0400_0101);

const NOT_AUTHORISED: u8 = 0x04;

pub(super) const ITEMS: &[Item] = &[
    Item {
        name: "address.read",
        clause: "7.3 read address",
        en: "tells its address on the wildcard, the same in field and data",
        zh: "以通配地址读通信地址，地址域与数据一致",
        touches: false,
        run: |bench| Box::pin(address_read(bench)),
    },
    Item {
        name: "read.known",
        clause: "7.1 read",
        en: "answers a read with its address, 91 and the identifier",
        zh: "读数据应答的地址、控制码91和数据标识正确",
        touches: false,
        run: |bench| Box::pin(read_known(bench)),
    },
    Item {
        name: "read.wildcard",
        clause: "5.2.2 address",
        en: "answers a read on the wildcard with its own address",
        zh: "通配地址读数据，以自身地址应答",
        touches: false,
        run: |bench| Box::pin(read_wildcard(bench)),
    },
    Item {
        name: "read.abbreviated",
        clause: "5.2.2 address",
        en: "answers an abbreviated address with its own",
        zh: "缩位地址读数据，以自身地址应答",
        touches: false,
        run: |bench| Box::pin(read_abbreviated(bench)),
    },
    Item {
        name: "read.block",
        clause: "annex A, FF",
        en: "a block holds the single item first and whole items only",
        zh: "数据块首项与单项一致且长度为整数项",
        touches: false,
        run: |bench| Box::pin(read_block(bench)),
    },
    Item {
        name: "read.value",
        clause: "annex A, formats",
        en: "the value is decimal and has the length of the table",
        zh: "数值为BCD码且长度符合规定",
        touches: false,
        run: |bench| Box::pin(read_value(bench)),
    },
    Item {
        name: "refuse.unknown-identifier",
        clause: "5.2.4 ERR",
        en: "refuses an unknown identifier with D1 and ERR bit 1 alone",
        zh: "未知数据标识应答D1，错误字仅bit1",
        touches: false,
        run: |bench| Box::pin(unknown_identifier(bench)),
    },
    Item {
        name: "refuse.password-read",
        clause: "annex A, 04000C",
        en: "does not tell a password",
        zh: "密码不可读出",
        touches: false,
        run: |bench| Box::pin(password_read(bench)),
    },
    Item {
        name: "refuse.wrong-password",
        clause: "7.5 write",
        en: "refuses a write with a wrong password with D4 and ERR bit 2",
        zh: "密码错误的写操作应答D4，错误字bit2",
        touches: true,
        run: |bench| Box::pin(wrong_password(bench)),
    },
    Item {
        name: "refuse.wildcard-write",
        clause: "5.2.2 address",
        en: "does not write on the wildcard",
        zh: "通配地址不得写入",
        touches: true,
        run: |bench| Box::pin(wildcard_write(bench)),
    },
    Item {
        name: "refuse.rate",
        clause: "7.8 change rate",
        en: "refuses a rate byte of two bits with D7 and ERR bit 3",
        zh: "非法速率特征字应答D7，错误字bit3",
        touches: false,
        run: |bench| Box::pin(rate(bench)),
    },
    Item {
        name: "frame.no-preamble",
        clause: "5.1 preamble",
        en: "answers without any FE",
        zh: "无前导字节亦应答",
        touches: false,
        run: |bench| Box::pin(preamble(bench, 0)),
    },
    Item {
        name: "frame.preamble",
        clause: "5.1 preamble",
        en: "answers behind 20 FE",
        zh: "20个前导字节后应答",
        touches: false,
        run: |bench| Box::pin(preamble(bench, 20)),
    },
    Item {
        name: "frame.noise-ahead",
        clause: "5.2 frame",
        en: "finds a frame behind noise and a lone 68",
        zh: "干扰字节及孤立68H之后仍能应答",
        touches: false,
        run: |bench| Box::pin(noise_ahead(bench)),
    },
    Item {
        name: "frame.split",
        clause: "5.1 byte gap",
        en: "waits for the rest of a frame that pauses 100 ms",
        zh: "帧内停顿100毫秒仍能接收",
        touches: false,
        run: |bench| Box::pin(split(bench)),
    },
];

/// Items of these lists that say something of 2007 alone.
pub(super) const NOT_1997: &[&str] = &[
    "address.read",
    "read.block",
    "refuse.unknown-identifier",
    "refuse.password-read",
    "refuse.wrong-password",
    "refuse.wildcard-write",
    "refuse.rate",
    "silent.from-meter",
];

/// Items of 1997 alone.
pub(super) const ONLY_1997: &[Item] = &[Item {
    name: "refuse.unknown-identifier",
    clause: "1997 ERR",
    en: "refuses an unknown identifier with C1 and ERR bit 1",
    zh: "未知数据标识应答C1，错误字bit1",
    touches: false,
    run: |bench| Box::pin(unknown_identifier_1997(bench)),
}];

/// These judge all answers before them.
pub(super) const LAST: &[Item] = &[
    Item {
        name: "timing.answer",
        clause: "5.1 Td",
        en: "answers 20 to 500 ms after the request",
        zh: "应答延时20至500毫秒",
        touches: false,
        run: |bench| Box::pin(answer_time(bench)),
    },
    Item {
        name: "timing.gap",
        clause: "5.1 Tb",
        en: "pauses at most 500 ms between bytes",
        zh: "字节间停顿不超过500毫秒",
        touches: false,
        run: |bench| Box::pin(gap_time(bench)),
    },
];

async fn address_read(bench: &mut Bench) -> Verdict {
    let answer = bench
        .ask_at(Address::WILDCARD, &Message::ReadAddress)
        .await?;
    let data = answer.good(0x13, &[])?;
    if data != answer.address.line() {
        return fail(format!(
            "field {}, data {}",
            show(&answer.address.line()),
            show(data)
        ));
    }
    if answer.address != bench.address {
        return fail(format!("told {}", answer.address));
    }
    Ok(answer.address.to_string())
}

/// A good answer to the known read, sent to `address`.
async fn known(bench: &mut Bench, address: Address) -> Result<Vec<u8>, Stop> {
    let read = bench.known_read();
    let answer = bench.ask_at(address, &read).await?;
    let data = match bench.edition {
        Edition::V2007 => answer.good(0x11, &bench.settings.known.line())?,
        Edition::V1997 => answer.good(0x01, &bench.settings.known_1997.line())?,
    };
    if answer.address != bench.address {
        return fail(format!("answered as {}", answer.address));
    }
    Ok(data.to_vec())
}

async fn read_known(bench: &mut Bench) -> Verdict {
    known(bench, bench.address).await.map(|data| show(&data))
}

async fn read_wildcard(bench: &mut Bench) -> Verdict {
    known(bench, Address::WILDCARD).await?;
    Ok(String::new())
}

async fn read_abbreviated(bench: &mut Bench) -> Verdict {
    for low in [1, 3, 5] {
        let mut bytes = [0xAA; 6];
        for (to, from) in bytes.iter_mut().zip(bench.address.line()).take(low) {
            *to = from;
        }
        known(bench, Address::from_line(bytes)).await?;
    }
    Ok("1, 3 and 5 bytes".to_owned())
}

async fn read_block(bench: &mut Bench) -> Verdict {
    let single = known(bench, bench.address).await?;
    let id = bench.settings.known;
    let block = DataId(id.0 | 0x0000_FF00);
    let answer = bench
        .ask(&Message::Read {
            id: block,
            rest: &[],
        })
        .await?;
    let data = answer.good(0x11, &block.line())?;
    if !data.starts_with(&single) {
        return fail(format!("begins with {}", show(data)));
    }
    if single.is_empty() || !data.len().is_multiple_of(single.len()) {
        return fail(format!("{} bytes of items of {}", data.len(), single.len()));
    }
    Ok(format!("{} items", data.len() / single.len()))
}

async fn read_value(bench: &mut Bench) -> Verdict {
    let data = known(bench, bench.address).await?;
    let value = match bench.edition {
        Edition::V2007 => bench.settings.known.value(&data),
        Edition::V1997 => bench.settings.known_1997.value(&data),
    };
    match value {
        Ok(value) => Ok(value.to_string()),
        Err(dlt645::ValueError::Unknown) => Err(Stop::Skipped("not in the tables".to_owned())),
        Err(err) => fail(err.to_string()),
    }
}

async fn unknown_identifier(bench: &mut Bench) -> Verdict {
    let message = Message::Read {
        id: UNKNOWN,
        rest: &[],
    };
    let err = bench.ask(&message).await?.refusal(0x11)?;
    if err != 0x02 {
        return fail(format!("ERR {err:02X}"));
    }
    Ok("ERR 02".to_owned())
}

async fn unknown_identifier_1997(bench: &mut Bench) -> Verdict {
    let id = DataId1997(0xEEEE);
    let err = bench.ask(&Message::Read1997 { id }).await?.refusal(0x01)?;
    if err & 0x02 == 0 {
        return fail(format!("ERR {err:02X}"));
    }
    Ok(format!("ERR {err:02X}"))
}

async fn password_read(bench: &mut Bench) -> Verdict {
    let message = Message::Read {
        id: SECRET,
        rest: &[],
    };
    let err = bench.ask(&message).await?.refusal(0x11)?;
    Ok(format!("ERR {err:02X}"))
}

/// A write of the date with a password that no meter is delivered with.
fn write() -> Message<'static> {
    let password = Password {
        level: 0x04,
        digits: 0x0097_3516,
    };
    Message::Write {
        id: CLOCK,
        authority: Authority {
            password,
            operator: Operator(0),
        },
        data: &[0x06, 0x01, 0x01, 0x00],
    }
}

async fn wrong_password(bench: &mut Bench) -> Verdict {
    let line = line(bench.address, &write())?;
    // Once only: three wrong passwords lock a meter for a day.
    let heard = bench.raw(&[&line]).await?;
    let mut plain = [0; 255];
    let Ok(frame) = dlt645::Frame::parse(&heard.bytes, &mut plain) else {
        return fail("no answer");
    };
    match (frame.control.0, frame.data) {
        (0xD4, [err]) if err & NOT_AUTHORISED != 0 => Ok(format!("ERR {err:02X}")),
        (0xD4, data) => fail(format!("ERR {}", show(data))),
        (0x94, _) => fail("wrote with a wrong password"),
        (control, _) => fail(format!("answered {control:02X}")),
    }
}

async fn wildcard_write(bench: &mut Bench) -> Verdict {
    let line = line(Address::WILDCARD, &write())?;
    let heard = bench.raw(&[&line]).await?;
    let mut plain = [0; 255];
    match dlt645::Frame::parse(&heard.bytes, &mut plain) {
        Err(_) => Ok("silent".to_owned()),
        Ok(frame) if frame.control.0 == 0xD4 => Ok(format!("ERR {}", show(frame.data))),
        Ok(frame) => fail(format!("answered {:02X}", frame.control.0)),
    }
}

async fn rate(bench: &mut Bench) -> Verdict {
    let err = bench.ask(&Message::ChangeRate(0x18)).await?.refusal(0x17)?;
    if err & 0x08 == 0 {
        return fail(format!("ERR {err:02X}"));
    }
    Ok(format!("ERR {err:02X}"))
}

async fn preamble(bench: &mut Bench, count: usize) -> Verdict {
    let mut bytes = vec![0xFE; count];
    bytes.extend(line(bench.address, &bench.known_read())?);
    bench.answer(&[&bytes]).await.map(|_| String::new())
}

async fn noise_ahead(bench: &mut Bench) -> Verdict {
    let mut bytes = vec![0x00, 0x16, 0x68, 0x55, 0xFE, 0xFE];
    bytes.extend(line(bench.address, &bench.known_read())?);
    bench.answer(&[&bytes]).await.map(|_| String::new())
}

async fn split(bench: &mut Bench) -> Verdict {
    let bytes = line(bench.address, &bench.known_read())?;
    let (head, tail) = bytes.split_at(9);
    bench.answer(&[head, tail]).await.map(|_| String::new())
}

async fn answer_time(bench: &mut Bench) -> Verdict {
    let times = bench.times;
    let text = format!(
        "{} to {} ms over {} answers",
        times.shortest, times.longest, times.answers
    );
    if times.answers == 0 {
        return Err(Stop::Skipped("no answer was timed".to_owned()));
    }
    // Timers of a desk machine are off by a few milliseconds.
    if times.shortest + 3 < 20 || times.longest > 500 {
        return fail(text);
    }
    Ok(text)
}

async fn gap_time(bench: &mut Bench) -> Verdict {
    let text = format!("at most {} ms", bench.times.gap);
    if bench.times.gap > 500 {
        return fail(text);
    }
    Ok(text)
}
