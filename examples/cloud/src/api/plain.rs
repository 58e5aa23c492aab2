//! The plain page: no scripts, live by reloading itself. It is what the program shows when the page's libraries were
//! not there at build time, and what a text browser gets.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use std::fmt::Write as _;

use super::guard::caller;
use super::session::{set_cookie, sign_in};
use super::{Context, Problem};
use crate::auth;
use crate::page::{self, escape};
use crate::store::DeviceKind;
use crate::view::{DeviceView, Reading, Relay};

pub(super) fn routes() -> axum::Router<Context> {
    axum::Router::new()
        .route("/plain", get(overview))
        .route("/plain/login", post(login))
}

#[derive(Deserialize)]
pub(super) struct LoginForm {
    user: String,
    password: String,
}

async fn login(
    State(context): State<Context>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Response {
    match sign_in(&context, &headers, form.user.clone(), form.password).await {
        Ok((_, _, token)) => (
            [(header::SET_COOKIE, set_cookie(&token))],
            Redirect::to("/plain"),
        )
            .into_response(),
        Err(problem) => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED);
            (status, login_page(&form.user, Some(&problem))).into_response()
        }
    }
}

fn login_page(user: &str, problem: Option<&Problem>) -> Response {
    let said = problem.map(|problem| {
        format!(
            "<p role=\"alert\" class=\"bad\">{}</p>",
            escape(&problem.message)
        )
    });
    let body = format!(
        "<h1>meterkit</h1>{missing}{said}<form method=\"post\" action=\"/plain/login\">\
         <label>Name <input name=\"user\" autocomplete=\"username\" required data-testid=\"login-name\" value=\"{user}\"></label>\
         <label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\" required \
         data-testid=\"login-password\"></label><button data-testid=\"login-submit\">Sign in</button></form>",
        missing = missing(),
        said = said.unwrap_or_default(),
        user = escape(user),
    );
    page::plain("meterkit", false, &body)
}

fn missing() -> &'static str {
    if page::complete() {
        return "";
    }
    "<p class=\"note\" data-testid=\"missing\">This is the plain page. The full one needs three small libraries that were \
     not there when the program was built: install Node.js, run <code>npm ci</code> in <code>examples/cloud/web</code> \
     (or <code>cargo xtask demo</code>, which does it) and build again.</p>"
}

pub(super) async fn overview(State(context): State<Context>, headers: HeaderMap) -> Response {
    let Ok(caller) = caller(&context, &headers).await else {
        return login_page("admin", None);
    };
    let views = context
        .blocking(move |platform| {
            let devices = platform.devices();
            let seen = devices.values().filter(|device| {
                device.kind != DeviceKind::Gateway && auth::sees(&caller.user, device)
            });
            Ok(seen
                .map(|device| platform.view(device))
                .collect::<crate::store::Result<Vec<_>>>()?)
        })
        .await;
    let views = match views {
        Ok(views) => views,
        Err(problem) => return problem.into_response(),
    };
    let mut body = format!("<h1>Overview</h1>{}", missing());
    body.push_str(
        "<table><thead><tr><th>Meter<th>Now<th>Register<th>Today<th>Cost today<th>Balance<th>Relay<th>Alarms</tr></thead><tbody>",
    );
    for view in &views {
        body.push_str(&row(view));
    }
    body.push_str("</tbody></table>");
    page::plain("meterkit", true, &body)
}

fn row(view: &DeviceView) -> String {
    let show = |reading: &Option<Reading>| match reading {
        Some(reading) => escape(&format!("{} {}", reading.value, reading.unit)),
        None => "–".into(),
    };
    let relay = match view.relay {
        Some(Relay::Open) => ("open", "off (relay open)"),
        Some(Relay::Closed) => ("closed", "on"),
        None => ("", "–"),
    };
    let mut row = String::new();
    let _ = write!(
        row,
        "<tr data-testid=\"meter-card\" data-device=\"{id}\"><th scope=\"row\">{name}<br><small>{id}{offline}</small></th>\
         <td data-testid=\"power\">{power}</td><td>{register}</td><td>{today}</td><td>{money}</td>\
         <td data-testid=\"balance\">{balance}</td><td data-testid=\"relay-state\" data-state=\"{state}\">{relay}</td>\
         <td>{alarms}</td></tr>",
        id = escape(&view.id),
        name = escape(&view.name),
        offline = if view.online { "" } else { " · offline" },
        power = show(&view.power),
        register = show(&view.register),
        today = view
            .today
            .used
            .as_ref()
            .map_or("–".into(), |used| escape(&format!(
                "{used} {}",
                view.today.unit
            ))),
        money = view
            .today
            .money
            .as_ref()
            .map_or("–".into(), |money| escape(&format!(
                "{money} {}",
                view.today.currency
            ))),
        balance = show(&view.balance),
        state = relay.0,
        relay = relay.1,
        alarms = view.alarms,
    );
    row
}
