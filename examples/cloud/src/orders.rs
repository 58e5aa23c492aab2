//! Orders to meters: sealed here, carried unopened, answered under the seal of the core that acted.
//!
//! An order has one number for ever. It is sealed anew for each try (its bytes stay the same, the envelope's counter
//! rises), so a meter that did it already answers what it answered then. Per meter and core one order is under way at
//! a time: numbers must arrive in rising order.

use anyhow::{Context, bail};
use meter_proto::compact;
use meter_proto::device::DeviceId;
use meter_proto::message::{Command, CommandBody, CommandResult, Head, Message, Sealed, Stream};
use meter_proto::time::{ClockQuality, Stamp};
use meter_proto::topic::Topic;
use security::envelope::Class;
use security::gate::Refusal;
use security::key::Purpose;
use security::order::{self, Moment, OrderAck, Outcome, Recharge, RelayFeedback};
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::history::RecordKey;
use crate::keys::key_id;
use crate::platform::{Change, Platform};
use crate::store::{Begun, Device, Order, OrderKind, OrderState};

/// Operator code of the platform in every order; its high byte is the role under which meters count numbers.
const OPERATOR: [u8; 4] = [1, 0, 0, 1];

/// An order as people see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrderView {
    /// Number, unique for ever.
    pub number: u64,
    /// Meter it is for.
    pub device: String,
    /// What it asks.
    pub kind: OrderKind,
    /// Where it stands.
    pub state: OrderState,
    /// Who gave it.
    pub actor: String,
    /// UTC milliseconds when it was given.
    pub created: u64,
    /// UTC milliseconds after which the meter must not do it.
    pub expires: u64,
    /// Amount of a recharge, exact decimal.
    pub amount: Option<String>,
    /// How often it was sent.
    pub tries: u32,
    /// UTC milliseconds of the answer.
    pub answered: Option<u64>,
    /// Why the meter did not do it, in words.
    pub reason: Option<String>,
}

impl From<&Order> for OrderView {
    fn from(order: &Order) -> Self {
        let outcome = order
            .status
            .and_then(|code| u8::try_from(code).ok())
            .and_then(Outcome::from_code);
        Self {
            number: order.number,
            device: order.device.clone(),
            kind: order.kind,
            state: order.state,
            actor: order.actor.clone(),
            created: order.created,
            expires: order.expires,
            amount: order.amount.map(cents),
            tries: order.tries,
            answered: order.answered,
            reason: match (order.state, outcome) {
                (OrderState::Refused, Some(Outcome::Refused(refusal))) => Some(refusal.to_string()),
                (OrderState::Refused, Some(Outcome::Interrupted)) => {
                    Some("power went while the meter acted; its state tells what happened".into())
                }
                (OrderState::Refused, _) => Some("the meter could not do it".into()),
                _ => None,
            },
        }
    }
}

/// Hundredths as decimal text.
pub fn cents(amount: u32) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

/// Reads an amount such as `20`, `20.5` or `20.50` into hundredths; `None` for anything else or zero.
pub fn parse_amount(text: &str) -> Option<u32> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: u32 = format!("{part:0<2}").parse().ok()?;
    let amount = whole
        .parse::<u32>()
        .ok()?
        .checked_mul(100)?
        .checked_add(part)?;
    (amount > 0).then_some(amount)
}

fn purpose(kind: OrderKind) -> Purpose {
    if kind == OrderKind::Recharge {
        Purpose::Purse
    } else {
        Purpose::Lctrl
    }
}

/// Seconds of the meter's calendar, which is the site's local time.
fn moment(platform: &Platform, millis: u64) -> Option<Moment> {
    let second = i64::try_from(millis / 1000).ok()?;
    let offset =
        jiff::tz::Offset::from_seconds(platform.config.offset_minutes.checked_mul(60)?).ok()?;
    let local = offset.to_datetime(jiff::Timestamp::from_second(second).ok()?);
    let small = |value: i8| u8::try_from(value).ok();
    Moment::try_new(
        u8::try_from(local.year().checked_sub(2000)?).ok()?,
        small(local.month())?,
        small(local.day())?,
        small(local.hour())?,
        small(local.minute())?,
        small(local.second())?,
    )
}

