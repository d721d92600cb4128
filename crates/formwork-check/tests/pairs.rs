//! A line of one section that names a thing of another: for each pair that can occur, a slip in the name is told at its
//! place and the name that was meant is offered.

use formwork_check::{Severity, analyse_fragment};

/// A natural document in which every pair occurs once, spelled right.
const DOCUMENT: &str = r#"## 2) System Overview

```
+--------------+     +----------------+
| Loan Service | --> | Notice Mailer  |
+--------------+     +----------------+
```

## 3) Core Components

### Loan Service

**Purpose:** Keeps loans; reads `reader_card` and emits `loan.opened`.

**Responsibilities:**
- closes what `return_copy` was called for

### Notice Mailer

**Purpose:** Sends notices, for instance by GET of the page. It waits for `loan.closed`.

## 4) Primary Interface/API

#### Operation: `lend_copy` — `POST /loans`

**Input:** `barcode`

**Output:** the loan, a `loan_record`

**Behavior:** Only the role `librarian` may lend. Refused with 409 when the copy is out.

#### Operation: `return_copy` — `POST /loans/{loan_id}/return`

**Input:** None

**Output:** Nothing

**Behavior:** Sets `returned_at`; 404 for an unknown loan.

## 6) Data Model

### Entity: `loan_record`

**Fields:**
- `loan_id` (uuid) | key | primary key
- `barcode` (string) | which copy | required
- `returned_at` (timestamp) | when it came back | optional

**Relationships:** belongs to `reader_card`

### Entity: `reader_card`

**Fields:**
- `card_number` (string) | on the card | primary key

## 7) Canonical Flows

### Flow: A copy is lent

1. The reader shows the card.
2. Loan Service calls `lend_copy`.
3. Loan Service writes the `loan_record` and emits `loan.opened`.
4. The Notice Mailer is told.

## 8) Performance, Caching & SLOs

### SLO Targets
- `lend_copy.latency` ≤ 200 ms (p95)

### Caching Strategy

**Layer:** Cards
- **What:** rows of `reader_card`
- **TTL:** 60 s
- **Invalidation:** when `loan.closed` is emitted

## 9) Security, Governance, Cost Controls

### Authorization (AuthZ)
- `librarian`: `lend_copy`, `return_copy`

### Quotas & Rate Limits
- `lend_copy`: 60 requests per minute per caller

### Audit Trail
- every `return_copy`, kept 30 d

### Cost Controls
- each `lend_copy` costs `0.01` USD

## 10) Observability

### Metrics

**System Metrics:**
- `loans_open_total`: counter of loans

### Tracing
- `lend_copy` → store → result

### Events
- `loan.opened`: when a copy is lent; data `loan_id`
- `loan.closed`: when it comes back; data `loan_id`

## 12) Testing & Benchmarking

### Resilience Testing
- The store is stopped for 10 s: no `loan_record` is lost and `loans_open_total` stays right
- The Loan Service is killed in the middle of `return_copy`

### Performance/Load Testing
- 200 requests/s for 30 s: 80% `lend_copy`, 20% `return_copy`

## 14) Roadmap

### MVP

**Deliverables:**
- `return_copy` by barcode
"#;

