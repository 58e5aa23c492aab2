//! Rates and protected requests.

use super::answer::Purpose;
use super::{AskError, FORWARD_1997, Master};
use crate::address::Address;
use crate::control::Function;
use crate::data_id::DataId;
use crate::element::{ElementRefused, HostElement, Protection, Subject};
use crate::frame::DATA_MAX;
use crate::message::{
    Authority, Control, Edition, Message, Operator, Password, rate_byte, rate_byte_1997,
};

/// What every 2007 meter can be asked for.
const OWN_ADDRESS: DataId = DataId(0x0400_0401);

impl Master<'_> {
    /// Changes the rate of a meter (17, 0C in 1997) from `old` to `new` bit/s. Ends in [`Event::RateChanged`]; then
    /// switch the port, set its [`Timing`] and call [`Master::confirm_rate`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Rate`] if the edition does not have the new rate.
    pub fn change_rate(
        &mut self,
        now: u64,
        edition: Edition,
        address: Address,
        old: u32,
        new: u32,
    ) -> Result<(), AskError> {
        let byte = match edition {
            Edition::V2007 => rate_byte(new),
            Edition::V1997 => rate_byte_1997(new),
        };
        let byte = byte.ok_or(AskError::Rate)?;
        self.ask_in(now, edition, address, &Message::ChangeRate(byte))?;
        self.rate = Some((address, edition, old, new));
        Ok(())
    }

    /// Asks at the new rate whether the meter is there. Ends in [`Event::RateConfirmed`] or [`Event::RateLost`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Rate`] if no change was agreed.
    pub fn confirm_rate(&mut self, now: u64) -> Result<(), AskError> {
        let (address, edition, ..) = self.rate.ok_or(AskError::Rate)?;
        match edition {
            Edition::V2007 => self.read(now, address, OWN_ADDRESS)?,
            Edition::V1997 => self.read_1997(now, address, FORWARD_1997)?,
        }
        if let Some(question) = &mut self.question {
            question.purpose = Purpose::Confirm;
        }
        Ok(())
    }

    /// Begins the identity authentication (070000FF) that protected requests need: ends in [`Event::Security`], whose 12
    /// bytes belong to [`HostElement::finish`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Element`].
    pub fn authenticate(
        &mut self,
        now: u64,
        address: Address,
        operator: Operator,
        element: &mut impl HostElement,
    ) -> Result<(), AskError> {
        let data = element.begin(address).map_err(AskError::Element)?;
        self.security(now, address, DataId(0x0700_00FF), operator, &data)
    }

    /// Writes under level 98 or 99. Ends in [`Event::Done`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Element`], [`AskError::TooLong`].
    #[allow(clippy::too_many_arguments, reason = "each is a field of the request")]
    pub fn write_protected(
        &mut self,
        now: u64,
        address: Address,
        id: DataId,
        protection: Protection,
        operator: Operator,
        data: &[u8],
        element: &mut impl HostElement,
    ) -> Result<(), AskError> {
        let subject = Subject {
            meter: address,
            function: Function::WRITE,
            id: Some(id),
        };
        let mut out = [0; DATA_MAX];
        let data = protected(element, protection, subject, data, &mut out)?;
        let authority = by_level(protection, operator);
        self.write(now, address, id, authority, data)
    }

    /// Relay, alarm or keep power under level 98, or with `function` 1A or 1B the clearing of a meter or, with `id`, of
    /// events. Ends in [`Event::Done`].
    ///
    /// # Errors
    /// [`AskError::Busy`], [`AskError::Element`], [`AskError::TooLong`].
    #[allow(clippy::too_many_arguments, reason = "each is a field of the request")]
    pub fn order_protected(
        &mut self,
        now: u64,
        address: Address,
        function: Function,
        control: Control,
        id: Option<DataId>,
        operator: Operator,
        element: &mut impl HostElement,
    ) -> Result<(), AskError> {
        let mut plain = [0; 12];
        let (order, tail) = plain.split_at_mut(8);
        order.copy_from_slice(&control.line().unwrap_or([0xFF; 8]));
        let len = match id {
            Some(id) => {
                tail.copy_from_slice(&id.line());
                12
            }
            None => 8,
        };
        let subject = Subject {
            meter: address,
            function,
            id: None,
        };
        let mut out = [0; DATA_MAX];
        let plain = plain.get(..len).unwrap_or_default();
        let data = protected(element, Protection::Cipher, subject, plain, &mut out)?;
        let message = Message::Protected {
            function,
            authority: by_level(Protection::Cipher, operator),
            data,
        };
        self.ask(now, address, &message)
    }
}

fn by_level(protection: Protection, operator: Operator) -> Authority {
    Authority {
        password: Password {
            level: protection as u8,
            digits: 0,
        },
        operator,
    }
}

fn protected<'o>(
    element: &mut impl HostElement,
    protection: Protection,
    subject: Subject,
    plain: &[u8],
    out: &'o mut [u8],
) -> Result<&'o [u8], AskError> {
    let len = element
        .protect(protection, subject, plain, out)
        .map_err(AskError::Element)?;
    out.get(..len).ok_or(AskError::Element(ElementRefused))
}
