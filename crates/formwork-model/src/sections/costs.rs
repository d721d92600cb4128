//! Section 9, *Cost Controls*: what a call costs, and what may be spent.
//!
//! Two sentences: ``each `complete` costs `EXPR` USD, at most `EXPR` USD`` and ``budget 50 USD per `team_id` per month,
//! alert at 80%, refuse with `402 budget_exhausted` at 100%``. What begins like one of them and goes on otherwise is
//! [`BudgetKind::NotUnderstood`]: money is never guessed. What the expressions mean is the language's business.
//! Source: docs/reference/cost.md.

use crate::facts::{Outcome, Prose};
use crate::reader::{Entry, Reader};
use crate::tokens::{Token, TokenKind, outer, split, starts_with_words};
use crate::values::{is_currency, parse_money, parse_number, parse_outcome, parse_percent};
use formwork_syntax::{Span, Spanned};

/// A line of *Cost Controls*.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What kind.
    pub kind: BudgetKind,
    /// As written.
    pub text: Prose,
}

/// The kinds of [`Budget`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetKind {
    /// ``- each `create_link` costs `0.0001` USD``
    Cost {
        /// The operations.
        operations: Vec<Spanned<String>>,
        /// The amount or expression as written.
        amount: Spanned<String>,
        /// `at most`: the amount or expression that is kept back before, and never exceeded.
        at_most: Option<Spanned<String>>,
        /// ISO 4217.
        currency: String,
    },
    /// `- budget 5 USD per caller per month, …`
    Budget {
        /// The operations that it is for; empty for all that cost something.
        operations: Vec<Spanned<String>>,
        /// Exact decimal.
        amount: String,
        /// ISO 4217.
        currency: String,
        /// `caller`, a field or an expression; absent for everybody together.
        per: Option<Spanned<String>>,
        /// When it begins anew.
        period: BudgetPeriod,
        /// Percentages at which an alert is raised.
        alerts: Vec<String>,
        /// The event that tells of an alert; absent for the usual one.
        event: Option<Spanned<String>>,
        /// The refusal.
        refusal: Option<Outcome>,
    },
    /// It reads like one of the two and is not.
    NotUnderstood {
        /// From where on.
        span: Span,
        /// What was expected there.
        expected: &'static str,
    },
    /// Prose.
    Prose,
}

/// When a budget begins anew; by UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BudgetPeriod {
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each Monday.
    Week,
    /// On the first of a month.
    Month,
    /// On the first of January.
    Year,
    /// Never.
    Total,
}

impl BudgetPeriod {
    /// `month`; `total` for one that never begins anew.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
            Self::Total => "total",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "hour" | "hourly" => Self::Hour,
            "day" | "daily" => Self::Day,
            "week" | "weekly" => Self::Week,
            "month" | "monthly" => Self::Month,
            "year" | "yearly" | "annual" | "annually" => Self::Year,
            "total" => Self::Total,
            _ => return None,
        })
    }
}

/// What does not parse: from where on, and what was expected.
type Misread = (Span, &'static str);

/// Reads an entry; gives whether it is a fact.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry<'_>) -> bool {
    let tokens = reader.tokens(entry.text);
    let tokens = match tokens.as_slice() {
        [own @ .., end] if end.is_mark(".") => own,
        own => own,
    };
    let kind = cost(tokens).or_else(|| budget(tokens)).map_or(BudgetKind::Prose, |read| {
        read.unwrap_or_else(|(span, expected)| BudgetKind::NotUnderstood { span, expected })
    });
    let is_fact = kind != BudgetKind::Prose;
    let text = reader.prose(entry.text);
    reader.model.budgets.push(Budget { kind, text });
    is_fact
}

