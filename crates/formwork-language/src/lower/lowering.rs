//! The state in which the steps of one behaviour are lowered: instructions, slots, variables in scope, notes.
//! Reading expressions and naming rows is in `rows`; this file keeps the bookkeeping.

use crate::behaviour::Touches;
use crate::expression::{Ast, Bound, Expression, Kind, Names, StaticType};
use crate::lower::carried::Carried;
use crate::lower::costs::Costs;
use crate::lower::grants::Held;
use crate::lower::parts::Part;
use crate::lower::{Shared, World, add_once};
use crate::notes::{Note, NoteKind};
use crate::program::{
    Answered, Code as Instructions, EntityId, Failure, Instruction, Lock, MessagePart, OutputShape, Slot,
    Statement, StatementId,
};
use crate::steps::clause::Refusal;
use crate::value::Value;
use formwork_model::facts::Outcome;
use formwork_syntax::{Code, Fragment, Fragments, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// How many rows a standing *every* takes in one transaction.
const BATCH: u32 = 1_000;

/// Names that no variable may have.
const RESERVED: [&str; 9] =
    ["input", "caller", "request", "response", "event", "true", "false", "null", "in"];

/// What a behaviour could answer when no step says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    /// Its shape.
    pub(crate) kind: AnswerKind,
    /// Of which table.
    pub(crate) entity: EntityId,
    /// Where it is.
    pub(crate) slot: Slot,
}

/// The shapes of an [`Answer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerKind {
    /// A row.
    Row,
    /// A row that was created if the slot is true, else updated.
    Upserted(Slot),
    /// A list.
    List,
    /// A page.
    Page,
}

/// What a behaviour is lowered for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Setting {
    /// A standing step.
    pub(crate) job: bool,
    /// Where the operation is declared whose behaviour this is.
    pub(crate) operation: Option<Span>,
    /// Whether who-may steps are asked: not of the system itself, nor where something is carried out.
    pub(crate) asks: bool,
    /// The status of an answer that names none.
    pub(crate) status: Option<u16>,
    /// The hidden input slots `cursor` and `limit`.
    pub(crate) page: Option<(Slot, Slot)>,
}

/// Where a block began, for [`Lowering::close_scope`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    variables: usize,
    present: usize,
    candidates: usize,
}

/// The jumps out of the rounds of a loop: behind it, and on to its next round.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    /// `Leaves the loop.`
    pub(crate) out: Vec<usize>,
    /// `Goes on with the next.`
    pub(crate) on: Vec<usize>,
    /// Whether each round is a transaction of its own.
    own: bool,
}

/// The state in which steps are lowered.
pub(crate) struct Lowering<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) shared: &'w mut Shared,
    pub(super) notes: Vec<Note>,
    pub(super) names: Names<'w>,
    pub(super) setting: Setting,
    pub(super) code: Instructions,
    next_slot: usize,
    span: Span,
    at_edge: bool,
    guarded: Vec<usize>,
    guarded_present: Vec<usize>,
    pub(super) loops: Vec<Ways>,
    /// How many loops stand around the step, those around what is carried out included.
    rounds: usize,
    /// What the operation costs.
    pub(super) costs: Option<Costs>,
    /// What is carried out, innermost last.
    pub(super) carried: Vec<Carried>,
    /// Slots of variables that `Sets` may give another value.
    settable: FxHashSet<Slot>,
    /// Slots of rows that a step without `as` created, for names that several of them share.
    pub(super) implicit: FxHashSet<Slot>,
    /// The rows that are sent with an answered row.
    pub(super) parts: Vec<Part>,
    /// What Output declares; nothing for steps that answer nobody.
    pub(super) output: Option<Arc<OutputShape>>,
    /// Inputs that travel in the path.
    pub(super) path_inputs: Vec<Arc<str>>,
    pub(super) last_written: Option<(Slot, EntityId)>,
    pub(super) candidates: Vec<Answer>,
    pub(super) answered_entity: Option<EntityId>,
    /// The conditions of the grants of section 9.
    pub(super) held: Option<Held<'w>>,
    writing: bool,
    pub(super) touches: Touches,
    /// The conditions that have been lowered, by their place: what they prove is asked later.
    pub(super) conditions: FxHashMap<Span, Ast>,
    errors: Errors,
}

/// The errors that each sentence can raise.
pub(super) type Errors = FxHashMap<Span, Vec<Outcome>>;

