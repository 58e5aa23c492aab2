//! Orders and bills: sold once, executed once, shown as the meter answered.

mod house;

use house::{Gateway, House, IMPORT, MORNING, PREPAID, Person, THREE_PHASE, until};
use meter_proto::message::Stream;
use meter_proto::value::Value;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_is_sold_once_and_charged_once() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    until("the topology is known", || {
        house.platform().device_at(house::GATEWAY, 1).is_some()
    })
    .await;
    let person = Person::sign_in(&house);
    let path = format!("/api/v1/devices/{PREPAID}/sales");
    let first = person.write(&path, json!({ "amount": "20.50" }), "press-number-one");
    assert_eq!(first.status, 202, "{}", first.body);
    let again = person.write(&path, json!({ "amount": "20.50" }), "press-number-one");
    assert_eq!(
        (again.status, &again.body["number"]),
        (200, &first.body["number"])
    );
    assert_eq!(
        person
            .write(&path, json!({ "amount": "99" }), "press-number-one")
            .status,
        409,
        "same key, other wish"
    );
    assert_eq!(
        person
            .write(&path, json!({ "amount": "5" }), "press-number-two")
            .status,
        409,
        "one sale at a time"
    );

    // The meter was charged seven times by other means: it refuses the first order and tells its count.
    let command = gateway.command().await;
    let (refused, result) = gateway.obey(&command, 1);
    assert!(matches!(
        refused.outcome,
        security::order::Outcome::Refused(_)
    ));
    let bytes = gateway.seal(Stream::LEDGER, &result);
    gateway.publish(Stream::LEDGER, bytes).await;
    // The platform gives it again with the right count; the line repeats the order, the meter acts once.
    let number = loop {
        let command = gateway.command().await;
        if command.id != first.body["number"].as_u64().unwrap() {
            gateway.obey(&command, 0);
            let repeated = gateway.command().await;
            assert_eq!(repeated.id, command.id);
            let (ack, result) = gateway.obey(&repeated, 2);
            assert_eq!(ack.outcome, security::order::Outcome::Done);
            let bytes = gateway.seal(Stream::LEDGER, &result);
            gateway.publish(Stream::LEDGER, bytes.clone()).await;
            gateway.publish(Stream::LEDGER, bytes).await;
            break command.id;
        }
    };
    assert_eq!(
        (
            gateway.purse.executed,
            gateway.purse.state.balance,
            gateway.purse.state.count
        ),
        (1, 2_050, 8)
    );
    let order = person.get(&format!("/api/v1/orders/{number}")).body;
    assert_eq!(
        (order["state"].as_str(), order["amount"].as_str()),
        (Some("done"), Some("20.50"))
    );
    assert_eq!(
        person.get("/api/v1/sales").body.as_array().unwrap().len(),
        2
    );
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_nobody_answers_expires() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    until("the topology is known", || {
        house.platform().device_at(house::GATEWAY, 2).is_some()
    })
    .await;
    let person = Person::sign_in(&house);
    let path = format!("/api/v1/devices/{THREE_PHASE}/relay");
    let given = person.write(&path, json!({ "action": "open" }), "switch-it-off");
    assert_eq!(given.status, 202, "{}", given.body);
    let command = gateway.command().await;
    assert_eq!(command.id, given.body["number"].as_u64().unwrap());
    house.hands.set(MORNING + 31 * 60_000);
    let path = format!("/api/v1/orders/{}", command.id);
    until("the order expired", || {
        person.get(&path).body["state"] == "expired"
    })
    .await;
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alarms_rise_clear_and_are_acknowledged() {
    use house::{BALANCE, POWER, STATUS_3};
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    until("the topology is known", || {
        house.platform().device_at(house::GATEWAY, 1).is_some()
    })
    .await;
    let values = [
        (POWER, Value::new(81_000, -1)),
        (
            house::voltage(meter_proto::point::Phase::L1),
            Value::new(2_702, -1),
        ),
        (BALANCE, Value::new(-5, -2)),
        (STATUS_3, Value::new(0x10, 0)),
    ];
    gateway.telemetry(PREPAID, 1, &values).await;
    let person = Person::sign_in(&house);
    let up = |code: &str| {
        let alarms = person.get("/api/v1/alarms").body;
        let found = alarms
            .as_array()
            .unwrap()
            .iter()
            .find(|alarm| alarm["code"] == code)
            .cloned();
        found.filter(|alarm| alarm["cleared"].is_null())
    };
    until("all four are up", || {
        ["overload", "over_voltage", "low_credit", "relay_open"]
            .iter()
            .all(|c| up(c).is_some())
    })
    .await;
    let view = person.get(&format!("/api/v1/devices/{PREPAID}")).body;
    assert_eq!(
        (view["relay"].as_str(), view["balance"]["value"].as_str()),
        (Some("open"), Some("-0.05"))
    );
    assert_eq!(view["power"]["value"], "8100.0");
    let id = up("overload").unwrap()["id"].clone();
    let reply = person.write(
        &format!("/api/v1/alarms/{id}/acknowledge"),
        json!({ "comment": "heater" }),
        "",
    );
    assert_eq!(
        (reply.status, reply.body["comment"].as_str()),
        (200, Some("heater"))
    );
    let calm = [
        (POWER, Value::new(500, 0)),
        (BALANCE, Value::new(2_000, -2)),
        (STATUS_3, Value::new(0, 0)),
    ];
    gateway.telemetry(PREPAID, 2, &calm).await;
    until("three cleared", || {
        ["overload", "low_credit", "relay_open"]
            .iter()
            .all(|code| up(code).is_none())
    })
    .await;
    assert!(up("over_voltage").is_some());
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn today_is_billed_from_sealed_readings() {
    let house = House::start().await;
    let mut gateway = Gateway::connect(&house).await;
    // 10:00 to 11:00 at the peak rate: 1.2345 kWh in steps of 0.1 Wh.
    for (seq, (minute, register)) in (1..).zip([(0, 1_000_000), (30, 1_006_172), (60, 1_012_345)]) {
        house.hands.set(MORNING + minute * 60_000);
        let block = gateway.legal(
            THREE_PHASE,
            seq,
            1,
            seq,
            &[(IMPORT, Value::new(register, -1))],
        );
        gateway.publish(Stream::LEGAL, block).await;
    }
    let person = Person::sign_in(&house);
    let path = format!("/api/v1/devices/{THREE_PHASE}");
    until("the values are live", || {
        person.get(&path).body["register"]["value"] == "101.2345"
    })
    .await;
    let view = person.get(&path).body;
    assert_eq!(view["today"]["used"], "1.2345");
    assert_eq!(view["register"]["sealed"], true);
    // Whole watt hours: 1234 Wh at 0.6170.
    assert_eq!(view["bill"]["lines"][0]["quantity"], "1.234");
    assert_eq!(
        (
            view["bill"]["exact"].as_str(),
            view["bill"]["total"].as_str()
        ),
        (Some("0.761378"), Some("0.76"))
    );
    let series = person.get(&format!(
        "{path}/history?point={}&from={}&to={}&by=hour",
        IMPORT.bits(),
        MORNING,
        MORNING + 7_200_000
    ));
    assert_eq!(series.body["rows"].as_array().unwrap().len(), 2);
    house.running.shutdown().await;
}
