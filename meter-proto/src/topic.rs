//! The MQTT topics: one tree, with the quality of service and retention that belong to each place.
//!
//! | topic | carries |
//! | --- | --- |
//! | `m1/<shard>/<device>/s` | registration, and the will (kind 23) |
//! | `m1/<shard>/<device>/u/<stream>` | records up, stream 0 to 5 |
//! | `m1/<shard>/<device>/d` | everything down |
//! | `m1/def/<hash>` | set definitions by their hash, eight hex digits |
//!
//! `<shard>` is two hex digits: the low byte of [`DeviceId::hash32`], FNV-1a over namespace byte and content.
//! Consumers share the 256 shards by ordinary subscriptions such as `m1/3f/+/u/#`.

use core::fmt;

use crate::device::DeviceId;
use crate::message::{Absence, Registration, Stream};

/// The longest topic text in bytes.
pub const TOPIC_MAX: usize = 64;

/// Room for a topic's text.
pub type TopicText = heapless::String<TOPIC_MAX>;

/// A place in the tree.
///
/// ```
/// use meter_proto::message::Stream;
/// use meter_proto::topic::Topic;
/// let up = Topic::Up { device: "gw-202611000100".parse()?, stream: Stream::LEGAL };
/// assert_eq!(Topic::parse(&up.text()), Some(up));
/// # Ok::<(), meter_proto::device::BadDeviceId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// State: registration and will.
    State {
        /// Whose.
        device: DeviceId,
    },
    /// Records up.
    Up {
        /// From whom.
        device: DeviceId,
        /// Which stream.
        stream: Stream,
    },
    /// Commands, acknowledgements and welcome down.
    Down {
        /// To whom.
        device: DeviceId,
    },
    /// A set definition.
    Definition {
        /// Its hash.
        hash: u32,
    },
}

/// The MQTT quality of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QoS {
    /// 0.
    AtMostOnce,
    /// 1.
    AtLeastOnce,
}

/// The partition of a device, 0 to 255.
#[must_use]
pub fn shard(device: &DeviceId) -> u8 {
    device.hash32() as u8
}

impl Topic {
    /// The topic's text.
    #[must_use]
    pub fn text(&self) -> TopicText {
        use fmt::Write;
        let mut text = TopicText::new();
        // The longest device is 45 bytes of text (dlms-~ with 32 digits is 38): the tree around it takes 10.
        let _ = write!(text, "{self}");
        text
    }

    /// The place that a text names, `None` if it is outside the tree, not canonical, or under the wrong shard.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut levels = text.split('/');
        if levels.next()? != "m1" {
            return None;
        }
        let second = levels.next()?;
        let third = levels.next()?;
        let topic = if second == "def" {
            let hash = u32::from_str_radix(third, 16).ok()?;
            Self::Definition { hash }
        } else {
            let device: DeviceId = third.parse().ok()?;
            match (levels.next()?, levels.next()) {
                ("s", None) => Self::State { device },
                ("d", None) => Self::Down { device },
                ("u", Some(stream)) => {
                    let stream = Stream(stream.parse().ok().filter(|stream| *stream <= 5)?);
                    Self::Up { device, stream }
                }
                _ => return None,
            }
        };
        // One text per place: signs, capitals, another shard or further levels are refused here.
        (topic.text() == text).then_some(topic)
    }

    /// The device, if the place belongs to one.
    #[must_use]
    pub const fn device(&self) -> Option<&DeviceId> {
        match self {
            Self::State { device } | Self::Up { device, .. } | Self::Down { device } => {
                Some(device)
            }
            Self::Definition { .. } => None,
        }
    }

    /// The quality of service to publish with: streams 3 and 4 travel at most once, the rest at least once.
    #[must_use]
    pub const fn qos(&self) -> QoS {
        match self {
            Self::Up {
                stream: Stream(3 | 4),
                ..
            } => QoS::AtMostOnce,
            _ => QoS::AtLeastOnce,
        }
    }

    /// Whether the broker keeps the last message.
    #[must_use]
    pub const fn retain(&self) -> bool {
        matches!(self, Self::State { .. } | Self::Definition { .. })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(device) = self.device() {
            write!(f, "m1/{:02x}/{device}/", shard(device))?;
        }
        match self {
            Self::State { .. } => f.write_str("s"),
            Self::Up { stream, .. } => write!(f, "u/{}", stream.0),
            Self::Down { .. } => f.write_str("d"),
            Self::Definition { hash } => write!(f, "m1/def/{hash:08x}"),
        }
    }
}

