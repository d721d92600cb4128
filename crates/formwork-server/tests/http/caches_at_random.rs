//! Documents by chance, with conditions, fields of the caller, grants, writes and events: every answer that is kept is
//! held against the one that is made without a cache, for several callers, also while a write is under way.

use crate::client::Received;
use crate::system::{System, unkept};
use formwork_check::{Analysis, analyse_fragment};
use formwork_server::Limits;
use std::collections::BTreeMap;
use std::fmt::Write;

const DOCUMENTS: u64 = 6;
const STEPS: usize = 70;
const NAMES: [&str; 3] = ["a", "b", "c"];
const TEAMS: [&str; 2] = ["red", "blue"];

/// Chance that is the same with every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).expect("below a usize")
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

/// An operation that is kept.
struct Read {
    path: String,
    named: bool,
    /// Cleared by an event alone, so that it may lag behind.
    lags: bool,
}

/// A condition over an `item` for one who is known, or not.
fn condition(dice: &mut Dice, is_public: bool) -> String {
    let own = if is_public { "owner == (caller.id ?? \"nobody\")" } else { "owner == caller.id" };
    let one = [
        own,
        "team == caller.claims.team",
        "n > 3",
        "shown",
        "team == (request.headers[\"x-team\"] ?? \"red\")",
        "(\"admin\" in caller.roles || shown)",
    ];
    match dice.below(3) {
        0 => dice.pick(&one).to_owned(),
        1 => format!("{} && {}", dice.pick(&one), dice.pick(&one)),
        _ => format!("({} || {})", dice.pick(&one), dice.pick(&one)),
    }
}

/// A document, and what of it is kept.
fn document(dice: &mut Dice) -> (String, Vec<Read>) {
    let mut text = String::from(WRITES);
    let (mut reads, mut layers, mut grants) = (Vec::new(), String::new(), [String::new(), String::new()]);
    for at in 0..7 {
        let is_public = dice.below(3) == 0;
        let is_conditional = !is_public && dice.below(2) == 0;
        let (kind, lags) = (dice.below(5), at == 6);
        let named = kind == 0;
        let path = format!("/read{at}");
        let route = if named { format!("{path}/{{name}}") } else { path.clone() };
        let input = if named { "\n- `name` (string) | which | required" } else { " None" };
        let condition = condition(dice, is_public);
        let who = dice.pick(&["caller.roles", "caller.claims.team", "caller.scopes", "1"]);
        let (output, steps) = match kind {
            0 => (
                "an object",
                format!(
                    "Finds the `item` where `name == input.name && {condition}`, or fails with `404 gone`.\n\
                     Returns `{{\"n\": item.n, \"owner\": item.owner, \"who\": {who}}}`."
                ),
            ),
            1 | 2 => ("a list of `item`", format!("Lists the `item` where `{condition}`, sorted by `name`.")),
            3 => (
                "an object",
                format!(
                    "Lets `some` be the number of `item` where `{condition}`.\n\
                     Lets `weight` be the sum of `tag.weight` where `weight > 2`.\n\
                     Returns `{{\"some\": some, \"weight\": weight, \"who\": {who}}}`."
                ),
            ),
            _ => (
                "an object",
                format!(
                    "Lists the `item` where `{condition}`, sorted by `name` as `found`.\n\
                     Lets `all` be the number of `tag`.\n\
                     Returns `{{\"found\": size(found), \"all\": all, \"who\": {who}}}`."
                ),
            ),
        };
        let opening = if is_public { "Anyone may call this.\n" } else { "" };
        let mut behaviour = String::new();
        for (number, step) in (1..).zip(format!("{opening}{steps}").lines()) {
            writeln!(behaviour, "{number}. {step}").expect("a text");
        }
        write!(
            text,
            "#### Operation: `read{at}` — `GET {route}`\n\n**Input:**{input}\n\n**Output:** {output}\n\n\
             **Behavior:**\n{behaviour}\n"
        )
        .expect("a text");
        // Behaviours that only count meet no row.
        let meets = kind < 3 || kind == 4;
        let row = ["item.owner == caller.id", "item.shown", "item.team == caller.claims.team"];
        if !is_public && is_conditional && meets {
            writeln!(grants[0], "- `member` may `read{at}` when `{}`", dice.pick(&row)).expect("a text");
        } else if !is_public {
            writeln!(grants[0], "- `member` may `read{at}`").expect("a text");
        }
        let clears = match (lags, dice.below(2)) {
            (true, _) => "on event `day.closed`",
            (_, 0) => "on write",
            _ => "on a write to `item` and `tag`",
        };
        let ttl = dice.pick(&["30 s", "5 min", "none"]);
        write!(
            layers,
            "**Layer:** Layer {at}\n- **What:** responses of `read{at}`\n- **TTL:** {ttl}\n\
             - **Invalidation:** {clears}\n- **Size:** {} entries\n\n",
            [2, 1000][dice.below(2)]
        )
        .expect("a text");
        reads.push(Read { path, named, lags });
    }
    grants[1].push_str(
        "- `admin`: all operations\n- `member` may `put_item`, `drop_item`, `grow`, `share`, `put_tag`\n",
    );
    write!(
        text,
        "{ENTITIES}\n## 8) Performance, Caching & SLOs\n\n### Caching Strategy\n\n{layers}\n\
         ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n- API keys in header `X-API-Key`\n\n\
         ### Authorization (AuthZ)\n{}{}\n## 10) Observability & Ops\n\n### Events\n\n\
         - `day.closed`: when the day is over; data `at` (timestamp)\n",
        grants[0], grants[1]
    )
    .expect("a text");
    (text, reads)
}

