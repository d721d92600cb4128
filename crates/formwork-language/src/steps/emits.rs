//! Events: ``Emits `event` [about the `x`] [with `f = EXPR`].``

use crate::lower::Lowering;
use crate::notes::NoteKind;
use crate::program::{EntityId, Instruction, Slot};
use crate::steps::clause::{Clause, Misread, TailKind};
use crate::steps::{Action, Form, Grammar};
use formwork_syntax::Code;

/// ``Emits `event` …``
pub(crate) static EMITS: Form = Form {
    name: "Emits",
    heads: &["emits"],
    notation: "Emits `event` [about the `x`] [with `f = EXPR`].",
    tails: &[TailKind::About, TailKind::With],
    grammar: Grammar::Tails(read),
};

#[derive(Debug)]
struct Emits {
    event: Code,
    about: Option<Code>,
    members: Vec<Code>,
}

fn read(clause: &mut Clause<'_>) -> Result<Box<dyn Action>, Misread> {
    let about = clause.one_code(TailKind::About, "the variable in backticks")?;
    let members =
        clause.codes(TailKind::With, "a member in backticks, such as `f = EXPR`")?.unwrap_or_default();
    let mut reader = clause.take_object();
    let _ = reader.word("event");
    let event = reader.code("the name of an event in backticks")?;
    reader.end("`about` or `with`")?;
    Ok(Box::new(Emits { event, about, members }))
}

impl Emits {
    /// The row that the event is about: the variable that the step names, else the one named like the event's first
    /// word, else the row written last.
    fn row(&self, cx: &mut Lowering<'_>, event: &str) -> Option<(Slot, EntityId)> {
        if let Some(about) = &self.about {
            return cx.row_variable(about);
        }
        let first = event.split(['.', ':', '/']).next().unwrap_or(event);
        cx.row_named(first).or_else(|| cx.row_named(first.split('_').next()?)).or_else(|| cx.last_written())
    }
}

impl Action for Emits {
    fn lower(&self, cx: &mut Lowering<'_>) {
        let name = self.event.text(cx.source()).into_owned();
        let row = self.row(cx, &name);
        let mut given = cx.members(&self.members);
        let (event, declared) = cx.event(&self.event, &given);
        let mut data = Vec::new();
        for member in declared {
            let at = given.iter().position(|(name, _)| *name == member);
            let field = || row.and_then(|(slot, entity)| cx.row_field(slot, entity, &member));
            match at.map(|at| given.remove(at).1).or_else(field) {
                Some(value) => data.push((member, value)),
                None => {
                    let event = name.clone();
                    let kind = NoteKind::EventDataMissing { event, member: member.to_string() };
                    cx.note(kind, self.event.span());
                }
            }
        }
        for (member, _) in given {
            let subject = format!("{name}: {member}");
            cx.note(NoteKind::Other { entry: "event_member_not_declared", subject }, self.event.span());
        }
        let about = row.map(|(slot, _)| slot);
        cx.push(Instruction::Emit { event, data, about });
        cx.emits(&name);
    }
}
