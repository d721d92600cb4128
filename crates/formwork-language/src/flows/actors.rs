//! Who acts in a step: a role, or anyone without a key.

use crate::behaviour::Actor;
use crate::flows::names::Scope;
use crate::notes::NoteKind;
use crate::steps::clause::GLUE;
use crate::tokens::Token;
use formwork_model::names::{nearest, same_name};
use formwork_syntax::Span;

/// Words for a caller without a key.
const ANONYMOUS: [&str; 6] = ["visitor", "anyone", "anonymous", "anybody", "guest", "stranger"];

/// What stands before the verb of a call.
#[derive(Default)]
pub(super) struct Subject {
    /// `20` in `20 members at once`.
    pub(super) count: Option<u32>,
    /// `at once`
    pub(super) at_once: bool,
    /// The actor as written, with its place.
    pub(super) actor: Option<(String, Span)>,
    /// ``as `id` ``
    pub(super) id: Option<String>,
    /// A pronoun: whoever called last.
    pub(super) same: bool,
}

/// Reads what stands before the verb.
pub(super) fn subject(source: &str, tokens: &[Token]) -> Subject {
    let mut subject = Subject::default();
    let mut words: Vec<String> = Vec::new();
    let mut span: Option<Span> = None;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let shown = token.shown(source);
        at += 1;
        if token.is("at") && tokens.get(at).is_some_and(|next| next.is("once")) {
            subject.at_once = true;
            at += 1;
        } else if token.is("as")
            && let Some(next) = tokens.get(at).filter(|next| next.code().is_some())
        {
            subject.id = Some(next.shown(source).trim().to_owned());
            at += 1;
        } else if let (None, true, Ok(count)) = (subject.count, words.is_empty(), shown.trim().parse()) {
            subject.count = Some(count);
        } else if token.word().is_some_and(|word| GLUE.contains(&word) || word == "and") {
        } else if token.word().is_some_and(|word| ["it", "they", "he", "she"].contains(&word)) {
            subject.same = true;
        } else if token.word().is_some() || token.code().is_some() {
            span = Some(span.map_or(token.span, |all| all.to(token.span)));
            words.push(shown.trim().to_owned());
        }
    }
    subject.actor = span.map(|span| (words.join(" "), span));
    subject
}

impl Scope<'_> {
    /// Who acts; nothing when there is nobody of this name, which a note tells.
    pub(super) fn actor(&mut self, subject: &Subject, operation: Option<u32>) -> Option<Actor> {
        let Some((name, span)) = &subject.actor else {
            return Some(with_id(self.usual_caller(operation), subject.id.as_deref()));
        };
        let roles = &self.program.roles;
        let exact = roles.iter().find(|role| ***role == **name);
        if let Some(role) = exact.or_else(|| roles.iter().find(|role| same_name(role, name))) {
            let id = subject.id.as_deref().unwrap_or(role).into();
            return Some(Actor::Role { role: role.clone(), id });
        }
        if ANONYMOUS.iter().any(|word| same_name(word, name)) {
            return Some(Actor::Anonymous);
        }
        let known = roles.iter().map(|role| &**role).chain(["visitor"]);
        let nearest = nearest(name, known).map(str::to_owned);
        self.note(NoteKind::UnknownActor { actor: name.clone(), nearest }, *span);
        None
    }
}

fn with_id(actor: Actor, id: Option<&str>) -> Actor {
    match (actor, id) {
        (Actor::Role { role, .. }, Some(id)) => Actor::Role { role, id: id.into() },
        (actor, _) => actor,
    }
}
