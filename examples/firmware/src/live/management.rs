//! The management core: DL/T 645 on the RS-485 port, the other core on the first port, updates of itself.

use core::fmt::Write;

use dlt645::{Slave, Timing};
use meter::link::CoreMaster;
use meter::management::{Image, Keys, ManagementCore};
use meter::records::RESETS;
use meter::store::{FlashStore, Store};
use meter::update::{BootRecords, Device, UpdateClient, WithUpdate, verify_slot};
use meter::waiting::WaitingRecords;
use meter_proto::file::FileStore;
use meter_proto::outbox::OutboxStore;
use security::fw::{BootState, Manifest, Slot};
use security::key::Purpose;

use super::{STOP, SlotFlash, open_slot, shaky};
use crate::board::{self, Clock, Emulator, HostFlash, Uart};
use crate::management::ask_boot;
use crate::setup::{self, BOOT_RECORDS, FLASH, SIGNERS, WAITING};
use crate::wire::{Line, Remote, Wire};

type Records = BootRecords<HostFlash<BOOT_RECORDS>>;
type Client = UpdateClient<'static, SlotFlash, HostFlash<BOOT_RECORDS>>;

/// Most transfers between the cores in one round.
const TRANSFERS: usize = 8;
/// Time between two looks for the end, and between two questions for a boot, milliseconds.
const LOOK_MS: u64 = 250;

/// Runs until the host wants an end, a new image waits for its trial, or a panic restarts the board.
///
/// With the argument `panic` the flash of a `SHAKY` image breaks down once, in the middle of a write of the journal.
pub fn management<const SHAKY: bool>() -> ! {
    let Some(mut emulator) = Emulator::open(c"boot.flash") else {
        board::fail()
    };
    board::reset_on_panic();
    match serve::<SHAKY>(&mut emulator) {
        Ok(()) => board::succeed(),
        Err(why) => {
            let _ = writeln!(emulator, "management: {why}");
            board::fail()
        }
    }
}

/// The whole life of the image; the text says why it cannot go on.
fn serve<const SHAKY: bool>(emulator: &mut Emulator) -> Result<(), &'static str> {
    let panicked = board::take_panic();
    let mut clock = Clock::start();
    let slot = match board::handed_over() {
        Some(0) => Slot::A,
        Some(1) => Slot::B,
        _ => return Err("no boot stage said which slot this is"),
    };
    let mut state_store = store::<SHAKY>(c"state.flash").ok_or("no flash for the state")?;
    let mut waiting_store = store::<false>(c"waiting.flash").ok_or("no flash for the records")?;
    let mut damaged = 0;
    let resets = resets(&mut state_store);
    if let Some(line) = panicked {
        let resets = resets.saturating_add(1);
        // Without room for it the count stays; the meter goes on.
        let _ = state_store.write(RESETS, &resets.to_le_bytes());
        let _ = writeln!(emulator, "reset {resets} after a panic in line {line}");
    }
    let waiting = WaitingRecords::<_, WAITING>::open(&mut waiting_store, &mut damaged)
        .map_err(|_| "the records cannot be read")?;
    let mut boot = Boot::new(slot).ok_or("the boot stage left no record")?;
    let mut line = Remote::new(Uart::core(1_000));
    let mut master = CoreMaster::new();
    let number = loop {
        // It is given at most once a minute of the meter's time.
        if let Some(number) = ask_boot(&mut master, &mut line, clock.now_ms()) {
            break number;
        }
        let until = clock.now_ms() + LOOK_MS;
        while clock.now_ms() < until {
            board::idle();
        }
        boot.watch(&mut clock);
        if board::exists(STOP) {
            return Ok(());
        }
    };
    let purse = setup::key(Purpose::Purse);
    let core = ManagementCore::start(
        setup::management_config(),
        &Keys { purse: &purse },
        &mut state_store,
        waiting,
        number,
    );
    let mut core = core.map_err(|_| "the state cannot be read")?;
    core.tell_image(Image {
        counter: boot.running.security_counter,
        version: boot.running.version,
        revision: boot.running.revision,
    });
    let (major, minor) = boot.running.version;
    let _ = writeln!(emulator, "management {major}.{minor} boot {number}");
    if SHAKY && panicked.is_none() && resets == 0 && board::has_argument("panic") {
        shaky::arm();
    }
    let mut face = Face {
        answer: &mut [0; 1024],
        uart: Uart::rs485(),
    };
    run(
        &mut clock,
        &mut core,
        &mut master,
        &mut line,
        &mut boot,
        &mut face,
    );
    core.save().map_err(|_| "the state cannot be written")?;
    let counts = core.counts();
    let (used, there) = board::stack();
    let _ = writeln!(
        emulator,
        "blocks {} lost {} store failures {} link failures {}\n# stack {used} of {there} bytes",
        counts.blocks, counts.lost, counts.store_failures, counts.link_failures
    );
    Ok(())
}

