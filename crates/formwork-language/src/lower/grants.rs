//! Grants of section 9 with a condition, held in the operation's own code and so in its transaction: the rows that it
//! finds or makes are tested where they are met, those that it lists or changes by the many are narrowed, and nothing is
//! answered before a grant was met.
//!
//! Which grants there are, and what the edge decides of them, is in `access`. Source: authorization reference.

use crate::expression::{
    self, Ast, AstKind, BinaryOperator, Equals, Expression, Names, StaticType, UnaryOperator,
};
use crate::lower::{Lowering, World};
use crate::notes::{Note, NoteKind};
use crate::program::{Condition, EntityId, Failure, Instruction, MessagePart, Slot};
use crate::sql;
use crate::steps::WhoMay;
use crate::steps::clause::Refusal;
use crate::value::Value;
use formwork_model::facts::Outcome;
use formwork_model::sections::interface::{self, OutputKind, Surface};
use formwork_model::sections::security::Grant;
use formwork_model::values::Type;
use formwork_syntax::Span;
use std::sync::Arc;

/// Names that are no rows.
const NO_ROWS: [&str; 3] = ["input", "caller", "request"];

/// Calls whose first argument is a name of their own.
const BINDERS: [&str; 6] = ["exists", "exists_one", "all", "map", "filter", "first"];

/// The conditions of the grants of one operation.
pub(crate) struct Held<'w> {
    /// What a condition may name besides its row.
    names: Names<'w>,
    terms: Vec<Term>,
    /// The row that conditions are about: its name, and the entity of that name.
    row: Option<(Arc<str>, Option<EntityId>)>,
    /// Holds whether a grant was met.
    met: Slot,
    /// Whether any step meets such a row.
    is_met: bool,
    /// Whether its callers see such rows anyway, so that a refusal tells them nothing.
    known: bool,
    /// Where the first condition stands that names the operation, to say that no row is met.
    place: Option<(Span, String)>,
}

/// Whether grants were met before elements that are transactions of their own, in this one, and in any of them.
pub(crate) struct HeldElement {
    met: Slot,
    before: Slot,
    ever: Slot,
}

/// What stands for a piece of a condition, if anything does.
type Replacement<'r> = &'r dyn Fn(&Ast) -> Option<Ast>;

/// One grant as an expression.
struct Term {
    who: Option<Ast>,
    condition: Option<Ast>,
    about_row: bool,
}

/// What section 9 grants of an operation: to roles, then to scopes.
pub(super) fn of_operation<'w>(
    world: &World<'w>,
    operation: &interface::Operation,
) -> Vec<(&'w Grant, bool)> {
    let name = &operation.name.value;
    let is_meant =
        |other: &str| world.find_callable(other).is_some_and(|found| found.operation.name.value == *name);
    let scoped = world.model.authorization.scoped.iter();
    let scoped =
        scoped.filter(|grant| grant.all || grant.operations.iter().any(|other| is_meant(&other.value)));
    world.grants_of(name).map(|grant| (grant, false)).chain(scoped.map(|grant| (grant, true))).collect()
}

/// The conditions of an operation's grants, ready to be held; nothing where no grant has one. What cannot be read is
/// noted, and that grant opens nothing.
pub(super) fn held<'w>(
    world: &World<'w>,
    operation: &interface::Operation,
    (mut names, public): (Names<'w>, bool),
    notes: &mut Vec<Note>,
) -> Option<Held<'w>> {
    let grants = of_operation(world, operation);
    let is_open = |(grant, by_scope): &(&Grant, bool)| !by_scope && opens_to_anyone(grant);
    if grants.iter().all(|(grant, _)| grant.condition.is_none()) || grants.iter().any(is_open) {
        return None;
    }
    if !public {
        names.present.push(vec!["caller".into(), "id".into()]);
    }
    let mut held =
        Held { names, terms: Vec::new(), row: None, met: 0, is_met: false, known: false, place: None };
    for (grant, by_scope) in &grants {
        let Some(term) = held.term(world, operation, grant, *by_scope, notes) else { continue };
        held.terms.push(term);
    }
    held.known = held.row.as_ref().is_some_and(|(_, entity)| shows(world, operation, *entity, &grants));
    Some(held)
}

