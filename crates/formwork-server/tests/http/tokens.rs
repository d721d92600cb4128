//! Bearer tokens: who is known by them, and every way in which one is forged, stale or meant for somebody else.
//! Named after the attacks of RFC 8725, section 2, and of the OWASP API Security Top 10, API2.

use crate::client::{Received, ask};
use crate::system::{System, config};
use crate::upstream::{Does, Upstream};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use formwork_check::analyse_fragment;
use formwork_server::{Limits, TokenSource, start_within};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value as Json, json};
use std::sync::LazyLock;

/// The test clock's beginning, in seconds.
const NOW: i64 = 1_893_456_000;

/// A key of the issuer: what signs, and how its set of keys shows it.
struct Key {
    algorithm: Algorithm,
    signs: EncodingKey,
    shown: Json,
    id: &'static str,
}

impl Key {
    fn new(algorithm: Algorithm, id: &'static str) -> Self {
        let signs = match algorithm {
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
                EncodingKey::from_ec_der(pair.to_pkcs8v1().expect("DER").as_ref())
            }
            Algorithm::EdDSA => {
                let pair = Ed25519KeyPair::generate().expect("a key");
                assert_eq!(pair.public_key().as_ref().len(), 32);
                EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("DER").as_ref())
            }
            _ => {
                let pair = RsaPair::generate(KeySize::Rsa2048).expect("a key");
                EncodingKey::from_rsa_der(&pkcs1(pair.as_der().expect("DER").as_ref()))
            }
        };
        let mut shown =
            serde_json::to_value(Jwk::from_encoding_key(&signs, algorithm).expect("shown")).expect("JSON");
        shown["kid"] = json!(id);
        shown["use"] = json!("sig");
        Self { algorithm, signs, shown, id }
    }

    fn token(&self, claims: &Json) -> String {
        let header = Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) };
        encode(&header, claims, &self.signs).expect("a token")
    }
}

/// The RSA key inside of a PKCS #8 document: the content of its last octet string.
fn pkcs1(pkcs8: &[u8]) -> Vec<u8> {
    // SEQUENCE { INTEGER 0, SEQUENCE { rsaEncryption, NULL }, OCTET STRING { … } }: 26 bytes for a key of 2,048 bits.
    pkcs8[26..].to_vec()
}

static KEYS: LazyLock<[Key; 3]> = LazyLock::new(|| {
    [Key::new(Algorithm::ES256, "e"), Key::new(Algorithm::EdDSA, "d"), Key::new(Algorithm::RS256, "r")]
});

fn key_set(keys: &[&Key]) -> Does {
    let shown: Vec<&Json> = keys.iter().map(|key| &key.shown).collect();
    Does::Answers(200, json!({"keys": shown}).to_string())
}

fn claims() -> Json {
    json!({
        "iss": "https://id.example", "aud": "notes", "sub": "alice", "exp": NOW + 300, "iat": NOW,
        "roles": ["writer"], "scope": "notes:write other", "team": "red",
    })
}

fn document(line: &str) -> String {
    format!(
        "## 4) Primary Interface/API\n\n\
        #### Operation: `who` — `GET /who`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Requires role `writer`.\n2. Requires scope `notes:write`.\n\
        3. Returns `{{\"id\": caller.id, \"team\": caller.claims.team}}`.\n\n\
        #### Operation: `open` — `GET /open`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Anyone may call this.\n2. Returns `{{\"id\": caller.id}}`.\n\n\
        ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n\n{line}\n"
    )
}

/// A system that takes the tokens of an issuer whose keys are at this upstream.
async fn system(issuer: &Upstream) -> System {
    let line = format!(
        "- Bearer JWT (RS256, ES256, EdDSA) from issuer https://id.example with JWKS http://{}/keys and audience `notes`",
        issuer.address
    );
    start(&line, TokenSource::default()).await
}

async fn start(line: &str, token_source: TokenSource) -> System {
    let analysis = analyse_fragment(document(line).into());
    assert!(!analysis.has_errors(), "{:?}", analysis.diagnostics);
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = config(folder.path().join("data"));
    config.token_source = token_source;
    let running = start_within(config, Limits::default(), &analysis).await.expect("starts");
    System { running, folder }
}

async fn who(system: &System, token: &str) -> Received {
    system.public("GET /who").header("authorization", &format!("Bearer {token}")).send().await
}

#[tokio::test]
async fn a_token_of_each_algorithm_tells_who_calls() {
    let issuer = Upstream::new(&[key_set(&KEYS.each_ref())]).await;
    let system = system(&issuer).await;
    for key in &*KEYS {
        let answer = who(&system, &key.token(&claims())).await;
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"id": "alice", "team": "red"})),
            "{}",
            key.id
        );
    }
    assert_eq!(issuer.seen().len(), 1, "the keys are fetched once");
    system.stop().await;
}

