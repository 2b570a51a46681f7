//! Where one page ends and the next begins. A token holds no secret and gives no right: whoever
//! shows it sees what they may see anyway.

use yj_crypto::sm3;
use yj_epcis::{Fault, query::Query};
use yj_kernel::Problem;

use super::problem::invalid;

/// How long a token holds.
const KEPT_MS: i64 = 3_600_000;
/// Events of one page where nothing is said.
pub(crate) const PER_PAGE: u64 = 30;

/// After which event the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its time in the order asked for, or how many came before.
    pub(crate) at: i64,
    /// Its number.
    pub(crate) seq: i64,
    /// The last event there was when the first page was asked for: pages are of one state.
    pub(crate) upto: i64,
    /// How many more `eventCountLimit` allows.
    pub(crate) left: Option<u64>,
    /// When it ends, Unix ms.
    pub(crate) expires: i64,
}

impl Token {
    pub(crate) fn new((at, seq): (i64, i64), upto: i64, left: Option<u64>, now: i64) -> Self {
        Self { at, seq, upto, left, expires: now + KEPT_MS }
    }

    /// As it goes out: only the same query may come back with it.
    pub(crate) fn write(self, query: &Query) -> String {
        let left = self.left.map_or_else(|| String::from("-"), |left| left.to_string());
        let Self { at, seq, upto, expires, .. } = self;
        format!("{at}.{seq}.{upto}.{left}.{expires}.{}", mark(query))
    }

    pub(crate) fn read(text: &str, query: &Query, now: i64) -> Result<Self, Problem> {
        let wrong = |detail: &str| {
            invalid(vec![Fault {
                pointer: String::from("/nextPageToken"),
                detail: String::from(detail),
            }])
        };
        let parts: Vec<&str> = text.split('.').collect();
        let &[at, seq, upto, left, expires, marked] = parts.as_slice() else {
            return Err(wrong("应为上一页答复中的 nextPageToken"));
        };
        let number =
            |text: &str| text.parse::<i64>().map_err(|_| wrong("应为上一页答复中的 nextPageToken"));
        let left = if left == "-" {
            None
        } else {
            Some(left.parse().map_err(|_| wrong("应为上一页答复中的 nextPageToken"))?)
        };
        let token = Self {
            at: number(at)?,
            seq: number(seq)?,
            upto: number(upto)?,
            left,
            expires: number(expires)?,
        };
        if token.expires < now {
            return Err(wrong("nextPageToken 已过期，请从第一页重新查询"));
        }
        if marked != mark(query) {
            return Err(wrong("nextPageToken 属于另一个查询，请保持查询参数不变"));
        }
        Ok(token)
    }
}

/// How long a page of names can be followed.
const NAMES_KEPT_MS: i64 = 86_400_000;

/// After which name the next page of a list begins. What goes out says which list it is of and until
/// when it holds, so that a token of another list, or none at all, is no first page.
pub(crate) struct NameToken<'a> {
    /// Path of the list.
    pub(crate) list: &'a str,
    /// The last name told.
    pub(crate) after: &'a str,
}

impl NameToken<'_> {
    /// As it goes out, and when it ends.
    pub(crate) fn write(&self, now: i64) -> (String, i64) {
        let expires = now + NAMES_KEPT_MS;
        (format!("{expires}.{}.{}", self.mark(expires), self.after), expires)
    }

    /// The name after which the page begins that this list was asked for.
    pub(crate) fn read<'t>(list: &str, text: &'t str, now: i64) -> Result<&'t str, Problem> {
        let wrong = |detail: &str| Problem::invalid("nextPageToken", detail);
        let unknown = || wrong("应为本列表上一页答复中的 nextPageToken");
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or_else(unknown);
        let (expires, marked, after) = (part()?, part()?, part()?);
        let expires: i64 = expires.parse().map_err(|_| unknown())?;
        if after.chars().any(char::is_control)
            || marked != (NameToken { list, after }).mark(expires)
        {
            return Err(unknown());
        }
        if expires < now {
            return Err(wrong("nextPageToken 已过期，请从第一页重新查询"));
        }
        Ok(after)
    }

    fn mark(&self, expires: i64) -> String {
        let text = format!("{}\n{expires}\n{}", self.list, self.after);
        String::from(&sm3::hex(&sm3::digest(text.as_bytes()))[..16])
    }
}

/// What tells one query from another, whatever the size of its pages.
fn mark(query: &Query) -> String {
    let Query { conditions, order_by, direction, event_count_limit, max_event_count, .. } = query;
    let text =
        format!("{conditions:?}{order_by:?}{direction:?}{event_count_limit:?}{max_event_count:?}");
    String::from(&sm3::hex(&sm3::digest(text.as_bytes()))[..16])
}

#[cfg(test)]
mod tests {
    use yj_epcis::Context;

    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went_with_the_same_query_alone() {
        let query = |text| Query::parse([("EQ_bizStep", text)], &Context::default()).unwrap();
        let token = Token::new((-5, 7), 9, Some(3), 1000);
        let text = token.write(&query("shipping"));
        assert_eq!(Token::read(&text, &query("shipping"), 1000).unwrap(), token);
        assert!(Token::read(&text, &query("receiving"), 1000).is_err());
        assert!(Token::read(&text, &query("shipping"), 1000 + KEPT_MS + 1).is_err());
        for damaged in ["", "1.2.3", "a.b.c.-.1.x", "\u{0}"] {
            assert!(Token::read(damaged, &query("shipping"), 0).is_err());
        }
    }

    #[test]
    fn a_token_of_names_is_of_its_list_alone() {
        let (text, expires) = NameToken { list: "/epcs", after: "urn:a.b.c" }.write(5);
        assert_eq!(NameToken::read("/epcs", &text, expires).unwrap(), "urn:a.b.c");
        assert!(NameToken::read("/epcs", &text, expires + 1).is_err());
        assert!(NameToken::read("/bizSteps", &text, 5).is_err());
        let other = text.replace("a.b.c", "a.b.d");
        for damaged in ["", "x", "..", "1.2.3", "urn:a.b.c", other.as_str()] {
            assert!(NameToken::read("/epcs", damaged, 5).is_err(), "{damaged}");
        }
    }
}
