//! Killed in the middle of a run: what was acknowledged is there, once.

mod house;

use house::{GATEWAY, Gateway, Hands, IMPORT, METERS, MORNING, SOLAR};
use meter_proto::message::Stream;
use meter_proto::value::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

fn start(folder: &std::path::Path) -> (Child, u16) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cloud"))
        .arg("--data-dir")
        .arg(folder)
        .args(["--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let port = ready["mqtt"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    (child, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_means_stored() {
    let folder = tempfile::tempdir().unwrap();
    let provisioned: Vec<_> = METERS
        .into_iter()
        .chain([GATEWAY])
        .map(|device| cloud::provision(folder.path(), &cloud::Provision::new(device)).unwrap())
        .collect();
    let mut blocks = Vec::new();
    for round in 0..4 {
        let (mut child, port) = start(folder.path());
        let mut gateway = Gateway::connect_to(port, &provisioned, Hands::at(MORNING)).await;
        if blocks.is_empty() {
            for seq in 1..=60 {
                blocks.push(gateway.legal(
                    SOLAR,
                    seq,
                    1,
                    seq,
                    &[(IMPORT, Value::new(i64::from(seq), -1))],
                ));
            }
        }
        // A few that were acknowledged before the last kill come again, as after a lost acknowledgement.
        let from = (round * 15_usize).saturating_sub(4);
        for block in &blocks[from..(round + 1) * 15] {
            gateway.publish(Stream::LEGAL, block.clone()).await;
        }
        // SIGKILL: no chance to tidy up.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let history =
        cloud::history::History::open(&folder.path().join(cloud::HISTORY_FILE), 480).unwrap();
    let counts = history.sealed_counts().unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!(
        (counts[0].records, counts[0].first, counts[0].last),
        (60, 1, 60)
    );
    let bytes = history.sealed_bytes(SOLAR, 1, 33).unwrap().unwrap();
    assert_eq!(bytes.first(), Some(&0x11), "the envelope as it came");
}
