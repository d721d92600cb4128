//! A model as text, one fact a line, for comparing by eye.

use formwork_model::facts::{Field, StepItem};
use formwork_model::sections::interface::Operation;
use formwork_model::sections::security::LimitKind;
use formwork_model::{Model, is_label, read};
use std::fmt::Write;

/// Reads a document and writes down what was found.
pub(crate) fn facts_of(source: &str) -> String {
    let model = read(source, &formwork_syntax::parse(source, &is_label));
    let mut lines = Lines { source, text: String::new() };
    lines.opening(&model);
    lines.formal(&model);
    lines.promises(&model);
    lines.closing(&model);
    lines.findings(&model);
    lines.text
}

struct Lines<'s> {
    source: &'s str,
    text: String,
}

macro_rules! line {
    ($lines:expr, $($arguments:tt)*) => { writeln!($lines.text, $($arguments)*).unwrap() };
}

impl Lines<'_> {
    fn opening(&mut self, model: &Model) {
        if let Some(title) = &model.title {
            line!(self, "title {:?}", title.value);
        }
        for (section, span) in &model.sections {
            line!(self, "section {section:?} {:?}", span.slice(self.source));
        }
        for (what, list) in
            [("summary", &model.summary), ("goal", &model.goals), ("non-goal", &model.non_goals)]
        {
            for prose in list {
                line!(self, "{what} {:?}", prose.value);
            }
        }
        if let Some(diagram) = &model.overview.diagram {
            for node in &diagram.nodes {
                line!(self, "box {:?} at {:?}", node.name, node.span.slice(self.source));
            }
            for edge in &diagram.edges {
                line!(self, "arrow {:?} -> {:?} {:?}", edge.from, edge.to, edge.label);
            }
        }
        for (plane, prose) in
            [("control", &model.overview.control_plane), ("data", &model.overview.data_plane)]
        {
            if let Some(prose) = prose {
                line!(self, "{plane} plane {:?}", prose.value);
            }
        }
        for component in &model.components {
            line!(self, "component {:?} external {}", component.name.value, component.external);
            line!(
                self,
                "  {:?} {:?}",
                component.purpose.as_ref().map(|p| &p.value),
                component.technology.as_ref().map(|t| &t.value)
            );
            self.steps(&component.responsibilities, 1);
        }
    }

    fn formal(&mut self, model: &Model) {
        for operation in model.operations.iter().chain(&model.endpoints) {
            self.operation(operation);
        }
        for entity in &model.entities {
            line!(self, "entity {:?} {:?}", entity.name.value, entity.description.as_ref().map(|d| &d.value));
            entity.fields.iter().for_each(|field| self.field(field));
            for index in &entity.indexes {
                let fields: Vec<_> = index.fields.iter().map(|(name, desc)| (&*name.value, *desc)).collect();
                let filter = index.filter.as_ref().map(|filter| filter.span.slice(self.source));
                line!(self, "  {:?} {fields:?} where {filter:?} otherwise {:?}", index.kind, index.otherwise);
            }
            for rule in &entity.rules {
                line!(self, "  {:?} {:?}", rule.kind, rule.text.plain(self.source));
            }
        }
        for found in &model.relationships {
            let via = found.via.as_ref().map(|via| &via.value);
            line!(self, "{:?} {:?} {:?} via {via:?}", found.from.value, found.kind, found.to.value);
        }
        for flow in &model.flows {
            line!(self, "flow {:?}", flow.name.value);
            self.steps(&flow.steps, 1);
            line!(self, "  errors {}", flow.errors.len());
            self.steps(&flow.errors, 1);
        }
    }

    fn operation(&mut self, operation: &Operation) {
        let (method, path) = (operation.method.as_ref(), operation.path.as_ref());
        line!(
            self,
            "{:?} operation {:?} group {:?} {:?} {:?} command {}",
            operation.surface,
            operation.name.value,
            operation.group,
            method.map(|method| &method.value),
            path.map(|path| &path.value),
            operation.command
        );
        let input = &operation.input;
        line!(
            self,
            "  input none {} ignores {} reference {:?}",
            input.none,
            input.ignores_others,
            input.reference.as_ref().map(|reference| &reference.value)
        );
        input.fields.iter().for_each(|field| self.field(field));
        line!(
            self,
            "  output {:?} status {:?}",
            operation.output.kind,
            operation.output.status.as_ref().map(|s| s.value)
        );
        operation.output.fields.iter().for_each(|field| self.field(field));
        for error in &operation.errors {
            line!(self, "  error {:?} at {:?}", error.value, error.span.slice(self.source));
        }
        line!(self, "  purpose {:?}", operation.purpose.as_ref().map(|purpose| &purpose.value));
        line!(
            self,
            "  transport {:?} examples {}",
            operation.transport.as_ref().map(|t| &t.value),
            operation.examples.len()
        );
        self.steps(&operation.behavior, 1);
    }

    fn field(&mut self, field: &Field) {
        let ty = field.ty.as_ref().map(|ty| ty.value.to_string());
        let about = field.description.as_ref().map(|about| &about.value);
        let optional = if field.optional { " optional" } else { "" };
        line!(self, "  field {} {ty:?}{optional} {about:?}", field.name.value);
        for constraint in &field.constraints {
            line!(
                self,
                "    {:?} at {:?}",
                strip(&format!("{:?}", constraint.value)),
                constraint.span.slice(self.source)
            );
        }
        if let Some(location) = &field.location {
            line!(self, "    in {:?}", location.value);
        }
    }

    fn steps(&mut self, steps: &[StepItem], depth: usize) {
        for step in steps {
            let number = step.number.map_or("-".to_owned(), |number| format!("{number}."));
            line!(self, "{}{number} {}", "  ".repeat(depth), step.text.plain(self.source));
            if !step.fences.is_empty() {
                line!(self, "{}fences {}", "  ".repeat(depth + 1), step.fences.len());
            }
            self.steps(&step.nested, depth + 1);
        }
    }

    fn promises(&mut self, model: &Model) {
        for slo in &model.slos {
            line!(
                self,
                "slo {:?} {} {:?} {:?} {:?} over {:?} for {:?}",
                slo.metric.value,
                slo.comparator,
                slo.value,
                slo.unit,
                slo.percentile,
                slo.window_seconds,
                slo.operation.as_ref().map(|operation| &operation.value)
            );
        }
        for cache in &model.caches {
            let text = |prose: &Option<formwork_model::facts::Prose>| prose.as_ref().map(|p| p.value.clone());
            line!(
                self,
                "cache {:?} {:?} {:?} {:?}",
                cache.name.value,
                text(&cache.what),
                cache.ttl_seconds,
                text(&cache.invalidation)
            );
        }
        for prose in &model.optimizations {
            line!(self, "optimisation {:?}", prose.value);
        }
        for fact in &model.authentication {
            line!(self, "authentication {:?}", fact.kind);
        }
        for grant in &model.authorization.grants {
            let operations: Vec<_> = grant.operations.iter().map(|operation| &*operation.value).collect();
            let condition = grant.condition.as_ref().map(|condition| &condition.value);
            line!(self, "grant {:?} {operations:?} all {} when {condition:?}", grant.role.value, grant.all);
        }
        for limit in &model.limits {
            let operations: Vec<_> = limit.operations.iter().map(|name| &*name.value).collect();
            line!(self, "limit {} {operations:?} otherwise {:?}", of_limit(&limit.kind), limit.otherwise);
        }
        for audit in &model.audit {
            let subjects: Vec<_> = audit.subjects.iter().map(|subject| &*subject.value).collect();
            line!(self, "audit {subjects:?} kept {:?}", audit.kept_days);
        }
        for budget in &model.budgets {
            line!(self, "budget {:?}", budget.kind);
        }
        for metric in &model.metrics {
            let about = metric.description.as_ref().map(|about| &about.value);
            line!(self, "metric {:?} {:?} {:?} {about:?}", metric.name.value, metric.group, metric.kind);
        }
        for trace in &model.traces {
            let spans: Vec<_> = trace.spans.iter().map(|span| &*span.value).collect();
            line!(self, "trace {spans:?}");
        }
        for event in &model.events {
            let data: Vec<_> = event.data.iter().map(|field| &*field.value).collect();
            line!(
                self,
                "event {:?} {:?} data {data:?}",
                event.name.value,
                event.when.as_ref().map(|when| &when.value)
            );
        }
    }

    fn closing(&mut self, model: &Model) {
        let deployment = &model.deployment;
        if !deployment.statements.is_empty() {
            line!(
                self,
                "deployment {:?} stateless {:?} {:?}",
                deployment.replicas,
                deployment.stateless,
                deployment.environments
            );
        }
        let release = &model.release;
        if !release.statements.is_empty() {
            line!(
                self,
                "release {:?} each {:?}, {} statements",
                release.canary_percent,
                release.step_seconds,
                release.statements.len()
            );
        }
        let recovery = &model.recovery;
        if !recovery.statements.is_empty() {
            line!(
                self,
                "recovery every {:?} kept {:?} rpo {:?} rto {:?}",
                recovery.backup_interval_seconds,
                recovery.backup_kept_seconds,
                recovery.rpo_seconds,
                recovery.rto_seconds
            );
        }
        let testing = &model.testing;
        for (what, list) in [
            ("unit", &testing.unit),
            ("quality", &testing.quality),
            ("resilience", &testing.resilience),
            ("load", &testing.load),
        ] {
            for prose in list {
                line!(self, "{what} test {:?}", prose.value);
            }
        }
        for interface in &model.interfaces {
            line!(self, "interface {:?} fence {}", interface.name.value, interface.fence.is_some());
            interface.fields.iter().for_each(|field| self.field(field));
        }
        for phase in &model.roadmap {
            let deliverables: Vec<_> = phase.deliverables.iter().map(|prose| &*prose.value).collect();
            line!(self, "phase {:?} {deliverables:?}", phase.name.value);
        }
        for question in &model.questions {
            let text = |prose: &Option<formwork_model::facts::Prose>| prose.as_ref().map(|p| p.value.clone());
            line!(
                self,
                "question {:?} {:?} {:?} {:?}",
                question.text.value,
                text(&question.context),
                text(&question.options),
                text(&question.decides)
            );
        }
    }

    fn findings(&mut self, model: &Model) {
        for unfinished in &model.unfinished {
            line!(self, "unfinished {:?} in {:?}", unfinished.text, unfinished.section);
        }
        for note in &model.notes {
            line!(self, "note {:?} at {:?}", note.kind, note.span.slice(self.source));
        }
        for (span, class) in &model.classes {
            line!(self, "class {class:?} {:?}", first_line(span.slice(self.source)));
        }
    }
}

