//! `meterkit serve`: a simulated meter on TCP, a serial device or a pseudo-terminal.

mod electricity;
mod pty;
mod registers;
mod water;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use dlt645::{Slave, Timing};
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::net::TcpListener;

pub use self::electricity::Electricity;
pub use self::water::Water;
use crate::encode;
use crate::port::{self, Port, Sleep, Stream, millis};
use crate::read::Protocol;

/// Plays a meter.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// TCP address to listen on; port 0 takes a free one.
    #[arg(long, conflicts_with_all = ["serial", "pty"])]
    listen: Option<String>,
    /// Serial device to answer on.
    #[arg(long, conflicts_with = "pty")]
    serial: Option<String>,
    /// Opens a pseudo-terminal and prints its path.
    #[arg(long)]
    pty: bool,
    /// Bits per second of the serial device.
    #[arg(long, default_value_t = 2400)]
    baud: u32,
    /// Protocol spoken; 1997 in addition to 2007.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// Address of the meter, 12 digits, or 14 for CJ/T 188.
    #[arg(long, default_value = "202611000001")]
    address: String,
    /// Type of a CJ/T 188 meter, two hexadecimal digits.
    #[arg(long = "type", default_value = "10", value_parser = encode::meter_type)]
    meter_type: cjt188::MeterType,
    /// Sets a register, as in `00010000=123.45` or `04000401=hex:010000112620`; may be repeated.
    #[arg(long = "set", value_name = "ID=VALUE")]
    registers: Vec<String>,
    /// Milliseconds the meter waits before it answers.
    #[arg(long, default_value_t = 25)]
    turnaround: u32,
    /// Prints what happens to each request.
    #[arg(long, short)]
    verbose: bool,
}

/// A meter of either kind; all connections share it and it takes one request at a time.
#[derive(Debug, Clone)]
enum Meter {
    /// And whether it answers the older edition too.
    Electricity(Arc<Mutex<Electricity>>, bool),
    Water(Arc<Mutex<Water>>),
}

/// Runs the command until its line ends; a TCP meter serves for ever.
///
/// # Errors
/// Ports that fail and registers that are none.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let meter = meter(args)?;
    let timing = Timing {
        byte_us: 0,
        turnaround_ms: args.turnaround,
        ..Timing::rs485(args.baud)
    };
    let verbose = args.verbose;
    if let Some(listen) = &args.listen {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| listen.clone())?;
        println!("listening on {}", listener.local_addr()?);
        loop {
            let (stream, peer) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let meter = meter.clone();
            tokio::spawn(async move {
                if let Err(err) = serve(port(stream), timing, meter, verbose).await {
                    eprintln!("{peer}: {err}");
                }
            });
        }
    }
    let port = if args.pty {
        let (path, port) = pty::open()?;
        println!("serving on {path}");
        port
    } else {
        let path = args
            .serial
            .as_ref()
            .context("say where: --listen, --serial or --pty")?;
        println!("serving on {path}");
        port(port::serial(path, args.baud)?)
    };
    serve(port, timing, meter, verbose).await?;
    Ok(ExitCode::SUCCESS)
}

fn port(stream: impl Stream + 'static) -> Port {
    FromTokio::new(Box::new(stream))
}

fn meter(args: &Args) -> anyhow::Result<Meter> {
    Ok(match args.protocol {
        Protocol::V2007 | Protocol::V1997 => {
            let mut meter = Electricity::new(args.address.parse()?);
            for setting in &args.registers {
                let (id, value) = setting
                    .split_once('=')
                    .with_context(|| format!("{setting}: not of the form ID=VALUE"))?;
                let id = crate::names::data_id(id)?;
                meter.set(id, encode::data_of(id, value)?);
            }
            let older = args.protocol == Protocol::V1997;
            Meter::Electricity(Arc::new(Mutex::new(meter)), older)
        }
        Protocol::Cjt188 => {
            let address = cjt188::Address::from_digits(&args.address)?;
            Meter::Water(Arc::new(Mutex::new(Water::new(args.meter_type, address))))
        }
    })
}

/// Serves one connection until it ends.
async fn serve(port: Port, timing: Timing, meter: Meter, verbose: bool) -> std::io::Result<()> {
    let clock = millis as fn() -> u64;
    match meter {
        Meter::Electricity(meter, older) => {
            let mut buffer = [0; 2048];
            let mut slave = Slave::new(&mut buffer, timing);
            slave.answer_1997(older);
            let mut server = dlt645::asynch::Server::new(port, Sleep, clock, slave);
            let mut meter = electricity::Shared(meter);
            loop {
                match server.next(&mut meter).await {
                    Ok(event) if verbose => println!("{event:?}"),
                    Ok(_) => {}
                    Err(dlt645::ShellError::Port(err)) => return Err(err),
                    Err(_) => return Ok(()),
                }
            }
        }
        Meter::Water(meter) => {
            let slave = cjt188::Slave::new(timing);
            let mut server = cjt188::asynch::Server::new(port, Sleep, clock, slave);
            let mut meter = water::Shared(meter);
            loop {
                match server.next(&mut meter).await {
                    Ok(event) if verbose => println!("{event:?}"),
                    Ok(_) => {}
                    Err(cjt188::ShellError::Port(err)) => return Err(err),
                    Err(_) => return Ok(()),
                }
            }
        }
    }
}

/// The meter behind its lock; a panic in another connection leaves it usable.
fn locked<T>(meter: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    meter
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
