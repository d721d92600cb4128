//! Signed requests: who is known by them, and every way in which one is forged, altered, stale or sent again. Named
//! after the promises of docs/reference/authentication.md and of the OWASP API Security Top 10, API2.

use crate::client::{Ask, Received};
use crate::system::{System, config};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::{Config, Limits, Secrets, start_within};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tempfile::TempDir;

/// The test clock's beginning, in seconds.
pub(crate) const NOW: i64 = 1_893_456_000;

pub(crate) const BODY: &str = r#"{"text":"paid"}"#;

pub(crate) fn document(lines: &str) -> Analysis {
    let text = format!(
        "## 3) Components\n\n### Provider (external)\n\n\
        ## 4) Primary Interface/API\n\n\
        #### Operation: `hook` — `POST /hooks`\n\n**Input:**\n- `text`: string\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Creates a `note` with `text = input.text`.\n2. Returns `201` with `{{\"id\": caller.id, \"n\": note.id}}`.\n\n\
        #### Operation: `who` — `GET /who`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Requires role `writer`.\n2. Returns `{{\"id\": caller.id}}`.\n\n\
        #### Operation: `drop` — `DELETE /who`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Requires role `writer`.\n2. Returns `{{\"id\": caller.id}}`.\n\n\
        ## 6) Data Model\n\n### Entity: note\n\n- `id`: uuid, generated\n- `text`: string\n\n\
        ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n\n{lines}\n"
    );
    let analysis = analyse_fragment(text.into());
    assert!(!analysis.has_errors(), "{:#?}", analysis.diagnostics);
    analysis
}

pub(crate) const HOOK: &str = "- `hook`: HMAC-SHA256 of the raw body in header `X-Signature` with secret `HOOK`, time in header `X-Time` (signed is `time.body`), at most 5 min old";
const ANY: &str = "- HMAC-signed requests from `Partner` with secret `PARTNER` and role `writer`";

async fn start_in(folder: TempDir, lines: &str) -> System {
    let config = Config { secrets: Secrets::Test, ..config(folder.path().join("data")) };
    let running = start_within(config, Limits::default(), &document(lines)).await.expect("starts");
    System { running, folder }
}

