/* meterkit: the C interface. Generated from ffi/src by `cargo xtask header`; do not edit. */

#ifndef METERKIT_METER_H
#define METERKIT_METER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Rules
 *  - Every function that can fail returns an mtr_result; results come through pointers and hold something
 *    only after MTR_OK, unless the function says otherwise.
 *  - No heap and no global state: the caller owns the storage of every object. MTR_..._SIZE bytes,
 *    aligned to MTR_ALIGN (MTR_STORAGE declares them), are enough; the storage must not move while the
 *    object is used, and nothing is to be freed.
 *  - A pointer followed by a size_t is a row of that many elements; with 0 elements it may be NULL.
 *    A pointer to const is not written through.
 *  - NULL, misaligned and short arguments, arguments that overlap where one is written, and objects that
 *    were never initialised answer a code; nothing is done then.
 *  - Pointers that a function gives out point into the object and are valid until its next call.
 *  - Callbacks get the context they were registered with; they run inside the call they were given to,
 *    on its thread and stack, and must return. A call on the same object from there answers MTR_ERR_BUSY.
 *  - Objects are used by one thread at a time; different objects are independent.
 *  - Numbers of mtr_result and of constants never change their meaning; retired ones stay reserved.
 *  - Compare mtr_abi_version() with MTR_ABI_VERSION once, before anything else.
 *
 * A library that was built without a module: define MTR_WITHOUT_DLT645, MTR_WITHOUT_CJT188,
 * MTR_WITHOUT_METROLOGY, MTR_WITHOUT_TARIFF, MTR_WITHOUT_SECURITY or MTR_WITHOUT_METER_PROTO.
 */
#ifndef MTR_WITHOUT_DLT645
#define MTR_WITH_DLT645
#endif
#ifndef MTR_WITHOUT_CJT188
#define MTR_WITH_CJT188
#endif
#ifndef MTR_WITHOUT_METROLOGY
#define MTR_WITH_METROLOGY
#endif
#ifndef MTR_WITHOUT_TARIFF
#define MTR_WITH_TARIFF
#endif
#ifndef MTR_WITHOUT_SECURITY
#define MTR_WITH_SECURITY
#endif
#ifndef MTR_WITHOUT_METER_PROTO
#define MTR_WITH_METER_PROTO
#endif

/* Storage for an object: MTR_STORAGE(static, name, MTR_..._SIZE); declares an aligned row of bytes. */
#if defined(__cplusplus)
#define MTR_STORAGE(linkage, name, size) alignas(16) linkage unsigned char name[size]
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MTR_STORAGE(linkage, name, size) linkage _Alignas(16) unsigned char name[size]
#else
#define MTR_STORAGE(linkage, name, size) linkage unsigned char name[size] __attribute__((aligned(16)))
#endif


/*
 Version of this interface; see mtr_abi_version. It rises when a structure, a function or the meaning of a number
 changes; new functions alone do not raise it.
 */
#define MTR_ABI_VERSION 3

/*
 Alignment of the storage of every object, in bytes.
 */
#define MTR_ALIGN 16

#if defined(MTR_WITH_CJT188)
/*
 Bytes of storage of an mtr_cjt188_decoder.
 */
#define MTR_CJT188_DECODER_SIZE 208

/*
 Most data bytes of a frame.
 */
#define MTR_CJT188_DATA_MAX 128

/*
 Meter type: cold water. 0x10 to 0x19 are water meters.
 */
#define MTR_CJT188_COLD_WATER 16

/*
 Meter type: heat. 0x20 to 0x29 are heat and cold meters.
 */
#define MTR_CJT188_HEAT 32

/*
 Meter type: gas. 0x30 to 0x39 are gas meters.
 */
#define MTR_CJT188_GAS 48

/*
 Meter type in requests: any.
 */
#define MTR_CJT188_ANY 170

/*
 Order of the two bytes of an identifier: low byte first, as the 2018 text has it.
 */
#define MTR_CJT188_LOW_FIRST 0

/*
 High byte first, as the 2004 text has it.
 */
#define MTR_CJT188_HIGH_FIRST 1

/*
 Bytes of storage of an mtr_cjt188_master.
 */
#define MTR_CJT188_MASTER_SIZE 608

/*
 Present data of water and gas (901F): now, at the last settlement; `time`, `status`.
 */
#define MTR_CJT188_VOLUME 1

/*
 Present data of heat by the 2004 text (901F): heat at the last settlement, heat, power, flow, volume, supply and
 return temperature, hours; `time`, `status`.
 */
#define MTR_CJT188_HEAT_2004 2

/*
 The same by the 2018 text.
 */
#define MTR_CJT188_HEAT_2018 3

/*
 Present data of heat and cold (911F): heat and cold at the last settlement, heat, cold, power, flow, volume, supply
 and return temperature, supply and return pressure in MPa, hours; `time`, `status`.
 */
#define MTR_CJT188_HEAT_COLD 4

/*
 A clock (907F, A015): `time`.
 */
#define MTR_CJT188_CLOCK 5

/*
 One settled number (D120 to D12B, D2nn).
 */
#define MTR_CJT188_SETTLED 6

/*
 Settled heat, cold and volume.
 */
#define MTR_CJT188_SETTLED_HEAT 7

/*
 A freeze (D3nn, D4nn): volume, flow, temperature, pressure in MPa; `time`.
 */
#define MTR_CJT188_FREEZE 8

/*
 Prices (8102): price, limit, price, limit, price; yuan for one unit, and units.
 */
#define MTR_CJT188_PRICES 9

/*
 Prices (A010) from day `code` of the month on.
 */
#define MTR_CJT188_PRICES_FROM_DAY 10

/*
 Prices (A010) from the date in `time` on.
 */
#define MTR_CJT188_PRICES_FROM_DATE 11

/*
 A day of the month (8103, 8104, A011, A012): `code`.
 */
#define MTR_CJT188_DAY 12

/*
 The prepaid account (8105): bought last, altogether, remaining; `code` number of purchases, `status`.
 */
#define MTR_CJT188_PURCHASE 13

/*
 A purchase (A013): what was bought; `code` its running number.
 */
#define MTR_CJT188_RECHARGE 14

/*
 A key version (8106): `code`.
 */
#define MTR_CJT188_KEY_VERSION 15

/*
 A key (A014): `code` its version, `key`.
 */
#define MTR_CJT188_KEY 16

/*
 An address (810A, A018): `address`.
 */
#define MTR_CJT188_ADDRESS_VALUE 17

/*
 What the motor is to show (A016).
 */
#define MTR_CJT188_TOTAL 18

/*
 A valve order (A017): `code` MTR_CJT188_OPEN or MTR_CJT188_CLOSE.
 */
#define MTR_CJT188_VALVE 19

/*
 No data (A019).
 */
#define MTR_CJT188_NOTHING 20

/*
 Bytes whose layout is the maker's: the data themselves.
 */
#define MTR_CJT188_RAW 21

/*
 Opens the valve.
 */
#define MTR_CJT188_OPEN 85

/*
 Closes the valve.
 */
#define MTR_CJT188_CLOSE 153

/*
 Most numbers of one value.
 */
#define MTR_CJT188_NUMBERS 12

/*
 Bytes of storage of an mtr_cjt188_slave.
 */
#define MTR_CJT188_SLAVE_SIZE 448

/*
 The answer of mtr_cjt188_application.write and vendor for what the meter does not know: it stays silent.
 */
#define MTR_CJT188_SILENT -1

/*
 Identifiers of answers stand in the order of the request.
 */
#define MTR_CJT188_ORDER_OF_REQUEST 2

/*
 A refusal holds the running number and ST, as the text has it.
 */
#define MTR_CJT188_REFUSAL_SERIAL 0

/*
 A refusal holds ST.
 */
#define MTR_CJT188_REFUSAL_STATUS 1

/*
 A refusal holds the first byte of ST.
 */
#define MTR_CJT188_REFUSAL_BYTE 2

/*
 The valve is open.
 */
#define MTR_CJT188_VALVE_OPEN 0

/*
 The valve is closed.
 */
#define MTR_CJT188_VALVE_CLOSED 1

/*
 The valve does not say where it stands.
 */
#define MTR_CJT188_VALVE_ABNORMAL 2

/*
 The standard's place of the lower of the two valve bits in ST, from the lowest bit of the first byte.
 */
#define MTR_CJT188_VALVE_BIT 0

/*
 The standard's place of the battery bit.
 */
#define MTR_CJT188_BATTERY_BIT 2
#endif

#if defined(MTR_WITH_DLT645)
/*
 Bytes of storage of an mtr_dlt645_decoder.
 */
#define MTR_DLT645_DECODER_SIZE 288

/*
 Most data bytes of a frame.
 */
#define MTR_DLT645_DATA_MAX 200

/*
 Bytes of a programming record, see mtr_dlt645_slave_poll_programming.
 */
#define MTR_DLT645_PROGRAMMING_LEN 50

/*
 Bytes of storage of an mtr_dlt645_master, without the buffer for long answers that lies behind it.
 */
#define MTR_DLT645_MASTER_SIZE 688

/*
 Level of a protected request: ciphertext and MAC.
 */
#define MTR_DLT645_CIPHER 152

/*
 Level of a protected request: plaintext and MAC.
 */
#define MTR_DLT645_MAC 153

/*
 Most data bytes of one block of a load record, all classes together.
 */
#define MTR_DLT645_LOAD_MAX 250

/*
 Bytes of storage of an mtr_dlt645_slave, without the buffer for answers that lies behind it.
 */
#define MTR_DLT645_SLAVE_SIZE 912

/*
 ERR: other error.
 */
#define MTR_DLT645_ERR_OTHER 1

/*
 ERR: no such data.
 */
#define MTR_DLT645_ERR_NO_DATA 2

/*
 ERR: wrong password, not authorised, or not writable.
 */
#define MTR_DLT645_ERR_NOT_AUTHORISED 4

/*
 ERR: the rate cannot be changed.
 */
#define MTR_DLT645_ERR_RATE 8

/*
 The answer of mtr_dlt645_application.other for a function that the meter does not know: it stays silent.
 */
#define MTR_DLT645_SILENT -1
#endif

#if (defined(MTR_WITH_TARIFF) || defined(MTR_WITH_METER_PROTO))
/*
 Every write is of a multiple of so many bytes, at a multiple of so many: words of a chip that are 1, 2, 4, 8 or 16
 bytes long. No word is written twice between two erases.
 */
#define MTR_FLASH_WORD 16

/*
 Bytes of a page as journal and outbox use it; see mtr_flash.
 */
#define MTR_FLASH_PAGE 2048
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 Most gaps of one acknowledgement.
 */
#define MTR_GAPS_MAX 8

/*
 Most bytes of a sealed order or acknowledgement.
 */
#define MTR_SEALED_MAX 160

/*
 Most points that one command reads.
 */
#define MTR_READ_POINTS_MAX 16

/*
 Command: the relay of `circuit` closed (`closed` 1) or open.
 */
#define MTR_COMMAND_RELAY 1

/*
 Command: hold `point` below `value` until the UTC second `until`.
 */
#define MTR_COMMAND_LIMIT 2

/*
 Command: set the configuration key `key` to `bytes`, at most 64.
 */
#define MTR_COMMAND_CONFIG 3

/*
 Command: report `points` now; none means the default set.
 */
#define MTR_COMMAND_READ 4

/*
 Command: an order in `bytes`, sealed for `purpose`, that only the addressed core can open.
 */
#define MTR_COMMAND_SEALED 5

/*
 Command: register again.
 */
#define MTR_COMMAND_REGISTER 6

/*
 Command: use the file `file`, not after `until`, on trial for `trial_s` seconds.
 */
#define MTR_COMMAND_ACTIVATE 7

/*
 Command: bring `point` to `value` and keep it.
 */
#define MTR_COMMAND_SET 8

/*
 Command: report the balance of `account`.
 */
#define MTR_COMMAND_ACCOUNT 9

/*
 Result: accepted, not begun.
 */
#define MTR_STATUS_ACCEPTED 0

/*
 Result: done.
 */
#define MTR_STATUS_DONE 2

/*
 Result: refused, no authority.
 */
#define MTR_STATUS_REFUSED 3

/*
 Result: refused by an interlock, for instance a prepaid rule.
 */
#define MTR_STATUS_INTERLOCKED 4

/*
 Result: came too late, nothing was done.
 */
#define MTR_STATUS_EXPIRED 5

/*
 Result: the command is not known here.
 */
#define MTR_STATUS_UNKNOWN 6

/*
 Result: an argument is out of range.
 */
#define MTR_STATUS_BAD_ARGUMENT 7

/*
 Result: failed.
 */
#define MTR_STATUS_FAILED 8

/*
 Phase of an event: the condition began.
 */
#define MTR_EVENT_RAISED 0

/*
 Phase of an event: the condition ended.
 */
#define MTR_EVENT_CLEARED 1

/*
 Phase of an event: it has no duration.
 */
#define MTR_EVENT_PULSE 2

/*
 Phase of an event: it goes on with another value.
 */
#define MTR_EVENT_UPDATED 3

/*
 Event: supply failed.
 */
#define MTR_EVENT_OUTAGE 257

/*
 Event: voltage sag.
 */
#define MTR_EVENT_SAG 258

/*
 Event: voltage above its limit.
 */
#define MTR_EVENT_OVER_VOLTAGE 516

/*
 Event: voltage below its limit.
 */
#define MTR_EVENT_UNDER_VOLTAGE 517

/*
 Event: meter cover opened.
 */
#define MTR_EVENT_COVER 1025

/*
 Event: magnetic field.
 */
#define MTR_EVENT_MAGNET 1027

/*
 Event: clock stepped.
 */
#define MTR_EVENT_CLOCK_STEP 1281

/*
 Event: a stream's store is full and stopped; see mtr_outbox_poll_full.
 */
#define MTR_EVENT_STORE_FULL 1283

/*
 Event: credit low.
 */
#define MTR_EVENT_CREDIT_LOW 1537

/*
 Event: relay opened.
 */
#define MTR_EVENT_RELAY_OPENED 1793

/*
 Event: relay closed.
 */
#define MTR_EVENT_RELAY_CLOSED 1794

/*
 Stream of messages of a connection, which are not stored.
 */
#define MTR_STREAM_SESSION 0

/*
 Stream of legal registers and profiles.
 */
#define MTR_STREAM_LEGAL 1

/*
 Stream of events and alarms.
 */
#define MTR_STREAM_EVENT 2

/*
 Stream of telemetry: when it is full, the oldest record makes room.
 */
#define MTR_STREAM_TELEMETRY 3

/*
 Stream of diagnostics: when it is full, the newest record is dropped.
 */
#define MTR_STREAM_DIAGNOSTIC 4

/*
 Stream of prepaid movements and command results.
 */
#define MTR_STREAM_LEDGER 5

/*
 Kind of a message: values that describe themselves; mtr_proto_snapshot_read.
 */
#define MTR_KIND_SNAPSHOT 4

/*
 Kind of a message: values over time; mtr_proto_profile_read.
 */
#define MTR_KIND_PROFILE 6

/*
 Kind of a message: an event; mtr_proto_event_read.
 */
#define MTR_KIND_EVENT 7

/*
 Kind of a message: what the receiver has; mtr_proto_acknowledgement_read.
 */
#define MTR_KIND_ACKNOWLEDGEMENT 8

/*
 Kind of a message: a command; mtr_proto_command_read.
 */
#define MTR_KIND_COMMAND 10

/*
 Kind of a message: the result of a command; mtr_proto_command_result_read.
 */
#define MTR_KIND_COMMAND_RESULT 11

/*
 Clock quality, low nibble of `clk`: never set, the time counts from the start of the device.
 */
#define MTR_CLOCK_NEVER_SET 0

/*
 Clock quality: running on since the last setting.
 */
#define MTR_CLOCK_HOLDOVER 1

/*
 Clock quality: network time of a cell, within a second.
 */
#define MTR_CLOCK_NETWORK 2

/*
 Clock quality: within 100 ms.
 */
#define MTR_CLOCK_SYNCHRONISED 3

/*
 Clock quality: the legal clock of the metering core.
 */
#define MTR_CLOCK_LEGAL 4

/*
 Clock quality: the legal clock, verified today.
 */
#define MTR_CLOCK_LEGAL_VERIFIED 5

/*
 High nibble of `clk` for a time in milliseconds; without it the time counts seconds.
 */
#define MTR_CLOCK_MILLISECONDS 48

/*
 Bytes of storage of an mtr_link.
 */
#define MTR_LINK_SIZE 1648

/*
 Longest body of an mtr_link.
 */
#define MTR_LINK_BODY_MAX 512

/*
 Longest frame of an mtr_link on the line: a buffer for mtr_link_poll_transmit.
 */
#define MTR_LINK_FRAME_MAX 524

/*
 Event of a link: the body under way was received by the other side.
 */
#define MTR_LINK_DELIVERED 1

/*
 Event of a link: it is down; the body stays under way.
 */
#define MTR_LINK_DOWN 2

/*
 Event of a link: it is up again.
 */
#define MTR_LINK_UP 3

/*
 Bytes of storage of an mtr_outbox.
 */
#define MTR_OUTBOX_SIZE 3424

/*
 Most pages of MTR_FLASH_PAGE bytes of an mtr_outbox.
 */
#define MTR_OUTBOX_PAGES 64

/*
 Longest message that an mtr_outbox keeps.
 */
#define MTR_OUTBOX_MESSAGE_MAX 2000

/*
 Streams, MTR_STREAM_SESSION to MTR_STREAM_LEDGER.
 */
#define MTR_STREAMS 6

/*
 Quantity: voltage, V.
 */
#define MTR_QUANTITY_VOLTAGE 1

/*
 Quantity: current, A.
 */
#define MTR_QUANTITY_CURRENT 2

/*
 Quantity: active power, W.
 */
#define MTR_QUANTITY_ACTIVE_POWER 3

/*
 Quantity: reactive power, var.
 */
#define MTR_QUANTITY_REACTIVE_POWER 4

/*
 Quantity: apparent power, VA.
 */
#define MTR_QUANTITY_APPARENT_POWER 5

/*
 Quantity: power factor, 1.
 */
#define MTR_QUANTITY_POWER_FACTOR 6

/*
 Quantity: frequency, Hz.
 */
#define MTR_QUANTITY_FREQUENCY 7

/*
 Quantity: active energy, Wh.
 */
#define MTR_QUANTITY_ACTIVE_ENERGY 8

/*
 Quantity: reactive energy, varh.
 */
#define MTR_QUANTITY_REACTIVE_ENERGY 9

/*
 Quantity: temperature, degrees Celsius.
 */
#define MTR_QUANTITY_TEMPERATURE 15

/*
 Quantity: money balance, currency.
 */
#define MTR_QUANTITY_MONEY_BALANCE 20

/*
 Quantity: volume, cubic metre.
 */
#define MTR_QUANTITY_VOLUME 24

/*
 Quantity: volume flow, cubic metre per hour.
 */
#define MTR_QUANTITY_VOLUME_FLOW 25

/*
 Quantity: heat energy, J.
 */
#define MTR_QUANTITY_HEAT_ENERGY 26

/*
 Quantity: pressure, Pa.
 */
#define MTR_QUANTITY_PRESSURE 28

/*
 Phase: total or none.
 */
#define MTR_PHASE_TOTAL 0

/*
 Phase: L1. 2 is L2, 3 is L3.
 */
#define MTR_PHASE_L1 1

/*
 Direction: net or none.
 */
#define MTR_DIRECTION_NET 0

/*
 Direction: import.
 */
#define MTR_DIRECTION_IMPORT 1

/*
 Direction: export.
 */
#define MTR_DIRECTION_EXPORT 2

/*
 Statistic: as measured.
 */
#define MTR_STATISTIC_NATURAL 0

/*
 Statistic: maximum demand.
 */
#define MTR_STATISTIC_MAXIMUM_DEMAND 5

/*
 Most runs of marks of one profile.
 */
#define MTR_RUNS_MAX 16

/*
 Most samples of one snapshot.
 */
#define MTR_SAMPLES_MAX 64

/*
 Mark: estimated.
 */
#define MTR_QUALITY_ESTIMATED 2

/*
 Mark: substituted by another value.
 */
#define MTR_QUALITY_SUBSTITUTED 4

/*
 Mark: questionable.
 */
#define MTR_QUALITY_QUESTIONABLE 8

/*
 Mark: missing; the mantissa is 0 and means nothing.
 */
#define MTR_QUALITY_MISSING 16

/*
 Mark: outside the physical range.
 */
#define MTR_QUALITY_OUT_OF_RANGE 32

/*
 Mark: the register rolled over since the last value.
 */
#define MTR_QUALITY_ROLLED_OVER 64

/*
 Mark: test or calibration.
 */
#define MTR_QUALITY_TEST 128

/*
 Mark: the clock is doubtful.
 */
#define MTR_QUALITY_CLOCK_DOUBTFUL 256

/*
 Mark: power failed in the interval.
 */
#define MTR_QUALITY_POWER_FAILED 512

/*
 Mark: the clock was stepped in the interval.
 */
#define MTR_QUALITY_CLOCK_STEPPED 1024

/*
 Mark: stale, the last known value.
 */
#define MTR_QUALITY_STALE 2048

/*
 Mark: entered by hand.
 */
#define MTR_QUALITY_MANUAL 4096

/*
 Mark: a copy that is not legally relevant.
 */
#define MTR_QUALITY_NOT_LEGAL 8192
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 The phase error goes into delay_ns: filters and converters.
 */
#define MTR_PHASE_AS_DELAY 0

/*
 The phase error goes into angle: current transformers.
 */
#define MTR_PHASE_AS_ANGLE 1

/*
 Bytes of storage of an mtr_residual.
 */
#define MTR_RESIDUAL_SIZE 96

/*
 Bytes of storage of an mtr_arc.
 */
#define MTR_ARC_SIZE 864

/*
 Bytes of storage of an mtr_circuits.
 */
#define MTR_CIRCUITS_SIZE 4512

/*
 Circuits that one object measures.
 */
#define MTR_CIRCUITS 12

/*
 Most bytes that mtr_circuits_save writes.
 */
#define MTR_CIRCUITS_STATE_MAX 1024

/*
 Bytes of storage of an mtr_details3.
 */
#define MTR_DETAILS3_SIZE 2208

/*
 Bytes of storage of an mtr_monitor.
 */
#define MTR_MONITOR_SIZE 864

/*
 Number of conditions.
 */
#define MTR_CONDITIONS 17

/*
 Voltage below, microvolts, while the phase carries at least the gate, microamperes. By phase.
 */
#define MTR_CONDITION_VOLTAGE_LOST 0

/*
 Voltage below, microvolts; not judged while the phase is lost or broken. By phase.
 */
#define MTR_CONDITION_UNDER_VOLTAGE 1

/*
 Voltage above, microvolts. By phase.
 */
#define MTR_CONDITION_OVER_VOLTAGE 2

/*
 Current below, microamperes, while the voltage is at least the gate, microvolts, and another phase carries at least
 `end`. By phase.
 */
#define MTR_CONDITION_CURRENT_LOST 3

/*
 Current above, microamperes. By phase.
 */
#define MTR_CONDITION_OVER_CURRENT 4

/*
 Active power above, microwatts, either direction. By phase.
 */
#define MTR_CONDITION_OVERLOAD 5

/*
 Power out above, microwatts. By phase.
 */
#define MTR_CONDITION_REVERSE 6

/*
 Voltage below, microvolts, while the phase carries less than the gate, microamperes. By phase.
 */
#define MTR_CONDITION_PHASE_BROKEN 7

/*
 Current below, microamperes, while the voltage is at least the gate, microvolts. By phase.
 */
#define MTR_CONDITION_CURRENT_INTERRUPTED 8

/*
 Voltages in the wrong order while each is at least `begin` (below `end` it ends), microvolts.
 */
#define MTR_CONDITION_VOLTAGE_ORDER 9

/*
 Currents in the wrong order while each is at least `begin` (below `end` it ends), microamperes.
 */
#define MTR_CONDITION_CURRENT_ORDER 10

/*
 (largest - smallest) / largest above, millionths, while the largest is at least the gate, microvolts.
 */
#define MTR_CONDITION_VOLTAGE_UNBALANCE 11

/*
 The same of the currents; the gate in microamperes.
 */
#define MTR_CONDITION_CURRENT_UNBALANCE 12

/*
 Every voltage below, microvolts, while a phase carries at least the gate, microamperes.
 */
#define MTR_CONDITION_ALL_VOLTAGES_LOST 13

/*
 Every voltage below, microvolts, while no phase carries the gate, microamperes.
 */
#define MTR_CONDITION_POWER_DOWN 14

/*
 Magnitude of the total power factor below, millionths, while the apparent power is at least the gate,
 microvoltamperes.
 */
#define MTR_CONDITION_POWER_FACTOR_LOW 15

/*
 A second, higher limit of the unbalance of the currents.
 */
#define MTR_CONDITION_SEVERE_CURRENT_UNBALANCE 16

/*
 Phases are summed first, the sum decides the direction.
 */
#define MTR_POLICY_NET 0

/*
 Each phase decides its own direction.
 */
#define MTR_POLICY_PER_PHASE 1

/*
 As MTR_POLICY_PER_PHASE, and what a phase exports counts nowhere in the total.
 */
#define MTR_POLICY_IMPORT_ONLY 2

/*
 Windows of about 200 ms: 10 cycles of a 50 Hz and 12 of a 60 Hz grid (IEC 61000-4-30).
 */
#define MTR_WINDOW_STANDARD 0

/*
 All whole cycles so far, for records that are short of cycles.
 */
#define MTR_WINDOW_LONGEST 4294967295

/*
 Bytes of storage of an mtr_energy1.
 */
#define MTR_ENERGY1_SIZE 288

/*
 Bytes of storage of an mtr_energy3.
 */
#define MTR_ENERGY3_SIZE 624

/*
 Bytes of storage of an mtr_flicker.
 */
#define MTR_FLICKER_SIZE 2384

/*
 Bytes of storage of an mtr_rapid_changes.
 */
#define MTR_RAPID_CHANGES_SIZE 1568

/*
 Filament lamp of 60 W at 230 V, 50 Hz.
 */
#define MTR_LAMP_230V_50HZ 0

/*
 Filament lamp of 60 W at 120 V, 60 Hz.
 */
#define MTR_LAMP_120V_60HZ 1

/*
 Bytes of storage of an mtr_harmonics.
 */
#define MTR_HARMONICS_SIZE 9568

/*
 Orders of a window.
 */
#define MTR_ORDERS 50

/*
 Bytes of storage of an mtr_pulse.
 */
#define MTR_PULSE_SIZE 256

/*
 Bytes of storage of an mtr_quality3.
 */
#define MTR_QUALITY3_SIZE 992

/*
 half_cycle_q8 holds something.
 */
#define MTR_QUALITY_HAS_HALF_CYCLE 1

/*
 window_q8 and window_marks hold something.
 */
#define MTR_QUALITY_HAS_WINDOW 2

/*
 ten_minutes_q8 and ten_minutes_marks hold something.
 */
#define MTR_QUALITY_HAS_TEN_MINUTES 4

/*
 frequency_uhz holds something.
 */
#define MTR_QUALITY_HAS_FREQUENCY 8

/*
 A dip ended.
 */
#define MTR_QUALITY_HAS_DIP 16

/*
 A swell ended.
 */
#define MTR_QUALITY_HAS_SWELL 32

/*
 An interruption ended.
 */
#define MTR_QUALITY_HAS_INTERRUPTION 64

/*
 A dip began with this half cycle.
 */
#define MTR_QUALITY_HAS_DIP_BEGUN 128

/*
 A swell began with this half cycle.
 */
#define MTR_QUALITY_HAS_SWELL_BEGUN 256

/*
 An interruption began with this half cycle.
 */
#define MTR_QUALITY_HAS_INTERRUPTION_BEGUN 512

/*
 three_seconds_q8 and three_seconds_marks hold something.
 */
#define MTR_QUALITY_HAS_THREE_SECONDS 1024

/*
 two_hours_q8 and two_hours_marks hold something.
 */
#define MTR_QUALITY_HAS_TWO_HOURS 2048

/*
 Bytes of storage of an mtr_metrology1.
 */
#define MTR_METROLOGY1_SIZE 1568

/*
 Most bytes that mtr_metrology1_save writes.
 */
#define MTR_METROLOGY1_STATE_MAX 512

/*
 Most bytes that mtr_metrology1_store_constants writes.
 */
#define MTR_METROLOGY1_CONSTANTS_MAX 256

/*
 Bytes of storage of an mtr_thermal.
 */
#define MTR_THERMAL_SIZE 64

/*
 Bytes that mtr_thermal_save writes.
 */
#define MTR_THERMAL_STATE_LEN 13

/*
 Bytes of storage of an mtr_cable.
 */
#define MTR_CABLE_SIZE 224

/*
 Nothing.
 */
#define MTR_LEVEL_NORMAL 0

/*
 Somebody should look.
 */
#define MTR_LEVEL_WARNING 1

/*
 It is dangerous: alarm or trip.
 */
#define MTR_LEVEL_ALARM 2

/*
 Bytes of storage of an mtr_metrology3.
 */
#define MTR_METROLOGY3_SIZE 2464

/*
 Most bytes that mtr_metrology3_save writes.
 */
#define MTR_METROLOGY3_STATE_MAX 768

/*
 Most bytes that mtr_metrology3_store_constants writes.
 */
#define MTR_METROLOGY3_CONSTANTS_MAX 512
#endif

#if defined(MTR_WITH_SECURITY)
/*
 Bytes of storage of an mtr_boot.
 */
#define MTR_BOOT_SIZE 160

/*
 Bytes of the stored state of the slots.
 */
#define MTR_BOOT_RECORD_LEN 16

/*
 Most keys that images may be signed with: the current one and the next.
 */
#define MTR_BOOT_KEYS 2

/*
 The first slot.
 */
#define MTR_SLOT_A 0

/*
 The second slot.
 */
#define MTR_SLOT_B 1

/*
 No slot.
 */
#define MTR_SLOT_NONE 2

/*
 Start slot A, when both fields of the decision say so.
 */
#define MTR_START_A 1522767465

/*
 Start slot B, when both fields of the decision say so.
 */
#define MTR_START_B 2772199830

/*
 Start nothing: recovery.
 */
#define MTR_START_NOTHING 1012573635

/*
 Bytes of storage of an mtr_gate.
 */
#define MTR_GATE_SIZE 1008

/*
 Bytes of a gate's stored state.
 */
#define MTR_GATE_STATE_LEN 328

/*
 Bytes of storage of an mtr_host: the side that begins a handshake.
 */
#define MTR_HOST_SIZE 80

/*
 Bytes of storage of an mtr_responder.
 */
#define MTR_RESPONDER_SIZE 192

/*
 Bytes of storage of an mtr_session.
 */
#define MTR_SESSION_SIZE 64

/*
 Most bytes of a message of a handshake.
 */
#define MTR_HANDSHAKE_MAX 34

/*
 Bytes of the random number that each side gives, fresh from a source that passed its tests.
 */
#define MTR_RANDOM_LEN 16

/*
 Bytes of storage of an mtr_health.
 */
#define MTR_HEALTH_SIZE 48

/*
 Bytes of storage of an mtr_key.
 */
#define MTR_KEY_SIZE 448

/*
 Bytes of every secret.
 */
#define MTR_SECRET_LEN 16

/*
 Handshakes.
 */
#define MTR_PURPOSE_AUTH 1

/*
 Orders and acknowledgements of a gateway.
 */
#define MTR_PURPOSE_CTRL 2

/*
 Wraps other keys of the device.
 */
#define MTR_PURPOSE_MASTER 4

/*
 Purse movements.
 */
#define MTR_PURPOSE_PURSE 5

/*
 Legal readings, sealed by the metering core.
 */
#define MTR_PURPOSE_DATA 6

/*
 Firmware: wraps the keys of images.
 */
#define MTR_PURPOSE_FW 7

/*
 Attestation and logs.
 */
#define MTR_PURPOSE_AUDIT 9

/*
 The own uplink of a gateway or management core.
 */
#define MTR_PURPOSE_MDATA 10

/*
 Relay orders that the metering core itself checks.
 */
#define MTR_PURPOSE_LCTRL 11

/*
 Bytes of storage of an mtr_sealer.
 */
#define MTR_SEALER_SIZE 496

/*
 Most bytes that an envelope adds to a message.
 */
#define MTR_ENVELOPE_OVERHEAD 32

/*
 Bytes that an envelope of the short form adds to a message with MTR_SUITE_CCM8; with MTR_SUITE_CCM16 8 more.
 */
#define MTR_SHORT_OVERHEAD 12

/*
 From the device to the head end.
 */
#define MTR_FROM_DEVICE 0

/*
 From the head end to the device.
 */
#define MTR_TO_DEVICE 1

/*
 AES-128-CCM with a tag of 16 bytes: every party has it.
 */
#define MTR_SUITE_CCM16 1

/*
 AES-128-CCM with a tag of 8 bytes, for serial lines.
 */
#define MTR_SUITE_CCM8 3

/*
 Bytes of a log's name.
 */
#define MTR_LOG_NAME_LEN 4

/*
 Bytes of a manifest.
 */
#define MTR_MANIFEST_LEN 120

/*
 Bytes of a signature.
 */
#define MTR_SIGNATURE_LEN 64

/*
 Bytes of storage of an mtr_chunks, without its map: mtr_manifest_map_len bytes lie behind.
 */
#define MTR_CHUNKS_SIZE 48

/*
 The metering core: never a target over the air, whoever signed.
 */
#define MTR_CORE_METERING 1

/*
 The management core.
 */
#define MTR_CORE_MANAGEMENT 2

/*
 A modem.
 */
#define MTR_CORE_MODEM 3

/*
 A gateway.
 */
#define MTR_CORE_GATEWAY 4

/*
 Bytes of storage of an mtr_opener.
 */
#define MTR_OPENER_SIZE 480

/*
 Bytes of the stored window of an mtr_opener.
 */
#define MTR_WINDOW_LEN 16

/*
 Most bytes of an order.
 */
#define MTR_ORDER_MAX 34

/*
 Most bytes of the answer to an order.
 */
#define MTR_ACK_MAX 32

/*
 Bytes of storage of an mtr_slot.
 */
#define MTR_SLOT_SIZE 112

/*
 Bytes of a slot's stored record.
 */
#define MTR_SLOT_RECORD_LEN 108

/*
 Bytes of a proof.
 */
#define MTR_PROOF_LEN 16

/*
 The device that the key belongs to.
 */
#define MTR_SIDE_DEVICE 0

/*
 The head end that stages it.
 */
#define MTR_SIDE_HEAD_END 1

/*
 Bytes that wrapping adds.
 */
#define MTR_WRAP_OVERHEAD 8

/*
 Bytes of a wrapped secret.
 */
#define MTR_WRAPPED_LEN 24
#endif

#if defined(MTR_WITH_TARIFF)
/*
 Open the relay after `seconds`.
 */
