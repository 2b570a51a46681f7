//! 检索、统计与地图 (G-3.2, G-6.2.3, G-6.2.4): names by letters and pinyin, figures that equal their
//! lists, records on the map.

use serde_json::{Value, json};

use crate::harness::{TestApp, encoded};

const REGISTER: &str = "/api/v1/trace_subject";

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let path = format!("{REGISTER}?per_page=100&count=true&sort=name&{query}");
    let found = app.get("supervisor", &path).await.expect(200);
    let items = found["items"].as_array().unwrap();
    assert_eq!(found["total"]["count"], items.len(), "{query}");
    items.iter().map(|item| String::from(item["name"].as_str().unwrap())).collect()
}

async fn count(app: &TestApp, query: &str) -> i64 {
    let path = format!("{REGISTER}?per_page=1&count=true&{query}");
    app.get("supervisor", &path).await.expect(200)["total"]["count"].as_i64().unwrap()
}

/// Changes a subject, and somebody else approves it.
async fn changed(app: &TestApp, subject: &Value, body: Value) {
    let path = format!("{REGISTER}/{}", subject["id"].as_str().unwrap());
    let version = subject["version"].as_i64().unwrap();
    let filed = app.change("supervisor", ("PATCH", &path), version, body).await.expect(202);
    let id = filed["change_request"]["id"].as_str().unwrap();
    let path = format!("{REGISTER}/changes/{id}/approve");
    app.post("reviewer", &path, json!({})).await.expect(200);
}

#[tokio::test]
async fn g_6_2_3_names_are_found_by_any_part_by_pinyin_and_by_initials() {
    let app = TestApp::start().await;
    let two = ["示例韭菜合作社一社", "示例韭菜合作社二社"];
    for part in ["韭菜合作社", "菜合", "jiucai", "JiuCaiHeZuoShe", "jchzs", "韭 菜", "（韭菜）"]
    {
        assert_eq!(names(&app, &format!("name={}", encoded(part))).await, two, "{part}");
    }
    for (part, only) in [("一社", "示例韭菜合作社一社"), ("shucaijiagong", "示例蔬菜加工厂")]
    {
        assert_eq!(names(&app, &format!("name={}", encoded(part))).await, [only], "{part}");
    }
    for nothing in ["韭合", "社示例", "jiucaix", "没有"] {
        assert!(names(&app, &format!("name={}", encoded(nothing))).await.is_empty(), "{nothing}");
    }
    // One letter is a part as well.
    assert_eq!(names(&app, &format!("name={}", encoded("韭"))).await, two);
    assert_eq!(count(&app, "name=s").await, 18);
    let refused = app.get("supervisor", &format!("{REGISTER}?name={}", encoded("（）"))).await;
    let refused = refused.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("应含文字"), "{refused}");
    // A changed name is found as it is now, a second reading of a letter as well.
    let subject = app.subject("示例蔬菜加工厂").await;
    changed(&app, &subject, json!({ "name": "示例重庆食品厂" })).await;
    assert!(names(&app, "name=shucaijiagong").await.is_empty());
    for part in ["chongqing", "cqspc", "zhongqing", "重庆"] {
        let found = names(&app, &format!("name={}", encoded(part))).await;
        assert_eq!(found, ["示例重庆食品厂"], "{part}");
    }
    // Conditions narrow one another.
    assert_eq!(names(&app, &format!("name={}&region=610525", encoded("韭菜"))).await, two);
    assert!(names(&app, &format!("name={}&region=610104", encoded("韭菜"))).await.is_empty());
}

