//! The header as a C compiler sees it: functions, structures, opaque types.

use std::collections::BTreeSet;
use std::path::Path;

/// A function that answers an `mtr_result`, or another one.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub answers_code: bool,
    pub parameters: Vec<Parameter>,
}

/// A parameter of a function.
#[derive(Debug)]
pub struct Parameter {
    pub name: String,
    /// The type without `const` and stars.
    pub base: String,
    pub is_const: bool,
    pub stars: usize,
    /// The documentation says that it may be NULL.
    pub nullable: bool,
}

/// All that the tests ask of it.
#[derive(Debug)]
pub struct Header {
    pub functions: Vec<Function>,
    pub structures: BTreeSet<String>,
    /// Structures that hold callbacks, or pointers to rows: those that a call is given have a maker.
    pub with_callbacks: BTreeSet<String>,
    pub opaque: BTreeSet<String>,
}

impl Parameter {
    /// Whether the function writes there.
    pub fn written(&self) -> bool {
        self.stars == 2 || (self.stars == 1 && !self.is_const)
    }

    fn new(text: &str, documentation: &str) -> Self {
        let at = text.rfind([' ', '*']).expect("type and name") + 1;
        let (kind, name) = text.split_at(at);
        let note = format!("`{name}` may be NULL");
        Parameter {
            name: name.to_owned(),
            base: kind
                .replace("const ", "")
                .replace('*', " ")
                .trim()
                .to_owned(),
            is_const: kind.contains("const "),
            stars: kind.matches('*').count(),
            nullable: documentation.contains(&note),
        }
    }
}

impl Header {
    pub fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/meter.h");
        let text = std::fs::read_to_string(file).expect("the header");
        let mut header = Header {
            functions: Vec::new(),
            structures: BTreeSet::new(),
            with_callbacks: BTreeSet::new(),
            opaque: BTreeSet::new(),
        };
        let mut documentation = String::new();
        for piece in text.split("/*").skip(1) {
            let (comment, code) = piece.split_once("*/").expect("a comment ends");
            // Comments inside structures follow each other without code that ends.
            documentation = if code.trim().is_empty() {
                documentation + comment
            } else {
                comment.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            for statement in statements(code) {
                header.take(&statement, &documentation);
            }
        }
        let structures = text.split("typedef struct {").skip(1);
        for body in structures {
            let (fields, rest) = body.split_once("\n}").expect("a structure ends");
            let name = rest.split(';').next().expect("a name").trim().to_owned();
            let points = |line: &str| line.trim().starts_with("const ") && line.contains(" *");
            if fields.contains("(*") || fields.lines().any(points) {
                header.with_callbacks.insert(name.clone());
            }
            header.structures.insert(name);
        }
        header
    }

    fn take(&mut self, statement: &str, documentation: &str) {
        let Some((head, tail)) = statement.split_once('(') else {
            if let Some(rest) = statement.strip_prefix("typedef struct mtr_") {
                let name = rest.split_whitespace().next_back().expect("a name");
                self.opaque.insert(name.to_owned());
            }
            return;
        };
        let Some((answer, name)) = head
            .rsplit_once([' ', '*'])
            .filter(|(_, name)| name.starts_with("mtr_"))
        else {
            return;
        };
        let list = tail.strip_suffix(')').expect("the list of parameters ends");
        self.functions.push(Function {
            name: name.to_owned(),
            answers_code: answer == "mtr_result",
            parameters: list
                .split(", ")
                .filter(|parameter| !["void", ""].contains(parameter))
                .map(|parameter| Parameter::new(parameter, documentation))
                .collect(),
        });
    }
}

/// Statements at the left edge, each on one line, preprocessor lines taken out.
fn statements(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("extern \"C\""))
        .collect();
    let text = lines.join("\n");
    text.split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|statement| !statement.contains(['{', '}']))
        .collect()
}
