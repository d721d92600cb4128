//! The gate: every note of syntax, model and language becomes a finding of the catalogue. The matches are
//! exhaustive, so that a new kind of note cannot pass without words.

use crate::cascades;
use crate::context::{Context, Place};
use crate::diagnostic::{Diagnostic, Severity};
use crate::diagnostics::*;
use formwork_language::notes::{Note as LanguageNote, NoteKind as Language};
use formwork_model::{Note as ModelNote, NoteKind as Model};
use formwork_syntax::{Note as SyntaxNote, NoteKind as Syntax};
use std::collections::BTreeSet;

/// The findings behind all notes, in the order of the rooms.
pub(crate) fn notes(cx: &Context<'_>) -> Vec<Diagnostic> {
    let syntax = cx.document.notes.iter().map(|note| from_syntax(cx, note));
    let model = cx.model.notes.iter().map(|note| milder_reading(cx, note, from_model(cx, note)));
    let mut undeclared = BTreeSet::new();
    let language = cascades::without(cx).into_iter().filter(move |note| is_first(&mut undeclared, note));
    let language =
        language.filter(|note| !is_narrative(cx, note) && !is_open(cx, note) && !is_told(cx, note));
    syntax.chain(model).chain(language.map(|note| milder(cx, note, from_language(cx, note)))).collect()
}

/// Who may call what is still to be written: then nothing is refused yet.
fn is_open(cx: &Context<'_>, note: &LanguageNote) -> bool {
    let authorization = &cx.model.authorization;
    matches!(note.kind, Language::Other { entry: "no_role_may_call", .. })
        && authorization.grants.is_empty()
        && authorization.prose.is_empty()
        && !cx.model.unfinished.is_empty()
}

/// Where nothing of a document is executed, a sentence that begins like a step is prose.
fn is_narrative(cx: &Context<'_>, note: &LanguageNote) -> bool {
    let of_step = matches!(
        note.kind,
        Language::StepNotUnderstood { .. } | Language::StepNotSupported { .. } | Language::StepSkipped
    );
    of_step && cx.whole && !cx.strictness.speaks()
}

/// A layer that is not kept for a reason that has a finding of its own.
fn is_told(cx: &Context<'_>, note: &LanguageNote) -> bool {
    matches!(&note.kind, Language::CacheNotKept { layer, .. } if fw0807_cache_not_kept::is_told(cx, layer))
}

/// An event that is not declared is one mistake, however often it is emitted.
fn is_first(undeclared: &mut BTreeSet<String>, note: &LanguageNote) -> bool {
    match &note.kind {
        Language::EventNotDeclared { event, .. } => undeclared.insert(event.clone()),
        _ => true,
    }
}

fn from_syntax(cx: &Context<'_>, note: &SyntaxNote) -> Diagnostic {
    let place = Place { span: note.span, related: None, fix: None };
    match note.kind {
        Syntax::UnclosedFence => fw9001_unclosed_fence::found(cx, &place),
        Syntax::TabInIndentation => fw9002_tab_in_indentation::found(&place),
        Syntax::TooDeep => fw9003_nested_too_deeply::found(cx, &place),
        Syntax::NulCharacter => fw9004_nul_character::found(&place),
    }
}

fn from_model(cx: &Context<'_>, note: &ModelNote) -> Diagnostic {
    let place = Place { span: note.span, related: note.related, fix: None };
    match &note.kind {
        Model::UnknownType { name, nearest } => {
            fw0601_unknown_type::found(cx, &place, name, nearest.as_deref())
        }
        Model::MissingType { field } => fw0602_missing_type::found(&place, field),
        Model::DeclaredTwice { what, name } => fw1607_declared_twice::found(&place, what, name),
        Model::NotUnderstood { expected } => fw1605_not_understood::found(cx, &place, expected),
        Model::UnknownLabel { label, nearest } => {
            fw1606_unknown_label::found(cx, &place, label, nearest.as_deref())
        }
        Model::LazyLine => fw1610_line_of_the_item_above::found(cx, &place),
        Model::ConstraintNotUnderstood { text, nearest } => {
            fw0603_constraint_not_understood::found(&place, text, *nearest)
        }
    }
}

