//! 许可证照 (YJ-core A licences, handbook §2.6): what a subject is licensed to do, by whom and until
//! when. The paper itself is a file of the record.

use axum::{Json, extract::RawQuery, http::Method};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    Access, Columns, Ctx, Field, Kind, Match, Param, Problem, Resource, Result, Route, Row,
    Scoping, Sql, Tx,
};
use yj_model::{CreditCode, FoodLicence, Id, LICENCE_KINDS, RegionCode};

use crate::{
    alias::{subject_region, tidied},
    subject::TraceSubject,
};

/// 许可证照
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// 追溯主体
    pub subject_id: Id<TraceSubject>,
    /// 证照类型
    pub kind: String,
    /// 证照编号
    pub no: String,
    /// 发证机关
    pub issuer: String,
    /// 有效期自
    pub valid_from: String,
    /// 有效期至; none where it does not end.
    pub valid_to: Option<String>,
    /// Region of the subject.
    pub region: Option<RegionCode>,
}

/// The kinds whose numbers are issued once in the whole country, with their prefixes.
const FOOD: [(&str, &str); 3] = [("201", "SC"), ("202", "JY"), ("203", "YB")];

/// A number in its normal form, as its kind demands it.
fn number(kind: &str, text: &str) -> Result<String, String> {
    if let Some((_, prefix)) = FOOD.iter().find(|(known, _)| *known == kind) {
        let number: FoodLicence = text.parse().map_err(|error| format!("{error}"))?;
        return match number.as_str().strip_prefix(prefix) {
            Some(_) => Ok(number.to_string()),
            None => Err(format!("这类证照的编号应以 {prefix} 开头")),
        };
    }
    if kind == "101" {
        return text.parse::<CreditCode>().map(|code| code.to_string()).map_err(|e| e.to_string());
    }
    Ok(String::from(text))
}

impl Resource for Licence {
    const TABLE: &'static str = "licence";
    const TITLE: &'static str = "许可证照";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        label: Some("label"),
        ..Columns::NONE
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("subject_id", "追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("kind", "证照类型", Kind::Code(LICENCE_KINDS))
            .format("n3")
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("no", "证照编号", Kind::Text)
            .checked(tidied)
            .length_max(50)
            .format("an..50")
            .filter(Match::Exact)
            .sortable()
            .public()
            .hint("食品生产许可证如 SC 加 14 位数字；不含连字符与空格"),
        Field::new("issuer", "发证机关", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .public(),
        Field::new("valid_from", "有效期自", Kind::Date).filter(Match::Range).sortable().public(),
        Field::new("valid_to", "有效期至", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .optional()
            .public()
            .hint("长期有效的不填"),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .computed()
            .passes_on()
            .hint("由追溯主体确定"),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        self.no = number(&self.kind, &self.no).map_err(|detail| Problem::invalid("no", detail))?;
        if self.valid_to.as_ref().is_some_and(|end| *end < self.valid_from) {
            return Err(Problem::invalid("valid_to", "有效期至不能早于有效期自"));
        }
        self.region = Some(subject_region(tx, self.subject_id).await?);
        let once = self.kind == "101" || FOOD.iter().any(|(kind, _)| *kind == self.kind);
        let others =
            Sql::new("SELECT 1 FROM licence WHERE kind = $1 AND no = $2 AND subject_id <> $3");
        let others = others.arg(self.kind.as_str()).arg(self.no.as_str()).arg(self.subject_id);
        if once && tx.fetch_one(others).await?.is_some() {
            return Err(Problem::invalid("no", "这个编号的证照已登记在另一个主体名下，请核对"));
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            subject_id: Id::from_parts(1, u128::from(n)),
            kind: String::from("204"),
            no: format!("示例动防{n:06}"),
            issuer: String::from("示例农业农村局"),
            valid_from: String::from("2026-01-01"),
            valid_to: Some(String::from("2027-12-31")),
            region: None,
        }
    }
}

/// Where a licence stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// 未生效
    Pending,
    /// 有效
    Valid,
    /// 即将到期
    Expiring,
    /// 已过期
    Expired,
}

/// Days before its end in which a licence counts as about to expire, where nobody says otherwise.
const NOTICE_DAYS: i64 = 30;
const NOTICE_DAYS_MAX: i64 = 366;
const PAGE: i64 = 50;
/// The list is for working through, not for browsing: conditions narrow it.
const PAGES_MAX: i64 = 100;

impl Validity {
    const ALL: [Self; 4] = [Self::Pending, Self::Valid, Self::Expiring, Self::Expired];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Valid => "valid",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }

    /// Of a licence with these ends. `notice` is the last day on which an end counts as near.
    pub fn on((from, to): (Date, Option<Date>), today: Date, notice: Date) -> Self {
        match to {
            Some(end) if end < today => Self::Expired,
            _ if from > today => Self::Pending,
            Some(end) if end <= notice => Self::Expiring,
            _ => Self::Valid,
        }
    }

    /// The same as a condition on rows of licences. Days are texts that sort as days do.
    fn narrow(self, sql: &mut Sql, today: &str, notice: &str) {
        sql.push(" AND ");
        match self {
            Self::Expired => sql.push("valid_to < ").bind(today),
            Self::Pending => {
                sql.push("valid_from > ").bind(today);
                sql.push(" AND (valid_to IS NULL OR valid_to >= ").bind(today).push(")")
            }
            Self::Expiring => {
                sql.push("valid_from <= ").bind(today);
                sql.push(" AND valid_to >= ").bind(today);
                sql.push(" AND valid_to <= ").bind(notice)
            }
            Self::Valid => {
                sql.push("valid_from <= ").bind(today);
                sql.push(" AND (valid_to IS NULL OR valid_to > ").bind(notice).push(")")
            }
        };
    }
}

