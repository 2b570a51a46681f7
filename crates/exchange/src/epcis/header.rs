//! The headers of GS1: what this server speaks, and what a client asks for.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use yj_epcis::XmlForm;

use super::problem::{Exception, Refusal, Result};

/// Events of one capture.
pub(crate) const EVENTS_MAX: u64 = 1_000_000;
/// Bytes of one capture.
pub(crate) const BYTES_MAX: u64 = 256 << 20;

/// What every answer says of the server.
const SPOKEN: [(&str, &str); 3] = [
    ("gs1-epcis-version", "2.0"),
    ("gs1-cbv-version", "2.0"),
    ("gs1-extensions", "yj=urn:yj:epcis:"),
];

/// What `OPTIONS` says besides.
const ABILITIES: [(&str, &str); 9] = [
    ("gs1-epcis-min", "1.2"),
    ("gs1-epcis-max", "2.0"),
    ("gs1-cbv-min", "1.2"),
    ("gs1-cbv-max", "2.0"),
    ("gs1-vendor-version", env!("CARGO_PKG_VERSION")),
    // What is done where nothing else is asked for.
    ("gs1-epc-format", "Never_Translates"),
    ("gs1-cbv-xml-format", "Always_URN"),
    ("gs1-epcis-capture-limit", "1000000"),
    ("gs1-epcis-capture-file-size-limit", "268435456"),
];

