//! A meter, a gateway, a broker and a cloud, with restarts in between: every record arrives once.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use meter_proto::message::{Body, Command, CommandBody, EventPhase, Head, Message, Status};
use meter_proto::time::{ClockQuality, Stamp};
use security::envelope::Class;
use support::{Broker, Cloud, MeterState, config, serve_meter, until};

fn now_s() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn command(id: u64, node: u16, expires: u64, body: CommandBody) -> Message {
    let head = Head {
        node,
        ..Head::session(1, Stamp::from_seconds(now_s(), ClockQuality::NETWORK))
    };
    Message::new(
        head,
        Command {
            id,
            issuer: 1,
            not_before: 0,
            expires,
            priority: 0,
            body,
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_restarts_of_broker_and_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let config = config(
        dir.path(),
        broker.port,
        serve_meter(Arc::clone(&meter)).await,
    );
    let cloud = Cloud::start(broker.port);

    // The meter makes a record every 20 ms through everything that follows.
    let making = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let maker = tokio::spawn({
        let (meter, making) = (Arc::clone(&meter), Arc::clone(&making));
        async move {
            while making.load(std::sync::atomic::Ordering::Relaxed) {
                meter.lock().unwrap().make_record();
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });

    let mut running = gateway::start(config.clone(), gateway::system_clock())
        .await
        .unwrap();
    until("the first records", 10, || cloud.legal().len() > 10).await;
    for _ in 0..3 {
        running.kill();
        tokio::time::sleep(Duration::from_millis(150)).await;
        running = gateway::start(config.clone(), gateway::system_clock())
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        broker.down();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(broker.up());
        let before = cloud.legal().len();
        until("records after a restart", 20, || {
            cloud.legal().len() > before + 10
        })
        .await;
    }
    making.store(false, std::sync::atomic::Ordering::Relaxed);
    maker.await.unwrap();
    let made = meter.lock().unwrap().next_seq;
    until("all records", 30, || cloud.legal().len() == made as usize).await;
    until("all acknowledgements", 30, || {
        running.status().waiting[&1] == 0
    })
    .await;

    assert!(
        cloud.legal().values().all(|count| *count == 1),
        "a record was numbered twice by the gateway"
    );
    assert!(
        meter.lock().unwrap().records.is_empty(),
        "the meter was told"
    );
    let status = running.status();
    println!(
        "{made} records, {}",
        serde_json::to_string(&status).unwrap()
    );
    assert!(status.devices[support::METER].online);
    check_what_arrived(&cloud);
    running.shutdown().await;
}

fn check_what_arrived(cloud: &Cloud) {
    let seen = cloud.seen.lock().unwrap();
    assert!(
        seen.session
            .iter()
            .any(|message| matches!(message.body, Body::Registration(_)))
    );
    assert!(
        seen.session
            .iter()
            .any(|message| matches!(&message.body, Body::Topology(t) if t.nodes.len() == 1))
    );
    let live = seen
        .committed
        .iter()
        .find_map(|message| match &message.body {
            Body::Snapshot(snapshot) => Some((message.head.node, snapshot.clone())),
            _ => None,
        });
    let (node, snapshot) = live.unwrap();
    assert_eq!(node, 1);
    let mut values = snapshot
        .samples
        .iter()
        .map(|sample| (sample.value.mantissa, sample.value.exponent));
    assert_eq!(values.next(), Some((2301, -1)));
    assert!(
        values.any(|value| value == (12_345_678, 1)),
        "the register keeps its digits"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_act_once_and_silence_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let config = config(
        dir.path(),
        broker.port,
        serve_meter(Arc::clone(&meter)).await,
    );
    let cloud = Cloud::start(broker.port);
    let running = gateway::start(config.clone(), gateway::system_clock())
        .await
        .unwrap();
    until("live values", 10, || {
        !cloud.seen.lock().unwrap().committed.is_empty()
    })
    .await;

    let relay = CommandBody::Relay {
        circuit: 0,
        closed: false,
    };
    let order = command(7, 1, now_s() + 60, relay.clone());
    cloud.down(Class::Command, &order);
    until("a result", 10, || cloud.results() == [(7, Status::DONE)]).await;
    cloud.down(Class::Command, &order);
    until("the stored result", 10, || {
        cloud.results() == [(7, Status::DONE); 2]
    })
    .await;
    assert_eq!(meter.lock().unwrap().carried_out, [7]);

    // Too late, nobody there, not for a gateway, in the wrong class.
    cloud.down(Class::Command, &command(8, 1, now_s() - 1, relay.clone()));
    cloud.down(Class::Command, &command(9, 77, now_s() + 60, relay.clone()));
    cloud.down(Class::Command, &command(10, 0, now_s() + 60, relay.clone()));
    cloud.down(
        Class::Acknowledge,
        &command(11, 1, now_s() + 60, relay.clone()),
    );
    let expected = [
        (8, Status::EXPIRED),
        (9, Status::BAD_ARGUMENT),
        (10, Status::UNKNOWN_BODY),
    ];
    until("three refusals", 10, || cloud.results()[2..] == expected).await;
    assert_eq!(
        running.status().refusals["down: command in another class"],
        1
    );

    // A command to a silent meter waits; after a restart of the gateway it is put to the meter all the same.
    meter.lock().unwrap().mute = true;
    until("silence", 15, || {
        !running.status().devices[support::METER].online
    })
    .await;
    let silent = |phase| {
        let seen = cloud.seen.lock().unwrap();
        seen.committed.iter().any(|message| {
            matches!(&message.body, Body::Event(event)
            if event.code == meter_proto::message::Event::DEVICE_SILENT && event.phase == phase)
        })
    };
    until("the alarm", 10, || silent(EventPhase::RAISED)).await;
    cloud.down(Class::Command, &command(12, 1, now_s() + 60, relay));
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.kill();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    meter.lock().unwrap().mute = false;
    until("the waiting command", 20, || {
        cloud.results().contains(&(12, Status::DONE))
    })
    .await;
    until("the end of the alarm", 10, || silent(EventPhase::CLEARED)).await;
    assert_eq!(meter.lock().unwrap().carried_out, [7, 12]);
    running.shutdown().await;
    until("the absence", 10, || {
        cloud.seen.lock().unwrap().absences > 0
    })
    .await;
}

/// The program itself, ended by SIGKILL at any moment.
struct Program(std::process::Child);

impl Program {
    fn start(config: &std::path::Path) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gateway"));
        command
            .arg("--config")
            .arg(config)
            .stdout(std::process::Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_sigkill_of_the_program() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let config = config(
        dir.path(),
        broker.port,
        serve_meter(Arc::clone(&meter)).await,
    );
    let file = dir.path().join("gateway.json");
    std::fs::write(&file, serde_json::to_vec(&config).unwrap()).unwrap();
    let cloud = Cloud::start(broker.port);
    let mut made = 0;
    for round in 0..6 {
        let program = Program::start(&file);
        (0..60).for_each(|_| meter.lock().unwrap().make_record());
        made += 60;
        let before = cloud.legal().len();
        until("some records", 10, || {
            cloud.legal().len() > before + 5 * round
        })
        .await;
        drop(program);
    }
    let _program = Program::start(&file);
    until("all records", 20, || cloud.legal().len() == made).await;
    assert!(
        cloud.legal().values().all(|count| *count == 1),
        "a record was numbered twice by the gateway"
    );
    until("the meter to be told", 10, || {
        meter.lock().unwrap().records.is_empty()
    })
    .await;
}

/// Whoever throws the data folder away loses what waited in it, and nothing of what comes after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_the_data_folder_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let meter = Arc::new(Mutex::new(MeterState::default()));
    let address = serve_meter(Arc::clone(&meter)).await;
    let cloud = Cloud::start(broker.port);
    let mut boots = Vec::new();
    for round in 1..=2 {
        let settings = config(dir.path(), broker.port, address);
        let data = settings.data_dir.clone();
        let clock = gateway::accelerated_clock(Some(1_800_000_000_000 + round * 60_000), 1);
        let running = gateway::start(settings, clock).await.unwrap();
        boots.push(running.status().boot);
        (0..20).for_each(|_| meter.lock().unwrap().make_record());
        until("all records", 20, || {
            cloud.legal().len() == 20 * round as usize
        })
        .await;
        until("the meter to be told", 10, || {
            meter.lock().unwrap().records.is_empty()
        })
        .await;
        running.shutdown().await;
        std::fs::remove_dir_all(data).unwrap();
    }
    assert!(boots[0] < boots[1], "{boots:?}");
    assert_eq!(cloud.seen.lock().unwrap().refused, 0);
}
