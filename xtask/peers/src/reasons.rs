//! Why sums differ, one by one; `docs/tariff.md` tells which reading of the standard is whose.

use tariff::Decimal;
use tariff::charging::ocpi::{Kind, Session};

use crate::Case;

/// What the other engine does not know, by the samples that ask for it.
const UNKNOWN: [(&str, &str); 6] = [
    (
        "v221/025kwh_min_price",
        "theirs does not raise a session to the tariff's least price",
    ),
    (
        "v221/025kwh_start_max_price",
        "theirs does not lower a session to the tariff's greatest price",
    ),
    ("v221/reservation_2_euro_fee_5_euro_per_hour", RESERVATION),
    ("v221/reservation_5_euro_per_hour", RESERVATION),
    ("v221/reservation_with_expire_fee", RESERVATION),
    ("v221/reservation_with_expire_time", RESERVATION),
];
const RESERVATION: &str = "theirs takes prices of a reservation for a session without one";

/// Sample records that do not agree with themselves.
const RECORDS: [(&str, &str); 6] = [
    (
        "v221/step_size",
        "the record's hours are longer than its clock (0.0834 h in two minutes); ours goes by the clock",
    ),
    (
        "v211/issue_59_cch",
        "the record names no parking time for an hour that stands; ours goes by the clock",
    ),
    ("v211/time_and_parking_time", NO_CUT),
    ("v211/time_and_parking_time_separate_tariff", NO_CUT),
    (
        "v211/custom_tariff_dimension",
        "the tariff prices a dimension that is not in the standard: ours refuses it whole",
    ),
    (
        "v211/unordered_cdr_periods",
        "the record's dates are not those of RFC 3339 (2025-8-14): ours refuses it",
    ),
];
const NO_CUT: &str = "a price begins inside a period: theirs takes it from the next period on, ours from its instant on";

const STEP: &str = "a session that charges again after standing: theirs steps up what it stood, ours the last priced";
const UNPRICED: &str =
    "standing that has no price: theirs counts it to the sum that is stepped up, ours does not";
/// Samples with steps of minutes.
const STEPS: [&str; 3] = [
    "v221/step_size",
    "v221/complex",
    "v221/simple_3hour_5parking",
];
const ROUNDED: &str = "theirs rounds the amount of each period to four places, ours nothing";

/// The reason why the two engines are `apart` on a case, if one is known.
pub fn of(case: &Case, apart: Option<Decimal>) -> Option<&'static str> {
    let named = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(name, _)| *name == case.name);
        found.map(|(_, reason)| *reason)
    };
    let session = case.session.as_ref().ok();
    if apart
        .zip(session.and_then(rounding))
        .is_some_and(|(apart, bound)| apart <= bound)
    {
        return Some(ROUNDED);
    }
    if let Some(reason) = named(&UNKNOWN) {
        return Some(reason);
    }
    if !case.made_up {
        return named(&RECORDS);
    }
    if !STEPS.contains(&case.name.as_str()) {
        return None;
    }
    let session = session?;
    if charges_again(session) {
        Some(STEP)
    } else {
        // The prices of standing in the other two samples end in the evening.
        (case.name != "v221/simple_3hour_5parking"
            && session
                .periods
                .iter()
                .any(|period| period.kind == Kind::Parked))
        .then_some(UNPRICED)
    }
}

/// Half a unit of the fourth place for energy and time of each period.
fn rounding(session: &Session) -> Option<Decimal> {
    Decimal::try_new(session.periods.len() as i128, 4)
}

fn charges_again(session: &Session) -> bool {
    let mut pairs = session.periods.windows(2);
    pairs.any(|pair| matches!(pair, [a, b] if a.kind == Kind::Parked && b.kind == Kind::Charging))
}
