//! What operations cost, and the budgets that pay: section 9's lines to instructions.
//!
//! [`Lowering::reserve`] stands before the first step that does more than look, so that a caller who may not call, or
//! whose row does not exist, is told that and not that the money is spent; [`Lowering::settle`] before every answer.
//! Source: docs/reference/cost.md.

use crate::expression::{self, Bound, Equals, Expression, Kind, StaticType, Typed};
use crate::lower::{Lowering, Shared, World, add_once};
use crate::notes::{Note, NoteKind};
use crate::program::{
    Answered, Budget, BudgetEvent, BudgetFact, BudgetPeriod, Charge, EntityId, EventShape, Instruction,
    Reserve, Settle, Slot,
};
use crate::value::text::parse_decimal;
use formwork_model::Model;
use formwork_model::facts::Outcome;
use formwork_model::sections::security::BudgetKind;
use formwork_syntax::{Span, Spanned};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// The event of an alert for which the document names none.
const THRESHOLD_REACHED: &str = "budget.threshold_reached";

/// Forms of steps that only look: what an operation may cost is kept back behind them.
const LOOKS: [&str; 8] =
    ["Anyone may call this", "Requires", "Fails", "Finds", "Finds the first", "Lists", "Lets", "Queries"];

/// A budget of the program with what its line says besides.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    per: Option<Spanned<String>>,
}

/// The prices of the operation that is lowered.
#[derive(Debug)]
pub(super) struct Costs {
    operation: String,
    lines: Vec<Line>,
    held: Slot,
    /// Whether nothing has been kept back yet.
    pending: bool,
}

#[derive(Debug)]
struct Line {
    amount: Spanned<String>,
    at_most: Option<Spanned<String>>,
    currency: String,
    /// Whether what it costs is known only at the end.
    later: bool,
    /// Whether there is an answer before which it can be told.
    told: bool,
    /// Why it cannot, at the first answer.
    notes: Vec<Note>,
}

/// The budgets of section 9, and the events of their alerts.
pub(super) fn declare(model: &Model, shared: &mut Shared, notes: &mut Vec<Note>) {
    let mut names = Names::default();
    for line in &model.budgets {
        let BudgetKind::Budget { operations, amount, currency, per, period, alerts, event, refusal } =
            &line.kind
        else {
            continue;
        };
        let operations: Vec<String> = operations.iter().map(|name| name.value.clone()).collect();
        let own = operations.join(", ");
        let of = if own.is_empty() { String::new() } else { format!(" for {own}") };
        let whom = per.as_ref().map_or(String::new(), |per| format!(" per {}", per.value));
        let when = match period {
            BudgetPeriod::Total => " in total".to_owned(),
            period => format!(" per {}", period.name()),
        };
        let mut alerts: Vec<_> = alerts.iter().filter_map(|percent| parse_decimal(percent)).collect();
        alerts.sort_by(|one, other| one.compare(*other));
        alerts.dedup_by(|one, other| one.compare(*other).is_eq());
        let place = event.as_ref().map_or(line.text.span, |event| event.span);
        let event = (!alerts.is_empty()).then(|| {
            let name = event.as_ref().map_or(THRESHOLD_REACHED, |event| &event.value);
            alert(name, per.as_ref(), place, shared, notes)
        });
        let name = names.unused(format!("{currency}{of}{whom}{when}"));
        let budget = Budget {
            name: name.into(),
            currency: currency.as_str().into(),
            limit: parse_decimal(amount),
            per: per.as_ref().map(|per| per.value.as_str().into()),
            period: *period,
            alerts,
            event: event.flatten(),
            refusal: refusal.clone().map_or_else(exhausted, |outcome| match outcome.code {
                Some(_) => outcome,
                None => Outcome { code: exhausted().code, ..outcome },
            }),
        };
        shared.add_budget(budget, Declared { per: per.clone() }, &operations);
    }
    count_only(model, shared);
}