/// A message on its way to a gateway, not sealed yet.
#[derive(Debug)]
pub(crate) struct Letter {
    gateway: String,
    class: Class,
    plain: Vec<u8>,
}

/// What somebody wants a meter to do.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What.
    pub kind: OrderKind,
    /// Hundredths of the currency, for a recharge.
    pub amount: Option<u32>,
    /// Who wants it.
    pub actor: String,
    /// Key that makes a repeat of the same wish harmless.
    pub idempotency: String,
}

impl Platform {
    /// Writes an order down and starts to send it.
    pub fn give(&self, device: &Device, wish: &Wish) -> anyhow::Result<Begun> {
        let now = (self.clock)();
        let expires = now.saturating_add(self.config.order_life_ms);
        let recharge = match (wish.kind, wish.amount) {
            (OrderKind::Recharge, Some(amount)) => {
                let purchase = self
                    .store
                    .purchase_count(&device.id)?
                    .checked_add(1)
                    .context("the purchase count is full")?;
                Some((amount, purchase))
            }
            (OrderKind::Recharge, None) => bail!("a recharge needs an amount"),
            _ => None,
        };
        let begun = self.store.begin_order(&Order {
            number: 0,
            device: device.id.clone(),
            kind: wish.kind,
            state: OrderState::Made,
            actor: wish.actor.clone(),
            created: now,
            expires,
            amount: recharge.map(|(amount, _)| amount),
            purchase: recharge.map(|(_, purchase)| purchase),
            tries: 0,
            body: Vec::new(),
            status: None,
            ack: None,
            answered: None,
            idempotency: wish.idempotency.clone(),
        })?;
        if let Begun::Fresh(fresh) = &begun {
            self.audit(
                &wish.actor,
                wish.kind.as_str(),
                &device.id,
                &format!("order {}", fresh.number),
            );
            self.order_waits.notify_one();
            self.tell(Change::Device(device.id.clone()));
        }
        Ok(begun)
    }

    /// The plain bytes of an order: the same at every try.
    fn order_bytes(&self, device: &Device, order: &Order) -> anyhow::Result<Vec<u8>> {
        if !order.body.is_empty() {
            return Ok(order.body.clone());
        }
        let deadline = moment(self, order.expires).context("the deadline is no calendar second")?;
        let made = match order.kind {
            OrderKind::Recharge => {
                let customer = device
                    .customer
                    .as_deref()
                    .context("the meter has no customer number")?;
                let recharge = Recharge {
                    amount: order.amount.context("a recharge without an amount")?,
                    count: order
                        .purchase
                        .context("a recharge without a purchase count")?,
                    customer: hex::decode(customer)?
                        .try_into()
                        .map_err(|_| anyhow::anyhow!("customer number"))?,
                };
                order::Order::try_purse(
                    order::Kind::Recharge,
                    deadline,
                    order.number,
                    OPERATOR,
                    recharge,
                )
            }
            OrderKind::Open => {
                order::Order::try_new(order::Kind::Open, deadline, order.number, OPERATOR)
            }
            OrderKind::Close => {
                order::Order::try_new(order::Kind::CloseNow, deadline, order.number, OPERATOR)
            }
            OrderKind::PermitClose => {
                order::Order::try_new(order::Kind::PermitClose, deadline, order.number, OPERATOR)
            }
            OrderKind::KeepPower => {
                order::Order::try_new(order::Kind::HoldPower, deadline, order.number, OPERATOR)
            }
            OrderKind::EndKeepPower => {
                order::Order::try_new(order::Kind::HoldOff, deadline, order.number, OPERATOR)
            }
        }
        .context("the order contradicts itself")?;
        let mut bytes = made.encode().to_vec();
        bytes.truncate(made.encoded_len());
        self.store.set_order_body(order.number, &bytes)?;
        Ok(bytes)
    }

