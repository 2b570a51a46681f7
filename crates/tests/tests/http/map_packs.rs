//! 地图底图 (G-3.2): an official outline replaces the bundled one together with its 审图号, by two
//! people, and goes again.

use serde_json::{Value, json};
use yj_model::regions;

use crate::{
    domains::{errors, names},
    harness::{Answer, TestApp},
    houses::id_of,
};

const PACKS: &str = "/api/v1/map-packs";

fn because() -> Value {
    json!({ "reason": "已与审图号批件核对" })
}

/// A square that is nobody's real boundary.
fn square(number: u16) -> Value {
    let (west, south) = (80.0 + f64::from(number % 7) * 5.0, 20.0 + f64::from(number / 7) * 4.0);
    let (east, north) = (west + 2.5, south + 2.25);
    json!({
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    })
}

fn feature(code: &str, name: &str, geometry: Value) -> Value {
    json!({ "type": "Feature", "properties": { "adcode": code, "name": name }, "geometry": geometry })
}

fn pack(approval_number: &str, features: Vec<Value>) -> Value {
    json!({
        "name": "示例底图", "approval_number": approval_number, "source": "示例测绘院",
        "issued_year": 2024, "datum": "cgcs2000", "valid_until": null,
        "outline": { "type": "FeatureCollection", "features": features },
    })
}

/// The country in squares: every province, the prefectures of one, a line in the south.
pub fn country() -> Value {
    let provinces = regions().children(None);
    let mut features: Vec<_> = provinces
        .zip(0..)
        .map(|(region, number)| feature(region.code, region.name, square(number)))
        .collect();
    features.extend(prefectures());
    let line =
        json!({ "type": "MultiLineString", "coordinates": [[[119.1, 15.1], [119.1, 16.1]]] });
    features.push(feature("", "示例界线", line));
    pack("GS（2024）0650号", features)
}

fn prefectures() -> Vec<Value> {
    let parts = regions().children(Some("610000")).zip(34..);
    parts.map(|(region, number)| feature(region.code, region.name, square(number % 40))).collect()
}

pub fn province() -> Value {
    pack("陕S(2024)012号", vec![feature("156610000", "陕西省", square(0))])
}

async fn upload(app: &TestApp, pack: Value) -> Value {
    app.post("sysadmin", PACKS, pack).await.expect(201)
}

pub async fn put_on_the_maps(app: &TestApp, pack: Value) -> Value {
    let id = id_of(&upload(app, pack).await);
    app.post("secadmin", &format!("{PACKS}/{id}/activate"), because()).await.expect(200)
}

pub async fn active(app: &TestApp, user: &str) -> Value {
    app.get(user, &format!("{PACKS}/active")).await.expect(200)["pack"].clone()
}

async fn refused(app: &TestApp, pack: &Value) -> Vec<(String, String)> {
    errors(&app.post("sysadmin", PACKS, pack.clone()).await.expect(422))
}

