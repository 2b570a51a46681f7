//! Point layers as tables (G-3.2): a feature is a row, its properties and its place are cells.

use serde_json::{Map, Value};

use crate::{
    SheetError,
    read::{COLUMNS_MAX, ROWS_MAX, refuse},
};

/// Columns of the place; the datum, where it is not CGCS2000, is a property like any other.
const PLACE: [&str; 2] = ["经度", "纬度"];

/// Whether these bytes are JSON and not a table.
pub(crate) fn looks_like(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// The header and the rows of a GeoJSON file of points (RFC 7946).
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, SheetError> {
    let broken = |_| SheetError(String::from("不是有效的 GeoJSON 文件（UTF-8 编码的 JSON）"));
    let file: Value = serde_json::from_slice(bytes).map_err(broken)?;
    let Some(features) =
        file["features"].as_array().filter(|_| file["type"] == "FeatureCollection")
    else {
        return refuse("GeoJSON 文件应为 FeatureCollection");
    };
    if features.len() > ROWS_MAX {
        return refuse(format!("要素超过 {ROWS_MAX} 个，请拆分后分批导入"));
    }
    let mut header: Vec<&str> = PLACE.into();
    for feature in features {
        for name in feature["properties"].as_object().into_iter().flat_map(Map::keys) {
            if !header.contains(&name.as_str()) {
                header.push(name);
            }
            if header.len() > COLUMNS_MAX {
                return refuse(format!("属性超过 {COLUMNS_MAX} 种，请使用导入模板中的列名"));
            }
        }
    }
    let rows = (1..).zip(features).map(|(number, feature)| row(&header, number, feature));
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let header = header.iter().map(|name| String::from(*name)).collect();
    Ok(std::iter::once(header).chain(rows).collect())
}

fn row(header: &[&str], number: usize, feature: &Value) -> Result<Vec<String>, SheetError> {
    let geometry = &feature["geometry"];
    let place = match geometry["type"].as_str() {
        Some("Point") => geometry["coordinates"].as_array().map(Vec::as_slice),
        None if geometry.is_null() => Some([].as_slice()),
        _ => None,
    };
    let Some(place) = place.filter(|place| place.iter().all(Value::is_number)) else {
        return refuse(format!("第 {number} 个要素应为点（Point）"));
    };
    let cell = |name: &&str| {
        let at = PLACE.iter().position(|column| column == name);
        let degrees = at.and_then(|at| place.get(at)?.as_f64());
        let said = || text(&feature["properties"][*name]);
        degrees
            .map(shortest)
            .or_else(said)
            .ok_or_else(|| SheetError(format!("第 {number} 个要素的“{name}”应为文本、数值或是否")))
    };
    header.iter().map(cell).collect()
}

/// Degrees to a centimetre; programs write many more digits than they know.
fn shortest(degrees: f64) -> String {
    let text = format!("{degrees:.7}");
    String::from(text.trim_end_matches('0').trim_end_matches('.'))
}

/// A value as it would stand in a cell; several as people write them.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(String::from(if *flag { "是" } else { "否" })),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items = items.iter().map(text).collect::<Option<Vec<_>>>()?;
            Some(items.join("、"))
        }
        Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::read::read;

    #[test]
    fn a_layer_of_points_is_a_table() {
        let file = r#"
        { "type": "FeatureCollection", "features": [
            { "type": "Feature", "geometry": { "type": "Point", "coordinates": [108.90000000000001, 34.1] },
              "properties": { "名称": "示例一", "种类": ["a", "b"] } },
            { "type": "Feature", "geometry": null, "properties": { "名称": "示例二", "启用": true } }
        ] }"#;
        let sheet = read(file.as_bytes()).unwrap();
        assert_eq!(sheet.header, ["经度", "纬度", "名称", "种类", "启用"]);
        assert_eq!(sheet.rows[0].cells, ["108.9", "34.1", "示例一", "a、b", ""]);
        assert_eq!(sheet.rows[1].cells, ["", "", "示例二", "", "是"]);
        assert_eq!(sheet.place(&sheet.rows[1]), "第 2 个要素");
    }

    #[test]
    fn what_is_no_layer_of_points_is_refused() {
        let line = r#"{ "type": "FeatureCollection", "features": [ { "type": "Feature",
            "geometry": { "type": "LineString", "coordinates": [[1, 2], [3, 4]] }, "properties": {} } ] }"#;
        for (file, word) in [
            ("{", "不是有效的 GeoJSON"),
            (r#"{ "type": "Feature" }"#, "FeatureCollection"),
            (line, "第 1 个要素应为点"),
        ] {
            let error = read(file.as_bytes()).unwrap_err();
            assert!(error.0.contains(word), "{error}");
        }
    }
}
