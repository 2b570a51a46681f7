//! 赋码批次 (G-5.4.4, D-6.4.3.2): one record for all codes of one order, however many. A batch says
//! what its codes begin with; the number of a code says the rest, in the clear where it runs, and
//! shuffled with the batch's own key where it is of chance ([`yj_crypto::Shuffle`]). So a code is
//! checked and led back to its number without a list, and nobody without the key can make one.

use serde::{Deserialize, Serialize};
use yj_crypto::{Shuffle, sm4::Key};
use yj_kernel::{
    App, Changed, Codes, Ctx, Doubled, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql,
    Tx,
};
use yj_model::{Form, Gtin, Id, RegionCode, SCHEMES, Scheme, Tail, Wanted};

use crate::{
    code_rule::{CodeRule, OF_SUBJECT, region_of},
    packaging::PACK_LEVELS,
    product::Product,
};

/// Most codes of one batch.
pub(crate) const SIZE_MAX: i64 = 100_000_000;
/// Of codes of chance that are digits alone, at most one in so many is somebody's: a guess fails.
const SPARSE: u64 = 1_000;

/// Schemes that batches can be of; the platform's own needs no rule.
const BATCH_SCHEMES: Codes = &without::<13>(SCHEMES, &["vin", "did"]);

/// A list without some of its codes; `N` are left.
const fn without<const N: usize>(
    list: Codes,
    left_out: &[&str],
) -> [(&'static str, &'static str); N] {
    let (mut kept, mut count, mut at) = ([("", ""); N], 0, 0);
    while at < list.len() {
        let (mut out, mut one) = (false, 0);
        while one < left_out.len() {
            out |= same(list[at].0, left_out[one]);
            one += 1;
        }
        if !out {
            kept[count] = list[at];
            count += 1;
        }
        at += 1;
    }
    assert!(count == N, "as many are left as there is room for");
    kept
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (mut at, mut same) = (0, one.len() == other.len());
    while same && at < one.len() {
        same = one[at] == other[at];
        at += 1;
    }
    same
}

/// 批次状态
pub(crate) const BATCH_STATES: Codes =
    &[("planned", "未激活"), ("active", "已激活"), ("void", "已作废")];

/// 赋码批次
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeBatch {
    /// 赋码单号
    pub code: String,
    /// 赋码主体
    pub subject_id: Id<()>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 产品
    pub product_id: Option<Id<Product>>,
    /// 编码体系
    pub scheme: String,
    /// 编码规则
    pub rule_id: Option<Id<CodeRule>>,
    /// 包装层级
    pub level: String,
    /// Whether the numbers are of chance.
    pub random: bool,
    /// 数量
    pub size: i64,
    /// What all codes begin with.
    pub head: Option<String>,
    /// What follows, see [`Tail`].
    pub tail: Option<String>,
    /// The first running number; 0 where they are of chance.
    pub first_no: Option<i64>,
    /// The first code.
    pub sample: Option<String>,
    /// 状态
    pub state: Option<String>,
    /// 已激活
    pub activated: Option<i64>,
    /// 已作废
    pub voided: Option<i64>,
    /// 备注
    pub note: Option<String>,
}

fn batch_code(text: &str) -> Result<String, String> {
    let code = text.to_uppercase();
    let sound = (1..=32).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if sound { Ok(code) } else { Err(String::from("应为 1 至 32 位字母、数字、- 或 _")) }
}

