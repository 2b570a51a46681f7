//! 数据字典 (G-5.3-3, G-4f): nothing the platform stores is missing in it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    harness::{Answer, TestApp},
    subjects::{approved, detail},
};

async fn elements(app: &TestApp, user: &str) -> Vec<Value> {
    let found = app.get(user, "/api/v1/dictionary").await.expect(200);
    found["items"].as_array().unwrap().clone()
}

fn of<'a>(all: &'a [Value], set: &str, name: &str) -> &'a Value {
    all.iter().find(|one| one["set"] == set && one["name"] == name).unwrap()
}

async fn align(app: &TestApp, user: &str, path: &str, name: &str) -> Answer {
    let body = json!({ "gbt38154_name": name }).to_string();
    app.send("PUT", path, Some(user), &[], Some(body.into())).await
}

#[tokio::test]
async fn g_5_3_3_every_stored_element_is_in_the_dictionary_with_its_meaning() {
    let app = TestApp::start().await;
    let all = elements(&app, "farm").await;
    let mut seen = BTreeSet::new();
    for one in &all {
        let text = |key: &str| one[key].as_str().unwrap().to_owned();
        let (set, name) = (text("set"), text("name"));
        for key in ["set_title", "label", "definition", "format", "english", "short_name", "since"]
        {
            assert!(!text(key).trim().is_empty(), "{set}.{name} has no {key}");
        }
        let obligation = text("obligation");
        assert!(["M", "C", "O", "D"].contains(&obligation.as_str()));
        assert!(obligation != "C" || !text("condition").is_empty(), "{set}.{name}: when?");
        assert!(seen.insert((set, name)), "twice: {one}");
    }
    // What the registers store, and what the domain packs ask for.
    for entity in app.assembled.app.entities() {
        for field in entity.fields {
            let known = (entity.table.to_owned(), field.name.to_owned());
            assert!(seen.contains(&known), "{known:?} is missing");
        }
    }
    let mut asked = 0;
    for (domain, _) in yj_model::DOMAINS {
        let pack = app.get("farm", &format!("/api/v1/domains/{domain}")).await.expect(200);
        for event in pack["stages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|stage| stage["events"].as_array().unwrap())
        {
            for field in event["fields"].as_array().unwrap() {
                let set = format!("{domain}.{}", event["code"].as_str().unwrap());
                let name = field["name"].as_str().unwrap().to_owned();
                assert!(seen.contains(&(set.clone(), name.clone())), "{set}.{name} is missing");
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked}");
    let kind = of(&all, "merchant", "kind");
    assert_eq!((&kind["obligation"], &kind["repeats"]), (&json!("M"), &json!(false)));
    assert!(kind["codes"].as_array().unwrap().iter().any(|code| code[0] == "individual"));
    assert_eq!(of(&all, "merchant", "goods")["repeats"], true);
    assert_eq!(of(&all, "merchant", "code")["format"], "n13");
    // A definition says more than the name (handbook §1.2), and what the door takes.
    for set in ["trace_subject", "node", "merchant", "product", "device", "catalogue"] {
        for one in all.iter().filter(|one| one["set"] == set) {
            let (label, definition) = (&one["label"], one["definition"].as_str().unwrap());
            let empty =
                format!("{}的{}", one["set_title"].as_str().unwrap(), label.as_str().unwrap());
            assert!(!definition.starts_with(&empty), "{one}");
        }
    }
    assert_eq!(of(&all, "node", "region")["format"], "n6..12");
    for (name, obligation) in [
        ("code", "C"),
        ("name", "M"),
        ("industry_code", "C"),
        ("legal_rep", "C"),
        ("legal_rep_id", "C"),
        ("filed_on", "M"),
        ("node_code", "C"),
        ("lon", "C"),
        ("email", "O"),
        ("status", "D"),
    ] {
        assert_eq!(of(&all, "trace_subject", name)["obligation"], obligation, "{name}");
    }
    let phone = of(&all, "trace_subject", "contact_phone");
    assert_eq!(
        (&phone["short_name"], &phone["english"]),
        (&json!("contactPhone"), &json!("contact telephone"))
    );
    assert_eq!(of(&all, "device", "datum")["since"], "1.1");
    assert_eq!(of(&all, "trace_subject", "contact_phone")["class"], "personal");
}

#[tokio::test]
async fn g_4_f_elements_are_compared_with_the_standards_names_by_the_platforms_administrator() {
    let app = TestApp::start().await;
    let path = "/api/v1/dictionary/trace_subject/name";
    for user in ["farm", "reviewer", "supervisor", "secadmin"] {
        assert_eq!(align(&app, user, path, "追溯主体名称").await.status, 403, "{user}");
    }
    assert_eq!(of(&elements(&app, "farm").await, "trace_subject", "name")["gbt38154_name"], "");
    align(&app, "sysadmin", path, " 追溯主体名称 ").await.expect(204);
    let shown = elements(&app, "farm").await;
    assert_eq!(of(&shown, "trace_subject", "name")["gbt38154_name"], "追溯主体名称");
    let strange = "/api/v1/dictionary/trace_subject/no_such";
    align(&app, "sysadmin", strange, "名称").await.expect(404);
    align(&app, "sysadmin", path, &"名".repeat(61)).await.expect(422);
    let seen = app.get("auditor", "/api/v1/audit?entity=dictionary_name").await.expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen["items"][0]["record"], "trace_subject.name");
    // The file says the same as the page, and leaving the platform leaves an entry.
    for format in ["xlsx", "csv"] {
        let path = format!("/api/v1/dictionary/export?format={format}");
        let file = app.get("farm", &path).await;
        assert_eq!(file.status, 200);
        let sheet = yj_sheet::read(&file.bytes).unwrap();
        assert_eq!(sheet.rows.len(), shown.len(), "{format}");
        let row =
            sheet.rows.iter().find(|row| row.cells.iter().any(|cell| cell == "trace_subject.name"));
        assert!(row.unwrap().cells.iter().any(|cell| cell == "追溯主体名称"), "{row:?}");
    }
    app.get("farm", "/api/v1/dictionary/export?format=doc").await.expect(422);
    let seen = app.get("auditor", "/api/v1/audit?entity=dictionary&action=exported").await;
    assert_eq!(seen.expect(200)["items"].as_array().unwrap().len(), 2);
    align(&app, "sysadmin", path, "").await.expect(204);
    assert_eq!(of(&elements(&app, "farm").await, "trace_subject", "name")["gbt38154_name"], "");
}

/// A body of every register of chapter 6 that is complete, and nothing else.
async fn complete(app: &TestApp) -> [(&'static str, Value); 5] {
    let subject = json!({
        "code": "91350100M000100Y43", "name": "示例新设企业", "kind": "01", "roles": ["21"],
        "region": "610116", "industry_code": "1371", "legal_rep": "示例代表人",
        "contact_name": "示例联系人", "contact_phone": "13800000000",
    });
    let owner = app.subject("示例蔬菜加工厂").await["id"].clone();
    let market = json!({
        "code": "610116001", "name": "示例市场", "kind": "market", "subject_id": owner,
        "region": "610116", "in_use": true,
    });
    let filed = app.post("supervisor", "/api/v1/node", market).await.expect(202);
    let merchant = json!({
        "code": "6101160010001", "name": "示例商户", "kind": "individual",
        "node_id": approved(app, "node", &filed).await, "goods": ["0102"],
        "contact_name": "示例甲", "contact_phone": "13800000001", "in_use": true,
    });
    let node = json!({
        "code": "610116002", "name": "示例第二市场", "kind": "market", "subject_id": owner,
        "region": "610116", "in_use": true,
    });
    let product = json!({
        "code": "YJ-SL-1", "name": "示例产品", "domain": "agri", "catalogue_code": "01010650",
        "unit": "KGM",
        "subject_id": owner, "region": "610116",
    });
    let device = json!({
        "mac": "A4:BB:6D:00:11:22", "kind": "sensor", "model": "示例-T1", "subject_id": owner,
        "region": "610116", "in_use": true,
    });
    [
        ("trace_subject", subject),
        ("node", node),
        ("merchant", merchant),
        ("product", product),
        ("device", device),
    ]
}

#[tokio::test]
async fn g_6_2_2_what_the_dictionary_calls_mandatory_is_refused_when_it_is_missing() {
    let app = TestApp::start().await;
    let all = elements(&app, "supervisor").await;
    for (register, body) in complete(&app).await {
        let path = format!("/api/v1/{register}");
        let (mut asked, mut written) = (Vec::new(), Vec::new());
        for one in all.iter().filter(|one| one["set"] == register) {
            let [name, label, condition] =
                ["name", "label", "condition"].map(|key| one[key].as_str().unwrap());
            let by_platform = condition.contains("由平台");
            match one["obligation"].as_str().unwrap() {
                "M" if by_platform => written.push(name),
                // Of an organisation, what only persons may leave out.
                "M" => asked.push((name, label)),
                "C" if condition.contains("除") => asked.push((name, label)),
                _ => {}
            }
        }
        assert!(asked.len() >= 5, "{register}: {asked:?}");
        for (name, label) in asked {
            for empty in [None, Some(json!(null)), Some(json!(" "))] {
                let mut without = body.clone();
                let fields = without.as_object_mut().unwrap();
                assert!(fields.remove(name).is_some(), "{register}.{name} is not in the example");
                fields.extend(empty.map(|empty| (name.to_owned(), empty)));
                let refused = app.post("supervisor", &path, without).await.expect(422);
                let told = refused["errors"].as_array().unwrap();
                let told = told.iter().find(|one| one["field"] == name);
                let told = told.unwrap_or_else(|| panic!("{register}.{name}: {refused}"));
                let told = told["detail"].as_str().unwrap();
                assert!(told.starts_with(label) && told.contains("必填"), "{told}");
            }
        }
        // Nothing else is asked for, and what the platform writes is there after approval.
        let filed = app.post("supervisor", &path, body).await.expect(202);
        let id = approved(&app, register, &filed).await;
        let stored = app.get("supervisor", &format!("{path}/{id}")).await.expect(200);
        for name in written {
            assert_eq!(stored[name], "2026-11-19", "{register}.{name}");
        }
    }
    // A farmer is nobody's representative; whoever becomes a business says who speaks for it.
    let mut farmer = crate::subjects::farmer("示例农户甲");
    for name in ["industry_code", "legal_rep"] {
        farmer.as_object_mut().unwrap().remove(name);
    }
    let filed = app.post("supervisor", "/api/v1/trace_subject", farmer).await.expect(202);
    let id = approved(&app, "trace_subject", &filed).await;
    let path = format!("/api/v1/trace_subject/{id}");
    let change = json!({ "kind": "03", "code": "93610525MAYJ000496" });
    let refused = app.change("supervisor", ("PATCH", &path), 1, change).await.expect(422);
    assert_eq!(refused["errors"].as_array().unwrap().len(), 2, "{refused}");
    assert!(detail(&refused).contains("行业代码：必填"), "{refused}");
}
