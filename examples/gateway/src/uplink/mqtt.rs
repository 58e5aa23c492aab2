//! The one place that knows the MQTT client: one connection with its will, publications, what comes down.

use std::time::Duration;

use meter_proto::topic::{QoS as Service, Topic};
use rumqttc::{AsyncClient, Event, EventLoop, Incoming, LastWill, MqttOptions, QoS};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::Mqtt;

/// Publications that may wait for the socket before [`Link::publish`] says no.
const QUEUE: usize = 256;
/// Largest packet in either direction: eight kilobytes of envelope and its topic.
const PACKET_MAX: usize = 8 << 10;

/// What a connection tells.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// The broker accepted the gateway.
    Up,
    /// A message came.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
    },
    /// The connection is gone; nothing follows.
    Down(String),
}

/// One connection to the broker. Sessions are clean: what is not acknowledged lives in the outbox, sealed anew for
/// the next connection, and commands are queued by their issuer.
pub(crate) struct Link {
    client: AsyncClient,
    events: mpsc::Receiver<LinkEvent>,
    pump: JoinHandle<()>,
}

impl Link {
    pub fn open(mqtt: &Mqtt, client: &str, will: &Topic, will_payload: Vec<u8>) -> Self {
        let mut options = MqttOptions::new(client, mqtt.host.as_str(), mqtt.port);
        options.set_keep_alive(Duration::from_secs(20));
        options.set_clean_session(true);
        options.set_max_packet_size(PACKET_MAX, PACKET_MAX);
        options.set_inflight(64);
        if let Some(password) = &mqtt.password {
            options.set_credentials(mqtt.user.as_deref().unwrap_or(client), password.as_str());
        }
        options.set_last_will(LastWill::new(
            will.text().as_str(),
            will_payload,
            qos(will),
            will.retain(),
        ));
        let (client, event_loop) = AsyncClient::new(options, QUEUE);
        let (sender, events) = mpsc::channel(64);
        Self {
            client,
            events,
            pump: tokio::spawn(pump(event_loop, sender)),
        }
    }

    /// The next event; [`LinkEvent::Down`] when there is none any more. Safe to be dropped half way.
    pub async fn next(&mut self) -> LinkEvent {
        self.events
            .recv()
            .await
            .unwrap_or_else(|| LinkEvent::Down("the connection ended".into()))
    }

    /// Queues a publication; `false` when the queue is full, then the message is not taken.
    pub fn publish(&self, topic: &Topic, payload: Vec<u8>) -> bool {
        self.client
            .try_publish(topic.text().as_str(), qos(topic), topic.retain(), payload)
            .is_ok()
    }

    /// Asks for a topic.
    pub fn subscribe(&self, topic: &Topic) -> bool {
        self.client
            .try_subscribe(topic.text().as_str(), qos(topic))
            .is_ok()
    }

    /// Ends the connection so that the broker does not speak the will, giving it a second to take what is queued.
    pub async fn close(mut self) {
        let _ = self.client.try_disconnect();
        let drain =
            async { while !matches!(self.events.recv().await, None | Some(LinkEvent::Down(_))) {} };
        let _ = tokio::time::timeout(Duration::from_secs(1), drain).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

fn qos(topic: &Topic) -> QoS {
    match topic.qos() {
        Service::AtMostOnce => QoS::AtMostOnce,
        Service::AtLeastOnce => QoS::AtLeastOnce,
    }
}

async fn pump(mut event_loop: EventLoop, events: mpsc::Sender<LinkEvent>) {
    let mut options = event_loop.network_options();
    options.set_connection_timeout(5);
    event_loop.set_network_options(options);
    loop {
        let event = match event_loop.poll().await {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => LinkEvent::Up,
            Ok(Event::Incoming(Incoming::Publish(message))) => LinkEvent::Message {
                topic: message.topic,
                payload: message.payload.to_vec(),
            },
            Ok(_) => continue,
            Err(error) => {
                let _ = events.send(LinkEvent::Down(error.to_string())).await;
                return;
            }
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
}
