//! What a fence promises, and what is wrong with it.
//!
//! | info string | what must be true |
//! |---|---|
//! | `markdown host` | it is the document that the fragments below it stand in; it has no findings itself |
//! | `markdown run` | a whole document: no errors, and its flows pass; with `strict`, no findings at all |
//! | `markdown GAP` | in that gap of the host it is understood and has no findings; in the gap `flow` it passes |
//! | `markdown GAP after` | the same, with the fragment before it in its own gap |
//! | `markdown flow after [N]` | the same, with the fragment before it, or the N before it, in their gaps |
//! | `markdown refused CODE [in GAP]` | it raises exactly that code (gap `steps` if none is named) |
//! | `cel` | each line is an expression that is `true` |
//! | `cel refused CODE` | each line raises exactly that code |
//! | `json` | it is JSON |

use crate::fences::{Fence, fences};
use crate::host::{Filled, Host};
use crate::systems::Systems;
use formwork_check::{Analysis, Diagnostic, analyse, analyse_fragment, classes};
use formwork_model::Class;
use formwork_prove::report::Verdict;
use formwork_prove::{Options, run_flows};
use std::collections::BTreeSet;
use std::ops::Range;

/// Findings about what a host does not use; an example uses only its part of the host.
const UNUSED: [&str; 5] = ["FW0412", "FW0605", "FW0702", "FW0902", "FW1002"];

/// What came of a page.
#[derive(Debug, Default)]
pub struct Judged {
    /// One line per fault, with its place.
    pub faults: Vec<String>,
    /// How many fences were held against the rooms.
    pub held: usize,
}

/// Holds every fence of a page against what it says. `path` is for the faults.
pub fn page(path: &str, text: &str) -> Judged {
    let mut judged = Judged::default();
    let mut host: Option<Host> = None;
    let mut before: Vec<(String, String)> = Vec::new();
    for fence in fences(text) {
        let result = match fence.words()[..] {
            ["markdown", "host"] => {
                let new = Host::new(&fence.text);
                let result = bare_host(&new);
                host = Some(new);
                result
            }
            ["markdown", "run"] => run(&fence.text, false),
            ["markdown", "run", "strict"] => run(&fence.text, true),
            ["markdown", "refused", code] => refused(host.as_ref(), "steps", code, &fence),
            ["markdown", "refused", code, "in", gap] => refused(host.as_ref(), gap, code, &fence),
            ["markdown", "flow"] => flow(host.as_ref(), &[], &fence),
            ["markdown", "flow", "after"] => flow(host.as_ref(), last(&before, 1), &fence),
            ["markdown", "flow", "after", "2"] => flow(host.as_ref(), last(&before, 2), &fence),
            ["markdown", gap] | ["markdown", gap, "after"] => {
                let others = last(&before, fence.words().len().saturating_sub(2));
                let result = understood(host.as_ref(), others, gap, &fence);
                before.push((gap.to_owned(), fence.text.clone()));
                result
            }
            ["markdown", ..] => Err(format!("no example is marked `{}`", fence.info)),
            ["cel"] => each_line(&fence, None),
            ["cel", "refused", code] => each_line(&fence, Some(code)),
            ["json"] => serde_json::from_str::<serde_json::Value>(&fence.text)
                .map(|_| ())
                .map_err(|error| format!("not JSON: {error}")),
            _ => continue,
        };
        judged.held += 1;
        if let Err(fault) = result {
            judged.faults.push(format!("{path}:{}: {fault}", fence.line));
        }
    }
    judged
}

fn shown(found: &[&Diagnostic], source: &str) -> String {
    let line = |diagnostic: &&Diagnostic| {
        let place = source.get(diagnostic.span.range()).unwrap_or_default();
        let place: String = place.chars().take(60).collect();
        format!("{} {} [{place}]", diagnostic.code, diagnostic.message)
    };
    found.iter().map(line).collect::<Vec<_>>().join("; ")
}

fn bare_host(host: &Host) -> Result<(), String> {
    let analysis = analyse_fragment(host.fill(&[]).text.into());
    none(&relevant(&analysis), &analysis)
}

fn none(found: &[&Diagnostic], analysis: &Analysis) -> Result<(), String> {
    if found.is_empty() { Ok(()) } else { Err(shown(found, &analysis.source)) }
}

/// The findings but for those about what the host has and the example does not use.
fn relevant(analysis: &Analysis) -> Vec<&Diagnostic> {
    analysis.diagnostics.iter().filter(|diagnostic| !UNUSED.contains(&diagnostic.code)).collect()
}

fn filled(host: Option<&Host>, fragments: &[(&str, &str)]) -> Result<Filled, String> {
    let host = host.ok_or("there is no `markdown host` above it")?;
    for (gap, _) in fragments {
        if !host.gaps().contains(gap) {
            return Err(format!("the host has no gap `{gap}`"));
        }
    }
    Ok(host.fill(fragments))
}

/// Understood, without findings, and nothing of it taken for prose.
fn understood(
    host: Option<&Host>,
    others: &[(String, String)],
    gap: &str,
    fence: &Fence,
) -> Result<(), String> {
    let mut fragments = vec![(gap, fence.text.as_str())];
    fragments.extend(others.iter().map(|(gap, text)| (gap.as_str(), text.as_str())));
    let filled = filled(host, &fragments)?;
    let analysis = analyse_fragment(filled.text.as_str().into());
    none(&relevant(&analysis), &analysis)?;
    let own = |range: &&Range<usize>| filled.text.get((*range).clone()) == Some(fence.text.as_str());
    let fragment = filled.fragments.iter().find(own).cloned().unwrap_or_default();
    all_understood(&analysis, &fragment)
}

