//! What an error may be: the class tables, and the budget of the chain alone.

/// Largest current over rated current of a meter connected through transformers.
const IMAX_OVER_IN: f64 = 1.2;

/// A load: current over the largest current, and the angle by which the current lags.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// I / Imax.
    pub current: f64,
    pub factor: Factor,
}

/// The power factors of the sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    One,
    HalfInductive,
    Capacitive,
    QuarterInductive,
}

impl Factor {
    pub const ALL: [Self; 4] = [
        Self::One,
        Self::HalfInductive,
        Self::Capacitive,
        Self::QuarterInductive,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::HalfInductive => "0.5 ind",
            Self::Capacitive => "0.8 cap",
            Self::QuarterInductive => "0.25 ind",
        }
    }

    /// P / S.
    pub const fn cosine(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::HalfInductive => 0.5,
            Self::Capacitive => 0.8,
            Self::QuarterInductive => 0.25,
        }
    }

    /// Angle by which the current lags, degrees.
    pub fn degrees(self) -> f64 {
        let angle = self.cosine().acos().to_degrees();
        if self == Self::Capacitive {
            -angle
        } else {
            angle
        }
    }
}

/// One row of a class table: from this current (over In) upwards, the limit in per cent.
type Row = (f64, f64);

/// IEC 62053-22 class 0.2S, by rising current over In.
const fn class_02s(factor: Factor) -> &'static [Row] {
    match factor {
        Factor::One => &[(0.01, 0.4), (0.05, 0.2)],
        Factor::HalfInductive | Factor::Capacitive => &[(0.02, 0.5), (0.1, 0.3)],
        Factor::QuarterInductive => &[(0.1, 0.5)],
    }
}

/// OIML R 46 class D through transformers: Itr is In / 20, Imin In / 100. The rows end at a power factor of 0.5.
const fn class_d(factor: Factor) -> &'static [Row] {
    match factor {
        Factor::One => &[(0.01, 0.4), (0.05, 0.2)],
        Factor::HalfInductive | Factor::Capacitive => &[(0.01, 0.5), (0.05, 0.3)],
        Factor::QuarterInductive => &[],
    }
}

/// R 46: from Imax / 1200 up to Imin the limit grows as Imin / I (power factor 1).
const IST_OVER_IN: f64 = 0.001;
const IMIN_OVER_IN: f64 = 0.01;

fn stated(rows: &[Row], over_in: f64) -> Option<f64> {
    // A current on the edge belongs to the row that begins there.
    let reached = rows
        .iter()
        .rev()
        .find(|(from, _)| over_in >= from * (1.0 - 1e-9));
    reached.map(|(_, limit)| *limit)
}

/// What class 0.2S says here, per cent; `None` below its lowest current.
pub fn limit_02s(load: Load) -> Option<f64> {
    stated(class_02s(load.factor), load.current * IMAX_OVER_IN)
}

/// What R 46 class D says here, per cent; `None` where it says nothing.
pub fn limit_d(load: Load) -> Option<f64> {
    let over_in = load.current * IMAX_OVER_IN;
    let starting = (IST_OVER_IN..IMIN_OVER_IN).contains(&over_in);
    match stated(class_d(load.factor), over_in) {
        None if starting && load.factor == Factor::One => Some(0.4 * IMIN_OVER_IN / over_in),
        limit => limit,
    }
}

/// The limit that the sweep judges by, per cent: the tighter of both tables where they speak. Below their lowest
/// rows, where 0.2S asks for nothing and R 46 lets the error grow as 1 / I, the last limit is held down to the
/// smallest current.
pub fn judged(load: Load) -> f64 {
    let lowest = match load.factor {
        Factor::One => 0.4,
        _ => 0.5,
    };
    let tables = [limit_02s(load), limit_d(load)];
    tables.into_iter().flatten().fold(lowest, f64::min)
}

/// What the chain may add to the f64 model on the same samples (proof plan 9.3, a tenth of class 0.2S), per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    pub active: f64,
    pub current: f64,
    pub voltage: f64,
    /// Of Q1; of S at power factor 1.
    pub reactive: f64,
    /// Hertz, for one second.
    pub frequency: f64,
}

/// The budget at a load.
pub fn budget(load: Load) -> Budget {
    let low = if load.current < 1.0 / 5000.0 * (1.0 - 1e-9) {
        0.05
    } else {
        0.02
    };
    let measured = load.current * IMAX_OVER_IN >= 0.01 * (1.0 - 1e-9);
    let narrow = if measured { 0.01 } else { low };
    Budget {
        active: if load.factor == Factor::One {
            narrow
        } else {
            low
        },
        current: narrow,
        voltage: 0.01,
        reactive: low,
        frequency: 1e-3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(over_in: f64, factor: Factor) -> Load {
        Load {
            current: over_in / IMAX_OVER_IN,
            factor,
        }
    }

    #[test]
    fn tables_speak_where_the_standards_do() {
        assert_eq!(limit_02s(at(0.009, Factor::One)), None);
        assert_eq!(limit_02s(at(0.01, Factor::One)), Some(0.4));
        assert_eq!(limit_02s(at(0.05, Factor::One)), Some(0.2));
        assert_eq!(limit_02s(at(0.05, Factor::HalfInductive)), Some(0.5));
        assert_eq!(limit_02s(at(0.1, Factor::QuarterInductive)), Some(0.5));
        assert_eq!(limit_d(at(0.001, Factor::One)), Some(4.0));
        assert_eq!(limit_d(at(0.0009, Factor::One)), None);
        assert_eq!(limit_d(at(0.05, Factor::Capacitive)), Some(0.3));
        assert_eq!(limit_d(at(1.0, Factor::QuarterInductive)), None);
    }

    #[test]
    fn the_judged_limit_never_grows_towards_small_currents_beyond_the_tables() {
        for (factor, want) in [
            (Factor::One, [0.4, 0.4, 0.2]),
            (Factor::HalfInductive, [0.5, 0.5, 0.3]),
            (Factor::QuarterInductive, [0.5, 0.5, 0.5]),
        ] {
            let got = [0.0002, 0.02, 1.0].map(|over_in| judged(at(over_in, factor)));
            assert_eq!(got, want, "{factor:?}");
        }
        assert_eq!(budget(at(1.0, Factor::One)).active, 0.01);
        assert_eq!(budget(at(1.0, Factor::HalfInductive)).active, 0.02);
        let smallest = Load {
            current: 1e-4,
            factor: Factor::One,
        };
        assert_eq!(budget(smallest).active, 0.05);
    }
}
