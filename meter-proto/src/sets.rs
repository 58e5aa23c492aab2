//! Sets by hash: a layout is sent once, and asked for when it is not known.
//!
//! A registration names the hashes of the device's sets. A receiver that knows them all (from a definition it keeps,
//! from another device of the same make, from the retained topic) asks nothing; else it asks with a definition without
//! columns that bears the hash, or the number when only a snapshot told of the set.

use heapless::Vec;

use crate::message::{Sample, SetDefinition, SetSnapshot};

/// Questions that wait at once.
const QUESTIONS: usize = 8;

/// Why a set snapshot cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// No definition of this number is known: it is asked for.
    Unknown {
        /// The set.
        number: u16,
    },
    /// The definition has another number of columns: it is asked for again.
    Columns {
        /// The set.
        number: u16,
    },
}

impl core::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unknown { number } => write!(f, "set {number} is not defined here"),
            Self::Columns { number } => {
                write!(
                    f,
                    "set {number} has another number of columns in its definition"
                )
            }
        }
    }
}

impl core::error::Error for Unreadable {}

/// What is asked: a hash, or a number whose hash is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Hash(u32),
    Number(u16),
}

/// The receiver's memory of the sets of one device; at most `N`, about 3 KiB each.
#[derive(Clone, Debug, Default)]
pub struct SetBook<const N: usize> {
    known: Vec<SetDefinition, N>,
    questions: Vec<Question, QUESTIONS>,
}

impl<const N: usize> SetBook<N> {
    /// An empty book.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            known: Vec::new(),
            questions: Vec::new(),
        }
    }

    /// The definition of a hash.
    #[must_use]
    pub fn by_hash(&self, hash: u32) -> Option<&SetDefinition> {
        self.known.iter().find(|set| set.hash == hash)
    }

    /// The definition of a number.
    #[must_use]
    pub fn by_number(&self, number: u16) -> Option<&SetDefinition> {
        self.known.iter().find(|set| set.number == number)
    }

    /// Takes the hashes of a registration: definitions that are not among them are out of date, those that are not
    /// known are asked for.
    pub fn handle_registration(&mut self, hashes: &[u32]) {
        self.known.retain(|set| hashes.contains(&set.hash));
        self.questions.clear();
        for hash in hashes {
            if self.by_hash(*hash).is_none() {
                self.ask(Question::Hash(*hash));
            }
        }
    }

    /// Takes a definition; `false` for one whose hash is not that of its columns, or when the book is full.
    pub fn handle_definition(&mut self, set: &SetDefinition) -> bool {
        if set.entries.is_empty() || set.hash != set.layout_hash() {
            return false;
        }
        self.known.retain(|known| known.number != set.number);
        if self.known.push(set.clone()).is_err() {
            return false;
        }
        let answered = [Question::Hash(set.hash), Question::Number(set.number)];
        self.questions
            .retain(|question| !answered.contains(question));
        true
    }

    fn ask(&mut self, question: Question) {
        if !self.questions.contains(&question) {
            // With eight open questions the next snapshot asks again.
            let _ = self.questions.push(question);
        }
    }

    /// The next question, to be sent down as kind 3; each is given once until something asks anew.
    pub fn poll_question(&mut self) -> Option<SetDefinition> {
        if self.questions.is_empty() {
            return None;
        }
        let (number, hash) = match self.questions.remove(0) {
            Question::Hash(hash) => (0, hash),
            Question::Number(number) => (number, 0),
        };
        Some(SetDefinition {
            number,
            hash,
            interval_s: 0,
            entries: Vec::new(),
        })
    }

    /// The samples of a set snapshot.
    ///
    /// # Errors
    /// [`Unreadable`]; the definition is asked for by [`SetBook::poll_question`]. Keep the bytes until it comes.
    pub fn samples<'a>(
        &'a mut self,
        snapshot: &'a SetSnapshot,
    ) -> Result<impl Iterator<Item = Sample> + 'a, Unreadable> {
        let number = snapshot.number;
        let columns = self.by_number(number).map(|set| set.entries.len());
        if columns != Some(snapshot.mantissas.len()) {
            self.ask(Question::Number(number));
        }
        match columns {
            None => Err(Unreadable::Unknown { number }),
            Some(_) => self
                .by_number(number)
                .and_then(|set| set.samples(snapshot))
                .ok_or(Unreadable::Columns { number }),
        }
    }
}

