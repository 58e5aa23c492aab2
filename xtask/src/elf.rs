//! What is read out of the images: their functions and bytes of their code.

/// One function of an image.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name as the linker has it.
    pub name: String,
    /// Its first address.
    pub at: u32,
    /// Its length in bytes.
    pub len: u32,
}

const FUNCTION: u8 = 2;
const PROGBITS: u32 = 1;
const SYMBOLS: u32 = 2;
const ALLOCATED: u32 = 2;

fn word(elf: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*elf.get(at..)?.first_chunk()?))
}

/// The section headers, each as where it stands.
fn sections(elf: &[u8]) -> Option<impl Iterator<Item = usize>> {
    let half = |at: usize| Some(u16::from_le_bytes(*elf.get(at..)?.first_chunk()?));
    let table = word(elf, 0x20)? as usize;
    let (size, number) = (usize::from(half(0x2E)?), usize::from(half(0x30)?));
    Some((0..number).map(move |nth| table + nth * size))
}

/// The functions of a 32-bit little-endian image; `None` when it has no symbols.
pub fn functions(elf: &[u8]) -> Option<Vec<Function>> {
    let symbols = sections(elf)?.find(|at| word(elf, at + 4) == Some(SYMBOLS))?;
    let (begin, len) = (word(elf, symbols + 16)? as usize, word(elf, symbols + 20)?);
    let names = sections(elf)?.nth(word(elf, symbols + 24)? as usize)?;
    let names = word(elf, names + 16)? as usize;
    let mut found = Vec::new();
    for symbol in elf.get(begin..begin + len as usize)?.chunks_exact(16) {
        if symbol[12] & 0x0F == FUNCTION {
            let name = word(symbol, 0)? as usize;
            let name = elf.get(names + name..)?.split(|byte| *byte == 0).next()?;
            found.push(Function {
                name: String::from_utf8_lossy(name).into_owned(),
                // The lowest bit says that the code is Thumb.
                at: word(symbol, 4)? & !1,
                len: word(symbol, 8)?,
            });
        }
    }
    Some(found)
}

/// Bytes of memory that an image takes before it starts: what has a value from the start and what is zeroed.
pub fn ram(elf: &[u8]) -> Option<u64> {
    const WRITABLE: u32 = 1;
    let mut sum = 0;
    for at in sections(elf)? {
        if word(elf, at + 8)? & (WRITABLE | ALLOCATED) == WRITABLE | ALLOCATED {
            sum += u64::from(word(elf, at + 20)?);
        }
    }
    Some(sum)
}

/// The bytes of code or constants from an address on, to the end of their section.
fn bytes_at(elf: &[u8], address: u32) -> Option<&[u8]> {
    sections(elf)?.find_map(|at| {
        let (from, len) = (word(elf, at + 12)?, word(elf, at + 20)?);
        let kept = word(elf, at + 4)? == PROGBITS && word(elf, at + 8)? & ALLOCATED != 0;
        let skip = address
            .checked_sub(from)
            .filter(|skip| kept && *skip < len)?;
        let begin = word(elf, at + 16)? as usize;
        elf.get(begin..begin + len as usize)?.get(skip as usize..)
    })
}

/// The halfword of code at an address.
pub fn halfword(elf: &[u8], address: u32) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes_at(elf, address)?.first_chunk()?))
}

/// The word at an address.
pub fn word_at(elf: &[u8], address: u32) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes_at(elf, address)?.first_chunk()?))
}

/// Bytes of the Thumb instruction at an address: 2 or 4.
pub fn instruction_len(elf: &[u8], address: u32) -> Option<u32> {
    let wide = halfword(elf, address)? >> 11 >= 0b11101;
    Some(if wide { 4 } else { 2 })
}

/// Where a panic says that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PanicPlace {
    /// File as the compiler named it.
    pub file: String,
    /// Line of it.
    pub line: u32,
}

/// Every place that a panic of an image can name. Each call that panics hands over such a place, and the linker leaves
/// out those of code that cannot be reached: an image without a place of a file cannot panic there.
///
/// A place is four words: address and length of the file's name, line, column.
pub fn panic_places(elf: &[u8]) -> Option<Vec<PanicPlace>> {
    const LONGEST: u32 = 512;
    let mut found = std::collections::BTreeSet::new();
    for at in sections(elf)? {
        let kept = word(elf, at + 4)? == PROGBITS && word(elf, at + 8)? & ALLOCATED != 0;
        let (begin, len) = (word(elf, at + 16)? as usize, word(elf, at + 20)? as usize);
        let bytes = elf.get(begin..begin + len).filter(|_| kept);
        for nth in 0..bytes.map_or(0, |bytes| (bytes.len() / 4).saturating_sub(3)) {
            let field = |place: usize| word(elf, begin + 4 * (nth + place));
            let (name, len, line, column) = (field(0)?, field(1)?, field(2)?, field(3)?);
            if !(4..LONGEST).contains(&len) || line == 0 || column == 0 {
                continue;
            }
            let text = bytes_at(elf, name).and_then(|bytes| bytes.get(..len as usize));
            let file = text.and_then(|text| std::str::from_utf8(text).ok());
            // Some compilers count the zero that ends the name.
            let file = file.map(|file| file.trim_end_matches('\0'));
            if let Some(file) = file.filter(|file| file.ends_with(".rs")) {
                let file = file.to_owned();
                found.insert(PanicPlace { file, line });
            }
        }
    }
    Some(found.into_iter().collect())
}
