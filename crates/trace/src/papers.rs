//! The documents that events name, held against the register (handbook §4.1, §8.5): whether they exist,
//! still hold, are of this product, and cover this much. Read in the trip that reads everything else,
//! and only where an event names one or mixes or splits what is certified.

use std::collections::{BTreeMap, BTreeSet};

use yj_domain::{EventSpec, InputMode};
use yj_kernel::{Problem, Result, Row, Sql, SqlValue, Tx, insert_rows};
use yj_model::{DocumentKind, Quantity, Stage, UnitCode};

use crate::{
    balance::Objects,
    demanded::{self, Goods},
    document::{CoveredUnit, number_of},
    event::Checked,
    store::quantity,
};

/// 采购, 调拨, 供应, 赠品入库
const RECEIVING: [&str; 4] = ["102", "104", "107", "110"];
/// 退货, 销毁, 抽检, 召回, 损坏, 报废出库, 直调退货: what goes out so is not passed on under a document.
const NOT_PASSED_ON: [&str; 8] = ["202", "205", "206", "208", "211", "215", "216", "237"];

/// How somebody used a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// Passed goods on under it.
    Given,
    /// Took goods in under it.
    Received,
    /// Made another out of it.
    Reissued,
}

/// A document of the register.
#[derive(Debug, Clone)]
pub(crate) struct Paper {
    pub(crate) id: String,
    pub(crate) subject_id: String,
    product_id: Option<String>,
    product: String,
    pub(crate) covers: Option<(Quantity, UnitCode)>,
    issued_on: String,
    valid_until: Option<String>,
    pub(crate) state: String,
    origins: Vec<String>,
    /// Codes of the batches it goes with; none where it says none.
    pub(crate) units: Vec<String>,
}

/// How much of a document somebody has used so, in its unit.
pub(crate) type Used = BTreeMap<(String, String, Side), i64>;

/// What the register says of the documents that a batch of events names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Papers {
    known: BTreeMap<(DocumentKind, String), Vec<Paper>>,
    /// Numbers of the certificates in force over codes that are mixed or split.
    covering: BTreeMap<String, BTreeSet<String>>,
    used: Used,
    /// What the goods are, where a demand depends on that.
    goods: Goods,
}

/// A document that an event names.
struct Named {
    kind: DocumentKind,
    number: String,
    field: String,
}

/// What an event uses of a document.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    document: String,
    giver: String,
    side: Side,
    quantity: i64,
}

/// What the documents say of an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judged {
    pub(crate) uses: Vec<Use>,
    /// Why somebody must look at it.
    pub(crate) reason: Option<String>,
    /// Papers that it lacks and that are counted; empty for 入场无凭证 of packs that demand nothing.
    pub(crate) gap: Option<String>,
    /// Certificates made out anew for what it mixes or splits.
    pub(crate) remade: BTreeSet<String>,
}

/// Both sides of an event, by identifier, and the products of what it moves.
pub(crate) struct Parties<'a> {
    pub(crate) subject: &'a str,
    pub(crate) counterparty: Option<&'a str>,
    pub(crate) products: BTreeSet<&'a str>,
}

/// The documents that an event names: among its 凭证, and in the fields of its pack that are called as a
/// kind of document is.
fn named(event: &Checked) -> Vec<Named> {
    let mut found = Vec::new();
    let mut add = |kind: Option<DocumentKind>, number: Option<&str>, field: String| {
        if let (Some(kind), Some(number)) = (kind, number) {
            found.push(Named { kind, number: number_of(number), field });
        }
    };
    for (at, document) in event.body["documents"].as_array().into_iter().flatten().enumerate() {
        let kind = document["type"].as_str().and_then(DocumentKind::meant);
        add(kind, document["no"].as_str(), format!("documents[{at}].no"));
    }
    for field in &event.spec.fields {
        let number = event.body["attributes"][&field.name].as_str();
        let kind = match field.name.strip_suffix("_no") {
            None => None,
            // 入场凭证 says the kind in a field of its own.
            Some(stem) => {
                let said = event.body["attributes"][stem].as_str();
                let said = said.and_then(|code| event.spec.label(stem, code));
                DocumentKind::meant(said.unwrap_or(&field.label))
            }
        };
        add(kind, number, format!("attributes.{}", field.name));
    }
    found
}

