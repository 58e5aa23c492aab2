//! The C programs of tariff and prepaid meter.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::Rng;

use crate::native;
use crate::programs::{example, source};

#[test]
fn tables_rates_rows_pages_and_tokens_from_c() {
    if !native::have_compiler("tariff.c") {
        return;
    }
    let flags = [
        "-std=c11",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    let program = native::build("cc", &flags, &[source("tests/c/tariff.c")], "tariff");
    assert_eq!(
        native::run(&mut Command::new(program)),
        "tariff: all as it should be\n"
    );
}

#[test]
fn a_purse_from_its_opening_to_the_night() {
    if native::have_compiler("purse.c") {
        // 12 kWh at 0.50 are 6.00; 5 more leave 1.50, 3 more 0.00, 6 more -3.00; 10 by night are 2.50.
        assert_eq!(
            example("purse", &[]),
            "relay opens, cause 5\n\
             sale 1 booked, balance then 10.0000000, relay closes\n\
             alarm\n\
             used 12 kWh, balance 4.0000000\n\
             restarted, balance 10.0000000\n\
             alarm\n\
             read the register, balance 4.0000000\n\
             relay opens, cause 4\n\
             the key closes the relay\n\
             relay opens, cause 5\n\
             the key closes the relay\n\
             relay opens, cause 6\n\
             the key changes nothing\n\
             restarted, balance -3.0000000\n\
             sale 2 booked, balance then 17.0000000, relay closes\n\
             sale 2 was booked before, balance then 17.0000000\n\
             sale 4 refused: 4, expected 3\n\
             used 10 kWh by night, balance 14.5000000\n"
        );
    }
}

/// The seller and the metering core, which never lose anything.
#[derive(Default)]
struct World {
    /// Amounts of the sales that were answered, sale 1 first, hundredths.
    answered: Vec<i64>,
    /// The sale that was ordered and not answered.
    pending: Option<i64>,
    /// The energy register, tenths of a watt hour.
    tenths: u64,
    /// Seconds since the beginning.
    second: u64,
    /// How often a pending sale turned out to be booked, and not to be.
    found: [u32; 2],
}

/// A number with seven places, in 10^-7.
fn money(text: &str) -> i64 {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text), |digits| (-1, digits));
    let (whole, rest) = digits.split_once('.').expect("a point");
    assert_eq!(rest.len(), 7, "{text}");
    sign * (whole.parse::<i64>().expect("digits") * 10_000_000
        + rest.parse::<i64>().expect("digits"))
}

impl World {
    /// The line of `show`: every sale that was answered is there, none twice, and what is missing is energy.
    fn judge(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let [_, count, _, cumulative, _, balance, _, charged] = words[..] else {
            panic!("{line}");
        };
        let count: usize = count.parse().expect("a count");
        let sold: Vec<i64> = self.answered.iter().copied().chain(self.pending).collect();
        assert!(
            count == self.answered.len() || count == sold.len(),
            "{} sales were answered, {line}",
            self.answered.len()
        );
        if self.pending.is_some() {
            self.found[usize::from(count == self.answered.len())] += 1;
        }
        let paid: i64 = sold[..count]
            .iter()
            .map(|hundredths| hundredths * 100_000)
            .sum();
        assert_eq!(money(cumulative), paid, "{line}");
        let charged: u64 = charged.parse().expect("watt hours");
        assert!(charged <= self.tenths / 10, "{line}");
        // 0.50 a kilowatt hour.
        assert_eq!(
            money(balance),
            paid - i64::try_from(charged).expect("small") * 5000,
            "{line}"
        );
    }

    /// Orders for one run; the amounts of the sales among them.
    fn orders(&mut self, rng: &mut Rng) -> (Vec<String>, Vec<i64>) {
        let mut orders = vec!["show".to_owned()];
        let mut sales = Vec::new();
        let sell = |sales: &mut Vec<i64>, orders: &mut Vec<String>, hundredths: i64| {
            sales.push(hundredths);
            let count = self.answered.len() + sales.len();
            let verb = if count == 1 { "open" } else { "sell" };
            orders.extend([verb.to_owned(), count.to_string(), hundredths.to_string()]);
        };
        if let Some(hundredths) = self.pending {
            sell(&mut sales, &mut orders, hundredths);
        }
        for _ in 0..1 + rng.below(4) {
            match rng.below(4) {
                0 | 1 => {
                    let hundredths = 1 + rng.below(1000) as i64;
                    sell(&mut sales, &mut orders, hundredths);
                }
                2 => {
                    self.tenths += rng.below(60_000);
                    self.second += 1 + rng.below(60);
                    orders.push("use".to_owned());
                    orders.push(self.tenths.to_string());
                    orders.push(self.second.to_string());
                }
                _ => {
                    orders.push("key".to_owned());
                    orders.push(self.second.to_string());
                }
            }
        }
        (orders, sales)
    }

