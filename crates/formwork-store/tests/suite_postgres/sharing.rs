//! Several nodes on one database: nothing is lost, nothing is decided twice, nothing is held twice.

use crate::harness::{NOW, answer, call, document, entity_named, field_of, program, step, text};
use crate::place::Place;
use formwork_engine::{Call, Ended, What};
use formwork_language::program::{Program, slots};
use formwork_language::value::Value;
use formwork_store::{NextRun, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

fn ward() -> Arc<Program> {
    let operation = |name: &str, route: &str, input: &str, steps: &str| {
        format!(
            "### Operation: `{name}` — `{route}`\n\n**Input:**\n{input}\n\n**Output:** as the steps say\n\n\
             **Behavior:**\n1. Anyone may call this.\n{steps}\n\n"
        )
    };
    let key = "- `name` (string) | its name | required";
    let operations = [
        operation(
            "add",
            "POST /doctors",
            key,
            "2. Creates a `doctor` with `name = input.name`.\n3. Returns `201` with the `doctor`.",
        ),
        operation(
            "see",
            "POST /patients",
            key,
            "2. Finds the `doctor` where `name == input.name`, or fails with `404 no_doctor`.\n\
             3. Updates the `doctor` with `seen = doctor.seen + 1`.\n4. Returns the `doctor`.",
        ),
        operation(
            "leave",
            "POST /leaves",
            key,
            "2. Lets `n` be the number of `doctor` where `on_call`.\n3. Fails with `409 last_one` when `n < 2`.\n\
             4. Finds the `doctor` where `name == input.name`, or fails with `404 no_doctor`.\n\
             5. Updates the `doctor` with `on_call = false`.\n6. Returns the `doctor`.",
        ),
        operation(
            "claim",
            "POST /claims",
            "None",
            "2. Finds the first `doctor` where `on_call`, sorted by `name`, skipping those taken by others, as `free`, \
             or fails with `404 none_free`.\n3. Updates the `free` with `on_call = false`.\n4. Returns the `free`.",
        ),
    ];
    let entities = "### Entity: `doctor`\n\n**Fields:**\n- `name` (string) | its name | primary key\n\
        - `on_call` (boolean) | whether one may come | required, default true\n\
        - `seen` (integer) | patients | required, default 0\n";
    program(&format!(
        "{}\n## 3) Core Components\n\n### Clerk\n\n**Responsibilities:**\n- Every `1 min`: deletes every `doctor` where `seen > 100`.\n- Every `1 min`:\n  - Creates a `doctor` with `name = string(now())`.\n",
        document(&operations.concat(), entities)
    ))
}

/// Two nodes with the same rows.
struct Nodes {
    stores: [Arc<Store>; 2],
    seed: AtomicU64,
    _places: (Place, TempDir),
}

impl Nodes {
    fn start(program: &Arc<Program>) -> Self {
        let (place, folder) = (Place::new(), tempfile::tempdir().unwrap());
        let mut other = place.options();
        other.path = folder.path().join("data.sqlite");
        let open = |options| Arc::new(Store::open(options, Arc::clone(program)).unwrap());
        let stores = [open(place.options()), open(other)];
        Self { stores, seed: AtomicU64::new(1), _places: (place, folder) }
    }

    fn call(&self, operation: &str, name: &str) -> Call {
        let seed = self.seed.fetch_add(1, Ordering::Relaxed);
        let input: &[(&str, Value)] = if name.is_empty() { &[] } else { &[("name", text(name))] };
        call(self.stores[0].program(), operation, "alice", input, seed)
    }

    /// So many calls at once, every other one on another node.
    async fn at_once(&self, count: usize, each: impl Fn(usize) -> Call) -> Vec<Ended> {
        let tasks: Vec<_> = (0..count)
            .map(|number| {
                let (store, call) = (Arc::clone(&self.stores[number % 2]), each(number));
                tokio::spawn(async move { store.run(call).await })
            })
            .collect();
        let mut ended = Vec::new();
        for task in tasks {
            ended.push(task.await.unwrap());
        }
        ended
    }

    async fn add(&self, name: &str) {
        answer(&self.stores[0].run(self.call("add", name)).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_of_a_row_that_all_want_is_lost() {
    let nodes = Nodes::start(&ward());
    nodes.add("ann").await;
    for ended in nodes.at_once(64, |_| nodes.call("see", "ann")).await {
        answer(&ended);
    }
    let ended = nodes.stores[0].run(nodes.call("see", "ann")).await;
    assert_eq!(field_of(nodes.stores[0].program(), &ended, "seen").to_plain(), "65");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_decides_on_the_others_row_is_decided_one_after_the_other() {
    let nodes = Nodes::start(&ward());
    for round in 0..8 {
        let names = [format!("ann {round}"), format!("bob {round}")];
        for name in &names {
            nodes.add(name).await;
        }
        let ended = nodes.at_once(2, |number| nodes.call("leave", &names[number])).await;
        let left = ended.iter().filter(|ended| ended.result.is_ok()).count();
        assert_eq!(left, 1, "round {round}: {ended:?}");
        // The one who stays makes room for the next round.
        nodes.add(&format!("spare {round}")).await;
        let stays = names.iter().zip(&ended).find(|(_, ended)| ended.result.is_err()).unwrap().0;
        answer(&nodes.stores[0].run(nodes.call("leave", stays)).await);
        let spare = format!("spare {round}");
        assert_eq!(step(&nodes.stores[1].run(nodes.call("leave", &spare)).await), (409, "last_one"));
        nodes.stores[0].run(nodes.call("claim", "")).await.result.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_is_claimed_once() {
    let nodes = Nodes::start(&ward());
    for number in 0..30 {
        nodes.add(&format!("doctor {number:02}")).await;
    }
    let ended = nodes.at_once(40, |_| nodes.call("claim", "")).await;
    let mut names: Vec<String> = ended
        .iter()
        .filter(|ended| ended.result.is_ok())
        .map(|ended| field_of(nodes.stores[0].program(), ended, "name").to_plain().to_string())
        .collect();
    assert_eq!(names.len(), 30);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 30);
    let refused = ended.iter().filter(|ended| ended.result.is_err());
    assert!(refused.map(step).all(|step| step == (404, "none_free")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_job_is_carried_out_by_one_node() {
    let program = ward();
    let nodes = Nodes::start(&program);
    let job = program.jobs.iter().position(|job| *job.name == *"Clerk/2").unwrap();
    let minute = 60_000_000;
    for round in 0..5 {
        let due = NOW + round * minute;
        let tasks = nodes.stores.each_ref().map(|store| {
            let mut slots = vec![Value::Absent; usize::from(program.jobs[job].code.slots)];
            slots[usize::from(slots::CALLER_ID)] = text("system");
            let seed = formwork_engine::replayable(1);
            let call =
                Call { what: What::Job(job as u32), slots, now: due, seed, precondition: None, part: None };
            let next = NextRun { job: "Clerk/2".into(), at: Some(due + minute), due: Some(due) };
            let store = Arc::clone(store);
            tokio::spawn(async move { store.run_job(call, next).await })
        });
        for task in tasks {
            answer(&task.await.unwrap());
        }
    }
    let doctor = entity_named(&program, "doctor");
    assert_eq!(nodes.stores[0].count(doctor, None, &[]).unwrap(), 5);
    assert_eq!(nodes.stores[1].next_runs().unwrap()[0].at, Some(NOW + 5 * minute));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_the_same_for_all_nodes() {
    let nodes = Nodes::start(&ward());
    let first = nodes.stores[0].shared_secret("cursors", [1; 32]).await.unwrap();
    let second = nodes.stores[1].shared_secret("cursors", [2; 32]).await.unwrap();
    assert_eq!((first, second), ([1; 32], [1; 32]));
}
