//! 主数据 in the header of a document (EPCIS 2.0 §6.1.2, §9.4): what its sender tells of places, steps
//! and classes. It belongs to the subject whose events the document brings, and explains that
//! subject's events alone: nobody's events are found or lost by what another tells of a place.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use yj_epcis::{
    Context, Document, Json, Places, Query, attribute_key, id_matches,
    query::{Condition, MasterField, PlaceField, master_values},
};
use yj_kernel::{Ctx, Problem, Result, Sql, SqlValue, Tx, audit, insert_rows};

use super::{
    capture::Item,
    owner::Owners,
    place::Sites,
    plan,
    prepare::{bounded, spelled},
    store::Kept,
};

/// Attributes and children of one document.
const LINES_MAX: usize = 50_000;
/// Places around each other.
const DEPTH_MAX: usize = 16;
/// What one look may load of places around others.
const AROUND_MAX: usize = 20_000;

/// What is told of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    role: &'static str,
    term: String,
    children: BTreeSet<String>,
    attributes: BTreeSet<(String, String)>,
}

/// Kinds of things as they are kept.
const OTHER: &str = "other";

/// The kind that a vocabulary's type names, by its URN or by its Web URI.
fn role(kind: &str) -> &'static str {
    let name = kind.rsplit([':', '/', '#']).next().unwrap_or_default();
    let own = ["urn:epcglobal:epcis:vtype:", "epcis:", "https://ref.gs1.org/epcis/"];
    if !own.iter().any(|from| kind.strip_prefix(from) == Some(name)) {
        return OTHER;
    }
    match name {
        "ReadPoint" => "read",
        "BusinessLocation" | "BizLocation" => "loc",
        "Location" => "place",
        "BusinessStep" | "BizStep" => "step",
        "Disposition" => "disp",
        "EPCClass" => "class",
        _ => OTHER,
    }
}

/// Under which kinds a field finds what is told.
const fn roles(field: MasterField) -> &'static [&'static str] {
    match field {
        MasterField::BizStep => &["step"],
        MasterField::Disposition => &["disp"],
        MasterField::ReadPoint => &["read", "place"],
        MasterField::BizLocation => &["loc", "place"],
        MasterField::EpcClass => &["class"],
    }
}

const fn of_place(field: PlaceField) -> MasterField {
    match field {
        PlaceField::ReadPoint => MasterField::ReadPoint,
        PlaceField::BizLocation => MasterField::BizLocation,
    }
}

/// In the one spelling of events.
fn term(role: &str, id: &str) -> String {
    use yj_epcis::Vocabulary::{BizStep, Disposition};
    match role {
        "step" => bounded(BizStep.expand(id).into_owned()),
        "disp" => bounded(Disposition.expand(id).into_owned()),
        _ => spelled(id),
    }
}

