//! Carrying out an operation or procedure as part of another: its instructions stand in the caller's code, so that they
//! run in its transaction, at its instant and for its caller, and go on with it where it is divided into parts.
//!
//! Its variables are its own, and who may call is not asked. Source: language reference, *Carries out*.

use crate::expression::{self, Ast, AstKind, BinaryOperator, Bound, Expression, Names, StaticType, joined};
use crate::lower::input::Setup;
use crate::lower::lowering::Setting;
use crate::lower::operations::{PROCEDURE, is_executed, lower_behaviour};
use crate::lower::world::Declared;
use crate::lower::{Lowering, input};
use crate::notes::NoteKind;
use crate::program::{Answered, InputField, InputShape, Instruction, Slot};
use crate::steps::clause::Misread;
use crate::steps::{CARRIES_OUT, Form, not_understood};
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// How deep operations may carry one another out.
const DEEPEST: usize = 32;

/// How many instructions one operation may have before nothing more is carried out in it.
const MOST_INSTRUCTIONS: usize = 20_000;

/// Something that is being carried out.
pub(super) struct Carried {
    /// Where it is declared.
    operation: Span,
    /// The variable of its answer.
    answer: Option<Slot>,
    /// The jumps to its end.
    exits: Vec<usize>,
    /// What its answers are; nothing for one without a body.
    answers: Vec<Option<StaticType>>,
}

/// Why something is not carried out.
pub(crate) enum Refused {
    /// There is none of this name; the nearest.
    Unknown(Option<String>),
    /// It has no steps that run.
    WithoutSteps,
    /// It would carry out itself.
    Recursive,
    /// Too much carries out too much.
    TooLarge,
    /// What is given is not what its input takes; noted.
    Input,
}

/// What a step gives to the input of what it carries out.
pub(crate) type Given = Vec<(Arc<str>, Ast)>;

impl<'w> Lowering<'w> {
    /// Answers, or ends what is carried out with an answer. `ty` is what the body is.
    pub(crate) fn respond(
        &mut self,
        status: u16,
        body: Answered,
        headers: Vec<(Arc<str>, Expression)>,
        ty: Option<StaticType>,
    ) {
        if self.carried.is_empty() {
            let body = self.settle(body, ty.as_ref());
            let body = self.with_parts(body, ty.as_ref());
            return self.push(Instruction::Return { status, body, headers });
        }
        let value = match body {
            Answered::Nothing => None,
            Answered::Value(value) | Answered::RowWith { row: value, .. } => Some(value),
            Answered::Page(slot) => Some(Expression::Slot(slot)),
        };
        self.end_carried(value, ty);
    }

    /// Redirects, or ends what is carried out.
    pub(crate) fn redirect(&mut self, status: u16, to: Expression) {
        match self.carried.is_empty() {
            true => {
                self.settle(Answered::Nothing, None);
                self.push(Instruction::Redirect { status, to });
            }
            false => self.end_carried(None, None),
        }
    }

    /// Ends the element, the operation, or what is carried out.
    pub(crate) fn stop(&mut self) {
        if self.end_element() {
            return;
        }
        match self.carried.is_empty() {
            true => {
                self.settle(Answered::Nothing, None);
                self.push(Instruction::Stop);
            }
            false => self.end_carried(None, None),
        }
    }

    fn end_carried(&mut self, value: Option<Expression>, ty: Option<StaticType>) {
        let slot = self.carried.last().and_then(|carried| carried.answer);
        if let (Some(slot), Some(value)) = (slot, value) {
            self.push(Instruction::Let { slot, value });
        }
        let exit = self.jump();
        if let Some(carried) = self.carried.last_mut() {
            carried.exits.push(exit);
            carried.answers.push(ty);
        }
    }

