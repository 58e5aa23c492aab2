//! A meter and a secure element in memory, for the tests of both roles.
#![allow(dead_code, reason = "each test file uses its part")]

use dlt645::{
    Address, Application, Authority, Control, DataId, DataId1997, ElementRefused, Err645,
    FreezePattern, Guard, GuardRules, HostElement, Master, Message, MeterElement, Operator,
    Password, Protection, Slave, Stamp, Subject,
};

/// A cipher for tests: every byte against a key byte, and the sum of the plain bytes four times as MAC.
#[derive(Default)]
pub struct Toy {
    pub authenticated: bool,
}

pub fn mac(plain: &[u8]) -> [u8; 4] {
    [plain
        .iter()
        .fold(0x5A_u8, |sum, byte| sum.rotate_left(1) ^ byte); 4]
}

impl HostElement for Toy {
    fn begin(&mut self, _: Address) -> Result<[u8; 24], ElementRefused> {
        Ok([0x11; 24])
    }

    fn finish(&mut self, _: Address, answer: [u8; 12]) -> Result<(), ElementRefused> {
        self.authenticated = answer == [0x22; 12];
        self.authenticated.then_some(()).ok_or(ElementRefused)
    }

    fn protect(
        &mut self,
        protection: Protection,
        _: Subject,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let len = plain.len() + 4;
        let out = out.get_mut(..len).ok_or(ElementRefused)?;
        out[..plain.len()].copy_from_slice(plain);
        out[plain.len()..].copy_from_slice(&mac(plain));
        if protection == Protection::Cipher {
            out[..plain.len()].iter_mut().for_each(|byte| *byte ^= 0x77);
        }
        Ok(len)
    }
}

impl MeterElement for Toy {
    fn open(
        &mut self,
        protection: Protection,
        _: Subject,
        protected: &[u8],
        out: &mut [u8],
    ) -> Result<usize, ElementRefused> {
        let (data, sum) = protected.split_last_chunk::<4>().ok_or(ElementRefused)?;
        let key = if protection == Protection::Cipher {
            0x77
        } else {
            0
        };
        let plain: Vec<u8> = data.iter().map(|byte| byte ^ key).collect();
        if !self.authenticated || mac(&plain) != *sum {
            return Err(ElementRefused);
        }
        out[..plain.len()].copy_from_slice(&plain);
        Ok(plain.len())
    }
}

pub struct Meter {
    pub address: Address,
    pub clock: Option<Stamp>,
    pub element: Option<Toy>,
    pub done: Vec<String>,
}

impl Meter {
    pub fn new(digits: &str) -> Self {
        Meter {
            address: Address::from_digits(digits).unwrap(),
            clock: None,
            element: None,
            done: Vec::new(),
        }
    }
}

impl Application for Meter {
    fn address(&self) -> Address {
        self.address
    }

    fn read(&mut self, id: DataId, _: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        match id.0 {
            0x0400_0401 => {
                out[..6].copy_from_slice(&self.address.line());
                Ok(6)
            }
            _ => Err(Err645::NO_DATA),
        }
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        self.done
            .push(format!("{id} {:02X} {data:02X?}", authority.password.level));
        Ok(())
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        self.done.push(format!(
            "{:?} {:02X}",
            control.order, authority.password.level
        ));
        Ok(())
    }

    fn security(
        &mut self,
        _: DataId,
        _: Operator,
        _: &[u8],
        out: &mut [u8],
    ) -> Result<usize, dlt645::SecurityErr> {
        self.element.as_mut().unwrap().authenticated = true;
        out[..12].fill(0x22);
        Ok(12)
    }

    fn write_address(&mut self, address: Address) -> bool {
        self.address = address;
        true
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        let answer: &[u8] = match message {
            Message::ChangeRate(0x40) => return Some(Err(Err645::RATE)),
            Message::ChangeRate(rate) => &[*rate],
            Message::Output(output) => &[*output],
            Message::ChangePassword { new, .. } | Message::ChangePassword1997 { new, .. } => {
                &new.line()
            }
            Message::Freeze {
                month,
                day,
                hour,
                minute,
            } => {
                FreezePattern::new(*month, *day, *hour, *minute)?;
                &[]
            }
            _ => &[],
        };
        self.done.push(format!("{:02X}", message.control().0));
        out[..answer.len()].copy_from_slice(answer);
        Some(Ok(answer.len()))
    }

    fn clock(&self) -> Option<Stamp> {
        self.clock
    }

    fn element(&mut self) -> Option<&mut dyn MeterElement> {
        self.element
            .as_mut()
            .map(|element| element as &mut dyn MeterElement)
    }

    fn read_1997(&mut self, id: DataId1997, out: &mut [u8]) -> Result<usize, Err645> {
        match id.0 {
            0x9010 => {
                out[..4].copy_from_slice(&[0x56, 0x34, 0x12, 0]);
                Ok(4)
            }
            0x90FF => {
                for (nth, byte) in out[..500].iter_mut().enumerate() {
                    *byte = nth as u8;
                }
                Ok(500)
            }
            _ => Err(Err645::UNKNOWN_ID_1997),
        }
    }

    fn write_1997(&mut self, id: DataId1997, _: Password, data: &[u8]) -> Result<(), Err645> {
        self.done.push(format!("{id} {data:02X?}"));
        Ok(())
    }
}

/// One exchange without a line; `lose` counts answers that do not arrive.
pub fn exchange(
    master: &mut Master<'_>,
    slave: &mut Slave<'_>,
    meter: &mut Meter,
    now: &mut u64,
    lose: &mut u32,
) {
    for _ in 0..100 {
        if let Some(request) = master.poll_transmit() {
            let request = request.to_vec();
            let _ = slave.handle_bytes(*now, &request, meter);
            if let Some(answer) = slave.poll_transmit() {
                let answer = answer.to_vec();
                if *lose > 0 {
                    *lose -= 1;
                } else {
                    master.handle_bytes(*now, &answer);
                }
            }
            continue;
        }
        let Some(at) = master.poll_timeout() else {
            return;
        };
        *now = at;
        master.handle_timeout(at);
    }
}

pub const PASSWORD: Password = Password {
    level: 2,
    digits: 0x123456,
};

pub fn authority(password: Password) -> Authority {
    Authority {
        password,
        operator: Operator(0x0102_0304),
    }
}

pub fn guard(rules: GuardRules) -> Guard {
    Guard::new(rules)
        .password(2, 0x123456)
        .password(4, 0x444444)
}