/// What lowering gives.
pub(crate) struct Finished {
    /// The instructions.
    pub(crate) code: Instructions,
    /// What it uses.
    pub(crate) touches: Touches,
    /// The errors of each sentence.
    pub(crate) errors: FxHashMap<Span, Vec<Outcome>>,
    /// Whether it writes.
    pub(crate) writes: bool,
    /// The entity of the rows that it answers.
    pub(crate) answered_entity: Option<EntityId>,
}

impl<'w> Lowering<'w> {
    /// Begins a behaviour whose names are given; variables follow from `next_slot` on.
    pub(crate) fn new(
        world: &'w World<'w>,
        shared: &'w mut Shared,
        names: Names<'w>,
        next_slot: usize,
        setting: Setting,
    ) -> Self {
        Self {
            world,
            shared,
            notes: Vec::new(),
            names,
            setting,
            code: Instructions::default(),
            next_slot,
            span: Span::default(),
            at_edge: true,
            guarded: Vec::new(),
            guarded_present: Vec::new(),
            loops: Vec::new(),
            rounds: 0,
            costs: None,
            carried: Vec::new(),
            settable: FxHashSet::default(),
            implicit: FxHashSet::default(),
            parts: Vec::new(),
            output: None,
            path_inputs: Vec::new(),
            last_written: None,
            candidates: Vec::new(),
            answered_entity: None,
            held: None,
            writing: false,
            touches: Touches::default(),
            conditions: FxHashMap::default(),
            errors: FxHashMap::default(),
        }
    }

    /// Ends the behaviour; the notes are added to `notes`.
    pub(crate) fn finish(mut self, notes: &mut Vec<Note>) -> Finished {
        if self.next_slot > usize::from(Slot::MAX) {
            let kind = NoteKind::Other { entry: "too_many_variables", subject: self.next_slot.to_string() };
            self.note(kind, self.span);
        }
        self.hold_was_met();
        self.end_costs();
        super::divided::check(self.world.source, &self.code, &mut self.notes);
        super::withheld::check(self.world.source, &self.code, &mut self.notes);
        self.code.slots = Slot::try_from(self.next_slot).unwrap_or(Slot::MAX);
        notes.append(&mut self.notes);
        Finished {
            code: self.code,
            touches: self.touches,
            errors: self.errors,
            writes: self.writing,
            answered_entity: self.answered_entity,
        }
    }

