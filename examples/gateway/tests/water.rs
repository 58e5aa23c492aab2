//! A water meter on a CJ/T 188 line: its reading reaches the cloud with all its digits.

mod support;

use std::sync::{Arc, Mutex};

use cjt188::{
    Address, Application, DataId, MeterType, Quantity, Reading, Slave, Status, Timing, Unit, Valve,
    VolumeReading,
};
use meter_proto::message::Body;
use meter_proto::point::PointId;
use meter_proto::quantity::Quantity as Kind;
use meter_proto::value::Value;
use support::{Broker, Cloud, MeterState, config, serve_meter, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Water;

impl Application for Water {
    fn meter_type(&self) -> MeterType {
        MeterType::COLD_WATER
    }

    fn address(&self) -> Address {
        Address::from_digits("20261100000004").unwrap()
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        if id != DataId::PRESENT {
            return Err(Status::default());
        }
        let volume = |mantissa| Quantity {
            mantissa,
            decimals: 2,
            unit: Some(Unit::CUBIC_METRE),
        };
        let status = Status::new(Valve::Open, false);
        let reading = VolumeReading {
            current: volume(12_345_678),
            settlement: volume(100),
            time: None,
            status,
        };
        Reading::Volume(reading)
            .encode(out)
            .map_err(|_| Status::default())
    }
}

async fn serve_water() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut port, _) = listener.accept().await.unwrap();
        let mut slave = Slave::new(Timing::tcp());
        let mut bytes = [0; 256];
        while let Ok(length @ 1..) = port.read(&mut bytes).await {
            let mut rest = &bytes[..length];
            while !rest.is_empty() {
                let used = slave.handle_bytes(0, rest, &mut Water);
                rest = &rest[used..];
                if let Some(answer) = slave.poll_transmit() {
                    port.write_all(answer).await.unwrap();
                }
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn digits_of_a_water_meter_reach_the_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let mut config = config(dir.path(), broker.port, serve_meter(meter).await);
    let water = serde_json::json!({
        "transport": { "tcp": serve_water().await },
        "protocol": "cjt188",
        "devices": [{ "id": "c188-1020261100000004", "profile": "water", "poll_ms": 100 }]
    });
    config.lines.push(serde_json::from_value(water).unwrap());
    let cloud = Cloud::start(broker.port);
    let running = gateway::start(
        config,
        gateway::accelerated_clock(Some(1_800_000_000_000), 4),
    )
    .await
    .unwrap();
    let volume = PointId::new(Kind::VOLUME);
    until("the volume", 10, || {
        let seen = cloud.seen.lock().unwrap();
        seen.committed.iter().any(|message| {
            matches!(&message.body, Body::Snapshot(snapshot)
                if message.head.node == 2 && snapshot.value(volume) == Some(Value::new(12_345_678, -2)))
        })
    })
    .await;
    assert!(running.status().devices["c188-1020261100000004"].online);
    running.shutdown().await;
}
