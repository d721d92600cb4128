//! Calls: macros, functions and their overloads.

use super::{Compiler, LocalName, Typed, common, division};
use crate::expression::types::{Kind, StaticType};
use crate::expression::{Ast, AstKind, Comprehension, Expression};
use crate::functions::{self, FUNCTIONS, Function, Gives, QUOTIENT_NAMES, Style, Takes};
use crate::notes::NoteKind;
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::sync::Arc;

impl Compiler<'_, '_> {
    pub(super) fn call(
        &mut self,
        receiver: Option<&Ast>,
        name: &Arc<str>,
        name_span: Span,
        arguments: &[Ast],
        span: Span,
    ) -> Option<Typed> {
        if let Some(result) = self.special(receiver, name, arguments, span) {
            return result;
        }
        let Some(index) = functions::find(name, receiver.is_some()).filter(|_| !name.starts_with('/')) else {
            self.unknown_function(name, receiver.is_some(), name_span);
            return None;
        };
        if &**name == "secret" && !self.may_read_secret(arguments, span) {
            return None;
        }
        let function = &FUNCTIONS[usize::from(index)];
        let dividing = self.dividing;
        self.dividing = QUOTIENT_NAMES.iter().any(|quotient| quotient[1..] == **name);
        let typed: Vec<Option<Typed>> =
            receiver.into_iter().chain(arguments).map(|ast| self.typed(ast)).collect();
        self.dividing = dividing;
        let mut typed: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        if function.name == "index_by" {
            self.keys_of_rows(&mut typed, span)?;
        }
        let Some(ty) = result_type(function, &typed) else {
            self.no_overload(function, &typed, span);
            return None;
        };
        self.built(function, index, typed, ty, span)
    }

    /// A secret goes into headers of calls alone, and its name is known before the first request.
    fn may_read_secret(&mut self, arguments: &[Ast], span: Span) -> bool {
        let literal = matches!(arguments, [Ast { kind: AstKind::Literal(Value::Text(_)), .. }]);
        let entry = match self.names.secrets {
            true if literal => return true,
            true => "secret_not_literal",
            false => "secret_outside_header",
        };
        self.note(NoteKind::Other { entry, subject: "secret".to_owned() }, span);
        false
    }

    /// `index_by(rows, "f")`: only the compiler knows which field `f` is, so it gives the keys as a list of their own.
    fn keys_of_rows(&mut self, typed: &mut [Typed], span: Span) -> Option<()> {
        let [list, name] = typed else { return Some(()) };
        let row = match &list.ty.kind {
            Kind::List(item) if matches!(item.kind, Kind::Row(..)) => (**item).clone(),
            _ => return Some(()),
        };
        let Some(Value::Text(field)) = name.constant().cloned() else {
            let problem = "`index_by` takes a field's name as a text".to_owned();
            self.note(NoteKind::ExpressionSyntax { problem }, span);
            return None;
        };
        let local = self.locals.len() as u16;
        let item = Typed { expression: Expression::Local(local), ty: row, uses_fields: false };
        let key = self.member_of(item, &field, span, span)?;
        let expression = Expression::Comprehension {
            kind: Comprehension::Map,
            over: Box::new(list.expression.clone()),
            local,
            body: Box::new(key.expression),
            filter: None,
        };
        let ty = Kind::List(Box::new(key.ty)).required();
        *name = Typed { expression, ty, uses_fields: list.uses_fields };
        Some(())
    }

    fn unknown_function(&mut self, name: &str, method: bool, span: Span) {
        let fits = |function: &&Function| {
            !function.name.starts_with('/')
                && (function.style == Style::Either || (function.style == Style::Method) == method)
        };
        let macros = ["has", "first", "exists", "exists_one", "all", "filter", "map"];
        let names = FUNCTIONS.iter().filter(fits).map(|function| function.name).chain(macros);
        let kind = NoteKind::UnknownName {
            what: "function",
            name: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        };
        self.note(kind, span);
    }