/// What costs in a currency of which there is no budget is counted all the same.
fn count_only(model: &Model, shared: &mut Shared) {
    let mut currencies: FxHashSet<Arc<str>> =
        shared.budgets.iter().map(|budget| budget.currency.clone()).collect();
    for line in &model.budgets {
        let BudgetKind::Cost { currency, .. } = &line.kind else { continue };
        if !currencies.insert(currency.as_str().into()) {
            continue;
        }
        let budget = Budget {
            name: format!("{currency} per month").into(),
            currency: currency.as_str().into(),
            limit: None,
            per: None,
            period: BudgetPeriod::Month,
            alerts: Vec::new(),
            event: None,
            refusal: exhausted(),
        };
        shared.add_budget(budget, Declared { per: None }, &[]);
    }
}

/// The names of budgets: two that differ in their amounts alone are kept apart by a number.
#[derive(Default)]
struct Names {
    /// How many budgets were to have a name, by that name.
    wanted: FxHashMap<String, usize>,
}

impl Names {
    fn unused(&mut self, name: String) -> String {
        loop {
            let number = self.wanted.entry(name.clone()).or_default();
            *number += 1;
            if *number == 1 {
                return name;
            }
            let numbered = format!("{name} ({number})");
            if let Entry::Vacant(free) = self.wanted.entry(numbered.clone()) {
                free.insert(1);
                return numbered;
            }
        }
    }
}

fn exhausted() -> Outcome {
    Outcome { status: 402, code: Some("budget_exhausted".to_owned()) }
}

/// The event of an alert: with the data that section 10 declares, else with all there is to tell.
fn alert(
    name: &str,
    per: Option<&Spanned<String>>,
    place: Span,
    shared: &mut Shared,
    notes: &mut Vec<Note>,
) -> Option<BudgetEvent> {
    let all = || BudgetFact::ALL.iter().map(|(name, fact)| (Arc::from(*name), *fact)).collect::<Vec<_>>();
    let at = shared.event_at.get(name).copied();
    let event = match at {
        Some(at) => at,
        None => {
            let at = u16::try_from(shared.events.len()).ok()?;
            let data = all().into_iter().map(|(name, _)| name).collect();
            shared.event_at.insert(name.into(), at);
            shared.events.push(EventShape { name: name.into(), data });
            at
        }
    };
    let shape = shared.events.get_mut(usize::from(event))?;
    if shape.data.is_empty() {
        shape.data = all().into_iter().map(|(name, _)| name).collect();
    }
    let whom = per.map(|per| per.value.rsplit('.').next().unwrap_or(&per.value));
    let fact = |member: &Arc<str>| {
        let known = BudgetFact::ALL.iter().find(|(name, _)| **name == **member).map(|(_, fact)| *fact);
        known.or_else(|| (whom == Some(&**member)).then_some(BudgetFact::Key))
    };
    let mut data = Vec::new();
    for member in &shape.data {
        match fact(member) {
            Some(fact) => data.push((member.clone(), fact)),
            None => {
                let kind = NoteKind::EventDataMissing { event: name.to_owned(), member: member.to_string() };
                notes.push(Note { kind, span: place, related: None, fix: None });
            }
        }
    }
    Some(BudgetEvent { event, data })
}

/// Whether a line of section 9 prices an operation.
pub(super) fn is_priced(world: &World<'_>, operation: &str) -> bool {
    world.prices_of(operation).next().is_some()
}

fn lines(world: &World<'_>, operation: &str) -> Vec<Line> {
    let line = |kind: &BudgetKind| match kind {
        BudgetKind::Cost { amount, at_most, currency, .. } => Some(Line {
            amount: amount.clone(),
            at_most: at_most.clone(),
            currency: currency.clone(),
            later: false,
            told: false,
            notes: Vec::new(),
        }),
        _ => None,
    };
    world.prices_of(operation).filter_map(line).collect()
}

