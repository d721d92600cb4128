//! Reading with the document's own SQL: ``Queries `xs` as a list of `total` (decimal(12,2)), `day` (date):`` and a fence,
//! or one for each database. What the SQL may say is in `query`.

use crate::expression::{Expression, Kind, StaticType};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Instruction, Query, QueryColumn, Statement};
use crate::query::{self, Database, Problem, ProblemKind};
use crate::steps::clause::{Clause, Misread, Reader};
use crate::steps::{Action, Form, Grammar, not_understood};
use formwork_model::names::nearest;
use formwork_model::values::{Type, parse_type};
use formwork_syntax::{Code, Fence, Span};
use std::sync::Arc;

/// ``Queries `xs` as a list of …:``
pub(crate) static QUERIES: Form = Form {
    name: "Queries",
    heads: &["queries"],
    notation: "Queries `xs` as a list of `total` (decimal(12,2)), `day` (date): \
               (a fence `sql` below, or one `sql sqlite` and one `sql postgres`)",
    tails: &[],
    grammar: Grammar::Whole(read),
};

#[derive(Debug)]
struct Queries {
    variable: Code,
    columns: Vec<Column>,
    sqlite: Fence,
    postgres: Fence,
}

#[derive(Debug)]
struct Column {
    name: Code,
    ty: Type,
    optional: bool,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let source = clause.source;
    let mut reader = clause.take_object();
    let variable = reader.code("the variable in backticks")?;
    if !(reader.word("as") && reader.word("list") && reader.word("of")) {
        return Err(reader.misread("`as a list of` and columns with their types"));
    }
    let mut columns = vec![column(source, &mut reader)?];
    while !reader.is_done() {
        if !(reader.sign(',') | reader.word("and")) {
            return Err(reader.misread("`,` and another column, or a colon and a fence below"));
        }
        columns.push(column(source, &mut reader)?);
    }
    if clause.after_colon.take().is_none_or(|rest| !rest.is_empty()) || clause.nested {
        return Err(clause.missing("a colon, and a fence `sql` below"));
    }
    let (sqlite, postgres) = texts(clause)?;
    Ok(Box::new(Queries { variable, columns, sqlite, postgres }))
}

/// `` `total` (decimal(12,2)) ``
fn column(source: &str, reader: &mut Reader<'_>) -> Result<Column, Misread> {
    let name = reader.code("a column in backticks")?;
    if !reader.sign('(') {
        return Err(reader.misread("the type of the column in parentheses"));
    }
    let (mut depth, mut inside): (usize, Option<Span>) = (1, None);
    loop {
        let Some(token) = reader.take_any() else { return Err(reader.misread("`)`")) };
        depth += usize::from(token.is_sign('('));
        depth -= usize::from(token.is_sign(')'));
        if depth == 0 {
            break;
        }
        inside = Some(inside.map_or(token.span, |before| before.to(token.span)));
    }
    let written = inside.map(|inside| inside.slice(source)).unwrap_or_default();
    let (text, marked) = match written.rsplit_once(',') {
        Some((text, mark)) if mark.trim() == "optional" => (text, true),
        _ => (written, false),
    };
    let Some((ty, optional)) = parse_type(text.trim()) else {
        let span = inside.unwrap_or(name.span());
        let expected = "a type, such as `integer`, `decimal(12,2)` or `date?`".to_owned();
        return Err(Misread { word: Some(written.to_owned()), expected, span });
    };
    Ok(Column { name, ty, optional: optional || marked })
}

/// The text for each database.
fn texts(clause: &Clause<'_>) -> Result<(Fence, Fence), Misread> {
    let of = |info: &[&str]| {
        let named = |fence: &&Fence| {
            let words = fence.info.slice(clause.source).split_whitespace();
            words.map(str::to_lowercase).eq(info.iter().map(|word| (*word).to_owned()))
        };
        clause.fences.iter().find(named).cloned()
    };
    let found = match (of(&["sql"]), of(&["sql", "sqlite"]), of(&["sql", "postgres"])) {
        (Some(both), None, None) => Some((both.clone(), both)),
        (None, Some(sqlite), Some(postgres)) => Some((sqlite, postgres)),
        _ => None,
    };
    let expected = "one fence `sql` below, or one `sql sqlite` and one `sql postgres`";
    found.ok_or_else(|| clause.missing(expected))
}

impl Queries {
    fn resolve(
        &self,
        cx: &mut Lowering<'_>,
        fence: &Fence,
        database: Database,
        parameters: &mut Vec<Arc<str>>,
    ) -> Option<query::Resolved> {
        let source = cx.source();
        let text: String = fence.lines.iter().map(|line| line.slice(source)).collect();
        let names: Vec<Arc<str>> =
            self.columns.iter().map(|column| column.name.text(source).trim().into()).collect();
        match query::resolve(&text, database, cx.schema(), &names, parameters) {
            Ok(found) => Some(found),
            Err(problems) => {
                problems.into_iter().for_each(|problem| tell(cx, fence, problem));
                None
            }
        }
    }

