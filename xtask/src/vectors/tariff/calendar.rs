//! Which rate is in force.

use ::tariff::calendar::{By, Calendar, Holiday, Slot, Zone};
use serde_json::{Value, json};

use super::{list, minute, moment};

/// Zones, day tables, holidays and rest days as a case writes them.
pub struct Tables {
    pub zones: Vec<Zone>,
    pub slots: Vec<Slot>,
    holidays: Vec<Holiday>,
    rest: Option<(u8, u8)>,
}

impl Tables {
    pub fn read(calendar: &Value) -> Option<Self> {
        let zones: Option<Vec<Zone>> = list(&calendar["zones"])
            .iter()
            .map(|row| {
                let (month, day) = row[0].as_str()?.split_once('-')?;
                let start = month.parse::<u16>().ok()? * 100 + day.parse::<u16>().ok()?;
                Some(Zone {
                    start,
                    table: row[1].as_u64()? as u8,
                })
            })
            .collect();
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
        let mut holidays = Vec::new();
        for (date, table) in calendar["holidays"].as_object().into_iter().flatten() {
            holidays.push(Holiday {
                date: moment(&format!("{date}T00:00"))?.date(),
                table: table.as_u64()? as u8,
            });
        }
        let word = calendar["week_word"].as_u64();
        let rest = word.zip(calendar["rest_table"].as_u64());
        Some(Tables {
            zones: zones?,
            slots,
            holidays,
            rest: rest.map(|(word, table)| (word as u8, table as u8)),
        })
    }

    pub fn calendar(&self) -> Option<Calendar<'_>> {
        let calendar = Calendar::try_new(&self.zones, &self.slots)
            .and_then(|calendar| calendar.with_holidays(&self.holidays))
            .ok()?;
        match self.rest {
            Some((word, table)) => calendar.with_rest_days(word, table).ok(),
            None => Some(calendar),
        }
    }
}

pub fn lookups(input: &Value, expected: &Value) -> Option<Value> {
    let tables = Tables::read(&input["calendar"])?;
    let calendar = tables.calendar()?;
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
