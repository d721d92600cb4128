//! The input of one operation, compiled: which slot each name of path, query, header and body fills.

use super::query;
use super::typed::{Faults, decode, decode_text};
use crate::json::{self, Json};
use crate::problems::{Fault, Place};
use formwork_language::eval::{Host, Scope, evaluate};
use formwork_language::expression::Expression;
use formwork_language::program::{InputField, Operation, PathPart, Program, Statement, slots};
use formwork_language::value::Value;
use formwork_model::facts::Location;
use formwork_model::values::Type;
use http::HeaderMap;
use std::borrow::Cow;

/// The most rows of a page that any caller may ask for, unless the document's own number is greater.
const MOST_PER_PAGE: i64 = 200;

/// How an operation's input is read.
#[derive(Debug)]
pub(crate) struct Decoder {
    fields: Vec<InputField>,
    /// For each parameter of the path in order, the field that it fills.
    path: Vec<Option<usize>>,
    query: Vec<usize>,
    headers: Vec<(String, usize)>,
    body: Vec<usize>,
    ignores_others: bool,
    ignores_query: bool,
    /// The page that it answers, if it does.
    pub(crate) page: Option<PageInput>,
}

/// The hidden inputs of an operation that answers a page.
#[derive(Debug)]
pub(crate) struct PageInput {
    /// Index of the field `cursor`.
    pub(crate) cursor: usize,
    /// Index of the field `limit`.
    limit: usize,
    /// The most that `limit` asks for.
    most: i64,
    /// The types of a cursor's values.
    pub(crate) order: Vec<Type>,
}

impl PageInput {
    /// Whether a field is not the document's but the page's own.
    fn hides(&self, field: usize) -> bool {
        field == self.cursor || field == self.limit
    }
}

/// The parts of a request that hold input, undecoded.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// The segments that parameters of the path matched, in order.
    pub(crate) path: &'a [&'a str],
    /// Behind the `?`.
    pub(crate) query: &'a str,
    /// The header.
    pub(crate) headers: &'a HeaderMap,
    /// The body; empty when there is none.
    pub(crate) body: &'a [u8],
}

/// Why input is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// `400`
    Malformed(String),
    /// `422`
    Invalid(Vec<Fault>),
}

impl Decoder {
    /// Compiles the input of an operation.
    pub(crate) fn new(operation: &Operation, program: &Program) -> Self {
        let fields = operation.input.fields.clone();
        let page = page_input(operation, program);
        let located = |wanted: &Location| -> Vec<usize> {
            (0..fields.len()).filter(|&index| fields[index].location == *wanted).collect()
        };
        let headers = fields.iter().enumerate().filter_map(|(index, field)| match &field.location {
            Location::Header(name) => Some((name.to_ascii_lowercase(), index)),
            _ => None,
        });
        let path = operation.path.iter().filter_map(|part| match part {
            PathPart::Fixed(_) => None,
            PathPart::Parameter(name) => {
                Some(fields.iter().position(|field| field.location == Location::Path && field.name == *name))
            }
        });
        Self {
            path: path.collect(),
            query: located(&Location::Query),
            headers: headers.collect(),
            body: located(&Location::Body),
            ignores_others: operation.input.ignores_others,
            ignores_query: operation.input.ignores_query,
            page,
            fields,
        }
    }

