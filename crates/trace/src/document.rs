//! 批次凭证 (handbook §4.1, §1.10): certificates, reports, waybills and permits that go with batches. One
//! register for all kinds; what differs between them is in [`DocumentKind`]. A document is written once;
//! a mistake is mended by a new one after the wrong one is voided.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Codes, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
    insert_rows,
};
use yj_model::{DocumentKind, Id, Quantity, RegionCode, UnitCode};

use crate::{document_proof, lots, reissue, spelling};

/// 承诺依据
const BASES: Codes =
    &[("control", "质量安全控制"), ("self_test", "自行检测"), ("commissioned", "委托检测")];
const STATES: Codes = &[("valid", "有效"), ("reissued", "已并分重开"), ("void", "作废")];
/// 承诺 of a 承诺达标合格证, where nothing else is said.
pub(crate) const PROMISE: &str = "不使用禁用农药兽药、停用兽药和非法添加物；常规农药兽药残留不超标";
/// Batches named in one document.
const UNITS_MAX: usize = 200;
/// Certificates that one is made out of.
const ORIGINS_MAX: usize = 50;

/// A batch that a document covers.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoveredUnit {
    /// 追溯码
    pub code: String,
    /// 数量, in the document's unit; absent for all of it.
    #[serde(default)]
    pub quantity: Option<String>,
}

/// 批次凭证
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchDocument {
    /// 凭证种类
    pub kind: String,
    /// 凭证编号
    pub number: String,
    /// 开具单位
    pub issuer: String,
    /// Whose batch it goes with.
    pub subject_id: Id<()>,
    /// Region of that subject.
    pub region: Option<RegionCode>,
    /// 产品, where it is registered.
    pub product_id: Option<Id<()>>,
    /// 产品名称
    pub product: String,
    /// 数量
    pub quantity: Option<Quantity>,
    /// 计量单位
    pub unit: Option<UnitCode>,
    /// 开具日期
    pub issued_on: String,
    /// 有效期至
    pub valid_until: Option<String>,
    /// 产地
    pub origin: Option<String>,
    /// 承诺依据
    pub basis: Option<String>,
    /// 承诺
    pub promise: Option<String>,
    /// 联系方式
    pub contact: Option<String>,
    /// 所附批次
    pub units: Option<Vec<CoveredUnit>>,
    /// Numbers of the certificates it was made out of when goods were mixed or split.
    pub origins: Option<Vec<String>>,
    /// 车牌号
    pub vehicle_no: Option<String>,
    /// 起运时间
    pub depart_at: Option<String>,
    /// 到达时间
    pub arrive_at: Option<String>,
    /// 状态
    pub state: Option<String>,
    /// 作废原因
    pub void_reason: Option<String>,
    /// The voiding as the ledger names it.
    pub void_record: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "what a field's check is")]
fn tidied(text: &str) -> Result<String, String> {
    Ok(number_of(text))
}

