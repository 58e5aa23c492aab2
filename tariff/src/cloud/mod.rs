//! Bills outside the meter: any currency, any price, taxes, demand, export, and series with local
//! time (feature `std`).
//!
//! ```text
//! series ─> Schedule + local time ─> energy by rate ─┐
//! registers, demand, days, floor area ───────────────┴> Usage ─> Plan::bill ─> lines that explain themselves
//! ```
//!
//! Energy is cut at changes and split over tiers by the functions of the meter's engine
//! ([`crate::bill::cut`], [`crate::tier::split`]), so both give the same lines.
//!
//! ```
//! use tariff::cloud::{Charge, Item, Plan, Round, Tiers, Usage};
//! use tariff::{Decimal, Rounding};
//!
//! let d = |text: &str| text.parse::<Decimal>().unwrap();
//! let tiers = Tiers::try_new([50_000, 100_000].into(), [d("1806"), d("1866"), d("2167")].into()).unwrap();
//! let dong = Round::places(0, Rounding::HalfUp);
//! let plan = Plan::new("EVN-2023", [
//!     Item::new("energy", Charge::tiered("import", tiers)).rounded(dong),
//!     Item::new("VAT", Charge::percent_of_all(d("0.08"))).rounded(dong),
//! ]);
//! let bill = plan.bill(&Usage::new().with("import", d("51"))).unwrap();
//! let shown: Vec<_> = bill.lines.iter().map(|line| line.amount.to_string()).collect();
//! assert_eq!(shown, ["90300", "1866", "7373"]);
//! assert_eq!(bill.total, d("99539"));
//! ```

mod bill;
mod export;
mod plan;
mod schedule;
mod series;
mod tiers;
mod volume;
mod work;

pub use bill::{Bill, Line, Round};
pub use export::{NetBank, NetMonth};
pub use plan::{Charge, Failed, Item, Of, Plan, Usage};
pub use schedule::{DayTypes, Local, Matrix, Offsets, Schedule};
pub use series::{DynamicPrices, NoPrice, Span, tally, tally_by_tier};
pub use tiers::{Part, Tiers};
pub use volume::{Conversion, SplitReading, split_at_reset};