/// ``each `a`, `b` costs `EXPR` USD[, at most `EXPR` USD]``; nothing when it does not read like a cost.
fn cost(tokens: &[Token<'_>]) -> Option<Result<BudgetKind, Misread>> {
    let at = tokens.iter().position(|token| token.is_word("costs") || token.is_word("cost"))?;
    let (before, behind) = (&tokens[..at], &tokens[at + 1..]);
    let leads = ["each", "every", "a", "an", "call", "request", "calls", "of", "to", "and", "or", "the"];
    let is_lead = |token: &Token<'_>| {
        leads.iter().any(|word| token.is_word(word)) || token.is_mark(",") || token.is_code()
    };
    let operations: Vec<_> = before.iter().filter(|token| token.is_code()).map(Token::spanned).collect();
    if operations.is_empty() || !before.iter().all(is_lead) {
        return None;
    }
    Some(cost_of(operations, &tokens[at], behind))
}

fn cost_of(
    operations: Vec<Spanned<String>>,
    verb: &Token<'_>,
    tokens: &[Token<'_>],
) -> Result<BudgetKind, Misread> {
    let (amount, currency, mut rest) = priced(tokens, verb.span)?;
    let currency =
        currency.ok_or((rest.first().map_or(amount.span, |next| next.span), "a currency such as `USD`"))?;
    while let Some((mark, behind)) = rest.split_first().filter(|(mark, _)| mark.is_mark(",")) {
        if behind.is_empty() {
            return Err((mark.span, "`at most` and an amount"));
        }
        rest = behind;
    }
    let words: &[&[&str]] = &[&["at", "most"], &["up", "to"], &["no", "more", "than"], &["max"]];
    let mut at_most = None;
    if let Some(bound) = words.iter().find(|words| starts_with_words(rest, words)) {
        let (most, other, behind) = priced(&rest[bound.len()..], rest[0].span)?;
        if other.is_some_and(|other| other != currency) {
            return Err((most.span, "the same currency as before"));
        }
        (at_most, rest) = (Some(most), behind);
    }
    // `per call` says what *each* says.
    if starts_with_words(rest, &["per", "call"]) || starts_with_words(rest, &["per", "request"]) {
        rest = &rest[2..];
    }
    match rest.first() {
        Some(token) => Err((token.span, "`, at most` and an amount, or the end of the line")),
        None => Ok(BudgetKind::Cost { operations, amount, at_most, currency }),
    }
}

/// An amount or an expression in code, its currency if one is named, and what follows.
#[allow(clippy::type_complexity, reason = "three things in a row that no other place needs")]
fn priced<'a, 't>(
    tokens: &'a [Token<'t>],
    before: Span,
) -> Result<(Spanned<String>, Option<String>, &'a [Token<'t>]), Misread> {
    let Some((first, rest)) = tokens.split_first() else {
        return Err((before, "an amount, or an expression in backticks, and a currency"));
    };
    if let Some((amount, currency)) = parse_money(&first.text) {
        return Ok((Spanned::new(amount, first.span), Some(currency), rest));
    }
    let amount = match parse_number(&first.text) {
        Some(number) => Spanned::new(number, first.span),
        None if first.is_code() => first.spanned(),
        None => return Err((first.span, "an amount, or an expression in backticks")),
    };
    match rest.split_first() {
        Some((next, behind)) if is_currency(&next.text) => Ok((amount, Some(next.text.to_string()), behind)),
        _ => Ok((amount, None, rest)),
    }
}

