//! External components: where they are reached, which endpoints of section 5 are theirs, and what a call of one
//! sends and gets.
//!
//! Source: language reference, *Reaching out* and *External components*.

use crate::expression::{self, Ast, AstKind, Equals, Expression, Names, Typed};
use crate::lower::{Lowering, Shared, World, add_once};
use crate::notes::{Note, NoteKind};
use crate::program::{AnswerField, AnswerShape, TargetPart, Upstream};
use crate::steps::clause::Reader;
use crate::steps::{NO_NAMES, read_header, target};
use crate::tokens;
use crate::value::Value;
use formwork_model::facts::{Field, Outcome};
use formwork_model::names::nearest;
use formwork_model::sections::components::Component;
use formwork_model::sections::interface::{self, OutputKind, Surface};
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// Every external component, in the order of the document.
pub(super) fn lower_all(world: &World<'_>, shared: &mut Shared, notes: &mut Vec<Note>) -> Vec<Upstream> {
    let components = external(world);
    components.map(|component| lower_one(world, shared, component, notes)).collect()
}

fn external<'w>(world: &World<'w>) -> impl Iterator<Item = &'w Component> {
    world.model.components.iter().filter(|component| component.external)
}

fn lower_one(
    world: &World<'_>,
    shared: &mut Shared,
    component: &Component,
    notes: &mut Vec<Note>,
) -> Upstream {
    let name: Arc<str> = component.name.value.as_str().into();
    let mut upstream = Upstream { name, base: None, headers: Vec::new(), span: component.span };
    for text in &component.upstream {
        for sentence in tokens::sentences(world.source, text) {
            let mut reader = Reader::over(world.source, &NO_NAMES, sentence.tokens, sentence.span);
            loop {
                while reader.sign(';') || reader.sign(',') || reader.word("and") || reader.word("with") {}
                if reader.word("header") || reader.word("headers") {
                    match read_header(&mut reader) {
                        Ok((name, value)) => {
                            header(world, shared, &mut upstream, (&name, &value), notes);
                            continue;
                        }
                        Err(misread) => {
                            let problem = format!("expected {}", misread.expected);
                            let kind = NoteKind::ExpressionSyntax { problem };
                            notes.push(Note { kind, span: misread.span, related: None, fix: None });
                            break;
                        }
                    }
                }
                let Some(code) = reader.opt_code() else {
                    // Words beside the address are prose.
                    if reader.take_any().is_none() {
                        break;
                    }
                    continue;
                };
                let text = code.text(world.source);
                let text = text.trim().trim_end_matches('/');
                let is_address = ["http://", "https://"].iter().any(|scheme| {
                    text.strip_prefix(scheme).is_some_and(|host| !host.is_empty() && !text.contains(' '))
                });
                if is_address {
                    upstream.base.get_or_insert_with(|| text.into());
                } else {
                    let kind = NoteKind::Other { entry: "no_address", subject: text.to_owned() };
                    notes.push(Note { kind, span: code.span(), related: None, fix: None });
                }
            }
        }
    }
    upstream
}

fn header(
    world: &World<'_>,
    shared: &mut Shared,
    upstream: &mut Upstream,
    (name, value): (&Code, &Code),
    notes: &mut Vec<Note>,
) {
    let name: Arc<str> = name.text(world.source).trim().to_lowercase().into();
    let text = value.text(world.source);
    let ast = match expression::parse(&text, Equals::Refused, &|offset| value.source_offset(offset)) {
        Ok(ast) => ast,
        Err(problem) => {
            let kind = NoteKind::ExpressionSyntax { problem: problem.problem };
            return notes.push(Note { kind, span: problem.span, related: None, fix: problem.fix });
        }
    };
    secrets(&ast, &mut shared.secrets);
    let mut names = Names::new(world.schema);
    names.secrets = true;
    let Some(typed) = expression::compile(&ast, &names, notes) else { return };
    match expression::coerce(typed, &Type::String, false, world.schema, "the header") {
        Ok(expression) => upstream.headers.push((name, expression)),
        Err(kind) => notes.push(Note { kind, span: value.span(), related: None, fix: None }),
    }
}

