//! A condition of SQL to conditions of the language, or to nothing where the language has no words for it.
//!
//! SQL lets a row pass a `CHECK` whose condition is unknown, because a column is null; the language lets it pass if a
//! field that the condition names is absent. They agree on a single comparison; below `AND`, `OR` and `NOT` each
//! comparison therefore says itself what an absent field makes of it. Source: ISO/IEC 9075-2, *check constraint
//! definition* and *Boolean value expression*.

use super::tokens::{Kind, Token, list};
use crate::facts::{Field, Formula};
use crate::values::Type;
use formwork_syntax::Span;

/// How deep a condition may nest, as an expression of the language may not much deeper.
const DEEPEST: usize = 100;

/// A condition or value of SQL.
#[derive(Clone, Debug)]
pub(super) enum Sql<'s> {
    All(Vec<Sql<'s>>),
    Any(Vec<Sql<'s>>),
    Not(Box<Sql<'s>>),
    /// With the sign of the language.
    Compare(&'static str, Box<Sql<'s>>, Box<Sql<'s>>),
    IsNull(Box<Sql<'s>>),
    In(Box<Sql<'s>>, Vec<Sql<'s>>),
    /// A method of the language that takes a text, and that text.
    Text(&'static str, Box<Sql<'s>>, String, Span),
    Calculate(&'static str, Box<Sql<'s>>, Box<Sql<'s>>),
    Negative(Box<Sql<'s>>),
    /// A function of the language.
    Call(&'static str, Box<Sql<'s>>),
    Coalesce(Box<Sql<'s>>, Box<Sql<'s>>),
    /// A field, by its position.
    Column(usize, Span),
    /// A literal text, without quotes.
    Literal(String, Span),
    Interval(&'s str, Span),
    /// A number, `true` or `false`.
    Word(&'s str, Span),
}

/// Reads a condition over the fields of a table; every token must belong to it.
pub(super) fn read<'s>(fields: &[Field], tokens: &[Token<'s>]) -> Option<Sql<'s>> {
    let mut parser = Parser { fields, tokens, at: 0, depth: 0 };
    let found = parser.condition()?;
    (parser.at == tokens.len()).then_some(found)
}

/// The conditions that must all hold.
pub(super) fn conjuncts(condition: Sql<'_>) -> Vec<Sql<'_>> {
    match condition {
        Sql::All(all) => all.into_iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// What an unknown comparison does to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The row passes: of a `CHECK`.
    Passes,
    /// The row is not meant: of a `WHERE`.
    Excludes,
}

/// Writes a condition in the notation of the language.
pub(super) fn write(fields: &[Field], condition: &Sql<'_>, unknown: Unknown, span: Span) -> Option<Formula> {
    let mut writer = Writer { fields, unknown, text: String::new(), places: Vec::new(), from: span.start };
    // The language itself lets a row pass whose one comparison names an absent field.
    let is_said = unknown == Unknown::Passes && !matches!(condition, Sql::All(_) | Sql::Any(_) | Sql::Not(_));
    match is_said {
        true => writer.atom(condition, false)?,
        false => writer.condition(condition, false, &[], 0)?,
    }
    Some(Formula { text: writer.text, places: writer.places, span })
}

struct Parser<'p, 's> {
    fields: &'p [Field],
    tokens: &'p [Token<'s>],
    at: usize,
    depth: usize,
}

impl<'p, 's> Parser<'p, 's> {
    fn peek(&self) -> Option<Token<'s>> {
        self.tokens.get(self.at).copied()
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.is(word));
        self.at += usize::from(found);
        found
    }

    fn condition(&mut self) -> Option<Sql<'s>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut any = vec![self.conjunction()?];
        while self.takes("or") {
            any.push(self.conjunction()?);
        }
        self.depth -= 1;
        if any.len() == 1 { any.pop() } else { Some(Sql::Any(any)) }
    }

    fn conjunction(&mut self) -> Option<Sql<'s>> {
        let mut all = vec![self.negation()?];
        while self.takes("and") {
            all.push(self.negation()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Sql::All(all)) }
    }

    fn negation(&mut self) -> Option<Sql<'s>> {
        let mut times = 0;
        while self.takes("not") {
            times += 1;
        }
        let found = self.comparison()?;
        Some(if times % 2 == 1 { Sql::Not(Box::new(found)) } else { found })
    }

    fn comparison(&mut self) -> Option<Sql<'s>> {
        let left = Box::new(self.sum()?);
        let negated = self.takes("not");
        let found = self.tail(left, negated)?;
        Some(if negated { Sql::Not(Box::new(found)) } else { found })
    }

    /// What a value is compared with; `negated` if `NOT` was read, which some comparison must follow.
    fn tail(&mut self, left: Box<Sql<'s>>, negated: bool) -> Option<Sql<'s>> {
        let Some(sign) = self.peek() else { return (!negated).then_some(*left) };
        self.at += 1;
        if sign.is("in") {
            return Some(Sql::In(left, self.values()?));
        } else if sign.is("between") {
            let low = Box::new(self.sum()?);
            if !self.takes("and") {
                return None;
            }
            let high = Box::new(self.sum()?);
            let least = Sql::Compare(">=", left.clone(), low);
            return Some(Sql::All(vec![least, Sql::Compare("<=", left, high)]));
        } else if sign.is("like") {
            return self.like(left);
        } else if negated {
            return None;
        }
        if sign.is("is") {
            let is_not = self.takes("not");
            let found = self.takes("null").then_some(Sql::IsNull(left))?;
            return Some(if is_not { Sql::Not(Box::new(found)) } else { found });
        }
        if sign.is_one_of(&["~", "~*", "!~", "regexp"]) {
            let (mut pattern, span) = self.string()?;
            if sign.is("~*") {
                pattern.insert_str(0, "(?i)");
            }
            let found = Sql::Text("matches", left, pattern, span);
            return Some(if sign.is("!~") { Sql::Not(Box::new(found)) } else { found });
        }
        let known =
            [("=", "=="), ("<>", "!="), ("!=", "!="), ("<=", "<="), (">=", ">="), ("<", "<"), (">", ">")];
        let Some((_, operator)) = known.iter().find(|(written, _)| sign.is(written)) else {
            // It belongs to what the value stands in.
            self.at -= 1;
            return Some(*left);
        };
        if self.takes("any") {
            // `= ANY (ARRAY['a'::text, 'b'::text])`, as PostgreSQL prints `IN`.
            let of = self.parenthesis()?;
            let open = of.iter().position(|token| token.is("["))?;
            let is_array = open.checked_sub(1).is_some_and(|before| of[before].is("array"));
            let (inside, _) =
                of[open + 1..].split_at_checked(of[open + 1..].iter().position(|it| it.is("]"))?)?;
            let values: Option<Vec<Sql<'s>>> =
                inside.split(|token| token.is(",")).map(|value| self.inner(value)).collect();
            return (*operator == "==" && is_array).then_some(Sql::In(left, values?));
        }
        Some(Sql::Compare(operator, left, Box::new(self.sum()?)))
    }

    /// The tokens of the parenthesis that opens here.
    fn parenthesis(&mut self) -> Option<&'p [Token<'s>]> {
        let rest = self.tokens.get(self.at..)?;
        let opens = rest.first()?.is("(");
        let (_, taken) = list(rest);
        let is_closed = rest.get(taken.checked_sub(1)?)?.is(")");
        self.at += taken;
        (opens && is_closed && taken >= 2).then(|| &rest[1..taken - 1])
    }

    /// A value that takes all of the tokens.
    fn inner(&self, tokens: &[Token<'s>]) -> Option<Sql<'s>> {
        let mut parser = Parser { fields: self.fields, tokens, at: 0, depth: self.depth };
        let found = parser.sum()?;
        (parser.at == tokens.len()).then_some(found)
    }

    fn values(&mut self) -> Option<Vec<Sql<'s>>> {
        if !self.takes("(") {
            return None;
        }
        let mut found = vec![self.sum()?];
        while self.takes(",") {
            found.push(self.sum()?);
        }
        let is_literal =
            |value: &Sql<'_>| matches!(value, Sql::Literal(..) | Sql::Word(..) | Sql::Negative(_));
        (self.takes(")") && found.iter().all(is_literal)).then_some(found)
    }

    /// A pattern whose only wildcards are `%` at its ends.
    fn like(&mut self, left: Box<Sql<'s>>) -> Option<Sql<'s>> {
        let (pattern, span) = self.string()?;
        let (open, rest) = match pattern.strip_prefix('%') {
            Some(rest) => (true, rest),
            None => (false, pattern.as_str()),
        };
        let (end, inner) = match rest.strip_suffix('%') {
            Some(inner) => (true, inner),
            None => (false, rest),
        };
        if inner.is_empty() || inner.contains(['%', '_', '\\']) {
            return None;
        }
        let method = match (open, end) {
            (true, true) => "contains",
            (true, false) => "endsWith",
            (false, true) => "startsWith",
            (false, false) => {
                return Some(Sql::Compare("==", left, Box::new(Sql::Literal(inner.to_owned(), span))));
            }
        };
        Some(Sql::Text(method, left, inner.to_owned(), span))
    }

    fn string(&mut self) -> Option<(String, Span)> {
        let token = self.peek().filter(|token| token.kind == Kind::String)?;
        self.at += 1;
        self.cast(true, true)?;
        Some((unquoted(token.text), token.span))
    }

    fn sum(&mut self) -> Option<Sql<'s>> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut left = self.product()?;
        while let Some(sign) = ["+", "-"].into_iter().find(|sign| self.takes(sign)) {
            left = Sql::Calculate(sign, Box::new(left), Box::new(self.product()?));
        }
        self.depth -= 1;
        Some(left)
    }

    /// Division is left out: SQL divides whole numbers to whole ones, the language does not.
    fn product(&mut self) -> Option<Sql<'s>> {
        let mut left = self.value()?;
        while let Some(sign) = ["*", "%"].into_iter().find(|sign| self.takes(sign)) {
            left = Sql::Calculate(sign, Box::new(left), Box::new(self.value()?));
        }
        Some(left)
    }

    fn value(&mut self) -> Option<Sql<'s>> {
        if self.takes("-") {
            return Some(Sql::Negative(Box::new(self.value()?)));
        }
        let token = self.peek()?;
        if token.is("(") {
            self.at += 1;
            let inner = self.condition()?;
            let closed = self.takes(")");
            let is_text = self.is_text(&inner);
            return closed.then_some(inner).and_then(|inner| self.cast(false, is_text).map(|()| inner));
        }
        if token.kind == Kind::String {
            let (text, span) = self.string()?;
            return Some(Sql::Literal(text, span));
        }
        self.at += 1;
        if token.is_number() || token.is("true") || token.is("false") {
            self.cast(true, true)?;
            return Some(Sql::Word(token.text, token.span));
        }
        if token.is("interval") {
            let text = self.peek().filter(|text| text.kind == Kind::String)?;
            self.at += 1;
            return Some(Sql::Interval(text.text, text.span));
        }
        if self.peek().is_some_and(|next| next.is("(")) && token.kind == Kind::Word {
            return self.call(&token);
        }
        let name = token.is_name().then(|| token.bare().value)?;
        let at = self.fields.iter().position(|field| field.name.value.eq_ignore_ascii_case(&name))?;
        let column = Sql::Column(at, token.span);
        self.cast(false, self.is_text(&column))?;
        Some(column)
    }

    fn call(&mut self, name: &Token<'s>) -> Option<Sql<'s>> {
        self.at += 1;
        let first = Box::new(self.sum()?);
        if name.is("coalesce") {
            let other = self.takes(",").then(|| self.sum())??;
            return self.takes(")").then(|| Sql::Coalesce(first, Box::new(other)));
        }
        let known = [
            ("length", "size"),
            ("char_length", "size"),
            ("character_length", "size"),
            ("lower", "lower"),
            ("upper", "upper"),
            ("btrim", "trim"),
            ("trim", "trim"),
        ];
        let (_, function) = known.iter().find(|(written, _)| name.is(written))?;
        self.takes(")").then_some(Sql::Call(function, first))
    }

    fn is_text(&self, value: &Sql<'_>) -> bool {
        let Sql::Column(field, _) = value else { return false };
        self.fields[*field].ty.as_ref().is_some_and(|ty| ty.value == Type::String)
    }

    /// Passes `::text` and its like; of a value that is no literal only what changes nothing.
    fn cast(&mut self, is_literal: bool, is_text: bool) -> Option<()> {
        while self.takes("::") {
            let word = self.peek().filter(|word| word.is_name())?;
            self.at += 1;
            let to_text = word.is_one_of(&["text", "varchar", "character", "bpchar", "citext"]);
            if !(is_literal || (is_text && to_text)) {
                return None;
            }
            self.takes("varying");
            if self.peek().is_some_and(|open| open.is("(")) {
                self.parenthesis()?;
            }
        }
        Some(())
    }
}

