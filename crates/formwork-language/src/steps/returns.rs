//! Answering: ``Returns [`STATUS` [with]] [the] `x`.``, `Returns nothing.`, ``Redirects to `EXPR`.``, `Stops.`

use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::Answered;
use crate::steps::clause::{Clause, Misread, Reader, TailKind};
use crate::steps::{Action, Form, Grammar, not_understood};
use formwork_model::values::Type;
use formwork_syntax::Code;
use std::sync::Arc;

/// ``Returns …``
pub(crate) static RETURNS: Form = Form {
    name: "Returns",
    heads: &["returns"],
    notation: "Returns [`STATUS` [with]] [the] `x` / `EXPR` [with header `Name` = `EXPR`]. · Returns nothing.",
    tails: &[TailKind::With, TailKind::WithHeader],
    grammar: Grammar::Tails(read_returns),
};

/// `Returns nothing.`
pub(crate) static RETURNS_NOTHING: Form = Form {
    name: "Returns nothing",
    heads: &["returns nothing"],
    notation: "Returns nothing [with header `Name` = `EXPR`].",
    tails: &[TailKind::WithHeader],
    grammar: Grammar::Tails(read_nothing),
};

/// ``Redirects to `EXPR` …``
pub(crate) static REDIRECTS: Form = Form {
    name: "Redirects",
    heads: &["redirects to"],
    notation: "Redirects to `EXPR` [with `302`].",
    tails: &[TailKind::With],
    grammar: Grammar::Tails(read_redirects),
};

/// `Stops.`
pub(crate) static STOPS: Form = Form {
    name: "Stops",
    heads: &["stops"],
    notation: "Stops.",
    tails: &[],
    grammar: Grammar::Tails(read_stops),
};

#[derive(Debug)]
struct Returns {
    status: Option<Code>,
    body: Option<Code>,
    headers: Vec<(Code, Code)>,
    nothing: bool,
}

fn read_returns(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let headers = headers(clause)?;
    let with = clause.take(TailKind::With);
    let mut reader = clause.take_object();
    let first = reader.code("a status, a variable or an expression in backticks")?;
    let second = reader.opt_code();
    reader.end("`with` or the end of the sentence")?;
    let mut body = second;
    if let Some(tail) = with {
        let mut reader = clause.reader(tail.tokens, tail.span);
        let code = reader.code("a variable or an expression in backticks")?;
        reader.end("`with header` or the end of the sentence")?;
        if body.replace(code).is_some() {
            return Err(clause.missing("one body"));
        }
    }
    let is_status = is_status(&first.text(clause.source));
    let (status, body) = match (is_status, body) {
        (true, body) => (Some(first), body),
        (false, None) => (None, Some(first)),
        (false, Some(_)) => {
            return Err(Misread {
                word: Some(first.text(clause.source).into_owned()),
                expected: "a status from 100 to 599 before the body".to_owned(),
                span: first.span(),
            });
        }
    };
    Ok(Box::new(Returns { status, body, headers, nothing: false }))
}

fn is_status(text: &str) -> bool {
    text.len() == 3 && text.parse().is_ok_and(|status: u16| (100..=599).contains(&status))
}

fn read_nothing(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let headers = headers(clause)?;
    Ok(Box::new(Returns { status: None, body: None, headers, nothing: true }))
}

/// ``with header `Name` = `EXPR` ``, as often as it stands there.
pub(crate) fn headers(clause: &mut Clause<'_>) -> Result<Vec<(Code, Code)>, Misread> {
    let mut headers = Vec::new();
    while let Some(tail) = clause.take(TailKind::WithHeader) {
        let mut reader = clause.reader(tail.tokens, tail.span);
        loop {
            headers.push(read_header(&mut reader)?);
            if !(reader.sign(',') | reader.word("and")) || reader.is_done() {
                break;
            }
        }
        reader.end("`,` and another header, or the end of the sentence")?;
    }
    Ok(headers)
}

/// `` `Name` = `EXPR` ``
pub(crate) fn read_header(reader: &mut Reader<'_>) -> Result<(Code, Code), Misread> {
    let name = reader.code("the name of a header in backticks")?;
    if !reader.sign('=') {
        return Err(reader.misread("`=`"));
    }
    Ok((name, reader.code("the value in backticks")?))
}

impl Returns {
    fn status(&self, cx: &Lowering<'_>) -> u16 {
        let written = self.status.as_ref().and_then(|code| code.text(cx.source()).parse().ok());
        let default = if self.nothing { 204 } else { cx.default_status() };
        written.unwrap_or(default)
    }
}

/// Notes an answer where nobody waits for one; gives whether it has.
fn answers_nobody(form: &Form, cx: &mut Lowering<'_>) -> bool {
    if cx.is_element() {
        let expected = "no answer here: an element that is a transaction of its own answers nobody, and `Stops.` ends it";
        let span = cx.step_span();
        let (kind, span) = not_understood(form, Misread { word: None, expected: expected.to_owned(), span });
        cx.note(kind, span);
        return true;
    }
    false
}

impl Action for Returns {
    fn lower(&self, cx: &mut Lowering<'_>) {
        if answers_nobody(if self.nothing { &RETURNS_NOTHING } else { &RETURNS }, cx) {
            return;
        }
        let status = self.status(cx);
        let body = match &self.body {
            None => Some((Answered::Nothing, None)),
            Some(code) => {
                let answered = cx.answered(code);
                answered
                    .map(|answered| cx.as_declared(code, status, answered))
                    .map(|(body, ty)| (body, Some(ty)))
            }
        };
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let name: Arc<str> = name.text(cx.source()).to_lowercase().into();
            if let Some(value) = cx.value_of(value, &Type::String, "the header") {
                headers.push((name, value));
            }
        }
        if let Some((body, ty)) = body {
            cx.respond(status, body, headers, ty);
        }
    }

    fn ends(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Redirects {
    to: Code,
    status: Option<Code>,
}

fn read_redirects(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let status = clause.one_code(TailKind::With, "a status in backticks, such as `302`")?;
    let mut reader = clause.take_object();
    let to = reader.code("where to, in backticks")?;
    reader.end("`with` or the end of the sentence")?;
    Ok(Box::new(Redirects { to, status }))
}

impl Action for Redirects {
    fn lower(&self, cx: &mut Lowering<'_>) {
        if answers_nobody(&REDIRECTS, cx) {
            return;
        }
        let mut status = cx.redirect_status();
        if let Some(code) = &self.status {
            let written = code.text(cx.source()).into_owned();
            match written.parse().ok().filter(|status| [301, 302, 303, 307, 308].contains(status)) {
                Some(known) => status = known,
                None => {
                    let allowed = "301, 302, 303, 307 or 308";
                    cx.note(NoteKind::BadStatus { status: written, allowed }, code.span());
                }
            }
        }
        if let Some(to) = cx.value_of(&self.to, &Type::Uri, "where to redirect") {
            cx.redirect(status, to);
        }
    }

    fn ends(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Stops;

fn read_stops(_: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    Ok(Box::new(Stops))
}

impl Action for Stops {
    fn lower(&self, cx: &mut Lowering<'_>) {
        cx.stop();
    }

    fn ends(&self) -> bool {
        true
    }
}