    /// The document.
    pub(crate) fn source(&self) -> &'w str {
        self.world.source
    }

    /// The step that is lowered.
    pub(crate) fn step_span(&self) -> Span {
        self.span
    }

    /// Says which inputs travel in the path.
    pub(crate) fn set_path_inputs(&mut self, names: Vec<Arc<str>>) {
        self.path_inputs = names;
    }

    /// What behaviours may refer to.
    pub(super) fn world(&self) -> &'w World<'w> {
        self.world
    }

    /// Whether who-may steps are asked.
    pub(crate) fn asks_who_may(&self) -> bool {
        self.setting.asks
    }

    /// Whether this is a standing step.
    pub(crate) fn is_job(&self) -> bool {
        self.setting.job
    }

    /// Whether only who-may steps came before, which the edge has decided.
    pub(crate) fn is_decided_by_edge(&self) -> bool {
        self.at_edge
    }

    /// A step other than who may has come.
    pub(crate) fn leave_edge(&mut self) {
        self.at_edge = false;
    }

    /// Begins a step.
    pub(crate) fn begin_step(&mut self, span: Span) {
        self.span = span;
    }

    /// Adds a note.
    pub(crate) fn note(&mut self, kind: NoteKind, span: Span) {
        self.notes.push(Note { kind, span, related: None, fix: None });
    }

    /// Whether nothing has been found wrong so far.
    pub(crate) fn is_sound(&self) -> bool {
        self.notes.is_empty()
    }

    /// Adds a note about the whole step.
    pub(crate) fn note_here(&mut self, kind: NoteKind) {
        self.note(kind, self.span);
    }

    /// Appends an instruction.
    pub(crate) fn push(&mut self, instruction: Instruction) {
        self.hold_before(&instruction);
        self.writing |= instruction.lasts()
            || matches!(instruction, Instruction::Reserve(_))
            || matches!(&instruction, Instruction::Call(call) if !call.only_reads());
        self.code.instructions.push(instruction);
        self.code.spans.push(self.span);
    }

    /// The index of the next instruction.
    pub(crate) fn here(&self) -> usize {
        self.code.instructions.len()
    }

    /// Appends a jump; [`Self::patch`] says where to.
    pub(crate) fn jump(&mut self) -> usize {
        self.push(Instruction::Jump { target: 0 });
        self.here() - 1
    }

    /// Appends a jump that is taken unless a condition holds.
    pub(crate) fn jump_unless(&mut self, condition: Expression) -> usize {
        self.push(Instruction::JumpUnless { condition, target: 0 });
        self.here() - 1
    }

    /// Appends a jump that is taken if there is a row.
    pub(crate) fn jump_if_present(&mut self, slot: Slot) -> usize {
        self.push(Instruction::JumpIfPresent { slot, target: 0 });
        self.here() - 1
    }

    /// Lets a jump, or the end of a loop, lead here.
    pub(crate) fn patch(&mut self, jump: usize) {
        self.patch_to(jump, self.here());
    }

    /// Lets a jump, or the end of a loop, lead to an instruction.
    pub(crate) fn patch_to(&mut self, jump: usize, to: usize) {
        match &mut self.code.instructions[jump] {
            Instruction::Jump { target }
            | Instruction::JumpUnless { target, .. }
            | Instruction::JumpIfPresent { target, .. }
            | Instruction::LoopStart { end: target, .. } => *target = to as u32,
            Instruction::NextElement(next) => next.end = to as u32,
            _ => debug_assert!(false, "only jumps are patched"),
        }
    }

    /// The id of a statement.
    pub(crate) fn statement(&mut self, statement: Statement) -> StatementId {
        self.shared.statements.add(statement)
    }

    /// A slot without a name.
    pub(crate) fn hidden_slot(&mut self) -> Slot {
        let slot = Slot::try_from(self.next_slot).unwrap_or(Slot::MAX);
        self.next_slot += 1;
        slot
    }

    /// The hidden input slots `cursor` and `limit`.
    pub(crate) fn page_inputs(&self) -> Option<(Slot, Slot)> {
        self.setting.page
    }

    /// How many rows a standing *every* takes in one transaction; absent in an operation.
    pub(crate) fn batch(&self) -> Option<u32> {
        self.setting.job.then_some(BATCH)
    }

    /// The status of an answer that names none.
    pub(crate) fn default_status(&self) -> u16 {
        self.setting.status.unwrap_or(200)
    }

    /// The status of a redirect that names none.
    pub(crate) fn redirect_status(&self) -> u16 {
        self.setting.status.filter(|status| (300..400).contains(status)).unwrap_or(302)
    }

    /// Notes down what could be answered.
    pub(crate) fn answer(&mut self, answer: Answer) {
        self.candidates.push(answer);
    }

    /// Where rows are locked, the operation counts as writing.
    pub(crate) fn locks(&mut self, lock: Lock) {
        self.writing |= lock != Lock::None;
    }

    /// The errors so far, given away: what is carried out raises its own under the step that carries it out.
    pub(super) fn swap_errors(&mut self, errors: Errors) -> Errors {
        std::mem::replace(&mut self.errors, errors)
    }

    /// Another environment of names, for what is carried out; gives the one before.
    pub(super) fn swap_names(&mut self, names: Names<'w>) -> Names<'w> {
        std::mem::replace(&mut self.names, names)
    }

    /// Begins a block: what is bound in it ends with it.
    pub(crate) fn open_scope(&self) -> Opened {
        Opened {
            variables: self.names.variables.len(),
            present: self.names.present.len(),
            candidates: self.candidates.len(),
        }
    }

    /// Ends a block.
    pub(crate) fn close_scope(&mut self, opened: Opened) {
        self.names.variables.truncate(opened.variables);
        self.names.present.truncate(opened.present);
        self.candidates.truncate(opened.candidates);
    }

    /// What has been bound in a block that is still open, and what of it could be answered.
    pub(crate) fn bound_since(&self, opened: Opened) -> (Vec<Bound>, Vec<Answer>) {
        let variables = self.names.variables.get(opened.variables..).unwrap_or_default();
        let candidates = self.candidates.get(opened.candidates..).unwrap_or_default();
        (variables.to_vec(), candidates.to_vec())
    }

    /// Begins the steps of a loop.
    pub(crate) fn enter_loop(&mut self) {
        self.rounds += 1;
        self.loops.push(Ways::default());
    }

    /// The same for a loop whose rounds are transactions of their own.
    pub(crate) fn enter_elements(&mut self) {
        self.enter_loop();
        if let Some(ways) = self.loops.last_mut() {
            ways.own = true;
        }
    }

    /// Whether this is an element that is a transaction of its own: it answers nobody.
    pub(crate) fn is_element(&self) -> bool {
        self.loops.iter().any(|ways| ways.own)
    }

    /// Appends a jump on to the next element, which ends this one; gives whether there is one around.
    pub(super) fn end_element(&mut self) -> bool {
        if !self.is_element() {
            return false;
        }
        let jump = self.jump();
        if let Some(ways) = self.loops.iter_mut().rfind(|ways| ways.own) {
            ways.on.push(jump);
        }
        true
    }

    /// Says which slots the variables of an element have, up to the present one.
    pub(crate) fn close_element(&mut self, head: usize) {
        let next = Slot::try_from(self.next_slot).unwrap_or(Slot::MAX);
        if let Some(Instruction::NextElement(element)) = self.code.instructions.get_mut(head) {
            element.inside.1 = next;
        }
    }

    /// Ends them.
    pub(crate) fn leave_loop(&mut self) -> Ways {
        self.rounds = self.rounds.saturating_sub(1);
        self.loops.pop().unwrap_or_default()
    }

    /// Appends a jump behind the innermost loop, or on to its next round; gives whether there is a loop.
    pub(crate) fn jump_out_of_round(&mut self, leaves: bool) -> bool {
        if self.loops.is_empty() {
            return false;
        }
        let jump = self.jump();
        if let Some(ways) = self.loops.last_mut() {
            if leaves { ways.out.push(jump) } else { ways.on.push(jump) }
        }
        true
    }

    /// A variable may be given another value later.
    pub(crate) fn make_settable(&mut self, slot: Slot) {
        self.settable.insert(slot);
    }

    /// Whether a variable may be given another value.
    pub(crate) fn is_settable(&self, slot: Slot) -> bool {
        self.settable.contains(&slot)
    }

    /// Begins what a guard may pass over.
    pub(crate) fn enter_guarded(&mut self) {
        self.guarded.push(self.names.variables.len());
        self.guarded_present.push(self.names.present.len());
    }

    /// Ends it: what was bound may be absent. Gives its slots.
    pub(crate) fn leave_guarded(&mut self) -> Vec<Slot> {
        let from = self.guarded.pop().unwrap_or(0);
        self.names.present.truncate(self.guarded_present.pop().unwrap_or(0));
        self.names.variables.make_optional(from).iter().map(|bound| bound.slot).collect()
    }

    /// Lets the jump over a guarded step lead here. In a loop it does not keep what the round before has bound.
    pub(crate) fn pass_over(&mut self, jump: usize, bound: &[Slot]) {
        if self.rounds == 0 || bound.is_empty() {
            return self.patch(jump);
        }
        let done = self.jump();
        self.patch(jump);
        for slot in bound {
            self.push(Instruction::Let { slot: *slot, value: Expression::Constant(Value::Absent) });
        }
        self.patch(done);
    }

    /// Binds a variable in a slot of its own.
    pub(crate) fn bind(&mut self, name: &Code, ty: StaticType) -> Option<Slot> {
        let slot = self.hidden_slot();
        self.bind_slot(name, slot, ty).then_some(slot)
    }

    /// Binds a variable in a slot that has its value already; gives whether the name was free.
    pub(crate) fn bind_slot(&mut self, name: &Code, slot: Slot, ty: StaticType) -> bool {
        let text = name.text(self.source()).trim().to_owned();
        self.bind_name(&text, name.span(), slot, ty)
    }

    /// The same for a name in plain text.
    pub(crate) fn bind_name(&mut self, name: &str, span: Span, slot: Slot, ty: StaticType) -> bool {
        let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        let is_name =
            begins && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !is_name {
            self.note(NoteKind::Other { entry: "not_a_name", subject: name.to_owned() }, span);
            return false;
        }
        if RESERVED.contains(&name) {
            self.note(NoteKind::Other { entry: "reserved_name", subject: name.to_owned() }, span);
            return false;
        }
        if self.names.variable(name).is_some() {
            self.note(NoteKind::BoundTwice { name: name.to_owned() }, span);
            return false;
        }
        self.names.bind(name, slot, ty);
        true
    }

    /// Binds a variable that was bound in every branch before.
    pub(crate) fn rebind(&mut self, bound: Bound) {
        self.names.variables.push(bound);
    }

    /// The type of a row.
    pub(crate) fn row(&self, entity: EntityId) -> Kind {
        self.names.row(entity)
    }

    /// An entity is read.
    pub(crate) fn reads(&mut self, entity: EntityId) {
        add_once(&mut self.touches.reads, &self.world.table(entity).name);
    }

    /// An entity is written.
    pub(crate) fn writes(&mut self, entity: EntityId) {
        add_once(&mut self.touches.writes, &self.world.table(entity).name);
    }

    /// An event is emitted.
    pub(crate) fn emits(&mut self, event: &str) {
        add_once(&mut self.touches.emits, event);
    }

    /// A row was written last.
    pub(crate) fn wrote(&mut self, entity: EntityId, slot: Slot) {
        self.writes(entity);
        self.last_written = Some((slot, entity));
    }

    /// The step can raise this.
    pub(super) fn raises(&mut self, outcome: Outcome) {
        let raised = self.errors.entry(self.span).or_default();
        if !raised.contains(&outcome) {
            raised.push(outcome);
        }
    }

    /// A refusal without a message.
    pub(crate) fn plain_failure(&mut self, outcome: Outcome) -> Failure {
        self.raises(outcome.clone());
        Failure { outcome, message: Vec::new(), members: Vec::new() }
    }

    /// A refusal as a step writes it.
    pub(crate) fn failure(&mut self, refusal: &Refusal, members: Vec<(Arc<str>, Expression)>) -> Failure {
        self.raises(refusal.outcome.clone());
        let message = self.message(&refusal.message);
        Failure { outcome: refusal.outcome.clone(), message, members }
    }

    /// A message: text, and expressions in braces.
    fn message(&mut self, characters: &[(Span, char)]) -> Vec<MessagePart> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = characters;
        while let Some(((_, character), behind)) = rest.split_first() {
            let closing =
                (*character == '{').then(|| behind.iter().position(|(_, next)| *next == '}')).flatten();
            let Some(length) = closing.filter(|length| *length > 0) else {
                text.push(*character);
                rest = behind;
                continue;
            };
            let inside = &behind[..length];
            rest = &behind[length + 1..];
            if !text.is_empty() {
                parts.push(MessagePart::Text(std::mem::take(&mut text).into()));
            }
            if let Some(value) = self.value(&code_of(inside)) {
                parts.push(MessagePart::Expression(value.expression));
            }
        }
        if !text.is_empty() {
            parts.push(MessagePart::Text(text.into()));
        }
        parts
    }

    /// Answers what Output names; gives whether there is such a thing.
    pub(crate) fn answer_with(&mut self, answer: Answer, status: Option<u16>) {
        self.answered_entity = Some(answer.entity);
        let row = self.row(answer.entity).required();
        let ty = match answer.kind {
            AnswerKind::Row | AnswerKind::Upserted(_) => row,
            AnswerKind::List | AnswerKind::Page => Kind::List(Box::new(row)).required(),
        };
        let body = match answer.kind {
            AnswerKind::Page => Answered::Page(answer.slot),
            _ => Answered::Value(Expression::Slot(answer.slot)),
        };
        if let (AnswerKind::Upserted(created), None) = (answer.kind, status) {
            let jump = self.jump_unless(Expression::Slot(created));
            self.respond(201, body.clone(), Vec::new(), Some(ty.clone()));
            self.patch(jump);
        }
        self.respond(status.unwrap_or(200), body, Vec::new(), Some(ty));
    }

    /// Answers with nothing.
    pub(crate) fn answer_nothing(&mut self) {
        self.respond(204, Answered::Nothing, Vec::new(), None);
    }

    /// What could be answered, in the order in which it was bound.
    pub(crate) fn candidates(&self) -> &[Answer] {
        &self.candidates
    }
}

/// Characters of a text as a code span, so that an expression in a message has its place.
fn code_of(characters: &[(Span, char)]) -> Code {
    let mut fragments = Fragments::new();
    for (span, _) in characters {
        match fragments.last_mut() {
            Some(last) if last.span.end == span.start => last.span.end = span.end,
            Some(last) if last.span.contains(*span) => {}
            _ => fragments.push(Fragment { span: *span, blank_before: false }),
        }
    }
    Code { fragments }
}