/// Whether an event makes one of several or several of one, of what may go on. What is in a package is
/// neither mixed nor split.
fn mixes_or_splits(event: &Checked) -> bool {
    event.spec.packing.is_none()
        && event.spec.inputs.mode == InputMode::Consume
        && event.spec.outputs.terminal.is_none()
        && matches!(event.stage, Stage::Processing | Stage::Distribution)
        && !event.outputs.is_empty()
        && (event.inputs.len() > 1 || event.outputs.len() > 1)
}

/// The queries for what the register says, to travel with others; none where nothing is named. On
/// PostgreSQL they lock what is named, in one order for all.
pub(crate) fn queries(tx: &Tx, events: &[&Checked]) -> Vec<Sql> {
    let all = events.iter().flat_map(|event| named(event));
    let numbers: BTreeSet<String> = all.map(|one| one.number).collect();
    let mixed = events.iter().filter(|event| mixes_or_splits(event));
    let codes = mixed.flat_map(|event| &event.inputs).map(|line| line.code.as_str());
    let codes: BTreeSet<&str> = codes.collect();
    let goods = demanded::query(events);
    if numbers.is_empty() && codes.is_empty() {
        return goods.into_iter().collect();
    }
    let mut known = Sql::new(PAPER);
    known.push(" WHERE number ").bind_texts(numbers.iter().map(String::as_str));
    known.push(" ORDER BY id").push(tx.dialect().for_update());
    let mut used = Sql::new(
        "SELECT u.document_id, u.giver, u.side, CAST(SUM(u.quantity) AS BIGINT) \
         FROM batch_document d JOIN batch_document_use u ON u.document_id = d.id WHERE d.number ",
    );
    used.bind_texts(numbers.iter().map(String::as_str));
    // Of a correction among others nobody knows yet whether it will stand: there what it takes back
    // still counts, and it is sent alone where that is too much.
    let alone = if let [only] = events { only.correction_of } else { None };
    let corrected: Vec<String> = alone.iter().map(ToString::to_string).collect();
    used.push(" AND NOT u.source ").bind_texts(corrected.iter().map(String::as_str));
    used.push(" GROUP BY u.document_id, u.giver, u.side");
    let mut covering = Sql::new(
        "SELECT u.code, d.number FROM batch_document_unit u \
         JOIN batch_document d ON d.id = u.document_id \
         WHERE d.kind = 'commitment' AND d.state = 'valid' AND u.code ",
    );
    covering.bind_texts(codes);
    [known, used, covering].into_iter().chain(goods).collect()
}

pub(crate) const PAPER: &str = "SELECT id, kind, number, subject_id, product_id, product, quantity, unit, issued_on, \
     valid_until, state, origins, units FROM batch_document";

pub(crate) fn paper(row: &Row) -> Result<((DocumentKind, String), Paper)> {
    let kind = row.text(1)?;
    let kind = DocumentKind::from_code(kind)
        .ok_or_else(|| Problem::internal(format!("batch_document.kind is {kind}")))?;
    let covers = match (row.int_opt(6)?, row.text_opt(7)?) {
        (Some(scaled), Some(_)) => Some((quantity(scaled)?, row.parsed(7)?)),
        _ => None,
    };
    let text = |index| Ok::<_, Problem>(row.text_opt(index)?.map(String::from));
    let origins = match row.text_opt(11)? {
        Some(_) => row.json::<Vec<String>>(11)?,
        None => Vec::new(),
    };
    let units = match row.text_opt(12)? {
        Some(_) => row.json::<Vec<CoveredUnit>>(12)?,
        None => Vec::new(),
    };
    let paper = Paper {
        id: String::from(row.text(0)?),
        subject_id: String::from(row.text(3)?),
        product_id: text(4)?,
        product: String::from(row.text(5)?),
        covers,
        issued_on: String::from(row.text(8)?),
        valid_until: text(9)?,
        state: String::from(row.text(10)?),
        origins: origins.iter().map(|number| number_of(number)).collect(),
        units: units.into_iter().map(|unit| unit.code).collect(),
    };
    Ok(((kind, String::from(row.text(2)?)), paper))
}

