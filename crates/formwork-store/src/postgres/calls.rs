//! One try of a call: a transaction from its beginning to its commit.

use super::errors::Fault;
use super::isolation::Isolation;
use super::jobs;
use super::listening;
use super::session::Session;
use super::system::OnPostgres;
use super::transaction::{PostgresTransaction, Shared};
use crate::commits::Touched;
use crate::once::{KeptAnswer, Once};
use crate::options::CommitObserver;
use crate::system::{Kept, NextRun, Told, keep_answer, kept_answer, settle_delivery};
use formwork_engine::{Call, Ended, IdSource, Part, Refusal, StoreError, run};
use std::time::{Duration, Instant};

/// What a try came to.
pub(crate) enum Tried {
    /// It ended and is on disk, or was undone because it was refused.
    Ended(Ended),
    /// Another transaction was in the way, nothing has happened.
    Conflict,
    /// The call had been carried out before, and was answered with this.
    Replayed(KeptAnswer),
    /// The key of a call that is carried out once belongs to another one.
    OtherInput,
    /// A key was found taken, perhaps by a row that the transaction could not see; how it ended otherwise.
    KeyTaken(Ended),
    /// The connection was lost before anything could have happened.
    LostBefore,
    /// The connection was lost while the transaction was committed; how it ended if it was, and by what that can be
    /// asked for.
    Lost(Ended, Option<KeptAnswer>, Option<String>),
    /// It is not known whether the transaction was committed, and cannot be.
    Unsure,
    /// The database was away, nothing has happened.
    Away,
}

/// What is written beside a call, in its transaction.
#[derive(Debug)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// When a job runs next.
    Job(NextRun),
    /// What leaves, under the key of the call.
    Once(Once),
    /// That a handler was told this, and where this part of it began.
    Delivery(Told, Option<Box<Part>>),
}

/// What a call needs to run.
pub(crate) struct Running<'r> {
    pub(crate) shared: &'r Shared,
    pub(crate) ids: IdSource,
    pub(crate) node: &'r str,
    pub(crate) work: Duration,
    pub(crate) on_commit: Option<&'r CommitObserver>,
    /// What left, of a call that is carried out once.
    pub(crate) kept: Option<KeptAnswer>,
}

