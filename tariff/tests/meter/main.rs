//! A whole meter over months in minutes of test time: settlement, switches, freezes, demand, clock
//! trouble, fee control, power cuts between rows and state.

mod bench;
mod fee;
mod stored;
mod story;
