//! A store in a folder of its own, running a compiled document.

use crate::place::Place;
use formwork_engine::{Answer, Body, Call, Ended, Part, Refusal, Resume, What};
use formwork_language::program::{Program, slots};
use formwork_language::value::Value;
use formwork_store::{Options, Store};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// 2030-01-01T00:00:00Z in microseconds.
pub(crate) const NOW: i64 = 1_893_456_000_000_000;

/// The program of a document that has no errors.
pub(crate) fn program(document: &str) -> Arc<Program> {
    let analysis = formwork_check::analyse_fragment(document.into());
    let errors: Vec<String> = analysis
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == formwork_check::Severity::Error)
        .map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Arc::new(analysis.compiled.program)
}

/// A document with entities (section 6) and operations (section 4), each given as the form has them.
pub(crate) fn document(operations: &str, entities: &str) -> String {
    format!("# Test\n\n## 4) Primary Interface/API\n\n{operations}\n\n## 6) Data Model\n\n{entities}\n")
}

/// An open store and where its rows are.
pub(crate) struct Room {
    pub(crate) store: Arc<Store>,
    pub(crate) place: Place,
    seed: AtomicU64,
    /// Where the job goes on that has not ended.
    left: Mutex<Option<Box<Resume>>>,
}

impl Room {
    pub(crate) fn new(program: Arc<Program>) -> Self {
        Self::with(program, |_| {})
    }

    pub(crate) fn with(program: Arc<Program>, change: impl FnOnce(&mut Options)) -> Self {
        let place = Place::new();
        let mut options = place.options();
        change(&mut options);
        let store = Arc::new(Store::open(options, program).unwrap());
        Self { store, place, seed: AtomicU64::new(1), left: Mutex::default() }
    }

    /// A call of an operation with input by name; `caller` is who calls.
    pub(crate) fn call(&self, operation: &str, caller: &str, input: &[(&str, Value)]) -> Call {
        call(self.store.program(), operation, caller, input, self.seed.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn run(&self, operation: &str, input: &[(&str, Value)]) -> Ended {
        self.store.run(self.call(operation, "alice", input)).await
    }

    pub(crate) async fn run_as(&self, caller: &str, operation: &str, input: &[(&str, Value)]) -> Ended {
        self.store.run(self.call(operation, caller, input)).await
    }

    /// Runs the job of this number, or the next batch of it.
    pub(crate) async fn job(&self, number: u32, now: i64) -> Ended {
        let program = self.store.program();
        let mut slots = vec![Value::Absent; usize::from(program.jobs[number as usize].code.slots)];
        slots[usize::from(slots::CALLER_ID)] = text("system");
        let seed = formwork_engine::replayable(self.seed.fetch_add(1, Ordering::Relaxed));
        let part = Part {
            operation: [7; 16],
            program: "the program".into(),
            started: NOW,
            once: None,
            key: None,
            resume: self.left.lock().unwrap().take(),
        };
        let part = Some(Box::new(part));
        let call = Call { what: What::Job(number), slots, now, seed, precondition: None, part };
        let mut ended = self.store.run(call).await;
        *self.left.lock().unwrap() = ended.resume.take();
        // What is left of a job outlives the process, and goes with its last batch.
        assert_eq!(self.store.unfinished(10).unwrap().len(), usize::from(ended.again));
        ended
    }

    pub(crate) fn count(&self, entity: &str) -> u64 {
        let at = entity_named(self.store.program(), entity);
        self.store.count(at, None, &[]).unwrap()
    }

    /// Closes the store and gives the place where its rows are.
    pub(crate) async fn closed(self) -> Place {
        self.store.close().await;
        self.place
    }

    /// Closes the store and opens it again with another program.
    pub(crate) async fn reopened(self, program: Arc<Program>) -> Self {
        let Self { store, place, seed, left } = self;
        store.close().await;
        drop(store);
        let store = Arc::new(Store::open(place.options(), program).unwrap());
        Self { store, place, seed, left }
    }
}

pub(crate) fn entity_named(program: &Program, name: &str) -> u16 {
    program.schema.entities.iter().position(|entity| *entity.name == *name).unwrap() as u16
}

pub(crate) fn call(
    program: &Program,
    operation: &str,
    caller: &str,
    input: &[(&str, Value)],
    seed: u64,
) -> Call {
    let index = program.operations.iter().position(|one| *one.name == *operation).unwrap();
    let shape = &program.operations[index];
    let mut slots = vec![Value::Absent; usize::from(shape.code.slots)];
    slots[usize::from(slots::CALLER_ID)] = text(caller);
    slots[usize::from(slots::CALLER_ROLES)] = Value::List(Arc::from([text("member")]));
    for (name, value) in input {
        let at = shape.input.fields.iter().position(|field| *field.name == **name).unwrap();
        slots[usize::from(slots::INPUT) + at] = value.clone();
    }
    Call {
        what: What::Operation(index as u32),
        slots,
        now: NOW,
        seed: formwork_engine::replayable(seed),
        precondition: None,
        part: None,
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// The answer of a call that must succeed.
pub(crate) fn answer(ended: &Ended) -> &Answer {
    match &ended.result {
        Ok(answer) => answer,
        Err(refusal) => panic!("{refusal:?}"),
    }
}

pub(crate) fn refusal(ended: &Ended) -> &Refusal {
    match &ended.result {
        Ok(answer) => panic!("{answer:?}"),
        Err(refusal) => refusal,
    }
}

/// Status and code of a step's refusal.
pub(crate) fn step(ended: &Ended) -> (u16, &str) {
    match refusal(ended) {
        Refusal::Step { status, code, .. } => (*status, code.as_deref().unwrap_or("")),
        other => panic!("{other:?}"),
    }
}

/// A field of the answered row.
pub(crate) fn field(room: &Room, ended: &Ended, name: &str) -> Value {
    field_of(room.store.program(), ended, name)
}

/// A field of the row that an operation of a program has answered.
pub(crate) fn field_of(program: &Program, ended: &Ended, name: &str) -> Value {
    let Body::Value(Value::Row(row)) = &answer(ended).body else { panic!("{:?}", ended.result) };
    let row = &ended.rows[*row as usize];
    let entity = &program.schema.entities[usize::from(row.entity)];
    let at = entity.fields.iter().position(|field| *field.name == *name).unwrap();
    row.values[at].clone()
}

/// A field of every item of the answered page, and the next cursor.
pub(crate) fn page(room: &Room, ended: &Ended, name: &str) -> (Vec<Value>, Option<Vec<Value>>) {
    let Body::Page { items, next } = &answer(ended).body else { panic!("{:?}", ended.result) };
    let of = |item: &Value| {
        let Value::Row(row) = item else { panic!("{item:?}") };
        let row = &ended.rows[*row as usize];
        let entity = &room.store.program().schema.entities[usize::from(row.entity)];
        row.values[entity.fields.iter().position(|field| *field.name == *name).unwrap()].clone()
    };
    (items.iter().map(of).collect(), next.clone())
}
