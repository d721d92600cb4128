//! The typed model of a document: every fact with its place.

use crate::facts::Prose;
use crate::notes::Note;
use crate::sections::audit::Audit;
use crate::sections::closing::{Interface, Phase, Question};
use crate::sections::commands::CommandLine;
use crate::sections::components::Component;
use crate::sections::data_model::{Entity, Relationship};
use crate::sections::deployment::{Deployment, Recovery, Release};
use crate::sections::edge::{Cors, Deprecation};
use crate::sections::flows::Flow;
use crate::sections::interface::Operation;
use crate::sections::observability::{Event, Metric, Trace};
use crate::sections::overview::Overview;
use crate::sections::performance::{CacheLayer, Slo};
use crate::sections::security::{Authentication, Authorization, Budget, Limit};
use crate::sections::testing::Testing;
use formwork_syntax::{Span, Spanned};

/// Everything that was read from a document. Lists are in the order of the text.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The document's title, without *– Technical Architecture*.
    pub title: Option<Spanned<String>>,
    /// The paragraphs of section 0.
    pub summary: Vec<Prose>,
    /// Section 1.
    pub goals: Vec<Prose>,
    /// Section 1.
    pub non_goals: Vec<Prose>,
    /// Section 2.
    pub overview: Overview,
    /// Section 3.
    pub components: Vec<Component>,
    /// Section 4.
    pub operations: Vec<Operation>,
    /// Section 4: the flags and exit codes of all commands.
    pub common_command: CommandLine,
    /// Section 5.
    pub endpoints: Vec<Operation>,
    /// Section 6.
    pub entities: Vec<Entity>,
    /// Section 6.
    pub relationships: Vec<Relationship>,
    /// Section 7.
    pub flows: Vec<Flow>,
    /// Section 8.
    pub slos: Vec<Slo>,
    /// Section 8.
    pub caches: Vec<CacheLayer>,
    /// Section 8.
    pub optimizations: Vec<Prose>,
    /// Section 9.
    pub authentication: Vec<Authentication>,
    /// Section 9: pages of other origins.
    pub cors: Vec<Cors>,
    /// Section 9.
    pub authorization: Authorization,
    /// Section 9.
    pub limits: Vec<Limit>,
    /// Section 9.
    pub audit: Vec<Audit>,
    /// Section 9.
    pub budgets: Vec<Budget>,
    /// Section 10.
    pub metrics: Vec<Metric>,
    /// Section 10.
    pub traces: Vec<Trace>,
    /// Section 10.
    pub events: Vec<Event>,
    /// Section 11.
    pub deployment: Deployment,
    /// Section 11.
    pub release: Release,
    /// Section 11.
    pub recovery: Recovery,
    /// Section 12.
    pub testing: Testing,
    /// Section 13.
    pub interfaces: Vec<Interface>,
    /// Section 14.
    pub roadmap: Vec<Phase>,
    /// Section 14: operations that will go.
    pub deprecations: Vec<Deprecation>,
    /// Section 15.
    pub questions: Vec<Question>,
    /// Placeholders and stand-ins.
    pub unfinished: Vec<Unfinished>,
    /// Which sections of the form the document has, with the span of the heading.
    pub sections: Vec<(Section, Span)>,
    /// What the readers could not place; `check` turns these into diagnostics.
    pub notes: Vec<Note>,
    /// How each list item, table row and paragraph of a formal place was understood. Behaviours, standing steps
    /// and flows are left to the language.
    pub classes: Vec<(Span, Class)>,
}

/// The sections of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Section {
    /// 0
    Summary,
    /// 1
    Goals,
    /// 2
    Overview,
    /// 3
    Components,
    /// 4
    Interface,
    /// 5
    Internal,
    /// 6
    DataModel,
    /// 7
    Flows,
    /// 8
    Performance,
    /// 9
    Security,
    /// 10
    Observability,
    /// 11
    Deployment,
    /// 12
    Testing,
    /// 13
    References,
    /// 14
    Roadmap,
    /// 15
    Questions,
}

/// How a piece of a formal place was taken. Source: language reference, *Kinds of text*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A fact, step or value.
    Understood,
    /// Prose that needs no machine reading.
    Narrative,
    /// A placeholder or stand-in.
    Unfinished,
    /// It begins like the language and does not parse.
    NotUnderstood,
}

/// A placeholder or stand-in, such as `[Key responsibility 2]`, `TBD`, `???`, or an empty label.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// As written.
    pub text: String,
    /// Which section it stands in.
    pub section: Option<Section>,
    /// Where.
    pub span: Span,
}
