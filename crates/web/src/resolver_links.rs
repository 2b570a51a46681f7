//! The links of an identifier: a linkset (RFC 9264) for machines, one of them for browsers. Pure.

use serde_json::{Map, Value, json};
use yj_model::link_keys;
use yj_product::LINK_TYPES;

use crate::accept;

/// GS1's vocabulary of link types, as linksets name it.
const VOCABULARY: &str = "https://gs1.org/voc/";
/// The same in every way that readers write it.
const VOCABULARIES: [&str; 5] = [
    "gs1:",
    VOCABULARY,
    "https://ref.gs1.org/voc/",
    "https://www.gs1.org/voc/",
    "http://gs1.org/voc/",
];

/// Where JSON becomes JSON-LD.
pub(crate) const CONTEXT: &str = "<https://ref.gs1.org/standards/resolver/linkset-context>; \
     rel=\"http://www.w3.org/ns/json-ld#context\"; type=\"application/ld+json\"";

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

/// How links are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/linkset+json`
    Linkset,
    /// The same as `application/json`.
    Json,
    /// `application/linkset`, the text of a `Link` header.
    Text,
}

impl Form {
    /// Media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Linkset => "application/linkset+json",
            Self::Json => "application/json",
            Self::Text => "application/linkset",
        }
    }
}

/// What a request wants of the links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of them.
    All(Form),
    /// One, of this type.
    One(String),
    /// The story itself.
    Story,
}

/// The name of a link type without its vocabulary.
pub(crate) fn bare_kind(text: &str) -> &str {
    VOCABULARIES.iter().find_map(|known| text.strip_prefix(known)).unwrap_or(text)
}