    /// Fills the input slots behind the fixed ones. Gives the cursor as sent, which the caller still has to check.
    pub(crate) fn decode(
        &self,
        parts: &Parts<'_>,
        slots: &mut Vec<Value>,
        host: &mut dyn Host,
    ) -> Result<Option<String>, Unreadable> {
        let path = self.path_texts(parts)?;
        let query = query::pairs(parts.query)
            .ok_or_else(|| Unreadable::Malformed("The query has a bad percent-encoding.".into()))?;
        let body = match parts.body {
            b"" => Json::Object(Vec::new(), "{}"),
            bytes => json::read(bytes).map_err(|problem| Unreadable::Malformed(problem.0))?,
        };
        let mut values = vec![Value::Absent; self.fields.len()];
        let mut sent = vec![false; self.fields.len()];
        let mut faults = Faults::new();
        for (index, text) in path {
            sent[index] = true;
            faults.place = Place::Outside("path", self.fields[index].name.to_string());
            values[index] = self.text(index, &text, &mut faults);
        }
        self.read_query(&query, &mut values, &mut sent, &mut faults);
        self.read_headers(parts.headers, &mut values, &mut sent, &mut faults);
        self.read_body(&body, &mut values, &mut sent, &mut faults);
        self.complete(&mut values, &sent, &mut faults);
        if !faults.list.is_empty() {
            return Err(Unreadable::Invalid(faults.list));
        }
        let cursor = self.page.as_ref().and_then(|page| match std::mem::take(&mut values[page.cursor]) {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        });
        slots.truncate(usize::from(slots::INPUT));
        slots.append(&mut values);
        self.set_defaults(slots, &sent, host)?;
        Ok(cursor)
    }

    /// The input of filled slots without the hidden inputs of a page.
    pub(crate) fn without_page(&self, slots: &[Value]) -> Vec<Value> {
        let hidden = |index: usize| self.page.as_ref().is_some_and(|page| page.hides(index));
        let input = slots.iter().skip(usize::from(slots::INPUT)).enumerate();
        input.filter(|(index, _)| !hidden(*index)).map(|(_, value)| value.clone()).collect()
    }

