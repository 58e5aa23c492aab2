//! The demand of one quantity as it is formed between two calls. Not stored: an incomplete period gives no demand.

use crate::civil::Moment;
use crate::demand::{Demand, Maxima, Peak, Windows};

/// Joules in a tenth of a watt hour.
pub(super) const JOULES: i64 = 360;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Formed<const SLIPS: usize> {
    demand: Option<Demand<SLIPS>>,
    /// The last window that ended.
    present: Option<Peak>,
    /// Energy of the present second, which no interval holds yet, joules.
    held: i64,
}

impl<const SLIPS: usize> Formed<SLIPS> {
    pub(super) const NEW: Self = Formed {
        demand: None,
        present: None,
        held: 0,
    };

    pub(super) const fn present(&self) -> Option<Peak> {
        self.present
    }

    /// Books what was used since `start`, tenths of a watt hour; nothing is known of the time before the first call.
    pub(super) fn book<const RATES: usize>(
        &mut self,
        windows: Windows,
        (start, now): (Option<Moment>, Moment),
        used: i64,
        rate: u8,
        maxima: &mut Maxima<RATES>,
    ) {
        let demand = self.demand.get_or_insert(Demand::new(windows));
        if demand.windows() != windows {
            *demand = Demand::new(windows);
        }
        let Some(start) = start else {
            return;
        };
        self.held = self.held.saturating_add(used.saturating_mul(JOULES));
        match u32::try_from(now.utc_s.saturating_sub(start.utc_s)) {
            Ok(0) => {}
            Ok(seconds) => {
                let joules = core::mem::take(&mut self.held);
                let present = &mut self.present;
                demand.book(start, seconds, joules, rate, |window| {
                    *present = Some(window.into());
                    maxima.take(&window);
                });
            }
            // The clock went back.
            Err(_) => {
                (self.held, self.present) = (0, None);
                demand.restart();
            }
        }
    }
}