/// The filter under which a device may subscribe to its own commands.
#[must_use]
pub fn down_filter(device: &DeviceId) -> TopicText {
    Topic::Down { device: *device }.text()
}

/// What a consumer of one of the 256 shards subscribes to for the records of its devices: `m1/3f/+/u/#`.
#[must_use]
pub fn up_filter(shard: u8) -> TopicText {
    shard_filter(shard, "u/#")
}

/// What a consumer of a shard subscribes to for registrations and wills: `m1/3f/+/s`.
#[must_use]
pub fn state_filter(shard: u8) -> TopicText {
    shard_filter(shard, "s")
}

fn shard_filter(shard: u8, end: &str) -> TopicText {
    use fmt::Write;
    let mut text = TopicText::new();
    // 11 bytes at most.
    let _ = write!(text, "m1/{shard:02x}/+/{end}");
    text
}

/// How long the broker keeps the messages of a sleeping device, seconds: the session expiry to connect with, without a
/// clean start.
pub const SESSION_EXPIRY_S: u32 = 86_400;

/// The keep-alive to connect with, seconds: below the idle timers of cellular networks, which begin at five minutes.
pub const KEEP_ALIVE_S: u16 = 240;

/// The message expiry of a command, seconds from `now` to its `expires`, both in seconds since 1970. `None` for one
/// that is over already and is not sent. The device checks `expires` all the same.
#[must_use]
pub fn message_expiry_s(now: u64, expires: u64) -> Option<u32> {
    let left = expires.checked_sub(now).filter(|left| *left > 0)?;
    Some(u32::try_from(left).unwrap_or(u32::MAX))
}

/// Whether a client that logged in as `client` may publish here: only below its own device or, a gateway, below one of
/// its nodes; only upwards. A definition is believed for its hash, whoever brings it.
#[must_use]
pub fn may_publish(client: &DeviceId, nodes: &[DeviceId], topic: &Topic) -> bool {
    match topic {
        Topic::State { device } | Topic::Up { device, .. } => {
            device == client || nodes.contains(device)
        }
        Topic::Definition { .. } => true,
        Topic::Down { .. } => false,
    }
}

/// Whether a client that logged in as `client` may subscribe to this: what comes down to it or its nodes, and
/// definitions.
#[must_use]
pub fn may_subscribe(client: &DeviceId, nodes: &[DeviceId], topic: &Topic) -> bool {
    match topic {
        Topic::Down { device } => device == client || nodes.contains(device),
        Topic::Definition { .. } => true,
        Topic::State { .. } | Topic::Up { .. } => false,
    }
}

/// Whether a device is there, as its state topic tells: the will of an old connection may come after the registration
/// of a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Boot and session of the newest registration.
    newest: Option<(u32, u32)>,
    present: bool,
}

