//! The two languages of the output.

pub use dlt645::Lang;

/// The language argument of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Choice {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl From<Choice> for Lang {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::En => Lang::En,
            Choice::Zh => Lang::Zh,
        }
    }
}

/// One of two texts.
#[must_use]
pub fn say<'a>(lang: Lang, en: &'a str, zh: &'a str) -> &'a str {
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}
