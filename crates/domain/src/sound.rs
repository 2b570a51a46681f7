//! Whether the parts of a pack fit together: names used once, bounds the right way round, rules
//! about fields that there are. Pure; what could not be read is empty and passed over.

use yj_model::{Movement, Quantity};

use crate::{
    columns,
    field::{FieldKind, FieldSpec, compiled},
    pack::{EventSpec, InputMode, Pack},
    read::{EVENTS_MAX, Mistakes},
    rule::{Demand, EVENT_TIME, Rule},
};

/// Words of the addresses below `/api/v1/domains`, and of the sets of the data dictionary.
const RESERVED: [&str; 3] = ["packs", "check", "product"];
/// The event type that calls products back, in every domain.
const RECALL: &str = "recall";
/// What a recall tells the public.
const RECALL_FIELDS: [&str; 2] = ["reason", "advice"];

pub(crate) fn check(pack: &Pack, mistakes: &mut Mistakes) {
    if RESERVED.contains(&pack.code.as_str()) {
        mistakes.note("code", format!("{} 是平台保留的词，请换用其他代码", pack.code));
    }
    let (mut stages, mut events): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (at, stage) in pack.stages.iter().enumerate() {
        let here = format!("stages[{at}]");
        once(&mut stages, &stage.stage, (&format!("{here}.stage"), "环节"), mistakes);
        for (at, event) in stage.events.iter().enumerate() {
            let here = format!("{here}.events[{at}]");
            once(&mut events, &event.code, (&format!("{here}.code"), "事件类型"), mistakes);
            check_event(event, &here, mistakes);
        }
    }
    if events.len() > EVENTS_MAX {
        mistakes.note("stages", format!("事件类型至多 {EVENTS_MAX} 个，现有 {} 个", events.len()));
    }
    check_fields(&pack.product_fields, "product_fields", &[], mistakes);
    for (at, field) in pack.product_fields.iter().enumerate() {
        if field.is_personal() {
            mistakes.note(format!("product_fields[{at}].class"), "产品的属性公开，不能是个人信息");
        }
    }
    check_rules(&pack.product_rules, (&pack.product_fields, false), "product_rules", mistakes);
}

fn once<'a>(
    known: &mut Vec<&'a str>,
    name: &'a str,
    (path, what): (&str, &str),
    mistakes: &mut Mistakes,
) {
    if name.is_empty() {
        return;
    }
    if known.contains(&name) {
        mistakes.note(path, format!("{what} {name} 重复"));
    }
    known.push(name);
}

fn check_event(event: &EventSpec, here: &str, mistakes: &mut Mistakes) {
    let mut note = |key: &str, detail: String| mistakes.note(format!("{here}.{key}"), detail);
    if RESERVED.contains(&event.code.as_str()) {
        note("code", format!("{} 是平台保留的词，请换用其他代码", event.code));
    }
    if let Some(code) = &event.movement
        && Movement::from_code(code).is_none()
    {
        let known: Vec<_> = Movement::ALL
            .iter()
            .map(|movement| format!("{} {}", movement.code, movement.label))
            .collect();
        note("movement", format!("没有出入库类型 {code}，应为：{}", known.join("、")));
    }
    let (inputs, outputs) = (&event.inputs, &event.outputs);
    if inputs.min > inputs.max {
        note("inputs.min", format!("不应大于 max（{}）", inputs.max));
    }
    if outputs.min > outputs.max {
        note("outputs.min", format!("不应大于 max（{}）", outputs.max));
    }
    match inputs.mode {
        InputMode::None if inputs.max > 0 => note("inputs.max", String::from("无投入时应为 0")),
        InputMode::Consume | InputMode::Observe if inputs.max == 0 => {
            note("inputs.max", String::from("有投入时应大于 0"));
        }
        InputMode::Observe if outputs.max > 0 => {
            note("outputs.max", String::from("只涉及而不消耗的事件没有产出，应为 0"));
        }
        _ => {}
    }
    if outputs.terminal.is_some() && outputs.max == 0 {
        note("outputs.terminal", String::from("没有产出的事件不应写明产出的去处"));
    }
    let hundred = Quantity::from_scaled(1_000_000).unwrap_or_default();
    if event.loss_max_percent.is_some_and(|limit| limit < Quantity::ZERO || limit > hundred) {
        note("loss_max_percent", String::from("应在 0 至 100 之间"));
    }
    if event.code == RECALL {
        let told =
            |name: &&str| event.fields.iter().any(|field| field.name == **name && field.required);
        if !event.always_reviewed
            || inputs.mode != InputMode::Observe
            || !RECALL_FIELDS.iter().all(told)
        {
            let detail = "召回（recall）应只涉及投入，always_reviewed 应为 true，并有必填的 reason 与 advice";
            note("code", String::from(detail));
        }
    }
    check_fields(&event.fields, &format!("{here}.fields"), &columns::ALL, mistakes);
    check_rules(&event.rules, (&event.fields, true), &format!("{here}.rules"), mistakes);
}

