//! 设备绑定: a device in a vehicle or a store watches over a trace unit from one time to another. Its
//! readings then are evidence for that unit, in one summary (handbook §4.3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use yj_construction::DEVICE;
use yj_kernel::{
    Columns, Ctx, Field, Kind, Match, Place, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::{Id, RegionCode, TraceCode, sought_code};
use yj_subject::SubjectBrief;

use crate::{kind::ReadingKind, measure::Measure};

/// 设备绑定
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceBinding {
    /// 设备
    pub device_id: Id<()>,
    /// 追溯码
    pub code: String,
    /// 运单号
    pub waybill: Option<String>,
    /// 开始时间
    pub starts_at: String,
    /// 结束时间；空为仍在进行
    pub ends_at: Option<String>,
    /// 测量项目
    pub kind: String,
    /// 下限, a decimal in the unit of the kind.
    pub low: Option<String>,
    /// 上限
    pub high: Option<String>,
    /// 设备所属企业 when it was bound.
    pub subject_id: Option<Id<()>>,
    /// 所属区域
    pub region: Option<RegionCode>,
}

const COLUMNS: Columns = Columns {
    region: Some("region"),
    subject: Some("subject_id"),
    label: Some("label"),
    ..Columns::NONE
};

fn measure(text: &str) -> Result<String, String> {
    text.parse::<Measure>().map(|value| value.to_string()).map_err(|error| error.0)
}

fn code(text: &str) -> Result<String, String> {
    let code = text.parse::<TraceCode>().or_else(|_| sought_code(text));
    code.map(|code| code.to_string()).map_err(|error| error.0)
}

impl Resource for DeviceBinding {
    const TABLE: &'static str = "device_binding";
    const TITLE: &'static str = "设备绑定";
    const SCOPING: Scoping = Scoping::By(COLUMNS);
    // What it has proved, it has proved: a binding ends and is not taken away.
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("device_id", "设备", Kind::Id("device")).filter(Match::Exact),
        Field::new("code", "追溯码", Kind::Text)
            .length_max(80)
            .checked(code)
            .filter(Match::Exact)
            .hint("设备所属企业持有的追溯单元；为他人持有的绑定，须由对双方都有权限的监管人员登记"),
        Field::new("waybill", "运单号", Kind::Text).length_max(60).filter(Match::Exact).optional(),
        Field::new("starts_at", "开始时间", Kind::Time).filter(Match::Range).sortable(),
        Field::new("ends_at", "结束时间", Kind::Time)
            .filter(Match::Range)
            .optional()
            .hint("留空为仍在进行"),
        Field::new("kind", "测量项目", Kind::Code(ReadingKind::CODES)).filter(Match::Exact),
        Field::new("low", "下限", Kind::Text).checked(measure).optional().hint("如冷藏药品温度 2"),
        Field::new("high", "上限", Kind::Text).checked(measure).optional().hint("如冷藏药品温度 8"),
        Field::new("subject_id", "设备所属企业", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed()
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let time = |text: &String| text.parse::<jiff::Timestamp>().map_err(Problem::internal);
        let (starts, ends) = (time(&self.starts_at)?, self.ends_at.as_ref().map(time).transpose()?);
        if ends.is_some_and(|ends| ends <= starts) {
            return Err(Problem::invalid("ends_at", "结束时间应晚于开始时间"));
        }
        if let (Some(low), Some(high)) = limits(self.low.as_deref(), self.high.as_deref())
            && low >= high
        {
            return Err(Problem::invalid("high", "上限应大于下限"));
        }
        let mut sql = Sql::new("SELECT subject_id, region FROM device WHERE id = ");
        sql.bind(self.device_id);
        ctx.scope().narrow(&mut sql, tx, DEVICE.scoping);
        let device = tx.fetch_one(sql).await?;
        let device = device.ok_or_else(|| {
            Problem::invalid("device_id", "没有登记这台设备，或不在您的数据权限范围内")
        })?;
        let (owner, region) = (String::from(device.text(0)?), device.text(1)?);
        let one =
            sought_code(&self.code).map_or_else(|_| self.code.clone(), |code| code.to_string());
        let holders = yj_trace::holders(tx, &[&self.code, &one]).await?;
        // As it is written where a unit is registered so, else in the one spelling.
        if !holders.contains_key(&self.code) {
            self.code = one;
        }
        let holders = holders.get(&self.code);
        let own = holders.is_some_and(|holders| holders.contains(&owner));
        if !own && !covers(ctx, tx, holders).await? {
            let detail = "不是设备所属企业持有的追溯码，或不在您的数据权限范围内";
            return Err(Problem::invalid("code", detail));
        }
        self.region = Some(region.parse().map_err(Problem::internal)?);
        self.subject_id = Some(owner.parse().map_err(Problem::internal)?);
        Ok(())
    }

    fn sample(n: u32) -> Self {
        let optional = |text: &str| Some(String::from(text));
        Self {
            device_id: Id::from_parts(1, u128::from(n)),
            code: format!("SAMPLE-{n}"),
            waybill: optional("示例运单1"),
            starts_at: String::from("2026-11-01T00:00:00Z"),
            ends_at: optional("2026-11-02T00:00:00Z"),
            kind: String::from("temperature"),
            low: optional("2"),
            high: optional("8"),
            subject_id: Some(Id::from_parts(2, u128::from(n))),
            region: "610116".parse().ok(),
        }
    }
}

/// Limits of stored texts, in millionths.
pub(crate) fn limits(low: Option<&str>, high: Option<&str>) -> (Option<i64>, Option<i64>) {
    let read = |text: Option<&str>| text?.parse::<Measure>().ok().map(|value| value.0);
    (read(low), read(high))
}

/// Whether the request's right reaches a holder of a unit as well.
async fn covers(ctx: &Ctx, tx: &mut Tx, holders: Option<&BTreeSet<String>>) -> Result<bool> {
    let holders: Vec<&str> = holders.into_iter().flatten().map(String::as_str).collect();
    let found = yj_subject::by_ids(tx, &holders).await?;
    let within = |subject: &SubjectBrief| {
        let (region, subject) = (Some(subject.region.as_str()), Some(subject.id.as_str()));
        ctx.scope().covers(&COLUMNS, &Place { region, subject, ..Place::default() })
    };
    Ok(found.values().any(within))
}

/// Which of these codes are bound to which devices.
pub(crate) async fn bound(tx: &mut Tx, codes: &[&str]) -> Result<BTreeSet<(String, String)>> {
    let mut sql = Sql::new("SELECT device_id, code FROM device_binding WHERE code ");
    sql.bind_texts(codes.iter().copied());
    let rows = tx.fetch(sql).await?;
    rows.iter().map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)))).collect()
}