/// ``budget 5 USD per caller per month, alert at 80%, refuse with `402 budget_exhausted` at 100%``; nothing when it does
/// not read like a budget.
fn budget(tokens: &[Token<'_>]) -> Option<Result<BudgetKind, Misread>> {
    let at = tokens.iter().position(|token| token.is_word("budget"))?;
    let (before, behind) = tokens.split_at(at);
    let is_lead = |token: &Token<'_>| matches!(token.kind, TokenKind::Word | TokenKind::Code);
    let says_money = behind.iter().any(|token| token.text.bytes().any(|byte| byte.is_ascii_digit()));
    if at > 3 || !before.iter().all(is_lead) || !says_money {
        return None;
    }
    Some(budget_of(before, behind))
}

fn budget_of(before: &[Token<'_>], tokens: &[Token<'_>]) -> Result<BudgetKind, Misread> {
    let word = &tokens[0];
    let clauses = split(&tokens[1..], |token| token.is_mark(",") || token.is_mark(";"));
    let mut clauses = clauses.into_iter().filter(|clause| !clause.is_empty());
    let mut share = Share {
        operations: before.iter().filter(|token| token.is_code()).map(Token::spanned).collect(),
        period: before.iter().find_map(|token| BudgetPeriod::of(&token.text)),
        ..Share::default()
    };
    share.read(clauses.next().unwrap_or_default())?;
    let mut tails = Tails::default();
    for clause in clauses {
        tails.read(clause)?;
    }
    let (amount, currency) = share.money.ok_or((word.span, MONEY))?;
    Ok(BudgetKind::Budget {
        operations: share.operations,
        amount,
        currency,
        per: share.per,
        period: share.period.unwrap_or(BudgetPeriod::Total),
        alerts: tails.alerts,
        event: tails.event,
        refusal: tails.refusal,
    })
}

const MONEY: &str = "an amount with its currency, such as `50 USD`";

/// How much for whom and how long: ``50 USD per `team_id` per month for `complete` ``.
#[derive(Default)]
struct Share {
    money: Option<(String, String)>,
    operations: Vec<Spanned<String>>,
    per: Option<Spanned<String>>,
    period: Option<BudgetPeriod>,
}

impl Share {
    fn read(&mut self, mut rest: &[Token<'_>]) -> Result<(), Misread> {
        let is_glue = |token: &Token<'_>| {
            token.is_mark(":") || ["of", "is", "at", "most", "in"].iter().any(|word| token.is_word(word))
        };
        while let Some((token, behind)) = rest.split_first() {
            rest = behind;
            if is_glue(token) {
                continue;
            }
            let own = token.text.split_once('/').map(|(_, period)| period).and_then(BudgetPeriod::of);
            if token.is_word("for") {
                rest = self.purpose(rest);
            } else if self.money.is_none() {
                let pair = rest.first().map(|next| format!("{} {}", token.text, next.text));
                if let Some(money) = parse_money(&token.text) {
                    self.money = Some(money);
                } else {
                    self.money = Some(pair.and_then(|pair| parse_money(&pair)).ok_or((token.span, MONEY))?);
                    rest = rest.get(1..).unwrap_or_default();
                }
            } else if token.is_mark("/")
                || ["per", "each", "every", "a"].iter().any(|word| token.is_word(word))
            {
                let whom = rest.first().ok_or((token.span, "for whom, or a period"))?;
                rest = self.whom(whom, &rest[1..])?;
            } else if let Some(period) = own.or_else(|| BudgetPeriod::of(&token.text)) {
                self.begins_anew(period, token)?;
            } else {
                return Err((token.span, "`per`, a period, or a comma and what happens then"));
            }
        }
        Ok(())
    }

    /// Operations in code; a word alone says what the money is for.
    fn purpose<'a, 't>(&mut self, rest: &'a [Token<'t>]) -> &'a [Token<'t>] {
        let is_part = |next: &&Token<'_>| {
            next.is_code() || next.is_mark(",") || next.is_word("and") || next.is_word("or")
        };
        let count = rest.iter().take_while(is_part).count();
        self.operations.extend(rest[..count].iter().filter(|next| next.is_code()).map(Token::spanned));
        &rest[if count > 0 { count } else { 1.min(rest.len()) }..]
    }

    /// What stands behind *per*: a period, or for whom.
    fn whom<'a, 't>(&mut self, whom: &Token<'t>, rest: &'a [Token<'t>]) -> Result<&'a [Token<'t>], Misread> {
        if let Some(period) = BudgetPeriod::of(&whom.text).filter(|_| !whom.is_code()) {
            self.begins_anew(period, whom)?;
            return Ok(rest);
        }
        if whom.kind == TokenKind::Mark {
            return Err((whom.span, "for whom, or a period"));
        }
        let (value, rest) = match (&*whom.text.to_lowercase(), rest.first()) {
            _ if whom.is_code() => (whom.text.to_string(), rest),
            ("api", Some(next)) if next.is_word("key") => ("caller".to_owned(), &rest[1..]),
            ("caller" | "user" | "key" | "client", _) => ("caller".to_owned(), rest),
            (word, _) => (word.to_owned(), rest),
        };
        match self.per.replace(Spanned::new(value, whom.span)) {
            Some(_) => Err((whom.span, "one `per`: for two, write an expression in backticks")),
            None => Ok(rest),
        }
    }

    fn begins_anew(&mut self, period: BudgetPeriod, token: &Token<'_>) -> Result<(), Misread> {
        match self.period.replace(period) {
            Some(other) if other != period => Err((token.span, "one period")),
            _ => Ok(()),
        }
    }
}

/// What happens when money runs out: `alert at 50% and 80%`, ``refuse with `402 budget_exhausted` at 100%``.
#[derive(Default)]
struct Tails {
    alerts: Vec<String>,
    event: Option<Spanned<String>>,
    refusal: Option<Outcome>,
    /// Whether the clause before was about alerts: `alert at 50%, 80% and 100%`.
    alerting: bool,
}

impl Tails {
    fn read(&mut self, clause: &[Token<'_>]) -> Result<(), Misread> {
        let clause = match clause {
            [and, rest @ ..] if and.is_word("and") || and.is_word("then") => rest,
            all => all,
        };
        let Some((first, rest)) = clause.split_first() else { return Ok(()) };
        let is = |words: &[&str]| words.iter().any(|word| first.is_word(word));
        if is(&["alert", "alerts", "warn", "warns"]) {
            self.alerting = true;
            // `alert at 80% and refuse with …` without a comma between them.
            let end = rest.iter().position(|token| token.is_word("refuse") || token.is_word("refuses"));
            let (own, other) = rest.split_at(end.unwrap_or(rest.len()));
            let own = match own {
                [own @ .., and] if and.is_word("and") && !other.is_empty() => own,
                own => own,
            };
            self.alerts(own, first.span)?;
            return self.read(other);
        }
        if self.alerting && parse_percent(&first.text).is_some() {
            return self.alerts(clause, first.span);
        }
        self.alerting = false;
        if is(&["refuse", "refuses", "otherwise"]) {
            return self.refuse(first, rest);
        }
        Err((outer(clause).unwrap_or(first.span), "`alert at 80%`, or ``refuse with `402 code` at 100%``"))
    }

    /// ``at 50% and 80% [with `event`]``
    fn alerts(&mut self, tokens: &[Token<'_>], place: Span) -> Result<(), Misread> {
        let before = self.alerts.len();
        for token in tokens {
            let glue = ["at", "and", "with", "by", "event", "as", "the"];
            if let Some(percent) = parse_percent(&token.text).filter(|_| !token.is_code()) {
                self.alerts.push(percent);
            } else if token.is_code() && self.event.is_none() {
                self.event = Some(token.spanned());
            } else if !glue.iter().any(|word| token.is_word(word)) {
                return Err((token.span, "percentages, such as `at 50% and 80%`"));
            }
        }
        if self.alerts.len() == before { Err((place, "percentages, such as `at 80%`")) } else { Ok(()) }
    }

    fn refuse(&mut self, verb: &Token<'_>, tokens: &[Token<'_>]) -> Result<(), Misread> {
        for token in tokens {
            if token.is_code() {
                let outcome =
                    parse_outcome(&token.text).filter(|outcome| (400..600).contains(&outcome.status));
                self.refusal =
                    Some(outcome.ok_or((token.span, "a status and a code, such as `402 budget_exhausted`"))?);
            } else if let Some(percent) = parse_percent(&token.text) {
                if percent != "100" {
                    return Err((token.span, "`100%`: what is refused earlier is a smaller budget"));
                }
            } else if !["with", "at"].iter().any(|word| token.is_word(word)) {
                return Err((token.span, "``with `402 code` at 100%``"));
            }
        }
        if tokens.is_empty() { Err((verb.span, "``with `402 code` at 100%``")) } else { Ok(()) }
    }
}