/// Notes down the secrets that an expression reads; gives whether there are any.
fn secrets(ast: &Ast, found: &mut Vec<Arc<str>>) -> bool {
    let mut reads = false;
    let mut rest = vec![ast];
    while let Some(ast) = rest.pop() {
        match &ast.kind {
            AstKind::Call { receiver: None, name, arguments, .. } if &**name == "secret" => {
                reads = true;
                if let [Ast { kind: AstKind::Literal(Value::Text(name)), .. }] = arguments.as_slice() {
                    add_once(found, name);
                }
            }
            _ => rest.extend(ast.parts()),
        }
    }
    reads
}

/// The external component whose heading in section 5 an endpoint stands under.
pub(super) fn owner<'w>(world: &World<'w>, endpoint: &interface::Operation) -> Option<&'w Component> {
    if endpoint.surface != Surface::Internal || !endpoint.behavior.is_empty() {
        return None;
    }
    let group = endpoint.group.as_deref()?;
    let group = group.split(['(', '—', ':']).next().unwrap_or(group).trim();
    world.find_component(group).filter(|component| component.external)
}

/// What a call asks.
pub(crate) struct Callee {
    /// Index into the program's upstreams.
    pub(crate) upstream: u16,
    /// Upper case.
    pub(crate) method: Arc<str>,
    /// Its path.
    pub(crate) target: Vec<TargetPart>,
    /// How the answer is read.
    pub(crate) answer: AnswerShape,
    /// As a message names it.
    shown: String,
    /// What it takes; absent when the document does not say.
    takes: Option<Vec<Field>>,
}

/// A member of what a call sends.
pub(crate) struct Sent {
    /// Its name.
    pub(crate) name: Arc<str>,
    value: Typed,
    span: Span,
}

impl Callee {
    /// Notes what the endpoint needs and nobody sends.
    pub(crate) fn missing(&self, cx: &mut Lowering<'_>, sent: &[Arc<str>], span: Span) {
        for part in &self.target {
            if let TargetPart::Member(name) = part
                && !sent.contains(name)
            {
                let kind = NoteKind::PathParameter { name: name.to_string(), path: self.shown.clone() };
                cx.note(kind, span);
            }
        }
        let Some(takes) = &self.takes else { return };
        for field in takes.iter().filter(|field| !field.optional) {
            let in_path = self.target.contains(&TargetPart::Member(field.name.value.as_str().into()));
            if !in_path && sent.iter().all(|name| **name != *field.name.value) {
                let (entity, field) = (self.shown.clone(), field.name.value.clone());
                cx.note(NoteKind::FieldNotSet { entity, field }, span);
            }
        }
    }

    /// A member as the endpoint takes it.
    pub(crate) fn fitted(&self, cx: &mut Lowering<'_>, sent: Sent) -> Option<Expression> {
        let Some(takes) = self.takes.as_ref().filter(|takes| !takes.is_empty()) else {
            return Some(sent.value.expression);
        };
        if self.target.contains(&TargetPart::Member(sent.name.clone())) {
            return Some(sent.value.expression);
        }
        let Some(field) = takes.iter().find(|field| *field.name.value == *sent.name) else {
            let near = nearest(&sent.name, takes.iter().map(|field| field.name.value.as_str()));
            let nearest = near.map(str::to_owned);
            let (of, field) = (self.shown.clone(), sent.name.to_string());
            cx.note(NoteKind::UnknownField { of, field, nearest }, sent.span);
            return None;
        };
        let Some(ty) = field.ty.as_ref().filter(|ty| !matches!(ty.value, Type::Unknown(_))) else {
            return Some(sent.value.expression);
        };
        let context = format!("`{}` of `{}`", sent.name, self.shown);
        cx.coerced(sent.value, &ty.value, field.optional, &context, sent.span)
    }
}

