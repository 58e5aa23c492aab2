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
#else
int main(void)
{
    return 0;
}
#endif
