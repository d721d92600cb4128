//! What all listeners share, compiled once from the program.

use crate::auth::{Failures, Keys, Signatures, Tokens};
use crate::cache::Caches;
use crate::clock::Clock;
use crate::config::{Addresses, Limits};
use crate::cursor::Cursors;
use crate::edge::Edge;
use crate::input::Decoder;
use crate::json::{Columns, every_entity};
use crate::metrics::Metrics;
use crate::mock::Mock;
use crate::parts::Parts;
use crate::random::Seeds;
use crate::respond::RequestIds;
use crate::room::Room;
use crate::router::Router;
use crate::schedule::Scheduler;
use formwork_check::Analysis;
use formwork_language::program::{
    Answered, EntityId, Instruction, OnceRule, Operation, Program, Surface, slots,
};
use formwork_model::sections::interface;
use formwork_store::Store;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// What all listeners share.
pub(crate) struct Shared {
    /// What runs.
    pub(crate) program: Arc<Program>,
    /// Where it runs.
    pub(crate) store: Arc<Store>,
    /// What time it is.
    pub(crate) clock: Arc<Clock>,
    /// Standing steps.
    pub(crate) scheduler: Arc<Scheduler>,
    /// Operations of several parts.
    pub(crate) parts: Arc<Parts>,
    /// Keys that hold.
    pub(crate) keys: Keys,
    /// Bearer tokens.
    pub(crate) tokens: Tokens,
    /// Proofs that did not hold.
    pub(crate) failures: Failures,
    /// Signed requests.
    pub(crate) signatures: Signatures,
    /// Changes to keys, one after the other, so that the last refresh shows the last change.
    pub(crate) key_changes: tokio::sync::Mutex<()>,
    /// Cursors of pages.
    pub(crate) cursors: Cursors,
    /// By index of the operation.
    pub(crate) operations: Arc<[Prepared]>,
    /// By entity: all fields that may be sent.
    pub(crate) every: Vec<Columns>,
    /// Section 4's routes.
    pub(crate) public: Router,
    /// What `GET /openapi.json` answers.
    pub(crate) description: Option<Arc<str>>,
    /// What surrounds every request.
    pub(crate) edge: Edge,
    /// Section 5's routes.
    pub(crate) internal: Router,
    /// What is kept of answers.
    pub(crate) caches: Caches,
    /// What is measured.
    pub(crate) metrics: Arc<Metrics>,
    /// Seeds of calls.
    pub(crate) seeds: Arc<Seeds>,
    /// Names of requests.
    pub(crate) request_ids: RequestIds,
    /// What callers may take up.
    pub(crate) limits: Limits,
    /// Room for the bodies of requests under way.
    pub(crate) bodies: Arc<Room>,
    /// Room for answers that are not read to their end.
    pub(crate) answers: Arc<Room>,
    /// Requests under way.
    pub(crate) under_way: AtomicUsize,
    /// Whether the server is stopping.
    pub(crate) draining: AtomicBool,
    /// The key of the admin listener.
    pub(crate) admin_key: String,
    /// Where it listens.
    pub(crate) addresses: Addresses,
    /// What the document lets through.
    pub(crate) limiter: crate::limits::Limiter,
    /// What is wrong with its components, in a test.
    pub(crate) faults: Arc<crate::admin::Faults>,
}

/// With what answers of operations are made.
#[derive(Clone, Copy)]
pub(crate) struct Rendering<'r> {
    /// What runs.
    pub(crate) program: &'r Program,
    /// By index of the operation.
    pub(crate) operations: &'r [Prepared],
    /// By entity: all fields that may be sent.
    pub(crate) every: &'r [Columns],
    /// Cursors of pages.
    pub(crate) cursors: &'r Cursors,
}

impl Shared {
    /// With what answers are made.
    pub(crate) fn rendering(&self) -> Rendering<'_> {
        let Self { program, operations, every, cursors, .. } = self;
        Rendering { program, operations, every, cursors }
    }
}

