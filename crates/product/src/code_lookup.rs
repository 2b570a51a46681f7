//! From a code back to its batch, its number there, and what became of it: two trips to the
//! database, whatever is found, so that how long an answer takes says nothing.

use std::collections::BTreeSet;

use serde_json::Value;
use yj_crypto::Shuffle;
use yj_kernel::{App, DataClass, Problem, Result, Row, Sql, Tx, time_text};
use yj_model::{Form, Recognised, Scheme, Split, forms_of};

use crate::{
    code_batch::{form, open_key},
    code_span::CodeState,
};

/// A code of a batch, found again.
#[derive(Debug, Clone)]
pub struct MintedCode {
    /// The batch.
    pub batch_id: String,
    /// Its number in the batch, from 0.
    pub number: i64,
    /// 编码体系
    pub scheme: Scheme,
    /// The code in its one form.
    pub canonical: String,
    /// 赋码主体
    pub subject_id: String,
    /// 产品
    pub product_id: Option<String>,
    /// 包装层级
    pub level: String,
    /// Level of the security label of the batch.
    pub label: i64,
    /// Where it stands; none where it was never activated.
    pub state: Option<CodeState>,
    /// 批次号, as told when it was activated.
    pub lot: Option<String>,
    /// 生产日期
    pub produced_on: Option<String>,
    /// 有效期至
    pub expires_on: Option<String>,
    /// The package it is in: batch and number.
    pub parent: Option<(String, i64)>,
}

impl MintedCode {
    /// Whether the public may know of it: it is on a product, and its batch is not kept from the
    /// public.
    pub fn is_public(&self) -> bool {
        self.state == Some(CodeState::Active) && self.label <= DataClass::Internal.level()
    }

    /// Whether the public may know that its issuer made it void: whoever holds such a label should
    /// not take it for one that is merely not uploaded yet.
    pub fn is_void(&self) -> bool {
        self.state == Some(CodeState::Void) && self.label <= DataClass::Internal.level()
    }
}

/// What was found of a text.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// Whether a batch here begins as the text does: then nobody else is asked for it.
    pub ours: bool,
    /// The code, if it is one of ours.
    pub found: Option<MintedCode>,
}

pub(crate) const BATCH: &str = "SELECT b.id, b.scheme, b.head, b.tail, b.first_no, b.size, b.subject_id, \
     b.product_id, b.level, b.label, k.sealed \
     FROM code_batch b LEFT JOIN code_key k ON k.batch_id = b.id ";

