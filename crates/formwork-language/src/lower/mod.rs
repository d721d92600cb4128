//! Lowers a model to a program: tables, operations and standing steps. Names become slots, sentences become
//! instructions, conditions become statements. Steps themselves lower in `steps`, with the [`Lowering`] of this
//! folder at hand.

mod access;
mod answers;
mod audit;
mod caches;
mod carried;
mod conditions;
mod costs;
mod cycles;
mod divided;
mod follows;
mod grants;
mod guards;
mod handlers;
mod input;
mod jobs;
mod limits;
mod lowering;
mod once;
mod operations;
mod output;
mod parts;
mod places;
mod proofs;
mod registry;
mod rows;
mod rules;
mod schedule;
mod schema;
pub(crate) mod upstreams;
mod withheld;
mod world;

pub(crate) use carried::{Given, Refused};
pub(crate) use grants::HeldElement;
pub(crate) use lowering::{Answer, AnswerKind, Lowering, Opened};
pub(crate) use operations::read_path;
pub(crate) use world::{Shared, World};

use crate::behaviour::Compiled;
use crate::flows;
use crate::notes::Note;
use crate::program::Program;
use formwork_model::Model;
use std::sync::Arc;

/// Compiles everything executable in a model.
pub(crate) fn lower_model(source: &str, model: &Model) -> Compiled {
    let mut notes = Vec::new();
    let patterns = schema::Patterns::default();
    let mut shared = Shared::new(model);
    let mut schema = schema::lower(source, model, &patterns, &mut notes);
    rules::lower(source, model, &mut schema, &mut shared.statements, &mut notes);
    let world = World::new(source, model, &schema, &patterns);
    costs::declare(model, &mut shared, &mut notes);
    let lowered = operations::lower_all(&world, &mut shared, &mut notes);
    let (jobs, standing) = jobs::lower_all(&world, &mut shared, &mut notes);
    handlers::lower_scheduled(&world, &mut shared);
    let upstreams = upstreams::lower_all(&world, &mut shared, &mut notes);
    notes.append(&mut shared.cost_notes);
    let signed = proofs::signatures(model);
    for rule in &signed {
        if !shared.secrets.contains(&rule.secret) {
            shared.secrets.push(rule.secret.clone());
        }
    }
    shared.secrets.sort_unstable();
    let roles = access::roles(&world, &lowered.operations);
    let once = once::rules(model, &lowered.operations);
    let audit = audit::rules(model, &schema, &lowered.operations);
    let limits = limits::rules(model, &lowered.operations, &mut notes);
    let codes = lowered.operations.iter().map(|operation| &operation.code);
    let codes = codes.chain(lowered.procedures.iter().map(|procedure| &procedure.code));
    let codes = codes.chain(jobs.iter().map(|job| &job.code));
    let codes = codes.chain(shared.handlers.iter().map(|handler| &handler.code));
    let row_by_row = rules::row_by_row(&schema, &mut shared.statements, codes);
    let mut program = Program {
        schema: Default::default(),
        row_by_row,
        statements: shared.statements.list,
        operations: lowered.operations,
        procedures: lowered.procedures,
        jobs,
        handlers: shared.handlers,
        events: shared.events,
        metrics: shared.metrics,
        roles,
        api_key_header: proofs::api_key_header(model),
        tokens: proofs::tokens(model),
        signatures: signed,
        ways: proofs::ways(model),
        once,
        limits,
        upstreams,
        audit,
        secrets: shared.secrets,
        budgets: shared.budgets,
        cache_layers: Vec::new(),
        cached: Vec::new(),
    };
    cycles::find(&program, &mut notes);
    caches::lower(&world, &mut program, &mut notes);
    let flows = flows::read_all(&world, &program, &mut notes);
    program.schema = schema;
    Compiled { program, behaviours: lowered.behaviours, standing, flows, notes: tidy(notes) }
}

/// Notes in the order of the text, each once.
fn tidy(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by_key(|note| (note.span.start, note.span.end));
    let mut kept: Vec<Note> = Vec::with_capacity(notes.len());
    for note in notes {
        let again = kept.iter().rev().take_while(|other| other.span == note.span).any(|other| *other == note);
        if !again {
            kept.push(note);
        }
    }
    kept
}

/// Adds a name to a list that holds each once.
pub(crate) fn add_once(names: &mut Vec<Arc<str>>, name: &str) {
    if names.iter().all(|other| **other != *name) {
        names.push(name.into());
    }
}