/// The master data of a document's header, checked already.
pub(crate) fn read(header: &Json) -> Result<Vec<Told>> {
    let document = Document::new(header.clone());
    let context: &Context = document.context();
    let mut found: BTreeMap<(&'static str, String), Told> = BTreeMap::new();
    let mut lines = 0;
    for vocabulary in document.master_data() {
        let role = role(&vocabulary.kind);
        for element in vocabulary.elements {
            lines += 1 + element.attributes.len() + element.children.len();
            if lines > LINES_MAX {
                let detail =
                    format!("一份文档的主数据至多 {LINES_MAX} 项元素、属性与下级，请分批提交");
                return Err(Problem::TooLarge(detail));
            }
            let term = term(role, &element.id);
            let told = found.entry((role, term.clone())).or_insert_with(|| Told {
                role,
                term,
                children: BTreeSet::new(),
                attributes: BTreeSet::new(),
            });
            told.children.extend(element.children.iter().map(|child| self::term(role, child)));
            told.attributes.extend(element.attributes.iter().map(|(name, value)| {
                let text = value.scalar().map_or_else(|| value.to_string(), String::from);
                (bounded(attribute_key(name, context)), bounded(text))
            }));
        }
    }
    Ok(found.into_values().collect())
}

/// To whom what a document tells belongs: the sender's own subject; where the sender has none, the
/// subjects of its events.
async fn subjects(
    ctx: &Ctx,
    tx: &mut Tx,
    (capture_id, items): (&str, &[Item]),
) -> Result<BTreeSet<String>> {
    let sound = || items.iter().filter_map(|item| item.event.as_ref().ok());
    let owners = Owners::load(ctx, tx, sound()).await?;
    if let Some(own) = owners.own(ctx)? {
        return Ok(BTreeSet::from([own]));
    }
    let mut found = BTreeSet::new();
    for prepared in sound() {
        if let Ok(owner) = owners.of(ctx, &prepared.event) {
            found.insert(owner.id);
        }
    }
    let sql = Sql::new("SELECT DISTINCT subject_id FROM epcis_event WHERE capture_id = $1");
    for row in tx.fetch(sql.arg(capture_id)).await? {
        found.insert(String::from(row.text(0)?));
    }
    if found.is_empty() {
        let detail = "不能确定主数据属于哪个追溯主体：请随该主体的事件一同提交";
        return Err(Problem::invalid("epcisHeader.epcisMasterData", detail));
    }
    Ok(found)
}

/// Keeps what a document tells, in the place of what was told before of the same things.
pub(crate) async fn keep(
    ctx: &Ctx,
    tx: &mut Tx,
    (capture_id, items): (&str, &[Item]),
    told: &[Told],
) -> Result<()> {
    if told.is_empty() {
        return Ok(());
    }
    let subjects = subjects(ctx, tx, (capture_id, items)).await?;
    let (mut things, mut children, mut attributes) = (Vec::new(), Vec::new(), Vec::new());
    for subject in &subjects {
        let mut by_role: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for one in told {
            let key =
                || -> Vec<SqlValue> { vec![subject.into(), one.role.into(), (&one.term).into()] };
            by_role.entry(one.role).or_default().push(&one.term);
            things.push([key(), vec![capture_id.into()]].concat());
            let child = |child: &String| [key(), vec![child.into()]].concat();
            children.extend(one.children.iter().map(child));
            let attribute = |(name, value): &(String, String)| {
                [key(), vec![name.into(), value.into()]].concat()
            };
            attributes.extend(one.attributes.iter().map(attribute));
        }
        for (role, terms) in by_role {
            for table in ["epcis_master", "epcis_master_child", "epcis_master_attribute"] {
                let mut sql = Sql::new("DELETE FROM ");
                sql.push(table).push(" WHERE subject_id = ").bind(subject.as_str());
                sql.push(" AND role = ").bind(role).push(" AND term ");
                sql.bind_texts(terms.iter().copied());
                tx.later([sql]);
            }
        }
    }
    for (head, rows) in [
        ("INSERT INTO epcis_master (subject_id, role, term, capture_id)", things),
        ("INSERT INTO epcis_master_child (subject_id, role, term, child)", children),
        ("INSERT INTO epcis_master_attribute (subject_id, role, term, name, value)", attributes),
    ] {
        tx.later(insert_rows(head, "ON CONFLICT DO NOTHING", rows));
    }
    let body = json!({ "things": told.len(), "subjects": subjects });
    audit::write(
        ctx,
        tx,
        audit::Entry { action: "captured", entity: "epcis_master", record: capture_id, body },
    );
    Ok(())
}

/// What lies in places by what anybody's master data tells, in the one spelling of events; none where
/// there is more than [`plan::TERMS_MAX`].
pub(crate) async fn inside(
    tx: &mut Tx,
    field: PlaceField,
    places: &[String],
) -> Result<Option<Vec<String>>> {
    let wanted: Vec<String> = places.iter().map(|id| spelled(id)).collect();
    let mut sql = Sql::new(
        "WITH RECURSIVE inside (subject_id, role, child, depth) AS (\
         SELECT m.subject_id, m.role, m.child, 1 FROM epcis_master_child m WHERE m.role ",
    );
    sql.bind_texts(roles(of_place(field)).iter().copied()).push(" AND m.term ");
    sql.bind_texts(wanted.iter().map(String::as_str));
    sql.push(
        " UNION SELECT m.subject_id, m.role, m.child, i.depth + 1 FROM epcis_master_child m \
         JOIN inside i ON m.subject_id = i.subject_id AND m.role = i.role AND m.term = i.child \
         WHERE i.depth < ",
    );
    sql.bind(i64::try_from(DEPTH_MAX).unwrap_or(i64::MAX));
    sql.push(") SELECT DISTINCT child FROM inside");
    plan::terms(tx, sql).await
}

/// The things of which anybody tells such an attribute, in the one spelling of events; none where there
/// are more than [`plan::TERMS_MAX`].
pub(crate) async fn with_attribute(
    tx: &mut Tx,
    field: MasterField,
    (names, values): (&[String], Option<&[String]>),
) -> Result<Option<Vec<String>>> {
    let mut sql = Sql::new("SELECT DISTINCT a.term FROM epcis_master_attribute a WHERE a.role ");
    sql.bind_texts(roles(field).iter().copied()).push(" AND a.name ");
    let names: Vec<String> = names.iter().map(|name| bounded(name.clone())).collect();
    sql.bind_texts(names.iter().map(String::as_str));
    if let Some(values) = values {
        let values: Vec<String> = values.iter().map(|value| bounded(value.clone())).collect();
        sql.push(" AND a.value ").bind_texts(values.iter().map(String::as_str));
    }
    plan::terms(tx, sql).await
}

/// A thing by its subject, its kind and its term.
type Thing = (String, String, String);

/// What subjects tell of the places and words of some of their events.
#[derive(Default)]
pub(crate) struct Known {
    /// What lies directly around a place.
    around: BTreeMap<Thing, BTreeSet<String>>,
    attributes: BTreeMap<Thing, Vec<(String, String)>>,
}

impl Known {
    /// What a query has to know of these events.
    pub(crate) async fn load(tx: &mut Tx, query: &Query, events: &[Kept]) -> Result<Self> {
        let mut known = Self::default();
        for condition in &query.conditions {
            match condition {
                Condition::Place { field, descendants: true, .. } => {
                    known.load_around(tx, of_place(*field), events).await?;
                }
                Condition::Master { field, names, .. } => {
                    known.load_attributes(tx, (*field, names), events).await?;
                }
                _ => {}
            }
        }
        Ok(known)
    }

    async fn load_around(
        &mut self,
        tx: &mut Tx,
        field: MasterField,
        events: &[Kept],
    ) -> Result<()> {
        let subjects: BTreeSet<&str> = events.iter().map(|kept| kept.subject.as_str()).collect();
        let mut next = terms(field, events);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for _ in 0..DEPTH_MAX {
            if next.is_empty() {
                break;
            }
            let mut sql = Sql::new(
                "SELECT subject_id, role, child, term FROM epcis_master_child WHERE subject_id ",
            );
            sql.bind_texts(subjects.iter().copied()).push(" AND role ");
            sql.bind_texts(roles(field).iter().copied()).push(" AND child ");
            sql.bind_texts(next.iter().map(String::as_str));
            seen.append(&mut next);
            for row in tx.fetch(sql).await? {
                let text = |index| row.text(index).map(String::from);
                let parent = text(3)?;
                if !seen.contains(&parent) {
                    next.insert(parent.clone());
                }
                self.around.entry((text(0)?, text(1)?, text(2)?)).or_default().insert(parent);
            }
            if seen.len() + next.len() > AROUND_MAX {
                let detail = "这些事件的地点在主数据中的上级过多，请缩小查询范围";
                return Err(Problem::invalid("WD_bizLocation", detail));
            }
        }
        Ok(())
    }

    async fn load_attributes(
        &mut self,
        tx: &mut Tx,
        (field, names): (MasterField, &[String]),
        events: &[Kept],
    ) -> Result<()> {
        let subjects: BTreeSet<&str> = events.iter().map(|kept| kept.subject.as_str()).collect();
        let terms = terms(field, events);
        if terms.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new(
            "SELECT subject_id, role, term, name, value FROM epcis_master_attribute WHERE subject_id ",
        );
        sql.bind_texts(subjects).push(" AND role ");
        sql.bind_texts(roles(field).iter().copied()).push(" AND term ");
        sql.bind_texts(terms.iter().map(String::as_str)).push(" AND name ");
        let names: Vec<String> = names.iter().map(|name| bounded(name.clone())).collect();
        sql.bind_texts(names.iter().map(String::as_str));
        for row in tx.fetch(sql).await? {
            let text = |index| row.text(index).map(String::from);
            let thing = (text(0)?, text(1)?, text(2)?);
            self.attributes.entry(thing).or_default().push((text(3)?, text(4)?));
        }
        Ok(())
    }
}

/// The terms that the events have in a field.
fn terms(field: MasterField, events: &[Kept]) -> BTreeSet<String> {
    let of = |kept: &Kept| {
        let values = master_values(field, &kept.event).into_iter();
        values.map(|id| term(roles(field)[0], id)).collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
}

/// What is known of the places of one event: by identifiers and registers, and by master data.
pub(crate) struct Around<'w> {
    pub(crate) sites: &'w Sites,
    pub(crate) known: &'w Known,
    pub(crate) subject: &'w str,
}

impl Places for Around<'_> {
    fn lies_in(&self, field: PlaceField, place: &str, ancestor: &str) -> bool {
        if self.sites.hold(place, ancestor) {
            return true;
        }
        roles(of_place(field)).iter().any(|role| {
            let (mut next, mut seen) = (vec![spelled(place)], BTreeSet::new());
            for _ in 0..DEPTH_MAX {
                let thing = |term: String| (self.subject.to_owned(), (*role).to_owned(), term);
                let around = next.drain(..).filter_map(|term| self.known.around.get(&thing(term)));
                let found: BTreeSet<String> = around.flatten().cloned().collect();
                if found.iter().any(|term| id_matches(ancestor, term) || *term == spelled(ancestor))
                {
                    return true;
                }
                next = found.into_iter().filter(|term| seen.insert(term.clone())).collect();
            }
            false
        })
    }

    fn has_attribute(
        &self,
        field: MasterField,
        id: &str,
        names: &[String],
        values: Option<&[String]>,
    ) -> bool {
        roles(field).iter().any(|role| {
            let thing = (self.subject.to_owned(), (*role).to_owned(), term(role, id));
            let told = self.known.attributes.get(&thing);
            told.into_iter().flatten().any(|(name, value)| {
                names.iter().any(|wanted| bounded(wanted.clone()) == *name)
                    && values.is_none_or(|any| {
                        any.iter().any(|wanted| bounded(wanted.clone()) == *value)
                    })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_known_by_their_urn_and_by_their_web_uri() {
        for (kind, wanted) in [
            ("urn:epcglobal:epcis:vtype:ReadPoint", "read"),
            ("urn:epcglobal:epcis:vtype:BusinessLocation", "loc"),
            ("epcis:ReadPoint", "read"),
            ("https://ref.gs1.org/epcis/BizLocation", "loc"),
            ("urn:epcglobal:epcis:vtype:Location", "place"),
            ("urn:epcglobal:epcis:vtype:EPCClass", "class"),
            ("urn:epcglobal:epcis:vtype:Party", OTHER),
            ("https://example.com/ReadPoint", OTHER),
        ] {
            assert_eq!(role(kind), wanted, "{kind}");
        }
    }
}
