//! What becomes of ranges of a batch: activated once, made void once, and never used again. Pure.

use std::str::FromStr;

/// What a range may be besides 未激活.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeState {
    /// 已激活: on a product.
    Active,
    /// 已作废: never activated any more.
    Void,
}

impl CodeState {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Void => "void",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "已激活",
            Self::Void => "已作废",
        }
    }
}

impl FromStr for CodeState {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        let known = [Self::Active, Self::Void].into_iter().find(|state| state.code() == code);
        known.ok_or_else(|| format!("code_span.state is {code}"))
    }
}

/// What is done with ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeVerb {
    /// 激活
    Activate,
    /// 作废
    Void,
    /// 损耗: spoilt in printing or labelling.
    Loss,
}

impl CodeVerb {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Void => "void",
            Self::Loss => "loss",
        }
    }
}

/// Numbers of a batch from one to another, both of them in it; they count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Range {
    pub(crate) fn len(self) -> i64 {
        self.last - self.first + 1
    }

    fn common(self, other: Self) -> Option<Self> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        (first <= last).then_some(Self { first, last })
    }
}

/// A range with what became of it, and the act that activated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) range: Range,
    pub(crate) state: CodeState,
    pub(crate) act: Option<String>,
}

/// Why a range cannot be taken: where, and what is there already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) at: i64,
    pub(crate) state: CodeState,
}

/// What an act leaves of the spans it touches, instead of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turned {
    pub(crate) spans: Vec<Span>,
    /// How many codes more are active; fewer where negative.
    pub(crate) activated: i64,
    /// How many codes more are void.
    pub(crate) voided: i64,
}

/// Applies a verb to a range. `touched` are the spans that overlap it, in order.
pub(crate) fn turn(
    touched: &[Span],
    range: Range,
    (verb, act): (CodeVerb, &str),
) -> Result<Turned, Taken> {
    let taken = |span: &Span| {
        let at = span.range.common(range).map_or(range.first, |common| common.first);
        Taken { at, state: span.state }
    };
    if verb == CodeVerb::Activate {
        if let Some(span) = touched.first() {
            return Err(taken(span));
        }
        let span = Span { range, state: CodeState::Active, act: Some(String::from(act)) };
        return Ok(Turned { spans: vec![span], activated: range.len(), voided: 0 });
    }
    if let Some(span) = touched.iter().find(|span| span.state == CodeState::Void) {
        return Err(taken(span));
    }
    let mut turned = Turned { voided: range.len(), ..Turned::default() };
    let mut free = range.first;
    let void = |range, act| Span { range, state: CodeState::Void, act };
    for span in touched {
        let Some(common) = span.range.common(range) else { continue };
        if free < common.first {
            turned.spans.push(void(Range { first: free, last: common.first - 1 }, None));
        }
        for kept in [
            Range { first: span.range.first, last: common.first - 1 },
            Range { first: common.last + 1, last: span.range.last },
        ] {
            if kept.first <= kept.last {
                turned.spans.push(Span { range: kept, ..span.clone() });
            }
        }
        turned.spans.push(void(common, span.act.clone()));
        turned.activated -= common.len();
        free = common.last + 1;
    }
    if free <= range.last {
        turned.spans.push(void(Range { first: free, last: range.last }, None));
    }
    turned.spans.sort_by_key(|span| span.range.first);
    Ok(turned)
}

/// Numbers in any order as ranges.
pub(crate) fn ranges(mut numbers: Vec<i64>) -> Vec<Range> {
    numbers.sort_unstable();
    numbers.dedup();
    let mut found: Vec<Range> = Vec::new();
    for number in numbers {
        match found.last_mut() {
            Some(range) if range.last + 1 == number => range.last = number,
            _ => found.push(Range { first: number, last: number }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: i64, last: i64) -> Range {
        Range { first, last }
    }

    fn span(first: i64, last: i64, state: CodeState) -> Span {
        Span { range: range(first, last), state, act: Some(String::from("a")) }
    }

    #[test]
    fn a_code_is_activated_once_and_a_void_one_never() {
        let turned = turn(&[], range(0, 9), (CodeVerb::Activate, "a")).unwrap();
        assert_eq!(turned.spans, [span(0, 9, CodeState::Active)]);
        assert_eq!((turned.activated, turned.voided), (10, 0));
        for state in [CodeState::Active, CodeState::Void] {
            let refused = turn(&[span(5, 20, state)], range(0, 9), (CodeVerb::Activate, "b"));
            assert_eq!(refused, Err(Taken { at: 5, state }));
        }
        let void = [span(5, 20, CodeState::Void)];
        assert!(turn(&void, range(0, 9), (CodeVerb::Loss, "b")).is_err());
    }

    #[test]
    fn what_is_made_void_in_the_middle_leaves_both_ends() {
        let touched = [span(0, 9, CodeState::Active), span(20, 29, CodeState::Active)];
        let turned = turn(&touched, range(5, 24), (CodeVerb::Void, "b")).unwrap();
        let told: Vec<_> =
            turned.spans.iter().map(|one| (one.range.first, one.range.last, one.state)).collect();
        assert_eq!(
            told,
            [
                (0, 4, CodeState::Active),
                (5, 9, CodeState::Void),
                (10, 19, CodeState::Void),
                (20, 24, CodeState::Void),
                (25, 29, CodeState::Active),
            ]
        );
        assert_eq!((turned.activated, turned.voided), (-10, 20));
    }

    #[test]
    fn numbers_become_ranges() {
        assert_eq!(ranges(vec![3, 1, 2, 7, 7]), [range(1, 3), range(7, 7)]);
        assert!(ranges(Vec::new()).is_empty());
    }
}
