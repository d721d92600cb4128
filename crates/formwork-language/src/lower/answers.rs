//! Holds what a step answers against Output, and objects that it sets against their field, and brings each value to its declared type, so that the bytes are what the
//! document says: a literal part by part, anything else by its type.
//!
//! Only answers with the declared status, or with any 2xx where none is declared, are held against it; what shows its
//! shape at run time only (JSON, an answer of another service) passes. Source: language reference, *Operations*.

use crate::constraint::{FieldRules, Member};
use crate::expression::{self, Ast, AstKind, Equals, Expression, Kind, StaticType, Typed};
use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{Answered, BodyShape, EntityId, FieldSchema, InputField, OutputShape};
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_model::values::Type;
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// A member that an answered object may or must have.
#[derive(Clone)]
struct Wanted {
    name: Arc<str>,
    ty: Type,
    optional: bool,
    members: Arc<[Member]>,
    /// Of what it is a member; nothing for what Output declares.
    of: Option<Arc<str>>,
}

impl Wanted {
    fn of(field: &InputField) -> Self {
        Self::new(field.name.clone(), field.ty.clone(), field.optional, &field.rules)
    }

    fn new(name: Arc<str>, ty: Type, optional: bool, rules: &FieldRules) -> Self {
        Self { name, ty, optional, members: rules.members.clone(), of: None }
    }

    /// The members of an object type; those without a rule of their own may be left out.
    fn inside(&self, of: &[(Arc<str>, Type)]) -> Vec<Self> {
        let rules = &self.members;
        let wanted = |(name, ty): &(Arc<str>, Type)| {
            let member = match rules.iter().find(|rule| rule.name == *name) {
                Some(rule) => {
                    let optional = rule.optional || rule.default.is_some();
                    Self::new(name.clone(), ty.clone(), optional, &rule.rules)
                }
                None => Self::new(name.clone(), ty.clone(), true, &FieldRules::default()),
            };
            Self { of: self.of.as_ref().map(|_| self.name.clone()), ..member }
        };
        of.iter().map(wanted).collect()
    }
}

