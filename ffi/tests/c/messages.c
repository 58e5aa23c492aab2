/* Every kind of message written and read again, what is refused, and names for people. */
#include "meter.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                             \
    do {                                                             \
        if (!(condition)) {                                          \
            printf("line %d: %s\n", __LINE__, #condition);           \
            return 1;                                                \
        }                                                            \
    } while (0)

static const mtr_proto_head HEAD = {1795219200, 3, 41, 2, MTR_STREAM_LEGAL, MTR_CLOCK_LEGAL};
static uint8_t message[2048];
static size_t len;

static int same_head(const mtr_proto_head *head)
{
    return head->time == HEAD.time && head->boot == HEAD.boot && head->seq == HEAD.seq && head->node == HEAD.node &&
           head->stream == HEAD.stream && head->clk == HEAD.clk;
}

static int points(void)
{
    mtr_proto_parts parts = {MTR_QUANTITY_ACTIVE_ENERGY, 0, MTR_DIRECTION_IMPORT, 2, 0, 0, 0, 0}, again;
    mtr_obis obis = {{1, 0, 1, 8, 2, 255}}, back;
    mtr_proto_value value = {123450, 0, -3};
    uint64_t point, other;
    int64_t mantissa;
    char text[64];
    size_t text_len;

    CHECK(mtr_proto_point(&parts, &point) == MTR_OK);
    CHECK(mtr_proto_point_parts(point, &again) == MTR_OK && memcmp(&parts, &again, sizeof parts) == 0);
    CHECK(mtr_proto_point_from_obis(obis, &other) == MTR_OK && other == point);
    CHECK(mtr_proto_point_to_obis(point, &back) == MTR_OK && memcmp(&obis, &back, sizeof obis) == 0);
    CHECK(mtr_proto_point_name(point, MTR_LANG_EN, text, sizeof text, &text_len) == MTR_OK);
    CHECK(strcmp(text, "Active energy import, tariff 2") == 0 && text_len == strlen(text));
    CHECK(mtr_proto_point_name(point, MTR_LANG_EN, text, 30, &text_len) == MTR_ERR_LENGTH);
    CHECK(mtr_proto_point_name(point, 7, text, sizeof text, &text_len) == MTR_ERR_PARAMETER);
    CHECK(mtr_proto_point_unit(point, text, sizeof text, &text_len) == MTR_OK && strcmp(text, "Wh") == 0);
    parts.tariff = 64;
    CHECK(mtr_proto_point(&parts, &point) == MTR_ERR_PARAMETER);
    CHECK(mtr_proto_value_text(&value, text, sizeof text, &text_len) == MTR_OK && strcmp(text, "123.450") == 0);
    CHECK(mtr_proto_value_mantissa_at(&value, -2, &mantissa) == MTR_OK && mantissa == 12345);
    CHECK(mtr_proto_value_mantissa_at(&value, -1, &mantissa) == MTR_ERR_VALUE);
    value.quality = 1;
    CHECK(mtr_proto_value_text(&value, text, sizeof text, &text_len) == MTR_ERR_VALUE);
    return 0;
}

static int snapshots(void)
{
    mtr_proto_sample samples[65], again[64];
    mtr_proto_head head;
    mtr_proto_event event;
    size_t at, count;
    uint8_t kind;

    memset(samples, 0, sizeof samples);
    for (at = 0; at < 65; at++) {
        samples[at].point = MTR_QUANTITY_VOLTAGE;
        samples[at].value.mantissa = at % 2 ? INT64_MIN + (int64_t)at : (int64_t)at;
        samples[at].value.exponent = (int8_t)(at - 32);
        samples[at].value.quality = at % 3 ? 0 : MTR_QUALITY_ESTIMATED | MTR_QUALITY_STALE;
    }
    CHECK(mtr_proto_snapshot_write(&HEAD, samples, 65, message, sizeof message, &len) == MTR_ERR_LENGTH);
    CHECK(mtr_proto_snapshot_write(&HEAD, samples, 64, message, sizeof message, &len) == MTR_OK);
    CHECK(mtr_proto_snapshot_read(message, len, &head, again, 63, &count) == MTR_ERR_LENGTH);
    CHECK(mtr_proto_snapshot_read(message, len, &head, again, 64, &count) == MTR_OK && count == 64 && same_head(&head));
    for (at = 0; at < 64; at++)
        CHECK(again[at].point == samples[at].point && again[at].value.mantissa == samples[at].value.mantissa &&
              again[at].value.exponent == samples[at].value.exponent &&
              again[at].value.quality == samples[at].value.quality);
    CHECK(mtr_proto_peek(message, len, &kind, &head) == MTR_OK && kind == MTR_KIND_SNAPSHOT && same_head(&head));
    CHECK(mtr_proto_event_read(message, len, &head, &event) == MTR_ERR_IDENTIFIER);
    CHECK(mtr_proto_snapshot_read(message, len - 1, &head, again, 64, &count) == MTR_ERR_FRAME);
    CHECK(mtr_proto_snapshot_write(&HEAD, samples, 64, message, len - 1, &len) == MTR_ERR_LENGTH);
    samples[5].value.quality = 0x8000;
    CHECK(mtr_proto_snapshot_write(&HEAD, samples, 6, message, sizeof message, &len) == MTR_ERR_VALUE);
    return 0;
}

static int events(void)
{
    mtr_proto_event event, again;
    mtr_proto_head head;
    char text[400];
    size_t text_len;

    memset(&event, 0, sizeof event);
    event.code = MTR_EVENT_OVER_VOLTAGE;
    event.severity = 4;
    event.phase = MTR_EVENT_RAISED;
    event.instance = 9;
    event.point = MTR_QUANTITY_VOLTAGE;
    event.value.mantissa = 2531;
    event.value.exponent = -1;
    event.has_value = 1;
    CHECK(mtr_proto_event_write(&HEAD, &event, message, sizeof message, &len) == MTR_OK && len < 80);
    CHECK(mtr_proto_event_read(message, len, &head, &again) == MTR_OK && same_head(&head));
    CHECK(again.code == event.code && again.severity == 4 && again.phase == MTR_EVENT_RAISED && again.instance == 9 &&
          again.point == event.point && again.has_value == 1 && again.value.mantissa == 2531 && again.has_limit == 0);
    CHECK(mtr_proto_event_name(event.code, MTR_LANG_EN, text, sizeof text, &text_len) == MTR_OK);
    CHECK(strcmp(text, "Voltage above its limit") == 0);
    CHECK(mtr_proto_event_name(0xFFFF, MTR_LANG_EN, text, sizeof text, &text_len) == MTR_ERR_IDENTIFIER);
    CHECK(mtr_proto_json(message, len, MTR_LANG_EN, text, sizeof text, &text_len) == MTR_OK);
    CHECK(text_len == strlen(text) && strstr(text, "Voltage above its limit") != NULL);
    CHECK(mtr_proto_json(message, len, MTR_LANG_EN, text, text_len + 1, &text_len) == MTR_OK);
    CHECK(mtr_proto_json(message, len, MTR_LANG_EN, text, text_len, &text_len) == MTR_ERR_LENGTH);
    return 0;
}

static int profiles(void)
{
    mtr_proto_profile profile = {MTR_QUANTITY_ACTIVE_ENERGY, 0, 900, 1}, again;
    mtr_proto_run runs[2] = {{3, 2, MTR_QUALITY_MISSING}, {90, 6, MTR_QUALITY_ESTIMATED}};
    mtr_proto_value read[96];
    mtr_proto_head head;
    int64_t values[96];
    size_t at, count;

    for (at = 0; at < 96; at++)
        values[at] = 12345678 + (int64_t)(at * 12 + at % 5);
    CHECK(mtr_proto_profile_write(&HEAD, &profile, values, 96, runs, 2, message, sizeof message, &len) == MTR_OK);
    /* A day of quarters is short. */
    CHECK(len < 110);
    CHECK(mtr_proto_profile_read(message, len, &head, &again, read, 95, &count) == MTR_ERR_LENGTH);
    CHECK(mtr_proto_profile_read(message, len, &head, &again, read, 96, &count) == MTR_OK && count == 96);
    CHECK(same_head(&head) && again.point == profile.point && again.step_s == 900 && again.age_s == 0 &&
          again.exponent == 1);
    for (at = 0; at < 96; at++)
        CHECK(read[at].mantissa == values[at] && read[at].exponent == 1 &&
              read[at].quality == (at == 3 || at == 4 ? MTR_QUALITY_MISSING : at >= 90 ? MTR_QUALITY_ESTIMATED : 0));
    runs[1].first = 4;
    CHECK(mtr_proto_profile_write(&HEAD, &profile, values, 96, runs, 2, message, sizeof message, &len) == MTR_ERR_VALUE);
    CHECK(mtr_proto_profile_write(&HEAD, &profile, values, 0, NULL, 0, message, sizeof message, &len) == MTR_ERR_VALUE);
    profile.step_s = 0;
    CHECK(mtr_proto_profile_write(&HEAD, &profile, values, 1, NULL, 0, message, sizeof message, &len) == MTR_ERR_VALUE);
    return 0;
}

static int commands(void)
{
    mtr_proto_command command, again;
    mtr_proto_command_result result, other;
    mtr_proto_head head;
    uint16_t code;

    for (code = MTR_COMMAND_RELAY; code <= MTR_COMMAND_ACCOUNT; code++) {
        /* Only the fields of the code come back; the others are 0. */
        memset(&command, 0, sizeof command);
        command.id = 0xFEDCBA9876543210u;
        command.issuer = 77;
        command.not_before = 1795219200;
        command.expires = 1795222800;
        command.priority = 1;
        command.code = code;
        switch (code) {
        case MTR_COMMAND_RELAY: command.circuit = 1, command.closed = 1; break;
        case MTR_COMMAND_LIMIT:
            command.until = 1795230000;
            /* fall through */
        case MTR_COMMAND_SET:
            command.point = MTR_QUANTITY_ACTIVE_POWER;
            command.value.mantissa = -5;
            command.value.exponent = 3;
            break;
        case MTR_COMMAND_CONFIG: command.key = 9, command.byte_count = 64, memset(command.bytes, 7, 64); break;
        case MTR_COMMAND_READ: command.point_count = 2, command.points[0] = 8, command.points[1] = 1; break;
        case MTR_COMMAND_SEALED: command.purpose = 11, command.byte_count = 160, memset(command.bytes, 9, 160); break;
        case MTR_COMMAND_ACTIVATE: command.file = 5, command.until = 3, command.trial_s = 600; break;
        case MTR_COMMAND_ACCOUNT: command.account = 2; break;
        default: break;
        }
        CHECK(mtr_proto_command_write(&HEAD, &command, message, 300, &len) == MTR_OK);
        memset(&again, 0, sizeof again);
        CHECK(mtr_proto_command_read(message, len, &head, &again) == MTR_OK && same_head(&head));
        CHECK(again.id == command.id && again.issuer == 77 && again.not_before == command.not_before &&
              again.expires == command.expires && again.priority == 1 && again.code == code);
        CHECK(again.circuit == command.circuit && again.closed == command.closed && again.until == command.until &&
              again.point == command.point && again.value.mantissa == command.value.mantissa &&
              again.value.exponent == command.value.exponent && again.key == command.key);
        CHECK(again.point_count == command.point_count && again.points[0] == command.points[0] &&
              again.points[1] == command.points[1] && again.purpose == command.purpose &&
              again.byte_count == command.byte_count && memcmp(again.bytes, command.bytes, sizeof again.bytes) == 0);
        CHECK(again.file == command.file && again.trial_s == command.trial_s && again.account == command.account);
    }
    command.code = 99;
    CHECK(mtr_proto_command_write(&HEAD, &command, message, 300, &len) == MTR_ERR_PARAMETER);
    command.code = MTR_COMMAND_SEALED;
    command.byte_count = 161;
    CHECK(mtr_proto_command_write(&HEAD, &command, message, 300, &len) == MTR_ERR_LENGTH);
    command.code = MTR_COMMAND_CONFIG;
    command.byte_count = 65;
    CHECK(mtr_proto_command_write(&HEAD, &command, message, 300, &len) == MTR_ERR_LENGTH);

    memset(&result, 0, sizeof result);
    result.id = 12;
    result.status = MTR_STATUS_DONE;
    result.time = 1795219201;
    result.clk = MTR_CLOCK_LEGAL;
    result.detail = 0x11;
    result.has_value = 1;
    result.value.mantissa = 42;
    result.has_sealed = 1;
    result.purpose = 11;
    result.sealed_len = 3;
    memcpy(result.sealed, "abc", 3);
    CHECK(mtr_proto_command_result_write(&HEAD, &result, message, 300, &len) == MTR_OK);
    CHECK(mtr_proto_command_result_read(message, len, &head, &other) == MTR_OK && same_head(&head));
    CHECK(other.id == 12 && other.status == MTR_STATUS_DONE && other.time == result.time && other.clk == result.clk &&
          other.detail == 0x11 && other.has_value == 1 && other.value.mantissa == 42 && other.has_sealed == 1 &&
          other.purpose == 11 && other.sealed_len == 3 && memcmp(other.sealed, "abc", 4) == 0);
    return 0;
}

static int acknowledgements(void)
{
    mtr_proto_acknowledgement told, again;
    mtr_proto_head head;

    memset(&told, 0, sizeof told);
    told.stream = MTR_STREAM_LEGAL;
    told.boot = 3;
    told.contiguous = 40;
    told.gaps = 2;
    told.gap[0].first = 42;
    told.gap[0].last = 43;
    told.gap[1].first = told.gap[1].last = 50;
    CHECK(mtr_proto_acknowledgement_write(&HEAD, &told, message, 128, &len) == MTR_OK);
    CHECK(mtr_proto_acknowledgement_read(message, len, &head, &again) == MTR_OK && same_head(&head));
    CHECK(again.stream == told.stream && again.boot == 3 && again.contiguous == 40 && again.gaps == 2 &&
          memcmp(again.gap, told.gap, sizeof told.gap) == 0);
    told.gaps = 9;
    CHECK(mtr_proto_acknowledgement_write(&HEAD, &told, message, 128, &len) == MTR_ERR_LENGTH);
    return 0;
}

int main(void)
{
    if (points() || snapshots() || events() || profiles() || commands() || acknowledgements())
        return 1;
    printf("every message came back\n");
    return 0;
}
