//! The catalogue: every diagnostic that Formwork knows, one line each, sorted by code.
//!
//! Codes are `FW`, two digits for the section of the form and two for the diagnostic. Beyond the sections stand 16
//! (the form as a whole), 20 (expressions and names) and 90 (the Markdown itself). A code is never given twice; one
//! that goes stays here as retired. Source: language reference, *Diagnostics*.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::diagnostics::*;
use formwork_syntax::Span;

/// A kind of diagnostic.
#[derive(Debug)]
pub struct Entry {
    /// `FW` and four digits.
    pub code: &'static str,
    /// How bad it is, unless the place makes it milder.
    pub severity: Severity,
    /// What is wrong, in few words; reads well after *allow*.
    pub title: &'static str,
    /// Its page: what, why, before, after.
    pub page: &'static str,
    /// Finds it in a whole document; absent when it comes from a note of a room below.
    pub(crate) rule: Option<fn(&Context<'_>) -> Vec<Diagnostic>>,
}

impl Entry {
    /// A finding of this kind at a place.
    pub(crate) fn at(&self, span: Span, message: String) -> Diagnostic {
        Diagnostic {
            code: self.code,
            severity: self.severity,
            message: fitted(message),
            span,
            related: Vec::new(),
            help: None,
            fix: None,
        }
    }
}

/// A message that fits one narrow line: 100 characters.
fn fitted(message: String) -> String {
    match message.char_indices().nth(99) {
        Some((cut, _)) if message.chars().count() > 100 => format!("{}…", &message[..cut]),
        _ => message,
    }
}

/// The page of a code, in Markdown; absent when there is no such code. Case does not matter.
pub fn explain(code: &str) -> Option<&'static str> {
    entry(code).map(|entry| entry.page)
}

/// The entry of a code, compared without case.
pub(crate) fn entry(code: &str) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.code.eq_ignore_ascii_case(code)).copied()
}

