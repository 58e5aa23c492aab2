//! An image ordered by the platform, carried by the gateway, resumed over its restart.

#[path = "../../meter/tests/boards/line_board.rs"]
mod line_board;
mod support;
#[path = "../../meter/tests/boards/updatable.rs"]
mod updatable;

use std::time::Duration;

use meter::update::Package;
use meter_proto::message::{Command, CommandBody, FileStatus, Head, Message, Status};
use meter_proto::time::{ClockQuality, Stamp};
use security::envelope::Class;
use security::fw::MANIFEST_LEN;
use support::{Broker, Cloud, METER, config, until};
use updatable::package;

const IMAGE: usize = 64 * 1024;

/// An order to the first meter to use a file.
fn activate(id: u64, file: u32) -> Message {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let head = Head {
        node: 1,
        ..Head::session(1, Stamp::from_seconds(now, ClockQuality::NETWORK))
    };
    let body = CommandBody::Activate {
        file,
        until: 0,
        trial_s: 0,
    };
    let command = Command {
        id,
        issuer: 1,
        not_before: 0,
        expires: now + 600,
        priority: 0,
        body,
    };
    Message::new(head, command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_arrives_over_a_restart_of_the_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let good = [package(1, IMAGE), package(2, IMAGE)];
    let (meter, seen) = line_board::serve(good.clone(), true, Duration::from_millis(2));
    let config = config(dir.path(), broker.port, meter);
    let images = config.data_dir.join("images");
    std::fs::create_dir_all(&images).unwrap();
    std::fs::write(images.join("no-package.mfw"), b"anything").unwrap();
    std::fs::write(images.join("second.mfw"), &good[1]).unwrap();
    let offer = Package::parse(&good[1]).unwrap().offer();
    let (file, blocks) = (offer.number, u64::from(offer.blocks()));

    let cloud = Cloud::start(broker.port);
    let running = gateway::start(config.clone(), gateway::system_clock())
        .await
        .unwrap();
    let registered = || !cloud.seen.lock().unwrap().session.is_empty();
    until("the gateway registers", 20, registered).await;
    // What is not there cannot be used.
    cloud.down(Class::Command, &activate(70, file ^ 1));
    until("a file that nobody has", 20, || {
        cloud.results().contains(&(70, Status::BAD_ARGUMENT))
    })
    .await;
    cloud.down(Class::Command, &activate(71, file));
    until("a third of the image", 60, || {
        seen.whole() > IMAGE as u32 / 3
    })
    .await;
    // Readings go on meanwhile.
    let answers = running.status().devices[METER].answers;
    until("readings beside the image", 20, || {
        running.status().devices[METER].answers > answers
    })
    .await;
    running.kill();
    // What was on its way when the gateway was ended.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let whole = u64::from(seen.whole());
    assert!(whole < IMAGE as u64, "the image was whole too soon");

    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    until("the image is in use", 120, || {
        cloud.results().contains(&(71, Status::DONE))
    })
    .await;
    assert_eq!((seen.running(), seen.starts()), (2, 2));
    let sent = running.status().devices[METER].image_blocks;
    assert!(
        sent > 0 && sent <= blocks - whole / 512,
        "{sent} of {blocks} blocks were sent again after {whole} bytes"
    );
    println!("{whole} bytes before the restart, {sent} of {blocks} blocks after it");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_meter_does_not_keep_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let Some(broker) = Broker::start(dir.path()) else {
        return;
    };
    let length = 4096;
    let good = [package(1, length), package(2, length)];
    // Of another hash, so that its offer has another number; the signature is then wrong.
    let mut manifest = *Package::parse(&good[1]).unwrap().manifest();
    manifest.image_hash[0] ^= 1;
    let mut forged = good[1].clone();
    forged[..MANIFEST_LEN].copy_from_slice(&manifest.encode());
    let (meter, seen) = line_board::serve(good.clone(), false, Duration::ZERO);
    let config = config(dir.path(), broker.port, meter);
    let images = config.data_dir.join("images");
    std::fs::create_dir_all(&images).unwrap();
    std::fs::write(images.join("second.mfw"), &good[1]).unwrap();
    std::fs::write(images.join("forged.mfw"), &forged).unwrap();
    let number = |package: &[u8]| Package::parse(package).unwrap().offer().number;

    let cloud = Cloud::start(broker.port);
    let running = gateway::start(config, gateway::system_clock())
        .await
        .unwrap();
    let registered = || !cloud.seen.lock().unwrap().session.is_empty();
    until("the gateway registers", 20, registered).await;
    cloud.down(Class::Command, &activate(80, number(&good[1])));
    until("an image that goes back", 60, || {
        cloud
            .details()
            .contains(&(80, Status::FAILED, u32::from(FileStatus::FELL_BACK.0)))
    })
    .await;
    cloud.down(Class::Command, &activate(81, number(&forged)));
    until("a forged image", 60, || {
        cloud
            .details()
            .contains(&(81, Status::FAILED, u32::from(FileStatus::BAD_CONTENT.0)))
    })
    .await;
    assert_eq!(seen.running(), 1);
    running.shutdown().await;
}
