//! Reading a pack from JSON. Everything that is wrong with it is found at once, each with its path:
//! unknown and missing keys, types, lengths, words that there are not. What the parts mean for each
//! other is checked in [`crate::sound`].

mod demand;
mod goods;
mod rule;

use jiff::civil::Date;
use serde_json::{Map, Value};
use yj_kernel::FieldError;
use yj_model::{Quantity, SUBJECT_KINDS, Stage};

use self::{
    demand::demand,
    goods::{belongs, goods_rule, trips},
    rule::rule,
};

use crate::{
    field::{FieldClass, FieldKind, FieldSpec},
    pack::{
        EventSpec, InputMode, InputSpec, OutputSpec, Pack, PackVersion, Packing, Reporting,
        StageSpec, Terminal,
    },
    retention::Retention,
};

/// Event types of one pack.
pub(crate) const EVENTS_MAX: usize = 100;
/// Fields of one event type, and of products.
const FIELDS_MAX: usize = 60;
/// Codes of one field.
const CODES_MAX: usize = 200;
/// Rules of one event type, and of products.
const RULES_MAX: usize = 30;
/// Papers that one event type demands.
const DEMANDS_MAX: usize = 10;
/// Retention rules of one pack.
const RETENTIONS_MAX: usize = 20;
/// Every month has this day.
const BY_DAY_MAX: usize = 28;
/// Longest retention: a hundred years.
const MONTHS_MAX: usize = 1_200;
/// Things that go into one event, and that come out.
const LINES_MAX: usize = 200;
/// Longest code of a domain: as long as the columns that hold it.
const CODE_MAX: usize = 20;
/// Longest code of an event type.
const EVENT_CODE_MAX: usize = 30;
/// Longest name of a field, and of a code of a field.
const NAME_MAX: usize = 40;
/// Longest label, name of an event type, of a rule and of a domain.
const LABEL_MAX: usize = 40;
/// Longest text a field may ask for.
const TEXT_MAX: usize = 1_000;
/// Longest hint and longest pattern.
const HINT_MAX: usize = 200;
/// Mistakes named at once.
const MISTAKES_MAX: usize = 200;

/// What is wrong with a document, in the order of the document.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<FieldError>);

impl Mistakes {
    pub(crate) fn note(&mut self, path: impl Into<String>, detail: impl Into<String>) {
        if self.0.len() < MISTAKES_MAX {
            self.0.push(FieldError { field: path.into(), detail: detail.into() });
        }
    }

    pub(crate) fn into_result<T>(self, sound: T) -> Result<T, Vec<FieldError>> {
        if self.0.is_empty() { Ok(sound) } else { Err(self.0) }
    }
}

/// Reads and checks a whole pack; else says everything that is wrong with it.
pub fn read(document: &Value) -> Result<Pack, Vec<FieldError>> {
    let mut mistakes = Mistakes::default();
    let pack = pack(&mut Part::root(document, &mut mistakes));
    crate::sound::check(&pack, &mut mistakes);
    mistakes.into_result(pack)
}

/// A lower-case word that may name something in JSON and in an address.
fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// One object of the document, and where it stands.
struct Part<'a, 'm> {
    path: String,
    /// `None` where the document holds something else; that has been noted.
    map: Option<&'a Map<String, Value>>,
    mistakes: &'m mut Mistakes,
}

impl<'a, 'm> Part<'a, 'm> {
    fn root(value: &'a Value, mistakes: &'m mut Mistakes) -> Self {
        Self::new(value, String::new(), mistakes)
    }

    fn new(value: &'a Value, path: String, mistakes: &'m mut Mistakes) -> Self {
        let map = value.as_object();
        if map.is_none() {
            mistakes.note(path.as_str(), "应为对象 { … }");
        }
        Self { path, map, mistakes }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { String::from(key) } else { format!("{}.{key}", self.path) }
    }

    fn note(&mut self, key: &str, detail: impl Into<String>) {
        let path = self.at(key);
        self.mistakes.note(path, detail);
    }

    /// Refuses every key but these.
    fn only(&mut self, known: &[&str]) {
        let strange = self.map.into_iter().flat_map(Map::keys);
        let strange: Vec<_> = strange.filter(|key| !known.contains(&key.as_str())).collect();
        for key in strange {
            let detail = format!("没有 {key} 这个字段，可用字段：{}", known.join("、"));
            self.note(key, detail);
        }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.map?.get(key).filter(|value| !value.is_null())
    }

