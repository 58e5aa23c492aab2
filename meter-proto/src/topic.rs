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
use crate::message::Stream;

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

/// Whether a client that logged in as `client` may publish here: only below its own device, only upwards.
#[must_use]
pub fn may_publish(client: &DeviceId, topic: &Topic) -> bool {
    match topic {
        Topic::State { device } | Topic::Up { device, .. } => device == client,
        Topic::Definition { .. } => true,
        Topic::Down { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            may_publish(&device, &up(Stream::EVENT))
                && !may_publish(&device, &Topic::Down { device })
        );
    }
}
