//! G-4f: limits that depend on what the goods are and on what was done with them before (handbook §4.1,
//! §4.5, §4.6).

use serde_json::{Value, json};

use super::{at, chains, like, lines, objections, recorded, says, the};
use crate::harness::TestApp;

#[tokio::test]
async fn g_4_1_a_batch_is_no_larger_than_its_plot_can_yield() {
    let app = chains().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let harvest = |code: &str, (quantity, unit): (&str, &str), changes: Value| {
        let mut attributes = json!({
            "plot": "示例地块九", "area_mu": "2", "variety": "示例紫根韭", "sown_on": "2026-08-01",
        });
        for (name, value) in changes.as_object().unwrap() {
            attributes[name] = value.clone();
        }
        json!({
            "domain": "agri", "type": "harvest", "subject": farm["code"],
            "event_time": "2026-11-10T08:00:00+08:00", "attributes": attributes,
            "outputs": [{ "code": code, "quantity": quantity, "unit": unit, "product": "YJ-JC-01", "lot": code }],
        })
    };
    let more = harvest("CD-1", ("20.001", "TNE"), json!({}));
    says(
        &objections(&app, more).await,
        &["产出合计 20001 千克，超过面积（亩）（2） × 10000 千克；确属实情的，请填写偏差说明"],
    );
    recorded(&app, harvest("CD-1", ("20", "TNE"), json!({}))).await;
    let said = json!({ "deviation": "示例：设施栽培，一年多茬合并采收" });
    recorded(&app, harvest("CD-2", ("20001", "KGM"), said)).await;
    // What the product says of itself goes before what the pack says of its class.
    let product = app.get("supervisor", "/api/v1/product?code=YJ-JC-01").await.expect(200);
    let product = product["items"][0].clone();
    let path = format!("/api/v1/product/{}", product["id"].as_str().unwrap());
    let change = json!({ "attributes": { "yield_max_kg_mu": "600" } });
    let version = product["version"].as_i64().unwrap();
    let filed = app.change("supervisor", ("PATCH", &path), version, change).await.expect(202);
    let path = format!(
        "/api/v1/product/changes/{}/approve",
        filed["change_request"]["id"].as_str().unwrap()
    );
    app.post("reviewer", &path, json!({})).await.expect(200);
    let more = harvest("CD-3", ("1200.0001", "KGM"), json!({}));
    says(
        &objections(&app, more).await,
        &["产出合计 1200.0001 千克，超过面积（亩）（2） × 600 千克"],
    );
    recorded(&app, harvest("CD-3", ("1200", "KGM"), json!({}))).await;
}

#[tokio::test]
async fn g_4_1_leaving_the_product_out_leads_around_no_rule() {
    let app = chains().await;
    let products = app.get("supervisor", "/api/v1/product?code=YJ-JC-01").await.expect(200);
    let owner = products["items"][0]["subject_id"].as_str().unwrap();
    let owner = app.get("supervisor", &format!("/api/v1/trace_subject/{owner}")).await.expect(200);
    let station = app.subject("示例液化气充装站").await;
    let harvest = |subject: &Value, outputs: Value| {
        json!({
            "domain": "agri", "type": "harvest", "subject": subject["code"],
            "event_time": "2026-11-10T08:00:00+08:00", "attributes": { "plot": "示例地块九" },
            "outputs": outputs,
        })
    };
    let unnamed = json!({ "code": "WP-1", "quantity": "5", "unit": "KGM", "lot": "WP-1" });
    let mut named = unnamed.clone();
    named["code"] = json!("WP-2");
    named["product"] = json!("YJ-JC-01");
    let refused = objections(&app, harvest(&owner, json!([unnamed]))).await;
    says(&refused, &["请写明产品：采收的规则因产品而异（产量不超过面积与单产）"]);
    // One that is named says nothing of the other.
    let mut both = harvest(&owner, json!([named, unnamed]));
    both["attributes"] = crate::harness::plot("示例地块九");
    says(&objections(&app, both.clone()).await, &["请写明产品"]);
    both["outputs"][1]["product"] = json!("YJ-JC-01");
    recorded(&app, both).await;
    // Whoever has registered nothing of the domain has nothing to name.
    let mut other = harvest(&station, json!([unnamed]));
    other["outputs"][0]["code"] = json!("WP-3");
    recorded(&app, other).await;
}