fn from_language(cx: &Context<'_>, note: &LanguageNote) -> Diagnostic {
    let place = Place { span: note.span, related: note.related, fix: note.fix.clone() };
    match &note.kind {
        Language::UnknownName { what, name, nearest } => {
            fw2001_unknown_name::found(cx, &place, what, name, nearest.as_deref())
        }
        Language::UnknownField { of, field, nearest } => {
            fw2002_unknown_field::found(cx, &place, of, field, nearest.as_deref())
        }
        Language::ExpressionSyntax { problem } => fw2003_expression_syntax::found(cx, &place, problem),
        Language::TypeMismatch { expected, found, context } => {
            fw2004_type_mismatch::found(cx, &place, expected, found, context)
        }
        Language::MayBeAbsent { context } => fw2005_may_be_absent::found(cx, &place, context),
        Language::StepSkipped => fw0401_step_skipped::found(cx, &place),
        Language::StepNotUnderstood { form, word, expected, notation } => {
            fw0402_step_not_understood::found(cx, &place, form, word.as_deref(), expected, notation)
        }
        Language::StepNotSupported { form } => fw0403_step_not_supported::found(&place, form),
        Language::NotAKey { entity } => fw0404_not_a_key::found(&place, entity),
        Language::Unreachable => fw0405_unreachable_step::found(cx, &place),
        Language::NeverAnswers { operation } => fw0406_never_answers::found(&place, operation),
        Language::BoundTwice { name } => fw2009_bound_twice::found(&place, name),
        Language::ShadowsField { name, entity } => fw2006_shadowed_field::found(&place, name, entity),
        Language::QualifiedField { entity, field } => fw2007_qualified_field::found(&place, entity, field),
        Language::NotInSql { what } => fw2008_not_in_sql::found(&place, what),
        Language::FieldNotSet { entity, field } => fw0410_field_not_set::found(cx, &place, entity, field),
        Language::FieldNotWritable { entity, field, reason } => {
            fw0411_field_not_writable::found(&place, entity, field, reason)
        }
        Language::EventDataMissing { event, member } => {
            fw1003_event_data_missing::found(&place, event, member)
        }
        Language::EventNotDeclared { event, nearest } => {
            fw1001_event_not_declared::found(cx, &place, event, nearest.as_deref())
        }
        Language::RouteCollision { route, other } => fw0407_route_collision::found(&place, route, other),
        Language::PathParameter { name, path } => fw0408_path_parameter::found(&place, name, path),
        Language::UnknownActor { actor, nearest } => {
            fw0701_unknown_actor::found(cx, &place, actor, nearest.as_deref())
        }
        Language::BadStatus { status, allowed } => fw0409_bad_status::found(&place, status, allowed),
        Language::CacheNotKept { layer, why } => fw0806_cache_of_a_writer::found(&place, why)
            .unwrap_or_else(|| fw0807_cache_not_kept::found(&place, layer, why)),
        Language::Other { entry, subject } => other(&place, entry, subject),
    }
}

