//! One engine: splitting changes nothing, lines add up, meter and cloud give the same lines.

use tariff::bill::{Biller, Interval, Refused};
use tariff::calendar::{Slot, Zone};
use tariff::civil::{Date, Moment};
use tariff::profile::Small;
use tariff::tier::{Reset, Tier, TierTotal};
use tariff::{Broken, Line, Machine, Money, Price};
use testkit::Rng;

/// Valley and peak all year, another peak in summer, three tiers a month.
fn plan() -> Small {
    let mut plan = Small::new();
    plan.zones.extend([
        Zone {
            start: 101,
            table: 1,
        },
        Zone {
            start: 701,
            table: 2,
        },
    ]);
    plan.slots.extend([
        Slot {
            table: 1,
            start: 480,
            rate: 1,
        },
        Slot {
            table: 1,
            start: 1320,
            rate: 2,
        },
        Slot {
            table: 2,
            start: 420,
            rate: 1,
        },
        Slot {
            table: 2,
            start: 1380,
            rate: 2,
        },
    ]);
    plan.prices
        .extend([5680, 2880].map(Price::from_ten_thousandths));
    let tier = |up_to_wh, price| Tier {
        up_to_wh,
        price: Price::from_ten_thousandths(price),
    };
    plan.tiers
        .extend([tier(240_000, 0), tier(400_000, 500), tier(u64::MAX, 3000)]);
    plan.reset = Reset::Monthly { day: 1, hour: 0 };
    plan
}

fn at(year: u16, month: u8, day: u8, hour: u32) -> Moment {
    Moment::from_local(
        Date::try_new(year, month, day).unwrap(),
        hour * 3600,
        28_800,
    )
}

#[test]
fn splitting_inside_a_slot_changes_nothing() {
    let plan = plan();
    let tariff = plan.tariff().unwrap();
    let mut rng = Rng::new(1);
    for _ in 0..300 {
        let total = TierTotal {
            wh: rng.below(500_000),
            period: None,
        };
        let (start, seconds, wh) = (at(2026, 3, 5, 9), 12 * 3600, rng.below(600_000));
        let mut whole = Biller::new(tariff, total);
        whole
            .price(Interval { start, seconds, wh }, |_, _| ())
            .unwrap();
        let mut parts = Biller::new(tariff, total);
        let (cut_s, cut_wh) = (rng.between(1, seconds - 1), rng.below(wh + 1));
        let first = Interval {
            start,
            seconds: cut_s,
            wh: cut_wh,
        };
        let rest = Interval {
            start: start.plus(cut_s),
            seconds: seconds - cut_s,
            wh: wh - cut_wh,
        };
        parts.price(first, |_, _| ()).unwrap();
        parts.price(rest, |_, _| ()).unwrap();
        assert_eq!(parts.amount(), whole.amount());
        assert_eq!((parts.wh(), parts.tiers()), (whole.wh(), whole.tiers()));
    }
}

#[test]
fn an_interval_over_switching_times_keeps_its_energy_and_the_lines_add_up() {
    let plan = plan();
    let tariff = plan.tariff().unwrap();
    let mut rng = Rng::new(2);
    for _ in 0..200 {
        let mut bill = Biller::new(tariff, TierTotal::default());
        let (mut wh, mut amount) = (0, Money::ZERO);
        let start = at(2026, 6, 1, 0).plus(rng.below(40 * 86_400) as i64);
        let interval = Interval {
            start,
            seconds: rng.between(1, 86_400 * 3),
            wh: rng.below(900_000),
        };
        bill.price(interval, |when, line| {
            assert_eq!(tariff.calendar().rate(when), line.rate);
            assert_eq!(line.amount, line.price().cost(line.wh));
            wh += line.wh;
            amount = amount + line.amount;
        })
        .unwrap();
        assert_eq!((wh, amount), (interval.wh, bill.amount()));
    }
    let mut bill = Biller::new(tariff, TierTotal::default());
    let start = at(2026, 6, 1, 0);
    let empty = Interval {
        start,
        seconds: 0,
        wh: 1,
    };
    assert_eq!(bill.price(empty, |_, _| ()), Err(Refused::Length));
    bill.price(
        Interval {
            start,
            seconds: 60,
            wh: 1,
        },
        |_, _| (),
    )
    .unwrap();
    let again = Interval {
        start,
        seconds: 60,
        wh: 1,
    };
    assert_eq!(bill.price(again, |_, _| ()), Err(Refused::Overlap));
}

