//! A commit whose answer is lost: what was asked for is done once, and its caller is told what it came to.

use crate::harness::{answer, call, document, program, text};
use crate::place::Place;
use crate::relay::{Cut, Relay};
use formwork_engine::{Call, Part, Refusal, What};
use formwork_language::program::Program;
use formwork_store::{Holder, KeptAnswer, Once, OnceEnded, OnceKey, Options, Store};
use formwork_temporary_postgres::{Server, server};
use std::sync::Arc;

fn counters() -> Arc<Program> {
    let operations = "### Operation: `add` — `POST /notes`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
        **Output:** as the steps say\n\n**Behavior:**\n1. Anyone may call this.\n\
        2. Creates a `note` with `name = input.name`.\n3. Returns `201` with the `note`.\n\n\
        ### Operation: `add_two` — `POST /pairs`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
        **Output:** as the steps say\n\n**Behavior:**\n1. Anyone may call this.\n\
        2. Creates a `note` with `name = input.name`.\n3. Commits.\n\
        4. Creates a `note` with `name = input.name` as `second`.\n5. Returns `201` with the `second`.\n";
    let entities = "### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
        - `name` (string) | its name | required\n";
    program(&document(operations, entities))
}

struct Noted {
    relay: Relay,
    store: Store,
    _place: Place,
}

impl Noted {
    fn open() -> Self {
        let (relay, place) = (Relay::to(server()), Place::new());
        let options = Options { database: Some(relay.url()), ..place.options() };
        let store = Store::open(options, counters()).unwrap();
        Self { relay, store, _place: place }
    }

    fn call(&self, operation: &str, name: &str) -> Call {
        call(self.store.program(), operation, "alice", &[("name", text(name))], 1)
    }

