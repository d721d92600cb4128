//! Lowers the standing steps of components: responsibilities that begin with `Every`, `When` or `At start-up`.

use crate::behaviour::StandingStep;
use crate::expression::Names;
use crate::lower::lowering::Setting;
use crate::lower::operations::{steps, tell};
use crate::lower::schedule::{self, Standing};
use crate::lower::{Lowering, Shared, World, handlers};
use crate::notes::Note;
use crate::program::{Job, Schedule, slots};
use crate::steps::reading::{Read, read_sentence};
use crate::steps::{Reading, Sentences, lower_block, not_understood, read_items};
use crate::tokens;
use formwork_model::Class;
use formwork_model::facts::StepItem;
use formwork_model::sections::components::Component;
use formwork_syntax::Span;
use std::sync::Arc;

/// What a standing step does.
pub(super) struct Body<'b> {
    /// Its steps.
    pub(super) sentences: &'b Sentences,
    /// The whole item.
    pub(super) span: Span,
}

/// Lowers every standing step, in the order of the components.
pub(super) fn lower_all(
    world: &World<'_>,
    shared: &mut Shared,
    notes: &mut Vec<Note>,
) -> (Vec<Job>, Vec<StandingStep>) {
    let (mut jobs, mut standing) = (Vec::new(), Vec::new());
    for component in &world.model.components {
        let mut number = 0;
        for item in &component.responsibilities {
            let mut sentences = tokens::sentences(world.source, &item.text);
            if sentences.is_empty() {
                continue;
            }
            let head = sentences.remove(0);
            let read = schedule::read(world.source, &head, !item.nested.is_empty());
            let Some(read) = read else { continue };
            if is_prose(world, item, &read) {
                continue;
            }
            number += 1;
            let class = match read {
                Standing::Every(..) | Standing::When(..) => Class::Understood,
                Standing::Misread(..) => Class::NotUnderstood,
            };
            let mut step = StandingStep {
                component: component.name.value.as_str().into(),
                job: None,
                steps: vec![crate::behaviour::Step { span: head.span, class, errors: Vec::new() }],
                touches: Default::default(),
            };
            match read {
                Standing::Every(schedule, inline) => {
                    let mut below = read_items(world.source, world.names(), &item.nested);
                    let rest = inline.into_iter().chain(sentences);
                    let first: Vec<_> = rest
                        .map(|sentence| read_sentence(world.source, world.names(), sentence, false))
                        .collect();
                    below.0.splice(0..0, first);
                    let job =
                        lower_job(world, shared, component, number, schedule, item, &below, &mut step, notes);
                    step.job = u32::try_from(jobs.len()).ok();
                    jobs.push(job);
                }
                Standing::When(when, inline) => {
                    let mut below = read_items(world.source, world.names(), &item.nested);
                    let rest = inline.into_iter().chain(sentences);
                    let first: Vec<_> = rest
                        .map(|sentence| read_sentence(world.source, world.names(), sentence, false))
                        .collect();
                    below.0.splice(0..0, first);
                    let name = format!("{}/{number}", component.name.value);
                    let body = Body { sentences: &below, span: item.span };
                    handlers::lower(world, shared, &name, &when, &body, &mut step, notes);
                }
                Standing::Misread(form, misread) => {
                    let (kind, span) = not_understood(form, misread);
                    notes.push(Note { kind, span, related: None, fix: None });
                }
            }
            standing.push(step);
        }
    }
    (jobs, standing)
}

/// Whether a responsibility only sounds like a standing step: none of its sentences is one.
fn is_prose(world: &World<'_>, item: &StepItem, read: &Standing) -> bool {
    let below = read_items(world.source, world.names(), &item.nested);
    let inline = match read {
        Standing::Every(_, Some(inline)) | Standing::When(_, Some(inline)) => {
            Some(read_sentence(world.source, world.names(), inline.clone(), false))
        }
        _ => None,
    };
    let prose = |read: &Read| matches!(read.reading, Reading::Prose | Reading::Remark);
    inline.iter().chain(below.flat()).all(prose)
}

#[expect(clippy::too_many_arguments, reason = "the places that one job is put together from")]
fn lower_job(
    world: &World<'_>,
    shared: &mut Shared,
    component: &Component,
    number: usize,
    schedule: Schedule,
    item: &StepItem,
    sentences: &Sentences,
    standing: &mut StandingStep,
    notes: &mut Vec<Note>,
) -> Job {
    tell(world, sentences, true, notes);
    let mut names = Names::new(world.schema);
    names.caller = true;
    names.present.push(vec!["caller".into(), "id".into()]);
    let setting = Setting { job: true, ..Setting::default() };
    let mut cx = Lowering::new(world, shared, names, usize::from(slots::INPUT), setting);
    lower_block(&mut cx, sentences);
    let finished = cx.finish(notes);
    standing.steps.extend(steps(world, sentences, true, &finished.errors));
    standing.touches = finished.touches;
    let component: Arc<str> = component.name.value.as_str().into();
    Job {
        name: format!("{component}/{number}").into(),
        component,
        schedule,
        code: finished.code,
        span: item.span,
    }
}
