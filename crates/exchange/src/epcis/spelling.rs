//! How identifiers are written in an answer: as they were sent, as GS1 Digital Links, or as EPC URNs
//! (`GS1-EPC-Format`). A URN says how long the company prefix is and a link does not, so that a link
//! becomes a URN only where the length is known: by the rule of the Chinese prefixes 690 to 697, or
//! because URNs of the same subject have named the prefix.

use std::collections::{BTreeMap, BTreeSet};

use yj_epcis::{Epc, Gs1Key, Json, canonical_link};
use yj_kernel::{Result, Sql, SqlValue, Tx, insert_rows};

use super::{header::EpcFormat, prepare::Term, store::Kept};

/// Company prefixes have so many digits.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=12;
/// Prefixes that one answer asks after.
const ASKED_MAX: usize = 20_000;

/// Keeps the company prefixes that the events of subjects have named in URNs.
pub(crate) fn learn<'e>(tx: &mut Tx, events: impl Iterator<Item = (&'e str, &'e [Term])>) {
    let mut found: BTreeSet<(&str, String)> = BTreeSet::new();
    for (subject, terms) in events {
        let companies = terms.iter().filter_map(|term| Some(Epc::parse(&term.raw)?.company));
        found.extend(companies.map(|company| (subject, company)));
    }
    let row = |(subject, company): (&str, String)| -> Vec<SqlValue> {
        vec![subject.into(), company.into()]
    };
    tx.later(insert_rows(
        "INSERT INTO epcis_company (subject_id, company)",
        "ON CONFLICT (subject_id, company) DO NOTHING",
        found.into_iter().map(row).collect(),
    ));
}

/// What is known of the company prefixes of some events.
#[derive(Default)]
pub(crate) struct Companies(BTreeMap<String, BTreeSet<String>>);

impl Companies {
    /// What is needed to write these events as asked.
    pub(crate) async fn load(tx: &mut Tx, events: &[Kept], format: EpcFormat) -> Result<Self> {
        if format != EpcFormat::Urn {
            return Ok(Self::default());
        }
        let mut asked = BTreeSet::new();
        for kept in events {
            rewritten(kept.event.source(), &mut |id| {
                ask(id, &mut asked);
                None
            });
        }
        let subjects = events.iter().map(|kept| kept.subject.as_str()).collect();
        Self::known(tx, (&asked, subjects)).await
    }

    /// What is needed to write these names as asked, which events of these subjects have.
    pub(crate) async fn of_names<'n>(
        tx: &mut Tx,
        (names, subjects): (impl Iterator<Item = &'n str>, BTreeSet<&str>),
        format: EpcFormat,
    ) -> Result<Self> {
        if format != EpcFormat::Urn {
            return Ok(Self::default());
        }
        let mut asked = BTreeSet::new();
        names.for_each(|id| ask(id, &mut asked));
        Self::known(tx, (&asked, subjects)).await
    }

    async fn known(
        tx: &mut Tx,
        (asked, subjects): (&BTreeSet<String>, BTreeSet<&str>),
    ) -> Result<Self> {
        if asked.is_empty() {
            return Ok(Self::default());
        }
        let mut sql = Sql::new("SELECT subject_id, company FROM epcis_company WHERE subject_id ");
        sql.bind_texts(subjects).push(" AND company ");
        sql.bind_texts(asked.iter().map(String::as_str));
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in tx.fetch(sql).await? {
            let company = String::from(row.text(1)?);
            found.entry(String::from(row.text(0)?)).or_default().insert(company);
        }
        Ok(Self(found))
    }

