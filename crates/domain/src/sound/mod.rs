//! Whether the parts of a pack fit together: names used once, bounds the right way round, rules
//! about fields that there are. Pure; what could not be read is empty and passed over.

mod rule;

use yj_model::{Movement, Quantity};

use self::rule::{
    check_classes, check_documents, check_goods_rules, check_price, check_rules, check_trips,
};

use crate::{
    columns,
    field::{FieldKind, FieldSpec, compiled},
    pack::{EventSpec, InputMode, Pack, Packing},
    read::{EVENTS_MAX, Mistakes},
    rule::EVENT_TIME,
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
            let documents = format!("{here}.documents");
            check_documents(event, &pack.product_fields, &documents, mistakes);
            if let Some(name) = event.belongs.as_ref().and_then(|belongs| belongs.named.as_ref())
                && !event.fields.iter().any(|field| field.name == *name)
            {
                mistakes.note(format!("{here}.belongs.named"), format!("没有 {name} 这个字段"));
            }
            let strange = |by: &String| !pack.events().any(|(_, one)| one.code == *by);
            if let Some(belongs) = &event.belongs
                && let Some(at) = belongs.by.iter().position(strange)
            {
                let detail = format!("没有 {} 这个事件类型", belongs.by[at]);
                mistakes.note(format!("{here}.belongs.by[{at}]"), detail);
            }
            let rules = format!("{here}.goods_rules");
            check_goods_rules(event, &pack.product_fields, &rules, mistakes);
            check_trips(event, &format!("{here}.trips"), mistakes);
            check_price(event, format!("{here}.price"), mistakes);
            check_classes(event, &here, mistakes);
        }
    }
    if events.len() > EVENTS_MAX {
        mistakes.note("stages", format!("事件类型至多 {EVENTS_MAX} 个，现有 {} 个", events.len()));
    }
    check_fields(&pack.product_fields, "product_fields", &[], mistakes);
    for (at, field) in pack.product_fields.iter().enumerate() {
        if field.class.is_some() {
            let detail = "产品的属性公开，不能是个人信息或商业秘密";
            mistakes.note(format!("product_fields[{at}].class"), detail);
        }
    }
    check_rules(&pack.product_rules, (&pack.product_fields, false), "product_rules", mistakes);
    check_retention(pack, mistakes);
}