/// The mistakes that the language names by a word alone.
fn other(place: &Place, entry: &str, subject: &str) -> Diagnostic {
    let found = match entry {
        "too_many_variables" => fw0413_too_many_variables::found,
        "public_and_restricted" => fw0414_public_and_restricted::found,
        "nothing_to_update" => fw0415_nothing_to_update::found,
        "no_age" => fw0416_order_without_age::found,
        "answer_lacks" => fw0418_answer_lacks::found,
        "withheld" => fw0419_withheld_field_sent::found,
        "rule_not_supported" => fw0606_rule_not_supported::found,
        "bad_pattern" => fw0607_bad_pattern::found,
        "bad_number" => fw0608_bad_bound::found,
        "limit_not_understood" => fw0914_limit_not_understood::found,
        "table_rule_not_kept" => fw0603_constraint_not_understood::found_of_table,
        "rule_not_understood" => fw0610_rule_not_understood::found,
        "varying_rule" => fw0611_varying_rule::found,
        "impossible_transition" => fw0612_impossible_transition::found,
        "impossible_start" => fw0612_impossible_transition::found_at_start,
        "append_only" => fw0613_append_only_changed::found,
        "row_without_key" => fw0614_row_without_key::found,
        "circular_computation" => fw0615_circular_computation::found,
        "secret_read" => fw0616_secret_read::found,
        "unknown_format" => fw0617_unknown_format::found,
        "no_role_may_call" => fw0902_operation_without_caller::found,
        "grant_condition" => fw0907_condition_of_grant::found,
        "budget_of_whom" => fw0942_budget_of_whom::found,
        "cost_without_bound" => fw0943_cost_without_bound::found,
        "call_after_write" => fw0440_call_after_write::found,
        "copy_written" => fw0441_copy_written::found,
        "no_address" | "call_without_component" | "call_of_inner" => fw0442_call_of_nobody::found,
        "secret_outside_header" | "secret_not_literal" => fw2020_secret_outside_header::found,
        "metric_kind" => fw1005_unfit_metric::found,
        "event_member_not_declared" => fw1006_undeclared_member::found,
        "event_cycle" => fw1008_event_cycle::found,
        "told_row" => fw1009_copy_changed::found,
        "reserved_name" => fw2010_reserved_name::found,
        "not_a_name" => fw2011_not_a_name::found,
        "division_not_rounded" => fw2012_unrounded_division::found,
        _ => fw2013_other_mistake::found,
    };
    found(place, subject)
}

/// What the language has to say of a place that is not executed is a hint, unless facts contradict each other.
fn milder(cx: &Context<'_>, note: &LanguageNote, found: Diagnostic) -> Diagnostic {
    let most = match &note.kind {
        Language::UnknownName { .. }
        | Language::UnknownField { .. }
        | Language::EventNotDeclared { .. }
        | Language::RouteCollision { .. } => Severity::Warning,
        _ => Severity::Hint,
    };
    cx.strictness.at_most(most, found)
}

