//! 包装关联与拆包装 (handbook §D, GC-4): what is in a package, and what may be taken out of it. Things that
//! went into a package are what they were, under their own codes; they come out as such, no others do,
//! and no more of any than went in (ADR 47).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use yj_domain::{Domains, Packing};
use yj_kernel::{Problem, Result, Sql, Tx};
use yj_model::{Quantity, UnitCode};

use crate::{
    balance::{Link, LinkRole, Objects},
    event::{self, Checked, OutLine},
    places,
    store::{self, StoredEvent},
};

/// Codes named in a problem.
const NAMED_MAX: usize = 5;
/// Things looked for in the packages of one batch whose contents are not named.
const INSIDE_MAX: i64 = 200_000;

/// What happened to a package: what was put in, or taken out, by code in ten-thousandths of its own unit.
struct Happened {
    /// The stored event; `None` in the batch that is being written.
    event: Option<i64>,
    packing: Packing,
    code: String,
    unit: UnitCode,
    quantity: i64,
}

/// An event of a batch that is not written yet, as far as packages are concerned.
pub(crate) struct Pending<'a> {
    pub(crate) packing: Packing,
    pub(crate) links: &'a [Link],
}

/// The one package that an event puts things into; `None` where it has several outputs, of which nobody
/// knows what is in which.
fn package(links: &[Link]) -> Option<&str> {
    let mut outputs = links.iter().filter(|link| link.role == LinkRole::Output);
    outputs.next().filter(|_| outputs.next().is_none()).map(|link| link.code.as_str())
}

/// The package that an event takes things out of.
fn opened(links: &[Link]) -> Option<&str> {
    links.iter().find(|link| link.role == LinkRole::Opened).map(|link| link.code.as_str())
}

/// What of some links happened to a package.
fn happened<'a>(
    (packing, links): (Packing, &'a [Link]),
    parent: &'a str,
    objects: &'a Objects,
) -> impl Iterator<Item = Happened> + 'a {
    let (of_it, role) = match packing {
        Packing::Pack => (package(links) == Some(parent), LinkRole::Input),
        Packing::Unpack => (opened(links) == Some(parent), LinkRole::Output),
    };
    let lines = links.iter().filter(move |link| of_it && link.role == role && link.code != parent);
    lines.filter_map(move |link| {
        Some(Happened {
            event: None,
            packing,
            code: link.code.clone(),
            unit: objects.get(&link.code)?.unit,
            quantity: link.quantity.map_or(0, Quantity::scaled),
        })
    })
}

/// What is in a package: by code, how much is left in it, and of what was ever in it the unit.
pub(crate) struct Contents(BTreeMap<String, (i64, UnitCode)>);