fn unquoted(text: &str) -> String {
    text.replace("''", "'")
}

struct Writer<'w> {
    fields: &'w [Field],
    unknown: Unknown,
    text: String,
    places: Vec<(u32, u32)>,
    /// Where in the source what is written next comes from.
    from: u32,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.places.push((self.text.len() as u32, self.from));
        self.text.push_str(text);
    }

    fn push_from(&mut self, text: &str, span: Span) {
        self.from = span.start;
        self.push(text);
        self.from = span.end;
    }

    /// `known` are the fields of which what stands around says that they are there.
    fn condition(&mut self, sql: &Sql<'_>, negated: bool, known: &[usize], depth: usize) -> Option<()> {
        match sql {
            Sql::Not(inner) => self.condition(inner, !negated, known, depth),
            Sql::All(parts) | Sql::Any(parts) => {
                let is_all = matches!(sql, Sql::All(_)) != negated;
                // Beside a test with null that decides, the others may take the field for there.
                let tested = parts.iter().filter_map(|part| tested(part, negated, is_all));
                let known: Vec<usize> = known.iter().copied().chain(tested).collect();
                if depth > 0 {
                    self.push("(");
                }
                for (at, part) in parts.iter().enumerate() {
                    if at > 0 {
                        self.push(if is_all { " && " } else { " || " });
                    }
                    self.condition(part, negated, &known, depth + 1)?;
                }
                if depth > 0 {
                    self.push(")");
                }
                Some(())
            }
            atom => self.guarded(atom, negated, known, depth),
        }
    }

    /// A comparison, with what it is where a field that it names is absent.
    fn guarded(&mut self, atom: &Sql<'_>, negated: bool, known: &[usize], depth: usize) -> Option<()> {
        let mut named = Vec::new();
        self.named(atom, &mut named);
        named.retain(|field| self.fields[*field].optional && !known.contains(field));
        if named.is_empty() {
            return self.atom(atom, negated);
        }
        let (test, join) = match self.unknown {
            Unknown::Passes => (" == null", " || "),
            Unknown::Excludes => (" != null", " && "),
        };
        if depth > 0 {
            self.push("(");
        }
        for field in named {
            let name = self.name(field);
            self.push(&name);
            self.push(test);
            self.push(join);
        }
        self.atom(atom, negated)?;
        if depth > 0 {
            self.push(")");
        }
        Some(())
    }

    /// The fields that make a comparison unknown by being absent.
    fn named(&self, sql: &Sql<'_>, found: &mut Vec<usize>) {
        match sql {
            Sql::Column(field, _) if !found.contains(field) => found.push(*field),
            Sql::Compare(_, left, right) | Sql::Calculate(_, left, right) => {
                self.named(left, found);
                self.named(right, found);
            }
            Sql::Coalesce(_, otherwise) => self.named(otherwise, found),
            Sql::In(of, _) | Sql::Text(_, of, ..) | Sql::Negative(of) | Sql::Call(_, of) | Sql::Not(of) => {
                self.named(of, found)
            }
            _ => {}
        }
    }

    fn name(&self, field: usize) -> String {
        self.fields[field].name.value.clone()
    }

    fn atom(&mut self, sql: &Sql<'_>, negated: bool) -> Option<()> {
        match sql {
            Sql::Compare(operator, left, right) => {
                let operator = if negated { opposite(operator) } else { operator };
                self.operand(left)?;
                self.push(&format!(" {operator} "));
                self.operand(right)
            }
            Sql::IsNull(of) => {
                self.value(of)?;
                self.push(if negated { " != null" } else { " == null" });
                Some(())
            }
            _ if negated => {
                self.push("!");
                let is_call = matches!(sql, Sql::Column(..) | Sql::Text(..) | Sql::Call(..));
                self.push(if is_call { "" } else { "(" });
                self.value(sql)?;
                self.push(if is_call { "" } else { ")" });
                Some(())
            }
            _ => self.value(sql),
        }
    }

    /// A side of a comparison: a value, or a test in parentheses.
    fn operand(&mut self, sql: &Sql<'_>) -> Option<()> {
        let (test, negated) = match sql {
            Sql::Not(inner) => (&**inner, true),
            other => (other, false),
        };
        if !matches!(test, Sql::Compare(..) | Sql::IsNull(_) | Sql::In(..)) {
            return if negated { None } else { self.value(sql) };
        }
        self.push("(");
        self.atom(test, negated)?;
        self.push(")");
        Some(())
    }

    fn value(&mut self, sql: &Sql<'_>) -> Option<()> {
        match sql {
            Sql::Column(field, span) => {
                let name = self.name(*field);
                self.push_from(&name, *span);
            }
            Sql::Literal(text, span) => self.push_from(&quoted(text)?, *span),
            Sql::Word(word, span) => self.push_from(&word.to_lowercase(), *span),
            Sql::Interval(text, span) => {
                self.push_from(&format!("duration({})", quoted(text)?), *span);
            }
            Sql::Negative(of) => {
                self.push("-");
                self.factor(of)?;
            }
            Sql::Calculate(sign, left, right) => {
                match **left {
                    // `a + b + c` needs no parenthesis.
                    Sql::Calculate(before, ..) if is_sum(before) == is_sum(sign) => self.value(left)?,
                    _ => self.factor(left)?,
                }
                self.push(&format!(" {sign} "));
                self.factor(right)?;
            }
            Sql::Call(function, of) => {
                self.push(&format!("{function}("));
                self.value(of)?;
                self.push(")");
            }
            Sql::Coalesce(first, other) => {
                self.push("(");
                self.factor(first)?;
                self.push(" ?? ");
                self.factor(other)?;
                self.push(")");
            }
            Sql::Text(method, of, text, span) => {
                self.factor(of)?;
                let text = quoted(text)?;
                self.push(&format!(".{method}("));
                self.push_from(&text, *span);
                self.push(")");
            }
            Sql::In(of, values) => {
                self.factor(of)?;
                self.push(" in [");
                for (at, value) in values.iter().enumerate() {
                    self.push(if at > 0 { ", " } else { "" });
                    self.value(value)?;
                }
                self.push("]");
            }
            Sql::Compare(..) | Sql::IsNull(_) | Sql::All(_) | Sql::Any(_) | Sql::Not(_) => return None,
        }
        Some(())
    }

    /// A value that stands beside a sign that binds stronger.
    fn factor(&mut self, sql: &Sql<'_>) -> Option<()> {
        let is_loose = matches!(sql, Sql::Calculate(..));
        self.push(if is_loose { "(" } else { "" });
        self.value(sql)?;
        self.push(if is_loose { ")" } else { "" });
        Some(())
    }
}

