//! Cache layers as people write them: which are kept, of what, and until when; and which are told instead.

use formwork_check::{Analysis, analyse_fragment};
use formwork_language::program::{KeyPart, slots};

/// A document with a layer of these lines.
fn with(lines: &str) -> Analysis {
    let document = "## 4) Primary Interface/API

#### Operation: `get_link` — `GET /links/{slug}`

**Input:**
- `slug` (string) | the short name | required

**Output:** the `link`

**Behavior:**
1. Finds the `link` where `slug == input.slug`, or fails with `404 link_not_found`.

#### Operation: `my_links` — `GET /mine`

**Input:** None

**Output:** a list of `link`

**Behavior:**
1. Finds the `team` where `name == request.headers[\"x-team\"]`, or fails with `404 team_not_found`.
2. Lists `link` where `owner == caller.id && created_at < now()`, sorted by `slug`.

#### Operation: `write_link` — `PUT /links/{slug}`

**Input:**
- `slug` (string) | the short name | required

**Output:** the `link`

**Behavior:**
1. Creates or updates the `link` where `slug = input.slug` with `owner = caller.id`.

#### Operation: `draw` — `GET /draw`

**Input:** None

**Output:** `token` (string)

**Behavior:**
1. Returns `{\"token\": random_token(8)}`.

## 6) Data Model

### Entity: `link`

**Fields:**
- `slug` (string) | the short name | primary key
- `owner` (string) | whose | required
- `created_at` (timestamp) | when | set to now on create

### Entity: `team`

**Fields:**
- `name` (string) | its name | primary key

## 8) Performance, Caching & SLOs

### Caching Strategy

**Layer:** Link cache (in memory)
LINES
## 10) Observability & Ops

### Events

- `links.imported`: when an import has ended; data `n` (integer)
";
    analyse_fragment(document.replace("LINES", lines).into())
}

/// What is kept: `OPERATION TTL entities events headers`, one line each.
fn kept(lines: &str) -> Vec<String> {
    let analysis = with(lines);
    let program = &analysis.compiled.program;
    let told: Vec<_> = analysis.diagnostics.iter().filter(|one| one.code.starts_with("FW080")).collect();
    assert!(told.iter().all(|one| one.code == "FW0803"), "{lines}: {told:?}");
    let line = |cached: &formwork_language::program::CachedOperation| {
        let names = |all: Vec<String>| all.join("+");
        let writes =
            cached.writes.iter().map(|at| program.schema.entities[usize::from(*at)].name.to_string());
        let events = cached.events.iter().map(|at| program.events[usize::from(*at)].name.to_string());
        format!(
            "{} {} {} {} {}",
            program.operations[cached.operation as usize].name,
            cached.ttl.map_or("-".to_owned(), |micros| (micros / 1_000_000).to_string()),
            names(writes.collect()),
            names(events.collect()),
            cached.headers.join("+"),
        )
    };
    program.cached.iter().map(line).collect()
}

/// The code of the finding about the layer, and that nothing is kept.
fn told(lines: &str) -> &'static str {
    let analysis = with(lines);
    assert!(analysis.compiled.program.cached.is_empty(), "{lines}");
    let of_layer = |code: &str| code.starts_with("FW080") && code != "FW0803";
    let found: Vec<_> = analysis.diagnostics.iter().filter(|one| of_layer(one.code)).collect();
    assert_eq!(found.len(), 1, "{lines}: {found:?}");
    found[0].code
}

