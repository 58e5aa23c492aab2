//! The decoder takes a frame in one piece by another way than a frame byte by byte: both must find the same.

use dlt645::{Address, ControlCode, Decoder, FRAME_MAX, Frame, Refusals};
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::Rng;

type Found = (Address, ControlCode, Vec<u8>);

fn found(line: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<Found>, Refusals) {
    let mut decoder = Decoder::new();
    let mut frames = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (mut now, later) = rest.split_at(piece().clamp(1, rest.len()));
        while !now.is_empty() {
            let fed = decoder.feed(now);
            if let Some(frame) = fed.frame {
                frames.push((frame.address, frame.control, frame.data.to_vec()));
            }
            now = &now[fed.used..];
        }
        rest = later;
    }
    while let Some(frame) = decoder.handle_gap() {
        frames.push((frame.address, frame.control, frame.data.to_vec()));
    }
    (frames, decoder.refusals())
}

proptest! {
    #[test]
    fn whole_line_pieces_and_single_bytes_agree(
        seed: u64,
        datas in vec(vec(any::<u8>(), 0..40), 0..6),
        noise in vec(prop_oneof![Just(0x68), Just(0xFE), Just(0x16), any::<u8>()], 0..60),
    ) {
        let mut random = Rng::new(seed);
        let mut line = Vec::new();
        for data in &datas {
            let from = random.below(noise.len() as u64 + 1) as usize;
            line.extend(&noise[from..]);
            let mut out = [0; FRAME_MAX];
            let address = Address::from_line([1, 0x68, 2, 0x68, 3, 4]);
            let len = Frame { address, control: ControlCode(0x91), data }.encode(&mut out).unwrap();
            line.extend(&out[..len]);
            if random.chance(300_000) {
                random.mutate(&mut line);
            }
        }
        let whole = found(&line, || usize::MAX);
        prop_assert_eq!(&found(&line, || 1), &whole);
        prop_assert_eq!(&found(&line, || 1 + random.below(30) as usize), &whole);
    }
}
