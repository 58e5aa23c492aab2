//! Signing in, and what is refused without it.

mod house;

use house::{House, PASSWORD, PREPAID, Person};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_told_or_done_without_a_session() {
    let house = House::start().await;
    let stranger = Person::at(&house);
    let relay = format!("/api/v1/devices/{PREPAID}/relay");
    for path in [
        "/api/v1/devices",
        "/api/v1/alarms",
        "/api/v1/orders",
        "/api/v1/diagnostics",
        "/api/v1/live",
        "/api/v1/session",
    ] {
        assert_eq!(stranger.get(path).status, 401, "{path}");
    }
    assert_eq!(
        stranger
            .write(&relay, json!({ "action": "open" }), "stranger-key")
            .status,
        401
    );
    let wrong = stranger.post(
        "/api/v1/login",
        json!({ "user": "admin", "password": "wrong" }),
        &[],
    );
    let unknown = stranger.post(
        "/api/v1/login",
        json!({ "user": "nobody", "password": "wrong" }),
        &[],
    );
    assert_eq!(
        (wrong.status, &wrong.body),
        (unknown.status, &unknown.body),
        "the same answer for both"
    );

    let person = Person::sign_in(&house);
    assert_eq!(
        person.get("/api/v1/devices").body.as_array().unwrap().len(),
        5
    );
    // Without the token, with a wrong one, or from another page.
    let body = || json!({ "action": "open" });
    let key = ("idempotency-key", "from-elsewhere");
    let csrf = person.csrf.clone();
    assert_eq!(person.post(&relay, body(), &[key]).status, 403);
    assert_eq!(
        person
            .post(&relay, body(), &[key, ("x-csrf-token", "0")])
            .status,
        403
    );
    let foreign = [
        key,
        ("x-csrf-token", csrf.as_str()),
        ("origin", "http://elsewhere.example"),
    ];
    assert_eq!(person.post(&relay, body(), &foreign).status, 403);
    assert_eq!(
        person
            .post(&relay, body(), &[("x-csrf-token", &csrf)])
            .status,
        400,
        "no idempotency key"
    );
    assert_eq!(
        person
            .write(&relay, json!({ "action": "recharge" }), "not-a-relay-order")
            .status,
        422
    );
    assert_eq!(
        person
            .write(
                "/api/v1/devices/d645-000000000000/relay",
                body(),
                "no-such-meter"
            )
            .status,
        404
    );
    for amount in ["0", "-1", "1.234", "lots"] {
        let path = format!("/api/v1/devices/{PREPAID}/sales");
        let reply = person.write(&path, json!({ "amount": amount }), "a-bad-amount");
        assert_eq!(
            (reply.status, reply.body["field"].as_str()),
            (422, Some("amount")),
            "{amount}"
        );
    }
    assert!(
        person
            .get("/api/v1/orders")
            .body
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(person.post("/api/v1/logout", json!({}), &[]).status, 204);
    assert_eq!(person.get("/api/v1/devices").status, 401);
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_gets_slower() {
    let house = House::start().await;
    let person = Person::at(&house);
    let guess = |password: &str| {
        person
            .post(
                "/api/v1/login",
                json!({ "user": "admin", "password": password }),
                &[],
            )
            .status
    };
    for _ in 0..5 {
        assert_eq!(guess("wrong"), 401);
    }
    assert_eq!(guess(PASSWORD), 429, "even the right one has to wait now");
    house.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_brings_its_own_policy() {
    let house = House::start().await;
    let mut page = ureq::get(house.url("/")).call().unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("http:"),
        "{policy}"
    );
    let text = page.body_mut().read_to_string().unwrap();
    assert!(text.contains("meterkit"));
    let mut plain = ureq::get(house.url("/plain")).call().unwrap();
    assert!(
        plain
            .body_mut()
            .read_to_string()
            .unwrap()
            .contains("login-password")
    );
    house.running.shutdown().await;
}