    fn no_overload(&mut self, function: &Function, typed: &[Typed], span: Span) {
        let takes: Vec<String> = function
            .overloads
            .iter()
            .map(|overload| overload.takes.iter().map(|takes| takes.word()).collect::<Vec<_>>().join(", "))
            .collect();
        let found = typed.iter().map(|argument| argument.ty.kind.to_string()).collect::<Vec<_>>().join(", ");
        let expected = takes.iter().map(|takes| format!("({takes})")).collect::<Vec<_>>().join(" or ");
        let context = format!("`{}`", function.name);
        self.note(NoteKind::TypeMismatch { expected, found: format!("({found})"), context }, span);
    }

    fn built(
        &mut self,
        function: &'static Function,
        index: u16,
        typed: Vec<Typed>,
        ty: StaticType,
        span: Span,
    ) -> Option<Typed> {
        let uses_fields = typed.iter().any(|argument| argument.uses_fields);
        if function.name == "matches"
            && let Some(Value::Text(pattern)) = typed[1].constant()
        {
            let pattern = match crate::constraint::pattern(pattern) {
                Ok(pattern) => pattern,
                Err(problem) => {
                    let problem = format!("the pattern does not parse: {problem}");
                    self.note(NoteKind::ExpressionSyntax { problem }, span);
                    return None;
                }
            };
            let text = typed.into_iter().next()?.expression;
            let expression = Expression::Matches { text: Box::new(text), pattern };
            return Some(Typed { expression, ty, uses_fields });
        }
        let constant = function.pure && typed.iter().all(|argument| argument.constant().is_some());
        let mut arguments: Vec<Expression> = typed.into_iter().map(|argument| argument.expression).collect();
        let mut index = index;
        if let Some((quotient, parts)) = quotient(function.name, &arguments) {
            (index, arguments) = (quotient, parts);
        }
        let expression = Expression::Call { function: index, arguments, span };
        if constant {
            match super::evaluated(&expression) {
                Ok(value) => return Some(Typed { expression: Expression::Constant(value), ty, uses_fields }),
                Err(crate::eval::EvaluationError::Invalid(problem)) => {
                    let context = format!("`{}`", function.name);
                    self.note(NoteKind::ExpressionSyntax { problem: format!("{context}: {problem}") }, span);
                    return None;
                }
                Err(_) => {}
            }
        }
        Some(Typed { expression, ty, uses_fields })
    }

    /// `has`, and the comprehensions, which bind a name.
    fn special(
        &mut self,
        receiver: Option<&Ast>,
        name: &Arc<str>,
        arguments: &[Ast],
        span: Span,
    ) -> Option<Option<Typed>> {
        use Comprehension as C;
        match (receiver, &**name, arguments) {
            (None, "has", [of]) => Some(self.has(of)),
            (None, "first", [over, local, body]) if local.name().is_some() => {
                Some(self.comprehension(C::First, over, local, None, body, span))
            }
            (Some(over), "exists", [local, body]) => {
                Some(self.comprehension(C::Exists, over, local, None, body, span))
            }
            (Some(over), "exists_one" | "existsOne", [local, body]) => {
                Some(self.comprehension(C::ExistsOne, over, local, None, body, span))
            }
            (Some(over), "all", [local, body]) => {
                Some(self.comprehension(C::All, over, local, None, body, span))
            }
            (Some(over), "filter", [local, body]) => {
                Some(self.comprehension(C::Filter, over, local, None, body, span))
            }
            (Some(over), "first", [local, body]) => {
                Some(self.comprehension(C::First, over, local, None, body, span))
            }
            (Some(over), "map", [local, body]) => {
                Some(self.comprehension(C::Map, over, local, None, body, span))
            }
            (Some(over), "map", [local, filter, body]) => {
                Some(self.comprehension(C::Map, over, local, Some(filter), body, span))
            }
            _ => None,
        }
    }

