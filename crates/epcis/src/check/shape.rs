//! Shapes of objects as data, and the one walk that holds a value against them.

use std::collections::HashSet;

use super::{
    expressible::prefixes,
    format::{is_extension_name, is_hexadecimal, is_unit, is_uri, is_version},
    identifier::{self, Names},
};
use crate::{
    fault::{Faults, Path, kind_of},
    json::Json,
    time::{Instant, is_zone_offset},
    vocabulary::Vocabulary,
};

/// What a value has to be.
pub(super) enum Kind {
    Uri,
    Identifier(Names),
    Time,
    Zone,
    Text,
    Number,
    Boolean,
    Hexadecimal,
    Unit,
    Version,
    /// One of these texts.
    Choice(&'static [&'static str]),
    Word(Vocabulary),
    List(&'static Kind, List),
    Object(&'static Shape),
    /// One, or a list of them.
    OneOrMany(&'static Kind),
    Context,
    /// A number, a text or an object.
    Attribute,
}

#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) min: usize,
    pub(super) unique: bool,
}

pub(super) const ANY_LIST: List = List { min: 0, unique: false };

pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    need: Need,
}

/// Whether a field has to be there.
#[derive(Clone, Copy)]
enum Need {
    No,
    Yes,
    /// Where this other one is not.
    Without(&'static str),
}

pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::Yes }
}

/// A field that has to be there where another is not.
pub(super) const fn must_without(name: &'static str, kind: Kind, other: &'static str) -> Field {
    Field { name, kind, need: Need::Without(other) }
}

pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, need: Need::No }
}

/// Which members there may be besides the fields.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Anything,
    /// Names that are URIs or have a prefix: extensions.
    Namespaced,
    Nothing,
}

pub(super) struct Shape {
    pub(super) fields: &'static [&'static [Field]],
    pub(super) others: Others,
}

impl Shape {
    pub(super) fn check(&self, value: &Json, path: &Path<'_>, faults: &mut Faults) {
        let Json::Object(members) = value else {
            return faults.note(path, format!("应为对象，现为{}", kind_of(value)));
        };
        let fields = || self.fields.iter().copied().flatten();
        for (name, inner) in members {
            match fields().find(|field| field.name == name) {
                Some(field) => field.kind.check(inner, &path.key(name), faults),
                None => self.check_other(name, &path.key(name), faults),
            }
        }
        let has = |name: &str| members.iter().any(|(known, _)| known == name);
        for field in fields().filter(|field| !has(field.name)) {
            match field.need {
                Need::Yes => faults.note(path, format!("缺少 {}", field.name)),
                Need::Without(other) if !has(other) => {
                    faults.note(path, format!("缺少 {}；有 {other} 时才可以没有", field.name));
                }
                Need::Without(_) | Need::No => {}
            }
        }
    }

    fn check_other(&self, name: &str, path: &Path<'_>, faults: &mut Faults) {
        match self.others {
            Others::Anything => {}
            Others::Namespaced if is_extension_name(name) => {}
            Others::Namespaced => {
                faults.note(
                    path,
                    "这里没有此字段；扩展字段的名称应带前缀（如 example:field）或为 URI",
                );
            }
            Others::Nothing => faults.note(path, "这里没有此字段，也不能有扩展字段"),
        }
    }
}

impl Kind {
    pub(super) fn check(&self, value: &Json, path: &Path<'_>, faults: &mut Faults) {
        match (self, value) {
            (Self::List(kind, rules), Json::Array(items)) => {
                check_items(kind, *rules, items, path, faults);
            }
            (Self::Object(shape), _) => shape.check(value, path, faults),
            (Self::OneOrMany(kind), Json::Array(items)) => {
                check_items(kind, ANY_LIST, items, path, faults);
            }
            (Self::OneOrMany(kind), _) => kind.check(value, path, faults),
            (Self::Context, _) => check_context(value, path, faults),
            (Self::Number | Self::Attribute, Json::Number(_))
            | (Self::Attribute, Json::Text(_) | Json::Object(_))
            | (Self::Boolean, Json::Bool(_)) => {}
            (_, Json::Text(text)) => {
                if let Some(wanted) = self.refuses(text) {
                    faults.note(path, wanted);
                }
            }
            _ => faults.note(path, format!("应为{}，现为{}", self.name(), kind_of(value))),
        }
    }

    fn refuses(&self, text: &str) -> Option<String> {
        let sound = match self {
            Self::Uri => is_uri(text),
            Self::Time => Instant::parse(text).is_some(),
            Self::Zone => is_zone_offset(text),
            Self::Text => true,
            Self::Hexadecimal => is_hexadecimal(text),
            Self::Unit => is_unit(text),
            Self::Version => is_version(text),
            Self::Choice(words) => words.contains(&text),
            Self::Word(vocabulary) => return vocabulary.refuses(text),
            Self::Identifier(names) => return identifier::refuses(text, *names),
            _ => false,
        };
        (!sound).then(|| match self {
            Self::Choice(words) => format!("应为 {} 之一", words.join("、")),
            _ => format!("应为{}", self.name()),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Uri | Self::Identifier(_) => "URI（如 urn:epc:id:… 或 https://…）",
            Self::Time => "带时区的时间（如 2024-05-01T08:00:00.000+08:00）",
            Self::Zone => "时区（如 +08:00，至多 ±14:00）",
            Self::Text | Self::Choice(_) | Self::Word(_) => "文本",
            Self::Number => "数",
            Self::Boolean => "真假值 true 或 false",
            Self::Hexadecimal => "十六进制文本",
            Self::Unit => "二至三位的 UN/ECE 计量单位代码（如 KGM）",
            Self::Version => "EPCIS 1.x 或 2.x 的版本号（如 2.0）",
            Self::List(..) => "列表",
            Self::Object(_) => "对象",
            Self::OneOrMany(_) => "一个或一列值",
            Self::Context => "JSON-LD 上下文",
            Self::Attribute => "数、文本或对象",
        }
    }
}

fn check_items(kind: &Kind, rules: List, items: &[Json], path: &Path<'_>, faults: &mut Faults) {
    if items.len() < rules.min {
        faults.note(path, format!("至少应有 {} 项", rules.min));
    }
    let mut seen = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        kind.check(item, &path.index(index), faults);
        if rules.unique && !seen.insert(item.to_string()) {
            faults.note(&path.index(index), "与前面的一项重复");
        }
    }
}

fn check_context(value: &Json, path: &Path<'_>, faults: &mut Faults) {
    prefixes(value, path, faults);
    let part = |value: &Json, path: &Path<'_>, faults: &mut Faults| match value {
        Json::Object(_) => {}
        Json::Text(text) if is_uri(text) => {}
        _ => faults.note(path, "上下文的每一部分应为 URI 或对象"),
    };
    match value {
        Json::Array(items) => {
            let mut seen = HashSet::new();
            for (index, item) in items.iter().enumerate() {
                part(item, &path.index(index), faults);
                if !seen.insert(item.to_string()) {
                    faults.note(&path.index(index), "与前面的一项重复");
                }
            }
        }
        other => part(other, path, faults),
    }
}