impl Running<'_> {
    /// Runs a call in a transaction.
    pub(crate) fn call(
        &mut self,
        session: &mut Session,
        call: Call,
        beside: &Beside,
        isolation: Isolation,
    ) -> Tried {
        let Some(begin) = isolation.begin() else { return self.alone(session, call) };
        let now = call.now;
        session.begin(begin);
        let mut system = OnPostgres::new(session);
        let before = self.before(&mut system, &call, beside);
        let trouble = system.trouble.take();
        match before {
            Ok(None) => {}
            Ok(Some(tried)) => return self.undo(session, tried),
            Err(error) => return self.given_up(session, trouble, refused(error)),
        }
        let started = Instant::now();
        let mut transaction = PostgresTransaction::new(session, self.shared);
        let overdue = || started.elapsed() > self.work;
        let mut ended = run(&self.shared.program, call, &mut transaction, &mut self.ids, &overdue);
        let (trouble, key_taken) = (transaction.trouble.take(), transaction.key_taken);
        let mut touched = std::mem::take(&mut transaction.touched);
        if self.shared.is_earlier {
            // Its marks are of other tables than ours.
            touched = Touched::everything();
        }
        if trouble.is_some() {
            return self.given_up(session, trouble, ended);
        }
        if ended.result.is_err() {
            let Beside::Job(_) = beside else {
                let tried = if key_taken { Tried::KeyTaken(ended) } else { Tried::Ended(ended) };
                return self.undo(session, tried);
            };
            // A job that is refused leaves nothing but the note of its next run.
            if let Err(failed) = session.end("ROLLBACK") {
                return self.given_up(session, Some(Fault::of(&failed)), ended);
            }
            session.begin(begin);
            touched = Touched::default();
        }
        let mut system = OnPostgres::new(session);
        let noted = self.behind(&mut system, &mut ended, (beside, now));
        let trouble = system.trouble.take();
        match noted {
            Ok(()) if ended.result.is_ok() || matches!(beside, Beside::Job(_)) => {
                self.commit(session, ended, &touched)
            }
            Ok(()) => self.undo(session, Tried::Ended(ended)),
            Err(error) => self.given_up(session, trouble, refused(error)),
        }
    }

    /// What is asked before a call runs; gives something when it does not.
    fn before(
        &self,
        system: &mut OnPostgres<'_>,
        call: &Call,
        beside: &Beside,
    ) -> Result<Option<Tried>, StoreError> {
        Ok(match beside {
            Beside::Nothing | Beside::Delivery(..) => None,
            Beside::Job(next) => {
                let program = call.part.as_ref().map(|part| &*part.program);
                let may = jobs::may_run(system, next, self.node)? && jobs::has_ended(system, next, program)?;
                (!may).then(|| Tried::Ended(Ended::nothing_done()))
            }
            Beside::Once(once) => kept_answer(system, &once.key, call.now)?.map(|kept| match kept {
                Kept::Answer(answer) => Tried::Replayed(answer),
                Kept::OtherInput => Tried::OtherInput,
            }),
        })
    }

    /// What is written behind a call; it may refuse the call.
    fn behind(
        &mut self,
        system: &mut OnPostgres<'_>,
        ended: &mut Ended,
        (beside, now): (&Beside, i64),
    ) -> Result<(), StoreError> {
        match (beside, &ended.result) {
            (Beside::Nothing, _) | (Beside::Once(_) | Beside::Delivery(..), Err(_)) => Ok(()),
            // The answer of an operation with parts is that of the last one.
            (Beside::Once(_), Ok(_)) if ended.resume.is_some() => Ok(()),
            (Beside::Delivery(told, part), Ok(_)) => {
                let program = part.as_ref().map_or("", |part| &part.program);
                let before = part.as_ref().and_then(|part| part.resume.as_deref());
                settle_delivery(system, told, (program, before), &self.shared.vault, ended)
            }
            (Beside::Job(next), _) => jobs::note(system, next, self.node, !is_settled(ended)),
            (Beside::Once(once), Ok(answer)) => match (once.render)(answer, &ended.rows) {
                Ok(answer) => {
                    if !keep_answer(system, &once.key, &answer, now)? {
                        // Seen at the next try.
                        system.trouble = Some(Fault::Conflict);
                        return Err(StoreError::Unavailable("another call has the key".into()));
                    }
                    self.kept = Some(answer);
                    Ok(())
                }
                Err(refusal) => {
                    ended.result = Err(refusal);
                    Ok(())
                }
            },
        }
    }

    /// A call with at most one statement, which reads.
    fn alone(&mut self, session: &mut Session, call: Call) -> Tried {
        let started = Instant::now();
        let mut transaction = PostgresTransaction::new(session, self.shared);
        let overdue = || started.elapsed() > self.work;
        let ended = run(&self.shared.program, call, &mut transaction, &mut self.ids, &overdue);
        match transaction.trouble.take() {
            None => Tried::Ended(ended),
            Some(Fault::Conflict) => Tried::Conflict,
            Some(_) => Tried::LostBefore,
        }
    }

    fn commit(&mut self, session: &mut Session, ended: Ended, touched: &Touched) -> Tried {
        let (flushing, mark) = (Instant::now(), session.mark());
        let commits = &self.shared.commits;
        let done = match commits.told(self.node, touched) {
            None => session.end("COMMIT"),
            Some(text) => session.end(&format!("{}; COMMIT", listening::telling(&text))),
        };
        // Before the answer, and also when it is not known what became of it.
        commits.note(touched);
        match done {
            Ok(()) => {
                if let Some(observer) = self.on_commit {
                    observer(flushing.elapsed(), 1);
                }
                Tried::Ended(ended)
            }
            Err(failed) => match Fault::of(&failed) {
                Fault::Conflict => self.undo(session, Tried::Conflict),
                Fault::Lost(_) => Tried::Lost(ended, self.kept.take(), mark),
                Fault::Store(error) => self.undo(session, Tried::Ended(refused(error))),
            },
        }
    }

    /// Ends a transaction that is not to be; a session that cannot even do that is lost, and its transaction with it.
    fn undo(&self, session: &mut Session, tried: Tried) -> Tried {
        match session.end("ROLLBACK") {
            Ok(()) => tried,
            Err(_) => Tried::LostBefore,
        }
    }

    fn given_up(&self, session: &mut Session, trouble: Option<Fault>, ended: Ended) -> Tried {
        match trouble {
            Some(Fault::Conflict) => self.undo(session, Tried::Conflict),
            Some(Fault::Lost(_)) => Tried::LostBefore,
            Some(Fault::Store(error)) => self.undo(session, Tried::Ended(refused(error))),
            None => self.undo(session, Tried::Ended(ended)),
        }
    }
}

fn refused(error: StoreError) -> Ended {
    Ended::refused(match error {
        StoreError::MovedOn => Refusal::MovedOn,
        StoreError::Unavailable(_) => Refusal::Unavailable,
        StoreError::Arithmetic => Refusal::Arithmetic("a number is beyond what its field keeps"),
        StoreError::TooMuchWork => Refusal::TooMuchWork,
        error => Refusal::Internal(error.to_string()),
    })
}

/// Whether a job need not begin anew after a crash: it has ended, or the store keeps where it goes on.
fn is_settled(ended: &Ended) -> bool {
    ended.resume.as_ref().map_or(!ended.again, |resume| resume.kept)
}
