//! A query as a condition in SQL that no event it means fails. Which of the others are not meant
//! is decided by the library afterwards, so that the answer is its own.

use yj_epcis::query::{
    Comparison, Condition, ExtensionPlace, IdField, MasterField, MatchField, PlaceField, Query,
    TimeField, TypedField, WordField,
};
use yj_epcis::{Action, Epc, EventKind, Gs1Key};
use yj_kernel::Sql;

use super::{
    master,
    place::{Sites, parts_in, parts_of},
    prepare::{EXTENDED, Role, bounded, spelled},
};

/// Limits a statement over `epcis_event e`.
pub(crate) fn narrow(query: &Query, sites: &Sites, sql: &mut Sql) {
    for condition in &query.conditions {
        one(condition, sites, sql);
    }
}

fn one(condition: &Condition, sites: &Sites, sql: &mut Sql) {
    match condition {
        Condition::EventType(any) => {
            let term = |name: &String| match EventKind::named(name) {
                Some(EventKind::Extended(_)) | None => String::from(EXTENDED),
                Some(standard) => String::from(standard.name()),
            };
            mentions(sql, &[Role::Type], any.iter().map(term));
        }
        Condition::Action(any) => {
            sql.push(" AND e.action ");
            sql.bind_texts(any.iter().map(|action| Action::name(*action)));
        }
        Condition::Time { field, comparison, at } => time(*field, *comparison, at.0, sql),
        Condition::Word { field, any } => word(*field, any, sql),
        Condition::Place { field, descendants, any } => {
            let role = match field {
                PlaceField::ReadPoint => Role::ReadPoint,
                PlaceField::BizLocation => Role::BizLocation,
            };
            if *descendants {
                within(sql, (role, *field), (any, sites));
            } else {
                ids(sql, &[role], any);
            }
        }
        Condition::Typed { field, any, .. } => {
            let role = match field {
                TypedField::BizTransaction => Role::Transaction,
                TypedField::Source => Role::Source,
                TypedField::Destination => Role::Destination,
            };
            ids(sql, &[role], any);
        }
        Condition::Id { field, any } => match field {
            IdField::EventId => {
                sql.push(" AND e.event_id ").bind_texts(any.iter().map(String::as_str));
            }
            IdField::TransformationId => {
                // Events of earlier days are found by the URN as it was sent.
                let spellings = any
                    .iter()
                    .flat_map(|id| [spelled(id), bounded(id.clone())].into_iter().chain(urns(id)));
                mentions(sql, &[Role::Transformation], spellings);
            }
            IdField::CorrectiveEventId => plain(sql, Role::Corrective, any),
        },
        Condition::Match { field, any } => ids(sql, roles(*field), any),
        Condition::SensorNumber { .. }
        | Condition::SensorText { .. }
        | Condition::SensorBoolean(_)
        | Condition::HasSensors => senses(sql),
        Condition::HasErrorDeclaration => declares(sql),
        Condition::Extension(extension) => match extension.place {
            ExtensionPlace::ErrorDeclaration => declares(sql),
            ExtensionPlace::SensorElement
            | ExtensionPlace::SensorMetadata
            | ExtensionPlace::SensorReport => senses(sql),
            _ => {}
        },
        Condition::Master { field, names, values } => {
            let roles: &[Role] = match field {
                MasterField::BizStep => &[Role::BizStep],
                MasterField::Disposition => &[Role::Disposition],
                MasterField::ReadPoint => &[Role::ReadPoint],
                MasterField::BizLocation => &[Role::BizLocation],
                MasterField::EpcClass => &[Role::Class, Role::InputClass, Role::OutputClass],
            };
            let codes: Vec<&str> = roles.iter().map(|role| role.code()).collect();
            master::with_attribute(sql, (&codes, *field), (names, values.as_deref()));
        }
        // Amounts are known to the event alone.
        Condition::Quantity { .. } => {}
    }
}

/// Every URN that a GS1 key may have, whatever the length of its company prefix.
fn urns(id: &str) -> impl Iterator<Item = String> {
    let key = Epc::parse(id).map(|epc| epc.to_key()).or_else(|| Gs1Key::parse(id));
    let of = move |length| Some(Epc::from_key(key.as_ref()?, length)?.to_urn());
    (6..=12).filter_map(of)
}

fn senses(sql: &mut Sql) {
    sql.push(" AND e.sensors = 1");
}