    fn needed(&mut self, key: &str) -> Option<&'a Value> {
        let found = self.value(key);
        if found.is_none() && self.map.is_some() {
            self.note(key, format!("缺少必填的 {key}"));
        }
        found
    }

    fn optional_text(&mut self, key: &str, longest: usize) -> Option<String> {
        let value = self.value(key)?;
        let Some(text) = value.as_str() else {
            self.note(key, "应为文本（加引号）");
            return None;
        };
        let length = text.chars().count();
        if length == 0 || length > longest || text.chars().any(char::is_control) {
            self.note(key, format!("应为 1 至 {longest} 个字，不含控制字符，现为 {length} 个"));
            return None;
        }
        Some(String::from(text))
    }

    fn text(&mut self, key: &str, longest: usize) -> Option<String> {
        self.needed(key)?;
        self.optional_text(key, longest)
    }

    /// A text of which `sound` holds.
    fn checked(
        &mut self,
        key: &str,
        longest: usize,
        (sound, detail): (fn(&str) -> bool, &str),
    ) -> String {
        match self.text(key, longest) {
            Some(text) if sound(&text) => text,
            Some(_) => {
                self.note(key, detail);
                String::new()
            }
            None => String::new(),
        }
    }

    fn word(&mut self, key: &str, longest: usize) -> String {
        self.checked(key, longest, (is_word, "应为小写字母开头的小写字母、数字与下划线"))
    }

    fn label(&mut self, key: &str) -> String {
        let sound = |text: &str| text.trim() == text;
        self.checked(key, LABEL_MAX, (sound, "前后不能有空格"))
    }

    /// One of a list of words.
    fn one_of<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key, NAME_MAX)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.note(key, format!("没有 {text} 这个取值，可用取值：{}", known.join("、")));
        }
        found
    }

    fn optional_number(&mut self, key: &str, most: usize) -> Option<usize> {
        let value = self.value(key)?;
        let found = value.as_u64().and_then(|number| usize::try_from(number).ok());
        let found = found.filter(|number| *number <= most);
        if found.is_none() {
            self.note(key, format!("应为 0 至 {most} 的整数"));
        }
        found
    }

    fn number(&mut self, key: &str, most: usize) -> usize {
        self.needed(key);
        self.optional_number(key, most).unwrap_or_default()
    }

    fn optional_flag(&mut self, key: &str) -> bool {
        let Some(value) = self.value(key) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.note(key, "应为 true 或 false");
            false
        })
    }

    fn quantity(&mut self, key: &str) -> Option<Quantity> {
        let text = self.optional_text(key, NAME_MAX)?;
        let parsed = text.parse::<Quantity>();
        parsed.map_err(|error| self.note(key, error.to_string())).ok()
    }

    fn parsed<T: std::str::FromStr + Default>(&mut self, key: &str, wanted: &str) -> T {
        let Some(text) = self.text(key, NAME_MAX) else { return T::default() };
        text.parse().unwrap_or_else(|_| {
            self.note(key, wanted);
            T::default()
        })
    }

    fn items(&mut self, key: &str, (least, most): (usize, usize)) -> &'a [Value] {
        if least > 0 {
            self.needed(key);
        }
        let Some(value) = self.value(key) else { return &[] };
        let Some(items) = value.as_array() else {
            self.note(key, "应为数组 [ … ]");
            return &[];
        };
        if items.len() < least || items.len() > most {
            self.note(key, format!("应有 {least} 至 {most} 项，现有 {} 项", items.len()));
        }
        &items[..items.len().min(most)]
    }

    /// Every object of a list, read by `read`. What is not readable leaves an empty one in its
    /// place, so that positions keep their meaning.
    fn each<T>(
        &mut self,
        key: &str,
        bounds: (usize, usize),
        read: fn(&mut Part<'a, '_>) -> T,
    ) -> Vec<T> {
        let items = self.items(key, bounds);
        let start = self.at(key);
        let one =
            |(at, value)| read(&mut Part::new(value, format!("{start}[{at}]"), self.mistakes));
        items.iter().enumerate().map(one).collect()
    }

    /// Short texts of a list.
    fn texts(&mut self, key: &str, bounds: (usize, usize)) -> Vec<String> {
        let items = self.items(key, bounds);
        self.short_texts(items, key)
    }

    /// Short texts of the list at this place of a list of lists.
    fn texts_at(&mut self, key: &str, at: usize, (least, most): (usize, usize)) -> Vec<String> {
        let list = self.value(key).and_then(|list| list.get(at)).and_then(Value::as_array);
        let path = format!("{key}[{at}]");
        match list {
            Some(items) if (least..=most).contains(&items.len()) => self.short_texts(items, &path),
            _ => {
                self.note(&path, format!("应为 {least} 至 {most} 项文本的数组"));
                Vec::new()
            }
        }
    }

    fn short_texts(&mut self, items: &[Value], key: &str) -> Vec<String> {
        let short = |text: &&str| (1..=NAME_MAX).contains(&text.chars().count());
        let mut texts = Vec::with_capacity(items.len());
        for (at, value) in items.iter().enumerate() {
            if let Some(text) = value.as_str().filter(short) {
                texts.push(String::from(text));
            } else {
                let detail = format!("应为 1 至 {NAME_MAX} 个字的文本");
                self.note(&format!("{key}[{at}]"), detail);
            }
        }
        texts
    }

    fn object<T>(&mut self, key: &str, read: fn(&mut Part<'a, '_>) -> T) -> T {
        let value = self.needed(key);
        let path = self.at(key);
        match value {
            Some(value) => read(&mut Part::new(value, path, self.mistakes)),
            None => read(&mut Part { path, map: None, mistakes: self.mistakes }),
        }
    }
}

