//! Writes a compiled document as text that people can review: tables, operations, instructions, flows, notes.

#![allow(dead_code, reason = "each test file uses its part")]

use formwork_language::behaviour::{Compiled, Expectation, FlowAction, FlowStep};
use formwork_language::expression::Expression;
use formwork_language::functions::FUNCTIONS;
use formwork_language::program::{
    Answered, Code, Condition, EntityId, FieldId, Instruction, Lock, MessagePart, Operand, PathPart, Program,
    Select, Statement,
};
use formwork_language::value::Value;
use formwork_model::facts::Outcome;
use std::fmt::Write;

/// Reads and compiles a document.
pub(crate) fn compile(source: &str) -> Compiled {
    let document = formwork_syntax::parse(source, &|label| formwork_model::is_label(label));
    formwork_language::compile(source, &formwork_model::read(source, &document))
}

/// The notes, one a line: what is wrong, and the text that it is about.
pub(crate) fn notes(source: &str, compiled: &Compiled) -> String {
    let mut text = String::new();
    for note in &compiled.notes {
        let place = note.span.slice(source).lines().next().unwrap_or_default();
        let place: String = place.chars().take(90).collect();
        let _ = writeln!(text, "{:?}\n    at {place}", note.kind);
    }
    text
}

/// Operations, jobs and the statements that they use.
pub(crate) fn program(program: &Program) -> String {
    let outline = Outline { program };
    let mut text = String::new();
    for operation in &program.operations {
        let path: String = operation
            .path
            .iter()
            .map(|part| match part {
                PathPart::Fixed(name) => format!("/{name}"),
                PathPart::Parameter(name) => format!("/{{{name}}}"),
            })
            .collect();
        let writes = if operation.writes { ", writes" } else { "" };
        let _ =
            writeln!(text, "{} — {} {path} ({:?}{writes})", operation.name, operation.method, operation.mode);
        let access = &operation.access;
        let _ =
            writeln!(text, "  public {} roles {:?} scopes {:?}", access.public, access.roles, access.scopes);
        for (at, field) in operation.input.fields.iter().enumerate() {
            let optional = if field.optional { "?" } else { "" };
            let _ = writeln!(
                text,
                "  ${} {}: {}{optional} in {:?}",
                at + 7,
                field.name,
                field.ty,
                field.location
            );
        }
        let errors: Vec<String> = operation.errors.iter().map(outcome).collect();
        let output = &operation.output;
        let _ = writeln!(
            text,
            "  answers {:?} {:?} projection {:?} location {:?}",
            output.status,
            output.entity.map(|entity| outline.entity(entity)),
            output.projection,
            output.location
        );
        let _ = writeln!(text, "  errors {errors:?}");
        outline.code(&operation.code, &mut text);
    }
    for procedure in &program.procedures {
        let writes = if procedure.writes { " (writes)" } else { "" };
        let errors: Vec<String> = procedure.errors.iter().map(outcome).collect();
        let _ = writeln!(text, "procedure {}{writes} errors {errors:?}", procedure.name);
        outline.code(&procedure.code, &mut text);
    }
    for job in &program.jobs {
        let _ = writeln!(text, "job {} {:?}", job.name, job.schedule);
        outline.code(&job.code, &mut text);
    }
    for handler in &program.handlers {
        let members: Vec<String> =
            handler.members.iter().map(|told| format!("{} {}", told.name, told.ty)).collect();
        let _ = writeln!(text, "handler {} {:?} told {}", handler.name, handler.trigger, members.join(", "));
        outline.code(&handler.code, &mut text);
    }
    for (at, statement) in program.statements.iter().enumerate() {
        let _ = writeln!(text, "#{at} {}", outline.statement(statement));
    }
    text
}

/// The flows with what each step does.
pub(crate) fn flows(compiled: &Compiled) -> String {
    let outline = Outline { program: &compiled.program };
    let mut text = String::new();
    for flow in &compiled.flows {
        let _ = writeln!(text, "flow {}", flow.name);
        for step in &flow.steps {
            let _ = writeln!(text, "  {}", outline.flow_step(step));
        }
        for step in &flow.errors {
            let _ = writeln!(text, "  error: {}", outline.flow_step(step));
        }
    }
    text
}

/// `409 slug_taken`
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match &outcome.code {
        Some(code) => format!("{} {code}", outcome.status),
        None => outcome.status.to_string(),
    }
}

struct Outline<'p> {
    program: &'p Program,
}

