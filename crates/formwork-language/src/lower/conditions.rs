//! Expressions, conditions and assignments, as steps ask for them. Parsing and typing are `expression`'s,
//! conditions over fields `sql`'s; here code spans meet the names that are in scope.

use crate::expression::{
    self, Assignment, Ast, AstKind, Bare, BinaryOperator, Equals, Expression, Kind, StaticType,
    SyntaxProblem, Typed,
};
use crate::lower::follows::follows;
use crate::lower::{Lowering, add_once};
use crate::notes::{Note, NoteKind};
use crate::program::{Comparison, Condition, EntityId, FieldId, Operand, Schema};
use crate::sql;
use crate::steps::clause::Joined;
use crate::steps::pinned_fields;
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

impl Lowering<'_> {
    /// Parses a code span.
    pub(crate) fn parse(&mut self, code: &Code, equals: Equals) -> Option<Ast> {
        let text = code.text(self.source());
        match expression::parse(&text, equals, &|offset| code.source_offset(offset)) {
            Ok(ast) => {
                self.uses_inputs(&ast);
                Some(ast)
            }
            Err(problem) => {
                self.syntax(problem);
                None
            }
        }
    }

    fn syntax(&mut self, SyntaxProblem { problem, span, fix }: SyntaxProblem) {
        self.notes.push(Note { kind: NoteKind::ExpressionSyntax { problem }, span, related: None, fix });
    }

    /// Notes down the input fields that an expression names, and binds the rows at start that it names.
    pub(super) fn uses_inputs(&mut self, ast: &Ast) {
        let mut rest = vec![ast];
        while let Some(ast) = rest.pop() {
            if let Some(name) = ast.name() {
                self.bind_start_row(name);
            }
            if let AstKind::Member { of, name, .. } = &ast.kind
                && of.name().is_some_and(|object| **object == *"input")
            {
                add_once(&mut self.touches.inputs, name);
            }
            rest.extend(ast.parts());
        }
    }

    /// The value of a code span.
    pub(crate) fn value(&mut self, code: &Code) -> Option<Typed> {
        let ast = self.parse(code, Equals::Refused)?;
        expression::compile(&ast, &self.names, &mut self.notes)
    }

    /// The value of a code span, brought to a type.
    pub(crate) fn value_of(&mut self, code: &Code, ty: &Type, context: &str) -> Option<Expression> {
        let value = self.value(code)?;
        self.coerced(value, ty, false, context, code.span())
    }

    pub(super) fn coerced(
        &mut self,
        value: Typed,
        ty: &Type,
        optional: bool,
        context: &str,
        span: Span,
    ) -> Option<Expression> {
        match expression::coerce(value, ty, optional, self.world.schema, context) {
            Ok(expression) => Some(expression),
            Err(kind) => {
                self.note(kind, span);
                None
            }
        }
    }

    /// A number or duration that a histogram takes.
    pub(crate) fn observed(&mut self, code: &Code) -> Option<Expression> {
        let value = self.value(code)?;
        let fits = value.ty.kind.is_number() || matches!(value.ty.kind, Kind::Duration | Kind::Dynamic);
        if !fits {
            let (expected, found) = ("number".to_owned(), value.ty.to_string());
            self.note(
                NoteKind::TypeMismatch { expected, found, context: "`Observes`".to_owned() },
                code.span(),
            );
        }
        fits.then_some(value.expression)
    }

    /// A condition that is decided without a statement.
    pub(crate) fn condition(&mut self, joined: &Joined) -> Option<Expression> {
        let operator = if joined.any { BinaryOperator::Or } else { BinaryOperator::And };
        let parts: Vec<Option<Expression>> =
            joined.codes.iter().map(|code| self.one_condition(code)).collect();
        let parts: Vec<Expression> = parts.into_iter().collect::<Option<_>>()?;
        let span = joined.codes.iter().map(Code::span).reduce(Span::to).unwrap_or_default();
        parts.into_iter().reduce(|left, right| Expression::Binary {
            operator,
            left: Box::new(left),
            right: Box::new(right),
            span,
        })
    }

    fn one_condition(&mut self, code: &Code) -> Option<Expression> {
        let ast = self.parse(code, Equals::Compares)?;
        let value = expression::compile(&ast, &self.names, &mut self.notes);
        self.conditions.insert(code.span(), ast);
        self.coerced(value?, &Type::Boolean, true, "the condition", code.span())
    }

    /// Notes down which names are not absent where a condition holds (or does not).
    pub(crate) fn narrow(&mut self, joined: &Joined, holds: bool) {
        // Of several conditions, *and* tells something when it holds, *or* when it does not.
        if joined.codes.len() > 1 && joined.any == holds {
            return;
        }
        for code in &joined.codes {
            // Most conditions have just been lowered.
            if let Some(ast) = self.conditions.get(&code.span()) {
                self.names.present.extend(expression::proves(ast, holds));
                continue;
            }
            let text = code.text(self.source());
            if let Ok(ast) = expression::parse(&text, Equals::Compares, &|offset| code.source_offset(offset))
            {
                self.names.present.extend(expression::proves(&ast, holds));
            }
        }
    }

    /// A variable is present from here on.
    pub(crate) fn is_present(&mut self, name: &str) {
        self.names.present.push(vec![name.into()]);
    }

    /// What was known of a variable's members is not known of its next value.
    pub(crate) fn forget_members(&mut self, name: &str) {
        for path in &mut self.names.present {
            if path.len() > 1 && path.first().is_some_and(|first| **first == *name) {
                path.clear();
            }
        }
    }

    /// A condition over the rows of a table, and its parameters.
    pub(crate) fn filter(
        &mut self,
        entity: EntityId,
        joined: Option<&Joined>,
    ) -> Option<(Option<Condition>, Vec<Expression>)> {
        let mut parameters = Vec::new();
        let condition = self.filter_from(entity, joined, &mut parameters)?;
        Some((condition, parameters))
    }

    /// A condition that says which rows there are, whoever asks: of counts, sums and *exists*, and of the row that is
    /// found by it.
    pub(crate) fn plain_filter(
        &mut self,
        entity: EntityId,
        joined: Option<&Joined>,
    ) -> Option<(Option<Condition>, Vec<Expression>)> {
        let mut parameters = Vec::new();
        let condition = self.own_filter(entity, joined, &mut parameters)?;
        Some((condition, parameters))
    }

    /// The same as a filter behind parameters that are there already.
    pub(crate) fn filter_from(
        &mut self,
        entity: EntityId,
        joined: Option<&Joined>,
        parameters: &mut Vec<Expression>,
    ) -> Option<Option<Condition>> {
        let own = self.own_filter(entity, joined, parameters)?;
        self.granted_rows(entity, own, parameters)
    }

    fn own_filter(
        &mut self,
        entity: EntityId,
        joined: Option<&Joined>,
        parameters: &mut Vec<Expression>,
    ) -> Option<Option<Condition>> {
        let Some(joined) = joined else { return Some(None) };
        let before = std::mem::replace(&mut self.names.bare, Bare::Searched(entity));
        let parts: Vec<Option<Condition>> = joined
            .codes
            .iter()
            .map(|code| {
                let ast = self.parse(code, Equals::Compares)?;
                let first = u16::try_from(parameters.len()).ok()?;
                let lowered = sql::condition(&ast, &self.names, first, &mut self.notes)?;
                parameters.extend(lowered.parameters);
                Some(lowered.item)
            })
            .collect();
        self.names.bare = before;
        let mut parts: Vec<Condition> = parts.into_iter().collect::<Option<_>>()?;
        Some(match (parts.len(), joined.any) {
            (1, _) => parts.pop(),
            (_, true) => Some(Condition::Any(parts)),
            (_, false) => Some(Condition::All(parts)),
        })
    }

    /// Parses `name = EXPR`.
    fn parse_assignment(&mut self, code: &Code) -> Option<Assignment> {
        let text = code.text(self.source());
        match expression::assignment(&text, &|offset| code.source_offset(offset)) {
            Some(read) => self.read_assignment(read),
            None => {
                let expected = match member_set(&text) {
                    Some(whole) => format!("the whole field before `=`: set all of `{whole}`"),
                    None => "an assignment, such as `name = value`".to_owned(),
                };
                self.expected(&expected, code.span());
                None
            }
        }
    }

    /// An assignment that was read, or a note of why it was not.
    pub(super) fn read_assignment(&mut self, read: Result<Assignment, SyntaxProblem>) -> Option<Assignment> {
        match read {
            Ok(assignment) => {
                self.uses_inputs(&assignment.value);
                Some(assignment)
            }
            Err(problem) => {
                self.syntax(problem);
                None
            }
        }
    }

    /// That something else was expected in an expression.
    pub(super) fn expected(&mut self, expected: &str, span: Span) {
        self.syntax(SyntaxProblem { problem: format!("expected {expected}"), span, fix: None });
    }

    /// Notes down that an input field is read.
    pub(super) fn uses_input(&mut self, name: &str) {
        add_once(&mut self.touches.inputs, name);
    }

    /// What a code span sets: `f = EXPR`, or several fields as `{"f": EXPR, "g": EXPR}`. Nothing for a part that is
    /// wrong, which has been noted.
    fn parse_assignments(&mut self, code: &Code) -> Vec<Option<Assignment>> {
        if !code.text(self.source()).trim_start().starts_with('{') {
            return vec![self.parse_assignment(code)];
        }
        let Some(ast) = self.parse(code, Equals::Refused) else { return vec![None] };
        let AstKind::Map(entries) = ast.kind else {
            self.expected("one object, `{\"field\": value}`, and nothing else", code.span());
            return vec![None];
        };
        let assigned = entries.into_iter().map(|(key, value)| match key.kind {
            AstKind::Literal(Value::Text(name)) => Some(Assignment { name, name_span: key.span, value }),
            _ => {
                self.expected("the name of a field in quotes", key.span);
                None
            }
        });
        assigned.collect()
    }

    /// The fields of an entity that code spans set, each with where its name stands; nothing for one that is wrong. All
    /// are looked at, so that each mistake is told.
    pub(crate) fn assignments(
        &mut self,
        codes: &[Code],
        entity: EntityId,
        bare: Bare,
    ) -> Vec<Option<(FieldId, Expression, Span)>> {
        let mut found = Vec::new();
        for code in codes {
            for assignment in self.parse_assignments(code) {
                found.push(assignment.and_then(|assignment| self.assigned(&assignment, entity, bare)));
            }
        }
        found
    }

    fn assigned(
        &mut self,
        assignment: &Assignment,
        entity: EntityId,
        bare: Bare,
    ) -> Option<(FieldId, Expression, Span)> {
        let field = self.field_named(entity, &assignment.name, assignment.name_span);
        let before = std::mem::replace(&mut self.names.bare, bare);
        let value = expression::compile(&assignment.value, &self.names, &mut self.notes);
        let schema = self.world.table(entity);
        let target = field.map(|field| &schema.fields[usize::from(field)]);
        let value =
            value.zip(target).map(|(value, target)| self.member_wise(&assignment.value, value, target));
        self.names.bare = before;
        let (field, value, target) = (field?, value?, target?);
        let context = format!("field `{}`", target.name);
        let (ty, optional, span) = (target.ty.clone(), target.optional, assignment.value.span);
        Some((field, self.coerced(value, &ty, optional, &context, span)?, assignment.name_span))
    }

    /// The same for the rows that a statement changes; each value may name the fields of its row.
    pub(crate) fn operands(
        &mut self,
        codes: &[Code],
        entity: EntityId,
        parameters: &mut Vec<Expression>,
    ) -> Option<Vec<(FieldId, Operand, Span)>> {
        let mut found = Vec::new();
        for code in codes {
            for assignment in self.parse_assignments(code) {
                let Assignment { name, name_span, value } = assignment?;
                let field = self.field_named(entity, &name, name_span)?;
                let first = u16::try_from(parameters.len()).ok()?;
                let before = std::mem::replace(&mut self.names.bare, Bare::Searched(entity));
                let lowered = sql::operand(&value, field, &self.names, first, &mut self.notes);
                self.names.bare = before;
                let lowered = lowered?;
                parameters.extend(lowered.parameters);
                found.push((field, lowered.item, name_span));
            }
        }
        Some(found)
    }

    /// Members of an event or problem: `f = EXPR`, or a map literal.
    pub(crate) fn members(&mut self, codes: &[Code]) -> Vec<(Arc<str>, Expression)> {
        let mut members = Vec::new();
        for code in codes {
            for assignment in self.parse_assignments(code).into_iter().flatten() {
                let value = expression::compile(&assignment.value, &self.names, &mut self.notes);
                members.extend(value.map(|value| (assignment.name, value.expression)));
            }
        }
        members
    }

    /// A member with its type and where its value stands.
    pub(crate) fn typed_member(&mut self, code: &Code) -> Option<(Arc<str>, Typed, Span)> {
        let assignment = self.parse_assignment(code)?;
        let value = expression::compile(&assignment.value, &self.names, &mut self.notes)?;
        Some((assignment.name, value, assignment.value.span))
    }

    /// The entity that a code span names.
    pub(crate) fn entity(&mut self, code: &Code) -> Option<EntityId> {
        let name = code.text(self.source()).trim().to_owned();
        let found = self.world.find_entity(&name);
        if found.is_none() {
            self.note(self.world.unknown_entity(&name), code.span());
        }
        found
    }

    /// An entity's name as declared.
    pub(crate) fn entity_name(&self, entity: EntityId) -> String {
        self.world.table(entity).name.to_string()
    }

    /// The field of an entity that a code span names.
    pub(crate) fn field(&mut self, entity: EntityId, code: &Code) -> Option<FieldId> {
        let name = code.text(self.source()).trim().to_owned();
        self.field_named(entity, &name, code.span())
    }

    fn field_named(&mut self, entity: EntityId, name: &str, span: Span) -> Option<FieldId> {
        let schema = self.world.table(entity);
        let found = schema.fields.iter().position(|field| *field.name == *name);
        if found.is_none() {
            let near = nearest(name, schema.fields.iter().map(|field| &*field.name)).map(str::to_owned);
            let of = schema.name.to_string();
            self.note(NoteKind::UnknownField { of, field: name.to_owned(), nearest: near }, span);
        }
        FieldId::try_from(found?).ok()
    }

    /// `E.f`
    pub(crate) fn entity_field(&mut self, code: &Code) -> Option<(EntityId, FieldId)> {
        let text = code.text(self.source()).trim().to_owned();
        let Some((entity, field)) = text.split_once('.') else {
            let problem = "expected an entity and its field, such as `order.total`".to_owned();
            self.syntax(SyntaxProblem { problem, span: code.span(), fix: None });
            return None;
        };
        let Some(found) = self.world.find_entity(entity.trim()) else {
            self.note(self.world.unknown_entity(entity.trim()), code.span());
            return None;
        };
        Some((found, self.field_named(found, field.trim(), code.span())?))
    }

    /// The declared type of a field.
    pub(crate) fn field_type(&self, entity: EntityId, field: FieldId) -> Type {
        self.world.table(entity).fields[usize::from(field)].ty.clone()
    }

    /// The kind of a declared type.
    pub(crate) fn kind(&self, ty: &Type) -> Kind {
        Kind::of(ty, self.world.schema)
    }

    /// The tables.
    pub(crate) fn schema(&self) -> &Schema {
        self.world.schema
    }

    /// The type in whose storage form a value of a kind is passed to a statement.
    pub(crate) fn storage_type(&self, kind: &Kind) -> Option<Type> {
        if let Kind::Row(entity, _) = kind {
            let table = self.world.table(*entity);
            let [key] = table.primary_key[..] else { return None };
            return Some(table.fields[usize::from(key)].ty.clone());
        }
        sql::declared(kind)
    }

    /// The variable of a name, else the input of that name.
    pub(crate) fn named_value(&mut self, name: &str) -> Option<(Expression, StaticType)> {
        if let Some(bound) = self.names.variable(name) {
            return Some((Expression::Slot(bound.slot), bound.ty.clone()));
        }
        let inputs = self.names.input.as_deref().unwrap_or_default();
        let bound = inputs.iter().find(|bound| *bound.name == *name)?;
        let found = (Expression::Slot(bound.slot), bound.ty.clone());
        self.uses_input(name);
        Some(found)
    }

    /// The variable or input whose name is nearest.
    pub(crate) fn nearest_value(&self, name: &str) -> Option<String> {
        let inputs = self.names.input.as_deref().unwrap_or_default();
        let all = self.names.variables.iter().chain(inputs).map(|bound| &*bound.name);
        nearest(name, all).map(str::to_owned)
    }

    /// The fields of the primary key.
    pub(crate) fn primary_key(&self, entity: EntityId) -> Vec<FieldId> {
        self.world.table(entity).primary_key.clone()
    }

    /// The field that is set to now on create.
    pub(crate) fn created_at(&self, entity: EntityId) -> Option<FieldId> {
        let at = self.world.table(entity).fields.iter().position(|field| field.on_create)?;
        FieldId::try_from(at).ok()
    }

    /// Whether these fields hold a key without a condition.
    pub(crate) fn is_key(&self, entity: EntityId, fields: &[FieldId]) -> bool {
        let schema = self.world.table(entity);
        let within = |key: &[FieldId]| key.iter().all(|field| fields.contains(field));
        let unique = schema.unique.iter().filter(|key| key.filter.is_none()).any(|key| within(&key.fields));
        within(&schema.primary_key) || unique
    }

    /// Whether a condition fixes a key; a conditional one only if its condition is part of this one or follows from
    /// the constants that this one fixes.
    pub(crate) fn pins_key(&self, entity: EntityId, condition: Option<&Condition>) -> bool {
        let Some(condition) = condition else { return false };
        let fields = pinned_fields(condition);
        if self.is_key(entity, &fields) {
            return true;
        }
        let parts: Vec<String> = conjuncts(condition).into_iter().map(|part| format!("{part:?}")).collect();
        let constants = constants(condition);
        self.world.table(entity).unique.iter().any(|key| {
            let given = |part: &Condition| parts.contains(&format!("{part:?}")) || follows(part, &constants);
            key.fields.iter().all(|field| fields.contains(field))
                && key.filter.as_ref().is_some_and(|filter| conjuncts(filter).into_iter().all(given))
        })
    }

    /// The condition that fields equal the first parameters.
    pub(crate) fn equal_all(&self, fields: &[FieldId]) -> Condition {
        let equal = |(number, field): (usize, &FieldId)| {
            let parameter = Operand::Parameter(number as u16);
            Condition::Compare(Comparison::Equal, Operand::Field(*field), parameter)
        };
        let mut all: Vec<Condition> = fields.iter().enumerate().map(equal).collect();
        match all.len() {
            1 => all.remove(0),
            _ => Condition::All(all),
        }
    }
}

/// The fields that a condition fixes to constants.
fn constants(condition: &Condition) -> Vec<(FieldId, &Value)> {
    fn one(part: &Condition) -> Option<(FieldId, &Value)> {
        match part {
            Condition::Compare(Comparison::Equal, Operand::Field(field), Operand::Constant(value))
            | Condition::Compare(Comparison::Equal, Operand::Constant(value), Operand::Field(field)) => {
                Some((*field, value))
            }
            _ => None,
        }
    }
    conjuncts(condition).into_iter().filter_map(one).collect()
}

fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::All(all) => all.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// The field of which an author wants to set a member: `lines` of `lines.sku = "x"`.
fn member_set(text: &str) -> Option<&str> {
    let (left, right) = text.split_once('=')?;
    let (field, member) = left.trim().split_once('.')?;
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.".contains(letter))
    };
    (!right.starts_with('=') && is_name(field) && is_name(member)).then_some(field)
}
