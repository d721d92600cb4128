//! What the language has to say about a document, without prose: `check` gives it a code and words.

use formwork_syntax::Span;

/// Something that the language noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What.
    pub kind: NoteKind,
    /// Where.
    pub span: Span,
    /// A second place, such as the declaration that it conflicts with.
    pub related: Option<Span>,
    /// A mechanical correction: what to put in place of which bytes.
    pub fix: Option<(Span, String)>,
}

/// The kinds of [`Note`]. Names are as written in the document. Errors of a behaviour that is executed are errors;
/// `check` decides severities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A name that nothing has.
    UnknownName {
        /// `entity`, `field`, `variable`, `operation`, `event`, `metric`, `role`, `component`, `function`, `input`.
        what: &'static str,
        /// As written.
        name: String,
        /// The nearest that exists.
        nearest: Option<String>,
    },
    /// A field of an entity that does not exist is set or read.
    UnknownField {
        /// The entity (or `input`, `caller`, `request`).
        of: String,
        /// As written.
        field: String,
        /// The nearest that exists.
        nearest: Option<String>,
    },
    /// An expression that does not parse.
    ExpressionSyntax {
        /// What was expected or found, one clause: ``expected `)` before the end``.
        problem: String,
    },
    /// Types that do not fit.
    TypeMismatch {
        /// What was expected, e.g. `boolean`, or the type of `link.slug`: `string`.
        expected: String,
        /// What stands there.
        found: String,
        /// Where the value goes or what the operator is: ``field `slug` ``, `` `<` ``.
        context: String,
    },
    /// An optional value where a required one is needed.
    MayBeAbsent {
        /// Where it goes.
        context: String,
    },
    /// A sentence in an executed behaviour that is no step: it would be skipped.
    StepSkipped,
    /// A step that begins with a head of the language and does not parse.
    StepNotUnderstood {
        /// The canonical name of the form: `Finds`.
        form: &'static str,
        /// The word or span that the form does not know.
        word: Option<String>,
        /// What was expected.
        expected: String,
        /// The form's notation, as help.
        notation: &'static str,
    },
    /// A step form that the language has but this version does not run.
    StepNotSupported {
        /// The form.
        form: &'static str,
    },
    /// A `Finds` that does not pin a key.
    NotAKey {
        /// The entity.
        entity: String,
    },
    /// A step after one that always ends the behaviour.
    Unreachable,
    /// A behaviour that answers nothing and whose Output does not say what.
    NeverAnswers {
        /// The operation.
        operation: String,
    },
    /// A variable that is bound twice.
    BoundTwice {
        /// Its name.
        name: String,
    },
    /// A variable with the name of a field of the searched entity, used in its `where`.
    ShadowsField {
        /// Its name.
        name: String,
        /// The entity.
        entity: String,
    },
    /// `E.f` of the searched entity in a `where`: write `f`.
    QualifiedField {
        /// The entity.
        entity: String,
        /// The field.
        field: String,
    },
    /// A condition over fields that SQL cannot decide.
    NotInSql {
        /// What: ``function `matches` ``.
        what: String,
    },
    /// A required field of a created row that nothing sets.
    FieldNotSet {
        /// The entity.
        entity: String,
        /// The field.
        field: String,
    },
    /// An immutable, generated or key field that an update sets.
    FieldNotWritable {
        /// The entity.
        entity: String,
        /// The field.
        field: String,
        /// Why: `immutable`, `generated`, `computed`.
        reason: &'static str,
    },
    /// A datum of an event that nothing gives.
    EventDataMissing {
        /// The event.
        event: String,
        /// The member.
        member: String,
    },
    /// An event that a step emits and section 10 does not declare.
    EventNotDeclared {
        /// The event.
        event: String,
        /// The nearest declared one.
        nearest: Option<String>,
    },
    /// Two operations with one method and path.
    RouteCollision {
        /// `GET /links/{slug}`
        route: String,
        /// The other operation.
        other: String,
    },
    /// A path parameter that Input does not declare, or an input `in path` that the path has not.
    PathParameter {
        /// Its name.
        name: String,
        /// The path.
        path: String,
    },
    /// An actor of an executable flow step that is neither a role nor anonymous.
    UnknownActor {
        /// As written.
        actor: String,
        /// The nearest role.
        nearest: Option<String>,
    },
    /// A status that HTTP does not have, or that does not fit the step.
    BadStatus {
        /// As written.
        status: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A cache layer that is not kept, or not for this operation.
    CacheNotKept {
        /// The layer.
        layer: String,
        /// Why.
        why: crate::program::NotKept,
    },
    /// Other mistakes of one kind that need no structure; `code` names a catalogue entry.
    Other {
        /// Which entry.
        entry: &'static str,
        /// The thing it is about.
        subject: String,
    },
}
