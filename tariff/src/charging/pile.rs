//! A car pile: 48 half hours name one of four kinds of price, each an electricity and a service price
//! of five places; energy and amounts have four places, the charged sum two.
//!
//! Energy comes in small steps (a minute, 0.1 kWh). A step that would take the charge past the
//! money held is not delivered, so the charged sum never passes the hold.

use crate::civil::Moment;
use crate::price::Rounding;

/// Sharp, peak, flat and valley: what a half hour names.
pub const KINDS: usize = 4;

/// A price model. It has a number; a session keeps the one in force at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Number of the model, sent with each record.
    pub number: u16,
    /// Kind of each half hour of the local day, 0 sharp to 3 valley.
    pub segments: [u8; 48],
    /// Electricity price of each kind, 0.00001 of the currency a kilowatt hour.
    pub electricity: [u32; KINDS],
    /// Service price of each kind, the same.
    pub service: [u32; KINDS],
    /// Loss added to the energy, hundredths of a per cent.
    pub loss: u16,
    /// Fee of each session, 0.0001 of the currency.
    pub start_fee: u32,
    /// Fee of each minute the place stays taken after `grace_minutes`, 0.0001 of the currency.
    pub idle_fee: u32,
    /// Minutes after the end without idle fee.
    pub grace_minutes: u16,
}

/// A segment of a [`Model`] names a kind above 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchKind {
    /// Half hour of the day, from 0.
    pub segment: u8,
}

impl core::fmt::Display for NoSuchKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "half hour {} names no kind of price", self.segment)
    }
}

impl core::error::Error for NoSuchKind {}

impl Model {
    /// Electricity and service prices without loss and other fees.
    ///
    /// # Errors
    /// [`NoSuchKind`].
    pub fn try_new(
        number: u16,
        segments: [u8; 48],
        electricity: [u32; KINDS],
        service: [u32; KINDS],
    ) -> Result<Self, NoSuchKind> {
        let wrong = segments.iter().position(|&kind| usize::from(kind) >= KINDS);
        if let Some(segment) = wrong {
            let segment = segment as u8;
            return Err(NoSuchKind { segment });
        }
        Ok(Model {
            number,
            segments,
            electricity,
            service,
            loss: 0,
            start_fee: 0,
            idle_fee: 0,
            grace_minutes: 0,
        })
    }

    fn kind(&self, at: Moment) -> usize {
        let segment = usize::from(at.minute_of_day() / 30);
        let kind = self.segments.get(segment).copied().unwrap_or(0);
        usize::from(kind).min(KINDS - 1)
    }

    /// The line of a kind for so much energy.
    fn line(&self, kind: usize, wh: u64) -> Line {
        let price = |prices: &[u32; KINDS]| u64::from(prices.get(kind).copied().unwrap_or(0));
        let unit = price(&self.electricity) + price(&self.service);
        // Energy of four places is 0.1 Wh; a charge of 10^15 Wh is no charge.
        let wh = i64::try_from(wh.min(1_000_000_000_000)).unwrap_or(i64::MAX);
        let with_loss =
            Rounding::HalfUp.divide(wh.saturating_mul(10_000 + i64::from(self.loss)), 1000);
        let exact = i128::from(with_loss) * i128::from(unit);
        let amount = Rounding::HalfUp.divide_wide(exact, 100_000);
        Line {
            unit_price: unit,
            wh: wh as u64,
            tenths_with_loss: with_loss as u64,
            amount: i64::try_from(amount).unwrap_or(i64::MAX),
        }
    }
}

/// What one kind of price came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Electricity and service price, 0.00001 of the currency a kilowatt hour.
    pub unit_price: u64,
    /// Watt hours metered.
    pub wh: u64,
    /// The same with loss, 0.1 Wh (four places of a kilowatt hour), half up.
    pub tenths_with_loss: u64,
    /// 0.0001 of the currency, half up.
    pub amount: i64,
}

/// Why a session ended, with the code of the record (YKC 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// By the application.
    App,
    /// The battery is full.
    Full,
    /// The energy asked for is reached.
    Energy,
    /// The money asked for is reached.
    Money,
    /// The time asked for is over.
    Time,
    /// By hand.
    Hand,
    /// The start failed.
    NotStarted,
    /// Broken off: fault, unplugged, power cut.
    Broken,
    /// The balance is used up.
    Balance,
}

impl Stop {
    /// Code of the record.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Stop::App => 0x40,
            Stop::Full => 0x41,
            Stop::Energy => 0x42,
            Stop::Money => 0x43,
            Stop::Time => 0x44,
            Stop::Hand => 0x45,
            Stop::NotStarted => 0x4A,
            Stop::Broken => 0x6A,
            Stop::Balance => 0x6E,
        }
    }
}

/// What the user asked for; the first limit reached ends the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Money held for the session, 0.01 of the currency.
    pub hold: Option<u64>,
    /// Money, 0.01 of the currency.
    pub money: Option<u64>,
    /// Energy, watt hours.
    pub wh: Option<u64>,
    /// Time, minutes.
    pub minutes: Option<u32>,
}