    fn has(&mut self, of: &Ast) -> Option<Typed> {
        if !matches!(of.kind, AstKind::Member { .. }) {
            let problem = "`has` asks for a member: `has(input.f)`".to_owned();
            self.note(NoteKind::ExpressionSyntax { problem }, of.span);
            return None;
        }
        let typed = self.typed(of)?;
        let expression = Expression::Has(Box::new(typed.expression));
        Some(Typed { expression, ty: Kind::Boolean.required(), uses_fields: typed.uses_fields })
    }

    fn comprehension(
        &mut self,
        kind: Comprehension,
        over: &Ast,
        local: &Ast,
        filter: Option<&Ast>,
        body: &Ast,
        span: Span,
    ) -> Option<Typed> {
        let Some(name) = local.name() else {
            let problem = "expected a name for the item".to_owned();
            self.note(NoteKind::ExpressionSyntax { problem }, local.span);
            return None;
        };
        let over_typed = self.typed(over)?;
        let item = match &over_typed.ty.kind {
            Kind::List(item) => (**item).clone(),
            Kind::Map(key, _) => (**key).clone(),
            Kind::Object(_) => Kind::Text.required(),
            Kind::Dynamic | Kind::Null => Kind::Dynamic.required(),
            _ => {
                self.mismatch("list", &over_typed.ty, "the items", over.span);
                return None;
            }
        };
        let number = self.locals.len() as u16;
        self.locals.push(LocalName { name: name.clone(), ty: item.clone() });
        // What is known of an outer name does not hold of the local that hides it.
        let known = std::mem::take(&mut self.present);
        let others = known.iter().filter(|path| path.first() != Some(name));
        self.present = others.cloned().collect();
        let filter_typed = filter.map(|filter| self.typed(filter));
        let body_typed = match filter {
            Some(filter) => self.knowing(filter, true, body),
            None => self.typed(body),
        };
        self.present = known;
        self.locals.pop();
        let filter_typed = match filter_typed {
            Some(typed) => Some(typed?),
            None => None,
        };
        let body_typed = body_typed?;
        let conditions = filter_typed.iter().chain((kind != Comprehension::Map).then_some(&body_typed));
        for condition in conditions.cloned().collect::<Vec<_>>() {
            if !self.condition(&condition, "the items", span) {
                return None;
            }
        }
        let uses_fields = over_typed.uses_fields
            || body_typed.uses_fields
            || filter_typed.as_ref().is_some_and(|filter| filter.uses_fields);
        let ty = match kind {
            Comprehension::Exists | Comprehension::ExistsOne | Comprehension::All => Kind::Boolean.required(),
            Comprehension::Filter => Kind::List(Box::new(item)).required().or_absent(over_typed.ty.optional),
            Comprehension::Map => {
                Kind::List(Box::new(body_typed.ty.clone())).required().or_absent(over_typed.ty.optional)
            }
            Comprehension::First => item.or_absent(true),
        };
        let expression = Expression::Comprehension {
            kind,
            over: Box::new(over_typed.expression),
            local: number,
            body: Box::new(body_typed.expression),
            filter: filter_typed.map(|filter| Box::new(filter.expression)),
        };
        Some(Typed { expression, ty, uses_fields })
    }
}

/// The rounded quotient that a rounding of a division is.
fn quotient(name: &str, arguments: &[Expression]) -> Option<(u16, Vec<Expression>)> {
    let quotient = QUOTIENT_NAMES.iter().find(|quotient| &quotient[1..] == name)?;
    let (dividend, divisor) = division::fraction(arguments.first()?)?;
    let digits = arguments.get(1).cloned().unwrap_or(Expression::Constant(Value::Integer(0)));
    Some((functions::find(quotient, false)?, vec![dividend, divisor, digits]))
}

fn result_type(function: &Function, typed: &[Typed]) -> Option<StaticType> {
    let overload = function.overloads.iter().find(|overload| {
        overload.takes.len() == typed.len()
            && overload.takes.iter().zip(typed).all(|(takes, argument)| takes.fits(&argument.ty.kind))
    })?;
    let optional = !function.takes_absent && typed.iter().any(|argument| argument.ty.optional);
    Some(given(overload.gives, typed)?.or_absent(optional))
}