#define MTR_COMMAND_TRIP 26

/*
 The key may close.
 */
#define MTR_COMMAND_ALLOW_CLOSE 27

/*
 Close.
 */
#define MTR_COMMAND_CLOSE 28

/*
 Open now, and close by itself after `seconds`.
 */
#define MTR_COMMAND_TRIP_FOR 29

/*
 Open now, and let the key close after `seconds`.
 */
#define MTR_COMMAND_TRIP_FOR_KEY 30

/*
 Alarm on.
 */
#define MTR_COMMAND_ALARM 42

/*
 Alarm off.
 */
#define MTR_COMMAND_ALARM_OFF 43

/*
 Keep power: closes, and holds every cause back.
 */
#define MTR_COMMAND_KEEP_POWER 58

/*
 End keep power.
 */
#define MTR_COMMAND_KEEP_POWER_OFF 59

/*
 Bytes of storage of an mtr_journal.
 */
#define MTR_JOURNAL_SIZE 1424

/*
 Longest record.
 */
#define MTR_RECORD_MAX 1280

/*
 Bytes of storage of an mtr_prepaid.
 */
#define MTR_PREPAID_SIZE 2400

/*
 Most bytes of its stored state.
 */
#define MTR_PREPAID_STATE_MAX 832

/*
 Directions that it counts: forward and reverse active energy.
 */
#define MTR_PREPAID_CHANNELS 2

/*
 Rates with a register; energy of higher rates is charged and counts in the totals.
 */
#define MTR_PREPAID_RATES 4

/*
 Directions whose demand it measures.
 */
#define MTR_PREPAID_DEMANDS 2

/*
 Most slips in a window of demand.
 */
#define MTR_PREPAID_SLIPS 15

/*
 The wish did not change.
 */
#define MTR_SAME 0

/*
 The relay is now wanted open; the alarm went on.
 */
#define MTR_ON 1

/*
 The relay is now wanted closed; the alarm went off.
 */
#define MTR_OFF 2

/*
 Nobody wants the relay open.
 */
#define MTR_WHY_NOBODY 0

/*
 The power stayed above its limit.
 */
#define MTR_WHY_OVERLOAD 1

/*
 A command.
 */
#define MTR_WHY_COMMAND 2

/*
 Alarm amount 2 was reached.
 */
#define MTR_WHY_ALARM_2 4

/*
 Nothing is left.
 */
#define MTR_WHY_ZERO 5

/*
 The overdraft limit was reached.
 */
#define MTR_WHY_LOCKED 6

/*
 Most bytes of a row.
 */
#define MTR_ROW_MAX 288

/*
 Totals of forward and reverse active energy.
 */
#define MTR_ROW_ACTIVE 1

/*
 The rate registers, and charged energy by rate.
 */
#define MTR_ROW_RATES 4

/*
 Maximum demand.
 */
#define MTR_ROW_DEMAND 8

/*
 Balance and purchase count.
 */
#define MTR_ROW_PURSE 16

/*
 All of these.
 */
#define MTR_ROW_ALL 31

/*
 Bytes of storage of an mtr_tariff without its rows. For every row of every table that is given add, at most: 16 bytes
 a tier, 8 a holiday or friendly hour, 4 a zone, slot or price; and 16 for their alignment.
 */
#define MTR_TARIFF_SIZE 528

/*
 Enough for a small meter: in each of two sets 2 zones, 16 slots, 4 prices and 3 tiers; 8 holidays, 8 friendly hours.
 */
#define MTR_TARIFF_SMALL_SIZE (MTR_TARIFF_SIZE + 416)

/*
 Enough for all that DL/T 645 allows: in each of two sets 14 zones, 112 slots, 63 prices and 7 tiers; 254 holidays,
 and 14 friendly hours.
 */
#define MTR_TARIFF_FULL_SIZE (MTR_TARIFF_SIZE + 3904)

/*
 The second set of the year zones runs.
 */
#define MTR_SECOND_ZONES 1

/*
 The second set of the day tables runs.
 */
#define MTR_SECOND_DAY_TABLES 2

/*
 The second set of the prices runs.
 */
#define MTR_SECOND_PRICES 4

/*
 The second set of the tiers runs.
 */
#define MTR_SECOND_TIERS 8

/*
 Money and prices of a kilowatt hour in this module: amounts count 10^-7 of the currency, so that no cost is rounded;
 this many are 0.01.
 */
#define MTR_MONEY_HUNDREDTH 100000

/*
 No pattern.
 */
#define MTR_PATTERN_NONE 0

/*
 Every hour at `minute`, 0 to 59.
 */
#define MTR_PATTERN_HOURLY 1

/*
 Every day at `minute` of the day, 0 to 1439.
 */
#define MTR_PATTERN_DAILY 2

/*
 Every month on `day`, 1 to 28, at `minute`.
 */
#define MTR_PATTERN_MONTHLY 3

/*
 Every year in `month` on `day` at `minute`.
 */
#define MTR_PATTERN_YEARLY 4

/*
 Fee control stays as it is.
 */
#define MTR_MODE_SAME 0

/*
 Fee control from afar, by a bill.
 */
#define MTR_MODE_REMOTE 1

/*
 Fee control by the purse.
 */
#define MTR_MODE_LOCAL 2

/*
 Bytes of storage of an mtr_spent.
 */
#define MTR_SPENT_SIZE 224

/*
 Token identifiers that it remembers.
 */
#define MTR_SPENT_TOKENS 50

/*
 Bytes of its stored state.
 */
#define MTR_SPENT_LEN 151

/*
 Characters of a token with the closing NUL.
 */
#define MTR_TOKEN_TEXT 21

/*
 Credit: `subclass` 0 electricity, 1 water, 2 gas, 3 time, 4 to 7 the same in currency; `random`, `tid`, `amount`.
 */
#define MTR_TOKEN_CREDIT 0

/*
 Test or display, for any meter of a maker: `subclass` 0 or 1, `bits` the tests, `value` the maker.
 */
#define MTR_TOKEN_TEST 1

/*
 An order with a value: `subclass` 0 power limit (W), 1 clear credit, 2 tariff rate, 5 clear tamper, 6 limit of phase
 unbalance (W), 7 water factor; `random`, `tid`, `value`.
 */
#define MTR_TOKEN_ORDER 2

/*
 High half of a new key: `expiry` (high 4 bits), `revision`, `roll_over`, `key_type`, `amount` the half.
 */
#define MTR_TOKEN_KEY_HIGH 3

/*
 Low half of a new key: `expiry` (low 4 bits), `tariff`, `amount` the half.
 */
#define MTR_TOKEN_KEY_LOW 4

/*
 Another class and subclass: `token_class`, `subclass`, `bits`.
 */
#define MTR_TOKEN_OTHER 5
#endif

#if (defined(MTR_WITH_DLT645) || defined(MTR_WITH_CJT188) || defined(MTR_WITH_TARIFF) || defined(MTR_WITH_METER_PROTO))
/*
 English names; see the functions that end in _name.
 */
#define MTR_LANG_EN 0

/*
 Chinese names, UTF-8.
 */
#define MTR_LANG_ZH 1
#endif

/*
 How a call ended.
 */
enum mtr_result
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Done.
   */
  MTR_OK = 0,
  /*
   Nothing is wrong, but there is no result yet: give more input, or time.
   */
  MTR_MORE = 1,
  /*
   A pointer is NULL.
   */
  MTR_ERR_NULL = -1,
  /*
   A pointer is not aligned to MTR_ALIGN or to its type.
   */
  MTR_ERR_ALIGN = -2,
  /*
   A buffer or the storage is too short, or a length is above its limit.
   */
  MTR_ERR_LENGTH = -3,
  /*
   A parameter is outside its range.
   */
  MTR_ERR_PARAMETER = -4,
  /*
   The bytes are no whole frame.
   */
  MTR_ERR_FRAME = -5,
  /*
   The identifier is not in the catalogue.
   */
  MTR_ERR_IDENTIFIER = -6,
  /*
   The data do not have the format of the identifier.
   */
  MTR_ERR_VALUE = -7,
  /*
   Two buffers overlap that must not.
   */
  MTR_ERR_OVERLAP = -8,
  /*
   The storage holds no object of this kind: it was not initialised, or was given to something else since.
   */
  MTR_ERR_OBJECT = -9,
  /*
   The object is in a call already (its own callback calls it), or waits for the end of what was asked last.
   */
  MTR_ERR_BUSY = -10,
  /*
   Stored bytes are of another version, of another length, or damaged.
   */
  MTR_ERR_STATE = -11,
  /*
   What was sealed does not open: wrong key, changed, repeated, or not for this receiver. Which is not said.
   */
  MTR_ERR_SEAL = -12,
  /*
   Refused by the rules of the object, whose own reason is in its result.
   */
  MTR_ERR_REFUSED = -13,
  /*
   No room is left in a list or a queue of the object.
   */
  MTR_ERR_FULL = -14,
  /*
   A callback of the caller failed, or a callback that is needed is NULL.
   */
  MTR_ERR_CALLBACK = -15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_result mtr_result;
#else
typedef int32_t mtr_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

#if defined(MTR_WITH_CJT188)
/*
 What an mtr_cjt188_event tells, and which of its fields then hold something.
 */
enum mtr_cjt188_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   The answer to a read or a write: `meter_type`, `address`, `function`, `id`, `data`; after a write also `status`
   where the meter sends it.
   */
  MTR_CJT188_DATA = 1,
  /*
   The answer to mtr_cjt188_master_read_address: `meter_type`, `address`.
   */
  MTR_CJT188_ADDRESS = 2,
  /*
   The answer to mtr_cjt188_master_vendor: `meter_type`, `address`, `data`.
   */
  MTR_CJT188_VENDOR = 3,
  /*
   The meter refused: `function`, `data` (one to three bytes), `status`.
   */
  MTR_CJT188_REFUSED = 4,
  /*
   Nobody answered: asked `tries` times.
   */
  MTR_CJT188_TIMED_OUT = 5,
  /*
   An event of a later version of this library.
   */
  MTR_CJT188_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_cjt188_event_kind mtr_cjt188_event_kind;
#else
typedef uint32_t mtr_cjt188_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a slave did with a frame.
 */
enum mtr_cjt188_slave_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   A request was answered.
   */
  MTR_CJT188_SLAVE_ANSWERED = 1,
  /*
   A request was answered with a refusal.
   */
  MTR_CJT188_SLAVE_REFUSED = 2,
  /*
   A frame for this meter said nothing known, or was a broadcast; no answer.
   */
  MTR_CJT188_SLAVE_NOT_ANSWERED = 3,
  /*
   An event of a later version of this library.
   */
  MTR_CJT188_SLAVE_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_cjt188_slave_event_kind mtr_cjt188_slave_event_kind;
#else
typedef uint32_t mtr_cjt188_slave_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus
#endif

#if defined(MTR_WITH_DLT645)
/*
 What an mtr_dlt645_event tells, and which of its fields then hold something.
 */
enum mtr_dlt645_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   The whole answer to a read: `address`, `id`, `data`.
   */
  MTR_DLT645_DATA = 1,
  /*
   The answer to a security exchange: `address`, `id`, `data`.
   */
  MTR_DLT645_SECURITY = 2,
  /*
   The whole answer to a 1997 read: `address`, `id` (two bytes), `data`.
   */
  MTR_DLT645_DATA_1997 = 3,
  /*
   The meter has the rate `rate` (bit/s) from now on: switch the port, then mtr_dlt645_master_confirm_rate.
   */
  MTR_DLT645_RATE_CHANGED = 4,
  /*
   The meter was heard at `rate`.
   */
  MTR_DLT645_RATE_CONFIRMED = 5,
  /*
   The meter was not heard: switch the port back to `rate`.
   */
  MTR_DLT645_RATE_LOST = 6,
  /*
   The answer to mtr_dlt645_master_read_address: `address`.
   */
  MTR_DLT645_ADDRESS = 7,
  /*
   The meter did what was asked: `address`, `function`.
   */
  MTR_DLT645_DONE = 8,
  /*
   The meter answered an order with two words: `done`, `error`.
   */
  MTR_DLT645_CONTROL_REPORT = 9,
  /*
   The meter refused: `function`, `error` (bits of ERR).
   */
  MTR_DLT645_REFUSED = 10,
  /*
   The meter refused a security exchange: `error` (bits of SERR).
   */
  MTR_DLT645_SECURITY_REFUSED = 11,
  /*
   Nobody answered: asked `tries` times.
   */
  MTR_DLT645_TIMED_OUT = 12,
  /*
   The answer is longer than the buffer behind the master.
   */
  MTR_DLT645_TOO_LONG = 13,
  /*
   An event of a later version of this library.
   */
  MTR_DLT645_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_dlt645_event_kind mtr_dlt645_event_kind;
#else
typedef uint32_t mtr_dlt645_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a slave did with a frame.
 */
enum mtr_dlt645_slave_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   A request was answered with data or "done": `function`.
   */
  MTR_DLT645_SLAVE_ANSWERED = 1,
  /*
   A request was answered with a refusal: `function`.
   */
  MTR_DLT645_SLAVE_REFUSED = 2,
  /*
   A broadcast or a time was taken without an answer: `function`.
   */
  MTR_DLT645_SLAVE_HEARD = 3,
  /*
   A frame for this meter said nothing the edition knows; no answer: `function`.
   */
  MTR_DLT645_SLAVE_NOT_UNDERSTOOD = 4,
  /*
   The meter agreed to `rate`: send the answer at the old one, switch the port, mtr_dlt645_slave_set_timing.
   */
  MTR_DLT645_SLAVE_SWITCH_RATE = 5,
  /*
   An event of a later version of this library.
   */
  MTR_DLT645_SLAVE_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_dlt645_slave_event_kind mtr_dlt645_slave_event_kind;
#else
typedef uint32_t mtr_dlt645_slave_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus
#endif

#if defined(MTR_WITH_SECURITY)
/*
 Why an image may not be loaded or started.
 */
enum mtr_image_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Nothing is wrong.
   */
  MTR_IMAGE_GOOD = 0,
  /*
   The manifest is malformed.
   */
  MTR_IMAGE_MANIFEST = 1,
  /*
   The metering core is never a target.
   */
  MTR_IMAGE_METERING_CORE = 2,
  /*
   It is for another processor.
   */
  MTR_IMAGE_OTHER_CORE = 3,
  /*
   It is for another hardware model.
   */
  MTR_IMAGE_OTHER_HARDWARE = 4,
  /*
   Its security counter is below the stored one.
   */
  MTR_IMAGE_ROLLBACK = 5,
  /*
   It works with other legal software.
   */
  MTR_IMAGE_OTHER_LEGAL_SOFTWARE = 6,
  /*
   It is longer than a slot.
   */
  MTR_IMAGE_TOO_LONG = 7,
  /*
   It is encrypted and the device does not decrypt.
   */
  MTR_IMAGE_ENCRYPTED = 8,
  /*
   It is a patch against another image than the running one.
   */
  MTR_IMAGE_OTHER_BASE = 9,
  /*
   No trusted key has the identity and kind that the manifest names.
   */
  MTR_IMAGE_UNKNOWN_KEY = 10,
  /*
   The slot could not be read.
   */
  MTR_IMAGE_UNREADABLE = 11,
  /*
   What lies in flash is not the image of the manifest.
   */
  MTR_IMAGE_HASH = 12,
  /*
   The signature is wrong.
   */
  MTR_IMAGE_SIGNATURE = 13,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_image_fault mtr_image_fault;
#else
typedef uint32_t mtr_image_fault;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What becomes of an envelope.
 */
enum mtr_verdict_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   A new order, its number stored: carry out `order`, then mtr_gate_finish.
   */
  MTR_VERDICT_NEW = 1,
  /*
   This very order was accepted before: do nothing, send `ack` again.
   */
  MTR_VERDICT_REPEATED = 2,
  /*
   A genuine order that is not executed: send `ack`.
   */
  MTR_VERDICT_REFUSED = 3,
  /*
   Nothing to answer; `reason` for the log.
   */
  MTR_VERDICT_DROPPED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_verdict_kind mtr_verdict_kind;
#else
typedef uint32_t mtr_verdict_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus
#endif

#if defined(MTR_WITH_TARIFF)
/*
 Why an order is refused; nothing changed then.
 */
enum mtr_refusal
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   It is not.
   */
  MTR_REFUSAL_NONE = 0,
  /*
   The account is not open, or open already; or the meter has no fee control of its own, or has it already.
   */
  MTR_REFUSAL_ACCOUNT = 1,
  /*
   Another customer number.
   */
  MTR_REFUSAL_CUSTOMER = 2,
  /*
   The count was used, and its record is gone.
   */
  MTR_REFUSAL_REPEATED = 3,
  /*
   The count is not the next one, which is in `expected`.
   */
  MTR_REFUSAL_COUNT = 4,
  /*
   The hoarding limit would be passed.
   */
  MTR_REFUSAL_HOARD = 5,
  /*
   The amount is not above 0, more than the balance, or more than can be held.
   */
  MTR_REFUSAL_AMOUNT = 6,
  /*
   Keep power is on: no trip.
   */
  MTR_REFUSAL_KEEP_POWER = 7,
  /*
   A reason that this version has no number for.
   */
  MTR_REFUSAL_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_refusal mtr_refusal;
#else
typedef uint32_t mtr_refusal;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a row is; its number counts within the kind, from 1, without a gap.
 */
enum mtr_row_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   A settled period; 12 are usually kept.
   */
  MTR_ROW_SETTLEMENT = 0,
  /*
   Frozen by a pattern; 12.
   */
  MTR_ROW_TIMED = 1,
  /*
   Frozen by an order; 3.
   */
  MTR_ROW_INSTANT = 2,
  /*
   The other year zones run; 2.
   */
  MTR_ROW_ZONES = 3,
  /*
   The other day tables run; 2.
   */
  MTR_ROW_DAY_TABLES = 4,
  /*
   Frozen every hour or half hour; 254.
   */
  MTR_ROW_HOURLY = 5,
  /*
   The other prices run; 2.
   */
  MTR_ROW_PRICES = 6,
  /*
   Frozen every day; 62.
   */
  MTR_ROW_DAILY = 7,
  /*
   The other tiers run; 2.
   */
  MTR_ROW_TIERS = 8,
  /*
   The purse, every day; 62.
   */
  MTR_ROW_DAILY_PURSE = 9,
  /*
   Fee control became local or remote; 2.
   */
  MTR_ROW_MODE = 10,
  /*
   A load record; `detail` has its classes, bit 0 the first.
   */
  MTR_ROW_LOAD = 11,
  /*
   The relay is wanted open; `detail` has who wants it, as `why` of mtr_fee_status.
   */
  MTR_ROW_TRIP = 12,
  /*
   The relay is no longer wanted open; `detail` as above.
   */
  MTR_ROW_CLOSE = 13,
  /*
   The clock was set; `before_s` is what it showed.
   */
  MTR_ROW_CLOCK_SET = 14,
  /*
   Maximum demand was cleared.
   */
  MTR_ROW_DEMAND_RESET = 15,
  /*
   A purchase was booked.
   */
  MTR_ROW_PURCHASE = 16,
  /*
   A refund was booked.
   */
  MTR_ROW_REFUND = 17,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_row_kind mtr_row_kind;
#else
typedef uint32_t mtr_row_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 The rule that tables or terms break.
 */
enum mtr_broken
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   None.
   */
  MTR_BROKEN_NONE = 0,
  /*
   A year has 1 to 14 zones.
   */
  MTR_BROKEN_ZONE_COUNT = 1,
  /*
   A zone starts on a real day.
   */
  MTR_BROKEN_ZONE_DATE = 2,
  /*
   Zones rise by their start.
   */
  MTR_BROKEN_ZONE_ORDER = 3,
  /*
   A day table has at most 14 slots.
   */
  MTR_BROKEN_SLOT_COUNT = 4,
  /*
   Tables are 1 to 8, slots start before 24:00.
   */
  MTR_BROKEN_SLOT_TIME = 5,
  /*
   Slots lie together by table and rise within it.
   */
  MTR_BROKEN_SLOT_ORDER = 6,
  /*
   Rates are numbered 1 to 63.
   */
  MTR_BROKEN_RATE_NUMBER = 7,
  /*
   A table that is pointed to has at least one slot.
   */
  MTR_BROKEN_NO_SUCH_TABLE = 8,
  /*
   At most 254 holidays, each a real date.
   */
  MTR_BROKEN_HOLIDAY = 9,
  /*
   Every rate of the slots has a price, at most 63.
   */
  MTR_BROKEN_PRICE_COUNT = 10,
  /*
   At most seven tiers.
   */
  MTR_BROKEN_TIER_COUNT = 11,
  /*
   Tier bounds rise, and the last tier has none.
   */
  MTR_BROKEN_TIER_ORDER = 12,
  /*
   The reset of the tiers is a real instant on day 1 to 28.
   */
  MTR_BROKEN_RESET = 13,
  /*
   A term is outside its range: friendly hours, standing charge, feature word, fallback rate.
   */
  MTR_BROKEN_TERM = 14,
  /*
   A settlement day is 1 to 28, its hour 0 to 23.
   */
  MTR_BROKEN_SETTLEMENT = 15,
  /*
   Demand windows are at most a day and 1 to MTR_PREPAID_SLIPS slips.
   */
  MTR_BROKEN_DEMAND = 16,
  /*
   A freeze pattern or an interval is outside its range.
   */
  MTR_BROKEN_FREEZE = 17,
  /*
   The programmed change of fee control is outside its range.
   */
  MTR_BROKEN_MODE = 18,
  /*
   A rule that this version has no number for.
   */
  MTR_BROKEN_OTHER = 255,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_broken mtr_broken;
#else
typedef uint32_t mtr_broken;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 The indicator of series arcs of one phase. Opaque.

 It looks at whether the current repeats itself from cycle to cycle; it does not replace an arc-fault detection device
 (IEC 62606). The sample rate must give 64 to 2048 samples a cycle.
 */
typedef struct mtr_arc mtr_arc;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 The boot stage: what is known about the slots, and who may sign. Opaque.

 The loader: mtr_manifest_admit, chunks into the free slot, mtr_boot_mark, reset. The boot stage: mtr_boot_decide, start.
 The new image, when it finds itself working: mtr_boot_confirm; else it resets, and the old one comes back.
 */
typedef struct mtr_boot mtr_boot;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Watches the temperature of one cable or terminal. Opaque.
 */
typedef struct mtr_cable mtr_cable;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 Which chunks of an image lie in flash: one bit each, so that a download goes on after any cut. Opaque.

 A set bit is a chunk that is missing: an erased page says that all are. Write the chunk first, then the byte that
 mtr_chunks_note gives. A download of another manifest begins with an erased map and an erased slot.
 */
typedef struct mtr_chunks mtr_chunks;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Twelve currents beside those of the phases, each on one of the voltages of an mtr_metrology3. Opaque.
 */
typedef struct mtr_circuits mtr_circuits;
#endif

#if defined(MTR_WITH_CJT188)
/*
 A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
 */
typedef struct mtr_cjt188_decoder mtr_cjt188_decoder;

/*
 A reader on a half-duplex line: one question at a time, repeats. Opaque.

 The loop is that of mtr_dlt645_master: ask; send what mtr_cjt188_master_poll_transmit gives; hand in bytes with
 mtr_cjt188_master_handle_bytes, and when the time of mtr_cjt188_master_poll_timeout has passed call
 mtr_cjt188_master_handle_timeout; after each of the two look at poll_transmit and mtr_cjt188_master_poll_event again.
 Every question ends in exactly one event. `now` is milliseconds of any clock that never goes back.
 */
typedef struct mtr_cjt188_master mtr_cjt188_master;

/*
 A meter on a half-duplex line. Opaque.

 The loop is that of mtr_dlt645_slave: hand in bytes with mtr_cjt188_slave_handle_bytes until it has taken all; send
 what mtr_cjt188_slave_poll_transmit gives; when the time of mtr_cjt188_slave_poll_timeout has passed, call
 mtr_cjt188_slave_handle_timeout and look at poll_transmit again: the answer waits for the turnaround time.
 */
typedef struct mtr_cjt188_slave mtr_cjt188_slave;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Peaks, crest factors, voltages between the phases, other definitions of reactive power, of an mtr_metrology3. Opaque.
 */
typedef struct mtr_details3 mtr_details3;
#endif

#if defined(MTR_WITH_DLT645)
/*
 A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
 */
typedef struct mtr_dlt645_decoder mtr_dlt645_decoder;

/*
 A reader on a half-duplex line: one question at a time, repeats, answers in parts joined. Opaque.

 The loop: ask with one of the functions that take `now` and an address; send what
 mtr_dlt645_master_poll_transmit gives; hand in bytes with mtr_dlt645_master_handle_bytes, and when the time of
 mtr_dlt645_master_poll_timeout has passed call mtr_dlt645_master_handle_timeout; after each of the two look at
 poll_transmit and mtr_dlt645_master_poll_event again. Every question ends in exactly one event, broadcasts in none.
 `now` is milliseconds of any clock that never goes back.
 */
typedef struct mtr_dlt645_master mtr_dlt645_master;

/*
 A meter on a half-duplex line. Opaque.

 The loop: hand in bytes with mtr_dlt645_slave_handle_bytes until it has taken all; send what
 mtr_dlt645_slave_poll_transmit gives; when the time of mtr_dlt645_slave_poll_timeout has passed, call
 mtr_dlt645_slave_handle_timeout and look at poll_transmit again: the answer waits for the turnaround time.
 */
typedef struct mtr_dlt645_slave mtr_dlt645_slave;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 The smallest meter of one voltage and one current: exact active energy, pulses and rms values, without
 windows, frequency, reactive power, start threshold and curves. Opaque.
 */
typedef struct mtr_energy1 mtr_energy1;

/*
 The smallest meter of three voltages and three currents: exact active energy, pulses and rms values, without
 windows, frequency, reactive power, start threshold and curves. Opaque.
 */
typedef struct mtr_energy3 mtr_energy3;

/*
 The flickermeter of one voltage. Opaque.

 Its first value is good about 15 s after the start: call mtr_flicker_restart then, and mtr_flicker_finish every ten
 minutes.
 */
typedef struct mtr_flicker mtr_flicker;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 Judges the orders of one key. Opaque; holds a key, mtr_gate_end wipes it.

 mtr_gate_judge stores the number of a new order before it hands it out; the actuator acts; mtr_gate_finish stores the
 outcome and gives the answer, which is sealed as class 2, direction MTR_FROM_DEVICE. A power cut between leaves the
 number used and the answer "interrupted": nothing is ever done twice.
 */
typedef struct mtr_gate mtr_gate;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Harmonics of one channel over the windows of 10 or 12 cycles. Opaque.

 It follows an mtr_quality3: after each mtr_quality3_process give it the frames that were taken, of the voltages or of
 three currents sampled with them.
 */
typedef struct mtr_harmonics mtr_harmonics;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 Tests a source of random bytes, at the start (1024 bytes, thrown away) and for ever after. Opaque.

 A source that failed stays failed until a restart: no handshake and no key is made of it. Sealed data go on, because
 their nonces are counters.
 */
typedef struct mtr_health mtr_health;

/*
 The host's side between its first message and the device's answer. Opaque.
 */
typedef struct mtr_host mtr_host;
#endif

#if defined(MTR_WITH_TARIFF)
/*
 A journal of records on flash: of each key it has the newest whole one, whatever the power did. Opaque.

 Everything is written twice, to two halves of the flash, one after the other, and read back: an erase that was cut
 loses nothing. A record takes at most 37 bytes more than it has; those that count and one more that is being written must
 fit into one page less than a half has, of 2016 bytes each.
 */
typedef struct mtr_journal mtr_journal;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 A key of one device and purpose that an engine has loaded. Opaque. It holds a secret: mtr_key_end wipes it.
 */
typedef struct mtr_key mtr_key;
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 One end of a line on which both sides may speak at once, or of a stream: bodies arrive once and in order, whatever the
 line damages. Opaque.

 The loop: hand in bytes with mtr_link_handle_bytes, take what came with mtr_link_received and mtr_link_release; send
 what mtr_link_poll_transmit gives, and ask again when the time of mtr_link_poll_timeout has come. `now` is
 milliseconds of any clock that never goes back.
 */
typedef struct mtr_link mtr_link;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 The chain of one voltage and one current. Opaque.
 */
typedef struct mtr_metrology1 mtr_metrology1;

/*
 The chain of three voltages and three currents. Opaque.
 */
typedef struct mtr_metrology3 mtr_metrology3;

/*
 The monitor of a meter of one or three phases. Opaque.
 */
typedef struct mtr_monitor mtr_monitor;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 A receiver under one key, which takes each number once. Opaque; holds a key, mtr_opener_end wipes it.
 */
typedef struct mtr_opener mtr_opener;
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 Messages kept on the caller's flash until the receiver says that it has committed them. Opaque.

 The loop: mtr_outbox_next names the next record; write a message with that name in its head; mtr_outbox_push makes it
 durable. Send what mtr_outbox_poll_transmit gives, and ask again when the time of mtr_outbox_poll_timeout has come;
 hand in acknowledgements. A record is on the flash before it is sent for the first time and goes when it is
 acknowledged: a power cut at any write loses nothing, and the receiver drops by their names what comes twice.
 `now` is milliseconds of any clock that never goes back.

 The callbacks of the flash run inside the calls on the outbox, but not in mtr_outbox_next, mtr_outbox_poll_timeout and
 mtr_outbox_look.
 */
typedef struct mtr_outbox mtr_outbox;
#endif

#if defined(MTR_WITH_TARIFF)
/*
 A meter with fee control: registers by rate, purse, relay wish, settlement, demand, freezes, events. Opaque.

 Order of writes: first the rows of a call (mtr_rows), then the state (mtr_prepaid_save), then the answer to whoever
 gave an order. A power cut before the state loses the whole call, which is asked for again under the same count; one
 behind it makes the repeat harmless. When a write fails, make the object anew from what is stored.
 */
typedef struct mtr_prepaid mtr_prepaid;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 A pulse output: evenly spaced pulses out of the energy of whole windows. Opaque.
 */
typedef struct mtr_pulse mtr_pulse;

/*
 The analyser of three voltages. Opaque.
 */
typedef struct mtr_quality3 mtr_quality3;

/*
 Rapid changes of three voltages that are no dips or swells (IEC 61000-4-30, 5.11). Opaque; it follows an mtr_quality3.
 */
typedef struct mtr_rapid_changes mtr_rapid_changes;

/*
 Residual current of a line, window by window. Opaque.
 */
typedef struct mtr_residual mtr_residual;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 The device's side on one port: one handshake in flight, and a few a minute. Opaque.
 */
typedef struct mtr_responder mtr_responder;

/*
 A sender under one key: every message gets a number of its own, for ever. Opaque; holds a key, mtr_sealer_end wipes it.

 Numbers are reserved before they are used: when mtr_sealer_reservation answers MTR_OK, store its limit, and when it
 is durable call mtr_sealer_stored. After a power cut begin with the stored limit: numbers are skipped then, none comes
 twice.
 */
typedef struct mtr_sealer mtr_sealer;

/*
 What both sides agreed on. Opaque; holds secrets, mtr_session_end wipes it.
 */
typedef struct mtr_session mtr_session;

/*
 The keys of one device for one purpose. Opaque; holds secrets, mtr_slot_end wipes it.

 Device and head end hold the same slot. Each function that changes it first writes the record, wrapped under the key
 `chip` of the device's own (any purpose; the same at every start), to `store`; MTR_ERR_CALLBACK says that the store or
 the engine failed, and the slot is then as before. There is no way back to a lower epoch.
 */
typedef struct mtr_slot mtr_slot;
#endif

#if defined(MTR_WITH_TARIFF)
/*
 Which tokens were taken: each has an effect once. Opaque.

 Spend a token before its credit is booked, and store both together: the journal keeps one record whole, so put this
 state behind that of the meter.
 */
typedef struct mtr_spent mtr_spent;

/*
 Tables and terms of a meter, checked in every combination that can run. Opaque; not changed by any call: for other
 tables make another one, and go on with it.
 */
typedef struct mtr_tariff mtr_tariff;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 How hot a line is, from the squares of its current (IEC 60255-149). Opaque.
 */
typedef struct mtr_thermal mtr_thermal;
#endif

#if defined(MTR_WITH_CJT188)
/*
 The address of a meter: 14 digits, packed. AA...AA is the wildcard, 99...99 the broadcast.
 */
typedef struct {
  /*
   Packed digits, most significant first, as printed on the meter.
   */
  uint8_t digits[7];
} mtr_cjt188_address;

/*
 One frame.
 */
typedef struct {
  /*
   The meter.
   */
  mtr_cjt188_address address;
  /*
   The meter type.
   */
  uint8_t meter_type;
  /*
   The control code: bit 7 from the meter, bit 6 refusal, bits 5 to 0 function.
   */
  uint8_t control;
  /*
   Number of data bytes, 0 to MTR_CJT188_DATA_MAX.
   */
  uint8_t length;
  /*
   The data in line order.
   */
  uint8_t data[MTR_CJT188_DATA_MAX];
} mtr_cjt188_frame;

/*
 What a decoder refused since it was made.
 */
typedef struct {
  /*
   Bytes outside frames, preambles not counted.
   */
  uint32_t noise;
  /*
   Lengths above MTR_CJT188_DATA_MAX.
   */
  uint32_t length;
  /*
   Frames with a wrong sum.
   */
  uint32_t checksum;
  /*
   Frames that do not end with 16H.
   */
  uint32_t end;
  /*
   Frames that broke off.
   */
  uint32_t truncated;
} mtr_cjt188_refusals;

/*
 What stands in front of the data of most frames.
 */
typedef struct {
  /*
   The identifier, its known first byte high: 0x901F.
   */
  uint16_t id;
  /*
   SER, the running number that an answer repeats.
   */
  uint8_t serial;
  /*
   MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST.
   */
  uint8_t order;
} mtr_cjt188_head;
#endif

#if (defined(MTR_WITH_DLT645) || defined(MTR_WITH_CJT188))
/*
 How a line and its meters behave in time. Begin with mtr_timing_rs485 or mtr_timing_tcp.
 */
typedef struct {
  /*
   Microseconds one character takes on the wire; 0 where the wire does not count (TCP).
   */
  uint32_t byte_us;
  /*
   Milliseconds from the end of the request to the first byte of the answer, at most.
   */
  uint32_t answer_ms;
  /*
   Milliseconds between two bytes of one frame, at most.
   */
  uint32_t gap_ms;
  /*
   Milliseconds a meter waits before it answers, at least.
   */
  uint32_t turnaround_ms;
  /*
   How often a question is put before it counts as unanswered; 0 is taken as 1, more than 255 as 255.
   */
  uint32_t tries;
} mtr_timing;
#endif

#if defined(MTR_WITH_CJT188)
/*
 ST: two bytes in line order. Makers disagree on its bits, see mtr_cjt188_status_read.
 */
typedef struct {
  /*
   As sent.
   */
  uint8_t bytes[2];
} mtr_cjt188_status;

