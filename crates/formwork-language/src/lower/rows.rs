//! Expressions, conditions, assignments and rows, as steps ask for them. Parsing and typing are `expression`'s,
//! conditions over fields `sql`'s; here code spans meet the names that are in scope.

use crate::expression::{
    self, Assignment, Ast, AstKind, Bare, BinaryOperator, Bound, Equals, Expression, Kind, StaticType,
    SyntaxProblem, Typed,
};
use crate::lower::{Answer, AnswerKind, Lowering, add_once};
use crate::notes::{Note, NoteKind};
use crate::program::{
    Answered, Comparison, Condition, EntityId, EventShape, Failure, FieldId, FieldSchema, Instruction,
    MetricShape, Operand, Slot, Statement,
};
use crate::sql;
use crate::steps::clause::Joined;
use crate::steps::pinned_fields;
use formwork_model::facts::{OnDelete, Outcome};
use formwork_model::names::nearest;
use formwork_model::sections::observability::MetricKind;
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

    /// Notes down the input fields that an expression names.
    fn uses_inputs(&mut self, ast: &Ast) {
        let mut rest = vec![ast];
        while let Some(ast) = rest.pop() {
            if let AstKind::Member { of, name, .. } = &ast.kind
                && of.name().is_some_and(|object| **object == *"input")
            {
                add_once(&mut self.touches.inputs, name);
            }
            match &ast.kind {
                AstKind::Literal(_) | AstKind::Name(_) => {}
                AstKind::Member { of, .. } => rest.push(of),
                AstKind::Index { of, index } => rest.extend([&**of, &**index]),
                AstKind::List(items) => rest.extend(items),
                AstKind::Map(entries) => rest.extend(entries.iter().flat_map(|(key, value)| [key, value])),
                AstKind::Unary(_, inner) => rest.push(inner),
                AstKind::Binary { left, right, .. } => rest.extend([&**left, &**right]),
                AstKind::Choose(condition, yes, no) => rest.extend([&**condition, &**yes, &**no]),
                AstKind::Call { receiver, arguments, .. } => {
                    rest.extend(receiver.as_deref());
                    rest.extend(arguments);
                }
            }
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

    fn coerced(
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
        let value = expression::compile(&ast, &self.names, &mut self.notes)?;
        self.coerced(value, &Type::Boolean, true, "the condition", code.span())
    }

    /// Notes down which names are not absent where a condition holds (or does not).
    pub(crate) fn narrow(&mut self, joined: &Joined, holds: bool) {
        // Of several conditions, *and* tells something when it holds, *or* when it does not.
        if joined.codes.len() > 1 && joined.any == holds {
            return;
        }
        for code in &joined.codes {
            let text = code.text(self.source());
            if let Ok(ast) = expression::parse(&text, Equals::Compares, &|offset| code.source_offset(offset))
            {
                self.names.present.extend(expression::proves(&ast, holds));
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

    /// The same behind parameters that are there already.
    pub(crate) fn filter_from(
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
            Some(Ok(assignment)) => {
                self.uses_inputs(&assignment.value);
                Some(assignment)
            }
            Some(Err(problem)) => {
                self.syntax(problem);
                None
            }
            None => {
                let problem = "expected an assignment, such as `name = value`".to_owned();
                self.syntax(SyntaxProblem { problem, span: code.span(), fix: None });
                None
            }
        }
    }

    /// An assignment to a field of an entity.
    pub(crate) fn assignment(
        &mut self,
        code: &Code,
        entity: EntityId,
        bare: Bare,
    ) -> Option<(FieldId, Expression)> {
        let assignment = self.parse_assignment(code)?;
        let field = self.field_named(entity, &assignment.name, assignment.name_span);
        let before = std::mem::replace(&mut self.names.bare, bare);
        let value = expression::compile(&assignment.value, &self.names, &mut self.notes);
        self.names.bare = before;
        let (field, value) = (field?, value?);
        let schema = self.world.table(entity);
        let target = &schema.fields[usize::from(field)];
        let context = format!("field `{}`", target.name);
        let (ty, optional, span) = (target.ty.clone(), target.optional, assignment.value.span);
        Some((field, self.coerced(value, &ty, optional, &context, span)?))
    }

    /// An assignment to a field of the rows that a statement changes.
    pub(crate) fn operand(
        &mut self,
        code: &Code,
        entity: EntityId,
        parameters: &mut Vec<Expression>,
    ) -> Option<(FieldId, Operand)> {
        let assignment = self.parse_assignment(code)?;
        let field = self.field_named(entity, &assignment.name, assignment.name_span)?;
        let first = u16::try_from(parameters.len()).ok()?;
        let before = std::mem::replace(&mut self.names.bare, Bare::Searched(entity));
        let lowered = sql::operand(&assignment.value, field, &self.names, first, &mut self.notes);
        self.names.bare = before;
        let lowered = lowered?;
        parameters.extend(lowered.parameters);
        Some((field, lowered.item))
    }

    /// A member of an event or problem.
    pub(crate) fn member(&mut self, code: &Code) -> Option<(Arc<str>, Expression)> {
        let assignment = self.parse_assignment(code)?;
        let value = expression::compile(&assignment.value, &self.names, &mut self.notes)?;
        Some((assignment.name, value.expression))
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

    /// Whether a condition fixes a key; a conditional one only if its condition is part of this one.
    pub(crate) fn pins_key(&self, entity: EntityId, condition: Option<&Condition>) -> bool {
        let Some(condition) = condition else { return false };
        let fields = pinned_fields(condition);
        if self.is_key(entity, &fields) {
            return true;
        }
        let parts: Vec<String> = conjuncts(condition).into_iter().map(|part| format!("{part:?}")).collect();
        self.world.table(entity).unique.iter().any(|key| {
            let follows = |part: &Condition| parts.contains(&format!("{part:?}"));
            key.fields.iter().all(|field| fields.contains(field))
                && key.filter.as_ref().is_some_and(|filter| conjuncts(filter).into_iter().all(follows))
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

    /// Binds a row: under the name that a step gives it, else under its entity's name.
    pub(crate) fn bind_row(
        &mut self,
        name: Option<&Code>,
        span: Span,
        entity: EntityId,
        ty: StaticType,
    ) -> Option<Slot> {
        let slot = self.hidden_slot();
        self.bind_upserted(name, span, entity, slot, ty).then(|| {
            self.candidates.push(Answer { kind: AnswerKind::Row, entity, slot });
            slot
        })
    }

    /// The same for a row whose slot is known.
    pub(crate) fn bind_upserted(
        &mut self,
        name: Option<&Code>,
        span: Span,
        entity: EntityId,
        slot: Slot,
        ty: StaticType,
    ) -> bool {
        match name {
            Some(name) => self.bind_slot(name, slot, ty),
            None => {
                let name = self.world.table(entity).name.clone();
                self.bind_name(&name, span, slot, ty)
            }
        }
    }

    /// Binds a row that was created without `as`. When a second one comes, the name stands for neither.
    pub(crate) fn bind_created(&mut self, span: Span, entity: EntityId, ty: StaticType) -> Option<Slot> {
        let name = self.world.table(entity).name.clone();
        let taken = self.names.variables.iter().position(|bound| bound.name == name);
        if let Some(at) = taken
            && self.implicit.contains(&self.names.variables[at].slot)
        {
            self.names.variables.remove(at);
            let slot = self.hidden_slot();
            self.implicit.push(slot);
            return Some(slot);
        }
        let slot = self.bind_row(None, span, entity, ty)?;
        self.implicit.push(slot);
        Some(slot)
    }

    /// The row that a code span names.
    pub(crate) fn row_variable(&mut self, code: &Code) -> Option<(Slot, EntityId)> {
        let name = code.text(self.source()).trim().to_owned();
        let found = self.row_named(&name);
        if found.is_none() {
            let kind = match self.names.variable(&name) {
                Some(bound) => NoteKind::TypeMismatch {
                    expected: "row".to_owned(),
                    found: bound.ty.to_string(),
                    context: format!("variable `{name}`"),
                },
                None => {
                    let names = self.names.variables.iter().map(|bound| &*bound.name);
                    let nearest = nearest(&name, names).map(str::to_owned);
                    NoteKind::UnknownName { what: "variable", name, nearest }
                }
            };
            self.note(kind, code.span());
        }
        found
    }

    /// The row variable of this name.
    pub(crate) fn row_named(&self, name: &str) -> Option<(Slot, EntityId)> {
        let bound: &Bound = self.names.variable(name)?;
        match bound.ty.kind {
            Kind::Row(entity, _) => Some((bound.slot, entity)),
            _ => None,
        }
    }

    /// The row written last.
    pub(crate) fn last_written(&self) -> Option<(Slot, EntityId)> {
        self.last_written
    }

    /// The field of a row by name.
    pub(crate) fn row_field(&self, slot: Slot, entity: EntityId, name: &str) -> Option<Expression> {
        let field = self.world.table(entity).fields.iter().position(|field| *field.name == *name)?;
        Some(Expression::Field {
            row: Box::new(Expression::Slot(slot)),
            field: FieldId::try_from(field).ok()?,
        })
    }

    /// The fields that the input and an entity share. For an update without those that never change, and without
    /// those of the path, which say which row it is.
    pub(crate) fn from_input(&mut self, entity: EntityId, create: bool) -> Vec<(FieldId, Expression)> {
        let Some(inputs) = self.names.input.clone() else { return Vec::new() };
        let schema = self.world.table(entity);
        let mut values = Vec::new();
        for input in inputs {
            let Some(at) = schema.fields.iter().position(|field| *field.name == *input.name) else {
                continue;
            };
            let (Ok(id), field) = (FieldId::try_from(at), &schema.fields[at]) else { continue };
            let fixed = field.immutable || field.generated || schema.primary_key.contains(&id);
            if !create && (fixed || self.setting_path(&input.name)) {
                continue;
            }
            add_once(&mut self.touches.inputs, &input.name);
            let fills = field.default.is_some() || field.generated || field.on_create || field.on_update;
            let optional = !create || field.optional || fills;
            let typed =
                Typed { expression: Expression::Slot(input.slot), ty: input.ty.clone(), uses_fields: false };
            let context = format!("field `{}`", field.name);
            let ty = field.ty.clone();
            let span = self.step_span();
            if let Some(value) = self.coerced(typed, &ty, optional, &context, span) {
                values.push((id, value));
            }
        }
        values
    }

    /// Whether every required field of a new row is set; notes those that are not.
    pub(crate) fn complete(
        &mut self,
        entity: EntityId,
        values: &[(FieldId, Expression)],
        span: Span,
    ) -> bool {
        let schema = self.world.table(entity);
        let fills = |field: &FieldSchema| {
            field.optional || field.default.is_some() || field.generated || field.on_create || field.on_update
        };
        let missing: Vec<String> = schema
            .fields
            .iter()
            .enumerate()
            .filter(|(at, field)| !fills(field) && values.iter().all(|(set, _)| usize::from(*set) != *at))
            .map(|(_, field)| field.name.to_string())
            .collect();
        for field in &missing {
            let kind = NoteKind::FieldNotSet { entity: schema.name.to_string(), field: field.clone() };
            self.note(kind, span);
        }
        missing.is_empty()
    }

    /// Whether an update may set a field; notes why not.
    pub(crate) fn may_update(&mut self, entity: EntityId, field: FieldId, span: Span) -> bool {
        let schema = self.world.table(entity);
        let target = &schema.fields[usize::from(field)];
        let reason = if target.generated {
            "generated"
        } else if target.immutable || schema.primary_key.contains(&field) {
            "immutable"
        } else {
            return true;
        };
        let (entity, field) = (schema.name.to_string(), target.name.to_string());
        self.note(NoteKind::FieldNotWritable { entity, field, reason }, span);
        false
    }

    /// Appends an update of a row by its key.
    pub(crate) fn update(
        &mut self,
        entity: EntityId,
        slot: Slot,
        assignments: Vec<(FieldId, Expression)>,
        on_conflict: Option<Failure>,
    ) {
        let schema = self.world.table(entity);
        let on_update = schema.fields.iter().enumerate().filter(|(_, field)| field.on_update);
        let touched = on_update.filter_map(|(at, _)| FieldId::try_from(at).ok());
        let mut fields: Vec<FieldId> = assignments.iter().map(|(field, _)| *field).chain(touched).collect();
        fields.sort_unstable();
        fields.dedup();
        if assignments.is_empty() {
            let subject = schema.name.to_string();
            return self.note_here(NoteKind::Other { entry: "nothing_to_update", subject });
        }
        if on_conflict.is_none() {
            self.may_conflict_on(entity, &fields);
        }
        let statement = self.statement(Statement::UpdateByKey { entity, fields });
        self.push(Instruction::Update { slot, entity, statement, assignments, on_conflict });
    }

    /// Adds the fields that every update sets to now.
    pub(crate) fn touch_on_update(
        &mut self,
        entity: EntityId,
        assignments: &mut Vec<(FieldId, Operand)>,
        parameters: &mut Vec<Expression>,
    ) {
        for (at, field) in self.world.table(entity).fields.iter().enumerate() {
            let Ok(id) = FieldId::try_from(at) else { continue };
            if field.on_update
                && assignments.iter().all(|(set, _)| *set != id)
                && let Some(now) = self.now()
            {
                assignments.push((id, Operand::Parameter(parameters.len() as u16)));
                parameters.push(now);
            }
        }
    }

    fn now(&mut self) -> Option<Expression> {
        let ast = expression::parse("now()", Equals::Refused, &|_| 0).ok()?;
        expression::compile(&ast, &self.names, &mut self.notes).map(|typed| typed.expression)
    }

    /// A write to an entity with unique keys or references can be answered with a conflict.
    pub(crate) fn may_conflict(&mut self, entity: EntityId) {
        let schema = self.world.table(entity);
        let all: Vec<FieldId> =
            (0..schema.fields.len()).filter_map(|at| FieldId::try_from(at).ok()).collect();
        self.may_conflict_on(entity, &all);
    }

    fn may_conflict_on(&mut self, entity: EntityId, fields: &[FieldId]) {
        let schema = self.world.table(entity);
        let touches = |key: &[FieldId]| key.iter().any(|field| fields.contains(field));
        let unique: Vec<Outcome> = schema
            .unique
            .iter()
            .filter(|key| touches(&key.fields))
            .map(|key| key.otherwise.clone().unwrap_or_else(conflict))
            .collect();
        let made = |field: &FieldId| schema.fields[usize::from(*field)].generated;
        let by_hand = touches(&schema.primary_key) && !schema.primary_key.iter().any(made);
        let refers = fields.iter().any(|field| schema.fields[usize::from(*field)].references.is_some());
        for outcome in unique {
            self.raises(outcome);
        }
        if by_hand || refers {
            self.raises(conflict());
        }
    }

    /// A delete can be refused because other rows refer to the row.
    pub(crate) fn may_restrict(&mut self, entity: EntityId) {
        let fields = self.world.schema.entities.iter().flat_map(|schema| &schema.fields);
        let refuses = |field: &FieldSchema| {
            field.references.is_some_and(|to| to.entity == entity && to.on_delete == OnDelete::Restrict)
        };
        if fields.into_iter().any(refuses) {
            self.raises(conflict());
        }
    }

    /// The chains of cascading references that lead to an entity, the farthest first.
    pub(crate) fn cascades(&self, entity: EntityId) -> Vec<Vec<(EntityId, FieldId)>> {
        let mut chains = Vec::new();
        self.collect_cascades(entity, &mut vec![entity], &mut Vec::new(), &mut chains);
        chains
    }

    fn collect_cascades(
        &self,
        entity: EntityId,
        seen: &mut Vec<EntityId>,
        chain: &mut Vec<(EntityId, FieldId)>,
        chains: &mut Vec<Vec<(EntityId, FieldId)>>,
    ) {
        for (child, schema) in self.world.schema.entities.iter().enumerate() {
            for (field, declared) in schema.fields.iter().enumerate() {
                let cascades =
                    |to: &crate::program::Reference| to.entity == entity && to.on_delete == OnDelete::Cascade;
                let (Ok(child), Ok(field)) = (EntityId::try_from(child), FieldId::try_from(field)) else {
                    continue;
                };
                // A cycle of cascades ends here: the store's own cascade takes the rest.
                if !declared.references.as_ref().is_some_and(cascades) || seen.contains(&child) {
                    continue;
                }
                seen.push(child);
                chain.push((child, field));
                self.collect_cascades(child, seen, chain, chains);
                chains.push(chain.clone());
                chain.pop();
                seen.pop();
            }
        }
    }

    /// Notes down the entities whose rows go with those of another.
    pub(crate) fn delete_cascades(&mut self, entity: EntityId) {
        for chain in self.cascades(entity) {
            if let Some((child, _)) = chain.last() {
                self.writes(*child);
            }
        }
    }

    /// The event that a code span names, and the members of its data.
    pub(crate) fn event(&mut self, code: &Code, given: &[(Arc<str>, Expression)]) -> (u16, Vec<Arc<str>>) {
        let name = code.text(self.source()).trim().to_owned();
        let members: Vec<Arc<str>> = given.iter().map(|(name, _)| name.clone()).collect();
        if let Some(at) = self.shared.events.iter().position(|event| *event.name == *name) {
            let event = &mut self.shared.events[at];
            if event.data.is_empty() {
                event.data = members;
            }
            return (at as u16, event.data.clone());
        }
        let declared = self.shared.events[..self.shared.declared_events].iter().map(|event| &*event.name);
        let near = nearest(&name, declared).map(str::to_owned);
        self.note(NoteKind::EventNotDeclared { event: name.clone(), nearest: near }, code.span());
        self.shared.events.push(EventShape { name: name.into(), data: members.clone() });
        ((self.shared.events.len() - 1) as u16, members)
    }

    /// The metric that a code span names.
    pub(crate) fn metric(&mut self, code: &Code, histogram: bool) -> Option<u16> {
        let name = code.text(self.source()).trim().to_owned();
        let declared = &self.world.model.metrics;
        let Some(metric) = declared.iter().find(|metric| metric.name.value == name) else {
            let near = nearest(&name, declared.iter().map(|metric| &*metric.name.value)).map(str::to_owned);
            self.note(NoteKind::UnknownName { what: "metric", name, nearest: near }, code.span());
            return None;
        };
        let fits = match metric.kind {
            None => true,
            Some(MetricKind::Counter) => !histogram,
            Some(MetricKind::Histogram) => histogram,
            Some(MetricKind::Gauge) => false,
        };
        if !fits {
            self.note(NoteKind::Other { entry: "metric_kind", subject: name }, code.span());
            return None;
        }
        add_once(&mut self.touches.metrics, &name);
        if let Some(at) = self.shared.metrics.iter().position(|shape| *shape.name == *name) {
            return Some(at as u16);
        }
        let help = metric.description.as_ref().map_or("", |prose| &prose.value).into();
        self.shared.metrics.push(MetricShape { name: name.into(), histogram, help });
        Some((self.shared.metrics.len() - 1) as u16)
    }

    /// The body of an answer.
    pub(crate) fn answered(&mut self, code: &Code) -> Option<Answered> {
        let name = code.text(self.source()).trim().to_owned();
        let slot = self.names.variable(&name).map(|bound| bound.slot);
        let answer = self.candidates.iter().find(|answer| Some(answer.slot) == slot).copied();
        if let Some(Answer { kind: AnswerKind::Page, entity, slot }) = answer {
            self.answered_entity = Some(entity);
            return Some(Answered::Page(slot));
        }
        let value = self.value(code)?;
        let entity = match &value.ty.kind {
            Kind::Row(entity, _) => Some(*entity),
            Kind::List(element) => match element.kind {
                Kind::Row(entity, _) => Some(entity),
                _ => None,
            },
            _ => None,
        };
        self.answered_entity = self.answered_entity.or(entity);
        Some(Answered::Value(value.expression))
    }

    /// Whether an input travels in the path.
    fn setting_path(&self, name: &str) -> bool {
        self.path_inputs.iter().any(|other| **other == *name)
    }
}

fn conjuncts(condition: &Condition) -> Vec<&Condition> {
    match condition {
        Condition::All(all) => all.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

fn conflict() -> Outcome {
    Outcome { status: 409, code: Some("conflict".to_owned()) }
}
