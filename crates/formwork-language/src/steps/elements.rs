//! `For each …, each in its own transaction:` every element is an operation of its own, whose failure undoes it alone.
//!
//! The part before the loop ends, and each element in turn: what is kept between two of them says which one comes next.
//! Rows are chosen in pages by their keys, and each is read again in its own transaction, where it may no longer be
//! one of them. Source: language reference, *For each*; docs/decisions/0076-elements-are-parts.md.

use crate::expression::{Expression, Kind, StaticType};
use crate::lower::{HeldElement, Lowering, Opened};
use crate::program::{
    Comparison, Condition, Instruction, Limit, NextElement, Operand, PagedRows, Select, Slot, Statement,
};
use crate::steps::for_each::list_of;
use crate::steps::lists::Selection;
use crate::value::Value;
use formwork_syntax::Code;

/// How many rows are chosen in one transaction.
const PAGE: u32 = 100;

/// A loop that has begun.
pub(super) struct Elements {
    head: usize,
    scope: Opened,
    held: Option<HeldElement>,
}

impl Elements {
    /// Appends the start of a loop over a list and binds its variables.
    pub(super) fn of_list(
        cx: &mut Lowering<'_>,
        item: &Code,
        list: &Code,
        number: Option<&Code>,
    ) -> Option<Self> {
        let (list, element) = list_of(cx, list)?;
        let left = cx.hidden_slot();
        cx.push(Instruction::Let { slot: left, value: list });
        let begun = absent(cx);
        let held = cx.hold_elements();
        let scope = cx.open_scope();
        let slot = cx.hidden_slot();
        let name = item.text(cx.source()).trim().to_owned();
        if !cx.bind_name(&name, item.span(), slot, element) {
            return None;
        }
        let number = numbered(cx, number)?;
        let head = cx.here();
        cx.push(Instruction::NextElement(Box::new(NextElement {
            left,
            begun,
            binds: vec![slot],
            number,
            rows: None,
            inside: (slot, slot),
            end: 0,
        })));
        cx.enter_elements();
        Some(Self { head, scope, held })
    }

    /// The same over rows.
    pub(super) fn of_rows(
        cx: &mut Lowering<'_>,
        item: &Code,
        rows: &Selection,
        number: Option<&Code>,
    ) -> Option<Self> {
        let (select, parameters, at_most) = rows.unbounded(cx)?;
        let (entity, lock) = (select.entity, select.lock);
        let key = cx.primary_key(entity);
        let one = again(&select, &key, parameters.len())?;
        let page = Select { limit: Limit::Rows(PAGE), lock: Default::default(), ..select };
        let behind = Select { after: u16::try_from(parameters.len()).ok(), ..page.clone() };
        let (first, behind) =
            (cx.statement(Statement::Select(page)), cx.statement(Statement::Select(behind)));
        let one = cx.statement(Statement::Select(Select { lock, ..one }));
        let (left, begun, last) = (absent(cx), absent(cx), absent(cx));
        let at_most = at_most.map(|value| {
            let slot = cx.hidden_slot();
            cx.push(Instruction::Let { slot, value });
            slot
        });
        let held = cx.hold_elements();
        let scope = cx.open_scope();
        let slot = cx.hidden_slot();
        let binds: Vec<Slot> = key.iter().map(|_| cx.hidden_slot()).collect();
        let (name, ty) = (cx.entity_name(entity), cx.row(entity).required());
        if !cx.bind_name(&name, item.span(), slot, ty) {
            return None;
        }
        let number = numbered(cx, number)?;
        let head = cx.here();
        let known = parameters.iter().cloned();
        let of_one: Vec<Expression> = known.chain(binds.iter().map(|slot| Expression::Slot(*slot))).collect();
        cx.push(Instruction::NextElement(Box::new(NextElement {
            left,
            begun,
            binds,
            number,
            rows: Some(PagedRows { first, behind, parameters, last, at_most }),
            inside: (slot, slot),
            end: 0,
        })));
        cx.enter_elements();
        cx.push(Instruction::ReadRow { statement: one, parameters: of_one, slot });
        // What is one of them no longer has done nothing that could be refused.
        let still = cx.jump_if_present(slot);
        cx.push(Instruction::Jump { target: head as u32 });
        cx.patch(still);
        Some(Self { head, scope, held })
    }

    /// Appends the way back and says where the loop ends.
    pub(super) fn end(self, cx: &mut Lowering<'_>) {
        let ways = cx.leave_loop();
        ways.on.into_iter().for_each(|jump| cx.patch(jump));
        cx.hold_element(self.held.as_ref());
        cx.push(Instruction::Jump { target: self.head as u32 });
        if !ways.out.is_empty() {
            ways.out.into_iter().for_each(|jump| cx.patch(jump));
            // The element that leaves the loop is a transaction of its own too.
            cx.push(Instruction::Commit);
            cx.hold_left(self.held.as_ref());
        }
        cx.patch(self.head);
        cx.close_element(self.head);
        cx.hold_behind_elements(self.held.as_ref());
        cx.close_scope(self.scope);
    }
}

/// A slot of its own that holds nothing, however often the loop is come to.
fn absent(cx: &mut Lowering<'_>) -> Slot {
    let slot = cx.hidden_slot();
    cx.push(Instruction::Let { slot, value: Expression::Constant(Value::Absent) });
    slot
}

/// The variable behind `numbered`; nothing inside when there is none.
#[expect(clippy::option_option, reason = "nothing was asked for, or what was asked for cannot be had")]
fn numbered(cx: &mut Lowering<'_>, number: Option<&Code>) -> Option<Option<Slot>> {
    let integer: StaticType = Kind::Integer.required();
    match number {
        Some(number) => cx.bind(number, integer).map(Some),
        None => Some(None),
    }
}

/// The row of a key, if it is still one of those; the key's parameters stand behind the others.
fn again(select: &Select, key: &[u16], parameters: usize) -> Option<Select> {
    let first = u16::try_from(parameters).ok()?;
    let equal = |(number, field): (u16, &u16)| {
        Condition::Compare(Comparison::Equal, Operand::Field(*field), Operand::Parameter(number))
    };
    let of_key = (first..).zip(key).map(equal);
    let all: Vec<Condition> = select.filter.iter().cloned().chain(of_key).collect();
    Some(Select { filter: Some(Condition::All(all)), limit: Limit::Rows(1), ..select.clone() })
}
