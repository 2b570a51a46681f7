//! A lot is one unit, whatever it is called.
//!
//! Whoever registers a lot may give it a code of its own, with its product and its lot number; whoever
//! speaks GS1 calls the same lot by GTIN and lot number, as an element string, a Digital Link or an EPC
//! (CBV 2.0 §8.3.2, `urn:epc:class:lgtin:…`). What is so called and is no unit itself is the one unit of
//! that product and lot: the one that the subject of the event holds, or the only one there is. Where
//! neither is certain the name stays a name.

use std::collections::{BTreeMap, BTreeSet};

use yj_kernel::{Result, Row, Sql, Tx};
use yj_model::{Gs1Data, KnownCode};

use crate::event::Checked;

/// Units of one lot that are looked at: those that a subject of the batch holds first.
const UNITS_MAX: i64 = 20;

/// A lot as GS1 names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LotName {
    /// 14 digits.
    gtin: String,
    lot: String,
}

/// The lot that a code names, where it names nothing finer and says by its form that it is GS1's.
fn lot_named(code: &str) -> Option<LotName> {
    let begins = ["(", "urn:epc:class:", "https://", "http://"];
    if !begins.iter().any(|mark| code.starts_with(mark)) {
        return None;
    }
    let data = Gs1Data::read(code)?.ok()?;
    let coarse = ["21", "235"].iter().all(|finer| data.value(finer).is_none());
    let lot = data.value("10").filter(|_| coarse && data.key() == "01")?;
    Some(LotName { gtin: String::from(data.value("01")?), lot: String::from(lot) })
}

/// A unit of a lot.
struct Unit {
    code: String,
    /// Identifier of the subject that holds it.
    holder: String,
}

/// Those of some names that are no units themselves, with the units of their lots; those that one of
/// the holders has come first.
async fn units(
    tx: &mut Tx,
    names: BTreeMap<&str, LotName>,
    holders: &[&str],
) -> Result<BTreeMap<String, Vec<Unit>>> {
    let gtins: BTreeSet<&str> = names.values().map(|name| name.gtin.as_str()).collect();
    let products = yj_product::by_gtins(tx, &gtins.into_iter().collect::<Vec<_>>()).await?;
    let mut known = Sql::new("SELECT code FROM trace_object WHERE code ");
    known.bind_texts(names.keys().copied());
    let of_lot = |name: &LotName| {
        let product = products.get(&name.gtin).map_or("", |product| product.id.as_str());
        let mut sql = Sql::new("SELECT code, subject_id FROM trace_object WHERE product_id = ");
        sql.bind(product).push(" AND lot = ").bind(name.lot.as_str());
        sql.push(" ORDER BY CASE WHEN subject_id ").bind_texts(holders.iter().copied());
        sql.push(" THEN 0 ELSE 1 END, id DESC LIMIT ").bind(UNITS_MAX);
        sql
    };
    let queries = std::iter::once(known).chain(names.values().map(of_lot)).collect();
    let mut answers = tx.fetch_all(queries).await?.into_iter();
    let known = answers.next().unwrap_or_default();
    let known = known.iter().map(|row| row.text(0)).collect::<Result<BTreeSet<&str>>>()?;
    let unit = |row: &Row| {
        Ok(Unit { code: String::from(row.text(0)?), holder: String::from(row.text(1)?) })
    };
    let mut found = BTreeMap::new();
    for (name, rows) in names.keys().zip(answers).filter(|(name, _)| !known.contains(*name)) {
        found.insert(String::from(*name), rows.iter().map(unit).collect::<Result<Vec<_>>>()?);
    }
    Ok(found)
}

/// The one unit that a lot's name means to a holder.
fn meant<'u>(units: &'u [Unit], holder: Option<&str>) -> Option<&'u str> {
    let mut own = units.iter().filter(|unit| Some(unit.holder.as_str()) == holder);
    match (own.next(), own.next(), units) {
        (Some(one), None, _) | (None, _, [one]) => Some(&one.code),
        _ => None,
    }
}

/// Puts the codes that lots are registered under in the place of their names, event by event.
pub(crate) async fn name(tx: &mut Tx, checked: &mut [Result<Checked>]) -> Result<()> {
    let events = || checked.iter().filter_map(|event| event.as_ref().ok());
    let names: BTreeMap<&str, LotName> = events()
        .flat_map(Checked::codes)
        .filter_map(|code| Some((code, lot_named(code)?)))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let subjects: BTreeSet<&str> = events().map(|event| event.subject.as_str()).collect();
    let subjects = yj_subject::by_codes(tx, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let holders: Vec<&str> = subjects.values().map(|subject| subject.id.as_str()).collect();
    let units = units(tx, names, &holders).await?;
    let holder = |code: &KnownCode| subjects.get(code.as_str()).map(|subject| subject.id.as_str());
    for event in checked.iter_mut() {
        let Ok(named) = event else { continue };
        let holder = holder(&named.subject);
        let unit = |code: &str| meant(units.get(code)?, holder);
        if let Err(problem) = named.name_units(unit) {
            *event = Err(problem);
        }
    }
    Ok(())
}

/// The code of the only unit of the lot that a code names.
pub(crate) async fn unit_named(tx: &mut Tx, code: &str) -> Result<Option<String>> {
    let Some(name) = lot_named(code) else { return Ok(None) };
    let found = units(tx, BTreeMap::from([(code, name)]), &[]).await?;
    Ok(found.get(code).and_then(|units| meant(units, None)).map(String::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_is_named_in_every_form_of_gs1_and_by_nothing_finer_or_coarser() {
        let wanted = Some(LotName { gtin: "06901234567892".into(), lot: "L-1".into() });
        for code in [
            "(01)06901234567892(10)L-1",
            "urn:epc:class:lgtin:6901234.056789.L-1",
            "https://id.gs1.org/01/06901234567892/10/L-1",
            "https://trace.example/gtin/6901234567892/lot/L-1",
        ] {
            assert_eq!(lot_named(code), wanted, "{code}");
        }
        for code in [
            "(01)06901234567892",
            "(01)06901234567892(10)L-1(21)7",
            "(01)06901234567893(10)L-1",
            "urn:epc:id:sgtin:6901234.056789.L-1",
            "https://trace.example/t/L-1",
            "F1-A",
        ] {
            assert_eq!(lot_named(code), None, "{code}");
        }
    }

    #[test]
    fn what_is_not_certain_stays_a_name() {
        let unit = |code: &str, holder: &str| Unit { code: code.into(), holder: holder.into() };
        let all = [unit("A", "a"), unit("B", "b"), unit("C", "b")];
        assert_eq!(meant(&all, Some("a")), Some("A"));
        assert_eq!(meant(&all, Some("b")), None, "two of one's own");
        assert_eq!(meant(&all, Some("c")), None, "several of others");
        assert_eq!(meant(&all[..1], Some("c")), Some("A"), "the only one");
        assert_eq!(meant(&[], None), None);
    }
}
