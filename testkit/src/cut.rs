//! Runs an operation with the power cut at every step of it.

use crate::flash::{Cut, Flash};

/// Runs `operation` on a copy of `before` once in full and once with every possible power cut
/// (ahead of each step and inside it), and hands the flash of each run, powered again, to `check`
/// together with the cut (`None` for the full run).
///
/// The operation is expected to fail when cut; its result is up to the closure to keep. Returns
/// the number of steps of the full run, so that a test can assert that it tried anything.
pub fn at_every_step<const PAGE: usize, const WORD: usize>(
    before: &Flash<PAGE, WORD>,
    mut operation: impl FnMut(&mut Flash<PAGE, WORD>),
    mut check: impl FnMut(&mut Flash<PAGE, WORD>, Option<Cut>),
) -> u64 {
    let mut whole = before.clone();
    operation(&mut whole);
    let steps = whole.steps() - before.steps();
    check(&mut whole, None);
    for n in 0..steps {
        for cut in [Cut::Before(n), Cut::Inside(n)] {
            let mut flash = before.clone();
            flash.cut(cut);
            operation(&mut flash);
            assert!(
                flash.is_lost(),
                "the operation took another way and never met {cut:?}"
            );
            flash.restore();
            check(&mut flash, Some(cut));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::at_every_step;
    use crate::flash::Flash;
    use embedded_storage::nor_flash::NorFlash;

    #[test]
    fn every_step_is_met_twice() {
        let flash = Flash::<64, 4>::new(1, 1);
        let mut runs = 0;
        let steps = at_every_step(
            &flash,
            |flash| {
                let _ = flash.write(0, &[1; 12]);
            },
            |flash, cut| {
                runs += 1;
                assert_eq!(
                    cut.is_none(),
                    flash.bytes()[8..12] == [1; 4] && flash.bytes()[..8] == [1; 8]
                );
            },
        );
        assert_eq!((steps, runs), (3, 7));
    }
}
