//! The document's own SQL: one statement that only reads, resolved against the tables and written anew for each
//! database, with every name in quotes and parameters by number.
//!
//! It knows no step and no place of the document; `steps::queries` does. Scopes are those of the whole statement: a
//! column must be one of any table that the statement names. Source: language reference, *Queries*.

mod names;

use crate::program::{EntityId, Schema};
use names::{Renaming, Scope};
use sqlparser::ast::{Expr, Query, SelectItem, SetExpr, Statement, VisitMut as _};
use sqlparser::dialect::{Dialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, Tokenizer};
use std::sync::Arc;

/// How many words and signs a statement may have; its depth is bounded with them.
const MOST_TOKENS: usize = 800;

/// Which database a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Database {
    fn dialect(self) -> &'static dyn Dialect {
        match self {
            Self::Sqlite => &SQLiteDialect {},
            Self::Postgres => &PostgreSqlDialect {},
        }
    }

    fn parameter(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
        }
    }
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What it is.
    pub(crate) kind: ProblemKind,
    /// Where in the text: line and column from 1, in characters; the whole text when unknown.
    pub(crate) at: Option<(u64, u64)>,
}

/// The kinds of a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// Something else was expected: one clause.
    Expected(String),
    /// A table that is no entity.
    Table(String),
    /// A column that no table of the statement has, or not the one named before it.
    Column {
        /// The table, when one is named.
        of: Option<Arc<str>>,
        /// As written.
        name: String,
    },
}

impl Problem {
    fn expected(what: &str, at: Option<Location>) -> Self {
        Self { kind: ProblemKind::Expected(what.to_owned()), at: place(at) }
    }
}

fn place(at: Option<Location>) -> Option<(u64, u64)> {
    at.filter(|at| at.line > 0).map(|at| (at.line, at.column))
}

/// A statement, ready for a database.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Its text.
    pub(crate) text: String,
    /// The tables that it reads.
    pub(crate) reads: Vec<EntityId>,
}

/// Reads a statement whose columns the document lists. `parameters` are the names so far, whose order numbers them;
/// new ones are added.
pub(crate) fn resolve(
    text: &str,
    database: Database,
    schema: &Schema,
    columns: &[Arc<str>],
    parameters: &mut Vec<Arc<str>>,
) -> Result<Resolved, Vec<Problem>> {
    let mut query = parse(text, database).map_err(|problem| vec![problem])?;
    let scope = Scope::of(&query, schema, columns);
    if !scope.problems.is_empty() {
        return Err(scope.problems);
    }
    let mut renaming = Renaming { scope: &scope, schema, database, parameters, problems: Vec::new() };
    let _ = query.visit(&mut renaming);
    let mut problems = std::mem::take(&mut renaming.problems);
    project(&mut query.body, columns, &mut problems);
    if problems.is_empty() {
        Ok(Resolved { text: query.to_string(), reads: scope.reads })
    } else {
        Err(problems)
    }
}

/// One statement that reads.
fn parse(text: &str, database: Database) -> Result<Box<Query>, Problem> {
    let read_only = "one statement that only reads, such as `select … from …`";
    let dialect = database.dialect();
    let tokens = Tokenizer::new(dialect, text)
        .tokenize_with_location()
        .map_err(|error| Problem::expected("SQL that can be read", Some(error.location)))?;
    let count = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).count();
    if count > MOST_TOKENS {
        return Err(Problem::expected("a shorter statement", None));
    }
    let end = tokens.last().map(|token| token.span.end);
    let first = tokens.iter().find_map(|token| match &token.token {
        Token::Word(word) => Some((word.keyword, token.span.start)),
        _ => None,
    });
    if let Some((keyword, at)) = first
        && !matches!(keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES)
    {
        return Err(Problem::expected(read_only, Some(at)));
    }
    let mut statements =
        Parser::new(dialect).with_tokens_with_locations(tokens).parse_statements().map_err(|error| {
            match error {
                ParserError::ParserError(text) | ParserError::TokenizerError(text) => syntax(&text, end),
                ParserError::RecursionLimitExceeded => Problem::expected("SQL that is nested less", None),
            }
        })?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::Query(query)), true) => Ok(query),
        _ => Err(Problem::expected(read_only, None)),
    }
}

/// The parser's own words (`Expected: an expression, found: from at Line: 1, Column: 8`) as a problem.
fn syntax(text: &str, end: Option<Location>) -> Problem {
    let (what, place) = text.rsplit_once(" at Line: ").unwrap_or((text, ""));
    let at = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? })
    });
    let expected = what.trim_start_matches("Expected").trim_start_matches([':', ' ']);
    let expected = expected.split(", found: ").next().unwrap_or(expected);
    Problem::expected(expected, at.or(end))
}

