//! After a flow, every invariant of the document is tested for all rows. Source: language reference, *Rules over rows*.

use super::checked::{Checked, Trouble};
use super::session::Session;
use crate::report::{StepReport, Verdict};

/// How the invariants came out; nothing when the document has none, or when nobody can look.
pub(super) async fn test(session: &mut Session<'_>) -> Option<Checked> {
    let declared = session.program.schema.invariants.len();
    if declared == 0 || session.is_elsewhere() {
        return None;
    }
    let expected = match declared {
        1 => "the invariant of section 6 holds".to_owned(),
        several => format!("each of {several} invariants of section 6 holds"),
    };
    Some(match broken(session).await {
        Ok(broken) if broken.is_empty() => Checked::of(true, expected, "it is so".to_owned()),
        Ok(broken) => Checked::fell(expected, broken.join("; ")),
        Err(trouble) => Checked::troubled(expected, trouble),
    })
}

async fn broken(session: &mut Session<'_>) -> Result<Vec<String>, Trouble> {
    session.mend().await?;
    Ok(session.control()?.broken_invariants().await?)
}

/// An error case that held, behind which an invariant does not, fell short.
pub(super) fn behind(case: StepReport, tested: Option<Checked>) -> StepReport {
    match tested {
        Some(tested) if tested.verdict == Verdict::Fail && case.verdict == Verdict::Pass => StepReport {
            verdict: Verdict::Fail,
            expected: tested.expected,
            got: tested.got.map(|got| format!("after this case: {got}")),
            steps: Vec::new(),
            ..case
        },
        _ => case,
    }
}
