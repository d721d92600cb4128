//! The OpenAPI description is valid by the official schema, complete, and its schemas say what is taken and answered.

use formwork_check::{analyse, analyse_fragment};
use formwork_export::{json_schema, openapi};
use serde_json::{Value, json};
use std::path::Path;

const OFFICIAL: &str = include_str!("fixtures/openapi-3.1-schema-2022-10-07.json");

/// Every example document, with its name.
fn examples() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let files = std::fs::read_dir(folder)
        .expect("the examples are there")
        .map(|entry| entry.expect("it can be listed").path());
    let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let read = |path: std::path::PathBuf| {
        (path.display().to_string(), std::fs::read_to_string(&path).expect("an example is UTF-8"))
    };
    let all: Vec<_> = documents.map(read).collect();
    assert!(all.len() > 3, "{}", all.len());
    all
}

fn shortlink() -> Value {
    openapi(&analyse(include_str!("../../../examples/shortlink.md").into()))
}

/// A schema of the description, able to follow references into it.
fn judge(description: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = schema.clone();
    whole["components"] = description["components"].clone();
    jsonschema::draft202012::new(&whole).unwrap_or_else(|error| panic!("{error}: {schema}"))
}

/// Every schema of a description: those of bodies, parameters and headers.
fn schemas<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("schema"));
            object.iter().filter(|(key, _)| *key != "schema").for_each(|(_, value)| schemas(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| schemas(item, found)),
        _ => {}
    }
}

#[test]
fn every_example_is_described_as_the_official_schema_says() {
    let official = jsonschema::draft202012::new(&serde_json::from_str(OFFICIAL).unwrap()).unwrap();
    for (name, text) in examples() {
        let description = openapi(&analyse(text.into()));
        let faults: Vec<String> = official
            .iter_errors(&description)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{name}: {faults:#?}");
        let mut all = Vec::new();
        schemas(&description["paths"], &mut all);
        assert!(all.len() > 20, "{name}: {}", all.len());
        all.into_iter().for_each(|schema| drop(judge(&description, schema)));
    }
}

#[test]
fn operations_are_told_apart_and_every_parameter_of_a_path_is_declared() {
    for (name, text) in examples() {
        let description = openapi(&analyse(text.into()));
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
                assert!(ids.insert(id), "{name}: {method} {path}");
                let declared: Vec<&str> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "path")
                    .filter_map(|parameter| parameter["name"].as_str())
                    .collect();
                let wanted: Vec<&str> = path.split(['{', '}']).skip(1).step_by(2).collect();
                assert_eq!(
                    wanted.iter().filter(|name| !declared.contains(name)).count(),
                    0,
                    "{name}: {method} {path}: {declared:?}"
                );
                assert_eq!(wanted.len(), declared.len(), "{name}: {method} {path}");
                let all = operation["parameters"].as_array().cloned().unwrap_or_default();
                let distinct: std::collections::BTreeSet<String> = all
                    .iter()
                    .map(|each| format!("{} {}", each["in"], each["name"]).to_lowercase())
                    .collect();
                assert_eq!(distinct.len(), all.len(), "{name}: {method} {path}");
            }
        }
    }
}