impl Outline<'_> {
    fn entity(&self, entity: EntityId) -> &str {
        &self.program.schema.entities[usize::from(entity)].name
    }

    fn field(&self, entity: EntityId, field: FieldId) -> &str {
        &self.program.schema.entities[usize::from(entity)].fields[usize::from(field)].name
    }

    fn code(&self, code: &Code, text: &mut String) {
        let _ = writeln!(text, "  {} slots", code.slots);
        for (at, instruction) in code.instructions.iter().enumerate() {
            let _ = writeln!(text, "  {at}: {}", self.instruction(instruction));
        }
    }

    fn list(&self, expressions: &[Expression]) -> String {
        expressions.iter().map(expression).collect::<Vec<_>>().join(", ")
    }

    fn assignments(&self, entity: EntityId, assignments: &[(FieldId, Expression)]) -> String {
        let one = |(field, value): &(FieldId, Expression)| {
            format!("{} = {}", self.field(entity, *field), expression(value))
        };
        assignments.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn instruction(&self, instruction: &Instruction) -> String {
        use Instruction as I;
        let failure = |failure: &formwork_language::program::Failure| {
            let message: String = failure
                .message
                .iter()
                .map(|part| match part {
                    MessagePart::Text(text) => format!("{text:?}"),
                    MessagePart::Expression(value) => format!("{{{}}}", expression(value)),
                })
                .collect();
            let members: Vec<String> = failure
                .members
                .iter()
                .map(|(name, value)| format!("{name} = {}", expression(value)))
                .collect();
            format!("{} {message} {}", outcome(&failure.outcome), members.join(", ")).trim_end().to_owned()
        };
        match instruction {
            I::FailIf { condition, failure: refusal } => {
                format!("fail {} if {}", failure(refusal), expression(condition))
            }
            I::Fail { failure: refusal } => format!("fail {}", failure(refusal)),
            I::Jump { target } => format!("go to {target}"),
            I::JumpUnless { condition, target } => format!("go to {target} unless {}", expression(condition)),
            I::Let { slot, value } => format!("${slot} = {}", expression(value)),
            I::Accept { slot, value, field, of } => {
                format!("${slot} = {} as `{}` of `{of}`", expression(value), field.name)
            }
            I::ReadValue { statement, parameters, slot } => {
                format!("${slot} = value of #{statement}({})", self.list(parameters))
            }
            I::ReadRow { statement, parameters, slot } => {
                format!("${slot} = row of #{statement}({})", self.list(parameters))
            }
            I::JumpIfPresent { slot, target } => format!("go to {target} if ${slot}"),
            I::ReadRows { statement, parameters, slot } => {
                format!("${slot} = rows of #{statement}({})", self.list(parameters))
            }
            I::ReadQuery { statement, parameters, slot } => {
                format!("${slot} = query #{statement}({})", self.list(parameters))
            }
            I::ReadPage { first, after, parameters, cursor, limit, per_page, slot } => format!(
                "${slot} = page of #{first} or #{after} after ${cursor} ({}), ${limit} or {per_page} rows",
                self.list(parameters)
            ),
            I::Insert { entity, statement, assignments, slot, on_conflict } => {
                let conflict = on_conflict.as_ref().map(|refusal| format!(", else {}", failure(refusal)));
                format!(
                    "${slot:?} = insert #{statement} {} with {}{}",
                    self.entity(*entity),
                    self.assignments(*entity, assignments),
                    conflict.unwrap_or_default()
                )
            }
            I::Update { slot, entity, statement, assignments, on_conflict } => {
                let conflict = on_conflict.as_ref().map(|refusal| format!(", else {}", failure(refusal)));
                format!(
                    "update ${slot} #{statement} with {}{}",
                    self.assignments(*entity, assignments),
                    conflict.unwrap_or_default()
                )
            }
            I::Delete { slot, statement } => format!("delete ${slot} #{statement}"),
            I::Commit => "commit".to_owned(),
            I::Call(call) => {
                let with = call.input.as_ref().map_or(String::new(), expression);
                let shape = format!("{:?}", call.answer);
                format!(
                    "${} = call {} {:?} of #{} with {with}, as {}",
                    call.slot,
                    call.method,
                    call.target,
                    call.upstream,
                    shape.split(['(', ' ']).next().unwrap_or_default()
                )
            }
            I::Wait { statement, parameters, at_most } => {
                format!("wait for #{statement}({}), at most {}", self.list(parameters), expression(at_most))
            }
            I::Schedule { handler, data, due } => {
                let data: Vec<String> =
                    data.iter().map(|(name, value)| format!("{name} = {}", expression(value))).collect();
                format!("schedule handler {handler} with {} due {}", data.join(", "), expression(due))
            }
            I::WriteMany { statement, parameters, batch } => {
                format!("write many #{statement}({}) batch {batch:?}", self.list(parameters))
            }
            I::LoopStart { list, position, items, item, number, end } => format!(
                "for ${item} in {} (position ${position}, items ${items}, number {number:?}), then {end}",
                expression(list)
            ),
            I::NextElement(next) => {
                let rows = next.rows.as_ref().map(|rows| {
                    let parameters = self.list(&rows.parameters);
                    let (first, behind) = (rows.first, rows.behind);
                    format!(
                        "rows #{first}({parameters}), behind ${} #{behind}, most {:?}",
                        rows.last, rows.at_most
                    )
                });
                format!(
                    "next element {:?} of ${} {} (begun ${}, number {:?}, inside {:?}), then {}",
                    next.binds,
                    next.left,
                    rows.unwrap_or_default(),
                    next.begun,
                    next.number,
                    next.inside,
                    next.end
                )
            }
            I::Emit { event, data, about } => {
                let data: Vec<String> =
                    data.iter().map(|(name, value)| format!("{name} = {}", expression(value))).collect();
                let event = &self.program.events[usize::from(*event)].name;
                format!("emit {event} about {about:?} with {}", data.join(", "))
            }
            I::Count { metric, by } => {
                let metric = &self.program.metrics[usize::from(*metric)].name;
                format!("count {metric} by {:?}", by.as_ref().map(expression))
            }
            I::Observe { metric, value } => {
                format!(
                    "observe {} in {}",
                    expression(value),
                    self.program.metrics[usize::from(*metric)].name
                )
            }
            I::Return { status, body, headers } => {
                let body = match body {
                    Answered::Nothing => "nothing".to_owned(),
                    Answered::Value(value) => expression(value),
                    Answered::RowWith { row, parts } => format!("{} with {parts:?}", expression(row)),
                    Answered::Page(slot) => format!("page ${slot}"),
                };
                let headers: Vec<String> =
                    headers.iter().map(|(name, value)| format!(", {name}: {}", expression(value))).collect();
                format!("return {status} {body}{}", headers.concat())
            }
            I::Redirect { status, to } => format!("redirect {status} to {}", expression(to)),
            I::Stop => "stop".to_owned(),
            I::Reserve(reserve) => {
                let charge = |charge: &formwork_language::program::Charge| {
                    let price = |price: &Option<_>| price.as_ref().map_or("?".to_owned(), expression);
                    let budget = |(at, key): &(u16, Option<_>)| format!("{at} of {}", price(key));
                    let budgets: Vec<String> = charge.budgets.iter().map(budget).collect();
                    format!(
                        "{} at most {} from {}",
                        price(&charge.known),
                        price(&charge.at_most),
                        budgets.join(", ")
                    )
                };
                let charges: Vec<String> = reserve.charges.iter().map(charge).collect();
                format!("${} = reserve {}", reserve.held, charges.join("; "))
            }
            I::Settle(settle) => {
                let price =
                    |price: &Option<_>| price.as_ref().map_or("what was known".to_owned(), expression);
                let actual: Vec<String> = settle.actual.iter().map(price).collect();
                format!("settle ${}: {}", settle.held, actual.join("; "))
            }
        }
    }

    fn statement(&self, statement: &Statement) -> String {
        let filtered = |entity: EntityId, filter: &Option<Condition>| match filter {
            Some(condition) => format!("{} where {}", self.entity(entity), self.condition(entity, condition)),
            None => self.entity(entity).to_owned(),
        };
        match statement {
            Statement::Select(Select { entity, filter, order, limit, after, lock }) => {
                let lock = if *lock == Lock::None { String::new() } else { format!(" lock {lock:?}") };
                let order: Vec<String> = order
                    .iter()
                    .map(|(field, down)| {
                        format!("{}{}", self.field(*entity, *field), if *down { " desc" } else { "" })
                    })
                    .collect();
                format!(
                    "select {} order [{}] {limit:?} after {after:?}{lock}",
                    filtered(*entity, filter),
                    order.join(", ")
                )
            }
            Statement::Query(query) => {
                let columns: Vec<String> = query
                    .columns
                    .iter()
                    .map(|column| {
                        format!("{}: {}{}", column.name, column.ty, if column.optional { "?" } else { "" })
                    })
                    .collect();
                let parameters: Vec<String> = query.parameters.iter().map(ToString::to_string).collect();
                format!(
                    "query [{}] ({})\n    sqlite: {}\n    postgres: {}",
                    columns.join(", "),
                    parameters.join(", "),
                    query.sqlite,
                    query.postgres
                )
            }
            Statement::Count { entity, filter } => format!("count {}", filtered(*entity, filter)),
            Statement::Exists { entity, filter } => format!("exists {}", filtered(*entity, filter)),
            Statement::Aggregate { function, entity, field, filter } => {
                format!("{function:?} of {} in {}", self.field(*entity, *field), filtered(*entity, filter))
            }
            Statement::Insert { entity } => format!("insert {}", self.entity(*entity)),
            Statement::UpdateByKey { entity, fields } => {
                let fields: Vec<&str> = fields.iter().map(|field| self.field(*entity, *field)).collect();
                format!("update {} set {}", self.entity(*entity), fields.join(", "))
            }
            Statement::UpdateWhere { entity, assignments, filter, limit } => {
                let set: Vec<String> = assignments
                    .iter()
                    .map(|(field, value)| {
                        format!("{} = {}", self.field(*entity, *field), self.operand(*entity, value))
                    })
                    .collect();
                format!("update every {} set {} limit {limit:?}", filtered(*entity, filter), set.join(", "))
            }
            Statement::DeleteByKey { entity } => format!("delete {}", self.entity(*entity)),
            Statement::DeleteWhere { entity, filter, limit, through } => {
                let through: Vec<String> = through
                    .iter()
                    .map(|(child, field)| format!("{}.{}", self.entity(*child), self.field(*child, *field)))
                    .collect();
                format!("delete every {} limit {limit:?} through {through:?}", filtered(*entity, filter))
            }
        }
    }

    fn condition(&self, entity: EntityId, condition: &Condition) -> String {
        let operand = |value: &Operand| self.operand(entity, value);
        let all = |parts: &[Condition], word: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.condition(entity, part)).collect();
            format!("({})", parts.join(word))
        };
        match condition {
            Condition::All(parts) => all(parts, " and "),
            Condition::Any(parts) => all(parts, " or "),
            Condition::Not(inner) => format!("not {}", self.condition(entity, inner)),
            Condition::Compare(how, left, right) => format!("{} {how:?} {}", operand(left), operand(right)),
            Condition::IsNull(value) => format!("{} is null", operand(value)),
            Condition::IsNotNull(value) => format!("{} is not null", operand(value)),
            Condition::InList(value, list) => format!("{} in ?{list}", operand(value)),
            Condition::InOperands(value, list) => {
                format!("{} in [{}]", operand(value), list.iter().map(operand).collect::<Vec<_>>().join(", "))
            }
            Condition::TextTest(test, left, right) => {
                format!("{} {test:?} {}", operand(left), operand(right))
            }
            Condition::IsTrue(value) => operand(value),
        }
    }

    fn operand(&self, entity: EntityId, value: &Operand) -> String {
        match value {
            Operand::Field(field) => self.field(entity, *field).to_owned(),
            Operand::Parameter(number) => format!("?{number}"),
            Operand::Constant(value) => constant(value),
            Operand::Arithmetic { operator, left, right, .. } => {
                format!("({} {operator:?} {})", self.operand(entity, left), self.operand(entity, right))
            }
            other => format!("{other:?}"),
        }
    }

    fn flow_step(&self, step: &FlowStep) -> String {
        let expect = |expect: &Expectation| {
            let outcomes: Vec<String> = expect.outcomes.iter().map(outcome).collect();
            let with = expect.with.as_ref().map(|(_, text)| format!(" with {text}")).unwrap_or_default();
            let remembers: Vec<String> = expect
                .remembers
                .iter()
                .map(|(slot, value)| format!(" ${slot} = {}", expression(value)))
                .collect();
            format!("{}{with}{}", outcomes.join(" or "), remembers.concat())
        };
        let call = |call: &formwork_language::behaviour::FlowCall| {
            let input = call.input.as_ref().map(expression);
            let headers: Vec<String> =
                call.headers.iter().map(|(name, value)| format!("{name}: {}", expression(value))).collect();
            format!(
                "{:?} calls {:?} path {:?} input {input:?} again {} headers {headers:?}",
                call.actor, call.target, call.path, call.again
            )
        };
        let action = match &step.action {
            None => "–".to_owned(),
            Some(FlowAction::Call { call: made, expect: wanted }) => {
                format!("{} → {}", call(made), wanted.as_ref().map(expect).unwrap_or_default())
            }
            Some(FlowAction::AtOnce { count, call: made, exactly, others }) => {
                let exactly: Vec<String> =
                    exactly.iter().map(|(count, wanted)| format!("{count} × {}", expect(wanted))).collect();
                let others = others.as_ref().map(expect);
                format!("{count} at once: {} → {exactly:?} others {others:?}", call(made))
            }
            Some(other) => format!("{other:?}"),
        };
        format!("{:?} {action}\n      {}", step.class, step.text)
    }
}

