//! Setting a clock by exchanges of kinds 15 and 16, and how far it may be moved.
//!
//! ```text
//! poll_request ──> TimeRequest ──> answer ──> TimeAnswer ──> handle_answer ──> Measured ──> Allowance
//! ```
//!
//! Of a few exchanges the one with the shortest way counts: what a network adds is never less than nothing, so it is
//! wrong by the least. The asker's clock may have any origin; only the answer's quality says what it is worth.

use crate::message::{TimeAnswer, TimeRequest};
use crate::time::ClockQuality;

/// Longest way there and back of an answer that is used, microseconds.
pub const LONGEST_WAY_US: u64 = 10_000_000;
/// Exchanges of which the best counts.
pub const EXCHANGES: u8 = 4;
/// What a clock may be moved without an order within a day, microseconds.
pub const DAILY_US: u64 = 1_000_000;

const DAY_US: u64 = 86_400_000_000;

/// Answers a question: `received_us` and `sent_us` are this side's UTC in microseconds since 1970.
#[must_use]
pub const fn answer(
    request: &TimeRequest,
    received_us: u64,
    sent_us: u64,
    uncertainty_us: u32,
    quality: ClockQuality,
) -> TimeAnswer {
    TimeAnswer {
        origin_us: request.origin_us,
        received_us,
        sent_us: if sent_us < received_us {
            received_us
        } else {
            sent_us
        },
        uncertainty_us,
        quality,
    }
}

/// What an exchange says of the asker's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What to add to the asker's clock to get UTC in microseconds since 1970.
    pub offset_us: i64,
    /// The most by which that may be wrong: half the way and the answerer's own uncertainty.
    pub uncertainty_us: u64,
    /// Quality of the answerer's clock.
    pub quality: ClockQuality,
}

/// Why an answer is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unused {
    /// It answers no question that is open: a repeat, or somebody's invention.
    Unasked,
    /// Its stamps contradict each other or this clock.
    Impossible,
    /// The way there and back took longer than [`LONGEST_WAY_US`].
    TooSlow,
    /// The answerer's own clock is not good enough: below [`ClockQuality::NETWORK`].
    Quality,
}

impl core::fmt::Display for Unused {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Unasked => "no question is open that this answers",
            Self::Impossible => "the stamps of the answer contradict each other",
            Self::TooSlow => "the answer was under way too long",
            Self::Quality => "the answerer's clock is not set well enough",
        })
    }
}

impl core::error::Error for Unused {}

/// The asking side.
#[derive(Clone, Debug)]
pub struct TimeExchange {
    interval_us: u64,
    repeat_us: u64,
    /// The question that is open.
    open: Option<u64>,
    /// When the next question goes out, by the asker's clock.
    due: u64,
    /// Answers of this round, and the best of them.
    answers: u8,
    best: Option<Measured>,
}

impl TimeExchange {
    /// Asks a round of [`EXCHANGES`] questions each `interval_us`, a question without an answer again after
    /// `repeat_us`.
    #[must_use]
    pub const fn new(interval_us: u64, repeat_us: u64) -> Self {
        Self {
            interval_us,
            repeat_us,
            open: None,
            due: 0,
            answers: 0,
            best: None,
        }
    }

    /// The next question, if it is time; `now_us` is the asker's clock, microseconds of any origin, never set back.
    pub fn poll_request(&mut self, now_us: u64) -> Option<TimeRequest> {
        if now_us < self.due {
            return None;
        }
        self.open = Some(now_us);
        self.due = now_us.saturating_add(self.repeat_us);
        Some(TimeRequest { origin_us: now_us })
    }

    /// When [`TimeExchange::poll_request`] has a question.
    #[must_use]
    pub const fn poll_timeout(&self) -> u64 {
        self.due
    }

