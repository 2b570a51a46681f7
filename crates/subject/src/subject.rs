//! 追溯责任主体 (G-6.2.2): enterprises, individual businesses, co-operatives, farmers, laboratories
//! and authorities, each under one code that is unique in the whole country.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yj_kernel::{
    Changed, Columns, Ctx, DATUM, DATUM_GIVEN, Field, Kind, LATITUDE, LONGITUDE, Match, Need,
    Position, Problem, Reach, Resource, Result, Scoping, Sql, Tx, audit,
};
use yj_model::{
    DOCUMENT_KINDS, DOMAIN_LIST, DOMAINS, Email, Id, ROLE_KINDS, RegionCode, SUBJECT_KINDS, Stage,
    SubjectCode, former_code,
};

use crate::{
    alias::SubjectAlias,
    checks::{document, document_number, email, industry_code, phone, subject_code},
    code::{has_credit_code, issue},
    licence::Licence,
    lookup,
    node::{Node, node_code},
    person::{self, Person},
    standing::{STATUSES, Status},
};

/// 追溯责任主体
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSubject {
    /// 主体代码; issued where a subject that has no credit code leaves it empty.
    pub code: Option<SubjectCode>,
    /// 主体名称
    pub name: String,
    /// 主体类型
    pub kind: String,
    /// 环节角色
    pub roles: Vec<String>,
    /// 所属区域
    pub region: RegionCode,
    /// 行业代码, GB/T 4754.
    pub industry_code: Option<String>,
    /// 法定代表人; a natural person is their own.
    pub legal_rep: Option<String>,
    /// 法定代表人证件类型
    pub legal_rep_id_kind: Option<String>,
    /// 法定代表人证件号码
    pub legal_rep_id: Option<String>,
    /// 地址
    pub address: Option<String>,
    /// 经度
    pub lon: Option<String>,
    /// 纬度
    pub lat: Option<String>,
    /// 坐标系 of the coordinates; CGCS2000 once they are stored.
    pub datum: Option<String>,
    /// 坐标系 the coordinates were given in.
    pub datum_given: Option<String>,
    /// 节点编码
    pub node_code: Option<String>,
    /// 节点名称
    pub node_name: Option<String>,
    /// 产品种类
    pub product_kinds: Option<Vec<String>>,
    /// 联系人
    pub contact_name: String,
    /// 联系电话
    pub contact_phone: String,
    /// 电子邮箱
    pub email: Option<String>,
    /// 许可证号
    pub licence_no: Option<String>,
    /// 备案日期
    pub filed_on: Option<String>,
    /// 来源系统: the connected system it came from.
    pub source_system: Option<String>,
    /// 拆分自: the subject it was split from.
    pub predecessor_id: Option<Id<TraceSubject>>,
    /// 主体状态
    pub status: Option<Status>,
    /// 并入主体: the subject it was merged into.
    pub successor_id: Option<Id<TraceSubject>>,
}

impl TraceSubject {
    /// Its state; one that is not stored yet will be in force.
    pub fn status(&self) -> Status {
        self.status.unwrap_or(Status::Valid)
    }
}

/// What [`TraceSubject::source_system`] says of those registered on this platform.
const DIRECT: &str = "direct";

/// What a stage leaves in the list of roles: their first digit.
fn role_of(stage: &str) -> String {
    let digit = match Stage::from_code(stage) {
        Some(Stage::PrimaryProduction) => '1',
        Some(Stage::Processing) => '2',
        Some(Stage::Distribution) => '3',
        Some(Stage::Transport) => '4',
        Some(Stage::Inspection) => '5',
        Some(Stage::Consumption) => '6',
        Some(Stage::Supervision) => '7',
        None => '-',
    };
    format!("\"{digit}")
}

/// What a subject has that is somebody's business: a person or a farming household is themselves.
const OF_ORGANIZATIONS: Need = Need {
    said: "除家庭农场、农户与自然人外必填",
    holds: |subject| {
        let kind = subject.get("kind").and_then(Value::as_str);
        kind.is_some_and(|kind| !matches!(kind, "07" | "08"))
    },
};

/// 联系人
pub(crate) const CONTACT_NAME: Field =
    Field::new("contact_name", "联系人", Kind::Text).length_max(50).personal();

/// 联系电话
pub(crate) const CONTACT_PHONE: Field = Field::new("contact_phone", "联系电话", Kind::Text)
    .checked(phone)
    .format("an..20")
    .filter(Match::Exact)
    .personal()
    .hint("手机号或带区号的座机号");

