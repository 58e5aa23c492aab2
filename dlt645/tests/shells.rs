//! The shells on a simulated line in virtual time: both ends in one thread.
#![cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use dlt645::{
    Address, Application, Authority, Control, DataId, Err645, Event, Master, Order, Slave, Stamp,
    Timing,
};
use testkit::line::{End, Faults, Line};

const LONG: DataId = DataId(0x0330_0501);

#[derive(Default)]
struct Meter {
    orders: Vec<Order>,
    clock: Option<Stamp>,
}

fn own() -> Address {
    Address::from_digits("202611000001").unwrap()
}

impl Application for Meter {
    fn address(&self) -> Address {
        own()
    }

    fn read(&mut self, id: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        match id {
            LONG => {
                out[..682].fill(0x21);
                Ok(682)
            }
            DataId(0x0001_0000) => id.encode_number(123_456, out).map_err(|_| Err645::OTHER),
            _ => Err(Err645::NO_DATA),
        }
    }

    fn control(&mut self, _: &Authority, control: &Control) -> Result<(), Err645> {
        self.orders.push(control.order);
        Ok(())
    }

    fn set_time(&mut self, stamp: Stamp) {
        self.clock = Some(stamp);
    }
}

/// A line and the time, shared by both ends.
struct Bench {
    line: Line,
    now: u64,
}

#[derive(Clone)]
struct Port {
    bench: Rc<RefCell<Bench>>,
    end: End,
    heard: Rc<RefCell<Vec<u8>>>,
}

impl Port {
    fn pair(faults: Faults) -> (Port, Port) {
        let line = Line::new(7, 9600, faults).with_delay(2);
        let bench = Rc::new(RefCell::new(Bench { line, now: 0 }));
        let port = |end| Port {
            bench: bench.clone(),
            end,
            heard: Rc::default(),
        };
        (port(End::A), port(End::B))
    }

    fn fill(&self) {
        let mut bench = self.bench.borrow_mut();
        let now = bench.now;
        let bytes = bench.line.receive(now, self.end);
        self.heard.borrow_mut().extend(bytes);
    }

    fn take(&self, out: &mut [u8]) -> usize {
        self.fill();
        let mut heard = self.heard.borrow_mut();
        let len = heard.len().min(out.len());
        out[..len].copy_from_slice(&heard[..len]);
        heard.drain(..len);
        len
    }

    fn put(&self, bytes: &[u8]) -> usize {
        let mut bench = self.bench.borrow_mut();
        let now = bench.now;
        bench.line.send(now, self.end, bytes);
        bytes.len()
    }

    fn now(&self) -> u64 {
        self.bench.borrow().now
    }

    fn pass(&self) {
        self.bench.borrow_mut().now += 1;
    }
}

#[cfg(feature = "embedded-io")]
mod blocking {
    use super::*;
    use dlt645::ShellError;
    use dlt645::blocking::{Client, Server};

    impl embedded_io::ErrorType for Port {
        type Error = Infallible;
    }

    impl embedded_io::Read for Port {
        fn read(&mut self, out: &mut [u8]) -> Result<usize, Infallible> {
            Ok(self.take(out))
        }
    }

    impl embedded_io::ReadReady for Port {
        fn read_ready(&mut self) -> Result<bool, Infallible> {
            self.fill();
            Ok(!self.heard.borrow().is_empty())
        }
    }

    impl embedded_io::Write for Port {
        fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            Ok(self.put(bytes))
        }

        fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    /// Runs `with` against a served meter; the client's clock lets a millisecond pass and serves one step.
    fn bench<T>(
        faults: Faults,
        with: impl FnOnce(&mut Client<'_, Port, Box<dyn FnMut() -> u64>>) -> T,
    ) -> (T, Meter) {
        let (near, far) = Port::pair(faults);
        let clock = far.clone();
        let meter = Rc::new(RefCell::new(Meter::default()));
        let served = meter.clone();
        let buffer = Box::leak(Box::new([0; 1026]));
        let slave = Slave::new(buffer, Timing::rs485(9600));
        let time = far.clone();
        let mut server = Server::new(far, move || time.now(), slave);
        let tick: Box<dyn FnMut() -> u64> = Box::new(move || {
            clock.pass();
            server.step(&mut *served.borrow_mut()).unwrap();
            clock.now()
        });
        let mut buffer = [0; 1026];
        let mut client = Client::new(near, tick, Master::new(&mut buffer, Timing::rs485(9600)));
        let result = with(&mut client);
        (result, meter.take())
    }

    #[test]
    fn reads_orders_and_broadcasts() {
        let ((), meter) = bench(Faults::default(), |client| {
            match client.read(own(), LONG).unwrap() {
                Event::Data { data, .. } => assert_eq!(data, [0x21; 682]),
                other => panic!("{other:?}"),
            }
            assert_eq!(client.read_address(), Ok(Event::Address(own())));
            let control = Control {
                order: Order::Trip,
                delay: 0,
                expires: None,
            };
            let done = client.control(own(), Authority::default(), control);
            assert!(matches!(done, Ok(Event::Done { .. })));
            let refused = client.read(own(), DataId(0x0201_0100));
            assert!(matches!(refused, Ok(Event::Refused { .. })));
            let silent = client.read(Address::from_digits("1").unwrap(), LONG);
            assert_eq!(silent, Ok(Event::TimedOut { tries: 3 }));
            let unanswered = client.read(Address::BROADCAST, LONG);
            assert_eq!(unanswered, Err(ShellError::NoAnswer));
            client.broadcast_time(Stamp::default()).unwrap();
            // The broadcast needs its time on the line.
            assert_eq!(client.read_address(), Ok(Event::Address(own())));
        });
        assert_eq!(meter.orders, [Order::Trip]);
        assert_eq!(meter.clock, Some(Stamp::default()));
    }

    #[test]
    fn a_bad_line_costs_repeats() {
        let faults = Faults {
            lose_byte: 1000,
            noise_byte: 1000,
            ..Faults::default()
        };
        let (good, _) = bench(faults, |client| {
            (0..40)
                .filter(|_| matches!(client.read(own(), DataId(0x0001_0000)), Ok(Event::Data { data, .. }) if data == [0x56, 0x34, 0x12, 0]))
                .count()
        });
        assert_eq!(good, 40);
    }
}

#[cfg(feature = "embedded-io-async")]
mod asynch {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use dlt645::asynch::{Client, Server};
    use embedded_hal_async::delay::DelayNs;