    /// One try: topic and payload for the broker.
    fn dress(&self, device: &Device, order: &Order) -> anyhow::Result<Letter> {
        let gateway = device
            .gateway
            .as_deref()
            .context("nobody carries messages to this meter")?;
        let node = device
            .node
            .context("the meter has no number at its gateway yet")?;
        let id = key_id(&device.id).context("the meter holds no keys")?;
        let bytes = self.order_bytes(device, order)?;
        let purpose = purpose(order.kind);
        let envelope = self.keys.seal(id, purpose, Class::Command, &[], &bytes)?;
        let body = CommandBody::Sealed(Sealed {
            purpose: purpose.number(),
            envelope: heapless::Vec::from_slice(&envelope)
                .map_err(|_| anyhow::anyhow!("the order is too long"))?,
        });
        let command = Command {
            id: order.number,
            issuer: u32::from_be_bytes(OPERATOR),
            not_before: 0,
            expires: order.expires / 1000,
            priority: 0,
            body,
        };
        let head = Head {
            node,
            ..self.session_head()
        };
        self.downward(gateway, Class::Command, &Message::new(head, command))
    }

    fn session_head(&self) -> Head {
        Head {
            node: 0,
            stream: Stream::SESSION,
            boot: 0,
            seq: 0,
            stamp: Stamp::from_millis((self.clock)(), ClockQuality::SYNCHRONISED),
        }
    }

    /// Writes a message for a gateway.
    fn downward(&self, gateway: &str, class: Class, message: &Message) -> anyhow::Result<Letter> {
        let mut plain = [0; 1024];
        let length = compact::encode(message, &mut plain)?;
        let plain = plain
            .get(..length)
            .context("the message is too long")?
            .to_vec();
        Ok(Letter {
            gateway: gateway.to_owned(),
            class,
            plain,
        })
    }

    /// Seals a message and hands it to the broker, one after the other: a gateway refuses a command whose counter is
    /// below one that it has seen, so counters must leave in the order in which they were drawn.
    pub(crate) async fn send(&self, letter: Letter) {
        let Some(broker) = self.broker() else { return };
        let _turn = self.down_turn.lock().await;
        let sealed = letter
            .gateway
            .parse::<DeviceId>()
            .map_err(anyhow::Error::from)
            .and_then(|device| {
                let topic = Topic::Down { device }.text().to_string();
                let id = key_id(&letter.gateway).context("the gateway holds no keys")?;
                let payload = self.keys.seal(
                    id,
                    Purpose::Ctrl,
                    letter.class,
                    topic.as_bytes(),
                    &letter.plain,
                )?;
                Ok((topic, payload))
            });
        match sealed {
            Ok((topic, payload)) => broker.publish(topic, payload).await,
            Err(error) => {
                tracing::error!(%error, gateway = letter.gateway, "a message cannot be sealed")
            }
        }
    }

    /// The answer to a registration, ready for the broker.
    pub(crate) fn welcome(
        &self,
        gateway: &str,
        welcome: meter_proto::message::Welcome,
    ) -> anyhow::Result<Letter> {
        self.downward(
            gateway,
            Class::Acknowledge,
            &Message::new(self.session_head(), welcome),
        )
    }

    /// An acknowledgement of records, ready for the broker.
    pub(crate) fn acknowledge(
        &self,
        gateway: &str,
        told: meter_proto::message::Acknowledgement,
    ) -> anyhow::Result<Letter> {
        self.downward(
            gateway,
            Class::Acknowledge,
            &Message::new(self.session_head(), told),
        )
    }

    /// Takes an answer that a gateway brought. Only the meter's own seal ends an order.
    pub(crate) fn answer(&self, device: &Device, result: &CommandResult) -> anyhow::Result<()> {
        let order = self.store.order(result.id)?.context("no such order")?;
        if order.device != device.id {
            bail!("order {} was for {}", order.number, order.device);
        }
        let Some(sealed) = &result.sealed else {
            // A carrier's word (the meter does not answer, the body is not known): keep trying until the deadline.
            tracing::info!(
                order = order.number,
                status = result.status.0,
                "an answer without a seal"
            );
            return Ok(());
        };
        let purpose = purpose(order.kind);
        if sealed.purpose != purpose.number() {
            bail!("the answer is sealed for another purpose");
        }
        let id = key_id(&device.id).context("the meter holds no keys")?;
        let plain =
            self.keys
                .open_from(id, purpose, &[Class::Acknowledge], &[], &sealed.envelope)?;
        let ack = OrderAck::parse(&plain)?;
        if ack.number != order.number {
            bail!("the answer is about order {}", ack.number);
        }
        if let Some(purse) = ack.purse {
            self.store.raise_purchase_count(&device.id, purse.count)?;
        }
        let state = if ack.outcome == Outcome::Done {
            OrderState::Done
        } else {
            OrderState::Refused
        };
        let now = (self.clock)();
        let code = u32::from(ack.outcome.code());
        if self
            .store
            .end_order(order.number, state, Some(code), Some(&sealed.envelope), now)?
        {
            let relay = match ack.relay {
                RelayFeedback::Unknown => "unknown",
                RelayFeedback::Closed => "closed",
                RelayFeedback::Open => "open",
                RelayFeedback::PermittedToClose => "permitted to close",
            };
            let detail = format!("order {} {}, relay {relay}", order.number, state.as_str());
            self.audit(&device.id, "answer", &device.id, &detail);
            self.renew(device, &order, ack.outcome)?;
            self.order_waits.notify_one();
        }
        self.tell(Change::Device(device.id.clone()));
        Ok(())
    }

