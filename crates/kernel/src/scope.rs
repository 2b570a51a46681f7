//! 数据权限 (G-5.4.3b, D-6.4.2.2): which rows a right reaches, by region, organisation, product
//! category, stage and security label.

use std::sync::Arc;

use yj_model::RegionCode;

use crate::{Sql, Tx, json::Object};

/// 数据分级: the security label of records and fields, and the clearance of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataClass {
    /// 公开: may be published.
    Public = 1,
    /// 内部: for signed-in users with the right.
    Internal = 2,
    /// 敏感: quantities with prices, findings under way, 商业秘密.
    Sensitive = 3,
    /// 个人信息: sealed at rest, masked unless revealed.
    Personal = 4,
}

impl DataClass {
    /// All classes, lowest first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Sensitive, Self::Personal];

    /// 1 to 4, as stored.
    pub const fn level(self) -> i64 {
        self as i64
    }

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Sensitive => "sensitive",
            Self::Personal => "personal",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Public => "公开",
            Self::Internal => "内部",
            Self::Sensitive => "敏感",
            Self::Personal => "个人信息",
        }
    }

    /// The class of a stored level.
    pub fn from_level(level: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.level() == level)
    }
}

/// An organisation with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// Its place in the tree of organisations; those below it begin with the same text.
    pub path: String,
    /// The 追溯主体 of it and of those below it.
    pub subjects: Arc<[String]>,
}

/// How far one right reaches. Every part that is given must fit; with none given it reaches
/// everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Only records of this region and of those inside it.
    pub region: Option<RegionCode>,
    /// Only records of these organisations.
    pub organization: Option<Within>,
    /// Only records of this product domain.
    pub category: Option<String>,
    /// Only records of this stage.
    pub stage: Option<String>,
    /// Only records up to this label.
    pub clearance: DataClass,
}

impl Limit {
    /// Reaches everything.
    pub const EVERYTHING: Self = Self {
        region: None,
        organization: None,
        category: None,
        stage: None,
        clearance: DataClass::Personal,
    };
}

/// How a table says which category or stage a record belongs to.
#[derive(Debug, Clone, Copy)]
pub enum Reach {
    /// It does not: such records belong to every one.
    Every,
    /// The column holds the code.
    Equal(&'static str),
    /// The column holds several codes as text; `word` is the text that a code leaves there.
    Listed {
        /// The column.
        column: &'static str,
        /// What to look for.
        word: fn(&str) -> String,
    },
}

impl Reach {
    /// The column, if there is one.
    pub const fn column(self) -> Option<&'static str> {
        match self {
            Self::Every => None,
            Self::Equal(column) | Self::Listed { column, .. } => Some(column),
        }
    }

    /// The same kind of column under another name.
    #[must_use]
    pub const fn named(self, column: &'static str) -> Self {
        match self {
            Self::Every => Self::Every,
            Self::Equal(_) => Self::Equal(column),
            Self::Listed { word, .. } => Self::Listed { column, word },
        }
    }

    fn narrow(self, sql: &mut Sql, wanted: &str, position_of: &'static str) {
        match self {
            Self::Every => {}
            Self::Equal(column) => {
                sql.push(" AND ").push(column).push(" = ").bind(wanted);
            }
            Self::Listed { column, word } => {
                sql.push(" AND ").push(position_of).push("(").push(column).push(", ");
                sql.bind(word(wanted)).push(") > 0");
            }
        }
    }

    fn covers(self, wanted: &str, found: Option<&str>) -> bool {
        match self {
            Self::Every => true,
            Self::Equal(_) => found == Some(wanted),
            Self::Listed { word, .. } => found.is_some_and(|text| text.contains(&word(wanted))),
        }
    }
}

/// The columns that decide who may see a row. A limit by region or organisation whose column is
/// missing reaches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    /// Column holding the 行政区划代码.
    pub region: Option<&'static str>,
    /// Column holding the id of the 追溯主体.
    pub subject: Option<&'static str>,
    /// Column holding the path of the organisation.
    pub organization: Option<&'static str>,
    /// Product domain.
    pub category: Reach,
    /// 环节
    pub stage: Reach,
    /// Column holding the security label.
    pub label: Option<&'static str>,
}

impl Columns {
    /// No column at all: only those see a row who see everything.
    pub const NONE: Self = Self {
        region: None,
        subject: None,
        organization: None,
        category: Reach::Every,
        stage: Reach::Every,
        label: None,
    };
}

/// Who may see the rows of a table.
#[derive(Debug, Clone, Copy)]
pub enum Scoping {
    /// Reference data that everyone with the permission sees whole.
    Shared,
    /// Limited by the columns named.
    By(Columns),
}

