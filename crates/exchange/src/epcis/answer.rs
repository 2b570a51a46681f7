//! Events on their way out: as they were sent, around them one `@context` for all.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use yj_epcis::{
    Context, Document, EPCIS_CONTEXT, Instant, Json, XmlForm, document_to_xml, is_standard_context,
};
use yj_kernel::Problem;

use super::{
    header::{EpcFormat, Media},
    problem::Result,
    spelling::{Companies, translated},
    store::{Frame, Kept},
};

/// Which query is answered, when, and how identifiers are written.
#[derive(Clone, Copy)]
pub(crate) struct Occasion<'a> {
    pub(crate) name: &'a str,
    pub(crate) subscription: Option<&'a str>,
    pub(crate) now: Instant,
    pub(crate) format: EpcFormat,
}

/// An `EPCISQueryDocument` with these events; and how its identifiers are written: with no
/// preference where not all of them could be written as asked.
pub(crate) fn query_document(
    events: &[Kept],
    occasion: Occasion<'_>,
    companies: &Companies,
) -> (Json, EpcFormat) {
    let mut around = Around::default();
    let (mut list, mut all) = (Vec::with_capacity(events.len()), true);
    for kept in events {
        let about = (kept.event.source(), kept.subject.as_str());
        let (event, whole) = translated(about, occasion.format, companies);
        all &= whole;
        list.push(around.event(kept, event));
    }
    let text = |name: &str, value: &str| (String::from(name), Json::text(value));
    let mut results = vec![text("queryName", occasion.name)];
    results.extend(occasion.subscription.map(|id| text("subscriptionID", id)));
    let body = Json::Object(vec![(String::from("eventList"), Json::Array(list))]);
    results.push((String::from("resultsBody"), body));
    let body = Json::Object(vec![(String::from("queryResults"), Json::Object(results))]);
    let document = Json::Object(vec![
        (String::from("@context"), around.context()),
        text("type", "EPCISQueryDocument"),
        text("schemaVersion", "2.0"),
        text("creationDate", &occasion.now.to_string()),
        (String::from("epcisBody"), body),
    ]);
    (document, if all { occasion.format } else { EpcFormat::AnyWay })
}

/// One event without a document around it, and how its identifiers are written.
pub(crate) fn bare(kept: &Kept, format: EpcFormat, companies: &Companies) -> (Json, EpcFormat) {
    let about = (kept.event.source(), kept.subject.as_str());
    let (event, whole) = translated(about, format, companies);
    (with_context(kept, event), if whole { format } else { EpcFormat::AnyWay })
}

fn with_context(kept: &Kept, event: Json) -> Json {
    let Json::Object(mut members) = event else { return event };
    if !members.iter().any(|(name, _)| name == "@context") {
        let context = match &kept.frame.context {
            Json::Null => Json::text(EPCIS_CONTEXT),
            context => context.clone(),
        };
        members.insert(0, (String::from("@context"), context));
    }
    Json::Object(members)
}

/// The `@context` that the events of a document share.
#[derive(Default)]
struct Around {
    /// URIs of contexts that live elsewhere.
    elsewhere: Vec<String>,
    prefixes: Context,
}

impl Around {
    fn context(&self) -> Json {
        let mut parts = vec![Json::text(EPCIS_CONTEXT)];
        parts.extend(self.elsewhere.iter().map(|uri| Json::text(uri.as_str())));
        let declared = self.prefixes.declared();
        if !declared.is_empty() {
            let one = |(prefix, uri): &(String, String)| (prefix.clone(), Json::text(uri.as_str()));
            parts.push(Json::Object(declared.iter().rev().map(one).collect()));
        }
        Json::Array(parts)
    }

    /// An event whose prefixes mean here what they meant in its own document; where others have
    /// taken one, it keeps its own `@context`.
    fn event(&mut self, kept: &Kept, event: Json) -> Json {
        if self.takes(&kept.frame) {
            return event;
        }
        let Json::Object(mut members) = event else { return event };
        match members.iter_mut().find(|(name, _)| name == "@context") {
            Some((_, own)) => {
                *own = Json::Array(vec![kept.frame.context.clone(), own.clone()]);
            }
            None => members.insert(0, (String::from("@context"), kept.frame.context.clone())),
        }
        Json::Object(members)
    }

    fn takes(&mut self, frame: &Frame) -> bool {
        let declared = frame.prefixes.declared();
        let clashes = declared.iter().any(|(prefix, uri)| {
            let here = self.prefixes.declared().iter().find(|(known, _)| known == prefix);
            here.is_some_and(|(_, known)| known != uri)
        });
        if clashes {
            return false;
        }
        for (prefix, uri) in declared {
            if !self.prefixes.declared().iter().any(|(known, _)| known == prefix) {
                self.prefixes.declare(prefix, uri);
            }
        }
        for uri in uris(&frame.context) {
            if !is_standard_context(uri) && !self.elsewhere.iter().any(|known| known == uri) {
                self.elsewhere.push(String::from(uri));
            }
        }
        true
    }
}

fn uris(context: &Json) -> Vec<&str> {
    context.items().iter().chain([context]).filter_map(Json::as_text).collect()
}

/// A document in the form that was asked for. Whatever was kept has a form in XML.
pub(crate) fn render(document: Json, media: Media) -> Result<String> {
    let Media::Xml(form) = media else { return Ok(document.to_string()) };
    let written = document_to_xml(&Document::new(document), form);
    Ok(written
        .map_err(|faults| Problem::internal(format!("no XML for what is kept: {faults:?}")))?)
}

/// An answer of this form.
pub(crate) fn response(text: String, media: Media) -> Response {
    let kind = HeaderValue::from_static(media.name());
    let mut response = ([(header::CONTENT_TYPE, kind)], text).into_response();
    if let Media::Xml(form) = media {
        if form == XmlForm::V1_2 {
            let name = HeaderName::from_static("gs1-epcis-version");
            response.headers_mut().insert(name, HeaderValue::from_static("1.2"));
        }
        let words = if form == XmlForm::V2_0Web { "Always_Web_URI" } else { "Always_URN" };
        let name = HeaderName::from_static("gs1-cbv-xml-format");
        response.headers_mut().insert(name, HeaderValue::from_static(words));
    }
    response
}

/// Says how identifiers are written.
pub(crate) fn tell_format(response: &mut Response, format: EpcFormat) {
    let name = HeaderName::from_static("gs1-epc-format");
    response.headers_mut().insert(name, HeaderValue::from_static(format.code()));
}

/// Says where the next page is.
pub(crate) fn tell_next(response: &mut Response, link: &str, expires: i64) -> Result<()> {
    let link =
        HeaderValue::from_str(&format!("<{link}>; rel=\"next\"")).map_err(Problem::internal)?;
    let expires =
        HeaderValue::from_str(&Instant(expires).to_string()).map_err(Problem::internal)?;
    let headers = response.headers_mut();
    headers.insert(header::LINK, link);
    headers.insert(HeaderName::from_static("gs1-next-page-token-expires"), expires);
    Ok(())
}