impl Presence {
    /// Nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            newest: None,
            present: false,
        }
    }

    /// Whether the newest connection stands as far as is known.
    #[must_use]
    pub const fn is_present(&self) -> bool {
        self.present
    }

    /// Takes a registration with the boot of its head; `false` for one older than the newest, which changes nothing.
    pub fn handle_registration(&mut self, boot: u32, registration: &Registration) -> bool {
        let name = (boot, registration.session);
        let newer = self.newest.is_none_or(|newest| name >= newest);
        if newer {
            (self.newest, self.present) = (Some(name), true);
        }
        newer
    }

    /// Takes a will; it is believed only for the newest registration.
    pub fn handle_absence(&mut self, absence: &Absence) -> bool {
        let believed = self.newest == Some((absence.boot, absence.session));
        self.present &= !believed;
        believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::DeviceKind;

    fn device() -> DeviceId {
        "gw-202611000100"
            .parse()
            .unwrap_or_else(|_| panic!("a device"))
    }

    #[test]
    fn every_place_round_trips() {
        let device = device();
        let long = DeviceId::try_new(6, &[0xFF; 16]).unwrap_or(device);
        for device in [device, long] {
            for topic in [
                Topic::State { device },
                Topic::Up {
                    device,
                    stream: Stream::LEDGER,
                },
                Topic::Down { device },
                Topic::Definition { hash: 0xABC },
            ] {
                assert_eq!(Topic::parse(&topic.text()), Some(topic));
            }
        }
    }

    #[test]
    fn other_texts_are_outside_the_tree() {
        for text in [
            "",
            "m1",
            "m2/00/gw-202611000100/s",
            "m1/zz/gw-202611000100/s",
            "m1/def/+0000abc",
            "m1/def/00000ABC",
            "m1/+/gw-202611000100/s",
        ] {
            assert_eq!(Topic::parse(text), None, "{text}");
        }
        let right = Topic::Up {
            device: device(),
            stream: Stream::LEGAL,
        }
        .text();
        let mut wrong: heapless::String<80> = heapless::String::new();
        let _ = wrong.push_str(&right);
        let _ = wrong.push_str("/1");
        assert_eq!(Topic::parse(&wrong), None);
    }

    #[test]
    fn service_follows_the_stream() {
        let device = device();
        let up = |stream| Topic::Up { device, stream };
        assert_eq!(up(Stream::TELEMETRY).qos(), QoS::AtMostOnce);
        assert_eq!(up(Stream::LEGAL).qos(), QoS::AtLeastOnce);
        assert!(Topic::State { device }.retain() && !up(Stream::LEGAL).retain());
        assert!(
            may_publish(&device, &[], &up(Stream::EVENT))
                && !may_publish(&device, &[], &Topic::Down { device })
        );
        let Ok(meter) = "d645-202611000001".parse() else {
            panic!("a device")
        };
        let below = Topic::State { device: meter };
        assert!(!may_publish(&device, &[], &below) && may_publish(&device, &[meter], &below));
        let down = Topic::Down { device: meter };
        assert!(!may_subscribe(&device, &[], &down) && may_subscribe(&device, &[meter], &down));
        assert!(!may_subscribe(&device, &[], &up(Stream::LEGAL)));
        assert_eq!(up_filter(0x3F), "m1/3f/+/u/#");
        assert_eq!(state_filter(5), "m1/05/+/s");
    }

    #[test]
    fn a_command_that_is_over_is_not_sent() {
        assert_eq!(message_expiry_s(100, 160), Some(60));
        assert_eq!(message_expiry_s(100, 100), None);
        assert_eq!(message_expiry_s(100, 99), None);
        assert_eq!(message_expiry_s(0, u64::MAX), Some(u32::MAX));
    }

    #[test]
    fn a_late_will_does_not_end_a_new_connection() {
        let registration = |session| Registration::new(device(), DeviceKind::GATEWAY, session);
        let will = |boot, session| Absence { boot, session };
        let mut presence = Presence::new();
        assert!(!presence.handle_absence(&will(1, 1)));
        assert!(presence.handle_registration(4, &registration(7)));
        assert!(presence.handle_registration(4, &registration(8)));
        assert!(
            !presence.handle_absence(&will(4, 7)),
            "the connection before"
        );
        assert!(!presence.handle_absence(&will(3, 8)), "the boot before");
        assert!(presence.is_present());
        assert!(
            !presence.handle_registration(4, &registration(7)),
            "kept by the broker"
        );
        assert!(presence.handle_absence(&will(4, 8)));
        assert!(!presence.is_present());
        assert!(presence.handle_registration(5, &registration(1)));
        assert!(presence.is_present());
    }
}