/// The number by which the batch of a code is found; chance has none.
pub(crate) fn numbered(split: &Split) -> i64 {
    let number = if split.tail.is_chance() { 0 } else { split.value };
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn query(split: &Split) -> Sql {
    let mut sql = Sql::new(BATCH);
    sql.push("WHERE b.head = ").bind(split.head.as_str()).push(" AND b.tail = ");
    sql.bind(split.tail.code()).push(" AND b.first_no <= ").bind(numbered(split));
    sql.push(" ORDER BY b.first_no DESC LIMIT 1");
    sql
}

/// The number of a code in the batch of a row; none where the batch never gave it.
pub(crate) fn number_in(app: &App, row: &Row, split: &Split) -> Result<Option<i64>> {
    let number = match row.text_opt(10)? {
        Some(sealed) => {
            let key = open_key(app, row.text(0)?, sealed)?;
            Shuffle::new(&key, split.tail.capacity()).find(split.value)
        }
        None => split.value.checked_sub(row.int(4)?.unsigned_abs()),
    };
    let number = number.and_then(|number| i64::try_from(number).ok());
    Ok(number.filter(|number| *number < row.int(5).unwrap_or(0)))
}

/// Every way in which a text may have been made, by its readings.
pub(crate) fn splits_of(readings: &[Recognised]) -> Vec<(Split, Scheme)> {
    let forms = |one: &Recognised| {
        let scheme = one.scheme;
        forms_of(one).into_iter().map(move |split| (split, scheme))
    };
    readings.iter().flat_map(forms).collect()
}

/// The code that a text is, by any of its readings.
pub async fn minted(app: &App, tx: &mut Tx, readings: &[Recognised]) -> Result<Sought> {
    Ok(minted_together(app, tx, &[readings]).await?.pop().unwrap_or_default())
}

/// The codes that some texts are, each by its readings; still two trips for all of them.
async fn minted_together(app: &App, tx: &mut Tx, texts: &[&[Recognised]]) -> Result<Vec<Sought>> {
    let splits: Vec<_> = texts.iter().map(|readings| splits_of(readings)).collect();
    let queries = splits.iter().flatten().map(|(split, _)| query(split)).collect();
    let mut answers = tx.fetch_all(queries).await?.into_iter();
    let mut found = Vec::with_capacity(texts.len());
    for splits in &splits {
        let rows: Vec<Vec<Row>> = answers.by_ref().take(splits.len()).collect();
        found.push(sought(app, splits, &rows)?);
    }
    let at = |sought: &Sought| {
        let (batch, number) =
            sought.found.as_ref().map_or(("", 0), |code| (code.batch_id.as_str(), code.number));
        [span_at(batch, number), pack_at(batch, number)]
    };
    let mut answers = tx.fetch_all(found.iter().flat_map(at).collect()).await?.into_iter();
    for sought in &mut found {
        let (spans, packs) =
            (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
        if let Some(code) = &mut sought.found {
            code.live(spans.first(), packs.first())?;
        }
    }
    Ok(found)
}

/// Which of some texts, each by its readings, are codes of a batch; one trip where no batch begins as
/// any of them does, as is nearly always so. Unlike [`minted_together`] it may take longer for some:
/// it is for texts of which everybody may know.
pub async fn are_minted(app: &App, tx: &mut Tx, texts: &[&[Recognised]]) -> Result<Vec<bool>> {
    let splits: Vec<_> = texts.iter().flat_map(|readings| splits_of(readings)).collect();
    let heads: BTreeSet<&str> = splits.iter().map(|(split, _)| split.head.as_str()).collect();
    if heads.is_empty() {
        return Ok(vec![false; texts.len()]);
    }
    let mut sql = Sql::new("SELECT 1 FROM code_batch WHERE head ");
    sql.bind_texts(heads).push(" LIMIT 1");
    if tx.fetch_one(sql).await?.is_none() {
        return Ok(vec![false; texts.len()]);
    }
    let found = minted_together(app, tx, texts).await?;
    Ok(found.iter().map(|sought| sought.found.is_some()).collect())
}

fn sought(app: &App, splits: &[(Split, Scheme)], answers: &[Vec<Row>]) -> Result<Sought> {
    let mut sought = Sought::default();
    for ((split, scheme), rows) in splits.iter().zip(answers) {
        let Some(row) = rows.first() else { continue };
        if row.text(1)? != scheme.code() {
            continue;
        }
        sought.ours = true;
        if let Some(number) = number_in(app, row, split)? {
            sought.found = Some(read(row, split, number)?);
            break;
        }
    }
    Ok(sought)
}

pub(crate) fn span_at(batch: &str, number: i64) -> Sql {
    Sql::new(
        "SELECT s.last_index, s.state, a.lot, a.produced_on, a.expires_on FROM code_span s \
         LEFT JOIN code_act a ON a.id = s.act_id \
         WHERE s.batch_id = $1 AND s.first_index <= $2 ORDER BY s.first_index DESC LIMIT 1",
    )
    .arg(batch)
    .arg(number)
}

fn pack_at(batch: &str, number: i64) -> Sql {
    Sql::new(
        "SELECT last_index, parent_batch_id, parent_index FROM code_pack \
         WHERE batch_id = $1 AND first_index <= $2 ORDER BY first_index DESC LIMIT 1",
    )
    .arg(batch)
    .arg(number)
}

fn read(row: &Row, split: &Split, number: i64) -> Result<MintedCode> {
    let form = form(row.text(1)?, Some(row.text(2)?), Some(row.text(3)?))?;
    Ok(MintedCode {
        batch_id: String::from(row.text(0)?),
        number,
        scheme: form.scheme,
        canonical: form.code(split.value),
        subject_id: String::from(row.text(6)?),
        product_id: row.text_opt(7)?.map(String::from),
        level: String::from(row.text(8)?),
        label: row.int(9)?,
        state: None,
        lot: None,
        produced_on: None,
        expires_on: None,
        parent: None,
    })
}

impl MintedCode {
    /// Fills in what became of it.
    fn live(&mut self, span: Option<&Row>, pack: Option<&Row>) -> Result<()> {
        if let Some(row) = span
            && row.int(0)? >= self.number
        {
            let state = row.text(1)?.parse().map_err(|error: String| Problem::internal(error))?;
            self.state = Some(state);
            let text = |index| row.text_opt(index).map(|text| text.map(String::from));
            (self.lot, self.produced_on, self.expires_on) = (text(2)?, text(3)?, text(4)?);
        }
        if let Some(row) = pack
            && row.int(0)? >= self.number
        {
            self.parent = Some((String::from(row.text(1)?), row.int(2)?));
        }
        Ok(())
    }
}

/// The code with a number in a batch.
pub(crate) async fn code_at(
    app: &App,
    tx: &mut Tx,
    (batch, number): (&str, i64),
) -> Result<String> {
    let mut sql = Sql::new(BATCH);
    sql.push("WHERE b.id = ").bind(batch);
    let row = tx.fetch_one(sql).await?.ok_or(Problem::NotFound("赋码批次"))?;
    let form = form(row.text(1)?, Some(row.text(2)?), Some(row.text(3)?))?;
    let sealed = row.text_opt(10)?;
    let key = sealed.map(|sealed| open_key(app, batch, sealed)).transpose()?;
    let shuffle = key.map(|key| Shuffle::new(&key, form.tail.capacity()));
    code(&form, shuffle.as_ref(), row.int(4)?, number)
}

/// The code with a number, given what it is made with.
pub(crate) fn code(
    form: &Form,
    shuffle: Option<&Shuffle>,
    first: i64,
    number: i64,
) -> Result<String> {
    let value = match shuffle {
        Some(shuffle) => shuffle.hide(number.unsigned_abs()),
        None => first.unsigned_abs().checked_add(number.unsigned_abs()),
    };
    let beyond = || Problem::internal("a number beyond its batch");
    value.map(|value| form.code(value)).ok_or_else(beyond)
}

/// Counts a scan of a code and says the how-manieth it is, and when the first was.
pub async fn count_code_scan(app: &App, code: &MintedCode) -> Result<(i64, Option<Value>)> {
    let mut tx = app.db().begin().await?;
    let sql = Sql::new(
        "INSERT INTO code_scan (batch_id, number, scans, first_scanned_at) VALUES ($1, $2, 1, $3) \
         ON CONFLICT (batch_id, number) DO UPDATE SET scans = code_scan.scans + 1 \
         RETURNING scans, first_scanned_at",
    );
    let sql = sql.arg(code.batch_id.as_str()).arg(code.number).arg(app.now().as_millisecond());
    let row = tx.fetch_one(sql).await?;
    tx.commit().await?;
    let Some(row) = row else { return Ok((0, None)) };
    Ok((row.int(0)?, Some(time_text(row.int(1)?)?)))
}

/// Whether a prefix here is one that an identifier begins with: then it is this platform's to
/// answer for.
pub async fn is_registered(tx: &mut Tx, reading: &Recognised) -> Result<bool> {
    let text = match reading.scheme {
        // A trade item begins with its indicator, a logistic unit with its extension.
        Scheme::Gs1 => reading
            .part("gtin")
            .or_else(|| reading.part("sscc"))
            .map(|code| &code[1..])
            .or_else(|| reading.part("gln"))
            .unwrap_or_default(),
        _ => reading.canonical.as_str(),
    };
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).take(64);
    let starts: Vec<&str> = ends.map(|end| &text[..end]).collect();
    let mut sql = Sql::new("SELECT 1 FROM code_rule WHERE scheme = ");
    sql.bind(reading.scheme.code()).push(" AND prefix ").bind_texts(starts).push(" LIMIT 1");
    Ok(tx.fetch_one(sql).await?.is_some())
}
