//! A lot is one unit, whatever it is called.
//!
//! Whoever registers a lot may give it a code of its own, with its product and its lot number; whoever
//! speaks GS1 calls the same lot by GTIN and lot number, as an element string, a Digital Link or an EPC
//! (CBV 2.0 §8.3.2, `urn:epc:class:lgtin:…`). What is so called and is no unit itself is the one unit of
//! that product and lot: the one that the subject of the event holds, or the only one there is. Where
//! neither is certain the name stays a name.
//!
//! Of a batch each event is named by what was before it: first by what is stored, all of them at once,
//! then in its turn by what the events before it in the batch have made, passed on and used up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use yj_kernel::{Problem, Result, Row, Sql, Tx};
use yj_model::{Gs1Data, KnownCode, TraceCode, bare_code};

use crate::{
    balance::{Object, Objects},
    event::Checked,
    spelling,
};

/// Units of a lot that are looked at, and of each holder's: two are as uncertain as a thousand.
const UNITS_MAX: i64 = 2;

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
    let code = bare_code(code)?;
    if !begins.iter().any(|mark| code.starts_with(mark)) {
        return None;
    }
    let data = Gs1Data::read(&code)?.ok()?;
    let coarse = ["21", "235"].iter().all(|finer| data.value(finer).is_none());
    let lot = data.value("10").filter(|_| coarse && data.key() == "01")?;
    Some(LotName { gtin: String::from(data.value("01")?), lot: String::from(lot) })
}

/// What a lot's name leads to.
struct Meaning {
    /// Identifier of the product.
    product: String,
    lot: String,
    /// Its units, as far as they are looked at, each with the identifiers of subjects that hold of it.
    units: BTreeSet<(String, String)>,
}

/// The lots that are called by names which are no units themselves, by these names.
#[derive(Default)]
pub(crate) struct Lots(BTreeMap<String, Meaning>);

/// Codes of units that the events of a batch have touched, by product and lot.
#[derive(Default)]
pub(crate) struct Touched(BTreeMap<(String, String), BTreeSet<String>>);

impl Touched {
    /// Notes what an event makes of the units that it touches; it may take them out of one lot into
    /// another.
    pub(crate) fn note(&mut self, before: &Objects, after: &Objects) {
        for (code, object) in after {
            for object in before.get(code).into_iter().chain([object]) {
                let (Some(product), Some(lot)) = (&object.product_id, &object.lot) else {
                    continue;
                };
                let units = self.0.entry((product.clone(), lot.clone())).or_default();
                units.insert(code.clone());
            }
        }
    }
}

impl Lots {
    /// Looks for the units of the lots that some names name, for certain holders of each.
    async fn look(tx: &mut Tx, names: BTreeMap<&str, (LotName, BTreeSet<&str>)>) -> Result<Self> {
        let gtins: BTreeSet<&str> = names.values().map(|(name, _)| name.gtin.as_str()).collect();
        let products = yj_product::by_gtins(tx, &gtins.into_iter().collect::<Vec<_>>()).await?;
        let mut known = Sql::new("SELECT code FROM trace_object WHERE code ");
        known.bind_texts(names.keys().copied());
        let (mut queries, mut asked, mut lots) = (vec![known], Vec::new(), BTreeMap::new());
        for (text, (name, holders)) in names {
            let Some(product) = products.get(&name.gtin) else { continue };
            let units = || {
                let mut sql =
                    Sql::new("SELECT code, subject_id FROM trace_object WHERE product_id = ");
                sql.bind(product.id.as_str()).push(" AND lot = ").bind(name.lot.as_str());
                sql
            };
            let any = std::iter::once(units());
            let of_holders = holders.into_iter().flat_map(|holder| {
                let mut last = units();
                last.push(" AND subject_id = ").bind(holder);
                let mut part = Sql::new(
                    "SELECT o.code, h.subject_id FROM trace_holding h CROSS JOIN trace_object o \
                     WHERE o.id = h.object_id AND h.subject_id = ",
                );
                part.bind(holder).push(" AND o.product_id = ").bind(product.id.as_str());
                part.push(" AND o.lot = ").bind(name.lot.as_str());
                [last, part]
            });
            for mut sql in any.chain(of_holders) {
                sql.push(" LIMIT ").bind(UNITS_MAX);
                queries.push(sql);
                asked.push(text);
            }
            let product = product.id.clone();
            let lot = Meaning { product, lot: name.lot, units: BTreeSet::new() };
            lots.insert(String::from(text), lot);
        }
        let mut answers = tx.fetch_all(queries).await?.into_iter();
        let known = answers.next().unwrap_or_default();
        let unit = |row: &Row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)));
        for (text, rows) in asked.into_iter().zip(answers) {
            let Some(lot) = lots.get_mut(text) else { continue };
            lot.units.extend(rows.iter().map(unit).collect::<Result<Vec<_>>>()?);
        }
        for row in &known {
            lots.remove(row.text(0)?);
        }
        Ok(Self(lots))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one unit that a name means to a holder, by what is stored.
    fn stored(&self, name: &str, holder: Option<&str>) -> Option<&str> {
        let lot = self.0.get(name)?;
        meant(lot.units.iter().map(|(code, holder)| (code.as_str(), holder.as_str())), holder)
    }

    /// Names the units of an event whose turn it is once more: by then the batch has changed `objects`,
    /// and touched some of a lot.
    pub(crate) fn name_in_turn(
        &self,
        event: &mut Checked,
        holder: &str,
        (objects, touched): (&Objects, &Touched),
    ) -> Result<()> {
        event.name_units(|name| {
            let lot = self.0.get(name)?;
            if objects.contains_key(name) {
                return None;
            }
            let key = (lot.product.clone(), lot.lot.clone());
            let touched = touched.0.get(&key).into_iter().flatten();
            let all: BTreeSet<&str> = touched
                .map(String::as_str)
                .chain(lot.units.iter().map(|(code, _)| code.as_str()))
                .collect();
            let of_lot = |object: &&Object| {
                object.product_id.as_ref() == Some(&lot.product)
                    && object.lot.as_ref() == Some(&lot.lot)
            };
            let mut units = Vec::new();
            for code in all {
                if let Some(object) = objects.get(code) {
                    let holders = object.parties().filter(|_| of_lot(&object));
                    units.extend(holders.map(|holder| (code, holder)));
                } else {
                    let stored = lot.units.iter().filter(|(one, _)| one == code);
                    units.extend(stored.map(|(_, holder)| (code, holder.as_str())));
                }
            }
            meant(units.into_iter(), Some(holder))
        })
    }
}