/// 到期: licences by where they stand today.
pub(crate) fn routes() -> Vec<Route> {
    let list = |ctx: Ctx, RawQuery(query): RawQuery| async move {
        let asked = Asked::parse(&ctx, &query.unwrap_or_default())?;
        Ok::<_, Problem>(Json(asked.answer(&ctx).await?))
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/licence/validity"),
            Access::permission("licence:read"),
            "按有效状态查询许可证照",
            list,
        )
        .query(&[
            Param {
                name: "state", label: "pending、valid、expiring 或 expired", required: false
            },
            Param {
                name: "within", label: "多少天内到期算即将到期，默认 30", required: false
            },
            Param { name: "page", label: "页码，自 1 起", required: false },
        ]),
    ]
}

/// What is asked for.
struct Asked {
    state: Option<Validity>,
    today: Date,
    notice: Date,
    page: i64,
}

impl Asked {
    fn parse(ctx: &Ctx, query: &str) -> Result<Self> {
        let (mut state, mut within, mut page) = (None, NOTICE_DAYS, 1);
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "state" => {
                    let found = Validity::ALL.into_iter().find(|state| state.code() == text);
                    let detail = "应为 pending、valid、expiring 或 expired";
                    state = Some(found.ok_or_else(|| Problem::invalid("state", detail))?);
                }
                "within" => within = yj_kernel::number(&name, &text, NOTICE_DAYS_MAX)?,
                "page" => page = yj_kernel::number(&name, &text, PAGES_MAX)?,
                _ => return Err(Problem::invalid(&*name, "没有这个查询条件")),
            }
        }
        let today = jiff::tz::Offset::constant(8).to_datetime(ctx.now).date();
        let notice = today.saturating_add(jiff::Span::new().days(within));
        Ok(Self { state, today, notice, page })
    }

    fn select(&self, ctx: &Ctx, tx: &Tx, what: &str, state: Option<Validity>) -> Sql {
        let mut sql = Sql::new("SELECT ");
        sql.push(what).push(" FROM licence WHERE 1 = 1");
        ctx.scope().narrow(&mut sql, tx, Licence::SCOPING);
        if let Some(state) = state {
            state.narrow(&mut sql, &self.today.to_string(), &self.notice.to_string());
        }
        sql
    }

    async fn answer(&self, ctx: &Ctx) -> Result<Value> {
        let mut tx = ctx.snapshot().await?;
        let what = "id, subject_id, kind, no, issuer, valid_from, valid_to, region";
        let mut sql = self.select(ctx, &tx, what, self.state);
        sql.push(" ORDER BY COALESCE(valid_to, '9999-12-31'), id LIMIT ").bind(PAGE);
        sql.push(" OFFSET ").bind((self.page - 1) * PAGE);
        let mut queries = vec![sql];
        queries.extend(Validity::ALL.map(|state| self.select(ctx, &tx, "COUNT(*)", Some(state))));
        let answers = tx.fetch_all(queries).await?;
        let [rows, counts @ ..] = answers.as_slice() else {
            return Err(Problem::internal("five queries, but no answer"));
        };
        let items = rows.iter().map(|row| self.item(row)).collect::<Result<Vec<_>>>()?;
        let mut answer = json!({ "today": self.today.to_string(), "items": items, "counts": {} });
        for (state, rows) in Validity::ALL.iter().zip(counts) {
            let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
            answer["counts"][state.code()] = count.into();
        }
        Ok(answer)
    }

    fn item(&self, row: &Row) -> Result<Value> {
        let day = |text: &str| text.parse::<Date>().map_err(Problem::internal);
        let ends = (day(row.text(5)?)?, row.text_opt(6)?.map(day).transpose()?);
        Ok(json!({
            "id": row.text(0)?, "subject_id": row.text(1)?, "kind": row.text(2)?,
            "no": row.text(3)?, "issuer": row.text(4)?, "valid_from": row.text(5)?,
            "valid_to": row.text_opt(6)?, "region": row.text(7)?,
            "state": Validity::on(ends, self.today, self.notice),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_rule_of_their_kind() {
        assert_eq!(number("201", "SC10741018302531").as_deref(), Ok("SC10741018302531"));
        assert!(number("202", "SC10741018302531").unwrap_err().contains("JY"));
        assert!(number("201", "SC10741018302532").unwrap_err().contains("校验位"));
        assert!(number("101", "91350100M000100Y44").is_err());
        assert_eq!(number("990", "示例〔2026〕1号").as_deref(), Ok("示例〔2026〕1号"));
    }

    #[test]
    fn the_last_day_still_counts() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let (today, notice) = (day("2026-11-19"), day("2026-12-19"));
        let on = |from, to: Option<&str>| Validity::on((day(from), to.map(day)), today, notice);
        assert_eq!(on("2026-01-01", None), Validity::Valid);
        assert_eq!(on("2026-01-01", Some("2026-12-20")), Validity::Valid);
        assert_eq!(on("2026-01-01", Some("2026-12-19")), Validity::Expiring);
        assert_eq!(on("2026-01-01", Some("2026-11-19")), Validity::Expiring);
        assert_eq!(on("2026-01-01", Some("2026-11-18")), Validity::Expired);
        assert_eq!(on("2026-11-20", None), Validity::Pending);
    }
}
