//! Placeholders and stand-ins: `[Key responsibility 2]`, `TBD`, `???`, `…`, empty labels. Each is found once.
//!
//! Source: language reference, *Kinds of text*. Links, task boxes, code and fences are none.

use crate::model::{Section, Unfinished};
use formwork_syntax::{Block, Fence, Item, Node, Part, PartKind, PieceKind, Span, Text};

/// Words that stand in for what is still to be written.
const STAND_INS: [&str; 6] = ["tbd", "todo", "tba", "fixme", "???", "xxx"];

/// Whether a text is a placeholder or stand-in and nothing else.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', ':', ';', ',']).trim();
    let text = text.strip_suffix('?').filter(|asked| asked.ends_with(']')).unwrap_or(text);
    let is_dots = text.is_empty() || text.chars().all(|character| matches!(character, '…' | '.'));
    let bracket = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let is_bracket = bracket.is_some_and(|inner| !inner.contains(['[', ']']) && is_prompt(inner));
    is_bracket || is_stand_in(text) || (is_dots && !text.is_empty())
}

fn is_stand_in(word: &str) -> bool {
    let is_questions = word.len() >= 3 && word.bytes().all(|byte| byte == b'?');
    is_questions || STAND_INS.iter().any(|stand_in| stand_in.eq_ignore_ascii_case(word))
}

/// Whether the text in brackets is a prompt: words, not a task box, number or list of values.
fn is_prompt(inner: &str) -> bool {
    let inner = inner.trim();
    let dots = !inner.is_empty() && inner.chars().all(|character| matches!(character, '.' | '…'));
    let box_mark = inner.len() == 1;
    let words = inner.chars().any(char::is_alphabetic) && !inner.starts_with(['"', '\'', '{', '^']);
    // `[ts, value]` is a pair of names, `[a-z]+` a pattern.
    let is_list = inner.contains(',')
        && inner.split(',').all(|part| {
            let part = part.trim();
            !part.contains(char::is_whitespace) && !part.starts_with(|first: char| first.is_uppercase())
        });
    dots || (words && !box_mark && !is_list)
}

/// Finds all of a document; `section_at` says in which section a place lies.
pub(crate) fn find(
    source: &str,
    root: &Part,
    section_at: &dyn Fn(Span) -> Option<Section>,
) -> Vec<Unfinished> {
    let mut finder = Finder { source, found: Vec::new() };
    finder.part(root);
    let with_section = |(text, span)| Unfinished { text, section: section_at(span), span };
    finder.found.into_iter().map(with_section).collect()
}

/// Whether a placeholder stands in a text.
pub(crate) fn is_within(source: &str, text: &Text) -> bool {
    let mut finder = Finder { source, found: Vec::new() };
    finder.text(text);
    !finder.found.is_empty()
}

struct Finder<'s> {
    source: &'s str,
    found: Vec<(String, Span)>,
}

