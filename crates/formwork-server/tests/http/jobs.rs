//! Standing steps on the machine's clock.

use crate::client::ask;
use crate::place::options;
use crate::system::{System, config};
use formwork_check::{Analysis, analyse};
use formwork_language::program::{Code, Instruction, Job, MetricShape, Program, Schedule, slots};
use formwork_server::{ClockChoice, Config, start};
use formwork_store::{NextRun, Store};
use formwork_syntax::Span;
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400_000_000;

/// A job for each schedule, which counts its runs.
fn counting(schedules: Vec<Schedule>) -> Analysis {
    let job = |(number, schedule): (usize, Schedule)| {
        let metric = u16::try_from(number).expect("few");
        let instructions = vec![Instruction::Count { metric, by: None }, Instruction::Stop];
        Job {
            name: format!("Worker/{}", number + 1).into(),
            component: "Worker".into(),
            schedule,
            code: Code { spans: vec![Span::default(); 2], instructions, slots: slots::INPUT },
            span: Span::default(),
        }
    };
    let metric = |number: usize| MetricShape {
        name: format!("runs_{}_total", number + 1).into(),
        histogram: false,
        help: "Runs.".into(),
    };
    let mut analysis = analyse("".into());
    analysis.diagnostics.clear();
    analysis.compiled.program = Program {
        metrics: (0..schedules.len()).map(metric).collect(),
        jobs: schedules.into_iter().enumerate().map(job).collect(),
        api_key_header: "x-api-key".into(),
        ..Program::default()
    };
    analysis
}

async fn runs(system: &System, job: usize) -> u64 {
    let metrics = ask(system.running.addresses().admin, "GET /metrics").send().await.body;
    let name = format!("runs_{job}_total ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("the counter");
    line.parse().expect("a number")
}

async fn on_the_machines_clock(folder: tempfile::TempDir, analysis: &Analysis) -> System {
    let config = Config { clock: ClockChoice::System, ..config(folder.path().join("data")) };
    let running = start(config, analysis).await.expect("starts");
    System { running, folder }
}

async fn wait_for(system: &System, job: usize, count: u64) {
    let reached = async { while runs(system, job).await < count {} };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    assert!(reached.is_ok(), "job {job} ran {} times", runs(system, job).await);
}

#[tokio::test]
async fn jobs_run_at_start_and_at_their_intervals() {
    let schedules = vec![
        Schedule::StartUp,
        Schedule::Interval { every: 20_000, offset: 0 },
        Schedule::Interval { every: 100 * DAY, offset: 0 },
    ];
    let analysis = counting(schedules);
    let system = on_the_machines_clock(tempfile::tempdir().expect("a folder"), &analysis).await;
    wait_for(&system, 2, 3).await;
    wait_for(&system, 1, 1).await;
    assert_eq!(runs(&system, 1).await, 1);
    assert_eq!(runs(&system, 3).await, 0);
    system.stop().await;
}

#[tokio::test]
async fn runs_that_were_missed_collapse_into_one() {
    let schedules =
        vec![Schedule::Interval { every: DAY, offset: 0 }, Schedule::Interval { every: 20_000, offset: 0 }];
    let analysis = counting(schedules);
    let system = on_the_machines_clock(tempfile::tempdir().expect("a folder"), &analysis).await;
    assert_eq!(runs(&system, 1).await, 0);
    let folder = system.stop().await;

    let options = options(&folder.path().join("data"));
    let store = Store::open(options, Arc::new(analysis.compiled.program.clone())).expect("opens");
    store.set_next_run(NextRun { job: "Worker/1".into(), at: Some(DAY), due: None }).await.expect("noted");
    store.close().await;
    drop(store);

    let system = on_the_machines_clock(folder, &analysis).await;
    wait_for(&system, 1, 1).await;
    wait_for(&system, 2, 3).await;
    assert_eq!(runs(&system, 1).await, 1);
    let folder = system.stop().await;
    // The next run is noted: a further start runs nothing.
    let system = on_the_machines_clock(folder, &analysis).await;
    wait_for(&system, 2, 3).await;
    assert_eq!(runs(&system, 1).await, 0);
}