impl Scoping {
    /// How category and stage are told, where a query calls their columns otherwise.
    pub const fn reaches(self, category: &'static str, stage: &'static str) -> (Reach, Reach) {
        match self {
            Self::By(columns) => (columns.category.named(category), columns.stage.named(stage)),
            Self::Shared => (Reach::Every, Reach::Every),
        }
    }
}

/// Where one record belongs, read from it as its table's [`Columns`] say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    /// 行政区划代码
    pub region: Option<&'a str>,
    /// Id of the 追溯主体.
    pub subject: Option<&'a str>,
    /// Path of the organisation.
    pub organization: Option<&'a str>,
    /// Content of the category's column.
    pub category: Option<&'a str>,
    /// Content of the stage's column.
    pub stage: Option<&'a str>,
    /// Level of the label; absent means 内部.
    pub label: Option<i64>,
}

/// The rows a request may touch. Only the permission check makes one, and nothing reads or
/// writes a register without one.
///
/// ```compile_fail,E0423
/// let everything = yj_kernel::Scope(vec![].into());
/// ```
#[derive(Debug, Clone)]
pub struct Scope(pub(crate) Arc<[Limit]>);

impl Scope {
    pub(crate) fn everything() -> Self {
        Self(Arc::new([Limit::EVERYTHING]))
    }

    pub(crate) fn nothing() -> Self {
        Self(Arc::new([]))
    }

    /// The limits, any of which suffices.
    pub fn limits(&self) -> &[Limit] {
        &self.0
    }

    /// Whether everything is within reach.
    pub fn is_everything(&self) -> bool {
        self.0.contains(&Limit::EVERYTHING)
    }

    /// The region that everything within reach lies in, where all limits name one and the same.
    pub fn region(&self) -> Option<&RegionCode> {
        let (first, others) = self.0.split_first()?;
        let region = first.region.as_ref()?;
        others.iter().all(|limit| limit.region.as_ref() == Some(region)).then_some(region)
    }

    /// The highest label within reach.
    pub fn clearance(&self) -> DataClass {
        self.0.iter().map(|limit| limit.clearance).max().unwrap_or(DataClass::Public)
    }

    /// Whether a record at this place, in a table of these columns, is within reach.
    pub fn covers(&self, columns: &Columns, place: &Place<'_>) -> bool {
        let within = |limit: &Limit| {
            let region = |wanted: &RegionCode| place.region.is_some_and(|code| wanted.covers(code));
            limit.region.as_ref().is_none_or(region)
                && limit.organization.as_ref().is_none_or(|within| within.covers(columns, place))
                && fits(columns.category, limit.category.as_deref(), place.category)
                && fits(columns.stage, limit.stage.as_deref(), place.stage)
                && place.label.unwrap_or(DataClass::Internal.level()) <= limit.clearance.level()
        };
        self.0.iter().any(within)
    }

    /// Limits a statement that already has a WHERE to the rows within reach.
    pub fn narrow(&self, sql: &mut Sql, tx: &Tx, scoping: Scoping) {
        let Scoping::By(columns) = scoping else { return };
        if self.is_everything() {
            return;
        }
        if self.0.is_empty() {
            sql.push(" AND 1 = 0");
            return;
        }
        sql.push(" AND (");
        for (index, limit) in self.0.iter().enumerate() {
            sql.push(if index == 0 { "(1 = 1" } else { " OR (1 = 1" });
            limit.narrow(sql, tx, &columns);
            sql.push(")");
        }
        sql.push(")");
    }
}

fn fits(reach: Reach, wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| reach.covers(wanted, found))
}

impl Within {
    fn covers(&self, columns: &Columns, place: &Place<'_>) -> bool {
        match (columns.organization, columns.subject) {
            (Some(_), _) => place.organization.is_some_and(|path| path.starts_with(&self.path)),
            (None, Some(_)) => place
                .subject
                .is_some_and(|subject| self.subjects.iter().any(|known| known == subject)),
            (None, None) => false,
        }
    }

    fn narrow(&self, sql: &mut Sql, columns: &Columns) {
        match (columns.organization, columns.subject) {
            (Some(column), _) => starts_with(sql, column, &self.path),
            (None, Some(column)) => match &*self.subjects {
                [one] => {
                    sql.push(" AND ").push(column).push(" = ").bind(one.as_str());
                }
                subjects => {
                    sql.push(" AND ").push(column).push(" ");
                    sql.bind_texts(subjects.iter().map(String::as_str));
                }
            },
            (None, None) => {
                sql.push(" AND 1 = 0");
            }
        }
    }
}

