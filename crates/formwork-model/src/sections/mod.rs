//! One module per section of the form: its typed facts, and the reader that finds them.

mod access_tables;
pub mod audit;
pub mod closing;
pub mod commands;
pub mod components;
mod costs;
pub mod data_model;
pub mod deployment;
pub mod edge;
mod entity_tables;

mod flow_drawings;
pub mod flows;
pub mod interface;
pub mod limits;
mod listed_entities;
pub mod observability;
mod operation_tables;
mod outputs;
pub mod overview;
pub mod performance;
mod relationships;
pub mod security;
mod signatures;
mod slo_sentences;
mod slos;
pub mod summary;
pub mod table_rules;
pub mod testing;

use crate::model::Section;
use crate::reader::Reader;
use formwork_syntax::Part;

/// How a section is found and read.
pub(crate) struct SectionReader {
    pub(crate) section: Section,
    /// Its titles, normalised; further words may follow.
    pub(crate) titles: &'static [&'static str],
    pub(crate) read: fn(&mut Reader<'_>, &Part),
}

/// All sections of the form. The first whose title fits wins, so a longer title stands before its beginning.
pub(crate) const SECTIONS: [SectionReader; 16] = [
    section(Section::Summary, &["executive summary", "summary", "abstract"], summary::read),
    section(Section::Goals, &["goals", "non goals", "scope and goals", "objectives"], summary::read_goals),
    section(Section::Overview, &["system overview", "overview", "architecture overview"], overview::read),
    section(
        Section::Components,
        &["core components", "components", "main components", "key components", "services"],
        components::read,
    ),
    section(
        Section::Internal,
        &[
            "internal service api",
            "internal service apis",
            "internal services",
            "internal api",
            "internal apis",
            "internal endpoints",
            "internal interfaces",
        ],
        interface::read_internal,
    ),
    section(
        Section::Interface,
        &[
            "primary interface",
            "primary interfaces",
            "primary api",
            "public api",
            "public interface",
            "api",
            "apis",
            "external api",
            "interface api",
            "operations",
            "command line interface",
            "cli",
        ],
        interface::read_public,
    ),
    section(
        Section::DataModel,
        &["data model", "data models", "entities", "data schema", "domain model", "data storage"],
        data_model::read,
    ),
    section(
        Section::Flows,
        &["canonical flows", "flows", "key flows", "core flows", "user flows", "workflows"],
        flows::read,
    ),
    section(
        Section::Performance,
        &["performance", "caching", "slos", "slo", "service level objectives"],
        performance::read,
    ),
    section(Section::Security, &["security", "governance", "access control"], security::read),
    section(Section::Observability, &["observability", "monitoring", "telemetry"], observability::read),
    section(Section::Deployment, &["deployment", "release", "operations and deployment"], deployment::read),
    section(
        Section::Testing,
        &["testing", "tests", "test", "benchmarking", "quality assurance"],
        testing::read,
    ),
    section(
        Section::References,
        &[
            "reference interfaces",
            "reference interface",
            "reference schemas",
            "reference types",
            "interfaces",
        ],
        closing::read_references,
    ),
    section(Section::Roadmap, &["roadmap", "milestones", "development roadmap"], closing::read_roadmap),
    section(Section::Questions, &["open questions", "questions", "open issues"], closing::read_questions),
];

/// Further titles, which count only whole.
pub(crate) const ALIASES: [(Section, &[&str]); 16] = [
    (Section::Summary, &["introduction", "tl dr", "tldr", "background", "problem statement", "in short"]),
    (Section::Goals, &["out of scope", "scope", "aims", "goals and scope", "purpose and scope"]),
    (
        Section::Overview,
        &[
            "architecture",
            "system architecture",
            "high level architecture",
            "high level overview",
            "high level design",
            "big picture",
            "system context",
            "how it works",
        ],
    ),
    (
        Section::Components,
        &["building blocks", "modules", "parts", "system components", "main parts", "component overview"],
    ),
    (
        Section::Interface,
        &[
            "interface",
            "endpoints",
            "api endpoints",
            "api reference",
            "api design",
            "rest api",
            "http api",
            "web api",
            "commands",
            "command line",
            "external interface",
            "external interfaces",
        ],
    ),
    (
        Section::Internal,
        &[
            "service to service apis",
            "service to service communication",
            "inter service communication",
            "internal communication",
            "internal interface",
            "internal",
        ],
    ),
    (
        Section::DataModel,
        &["data", "schema", "database schema", "database", "tables", "data structures", "persistence"],
    ),
    (
        Section::Flows,
        &[
            "scenarios",
            "use cases",
            "user journeys",
            "main flows",
            "important flows",
            "sequences",
            "sequence diagrams",
            "processes",
        ],
    ),
    (Section::Performance, &["service levels", "slas", "reliability", "targets", "quality targets"]),
    (
        Section::Security,
        &["authentication and authorization", "authentication and authorisation", "auth", "permissions"],
    ),
    (
        Section::Observability,
        &["metrics", "metrics and events", "logging and metrics", "monitoring and alerting", "events"],
    ),
    (
        Section::Deployment,
        &["rollout", "disaster recovery", "backup and recovery", "infrastructure", "backup", "recovery"],
    ),
    (
        Section::Testing,
        &[
            "resilience",
            "failure handling",
            "fault tolerance",
            "verification",
            "test strategy",
            "test plan",
            "validation",
            "quality",
        ],
    ),
    (Section::References, &["schemas", "reference", "data contracts", "message formats", "payloads"]),
    (
        Section::Roadmap,
        &["plan", "phases", "timeline", "next steps", "implementation plan", "release plan", "delivery plan"],
    ),
    (
        Section::Questions,
        &[
            "unresolved questions",
            "open points",
            "unknowns",
            "undecided",
            "risks and open questions",
            "decisions to make",
        ],
    ),
];

const fn section(
    section: Section,
    titles: &'static [&'static str],
    read: fn(&mut Reader<'_>, &Part),
) -> SectionReader {
    SectionReader { section, titles, read }
}

/// The nearest label of a place, for a label that it does not know.
pub(crate) fn unknown_label(reader: &mut Reader<'_>, part: &Part, known: &[&'static str]) {
    let label = part.title.plain(reader.source);
    let nearest = crate::names::nearest(&label, known.iter().copied()).map(str::to_owned);
    reader.note(crate::notes::NoteKind::UnknownLabel { label, nearest }, part.title.span);
}
