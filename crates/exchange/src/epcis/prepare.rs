//! From one event of a document to what the repository keeps of it.

use std::{borrow::Cow, sync::Arc};

use serde_json::json;
use yj_crypto::sm3;
use yj_epcis::{
    Context, Event, EventHash, EventKind, Fault, Json, Vocabulary, canonical_link, event_hash,
    event_in_full,
};

/// Longest eventID.
const ID_MAX: usize = 512;
/// Longest term that is kept whole; of longer ones the SM3 is.
const TERM_MAX: usize = 400;

/// A checked event, ready to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    /// Checked, with what is sent in [`Event::source`].
    pub(crate) event: Event,
    /// Its own eventID, or its hash.
    pub(crate) id: String,
    /// Whether the sender gave the eventID.
    pub(crate) own_id: bool,
    /// The event hash of the standard.
    pub(crate) hash: String,
    /// Its twin.
    pub(crate) sm3: String,
    /// Digest of all that makes it this event and no other.
    pub(crate) content: String,
    /// The same as it was formed before prefixes of values counted, where they do.
    former: Option<String>,
    /// The name that its hash gives it when it is written in full, where prefixes hide another. The
    /// standard's hash takes values as they are written, so that two events may share its name.
    full_id: Option<String>,
    /// Which error declaration it is of its event; empty for the event itself.
    pub(crate) declaration: String,
    /// What it mentions.
    pub(crate) terms: Vec<Term>,
    /// As it is kept.
    pub(crate) text: String,
}

/// Something that an event mentions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term {
    /// Where.
    pub(crate) role: Role,
    /// In the one spelling that is searched for.
    pub(crate) spelling: String,
    /// As it was sent.
    pub(crate) raw: String,
}

/// Where in an event something is mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Type,
    BizStep,
    Disposition,
    ReadPoint,
    BizLocation,
    Epc,
    Parent,
    InputEpc,
    OutputEpc,
    Class,
    InputClass,
    OutputClass,
    Transaction,
    Source,
    Destination,
    Transformation,
    Corrective,
    /// Whose event it is, by identifier.
    Owner,
    Action,
    /// A [`Flag`].
    Flag,
}

/// What few events have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Sensor data.
    Sensors,
    /// An error declaration.
    Declared,
}

impl Flag {
    /// As stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Sensors => "sensors",
            Self::Declared => "declared",
        }
    }
}

impl Role {
    /// As stored.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::BizStep => "step",
            Self::Disposition => "disp",
            Self::ReadPoint => "read",
            Self::BizLocation => "loc",
            Self::Epc => "epc",
            Self::Parent => "parent",
            Self::InputEpc => "in",
            Self::OutputEpc => "out",
            Self::Class => "class",
            Self::InputClass => "inclass",
            Self::OutputClass => "outclass",
            Self::Transaction => "txn",
            Self::Source => "src",
            Self::Destination => "dst",
            Self::Transformation => "xform",
            Self::Corrective => "fix",
            Self::Owner => "owner",
            Self::Action => "action",
            Self::Flag => "flag",
        }
    }
}

/// The one spelling of an identifier.
pub(crate) fn spelled(id: &str) -> String {
    bounded(canonical_link(id).unwrap_or_else(|| String::from(id)))
}

fn digested(text: &str) -> String {
    format!("sm3:{}", sm3::hex(&sm3::digest(text.as_bytes())))
}

/// A text that fits into an index.
pub(crate) fn bounded(text: String) -> String {
    if text.len() <= TERM_MAX { text } else { digested(&text) }
}

/// Checks an event and finds what is kept of it; all its faults.
pub(crate) fn prepare(
    source: Json,
    context: &Arc<Context>,
    faults_max: usize,
) -> Result<Prepared, Vec<Fault>> {
    let event = Event::new(source, context, faults_max)?;
    let fault = |detail: &str| {
        vec![Fault { pointer: String::from("/eventID"), detail: String::from(detail) }]
    };
    if event.event_id.as_ref().is_some_and(|id| id.len() > ID_MAX) {
        return Err(fault("eventID 至多 512 个字符"));
    }
    let hash = event_hash(event.source(), context, EventHash::Sha256);
    let sm3 = event_hash(event.source(), context, EventHash::Sm3);
    let id = event.event_id.clone().unwrap_or_else(|| hash.clone());
    let (terms, text) = (terms(&event), event.source().to_string());
    let plain = content(&sm3, &event, &terms);
    let full = match event_in_full(event.source(), event.context()) {
        Cow::Owned(full) => Some(full),
        Cow::Borrowed(_) => None,
    };
    let in_full = |kind| full.as_ref().map(|full| event_hash(full, context, kind));
    let content = in_full(EventHash::Sm3).map(|sm3| content(&sm3, &event, &terms));
    let content = content.unwrap_or_else(|| plain.clone());
    let former = (content != plain).then_some(plain);
    let full_id = in_full(EventHash::Sha256).filter(|full| *full != hash);
    let declaration = declaration(&event);
    let own_id = event.event_id.is_some();
    Ok(Prepared {
        event,
        id,
        own_id,
        hash,
        sm3,
        content,
        former,
        full_id,
        declaration,
        terms,
        text,
    })
}

impl Prepared {
    /// Whether its meaning gives it another name, and it brings none.
    pub(crate) fn has_full_name(&self) -> bool {
        !self.own_id && self.full_id.is_some()
    }