impl Lowering<'_> {
    /// What a step calls: an endpoint of an external component by its name, or a method and a path of one.
    pub(crate) fn callee(&mut self, code: &Code, component: Option<&(String, Span)>) -> Option<Callee> {
        let text = code.text(self.source()).trim().to_owned();
        let named = match component {
            None => None,
            Some((name, span)) => match self.world.find_component(name) {
                Some(found) => Some((found, *span)),
                None => {
                    let names = self.world.model.components.iter().map(|it| it.name.value.as_str());
                    let nearest = nearest(name, names).map(str::to_owned);
                    let kind = NoteKind::UnknownName { what: "component", name: name.clone(), nearest };
                    self.note(kind, *span);
                    return None;
                }
            },
        };
        let endpoint = endpoint(self.world, &text, named.map(|(component, _)| component));
        let owner = named.or_else(|| Some((owner(self.world, endpoint?)?, code.span())));
        let Some((owner, span)) = owner else {
            self.note(NoteKind::Other { entry: "call_without_component", subject: text }, code.span());
            return None;
        };
        let Some(upstream) = external(self.world).position(|other| other.span == owner.span) else {
            let subject = owner.name.value.clone();
            self.note(NoteKind::Other { entry: "call_of_inner", subject }, span);
            return None;
        };
        if !has_address(self.world.source, owner) {
            let subject = owner.name.value.clone();
            self.note(NoteKind::Other { entry: "no_address", subject }, span);
        }
        let route = |endpoint: &interface::Operation| {
            Some((endpoint.method.as_ref()?.value.to_uppercase(), endpoint.path.as_ref()?.value.clone()))
        };
        let written = text.split_once(' ').filter(|(_, path)| path.trim_start().starts_with('/'));
        let written = written.map(|(method, path)| (method.to_uppercase(), path.trim().to_owned()));
        let Some((method, path)) = written.or_else(|| endpoint.and_then(route)) else {
            let names = self.world.model.endpoints.iter().map(|it| it.name.value.as_str());
            let nearest = nearest(&text, names).map(str::to_owned);
            self.note(NoteKind::UnknownName { what: "operation", name: text, nearest }, code.span());
            return None;
        };
        let declared = endpoint.map(|endpoint| &endpoint.input);
        let said = declared.filter(|input| !input.fields.is_empty() && !input.ignores_others);
        Some(Callee {
            upstream: u16::try_from(upstream).ok()?,
            shown: format!("{method} {path}"),
            method: method.into(),
            target: target(&path),
            answer: endpoint.map(|endpoint| self.answer_of(endpoint)).unwrap_or_default(),
            takes: said.map(|input| input.fields.clone()),
        })
    }

    /// How the answer of an endpoint is read: by its Response.
    fn answer_of(&self, endpoint: &interface::Operation) -> AnswerShape {
        let fields = |fields: &[Field]| -> Vec<AnswerField> {
            let field = |field: &Field| {
                let ty = field.ty.as_ref().map_or(Type::Json, |ty| match &ty.value {
                    Type::Unknown(_) => Type::Json,
                    ty => ty.clone(),
                });
                AnswerField { name: field.name.value.as_str().into(), ty, optional: field.optional }
            };
            fields.iter().map(field).collect()
        };
        let output = &endpoint.output;
        let named = |name: &str| {
            let interface = self.world.find_interface(name).map(|interface| fields(&interface.fields));
            interface.or_else(|| {
                let entity = self.world.find_entity(name)?;
                self.world.model.entities.get(usize::from(entity)).map(|entity| fields(&entity.fields))
            })
        };
        let (members, many) = match &output.kind {
            OutputKind::Fields => (Some(fields(&output.fields)), false),
            OutputKind::Row(name) => (named(&name.value), false),
            OutputKind::List(name) => (named(&name.value), true),
            _ => (None, false),
        };
        match members.filter(|members| !members.is_empty()) {
            None => AnswerShape::Anything,
            Some(members) if many => AnswerShape::List(members),
            Some(members) => AnswerShape::Object(members),
        }
    }

    /// The members of what is sent, when they are written one by one: assignments, or a map literal. Nothing on the
    /// outside when one of them is wrong, nothing inside when it is another expression.
    pub(crate) fn sent_members(&mut self, codes: &[Code]) -> Option<Option<Vec<Sent>>> {
        let first = codes.first()?.text(self.source()).trim().to_owned();
        let mut sent = Vec::new();
        if codes.len() == 1 && first.starts_with('{') {
            let ast = self.parse(&codes[0], Equals::Refused)?;
            let AstKind::Map(entries) = ast.kind else { return Some(None) };
            let mut all = true;
            for (key, value) in entries {
                let AstKind::Literal(Value::Text(name)) = key.kind else { return Some(None) };
                match expression::compile(&value, &self.names, &mut self.notes) {
                    Some(typed) => sent.push(Sent { name, value: typed, span: value.span }),
                    None => all = false,
                }
            }
            return all.then_some(Some(sent));
        }
        let is_assignment = |code: &Code| {
            let text = code.text(self.source());
            expression::assignment(&text, &|offset| code.source_offset(offset)).is_some_and(|it| it.is_ok())
        };
        if !codes.iter().all(is_assignment) {
            if codes.len() == 1 {
                return Some(None);
            }
            let problem = "expected one object, or assignments such as `name = value`".to_owned();
            self.note(NoteKind::ExpressionSyntax { problem }, codes[1].span());
            return None;
        }
        let mut all = true;
        for code in codes {
            match self.typed_member(code) {
                Some((name, value, span)) => sent.push(Sent { name, value, span }),
                None => all = false,
            }
        }
        all.then_some(Some(sent))
    }

    /// The value of a header of a call, and whether it reads a secret.
    pub(crate) fn header_value(&mut self, code: &Code) -> Option<(Expression, bool)> {
        let ast = self.parse(code, Equals::Refused)?;
        let reads_secret = secrets(&ast, &mut self.shared.secrets);
        self.names.secrets = true;
        let typed = expression::compile(&ast, &self.names, &mut self.notes);
        self.names.secrets = false;
        let value = self.coerced(typed?, &Type::String, true, "the header", code.span())?;
        Some((value, reads_secret))
    }

    /// The call of this step may end the operation because nobody answers.
    pub(crate) fn may_get_no_answer(&mut self) {
        self.raises(Outcome { status: 502, code: Some("no_answer".to_owned()) });
    }
}

