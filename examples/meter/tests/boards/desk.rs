//! A host in the place of the emulator's: a file in memory, a text.

use std::fmt;

use crate::metering::Bench;

/// Input in memory, output as text.
pub struct Desk {
    input: std::io::Cursor<Vec<u8>>,
    pub text: String,
}

impl Desk {
    pub fn new(input: &[u8]) -> Self {
        Self {
            input: std::io::Cursor::new(input.to_vec()),
            text: String::new(),
        }
    }
}

impl fmt::Write for Desk {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

impl Bench for Desk {
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut done = 0;
        while done < into.len() {
            match std::io::Read::read(&mut self.input, &mut into[done..]).unwrap() {
                0 => break,
                got => done += got,
            }
        }
        done
    }

    fn lap(&mut self) -> u32 {
        0
    }
}
