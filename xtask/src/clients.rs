//! `cargo xtask clients`: the models of the client libraries, from the description of the interface
//! that the console is typed by. `--check` says whether they are up to date.

use std::fmt::Write as _;

use serde_json::Value;

use crate::shell::{Outcome, root};

/// The registers that integrators work with.
const REGISTERS: [&str; 8] =
    ["trace_subject", "licence", "site", "node", "merchant", "product", "device", "source_policy"];
const DESCRIPTION: &str = "web/packages/api/openapi.generated.json";
const NOTE: &str = "由 cargo xtask clients 生成，请勿手改。";

/// What a field holds.
enum Kind {
    Text,
    Choice(Vec<String>),
    Int,
    Bool,
    List(Box<Self>),
    Model(String),
    Any,
}

struct Field {
    name: String,
    title: String,
    kind: Kind,
    required: bool,
    /// Whether it may be told to be nothing.
    nullable: bool,
}

struct Model {
    name: String,
    title: String,
    fields: Vec<Field>,
}

pub(crate) fn all(arguments: &[&str]) -> Outcome {
    let check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => return Err(String::from("用法：cargo xtask clients [--check]")),
    };
    let text =
        std::fs::read_to_string(root().join(DESCRIPTION)).map_err(|error| error.to_string())?;
    let description: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let models = models(&description)?;
    let mut stale = Vec::new();
    for (path, text) in [
        ("clients/typescript/src/models.ts", typescript(&models)),
        ("clients/python/yuanjian/models.py", python(&models)),
        ("clients/rust/src/models.rs", rust(&models)),
    ] {
        let file = root().join(path);
        if std::fs::read_to_string(&file).is_ok_and(|known| known == text) {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            std::fs::write(&file, text).map_err(|error| format!("{path}：{error}"))?;
            println!("已写 {path}");
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!("{} 已过期，请执行 cargo xtask clients", stale.join("、")))
    }
}

fn models(description: &Value) -> Outcome<Vec<Model>> {
    let body = description.pointer(
        "/paths/~1api~1v1~1trace~1events/post/requestBody/content/application~1json/schema/anyOf/0",
    );
    let mut models = Vec::new();
    model("TraceEvent", body.ok_or("接口描述中没有追溯事件")?, &mut models);
    for table in REGISTERS {
        for name in [format!("{}Input", camel(table)), camel(table)] {
            let schema = &description["components"]["schemas"][&name];
            if schema.is_null() {
                return Err(format!("接口描述中没有 {name}"));
            }
            model(&name, schema, &mut models);
        }
    }
    Ok(models)
}

/// `trace_subject` → `TraceSubject`
fn camel(table: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_uppercase())
    };
    table.split('_').map(capital).collect()
}

fn model(name: &str, schema: &Value, models: &mut Vec<Model>) {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (field, property) in schema["properties"].as_object().into_iter().flatten() {
        let title = ["title", "description"].iter().find_map(|key| property[*key].as_str());
        let kinds = property["type"].as_array().into_iter().flatten();
        let nullable = kinds.clone().any(|kind| kind == "null")
            || property["anyOf"].as_array().into_iter().flatten().any(|one| one["type"] == "null");
        fields.push(Field {
            name: field.clone(),
            title: String::from(title.unwrap_or(field)),
            kind: kind(field, property, models),
            required: required.contains(&field.as_str()),
            nullable,
        });
    }
    let title = schema["title"].as_str().filter(|title| !title.is_ascii());
    let title = title.map_or_else(|| String::from("追溯事件"), String::from);
    let title = match name {
        "Input" | "Output" | "Place" | "Document" | "Evidence" => String::from(named(name)),
        _ if name.ends_with("Input") => format!("{title}（提交）"),
        _ => title,
    };
    models.push(Model { name: String::from(name), title, fields });
}

fn named(part: &str) -> &'static str {
    match part {
        "Input" => "投入",
        "Output" => "产出",
        "Place" => "地点",
        "Document" => "凭证",
        _ => "证据文件",
    }
}

fn kind(field: &str, schema: &Value, models: &mut Vec<Model>) -> Kind {
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let found = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
    if let Some(choices) = schema["enum"].as_array() {
        return Kind::Choice(choices.iter().filter_map(Value::as_str).map(String::from).collect());
    }
    match found {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Int,
        Some("boolean") => Kind::Bool,
        Some("array") => Kind::List(Box::new(kind(field, &schema["items"], models))),
        Some("object") if schema["properties"].is_object() => {
            let name = match field {
                "evidence" => String::from("Evidence"),
                plural => camel(plural.trim_end_matches('s')),
            };
            if !models.iter().any(|model| model.name == name) {
                model(&name, schema, models);
            }
            Kind::Model(name)
        }
        _ => Kind::Any,
    }
}

