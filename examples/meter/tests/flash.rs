//! Records on flash with the power cut at every word and every erase: the old record or the new one, never a mixture.

use meter::store::{FlashStore, MAX_RECORD, PageStore, Store, StoreError};
use testkit::cut::at_every_step;
use testkit::flash::Flash;

type Chip = Flash<2048, 4>;

fn read(flash: &mut Chip, key: u16) -> Option<Vec<u8>> {
    let mut store = FlashStore::try_new(flash, 0..8_192).unwrap();
    let mut buffer = [0; MAX_RECORD];
    let length = store.read(key, &mut buffer).unwrap()?;
    Some(buffer[..length].to_vec())
}

#[test]
fn a_cut_leaves_the_old_record_or_the_new_one() {
    // The seed decides what a torn word or page holds.
    for seed in 0..3 {
        cut_everywhere(seed);
    }
}

fn cut_everywhere(seed: u64) {
    let mut flash = Chip::new(4, seed);
    let old = vec![0x11; 200];
    let other = vec![0x33; 90];
    {
        let mut store = FlashStore::try_new(&mut flash, 0..8_192).unwrap();
        store.write(7, &other).unwrap();
        // Full enough that one of the next writes has to erase a page.
        for round in 0..6 {
            store.write(1, &[round; 200]).unwrap();
        }
        store.write(1, &old).unwrap();
    }
    let new = vec![0x22; 190];
    let mut erased = 0;
    for _ in 0..2 {
        let pages: u32 = flash.erases().iter().sum();
        let mut kept = 0;
        let mut written = 0;
        let steps = at_every_step(
            &flash,
            |flash| {
                let mut store = FlashStore::try_new(flash, 0..8_192).unwrap();
                let _ = store.write(1, &new);
            },
            |flash, cut| {
                let found = read(flash, 1);
                let found = found.unwrap_or_else(|| panic!("the record is gone after {cut:?}"));
                if found == new {
                    written += 1;
                } else {
                    assert_eq!(found, old);
                    kept += 1;
                }
                assert_eq!(
                    read(flash, 7).as_ref(),
                    Some(&other),
                    "other records are untouched"
                );
            },
        );
        assert!(
            steps > 100 && kept > 0 && written > 0,
            "{steps} steps, {kept} kept, {written} written"
        );
        let mut store = FlashStore::try_new(&mut flash, 0..8_192).unwrap();
        store.write(1, &old).unwrap();
        erased += flash.erases().iter().sum::<u32>() - pages;
    }
    assert!(erased > 0, "no page was erased in the whole test");
}

#[test]
fn a_removed_record_is_gone() {
    let mut flash = Chip::new(4, 6);
    let mut store = FlashStore::try_new(&mut flash, 0..8_192).unwrap();
    store.write(3, &[1, 2, 3]).unwrap();
    store.remove(3).unwrap();
    store.remove(3).unwrap();
    assert_eq!(store.read(3, &mut [0; 8]), Ok(None));
}

/// The keys of the paged store: the second is the neighbour that must not suffer.
const PAGED: [u16; 2] = [1, 7];

fn read_page(flash: &mut Chip, key: u16) -> Option<Vec<u8>> {
    let mut store = PageStore::try_new(flash, PAGED).unwrap();
    let mut buffer = [0; 2048];
    let length = store.read(key, &mut buffer).unwrap()?;
    Some(buffer[..length].to_vec())
}

#[test]
fn pages_in_turn_leave_the_old_record_or_the_new_one() {
    let old = vec![0x11; 200];
    // To the last byte of a page.
    let new = vec![0x22; PageStore::<Chip, 2>::MAX];
    for seed in 0..3 {
        let mut flash = Chip::new(4, seed);
        let mut store = PageStore::try_new(&mut flash, PAGED).unwrap();
        store.write(7, &[0x33; 90]).unwrap();
        // Both pages were used before.
        for record in [&new, &old, &old] {
            store.write(1, record).unwrap();
        }
        let (mut kept, mut written) = (0, 0);
        let steps = at_every_step(
            &flash,
            |flash| {
                let mut store = PageStore::try_new(flash, PAGED).unwrap();
                let _ = store.write(1, &new);
            },
            |flash, cut| {
                let found = read_page(flash, 1).unwrap_or_else(|| panic!("gone after {cut:?}"));
                assert!(found == old || found == new, "a mixture after {cut:?}");
                if found == new {
                    written += 1;
                } else {
                    kept += 1;
                }
                assert_eq!(read_page(flash, 7), Some(vec![0x33; 90]));
            },
        );
        assert!(
            steps > 500 && kept > 500 && written > 0,
            "{steps} steps, {kept} kept, {written} written"
        );
    }
}

#[test]
fn pages_refuse_what_they_do_not_hold() {
    let mut flash = Chip::new(4, 9);
    let mut store = PageStore::try_new(&mut flash, PAGED).unwrap();
    let most = PageStore::<Chip, 2>::MAX;
    let found = most + 1;
    assert_eq!(
        store.write(1, &vec![0; found]),
        Err(StoreError::TooLong { found })
    );
    assert_eq!(store.write(2, &[1]), Err(StoreError::Full));
    assert_eq!(store.read(1, &mut [0; 8]), Ok(None));
    store.write(1, &[1, 2, 3]).unwrap();
    assert_eq!(
        store.read(1, &mut [0; 2]),
        Err(StoreError::TooLong { found: 3 })
    );
    store.remove(1).unwrap();
    assert_eq!(store.read(1, &mut [0; 8]), Ok(None));
    assert!(PageStore::try_new(Chip::new(3, 9), PAGED).is_err());
}
