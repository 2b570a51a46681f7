//! 位置 (G-3.2, handbook §3.4): every register with a position takes it in any usual datum, keeps
//! which it was, refuses what cannot be there, and gives it out so that it can come in again.

use serde_json::{Value, json};

use crate::{
    harness::{TestApp, encoded},
    nodes::province,
};

/// A point of a web map in 长安区, and where it is.
const GIVEN: (&str, &str) = ("108.9117", "34.1574");

async fn approved(app: &TestApp, table: &str) {
    let waiting = format!("/api/v1/{table}/changes?state=submitted&per_page=100");
    for request in app.get("reviewer", &waiting).await.expect(200)["items"].as_array().unwrap() {
        let path = format!("/api/v1/{table}/changes/{}/approve", request["id"].as_str().unwrap());
        app.post("reviewer", &path, json!({})).await.expect(200);
    }
}

async fn layer(app: &TestApp, path: &str) -> Value {
    let file = app.get("supervisor", path).await;
    assert_eq!(file.status, 200);
    serde_json::from_slice(&file.bytes).unwrap()
}

/// Metres between a stored record and the point it was given as.
fn metres(stored: &Value) -> f64 {
    let degree = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let given = |text: &str| text.parse::<f64>().unwrap();
    let north = (degree(&stored["lat"]) - given(GIVEN.1)) * 111_200.0;
    let east = (degree(&stored["lon"]) - given(GIVEN.0)) * 111_200.0 * 0.827;
    north.hypot(east)
}

#[tokio::test]
async fn g_3_2_devices_come_out_with_what_they_are_and_whether_they_are_heard() {
    let app = province().await;
    let file = layer(&app, "/api/v1/device/geojson").await;
    let features = file["features"].as_array().unwrap();
    assert_eq!(features.len(), 40);
    let owners = layer(&app, "/api/v1/node/geojson").await;
    for feature in features {
        let known = &feature["properties"];
        assert!(feature["id"].is_string() && known["MAC 地址"].is_string(), "{feature}");
        assert!(known["设备类型"].is_string() && known["在线状态"].is_string(), "{feature}");
        // At the market of whom it belongs to.
        let market = owners["features"].as_array().unwrap();
        let market =
            market.iter().find(|one| one["properties"]["经营主体"] == known["所属企业"]).unwrap();
        for axis in 0..2 {
            let degree = |one: &Value| one["geometry"]["coordinates"][axis].as_f64().unwrap();
            assert!((degree(market) - degree(feature)).abs() < 0.001, "{feature}");
        }
    }
    let status = app.get("supervisor", "/api/v1/device/status").await.expect(200);
    for (state, count) in [("online", 28), ("offline", 8), ("never", 4)] {
        let path = format!("/api/v1/device?count=only&state={state}");
        let found = app.get("supervisor", &path).await.expect(200);
        assert_eq!(found["total"]["count"], count, "{state}: {status}");
    }
}

#[tokio::test]
async fn g_3_2_every_register_takes_a_point_of_any_map_and_keeps_which_map_it_was() {
    let app = TestApp::start().await;
    let owner = app.subject("示例蔬菜加工厂").await;
    let (lon, lat) = GIVEN;
    let at = |datum: &str| json!({ "lon": lon, "lat": lat, "datum": datum });
    let registers = [
        (
            "node",
            json!({
                "code": "610116901", "name": "示例市场", "kind": "market", "subject_id": owner["id"],
                "region": "610116", "in_use": true,
            }),
        ),
        (
            "device",
            json!({
                "mac": "A4BB6D050001", "kind": "scale", "model": "示例-C30", "subject_id": owner["id"],
                "region": "610116", "in_use": true,
            }),
        ),
        (
            "site",
            json!({
                "subject_code": owner["code"], "name": "示例分厂", "kind": "plant", "region": "610116",
                "address": "示例路 1 号", "in_use": true,
            }),
        ),
    ];
    for (table, body) in registers {
        let with = |extra: Value| {
            let mut body = body.clone();
            body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            body
        };
        let path = format!("/api/v1/{table}");
        let refused = app.post("supervisor", &path, with(at("北京54"))).await.expect(422);
        assert!(refused.to_string().contains("BD-09"), "{refused}");
        for (east, north) in [("0", "0"), ("-74.006", "40.7128"), (lat, "80")] {
            let away = json!({ "lon": east, "lat": north });
            let refused = app.post("supervisor", &path, with(away)).await.expect(422);
            let detail = refused["detail"].as_str().unwrap();
            assert!(detail.contains("西安市长安区") && detail.contains("公里以内"), "{detail}");
        }
        app.post("supervisor", &path, with(at("GCJ-02"))).await.expect(202);
        approved(&app, table).await;
        let found = app.get("supervisor", &format!("{path}?per_page=100")).await.expect(200);
        let items = found["items"].as_array().unwrap();
        let stored = items.iter().find(|one| one["datum_given"] == "gcj02").unwrap();
        let off = metres(stored);
        assert!((300.0..800.0).contains(&off), "{table}: {off} m");
        assert_eq!(stored["datum"], "cgcs2000");
    }
}