/// The answers to [`queries`].
pub(crate) fn read(answers: &[Vec<Row>]) -> Result<Papers> {
    let mut papers = Papers::default();
    let [known, used, covering, goods @ ..] = answers else {
        papers.goods = yj_product::read_attributes(answers.first().map_or(&[], Vec::as_slice))?;
        return Ok(papers);
    };
    papers.goods = yj_product::read_attributes(goods.first().map_or(&[], Vec::as_slice))?;
    for row in known {
        let (name, paper) = paper(row)?;
        papers.known.entry(name).or_default().push(paper);
    }
    for row in used {
        let side = match row.int(2)? {
            0 => Side::Given,
            1 => Side::Received,
            _ => Side::Reissued,
        };
        let key = (String::from(row.text(0)?), String::from(row.text(1)?), side);
        papers.used.insert(key, row.int(3)?);
    }
    for row in covering {
        let number = String::from(row.text(1)?);
        papers.covering.entry(String::from(row.text(0)?)).or_default().insert(number);
    }
    Ok(papers)
}

impl Papers {
    /// Of those with the same number, that of a party of the event, or the first.
    fn find(&self, named: &Named, parties: &Parties<'_>) -> Option<&Paper> {
        let all = self.known.get(&(named.kind, named.number.clone()))?;
        let of = |paper: &&Paper| {
            let whose = paper.subject_id.as_str();
            Some(whose) == parties.counterparty || whose == parties.subject
        };
        all.iter().find(of).or_else(|| all.first())
    }

    /// Notes what an accepted event has used, for those that follow in the same batch.
    pub(crate) fn note(&mut self, uses: &[Use]) {
        for one in uses {
            let key = (one.document.clone(), one.giver.clone(), one.side);
            *self.used.entry(key).or_default() += one.quantity;
        }
    }

    /// Judges what an event names.
    pub(crate) fn judge(&self, event: &Checked, parties: &Parties<'_>) -> Result<Judged> {
        let mut judged = Judged::default();
        let mut certified: BTreeSet<&str> = BTreeSet::new();
        let mut found = demanded::Named::default();
        for named in named(event) {
            found.all.insert(named.kind);
            let Some(paper) = self.find(&named, parties) else {
                if named.kind == DocumentKind::Commitment && collects(&event.spec) {
                    let (kind, number) = (named.kind.label(), &named.number);
                    judged.reason = Some(format!("{kind} {number} 没有在平台登记，须核对原件"));
                }
                continue;
            };
            found.registered.insert(named.kind);
            let wrong = |detail: String| Problem::invalid(named.field.clone(), detail);
            require_sound(&named, paper, event).map_err(wrong)?;
            require_product(&named, paper, parties).map_err(wrong)?;
            if let Some(reason) = of_another_batch(&named, paper, (event, parties)) {
                judged.reason.get_or_insert(reason);
            }
            if named.kind == DocumentKind::Commitment {
                certified.extend(paper.origins.iter().map(String::as_str));
                if !paper.origins.is_empty() && mixes_or_splits(event) {
                    judged.remade.insert(paper.id.clone());
                }
            }
            if let Some(reason) = beyond_comparison(&named, paper, event) {
                judged.reason.get_or_insert(reason);
            }
            let one = self.measure(&named, paper, (event, parties)).map_err(wrong)?;
            // One document named twice in an event is one document.
            let known = |found: &Use| found.document == paper.id;
            if !judged.uses.iter().any(known) {
                judged.uses.extend(one);
            }
        }
        self.require_reissued(event, &certified)?;
        let lacks = demanded::judge(event, &found, (&parties.products, &self.goods))?;
        let reasons: Vec<String> = judged.reason.take().into_iter().chain(lacks.reason).collect();
        judged.reason = (!reasons.is_empty()).then(|| reasons.join("；"));
        let counted = !lacks.noted.is_empty() || is_gap(event);
        judged.gap = counted.then(|| lacks.noted.join("；"));
        Ok(judged)
    }

