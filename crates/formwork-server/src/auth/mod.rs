//! Who calls: keys by their names in memory, refreshed on every change, bearer tokens, signatures, and what an operation
//! demands of a caller.

mod bearer;
mod current;
mod failures;
mod key_set;
mod key_text;
mod signed;
mod unkept;

pub(crate) use bearer::Bearer;
pub(crate) use failures::Failures;
pub(crate) use key_set::is_key_address;
pub(crate) use key_text::{key_hash, key_text};
pub(crate) use signed::{Claim, Signatures};
pub(crate) use unkept::unkept;

use crate::json::{self, Json};
use crate::problems::{FORBIDDEN, Problem, UNAUTHENTICATED};
use crate::shared::Shared;
use arc_swap::ArcSwap;
use formwork_language::program::{AccessRule, Granted, Operation, TokenRule, Way};
use formwork_language::value::Value;
use formwork_store::StoredKey;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use subtle::ConstantTimeEq;

/// A caller, ready for the fixed slots.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// `caller.id`
    pub(crate) id: Value,
    /// `caller.roles`
    pub(crate) roles: Value,
    /// `caller.scopes`
    pub(crate) scopes: Value,
    /// `caller.claims`
    pub(crate) claims: Value,
    role_names: Arc<[Arc<str>]>,
    scope_names: Arc<[Arc<str>]>,
}

impl Caller {
    fn new(id: Value, roles: &[String], scopes: &[String], claims: Value) -> Self {
        let shared =
            |names: &[String]| names.iter().map(|name| Arc::from(&**name)).collect::<Arc<[Arc<str>]>>();
        let listed = |names: &[Arc<str>]| Value::List(names.iter().cloned().map(Value::Text).collect());
        let (role_names, scope_names) = (shared(roles), shared(scopes));
        Self { id, roles: listed(&role_names), scopes: listed(&scope_names), claims, role_names, scope_names }
    }

    /// A caller without a key; `roles` is what the listener itself vouches for.
    pub(crate) fn anonymous(roles: &[String]) -> Self {
        Self::new(Value::Absent, roles, &[], Value::Map(Arc::new([])))
    }

    /// The program itself, as jobs run.
    pub(crate) fn system() -> Self {
        Self::new(Value::Text("system".into()), &["system".into()], &[], Value::Map(Arc::new([])))
    }

    fn of(key: &StoredKey) -> Self {
        let claims = match json::read(key.claims.as_bytes()) {
            Ok(claims @ Json::Object(..)) => claim(&claims),
            _ => Value::Map(Arc::new([])),
        };
        Self::new(Value::Text(key.caller.as_str().into()), &key.roles, &key.scopes, claims)
    }

    /// The same caller with a role that the listener itself vouches for.
    pub(crate) fn vouched_for(self, role: &str) -> Self {
        let names = |names: &[Arc<str>]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut roles = names(&self.role_names);
        if !self.has_role(role) {
            roles.push(role.to_owned());
        }
        Self::new(self.id, &roles, &names(&self.scope_names), self.claims)
    }

    /// Whether it has a role.
    pub(crate) fn has_role(&self, role: &str) -> bool {
        self.role_names.iter().any(|own| **own == *role)
    }

    /// Refuses what the rule does not allow.
    pub(crate) fn check(&self, rule: &AccessRule) -> Result<(), Problem> {
        if rule.public {
            return Ok(());
        }
        let lacking = rule.roles.iter().find(|any| !any.iter().any(|role| self.has_role(role)));
        if let Some(any) = lacking {
            let names = any.iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(" or ");
            let detail = match any.is_empty() {
                true => "No role may call this.".to_owned(),
                false => format!("This needs the role {names}."),
            };
            return Err(Problem::with(&FORBIDDEN, detail));
        }
        if rule.scopes.iter().any(|scope| !self.scope_names.contains(scope)) {
            return Err(lacks_scopes(&rule.scopes));
        }
        self.check_grants(rule)
    }

