//! The audit trail: every recorded write has its entry in its own transaction, refused calls have theirs apart, and
//! whoever changes, removes, moves or cuts off anything is found out.

use crate::place::{database, placed, tamper};
use crate::system::{System, config};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{ClockChoice, Config, Limits, start_within};
use formwork_store::{AuditError, AuditFilter, AuditTrail, StoredAudit, Verified};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

static CLUB: LazyLock<Analysis> = LazyLock::new(|| {
    let analysis = analyse_fragment(include_str!("../documents/audited.md").into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    assert!(analysis.compiled.program.audit.open.is_empty());
    analysis
});

async fn club() -> System {
    System::start(&CLUB, Limits::default()).await
}

async fn trail<T: Send + 'static>(
    data: PathBuf,
    look: impl FnOnce(&mut AuditTrail) -> Result<T, AuditError> + Send + 'static,
) -> T {
    let looked = tokio::task::spawn_blocking(move || {
        let mut trail = AuditTrail::open(&data.join("formwork.db"), database(&data).as_deref(), None)?;
        look(&mut trail)
    });
    looked.await.expect("no panic").expect("a trail")
}

async fn entries(data: &Path) -> Vec<StoredAudit> {
    trail(data.to_owned(), |trail| {
        let mut all = Vec::new();
        trail.each(&AuditFilter::default(), |stored| {
            all.push(stored);
            Ok::<(), AuditError>(())
        })?;
        Ok(all)
    })
    .await
}

async fn verified(data: &Path, anchors: &[&str]) -> Verified {
    let anchors: Vec<_> = anchors.iter().map(|anchor| anchor.parse().expect("a head")).collect();
    trail(data.to_owned(), move |trail| trail.verify(&anchors)).await
}