impl Checked {
    /// Puts the codes of units in the place of other names that they have, as far as `unit` knows any;
    /// asked again, it may know others, or none any more. Two names of one unit on one side are
    /// refused: their amounts belong together.
    pub(crate) fn name_units<'u>(&mut self, unit: impl Fn(&str) -> Option<&'u str>) -> Result<()> {
        let inputs = self.inputs.iter_mut().map(|line| &mut line.code).collect();
        let outputs = self.outputs.iter_mut().map(|line| &mut line.code).collect();
        let mut renamed = false;
        for (side, codes) in [("inputs", inputs), ("outputs", outputs)] {
            let named = (side, &mut self.body, &mut self.lot_names);
            renamed |= put_units(codes, named, &unit)?;
        }
        if renamed {
            self.digest = self.digest_now(true)?;
        }
        Ok(())
    }
}

/// Renames the codes of one side, in the lines and in the normal form alike, and keeps their names.
/// Returns whether there were any to rename.
fn put_units<'u>(
    mut codes: Vec<&mut TraceCode>,
    (side, body, names): (
        &'static str,
        &mut Value,
        &mut BTreeMap<(&'static str, usize), TraceCode>,
    ),
    unit: impl Fn(&str) -> Option<&'u str>,
) -> Result<bool> {
    let mut renamed = false;
    for at in 0..codes.len() {
        let name = names.get(&(side, at)).unwrap_or(&*codes[at]);
        let found = unit(name.as_str()).unwrap_or(name.as_str());
        if codes[at].as_str() == found {
            continue;
        }
        if codes.iter().any(|other| other.as_str() == found) {
            let detail = format!("{name} 与追溯码 {found} 是同一批次，请合并为一项");
            return Err(Problem::invalid(format!("{side}[{at}].code"), detail));
        }
        let (name, found) = (name.clone(), found.parse().map_err(Problem::internal)?);
        *codes[at] = found;
        body[side][at]["code"] = json!(codes[at]);
        names.entry((side, at)).or_insert(name);
        renamed = true;
    }
    Ok(renamed)
}

/// The one of some units, each with those who hold of it, that a lot's name means to a holder.
fn meant<'u>(
    units: impl Iterator<Item = (&'u str, &'u str)>,
    holder: Option<&str>,
) -> Option<&'u str> {
    let (mut own, mut all) = (BTreeSet::new(), BTreeSet::new());
    for (code, of) in units {
        all.insert(code);
        if Some(of) == holder {
            own.insert(code);
        }
    }
    let meant = if own.is_empty() { all } else { own };
    meant.first().copied().filter(|_| meant.len() == 1)
}