/*
 The meter's own clock.
 */
typedef struct {
  /*
   Four digits.
   */
  uint16_t year;
  /*
   1 to 12.
   */
  uint8_t month;
  /*
   1 to 31.
   */
  uint8_t day;
  /*
   0 to 23.
   */
  uint8_t hour;
  /*
   0 to 59.
   */
  uint8_t minute;
  /*
   0 to 59.
   */
  uint8_t second;
} mtr_cjt188_stamp;

/*
 A decimal number with its unit: `mantissa` / 10^`decimals` units.
 */
typedef struct {
  /*
   All digits, at most 8.
   */
  uint32_t mantissa;
  /*
   Digits behind the point.
   */
  uint8_t decimals;
  /*
   1: `unit` was sent; 0: the layout has none.
   */
  uint8_t has_unit;
  /*
   The unit code, see mtr_cjt188_unit: 0x2C cubic metre, 0x05 kWh.
   */
  uint8_t unit;
} mtr_cjt188_quantity;

/*
 A value of any identifier. `kind` tells which fields hold something and in which order the numbers stand; the rest is
 0 when it is read and not looked at when it is written.
 */
typedef struct {
  /*
   One of MTR_CJT188_VOLUME to MTR_CJT188_RAW.
   */
  uint32_t kind;
  /*
   How many numbers there are; not looked at when a value is written.
   */
  uint8_t count;
  /*
   A day, a running number, a version or a valve order, by `kind`.
   */
  uint8_t code;
  /*
   1: the meter has a clock and `time` holds something. A missing time is sent as zeros.
   */
  uint8_t has_time;
  /*
   ST.
   */
  mtr_cjt188_status status;
  /*
   The clock, or a date.
   */
  mtr_cjt188_stamp time;
  /*
   An address.
   */
  mtr_cjt188_address address;
  /*
   A key, in line order.
   */
  uint8_t key[8];
  /*
   The numbers, in the order that `kind` tells.
   */
  mtr_cjt188_quantity number[MTR_CJT188_NUMBERS];
} mtr_cjt188_value;

/*
 How a question ended.
 */
typedef struct {
  /*
   What happened; decides which of the other fields hold something. The rest is 0.
   */
  mtr_cjt188_event_kind kind;
  /*
   The meter.
   */
  mtr_cjt188_address address;
  /*
   The meter's type.
   */
  uint8_t meter_type;
  /*
   The function, bits 5 to 0 of the control code.
   */
  uint8_t function;
  /*
   How often was asked.
   */
  uint8_t tries;
  /*
   1: `status` was sent.
   */
  uint8_t has_status;
  /*
   ST; the second byte is 0 where the meter sends one.
   */
  mtr_cjt188_status status;
  /*
   The identifier.
   */
  uint16_t id;
  /*
   The data behind identifier and running number; inside the master, valid until its next call.
   */
  const uint8_t *data;
  /*
   Number of data bytes.
   */
  size_t data_len;
} mtr_cjt188_event;

/*
 What the meter does: callbacks with a context. They run inside mtr_cjt188_slave_handle_bytes and
 mtr_cjt188_slave_handle_timeout only, on the caller's thread and stack, and must return; calls on the same slave from
 there answer MTR_ERR_BUSY. `read` is needed; of the others `write` and `vendor` stay silent when they are NULL, the
 rest refuses. Pointers that a callback gets are valid until it returns. A callback answers 0 when it is done, and
 another number to refuse with ST in `status`, which begins as zeros.
 */
typedef struct {
  /*
   Handed to every callback as it is.
   */
  void *context;
  /*
   The meter's own address.
   */
  mtr_cjt188_address address;
  /*
   The meter's type. Requests to it and to MTR_CJT188_ANY are heard.
   */
  uint8_t meter_type;
  /*
   Another type whose requests are heard; the same once more when there is none.
   */
  uint8_t also_hears;
  /*
   Writes the data of `id` behind the running number to `out` (at most `capacity` bytes) and their length to `len`;
   see mtr_cjt188_encode_value.
   */
  int32_t (*read)(void *context,
                  uint16_t id,
                  uint8_t *out,
                  size_t capacity,
                  size_t *len,
                  mtr_cjt188_status *status);
  /*
   Moves the valve (MTR_CJT188_OPEN, MTR_CJT188_CLOSE) and fills in ST after the order.
   */
  int32_t (*valve)(void *context, uint8_t valve, mtr_cjt188_status *status);
  /*
   Fills in the version of the key.
   */
  int32_t (*key_version)(void *context, uint8_t *version, mtr_cjt188_status *status);
  /*
   Takes a new address; the answer still goes out under the old one. Put it into `address` of this structure before
   the next call.
   */
  int32_t (*write_address)(void *context, mtr_cjt188_address address, mtr_cjt188_status *status);
  /*
   Sets what the motor shows.
   */
  int32_t (*synchronise)(void *context, const mtr_cjt188_quantity *total, mtr_cjt188_status *status);
  /*
   Every other write: takes what stands behind the running number (see mtr_cjt188_decode), writes what is to stand
   there in the answer to `out`, usually nothing, and its length to `out_len`. Also answers MTR_CJT188_SILENT.
   */
  int32_t (*write)(void *context,
                   uint8_t function,
                   uint16_t id,
                   const uint8_t *data,
                   size_t len,
                   uint8_t *out,
                   size_t capacity,
                   size_t *out_len,
                   mtr_cjt188_status *status);
  /*
   The vendor's own function: takes all data of the request and writes all data of the answer. Also answers
   MTR_CJT188_SILENT.
   */
  int32_t (*vendor)(void *context,
                    const uint8_t *data,
                    size_t len,
                    uint8_t *out,
                    size_t capacity,
                    size_t *out_len,
                    mtr_cjt188_status *status);
} mtr_cjt188_application;

/*
 What a slave did with a frame.
 */
typedef struct {
  /*
   What happened.
   */
  mtr_cjt188_slave_event_kind kind;
  /*
   The function of the request.
   */
  uint8_t function;
} mtr_cjt188_slave_event;
#endif

#if defined(MTR_WITH_DLT645)
/*
 The address of a meter: 12 digits, packed. AA...AA is the wildcard, 99...99 the broadcast.
 */
typedef struct {
  /*
   Packed digits, most significant first, as printed on the meter.
   */
  uint8_t digits[6];
} mtr_dlt645_address;

/*
 One frame.
 */
typedef struct {
  /*
   The meter.
   */
  mtr_dlt645_address address;
  /*
   The control code: bit 7 from the meter, bit 6 refusal, bit 5 more follows, bits 4 to 0 function.
   */
  uint8_t control;
  /*
   Number of data bytes, 0 to MTR_DLT645_DATA_MAX.
   */
  uint8_t length;
  /*
   The data without the 33H of the line, in line order.
   */
  uint8_t data[MTR_DLT645_DATA_MAX];
} mtr_dlt645_frame;

/*
 What a decoder refused since it was made.
 */
typedef struct {
  /*
   Bytes outside frames, preambles not counted.
   */
  uint32_t noise;
  /*
   A 68H without a second one at its place.
   */
  uint32_t start;
  /*
   Lengths above MTR_DLT645_DATA_MAX.
   */
  uint32_t length;
  /*
   Frames with a wrong sum.
   */
  uint32_t checksum;
  /*
   Frames that do not end with 16H.
   */
  uint32_t end;
  /*
   Frames that broke off.
   */
  uint32_t truncated;
} mtr_dlt645_refusals;

/*
 A point in time by its decimal fields, as the meter says it.
 */
typedef struct {
  /*
   Year of this century, 0 to 99.
   */
  uint8_t year;
  /*
   1 to 12.
   */
  uint8_t month;
  /*
   1 to 31.
   */
  uint8_t day;
  /*
   0 to 23.
   */
  uint8_t hour;
  /*
   0 to 59.
   */
  uint8_t minute;
  /*
   0 to 59.
   */
  uint8_t second;
} mtr_stamp;

/*
 How one meter departs from the standard; all 0 for none.
 */
typedef struct {
  /*
   1: answers may carry the full wildcard instead of the meter's address.
   */
  uint8_t wildcard_answers;
  /*
   FE in front of requests beyond the usual four.
   */
  uint8_t extra_preamble;
  /*
   1: when nobody answers a read of the address, ask again by a 1997 read of 9010.
   */
  uint8_t answers_1997;
} mtr_dlt645_quirks;

/*
 Who asks for a write or an order.
 */
typedef struct {
  /*
   Six packed digits of the password, 0x123456 for 123456.
   */
  uint32_t password;
  /*
   Operator code, C0 in the low byte.
   */
  uint32_t operator_code;
  /*
   PA: 0 to 9 plain levels, 0x98 ciphertext with MAC, 0x99 plaintext with MAC.
   */
  uint8_t level;
} mtr_dlt645_authority;

/*
 The plain block of function 1C.
 */
typedef struct {
  /*
   N1: 0x1A trip, 0x1B allow closing, 0x1C close, 0x2A alarm on, 0x2B alarm off, 0x3A keep power on, 0x3B off.
   */
  uint8_t order;
  /*
   N2: 0, or a delay in steps of 5 minutes.
   */
  uint8_t delay;
  /*
   1: `expires` is the moment after which the meter must refuse; 0: never.
   */
  uint8_t has_expiry;
  /*
   Read only when `has_expiry` is 1.
   */
  mtr_stamp expires;
} mtr_dlt645_control;

/*
 How a question ended.
 */
typedef struct {
  /*
   What happened; decides which of the other fields hold something. The rest is 0.
   */
  mtr_dlt645_event_kind kind;
  /*
   The meter.
   */
  mtr_dlt645_address address;
  /*
   The function, bits 4 to 0 of the control code.
   */
  uint8_t function;
  /*
   How often was asked.
   */
  uint8_t tries;
  /*
   Bits of ERR or SERR, or what kept an order from being done.
   */
  uint16_t error;
  /*
   What was done of an order.
   */
  uint16_t done;
  /*
   The identifier.
   */
  uint32_t id;
  /*
   Bits per second.
   */
  uint32_t rate;
  /*
   Plain data behind the identifier, low byte first; inside the master, valid until its next call.
   */
  const uint8_t *data;
  /*
   Number of data bytes.
   */
  size_t data_len;
} mtr_dlt645_event;

/*
 The reader's secure element: a chip, a server that holds the keys, or a software one. Every callback answers 0 when it
 is done and anything else to refuse. They run inside the call they are given to.
 */
typedef struct {
  /*
   Handed to every callback as it is.
   */
  void *context;
  /*
   Writes the 24 bytes of a request for identity authentication of `meter`: cipher 1, random 1, diversifier, each from
   its last byte to its first as on the line.
   */
  int32_t (*begin)(void *context, mtr_dlt645_address meter, uint8_t *request);
  /*
   Writes the protected form of `plain` to `out` (at most `capacity` bytes) and its length to `out_len`: by `level`
   (MTR_DLT645_CIPHER, MTR_DLT645_MAC) ciphertext or plaintext and four bytes of MAC. `function` is 0x14, 0x1A, 0x1B or
   0x1C, `id` what is written, 0 for orders.
   */
  int32_t (*protect)(void *context,
                     uint8_t level,
                     mtr_dlt645_address meter,
                     uint8_t function,
                     uint32_t id,
                     const uint8_t *plain,
                     size_t len,
                     uint8_t *out,
                     size_t capacity,
                     size_t *out_len);
} mtr_dlt645_host_element;

/*
 Where a value stands in the data of an answer. Numbers that a value has no use for are 0.
 */
typedef struct {
  /*
   The identifier of the answer, DI3 highest.
   */
  uint32_t id;
  /*
   Which item of a block.
   */
  uint32_t nth;
  /*
   Which part of a whole freeze (class 05 with DI1 FF: 0 time, 1 forward active and so on, 11 powers), or which block
   of a load record (class 06).
   */
  uint32_t part;
  /*
   Which class of a load record: 1 voltage, current and frequency, 2 power, 3 power factor, 4 energy, 5 quadrants,
   6 demand; 0 the time of the block.
   */
  uint32_t class_number;
  /*
   Which field of a record, such as an event record (class 03) or a record of a freeze.
   */
  uint32_t field;
} mtr_dlt645_place;

/*
 A decimal number: `mantissa` / 10^`decimals`.
 */
typedef struct {
  /*
   All digits, with the sign.
   */
  int32_t mantissa;
  /*
   Digits behind the point.
   */
  uint8_t decimals;
} mtr_number;

/*
 One block of a load record as a meter keeps it.
 */
typedef struct {
  /*
   When it was stored; the second is not sent.
   */
  mtr_stamp at;
  /*
   Data bytes of each class, in the order of mtr_dlt645_place; 0 where the mode word excludes it.
   */
  uint8_t lengths[6];
  /*
   The data of the classes, one behind the other.
   */
  uint8_t data[MTR_DLT645_LOAD_MAX];
} mtr_dlt645_load_block;

/*
 What the meter does: callbacks with a context. They run inside mtr_dlt645_slave_handle_bytes and
 mtr_dlt645_slave_handle_timeout only, on the caller's thread and stack, and must return; calls on the same slave
 from there answer MTR_ERR_BUSY. `read` is needed; a callback that is NULL refuses. Pointers that a callback gets
 are valid until it returns.
 */
typedef struct {
  /*
   Handed to every callback as it is.
   */
  void *context;
  /*
   The meter's own full address.
   */
  mtr_dlt645_address address;
  /*
   Writes the value of `id` to `out` (at most `capacity` bytes) as it goes on the line, low byte first and without
   33H, and its length to `len`; `rest` is what a request of class 06 adds. Answers 0, or the bits of ERR.
   */
  uint8_t (*read)(void *context,
                  uint32_t id,
                  const uint8_t *rest,
                  size_t rest_len,
                  uint8_t *out,
                  size_t capacity,
                  size_t *len);
  /*
   Sets `id` to `data`. Checking the password is the callback's, unless the slave has a guard. Answers 0, or the
   bits of ERR.
   */
  uint8_t (*write)(void *context,
                   uint32_t id,
                   const mtr_dlt645_authority *authority,
                   const uint8_t *data,
                   size_t len);
  /*
   Carries out an order of function 1C. Answers 0, or the bits of ERR.
   */
  uint8_t (*control)(void *context,
                     const mtr_dlt645_authority *authority,
                     const mtr_dlt645_control *control);
  /*
   Function 03: takes `data`, writes the answer behind the identifier to `out` and its length to `out_len`.
   Answers 0, or the bits of SERR.
   */
  uint16_t (*security)(void *context,
                       uint32_t id,
                       uint32_t operator_code,
                       const uint8_t *data,
                       size_t len,
                       uint8_t *out,
                       size_t capacity,
                       size_t *out_len);
  /*
   Function 08: somebody tells the time.
   */
  void (*set_time)(void *context, const mtr_stamp *time);
  /*
   Function 15: a new address; answers 1 when it was taken.
   */
  uint8_t (*write_address)(void *context, mtr_dlt645_address address);
  /*
   The meter's clock: fills in `time` and answers 1, or answers 0 when it does not know the time. With it orders
   that have expired are refused by the slave itself.
   */
  uint8_t (*clock)(void *context, mtr_stamp *time);
  /*
   Every other function (16 to 1B, 1D, protected blocks): takes the plain data of the request, writes the data of
   the answer to `out` and its length to `out_len`. Answers 0, the bits of ERR, or MTR_DLT645_SILENT.
   */
  int32_t (*other)(void *context,
                   uint8_t function,
                   const uint8_t *data,
                   size_t len,
                   uint8_t *out,
                   size_t capacity,
                   size_t *out_len);
  /*
   The meter's secure element: writes the plain form of `protected_data` to `out` (at most `capacity` bytes) and its
   length to `out_len`, if its MAC is right and the identity authentication of the reader is still valid. Answers 0,
   anything else to refuse. With it the slave opens what comes under `level` MTR_DLT645_CIPHER or MTR_DLT645_MAC, and
   `write`, `control` and `other` get the plain request; the level of its authority tells how it came. `function` is
   0x14, 0x1A, 0x1B or 0x1C, `id` what is written, 0 for orders.
   */
  int32_t (*open)(void *context,
                  uint8_t level,
                  uint8_t function,
                  uint32_t id,
                  const uint8_t *protected_data,
                  size_t len,
                  uint8_t *out,
                  size_t capacity,
                  size_t *out_len);
  /*
   The password level, 0 to 9, that a write of `id` needs; asked only of a slave with a guard. Without it the levels
   are those of the standard.
   */
  uint8_t (*level)(void *context, uint32_t id);
  /*
   As `read`, for the two-byte identifiers of 1997.
   */
  uint8_t (*read_1997)(void *context, uint16_t id, uint8_t *out, size_t capacity, size_t *len);
  /*
   As `write`, for 1997; the password has PA in its low byte.
   */
  uint8_t (*write_1997)(void *context,
                        uint16_t id,
                        uint32_t password,
                        const uint8_t *data,
                        size_t len);
} mtr_dlt645_application;

/*
 What a slave did with a frame.
 */
typedef struct {
  /*
   What happened.
   */
  mtr_dlt645_slave_event_kind kind;
  /*
   Bits per second, or 0.
   */
  uint32_t rate;
  /*
   The function, bits 4 to 0 of the control code, or 0.
   */
  uint8_t function;
} mtr_dlt645_slave_event;
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 What stands before every body. Device, stream, boot and number are the key of the record for ever.
 */
typedef struct {
  /*
   When the record was made, for values of an interval its end: since 1970-01-01T00:00:00Z in the resolution that
   the high nibble of `clk` states (0 seconds, 3 milliseconds, 6 microseconds).
   */
  uint64_t time;
  /*
   Boots of the device, stored ahead of use.
   */
  uint32_t boot;
  /*
   Number within stream and boot, from 1; 0 for messages that are not stored.
   */
  uint32_t seq;
  /*
   Which device behind the sender this is about, 0 the sender itself.
   */
  uint16_t node;
  /*
   MTR_STREAM_...
   */
  uint8_t stream;
  /*
   High nibble resolution, low nibble MTR_CLOCK_...
   */
  uint8_t clk;
} mtr_proto_head;

/*
 A run of missing records.
 */
typedef struct {
  /*
   First missing number.
   */
  uint32_t first;
  /*
   Last missing number, not below `first`.
   */
  uint32_t last;
} mtr_proto_gap;

/*
 Everything of `boot` up to `contiguous` is committed for ever, and above it as far as the last gap reaches, except
 what lies in the gaps.
 */
typedef struct {
  /*
   The boot whose records are meant.
   */
  uint32_t boot;
  /*
   Highest number up to which nothing is missing, 0 for none.
   */
  uint32_t contiguous;
  /*
   Missing runs above it, ascending.
   */
  mtr_proto_gap gap[MTR_GAPS_MAX];
  /*
   How many of them, at most MTR_GAPS_MAX.
   */
  uint8_t gaps;
  /*
   MTR_STREAM_...
   */
  uint8_t stream;
} mtr_proto_acknowledgement;

/*
 A measured value: `mantissa` times 10 to the power of `exponent`, in the unit of its quantity. The exponent is part of
 the reading: it says its resolution.
 */
typedef struct {
  /*
   The digits of the reading.
   */
  int64_t mantissa;
  /*
   MTR_QUALITY_... marks, 0 for a good value.
   */
  uint16_t quality;
  /*
   Power of ten that the digits count.
   */
  int8_t exponent;
} mtr_proto_value;

/*
 A command. Commands state a target, never a toggle, so that a repeat is harmless. `code` tells which of the fields
 behind `points` hold something; the rest is 0 when it is read and not looked at when it is written.
 */
typedef struct {
  /*
   Chosen by the issuer and never reused; a repeat is answered with the stored result.
   */
  uint64_t id;
  /*
   Not before this UTC second.
   */
  uint64_t not_before;
  /*
   Refused from this UTC second on.
   */
  uint64_t expires;
  /*
   Until when, UTC seconds.
   */
  uint64_t until;
  /*
   A point.
   */
  uint64_t point;
  /*
   A value.
   */
  mtr_proto_value value;
  /*
   Points to be read.
   */
  uint64_t points[MTR_READ_POINTS_MAX];
  /*
   Who commands.
   */
  uint32_t issuer;
  /*
   A file's number in its offer.
   */
  uint32_t file;
  /*
   Seconds of a trial.
   */
  uint32_t trial_s;
  /*
   An account within the device.
   */
  uint32_t account;
  /*
   MTR_COMMAND_...; another number is a command of a later release, to be answered with MTR_STATUS_UNKNOWN.
   */
  uint16_t code;
  /*
   A configuration key.
   */
  uint16_t key;
  /*
   0 is the most urgent.
   */
  uint8_t priority;
  /*
   A circuit, 0 the main one.
   */
  uint8_t circuit;
  /*
   1 closed, 0 open.
   */
  uint8_t closed;
  /*
   Number of `points`.
   */
  uint8_t point_count;
  /*
   Purpose of the key of a sealed order: 5 purse, 11 orders to the metering core.
   */
  uint8_t purpose;
  /*
   Number of `bytes`.
   */
  uint8_t byte_count;
  /*
   A sealed order, or a value of the configuration.
   */
  uint8_t bytes[MTR_SEALED_MAX];
} mtr_proto_command;

/*
 How a command ended.
 */
typedef struct {
  /*
   The command.
   */
  uint64_t id;
  /*
   When, as in mtr_proto_head.
   */
  uint64_t time;
  /*
   A value, where the command asks for one; read only when `has_value` is 1.
   */
  mtr_proto_value value;
  /*
   The device's own code, 0 none.
   */
  uint32_t detail;
  /*
   Clock of `time`, as in mtr_proto_head.
   */
  uint8_t clk;
  /*
   MTR_STATUS_...
   */
  uint8_t status;
  /*
   1: `value` is there.
   */
  uint8_t has_value;
  /*
   1: `sealed` is there.
   */
  uint8_t has_sealed;
  /*
   Purpose of the key of the sealed acknowledgement.
   */
  uint8_t purpose;
  /*
   Bytes of the sealed acknowledgement.
   */
  uint8_t sealed_len;
  /*
   The sealed acknowledgement of the core that acted.
   */
  uint8_t sealed[MTR_SEALED_MAX];
} mtr_proto_command_result;

/*
 Something happened.
 */
typedef struct {
  /*
   The point it is about; 0 when there is none.
   */
  uint64_t point;
  /*
   The value that caused it; read only when `has_value` is 1.
   */
  mtr_proto_value value;
  /*
   The limit it crossed; read only when `has_limit` is 1.
   */
  mtr_proto_value limit;
  /*
   Pairs cleared with raised.
   */
  uint32_t instance;
  /*
   What happened: class in the high byte, MTR_EVENT_...
   */
  uint16_t code;
  /*
   0 debug to 7 immediate danger; from 5 on it leaves the device at once.
   */
  uint8_t severity;
  /*
   MTR_EVENT_RAISED to MTR_EVENT_UPDATED.
   */
  uint8_t phase;
  /*
   1: `value` is there.
   */
  uint8_t has_value;
  /*
   1: `limit` is there.
   */
  uint8_t has_limit;
} mtr_proto_event;

/*
 What a link met so far.
 */
typedef struct {
  /*
   Frames whose check or stuffing is wrong.
   */
  uint32_t damaged;
  /*
   Frames longer than MTR_LINK_FRAME_MAX.
   */
  uint32_t too_long;
  /*
   Bodies that came again.
   */
  uint32_t repeats;
  /*
   1 while the link is known to be up.
   */
  uint8_t up;
} mtr_link_statistics;

/*
 What one stream may hold.
 */
typedef struct {
  /*
   Pages of its own: 0, or 2 and more. MTR_STREAM_SESSION has none.
   */
  uint32_t pages;
  /*
   Most records that wait.
   */
  uint32_t records;
  /*
   Most bytes of their messages: those of one page less than it has, because a page is freed as a whole.
   */
  uint32_t bytes;
} mtr_quota;

/*
 How an outbox keeps and repeats. Begin with mtr_outbox_defaults.
 */
typedef struct {
  /*
   Number of this start of the device, stored durably before it is used and greater than every one before.
   */
  uint32_t boot;
  /*
   Milliseconds before the first repeat; doubled with each.
   */
  uint32_t first_ms;
  /*
   The longest wait, milliseconds.
   */
  uint32_t longest_ms;
  /*
   By stream.
   */
  mtr_quota stream[MTR_STREAMS];
} mtr_outbox_setup;
#endif

#if (defined(MTR_WITH_TARIFF) || defined(MTR_WITH_METER_PROTO))
/*
 Flash of the caller. Every callback answers 0 when it is done, anything else when it is not; after a power cut what it
 was at may be half done.

 Journal and outbox work with pages of MTR_FLASH_PAGE bytes. Of longer erase pages they use the first MTR_FLASH_PAGE
 bytes, of shorter ones, which must divide that, several at a time.
 */
typedef struct {
  /*
   Handed to the callbacks as it is.
   */
  void *context;
  /*
   Reads `len` bytes at `offset`.
   */
  int32_t (*read)(void *context, uint32_t offset, uint8_t *bytes, size_t len);
  /*
   Writes `len` bytes at `offset`, a multiple of MTR_FLASH_WORD both, to erased flash. Where an erase was cut the
   flash may only look erased: then it may be refused, or come out wrong; what is written is read back.
   */
  int32_t (*write)(void *context, uint32_t offset, const uint8_t *bytes, size_t len);
  /*
   Erases the page that begins at `offset`, to FF.
   */
  int32_t (*erase)(void *context, uint32_t offset);
  /*
   Bytes of an erase page: a divisor of MTR_FLASH_PAGE from 128, or a multiple of MTR_FLASH_WORD above it.
   */
  uint32_t page;
  /*
   Number of erase pages. A journal wants an even number of pages of MTR_FLASH_PAGE bytes, at least 4.
   */
  uint32_t pages;
} mtr_flash;
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 The name of a record of this device.
 */
typedef struct {
  /*
   The boot.
   */
  uint32_t boot;
  /*
   The number.
   */
  uint32_t seq;
  /*
   MTR_STREAM_...
   */
  uint8_t stream;
} mtr_proto_key;

/*
 A record to put on the wire.
 */
typedef struct {
  /*
   Its name.
   */
  mtr_proto_key key;
  /*
   1: it was sent before since the start.
   */
  uint8_t repeat;
  /*
   How many bytes of the buffer.
   */
  size_t len;
} mtr_transmit;

/*
 What an outbox gave up or met since its start.
 */
typedef struct {
  /*
   The boot under which new records are numbered.
   */
  uint32_t boot;
  /*
   Records given up because their stream was full (telemetry and diagnostics).
   */
  uint32_t dropped;
  /*
   Records that could not be read or did not fit the caller's buffer.
   */
  uint32_t unreadable;
  /*
   Places on the flash that are no record: what a power cut tore, or what wore out.
   */
  uint32_t damaged;
} mtr_outbox_statistics;

/*
 The parts of a point; all 0 but the quantity for the total of the main circuit now.
 */
typedef struct {
  /*
   MTR_QUANTITY_...
   */
  uint8_t quantity;
  /*
   MTR_PHASE_...
   */
  uint8_t phase;
  /*
   MTR_DIRECTION_...
   */
  uint8_t direction;
  /*
   Rate 1 to 63, 0 total.
   */
  uint8_t tariff;
  /*
   MTR_STATISTIC_...
   */
  uint8_t statistic;
  /*
   Harmonic order, 0 all.
   */
  uint8_t harmonic;
  /*
   0 now, 1 to 12 billing days back, 64 to 153 daily freeze, 160 to 207 monthly freeze.
   */
  uint8_t settlement;
  /*
   Circuit or sensor, 0 main.
   */
  uint8_t channel;
} mtr_proto_parts;

/*
 An OBIS code A-B:C.D.E*F.
 */
typedef struct {
  /*
   A to F.
   */
  uint8_t code[6];
} mtr_obis;

/*
 Equally spaced values of one point. The last one belongs to the time of the head less `age_s`, every other one to
 `step_s` before its follower.
 */
typedef struct {
  /*
   What was measured: see mtr_proto_point.
   */
  uint64_t point;
  /*
   Seconds from the last value to the time of the head, 0 for a profile that is sent when it is full.
   */
  uint32_t age_s;
  /*
   Seconds from value to value, at least 1.
   */
  uint32_t step_s;
  /*
   Power of ten of the values.
   */
  int8_t exponent;
} mtr_proto_profile;

/*
 Values of a profile, one behind the other, that are not good. A missing value repeats its predecessor and lies in a
 run with MTR_QUALITY_MISSING.
 */
typedef struct {
  /*
   First of them, from 0.
   */
  uint16_t first;
  /*
   How many, at least 1.
   */
  uint16_t count;
  /*
   Their MTR_QUALITY_... marks.
   */
  uint16_t quality;
} mtr_proto_run;

/*
 One value of one point.
 */
typedef struct {
  /*
   What was measured: see mtr_proto_point.
   */
  uint64_t point;
  /*
   What it was.
   */
  mtr_proto_value value;
} mtr_proto_sample;
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Constants of one phase.
 */
typedef struct {
  /*
   Voltage gain, 2^30 is 1; 2^26 to just below 2^32.
   */
  uint32_t voltage_gain;
  /*
   Current gain, the same.
   */
  uint32_t current_gain;
  /*
   Counts subtracted from each voltage sample, at most 2^20.
   */
  int32_t voltage_offset;
  /*
   Counts subtracted from each current sample, at most 2^20.
   */
  int32_t current_offset;
  /*
   Time by which the current arrives late against the voltage, nanoseconds.
   */
  int32_t delay_ns;
  /*
   Angle by which the current is measured early, 2^-32 turn; 0.001 degree is 11930.
   */
  int32_t angle;
  /*
   Mean square of the current channel's own noise, counts squared with 8 fractional bits.
   */
  uint32_t current_noise;
  /*
   Power added to the measured one, microwatts.
   */
  int32_t power_offset_uw;
} mtr_phase_constants;

/*
 Constants of a meter of one or three phases. Begin with mtr_metrology_defaults.
 */
typedef struct {
  /*
   Sample rate, thousandths of a sample per second, 600000 to 64000000.
   */
  uint32_t sample_rate_mhz;
  /*
   Nominal frequency, millihertz, 40000 to 75000.
   */
  uint32_t nominal_mhz;
  /*
   One voltage count at unit gain, nanovolts.
   */
  uint32_t voltage_nv;
  /*
   One current count at unit gain, nanoamperes.
   */
  uint32_t current_na;
  /*
   Magnitude from which a sample counts as saturated, counts.
   */
  int32_t saturation;
  /*
   Smallest peak of the fundamental that gives zero crossings, counts of the voltage.
   */
  uint32_t sync_level;
  /*
   Cycles of a window, 1 to 600, or MTR_WINDOW_...
   */
  uint32_t window_cycles;
  /*
   How the energies of the phases join in the total: MTR_POLICY_...
   */
  uint32_t policy;
  /*
   1: the product of the mean values of voltage and current counts; 0: it is removed.
   */
  uint32_t dc_kept;
  /*
   One step of the energy registers, milliwatt-hours (100 is 0.1 Wh).
   */
  uint32_t energy_step_mwh;
  /*
   Pulses per kilowatt-hour.
   */
  uint32_t pulses_per_kwh;
  /*
   Pulses per kilovar-hour.
   */
  uint32_t pulses_per_kvarh;
  /*
   A phase begins to count energy at this power, microwatts; 0 counts always.
   */
  uint32_t start_uw;
  /*
   Time constant over which that power is averaged, milliseconds, 1 to 60000.
   */
  uint32_t start_average_ms;
  /*
   Temperature at which the gains hold, millidegrees Celsius.
   */
  int32_t reference_mdeg;
  /*
   Counted up with every calibration of this meter.
   */
  uint32_t revision;
  /*
   Day of the calibration as decimal digits YYYYMMDD; 0 when unknown.
   */
  uint32_t date;
  /*
   1: there is a channel of the neutral current.
   */
  uint32_t has_neutral;
  /*
   Its gain against the scale of the phase currents, 2^30 is 1.
   */
  uint32_t neutral_gain;
  /*
   Counts subtracted from each of its samples, at most 2^20.
   */
  int32_t neutral_offset;
  /*
   Constants of each phase; a single-phase meter reads the first only.
   */
  mtr_phase_constants phase[3];
} mtr_metrology_parameters;

/*
 Mean values of one phase at one load point, what the meter says.
 */
typedef struct {
  /*
   Voltage, rms, microvolts.
   */
  uint64_t voltage_uv;
  /*
   Current, rms, microamperes.
   */
  uint64_t current_ua;
  /*
   Active power, microwatts.
   */
  int64_t active_uw;
  /*
   Active power of the fundamental, microwatts.
   */
  int64_t fundamental_uw;
  /*
   Reactive power of the fundamental, microvars.
   */
  int64_t reactive_uvar;
  /*
   Mean voltage, microvolts.
   */
  int64_t voltage_mean_uv;
  /*
   Mean current, microamperes.
   */
  int64_t current_mean_ua;
} mtr_reading;

/*
 A load point, what the reference says.
 */
typedef struct {
  /*
   Voltage, rms, microvolts.
   */
  uint64_t voltage_uv;
  /*
   Current, rms, microamperes.
   */
  uint64_t current_ua;
  /*
   Active power, microwatts; positive is import.
   */
  int64_t active_uw;
  /*
   1: the current lags the voltage (inductive).
   */
  uint32_t lagging;
} mtr_load;

/*
 Two thresholds in the unit of a value.
 */
typedef struct {
  /*
   Warning at this value and above.
   */
  uint64_t warning;
  /*
   Alarm at this value and above.
   */
  uint64_t alarm;
  /*
   A level is left when the value is this much below its threshold.
   */
  uint64_t hysteresis;
  /*
   How long a level must be reached, or left, before it is told, milliseconds.
   */
  uint32_t delay_ms;
} mtr_threshold;

/*
 One simultaneous set of samples, counts of at most 24 bits; larger ones are limited and flagged.
 */
typedef struct {
  /*
   Voltages.
   */
  int32_t u[3];
  /*
   Currents; positive power is import.
   */
  int32_t i[3];
  /*
   Neutral current; read only when the constants have such a channel.
   */
  int32_t n;
} mtr_sample3;

/*
 Residual current of one window.
 */
typedef struct {
  /*
   Rms without the direct part, microamperes.
   */
  uint64_t ac_ua;
  /*
   Direct part, microamperes.
   */
  int64_t dc_ua;
  /*
   Rms of both, microamperes; the thresholds are against it.
   */
  uint64_t total_ua;
  /*
   MTR_LEVEL_...
   */
  uint32_t level;
} mtr_residual_current;

/*
 Limits of the arc indicator. Begin with mtr_arc_defaults.
 */
