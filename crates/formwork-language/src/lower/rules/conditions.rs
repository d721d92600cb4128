//! Expressions over one row: compiled with the row in [`ROW`], what they name, and that they depend on nothing else.

use super::Rules;
use crate::expression::{
    self, Ast, AstKind, Bare, BinaryOperator, Equals, Expression, Kind, Names, SyntaxProblem, Typed,
};
use crate::functions::FUNCTIONS;
use crate::notes::{Note, NoteKind};
use crate::program::{Condition, EntityId, FieldId};
use crate::rules::ROW;
use crate::sql;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

impl Rules<'_> {
    pub(super) fn parse(&mut self, text: &str, map: &dyn Fn(u32) -> u32) -> Option<Ast> {
        match expression::parse(text, Equals::Compares, map) {
            Ok(ast) => Some(ast),
            Err(SyntaxProblem { problem, span, fix }) => {
                self.notes.push(Note {
                    kind: NoteKind::ExpressionSyntax { problem },
                    span,
                    related: None,
                    fix,
                });
                None
            }
        }
    }

    pub(super) fn parse_code(&mut self, code: &Code) -> Option<Ast> {
        let text = code.text(self.source);
        self.parse(&text, &|offset| code.source_offset(offset))
    }

    /// An expression over the fields of a row of this table, which stands in [`ROW`].
    pub(super) fn over_row(&mut self, entity: EntityId, ast: &Ast) -> Option<Typed> {
        self.is_steady(ast)?;
        let mut names = Names::new(self.schema);
        names.bare = Bare::Row(entity, ROW);
        let before = self.notes.len();
        let typed = expression::compile(ast, &names, self.notes)?;
        (self.notes.len() == before).then_some(typed)
    }

    /// A condition over the fields of a row of this table.
    pub(super) fn condition_over_row(&mut self, entity: EntityId, ast: &Ast) -> Option<Expression> {
        let typed = self.over_row(entity, ast)?;
        self.is_condition(&typed, ast.span).then_some(typed.expression)
    }

    fn is_condition(&mut self, typed: &Typed, span: Span) -> bool {
        let fits = matches!(typed.ty.kind, Kind::Boolean | Kind::Dynamic);
        if !fits {
            let (found, context) = (typed.ty.kind.to_string(), "the rule".to_owned());
            let expected = "boolean".to_owned();
            self.note(NoteKind::TypeMismatch { expected, found, context }, span);
        }
        fits
    }

    /// The same condition for a statement over the rows of the table; it must need no parameters.
    pub(super) fn condition_over_rows(&mut self, entity: EntityId, ast: &Ast) -> Option<Condition> {
        self.is_steady(ast)?;
        let mut names = Names::new(self.schema);
        names.bare = Bare::Searched(entity);
        let lowered = sql::condition(ast, &names, 0, self.notes)?;
        let constant = crate::lower::schema::constants(lowered.item, &lowered.parameters);
        if constant.is_none() {
            let what = "a value that changes, in a rule".to_owned();
            self.note(NoteKind::NotInSql { what }, ast.span);
        }
        constant
    }

    /// Whether an expression gives the same value for the same row whenever it is asked; notes what does not.
    pub(super) fn is_steady(&mut self, ast: &Ast) -> Option<()> {
        let mut varying: Option<(Arc<str>, Span)> = None;
        walk(ast, &mut |part| {
            if let AstKind::Call { name, name_span, .. } = &part.kind
                && FUNCTIONS.iter().any(|function| *function.name == **name && !function.pure)
            {
                varying.get_or_insert((name.clone(), *name_span));
            }
        });
        match varying {
            Some((name, span)) => {
                self.other("varying_rule", format!("{name}()"), span);
                None
            }
            None => Some(()),
        }
    }

    /// The fields of a table that an expression names, and those that it tests itself for being absent.
    pub(super) fn named_fields(&self, entity: EntityId, ast: &Ast) -> (Vec<FieldId>, Vec<FieldId>) {
        let fields = &self.schema.entities[usize::from(entity)].fields;
        let id_of = |ast: &Ast| {
            let name = ast.name()?;
            FieldId::try_from(fields.iter().position(|field| field.name == *name)?).ok()
        };
        let (mut named, mut tested) = (Vec::new(), Vec::new());
        walk(ast, &mut |part| {
            named.extend(id_of(part));
            match &part.kind {
                AstKind::Binary {
                    operator: BinaryOperator::Equal | BinaryOperator::NotEqual,
                    left,
                    right,
                    ..
                } => {
                    for (this, other) in [(left, right), (right, left)] {
                        tested.extend(id_of(this).filter(|_| other.is_null()));
                    }
                }
                AstKind::Binary { operator: BinaryOperator::Coalesce, left, .. } => {
                    tested.extend(id_of(left))
                }
                _ => {}
            }
        });
        for list in [&mut named, &mut tested] {
            list.sort_unstable();
            list.dedup();
        }
        (named, tested)
    }
}

/// The conditions of one rule as one.
pub(super) fn joined(asts: Vec<Ast>, any: bool) -> Option<Ast> {
    let operator = if any { BinaryOperator::Or } else { BinaryOperator::And };
    asts.into_iter().reduce(|left, right| {
        let span = left.span.to(right.span);
        let kind =
            AstKind::Binary { operator, left: Box::new(left), right: Box::new(right), operator_span: span };
        Ast { kind, span }
    })
}

/// Visits an expression and all its parts.
pub(super) fn walk(ast: &Ast, visit: &mut dyn FnMut(&Ast)) {
    let mut open = vec![ast];
    while let Some(ast) = open.pop() {
        visit(ast);
        open.extend(ast.parts());
    }
}
