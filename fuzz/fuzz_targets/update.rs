#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| meterkit_fuzz::update::update(bytes));
