//! The traits of the `dlt645` crate: the one edge between the two.

use dlt645::{
    Address, ElementRefused, Function, HostElement, MeterElement, Protection, SecurityErr, Subject,
};

use super::{Element, Host, Refused};
use crate::engine::Block128;

impl From<Refused> for ElementRefused {
    fn from(_: Refused) -> Self {
        Self
    }
}

impl From<Refused> for SecurityErr {
    fn from(refused: Refused) -> Self {
        Self(refused.0)
    }
}

impl<E: Block128> HostElement for Host<E> {
    fn begin(&mut self, meter: Address) -> Result<[u8; 24], ElementRefused> {
        Ok(Self::begin(self, meter.big_endian())?)
    }

    fn finish(&mut self, meter: Address, answer: [u8; 12]) -> Result<(), ElementRefused> {
        Self::finish(self, meter.big_endian(), answer);
        Ok(())
    }

    fn protect(
        &mut self,
        protection: Protection,
        subject: Subject,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let meter = subject.meter.big_endian();
        Ok(match (subject.function, subject.id, protection) {
            (Function::WRITE, Some(id), Protection::Mac) => {
                self.parameters(meter, id.0, plain, out)?
            }
            (Function::WRITE, Some(id), Protection::Cipher) => {
                self.hidden_parameters(meter, id.0, plain, out)?
            }
            (_, None, Protection::Cipher) => self.control(meter, plain, out)?,
            _ => return Err(ElementRefused),
        })
    }
}

impl<E: Block128> MeterElement for Element<E> {
    fn open(
        &mut self,
        protection: Protection,
        subject: Subject,
        protected: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        Ok(match (subject.function, subject.id, protection) {
            (Function::WRITE, Some(id), Protection::Mac) => {
                self.open_parameters(id.0, protected, out)?
            }
            (Function::WRITE, Some(id), Protection::Cipher) => {
                self.open_hidden_parameters(id.0, protected, out)?
            }
            (_, None, Protection::Cipher) => self.open_control(protected, out)?,
            _ => return Err(ElementRefused),
        })
    }
}