    fn path_texts<'a>(&self, parts: &Parts<'a>) -> Result<Vec<(usize, Cow<'a, str>)>, Unreadable> {
        let mut texts = Vec::with_capacity(self.path.len());
        for (index, segment) in self.path.iter().zip(parts.path) {
            let text = query::percent_decode(segment, false)
                .ok_or_else(|| Unreadable::Malformed("The path has a bad percent-encoding.".into()))?;
            if let Some(index) = index {
                texts.push((*index, text));
            }
        }
        Ok(texts)
    }

    fn text(&self, index: usize, text: &str, faults: &mut Faults) -> Value {
        let field = &self.fields[index];
        if let Some(page) = &self.page {
            if index == page.cursor {
                return Value::Text(text.into());
            }
            if index == page.limit {
                return limit(text, page.most, faults);
            }
        }
        let value = decode_text(&field.ty, text, faults);
        self.checked(index, value, faults)
    }

    fn checked(&self, index: usize, value: Option<Value>, faults: &mut Faults) -> Value {
        let Some(value) = value else { return Value::Absent };
        let rules = &self.fields[index].rules;
        let value = rules.completed(value);
        for violation in rules.violations(&value) {
            faults.add_below(&violation.pointer, violation.code, violation.detail);
        }
        value
    }

    fn read_query(
        &self,
        pairs: &[(Cow<'_, str>, Cow<'_, str>)],
        values: &mut [Value],
        sent: &mut [bool],
        faults: &mut Faults,
    ) {
        for (name, text) in pairs {
            faults.place = Place::Outside("query", shown(name));
            let Some(&index) = self.query.iter().find(|index| *self.fields[**index].name == **name) else {
                if !self.ignores_query {
                    faults.add("unknown_field", "There is no such parameter.");
                }
                continue;
            };
            if std::mem::replace(&mut sent[index], true) {
                if !matches!(self.fields[index].ty, Type::List(_)) {
                    faults.add("repeated", "Must stand only once.");
                }
                continue;
            }
            values[index] = match &self.fields[index].ty {
                Type::List(of) => {
                    let mut items = Vec::new();
                    for (_, text) in pairs.iter().filter(|(other, _)| other == name) {
                        items.extend(decode_text(of, text, faults));
                    }
                    self.checked(index, Some(Value::List(items.into())), faults)
                }
                _ => self.text(index, text, faults),
            };
        }
    }

    fn read_headers(
        &self,
        headers: &HeaderMap,
        values: &mut [Value],
        sent: &mut [bool],
        faults: &mut Faults,
    ) {
        for (name, index) in &self.headers {
            let mut all = headers.get_all(name.as_str()).iter();
            let Some(value) = all.next() else { continue };
            sent[*index] = true;
            faults.place = Place::Outside("header", name.clone());
            match (std::str::from_utf8(value.as_bytes()), all.next()) {
                (_, Some(_)) => faults.add("repeated", "Must stand only once."),
                (Ok(text), None) => values[*index] = self.text(*index, text, faults),
                (Err(_), None) => faults.add("type", "Must be UTF-8."),
            }
        }
    }

    fn read_body(&self, body: &Json<'_>, values: &mut [Value], sent: &mut [bool], faults: &mut Faults) {
        faults.place = Place::Body(String::new());
        let Json::Object(members, _) = body else {
            faults.add("type", "The body must be an object.");
            // What is missing in a body that is no object is not worth saying.
            self.body.iter().for_each(|index| sent[*index] = true);
            return;
        };
        for (name, json) in members {
            let found = self.body.iter().find(|index| *self.fields[**index].name == **name);
            let Some(&index) = found else {
                if !self.ignores_others {
                    let add = |faults: &mut Faults| faults.add("unknown_field", "There is no such field.");
                    faults.inside(&shown(name), add);
                }
                continue;
            };
            sent[index] = true;
            faults.inside(name, |faults| {
                let field = &self.fields[index];
                values[index] = match json {
                    Json::Null if field.optional => Value::Null,
                    Json::Null if !matches!(field.ty, Type::Json | Type::Unknown(_)) => {
                        faults.add("required", "Must not be null.");
                        Value::Absent
                    }
                    json => {
                        let value = decode(&field.ty, json, faults);
                        self.checked(index, value, faults)
                    }
                };
            });
        }
    }

    /// Notes every required field that was not sent.
    fn complete(&self, values: &mut [Value], sent: &[bool], faults: &mut Faults) {
        for (index, field) in self.fields.iter().enumerate() {
            let hidden = self.page.as_ref().is_some_and(|page| page.hides(index));
            if sent[index] || field.optional || field.default.is_some() || hidden {
                continue;
            }
            faults.place = match &field.location {
                Location::Body => Place::Body(format!("/{}", field.name)),
                Location::Path => Place::Outside("path", field.name.to_string()),
                Location::Query => Place::Outside("query", field.name.to_string()),
                Location::Header(name) => Place::Outside("header", name.to_ascii_lowercase()),
            };
            faults.add("required", "Is required.");
            values[index] = Value::Absent;
        }
    }

    fn set_defaults(&self, all: &mut [Value], sent: &[bool], host: &mut dyn Host) -> Result<(), Unreadable> {
        for (index, field) in self.fields.iter().enumerate() {
            let Some(default) = field.default.as_ref().filter(|_| !sent[index]) else { continue };
            let value = match default {
                Expression::Constant(value) => value.clone(),
                default => evaluate(default, &mut Scope { slots: all, rows: &[], host: &mut *host })
                    .map_err(|error| Unreadable::Malformed(format!("A default has no value: {error}")))?,
            };
            all[usize::from(slots::INPUT) + index] = value;
        }
        Ok(())
    }
}

/// A caller's name in a message: at most 64 characters.
fn shown(name: &str) -> String {
    name.chars().take(64).collect()
}

fn limit(text: &str, most: i64, faults: &mut Faults) -> Value {
    match decode_text(&Type::Integer, text, faults) {
        Some(Value::Integer(number)) if number < 1 => {
            faults.add("min", "Must be at least 1.");
            Value::Absent
        }
        Some(Value::Integer(number)) => Value::Integer(number.min(most)),
        _ => Value::Absent,
    }
}