/// Without the places, which the excerpt behind shows better.
fn strip(debug: &str) -> String {
    let mut text = String::new();
    let mut rest = debug;
    while let Some(at) = rest.find(", span: ") {
        text.push_str(&rest[..at]);
        let behind = &rest[at + 8..];
        rest = &behind[behind.find([' ', ',', '}']).unwrap_or(behind.len())..];
    }
    text + rest
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

/// A limit without the places of its names.
fn of_limit(kind: &LimitKind) -> String {
    match kind {
        LimitKind::Rate { count, window_seconds, per, burst, role } => {
            let role = role.as_ref().map(|role| &role.value);
            format!("{count} in {window_seconds} s per {:?} burst {burst:?} role {role:?}", per.name())
        }
        LimitKind::Rows { entity, count, per, filter } => {
            let per: Vec<_> = per.iter().map(|field| &*field.value).collect();
            format!("{count} {} per {per:?} filtered {}", entity.value, filter.is_some())
        }
        LimitKind::RequestSize { bytes } => format!("{bytes} bytes"),
        LimitKind::Concurrency { count, per } => format!("{count} at a time per {:?}", per.name()),
        LimitKind::NotUnderstood => "not understood".to_owned(),
        LimitKind::Prose => "prose".to_owned(),
    }
}
