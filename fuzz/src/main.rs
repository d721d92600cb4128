//! `formwork-fuzz`: breaks documents for `FUZZ_SECONDS` (60) from `FUZZ_SEED` (the clock) on, and writes what fails
//! to `fuzz/crashes/`, where a test replays it. `formwork-fuzz FILE…` holds these documents to the promises instead.

use anyhow::{Context, Result, bail};
use formwork_fuzz::{Documents, Random, promises, seeds, smaller};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

fn main() -> Result<()> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if !files.is_empty() {
        return replay(&files);
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let seconds = number("FUZZ_SECONDS")?.unwrap_or(60);
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let seed = number("FUZZ_SEED")?.unwrap_or(clock);
    // What is being read stands in a file, because a stack that overflows ends the process without a word.
    let last = std::env::temp_dir().join(format!("formwork-fuzz-{seed}.md"));
    say(&format!("seed {seed}, {seconds} s; the document being read is {}", last.display()))?;
    let documents = Documents::new(seeds(&repository)?.into_iter().map(|(_, text)| text).collect());
    let mut random = Random::new(seed);
    let (begin, mut count, mut bytes) = (Instant::now(), 0u64, 0usize);
    while begin.elapsed() < Duration::from_secs(seconds) {
        let text = documents.next(&mut random);
        std::fs::write(&last, &text).context("cannot write the document being read")?;
        if let Err(problem) = promises(&text) {
            let path = keep(&repository, &text, &problem)?;
            bail!("{problem}\nseed {seed}, document {count}, kept as {}", path.display());
        }
        count += 1;
        bytes += text.len();
    }
    std::fs::remove_file(&last).ok();
    say(&format!("{count} documents, {bytes} bytes, no promise broken"))
}

fn replay(files: &[String]) -> Result<()> {
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        if let Err(problem) = promises(&text) {
            bail!("{file}: {problem}");
        }
        say(&format!("{file}: no promise broken"))?;
    }
    Ok(())
}

/// Writes the failing document, made smaller, beside those that failed before.
fn keep(repository: &Path, text: &str, problem: &str) -> Result<PathBuf> {
    let kind = problem.split([':', ' ']).next().unwrap_or_default().to_owned();
    let small = smaller(text, |text| promises(text).is_err_and(|other| other.starts_with(&kind)));
    let name = small.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = repository.join("fuzz/crashes").join(format!("{name:016x}.md"));
    std::fs::write(&path, small).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn number(variable: &str) -> Result<Option<u64>> {
    let Ok(text) = std::env::var(variable) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{variable} is no number: {text}"))
}

fn say(line: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}
