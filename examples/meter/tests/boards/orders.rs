//! Orders as the key service seals them.

use meter_proto::compact;
use meter_proto::message::{Command as Wanted, CommandBody, Head, Sealed};
use meter_proto::time::{ClockQuality, Stamp};
use security::counter::SendCounter;
use security::envelope::{Class, Direction};
use security::key::Purpose;
use security::link::Sealer;
use security::order::{Kind, Order, Recharge};
use security::suite::Suite;

use crate::setup;

pub fn session() -> Head {
    Head::session(
        1,
        Stamp::from_seconds(setup::START_MS / 1000, ClockQuality::SYNCHRONISED),
    )
}

/// A recharge in hundredths, good until `deadline_ms` (UTC, milliseconds since 1970), as a compact command.
pub fn recharge(amount: u32, number: u64, deadline_ms: u64) -> Vec<u8> {
    let deadline = meter::clock::order_moment(deadline_ms, setup::UTC_OFFSET_MIN).unwrap();
    let recharge = Recharge {
        amount,
        count: 1,
        customer: setup::CUSTOMER,
    };
    let order = Order::try_purse(Kind::Recharge, deadline, number, [1, 0, 0, 7], recharge).unwrap();
    let mut sealer = Sealer::new(
        &setup::key(Purpose::Purse),
        Direction::ToDevice,
        Suite::Ccm16,
        SendCounter::session(),
    );
    let mut buffer = [0; 128];
    let envelope = sealer
        .seal_from(
            Class::Command,
            b"",
            &order.encode()[..order.encoded_len()],
            &mut buffer,
        )
        .unwrap();
    let sealed = Sealed {
        purpose: Purpose::Purse.number(),
        envelope: heapless::Vec::from_slice(envelope).unwrap(),
    };
    let command = Wanted {
        id: number,
        issuer: 1,
        not_before: 0,
        expires: deadline_ms / 1000,
        priority: 3,
        body: CommandBody::Sealed(sealed),
    };
    let mut bytes = [0; 256];
    let length = compact::encode_as(&session(), &command, &mut bytes).unwrap();
    bytes[..length].to_vec()
}
