//! What other modules may know of subjects without reading the register's table.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use yj_kernel::{
    Ctx, DataClass, Problem, Resource as _, Result, Row, Sql, Tx, mask,
    vault::{self, ERASED},
};

use crate::{standing::Status, subject::TraceSubject};

/// A subject in brief.
#[derive(Debug, Clone)]
pub struct SubjectBrief {
    /// Identifier.
    pub id: String,
    /// 主体代码
    pub code: String,
    /// 主体名称
    pub name: String,
    /// 所属区域
    pub region: String,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// Level of the security label.
    pub label: i64,
    /// 主体状态
    pub status: Status,
    /// Since when it has been in that state, Unix ms; `None`: since it was registered.
    pub status_since: Option<i64>,
}

/// Columns for [`read`]; the table is called `s`.
const BRIEF: &str =
    "SELECT s.id, s.code, s.name, s.region, s.lon, s.lat, s.label, s.status, s.status_since";
/// Behind the columns of [`BRIEF`]: what was asked for.
const ASKED: usize = 9;

/// Subjects by the codes that were asked for.
#[derive(Debug, Clone, Default)]
pub struct ByCode {
    found: BTreeMap<String, SubjectBrief>,
    /// Those found by former codes, under their present ones.
    renamed: BTreeMap<String, SubjectBrief>,
    ambiguous: BTreeSet<String>,
}

impl ByCode {
    /// The one subject that a code means: one that was asked for, present or former, or the present
    /// code of a subject that was found.
    pub fn get(&self, code: &str) -> Option<&SubjectBrief> {
        self.found.get(code).or_else(|| self.renamed.get(code))
    }

    /// Whether a code means more than one subject. The register lets no code be given twice; a
    /// record that came past it, out of an old backup or a hand-made import, is noticed here.
    pub fn is_ambiguous(&self, code: &str) -> bool {
        self.ambiguous.contains(code)
    }

    /// All subjects that were found.
    pub fn subjects(&self) -> impl Iterator<Item = &SubjectBrief> {
        self.found.values()
    }
}

impl SubjectBrief {
    /// What it is called, for those who are cleared up to a class.
    pub fn name_for(&self, clearance: DataClass) -> &str {
        if self.label <= clearance.level() { &self.name } else { "（名称不公开）" }
    }
}

/// Whom to reach at a subject; masked, for the record's own page reveals it with a reason.
#[derive(Debug, Clone, Default)]
pub struct Contact {
    /// 联系人
    pub name: String,
    /// 联系电话
    pub phone: String,
}