    /// Refuses a caller whom no grant of section 9 lets in. Conditions are held by the steps.
    fn check_grants(&self, rule: &AccessRule) -> Result<(), Problem> {
        let Some(grants) = &rule.grants else { return Ok(()) };
        let of_role = |grant: &&Granted| grant.role.as_ref().is_none_or(|role| self.has_role(role));
        let has_scopes = |grant: &Granted| grant.scopes.iter().all(|scope| self.scope_names.contains(scope));
        let open: Vec<&Granted> = grants.iter().filter(of_role).collect();
        match open.first() {
            Some(_) if open.iter().any(|grant| has_scopes(grant)) => Ok(()),
            Some(first) => Err(lacks_scopes(&first.scopes)),
            None => Err(Problem::with(&FORBIDDEN, "No grant lets this caller in.")),
        }
    }
}

/// `403` for a caller without the scopes, and which they are (RFC 6750, 3.1).
fn lacks_scopes(scopes: &[Arc<str>]) -> Problem {
    let list = scopes.iter().map(|scope| &**scope).collect::<Vec<_>>().join(" ");
    let noun = if scopes.len() == 1 { "scope" } else { "scopes" };
    let mut problem = Problem::with(&FORBIDDEN, format!("This needs the {noun} `{list}`."));
    let challenge =
        format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", list.replace(['"', '\\'], ""));
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        problem.headers.push((WWW_AUTHENTICATE, challenge));
    }
    problem
}

/// A claim as a value: texts, whole numbers, doubles, lists and maps.
pub(crate) fn claim(json: &Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Boolean(boolean) => Value::Boolean(*boolean),
        Json::Number(text) => match text.parse::<i64>() {
            Ok(number) => Value::Integer(number),
            Err(_) => text.parse::<f64>().map_or(Value::Null, Value::Double),
        },
        Json::Text(text) => Value::Text((&**text).into()),
        Json::Array(items, _) => Value::List(items.iter().map(claim).collect()),
        Json::Object(members, _) => Value::Map(
            members.iter().map(|(name, value)| (Value::Text((&**name).into()), claim(value))).collect(),
        ),
    }
}

/// What proves who calls.
pub(crate) enum Proof<'a> {
    /// It holds.
    Of(Caller),
    /// It holds if the body is what was signed.
    Signed(Claim<'a>),
}

