//! What a list is asked for that is read page by page: its conditions, and which page.

use std::collections::BTreeMap;

use yj_kernel::{Param, Problem, Result, Sql, number};

const PER_PAGE_MAX: i64 = 200;
const PER_PAGE: i64 = 20;
const PAGE_MAX: i64 = 500;

/// The parameters that all these lists have besides their conditions.
pub(crate) const PAGING: [Param; 4] = [
    Param { name: "page", label: "页码", required: false },
    Param { name: "per_page", label: "每页条数", required: false },
    Param { name: "sort", label: "次序；只有一种", required: false },
    Param { name: "after", label: "上一页答复中的 next", required: false },
];

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    conditions: BTreeMap<String, String>,
    after: Option<String>,
    page: i64,
    per_page: i64,
}

impl Asked {
    /// Reads the query of a list that has these parameters and is always in this order.
    pub(crate) fn read(query: &str, known: &[Param], order: &str) -> Result<Self> {
        if query.matches('&').count() >= known.len() * 2 {
            let detail = format!("查询条件过多，至多 {} 个", known.len() * 2);
            return Err(Problem::invalid("query", detail));
        }
        let mut asked =
            Self { conditions: BTreeMap::new(), after: None, page: 1, per_page: PER_PAGE };
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            let text = text.trim();
            match &*name {
                _ if !known.iter().any(|param| param.name == name) => {
                    return Err(Problem::invalid(&*name, "没有这个查询条件"));
                }
                _ if text.is_empty() => {}
                _ if text.contains('\0') => {
                    return Err(Problem::invalid(&*name, "不能含有空字符（NUL）"));
                }
                "page" => asked.page = number(&name, text, PAGE_MAX)?,
                "per_page" => asked.per_page = number(&name, text, PER_PAGE_MAX)?,
                "sort" if text == order => {}
                "sort" => return Err(Problem::invalid("sort", format!("应为 {order}"))),
                "after" => asked.after = Some(String::from(text)),
                _ => drop(asked.conditions.insert(name.into_owned(), String::from(text))),
            }
        }
        Ok(asked)
    }

    /// A condition, if it is there.
    pub(crate) fn condition(&self, name: &str) -> Option<&str> {
        self.conditions.get(name).map(String::as_str)
    }

    /// A condition that must be one of these codes, each with what it is called.
    pub(crate) fn one_of(&self, name: &str, codes: &[(&str, &str)]) -> Result<Option<&str>> {
        let found = self.condition(name);
        if found.is_none_or(|text| codes.iter().any(|(code, _)| *code == text)) {
            return Ok(found);
        }
        let known: Vec<_> = codes.iter().map(|(code, label)| format!("{code} {label}")).collect();
        Err(Problem::invalid(name, format!("应为：{}", known.join("、"))))
    }

    /// Where the last page ended, in so many parts.
    pub(crate) fn after<const N: usize>(&self) -> Result<Option<[&str; N]>> {
        let Some(text) = &self.after else { return Ok(None) };
        let parts: Vec<&str> = text.splitn(N, '~').collect();
        let wrong = || Problem::invalid("after", "游标无效，请使用上一页答复中的 next");
        <[&str; N]>::try_from(parts).map(Some).map_err(|_| wrong())
    }

    /// A number in such a part.
    pub(crate) fn number_after(text: &str) -> Result<i64> {
        let wrong = |_| Problem::invalid("after", "游标无效，请使用上一页答复中的 next");
        text.parse().map_err(wrong)
    }

    /// Ends a statement at this page.
    pub(crate) fn limit(&self, sql: &mut Sql) {
        sql.push(" LIMIT ").bind(self.per_page);
        if self.page > 1 {
            sql.push(" OFFSET ").bind((self.page - 1) * self.per_page);
        }
    }

    /// Where a page ends that holds so many, the last of which is told by these parts; nothing where it is
    /// the last page.
    pub(crate) fn next<const N: usize>(
        &self,
        rows: usize,
        last: Option<[String; N]>,
    ) -> Option<String> {
        let full = i64::try_from(rows).is_ok_and(|count| count == self.per_page);
        last.filter(|_| full).map(|parts| parts.join("~"))
    }
}
