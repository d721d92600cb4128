//! The edge alone: one program made by hand whose operations answer what they were sent.

use crate::client::exchange;
use crate::system::System;
use formwork_check::{Analysis, analyse};
use formwork_language::constraint::FieldRules;
use formwork_language::expression::Expression;
use formwork_language::program::{
    AccessRule, Answered, Code, InputField, InputShape, Instruction, Mode, Operation, OutputShape, PathPart,
    Program, Slot, Surface, slots,
};
use formwork_language::value::Value;
use formwork_model::facts::Location;
use formwork_model::values::Type;
use formwork_server::Limits;
use formwork_syntax::Span;

fn field(name: &str, ty: Type, optional: bool, location: Location) -> InputField {
    InputField {
        name: name.into(),
        ty,
        optional,
        default: None,
        location,
        rules: FieldRules::default(),
        span: Span::default(),
    }
}

/// An operation that answers the named slots as an object.
fn operation(route: &str, fields: Vec<InputField>, answered: &[(&str, Slot)]) -> Operation {
    let (method, path) = route.split_once(' ').expect("method and path");
    let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => PathPart::Parameter(name.into()),
        None => PathPart::Fixed(part.into()),
    };
    let member = |(name, slot): &(&str, Slot)| {
        (Expression::Constant(Value::Text((*name).into())), Expression::Slot(*slot))
    };
    let body = Answered::Value(Expression::Map(answered.iter().map(member).collect()));
    let instructions = vec![Instruction::Return { status: 200, body, headers: Vec::new() }];
    Operation {
        name: route.into(),
        method: method.into(),
        path: path.split('/').skip(1).map(part).collect(),
        surface: Surface::Public,
        mode: Mode::Executed,
        code: Code {
            spans: vec![Span::default(); instructions.len()],
            instructions,
            slots: slots::INPUT + u16::try_from(fields.len()).expect("few"),
        },
        input: InputShape { fields, ..InputShape::default() },
        access: AccessRule { public: true, ..AccessRule::default() },
        writes: false,
        output: OutputShape::default(),
        errors: Vec::new(),
        span: Span::default(),
    }
}

fn echo() -> Analysis {
    let first = slots::INPUT;
    let typed = vec![
        field("id", Type::Uuid, false, Location::Path),
        field("n", Type::Integer, true, Location::Query),
        field("price", Type::Decimal { precision: 8, scale: 2 }, true, Location::Body),
        field("at", Type::Timestamp, true, Location::Body),
        field("any", Type::Json, true, Location::Body),
        field("when", Type::Date, true, Location::Header("X-When".into())),
    ];
    let answered = [
        ("id", first),
        ("n", first + 1),
        ("price", first + 2),
        ("at", first + 3),
        ("any", first + 4),
        ("when", first + 5),
    ];
    let caller = [
        ("id", slots::CALLER_ID),
        ("roles", slots::CALLER_ROLES),
        ("claims", slots::CALLER_CLAIMS),
        ("request", slots::REQUEST_ID),
        ("ip", slots::REQUEST_IP),
        ("headers", slots::REQUEST_HEADERS),
    ];
    let mut keyed = operation("GET /keyed", Vec::new(), &caller);
    keyed.access = AccessRule { public: false, roles: vec![vec!["member".into()]], ..AccessRule::default() };
    let mut scoped = operation("GET /scoped", Vec::new(), &caller);
    scoped.access = AccessRule { scopes: vec!["deep".into()], ..AccessRule::default() };
    let mut mocked = operation("GET /mocked", Vec::new(), &[]);
    mocked.mode = Mode::Mocked;
    let mut inside = operation("GET /inside", Vec::new(), &caller);
    inside.surface = Surface::Internal;
    inside.access = AccessRule::default();
    let mut analysis = analyse("".into());
    analysis.diagnostics.clear();
    analysis.compiled.program = Program {
        operations: vec![
            operation("POST /echo/{id}", typed, &answered),
            operation("GET /anyone", Vec::new(), &caller),
            keyed,
            scoped,
            mocked,
            inside,
        ],
        roles: vec!["member".into()],
        api_key_header: "x-api-key".into(),
        ..Program::default()
    };
    analysis
}

async fn system() -> System {
    System::start(&echo(), Limits::default()).await
}

const ID: &str = "0190a6e0-7f1c-7abc-8def-001122334455";

