//! The names of a statement: what each table, alias and column stands for, and their writing as they were declared.

use super::{Database, Problem, ProblemKind, place};
use crate::program::{EntityId, Schema};
use rustc_hash::{FxHashMap, FxHashSet};
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement,
    TableAlias, TableFactor, Value, Visit as _, Visitor, VisitorMut,
};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Functions that do something besides computing a value, or look outside of the tables.
const FUNCTIONS: [&str; 9] = [
    "nextval",
    "setval",
    "currval",
    "set_config",
    "current_setting",
    "load_extension",
    "query_to_xml",
    "table_to_xml",
    "txid_current",
];

/// How such functions begin.
const PREFIXES: [&str; 4] = ["pg_", "lo_", "dblink", "sqlite_"];

/// What the names of a statement stand for.
#[derive(Default)]
pub(super) struct Scope {
    /// Tables and aliases in lower case; nothing for one that the statement itself makes.
    tables: FxHashMap<String, Option<EntityId>>,
    /// Common table expressions, in lower case.
    made: FxHashSet<String>,
    /// Columns that the statement itself names, in lower case, as first written.
    columns: FxHashMap<String, String>,
    /// Columns that the document lists and no part of the statement has named, in lower case.
    listed: FxHashSet<String>,
    /// Whether there are columns of which nothing is known, such as those of a table function.
    open: bool,
    /// The entities that are read.
    pub(super) reads: Vec<EntityId>,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
}

impl Scope {
    /// Looks through a statement whose columns the document lists.
    pub(super) fn of(query: &Query, schema: &Schema, columns: &[Arc<str>]) -> Self {
        let mut scope =
            Self { listed: columns.iter().map(|name| name.to_lowercase()).collect(), ..Self::default() };
        scope.columns.extend(columns.iter().map(|name| (name.to_lowercase(), name.to_string())));
        let mut gathering = Gathering { scope, schema };
        let _ = query.visit(&mut gathering);
        gathering.scope
    }
}

struct Gathering<'s> {
    scope: Scope,
    schema: &'s Schema,
}

impl Gathering<'_> {
    fn refuse(&mut self, expected: &str, at: Option<&Ident>) {
        self.scope.problems.push(Problem::expected(expected, at.map(|ident| ident.span.start)));
    }

    fn makes(&mut self, alias: &TableAlias) {
        for column in &alias.columns {
            self.names(&column.name);
        }
    }

    fn names(&mut self, column: &Ident) {
        self.scope.listed.remove(&column.value.to_lowercase());
        let known = self.scope.columns.entry(column.value.to_lowercase());
        known.or_insert_with(|| column.value.clone());
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let [ident] = parts[..] else {
            let first = parts.first().copied();
            return self.refuse("the name of an entity, without a schema before it", first);
        };
        let lower = ident.value.to_lowercase();
        let entity = match self.scope.made.contains(&lower) {
            true => None,
            false => {
                let mut entities = self.schema.entities.iter();
                let found = entities.position(|entity| entity.name.eq_ignore_ascii_case(&ident.value));
                let found = found.and_then(|at| EntityId::try_from(at).ok());
                let Some(found) = found else {
                    let kind = ProblemKind::Table(ident.value.clone());
                    let at = place(Some(ident.span.start));
                    return self.scope.problems.push(Problem { kind, at });
                };
                if !self.scope.reads.contains(&found) {
                    self.scope.reads.push(found);
                }
                Some(found)
            }
        };
        let known_as = alias.map_or(lower, |alias| alias.name.value.to_lowercase());
        self.scope.tables.insert(known_as, entity);
    }
}

impl Visitor for Gathering<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, _: &Statement) -> ControlFlow<()> {
        self.refuse("a statement that only reads", None);
        ControlFlow::Break(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if !query.locks.is_empty() || query.for_clause.is_some() || matches!(*query.body, SetExpr::Table(_)) {
            self.refuse("a statement that only reads, and locks nothing", None);
        }
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.scope.made.insert(cte.alias.name.value.to_lowercase());
            self.makes(&cte.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.into.is_some() {
            self.refuse("a statement that only reads: without `into`", None);
        }
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.names(alias);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                alias.iter().for_each(|alias| self.makes(alias));
                self.table(name, alias.as_ref());
            }
            TableFactor::Derived { alias: Some(alias), .. } => {
                self.makes(alias);
                self.scope.tables.insert(alias.name.value.to_lowercase(), None);
            }
            TableFactor::Derived { alias: None, .. } => {}
            TableFactor::NestedJoin { .. } => {}
            TableFactor::Table { alias, .. } => {
                self.scope.open = true;
                if let Some(alias) = alias {
                    self.scope.tables.insert(alias.name.value.to_lowercase(), None);
                }
            }
            _ => self.scope.open = true,
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression {
            let name = function.name.to_string().to_lowercase();
            let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"');
            if FUNCTIONS.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
                self.refuse("a function that only computes a value", None);
            }
        }
        ControlFlow::Continue(())
    }
}

