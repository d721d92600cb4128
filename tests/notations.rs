//! Every variant that the page of notations shows is read as the page says.
//!
//! An example is a fence `reads`; the fence `facts` behind it lists the facts, one a line, that the example
//! gives, no more and no less.

use formwork_check::{CATALOGUE, analyse_fragment};
use formwork_model::Model;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../docs/reference/notations.md");

/// The examples of the page with their facts.
fn examples() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    let inside = |text: &'static str, open: &str, close: &str| {
        text.split_once(open).and_then(|(_, rest)| rest.split_once(close))
    };
    let mut found = Vec::new();
    let mut rest = PAGE;
    while let Some((example, behind)) = inside(rest, "\n````reads\n", "\n````\n") {
        let (facts, behind) =
            inside(behind, "\n```facts\n", "\n```\n").expect("facts stand behind an example");
        found.push((example, facts.lines().collect()));
        rest = behind;
    }
    found
}

#[test]
fn every_variant_of_the_page_is_read_as_it_says() {
    let mut wrong = Vec::new();
    let examples = examples();
    for (example, wanted) in &examples {
        let analysis = analyse_fragment((*example).into());
        let read = facts(&analysis.model);
        let read: BTreeSet<&str> = read.iter().map(String::as_str).collect();
        wrong.extend(wanted.difference(&read).map(|fact| format!("- {fact}\n  in {example}")));
        wrong.extend(read.difference(wanted).map(|fact| format!("+ {fact}\n  in {example}")));
        wrong.extend(
            analysis
                .diagnostics
                .iter()
                .filter(|found| found.code == "FW1605")
                .map(|found| found.message.clone()),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(examples.len() >= 20, "only {} examples were read", examples.len());
}

#[test]
fn every_section_of_the_page_that_shows_a_notation_has_an_example() {
    // Headings inside the examples are none of the page.
    let mut inside = false;
    let mut outside = String::new();
    for line in PAGE.lines() {
        inside ^= line.starts_with("````");
        if !inside || line.starts_with("````") {
            outside.push_str(line);
            outside.push('\n');
        }
    }
    let sections = outside.split("\n## ").skip(1);
    let without = |section: &&str| !section.contains("````reads");
    let missing: Vec<&str> = sections.filter(without).filter_map(|section| section.lines().next()).collect();
    assert_eq!(missing, ["Sections"], "the table of titles is gone through in a test of its own");
}

#[test]
fn every_diagnostic_has_a_page_whose_words_before_and_after_are_there() {
    for entry in CATALOGUE {
        let has = |heading: &str| entry.page.contains(&format!("\n## {heading}\n"));
        assert!(has("Before") && has("After"), "{}", entry.code);
    }
}

/// What is read, one fact a line.
fn facts(model: &Model) -> Vec<String> {
    let mut found = Vec::new();
    let text = |name: &Option<formwork_model::facts::Prose>| {
        name.as_ref().map(|name| format!(" {}", name.value)).unwrap_or_default()
    };
    found.extend(model.goals.iter().map(|goal| format!("goal {}", goal.value)));
    found.extend(model.non_goals.iter().map(|goal| format!("non-goal {}", goal.value)));
    found.extend(model.questions.iter().map(|question| format!("question {}", question.text.value)));
    found.extend(model.components.iter().map(|component| format!("component {}", component.name.value)));
    for (kind, operations) in [("operation", &model.operations), ("endpoint", &model.endpoints)] {
        for operation in operations {
            let name = &operation.name.value;
            found.push(format!("{kind} {name}{}{}", text(&operation.method), text(&operation.path)));
            for field in &operation.input.fields {
                let ty = field.ty.as_ref().map_or("untyped".to_owned(), |ty| ty.value.to_string());
                found.push(format!("input {name}.{} {ty}", field.name.value));
            }
            for error in &operation.errors {
                let code = error.value.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
                found.push(format!("error {name} {}{code}", error.value.status));
            }
            let facts = &operation.command_facts;
            found.extend(facts.flags.iter().map(|flag| format!("flag {name} {}", flag.name.value)));
            found.extend(
                facts.arguments.iter().map(|argument| format!("argument {name} {}", argument.name.value)),
            );
            found.extend(facts.exit_codes.iter().map(|exit| format!("exit {name} {}", exit.code.value)));
        }
    }
    for entity in &model.entities {
        found.push(format!("entity {}", entity.name.value));
        for field in &entity.fields {
            let ty = field.ty.as_ref().map_or("untyped".to_owned(), |ty| ty.value.to_string());
            let optional = if field.optional { "?" } else { "" };
            found.push(format!("field {}.{} {ty}{optional}", entity.name.value, field.name.value));
        }
    }
    for pair in &model.relationships {
        found.push(format!("relationship {} > {} {:?}", pair.from.value, pair.to.value, pair.kind));
    }
    found.extend(
        model.flows.iter().map(|flow| format!("flow {} with {} steps", flow.name.value, flow.steps.len())),
    );
    for slo in &model.slos {
        let unit = slo.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let percentile = slo.percentile.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
        found.push(format!("slo {} {} {}{unit}{percentile}", slo.metric.value, slo.comparator, slo.value));
    }
    for cache in &model.caches {
        let ttl = cache.ttl_seconds.map(|ttl| format!(" {ttl} s")).unwrap_or_default();
        found.push(format!("cache {}{ttl}", cache.name.value));
    }
    found.extend(model.metrics.iter().map(|metric| format!("metric {}", metric.name.value)));
    for trace in &model.traces {
        let spans: Vec<&str> = trace.spans.iter().map(|span| span.value.as_str()).collect();
        found.push(format!("trace {}", spans.join(" > ")));
    }
    for event in &model.events {
        let data: String = event.data.iter().map(|field| format!(" {}", field.value)).collect();
        found.push(format!("event {}{data}", event.name.value));
    }
    for grant in &model.authorization.grants {
        let named: String = grant.operations.iter().map(|name| format!(" {}", name.value)).collect();
        found.push(format!("grant {}{named}{}", grant.role.value, if grant.all { " all" } else { "" }));
    }
    let recovery = &model.recovery;
    for (what, seconds) in [
        ("backup every", recovery.backup_interval_seconds),
        ("RPO", recovery.rpo_seconds),
        ("RTO", recovery.rto_seconds),
    ] {
        found.extend(seconds.map(|seconds| format!("{what} {seconds} s")));
    }
    for node in model.overview.diagram.iter().flat_map(|diagram| &diagram.nodes) {
        found.push(format!("box {}", node.name));
    }
    for edge in model.overview.diagram.iter().flat_map(|diagram| &diagram.edges) {
        found.push(format!("arrow {} > {}", edge.from, edge.to));
    }
    found.extend(model.roadmap.iter().map(|phase| format!("phase {}", phase.name.value)));
    found.extend(model.unfinished.iter().map(|unfinished| format!("unfinished {}", unfinished.text)));
    found
}
