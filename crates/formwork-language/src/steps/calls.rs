//! Asking an external component: ``Calls `POST /v1/charges` of `Payment provider` with …``
//!
//! Source: language reference, *Reaching out*.

use crate::expression::{Expression, Kind, StaticType};
use crate::lower::Lowering;
use crate::lower::upstreams::Callee;
use crate::notes::NoteKind;
use crate::program::{AnswerField, AnswerShape, Instruction, NoAnswer, TargetPart, UpstreamCall};
use crate::steps::clause::{Clause, Misread, Refusal, Tail, TailKind};
use crate::steps::returns::headers;
use crate::steps::{Action, Form, Grammar};
use crate::value::Value;
use formwork_model::values::{Type, parse_duration};
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// ``Calls …``
pub(crate) static CALLS: Form = Form {
    name: "Calls",
    heads: &["calls"],
    notation: "Calls `METHOD /path` / `operation` [of `component`] [with `EXPR`] [as `x`] \
               [, waiting at most D] [, trying N times] [, or fails with `STATUS code`]. \
               Also: …, if it answers [, failing as `why`]. · … with header `Name` = `EXPR`.",
    tails: &[
        TailKind::Of,
        TailKind::With,
        TailKind::WithHeader,
        TailKind::As,
        TailKind::Waiting,
        TailKind::Trying,
        TailKind::OrFails,
        TailKind::IfAnswers,
        TailKind::FailingAs,
    ],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Calls {
    target: Code,
    component: Option<(String, Span)>,
    input: Vec<Code>,
    headers: Vec<(Code, Code)>,
    variable: Option<Code>,
    waiting: Option<Amount>,
    tries: Option<Amount>,
    refusal: Option<Refusal>,
    if_answers: bool,
    why: Option<Code>,
}

/// A duration or a number, with or without backticks, or an expression that gives one.
#[derive(Debug)]
pub(crate) enum Amount {
    /// Known.
    Known(i64),
    /// Computed.
    Computed(Code),
}

impl Amount {
    /// What stands in a tail that takes a duration.
    pub(crate) fn duration(clause: &Clause<'_>, tail: Tail) -> Result<Self, Misread> {
        let shown: Vec<String> = tail.tokens.iter().map(|token| token.shown(clause.source)).collect();
        let text = shown.join(" ");
        if let Some(micros) = parse_duration(text.trim_end_matches([' ', ','])) {
            return Ok(Self::Known(micros));
        }
        let mut reader = clause.reader(tail.tokens, tail.span);
        let code = reader.code("a duration, such as `5 s`")?;
        reader.end("a comma or the end of the sentence")?;
        Ok(Self::Computed(code))
    }

    /// What stands in a tail that takes a number of times.
    fn times(clause: &Clause<'_>, tail: Tail) -> Result<Self, Misread> {
        let mut reader = clause.reader(tail.tokens, tail.span);
        let amount = match reader.number("how many, such as `trying 3 times`") {
            Ok(number) => Self::Known(i64::try_from(number).unwrap_or(i64::MAX)),
            Err(misread) => Self::Computed(reader.opt_code().ok_or(misread)?),
        };
        let _ = reader.word("times") || reader.word("time");
        reader.end("`times`")?;
        Ok(amount)
    }

    /// As a duration.
    pub(crate) fn as_duration(&self, cx: &mut Lowering<'_>, context: &str) -> Option<Expression> {
        match self {
            Self::Known(micros) => Some(Expression::Constant(Value::Duration(*micros))),
            Self::Computed(code) => cx.value_of(code, &Type::Duration, context),
        }
    }

    fn as_number(&self, cx: &mut Lowering<'_>, context: &str) -> Option<Expression> {
        match self {
            Self::Known(number) => Some(Expression::Constant(Value::Integer(*number))),
            Self::Computed(code) => cx.value_of(code, &Type::Integer, context),
        }
    }
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let component = component(clause)?;
    let headers = headers(clause)?;
    let input = clause.codes(TailKind::With, "what is sent, in backticks")?.unwrap_or_default();
    let variable = clause.one_code(TailKind::As, "the variable in backticks")?;
    let waiting = clause.take(TailKind::Waiting).map(|tail| Amount::duration(clause, tail)).transpose()?;
    let tries = clause.take(TailKind::Trying).map(|tail| Amount::times(clause, tail)).transpose()?;
    let refusal = clause.refusal(TailKind::OrFails)?;
    let if_answers = clause.take_flag(TailKind::IfAnswers)?;
    let why = clause.one_code(TailKind::FailingAs, "the variable in backticks")?;
    if refusal.is_some() && if_answers {
        return Err(clause.missing("either `or fails with` or `if it answers`"));
    }
    if why.is_some() && !if_answers {
        return Err(clause.missing("`if it answers` before `failing as`"));
    }
    let mut reader = clause.take_object();
    let target = reader.code("`METHOD /path` or the name of an operation, in backticks")?;
    reader.end("`of` and a component, or `with` and what is sent")?;
    Ok(Box::new(Calls {
        target,
        component,
        input,
        headers,
        variable,
        waiting,
        tries,
        refusal,
        if_answers,
        why,
    }))
}

/// The component: in backticks, or in plain words.
fn component(clause: &mut Clause<'_>) -> Result<Option<(String, Span)>, Misread> {
    let Some(tail) = clause.take(TailKind::Of) else { return Ok(None) };
    let mut reader = clause.reader(tail.tokens.clone(), tail.span);
    if let Some(code) = reader.opt_code() {
        reader.end("`with`, `as` or the end of the sentence")?;
        return Ok(Some((code.text(clause.source).trim().to_owned(), code.span())));
    }
    let words: Vec<&str> = tail.tokens.iter().filter_map(crate::tokens::Token::word).collect();
    let words = words.strip_prefix(&["the"]).unwrap_or(&words).join(" ");
    match words.is_empty() {
        true => Err(clause.missing("the name of a component in backticks behind `of`")),
        false => Ok(Some((words, tail.span))),
    }
}

impl Calls {
    /// The names and types of `x`.
    fn answered(&self, cx: &Lowering<'_>, answer: &AnswerShape) -> StaticType {
        // Only an answer that is no failure is held to what the endpoint says of it.
        let strict = self.refusal.is_some();
        let fields = |fields: &[AnswerField]| {
            let member = |field: &AnswerField| {
                let kind = cx.kind(&field.ty);
                (field.name.clone(), StaticType { kind, optional: field.optional || !strict })
            };
            Kind::Object(fields.iter().map(member).collect())
        };
        let body = match answer {
            AnswerShape::Anything => Kind::Dynamic.optional(),
            AnswerShape::Object(members) => StaticType { kind: fields(members), optional: !strict },
            AnswerShape::List(members) => {
                StaticType { kind: Kind::List(Box::new(fields(members).required())), optional: !strict }
            }
        };
        let headers = Kind::Map(Box::new(Kind::Text.required()), Box::new(Kind::Text.required()));
        let members: [(Arc<str>, StaticType); 3] = [
            ("status".into(), Kind::Integer.required()),
            ("body".into(), body),
            ("headers".into(), headers.required()),
        ];
        StaticType { kind: Kind::Object(members.into()), optional: self.if_answers }
    }

    /// What is sent, held against what the endpoint takes.
    fn input(&self, cx: &mut Lowering<'_>, callee: &Callee) -> Option<Option<Expression>> {
        let span = self.target.span();
        if self.input.is_empty() {
            callee.missing(cx, &[], span);
            return Some(None);
        }
        let Some(members) = cx.sent_members(&self.input)? else {
            let value = cx.value(&self.input[0])?;
            let is_object = matches!(
                value.ty.kind,
                Kind::Object(_) | Kind::Map(..) | Kind::Row(..) | Kind::Dynamic | Kind::List(_)
            );
            if !is_object {
                let (expected, found) = ("object".to_owned(), value.ty.to_string());
                let context = "what `Calls` sends".to_owned();
                cx.note(NoteKind::TypeMismatch { expected, found, context }, self.input[0].span());
                return None;
            }
            return Some(Some(value.expression));
        };
        let names: Vec<Arc<str>> = members.iter().map(|member| member.name.clone()).collect();
        callee.missing(cx, &names, span);
        let mut entries = Vec::new();
        for member in members {
            let name = member.name.clone();
            let value = callee.fitted(cx, member)?;
            entries.push((Expression::Constant(Value::Text(name)), value));
        }
        Some(Some(Expression::Map(entries)))
    }

    fn all_headers(&self, cx: &mut Lowering<'_>) -> (Headers, Headers) {
        let (mut plain, mut secret) = (Vec::new(), Vec::new());
        for (name, value) in &self.headers {
            let name: Arc<str> = name.text(cx.source()).trim().to_lowercase().into();
            let Some((value, reads_secret)) = cx.header_value(value) else { continue };
            if reads_secret { &mut secret } else { &mut plain }.push((name, value));
        }
        (plain, secret)
    }
}

type Headers = Vec<(Arc<str>, Expression)>;

impl Action for Calls {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let callee = cx.callee(&self.target, self.component.as_ref());
        let answer = callee.as_ref().map(|callee| callee.answer.clone()).unwrap_or_default();
        let input = callee.as_ref().and_then(|callee| self.input(cx, callee));
        let (headers, secret_headers) = self.all_headers(cx);
        let waiting = self.waiting.as_ref().map(|waiting| waiting.as_duration(cx, "`waiting at most`"));
        let tries = self.tries.as_ref().map(|tries| tries.as_number(cx, "`trying`"));
        let ty = self.answered(cx, &answer);
        let otherwise = match (&self.refusal, self.if_answers) {
            (Some(refusal), _) => NoAnswer::FailsWith(cx.failure(refusal, Vec::new())),
            (None, true) => NoAnswer::Absent,
            (None, false) => NoAnswer::Fails,
        };
        if matches!(otherwise, NoAnswer::Fails) {
            cx.may_get_no_answer();
        }
        // The variables exist all the same, so that one mistake gives one note.
        let slot = match &self.variable {
            Some(variable) => cx.bind(variable, ty),
            None => Some(cx.hidden_slot()),
        };
        let why = self.why.as_ref().map(|why| cx.bind(why, Kind::Text.optional()));
        let (Some(callee), Some(input), Some(slot)) = (callee, input, slot) else { return };
        if matches!(why, Some(None)) || matches!(waiting, Some(None)) || matches!(tries, Some(None)) {
            return;
        }
        cx.push(Instruction::Call(Box::new(UpstreamCall {
            upstream: callee.upstream,
            method: callee.method,
            target: callee.target,
            input,
            headers,
            secret_headers,
            waiting: waiting.flatten(),
            tries: tries.flatten(),
            answer,
            slot,
            why: why.flatten(),
            otherwise,
        })));
    }
}

/// The pieces of a path.
pub(crate) fn target(path: &str) -> Vec<TargetPart> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        if !before.is_empty() {
            parts.push(TargetPart::Text(before.into()));
        }
        parts.push(TargetPart::Member(name.trim().into()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(TargetPart::Text(rest.into()));
    }
    parts
}
