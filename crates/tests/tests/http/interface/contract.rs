//! What the schemas say is what the platform does: examples are taken, mutations refused, by both.

use std::{collections::BTreeMap, path::Path, process::Command};

use jsonschema::Validator;
use serde_json::{Value, json};
use tempfile::TempDir;
use yj_domain::schema::example_xml;
use yj_model::Quantity;

use super::Published;
use crate::harness::TestApp;

const EVENTS: &str = "/api/v1/trace/events";
const XML: [(&str, &str); 1] = [("content-type", "application/xml")];

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// The published schema of an example's path.
fn schema_of(published: &Published, example: &str) -> Value {
    let path = example.replace("examples/", "schemas/").replace(".json", ".schema.json");
    published.json(&path)
}

#[tokio::test]
async fn g_8_2_every_example_fits_its_schema_and_is_taken_in_both_forms() {
    let app = TestApp::start().await;
    let published = Published::of(&app).await;
    let mut paths = published.paths("examples/", ".json");
    // What others look into comes first, and what takes a package apart last.
    paths.sort_by_key(|path| {
        let inputs = published.json(path)["inputs"].as_array().map_or(0, Vec::len);
        (path.ends_with("/disaggregate.json"), inputs)
    });
    let mut events = Vec::new();
    for path in &paths {
        let (event, schema) = (published.json(path), schema_of(&published, path));
        if let Err(error) = validator(&schema).validate(&event) {
            panic!("{path}: {error}");
        }
        events.push(event);
    }
    let sent = json!({ "events": events });
    let taken = app.post("gateway", EVENTS, sent).await.expect(201)["results"].clone();
    for (path, taken) in paths.iter().zip(taken.as_array().unwrap()) {
        assert!(matches!(taken["state"].as_str(), Some("accepted" | "held")), "{path}: {taken}");
        // The same in XML is the same event, to the last letter.
        let xml = published.files[&path.replace(".json", ".xml")].clone();
        let again = app.send("POST", EVENTS, Some("gateway"), &XML, Some(xml)).await.expect(200);
        assert_eq!(again["results"][0]["id"], taken["id"], "{path}");
        assert_eq!(again["results"][0]["duplicate"], true, "{path}");
    }
    for pack in published.index["packs"].as_array().unwrap() {
        let (code, version) = (pack["code"].as_str().unwrap(), pack["version"].as_str().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let start = format!("examples/{code}/{version}/");
        let files: Vec<_> = published
            .paths(&start, ".xml")
            .into_iter()
            .map(|path| (path.replace('/', "_"), published.files[path].clone()))
            .collect();
        let xsd = &published.files[&format!("xsd/{code}/{version}.xsd")];
        let fits = xmllint(&folder, (code, xsd), &files);
        let wrong: Vec<_> = fits.iter().filter(|(_, fits)| !**fits).collect();
        assert!(wrong.is_empty(), "{code}: {wrong:?}");
    }
}

/// Which of these documents the schema takes, by the validator of libxml2.
fn xmllint(
    folder: &TempDir,
    (code, xsd): (&str, &[u8]),
    files: &[(String, Vec<u8>)],
) -> BTreeMap<String, bool> {
    let schema = folder.path().join(format!("{code}.xsd"));
    std::fs::write(&schema, xsd).unwrap();
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(&schema);
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        command.arg(path);
    }
    let output = command.output().expect("xmllint 来自 Debian 的 libxml2-utils");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = |name: &str| {
        let path = folder.path().join(name);
        let path = Path::display(&path).to_string();
        let fits = said.contains(&format!("{path} validates\n"));
        let not = said.contains(&format!("{path} fails to validate\n"));
        assert!(fits != not, "{name}: {said}");
        fits
    };
    files.iter().map(|(name, _)| (name.clone(), told(name))).collect()
}

/// Something done to a sound event that makes it wrong.
struct Mutation {
    name: String,
    event: Value,
    /// Whether XML Schema can see it.
    in_xsd: bool,
}

struct Mutations<'a> {
    example: &'a Value,
    all: Vec<Mutation>,
}

impl Mutations<'_> {
    /// `path` is that of RFC 6901; no value takes away what is there.
    fn with(&mut self, path: &str, value: impl Into<Option<Value>>) {
        self.add(path, value.into(), true);
    }

    /// The same, of a kind that XML Schema 1.0 cannot see.
    fn beyond_xsd(&mut self, path: &str, value: impl Into<Option<Value>>) {
        self.add(path, value.into(), false);
    }

    fn add(&mut self, path: &str, value: Option<Value>, in_xsd: bool) {
        let mut event = self.example.clone();
        let (parent, last) = path.rsplit_once('/').unwrap();
        let Some(parent) = event.pointer_mut(parent) else { return };
        let name =
            format!("{path} = {}", value.as_ref().map_or(String::from("-"), Value::to_string));
        match (parent, value) {
            (Value::Object(map), Some(value)) => drop(map.insert(String::from(last), value)),
            (Value::Object(map), None) => {
                if map.remove(last).is_none() {
                    return;
                }
            }
            (Value::Array(items), Some(value)) => items[last.parse::<usize>().unwrap()] = value,
            _ => return,
        }
        self.all.push(Mutation { name, event, in_xsd });
    }
}

