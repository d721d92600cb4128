//! Going on with what was begun under an earlier release of the document: its text is in the store, and is read, compiled
//! and run beside the present one for as long as something of it is left.
//!
//! Source: language reference, *What running means*, parts; docs/decisions/0157-carried-on-under-its-release.md.

use super::{Parts, Renderer, Upstreams, fingerprint};
use crate::log;
use crate::once;
use crate::problems::Problem;
use crate::respond::Reply;
use formwork_check::{Analysis, analyse};
use formwork_engine::{Ended, OperationId, Refusal, StoreError, What};
use formwork_language::program::{Handler, Program};
use formwork_store::{OnceEnded, Store};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// What a release needs to run beside its text.
pub(crate) struct Revived {
    /// Its program, as a process with that document runs it.
    pub(crate) program: Arc<Program>,
    /// The document that it is made of.
    pub(crate) source: Arc<str>,
    /// The other side.
    pub(crate) upstreams: Upstreams,
    /// How its answers leave.
    pub(crate) renderer: Renderer,
}

/// Makes that of a document, or says what is missing.
pub(crate) type Revive = Arc<dyn Fn(&Analysis) -> Result<Revived, String> + Send + Sync>;

/// Earlier releases that this process has met, by what their programs are called.
#[derive(Default)]
pub(super) struct Releases(Mutex<FxHashMap<String, Met>>);

#[derive(Clone)]
enum Met {
    Runs(Arc<Parts>),
    /// It cannot be run here, and why.
    Lost(Arc<str>),
}

/// Why something is not gone on with.
pub(super) enum Left {
    /// It cannot be, and why.
    For(String),
    /// The store is away.
    Away(StoreError),
}

/// Who goes on with something.
pub(super) enum Under {
    /// The present release.
    Present,
    /// An earlier one.
    Earlier(Arc<Parts>),
}

impl Parts {
    /// Who goes on with what was begun under a program.
    pub(super) async fn under(&self, program: &str) -> Result<Under, Left> {
        if *self.fingerprint == *program {
            return Ok(Under::Present);
        }
        let met = self.releases.0.lock().get(program).cloned();
        let met = match met {
            Some(met) => met,
            None => {
                let met = self.meet(program).await.map_err(Left::Away)?;
                // Who was faster has the runs that are under way.
                self.releases.0.lock().entry(program.to_owned()).or_insert(met).clone()
            }
        };
        match met {
            Met::Runs(parts) => Ok(Under::Earlier(parts)),
            Met::Lost(cause) => {
                Err(Left::For(format!("it was begun under another version of the document, {cause}")))
            }
        }
    }

    async fn meet(&self, program: &str) -> Result<Met, StoreError> {
        let lost = |cause: &str| Met::Lost(cause.into());
        let Some(revive) = self.revive.clone() else {
            return Ok(lost("which has to end it"));
        };
        let wanted = program.to_owned();
        let found = self.look(move |store: &Store| {
            let Some(document) = store.release(&wanted)? else { return Ok(None) };
            let revived = match revive(&analyse(document.into())) {
                Ok(revived) if fingerprint(&revived.program, &revived.source) != wanted => {
                    Err("which another version of Formwork has run and has to end".to_owned())
                }
                other => other,
            };
            if let Ok(revived) = &revived {
                store.add_release(&wanted, Arc::clone(&revived.program))?;
            }
            Ok(Some(revived))
        });
        let revived = match found.await? {
            None => return Ok(lost("which is not kept and has to end it")),
            Some(Err(cause)) => return Ok(Met::Lost(cause.into())),
            Some(Ok(revived)) => revived,
        };
        let metric = |name: &str| self.program.metrics.iter().position(|metric| *metric.name == *name);
        let measured = revived.program.metrics.iter().map(|known| metric(&known.name));
        let measured = measured.map(|at| at.and_then(|at| u16::try_from(at).ok())).collect();
        Ok(Met::Runs(Arc::new(self.beside(revived, measured))))
    }

    /// Whether the tables still are what an operation or standing step needs that was begun under this release.
    pub(super) async fn fits(&self, what: What) -> Result<(), Left> {
        if self.measured.is_none() {
            // The tables were brought to those of the present release.
            return Ok(());
        }
        let Some(code) = self.code(what) else {
            return Err(Left::For("its release has no such operation".to_owned()));
        };
        let uses = self.program.uses(code);
        let program = Arc::clone(&self.program);
        let changed = self.look(move |store| store.changed_since(&program.schema, &uses)).await;
        let changed = changed.map_err(Left::Away)?;
        if changed.is_empty() {
            return Ok(());
        }
        let lines = changed.join("; ");
        Err(Left::For(format!(
            "it was begun under another version of the document, and what it needs is not as it was: {lines}"
        )))
    }

    /// The place of a handler of several parts in this release.
    pub(super) fn handler(&self, name: &str) -> Option<u32> {
        let fits = |handler: &Handler| *handler.name == *name && handler.code.has_parts();
        let at = self.program.handlers.iter().position(fits)?;
        u32::try_from(at).ok()
    }

    /// Whether a run goes on of a standing step of this name that was begun under an earlier release.
    pub(super) fn goes_on_earlier(&self, job: &str) -> bool {
        let releases = self.releases.0.lock();
        releases.values().any(|met| {
            let Met::Runs(parts) = met else { return false };
            let left = parts.left.lock();
            let mut jobs = (0..).zip(&parts.program.jobs);
            jobs.any(|(at, known)| *known.name == *job && left.contains(&at))
        })
    }

    /// Says once of something that it is left.
    pub(super) fn say_left(&self, id: OperationId, name: &str, cause: &str) {
        if self.left_alone.lock().insert(id) {
            log::fault("operation_left", "", name, cause);
        }
    }

    /// How an operation of an earlier release ended, for a caller who knows only the present one: as it was kept.
    pub(super) fn as_kept(&self, ended: OnceEnded) -> OnceEnded {
        match ended {
            OnceEnded::Ran(Ended { result: Ok(_), .. }, Some(kept)) => OnceEnded::Replayed(kept),
            OnceEnded::Ran(ended, _) => match ended.result {
                Err(refusal) if !passes(&refusal) => {
                    let problem = Problem::refused(refusal, &ended.rows, &self.program.schema);
                    OnceEnded::Replayed(once::kept(&Reply::problem(&problem, "")))
                }
                result => OnceEnded::Ran(Ended { result, ..ended }, None),
            },
            other => other,
        }
    }
}

/// What is done of an operation that was left.
pub(super) fn what(job: bool, index: u32) -> What {
    if job { What::Job(index) } else { What::Operation(index) }
}

/// Whether a refusal says nothing of how the operation ends.
fn passes(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Unavailable | Refusal::Overloaded | Refusal::Unsure | Refusal::MovedOn)
}