typedef struct {
  /*
   Least mean magnitude of a current that is judged, counts.
   */
  uint32_t floor_counts;
  /*
   What may be left of a regular cycle, ten-thousandths of the current.
   */
  uint32_t irregular_e4;
  /*
   What the size of a cycle may have that the cycles around it do not tell, ten-thousandths of it.
   */
  uint32_t unsteady_e4;
  /*
   Irregular cycles among the last 32 for a warning.
   */
  uint32_t warning_cycles;
  /*
   Irregular cycles among the last 32 for an alarm.
   */
  uint32_t alarm_cycles;
} mtr_arc_limits;

/*
 One simultaneous set of samples, counts of at most 24 bits; larger ones are limited and flagged.
 */
typedef struct {
  /*
   Voltages.
   */
  int32_t u[1];
  /*
   Currents; positive power is import.
   */
  int32_t i[1];
  /*
   Neutral current; read only when the constants have such a channel.
   */
  int32_t n;
} mtr_sample1;

/*
 What one cycle gave.
 */
typedef struct {
  /*
   Sets of samples taken; hand in the rest in another call.
   */
  size_t used;
  /*
   What did not repeat, ten-thousandths of the current; 0 below the floor.
   */
  uint32_t irregular_e4;
  /*
   Irregular cycles among the last 32.
   */
  uint32_t cycles;
  /*
   What the last 32 cycles do not tell of each other's size, ten-thousandths; 0 below warning_cycles.
   */
  uint32_t unsteady_e4;
  /*
   MTR_LEVEL_...
   */
  uint32_t level;
} mtr_arc_report;

/*
 A further circuit.
 */
typedef struct {
  /*
   Constants of its current; what concerns the voltage is that of the phase. A lag of at most 11 samples, a lead of at
   most 3.
   */
  mtr_phase_constants constants;
  /*
   Phase whose voltage drives it, 0 to 2.
   */
  uint32_t voltage;
} mtr_circuit;

/*
 Twelve simultaneous currents, counts of at most 24 bits; 0 where there is no circuit.
 */
typedef struct {
  /*
   By circuit.
   */
  int32_t i[MTR_CIRCUITS];
} mtr_currents;

/*
 What a block of samples brought.
 */
typedef struct {
  /*
   Parts of an active pulse, 2^-32 pulse, for mtr_pulse_advance.
   */
  uint64_t active_share;
  /*
   Parts of a reactive pulse.
   */
  uint64_t reactive_share;
  /*
   Samples over which these parts came, with 16 fractional bits.
   */
  uint64_t length_q16;
  /*
   Windows that closed; the quantities are those of the last.
   */
  uint32_t windows;
  /*
   Pulses of active energy that fell due.
   */
  uint32_t pulses;
  /*
   1: a sample reached the saturation level.
   */
  uint32_t saturated;
} mtr_progress;

/*
 Quantities of a circuit over the last window, and its registers.
 */
typedef struct {
  /*
   Current, rms, microamperes.
   */
  uint64_t current_ua;
  /*
   Active power, microwatts, positive is import.
   */
  int64_t active_uw;
  /*
   Reactive power of the fundamental, microvars, positive when the current lags.
   */
  int64_t reactive_uvar;
  /*
   Apparent power, microvoltamperes.
   */
  uint64_t apparent_uva;
  /*
   Active energy taken, steps of the chain.
   */
  uint64_t imported;
  /*
   Active energy given.
   */
  uint64_t exported;
  /*
   Reactive energy while the current lags.
   */
  uint64_t lagging;
  /*
   Reactive energy while the current leads.
   */
  uint64_t leading;
  /*
   1: the current reached the converter's limit.
   */
  uint32_t saturated;
} mtr_circuit_quantities;

/*
 More quantities of one phase over the last window.
 */
typedef struct {
  /*
   Largest magnitude of the voltage, microvolts.
   */
  uint64_t voltage_peak_uv;
  /*
   Largest magnitude of the current, microamperes.
   */
  uint64_t current_peak_ua;
  /*
   Voltage between this phase and the next (the last and the first), rms, microvolts.
   */
  uint64_t line_to_line_uv;
  /*
   Reactive power by a quarter period of delay, microvars.
   */
  int64_t delayed_reactive_uvar;
  /*
   Reactive power by the integral of the voltage, microvars; settles some 20 s after the start.
   */
  int64_t integral_reactive_uvar;
  /*
   Peak over rms value of the voltage, millionths.
   */
  uint32_t voltage_crest_ppm;
  /*
   The same of the current.
   */
  uint32_t current_crest_ppm;
} mtr_phase_details;

/*
 More quantities of three phases over the last window; all 0 before the first.
 */
typedef struct {
  /*
   By phase.
   */
  mtr_phase_details phase[3];
  /*
   Sum of the phase currents sample by sample, what the neutral carries, rms, microamperes.
   */
  uint64_t neutral_ua;
} mtr_details;

/*
 Where a condition begins and ends; the units are those of its MTR_CONDITION_...
 */
typedef struct {
  /*
   Where it begins.
   */
  uint64_t begin;
  /*
   Where it ends: the other side of the hysteresis.
   */
  uint64_t end;
  /*
   A second quantity that must be there; unused where the condition names none.
   */
  uint64_t gate;
  /*
   How long it must hold before it begins, and be gone before it ends, milliseconds.
   */
  uint32_t delay_ms;
  /*
   1: the condition is watched; 0: it never holds.
   */
  uint32_t watched;
} mtr_limit;

/*
 Limits of all conditions, at the place of their MTR_CONDITION_... Begin with mtr_limits_dlt614.
 */
typedef struct {
  /*
   By condition.
   */
  mtr_limit limit[MTR_CONDITIONS];
} mtr_limits;

/*
 Quantities of one phase.
 */
typedef struct {
  /*
   Voltage, rms, microvolts.
   */
  uint64_t voltage_uv;
  /*
   Current, rms, microamperes.
   */
  uint64_t current_ua;
  /*
   Active power, microwatts, positive is import.
   */
  int64_t active_uw;
  /*
   Reactive power of the fundamental, microvars, positive when the current lags.
   */
  int64_t reactive_uvar;
  /*
   Apparent power, microvoltamperes.
   */
  uint64_t apparent_uva;
  /*
   Active power of the fundamental, microwatts.
   */
  int64_t fundamental_uw;
  /*
   Mean voltage, microvolts.
   */
  int64_t voltage_mean_uv;
  /*
   Mean current, microamperes.
   */
  int64_t current_mean_ua;
  /*
   Power factor, millionths, with the sign of the active power.
   */
  int32_t power_factor_ppm;
  /*
   Angle by which the current lags the voltage, millidegrees.
   */
  int32_t angle_mdeg;
  /*
   Angle by which this voltage leads that of the first phase, millidegrees.
   */
  int32_t voltage_angle_mdeg;
} mtr_phase_quantities;

/*
 Quantities of the last window of whole cycles.
 */
typedef struct {
  /*
   By phase; a single-phase meter fills in the first only, the others are 0.
   */
  mtr_phase_quantities phase[3];
  /*
   Sum of the active powers, microwatts.
   */
  int64_t active_uw;
  /*
   Sum of the reactive powers, microvars.
   */
  int64_t reactive_uvar;
  /*
   Sum of the apparent powers, microvoltamperes.
   */
  uint64_t apparent_uva;
  /*
   Neutral current, rms, microamperes; 0 without such a channel.
   */
  uint64_t neutral_ua;
  /*
   Number of the window since the chain started.
   */
  uint64_t number;
  /*
   Frequency, microhertz; 0 when no fundamental was found.
   */
  uint32_t frequency_uhz;
  /*
   Power factor of the total, millionths, with the sign of the active power.
   */
  int32_t power_factor_ppm;
  /*
   Length of the window, milliseconds, rounded to nearest.
   */
  uint32_t duration_ms;
  /*
   Whole cycles covered.
   */
  uint16_t cycles;
  /*
   Bit k: the voltage of phase k reached the converter's limit.
   */
  uint8_t voltage_saturated;
  /*
   Bit k: the current of phase k reached the converter's limit; bit 7 the neutral current.
   */
  uint8_t current_saturated;
} mtr_quantities;

/*
 Conditions as bits: bit 3 * condition + phase (from 0) of those by phase, bit 18 + condition of the others.
 */
typedef struct {
  /*
   What began with this window.
   */
  uint64_t begun;
  /*
   What ended.
   */
  uint64_t ended;
  /*
   What holds now; to be stored, for mtr_monitor_init.
   */
  uint64_t active;
} mtr_changes;

/*
 What the smallest meter needs of one phase, made by mtr_energy_work_out.
 */
typedef struct {
  /*
   Weight of the product of simultaneous samples, gains included, 2^-30.
   */
  int64_t straight;
  /*
   Weight of the product with the voltage one sample older, the same.
   */
  int64_t delayed;
  /*
   Power added, raw units a sample.
   */
  int64_t power_offset;
  /*
   Counts taken off every voltage sample.
   */
  int32_t voltage_offset;
  /*
   Counts taken off every current sample.
   */
  int32_t current_offset;
  /*
   Samples by which the voltage is held back, at most 12.
   */
  uint32_t voltage_hold;
  /*
   The same of the current; one of both is 0.
   */
  uint32_t current_hold;
} mtr_energy_phase;

/*
 A signed number of 128 bits: high * 2^64 + low.
 */
typedef struct {
  /*
   Low half.
   */
  uint64_t low;
  /*
   High half, with the sign.
   */
  int64_t high;
} mtr_wide;

/*
 Constants of the smallest meter, made by mtr_energy_work_out on the bench. They have no check sum of their own: store
 them in a record that has one.
 */
typedef struct {
  /*
   By phase; a single-phase meter uses the first.
   */
  mtr_energy_phase phase[3];
  /*
   Raw units of a register step.
   */
  mtr_wide step_raw;
  /*
   Raw units of a pulse.
   */
  mtr_wide pulse_raw;
  /*
   Magnitude from which a sample counts as saturated, counts.
   */
  int32_t saturation;
  /*
   1: the neutral current is measured.
   */
  uint32_t has_neutral;
} mtr_energy_constants;

/*
 A register with its remainder.
 */
typedef struct {
  /*
   Steps (of pulses: pulses) taken from the grid.
   */
  uint64_t imported;
  /*
   Steps given to the grid.
   */
  uint64_t exported;
  /*
   What is left of a step, raw units; smaller than one.
   */
  mtr_wide remainder;
} mtr_energy_register;

/*
 All that must outlive a loss of power. It has no check sum of its own: store two copies in turn, each in a record
 that has one.
 */
typedef struct {
  /*
   By phase; unused ones are 0.
   */
  mtr_energy_register phase[3];
  /*
   Pulses of the sum of all phases.
   */
  mtr_energy_register pulses;
} mtr_energy_state;

/*
 Rms values of an interval without their means, counts with 8 fractional bits.
 */
typedef struct {
  /*
   Voltages; unused ones are 0.
   */
  uint32_t voltage_q8[3];
  /*
   Currents.
   */
  uint32_t current_q8[3];
  /*
   Neutral current; 0 where it is not measured.
   */
  uint32_t neutral_q8;
  /*
   Samples of the interval; 0 before the first block.
   */
  uint32_t samples;
} mtr_energy_interval;

/*
 Three simultaneous voltages, counts of at most 24 bits.
 */
typedef struct {
  /*
   Voltages.
   */
  int32_t u[3];
} mtr_frame3;

/*
 Severities that an interval ended with.
 */
typedef struct {
  /*
   Short-term severity Pst, millionths.
   */
  uint32_t short_ppm;
  /*
   Long-term severity Plt of the last twelve, millionths; only with `has_long`.
   */
  uint32_t long_ppm;
  /*
   1: this was the twelfth one.
   */
  uint32_t has_long;
} mtr_flicker_severity;

/*
 A finished rapid change.
 */
typedef struct {
  /*
   Number of the half cycle that left the steady state.
   */
  uint64_t first;
  /*
   Half cycles until the first one of the new steady state.
   */
  uint32_t half_cycles;
  /*
   Largest difference to the steady state before, counts with 8 fractional bits.
   */
  uint32_t greatest_q8;
  /*
   Difference of the steady states, the same.
   */
  uint32_t steady_q8;
  /*
   Channel of the greatest difference.
   */
  uint32_t channel;
} mtr_rapid_change;

/*
 The harmonics of one window; order h stands at place h - 1. Rms values in counts with 8 fractional bits.
 */
typedef struct {
  /*
   Rms of the order's line alone.
   */
  uint32_t line_q8[MTR_ORDERS];
  /*
   Rms with the lines beside it: the harmonic subgroup.
   */
  uint32_t subgroup_q8[MTR_ORDERS];
  /*
   Rms of what lies between the order and the next one: the interharmonic centred subgroup.
   */
  uint32_t between_q8[MTR_ORDERS];
  /*
   Real part of the order's phasor, against the oscillator of the analyser.
   */
  int32_t re_q8[MTR_ORDERS];
  /*
   Imaginary part.
   */
  int32_t im_q8[MTR_ORDERS];
  /*
   Mean value.
   */
  int32_t mean_q8;
  /*
   Total distortion of orders 2 to 40 by subgroups, parts per million of the fundamental; 0 without one.
   */
  uint32_t thds_ppm;
  /*
   The same by lines, orders 2 to 50.
   */
  uint32_t thd_ppm;
  /*
   Highest order that the sample rate allows, at most 50; those above read 0.
   */
  uint32_t highest_order;
  /*
   1: a sample reached the end of the converter's range.
   */
  uint32_t overrange;
} mtr_harmonics_window;

/*
 Unbalance of three voltages or currents.
 */
typedef struct {
  /*
   Negative sequence, parts per million of the positive one.
   */
  uint32_t negative_ppm;
  /*
   Zero sequence, parts per million of the positive one.
   */
  uint32_t zero_ppm;
  /*
   1: the phases rotate the other way.
   */
  uint32_t reversed;
} mtr_unbalance;

/*
 A change of a pulse output.
 */
typedef struct {
  /*
   Samples after the start of the block.
   */
  uint32_t sample;
  /*
   The fraction of a sample after it, 2^-16.
   */
  uint16_t fraction;
  /*
   1: a pulse begins; 0: it ends.
   */
  uint16_t rising;
} mtr_pulse_edge;

/*
 Constants of the analyser.
 */
typedef struct {
  /*
   Sample rate, thousandths of a sample per second, 600000 to 64000000.
   */
  uint32_t sample_rate_mhz;
  /*
   Nominal frequency, millihertz, 40000 to 75000.
   */
  uint32_t nominal_mhz;
  /*
   Declared voltage, rms, counts with 8 fractional bits, not 0.
   */
  uint32_t declared_q8;
  /*
   Dip below, parts per million of the declared voltage; 0 for 900000.
   */
  uint32_t dip_ppm;
  /*
   Swell above, parts per million; 0 for 1100000.
   */
  uint32_t swell_ppm;
  /*
   Interruption below, parts per million; 0 for 50000.
   */
  uint32_t interruption_ppm;
  /*
   Between begin and end, parts per million; 0 for 20000.
   */
  uint32_t hysteresis_ppm;
  /*
   Bit k: voltage k is watched; 1 to 7.
   */
  uint32_t voltages;
} mtr_quality_setup;

/*
 A dip, swell or interruption.
 */
typedef struct {
  /*
   When it began, UTC microseconds by the clock that was told.
   */
  uint64_t begin_us;
  /*
   How long it lasted, microseconds.
   */
  uint64_t duration_us;
  /*
   Lowest (of a swell highest) voltage, rms of one cycle, counts with 8 fractional bits.
   */
  uint32_t extreme_q8;
  /*
   Channel of the extreme.
   */
  uint8_t extreme_channel;
  /*
   Bit k: channel k was beyond the threshold at any time.
   */
  uint8_t channels;
} mtr_quality_event;

/*
 What the frames taken brought. A bit in `has` says which of the rest holds something.
 */
typedef struct {
  /*
   Frames taken; hand in the rest in another call.
   */
  size_t used;
  /*
   MTR_QUALITY_HAS_... together.
   */
  uint32_t has;
  /*
   Rms of one cycle, renewed each half cycle, counts with 8 fractional bits.
   */
  uint32_t half_cycle_q8[3];
  /*
   Rms of the 10/12-cycle window that ended.
   */
  uint32_t window_q8[3];
  /*
   Rms of the interval of 10 minutes that ended.
   */
  uint32_t ten_minutes_q8[3];
  /*
   What was wrong in the window, bits: 1 dip, 2 swell, 4 interruption, 8 not locked, 16 over range, 32 clock set,
   64 incomplete.
   */
  uint32_t window_marks;
  /*
   The same of the 10 minutes.
   */
  uint32_t ten_minutes_marks;
  /*
   Frequency of the last 10 s, microhertz.
   */
  uint32_t frequency_uhz;
  /*
   The dip that ended.
   */
  mtr_quality_event dip;
  /*
   The swell that ended.
   */
  mtr_quality_event swell;
  /*
   The interruption that ended.
   */
  mtr_quality_event interruption;
  /*
   Rms of the interval of 3 s (150 or 180 cycles) that ended.
   */
  uint32_t three_seconds_q8[3];
  /*
   What was wrong in it, as window_marks.
   */
  uint32_t three_seconds_marks;
  /*
   Rms of the interval of 2 hours that ended.
   */
  uint32_t two_hours_q8[3];
  /*
   What was wrong in it.
   */
  uint32_t two_hours_marks;
} mtr_quality_step;

/*
 Energy registers, in steps of energy_step_mwh.
 */
typedef struct {
  /*
   Active energy taken from the grid.
   */
  uint64_t imported;
  /*
   Active energy given to the grid.
   */
  uint64_t exported;
  /*
   Taken from the grid, by phase; unused ones are 0.
   */
  uint64_t phase_imported[3];
  /*
   Given to the grid, by phase.
   */
  uint64_t phase_exported[3];
  /*
   Reactive energy of the fundamental by quadrant, R1 to R4.
   */
  uint64_t reactive[4];
  /*
   Apparent energy while active energy flows in.
   */
  uint64_t apparent_imported;
  /*
   Apparent energy while active energy flows out.
   */
  uint64_t apparent_exported;
  /*
   Pulses of active energy given.
   */
  uint64_t pulses;
  /*
   Pulses of reactive energy given.
   */
  uint64_t reactive_pulses;
} mtr_registers;

/*
 Constants of a line. Begin with mtr_thermal_defaults.
 */
typedef struct {
  /*
   Current that the line carries for ever, rms, microamperes, not 0.
   */
  uint64_t rated_ua;
  /*
   Time constant of heating and cooling, milliseconds, not 0.
   */
  uint32_t time_constant_ms;
  /*
   Heat of the warning, thousandths of that of the rated current for ever.
   */
  uint32_t warning_permille;
  /*
   Heat of the trip, thousandths; 1103 is a current of 1.05 times the rated one.
   */
  uint32_t trip_permille;
  /*
   A level is left when the heat is this much below its threshold, thousandths.
   */
  uint32_t hysteresis_permille;
} mtr_thermal_limits;

/*
 How hot a line is.
 */
typedef struct {
  /*
   Heat over that of the rated current for ever, thousandths.
   */
  uint64_t heat_permille;
  /*
   MTR_LEVEL_...
   */
  uint32_t level;
} mtr_thermal_state;

/*
 Limits of a cable. Begin with mtr_cable_defaults.
 */
typedef struct {
  /*
   Of the temperature, thousandths of a degree Celsius; negative temperatures count as 0.
   */
  mtr_threshold temperature;
  /*
   Of the rise above the surroundings beyond the expected one, thousandths of a kelvin.
   */
  mtr_threshold rise;
  /*
   Of the rise in a minute, thousandths of a kelvin.
   */
  mtr_threshold rate;
  /*
   Rise above the surroundings at the rated current for ever, thousandths of a kelvin; 0 expects none.
   */
  uint32_t rated_rise_mk;
} mtr_cable_limits;

/*
 Levels of a cable, MTR_LEVEL_..., and what they are judged by.
 */
typedef struct {
  /*
   Level of the temperature.
   */
  uint32_t temperature;
  /*
   Level of the rise that the current does not explain.
   */
  uint32_t rise;
  /*
   Level of the rate.
   */
  uint32_t rate;
  /*
   The rate, thousandths of a kelvin a minute.
   */
  int32_t rate_mk_min;
  /*
   Rise above the surroundings less the expected one, thousandths of a kelvin.
   */
  int32_t excess_mk;
} mtr_cable_state;
#endif

#if defined(MTR_WITH_SECURITY)
/*
 What a device admits.
 */
typedef struct {
  /*
   The stored security counter.
   */
  uint32_t security_counter;
  /*
   Length of a slot, bytes.
   */
  uint32_t slot_len;
  /*
   This hardware model.
   */
  uint16_t hardware;
  /*
   SHA-256 of the running image; read only with `takes_patches`.
   */
  uint8_t running_hash[32];
  /*
   The legal software of the metering core beside it.
   */
  uint8_t legal_software[8];
  /*
   This processor, MTR_CORE_...
   */
  uint8_t core;
  /*
   1: patches are taken.
   */
  uint8_t takes_patches;
  /*
   1: the loader can decrypt chunks.
   */
  uint8_t decrypts;
} mtr_admission;

/*
 An Ed25519 key that images are signed with.
 */
typedef struct {
  /*
   The key.
   */
  uint8_t bytes[32];
} mtr_public_key;

/*
 The slots in flash. All callbacks answer 0 when they did their work.
 */
typedef struct {
  /*
   Handed to every callback as it is.
   */
  void *context;
  /*
   Reads manifest and signature of a slot's image: MTR_MANIFEST_LEN + MTR_SIGNATURE_LEN bytes.
   */
  int32_t (*manifest)(void *context, uint32_t slot, uint8_t *out, size_t len);
  /*
   Reads `len` bytes of a slot's image from `offset` on.
   */
  int32_t (*read)(void *context, uint32_t slot, uint32_t offset, uint8_t *out, size_t len);
  /*
   Writes MTR_BOOT_RECORD_LEN bytes over copy 0 or 1 of the state, and answers when they are durable.
   */
  int32_t (*write)(void *context, uint32_t copy, const uint8_t *bytes, size_t len);
} mtr_flash_slots;

/*
 What the boot stage does. It starts a slot only when `start` and `again`, two looks at everything, name the same one,
 each compared by itself: one instruction that a disturbed supply passes over starts nothing.
 */
typedef struct {
  /*
   MTR_START_...
   */
  uint32_t start;
  /*
   MTR_START_...; when it is another one, reset.
   */
  uint32_t again;
  /*
   Why, for the log: 0 it is the active one, 1 a new image has its trial, 2 a new image did not verify, 3 a new image
   did not confirm itself, 4 the active image does not verify, 5 none does.
   */
  uint32_t because;
} mtr_boot_decision;

/*
 What is known about the slots.
 */
typedef struct {
  /*
   Slot of the last confirmed image, MTR_SLOT_...
   */
  uint32_t active;
  /*
   Slot that downloads are written to; MTR_SLOT_NONE while an image waits or is on trial.
   */
  uint32_t free;
  /*
   1: the running image is on trial.
   */
  uint32_t on_trial;
  /*
   What the monotonic security counter must be raised to, at every start.
   */
  uint32_t counter_floor;
} mtr_boot_state;

/*
 What the gate cannot know by itself at the moment of an order.
 */
typedef struct {
  /*
   Balance now, hundredths of the currency unit; read only with `has_purse`.
   */
  int64_t balance;
  /*
   Highest balance that a recharge may lead to; read only with `has_purse`.
   */
  int64_t hoarding_limit;
  /*
   Purchase count now; read only with `has_purse`.
   */
  uint32_t count;
  /*
   Refund count now; read only with `has_purse`.
   */
  uint32_t refunds;
  /*
   Highest amount of one recharge; read only with `has_purse`.
   */
  uint32_t max_amount;
  /*
   Customer number; read only with `has_customer`.
   */
  uint8_t customer[6];
  /*
   The meter's calendar now: year of this century, month, day, hour, minute, second; read only with `has_clock`.
   */
  uint8_t now[6];
  /*
   1: this core has a purse.
   */
  uint8_t has_purse;
  /*
   1: an account was opened.
   */
  uint8_t has_customer;
  /*
   1: the clock is trusted.
   */
  uint8_t has_clock;
  /*
   1: the port that the order came by may carry orders now.
   */
  uint8_t port_allows;
  /*
   1: the session is open and young; also 1 where static keys are used.
   */
  uint8_t session_young;
  /*
   1: hold power is in force.
   */
  uint8_t hold_power;
  /*
   The relay's feedback: 0 unknown, 1 closed, 2 open, 3 permitted to close.
   */
  uint8_t relay;
} mtr_conditions;

/*
 Where the state of a gate is kept.
 */
typedef struct {
  /*
   Handed to the callback as it is.
   */
  void *context;
  /*
   Writes `len` bytes so that either they or the ones before are there after a power cut (two copies in turn), and
   answers 0 when they are durable, anything else when they are not.
   */
  int32_t (*write)(void *context, const uint8_t *bytes, size_t len);
} mtr_store;

/*
 A relay or purse order. The number rises within the operator role, the high byte of the operator code.
 */
typedef struct {
  /*
   Its number, not 0.
   */
  uint64_t number;
  /*
   Amount of a recharge, hundredths of the currency unit; purse orders only.
   */
  uint32_t amount;
  /*
   Purchase count after a recharge, the stored count + 1 (of a refund the refund count); purse orders only.
   */
  uint32_t count;
  /*
   Customer number, packed decimal digits, most significant first; purse orders only.
   */
  uint8_t customer[6];
  /*
   The last second in which it may be executed, meter's calendar: year of this century, month, day, hour, minute,
   second.
   */
  uint8_t deadline[6];
  /*
   Operator code.
   */
  uint8_t operator_code[4];
  /*
   0x01 open account, 0x02 recharge, 0x04 close account, 0x05 refund, 0x06 and 0x07 correct upwards and downwards,
   0x08 and 0x09 change to local and to remote fee control, 0x1A open the relay, 0x1B permit closing, 0x1C close,
   0x2A alarm on, 0x2B alarm off, 0x3A hold power, 0x3B end of hold power.
   */
  uint8_t kind;
} mtr_order;

/*
 What becomes of an envelope.
 */
typedef struct {
  /*
   Decides which of the other fields hold something.
   */
  mtr_verdict_kind kind;
  /*
   16 no good tag, 17 another class, 18 port, 19 replayed, 22 no order, 34 factory's key.
   */
  uint8_t reason;
  /*
   The order.
   */
  mtr_order order;
  /*
   The answer as bytes, to be sealed.
   */
  uint8_t ack[32];
  /*
   Number of them.
   */
  size_t ack_len;
} mtr_verdict;

/*
 The purse after an order.
 */
typedef struct {
  /*
   Balance, hundredths of the currency unit, negative when overdrawn.
   */
  int64_t balance;
  /*
   Purchase count.
   */
  uint32_t count;
} mtr_purse_state;

/*
 A source of random bytes.
 */
typedef struct {
  /*
   Handed to the callback as it is.
   */
  void *context;
  /*
   Gives one byte, and answers 0 when it did.
   */
  int32_t (*byte)(void *context, uint8_t *byte);
} mtr_random_source;

/*
 Whose key it is.
 */
typedef struct {
  /*
   The six address bytes of a meter or the serial of a gateway, most significant first.
   */
  uint8_t address[6];
  /*
   1: a gateway; 0: a meter.
   */
  uint8_t gateway;
} mtr_key_id;

/*
 The AES-128 unit of a chip. All callbacks but `release` are needed; they answer 0 when they did their work and
 anything else when they could not. They run inside the functions of this header that seal, open, judge and shake
 hands; the structure is copied, its context must live as long as the keys.
 */
typedef struct {
  /*
   Handed to every callback as it is.
   */
  void *context;
  /*
   Takes a key of 16 bytes and names it by a number of the callback's choice.
   */
  int32_t (*load)(void *context, const uint8_t *secret, uint32_t *slot);
  /*
   Encrypts `count` blocks of 16 bytes in place, each on its own (ECB).
   */
  int32_t (*encrypt)(void *context, uint32_t slot, uint8_t *blocks, size_t count);
  /*
   Decrypts one block in place.
   */
  int32_t (*decrypt)(void *context, uint32_t slot, uint8_t *block);
  /*
   The key is not needed any more; may be NULL.
   */
  void (*release)(void *context, uint32_t slot);
} mtr_engine;

/*
 Where a log ends. It is stored with each line, in the same record; as bytes: the number, most significant byte first,
 and the MAC.
 */
typedef struct {
  /*
   Number of the last line; 0: none yet.
   */
  uint64_t number;
  /*
   MAC over everything up to it.
   */
  uint8_t mac[16];
} mtr_log_head;

/*
 What a manifest says. Nothing in it is proved by reading it.
 */
typedef struct {
  /*
   Security counter: an image below the stored one never starts.
   */
  uint32_t security_counter;
  /*
   Build number.
   */
  uint32_t build;
  /*
   Length of the final image, bytes.
   */
  uint32_t image_len;
  /*
   Number of its chunks.
   */
  uint32_t chunks;
  /*
   Hardware model.
   */
  uint16_t hardware;
  /*
   Revision within the version.
   */
  uint16_t revision;
  /*
   Bytes of a chunk, the last one excepted.
   */
  uint16_t chunk_len;
  /*
   SHA-256 of the final image.
   */
  uint8_t image_hash[32];
  /*
   SHA-256 of the image that a patch is against; 0 unless `delta`.
   */
  uint8_t base_hash[32];
  /*
   The legal software it works with; 0 for any.
   */
  uint8_t legal_software[8];
  /*
   First bytes of the SHA-256 of the signer's public key.
   */
  uint8_t key_id[8];
  /*
   Version: major, minor.
   */
  uint8_t version[2];
  /*
   MTR_CORE_...
   */
  uint8_t core;
  /*
   1: the chunks are a patch.
   */
  uint8_t delta;
  /*
   1: the chunks are encrypted.
   */
  uint8_t encrypted;
} mtr_manifest;

/*
 A message that was opened: its tag was right and its number new.
 */
typedef struct {
  /*
   The message, inside the envelope's own bytes.
   */
  const uint8_t *plain;
  /*
   Its length.
   */
  size_t plain_len;
  /*
   Its number under the key.
   */
  uint64_t counter;
  /*
   Epoch of the key.
   */
  uint16_t epoch;
  /*
   What it carries: 0 data, 1 command, 2 acknowledge, 5 event, ...
   */
  uint8_t class_number;
} mtr_opened;

/*
 The answer to an order.
 */
typedef struct {
  /*
   Number of the order.
   */
  uint64_t number;
  /*
   The last number that was executed for the operator role.
   */
  uint64_t last_number;
  /*
   Balance, hundredths of the currency unit; only when `has_purse` is 1.
   */
  int64_t balance;
  /*
   Purchase count; only when `has_purse` is 1.
   */
  uint32_t count;
  /*
   0 done, 1 interrupted, 2 failed, from 16 on refused: 23 clock not trusted, 24 too late, 25 number used, ...
   */
  uint8_t outcome;
  /*
   The relay's feedback: 0 unknown, 1 closed, 2 open, 3 permitted to close.
   */
  uint8_t relay;
  /*
   What the order asked for.
   */
  uint8_t kind;
  /*
   1: the fields of the purse hold something.
   */
  uint8_t has_purse;
} mtr_order_ack;

/*
 Epochs of the keys in a slot.
 */
typedef struct {
  /*
   The one to send under; only with `has_active`.
   */
  uint16_t active;
  /*
   The one that waits; only with `has_staged`.
   */
  uint16_t staged;
  /*
   1: there is an active key.
   */
  uint8_t has_active;
  /*
   1: a key waits.
   */
  uint8_t has_staged;
  /*
   1: both sides proved the key that waits: a head end begins its next handshake under it.
   */
  uint8_t proved;
} mtr_slot_epochs;
#endif

#if defined(MTR_WITH_TARIFF)
/*
 A purchase or a refund as ordered.
 */
typedef struct {
  /*
   Amount above 0, 10^-7 of the currency (MTR_MONEY_HUNDREDTH is 0.01).
   */
  int64_t amount;
  /*
   The purchase count behind it (of a refund the refund count): one more than the meter's. This is what makes a
   repeat harmless.
   */
  uint32_t count;
  /*
   Customer number.
   */
  uint8_t customer[6];
} mtr_recharge;

/*
 An instant with the offset of its local time, by which tables are looked up.
 */
typedef struct {
  /*
   UTC, seconds since 1970, 0 to 253402300799 (the year 9999).
   */
  int64_t utc_s;
  /*
   Seconds that local time is ahead of UTC (28800 in China), -64800 to 64800.
   */
  int32_t offset_s;
} mtr_moment;

/*
 Who keeps the rows of a call. Rows are written before the state: after a power cut between both the same row comes
 again under the same number, and the newer one counts.
 */
typedef struct {
  /*
   Handed to the callback as it is.
   */
  void *context;
  /*
   Keeps row `number` of `kind`, `len` bytes, and answers 0 when it is durable (or not wanted). Anything else ends
   the meter's object: nothing of the call is to be stored, and the meter is made anew from its stored state.
   */
  int32_t (*keep)(void *context, uint32_t kind, uint32_t number, const uint8_t *bytes, size_t len);
  /*
   What rows hold: MTR_ROW_ACTIVE, ..._RATES, ..._DEMAND, ..._PURSE together, or MTR_ROW_ALL.
   */
  uint8_t parts;
} mtr_rows;

/*
 What a call came to.
 */
typedef struct {
  /*
   Watt hours booked now.
   */
  uint64_t wh;
  /*
   Their exact cost, 10^-7 of the currency.
   */
  int64_t cost;
  /*
   Standing charges taken now, the same unit.
   */
  int64_t standing;
  /*
   Rows kept now: the state is to be stored when there was one, or `relay_open` changed.
   */
  uint32_t rows;
  /*
   MTR_ON: the relay is now wanted open; MTR_OFF: closed; MTR_SAME: as it was.
   */
  uint8_t relay_open;
  /*
   MTR_ON, MTR_OFF or MTR_SAME: alarm 1.
   */
  uint8_t alarm;
  /*
   1: a total lay below the last one; nothing was booked and the mark was kept.
   */
  uint8_t went_back;
} mtr_effect;

/*
 What became of an order. Holds something after MTR_OK and after MTR_ERR_REFUSED.
 */
typedef struct {
  /*
   What it came to.
   */
  mtr_effect effect;
  /*
   Of a purchase or refund: its amount as booked, 10^-7 of the currency. Compare it after a repeat.
   */
  int64_t amount;
  /*
   Balance ahead of it.
   */
  int64_t before;
  /*
   Balance behind it.
   */
  int64_t after;
  /*
   All purchases up to and with it.
   */
  int64_t cumulative;
  /*
   When it was booked, UTC seconds.
   */
  int64_t at_s;
  /*
   Why it was refused.
   */
  mtr_refusal refusal;
  /*
   The count behind it.
   */
  uint32_t count;
  /*
   The count that would be accepted, with MTR_REFUSAL_COUNT.
   */
  uint32_t expected;
  /*
   The SERR word that DL/T 645 answers; 0 when nothing is to be said.
   */
  uint16_t serr;
  /*
   1: it was booked before under the same count, and nothing happened now.
   */
  uint8_t repeated;
} mtr_answer;