/// Limits a statement to rows whose `column` begins with `stem`: a byte-ordered range, so that an index
/// serves it on both engines. '~' sorts after digits, letters and dots.
pub fn starts_with(sql: &mut Sql, column: &'static str, stem: &str) {
    sql.push(" AND ").push(column).push(" >= ").bind(stem);
    sql.push(" AND ").push(column).push(" < ").bind(format!("{stem}~"));
}

impl Limit {
    fn narrow(&self, sql: &mut Sql, tx: &Tx, columns: &Columns) {
        match (&self.region, columns.region) {
            (None, _) => {}
            // A region contains every region whose code starts with its own significant digits.
            (Some(code), Some(column)) => starts_with(sql, column, code.stem()),
            (Some(_), None) => {
                sql.push(" AND 1 = 0");
            }
        }
        if let Some(within) = &self.organization {
            within.narrow(sql, columns);
        }
        let position_of = tx.dialect().position_of();
        if let Some(category) = &self.category {
            columns.category.narrow(sql, category, position_of);
        }
        if let Some(stage) = &self.stage {
            columns.stage.narrow(sql, stage, position_of);
        }
        if let (Some(column), true) = (columns.label, self.clearance < DataClass::Personal) {
            sql.push(" AND ").push(column).push(" <= ").bind(self.clearance.level());
        }
    }
}

/// The place of a register's record, read from its JSON form; `id` stands for a column of that
/// name.
pub(crate) fn place_of<'a>(columns: &Columns, id: Option<&'a str>, body: &'a Object) -> Found<'a> {
    let text = |column: Option<&'static str>| match column {
        Some("id") => id,
        Some(name) => body.get(name).and_then(serde_json::Value::as_str),
        None => None,
    };
    let listed = |reach: Reach| {
        let value = body.get(reach.column()?)?;
        match value {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        }
    };
    Found {
        region: text(columns.region),
        subject: text(columns.subject),
        organization: text(columns.organization),
        category: listed(columns.category),
        stage: listed(columns.stage),
        label: columns.label.and_then(|name| body.get(name)).and_then(serde_json::Value::as_i64),
    }
}

/// A [`Place`] that owns what it had to render.
pub(crate) struct Found<'a> {
    pub(crate) region: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    organization: Option<&'a str>,
    pub(crate) category: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) label: Option<i64>,
}

impl Found<'_> {
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            region: self.region,
            subject: self.subject,
            organization: self.organization,
            category: self.category.as_deref(),
            stage: self.stage.as_deref(),
            label: self.label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns {
        region: Some("region"),
        subject: Some("subject_id"),
        category: Reach::Equal("domain"),
        stage: Reach::Listed { column: "roles", word: |stage| format!("\"{}", &stage[..1]) },
        label: Some("label"),
        ..Columns::NONE
    };

    fn scope(limit: Limit) -> Scope {
        Scope(Arc::new([limit]))
    }

    #[test]
    fn every_part_of_a_limit_must_fit() {
        let here = Place {
            region: Some("610116"),
            subject: Some("s1"),
            category: Some("agri"),
            stage: Some("[\"31\"]"),
            label: Some(2),
            ..Place::default()
        };
        let all = || Limit::EVERYTHING;
        let within = |subjects: &[&str]| {
            let subjects = subjects.iter().map(|one| String::from(*one)).collect();
            Some(Within { path: String::from("1."), subjects })
        };
        let fits = |limit: Limit| scope(limit).covers(&COLUMNS, &here);
        assert!(fits(all()));
        assert!(fits(Limit { region: "610100".parse().ok(), ..all() }));
        assert!(!fits(Limit { region: "620000".parse().ok(), ..all() }));
        assert!(fits(Limit { organization: within(&["s0", "s1"]), ..all() }));
        assert!(!fits(Limit { organization: within(&[]), ..all() }));
        assert!(!fits(Limit { category: Some(String::from("food")), ..all() }));
        assert!(fits(Limit { stage: Some(String::from("3")), ..all() }));
        assert!(!fits(Limit { stage: Some(String::from("1")), ..all() }));
        assert!(!fits(Limit { clearance: DataClass::Public, ..all() }));
        assert!(!Scope::nothing().covers(&COLUMNS, &here));
        let nowhere = Columns::NONE;
        assert!(
            !scope(Limit { region: "610000".parse().ok(), ..all() })
                .covers(&nowhere, &Place::default())
        );
        assert!(!scope(Limit { organization: within(&["s1"]), ..all() }).covers(&nowhere, &here));
    }
}
