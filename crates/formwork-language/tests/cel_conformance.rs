//! The conformance cases of the CEL specification, each sorted: it holds, it deviates by a rule of ours, or it is
//! about something that the language does not have.
//!
//! The cases come from the npm package that `cel/package-lock.json` pins; `cel/sorted.txt` says why a case does not
//! hold. A case that is not in that file must hold, and one that is there must not.

use base64::Engine as _;
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::{Equals, Kind, Names, StaticType, compile, parse};
use formwork_language::program::Schema;
use formwork_language::value::{Value, same, text};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A host without anything to give: no case asks for it.
struct Nothing;

impl Host for Nothing {
    fn now(&self) -> i64 {
        0
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(0);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [0; 16]
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cel")
}

/// The cases as JSON lines: from the file that `FORMWORK_CEL_CASES` names, else made by `cel/export.mjs`.
fn cases() -> String {
    if let Ok(path) = std::env::var("FORMWORK_CEL_CASES") {
        return std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    if !here().join("node_modules/@bufbuild/cel-spec").exists() {
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]));
    }
    run(Command::new("node").arg("export.mjs"))
}

fn run(command: &mut Command) -> String {
    let hint = "the CEL cases need Node.js and npm, or FORMWORK_CEL_CASES with a file of them";
    let output = command.current_dir(here()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}; {hint}"));
    assert!(output.status.success(), "{command:?}: {}; {hint}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("Node.js prints UTF-8")
}

/// What `cel/sorted.txt` says of a case.
struct Sorted {
    /// `deviates` or `not covered`.
    kind: String,
    /// The rule of ours, or what the language does not have.
    reason: String,
}

/// Lines `kind | case | reason`; a case is `section/name`, or ends in `*` and stands for all that begin so.
struct Table {
    exact: BTreeMap<String, Sorted>,
    groups: Vec<(String, Sorted)>,
}

impl Table {
    fn read() -> Self {
        let path = here().join("sorted.txt");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        let mut table = Self { exact: BTreeMap::new(), groups: Vec::new() };
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let mut parts = line.splitn(3, " | ").map(str::to_owned);
            let (Some(kind), Some(case), Some(reason)) = (parts.next(), parts.next(), parts.next()) else {
                panic!("{line}: expected `kind | case | reason`");
            };
            assert!(kind == "deviates" || kind == "not covered", "{line}");
            let sorted = Sorted { kind, reason };
            match case.strip_suffix('*') {
                Some(prefix) => table.groups.push((prefix.to_owned(), sorted)),
                None => assert!(table.exact.insert(case, sorted).is_none(), "{line}: twice"),
            }
        }
        table
    }

    fn of(&self, case: &str) -> Option<(&Sorted, bool)> {
        let group = || self.groups.iter().find(|(prefix, _)| case.starts_with(prefix.as_str()));
        self.exact
            .get(case)
            .map(|sorted| (sorted, true))
            .or_else(|| group().map(|(_, sorted)| (sorted, false)))
    }
}

/// How a case came out.
enum Result {
    /// As CEL has it.
    Holds,
    /// As CEL has it, but for an exact decimal where CEL has a double.
    HoldsExactly,
    /// Otherwise.
    Differs(String),
}

#[test]
fn cases_hold_but_for_those_that_are_sorted_out() {
    let table = Table::read();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut count = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
    let (mut problems, mut seen) = (String::new(), std::collections::BTreeSet::new());
    let cases = cases();
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).expect("each line is JSON");
        let name = unique(
            format!("{}/{}", case["section"].as_str().unwrap_or(""), case["name"].as_str().unwrap_or("")),
            &mut seen,
        );
        let result = outcome(&case);
        match (table.of(&name), result) {
            (None, Result::Holds) => count("holds"),
            (None, Result::HoldsExactly) => count("holds, as an exact decimal"),
            (None, Result::Differs(how)) => {
                let _ = writeln!(problems, "differs | {name} | {} | {how}", case["expr"]);
            }
            (Some((sorted, _)), Result::Differs(_)) => count(&format!("{}: {}", sorted.kind, sorted.reason)),
            (Some((sorted, false)), _) => count(&format!("{}: {}", sorted.kind, sorted.reason)),
            (Some((sorted, true)), _) => {
                let _ = writeln!(problems, "holds but is sorted out | {name} | {}", sorted.reason);
            }
        }
    }
    for name in table.exact.keys().filter(|name| !seen.contains(*name)) {
        let _ = writeln!(problems, "no such case | {name}");
    }
    let total: u32 = counts.values().sum();
    let lines: String = counts.iter().map(|(what, count)| format!("{count:5}  {what}\n")).collect();
    eprint_counts(&format!("CEL conformance, {total} cases:\n{lines}"));
    assert!(problems.is_empty(), "{} problems:\n{problems}", problems.lines().count());
    assert!(total > 2000, "only {total} cases were read");
}