impl Finder<'_> {
    fn part(&mut self, part: &Part) {
        let before = self.found.len();
        self.text(&part.title);
        let is_prompt = self.found.len() > before;
        self.text(&part.inline);
        let is_label = matches!(part.kind, PartKind::Emphasized | PartKind::Plain);
        let is_empty = part.children.is_empty() && part.inline.is_blank(self.source);
        if is_label && is_empty && !is_prompt && ends_with_colon(part.span.slice(self.source)) {
            self.found.push((part.span.slice(self.source).to_owned(), part.span));
        }
        self.nodes(&part.children);
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Part(part) => self.part(part),
                Node::Block(Block::Paragraph(text)) => self.text(text),
                Node::Block(Block::Quote(quote)) => self.nodes(&quote.children),
                Node::Block(Block::List(list)) => list.items.iter().for_each(|item| self.item(item)),
                Node::Block(Block::Table(table)) => {
                    let cells = table.rows.iter().flat_map(|row| &row.cells);
                    table.header.iter().chain(cells).for_each(|cell| self.text(cell));
                }
                Node::Block(Block::Fence(fence)) => self.fence(fence),
                Node::Block(Block::Html(_) | Block::Rule(_)) => {}
            }
        }
    }

    /// In a fence only what no language means: the word `TBD`, and a prompt in brackets that is the whole line.
    fn fence(&mut self, fence: &Fence) {
        let is_prompt_only = fence.lines.len() == 1;
        for line in &fence.lines {
            let text = line.slice(self.source);
            let trimmed = text.trim();
            let start = line.start + (text.len() - text.trim_start().len()) as u32;
            let is_prompt = is_prompt_only
                && trimmed.contains(' ')
                && trimmed.starts_with('[')
                && is_placeholder(trimmed);
            if is_prompt {
                self.found.push((trimmed.to_owned(), Span::new(start, start + trimmed.len() as u32)));
                continue;
            }
            let words = text.split(|character: char| !character.is_alphanumeric());
            let mut at = line.start;
            for word in words {
                if word == "TBD" {
                    self.found.push((word.to_owned(), Span::new(at, at + 3)));
                    break;
                }
                let behind = at + word.len() as u32;
                let mark = Span::new(behind, line.end).slice(self.source).chars().next();
                at = behind + mark.map_or(0, |mark| mark.len_utf8() as u32);
            }
        }
    }

    fn item(&mut self, item: &Item) {
        self.text(&item.text);
        if let Some(label) = &item.label
            && label.emphasized
            && label.rest.is_blank(self.source)
            && item.children.is_empty()
        {
            self.found.push((item.text.span.slice(self.source).to_owned(), item.text.span));
        }
        self.nodes(&item.children);
    }

    /// The placeholders in a text. Code, HTML and links hide what is in them.
    fn text(&mut self, text: &Text) {
        if !may_hold(self.source, text) {
            return;
        }
        let shown: Vec<(Span, char)> = text.shown(self.source).collect();
        let links: Vec<Span> =
            text.pieces.iter().filter(|piece| piece.link).map(|piece| piece.span).collect();
        let is_linked = |span: Span| links.iter().any(|link| link.contains(span));
        let mut at = 0;
        while at < shown.len() {
            let length = match shown[at].1 {
                '[' if !is_linked(shown[at].0) && !is_index(&shown, at) => bracket_length(&shown[at..]),
                _ if starts_word(&shown, at) => word_length(&shown[at..]).filter(|length| {
                    // Three points between words leave something out; alone they stand in for all.
                    !shown[at..at + length].iter().all(|(_, character)| matches!(character, '.' | '…'))
                        || is_alone(&shown, at, *length)
                }),
                _ => None,
            };
            if let Some(length) = length {
                let span = shown[at].0.to(shown[at + length - 1].0);
                self.found.push((span.slice(self.source).to_owned(), span));
                at += length;
            } else {
                at += 1;
            }
        }
    }
}

/// Whether a label's colon is its last character, and not inside its name (`**Entity: order**`).
fn ends_with_colon(label: &str) -> bool {
    label.trim_end_matches(['*', '_', ' ', '\t', '\r', '\n']).ends_with(':')
}

/// Whether a bracket directly follows a word, as an index does.
fn is_index(shown: &[(Span, char)], at: usize) -> bool {
    at.checked_sub(1).map(|before| shown[before]).is_some_and(|(place, character)| {
        place.end == shown[at].0.start
            && (character.is_alphanumeric() || matches!(character, '_' | '}' | ']'))
    })
}

/// Whether nothing but marks stands between a stand-in and the ends of its text or column.
fn is_alone(shown: &[(Span, char)], at: usize, length: usize) -> bool {
    let is_end = |character: char| matches!(character, '|' | ':' | '(' | ')' | '—' | '–');
    let first = |mut characters: Box<dyn Iterator<Item = char> + '_>| {
        characters.find(|character| !character.is_whitespace()).is_none_or(is_end)
    };
    let before = Box::new(shown[..at].iter().rev().map(|(_, character)| *character));
    let behind = Box::new(shown[at + length..].iter().map(|(_, character)| *character));
    first(before) && first(behind)
}

