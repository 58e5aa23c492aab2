//! The shells on a simulated line in virtual time: both ends in one thread.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use cjt188::{
    Address, Application, DataId, Event, IdOrder, Master, MeterType, ShellError, Slave, Status,
    Timing, Valve, ValveOrder, asynch, blocking,
};
use testkit::line::{End, Faults, Line};

struct Meter(Valve);

fn own() -> Address {
    Address::from_digits("11223344556677").unwrap()
}

impl Application for Meter {
    fn meter_type(&self) -> MeterType {
        MeterType::COLD_WATER
    }

    fn address(&self) -> Address {
        own()
    }

    fn read(&mut self, id: DataId, out: &mut [u8]) -> Result<usize, Status> {
        match id {
            DataId::PRESENT => {
                out[..19].fill(0);
                Ok(19)
            }
            _ => Err(Status::default()),
        }
    }

    fn valve(&mut self, order: ValveOrder) -> Result<Status, Status> {
        self.0 = match order {
            ValveOrder::Open => Valve::Open,
            ValveOrder::Close => Valve::Closed,
        };
        Ok(Status::new(self.0, false))
    }
}

/// One end of a line, and the time.
#[derive(Clone)]
struct Port(Rc<RefCell<(Line, u64)>>, End, Rc<RefCell<Vec<u8>>>);

impl Port {
    fn pair() -> (Port, Port) {
        let line = Line::new(3, 2400, Faults::default());
        let bench = Rc::new(RefCell::new((line, 0)));
        let port = |end| Port(bench.clone(), end, Rc::default());
        (port(End::A), port(End::B))
    }

    fn now(&self) -> u64 {
        self.0.borrow().1
    }

    fn pass(&self) {
        self.0.borrow_mut().1 += 1;
    }

    fn fill(&self) {
        let (line, now) = &mut *self.0.borrow_mut();
        self.2.borrow_mut().extend(line.receive(*now, self.1));
    }

    fn take(&self, out: &mut [u8]) -> usize {
        self.fill();
        let mut heard = self.2.borrow_mut();
        let len = heard.len().min(out.len());
        out[..len].copy_from_slice(&heard[..len]);
        heard.drain(..len);
        len
    }

    fn put(&self, bytes: &[u8]) -> usize {
        let (line, now) = &mut *self.0.borrow_mut();
        line.send(*now, self.1, bytes);
        bytes.len()
    }
}

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
        Ok(!self.2.borrow().is_empty())
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

#[test]
fn blocking_reads_and_moves_the_valve() {
    let (near, far) = Port::pair();
    let (clock, time) = (far.clone(), far.clone());
    let timing = Timing::rs485(2400);
    let mut server = blocking::Server::new(far, move || time.now(), Slave::new(timing));
    let mut meter = Meter(Valve::Open);
    let tick = move || {
        clock.pass();
        server.step(&mut meter).unwrap();
        clock.now()
    };
    let master = Master::new(timing, IdOrder::LowFirst);
    let mut client = blocking::Client::new(near, tick, master);
    let kind = MeterType::COLD_WATER;
    let event = client.read_present(kind, own()).unwrap();
    assert!(event.reading().unwrap().is_ok());
    let event = client.valve(kind, own(), ValveOrder::Close).unwrap();
    assert_eq!(event.valve_status().unwrap().valve(), Valve::Closed);
    let told = client.read_address(MeterType::ANY);
    assert!(matches!(told, Ok(Event::Address { address, .. }) if address == own()));
    let other = Address::from_digits("1").unwrap();
    let silent = client.read_present(kind, other);
    assert_eq!(silent, Ok(Event::TimedOut { tries: 3 }));
    let broadcast = Address::from_line([0x99; 7]);
    let unanswered = client.read_present(kind, broadcast);
    assert_eq!(unanswered, Err(ShellError::NoAnswer));
}

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

impl embedded_hal_async::delay::DelayNs for Async {
    async fn delay_ns(&mut self, ns: u32) {
        let at = self.0.now() + u64::from(ns.div_ceil(1_000_000));
        poll_fn(|_| match self.0.now() >= at {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }
}

#[test]
fn a_dropped_future_loses_nothing() {
    let (near, far) = Port::pair();
    let time = near.clone();
    let timing = Timing::rs485(2400);
    let (near_clock, far_clock) = (near.clone(), far.clone());
    let mut client = asynch::Client::new(
        Async(near.clone()),
        Async(near),
        move || near_clock.now(),
        Master::new(timing, IdOrder::LowFirst),
    );
    let mut server = asynch::Server::new(
        Async(far.clone()),
        Async(far),
        move || far_clock.now(),
        Slave::new(timing),
    );
    let mut meter = Meter(Valve::Open);
    let mut context = Context::from_waker(Waker::noop());
    let mut asked = false;
    for _ in 0..1000 {
        // Both futures are made anew for every few milliseconds.
        let mut near: std::pin::Pin<Box<dyn Future<Output = _>>> = match asked {
            false => Box::pin(async { client.read_present(MeterType::ANY, own()).await.map(Some) }),
            true => Box::pin(client.finish()),
        };
        let mut far = pin!(server.run(&mut meter));
        for _ in 0..7 {
            if let Poll::Ready(result) = near.as_mut().poll(&mut context) {
                assert!(result.unwrap().unwrap().reading().unwrap().is_ok());
                assert!(time.now() < 600, "{} ms", time.now());
                return;
            }
            assert!(far.as_mut().poll(&mut context).is_pending());
            time.pass();
        }
        asked = true;
    }
    panic!("no answer");
}