async fn start(lines: &str) -> System {
    start_in(tempfile::tempdir().expect("a folder"), lines).await
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A webhook signed as the line of `hook` says.
pub(crate) fn hook(system: &System, time: i64, body: &str) -> Ask {
    let signature = hex(&mac(b"test-HOOK", &format!("{time}.{body}")));
    sent(system, &time.to_string(), &signature, body)
}

fn sent(system: &System, time: &str, signature: &str, body: &str) -> Ask {
    system.public("POST /hooks").json(body).header("x-time", time).header("x-signature", signature)
}

/// Any request, with the headers of Standard Webhooks.
fn signed(system: &System, line: &str, id: &str, time: i64) -> Ask {
    let signature = STANDARD.encode(mac(b"test-PARTNER", &format!("{id}.{time}.{line}\n")));
    let ask = system.public(line).header("webhook-id", id).header("webhook-timestamp", &time.to_string());
    ask.header("webhook-signature", &format!("v1a,AAAA v1,{signature}"))
}

fn refused(answer: &Received) {
    assert_eq!(answer.outcome(), "401 unauthenticated", "{answer:?}");
    assert!(answer.header("www-authenticate").expect("a challenge").starts_with("Signature "), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_its_sender_signed_is_the_external_components() {
    let system = start(HOOK).await;
    let answer = hook(&system, NOW, BODY).send().await;
    assert_eq!((answer.status, &answer.json()["id"]), (201, &"Provider".into()), "{answer:?}");
    for (at, form) in ["sha256=hex", "base64", "sha256=base64", "HEX", "ms"].iter().enumerate() {
        let at = i64::try_from(at).expect("few") + 1;
        let time = if *form == "ms" { (NOW - at) * 1000 } else { NOW - at };
        let code = mac(b"test-HOOK", &format!("{time}.{BODY}"));
        let text = match *form {
            "sha256=hex" => format!("sha256={}", hex(&code)),
            "base64" => STANDARD.encode(code),
            "sha256=base64" => format!("sha256={}", STANDARD.encode(code)),
            "HEX" => hex(&code).to_uppercase(),
            _ => hex(&code),
        };
        assert_eq!(sent(&system, &time.to_string(), &text, BODY).send().await.status, 201, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn api2_what_is_not_signed_altered_old_or_from_the_future_is_refused_alike() {
    let system = start(HOOK).await;
    let good = hex(&mac(b"test-HOOK", &format!("{NOW}.{BODY}")));
    let other = hex(&mac(b"test-OTHER", &format!("{NOW}.{BODY}")));
    let bodiless = hex(&mac(b"test-HOOK", BODY));
    let now = NOW.to_string();
    refused(&system.public("POST /hooks").json(BODY).send().await);
    refused(&system.public("POST /hooks").json(BODY).header("x-time", &now).send().await);
    refused(&system.public("POST /hooks").json(BODY).header("x-signature", &good).send().await);
    let later = (NOW + 1).to_string();
    for (name, time, signature, body) in [
        ("another secret", &*now, &*other, BODY),
        ("the body alone", &now, &bodiless, BODY),
        ("an altered body", &now, &good, r#"{"text":"paid "}"#),
        ("an altered time", &later, &good, BODY),
        ("a time with a sign", "+1893456000", &good, BODY),
        ("no time", "", &good, BODY),
        ("no signature", &now, "", BODY),
        ("half a signature", &now, &good[..32], BODY),
        ("a longer signature", &now, &format!("{good}00"), BODY),
        ("another hash", &now, &format!("sha1={good}"), BODY),
        ("a huge signature", &now, &"a".repeat(8000), BODY),
        ("a huge time", &"1".repeat(4000), &good, BODY),
    ] {
        let answer = sent(&system, time, signature, body).send().await;
        assert_eq!(answer.outcome(), "401 unauthenticated", "{name}: {answer:?}");
        assert_eq!(answer.json()["detail"], "The signature does not hold.", "{name}");
    }
    let twice = sent(&system, &now, &good, BODY).header("x-signature", &other).send().await;
    refused(&twice);
    refused(&hook(&system, NOW - 301, BODY).send().await);
    refused(&hook(&system, NOW + 61, BODY).send().await);
    // A key opens nothing that has a signature line of its own, and the internal listener vouches for nobody there.
    let key = system.key("writer", "ann").await;
    refused(&system.public("POST /hooks").json(BODY).key(&key).send().await);
    assert_eq!(system.count(r#"{"entity":"note"}"#).await, 0, "none of them did anything");
    assert_eq!(hook(&system, NOW - 299, BODY).send().await.status, 201);
    assert_eq!(hook(&system, NOW + 59, BODY).send().await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn api2_a_request_that_comes_again_is_refused_also_after_a_restart() {
    let system = start(HOOK).await;
    assert_eq!(hook(&system, NOW, BODY).send().await.status, 201);
    assert_eq!(hook(&system, NOW, BODY).send().await.outcome(), "409 signature_used");
    // The same signature in another form is the same signature.
    let code = STANDARD.encode(mac(b"test-HOOK", &format!("{NOW}.{BODY}")));
    assert_eq!(sent(&system, &NOW.to_string(), &code, BODY).send().await.outcome(), "409 signature_used");
    let system = start_in(system.stop().await, HOOK).await;
    assert_eq!(hook(&system, NOW, BODY).send().await.outcome(), "409 signature_used");
    assert_eq!(system.count(r#"{"entity":"note"}"#).await, 1);
    // At once, one of many is let through.
    let asks = (0..16).map(|_| hook(&system, NOW - 1, BODY).send());
    let answers: Vec<_> = asks.map(tokio::spawn).collect();
    let mut passed = 0;
    for answer in answers {
        passed += usize::from(answer.await.expect("no panic").status == 201);
    }
    assert_eq!(passed, 1);
    system.advance("301 s").await;
    refused(&hook(&system, NOW, BODY).send().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_operation_takes_a_signature_of_method_and_path_too() {
    let system = start(ANY).await;
    let answer = signed(&system, "GET /who", "one", NOW).send().await;
    assert_eq!((answer.status, &answer.json()["id"]), (200, &"Partner".into()), "{answer:?}");
    assert_eq!(signed(&system, "GET /who", "one", NOW).send().await.outcome(), "409 signature_used");
    let signature = STANDARD.encode(mac(b"test-PARTNER", &format!("two.{NOW}.GET /who\n")));
    for line in ["DELETE /who", "GET /who?admin=1", "GET /who/"] {
        let ask =
            system.public(line).header("webhook-id", "two").header("webhook-timestamp", &NOW.to_string());
        let answer = ask.header("webhook-signature", &format!("v1,{signature}")).send().await;
        assert!([401, 404].contains(&answer.status), "{line}: {answer:?}");
    }
    let bare = system.public("GET /who").header("webhook-signature", &format!("v1,{signature}"));
    refused(&bare.send().await);
    let answer = system.public("GET /who").send().await;
    let ways = answer.headers_of("www-authenticate");
    assert!(ways.contains("ApiKey") && ways.contains("Signature"), "{ways}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_proofs_the_one_counts_that_the_document_names_first() {
    const TOKEN: &str =
        "- Bearer JWT from issuer https://id.example with JWKS https://id.example/keys and audience `notes`";
    const KEY: &str = "- API keys in header `X-API-Key`";
    for lines in [
        [KEY, TOKEN, ANY],
        [KEY, ANY, TOKEN],
        [TOKEN, KEY, ANY],
        [TOKEN, ANY, KEY],
        [ANY, KEY, TOKEN],
        [ANY, TOKEN, KEY],
    ] {
        let system = start(&lines.join("\n")).await;
        let key = system.key("writer", "ann").await;
        let all = signed(&system, "GET /who", "one", NOW).key(&key);
        // A token of another issuer: it is refused without asking anybody, and only where it counts.
        let all = all.header("authorization", "Bearer e30.eyJpc3MiOiJ4In0.e30").send().await;
        match lines[0] {
            KEY => assert_eq!(all.json()["id"], "ann", "{lines:?}"),
            ANY => assert_eq!(all.json()["id"], "Partner", "{lines:?}"),
            _ => assert_eq!(all.outcome(), "401 unauthenticated", "{lines:?}"),
        }
        // Without the first, the second one counts.
        let ask = signed(&system, "GET /who", "two", NOW).key(&key).send().await;
        let first = lines.iter().find(|line| **line != TOKEN).expect("two others");
        assert_eq!(ask.json()["id"], if *first == KEY { "ann" } else { "Partner" }, "{lines:?}");
    }
}

#[test]
fn the_line_to_try_signs_as_the_document_says() {
    let line = |lines: &str| {
        let analysis = document(lines);
        let program = &analysis.compiled.program;
        let hook = program.operations.iter().find(|operation| &*operation.name == "hook").expect("there");
        formwork_server::curl_line(program, hook, ([127, 0, 0, 1], 80).into())
    };
    let own = line(HOOK);
    assert!(own.starts_with("now=$(date +%s) body='{\"text\":"), "{own}");
    let signature = r#"-H "x-time: $now" -H "x-signature: $(printf %s "$now.$body" | openssl dgst -sha256 -hmac "$HOOK" -hex | sed 's/.* //')""#;
    assert!(own.contains(r#" -d "$body" "#) && own.ends_with(signature), "{own}");
    let standard = line("- `hook`: HMAC-signed requests with secret `HOOK`");
    let signature = r#"-H "webhook-signature: v1,$(printf %s "msg_$now.$now.$body" | openssl dgst -sha256 -hmac "$HOOK" -binary | base64)""#;
    assert!(standard.ends_with(signature), "{standard}");
}
