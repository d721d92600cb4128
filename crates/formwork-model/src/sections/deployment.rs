//! Section 11: deployment, release, recovery.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Reader, entries};
use crate::sections::performance::duration_at;
use crate::shapes;
use crate::tokens::{Token, find_words, split};
use crate::values::{parse_count, parse_percent};
use formwork_syntax::{Part, Text};

/// *Deployment Architecture*.
#[derive(Clone, Debug, Default)]
pub struct Deployment {
    /// `N replicas`
    pub replicas: Option<u64>,
    /// `stateless` is `Some(true)`, `stateful` `Some(false)`.
    pub stateless: Option<bool>,
    /// Environments in code.
    pub environments: Vec<String>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}

/// *Release Process*.
#[derive(Clone, Debug, Default)]
pub struct Release {
    /// Percentages of a canary, in order.
    pub canary_percent: Vec<String>,
    /// How long each canary step lasts.
    pub step_seconds: Option<u64>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}

/// *Disaster Recovery*.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    /// `backup every 1 h`
    pub backup_interval_seconds: Option<u64>,
    /// `kept 30 d`
    pub backup_kept_seconds: Option<u64>,
    /// `RPO ≤ 1 h`
    pub rpo_seconds: Option<u64>,
    /// `RTO ≤ 15 min`
    pub rto_seconds: Option<u64>,
    /// Every item as written.
    pub statements: Vec<Prose>,
}

/// Columns whose heading is read with each cell.
const SPOKEN: [&str; 4] = ["rpo", "rto", "backup", "replicas"];

pub(crate) fn read(reader: &mut Reader<'_>, part: &Part) {
    let part = crate::tables::as_lists(reader.source, part, &SPOKEN);
    read_part(reader, &part);
}

fn read_part(reader: &mut Reader<'_>, part: &Part) {
    let title = reader.title(&part.title);
    let is_recovery = begins_with(&title, &RECOVERY);
    let is_release = begins_with(&title, &RELEASE);
    let part = &shapes::promote(reader.source, part, &is_subtitle);
    for entry in entries(reader.source, part) {
        let tokens = reader.tokens(entry.text);
        let text = reader.prose(entry.text);
        let understood = if is_recovery {
            reader.model.recovery.statements.push(text);
            read_recovery(&mut reader.model.recovery, &tokens)
        } else if is_release {
            reader.model.release.statements.push(text);
            read_release(&mut reader.model.release, &tokens)
        } else {
            reader.model.deployment.statements.push(text);
            read_deployment(&mut reader.model.deployment, &tokens)
        };
        // What can be lost and how soon all is back is said under any heading, also in one paragraph with the rest.
        let understood = understood | (!is_recovery && recovers(reader, &tokens, entry.text));
        reader.class(&entry, if understood { Class::Understood } else { Class::Narrative });
    }
    part.parts().for_each(|below| read_part(reader, below));
}

const RECOVERY: [&str; 6] = ["disaster recovery", "recovery", "backup", "backups", "rpo", "rto"];
const RELEASE: [&str; 3] = ["release process", "release", "rollout"];

/// The titles of the parts of the section, where they are items of a list.
fn is_subtitle(title: &str) -> bool {
    begins_with(title, &["disaster recovery", "recovery", "release process", "deployment architecture"])
}

/// Reads what a statement outside *Disaster Recovery* says of it.
fn recovers(reader: &mut Reader<'_>, tokens: &[Token<'_>], text: &Text) -> bool {
    let speaks =
        ["rpo", "rto", "backup", "backups"].iter().any(|word| tokens.iter().any(|token| token.is_word(word)));
    let mut found = false;
    if speaks {
        for sentence in split(tokens, |token| token.is_mark(".") || token.is_mark(";")) {
            found |= read_recovery(&mut reader.model.recovery, sentence);
        }
    }
    if found {
        let text = reader.prose(text);
        reader.model.recovery.statements.push(text);
    }
    found
}

