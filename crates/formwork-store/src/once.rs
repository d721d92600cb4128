//! Calls that are carried out once: the answer is kept with the effect, and a repeat with the same key is answered
//! from it. Source: language reference, *What running means*, `Idempotency-Key`; docs/reference/http.md.

use formwork_engine::{Answer, Ended, Refusal};
use formwork_language::value::Row;
use std::fmt;

/// The key under which a call is carried out once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceKey {
    /// Whose key it is: two scopes never meet.
    pub scope: String,
    /// The key itself.
    pub key: String,
    /// What was asked: operation and input. The same key with another is refused.
    pub fingerprint: [u8; 32],
    /// Until when the answer is kept, in microseconds since the epoch; absent: for ever.
    pub until: Option<i64>,
}

impl OnceKey {
    /// The key and its scope as one text: a key has no blank.
    pub fn text(&self) -> String {
        format!("{} {}", self.key, self.scope)
    }
}

/// An answer as it left, kept to leave again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptAnswer {
    /// HTTP status.
    pub status: u16,
    /// Names and values of headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// Turns an answer into what leaves. It is asked inside the transaction, since what leaves is kept with the effect;
/// a refusal of it undoes the call. It is asked again when the transaction has to be repeated.
pub type Render = Box<dyn Fn(&Answer, &[Row]) -> Result<KeptAnswer, Refusal> + Send + Sync>;

/// A call that is carried out once.
pub struct Once {
    /// Under which key.
    pub key: OnceKey,
    /// How its answer leaves.
    pub render: Render,
}

impl fmt::Debug for Once {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

/// How such a call ended.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each call, and most have run")]
pub enum OnceEnded {
    /// It ran. With an answer, this is what leaves; a refusal has kept nothing, so that a repeat runs anew.
    Ran(Ended, Option<KeptAnswer>),
    /// It had been carried out before, and was answered with this.
    Replayed(KeptAnswer),
    /// The key belongs to a call that asked for something else.
    OtherInput,
}

impl OnceEnded {
    /// A call that was refused before it began.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::Ran(Ended::refused(refusal), None)
    }
}
