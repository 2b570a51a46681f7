//! Every kind of rule, by what it refuses and what it lets pass.

use serde_json::json;

use crate::{check_attributes, read};

/// A product's attributes against the rules of a pack, as the catalogue checks them.
fn check(rules: &serde_json::Value, attributes: &serde_json::Value) -> Vec<(String, String)> {
    let pack = json!({
        "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
        "stages": [{ "stage": "processing", "events": [{
            "code": "make", "name": "制造", "inputs": { "mode": "none", "min": 0, "max": 0 },
            "outputs": { "min": 1, "max": 1 }, "fields": [],
        }] }],
        "product_fields": [
            { "name": "made_on", "label": "生产日期", "kind": "date", "required": false },
            { "name": "sold_at", "label": "销售时间", "kind": "time", "required": false },
            { "name": "days", "label": "间隔", "kind": "int", "required": false },
            { "name": "chilled", "label": "是否冷藏", "kind": "bool", "required": false },
            { "name": "low", "label": "最低温度", "kind": "decimal", "required": false },
            { "name": "high", "label": "最高温度", "kind": "decimal", "required": false },
            { "name": "note", "label": "说明", "kind": "text", "required": false },
            { "name": "storage", "label": "储运条件", "kind": "code", "required": false,
              "codes": [["cold", "冷藏"], ["room", "常温"]] },
            { "name": "verdict", "label": "结论", "kind": "code", "required": false,
              "codes": [["pass", "合格"], ["fail", "不合格"]] },
        ],
        "product_rules": rules,
    });
    let pack = read(&pack).unwrap();
    let found = check_attributes(pack.product_schema(), attributes.as_object().unwrap());
    let errors = found.err().unwrap_or_default();
    errors.into_iter().map(|error| (error.field, error.detail)).collect()
}

#[test]
fn a_day_and_a_moment_of_it_are_compared_as_days_in_china() {
    let rules = json!([{ "name": "先产后销", "kind": "before", "a": "made_on", "b": "sold_at" }]);
    // In China it is the second already.
    let same_day = json!({ "made_on": "2026-11-02", "sold_at": "2026-11-01T17:00:00Z" });
    assert_eq!(check(&rules, &same_day), []);
    let day_before = json!({ "made_on": "2026-11-02", "sold_at": "2026-11-01T15:00:00Z" });
    let found = check(&rules, &day_before);
    assert_eq!(found[0].0, "sold_at");
    assert!(found[0].1.starts_with("不符合规则“先产后销”：生产日期（2026-11-02）不应晚于销售时间"));
    assert_eq!(check(&rules, &json!({ "made_on": "2026-11-02" })), []);
}

#[test]
fn days_that_must_pass_are_counted_and_absurd_ones_never_pass() {
    let rules = json!([{ "name": "间隔期", "kind": "elapsed", "since": "made_on", "days": "days",
        "until": "sold_at" }]);
    let after = |days: i64| {
        let given = json!({ "made_on": "2026-11-01", "days": days, "sold_at": "2026-11-08T08:00:00+08:00" });
        check(&rules, &given).len()
    };
    assert_eq!([after(0), after(7), after(8), after(i64::MAX)], [0, 0, 1, 1]);
}

#[test]
fn a_flag_may_demand_a_field() {
    let rules = json!([{ "name": "冷藏须记时间", "kind": "required_if", "field": "sold_at",
        "when": "chilled", "is": ["true"] }]);
    assert_eq!(check(&rules, &json!({ "chilled": false })), []);
    let found = check(&rules, &json!({ "chilled": true }));
    assert_eq!(found[0].1, "不符合规则“冷藏须记时间”：是否冷藏（是）时，销售时间必填");
}