/// Whether a grant lets in whoever comes.
fn opens_to_anyone(grant: &Grant) -> bool {
    grant.to_anyone() && grant.condition.is_none() && grant.scopes.is_empty()
}

/// Whether the grants of an operation have conditions about a row, which nothing but steps meets.
pub(super) fn row_condition(world: &World<'_>, operation: &interface::Operation) -> Option<(Span, String)> {
    let mut ignored = Vec::new();
    let held = held(world, operation, (Names::new(world.schema), false), &mut ignored)?;
    held.row.is_some().then_some(held.place).flatten()
}

/// Whether callers with such grants may read rows of the entity without a condition: any other `GET` that answers them.
fn shows(
    world: &World<'_>,
    operation: &interface::Operation,
    entity: Option<EntityId>,
    grants: &[(&Grant, bool)],
) -> bool {
    let Some(entity) = entity else { return false };
    world.declared().iter().any(|declared| {
        let other = declared.operation;
        let answers = match &other.output.kind {
            OutputKind::Row(name) | OutputKind::List(name) | OutputKind::Page(name) => {
                world.find_entity(&name.value) == Some(entity)
            }
            _ => false,
        };
        let is_read = other.surface == Surface::Public
            && other.span != operation.span
            && other.method.as_ref().is_some_and(|method| method.value.eq_ignore_ascii_case("GET"));
        let is_public = || {
            let all = declared.sentences.flat();
            let says = all
                .iter()
                .filter_map(|read| read.step())
                .any(|step| step.guard.is_none() && matches!(step.action.who_may(), Some(WhoMay::Anyone)));
            says || world.grants_of(&other.name.value).any(opens_to_anyone)
        };
        let opens = |grant: &Grant| {
            world
                .grants_of(&other.name.value)
                .any(|it| it.condition.is_none() && it.scopes.is_empty() && it.role.value == grant.role.value)
        };
        let conditional = || grants.iter().filter(|(grant, _)| grant.condition.is_some());
        let is_granted = || conditional().all(|(grant, by_scope)| !by_scope && opens(grant));
        answers && is_read && (is_public() || is_granted())
    })
}

impl Held<'_> {
    fn term(
        &mut self,
        world: &World<'_>,
        operation: &interface::Operation,
        grant: &Grant,
        by_scope: bool,
        notes: &mut Vec<Note>,
    ) -> Option<Term> {
        let member = if by_scope { "scopes" } else { "roles" };
        let mut who = match !by_scope && grant.to_anyone() {
            true => node(AstKind::Literal(Value::Boolean(true))),
            false => bears(member, &grant.role.value, grant.role.span),
        };
        for scope in &grant.scopes {
            who = both(who, bears("scopes", &scope.value, scope.span));
        }
        let Some(condition) = &grant.condition else {
            return Some(Term { who: Some(who), condition: None, about_row: false });
        };
        let span = condition.span;
        let at = |offset: u32| span.start.saturating_add(offset).min(span.end);
        let ast = match expression::parse(&condition.value, Equals::Compares, &at) {
            Ok(ast) => ast,
            Err(problem) => {
                refuse(notes, span, format!("`{}`: {}", condition.value, problem.problem));
                return None;
            }
        };
        let named = row_named(&ast);
        if let Some(row) = &named {
            match &self.row {
                Some((other, _)) if other != row => {
                    let subject =
                        format!("`{}` is about `{other}` already, not `{row}`", operation.name.value);
                    refuse(notes, span, subject);
                    return None;
                }
                Some(_) => {}
                None => self.row = Some((row.clone(), world.find_entity(row))),
            }
            if self.place.is_none() && !grant.all {
                let subject = format!("no step of `{}` meets a `{row}`", operation.name.value);
                self.place = Some((span, subject));
            }
        }
        Some(Term { who: Some(who), condition: Some(ast), about_row: named.is_some() })
    }

    /// What lets a caller in: with the row under a name, or in the places of its fields; without a row only what is
    /// about none.
    fn tree(&self, row: Option<Replacement<'_>>) -> Ast {
        let terms = self.terms.iter().filter(|term| row.is_some() || !term.about_row);
        let term = |term: &Term| {
            let who = term.who.clone().unwrap_or_else(nobody);
            match (&term.condition, row) {
                (None, _) => who,
                (Some(condition), Some(row)) if term.about_row => both(who, replaced(condition, row)),
                (Some(condition), _) => both(who, condition.clone()),
            }
        };
        terms.map(term).reduce(|left, right| joined(BinaryOperator::Or, left, right)).unwrap_or_else(nobody)
    }

    fn is_about(&self, entity: EntityId, slot: Slot, variables: &Names<'_>) -> bool {
        let Some((name, own)) = &self.row else { return false };
        match variables.variable(name) {
            Some(bound) if bound.slot == slot => true,
            _ => *own == Some(entity),
        }
    }
}