impl Contents {
    /// Reads what is in a stored package by the events that count. `but` are stored events that do not.
    pub(crate) async fn load(
        tx: &mut Tx,
        domains: &Domains,
        (code, id): (&str, Option<i64>),
        (pending, objects): (&[Pending<'_>], &Objects),
        but: impl Fn(i64) -> bool,
    ) -> Result<Self> {
        let mut all = match id {
            Some(id) => stored(tx, domains, id).await?,
            None => Vec::new(),
        };
        for one in pending {
            all.extend(happened((one.packing, one.links), code, objects));
        }
        let mut inside: BTreeMap<String, (i64, UnitCode)> = BTreeMap::new();
        for one in all.into_iter().filter(|one| one.event.is_none_or(|event| !but(event))) {
            let left = &mut inside.entry(one.code).or_insert((0, one.unit)).0;
            *left += if one.packing == Packing::Pack { one.quantity } else { -one.quantity };
        }
        Ok(Self(inside))
    }

    fn left(&self, code: &str) -> Option<i64> {
        self.0.get(code).map(|(left, _)| *left)
    }
}

/// What events that are stored did to a package.
async fn stored(tx: &mut Tx, domains: &Domains, package: i64) -> Result<Vec<Happened>> {
    let put_in = |join: &str| {
        let mut sql = Sql::new(
            "SELECT e.domain, e.kind, l.event_id, o.code, o.unit, COALESCE(i.quantity, 0) \
             FROM trace_link l",
        );
        sql.push(join).push(
            " JOIN trace_link i ON i.event_id = l.event_id AND i.role = 0 \
             AND i.object_id <> l.object_id JOIN trace_object o ON o.id = i.object_id \
             WHERE l.role = 1 AND NOT EXISTS (SELECT 1 FROM trace_link x \
             WHERE x.event_id = l.event_id AND x.role = 1 AND x.object_id <> l.object_id) \
             AND l.object_id = ",
        );
        sql.bind(package);
        sql
    };
    let mut all = Vec::new();
    for row in places::fetch_linked(tx, put_in).await? {
        if domains.packing(row.text(0)?, row.text(1)?) == Some(Packing::Pack) {
            all.push(Happened {
                event: Some(row.int(2)?),
                packing: Packing::Pack,
                code: String::from(row.text(3)?),
                unit: row.parsed(4)?,
                quantity: row.int(5)?,
            });
        }
    }
    let taken_out = Sql::new(
        "SELECT l.event_id, o.code, o.unit, COALESCE(c.quantity, 0) FROM trace_link l \
         JOIN trace_link c ON c.event_id = l.event_id AND c.role = 1 AND c.object_id <> l.object_id \
         JOIN trace_object o ON o.id = c.object_id WHERE l.role = 3 AND l.object_id = $1",
    );
    for row in tx.fetch(taken_out.arg(package)).await? {
        all.push(Happened {
            event: Some(row.int(0)?),
            packing: Packing::Unpack,
            code: String::from(row.text(1)?),
            unit: row.parsed(2)?,
            quantity: row.int(3)?,
        });
    }
    Ok(all)
}

/// Codes of what may be in the packages that events open without naming anything: what they stand for is
/// to be read with the rest.
pub(crate) async fn unnamed(tx: &mut Tx, checked: &[Result<Checked>]) -> Result<BTreeSet<String>> {
    let events = || checked.iter().filter_map(|event| event.as_ref().ok());
    let opening = |event: &&Checked| event.spec.unpacks() && !event.withdraws;
    let opening = events().filter(opening).filter(|event| takes(event).next().is_none());
    let packages: BTreeSet<&str> =
        opening.flat_map(|event| &event.inputs).map(|line| line.code.as_str()).collect();
    let mut codes = BTreeSet::new();
    if packages.is_empty() {
        return Ok(codes);
    }
    let packing = events().filter(|event| event.spec.packing == Some(Packing::Pack));
    let packing = packing
        .filter(|event| event.outputs.iter().any(|line| packages.contains(line.code.as_str())));
    codes.extend(packing.flat_map(|event| &event.inputs).map(|line| line.code.to_string()));
    let mut sql = Sql::new(
        "SELECT DISTINCT o.code FROM trace_object p CROSS JOIN trace_link l CROSS JOIN trace_link i \
         CROSS JOIN trace_object o WHERE l.object_id = p.id AND l.role = 1 \
         AND i.event_id = l.event_id AND i.role = 0 AND i.object_id <> l.object_id \
         AND o.id = i.object_id AND p.code ",
    );
    sql.bind_texts(packages).push(" LIMIT ").bind(INSIDE_MAX);
    for row in tx.fetch(sql).await? {
        codes.insert(String::from(row.text(0)?));
    }
    Ok(codes)
}

/// What an event takes out of its package: everything that comes out but the package itself.
fn takes(event: &Checked) -> impl Iterator<Item = (usize, &OutLine)> {
    let package = event.inputs.first().map(|line| &line.code);
    event.outputs.iter().enumerate().filter(move |(_, line)| Some(&line.code) != package)
}

/// Judges what an event takes out of a package, and says it in full where the event does not: nothing
/// named is everything; a package that is not counted is the whole of it, and goes on as long as
/// something is left in it. `back` is what an event that this one corrects had made of the package.
pub(crate) fn take_out(
    event: &mut Checked,
    contents: &Contents,
    (objects, back): (&Objects, Quantity),
) -> Result<()> {
    let Some(package) = event.inputs.first().cloned() else { return Ok(()) };
    let code = package.code.as_str();
    if package.external {
        let detail =
            format!("包装 {code} 中有什么须以平台登记的包装关联为据，不能标为来源于平台之外");
        return Err(Problem::invalid("inputs[0].external", detail));
    }
    // What is not registered is said by whoever takes it.
    let Some(object) = objects.get(code) else { return Ok(()) };
    if contents.0.is_empty() {
        let detail = format!(
            "追溯码 {code} 没有包装关联的记录，不知其中有什么，不能拆包装；请先登记包装关联，\
             每个包装记为一条"
        );
        return Err(Problem::invalid("inputs[0].code", detail));
    }
    if takes(event).next().is_none() {
        name_all(event, contents, objects)?;
    }
    let mut left: BTreeMap<&str, i64> =
        contents.0.iter().map(|(code, (left, _))| (code.as_str(), *left)).collect();
    for (at, line) in takes(event) {
        let wrong =
            |field: &str, detail| Problem::invalid(format!("outputs[{at}].{field}"), detail);
        let child = line.code.as_str();
        let (Some(inside), Some(one)) = (left.get_mut(child), objects.get(child)) else {
            let detail =
                format!("追溯码 {child} 没有装入包装 {code}，不能从中取出；请核对包装关联的记录");
            return Err(wrong("code", detail));
        };
        let quantity = line.unit.convert(line.quantity, one.unit);
        let quantity = quantity.map_err(|error| wrong("unit", error.to_string()))?;
        if *inside <= 0 {
            return Err(wrong("code", format!("追溯码 {child} 已从包装 {code} 中取出")));
        }
        *inside -= quantity.scaled();
        if *inside < 0 {
            let was = store::quantity(*inside + quantity.scaled())?;
            let unit = one.unit.unit().name;
            let detail = format!(
                "取出超过装入：包装 {code} 中有 {child} {was} {unit}，本次取出 {quantity} {unit}"
            );
            return Err(wrong("quantity", detail));
        }
    }
    let still: Vec<String> =
        left.iter().filter(|(_, left)| **left > 0).map(|(code, _)| String::from(*code)).collect();
    let there = object.balance.scaled() + back.scaled();
    let unit = object.unit;
    let taken = match package.amount {
        Some((quantity, given)) => {
            let quantity = given.convert(quantity, unit);
            quantity.map_err(|error| Problem::invalid("inputs[0].unit", error.to_string()))?
        }
        None => whole(event, (there, unit), !still.is_empty())?,
    };
    let mut out = 0;
    for line in event.outputs.iter().filter(|line| line.code == package.code) {
        let quantity = line.unit.convert(line.quantity, unit);
        out += quantity.map_err(|error| Problem::invalid("outputs", error.to_string()))?.scaled();
    }
    if out > taken.scaled() {
        let detail = format!("包装 {code} 拆后继续的数量不能多于拆前的数量");
        return Err(Problem::invalid("outputs", detail));
    }
    if there - taken.scaled() + out <= 0 && !still.is_empty() {
        let named: Vec<&str> = still.iter().map(String::as_str).take(NAMED_MAX).collect();
        let detail = format!(
            "包装 {code} 中还有 {} 项没有取出（{}{}）；请一并列出，或写明包装本身仍在产出之中，\
             或不写包装的数量",
            still.len(),
            named.join("、"),
            if still.len() > NAMED_MAX { "等" } else { "" }
        );
        return Err(Problem::invalid("outputs", detail));
    }
    Ok(())
}

/// Names everything that is in the package.
fn name_all(event: &mut Checked, contents: &Contents, objects: &Objects) -> Result<()> {
    let package = event.inputs.first().map(|line| line.code.clone());
    let most = event.spec.outputs.max;
    for (code, (left, _)) in contents.0.iter().filter(|(_, (left, _))| *left > 0) {
        let Some(object) = objects.get(code) else { continue };
        event.outputs.push(OutLine {
            code: code.parse().map_err(Problem::internal)?,
            quantity: store::quantity(*left)?,
            unit: object.unit,
            product: None,
            lot: None,
        });
    }
    if event.outputs.len() > most {
        let detail = format!("包装中多于 {most} 项，请分几次列明取出的各项");
        return Err(Problem::invalid("outputs", detail));
    }
    if takes(event).next().is_none() {
        let code = package.map(|code| code.to_string()).unwrap_or_default();
        let detail = format!("包装 {code} 中的已全部取出，没有可取出的");
        return Err(Problem::invalid("inputs[0].code", detail));
    }
    event.body["outputs"] = json!(event.outputs.iter().map(event::out_json).collect::<Vec<_>>());
    Ok(())
}

/// Takes the whole of the package, and puts it out again if it is to go on.
fn whole(event: &mut Checked, (there, unit): (i64, UnitCode), goes_on: bool) -> Result<Quantity> {
    let quantity = store::quantity(there)?;
    let Some(line) = event.inputs.first_mut() else { return Ok(quantity) };
    let code = line.code.clone();
    if !quantity.is_positive() {
        return Err(Problem::invalid("inputs[0].code", format!("包装 {code} 已不在库，不能再拆")));
    }
    line.amount = Some((quantity, unit));
    event.body["inputs"] = json!(event.inputs.iter().map(event::in_json).collect::<Vec<_>>());
    if goes_on && !event.outputs.iter().any(|line| line.code == code) {
        event.outputs.push(OutLine { code, quantity, unit, product: None, lot: None });
        event.body["outputs"] =
            json!(event.outputs.iter().map(event::out_json).collect::<Vec<_>>());
    }
    Ok(quantity)
}

/// What a corrected event had made of what is left of a package, in its own unit.
pub(crate) fn given_back(links: &[Link], code: &str) -> Result<Quantity> {
    let of_it = links.iter().filter(|link| link.code == code);
    let back = of_it.map(|link| {
        let quantity = link.quantity.map_or(0, Quantity::scaled);
        match link.role {
            LinkRole::Input | LinkRole::Opened => quantity,
            LinkRole::Output => -quantity,
            LinkRole::Observed => 0,
        }
    });
    store::quantity(back.sum())
}

/// A package whose packing is corrected still has in it what was taken out of it since: else the taking
/// out is to be corrected first. `before` are the links of the packing as it was; `but` are stored events
/// that do not count.
pub(crate) async fn require_taken(
    tx: &mut Tx,
    domains: &Domains,
    (original, before, but): (&StoredEvent, &[Link], &(dyn Fn(i64) -> bool + Sync)),
    (pending, objects): (&[Pending<'_>], &Objects),
) -> Result<()> {
    if domains.packing(&original.domain, &original.kind) != Some(Packing::Pack) {
        return Ok(());
    }
    let Some(code) = package(before) else { return Ok(()) };
    let id = objects.get(code).and_then(|object| object.id);
    let contents = Contents::load(tx, domains, (code, id), (pending, objects), but).await?;
    let missing = contents.0.keys().find(|child| contents.left(child).is_some_and(|left| left < 0));
    let Some(child) = missing else { return Ok(()) };
    let detail =
        format!("更正后包装 {code} 中没有足够的 {child}，而它已从中取出；请先更正拆包装的记录");
    Err(Problem::invalid("correction_of", detail))
}