/// The sender's answer: which of its own sets is asked for. `None` when the message is no question, or asks for a set
/// that is not here.
#[must_use]
pub fn asked<'s>(
    question: &SetDefinition,
    own: impl IntoIterator<Item = &'s SetDefinition>,
) -> Option<&'s SetDefinition> {
    if !question.entries.is_empty() {
        return None;
    }
    own.into_iter().find(|set| match question.hash {
        0 => set.number == question.number,
        hash => set.hash == hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::SetEntry;
    use crate::point::PointId;
    use crate::value::Quality;

    fn set(number: u16, columns: u64) -> SetDefinition {
        let entries = (0..columns).map(|column| SetEntry {
            point: PointId::from_bits(column + 1),
            exponent: -1,
            modulus: 0,
        });
        SetDefinition::new(number, 900, entries.collect())
    }

    fn snapshot(number: u16, columns: i64) -> SetSnapshot {
        SetSnapshot {
            number,
            quality: Quality::GOOD,
            mantissas: (0..columns).collect(),
            exceptions: Vec::new(),
        }
    }

    #[test]
    fn unknown_hashes_are_asked_for_once_and_answered() {
        let own = [set(1, 3), set(2, 5)];
        let mut book: SetBook<4> = SetBook::new();
        assert!(book.handle_definition(&own[0]));
        book.handle_registration(&[own[0].hash, own[1].hash]);
        let Some(question) = book.poll_question() else {
            panic!("the second set is not known")
        };
        assert_eq!(book.poll_question(), None);
        let Some(answer) = asked(&question, &own) else {
            panic!("it is one of the sender's")
        };
        assert!(book.handle_definition(answer));
        assert_eq!(book.samples(&snapshot(2, 5)).map(Iterator::count), Ok(5));
        assert_eq!(asked(answer, &own), None, "an answer is no question");
    }

    #[test]
    fn a_snapshot_of_an_unknown_or_changed_set_asks_by_number() {
        let own = [set(7, 4)];
        let mut book: SetBook<2> = SetBook::new();
        assert_eq!(
            book.samples(&snapshot(7, 4)).err(),
            Some(Unreadable::Unknown { number: 7 })
        );
        assert_eq!(
            book.samples(&snapshot(7, 4)).err(),
            Some(Unreadable::Unknown { number: 7 })
        );
        let question = book.poll_question();
        assert_eq!(book.poll_question(), None);
        assert_eq!(
            question.as_ref().and_then(|question| asked(question, &own)),
            Some(&own[0])
        );
        assert!(book.handle_definition(&set(7, 3)));
        assert_eq!(
            book.samples(&snapshot(7, 4)).err(),
            Some(Unreadable::Columns { number: 7 })
        );
        assert_eq!(
            book.poll_question().map(|question| question.number),
            Some(7)
        );
    }

    #[test]
    fn a_definition_must_bear_the_hash_of_its_columns() {
        let mut book: SetBook<1> = SetBook::new();
        let mut forged = set(1, 3);
        forged.hash ^= 1;
        assert!(!book.handle_definition(&forged));
        assert!(book.handle_definition(&set(1, 3)));
        assert!(!book.handle_definition(&set(2, 3)), "the book is full");
        assert!(
            book.handle_definition(&set(1, 4)),
            "a number has one layout"
        );
        book.handle_registration(&[]);
        assert_eq!(book.by_number(1), None);
    }
}