    fn count(&self) -> u64 {
        self.store.count(0, None, &[]).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_whose_commit_is_cut_is_done_once_and_answered() {
    let noted = Noted::open();
    for (number, cut) in [Cut::After, Cut::Before, Cut::After].into_iter().enumerate() {
        noted.relay.cut_next(cut, "");
        let ended = noted.store.run(noted.call("add", "a")).await;
        assert_eq!(answer(&ended).status, 201, "{cut:?}");
        assert_eq!((noted.count(), noted.relay.cuts()), (number as u64 + 1, number + 1), "{cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_key_its_answer_is_the_one_that_is_kept() {
    let noted = Noted::open();
    let once = || {
        let key =
            OnceKey { scope: "caller alice".into(), key: "k".into(), fingerprint: [1; 32], until: None };
        let left = |status| Ok(KeptAnswer { status, ..KeptAnswer::default() });
        Once { key, render: Box::new(move |answer, _| left(answer.status)) }
    };
    noted.relay.cut_next(Cut::After, "");
    let first = noted.store.run_once(noted.call("add", "a"), once()).await;
    assert!(matches!(&first, OnceEnded::Ran(_, Some(kept)) if kept.status == 201), "{first:?}");
    let again = noted.store.run_once(noted.call("add", "a"), once()).await;
    assert!(matches!(&again, OnceEnded::Replayed(kept) if kept.status == 201), "{again:?}");
    assert_eq!((noted.count(), noted.relay.cuts()), (1, 1));
}

/// The commit is sent, and before anybody can ask what became of it the server is started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_cut_while_the_server_is_started_again_is_done_once() {
    for cut in [Cut::After, Cut::Before] {
        let (own, place) = (Server::start(), Place::new());
        let relay = Relay::to(&own);
        let options = Options { database: Some(relay.url()), ..place.options() };
        let store = Store::open(options, counters()).unwrap();
        let add = |name: &str| call(store.program(), "add", "alice", &[("name", text(name))], 1);
        let once = || {
            let key =
                OnceKey { scope: "caller alice".into(), key: "k".into(), fingerprint: [1; 32], until: None };
            let left = |status| Ok(KeptAnswer { status, ..KeptAnswer::default() });
            Once { key, render: Box::new(move |answer, _| left(answer.status)) }
        };
        let started_again = async || {
            tokio::task::block_in_place(|| {
                relay.is_held();
                own.stop();
                own.start_again();
                relay.release();
            });
        };
        // Under a key what was done is found, and what was not is done.
        relay.cut_and_hold(cut, "keyed");
        let (keyed, ()) = tokio::join!(store.run_once(add("keyed"), once()), started_again());
        let again = store.run_once(add("keyed"), once()).await;
        let OnceEnded::Replayed(again) = again else { panic!("{cut:?}: {again:?}") };
        assert_eq!(again.status, 201, "{cut:?}");
        assert!(matches!(keyed, OnceEnded::Ran(_, Some(_)) | OnceEnded::Replayed(_)), "{cut:?}: {keyed:?}");
        assert_eq!((store.count(0, None, &[]).unwrap(), relay.cuts()), (1, 1), "{cut:?}");
        // Without one nobody can say what was done, but what was not is known.
        relay.cut_and_hold(cut, "plain");
        let (plain, ()) = tokio::join!(store.run(add("plain")), started_again());
        match cut {
            Cut::After => assert!(matches!(plain.result, Err(Refusal::Unsure)), "{:?}", plain.result),
            Cut::Before => assert_eq!(answer(&plain).status, 201),
        }
        assert_eq!((store.count(0, None, &[]).unwrap(), relay.cuts()), (2, 2), "{cut:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_is_done_once_whichever_commit_is_cut() {
    for cut in [Cut::After, Cut::Before] {
        for cut_at in 0..2 {
            let noted = Noted::open();
            let part = Part {
                operation: [7; 16],
                program: "p".into(),
                started: 0,
                once: None,
                key: None,
                resume: None,
            };
            let begin = Call { part: Some(Box::new(part.clone())), ..noted.call("add_two", "a") };
            if cut_at == 0 {
                noted.relay.cut_next(cut, "");
            }
            let first = noted.store.run(begin).await;
            let resume = first.resume.expect("there is a second part");
            assert_eq!((noted.count(), resume.step), (1, 1));
            let left = noted.store.unfinished(10).unwrap();
            assert_eq!((left.len(), left[0].step, left[0].holder), (1, 1, Holder::Own));
            if cut_at == 1 {
                noted.relay.cut_next(cut, "");
            }
            let second = Call {
                part: Some(Box::new(Part { resume: Some(resume), ..part })),
                ..noted.call("add_two", "a")
            };
            assert_eq!(answer(&noted.store.run(second).await).status, 201);
            assert_eq!((noted.count(), noted.relay.cuts()), (2, 1), "{cut:?} at {cut_at}");
            assert!(noted.store.unfinished(10).unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_somebody_else_has_carried_on_is_undone() {
    let noted = Noted::open();
    let part =
        Part { operation: [7; 16], program: "p".into(), started: 0, once: None, key: None, resume: None };
    let begin = Call { part: Some(Box::new(part.clone())), ..noted.call("add_two", "a") };
    let resume = noted.store.run(begin).await.resume.expect("there is a second part");
    let claimed = noted.store.claim_operation(part.operation, 1).await.unwrap().expect("it is there");
    assert_eq!(claimed.step, 2);
    assert!(noted.store.claim_operation(part.operation, 1).await.unwrap().is_none(), "only one claims it");
    let second =
        Call { part: Some(Box::new(Part { resume: Some(resume), ..part })), ..noted.call("add_two", "a") };
    let ended = noted.store.run(second).await;
    assert!(matches!(ended.result, Err(Refusal::MovedOn)), "{:?}", ended.result);
    assert_eq!(noted.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_does_not_begin_while_a_run_of_it_is_left() {
    let program = program(&format!(
        "{}\n## 3) Core Components\n\n### Clerk\n\n**Responsibilities:**\n- Every `1 min`:\n  \
         - Creates a `note` with `name = \"a\"`.\n  - Commits.\n  - Creates a `note` with `name = \"b\"`.\n",
        document(
            "",
            "### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
             - `name` (string) | its name | required\n"
        )
    ));
    let place = Place::new();
    let store = Store::open(place.options(), Arc::clone(&program)).unwrap();
    let run = |number: u8, due: i64| {
        let part = Part {
            operation: [number; 16],
            program: "p".into(),
            started: 0,
            once: None,
            key: None,
            resume: None,
        };
        let mut slots =
            vec![formwork_language::value::Value::Absent; usize::from(program.jobs[0].code.slots)];
        slots[0] = text("system");
        let seed = formwork_engine::replayable(u64::from(number));
        let call = Call {
            what: What::Job(0),
            slots,
            now: due,
            seed,
            precondition: None,
            part: Some(Box::new(part)),
        };
        let job = program.jobs[0].name.to_string();
        store.run_job(call, formwork_store::NextRun { job, at: Some(due + 60), due: Some(due) })
    };
    let first = run(1, 60).await;
    assert!(first.resume.is_some());
    let second = run(2, 120).await;
    assert!(second.resume.is_none() && second.result.is_ok(), "{second:?}");
    assert_eq!(store.count(0, None, &[]).unwrap(), 1);
}