/// Every retention is about event types that there are, and about a date that each of them has.
fn check_retention(pack: &Pack, mistakes: &mut Mistakes) {
    let (mut taken, mut papers): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (at, retention) in pack.retention.iter().enumerate() {
        let here = format!("retention[{at}]");
        for (place, code) in retention.events.iter().enumerate() {
            let path = format!("{here}.events[{place}]");
            once(&mut taken, code, (&path, "事件类型"), mistakes);
            if !pack.events().any(|(_, event)| event.code == *code) {
                mistakes.note(path, format!("没有 {code} 这个事件类型"));
            }
        }
        for (place, kind) in retention.documents.iter().enumerate() {
            let path = format!("{here}.documents[{place}]");
            once(&mut papers, kind.code(), (&path, "凭证种类"), mistakes);
        }
        if retention.is_rest() && at + 1 < pack.retention.len() {
            mistakes.note(format!("{here}.events"), "用于其余事件类型的一项应写在最后");
        }
        let dated = |name: &str, event: &EventSpec| {
            let times = [FieldKind::Date, FieldKind::Time];
            let found = event.fields.iter().find(|field| field.name == name);
            found.is_some_and(|field| times.contains(&field.kind))
        };
        if let Some(after) = &retention.after
            && !pack.events().any(|(_, event)| dated(after, event) && retention.is_for(&event.code))
        {
            mistakes.note(format!("{here}.after"), format!("所列事件类型没有日期或时间 {after}"));
        }
        if retention.after.is_some() && retention.otherwise_months.is_none() {
            let detail = "写明 after 时应写明没有填写该日期时的月数";
            mistakes.note(format!("{here}.otherwise_months"), detail);
        }
        if retention.months.is_none()
            && (retention.after.is_some() || retention.otherwise_months.is_some())
        {
            mistakes.note(format!("{here}.months"), "长期保存（不写 months）时不应另写期限");
        }
    }
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
    check_packing(event, &mut note);
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

/// A package is one thing, and what is in it stays there or comes out.
fn check_packing(event: &EventSpec, note: &mut impl FnMut(&str, String)) {
    let Some(packing) = event.packing else { return };
    if event.inputs.mode != InputMode::Consume {
        note("inputs.mode", String::from("装入包装、拆包装应为 consume"));
    }
    if event.outputs.terminal.is_some() {
        note("outputs.terminal", String::from("装入包装、拆包装之后仍在库，不应写明产出的去处"));
    }
    match packing {
        Packing::Pack if event.outputs.min == 0 => {
            note("outputs.min", String::from("装入包装应有产出：包装本身"));
        }
        Packing::Unpack if (event.inputs.min, event.inputs.max) != (1, 1) => {
            note("inputs.max", String::from("拆包装一次拆一件，min 与 max 应为 1"));
        }
        // What is taken out need not be named: all of it then is.
        Packing::Unpack if event.outputs.min != 0 || event.outputs.max == 0 => {
            note("outputs.min", String::from("拆包装的产出可以不写明，min 应为 0，max 应大于 0"));
        }
        _ => {}
    }
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
    let number = matches!(field.kind, FieldKind::Decimal | FieldKind::Int | FieldKind::Result);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::read;

    #[test]
    fn a_price_is_a_sensitive_number_and_a_month_is_due_on_a_day_that_it_has() {
        let pack = |price: &str, by_day: Value| {
            let field = |name: &str, kind: &str, class: Value| json!({ "name": name, "label": name, "kind": kind, "required": false, "class": class });
            json!({
                "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
                "stages": [{ "stage": "distribution", "events": [{
                    "code": "sell", "name": "销售", "inputs": { "mode": "none", "min": 0, "max": 0 },
                    "outputs": { "min": 1, "max": 1 }, "price": price, "fields": [
                        field("cost", "decimal", json!("sensitive")), field("open", "decimal", Value::Null),
                        field("word", "text", json!("sensitive")),
                    ],
                }] }],
                "reporting": { "by_day": by_day, "basis": "示例依据" },
            })
        };
        let read = |price, by_day| read(&pack(price, by_day));
        let sound = read("cost", json!(28)).unwrap();
        assert_eq!(sound.reporting.unwrap().by_day, 28);
        for (price, by_day, field) in [
            ("gone", json!(10), "stages[0].events[0].price"),
            ("open", json!(10), "stages[0].events[0].price"),
            ("word", json!(10), "stages[0].events[0].price"),
            ("cost", json!(0), "reporting.by_day"),
            ("cost", json!(29), "reporting.by_day"),
            ("cost", Value::Null, "reporting.by_day"),
        ] {
            let errors = read(price, by_day.clone()).unwrap_err();
            assert!(
                errors.iter().any(|error| error.field == field),
                "{price} {by_day}: {errors:?}"
            );
        }
    }

    #[test]
    fn a_retention_that_speaks_of_nothing_is_named() {
        let pack = |retention: Value| {
            let field =
                json!({ "name": "until", "label": "有效期至", "kind": "date", "required": false });
            json!({
                "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
                "stages": [{ "stage": "processing", "events": [{
                    "code": "make", "name": "制造", "inputs": { "mode": "none", "min": 0, "max": 0 },
                    "outputs": { "min": 1, "max": 1 }, "fields": [field],
                }] }],
                "retention": [retention],
            })
        };
        let sound = json!({ "name": "记录", "events": ["make"], "months": 6, "after": "until",
            "otherwise_months": 24, "basis": "示例依据" });
        assert!(read(&pack(sound.clone())).is_ok());
        for (change, field, word) in [
            (json!({ "events": ["sell"] }), "retention[0].events[0]", "没有 sell"),
            (json!({ "after": "never" }), "retention[0].after", "没有日期或时间 never"),
            (
                json!({ "otherwise_months": null }),
                "retention[0].otherwise_months",
                "没有填写该日期",
            ),
            (
                json!({ "documents": ["receipt"] }),
                "retention[0].documents[0]",
                "没有凭证种类 receipt",
            ),
            (json!({ "subject_kinds": ["70"] }), "retention[0].subject_kinds[0]", "01 企业"),
            (json!({ "months": null }), "retention[0].months", "长期保存"),
            (json!({ "months": 1201 }), "retention[0].months", "0 至 1200"),
            (json!({ "basis": null }), "retention[0].basis", "缺少必填"),
        ] {
            let mut retention = sound.clone();
            for (key, value) in change.as_object().unwrap() {
                retention[key] = value.clone();
            }
            let errors = read(&pack(retention)).unwrap_err();
            let there =
                errors.iter().any(|error| error.field == field && error.detail.contains(word));
            assert!(there, "{field} {word}: {errors:?}");
        }
    }
}