impl Resource for CodeBatch {
    const TABLE: &'static str = "code_batch";
    const TITLE: &'static str = "赋码批次";
    const SCOPING: Scoping = OF_SUBJECT;
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "赋码单号", Kind::Text)
            .checked(batch_code)
            .format("an..32")
            .filter(Match::Exact)
            .sortable()
            .hint("企业自己的单号，同一主体之内不重复"),
        Field::new("subject_id", "赋码主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .passes_on(),
        Field::new("region", "所属区域", Kind::Region)
            .filter(Match::Prefix)
            .sortable()
            .computed()
            .passes_on(),
        Field::new("product_id", "产品", Kind::Id("product"))
            .filter(Match::Exact)
            .optional()
            .hint("GS1 不选产品时发放物流单元代码（SSCC）"),
        Field::new("scheme", "编码体系", Kind::Code(BATCH_SCHEMES)).filter(Match::Exact).sortable(),
        Field::new("rule_id", "编码规则", Kind::Id("code_rule"))
            .filter(Match::Exact)
            .optional()
            .hint("平台自有追溯码不填，其他编码体系必填"),
        Field::new("level", "包装层级", Kind::Code(PACK_LEVELS)).filter(Match::Exact),
        Field::new("random", "随机码", Kind::Bool)
            .filter(Match::Exact)
            .hint("随机码不能被猜出；否则按顺序递增"),
        Field::new("size", "数量", Kind::Int).sortable().hint("1 至 100000000"),
        Field::new("head", "码段前部", Kind::Text).length_max(120).filter(Match::Prefix).computed(),
        Field::new("tail", "码段后部", Kind::Text).length_max(16).computed(),
        Field::new("first_no", "起始序号", Kind::Int).computed(),
        Field::new("sample", "首个编码", Kind::Text).length_max(160).computed(),
        Field::new("state", "批次状态", Kind::Code(BATCH_STATES))
            .filter(Match::Exact)
            .sortable()
            .computed(),
        Field::new("activated", "已激活", Kind::Int).computed(),
        Field::new("voided", "已作废", Kind::Int).computed(),
        Field::new("note", "备注", Kind::Text).length_max(200).optional(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        if !(1..=SIZE_MAX).contains(&self.size) {
            let detail = format!("数量应为 1 至 {SIZE_MAX}，更多的请分批");
            return Err(Problem::invalid("size", detail));
        }
        self.region = Some(region_of(tx, &self.subject_id).await?);
        if self.keep_known(tx).await? {
            return Ok(());
        }
        let gtin = self.require_product(ctx, tx).await?;
        let prefix = self.require_rule(ctx, tx).await?;
        let scheme = self.scheme()?;
        let wanted = Wanted {
            scheme,
            prefix: &prefix,
            chance: self.random,
            gtin: gtin.as_ref(),
            today: ctx.today(),
        };
        let (form, first) = self.place(ctx, tx, wanted).await?;
        (self.state, self.activated, self.voided) =
            (Some(String::from("planned")), Some(0), Some(0));
        self.tail = Some(form.tail.code());
        self.first_no = Some(first);
        // The first code of chance is known when there is a key.
        let shown =
            if form.tail.is_chance() { String::new() } else { form.code(first.unsigned_abs()) };
        self.sample = Some(shown);
        self.head = Some(form.head);
        Ok(())
    }

    /// What codes were given for stays; only the remark may change.
    async fn admit(&self, before: Option<&Self>, _: &Ctx, tx: &mut Tx) -> Result<()> {
        let Some(before) = before else { return self.require_new(tx).await };
        let same = (&before.code, &before.subject_id, &before.product_id, &before.scheme)
            == (&self.code, &self.subject_id, &self.product_id, &self.scheme)
            && (&before.rule_id, &before.level, before.random, before.size)
                == (&self.rule_id, &self.level, self.random, self.size);
        if same {
            Ok(())
        } else {
            Err(Problem::invalid("code", "赋码批次建立后只能修改备注；有误的请作废后另建"))
        }
    }

    /// A batch of chance gets its key.
    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        let (None, Some(batch)) = (change.before, change.after) else { return Ok(()) };
        let form = batch.form()?;
        if !form.tail.is_chance() {
            return Ok(());
        }
        let key = Key::new(ctx.app().random().to_be_bytes());
        let sealed = ctx.app().vault().seal_secret(ctx.app(), &place(change.id), key.expose())?;
        let first = Shuffle::new(&key, form.tail.capacity()).hide(0).map(|value| form.code(value));
        let keep = Sql::new("INSERT INTO code_key (batch_id, sealed) VALUES ($1, $2)");
        let show = Sql::new("UPDATE code_batch SET sample = $1 WHERE id = $2");
        tx.later([
            keep.arg(change.id).arg(sealed),
            show.arg(first.unwrap_or_default()).arg(change.id),
        ]);
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("SAMPLE-{n}"),
            subject_id: Id::from_parts(1, u128::from(n)),
            region: "610116".parse().ok(),
            product_id: None,
            scheme: String::from("own"),
            rule_id: None,
            level: String::from("item"),
            random: true,
            size: 1_000,
            head: Some(format!("{n:06}")),
            tail: Some(String::from("letters")),
            first_no: Some(0),
            sample: Some(String::from("00A7K29QX4T0VB8M3EJB")),
            state: Some(String::from("planned")),
            activated: Some(0),
            voided: Some(0),
            note: Some(String::from("示例")),
        }
    }
}