impl Resource for TraceSubject {
    const TABLE: &'static str = "trace_subject";
    const TITLE: &'static str = "追溯主体";
    const SCOPING: Scoping = Scoping::By(Columns {
        region: Some("region"),
        subject: Some("id"),
        organization: None,
        category: Reach::Listed { column: "product_kinds", word: |domain| format!("\"{domain}\"") },
        stage: Reach::Listed { column: "roles", word: role_of },
        label: Some("label"),
    });
    const REVIEWED: bool = true;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "主体代码", Kind::Text)
            .checked(subject_code)
            .format("an18")
            .filter(Match::Exact)
            .sortable()
            .optional()
            .public()
            .hint("统一社会信用代码；没有的留空，由平台发给 ZS 开头的代码"),
        Field::new("name", "主体名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .sortable()
            .public(),
        Field::new("kind", "主体类型", Kind::Code(SUBJECT_KINDS))
            .filter(Match::Exact)
            .sortable()
            .public(),
        Field::new("roles", "环节角色", Kind::CodeList(ROLE_KINDS))
            .filter(Match::Contains)
            .public(),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).sortable().public(),
        Field::new("industry_code", "行业代码", Kind::Text)
            .checked(industry_code)
            .format("an..5")
            .filter(Match::Prefix)
            .sortable()
            .needed(OF_ORGANIZATIONS)
            .public()
            .hint("GB/T 4754，2 至 4 位，可带门类字母，如 1441 或 C1441"),
        Field::new("legal_rep", "法定代表人", Kind::Text)
            .length_max(50)
            .needed(OF_ORGANIZATIONS)
            .personal()
            .hint("个体工商户填经营者；自然人、农户填本人或不填"),
        Field::new("legal_rep_id_kind", "法定代表人证件类型", Kind::Code(DOCUMENT_KINDS))
            .format("n3")
            .optional(),
        Field::new("legal_rep_id", "法定代表人证件号码", Kind::Text)
            .checked(document_number)
            .length_max(30)
            .format("an..18")
            .filter(Match::Exact)
            .optional()
            .personal(),
        Field::new("address", "地址", Kind::Text).optional(),
        LONGITUDE,
        LATITUDE,
        DATUM,
        DATUM_GIVEN,
        Field::new("node_code", "节点编码", Kind::Text)
            .checked(node_code)
            .format("n9")
            .filter(Match::Exact)
            .optional()
            .public()
            .hint("已登记节点的 9 位编码"),
        Field::new("node_name", "节点名称", Kind::Text)
            .length_max(120)
            .filter(Match::Name)
            .computed()
            .public()
            .hint("由节点编码确定，随节点更名"),
        Field::new("product_kinds", "产品种类", Kind::CodeList(DOMAINS))
            .grows(DOMAIN_LIST)
            .filter(Match::Contains)
            .optional()
            .public(),
        CONTACT_NAME,
        CONTACT_PHONE,
        Field::new("email", "电子邮箱", Kind::Text)
            .checked(email)
            .length_max(Email::LENGTH_MAX)
            .format("an..120")
            .optional()
            .personal(),
        Field::new("licence_no", "许可证号", Kind::Text)
            .length_max(50)
            .filter(Match::Exact)
            .optional()
            .public(),
        Field::new("filed_on", "备案时间", Kind::Date)
            .filter(Match::Range)
            .sortable()
            .day_of_entry()
            .public()
            .hint("不填为审核通过之日"),
        Field::new("source_system", "来源系统", Kind::Text)
            .length_max(50)
            .filter(Match::Exact)
            .optional()
            .hint("从其他系统接收的填其编号；直接登记的不填"),
        Field::new("predecessor_id", "拆分自", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .optional(),
        Field::new("status", "主体状态", Kind::Code(STATUSES))
            .format("n2")
            .filter(Match::Exact)
            .sortable()
            .computed()
            .public()
            .hint("由暂停、恢复、注销与合并操作改变"),
        Field::new("successor_id", "并入主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .computed(),
    ];

    async fn check(&mut self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let Self { lon, lat, datum, datum_given, region, .. } = self;
        Position { lon, lat, datum, datum_given }.settle(region)?;
        document(self.legal_rep_id_kind.as_deref(), self.legal_rep_id.as_deref())?;
        let credit = has_credit_code(&self.kind);
        let code = match self.code.take() {
            Some(code) if credit && !code.is_credit_code() => Err(wants_credit_code()),
            None if credit => Err(wants_credit_code()),
            Some(code) => Ok(code),
            None => issue(tx, &self.region, &self.kind).await,
        }?;
        let known = Registered::read(tx, &code).await?;
        self.name_node(tx, known.as_ref()).await?;
        match known {
            Some(known) => self.keep(known)?,
            None => self.begin(ctx, tx, &code).await?,
        }
        self.code = Some(code);
        Ok(())
    }

    async fn admit(&self, before: Option<&Self>, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        if let Some(before) = before {
            require_same_code(before, self)?;
        }
        let named = |one: &Self| (one.code.clone(), one.kind.clone());
        if before.is_none_or(|before| named(before) != named(self)) {
            require_kind_of_code(self.code.as_ref(), &self.kind)?;
        }
        self.require_one_person(before, ctx, tx).await
    }

    async fn formerly(tx: &mut Tx, code: &str) -> Result<Option<String>> {
        let owner = lookup::by_code(tx, &former_code(code)).await?;
        Ok(owner.map(|owner| owner.id))
    }

    /// Its licences and former codes lie where it lies, a code it gives up leads to it for ever, and
    /// who it was split from knows of it.
    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        match (change.before, change.after) {
            (Some(before), Some(after)) => {
                recode(ctx, tx, change.id, (before, after)).await?;
                if before.region != after.region {
                    let regions = (&before.region, &after.region);
                    take_along(ctx, tx, (Licence::TABLE, change.id), regions).await?;
                    take_along(ctx, tx, (SubjectAlias::TABLE, change.id), regions).await?;
                }
                Ok(())
            }
            (None, Some(after)) => {
                note_split(ctx, tx, change.id, after);
                if let Some(person) = after.person(ctx)? {
                    person.settle(tx);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sample(n: u32) -> Self {
        Self {
            code: Some(
                SubjectCode::issue(610_116, 7, n).expect("a division, a kind and a small number"),
            ),
            name: format!("示例农户{n}"),
            kind: String::from("07"),
            roles: vec![String::from("10")],
            region: "610116".parse().expect("six digits"),
            industry_code: Some(String::from("0141")),
            legal_rep: Some(String::from("张示例")),
            legal_rep_id_kind: Some(String::from("990")),
            legal_rep_id: Some(format!("SL{n:08}")),
            address: Some(String::from("示例路 1 号")),
            lon: Some(String::from("108.948024")),
            lat: Some(String::from("34.263161")),
            datum: None,
            datum_given: None,
            node_code: None,
            node_name: None,
            product_kinds: Some(vec![String::from("agri")]),
            contact_name: String::from("张示例"),
            contact_phone: String::from("13800000000"),
            email: Some(String::from("sample@example.cn")),
            licence_no: None,
            filed_on: Some(String::from("2026-01-01")),
            source_system: None,
            predecessor_id: None,
            status: None,
            successor_id: None,
        }
    }
}

fn wants_credit_code() -> Problem {
    Problem::invalid("code", "企业、个体工商户和合作社应填写统一社会信用代码")
}

/// 机构类别 (handbook §2.1): 91 is an enterprise's, 92 that of an individual business, which a farm may
/// be, 93 that of a co-operative. Each has such a code and no other.
fn require_kind_of_code(code: Option<&SubjectCode>, kind: &str) -> Result<()> {
    let Some(code) = code.filter(|code| code.is_credit_code()) else { return Ok(()) };
    let (wanted, kinds): (&[&str], &str) = match &code.as_str()[..2] {
        "91" => (&["01"], "企业"),
        "92" => (&["02", "07"], "个体工商户（家庭农场可登记为个体工商户）"),
        "93" => (&["03"], "农民专业合作社"),
        _ if has_credit_code(kind) || kind == "08" => {
            let detail = "企业的统一社会信用代码以 91 开头，个体工商户以 92 开头，\
                          农民专业合作社以 93 开头；自然人没有统一社会信用代码";
            return Err(Problem::invalid("code", detail));
        }
        _ => return Ok(()),
    };
    if wanted.contains(&kind) {
        return Ok(());
    }
    let detail = format!("以 {} 开头的代码属于{kinds}，请核对主体类型", &code.as_str()[..2]);
    Err(Problem::invalid("kind", detail))
}

/// What only the platform writes, of a subject that is registered.
struct Registered {
    status: Status,
    successor: Option<Id<TraceSubject>>,
    predecessor: Option<Id<TraceSubject>>,
    source: Option<String>,
    node: [Option<String>; 2],
}

impl Registered {
    async fn read(tx: &mut Tx, code: &SubjectCode) -> Result<Option<Self>> {
        let sql = Sql::new(
            "SELECT status, successor_id, predecessor_id, source_system, node_code, node_name \
             FROM trace_subject WHERE code = $1",
        );
        let Some(row) = tx.fetch_one(sql.arg(code.as_str())).await? else { return Ok(None) };
        let id = |index| {
            let text = row.text_opt(index)?;
            text.map(|text| text.parse().map_err(Problem::internal)).transpose()
        };
        Ok(Some(Self {
            status: Status::stored(row.text(0)?)?,
            successor: id(1)?,
            predecessor: id(2)?,
            source: row.text_opt(3)?.map(String::from),
            node: [row.text_opt(4)?.map(String::from), row.text_opt(5)?.map(String::from)],
        }))
    }
}

impl TraceSubject {
    /// It is at a registered node, and says what that is called. What was written before that was
    /// asked stays until somebody names another node.
    async fn name_node(&mut self, tx: &mut Tx, known: Option<&Registered>) -> Result<()> {
        let name = match &self.node_code {
            Some(code) => Node::name_of(tx, code).await?,
            None => None,
        };
        let [known_code, known_name] = known.map(|known| known.node.clone()).unwrap_or_default();
        self.node_name = match (&self.node_code, name) {
            (Some(_), Some(name)) => Some(name),
            (code, None) if *code == known_code => known_name,
            (None, None) => None,
            (Some(code), None) => {
                let detail =
                    format!("没有编码为 {code} 的节点，请填写已登记节点的编码，或先登记节点");
                return Err(Problem::invalid("node_code", detail));
            }
            (None, Some(_)) => return Err(Problem::internal("a node without a code")),
        };
        Ok(())
    }

    /// What a change of the record leaves as it is.
    fn keep(&mut self, known: Registered) -> Result<()> {
        if known.status == Status::Merged {
            let detail = "该主体已并入其他主体，不能再变更；请变更并入的主体";
            return Err(Problem::Conflict(String::from(detail)));
        }
        self.status = Some(known.status);
        (self.successor_id, self.predecessor_id) = (known.successor, known.predecessor);
        if self.source_system.is_none() {
            self.source_system = known.source;
        }
        Ok(())
    }

    /// The person it is, where it is one without a credit code.
    fn person(&self, ctx: &Ctx) -> Result<Option<Person>> {
        Person::of(ctx, (&self.kind, self.legal_rep_id.as_deref()))
    }

    /// Refuses a person who is registered as another subject; asked where somebody becomes one.
    async fn require_one_person(
        &self,
        before: Option<&Self>,
        ctx: &Ctx,
        tx: &mut Tx,
    ) -> Result<()> {
        let Some(person) = self.person(ctx)? else { return Ok(()) };
        let named = |one: &Self| (one.kind.clone(), one.legal_rep_id.clone());
        if before.is_some_and(|before| named(before) == named(self)) {
            return Ok(());
        }
        person.hold(tx).await?;
        let Some(ours) = person.registered(tx).await? else { return Ok(()) };
        let own = before.and_then(|before| before.code.as_ref());
        if own.is_some_and(|code| code.as_str() == ours.code) {
            return Ok(());
        }
        Err(person::already(ctx, tx, &ours).await)
    }

    /// How one begins whose code is not registered.
    async fn begin(&mut self, ctx: &Ctx, tx: &mut Tx, code: &SubjectCode) -> Result<()> {
        if let Some(owner) = lookup::by_code(tx, code.as_str()).await? {
            let detail = format!("{code} 是主体 {} 的旧代码，不能再登记为其他主体", owner.code);
            return Err(Problem::invalid("code", detail));
        }
        if let Some(predecessor) = self.predecessor_id {
            lookup::require_reach(ctx, tx, ("predecessor_id", &predecessor.to_string())).await?;
        }
        (self.status, self.successor_id) = (Some(Status::Valid), None);
        self.source_system.get_or_insert_with(|| String::from(DIRECT));
        Ok(())
    }
}

/// A code changes once: from one that was issued to the credit code that came later.
fn require_same_code(before: &TraceSubject, after: &TraceSubject) -> Result<()> {
    let (Some(old), Some(new)) = (&before.code, &after.code) else { return Ok(()) };
    if old == new {
        return Ok(());
    }
    if old.is_credit_code() || !new.is_credit_code() {
        let detail = "主体代码登记后不再更改；只有平台发给的 ZS 代码可换为统一社会信用代码，\
                      其余情形请另行登记后合并";
        return Err(Problem::invalid("code", detail));
    }
    if before.status() != Status::Valid {
        let detail = format!("该主体当前为“{}”，不能更换代码", before.status().label());
        return Err(Problem::Conflict(detail));
    }
    Ok(())
}

/// A code that was given up leads to the subject for ever.
async fn recode(
    ctx: &Ctx,
    tx: &mut Tx,
    id: &str,
    (before, after): (&TraceSubject, &TraceSubject),
) -> Result<()> {
    let (Some(old), Some(new)) = (&before.code, &after.code) else { return Ok(()) };
    if old == new {
        return Ok(());
    }
    if before.predecessor_id != after.predecessor_id {
        let sql = Sql::new("UPDATE trace_subject SET predecessor_id = $1 WHERE id = $2");
        tx.execute(sql.arg(before.predecessor_id).arg(id)).await?;
    }
    let alias = SubjectAlias {
        code: old.to_string(),
        kind: String::from("zs"),
        subject_id: id.parse().map_err(Problem::internal)?,
        note: Some(String::from("取得统一社会信用代码之前")),
        region: None,
    };
    tx.insert(ctx, &alias).await.map(drop)
}

/// Moves what lies where a subject lies. Versions go up, so that nobody writes the old place back.
async fn take_along(
    ctx: &Ctx,
    tx: &mut Tx,
    (table, subject): (&'static str, &str),
    (before, after): (&RegionCode, &RegionCode),
) -> Result<()> {
    let mut sql = Sql::new("SELECT id FROM ");
    sql.push(table).push(" WHERE subject_id = ").bind(subject);
    for row in tx.fetch(sql).await? {
        let (record, body) = (row.text(0)?, json!({ "region": [before, after] }));
        audit::write(ctx, tx, audit::Entry { action: "updated", entity: table, record, body });
    }
    let mut sql = Sql::new("UPDATE ");
    sql.push(table).push(" SET version = version + 1, region = ").bind(after.as_str());
    sql.push(", updated_at = ").bind(ctx.now_ms()).push(", updated_by = ").bind(ctx.actor());
    sql.push(" WHERE subject_id = ").bind(subject);
    tx.execute(sql).await.map(drop)
}

/// The history of who was split says into whom.
fn note_split(ctx: &Ctx, tx: &mut Tx, id: &str, after: &TraceSubject) {
    let Some(predecessor) = after.predecessor_id else { return };
    let record = predecessor.to_string();
    let body = json!({ "split_into": [null, id], "split_code": [null, after.code] });
    let table = TraceSubject::TABLE;
    audit::write(ctx, tx, audit::Entry { action: "split", entity: table, record: &record, body });
}

#[cfg(test)]
mod tests {
    use yj_kernel::vault::ERASED;

    use super::*;

    #[test]
    fn a_credit_code_says_what_kind_its_owner_is() {
        let fits = |code: &str, kind: &str| {
            let code: SubjectCode = code.parse().unwrap();
            require_kind_of_code(Some(&code), kind).is_ok()
        };
        let [enterprise, shop, union] =
            ["91610116MAYJ000144", "92610802MAYJ00030H", "93610525MAYJ000496"];
        let public = "12610100MAYJ00057G";
        for (code, kinds) in
            [(enterprise, "01"), (shop, "02 07"), (union, "03"), (public, "04 05 06 07 09 99")]
        {
            for (kind, _) in SUBJECT_KINDS {
                assert_eq!(fits(code, kind), kinds.contains(kind), "{code} {kind}");
            }
        }
        let issued = SubjectCode::issue(610_116, 7, 1).unwrap();
        assert!(require_kind_of_code(Some(&issued), "07").is_ok());
    }

    #[test]
    fn a_document_has_a_kind_and_a_sound_number() {
        assert!(document(None, None).is_ok());
        assert!(document(Some("111"), Some("11010519491231002X")).is_ok());
        assert!(document(Some("111"), Some(ERASED)).is_ok());
        assert!(document(Some("414"), Some("E00000000")).is_ok());
        for (kind, number) in
            [(Some("111"), None), (None, Some("1")), (Some("111"), Some("110105194912310021"))]
        {
            assert!(document(kind, number).is_err(), "{kind:?} {number:?}");
        }
    }
}