/// A filling of this cylinder by this subject.
async fn filling(app: &TestApp, code: &str, subject: &Value, time: &str) -> Value {
    let inputs = json!([
        { "code": code, "quantity": "1", "unit": "CY" },
        { "code": format!("GAS-{code}-{}", time.replace([':', '+'], "")), "quantity": "14.5", "unit": "KGM", "external": true },
    ]);
    let outputs = lines(&[(code, "1", "CY")]);
    let event = like(app, ("special_equipment", "fill"), (inputs, outputs), json!({})).await;
    let mut event = at(event, time);
    event["subject"] = subject["code"].clone();
    event["attributes"]["cylinder_no"] = json!(code);
    event
}

#[tokio::test]
async fn g_4_5_a_cylinder_belongs_to_one_filling_unit() {
    let app = chains().await;
    let station = app.subject("示例液化气充装站").await;
    let other = app.subject("示例燃气配送公司").await;
    // Registered by the station and filled there: nobody else fills it.
    let refused = filling(&app, "QP-0001", &other, "2026-11-18T08:00:00+08:00").await;
    says(
        &objections(&app, refused.clone()).await,
        &["不符合规则“一只气瓶只属于一个充装单位”：QP-0001 属于其他主体，不能由本主体充装"],
    );
    // A new code does not make it another cylinder.
    let mut disguised = refused.clone();
    disguised["inputs"].as_array_mut().unwrap().remove(0);
    disguised["outputs"][0] =
        json!({ "code": "QP-NEW", "quantity": "1", "unit": "CY", "product": "YJ-QP-02" });
    says(&objections(&app, disguised).await, &["QP-0001 属于其他主体"]);
    recorded(&app, filling(&app, "QP-0001", &station, "2026-11-18T07:00:00+08:00").await).await;
    // Within one request too: who fills a new one first has it.
    let first = filling(&app, "QP-0009", &station, "2026-11-18T08:00:00+08:00").await;
    let mut first = first;
    first["inputs"].as_array_mut().unwrap().remove(0);
    first["outputs"][0]["product"] = json!("YJ-QP-02");
    let second = filling(&app, "QP-0009", &other, "2026-11-18T09:00:00+08:00").await;
    let both = json!({ "events": [first, second] });
    let found = app.post("gateway", "/api/v1/trace/events", both).await;
    let found = found.expect(201);
    assert_eq!(found["results"][0]["state"], "accepted", "{found}");
    assert!(found["results"][1].to_string().contains("只属于一个充装单位"), "{found}");
    // The other puts it on record as its own; somebody looks at that, and only then it may fill.
    let claim = like(
        &app,
        ("special_equipment", "register"),
        (json!([{ "code": "QP-0001" }]), json!([])),
        json!({ "put_into_use_on": "2026-11-18", "registration_no": "瓶11陕A00002(26)" }),
    )
    .await;
    let mut claim = at(claim, "2026-11-18T08:30:00+08:00");
    claim["subject"] = other["code"].clone();
    let taken = app.post("supervisor", "/api/v1/trace/events", claim).await.expect(201);
    let held = &taken["results"][0];
    assert_eq!(held["state"], "held");
    let again = at(refused, "2026-11-18T09:00:00+08:00");
    says(&objections(&app, again.clone()).await, &["只属于一个充装单位"]);
    let path = format!("/api/v1/trace/events/{}", held["id"].as_str().unwrap());
    let shown = app.get("reviewer", &path).await.expect(200);
    assert!(shown["held_reason"].as_str().unwrap().contains("须核实权属已经转移"), "{shown}");
    app.post("reviewer", &format!("{path}/approve"), json!({ "comment": "属实" }))
        .await
        .expect(200);
    recorded(&app, again).await;
    // From then on it is the station that may not.
    let late = filling(&app, "QP-0001", &station, "2026-11-18T10:00:00+08:00").await;
    says(&objections(&app, late).await, &["只属于一个充装单位"]);
}