    /// Takes what a run said before it ended.
    fn hear(&mut self, text: &[String], sales: &[i64]) {
        if let Some(line) = text.first() {
            self.judge(line);
        }
        let booked = text.iter().filter(|line| line.starts_with("sale "));
        let mut done = 0;
        for line in booked {
            let number = (self.answered.len() + 1).to_string();
            let right = [" booked", " was booked before"].map(|end| format!("sale {number}{end}"));
            assert!(right.iter().any(|right| line.starts_with(right)), "{line}");
            self.answered.push(sales[done]);
            done += 1;
        }
        if !text.is_empty() {
            self.pending = sales.get(done).copied();
        }
    }
}

fn run(program: &Path, file: &Path, cut: u64, orders: &[String]) -> (Option<i32>, Vec<String>) {
    let output = Command::new(program)
        .arg(file)
        .arg(cut.to_string())
        .args(orders)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    (
        output.status.code(),
        text.lines().map(str::to_owned).collect(),
    )
}

/// Kills the program after it said so many lines.
fn killed(program: &Path, file: &Path, lines: usize, orders: &[String]) -> Vec<String> {
    let mut meter = Command::new(program)
        .arg(file)
        .arg("0")
        .args(orders)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let said = BufReader::new(meter.stdout.take().expect("a pipe"));
    let mut text = Vec::new();
    for line in said.lines() {
        text.push(line.expect("text"));
        if text.len() == lines {
            // It may have ended by itself.
            let _ = meter.kill();
        }
    }
    meter.wait().expect("the program ends");
    text
}

#[test]
fn no_sale_is_lost_or_taken_twice_wherever_the_program_is_killed() {
    if !native::have_compiler("purse.c under power cuts") {
        return;
    }
    let program = native::build(
        "cc",
        &["-std=c99"],
        &[source("examples/purse.c")],
        "purse-cut",
    );
    let file = native::scratch().join("purse.flash");
    let _ = std::fs::remove_file(&file);
    let mut rng = Rng::new(0x8888);
    let mut world = World::default();
    let (code, _) = run(&program, &file, 0, &["use", "0", "0"].map(str::to_owned));
    assert_eq!(code, Some(0));
    let mut cuts = 0;
    for round in 0..300 {
        let (orders, sales) = world.orders(&mut rng);
        let text = if round % 8 == 7 {
            let lines = 1 + rng.below(5);
            killed(&program, &file, lines as usize, &orders)
        } else {
            // Short and long ones: at the start, in a row, in a state, in an erase.
            let longest = 64_u64 << rng.below(8);
            let cut = 1 + rng.below(longest);
            let (code, text) = run(&program, &file, cut, &orders);
            assert!(matches!(code, Some(0 | 3)), "{code:?} after {text:?}");
            cuts += u32::from(code == Some(3));
            text
        };
        world.hear(&text, &sales);
    }
    // The power stays: everything is charged that the register shows.
    let pending = world.pending;
    let (mut orders, mut sales) = (vec!["show".to_owned()], Vec::new());
    if let Some(hundredths) = pending {
        let count = world.answered.len() + 1;
        orders.extend(["sell".to_owned(), count.to_string(), hundredths.to_string()]);
        sales.push(hundredths);
    }
    orders.extend(["use".to_owned(), world.tenths.to_string()]);
    orders.extend([(world.second + 1).to_string(), "show".to_owned()]);
    let (code, text) = run(&program, &file, 0, &orders);
    assert_eq!(code, Some(0), "{text:?}");
    world.hear(&text, &sales);
    let last = text.last().expect("a line");
    world.judge(last);
    let charged = last.rsplit(' ').next().expect("a word");
    assert_eq!(charged, (world.tenths / 10).to_string(), "{last}");
    let [booked, open] = world.found;
    println!(
        "{cuts} power cuts, {} sales; of those cut, {booked} were booked and {open} were not",
        world.answered.len()
    );
    assert!(
        cuts > 100 && booked > 5 && open > 20,
        "{cuts} {booked} {open}"
    );
}
