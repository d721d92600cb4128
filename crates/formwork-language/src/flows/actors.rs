//! Who acts in a step: a role with what its key bears, anyone without a key, or an external component.

use crate::behaviour::Actor;
use crate::expression::Expression;
use crate::flows::names::Scope;
use crate::flows::{calls, note_misread};
use crate::notes::NoteKind;
use crate::steps::clause::{Misread, is_glue};
use crate::tokens::Token;
use formwork_model::names::{is_anyone, nearest, same_name};
use formwork_syntax::{Code, Span};
use std::sync::Arc;

/// Words for a caller without a key besides those for anyone. A grant to them is one to a role: a hotel has guests.
const WITHOUT_KEY: [&str; 2] = ["guest", "stranger"];

/// What stands before the verb of a call.
#[derive(Clone, Default)]
pub(super) struct Subject {
    /// `20` in `20 members at once`.
    pub(super) count: Option<u32>,
    /// `at once`
    pub(super) at_once: bool,
    /// The actor as written, with its place.
    pub(super) actor: Option<(String, Span)>,
    /// ``as `id` ``
    pub(super) id: Option<String>,
    /// ``with scope `S` ``
    pub(super) scopes: Vec<String>,
    /// ``with claim `name` = `EXPR` ``: either two spans, or one that holds the assignment.
    pub(super) claims: Vec<(Code, Option<Code>)>,
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
        let further = further(&subject, source, &tokens[at - 1..]);
        if let Some(taken) = further {
            at += taken.0 - 1;
            subject = taken.1;
        } else if token.is("at") && tokens.get(at).is_some_and(|next| next.is("once")) {
            subject.at_once = true;
            at += 1;
        } else if token.is("as")
            && let Some(next) = tokens.get(at).filter(|next| next.code().is_some())
        {
            subject.id = Some(next.shown(source).trim().to_owned());
            at += 1;
        } else if let (None, true, Ok(count)) = (subject.count, words.is_empty(), shown.trim().parse()) {
            subject.count = Some(count);
        } else if token.word().is_some_and(|word| is_glue(word) || word == "and") {
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

/// What the actor has besides a role, if the tokens begin with it: how many they are, and the subject with it.
fn further(subject: &Subject, source: &str, tokens: &[Token]) -> Option<(usize, Subject)> {
    let with = tokens.first()?.is("with") || (tokens.first()?.is("and") && tokens.get(1)?.is("with"));
    let kind = 1 + usize::from(tokens.first()?.is("and"));
    let code = tokens.get(kind + 1)?.code()?;
    let mut subject = subject.clone();
    let mut taken = kind + 2;
    match tokens.get(kind)?.word()? {
        "scope" | "scopes" if with => {
            subject.scopes.push(code.text(source).trim().to_owned());
            // `with scopes `a`, `b` and `c``
            while let Some(next) = tokens.get(taken + 1).filter(|next| next.code().is_some()) {
                if !(tokens[taken].is_sign(',') || tokens[taken].is("and")) {
                    break;
                }
                subject.scopes.push(next.shown(source).trim().to_owned());
                taken += 2;
            }
        }
        "claim" if with => {
            let value = tokens
                .get(taken)
                .filter(|sign| sign.is_sign('='))
                .and_then(|_| tokens.get(taken + 1))
                .and_then(Token::code);
            taken += if value.is_some() { 2 } else { 0 };
            subject.claims.push((code.clone(), value.cloned()));
        }
        _ => return None,
    }
    Some((taken, subject))
}

impl Scope<'_> {
    /// Who acts; nothing when there is nobody of this name, which a note tells.
    pub(super) fn actor(&mut self, subject: &Subject, operation: Option<u32>) -> Option<Actor> {
        let actor = self.named(subject, operation)?;
        if subject.scopes.is_empty() && subject.claims.is_empty() {
            return Some(actor);
        }
        let mut named = Vec::new();
        for (name, value) in &subject.claims {
            named.push(self.claim(name, value.as_ref())?);
        }
        match actor {
            Actor::Role { role, id, .. } => {
                let scopes = subject.scopes.iter().map(|scope| Arc::from(scope.as_str())).collect();
                Some(Actor::Role { role, id, scopes, claims: named })
            }
            Actor::Anonymous | Actor::Component(_) => {
                let (name, span) = subject.actor.clone()?;
                let expected = "a role: only a key bears scopes and claims".to_owned();
                note_misread(self, &calls::FORM, Misread { word: Some(name), expected, span });
                None
            }
        }
    }

    fn claim(&mut self, name: &Code, value: Option<&Code>) -> Option<(Arc<str>, Expression)> {
        match value {
            Some(value) => {
                let name = name.text(self.world.source).trim().into();
                Some((name, self.value(value)?))
            }
            None => {
                let assignment = self.assignment(name)?;
                Some((assignment.name.clone(), self.compiled(&assignment.value)?))
            }
        }
    }

    fn named(&mut self, subject: &Subject, operation: Option<u32>) -> Option<Actor> {
        let Some((name, span)) = &subject.actor else {
            return Some(with_id(self.usual_caller(operation), subject.id.as_deref()));
        };
        let roles = &self.program.roles;
        let exact = roles.iter().find(|role| ***role == **name);
        if let Some(role) = exact.or_else(|| roles.iter().find(|role| same_name(role, name))) {
            let id = subject.id.as_deref().unwrap_or(role).into();
            return Some(Actor::Role { role: role.clone(), id, scopes: Vec::new(), claims: Vec::new() });
        }
        if is_anyone(name) || WITHOUT_KEY.iter().any(|word| same_name(word, name)) {
            return Some(Actor::Anonymous);
        }
        if let Some(component) = self.world.find_component(name).filter(|found| found.external) {
            return Some(Actor::Component(component.name.value.as_str().into()));
        }
        let mut signers = self.program.signatures.iter().map(|rule| &rule.caller);
        if let Some(signer) = signers.find(|signer| same_name(signer, name)) {
            return Some(Actor::Component(signer.clone()));
        }
        let known = roles.iter().map(|role| &**role).chain(["visitor"]);
        let nearest = nearest(name, known).map(str::to_owned);
        self.note(NoteKind::UnknownActor { actor: name.clone(), nearest }, *span);
        None
    }
}

fn with_id(actor: Actor, id: Option<&str>) -> Actor {
    match (actor, id) {
        (Actor::Role { role, scopes, claims, .. }, Some(id)) => {
            Actor::Role { role, id: id.into(), scopes, claims }
        }
        (actor, _) => actor,
    }
}