/// Where a batch's key is sealed for.
fn place(batch_id: &str) -> String {
    format!("code_key.sealed|{batch_id}")
}

/// The key of a batch as it was sealed.
pub(crate) fn open_key(app: &App, batch_id: &str, sealed: &str) -> Result<Key> {
    let opened = app.vault().open_secret(&place(batch_id), sealed)?;
    Key::from_slice(&opened).map_err(Problem::internal)
}

impl CodeBatch {
    fn scheme(&self) -> Result<Scheme> {
        let unknown = || Problem::internal(format!("code_batch.scheme is {}", self.scheme));
        Scheme::from_code(&self.scheme).ok_or_else(unknown)
    }

    /// How its codes look.
    pub(crate) fn form(&self) -> Result<Form> {
        form(&self.scheme, self.head.as_deref(), self.tail.as_deref())
    }

    /// A subject gives each number once.
    async fn require_new(&self, tx: &mut Tx) -> Result<()> {
        let sql = Sql::new("SELECT 1 FROM code_batch WHERE subject_id = $1 AND code = $2");
        let sql = sql.arg(self.subject_id).arg(self.code.as_str());
        if tx.fetch_one(sql).await?.is_none() {
            return Ok(());
        }
        let detail = format!("赋码单号与已有记录重复：{} 已用过，请换一个单号", self.code);
        Err(Problem::Duplicate(Doubled::at("code", detail)))
    }

    /// A batch that is there keeps what was computed when it was made.
    async fn keep_known(&mut self, tx: &mut Tx) -> Result<bool> {
        let sql = Sql::new(
            "SELECT head, tail, first_no, sample, state, activated, voided FROM code_batch \
             WHERE subject_id = $1 AND code = $2",
        );
        let Some(row) = tx.fetch_one(sql.arg(self.subject_id).arg(self.code.as_str())).await?
        else {
            return Ok(false);
        };
        let text = |index| Ok::<_, Problem>(Some(String::from(row.text(index)?)));
        (self.head, self.tail, self.first_no) = (text(0)?, text(1)?, Some(row.int(2)?));
        (self.sample, self.state) = (text(3)?, text(4)?);
        (self.activated, self.voided) = (Some(row.int(5)?), Some(row.int(6)?));
        Ok(true)
    }

