//! One published file.

use axum::body::Bytes;
use jiff::civil::Date;
use serde_json::{Value, json};
use yj_crypto::sm3;
use yj_domain::schema::Codes;
use yj_kernel::{Problem, Result};
use yj_sheet::{Column, Table};

pub(super) const JSON: &str = "application/json";
pub(super) const XML: &str = "application/xml; charset=utf-8";

/// One published file.
pub(super) struct Artefact {
    /// Its path inside the edition.
    pub(super) path: String,
    /// What kind of file it is: `openapi`, `schema`, `xsd`, `codes`, `example`, `guide`, `archive`.
    pub(super) kind: &'static str,
    /// 中文名称
    pub(super) title: String,
    pub(super) media_type: &'static str,
    /// First day on which it holds; nothing where that is no question.
    pub(super) effective_on: Option<Date>,
    pub(super) bytes: Bytes,
    /// SM3 of the bytes.
    pub(super) sm3: String,
}

impl Artefact {
    pub(super) fn new(
        (path, title): (String, String),
        (kind, media_type): (&'static str, &'static str),
        effective_on: Option<Date>,
        bytes: Vec<u8>,
    ) -> Self {
        let digest = sm3::hex(&sm3::digest(&bytes));
        Self { path, kind, title, media_type, effective_on, bytes: bytes.into(), sm3: digest }
    }

    /// A document in JSON, for people too.
    pub(super) fn json(
        named: (String, String),
        kind: &'static str,
        media_type: &'static str,
        (effective_on, document): (Option<Date>, &Value),
    ) -> Result<Self> {
        let mut bytes = serde_json::to_vec_pretty(document).map_err(Problem::internal)?;
        bytes.push(b'\n');
        Ok(Self::new(named, (kind, media_type), effective_on, bytes))
    }

    /// Code lists, as JSON and as a table.
    pub(super) fn codes(
        (path, title): (&str, &str),
        effective_on: Option<Date>,
        lists: &[Codes],
    ) -> Result<[Self; 2]> {
        let list = |list: &Codes| {
            let code = |(code, label): &(String, String)| json!({ "code": code, "title": label });
            let codes: Vec<_> = list.codes.iter().map(code).collect();
            json!({ "name": list.name, "title": list.title, "codes": codes })
        };
        let document =
            json!({ "title": title, "lists": lists.iter().map(list).collect::<Vec<_>>() });
        let rows = lists.iter().flat_map(|list| {
            list.codes.iter().map(|(code, label)| {
                vec![list.name.clone(), list.title.clone(), code.clone(), label.clone()]
            })
        });
        let column = |name: &str| Column { name: String::from(name), ..Column::default() };
        let table = Table {
            title: String::from(title),
            columns: ["代码表", "代码表名称", "代码", "名称"].map(column).into(),
            rows: rows.collect(),
            mark: Vec::new(),
        };
        let csv = yj_sheet::write_csv(&table).map_err(Problem::internal)?;
        let named = |ending: &str| (format!("{path}.{ending}"), String::from(title));
        Ok([
            Self::json(named("json"), "codes", JSON, (effective_on, &document))?,
            Self::new(named("csv"), ("codes", "text/csv; charset=utf-8"), effective_on, csv),
        ])
    }

    pub(super) fn describe(&self) -> Value {
        json!({
            "path": self.path, "kind": self.kind, "title": self.title,
            "media_type": self.media_type, "size": self.bytes.len(), "sm3": self.sm3,
            "effective_on": self.effective_on,
        })
    }
}
