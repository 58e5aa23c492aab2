//! Every function of the header with wrong arguments, and all of them in random order: the programs are generated from
//! the header, so a function cannot be forgotten. `tests/c/fixtures.h` makes the live objects and the callbacks.
//!
//! What is expected follows from the rules at the head of the header alone: a NULL pointer answers MTR_ERR_NULL, and so
//! on; that nothing is done before all pointers were checked shows by the code of the wrong one coming first.

use std::fmt::Write;
use std::process::Command;

use crate::header::{Function, Header, Parameter};
use crate::native;

/// Bytes of each scratch buffer of the programs.
const SCRATCH: usize = 4096;

/// How a parameter is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Value,
    Object,
    Storage,
    Handle,
    /// Of elements, whose number is the next parameter.
    Row,
    /// The number of elements or bytes of the parameter before.
    Count,
    One,
}

fn roles(header: &Header, function: &Function) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    for (nth, parameter) in function.parameters.iter().enumerate() {
        let counted = function
            .parameters
            .get(nth + 1)
            .is_some_and(|next| next.stars == 0 && next.base == "size_t");
        let before = roles.last().copied();
        roles.push(match parameter {
            Parameter { stars: 0, base, .. }
                if base == "size_t" && matches!(before, Some(Role::Row | Role::Storage)) =>
            {
                Role::Count
            }
            Parameter { stars: 0, .. } => Role::Value,
            Parameter { stars: 2, base, .. } if header.opaque.contains(base) => Role::Handle,
            Parameter { base, .. } if header.opaque.contains(base) => Role::Object,
            Parameter {
                base,
                stars: 1,
                is_const: false,
                ..
            } if base == "void" && counted => Role::Storage,
            Parameter { stars: 1, .. } if counted => Role::Row,
            _ => Role::One,
        });
    }
    roles
}

/// The C type of a parameter as a value or a pointer.
fn c_type(parameter: &Parameter) -> String {
    let constant = if parameter.is_const { "const " } else { "" };
    format!(
        "{constant}{} {}",
        parameter.base,
        "*".repeat(parameter.stars)
    )
}

/// What a good call gives for each parameter.
fn good(header: &Header, parameter: &Parameter, role: Role, nth: usize) -> String {
    let Parameter { base, .. } = parameter;
    match role {
        Role::Object => format!("fixture_{base}()"),
        Role::One if parameter.is_const && header.with_callbacks.contains(base) => {
            format!("given_{base}()")
        }
        Role::Storage | Role::Row | Role::One | Role::Handle => {
            format!("({})(void *)scratch[{nth}]", c_type(parameter))
        }
        Role::Count => "4".to_owned(),
        Role::Value if header.structures.contains(base) => format!("({base}){{0}}"),
        Role::Value => "0".to_owned(),
    }
}

/// The text of one call with one argument replaced, and the code it must answer.
struct Case {
    what: String,
    arguments: Vec<String>,
    expected: String,
}