fn refuse(notes: &mut Vec<Note>, span: Span, subject: String) {
    let kind = NoteKind::Other { entry: "grant_condition", subject };
    notes.push(Note { kind, span, related: None, fix: None });
}

fn node(kind: AstKind) -> Ast {
    Ast { kind, span: Span::default() }
}

fn nobody() -> Ast {
    node(AstKind::Literal(Value::Boolean(false)))
}

/// `"NAME" in caller.MEMBER`
fn bears(member: &str, name: &str, span: Span) -> Ast {
    let caller = Box::new(Ast { kind: AstKind::Name("caller".into()), span });
    let right =
        Box::new(Ast { kind: AstKind::Member { of: caller, name: member.into(), name_span: span }, span });
    let left = Box::new(Ast { kind: AstKind::Literal(Value::Text(name.into())), span });
    let kind = AstKind::Binary { operator: BinaryOperator::In, left, right, operator_span: span };
    Ast { kind, span }
}

fn both(left: Ast, right: Ast) -> Ast {
    joined(BinaryOperator::And, left, right)
}

fn joined(operator: BinaryOperator, left: Ast, right: Ast) -> Ast {
    let span = left.span;
    let (left, right) = (Box::new(left), Box::new(right));
    Ast { kind: AstKind::Binary { operator, left, right, operator_span: span }, span }
}

/// The first name of a condition that is neither of the call nor of a comprehension.
fn row_named(ast: &Ast) -> Option<Arc<str>> {
    let mut rest = vec![(ast, Vec::<Arc<str>>::new())];
    while let Some((ast, own)) = rest.pop() {
        if let Some(name) = ast.name()
            && !NO_ROWS.contains(&&**name)
            && !own.contains(name)
        {
            return Some(name.clone());
        }
        let mut inside = own;
        if let AstKind::Call { receiver: Some(_), name, arguments, .. } = &ast.kind
            && BINDERS.contains(&&**name)
        {
            inside.extend(arguments.first().and_then(Ast::name).cloned());
        }
        rest.extend(ast.parts().into_iter().rev().map(|part| (part, inside.clone())));
    }
    None
}