type RecordFlash<const SHAKY: bool> = shaky::Flash<HostFlash<FLASH>, SHAKY>;

#[inline(never)]
fn store<const SHAKY: bool>(name: &core::ffi::CStr) -> Option<FlashStore<RecordFlash<SHAKY>>> {
    let flash = shaky::Flash(HostFlash::open(name)?);
    FlashStore::try_new(flash, 0..FLASH as u32).ok()
}

/// Restarts after a panic so far.
fn resets(store: &mut impl Store) -> u32 {
    let mut record = [0; 4];
    match store.read(RESETS, &mut record) {
        Ok(Some(4)) => u32::from_le_bytes(record),
        _ => 0,
    }
}

/// What the boot stage knows, and the client while a slot is free.
struct Boot {
    slot: Slot,
    state: BootState,
    running: Manifest,
    client: Option<Client>,
}

fn records() -> Option<Records> {
    BootRecords::try_new(HostFlash::open(c"boot.flash")?).ok()
}

impl Boot {
    fn new(slot: Slot) -> Option<Self> {
        let state = records()?.state().ok()??;
        let offer = open_slot(slot)?.offer().ok()??;
        let running = Manifest::parse(&offer.manifest).ok()?;
        let mut boot = Self {
            slot,
            state,
            running,
            client: None,
        };
        boot.take_images();
        Some(boot)
    }

    /// Opens the free slot, when this image runs for good.
    fn take_images(&mut self) {
        let free = self
            .state
            .free()
            .filter(|_| self.slot == self.state.active());
        self.client = free.and_then(|free| {
            let device = Device {
                admission: setup::admission(self.state.counter_floor()),
                keys: &SIGNERS,
                running: self.running,
            };
            UpdateClient::try_new(device, open_slot(free)?, records()?, self.state).ok()
        });
    }

    /// Restarts an image whose trial takes too long.
    fn watch(&self, clock: &mut Clock) {
        let since_s = (clock.now_ms() / 1000) as u32;
        if self.state.overdue(since_s, setup::TRIAL_S) {
            board::reset();
        }
    }

    /// The image on trial found itself working.
    fn confirm(&mut self) -> Option<()> {
        let device = setup::admission(self.state.counter_floor());
        let verified = verify_slot(&mut open_slot(self.slot)?, &device, &SIGNERS).ok()?;
        let next = self.state.confirm(&verified).ok()?;
        records()?.store(&next).ok()?;
        self.state = next;
        self.take_images();
        Some(())
    }
}

/// The DL/T 645 line.
struct Face<'a> {
    answer: &'a mut [u8; 1024],
    uart: Uart,
}

#[inline(never)]
fn run<S: Store, O: OutboxStore>(
    clock: &mut Clock,
    core: &mut ManagementCore<S, O>,
    master: &mut CoreMaster,
    line: &mut impl Line,
    boot: &mut Boot,
    face: &mut Face<'_>,
) {
    let mut slave = Slave::new(face.answer, Timing::tcp());
    let mut look_ms = 0;
    loop {
        let now_ms = clock.now_ms();
        let mut busy = false;
        for _ in 0..TRANSFERS {
            master.serve(now_ms, core);
            if !line.transfer(master, now_ms) {
                break;
            }
            busy = true;
        }
        let mut application = WithUpdate {
            core: &mut *core,
            update: boot.client.as_mut(),
            running: Some(&boot.running),
            now_ms,
        };
        let mut heard = face.uart.poll();
        while let Some(byte) = heard {
            busy = true;
            // A byte that is not taken follows a request whose answer waits: a second question at once has none.
            let _ = slave.handle_bytes(now_ms, &[byte], &mut application);
            if let Some(answer) = slave.poll_transmit() {
                face.uart.send(answer);
            }
            heard = face.uart.poll_soon();
        }
        if slave.poll_timeout().is_some_and(|at| at <= now_ms) {
            slave.handle_timeout(now_ms, &mut application);
        }
        if let Some(answer) = slave.poll_transmit() {
            face.uart.send(answer);
        }
        if boot.state.on_trial() {
            boot.watch(clock);
            // It works: the other core answered with its registers.
            if core.totals().utc_ms > 0 {
                // What cannot be stored is tried again, until the trial is overdue.
                let _ = boot.confirm();
            }
        }
        let restart = boot
            .client
            .as_ref()
            .is_some_and(|client| client.wants_restart(now_ms));
        if restart {
            let _ = core.save();
            board::reset();
        }
        if now_ms >= look_ms {
            look_ms = now_ms.saturating_add(LOOK_MS);
            if board::exists(STOP) {
                return;
            }
        }
        if !busy {
            board::idle();
        }
    }
}

/// A new image that does not work: it panics before it confirmed itself.
///
/// # Panics
/// Always.
pub fn faulty() -> ! {
    let mut emulator = Emulator::start(c"boot.flash");
    board::reset_on_panic();
    let _ = emulator.write_str("faulty image\n");
    panic!("this image does not work")
}
