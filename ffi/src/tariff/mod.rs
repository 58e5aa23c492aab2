//! Tariff and prepaid meter for C: tables, rate at an instant, the whole fee control, its store on flash, tokens.

mod account;
mod journal;
mod prepaid;
mod registers;
mod row;
mod rules;
mod tables;
mod terms;
mod token;

pub use account::*;
pub use journal::*;
pub use prepaid::*;
pub use registers::*;
pub use row::*;
pub use rules::*;
pub use tables::*;
pub use terms::*;
pub use token::*;