fn pack(part: &mut Part<'_, '_>) -> Pack {
    part.only(&[
        "code",
        "name",
        "version",
        "effective_on",
        "stages",
        "product_fields",
        "product_rules",
        "retention",
        "reporting",
    ]);
    Pack {
        code: part.word("code", CODE_MAX),
        name: part.label("name"),
        version: part.parsed::<PackVersion>("version", "应为三段数字，如 1.0.0，每段至多三位"),
        effective_on: part.parsed::<Date>("effective_on", "应为日期，如 2026-11-01"),
        stages: part.each("stages", (1, Stage::ALL.len()), stage),
        product_fields: part.each("product_fields", (0, FIELDS_MAX), field),
        product_rules: part.each("product_rules", (0, RULES_MAX), rule),
        retention: part.each("retention", (0, RETENTIONS_MAX), retention),
        reporting: part.value("reporting").map(|_| part.object("reporting", reporting)),
    }
}

fn reporting(part: &mut Part<'_, '_>) -> Reporting {
    part.only(&["by_day", "basis"]);
    let day = i8::try_from(part.number("by_day", BY_DAY_MAX)).unwrap_or_default();
    if part.value("by_day").is_some_and(|said| said.as_u64() == Some(0)) {
        part.note("by_day", format!("应为 1 至 {BY_DAY_MAX}：次月的哪一天"));
    }
    Reporting { by_day: day, basis: part.text("basis", HINT_MAX).unwrap_or_default() }
}

fn retention(part: &mut Part<'_, '_>) -> Retention {
    part.only(&[
        "name",
        "events",
        "documents",
        "subject_kinds",
        "months",
        "after",
        "otherwise_months",
        "basis",
    ]);
    let months = |part: &mut Part<'_, '_>, key| {
        let found = part.optional_number(key, MONTHS_MAX);
        found.and_then(|months| u16::try_from(months).ok())
    };
    Retention {
        name: part.label("name"),
        events: part.texts("events", (0, EVENTS_MAX)),
        documents: demand::kinds(part, "documents", 0),
        subject_kinds: subject_kinds(part),
        months: months(part, "months"),
        after: part.value("after").map(|_| part.word("after", NAME_MAX)),
        otherwise_months: months(part, "otherwise_months"),
        basis: part.text("basis", HINT_MAX).unwrap_or_default(),
    }
}

/// 主体类型, by their codes.
fn subject_kinds(part: &mut Part<'_, '_>) -> Vec<String> {
    let found = part.texts("subject_kinds", (0, SUBJECT_KINDS.len()));
    for (at, code) in found.iter().enumerate() {
        if !SUBJECT_KINDS.iter().any(|(known, _)| known == code) {
            let known: Vec<_> =
                SUBJECT_KINDS.iter().map(|(code, name)| format!("{code} {name}")).collect();
            let detail = format!("没有主体类型 {code}，应为：{}", known.join("、"));
            part.note(&format!("subject_kinds[{at}]"), detail);
        }
    }
    found
}

fn stage(part: &mut Part<'_, '_>) -> StageSpec {
    part.only(&["stage", "events"]);
    let words = Stage::ALL.map(|stage| (stage.code(), stage));
    StageSpec {
        stage: part
            .one_of("stage", &words)
            .map(|stage| String::from(stage.code()))
            .unwrap_or_default(),
        events: part.each("events", (1, EVENTS_MAX), event),
    }
}