#[test]
fn layers_are_read_as_people_write_them() {
    let get =
        |what: &str| kept(&format!("- **What:** {what}\n- **TTL:** 60 s\n- **Invalidation:** TTL only\n"));
    for what in [
        "responses of `get_link`",
        "Answers of `get_link`",
        "`GET /links/{slug}` responses",
        "`get_link` by `slug`",
        "results of get_link",
        "the response of each `get_link` call",
    ] {
        assert_eq!(get(what), ["get_link 60   "], "{what}");
    }
    // Of what else an operation reads, the layer says nothing, and it does not grow old.
    for what in ["reads of `link`", "Rows of `link`", "links"] {
        assert_eq!(get(what), ["get_link 60   ", "my_links 60 team  "], "{what}");
    }
    assert_eq!(get("responses of `get_link` and `my_links`").len(), 2);
    let cleared = |by: &str| {
        kept(&format!("- **What:** responses of `get_link`\n- **TTL:** 5 min\n- **Invalidation:** {by}\n"))
    };
    for by in [
        "on a write to `link`",
        "on write to link",
        "when a `link` changes",
        "after `write_link`",
        "on write",
    ] {
        assert_eq!(cleared(by), ["get_link 300 link  "], "{by}");
    }
    for by in ["on event `links.imported`", "when `links.imported` is emitted"] {
        assert_eq!(cleared(by), ["get_link 300  links.imported "], "{by}");
    }
    assert_eq!(cleared("on header `X-Refresh`, or on a write to `link`"), ["get_link 300 link  x-refresh"]);
    for by in ["none", "TTL", "never", "by TTL only", "expiry only"] {
        assert_eq!(cleared(by), ["get_link 300   "], "{by}");
    }
    let for_ever =
        "- **What:** responses of `get_link`\n- **TTL:** none\n- **Invalidation:** on a write to `link`\n";
    assert_eq!(kept(for_ever), ["get_link - link  "]);
}

#[test]
fn what_is_not_understood_keeps_nothing_and_is_told() {
    for what in [
        "the token of a service and its grants",
        "responses of `get_link`, except for admins",
        "active rows of `link`",
        "responses of `get_link` when it is small",
    ] {
        let lines = format!("- **What:** {what}\n- **TTL:** 60 s\n- **Invalidation:** TTL only\n");
        assert_eq!(told(&lines), "FW0807", "{what}");
    }
    for by in [
        "after the nightly import",
        "on a write to `link`, unless it is an import",
        "overwritten by the writer",
        "every 10 minutes",
    ] {
        let lines =
            format!("- **What:** responses of `get_link`\n- **TTL:** 60 s\n- **Invalidation:** {by}\n");
        assert_eq!(told(&lines), "FW0807", "{by}");
    }
    let line = |more: &str| format!("- **What:** responses of `get_link`\n{more}");
    assert_eq!(told(&line("- **TTL:** a while\n- **Invalidation:** on a write to `link`\n")), "FW0807");
    assert_eq!(told(&line("- **TTL:** none\n")), "FW0807");
    assert_eq!(
        told(&line("- **TTL:** 60 s\n- **Invalidation:** on a write to `link`\n- **Size:** large\n")),
        "FW0807"
    );
}

#[test]
fn what_may_not_be_kept_is_an_error() {
    let of = |name: &str, ttl: &str| {
        format!(
            "- **What:** responses of `{name}`\n- **TTL:** {ttl}\n- **Invalidation:** on a write to `link`\n"
        )
    };
    assert_eq!(told(&of("write_link", "60 s")), "FW0806");
    assert_eq!(told(&of("draw", "60 s")), "FW0806");
    assert_eq!(told(&of("my_links", "none")), "FW0806", "with `now()` an answer grows old");
    assert!(with(&of("write_link", "60 s")).has_errors());
}

#[test]
fn the_key_has_what_the_behaviour_reads_of_caller_and_request() {
    let lines =
        "- **What:** responses of `get_link`, `my_links`\n- **TTL:** 60 s\n- **Invalidation:** on write\n";
    let analysis = with(lines);
    let keys: Vec<&[KeyPart]> = analysis.compiled.program.cached.iter().map(|one| &*one.key).collect();
    assert_eq!(keys[0], []);
    let team = KeyPart::Member(slots::REQUEST_HEADERS, "x-team".into());
    assert_eq!(keys[1], [KeyPart::Slot(slots::CALLER_ID), team]);
}
