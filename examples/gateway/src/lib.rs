//! A gateway: reads heterogeneous meters, converts to the unified standard, stores and forwards over MQTT.
 