/// Every wrong call of a function.
fn wrong(header: &Header, function: &Function) -> Vec<Case> {
    let parameters = &function.parameters;
    let roles = roles(header, function);
    let base: Vec<String> = (0..)
        .zip(parameters.iter().zip(&roles))
        .map(|(nth, (parameter, role))| match role {
            // Enough for any object.
            Role::Count if nth > 0 && roles[nth - 1] == Role::Storage => {
                "sizeof scratch[0]".to_owned()
            }
            _ => good(header, parameter, *role, nth),
        })
        .collect();
    let mut cases = Vec::new();
    let mut case = |what: &str, nth: usize, argument: String, expected: &str| {
        let mut arguments = base.clone();
        arguments[nth] = argument;
        let what = format!("{}: {what} `{}`", function.name, parameters[nth].name);
        cases.push(Case {
            what,
            arguments,
            expected: expected.to_owned(),
        });
    };
    for (nth, (parameter, role)) in parameters.iter().zip(&roles).enumerate() {
        let kind = c_type(parameter);
        if parameter.stars > 0 {
            if !parameter.nullable {
                case("null", nth, "NULL".to_owned(), "MTR_ERR_NULL");
            }
            let element = format!("{} {}", parameter.base, "*".repeat(parameter.stars - 1));
            let aligned = match role {
                Role::Object | Role::Storage => "1".to_owned(),
                _ => format!("_Alignof({element}) > 1"),
            };
            let odd = format!("{aligned} ? ({kind})(void *)(scratch[{nth}] + 1) : NULL");
            // Bytes are always aligned: there the case is the null pointer again.
            let expected = match (parameter.nullable, &aligned) {
                (_, aligned) if aligned == "1" => "MTR_ERR_ALIGN".to_owned(),
                (true, aligned) => format!("{aligned} ? MTR_ERR_ALIGN : MTR_OK"),
                (false, aligned) => format!("{aligned} ? MTR_ERR_ALIGN : MTR_ERR_NULL"),
            };
            case("misaligned", nth, odd, &expected);
        }
        match role {
            Role::Object => {
                case(
                    "never initialised",
                    nth,
                    format!("({kind})(void *)zeros"),
                    "MTR_ERR_OBJECT",
                );
                let other = header.opaque.iter().find(|other| **other != parameter.base);
                if let Some(other) = other {
                    case(
                        "another kind of",
                        nth,
                        format!("({kind})(void *)fixture_{other}()"),
                        "MTR_ERR_OBJECT",
                    );
                }
            }
            Role::Count if roles[nth - 1] == Role::Storage => {
                let object = &parameters.last().expect("a handle").base;
                let size = format!("{}_SIZE - 1", object.to_uppercase());
                case("short", nth, size, "MTR_ERR_LENGTH");
                case("no", nth, "0".to_owned(), "MTR_ERR_LENGTH");
            }
            Role::Count => case("endless", nth, "SIZE_MAX".to_owned(), "MTR_ERR_LENGTH"),
            _ => {}
        }
    }
    // Every pair of pointers of which one is written shares its bytes. An object that lies in another argument is
    // expressed by the other argument lying in the object.
    for first in 0..parameters.len() {
        for second in first + 1..parameters.len() {
            let pointers = parameters[first].stars > 0 && parameters[second].stars > 0;
            let objects = roles[second] == Role::Object;
            if !pointers
                || objects
                || !(parameters[first].written() || parameters[second].written())
            {
                continue;
            }
            let kind = c_type(&parameters[second]);
            let place = match roles[first] {
                // Not the head, which says what it is.
                Role::Object => format!("(char *)(void *)(uintptr_t){} + 16", base[first]),
                _ => base[first].clone(),
            };
            let shared = format!("({kind})(void *)(uintptr_t)({place})");
            case("overlapping", second, shared, "MTR_ERR_OVERLAP");
        }
    }
    cases
}