fn all_understood(analysis: &Analysis, fragment: &Range<usize>) -> Result<(), String> {
    let inside: Vec<_> =
        classes(analysis).into_iter().filter(|(span, _)| fragment.contains(&(span.start as usize))).collect();
    let remark = |text: &str| text.trim_start().starts_with("Note:");
    let other = inside.iter().find(|(span, class)| {
        let text = span.slice(&analysis.source);
        // A list item without text of its own holds steps that have classes themselves.
        *class != Class::Understood && !remark(text) && text.contains('`')
    });
    match other {
        Some((span, class)) => Err(format!("{class:?}: {}", span.slice(&analysis.source))),
        None if inside.is_empty() => Err("nothing of it was read".to_owned()),
        None => Ok(()),
    }
}

fn refused(host: Option<&Host>, gap: &str, code: &str, fence: &Fence) -> Result<(), String> {
    let filled = filled(host, &[(gap, &fence.text)])?;
    let analysis = analyse_fragment(filled.text.as_str().into());
    let found = relevant(&analysis);
    let codes: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
    if codes == BTreeSet::from([code]) {
        return Ok(());
    }
    Err(format!("expected {code} alone, got: {}", shown(&found, &analysis.source)))
}

/// The last so many.
fn last(fragments: &[(String, String)], count: usize) -> &[(String, String)] {
    &fragments[fragments.len().saturating_sub(count)..]
}

fn flow(host: Option<&Host>, before: &[(String, String)], fence: &Fence) -> Result<(), String> {
    let mut fragments = vec![("flow", fence.text.as_str())];
    fragments.extend(before.iter().map(|(gap, text)| (gap.as_str(), text.as_str())));
    let filled = filled(host, &fragments)?;
    let analysis = analyse_fragment(filled.text.as_str().into());
    none(&relevant(&analysis), &analysis)?;
    carried_out(&analysis)
}

/// A whole document: no errors, or no findings; its flows pass when it has any.
pub fn run(text: &str, strict: bool) -> Result<(), String> {
    let analysis = analyse(text.into());
    let found: Vec<&Diagnostic> = analysis.diagnostics.iter().collect();
    if analysis.has_errors() || (strict && !found.is_empty()) {
        return Err(shown(&found, &analysis.source));
    }
    if analysis.compiled.flows.is_empty() { Ok(()) } else { carried_out(&analysis) }
}

fn carried_out(analysis: &Analysis) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let report = runtime.block_on(run_flows(analysis, &Systems { analysis }, &Options::default()));
    let report = report.map_err(|error| error.to_string())?;
    match report.verdict() {
        Verdict::Pass => Ok(()),
        _ => Err(format!("its flows do not pass:\n{}", report.to_text("example.md", false))),
    }
}

/// Each line is carried by a document of its own, whose one operation answers with it.
fn each_line(fence: &Fence, code: Option<&str>) -> Result<(), String> {
    let mut faults = Vec::new();
    for line in fence.text.lines().filter(|line| !line.trim().is_empty()) {
        let (expression, _) = line.split_once("  //").unwrap_or((line, ""));
        let result = match code {
            Some(code) => expression_refused(expression.trim(), code),
            None => expression_true(expression.trim()),
        };
        faults.extend(result.err().map(|fault| format!("{line}: {fault}")));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

fn expression_refused(expression: &str, code: &str) -> Result<(), String> {
    let text =
        format!("#### Operation: `probe`\n\n**Behavior:**\n1. Lets `x` be `{expression}`.\n2. Stops.\n");
    let analysis = analyse_fragment(format!("## 4) Primary Interface/API\n\n{text}").into());
    let found = relevant(&analysis);
    let codes: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
    if codes == BTreeSet::from([code]) {
        return Ok(());
    }
    Err(format!("expected {code} alone, got: {}", shown(&found, &analysis.source)))
}

fn expression_true(expression: &str) -> Result<(), String> {
    use formwork_language::eval::{Scope, evaluate};
    use formwork_language::expression::{Equals, Names, compile, parse};
    use formwork_language::program::Schema;
    use formwork_language::value::Value;
    let schema = Schema::default();
    let names = Names::new(&schema);
    let ast = parse(expression, Equals::Refused, &|offset| offset).map_err(|error| error.problem)?;
    let mut notes = Vec::new();
    let typed = compile(&ast, &names, &mut notes);
    let typed = typed.filter(|_| notes.is_empty()).ok_or_else(|| format!("{notes:?}"))?;
    let mut scope = Scope { slots: &[], rows: &[], host: &mut Still };
    match evaluate(&typed.expression, &mut scope) {
        Ok(Value::Boolean(true)) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// A host whose clock stands at the start of the test clock, and whose chance is always the same.
struct Still;

impl formwork_language::eval::Host for Still {
    fn now(&self) -> i64 {
        1_893_456_000_000_000
    }

    fn random(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn uuid(&mut self) -> [u8; 16] {
        [1; 16]
    }
}