#[tokio::test]
async fn g_3_2_an_official_outline_replaces_the_bundled_one_with_its_approval_number() {
    let app = TestApp::start().await;
    assert_eq!(active(&app, "farm").await, Value::Null, "the bundled outlines");
    // A dry run says what it holds, shows what would be drawn, and keeps nothing.
    let checked = app.post("sysadmin", &format!("{PACKS}/check"), country()).await.expect(200);
    assert_eq!(checked["sound"], true, "{checked}");
    let held = &checked["pack"];
    assert_eq!(held["approval_number"], "GS(2024)0650号", "in one form");
    assert_eq!((&held["coverage_name"], &held["provinces"]), (&json!("全国"), &json!(34)));
    assert_eq!((&held["prefectures"], &held["lines"]), (&json!(10), &json!(1)));
    assert_eq!(checked["outline"]["divisions"].as_array().unwrap().len(), 44);
    assert_eq!(app.count("SELECT COUNT(*) FROM map_pack").await, 0);
    // A draft is on no map, and nobody but its judges sees it.
    let draft = upload(&app, country()).await;
    assert_eq!((&draft["state"], &draft["version"]), (&json!("draft"), &json!(1)));
    let (id, digest) = (id_of(&draft), draft["digest"].as_str().unwrap().to_owned());
    assert_eq!(active(&app, "farm").await, Value::Null);
    let by_digest = format!("{PACKS}/active/{digest}");
    app.get("farm", &by_digest).await.expect(404);
    let outline = app.get("secadmin", &format!("{PACKS}/{id}/outline")).await.expect(200);
    assert_eq!(outline, checked["outline"]);
    // Activated, it is everybody's.
    let kept = app.post("secadmin", &format!("{PACKS}/{id}/activate"), because()).await.expect(200);
    assert_eq!((&kept["state"], &kept["in_force"]), (&json!("active"), &json!(true)));
    for user in ["farm", "supervisor", "reviewer", "auditor"] {
        let shown = active(&app, user).await;
        assert_eq!(shown["approval_number"], "GS(2024)0650号");
        assert_eq!(shown["digest"], json!(digest));
    }
    let drawn = app.get("farm", &by_digest).await.expect(200);
    assert_eq!(drawn["approval_number"], "GS(2024)0650号", "the digest covers it");
    assert_eq!(drawn["scale"], 10_000);
    let first = &drawn["divisions"][0];
    assert_eq!((&first["code"], &first["name"]), (&json!("110000"), &json!("北京市")));
    // A corner, then the way to each next one.
    let ring = json!([800_000, 200_000, 25_000, 0, 0, 22_500, -25_000, 0, 0, -22_500]);
    assert_eq!(first["polygons"], json!([[ring]]));
    assert_eq!(drawn["lines"], json!([[1_191_000, 151_000, 0, 10_000]]));
    // Browsers need not fetch twice what cannot change.
    let tag = format!("\"{digest}\"");
    let again = [("if-none-match", tag.as_str())];
    let again = app.send("GET", &by_digest, Some("farm"), &again, None).await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
}