#[tokio::test]
async fn without_a_token_every_way_to_prove_who_one_is_is_named() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[0]])]).await;
    let system = system(&issuer).await;
    let answer = system.public("GET /who").send().await;
    assert_eq!(answer.outcome(), "401 unauthenticated");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("Bearer realm=\"api\"") && !challenge.contains("error"), "{challenge}");
    // A token that does not hold is no anonymous caller, not even where anyone may call.
    let forged = system.public("GET /open").header("authorization", "Bearer a.b.c").send().await;
    assert_eq!(forged.outcome(), "401 unauthenticated");
    assert!(forged.header("www-authenticate").expect("a challenge").contains("error=\"invalid_token\""));
    assert_eq!(system.public("GET /open").send().await.status, 200);
    system.stop().await;
}

#[tokio::test]
async fn a_token_of_another_issuer_audience_or_time_is_refused() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[0]])]).await;
    let system = system(&issuer).await;
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", Json::Null),
        ("aud", json!("other")),
        ("aud", Json::Null),
        ("exp", json!(NOW - 61)),
        ("exp", Json::Null),
        ("nbf", json!(NOW + 61)),
        ("iat", json!(NOW + 3600)),
        ("sub", Json::Null),
        ("sub", json!("")),
    ] {
        let mut claims = claims();
        claims[name] = value.clone();
        assert_eq!(
            who(&system, &KEYS[0].token(&claims)).await.outcome(),
            "401 unauthenticated",
            "{name} {value}"
        );
    }
    let token = KEYS[0].token(&claims());
    assert_eq!(who(&system, &token).await.status, 200);
    system.advance("6m1s").await;
    assert_eq!(who(&system, &token).await.outcome(), "401 unauthenticated", "its time is over");
    system.stop().await;
}

#[tokio::test]
async fn the_algorithm_is_never_the_tokens_choice() {
    let issuer = Upstream::new(&[key_set(&KEYS.each_ref())]).await;
    let system = system(&issuer).await;
    let part = |json: &Json| URL_SAFE_NO_PAD.encode(json.to_string());
    let body = part(&claims());
    for none in ["none", "None", "nOnE", "NONE"] {
        for signature in ["", "AAAA"] {
            let token =
                format!("{}.{body}.{signature}", part(&json!({"alg": none, "kid": "e", "typ": "JWT"})));
            assert_eq!(who(&system, &token).await.outcome(), "401 unauthenticated", "{none}");
        }
    }
    // The public key taken for a shared secret: everybody has it.
    let public = KEYS[2].shown.to_string();
    let header = Header { kid: Some("r".to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &claims(), &EncodingKey::from_secret(public.as_bytes())).expect("a token");
    assert_eq!(who(&system, &confused).await.outcome(), "401 unauthenticated");
    // A key of one algorithm named for another.
    let header = Header { kid: Some("d".to_owned()), ..Header::new(Algorithm::ES256) };
    let crossed = encode(&header, &claims(), &KEYS[0].signs).expect("a token");
    assert_eq!(who(&system, &crossed).await.outcome(), "401 unauthenticated");
    // A key that comes along with the token.
    let own: Jwk = serde_json::from_value(KEYS[0].shown.clone()).expect("a key");
    let header = Header { jwk: Some(own), kid: None, ..Header::new(Algorithm::ES256) };
    let brought = encode(&header, &claims(), &KEYS[0].signs).expect("a token");
    assert_eq!(who(&system, &brought).await.outcome(), "401 unauthenticated");
    system.stop().await;
}

#[tokio::test]
async fn a_changed_huge_or_other_token_is_refused() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[0]])]).await;
    let system = system(&issuer).await;
    let good = KEYS[0].token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let mut raised = claims();
    raised["roles"] = json!(["admin", "writer"]);
    let raised = URL_SAFE_NO_PAD.encode(raised.to_string());
    let mut huge = claims();
    huge["pad"] = json!("x".repeat(9000));
    let other_kind = Header {
        typ: Some("logout+jwt".to_owned()),
        kid: Some("e".to_owned()),
        ..Header::new(Algorithm::ES256)
    };
    let critical = Header {
        crit: Some(vec!["exp".to_owned()]),
        kid: Some("e".to_owned()),
        ..Header::new(Algorithm::ES256)
    };
    for bad in [
        format!("{}.{raised}.{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], &parts[2][..80]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        "..".to_owned(),
        KEYS[0].token(&huge),
        encode(&other_kind, &claims(), &KEYS[0].signs).expect("a token"),
        encode(&critical, &claims(), &KEYS[0].signs).expect("a token"),
    ] {
        assert_eq!(who(&system, &bad).await.outcome(), "401 unauthenticated", "{bad:.60}");
    }
    let twice = system.public("GET /who").header("authorization", &format!("Bearer {good}"));
    let twice = twice.header("authorization", &format!("Bearer {good}")).send().await;
    assert_eq!(twice.outcome(), "400 malformed");
    // Never in the address.
    assert_eq!(system.public(&format!("GET /who?access_token={good}")).send().await.status, 401);
    system.stop().await;
}