fn declares(sql: &mut Sql) {
    sql.push(" AND e.declared = 1");
}

fn time(field: TimeField, comparison: Comparison, at: i64, sql: &mut Sql) {
    let column = match field {
        TimeField::EventTime => "e.event_time",
        TimeField::RecordTime => "e.record_time",
        TimeField::DeclarationTime => "e.declared_at",
        TimeField::SensorTime(_) | TimeField::SensorStart | TimeField::SensorEnd => {
            return senses(sql);
        }
    };
    let sign = match comparison {
        Comparison::Eq => " = ",
        Comparison::Gt => " > ",
        Comparison::Ge => " >= ",
        Comparison::Lt => " < ",
        Comparison::Le => " <= ",
    };
    sql.push(" AND ").push(column).push(sign).bind(at);
}

fn word(field: WordField, any: &[String], sql: &mut Sql) {
    match field {
        WordField::BizStep => plain(sql, Role::BizStep, any),
        WordField::Disposition => plain(sql, Role::Disposition, any),
        WordField::ErrorReason => declares(sql),
        WordField::SensorType | WordField::SensorException | WordField::SensorComponent => {
            senses(sql);
        }
        WordField::PersistentSet | WordField::PersistentUnset => {}
    }
}

const fn roles(field: MatchField) -> &'static [Role] {
    match field {
        MatchField::Epc => &[Role::Epc],
        MatchField::ParentId => &[Role::Parent],
        MatchField::InputEpc => &[Role::InputEpc],
        MatchField::OutputEpc => &[Role::OutputEpc],
        MatchField::AnyEpc => &[Role::Epc, Role::Parent, Role::InputEpc, Role::OutputEpc],
        MatchField::EpcClass => &[Role::Class],
        MatchField::InputEpcClass => &[Role::InputClass],
        MatchField::OutputEpcClass => &[Role::OutputClass],
        MatchField::AnyEpcClass => &[Role::Class, Role::InputClass, Role::OutputClass],
    }
}

/// Identifiers in any spelling. A pattern may mean any of its role.
fn ids(sql: &mut Sql, roles: &[Role], any: &[String]) {
    if any.iter().any(|id| id.starts_with("urn:epc:idpat:")) {
        sql.push(" AND EXISTS (SELECT 1 FROM epcis_term t WHERE t.seq = e.seq AND t.role ");
        sql.bind_texts(roles.iter().map(|role| role.code())).push(")");
        return;
    }
    mentions(sql, roles, any.iter().map(|id| spelled(id)));
}

/// Places and what lies in them.
fn within(sql: &mut Sql, (role, field): (Role, PlaceField), (any, sites): (&[String], &Sites)) {
    if any.iter().any(|id| id.starts_with("urn:epc:idpat:")) {
        return ids(sql, &[role], any);
    }
    let inside: Vec<String> = any.iter().flat_map(|id| sites.inside(id)).collect();
    let terms: Vec<String> = any.iter().chain(&inside).map(|id| spelled(id)).collect();
    sql.push(" AND (e.seq IN (SELECT t.seq FROM epcis_term t WHERE t.role = ").bind(role.code());
    sql.push(" AND (t.term ").bind_texts(terms.iter().map(String::as_str));
    let parts = any.iter().filter_map(|id| parts_of(id));
    for parts in parts.chain(inside.iter().map(|link| parts_in(link))) {
        // `0` follows `/`: everything that begins so, and nothing else.
        let end = format!("{}0", parts.trim_end_matches('/'));
        sql.push(" OR (t.term > ").bind(parts).push(" AND t.term < ").bind(end).push(")");
    }
    sql.push(")) OR ");
    master::inside(sql, (role.code(), field), any);
    sql.push(")");
}

fn plain(sql: &mut Sql, role: Role, any: &[String]) {
    mentions(sql, &[role], any.iter().map(|text| bounded(text.clone())));
}

fn mentions(sql: &mut Sql, roles: &[Role], terms: impl Iterator<Item = String>) {
    let terms: Vec<String> = terms.collect();
    sql.push(" AND e.seq IN (SELECT t.seq FROM epcis_term t WHERE t.role ");
    sql.bind_texts(roles.iter().map(|role| role.code())).push(" AND t.term ");
    sql.bind_texts(terms.iter().map(String::as_str)).push(")");
}