fn read_deployment(deployment: &mut Deployment, tokens: &[Token<'_>]) -> bool {
    let mut understood = false;
    for pair in tokens.windows(2) {
        if (pair[1].is_word("replicas") || pair[1].is_word("replica"))
            && let Some(count) = parse_count(&pair[0].text)
        {
            deployment.replicas = Some(count);
            understood = true;
        }
    }
    for (word, stateless) in [("stateless", true), ("stateful", false)] {
        if tokens.iter().any(|token| token.is_word(word)) {
            deployment.stateless = Some(stateless);
            understood = true;
        }
    }
    if let Some(at) =
        tokens.iter().position(|token| token.is_word("environments") || token.is_word("environment"))
    {
        let names = tokens[at..].iter().filter(|token| token.is_code());
        deployment.environments.extend(names.map(|token| token.text.to_string()));
        understood = true;
    }
    understood
}

fn read_release(release: &mut Release, tokens: &[Token<'_>]) -> bool {
    let is_roll_back = find_words(tokens, &["roll", "back"]).is_some();
    if !tokens.iter().any(|token| token.is_word("canary")) {
        return is_roll_back && tokens.iter().any(Token::is_code);
    }
    release.canary_percent.extend(tokens.iter().filter_map(|token| parse_percent(&token.text)));
    release.step_seconds = release.step_seconds.or_else(|| {
        (0..tokens.len()).find_map(|at| {
            let (micros, used) = duration_at(&tokens[at..])?;
            tokens.get(at + used).filter(|token| token.is_word("each"))?;
            seconds(micros)
        })
    });
    !release.canary_percent.is_empty()
}

fn read_recovery(recovery: &mut Recovery, tokens: &[Token<'_>]) -> bool {
    let after = |words: &[&str]| {
        let at = find_words(tokens, words)? + words.len();
        (at..tokens.len().min(at + 5)).find_map(|at| length_at(&tokens[at..]))
    };
    let is_backup = ["backup", "backups", "snapshot", "snapshots", "dump"]
        .iter()
        .any(|word| tokens.iter().any(|token| token.is_word(word)));
    // `30 minutes (RPO)`
    let before = |word: &str| {
        let at = tokens.iter().position(|token| token.is_word(word))?;
        let end = at.checked_sub(1).filter(|open| tokens[*open].is_mark("("))?;
        let from = end.checked_sub(2)?;
        length_at(&tokens[from..end])
    };
    let interval = after(&["every"]).or_else(|| regular(tokens)).filter(|_| is_backup);
    let kept = after(&["kept"]).filter(|_| is_backup);
    let rpo = before("rpo").or_else(|| after(&["rpo"]));
    let rto = before("rto").or_else(|| after(&["rto"]));
    let found = [interval, kept, rpo, rto];
    let slots = [
        &mut recovery.backup_interval_seconds,
        &mut recovery.backup_kept_seconds,
        &mut recovery.rpo_seconds,
        &mut recovery.rto_seconds,
    ];
    for (slot, value) in slots.into_iter().zip(found) {
        // What was said first stands: `base backup every 6 h`, then what is shipped in between.
        *slot = slot.or(value);
    }
    found.iter().any(Option::is_some)
}

/// A length of time in seconds, also `one hour`, `an hour`, and a bare `0`.
fn length_at(tokens: &[Token<'_>]) -> Option<u64> {
    if let Some((micros, _)) = duration_at(tokens) {
        return seconds(micros);
    }
    const WORDS: [(&str, u64); 14] = [
        ("a", 1),
        ("an", 1),
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("ten", 10),
        ("twelve", 12),
        ("thirty", 30),
        ("zero", 0),
    ];
    let first = tokens.first()?;
    if first.is_word("half") {
        return length_at(&tokens[1..]).map(|whole| whole / 2);
    }
    if first.text == "0" || first.is_word("none") || (first.is_word("zero") && tokens.len() == 1) {
        return Some(0);
    }
    let (_, count) = WORDS.iter().find(|(word, _)| first.is_word(word))?;
    crate::values::parse_window(&tokens.get(1)?.text).map(|unit| unit * count)
}

/// `hourly`, `nightly`, `daily`, `weekly`, in seconds.
fn regular(tokens: &[Token<'_>]) -> Option<u64> {
    const WORDS: [(&str, u64); 5] =
        [("hourly", 3_600), ("nightly", 86_400), ("daily", 86_400), ("weekly", 604_800), ("continuous", 0)];
    WORDS
        .iter()
        .find(|(word, _)| tokens.iter().any(|token| token.is_word(word)))
        .map(|(_, seconds)| *seconds)
        .filter(|seconds| *seconds > 0)
}

fn seconds(micros: i64) -> Option<u64> {
    (micros % 1_000_000 == 0).then(|| u64::try_from(micros / 1_000_000).ok())?
}
