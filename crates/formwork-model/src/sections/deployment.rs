//! Section 11: deployment, release, recovery.

use crate::facts::Prose;
use crate::labels::begins_with;
use crate::model::Class;
use crate::reader::{Reader, entries};
use crate::sections::performance::duration_at;
use crate::tokens::{Token, find_words};
use crate::values::{parse_count, parse_percent};
use formwork_syntax::Part;

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
    let is_recovery = begins_with(&title, &["disaster recovery", "recovery", "backup"]);
    let is_release = begins_with(&title, &["release process", "release", "rollout"]);
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
        reader.class(&entry, if understood { Class::Understood } else { Class::Narrative });
    }
    part.parts().for_each(|below| read_part(reader, below));
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
        (at..tokens.len().min(at + 3))
            .find_map(|at| duration_at(&tokens[at..]))
            .and_then(|(micros, _)| seconds(micros))
    };
    let is_backup = tokens.iter().any(|token| token.is_word("backup") || token.is_word("backups"));
    let interval = after(&["every"]).filter(|_| is_backup);
    let kept = after(&["kept"]).filter(|_| is_backup);
    let found = [interval, kept, after(&["rpo"]), after(&["rto"])];
    let slots = [
        &mut recovery.backup_interval_seconds,
        &mut recovery.backup_kept_seconds,
        &mut recovery.rpo_seconds,
        &mut recovery.rto_seconds,
    ];
    for (slot, value) in slots.into_iter().zip(found) {
        *slot = value.or(*slot);
    }
    found.iter().any(Option::is_some)
}

fn seconds(micros: i64) -> Option<u64> {
    (micros % 1_000_000 == 0).then(|| u64::try_from(micros / 1_000_000).ok())?
}
