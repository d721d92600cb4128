//! Flows against a scripted system: what holds passes, what does not falls short and says why.

use formwork_check::{Analysis, analyse, analyse_fragment};
use formwork_language::behaviour::{
    Actor, Amount, AmountComparison, Expectation, Flow, FlowAction, FlowCall, FlowStep, RowCount, Target,
    flow_slots,
};
use formwork_language::expression::Expression;
use formwork_language::value::Value;
use formwork_model::Class;
use formwork_model::facts::Outcome;
use formwork_prove::report::{Report, Verdict};
use formwork_prove::{LaunchError, Launcher, Options, ProveError, System, Wanted, run_flows};
use formwork_syntax::Span;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Script = fn(&str, u32) -> (u16, String);

/// Systems whose answers a function of the request and its number decides; every request is written down.
struct Scripted {
    script: Script,
    launched: AtomicU32,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn new(script: Script) -> Self {
        Self { script, launched: AtomicU32::new(0), seen: Arc::default() }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic while locked").clone()
    }
}

impl Launcher for Scripted {
    async fn launch(&self, _: &Wanted) -> Result<System, LaunchError> {
        self.launched.fetch_add(1, Ordering::Relaxed);
        let listener =
            TcpListener::bind("127.0.0.1:0").await.map_err(|error| LaunchError(error.to_string()))?;
        let address: SocketAddr = listener.local_addr().expect("bound");
        let (script, seen, calls) = (self.script, Arc::clone(&self.seen), Arc::new(AtomicU32::new(0)));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, script, Arc::clone(&seen), Arc::clone(&calls)));
            }
        });
        Ok(System {
            public: address,
            internal: address,
            admin: address,
            admin_key: "admin-key".to_owned(),
            stop: Box::new(move || Box::pin(async move { serving.abort() })),
        })
    }
}