/// A copy in which what `new` gives something for is replaced.
fn replaced(ast: &Ast, new: Replacement<'_>) -> Ast {
    if let Some(other) = new(ast) {
        return other;
    }
    let boxed = |part: &Ast| Box::new(replaced(part, new));
    let all = |parts: &[Ast]| parts.iter().map(|part| replaced(part, new)).collect();
    let kind = match &ast.kind {
        AstKind::Literal(_) | AstKind::Name(_) => ast.kind.clone(),
        AstKind::Member { of, name, name_span } => {
            AstKind::Member { of: boxed(of), name: name.clone(), name_span: *name_span }
        }
        AstKind::Index { of, index } => AstKind::Index { of: boxed(of), index: boxed(index) },
        AstKind::List(items) => AstKind::List(all(items)),
        AstKind::Map(entries) => AstKind::Map(
            entries.iter().map(|(key, value)| (replaced(key, new), replaced(value, new))).collect(),
        ),
        AstKind::Unary(operator, inner) => AstKind::Unary(*operator, boxed(inner)),
        AstKind::Binary { operator, left, right, operator_span } => AstKind::Binary {
            operator: *operator,
            left: boxed(left),
            right: boxed(right),
            operator_span: *operator_span,
        },
        AstKind::Choose(condition, yes, no) => AstKind::Choose(boxed(condition), boxed(yes), boxed(no)),
        AstKind::Call { receiver, name, name_span, arguments } => AstKind::Call {
            receiver: receiver.as_ref().map(|of| boxed(of)),
            name: name.clone(),
            name_span: *name_span,
            arguments: all(arguments),
        },
    };
    Ast { kind, span: ast.span }
}

fn not(condition: Expression) -> Expression {
    Expression::Unary(UnaryOperator::Not, Box::new(condition))
}

fn forbidden() -> Outcome {
    Outcome { status: 403, code: Some("forbidden".to_owned()) }
}

impl<'w> Lowering<'w> {
    /// Begins to hold the conditions of the operation's grants.
    pub(super) fn hold(&mut self, mut held: Held<'w>) {
        let tree = held.tree(None);
        let met = self.hidden_slot();
        held.met = met;
        let Some(value) = self.granting(&held.names.clone(), &tree) else { return };
        if held.row.is_some() {
            self.push(Instruction::Let { slot: met, value });
            self.held = Some(held);
        } else {
            let failure = self.not_granted("This caller may not do this with this input.");
            self.push(Instruction::FailIf { condition: not(value), failure });
        }
    }

    fn granting(&mut self, names: &Names<'w>, tree: &Ast) -> Option<Expression> {
        let typed = expression::compile(tree, names, &mut self.notes)?;
        self.coerced(typed, &Type::Boolean, true, "the condition of a grant", tree.span)
    }

    fn not_granted(&mut self, text: &str) -> Failure {
        let plain = self.plain_failure(forbidden());
        Failure { message: vec![MessagePart::Text(text.into())], ..plain }
    }

    /// Tests a row that was just bound; where it may be absent, only if it is there. `missing` is what the step says of
    /// a row that does not exist: a row that the caller may not know of is refused in the same words.
    pub(crate) fn hold_row(&mut self, entity: EntityId, slot: Slot, missing: Option<&Refusal>) {
        let Some(held) = self.held.take() else { return };
        if held.is_about(entity, slot, &self.names) {
            self.test_row(&held, entity, slot, missing);
            self.held = Some(Held { is_met: true, ..held });
        } else {
            self.held = Some(held);
        }
    }

    fn test_row(&mut self, held: &Held<'w>, entity: EntityId, slot: Slot, missing: Option<&Refusal>) {
        let Some((name, _)) = &held.row else { return };
        let mut names = held.names.clone();
        let ty: StaticType = self.row(entity).required();
        names.bind(name, slot, ty);
        names.present.push(vec![name.clone()]);
        let tree = held.tree(Some(&|_| None));
        let Some(value) = self.granting(&names, &tree) else { return };
        let failure = match missing.filter(|_| !held.known) {
            Some(refusal) => self.failure(refusal, Vec::new()),
            None => self.not_granted("This caller may not do this with this row."),
        };
        let there = self.jump_if_present(slot);
        let absent = self.jump();
        self.patch(there);
        self.push(Instruction::FailIf { condition: not(value), failure });
        self.push(Instruction::Let { slot: held.met, value: Expression::Constant(Value::Boolean(true)) });
        self.patch(absent);
    }