    /// A port whose futures become ready as virtual time passes.
    #[derive(Clone)]
    struct Async(Port);

    impl embedded_io_async::ErrorType for Async {
        type Error = Infallible;
    }

    impl embedded_io_async::Read for Async {
        async fn read(&mut self, out: &mut [u8]) -> Result<usize, Infallible> {
            poll_fn(|_| match self.0.take(out) {
                0 => Poll::Pending,
                len => Poll::Ready(Ok(len)),
            })
            .await
        }
    }

    impl embedded_io_async::Write for Async {
        async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
            Ok(self.0.put(bytes))
        }

        async fn flush(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    impl DelayNs for Async {
        async fn delay_ns(&mut self, ns: u32) {
            let at = self.0.now() + u64::from(ns.div_ceil(1_000_000));
            poll_fn(|_| match self.0.now() >= at {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
        }
    }

    /// Lets both futures run until the first is done, a millisecond a turn; at most `turns`.
    fn run<T>(
        port: &Port,
        turns: usize,
        first: impl Future<Output = T>,
        second: impl Future,
    ) -> Option<T> {
        let (mut first, mut second) = (pin!(first), pin!(second));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..turns {
            if let Poll::Ready(result) = first.as_mut().poll(&mut context) {
                return Some(result);
            }
            assert!(second.as_mut().poll(&mut context).is_pending());
            port.pass();
        }
        None
    }

    #[test]
    fn a_dropped_future_loses_nothing() {
        let (near, far) = Port::pair(Faults::default());
        let time = near.clone();
        let mut meter = Meter::default();
        let (mut near_buffer, mut far_buffer) = ([0; 1026], [0; 1026]);
        let (near_clock, far_clock) = (near.clone(), far.clone());
        let timing = Timing::rs485(9600);
        let mut client = Client::new(
            Async(near.clone()),
            Async(near),
            move || near_clock.now(),
            Master::new(&mut near_buffer, timing),
        );
        let mut server = Server::new(
            Async(far.clone()),
            Async(far),
            move || far_clock.now(),
            Slave::new(&mut far_buffer, timing),
        );
        assert!(run(&time, 300, client.read(own(), LONG), server.run(&mut meter)).is_none());
        let mut dropped = 0;
        loop {
            match run(&time, 37, client.finish(), server.run(&mut meter)) {
                None => dropped += 1,
                Some(Ok(Some(Event::Data { data, .. }))) => {
                    assert_eq!(data, [0x21; 682]);
                    break;
                }
                Some(other) => panic!("{other:?}"),
            }
        }
        assert!(dropped > 10);
        // No question was put twice: 4 parts, at 9600 bit/s about 1.2 s with their turnaround.
        assert!(time.now() < 1500, "{} ms", time.now());
    }

    #[test]
    fn silence_ends_in_an_event() {
        let (near, far) = Port::pair(Faults::default());
        let time = near.clone();
        let (mut near_buffer, mut far_buffer) = ([0; 64], [0; 64]);
        let (near_clock, far_clock) = (near.clone(), far.clone());
        let timing = Timing::rs485(9600);
        let mut client = Client::new(
            Async(near.clone()),
            Async(near),
            move || near_clock.now(),
            Master::new(&mut near_buffer, timing),
        );
        let mut server = Server::new(
            Async(far.clone()),
            Async(far),
            move || far_clock.now(),
            Slave::new(&mut far_buffer, timing),
        );
        let mut meter = Meter::default();
        let other = Address::from_digits("9").unwrap();
        let event = run(
            &time,
            10_000,
            client.read(other, LONG),
            server.run(&mut meter),
        );
        assert_eq!(event, Some(Ok(Event::TimedOut { tries: 3 })));
    }
}