/// Answer to a step of energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// Delivered; go on.
    Delivered,
    /// Not delivered: the session ends before this step.
    Stopped(Stop),
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Energy flows.
    Charging,
    /// Vehicle or pile paused; [`Session::resume`] goes on.
    Suspended,
    /// Ended; the record is due until it is confirmed, the place still taken.
    Occupying,
    /// The place is free; the record is due until it is confirmed.
    Left,
    /// The record was confirmed.
    Settled,
}

/// The session is not in the state that this needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongState {
    /// The state it is in.
    pub found: State,
}

impl core::fmt::Display for WrongState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the session is {:?}", self.found)
    }
}

impl core::error::Error for WrongState {}

/// What is paid at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Sum of lines and fees, 0.0001 of the currency.
    pub exact: i64,
    /// The charged total, 0.01 of the currency, half up; at most the hold.
    pub charged: u64,
    /// What of the hold is given back, 0.01 of the currency.
    pub refund: u64,
}

/// One session. `Copy`: the whole of it is its stored form, written at the start and after each
/// step that must not be lost; a session found after a power cut is ended with [`Stop::Broken`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    model: Model,
    limits: Limits,
    started: Moment,
    wh: [u64; KINDS],
    minutes: u32,
    state: State,
    ended: Option<(Moment, Stop)>,
    idle_minutes: u32,
}

impl Session {
    /// Begins under the model in force now.
    #[must_use]
    pub const fn start(model: Model, limits: Limits, now: Moment) -> Self {
        Session {
            model,
            limits,
            started: now,
            wh: [0; KINDS],
            minutes: 0,
            state: State::Charging,
            ended: None,
            idle_minutes: 0,
        }
    }

    /// Asks for the energy of the minute that begins at `at`. Ends the session before it where a
    /// limit would be passed.
    ///
    /// # Errors
    /// [`WrongState`] unless it is charging.
    pub fn minute(&mut self, at: Moment, wh: u64) -> Result<Step, WrongState> {
        self.expect(State::Charging)?;
        let kind = self.model.kind(at);
        let mut after = self.wh;
        if let Some(place) = after.get_mut(kind) {
            *place = place.saturating_add(wh);
        }
        let cost = self.hundredths(&after);
        let total = after.iter().fold(0, |sum: u64, wh| sum.saturating_add(*wh));
        let passes = |limit: Option<u64>, value: u64| limit.is_some_and(|limit| value > limit);
        let stop = if passes(self.limits.hold, cost) {
            Some(Stop::Balance)
        } else if passes(self.limits.money, cost) {
            Some(Stop::Money)
        } else if passes(self.limits.wh, total) {
            Some(Stop::Energy)
        } else if passes(
            self.limits.minutes.map(u64::from),
            u64::from(self.minutes) + 1,
        ) {
            Some(Stop::Time)
        } else {
            None
        };
        if let Some(stop) = stop {
            self.end(at, stop)?;
            return Ok(Step::Stopped(stop));
        }
        self.wh = after;
        self.minutes = self.minutes.saturating_add(1);
        Ok(Step::Delivered)
    }

    /// Pauses.
    ///
    /// # Errors
    /// [`WrongState`] unless it is charging.
    pub fn suspend(&mut self) -> Result<(), WrongState> {
        self.expect(State::Charging)?;
        self.state = State::Suspended;
        Ok(())
    }

    /// Goes on after a pause.
    ///
    /// # Errors
    /// [`WrongState`] unless it is suspended.
    pub fn resume(&mut self) -> Result<(), WrongState> {
        self.expect(State::Suspended)?;
        self.state = State::Charging;
        Ok(())
    }

    /// Ends; the record is due from now on.
    ///
    /// # Errors
    /// [`WrongState`] when it has ended before.
    pub fn end(&mut self, at: Moment, stop: Stop) -> Result<(), WrongState> {
        if !matches!(self.state, State::Charging | State::Suspended) {
            return Err(WrongState { found: self.state });
        }
        self.ended = Some((at, stop));
        self.state = State::Occupying;
        Ok(())
    }

    /// The vehicle is unplugged: ends a session that runs, and the idle time of one that ended.
    ///
    /// # Errors
    /// [`WrongState`] when it has left before.
    pub fn unplug(&mut self, at: Moment) -> Result<(), WrongState> {
        if matches!(self.state, State::Charging | State::Suspended) {
            self.end(at, Stop::Broken)?;
        }
        self.expect(State::Occupying)?;
        let ended = self.ended.map_or(at.utc_s, |(ended, _)| ended.utc_s);
        let minutes = at.utc_s.saturating_sub(ended).max(0) / 60;
        let idle = minutes
            .saturating_sub(i64::from(self.model.grace_minutes))
            .max(0);
        self.idle_minutes = u32::try_from(idle).unwrap_or(u32::MAX);
        self.state = State::Left;
        Ok(())
    }

    /// The platform confirmed the record: it may be removed. Repeats change nothing.
    ///
    /// # Errors
    /// [`WrongState`] before the place is free.
    pub fn confirm(&mut self) -> Result<(), WrongState> {
        if self.state != State::Settled {
            self.expect(State::Left)?;
            self.state = State::Settled;
        }
        Ok(())
    }

