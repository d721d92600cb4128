//! An answer is a promise: what it says is on disk, whatever happens to the machine then.

use crate::harness::{Room, answer, document, program, refusal, text};
use crate::vfs::Disk;
use formwork_engine::Refusal;
use formwork_language::program::Program;
use formwork_language::value::Value;
use formwork_store::{Options, Store};
use std::sync::Arc;

fn notes() -> Arc<Program> {
    program(&document(
        "### Operation: `add` — `POST /notes`\n\n**Input:**\n- `name` (string) | its name | required\n\n\
         **Output:** `201` with the `note`\n\n**Behavior:**\n1. Anyone may call this.\n\
         2. Fails with `409 taken` when a `note` exists where `name == input.name`.\n\
         3. Creates a `note` with `name = input.name`.\n4. Returns `201` with the `note`.\n",
        "### Entity: `note`\n\n**Fields:**\n- `id` (uuid) | identity | primary key, generated\n\
         - `name` (string) | its name | required, unique\n",
    ))
}

fn room() -> (Room, Arc<Disk>) {
    let (disk, vfs) = Disk::register();
    (Room::with(notes(), |options: &mut Options| options.vfs = Some(vfs)), disk)
}

fn named(number: usize) -> Value {
    text(&format!("note {number}"))
}

/// The names of the notes that a power cut at this moment leaves.
fn left(disk: &Disk, survives: impl FnMut(usize) -> bool) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    disk.cut_power(folder.path(), survives);
    let store = Store::open(Options::new(folder.path().join("data.sqlite")), notes()).unwrap();
    store.count(0, None, &[]).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_leaves_before_the_flush_that_covers_it() {
    let (room, disk) = room();
    let room = Arc::new(room);
    disk.hold();
    let tasks: Vec<_> = (0..5)
        .map(|number| {
            let room = Arc::clone(&room);
            // Two of them are refused; a refusal rests on a neighbour's row and waits as well.
            tokio::spawn(async move { room.run("add", &[("name", named(number % 3))]).await })
        })
        .collect();
    let waiting = Arc::clone(&disk);
    tokio::task::spawn_blocking(move || waiting.until_held_up()).await.unwrap();
    assert!(tasks.iter().all(|task| !task.is_finished()));
    let before = disk.flushes();
    disk.release();
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.unwrap().result.is_ok());
    }
    assert_eq!(made, 3);
    assert!(disk.flushes() > before);
}

#[tokio::test]
async fn a_power_cut_after_any_answer_loses_nothing_acknowledged() {
    let (room, disk) = room();
    for number in 0..40 {
        answer(&room.run("add", &[("name", named(number))]).await);
        assert_eq!(left(&disk, |_| false), number as u64 + 1, "nothing that was not flushed survives");
    }
}

#[tokio::test]
async fn what_reached_the_disk_without_a_flush_does_no_harm() {
    let (room, disk) = room();
    for number in 0..10 {
        answer(&room.run("add", &[("name", named(number))]).await);
    }
    disk.fail(true);
    refusal(&room.run("add", &[("name", named(10))]).await);
    for keep in 0..16_usize {
        // Any subset of the writes, in any order of arrival, must leave the ten; the eleventh may be there or not.
        let found = left(&disk, |change| keep >> (change % 4) & 1 == 1);
        assert!((10..=11).contains(&found), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_whose_flush_fails_is_unavailable_to_the_last_call() {
    let (room, disk) = room();
    let room = Arc::new(room);
    answer(&room.run("add", &[("name", named(100))]).await);
    disk.hold();
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let room = Arc::clone(&room);
            tokio::spawn(async move { room.run("add", &[("name", named(number % 4))]).await })
        })
        .collect();
    let waiting = Arc::clone(&disk);
    tokio::task::spawn_blocking(move || waiting.until_held_up()).await.unwrap();
    disk.fail(true);
    disk.release();
    for task in tasks {
        let ended = task.await.unwrap();
        assert!(matches!(refusal(&ended), Refusal::Unavailable), "{:?}", ended.result);
    }
    assert_eq!(room.count("note"), 1, "what was not flushed is not seen");
    disk.fail(false);
    answer(&room.run("add", &[("name", named(0))]).await);
    assert_eq!(room.count("note"), 2);
    assert_eq!(left(&disk, |_| false), 2);
}

#[tokio::test]
async fn closing_moves_the_log_into_the_database() {
    let (room, disk) = room();
    for number in 0..5 {
        answer(&room.run("add", &[("name", named(number))]).await);
    }
    room.store.close().await;
    assert!(matches!(refusal(&room.run("add", &[("name", named(9))]).await), Refusal::Unavailable));
    assert_eq!(left(&disk, |_| false), 5);
    let again = Store::open(Options::new(room.place.folder.path().join("data.sqlite")), notes()).unwrap();
    assert_eq!(again.count(0, None, &[]).unwrap(), 5);
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_at_once() {
    let (disk, vfs) = crate::vfs::Disk::register();
    let room = Arc::new(Room::with(crate::laws::shop(), |options| {
        options.vfs = Some(vfs);
        options.queue = 4;
    }));
    disk.hold();
    let mut tasks = Vec::new();
    let begin = |number: usize| {
        let room = Arc::clone(&room);
        async move { room.run("add_team", &[("name", text(&format!("team {number}")))]).await }
    };
    tasks.push(tokio::spawn(begin(0)));
    let waiting = Arc::clone(&disk);
    tokio::task::spawn_blocking(move || waiting.until_held_up()).await.unwrap();
    for number in 1..=4 {
        tasks.push(tokio::spawn(begin(number)));
    }
    tokio::task::yield_now().await;
    assert!(matches!(refusal(&begin(5).await), Refusal::Overloaded));
    disk.release();
    for task in tasks {
        answer(&task.await.unwrap());
    }
    assert_eq!(room.count("team"), 5);
}