/// Every diagnostic, sorted by code.
pub static CATALOGUE: &[&Entry] = &[
    &fw0101_goal_without_proof::ENTRY,
    &fw0201_box_of_nothing::ENTRY,
    &fw0202_not_drawn::ENTRY,
    &fw0401_step_skipped::ENTRY,
    &fw0402_step_not_understood::ENTRY,
    &fw0403_step_not_supported::ENTRY,
    &fw0404_not_a_key::ENTRY,
    &fw0405_unreachable_step::ENTRY,
    &fw0406_never_answers::ENTRY,
    &fw0407_route_collision::ENTRY,
    &fw0408_path_parameter::ENTRY,
    &fw0409_bad_status::ENTRY,
    &fw0410_field_not_set::ENTRY,
    &fw0411_field_not_writable::ENTRY,
    &fw0412_unread_input::ENTRY,
    &fw0413_too_many_variables::ENTRY,
    &fw0414_public_and_restricted::ENTRY,
    &fw0415_nothing_to_update::ENTRY,
    &fw0416_order_without_age::ENTRY,
    &fw0417_no_error_case::ENTRY,
    &fw0418_answer_lacks::ENTRY,
    &fw0419_withheld_field_sent::ENTRY,
    &fw0430_inferred_steps::ENTRY,
    &fw0440_call_after_write::ENTRY,
    &fw0441_copy_written::ENTRY,
    &fw0442_call_of_nobody::ENTRY,
    &fw0601_unknown_type::ENTRY,
    &fw0602_missing_type::ENTRY,
    &fw0603_constraint_not_understood::ENTRY,
    &fw0604_relationship_to_nothing::ENTRY,
    &fw0605_untouched_entity::ENTRY,
    &fw0606_rule_not_supported::ENTRY,
    &fw0607_bad_pattern::ENTRY,
    &fw0608_bad_bound::ENTRY,
    &fw0609_kept_too_short::ENTRY,
    &fw0610_rule_not_understood::ENTRY,
    &fw0611_varying_rule::ENTRY,
    &fw0612_impossible_transition::ENTRY,
    &fw0613_append_only_changed::ENTRY,
    &fw0614_row_without_key::ENTRY,
    &fw0615_circular_computation::ENTRY,
    &fw0616_secret_read::ENTRY,
    &fw0617_unknown_format::ENTRY,
    &fw0701_unknown_actor::ENTRY,
    &fw0702_flow_without_test::ENTRY,
    &fw0703_unknown_participant::ENTRY,
    &fw0704_call_of_nothing::ENTRY,
    &fw0705_command_misused::ENTRY,
    &fw0801_unmeasured_slo::ENTRY,
    &fw0802_cache_of_nothing::ENTRY,
    &fw0803_stale_cache::ENTRY,
    &fw0804_weaker_than_promised::ENTRY,
    &fw0805_contradicting_targets::ENTRY,
    &fw0806_cache_of_a_writer::ENTRY,
    &fw0807_cache_not_kept::ENTRY,
    &fw0901_grant_of_nothing::ENTRY,
    &fw0902_operation_without_caller::ENTRY,
    &fw0903_refused_grant::ENTRY,
    &fw0904_limit_of_nothing::ENTRY,
    &fw0905_audit_of_nothing::ENTRY,
    &fw0906_cost_of_nothing::ENTRY,
    &fw0907_condition_of_grant::ENTRY,
    &fw0908_key_of_nothing::ENTRY,
    &fw0909_unknown_role::ENTRY,
    &fw0914_limit_not_understood::ENTRY,
    &fw0920_origin_of_nobody::ENTRY,
    &fw0940_cost_not_understood::ENTRY,
    &fw0941_idle_budget::ENTRY,
    &fw0942_budget_of_whom::ENTRY,
    &fw0943_cost_without_bound::ENTRY,
    &fw0950_audit_left_open::ENTRY,
    &fw1001_event_not_declared::ENTRY,
    &fw1002_event_never_emitted::ENTRY,
    &fw1003_event_data_missing::ENTRY,
    &fw1004_trace_of_nothing::ENTRY,
    &fw1005_unfit_metric::ENTRY,
    &fw1006_undeclared_member::ENTRY,
    &fw1007_event_not_listed::ENTRY,
    &fw1008_event_cycle::ENTRY,
    &fw1009_copy_changed::ENTRY,
    &fw1101_recovery_point::ENTRY,
    &fw1201_load_mix::ENTRY,
    &fw1202_failure_of_nothing::ENTRY,
    &fw1401_deliverable_of_nothing::ENTRY,
    &fw1402_deprecation_of_nothing::ENTRY,
    &fw1601_unfinished::ENTRY,
    &fw1602_missing_section::ENTRY,
    &fw1603_missing_part::ENTRY,
    &fw1604_unusual_number::ENTRY,
    &fw1605_not_understood::ENTRY,
    &fw1606_unknown_label::ENTRY,
    &fw1607_declared_twice::ENTRY,
    &fw1608_two_spellings::ENTRY,
    &fw1609_slip_of_a_name::ENTRY,
    &fw1610_line_of_the_item_above::ENTRY,
    &fw2001_unknown_name::ENTRY,
    &fw2002_unknown_field::ENTRY,
    &fw2003_expression_syntax::ENTRY,
    &fw2004_type_mismatch::ENTRY,
    &fw2005_may_be_absent::ENTRY,
    &fw2006_shadowed_field::ENTRY,
    &fw2007_qualified_field::ENTRY,
    &fw2008_not_in_sql::ENTRY,
    &fw2009_bound_twice::ENTRY,
    &fw2010_reserved_name::ENTRY,
    &fw2011_not_a_name::ENTRY,
    &fw2012_unrounded_division::ENTRY,
    &fw2013_other_mistake::ENTRY,
    &fw2020_secret_outside_header::ENTRY,
    &fw9001_unclosed_fence::ENTRY,
    &fw9002_tab_in_indentation::ENTRY,
    &fw9003_nested_too_deeply::ENTRY,
    &fw9004_nul_character::ENTRY,
    &fw9005_allow_without_reason::ENTRY,
    &fw9006_allow_of_nothing::ENTRY,
    &fw9007_idle_allowance::ENTRY,
];
