//! What the steps of one flow may name: remembered variables, the operations, and who called last.

use crate::behaviour::{Actor, flow_slots};
use crate::expression::{self, Assignment, Equals, Expression, Kind, Names, SyntaxProblem};
use crate::flows::targets::Targets;
use crate::lower::World;
use crate::notes::{Note, NoteKind};
use crate::program::{Program, Slot};
use crate::steps::clause::Joined;
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// A condition over rows, for the admin API, which compiles it itself.
#[derive(Default)]
pub(super) struct Filter {
    /// As written; all rows when absent.
    pub(super) text: Option<Arc<str>>,
    /// The variables that it may name.
    pub(super) variables: Vec<(Arc<str>, Slot)>,
}

/// The state of a flow that is read.
pub(super) struct Scope<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) program: &'w Program,
    pub(super) targets: &'w Targets<'w>,
    pub(super) notes: Vec<Note>,
    names: Names<'w>,
    next_slot: Slot,
    /// Who called which operation last; the last entry is the last call.
    callers: Vec<(Option<u32>, Actor)>,
    /// Whether a step has done something, so that nothing can go before it any more.
    pub(super) begun: bool,
    /// The flows that are read inside one another, by their place in the document.
    pub(super) chain: Vec<usize>,
    /// Whether the outermost of them begins, over others, where it ends itself.
    pub(super) endless: bool,
    /// How often the present step is carried out.
    pub(super) rounds: u32,
}

impl<'w> Scope<'w> {
    pub(super) fn new(world: &'w World<'w>, program: &'w Program, targets: &'w Targets<'w>) -> Self {
        let names = Names::flow(world.schema);
        Self {
            world,
            program,
            targets,
            notes: Vec::new(),
            names,
            next_slot: flow_slots::FIRST,
            callers: Vec::new(),
            begun: false,
            chain: Vec::new(),
            endless: false,
            rounds: 1,
        }
    }

    /// The same state for an error case, with notes of its own.
    pub(super) fn clone_for_case(&self) -> Self {
        Self {
            world: self.world,
            program: self.program,
            targets: self.targets,
            notes: Vec::new(),
            names: self.names.clone(),
            next_slot: self.next_slot,
            callers: self.callers.clone(),
            begun: true,
            chain: self.chain.clone(),
            endless: false,
            rounds: 1,
        }
    }

    pub(super) fn note(&mut self, kind: NoteKind, span: Span) {
        self.notes.push(Note { kind, span, related: None, fix: None });
    }

    fn syntax(&mut self, SyntaxProblem { problem, span, fix }: SyntaxProblem) {
        self.notes.push(Note { kind: NoteKind::ExpressionSyntax { problem }, span, related: None, fix });
    }

    /// The value of a code span.
    pub(super) fn value(&mut self, code: &Code) -> Option<Expression> {
        let text = code.text(self.world.source);
        match expression::parse(&text, Equals::Refused, &|offset| code.source_offset(offset)) {
            Ok(ast) => expression::compile(&ast, &self.names, &mut self.notes).map(|typed| typed.expression),
            Err(problem) => {
                self.syntax(problem);
                None
            }
        }
    }

    /// A condition on an answer, with its text.
    pub(super) fn condition(&mut self, code: &Code) -> Option<(Expression, String)> {
        let text = code.text(self.world.source).into_owned();
        let ast = match expression::parse(&text, Equals::Compares, &|offset| code.source_offset(offset)) {
            Ok(ast) => ast,
            Err(problem) => {
                self.syntax(problem);
                return None;
            }
        };
        let typed = expression::compile(&ast, &self.names, &mut self.notes)?;
        match expression::coerce(typed, &Type::Boolean, true, self.world.schema, "the condition") {
            Ok(expression) => Some((expression, text)),
            Err(kind) => {
                self.note(kind, code.span());
                None
            }
        }
    }

    /// Reads something in which a further name stands for a fixed slot: `n`, `request`.
    pub(super) fn knowing<T>(
        &mut self,
        name: &str,
        slot: Slot,
        kind: Kind,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.names.bind(name, slot, kind.optional());
        let result = read(self);
        let bound = self.names.variables.iter().rposition(|bound| bound.slot == slot && *bound.name == *name);
        if let Some(at) = bound {
            self.names.variables.remove(at);
        }
        result
    }

    /// The same over an event's data, which stands under `data` as well.
    pub(super) fn event_condition(&mut self, code: &Code) -> Option<(Expression, String)> {
        self.knowing("data", flow_slots::RESPONSE, Kind::Dynamic, |scope| scope.condition(code))
    }

    /// The same over a request that an external component was sent.
    pub(super) fn request_condition(&mut self, code: &Code) -> Option<(Expression, String)> {
        self.knowing("request", flow_slots::REQUEST, Kind::Dynamic, |scope| scope.condition(code))
    }