/// Who calls.
struct Caller {
    name: &'static str,
    key: Option<String>,
    team: &'static str,
}

struct Run {
    system: System,
    callers: Vec<Caller>,
    reads: Vec<Read>,
    /// Of what lags: every answer that was right since it was cleared, by caller and address.
    right: BTreeMap<(usize, String), Vec<String>>,
    seed: u64,
    hits: usize,
}

/// What of an answer is compared.
fn told(answer: &Received) -> String {
    // A problem names its request.
    match answer.status {
        200 => format!("200 {} {}", answer.header("etag").unwrap_or_default(), answer.body),
        status => format!("{status} {}", answer.json()["code"]),
    }
}

impl Run {
    async fn ask(&self, caller: usize, path: &str, control: Option<&str>) -> Received {
        let caller = &self.callers[caller];
        let mut ask = self.system.public(&format!("GET {path}")).header("x-team", caller.team);
        if let Some(key) = &caller.key {
            ask = ask.key(key);
        }
        if let Some(control) = control {
            ask = ask.header("cache-control", control);
        }
        ask.send().await
    }

    /// The answer that is made without a cache.
    async fn anew(&self, caller: usize, path: &str) -> String {
        told(&self.ask(caller, path, Some("no-store")).await)
    }

    fn address(&self, read: usize, dice: &mut Dice) -> String {
        let read = &self.reads[read];
        if read.named { format!("{}/{}", read.path, dice.pick(&NAMES)) } else { read.path.clone() }
    }

    /// Notes what is right now of all that may lag behind.
    async fn note(&mut self) {
        for read in 0..self.reads.len() {
            if !self.reads[read].lags {
                continue;
            }
            let path = &self.reads[read].path;
            let paths = match self.reads[read].named {
                true => NAMES.iter().map(|name| format!("{path}/{name}")).collect(),
                false => vec![path.clone()],
            };
            for path in paths {
                for caller in 0..self.callers.len() {
                    let now = self.anew(caller, &path).await;
                    self.right.entry((caller, path.clone())).or_default().push(now);
                }
            }
        }
    }