/// Wrong in what every event holds.
fn of_frame(mutations: &mut Mutations<'_>, event: &Value) {
    mutations.with("/subject", json!("123"));
    mutations.with("/event_time", json!("2026-11-02T10:30:00"));
    mutations.with("/event_time", json!("昨天"));
    mutations.with("/counterparty", json!("123"));
    mutations.with("/external_id", json!("长".repeat(65)));
    for (list, min) in [("inputs", &event["inputs"]["min"]), ("outputs", &event["outputs"]["min"])]
    {
        mutations.with(&format!("/{list}/0/code"), json!("有空 格"));
        mutations.with(&format!("/{list}/0/code"), json!("A..B"));
        mutations.with(&format!("/{list}/0/code"), json!("A".repeat(65)));
        mutations.with(&format!("/{list}/0/quantity"), json!("0"));
        mutations.with(&format!("/{list}/0/quantity"), json!("-1"));
        mutations.with(&format!("/{list}/0/quantity"), json!("1.00001"));
        mutations.with(&format!("/{list}/0/quantity"), json!("123456789012"));
        mutations.with(&format!("/{list}/0/unit"), json!("XXX"));
        if event["inputs"]["mode"] == "observe" && list == "inputs" {
            mutations.beyond_xsd("/inputs/0/unit", json!("KGM"));
        } else if list == "inputs" {
            mutations.with("/inputs/0/quantity", None);
            mutations.with("/inputs/0/unit", None);
        }
        if min.as_u64() > Some(0) {
            mutations.with(&format!("/{list}"), json!([]));
            mutations.with(&format!("/{list}"), None);
        }
        let max = usize::try_from(event[list]["max"].as_u64().unwrap()).unwrap();
        if max <= 50 {
            let line = |at: usize| json!({ "code": format!("EX-MANY-{at}"), "quantity": "1", "unit": "KGM" });
            mutations.with(&format!("/{list}"), json!((0..=max).map(line).collect::<Vec<_>>()));
        }
    }
    mutations.with("/outputs/0/lot", json!("长".repeat(51)));
    let paper = |at: usize| json!({ "type": "voucher", "no": format!("示例-{at}") });
    mutations.with("/documents", json!((0..21).map(paper).collect::<Vec<_>>()));
    mutations.with("/documents/0/no", json!("长".repeat(61)));
    mutations.with("/documents/0/type", json!("长".repeat(41)));
    mutations.with("/evidence/0/sm3", json!("A".repeat(64)));
    mutations.with("/evidence/0/name", json!("长".repeat(121)));
    mutations.with("/place/region", json!("06101"));
    mutations.with("/place/address", json!("长".repeat(201)));
    mutations.with("/place/lon", json!("180.5"));
    mutations.with("/place/lat", json!("-90.5"));
    mutations.beyond_xsd("/place/lon", None);
    mutations.beyond_xsd("/correction_reason", json!("写了原因，没有写更正哪一件"));
    mutations.beyond_xsd("/correction_of", json!("0192f3a0-0000-7000-8000-000000000000"));
    mutations.with("/correction_of", json!("abc"));
}

