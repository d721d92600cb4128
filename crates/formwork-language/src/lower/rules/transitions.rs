//! ``**Transitions:** `status` goes `a` → `b` → `c`; `b` → `a`, starts `a` ``.

use super::{Rules, otherwise};
use crate::expression::Expression;
use crate::notes::NoteKind;
use crate::program::{EntityId, FieldId};
use crate::rules::Transitions;
use crate::steps::clause::{Misread, Reader};
use crate::value::Value;
use formwork_model::names::nearest;
use formwork_model::values::Type;
use formwork_syntax::Code;
use std::sync::Arc;

const NOTATION: &str = "`field` goes `a` → `b` → `c`; `b` → `a`";

impl Rules<'_> {
    pub(super) fn transitions(&mut self, at: EntityId, reader: &mut Reader<'_>) -> Result<(), Misread> {
        let code = reader.code(NOTATION)?;
        // Behind the field stands *goes*; in a list of ways its name may be left out from the second item on.
        let goes = reader.word("goes") || reader.word("go") || reader.sign(':');
        let known = self.schema.entities[usize::from(at)].rules.transitions.last().map(|known| known.field);
        let (field, mut first) = match (goes, known) {
            (true, _) => match self.field(at, &code) {
                Some(field) => (field, None),
                None => return Ok(()),
            },
            (false, Some(field)) => (field, Some(code)),
            (false, None) => return Err(reader.misread(NOTATION)),
        };
        let mut read = Transitions { field, starts: Vec::new(), ways: Vec::new(), otherwise: None };
        let mut named_first = None;
        loop {
            while reader.sign(';') || reader.sign(',') || reader.sign('.') || reader.word("and") {}
            if first.is_none() && reader.is_done() {
                break;
            }
            if reader.word("starts") || reader.word("start") {
                let _ = reader.word("as") || reader.word("in");
                for code in reader.alternatives("the states of a new row in backticks")? {
                    read.starts.extend(self.state(at, field, &code));
                }
                continue;
            }
            if let Some(outcome) = otherwise(reader, self.source)? {
                read.otherwise = Some(outcome);
                continue;
            }
            let code = match first.take() {
                Some(code) => code,
                None => reader.code("a state, or `starts`")?,
            };
            self.chain(at, &mut read, &mut named_first, code, reader)?;
        }
        self.keep_transitions(at, read, named_first);
        Ok(())
    }

    /// `` `a` → `b` or `c` → `d` ``
    fn chain(
        &mut self,
        at: EntityId,
        read: &mut Transitions,
        named_first: &mut Option<Arc<str>>,
        code: Code,
        reader: &mut Reader<'_>,
    ) -> Result<(), Misread> {
        let mut from: Vec<Arc<str>> = self.state(at, read.field, &code).into_iter().collect();
        while reader.word("or") {
            let code = reader.code("a state in backticks")?;
            from.extend(self.state(at, read.field, &code));
        }
        if named_first.is_none() {
            *named_first = from.first().cloned();
        }
        let mut steps = 0;
        while arrow(reader) {
            steps += 1;
            let mut to = Vec::new();
            for code in reader.alternatives("a state in backticks")? {
                to.extend(self.state(at, read.field, &code));
            }
            read.ways.extend(from.iter().flat_map(|from| to.iter().map(|to| (from.clone(), to.clone()))));
            from = to;
        }
        if steps == 0 { Err(reader.misread("an arrow: `a` → `b`")) } else { Ok(()) }
    }

    /// A state that the field can have.
    fn state(&mut self, at: EntityId, field: FieldId, code: &Code) -> Option<Arc<str>> {
        let text = code.text(self.source);
        let name = text.trim().trim_matches(['"', '\'']).to_owned();
        let target = &self.schema.entities[usize::from(at)].fields[usize::from(field)];
        let allowed = match (&target.ty, &target.rules.one_of) {
            (Type::Enum(values), _) | (Type::String, Some(values)) => Some(Arc::clone(values)),
            (Type::String, None) => None,
            (ty, _) => {
                let (expected, found) = ("enum or string".to_owned(), ty.to_string());
                let context = "`Transitions`".to_owned();
                self.note(NoteKind::TypeMismatch { expected, found, context }, code.span());
                return None;
            }
        };
        if let Some(values) = allowed
            && !values.iter().any(|value| **value == *name)
        {
            let near = nearest(&name, values.iter().map(|value| &**value)).map(str::to_owned);
            self.note(NoteKind::UnknownName { what: "state", name, nearest: near }, code.span());
            return None;
        }
        Some(name.into())
    }

    /// Adds to what is known of the field. A row that names no state begins in the first one.
    fn keep_transitions(&mut self, at: EntityId, mut read: Transitions, first: Option<Arc<str>>) {
        let table = &mut self.schema.entities[usize::from(at)];
        let known = table.rules.transitions.iter_mut().find(|known| known.field == read.field);
        let kept = match known {
            Some(known) => {
                known.ways.append(&mut read.ways);
                known.starts.append(&mut read.starts);
                known.otherwise = known.otherwise.take().or(read.otherwise);
                return;
            }
            None => {
                if read.starts.is_empty() {
                    read.starts.extend(first);
                }
                table.rules.transitions.push(read);
                table.rules.transitions.last()
            }
        };
        let field = kept.map(|kept| (kept.field, kept.starts.clone()));
        if let Some((field, starts)) = field
            && let Some(column) = table.fields.get_mut(usize::from(field))
            && let (None, Some(start)) = (&column.default, starts.first())
            && !column.optional
        {
            column.default = Some(Expression::Constant(Value::Text(start.clone())));
        }
    }
}

fn arrow(reader: &mut Reader<'_>) -> bool {
    if reader.sign('→') || reader.sign('⟶') || reader.word("to") {
        return true;
    }
    reader.signs(['-', '>']) || reader.signs(['=', '>'])
}