/// Names of places and surnames whose letters are read in more than one way, with what people type.
const READ: [(&str, &[&str]); 13] = [
    ("示例重庆长安公司", &["chongqingchangan", "cqca", "zhongqingzhangan"]),
    ("示例厦门商行", &["xiamenshanghang", "xmsh"]),
    ("示例成都茶庄", &["chengducha", "cdcz"]),
    ("示例长治米业", &["changzhi", "czmy"]),
    ("示例西藏牧场", &["xizang", "xzmc"]),
    ("示例曾记牟家", &["zengjimujia", "zjmj"]),
    ("示例什刹海", &["shichahai", "sch"]),
    ("示例梁山泊", &["liangshanbo", "lsb"]),
    ("示例六安茶业", &["luan", "liuanchaye", "lacy"]),
    ("示例佛山蚌埠", &["foshanbengbu", "fsbb"]),
    ("示例莘庄乐清", &["xinzhuangyueqing", "xzyq", "leqing"]),
    ("示例大城番禺", &["daicheng", "dacheng", "panyu", "dcpy"]),
    ("示例畜牧站", &["xumuzhan", "xmz"]),
];

#[tokio::test]
async fn g_6_2_3_letters_of_several_readings_are_found_by_each() {
    let mut app = TestApp::start().await;
    let subject = app.subject("示例蔬菜加工厂").await;
    let path = format!("{REGISTER}/{}", subject["id"].as_str().unwrap());
    for (name, typed) in READ {
        let subject = app.get("supervisor", &path).await.expect(200);
        changed(&app, &subject, json!({ "name": name })).await;
        for part in typed {
            assert_eq!(names(&app, &format!("name={part}")).await, [name], "{part}");
        }
    }
    // As an earlier release left them: written anew when the next one starts.
    let table = app.database.url.starts_with("sqlite");
    let mut tx = app.assembled.app.db().begin().await.unwrap();
    let mut old = vec!["UPDATE trace_subject SET name_search = 'x'", "DELETE FROM search_form"];
    let words = if table {
        "DELETE FROM trace_subject_words"
    } else {
        "UPDATE trace_subject SET name_grams = 'x'"
    };
    old.push(words);
    for statement in old {
        tx.execute(yj_kernel::Sql::new(statement)).await.unwrap();
    }
    tx.commit().await.unwrap();
    assert!(names(&app, "name=xumuzhan").await.is_empty());
    app.restart().await;
    assert_eq!(names(&app, "name=xumuzhan").await, ["示例畜牧站"]);
    assert_eq!(count(&app, "name=s").await, 18);
    let done = "SELECT COUNT(*) FROM search_form WHERE edition > 1 AND reached = ''";
    assert_eq!(app.count(done).await, 4);
}

