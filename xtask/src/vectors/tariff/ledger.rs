//! Operations of a prepaid platform.

use ::tariff::ledger::{Ledger, Operation, Outcome, Refusal};
use serde_json::{Map, Value, json};

use super::{fixed, list, scaled};

pub fn ledger(input: &Value) -> Option<Value> {
    let mut ledger = Ledger::new();
    let mut results = Vec::new();
    for row in list(&input["operations"]) {
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        let amount = || scaled(&row["amount"], 2);
        let operation = match row["op"].as_str()? {
            "sell" => Operation::Sell {
                customer: text("customer")?,
                amount: amount()?,
            },
            "deliver" => Operation::Deliver {
                sale: text("sale")?,
            },
            "consume" => Operation::Consume {
                customer: text("customer")?,
                parts: vec![(String::new(), amount()?)],
            },
            "return" => Operation::Return {
                sale: text("sale")?,
            },
            "correct" => Operation::Correct {
                customer: text("customer")?,
                amount: amount()?,
                reason: String::new(),
            },
            _ => return None,
        };
        results.push(match ledger.post(row["id"].as_str()?, &operation) {
            Ok(Outcome::Booked) => "ok",
            Ok(Outcome::Exists) => "exists",
            Err(Refusal::IdReused) => "id_reused_with_other_content",
            Err(Refusal::NoSuchSale) => "no_such_sale",
            Err(Refusal::AlreadyDelivered) => "already_delivered",
            Err(Refusal::AlreadyReturned) => "already_returned",
            Err(Refusal::MeterBalanceTooLow) => "meter_balance_too_low",
            Err(_) => return None,
        });
    }
    let balances: Map<String, Value> = ledger
        .balances()
        .map(|(account, balance)| (account.to_string(), json!(fixed(balance, 2))))
        .collect();
    let sum = ledger.balances().map(|(_, balance)| balance).sum();
    Some(json!({"results": results, "balances": balances, "sum": fixed(sum, 2)}))
}