    async fn write(&self, caller: usize, dice: &mut Dice) {
        let (line, body) = write_of(dice);
        let Some(key) = &self.callers[caller].key else { return };
        let done = self.system.public(&line).key(key).json(&body).send().await;
        assert!([200, 201, 204, 404].contains(&done.status), "{line} {body}: {done:?}");
    }

    async fn read(&mut self, dice: &mut Dice) {
        let (caller, read) = (dice.below(self.callers.len()), dice.below(self.reads.len()));
        let path = self.address(read, dice);
        // The first of the two fills the layer, unless something is kept already.
        let first = told(&self.ask(caller, &path, None).await);
        let answer = self.ask(caller, &path, None).await;
        assert_eq!(first, told(&answer), "document {}: nothing has happened in between", self.seed);
        let status = answer.header("cache-status").unwrap_or_default();
        self.hits += usize::from(status.starts_with("formwork; hit"));
        let now = self.anew(caller, &path).await;
        let got = told(&answer);
        let may_lag = || {
            let before = self.right.get(&(caller, path.clone()));
            self.reads[read].lags && before.is_some_and(|right| right.contains(&got))
        };
        assert!(
            got == now || may_lag(),
            "document {}: {} of {path} gets {got}, {status:?}; without a cache {now}",
            self.seed,
            self.callers[caller].name
        );
    }

    /// Reads while a write is under way: each answer is the one before it or the one behind it.
    async fn race(&mut self, dice: &mut Dice) {
        let asked: Vec<(usize, String)> = (0..4)
            .map(|_| {
                let (caller, read) = (dice.below(self.callers.len()), dice.below(self.reads.len() - 1));
                (caller, self.address(read, dice))
            })
            .collect();
        let mut before = Vec::new();
        for (caller, path) in &asked {
            before.push(self.anew(*caller, path).await);
        }
        let reads = async {
            let [a, b, c, d] = [0, 1, 2, 3].map(|at| self.ask(asked[at].0, &asked[at].1, None));
            tokio::join!(a, b, c, d).into()
        };
        let (answers, ()): ([Received; 4], ()) = tokio::join!(reads, self.write(0, dice));
        for (((caller, path), before), answer) in asked.iter().zip(before).zip(&answers) {
            let (got, behind) = (told(answer), self.anew(*caller, path).await);
            assert!(got == before || got == behind, "document {}: {path}: {got}", self.seed);
            // And from now on only the latter.
            assert_eq!(told(&self.ask(*caller, path, None).await), behind, "document {}: {path}", self.seed);
        }
    }
}

fn write_of(dice: &mut Dice) -> (String, String) {
    let name = dice.pick(&NAMES);
    match dice.below(6) {
        0 | 1 => {
            let (owner, team) = (dice.pick(&["ann", "bob", "eve", "nobody"]), dice.pick(&TEAMS));
            let body = serde_json::json!({
                "owner": owner, "team": team, "n": dice.below(8), "shown": dice.below(2) == 0,
            });
            (format!("PUT /items/{name}"), body.to_string())
        }
        2 => (format!("DELETE /items/{name}"), String::new()),
        3 => ("POST /growth".to_owned(), serde_json::json!({"below": dice.below(8)}).to_string()),
        4 => ("POST /shared".to_owned(), serde_json::json!({"names": [name, "z"]}).to_string()),
        _ => (format!("PUT /tags/{name}"), serde_json::json!({"weight": dice.below(6)}).to_string()),
    }
}