#[tokio::test]
async fn every_kind_of_input_arrives_typed_and_leaves_in_its_json_form() {
    let system = system().await;
    let line = format!("POST /echo/{}?n=-7", ID.to_uppercase());
    let body = r#"{"price": 12.5, "at": "2030-01-01T01:00:00.5+01:00", "any": {"b": 1e400, "a": [null]}}"#;
    let answer = system.public(&line).header("X-When", "2030-02-03").json(body).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.body,
        format!(
            r#"{{"id":"{ID}","n":-7,"price":"12.50","at":"2030-01-01T00:00:00.5Z","any":{{"b": 1e400, "a": [null]}},"when":"2030-02-03"}}"#
        )
    );
    let bare = system.public(&format!("POST /echo/{ID}")).send().await;
    assert_eq!(
        bare.body,
        format!(r#"{{"id":"{ID}","n":null,"price":null,"at":null,"any":null,"when":null}}"#)
    );
}

#[tokio::test]
async fn all_faults_are_told_at_once_with_their_places() {
    let system = system().await;
    let answer = system
        .public("POST /echo/none?n=1.5&n=2&m=1")
        .header("X-When", "soon")
        .json(r#"{"price": "1.234", "at": 5, "more/~": 1}"#)
        .send()
        .await;
    assert_eq!(answer.outcome(), "422 invalid");
    assert_eq!(
        answer.faults(),
        [
            "path id format",
            "query n type",
            "query n repeated",
            "query m unknown_field",
            "header x-when format",
            "#/price type",
            "#/at type",
            "#/more~1~0 unknown_field"
        ]
    );
}

#[tokio::test]
async fn refusals_come_in_their_order() {
    let system = system().await;
    let outcome = async |line: &str| system.public(line).send().await.outcome();
    assert_eq!(outcome("GET /nothing").await, "404 not_found");
    assert_eq!(outcome("GET /openapi.json").await, "404 not_found");
    assert_eq!(outcome("DELETE /keyed").await, "405 method_not_allowed");
    // Without a key nobody learns whether the rest would fit.
    let bad = system.public("GET /keyed?x=%zz").header("accept", "text/html").json("{").send().await;
    assert_eq!(bad.outcome(), "401 unauthenticated");
    assert!(bad.header("www-authenticate").is_some_and(|scheme| scheme.contains("x-api-key")), "{bad:?}");
    let guest = system.key("guest", "gus").await;
    assert_eq!(system.public("GET /keyed?x=%zz").key(&guest).send().await.outcome(), "403 forbidden");
    assert_eq!(system.public("GET /scoped").key(&guest).send().await.outcome(), "403 forbidden");
    let unsuited = system.public("GET /anyone").header("accept", "text/html, image/*").json("{").send().await;
    assert_eq!(unsuited.outcome(), "406 not_acceptable");
    let line = format!("POST /echo/{ID}?n=%zz");
    let large = " ".repeat(1024 * 1024 + 1);
    let text = |line: &str| system.public(line).header("content-type", "text/plain");
    assert_eq!(text(&line).bytes(large.as_bytes()).send().await.outcome(), "413 content_too_large");
    let unsupported = text(&line).bytes(b"{").send().await;
    assert_eq!(unsupported.outcome(), "415 unsupported_media_type");
    assert_eq!(unsupported.header("accept").as_deref(), Some("application/json"));
    assert_eq!(system.public(&line).json(r#"{"x":1}"#).send().await.outcome(), "400 malformed");
    assert_eq!(
        system.public(&format!("POST /echo/{ID}")).json(r#"{"x":1}"#).send().await.outcome(),
        "422 invalid"
    );
    let mocked = system.public("GET /mocked").send().await;
    assert_eq!((mocked.status, &*mocked.body), (200, "{}"));
    assert_eq!(mocked.header("x-formwork-mode").as_deref(), Some("mocked"));
}

#[tokio::test]
async fn a_caller_is_who_its_key_says() {
    let system = system().await;
    let body = r#"{"roles":["member","ops"],"id":"alice","claims":{"team":"red"},"scopes":["deep"]}"#;
    let made = system.admin("POST /keys").json(body).send().await;
    let key = made.json()["key"].as_str().expect("a key").to_owned();
    let ask =
        system.public("GET /keyed").key(&key).header("x-request-id", "my.request_1").header("x-mine", "a");
    let answer = ask.send().await.json();
    assert_eq!(answer["id"], "alice");
    assert_eq!(answer["roles"], serde_json::json!(["member", "ops"]));
    assert_eq!(answer["claims"]["team"], "red");
    assert_eq!(answer["request"], "my.request_1");
    assert_eq!(answer["ip"], "127.0.0.1");
    assert_eq!(answer["headers"]["x-mine"], "a");
    assert_eq!(system.public("GET /scoped").key(&key).send().await.status, 200);

    let anyone = system.public("GET /anyone").send().await.json();
    assert_eq!((&anyone["id"], &anyone["roles"]), (&serde_json::Value::Null, &serde_json::json!([])));
    // A key that is sent must hold, even where none is needed.
    assert_eq!(system.public("GET /anyone").key("fw_x_y").send().await.outcome(), "401 unauthenticated");
}

#[tokio::test]
async fn internal_operations_are_on_their_listener_alone() {
    let system = system().await;
    let answer = system.internal("GET /inside").send().await;
    assert_eq!(answer.json()["roles"], serde_json::json!(["internal"]));
    assert_eq!(system.public("GET /inside").send().await.outcome(), "404 not_found");
    assert_eq!(system.internal("GET /anyone").send().await.outcome(), "404 not_found");
    assert_eq!(system.internal("GET /healthz").send().await.outcome(), "404 not_found");
}

#[tokio::test]
async fn head_and_options_answer_without_content() {
    let system = system().await;
    let (get, head) = (system.public("GET /anyone").send().await, system.public("HEAD /anyone").send().await);
    assert_eq!((head.status, &*head.body), (200, ""));
    assert!(get.header("content-length").is_some_and(|length| length == get.body.len().to_string()));
    assert!(head.header("content-length").is_some_and(|length| length != "0"), "{head:?}");
    let options = system.public("OPTIONS /anyone").send().await;
    assert_eq!((options.status, options.header("allow").as_deref()), (204, Some("GET, HEAD, OPTIONS")));
    let echo = system.public("TRACE /echo/x").send().await;
    assert_eq!((echo.status, echo.header("allow").as_deref()), (405, Some("OPTIONS, POST")));
}

#[tokio::test]
async fn every_answer_is_named_and_guarded() {
    let system = system().await;
    for line in ["GET /anyone", "GET /nothing", "OPTIONS /anyone", "GET /readyz", "GET /livez"] {
        let answer = system.public(line).send().await;
        let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{line}: {answer:?}"));
        assert!(id.len() > 8, "{id}");
        // What bears a tag may be kept, to be asked for again.
        let kept = if answer.header("etag").is_some() { "private, no-cache" } else { "no-store" };
        assert_eq!(answer.header("etag").is_some(), line == "GET /anyone", "{line}");
        for (name, value) in [
            ("cache-control", kept),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "frame-ancestors 'none'"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.header(name).as_deref(), Some(value), "{line}");
        }
    }
    let named = system.public("GET /nothing").header("x-request-id", "abc-1").send().await;
    assert_eq!(named.header("x-request-id").as_deref(), Some("abc-1"));
    let injected = system.public("GET /nothing").header("x-request-id", "<script>").send().await;
    assert!(!injected.header("x-request-id").is_some_and(|id| id.contains('<')));
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let system = system().await;
    let request = "GET /anyone HTTP/1.1\r\nhost: x\r\n\r\n".repeat(2)
        + "GET /nothing HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answers = exchange(system.running.addresses().public, request.as_bytes()).await;
    assert_eq!(answers.body.matches("HTTP/1.1 200 OK").count(), 1, "{answers:?}");
    assert_eq!(answers.body.matches("HTTP/1.1 404 Not Found").count(), 1, "{answers:?}");
}

#[tokio::test]
async fn requests_are_measured_by_operation_and_status() {
    let system = system().await;
    for _ in 0..3 {
        system.public("GET /anyone").send().await;
    }
    system.public("GET /nothing").send().await;
    system.public("GET /readyz").send().await;
    let metrics = crate::client::ask(system.running.addresses().admin, "GET /metrics").send().await;
    assert_eq!(metrics.header("content-type").as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    let line = |operation: &str, route: &str, status: u16, count: u64| {
        format!(
            "http_server_request_duration_seconds_count{{operation=\"{operation}\",http_request_method=\"GET\",http_route=\"{route}\",http_response_status_code=\"{status}\"}} {count}\n"
        )
    };
    assert!(metrics.body.contains(&line("GET /anyone", "/anyone", 200, 3)), "{}", metrics.body);
    assert!(metrics.body.contains(&line("", "", 404, 1)), "{}", metrics.body);
    assert!(!metrics.body.contains("readyz"));
    assert!(metrics.body.contains("formwork_store_commit_duration_seconds_bucket"));
}