#[test]
fn an_operation_tells_what_it_takes_answers_and_refuses() {
    let description = shortlink();
    let create = &description["paths"]["/links"]["post"];
    assert_eq!(create["operationId"], "create_link");
    assert_eq!(create["security"], json!([{"api_key": ["member"]}]));
    let names: Vec<&Value> =
        create["parameters"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(names, ["Idempotency-Key", "If-Match"]);
    let taken = judge(&description, &create["requestBody"]["content"]["application/json"]["schema"]);
    assert!(taken.is_valid(&json!({"url": "https://example.com/", "slug": "news"})));
    assert!(taken.is_valid(&json!({"url": "https://example.com/", "slug": null})));
    assert!(!taken.is_valid(&json!({"slug": "news"})), "url is required");
    assert!(!taken.is_valid(&json!({"url": "https://example.com/", "colour": "red"})), "nothing undeclared");
    assert!(
        !taken.is_valid(&json!({"url": "https://example.com/", "slug": "no spaces"})),
        "the pattern holds"
    );
    let made = &create["responses"]["201"];
    assert_eq!(made["content"]["application/json"]["schema"]["$ref"], "#/components/schemas/link");
    for header in ["ETag", "Location", "X-Request-Id", "Idempotent-Replayed"] {
        assert!(made["headers"].get(header).is_some(), "{header}");
    }
    let codes = |status: &str| -> Vec<String> {
        let schema = &create["responses"][status]["content"]["application/problem+json"]["schema"];
        let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array().cloned().unwrap_or_default();
        codes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    assert!(codes("409").contains(&"slug_taken".to_owned()), "{:?}", codes("409"));
    assert!(codes("422").contains(&"invalid".to_owned()));
    assert!(create["responses"]["503"]["headers"].get("Retry-After").is_some());
    assert!(create["responses"]["401"]["headers"].get("WWW-Authenticate").is_some());
    let visit = &description["paths"]["/{slug}"]["get"];
    assert_eq!(visit["security"], json!([{}, {"api_key": []}]));
    assert!(visit["responses"]["302"]["headers"].get("Location").is_some());
    let problem = judge(&description, &json!({"$ref": "#/components/schemas/Problem"}));
    assert!(problem.is_valid(&json!({"type": "/problems/gone", "title": "Gone", "status": 410,
        "detail": "It is gone.", "instance": "/x", "code": "gone", "slug": "x"})));
}

/// A document with one entity of every type, written and read.
fn kinds() -> Value {
    let fields = "- `id` (uuid) | which | primary key\n- `price` (decimal(6,2)) | in euros | required, ≥ 0\n\
        - `count` (integer) | how many | required, 1 to 9\n- `state` (enum(new, old)) | how it is | optional\n\
        - `pin` (string) | secret | required, write-only\n- `tags` (string[]) | words | required, at most 3 items\n\
        - `at` (timestamp) | when | required\n- `lasts` (duration) | how long | optional\n\
        - `code` (string) | a code | required, 2..4 chars, matches `/^[A-Z]+$/`\n";
    openapi(&analyse_fragment(
        format!(
            "## 4) Primary Interface/API\n\n#### Operation: `add` — `PUT /things/{{id}}`\n\n**Input:** the `thing`\n\n\
             **Output:** `201`, the `thing`\n\n**Behavior:**\n1. Anyone may call this.\n\
             2. Creates a `thing` from the input.\n\n\
             #### Operation: `all` — `GET /things`\n\n**Input:**\n- `tags` (string[]) | with these | optional\n\n\
             **Output:** a page of `thing`\n\n\
             **Behavior:**\n1. Anyone may call this.\n2. Lists the `thing`, sorted by `id`, 5 per page.\n\n\
             #### Operation: `sums` — `GET /sums`\n\n**Input:** None\n\n**Output:**\n\
             - `total` (decimal(9,2)) | of all | required\n- `best` (integer) | the largest | optional\n\n\
             **Behavior:**\n1. Anyone may call this.\n2. Returns `{{\"total\": 0}}`.\n\n\
             ## 6) Data Model\n\n### Entity: `thing`\n\n**Fields:**\n{fields}"
        )
        .into(),
    ))
}

#[test]
fn types_and_rules_are_those_of_the_document() {
    let description = kinds();
    let add = &description["paths"]["/things/{id}"]["put"];
    let taken = judge(&description, &add["requestBody"]["content"]["application/json"]["schema"]);
    let good = json!({"price": "1.50", "count": 1, "pin": "x", "tags": [], "at": "2030-01-01T00:00:00Z", "code": "AB"});
    assert!(taken.is_valid(&good), "{add:#}");
    for (name, wrong) in [
        ("price", json!("1.505")),
        ("price", json!("10000.00")),
        ("count", json!(10)),
        ("count", json!("1")),
        ("state", json!("used")),
        ("tags", json!(["a", "b", "c", "d"])),
        ("code", json!("A")),
        ("code", json!("ab")),
        ("pin", json!(null)),
        ("lasts", json!("soon")),
    ] {
        let mut bad = good.clone();
        bad[name] = wrong;
        assert!(!taken.is_valid(&bad), "{name}: {bad}");
    }
    let row = judge(&description, &json!({"$ref": "#/components/schemas/thing"}));
    let answered = json!({"id": "01890a5d-ac96-774b-bcce-b302099a8057", "price": "1.50", "count": 1, "state": null,
        "tags": [], "at": "2030-01-01T00:00:00Z", "lasts": "90s", "code": "AB"});
    assert!(row.is_valid(&answered));
    assert!(description["components"]["schemas"]["thing"]["properties"].get("pin").is_none());
    let all = &description["paths"]["/things"]["get"];
    let named = |name: &str| {
        all["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .find(|each| each["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert!(named("tags")["content"]["application/json"].is_object(), "a list in a query is JSON");
    assert_eq!((&named("cursor")["in"], &named("limit")["in"]), (&json!("query"), &json!("query")));
    let page = judge(&description, &all["responses"]["200"]["content"]["application/json"]["schema"]);
    assert!(page.is_valid(&json!({"items": [answered], "next_cursor": null})));
    assert!(!page.is_valid(&json!({"items": [{"id": "x"}], "next_cursor": null})));
    let sums =
        &description["paths"]["/sums"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    let sums = judge(&description, sums);
    assert!(sums.is_valid(&json!({"total": "0.00"})) && !sums.is_valid(&json!({"total": 0})));
}

#[test]
fn a_document_without_operations_is_described_too() {
    let description = openapi(&analyse("Only a sentence.".into()));
    let official = jsonschema::draft202012::new(&serde_json::from_str(OFFICIAL).unwrap()).unwrap();
    assert!(official.is_valid(&description));
    assert_eq!(description["paths"].as_object().map(serde_json::Map::len), Some(4));
}

#[test]
fn the_json_schema_is_one_and_holds_inputs_and_outputs() {
    for (name, text) in examples() {
        let schema = json_schema(&analyse(text.into()));
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        let named = schema["$defs"].as_object().unwrap();
        for key in named.keys() {
            let mut one = schema.clone();
            one["$ref"] = json!(format!("#/$defs/{key}"));
            jsonschema::draft202012::new(&one).unwrap_or_else(|error| panic!("{name}: {key}: {error}"));
        }
    }
    let shortlink = json_schema(&analyse(include_str!("../../../examples/shortlink.md").into()));
    for key in ["link", "visit", "create_link.input", "create_link.output"] {
        assert!(shortlink["$defs"].get(key).is_some(), "{key}");
    }
}

#[test]
fn what_a_schema_cannot_say_of_an_input_stands_beside_it() {
    let (_, queue) = examples().into_iter().find(|(name, _)| name.ends_with("job-queue.md")).unwrap();
    let description = openapi(&analyse(queue.into()));
    let upsert = &description["paths"]["/v1/queues/{name}"]["put"];
    assert_eq!(
        upsert["responses"]["422"]["x-rules"],
        json!(["max_backoff_s >= base_backoff_s", "running <= concurrency_limit"])
    );
    // It may be left out, since the row has a default, and null is refused with the row.
    let body = &upsert["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["properties"]["paused"]["type"], json!("boolean"));
    assert!(
        body.get("required").is_none_or(|required| !required.as_array().unwrap().contains(&json!("paused")))
    );
}

#[test]
fn a_decimal_that_is_not_negative_has_no_sign_and_one_above_zero_a_digit() {
    let text = "# Till\n\n## 4) Primary Interface/API\n\n#### Operation: `pay` — `POST /payments`\n\n**Input:**\n\
                - `tip` (decimal(6,2)) | what is added | required, ≥ 0\n\
                - `price` (decimal(6,2)) | what is paid | required, > 0\n\
                - `change` (decimal(6,2)) | what is left | required\n\n**Output:** None\n\n**Behavior:**\n1. Returns nothing.\n";
    let description = openapi(&analyse_fragment(text.into()));
    let schema =
        &description["paths"]["/payments"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let takes =
        |field: &str, value: &str| judge(&description, &schema["properties"][field]).is_valid(&json!(value));
    assert!(takes("tip", "0") && takes("tip", "1.25") && !takes("tip", "-1"));
    assert!(takes("price", "0.01") && !takes("price", "0.00") && !takes("price", "-1"));
    assert!(takes("change", "-1") && takes("change", "0"));
    // As a number it has no more digits, and keeps the same bounds.
    let number =
        |field: &str, value: f64| judge(&description, &schema["properties"][field]).is_valid(&json!(value));
    assert!(number("tip", 0.0) && number("tip", 1.25) && !number("tip", -1.0) && !number("tip", 1.255));
    assert!(number("price", 0.01) && !number("price", 0.0) && number("change", -9999.99));
    assert!(!number("change", 10_000.0) && !number("change", -10_000.0));
}

#[test]
fn the_headers_of_answers_are_described_where_they_apply() {
    let text = "# Shelf\n\n## 4) Primary Interface/API\n\n\
                #### Operation: `look` — `GET /books/{isbn}`\n\n**Input:**\n- `isbn` (string) | which | required\n\n\
                **Output:** the `book`\n\n**Behavior:**\n1. Anyone may call this.\n\
                2. Finds the `book` where `isbn == input.isbn`, or fails with `404 book_not_found`.\n\n\
                #### Operation: `add` — `POST /books`\n\n**Input:**\n- `isbn` (string) | which | required\n\n\
                **Output:** `201` with the `book`\n\n**Behavior:**\n1. Anyone may call this.\n2. Creates a `book` from the input.\n\n\
                ## 6) Data Model\n\n### Entity: `book`\n\n**Fields:**\n- `isbn` (string) | which | primary key\n\n\
                ## 8) Performance, Caching & SLOs\n\n### Caching Strategy\n\n**Layer:** Books\n\
                - **What:** responses of `look`\n- **TTL:** 60 s\n- **Invalidation:** on a write to `book`\n\n\
                ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n\
                - API keys in header `X-API-Key`\n- CORS: `https://app.example.com`, with credentials\n\n\
                ## 14) Roadmap\n\n### Phase 1: One way\n- `add` is deprecated since 2029-06-01, ends 2030-01-02\n";
    let description = openapi(&analyse_fragment(text.into()));
    let named = description["components"]["headers"].as_object().unwrap();
    let has = |path: &str, method: &str, status: &str, header: &str| {
        let headers = &description["paths"][path][method]["responses"][status]["headers"];
        let to = headers[header]["$ref"].as_str().and_then(|to| to.strip_prefix("#/components/headers/"));
        to.is_some_and(|to| to == header && named.contains_key(to))
    };
    for (path, method) in
        [("/books/{isbn}", "get"), ("/books", "post"), ("/livez", "get"), ("/openapi.json", "get")]
    {
        for status in description["paths"][path][method]["responses"].as_object().unwrap().keys() {
            for header in [
                "Cache-Control",
                "X-Content-Type-Options",
                "X-Frame-Options",
                "Content-Security-Policy",
                "Referrer-Policy",
                "Server-Timing",
                "Access-Control-Allow-Origin",
                "Access-Control-Allow-Credentials",
                "Vary",
            ] {
                assert!(has(path, method, status, header), "{method} {path} {status} {header}");
            }
        }
    }
    for header in ["Age", "Cache-Status"] {
        assert!(
            has("/books/{isbn}", "get", "200", header) && !has("/books", "post", "201", header),
            "{header}"
        );
    }
    for header in ["Deprecation", "Sunset"] {
        assert!(has("/books", "post", "404", header) || has("/books", "post", "422", header), "{header}");
        assert!(!has("/books/{isbn}", "get", "200", header), "{header}");
    }
    let codes = |path: &str, method: &str, status: &str| {
        let content = &description["paths"][path][method]["responses"][status]["content"];
        content["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"].clone()
    };
    assert_eq!(codes("/books/{isbn}", "get", "504"), json!(["not_kept"]));
    assert_eq!(codes("/books", "post", "414"), json!(["uri_too_long"]));
}

#[test]
fn signatures_are_described_with_what_is_signed() {
    let document = "## 4) Primary Interface/API\n\n\
        #### Operation: `hook` — `POST /hooks`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Returns `{\"id\": caller.id}`.\n\n\
        #### Operation: `who` — `GET /who`\n\n**Input:** None\n\n**Output:** an object\n\n\
        **Behavior:**\n1. Returns `{\"id\": caller.id}`.\n\n\
        ## 9) Security, Governance, Cost Controls\n\n### Authentication (AuthN)\n\n\
        - `hook`: HMAC-SHA256 of the raw body in header `X-Signature` with secret `HOOK`, time in header `X-Time`, from `Bank`\n\
        - HMAC-signed requests from `Partner`\n";
    let description = openapi(&analyse_fragment(document.into()));
    let official = jsonschema::draft202012::new(&serde_json::from_str(OFFICIAL).unwrap()).unwrap();
    assert!(official.is_valid(&description), "{description:#}");
    let schemes = &description["components"]["securitySchemes"];
    let said = |name: &str, member: &str| schemes[name][member].as_str().expect("a text").to_owned();
    assert_eq!((said("signature", "in"), said("signature", "name")), ("header".into(), "x-signature".into()));
    assert!(
        said("signature", "description")
            .starts_with("HMAC-SHA256 of `x-time`, the raw body, joined by points")
    );
    assert_eq!(said("signature_2", "name"), "webhook-signature");
    assert!(said("signature_2", "description").contains("`METHOD TARGET`"));
    // What has a line of its own takes nothing else; any other operation takes the general signature beside a key.
    assert_eq!(description["paths"]["/hooks"]["post"]["security"], json!([{"signature": []}]));
    let ways = &description["paths"]["/who"]["get"]["security"];
    assert_eq!(*ways, json!([{"api_key": []}, {"signature_2": []}]));
    for operation in [&description["paths"]["/hooks"]["post"], &description["paths"]["/who"]["get"]] {
        assert!(
            operation["responses"]["409"]["description"].as_str().expect("told").contains("signature_used")
        );
        assert!(
            operation["responses"]["429"]["description"]
                .as_str()
                .expect("told")
                .contains("too_many_failures")
        );
    }
}