#[tokio::test]
async fn what_is_kept_is_what_would_be_answered_without_a_cache() {
    let mut hits = 0;
    for seed in 0..DOCUMENTS {
        let mut dice = Dice(seed);
        let (text, reads) = document(&mut dice);
        let analysis: Analysis = analyse_fragment(text.as_str().into());
        let said: Vec<_> = analysis.diagnostics.iter().map(|found| (found.code, &found.message)).collect();
        assert!(!analysis.has_errors(), "{said:?}\n{text}");
        assert_eq!(unkept(&analysis), [] as [&str; 0], "{text}");
        let system = System::start(&analysis, Limits::default()).await;
        let mut callers = vec![];
        for (name, role, team) in
            [("eve", "admin", "red"), ("ann", "member", "red"), ("bob", "member", "blue")]
        {
            let body = serde_json::json!({"roles": [role], "id": name, "claims": {"team": team}});
            let made = system.admin("POST /keys").json(&body.to_string()).send().await;
            let key = made.json()["key"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned();
            callers.push(Caller { name, key: Some(key), team });
        }
        callers.push(Caller { name: "nobody", key: None, team: "blue" });
        let mut run = Run { system, callers, reads, right: BTreeMap::new(), seed, hits: 0 };
        run.note().await;
        for _ in 0..STEPS {
            match dice.below(12) {
                0 | 1 => {
                    let caller = dice.below(3);
                    run.write(caller, &mut dice).await;
                    run.note().await;
                }
                2 => {
                    let key = run.callers[0].key.clone().expect("a key");
                    let closed = run.system.public("POST /closings").key(&key).send().await;
                    assert_eq!(closed.status, 204, "{closed:?}");
                    run.right.clear();
                    run.note().await;
                }
                3 => drop(run.system.advance(["1s", "20s", "2m"][dice.below(3)]).await),
                4 => {
                    run.race(&mut dice).await;
                    run.note().await;
                }
                _ => run.read(&mut dice).await,
            }
        }
        hits += run.hits;
        run.system.stop().await;
    }
    assert!(hits > 50, "only {hits} answers came from a cache");
}

const WRITES: &str = "# Random\n\n## 4) Primary Interface/API

#### Operation: `put_item` — `PUT /items/{name}`

**Input:**
- `name` (string) | which | required
- `owner` (string) | whose | required
- `team` (string) | of whom | required
- `n` (integer) | how many | required
- `shown` (boolean) | to all | required

**Output:** the `item`

**Behavior:**
1. Creates or updates the `item` where `name = input.name` with `owner = input.owner`, `team = input.team`, `n = input.n`, `shown = input.shown`.

#### Operation: `drop_item` — `DELETE /items/{name}`

**Input:**
- `name` (string) | which | required

**Output:** nothing

**Behavior:**
1. Finds the `item` where `name == input.name`, or fails with `404 gone`.
2. Deletes the `item`.

#### Operation: `grow` — `POST /growth`

**Input:**
- `below` (integer) | which | required

**Output:** nothing

**Behavior:**
1. Updates every `item` where `n < input.below` with `n = n + 1`.

#### Operation: `share` — `POST /shared`

**Input:**
- `names` (list of string) | which | required

**Output:** nothing

**Behavior:**
1. For each `one` in `input.names`, each in its own transaction:
   1. Finds the `item` where `name == one`, or fails with `404 gone`.
   2. Updates the `item` with `shown = !item.shown`.

#### Operation: `put_tag` — `PUT /tags/{name}`

**Input:**
- `name` (string) | which | required
- `weight` (integer) | how heavy | required

**Output:** the `tag`

**Behavior:**
1. Creates or updates the `tag` where `name = input.name` with `weight = input.weight`.

#### Operation: `close_day` — `POST /closings`

**Input:** None

**Output:** nothing

**Behavior:**
1. Emits `day.closed` with `at = now()`.

";

const ENTITIES: &str = "## 6) Data Model

### Entity: `item`

**Fields:**
- `name` (string) | which | primary key
- `owner` (string) | whose | required
- `team` (string) | of whom | required
- `n` (integer) | how many | required
- `shown` (boolean) | to all | required

### Entity: `tag`

**Fields:**
- `name` (string) | which | primary key
- `weight` (integer) | how heavy | required
";
