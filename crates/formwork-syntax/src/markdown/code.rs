//! Finds the bytes of code: the fragments of a code span, the lines of a block, the info string of a fence.

use crate::spans::Span;
use crate::tree::{Code, Fence, Fragment, Fragments};
use smallvec::smallvec;

/// Reads the code span at `span` (with its backticks). `shown` is the content as pulldown-cmark reads it; it
/// tells which `>` at the start of a further line belongs to a quote around it.
///
/// One line end gives one blank, also `\r\n`, and the indentation of the line after it is left out, as
/// CommonMark 6.1 has it (pulldown-cmark gives two blanks and keeps the indentation).
pub(super) fn read_code_span(source: &str, span: Span, shown: &str, in_table: bool) -> Code {
    let bytes = span.slice(source).as_bytes();
    let ticks = bytes.iter().take_while(|byte| **byte == b'`').count().min(bytes.len() / 2) as u32;
    let inner = Span::new(span.start + ticks, span.end - ticks);
    let mut fragments =
        match inner.slice(source).as_bytes().iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\\')) {
            true => split_fragments(source, inner, shown, in_table),
            false => smallvec![Fragment { span: inner, blank_before: false }],
        };
    strip_one_blank(source, &mut fragments);
    Code { fragments }
}

/// Cuts at line ends and, in a table, at the backslash of `\|`.
fn split_fragments(source: &str, inner: Span, shown: &str, in_table: bool) -> Fragments {
    let bytes = source.as_bytes();
    let mut fragments = Fragments::new();
    let mut blank_before = false;
    let mut start = inner.start;
    let mut at = inner.start;
    let mut content = shown;
    while at < inner.end {
        let byte = bytes[at as usize];
        let escapes_pipe = in_table && byte == b'\\' && at + 1 < inner.end && bytes[at as usize + 1] == b'|';
        if !escapes_pipe && !matches!(byte, b'\n' | b'\r') {
            at += 1;
            continue;
        }
        fragments.push(Fragment { span: Span::new(start, at), blank_before });
        blank_before = !escapes_pipe;
        let passed = Span::new(start, at).slice(source);
        at += 1;
        if blank_before {
            if byte == b'\r' && at < inner.end && bytes[at as usize] == b'\n' {
                at += 1;
            }
            // The very first blank may have been stripped from the content.
            let after =
                content.strip_prefix(passed).or_else(|| content.strip_prefix(passed.strip_prefix(' ')?));
            content = after.unwrap_or("").trim_start_matches([' ', '\t']);
            at = continuation_start(source, Span::new(at, inner.end), content);
        }
        start = at;
    }
    fragments.push(Fragment { span: Span::new(start, inner.end), blank_before });
    fragments
}

/// Skips the blanks and quote marks before the content of a further line.
fn continuation_start(source: &str, rest: Span, content: &str) -> u32 {
    let text = rest.slice(source);
    let line = &text[..text.find(['\n', '\r']).unwrap_or(text.len())];
    let mut left = line;
    loop {
        left = left.trim_start_matches([' ', '\t']);
        match left.strip_prefix('>') {
            Some(after) if !content.starts_with(left.trim_end_matches([' ', '\t'])) => left = after,
            _ => return rest.start + (line.len() - left.len()) as u32,
        }
    }
}

/// Takes one blank from both ends, if both have one and there is something else (CommonMark 6.1).
fn strip_one_blank(source: &str, fragments: &mut Fragments) {
    let (Some(first), Some(last)) = (fragments.first().copied(), fragments.last().copied()) else { return };
    let is_blank = |fragment: &Fragment| fragment.span.slice(source).bytes().all(|byte| byte == b' ');
    let opens = first.span.slice(source).starts_with(' ') || (first.span.is_empty() && fragments.len() > 1);
    let closes = last.span.slice(source).ends_with(' ') || (last.span.is_empty() && last.blank_before);
    if !opens || !closes || fragments.iter().all(is_blank) {
        return;
    }
    if last.span.is_empty() {
        fragments.pop();
    } else if let Some(last) = fragments.last_mut() {
        last.span.end -= 1;
    }
    if first.span.is_empty() {
        fragments.remove(0);
        if let Some(second) = fragments.first_mut() {
            second.blank_before = false;
        }
    } else if let Some(first) = fragments.first_mut() {
        first.span.start += 1;
    }
}

/// A code block that is being read.
pub(super) struct FenceBuilder {
    fence: Fence,
    fenced: bool,
}

impl FenceBuilder {
    /// Begins a block whose first byte is that of the fence, or of the first line's code.
    pub(super) fn new(source: &str, span: Span, fenced: bool) -> Self {
        let text = span.slice(source);
        let line = &text[..text.find(['\n', '\r']).unwrap_or(text.len())];
        let info = match (fenced, line.chars().next()) {
            (true, Some(mark)) => line.trim_start_matches(mark),
            _ => "",
        };
        let start = span.start + if fenced { (line.len() - info.trim_start().len()) as u32 } else { 0 };
        let info = Span::new(start, start + info.trim().len() as u32);
        Self { fence: Fence { info, lines: Vec::new(), span }, fenced }
    }

    /// Adds what pulldown-cmark says is code: parts of lines, or several whole lines.
    pub(super) fn add(&mut self, source: &str, span: Span) {
        let bytes = source.as_bytes();
        let mut start = span.start;
        if bytes.get(span.start as usize) == Some(&b'\n')
            && span.start > self.fence.info.end
            && bytes[span.start as usize - 1] == b'\r'
        {
            // The event leaves the `\r` of a `\r\n` out: it belongs to the line before or to an empty one.
            start -= 1;
            if let Some(last) = self.fence.lines.last_mut()
                && last.end == start
                && !last.slice(source).ends_with('\n')
            {
                last.end = span.start + 1;
                start = span.start + 1;
            }
        }
        for line in Span::new(start, span.end).slice(source).split_inclusive('\n') {
            let end = start + line.len() as u32;
            self.fence.lines.push(Span::new(start, end));
            start = end;
        }
    }

    /// Ends the block; the second value says whether its fence is left open.
    ///
    /// Without a closing fence the block ends with the last line that is not blank, without its line end.
    pub(super) fn finish(mut self, source: &str) -> (Fence, bool) {
        let fence = &mut self.fence;
        let opening = fence.span.start;
        let content_end = fence.lines.last().map_or(fence.info.end, |line| line.end);
        let mark = fence.span.slice(source).chars().next();
        let rest = Span::new(content_end, fence.span.end.max(content_end)).slice(source);
        let closed = self.fenced && mark.is_some_and(|mark| rest.contains(mark));
        if closed {
            fence.span.end = content_end + rest.trim_end().len() as u32;
            return (self.fence, false);
        }
        while let Some(last) = fence.lines.last_mut() {
            last.end = last.start + last.slice(source).trim_end_matches(['\n', '\r']).len() as u32;
            if !last.slice(source).trim().is_empty() {
                break;
            }
            fence.lines.pop();
        }
        let shortest = if self.fenced { fence.info.end } else { opening };
        fence.span.end = fence.lines.last().map_or(shortest, |line| line.end);
        (self.fence, self.fenced)
    }
}
