//! Prices a session: cut where what holds may change, one line for each unbroken run of a price.

use super::{Component, Dimension, Limit, Reservation, Tariff};
use crate::civil::Moment;
use crate::decimal::Decimal;
use crate::price::Rounding;

/// Seconds of an hour: time is priced by the hour.
const HOUR: Decimal = Decimal::from_integer(3600);
/// Places kept where an hour's price does not divide into seconds.
const PLACES: u8 = 12;

/// What a vehicle does during a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Energy flows.
    Charging,
    /// It stands without charging.
    Parked,
    /// The place is reserved for it.
    Reserved(Reservation),
}

/// A part of a session over which current and power stay about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// What it is.
    pub kind: Kind,
    /// Length, seconds.
    pub seconds: u32,
    /// Energy, milliwatt hours.
    pub mwh: u64,
    /// Current, milliamperes, where it was measured.
    pub current_ma: Option<u64>,
    /// Power, watts; the mean over the period where it was not measured.
    pub power_w: Option<u64>,
}

impl Period {
    /// A period without measured current and power; energy in watt hours.
    #[must_use]
    pub const fn new(kind: Kind, seconds: u32, wh: u64) -> Self {
        Period {
            kind,
            seconds,
            mwh: wh.saturating_mul(1000),
            current_ma: None,
            power_w: None,
        }
    }
}

/// A session as its charge record tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Begin in local time.
    pub start: Moment,
    /// One after the other.
    pub periods: Vec<Period>,
}

/// One price over an unbroken run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// The price component.
    pub component: Component,
    /// What is billed: watt hours, seconds, or 1.
    pub billed: Decimal,
    /// Amount without tax.
    pub excluding_vat: Decimal,
    /// Amount with tax.
    pub including_vat: Decimal,
}

/// What a session costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// By the begin of each run.
    pub lines: Vec<Line>,
    /// Total without tax, within the tariff's limits.
    pub excluding_vat: Decimal,
    /// Total with tax, within the tariff's limits.
    pub including_vat: Decimal,
}

/// What restrictions look at.
pub(super) struct Now {
    pub(super) at: Moment,
    pub(super) wh: u64,
    pub(super) seconds: u64,
    pub(super) current: Option<u64>,
    pub(super) power: Option<u64>,
    pub(super) reservation: Option<Reservation>,
}

/// A run being summed: which component, and how much of it (milliwatt hours or seconds).
struct Run {
    place: (usize, usize),
    component: Component,
    amount: u64,
    /// Number of the last piece that it covers.
    last: usize,
}

impl Tariff {
    /// The exact cost of a session; `None` when an amount does not fit.
    ///
    /// Energy of a period flows evenly; where a bound of energy is met inside a second, the second
    /// belongs to what comes after it.
    #[must_use]
    pub fn price(&self, session: &Session) -> Option<Cost> {
        let mut runs = self.runs(session);
        step_up(&mut runs, |dimension| dimension == Dimension::Energy, 1000);
        let timed = |dimension| matches!(dimension, Dimension::Time | Dimension::ParkingTime);
        step_up(&mut runs, timed, 1);
        let lines: Vec<Line> = runs.iter().map(line).collect::<Option<_>>()?;
        let sum = |of: fn(&Line) -> Decimal| {
            lines
                .iter()
                .map(of)
                .try_fold(Decimal::ZERO, Decimal::checked_add)
        };
        let within = |total: Decimal, side: fn(&Limit) -> Option<Decimal>| {
            let total = side(&self.min_price).map_or(total, |least| total.max(least));
            side(&self.max_price).map_or(total, |most| total.min(most))
        };
        let excluding = sum(|line| line.excluding_vat)?;
        let including = sum(|line| line.including_vat)?;
        Some(Cost {
            excluding_vat: within(excluding, |limit| limit.excluding_vat),
            including_vat: within(including, |limit| limit.including_vat),
            lines,
        })
    }

    /// The first element that holds and prices a dimension.
    fn active(&self, dimension: Dimension, now: &Now) -> Option<((usize, usize), Component)> {
        let elements = self.elements.iter().enumerate();
        elements
            .filter(|(_, element)| element.restrictions.hold(now))
            .find_map(|(number, element)| {
                let mut components = element.components.iter().enumerate();
                let (place, component) =
                    components.find(|(_, component)| component.dimension == dimension)?;
                Some(((number, place), *component))
            })
    }

