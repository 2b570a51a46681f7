//! 数据字典 (G-5.3-3, G-4f): every data element of the platform with its definition, format, codes,
//! obligation and class, read from the descriptions that also drive storage, forms and interface.

use std::{collections::BTreeMap, sync::LazyLock};

use serde_json::{Value, json};

use crate::{
    Ctx, DataClass, Entity, Field, Kind, Match, Problem, Result, Sql, Tx, audit, code_list::trunk,
};

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
    /// 英文名称
    pub english: String,
    /// When a conditional element is mandatory, or what is excepted of a mandatory one.
    pub condition: String,
    /// Edition of the dictionary that brought it.
    pub since: String,
}

impl Element {
    /// 短名: the internal identifier as one word, `contactPhone`.
    pub fn short_name(&self) -> String {
        let mut words = self.name.split('_');
        let first = words.next().unwrap_or_default();
        words.fold(String::from(first), |mut name, word| {
            let mut letters = word.chars();
            name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
            name.push_str(letters.as_str());
            name
        })
    }
}

/// 约束
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obligation {
    /// 必选
    Mandatory,
    /// 条件必选
    Conditional,
    /// 可选
    Optional,
    /// 由平台生成
    Derived,
}

impl Obligation {
    /// `M`, `C`, `O` or `D`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mandatory => "M",
            Self::Conditional => "C",
            Self::Optional => "O",
            Self::Derived => "D",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Mandatory => "必选",
            Self::Conditional => "条件必选",
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

/// The edition of the dictionary that elements without a line of their own came with.
pub const FIRST_EDITION: &str = "1.0";

/// What a line of the file says of an element.
struct Meaning {
    english: &'static str,
    definition: &'static str,
    obligation: Option<Obligation>,
    condition: &'static str,
    since: &'static str,
}

/// What fields do not say of themselves, by set and name.
static MEANINGS: LazyLock<BTreeMap<&'static str, Meaning>> = LazyLock::new(|| {
    let read = |line: &'static str| {
        let mut cells = line.split(',');
        let mut next = || cells.next();
        let (element, english, definition) = (next()?, next()?, next()?);
        let obligation = match next()? {
            "M" => Some(Obligation::Mandatory),
            "C" => Some(Obligation::Conditional),
            _ => None,
        };
        let (condition, since) = (next()?, next()?);
        Some((element, Meaning { english, definition, obligation, condition, since }))
    };
    let file = include_str!("../../../data/dictionary/elements.csv");
    file.lines().skip(1).filter_map(read).collect()
});

fn meaning(set: &str, name: &str) -> Option<&'static Meaning> {
    let own = MEANINGS.get(format!("{set}.{name}").as_str());
    own.or_else(|| MEANINGS.get(format!("*.{name}").as_str()))
}

/// An identifier in words: `contact_phone` gives “contact phone”.
pub fn in_words(name: &str) -> String {
    name.strip_suffix("_id").unwrap_or(name).replace('_', " ")
}

/// What is enforced of a field, and when or by whom.
fn own_obligation(entity: &Entity, field: &Field) -> (Obligation, &'static str) {
    match field.need {
        _ if field.computed => (Obligation::Derived, ""),
        Some(need) => (Obligation::Conditional, need.said),
        None if field.day_of_entry && entity.reviewed => {
            (Obligation::Mandatory, "不填的由平台在审核通过时写为当日")
        }
        None if field.day_of_entry => (Obligation::Mandatory, "不填的由平台在登记时写为当日"),
        None if field.optional => (Obligation::Optional, ""),
        None => (Obligation::Mandatory, ""),
    }
}

fn element(entity: &Entity, field: &Field) -> Element {
    let codes = match field.kind {
        // A tree is in its own register; here are the levels that people compare.
        Kind::CodeList(codes) if field.filter == Match::Branch => trunk(codes),
        Kind::Code(codes) | Kind::CodeList(codes) => codes.to_vec(),
        _ => Vec::new(),
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
        Kind::Region => String::from("n6..12"),
        Kind::Json => String::from("ul"),
    };
    let (obligation, condition) = own_obligation(entity, field);
    let own = |text: &str| String::from(text);
    let meaning = meaning(entity.table, field.name);
    // What a field says of itself is what is enforced; only of one that may be absent can the file
    // say when it should not be.
    let said = meaning.filter(|_| obligation == Obligation::Optional);
    let obligation = said.and_then(|known| known.obligation).unwrap_or(obligation);
    let condition = said.map_or(condition, |known| known.condition);
    let definition = match meaning.map_or("", |known| known.definition) {
        "" => defined(entity.title, field.label),
        definition => own(definition),
    };
    Element {
        set: own(entity.table),
        set_title: own(entity.title),
        name: own(field.name),
        label: own(field.label),
        definition: explained(definition, Some(field.hint)),
        format,
        codes: codes.iter().map(|(code, label)| (own(code), own(label))).collect(),
        obligation,
        repeats: matches!(field.kind, Kind::CodeList(_)),
        class: field.class,
        english: meaning.map_or_else(|| in_words(field.name), |known| own(known.english)),
        condition: own(condition),
        since: own(meaning.map_or(FIRST_EDITION, |known| known.since)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_read_and_a_condition_says_when() {
        let lines = include_str!("../../../data/dictionary/elements.csv").lines().skip(1).count();
        assert_eq!(MEANINGS.len(), lines);
        for (element, known) in MEANINGS.iter() {
            assert!(!known.english.is_empty() && !known.definition.is_empty(), "{element}");
            let conditional = known.obligation == Some(Obligation::Conditional);
            assert!(!conditional || !known.condition.is_empty(), "{element}");
        }
    }
}
