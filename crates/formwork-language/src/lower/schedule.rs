//! Reads the head of a standing step: ``Every `10 min`, starting at `02:00`:``, ``Every Monday at `04:00`:``
//!
//! Source: language reference, *Without a request*.

use crate::functions::is_zone;
use crate::lower::handlers::{self, WHEN, When};
use crate::program::{CalendarDays, Schedule};
use crate::steps::clause::Misread;
use crate::steps::reading::sentence_of;
use crate::steps::{Form, Grammar};
use crate::tokens::{Sentence, Token};
use formwork_model::values::parse_duration;

/// What a responsibility says about when it is carried out.
pub(super) enum Standing {
    /// By the clock; with the step that follows in the same sentence.
    Every(Schedule, Option<Sentence>),
    /// After the commit of something; with the step that follows in the same sentence.
    When(When, Option<Sentence>),
    /// It begins like one and does not parse.
    Misread(&'static Form, Misread),
}

/// For messages; a schedule is no step.
pub(super) static EVERY: Form = Form {
    name: "Every",
    heads: &[],
    notation: "Every `1 min` [, starting at `02:00`]: · Every day / Monday / month on day N at `04:00` \
               [in `Europe/Berlin`]:",
    tails: &[],
    grammar: Grammar::Unsupported,
};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const DAY: i64 = 86_400_000_000;

/// Reads a responsibility; nothing when it is narrative: without steps below it and without a colon.
pub(super) fn read(source: &str, sentence: &Sentence, nested: bool) -> Option<Standing> {
    let tokens = &sentence.tokens;
    let first = tokens.first()?.word()?;
    let colon = tokens.iter().rposition(|token| token.is_sign(':'));
    if !nested && colon.is_none() {
        return None;
    }
    let end = colon.unwrap_or(tokens.len());
    match first {
        "every" => {}
        "when" => {
            let Some(colon) = colon else { return Some(without_colon(&WHEN, sentence)) };
            let rest = sentence_of(tokens[colon + 1..].to_vec());
            return Some(match handlers::read(&tokens[1..colon], sentence.span) {
                Ok(_) if rest.is_none() && !nested => without_steps(&WHEN, sentence),
                Ok(when) => Standing::When(when, rest),
                Err(misread) => Standing::Misread(&WHEN, misread),
            });
        }
        "at" if tokens.get(1).is_some_and(|token| token.is("start-up") || token.is("startup")) => {
            let rest = sentence_of(tokens[end..].iter().skip(1).cloned().collect());
            return Some(Standing::Every(Schedule::StartUp, rest));
        }
        _ => return None,
    }
    if colon.is_none() {
        return Some(without_colon(&EVERY, sentence));
    }
    let mut head = Head { source, tokens: &tokens[1..end], at: 0, sentence };
    let schedule = match head.schedule().and_then(|schedule| head.end().map(|()| schedule)) {
        Ok(schedule) => schedule,
        Err(misread) => return Some(Standing::Misread(&EVERY, misread)),
    };
    let rest = sentence_of(tokens[end + 1..].to_vec());
    if rest.is_none() && !nested {
        return Some(without_steps(&EVERY, sentence));
    }
    Some(Standing::Every(schedule, rest))
}

fn without_colon(form: &'static Form, sentence: &Sentence) -> Standing {
    let expected = "a colon before the steps below".to_owned();
    Standing::Misread(form, Misread { word: None, expected, span: sentence.span })
}

fn without_steps(form: &'static Form, sentence: &Sentence) -> Standing {
    let expected = "steps below".to_owned();
    Standing::Misread(form, Misread { word: None, expected, span: sentence.span })
}

struct Head<'t> {
    source: &'t str,
    tokens: &'t [Token],
    at: usize,
    sentence: &'t Sentence,
}