/// `taken` are labels that stand for something else on the same sheet.
fn check_fields(fields: &[FieldSpec], start: &str, taken: &[&str], mistakes: &mut Mistakes) {
    let (mut names, mut labels) = (Vec::new(), taken.to_vec());
    for (at, field) in fields.iter().enumerate() {
        let here = format!("{start}[{at}]");
        if field.name == EVENT_TIME {
            mistakes.note(format!("{here}.name"), "event_time 是事件的发生时间，请换用其他名称");
        }
        once(&mut names, &field.name, (&format!("{here}.name"), "字段"), mistakes);
        once(&mut labels, &field.label, (&format!("{here}.label"), "名称"), mistakes);
        check_field(field, &here, mistakes);
    }
}

fn check_field(field: &FieldSpec, here: &str, mistakes: &mut Mistakes) {
    let mut note = |key: &str, detail: &str| mistakes.note(format!("{here}.{key}"), detail);
    let number = matches!(field.kind, FieldKind::Decimal | FieldKind::Int);
    if field.kind == FieldKind::Code && field.codes.is_empty() {
        note("codes", "代码类字段应写明代码表");
    }
    if field.kind != FieldKind::Code && !field.codes.is_empty() {
        note("codes", "只有代码类字段才有代码表");
    }
    for (key, bound) in [("min", field.min), ("max", field.max)] {
        if bound.is_some() && !number {
            note(key, "只有数字类字段才有上下限");
        }
    }
    if let (Some(min), Some(max)) = (field.min, field.max)
        && min > max
    {
        note("min", "不应大于 max");
    }
    if field.max_length == Some(0) {
        note("max_length", "应大于 0");
    }
    if field.max_length.is_some() && field.kind != FieldKind::Text {
        note("max_length", "只有文本类字段才有最大长度");
    }
    if let Some(pattern) = &field.pattern {
        if field.kind != FieldKind::Text {
            note("pattern", "只有文本类字段才有格式");
        }
        if compiled(pattern).is_none() {
            note("pattern", "不是可用的正则表达式，或过于复杂");
        }
        if field.hint.is_none() {
            note("hint", "有格式要求时应写明提示，说明怎样才对");
        }
    }
}

/// Fields of the rules, and whether the time of an event may be named too.
type Known<'a> = (&'a [FieldSpec], bool);

fn check_rules(rules: &[Rule], known: Known<'_>, start: &str, mistakes: &mut Mistakes) {
    const TIMES: &[FieldKind] = &[FieldKind::Date, FieldKind::Time];
    const NUMBERS: &[FieldKind] = &[FieldKind::Int, FieldKind::Decimal];
    for (at, rule) in rules.iter().enumerate() {
        let mut uses = |key: &str, name: &str, kinds: &[FieldKind]| {
            let path = format!("{start}[{at}].{key}");
            if let Some(detail) = misfit(known, name, kinds) {
                mistakes.note(path, detail);
            }
        };
        match &rule.demand {
            Demand::Before { a, b } => {
                uses("a", a, TIMES);
                uses("b", b, TIMES);
            }
            Demand::NotAbove { a, b } => {
                uses("a", a, NUMBERS);
                uses("b", b, NUMBERS);
            }
            Demand::Elapsed { since, days, until } => {
                uses("since", since, TIMES);
                uses("days", days, &[FieldKind::Int]);
                uses("until", until, TIMES);
            }
            Demand::AnyOf { fields } => {
                for (place, name) in fields.iter().enumerate() {
                    uses(&format!("fields[{place}]"), name, &[]);
                }
            }
            Demand::RequiredIf { field, when, is } => {
                uses("field", field, &[]);
                uses("when", when, &[FieldKind::Code, FieldKind::Bool]);
                check_values(known.0, (when, is), &format!("{start}[{at}].is"), mistakes);
            }
        }
    }
}

/// What speaks against this field in a rule that wants one of these kinds; an empty list means any.
fn misfit((fields, of_event): Known<'_>, name: &str, kinds: &[FieldKind]) -> Option<String> {
    if name.is_empty() || (of_event && name == EVENT_TIME && kinds.contains(&FieldKind::Time)) {
        return None;
    }
    match fields.iter().find(|field| field.name == name) {
        None => Some(format!("没有 {name} 这个字段")),
        Some(field) if !kinds.is_empty() && !kinds.contains(&field.kind) => {
            Some(format!("字段 {name}（{}）的类型不适用于这条规则", field.label))
        }
        Some(_) => None,
    }
}

fn check_values(
    fields: &[FieldSpec],
    (when, values): (&str, &[String]),
    path: &str,
    mistakes: &mut Mistakes,
) {
    let Some(field) = fields.iter().find(|field| field.name == when) else { return };
    for (at, value) in values.iter().enumerate() {
        let known = match field.kind {
            FieldKind::Bool => value == "true" || value == "false",
            _ => field.codes.iter().any(|(code, _)| code == value),
        };
        if !known {
            mistakes.note(format!("{path}[{at}]"), format!("字段 {when} 没有 {value} 这个取值"));
        }
    }
}