/// Writes names as they were declared, and parameters by number.
pub(super) struct Renaming<'r> {
    pub(super) scope: &'r Scope,
    pub(super) schema: &'r Schema,
    pub(super) database: Database,
    pub(super) parameters: &'r mut Vec<Arc<str>>,
    pub(super) problems: Vec<Problem>,
}

impl Renaming<'_> {
    fn declared(&self, entity: EntityId, column: &str) -> Option<Arc<str>> {
        let entity = self.schema.entities.get(usize::from(entity))?;
        let found = entity.fields.iter().find(|field| field.name.eq_ignore_ascii_case(column))?;
        Some(found.name.clone())
    }

    fn unknown(&mut self, of: Option<EntityId>, column: &Ident) {
        let of = of.and_then(|entity| self.schema.entities.get(usize::from(entity)));
        let kind =
            ProblemKind::Column { of: of.map(|entity| entity.name.clone()), name: column.value.clone() };
        self.problems.push(Problem { kind, at: place(Some(column.span.start)) });
    }

    fn bare(&mut self, column: &mut Ident) {
        let found = self.scope.reads.iter().find_map(|entity| self.declared(*entity, &column.value));
        let lower = column.value.to_lowercase();
        let own = self.scope.columns.get(&lower).filter(|_| !self.scope.listed.contains(&lower));
        match (found, own) {
            (Some(found), _) => quote(column, &found),
            (None, Some(own)) => {
                let own = own.clone();
                quote(column, &own);
            }
            (None, None) if self.scope.open => {}
            (None, None) => self.unknown(None, column),
        }
    }

    /// The table before a column: its entity, if it is one.
    fn qualifier(&mut self, table: &mut Ident) -> Option<Option<EntityId>> {
        let known = self.scope.tables.get(&table.value.to_lowercase()).copied();
        let Some(entity) = known else {
            let kind = ProblemKind::Table(table.value.clone());
            self.problems.push(Problem { kind, at: place(Some(table.span.start)) });
            return None;
        };
        let named = entity.and_then(|entity| self.schema.entities.get(usize::from(entity)));
        if let Some(entity) = named.filter(|entity| entity.name.eq_ignore_ascii_case(&table.value)) {
            quote(table, &entity.name);
        }
        Some(entity)
    }
}

impl VisitorMut for Renaming<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        for part in &mut relation.0 {
            let sqlparser::ast::ObjectNamePart::Identifier(ident) = part else { continue };
            let mut entities = self.schema.entities.iter();
            let made = self.scope.made.contains(&ident.value.to_lowercase());
            if let Some(entity) = entities.find(|entity| entity.name.eq_ignore_ascii_case(&ident.value))
                && !made
            {
                quote(ident, &entity.name);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => {
                    let name = self.scope.columns.get(&alias.value.to_lowercase()).cloned();
                    if let Some(name) = name {
                        quote(alias, &name);
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    for part in &mut name.0 {
                        if let sqlparser::ast::ObjectNamePart::Identifier(ident) = part {
                            let _ = self.qualifier(ident);
                        }
                    }
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(column) => self.bare(column),
            Expr::CompoundIdentifier(parts) => match &mut parts[..] {
                [table, column] => match self.qualifier(table) {
                    Some(Some(entity)) => match self.declared(entity, &column.value) {
                        Some(name) => quote(column, &name),
                        None => self.unknown(Some(entity), column),
                    },
                    Some(None) => {
                        let own = self.scope.columns.get(&column.value.to_lowercase()).cloned();
                        let found =
                            self.scope.reads.iter().find_map(|entity| self.declared(*entity, &column.value));
                        if let Some(name) = own.map(Arc::from).or(found) {
                            quote(column, &name);
                        }
                    }
                    None => {}
                },
                parts => {
                    let at = parts.first().map(|part| part.span.start);
                    self.problems.push(Problem::expected("a column, or a table and a column", at));
                }
            },
            Expr::Value(value) => {
                if let Value::Placeholder(written) = &value.value {
                    let Some(name) = written.strip_prefix(':') else {
                        let at = Some(value.span.start);
                        self.problems.push(Problem::expected("parameters by name, such as `:day`", at));
                        return ControlFlow::Continue(());
                    };
                    let known = self.parameters.iter().position(|known| **known == *name);
                    let number = known.unwrap_or_else(|| {
                        self.parameters.push(name.into());
                        self.parameters.len() - 1
                    });
                    value.value = Value::Placeholder(self.database.parameter(number + 1));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Gives an item of the outermost rows the name that the document lists.
pub(super) fn alias(item: &mut SelectItem, name: &str) {
    let (expression, written) = match &*item {
        SelectItem::ExprWithAlias { expr, .. } => (expr.clone(), None),
        SelectItem::UnnamedExpr(expr) => {
            let last = match expr {
                Expr::Identifier(ident) => Some(ident),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => None,
            };
            (expr.clone(), last.map(|ident| ident.value.clone()))
        }
        _ => return,
    };
    if written.is_none_or(|written| written != name) {
        *item = SelectItem::ExprWithAlias { expr: expression, alias: Ident::with_quote('"', name) };
    }
}

fn quote(ident: &mut Ident, name: &str) {
    name.clone_into(&mut ident.value);
    ident.quote_style = Some('"');
}