    /// Appends what an operation or procedure does; gives the slot and the type of its answer, if it has one.
    pub(crate) fn carry_out(
        &mut self,
        name: &str,
        given: &Given,
        place: Span,
        wants_answer: bool,
    ) -> Result<Option<(Slot, StaticType)>, Refused> {
        let world = self.world;
        let Some(Declared { operation, sentences }) = world.find_callable(name) else {
            let names = world.declared().iter().map(|declared| declared.operation.name.value.as_str());
            return Err(Refused::Unknown(nearest(name, names).map(str::to_owned)));
        };
        if !is_executed(sentences) {
            return Err(Refused::WithoutSteps);
        }
        if self.setting.operation == Some(operation.span)
            || self.carried.iter().any(|it| it.operation == operation.span)
        {
            return Err(Refused::Recursive);
        }
        if self.carried.len() >= DEEPEST || self.here() > MOST_INSTRUCTIONS {
            return Err(Refused::TooLarge);
        }
        let setup = Setup { executed: true, page: false, owner: None };
        // What is wrong with its declaration is noted there.
        let shape = input::lower(world, operation, (PROCEDURE, &[]), setup, &mut Vec::new());
        let Some(inputs) = self.accept(&CARRIES_OUT, &operation.name.value, &shape, given, place) else {
            return Err(Refused::Input);
        };
        let answer = wants_answer.then(|| self.hidden_slot());
        if let Some(slot) = answer {
            self.push(Instruction::Let { slot, value: Expression::Constant(Value::Absent) });
        }
        let mut names = Names::new(world.schema);
        let visible = input::names(world, operation, &shape);
        let slot_of = |bound: &Bound| shape.fields.iter().position(|field| field.name == bound.name);
        let bound = |bound: Bound| slot_of(&bound).map(|at| Bound { slot: inputs[at], ..bound });
        names.input = Some(visible.into_iter().filter_map(bound).collect());
        (names.caller, names.request) = (self.names.caller, true);
        let id: Vec<Arc<str>> = vec!["caller".into(), "id".into()];
        if self.names.is_present(&id) {
            names.present.push(id);
        }
        let status = operation.output.status.as_ref().map(|status| status.value);
        let setting =
            Setting { job: false, operation: self.setting.operation, asks: false, status, page: None };
        self.carried.push(Carried {
            operation: operation.span,
            answer,
            exits: Vec::new(),
            answers: Vec::new(),
        });
        let errors = self.within(names, setting, |cx| lower_behaviour(cx, operation, sentences));
        let Some(carried) = self.carried.pop() else { return Ok(None) };
        carried.exits.iter().for_each(|exit| self.patch(*exit));
        errors.into_values().flatten().for_each(|outcome| self.raises(outcome));
        Ok(answer.zip(answer_type(&carried.answers)))
    }

    /// Lowers steps in an environment of their own; gives the errors that they can raise.
    fn within(
        &mut self,
        names: Names<'w>,
        setting: Setting,
        lower: impl FnOnce(&mut Self),
    ) -> super::lowering::Errors {
        let names = self.swap_names(names);
        let errors = self.swap_errors(Default::default());
        let setting = std::mem::replace(&mut self.setting, setting);
        let loops = std::mem::take(&mut self.loops);
        let implicit = std::mem::take(&mut self.implicit);
        let path_inputs = std::mem::take(&mut self.path_inputs);
        let last_written = self.last_written.take();
        let candidates = std::mem::take(&mut self.candidates);
        let answered_entity = self.answered_entity.take();
        let inputs = std::mem::take(&mut self.touches.inputs);
        let span = self.step_span();
        lower(self);
        self.begin_step(span);
        self.touches.inputs = inputs;
        self.answered_entity = answered_entity;
        self.candidates = candidates;
        self.last_written = last_written;
        self.path_inputs = path_inputs;
        self.implicit = implicit;
        self.loops = loops;
        self.setting = setting;
        let _ = self.swap_names(names);
        self.swap_errors(errors)
    }