/// Waits until all entries are chained, which takes less than a second on a machine that has the time.
async fn chained(data: &Path) -> Verified {
    let all = async {
        loop {
            let verified = verified(data, &[]).await;
            if verified.unchained == 0 {
                return verified;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("the sequencer works")
}

fn faults(verified: &Verified) -> Vec<String> {
    verified.faults.iter().map(ToString::to_string).collect()
}

/// Who did what to which: `clerk join created member`.
fn told(stored: &StoredAudit) -> String {
    let entry = &stored.entry;
    let actor = entry.actor.as_deref().unwrap_or(&entry.kind);
    let object = entry.object.as_ref().map_or("-", |(entity, _)| entity);
    let status = entry.status.map_or("-".to_owned(), |status| status.to_string());
    format!("{actor} {} {} {object} {status}", entry.operation, entry.action)
}

async fn join(system: &System, key: &str, name: &str) -> Json {
    let body = json!({"name": name, "mail": "ann@example.com", "pin": "1234"}).to_string();
    let made = system.public("POST /members").key(key).json(&body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()
}

fn id(member: &Json) -> &str {
    member["id"].as_str().expect("an id")
}

#[tokio::test]
async fn each_write_has_one_entry_with_who_when_before_and_after_and_what_is_personal_masked() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let member = join(&system, &key, "Ann").await;
    let body = json!({"name": "Anna"}).to_string();
    let ask = system.public(&format!("PATCH /members/{}", id(&member))).key(&key).json(&body);
    assert_eq!(ask.header("x-request-id", "rename-7").send().await.status, 200);
    system.advance("0s").await;
    let gone = system.public(&format!("DELETE /members/{}", id(&member))).key(&key).send().await;
    assert_eq!(gone.status, 204);
    let all = entries(&system.data()).await;
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        [
            "carla join created member 201",
            "carla rename updated member 200",
            "system Sweeper/2 created remark -",
            "carla leave deleted remark 204",
            "carla leave deleted member 204",
        ]
    );
    let renamed = &all[1].entry;
    assert_eq!(renamed.object.as_ref().expect("a row").1, id(&member));
    let before: Json = serde_json::from_str(renamed.before.as_deref().expect("before")).expect("JSON");
    let after: Json = serde_json::from_str(renamed.after.as_deref().expect("after")).expect("JSON");
    assert_eq!(before, json!({"id": id(&member), "name": "Ann", "mail": "***", "pin": "***"}));
    assert_eq!(after["name"], "Anna");
    assert_eq!(renamed.request.as_deref(), Some("rename-7"));
    assert_eq!(renamed.address.as_deref(), Some("127.0.0.1"));
    assert_eq!((renamed.roles.as_slice(), &*renamed.kind), (&["clerk".to_owned()][..], "caller"));
    assert_eq!(renamed.until, Some(renamed.time + 400 * 86_400_000_000));
    assert!(all.iter().all(|stored| !stored.canonical.contains("ann@example.com")));
    assert!((all[0].entry.before.is_none(), all[4].entry.after.is_none()) == (true, true));
    let verified = chained(&system.data()).await;
    assert_eq!((faults(&verified).len(), verified.entries), (0, 5));
    system.stop().await;
}

#[tokio::test]
async fn what_is_refused_or_undone_has_no_entry_of_a_write_and_a_denial_has_one_of_its_own() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let other = system.key("visitor", "victor").await;
    let nobody = json!({"name": "nobody", "mail": "m", "pin": "p"}).to_string();
    let undone = system.public("POST /members").key(&key).json(&nobody).send().await;
    assert_eq!(undone.outcome(), "409 unwanted");
    for (key, status) in [(Some(&other), 403), (None, 401)] {
        let ask = system.public("POST /members").json(&nobody);
        let ask = if let Some(key) = key { ask.key(key) } else { ask };
        assert_eq!(ask.send().await.status, status);
    }
    // A listed operation has its refusals recorded, whatever they are.
    let nowhere = "GET /members/01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(system.public(nowhere).key(&key).send().await.status, 404);
    let all = entries(&system.data()).await;
    assert_eq!(
        all.iter().map(told).collect::<Vec<_>>(),
        ["victor join refused - 403", "anonymous join refused - 401", "carla look refused - 404"]
    );
    assert_eq!(all[2].entry.code.as_deref(), Some("no_member"));
    system.stop().await;
}

#[tokio::test]
async fn calls_that_only_read_are_recorded_when_they_are_listed_and_other_tables_are_not() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let member = join(&system, &key, "Ann").await;
    let look = format!("GET /members/{}", id(&member));
    assert_eq!(system.public(&look).key(&key).send().await.status, 200);
    assert_eq!(system.public("POST /chat").json(r#"{"text":"hello"}"#).send().await.status, 201);
    let all = entries(&system.data()).await;
    let said: Vec<String> = all.iter().map(told).collect();
    assert_eq!(said, ["carla join created member 201", "carla look called - 200"]);
    system.stop().await;
}

#[tokio::test]
async fn statements_over_many_rows_and_standing_steps_are_recorded_row_by_row() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    for name in ["a", "b", "c"] {
        join(&system, &key, name).await;
    }
    let renamed = system.public("POST /rename_all").key(&key).json(r#"{"name":"gone"}"#).send().await;
    assert_eq!(renamed.status, 204, "{renamed:?}");
    system.advance("1h").await;
    let all = entries(&system.data()).await;
    let count = |line: &str| all.iter().filter(|stored| told(stored) == line).count();
    assert_eq!(count("carla rename_all updated member 204"), 3);
    assert_eq!(count("system Sweeper/1 deleted member -"), 3);
    assert_eq!(count("system Sweeper/1 deleted remark -"), 3);
    system.stop().await;
}

#[tokio::test]
async fn a_replayed_answer_writes_no_second_entry() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let body = json!({"name": "Ann", "mail": "m", "pin": "p"}).to_string();
    for _ in 0..3 {
        let ask = system.public("POST /members").key(&key).header("idempotency-key", "once").json(&body);
        assert_eq!(ask.send().await.status, 201);
    }
    assert_eq!(entries(&system.data()).await.len(), 1);
    system.stop().await;
}

#[tokio::test]
async fn clients_at_once_give_one_chain_without_a_gap() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let clients = (0..64).map(|client| {
        let asks: Vec<_> = (0..5)
            .map(|round| {
                let name = format!("m{client}-{round}");
                let body = json!({"name": name, "mail": "m", "pin": "p"}).to_string();
                system.public("POST /members").key(&key).json(&body)
            })
            .collect();
        tokio::spawn(async move {
            let mut made = Vec::new();
            for ask in asks {
                let answer = ask.send().await;
                if answer.status == 201 {
                    made.push(id(&answer.json()).to_owned());
                }
            }
            made
        })
    });
    let mut made = BTreeSet::new();
    for client in clients.collect::<Vec<_>>() {
        made.extend(client.await.expect("no panic"));
    }
    assert!(made.len() > 200, "{}", made.len());
    let verified = chained(&system.data()).await;
    assert_eq!(faults(&verified), [] as [&str; 0]);
    let all = entries(&system.data()).await;
    let places: Vec<i64> = all.iter().filter_map(|stored| stored.place).collect();
    assert_eq!(places, (1..=all.len() as i64).collect::<Vec<_>>());
    let created: Vec<_> = all.iter().filter(|stored| &*stored.entry.action == "created").collect();
    let keys: BTreeSet<String> =
        created.iter().filter_map(|stored| Some(stored.entry.object.clone()?.1)).collect();
    assert_eq!((created.len(), &keys), (made.len(), &made));
    system.stop().await;
}