fn constant(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Absent => "absent".to_owned(),
        Value::Null => "null".to_owned(),
        other => format!("{other:?}"),
    }
}

/// An expression, slots as `$n`.
pub(crate) fn expression(value: &Expression) -> String {
    use Expression as E;
    let list = |values: &[Expression]| values.iter().map(expression).collect::<Vec<_>>().join(", ");
    match value {
        E::Constant(value) => constant(value),
        E::Slot(slot) => match slot {
            0 => "caller.id".to_owned(),
            1 => "caller.roles".to_owned(),
            2 => "caller.scopes".to_owned(),
            slot => format!("${slot}"),
        },
        E::Local(local) => format!("%{local}"),
        E::Field { row, field, .. } => format!("{}.{field}", expression(row)),
        E::Member { of, name } => format!("{}.{name}", expression(of)),
        E::Index { of, index } => format!("{}[{}]", expression(of), expression(index)),
        E::List(items) => format!("[{}]", list(items)),
        E::Map(entries) => {
            let entry = |(key, value): &(Expression, Expression)| {
                format!("{}: {}", expression(key), expression(value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        E::Unary(operator, inner) => format!("{operator:?}({})", expression(inner)),
        E::Binary { operator, left, right, .. } => {
            format!("({} {operator:?} {})", expression(left), expression(right))
        }
        E::Choose(condition, yes, no) => {
            format!("({} ? {} : {})", expression(condition), expression(yes), expression(no))
        }
        E::Call { function, arguments, .. } => {
            format!("{}({})", FUNCTIONS[usize::from(*function)].name, list(arguments))
        }
        other => format!("{other:?}"),
    }
}

/// The tables.
pub(crate) fn schema(program: &Program) -> String {
    let outline = Outline { program };
    let mut text = String::new();
    for (id, entity) in program.schema.entities.iter().enumerate() {
        let id = id as EntityId;
        let names =
            |fields: &[FieldId]| fields.iter().map(|field| outline.field(id, *field)).collect::<Vec<_>>();
        let _ = writeln!(text, "entity {} key {:?}", entity.name, names(&entity.primary_key));
        for field in &entity.fields {
            let marks = [
                (field.optional, "?"),
                (field.generated, " generated"),
                (field.on_create, " on create"),
                (field.on_update, " on update"),
                (field.immutable, " immutable"),
                (field.hidden, " hidden"),
            ];
            let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
            let default = field.default.as_ref().map(|value| format!(" default {}", expression(value)));
            let references = field.references.map(|to| {
                format!(
                    " → {}.{} {:?}",
                    outline.entity(to.entity),
                    outline.field(to.entity, to.field),
                    to.on_delete
                )
            });
            let rules = format!("{:?}", field.rules).replace(", format: None", "");
            let empty = format!("{:?}", formwork_language::constraint::FieldRules::default())
                .replace(", format: None", "");
            let rules = if rules == empty { String::new() } else { rules };
            let _ = writeln!(
                text,
                "  {}: {}{marks}{}{} {rules}",
                field.name,
                field.ty,
                default.unwrap_or_default(),
                references.unwrap_or_default()
            );
        }
        for key in &entity.unique {
            let filter = key.filter.as_ref().map(|filter| outline.condition(id, filter));
            let _ = writeln!(text, "  unique {:?} where {filter:?}", names(&key.fields));
        }
        for index in &entity.indexes {
            let fields: Vec<String> = index
                .fields
                .iter()
                .map(|(field, down)| {
                    format!("{}{}", outline.field(id, *field), if *down { " desc" } else { "" })
                })
                .collect();
            let _ = writeln!(text, "  index {fields:?}");
        }
    }
    text
}

/// The sentences that are not understood steps, with how they were taken.
pub(crate) fn classes(source: &str, compiled: &Compiled) -> String {
    let mut text = String::new();
    let behaviours = compiled.behaviours.iter().flat_map(|behaviour| &behaviour.steps);
    let standing = compiled.standing.iter().flat_map(|standing| &standing.steps);
    for step in behaviours.chain(standing) {
        if step.class != formwork_model::Class::Understood {
            let _ = writeln!(text, "{:?}: {}", step.class, step.span.slice(source));
        }
    }
    text
}