/// Gives each column of the outermost rows the name that the document lists; notes those that are missing or too many.
fn project(body: &mut SetExpr, columns: &[Arc<str>], problems: &mut Vec<Problem>) {
    let select = match body {
        SetExpr::Select(select) => select,
        SetExpr::Query(query) => return project(&mut query.body, columns, problems),
        // The names of the first part hold.
        SetExpr::SetOperation { left, .. } => return project(left, columns, problems),
        _ => return,
    };
    let mut open = false;
    let mut named: Vec<String> = Vec::new();
    for item in &mut select.projection {
        let name = match &*item {
            SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(names)) => {
                names.last().map(|name| name.value.clone())
            }
            SelectItem::UnnamedExpr(expression) => {
                let text = expression.to_string().chars().take(40).collect::<String>();
                problems.push(Problem::expected(&format!("a name for `{text}`: `… as name`"), None));
                None
            }
            _ => {
                open = true;
                None
            }
        };
        let Some(name) = name else { continue };
        let declared = columns.iter().find(|column| column.eq_ignore_ascii_case(&name));
        match declared {
            Some(declared) => names::alias(item, declared),
            None if !open => {
                problems.push(Problem::expected(&format!("`{name}` in the list of columns"), None));
            }
            None => {}
        }
        named.push(name);
    }
    for column in columns.iter().filter(|_| !open && problems.is_empty()) {
        if !named.iter().any(|name| name.eq_ignore_ascii_case(column)) {
            problems.push(Problem::expected(&format!("a column `{column}`: the list names it"), None));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Shop\n\n## 6) Data Model\n\n### Entity: `Order`\n\n**Fields:**\n\
        - `id` (integer) | which | primary key\n- `Total` (integer) | how much | required\n\n\
        ### Entity: `line`\n\n**Fields:**\n- `id` (integer) | which | primary key\n\
        - `order_id` (integer) | of which | required\n- `price` (integer) | of one | required\n";

    fn schema() -> Schema {
        let document = formwork_syntax::parse(DOCUMENT, &|label| formwork_model::is_label(label));
        crate::compile(DOCUMENT, &formwork_model::read(DOCUMENT, &document)).program.schema
    }

    fn read(text: &str, columns: &[&str]) -> Result<String, Vec<Problem>> {
        let columns: Vec<Arc<str>> = columns.iter().map(|name| Arc::from(*name)).collect();
        let mut parameters = Vec::new();
        resolve(text, Database::Postgres, &schema(), &columns, &mut parameters).map(|found| found.text)
    }

    #[test]
    fn names_are_quoted_as_declared_and_parameters_numbered() {
        assert_eq!(
            read(
                "select o.total, sum(price) as Sum from \"order\" o join line on line.order_id = o.id \
                 where o.id > :from and price < :to and o.id <> :from group by o.total order by sum",
                &["total", "sum"]
            )
            .unwrap(),
            "SELECT o.\"Total\" AS \"total\", sum(\"price\") AS \"sum\" FROM \"Order\" o JOIN \"line\" ON \
             \"line\".\"order_id\" = o.\"id\" WHERE o.\"id\" > $1 AND \"price\" < $2 AND o.\"id\" <> $1 \
             GROUP BY o.\"Total\" ORDER BY \"sum\""
        );
    }

    #[test]
    fn what_writes_or_is_no_single_statement_is_refused() {
        for text in [
            "delete from line",
            "select id from line; select id from line",
            "with gone as (delete from line returning id) select id from gone",
            "select id into other from line",
            "select id from line for update",
            "select pg_sleep(10) as id",
            "pragma table_info(line)",
            "",
        ] {
            let found = read(text, &["id"]);
            assert!(found.is_err(), "{text}: {found:?}");
        }
    }

    #[test]
    fn tables_and_columns_must_exist() {
        let table = read("select id from lines", &["id"]).unwrap_err();
        assert_eq!(table[0].kind, ProblemKind::Table("lines".into()));
        let column = read("select l.id, l.prize from line l", &["id", "prize"]).unwrap_err();
        assert_eq!(column[0].kind, ProblemKind::Column { of: Some("line".into()), name: "prize".into() });
        assert_eq!(column[0].at, Some((1, 16)));
        let bare = read("select id from line where prize > 1", &["id"]).unwrap_err();
        assert_eq!(bare[0].kind, ProblemKind::Column { of: None, name: "prize".into() });
    }

    #[test]
    fn columns_that_the_statement_makes_are_known_behind_it() {
        let text = "with best(high) as (select max(price) from line), worst as (select min(price) as low from line) \
                    select high, low from best, worst where low < high";
        assert!(read(text, &["high", "low"]).is_ok(), "{:?}", read(text, &["high", "low"]));
        assert!(read("select s.n from (select count(*) as n from line) s", &["n"]).is_ok());
    }

    #[test]
    fn the_list_of_columns_is_held_against_the_statement() {
        assert!(read("select id, price from line", &["id"]).is_err());
        assert!(read("select id from line", &["id", "price"]).is_err());
        assert!(read("select count(*) from line", &["n"]).is_err());
        assert!(read("select * from line", &["id", "price"]).is_ok());
    }

    #[test]
    fn deep_and_long_statements_end_without_a_fault() {
        let chain = format!("select id from line where {}", vec!["id = 1"; 190].join(" or "));
        assert!(read(&chain, &["id"]).is_ok());
        let long = format!("select id from line where {}", vec!["id = 1"; 20_000].join(" or "));
        assert!(read(&long, &["id"]).is_err());
        let deep = format!("select {}id{} as id from line", "(".repeat(300), ")".repeat(300));
        let _ = read(&deep, &["id"]);
    }
}
