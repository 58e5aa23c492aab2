//! The snapshot of 20 values, written and read by this crate and by its peers. Prints nanoseconds; with `count STEP
//! CODEC` does one of them 1,000 times for an instruction counter. `cargo xtask bench meter-proto` runs both.

use std::hint::black_box;
use std::time::{Duration, Instant};

use meter_proto::compact;
use meter_proto::message::{Head, SetSnapshot, Snapshot};
use prost::Message as _;

mod peers;
#[path = "peers/sparkplug.rs"]
mod sparkplug;

/// Calls under the instruction counter.
const COUNTED: u32 = 1_000;
const BOOT: u32 = 5_000;
const SEQ: u32 = 3_000_000;

/// What is done: step, codec, one call.
type Work = (&'static str, &'static str, Box<dyn FnMut()>);

fn bytes_of(write: impl FnOnce(&mut [u8]) -> usize) -> Vec<u8> {
    let mut out = [0; 1_024];
    let len = write(&mut out);
    out[..len].to_vec()
}

/// Every result is checked once; the calls that are measured only keep theirs.
fn works() -> Vec<Work> {
    let head = peers::head(BOOT, SEQ);
    let (whole, set) = (peers::snapshot(), peers::set_snapshot());
    let cbor = peers::cbor::message(BOOT, SEQ);
    let spark = sparkplug::by_alias(SEQ);

    let ours = bytes_of(|out| compact::encode_as(&head, &whole, out).expect("it fits"));
    let ours_set = bytes_of(|out| compact::encode_as(&head, &set, out).expect("it fits"));
    let postcard = bytes_of(|out| {
        postcard::to_slice(&(&head, &whole), out)
            .expect("it fits")
            .len()
    });
    let postcard_set = bytes_of(|out| {
        postcard::to_slice(&(&head, &set), out)
            .expect("it fits")
            .len()
    });
    assert_eq!(postcard, ours[2..ours.len() - 1], "one layout");
    assert_eq!(postcard_set, ours_set[2..ours_set.len() - 1], "one layout");
    let minicbor = bytes_of(|out| {
        let room = out.len();
        let mut rest = &mut out[..];
        minicbor::encode(cbor, &mut rest).expect("it fits");
        room - rest.len()
    });
    let prost = spark.encode_to_vec();

    let back: (Head, Snapshot) = compact::decode_as(&ours).expect("ours");
    assert_eq!(back, (head, whole.clone()));
    let back: (Head, Snapshot) = postcard::from_bytes(&postcard).expect("postcard");
    assert_eq!(back, (head, whole.clone()));
    let back: peers::cbor::Message = minicbor::decode(&minicbor).expect("minicbor");
    assert_eq!(back, cbor);
    assert_eq!(sparkplug::Payload::decode(&prost[..]).as_ref(), Ok(&spark));

    let mut works: Vec<Work> = Vec::new();
    let mut add = |step, codec, call: Box<dyn FnMut()>| works.push((step, codec, call));
    let (body, mut out) = (whole.clone(), [0; 1_024]);
    add(
        "encode",
        "ours",
        Box::new(move || {
            let _ = black_box(compact::encode_as(
                black_box(&head),
                black_box(&body),
                &mut out,
            ));
            black_box(&out);
        }),
    );
    let (body, mut out) = (whole.clone(), [0; 1_024]);
    add(
        "encode",
        "postcard",
        Box::new(move || {
            let _ = black_box(
                postcard::to_slice(black_box(&(&head, &body)), &mut out).map(|out| out.len()),
            );
            black_box(&out);
        }),
    );
    let mut out = [0; 1_024];
    add(
        "encode",
        "minicbor",
        Box::new(move || {
            let _ = black_box(minicbor::encode(black_box(&cbor), &mut out[..]));
            black_box(&out);
        }),
    );
    let mut out = Vec::with_capacity(1_024);
    add(
        "encode",
        "prost",
        Box::new(move || {
            out.clear();
            let _ = black_box(black_box(&spark).encode(&mut out));
            black_box(&out);
        }),
    );
    add(
        "decode",
        "ours",
        Box::new(move || {
            let _ = black_box(compact::decode_as::<Snapshot>(black_box(&ours)));
        }),
    );
    add(
        "decode",
        "postcard",
        Box::new(move || {
            let _ = black_box(postcard::from_bytes::<(Head, Snapshot)>(black_box(
                &postcard,
            )));
        }),
    );
    add(
        "decode",
        "minicbor",
        Box::new(move || {
            let _ = black_box(minicbor::decode::<peers::cbor::Message>(black_box(
                &minicbor,
            )));
        }),
    );
    add(
        "decode",
        "prost",
        Box::new(move || {
            let _ = black_box(sparkplug::Payload::decode(black_box(&prost[..])));
        }),
    );
    let (body, mut out) = (set.clone(), [0; 1_024]);
    add(
        "encode set",
        "ours",
        Box::new(move || {
            let _ = black_box(compact::encode_as(
                black_box(&head),
                black_box(&body),
                &mut out,
            ));
            black_box(&out);
        }),
    );
    let mut out = [0; 1_024];
    add(
        "encode set",
        "postcard",
        Box::new(move || {
            let _ = black_box(
                postcard::to_slice(black_box(&(&head, &set)), &mut out).map(|out| out.len()),
            );
            black_box(&out);
        }),
    );
    add(
        "decode set",
        "ours",
        Box::new(move || {
            let _ = black_box(compact::decode_as::<SetSnapshot>(black_box(&ours_set)));
        }),
    );
    add(
        "decode set",
        "postcard",
        Box::new(move || {
            let _ = black_box(postcard::from_bytes::<(Head, SetSnapshot)>(black_box(
                &postcard_set,
            )));
        }),
    );
    works
}

/// The instruction counter is told to count in here only.
#[inline(never)]
fn measured(calls: u32, work: &mut dyn FnMut()) {
    for _ in 0..calls {
        work();
    }
}

/// Nanoseconds of one call, the least of many short runs; the codecs take turns, so that a busy machine meets all.
fn nanoseconds(works: &mut [Work]) -> Vec<f64> {
    let mut best = vec![f64::MAX; works.len()];
    for _ in 0..40 {
        for ((.., work), best) in works.iter_mut().zip(&mut best) {
            let (begin, mut calls) = (Instant::now(), 0u32);
            while begin.elapsed() < Duration::from_millis(5) {
                measured(200, work);
                calls += 200;
            }
            *best = best.min(begin.elapsed().as_nanos() as f64 / f64::from(calls));
        }
    }
    best
}

fn main() {
    let mut works = works();
    let arguments: Vec<String> = std::env::args().filter(|word| word != "--bench").collect();
    if let [_, count, step, codec] = &arguments[..]
        && count == "count"
    {
        let (.., work) = works
            .iter_mut()
            .find(|(s, c, _)| s == step && c == codec)
            .expect("no such step and codec");
        measured(COUNTED, work);
        println!("calls {COUNTED}");
        return;
    }
    let times = nanoseconds(&mut works);
    for ((step, codec, _), time) in works.iter().zip(times) {
        println!("{step}/{codec} {time:.1}");
    }
}