    /// Takes an answer that came at `now_us`. The best of a round is given with its last answer.
    ///
    /// # Errors
    /// [`Unused`].
    pub fn handle_answer(
        &mut self,
        now_us: u64,
        answer: &TimeAnswer,
    ) -> Result<Option<Measured>, Unused> {
        let origin = self
            .open
            .filter(|origin| *origin == answer.origin_us)
            .ok_or(Unused::Unasked)?;
        let way = now_us
            .checked_sub(origin)
            .zip(answer.sent_us.checked_sub(answer.received_us))
            .and_then(|(all, held)| all.checked_sub(held))
            .ok_or(Unused::Impossible)?;
        if way > LONGEST_WAY_US {
            return Err(Unused::TooSlow);
        }
        if answer.quality < ClockQuality::NETWORK {
            return Err(Unused::Quality);
        }
        let wide = |value: u64| i128::from(value);
        let sum = wide(answer.received_us) - wide(origin) + wide(answer.sent_us) - wide(now_us);
        let measured = Measured {
            offset_us: i64::try_from(sum.div_euclid(2)).map_err(|_| Unused::Impossible)?,
            uncertainty_us: way
                .div_ceil(2)
                .saturating_add(u64::from(answer.uncertainty_us))
                .saturating_add(1),
            quality: answer.quality,
        };
        self.open = None;
        self.answers = self.answers.saturating_add(1);
        let better = |best: &Measured| best.uncertainty_us <= measured.uncertainty_us;
        let best = self.best.filter(better).unwrap_or(measured);
        if self.answers < EXCHANGES {
            (self.best, self.due) = (Some(best), now_us);
            return Ok(None);
        }
        (self.best, self.answers) = (None, 0);
        self.due = now_us.saturating_add(self.interval_us);
        Ok(Some(best))
    }
}

/// How a clock is to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// By so many microseconds, evenly or at once as the clock can; the rest waits for the next days.
    By(i64),
    /// Not at all: it is right within what is known, or today's allowance is used up.
    None,
    /// It is wrong by more than can be made good in this way: an order must set it.
    NeedsOrder,
}

/// What a legal clock may be moved by ordinary exchanges: one second a day, forward and back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// When the day began and what was used of it.
    since_us: u64,
    used_us: u64,
    /// Beyond this an order is asked for.
    order_us: u64,
}

impl Allowance {
    /// `order_us`: from what error on an order must set the clock, usually some minutes.
    #[must_use]
    pub const fn new(order_us: u64) -> Self {
        Self {
            since_us: 0,
            used_us: 0,
            order_us,
        }
    }