    /// Whether a document covers what an event moves, together with what it was used for before.
    fn measure(
        &self,
        named: &Named,
        paper: &Paper,
        (event, parties): (&Checked, &Parties<'_>),
    ) -> Result<Option<Use>, String> {
        let Some((covered, unit)) = paper.covers else { return Ok(None) };
        let Some(amount) = amount(event, named.kind, unit) else { return Ok(None) };
        let usage = usage(event, named.kind, parties);
        let before = usage.as_ref().map_or(0, |(giver, side)| self.used_by(paper, giver, *side));
        let total = before.saturating_add(amount.scaled());
        if total > covered.scaled() {
            let shown = |scaled: i64| {
                quantity(scaled).map_or_else(|_| String::new(), |one| one.to_string())
            };
            let name = unit.unit().name;
            return Err(format!(
                "{} {} 证载 {covered} {name}，已用 {} {name}，本次 {amount} {name}，超出 {} {name}",
                named.kind.label(),
                named.number,
                shown(before),
                shown(total - covered.scaled()),
            ));
        }
        Ok(usage.map(|(giver, side)| Use {
            document: paper.id.clone(),
            giver,
            side,
            quantity: amount.scaled(),
        }))
    }

    fn used_by(&self, paper: &Paper, giver: &str, side: Side) -> i64 {
        let of = |side| {
            let key = (paper.id.clone(), String::from(giver), side);
            self.used.get(&key).copied().unwrap_or(0)
        };
        match side {
            Side::Received => of(Side::Received),
            // What was made out anew is not passed on under the old one.
            Side::Given | Side::Reissued => of(Side::Given).saturating_add(of(Side::Reissued)),
        }
    }

    /// 混装或者分装后，应当重新开具: an event that mixes or splits certified goods names a certificate
    /// made out of theirs.
    fn require_reissued(&self, event: &Checked, certified: &BTreeSet<&str>) -> Result<()> {
        if self.covering.is_empty() || !mixes_or_splits(event) {
            return Ok(());
        }
        let over = event.inputs.iter().filter_map(|line| self.covering.get(line.code.as_str()));
        let lacking: BTreeSet<&str> = over
            .flatten()
            .map(String::as_str)
            .filter(|number| !certified.contains(number))
            .collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let lacking: Vec<&str> = lacking.into_iter().take(5).collect();
        Err(Problem::invalid(
            "documents",
            format!(
                "投入的批次附有承诺达标合格证 {}，并批或分装后须重新开具：请先开具以其为来源的合格证，再在本事件的凭证中写明",
                lacking.join("、")
            ),
        ))
    }
}

fn require_sound(named: &Named, paper: &Paper, event: &Checked) -> Result<(), String> {
    let (kind, number) = (named.kind.label(), &named.number);
    let day = event.time.beijing_day().to_string();
    match paper.state.as_str() {
        "void" => return Err(format!("{kind} {number} 已作废，请更换")),
        "reissued" => return Err(format!("{kind} {number} 已并分重开，请写明重开的编号")),
        _ => {}
    }
    if paper.issued_on > day {
        return Err(format!("{kind} {number} 开具于 {}，晚于事件发生", paper.issued_on));
    }
    match &paper.valid_until {
        Some(until) if *until < day => {
            Err(format!("{kind} {number} 有效期至 {until}，事件发生时已过期"))
        }
        _ => Ok(()),
    }
}

fn require_product(named: &Named, paper: &Paper, parties: &Parties<'_>) -> Result<(), String> {
    let Some(product) = &paper.product_id else { return Ok(()) };
    if parties.products.is_empty() || parties.products.contains(product.as_str()) {
        return Ok(());
    }
    Err(format!(
        "{} {} 所附产品为“{}”，与本事件的产品不符",
        named.kind.label(),
        named.number,
        paper.product
    ))
}

/// Whether a subject uses its own paper for batches that are not those it names. What others do under it has
/// codes of its own by then.
fn of_another_batch(
    named: &Named,
    paper: &Paper,
    (event, parties): (&Checked, &Parties<'_>),
) -> Option<String> {
    if paper.units.is_empty() || paper.subject_id != parties.subject {
        return None;
    }
    let inputs = event.inputs.iter().map(|line| line.code.as_str());
    let mut moved = inputs.chain(event.outputs.iter().map(|line| line.code.as_str()));
    if moved.any(|code| paper.units.iter().any(|unit| unit == code)) {
        return None;
    }
    let (kind, number) = (named.kind.label(), &named.number);
    let units = paper.units.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("、");
    Some(format!("{kind} {number} 所附批次为 {units}，不含本事件的批次，须核对原件"))
}

/// Whether goods come in to a subject by such an event, which collects what goes with them.
fn collects(spec: &EventSpec) -> bool {
    spec.movement.as_deref().is_some_and(|code| RECEIVING.contains(&code))
}

fn is_gap(event: &Checked) -> bool {
    let code = event.body["attributes"]["voucher"].as_str();
    collects(&event.spec)
        && code.and_then(|code| event.spec.label("voucher", code)) == Some("无凭证")
}

/// Why somebody must look at a document that counts in another measure than the event does: heads do not
/// become kilograms, and what cannot be compared is not taken for covered.
fn beyond_comparison(named: &Named, paper: &Paper, event: &Checked) -> Option<String> {
    let (covered, unit) = paper.covers?;
    let lines = moved(event, named.kind);
    let (_, other) = lines.iter().find(|(_, of)| !of.is_comparable(unit))?;
    Some(format!(
        "{} {} 证载 {covered} {}，本事件以{}计，不能换算，须核对所证数量",
        named.kind.label(),
        named.number,
        unit.unit().name,
        other.unit().name
    ))
}

/// The lines of an event that a document of this kind covers.
fn moved(event: &Checked, kind: DocumentKind) -> Vec<(Quantity, UnitCode)> {
    let out = event.outputs.iter().map(|line| (line.quantity, line.unit));
    let of_outputs = event.spec.inputs.mode == InputMode::None
        || (event.stage == Stage::Processing && kind == DocumentKind::Commitment);
    if of_outputs {
        out.collect()
    } else {
        event.inputs.iter().filter_map(|line| line.amount).collect()
    }
}

/// How much an event moves, in a unit; `None` where that is not said or cannot be compared.
fn amount(event: &Checked, kind: DocumentKind, unit: UnitCode) -> Option<Quantity> {
    let lines = moved(event, kind);
    let mut sum = Quantity::ZERO;
    for (quantity, of) in lines {
        sum = sum.plus(of.convert(quantity, unit).ok()?).ok()?;
    }
    sum.is_positive().then_some(sum)
}

/// Whose goods an event passes on or takes in under a document, if it does.
fn usage(event: &Checked, kind: DocumentKind, parties: &Parties<'_>) -> Option<(String, Side)> {
    let movement = event.spec.movement.as_deref()?;
    // 生产出库 under what came with the animals uses that up; its own certificate is for what it makes.
    let consumed = movement == "208";
    if consumed && kind == DocumentKind::Commitment {
        return None;
    }
    if consumed || RECEIVING.contains(&movement) {
        return Some((String::from(parties.counterparty.unwrap_or_default()), Side::Received));
    }
    let goes_out = movement.starts_with(['2', '3']) && !NOT_PASSED_ON.contains(&movement);
    goes_out.then(|| (String::from(parties.subject), Side::Given))
}

/// The products of what an event makes, as far as they are known; what names none is what it is made
/// from.
pub(crate) fn products<'a>(
    event: &Checked,
    objects: &'a Objects,
    products: &'a BTreeMap<String, (String, UnitCode)>,
) -> BTreeSet<&'a str> {
    let made = event.outputs.iter().filter_map(|line| products.get(line.product.as_deref()?));
    let made: BTreeSet<&str> = made.map(|(id, _)| id.as_str()).collect();
    if !made.is_empty() && event.outputs.iter().all(|line| line.product.is_some()) {
        return made;
    }
    let moved = event.inputs.iter().filter_map(|line| objects.get(line.code.as_str()));
    moved.filter_map(|object| object.product_id.as_deref()).chain(made).collect()
}