/*
 The limits of the purse, 10^-7 of the currency, none below 0.
 */
typedef struct {
  /*
   A balance at or below it raises the alarm.
   */
  int64_t alarm_1;
  /*
   A balance at or below it opens the relay as a reminder, which the key closes; 0 is off.
   */
  int64_t alarm_2;
  /*
   Emergency credit: how far below zero supply goes on after the key was pressed at zero; 0 locks at zero.
   */
  int64_t overdraft;
  /*
   Hoarding: balance and purchase together must not pass it; 0 is no limit.
   */
  int64_t hoard;
  /*
   A lock is left only when the balance is above it.
   */
  int64_t close_allow;
} mtr_purse_limits;

/*
 What the metering core counts, and the time.
 */
typedef struct {
  /*
   Forward and reverse active energy, tenths of a watt hour, totals that never fall.
   */
  uint64_t tenths[MTR_PREPAID_CHANNELS];
  /*
   The time; with a bad clock any that runs on.
   */
  mtr_moment now;
  /*
   Mean power since the last call, watts; read only with `has_watts`.
   */
  uint32_t watts;
  /*
   1: the power is known.
   */
  uint8_t has_watts;
  /*
   1: the clock is to be trusted. Otherwise energy is booked at the fallback rate, and nothing is done that a
   calendar decides.
   */
  uint8_t clock_good;
} mtr_energy;

/*
 The purse.
 */
typedef struct {
  /*
   The limits.
   */
  mtr_purse_limits limits;
  /*
   Exact balance, 10^-7 of the currency; below 0 is overdraft.
   */
  int64_t balance;
  /*
   Sum of all purchases, the same unit.
   */
  int64_t cumulative;
  /*
   What is left, 0.01 of the currency, cut towards zero.
   */
  uint64_t remaining_hundredths;
  /*
   Overdraft, the same way.
   */
  uint64_t overdraft_hundredths;
  /*
   Purchase count.
   */
  uint32_t count;
  /*
   Refund count.
   */
  uint32_t refunds;
  /*
   Customer number of the last opening.
   */
  uint8_t customer[6];
  /*
   1: the account is open.
   */
  uint8_t open;
  /*
   1: the purse decides; 0: fee control from afar.
   */
  uint8_t local;
  /*
   Why the purse wants the relay open, also while something holds it back: MTR_WHY_...
   */
  uint8_t cause;
  /*
   1: friendly hours hold the cause back.
   */
  uint8_t friendly;
  /*
   1: alarm 1.
   */
  uint8_t alarm;
  /*
   1: keep power.
   */
  uint8_t keep_power;
} mtr_account;

/*
 What status word 3 shows beside what the meter knows.
 */
typedef struct {
  /*
   1: the relay stands open.
   */
  uint8_t relay_open;
  /*
   Supply: 0 main, 1 auxiliary, 2 battery.
   */
  uint8_t supply;
  /*
   1: programming is allowed.
   */
  uint8_t programming;
  /*
   1: an identity is authenticated.
   */
  uint8_t authenticated;
} mtr_shown;

/*
 What the meter shows of itself.
 */
typedef struct {
  /*
   Watt hours of the tier period so far.
   */
  uint64_t tier_wh;
  /*
   Price in force, rate and tier together, 0.0001 of the currency a kilowatt hour.
   */
  uint32_t price;
  /*
   Status word 1 of DL/T 645: bits 1, 14 and 15.
   */
  uint16_t word_1;
  /*
   Status word 3, whole.
   */
  uint16_t word_3;
  /*
   Who wants the relay open: MTR_WHY_...; open it unless MTR_WHY_NOBODY.
   */
  uint8_t why;
  /*
   1: the key may close what a command opened.
   */
  uint8_t close_allowed;
  /*
   1: a command put the alarm on.
   */
  uint8_t alarm;
  /*
   1: the last time came from a clock that is not to be trusted.
   */
  uint8_t clock_bad;
  /*
   Rate in force.
   */
  uint8_t rate;
  /*
   Tier in force, from 1.
   */
  uint8_t tier;
  /*
   Which tables run with their second set: MTR_SECOND_...
   */
  uint8_t second;
} mtr_fee_status;

/*
 Total and rate registers of one direction, tenths of a watt hour.
 */
typedef struct {
  /*
   Total.
   */
  uint64_t total;
  /*
   By rate, rate 1 first.
   */
  uint64_t by_rate[MTR_PREPAID_RATES];
} mtr_channel;

/*
 The registers.
 */
typedef struct {
  /*
   Forward and reverse active energy, tenths of a watt hour.
   */
  mtr_channel channels[MTR_PREPAID_CHANNELS];
  /*
   Charged energy by rate, watt hours, rate 1 first.
   */
  uint64_t charged_wh[MTR_PREPAID_RATES];
} mtr_fee_registers;

/*
 A demand and when it came about.
 */
typedef struct {
  /*
   Energy of the window, joules.
   */
  int64_t joules;
  /*
   The same as power, 0.0001 kW, half up.
   */
  int64_t ten_thousandths_kw;
  /*
   End of the window.
   */
  mtr_moment at;
  /*
   Length of the window, seconds; 0: there was none yet.
   */
  uint32_t seconds;
} mtr_demand;

/*
 Maximum demand of one direction.
 */
typedef struct {
  /*
   Over all windows.
   */
  mtr_demand total;
  /*
   Of the windows that lie wholly in one rate, rate 1 first.
   */
  mtr_demand by_rate[MTR_PREPAID_RATES];
} mtr_maxima;

/*
 A purchase in the list of the last ten.
 */
typedef struct {
  /*
   When it was booked, UTC seconds.
   */
  int64_t at_s;
  /*
   Amount, 10^-7 of the currency.
   */
  int64_t amount;
  /*
   Balance ahead of it.
   */
  int64_t before;
  /*
   Balance behind it.
   */
  int64_t after;
  /*
   All purchases up to and with it.
   */
  int64_t cumulative;
  /*
   Purchase count behind it.
   */
  uint32_t count;
} mtr_purchase;

/*
 A row read back; what its parts do not hold is 0.
 */
typedef struct {
  /*
   When.
   */
  mtr_moment at;
  /*
   What the clock showed before it was set, UTC seconds.
   */
  int64_t before_s;
  /*
   Forward and reverse active energy.
   */
  mtr_channel channels[MTR_PREPAID_CHANNELS];
  /*
   Charged energy by rate, watt hours.
   */
  uint64_t charged_wh[MTR_PREPAID_RATES];
  /*
   Maximum demand of both directions.
   */
  mtr_maxima demand[MTR_PREPAID_DEMANDS];
  /*
   Balance, 10^-7 of the currency.
   */
  int64_t balance;
  /*
   Purchase count.
   */
  uint32_t purchases;
  /*
   What it is.
   */
  mtr_row_kind kind;
  /*
   Its number within the kind.
   */
  uint32_t number;
  /*
   Which parts it holds: MTR_ROW_... together.
   */
  uint8_t parts;
  /*
   What is special about it, by its kind; of a settlement 1 when it ended demand too.
   */
  uint8_t detail;
} mtr_row;

/*
 A year zone: from this day on the day table holds.
 */
typedef struct {
  /*
   First day as the number MMDD; 229 is allowed.
   */
  uint16_t start;
  /*
   Day table, 1 to 8.
   */
  uint8_t table;
} mtr_zone;

/*
 A slot of a day table.
 */
typedef struct {
  /*
   First minute of the local day, 0 to 1439.
   */
  uint16_t start;
  /*
   The day table that it belongs to, 1 to 8.
   */
  uint8_t table;
  /*
   Rate, 1 to 63.
   */
  uint8_t rate;
} mtr_rate_slot;

/*
 A tier of quantity within the period that the reset ends.
 */
typedef struct {
  /*
   The last watt hour that belongs to it; UINT64_MAX in the last tier.
   */
  uint64_t up_to_wh;
  /*
   What it adds to the price of the rate, 0.0001 of the currency a kilowatt hour.
   */
  uint32_t price;
} mtr_tier;

/*
 One set of the four tables that have two. The rows are copied; the arrays are free after the call.
 */
typedef struct {
  /*
   Year zones, 1 to 14, rising by their start.
   */
  const mtr_zone *zones;
  /*
   Number of them.
   */
  size_t zone_count;
  /*
   Slots of all day tables, at most 14 each, together by table and rising within it.
   */
  const mtr_rate_slot *slots;
  /*
   Number of them.
   */
  size_t slot_count;
  /*
   Price of each rate, rate 1 first, 0.0001 of the currency a kilowatt hour; one for every rate of the slots.
   */
  const uint32_t *prices;
  /*
   Number of them, at most 63.
   */
  size_t price_count;
  /*
   Tiers, at most 7, rising; none is one tier that adds nothing.
   */
  const mtr_tier *tiers;
  /*
   Number of them.
   */
  size_t tier_count;
} mtr_tables;

/*
 A public holiday.
 */
typedef struct {
  /*
   Year, 1970 to 9999.
   */
  uint16_t year;
  /*
   Month, 1 to 12.
   */
  uint8_t month;
  /*
   Day of the month.
   */
  uint8_t day;
  /*
   Day table, 1 to 8.
   */
  uint8_t table;
} mtr_holiday;

/*
 A friendly time: the purse does not open the relay in it.
 */
typedef struct {
  /*
   First minute of the local day, 0 to 1439.
   */
  uint16_t from;
  /*
   First minute behind it, 0 to 1440; at or before `from` it runs over midnight into the next day.
   */
  uint16_t until;
  /*
   Weekdays on which it begins, bit 0 Sunday to bit 6 Saturday.
   */
  uint8_t weekdays;
} mtr_friendly;

/*
 When the relay opens for too much power.
 */
typedef struct {
  /*
   Highest power that may last, watts; 0 for no limit.
   */
  uint32_t watts;
  /*
   How long it may be above, seconds.
   */
  uint32_t after_s;
  /*
   After how many seconds the relay closes by itself; 0 waits for the key.
   */
  uint32_t reclose_s;
  /*
   How often it closes by itself before the key is needed.
   */
  uint8_t tries;
  /*
   1: opens in spite of keep power.
   */
  uint8_t despite_keep_power;
} mtr_power_limit;

/*
 A programmed change of fee control.
 */
typedef struct {
  /*
   When, UTC seconds; one that the meter's clock has passed does nothing.
   */
  int64_t at_s;
  /*
   What the purse begins with under MTR_MODE_LOCAL, 10^-7 of the currency, not below 0.
   */
  int64_t initial;
  /*
   MTR_MODE_...; MTR_MODE_SAME for none.
   */
  uint8_t to;
} mtr_mode_switch;

/*
 Instants at equal distances.
 */
typedef struct {
  /*
   The first one, UTC seconds.
   */
  int64_t start_s;
  /*
   Minutes between two; 0 for none.
   */
  uint16_t minutes;
} mtr_every;

/*
 Instants that come again by the local clock.
 */
typedef struct {
  /*
   Minute of the hour or of the day.
   */
  uint16_t minute;
  /*
   MTR_PATTERN_...
   */
  uint8_t kind;
  /*
   Month, where the kind has one.
   */
  uint8_t month;
  /*
   Day of the month, where the kind has one.
   */
  uint8_t day;
} mtr_pattern;

/*
 A settlement day of each month.
 */
typedef struct {
  /*
   Day, 1 to 28; 0 for none.
   */
  uint8_t day;
  /*
   Local hour, 0 to 23.
   */
  uint8_t hour;
} mtr_settlement;

/*
 What a meter goes by besides its tables. Begin with mtr_terms_defaults. The rows are copied.
 */
typedef struct {
  /*
   Public holidays in any order, at most 254.
   */
  const mtr_holiday *holidays;
  /*
   Number of them.
   */
  size_t holiday_count;
  /*
   Friendly hours.
   */
  const mtr_friendly *friendly;
  /*
   Number of them.
   */
  size_t friendly_count;
  /*
   Taken from the purse for every local day on which the account is open, 10^-7 of the currency, not below 0.
   */
  int64_t standing;
  /*
   The over-power trip.
   */
  mtr_power_limit power;
  /*
   A programmed change of fee control.
   */
  mtr_mode_switch mode;
  /*
   The hourly freeze: distance and first instant.
   */
  mtr_every hourly;
  /*
   Load records by class: V/I/f, power, power factor, energy, quadrants, demand.
   */
  mtr_every load[6];
  /*
   The timed freeze.
   */
  mtr_pattern timed;
  /*
   The daily freeze, of the purse too.
   */
  mtr_pattern daily;
  /*
   Settlement days; the first one ends a period of demand.
   */
  mtr_settlement settlement[3];
  /*
   Demand: minutes of a window, at most 1440; 0 without demand.
   */
  uint16_t demand_min;
  /*
   Minutes by which windows move, 1 to MTR_PREPAID_SLIPS of them to a window; 0 for windows side by side, by the
   local clock.
   */
  uint16_t demand_slip_min;
  /*
   Work days, bit 0 Sunday to bit 6 Saturday; 0x7F is no rest day.
   */
  uint8_t work_days;
  /*
   Day table of rest days; not looked at without rest days.
   */
  uint8_t rest_table;
  /*
   1: public holidays are friendly from midnight to midnight.
   */
  uint8_t friendly_holidays;
  /*
   What is charged (feature word of active energy): bit 0 adds forward, 1 subtracts it, 2 adds reverse, 3 subtracts
   it. With a word that subtracts, energy fed in is used up again before anything is charged; it is never paid.
   */
  uint8_t active_word;
  /*
   The rate while the clock is not to be trusted; 0 keeps the last one.
   */
  uint8_t fallback_rate;
  /*
   Tiers begin anew: month 1 to 12 for once a year, 0 for every month.
   */
  uint8_t reset_month;
  /*
   Day, 1 to 28.
   */
  uint8_t reset_day;
  /*
   Local hour, 0 to 23.
   */
  uint8_t reset_hour;
} mtr_terms;

/*
 What holds at an instant.
 */
typedef struct {
  /*
   When rate or tier period may change next, UTC seconds, at most a day later.
   */
  int64_t next_s;
  /*
   Price of the rate, 0.0001 of the currency a kilowatt hour, without tiers.
   */
  uint32_t price;
  /*
   Rate, 1 to 63.
   */
  uint8_t rate;
  /*
   Day table, 1 to 8.
   */
  uint8_t table;
  /*
   Why this table: 0 a public holiday, 1 a weekly rest day, 2 the year zone.
   */
  uint8_t by;
} mtr_rate_at;

/*
 The block cipher of 64 bits under the key of one meter; the tables of meters in the field are licensed, so the caller
 brings it. The callbacks answer 0 when they are done.
 */
typedef struct {
  /*
   Handed to the callbacks as it is.
   */
  void *context;
  /*
   Enciphers `block` in place; may be NULL where tokens are only decoded.
   */
  int32_t (*encrypt)(void *context, uint64_t *block);
  /*
   Deciphers `block` in place; may be NULL where tokens are only encoded.
   */
  int32_t (*decrypt)(void *context, uint64_t *block);
} mtr_cipher;

/*
 What a token says; which fields hold something follows from its kind, the others are 0.
 */
typedef struct {
  /*
   Tests (36 bits in subclass 0, 28 in 1), or the 44 bits of another token.
   */
  uint64_t bits;
  /*
   Of a credit: 0.1 kWh, m3 or minutes, in currency 0.00001 of it; at most 18201624. Encoding takes the next amount
   above that can be sent. Of a key: its half.
   */
  uint32_t amount;
  /*
   Minute of issue, 24 bits, since the base date.
   */
  uint32_t tid;
  /*
   Value of an order, or the maker of a test (8 bits in subclass 0).
   */
  uint16_t value;
  /*
   MTR_TOKEN_...
   */
  uint8_t kind;
  /*
   Class, 0 to 3.
   */
  uint8_t token_class;
  /*
   Subclass, 0 to 15.
   */
  uint8_t subclass;
  /*
   Random number, 0 to 15.
   */
  uint8_t random;
  /*
   Half of the key expiry number, 0 to 15.
   */
  uint8_t expiry;
  /*
   Key revision number, 0 to 15.
   */
  uint8_t revision;
  /*
   1: the list of spent tokens begins anew (mtr_spent_clear).
   */
  uint8_t roll_over;
  /*
   Key type, 0 to 3.
   */
  uint8_t key_type;
  /*
   Tariff index.
   */
  uint8_t tariff;
} mtr_token;
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of the library that is linked. Compare it with MTR_ABI_VERSION of the header.
 */
uint32_t mtr_abi_version(void);

#if defined(MTR_WITH_CJT188)
/*
 Reads an address of up to 14 digits, as printed on the meter. MTR_ERR_VALUE when `text` is no address.
 */
mtr_result mtr_cjt188_address_from_digits(const char *text,
                                          size_t len,
                                          mtr_cjt188_address *address);

/*
 Makes a decoder in `storage` of `size` bytes (at least MTR_CJT188_DECODER_SIZE, aligned to MTR_ALIGN) and puts its
 handle into `decoder`. Nothing is to be freed.
 */
mtr_result mtr_cjt188_decoder_init(void *storage,
                                   size_t size,
                                   mtr_cjt188_decoder **decoder);

/*
 Feeds `len` bytes from the line. Takes bytes until a frame ends or they run out and puts the number taken into
 `used`; call again with the rest. MTR_OK: a frame is in `frame`. MTR_MORE: none yet; `used` holds something then too.
 */
mtr_result mtr_cjt188_decoder_push(mtr_cjt188_decoder *decoder,
                                   const uint8_t *bytes,
                                   size_t len,
                                   size_t *used,
                                   mtr_cjt188_frame *frame);

/*
 The line has been silent for too long inside a frame: what was begun is given up, and looked through for a frame
 that hides in it. MTR_OK: one is in `frame`, call again. MTR_MORE: none is left.
 */
mtr_result mtr_cjt188_decoder_handle_gap(mtr_cjt188_decoder *decoder,
                                         mtr_cjt188_frame *frame);

/*
 What the decoder refused since it was made.
 */
mtr_result mtr_cjt188_decoder_refusals(const mtr_cjt188_decoder *decoder,
                                       mtr_cjt188_refusals *refusals);

/*
 Identifier and running number of a frame; what stands behind them begins at its third data byte. `order` decides
 where the two bytes of the identifier do not tell their order themselves. MTR_ERR_FRAME for frames without: refusals,
 the vendor's own function, too few data. MTR_ERR_LENGTH when `length` of the frame is too large, MTR_ERR_PARAMETER for
 another `order` than MTR_CJT188_LOW_FIRST and MTR_CJT188_HIGH_FIRST.
 */
mtr_result mtr_cjt188_frame_head(const mtr_cjt188_frame *frame,
                                 uint8_t order,
                                 mtr_cjt188_head *head);

/*
 Writes a frame to `out` of `capacity` bytes, without a preamble, and its length (13 and the data) into `len`.
 MTR_ERR_LENGTH when it does not fit, or when `length` of the frame is too large.
 */
mtr_result mtr_cjt188_encode(const mtr_cjt188_frame *frame,
                             uint8_t *out,
                             size_t capacity,
                             size_t *len);

/*
 Makes a master in `storage` of `size` bytes (at least MTR_CJT188_MASTER_SIZE, aligned to MTR_ALIGN) and puts its
 handle into `master`. It sends identifiers in `order` (MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST, else
 MTR_ERR_PARAMETER); answers may come in either.
 */
mtr_result mtr_cjt188_master_init(void *storage,
                                  size_t size,
                                  const mtr_timing *timing,
                                  uint8_t order,
                                  mtr_cjt188_master **master);

/*
 Other waiting times from the next request on.
 */
mtr_result mtr_cjt188_master_set_timing(mtr_cjt188_master *master, const mtr_timing *timing);

/*
 How the meter that is asked next speaks: the order of identifiers (MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST, else
 MTR_ERR_PARAMETER), how many FE go in front of a request (at most 4, which is the beginning too; more count as 4), and
 whether its answers may carry the wildcard instead of its address (1).
 */
mtr_result mtr_cjt188_master_set_dialect(mtr_cjt188_master *master,
                                         uint8_t order,
                                         uint8_t preamble,
                                         uint8_t wildcard_answers);

/*
 Reads `id` (01): 0x901F present data, 0x911F heat and cold, 0xD120 to 0xD12B settlements, and others. Ends in
 MTR_CJT188_DATA; see mtr_cjt188_decode. MTR_ERR_BUSY: the last question is not answered, or its event was not taken.
 */
mtr_result mtr_cjt188_master_read(mtr_cjt188_master *master,
                                  uint64_t now,
                                  uint8_t meter_type,
                                  mtr_cjt188_address address,
                                  uint16_t id);

/*
 Asks the only meter on the line for its address (03). Ends in MTR_CJT188_ADDRESS. MTR_ERR_BUSY as with
 mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_read_address(mtr_cjt188_master *master,
                                          uint64_t now,
                                          uint8_t meter_type);

/*
 Reads the version of the meter's key (09). Ends in MTR_CJT188_DATA. MTR_ERR_BUSY as with mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_read_key_version(mtr_cjt188_master *master,
                                              uint64_t now,
                                              uint8_t meter_type,
                                              mtr_cjt188_address address);

/*
 Opens (MTR_CJT188_OPEN) or closes (MTR_CJT188_CLOSE) the valve. Ends in MTR_CJT188_DATA, with `status` where the meter
 sends it. MTR_ERR_PARAMETER for another `valve`, MTR_ERR_BUSY as with mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_valve(mtr_cjt188_master *master,
                                   uint64_t now,
                                   uint8_t meter_type,
                                   mtr_cjt188_address address,
                                   uint8_t valve);

/*
 Writes a value with the function that belongs to its identifier: prices (0xA010), settlement and reading day (0xA011,
 0xA012), a purchase (0xA013), a key (0xA014), the clock (0xA015), the motor (0xA016), the address (0xA018), the end of
 the factory mode (0xA019). Ends in MTR_CJT188_DATA. A purchase is sent once only: a meter may take its repeat for a
 second one. MTR_ERR_VALUE when the value does not suit the identifier, MTR_ERR_BUSY as with mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_write(mtr_cjt188_master *master,
                                   uint64_t now,
                                   uint8_t meter_type,
                                   mtr_cjt188_address address,
                                   uint16_t id,
                                   const mtr_cjt188_value *value);

/*
 Puts any question: `len` bytes behind identifier and running number, under `function` (0x01 read, 0x04 write). Ends in
 MTR_CJT188_DATA. MTR_ERR_LENGTH above 125 bytes, MTR_ERR_PARAMETER for a function above 0x3F, MTR_ERR_BUSY as with
 mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_ask(mtr_cjt188_master *master,
                                 uint64_t now,
                                 uint8_t meter_type,
                                 mtr_cjt188_address address,
                                 uint8_t function,
                                 uint16_t id,
                                 const uint8_t *data,
                                 size_t len);

/*
 Puts a question of the vendor's own (2A) with these `len` bytes and nothing in front of them, once only: nobody knows
 what a repeat would do. Ends in MTR_CJT188_VENDOR. MTR_ERR_LENGTH above MTR_CJT188_DATA_MAX bytes, MTR_ERR_BUSY as with
 mtr_cjt188_master_read.
 */
mtr_result mtr_cjt188_master_vendor(mtr_cjt188_master *master,
                                    uint64_t now,
                                    uint8_t meter_type,
                                    mtr_cjt188_address address,
                                    const uint8_t *data,
                                    size_t len);

/*
 Takes `len` bytes from the line, all of them.
 */
mtr_result mtr_cjt188_master_handle_bytes(mtr_cjt188_master *master,
                                          uint64_t now,
                                          const uint8_t *bytes,
                                          size_t len);

/*
 To be called when the time of mtr_cjt188_master_poll_timeout has passed: asks again or gives up.
 */
mtr_result mtr_cjt188_master_handle_timeout(mtr_cjt188_master *master, uint64_t now);

/*
 Bytes to send now, once: `bytes` points into the master and is valid until its next call. MTR_MORE: nothing to send.
 */
mtr_result mtr_cjt188_master_poll_transmit(mtr_cjt188_master *master,
                                           const uint8_t **bytes,
                                           size_t *len);

/*
 How the last question ended, once; the master is free for the next one then. MTR_MORE: it has not ended.
 */
mtr_result mtr_cjt188_master_poll_event(mtr_cjt188_master *master,
                                        mtr_cjt188_event *event);

/*
 When to call mtr_cjt188_master_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
 */
mtr_result mtr_cjt188_master_poll_timeout(const mtr_cjt188_master *master,
                                          uint64_t *at);

/*
 What came from the line and was no answer: `refusals` of frames and bytes, `ignored` good frames that answered
 nothing that was asked.
 */
mtr_result mtr_cjt188_master_statistics(const mtr_cjt188_master *master,
                                        mtr_cjt188_refusals *refusals,
                                        uint32_t *ignored);

/*
 Makes a slave in `storage` of `size` bytes (at least MTR_CJT188_SLAVE_SIZE, aligned to MTR_ALIGN) and puts its handle
 into `slave`.
 */
mtr_result mtr_cjt188_slave_init(void *storage,
                                 size_t size,
                                 const mtr_timing *timing,
                                 mtr_cjt188_slave **slave);

/*
 How the meter speaks from the next answer on. `order` of identifiers: MTR_CJT188_ORDER_OF_REQUEST (as in the
 beginning), MTR_CJT188_LOW_FIRST or MTR_CJT188_HIGH_FIRST; `refusal`: MTR_CJT188_REFUSAL_... (in the beginning
 MTR_CJT188_REFUSAL_SERIAL); `address_in_data`: 1 when the answer to a read of the address repeats it behind the
 running number; `preamble`: how many FE go in front of an answer, at most 4. MTR_ERR_PARAMETER for other numbers.
 */
mtr_result mtr_cjt188_slave_set_dialect(mtr_cjt188_slave *slave,
                                        uint8_t order,
                                        uint8_t refusal,
                                        uint8_t address_in_data,
                                        uint8_t preamble);

/*
 Takes bytes from the line and puts their number into `used`: it stops behind a request that has an answer, so that no
 answer is lost. Send that, then hand in the rest. MTR_ERR_CALLBACK when `read` is NULL.
 */
mtr_result mtr_cjt188_slave_handle_bytes(mtr_cjt188_slave *slave,
                                         uint64_t now,
                                         const uint8_t *bytes,
                                         size_t len,
                                         const mtr_cjt188_application *application,
                                         size_t *used);

/*
 To be called when the time of mtr_cjt188_slave_poll_timeout has passed. MTR_ERR_CALLBACK when `read` is NULL.
 */
mtr_result mtr_cjt188_slave_handle_timeout(mtr_cjt188_slave *slave,
                                           uint64_t now,
                                           const mtr_cjt188_application *application);

/*
 The bytes of an answer that may go now, once: `bytes` points into the slave and is valid until its next call.
 MTR_MORE: nothing to send.
 */
mtr_result mtr_cjt188_slave_poll_transmit(mtr_cjt188_slave *slave,
                                          const uint8_t **bytes,
                                          size_t *len);

/*
 What happened to the last frame for this meter, once. MTR_MORE: nothing.
 */
mtr_result mtr_cjt188_slave_poll_event(mtr_cjt188_slave *slave, mtr_cjt188_slave_event *event);

/*
 When to call mtr_cjt188_slave_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
 */
mtr_result mtr_cjt188_slave_poll_timeout(const mtr_cjt188_slave *slave,
                                         uint64_t *at);

/*
 What came from the line and was no request.
 */
mtr_result mtr_cjt188_slave_refusals(const mtr_cjt188_slave *slave, mtr_cjt188_refusals *refusals);

/*
 All that the `len` bytes behind identifier and running number hold for `id`. `meter_type` is that of the answer: it
 decides about present data. An identifier outside the table gives MTR_CJT188_RAW. MTR_ERR_VALUE: the data do not have
 the layout of the identifier.
 */
mtr_result mtr_cjt188_decode(uint16_t id,
                             uint8_t meter_type,
                             const uint8_t *data,
                             size_t len,
                             mtr_cjt188_value *value);

/*
 One number of what mtr_cjt188_decode gives, from 0, with its scale and unit. MTR_ERR_VALUE as there, MTR_MORE: the
 value has fewer numbers.
 */
mtr_result mtr_cjt188_number(uint16_t id,
                             uint8_t meter_type,
                             uint32_t nth,
                             const uint8_t *data,
                             size_t len,
                             mtr_cjt188_quantity *found);

/*
 Writes a value as the data of an answer or a write for `id` to `out` of `capacity` bytes, and its length to `len`.
 MTR_ERR_VALUE when the value is of another kind than the identifier, has other decimals or too many digits;
 MTR_ERR_IDENTIFIER when the identifier is not in the table or its bytes are the maker's; MTR_ERR_LENGTH when it does
 not fit: MTR_CJT188_DATA_MAX bytes always do.
 */
mtr_result mtr_cjt188_encode_value(uint16_t id,
                                   const mtr_cjt188_value *value,
                                   uint8_t *out,
                                   size_t capacity,
                                   size_t *len);

/*
 A value as a text for people, its parts separated by commas, as `68.00 m3, 60.00 m3, 2017-08-19 16:54:59`: UTF-8 and
 a NUL to `text` of `capacity` bytes, its length without the NUL into `text_len`. MTR_ERR_VALUE as in
 mtr_cjt188_decode, MTR_ERR_LENGTH when it does not fit. A key is not shown.
 */
mtr_result mtr_cjt188_text(uint16_t id,
                           uint8_t meter_type,
                           const uint8_t *data,
                           size_t len,
                           char *text,
                           size_t capacity,
                           size_t *text_len);

/*
 The name of an identifier in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER when it is not in the
 table, MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when the name does not fit.
 */
mtr_result mtr_cjt188_name(uint16_t id,
                           uint32_t lang,
                           char *text,
                           size_t capacity,
                           size_t *text_len);

/*
 What a unit code says: the symbol and a NUL to `text`, and into `power` the decimal power by which a number is to be
 multiplied (0, 1 or 2: 0x0A is 100 MWh). MTR_ERR_IDENTIFIER when the code is not in the table, MTR_ERR_LENGTH when
 the symbol does not fit; 8 bytes are enough.
 */
mtr_result mtr_cjt188_unit(uint8_t unit,
                           uint8_t *power,
                           char *text,
                           size_t capacity,
                           size_t *text_len);

/*
 A number as a text with all its decimals and its unit, as `68.00 m3`: UTF-8 and a NUL. MTR_ERR_LENGTH when it does
 not fit.
 */
mtr_result mtr_cjt188_quantity_text(const mtr_cjt188_quantity *quantity,
                                    char *text,
                                    size_t capacity,
                                    size_t *text_len);

/*
 Where the valve stands (MTR_CJT188_VALVE_...) and whether the battery is low (1), by the places of their bits:
 MTR_CJT188_VALVE_BIT and MTR_CJT188_BATTERY_BIT are the standard's, makers use others. Bits beyond 15 read as 0.
 */
mtr_result mtr_cjt188_status_read(const mtr_cjt188_status *status,
                                  uint8_t valve_bit,
                                  uint8_t battery_bit,
                                  uint8_t *valve,
                                  uint8_t *battery_low);

/*
 ST with these bits, all others zero. MTR_ERR_PARAMETER for another `valve` than MTR_CJT188_VALVE_...
 */
mtr_result mtr_cjt188_status_write(uint8_t valve,
                                   uint8_t battery_low,
                                   uint8_t valve_bit,
                                   uint8_t battery_bit,
                                   mtr_cjt188_status *status);
#endif

#if defined(MTR_WITH_DLT645)
/*
 Reads an address of up to 12 digits, as printed on the meter; `A` in the leading places is a wildcard digit.
 MTR_ERR_VALUE when `text` is no address.
 */
mtr_result mtr_dlt645_address_from_digits(const char *text,
                                          size_t len,
                                          mtr_dlt645_address *address);

/*
 Makes a decoder in `storage` of `size` bytes (at least MTR_DLT645_DECODER_SIZE, aligned to
 MTR_ALIGN) and puts its handle into `decoder`. Nothing is to be freed.
 */
mtr_result mtr_dlt645_decoder_init(void *storage, size_t size, mtr_dlt645_decoder **decoder);

/*
 Feeds `len` bytes from the line. Takes bytes until a frame ends or they run out and puts the number
 taken into `used`; call again with the rest. MTR_OK: a frame is in `frame`. MTR_MORE: none yet.
 */
mtr_result mtr_dlt645_decoder_push(mtr_dlt645_decoder *decoder,
                                   const uint8_t *bytes,
                                   size_t len,
                                   size_t *used,
                                   mtr_dlt645_frame *frame);

/*
 The line has been silent for too long inside a frame: what was begun is given up, and looked through for a frame
 that hides in it. MTR_OK: one is in `frame`, call again. MTR_MORE: none is left.
 */
mtr_result mtr_dlt645_decoder_handle_gap(mtr_dlt645_decoder *decoder,
                                         mtr_dlt645_frame *frame);

/*
 What the decoder refused since it was made.
 */
mtr_result mtr_dlt645_decoder_refusals(const mtr_dlt645_decoder *decoder,
                                       mtr_dlt645_refusals *refusals);

/*
 Writes a frame to `out` of `capacity` bytes, without a preamble, and its length (12 and the data)
 into `len`. MTR_ERR_LENGTH when it does not fit, or when `length` of the frame is too large.
 */
mtr_result mtr_dlt645_encode(const mtr_dlt645_frame *frame,
                             uint8_t *out,
                             size_t capacity,
                             size_t *len);

/*
 From now on requests that change something are checked before the callbacks hear of them, and three wrong passwords
 in a row lock plain access for a day. Begins without any password; `needs_button` is 1 when the programming button
 must be pressed too (mtr_dlt645_slave_press_button).
 */
mtr_result mtr_dlt645_slave_set_guard(mtr_dlt645_slave *slave,
                                      uint8_t needs_button);

/*
 Sets the password of a level 0 to 9, six packed digits. MTR_ERR_PARAMETER for another level or without a guard.
 */
mtr_result mtr_dlt645_slave_set_password(mtr_dlt645_slave *slave,
                                         uint8_t level,
                                         uint32_t digits);

/*
 Somebody pressed the programming button: on for four hours, or off if it was on. MTR_ERR_PARAMETER without a guard.
 */
mtr_result mtr_dlt645_slave_press_button(mtr_dlt645_slave *slave,
                                         uint64_t now);

/*
 Whether plain access is locked after wrong passwords (1) and whether the programming button holds (1). MTR_ERR_PARAMETER
 without a guard.
 */
mtr_result mtr_dlt645_slave_guard_state(mtr_dlt645_slave *slave,
                                        uint64_t now,
                                        uint8_t *locked,
                                        uint8_t *programming);

