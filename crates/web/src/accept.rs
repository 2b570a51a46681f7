//! What a reader would rather have (RFC 9110 §12.5): media types by their weights, languages by theirs.

/// One entry of an `Accept` header.
struct Wanted<'a> {
    range: &'a str,
    /// Thousandths.
    weight: u32,
    place: usize,
}

fn read(header: &str) -> impl Iterator<Item = Wanted<'_>> {
    header.split(',').enumerate().filter_map(|(place, entry)| {
        let mut parts = entry.split(';').map(str::trim);
        let range = parts.next().filter(|range| !range.is_empty())?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        let weight = weight.map_or(Some(1_000), thousandths)?;
        Some(Wanted { range, weight, place })
    })
}

/// `0.8`, `1`, `0.333`; anything else is no weight, and its entry none.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let rest = format!("{rest:0<3}").parse::<u32>().ok()?;
    match whole {
        "0" => Some(rest),
        "1" if rest == 0 => Some(1_000),
        _ => None,
    }
}

/// How well a range fits a type: 3 exactly, 2 by its first half, 1 whatever it is.
fn fit(range: &str, offer: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(offer) {
        return Some(3);
    }
    let kind = offer.split('/').next().unwrap_or_default();
    match range.split_once('/') {
        Some(("*", "*")) => Some(1),
        Some((first, "*")) if first.eq_ignore_ascii_case(kind) => Some(2),
        _ => None,
    }
}

/// Which of the types on offer a reader would rather have: that of the highest weight; of equals the one
/// that is named, then the one that is named first. Who says nothing, or wants none of them, is given
/// the first.
pub(crate) fn preferred<'a>(header: &str, offers: &[&'a str]) -> &'a str {
    let said: Vec<Wanted<'_>> = read(header).collect();
    let rank = |offer: &&'a str| {
        let found = said.iter().filter_map(|one| Some((fit(one.range, offer)?, one)));
        // Of the entries that fit, the most particular counts.
        found.max_by_key(|(fit, one)| (*fit, std::cmp::Reverse(one.place)))
    };
    let mut best: Option<(u32, u8, std::cmp::Reverse<usize>, &'a str)> = None;
    for offer in offers {
        let Some((fit, one)) = rank(offer).filter(|(_, one)| one.weight > 0) else { continue };
        let place = std::cmp::Reverse(if fit == 3 { one.place } else { 0 });
        let this = (one.weight, fit, place, *offer);
        if best.is_none_or(|known| (this.0, this.1, this.2) > (known.0, known.1, known.2)) {
            best = Some(this);
        }
    }
    best.map_or(offers[0], |(_, _, _, offer)| offer)
}

/// Whether a reader says of this very type that it takes it.
pub(crate) fn names(header: &str, kind: &str) -> bool {
    read(header).any(|one| one.weight > 0 && one.range.eq_ignore_ascii_case(kind))
}

/// Languages a reader knows, the best first, by their first part.
pub(crate) fn languages(header: &str) -> Vec<&str> {
    let mut said: Vec<Wanted<'_>> = read(header).filter(|one| one.weight > 0).collect();
    said.sort_by_key(|one| (std::cmp::Reverse(one.weight), one.place));
    said.into_iter().filter_map(|one| one.range.split('-').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_decide_and_what_is_named_goes_before_what_is_not() {
        const OFFERS: [&str; 4] =
            ["text/html", "application/linkset+json", "application/linkset", "application/json"];
        for (accept, wanted) in [
            ("", "text/html"),
            ("*/*", "text/html"),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
            ("application/linkset+json", "application/linkset+json"),
            ("application/linkset+json;q=0", "text/html"),
            ("application/linkset+json;q=0, */*", "text/html"),
            ("application/linkset", "application/linkset"),
            ("application/linkset+json;q=0.5, application/linkset", "application/linkset"),
            ("application/json, text/plain, */*", "application/json"),
            ("text/html;q=0.3, application/json;q=0.4", "application/json"),
            ("application/json;q=0.001", "application/json"),
            ("application/json;q=0.0", "text/html"),
            ("application/json;q=2", "text/html"),
            ("application/*", "application/linkset+json"),
            ("APPLICATION/JSON", "application/json"),
            ("application/json;charset=utf-8;q=0.9", "application/json"),
            ("image/png", "text/html"),
        ] {
            assert_eq!(preferred(accept, &OFFERS), wanted, "{accept}");
        }
        for (accept, named) in [
            ("TEXT/html;q=0.1", true),
            ("text/html;q=0", false),
            ("text/*", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(names(accept, "text/html"), named, "{accept}");
        }
        assert_eq!(languages("fr;q=0.2, en-US;q=0.9, zh-CN, de;q=0"), ["zh", "en", "fr"]);
    }
}