impl Lowering<'_> {
    /// Takes in what an operation costs.
    pub(super) fn set_costs(&mut self, operation: &str) {
        let lines = lines(self.world, operation);
        if !lines.is_empty() {
            let held = self.hidden_slot();
            self.costs = Some(Costs { operation: operation.to_owned(), lines, held, pending: true });
        }
    }

    /// A step begins: what does more than look is paid for.
    pub(crate) fn reserve_before(&mut self, form: &str) {
        if !LOOKS.contains(&form) {
            self.reserve();
        }
    }

    /// Keeps back what the operation may cost, once.
    fn reserve(&mut self) {
        let Some(mut costs) = self.costs.take_if(|costs| costs.pending) else { return };
        costs.pending = false;
        let mut charges = Vec::new();
        for line in &mut costs.lines {
            let mut notes = Vec::new();
            let known = self.price(&line.amount, false, &mut notes);
            // What has no name yet may have one at the end.
            line.later =
                known.is_none() && notes.iter().all(|note| matches!(note.kind, NoteKind::UnknownName { .. }));
            if !line.later {
                self.shared.cost_notes.append(&mut notes);
            }
            let mut notes = Vec::new();
            let at_most = line.at_most.as_ref().and_then(|most| self.price(most, false, &mut notes));
            self.shared.cost_notes.append(&mut notes);
            let budgets = self.payers(&costs.operation, &line.currency);
            charges.push(Charge { known, at_most, budgets });
        }
        let held = costs.held;
        self.costs = Some(costs);
        self.push(Instruction::Reserve(Box::new(Reserve { held, charges })));
    }

    /// The budgets that pay for an operation.
    fn payers(&mut self, operation: &str, currency: &str) -> Vec<(u16, Option<Expression>)> {
        let mut found = Vec::new();
        for at in self.shared.budgets_of(operation) {
            let budget = &self.shared.budgets[usize::from(at)];
            if *budget.currency != *currency {
                continue;
            }
            if let Some(outcome) = budget.limit.map(|_| budget.refusal.clone()) {
                self.raises(outcome);
            }
            let event = self.shared.budgets[usize::from(at)].event.as_ref().map(|event| event.event);
            let event = event.and_then(|event| self.shared.events.get(usize::from(event)));
            if let Some(name) = event.map(|event| event.name.clone()) {
                self.emits(&name);
            }
            let key = match self.shared.budget_lines[usize::from(at)].per.clone() {
                None => None,
                Some(per) => match self.key(&per) {
                    Some(key) => Some(key),
                    None => {
                        let subject = format!("{}\n{operation}", per.value);
                        let kind = NoteKind::Other { entry: "budget_of_whom", subject };
                        self.shared.cost_notes.push(Note { kind, span: per.span, related: None, fix: None });
                        continue;
                    }
                },
            };
            found.push((at, key));
        }
        found
    }

    /// For whom a budget is: the caller, a field of the input or of a row that was found, or an expression.
    fn key(&mut self, per: &Spanned<String>) -> Option<Expression> {
        let name = per.value.as_str();
        match name {
            "caller" => return Some(Expression::Slot(crate::program::slots::CALLER_ID)),
            "address" | "ip" => return Some(Expression::Slot(crate::program::slots::REQUEST_IP)),
            _ => {}
        }
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return self.compiled(per, &mut Vec::new()).map(|typed| typed.expression);
        }
        for name in [name.to_owned(), format!("{name}_id")] {
            let mut inputs = self.names.input.iter().flatten();
            let found = inputs.find(|bound| *bound.name == *name).map(|bound| bound.slot);
            if let Some(slot) = found {
                add_once(&mut self.touches.inputs, &name);
                return Some(Expression::Slot(slot));
            }
            if let Some(bound) = self.names.variable(&name) {
                return Some(Expression::Slot(bound.slot));
            }
            let rows: Vec<_> = self.rows_in_scope();
            let mut fields =
                rows.into_iter().filter_map(|(slot, entity)| self.row_field(slot, entity, &name));
            if let (Some(field), None) = (fields.next(), fields.next()) {
                return Some(field);
            }
        }
        None
    }

    /// The variables that hold a row.
    fn rows_in_scope(&self) -> Vec<(Slot, EntityId)> {
        let row = |bound: &Bound| match bound.ty.kind {
            Kind::Row(entity, _) => Some((bound.slot, entity)),
            _ => None,
        };
        self.names.variables.iter().filter_map(row).collect()
    }

    /// An expression of section 9, which stands in the document whatever text the steps stand in.
    fn compiled(&mut self, written: &Spanned<String>, notes: &mut Vec<Note>) -> Option<Typed> {
        let place = written.span;
        let map = |offset: u32| place.start.saturating_add(offset).min(place.end);
        match expression::parse(&written.value, Equals::Refused, &map) {
            Ok(ast) => {
                self.uses_inputs(&ast);
                expression::compile(&ast, &self.names, notes)
            }
            Err(problem) => {
                let kind = NoteKind::ExpressionSyntax { problem: problem.problem };
                notes.push(Note { kind, span: problem.span, related: None, fix: None });
                None
            }
        }
    }

    /// An amount of money: an exact number.
    fn price(
        &mut self,
        written: &Spanned<String>,
        optional: bool,
        notes: &mut Vec<Note>,
    ) -> Option<Expression> {
        let typed = self.compiled(written, notes)?;
        let kind = match typed.ty.kind {
            Kind::Integer | Kind::Unsigned | Kind::Decimal(_) | Kind::Dynamic => {
                if !typed.ty.optional || optional || typed.ty.kind == Kind::Dynamic {
                    return Some(typed.expression);
                }
                NoteKind::MayBeAbsent { context: "the cost".to_owned() }
            }
            _ => NoteKind::TypeMismatch {
                expected: "decimal".to_owned(),
                found: typed.ty.to_string(),
                context: "the cost".to_owned(),
            },
        };
        notes.push(Note { kind, span: written.span, related: None, fix: None });
        None
    }

    /// An answer comes: charges what the operation did cost. Where the amount follows from the answer, that is
    /// computed first; gives the body as it then is.
    pub(super) fn settle(&mut self, body: Answered, ty: Option<&StaticType>) -> Answered {
        self.reserve();
        let Some(mut costs) = self.costs.take() else { return body };
        let known = self.names.variables.len();
        let mut body = body;
        if costs.lines.iter().any(|line| line.later) && self.names.variable("output").is_none() {
            let slot = self.hidden_slot();
            let mut output = Kind::Dynamic.optional();
            if let (Answered::Value(value) | Answered::RowWith { row: value, .. }, Some(ty)) = (&mut body, ty)
            {
                let value = std::mem::replace(value, Expression::Slot(slot));
                self.push(Instruction::Let { slot, value });
                output = ty.clone();
            } else if let Answered::Page(page) = &body {
                self.push(Instruction::Let { slot, value: Expression::Slot(*page) });
            }
            self.names.variables.push(Bound { name: "output".into(), slot, ty: output });
        }
        let mut actual = Vec::new();
        for line in &mut costs.lines {
            if !line.later {
                actual.push(None);
                continue;
            }
            let mut notes = Vec::new();
            let price = self.price(&line.amount, true, &mut notes);
            line.told |= price.is_some();
            if line.notes.is_empty() {
                line.notes = notes;
            }
            actual.push(price);
        }
        self.names.variables.truncate(known);
        let held = costs.held;
        self.costs = Some(costs);
        self.push(Instruction::Settle(Box::new(Settle { held, actual })));
        body
    }

    /// The behaviour has ended: notes what can never be charged.
    pub(super) fn end_costs(&mut self) {
        let Some(costs) = self.costs.take() else { return };
        let divided = self.code.has_parts();
        for line in costs.lines.into_iter().filter(|line| line.later) {
            if !line.told {
                self.shared.cost_notes.extend(line.notes);
            } else if divided && line.at_most.is_none() {
                let kind = NoteKind::Other { entry: "cost_without_bound", subject: costs.operation.clone() };
                self.shared.cost_notes.push(Note { kind, span: line.amount.span, related: None, fix: None });
            }
        }
    }
}
