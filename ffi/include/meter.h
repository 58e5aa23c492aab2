/* meterkit: the C interface. Generated from ffi/src by `cargo xtask header`; do not edit. */

#ifndef METERKIT_METER_H
#define METERKIT_METER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Rules
 *  - Every function that can fail returns an mtr_result; results come through pointers.
 *  - No heap and no global state: the caller owns the storage of every object. MTR_*_SIZE bytes,
 *    aligned to MTR_ALIGN, are enough; the storage must not move while the object is used.
 *  - A pointer to const is not written through. NULL, misaligned and short arguments answer a code.
 *  - Objects are used by one thread at a time; different objects are independent.
 *  - Numbers of mtr_result never change their meaning.
 */


/*
 Version of this interface; see mtr_abi_version.
 */
#define MTR_ABI_VERSION 1

/*
 Alignment of the storage of every object, in bytes.
 */
#define MTR_ALIGN 16

/*
 Bytes of storage of an mtr_dlt645_decoder.
 */
#define MTR_DLT645_DECODER_SIZE 288

/*
 Most data bytes of a frame.
 */
#define MTR_DLT645_DATA_MAX 200

/*
 Bytes of storage of an mtr_metrology1.
 */
#define MTR_METROLOGY1_SIZE 4096

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
   Nothing is wrong, but there is no result yet: give more input.
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
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum mtr_result mtr_result;
#else
typedef int32_t mtr_result;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A stream decoder: any split of the bytes, noise and preambles skipped. Opaque.
 */
typedef struct mtr_dlt645_decoder mtr_dlt645_decoder;

/*
 The chain of one voltage and one current. Opaque.
 */
typedef struct mtr_metrology1 mtr_metrology1;

/*
 One frame.
 */
typedef struct {
  /*
   The address, BCD, most significant digits first.
   */
  uint8_t address[6];
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
 Constants of a single-phase meter. Begin with mtr_metrology1_defaults.
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
   Voltage gain, 2^30 is 1.
   */
  uint32_t voltage_gain;
  /*
   Current gain, 2^30 is 1.
   */
  uint32_t current_gain;
  /*
   Time by which the current arrives late, nanoseconds.
   */
  int32_t delay_ns;
  /*
   Angle by which the current is measured early, 2^-32 turn.
   */
  int32_t angle;
  /*
   One step of the energy registers, milliwatt-hours.
   */
  uint32_t energy_step_mwh;
  /*
   Pulses per kilowatt-hour.
   */
  uint32_t pulses_per_kwh;
} mtr_metrology1_parameters;

/*
 One simultaneous pair of samples, counts of at most 24 bits.
 */
typedef struct {
  /*
   Voltage.
   */
  int32_t u;
  /*
   Current; positive power is import.
   */
  int32_t i;
} mtr_sample1;

/*
 Quantities of the last window of whole cycles.
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
   Power factor, millionths, with the sign of the active power.
   */
  int32_t power_factor_ppm;
  /*
   Frequency, microhertz; 0 when no fundamental was found.
   */
  uint32_t frequency_uhz;
  /*
   Number of the window since the chain started.
   */
  uint64_t number;
  /*
   Whole cycles covered.
   */
  uint16_t cycles;
  /*
   Bit 0: a voltage sample reached the converter's limit, bit 1: a current sample.
   */
  uint16_t saturated;
} mtr_quantities1;

/*
 Energy registers, in steps of energy_step_mwh.
 */
typedef struct {
  /*
   Steps taken from the grid.
   */
  uint64_t imported;
  /*
   Steps given to the grid.
   */
  uint64_t exported;
  /*
   Pulses given.
   */
  uint64_t pulses;
} mtr_registers1;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The version of the library that is linked. Compare it with MTR_ABI_VERSION of the header.
 */
uint32_t mtr_abi_version(void);

/*
 Makes a decoder in `storage` of `size` bytes (at least MTR_DLT645_DECODER_SIZE, aligned to
 MTR_ALIGN) and puts its handle into `decoder`. Nothing is to be freed.

 # Safety
 The rules of the header: `storage` is writable for `size` bytes and does not move while in use.
 */
mtr_result mtr_dlt645_decoder_init(uint8_t *storage, size_t size, mtr_dlt645_decoder **decoder);

/*
 Feeds `len` bytes from the line. Takes bytes until a frame ends or they run out and puts the number
 taken into `used`; call again with the rest. MTR_OK: a frame is in `frame`. MTR_MORE: none yet.

 # Safety
 The rules of the header.
 */
mtr_result mtr_dlt645_decoder_push(mtr_dlt645_decoder *decoder,
                                   const uint8_t *bytes,
                                   size_t len,
                                   size_t *used,
                                   mtr_dlt645_frame *frame);

/*
 What the decoder refused since it was made.

 # Safety
 The rules of the header.
 */
mtr_result mtr_dlt645_decoder_refusals(const mtr_dlt645_decoder *decoder,
                                       mtr_dlt645_refusals *refusals);

/*
 Writes a frame into `out` of `capacity` bytes, without a preamble, and its length (12 and the data)
 into `len`.

 # Safety
 The rules of the header.
 */
mtr_result mtr_dlt645_encode(const mtr_dlt645_frame *frame,
                             uint8_t *out,
                             size_t capacity,
                             size_t *len);

/*
 The number that the `len` data bytes of an answer (behind the identifier, without the 33H) hold for
 the identifier `id` (DI3 highest). MTR_ERR_IDENTIFIER: not in the catalogue; MTR_ERR_VALUE: the data
 do not have its format, the meter marked it as absent, or it is no number.

 # Safety
 The rules of the header.
 */
mtr_result mtr_dlt645_number(uint32_t id,
                             const uint8_t *data,
                             size_t len,
                             mtr_number *number);

/*
 Fills in the defaults: unit gains, 60 uV and 24 uA a count, 0.1 Wh steps, 6400 imp/kWh.

 # Safety
 The rules of the header.
 */
mtr_result mtr_metrology1_defaults(uint32_t sample_rate_mhz,
                                   uint32_t nominal_mhz,
                                   mtr_metrology1_parameters *parameters);

/*
 Makes a chain in `storage` of `size` bytes (at least MTR_METROLOGY1_SIZE, aligned to MTR_ALIGN).
 MTR_ERR_PARAMETER when a constant is outside its range.

 # Safety
 The rules of the header: `storage` is writable for `size` bytes and does not move while in use.
 */
mtr_result mtr_metrology1_init(uint8_t *storage,
                               size_t size,
                               const mtr_metrology1_parameters *parameters,
                               mtr_metrology1 **chain);

/*
 Processes `count` samples and puts the number of windows that closed into `windows`.

 # Safety
 The rules of the header.
 */
mtr_result mtr_metrology1_process(mtr_metrology1 *chain,
                                  const mtr_sample1 *samples,
                                  size_t count,
                                  uint32_t *windows);

/*
 The quantities of the last window; MTR_MORE before the first.

 # Safety
 The rules of the header.
 */
mtr_result mtr_metrology1_quantities(const mtr_metrology1 *chain, mtr_quantities1 *quantities);

/*
 The energy registers up to the last window that closed; the rest is carried, never lost.

 # Safety
 The rules of the header.
 */
mtr_result mtr_metrology1_registers(const mtr_metrology1 *chain, mtr_registers1 *registers);

/*
 A sentence for a result code, never NULL; unknown numbers have one too. Lives for ever.
 */
const char *mtr_result_text(int32_t code);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* METERKIT_METER_H */