    fn expect(&self, state: State) -> Result<(), WrongState> {
        if self.state == state {
            Ok(())
        } else {
            Err(WrongState { found: self.state })
        }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// When and why it ended.
    #[must_use]
    pub const fn ended(&self) -> Option<(Moment, Stop)> {
        self.ended
    }

    /// When it began.
    #[must_use]
    pub const fn started(&self) -> Moment {
        self.started
    }

    /// The price model it is charged by.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// The lines of the four kinds, unused ones with zero.
    #[must_use]
    pub fn lines(&self) -> [Line; KINDS] {
        self.lines_of(&self.wh)
    }

    fn lines_of(&self, wh: &[u64; KINDS]) -> [Line; KINDS] {
        core::array::from_fn(|kind| self.model.line(kind, wh.get(kind).copied().unwrap_or(0)))
    }

    /// Lines and fees, 0.0001 of the currency.
    fn exact(&self, wh: &[u64; KINDS]) -> i64 {
        let idle = i64::from(self.model.idle_fee).saturating_mul(i64::from(self.idle_minutes));
        let fees = i64::from(self.model.start_fee).saturating_add(idle);
        self.lines_of(wh)
            .iter()
            .fold(fees, |sum, line| sum.saturating_add(line.amount))
    }

    fn hundredths(&self, wh: &[u64; KINDS]) -> u64 {
        Rounding::HalfUp.divide(self.exact(wh), 100).unsigned_abs()
    }

    /// What is charged and given back as things stand. Idle time is charged up to the hold.
    #[must_use]
    pub fn settlement(&self) -> Settlement {
        let due = self.hundredths(&self.wh);
        let hold = self.limits.hold;
        let charged = hold.map_or(due, |hold| due.min(hold));
        Settlement {
            exact: self.exact(&self.wh),
            charged,
            refund: hold.map_or(0, |hold| hold - charged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Model, NoSuchKind, Session, State, Step, Stop};
    use crate::civil::{Date, Moment};

    fn model() -> Model {
        let mut segments = [2; 48];
        segments[20] = 0;
        let mut model = Model::try_new(7, segments, [150_000, 0, 60_000, 0], [40_000; 4]).unwrap();
        model.start_fee = 5_000;
        model.idle_fee = 2_000;
        model.grace_minutes = 10;
        model
    }

    fn at(minute: u32) -> Moment {
        Moment::from_local(Date::try_new(2026, 5, 1).unwrap(), minute * 60, 28_800)
    }

    #[test]
    fn the_hold_is_never_passed_and_idle_time_counts_after_the_grace() {
        let limits = Limits {
            hold: Some(1_000),
            ..Limits::default()
        };
        let mut session = Session::start(model(), limits, at(598));
        // 0.5 of the currency to start, then 1.00 a kWh, 1.90 from 10:00 on.
        assert_eq!(session.minute(at(598), 1_000), Ok(Step::Delivered));
        assert_eq!(session.minute(at(599), 1_000), Ok(Step::Delivered));
        assert_eq!(session.settlement().charged, 250);
        for minute in 600..603 {
            assert_eq!(session.minute(at(minute), 1_000), Ok(Step::Delivered));
        }
        assert_eq!(
            session.minute(at(603), 1_000),
            Ok(Step::Stopped(Stop::Balance))
        );
        assert_eq!(session.ended(), Some((at(603), Stop::Balance)));
        assert!(session.minute(at(604), 1).is_err());
        let settled = session.settlement();
        assert_eq!((settled.charged, settled.refund), (820, 180));
        session.unplug(at(603 + 15)).unwrap();
        // Five idle minutes at 0.20.
        assert_eq!(session.settlement().charged, 920);
        assert_eq!(session.confirm(), Ok(()));
        assert_eq!(session.confirm(), Ok(()));
        assert_eq!(session.state(), State::Settled);
        assert_eq!(Stop::Balance.code(), 0x6E);
    }

    #[test]
    fn the_first_limit_ends_and_pauses_deliver_nothing() {
        let limits = Limits {
            wh: Some(250),
            minutes: Some(9),
            ..Limits::default()
        };
        let mut session = Session::start(model(), limits, at(0));
        session.suspend().unwrap();
        assert!(session.minute(at(0), 100).is_err());
        session.resume().unwrap();
        assert_eq!(session.minute(at(1), 125), Ok(Step::Delivered));
        assert_eq!(session.minute(at(2), 125), Ok(Step::Delivered));
        assert_eq!(session.minute(at(3), 1), Ok(Step::Stopped(Stop::Energy)));
        let mut timed = Session::start(model(), limits, at(0));
        for minute in 0..9 {
            assert_eq!(timed.minute(at(minute), 1), Ok(Step::Delivered));
        }
        assert_eq!(timed.minute(at(9), 1), Ok(Step::Stopped(Stop::Time)));
        let refused = Model::try_new(1, [4; 48], [0; 4], [0; 4]);
        assert_eq!(refused, Err(NoSuchKind { segment: 0 }));
    }
}
