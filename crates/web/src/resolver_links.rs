//! The links of an identifier: a linkset (RFC 9264) for machines, one of them for browsers. Pure.

use serde_json::{Map, Value, json};
use yj_product::LINK_TYPES;

/// GS1's vocabulary of link types.
const VOCABULARY: &str = "https://gs1.org/voc/";

/// One link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// See [`LINK_TYPES`], or `defaultLink`.
    pub(crate) kind: String,
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) language: String,
    pub(crate) media_type: String,
}

/// What a request wants of the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of them.
    All,
    /// One, of this type.
    One(String),
}

impl Asked {
    /// From `linkType` and `Accept`. `gs1:pip`, the address of the type, and `pip` are the same.
    pub(crate) fn read(link_type: Option<&str>, accept: &str) -> Self {
        let kind = link_type.map(|text| {
            text.strip_prefix("gs1:").or_else(|| text.strip_prefix(VOCABULARY)).unwrap_or(text)
        });
        match kind {
            Some("linkset" | "all") => Self::All,
            _ if accept.contains("application/linkset+json") => Self::All,
            Some(kind) if !kind.is_empty() => Self::One(String::from(kind)),
            _ => Self::One(String::from("defaultLink")),
        }
    }
}

/// The platform's own links behind a page; `parts` are its sections by link type.
pub(crate) fn own(page: &str) -> Vec<Link> {
    const SECTIONS: [(&str, &str); 5] = [
        ("defaultLink", ""),
        ("pip", "#product"),
        ("traceability", "#steps"),
        ("certificationInfo", "#seal"),
        ("recallStatus", "#state"),
    ];
    let link = |(kind, section): (&str, &str)| Link {
        kind: String::from(kind),
        href: format!("{page}{section}"),
        title: String::from(title(kind)),
        language: String::from("zh"),
        media_type: String::from("text/html"),
    };
    SECTIONS.into_iter().map(link).collect()
}

fn title(kind: &str) -> &str {
    let found = LINK_TYPES.iter().find(|(code, _)| *code == kind);
    found.map_or("产品追溯页", |(_, label)| label)
}

/// The link of a type that suits the reader best: what the owner gave before what the platform
/// has of itself, a language the reader knows before another.
pub(crate) fn best<'a>(links: &'a [Link], kind: &str, languages: &str) -> Option<&'a Link> {
    let known = |link: &Link| {
        languages.split(',').any(|one| {
            let one = one.split(';').next().unwrap_or_default().trim();
            one.split('-').next() == Some(link.language.as_str())
        })
    };
    let of_kind = || links.iter().filter(|link| link.kind == kind);
    of_kind().find(|link| known(link)).or_else(|| of_kind().next())
}

/// The document of RFC 9264.
pub(crate) fn linkset(anchor: &str, description: &str, links: &[Link]) -> Value {
    let mut context = Map::new();
    context.insert(String::from("anchor"), anchor.into());
    context.insert(String::from("itemDescription"), description.into());
    for link in links {
        let target = json!({
            "href": link.href, "title": link.title, "hreflang": [link.language],
            "type": link.media_type,
        });
        let kind = format!("{VOCABULARY}{}", link.kind);
        let targets = context.entry(kind).or_insert_with(|| json!([]));
        if let Value::Array(targets) = targets {
            targets.push(target);
        }
    }
    json!({ "linkset": [context] })
}

/// `/.well-known/gs1resolver`
pub(crate) fn description(name: &str, root: &str) -> Value {
    let supported = LINK_TYPES
        .iter()
        .map(|(code, title)| json!({ "uri": format!("{VOCABULARY}{code}"), "title": title }));
    json!({
        "name": name, "resolverRoot": root,
        "supportedPrimaryKeys": ["00", "01", "414", "417", "8003", "8004", "8006", "8017", "8018"],
        "supportedLinkType": [{ "namespace": VOCABULARY, "prefix": "gs1:", "profile": "https://www.gs1.org/voc/" }],
        "supportedLinkTypes": supported.collect::<Vec<_>>(),
        "linkTypeDefaultCanBeLinkset": false, "supportsSemanticInterpretation": false,
        "validatesLinks": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_from_query_and_header() {
        let one = |kind: &str| Asked::One(String::from(kind));
        assert_eq!(Asked::read(None, "text/html"), one("defaultLink"));
        assert_eq!(Asked::read(Some("gs1:pip"), ""), one("pip"));
        assert_eq!(Asked::read(Some("https://gs1.org/voc/recallStatus"), ""), one("recallStatus"));
        assert_eq!(Asked::read(Some("linkset"), ""), Asked::All);
        assert_eq!(Asked::read(Some("all"), ""), Asked::All);
        assert_eq!(Asked::read(None, "application/linkset+json"), Asked::All);
    }

    #[test]
    fn the_reader_s_language_and_the_owner_s_link_come_first() {
        let mut links = own("https://a.cn/t/1");
        let given = |language: &str, href: &str| Link {
            kind: String::from("pip"),
            href: String::from(href),
            title: String::from("示例"),
            language: String::from(language),
            media_type: String::from("text/html"),
        };
        links.insert(0, given("zh", "https://b.cn/zh"));
        links.insert(1, given("en", "https://b.cn/en"));
        assert_eq!(best(&links, "pip", "en-US,en;q=0.9").unwrap().href, "https://b.cn/en");
        assert_eq!(best(&links, "pip", "zh-CN").unwrap().href, "https://b.cn/zh");
        assert_eq!(best(&links, "pip", "fr").unwrap().href, "https://b.cn/zh");
        assert_eq!(best(&links, "safetyInfo", "zh"), None);
        let document = linkset("https://a.cn/01/1", "示例", &links);
        let pip = document["linkset"][0]["https://gs1.org/voc/pip"].as_array().unwrap();
        assert_eq!(pip.len(), 3);
    }
}
