//! Bad bytes, seeded, and the ways to bring them to a port.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use testkit::{Rng, cases};

/// Half random bytes, half good frames that were changed; of those a third gets a good check sum again, so that they
/// come further in than the check.
pub struct Frames {
    rng: Rng,
    good: Vec<Vec<u8>>,
}

impl Frames {
    pub fn new(seed: u64, good: Vec<Vec<u8>>) -> Self {
        Self {
            rng: Rng::new(seed),
            good,
        }
    }

    pub fn bad(&mut self) -> Vec<u8> {
        if self.rng.below(2) == 0 {
            let mut bytes = self.rng.bytes(80);
            bytes.push(self.rng.byte());
            return bytes;
        }
        let mut frame = self.rng.pick(&self.good).unwrap().clone();
        let kept = frame.clone();
        if self.rng.below(3) == 0 && frame.len() > 14 {
            // Other data under a good check sum.
            let at = 10 + self.rng.below(frame.len() as u64 - 12) as usize;
            frame[at] = self.rng.byte();
            let sum = frame.len() - 2;
            frame[sum] = frame[..sum]
                .iter()
                .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
        } else {
            self.rng.mutate(&mut frame);
        }
        if frame == kept || frame.is_empty() {
            frame.push(!kept.first().copied().unwrap_or(0));
            frame.reverse();
        }
        frame
    }

    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }
}

/// Frames of real meters from the project's vectors, without what stands in front of them.
pub fn recorded(edition: &str) -> Vec<Vec<u8>> {
    let file = cases::load("dlt645/frames.json");
    let frames = file["frames"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|frame| frame["edition"] == edition);
    frames
        .map(|frame| {
            let mut bytes = cases::hex(frame["hex"].as_str().unwrap());
            bytes.drain(
                ..frame["frame_offset"]
                    .as_u64()
                    .map_or(0, |at| at as usize)
                    .min(bytes.len() - 1),
            );
            bytes
        })
        .collect()
}

/// A DL/T 645 frame; `data` as before the 33H are added.
pub fn dlt645(digits: &str, control: u8, data: &[u8]) -> Vec<u8> {
    let mut address = cases::hex(digits);
    address.reverse();
    let mut frame = vec![0x68];
    frame.extend(address);
    frame.extend([0x68, control, data.len() as u8]);
    frame.extend(data.iter().map(|byte| byte.wrapping_add(0x33)));
    ended(frame)
}

/// A CJ/T 188 frame; `digits` are type and address.
pub fn cjt188(digits: &str, control: u8, data: &[u8]) -> Vec<u8> {
    let address = cases::hex(digits);
    let mut frame = vec![0x68, address[0]];
    frame.extend(address[1..].iter().rev());
    frame.extend([control, data.len() as u8]);
    frame.extend(data);
    ended(frame)
}

fn ended(mut frame: Vec<u8>) -> Vec<u8> {
    let sum = frame
        .iter()
        .fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    frame.extend([sum, 0x16]);
    frame
}

/// A connection that gives up instead of hanging.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// Sends `bytes` on a connection of its own and returns what comes back until the other side closes. A peer that
/// closes in the middle is in its right.
pub fn send(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    let _ = stream
        .write_all(bytes)
        .and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Sends a question that asks for the end of the connection, and returns the answer. The way there stays open: a
/// server may take its end for the end of the questioner.
pub fn ask(port: u16, question: &[u8]) -> Vec<u8> {
    let mut stream = connect(port);
    let mut answer = Vec::new();
    let _ = stream
        .write_all(question)
        .and_then(|()| stream.read_to_end(&mut answer));
    answer
}

/// Sends each frame of a stream of bad ones over a few connections, reading whatever is answered.
pub fn flood(port: u16, frames: &mut Frames, count: usize) {
    const PER_CONNECTION: usize = 500;
    for _ in 0..count / PER_CONNECTION {
        let bytes: Vec<u8> = (0..PER_CONNECTION).flat_map(|_| frames.bad()).collect();
        let stream = connect(port);
        let mut reader = stream.try_clone().unwrap();
        let reading = std::thread::spawn(move || {
            let mut answers = Vec::new();
            let _ = reader.read_to_end(&mut answers);
            answers.len()
        });
        (&stream).write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        reading.join().unwrap();
    }
}