impl Head<'_> {
    fn schedule(&mut self) -> Result<Schedule, Misread> {
        let days = match self.peek().and_then(Token::word) {
            Some("day") => Some(CalendarDays::Every),
            Some("month") => {
                self.at += 1;
                self.words(&["on", "day"])?;
                let text = self.shown();
                let day = text.parse().ok().filter(|day| (1..=31).contains(day));
                Some(CalendarDays::DayOfMonth(day.ok_or_else(|| self.misread("a day from 1 to 31"))?))
            }
            Some(word) => WEEKDAYS
                .iter()
                .position(|day| *day == word)
                .and_then(|at| u8::try_from(at + 1).ok())
                .map(CalendarDays::Weekday),
            None => None,
        };
        match days {
            Some(days) => {
                self.at += 1;
                self.calendar(days)
            }
            None => self.interval(),
        }
    }

    fn calendar(&mut self, days: CalendarDays) -> Result<Schedule, Misread> {
        let mut zone = "UTC".to_owned();
        self.words(&["at"])?;
        let at = self.time_of_day()?;
        if self.peek().is_some_and(|token| token.is("in")) {
            self.at += 1;
            zone = self.shown();
            if !is_zone(&zone) {
                return Err(self.misread("a time zone, such as `Europe/Berlin`"));
            }
            self.at += 1;
        }
        Ok(Schedule::Calendar { days, at, zone: zone.into() })
    }

    fn interval(&mut self) -> Result<Schedule, Misread> {
        let from = self.at;
        let mut text = String::new();
        while let Some(token) = self.peek().filter(|token| !token.is_sign(',') && !token.is("starting")) {
            text.push_str(&token.shown(self.source));
            text.push(' ');
            self.at += 1;
        }
        let every = parse_duration(text.trim()).or_else(|| parse_duration(&format!("1 {}", text.trim())));
        let Some(every) = every.filter(|every| *every > 0) else {
            self.at = from;
            return Err(self.misread("a duration such as `10 min`, `day`, or a day of the week"));
        };
        while self.peek().is_some_and(|token| token.is_sign(',')) {
            self.at += 1;
        }
        let mut offset = 0;
        if self.peek().is_some_and(|token| token.is("starting")) {
            self.at += 1;
            self.words(&["at"])?;
            offset = self.time_of_day()? % every;
        }
        Ok(Schedule::Interval { every, offset })
    }

    /// `04:00`, `04:00:30`, with or without backticks; microseconds since midnight.
    fn time_of_day(&mut self) -> Result<i64, Misread> {
        let mut text = self.shown();
        if self.peek().is_some_and(|token| token.code().is_none()) {
            while self.tokens.get(self.at + 1).is_some_and(|token| token.is_sign(':')) {
                self.at += 2;
                text = format!("{text}:{}", self.shown());
            }
        }
        let mut total = 0;
        let mut pieces = 0;
        for (piece, (unit, bound)) in text.split(':').zip([(3600, 24), (60, 60), (1, 60)]) {
            let number: Option<i64> = piece.parse().ok().filter(|number| (0..bound).contains(number));
            total += unit * number.ok_or_else(|| self.misread("a time of day, such as `04:00`"))?;
            pieces += 1;
        }
        if pieces < 2 || text.split(':').count() > 3 {
            return Err(self.misread("a time of day, such as `04:00`"));
        }
        self.at += 1;
        Ok((total * 1_000_000).min(DAY))
    }

    fn words(&mut self, words: &[&str]) -> Result<(), Misread> {
        for word in words {
            if !self.peek().is_some_and(|token| token.is(word)) {
                return Err(self.misread(&format!("`{word}`")));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Misread> {
        if self.at < self.tokens.len() { Err(self.misread("a colon")) } else { Ok(()) }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn shown(&self) -> String {
        self.peek().map(|token| token.shown(self.source).trim().to_owned()).unwrap_or_default()
    }

    fn misread(&self, expected: &str) -> Misread {
        let span = self.peek().map_or(self.sentence.span, |token| token.span);
        let word = self.peek().map(|token| token.shown(self.source));
        Misread { word, expected: expected.to_owned(), span }
    }
}