/// What the edge knows of an operation before its first request.
pub(crate) struct Prepared {
    /// How its input is read.
    pub(crate) decoder: Decoder,
    /// For rows of the entity that Output names: the fields sent.
    pub(crate) projected: Option<(EntityId, Columns)>,
    /// Whether it ever answers with JSON.
    pub(crate) answers_json: bool,
    /// What it answers when it has no steps that run.
    pub(crate) mock: Option<Mock>,
    /// Which selection of its fields a row is sent with; absent for all of them.
    pub(crate) selection: Option<u32>,
    /// How it takes `Idempotency-Key`.
    pub(crate) once: OnceRule,
    /// Whether it reads the request's name, address and header, which cost something to hand over.
    pub(crate) reads: ReadsRequest,
}

/// Which members of `request` an operation reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadsRequest {
    /// `request.id`
    pub(crate) id: bool,
    /// `request.ip`
    pub(crate) ip: bool,
    /// `request.headers`
    pub(crate) headers: bool,
}

impl Prepared {
    /// Compiles every operation of a document.
    pub(crate) fn all(analysis: &Analysis) -> Vec<Self> {
        let (program, model) = (&analysis.compiled.program, &analysis.model);
        let declared: FxHashMap<u32, &interface::Operation> = model
            .operations
            .iter()
            .chain(&model.endpoints)
            .zip(&analysis.compiled.behaviours)
            .filter_map(|(declared, behaviour)| Some((behaviour.program?, declared)))
            .collect();
        let prepare = |(index, operation): (usize, &Operation)| {
            let declared = u32::try_from(index).ok().and_then(|index| declared.get(&index).copied());
            let mock = (!operation.mode.runs()).then(|| Mock::new(operation, declared, analysis));
            let once = program.once_rule(u32::try_from(index).unwrap_or(u32::MAX));
            Self::new(operation, program, mock, once)
        };
        program.operations.iter().enumerate().map(prepare).collect()
    }

    fn new(operation: &Operation, program: &Program, mock: Option<Mock>, once: OnceRule) -> Self {
        let output = &operation.output;
        let projected = output
            .entity
            .map(|entity| (entity, Columns::new(&program.schema, entity, output.projection.as_deref())));
        let mocked = mock.as_ref().is_some_and(Mock::answers_json);
        let answers_json = mocked
            || operation.code.instructions.iter().any(|instruction| {
                matches!(
                    instruction,
                    Instruction::Return {
                        body: Answered::Value(_) | Answered::RowWith { .. } | Answered::Page(_),
                        ..
                    }
                )
            });
        let selection = output.projection.as_deref().map(crate::conditional::selection);
        // The derived text names every slot that an expression reads, wherever it stands.
        let text = format!("{:?}{:?}", operation.code.instructions, operation.input);
        let reads = |slot: u16| text.contains(&format!("Slot({slot})"));
        let reads = ReadsRequest {
            id: reads(slots::REQUEST_ID),
            ip: reads(slots::REQUEST_IP),
            headers: reads(slots::REQUEST_HEADERS),
        };
        let reads = crate::audit::reads(program, once.operation, reads);
        Self {
            decoder: Decoder::new(operation, program),
            projected,
            answers_json,
            mock,
            selection,
            once,
            reads,
        }
    }
}

impl Shared {
    /// Notes the uses of keys that are still to be noted. Those that the store does not take now are lost: the next one
    /// is a minute away at most.
    pub(crate) async fn note_key_uses(&self) {
        let uses = self.keys.take_uses();
        if !uses.is_empty() {
            let _ = self.store.note_key_uses(uses).await;
        }
    }

    /// The routes of a surface.
    pub(crate) fn router(&self, surface: Surface) -> &Router {
        match surface {
            Surface::Public => &self.public,
            Surface::Internal => &self.internal,
        }
    }

    /// For each entity all of its fields that may be sent.
    pub(crate) fn columns(program: &Program) -> Vec<Columns> {
        every_entity(&program.schema)
    }
}