    /// Binds every field of an input to what is given for it; gives their slots. Notes what does not fit.
    pub(super) fn accept(
        &mut self,
        form: &'static Form,
        of: &str,
        shape: &InputShape,
        given: &Given,
        place: Span,
    ) -> Option<Vec<Slot>> {
        let mut complete = true;
        for (name, value) in given {
            if shape.fields.iter().all(|field| field.name != *name) {
                let near = nearest(name, shape.fields.iter().map(|field| &*field.name)).map(str::to_owned);
                let (of, field) = (of.to_owned(), name.to_string());
                self.note(NoteKind::UnknownField { of, field, nearest: near }, value.span);
                complete = false;
            }
        }
        let of: Arc<str> = of.into();
        let mut slots = Vec::with_capacity(shape.fields.len());
        for field in &shape.fields {
            let value = given.iter().rfind(|(name, _)| *name == field.name);
            let Some(value) = self.accepted((form, &of), field, value.map(|(_, value)| value), place) else {
                complete = false;
                continue;
            };
            let slot = self.hidden_slot();
            let (field, of) = (Arc::new(field.clone()), of.clone());
            self.push(Instruction::Accept { slot, value, field, of });
            slots.push(slot);
        }
        complete.then_some(slots)
    }

    fn accepted(
        &mut self,
        (form, of): (&'static Form, &Arc<str>),
        field: &InputField,
        value: Option<&Ast>,
        place: Span,
    ) -> Option<Expression> {
        let default = field.default.clone();
        let Some(value) = value else {
            if !field.optional && default.is_none() {
                let expected = format!("`{}` in `with`: `{of}` requires it", field.name);
                let (kind, span) = not_understood(form, Misread { word: None, expected, span: place });
                self.note(kind, span);
                return None;
            }
            return Some(default.unwrap_or(Expression::Constant(Value::Absent)));
        };
        let typed = expression::compile(value, &self.names, &mut self.notes)?;
        let optional = field.optional || default.is_some();
        let context = format!("input `{}` of `{of}`", field.name);
        let given = self.coerced(typed, &field.ty, optional, &context, value.span)?;
        Some(match default {
            None => given,
            Some(default) => Expression::Binary {
                operator: BinaryOperator::Coalesce,
                left: Box::new(given),
                right: Box::new(default),
                span: value.span,
            },
        })
    }

    /// What the code spans behind *with* give: a map, assignments, or the whole input.
    pub(crate) fn given(&mut self, codes: &[Code]) -> Option<Given> {
        let mut given = Given::new();
        for code in codes {
            if !self.give(code, &mut given) {
                return None;
            }
        }
        Some(given)
    }

    fn give(&mut self, code: &Code, given: &mut Given) -> bool {
        let text = code.text(self.source());
        if let Some(assigned) = expression::assignment(&text, &|offset| code.source_offset(offset)) {
            let Some(assignment) = self.read_assignment(assigned) else { return false };
            given.push((assignment.name, assignment.value));
            return true;
        }
        let Some(ast) = self.parse(code, expression::Equals::Refused) else { return false };
        let span = ast.span;
        match ast.kind {
            AstKind::Map(entries) => {
                for (key, value) in entries {
                    let AstKind::Literal(Value::Text(name)) = key.kind else {
                        self.expected("the name of an input in quotes", key.span);
                        return false;
                    };
                    given.push((name, value));
                }
                true
            }
            AstKind::Name(name) if *name == *"input" => {
                for bound in self.names.input.clone().unwrap_or_default() {
                    self.uses_input(&bound.name);
                    let of = Box::new(Ast { kind: AstKind::Name(name.clone()), span });
                    let kind = AstKind::Member { of, name: bound.name.clone(), name_span: span };
                    given.push((bound.name, Ast { kind, span }));
                }
                true
            }
            _ => {
                self.expected("what is given by name, such as `{\"order_id\": order.id}`", span);
                false
            }
        }
    }
}

/// The type of several answers; nothing if none has a body.
fn answer_type(answers: &[Option<StaticType>]) -> Option<StaticType> {
    let silent = answers.iter().any(Option::is_none);
    let mut types = answers.iter().flatten();
    let first = types.next()?.clone();
    let ty = types.try_fold(first, |all, ty| joined(&all, ty));
    Some(ty.unwrap_or(expression::Kind::Dynamic.required()).or_absent(silent))
}