/// A club with five members, its trail chained; stopped, so that nothing else writes.
async fn stopped_club() -> (tempfile::TempDir, PathBuf, String) {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    for name in ["a", "b", "c", "d", "e"] {
        join(&system, &key, name).await;
    }
    let folder = system.stop().await;
    let data = folder.path().join("data");
    let verified = verified(&data, &[]).await;
    assert_eq!((verified.entries, verified.unchained, faults(&verified).len()), (5, 0, 0));
    let head = verified.head.expect("a head").to_string();
    (folder, data, head)
}

#[tokio::test]
async fn what_was_tampered_with_is_found() {
    let (_folder, data, head) = stopped_club().await;
    tamper(&data, r#"UPDATE "_audit" SET "actor" = 'mallory' WHERE "place" = 2"#).await;
    assert_eq!(faults(&verified(&data, &[]).await), ["entry 2 was changed"]);
    tamper(&data, r#"UPDATE "_audit" SET "actor" = 'carla' WHERE "place" = 2"#).await;
    assert_eq!(faults(&verified(&data, &[&head]).await), [] as [&str; 0]);
    let swap = r#"UPDATE "_audit" SET "place" = -1 WHERE "place" = 3;
        UPDATE "_audit" SET "place" = 3 WHERE "place" = 4; UPDATE "_audit" SET "place" = 4 WHERE "place" = -1"#;
    tamper(&data, swap).await;
    assert_eq!(
        faults(&verified(&data, &[]).await),
        [
            "entry 4 was put in place 3: the order was changed",
            "entry 3 was put in place 4: the order was changed"
        ]
    );
    tamper(&data, swap).await;
    tamper(&data, r#"DELETE FROM "_audit" WHERE "place" = 2"#).await;
    assert_eq!(faults(&verified(&data, &[]).await), ["entry 2 was removed before its time"]);
    tamper(&data, r#"DELETE FROM "_audit_chain" WHERE "place" = 2"#).await;
    assert_eq!(faults(&verified(&data, &[]).await), ["entry 2 was removed with its link"]);
    // Whoever closes the gap has to change what follows.
    let close = r#"DELETE FROM "_audit" WHERE "place" = 2; UPDATE "_audit" SET "place" = "place" - 1 WHERE "place" = 3;
        UPDATE "_audit_chain" SET "place" = 2 WHERE "place" = 3"#;
    tamper(&data, close).await;
    let found = faults(&verified(&data, &[]).await);
    assert_eq!(found[0], "link 2 does not follow from the one before: the chain was changed");
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_found_by_the_head_that_was_kept() {
    let (_folder, data, head) = stopped_club().await;
    let cut = r#"DELETE FROM "_audit" WHERE "place" >= 4; DELETE FROM "_audit_chain" WHERE "place" >= 4"#;
    tamper(&data, cut).await;
    let found = faults(&verified(&data, &[&head]).await);
    assert_eq!(
        found,
        [
            format!("the end of the chain is gone: it had 5 links ({head})"),
            format!("the head {head} is not in the chain")
        ]
    );
    // Whoever forges the head in the database too is found by one that was kept elsewhere.
    tamper(&data, r#"DELETE FROM "_formwork" WHERE "name" = 'audit head'"#).await;
    assert_eq!(faults(&verified(&data, &[]).await), [] as [&str; 0]);
    assert_eq!(faults(&verified(&data, &[&head]).await), [format!("the head {head} is not in the chain")]);
}

#[tokio::test]
async fn a_tail_that_is_not_chained_is_named() {
    let (_folder, data, _) = stopped_club().await;
    let forge = r#"INSERT INTO "_audit" ("time", "kind", "roles", "action", "operation")
        VALUES (7, 'caller', '[]', 'called', 'forged')"#;
    tamper(&data, forge).await;
    let verified = verified(&data, &[]).await;
    assert_eq!((verified.unchained, verified.unchained_since, verified.entries), (1, Some(7), 5));
}

#[tokio::test]
async fn anyone_can_verify_an_entry_by_its_canonical_text() {
    let (_folder, data, head) = stopped_club().await;
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut before = "0".repeat(64);
    for stored in entries(&data).await {
        let digest = hexadecimal(&Sha256::digest(stored.canonical.as_bytes()));
        let until = stored.entry.until.expect("kept 400 d");
        let place = stored.place.expect("chained");
        before = hexadecimal(&Sha256::digest(format!("{place}\n{before}\n{digest}\n{until}").as_bytes()));
        assert_eq!(hexadecimal(&stored.hash.expect("a hash")), before);
    }
    assert_eq!(head, format!("5:{before}"));
}

#[tokio::test]
async fn entries_go_when_their_time_is_over_and_the_chain_still_holds() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let member = join(&system, &key, "Ann").await;
    let look = format!("GET /members/{}", id(&member));
    assert_eq!(system.public(&look).key(&key).send().await.status, 200);
    system.advance("0s").await;
    let head = chained(&system.data()).await.head.expect("a head").to_string();
    // `look` is kept 30 d, writes 400 d.
    system.advance("31d").await;
    let over = async { while entries(&system.data()).await.iter().any(|it| it.entry.operation == "look") {} };
    tokio::time::timeout(Duration::from_secs(30), over).await.expect("it is removed");
    let verified = chained(&system.data()).await;
    assert_eq!((faults(&verified).len(), verified.removed), (0, 1), "{verified:?}");
    let all = entries(&system.data()).await;
    let removed = all.iter().find(|stored| &*stored.entry.action == "removed").expect("an entry says so");
    assert_eq!(removed.entry.after.as_deref(), Some(r#"{"count":1,"places":[[2,2]]}"#));
    let data = system.data();
    let _folder = system.stop().await;
    assert_eq!(faults(&crate::audit::verified(&data, &[&head]).await), [] as [&str; 0]);
    // Removed before its time, and said to be removed: the link knows better.
    let forge = r#"DELETE FROM "_audit" WHERE "place" = 1;
        INSERT INTO "_audit" ("time", "kind", "roles", "action", "operation", "after")
        VALUES (1, 'system', '[]', 'removed', 'retention', '{"places":[[1,1]]}')"#;
    tamper(&data, forge).await;
    assert_eq!(faults(&crate::audit::verified(&data, &[]).await), ["entry 1 was removed before its time"]);
}

#[tokio::test]
async fn what_a_killed_system_has_committed_is_chained_by_the_next_one() {
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let mut made = BTreeSet::new();
    for name in ["a", "b", "c"] {
        made.insert(id(&join(&system, &key, name).await).to_owned());
    }
    let System { running, folder } = system;
    // Dropped, not shut down: like a killed process.
    drop(running);
    let folder = crate::system::until_free(folder).await;
    let system = System::start_in(folder, &CLUB, Limits::default()).await;
    let verified = chained(&system.data()).await;
    assert_eq!(faults(&verified), [] as [&str; 0]);
    let all = entries(&system.data()).await;
    let created = all.iter().filter(|stored| told(stored) == "carla join created member 201");
    let keys: Vec<String> = created.filter_map(|stored| Some(stored.entry.object.clone()?.1)).collect();
    assert_eq!((keys.len(), keys.into_iter().collect::<BTreeSet<_>>()), (3, made));
    system.stop().await;
}

#[tokio::test]
async fn nodes_on_one_database_make_one_chain() {
    let own = config(tempfile::tempdir().expect("a folder").path().join("data"));
    if own.database.is_none() {
        // A file has one process.
        let system = System::start_in(tempfile::tempdir().expect("a folder"), &CLUB, Limits::default()).await;
        let twice = Config { clock: ClockChoice::Test, ..placed(config(system.data())) };
        assert!(start_within(twice, Limits::default(), &CLUB).await.is_err());
        system.stop().await;
        return;
    }
    let start = async || {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config {
            clock: ClockChoice::System,
            database: own.database.clone(),
            schema: own.schema.clone(),
            ..config(folder.path().join("data"))
        };
        let running = start_within(config, Limits::default(), &CLUB).await.expect("starts");
        System { running, folder }
    };
    let (first, second) = (start().await, start().await);
    let key = first.first_key("clerk");
    let writes = |system: &System| {
        let asks: Vec<_> = (0..40)
            .map(|number| {
                let body = json!({"name": format!("n{number}"), "mail": "m", "pin": "p"}).to_string();
                system.public("POST /members").key(&key).json(&body)
            })
            .collect();
        tokio::spawn(async move {
            let mut made = 0;
            for ask in asks {
                made += usize::from(ask.send().await.status == 201);
            }
            made
        })
    };
    let (one, other) = (writes(&first), writes(&second));
    let made = one.await.expect("no panic") + other.await.expect("no panic");
    let data = own.data.clone();
    let verified = chained(&data).await;
    assert_eq!(faults(&verified), [] as [&str; 0]);
    let all = entries(&data).await;
    let joined = all.iter().filter(|stored| stored.entry.operation == "join").count();
    assert_eq!((joined, made > 40), (made, true));
    first.stop().await;
    second.stop().await;
}

/// How long the entry of a write waited for the chain: at the least, from the answer, which the commit is before, to the
/// last look that saw it wait; and at the most, from the request to the first look that saw it chained.
async fn until_chained(system: &System, key: &str) -> (Duration, Duration) {
    let sent = Instant::now();
    let member = join(system, key, "sample").await;
    let (answered, mut waited) = (Instant::now(), Duration::ZERO);
    let filter = AuditFilter { key: Some(id(&member).to_owned()), ..AuditFilter::default() };
    loop {
        let (own, looked) = (filter.clone(), Instant::now());
        let places = trail(system.data(), move |trail| {
            let mut places = Vec::new();
            trail.each(&own, |stored| {
                places.push(stored.place);
                Ok::<(), AuditError>(())
            })?;
            Ok(places)
        });
        if places.await.first().is_some_and(Option::is_some) {
            return (waited, sent.elapsed());
        }
        waited = looked.duration_since(answered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_every_entry_is_chained_within_a_second() {
    const SAMPLES: usize = 12;
    let system = club().await;
    let key = system.key("clerk", "carla").await;
    let ended = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let body = json!({"name": format!("w{writer}"), "mail": "w@example.com", "pin": "1"}).to_string();
            let (ask, ended) = (system.public("POST /members").key(&key).json(&body), ended.clone());
            tokio::spawn(async move {
                let mut written = 0_u64;
                while !ended.load(Ordering::Relaxed) {
                    assert_eq!(ask.clone().send().await.status, 201);
                    written += 1;
                }
                written
            })
        })
        .collect();
    let (mut least, mut most) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..SAMPLES {
        let (waited, all) = until_chained(&system, &key).await;
        (least, most) = (least.max(waited), most.max(all));
    }
    ended.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("no panic");
    }
    println!("{written} writes beside; slowest of {SAMPLES}: {least:?} at the least, {most:?} at the most");
    assert!(written > 50, "{written} writes are no load");
    assert!(least <= Duration::from_secs(1), "an entry waited for {least:?} beside {written} writes");
}