/*
 A programming record that has ended, once, as the data of 033000nn with the time `at`: another operator came, ten items
 were written, or the button was released. To `out` of `capacity` bytes, MTR_DLT645_PROGRAMMING_LEN are enough, its
 length into `len`; poll after each request, or an older one is lost. MTR_MORE: none. MTR_ERR_PARAMETER without a guard
 or when a field of the time is above 99; MTR_ERR_LENGTH when it does not fit: the record stays.
 */
mtr_result mtr_dlt645_slave_poll_programming(mtr_dlt645_slave *slave,
                                             const mtr_stamp *at,
                                             uint8_t *out,
                                             size_t capacity,
                                             size_t *len);

/*
 Ends the programming record at work, as at power-down or after a quiet time, for mtr_dlt645_slave_poll_programming.
 MTR_ERR_PARAMETER without a guard.
 */
mtr_result mtr_dlt645_slave_end_programming(mtr_dlt645_slave *slave);

/*
 How the meter hears and speaks: `half_byte_wildcards` 1 when A in single digits of an address stands for any (0 in the
 beginning), `preamble` how many FE go in front of an answer, at most 4 (MTR_ERR_PARAMETER above).
 */
mtr_result mtr_dlt645_slave_set_dialect(mtr_dlt645_slave *slave,
                                        uint8_t half_byte_wildcards,
                                        uint8_t preamble);

/*
 Makes a master in `storage` of `size` bytes (at least MTR_DLT645_MASTER_SIZE, aligned to MTR_ALIGN) and puts its
 handle into `master`. What `size` has beyond MTR_DLT645_MASTER_SIZE is the buffer in which long answers are joined:
 200 bytes for answers of one frame, 1026 for the longest record of the standard.
 */
mtr_result mtr_dlt645_master_init(void *storage,
                                  size_t size,
                                  const mtr_timing *timing,
                                  mtr_dlt645_master **master);

/*
 Other waiting times from the next request on.
 */
mtr_result mtr_dlt645_master_set_timing(mtr_dlt645_master *master, const mtr_timing *timing);

/*
 The departures of the meter that is asked next.
 */
mtr_result mtr_dlt645_master_set_quirks(mtr_dlt645_master *master, const mtr_dlt645_quirks *quirks);

/*
 Reads `id` (function 11); long answers are fetched part by part (12) and joined. Ends in MTR_DLT645_DATA.
 MTR_ERR_BUSY: the last question is not answered, or its event was not taken.
 */
mtr_result mtr_dlt645_master_read(mtr_dlt645_master *master,
                                  uint64_t now,
                                  mtr_dlt645_address address,
                                  uint32_t id);

/*
 Reads `count` blocks of the load record (class 06), from the minute `from` on; `from` may be NULL for
 the oldest. Ends in MTR_DLT645_DATA. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_read_blocks(mtr_dlt645_master *master,
                                         uint64_t now,
                                         mtr_dlt645_address address,
                                         uint32_t id,
                                         uint8_t count,
                                         const mtr_stamp *from);

/*
 Reads a 1997 identifier (01). Ends in MTR_DLT645_DATA_1997. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_read_1997(mtr_dlt645_master *master,
                                       uint64_t now,
                                       mtr_dlt645_address address,
                                       uint16_t id);

/*
 Asks the only meter on the line for its address (13). Ends in MTR_DLT645_ADDRESS. MTR_ERR_BUSY as with
 mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_read_address(mtr_dlt645_master *master,
                                          uint64_t now);

/*
 Writes `len` bytes to `id` (14). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read,
 MTR_ERR_LENGTH above 188 bytes.
 */
mtr_result mtr_dlt645_master_write(mtr_dlt645_master *master,
                                   uint64_t now,
                                   mtr_dlt645_address address,
                                   uint32_t id,
                                   const mtr_dlt645_authority *authority,
                                   const uint8_t *data,
                                   size_t len);

/*
 Writes `len` bytes to a 1997 identifier (04) under a password (PA in the low byte, then six packed digits). Ends in
 MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read, MTR_ERR_LENGTH above 194 bytes.
 */
mtr_result mtr_dlt645_master_write_1997(mtr_dlt645_master *master,
                                        uint64_t now,
                                        mtr_dlt645_address address,
                                        uint16_t id,
                                        uint32_t password,
                                        const uint8_t *data,
                                        size_t len);

/*
 Relay, alarm or keep power (1C). Ends in MTR_DLT645_DONE. An order without an expiry is never too late: a repeat
 after a lost answer carries it out once more. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_control(mtr_dlt645_master *master,
                                     uint64_t now,
                                     mtr_dlt645_address address,
                                     const mtr_dlt645_authority *authority,
                                     const mtr_dlt645_control *control);

/*
 Security exchange (03) with any identifier and data. Ends in MTR_DLT645_SECURITY. Asked once only: a meter takes the
 repeat of a recharge for a second one. MTR_ERR_BUSY as with mtr_dlt645_master_read, MTR_ERR_LENGTH above 192 bytes.
 */
mtr_result mtr_dlt645_master_security(mtr_dlt645_master *master,
                                      uint64_t now,
                                      mtr_dlt645_address address,
                                      uint32_t id,
                                      uint32_t operator_code,
                                      const uint8_t *data,
                                      size_t len);

/*
 Tells all meters the time (08). Nobody answers and no event follows. MTR_ERR_PARAMETER when a field is above 99,
 MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_broadcast_time(mtr_dlt645_master *master,
                                            uint64_t now,
                                            const mtr_stamp *time);

/*
 Changes the rate of a meter (17; 0C in 1997) from `old_rate` to `new_rate` bit/s; `edition_1997` is 1 for the older
 edition. Ends in MTR_DLT645_RATE_CHANGED; then switch the port, set the timing, and call
 mtr_dlt645_master_confirm_rate. MTR_ERR_PARAMETER when the edition has no such rate, MTR_ERR_BUSY as with
 mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_change_rate(mtr_dlt645_master *master,
                                         uint64_t now,
                                         uint8_t edition_1997,
                                         mtr_dlt645_address address,
                                         uint32_t old_rate,
                                         uint32_t new_rate);

/*
 Asks at the new rate whether the meter is there. Ends in MTR_DLT645_RATE_CONFIRMED or MTR_DLT645_RATE_LOST.
 MTR_ERR_PARAMETER when no change was agreed, MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_confirm_rate(mtr_dlt645_master *master,
                                          uint64_t now);

/*
 Takes `len` bytes from the line, all of them.
 */
mtr_result mtr_dlt645_master_handle_bytes(mtr_dlt645_master *master,
                                          uint64_t now,
                                          const uint8_t *bytes,
                                          size_t len);

/*
 To be called when the time of mtr_dlt645_master_poll_timeout has passed: asks again or gives up.
 */
mtr_result mtr_dlt645_master_handle_timeout(mtr_dlt645_master *master, uint64_t now);

/*
 Bytes to send now, once: `bytes` points into the master and is valid until its next call. MTR_MORE: nothing to send.
 */
mtr_result mtr_dlt645_master_poll_transmit(mtr_dlt645_master *master,
                                           const uint8_t **bytes,
                                           size_t *len);

/*
 How the last question ended, once; the master is free for the next one then. MTR_MORE: it has not ended.
 */
mtr_result mtr_dlt645_master_poll_event(mtr_dlt645_master *master,
                                        mtr_dlt645_event *event);

/*
 When to call mtr_dlt645_master_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
 */
mtr_result mtr_dlt645_master_poll_timeout(const mtr_dlt645_master *master,
                                          uint64_t *at);

/*
 What came from the line and was no answer: `refusals` of frames and bytes, `ignored` good frames that answered
 nothing that was asked.
 */
mtr_result mtr_dlt645_master_statistics(const mtr_dlt645_master *master,
                                        mtr_dlt645_refusals *refusals,
                                        uint32_t *ignored);

/*
 Freezes now or at a time (16): `month`, `day`, `hour` and `minute` as decimal numbers, 99 for any; all 99 is at once.
 `address` may be the broadcast: then nobody answers and no event follows. Else ends in MTR_DLT645_DONE. MTR_ERR_PARAMETER
 for a number above 99, MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_freeze(mtr_dlt645_master *master,
                                    uint64_t now,
                                    mtr_dlt645_address address,
                                    uint8_t month,
                                    uint8_t day,
                                    uint8_t hour,
                                    uint8_t minute);

/*
 Gives the meter a new address (15), which it takes only with its programming button held; `address` is usually the
 wildcard. Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_write_address(mtr_dlt645_master *master,
                                           uint64_t now,
                                           mtr_dlt645_address address,
                                           mtr_dlt645_address new_address);

/*
 Changes the password `id` (18) from `old` to `new_password`, both with PA in the low byte and then six packed digits.
 Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_change_password(mtr_dlt645_master *master,
                                             uint64_t now,
                                             mtr_dlt645_address address,
                                             uint32_t id,
                                             uint32_t old,
                                             uint32_t new_password);

/*
 As mtr_dlt645_master_change_password, in the 1997 edition (0F).
 */
mtr_result mtr_dlt645_master_change_password_1997(mtr_dlt645_master *master,
                                                  uint64_t now,
                                                  mtr_dlt645_address address,
                                                  uint32_t old,
                                                  uint32_t new_password);

/*
 Clears the maximum demands (19). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_clear_demand(mtr_dlt645_master *master,
                                          uint64_t now,
                                          mtr_dlt645_address address,
                                          const mtr_dlt645_authority *authority);

/*
 As mtr_dlt645_master_clear_demand, in the 1997 edition (10) under a password with PA in its low byte.
 */
mtr_result mtr_dlt645_master_clear_demand_1997(mtr_dlt645_master *master,
                                               uint64_t now,
                                               mtr_dlt645_address address,
                                               uint32_t password);

/*
 Clears the whole meter (1A). Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_clear_meter(mtr_dlt645_master *master,
                                         uint64_t now,
                                         mtr_dlt645_address address,
                                         const mtr_dlt645_authority *authority);

/*
 Clears the event records of `id` (1B), 0xFFFFFFFF for all. Ends in MTR_DLT645_DONE. MTR_ERR_BUSY as with
 mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_clear_events(mtr_dlt645_master *master,
                                          uint64_t now,
                                          mtr_dlt645_address address,
                                          uint32_t id,
                                          const mtr_dlt645_authority *authority);

/*
 What the multi-function output gives (1D): 0 second pulses, 1 demand period, 2 slot switch. Ends in MTR_DLT645_DONE.
 MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_output(mtr_dlt645_master *master,
                                    uint64_t now,
                                    mtr_dlt645_address address,
                                    uint8_t output);

/*
 Begins the identity authentication (070000FF) that protected requests need. Ends in MTR_DLT645_SECURITY, whose 12 data
 bytes are for the element. MTR_ERR_CALLBACK when `begin` is NULL or refuses, MTR_ERR_BUSY as with
 mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_authenticate(mtr_dlt645_master *master,
                                          uint64_t now,
                                          mtr_dlt645_address address,
                                          uint32_t operator_code,
                                          const mtr_dlt645_host_element *element);

/*
 Writes `len` bytes to `id` under `level` MTR_DLT645_CIPHER or MTR_DLT645_MAC (14). Ends in MTR_DLT645_DONE.
 MTR_ERR_PARAMETER for another level, MTR_ERR_CALLBACK when `protect` is NULL or refuses, MTR_ERR_LENGTH when the
 protected form does not fit a frame, MTR_ERR_BUSY as with mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_write_protected(mtr_dlt645_master *master,
                                             uint64_t now,
                                             mtr_dlt645_address address,
                                             uint32_t id,
                                             uint8_t level,
                                             uint32_t operator_code,
                                             const uint8_t *data,
                                             size_t len,
                                             const mtr_dlt645_host_element *element);

/*
 Relay, alarm or keep power under ciphertext and MAC (`function` 0x1C), or the clearing of the meter (0x1A) or of the
 events of `id` (0x1B; not looked at otherwise). Ends in MTR_DLT645_DONE or MTR_DLT645_CONTROL_REPORT. MTR_ERR_PARAMETER
 for another function or a time above 99, MTR_ERR_CALLBACK when `protect` is NULL or refuses, MTR_ERR_BUSY as with
 mtr_dlt645_master_read.
 */
mtr_result mtr_dlt645_master_order_protected(mtr_dlt645_master *master,
                                             uint64_t now,
                                             mtr_dlt645_address address,
                                             uint8_t function,
                                             const mtr_dlt645_control *control,
                                             uint32_t id,
                                             uint32_t operator_code,
                                             const mtr_dlt645_host_element *element);

/*
 Whether bytes came since the last question that were no good frame (1): several meters that answer an abbreviated
 address at once damage each other.
 */
mtr_result mtr_dlt645_master_heard_damage(const mtr_dlt645_master *master,
                                          uint8_t *heard);

/*
 The number at a place in the `len` data bytes of an answer (behind the identifier, without the 33H); of a maximum
 demand its peak. MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data do not have the format of the
 identifier, the meter leaves this part out or marks it as absent, or it is no number; MTR_MORE: there are fewer items,
 parts or fields.
 */
mtr_result mtr_dlt645_part_number(const mtr_dlt645_place *place,
                                  const uint8_t *data,
                                  size_t len,
                                  mtr_number *found);

/*
 The time at a place: of an instant, a date (its time is 0) or a maximum demand. Codes as mtr_dlt645_part_number;
 MTR_ERR_VALUE also when it is no time, or there was no demand.
 */
mtr_result mtr_dlt645_part_stamp(const mtr_dlt645_place *place,
                                 const uint8_t *data,
                                 size_t len,
                                 mtr_stamp *found);

/*
 What stands at a place as a text for people: UTF-8 and a NUL to `text` of `capacity` bytes, its length without the NUL
 into `text_len`. Codes as mtr_dlt645_part_number; MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_dlt645_part_text(const mtr_dlt645_place *place,
                                const uint8_t *data,
                                size_t len,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 The name of a field of a record in a language (MTR_LANG_...), with phase and number spelt out: UTF-8 and a NUL. Codes as
 mtr_dlt645_part_number; MTR_ERR_VALUE also when there is no record at the place, MTR_ERR_PARAMETER for another
 language, MTR_ERR_LENGTH when the name does not fit.
 */