#[tokio::test]
async fn g_4_5_the_next_inspection_is_due_within_the_interval_of_its_kind() {
    let app = chains().await;
    let inspected = async |kind: &str, due: &str| {
        let seen = (json!([{ "code": "QP-0001" }]), json!([]));
        let changes = json!({
            "conclusion": "pass", "defect": null, "interval_kind": kind, "next_due_on": due,
        });
        like(&app, ("special_equipment", "periodic"), seen, changes).await
    };
    for (kind, last, late) in [
        ("lpg_cylinder", "2030-11-18", "2030-11-19"),
        ("seamless_cylinder", "2029-11-18", "2029-11-19"),
        ("inert_cylinder", "2031-11-18", "2031-11-19"),
        ("cng_cylinder", "2029-11-18", "2029-11-19"),
        ("vessel_first", "2029-11-18", "2029-11-19"),
        ("vessel_1_2", "2032-11-18", "2032-11-19"),
        ("vessel_3", "2032-11-18", "2032-11-19"),
        ("vessel_4", "2029-11-18", "2029-11-19"),
        ("crane", "2028-11-18", "2028-11-19"),
        ("crane_hot_metal", "2027-11-18", "2027-11-19"),
        ("boiler_external", "2027-11-18", "2027-11-19"),
        ("boiler_internal", "2028-11-18", "2028-11-19"),
    ] {
        let found = objections(&app, inspected(kind, late).await).await;
        says(&found, &[&format!("至迟应为 {last}")]);
        let mut sound = inspected(kind, last).await;
        sound["attributes"]["report_no"] = json!(format!("示例检-{kind}"));
        recorded(&app, sound).await;
    }
    let unsaid = inspected("lpg_cylinder", "2030-11-18").await;
    let mut unsaid = unsaid;
    unsaid["attributes"].as_object_mut().unwrap().remove("interval_kind");
    says(&objections(&app, unsaid).await, &["必填"]);
    // Whoever fills says no later day either.
    let station = app.subject("示例液化气充装站").await;
    let mut fill = filling(&app, "QP-0001", &station, "2026-11-18T11:00:00+08:00").await;
    fill["attributes"]["next_due_on"] = json!("2030-11-19");
    says(&objections(&app, fill).await, &["气瓶检验周期"]);
}

#[tokio::test]
async fn g_4_6_a_waybill_names_the_subsidiary_hazard_and_carries_what_its_vehicle_may() {
    let app = chains().await;
    let trip = async |quantity: &str, changes: Value| {
        let amounts = (lines(&[("JC-Y", quantity, "TNE")]), lines(&[("JC-Z", quantity, "TNE")]));
        objections(&app, like(&app, ("dangerous", "waybill"), amounts, changes).await).await
    };
    for wrong in [json!(null), json!("none"), json!("8")] {
        says(
            &trip("1", json!({ "subsidiary": wrong })).await,
            &["不符合规则“次要危险性与品名表相符”：联合国编号（UN1230）的次要危险性应为：6.1"],
        );
    }
    for (un, name, class, hazard) in [
        ("UN1005", "液氨", "2.3", "8"),
        ("UN1017", "液氯", "2.3", "5.1-8"),
        ("UN2014", "过氧化氢", "5.1", "8"),
    ] {
        let bare = json!({
            "un_no": un, "goods_name": name, "tank_medium": name, "hazard_class": class, "subsidiary": null,
            "packing_group": if un == "UN2014" { "II" } else { "none" },
        });
        let words = format!("次要危险性应为：{}", hazard.replace('-', "、"));
        says(&trip("1", bare).await, &[&words]);
    }
    // 33 t on a vehicle of 32 t, whatever the bill says it has loaded.
    says(&trip("33", json!({})).await, &["产出合计 33 吨，超过核定载质量（吨）（32） × 1 吨"]);
    says(&trip("33", json!({ "rated_load_t": null })).await, &["核定载质量（吨）"]);
    let petrol = the(&app, "dangerous", "waybill").await;
    assert_eq!(petrol["attributes"]["subsidiary"], "6.1");
}

