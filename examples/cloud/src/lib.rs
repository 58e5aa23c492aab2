//! The platform: broker, ingest, history, billing, orders, API and page.
 