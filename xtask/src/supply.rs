//! What comes from others, held against `deny.toml` without a network: licences, sources and duplicates; and that `unsafe` stands
//! in its one place.
//!
//! `cargo deny check` reads the same file, and asks for advisories besides. Source: decision 0135.

use crate::tidy::files;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// The files that may allow `unsafe`, which the workspace denies. CONTRIBUTING.md names them.
const UNSAFE: &[&str] = &["crates/formwork-store/tests/suite/vfs.rs"];

/// Every fault of what is built in.
pub(crate) fn run() -> Vec<String> {
    let Ok(rules) = std::fs::read_to_string("deny.toml") else {
        return vec!["deny.toml cannot be read".into()];
    };
    let output = Command::new("cargo").args(["metadata", "--format-version", "1", "--locked"]).output();
    let metadata = output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok());
    let Some(metadata): Option<Value> = metadata else { return vec!["cargo metadata does not run".into()] };
    let mut faults = of_packages(&rules, metadata["packages"].as_array().map_or(&[], Vec::as_slice));
    faults.extend(unsafe_code());
    faults
}

/// Faults of licences, sources and duplicates.
fn of_packages(rules: &str, packages: &[Value]) -> Vec<String> {
    let allowed = quoted(array(rules, "licenses", "allow"));
    let skipped: Vec<String> = array(rules, "bans", "skip")
        .lines()
        .filter_map(|line| Some(line.split_once("crate = \"")?.1.split_once('"')?.0.to_owned()))
        .collect();
    let mut faults = Vec::new();
    let (mut needed, mut registries) = (BTreeSet::new(), BTreeSet::new());
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        // Without a source it is a package of ours.
        let Some(source) = package["source"].as_str() else { continue };
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let named = format!("{}@{}", text("name"), text("version"));
        match source.strip_prefix("registry+") {
            Some(registry) => drop(registries.insert(registry)),
            None => faults.push(format!("{named} comes from {source}, which is no registry")),
        }
        match licence(text("license"), &allowed) {
            Some(used) => needed.extend(used),
            None => faults
                .push(format!("{named}: `{}` is not covered by the licences of deny.toml", text("license"))),
        }
        versions.entry(text("name")).or_default().insert(named);
    }
    if registries.len() > 1 {
        faults.push(format!("packages come from several registries: {registries:?}"));
    }
    let unneeded = allowed.iter().filter(|name| !needed.contains(*name));
    faults.extend(unneeded.map(|name| format!("deny.toml allows `{name}`, which nothing needs")));
    for same in versions.values().filter(|same| same.len() > 1) {
        let left: Vec<&String> = same.iter().filter(|named| !skipped.contains(named)).collect();
        if left.len() > 1 {
            faults.push(format!("built in several versions: {left:?}; deny.toml gives no reason"));
        }
    }
    let known = |skip: &String| versions.values().any(|same| same.len() > 1 && same.contains(skip));
    let gone = skipped.iter().filter(|skip| !known(skip));
    faults.extend(gone.map(|skip| format!("deny.toml skips {skip}, of which there is no other version")));
    faults
}

/// The text between the brackets of `key = [ … ]` in a section.
fn array<'a>(rules: &'a str, section: &str, key: &str) -> &'a str {
    let within = || {
        let (_, rest) = rules.split_once(&format!("\n[{section}]\n"))?;
        let rest = rest.split("\n[").next()?;
        let (_, rest) = rest.split_once(&format!("{key} = ["))?;
        rest.split("\n]").next()
    };
    within().unwrap_or_default()
}

/// The texts in quotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The allowed licences that an expression (SPDX) is met with, if it is met at all. `/` is an old way to write `OR`.
fn licence(expression: &str, allowed: &[String]) -> Option<BTreeSet<String>> {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (met, rest) = either(&words, allowed)?;
    if rest.is_empty() { met } else { None }
}

/// What an expression is met with, absent when it is not; and the words behind it.
type Read<'w, 's> = (Option<BTreeSet<String>>, &'w [&'s str]);

fn either<'w, 's>(words: &'w [&'s str], allowed: &[String]) -> Option<Read<'w, 's>> {
    let (mut met, mut rest) = all(words, allowed)?;
    while let Some((&"OR", behind)) = rest.split_first() {
        let (other, behind) = all(behind, allowed)?;
        met = met.or(other);
        rest = behind;
    }
    Some((met, rest))
}

