//! Reads the text of an expression into an [`Ast`]: CEL's grammar, and `??`.
//!
//! Precedence from weakest: `?:`, `||`, `&&`, comparisons and `in`, `??`, `+ -`, `* / %`, unary, members. `??` stands
//! where Swift and Kotlin put it: `a ?? 0 > 5` compares, `a ?? b + 1` adds first. Nesting is bounded, so a hostile
//! text costs no stack. Source: the CEL specification, *Syntax*; language reference, *Expressions*.

use super::lexer::{self, Token, TokenKind, continues_name, starts_name};
use super::{Ast, AstKind, BinaryOperator, SyntaxProblem, UnaryOperator};
use crate::value::Value;
use formwork_syntax::Span;
use std::sync::Arc;

/// How deep an expression may nest, chains of operators included.
pub const MAX_DEPTH: u32 = 100;

/// What a lone `=` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Equals {
    /// The same as `==`: after *where*, *when*, *if*, *unless* and *Requires*.
    Compares,
    /// Nothing; a problem with a fix.
    Refused,
}

/// `name = EXPR`
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The name that is set.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// What stands behind the `=`.
    pub value: Ast,
}

/// Parses the content of a code span. `map` turns byte offsets of `text` into offsets of the source.
pub fn parse(text: &str, equals: Equals, map: &dyn Fn(u32) -> u32) -> Result<Ast, SyntaxProblem> {
    let problem = |(problem, start, end): lexer::LexProblem| SyntaxProblem {
        problem,
        span: Span::new(map(start as u32), map(end as u32)),
        fix: None,
    };
    let tokens = lexer::tokens(text).map_err(problem)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, equals, map };
    let tree = parser.expression()?;
    if !matches!(parser.peek(), TokenKind::End) {
        let found = parser.found();
        return Err(parser.problem(format!("{found} does not belong to the expression before it")));
    }
    Ok(tree.ast)
}

/// Parses `name = EXPR`, split at the first lone `=`; [`None`] when the text does not begin with a name and such a `=`.
pub fn assignment(text: &str, map: &dyn Fn(u32) -> u32) -> Option<Result<Assignment, SyntaxProblem>> {
    let start = text.len() - text.trim_start().len();
    let name = &text[start..];
    let length = name.find(|character| !continues_name(character))?;
    let name = &name[..length];
    if !name.starts_with(starts_name) {
        return None;
    }
    let after = text[start + length..].trim_start();
    let value = after.strip_prefix('=').filter(|value| !value.starts_with('='))?;
    let offset = (text.len() - value.len()) as u32;
    let name_span = Span::new(map(start as u32), map((start + length) as u32));
    let parsed = parse(value, Equals::Refused, &|at| map(at + offset));
    Some(parsed.map(|value| Assignment { name: name.into(), name_span, value }))
}

/// A subtree and how deep it is.
struct Tree {
    ast: Ast,
    depth: u32,
}

struct Parser<'m> {
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
    equals: Equals,
    map: &'m dyn Fn(u32) -> u32,
}