#[tokio::test]
async fn g_6_2_4_every_figure_equals_the_list_it_leads_to() {
    let app = TestApp::start().await;
    let mut seen = 0;
    for by in [
        "kind",
        "roles",
        "region:county",
        "region:city,kind",
        "region:province",
        "product_kinds",
        "filed_on:month",
        "filed_on:quarter",
        "created_at:week",
        "filed_on:year,roles",
    ] {
        for filter in ["", "&kind=01", "&region=610100"] {
            let path = format!("{REGISTER}/figures?by={by}{filter}");
            let answer = app.get("supervisor", &path).await.expect(200);
            let groups = answer["groups"].as_array().unwrap();
            let mut sum = 0;
            for group in groups {
                let counted = group["count"].as_i64().unwrap();
                let listed = count(&app, group["query"].as_str().unwrap()).await;
                assert_eq!(counted, listed, "{path}: {group}");
                sum += counted;
                seen += 1;
            }
            let total = answer["count"].as_i64().unwrap();
            assert_eq!(total, count(&app, filter).await, "{path}");
            if answer["overlapping"] == false {
                assert_eq!(sum, total, "{path}");
                let shares = groups.iter().map(|group| {
                    group["share"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()
                });
                assert_eq!(shares.sum::<i64>(), 1000, "{path}");
            }
        }
    }
    assert!(seen > 60, "{seen}");
}

#[tokio::test]
async fn g_6_2_4_an_indicator_is_composed_of_a_part_and_its_whole() {
    let app = TestApp::start().await;
    // 合作社占比, of all and by city.
    let path = format!("{REGISTER}/figures?part=kind%3D03");
    let answer = app.get("supervisor", &path).await.expect(200);
    assert_eq!((&answer["count"], &answer["part"]), (&18.into(), &2.into()));
    assert_eq!(answer["groups"][0]["ratio"], "11.1");
    let path = format!("{REGISTER}/figures?by=region:city&part=kind%3D03");
    let answer = app.get("supervisor", &path).await.expect(200);
    let cities = answer["groups"].as_array().unwrap();
    let city = cities.iter().find(|group| group["key"][0] == "610500").unwrap();
    assert_eq!((&city["part"], &city["ratio"]), (&2.into(), &"100.0".into()));
    assert_eq!(answer["names"]["610500"], "渭南市");
    // What cannot be listed cannot be counted either.
    for (query, word) in [
        ("by=address", "不是可检索的字段"),
        ("by=contact_phone", "不是可检索的字段"),
        ("by=kind,roles,region", "至多 2 个维度"),
        ("by=region:village", "province、city 或 county"),
        ("by=filed_on:hour", "day、week"),
        ("by=name", "应为代码、区域"),
        ("by=kind&contact_phone=13800000000", "个人信息"),
        ("by=kind&part=contact_phone%3D13800000000", "个人信息"),
        ("by=kind&part=colour%3Dred", "没有这个查询条件"),
    ] {
        let refused = app.get("supervisor", &format!("{REGISTER}/figures?{query}")).await;
        let refused = refused.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{query}: {refused}");
    }
    // An enterprise counts itself.
    let path = format!("{REGISTER}/figures?by=kind");
    assert_eq!(app.get("enterprise", &path).await.expect(200)["count"], 1);
}

#[tokio::test]
async fn g_3_2_records_are_found_on_the_map_by_polygon_and_distance() {
    let app = TestApp::start().await;
    let placed = [
        ("示例蔬菜加工厂", "108.90", "34.10"),
        ("示例冷链运输公司", "108.92", "34.12"),
        ("示例农产品检测中心", "109.50", "34.50"),
        ("示例学校食堂", "108.60", "34.00"),
    ];
    app.run_sql("UPDATE trace_subject SET lon = NULL, lat = NULL, lon_e7 = NULL, lat_e7 = NULL")
        .await;
    for (name, lon, lat) in placed {
        let subject = app.subject(name).await;
        changed(&app, &subject, json!({ "lon": lon, "lat": lat })).await;
    }
    let square = "108.8,34.0 109.0,34.0 109.0,34.2 108.8,34.2";
    let inside = names(&app, &format!("within={}", encoded(square))).await;
    assert_eq!(inside, ["示例冷链运输公司", "示例蔬菜加工厂"]);
    // Concave: the notch leaves one of them out.
    let notched = "108.8,34.0 109.0,34.0 109.0,34.2 108.92,34.11 108.8,34.2";
    assert_eq!(names(&app, &format!("within={}", encoded(notched))).await, ["示例蔬菜加工厂"]);
    let near = |metres: u32| format!("near={}", encoded(&format!("108.90,34.10,{metres}")));
    assert_eq!(names(&app, &near(1_000)).await, ["示例蔬菜加工厂"]);
    assert_eq!(names(&app, &near(3_000)).await.len(), 2);
    assert_eq!(names(&app, &near(100_000)).await.len(), 4);
    assert_eq!(names(&app, &format!("{}&kind=04", near(100_000))).await.len(), 2);
    // Coarse cells make clusters, fine ones points; both add up.
    let map = async |query: &str| {
        app.get("supervisor", &format!("{REGISTER}/map?{query}")).await.expect(200)
    };
    let coarse = map("box=100,30,116,40&grid=4&by=kind").await;
    assert_eq!((&coarse["count"], &coarse["unplaced"]), (&4.into(), &14.into()));
    let most =
        coarse["clusters"].as_array().unwrap().iter().max_by_key(|one| one["count"].as_i64());
    let most = most.unwrap();
    let parts: i64 = most["parts"].as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert!(most["count"].as_i64().unwrap() > 1 && most["count"] == parts, "{most}");
    let fine = map("box=108.5,33.9,109.0,34.3&grid=50").await;
    let fine = fine["clusters"].as_array().unwrap();
    assert_eq!(fine.len(), 3);
    let names: Vec<_> = fine.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"示例学校食堂") && !names.contains(&"示例农产品检测中心"));
    for (query, word) in [
        ("box=1,2,3", "西,南,东,北"),
        ("box=110,30,100,40", "西,南,东,北"),
        ("grid=1000", "1 至 96"),
        ("by=name", "代码字段"),
        ("within=108,34", "3 至 200 个"),
        ("near=108,34,-1", "半径"),
    ] {
        let refused = app.get("supervisor", &format!("{REGISTER}/map?{query}")).await.expect(422);
        assert!(refused["detail"].as_str().unwrap().contains(word), "{query}: {refused}");
    }
    // Out as GeoJSON, with nobody's personal information, and in the audit trail.
    let path = format!("{REGISTER}/geojson?within={}", encoded(square));
    let file = app.get("supervisor", &path).await;
    let file: Value = serde_json::from_slice(&file.bytes).unwrap();
    assert_eq!(file["features"].as_array().unwrap().len(), 2);
    let feature = &file["features"][0];
    assert_eq!(feature["geometry"]["coordinates"].as_array().unwrap().len(), 2);
    assert!(feature["properties"]["主体名称"].is_string());
    assert!(!file.to_string().contains("联系电话"));
    let entries = "SELECT COUNT(*) FROM audit_log WHERE action = 'exported' AND entity = \
                   'trace_subject'";
    assert_eq!(app.count(entries).await, 1);
}