fn typescript(models: &[Model]) -> String {
    fn of(kind: &Kind) -> String {
        match kind {
            Kind::Text => String::from("string"),
            Kind::Choice(choices) => {
                choices.iter().map(|choice| format!("'{choice}'")).collect::<Vec<_>>().join(" | ")
            }
            Kind::Int => String::from("number"),
            Kind::Bool => String::from("boolean"),
            Kind::List(inner) => match &**inner {
                Kind::Choice(_) => format!("({})[]", of(inner)),
                _ => format!("{}[]", of(inner)),
            },
            Kind::Model(name) => name.clone(),
            Kind::Any => String::from("Record<string, unknown>"),
        }
    }
    let mut out = format!("/** {NOTE} */\n");
    for model in models {
        let _ = writeln!(out, "\n/** {} */\nexport interface {} {{", model.title, model.name);
        for field in &model.fields {
            let mark = if field.required { "" } else { "?" };
            let null = if field.nullable { " | null" } else { "" };
            let _ = writeln!(
                out,
                "  /** {} */\n  {}{mark}: {}{null};",
                field.title,
                field.name,
                of(&field.kind)
            );
        }
        out += "}\n";
    }
    out += "\n/** What became of one event. */\nexport interface CaptureResult {\n  index: number;\n  id?: string;\n\
\x20 state?: 'accepted' | 'held';\n  duplicate?: boolean;\n  problem?: { status: number; code: string; detail: string; errors?: { field: string; detail: string }[] };\n\
}\n";
    out +=
        "\n/** The registers: what is sent, and what is stored. */\nexport interface Registers {\n";
    for table in REGISTERS {
        let _ = writeln!(out, "  {table}: {{ input: {0}Input; stored: {0} }};", camel(table));
    }
    out + "}\n"
}

fn python(models: &[Model]) -> String {
    fn of(kind: &Kind) -> String {
        match kind {
            Kind::Text => String::from("str"),
            Kind::Choice(choices) => {
                let choices: Vec<_> =
                    choices.iter().map(|choice| format!("\"{choice}\"")).collect();
                format!("Literal[{}]", choices.join(", "))
            }
            Kind::Int => String::from("int"),
            Kind::Bool => String::from("bool"),
            Kind::List(inner) => format!("list[{}]", of(inner)),
            Kind::Model(name) => name.clone(),
            Kind::Any => String::from("dict[str, Any]"),
        }
    }
    let mut out = format!(
        "\"\"\"{NOTE}\"\"\"\n\nfrom __future__ import annotations\n\nfrom typing import Any, Literal, NotRequired, TypedDict\n"
    );
    for model in models {
        // Some names of fields are words of the language.
        let _ = writeln!(
            out,
            "\n\nclass {}(TypedDict):\n    \"\"\"{}\"\"\"\n",
            model.name, model.title
        );
        for field in &model.fields {
            let null = if field.nullable { " | None" } else { "" };
            let plain = format!("{}{null}", of(&field.kind));
            let kind = if field.required { plain } else { format!("NotRequired[{plain}]") };
            let _ = writeln!(out, "    {}: {kind}  # {}", field.name, field.title);
        }
    }
    out + "\n\nclass CaptureResult(TypedDict):\n    \"\"\"What became of one event.\"\"\"\n\n    index: int\n\
\x20   id: NotRequired[str]\n    state: NotRequired[Literal[\"accepted\", \"held\"]]\n    duplicate: NotRequired[bool]\n\
\x20   problem: NotRequired[dict[str, Any]]\n"
}

fn rust(models: &[Model]) -> String {
    fn of(kind: &Kind) -> String {
        match kind {
            Kind::Text | Kind::Choice(_) => String::from("String"),
            Kind::Int => String::from("i64"),
            Kind::Bool => String::from("bool"),
            Kind::List(inner) => format!("Vec<{}>", of(inner)),
            Kind::Model(name) => name.clone(),
            Kind::Any => String::from("Value"),
        }
    }
    let mut out = format!(
        "//! {NOTE}\n\nuse serde::{{Deserialize, Serialize}};\nuse serde_json::Value;\n\nuse crate::Register;\n"
    );
    for model in models {
        let _ = writeln!(
            out,
            "\n/// {}\n#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]\npub struct {} {{",
            model.title, model.name
        );
        for field in &model.fields {
            let word = if field.name == "type" { "r#" } else { "" };
            let _ = writeln!(out, "    /// {}", field.title);
            if field.required && !field.nullable {
                let _ = writeln!(out, "    pub {word}{}: {},", field.name, of(&field.kind));
            } else {
                let skipped = "    #[serde(default, skip_serializing_if = \"Option::is_none\")]";
                let _ = writeln!(
                    out,
                    "{skipped}\n    pub {word}{}: Option<{}>,",
                    field.name,
                    of(&field.kind)
                );
            }
        }
        out += "}\n";
    }
    out += "\n/// What became of one event.\n#[derive(Debug, Clone, Default, PartialEq, Deserialize)]\n\
pub struct CaptureResult {\n    /// Its place in the request.\n    pub index: usize,\n    /// 事件标识\n\
\x20   pub id: Option<String>,\n    /// `accepted` 或 `held`\n    pub state: Option<String>,\n    /// 此前已登记\n\
\x20   #[serde(default)]\n    pub duplicate: bool,\n    /// 没有接收的原因\n    pub problem: Option<Value>,\n\
}\n";
    for table in REGISTERS {
        let name = camel(table);
        let _ = writeln!(
            out,
            "\nimpl Register for {name}Input {{\n    const NAME: &'static str = \"{table}\";\n    type Stored = {name};\n}}"
        );
    }
    out
}
