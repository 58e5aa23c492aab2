//! Items on what a meter must not answer.

use dlt645::{Address, ControlCode, Frame, Function, Message, Stamp};

use super::Item;
use super::bench::{Bench, Verdict, fail, line};

pub(super) const ITEMS: &[Item] = &[
    Item {
        name: "silent.foreign-address",
        clause: "5.2.2 address",
        en: "does not answer another meter's address",
        zh: "不应答其他地址",
        touches: false,
        run: |bench| Box::pin(foreign(bench)),
    },
    Item {
        name: "silent.foreign-abbreviated",
        clause: "5.2.2 address",
        en: "does not answer an abbreviation of another address",
        zh: "不应答其他缩位地址",
        touches: false,
        run: |bench| Box::pin(foreign_abbreviated(bench)),
    },
    Item {
        name: "silent.checksum",
        clause: "5.2.6 checksum",
        en: "does not answer a frame with a wrong checksum",
        zh: "不应答校验码错误的帧",
        touches: false,
        run: |bench| Box::pin(spoilt(bench, Spoil::Checksum)),
    },
    Item {
        name: "silent.end",
        clause: "5.2.7 end",
        en: "does not answer a frame that does not end with 16",
        zh: "不应答结束符错误的帧",
        touches: false,
        run: |bench| Box::pin(spoilt(bench, Spoil::End)),
    },
    Item {
        name: "silent.second-start",
        clause: "5.2.3 start",
        en: "does not answer a frame without its second 68",
        zh: "不应答缺少第二个68H的帧",
        touches: false,
        run: |bench| Box::pin(spoilt(bench, Spoil::SecondStart)),
    },
    Item {
        name: "silent.broken-off",
        clause: "5.1 byte gap",
        en: "does not answer half a frame, and answers the next whole one",
        zh: "不应答不完整的帧，且能应答其后的完整帧",
        touches: false,
        run: |bench| Box::pin(spoilt(bench, Spoil::Half)),
    },
    Item {
        name: "silent.from-meter",
        clause: "5.2.4 D7",
        en: "does not answer a frame that comes from a meter",
        zh: "不应答从站方向的帧",
        touches: false,
        run: |bench| Box::pin(from_meter(bench)),
    },
    Item {
        name: "silent.unknown-function",
        clause: "5.2.4 function",
        en: "does not answer a function that is not defined",
        zh: "不应答未定义的功能码",
        touches: false,
        run: |bench| Box::pin(unknown_function(bench)),
    },
    Item {
        name: "silent.broadcast-read",
        clause: "5.2.2 broadcast",
        en: "does not answer a read on the broadcast address",
        zh: "不应答广播地址的读数据",
        touches: false,
        run: |bench| Box::pin(broadcast_read(bench)),
    },
    Item {
        name: "silent.broadcast-time",
        clause: "7.4 broadcast time",
        en: "does not answer the broadcast of a time",
        zh: "不应答广播校时",
        touches: true,
        run: |bench| Box::pin(broadcast_time(bench)),
    },
];

async fn foreign(bench: &mut Bench) -> Verdict {
    let line = line(bench.foreign(), &bench.known_read())?;
    bench.silence(&[&line]).await
}

async fn foreign_abbreviated(bench: &mut Bench) -> Verdict {
    let mut bytes = [0xAA; 6];
    if let (Some(to), Some(from)) = (bytes.first_mut(), bench.foreign().line().first()) {
        *to = *from;
    }
    let line = line(Address::from_line(bytes), &bench.known_read())?;
    bench.silence(&[&line]).await
}

enum Spoil {
    Checksum,
    End,
    SecondStart,
    Half,
}

async fn spoilt(bench: &mut Bench, spoil: Spoil) -> Verdict {
    let mut bytes = line(bench.address, &bench.known_read())?;
    let len = bytes.len();
    match spoil {
        Spoil::Checksum => change(&mut bytes, len.saturating_sub(2), |byte| {
            byte.wrapping_add(1)
        }),
        Spoil::End => change(&mut bytes, len.saturating_sub(1), |_| 0x17),
        Spoil::SecondStart => {
            change(&mut bytes, 7, |_| 0x69);
            // The sum is right, so that this alone is wrong.
            change(&mut bytes, len.saturating_sub(2), |byte| {
                byte.wrapping_add(1)
            });
        }
        Spoil::Half => bytes.truncate(len / 2),
    }
    bench.silence(&[&bytes]).await
}

fn change(bytes: &mut [u8], at: usize, with: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = with(*byte);
    }
}

async fn from_meter(bench: &mut Bench) -> Verdict {
    let data = bench.settings.known.line();
    with_control(bench, ControlCode::answer(Function::READ, false), &data).await
}

async fn unknown_function(bench: &mut Bench) -> Verdict {
    with_control(bench, ControlCode(0x05), &[]).await
}

async fn with_control(bench: &mut Bench, control: ControlCode, data: &[u8]) -> Verdict {
    let mut place = [0; 64];
    let frame = Frame {
        address: bench.address,
        control,
        data,
    };
    match frame.encode(&mut place) {
        Ok(len) => {
            let bytes = place.get(..len).unwrap_or_default();
            bench.silence(&[bytes]).await
        }
        Err(err) => fail(err.to_string()),
    }
}

async fn broadcast_read(bench: &mut Bench) -> Verdict {
    let line = line(Address::BROADCAST, &bench.known_read())?;
    bench.silence(&[&line]).await
}

/// A time half a year away, which no meter takes.
async fn broadcast_time(bench: &mut Bench) -> Verdict {
    let far = jiff::Zoned::now()
        .datetime()
        .checked_sub(jiff::Span::new().months(6))
        .ok()
        .and_then(|time| crate::encode::stamp(time).ok());
    let far: Stamp = far.unwrap_or_default();
    let line = line(Address::BROADCAST, &Message::BroadcastTime(far))?;
    bench.silence(&[&line]).await
}