/// A stored binding, as its summary needs it.
pub(crate) struct Bound {
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) waybill: Option<String>,
    pub(crate) starts_ms: i64,
    pub(crate) ends_ms: Option<i64>,
    pub(crate) kind: ReadingKind,
    pub(crate) limits: (Option<i64>, Option<i64>),
}

/// Bindings of one answer.
const BINDINGS_MAX: i64 = 100;

/// The bindings of some codes, oldest first.
pub(crate) async fn of_codes(tx: &mut Tx, codes: &[&str]) -> Result<BTreeMap<String, Vec<Bound>>> {
    let mut sql = Sql::new(
        "SELECT id, device_id, waybill, starts_at, ends_at, kind, low, high, code \
         FROM device_binding WHERE code ",
    );
    sql.bind_texts(codes.iter().copied()).push(" ORDER BY id LIMIT ").bind(BINDINGS_MAX);
    let mut found: BTreeMap<String, Vec<Bound>> = BTreeMap::new();
    for row in tx.fetch(sql).await? {
        let bound = Bound {
            id: String::from(row.text(0)?),
            device: String::from(row.text(1)?),
            waybill: row.text_opt(2)?.map(String::from),
            starts_ms: row.int(3)?,
            ends_ms: row.int_opt(4)?,
            kind: crate::store::kind_of(row.text(5)?)?,
            limits: limits(row.text_opt(6)?, row.text_opt(7)?),
        };
        found.entry(String::from(row.text(8)?)).or_default().push(bound);
    }
    Ok(found)
}