    /// A link as a URN, where the length of its company prefix is known for sure.
    fn urn(&self, subjects: &[&str], key: &Gs1Key) -> Option<String> {
        let ruled = key.known_company_digits();
        let learnt = || {
            let known: Vec<_> = subjects.iter().filter_map(|one| self.0.get(*one)).collect();
            let digits = key.from_company();
            let mut lengths = DIGITS.filter(|length| {
                let prefix = digits.get(..*length);
                prefix.is_some_and(|prefix| known.iter().any(|known| known.contains(prefix)))
            });
            // Two prefixes that both fit say nothing.
            lengths.next().filter(|_| lengths.next().is_none())
        };
        Epc::from_key(key, ruled.or_else(learnt)?).map(|epc| epc.to_urn())
    }

    /// An identifier as asked for, which events of these subjects have: `None` where it stays as it
    /// is; and whether it then is as asked.
    pub(crate) fn written(
        &self,
        (id, subjects): (&str, &[&str]),
        format: EpcFormat,
    ) -> (Option<String>, bool) {
        match format {
            EpcFormat::AsSent | EpcFormat::AnyWay => (None, true),
            EpcFormat::Link => {
                let link = canonical_link(id);
                // A pattern of many classes, and schemes that are no GS1 keys, have no link.
                let whole = link.is_some() || !id.starts_with("urn:epc:");
                (link, whole)
            }
            EpcFormat::Urn => match Gs1Key::parse(id) {
                None => (None, true),
                Some(key) => {
                    let urn = self.urn(subjects, &key);
                    let whole = urn.is_some();
                    (urn, whole)
                }
            },
        }
    }
}

/// Adds what a company prefix of this identifier may be, where no rule says it.
fn ask(id: &str, asked: &mut BTreeSet<String>) {
    let key = Gs1Key::parse(id).filter(|key| key.known_company_digits().is_none());
    let Some(key) = key.filter(|_| asked.len() < ASKED_MAX) else { return };
    let digits = key.from_company();
    asked.extend(DIGITS.filter_map(|length| digits.get(..length)).map(String::from));
}

/// An event whose identifiers are written as asked for; whether all of them are.
pub(crate) fn translated(
    (event, subject): (&Json, &str),
    format: EpcFormat,
    companies: &Companies,
) -> (Json, bool) {
    if !format.translates() {
        return (event.clone(), true);
    }
    let mut all = true;
    let event = rewritten(event, &mut |id| {
        let (written, whole) = companies.written((id, &[subject]), format);
        all &= whole;
        written
    });
    (event, all)
}

/// Members of an event that hold identifiers, or objects and lists of those.
const IDENTIFIERS: [&str; 16] = [
    "epcList",
    "childEPCs",
    "inputEPCList",
    "outputEPCList",
    "parentID",
    "quantityList",
    "childQuantityList",
    "inputQuantityList",
    "outputQuantityList",
    "readPoint",
    "bizLocation",
    "sourceList",
    "destinationList",
    "bizTransactionList",
    "transformationID",
    "sensorElementList",
];
/// Members of those objects that hold identifiers.
const INNER: [&str; 8] = [
    "id",
    "epcClass",
    "source",
    "destination",
    "bizTransaction",
    "deviceID",
    "sensorMetadata",
    "sensorReport",
];

/// A copy in which every identifier that `to` gives another spelling has that one.
fn rewritten(event: &Json, to: &mut dyn FnMut(&str) -> Option<String>) -> Json {
    let members = event.members().iter().map(|(name, value)| {
        let holds = IDENTIFIERS.contains(&name.as_str());
        (name.clone(), if holds { within(value, to) } else { value.clone() })
    });
    Json::Object(members.collect())
}

fn within(value: &Json, to: &mut dyn FnMut(&str) -> Option<String>) -> Json {
    match value {
        Json::Text(text) => to(text).map_or_else(|| value.clone(), Json::Text),
        Json::Array(items) => Json::Array(items.iter().map(|item| within(item, to)).collect()),
        Json::Object(members) => {
            let mut written = Vec::with_capacity(members.len());
            for (name, value) in members {
                let holds = INNER.contains(&name.as_str());
                let value = if holds { within(value, to) } else { value.clone() };
                written.push((name.clone(), value));
            }
            Json::Object(written)
        }
        other => other.clone(),
    }
}
