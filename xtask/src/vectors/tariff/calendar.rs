//! Which rate is in force.

use ::tariff::calendar::{By, Calendar, Holiday, Slot, Zone};
use serde_json::{Value, json};

use super::{list, minute, moment};

pub fn lookups(input: &Value, expected: &Value) -> Option<Value> {
    let calendar = &input["calendar"];
    let zones: Vec<Zone> = list(&calendar["zones"])
        .iter()
        .map(|row| {
            let (month, day) = row[0].as_str()?.split_once('-')?;
            let start = month.parse::<u16>().ok()? * 100 + day.parse::<u16>().ok()?;
            Some(Zone {
                start,
                table: row[1].as_u64()? as u8,
            })
        })
        .collect::<Option<_>>()?;
    let mut slots = Vec::new();
    for (table, rows) in calendar["tables"].as_object()? {
        for row in list(rows) {
            slots.push(Slot {
                table: table.parse().ok()?,
                start: minute(row[0].as_str()?)?,
                rate: row[1].as_u64()? as u8,
            });
        }
    }
    let holidays: Vec<Holiday> = calendar["holidays"]
        .as_object()?
        .iter()
        .map(|(date, table)| {
            let date = moment(&format!("{date}T00:00"))?.date();
            Some(Holiday {
                date,
                table: table.as_u64()? as u8,
            })
        })
        .collect::<Option<_>>()?;
    let work_days = calendar["week_word"].as_u64()? as u8;
    let rest_table = calendar["rest_table"].as_u64()? as u8;
    let calendar = Calendar::try_new(&zones, &slots)
        .and_then(|calendar| calendar.with_rest_days(work_days, rest_table))
        .and_then(|calendar| calendar.with_holidays(&holidays))
        .ok()?;
    let mut rows = Vec::new();
    for row in list(&expected["lookups"]) {
        let at = moment(row["at"].as_str()?)?;
        let (table, by) = calendar.day_table(at.date());
        let by = match by {
            By::Holiday => "holiday",
            By::RestDay => "rest_day",
            By::Zone => "zone",
        };
        let rate = calendar.rate(at);
        rows.push(json!({"at": row["at"], "day_table": table, "rate": rate, "by": by}));
    }
    Some(json!({"lookups": rows}))
}
