//! What governs a step: ``when `EXPR` ``, ``if `EXPR` ``, ``unless `EXPR` ``, ``when no `E` exists where `EXPR` ``.
//! The same conditions stand behind `If` and `Otherwise if`.

use crate::expression::{Expression, UnaryOperator};
use crate::lower::Lowering;
use crate::program::{Instruction, Statement};
use crate::steps::clause::{Clause, Joined, Misread, Reader, TailKind};
use crate::tokens::{Token, TokenKind};
use formwork_syntax::Code;

/// A condition over a step or block.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// `unless`
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Conditions(Joined),
    Exists { none: bool, entity: Code, filter: Option<Joined> },
}

impl Guard {
    /// Takes the guard out of a step, if it has one.
    pub(crate) fn read(clause: &mut Clause<'_>) -> Result<Option<Self>, Misread> {
        let is_guard = |kind| matches!(kind, TailKind::When | TailKind::Unless);
        let Some(at) = clause.tails.iter().position(|tail| is_guard(tail.kind)) else { return Ok(None) };
        let mut tail = clause.tails.remove(at);
        if clause.tails.get(at).is_some_and(|next| next.kind == TailKind::Where) && exists(&tail.tokens) {
            let filter = clause.tails.remove(at);
            tail.tokens.push(Token { kind: TokenKind::Word("where".to_owned()), span: filter.span });
            tail.tokens.extend(filter.tokens);
        }
        if let Some(second) = clause.tails.iter().find(|tail| is_guard(tail.kind)) {
            return Err(Misread {
                word: Some(second.span.slice(clause.source).to_owned()),
                expected: "one condition: join several with `&&`".to_owned(),
                span: second.span,
            });
        }
        let mut reader = clause.reader(tail.tokens, tail.span);
        let guard = Self::parse(&mut reader, tail.kind == TailKind::Unless)?;
        reader.end("`and`, `or` or the end of the sentence")?;
        Ok(Some(guard))
    }

    /// Reads a condition; more may follow.
    pub(crate) fn parse(reader: &mut Reader<'_>, negated: bool) -> Result<Self, Misread> {
        let none = reader.word("no");
        let named = none || reader.entity_exists();
        if !named {
            return Ok(Self { negated, test: Test::Conditions(reader.open_conditions()?) });
        }
        let entity = reader.code("the name of an entity in backticks")?;
        if !reader.word("exists") && !reader.word("exist") {
            return Err(reader.misread("`exists`"));
        }
        let filter = if reader.word("where") { Some(reader.open_conditions()?) } else { None };
        Ok(Self { negated, test: Test::Exists { none, entity, filter } })
    }

    /// Appends what the condition reads and gives it as an expression.
    pub(crate) fn lower(&self, cx: &mut Lowering<'_>) -> Option<Expression> {
        let (condition, negated) = match &self.test {
            Test::Conditions(joined) => (cx.condition(joined)?, self.negated),
            Test::Exists { none, entity, filter } => {
                let entity = cx.entity(entity)?;
                let (filter, parameters) = cx.plain_filter(entity, filter.as_ref())?;
                cx.reads(entity);
                let statement = cx.statement(Statement::Exists { entity, filter });
                let slot = cx.hidden_slot();
                cx.push(Instruction::ReadValue { statement, parameters, slot });
                (Expression::Slot(slot), self.negated != *none)
            }
        };
        Some(if negated { Expression::Unary(UnaryOperator::Not, Box::new(condition)) } else { condition })
    }

    /// Notes down which names are not absent when the condition holds (or does not).
    pub(crate) fn narrow(&self, cx: &mut Lowering<'_>, holds: bool) {
        if let Test::Conditions(joined) = &self.test {
            cx.narrow(joined, holds != self.negated);
        }
    }
}

/// Whether the tokens of a guard end with *exists*.
fn exists(tokens: &[Token]) -> bool {
    tokens.last().is_some_and(|token| token.is("exists") || token.is("exist"))
}