/// The counts are what a reader of the test's output wants to see.
#[allow(clippy::print_stderr, reason = "the counts are the result of this test")]
fn eprint_counts(text: &str) {
    eprintln!("{text}");
}

/// A name of a case that occurs twice gets a number.
fn unique(name: String, seen: &mut std::collections::BTreeSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !seen.insert(candidate.clone()) {
        candidate = format!("{name}#{number}");
        number += 1;
    }
    candidate
}

fn outcome(case: &Json) -> Result {
    let source = case["expr"].as_str().unwrap_or("");
    let wanted =
        if case["typedResult"].is_object() { &case["typedResult"]["result"] } else { &case["value"] };
    let only_checked = case["checkOnly"].as_bool() == Some(true);
    match computed(source, case, only_checked) {
        // An error because of what the language does not have is not the error that the case is about.
        Err(why) if why.contains("needs no name before") || why.contains("not part of the language") => {
            Result::Differs(why)
        }
        Err(_) if case["evalError"].is_object() || case["anyEvalErrors"].is_object() => Result::Holds,
        Err(why) => Result::Differs(why),
        Ok(value) if case["evalError"].is_object() => Result::Differs(format!("gives {value:?}")),
        Ok(_) if only_checked => Result::Holds,
        Ok(value) if wanted.is_null() && case["value"].is_null() => {
            // A case without any expectation expects true.
            if value.is_true() { Result::Holds } else { Result::Differs(format!("gives {value:?}")) }
        }
        Ok(value) => match expected(wanted) {
            None => Result::Differs(format!("expects {wanted}")),
            Some(expected) if identical(&value, &expected) => Result::Holds,
            Some(expected) if alike(&value, &expected) => Result::HoldsExactly,
            Some(_) => Result::Differs(format!("gives {value:?}, not {wanted}")),
        },
    }
}

fn computed(source: &str, case: &Json, only_checked: bool) -> std::result::Result<Value, String> {
    let ast = parse(source, Equals::Refused, &|at| at).map_err(|problem| problem.problem)?;
    let schema = Schema::default();
    let mut names = Names::new(&schema);
    let mut slots = Vec::new();
    let types: BTreeMap<&str, StaticType> = case["typeEnv"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|declared| (declared["name"].as_str().unwrap_or(""), declared_type(&declared["ident"]["type"])))
        .collect();
    let bindings = case["bindings"].as_object();
    for name in types.keys().copied().chain(bindings.into_iter().flatten().map(|(name, _)| name.as_str())) {
        if names.variable(name).is_some() {
            continue;
        }
        let ty = types.get(name).cloned().unwrap_or(Kind::Dynamic.required());
        names.bind(name, slots.len() as u16, ty);
        let value = bindings.and_then(|bindings| bindings.get(name)).map(|binding| &binding["value"]);
        slots.push(match value {
            None => Value::Absent,
            Some(value) => expected(value).ok_or_else(|| format!("cannot bind {value}"))?,
        });
    }
    let mut notes = Vec::new();
    let typed = compile(&ast, &names, &mut notes)
        .ok_or_else(|| format!("{:?}", notes.first().map(|note| &note.kind)))?;
    if only_checked {
        return Ok(Value::Absent);
    }
    evaluate(&typed.expression, &mut Scope { slots: &slots, rows: &[], host: &mut Nothing })
        .map_err(|error| error.to_string())
}

