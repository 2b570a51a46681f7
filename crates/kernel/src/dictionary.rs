//! 数据字典 (G-5.3-3, G-4f): every data element of the platform with its definition, format, codes,
//! obligation and class, read from the descriptions that also drive storage, forms and interface.

use serde_json::{Value, json};

use crate::{Ctx, DataClass, Entity, Field, Kind, Problem, Result, Sql, Tx, audit};

/// One data element.
#[derive(Debug, Clone)]
pub struct Element {
    /// Set of elements it belongs to: a register, or a domain with its event type.
    pub set: String,
    /// 中文名称 of the set.
    pub set_title: String,
    /// Internal identifier: column, JSON key and query parameter.
    pub name: String,
    /// 中文名称
    pub label: String,
    /// 定义
    pub definition: String,
    /// 数据类型 and 表示格式, in the notation of the GB/T data element standards: `an..50`, `YYYYMMDD`.
    pub format: String,
    /// 代码表: codes with labels.
    pub codes: Vec<(String, String)>,
    /// 约束
    pub obligation: Obligation,
    /// Whether it may occur several times.
    pub repeats: bool,
    /// 数据分级
    pub class: DataClass,
}

/// 约束
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obligation {
    /// 必选
    Mandatory,
    /// 可选
    Optional,
    /// 由平台生成
    Derived,
}

impl Obligation {
    /// `M`, `O` or `D`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mandatory => "M",
            Self::Optional => "O",
            Self::Derived => "D",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mandatory => "必选",
            Self::Optional => "可选",
            Self::Derived => "平台生成",
        }
    }
}

fn longest<'a>(codes: impl Iterator<Item = &'a str>) -> usize {
    codes.map(str::len).max().unwrap_or(1)
}

/// “节点” and “节点编码” give “节点的编码”.
pub fn defined(owner: &str, label: &str) -> String {
    let ends = owner.char_indices().map(|(start, _)| &owner[start..]);
    let rest = ends.filter_map(|end| label.strip_prefix(end)).find(|rest| !rest.is_empty());
    format!("{owner}的{}", rest.unwrap_or(label))
}

/// A definition with the sentence that helps to fill it in.
pub fn explained(definition: String, hint: Option<&str>) -> String {
    match hint.filter(|hint| !hint.is_empty()) {
        Some(hint) => format!("{definition}。{hint}"),
        None => definition,
    }
}

fn element(entity: &Entity, field: &Field) -> Element {
    let codes: &[(&str, &str)] = match field.kind {
        Kind::Code(codes) | Kind::CodeList(codes) => codes,
        _ => &[],
    };
    let format = match field.kind {
        _ if !field.format.is_empty() => String::from(field.format),
        Kind::Text => format!("an..{}", field.length_max),
        Kind::Int => String::from("n..18"),
        Kind::Decimal => String::from("n..15,4"),
        Kind::Bool => String::from("bl"),
        Kind::Time => String::from("YYYYMMDDThhmmss"),
        Kind::Date => String::from("YYYYMMDD"),
        Kind::Id(_) => String::from("an36"),
        Kind::Code(codes) | Kind::CodeList(codes) => {
            format!("an..{}", longest(codes.iter().map(|(code, _)| *code)))
        }
        Kind::Region => String::from("n6"),
        Kind::Json => String::from("ul"),
    };
    let obligation = match (field.computed, field.optional) {
        (true, _) => Obligation::Derived,
        (false, true) => Obligation::Optional,
        (false, false) => Obligation::Mandatory,
    };
    let own = |text: &str| String::from(text);
    Element {
        set: own(entity.table),
        set_title: own(entity.title),
        name: own(field.name),
        label: own(field.label),
        definition: explained(defined(entity.title, field.label), Some(field.hint)),
        format,
        codes: codes.iter().map(|(code, label)| (own(code), own(label))).collect(),
        obligation,
        repeats: matches!(field.kind, Kind::CodeList(_)),
        class: field.class,
    }
}

/// The elements of the registers.
pub fn elements(entities: &[&'static Entity]) -> Vec<Element> {
    let of = |entity: &&'static Entity| {
        entity.fields.iter().map(|field| element(entity, field)).collect::<Vec<_>>()
    };
    entities.iter().flat_map(of).collect()
}

/// Longest name of a standard's element.
const NAME_MAX: usize = 60;

/// What GB/T 38154 calls elements, as an owner of its text has written down: set and name → name.
pub async fn standard_names(tx: &mut Tx) -> Result<Vec<(String, String, String)>> {
    let sql = "SELECT element_set, element, gbt38154_name FROM dictionary_name";
    let mut names = Vec::new();
    for row in tx.fetch(Sql::new(sql)).await? {
        let text = |index| row.text(index).map(String::from);
        names.push((text(0)?, text(1)?, text(2)?));
    }
    Ok(names)
}

/// Writes down what GB/T 38154 calls an element; an empty name takes it back.
pub async fn align(ctx: &Ctx, tx: &mut Tx, (element, name): (&Element, &str)) -> Result<()> {
    let name = name.trim();
    if name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::invalid("gbt38154_name", format!("至多 {NAME_MAX} 个字")));
    }
    let sql = Sql::new(
        "SELECT gbt38154_name FROM dictionary_name WHERE element_set = $1 AND element = $2",
    );
    let before = tx.fetch_one(sql.arg(element.set.as_str()).arg(element.name.as_str())).await?;
    let before = before.map_or(Ok(String::new()), |row| row.text(0).map(String::from))?;
    let sql = Sql::new(
        "INSERT INTO dictionary_name (element_set, element, gbt38154_name) VALUES ($1, $2, $3) \
         ON CONFLICT (element_set, element) DO UPDATE SET gbt38154_name = excluded.gbt38154_name",
    );
    let sql = sql.arg(element.set.as_str()).arg(element.name.as_str());
    tx.execute(sql.arg(name)).await?;
    let record = format!("{}.{}", element.set, element.name);
    let body: Value = json!({ "gbt38154_name": [before, name] });
    let entry =
        audit::Entry { action: "updated", entity: "dictionary_name", record: &record, body };
    audit::write(ctx, tx, entry);
    Ok(())
}