async fn answer(mut stream: TcpStream, script: Script, seen: Arc<Mutex<Vec<String>>>, calls: Arc<AtomicU32>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let request = loop {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&buffer[..read]),
            _ => return,
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().expect("a number")) {
            break text;
        }
    };
    let line = request.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
    let body = request.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    let shown = format!("{line} {body}").trim_end().to_owned();
    seen.lock().expect("no panic while locked").push(shown.clone());
    let (status, body) = match line.as_str() {
        "POST /clock" => (200, r#"{"now":"2030-01-01T00:00:00Z"}"#.to_owned()),
        "POST /keys" => (201, r#"{"key":"secret"}"#.to_owned()),
        "POST /probe/count" => (200, r#"{"count":2}"#.to_owned()),
        "GET /probe/events?name=paid" => (200, r#"{"events":[{"name":"paid","data":{"sum":3}}]}"#.to_owned()),
        _ => script(&shown, calls.fetch_add(1, Ordering::Relaxed)),
    };
    let answer =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn run(steps: Vec<Option<FlowAction>>, errors: Vec<Option<FlowAction>>, systems: &Scripted) -> Report {
    let analysis = flow(steps, errors);
    // One system at a time, so that the requests stand in the order of the steps.
    let options = Options { at_a_time: Some(1), ..Options::default() };
    block_on(run_flows(&analysis, systems, &options)).expect("the systems start")
}

fn one_flow(steps: Vec<Option<FlowAction>>) -> Analysis {
    flow(steps, Vec::new())
}

fn flow(steps: Vec<Option<FlowAction>>, errors: Vec<Option<FlowAction>>) -> Analysis {
    let step = |action: Option<FlowAction>| FlowStep {
        text: "a step".to_owned(),
        span: Span::new(0, 0),
        class: if action.is_some() { Class::Understood } else { Class::Narrative },
        action,
    };
    let mut analysis: Analysis = analyse(Arc::from(""));
    analysis.compiled.program.api_key_header = Arc::from("x-api-key");
    analysis.compiled.flows = vec![Flow {
        name: Arc::from("A flow"),
        steps: steps.into_iter().map(step).collect(),
        errors: errors.into_iter().map(step).collect(),
        span: Span::new(0, 0),
    }];
    analysis
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads").block_on(future)
}

fn get(path: &str) -> FlowCall {
    FlowCall {
        actor: Actor::Anonymous,
        target: Target::Path { method: Arc::from("GET"), path: Arc::from(path) },
        path: None,
        input: None,
        again: false,
        headers: Vec::new(),
    }
}

fn status(status: u16, code: Option<&str>) -> Expectation {
    let outcome = Outcome { status, code: code.map(str::to_owned) };
    Expectation { outcomes: vec![outcome], with: None, remembers: Vec::new() }
}

fn call(path: &str, expect: Expectation) -> Option<FlowAction> {
    Some(FlowAction::Call { call: get(path), expect: Some(expect) })
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    report.flows[0].steps.iter().map(|step| step.verdict).collect()
}

fn race(exactly: u32) -> Option<FlowAction> {
    let exactly = vec![(exactly, status(201, None))];
    Some(FlowAction::AtOnce { count: 8, call: get("/race"), exactly, others: None })
}

#[test]
fn status_and_code_must_both_fit() {
    let gone = |_: &str, _| (404, r#"{"code":"gone"}"#.to_owned());
    let report = run(vec![call("/a", status(404, Some("gone")))], Vec::new(), &Scripted::new(gone));
    assert_eq!(report.verdict(), Verdict::Pass);
    let report = run(vec![call("/a", status(404, Some("lost")))], Vec::new(), &Scripted::new(gone));
    assert_eq!(report.verdict(), Verdict::Fail);
    let step = &report.flows[0].steps[0];
    assert_eq!(step.expected.as_deref(), Some("404 lost"));
    assert_eq!(step.got.as_deref(), Some(r#"404 gone {"code":"gone"}"#));
}

#[test]
fn a_call_that_expects_nothing_must_still_succeed() {
    let step = || Some(FlowAction::Call { call: get("/a"), expect: None });
    let fine = run(vec![step()], Vec::new(), &Scripted::new(|_, _| (302, String::new())));
    let refused = run(vec![step()], Vec::new(), &Scripted::new(|_, _| (422, String::new())));
    assert_eq!((fine.verdict(), refused.verdict()), (Verdict::Pass, Verdict::Fail));
}

#[test]
fn a_condition_sees_the_answer() {
    let mut expected = status(200, None);
    let member =
        Expression::Member { of: Box::new(Expression::Slot(flow_slots::RESPONSE)), name: Arc::from("good") };
    expected.with = Some((member, "response.good".to_owned()));
    let good = run(
        vec![call("/a", expected.clone())],
        Vec::new(),
        &Scripted::new(|_, _| (200, r#"{"good":true}"#.into())),
    );
    let bad =
        run(vec![call("/a", expected)], Vec::new(), &Scripted::new(|_, _| (200, r#"{"good":false}"#.into())));
    assert_eq!((good.verdict(), bad.verdict()), (Verdict::Pass, Verdict::Fail));
    assert_eq!(bad.flows[0].steps[0].expected.as_deref(), Some("200 with `response.good`"));
}

#[test]
fn what_a_step_remembers_is_sent_by_a_later_one() {
    let mut first = status(200, None);
    let id =
        Expression::Member { of: Box::new(Expression::Slot(flow_slots::RESPONSE)), name: Arc::from("id") };
    first.remembers = vec![(flow_slots::FIRST, id)];
    let text = |text: &str| Expression::Constant(Value::Text(Arc::from(text)));
    let mut second = get("/things/{id}");
    second.input = Some(Expression::Map(vec![
        (text("id"), Expression::Slot(flow_slots::FIRST)),
        (text("colour"), text("red & blue")),
    ]));
    let systems = Scripted::new(|_, _| (200, r#"{"id":"a/b"}"#.to_owned()));
    let steps = vec![call("/first", first), Some(FlowAction::Call { call: second, expect: None })];
    assert_eq!(run(steps, Vec::new(), &systems).verdict(), Verdict::Pass);
    assert!(systems.seen().contains(&"GET /things/a%2Fb?colour=red%20%26%20blue".to_owned()));
}

#[test]
fn a_race_counts_outcomes_exactly() {
    let one_wins: Script =
        |_, number| if number == 0 { (201, String::new()) } else { (409, r#"{"code":"taken"}"#.into()) };
    let held = run(vec![race(1)], Vec::new(), &Scripted::new(one_wins));
    assert_eq!(held.verdict(), Verdict::Pass);
    assert_eq!(held.flows[0].steps[0].got.as_deref(), Some("1 × 201, 7 × 409 taken"));
    assert_eq!(run(vec![race(2)], Vec::new(), &Scripted::new(one_wins)).verdict(), Verdict::Fail);
    let crashes: Script = |_, number| (if number == 0 { 201 } else { 500 }, String::new());
    assert_eq!(run(vec![race(1)], Vec::new(), &Scripted::new(crashes)).verdict(), Verdict::Fail);
}

#[test]
fn callers_of_a_race_are_different_callers() {
    let mut call = get("/race");
    call.actor = Actor::Role {
        role: Arc::from("member"),
        id: Arc::from("member"),
        scopes: Vec::new(),
        claims: Vec::new(),
    };
    let exactly = vec![(3, status(200, None))];
    let action = FlowAction::AtOnce { count: 3, call, exactly, others: None };
    let systems = Scripted::new(|_, _| (200, String::new()));
    assert_eq!(run(vec![Some(action)], Vec::new(), &systems).verdict(), Verdict::Pass);
    let keys: Vec<String> =
        systems.seen().into_iter().filter(|line| line.starts_with("POST /keys")).collect();
    let made = |number: u32| format!(r#"POST /keys {{"roles":["member"],"id":"member-{number}"}}"#);
    assert_eq!(keys, [made(1), made(2), made(3)]);
}

#[test]
fn rows_and_events_are_counted() {
    let rows = |count| {
        Some(FlowAction::CountRows {
            entity: Arc::from("link"),
            count,
            filter: Some(Arc::from("a == 1")),
            variables: Vec::new(),
        })
    };
    let event = |times| Some(FlowAction::EventEmitted { event: Arc::from("paid"), times, with: None });
    let alone = |action| run(vec![action], Vec::new(), &Scripted::new(|_, _| (200, String::new()))).verdict();
    assert_eq!(alone(rows(RowCount::Exactly(2))), Verdict::Pass);
    assert_eq!(alone(rows(RowCount::AtLeast(1))), Verdict::Pass);
    assert_eq!(alone(rows(RowCount::Exactly(0))), Verdict::Fail);
    assert_eq!(alone(event(None)), Verdict::Pass);
    assert_eq!(alone(event(Some(1))), Verdict::Pass);
    assert_eq!(alone(event(Some(2))), Verdict::Fail);
}

#[test]
fn a_step_begins_when_all_that_the_one_before_set_going_is_done() {
    let systems = Scripted::new(|_, _| (200, String::new()));
    let steps = vec![call("/a", status(200, None)), call("/b", status(200, None))];
    assert_eq!(run(steps, Vec::new(), &systems).verdict(), Verdict::Pass);
    let quiet = r#"POST /clock {"advance":"0s"}"#;
    assert_eq!(systems.seen(), [quiet, "GET /a", quiet, "GET /b", quiet]);
}

#[test]
fn a_block_is_carried_out_as_often_as_it_says_up_to_the_first_step_that_falls_short() {
    let step = |action| FlowStep {
        text: "a step".to_owned(),
        span: Span::new(0, 0),
        class: Class::Understood,
        action: Some(action),
    };
    let three_times = || {
        let steps = vec![step(call("/a", status(200, None)).expect("an action"))];
        Some(FlowAction::Repeat { times: 3, steps })
    };
    let fine = Scripted::new(|_, _| (200, String::new()));
    let report = run(vec![three_times()], Vec::new(), &fine);
    assert_eq!(report.verdict(), Verdict::Pass);
    assert_eq!(fine.seen().iter().filter(|line| *line == "GET /a").count(), 3);
    assert_eq!(report.flows[0].steps[0].steps.len(), 1);
    let once = Scripted::new(|_, number| (if number == 0 { 200 } else { 500 }, String::new()));
    let report = run(vec![three_times()], Vec::new(), &once);
    assert_eq!(report.verdict(), Verdict::Fail);
    assert_eq!(once.seen().iter().filter(|line| *line == "GET /a").count(), 2);
    let got = report.flows[0].steps[0].steps[0].got.as_deref();
    assert_eq!(got, Some("500 (in round 2 of 3)"));
}

#[test]
fn a_tally_counts_the_calls_of_its_block() {
    let step = |action: FlowAction| FlowStep {
        text: "a step".to_owned(),
        span: Span::new(0, 0),
        class: Class::Understood,
        action: Some(action),
    };
    let branch = |path: &str| step(FlowAction::Call { call: get(path), expect: None });
    let block = |exactly: u32| {
        let tally = FlowAction::Tally {
            exactly: vec![(exactly, status(201, None))],
            others: Some(status(409, None)),
        };
        Some(FlowAction::Together { branches: vec![branch("/a"), branch("/b"), step(tally)] })
    };
    let one_wins: Script = |_, number| (if number == 0 { 201 } else { 409 }, String::new());
    let held = run(vec![block(1)], Vec::new(), &Scripted::new(one_wins));
    assert_eq!(held.verdict(), Verdict::Pass);
    let fell = run(vec![block(2)], Vec::new(), &Scripted::new(one_wins));
    let branches: Vec<Verdict> = fell.flows[0].steps[0].steps.iter().map(|branch| branch.verdict).collect();
    assert_eq!(branches, [Verdict::Pass, Verdict::Pass, Verdict::Fail]);
    assert_eq!(fell.flows[0].steps[0].steps[2].got.as_deref(), Some("1 × 201, 1 × 409"));
}

#[test]
fn a_call_that_an_external_component_signs_is_not_testable_and_neither_is_what_rests_on_it() {
    let mut signed = get("/hook");
    signed.actor = Actor::Component(Arc::from("Provider"));
    let steps = vec![
        call("/a", status(200, None)),
        Some(FlowAction::Call { call: signed, expect: Some(status(204, None)) }),
        call("/b", status(200, None)),
    ];
    let report = run(steps, Vec::new(), &Scripted::new(|_, _| (200, String::new())));
    assert_eq!(verdicts(&report), [Verdict::Pass, Verdict::NotTestable, Verdict::NotTestable]);
    assert_eq!(report.verdict(), Verdict::NotTestable, "what was not carried out is not passed");
}

#[test]
fn a_running_system_is_called_and_nothing_is_asked_of_its_control_plane() {
    let systems =
        Scripted::new(|line, _| (if line.starts_with("GET /base/a") { 200 } else { 404 }, String::new()));
    let analysis = one_flow(vec![
        call("/a", status(200, None)),
        Some(FlowAction::Metric {
            metric: Arc::from("m"),
            amount: Amount {
                comparison: AmountComparison::Exactly,
                value: Expression::Constant(Value::Integer(1)),
                text: "1".to_owned(),
            },
        }),
        call("/a", status(200, None)),
        Some(FlowAction::Advance(1)),
        call("/a", status(200, None)),
    ]);
    let report = block_on(async {
        let system = systems.launch(&Wanted::default()).await.expect("it starts");
        let url = format!("http://{}/base/", system.public);
        let target = Some(formwork_prove::Target::find(&url, Vec::new()).await.expect("an address"));
        let options = Options { target, ..Options::default() };
        let report = run_flows(&analysis, &systems, &options).await.expect("it runs");
        (system.stop)().await;
        report
    });
    let none = Verdict::NotTestable;
    // A look that cannot be had hides nothing from the next step; a clock that does not move does.
    assert_eq!(verdicts(&report), [Verdict::Pass, none, Verdict::Pass, none, none]);
    assert_eq!(systems.seen(), ["GET /base/a", "GET /base/a"]);
}

#[test]
fn an_actor_without_a_key_for_a_running_system_is_not_testable() {
    let keys = vec![("member".to_owned(), "k".to_owned())];
    let mut called = get("/a");
    let role = |id: &str| Actor::Role {
        role: Arc::from("member"),
        id: Arc::from(id),
        scopes: Vec::new(),
        claims: Vec::new(),
    };
    called.actor = role("member");
    let mut other = get("/a");
    other.actor = role("bob");
    let expect = || Some(status(200, None));
    let analysis = one_flow(vec![
        Some(FlowAction::Call { call: called, expect: expect() }),
        Some(FlowAction::Call { call: other, expect: expect() }),
    ]);
    let systems = Scripted::new(|_, _| (200, String::new()));
    let report = block_on(async {
        let system = systems.launch(&Wanted::default()).await.expect("it starts");
        let target = formwork_prove::Target::find(&format!("http://{}", system.public), keys)
            .await
            .expect("an address");
        let options = Options { target: Some(target), ..Options::default() };
        run_flows(&analysis, &systems, &options).await.expect("it runs")
    });
    assert_eq!(verdicts(&report), [Verdict::Pass, Verdict::NotTestable]);
    assert_eq!(
        report.flows[0].steps[1].got.as_deref(),
        Some("there is no key for `bob`: give one with --key bob=KEY")
    );
}

/// A document with an invariant, and a flow.
const WITH_INVARIANT: &str = "## 6) Data Model\n\n### Entity: `row`\n\n**Fields:**\n- `id` (integer) | which | primary key\n\n\
    - **Invariant:** the number of `row` is at most `3`\n\n## 7) Canonical Flows\n\n### Flow: A flow\n\n\
    1. `visitor` calls `GET /a` and gets `200`.\n\n**Errors:**\n- `visitor` calls `GET /b` → `404`\n";

#[test]
fn after_a_flow_and_after_each_case_the_invariants_are_tested() {
    let analysis = analyse_fragment(Arc::from(WITH_INVARIANT));
    assert_eq!(analysis.compiled.program.schema.invariants.len(), 1, "{:#?}", analysis.diagnostics);
    let report = |script: Script| {
        let systems = Scripted::new(script);
        block_on(run_flows(&analysis, &systems, &Options::default())).expect("the systems start")
    };
    let holding = report(|line, _| match line {
        "GET /invariants" => (200, r#"{"broken":[]}"#.to_owned()),
        "GET /b" => (404, String::new()),
        _ => (200, String::new()),
    });
    assert_eq!(holding.verdict(), Verdict::Pass);
    let broken = report(|line, _| match line {
        "GET /invariants" => (200, r#"{"broken":["there are 4 rows"]}"#.to_owned()),
        "GET /b" => (404, String::new()),
        _ => (200, String::new()),
    });
    let flow = &broken.flows[0];
    let tested = flow.invariants.as_ref().expect("there is one");
    assert_eq!((tested.verdict, tested.got.as_deref()), (Verdict::Fail, Some("there are 4 rows")));
    assert_eq!(flow.errors[0].got.as_deref(), Some("after this case: there are 4 rows"));
    assert_eq!(flow.verdict(), Verdict::Fail);
}

#[test]
fn after_a_failure_the_rest_is_inconclusive_and_error_cases_are_not_run() {
    let steps = vec![call("/a", status(200, None)), call("/b", status(200, None)), None];
    let systems = Scripted::new(|_, _| (500, String::new()));
    let report = run(steps, vec![call("/c", status(404, None))], &systems);
    assert_eq!(verdicts(&report), [Verdict::Fail, Verdict::Inconclusive, Verdict::NotExecuted]);
    assert_eq!(report.flows[0].errors[0].verdict, Verdict::Inconclusive);
    assert!(!systems.seen().iter().any(|line| line == "GET /b" || line == "GET /c"));
}

#[test]
fn each_error_case_runs_in_a_system_of_its_own_behind_the_happy_path() {
    let systems =
        Scripted::new(
            |line, _| if line == "GET /happy" { (200, String::new()) } else { (404, String::new()) },
        );
    let errors = vec![call("/x", status(404, None)), call("/y", status(409, None))];
    let report = run(vec![call("/happy", status(200, None))], errors, &systems);
    let cases: Vec<Verdict> = report.flows[0].errors.iter().map(|case| case.verdict).collect();
    assert_eq!(cases, [Verdict::Pass, Verdict::Fail]);
    assert_eq!(systems.launched.load(Ordering::Relaxed), 3);
    let calls: Vec<String> = systems.seen().into_iter().filter(|line| line.starts_with("GET")).collect();
    assert_eq!(calls, ["GET /happy", "GET /happy", "GET /x", "GET /happy", "GET /y"]);
}

#[test]
fn a_flow_that_only_tells_is_not_a_test_and_starts_nothing() {
    let systems = Scripted::new(|_, _| (200, String::new()));
    let report = run(vec![None, None], Vec::new(), &systems);
    assert_eq!(report.verdict(), Verdict::NotTestable);
    assert_eq!(verdicts(&report), [Verdict::NotExecuted, Verdict::NotExecuted]);
    assert_eq!(systems.launched.load(Ordering::Relaxed), 0);
}

#[test]
fn an_unknown_flow_is_refused_with_another_name() {
    let analysis = analyse(Arc::from(""));
    let options = Options { flow: Some("A trip".to_owned()), ..Options::default() };
    let refused = block_on(run_flows(&analysis, &Scripted::new(|_, _| (200, String::new())), &options));
    assert!(matches!(refused, Err(ProveError::UnknownFlow { .. })));
}

#[test]
fn the_text_reads_like_the_document_and_junit_escapes_it() {
    let report = run(
        vec![call("/a", status(200, None)), None],
        Vec::new(),
        &Scripted::new(|_, _| (500, "<&\">".into())),
    );
    let text = report.to_text("doc.md", false);
    assert_eq!(
        text,
        "A flow\n  ✗ a step\n      doc.md:1:1\n      expected  200\n      got       500 <&\">\n  · a step  (not executed)\n\n1 flow: 1 failed\n2 steps: 1 failed, 1 narrative, not executed\n"
    );
    assert!(report.to_text("doc.md", true).contains("\u{1b}[31m✗"));
    assert!(report.to_junit("doc.md").contains("got 500 &lt;&amp;&quot;&gt;"));
    assert_eq!(report.to_json()["flows"][0]["steps"][1]["verdict"], "not_executed");
}