mtr_result mtr_dlt645_part_name(const mtr_dlt645_place *place,
                                uint32_t lang,
                                const uint8_t *data,
                                size_t len,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 What a set bit of a status, mode or report word means (04000501 to 04000507 and others), in a language (MTR_LANG_...):
 UTF-8 and a NUL. MTR_ERR_IDENTIFIER for reserved bits and other identifiers, MTR_ERR_PARAMETER for another language,
 MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_dlt645_bit_name(uint32_t id,
                               uint8_t bit,
                               uint32_t lang,
                               char *text,
                               size_t capacity,
                               size_t *text_len);

/*
 Writes the next part of a whole freeze, for a meter that answers class 05 with DI1 FF: `len` bytes, none where the mode
 word excludes the part, and the byte that closes it. The parts stand one behind the other in their order. The number
 of bytes written goes into `written`. MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_dlt645_freeze_part_write(const uint8_t *part,
                                        size_t len,
                                        uint8_t *out,
                                        size_t capacity,
                                        size_t *written);

/*
 Writes a block of a load record, for a meter that answers class 06, to `out` of `capacity` bytes, and its length into
 `len`. MTR_ERR_LENGTH when it does not fit or the classes have more than MTR_DLT645_LOAD_MAX bytes together,
 MTR_ERR_PARAMETER when a field of the time is above 99 or the block would be longer than its length can tell.
 */
mtr_result mtr_dlt645_load_block_write(const mtr_dlt645_load_block *block,
                                       uint8_t *out,
                                       size_t capacity,
                                       size_t *len);

/*
 Makes a slave in `storage` of `size` bytes (at least MTR_DLT645_SLAVE_SIZE, aligned to MTR_ALIGN) and puts its
 handle into `slave`. What `size` has beyond MTR_DLT645_SLAVE_SIZE is the buffer for answers: 196 bytes for answers
 of one frame, 1026 for the longest record of the standard.
 */
mtr_result mtr_dlt645_slave_init(void *storage,
                                 size_t size,
                                 const mtr_timing *timing,
                                 mtr_dlt645_slave **slave);

/*
 Other waiting times from now on, as after a change of the rate.
 */
mtr_result mtr_dlt645_slave_set_timing(mtr_dlt645_slave *slave, const mtr_timing *timing);

/*
 Whether the meter also answers the 1997 edition (1) or not (0, as in the beginning).
 */
mtr_result mtr_dlt645_slave_answer_1997(mtr_dlt645_slave *slave, uint8_t answer);

/*
 Takes bytes from the line and puts their number into `used`: it stops behind a request that has an answer, so that
 no answer is lost. Send that, then hand in the rest. MTR_ERR_CALLBACK when `read` is NULL.
 */
mtr_result mtr_dlt645_slave_handle_bytes(mtr_dlt645_slave *slave,
                                         uint64_t now,
                                         const uint8_t *bytes,
                                         size_t len,
                                         const mtr_dlt645_application *application,
                                         size_t *used);

/*
 To be called when the time of mtr_dlt645_slave_poll_timeout has passed. MTR_ERR_CALLBACK when `read` is NULL.
 */
mtr_result mtr_dlt645_slave_handle_timeout(mtr_dlt645_slave *slave,
                                           uint64_t now,
                                           const mtr_dlt645_application *application);

/*
 The bytes of an answer that may go now, once: `bytes` points into the slave and is valid until its next call.
 MTR_MORE: nothing to send.
 */
mtr_result mtr_dlt645_slave_poll_transmit(mtr_dlt645_slave *slave,
                                          const uint8_t **bytes,
                                          size_t *len);

/*
 What happened to the last frame for this meter, once. MTR_MORE: nothing.
 */
mtr_result mtr_dlt645_slave_poll_event(mtr_dlt645_slave *slave, mtr_dlt645_slave_event *event);

/*
 When to call mtr_dlt645_slave_handle_timeout, milliseconds of the caller's clock. MTR_MORE: nothing is waited for.
 */
mtr_result mtr_dlt645_slave_poll_timeout(const mtr_dlt645_slave *slave,
                                         uint64_t *at);

/*
 What came from the line and was no request.
 */
mtr_result mtr_dlt645_slave_refusals(const mtr_dlt645_slave *slave, mtr_dlt645_refusals *refusals);

/*
 The number that the `len` data bytes of an answer (behind the identifier, without the 33H) hold for
 the identifier `id` (DI3 highest): of a block the item `nth` from 0, of a single item 0; of a maximum demand
 its peak. MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data do not have its format, the meter
 marked it as absent, or it is no number; MTR_MORE: the block has fewer items.
 */
mtr_result mtr_dlt645_number(uint32_t id,
                             uint32_t nth,
                             const uint8_t *data,
                             size_t len,
                             mtr_number *found);

/*
 As mtr_dlt645_number, for an identifier of the 1997 edition.
 */
mtr_result mtr_dlt645_number_1997(uint16_t id,
                                  uint32_t nth,
                                  const uint8_t *data,
                                  size_t len,
                                  mtr_number *found);

/*
 Any value of an answer as a text for people, as `123456.78 kWh` or `2024-05-06`: UTF-8 and a NUL to `text` of
 `capacity` bytes, its length without the NUL into `text_len`. Items of blocks as in mtr_dlt645_number.
 MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_dlt645_text(uint32_t id,
                           uint32_t nth,
                           const uint8_t *data,
                           size_t len,
                           char *text,
                           size_t capacity,
                           size_t *text_len);

/*
 The name of an identifier in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER when it is not in
 the catalogue, MTR_ERR_LENGTH when the name does not fit.
 */
mtr_result mtr_dlt645_name(uint32_t id,
                           uint32_t lang,
                           char *text,
                           size_t capacity,
                           size_t *text_len);

/*
 Writes a number as the data of an answer for `id`: `mantissa` counts the last digit that the item has (0.01 kWh
 for energies). MTR_ERR_IDENTIFIER when it is not in the catalogue, MTR_ERR_VALUE when the item is no number or
 has too few digits, MTR_ERR_LENGTH when `capacity` is too small.
 */
mtr_result mtr_dlt645_encode_number(uint32_t id,
                                    int32_t mantissa,
                                    uint8_t *out,
                                    size_t capacity,
                                    size_t *len);
#endif

#if (defined(MTR_WITH_DLT645) || defined(MTR_WITH_CJT188))
/*
 The timing of a serial line at `baud` bit/s (0 is taken as 2400), 11 bits to a character: answers within a second,
 gaps of at most 500 ms, 20 ms before a meter answers, three tries.
 */
mtr_result mtr_timing_rs485(uint32_t baud,
                            mtr_timing *timing);

/*
 The timing of a stream through TCP or a radio gateway, where whole seconds pass.
 */
mtr_result mtr_timing_tcp(mtr_timing *timing);
#endif

#if defined(MTR_WITH_METER_PROTO)
/*
 Writes an acknowledgement to `out` of `capacity` bytes (128 are enough), and its length into `len`. MTR_ERR_LENGTH
 when it does not fit or there are too many gaps.
 */
mtr_result mtr_proto_acknowledgement_write(const mtr_proto_head *head,
                                           const mtr_proto_acknowledgement *acknowledgement,
                                           uint8_t *out,
                                           size_t capacity,
                                           size_t *len);

/*
 Reads an acknowledgement; then mtr_outbox_handle_acknowledgement. MTR_ERR_FRAME when the bytes are no compact message,
 MTR_ERR_IDENTIFIER when it is of another kind.
 */
mtr_result mtr_proto_acknowledgement_read(const uint8_t *bytes,
                                          size_t len,
                                          mtr_proto_head *head,
                                          mtr_proto_acknowledgement *acknowledgement);

/*
 Writes a command to `out` of `capacity` bytes (300 are enough), and its length into `len`. MTR_ERR_PARAMETER for a
 `code` without a meaning, MTR_ERR_LENGTH when it does not fit or a row is longer than allowed, MTR_ERR_VALUE for marks
 that do not exist.
 */
mtr_result mtr_proto_command_write(const mtr_proto_head *head,
                                   const mtr_proto_command *command,
                                   uint8_t *out,
                                   size_t capacity,
                                   size_t *len);

/*
 Reads a command. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of another kind.
 */
mtr_result mtr_proto_command_read(const uint8_t *bytes,
                                  size_t len,
                                  mtr_proto_head *head,
                                  mtr_proto_command *command);

/*
 Writes the result of a command to `out` of `capacity` bytes (300 are enough), and its length into `len`. MTR_ERR_LENGTH
 when it does not fit or `sealed_len` is above MTR_SEALED_MAX, MTR_ERR_VALUE for marks that do not exist.
 */
mtr_result mtr_proto_command_result_write(const mtr_proto_head *head,
                                          const mtr_proto_command_result *result,
                                          uint8_t *out,
                                          size_t capacity,
                                          size_t *len);

/*
 Reads the result of a command. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of
 another kind.
 */
mtr_result mtr_proto_command_result_read(const uint8_t *bytes,
                                         size_t len,
                                         mtr_proto_head *head,
                                         mtr_proto_command_result *result);

/*
 Writes an event message to `out` of `capacity` bytes (80 are enough), and its length into `len`. MTR_ERR_LENGTH when
 it does not fit, MTR_ERR_VALUE for marks that do not exist.
 */
mtr_result mtr_proto_event_write(const mtr_proto_head *head,
                                 const mtr_proto_event *event,
                                 uint8_t *out,
                                 size_t capacity,
                                 size_t *len);

/*
 Reads an event message. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of another
 kind.
 */
mtr_result mtr_proto_event_read(const uint8_t *bytes,
                                size_t len,
                                mtr_proto_head *head,
                                mtr_proto_event *event);

/*
 The name of an event code in a language (MTR_LANG_...): UTF-8 and a NUL. MTR_ERR_IDENTIFIER for a code without a name,
 MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_proto_event_name(uint16_t code,
                                uint32_t lang,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 Kind and head of a message, in the compact or the CBOR form, whether the kind is known or not; the body is not looked
 at. MTR_ERR_FRAME when the bytes are neither.
 */
mtr_result mtr_proto_peek(const uint8_t *bytes,
                          size_t len,
                          uint8_t *kind,
                          mtr_proto_head *head);

/*
 A whole message of any kind as JSON for people, names in a language (MTR_LANG_...): UTF-8 and a NUL to `text`, its
 length without the NUL into `text_len`. Needs some 10 KiB of stack. MTR_ERR_FRAME when the bytes are no message,
 MTR_ERR_IDENTIFIER for a kind that this release does not know, MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH
 when the text does not fit.
 */
mtr_result mtr_proto_json(const uint8_t *bytes,
                          size_t len,
                          uint32_t lang,
                          char *text,
                          size_t capacity,
                          size_t *text_len);

/*
 Makes an end that has just started in `storage` of `size` bytes (at least MTR_LINK_SIZE, aligned to MTR_ALIGN) and puts
 its handle into `link`. `repeat_ms` is the wait between a body and its repeat: the time of the longest frame each way
 and of the other side's work; 0 is taken as what MTR_LINK_BODY_MAX bytes need at 9600 bit/s.
 */
mtr_result mtr_link_init(void *storage,
                         size_t size,
                         uint32_t repeat_ms,
                         mtr_link **link);

/*
 Takes a body of 1 to MTR_LINK_BODY_MAX bytes for sending; `kind` says what it is, by agreement of both ends. Ends in
 MTR_LINK_DELIVERED. MTR_ERR_BUSY while one is under way, MTR_ERR_LENGTH for another length.
 */
mtr_result mtr_link_send(mtr_link *link,
                         uint8_t kind,
                         const uint8_t *body,
                         size_t len);

/*
 Takes `len` bytes from the line, all of them.
 */
mtr_result mtr_link_handle_bytes(mtr_link *link, uint64_t now, const uint8_t *bytes, size_t len);

/*
 Writes the next frame to `out` of `capacity` bytes, MTR_LINK_FRAME_MAX are always enough, and its length into `len`.
 MTR_MORE: nothing to send now. MTR_ERR_LENGTH: the buffer is too short.
 */
mtr_result mtr_link_poll_transmit(mtr_link *link,
                                  uint64_t now,
                                  uint8_t *out,
                                  size_t capacity,
                                  size_t *len);

/*
 The body that came, until mtr_link_release: its `kind`, and `body` points into the link. Further bodies are not
 acknowledged meanwhile, so the other side repeats them. MTR_MORE: none.
 */
mtr_result mtr_link_received(const mtr_link *link,
                             uint8_t *kind,
                             const uint8_t **body,
                             size_t *len);

/*
 Makes room for the next body.
 */
mtr_result mtr_link_release(mtr_link *link);

/*
 The next thing to tell the application, MTR_LINK_DELIVERED, MTR_LINK_DOWN or MTR_LINK_UP, once. MTR_MORE: nothing.
 */
mtr_result mtr_link_poll_event(mtr_link *link,
                               uint8_t *event);

/*
 When mtr_link_poll_transmit has something to repeat, milliseconds of the caller's clock. MTR_MORE: nothing is waited
 for.
 */
mtr_result mtr_link_poll_timeout(const mtr_link *link,
                                 uint64_t *at);

/*
 What the link met so far.
 */
mtr_result mtr_link_look(const mtr_link *link, mtr_link_statistics *statistics);

/*
 Usual settings: repeats after 5 seconds up to 5 minutes, `pages` pages of MTR_FLASH_PAGE bytes shared out evenly among
 the five stored streams, as many records as fit. MTR_ERR_PARAMETER below 10 and above MTR_OUTBOX_PAGES pages.
 */
mtr_result mtr_outbox_defaults(uint32_t boot,
                               uint32_t pages,
                               mtr_outbox_setup *setup);

/*
 Makes an outbox over the flash in `storage` of `size` bytes (at least MTR_OUTBOX_SIZE, aligned to MTR_ALIGN), and finds
 what waits there: this reads the pages in use. Erased flash is an empty outbox. Needs twice MTR_OUTBOX_SIZE of stack.
 MTR_ERR_PARAMETER when the pages do not fit, MTR_ERR_CALLBACK when a callback is missing or failed.
 */
mtr_result mtr_outbox_init(void *storage,
                           size_t size,
                           const mtr_flash *flash,
                           const mtr_outbox_setup *setup,
                           mtr_outbox **outbox);

/*
 After mtr_outbox_init: finds the alarms among the events that wait, so that they go first after a new connection.
 `scratch` of `capacity` bytes takes one message at a time; longer ones are passed over. MTR_ERR_CALLBACK when the flash
 failed.
 */
mtr_result mtr_outbox_recover_alarms(mtr_outbox *outbox,
                                     uint8_t *scratch,
                                     size_t capacity);

/*
 The name that the next record of a stream gets; nothing is used up. MTR_ERR_PARAMETER when the stream is not stored,
 or all numbers of this boot are used.
 */
mtr_result mtr_outbox_next(const mtr_outbox *outbox,
                           uint8_t stream,
                           mtr_proto_key *key);

/*
 Makes a message durable whose head has the name that mtr_outbox_next told: compact, of any kind. An event that is
 raised is remembered as an alarm. Nothing was stored and no number used when the answer is another than MTR_OK:
 MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_PARAMETER when it has another name, MTR_ERR_FULL when the
 stream is full (see mtr_outbox_poll_full), MTR_ERR_LENGTH when it is longer than MTR_OUTBOX_MESSAGE_MAX,
 MTR_ERR_CALLBACK when the flash failed, MTR_ERR_STATE when it does not keep what is written.
 */
mtr_result mtr_outbox_push(mtr_outbox *outbox,
                           const uint8_t *message,
                           size_t len);

/*
 As mtr_outbox_push for bytes that do not show their name, such as a sealed message: `key` is what mtr_outbox_next told.
 */
mtr_result mtr_outbox_push_sealed(mtr_outbox *outbox,
                                  const mtr_proto_key *key,
                                  const uint8_t *message,
                                  size_t len);

/*
 Makes a record durable that another party has numbered, such as the metering core its stream of legal registers; such a
 stream gets nothing from mtr_outbox_push. MTR_MORE: it waits already. Else as mtr_outbox_push.
 */
mtr_result mtr_outbox_push_numbered(mtr_outbox *outbox,
                                    const mtr_proto_key *key,
                                    const uint8_t *message,
                                    size_t len);

/*
 The next record to send, if one is due: repeats first, then new ones by stream (events, ledger, legal, telemetry,
 diagnostics) and age. Its bytes go to `out`; records longer than `capacity` are passed over and counted. MTR_MORE:
 nothing is due. MTR_ERR_CALLBACK when the flash failed.
 */
mtr_result mtr_outbox_poll_transmit(mtr_outbox *outbox,
                                    uint64_t now,
                                    uint8_t *out,
                                    size_t capacity,
                                    mtr_transmit *transmit);

/*
 When mtr_outbox_poll_transmit has something to repeat, milliseconds of the caller's clock; new records need no timer.
 MTR_MORE: nothing is waited for.
 */
mtr_result mtr_outbox_poll_timeout(const mtr_outbox *outbox,
                                   uint64_t *at);

/*
 Removes what the receiver has committed, hurries what it misses, and puts the number of records removed into `removed`.
 MTR_ERR_LENGTH for too many gaps, MTR_ERR_CALLBACK when the flash failed: calling again with the same acknowledgement
 is harmless.
 */
mtr_result mtr_outbox_handle_acknowledgement(mtr_outbox *outbox,
                                             uint64_t now,
                                             const mtr_proto_acknowledgement *acknowledgement,
                                             uint32_t *removed);

/*
 After a new connection: everything unacknowledged is sent again, the alarms that are still raised first, then from the
 oldest on.
 */
mtr_result mtr_outbox_handle_reconnect(mtr_outbox *outbox);

/*
 Sends a waiting record ahead of all others that were not sent yet, such as the fresh snapshot after an outage.
 MTR_ERR_FULL when too many are hurried; it goes in its turn then.
 */
mtr_result mtr_outbox_hurry(mtr_outbox *outbox,
                            const mtr_proto_key *key);

/*
 A stream that keeps its records and has become full, told once until it has room again; raise MTR_EVENT_STORE_FULL.
 MTR_MORE: none.
 */
mtr_result mtr_outbox_poll_full(mtr_outbox *outbox,
                                uint8_t *stream);

/*
 The record for a reader who asks for one at a time and acknowledges each: the oldest of the first stream that has any.
 Its name into `key`, its bytes to `out`, their number into `len`; nothing is marked as sent. Records longer than
 `capacity` are passed over. MTR_MORE: none waits. MTR_ERR_CALLBACK when the flash failed.
 */
mtr_result mtr_outbox_oldest(mtr_outbox *outbox,
                             mtr_proto_key *key,
                             uint8_t *out,
                             size_t capacity,
                             size_t *len);

/*
 What the outbox gave up or met since its start.
 */
mtr_result mtr_outbox_look(const mtr_outbox *outbox, mtr_outbox_statistics *statistics);

/*
 Joins parts to a point. MTR_ERR_PARAMETER when a part has more bits than its place (quantity 7, phase 4, direction 3,
 tariff 6, statistic 4, harmonic 6).
 */
mtr_result mtr_proto_point(const mtr_proto_parts *parts,
                           uint64_t *point);

/*
 Splits a point into its parts. MTR_ERR_VALUE for a point that carries the code of another standard or names a set.
 */
mtr_result mtr_proto_point_parts(uint64_t point,
                                 mtr_proto_parts *parts);

/*
 The point of an OBIS code; a code without a place in the table is carried as it is.
 */
mtr_result mtr_proto_point_from_obis(mtr_obis obis, uint64_t *point);

/*
 The OBIS code of a point. MTR_ERR_IDENTIFIER when it has none.
 */
mtr_result mtr_proto_point_to_obis(uint64_t point, mtr_obis *obis);

/*
 The name of a point in a language (MTR_LANG_...), as `Active energy import, tariff 2`: UTF-8 and a NUL.
 MTR_ERR_PARAMETER for another language, MTR_ERR_LENGTH when it does not fit.
 */
mtr_result mtr_proto_point_name(uint64_t point,
                                uint32_t lang,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 The unit of a point, `1` for pure numbers and nothing for a quantity without a row: UTF-8 and a NUL. MTR_ERR_LENGTH
 when it does not fit; 16 bytes are enough.
 */
mtr_result mtr_proto_point_unit(uint64_t point,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 Compresses `count` values, oldest first, by the shortest of nine codings, and writes the message to `out` of
 `capacity` bytes, its length into `len`. `runs` ascend without overlap. Needs some 4 KiB of stack. MTR_ERR_LENGTH when
 the message does not fit, the series takes more than 1024 bytes, or there are more than MTR_RUNS_MAX runs;
 MTR_ERR_VALUE without values, with `step_s` 0, for values beyond 62 bits, for runs outside the values or marks that do
 not exist.
 */
mtr_result mtr_proto_profile_write(const mtr_proto_head *head,
                                   const mtr_proto_profile *profile,
                                   const int64_t *values,
                                   size_t count,
                                   const mtr_proto_run *runs,
                                   size_t run_count,
                                   uint8_t *out,
                                   size_t capacity,
                                   size_t *len);

/*
 Reads a profile of one point: its head, what it is of, its values with their marks to `values` of `capacity` elements,
 oldest first, their number into `count`. Needs some 2 KiB of stack. MTR_ERR_FRAME when the bytes are no compact
 message or its series is damaged, MTR_ERR_IDENTIFIER when it is of another kind or a profile of a set, MTR_ERR_LENGTH
 when there are more values than `capacity`.
 */
mtr_result mtr_proto_profile_read(const uint8_t *bytes,
                                  size_t len,
                                  mtr_proto_head *head,
                                  mtr_proto_profile *profile,
                                  mtr_proto_value *values,
                                  size_t capacity,
                                  size_t *count);

/*
 Writes a snapshot of `count` samples, at most MTR_SAMPLES_MAX, to `out` of `capacity` bytes, and its length into
 `len`. A usual sample takes 3 to 8 bytes, the head some 15. MTR_ERR_LENGTH when it does not fit, MTR_ERR_VALUE for
 marks that do not exist.
 */
mtr_result mtr_proto_snapshot_write(const mtr_proto_head *head,
                                    const mtr_proto_sample *samples,
                                    size_t count,
                                    uint8_t *out,
                                    size_t capacity,
                                    size_t *len);

/*
 Reads a snapshot: its head, its samples to `samples` of `capacity` elements, their number into `count`. The whole
 message is checked before. MTR_ERR_FRAME when the bytes are no compact message, MTR_ERR_IDENTIFIER when it is of
 another kind, MTR_ERR_LENGTH when there are more samples than `capacity`; MTR_SAMPLES_MAX are always enough.
 */
mtr_result mtr_proto_snapshot_read(const uint8_t *bytes,
                                   size_t len,
                                   mtr_proto_head *head,
                                   mtr_proto_sample *samples,
                                   size_t capacity,
                                   size_t *count);

/*
 The digits of a value, as `230.1`, or `-` for one that is missing: UTF-8 and a NUL to `text` of `capacity` bytes, its
 length without the NUL into `text_len`. MTR_ERR_VALUE for marks that do not exist, MTR_ERR_LENGTH when it does not
 fit.
 */
mtr_result mtr_proto_value_text(const mtr_proto_value *value,
                                char *text,
                                size_t capacity,
                                size_t *text_len);

/*
 The mantissa that a value has at another exponent. MTR_ERR_VALUE when digits would be lost or the number does not
 fit.
 */
mtr_result mtr_proto_value_mantissa_at(const mtr_proto_value *value,
                                       int8_t exponent,
                                       int64_t *mantissa);
#endif

#if defined(MTR_WITH_METROLOGY)
/*
 Step 0, voltage and current open: offsets and current noise of `phase` from `read`, which was made with these
 constants; `mended` takes the new constants. MTR_ERR_REFUSED when the reading cannot be that of open channels.
 */
mtr_result mtr_adjust_open(const mtr_metrology_parameters *parameters,
                           const mtr_phase_constants *phase,
                           const mtr_reading *read,
                           mtr_phase_constants *mended);

/*
 Steps 1 and 2, rated voltage and current at power factor 1: both gains. MTR_ERR_REFUSED when a gain would be more
 than 20 % off, or the powers contradict each other.
 */
mtr_result mtr_adjust_gains(const mtr_metrology_parameters *parameters,
                            const mtr_phase_constants *phase,
                            const mtr_load *load,
                            const mtr_reading *read,
                            mtr_phase_constants *mended);

/*
 Step 3, the same load at power factor 0.5: the phase error, into MTR_PHASE_AS_DELAY or MTR_PHASE_AS_ANGLE.
 MTR_ERR_REFUSED when the gains are not right yet or the error is more than 12 degrees, MTR_ERR_PARAMETER for
 another `term`.
 */
mtr_result mtr_adjust_phase(const mtr_metrology_parameters *parameters,
                            const mtr_phase_constants *phase,
                            const mtr_load *load,
                            const mtr_reading *read,
                            uint32_t term,
                            mtr_phase_constants *mended);

/*
 Step 4, 1 to 5 % of the rated current at power factor 1: the power that is missing. MTR_ERR_REFUSED beyond 2 % of
 the load.
 */
mtr_result mtr_adjust_power_offset(const mtr_metrology_parameters *parameters,
                                   const mtr_phase_constants *phase,
                                   const mtr_load *load,
                                   const mtr_reading *read,
                                   mtr_phase_constants *mended);

/*
 Makes a residual current in `storage` of `size` bytes (at least MTR_RESIDUAL_SIZE, aligned to MTR_ALIGN). One count is
 worth `count_na` nanoamperes; `threshold` is in microamperes.
 */
mtr_result mtr_residual_init(void *storage,
                             size_t size,
                             uint32_t count_na,
                             const mtr_threshold *threshold,
                             mtr_residual **residual);

/*
 Takes samples of a residual-current transformer, counts of at most 24 bits. A window of more than 65536 keeps those it
 has.
 */
mtr_result mtr_residual_take(mtr_residual *residual,
                             const int32_t *samples,
                             size_t count);

/*
 The same from the sum of all currents and the neutral current of a three-phase meter, which must have one scale.
 */
mtr_result mtr_residual_take_sums(mtr_residual *residual,
                                  const mtr_sample3 *samples,
                                  size_t count);

/*
 Ends the window, of `elapsed_ms`: where the chain ends its own, so that it covers whole cycles. MTR_MORE without
 samples.
 */
mtr_result mtr_residual_close(mtr_residual *residual,
                              uint32_t elapsed_ms,
                              mtr_residual_current *current);

/*
 Limits whose rates were measured: 0.4 %, 8 irregular cycles of 32 warn and 12 alarm. `floor_counts` should be about
 1.8 A.
 */
mtr_result mtr_arc_defaults(uint32_t floor_counts,
                            mtr_arc_limits *limits);

/*
 Makes an indicator in `storage` of `size` bytes (at least MTR_ARC_SIZE, aligned to MTR_ALIGN).
 */
mtr_result mtr_arc_init(void *storage, size_t size, const mtr_arc_limits *limits, mtr_arc **arc);

/*
 Takes samples of a single-phase meter up to the end of a cycle, or all. MTR_OK: a cycle ended, call again with the
 rest; MTR_MORE: all were taken. `report` is written with both.
 */
mtr_result mtr_arc_process1(mtr_arc *arc,
                            const mtr_sample1 *samples,
                            size_t count,
                            mtr_arc_report *report);

/*
 The same of one phase (0 to 2) of a three-phase meter; each phase has its own indicator. MTR_ERR_PARAMETER for another
 phase.
 */
mtr_result mtr_arc_process3(mtr_arc *arc,
                            const mtr_sample3 *samples,
                            size_t count,
                            uint32_t phase,
                            mtr_arc_report *report);

/*
 Makes `count` (1 to MTR_CIRCUITS) circuits beside `chain` in `storage` of `size` bytes (at least MTR_CIRCUITS_SIZE,
 aligned to MTR_ALIGN). They and the chain take the same samples from the start. MTR_ERR_PARAMETER for another count or
 a constant outside its range.
 */
mtr_result mtr_circuits_init(void *storage,
                             size_t size,
                             const mtr_metrology3 *chain,
                             const mtr_circuit *circuit,
                             size_t count,
                             mtr_circuits **circuits);

/*
 Gives `count` sets of samples to the chain and their currents to the circuits; instead of mtr_metrology3_process, not
 beside it. `currents` holds `currents_count` sets: MTR_ERR_LENGTH when it is not as many.
 */
mtr_result mtr_circuits_process(mtr_circuits *circuits,
                                mtr_metrology3 *chain,
                                const mtr_sample3 *samples,
                                size_t count,
                                const mtr_currents *currents,
                                size_t currents_count,
                                mtr_progress *progress);

/*
 Quantities and registers of a circuit, 0 to MTR_CIRCUITS - 1. MTR_ERR_PARAMETER for another one.
 */
mtr_result mtr_circuits_quantities(const mtr_circuits *circuits,
                                   uint32_t number,
                                   mtr_circuit_quantities *quantities);

/*
 Writes the registers of all circuits with version and check sum to `out` (MTR_CIRCUITS_STATE_MAX bytes are enough) and
 their length to `len`; `chain` is theirs.
 */
mtr_result mtr_circuits_save(const mtr_circuits *circuits,
                             const mtr_metrology3 *chain,
                             uint8_t *out,
                             size_t capacity,
                             size_t *len);

/*
 Takes back what mtr_circuits_save wrote, beside a chain that begins anew. MTR_ERR_LENGTH or MTR_ERR_STATE: refused, and
 nothing changed.
 */
mtr_result mtr_circuits_restore(mtr_circuits *circuits,
                                const mtr_metrology3 *chain,
                                const uint8_t *state,
                                size_t len);

/*
 Makes the details of `chain` in `storage` of `size` bytes (at least MTR_DETAILS3_SIZE, aligned to MTR_ALIGN), from the
 next window on. MTR_ERR_PARAMETER when a quarter of a cycle has more than 94 samples (16 kHz at 50 Hz has 80).
 */
mtr_result mtr_details3_init(void *storage,
                             size_t size,
                             const mtr_metrology3 *chain,
                             mtr_details3 **details);

/*
 Gives `count` sets of samples to the chain and follows it; instead of mtr_metrology3_process, not beside it.
 */
mtr_result mtr_details3_process(mtr_details3 *details,
                                mtr_metrology3 *chain,
                                const mtr_sample3 *samples,
                                size_t count,
                                mtr_progress *progress);

/*
 The details of the last window.
 */
mtr_result mtr_details3_quantities(const mtr_details3 *details, mtr_details *quantities);

/*
 Usual limits of DL/T 614 for a nominal voltage (microvolts), a basic and a maximum current (microamperes): delays of
 60 s, lost and under-voltage below 78 %, over-voltage above 120 %, broken below 60 %, over-current and overload above
 120 % of the maximum, reversal above 0.5 % of basic power, unbalance above 30 %, power factor below 0.3.
 */
mtr_result mtr_limits_dlt614(uint64_t nominal_uv,
                             uint64_t basic_ua,
                             uint64_t maximum_ua,
                             mtr_limits *limits);

/*
 Makes a monitor in `storage` of `size` bytes (at least MTR_MONITOR_SIZE, aligned to MTR_ALIGN). `phases` is 1 or 3.
 `active` is what held before the power went (mtr_changes), or 0: such a condition does not begin again.
 MTR_ERR_PARAMETER for another number of phases, MTR_ERR_STATE for a bit that means nothing.
 */
mtr_result mtr_monitor_init(void *storage,
                            size_t size,
                            const mtr_limits *limits,
                            uint32_t phases,
                            uint64_t active,
                            mtr_monitor **monitor);

/*
 Judges one window: call it once for each, with the quantities of the chain or of a metering chip (duration_ms
 counts). MTR_OK: something began or ended; MTR_MORE: nothing changed. `changes` is written with both.
 */
mtr_result mtr_monitor_update(mtr_monitor *monitor,
                              const mtr_quantities *quantities,
                              mtr_changes *changes);

/*
 Fills in the defaults: unit gains, 60 uV and 24 uA a count, 0.1 Wh steps, 6400 imp/kWh and imp/kvarh, standard
 windows, MTR_POLICY_NET, no start threshold, no neutral channel.
 */
mtr_result mtr_metrology_defaults(uint32_t sample_rate_mhz,
                                  uint32_t nominal_mhz,
                                  mtr_metrology_parameters *parameters);

/*
 Works the constants of the smallest meter out of all constants, on the bench: phase errors are turned back as they are
 at the nominal frequency; curves of temperature and current are left out. `phases` is 1 or 3. MTR_ERR_PARAMETER for
 another number, for a constant outside its range, and for steps or pulses of which one full-scale sample brings more
 than one.
 */
mtr_result mtr_energy_work_out(const mtr_metrology_parameters *parameters,
                               uint32_t phases,
                               mtr_energy_constants *constants);

/*
 Makes the smallest meter of one voltage and one current in `storage` of `size` bytes (at least MTR_ENERGY1_SIZE, aligned to
 MTR_ALIGN). `state` is what mtr_energy1_state gave before the power went; `state` may be NULL for a new meter.
 MTR_ERR_PARAMETER for constants that mtr_energy_work_out cannot have given, MTR_ERR_STATE for a remainder of more than
 a step.
 */
mtr_result mtr_energy1_init(void *storage,
                            size_t size,
                            const mtr_energy_constants *constants,
                            const mtr_energy_state *state,
                            mtr_energy1 **core);

/*
 Takes `count` sets of samples, 64 serve best; `saturated` becomes 1 when one reached the saturation level, else 0. The
 registers follow at once.
 */
mtr_result mtr_energy1_process(mtr_energy1 *core,
                               const mtr_sample1 *samples,
                               size_t count,
                               uint8_t *saturated);

/*
 Registers, remainders and pulses, to be read and to be stored.
 */
mtr_result mtr_energy1_state(const mtr_energy1 *core, mtr_energy_state *state);

/*
 The rms values since the last call, and a new interval begins. To be called before 65536 samples are in one; an
 interval that is not whole cycles shows the ripple of the one that is cut.
 */
mtr_result mtr_energy1_interval(mtr_energy1 *core,
                                mtr_energy_interval *interval);

/*
 Makes the smallest meter of three voltages and three currents in `storage` of `size` bytes (at least MTR_ENERGY3_SIZE, aligned to
 MTR_ALIGN). `state` is what mtr_energy3_state gave before the power went; `state` may be NULL for a new meter.
 MTR_ERR_PARAMETER for constants that mtr_energy_work_out cannot have given, MTR_ERR_STATE for a remainder of more than
 a step.
 */
mtr_result mtr_energy3_init(void *storage,
                            size_t size,
                            const mtr_energy_constants *constants,
                            const mtr_energy_state *state,
                            mtr_energy3 **core);

/*
 Takes `count` sets of samples, 64 serve best; `saturated` becomes 1 when one reached the saturation level, else 0. The
 registers follow at once.
 */
mtr_result mtr_energy3_process(mtr_energy3 *core,
                               const mtr_sample3 *samples,
                               size_t count,
                               uint8_t *saturated);

/*
 Registers, remainders and pulses, to be read and to be stored.
 */
mtr_result mtr_energy3_state(const mtr_energy3 *core, mtr_energy_state *state);

/*
 The rms values since the last call, and a new interval begins. To be called before 65536 samples are in one; an
 interval that is not whole cycles shows the ripple of the one that is cut.
 */
mtr_result mtr_energy3_interval(mtr_energy3 *core,
                                mtr_energy_interval *interval);

/*
 Makes a flickermeter in `storage` of `size` bytes (at least MTR_FLICKER_SIZE, aligned to MTR_ALIGN). `lamp` is
 MTR_LAMP_... MTR_ERR_PARAMETER for another one, or a sample rate outside 600000 to 64000000 thousandths a second.
 */
mtr_result mtr_flicker_init(void *storage,
                            size_t size,
                            uint32_t sample_rate_mhz,
                            uint32_t lamp,
                            mtr_flicker **flicker);

/*
 Takes channel 0 to 2 of `count` frames. MTR_ERR_PARAMETER for another channel.
 */
mtr_result mtr_flicker_process(mtr_flicker *flicker,
                               const mtr_frame3 *frames,
                               size_t count,
                               uint32_t channel);

/*
 The sensation now, 2^-20: 1048576 is the threshold of perception.
 */
mtr_result mtr_flicker_sensation(const mtr_flicker *flicker, uint32_t *sensation_q20);

/*
 Begins an interval anew: what was counted so far is forgotten.
 */
mtr_result mtr_flicker_restart(mtr_flicker *flicker);

/*
 Ends the interval of ten minutes and begins the next one. MTR_MORE when nothing was counted in it.
 */
mtr_result mtr_flicker_finish(mtr_flicker *flicker, mtr_flicker_severity *severity);

/*
 Makes a watch over rapid changes in `storage` of `size` bytes (at least MTR_RAPID_CHANGES_SIZE, aligned to MTR_ALIGN).
 A change begins at a difference of `threshold_q8` from the mean of the last second, usually 1 to 6 % of the declared
 voltage, and ends `hysteresis_q8` below it, usually half of that; counts with 8 fractional bits. Bit k of `voltages`:
 voltage k is watched, 1 to 7. MTR_ERR_PARAMETER for other voltages or a nominal frequency outside 40000 to 75000 mHz.
 */
mtr_result mtr_rapid_changes_init(void *storage,
                                  size_t size,
                                  uint32_t nominal_mhz,
                                  uint32_t threshold_q8,
                                  uint32_t hysteresis_q8,
                                  uint32_t voltages,
                                  mtr_rapid_changes **changes);

/*
 Takes the half cycle that the last mtr_quality3_process of `analyzer` ended with: call it once after each that answered
 MTR_OK. MTR_OK: a change ended and stands in `change`; MTR_MORE: none did.
 */
mtr_result mtr_rapid_changes_follow(mtr_rapid_changes *changes,
                                    const mtr_quality3 *analyzer,
                                    mtr_rapid_change *change);

/*
 Makes the harmonics of a channel in `storage` of `size` bytes (at least MTR_HARMONICS_SIZE, aligned to MTR_ALIGN), for
 the sample rate and nominal frequency of the analyser. MTR_ERR_PARAMETER when one is outside its range.
 */
mtr_result mtr_harmonics_init(void *storage,
                              size_t size,
                              uint32_t sample_rate_mhz,
                              uint32_t nominal_mhz,
                              mtr_harmonics **harmonics);

/*
 Takes the frames of the last mtr_quality3_process of `analyzer`, `count` of which are those it used, and of them the
 channel 0 to 2. MTR_OK: a window ended and stands in `window`; MTR_MORE: none did. MTR_ERR_PARAMETER for another
 number of frames or another channel; nothing is done then.
 */
mtr_result mtr_harmonics_follow(mtr_harmonics *harmonics,
                                const mtr_quality3 *analyzer,
                                const mtr_frame3 *frames,
                                size_t count,
                                uint32_t channel,
                                mtr_harmonics_window *window);

/*
 Active and reactive power of an order (1 to 50) out of the windows of a voltage and of its current, products of counts
 with 16 fractional bits; reactive is positive when the current lags. MTR_ERR_PARAMETER for another order.
 */
mtr_result mtr_harmonics_power(const mtr_harmonics_window *voltage,
                               const mtr_harmonics_window *current,
                               uint32_t order,
                               int64_t *active,
                               int64_t *reactive);

/*
 Unbalance of three channels out of the fundamentals of their windows. MTR_MORE without a positive sequence.
 */
mtr_result mtr_harmonics_unbalance(const mtr_harmonics_window *first,
                                   const mtr_harmonics_window *second,
                                   const mtr_harmonics_window *third,
                                   mtr_unbalance *unbalance);

/*
 Makes a pulse output in `storage` of `size` bytes (at least MTR_PULSE_SIZE, aligned to MTR_ALIGN). Pulses last
 `width_us`, 200 to 100000 (an S0 output 30000 and more), but never more than half their distance.
 MTR_ERR_PARAMETER for another width or a sample rate outside 600000 to 64000000 thousandths a second.
 */
mtr_result mtr_pulse_init(void *storage,
                          size_t size,
                          uint32_t sample_rate_mhz,
                          uint32_t width_us,
                          mtr_pulse **pulse);

/*
 Goes on to the next block of `samples` samples, after it was processed: `share` is active_share or reactive_share
 and `length_q16` that of the block's mtr_progress. Then take the edges of the block with mtr_pulse_next.
 */
mtr_result mtr_pulse_advance(mtr_pulse *pulse,
                             uint64_t share,
                             uint64_t length_q16,
                             uint32_t samples);

/*
 The next edge of the block; MTR_MORE when it has no more.
 */
mtr_result mtr_pulse_next(mtr_pulse *pulse, mtr_pulse_edge *edge);

/*
 Makes an analyser in `storage` of `size` bytes (at least MTR_QUALITY3_SIZE, aligned to MTR_ALIGN).
 MTR_ERR_PARAMETER when a constant is outside its range.
 */
mtr_result mtr_quality3_init(void *storage,
                             size_t size,
                             const mtr_quality_setup *setup,
                             mtr_quality3 **analyzer);

/*
 Tells UTC (microseconds since 1970) of the next frame, as often as it is known.
 */
mtr_result mtr_quality3_set_clock(mtr_quality3 *analyzer, uint64_t utc_us);

/*
 Takes frames up to the end of the half cycle, or all, and tells in `step` what they brought. MTR_OK: a half cycle
 ended, call again with the rest. MTR_MORE: all frames were taken.
 */
mtr_result mtr_quality3_process(mtr_quality3 *analyzer,
                                const mtr_frame3 *frames,
                                size_t count,
                                mtr_quality_step *step);

/*
 Makes a chain in `storage` of `size` bytes (at least MTR_METROLOGY1_SIZE, aligned to MTR_ALIGN).
 MTR_ERR_PARAMETER when a constant is outside its range.
 */
mtr_result mtr_metrology1_init(void *storage,
                               size_t size,
                               const mtr_metrology_parameters *parameters,
                               mtr_metrology1 **chain);

/*
 As mtr_metrology1_init, with all constants as mtr_metrology1_store_constants wrote them. MTR_ERR_LENGTH or
 MTR_ERR_STATE when they are damaged or of another version, MTR_ERR_PARAMETER when one is outside its range.
 */
mtr_result mtr_metrology1_init_stored(void *storage,
                                      size_t size,
                                      const uint8_t *constants,
                                      size_t len,
                                      mtr_metrology1 **chain);

/*
 Writes all constants with version and check sum to `out` (MTR_METROLOGY1_CONSTANTS_MAX bytes are enough) and
 their length to `len`.
 */
mtr_result mtr_metrology1_store_constants(const mtr_metrology1 *chain,
                                          uint8_t *out,
                                          size_t capacity,
                                          size_t *len);

/*
 Processes `count` sets of samples and tells in `progress` what they brought; the result does not depend on how the
 samples are cut into blocks.
 */
mtr_result mtr_metrology1_process(mtr_metrology1 *chain,
                                  const mtr_sample1 *samples,
                                  size_t count,
                                  mtr_progress *progress);

/*
 Tells the temperature of the sensors, millidegrees Celsius; the gains follow it where the constants say how.
 */
mtr_result mtr_metrology1_set_temperature(mtr_metrology1 *chain,
                                          int32_t mdeg);

/*
 The quantities of the last window; MTR_MORE before the first.
 */
mtr_result mtr_metrology1_quantities(const mtr_metrology1 *chain, mtr_quantities *quantities);

/*
 The energy registers up to the last window that closed; the rest is carried, never lost.
 */
mtr_result mtr_metrology1_registers(const mtr_metrology1 *chain, mtr_registers *registers);

/*
 Writes registers and remainders with version and check sum to `out` (MTR_METROLOGY1_STATE_MAX bytes are enough)
 and their length to `len`: keep two copies and write them in turn, so that one is whole when the power goes.
 */
mtr_result mtr_metrology1_save(const mtr_metrology1 *chain,
                               uint8_t *out,
                               size_t capacity,
                               size_t *len);

/*
 Takes back what mtr_metrology1_save wrote. MTR_ERR_LENGTH or MTR_ERR_STATE: refused, and nothing changed.
 */
mtr_result mtr_metrology1_restore(mtr_metrology1 *chain,
                                  const uint8_t *state,
                                  size_t len);

/*
 A small cable: 60 A, time constant 10 minutes, trip at 1.05 times the rated current, warning at 90 % of that heat.
 */
mtr_result mtr_thermal_defaults(mtr_thermal_limits *limits);

/*
 Makes a line in `storage` of `size` bytes (at least MTR_THERMAL_SIZE, aligned to MTR_ALIGN). `state` is what
 mtr_thermal_save wrote, or no bytes for a cold line; `without_ms` is how long it carried nothing since, 0 when nobody
 knows. MTR_ERR_PARAMETER for a rated current or time constant of 0, MTR_ERR_LENGTH or MTR_ERR_STATE for a state that is
 damaged or of another version.
 */
mtr_result mtr_thermal_init(void *storage,
                            size_t size,
                            const mtr_thermal_limits *limits,
                            const uint8_t *state,
                            size_t state_len,
                            uint32_t without_ms,
                            mtr_thermal **thermal);

/*
 Takes the current (rms, microamperes) of the last `elapsed_ms`. MTR_OK: the level changed; MTR_MORE: it did not.
 `state` is written with both.
 */
mtr_result mtr_thermal_update(mtr_thermal *thermal,
                              uint64_t current_ua,
                              uint32_t elapsed_ms,
                              mtr_thermal_state *state);

/*
 Milliseconds until the trip if this current stays; MTR_MORE when it never comes to it.
 */
mtr_result mtr_thermal_time_to_trip(const mtr_thermal *thermal, uint64_t current_ua, uint32_t *ms);

/*
 Writes the heat with version and check sum to `out` (MTR_THERMAL_STATE_LEN bytes are enough) and their number to
 `len`.
 */
mtr_result mtr_thermal_save(const mtr_thermal *thermal,
                            uint8_t *out,
                            size_t capacity,
                            size_t *len);

/*
 A cable insulated with PVC: 60 and 70 degrees, 15 and 30 K too much, 5 and 10 K a minute, 30 K at the rated current;
 10 s of delay.
 */
mtr_result mtr_cable_defaults(mtr_cable_limits *limits);

/*
 Makes the watch over a cable in `storage` of `size` bytes (at least MTR_CABLE_SIZE, aligned to MTR_ALIGN).
 */
mtr_result mtr_cable_init(void *storage,
                          size_t size,
                          const mtr_cable_limits *limits,
                          mtr_cable **cable);

/*
 Takes the temperatures of cable and surroundings, thousandths of a degree Celsius, `elapsed_ms` after the last ones;
 `thermal` is the line that heats it. MTR_ERR_REFUSED for a temperature outside -50 to 250 degrees, which is that of a
 broken or shorted sensor; nothing is told then.
 */
mtr_result mtr_cable_update(mtr_cable *cable,
                            const mtr_thermal *thermal,
                            int32_t cable_mc,
                            int32_t ambient_mc,
                            uint32_t elapsed_ms,
                            mtr_cable_state *state);

/*
 Makes a chain in `storage` of `size` bytes (at least MTR_METROLOGY3_SIZE, aligned to MTR_ALIGN).
 MTR_ERR_PARAMETER when a constant is outside its range.
 */
mtr_result mtr_metrology3_init(void *storage,
                               size_t size,
                               const mtr_metrology_parameters *parameters,
                               mtr_metrology3 **chain);

/*
 As mtr_metrology3_init, with all constants as mtr_metrology3_store_constants wrote them. MTR_ERR_LENGTH or
 MTR_ERR_STATE when they are damaged or of another version, MTR_ERR_PARAMETER when one is outside its range.
 */
mtr_result mtr_metrology3_init_stored(void *storage,
                                      size_t size,
                                      const uint8_t *constants,
                                      size_t len,
                                      mtr_metrology3 **chain);

/*
 Writes all constants with version and check sum to `out` (MTR_METROLOGY3_CONSTANTS_MAX bytes are enough) and
 their length to `len`.
 */
mtr_result mtr_metrology3_store_constants(const mtr_metrology3 *chain,
                                          uint8_t *out,
                                          size_t capacity,
                                          size_t *len);

/*
 Processes `count` sets of samples and tells in `progress` what they brought; the result does not depend on how the
 samples are cut into blocks.
 */
mtr_result mtr_metrology3_process(mtr_metrology3 *chain,
                                  const mtr_sample3 *samples,
                                  size_t count,
                                  mtr_progress *progress);

/*
 Tells the temperature of the sensors, millidegrees Celsius; the gains follow it where the constants say how.
 */
mtr_result mtr_metrology3_set_temperature(mtr_metrology3 *chain,
                                          int32_t mdeg);

/*
 The quantities of the last window; MTR_MORE before the first.
 */
mtr_result mtr_metrology3_quantities(const mtr_metrology3 *chain, mtr_quantities *quantities);

/*
 The energy registers up to the last window that closed; the rest is carried, never lost.
 */
mtr_result mtr_metrology3_registers(const mtr_metrology3 *chain, mtr_registers *registers);

/*
 Writes registers and remainders with version and check sum to `out` (MTR_METROLOGY3_STATE_MAX bytes are enough)
 and their length to `len`: keep two copies and write them in turn, so that one is whole when the power goes.
 */
mtr_result mtr_metrology3_save(const mtr_metrology3 *chain,
                               uint8_t *out,
                               size_t capacity,
                               size_t *len);

/*
 Takes back what mtr_metrology3_save wrote. MTR_ERR_LENGTH or MTR_ERR_STATE: refused, and nothing changed.
 */
mtr_result mtr_metrology3_restore(mtr_metrology3 *chain,
                                  const uint8_t *state,
                                  size_t len);
#endif

/*
 A sentence for a result code, never NULL; unknown numbers have one too. Lives for ever.
 */
const char *mtr_result_text(int32_t code);

#if defined(MTR_WITH_SECURITY)
/*
 Makes a boot stage in `storage` of `size` bytes (at least MTR_BOOT_SIZE, aligned to MTR_ALIGN). `keys` are 1 to
 MTR_BOOT_KEYS. `first` and `second` are both copies of the state; when both have no bytes the device is new and its
 image lies in slot `active`. MTR_ERR_STATE when neither copy is whole, MTR_ERR_PARAMETER for another number of keys,
 another slot, or an admission that names no processor.
 */
mtr_result mtr_boot_init(void *storage,
                         size_t size,
                         const mtr_admission *admission,
                         const mtr_public_key *keys,
                         size_t keys_count,
                         uint32_t active,
                         const uint8_t *first,
                         size_t first_len,
                         const uint8_t *second,
                         size_t second_len,
                         mtr_boot **boot);

/*
 Verifies the image in a slot as it lies in flash now: manifest, admission, hash of what is read back, signature.
 MTR_ERR_REFUSED: `fault` says why not; MTR_ERR_PARAMETER: no such slot; MTR_ERR_CALLBACK: a callback is missing.
 */
mtr_result mtr_boot_verify(mtr_boot *boot,
                           const mtr_flash_slots *slots,
                           uint32_t slot_number,
                           mtr_image_fault *fault);

/*
 Verifies the image in the free slot and marks it: the next boot gives it its trial. MTR_ERR_REFUSED: `fault` says why
 not; MTR_ERR_BUSY: another image waits or is on trial; MTR_ERR_CALLBACK: the state was not written, or a callback is
 missing.
 */
mtr_result mtr_boot_mark(mtr_boot *boot,
                         const mtr_flash_slots *slots,
                         mtr_image_fault *fault);

/*
 What to start. The slots are verified twice, and the state is written before. MTR_ERR_CALLBACK: it was not written or
 a callback is missing; start nothing then, reset.
 */
mtr_result mtr_boot_decide(mtr_boot *boot,
                           const mtr_flash_slots *slots,
                           mtr_boot_decision *decision);

/*
 The image on trial found itself working: it becomes the active one. Then raise the monotonic counter to counter_floor
 of mtr_boot_read. MTR_ERR_REFUSED when it does not verify or is not on trial, MTR_ERR_CALLBACK: the state was not
 written, or a callback is missing.
 */
mtr_result mtr_boot_confirm(mtr_boot *boot,
                            const mtr_flash_slots *slots);

/*
 What is known about the slots.
 */
mtr_result mtr_boot_read(const mtr_boot *boot, mtr_boot_state *state);

/*
 Makes a gate under the static key of `key` in `storage` of `size` bytes (at least MTR_GATE_SIZE, aligned to
 MTR_ALIGN). `state` is what was stored last, or no bytes for a new device. The purpose of the key says what it
 executes: MTR_PURPOSE_LCTRL relay and alarm orders, MTR_PURPOSE_PURSE purse orders, any other both. MTR_ERR_STATE when
 the state is damaged (starting anew would let old orders pass again), MTR_ERR_PARAMETER for an unknown suite,
 MTR_ERR_CALLBACK when the engine fails.
 */
mtr_result mtr_gate_init(void *storage,
                         size_t size,
                         const mtr_key *key,
                         uint8_t suite_number,
                         const uint8_t *state,
                         size_t state_len,
                         mtr_gate **gate);

/*
 Makes a gate under the session key of `key`'s purpose. Otherwise as mtr_gate_init.
 */
mtr_result mtr_gate_init_session(void *storage,
                                 size_t size,
                                 const mtr_session *session,
                                 const mtr_key *key,
                                 const uint8_t *state,
                                 size_t state_len,
                                 mtr_gate **gate);

/*
 Opens an envelope in place and judges the order in it; `verdict` tells what to do. The state is written to `store`
 before the order is handed out, and before a refusal is answered. MTR_ERR_CALLBACK: the store failed, nothing may be
 done, and the order can come again; MTR_ERR_BUSY: the last order is not finished; MTR_ERR_PARAMETER: no such relay
 feedback.
 */
mtr_result mtr_gate_judge(mtr_gate *gate,
                          const uint8_t *ext,
                          size_t ext_len,
                          uint8_t *envelope,
                          size_t envelope_len,
                          const mtr_conditions *conditions,
                          const mtr_store *store,
                          mtr_verdict *verdict);

/*
 Notes how the order that mtr_gate_judge handed out ended (0 done, 2 failed), stores it, and gives the answer as bytes,
 to be sealed: MTR_ACK_MAX are enough. `state_of_purse` may be NULL where there is no purse. MTR_ERR_PARAMETER when no
 order is out, or for an unknown outcome or feedback; MTR_ERR_CALLBACK: the store failed, the answer is there all the
 same and may be sent after the state was stored.
 */
mtr_result mtr_gate_finish(mtr_gate *gate,
                           uint8_t outcome_code,
                           uint8_t relay_code,
                           const mtr_purse_state *state_of_purse,
                           const mtr_store *store,
                           uint8_t *out,
                           size_t capacity,
                           size_t *len);

/*
 Wipes a gate and releases its keys; the storage is free then.
 */
mtr_result mtr_gate_end(mtr_gate *gate);

/*
 Begins a handshake under `key` (MTR_PURPOSE_AUTH), offering one suite; the first message goes to `out`
 (MTR_HANDSHAKE_MAX bytes are enough). `random_bytes` are MTR_RANDOM_LEN. The state is made in `storage` of `size`
 bytes (at least MTR_HOST_SIZE, aligned to MTR_ALIGN). MTR_ERR_PARAMETER for another key or suite.
 */
mtr_result mtr_host_init(void *storage,
                         size_t size,
                         const mtr_key *key,
                         uint8_t suite_number,
                         const uint8_t *random_bytes,
                         size_t random_len,
                         uint8_t *out,
                         size_t capacity,
                         size_t *len,
                         mtr_host **host);

/*
 Checks the device's answer: the third message goes to `out`, the session is made in `storage` of `size` bytes (at
 least MTR_SESSION_SIZE, aligned to MTR_ALIGN). `now_s` is seconds of any clock that does not go back. MTR_ERR_SEAL
 whatever is wrong with the answer; the right one may still come.
 */
mtr_result mtr_host_receive(const mtr_host *host,
                            const mtr_key *key,
                            const uint8_t *answer,
                            size_t answer_len,
                            uint64_t now_s,
                            uint8_t *out,
                            size_t capacity,
                            size_t *len,
                            void *storage,
                            size_t size,
                            mtr_session **session);

/*
 Makes the device's side of a port in `storage` of `size` bytes (at least MTR_RESPONDER_SIZE, aligned to MTR_ALIGN).
 */
mtr_result mtr_responder_init(void *storage,
                              size_t size,
                              mtr_responder **responder);

/*
 Answers a first message under `key` (MTR_PURPOSE_AUTH, epoch not 0): the answer goes to `out`. MTR_ERR_SEAL whatever
 is wrong with the message, MTR_ERR_BUSY while another handshake is in flight, MTR_ERR_FULL when there were enough in
 this minute, MTR_ERR_PARAMETER for another key, MTR_ERR_CALLBACK when the engine fails.
 */
mtr_result mtr_responder_answer(mtr_responder *responder,
                                const mtr_key *key,
                                const uint8_t *message,
                                size_t message_len,
                                const uint8_t *random_bytes,
                                size_t random_len,
                                uint64_t now_s,
                                uint8_t *out,
                                size_t capacity,
                                size_t *len);

/*
 Checks the third message and makes the session in `storage` of `size` bytes (at least MTR_SESSION_SIZE, aligned to
 MTR_ALIGN). There is one try. MTR_ERR_SEAL whatever is wrong with the message, or when none is awaited.
 */
mtr_result mtr_responder_finish(mtr_responder *responder,
                                const mtr_key *key,
                                const uint8_t *message,
                                size_t message_len,
                                uint64_t now_s,
                                void *storage,
                                size_t size,
                                mtr_session **session);

/*
 Whether orders (`may_command`) and data (`may_carry`) may still go under this session, 1 or 0.
 */
mtr_result mtr_session_age(const mtr_session *session,
                           uint64_t now_s,
                           uint8_t *may_command,
                           uint8_t *may_carry);

/*
 Wipes a session; the storage is free then. Senders, receivers and gates made of it go on.
 */
mtr_result mtr_session_end(mtr_session *session);

/*
 Makes the tests of a source with at least `entropy_bits` of entropy in a byte (1 to 8, its maker's word) in `storage`
 of `size` bytes (at least MTR_HEALTH_SIZE, aligned to MTR_ALIGN). MTR_ERR_PARAMETER for other bits.
 */
mtr_result mtr_health_init(void *storage,
                           size_t size,
                           uint8_t entropy_bits,
                           mtr_health **health);

/*
 Tests a byte that was drawn. MTR_OK: it may be used; MTR_MORE: start-up, throw it away; MTR_ERR_REFUSED: the source
 failed.
 */
mtr_result mtr_health_take(mtr_health *health,
                           uint8_t byte);

/*
 Fills `out` with tested bytes of `source`. MTR_ERR_REFUSED: the source failed; MTR_ERR_CALLBACK: it gave no byte.
 Nothing is left in `out` then.
 */
mtr_result mtr_health_fill(mtr_health *health,
                           const mtr_random_source *source,
                           uint8_t *out,
                           size_t len);

/*
 For the key service: the secret of one device, purpose and epoch out of the root secret of a network, both of
 MTR_SECRET_LEN bytes. `net_id` names the network, 8 bytes. MTR_ERR_PARAMETER for an unknown purpose,
 MTR_ERR_LENGTH for other lengths.
 */
mtr_result mtr_key_derive(const uint8_t *root,
                          size_t root_len,
                          const uint8_t *net_id,
                          size_t net_id_len,
                          mtr_key_id id,
                          uint8_t purpose_number,
                          uint16_t epoch,
                          uint8_t *out,
                          size_t out_len);

/*
 Loads a key into an engine, and makes its handle in `storage` of `size` bytes (at least MTR_KEY_SIZE, aligned to
 MTR_ALIGN). `secret_bytes` are MTR_SECRET_LEN bytes, which the caller may wipe then; `chip` may be NULL: the cipher
 in software. Orders and handshakes under keys of epoch 0, the factory's, are refused. MTR_ERR_CALLBACK when the
 engine refuses or lacks a callback, MTR_ERR_PARAMETER for an unknown purpose.
 */
mtr_result mtr_key_init(void *storage,
                        size_t size,
                        const uint8_t *secret_bytes,
                        size_t secret_len,
                        mtr_key_id id,
                        uint8_t purpose_number,
                        uint16_t epoch,
                        const mtr_engine *chip,
                        mtr_key **key);

/*
 Wipes a key and releases it in its engine; the storage is free then. Senders and receivers made of it go on.
 */
mtr_result mtr_key_end(mtr_key *key);

/*
 Makes a sender under the static key of `key` in `storage` of `size` bytes (at least MTR_SEALER_SIZE, aligned to
 MTR_ALIGN). `stored_limit` is what was stored last, 0 for a new key; `block` numbers are reserved by each write.
 MTR_ERR_PARAMETER for an unknown direction (MTR_FROM_DEVICE, MTR_TO_DEVICE) or suite (MTR_SUITE_...),
 MTR_ERR_CALLBACK when the engine fails.
 */
mtr_result mtr_sealer_init(void *storage,
                           size_t size,
                           const mtr_key *key,
                           uint8_t direction_number,
                           uint8_t suite_number,
                           uint64_t stored_limit,
                           uint32_t block,
                           mtr_sealer **sealer);

/*
 Makes a sender under the session key of `key`'s purpose; its numbers begin at 1 and need no store. Otherwise as
 mtr_sealer_init.
 */
mtr_result mtr_sealer_init_session(void *storage,
                                   size_t size,
                                   const mtr_session *session,
                                   const mtr_key *key,
                                   uint8_t direction_number,
                                   mtr_sealer **sealer);

/*
 What must be stored before the next message: puts the limit into `limit`. MTR_MORE: nothing must.
 */
mtr_result mtr_sealer_reservation(mtr_sealer *sealer, uint64_t *limit);

/*
 States that `limit`, the one that mtr_sealer_reservation gave, is durable. MTR_ERR_PARAMETER for another one.
 */
mtr_result mtr_sealer_stored(mtr_sealer *sealer,
                             uint64_t limit);

/*
 Stores what must be stored before the next message: reads the reservation, writes its limit as 8 bytes (most
 significant first) to `store`, and counts on it when the store answers that they are durable. Instead of
 mtr_sealer_reservation and mtr_sealer_stored. MTR_MORE: nothing must; MTR_ERR_CALLBACK: the store failed, nothing changed.
 */
mtr_result mtr_sealer_reserve(mtr_sealer *sealer,
                              const mtr_store *store);

/*
 Seals a message of class `class_number` (0 data, 1 command, 2 acknowledge, 5 event, ...), bound to `ext`, which is
 not sent but must be equal where it is opened: the envelope goes to `out` (MTR_ENVELOPE_OVERHEAD bytes more than the
 message are enough), its length to `len`. MTR_ERR_BUSY: store the limit first (mtr_sealer_reservation); MTR_ERR_FULL:
 all numbers of this key are used, it needs a new key; MTR_ERR_LENGTH: it does not fit, and a number is skipped;
 MTR_ERR_PARAMETER: no such class; MTR_ERR_CALLBACK: the engine failed.
 */
mtr_result mtr_sealer_seal(mtr_sealer *sealer,
                           uint8_t class_number,
                           const uint8_t *ext,
                           size_t ext_len,
                           const uint8_t *plain,
                           size_t plain_len,
                           uint8_t *out,
                           size_t capacity,
                           size_t *len);

/*
 As mtr_sealer_seal, in the short form for slow lines: MTR_SHORT_OVERHEAD bytes more than the message with
 MTR_SUITE_CCM8. It opens only at mtr_opener_open_short, in a frame that carries the address.
 */
mtr_result mtr_sealer_seal_short(mtr_sealer *sealer,
                                 uint8_t class_number,
                                 const uint8_t *ext,
                                 size_t ext_len,
                                 const uint8_t *plain,
                                 size_t plain_len,
                                 uint8_t *out,
                                 size_t capacity,
                                 size_t *len);

/*
 Wipes a sender and releases its keys; the storage is free then.
 */
mtr_result mtr_sealer_end(mtr_sealer *sealer);

/*
 The head of an empty log under `key` (MTR_PURPOSE_AUDIT) with a name of MTR_LOG_NAME_LEN bytes. MTR_ERR_PARAMETER for
 the key of another purpose, MTR_ERR_LENGTH for another name, MTR_ERR_CALLBACK when the engine fails.
 */
mtr_result mtr_log_begin(const mtr_key *key,
                         const uint8_t *name,
                         size_t name_len,
                         mtr_log_head *head);

/*
 The head after one more line. Write line and new head in one record; only then does the new head count. Send heads
 away, sealed, at least hourly: against one of them a log that was cut off shows. Errors as mtr_log_begin.
 */
mtr_result mtr_log_append(const mtr_key *key,
                          const mtr_log_head *head,
                          const uint8_t *line,
                          size_t len,
                          mtr_log_head *after);

/*
 Checks that a line, with the head that was `stored` with it, follows `head`: begin with a head that is trusted, go on
 with the stored ones. MTR_ERR_SEAL when it does not; other errors as mtr_log_begin.
 */
mtr_result mtr_log_check(const mtr_key *key,
                         const mtr_log_head *head,
                         const uint8_t *line,
                         size_t len,
                         const mtr_log_head *stored);

/*
 Reads a manifest of MTR_MANIFEST_LEN bytes. MTR_ERR_FRAME when it is malformed.
 */
mtr_result mtr_manifest_parse(const uint8_t *bytes, size_t len, mtr_manifest *manifest);

/*
 Whether an image may be loaded at all: to be asked before its first chunk. MTR_ERR_REFUSED: `fault` says why not;
 MTR_ERR_FRAME: the manifest is malformed; MTR_ERR_PARAMETER: the admission names no processor.
 */
mtr_result mtr_manifest_admit(const uint8_t *bytes,
                              size_t len,
                              const mtr_admission *admission,
                              mtr_image_fault *fault);

/*
 Bytes of the map of an image's chunks. MTR_ERR_FRAME when the manifest is malformed.
 */
mtr_result mtr_manifest_map_len(const uint8_t *bytes, size_t len, size_t *map_len);

/*
 Makes the map of a download in `storage` of `size` bytes (at least MTR_CHUNKS_SIZE and the map behind it, aligned to
 MTR_ALIGN) out of a manifest and the map as it was read from flash; no bytes: all chunks are missing. MTR_ERR_LENGTH
 for a map of another length or storage that does not hold it, MTR_ERR_FRAME for a malformed manifest.
 */
mtr_result mtr_chunks_init(void *storage,
                           size_t size,
                           const uint8_t *manifest,
                           size_t manifest_len,
                           const uint8_t *map,
                           size_t map_len,
                           mtr_chunks **chunks);

/*
 Where a received chunk of `data_len` bytes is to be written: its offset in the slot. MTR_MORE: it lies there already;
 MTR_ERR_PARAMETER: there is no such chunk; MTR_ERR_LENGTH: it has another length.
 */
mtr_result mtr_chunks_wants(const mtr_chunks *chunks,
                            uint32_t number,
                            size_t data_len,
                            uint32_t *offset);

/*
 Notes a chunk that lies in flash now: byte `at` of the map in flash is to be written with `byte`, which only clears a
 bit. MTR_ERR_PARAMETER: there is no such chunk.
 */
mtr_result mtr_chunks_note(mtr_chunks *chunks,
                           uint32_t number,
                           uint32_t *at,
                           uint8_t *byte);

/*
 The first missing chunk from `from` on; MTR_MORE: there is none.
 */
mtr_result mtr_chunks_missing(const mtr_chunks *chunks, uint32_t from, uint32_t *number);

/*
 Makes a receiver under the static key of `key` in `storage` of `size` bytes (at least MTR_OPENER_SIZE, aligned to
 MTR_ALIGN); it takes one suite and direction only. `window` is what mtr_opener_window gave before a restart, or no
 bytes for a new key. MTR_ERR_PARAMETER, MTR_ERR_CALLBACK as with mtr_sealer_init, MTR_ERR_LENGTH for a window of
 another length.
 */
mtr_result mtr_opener_init(void *storage,
                           size_t size,
                           const mtr_key *key,
                           uint8_t direction_number,
                           uint8_t suite_number,
                           const uint8_t *window,
                           size_t window_len,
                           mtr_opener **opener);

/*
 Makes a receiver under the session key of `key`'s purpose. Otherwise as mtr_opener_init.
 */
mtr_result mtr_opener_init_session(void *storage,
                                   size_t size,
                                   const mtr_session *session,
                                   const mtr_key *key,
                                   uint8_t direction_number,
                                   mtr_opener **opener);

/*
 Opens an envelope in place with the `ext` of its transport; `opened` tells where the message stands. MTR_ERR_SEAL
 whatever is wrong with it, and nothing of the message is left in `envelope` then; MTR_ERR_CALLBACK: the engine failed.
 */
mtr_result mtr_opener_open(mtr_opener *opener,
                           const uint8_t *ext,
                           size_t ext_len,
                           uint8_t *envelope,
                           size_t envelope_len,
                           mtr_opened *opened);

/*
 As mtr_opener_open, for the short form in a frame of `address`: the six bytes of the meter's address, most significant
 first. MTR_ERR_LENGTH for another length.
 */
mtr_result mtr_opener_open_short(mtr_opener *opener,
                                 const uint8_t *address,
                                 size_t address_len,
                                 const uint8_t *ext,
                                 size_t ext_len,
                                 uint8_t *envelope,
                                 size_t envelope_len,
                                 mtr_opened *opened);

/*
 Which numbers were seen, MTR_WINDOW_LEN bytes to be stored, so that none is taken again after a restart.
 MTR_ERR_LENGTH when `capacity` is less.
 */
mtr_result mtr_opener_window(const mtr_opener *opener,
                             uint8_t *out,
                             size_t capacity);

/*
 Wipes a receiver and releases its keys; the storage is free then.
 */
mtr_result mtr_opener_end(mtr_opener *opener);

/*
 For the head end: the bytes of an order to `out` (MTR_ORDER_MAX are enough), to be sealed as class 1, direction
 MTR_TO_DEVICE. MTR_ERR_PARAMETER for an unknown kind, number 0 or a deadline that is no moment.
 */
mtr_result mtr_order_encode(const mtr_order *order,
                            uint8_t *out,
                            size_t capacity,
                            size_t *len);

/*
 For the head end: reads the answer to an order, which was opened before. MTR_ERR_FRAME when it is none.
 */
mtr_result mtr_order_ack_parse(const uint8_t *bytes,
                               size_t len,
                               mtr_order_ack *ack);

/*
 Makes a slot without a key in `storage` of `size` bytes (at least MTR_SLOT_SIZE, aligned to MTR_ALIGN).
 MTR_ERR_PARAMETER for an unknown purpose.
 */
mtr_result mtr_slot_init(void *storage,
                         size_t size,
                         mtr_key_id id,
                         uint8_t purpose_number,
                         mtr_slot **slot);

/*
 Makes the slot that was stored, in `storage` of `size` bytes. `first` and `second` are the copies that the store holds,
 in any order; the newer one that is whole counts, and one may have no bytes. MTR_ERR_STATE when neither is whole,
 MTR_ERR_CALLBACK when the engine fails.
 */
mtr_result mtr_slot_init_stored(void *storage,
                                size_t size,
                                const mtr_key *chip,
                                const uint8_t *first,
                                size_t first_len,
                                const uint8_t *second,
                                size_t second_len,
                                mtr_slot **slot);

/*
 Puts the first key, MTR_SECRET_LEN bytes, into an empty slot where the device is made. MTR_ERR_REFUSED when it is not
 empty, MTR_ERR_LENGTH for another length.
 */
mtr_result mtr_slot_provision(mtr_slot *slot,
                              const mtr_key *chip,
                              const uint8_t *secret_bytes,
                              size_t secret_len,
                              uint16_t epoch,
                              const mtr_store *store);

/*
 Stages a key that came wrapped (MTR_WRAPPED_LEN bytes, mtr_key_wrap) under the device's key `master` of
 MTR_PURPOSE_MASTER. A staged key that waits already is replaced. MTR_ERR_PARAMETER unless the epoch is above the active,
 the staged and every one before, MTR_ERR_SEAL when it was not wrapped under `master` or that is no such key,
 MTR_ERR_REFUSED without an active key, MTR_ERR_LENGTH for another length.
 */
mtr_result mtr_slot_stage(mtr_slot *slot,
                          const mtr_key *chip,
                          const mtr_key *master,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint16_t epoch,
                          const mtr_store *store);

/*
 This side's proof that it holds the staged key, over the MTR_RANDOM_LEN bytes that the other side drew: MTR_PROOF_LEN
 bytes go to `out`. `side_number` is MTR_SIDE_... of this side; `chip` names the engine. MTR_ERR_REFUSED without a
 staged key, MTR_ERR_PARAMETER for another side, MTR_ERR_LENGTH for other lengths, MTR_ERR_CALLBACK when the engine
 fails.
 */
mtr_result mtr_slot_proof(const mtr_slot *slot,
                          const mtr_key *chip,
                          uint8_t side_number,
                          const uint8_t *other_random,
                          size_t random_len,
                          uint8_t *out,
                          size_t capacity);

/*
 Takes the other side's proof over the random bytes that this side drew for it: the staged key may be used then.
 `side_number` is MTR_SIDE_... of the other side. MTR_ERR_SEAL when the proof is wrong; otherwise as mtr_slot_proof.
 */
mtr_result mtr_slot_prove(mtr_slot *slot,
                          const mtr_key *chip,
                          uint8_t side_number,
                          const uint8_t *own_random,
                          size_t random_len,
                          const uint8_t *proof,
                          size_t proof_len,
                          const mtr_store *store);

/*
 Drops the staged key; the active one is untouched. MTR_ERR_REFUSED without a staged key.
 */
mtr_result mtr_slot_abort(mtr_slot *slot, const mtr_key *chip, const mtr_store *store);

/*
 Notes that the other side showed the key of an epoch, by a handshake or a good message: a proved staged key becomes
 active, and the one before stays for receiving for a week or until the first good message under the new one. `now_s` is
 seconds of a clock that goes on over a restart. MTR_MORE: nothing had to change; MTR_ERR_REFUSED: no key of that epoch
 may be used.
 */
mtr_result mtr_slot_seen(mtr_slot *slot,
                         const mtr_key *chip,
                         uint16_t epoch,
                         uint64_t now_s,
                         const mtr_store *store);

/*
 Erases a previous key whose time is over; MTR_MORE: there is none.
 */
mtr_result mtr_slot_expire(mtr_slot *slot,
                           const mtr_key *chip,
                           uint64_t now_s,
                           const mtr_store *store);

/*
 Gives up all keys for ever. MTR_ERR_REFUSED when that was done before.
 */
mtr_result mtr_slot_revoke(mtr_slot *slot, const mtr_key *chip, const mtr_store *store);

/*
 Which keys the slot holds.
 */
mtr_result mtr_slot_state(const mtr_slot *slot, mtr_slot_epochs *epochs);

/*
 As mtr_key_init, with the key of `slot` to send under; `chip` may be NULL. MTR_ERR_REFUSED when it has none.
 */
mtr_result mtr_key_init_sending(void *storage,
                                size_t size,
                                const mtr_slot *slot,
                                const mtr_engine *chip,
                                mtr_key **key);

/*
 As mtr_key_init, with the key of `slot` that a message or handshake of an epoch may be opened with: the active one, a
 staged one that both sides proved, or the one before while its time lasts. After a good message call mtr_slot_seen.
 `chip` may be NULL. MTR_ERR_REFUSED when there is none.
 */
mtr_result mtr_key_init_receiving(void *storage,
                                  size_t size,
                                  const mtr_slot *slot,
                                  uint16_t epoch,
                                  uint64_t now_s,
                                  const mtr_engine *chip,
                                  mtr_key **key);

/*
 Wipes a slot in memory; the storage is free then. What was stored stays.
 */
mtr_result mtr_slot_end(mtr_slot *slot);

/*
 Wraps `secret_len` bytes (16 or a longer multiple of 8) under `key`, which should be of MTR_PURPOSE_MASTER for other
 keys of the device and of MTR_PURPOSE_FW for keys of images: MTR_WRAP_OVERHEAD bytes more go to `out`. MTR_ERR_LENGTH
 for another length or when they do not fit, MTR_ERR_CALLBACK when the engine fails; nothing is left in `out` then.
 */
mtr_result mtr_key_wrap(const mtr_key *key,
                        const uint8_t *secret_bytes,
                        size_t secret_len,
                        uint8_t *out,
                        size_t capacity);

/*
 Unwraps what mtr_key_wrap made: MTR_WRAP_OVERHEAD bytes less go to `out`, which must have room for `wrapped_len` (the
 rest is cleared). MTR_ERR_SEAL when it was not wrapped under `key` or was changed, MTR_ERR_LENGTH and MTR_ERR_CALLBACK as
 there; nothing is left in `out` then.
 */
mtr_result mtr_key_unwrap(const mtr_key *key,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint8_t *out,
                          size_t capacity);
#endif

#if defined(MTR_WITH_TARIFF)
/*
 Opens the account of a customer with a first purchase, or with amount 0 by the customer number only. MTR_OK: store
 the state, then answer. MTR_ERR_REFUSED: `answer` says why. `rows` may be NULL. MTR_ERR_CALLBACK: a row was refused,
 and the object has ended.
 */
mtr_result mtr_prepaid_open(mtr_prepaid *prepaid,
                            const mtr_recharge *first,
                            mtr_moment at,
                            const mtr_rows *rows,
                            mtr_answer *answer);

/*
 Books a purchase once: the same count again answers what was booked, with `repeated` 1, and does nothing. Otherwise
 as mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_recharge(mtr_prepaid *prepaid,
                                const mtr_recharge *purchase,
                                mtr_moment at,
                                const mtr_rows *rows,
                                mtr_answer *answer);

/*
 Gives money back, or corrects a purchase downwards, once, under the refund count. Otherwise as mtr_prepaid_recharge.
 `rows` may be NULL.
 */
mtr_result mtr_prepaid_refund(mtr_prepaid *prepaid,
                              const mtr_recharge *refund,
                              mtr_moment at,
                              const mtr_rows *rows,
                              mtr_answer *answer);

/*
 Closes the account; count and balance stay, a later opening continues the count. Otherwise as mtr_prepaid_open.
 `rows` may be NULL.
 */
mtr_result mtr_prepaid_close(mtr_prepaid *prepaid,
                             mtr_moment at,
                             const mtr_rows *rows,
                             mtr_answer *answer);

/*
 Sets the balance (10^-7 of the currency) and begins counts and records anew; only without an open account. Otherwise
 as mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_initialise(mtr_prepaid *prepaid,
                                  int64_t balance,
                                  mtr_moment at,
                                  const mtr_rows *rows,
                                  mtr_answer *answer);

/*
 Changes fee control: MTR_MODE_LOCAL with `initial` (10^-7 of the currency) in a new purse, or MTR_MODE_REMOTE, which
 clears the purse. MTR_ERR_PARAMETER for another mode. Otherwise as mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_set_mode(mtr_prepaid *prepaid,
                                uint8_t mode,
                                int64_t initial,
                                mtr_moment at,
                                const mtr_rows *rows,
                                mtr_answer *answer);

/*
 Sets the limits of the purse. MTR_ERR_PARAMETER for one below 0. Otherwise as mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_set_limits(mtr_prepaid *prepaid,
                                  const mtr_purse_limits *limits,
                                  mtr_moment at,
                                  const mtr_rows *rows,
                                  mtr_answer *answer);

/*
 Obeys a command to the relay, MTR_COMMAND_...; a trip is refused while keep power is on. MTR_ERR_PARAMETER for
 another command. Otherwise as mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_command(mtr_prepaid *prepaid,
                               uint8_t command,
                               uint32_t seconds,
                               mtr_moment at,
                               const mtr_rows *rows,
                               mtr_answer *answer);

/*
 The key of the meter was pressed long enough: closes after alarm 2, at zero where there is emergency credit, after a
 command that allows it, and after an over-power trip. `effect.relay_open` of the answer tells. Otherwise as
 mtr_prepaid_open. `rows` may be NULL.
 */
mtr_result mtr_prepaid_key(mtr_prepaid *prepaid,
                           mtr_moment at,
                           const mtr_rows *rows,
                           mtr_answer *answer);

/*
 Makes a journal over the flash in `storage` of `size` bytes (at least MTR_JOURNAL_SIZE, aligned to MTR_ALIGN), and
 puts in order what a power cut left: this reads the whole flash. Erased flash is an empty journal. MTR_ERR_PARAMETER
 when the pages do not fit, MTR_ERR_CALLBACK when a callback is missing or failed, MTR_ERR_STATE when both halves are
 damaged or cannot be read.
 */
mtr_result mtr_journal_init(void *storage,
                            size_t size,
                            const mtr_flash *flash,
                            mtr_journal **journal);

/*
 Copies the record of `key` to `out` and its length to `len`. MTR_MORE: there is none; MTR_ERR_LENGTH when `capacity`
 is less; MTR_ERR_STATE when the flash cannot be read.
 */
mtr_result mtr_journal_read(mtr_journal *journal,
                            uint16_t key,
                            uint8_t *out,
                            size_t capacity,
                            size_t *len);

/*
 Makes `record` of `record_len` bytes (1 to MTR_RECORD_MAX) the record of `key`: after MTR_OK it is there whatever the
 power does. MTR_ERR_FULL when no room is left, MTR_ERR_CALLBACK when the flash refuses: the old record then stays, or
 the new one is there.
 */
mtr_result mtr_journal_write(mtr_journal *journal,
                             uint16_t key,
                             const uint8_t *record,
                             size_t record_len);

/*
 Forgets the record of `key`; the codes are those of mtr_journal_write.
 */
mtr_result mtr_journal_remove(mtr_journal *journal, uint16_t key);

/*
 Ends a journal; the storage is free then, the records stay.
 */
mtr_result mtr_journal_end(mtr_journal *journal);

/*
 Makes a new meter in `storage` of `size` bytes (at least MTR_PREPAID_SIZE, aligned to MTR_ALIGN): with `local` 1 the
 purse decides, with 0 it only counts, under fee control from afar. MTR_ERR_PARAMETER for a limit below 0.
 */
mtr_result mtr_prepaid_init(void *storage,
                            size_t size,
                            uint8_t local,
                            const mtr_purse_limits *limits,
                            mtr_prepaid **prepaid);

/*
 As mtr_prepaid_init, from the state that mtr_prepaid_save wrote; `sequence` gets its number, the next state is saved
 with the next one. MTR_ERR_STATE when the bytes are damaged, of a later version or of another shape.
 */
mtr_result mtr_prepaid_init_stored(void *storage,
                                   size_t size,
                                   const uint8_t *state,
                                   size_t len,
                                   uint32_t *sequence,
                                   mtr_prepaid **prepaid);

/*
 Writes the whole state with version, `sequence` and check value to `out` (MTR_PREPAID_STATE_MAX bytes are enough) and
 its length to `len`. Where there is no journal, write it to two pages in turn and take the whole one with the higher
 number.
 */
mtr_result mtr_prepaid_save(const mtr_prepaid *prepaid,
                            uint32_t sequence,
                            uint8_t *out,
                            size_t capacity,
                            size_t *len);

/*
 Takes time, totals and power: books the energy since the last call at the rate of that call, and carries out what
 time brings. Call it at least at every mtr_prepaid_next_deadline. `rows` may be NULL: then rows are numbered but not
 kept. MTR_ERR_CALLBACK: a row was refused, and the object has ended.
 */
mtr_result mtr_prepaid_advance(mtr_prepaid *prepaid,
                               const mtr_tariff *tariff,
                               const mtr_energy *energy,
                               const mtr_rows *rows,
                               mtr_effect *effect);

/*
 When mtr_prepaid_advance is due at the latest, UTC seconds. MTR_MORE before its first call.
 */
mtr_result mtr_prepaid_next_deadline(const mtr_prepaid *prepaid,
                                     const mtr_tariff *tariff,
                                     int64_t *utc_s);

/*
 The clock was set from `before` to `after`; call mtr_prepaid_advance for `before` first. Set forward over boundaries,
 one settlement and one freeze of each kind follow; set back, none is repeated. `rows` may be NULL, and
 MTR_ERR_CALLBACK is as there.
 */
mtr_result mtr_prepaid_set_clock(mtr_prepaid *prepaid,
                                 mtr_moment before,
                                 mtr_moment after,
                                 const mtr_rows *rows);

/*
 Freezes all registers now. `rows` may be NULL, and MTR_ERR_CALLBACK is as with mtr_prepaid_advance.
 */
mtr_result mtr_prepaid_freeze(mtr_prepaid *prepaid, mtr_moment at, const mtr_rows *rows);

/*
 Clears maximum demand; the row has what was held. `rows` may be NULL, and MTR_ERR_CALLBACK is as with
 mtr_prepaid_advance.
 */
mtr_result mtr_prepaid_clear_demand(mtr_prepaid *prepaid,
                                    mtr_moment at,
                                    const mtr_rows *rows);

/*
 Programs the switch of tables to their other set, MTR_SECOND_... together, at `at`; a time that is not after `now`
 takes a waiting one back. MTR_ERR_PARAMETER for other bits.
 */
mtr_result mtr_prepaid_arm(mtr_prepaid *prepaid,
                           uint8_t tables,
                           mtr_moment at,
                           mtr_moment now);

/*
 Takes over totals without booking: another metering core was put in, or another feature word holds from now on.
 */
mtr_result mtr_prepaid_set_totals(mtr_prepaid *prepaid,
                                  const mtr_tariff *tariff,
                                  const mtr_energy *energy);

/*
 Ends a meter; the storage is free then.
 */
mtr_result mtr_prepaid_end(mtr_prepaid *prepaid);

/*
 The purse as it stands.
 */
mtr_result mtr_prepaid_account(const mtr_prepaid *prepaid, mtr_account *account);

/*
 Relay wish, rate, price and status words; `shown` is what the shell knows.
 */
mtr_result mtr_prepaid_status(const mtr_prepaid *prepaid,
                              const mtr_tariff *tariff,
                              mtr_shown shown,
                              mtr_fee_status *status);

/*
 All energy registers.
 */
mtr_result mtr_prepaid_registers(const mtr_prepaid *prepaid, mtr_fee_registers *registers);

/*
 Demand of a direction (0 forward, 1 reverse): the maxima since the last reset, and the last window that ended.
 MTR_ERR_PARAMETER for another direction.
 */
mtr_result mtr_prepaid_demand(const mtr_prepaid *prepaid,
                              uint8_t direction,
                              mtr_maxima *maxima,
                              mtr_demand *present);

/*
 The last purchases, `number` 1 the newest, up to 10. MTR_MORE when there was none yet, MTR_ERR_PARAMETER for another
 number.
 */
mtr_result mtr_prepaid_purchase(const mtr_prepaid *prepaid,
                                uint8_t number,
                                mtr_purchase *purchase);

/*
 Reads a row of `len` bytes; what its keeper put behind it is not looked at. MTR_ERR_STATE when it is none.
 */
mtr_result mtr_row_decode(const uint8_t *bytes,
                          size_t len,
                          mtr_row *row);

/*
 Copies and checks tables and terms into `storage` of `size` bytes (MTR_TARIFF_SMALL_SIZE, MTR_TARIFF_FULL_SIZE, or
 MTR_TARIFF_SIZE and what the rows need; aligned to MTR_ALIGN). `second` may be NULL: then both sets are the same.
 MTR_ERR_PARAMETER for a broken rule, whose number is in `broken` then (MTR_BROKEN_NONE otherwise);
 MTR_ERR_LENGTH when the rows do not fit; the codes of pointers for the rows too.
 */
mtr_result mtr_tariff_init(void *storage,
                           size_t size,
                           const mtr_tables *first,
                           const mtr_tables *second,
                           const mtr_terms *terms,
                           mtr_broken *broken,
                           mtr_tariff **tariff);

/*
 The rate in force at an instant. `second` says which tables run with their second set, MTR_SECOND_... together: 0 for
 the first sets, mtr_fee_status has what a meter runs with. MTR_ERR_PARAMETER for other bits or an instant outside its
 range.
 */
mtr_result mtr_tariff_rate(const mtr_tariff *tariff,
                           uint8_t second,
                           mtr_moment at,
                           mtr_rate_at *rate);

/*
 Fills in the defaults: forward energy is charged, settlement and reset of the tiers at 00:00 of the first, every day
 a work day, no holidays, friendly hours, standing charge, limits, freezes, load records or demand.
 */
mtr_result mtr_terms_defaults(mtr_terms *terms);

/*
 Reads a token as it is typed, 20 digits with spaces and hyphens between, `digits_len` characters without NUL.
 MTR_ERR_VALUE when they are none; MTR_ERR_SEAL: mistyped, or meant for another meter; MTR_ERR_CALLBACK when the
 cipher fails or is missing. Its identifier is to be spent (mtr_spent_spend) before it has an effect.
 */
mtr_result mtr_token_decode(const char *digits,
                            size_t digits_len,
                            const mtr_cipher *cipher,
                            mtr_token *token);

/*
 Makes the 20 digits of a token: the text with its NUL goes to `out` (MTR_TOKEN_TEXT bytes are enough).
 MTR_ERR_PARAMETER when a field does not fit its bits, MTR_ERR_CALLBACK when the cipher fails or is missing.
 */
mtr_result mtr_token_encode(const mtr_token *token,
                            const mtr_cipher *cipher,
                            char *out,
                            size_t capacity);

/*
 Makes the memory of spent tokens in `storage` of `size` bytes (at least MTR_SPENT_SIZE, aligned to MTR_ALIGN):
 `state` is what mtr_spent_save wrote, or no bytes for a new key. MTR_ERR_STATE for other bytes.
 */
mtr_result mtr_spent_init(void *storage,
                          size_t size,
                          const uint8_t *state,
                          size_t len,
                          mtr_spent **spent);

/*
 Takes the identifier `tid` of a token once. `key_expiry` is the number of its key, 255 for a key without end.
 MTR_ERR_REFUSED: `reason` is 1 used before, 2 older than what is remembered, 3 issued after the key expired, 255 anything else;
 MTR_ERR_PARAMETER above 24 bits.
 */
mtr_result mtr_spent_spend(mtr_spent *spent,
                           uint32_t tid,
                           uint8_t key_expiry,
                           uint8_t *reason);

/*
 Writes the state to `out`, MTR_SPENT_LEN bytes; its check value is that of the record around it. MTR_ERR_LENGTH when
 `capacity` is less.
 */
mtr_result mtr_spent_save(const mtr_spent *spent,
                          uint8_t *out,
                          size_t capacity);

/*
 Forgets all: a key change with roll-over.
 */
mtr_result mtr_spent_clear(mtr_spent *spent);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* METERKIT_METER_H */