impl Lowering<'_> {
    /// Says what Output declares.
    pub(super) fn set_output(&mut self, output: &OutputShape) {
        self.output = Some(Arc::new(output.clone()));
    }

    /// An answer as Output declares it; notes what does not fit.
    pub(crate) fn as_declared(
        &mut self,
        code: &Code,
        status: u16,
        (body, ty): (Answered, StaticType),
    ) -> (Answered, StaticType) {
        let declared = self.output.clone().filter(|output| {
            let held = output.status.map_or((200..300).contains(&status), |declared| declared == status);
            held && self.carried.is_empty()
        });
        let (Some(output), Answered::Value(_)) = (declared, &body) else { return (body, ty) };
        let Some(ast) = self.parse(code, Equals::Refused) else { return (body, ty) };
        let found = match output.body {
            BodyShape::One => match self.wanted(&output) {
                Some(wanted) => self.one(&ast, &ty, &output, &wanted),
                None => None,
            },
            BodyShape::Many => match (&ast.kind, self.wanted(&output)) {
                (AstKind::List(items), Some(wanted)) => {
                    for item in items {
                        if let Some(typed) = self.typed(item) {
                            self.one(item, &typed.ty, &output, &wanted);
                        }
                    }
                    None
                }
                _ => {
                    let fits = matches!(ty.kind, Kind::List(_) | Kind::Dynamic | Kind::Null);
                    (!fits).then(|| self.unfit("list", &ty, ast.span));
                    None
                }
            },
            _ => None,
        };
        match found {
            Some(expression) => (Answered::Value(expression), ty),
            None => (body, ty),
        }
    }

    /// The members that Output declares: its fields, else those of its entity, none of which an object must have.
    fn wanted(&self, output: &OutputShape) -> Option<Vec<Wanted>> {
        if !output.fields.is_empty() {
            return Some(output.fields.iter().map(Wanted::of).collect());
        }
        let table = self.world.table(output.entity?);
        let shown = table.fields.iter().filter(|field| !field.hidden);
        Some(
            shown
                .map(|field| Wanted::new(field.name.clone(), field.ty.clone(), true, &field.rules))
                .collect(),
        )
    }

    /// A value of a field, the members of its objects brought to their types; notes what does not fit.
    pub(super) fn member_wise(&mut self, ast: &Ast, value: Typed, target: &FieldSchema) -> Typed {
        let is_nested = match &target.ty {
            Type::Object(members) => !members.is_empty(),
            Type::List(of) => matches!(&**of, Type::Object(members) if !members.is_empty()),
            _ => false,
        };
        let is_literal = matches!(ast.kind, AstKind::Map(_) | AstKind::List(_));
        let fits = matches!(
            (&ast.kind, &target.ty),
            (AstKind::Map(_), Type::Object(_)) | (AstKind::List(_), Type::List(_))
        );
        if !(is_nested && is_literal && fits) {
            return value;
        }
        let (name, rules) = (target.name.clone(), &target.rules);
        let wanted = Wanted::new(name.clone(), target.ty.clone(), target.optional, rules);
        let wanted = Wanted { of: Some(name), ..wanted };
        let Typed { ty, uses_fields, .. } = value.clone();
        Typed { expression: self.member_fits(ast, value, &wanted), ty, uses_fields }
    }

    /// One answered object.
    fn one(
        &mut self,
        ast: &Ast,
        ty: &StaticType,
        output: &OutputShape,
        wanted: &[Wanted],
    ) -> Option<Expression> {
        match (&ty.kind, output.entity) {
            (Kind::Row(entity, _), Some(declared)) if *entity != declared => {
                let expected = format!("`{}`", self.world.table(declared).name);
                self.unfit(&expected, ty, ast.span);
                None
            }
            (Kind::Row(entity, _), _) => {
                self.row_has(*entity, output, ast.span);
                None
            }
            (Kind::Object(_) | Kind::Map(..), _) => self.object(ast, ty, wanted, None),
            (Kind::Dynamic | Kind::Null, _) => None,
            _ => {
                self.unfit("object", ty, ast.span);
                None
            }
        }
    }

    /// Whether a row has the fields that Output lists.
    fn row_has(&mut self, entity: EntityId, output: &OutputShape, span: Span) {
        let table = self.world.table(entity);
        for field in &output.fields {
            let column = table.fields.iter().find(|column| column.name == field.name);
            if column.is_none_or(|column| column.hidden) && !field.optional {
                self.lacks(&field.name, span);
            }
        }
    }

    /// An object; `of` is the field that it is a value of, nothing for an answer.
    fn object(
        &mut self,
        ast: &Ast,
        ty: &StaticType,
        wanted: &[Wanted],
        of: Option<&Arc<str>>,
    ) -> Option<Expression> {
        let AstKind::Map(entries) = &ast.kind else {
            if let Kind::Object(members) = &ty.kind {
                self.known_object(&members.clone(), wanted, ast.span);
            }
            return None;
        };
        let mut given: Vec<Arc<str>> = Vec::new();
        let mut written = Vec::new();
        for (key, value) in entries {
            let AstKind::Literal(Value::Text(name)) = &key.kind else { return None };
            given.push(name.clone());
            let typed = self.typed(value)?;
            let expression = match wanted.iter().find(|wanted| wanted.name == *name) {
                Some(wanted) => self.member_fits(value, typed, wanted),
                None => {
                    let near = nearest(name, wanted.iter().map(|wanted| &*wanted.name)).map(str::to_owned);
                    let kind = NoteKind::UnknownField {
                        of: of.map_or("Output".to_owned(), ToString::to_string),
                        field: name.to_string(),
                        nearest: near,
                    };
                    self.note(kind, key.span);
                    typed.expression
                }
            };
            written.push((Expression::Constant(Value::Text(name.clone())), expression));
        }
        for wanted in wanted.iter().filter(|wanted| !wanted.optional && !given.contains(&wanted.name)) {
            self.lacks_of(of, &wanted.name, ast.span);
        }
        Some(Expression::Map(written))
    }

    /// An object that is no literal, by the types of its members.
    fn known_object(&mut self, members: &[(Arc<str>, StaticType)], wanted: &[Wanted], span: Span) {
        for wanted in wanted {
            match members.iter().find(|(name, _)| *name == wanted.name) {
                None if wanted.optional => {}
                None => self.lacks(&wanted.name, span),
                Some((_, ty)) => {
                    let nothing = Typed {
                        expression: Expression::Slot(0),
                        ty: ty.clone().or_absent(false),
                        uses_fields: false,
                    };
                    self.value_fits(nothing, wanted, span);
                }
            }
        }
    }

    /// The value of a member, brought to its type.
    fn member_fits(&mut self, ast: &Ast, typed: Typed, wanted: &Wanted) -> Expression {
        match (&ast.kind, &wanted.ty) {
            (AstKind::Map(_), Type::Object(of)) if !of.is_empty() => {
                let inside = wanted.inside(of);
                let owner = wanted.of.as_ref().map(|_| &wanted.name);
                self.object(ast, &typed.ty, &inside, owner).unwrap_or(typed.expression)
            }
            (AstKind::List(items), Type::List(of)) if !items.is_empty() => {
                let item = Wanted {
                    name: wanted.name.clone(),
                    ty: (**of).clone(),
                    optional: false,
                    members: wanted.members.clone(),
                    of: wanted.of.clone(),
                };
                let mut all = Vec::with_capacity(items.len());
                for ast in items {
                    let Some(typed) = self.typed(ast) else { return typed.expression };
                    all.push(self.member_fits(ast, typed, &item));
                }
                Expression::List(all)
            }
            _ => self.value_fits(typed, wanted, ast.span),
        }
    }

    fn value_fits(&mut self, typed: Typed, wanted: &Wanted, span: Span) -> Expression {
        if has_rows(&typed.ty.kind) || is_open(&wanted.ty) {
            return typed.expression;
        }
        if let (Kind::Object(members), Type::Object(of)) = (&typed.ty.kind, &wanted.ty) {
            let inside = wanted.inside(of);
            self.known_object(&members.clone(), &inside, span);
            return typed.expression;
        }
        // Whether it fits shows at run time.
        if matches!(typed.ty.kind, Kind::Dynamic | Kind::Map(..)) {
            return typed.expression;
        }
        let before = typed.expression.clone();
        let context = match &wanted.of {
            Some(of) => format!("`{}` of `{of}`", wanted.name),
            None => format!("`{}` of Output", wanted.name),
        };
        match expression::coerce(typed, &wanted.ty, wanted.optional, self.world.schema, &context) {
            Ok(expression) => expression,
            Err(kind) => {
                self.note(kind, span);
                before
            }
        }
    }

    /// The type of a part of what has been compiled before.
    fn typed(&self, ast: &Ast) -> Option<Typed> {
        expression::compile(ast, &self.names, &mut Vec::new())
    }

    fn lacks_of(&mut self, of: Option<&Arc<str>>, name: &str, span: Span) {
        match of {
            Some(of) => {
                let kind = NoteKind::FieldNotSet { entity: of.to_string(), field: name.to_owned() };
                self.note(kind, span);
            }
            None => self.lacks(name, span),
        }
    }

    fn lacks(&mut self, name: &str, span: Span) {
        self.note(NoteKind::Other { entry: "answer_lacks", subject: name.to_owned() }, span);
    }

    fn unfit(&mut self, expected: &str, found: &StaticType, span: Span) {
        let kind = NoteKind::TypeMismatch {
            expected: expected.to_owned(),
            found: found.kind.to_string(),
            context: "Output".to_owned(),
        };
        self.note(kind, span);
    }
}

/// Whether rows stand in it, which are sent by their own fields.
fn has_rows(kind: &Kind) -> bool {
    match kind {
        Kind::Row(..) => true,
        Kind::List(of) => has_rows(&of.kind),
        _ => false,
    }
}

/// Whether a type takes anything.
fn is_open(ty: &Type) -> bool {
    match ty {
        Type::Json | Type::Named(_) | Type::Unknown(_) => true,
        Type::Object(members) => members.is_empty(),
        Type::List(of) => is_open(of),
        _ => false,
    }
}