    /// The same event under the name that its meaning gives it, where it has one.
    pub(crate) fn under_full_name(&self) -> Option<Self> {
        let id = self.full_id.clone().filter(|_| self.has_full_name())?;
        Some(Self { id, ..self.clone() })
    }

    /// The digests with which it may be kept.
    pub(crate) fn contents(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.content.as_str()).chain(self.former.as_deref())
    }

    /// Whether what is kept with this digest is this event.
    pub(crate) fn is(&self, digest: &str) -> bool {
        self.contents().any(|content| content == digest)
    }
}

/// The digest of what makes an event this one and no other: its event hash, and where there is any what
/// the hash leaves out, which is certification and the lots of what has a serial number.
fn content(sm3: &str, event: &Event, terms: &[Term]) -> String {
    let certified = event.certification_info.iter().map(String::as_str);
    let lots = terms.iter().filter_map(|term| beyond_serial(&term.raw));
    let mut beside: Vec<&str> = certified.chain(lots).collect();
    if beside.is_empty() {
        return String::from(sm3);
    }
    beside.sort_unstable();
    beside.dedup();
    beside.push(sm3);
    digested(&beside.join("\n"))
}

/// Of a Digital Link what it says besides a serial number, with what it is said of.
fn beyond_serial(raw: &str) -> Option<&str> {
    let (link, _) = raw.split_once('?').unwrap_or((raw, ""));
    let key = &link[link.find("/01/")?..];
    let more = key.contains("/21/") && (key.contains("/10/") || key.contains("/22/"));
    (more && canonical_link(raw).is_some()).then_some(key)
}

/// The name of an error declaration beside that of its event: one for each way to declare it. Empty for
/// an event that is not declared wrong.
fn declaration(event: &Event) -> String {
    let Some(error) = &event.error_declaration else { return String::new() };
    let mut correctives = error.corrective_event_ids.clone();
    correctives.sort_unstable();
    let said = json!([error.declaration_time.0, error.reason, correctives]).to_string();
    digested(&said)
}

fn terms(event: &Event) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut ids = |role: Role, list: &mut dyn Iterator<Item = &String>| {
        terms.extend(list.map(|id| Term { role, spelling: spelled(id), raw: bounded(id.clone()) }));
    };
    ids(Role::Epc, &mut event.epc_list.iter().chain(&event.child_epcs));
    ids(Role::Parent, &mut event.parent_id.iter());
    ids(Role::InputEpc, &mut event.input_epc_list.iter());
    ids(Role::OutputEpc, &mut event.output_epc_list.iter());
    let quantities = event.quantity_list.iter().chain(&event.child_quantity_list);
    ids(Role::Class, &mut quantities.map(|one| &one.epc_class));
    ids(Role::InputClass, &mut event.input_quantity_list.iter().map(|one| &one.epc_class));
    ids(Role::OutputClass, &mut event.output_quantity_list.iter().map(|one| &one.epc_class));
    ids(Role::Transaction, &mut event.biz_transactions.iter().map(|one| &one.id));
    ids(Role::Source, &mut event.sources.iter().map(|one| &one.id));
    ids(Role::Destination, &mut event.destinations.iter().map(|one| &one.id));
    ids(Role::ReadPoint, &mut event.read_point.iter());
    ids(Role::BizLocation, &mut event.biz_location.iter());
    ids(Role::Transformation, &mut event.transformation_id.iter());
    let mut words = |role: Role, word: Option<&String>, list: Vocabulary| {
        terms.extend(word.map(|word| Term {
            role,
            spelling: bounded(word.clone()),
            raw: bounded(String::from(list.compact(word))),
        }));
    };
    words(Role::BizStep, event.biz_step.as_ref(), Vocabulary::BizStep);
    words(Role::Disposition, event.disposition.as_ref(), Vocabulary::Disposition);
    let mut plain = |role: Role, text: &String| {
        terms.push(Term { role, spelling: bounded(text.clone()), raw: bounded(text.clone()) });
    };
    let corrective = event.error_declaration.iter().flat_map(|error| &error.corrective_event_ids);
    corrective.for_each(|id| plain(Role::Corrective, id));
    let action = event.action.map(|action| String::from(action.name()));
    action.iter().for_each(|name| plain(Role::Action, name));
    let flags = [
        (!event.sensors.is_empty(), Flag::Sensors),
        (event.error_declaration.is_some(), Flag::Declared),
    ];
    let flags = flags.into_iter().filter(|(has, _)| *has);
    flags.for_each(|(_, flag)| plain(Role::Flag, &String::from(flag.code())));
    let (spelling, raw) = match &event.kind {
        // What prefixes mean differs from document to document; a query names the kind by its own.
        EventKind::Extended(own) => {
            let context = event.context();
            let whole = context
                .resolve(own)
                .map_or_else(|| own.clone(), |(ns, local)| format!("{ns}{local}"));
            (String::from(EXTENDED), whole)
        }
        standard => (String::from(standard.name()), String::from(standard.name())),
    };
    terms.push(Term { role: Role::Type, spelling, raw: bounded(raw) });
    terms.sort();
    terms.dedup_by(|one, two| one.role == two.role && one.spelling == two.spelling);
    terms
}

/// The term of every kind of event that is not the standard's own.
pub(crate) const EXTENDED: &str = "extended";
