//! Whether a pack may follow another of the same code: it may add, it may not take away or turn into
//! something else what stored records use. Pure.

use yj_kernel::FieldError;

use crate::{
    field::{FieldKind, FieldSpec},
    pack::{EventSpec, Pack},
};

/// Everything that forbids `new` to follow `old`; nothing if it may.
pub(crate) fn objections(old: &Pack, new: &Pack) -> Vec<FieldError> {
    let mut found = Vec::new();
    let mut note = |field: &str, detail: String| {
        found.push(FieldError { field: String::from(field), detail });
    };
    if new.version <= old.version {
        note("version", format!("应高于已有的 {}，现为 {}", old.version, new.version));
    }
    if new.effective_on < old.effective_on {
        note("effective_on", format!("不应早于 {} 版的 {}", old.version, old.effective_on));
    }
    for (stage, before) in old.events() {
        let after = new.events().find(|(_, event)| event.code == before.code);
        let Some((after_stage, after)) = after else {
            let detail = format!("缺少事件类型 {}（{}）：", before.code, before.name);
            note("stages", format!("{detail}已有记录使用，可以增加，不能去掉"));
            continue;
        };
        let changed = |what: &str| {
            format!("事件类型 {}（{}）的{what}不能改变：已有记录使用", before.code, before.name)
        };
        if after_stage != stage {
            note("stages", changed("环节"));
        }
        if after.inputs.mode != before.inputs.mode {
            note("stages", changed("投入方式"));
        }
        if after.outputs.terminal != before.outputs.terminal {
            note("stages", changed("产出去处"));
        }
        if before.packing.is_some() && after.packing != before.packing {
            note("stages", changed("包装关联"));
        }
        let owner = format!("事件类型 {}（{}）", before.code, before.name);
        for detail in lost(&before.fields, &after.fields, &owner) {
            note("stages", detail);
        }
    }
    for detail in lost(&old.product_fields, &new.product_fields, "产品") {
        note("product_fields", detail);
    }
    found
}

/// Whether what was recorded as one kind is also of the other: every number is a result.
fn goes_on(old: FieldKind, new: FieldKind) -> bool {
    old == new || (old == FieldKind::Decimal && new == FieldKind::Result)
}

fn lost(before: &[FieldSpec], after: &[FieldSpec], owner: &str) -> Vec<String> {
    let mut found = Vec::new();
    for old in before {
        let of = format!("{owner}的字段 {}（{}）", old.name, old.label);
        let Some(new) = after.iter().find(|field| field.name == old.name) else {
            found.push(format!("缺少{of}：已有记录使用，可以增加，不能去掉"));
            continue;
        };
        if !goes_on(old.kind, new.kind) {
            found.push(format!("{of}的类型不能改变：已有记录使用"));
        }
        if new.class != old.class {
            found.push(format!("{of}是否为个人信息或商业秘密不能改变：已有记录据此加密与上链"));
        }
        let gone =
            old.codes.iter().filter(|(code, _)| !new.codes.iter().any(|(known, _)| known == code));
        found.extend(gone.map(|(code, label)| {
            format!("{of}缺少代码 {code}（{label}）：已有记录使用，可以增加，不能去掉")
        }));
    }
    found
}

/// What `new` adds to `old`, in words; everything it holds where there was none before.
pub(crate) fn additions(old: Option<&Pack>, new: &Pack) -> Vec<String> {
    let mut found = Vec::new();
    for (_, event) in new.events() {
        let before = old.and_then(|old| old.events().find(|(_, before)| before.code == event.code));
        match before {
            None => found.push(format!("事件类型 {}（{}）", event.code, event.name)),
            Some((_, before)) => found.extend(added_to(before, event)),
        }
    }
    let known = old.map(|old| old.product_fields.as_slice()).unwrap_or_default();
    let fresh = fresh(known, &new.product_fields);
    found.extend(fresh.map(|field| format!("产品的字段 {}（{}）", field.name, field.label)));
    found
}

fn added_to(before: &EventSpec, after: &EventSpec) -> Vec<String> {
    let mut found: Vec<_> = fresh(&before.fields, &after.fields)
        .map(|field| format!("{}的字段 {}（{}）", after.name, field.name, field.label))
        .collect();
    let rules =
        after.rules.iter().filter(|rule| !before.rules.iter().any(|old| old.name == rule.name));
    found.extend(rules.map(|rule| format!("{}的规则“{}”", after.name, rule.name)));
    let ruled = |name: &str| before.goods_rules.iter().any(|old| old.name == name);
    let rules = after.goods_rules.iter().filter(|rule| !ruled(&rule.name));
    found.extend(rules.map(|rule| format!("{}的规则“{}”", after.name, rule.name)));
    let known = |name: &str| before.documents.iter().any(|old| old.name == name);
    let demands = after.documents.iter().filter(|demand| !known(&demand.name));
    found.extend(demands.map(|demand| format!("{}的应附凭证“{}”", after.name, demand.name)));
    found
}

fn fresh<'a>(
    before: &'a [FieldSpec],
    after: &'a [FieldSpec],
) -> impl Iterator<Item = &'a FieldSpec> {
    after.iter().filter(|field| !before.iter().any(|old| old.name == field.name))
}
