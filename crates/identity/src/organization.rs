//! 机构 (§5.4.3 a): authorities, enterprises, laboratories, third-party platforms and auditors in
//! one tree, whose top is the operator of the platform.

use serde::{Deserialize, Serialize};
use yj_kernel::{
    Changed, Columns, Ctx, Field, Kind, Match, Problem, Resource, Result, Scoping, Sql, Tx,
};
use yj_model::{Id, RegionCode};

use crate::rights;

/// 机构类型
pub(crate) const ORGANIZATION_KINDS: &[(&str, &str)] = &[
    ("authority", "监管部门"),
    ("enterprise", "企业"),
    ("laboratory", "检测机构"),
    ("platform", "第三方平台"),
    ("auditor", "审计机构"),
];

/// 机构
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// 机构编码
    pub code: String,
    /// 机构名称
    pub name: String,
    /// 机构类型
    pub kind: String,
    /// 上级机构
    pub parent_id: Option<Id<Organization>>,
    /// Place in the tree, from the codes of those above.
    pub path: Option<String>,
    /// 所属区域
    pub region: Option<RegionCode>,
    /// 对应的追溯主体
    pub subject_id: Option<Id<()>>,
}

fn code(text: &str) -> Result<String, String> {
    let code = text.to_uppercase();
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (1..=24).contains(&code.len()) && code.bytes().all(sound) {
        Ok(code)
    } else {
        Err(String::from("应为 1 至 24 位字母、数字或 -"))
    }
}

/// Levels of the tree.
const DEPTH_MAX: usize = 12;

impl Resource for Organization {
    const TABLE: &'static str = "organization";
    const TITLE: &'static str = "机构";
    const SCOPING: Scoping = Scoping::By(Columns { organization: Some("path"), ..Columns::NONE });
    const REMOVABLE: bool = false;
    const FIELDS: &'static [Field] = &[
        Field::new("code", "机构编码", Kind::Text)
            .checked(code)
            .filter(Match::Exact)
            .sortable()
            .hint("建立后不能更改"),
        Field::new("name", "机构名称", Kind::Text)
            .length_max(120)
            .filter(Match::Contains)
            .sortable(),
        Field::new("kind", "机构类型", Kind::Code(ORGANIZATION_KINDS)).filter(Match::Exact),
        Field::new("parent_id", "上级机构", Kind::Id("organization"))
            .filter(Match::Exact)
            .optional()
            .hint("只有运营机构没有上级"),
        Field::new("path", "路径", Kind::Text)
            .length_max(400)
            .sortable()
            .computed()
            .hint("由平台按上级机构生成"),
        Field::new("region", "所属区域", Kind::Region).filter(Match::Prefix).optional(),
        Field::new("subject_id", "对应追溯主体", Kind::Id("trace_subject"))
            .filter(Match::Exact)
            .optional()
            .hint("企业填写；其数据权限由此确定"),
    ];

    async fn check(&mut self, _: &Ctx, tx: &mut Tx) -> Result<()> {
        let parent = if let Some(id) = self.parent_id {
            let sql = Sql::new("SELECT path FROM organization WHERE id = $1");
            let row = tx.fetch_one(sql.arg(id)).await?;
            String::from(row.ok_or(Problem::NotFound("上级机构"))?.text(0)?)
        } else {
            let sql = Sql::new("SELECT 1 FROM organization WHERE parent_id IS NULL AND code <> $1");
            if tx.fetch_one(sql.arg(self.code.as_str())).await?.is_some() {
                return Err(Problem::invalid("parent_id", "请选择上级机构"));
            }
            String::new()
        };
        let path = format!("{parent}{}/", self.code);
        if parent.split('/').any(|above| above == self.code) {
            return Err(Problem::invalid("parent_id", "上级机构不能是本机构或其下级"));
        }
        if path.matches('/').count() > DEPTH_MAX {
            return Err(Problem::invalid("parent_id", format!("机构至多 {DEPTH_MAX} 级")));
        }
        self.path = Some(path);
        Ok(())
    }

    async fn follow(ctx: &Ctx, tx: &mut Tx, change: &Changed<'_, Self>) -> Result<()> {
        rights::changed(tx);
        let (Some(before), Some(after)) = (change.before, change.after) else { return Ok(()) };
        if before.code != after.code {
            return Err(Problem::invalid("code", "机构编码建立后不能更改"));
        }
        let (Some(old), Some(new)) = (&before.path, &after.path) else { return Ok(()) };
        if old != new {
            // Everything below moves along.
            let moved = [
                ("organization", "path", " AND id <> "),
                ("account", "organization_path", " AND '' <> "),
                ("assignment", "account_path", " AND '' <> "),
                ("delegation", "account_path", " AND '' <> "),
            ];
            for (table, column, but) in moved {
                let mut sql = Sql::new("UPDATE ");
                sql.push(table).push(" SET ").push(column).push(" = ").bind(new.as_str());
                sql.push(" || substr(").push(column).push(", ");
                sql.bind(i64::try_from(old.chars().count() + 1).map_err(Problem::internal)?);
                sql.push(") WHERE ").push(column).push(" >= ").bind(old.as_str());
                sql.push(" AND ").push(column).push(" < ").bind(format!("{old}~"));
                sql.push(but).bind(change.id);
                tx.execute(sql).await?;
            }
            rights::seal_below(ctx, tx, new).await?;
        }
        Ok(())
    }

    fn sample(n: u32) -> Self {
        Self {
            code: format!("SAMPLE-{n}"),
            name: format!("示例机构{n}"),
            kind: String::from("enterprise"),
            parent_id: None,
            path: None,
            region: "610116".parse().ok(),
            subject_id: None,
        }
    }
}
