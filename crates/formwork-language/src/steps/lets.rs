//! Naming a value: ``Lets `x` be `EXPR`.``, ``Lets `n` be the number of `E` where …``

use crate::expression::{Kind, StaticType};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Aggregate, Instruction, Statement};
use crate::steps::clause::{Clause, Joined, Misread, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_model::values::Type;
use formwork_syntax::Code;

/// ``Lets `x` be …``
pub(crate) static LETS: Form = Form {
    name: "Lets",
    heads: &["lets"],
    notation: "Lets `x` be `EXPR`. · Lets `n` be the number of `E` [where `EXPR`]. · \
               Lets `s` be the sum / smallest / largest / average of `E.f` [where `EXPR`].",
    tails: &[TailKind::Be],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Lets {
    name: Code,
    value: Value,
    filter: Option<Joined>,
}

#[derive(Debug)]
enum Value {
    Expression(Code),
    Number(Code),
    Of(Aggregate, Code),
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let filter = clause.conditions(TailKind::Where)?;
    let Some(tail) = clause.take(TailKind::Be) else { return Err(clause.missing("`be`")) };
    let mut reader = clause.reader(tail.tokens, tail.span);
    let aggregates = [
        ("sum", Aggregate::Sum),
        ("smallest", Aggregate::Smallest),
        ("largest", Aggregate::Largest),
        ("average", Aggregate::Average),
    ];
    let value = if reader.word("number") {
        expect_of(&mut reader)?;
        Value::Number(reader.code("the name of an entity in backticks")?)
    } else if let Some((_, function)) = aggregates.into_iter().find(|(word, _)| reader.word(word)) {
        expect_of(&mut reader)?;
        Value::Of(function, reader.code("a field of an entity in backticks, such as `order.total`")?)
    } else {
        Value::Expression(reader.code("an expression in backticks, or `the number of`")?)
    };
    reader.end("the end of the sentence")?;
    if filter.is_some() && matches!(value, Value::Expression(_)) {
        return Err(clause.missing("`the number of` or `the sum of` before a `where`"));
    }
    let mut reader = clause.take_object();
    let name = reader.code("the variable in backticks")?;
    reader.end("`be`")?;
    Ok(Box::new(Lets { name, value, filter }))
}

fn expect_of(reader: &mut crate::steps::clause::Reader<'_>) -> Result<(), Misread> {
    if reader.word("of") { Ok(()) } else { Err(reader.misread("`of`")) }
}

impl Lets {
    fn lower_value(&self, cx: &mut Lowering<'_>) -> Option<(StaticType, Instruction)> {
        match &self.value {
            Value::Expression(code) => {
                let value = cx.value(code)?;
                Some((value.ty, Instruction::Let { slot: 0, value: value.expression }))
            }
            Value::Number(entity) => {
                let entity = cx.entity(entity)?;
                let (filter, parameters) = cx.plain_filter(entity, self.filter.as_ref())?;
                cx.reads(entity);
                let statement = cx.statement(Statement::Count { entity, filter });
                Some((Kind::Integer.required(), Instruction::ReadValue { statement, parameters, slot: 0 }))
            }
            Value::Of(function, path) => self.aggregate(cx, *function, path),
        }
    }

    fn aggregate(
        &self,
        cx: &mut Lowering<'_>,
        function: Aggregate,
        path: &Code,
    ) -> Option<(StaticType, Instruction)> {
        let (entity, field) = cx.entity_field(path)?;
        let declared = cx.field_type(entity, field);
        let numeric =
            matches!(declared, Type::Integer | Type::Decimal { .. } | Type::Double | Type::Duration);
        if matches!(function, Aggregate::Sum | Aggregate::Average) && !numeric {
            let (expected, found) = ("number".to_owned(), declared.to_string());
            let context = if function == Aggregate::Sum { "`sum of`" } else { "`average of`" }.to_owned();
            cx.note(NoteKind::TypeMismatch { expected, found, context }, path.span());
            return None;
        }
        let kind = match (function, &declared) {
            (Aggregate::Average, Type::Integer | Type::Decimal { .. }) => Kind::Decimal(Some(6)),
            _ => cx.kind(&declared),
        };
        let ty = StaticType { kind, optional: function != Aggregate::Sum };
        let (filter, parameters) = cx.plain_filter(entity, self.filter.as_ref())?;
        cx.reads(entity);
        let statement = cx.statement(Statement::Aggregate { function, entity, field, filter });
        Some((ty, Instruction::ReadValue { statement, parameters, slot: 0 }))
    }
}

impl Action for Lets {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let Some((ty, instruction)) = self.lower_value(cx) else {
            // The variable exists all the same, so that one mistake gives one note.
            cx.bind(&self.name, Kind::Dynamic.required());
            return;
        };
        let Some(slot) = cx.bind(&self.name, ty) else { return };
        cx.make_settable(slot);
        cx.push(match instruction {
            Instruction::ReadValue { statement, parameters, .. } => {
                Instruction::ReadValue { statement, parameters, slot }
            }
            Instruction::Let { value, .. } => Instruction::Let { slot, value },
            other => other,
        });
    }
}
