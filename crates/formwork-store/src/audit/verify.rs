//! Holds the trail against its chain: finds entries that were changed, removed or put elsewhere, and links that do not
//! follow from those before. What was cut off at the end is found by the head that the database keeps, and by any head
//! that somebody has kept elsewhere.

use super::chain::HEAD;
use super::table::{columns, digest, hexadecimal, link, read};
use crate::system::SystemConnection;
use formwork_engine::StoreError;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Links that are read at once.
const AT_ONCE: i64 = 1_000;
/// Faults that are told; more are counted.
const MOST_TOLD: usize = 100;

/// The last link of a chain: whoever keeps it elsewhere finds out whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many links there are.
    pub place: i64,
    /// The hash of the last one.
    pub hash: [u8; 32],
}

impl fmt::Display for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.place, hexadecimal(&self.hash))
    }
}

/// A head that was kept elsewhere: `PLACE:HASH`, or the hash alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    place: Option<i64>,
    hash: [u8; 32],
}

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(formatter, "{place}:{}", hexadecimal(&self.hash)),
            None => formatter.write_str(&hexadecimal(&self.hash)),
        }
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no head: write `PLACE:HASH` as `formwork audit verify` prints it");
        let (place, hash) = match text.trim().split_once(':') {
            Some((place, hash)) => (Some(place.parse::<i64>().map_err(|_| wrong())?), hash),
            None => (None, text.trim()),
        };
        if hash.len() != 64 || !hash.is_ascii() {
            return Err(wrong());
        }
        let bytes = (0..32).map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16));
        let bytes = bytes.collect::<Result<Vec<u8>, _>>().map_err(|_| wrong())?;
        Ok(Self { place, hash: bytes.try_into().map_err(|_| wrong())? })
    }
}

/// What is wrong with a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFault {
    /// An entry says something else than it did.
    Changed(i64),
    /// An entry stands where another one was.
    Moved {
        /// Where it stands.
        place: i64,
        /// Where it was.
        from: i64,
    },
    /// An entry is gone before its time.
    Removed(i64),
    /// Links are gone, from the first of these places to the last.
    LinksRemoved(i64, i64),
    /// A link does not follow from the one before.
    LinkChanged(i64),
    /// An entry says that it is chained, and no link is there.
    WithoutLink(i64),
    /// The end of the chain is gone: the database has kept this head.
    CutOff(Head),
    /// A head that was kept elsewhere is not in the chain.
    NotThere(Anchor),
}

impl fmt::Display for AuditFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(place) => write!(formatter, "entry {place} was changed"),
            Self::Moved { place, from } => {
                write!(formatter, "entry {from} was put in place {place}: the order was changed")
            }
            Self::Removed(place) => write!(formatter, "entry {place} was removed before its time"),
            Self::LinksRemoved(first, last) if first == last => {
                write!(formatter, "entry {first} was removed with its link")
            }
            Self::LinksRemoved(first, last) => {
                write!(formatter, "entries {first} to {last} were removed with their links")
            }
            Self::LinkChanged(place) => {
                write!(formatter, "link {place} does not follow from the one before: the chain was changed")
            }
            Self::WithoutLink(place) => write!(formatter, "entry {place} has no link in the chain"),
            Self::CutOff(head) => {
                write!(formatter, "the end of the chain is gone: it had {} links ({head})", head.place)
            }
            Self::NotThere(anchor) => write!(formatter, "the head {anchor} is not in the chain"),
        }
    }
}

/// What holding a trail against its chain has given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Entries that are there and fit.
    pub entries: u64,
    /// Entries that were removed when their time was over.
    pub removed: u64,
    /// The last link.
    pub head: Option<Head>,
    /// Entries that are committed and not yet chained.
    pub unchained: u64,
    /// When the oldest of these was written, in microseconds since the epoch.
    pub unchained_since: Option<i64>,
    /// What is wrong, in order; the first 100.
    pub faults: Vec<AuditFault>,
    /// How much is wrong.
    pub wrong: u64,
}

impl Verified {
    fn fault(&mut self, fault: AuditFault) {
        self.wrong += 1;
        if self.faults.len() < MOST_TOLD {
            self.faults.push(fault);
        }
    }
}

/// The head that the database keeps; where it keeps none, the last link.
pub(super) fn head_of(connection: &mut dyn SystemConnection) -> Result<Option<Head>, StoreError> {
    let sql = r#"SELECT "value" FROM "_formwork" WHERE "name" = ?1"#;
    let kept = connection.query(sql, &[HEAD.into()])?.into_iter().next();
    let kept = kept.map(|mut row| row.text(0)).transpose()?.unwrap_or_default();
    if let Ok(Anchor { place: Some(place), hash }) = kept.parse() {
        return Ok(Some(Head { place, hash }));
    }
    let sql = r#"SELECT "place", "hash" FROM "_audit_chain" ORDER BY "place" DESC LIMIT 1"#;
    let last = connection.query(sql, &[])?.into_iter().next();
    last.map(|mut row| Ok(Head { place: row.integer(0)?, hash: row.bytes(1)? })).transpose()
}