/// Whether a text can hold a placeholder at all, by its bytes: most cannot, and need not be looked at by character.
fn may_hold(source: &str, text: &Text) -> bool {
    let bytes = text.span.slice(source).as_bytes();
    // The second letter of a stand-in; marks may stand between the two (`T**BD**`).
    let goes_on = |at: usize, second: &[u8]| {
        let is_first = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
        let is_mark = |next: u8| !next.is_ascii_alphanumeric() && !next.is_ascii_whitespace();
        is_first && bytes.get(at + 1).is_some_and(|next| second.contains(next) || is_mark(*next))
    };
    let starts = |at: usize| match bytes[at] {
        b'[' => true,
        b'T' => goes_on(at, b"BbO"),
        b'F' => goes_on(at, b"I"),
        b'X' => goes_on(at, b"X"),
        b'?' => goes_on(at, b"?"),
        b'.' => goes_on(at, b"."),
        b't' => bytes[at..].get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"tbd")),
        // The first byte of `…`.
        0xE2 => bytes[at..].starts_with("…".as_bytes()),
        _ => false,
    };
    bytes.iter().enumerate().any(|(at, byte)| MAY_START[usize::from(*byte)] && starts(at))
        || text.pieces.iter().any(|piece| matches!(piece.kind, PieceKind::Entity(_)))
}

/// The bytes that [`may_hold`] looks at more closely.
const MAY_START: [bool; 256] = {
    let mut starts = [false; 256];
    let bytes = *b"[TFX?.t\xE2";
    let mut at = 0;
    while at < bytes.len() {
        starts[bytes[at] as usize] = true;
        at += 1;
    }
    starts
};

/// Whether a text as it stands in the source is too long to be a placeholder: it has more letters than a stand-in,
/// and no bracket, entity or HTML.
pub(crate) fn is_too_long(written: &str) -> bool {
    let letters = written.bytes().filter(u8::is_ascii_alphanumeric).take(LONGEST_STAND_IN + 1).count();
    letters > LONGEST_STAND_IN && memchr::memchr3(b'[', b'&', b'<', written.as_bytes()).is_none()
}

/// More letters than any of the [`STAND_INS`] has.
const LONGEST_STAND_IN: usize = 8;

/// Whether a word that may be a stand-in starts here: behind a blank or an opening mark.
fn starts_word(shown: &[(Span, char)], at: usize) -> bool {
    let may_be = matches!(shown[at].1, 'T' | 't' | 'F' | 'X' | '?' | '.' | '…');
    let before = at.checked_sub(1).map(|before| shown[before]);
    may_be
        && before.is_none_or(|(span, character)| {
            span.end != shown[at].0.start || character.is_whitespace() || "([:,;|/\"“—–".contains(character)
        })
}

/// How many characters a prompt in brackets takes.
fn bracket_length(shown: &[(Span, char)]) -> Option<usize> {
    let inside =
        shown[1..].iter().take(MOST).take_while(|(_, character)| !matches!(character, '[' | ']')).count();
    let closing = shown.get(inside + 1);
    // `string[max]`, `[A-Z]{2}`, `[a-z]+` are notations, not prompts.
    let behind = shown.get(inside + 2).map(|(_, character)| *character);
    let touches = |place: Span| closing.is_some_and(|(end, _)| end.end == place.start);
    let is_notation = matches!(behind, Some('{' | '+' | '*' | '(' | '['))
        && shown.get(inside + 2).is_some_and(|(place, _)| touches(*place));
    let is_closed = closing.is_some_and(|(_, character)| *character == ']') && !is_notation;
    let text: String = shown[1..=inside].iter().map(|(_, character)| character).collect();
    (is_closed && is_prompt(&text)).then_some(inside + 2)
}

/// The longest prompt, in characters; keeps many open brackets in one text linear.
const MOST: usize = 2000;

/// How many characters a stand-in takes; a lone `…` or `...` counts when nothing else stands in the word.
fn word_length(shown: &[(Span, char)]) -> Option<usize> {
    let is_word = |character: char| {
        !character.is_whitespace() && !matches!(character, ',' | ';' | ':' | ')' | '(' | ']')
    };
    let length = shown.iter().take(MOST).take_while(|(_, character)| is_word(*character)).count();
    let word: String = shown[..length].iter().map(|(_, character)| character).collect();
    let is_dots = word == "…" || (word.len() >= 3 && word.bytes().all(|byte| byte == b'.'));
    let bare = word.trim_end_matches('.');
    if is_dots {
        return Some(length);
    }
    // `todo` is a word of its own, `tbd` in any case is none.
    let is_upper =
        bare.chars().all(|character| !character.is_lowercase()) || bare.eq_ignore_ascii_case("tbd");
    (is_upper && is_stand_in(bare)).then(|| bare.chars().count())
}
