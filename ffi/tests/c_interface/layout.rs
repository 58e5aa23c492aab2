//! Sizes and symbols: the header's equal the library's.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;

use crate::header::Header;
use crate::native;

/// Name, size and alignment of the structures, as Rust has them.
macro_rules! layouts {
    ($($module:ident: $($name:ident)*;)*) => {
        [$($((stringify!($name), size_of::<meterkit_ffi::$module::$name>(), align_of::<meterkit_ffi::$module::$name>()),)*)*]
    };
}

#[test]
fn storage_is_as_large_as_the_objects() {
    // The numbers of the header are those of a target of 64 bits; smaller pointers make smaller objects.
    if size_of::<usize>() == 8 {
        let wrong: Vec<_> = meterkit_ffi::OBJECTS
            .iter()
            .filter(|(_, promised, needed)| promised != needed)
            .collect();
        assert!(wrong.is_empty(), "name, promised, needed: {wrong:#?}");
    }
    let opaque: BTreeSet<_> = meterkit_ffi::OBJECTS
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    assert_eq!(
        opaque,
        Header::read().opaque,
        "opaque types of the table and of the header"
    );
}

#[test]
fn structures_have_one_layout_in_c_and_in_rust() {
    if !native::have_compiler("layouts") {
        return;
    }
    let rust = layouts! {
        line: mtr_timing;
        dlt645: mtr_dlt645_address mtr_dlt645_frame mtr_dlt645_refusals mtr_number mtr_stamp mtr_dlt645_authority
            mtr_dlt645_control mtr_dlt645_quirks mtr_dlt645_event mtr_dlt645_application mtr_dlt645_slave_event
            mtr_dlt645_host_element mtr_dlt645_place mtr_dlt645_load_block;
        cjt188: mtr_cjt188_address mtr_cjt188_frame mtr_cjt188_head mtr_cjt188_refusals mtr_cjt188_quantity
            mtr_cjt188_stamp mtr_cjt188_status mtr_cjt188_value mtr_cjt188_event mtr_cjt188_application
            mtr_cjt188_slave_event;
        flash: mtr_flash;
        meter_proto: mtr_proto_head mtr_proto_key mtr_proto_value mtr_proto_sample mtr_proto_parts mtr_obis
            mtr_proto_event mtr_proto_gap mtr_proto_acknowledgement mtr_proto_profile mtr_proto_run mtr_proto_command
            mtr_proto_command_result mtr_quota mtr_outbox_setup mtr_transmit mtr_outbox_statistics mtr_link_statistics;
        tariff: mtr_moment mtr_zone mtr_rate_slot mtr_holiday mtr_tier mtr_friendly mtr_tables mtr_settlement mtr_pattern
            mtr_every mtr_power_limit mtr_mode_switch mtr_terms mtr_rate_at mtr_purse_limits mtr_energy mtr_effect mtr_rows
            mtr_channel mtr_demand mtr_maxima mtr_row mtr_recharge mtr_answer mtr_account mtr_fee_status mtr_shown
            mtr_fee_registers mtr_purchase mtr_cipher mtr_token;
        security: mtr_engine mtr_key_id mtr_opened mtr_order mtr_order_ack mtr_purse_state mtr_store mtr_conditions
            mtr_verdict mtr_slot_epochs mtr_log_head mtr_random_source mtr_manifest mtr_admission mtr_public_key
            mtr_flash_slots mtr_boot_decision mtr_boot_state;
        metrology: mtr_phase_constants mtr_metrology_parameters mtr_phase_quantities mtr_quantities mtr_registers
            mtr_progress mtr_sample1 mtr_sample3 mtr_pulse_edge mtr_reading mtr_load mtr_quality_setup mtr_frame3
            mtr_quality_event mtr_quality_step mtr_wide mtr_energy_phase mtr_energy_constants mtr_energy_register
            mtr_energy_state mtr_energy_interval mtr_harmonics_window mtr_unbalance mtr_flicker_severity mtr_rapid_change
            mtr_circuit mtr_currents mtr_circuit_quantities mtr_phase_details mtr_details mtr_limit mtr_limits mtr_changes
            mtr_thermal_limits mtr_thermal_state mtr_threshold mtr_cable_limits mtr_cable_state mtr_residual_current
            mtr_arc_limits mtr_arc_report;
    };
    let structures = Header::read().structures;
    let listed: BTreeSet<_> = rust.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(
        listed, structures,
        "structures of this test and of the header"
    );
    let mut source = String::from("#include \"meter.h\"\n");
    for (name, size, align) in rust {
        writeln!(source, "struct align_{name} {{ char byte; {name} it; }};").expect("text");
        writeln!(
            source,
            "_Static_assert(sizeof({name}) == {size} && offsetof(struct align_{name}, it) == {align}, \"{name}\");"
        )
        .expect("text");
    }
    source += "int main(void) { return 0; }\n";
    let file = native::scratch().join("layout.c");
    std::fs::write(&file, source).expect("the source is written");
    native::build("cc", &["-std=c11"], &[file], "layout");
}

#[test]
fn symbols_equal_the_header() {
    if !native::have_compiler("symbols") {
        return;
    }
    let declared: BTreeSet<_> = Header::read()
        .functions
        .into_iter()
        .map(|function| function.name)
        .collect();
    let shared = native::library().join("libmeterkit_ffi.so");
    let mut nm = Command::new("nm");
    nm.args(["--dynamic", "--defined-only", "--extern-only"])
        .arg(shared);
    let listed = native::run(&mut nm);
    let exported: BTreeSet<_> = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|symbol| symbol.starts_with("mtr_"))
        .map(str::to_owned)
        .collect();
    assert!(!declared.is_empty());
    assert_eq!(
        exported, declared,
        "symbols of the library and functions of the header"
    );
}