/// The proof in a request: absent when it has none, a refusal when one does not hold. Of several the one counts that
/// section 9 names first; an operation with a signature line of its own takes that alone. `now` is in microseconds.
pub(crate) async fn prove<'a>(
    shared: &'a Shared,
    operation: &'a Operation,
    headers: &'a HeaderMap,
    now: i64,
) -> Result<Option<Proof<'a>>, Problem> {
    if operation.access.signed {
        return Ok(shared.signatures.claim(Some(&operation.name), headers, now)?.map(Proof::Signed));
    }
    // Keys hold in every program, whatever its document names.
    for way in shared.program.ways.iter().chain([&Way::Key]) {
        let found = match way {
            Way::Key => {
                if shared.keys.may_hold(headers) {
                    shared.keys_as_they_are().await?;
                }
                shared.keys.caller(headers, now)?.map(Proof::Of)
            }
            Way::Token => bearer::caller(&shared.tokens.0, headers, now).await?.map(Proof::Of),
            Way::Signature => shared.signatures.claim(None, headers, now)?.map(Proof::Signed),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// `401` for a request without a proof: every way that there is.
pub(crate) fn demand(shared: &Shared, operation: &Operation) -> Problem {
    let own = operation.access.signed.then_some(&*operation.name);
    let signatures = shared.signatures.challenges(own).into_iter();
    let lacks = match shared.program.ways.as_slice() {
        _ if own.is_some() => "The request is not signed.",
        [Way::Key] => "The request has no key.",
        _ => "The request does not say who calls.",
    };
    let mut problem = Problem::with(&UNAUTHENTICATED, lacks);
    let mut add = |challenge: HeaderValue| problem.headers.push((WWW_AUTHENTICATE, challenge));
    if own.is_some() {
        signatures.for_each(add);
        return problem;
    }
    add(shared.keys.challenge.clone());
    if !shared.tokens.0.is_empty() {
        add(bearer::CHALLENGE.clone());
    }
    signatures.for_each(add);
    problem
}

/// The bearer tokens that are taken.
#[derive(Default)]
pub(crate) struct Tokens(Vec<Bearer>);

impl Tokens {
    /// Those of the rules that say everything; the others are told at the start.
    pub(crate) fn new(rules: &[TokenRule]) -> Self {
        Self(rules.iter().filter_map(Bearer::new).collect())
    }
}

/// Every key that holds.
#[derive(Debug)]
pub(crate) struct Keys {
    header: http::HeaderName,
    challenge: HeaderValue,
    by_name: ArcSwap<FxHashMap<String, Arc<Held>>>,
    /// The number of the last commit before they were read, and when that was.
    read: Mutex<(u64, Option<Instant>)>,
    /// Uses that are still to be noted: at most one a minute for each key.
    uses: Mutex<FxHashMap<String, i64>>,
}

#[derive(Debug)]
struct Held {
    hash: [u8; 32],
    caller: Caller,
    expires: Option<i64>,
    /// The last use that was or will be noted.
    used: AtomicI64,
}

/// How far apart the noted uses of a key are, in microseconds.
const USES_APART: i64 = 60_000_000;

impl Keys {
    /// No keys yet; the header that carries one is the document's.
    pub(crate) fn new(header: &str) -> Self {
        let name = http::HeaderName::from_bytes(header.as_bytes())
            .unwrap_or(http::HeaderName::from_static("x-api-key"));
        let challenge = HeaderValue::from_str(&format!("ApiKey realm=\"api\", header=\"{name}\""));
        Self {
            challenge: challenge.unwrap_or(HeaderValue::from_static("ApiKey realm=\"api\"")),
            header: name,
            by_name: ArcSwap::default(),
            read: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// Takes over what the store has; revoked keys hold no longer.
    pub(crate) fn refresh(&self, stored: &[StoredKey]) {
        let held = stored.iter().filter(|key| key.revoked.is_none()).map(|key| {
            let held = Held {
                hash: key.hash,
                caller: Caller::of(key),
                expires: key.expires,
                used: AtomicI64::new(key.used.unwrap_or(i64::MIN)),
            };
            (key.name.clone(), Arc::new(held))
        });
        self.by_name.store(Arc::new(held.collect()));
    }

    /// Notes before which commit and when the keys were read.
    fn note_read(&self, number: u64, began: Instant) {
        *self.read.lock() = (number, Some(began));
    }

    /// The number of the last commit before the keys were read.
    fn number(&self) -> u64 {
        self.read.lock().0
    }

    /// Whether the keys were read behind an instant.
    fn were_read_since(&self, asked: Instant) -> bool {
        self.read.lock().1.is_some_and(|began| began >= asked)
    }

    /// Whether a request bears what may be a key: what is none is refused without asking anybody.
    fn may_hold(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(&self.header).and_then(|value| value.to_str().ok());
        sent.and_then(key_text::key_name).is_some()
    }

    /// The caller of a request: absent when no key was sent, a refusal when the one sent does not hold.
    pub(crate) fn caller(&self, headers: &HeaderMap, now: i64) -> Result<Option<Caller>, Problem> {
        let mut sent = headers.get_all(&self.header).iter();
        let Some(value) = sent.next() else { return Ok(None) };
        let held = match sent.next() {
            Some(_) => None,
            None => value.to_str().ok().and_then(|text| self.held(text, now)),
        };
        held.map(Some).ok_or_else(|| Problem::unauthenticated(&self.challenge, "The key does not hold."))
    }

    fn held(&self, text: &str, now: i64) -> Option<Caller> {
        let name = key_text::key_name(text)?;
        let keys = self.by_name.load();
        let held = keys.get(name)?;
        let holds = bool::from(key_hash(text).ct_eq(&held.hash)) && held.expires.is_none_or(|end| now < end);
        if holds && now.saturating_sub(held.used.load(Ordering::Relaxed)) >= USES_APART {
            held.used.store(now, Ordering::Relaxed);
            self.uses.lock().insert(name.to_owned(), now);
        }
        holds.then(|| held.caller.clone())
    }

    /// The uses that are still to be noted; they are the caller's to note.
    pub(crate) fn take_uses(&self) -> Vec<(String, i64)> {
        std::mem::take(&mut *self.uses.lock()).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &str, text: &str, revoked: Option<i64>) -> StoredKey {
        StoredKey {
            name: name.into(),
            hash: key_hash(text),
            caller: "alice".into(),
            roles: vec!["member".into()],
            scopes: vec![],
            claims: r#"{"team":"red","level":3}"#.into(),
            created: 0,
            revoked,
            expires: None,
            used: None,
        }
    }

    fn with_key(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.append("x-api-key", HeaderValue::from_str(text).expect("a header value"));
        headers
    }

    #[test]
    fn only_a_key_that_holds_is_a_caller() {
        let (good, gone) = (key_text("ab12", &[1; 24]), key_text("cd34", &[2; 24]));
        let keys = Keys::new("x-api-key");
        keys.refresh(&[stored("ab12", &good, None), stored("cd34", &gone, Some(1))]);
        let caller = keys.caller(&with_key(&good), 0).expect("holds").expect("sent");
        assert!(matches!(&caller.id, Value::Text(id) if &**id == "alice"));
        assert!(matches!(&caller.claims, Value::Map(claims) if claims.len() == 2));
        assert!(keys.caller(&HeaderMap::new(), 0).expect("none sent").is_none());
        let longer = format!("{good}0");
        for bad in [&*gone, "", "fw_", "fw_ab12", "fw_ab12_", &longer, &good[..good.len() - 1]] {
            assert_eq!(keys.caller(&with_key(bad), 0).expect_err("refused").status.as_u16(), 401, "{bad}");
        }
        let mut twice = with_key(&good);
        twice.append("x-api-key", HeaderValue::from_str(&good).expect("a header value"));
        assert!(keys.caller(&twice, 0).is_err());
    }

    #[test]
    fn a_key_holds_until_it_expires_and_its_use_is_noted_once_a_minute() {
        let text = key_text("ab12", &[1; 24]);
        let keys = Keys::new("x-api-key");
        keys.refresh(&[StoredKey { expires: Some(200_000_000), ..stored("ab12", &text, None) }]);
        let holds = |now| keys.caller(&with_key(&text), now).is_ok();
        assert!(holds(1) && holds(59_000_000) && holds(199_999_999));
        assert_eq!(keys.take_uses(), [("ab12".to_owned(), 199_999_999)]);
        assert!(!holds(200_000_000) && !holds(i64::MAX));
        assert!(keys.take_uses().is_empty(), "what does not hold is not used");
    }

    #[test]
    fn each_list_of_roles_must_be_met() {
        let caller = Caller::new(Value::Absent, &["member".into()], &["read".into()], Value::Null);
        let rule = |roles: &[&[&str]], scopes: &[&str]| AccessRule {
            public: false,
            roles: roles.iter().map(|any| any.iter().map(|role| Arc::from(*role)).collect()).collect(),
            scopes: scopes.iter().map(|scope| Arc::from(*scope)).collect(),
            grants: None,
            signed: false,
        };
        assert!(caller.check(&rule(&[&["member", "admin"], &["member"]], &["read"])).is_ok());
        for refused in [rule(&[&["member"], &["admin"]], &[]), rule(&[&[]], &[]), rule(&[], &["write"])] {
            assert_eq!(caller.check(&refused).expect_err("refused").status.as_u16(), 403);
        }
    }
}
