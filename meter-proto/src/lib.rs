//! The unified meter data standard: identities, points, exact values, messages, store and forward, links.
#![no_std]
