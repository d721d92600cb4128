//! FW1101: less data may be lost than lies between two backups.

use crate::catalogue::Entry;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};

pub(crate) static ENTRY: Entry = Entry {
    code: "FW1101",
    severity: Severity::Warning,
    title: "a recovery point that backups cannot keep",
    page: include_str!("../pages/FW1101.md"),
    rule: Some(rule),
};

/// What keeps more than a backup does.
const STREAMS: [&str; 9] =
    ["continuous", "wal", "replica", "standby", "stream", "point-in-time", "pitr", "synchronous", "journal"];

/// Finds it.
fn rule(cx: &Context<'_>) -> Vec<Diagnostic> {
    let recovery = &cx.model.recovery;
    let (Some(interval), Some(point)) = (recovery.backup_interval_seconds, recovery.rpo_seconds) else {
        return Vec::new();
    };
    let says = |words: &[&str]| {
        recovery.statements.iter().find(|statement| {
            let text = statement.value.to_lowercase();
            words.iter().any(|word| text.contains(word))
        })
    };
    if point >= interval || says(&STREAMS).is_some() {
        return Vec::new();
    }
    let Some(promise) = says(&["rpo"]) else { return Vec::new() };
    let backup = says(&["backup"]).filter(|backup| backup.span != promise.span).map(|backup| backup.span);
    vec![
        ENTRY
            .at(promise.span, format!("`RPO` of {point} s, but a backup only every {interval} s"))
            .related(backup, "the interval of the backups")
            .help("back up more often, replicate, or allow more to be lost"),
    ]
}
