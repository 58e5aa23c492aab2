/* What a module costs: each of these calls what a program of that kind calls, and nothing else. Not to be run. */
#include "meter.h"

void _exit(int status);
void _exit(int status)
{
    (void)status;
    for (;;) {
    }
}

/* Values that the compiler cannot know. */
void *volatile place;
volatile uint32_t number;

#define CALL(call) (number = (uint32_t)(call))

#if defined(MODULE_DECODER)
int main(void)
{
    mtr_dlt645_decoder *decoder;
    CALL(mtr_dlt645_decoder_init(place, number, &decoder));
    CALL(mtr_dlt645_decoder_push(decoder, place, number, place, place));
    CALL(mtr_dlt645_encode(place, place, number, place));
    return 0;
}
#elif defined(MODULE_NUMBER)
int main(void)
{
    CALL(mtr_dlt645_number(number, number, place, number, place));
    return 0;
}
#elif defined(MODULE_MASTER)
int main(void)
{
    mtr_dlt645_master *master;
    mtr_dlt645_address meter = {{0}};
    CALL(mtr_dlt645_master_init(place, number, place, &master));
    CALL(mtr_dlt645_master_read(master, number, meter, number));
    CALL(mtr_dlt645_master_handle_bytes(master, number, place, number));
    CALL(mtr_dlt645_master_handle_timeout(master, number));
    CALL(mtr_dlt645_master_poll_transmit(master, place, place));
    CALL(mtr_dlt645_master_poll_event(master, place));
    CALL(mtr_dlt645_master_poll_timeout(master, place));
    return 0;
}
#elif defined(MODULE_SLAVE)
int main(void)
{
    mtr_dlt645_slave *slave;
    CALL(mtr_dlt645_slave_init(place, number, place, &slave));
    CALL(mtr_dlt645_slave_handle_bytes(slave, number, place, number, place, place));
    CALL(mtr_dlt645_slave_handle_timeout(slave, number, place));
    CALL(mtr_dlt645_slave_poll_transmit(slave, place, place));
    CALL(mtr_dlt645_slave_poll_event(slave, place));
    CALL(mtr_dlt645_slave_poll_timeout(slave, place));
    return 0;
}
#elif defined(MODULE_CHAIN1)
int main(void)
{
    mtr_metrology1 *chain;
    CALL(mtr_metrology_defaults(number, number, place));
    CALL(mtr_metrology1_init(place, number, place, &chain));
    CALL(mtr_metrology1_process(chain, place, number, place));
    CALL(mtr_metrology1_quantities(chain, place));
    CALL(mtr_metrology1_registers(chain, place));
    CALL(mtr_metrology1_save(chain, place, number, place));
    CALL(mtr_metrology1_restore(chain, place, number));
    return 0;
}
#elif defined(MODULE_CHAIN3)
int main(void)
{
    mtr_metrology3 *chain;
    CALL(mtr_metrology_defaults(number, number, place));
    CALL(mtr_metrology3_init(place, number, place, &chain));
    CALL(mtr_metrology3_process(chain, place, number, place));
    CALL(mtr_metrology3_quantities(chain, place));
    CALL(mtr_metrology3_registers(chain, place));
    CALL(mtr_metrology3_save(chain, place, number, place));
    CALL(mtr_metrology3_restore(chain, place, number));
    return 0;
}
#elif defined(MODULE_PULSE)
int main(void)
{
    mtr_pulse *pulse;
    CALL(mtr_pulse_init(place, number, number, number, &pulse));
    CALL(mtr_pulse_advance(pulse, number, number, number));
    CALL(mtr_pulse_next(pulse, place));
    return 0;
}
#elif defined(MODULE_ADJUST)
int main(void)
{
    CALL(mtr_adjust_open(place, place, place, place));
    CALL(mtr_adjust_gains(place, place, place, place, place));
    CALL(mtr_adjust_phase(place, place, place, place, number, place));
    CALL(mtr_adjust_power_offset(place, place, place, place, place));
    return 0;
}
#elif defined(MODULE_QUALITY)
int main(void)
{
    mtr_quality3 *analyzer;
    CALL(mtr_quality3_init(place, number, place, &analyzer));
    CALL(mtr_quality3_set_clock(analyzer, number));
    CALL(mtr_quality3_process(analyzer, place, number, place));
    return 0;
}
#elif defined(MODULE_ENERGY1) || defined(MODULE_ENERGY3)
#if defined(MODULE_ENERGY1)
#define ENERGY(name) mtr_energy1##name
#else
#define ENERGY(name) mtr_energy3##name
#endif
int main(void)
{
    ENERGY() *core;
    CALL(ENERGY(_init)(place, number, place, place, &core));
    CALL(ENERGY(_process)(core, place, number, place));
    CALL(ENERGY(_interval)(core, place));
    CALL(ENERGY(_state)(core, place));
    return 0;
}
#elif defined(MODULE_CONDITIONS)
int main(void)
{
    mtr_monitor *monitor;
    CALL(mtr_monitor_init(place, number, place, number, number, &monitor));
    CALL(mtr_monitor_update(monitor, place, place));
    return 0;
}
#elif defined(MODULE_SAFETY)
int main(void)
{
    mtr_thermal *line;
    mtr_cable *cable;
    mtr_residual *residual;
    mtr_arc *arc;
    CALL(mtr_thermal_init(place, number, place, place, number, number, &line));
    CALL(mtr_thermal_update(line, number, number, place));
    CALL(mtr_thermal_save(line, place, number, place));
    CALL(mtr_cable_init(place, number, place, &cable));
    CALL(mtr_cable_update(cable, line, (int32_t)number, (int32_t)number, number, place));
    CALL(mtr_residual_init(place, number, number, place, &residual));
    CALL(mtr_residual_take(residual, place, number));
    CALL(mtr_residual_close(residual, number, place));
    CALL(mtr_arc_init(place, number, place, &arc));
    CALL(mtr_arc_process1(arc, place, number, place));
    return 0;
}
#elif defined(MODULE_HARMONICS)
int main(void)
{
    mtr_quality3 *analyzer;
    mtr_harmonics *harmonics;
    CALL(mtr_quality3_init(place, number, place, &analyzer));
    CALL(mtr_quality3_process(analyzer, place, number, place));
    CALL(mtr_harmonics_init(place, number, number, number, &harmonics));
    CALL(mtr_harmonics_follow(harmonics, analyzer, place, number, number, place));
    CALL(mtr_harmonics_power(place, place, number, place, place));
    CALL(mtr_harmonics_unbalance(place, place, place, place));
    return 0;
}
#elif defined(MODULE_FLICKER)
int main(void)
{
    mtr_flicker *flicker;
    CALL(mtr_flicker_init(place, number, number, number, &flicker));
    CALL(mtr_flicker_process(flicker, place, number, number));
    CALL(mtr_flicker_finish(flicker, place));
    return 0;
}
#elif defined(MODULE_CIRCUITS)
int main(void)
{
    mtr_metrology3 *chain;
    mtr_circuits *circuits;
    CALL(mtr_metrology3_init(place, number, place, &chain));
    CALL(mtr_metrology3_quantities(chain, place));
    CALL(mtr_metrology3_registers(chain, place));
    CALL(mtr_circuits_init(place, number, chain, place, number, &circuits));
    CALL(mtr_circuits_process(circuits, chain, place, number, place, number, place));
    CALL(mtr_circuits_quantities(circuits, number, place));
    CALL(mtr_circuits_save(circuits, chain, place, number, place));
    CALL(mtr_circuits_restore(circuits, chain, place, number));
    return 0;
}
#elif defined(MODULE_DETAILS)
int main(void)
{
    mtr_metrology3 *chain;
    mtr_details3 *details;
    CALL(mtr_metrology3_init(place, number, place, &chain));
    CALL(mtr_metrology3_quantities(chain, place));
    CALL(mtr_metrology3_registers(chain, place));
    CALL(mtr_details3_init(place, number, chain, &details));
    CALL(mtr_details3_process(details, chain, place, number, place));
    CALL(mtr_details3_quantities(details, place));
    return 0;
}
#elif defined(MODULE_TARIFF)
int main(void)
{
    mtr_tariff *tariff;
    mtr_moment at = {0, 0};
    at.utc_s = number;
    CALL(mtr_terms_defaults(place));
    CALL(mtr_tariff_init(place, number, place, place, place, place, &tariff));
    CALL(mtr_tariff_rate(tariff, (uint8_t)number, at, place));
    return 0;
}
#elif defined(MODULE_PREPAID)
int main(void)
{
    mtr_tariff *tariff;
    mtr_prepaid *prepaid;
    mtr_moment at = {0, 0};
    mtr_shown shown = {0, 0, 0, 0};
    at.utc_s = number;
    CALL(mtr_terms_defaults(place));
    CALL(mtr_tariff_init(place, number, place, place, place, place, &tariff));
    CALL(mtr_prepaid_init(place, number, (uint8_t)number, place, &prepaid));
    CALL(mtr_prepaid_init_stored(place, number, place, number, place, &prepaid));
    CALL(mtr_prepaid_save(prepaid, number, place, number, place));
    CALL(mtr_prepaid_advance(prepaid, tariff, place, place, place));
    CALL(mtr_prepaid_next_deadline(prepaid, tariff, place));
    CALL(mtr_prepaid_set_clock(prepaid, at, at, place));
    CALL(mtr_prepaid_open(prepaid, place, at, place, place));
    CALL(mtr_prepaid_recharge(prepaid, place, at, place, place));
    CALL(mtr_prepaid_refund(prepaid, place, at, place, place));
    CALL(mtr_prepaid_close(prepaid, at, place, place));
    CALL(mtr_prepaid_command(prepaid, (uint8_t)number, number, at, place, place));
    CALL(mtr_prepaid_key(prepaid, at, place, place));
    CALL(mtr_prepaid_account(prepaid, place));
    CALL(mtr_prepaid_status(prepaid, tariff, shown, place));
    CALL(mtr_prepaid_registers(prepaid, place));
    return 0;
}
#elif defined(MODULE_JOURNAL)
int main(void)
{
    mtr_journal *journal;
    CALL(mtr_journal_init(place, number, place, &journal));
    CALL(mtr_journal_read(journal, (uint16_t)number, place, number, place));
    CALL(mtr_journal_write(journal, (uint16_t)number, place, number));
    return 0;
}
#elif defined(MODULE_TOKENS)
int main(void)
{
    mtr_spent *spent;
    CALL(mtr_token_decode(place, number, place, place));
    CALL(mtr_token_encode(place, place, place, number));
    CALL(mtr_spent_init(place, number, place, number, &spent));
    CALL(mtr_spent_spend(spent, number, (uint8_t)number, place));
    CALL(mtr_spent_save(spent, place, number));
    return 0;
}
#elif defined(MODULE_SEAL)
int main(void)
{
    mtr_key *key;
    mtr_key_id id = {{0}, 0};
    mtr_sealer *sealer;
    mtr_opener *opener;
    CALL(mtr_key_init(place, number, place, number, id, (uint8_t)number, (uint16_t)number, place, &key));
    CALL(mtr_sealer_init(place, number, key, (uint8_t)number, (uint8_t)number, number, number, &sealer));
    CALL(mtr_sealer_reservation(sealer, place));
    CALL(mtr_sealer_stored(sealer, number));
    CALL(mtr_sealer_seal(sealer, (uint8_t)number, place, number, place, number, place, number, place));
    CALL(mtr_opener_init(place, number, key, (uint8_t)number, (uint8_t)number, place, number, &opener));
    CALL(mtr_opener_open(opener, place, number, place, number, place));
    return 0;
}
#elif defined(MODULE_ORDERS)
int main(void)
{
    mtr_key *key;
    mtr_key_id id = {{0}, 0};
    mtr_responder *responder;
    mtr_session *session;
    mtr_gate *gate;
    CALL(mtr_key_init(place, number, place, number, id, (uint8_t)number, (uint16_t)number, place, &key));
    CALL(mtr_responder_init(place, number, &responder));
    CALL(mtr_responder_answer(responder, key, place, number, place, number, number, place, number, place));
    CALL(mtr_responder_finish(responder, key, place, number, number, place, number, &session));
    CALL(mtr_gate_init_session(place, number, session, key, place, number, &gate));
    CALL(mtr_gate_judge(gate, place, number, place, number, place, place, place));
    CALL(mtr_gate_finish(gate, (uint8_t)number, (uint8_t)number, place, place, place, number, place));
    return 0;
}
#elif defined(MODULE_KEYCHANGE)
int main(void)
{
    mtr_key *key;
    mtr_slot *slot;
    mtr_key_id id = {{0}, 0};
    CALL(mtr_key_init(place, number, place, number, id, (uint8_t)number, (uint16_t)number, place, &key));
    CALL(mtr_slot_init_stored(place, number, key, place, number, place, number, &slot));
    CALL(mtr_slot_stage(slot, key, key, place, number, (uint16_t)number, place));
    CALL(mtr_slot_proof(slot, key, (uint8_t)number, place, number, place, number));
    CALL(mtr_slot_prove(slot, key, (uint8_t)number, place, number, place, number, place));
    CALL(mtr_slot_seen(slot, key, (uint16_t)number, number, place));
    CALL(mtr_slot_abort(slot, key, place));
    CALL(mtr_key_init_sending(place, number, slot, place, &key));
    return 0;
}
#elif defined(MODULE_LOG)
int main(void)
{
    mtr_key *key;
    mtr_health *health;
    mtr_key_id id = {{0}, 0};
    CALL(mtr_key_init(place, number, place, number, id, (uint8_t)number, (uint16_t)number, place, &key));
    CALL(mtr_log_begin(key, place, number, place));
    CALL(mtr_log_append(key, place, place, number, place));
    CALL(mtr_log_check(key, place, place, number, place));
    CALL(mtr_health_init(place, number, (uint8_t)number, &health));
    CALL(mtr_health_fill(health, place, place, number));
    return 0;
}
#elif defined(MODULE_FIRMWARE)
int main(void)
{
    mtr_chunks *chunks;
    mtr_boot *boot;
    CALL(mtr_manifest_admit(place, number, place, place));
    CALL(mtr_chunks_init(place, number, place, number, place, number, &chunks));
    CALL(mtr_chunks_wants(chunks, number, number, place));
    CALL(mtr_chunks_note(chunks, number, place, place));
    CALL(mtr_boot_init(place, number, place, place, number, number, place, number, place, number, &boot));
    CALL(mtr_boot_mark(boot, place, place));
    CALL(mtr_boot_decide(boot, place, place));
    CALL(mtr_boot_confirm(boot, place));
    return 0;
}
#elif defined(MODULE_WATER_DECODER)
int main(void)
{
    mtr_cjt188_decoder *decoder;
    CALL(mtr_cjt188_decoder_init(place, number, &decoder));
    CALL(mtr_cjt188_decoder_push(decoder, place, number, place, place));
    CALL(mtr_cjt188_encode(place, place, number, place));
    return 0;
}
#elif defined(MODULE_WATER_NUMBER)
int main(void)
{
    CALL(mtr_cjt188_number((uint16_t)number, (uint8_t)number, number, place, number, place));
    return 0;
}
#elif defined(MODULE_WATER_MASTER)
int main(void)
{
    mtr_cjt188_master *master;
    mtr_cjt188_address meter = {{0}};
    CALL(mtr_cjt188_master_init(place, number, place, (uint8_t)number, &master));
    CALL(mtr_cjt188_master_read(master, number, (uint8_t)number, meter, (uint16_t)number));
    CALL(mtr_cjt188_master_handle_bytes(master, number, place, number));
    CALL(mtr_cjt188_master_handle_timeout(master, number));
    CALL(mtr_cjt188_master_poll_transmit(master, place, place));
    CALL(mtr_cjt188_master_poll_event(master, place));
    CALL(mtr_cjt188_master_poll_timeout(master, place));
    return 0;
}
#elif defined(MODULE_WATER_SLAVE)
int main(void)
{
    mtr_cjt188_slave *slave;
    CALL(mtr_cjt188_slave_init(place, number, place, &slave));
    CALL(mtr_cjt188_slave_handle_bytes(slave, number, place, number, place, place));
    CALL(mtr_cjt188_slave_handle_timeout(slave, number, place));
    CALL(mtr_cjt188_slave_poll_transmit(slave, place, place));
    CALL(mtr_cjt188_slave_poll_event(slave, place));
    CALL(mtr_cjt188_slave_poll_timeout(slave, place));
    return 0;
}
#elif defined(MODULE_SNAPSHOT)
int main(void)
{
    CALL(mtr_proto_snapshot_write(place, place, number, place, number, place));
    CALL(mtr_proto_event_write(place, place, place, number, place));
    CALL(mtr_proto_acknowledgement_read(place, number, place, place));
    return 0;
}
#elif defined(MODULE_PROFILE)
int main(void)
{
    CALL(mtr_proto_profile_write(place, place, place, number, place, number, place, number, place));
    return 0;
}
#elif defined(MODULE_COMMANDS)
int main(void)
{
    CALL(mtr_proto_command_read(place, number, place, place));
    CALL(mtr_proto_command_result_write(place, place, place, number, place));
    return 0;
}
#elif defined(MODULE_OUTBOX)
int main(void)
{
    mtr_outbox *outbox;
    CALL(mtr_outbox_init(place, number, place, place, &outbox));
    CALL(mtr_outbox_recover_alarms(outbox, place, number));
    CALL(mtr_outbox_next(outbox, (uint8_t)number, place));
    CALL(mtr_outbox_push(outbox, place, number));
    CALL(mtr_outbox_poll_transmit(outbox, number, place, number, place));
    CALL(mtr_outbox_poll_timeout(outbox, place));
    CALL(mtr_outbox_handle_acknowledgement(outbox, number, place, place));
    CALL(mtr_outbox_handle_reconnect(outbox));
    return 0;
}
#elif defined(MODULE_LINK)
int main(void)
{
    mtr_link *link;
    CALL(mtr_link_init(place, number, number, &link));
    CALL(mtr_link_send(link, (uint8_t)number, place, number));
    CALL(mtr_link_handle_bytes(link, number, place, number));
    CALL(mtr_link_poll_transmit(link, number, place, number, place));
    CALL(mtr_link_received(link, place, place, place));
    CALL(mtr_link_release(link));
    CALL(mtr_link_poll_event(link, place));
    CALL(mtr_link_poll_timeout(link, place));
    return 0;
}
#else
int main(void)
{
    return 0;
}
#endif