fn event(part: &mut Part<'_, '_>) -> EventSpec {
    part.only(&[
        "code",
        "name",
        "movement",
        "packing",
        "inputs",
        "outputs",
        "loss_max_percent",
        "fields",
        "rules",
        "price",
        "goods_rules",
        "belongs",
        "trips",
        "documents",
        "always_reviewed",
    ]);
    let words = [("pack", Packing::Pack), ("unpack", Packing::Unpack)];
    EventSpec {
        code: part.word("code", EVENT_CODE_MAX),
        name: part.label("name"),
        movement: part.optional_text("movement", 3),
        packing: part.value("packing").and_then(|_| part.one_of("packing", &words)),
        inputs: part.object("inputs", inputs),
        outputs: part.object("outputs", outputs),
        loss_max_percent: part.quantity("loss_max_percent"),
        fields: part.each("fields", (0, FIELDS_MAX), field),
        rules: part.each("rules", (0, RULES_MAX), rule),
        price: part.value("price").map(|_| part.word("price", NAME_MAX)),
        goods_rules: part.each("goods_rules", (0, RULES_MAX), goods_rule),
        belongs: part.value("belongs").map(|_| part.object("belongs", belongs)),
        trips: part.value("trips").map(|_| part.object("trips", trips)),
        documents: part.each("documents", (0, DEMANDS_MAX), demand),
        always_reviewed: part.optional_flag("always_reviewed"),
    }
}

fn inputs(part: &mut Part<'_, '_>) -> InputSpec {
    part.only(&["mode", "min", "max"]);
    let modes = [
        ("none", InputMode::None),
        ("consume", InputMode::Consume),
        ("observe", InputMode::Observe),
    ];
    InputSpec {
        mode: part.one_of("mode", &modes).unwrap_or(InputMode::None),
        min: part.number("min", LINES_MAX),
        max: part.number("max", LINES_MAX),
    }
}

fn outputs(part: &mut Part<'_, '_>) -> OutputSpec {
    part.only(&["min", "max", "terminal"]);
    let (min, max) = (part.number("min", LINES_MAX), part.number("max", LINES_MAX));
    let words = [("sold", Terminal::Sold), ("used", Terminal::Used)];
    let terminal = part.value("terminal").and_then(|_| part.one_of("terminal", &words));
    OutputSpec { min, max, terminal }
}

fn field(part: &mut Part<'_, '_>) -> FieldSpec {
    part.only(&[
        "name",
        "label",
        "kind",
        "required",
        "codes",
        "min",
        "max",
        "max_length",
        "pattern",
        "hint",
        "class",
    ]);
    let kinds = [
        ("text", FieldKind::Text),
        ("decimal", FieldKind::Decimal),
        ("result", FieldKind::Result),
        ("int", FieldKind::Int),
        ("bool", FieldKind::Bool),
        ("time", FieldKind::Time),
        ("date", FieldKind::Date),
        ("code", FieldKind::Code),
    ];
    part.needed("required");
    let classes = [FieldClass::Personal, FieldClass::Sensitive].map(|class| (class.code(), class));
    FieldSpec {
        name: part.word("name", NAME_MAX),
        label: part.label("label"),
        kind: part.one_of("kind", &kinds).unwrap_or(FieldKind::Text),
        required: part.optional_flag("required"),
        codes: codes(part),
        min: part.quantity("min"),
        max: part.quantity("max"),
        max_length: part.optional_number("max_length", TEXT_MAX),
        pattern: part.optional_text("pattern", HINT_MAX),
        hint: part.optional_text("hint", HINT_MAX),
        class: part.value("class").and_then(|_| part.one_of("class", &classes)),
    }
}

/// `[["pass", "合格"], …]`
fn codes(part: &mut Part<'_, '_>) -> Vec<(String, String)> {
    let items = part.items("codes", (0, CODES_MAX));
    let mut codes: Vec<(String, String)> = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let pair = item.as_array().map(Vec::as_slice);
        let short = |text: &str| (1..=NAME_MAX).contains(&text.chars().count());
        match pair {
            Some([Value::String(code), Value::String(label)])
                if short(code) && is_code(code) && short(label) =>
            {
                if codes.iter().any(|(known, name)| known == code || name == label) {
                    part.note(&format!("codes[{at}]"), format!("代码 {code} 或名称 {label} 重复"));
                }
                codes.push((code.clone(), label.clone()));
            }
            _ => {
                let detail = format!(
                    "应为 [代码, 名称] 两个文本，各 1 至 {NAME_MAX} 个字；代码只含字母、数字与 _ - ."
                );
                part.note(&format!("codes[{at}]"), detail);
            }
        }
    }
    codes
}