type Parsed<T = Tree> = Result<T, SyntaxProblem>;

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol)
    }

    fn advance(&mut self) {
        // The last token is the end, which is never passed.
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn span(&self) -> Span {
        let token = &self.tokens[self.at];
        self.mapped(token.start, token.end)
    }

    fn mapped(&self, start: usize, end: usize) -> Span {
        let start = (self.map)(start as u32);
        Span::new(start, (self.map)(end as u32).max(start))
    }

    /// The span from `start` to the end of the token before this one.
    fn since(&self, start: Span) -> Span {
        let last = &self.tokens[self.at.saturating_sub(1)];
        start.to(self.mapped(last.start, last.end))
    }

    fn found(&self) -> String {
        match self.peek() {
            TokenKind::End => "the end".to_owned(),
            TokenKind::Integer(value) => format!("`{value}`"),
            TokenKind::Literal(_) => "a literal".to_owned(),
            TokenKind::Name(name) | TokenKind::Quoted(name) => format!("`{name}`"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
        }
    }

    fn problem(&self, problem: String) -> SyntaxProblem {
        SyntaxProblem { problem, span: self.span(), fix: None }
    }

    fn expect(&mut self, symbol: &str) -> Parsed<()> {
        if self.take(symbol) {
            return Ok(());
        }
        let found = self.found();
        Err(self.problem(format!("expected `{symbol}`, found {found}")))
    }

    fn tree(&self, kind: AstKind, span: Span, below: u32) -> Parsed {
        let depth = below + 1;
        if depth > MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Tree { ast: Ast { kind, span }, depth })
    }

    fn too_deep(&self, span: Span) -> SyntaxProblem {
        SyntaxProblem { problem: format!("the expression nests deeper than {MAX_DEPTH}"), span, fix: None }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep(self.span()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `c ? a : b`, or what binds tighter.
    fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            let condition = parser.binary(0)?;
            if !parser.take("?") {
                return Ok(condition);
            }
            let yes = parser.nested(|parser| parser.binary(0))?;
            parser.expect(":")?;
            let no = parser.expression()?;
            let span = condition.ast.span.to(no.ast.span);
            let below = condition.depth.max(yes.depth).max(no.depth);
            parser.tree(
                AstKind::Choose(Box::new(condition.ast), Box::new(yes.ast), Box::new(no.ast)),
                span,
                below,
            )
        })
    }

    fn binary(&mut self, weakest: u8) -> Parsed {
        let mut left = self.unary()?;
        while let Some((operator, power)) = self.operator()? {
            if power < weakest {
                break;
            }
            let operator_span = self.span();
            self.advance();
            let right_associative = operator == BinaryOperator::Coalesce;
            let right =
                self.nested(|parser| parser.binary(if right_associative { power } else { power + 1 }))?;
            let span = left.ast.span.to(right.ast.span);
            let below = left.depth.max(right.depth);
            let kind = AstKind::Binary {
                operator,
                left: Box::new(left.ast),
                right: Box::new(right.ast),
                operator_span,
            };
            left = self.tree(kind, span, below)?;
        }
        Ok(left)
    }

    /// The operator that comes next, and how tightly it binds.
    fn operator(&self) -> Parsed<Option<(BinaryOperator, u8)>> {
        use BinaryOperator as Op;
        let symbol = match self.peek() {
            TokenKind::Symbol(symbol) => *symbol,
            TokenKind::Name(name) if **name == *"in" => return Ok(Some((Op::In, 2))),
            _ => return Ok(None),
        };
        Ok(Some(match symbol {
            "||" => (Op::Or, 0),
            "&&" => (Op::And, 1),
            "==" => (Op::Equal, 2),
            "=" if self.equals == Equals::Compares => (Op::Equal, 2),
            "=" => {
                let span = self.span();
                let problem = "`=` compares nothing here".to_owned();
                return Err(SyntaxProblem { problem, span, fix: Some((span, "==".to_owned())) });
            }
            "!=" => (Op::NotEqual, 2),
            "<" => (Op::Less, 2),
            "<=" => (Op::LessOrEqual, 2),
            ">" => (Op::Greater, 2),
            ">=" => (Op::GreaterOrEqual, 2),
            "??" => (Op::Coalesce, 3),
            "+" => (Op::Add, 4),
            "-" => (Op::Subtract, 4),
            "*" => (Op::Multiply, 5),
            "/" => (Op::Divide, 5),
            "%" => (Op::Remainder, 5),
            _ => return Ok(None),
        }))
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span();
        let operator = if self.take("!") {
            UnaryOperator::Not
        } else if self.take("-") {
            if let TokenKind::Integer(value) = *self.peek() {
                return self.negative(value, start);
            }
            UnaryOperator::Negate
        } else {
            return self.member();
        };
        let inner = self.nested(Self::unary)?;
        let span = start.to(inner.ast.span);
        self.tree(AstKind::Unary(operator, Box::new(inner.ast)), span, inner.depth)
    }

    /// A negative integer is one literal, so that the smallest one can be written.
    fn negative(&mut self, value: u64, start: Span) -> Parsed {
        let Some(value) = 0i64.checked_sub_unsigned(value) else { return Err(self.too_large()) };
        self.advance();
        let literal = self.tree(AstKind::Literal(Value::Integer(value)), self.since(start), 0)?;
        self.members(literal)
    }

    fn too_large(&self) -> SyntaxProblem {
        self.problem("the number does not fit in 64 bits".to_owned())
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.members(primary)
    }

    fn members(&mut self, mut tree: Tree) -> Parsed {
        loop {
            if self.take(".") {
                tree = self.behind_point(tree)?;
            } else if self.take("[") {
                let index = self.expression()?;
                self.expect("]")?;
                let span = self.since(tree.ast.span);
                let below = tree.depth.max(index.depth);
                let kind = AstKind::Index { of: Box::new(tree.ast), index: Box::new(index.ast) };
                tree = self.tree(kind, span, below)?;
            } else if self.is(".?") || self.is("[?") {
                return Err(self
                    .problem("optional members are not part of the language; write `a.b ?? c`".to_owned()));
            } else if self.is("{") {
                return Err(self.problem("an object needs no name before `{`".to_owned()));
            } else {
                return Ok(tree);
            }
        }
    }

    fn behind_point(&mut self, tree: Tree) -> Parsed {
        let name_span = self.span();
        let (name, quoted) = match self.peek() {
            TokenKind::Name(name) if !is_reserved(name) => (name.clone(), false),
            TokenKind::Quoted(name) => (name.clone(), true),
            _ => {
                let found = self.found();
                return Err(self.problem(format!("expected a name behind the point, found {found}")));
            }
        };
        self.advance();
        if quoted || !self.take("(") {
            let span = self.since(tree.ast.span);
            let kind = AstKind::Member { of: Box::new(tree.ast), name, name_span };
            return self.tree(kind, span, tree.depth);
        }
        let (arguments, below) = self.items(")")?;
        let span = self.since(tree.ast.span);
        let below = below.max(tree.depth);
        self.tree(
            AstKind::Call { receiver: Some(Box::new(tree.ast)), name, name_span, arguments },
            span,
            below,
        )
    }

    fn primary(&mut self) -> Parsed {
        let start = self.span();
        match self.peek().clone() {
            TokenKind::Integer(value) => {
                let value = i64::try_from(value).map_err(|_| self.too_large())?;
                self.advance();
                self.tree(AstKind::Literal(Value::Integer(value)), start, 0)
            }
            TokenKind::Literal(value) => {
                self.advance();
                self.tree(AstKind::Literal(value), start, 0)
            }
            TokenKind::Name(name) => {
                self.advance();
                self.named(name, start)
            }
            TokenKind::Symbol(".") => {
                self.advance();
                match self.peek().clone() {
                    TokenKind::Name(name) if !is_reserved(&name) => {
                        let start = self.span();
                        self.advance();
                        self.named(name, start)
                    }
                    _ => Err(self.problem("expected a name behind the point".to_owned())),
                }
            }
            TokenKind::Symbol("(") => {
                self.advance();
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            TokenKind::Symbol("[") => {
                self.advance();
                let (items, below) = self.items("]")?;
                self.tree(AstKind::List(items), self.since(start), below)
            }
            TokenKind::Symbol("{") => {
                self.advance();
                self.map_literal(start)
            }
            TokenKind::Symbol("[?") => {
                Err(self.problem("optional items are not part of the language".to_owned()))
            }
            _ => {
                let found = self.found();
                Err(self.problem(format!("expected a value, found {found}")))
            }
        }
    }

    fn named(&mut self, name: Arc<str>, start: Span) -> Parsed {
        let literal = match &*name {
            "true" => Value::Boolean(true),
            "false" => Value::Boolean(false),
            "null" => Value::Null,
            "in" => {
                return Err(SyntaxProblem {
                    problem: "expected a value, found `in`".into(),
                    span: start,
                    fix: None,
                });
            }
            _ if self.take("(") => {
                let (arguments, below) = self.items(")")?;
                let kind = AstKind::Call { receiver: None, name, name_span: start, arguments };
                return self.tree(kind, self.since(start), below);
            }
            _ => return self.tree(AstKind::Name(name), start, 0),
        };
        self.tree(AstKind::Literal(literal), start, 0)
    }

    /// Expressions with commas between them, up to the closing symbol; a last comma is free in lists.
    fn items(&mut self, close: &'static str) -> Parsed<(Vec<Ast>, u32)> {
        let mut items = Vec::new();
        let mut below = 0;
        while !self.take(close) {
            let item = self.expression()?;
            below = below.max(item.depth);
            items.push(item.ast);
            if !self.take(",") {
                self.expect(close)?;
                break;
            }
            if close == ")" && self.is(close) {
                return Err(self.problem("expected a value, found `)`".to_owned()));
            }
        }
        Ok((items, below))
    }

    fn map_literal(&mut self, start: Span) -> Parsed {
        let mut entries = Vec::new();
        let mut below = 0;
        while !self.take("}") {
            let key = self.expression()?;
            self.expect(":")?;
            let value = self.expression()?;
            below = below.max(key.depth).max(value.depth);
            entries.push((key.ast, value.ast));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        self.tree(AstKind::Map(entries), self.since(start), below)
    }
}

fn is_reserved(name: &str) -> bool {
    matches!(name, "true" | "false" | "null" | "in")
}
