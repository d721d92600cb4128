//! Who may call: `Requires …` and `Anyone may call this.`

use crate::expression::{BinaryOperator, Expression, UnaryOperator};
use crate::lower::Lowering;
use crate::program::{Instruction, slots};
use crate::steps::clause::{Clause, Joined, Misread, Refusal, TailKind};
use crate::steps::{Action, Form, Grammar, Guard};
use crate::value::Value;
use formwork_model::facts::Outcome;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// ``Requires role `R`.``
pub(crate) static REQUIRES: Form = Form {
    name: "Requires",
    heads: &["requires"],
    notation: "Requires a signed-in caller. · Requires role `R` [or `R2`]. · Requires scope `S`. · \
               Requires `EXPR`, or fails with `403 code`.",
    tails: &[TailKind::OrFails],
    grammar: Grammar::Tails(read_requires),
};

/// `Anyone may call this.`
pub(crate) static ANYONE: Form = Form {
    name: "Anyone may call this",
    heads: &[
        "anyone may call this",
        "anyone may call it",
        "anyone can call this",
        "anybody may call this",
        "public",
    ],
    notation: "Anyone may call this.",
    tails: &[],
    grammar: Grammar::Tails(read_anyone),
};

/// What a who-may step says.
#[derive(Clone, Debug)]
pub(crate) enum WhoMay {
    /// Anyone.
    Anyone,
    /// Whoever has a key.
    SignedIn,
    /// Whoever has one of these roles.
    Roles(Vec<Code>),
    /// Whoever has this scope.
    Scope(Code),
    /// Whoever fits a condition.
    Condition(Joined),
}

#[derive(Debug)]
struct Requires {
    who: WhoMay,
    refusal: Option<Refusal>,
}

fn read_anyone(_: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    Ok(Box::new(Requires { who: WhoMay::Anyone, refusal: None }))
}

fn read_requires(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let refusal = clause.refusal(TailKind::OrFails)?;
    let mut reader = clause.take_object();
    let who = if reader.word("role") || reader.word("roles") {
        WhoMay::Roles(reader.alternatives("a role in backticks")?)
    } else if reader.word("scope") {
        WhoMay::Scope(reader.code("a scope in backticks")?)
    } else if reader.word("signed-in") || reader.exact_words(&["signed", "in"]) {
        if !reader.word("caller") && !reader.word("user") {
            return Err(reader.misread("`caller`"));
        }
        WhoMay::SignedIn
    } else {
        WhoMay::Condition(reader.open_conditions()?)
    };
    reader.end("the end of the sentence")?;
    if refusal.is_some() && !matches!(who, WhoMay::Condition(_)) {
        // The edge answers these with 401 and 403 before the steps; a refusal of one's own would be passed over.
        return Err(clause.missing("`or fails with` only behind `Requires` and a condition in backticks"));
    }
    Ok(Box::new(Requires { who, refusal }))
}

impl Requires {
    /// What the caller must fulfil, as an expression; nothing when the edge has decided it already.
    fn condition(&self, cx: &mut Lowering<'_>) -> Option<Expression> {
        let member = |name: &str, slot, span| Expression::Binary {
            operator: BinaryOperator::In,
            left: Box::new(Expression::Constant(Value::Text(Arc::from(name)))),
            right: Box::new(Expression::Slot(slot)),
            span,
        };
        match &self.who {
            WhoMay::Anyone | WhoMay::SignedIn => None,
            WhoMay::Scope(scope) => {
                Some(member(&scope.text(cx.source()), slots::CALLER_SCOPES, scope.span()))
            }
            WhoMay::Roles(roles) => roles
                .iter()
                .map(|role| member(&role.text(cx.source()), slots::CALLER_ROLES, role.span()))
                .reduce(|left, right| Expression::Binary {
                    operator: BinaryOperator::Or,
                    left: Box::new(left),
                    right: Box::new(right),
                    span: Span::default(),
                }),
            WhoMay::Condition(joined) => cx.condition(joined),
        }
    }

    fn refuse(&self, cx: &mut Lowering<'_>, condition: Expression) {
        let forbidden = Outcome { status: 403, code: Some("forbidden".to_owned()) };
        let failure = match &self.refusal {
            Some(refusal) => cx.failure(refusal, Vec::new()),
            None => cx.plain_failure(forbidden),
        };
        cx.push(Instruction::FailIf { condition, failure });
    }
}

impl Action for Requires {
    fn lower(&self, cx: &mut Lowering<'_>) {
        // A standing step is the system itself; what leads a behaviour was decided by the edge.
        if !cx.asks_who_may() || (cx.is_decided_by_edge() && !matches!(self.who, WhoMay::Condition(_))) {
            return;
        }
        if let Some(condition) = self.condition(cx) {
            self.refuse(cx, Expression::Unary(UnaryOperator::Not, Box::new(condition)));
            if let WhoMay::Condition(joined) = &self.who {
                cx.narrow(joined, true);
            }
        }
    }

    fn lower_guarded(&self, cx: &mut Lowering<'_>, guard: &Guard) {
        let Some(guard) = guard.lower(cx) else { return };
        let jump = cx.jump_unless(guard);
        cx.enter_guarded();
        cx.leave_edge();
        self.lower(cx);
        cx.leave_guarded();
        cx.patch(jump);
    }

    fn who_may(&self) -> Option<&WhoMay> {
        Some(&self.who)
    }
}
