//! Serves a house with an hour behind it, to look at the page:
//! `cargo test -p meterkit-cloud --test look -- --ignored --nocapture`

mod house;

use house::{
    BALANCE, Gateway, House, IMPORT, MORNING, POWER, PREPAID, SOLAR, STATUS_3, THREE_PHASE, WATER,
    voltage,
};
use meter_proto::message::Stream;
use meter_proto::point::{Direction, Phase, PointId};
use meter_proto::quantity::Quantity;
use meter_proto::value::Value;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "serves until it is stopped, for ten minutes at most"]
async fn a_house_to_look_at() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    println!("{} {}", house.url("/"), house::PASSWORD);
    let export = PointId::new(Quantity::ACTIVE_ENERGY).direction(Direction::EXPORT);
    let begin = Instant::now();
    let (mut seq, mut block) = (0, 0);
    for step in 0_i64.. {
        let time = if step < 360 {
            MORNING - 3_600_000 + step as u64 * 10_000
        } else {
            MORNING + begin.elapsed().as_millis() as u64
        };
        house.hands.set(time);
        let wave = |length: i64, height: i64| (step % length - length / 2).abs() * height / length;
        let mut send = Vec::new();
        let volts = Value::new(2_298 + wave(40, 60), -1);
        send.push((
            PREPAID,
            vec![
                (
                    POWER,
                    Value::new(4_200 + wave(50, 9_000) + wave(7, 400), -1),
                ),
                (voltage(Phase::L1), volts),
                (BALANCE, Value::new((900 - step).max(-3), -2)),
                (STATUS_3, Value::new(if step > 900 { 0x10 } else { 0 }, 0)),
                (PointId::new(Quantity::FREQUENCY), Value::new(5_001, -2)),
            ],
        ));
        let three = [Phase::L1, Phase::L2, Phase::L3].map(|phase| (voltage(phase), volts));
        let mut workshop = vec![
            (POWER, Value::new(61_000 + wave(90, 60_000), -1)),
            (STATUS_3, Value::new(0, 0)),
        ];
        workshop.extend(three);
        if step == 200 {
            workshop.push((voltage(Phase::L2), Value::new(2_713, -1)));
        }
        send.push((THREE_PHASE, workshop));
        send.push((
            SOLAR,
            vec![
                (POWER, Value::new(6_000 - wave(200, 62_000), -1)),
                (STATUS_3, Value::new(0, 0)),
            ],
        ));
        send.push((
            WATER,
            vec![(
                PointId::new(Quantity::VOLUME),
                Value::new(12_345 + step / 20, -2),
            )],
        ));
        for (meter, values) in send {
            seq += 1;
            gateway.telemetry(meter, seq, &values).await;
        }
        if step % 6 == 0 {
            for (at, meter) in (1_i64..).zip([PREPAID, THREE_PHASE, SOLAR]) {
                block += 1;
                let registers = [
                    (IMPORT, Value::new(at * 1_203_377 + step * at * 14, -1)),
                    (export, Value::new((at - 1) / 2 * (88_112 + step * 11), -1)),
                ];
                let bytes = gateway.legal(meter, block, 1, step as u32 / 6 + 1, &registers);
                gateway.publish(Stream::LEGAL, bytes).await;
            }
        }
        if step >= 360 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if begin.elapsed() > Duration::from_secs(600) {
            return;
        }
    }
}
