//! Calendar, prices and tiers of the plain meter.

/// Ahead of UTC.
pub const OFFSET_S: i64 = 28_800;
/// Minutes of the local day at which rates 1 and 2 begin.
pub const SLOTS: [(u16, u8); 2] = [(480, 1), (1320, 2)];
/// Of rates 1 and 2, in 0.0001 a kilowatt hour.
pub const PRICES: [u32; 2] = [5680, 2880];
/// Last watt hour of a tier of the month, and what it adds.
pub const TIERS: [(u64, u32); 3] = [(40_000, 0), (90_000, 500), (u64::MAX, 3000)];
/// Taken at every midnight, in 10^-7.
pub const STANDING: i64 = 3_500_000;
/// Every evening from 20:00, and the night from Friday to Saturday.
pub const FRIENDLY: [(u8, u16, u16); 2] = [(0x7F, 1200, 1380), (1 << 5, 1080, 600)];

/// Local days since 1970 and minute of the day.
pub fn local(at: i64) -> (i64, u16) {
    let local = at + OFFSET_S;
    (
        local.div_euclid(86_400),
        (local.rem_euclid(86_400) / 60) as u16,
    )
}

/// Months since 1970, counted off one by one.
pub fn month(at: i64) -> i64 {
    let (mut days, mut months) = (local(at).0, 0);
    loop {
        let year = 1970 + months / 12;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match months % 12 {
            1 if leap => 29,
            1 => 28,
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        };
        if days < length {
            return months;
        }
        days -= length;
        months += 1;
    }
}

/// The slot begun last, minute by minute back to midnight; before the first the last of the table.
pub fn rate(at: i64) -> u8 {
    let (_, minute) = local(at);
    let begun = (0..=minute)
        .rev()
        .find_map(|minute| SLOTS.iter().find(|(start, _)| *start == minute));
    begun.or(SLOTS.last()).map_or(1, |(_, rate)| *rate)
}

pub fn friendly(at: i64) -> bool {
    let (day, minute) = local(at);
    // 1970 began on a Thursday.
    let on = |weekdays: u8, day: i64| weekdays >> ((day + 4) % 7) & 1 == 1;
    FRIENDLY.iter().any(|&(weekdays, from, until)| {
        if from < until {
            on(weekdays, day) && from <= minute && minute < until
        } else {
            on(weekdays, day) && minute >= from || on(weekdays, day - 1) && minute < until
        }
    })
}

/// What the first `total` watt hours of a month cost in tiers, in 10^-7.
pub fn in_tiers(total: u64) -> i128 {
    let mut below = 0;
    let tiers = TIERS.iter().map(|&(bound, price)| {
        let part = total.min(bound).saturating_sub(below);
        below = bound;
        i128::from(part) * i128::from(price)
    });
    tiers.sum()
}

/// The rate without a clock to be trusted.
pub const FALLBACK: u8 = 2;
/// Highest power that may last, for how long it may be above, when the relay closes again, how often.
pub const WATTS: u32 = 5_000;
pub const AFTER_S: i64 = 600;
pub const RECLOSE_S: i64 = 1_200;
pub const TRIES: u8 = 2;