#[test]
fn what_a_field_does_not_know_is_named_before_any_rule() {
    let rules = json!([{ "name": "其一", "kind": "any_of", "fields": ["made_on", "sold_at"] }]);
    let found = check(&rules, &json!({ "colour": "red" }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "colour");
    assert_eq!(check(&rules, &json!({})).len(), 1);
}

fn details(rules: &serde_json::Value, attributes: &serde_json::Value) -> Vec<String> {
    check(rules, attributes).into_iter().map(|(_, detail)| detail).collect()
}

#[test]
fn bounds_depend_on_a_code_and_a_breach_is_explained() {
    let rules = json!([{ "name": "冷藏", "kind": "bounded", "field": "high", "max": "8",
        "when": "storage", "is": ["cold"], "unless": "note" }]);
    let cold = json!({ "storage": "cold", "high": "8.1" });
    let said = "不符合规则“冷藏”：最高温度（8.1）不应大于 8；确属实情的，请填写说明";
    assert_eq!(details(&rules, &cold), [said]);
    for sound in [
        json!({ "storage": "cold", "high": "8" }),
        json!({ "storage": "room", "high": "30" }),
        json!({ "high": "30" }),
        json!({ "storage": "cold" }),
        json!({ "storage": "cold", "high": "8.1", "note": "示例：车门未关严" }),
    ] {
        assert_eq!(check(&rules, &sound), [], "{sound}");
    }
    let low = json!([{ "name": "下限", "kind": "bounded", "field": "low", "min": "2" }]);
    assert_eq!(check(&low, &json!({ "low": "1.9999" }))[0].0, "low");
    assert_eq!(check(&low, &json!({ "low": "2" })), []);
}

#[test]
fn a_rule_may_be_meant_for_some_codes_alone() {
    let days = |is: &str, days: u32| {
        json!({ "name": "报送", "kind": "within", "since": "made_on", "days": days,
            "until": "sold_at", "when": "storage", "is": [is] })
    };
    let rules = json!([
        days("cold", 3),
        days("room", 5),
        { "name": "效期", "kind": "before", "a": "made_on", "b": "sold_at", "when": "storage",
          "is": ["cold"] },
        { "name": "结论", "kind": "not_listed", "field": "verdict", "values": ["fail"],
          "when": "storage", "is": ["cold"] },
        { "name": "高低", "kind": "not_above", "a": "low", "b": "high", "when": "storage",
          "is": ["cold"], "unless": "note" },
    ]);
    let sold = |storage: &str, day: &str| {
        json!({ "made_on": "2026-11-01", "storage": storage,
            "sold_at": format!("2026-{day}T08:00:00+08:00") })
    };
    assert_eq!(check(&rules, &sold("cold", "11-04")), []);
    assert!(details(&rules, &sold("cold", "11-05"))[0].contains("超过 3 天"));
    assert_eq!(check(&rules, &sold("room", "11-06")), []);
    assert!(details(&rules, &sold("room", "11-07"))[0].contains("超过 5 天"));
    let mut wrong = sold("cold", "10-31");
    wrong["verdict"] = json!("fail");
    wrong["low"] = json!("9");
    wrong["high"] = json!("8");
    assert_eq!(
        details(&rules, &wrong),
        [
            "不符合规则“效期”：生产日期（2026-11-01）不应晚于销售时间（2026年10月31日 08:00）",
            "不符合规则“结论”：结论（不合格）不允许",
            "不符合规则“高低”：最低温度（9）不应大于最高温度（8）；确属实情的，请填写说明",
        ]
    );
    let mut explained = wrong.clone();
    explained["note"] = json!("示例：仪表校准");
    assert_eq!(check(&rules, &explained).len(), 2);
    wrong["storage"] = json!("room");
    assert_eq!(check(&rules, &wrong), []);
    wrong.as_object_mut().unwrap().remove("storage");
    assert_eq!(check(&rules, &wrong), []);
}

#[test]
fn a_span_is_long_enough_or_its_lateness_is_explained() {
    let rules = json!([{ "name": "十五日", "kind": "within", "since": "made_on", "days": 15,
        "until": "sold_at", "unless": "note" }]);
    let sold =
        |day: &str| json!({ "made_on": "2026-11-01", "sold_at": format!("{day}T23:59:00+08:00") });
    assert_eq!(check(&rules, &sold("2026-11-16")), []);
    assert!(details(&rules, &sold("2026-11-17"))[0].contains("超过 15 天；确属实情的，请填写说明"));
    let mut late = sold("2026-11-17");
    late["note"] = json!("示例：节假日");
    assert_eq!(check(&rules, &late), []);
}

#[test]
fn amounts_are_what_comes_out_of_what_went_in() {
    let yields = json!([{ "name": "平衡", "kind": "yields", "of": "low", "percent": "days",
        "gives": "high", "tolerance_percent": "2", "by": "storage",
        "factors": [{ "is": "cold", "divide_by": "1.1664" }] }]);
    let metal = |tons: &str| json!({ "low": "94.86", "days": 97, "high": tons, "storage": "cold" });
    assert_eq!(check(&yields, &metal("78.889")), []);
    assert!(details(&yields, &metal("70"))[0].contains("÷ 1.1664 应为 78.8873（允差 2%）"));
    let mut other = metal("70");
    other["storage"] = json!("room");
    assert_eq!(check(&yields, &other), [], "no factor is known for it");
    let sum = json!([{ "name": "合计", "kind": "sum", "parts": ["low", "days"], "total": "high",
        "tolerance_percent": "0" }]);
    assert_eq!(check(&sum, &json!({ "low": "0.5", "days": 2, "high": "2.5" })), []);
    assert_eq!(check(&sum, &json!({ "high": "2.5" })), []);
    let found = details(&sum, &json!({ "low": "0.5", "high": "2.5" }));
    assert_eq!(found, ["不符合规则“合计”：最低温度合计 0.5，与最高温度（2.5）不符（允差 0%）"]);
}

#[test]
fn a_verdict_follows_the_numbers() {
    let by_field = json!([{ "name": "判定", "kind": "judged", "value": "high", "limit": "low",
        "verdict": "verdict", "pass": ["pass"] }]);
    let by_item = json!([{ "name": "判定", "kind": "judged", "value": "high", "item": "storage",
        "limits": [{ "is": "cold", "max": "1" }], "verdict": "verdict", "pass": ["pass"] }]);
    let found = |value: &str, verdict: &str| json!({ "high": value, "low": "1", "storage": "cold", "verdict": verdict });
    for rules in [&by_field, &by_item] {
        assert_eq!(check(rules, &found("1", "pass")), []);
        assert_eq!(check(rules, &found("1.0001", "fail")), []);
        assert_eq!(
            details(rules, &found("1.0001", "pass")),
            ["不符合规则“判定”：最高温度（1.0001）超过限值 1，结论（合格）不成立"]
        );
    }
    let plan = json!([{ "name": "采样", "kind": "sampling_plan", "item": "storage", "values": "note",
        "verdict": "verdict", "pass": ["pass"],
        "plans": [{ "is": "cold", "samples": 3, "above_max": 1, "limit": "10" }] }]);
    let sampled = |counts: &str, verdict: &str| json!({ "storage": "cold", "note": counts, "verdict": verdict });
    assert_eq!(check(&plan, &sampled("1 10 11", "pass")), []);
    assert_eq!(check(&plan, &sampled("11 12 1", "fail")), []);
    assert!(details(&plan, &sampled("11 12 1", "pass"))[0].contains("多于 c = 1"));
    assert!(details(&plan, &sampled("1 2 3", "fail"))[0].contains("各样品都符合"));
    assert_eq!(check(&plan, &sampled("1 2", "pass"))[0].0, "note");
    let content = json!([{ "name": "含量", "kind": "content", "declared": "low", "measured": "high",
        "verdict": "verdict", "pass": ["pass"],
        "bands": [{ "up_to": "10", "percent": "10" }, { "absolute": "2.5" }] }]);
    let label = |declared: &str, measured: &str| json!({ "low": declared, "high": measured, "verdict": "pass" });
    for sound in [label("10", "9"), label("10", "11"), label("70", "67.5")] {
        assert_eq!(check(&content, &sound), [], "{sound}");
    }
    assert!(details(&content, &label("10", "8.99"))[0].contains("相差超过 ±10%"));
    assert!(details(&content, &label("70", "72.51"))[0].contains("相差超过 ±2.5"));
}

#[test]
fn values_go_together_are_allowed_and_are_sound_numbers() {
    let row = json!([{ "name": "品名表", "kind": "row", "key": "note",
        "columns": ["storage", "verdict"],
        "rows": [["UN1", "cold", "pass"], ["UN1", "room", "fail"]] }]);
    let entry = |key: &str, storage: &str, verdict: &str| json!({ "note": key, "storage": storage, "verdict": verdict });
    assert_eq!(check(&row, &entry("UN1", "room", "fail")), []);
    assert_eq!(check(&row, &entry("UN9", "room", "pass")), [], "the table does not know it");
    assert_eq!(check(&row, &json!({ "note": "UN1", "storage": "cold" })), []);
    assert_eq!(
        details(&row, &entry("UN1", "room", "pass")),
        ["不符合规则“品名表”：说明（UN1）的储运条件、结论应为：冷藏、合格；或 常温、不合格"]
    );
    let banned =
        json!([{ "name": "禁用", "kind": "not_listed", "field": "note", "values": ["甲"] }]);
    assert_eq!(details(&banned, &json!({ "note": "甲" })), ["不符合规则“禁用”：说明（甲）不允许"]);
    for other in ["乙", "甲乙"] {
        assert_eq!(check(&banned, &json!({ "note": other })), [], "{other}");
    }
    let anywhere = json!([{ "name": "禁用", "kind": "not_listed", "field": "note",
        "values": ["甲"], "anywhere": true }]);
    assert_eq!(details(&anywhere, &json!({ "note": "乙·甲 5%" })).len(), 1);
    assert_eq!(check(&anywhere, &json!({ "note": "乙" })), []);
    let cas = json!([{ "name": "CAS", "kind": "number", "field": "note", "scheme": "cas" }]);
    assert_eq!(check(&cas, &json!({ "note": "67-56-1" })), []);
    assert!(details(&cas, &json!({ "note": "67-56-2" }))[0].contains("校验位不符"));
}

#[test]
fn a_rule_that_lacks_a_part_is_named() {
    let wrong = |rule: serde_json::Value, key: &str, word: &str| {
        let mut rule = rule;
        rule["name"] = json!("示例规则");
        let pack = json!({
            "code": "sample", "name": "示例", "version": "1.0.0", "effective_on": "2026-01-01",
            "stages": [{ "stage": "inspection", "events": [{
                "code": "look", "name": "查看", "inputs": { "mode": "observe", "min": 1, "max": 1 },
                "outputs": { "min": 0, "max": 0 },
                "fields": [
                    { "name": "n", "label": "数", "kind": "decimal", "required": false },
                    { "name": "c", "label": "码", "kind": "code", "required": false,
                      "codes": [["a", "甲"]] },
                    { "name": "t", "label": "文", "kind": "text", "required": false },
                ],
                "rules": [rule],
            }] }],
        });
        let errors = read(&pack).unwrap_err();
        let path = format!("stages[0].events[0].rules[0].{key}");
        let there = errors.iter().any(|error| error.field == path && error.detail.contains(word));
        assert!(there, "{path} {word}: {errors:?}");
    };
    wrong(json!({ "kind": "bounded", "field": "n" }), "min", "至少写明一项");
    wrong(json!({ "kind": "bounded", "field": "n", "min": "2", "max": "1" }), "min", "大于 max");
    wrong(json!({ "kind": "bounded", "field": "n", "max": "1", "when": "c" }), "is", "缺少必填");
    let bounded = json!({ "kind": "bounded", "field": "t", "max": "1", "when": "c", "is": ["b"] });
    wrong(bounded.clone(), "field", "类型不适用");
    wrong(bounded, "is[0]", "没有 b 这个取值");
    let dated = json!({ "kind": "not_above", "a": "n", "b": "n", "is": ["a"] });
    wrong(dated.clone(), "when", "缺少必填");
    let mut depends = dated;
    depends["when"] = json!("t");
    wrong(depends, "when", "类型不适用");
    let yields = json!({ "kind": "yields", "of": "n", "percent": "n", "gives": "n", "by": "c",
        "factors": [{ "is": "a", "divide_by": "0" }] });
    wrong(yields.clone(), "factors", "大于 0");
    wrong(yields, "tolerance_percent", "缺少必填");
    let judged = json!({ "kind": "judged", "value": "n", "verdict": "c", "pass": ["a"] });
    wrong(judged, "limit", "item 与 limits");
    let plan = json!({ "kind": "sampling_plan", "item": "c", "values": "t", "verdict": "c",
        "pass": ["a"], "plans": [{ "is": "a", "samples": 2, "above_max": 2, "limit": "1" }] });
    wrong(plan, "plans", "n > c");
    let content = json!({ "kind": "content", "declared": "n", "measured": "n", "verdict": "c",
        "pass": ["a"], "bands": [{ "percent": "5" }, { "up_to": "9", "percent": "5" }] });
    wrong(content, "bands", "递增");
    let row = json!({ "kind": "row", "key": "t", "columns": ["c"], "rows": [["x", "b"], ["x", "a", "a"]] });
    wrong(row.clone(), "rows[0][1]", "没有 b");
    wrong(row, "rows", "每行应为 2 项");
    wrong(json!({ "kind": "number", "field": "t", "scheme": "magic" }), "scheme", "没有 magic");
}

#[test]
fn what_is_due_again_is_due_within_the_months_of_its_kind() {
    let rules = json!([{ "name": "检验周期", "kind": "interval", "since": "made_on", "until": "sold_at",
        "by": "storage", "months": [{ "is": "cold", "max": 12 }] }]);
    let due = |kind: &str, day: &str| {
        let until = format!("{day}T08:00:00+08:00");
        details(&rules, &json!({ "made_on": "2026-02-28", "sold_at": until, "storage": kind }))
    };
    assert_eq!(due("cold", "2027-02-28"), [""; 0]);
    let late = due("cold", "2027-03-01");
    assert!(late[0].contains("超过 12 个月，储运条件（冷藏）至迟应为 2027-02-28"), "{late:?}");
    assert_eq!(due("room", "2099-03-01"), [""; 0]);
}

#[test]
fn a_column_left_out_stands_for_what_the_rule_says() {
    let rule = |blank: &str| {
        json!([{ "name": "表", "kind": "row", "key": "note", "columns": ["verdict"],
            "rows": [["A", "fail"], ["B", "pass"]], "blank": blank }])
    };
    assert_eq!(details(&rule("pass"), &json!({ "note": "A" })).len(), 1);
    assert_eq!(details(&rule("pass"), &json!({ "note": "B" })), [""; 0]);
    assert_eq!(details(&rule("pass"), &json!({ "note": "A", "verdict": "fail" })), [""; 0]);
}
