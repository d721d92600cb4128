//! Names, members and indexes.

use super::{Compiler, Typed};
use crate::expression::names::{caller_members, request_members};
use crate::expression::types::{Kind, StaticType};
use crate::expression::{Ast, AstKind, Bare, Expression};
use crate::notes::{Note, NoteKind};
use crate::program::{EntityId, Slot};
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_syntax::Span;
use std::sync::Arc;

impl Compiler<'_, '_> {
    pub(super) fn name(&mut self, name: &Arc<str>, span: Span) -> Option<Typed> {
        if let Some(at) = self.locals.iter().rposition(|local| local.name == *name) {
            let ty = self.known(std::slice::from_ref(name), self.locals[at].ty.clone());
            return Some(Typed::new(Expression::Local(at as u16), ty));
        }
        let variable = self.names.variable(name).map(|bound| (bound.slot, bound.ty.clone()));
        if let Some(typed) = self.bare_field(name, variable.is_some(), span) {
            return Some(typed);
        }
        if let Some((slot, ty)) = variable {
            let ty = self.known(std::slice::from_ref(name), ty);
            return Some(Typed::new(Expression::Slot(slot), ty));
        }
        match &**name {
            "input" => self.whole_input(span),
            "caller" if self.names.caller => Some(self.object(&caller_members().map(slot_of))),
            "request" if self.names.request => Some(self.object(&request_members().map(slot_of))),
            _ => self.type_name(name).or_else(|| {
                self.unknown_name(name, span);
                None
            }),
        }
    }

    /// CEL's names of types, for `type(x) == int`; anything else of that name goes before.
    fn type_name(&self, name: &str) -> Option<Typed> {
        const NAMES: [&str; 12] = [
            "bool",
            "int",
            "uint",
            "double",
            "decimal",
            "string",
            "bytes",
            "list",
            "map",
            "null_type",
            "type",
            "uuid",
        ];
        let name = NAMES.into_iter().find(|candidate| *candidate == name)?;
        Some(Typed::new(Expression::Constant(Value::Type(name)), Kind::Type.required()))
    }

    /// A field of the searched or old row that a bare name means.
    fn bare_field(&mut self, name: &Arc<str>, shadowed: bool, span: Span) -> Option<Typed> {
        let entity_id = self.names.bare_entity()?;
        let entity = self.names.entity(entity_id)?;
        let at = entity.fields.iter().position(|field| field.name == *name)?;
        if shadowed && matches!(self.names.bare, Bare::Searched(_)) {
            let kind = NoteKind::ShadowsField { name: name.to_string(), entity: entity.name.to_string() };
            self.note(kind, span);
        }
        let field = &entity.fields[at];
        let ty = StaticType::of_field(field, self.names.schema);
        // What is wrong has been said; the value is none that runs.
        self.readable(&ty, self.compared, name, span);
        let ty = self.known(std::slice::from_ref(name), ty);
        let withheld = entity.withheld(at);
        Some(match self.names.bare {
            Bare::Row(_, slot) => {
                let row = Box::new(Expression::Slot(slot));
                Typed::new(Expression::Field { row, field: at as u16, withheld }, ty)
            }
            _ => Typed::new(Expression::Searched(at as u16), ty).with_fields(true),
        })
    }

    /// The type of a path, not optional if it is known to be present.
    fn known(&self, path: &[Arc<str>], ty: StaticType) -> StaticType {
        let optional = ty.optional && !self.is_present(path);
        StaticType { optional, ..ty }
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        let entity = self.names.bare_entity().and_then(|entity| self.names.entity(entity));
        let fields: Vec<&str> =
            entity.map_or(Vec::new(), |entity| entity.fields.iter().map(|field| &*field.name).collect());
        let roots = [
            ("input", self.names.input.is_some()),
            ("caller", self.names.caller),
            ("request", self.names.request),
        ];
        let roots = roots.iter().filter(|(_, there)| *there).map(|(root, _)| *root);
        let variables = self.names.variables.iter().map(|bound| &*bound.name);
        let locals = self.locals.iter().map(|local| &*local.name);
        let near = nearest(name, fields.iter().copied().chain(locals).chain(variables).chain(roots))
            .map(str::to_owned);
        let kind = match entity {
            Some(entity) => {
                NoteKind::UnknownField { of: entity.name.to_string(), field: name.to_owned(), nearest: near }
            }
            None => NoteKind::UnknownName { what: "variable", name: name.to_owned(), nearest: near },
        };
        self.note(kind, span);
    }

