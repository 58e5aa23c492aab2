//! The one table of opaque types: what stands behind each, and how much storage the header promises.

#[allow(unused_imports, reason = "a library without modules has no objects")]
use crate::border::{Opaque, stored_size};

/// Fits every row: the promised storage is enough on this target. That it is no more than enough on a host of 64 bits
/// is a test, because the last bytes of a layout may move with the compiler.
macro_rules! objects {
    ($($(#[$when:meta])* $module:ident::$name:ident is $body:ty, $size:ident, $tag:literal;)*) => {
        $(
            $(#[$when])*
            impl Opaque for crate::$module::$name {
                type Body = $body;
                const TAG: u32 = u32::from_le_bytes(*$tag);
                const SIZE: usize = crate::$module::$size;
            }
            $(#[$when])*
            const _: () = assert!(stored_size::<$body>() <= crate::$module::$size);
        )*

        /// Name, what the header promises, and what is needed here, in bytes.
        pub const OBJECTS: &[(&str, usize, usize)] = &[
            $($(#[$when])* (stringify!($name), crate::$module::$size, stored_size::<$body>()),)*
        ];
    };
}

objects! {
    #[cfg(feature = "dlt645")]
    dlt645::mtr_dlt645_decoder is ::dlt645::Decoder, MTR_DLT645_DECODER_SIZE, b"D4de";
    #[cfg(feature = "dlt645")]
    dlt645::mtr_dlt645_master is ::dlt645::Master<'static>, MTR_DLT645_MASTER_SIZE, b"D4ma";
    #[cfg(feature = "dlt645")]
    dlt645::mtr_dlt645_slave is ::dlt645::Slave<'static>, MTR_DLT645_SLAVE_SIZE, b"D4sl";
    #[cfg(feature = "cjt188")]
    cjt188::mtr_cjt188_decoder is ::cjt188::Decoder, MTR_CJT188_DECODER_SIZE, b"C8de";
    #[cfg(feature = "cjt188")]
    cjt188::mtr_cjt188_master is ::cjt188::Master, MTR_CJT188_MASTER_SIZE, b"C8ma";
    #[cfg(feature = "cjt188")]
    cjt188::mtr_cjt188_slave is ::cjt188::Slave, MTR_CJT188_SLAVE_SIZE, b"C8sl";
    #[cfg(feature = "metrology")]
    metrology::mtr_metrology1 is crate::metrology::Chain<1>, MTR_METROLOGY1_SIZE, b"Mch1";
    #[cfg(feature = "metrology")]
    metrology::mtr_metrology3 is crate::metrology::Chain<3>, MTR_METROLOGY3_SIZE, b"Mch3";
    #[cfg(feature = "metrology")]
    metrology::mtr_pulse is ::metrology::PulseOutput, MTR_PULSE_SIZE, b"Mpul";
    #[cfg(feature = "metrology")]
    metrology::mtr_quality3 is crate::metrology::Watched, MTR_QUALITY3_SIZE, b"Mpq3";
    #[cfg(feature = "metrology")]
    metrology::mtr_energy1 is crate::metrology::SmallMeter<1>, MTR_ENERGY1_SIZE, b"Men1";
    #[cfg(feature = "metrology")]
    metrology::mtr_energy3 is crate::metrology::SmallMeter<3>, MTR_ENERGY3_SIZE, b"Men3";
    #[cfg(feature = "metrology")]
    metrology::mtr_harmonics is crate::metrology::Harmonics, MTR_HARMONICS_SIZE, b"Mhar";
    #[cfg(feature = "metrology")]
    metrology::mtr_flicker is crate::metrology::Flickering, MTR_FLICKER_SIZE, b"Mfli";
    #[cfg(feature = "metrology")]
    metrology::mtr_rapid_changes is ::metrology::pq::RapidChanges<3>, MTR_RAPID_CHANGES_SIZE, b"Mrvc";
    #[cfg(feature = "metrology")]
    metrology::mtr_circuits is crate::metrology::Board, MTR_CIRCUITS_SIZE, b"Mcir";
    #[cfg(feature = "metrology")]
    metrology::mtr_details3 is crate::metrology::Detailed, MTR_DETAILS3_SIZE, b"Mdet";
    #[cfg(feature = "metrology")]
    metrology::mtr_monitor is crate::metrology::Watching, MTR_MONITOR_SIZE, b"Mmon";
    #[cfg(feature = "metrology")]
    metrology::mtr_thermal is crate::metrology::Line, MTR_THERMAL_SIZE, b"Mthe";
    #[cfg(feature = "metrology")]
    metrology::mtr_cable is crate::metrology::Cable, MTR_CABLE_SIZE, b"Mcab";
    #[cfg(feature = "metrology")]
    metrology::mtr_residual is crate::metrology::Leaking, MTR_RESIDUAL_SIZE, b"Mres";
    #[cfg(feature = "metrology")]
    metrology::mtr_arc is crate::metrology::Arcing, MTR_ARC_SIZE, b"Marc";
    #[cfg(feature = "tariff")]
    tariff::mtr_tariff is ::tariff::meter::Parameters<'static>, MTR_TARIFF_SIZE, b"Trul";
    #[cfg(feature = "tariff")]
    tariff::mtr_prepaid is crate::tariff::Prepaid, MTR_PREPAID_SIZE, b"Tpre";
    #[cfg(feature = "tariff")]
    tariff::mtr_journal is crate::tariff::Journal, MTR_JOURNAL_SIZE, b"Tjou";
    #[cfg(feature = "tariff")]
    tariff::mtr_spent is crate::tariff::Spent, MTR_SPENT_SIZE, b"Tspe";
    #[cfg(feature = "security")]
    security::mtr_key is crate::security::Loaded, MTR_KEY_SIZE, b"Skey";
    #[cfg(feature = "security")]
    security::mtr_sealer is crate::security::Sending, MTR_SEALER_SIZE, b"Ssea";
    #[cfg(feature = "security")]
    security::mtr_opener is crate::security::Receiving, MTR_OPENER_SIZE, b"Sope";
    #[cfg(feature = "security")]
    security::mtr_gate is crate::security::Judging, MTR_GATE_SIZE, b"Sgat";
    #[cfg(feature = "security")]
    security::mtr_host is ::security::ake::Sent, MTR_HOST_SIZE, b"Shos";
    #[cfg(feature = "security")]
    security::mtr_responder is ::security::ake::Responder, MTR_RESPONDER_SIZE, b"Sres";
    #[cfg(feature = "security")]
    security::mtr_slot is ::security::slot::KeySlot, MTR_SLOT_SIZE, b"Sslo";
    #[cfg(feature = "security")]
    security::mtr_health is ::security::health::Health, MTR_HEALTH_SIZE, b"Shea";
    #[cfg(feature = "security")]
    security::mtr_chunks is ::security::fw::ChunkMap<'static>, MTR_CHUNKS_SIZE, b"Schu";
    #[cfg(feature = "security")]
    security::mtr_boot is crate::security::Booting, MTR_BOOT_SIZE, b"Sboo";
    #[cfg(feature = "security")]
    security::mtr_session is ::security::session::Session, MTR_SESSION_SIZE, b"Sses";
    #[cfg(feature = "meter-proto")]
    meter_proto::mtr_outbox is crate::meter_proto::Waiting, MTR_OUTBOX_SIZE, b"Pout";
    #[cfg(feature = "meter-proto")]
    meter_proto::mtr_link is crate::meter_proto::Line, MTR_LINK_SIZE, b"Plin";
}
