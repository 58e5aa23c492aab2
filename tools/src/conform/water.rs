//! Items on CJ/T 188 meters.

use cjt188::{Address, DataId, Frame, Function, Head, IdOrder, Message, MeterType, Reading};

use super::Item;
use super::bench::{Bench, Stop, Verdict, fail};
use crate::hex_text::show;

pub(super) const ITEMS: &[Item] = &[
    Item {
        name: "address.read",
        clause: "read address",
        en: "tells its address on the wildcard",
        zh: "以通配地址读地址",
        touches: false,
        run: |bench| Box::pin(address_read(bench)),
    },
    Item {
        name: "read.present",
        clause: "901F",
        en: "answers 901F with its type and address, the identifier and the running number",
        zh: "901F应答的类型、地址、数据标识和序列号正确",
        touches: false,
        run: |bench| Box::pin(read_present(bench, IdOrder::LowFirst)),
    },
    Item {
        name: "read.high-first",
        clause: "901F, 2004",
        en: "takes the identifier in the order 90 1F too",
        zh: "接受90 1F顺序的数据标识",
        touches: false,
        run: |bench| Box::pin(read_present(bench, IdOrder::HighFirst)),
    },
    Item {
        name: "read.wildcard",
        clause: "address",
        en: "answers a read on the wildcard with its own address",
        zh: "通配地址读数据，以自身地址应答",
        touches: false,
        run: |bench| Box::pin(read_wildcard(bench)),
    },
    Item {
        name: "silent.foreign-address",
        clause: "address",
        en: "does not answer another meter's address",
        zh: "不应答其他地址",
        touches: false,
        run: |bench| Box::pin(foreign(bench)),
    },
    Item {
        name: "silent.broadcast-read",
        clause: "address",
        en: "does not answer a read on the broadcast address",
        zh: "不应答广播地址的读数据",
        touches: false,
        run: |bench| Box::pin(broadcast(bench)),
    },
    Item {
        name: "silent.checksum",
        clause: "checksum",
        en: "does not answer a frame with a wrong checksum",
        zh: "不应答校验码错误的帧",
        touches: false,
        run: |bench| Box::pin(checksum(bench)),
    },
    Item {
        name: "frame.preamble",
        clause: "preamble",
        en: "answers behind 20 FE",
        zh: "20个前导字节后应答",
        touches: false,
        run: |bench| Box::pin(preamble(bench)),
    },
];

const SERIAL: u8 = 0x5A;

fn request(
    kind: MeterType,
    address: Address,
    function: Function,
    id: DataId,
    order: IdOrder,
) -> Result<Vec<u8>, Stop> {
    let head = Head {
        id,
        order,
        serial: SERIAL,
    };
    let message = Message::Request {
        function,
        head,
        data: &[],
    };
    let mut place = [0; 64];
    match message.encode_frame(kind, address, &mut place) {
        Ok(len) => Ok(place.get(..len).unwrap_or_default().to_vec()),
        Err(err) => fail(err.to_string()),
    }
}

fn present(kind: MeterType, address: Address) -> Result<Vec<u8>, Stop> {
    request(
        kind,
        address,
        Function::READ,
        DataId::PRESENT,
        IdOrder::LowFirst,
    )
}

/// Type and address of a meter that tells them.
pub(super) async fn find(bench: &mut Bench) -> Option<(MeterType, Address)> {
    let line = request(
        MeterType::ANY,
        Address::WILDCARD,
        Function::READ_ADDRESS,
        DataId::READ_ADDRESS,
        IdOrder::LowFirst,
    )
    .ok()?;
    let heard = bench.raw(&[&line]).await.ok()?;
    let frame = Frame::parse(&heard.bytes).ok()?;
    Some((frame.meter_type, frame.address))
}

async fn address_read(bench: &mut Bench) -> Verdict {
    match find(bench).await {
        None => fail("no answer"),
        Some(told) if told == bench.water => Ok(told.1.to_string()),
        Some((kind, address)) => fail(format!("told {:02X} {address}", kind.0)),
    }
}

/// The data of a good answer to 901F, three tries.
async fn ask(bench: &mut Bench, line: &[u8], order: IdOrder) -> Result<Vec<u8>, Stop> {
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard = bench.raw(&[line]).await?.bytes;
        if !heard.is_empty() {
            break;
        }
    }
    if heard.is_empty() {
        return fail("no answer");
    }
    let Ok(frame) = Frame::parse(&heard) else {
        return fail(format!("no frame: {}", show(&heard)));
    };
    if (frame.meter_type, frame.address) != bench.water {
        return fail(format!(
            "answered as {:02X} {}",
            frame.meter_type.0, frame.address
        ));
    }
    match frame.message(order) {
        Ok(Message::Answer { head, data, .. })
            if head.id.same_pair(DataId::PRESENT) && head.serial == SERIAL =>
        {
            Ok(data.to_vec())
        }
        Ok(Message::Answer { head, .. }) => fail(format!(
            "answered {} with the running number {:02X}",
            head.id, head.serial
        )),
        _ => fail(format!("answered {}", show(&heard))),
    }
}

async fn read_present(bench: &mut Bench, order: IdOrder) -> Verdict {
    let (kind, address) = bench.water;
    let line = request(kind, address, Function::READ, DataId::PRESENT, order)?;
    let data = ask(bench, &line, order).await?;
    match Reading::parse(kind, &data) {
        Ok(_) => Ok(format!("{} bytes", data.len())),
        Err(err) => fail(err.to_string()),
    }
}

async fn read_wildcard(bench: &mut Bench) -> Verdict {
    let line = present(MeterType::ANY, Address::WILDCARD)?;
    ask(bench, &line, IdOrder::LowFirst).await?;
    Ok(String::new())
}

async fn silent(bench: &mut Bench, line: &[u8]) -> Verdict {
    let heard = bench.raw(&[line]).await?;
    if !heard.bytes.is_empty() {
        return fail(format!("answered {}", show(&heard.bytes)));
    }
    let (kind, address) = bench.water;
    let good = present(kind, address)?;
    ask(bench, &good, IdOrder::LowFirst).await?;
    Ok("silent".to_owned())
}

async fn foreign(bench: &mut Bench) -> Verdict {
    let (kind, address) = bench.water;
    let other = address
        .line()
        .map(|byte| if byte == 0x11 { 0x22 } else { 0x11 });
    let line = present(kind, Address::from_line(other))?;
    silent(bench, &line).await
}

async fn broadcast(bench: &mut Bench) -> Verdict {
    let (kind, _) = bench.water;
    let line = present(kind, Address::from_line([0x99; 7]))?;
    silent(bench, &line).await
}

async fn checksum(bench: &mut Bench) -> Verdict {
    let (kind, address) = bench.water;
    let mut line = present(kind, address)?;
    let at = line.len().saturating_sub(2);
    if let Some(byte) = line.get_mut(at) {
        *byte = byte.wrapping_add(1);
    }
    silent(bench, &line).await
}

async fn preamble(bench: &mut Bench) -> Verdict {
    let (kind, address) = bench.water;
    let mut line = vec![0xFE; 20];
    line.extend(present(kind, address)?);
    ask(bench, &line, IdOrder::LowFirst).await?;
    Ok(String::new())
}