/// Says what the server speaks.
pub(crate) fn announce(headers: &mut HeaderMap) {
    for (name, value) in SPOKEN {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
}

/// The answer to `OPTIONS` of a resource with these methods.
pub(crate) fn abilities(allow: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    for (name, value) in ABILITIES {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // Events are kept from whatever time on, so that any may be asked for.
    let oldest = HeaderValue::from_static("1970-01-01T00:00:00.000Z");
    headers.insert(HeaderName::from_static("gs1-query-min-record-time"), oldest);
    let behaviour = HeaderValue::from_static("rollback | proceed");
    headers.insert(HeaderName::from_static("gs1-capture-error-behaviour"), behaviour);
    headers
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

/// A version such as `2.0` or `2.0.1`, as far as it is compared.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    Some((major, minor))
}

/// What a client demands that this server cannot do, whatever is asked: versions and forms there are
/// not. A form is refused also where nothing is written in it, so that it is the same at all doors.
pub(crate) fn unsupported(headers: &HeaderMap) -> Option<Refusal> {
    unspoken(headers)
        .or_else(|| EpcFormat::asked(headers).err())
        .or_else(|| CbvFormat::asked(headers).err())
}

fn unspoken(headers: &HeaderMap) -> Option<Refusal> {
    let refuse = |name: &str, wanted: &str| {
        Some(Refusal::of(
            Exception::NotAcceptable,
            format!("本服务支持 EPCIS 与 CBV 1.2 至 2.0，不能满足 {name}: {wanted}"),
        ))
    };
    let spoken = [(1, 2), (2, 0)];
    let asked = |name: &str| text(headers, name).filter(|wanted| !wanted.is_empty());
    for (name, holds) in [
        ("gs1-epcis-version", spoken),
        ("gs1-cbv-version", spoken),
        ("gs1-epcis-min", [(0, 0), (2, 0)]),
        ("gs1-cbv-min", [(0, 0), (2, 0)]),
        ("gs1-epcis-max", [(1, 2), (99, 0)]),
        ("gs1-cbv-max", [(1, 2), (99, 0)]),
    ] {
        let Some(wanted) = asked(name) else { continue };
        match version(wanted) {
            Some(found) if (holds[0]..=holds[1]).contains(&found) => {}
            _ => return refuse(name, wanted),
        }
    }
    for (least, most) in [("gs1-epcis-min", "gs1-epcis-max"), ("gs1-cbv-min", "gs1-cbv-max")] {
        if let (Some(from), Some(to)) = (asked(least), asked(most))
            && version(from) > version(to)
        {
            let detail = format!("{least}: {from} 不应高于 {most}: {to}");
            return Some(Refusal::of(Exception::NotAcceptable, detail));
        }
    }
    None
}

/// Whether the client reads nothing newer than EPCIS 1.2, which knows XML alone.
fn reads_old_alone(headers: &HeaderMap) -> bool {
    let asked = |name| text(headers, name).and_then(version);
    let at_most = [asked("gs1-epcis-version"), asked("gs1-epcis-max")];
    at_most.into_iter().flatten().any(|found| found < (2, 0))
}

/// How identifiers are written in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EpcFormat {
    /// As they were sent.
    AsSent,
    /// GS1 Digital Links.
    Link,
    /// EPC URNs, where the length of the company prefix is known.
    Urn,
    /// Some one way, some the other.
    AnyWay,
}

impl EpcFormat {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::AsSent => "Never_Translates",
            Self::Link => "Always_GS1_Digital_Link",
            Self::Urn => "Always_EPC_URN",
            Self::AnyWay => "No_Preference",
        }
    }

    /// Whether identifiers are to be written otherwise than they may have been sent.
    pub(crate) const fn translates(self) -> bool {
        matches!(self, Self::Link | Self::Urn)
    }

    /// Clients there are write the words in capitals, too.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code.to_ascii_lowercase().as_str() {
            "no_preference" | "never_translates" => Some(Self::AsSent),
            "always_gs1_digital_link" => Some(Self::Link),
            "always_epc_urn" => Some(Self::Urn),
            _ => None,
        }
    }

    /// What the client asks for; as sent where it asks for nothing.
    pub(crate) fn asked(headers: &HeaderMap) -> Result<Self> {
        match text(headers, "gs1-epc-format") {
            None | Some("") => Ok(Self::AsSent),
            Some(code) => Self::from_code(code).ok_or_else(|| {
                Refusal::of(
                    Exception::NotAcceptable,
                    "GS1-EPC-Format 应为 No_Preference、Always_GS1_Digital_Link、Always_EPC_URN 或 Never_Translates",
                )
            }),
        }
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/json`
    Json,
    /// `application/ld+json`
    JsonLd,
    /// `application/xml`
    Xml(XmlForm),
}

impl Media {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLd => "application/ld+json",
            Self::Xml(_) => "application/xml",
        }
    }

    /// The first kind of `Accept` that there is; JSON where nothing is asked for. XML is that of
    /// the highest version the client can read.
    pub(crate) fn asked(headers: &HeaderMap, xml: bool) -> Result<Self> {
        // The header may stand there several times.
        let lines = headers.get_all("accept").iter().filter_map(|line| line.to_str().ok());
        let lines: Vec<&str> = lines.collect();
        let accept = if lines.is_empty() { String::from("*/*") } else { lines.join(",") };
        let mut wanted: Vec<(u32, &str)> = Vec::new();
        for part in accept.split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let kind = pieces.next().unwrap_or_default();
            let weight = pieces.find_map(|piece| piece.strip_prefix("q=")).map_or(1000, weight);
            if weight > 0 {
                wanted.push((weight, kind));
            }
        }
        wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let old = xml && reads_old_alone(headers);
        let media = |kind: &str| match kind.to_ascii_lowercase().as_str() {
            "*/*" | "application/*" if old => Some(Self::Xml(XmlForm::V1_2)),
            "application/json" | "application/ld+json" if old => None,
            "*/*" | "application/*" | "application/json" => Some(Self::Json),
            "application/ld+json" => Some(Self::JsonLd),
            "application/xml" | "text/xml" if xml => Some(Self::Xml(XmlForm::V2_0)),
            _ => None,
        };
        let found = wanted.iter().find_map(|(_, kind)| media(kind));
        if matches!(found, Some(Self::Xml(_))) {
            return xml_form(headers, old).map(Self::Xml);
        }
        found.ok_or_else(|| {
            let known = if old {
                "application/xml：EPCIS 1.2 只有 XML"
            } else if xml {
                "application/json、application/ld+json 或 application/xml"
            } else {
                "application/json 或 application/ld+json"
            };
            Refusal::of(Exception::NotAcceptable, format!("Accept 应含 {known}"))
        })
    }
}

/// How words of the standard are written in XML. JSON has one form, the bare word, whatever is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CbvFormat {
    /// As by those who have no preference: words are kept as words, so that what is never to be
    /// translated has no form of its own.
    Urn,
    WebUri,
}

impl CbvFormat {
    fn asked(headers: &HeaderMap) -> Result<Self> {
        let code = text(headers, "gs1-cbv-xml-format").unwrap_or_default();
        match code.to_ascii_lowercase().as_str() {
            "" | "no_preference" | "never_translates" | "always_urn" => Ok(Self::Urn),
            "always_web_uri" => Ok(Self::WebUri),
            _ => Err(Refusal::of(
                Exception::NotAcceptable,
                "GS1-CBV-XML-Format 应为 No_Preference、Always_URN、Always_Web_URI 或 Never_Translates",
            )),
        }
    }
}

fn xml_form(headers: &HeaderMap, old: bool) -> Result<XmlForm> {
    match (CbvFormat::asked(headers)?, old) {
        (CbvFormat::Urn, true) => Ok(XmlForm::V1_2),
        (CbvFormat::Urn, false) => Ok(XmlForm::V2_0),
        (CbvFormat::WebUri, false) => Ok(XmlForm::V2_0Web),
        (CbvFormat::WebUri, true) => Err(Refusal::of(
            Exception::NotAcceptable,
            "EPCIS 1.2 的 XML 没有 Web URI 形式的标准词，请去掉 GS1-CBV-XML-Format 或接受 2.0",
        )),
    }
}

/// A quality of `Accept` in thousandths.
fn weight(text: &str) -> u32 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let thousandths = format!("{rest:0<3}");
    let whole: u32 = whole.parse().unwrap_or(1);
    (whole.min(1) * 1000 + thousandths.get(..3).and_then(|part| part.parse().ok()).unwrap_or(0))
        .min(1000)
}

/// What becomes of a capture when one of its events is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// All events or none.
    Rollback,
    /// As many as possible.
    Proceed,
}

impl Behaviour {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Proceed => "proceed",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "rollback" => Some(Self::Rollback),
            "proceed" => Some(Self::Proceed),
            _ => None,
        }
    }

    pub(crate) fn asked(headers: &HeaderMap) -> Result<Self> {
        match text(headers, "gs1-capture-error-behaviour") {
            None | Some("") => Ok(Self::Rollback),
            Some(code) => Self::from_code(&code.to_ascii_lowercase()).ok_or_else(|| {
                yj_kernel::Problem::invalid(
                    "GS1-Capture-Error-Behaviour",
                    "应为 rollback（全部或全不）或 proceed（能收的都收）",
                )
                .into()
            }),
        }
    }
}

/// The form of a document that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Xml,
}

impl Form {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    pub(crate) fn sent(headers: &HeaderMap) -> Result<Self> {
        let encoded = text(headers, "content-encoding").unwrap_or_default();
        if !matches!(encoded.to_ascii_lowercase().as_str(), "" | "identity") {
            let detail = format!("不接受以 {encoded} 压缩的正文，请不压缩地发送");
            return Err(yj_kernel::Problem::UnsupportedMediaType(detail).into());
        }
        let kind = text(headers, "content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/json" | "application/ld+json" => Ok(Self::Json),
            "application/xml" | "text/xml" => Ok(Self::Xml),
            _ => Err(yj_kernel::Problem::UnsupportedMediaType(String::from(
                "应为 application/json、application/ld+json 或 application/xml",
            ))
            .into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_best_of_what_is_accepted_is_given() {
        let asked = |accept| Media::asked(&headers(&[("accept", accept)]), true).ok();
        assert_eq!(asked("application/xml;q=0.4, application/ld+json;q=0.9"), Some(Media::JsonLd));
        assert_eq!(asked("text/html, */*;q=0.1"), Some(Media::Json));
        assert_eq!(asked("text/xml"), Some(Media::Xml(XmlForm::V2_0)));
        assert_eq!(asked("text/html"), None);
        assert_eq!(asked("application/json;q=0"), None);
        assert_eq!(asked("text/xml;q=0.5, application/json;q=4294968"), Some(Media::Json));
        let old = headers(&[("accept", "application/xml"), ("gs1-epcis-max", "1.2")]);
        assert_eq!(Media::asked(&old, true).ok(), Some(Media::Xml(XmlForm::V1_2)));
        assert!(Media::asked(&old, false).is_err());
        let old = headers(&[("gs1-epcis-version", "1.2")]);
        assert_eq!(Media::asked(&old, true).ok(), Some(Media::Xml(XmlForm::V1_2)));
        assert_eq!(Media::asked(&old, false).ok(), Some(Media::Json), "lists have one form");
        let old = headers(&[("accept", "application/ld+json"), ("gs1-epcis-max", "1.2")]);
        assert!(Media::asked(&old, true).is_err(), "1.2 knows XML alone");
    }

    #[test]
    fn versions_that_are_not_spoken_are_refused() {
        let refused = |name, value| unsupported(&headers(&[(name, value)])).is_some();
        assert!(!refused("gs1-epcis-version", "2.0.1"));
        assert!(!refused("gs1-epcis-max", "2.1"));
        assert!(refused("gs1-epcis-min", "3.0"));
        assert!(refused("gs1-epcis-max", "1.0"));
        assert!(refused("gs1-epcis-version", "two"));
        assert!(refused("gs1-epcis-version", "1.1"));
        let range =
            |min, max| unsupported(&headers(&[("gs1-epcis-min", min), ("gs1-epcis-max", max)]));
        assert!(range("1.2", "2.0").is_none() && range("2.0", "2.0").is_none());
        assert!(range("2.0", "1.2").is_some());
    }
}