#[tokio::test]
async fn g_3_2_a_point_layer_comes_in_as_geojson_and_goes_out_again() {
    let app = TestApp::start().await;
    let owner = app.subject("示例蔬菜加工厂").await;
    let market = |number: u32, lon: f64, kind: &str| {
        json!({
            "type": "Feature", "geometry": { "type": "Point", "coordinates": [lon, 34.1] },
            "properties": {
                "节点编码": format!("610116{number:03}"), "节点名称": format!("示例图层市场{number}"),
                "节点类型": kind, "经营主体": owner["code"], "所属区域": "610116",
                "产品种类": ["食用农产品", "食品"], "是否启用": true,
            },
        })
    };
    let features = [
        market(901, 108.912_345_678_9, "批发市场"),
        market(902, 108.95, "菜市场"),
        market(903, 109.9, "集市"),
    ];
    let layer = json!({ "type": "FeatureCollection", "features": features }).to_string();
    let done = app.import("supervisor", "/api/v1/node/import?name=layer", layer.into()).await;
    assert_eq!((&done["succeeded"], &done["failed"]), (&2.into(), &1.into()), "{done}");
    let waiting = "/api/v1/node/changes?state=submitted";
    for request in app.get("reviewer", waiting).await.expect(200)["items"].as_array().unwrap() {
        let path = format!("/api/v1/node/changes/{}/approve", request["id"].as_str().unwrap());
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
    let square = encoded("108.9,34.0 108.93,34.0 108.93,34.2 108.9,34.2");
    let path = format!("/api/v1/node/geojson?within={square}");
    let out = app.get("supervisor", &path).await;
    let out: Value = serde_json::from_slice(&out.bytes).unwrap();
    let features = out["features"].as_array().unwrap();
    assert_eq!(features.len(), 1);
    assert_eq!(features[0]["geometry"]["coordinates"], json!([108.912_345_7, 34.1]));
    let properties = &features[0]["properties"];
    assert_eq!(properties["节点名称"], "示例图层市场901");
    assert_eq!(properties["产品种类"], "食用农产品、食品");
}
