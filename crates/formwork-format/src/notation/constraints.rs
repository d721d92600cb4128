//! The words of constraints.

use formwork_model::facts::Constraint;

/// The canonical words of a constraint that is written as `text`; those without a canonical form stay as they are.
pub(super) fn canonical(constraint: &Constraint, text: &str) -> String {
    let words = match constraint {
        Constraint::PrimaryKey => "primary key",
        Constraint::Required => "required",
        Constraint::Optional => "optional",
        Constraint::Unique(with) if with.is_empty() => "unique",
        Constraint::Indexed => "indexed",
        Constraint::Generated => "generated",
        Constraint::OnCreate => "set to now on create",
        Constraint::OnUpdate => "set to now on update",
        Constraint::Immutable => "immutable",
        Constraint::WriteOnly => "write-only",
        Constraint::Secret => "secret",
        Constraint::Personal => "personal data",
        Constraint::Min { .. }
        | Constraint::Max { .. }
        | Constraint::MinLength(_)
        | Constraint::MaxLength(_) => {
            return with_signs(text);
        }
        Constraint::Default(value) => return default(&value.value, text),
        Constraint::References { entity, field, .. } => {
            return references(&entity.value, field.as_ref().map(|field| &*field.value), text);
        }
        _ => return text.to_owned(),
    };
    words.to_owned()
}

/// `>= 0` and `<=5` as `≥ 0` and `≤ 5`.
pub(super) fn with_signs(text: &str) -> String {
    for (sign, canonical) in [(">=", "≥"), ("<=", "≤"), ("≥", "≥"), ("≤", "≤")] {
        if let Some(bound) = text.strip_prefix(sign) {
            return format!("{canonical} {}", bound.trim_start());
        }
    }
    text.to_owned()
}

/// `default: X`, `default = X` and `defaults to X` as `default X`.
fn default(value: &str, text: &str) -> String {
    let Some(at) = text.rfind(value) else { return text.to_owned() };
    let start = text[..at].strip_suffix(['`', '"', '“']).map_or(at, str::len);
    let head: String = text[..start].split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let is_head = ["default", "default:", "default :", "default =", "default=", "defaults to", "defaults"];
    if is_head.contains(&head.as_str()) { format!("default {}", &text[start..]) } else { text.to_owned() }
}

/// ``FK to e.f``, ``foreign key to `e` `` and ``→ `e.f` `` as ``references `e.f` ``, with what is written behind it.
fn references(entity: &str, field: Option<&str>, text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let action = lower.find("on delete").map_or("", |at| &text[at..]);
    let target = field.map_or_else(|| entity.to_owned(), |field| format!("{entity}.{field}"));
    let blank = if action.is_empty() { "" } else { " " };
    format!("references `{target}`{blank}{action}")
}