fn declared_type(json: &Json) -> StaticType {
    let inner = |json: &Json| Box::new(declared_type(json));
    let kind = match json["primitive"].as_str().or_else(|| json["wellKnown"].as_str()) {
        Some("BOOL") => Kind::Boolean,
        Some("INT64") => Kind::Integer,
        Some("UINT64") => Kind::Unsigned,
        Some("DOUBLE") => Kind::Double,
        Some("STRING") => Kind::Text,
        Some("BYTES") => Kind::Bytes,
        Some("TIMESTAMP") => Kind::Timestamp,
        Some("DURATION") => Kind::Duration,
        _ if json["listType"].is_object() => Kind::List(inner(&json["listType"]["elemType"])),
        _ if json["mapType"].is_object() => {
            Kind::Map(inner(&json["mapType"]["keyType"]), inner(&json["mapType"]["valueType"]))
        }
        _ => Kind::Dynamic,
    };
    kind.required()
}

/// A value in the JSON form of protobuf's `cel.expr.Value`.
fn expected(json: &Json) -> Option<Value> {
    let object = json.as_object()?;
    let (kind, value) = object.iter().next()?;
    Some(match kind.as_str() {
        "nullValue" => Value::Null,
        "boolValue" => Value::Boolean(value.as_bool()?),
        "int64Value" => Value::Integer(value.as_str().map_or(value.as_i64(), |text| text.parse().ok())?),
        "uint64Value" => Value::Unsigned(value.as_str().map_or(value.as_u64(), |text| text.parse().ok())?),
        "doubleValue" => Value::Double(match value.as_str() {
            Some("NaN") => f64::NAN,
            Some("Infinity") => f64::INFINITY,
            Some("-Infinity") => f64::NEG_INFINITY,
            Some(text) => text.parse().ok()?,
            None => value.as_f64()?,
        }),
        "stringValue" => Value::text(value.as_str()?),
        "bytesValue" => {
            Value::Bytes(base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?.into())
        }
        "typeValue" => Value::Type(type_name(value.as_str()?)?),
        "listValue" => {
            let items = value["values"].as_array().map_or(&[][..], Vec::as_slice);
            Value::List(items.iter().map(expected).collect::<Option<_>>()?)
        }
        "mapValue" => {
            let entries = value["entries"].as_array().map_or(&[][..], Vec::as_slice);
            let entries =
                entries.iter().map(|entry| Some((expected(&entry["key"])?, expected(&entry["value"])?)));
            Value::Map(entries.collect::<Option<_>>()?)
        }
        "objectValue" => match value["@type"].as_str()?.rsplit('/').next()? {
            "google.protobuf.Timestamp" => Value::Timestamp(text::parse_timestamp(value["value"].as_str()?)?),
            "google.protobuf.Duration" => Value::Duration(text::parse_duration(value["value"].as_str()?)?),
            _ => return None,
        },
        _ => return None,
    })
}

fn type_name(name: &str) -> Option<&'static str> {
    let names = [
        "bool",
        "int",
        "uint",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
    ];
    names.into_iter().find(|known| *known == name)
}

/// The same value of the same type.
fn identical(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Double(value), Value::Double(expected)) => {
            value == expected || (value.is_nan() && expected.is_nan())
        }
        (Value::List(values), Value::List(expected)) => {
            values.len() == expected.len()
                && values.iter().zip(expected.iter()).all(|(value, expected)| identical(value, expected))
        }
        (Value::Map(values), Value::Map(expected)) => {
            values.len() == expected.len()
                && values.iter().all(|(key, value)| {
                    expected
                        .iter()
                        .any(|(other, expected)| identical(key, other) && identical(value, expected))
                })
        }
        (Value::Absent | Value::Null, Value::Null) => true,
        (value, expected) => {
            std::mem::discriminant(value) == std::mem::discriminant(expected) && same(value, expected)
        }
    }
}

/// The same value where a double may be an exact decimal.
fn alike(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Decimal(value), Value::Double(expected)) => value.to_double() == *expected,
        (Value::List(values), Value::List(expected)) => {
            values.len() == expected.len()
                && values.iter().zip(expected.iter()).all(|(value, expected)| alike(value, expected))
        }
        (Value::Map(values), Value::Map(expected)) => {
            values.len() == expected.len()
                && values.iter().all(|(key, value)| {
                    expected.iter().any(|(other, expected)| identical(key, other) && alike(value, expected))
                })
        }
        (value, expected) => identical(value, expected),
    }
}