/// What is written, where (the text that stands around it), what it is misspelt as, and what is then found.
const PAIRS: [(&str, &str, &str, &str); 22] = [
    ("| Loan Service | -->", "Loan Service", "Laon Service", "FW0201"),
    ("reads `reader_card` and", "reader_card", "reader_crad", "FW1609"),
    ("what `return_copy` was", "return_copy", "retrun_copy", "FW1609"),
    ("waits for `loan.closed`", "loan.closed", "loan.closd", "FW1609"),
    ("the role `librarian`", "librarian", "libarian", "FW0909"),
    ("Sets `returned_at`", "returned_at", "retuned_at", "FW1609"),
    ("belongs to `reader_card`", "reader_card", "reader_crad", "FW0604"),
    ("calls `lend_copy`", "lend_copy", "lend_cpoy", "FW0704"),
    ("writes the `loan_record`", "loan_record", "loan_recrod", "FW1609"),
    ("emits `loan.opened`.\n4", "loan.opened", "loan.opend", "FW1007"),
    ("The Notice Mailer is", "Notice Mailer", "Notice Mialer Service", "FW0703"),
    ("- `lend_copy.latency`", "lend_copy", "lend_cpoy", "FW0801"),
    ("rows of `reader_card`", "reader_card", "reader_crad", "FW0802"),
    ("`librarian`: `lend_copy`", "lend_copy", "lend_cpoy", "FW0901"),
    ("- `lend_copy`: 60", "lend_copy", "lend_cpoy", "FW0904"),
    ("every `return_copy`,", "return_copy", "retrun_copy", "FW0905"),
    ("each `lend_copy` costs", "lend_copy", "lend_cpoy", "FW0906"),
    ("- `lend_copy` → store", "lend_copy", "lend_cpoy", "FW1004"),
    ("no `loan_record` is", "loan_record", "loan_recrod", "FW1609"),
    ("and `loans_open_total` stays", "loans_open_total", "loans_opne_total", "FW1609"),
    ("80% `lend_copy`", "lend_copy", "lend_cpoy", "FW1201"),
    ("- `return_copy` by", "return_copy", "retrun_copy", "FW1401"),
];

#[test]
fn the_document_spelled_right_has_no_warning() {
    let found = analyse_fragment(DOCUMENT.into()).diagnostics;
    let grave: Vec<_> = found.iter().filter(|found| found.severity != Severity::Hint).collect();
    assert!(grave.is_empty(), "{grave:#?}");
}

#[test]
fn every_pair_of_line_and_thing_tells_a_slip_and_offers_the_nearest_name() {
    let mut wrong = Vec::new();
    for (place, right, slip, code) in PAIRS {
        assert_eq!(DOCUMENT.matches(place).count(), 1, "{place}");
        let text = DOCUMENT.replace(place, &place.replace(right, slip));
        let at = text.find(slip).expect("it is there") as u32;
        let found = analyse_fragment(text.as_str().into()).diagnostics;
        let told =
            found.iter().find(|found| found.code == code && found.span.start <= at && at < found.span.end);
        let offered = |help: &Option<String>| help.as_ref().is_some_and(|help| help.contains(right));
        match told {
            // A component that is three slips away has no nearest name.
            Some(told) if offered(&told.help) || code == "FW0703" || code == "FW0801" => {}
            Some(told) => wrong.push(format!("{place}: {:?}", told.help)),
            None => {
                let codes: Vec<_> = found.iter().map(|found| (found.code, found.span.start)).collect();
                wrong.push(format!("{place} at {at}: {codes:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_of_a_flow_is_held_against_its_flags_exit_codes_and_names() {
    let document = |step: &str| {
        format!(
            "## 4) Primary Interface/API\n\nGlobal flags: `--file PATH`. Exit codes: `0` fine, `2` wrong usage.\n\n\
             #### Operation: `list`\n\n**Command:** `seeds list [PATTERN] [--format text|json] [-q]`\n\n**Output:** lines\n\n\
             **Behavior:** Exits with 4 when the disk is full.\n\n## 7) Canonical Flows\n\n### Flow: f\n\n1. {step}\n"
        )
    };
    let told = |step: &str| {
        let found = analyse_fragment(document(step).as_str().into()).diagnostics;
        found
            .into_iter()
            .filter(|found| found.code == "FW0705")
            .map(|found| found.message)
            .collect::<Vec<_>>()
    };
    for right in [
        "CI runs `seeds list --format json --file a -q`, exit code 0",
        "CI runs `seeds list --help`; the exit code is `2`",
        "CI runs `seeds list x` and it exits with 4",
        "CI runs `other list --nothing`, exit code 9",
    ] {
        assert_eq!(told(right), Vec::<String>::new(), "{right}");
    }
    assert_eq!(told("CI runs `seeds list --frmat json`"), ["`list` has no flag `--frmat`"]);
    assert_eq!(told("CI runs `seeds list`, exit code 3"), ["`list` does not end with exit code `3`"]);
    assert_eq!(told("CI runs `seeds lsit`"), ["there is no command `seeds lsit`"]);
}