/// The hidden inputs, from the instruction that reads the page.
fn page_input(operation: &Operation, program: &Program) -> Option<PageInput> {
    let page = operation.page()?;
    let Some(Statement::Select(select)) = program.statements.get(usize::try_from(page.first).ok()?) else {
        return None;
    };
    let entity = program.schema.entities.get(usize::from(select.entity))?;
    let order = select.order.iter().filter_map(|(field, _)| entity.fields.get(usize::from(*field)));
    Some(PageInput {
        cursor: page.cursor,
        limit: page.limit,
        most: MOST_PER_PAGE.max(i64::from(page.per_page)),
        order: order.map(|field| field.ty.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_language::constraint::FieldRules;
    use formwork_syntax::Span;

    struct NoHost;
    impl Host for NoHost {
        fn now(&self) -> i64 {
            0
        }
        fn random(&mut self, _: &mut [u8]) {}
        fn uuid(&mut self) -> [u8; 16] {
            [0; 16]
        }
    }

    fn field(name: &str, ty: Type, optional: bool, location: Location) -> InputField {
        InputField {
            name: name.into(),
            ty,
            optional,
            default: None,
            location,
            rules: FieldRules::default(),
            span: Span::default(),
        }
    }

    fn decoder() -> Decoder {
        let fields = vec![
            field("slug", Type::String, false, Location::Path),
            field("size", Type::Integer, true, Location::Query),
            field("tags", Type::List(Type::String.into()), true, Location::Query),
            field("url", Type::Uri, false, Location::Body),
            field("note", Type::String, true, Location::Body),
            field("device", Type::Integer, true, Location::Header("X-Device".into())),
        ];
        Decoder {
            path: vec![Some(0)],
            query: vec![1, 2],
            headers: vec![("x-device".into(), 5)],
            body: vec![3, 4],
            ignores_others: false,
            ignores_query: false,
            page: None,
            fields,
        }
    }

    fn run(path: &str, query: &str, body: &str) -> Result<Vec<Value>, Unreadable> {
        run_with(path, query, body, None)
    }

    fn run_with(
        path: &str,
        query: &str,
        body: &str,
        device: Option<&'static str>,
    ) -> Result<Vec<Value>, Unreadable> {
        let mut slots = vec![Value::Absent; 7];
        let device = device.map(|text| (http::HeaderName::from_static("x-device"), text));
        let headers: HeaderMap =
            device.into_iter().map(|(name, text)| (name, http::HeaderValue::from_static(text))).collect();
        let parts = Parts { path: &[path], query, headers: &headers, body: body.as_bytes() };
        decoder().decode(&parts, &mut slots, &mut NoHost).map(|_| slots)
    }

    #[test]
    fn input_fills_its_slots() {
        let slots = run("a%2Fb", "", r#"{"url":"https://example.com","note":null}"#).expect("valid");
        assert!(matches!(&slots[7], Value::Text(text) if &**text == "a/b"));
        assert!(matches!(slots[8], Value::Absent));
        assert!(matches!(slots[11], Value::Null));
    }

    #[test]
    fn all_faults_come_at_once() {
        let Err(Unreadable::Invalid(faults)) =
            run_with("x", "size=big&size=2&other=1", r#"{"note":5,"x":1}"#, Some("many"))
        else {
            panic!("faults expected");
        };
        let told: Vec<String> = faults
            .iter()
            .map(|fault| match &fault.place {
                Place::Body(pointer) => format!("#{pointer} {}", fault.code),
                Place::Outside(place, name) => format!("{place} {name} {}", fault.code),
            })
            .collect();
        assert_eq!(
            told,
            [
                "query size type",
                "query size repeated",
                "query other unknown_field",
                "header x-device type",
                "#/note type",
                "#/x unknown_field",
                "#/url required"
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_malformed_before_anything_is_invalid() {
        assert!(matches!(run("%ff", "", "{}"), Err(Unreadable::Malformed(_))));
        assert!(matches!(run("x", "a=%", "{}"), Err(Unreadable::Malformed(_))));
        assert!(matches!(run("x", "", "{"), Err(Unreadable::Malformed(_))));
        let Err(Unreadable::Invalid(faults)) = run("x", "", "[]") else { panic!("faults expected") };
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn a_list_of_the_query_repeats_its_name() {
        let slots = run("x", "tags=a&tags=b%20c", r#"{"url":"https://example.com"}"#).expect("valid");
        let Value::List(tags) = &slots[9] else { panic!("a list expected") };
        assert!(matches!(&tags[..], [Value::Text(a), Value::Text(b)] if &**a == "a" && &**b == "b c"));
    }
}