    fn whole_input(&mut self, span: Span) -> Option<Typed> {
        let Some(fields) = &self.names.input else {
            self.unknown_name("input", span);
            return None;
        };
        let members: Vec<_> =
            fields.iter().map(|field| (field.name.clone(), field.slot, field.ty.clone())).collect();
        Some(self.object(&members))
    }

    fn object(&self, members: &[(Arc<str>, Slot, StaticType)]) -> Typed {
        let entries = members.iter().map(|(name, slot, _)| {
            (Expression::Constant(Value::Text(name.clone())), Expression::Slot(*slot))
        });
        let kind = Kind::Object(members.iter().map(|(name, _, ty)| (name.clone(), ty.clone())).collect());
        Typed::new(Expression::Map(entries.collect()), kind.required())
    }

    pub(super) fn member(&mut self, ast: &Ast, of: &Ast, name: &Arc<str>, name_span: Span) -> Option<Typed> {
        if let AstKind::Name(root) = &of.kind
            && self.is_free(root)
        {
            match self.rooted(root, name, of.span, name_span) {
                Rooted::Found(typed) => {
                    let ty = self.known(&[root.clone(), name.clone()], typed.ty.clone());
                    return Some(Typed { ty, ..typed });
                }
                Rooted::Wrong => return None,
                Rooted::Other => {}
            }
        }
        if let Some(typed) = self.qualified_type(ast) {
            return Some(typed);
        }
        let compared = self.compared;
        let of_typed = self.typed(of)?;
        self.compared = compared;
        let typed = self.member_of(of_typed, name, name_span, of.span)?;
        let Some(path) = ast.path() else { return Some(typed) };
        let ty = self.known(&path, typed.ty.clone());
        Some(Typed { ty, ..typed })
    }

    /// Whether a name is no variable and no field.
    fn is_free(&self, name: &str) -> bool {
        let entity = self.names.bare_entity().and_then(|entity| self.names.entity(entity));
        self.names.variable(name).is_none()
            && !self.locals.iter().any(|local| *local.name == *name)
            && !entity.is_some_and(|entity| entity.fields.iter().any(|field| *field.name == *name))
    }

    /// `google.protobuf.Timestamp` and `google.protobuf.Duration`, which are types in CEL.
    fn qualified_type(&self, ast: &Ast) -> Option<Typed> {
        let path = ast.path()?;
        let name = match path.iter().map(|word| &**word).collect::<Vec<_>>().as_slice() {
            ["google", "protobuf", "Timestamp"] => "google.protobuf.Timestamp",
            ["google", "protobuf", "Duration"] => "google.protobuf.Duration",
            _ => return None,
        };
        self.is_free(&path[0])
            .then(|| Typed::new(Expression::Constant(Value::Type(name)), Kind::Type.required()))
    }

    /// Members of `input`, `caller` and `request`, and the searched entity's own name.
    fn rooted(&mut self, root: &Arc<str>, name: &Arc<str>, root_span: Span, name_span: Span) -> Rooted {
        let members: Vec<(Arc<str>, Slot, StaticType)> = match &**root {
            "input" => match &self.names.input {
                Some(fields) => {
                    fields.iter().map(|field| (field.name.clone(), field.slot, field.ty.clone())).collect()
                }
                None => return Rooted::Other,
            },
            "caller" if self.names.caller => caller_members().map(slot_of).to_vec(),
            "request" if self.names.request => request_members().map(slot_of).to_vec(),
            _ => return self.qualified_field(root, name, root_span, name_span),
        };
        if let Some((_, slot, ty)) = members.iter().find(|(member, ..)| member == name) {
            return Rooted::Found(Typed::new(Expression::Slot(*slot), ty.clone()));
        }
        self.unknown_member(root, name, name_span, members.iter().map(|(member, ..)| &**member));
        Rooted::Wrong
    }

    /// `E.f` of the searched entity, where `f` is meant.
    fn qualified_field(
        &mut self,
        root: &Arc<str>,
        name: &Arc<str>,
        root_span: Span,
        name_span: Span,
    ) -> Rooted {
        let entity = self.names.bare_entity().and_then(|entity| self.names.entity(entity));
        let Some(entity) = entity.filter(|entity| entity.name == *root) else { return Rooted::Other };
        if !entity.fields.iter().any(|field| field.name == *name) {
            self.unknown_member(root, name, name_span, entity.fields.iter().map(|field| &*field.name));
            return Rooted::Wrong;
        }
        let span = root_span.to(name_span);
        let kind = NoteKind::QualifiedField { entity: root.to_string(), field: name.to_string() };
        self.notes.push(Note { kind, span, related: None, fix: Some((span, name.to_string())) });
        Rooted::Wrong
    }