#[tokio::test]
async fn g_3_2_every_mistake_of_an_outline_is_named_at_once_with_its_place() {
    let app = TestApp::start().await;
    let mut wrong = pack(
        "陕审图(2024)012",
        vec![
            feature(
                "610000",
                "陕西省",
                json!({
                    "type": "Polygon",
                    "coordinates": [[[108.0, 34.0], [109.0, 34.0], [109.0, 35.0]],
                        [[108.0, 34.0], [109.0, 34.0], [109.0, 35.0], [108.0, 34.5]]],
                }),
            ),
            feature("610000", "陕西省", square(1)),
            feature("610100", "宝鸡市", square(2)),
            feature("6101", "西安市", square(3)),
            feature("990000", "示例省", square(4)),
            feature("610200", "铜川市", json!({ "type": "Point", "coordinates": [108.9, 34.9] })),
            feature("610300", "", square(5)),
            feature(
                "610400",
                "咸阳市",
                json!({
                    "type": "MultiPolygon",
                    "coordinates": [[[[108.0, 34.0], [139.0, 34.0], [109.0, 35.0], [108.0, 34.0]]],
                        [[[34.0, 108.0], [34.0, 109.0], [35.0, 109.0], [34.0, 108.0]]],
                        [[[480_000.0, 3_800_000.0], [1.0, 2.0], [3.0, 4.0], [480_000.0, 3_800_000.0]]],
                        [[[108.0, "34"], [109.0, 34.0], [109.0, 35.0], [108.0, 34.0]]]],
                }),
            ),
            feature("110100", "市辖区", square(6)),
            json!({ "type": "Feature", "properties": null, "geometry": null }),
        ],
    );
    wrong["name"] = json!("");
    wrong["source"] = json!(7);
    wrong["issued_year"] = json!(2099);
    wrong["datum"] = json!("bd09");
    wrong["valid_until"] = json!("2025-12-31");
    wrong["outline"]["crs"] = json!({ "properties": { "name": "EPSG:3857" } });
    let found = refused(&app, &wrong).await;
    let at = |tail: &str| format!("outline.features{tail}");
    for (field, word) in [
        (String::from("name"), "2 至 60 个字"),
        (String::from("approval_number"), "陕S(2024)012号"),
        (String::from("source"), "2 至 200 个字"),
        (String::from("issued_year"), "1990 至 2026"),
        (String::from("datum"), "CGCS2000"),
        (String::from("valid_until"), "已过有效期"),
        (String::from("outline.crs"), "不是经纬度"),
        (at("[0].geometry.coordinates[0]"), "现为 3 个"),
        (at("[0].geometry.coordinates[1]"), "没有闭合"),
        (at("[1].properties.code"), "features[0] 重复"),
        (at("[2].properties.code"), "是西安市"),
        (at("[3].properties.code"), "6 位"),
        (at("[4].properties.code"), "不属于任何省级行政区"),
        (at("[5].geometry.type"), "MultiPolygon"),
        (at("[6].properties.name"), "2 至 50 个字"),
        (at("[7].geometry.coordinates[0][0][1]"), "不在中国范围内"),
        (at("[7].geometry.coordinates[1][0][0]"), "经度在前"),
        (at("[7].geometry.coordinates[2][0][0]"), "投影坐标"),
        (at("[7].geometry.coordinates[3][0]"), "应为环"),
        (at("[8].properties.code"), "汇总行"),
        (at("[9].geometry"), "缺少几何"),
        (at("[9].properties.code"), "6 位"),
    ] {
        names(&found, &field, word);
    }
    // The dry run says the same.
    let checked = app.post("sysadmin", &format!("{PACKS}/check"), wrong).await.expect(200);
    assert_eq!((&checked["sound"], errors(&checked)), (&json!(false), found));
    assert_eq!(app.count("SELECT COUNT(*) FROM map_pack").await, 0);
    // What is no such document at all.
    names(&refused(&app, &json!({})).await, "outline", "缺少边界文件");
    let none = pack("GS(2024)0650号", Vec::new());
    names(&refused(&app, &none).await, "outline.features", "没有要素");
    let mut strange = province();
    strange["outline"]["type"] = json!("Topology");
    names(&refused(&app, &strange).await, "outline.type", "FeatureCollection");
    let mut strange = province();
    strange["outline"]["features"][0]["geometry"] = json!(7);
    names(&refused(&app, &strange).await, "outline.features[0].geometry", "RFC 7946");
    let mut strange = province();
    strange["scale"] = json!(1);
    names(&refused(&app, &strange).await, "scale", "没有 scale 这个字段");
    let send = async |kind: &str, body: &[u8]| {
        let headers = [("content-type", kind)];
        app.send("POST", PACKS, Some("sysadmin"), &headers, Some(body.to_vec())).await
    };
    send("application/json", b"{ \"name\": ").await.expect(400);
    send("application/json", b"{ \"name\": \"\xb5\xd7\xcd\xbc\" }").await.expect(400);
    send("application/json", b"{} {}").await.expect(400);
    send("text/csv", b"name").await.expect(415);
}

#[tokio::test]
async fn g_3_2_an_outline_is_the_whole_of_what_its_number_was_given_for() {
    let app = TestApp::start().await;
    // A map of the country without one of its provinces is none.
    let mut country = country();
    let features = country["outline"]["features"].as_array_mut().unwrap();
    features.retain(|one| one["properties"]["name"] != "台湾省");
    names(&refused(&app, &country).await, "outline.features", "台湾省");
    // Nor is a map of a province without one of its cities.
    let mut cities = prefectures();
    let partial = pack("陕S(2024)012号", cities[1..].to_vec());
    names(&refused(&app, &partial).await, "outline.features", "西安市");
    cities.push(feature("610199", "示例新区", square(3)));
    let whole = pack("陕S(2024)012号", cities);
    let kept = upload(&app, whole).await;
    assert_eq!((&kept["coverage"], &kept["prefectures"]), (&json!("610000"), &json!(10)));
    // The register of regions is incomplete: an unknown county is worth a look and no mistake.
    assert_eq!(kept["notices"], json!(["610199 示例新区：平台的区划表中没有，请核对代码"]));
    // A province approves maps of itself and no others.
    let mut foreign = province();
    foreign["approval_number"] = json!("晋S(2024)012号");
    names(&refused(&app, &foreign).await, "approval_number", "与底图的陕西省不符");
    let mut small = self::country();
    small["approval_number"] = json!("陕S(2024)012号");
    names(&refused(&app, &small).await, "approval_number", "GS 开头");
    let mut later = province();
    later["approval_number"] = json!("陕S(2027)012号");
    names(&refused(&app, &later).await, "approval_number", "不能晚于今年");
}

