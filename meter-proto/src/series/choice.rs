//! Which coding makes the shortest block.

use super::{Coding, ESCAPE, ESCAPED_BITS, K_MAX, ORDER_MAX, Prediction, zigzag};

const ORDERS: usize = ORDER_MAX as usize + 1;
/// Parameters tried for each order: the estimate and its neighbours.
const TRIED: usize = 3;

impl Coding {
    /// Rice codes of this order (0 to 2, higher counts as 2) with the parameter that the mean residual asks for. One
    /// pass; falls back to codec 1 or 0 where Rice codes cannot carry the values.
    #[must_use]
    pub fn of_order(order: u8, values: impl Iterator<Item = i64>) -> Self {
        let order = order.min(ORDER_MAX);
        let survey = Survey::of(values);
        match survey.orders.get(usize::from(order)) {
            Some(Residuals { rice: true, .. }) => Self {
                order,
                k: Some(survey.estimate(order)),
            },
            _ if survey.differences => Self::DELTA,
            _ => Self::VARINT,
        }
    }
}

/// What one pass tells of the residuals of an order.
#[derive(Clone, Copy, Debug)]
struct Residuals {
    /// Of those that are no literals.
    sum: u64,
    /// Whether all of them have at most 32 bits.
    rice: bool,
    /// Bits of the literals.
    literals: u64,
}

/// What one pass tells of the values.
#[derive(Clone, Copy, Debug)]
struct Survey {
    orders: [Residuals; ORDERS],
    count: u64,
    /// Whether all values may stand in a block with differences.
    differences: bool,
    /// Bits of codecs 0 and 1.
    varints: [u64; 2],
}

impl Survey {
    fn of(values: impl Iterator<Item = i64>) -> Self {
        let none = Residuals {
            sum: 0,
            rice: true,
            literals: 0,
        };
        let mut survey = Self {
            orders: [none; ORDERS],
            count: 0,
            differences: true,
            varints: [0; 2],
        };
        let mut prediction = Prediction::default();
        for value in values {
            for (order, seen) in (0..).zip(&mut survey.orders) {
                let residual = zigzag(prediction.residual(order, value));
                if prediction.count < usize::from(order) {
                    seen.literals = seen.literals.saturating_add(varint_bits(residual));
                } else {
                    seen.sum = seen.sum.saturating_add(residual);
                    seen.rice &= residual >> ESCAPED_BITS == 0;
                }
                if let Some(bits) = survey.varints.get_mut(usize::from(order)) {
                    *bits = bits.saturating_add(varint_bits(residual));
                }
            }
            survey.differences &= Coding::DELTA.allows(value);
            prediction.follow(value);
            survey.count = survey.count.saturating_add(1);
        }
        for order in survey.orders.iter_mut().skip(1) {
            order.rice &= survey.differences;
        }
        survey
    }

    /// The parameter whose power of two is nearest below the mean residual.
    fn estimate(&self, order: u8) -> u8 {
        let coded = self.count.saturating_sub(u64::from(order)).max(1);
        let sum = self
            .orders
            .get(usize::from(order))
            .map_or(0, |seen| seen.sum);
        (sum / coded)
            .checked_ilog2()
            .map_or(0, |k| k.min(u32::from(K_MAX)) as u8)
    }
}

/// The coding with the shortest block; of equals the simplest.
pub(super) fn shortest(values: impl Iterator<Item = i64> + Clone) -> Coding {
    let survey = Survey::of(values.clone());
    let mut candidates = [[None; TRIED]; ORDERS];
    for (order, row) in (0..).zip(&mut candidates) {
        let Some(Residuals {
            rice: true,
            literals,
            ..
        }) = survey.orders.get(usize::from(order))
        else {
            continue;
        };
        let lowest = survey.estimate(order).saturating_sub(1);
        for (k, candidate) in (lowest..=K_MAX).zip(row) {
            *candidate = Some((Coding { order, k: Some(k) }, 8 + literals));
        }
    }
    let mut prediction = Prediction::default();
    for value in values {
        for (coding, bits) in candidates.iter_mut().flatten().flatten() {
            if let (Some(k), false) = (coding.k, coding.is_literal(prediction.count)) {
                let residual = zigzag(prediction.residual(coding.order, value));
                *bits = bits.saturating_add(rice_bits(residual, k));
            }
        }
        prediction.follow(value);
    }
    let [plain, differences] = survey.varints;
    let varints = [
        Some((Coding::VARINT, plain)),
        survey.differences.then_some((Coding::DELTA, differences)),
    ];
    let all = varints.iter().chain(candidates.iter().flatten()).flatten();
    all.min_by_key(|(_, bits)| bits.div_ceil(8))
        .map_or(Coding::VARINT, |(coding, _)| *coding)
}

const fn varint_bits(value: u64) -> u64 {
    8 * ((value | 1).ilog2() as u64 / 7 + 1)
}

const fn rice_bits(residual: u64, k: u8) -> u64 {
    let quotient = residual >> k;
    if quotient < ESCAPE as u64 {
        quotient + 1 + k as u64
    } else {
        (ESCAPE + ESCAPED_BITS) as u64
    }
}
