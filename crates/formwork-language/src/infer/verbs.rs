//! What an operation does, from its name and its method, which must agree.

use super::{Facts, Reason};
use crate::program::PathPart;

/// The plain deeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Makes a row.
    Create,
    /// Answers a row.
    Read,
    /// Answers rows.
    List,
    /// Changes a row.
    Update,
    /// Removes a row.
    Delete,
}

/// What an operation does, and to what.
#[derive(Clone, Debug)]
pub(super) struct Verb {
    /// What it does.
    pub(super) deed: Deed,
    /// The rest of its name, which names an entity; absent when the name says nothing but the deed.
    pub(super) object: Option<String>,
    /// A field that the name mentions: `get_link_by_slug`.
    pub(super) by: Option<String>,
}

const CREATE: [&str; 5] = ["create", "add", "new", "insert", "register"];
const READ: [&str; 6] = ["get", "read", "fetch", "show", "retrieve", "view"];
const LIST: [&str; 2] = ["list", "browse"];
const UPDATE: [&str; 5] = ["update", "edit", "change", "modify", "patch"];
const DELETE: [&str; 3] = ["delete", "remove", "destroy"];

/// What an operation does.
pub(super) fn verb(facts: &Facts<'_>) -> Result<Verb, Reason> {
    let name = facts.operation.name.value.as_str();
    let verb = match name.contains('/') {
        true => by_route(facts)?,
        false => by_name(facts, name)?,
    };
    match facts.method {
        Some(method) if !fits(verb.deed, method) => Err(format!("`{method}` does not fit the name `{name}`")),
        _ => Ok(verb),
    }
}

fn fits(deed: Deed, method: &str) -> bool {
    match deed {
        Deed::Create => matches!(method, "POST" | "PUT"),
        Deed::Read | Deed::List => method == "GET",
        Deed::Update => matches!(method, "PATCH" | "PUT" | "POST"),
        Deed::Delete => matches!(method, "DELETE" | "POST"),
    }
}

/// Whether the path ends with a parameter.
fn ends_with_parameter(facts: &Facts<'_>) -> Option<bool> {
    facts.path.map(|path| matches!(path.last(), Some(PathPart::Parameter(_))))
}

fn by_route(facts: &Facts<'_>) -> Result<Verb, Reason> {
    let deed = match (facts.method, ends_with_parameter(facts)) {
        (Some("POST"), Some(false)) => Deed::Create,
        (Some("GET"), Some(false)) => Deed::List,
        (Some("GET"), Some(true)) => Deed::Read,
        (Some("PATCH" | "PUT"), Some(true)) => Deed::Update,
        (Some("DELETE"), Some(true)) => Deed::Delete,
        _ => return Err("method and path are not those of create, read, list, update or delete".to_owned()),
    };
    Ok(Verb { deed, object: None, by: None })
}

fn by_name(facts: &Facts<'_>, name: &str) -> Result<Verb, Reason> {
    let words = words(name);
    let known = |word: &String| deed(word);
    let (deed, mut rest) = match (words.first().and_then(known), words.last().and_then(known)) {
        (Some(deed), _) => (deed, words[1..].to_vec()),
        (None, Some(deed)) => (deed, words[..words.len() - 1].to_vec()),
        (None, None) => return Err(format!("`{name}` is not create, read, list, update or delete")),
    };
    let by = rest.iter().position(|word| word == "by").map(|at| {
        let field = rest[at + 1..].join("_");
        rest.truncate(at);
        field
    });
    let all = rest.first().is_some_and(|word| word == "all");
    if all {
        rest.remove(0);
    }
    let object = (!rest.is_empty()).then(|| rest.join("_"));
    let many = match ends_with_parameter(facts) {
        Some(true) => false,
        Some(false) => by.is_none() && object.as_deref().is_none_or(is_plural),
        None => object.as_deref().is_some_and(is_plural),
    };
    let deed = if deed == Deed::Read && (all || many) { Deed::List } else { deed };
    Ok(Verb { deed, object, by })
}

fn deed(word: &str) -> Option<Deed> {
    let table: [(&[&str], Deed); 5] = [
        (&CREATE, Deed::Create),
        (&READ, Deed::Read),
        (&LIST, Deed::List),
        (&UPDATE, Deed::Update),
        (&DELETE, Deed::Delete),
    ];
    table.into_iter().find(|(words, _)| words.contains(&word)).map(|(_, deed)| deed)
}

/// Whether a name is written in the plural.
pub(super) fn is_plural(name: &str) -> bool {
    formwork_model::names::name_key(name) != super::letters(name)
}

/// The words of `create_link`, `createLink`, `links.create` and `create-link` in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut begins = true;
    let mut lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() {
            begins = true;
            continue;
        }
        if begins || lower && letter.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(letter.to_lowercase());
        }
        (begins, lower) = (false, !letter.is_uppercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_name_is_words_however_it_is_written() {
        for name in ["create_order_line", "createOrderLine", "create-order-line", "Create Order Line"] {
            assert_eq!(words(name), ["create", "order", "line"], "{name}");
        }
        assert_eq!(words("links.list"), ["links", "list"]);
        assert!(words("").is_empty());
    }
}