#[tokio::test]
async fn g_3_2_another_datum_is_converted_at_the_door() {
    let app = TestApp::start().await;
    let corner = async |datum: &str| {
        let mut pack = province();
        pack["datum"] = json!(datum);
        let checked = app.post("sysadmin", &format!("{PACKS}/check"), pack).await.expect(200);
        assert_eq!(checked["pack"]["datum"], datum);
        let ring = &checked["outline"]["divisions"][0]["polygons"][0][0];
        (ring[0].as_i64().unwrap(), ring[1].as_i64().unwrap())
    };
    let plain = corner("cgcs2000").await;
    assert_eq!(corner("wgs84").await, plain, "the same to the centimetre");
    let shifted = corner("gcj02").await;
    let apart = (plain.0 - shifted.0).abs().max((plain.1 - shifted.1).abs());
    assert!((5..=80).contains(&apart), "{apart} steps of some ten metres");
}

#[tokio::test]
async fn g_3_2_a_base_map_is_put_up_by_two_people_and_taken_down_again() {
    let mut app = TestApp::start().await;
    let draft = upload(&app, country()).await;
    let at = |id: &str, verb: &str| format!("{PACKS}/{id}/{verb}");
    let id = id_of(&draft);
    // Whoever may only look, or only bring, does not decide; nobody else does anything.
    app.post("sysadmin", &at(&id, "activate"), because()).await.expect(403);
    app.post("secadmin", PACKS, country()).await.expect(403);
    for user in ["supervisor", "reviewer", "enterprise", "farm"] {
        app.post(user, PACKS, country()).await.expect(403);
        app.post(user, &format!("{PACKS}/check"), country()).await.expect(403);
        app.post(user, &at(&id, "activate"), because()).await.expect(403);
        app.get(user, PACKS).await.expect(403);
        app.get(user, &at(&id, "outline")).await.expect(403);
    }
    let stranger = app.send("GET", &format!("{PACKS}/active"), None, &[], None).await;
    stranger.expect(401);
    // Not even with both rights does one person do both.
    let changed = "UPDATE map_pack SET uploaded_by = 'secadmin'";
    app.tamper(changed).await;
    let own = app.post("secadmin", &at(&id, "activate"), because()).await.expect(403);
    assert!(own["detail"].as_str().unwrap().contains("不能启用自己上传的"), "{own}");
    app.tamper("UPDATE map_pack SET uploaded_by = 'sysadmin'").await;
    app.post("secadmin", &at(&id, "activate"), json!({ "reason": "x" })).await.expect(422);
    app.post("secadmin", &at(&id, "withdraw"), because()).await.expect(409);
    app.post("secadmin", &at(&id, "activate"), because()).await.expect(200);
    app.post("secadmin", &at(&id, "activate"), because()).await.expect(409);
    app.post("sysadmin", &at(&id, "discard"), because()).await.expect(409);
    // One at a time: the next takes its place.
    let next = put_on_the_maps(&app, province()).await;
    assert_eq!(active(&app, "farm").await["approval_number"], "陕S(2024)012号");
    let list = app.get("auditor", PACKS).await.expect(200)["items"].clone();
    let states: Vec<_> = list.as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, ["active", "withdrawn"]);
    assert_eq!((&list[1]["closed_by"], &list[1]["version"]), (&json!("secadmin"), &json!(1)));
    assert!(list[1]["reason"].as_str().unwrap().contains("第 2 版取代"));
    // Withdrawn, the bundled outlines are back; who did what stays.
    app.post("secadmin", &at(&id_of(&next), "withdraw"), because()).await.expect(200);
    assert_eq!(active(&app, "farm").await, Value::Null);
    app.get("farm", &format!("{PACKS}/active/{}", next["digest"].as_str().unwrap()))
        .await
        .expect(404);
    let third = id_of(&upload(&app, province()).await);
    app.post("sysadmin", &at(&third, "discard"), because()).await.expect(200);
    app.post("secadmin", &at(&third, "activate"), because()).await.expect(409);
    app.post("secadmin", &at("none", "activate"), because()).await.expect(404);
    let audited = "SELECT COUNT(*) FROM audit_log WHERE entity = 'map_pack' AND action IN \
                   ('uploaded', 'enabled', 'disabled', 'discarded')";
    let announced = "SELECT COUNT(*) FROM outbox WHERE topic IN ('map_pack.uploaded', \
                     'map_pack.enabled', 'map_pack.disabled', 'map_pack.discarded')";
    // Three uploads, two on the maps and off again, one discarded.
    assert_eq!((app.count(audited).await, app.count(announced).await), (8, 8));
    // What is on the maps is in the database, not in a process.
    put_on_the_maps(&app, province()).await;
    app.restart().await;
    assert_eq!(active(&app, "farm").await["version"], 4);
}