    fn runs(&self, session: &Session) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let (mut seconds, mut mwh, mut piece) = (0_u64, 0_u64, 0);
        for period in &session.periods {
            let (mut left_s, mut left_mwh) = (period.seconds, period.mwh);
            // Each turn ends a period or lies before a bound that is passed then.
            loop {
                let now = now(session, period, seconds, mwh);
                if piece == 0
                    && let Some((place, component)) = self.active(Dimension::Flat, &now)
                {
                    runs.push(Run {
                        place,
                        component,
                        amount: 1,
                        last: 0,
                    });
                }
                let (part_s, part_mwh) = self.piece(&now, mwh, left_s, left_mwh);
                piece += 1;
                let energy = (Dimension::Energy, part_mwh);
                let time = match period.kind {
                    Kind::Parked => (Dimension::ParkingTime, part_s.into()),
                    Kind::Charging | Kind::Reserved(_) => (Dimension::Time, part_s.into()),
                };
                for (dimension, amount) in [energy, time] {
                    if amount == 0 {
                        continue;
                    }
                    let Some((place, component)) = self.active(dimension, &now) else {
                        continue;
                    };
                    let open = runs.iter_mut().rev().find(|run| run.place == place);
                    match open {
                        Some(run) if run.last + 1 == piece => {
                            run.amount = run.amount.saturating_add(amount);
                            run.last = piece;
                        }
                        _ => runs.push(Run {
                            place,
                            component,
                            amount,
                            last: piece,
                        }),
                    }
                }
                seconds = seconds.saturating_add(part_s.into());
                mwh = mwh.saturating_add(part_mwh);
                (left_s, left_mwh) = (left_s - part_s, left_mwh - part_mwh);
                if left_s == 0 && left_mwh == 0 {
                    break;
                }
            }
        }
        runs
    }

    /// How much of the rest of a period goes by before something may change.
    fn piece(&self, now: &Now, mwh: u64, left_s: u32, left_mwh: u64) -> (u32, u64) {
        let (mut part_s, mut part_mwh) = (left_s, left_mwh);
        for element in &self.elements {
            let bounds = &element.restrictions;
            part_s = part_s.min(bounds.next_time(now.at));
            if let Some(next) = bounds.duration.next(now.seconds) {
                part_s = part_s.min(u32::try_from(next - now.seconds).unwrap_or(u32::MAX));
            }
            if let Some(next) = bounds.wh.next(now.wh) {
                part_mwh = part_mwh.min(next.saturating_mul(1000).saturating_sub(mwh));
            }
        }
        // The nearer of both bounds decides; the other goes along in proportion, rounded down.
        let by_time = u128::from(left_mwh) * u128::from(part_s);
        let by_energy = u128::from(part_mwh) * u128::from(left_s);
        if by_time <= by_energy {
            if left_s > 0 {
                part_mwh = (by_time / u128::from(left_s)) as u64;
            }
        } else if left_mwh > 0 {
            part_s = (by_energy / u128::from(left_mwh)) as u32;
        }
        (part_s, part_mwh)
    }
}

fn now(session: &Session, period: &Period, seconds: u64, mwh: u64) -> Now {
    // A milliwatt hour is 3.6 joules.
    let mean = u128::from(period.mwh) * 36 / 10 / u128::from(period.seconds.max(1));
    Now {
        at: session
            .start
            .plus(i64::try_from(seconds).unwrap_or(i64::MAX)),
        wh: mwh / 1000,
        seconds,
        current: period.current_ma,
        power: period.power_w.or(u64::try_from(mean).ok()),
        reservation: match period.kind {
            Kind::Reserved(reservation) => Some(reservation),
            Kind::Charging | Kind::Parked => None,
        },
    }
}

/// Rounds the priced amount of the last priced run's dimension up to that run's step; the surplus
/// goes to that run. `unit` is what one step counts in the run's amounts.
fn step_up(runs: &mut [Run], chosen: impl Fn(Dimension) -> bool, unit: u64) {
    let priced = |run: &Run| chosen(run.component.dimension) && !run.component.price.is_zero();
    let Some(last) = runs.iter().rposition(priced) else {
        return;
    };
    let Some(component) = runs.get(last).map(|run| run.component) else {
        return;
    };
    let step = u64::from(component.step_size.max(1)).saturating_mul(unit);
    let same = runs
        .iter()
        .filter(|run| priced(run) && run.component.dimension == component.dimension);
    let total = same.fold(0_u64, |sum, run| sum.saturating_add(run.amount));
    let surplus = total
        .div_ceil(step)
        .saturating_mul(step)
        .saturating_sub(total);
    if let Some(run) = runs.get_mut(last) {
        run.amount = run.amount.saturating_add(surplus);
    }
}

fn line(run: &Run) -> Option<Line> {
    let component = run.component;
    let places = match component.dimension {
        Dimension::Energy => 3,
        _ => 0,
    };
    let billed = Decimal::try_new(run.amount.into(), places)?;
    let product = billed.checked_mul(component.price)?;
    let excluding_vat = match component.dimension {
        Dimension::Flat => product,
        Dimension::Energy => product.checked_mul(Decimal::from_thousandths(1))?,
        Dimension::Time | Dimension::ParkingTime => {
            product.divided(HOUR, PLACES, Rounding::HalfUp)?.shortened()
        }
    };
    let vat = component.vat.unwrap_or_default();
    let factor = vat
        .checked_add(Decimal::from_integer(100))?
        .checked_mul(Decimal::try_new(1, 2)?)?;
    Some(Line {
        component,
        billed: billed.shortened(),
        excluding_vat,
        including_vat: excluding_vat.checked_mul(factor)?,
    })
}