    /// A recharge that was refused because our purchase count was behind (the meter was charged by other means before)
    /// is given once more with the count that the meter told. A refused order was never executed, so nothing is
    /// charged twice.
    fn renew(&self, device: &Device, order: &Order, outcome: Outcome) -> anyhow::Result<()> {
        const AGAIN: &str = "/count";
        let behind = matches!(
            outcome,
            Outcome::Refused(Refusal::RechargeCount | Refusal::RechargeRepeated)
        );
        if behind && !order.idempotency.ends_with(AGAIN) {
            self.give(
                device,
                &Wish {
                    kind: order.kind,
                    amount: order.amount,
                    actor: order.actor.clone(),
                    idempotency: format!("{}{AGAIN}", order.idempotency),
                },
            )?;
        }
        Ok(())
    }

    /// Sends what is due and ends what is overdue; returns messages for the broker.
    fn due(&self) -> anyhow::Result<Vec<Letter>> {
        let now = (self.clock)();
        let devices = self.devices();
        let mut under_way = HashSet::new();
        let mut messages = Vec::new();
        for order in self.store.open_orders()? {
            if order.expires <= now {
                self.store
                    .end_order(order.number, OrderState::Expired, None, None, now)?;
                self.tell(Change::Device(order.device.clone()));
                continue;
            }
            let Some(device) = devices.get(&order.device) else {
                continue;
            };
            if !under_way.insert((order.device.clone(), purpose(order.kind).number())) {
                continue;
            }
            match self.dress(device, &order) {
                Ok(message) => {
                    self.store.order_sent(order.number)?;
                    if order.tries == 0 {
                        self.tell(Change::Device(order.device.clone()));
                    }
                    messages.push(message);
                }
                Err(error) => tracing::info!(order = order.number, %error, "an order waits"),
            }
        }
        Ok(messages)
    }
}

/// Sends open orders until they are answered or too old; also right after a start.
pub(crate) async fn resend_loop(platform: Arc<Platform>, mut stopped: watch::Receiver<bool>) {
    let pause = Duration::from_millis(platform.config.resend_after_ms.max(50));
    loop {
        let due = {
            let platform = Arc::clone(&platform);
            tokio::task::spawn_blocking(move || platform.due()).await
        };
        match due {
            Ok(Ok(messages)) => {
                for letter in messages {
                    platform.send(letter).await;
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "orders cannot be sent"),
            Err(error) => tracing::error!(%error, "the order task failed"),
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = platform.order_waits.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Key of a message that carries a result, for the log.
pub(crate) fn describe(key: &RecordKey) -> String {
    format!(
        "{} stream {} boot {} number {}",
        key.device, key.stream, key.boot, key.seq
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(parse_amount("20"), Some(2000));
        assert_eq!(parse_amount(" 20.5 "), Some(2050));
        assert_eq!(parse_amount("0.01"), Some(1));
        for bad in [
            "",
            "0",
            "0.00",
            "-1",
            "1e3",
            "1.234",
            ".5",
            "1,5",
            "99999999999",
            "٣",
        ] {
            assert_eq!(parse_amount(bad), None, "{bad}");
        }
        assert_eq!(cents(2005), "20.05");
    }
}