/// The field whose test with null decides the condition around it when the field is absent.
fn tested(part: &Sql<'_>, negated: bool, is_all: bool) -> Option<usize> {
    match part {
        Sql::Not(inner) => tested(inner, !negated, is_all),
        Sql::IsNull(of) if negated == is_all => match **of {
            Sql::Column(field, _) => Some(field),
            _ => None,
        },
        _ => None,
    }
}

fn is_sum(sign: &str) -> bool {
    matches!(sign, "+" | "-")
}

fn opposite(operator: &str) -> &'static str {
    match operator {
        "==" => "!=",
        "!=" => "==",
        "<" => ">=",
        "<=" => ">",
        ">" => "<=",
        _ => "<",
    }
}

/// A text as a literal of the language; none for what such a literal does not hold.
fn quoted(text: &str) -> Option<String> {
    let is_plain = !text.chars().any(char::is_control);
    is_plain.then(|| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::super::read as read_fence;
    use crate::reader::Declared;
    use crate::sections::table_rules::TableRuleKind;

    const TABLE: &str = "id uuid PRIMARY KEY, a integer NOT NULL, b integer NOT NULL, x integer, y integer, \
        s text NOT NULL, t text, open boolean NOT NULL";

    /// The rules of a check over that table, as written, and what was not read.
    fn rules(check: &str) -> (Vec<String>, usize) {
        let source = format!("```sql\nCREATE TABLE it ({TABLE}, CHECK ({check}));\n```\n");
        let document = formwork_syntax::parse(&source, &crate::is_label);
        let fence = crate::reader::fences(&document.root.children).next().unwrap();
        let found = read_fence(&source, fence, &Declared::default());
        let rules = found.entities[0].table_rules.iter().map(|rule| match &rule.kind {
            TableRuleKind::Check(formula) => formula.text.clone(),
            other => panic!("{other:?}"),
        });
        (rules.collect(), found.unread.len())
    }

    #[test]
    fn a_check_of_sql_reads_as_a_condition_of_the_language() {
        for (sql, written) in [
            ("a < b", "a < b"),
            ("a <> b AND s <> 'it''s \"x\"'", "a != b; s != \"it's \\\"x\\\"\""),
            ("it.a + b * 2 - 1 <= 10", "a + (b * 2) - 1 <= 10"),
            ("(a - b) % 2 = 0", "(a - b) % 2 == 0"),
            ("(a = 1) = (x IS NOT NULL)", "(a == 1) == (x != null)"),
            ("a BETWEEN b AND 9 + b", "a >= b; a <= 9 + b"),
            ("NOT (a = 1 OR b = 2)", "a != 1 && b != 2"),
            ("a IN (1, -2) OR b NOT IN (3)", "a in [1, -2] || !(b in [3])"),
            ("s = ANY (ARRAY['u'::text, 'v'::text]) OR open", "s in [\"u\", \"v\"] || open"),
            ("s LIKE 'ab%' OR s NOT LIKE '%b%'", "s.startsWith(\"ab\") || !s.contains(\"b\")"),
            ("lower(s) = s OR length((s)::text) > 3", "lower(s) == s || size(s) > 3"),
            ("s ~* '^a\\d' OR NOT open", "s.matches(\"(?i)^a\\\\d\") || !open"),
            ("coalesce(x, 0) + a <= 10", "(x ?? 0) + a <= 10"),
        ] {
            assert_eq!((rules(sql).0.join("; "), rules(sql).1), (written.to_owned(), 0), "{sql}");
        }
    }

    /// Three-valued logic: a row passes unless the condition is false.
    #[test]
    fn what_an_absent_field_makes_of_a_comparison_is_said() {
        for (sql, written) in [
            ("x < y", "x < y"),
            ("x < 1 OR a < 1", "(x == null || x < 1) || a < 1"),
            ("NOT (x < 1 AND a < 1)", "(x == null || x >= 1) || a >= 1"),
            ("x IS NULL OR x < a", "x == null || x < a"),
            ("(x > 1 AND a > 1) OR b > 1", "((x == null || x > 1) && a > 1) || b > 1"),
            ("(x IS NOT NULL AND x > 1) OR b > 1", "(x != null && x > 1) || b > 1"),
        ] {
            assert_eq!((rules(sql).0.join("; "), rules(sql).1), (written.to_owned(), 0), "{sql}");
        }
    }

    #[test]
    fn what_the_language_has_no_words_for_is_given_back() {
        for sql in [
            "a / 2 = b",
            "a < now()",
            "nothing > 1",
            "s LIKE 'a_c'",
            "a = ",
            "a < b < x)",
            "x::text = s",
            "jsonb_typeof(t) = 'array'",
            "EXISTS (SELECT 1)",
            "s SIMILAR TO 'a'",
        ] {
            assert_eq!(rules(sql), (Vec::new(), 1), "{sql}");
        }
        let deep = format!("{}a{} = 1", "(".repeat(20_000), ")".repeat(20_000));
        assert_eq!(rules(&deep).1, 1);
    }
}