    /// How to move a clock that is behind by `behind_us` give or take `uncertainty_us`; `now_us` never goes back. What
    /// is within the uncertainty is left alone.
    pub fn adjust(&mut self, now_us: u64, behind_us: i64, uncertainty_us: u64) -> Adjustment {
        let error = behind_us.unsigned_abs();
        if error > self.order_us {
            return Adjustment::NeedsOrder;
        }
        if now_us.saturating_sub(self.since_us) >= DAY_US {
            (self.since_us, self.used_us) = (now_us, 0);
        }
        let step = error.min(DAILY_US.saturating_sub(self.used_us));
        if error <= uncertainty_us || step == 0 {
            return Adjustment::None;
        }
        if self.used_us == 0 {
            // The day counts from its first movement: two days' allowances never lie side by side.
            self.since_us = now_us;
        }
        self.used_us = self.used_us.saturating_add(step);
        let step = step as i64; // at most a second
        Adjustment::By(if behind_us < 0 { -step } else { step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One exchange with a clock that is ahead by `ahead`, over ways of such lengths.
    fn exchange(
        exchange: &mut TimeExchange,
        now: u64,
        ahead: i64,
        there: u64,
        back: u64,
    ) -> Result<Option<Measured>, Unused> {
        let Some(request) = exchange.poll_request(now) else {
            panic!("a question is due")
        };
        let utc = |own: u64| own.wrapping_add_signed(ahead);
        let (received, sent) = (utc(now + there), utc(now + there + 300));
        let answer = answer(&request, received, sent, 50, ClockQuality::LEGAL);
        exchange.handle_answer(now + there + 300 + back, &answer)
    }

    #[test]
    fn the_best_of_four_counts_and_its_bound_holds() {
        let ahead = 1_795_219_200_123_456;
        let mut asker = TimeExchange::new(3_600_000_000, 1_000_000);
        let ways = [(40_000, 900_000), (20_000, 31_000), (500_000, 20_000)];
        for (at, (there, back)) in (0u64..).zip(ways) {
            assert_eq!(
                exchange(&mut asker, at * 2_000_000, ahead, there, back),
                Ok(None)
            );
        }
        let Ok(Some(measured)) = exchange(&mut asker, 8_000_000, ahead, 100_000, 100_000) else {
            panic!("the fourth answer ends the round")
        };
        assert!(measured.offset_us.abs_diff(ahead) <= measured.uncertainty_us);
        assert_eq!(measured.uncertainty_us, 25_500 + 50 + 1);
        assert_eq!(asker.poll_request(9_000_000), None);
        assert_eq!(asker.poll_timeout(), 8_000_000 + 200_300 + 3_600_000_000);
    }

    #[test]
    fn answers_that_nobody_asked_for_or_that_cannot_be_are_not_used() {
        let mut asker = TimeExchange::new(1_000_000, 1_000_000);
        let good = TimeAnswer {
            origin_us: 5,
            received_us: 1_000,
            sent_us: 1_010,
            uncertainty_us: 0,
            quality: ClockQuality::LEGAL,
        };
        assert_eq!(asker.handle_answer(100, &good), Err(Unused::Unasked));
        assert_eq!(asker.poll_request(5).map(|asked| asked.origin_us), Some(5));
        let held = TimeAnswer {
            sent_us: 2_000,
            ..good
        };
        assert_eq!(asker.handle_answer(100, &held), Err(Unused::Impossible));
        assert_eq!(asker.handle_answer(4, &good), Err(Unused::Impossible));
        assert_eq!(asker.handle_answer(20_000_000, &good), Err(Unused::TooSlow));
        let unset = TimeAnswer {
            quality: ClockQuality::HOLDOVER,
            ..good
        };
        assert_eq!(asker.handle_answer(100, &unset), Err(Unused::Quality));
        assert_eq!(asker.handle_answer(100, &good), Ok(None));
        assert_eq!(
            asker.handle_answer(100, &good),
            Err(Unused::Unasked),
            "a repeat"
        );
        let _ = asker.poll_request(100);
        let far = TimeAnswer {
            origin_us: 100,
            received_us: u64::MAX,
            sent_us: u64::MAX,
            ..good
        };
        assert_eq!(asker.handle_answer(200, &far), Err(Unused::Impossible));
    }

    #[test]
    fn a_clock_moves_one_second_a_day_at_most() {
        let mut allowance = Allowance::new(600_000_000);
        assert_eq!(allowance.adjust(0, 300, 1_000), Adjustment::None);
        assert_eq!(
            allowance.adjust(0, -400_000, 1_000),
            Adjustment::By(-400_000)
        );
        assert_eq!(allowance.adjust(1, 900_000, 1_000), Adjustment::By(600_000));
        assert_eq!(allowance.adjust(2, 900_000, 1_000), Adjustment::None);
        assert_eq!(allowance.adjust(2, 600_000_001, 0), Adjustment::NeedsOrder);
        assert_eq!(allowance.adjust(DAY_US - 1, 5_000_000, 0), Adjustment::None);
        assert_eq!(
            allowance.adjust(DAY_US, 5_000_000, 0),
            Adjustment::By(1_000_000)
        );
        assert_eq!(
            allowance.adjust(u64::MAX, i64::MIN, 0),
            Adjustment::NeedsOrder
        );
    }
}