#[tokio::test]
async fn keys_are_changed_without_a_restart_and_the_issuer_is_not_flooded() {
    let [old, new, _] = &*KEYS;
    let issuer = Upstream::new(&[key_set(&[old])]).await;
    let system = system(&issuer).await;
    assert_eq!(who(&system, &old.token(&claims())).await.status, 200);
    issuer.then(&[key_set(&[new])]);
    // A key that is not known is asked for at most once in a minute.
    for _ in 0..5 {
        assert_eq!(who(&system, &new.token(&claims())).await.status, 401);
    }
    assert_eq!(issuer.seen().len(), 1);
    system.advance("1m").await;
    assert_eq!(who(&system, &new.token(&claims())).await.status, 200);
    assert_eq!(issuer.seen().len(), 2);
    assert_eq!(who(&system, &old.token(&claims())).await.outcome(), "401 unauthenticated", "rotated out");
    system.stop().await;
}

#[tokio::test]
async fn while_the_issuer_is_away_known_keys_hold_and_unknown_ones_are_no_refusal() {
    let issuer = Upstream::new(&[Does::Answers(500, String::new())]).await;
    let system = system(&issuer).await;
    let token = KEYS[0].token(&json!({
        "iss": "https://id.example", "aud": "notes", "sub": "alice", "exp": NOW + 200_000,
        "roles": "writer", "scope": "notes:write", "team": "red",
    }));
    let away = who(&system, &token).await;
    assert_eq!(away.outcome(), "503 authentication_unavailable");
    assert!(away.header("retry-after").is_some());
    issuer.then(&[key_set(&[&KEYS[0]])]);
    system.advance("1s").await;
    assert_eq!(who(&system, &token).await.status, 200);
    issuer.then(&[Does::HangsUp]);
    system.advance("1h").await;
    assert_eq!(who(&system, &token).await.status, 200, "what is known holds for a day");
    system.advance("24h").await;
    assert_eq!(who(&system, &token).await.status, 503);
    system.stop().await;
}

#[tokio::test]
async fn a_known_key_does_not_wait_for_an_issuer_that_says_nothing() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[0]])]).await;
    let system = system(&issuer).await;
    assert_eq!(who(&system, &KEYS[0].token(&claims())).await.status, 200);
    issuer.then(&[Does::SaysNothing]);
    system.advance("1m").await;
    let unknown = format!("Bearer {}", KEYS[1].token(&claims()));
    let waiting = tokio::spawn(
        ask(system.running.addresses().public, "GET /who").header("authorization", &unknown).send(),
    );
    issuer.has_seen(2).await;
    assert_eq!(who(&system, &KEYS[0].token(&claims())).await.status, 200);
    assert!(!waiting.is_finished(), "the issuer is still asked");
    waiting.abort();
    system.stop().await;
}

#[tokio::test]
async fn of_several_credentials_the_one_counts_that_the_document_names_first() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[0]])]).await;
    let tokens = format!(
        "- Bearer JWT from issuer https://id.example with JWKS http://{}/keys and audience `notes`",
        issuer.address
    );
    let keys = "- API keys in header `X-API-Key`";
    for (lines, first) in [(format!("{tokens}\n{keys}"), "alice"), (format!("{keys}\n{tokens}"), "bob")] {
        let system = start(&lines, TokenSource::default()).await;
        let key = system.key("writer", "bob").await;
        let both = system.public("GET /open").key(&key);
        let both = both.header("authorization", &format!("Bearer {}", KEYS[0].token(&claims()))).send().await;
        assert_eq!(both.json(), json!({"id": first}));
        let challenge =
            system.public("GET /who").send().await.header("www-authenticate").expect("challenges");
        assert!(challenge.contains("ApiKey") && challenge.contains("Bearer"), "{challenge}");
        system.stop().await;
    }
}

#[tokio::test]
async fn what_the_document_leaves_open_the_operator_says() {
    let issuer = Upstream::new(&[key_set(&[&KEYS[1]])]).await;
    let source = TokenSource {
        issuer: Some("https://id.example".to_owned()),
        key_set: Some(format!("http://{}/keys", issuer.address)),
        audience: Some("notes".to_owned()),
    };
    let system = start("- Bearer JWT of the identity provider", source).await;
    assert_eq!(who(&system, &KEYS[1].token(&claims())).await.status, 200);
    system.stop().await;
    let open = start("- Bearer JWT of the identity provider", TokenSource::default()).await;
    let address = open.running.addresses().public;
    let token = format!("Bearer {}", KEYS[1].token(&claims()));
    let answer = ask(address, "GET /who").header("authorization", &token).send().await;
    assert_eq!(answer.outcome(), "401 unauthenticated", "nobody is believed");
    open.stop().await;
}
