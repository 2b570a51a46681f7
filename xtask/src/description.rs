//! Descriptions of interfaces as schemathesis reads them. Others' descriptions put a reference where the
//! headers of an answer stand; OpenAPI knows references to single headers only, and schemathesis ends
//! there. What is referred to is put in its place.

use std::path::Path;

use serde_json::Value;

use crate::shell::Outcome;

/// References that lead to one another are followed no further than this.
const DEPTH_MAX: usize = 8;

/// The text of a description, JSON or block-style YAML, in which no `headers` is a reference.
pub(crate) fn read(file: &Path) -> Outcome<String> {
    let told = |error: std::io::Error| format!("{}：{error}", file.display());
    let text = std::fs::read_to_string(file).map_err(told)?;
    if text.trim_start().starts_with('{') {
        let mut whole: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        for _ in 0..DEPTH_MAX {
            let before = whole.clone();
            of_json(&mut whole, &before);
        }
        return Ok(whole.to_string());
    }
    (0..DEPTH_MAX).try_fold(text, |text, _| of_yaml(&text))
}

fn of_json(value: &mut Value, whole: &Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| of_json(item, whole)),
        Value::Object(members) => {
            if let Some(headers) = members.get_mut("headers") {
                let target = headers["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
                if let Some(found) = target.and_then(|target| whole.pointer(target)) {
                    *headers = found.clone();
                }
            }
            members.values_mut().for_each(|inner| of_json(inner, whole));
        }
        _ => {}
    }
}

fn depth(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// `'#/a/b'` after `$ref:`, where a line is such a reference.
fn target(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix("$ref:")?.trim();
    text.trim_matches(['\'', '"']).strip_prefix("#/")
}

/// The lines below a path, which stand deeper than its last name.
fn below<'t>(lines: &[&'t str], path: &str) -> Option<Vec<&'t str>> {
    let mut within: Vec<&str> = lines.to_vec();
    for name in path.split('/') {
        let outer = within.iter().find(|line| !line.trim().is_empty()).map(|line| depth(line))?;
        let is_named = |line: &&str| {
            let key = line.trim().trim_end().strip_suffix(':');
            depth(line) == outer && key.is_some_and(|key| key.trim_matches(['\'', '"']) == name)
        };
        let at = within.iter().position(is_named)?;
        let inner =
            within[at + 1..].iter().take_while(|line| line.is_empty() || depth(line) > outer);
        within = inner.copied().collect();
    }
    Some(within)
}

fn of_yaml(text: &str) -> Outcome<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::with_capacity(text.len());
    let mut before = "";
    for line in &lines {
        if let Some(path) = target(line).filter(|_| before.trim() == "headers:") {
            let found = below(&lines, path).ok_or_else(|| format!("没有 {path} 这一处"))?;
            let from = found.iter().map(|line| depth(line)).min().unwrap_or_default();
            for inner in found {
                let kept = inner.get(from..).unwrap_or_default();
                out.push_str(&format!("{}{kept}\n", " ".repeat(depth(line))));
            }
        } else {
            out.push_str(&format!("{line}\n"));
        }
        before = line;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_a_reference_are_put_in_its_place() {
        let text = "paths:\n  /a:\n    get:\n      responses:\n        '200':\n          headers:\n            \
                    $ref: '#/components/responses/Top/headers'\n          content: {}\ncomponents:\n  \
                    responses:\n    Other:\n      headers: {}\n    Top:\n      headers:\n        \
                    $ref: '#/components/responses/200Told/headers'\n    200Told:\n      headers:\n        \
                    Link:\n          $ref: '#/components/headers/Link'\n      content: {}\n";
        let read = (0..DEPTH_MAX).try_fold(String::from(text), |text, _| of_yaml(&text)).unwrap();
        let wanted = "          headers:\n            Link:\n              \
                      $ref: '#/components/headers/Link'\n          content: {}\n";
        assert!(read.contains(wanted), "{read}");
        assert!(!read.contains("responses/Top"), "{read}");
        assert!(of_yaml("headers:\n  $ref: '#/nowhere'\n").is_err());
        let mut json = serde_json::json!({
            "a": [{ "headers": { "$ref": "#/b/headers" } }], "b": { "headers": { "Link": 1 } },
        });
        let whole = json.clone();
        of_json(&mut json, &whole);
        assert_eq!(json["a"][0]["headers"], serde_json::json!({ "Link": 1 }));
    }
}