#[tokio::test]
async fn g_3_2_a_layer_of_any_map_comes_in_by_its_column() {
    let app = TestApp::start().await;
    let owner = app.subject("示例蔬菜加工厂").await;
    let (lon, lat): (f64, f64) = (GIVEN.0.parse().unwrap(), GIVEN.1.parse().unwrap());
    let market = |number: u32, datum: &str| {
        json!({
            "type": "Feature", "geometry": { "type": "Point", "coordinates": [lon, lat] },
            "properties": {
                "节点编码": format!("610116{number:03}"), "节点名称": "示例图层市场",
                "节点类型": "菜市场", "经营主体": owner["code"], "所属区域": "610116",
                "坐标系": datum, "是否启用": true,
            },
        })
    };
    let layer =
        [market(911, "BD-09"), market(912, "高德"), market(913, "WGS-84"), market(914, "西安80")];
    let layer = json!({ "type": "FeatureCollection", "features": layer }).to_string();
    let done = app.import("supervisor", "/api/v1/node/import?name=layer", layer.into()).await;
    assert_eq!((&done["succeeded"], &done["failed"]), (&3.into(), &1.into()), "{done}");
    approved(&app, "node").await;
    for (code, given, least, most) in [
        ("610116911", "bd09", 700.0, 1_600.0),
        ("610116912", "gcj02", 300.0, 800.0),
        ("610116913", "cgcs2000", 0.0, 0.1),
    ] {
        let found = app.get("supervisor", &format!("/api/v1/node?code={code}")).await.expect(200);
        let stored = &found["items"][0];
        assert_eq!(stored["datum_given"], given);
        assert!((least..most).contains(&metres(stored)), "{code}: {}", metres(stored));
    }
}

#[tokio::test]
async fn g_3_2_an_exported_layer_is_imported_again_elsewhere() {
    let (from, to) = (TestApp::start().await, TestApp::start().await);
    let owner = from.subject("示例蔬菜加工厂").await;
    for number in 1..=3 {
        let node = json!({
            "code": format!("610116{number:03}"), "name": format!("示例市场{number}"),
            "kind": "market", "subject_id": owner["id"], "region": "610116",
            "address": "示例路 1 号", "lon": "108.91", "lat": "34.15", "datum": "bd09",
            "product_kinds": ["agri", "food"], "filed_on": "2026-01-02", "in_use": number != 2,
        });
        from.post("supervisor", "/api/v1/node", node).await.expect(202);
    }
    approved(&from, "node").await;
    let square = encoded("108.8,34.0 109.0,34.0 109.0,34.3 108.8,34.3");
    let out = layer(&from, &format!("/api/v1/node/geojson?within={square}")).await;
    assert_eq!(out["features"].as_array().unwrap().len(), 3);
    let done = to.import("supervisor", "/api/v1/node/import?name=layer", out.to_string().into());
    let done = done.await;
    assert_eq!((&done["succeeded"], &done["failed"]), (&3.into(), &0.into()), "{done}");
    approved(&to, "node").await;
    let again = layer(&to, &format!("/api/v1/node/geojson?within={square}")).await;
    let told = |layer: &Value| -> Vec<Value> {
        let features = layer["features"].as_array().unwrap().iter();
        let mut told: Vec<Value> = features
            .map(|one| {
                let mut known = one["properties"].clone();
                // What it was converted from is known where it was converted.
                known.as_object_mut().unwrap().remove("原坐标系");
                json!([known["节点编码"], known, one["geometry"]])
            })
            .collect();
        told.sort_by_key(|one| one[0].to_string());
        told
    };
    assert_eq!(told(&out), told(&again));
    assert_eq!(out["features"][0]["properties"]["经营主体"], owner["code"]);
}
