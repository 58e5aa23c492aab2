//! A flash whose power goes at every write of a state: the erase and the record, ahead of each, inside each.

use embedded_storage::nor_flash::NorFlash;
use tariff::stored;
use testkit::Rng;
use testkit::flash::{Cut, Flash};

use crate::bench::Bench;

const PAGE: usize = 1024;
pub type Store = Flash<PAGE, 4>;

impl Bench<'_> {
    /// Writes the older of two places: one erase, one record.
    pub fn save(&self, flash: &mut Store, sequence: u32) -> bool {
        let mut record = [0xFF; PAGE];
        let length = stored::encode_meter(&self.meter, sequence, &mut record).unwrap();
        let at = (sequence as usize % 2 * PAGE) as u32;
        let words = record.get(..length.next_multiple_of(4)).unwrap();
        flash
            .erase(at, at + PAGE as u32)
            .and_then(|()| flash.write(at, words))
            .is_ok()
    }

    fn place(flash: &Store, sequence: u32) -> &[u8] {
        let from = sequence as usize % 2 * PAGE;
        &flash.bytes()[from..from + PAGE]
    }

    /// Stores the state with the power cut ahead of each write and inside it. The other place keeps the state before,
    /// to the byte; this one holds the state after or nothing.
    pub fn store(&mut self, rng: &mut Rng) {
        self.sequence += 1;
        let mut whole = self.flash.clone();
        assert!(self.save(&mut whole, self.sequence));
        let stored = stored::decode_meter::<1, 2, 0, 0>(Self::place(&whole, self.sequence));
        assert_eq!(stored.as_ref(), Ok(&(self.sequence, self.meter.clone())));
        let words = whole.steps() - self.flash.steps() - 1;
        let inside = 1 + rng.below(words);
        let cuts = [
            Cut::Before(0),
            Cut::Inside(0),
            Cut::Before(1),
            Cut::Before(inside),
            Cut::Inside(inside),
        ];
        for cut in cuts {
            let mut flash = self.flash.clone();
            flash.cut(cut);
            assert!(!self.save(&mut flash, self.sequence) && flash.is_lost());
            assert_eq!(
                Self::place(&flash, self.sequence - 1),
                Self::place(&self.flash, self.sequence - 1)
            );
            let found = stored::decode_meter::<1, 2, 0, 0>(Self::place(&flash, self.sequence));
            let older = |found: u32| found.wrapping_add(2) == self.sequence;
            // Ahead of the erase the place still holds the state before the last one; a last word torn to its very
            // value is the whole record.
            let sound = match &found {
                Err(_) => true,
                Ok((number, _)) if older(*number) => cut == Cut::Before(0) || cut == Cut::Inside(0),
                Ok(_) => found == stored,
            };
            assert!(sound, "{cut:?} left {found:?}");
            self.cuts += 1;
        }
        self.flash = whole;
    }
}
