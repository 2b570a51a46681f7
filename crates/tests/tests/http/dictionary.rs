//! 数据字典 (G-5.3-3, G-4f): nothing the platform stores is missing in it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, TestApp};

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
        ("industry_code", "M"),
        ("legal_rep", "M"),
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