/// What the tables of handbook §4 print in bold and holds of every kind of goods.
const MANDATORY: &[(&str, &str, &[&str])] = &[
    ("agri", "harvest", &["plot"]),
    ("agri", "into_pen", &["farm_no", "pen", "species", "head_count"]),
    ("agri", "out_of_pen", &["farm_no", "pen", "entered_on", "head_count", "quarantine_no"]),
    (
        "agri",
        "slaughter",
        &["quarantine_no", "head_count", "ante_mortem", "meat_inspection_no", "carcass_kg"],
    ),
    (
        "food",
        "raw_material",
        &[
            "supplier",
            "supplier_licence_no",
            "material_lot",
            "produced_on",
            "expires_on",
            "incoming_check",
            "report_no",
        ],
    ),
    (
        "food",
        "produce",
        &[
            "batch_no",
            "line",
            "shift",
            "control_point",
            "equipment",
            "cleaning_no",
            "health_certificate_no",
        ],
    ),
    ("food", "sale", &["purchaser", "purchaser_address", "purchaser_contact", "batch_no"]),
    (
        "drug",
        "manufacture",
        &[
            "common_name",
            "dosage_form",
            "strength",
            "package_spec",
            "approval_no",
            "identifier",
            "batch_no",
            "produced_on",
            "expires_on",
        ],
    ),
    ("drug", "ship", &["bill_no", "bill_type", "consignor", "consignee"]),
    ("drug", "receive", &["bill_no", "bill_type", "consignor"]),
    ("drug", "return_in", &["bill_no", "consignor"]),
    (
        "agri_input",
        "formulate",
        &["registration_no", "standard_no", "batch_no", "produced_on", "unit_code"],
    ),
    ("agri_input", "retail", &["purchaser", "restricted"]),
    (
        "special_equipment",
        "manufacture",
        &[
            "equipment_code",
            "variety",
            "model",
            "serial_no",
            "licence_no",
            "design_no",
            "supervision_no",
            "certificate_no",
            "material_lots",
        ],
    ),
    (
        "special_equipment",
        "register",
        &[
            "registration_no",
            "user",
            "place",
            "internal_no",
            "safety_manager",
            "operator_certificate_no",
        ],
    ),
    ("special_equipment", "periodic", &["next_due_on", "interval_kind"]),
    (
        "dangerous",
        "produce",
        &[
            "goods_name",
            "cas_no",
            "list_no",
            "un_no",
            "hazard_class",
            "safety_sheet_no",
            "licence_no",
            "batch_no",
            "tank",
            "stored_max_t",
        ],
    ),
    (
        "dangerous",
        "waybill",
        &[
            "waybill_no",
            "consignor",
            "loader",
            "carrier",
            "carrier_licence_no",
            "consignee",
            "vehicle_no",
            "road_permit_no",
            "driver",
            "driver_certificate_no",
            "driver_phone",
            "escort",
            "escort_certificate_no",
            "escort_phone",
            "goods_name",
            "un_no",
            "hazard_class",
            "packing_group",
            "packing",
            "load_place",
            "load_at",
            "unload_place",
            "city_delivery",
            "depart_at",
            "emergency_phone",
            "state",
            "rated_load_t",
        ],
    ),
    ("rare_earth", "mine", &["concentrate_t", "reo_t"]),
    ("rare_earth", "separate", &["form", "purity", "output_reo_t"]),
];