fn all<'w, 's>(words: &'w [&'s str], allowed: &[String]) -> Option<Read<'w, 's>> {
    let (mut met, mut rest) = one(words, allowed)?;
    while let Some((&"AND", behind)) = rest.split_first() {
        let (other, behind) = one(behind, allowed)?;
        met = met.zip(other).map(|(met, other)| met.into_iter().chain(other).collect());
        rest = behind;
    }
    Some((met, rest))
}

fn one<'w, 's>(words: &'w [&'s str], allowed: &[String]) -> Option<Read<'w, 's>> {
    let (first, rest) = words.split_first()?;
    if *first == "(" {
        let (met, rest) = either(rest, allowed)?;
        let (close, rest) = rest.split_first()?;
        return (*close == ")").then_some((met, rest));
    }
    let (name, rest) = match rest {
        ["WITH", exception, rest @ ..] => (format!("{first} WITH {exception}"), rest),
        rest => ((*first).to_owned(), rest),
    };
    Some((allowed.contains(&name).then(|| BTreeSet::from([name])), rest))
}

/// Files that allow `unsafe` and are not the one, and packages for which it is not denied.
fn unsafe_code() -> Vec<String> {
    let mut faults = Vec::new();
    for file in files(Path::new(".")) {
        let name = file.display().to_string();
        let name = name.trim_start_matches("./").to_owned();
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let allows = text
            .lines()
            .any(|line| line.trim_start().starts_with("#") && line.contains("allow(unsafe_code)"));
        if name.ends_with(".rs") && allows && !UNSAFE.contains(&&*name) {
            faults.push(format!("{name} allows `unsafe`"));
        }
        if name.ends_with("/Cargo.toml") && !text.contains("[lints]\nworkspace = true") {
            faults.push(format!("{name} does not take over the lints of the workspace, which deny `unsafe`"));
        }
        if name == "Cargo.toml" && !text.contains("\nunsafe_code = \"deny\"\n") {
            faults.push(format!("{name} does not deny `unsafe`"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RULES: &str = "x\n[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n]\n\n[bans]\nskip = [\n  { crate = \"old@1.0.0\", reason = \"a\" },\n]\n";

    fn met(expression: &str) -> bool {
        licence(expression, &["MIT".into(), "ISC".into(), "Apache-2.0 WITH LLVM-exception".into()]).is_some()
    }

    #[test]
    fn expressions_of_licences_are_read() {
        for yes in
            ["MIT", "GPL-3.0 OR MIT", "GPL/MIT", "MIT AND (ISC OR GPL)", "Apache-2.0 WITH LLVM-exception"]
        {
            assert!(met(yes), "{yes}");
        }
        for no in
            ["", "GPL-3.0", "MIT AND GPL", "(MIT", "MIT ISC", "Apache-2.0", "MIT AND (GPL OR BSD)", "OR MIT"]
        {
            assert!(!met(no), "{no}");
        }
    }

    #[test]
    fn each_fault_is_told() {
        let package = |name: &str, version: &str, licence: &str, source: &str| json!({"name": name, "version": version, "license": licence, "source": source});
        let fine = [
            package("old", "1.0.0", "MIT", "registry+one"),
            package("old", "2.0.0", "ISC", "registry+one"),
            json!({"name": "ours", "version": "1.0.0", "source": null}),
        ];
        assert_eq!(of_packages(RULES, &fine), Vec::<String>::new());
        let told = |more: Value| of_packages(RULES, &[&fine[..], &[more]].concat()).join("; ");
        assert!(told(package("a", "1.0.0", "GPL-3.0", "registry+one")).contains("not covered"));
        assert!(told(package("a", "1.0.0", "MIT", "git+elsewhere")).contains("no registry"));
        assert!(told(package("a", "1.0.0", "MIT", "registry+two")).contains("several registries"));
        assert!(told(package("old", "3.0.0", "MIT", "registry+one")).contains("several versions"));
        let none = of_packages(RULES, &[]).join("; ");
        assert!(none.contains("`MIT`, which nothing needs") && none.contains("skips old@1.0.0"), "{none}");
    }
}
