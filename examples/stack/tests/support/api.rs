//! The platform's API, as a signed-in administrator.

use serde_json::{Value, json};

/// A session.
pub struct Api {
    agent: ureq::Agent,
    base: String,
    cookie: String,
}

impl Api {
    pub fn sign_in(port: u16, password: &str) -> Self {
        let agent = agent();
        let base = format!("http://127.0.0.1:{port}");
        let answer = agent
            .post(format!("{base}/api/v1/login"))
            .send_json(json!({ "user": "admin", "password": password }));
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        Self {
            agent,
            base,
            cookie,
        }
    }

    pub fn get(&self, path: &str) -> Value {
        let request = self
            .agent
            .get(format!("{}/api/v1/{path}", self.base))
            .header("cookie", &self.cookie);
        let mut answer = request.call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.body_mut().read_json().unwrap()
    }

    /// One counter of the diagnostics.
    pub fn count(&self, name: &str) -> u64 {
        let counts = &self.get("diagnostics")["counts"];
        counts[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no counter {name}"))
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(std::time::Duration::from_secs(30)))
        .build()
        .into()
}