#[test]
fn meter_and_cloud_give_the_same_lines() {
    let plan = plan();
    let tariff = plan.tariff().unwrap();
    let mut rng = Rng::new(3);
    let mut machine = Machine::<4>::new();
    let mut bill = Biller::new(tariff, TierTotal::default());
    let (mut now, mut total) = (at(2026, 5, 30, 23), 1_000);
    let _ = machine.advance(&tariff, now, total, |_| ());
    let (mut from_meter, mut from_cloud) = (Vec::<Line>::new(), Vec::<Line>::new());
    while now.utc_s < at(2026, 7, 3, 0).utc_s {
        let deadline = machine.next_deadline(&tariff).unwrap();
        let seconds = (deadline - now.utc_s).min(rng.between(60, 30_000));
        let wh = rng.below(9_000);
        bill.price(
            Interval {
                start: now,
                seconds,
                wh,
            },
            |_, line| from_cloud.push(line),
        )
        .unwrap();
        now = now.plus(seconds);
        total += wh;
        let _ = machine.advance(&tariff, now, total, |line| from_meter.push(line));
    }
    assert_eq!(from_meter, from_cloud);
    assert!(from_meter.iter().any(|line| line.tier == 3) && from_meter.len() > 100);
    assert_eq!(machine.registers_wh().iter().sum::<u64>(), total - 1_000);
}

#[test]
fn the_rate_is_constant_up_to_the_next_change() {
    let plan = plan();
    let tariff = plan.tariff().unwrap();
    let (mut now, end) = (at(2027, 12, 25, 5), at(2029, 1, 5, 0).utc_s);
    let mut changes = 0;
    while now.utc_s < end {
        let next = tariff.next_change(now);
        assert!(next.utc_s > now.utc_s && next.utc_s <= now.utc_s + 86_400);
        let state = |at| (tariff.calendar().rate(at), tariff.reset().period(at));
        assert_eq!(state(now), state(next.plus(-1)));
        let middle = now.plus((next.utc_s - now.utc_s) / 2);
        assert_eq!(state(now), state(middle));
        changes += 1;
        now = next;
    }
    // Two slots and midnight a day.
    assert_eq!(changes, 377 * 3);
}

#[test]
fn a_register_or_clock_that_goes_back_bills_nothing_twice() {
    let plan = plan();
    let tariff = plan.tariff().unwrap();
    let mut machine = Machine::<4>::new();
    let noon = at(2026, 8, 1, 12);
    let mut feed = |now, total| machine.advance(&tariff, now, total, |_| ());
    assert_eq!(feed(noon, 500_000).wh, 0);
    assert_eq!(feed(noon.plus(60), 500_010).wh, 10);
    let back = feed(noon.plus(120), 0);
    assert!(back.went_back && back.wh == 0);
    assert_eq!(feed(noon.plus(180), 500_012).wh, 2);
    // Back over the month's reset: the old period is not opened again.
    assert_eq!(feed(at(2026, 7, 31, 23), 500_020).wh, 8);
    assert_eq!(feed(noon.plus(240), 500_021).wh, 1);
    assert_eq!(machine.tiers().wh, 21);
}

#[test]
fn tables_name_the_broken_rule() {
    let broken = |change: fn(&mut Small)| {
        let mut plan = plan();
        change(&mut plan);
        plan.tariff().err()
    };
    assert_eq!(broken(|_| ()), None);
    assert_eq!(broken(|p| p.zones[0].start = 230), Some(Broken::ZoneDate));
    assert_eq!(broken(|p| p.zones[0].start = 801), Some(Broken::ZoneOrder));
    assert_eq!(broken(|p| p.zones[0].table = 3), Some(Broken::NoSuchTable));
    assert_eq!(broken(|p| p.zones.clear()), Some(Broken::ZoneCount));
    assert_eq!(broken(|p| p.slots[0].start = 1321), Some(Broken::SlotOrder));
    assert_eq!(broken(|p| p.slots[0].start = 1440), Some(Broken::SlotTime));
    assert_eq!(broken(|p| p.slots[0].rate = 64), Some(Broken::RateNumber));
    assert_eq!(broken(|p| p.slots[0].rate = 3), Some(Broken::PriceCount));
    assert_eq!(broken(|p| p.work_days = 0), Some(Broken::NoSuchTable));
    assert_eq!(
        broken(|p| p.tiers[2].up_to_wh = 500_000),
        Some(Broken::TierOrder)
    );
    assert_eq!(
        broken(|p| p.reset = Reset::Monthly { day: 29, hour: 0 }),
        Some(Broken::ResetDate)
    );
}