/// What a reader did not understand where nothing is executed is a hint, unless it is probably a slip of the pen.
fn milder_reading(cx: &Context<'_>, note: &ModelNote, found: Diagnostic) -> Diagnostic {
    let is_slip = match &note.kind {
        Model::UnknownType { nearest, .. } | Model::UnknownLabel { nearest, .. } => nearest.is_some(),
        Model::DeclaredTwice { .. } | Model::NotUnderstood { expected: "SLO" } => true,
        Model::MissingType { .. }
        | Model::NotUnderstood { .. }
        | Model::LazyLine
        | Model::ConstraintNotUnderstood { .. } => false,
    };
    cx.strictness.at_most(if is_slip { Severity::Warning } else { Severity::Hint }, found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formwork_language::behaviour::Compiled;
    use formwork_language::program::NotKept;
    use formwork_syntax::Span;

    const SOURCE: &str = "1. Finds the `link` where `slug == input.slug`.\n";

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn kinds(name: &str) -> Vec<Language> {
        let (name, nearest) = (text(name), Some(text("link")));
        vec![
            Language::UnknownName { what: "entity", name: name.clone(), nearest: nearest.clone() },
            Language::UnknownName { what: "variable", name: name.clone(), nearest: None },
            Language::UnknownField { of: text("link"), field: name.clone(), nearest: nearest.clone() },
            Language::ExpressionSyntax {
                problem: text("expected `)` before the end of the expression that was begun"),
            },
            Language::TypeMismatch {
                expected: text("boolean"),
                found: text("string"),
                context: text("the condition of `Fails`"),
            },
            Language::MayBeAbsent { context: text("field `slug`") },
            Language::StepSkipped,
            Language::StepNotUnderstood {
                form: "Finds",
                word: Some(name.clone()),
                expected: text("`where`"),
                notation: "Finds the `E` where `EXPR`, or fails with `404 code`",
            },
            Language::StepNotUnderstood {
                form: "Finds",
                word: None,
                expected: text("`where`"),
                notation: "Finds the `E` where `EXPR`, or fails with `404 code`",
            },
            Language::StepNotSupported { form: "Calls" },
            Language::NotAKey { entity: name.clone() },
            Language::Unreachable,
            Language::NeverAnswers { operation: name.clone() },
            Language::BoundTwice { name: name.clone() },
            Language::ShadowsField { name: name.clone(), entity: text("link") },
            Language::QualifiedField { entity: name.clone(), field: text("slug") },
            Language::NotInSql { what: text("function `matches`") },
            Language::FieldNotSet { entity: name.clone(), field: text("slug") },
            Language::FieldNotWritable { entity: name.clone(), field: text("slug"), reason: "immutable" },
            Language::EventDataMissing { event: name.clone(), member: text("id") },
            Language::EventNotDeclared { event: name.clone(), nearest },
            Language::RouteCollision { route: name.clone(), other: text("get_link") },
            Language::CacheNotKept { layer: name.clone(), why: NotKept::What },
            Language::CacheNotKept { layer: text("links"), why: NotKept::Writes(name.clone()) },
            Language::PathParameter { name: name.clone(), path: text("/links/{slug}") },
            Language::UnknownActor { actor: name.clone(), nearest: None },
            Language::BadStatus { status: name.clone(), allowed: "100 to 599" },
            Language::Other { entry: "metric_kind", subject: name.clone() },
            Language::Other { entry: "not in the list", subject: name },
        ]
    }

    fn findings(kinds: Vec<Language>) -> Vec<Diagnostic> {
        judged(kinds, true)
    }

    fn judged(kinds: Vec<Language>, whole: bool) -> Vec<Diagnostic> {
        let document = formwork_syntax::parse(SOURCE, &|_| false);
        let note = |kind| LanguageNote { kind, span: Span::new(3, 40), related: None, fix: None };
        let compiled = Compiled { notes: kinds.into_iter().map(note).collect(), ..Compiled::default() };
        let model = formwork_model::Model::default();
        notes(&Context::new(SOURCE, &document, &model, &compiled, whole, crate::form::Form::shipped()))
    }

    #[test]
    fn every_note_gets_a_message_on_one_narrow_line_that_names_the_thing() {
        for name in ["lnik", "", "a`b\n\u{1b}[31mc", &"very_long_name_".repeat(20)] {
            for found in judged(kinds(name), false) {
                let message = &found.message;
                assert!(message.matches('`').count() >= 2, "{}: {message}", found.code);
                assert!(!message.ends_with('.') && !message.contains(['\n', '\u{1b}']), "{message}");
                assert!(message.chars().count() <= 100, "{message}");
                assert!(found.severity != Severity::Error || found.help.is_some(), "{message}");
            }
        }
    }

    #[test]
    fn an_event_that_is_emitted_twice_undeclared_is_one_finding() {
        let emitted = || Language::EventNotDeclared { event: text("link.made"), nearest: None };
        assert_eq!(findings(vec![emitted(), emitted()]).len(), 1);
    }

    #[test]
    fn what_begins_like_a_step_is_prose_where_nothing_is_executed() {
        let step = || Language::StepNotUnderstood {
            form: "Finds",
            word: None,
            expected: text("`where`"),
            notation: "Finds the `E` where `EXPR`",
        };
        assert_eq!(findings(vec![step()]), []);
        let type_mismatch = Language::MayBeAbsent { context: text("field `slug`") };
        assert_eq!(findings(vec![type_mismatch])[0].severity, Severity::Hint);
    }

    /// The mistake that no document raises is told from its note.
    #[test]
    fn a_mistake_without_words_is_told() {
        let place = Place { span: formwork_syntax::Span::new(0, 1), related: None, fix: None };
        let found = other(&place, "a_word_of_a_later_version", "x");
        let page = crate::catalogue::explain("FW2013").expect("every code has a page");
        assert_eq!(found.code, "FW2013");
        assert!(page.contains(&format!("```text\n{}\n```", found.message)), "{}", found.message);
        assert!(found.help.is_some());
    }
}