    fn unknown_member<'m>(
        &mut self,
        of: &str,
        name: &str,
        span: Span,
        members: impl Iterator<Item = &'m str>,
    ) {
        let nearest = nearest(name, members).map(str::to_owned);
        let kind = NoteKind::UnknownField { of: of.to_owned(), field: name.to_owned(), nearest };
        self.note(kind, span);
    }

    /// `a.b` of a value whose type is known.
    pub(super) fn member_of(
        &mut self,
        of: Typed,
        name: &Arc<str>,
        span: Span,
        of_span: Span,
    ) -> Option<Typed> {
        let uses_fields = of.uses_fields;
        let ty = match &of.ty.kind {
            Kind::Row(entity, entity_name) => {
                return self.row_field(*entity, entity_name.clone(), of, name, span);
            }
            Kind::Object(members) => match members.iter().find(|(member, _)| member == name) {
                Some((_, ty)) => ty.clone().or_absent(of.ty.optional),
                None => {
                    let members = members.clone();
                    self.unknown_member(
                        "the object",
                        name,
                        span,
                        members.iter().map(|(member, _)| &**member),
                    );
                    return None;
                }
            },
            Kind::Map(_, value) => (**value).clone().or_absent(true),
            Kind::Dynamic | Kind::Null => Kind::Dynamic.optional(),
            _ => {
                self.mismatch("object", &of.ty, &format!("`.{name}`"), of_span);
                return None;
            }
        };
        let expression = Expression::Member { of: Box::new(of.expression), name: name.clone() };
        Some(Typed { expression, ty, uses_fields })
    }

    fn row_field(
        &mut self,
        entity: EntityId,
        entity_name: Arc<str>,
        of: Typed,
        name: &Arc<str>,
        span: Span,
    ) -> Option<Typed> {
        let fields = self.names.entity(entity).map_or(&[][..], |entity| &entity.fields);
        let Some(at) = fields.iter().position(|field| field.name == *name) else {
            self.unknown_member(&entity_name, name, span, fields.iter().map(|field| &*field.name));
            return None;
        };
        let field = &fields[at];
        let ty = StaticType::of_field(field, self.names.schema).or_absent(of.ty.optional);
        let compared = self.compared;
        if !self.readable(&ty, compared, name, span) {
            return None;
        }
        let withheld = self.names.entity(entity).and_then(|entity| entity.withheld(at));
        let expression = Expression::Field { row: Box::new(of.expression), field: at as u16, withheld };
        Some(Typed { expression, ty, uses_fields: of.uses_fields })
    }

    pub(super) fn index(&mut self, of: &Ast, index: &Ast) -> Option<Typed> {
        let of_typed = self.typed(of);
        let index_typed = self.typed(index);
        let (of_typed, index_typed) = (of_typed?, index_typed?);
        let uses_fields = of_typed.uses_fields || index_typed.uses_fields;
        let fits = |key: &Kind, wanted: &Kind| {
            matches!(key, Kind::Dynamic)
                || matches!(wanted, Kind::Dynamic)
                || super::operators::comparable(key, wanted)
        };
        let (ty, wanted) = match &of_typed.ty.kind {
            Kind::List(element) => ((**element).clone(), Kind::Integer),
            Kind::Map(key, value) => ((**value).clone(), key.kind.clone()),
            Kind::Object(members) => {
                if let Some(Value::Text(name)) = index_typed.constant() {
                    let name = name.clone();
                    return self.member_of(of_typed, &name, index.span, of.span);
                }
                (super::common(members.iter().map(|(_, ty)| ty)), Kind::Text)
            }
            Kind::Dynamic | Kind::Null => (Kind::Dynamic.optional(), Kind::Dynamic),
            _ => {
                self.mismatch("list", &of_typed.ty, "`[]`", of.span);
                return None;
            }
        };
        if !fits(&index_typed.ty.kind, &wanted) {
            self.mismatch(&wanted.to_string(), &index_typed.ty, "`[]`", index.span);
            return None;
        }
        let expression =
            Expression::Index { of: Box::new(of_typed.expression), index: Box::new(index_typed.expression) };
        Some(Typed { expression, ty: ty.or_absent(true), uses_fields })
    }
}

enum Rooted {
    Found(Typed),
    Wrong,
    Other,
}

fn slot_of((name, slot, ty): (&'static str, Slot, StaticType)) -> (Arc<str>, Slot, StaticType) {
    (name.into(), slot, ty)
}