/// Wrong in one field of the pack.
fn of_field(mutations: &mut Mutations<'_>, field: &Value) {
    let path = format!("/attributes/{}", field["name"].as_str().unwrap());
    if field["required"] == true {
        mutations.with(&path, None);
    }
    let bound = |name: &str| field[name].as_str().map(|text| text.parse::<Quantity>().unwrap());
    let beyond = |by: i64| {
        let past = |bound: Quantity, by: i64| Quantity::from_scaled(bound.scaled() + by).ok();
        let low = bound("min").and_then(|min| past(min, -by));
        low.into_iter().chain(bound("max").and_then(|max| past(max, by)))
    };
    match field["kind"].as_str().unwrap() {
        "text" => {
            let longest = field["max_length"].as_u64().unwrap_or(200);
            let longest = usize::try_from(longest).unwrap();
            mutations.with(&path, json!("长".repeat(longest + 1)));
            if field["pattern"].is_string() {
                mutations.with(&path, json!("不合格式"));
            }
            // In XML a line break is as good as a space.
            mutations.beyond_xsd(&path, json!("两\n行"));
        }
        "decimal" => {
            for number in beyond(1) {
                mutations.with(&path, json!(number.to_string()));
            }
            mutations.with(&path, json!("十"));
            mutations.with(&path, json!("1.00001"));
        }
        "result" => {
            for wrong in ["十", "阴性", "<", "<LOX", "1.00001", "ND(x)"] {
                mutations.with(&path, json!(wrong));
            }
        }
        "int" => {
            for number in beyond(10_000) {
                mutations.with(&path, json!(number.scaled().div_euclid(10_000)));
            }
            mutations.with(&path, json!("十"));
        }
        "bool" => mutations.with(&path, json!("也许")),
        "code" => mutations.with(&path, json!("no_such_code")),
        "date" => {
            mutations.with(&path, json!("昨天"));
            mutations.with(&path, json!("2026-02-30"));
        }
        "time" => mutations.with(&path, json!("2026-11-02T10:00:00")),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn g_8_2_what_the_schemas_refuse_the_platform_refuses() {
    let app = TestApp::start().await;
    let published = Published::of(&app).await;
    let (mut tried, mut codes) = (0, 0);
    for pack in published.index["packs"].as_array().unwrap() {
        let (code, version) = (pack["code"].as_str().unwrap(), pack["version"].as_str().unwrap());
        let whole = app.get("supervisor", &format!("/api/v1/domains/{code}")).await.expect(200);
        let stages = whole["stages"].as_array().unwrap().iter();
        let events = stages.flat_map(|stage| stage["events"].as_array().unwrap());
        let mut all: Vec<Mutation> = Vec::new();
        for event in events {
            let path =
                format!("examples/{code}/{version}/{}.json", event["code"].as_str().unwrap());
            let example = published.json(&path);
            let validator = validator(&schema_of(&published, &path));
            let mut mutations = Mutations { example: &example, all: Vec::new() };
            of_frame(&mut mutations, event);
            for field in event["fields"].as_array().unwrap() {
                codes += usize::from(field["kind"] == "code");
                of_field(&mut mutations, field);
            }
            mutations.with("/attributes/no_such_field", json!("示例"));
            for mut mutation in mutations.all {
                mutation.name = format!("{path} {}", mutation.name);
                assert!(!validator.is_valid(&mutation.event), "{}", mutation.name);
                all.push(mutation);
            }
        }
        for some in all.chunks(500) {
            let events: Vec<_> = some.iter().map(|mutation| &mutation.event).collect();
            let answer =
                app.post("supervisor", EVENTS, json!({ "events": events })).await.expect(200);
            for (mutation, result) in some.iter().zip(answer["results"].as_array().unwrap()) {
                assert_eq!(result["problem"]["code"], "invalid", "{}: {result}", mutation.name);
            }
        }
        tried += all.len();
        let folder = tempfile::tempdir().unwrap();
        let seen = all.iter().enumerate().filter(|(_, mutation)| mutation.in_xsd);
        let files: Vec<_> = seen
            .map(|(at, mutation)| (format!("m{at}.xml"), example_xml(&mutation.event).into_bytes()))
            .collect();
        let xsd = &published.files[&format!("xsd/{code}/{version}.xsd")];
        let fits = xmllint(&folder, (code, xsd), &files);
        let at = |name: &str| name[1..name.len() - 4].parse::<usize>().unwrap();
        let taken: Vec<_> =
            fits.iter().filter(|(_, fits)| **fits).map(|(name, _)| &all[at(name)].name).collect();
        assert!(taken.is_empty(), "XSD takes {taken:#?}");
    }
    assert!(tried > 3_000 && codes > 50, "{tried} {codes}");
}

/// Wrong in the shape of the whole: each by itself, for nothing of such a request is read.
#[tokio::test]
async fn g_8_2_what_has_not_the_shape_of_an_event_is_none() {
    let app = TestApp::start().await;
    let published = Published::of(&app).await;
    let path = "examples/agri/1.2.0/processing.json";
    let example = published.json(path);
    let validator = validator(&schema_of(&published, path));
    let mut mutations = Mutations { example: &example, all: Vec::new() };
    for required in ["domain", "type", "subject", "event_time"] {
        mutations.with(&format!("/{required}"), None);
        mutations.with(&format!("/{required}"), json!(1));
    }
    mutations.with("/domain", json!("no_such_domain"));
    mutations.with("/type", json!("no_such_type"));
    for (path, value) in [
        ("/no_such_field", json!("示例")),
        ("/inputs/0/no_such_field", json!("示例")),
        ("/outputs/0/no_such_field", json!("示例")),
        ("/place/no_such_field", json!("示例")),
        ("/documents/0/no_such_field", json!("示例")),
        ("/inputs", json!("示例")),
        ("/inputs/0/quantity", json!(100)),
        ("/inputs/0/external", json!("是")),
        ("/attributes", json!([])),
        ("/documents/0/no", json!(1)),
    ] {
        mutations.with(path, value);
    }
    for (list, names) in [
        ("inputs/0", &["code"][..]),
        ("outputs/0", &["code", "quantity", "unit"]),
        ("place", &["region"]),
    ] {
        for name in names {
            mutations.with(&format!("/{list}/{name}"), None);
        }
    }
    for mutation in mutations.all {
        assert!(!validator.is_valid(&mutation.event), "{}", mutation.name);
        let answer = app.post("supervisor", EVENTS, mutation.event).await;
        assert_eq!(answer.status, 422, "{}: {}", mutation.name, answer.body);
    }
}