    /// The value of a code span, of a type.
    pub(super) fn typed(&mut self, code: &Code, ty: &Type, context: &str) -> Option<Expression> {
        let text = code.text(self.world.source);
        match expression::parse(&text, Equals::Refused, &|offset| code.source_offset(offset)) {
            Ok(ast) => self.value_of(&ast, ty, context),
            Err(problem) => {
                self.syntax(problem);
                None
            }
        }
    }

    /// A value of a type, for a field.
    pub(super) fn value_of(&mut self, ast: &expression::Ast, ty: &Type, context: &str) -> Option<Expression> {
        let typed = expression::compile(ast, &self.names, &mut self.notes)?;
        // What was remembered is JSON; whether it fits shows when the row is put in place.
        if matches!(typed.ty.kind, Kind::Dynamic) {
            return Some(typed.expression);
        }
        let span = ast.span;
        match expression::coerce(typed, ty, true, self.world.schema, context) {
            Ok(expression) => Some(expression),
            Err(kind) => {
                self.note(kind, span);
                None
            }
        }
    }

    /// Checks a condition over rows; the store compiles it itself.
    fn filter(&mut self, entity: u16, code: &Code) -> Option<()> {
        let text = code.text(self.world.source);
        let ast = match expression::parse(&text, Equals::Compares, &|offset| code.source_offset(offset)) {
            Ok(ast) => ast,
            Err(problem) => {
                self.syntax(problem);
                return None;
            }
        };
        let mut names = self.names.clone();
        names.bare = expression::Bare::Searched(entity);
        // Only remembered values travel with a condition, so that `status` is the field of that name.
        names.variables.retain(|bound| is_own(bound.slot));
        crate::sql::condition(&ast, &names, 0, &mut self.notes).map(|_| ())
    }

    /// Conditions over rows as one text, with the variables that it may name.
    pub(super) fn filters(&mut self, entity: u16, joined: Option<&Joined>) -> Option<Filter> {
        let Some(joined) = joined else { return Some(Filter::default()) };
        for code in &joined.codes {
            self.filter(entity, code)?;
        }
        let parts: Vec<String> =
            joined.codes.iter().map(|code| code.text(self.world.source).into_owned()).collect();
        let text = match parts.as_slice() {
            [one] => one.clone(),
            many => format!("({})", many.join(if joined.any { ") || (" } else { ") && (" })),
        };
        Some(Filter { text: Some(text.into()), variables: self.remembered() })
    }

    /// The remembered variables with their slots.
    fn remembered(&self) -> Vec<(Arc<str>, u16)> {
        let own = self.names.variables.iter().filter(|bound| is_own(bound.slot));
        own.map(|bound| (bound.name.clone(), bound.slot)).collect()
    }

    /// Remembers a value: ``remembers `x` = `EXPR` ``
    pub(super) fn remember(
        &mut self,
        name: &str,
        span: Span,
        value: Option<Expression>,
    ) -> Option<(u16, Expression)> {
        let slot = self.variable(name, span)?;
        Some((slot, value?))
    }

    /// The slot of a variable that a step binds.
    pub(super) fn variable(&mut self, name: &str, span: Span) -> Option<Slot> {
        let taken = self.names.variable(name).map(|bound| bound.slot);
        Some(match taken {
            Some(slot) if slot < flow_slots::FIRST => {
                self.note(NoteKind::Other { entry: "reserved_name", subject: name.to_owned() }, span);
                return None;
            }
            // A value may be remembered anew: a flow goes on, and its last value counts.
            Some(slot) => slot,
            None => {
                let slot = self.next_slot;
                self.next_slot = self.next_slot.checked_add(1)?;
                self.names.bind(name, slot, Kind::Dynamic.optional());
                slot
            }
        })
    }

    /// `x = EXPR` in one span.
    pub(super) fn assignment(&mut self, code: &Code) -> Option<Assignment> {
        let text = code.text(self.world.source);
        match expression::assignment(&text, &|offset| code.source_offset(offset)) {
            Some(Ok(assignment)) => Some(assignment),
            Some(Err(problem)) => {
                self.syntax(problem);
                None
            }
            None => {
                let problem = "expected `x = value`".to_owned();
                self.syntax(SyntaxProblem { problem, span: code.span(), fix: None });
                None
            }
        }
    }

    /// Compiles what an assignment gives.
    pub(super) fn compiled(&mut self, ast: &expression::Ast) -> Option<Expression> {
        expression::compile(ast, &self.names, &mut self.notes).map(|typed| typed.expression)
    }

    /// Notes down who called what.
    pub(super) fn called(&mut self, operation: Option<u32>, actor: Actor) {
        self.callers.push((operation, actor));
    }

    /// Who calls when a step does not say: whoever called this operation last, else whoever called last.
    pub(super) fn usual_caller(&self, operation: Option<u32>) -> Actor {
        let same = self.callers.iter().rfind(|(called, _)| called.is_some() && *called == operation);
        same.or(self.callers.last()).map_or(Actor::Anonymous, |(_, actor)| actor.clone())
    }
}

/// Whether a slot holds what a step has bound, not what the last answer was.
fn is_own(slot: Slot) -> bool {
    slot >= flow_slots::FIRST || slot == flow_slots::N
}
