//! Finds the open prompts: of titles, labels, lists, paragraphs and fences, in the order of the text.

use super::{Kind, Question};
use formwork_check::Analysis;
use formwork_syntax::{Block, Fence, Item, List, Node, Part, PartKind, Span, Text};

/// Names that the form writes where an item's own name goes.
const STAND_IN_NAMES: [&str; 5] =
    ["Component Name", "Interface Name", "operation_name", "METHOD /path", "entity_name"];

/// How the form begins what is an instruction, and no question.
const INSTRUCTIONS: [&str; 6] =
    ["For each", "Note:", "Use numbered", "Describe 2-4", "Provide example", "Outline implementation"];

/// Labels whose answer is facts, as one line or a list.
const FACTS: [&str; 6] = ["Input", "Output", "Request", "Response", "Relationships", "Indexes/Keys"];

/// Every open prompt of a document.
pub(super) fn questions(analysis: &Analysis) -> Vec<Question> {
    let mut finder = Finder { source: &analysis.source, place: Vec::new(), found: Vec::new() };
    finder.nodes(&analysis.document.root.children);
    let mut found = finder.found;
    let taken: Vec<Span> = found.iter().map(|question| question.span).collect();
    for open in &analysis.model.unfinished {
        if !taken.iter().any(|span| span.contains(open.span) || open.span.contains(*span)) {
            found.push(question(Vec::new(), vec![bare(&open.text)], Kind::Line, open.span));
        }
    }
    found.sort_by_key(|question| question.span);
    found.dedup_by(|later, kept| kept.span.end > later.span.start);
    with_hints(found)
}

fn question(place: Vec<String>, prompts: Vec<String>, kind: Kind, span: Span) -> Question {
    Question { place, prompts, kind, span, hints: Vec::new(), item: None }
}

/// Instructions go with the question behind them in the same section; one that has none is asked itself.
fn with_hints(found: Vec<Question>) -> Vec<Question> {
    let mut asked: Vec<Question> = Vec::new();
    let mut waiting: Vec<Question> = Vec::new();
    for mut question in found {
        let section = question.place.first().cloned();
        if waiting.first().is_some_and(|hint| hint.place.first() != section.as_ref()) {
            asked.append(&mut waiting);
        }
        if is_instruction(&question) {
            waiting.push(question);
        } else {
            question.hints = waiting.drain(..).map(|hint| hint.span).collect();
            asked.push(question);
        }
    }
    asked.append(&mut waiting);
    asked
}

fn is_instruction(question: &Question) -> bool {
    let is_block = matches!(question.kind, Kind::Text | Kind::List);
    let [prompt] = question.prompts.as_slice() else { return false };
    is_block && INSTRUCTIONS.iter().any(|start| prompt.starts_with(start))
}

struct Finder<'a> {
    source: &'a str,
    /// Titles of the headings and labels around.
    place: Vec<String>,
    found: Vec<Question>,
}