/// Walks the whole chain.
pub(super) fn verify(
    connection: &mut dyn SystemConnection,
    anchors: &[Anchor],
) -> Result<Verified, StoreError> {
    let mut found = Verified::default();
    let (mut place, mut hash) = (0, [0; 32]);
    let mut missing: Vec<(i64, Option<i64>)> = Vec::new();
    let mut wrong: Vec<(i64, [u8; 32], [u8; 32])> = Vec::new();
    let mut there = vec![false; anchors.len()];
    let sql = format!(
        r#"SELECT c."place", c."digest", c."until", c."hash", a."place", {} FROM "_audit_chain" c
        LEFT JOIN "_audit" a ON a."place" = c."place" WHERE c."place" > ?1 ORDER BY c."place" LIMIT {AT_ONCE}"#,
        columns("a.")
    );
    loop {
        let rows = connection.query(&sql, &[place.into()])?;
        let last = (rows.len() as i64) < AT_ONCE;
        for mut row in rows {
            let (at, said, until, own): (i64, [u8; 32], _, [u8; 32]) =
                (row.integer(0)?, row.bytes(1)?, row.optional_integer(2)?, row.bytes(3)?);
            if at != place + 1 {
                found.fault(AuditFault::LinksRemoved(place + 1, at - 1));
            } else if link(at, &hash, &said, until) != own {
                found.fault(AuditFault::LinkChanged(at));
            }
            (place, hash) = (at, own);
            let fits = |anchor: &Anchor| anchor.place.is_none_or(|place| place == at) && anchor.hash == own;
            for (anchor, there) in anchors.iter().zip(&mut there) {
                *there |= fits(anchor);
            }
            if row.optional_integer(4)?.is_none() {
                missing.push((at, until));
                continue;
            }
            // What no entry could say is a changed one.
            let is = read(&mut row, 5).map(|(_, canonical)| digest(&canonical)).unwrap_or_default();
            match is == said {
                true => found.entries += 1,
                false => wrong.push((at, said, is)),
            }
        }
        if last {
            break;
        }
    }
    found.head = (place > 0).then_some(Head { place, hash });
    misplaced(&mut found, &wrong);
    not_removed_in_time(connection, &mut found, &missing)?;
    let sql = r#"SELECT a."place" FROM "_audit" a LEFT JOIN "_audit_chain" c ON c."place" = a."place"
        WHERE a."place" IS NOT NULL AND c."place" IS NULL ORDER BY a."place""#;
    for mut row in connection.query(sql, &[])? {
        found.fault(AuditFault::WithoutLink(row.integer(0)?));
    }
    if let Some(kept) = head_of(connection)?
        && found.head != Some(kept)
    {
        found.fault(AuditFault::CutOff(kept));
    }
    for (anchor, there) in anchors.iter().zip(there) {
        if !there {
            found.fault(AuditFault::NotThere(anchor.clone()));
        }
    }
    let sql = r#"SELECT count(*), min("time") FROM "_audit" WHERE "place" IS NULL"#;
    if let Some(mut row) = connection.query(sql, &[])?.into_iter().next() {
        found.unchained = u64::try_from(row.integer(0)?).unwrap_or(0);
        found.unchained_since = row.optional_integer(1)?;
    }
    Ok(found)
}

/// Entries that say something else: changed, or another one's.
fn misplaced(found: &mut Verified, wrong: &[(i64, [u8; 32], [u8; 32])]) {
    let of: BTreeMap<[u8; 32], i64> = wrong.iter().map(|(place, said, _)| (*said, *place)).collect();
    for (place, _, is) in wrong {
        found.fault(match of.get(is) {
            Some(from) => AuditFault::Moved { place: *place, from: *from },
            None => AuditFault::Changed(*place),
        });
    }
}

/// Entries that are gone, though no entry says that they were removed when their time was over.
fn not_removed_in_time(
    connection: &mut dyn SystemConnection,
    found: &mut Verified,
    missing: &[(i64, Option<i64>)],
) -> Result<(), StoreError> {
    if missing.is_empty() {
        return Ok(());
    }
    let sql =
        r#"SELECT "time", "after" FROM "_audit" WHERE "action" = 'removed' AND "operation" = 'retention'"#;
    let mut removals: Vec<(i64, i64, i64)> = Vec::new();
    for mut row in connection.query(sql, &[])? {
        let (time, after) = (row.integer(0)?, row.optional_text(1)?.unwrap_or_default());
        let after: serde_json::Value = serde_json::from_str(&after).unwrap_or_default();
        for range in after["places"].as_array().into_iter().flatten() {
            removals
                .extend(range[0].as_i64().zip(range[1].as_i64()).map(|(first, last)| (first, last, time)));
        }
    }
    removals.sort_unstable();
    for (place, until) in missing {
        let before = removals.partition_point(|(first, ..)| first <= place);
        let own = before.checked_sub(1).and_then(|at| removals.get(at));
        let in_time =
            own.is_some_and(|(_, last, time)| place <= last && until.is_some_and(|until| until <= *time));
        match in_time {
            true => found.removed += 1,
            false => found.fault(AuditFault::Removed(*place)),
        }
    }
    Ok(())
}