/// Statements that keep what accepted events used, and where there was nothing. An event is its
/// identifier, the subject, its region and its day.
pub(crate) fn write(event: (&str, &str, &str, String), judged: &Judged) -> Vec<Sql> {
    let (uid, subject, region, day) = event;
    let rows = judged.uses.iter().map(|one| {
        vec![
            (&one.document).into(),
            uid.into(),
            (&one.giver).into(),
            SqlValue::from(one.side as i64),
            one.quantity.into(),
        ]
    });
    let head = "INSERT INTO batch_document_use (document_id, source, giver, side, quantity)";
    let mut statements = insert_rows(head, "", rows.collect());
    if let Some(lacking) = &judged.gap {
        let sql = Sql::new(
            "INSERT INTO batch_document_gap (event, subject_id, region, day, demand) \
             VALUES ($1, $2, $3, $4, $5)",
        );
        let lacking = (!lacking.is_empty()).then(|| lacking.clone());
        statements.push(sql.arg(uid).arg(subject).arg(region).arg(day).arg(lacking));
    }
    statements
}

/// Statements that take back what a corrected event used.
pub(crate) fn withdraw(original: i64) -> [Sql; 2] {
    [
        "DELETE FROM batch_document_use WHERE source = (SELECT uid FROM trace_event_key WHERE id = $1)",
        "DELETE FROM batch_document_gap WHERE event = (SELECT uid FROM trace_event_key WHERE id = $1)",
    ]
    .map(|text| Sql::new(text).arg(original))
}
