//! The C programs of messages, outbox and link.

use crate::native;
use crate::programs::example;

#[test]
fn messages_outlive_a_power_cut_and_a_bad_line() {
    if native::have_compiler("keep.c") {
        assert_eq!(
            example("keep", &[]),
            "1.1: Active energy import 12345678 Wh Voltage L1 230.1 V\n\
             power fails\n\
             1.1: Meter cover opened\n\
             1.2: Active energy import 12345690 Wh Voltage L1 230.1 V\n\
             2.1: Active energy import 12345703 Wh Voltage L1 230.1 V\n\
             nothing waits\n"
        );
    }
}