impl Asked {
    /// From `linkType` and `Accept`. `gs1:pip`, the address of the type, and `pip` are the same.
    pub(crate) fn read(link_type: Option<&str>, accept: &str) -> Self {
        let (html, story) = ("text/html", Form::Json.media_type());
        let (json, text) = (Form::Linkset.media_type(), Form::Text.media_type());
        let kind = link_type.map(bare_kind).filter(|kind| !kind.is_empty());
        if matches!(kind, Some("linkset" | "all")) {
            return match accept::preferred(accept, &[json, text, story]) {
                found if found == text => Self::All(Form::Text),
                found if found == story => Self::All(Form::Json),
                _ => Self::All(Form::Linkset),
            };
        }
        match (accept::preferred(accept, &[html, json, text, story]), kind) {
            (found, _) if found == json => Self::All(Form::Linkset),
            (found, _) if found == text => Self::All(Form::Text),
            // A machine that wants the story itself need not come twice.
            (found, None | Some("defaultLink")) if found == story => Self::Story,
            (_, kind) => Self::One(String::from(kind.unwrap_or("defaultLink"))),
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
    let of_kind = || links.iter().filter(|link| link.kind == kind);
    let known = accept::languages(languages);
    let in_language = known.iter().find_map(|name| of_kind().find(|link| link.language == *name));
    in_language.or_else(|| of_kind().next())
}

/// The link types that there are, as requests may name them.
pub(crate) fn kinds(links: &[Link]) -> Vec<String> {
    let mut kinds: Vec<String> = links.iter().map(|link| format!("gs1:{}", link.kind)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Some links of one anchor: the identifier itself, or what it is a part of.
pub(crate) struct Context<'a> {
    pub(crate) anchor: &'a str,
    pub(crate) description: &'a str,
    pub(crate) links: &'a [Link],
}

/// The document of RFC 9264. The default link bears a title and nothing else, for it is one whatever
/// the reader's language.
pub(crate) fn linkset(contexts: &[Context<'_>]) -> Value {
    let context = |of: &Context<'_>| {
        let mut context = Map::new();
        context.insert(String::from("anchor"), of.anchor.into());
        if !of.description.is_empty() {
            context.insert(String::from("description"), of.description.into());
            // Its name before version 1.1 of the schema; readers of then still look for it.
            context.insert(String::from("itemDescription"), of.description.into());
        }
        for link in of.links {
            let mut target = json!({ "href": link.href, "title": link.title });
            if link.kind != "defaultLink" {
                target["hreflang"] = json!([link.language]);
                target["type"] = link.media_type.as_str().into();
            }
            let kind = format!("{VOCABULARY}{}", link.kind);
            let targets = context.entry(kind).or_insert_with(|| json!([]));
            if let Value::Array(targets) = targets {
                targets.push(target);
            }
        }
        Value::Object(context)
    };
    json!({ "linkset": contexts.iter().map(context).collect::<Vec<_>>() })
}

/// The same as text: the entries of a `Link` header, one a line. What is not ASCII in a title is
/// written as RFC 8187 has it.
pub(crate) fn linkset_text(contexts: &[Context<'_>]) -> String {
    let line = |anchor: &str, link: &Link| {
        let title = percent_encoding::utf8_percent_encode(&link.title, TITLE);
        let mut line = format!(
            "<{}>; rel=\"{VOCABULARY}{}\"; anchor=\"{anchor}\"; title*=UTF-8''{title}",
            link.href, link.kind
        );
        if link.kind != "defaultLink" {
            line.push_str(&format!(
                "; hreflang=\"{}\"; type=\"{}\"",
                link.language, link.media_type
            ));
        }
        line
    };
    let mut lines = Vec::new();
    for of in contexts {
        lines.extend(of.links.iter().map(|link| line(of.anchor, link)));
    }
    lines.join(",\n")
}

/// What need not be escaped in an extended parameter.
const TITLE: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/.well-known/gs1resolver`
pub(crate) fn description(name: &str, root: &str) -> Value {
    let supported = LINK_TYPES
        .iter()
        .map(|(code, title)| json!({ "uri": format!("{VOCABULARY}{code}"), "title": title }));
    let keys = link_keys().filter(|key| key.bytes().all(|byte| byte.is_ascii_digit()));
    json!({
        "name": name, "resolverRoot": root,
        "supportedPrimaryKeys": keys.collect::<Vec<_>>(),
        "supportedLinkType": VOCABULARIES[1..3]
            .iter()
            .map(|namespace| json!({ "namespace": namespace, "prefix": "gs1:" }))
            .collect::<Vec<_>>(),
        "supportedLinkTypes": supported.collect::<Vec<_>>(),
        "linkTypeDefaultCanBeLinkset": false,
        "linksetContext": "https://ref.gs1.org/standards/resolver/linkset-context",
        "supportsSemanticInterpretation": false, "validatesLinks": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_from_query_and_header() {
        let one = |kind: &str| Asked::One(String::from(kind));
        assert_eq!(Asked::read(None, "text/html"), one("defaultLink"));
        for kind in ["gs1:pip", "pip", "https://gs1.org/voc/pip", "https://ref.gs1.org/voc/pip"] {
            assert_eq!(Asked::read(Some(kind), ""), one("pip"), "{kind}");
        }
        assert_eq!(Asked::read(Some("linkset"), ""), Asked::All(Form::Linkset));
        assert_eq!(Asked::read(Some("all"), "text/html, */*"), Asked::All(Form::Linkset));
        assert_eq!(Asked::read(Some("gs1:linkset"), "application/json"), Asked::All(Form::Json));
        assert_eq!(Asked::read(Some("all"), "application/linkset"), Asked::All(Form::Text));
        assert_eq!(Asked::read(None, "application/linkset+json"), Asked::All(Form::Linkset));
        assert_eq!(Asked::read(None, "application/linkset+json;q=0"), one("defaultLink"));
        assert_eq!(Asked::read(None, "application/json"), Asked::Story);
        assert_eq!(Asked::read(Some("gs1:pip"), "application/json"), one("pip"));
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
        assert_eq!(best(&links, "pip", "en;q=0.5, zh-CN").unwrap().href, "https://b.cn/zh");
        assert_eq!(best(&links, "pip", "fr").unwrap().href, "https://b.cn/zh");
        assert_eq!(best(&links, "safetyInfo", "zh"), None);
        let context =
            [Context { anchor: "https://a.cn/01/1", description: "示例", links: &links }];
        let document = linkset(&context);
        let pip = document["linkset"][0]["https://gs1.org/voc/pip"].as_array().unwrap();
        assert_eq!(pip.len(), 3);
        let default = &document["linkset"][0]["https://gs1.org/voc/defaultLink"];
        assert_eq!(default, &json!([{ "href": "https://a.cn/t/1", "title": "产品追溯页" }]));
        let text = linkset_text(&context);
        assert!(text.is_ascii() && text.lines().count() == links.len(), "{text}");
        assert!(text.contains("rel=\"https://gs1.org/voc/pip\"; anchor=\"https://a.cn/01/1\""));
    }
}