#[tokio::test]
async fn g_4_what_the_tables_call_mandatory_is_asked_for() {
    let app = chains().await;
    for (domain, kind, names) in MANDATORY {
        let pack = app.get("farm", &format!("/api/v1/domains/{domain}")).await.expect(200);
        let stages = pack["stages"].as_array().unwrap().iter();
        let mut events = stages.flat_map(|stage| stage["events"].as_array().unwrap());
        let event = events.find(|event| event["code"] == *kind).unwrap();
        for name in *names {
            let mut fields = event["fields"].as_array().unwrap().iter();
            let field = fields.find(|field| field["name"] == *name);
            let required = field.map(|field| field["required"].clone());
            assert_eq!(required, Some(json!(true)), "{domain} {kind} {name}");
        }
    }
    // And what only some goods have, of these.
    let farm = app.subject("示例韭菜合作社一社").await;
    let made = |kind: &str, product: &str, attributes: Value| {
        json!({
            "domain": "agri", "type": kind, "subject": farm["code"],
            "event_time": "2026-11-10T08:00:00+08:00", "attributes": attributes,
            "outputs": [{ "code": "BT-1", "quantity": "10", "unit": "KGM", "product": product, "lot": "BT-1" }],
        })
    };
    let leeks = made("harvest", "YJ-JC-01", json!({ "plot": "示例地块" }));
    says(&objections(&app, leeks).await, &["面积（亩）必填", "播种日期必填"]);
    let pen = |species: &str| {
        json!({
            "domain": "agri", "type": "into_pen", "subject": farm["code"],
            "event_time": "2026-11-10T08:00:00+08:00",
            "attributes": { "farm_no": "示例场-01", "species": species, "pen": "1 舍", "head_count": 20 },
        })
    };
    says(&objections(&app, pen("pig")).await, &["首个耳标号必填", "末个耳标号必填"]);
    recorded(&app, pen("poultry")).await;
    // Without a number of any element a separation says nothing of its outputs.
    let amounts = (lines(&[("XT-K", "1", "TNE")]), lines(&[("XT-NEW", "1", "TNE")]));
    let none = json!({ "la_t": null, "ce_t": null, "pr_t": null, "nd_t": null, "other_t": null });
    let bare = like(&app, ("rare_earth", "separate"), amounts, none).await;
    says(&objections(&app, bare).await, &["不符合规则“分元素产出”"]);
}

#[tokio::test]
async fn g_4_1_pigs_leave_with_ear_tags_and_are_slaughtered_with_a_test() {
    let app = super::loaded(yj_server::demo::Size::Province { events: 10 }).await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let event = |kind: &str, (inputs, outputs): (Value, Value), attributes: Value| {
        json!({
            "domain": "agri", "type": kind, "subject": farm["code"],
            "event_time": "2026-11-10T08:00:00+08:00", "attributes": attributes,
            "inputs": inputs, "outputs": outputs,
        })
    };
    let pigs = |code: &str| json!([{ "code": code, "quantity": "1000", "unit": "KGM", "product": "YJ-ZZ-01", "lot": code }]);
    let found = app.get("supervisor", "/api/v1/product?catalogue_code=0106").await.expect(200);
    let product = found["items"][0]["code"].clone();
    let mut out = event(
        "out_of_pen",
        (json!([]), pigs("ZZ-1")),
        json!({
            "farm_no": "示例场-01", "head_count": 10, "quarantine_no": "示例检疫-77", "pen": "1 舍",
            "entered_on": "2026-05-01",
        }),
    );
    out["outputs"][0]["product"] = product.clone();
    says(&objections(&app, out.clone()).await, &["首个耳标号必填"]);
    out["attributes"]["ear_tag_first"] = json!("161010000000001");
    out["attributes"]["ear_tag_last"] = json!("161010000000010");
    recorded(&app, out).await;
    let mut kill = event(
        "slaughter",
        (json!([{ "code": "ZZ-1", "quantity": "1000", "unit": "KGM" }]), pigs("ZZ-2")),
        json!({
            "quarantine_no": "示例检疫-77", "meat_inspection_no": "示例肉检-77", "head_count": 10,
            "ante_mortem": "pass", "carcass_kg": "750",
        }),
    );
    kill["outputs"][0]["product"] = product;
    kill["outputs"][0]["quantity"] = json!("750");
    says(
        &objections(&app, at(kill.clone(), "2026-11-11T08:00:00+08:00")).await,
        &["瘦肉精检测必填"],
    );
    // What comes out unnamed is what went in; of what came from outside nobody knows what it is.
    let mut unnamed = kill.clone();
    unnamed["outputs"][0].as_object_mut().unwrap().remove("product");
    let unnamed = at(unnamed, "2026-11-11T08:00:00+08:00");
    says(&objections(&app, unnamed.clone()).await, &["瘦肉精检测必填"]);
    let mut outside = unnamed;
    outside["inputs"][0]["code"] = json!("ZZ-OUTSIDE");
    outside["inputs"][0]["external"] = json!(true);
    let owner = found["items"][0]["subject_id"].as_str().unwrap();
    let owner = app.get("supervisor", &format!("/api/v1/trace_subject/{owner}")).await.expect(200);
    outside["subject"] = owner["code"].clone();
    says(&objections(&app, outside).await, &["请写明产品：屠宰的规则因产品而异"]);
    kill["attributes"]["clenbuterol"] = json!("not_detected");
    kill["attributes"]["piece_no"] = json!("A-01");
    recorded(&app, at(kill, "2026-11-11T08:00:00+08:00")).await;
}