/// The declared endpoint that a text names, of this component or of any external one.
fn endpoint<'w>(world: &World<'w>, text: &str, of: Option<&Component>) -> Option<&'w interface::Operation> {
    let is_named = |endpoint: &interface::Operation| {
        let route = endpoint.method.as_ref().zip(endpoint.path.as_ref());
        let route = route.map(|(method, path)| format!("{} {}", method.value.to_uppercase(), path.value));
        endpoint.name.value == text || route.is_some_and(|route| same_route(&route, text))
    };
    let is_theirs = |endpoint: &interface::Operation| {
        let owner = owner(world, endpoint);
        owner.is_some_and(|owner| of.is_none_or(|component| component.span == owner.span))
    };
    world.model.endpoints.iter().find(|endpoint| is_named(endpoint) && is_theirs(endpoint))
}

/// Whether the document says where a component is reached.
fn has_address(source: &str, component: &Component) -> bool {
    let mut codes = component.upstream.iter().flat_map(|text| text.codes());
    codes.any(|(_, code)| code.text(source).contains("://"))
}

/// Whether two routes are one, whatever their parameters are called.
fn same_route(one: &str, other: &str) -> bool {
    let plain = |route: &str| -> Vec<String> {
        let pieces = route.split(['/', ' ']).filter(|piece| !piece.is_empty());
        let is_parameter = |piece: &str| piece.starts_with('{') || piece.starts_with(':');
        pieces.map(|piece| if is_parameter(piece) { "{}".to_owned() } else { piece.to_owned() }).collect()
    };
    plain(one) == plain(other)
}