    fn lower_query(&self, cx: &mut Lowering<'_>) -> Option<(Query, Vec<Expression>)> {
        let mut names = Vec::new();
        let sqlite = self.resolve(cx, &self.sqlite, Database::Sqlite, &mut names);
        // One text for both gives one note for each mistake.
        let sqlite = sqlite?;
        let postgres = self.resolve(cx, &self.postgres, Database::Postgres, &mut names)?;
        let (mut parameters, mut types) = (Vec::new(), Vec::new());
        for name in names {
            let (value, ty) = self.parameter(cx, &name)?;
            parameters.push(value);
            types.push(ty);
        }
        let source = cx.source();
        let column = |column: &Column| QueryColumn {
            name: column.name.text(source).trim().into(),
            ty: column.ty.clone(),
            optional: column.optional,
        };
        let columns = self.columns.iter().map(column).collect();
        let (reads, postgres) = (sqlite.reads, postgres.text.into());
        let query = Query { sqlite: sqlite.text.into(), postgres, parameters: types, columns, reads };
        Some((query, parameters))
    }

    /// What a parameter stands for: a variable, or an input.
    fn parameter(&self, cx: &mut Lowering<'_>, name: &str) -> Option<(Expression, Type)> {
        let Some((value, ty)) = cx.named_value(name) else {
            let nearest = cx.nearest_value(name);
            cx.note(
                NoteKind::UnknownName { what: "variable", name: name.to_owned(), nearest },
                self.sqlite.span,
            );
            return None;
        };
        let declared = cx.storage_type(&ty.kind);
        if declared.is_none() {
            let (expected, found) = ("value that a column can hold".to_owned(), ty.kind.to_string());
            let context = format!("parameter `:{name}`");
            cx.note(NoteKind::TypeMismatch { expected, found, context }, self.sqlite.span);
        }
        Some((value, declared?))
    }
}

/// Notes what is wrong with a text, at its place.
fn tell(cx: &mut Lowering<'_>, fence: &Fence, problem: Problem) {
    let source = cx.source();
    let place = |(line, column): (u64, u64)| {
        let line = fence.lines.get(usize::try_from(line).ok()?.checked_sub(1)?)?;
        let text = line.slice(source);
        let (at, _) = text.char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?;
        let length = text[at..].find(|next: char| !next.is_alphanumeric() && next != '_');
        let length = length.unwrap_or(text.len() - at).max(1);
        let end = (at..=text.len()).find(|end| *end >= at + length && text.is_char_boundary(*end))?;
        Some(line.part(u32::try_from(at).ok()?, u32::try_from(end).ok()?))
    };
    let span = problem.at.and_then(place).unwrap_or(fence.span);
    let entities: Vec<Arc<str>> = cx.schema().entities.iter().map(|entity| entity.name.clone()).collect();
    let kind = match problem.kind {
        ProblemKind::Expected(expected) => {
            let (kind, _) = not_understood(&QUERIES, Misread { word: None, expected, span });
            kind
        }
        ProblemKind::Table(name) => {
            let near = nearest(&name, entities.iter().map(|name| &**name)).map(str::to_owned);
            NoteKind::UnknownName { what: "entity", name, nearest: near }
        }
        ProblemKind::Column { of, name } => {
            let table =
                of.as_ref().and_then(|of| cx.schema().entities.iter().find(|entity| entity.name == *of));
            let fields = table.into_iter().flat_map(|table| table.fields.iter().map(|field| &*field.name));
            let near = nearest(&name, fields).map(str::to_owned);
            match of {
                Some(of) => NoteKind::UnknownField { of: of.to_string(), field: name, nearest: near },
                None => NoteKind::UnknownName { what: "field", name, nearest: None },
            }
        }
    };
    cx.note(kind, span);
}

impl Action for Queries {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let source = cx.source();
        let member = |column: &Column| {
            let name: Arc<str> = column.name.text(source).trim().into();
            (name, StaticType { kind: cx.kind(&column.ty), optional: column.optional })
        };
        let members = self.columns.iter().map(member).collect();
        let ty = Kind::List(Box::new(Kind::Object(members).required())).required();
        let lowered = self.lower_query(cx);
        // Bound even when the query is wrong, so that one mistake gives one note.
        let Some(slot) = cx.bind(&self.variable, ty) else { return };
        if let Some((query, parameters)) = lowered {
            query.reads.iter().for_each(|entity| cx.reads(*entity));
            let statement = cx.statement(Statement::Query(query));
            cx.push(Instruction::ReadQuery { statement, parameters, slot });
        }
    }
}