#[test]
fn every_wrong_argument_answers_its_code() {
    if !native::have_compiler("wrong arguments") {
        return;
    }
    let header = Header::read();
    let mut source = String::from(include_str!("../c/misuse.h"));
    let mut total = 0;
    for function in header
        .functions
        .iter()
        .filter(|function| function.answers_code)
    {
        let cases = wrong(&header, function);
        assert!(
            !cases.is_empty(),
            "{} takes nothing that could be wrong",
            function.name
        );
        writeln!(source, "static void wrong_{}(void)\n{{", function.name).expect("text");
        for case in &cases {
            let Case {
                what,
                arguments,
                expected,
            } = case;
            let list = arguments.join(", ");
            writeln!(
                source,
                "    EXPECT(\"{what}\", {expected}, {}({list}));",
                function.name
            )
            .expect("text");
        }
        total += cases.len();
        source += "}\n";
    }
    source += "int main(void)\n{\n";
    for function in header
        .functions
        .iter()
        .filter(|function| function.answers_code)
    {
        writeln!(source, "    wrong_{}();", function.name).expect("text");
    }
    source += "    return finish();\n}\n";
    let file = native::scratch().join("misuse.c");
    std::fs::write(&file, source).expect("the source is written");
    let flags = [
        "-std=c11",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    let program = native::build("cc", &flags, &[file], "misuse");
    let text = native::run(&mut Command::new(program));
    assert_eq!(
        text.trim(),
        format!("{total} wrong calls answered their codes")
    );
}

/// A call with every argument drawn: mostly good ones, sometimes wrong ones.
fn drawn(header: &Header, function: &Function) -> String {
    let roles = roles(header, function);
    let mut text = String::new();
    writeln!(text, "static int call_{}(void)\n{{", function.name).expect("text");
    let mut names = Vec::new();
    for (nth, (parameter, role)) in function.parameters.iter().zip(&roles).enumerate() {
        let kind = c_type(parameter);
        let Parameter { base, .. } = parameter;
        let made = match role {
            Role::Object => format!("({kind})drawn_object(live_{base})"),
            Role::One if parameter.is_const && header.with_callbacks.contains(base) => {
                format!("given_{base}()")
            }
            Role::Storage => format!(
                "drawn_storage({nth}, {}_SIZE)",
                function
                    .parameters
                    .last()
                    .expect("a handle")
                    .base
                    .to_uppercase()
            ),
            Role::Handle => format!("&live_{base}"),
            Role::Row | Role::One => format!("({kind})drawn_place({nth})"),
            Role::Count if roles[nth - 1] == Role::Storage => "drawn_storage_size()".to_owned(),
            Role::Count => {
                let element = &function.parameters[nth - 1].base;
                let size = if element == "void" {
                    "1".to_owned()
                } else {
                    format!("sizeof({element})")
                };
                format!("drawn_count({SCRATCH} / {size})")
            }
            Role::Value if header.structures.contains(base) => {
                writeln!(
                    text,
                    "    {base} a{nth};\n    drawn_structure(&a{nth}, sizeof a{nth});"
                )
                .expect("text");
                names.push(format!("a{nth}"));
                continue;
            }
            Role::Value => format!("({kind})drawn_value()"),
        };
        writeln!(text, "    {kind} a{nth} = {made};").expect("text");
        names.push(format!("a{nth}"));
    }
    writeln!(
        text,
        "    return (int){}({});\n}}",
        function.name,
        names.join(", ")
    )
    .expect("text");
    text
}

#[test]
fn random_calls_end_in_codes() {
    if !native::have_compiler("random calls") {
        return;
    }
    let header = Header::read();
    let mut source = String::from(include_str!("../c/random.h"));
    for opaque in &header.opaque {
        writeln!(source, "static {opaque} *live_{opaque};").expect("text");
    }
    let functions: Vec<_> = header
        .functions
        .iter()
        .filter(|function| function.answers_code)
        .collect();
    for function in &functions {
        source += &drawn(&header, function);
    }
    source += "static int (*const CALLS[])(void) = {\n";
    for function in &functions {
        writeln!(source, "    call_{},", function.name).expect("text");
    }
    source += "};\nstatic void renew(void)\n{\n";
    for opaque in &header.opaque {
        writeln!(source, "    live_{opaque} = fixture_{opaque}();").expect("text");
    }
    source += "}\n";
    source += "int main(int argc, char **argv)\n{\n    return play(argc, argv, CALLS, sizeof CALLS / sizeof CALLS[0], renew);\n}\n";
    let file = native::scratch().join("random.c");
    std::fs::write(&file, source).expect("the source is written");
    let flags = [
        "-std=c11",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    ];
    let program = native::build("cc", &flags, &[file], "random");
    // A bound for the gate; METERKIT_CALLS asks for more.
    let calls = std::env::var("METERKIT_CALLS").unwrap_or_else(|_| "300000".to_owned());
    let text = native::run(Command::new(program).args(["20261121", &calls]));
    println!("{text}");
    assert!(text.contains(&format!("{calls} random calls")), "{text}");
    // Not a check of refusals alone: most functions must have had their way at some time.
    let done: usize = text
        .lines()
        .find_map(|line| {
            line.strip_suffix(" functions answered without an error at least once")?
                .parse()
                .ok()
        })
        .expect("the count of functions");
    assert!(
        done * 10 >= functions.len() * 7,
        "{done} of {} functions ever worked",
        functions.len()
    );
}