/// Contacts of subjects by their identifiers.
pub async fn contacts(ctx: &Ctx, tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, Contact>> {
    let mut sql = Sql::new("SELECT id, contact_name, contact_phone FROM trace_subject WHERE id ");
    sql.bind_texts(ids.iter().copied());
    let rows = tx.fetch(sql).await?;
    let keys = vault::data_keys(ctx.app(), tx, ids).await?;
    let mut found = BTreeMap::new();
    for row in rows {
        let id = row.text(0)?;
        let Some(key) = keys.get(id) else { continue };
        let open = |column: &str, sealed: &str| {
            let text = key.open((&format!("trace_subject.{column}"), id), sealed)?;
            Ok::<_, Problem>(if text == ERASED { text } else { mask(&text) })
        };
        let (name, phone) = (row.text(1)?, row.text(2)?);
        let contact =
            Contact { name: open("contact_name", name)?, phone: open("contact_phone", phone)? };
        found.insert(String::from(id), contact);
    }
    Ok(found)
}

/// The query for subjects by their codes, to travel with others; its answer is read by
/// [`read_by_codes`]. A code that a subject had before leads to it for ever.
pub fn query_by_codes(codes: &[&str]) -> Sql {
    let mut sql = Sql::new(BRIEF);
    sql.push(", s.code FROM trace_subject s WHERE s.status <> '80' AND s.code ");
    sql.bind_texts(codes.iter().copied()).push(" UNION ALL ").push(BRIEF);
    sql.push(", a.code FROM subject_alias a JOIN trace_subject s ON s.id = a.subject_id");
    sql.push(" WHERE a.code ").bind_texts(codes.iter().copied());
    sql
}

/// The answer to [`query_by_codes`]. Unknown codes are missing.
pub fn read_by_codes(rows: &[Row]) -> Result<ByCode> {
    let mut answer = ByCode::default();
    for (row, subject) in rows.iter().zip(read(rows)?) {
        let asked = row.text(ASKED)?;
        match answer.found.get(asked) {
            Some(other) if other.id != subject.id => {
                answer.ambiguous.insert(String::from(asked));
            }
            _ => {
                if asked != subject.code {
                    answer.renamed.insert(subject.code.clone(), subject.clone());
                }
                answer.found.insert(String::from(asked), subject);
            }
        }
    }
    let ByCode { found, ambiguous, .. } = &mut answer;
    found.retain(|code, _| !ambiguous.contains(code));
    Ok(answer)
}

/// The query for who stands for some subjects now, to travel with others; its answer is read by
/// [`read_heirs`]. `ids` writes the query that finds their identifiers.
pub fn query_heirs(ids: impl FnOnce(&mut Sql)) -> Sql {
    let mut sql = Sql::new(BRIEF);
    // However often it was merged, its own code leads to the last.
    sql.push(", h.id FROM trace_subject h");
    sql.push(" LEFT JOIN subject_alias a ON a.code = h.code AND h.status = '80'");
    sql.push(" JOIN trace_subject s ON s.id = COALESCE(a.subject_id, h.id) WHERE h.id IN (");
    ids(&mut sql);
    sql.push(")");
    sql
}

/// The answer to [`query_heirs`], by the identifiers asked for: the subject itself, or the one it
/// was merged into.
pub fn read_heirs(rows: &[Row]) -> Result<BTreeMap<String, SubjectBrief>> {
    let found = read(rows)?;
    let asked = rows.iter().map(|row| row.text(ASKED).map(String::from));
    asked.zip(found).map(|(asked, subject)| Ok((asked?, subject))).collect()
}

/// Who stands for some subjects now.
pub async fn heirs(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, SubjectBrief>> {
    let wanted = |sql: &mut Sql| {
        sql.push("SELECT id FROM trace_subject WHERE id ").bind_texts(ids.iter().copied());
    };
    read_heirs(&tx.fetch(query_heirs(wanted)).await?)
}

/// A subject, and those that it goes on for because they were merged into it: what was theirs is its own.
pub async fn forebears(tx: &mut Tx, id: &str) -> Result<Vec<String>> {
    let sql = Sql::new(
        "SELECT h.id FROM subject_alias a JOIN trace_subject h ON h.code = a.code AND h.status = '80' \
         WHERE a.subject_id = $1 ORDER BY h.id",
    );
    let rows = tx.fetch(sql.arg(id)).await?;
    let merged = rows.iter().map(|row| row.text(0).map(String::from));
    iter::once(Ok(String::from(id))).chain(merged).collect()
}

/// Subjects by their codes, present or former, under the codes asked for. Unknown codes are missing
/// from the answer, and so are those that mean more than one.
pub async fn by_codes(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, SubjectBrief>> {
    Ok(read_by_codes(&tx.fetch(query_by_codes(codes)).await?)?.found)
}

/// The subject that a code, present or former, means.
pub(crate) async fn by_code(tx: &mut Tx, code: &str) -> Result<Option<SubjectBrief>> {
    Ok(by_codes(tx, &[code]).await?.into_values().next())
}

/// 主体类型 of those whose records lead to a natural person: 个体工商户, 家庭农场或农户, 自然人.
const PERSONS: [&str; 3] = ["02", "07", "08"];

/// 主体类型 of a subject; `None` where there is no such subject.
pub async fn kind_of(tx: &mut Tx, id: &str) -> Result<Option<String>> {
    let sql = Sql::new("SELECT kind FROM trace_subject WHERE id = $1");
    let row = tx.fetch_one(sql.arg(id)).await?;
    row.map(|row| row.text(0).map(String::from)).transpose()
}

/// Whether a subject is a natural person, or a business that is one.
pub async fn is_person(tx: &mut Tx, id: &str) -> Result<bool> {
    let kind = kind_of(tx, id).await?;
    Ok(kind.is_some_and(|kind| PERSONS.contains(&kind.as_str())))
}

/// Refuses a subject that is not there or not within reach, both in the same words.
pub(crate) async fn require_reach(
    ctx: &Ctx,
    tx: &mut Tx,
    (field, id): (&'static str, &str),
) -> Result<()> {
    let mut sql = Sql::new("SELECT id FROM trace_subject WHERE id = ");
    sql.bind(id);
    ctx.scope().narrow(&mut sql, tx, TraceSubject::SCOPING);
    if tx.fetch_one(sql).await?.is_some() {
        return Ok(());
    }
    Err(Problem::invalid(field, "没有这个追溯主体，或不在您的数据权限范围内"))
}

/// Subjects by their identifiers.
pub async fn by_ids(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, SubjectBrief>> {
    let mut sql = Sql::new(BRIEF);
    sql.push(" FROM trace_subject s WHERE s.id ").bind_texts(ids.iter().copied());
    let found = read(&tx.fetch(sql).await?)?;
    Ok(found.into_iter().map(|subject| (subject.id.clone(), subject)).collect())
}

fn read(rows: &[Row]) -> Result<Vec<SubjectBrief>> {
    let read = |row: &Row| {
        let text = |index| row.text(index).map(String::from);
        Ok(SubjectBrief {
            id: text(0)?,
            code: text(1)?,
            name: text(2)?,
            region: text(3)?,
            lon: row.text_opt(4)?.map(String::from),
            lat: row.text_opt(5)?.map(String::from),
            label: row.int(6)?,
            status: Status::stored(row.text(7)?)?,
            status_since: row.int_opt(8)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Writes the query for the identifiers of the subjects of a node (节点编码): who runs it, who trades at
/// it or traded there besides its first node, and who belongs to it.
pub fn subjects_of_node(sql: &mut Sql, code: &str) {
    sql.push("SELECT n.subject_id FROM node n WHERE n.code = ").bind(code);
    sql.push(
        " UNION SELECT m.subject_id FROM node n CROSS JOIN merchant m \
         WHERE m.node_id = n.id AND m.subject_id IS NOT NULL AND n.code = ",
    );
    sql.bind(code).push(
        " UNION SELECT m.subject_id FROM node n CROSS JOIN merchant_place p \
         JOIN merchant m ON m.id = p.merchant_id \
         WHERE p.node_id = n.id AND m.subject_id IS NOT NULL AND n.code = ",
    );
    sql.bind(code).push(" UNION SELECT s.id FROM trace_subject s WHERE s.node_code = ").bind(code);
}