/// A number as it is compared: without blanks, in capitals.
pub(crate) fn number_of(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

fn invalid(field: &'static str, detail: impl Into<String>) -> Problem {
    Problem::invalid(field, detail)
}

impl BatchDocument {
    /// One of a kind that says what all say, and nothing more so far. `issued_on` is a day,
    /// `2026-11-01`.
    pub fn plain(
        (kind, number): (&str, String),
        issuer: String,
        (subject_id, product): (Id<()>, String),
        issued_on: String,
    ) -> Self {
        Self {
            kind: String::from(kind),
            number,
            issuer,
            subject_id,
            region: None,
            product_id: None,
            product,
            quantity: None,
            unit: None,
            issued_on,
            valid_until: None,
            origin: None,
            basis: None,
            promise: None,
            contact: None,
            units: None,
            origins: None,
            vehicle_no: None,
            depart_at: None,
            arrive_at: None,
            state: None,
            void_reason: None,
            void_record: None,
        }
    }

    pub(crate) fn kind(&self) -> Result<DocumentKind> {
        DocumentKind::from_code(&self.kind)
            .ok_or_else(|| Problem::internal(format!("batch_document.kind is {}", self.kind)))
    }

    /// What its kind wants besides what all have.
    fn require_complete(&self, kind: DocumentKind) -> Result<()> {
        let missing: &[(&'static str, &str, bool)] = match kind {
            DocumentKind::Commitment => &[
                ("quantity", "数量", self.quantity.is_none()),
                ("origin", "产地", self.origin.is_none()),
                ("basis", "承诺依据", self.basis.is_none()),
                ("contact", "联系方式", self.contact.is_none()),
            ],
            DocumentKind::Quarantine => &[("quantity", "数量", self.quantity.is_none())],
            DocumentKind::Waybill => &[
                ("vehicle_no", "车牌号", self.vehicle_no.is_none()),
                ("depart_at", "起运时间", self.depart_at.is_none()),
                ("arrive_at", "到达时间", self.arrive_at.is_none()),
            ],
            DocumentKind::Licence => &[("valid_until", "有效期至", self.valid_until.is_none())],
            _ => &[],
        };
        match missing.iter().find(|(_, _, absent)| *absent) {
            Some((field, label, _)) => {
                Err(invalid(field, format!("{}须写明{label}", kind.label())))
            }
            None => Ok(()),
        }
    }

    fn require_sound_units(&mut self) -> Result<()> {
        let units = self.units.as_deref().unwrap_or_default();
        if units.len() > UNITS_MAX {
            return Err(invalid("units", format!("所附批次至多 {UNITS_MAX} 个")));
        }
        let mut sum = Quantity::ZERO;
        for unit in units {
            spelling::asked(&unit.code).map_err(|error| invalid("units", error.to_string()))?;
            if let Some(text) = &unit.quantity {
                let quantity: Quantity = text
                    .parse()
                    .map_err(|error: yj_model::Rejected| invalid("units", error.to_string()))?;
                sum = sum.plus(quantity).map_err(Problem::internal)?;
            }
        }
        match self.quantity {
            Some(quantity) if sum > quantity => {
                Err(invalid("units", format!("所附批次合计 {sum}，超过证载数量 {quantity}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes the codes that lots are registered under, whatever they are called.
    async fn name_units(&mut self, tx: &mut Tx) -> Result<()> {
        let subject = self.subject_id.to_string();
        let Some(units) = &mut self.units else { return Ok(()) };
        let codes: Vec<&str> = units.iter().map(|unit| unit.code.as_str()).collect();
        let named = lots::units_named(tx, &codes, &subject).await?;
        for unit in units {
            if let Some(code) = named.get(&unit.code) {
                unit.code.clone_from(code);
            }
        }
        Ok(())
    }
}

impl Resource for BatchDocument {
    const TABLE: &'static str = "batch_document";
    const TITLE: &'static str = "批次凭证";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("kind", "凭证种类", Kind::Code(DocumentKind::CODES))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("number", "凭证编号", Kind::Text)
            .checked(tidied)
            .length_max(60)
            .filter(Match::Exact)
            .public(),
        Field::new("issuer", "开具单位", Kind::Text).length_max(120).filter(Match::Contains),
        Field::new("subject_id", "批次所属主体", Kind::Id("trace_subject")).filter(Match::Exact),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .computed()
            .hint("由批次所属主体确定"),
        Field::new("product_id", "登记的产品", Kind::Id("product")).filter(Match::Exact).optional(),
        Field::new("product", "产品名称", Kind::Text).length_max(120).filter(Match::Contains),
        Field::new("quantity", "数量", Kind::Decimal).optional(),
        Field::new("unit", "计量单位", Kind::Text)
            .length_max(8)
            .optional()
            .hint("UN/CEFACT 代码，如 KGM"),
        Field::new("issued_on", "开具日期", Kind::Date).filter(Match::Range).sortable(),
        Field::new("valid_until", "有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional(),
        Field::new("origin", "产地", Kind::Text).length_max(120).optional(),
        Field::new("basis", "承诺依据", Kind::Code(BASES)).optional(),
        Field::new("promise", "承诺内容", Kind::Text).length_max(300).optional(),
        Field::new("contact", "联系方式", Kind::Text).length_max(60).optional().personal(),
        Field::new("units", "所附批次", Kind::Json)
            .optional()
            .hint("追溯码与数量，如 [{\"code\":\"…\",\"quantity\":\"100\"}]"),
        Field::new("origins", "来源凭证", Kind::Json)
            .optional()
            .hint("并批或分装后重新开具的，写原合格证的编号"),
        Field::new("vehicle_no", "车牌号", Kind::Text)
            .checked(tidied)
            .length_max(20)
            .filter(Match::Exact)
            .optional(),
        Field::new("depart_at", "起运时间", Kind::Time).optional(),
        Field::new("arrive_at", "到达时间", Kind::Time).optional(),
        Field::new("state", "状态", Kind::Code(STATES)).filter(Match::Exact).computed().public(),
        Field::new("void_reason", "作废原因", Kind::Text).length_max(500).computed(),
        Field::new("void_record", "作废的存证", Kind::Text).length_max(36).computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let kind = self.kind()?;
        let is_new = self.state.is_none();
        self.state.get_or_insert_with(|| String::from("valid"));
        if self.quantity.is_some() != self.unit.is_some() {
            return Err(invalid("unit", "数量与计量单位应同时填写或同时留空"));
        }
        if self.quantity.is_some_and(|quantity| !quantity.is_positive()) {
            return Err(invalid("quantity", "应大于 0"));
        }
        if self.issued_on > ctx.today().to_string() {
            return Err(invalid("issued_on", "开具日期不能晚于今天"));
        }
        if self.valid_until.as_ref().is_some_and(|until| *until < self.issued_on) {
            return Err(invalid("valid_until", "有效期不能早于开具日期"));
        }
        self.require_complete(kind)?;
        self.require_sound_units()?;
        if kind == DocumentKind::Commitment && self.promise.is_none() {
            self.promise = Some(String::from(PROMISE));
        }
        let subject = self.subject_id.to_string();
        let holder = yj_subject::by_ids(tx, &[subject.as_str()]).await?.remove(&subject);
        let holder = holder.ok_or_else(|| invalid("subject_id", "没有这个主体"))?;
        self.region = Some(holder.region.parse().map_err(Problem::internal)?);
        // What was written down stays as it was written.
        if is_new { self.name_units(tx).await } else { Ok(()) }
    }

    async fn admit(&self, before: Option<&Self>, _: &Ctx, tx: &mut Tx) -> Result<()> {
        if let Some(before) = before {
            let said = |one: &Self| (one.kind.clone(), one.number.clone(), one.quantity, one.unit);
            let open = before.state.as_deref() != Some("void");
            return if open && said(before) == said(self) {
                Ok(())
            } else {
                Err(Problem::Conflict(String::from("凭证登记后不能改动；有误的请作废后重新登记")))
            };
        }
        if let (Some(vehicle), Some(depart), Some(arrive)) =
            (&self.vehicle_no, &self.depart_at, &self.arrive_at)
        {
            require_one_trip(tx, (vehicle, depart, arrive)).await?;
        }
        if self.kind == DocumentKind::Commitment.code() {
            require_own(tx, (&self.subject_id.to_string(), self.units.as_deref())).await?;
        }
        let origins = self.origins.as_deref().unwrap_or_default();
        if origins.len() > ORIGINS_MAX {
            return Err(invalid("origins", format!("来源凭证至多 {ORIGINS_MAX} 张")));
        }
        Ok(())
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (None, Some(after)) = (change.before, change.after) else { return Ok(()) };
        let units = after.units.iter().flatten().map(|unit| unit.code.as_str());
        let codes: std::collections::BTreeSet<&str> = units.collect();
        let rows = codes.into_iter().map(|code| vec![change.id.into(), code.into()]);
        let head = "INSERT INTO batch_document_unit (document_id, code)";
        tx.later(insert_rows(head, "", rows.collect()));
        document_proof::anchor_made(ctx, tx, (change.id, after)).await?;
        reissue::draw_on(ctx, tx, (change.id, after)).await
    }

    fn sample(n: u32) -> Self {
        let text = |text: &str| Some(String::from(text));
        Self {
            quantity: "100".parse().ok(),
            unit: "KGM".parse().ok(),
            origin: text("示例县"),
            basis: text("self_test"),
            contact: text("13800000001"),
            ..Self::plain(
                ("commitment", format!("CD-{n}")),
                String::from("示例合作社"),
                (Id::from_parts(1, u128::from(n)), String::from("示例韭菜")),
                String::from("2026-11-01"),
            )
        }
    }
}

/// Nobody promises for lots that are not theirs and that they never put out. Of codes that are not
/// registered yet nothing can be said.
async fn require_own(tx: &mut Tx, (subject, units): (&str, Option<&[CoveredUnit]>)) -> Result<()> {
    let own = yj_subject::forebears(tx, subject).await?;
    let is_own = |sql: &mut Sql| {
        sql.bind_texts(own.iter().map(String::as_str));
    };
    let mut sql = Sql::new("SELECT o.code FROM trace_object o WHERE NOT o.subject_id ");
    is_own(&mut sql);
    sql.push(
        " AND NOT EXISTS (SELECT 1 FROM trace_link l JOIN trace_event e ON e.id = l.event_id \
         WHERE l.object_id = o.id AND l.role = 1 AND e.subject_id ",
    );
    is_own(&mut sql);
    sql.push(
        ") AND NOT EXISTS (SELECT 1 FROM trace_holding h WHERE h.object_id = o.id AND h.subject_id ",
    );
    is_own(&mut sql);
    sql.push(") AND o.code ");
    sql.bind_texts(units.into_iter().flatten().map(|unit| unit.code.as_str()));
    match tx.fetch_one(sql).await? {
        None => Ok(()),
        Some(row) => {
            let code = row.text(0)?;
            let detail = format!("批次 {code} 不是该主体生产或持有的，不能为其开具承诺达标合格证");
            Err(invalid("units", detail))
        }
    }
}

/// 一车一趟一单 (handbook §4.6): no second waybill in force for a vehicle that is under way.
async fn require_one_trip(
    tx: &mut Tx,
    (vehicle, depart, arrive): (&str, &str, &str),
) -> Result<()> {
    let ms = |field: &'static str, text: &str| {
        let time = text.parse::<jiff::Timestamp>();
        time.map(jiff::Timestamp::as_millisecond).map_err(|_| invalid(field, "应为时间"))
    };
    let (depart, arrive) = (ms("depart_at", depart)?, ms("arrive_at", arrive)?);
    if arrive <= depart {
        return Err(invalid("arrive_at", "到达时间应晚于起运时间"));
    }
    let sql = Sql::new(
        "SELECT number FROM batch_document WHERE kind = 'waybill' AND state = 'valid' \
         AND vehicle_no = $1 AND depart_at < $2 AND arrive_at > $3 LIMIT 1",
    );
    match tx.fetch_one(sql.arg(vehicle).arg(arrive).arg(depart)).await? {
        None => Ok(()),
        Some(row) => {
            let other = row.text(0)?;
            let detail =
                format!("车辆 {vehicle} 在这段时间已有运单 {other}；一车一趟一单，请先作废有误的");
            Err(invalid("vehicle_no", detail))
        }
    }
}