    /// Narrows what a statement reads or changes to the rows that the caller is granted.
    pub(super) fn granted_rows(
        &mut self,
        entity: EntityId,
        condition: Option<Condition>,
        parameters: &mut Vec<Expression>,
    ) -> Option<Option<Condition>> {
        let Some(held) = self.held.take() else { return Some(condition) };
        let own = held.row.as_ref().filter(|(_, own)| *own == Some(entity)).map(|(name, _)| name.clone());
        let Some(name) = own else {
            self.held = Some(held);
            return Some(condition);
        };
        let mut names = held.names.clone();
        names.bare = expression::Bare::Searched(entity);
        let field = |ast: &Ast| match &ast.kind {
            AstKind::Member { of, name: field, .. } if of.name() == Some(&name) => {
                Some(Ast { kind: AstKind::Name(field.clone()), span: ast.span })
            }
            _ => None,
        };
        let tree = held.tree(Some(&field));
        let first = u16::try_from(parameters.len()).ok()?;
        let lowered = sql::condition(&tree, &names, first, &mut self.notes);
        let met = held.met;
        self.held = Some(Held { is_met: true, ..held });
        let lowered = lowered?;
        parameters.extend(lowered.parameters);
        self.push(Instruction::Let { slot: met, value: Expression::Constant(Value::Boolean(true)) });
        Some(Some(match condition {
            Some(own) => Condition::All(vec![own, lowered.item]),
            None => lowered.item,
        }))
    }

    /// Refuses what was granted to nobody so far, before something is answered or lasts.
    pub(super) fn hold_before(&mut self, instruction: &Instruction) {
        let lasts = match instruction {
            Instruction::Return { status, .. } => *status < 400,
            Instruction::Redirect { .. } | Instruction::Stop | Instruction::Commit => true,
            Instruction::Call(_) | Instruction::Wait { .. } => true,
            _ => false,
        };
        if lasts {
            self.hold_end();
        }
    }

    /// The same at the end of the steps.
    pub(super) fn hold_end(&mut self) {
        let Some(held) = &self.held else { return };
        let condition = not(Expression::Slot(held.met));
        let failure = self.not_granted("This caller may not do this.");
        self.push(Instruction::FailIf { condition, failure });
    }

    /// Begins elements that are transactions of their own: each must meet a grant by itself, unless one was met before.
    pub(crate) fn hold_elements(&mut self) -> Option<HeldElement> {
        let met = self.held.as_ref()?.met;
        // The part before the first element is committed with what it has done.
        if self.code.instructions.iter().any(Instruction::lasts) {
            self.hold_end();
        }
        let (before, ever) = (self.hidden_slot(), self.hidden_slot());
        self.push(Instruction::Let { slot: before, value: Expression::Slot(met) });
        self.push(Instruction::Let { slot: ever, value: Expression::Slot(met) });
        Some(HeldElement { met, before, ever })
    }

    /// Ends such an element: refused, with all that it did, when it met no row for which a grant holds.
    pub(crate) fn hold_element(&mut self, element: Option<&HeldElement>) {
        let Some(HeldElement { met, before, ever }) = element else { return };
        self.hold_end();
        self.push(Instruction::Let { slot: *ever, value: Expression::Constant(Value::Boolean(true)) });
        self.push(Instruction::Let { slot: *met, value: Expression::Slot(*before) });
    }

    /// Behind the element that leaves the loop, which was committed and so met one.
    pub(crate) fn hold_left(&mut self, element: Option<&HeldElement>) {
        let Some(HeldElement { ever, .. }) = element else { return };
        self.push(Instruction::Let { slot: *ever, value: Expression::Constant(Value::Boolean(true)) });
    }

    /// Behind all of them: a grant was met when one of them met it.
    pub(crate) fn hold_behind_elements(&mut self, element: Option<&HeldElement>) {
        let Some(HeldElement { met, ever, .. }) = element else { return };
        self.push(Instruction::Let { slot: *met, value: Expression::Slot(*ever) });
    }

    /// Notes a condition about a row that no step meets.
    pub(super) fn hold_was_met(&mut self) {
        if let Some(held) = self.held.take()
            && !held.is_met
            && let Some((span, subject)) = held.place
        {
            refuse(&mut self.notes, span, subject);
        }
    }
}