impl Takes {
    fn fits(self, kind: &Kind) -> bool {
        if matches!(kind, Kind::Dynamic | Kind::Null) {
            return true;
        }
        match self {
            Self::Any => true,
            Self::Boolean => *kind == Kind::Boolean,
            Self::Integer => *kind == Kind::Integer,
            Self::Unsigned => *kind == Kind::Unsigned,
            Self::Exact => matches!(kind, Kind::Integer | Kind::Decimal(_)),
            Self::Number => kind.is_number(),
            Self::Double => *kind == Kind::Double,
            Self::Text => kind.is_text(),
            Self::Bytes => *kind == Kind::Bytes,
            Self::Uuid => *kind == Kind::Uuid,
            Self::Timestamp => *kind == Kind::Timestamp,
            Self::Date => *kind == Kind::Date,
            Self::Time => *kind == Kind::Time,
            Self::Duration => *kind == Kind::Duration,
            Self::List => matches!(kind, Kind::List(_)),
            Self::Texts => matches!(kind, Kind::List(of) if of.kind.is_text() || of.kind == Kind::Dynamic),
            Self::Numbers => matches!(
                kind,
                Kind::List(of) if of.kind.is_number() || matches!(of.kind, Kind::Dynamic | Kind::Duration)
            ),
            Self::Map => matches!(kind, Kind::Map(..) | Kind::Object(_)),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Unsigned => "unsigned integer",
            Self::Exact => "integer or decimal",
            Self::Number => "number",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Duration => "duration",
            Self::List => "list",
            Self::Texts => "list of strings",
            Self::Numbers => "list of numbers",
            Self::Map => "map",
        }
    }
}

fn given(gives: Gives, typed: &[Typed]) -> Option<StaticType> {
    let first = typed.first().map(|argument| &argument.ty);
    let items = || match first.map(|ty| &ty.kind) {
        Some(Kind::List(item)) => (**item).clone(),
        _ => Kind::Dynamic.required(),
    };
    Some(match gives {
        Gives::Boolean => Kind::Boolean.required(),
        Gives::Integer => Kind::Integer.required(),
        Gives::Unsigned => Kind::Unsigned.required(),
        Gives::Decimal => Kind::Decimal(None).required(),
        Gives::Rounded => rounded(typed),
        Gives::Double => Kind::Double.required(),
        Gives::Text => Kind::Text.required(),
        Gives::Texts => Kind::Text.list().required(),
        Gives::Bytes => Kind::Bytes.required(),
        Gives::Uuid => Kind::Uuid.required(),
        Gives::Timestamp => Kind::Timestamp.required(),
        Gives::Date => Kind::Date.required(),
        Gives::Time => Kind::Time.required(),
        Gives::Duration => Kind::Duration.required(),
        Gives::Type => Kind::Type.required(),
        Gives::Dynamic => Kind::Dynamic.required(),
        Gives::Same => first?.clone(),
        Gives::Common => {
            let common = common(typed.iter().map(|argument| &argument.ty));
            let mixed = common.kind == Kind::Dynamic
                && typed.iter().all(|argument| argument.ty.kind != Kind::Dynamic);
            if mixed {
                return None;
            }
            common
        }
        Gives::Element => items().or_absent(true),
        Gives::Sum => StaticType { optional: false, ..items() },
        Gives::Indexed => Kind::Map(Box::new(Kind::Text.required()), Box::new(items())).required(),
    })
}

/// `round(x, 2)` has two digits; `round(x)` of an integer stays one.
fn rounded(typed: &[Typed]) -> StaticType {
    match (typed.first().map(|argument| &argument.ty.kind), typed.get(1).map(Typed::constant)) {
        (Some(Kind::Integer), None) => Kind::Integer.required(),
        (_, None) => Kind::Decimal(Some(0)).required(),
        (_, Some(Some(Value::Integer(digits)))) => Kind::Decimal(u8::try_from(*digits).ok()).required(),
        _ => Kind::Decimal(None).required(),
    }
}
