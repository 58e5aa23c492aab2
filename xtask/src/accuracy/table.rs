//! Outcomes for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::front::{self, Front};
use super::limits::{Factor, Load, judged, limit_02s, limit_d};
use super::point::Outcome;

/// Largest of the values.
fn worst(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |worst, value| worst.max(value.abs()))
}

fn of(
    outcomes: &[Outcome],
    front: Front,
    factor: Factor,
) -> impl Iterator<Item = &Outcome> + Clone {
    outcomes.iter().filter(move |outcome| {
        outcome.point.front.id == front.id && outcome.point.load.factor == factor
    })
}

/// Both tables in Markdown: the total error, and the chain beside the model.
pub fn markdown(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| front end | PF | worst error, % | at I / Imax | part of the class limit | inside the limit from I / Imax |\n\
         |---|---|---|---|---|---|\n",
    );
    for front in front::all() {
        for factor in Factor::ALL {
            let rows = of(outcomes, front, factor);
            let Some(at) = rows
                .clone()
                .max_by(|a, b| a.part_of_class().total_cmp(&b.part_of_class()))
            else {
                continue;
            };
            let _ = writeln!(
                text,
                "| {} | {} | {:.4} | {:.2e} | {:.3} | {} |",
                front.name,
                factor.name(),
                at.total,
                at.point.load.current,
                at.part_of_class(),
                lowest_inside(rows).map_or("none".to_owned(), |current| format!("{current:.2e}")),
            );
        }
    }
    text.push_str(
        "\n| front end | PF | P, % | I, % | U, % | Q1, % | f, mHz | part of the budget |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for front in front::all() {
        for factor in Factor::ALL {
            let rows = of(outcomes, front, factor);
            if rows.clone().next().is_none() {
                continue;
            }
            let _ = writeln!(
                text,
                "| {} | {} | {:.4} | {:.4} | {:.4} | {:.4} | {:.2} | {:.3} |",
                front.name,
                factor.name(),
                worst(rows.clone().map(|row| row.chain.active)),
                worst(rows.clone().map(|row| row.chain.current)),
                worst(rows.clone().map(|row| row.chain.voltage)),
                worst(rows.clone().map(|row| row.chain.reactive)),
                worst(rows.clone().map(|row| row.chain.frequency)) * 1e3,
                worst(rows.map(Outcome::part_of_budget)),
            );
        }
    }
    text
}

/// The smallest current from which on every point up to the largest lies inside the class limit.
fn lowest_inside<'a>(rows: impl Iterator<Item = &'a Outcome> + Clone) -> Option<f64> {
    let highest_outside = rows
        .clone()
        .filter(|row| row.part_of_class() > 1.0)
        .map(|row| row.point.load.current)
        .fold(0.0, f64::max);
    rows.map(|row| row.point.load.current)
        .filter(|&current| current > highest_outside)
        .min_by(f64::total_cmp)
}

/// Every point.
pub fn json(outcomes: &[Outcome]) -> Value {
    let rows: Vec<Value> = outcomes
        .iter()
        .map(|row| {
            let Load { current, factor } = row.point.load;
            json!({
                "front_end": row.point.front.id,
                "current_over_imax": current,
                "power_factor": factor.name(),
                "voltage_over_un": row.point.voltage,
                "hertz": row.point.hertz,
                "windows": row.windows,
                "total_percent": row.total,
                "limit_judged_percent": judged(row.point.load),
                "limit_02s_percent": limit_02s(row.point.load),
                "limit_d_percent": limit_d(row.point.load),
                "chain_percent": {
                    "active": row.chain.active,
                    "current": row.chain.current,
                    "voltage": row.chain.voltage,
                    "reactive": row.chain.reactive,
                },
                "chain_hertz": row.chain.frequency,
                "refused": row.refused(),
            })
        })
        .collect();
    Value::Array(rows)
}