/// Puts the codes that lots are registered under in the place of their names, event by event, as far as
/// what is stored tells; what the names lead to.
pub(crate) async fn name(tx: &mut Tx, checked: &mut [Result<Checked>]) -> Result<Lots> {
    spelling::settle(tx, checked).await?;
    let events = || checked.iter().filter_map(|event| event.as_ref().ok());
    let is_named = |event: &&Checked| event.codes().any(|code| lot_named(code).is_some());
    let subjects: BTreeSet<&str> =
        events().filter(is_named).map(|event| event.subject.as_str()).collect();
    if subjects.is_empty() {
        return Ok(Lots::default());
    }
    let subjects = yj_subject::by_codes(tx, &subjects.into_iter().collect::<Vec<_>>()).await?;
    let holder = |code: &KnownCode| subjects.get(code.as_str()).map(|subject| subject.id.as_str());
    let mut names: BTreeMap<&str, (LotName, BTreeSet<&str>)> = BTreeMap::new();
    for event in events() {
        for (code, name) in event.codes().filter_map(|code| Some((code, lot_named(code)?))) {
            let (_, holders) = names.entry(code).or_insert_with(|| (name, BTreeSet::new()));
            holders.extend(holder(&event.subject));
        }
    }
    let lots = Lots::look(tx, names).await?;
    for event in checked.iter_mut() {
        let Ok(named) = event else { continue };
        let holder = holder(&named.subject);
        if let Err(problem) = named.name_units(|code| lots.stored(code, holder)) {
            *event = Err(problem);
        }
    }
    Ok(lots)
}

/// The code under which the unit is registered that a code names in another spelling, or by its lot where
/// that has one unit only.
pub(crate) async fn unit_named(tx: &mut Tx, code: &str) -> Result<Option<String>> {
    if let Some(other) = spelling::other(code) {
        let known = spelling::registered(tx, BTreeSet::from([code, other.as_str()])).await?;
        if !known.is_empty() {
            return Ok(Some(other.to_string()).filter(|_| !known.contains(code)));
        }
    }
    let Some(name) = lot_named(code) else { return Ok(None) };
    let lots = Lots::look(tx, BTreeMap::from([(code, (name, BTreeSet::new()))])).await?;
    Ok(lots.stored(code, None).map(String::from))
}

/// The code that the unit is registered under which a code names, or the code itself.
pub(crate) async fn registered(tx: &mut Tx, code: TraceCode) -> Result<TraceCode> {
    match unit_named(tx, code.as_str()).await? {
        Some(unit) => unit.parse().map_err(Problem::internal),
        None => Ok(code),
    }
}

/// The same of several codes that a holder names; those that stay as they are are not among them. What
/// is registered in no spelling gets the one for all.
pub(crate) async fn units_named(
    tx: &mut Tx,
    codes: &[&str],
    holder: &str,
) -> Result<BTreeMap<String, String>> {
    let others = codes.iter().filter_map(|code| Some((*code, spelling::other(code)?)));
    let others: BTreeMap<&str, TraceCode> = others.collect();
    let both = others.iter().flat_map(|(code, other)| [*code, other.as_str()]);
    let known = spelling::registered(tx, both.collect()).await?;
    let is_settled = |code: &str| {
        let other = others.get(code);
        known.contains(code) || other.is_some_and(|other| known.contains(other.as_str()))
    };
    let named = |code: &str| Some((lot_named(code)?, BTreeSet::from([holder])));
    let unsettled = codes.iter().filter(|code| !is_settled(code));
    let names: BTreeMap<&str, _> =
        unsettled.filter_map(|code| Some((*code, named(code)?))).collect();
    let lots = if names.is_empty() { Lots::default() } else { Lots::look(tx, names).await? };
    let unit = |code: &&str| {
        let lot = lots.stored(code, Some(holder)).map(String::from);
        let other = || others.get(code).filter(|_| !known.contains(*code)).map(ToString::to_string);
        Some((String::from(*code), lot.or_else(other)?))
    };
    Ok(codes.iter().filter_map(unit).collect())
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
            "HTTPS://id.gs1.org/01/06901234567892/10/L-1",
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
        let all = [("A", "a"), ("B", "b"), ("C", "b")];
        let meant = |units: &[(&'static str, &'static str)], holder| {
            meant(units.iter().copied(), Some(holder))
        };
        assert_eq!(meant(&all, "a"), Some("A"));
        assert_eq!(meant(&all, "b"), None, "two of one's own");
        assert_eq!(meant(&all, "c"), None, "several of others");
        assert_eq!(meant(&all[..1], "c"), Some("A"), "the only one");
        assert_eq!(meant(&[], "a"), None);
    }
}