/// Sessions do not outlast the night.
async fn next_day(app: &mut TestApp) {
    app.pass(jiff::SignedDuration::from_hours(24));
    for user in ["farm", "secadmin"] {
        let password = app.password_of(user).to_owned();
        app.log_in(user, &password).await;
    }
}

#[tokio::test]
async fn g_3_2_a_base_map_goes_with_the_last_day_of_its_number() {
    let mut app = TestApp::start().await;
    let mut pack = province();
    pack["valid_until"] = json!("2026-11-20");
    let draft = id_of(&upload(&app, pack.clone()).await);
    put_on_the_maps(&app, pack).await;
    next_day(&mut app).await;
    let shown = active(&app, "farm").await;
    assert_eq!(shown["valid_until"], "2026-11-20", "the last day counts");
    let path = format!("{PACKS}/active/{}", shown["digest"].as_str().unwrap());
    app.get("farm", &path).await.expect(200);
    next_day(&mut app).await;
    assert_eq!(active(&app, "farm").await, Value::Null);
    app.get("farm", &path).await.expect(404);
    let late = app.post("secadmin", &format!("{PACKS}/{draft}/activate"), because()).await;
    assert!(late.expect(409)["detail"].as_str().unwrap().contains("已过有效期"));
    let list = app.get("secadmin", PACKS).await.expect(200);
    assert_eq!(list["items"][0]["in_force"], false);
}

#[tokio::test]
async fn g_3_2_an_outline_changed_behind_the_platforms_back_is_on_no_map() {
    let app = TestApp::start().await;
    let shown = put_on_the_maps(&app, province()).await;
    let draft = id_of(&upload(&app, province()).await);
    app.tamper(
        "UPDATE map_pack SET content = replace(content, '陕S(2024)012号', 'GS(2024)9999号')",
    )
    .await;
    let path = format!("{PACKS}/active/{}", shown["digest"].as_str().unwrap());
    let refused = app.get("farm", &path).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("摘要不符"));
    app.post("secadmin", &format!("{PACKS}/{draft}/activate"), because()).await.expect(409);
}

#[tokio::test]
async fn g_3_2_an_outline_has_its_bounds() {
    let app = TestApp::start().await;
    let send = async |body: String| -> Answer {
        app.send("POST", PACKS, Some("sysadmin"), &[], Some(body.into_bytes())).await
    };
    let big = send(format!("{{ \"name\": \"{}\" }}", "图".repeat(16 << 20))).await.expect(413);
    assert!(big["detail"].as_str().unwrap().contains("16 MiB"), "{big}");
    let many = vec![json!({}); 4001];
    let found = refused(&app, &pack("GS(2024)0650号", many)).await;
    names(&found, "outline.features", "至多 4000 个，现为 4001 个");
    let ring = format!("{}[108.0,34.0]", "[108.0,34.0],[109.5,35.5],".repeat(300_001));
    let mut long = province();
    long["outline"]["features"][0]["geometry"]["coordinates"] = json!("RING");
    let found = errors(
        &send(long.to_string().replace("\"RING\"", &format!("[[{ring}]]"))).await.expect(422),
    );
    names(&found, "outline.features", "至多 600000 个");
    // So many mistakes that they are not all told.
    let found = refused(&app, &pack("GS(2024)0650号", vec![json!({}); 300])).await;
    assert_eq!(found.len(), 101);
    names(&found, "outline", "另有 800 处错误");
}