#[tokio::test]
async fn g_4_f_clumsy_and_sly_events_are_told_what_is_wrong() {
    let app = chains().await;
    let farm = app.subject("示例韭菜合作社一社").await;
    let harvest = |changes: Value| {
        let mut event = json!({
            "domain": "agri", "type": "harvest", "subject": farm["code"],
            "event_time": "2026-11-10T08:00:00+08:00", "attributes": crate::harness::plot("示例地块"),
            "outputs": [{ "code": "AT-1", "quantity": "10", "unit": "KGM", "product": "YJ-JC-01", "lot": "AT-1" }],
        });
        for (path, value) in changes.as_object().unwrap() {
            *event.pointer_mut(path).unwrap() = value.clone();
        }
        event
    };
    for (changes, word) in [
        (json!({ "/attributes/variety": "  " }), "品种"),
        (json!({ "/attributes/area_mu": "-1" }), "应在 0.01 至 100000 之间"),
        (json!({ "/attributes/area_mu": "1e3" }), "面积（亩）"),
        (json!({ "/attributes/sown_on": "2026-11-11" }), "先播种后采收"),
        (json!({ "/attributes/sown_on": "2026-02-30" }), "播种日期"),
        (json!({ "/attributes/sown_on": 20_260_801 }), "播种日期"),
        (json!({ "/outputs/0/quantity": "50000.0001" }), "产量不超过"),
        (json!({ "/outputs/0/quantity": "50000000.1", "/outputs/0/unit": "GRM" }), "产量不超过"),
        (json!({ "/type": "waybill" }), "没有事件类型 waybill"),
        (json!({ "/domain": "drug" }), "没有事件类型 harvest"),
    ] {
        let found = objections(&app, harvest(changes.clone())).await;
        assert!(found.iter().any(|detail| detail.contains(word)), "{changes}: {found:?}");
    }
    // Goods of one domain do not come into being in another.
    let mut elsewhere = json!({
        "domain": "industrial", "type": "raw_material", "subject": farm["code"],
        "event_time": "2026-11-10T08:00:00+08:00", "attributes": { "heat_no": "1", "grade": "1" },
        "outputs": [{ "code": "AT-2", "quantity": "10", "unit": "KGM", "product": "YJ-JC-01", "lot": "AT-2" }],
    });
    says(
        &objections(&app, elsewhere.clone()).await,
        &["产品 YJ-JC-01 属于“食用农产品”领域，其产出应登记为该领域（agri）的事件"],
    );
    elsewhere["outputs"][0]["product"] = json!("YJ-TI-00");
    recorded(&app, elsewhere).await;
}