    /// The product must be the subject's to label, as its owner or its maker.
    async fn require_product(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Option<Gtin>> {
        let Some(id) = self.product_id else { return Ok(None) };
        let missing = || Problem::invalid("product_id", "没有这个产品，或不在您的数据权限范围内");
        let ctx = ctx.under("product:read")?;
        let found = tx.get::<Product>(&ctx, id).await.map_err(|problem| match problem {
            Problem::NotFound(_) => missing(),
            other => other,
        })?;
        let product = found.data;
        if product.subject_id != self.subject_id && product.maker_id != Some(self.subject_id) {
            let detail = "赋码主体应为产品的责任主体或生产企业";
            return Err(Problem::invalid("product_id", detail));
        }
        if self.scheme == "gs1" && product.gtin.is_none() {
            let detail = "此产品没有商品条码，请先登记商品条码，或不选产品以发放物流单元代码";
            return Err(Problem::invalid("product_id", detail));
        }
        Ok(product.gtin)
    }

    /// The prefix of its rule; the platform's own codes have none.
    async fn require_rule(&self, ctx: &Ctx, tx: &mut Tx) -> Result<String> {
        let wrong = |detail: &str| Problem::invalid("rule_id", detail);
        let id = match (self.scheme()?, self.rule_id) {
            (Scheme::Own, None) => return Ok(String::new()),
            (Scheme::Own, Some(_)) => {
                return Err(wrong("平台自有追溯码不需要编码规则，请清空"));
            }
            (_, None) => return Err(wrong("请选择赋码主体已登记的编码规则")),
            (_, Some(id)) => id,
        };
        tx.lock("code_rule", id).await?;
        let ctx = ctx.under("code_rule:read")?;
        let found = tx.get::<CodeRule>(&ctx, id).await.map_err(|problem| match problem {
            Problem::NotFound(_) => wrong("没有这个编码规则，或不在您的数据权限范围内"),
            other => other,
        })?;
        let rule = found.data;
        if rule.subject_id != self.subject_id {
            return Err(wrong("此前缀属于另一主体"));
        }
        if rule.scheme != self.scheme {
            return Err(wrong("编码规则与所选的编码体系不符"));
        }
        rule.gives(&self.level, ctx.today()).map_err(wrong)?;
        Ok(rule.prefix)
    }

    /// Where the batch lies among those on the same stem.
    async fn place(&self, ctx: &Ctx, tx: &mut Tx, wanted: Wanted<'_>) -> Result<(Form, i64)> {
        let wrong = |error: yj_model::Rejected| Problem::invalid("random", error.to_string());
        let size = self.size.unsigned_abs();
        let trial = wanted.form(0).map_err(|error| {
            let field = if error.to_string().contains("厂商") { "product_id" } else { "random" };
            Problem::invalid(field, error.to_string())
        })?;
        let capacity = trial.tail.capacity();
        match trial.tail {
            Tail::Letters => {
                let series = u64::try_from(ctx.app().random() & 0x3FFF_FFFF).unwrap_or(0);
                Ok((wanted.form(series).map_err(wrong)?, 0))
            }
            Tail::Chance(_) => {
                if size.saturating_mul(SPARSE) > capacity {
                    let most = capacity / SPARSE;
                    let detail = format!("此编码体系的随机位数有限，一批至多 {most} 个，请分批");
                    return Err(Problem::invalid("size", detail));
                }
                let series = next_series(tx, &wanted, &trial).await?;
                if series >= wanted.series_max() {
                    let detail = "此前缀之下的批次号已用完，请向编码机构申请新的前缀";
                    return Err(Problem::invalid("rule_id", detail));
                }
                Ok((wanted.form(series).map_err(wrong)?, 0))
            }
            Tail::Running(_) | Tail::Checked(_) => {
                let sql = Sql::new(
                    "SELECT first_no + size FROM code_batch WHERE head = $1 AND tail = $2 \
                     ORDER BY first_no DESC LIMIT 1",
                );
                let row = tx.fetch_one(sql.arg(trial.head.as_str()).arg(trial.tail.code())).await?;
                let next = row.map(|row| row.int(0)).transpose()?;
                let first = next.map_or(wanted.first(), i64::unsigned_abs);
                if first + size > capacity {
                    let left = capacity.saturating_sub(first);
                    let detail = format!("此前缀之下还可赋 {left} 个编码，现为 {size} 个");
                    return Err(Problem::invalid("size", detail));
                }
                Ok((trial, i64::try_from(first).map_err(Problem::internal)?))
            }
        }
    }
}

/// The form of a stored batch.
pub(crate) fn form(scheme: &str, head: Option<&str>, tail: Option<&str>) -> Result<Form> {
    let made = || {
        Some(Form {
            scheme: Scheme::from_code(scheme)?,
            head: String::from(head?),
            tail: Tail::from_code(tail?)?,
        })
    };
    made().ok_or_else(|| Problem::internal("code_batch holds a form that is none"))
}

/// The number of the next batch of digits of chance on a stem: one more than the highest.
async fn next_series(tx: &mut Tx, wanted: &Wanted<'_>, trial: &Form) -> Result<u64> {
    let stem = wanted.stem().map_err(Problem::internal)?;
    let sql =
        Sql::new("SELECT MAX(head) FROM code_batch WHERE head > $1 AND head < $2 AND tail = $3");
    let sql = sql.arg(stem.as_str()).arg(format!("{stem}~")).arg(trial.tail.code());
    let row = tx.fetch_one(sql).await?;
    let highest = row.as_ref().map(|row| row.text_opt(0)).transpose()?.flatten();
    match highest.and_then(|head| head.get(stem.len()..)) {
        Some(series) => series.parse::<u64>().map(|one| one + 1).map_err(Problem::internal),
        None => Ok(0),
    }
}