impl Finder<'_> {
    fn nodes(&mut self, children: &[Node]) {
        for child in children {
            match child {
                Node::Part(part) => self.part(part),
                Node::Block(Block::Paragraph(text)) => self.paragraph(text),
                Node::Block(Block::List(list)) => self.list(list),
                Node::Block(Block::Fence(fence)) => self.fence(fence),
                Node::Block(Block::Quote(quote)) => self.nodes(&quote.children),
                Node::Block(Block::Table(_) | Block::Html(_) | Block::Rule(_)) => {}
            }
        }
    }

    fn ask(&mut self, prompts: Vec<String>, kind: Kind, span: Span) {
        let mut place = self.place.clone();
        place.dedup();
        self.found.push(question(place, prompts, kind, span));
    }

    fn part(&mut self, part: &Part) {
        let title = part.title.plain(self.source);
        if let PartKind::Heading(level) = part.kind {
            self.heading(part, &title, level);
            return;
        }
        if is_prompt(&title) {
            return self.prompt(part, &title);
        }
        self.place.push(title.clone());
        let inline = part.inline.plain(self.source);
        if is_prompt(&inline) {
            let kind = match () {
                () if title == "Behavior" => Kind::Steps,
                () if FACTS.contains(&title.as_str()) => Kind::Facts,
                () => Kind::Line,
            };
            self.ask(vec![bare(&inline)], kind, part.inline.span);
        }
        self.nodes(&part.children);
        self.place.pop();
    }

    fn heading(&mut self, part: &Part, title: &str, level: u8) {
        let stand_in = self.stand_in(part);
        let shown = if stand_in.is_some() { kind_of_item(title) } else { title.to_owned() };
        if level > 1 {
            self.place.push(shown.clone());
        }
        if let Some(span) = stand_in {
            let kind = if level > 1 { Kind::Names } else { Kind::Line };
            self.ask(vec![if level > 1 { shown } else { bare(span.slice(self.source)) }], kind, span);
            if let Some(question) = self.found.last_mut() {
                question.item = (level > 1).then(|| without_rule(self.source, part.span));
            }
        }
        self.nodes(&part.children);
        if level > 1 {
            self.place.pop();
        }
    }

    /// Where a heading has a prompt or stand-in for the item's own name.
    fn stand_in(&self, part: &Part) -> Option<Span> {
        let title = part.title.span.slice(self.source);
        let find = |text: &str| {
            let at = title.find(text)? as u32;
            Some(part.title.span.part(at, at + text.len() as u32))
        };
        let prompt = title.find('[').and_then(|open| {
            let close = open + title[open..].find(']')? + 1;
            Some(part.title.span.part(open as u32, close as u32))
        });
        prompt.or_else(|| STAND_IN_NAMES.iter().find_map(|name| find(name)))
    }

    /// `**[…]**`, with the list that explains it or that it asks for on the lines directly below.
    fn prompt(&mut self, part: &Part, title: &str) {
        let end = part.title.span.end.max(part.inline.span.end);
        let head = Span::new(part.span.start, self.line_end(end));
        let mut children = part.children.as_slice();
        let mut prompts = vec![bare(title)];
        let mut span = head;
        let mut kind = if title.starts_with("[List") || self.is_facts() { Kind::List } else { Kind::Text };
        if let Some((Node::Block(Block::List(list)), rest)) = children.split_first()
            && Span::new(end, list.span.start).slice(self.source).matches('\n').count() == 1
        {
            let is_open = list.items.iter().all(|item| self.is_open(item));
            let explains = list.items.iter().all(|item| item.children.is_empty() && item.label.is_none());
            if is_open || (explains && title.ends_with(":]")) {
                prompts.extend(list.items.iter().map(|item| item.text.span.slice(self.source).to_owned()));
                span = head.to(list.span);
                kind = match (is_open, list.ordered) {
                    (true, true) => Kind::Numbered,
                    (true, false) => Kind::List,
                    (false, _) => kind,
                };
                children = rest;
            }
        }
        self.ask(prompts, kind, span);
        self.nodes(children);
    }

    /// Whether the section is one whose parts hold facts, line by line.
    fn is_facts(&self) -> bool {
        let section = self.place.first().and_then(|title| title.split(')').next()?.trim().parse::<u8>().ok());
        section.is_some_and(|number| (8..=12).contains(&number))
    }

    fn paragraph(&mut self, text: &Text) {
        let shown = text.plain(self.source);
        if is_prompt(&shown) {
            self.ask(vec![bare(&shown)], Kind::Text, text.span);
        }
    }

    /// Neighbouring items that hold nothing but prompts are one question.
    fn list(&mut self, list: &List) {
        let mut run: Vec<&Item> = Vec::new();
        for item in &list.items {
            if self.is_open(item) {
                run.push(item);
                continue;
            }
            self.run(list, &mut run);
            self.item(item);
        }
        self.run(list, &mut run);
    }

    fn run(&mut self, list: &List, run: &mut Vec<&Item>) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            let prompts = run.iter().map(|item| item.text.span.slice(self.source).to_owned()).collect();
            let kind = if list.ordered { Kind::Numbered } else { Kind::List };
            self.ask(prompts, kind, first.span.to(last.span));
        }
        run.clear();
    }

    fn item(&mut self, item: &Item) {
        let label = item.label.as_ref().filter(|label| label.emphasized);
        if let Some(label) = label {
            let rest = label.rest.plain(self.source);
            self.place.push(label.title.plain(self.source));
            if is_prompt(&rest) {
                self.ask(vec![bare(&rest)], Kind::Line, label.rest.span);
            }
            self.nodes(&item.children);
            self.place.pop();
        } else {
            self.nodes(&item.children);
        }
    }

    /// Whether an item is a line of the form: prompts, with nothing of the author's below it.
    fn is_open(&self, item: &Item) -> bool {
        let is_labelled = item.label.as_ref().is_some_and(|label| label.emphasized);
        let has_prompt = item.text.shown(self.source).any(|(_, character)| character == '[')
            && item.text.plain(self.source).split('[').skip(1).any(|rest| {
                rest.split_once(']').is_some_and(|(inner, behind)| {
                    inner.chars().filter(|character| character.is_alphabetic()).count() > 1
                        && !behind.starts_with('(')
                })
            });
        has_prompt && !is_labelled && item.children.is_empty() && item.task.is_none()
    }

    fn fence(&mut self, fence: &Fence) {
        let [line] = fence.lines.as_slice() else { return };
        let text = line.slice(self.source);
        if is_prompt(text.trim()) {
            let end = line.start + text.trim_end().len() as u32;
            self.ask(vec![bare(text.trim())], Kind::Code, Span::new(line.start, end));
        }
    }

    fn line_end(&self, from: u32) -> u32 {
        let rest = &self.source[from as usize..];
        from + rest.find('\n').map_or(rest.len(), |at| rest[..at].trim_end().len()) as u32
    }
}

/// `[…]` and nothing else, with words in it.
fn is_prompt(text: &str) -> bool {
    let inner = text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| {
        !inner.contains(['[', ']']) && inner.chars().filter(|letter| letter.is_alphabetic()).count() > 1
    })
}

fn bare(text: &str) -> String {
    text.trim().trim_start_matches('[').trim_end_matches(']').trim_end_matches(':').trim().to_owned()
}

/// What an item is called while it has no name of its own.
fn kind_of_item(title: &str) -> String {
    let kinds = [
        ("component", "Component"),
        ("operation", "Operation"),
        ("endpoint", "API Endpoint"),
        ("entity", "Entity"),
        ("flow", "Flow"),
        ("interface", "Interface"),
    ];
    let lower = title.to_lowercase();
    let kind = kinds.iter().find(|(word, _)| lower.contains(word));
    kind.map_or_else(|| title.to_owned(), |(_, kind)| (*kind).to_owned())
}

/// An item up to the rule that ends its section.
fn without_rule(source: &str, span: Span) -> Span {
    let text = span.slice(source).trim_end();
    let text = text.strip_suffix("\n---").unwrap_or(text).trim_end();
    Span::new(span.start, span.start + text.len() as u32)
}
