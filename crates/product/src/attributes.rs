//! 产品属性 (YJ-core B): what products of one domain hold besides what all products hold, as the
//! domain pack in force describes it.

use std::sync::Arc;

use serde_json::{Map, Value};
use yj_domain::{FieldSpec, Pack, check_attributes, current};
use yj_kernel::{
    App, Ctx, FieldError, Problem, Resource as _, Result, Spread, Tx,
    spread::{Column, Part},
};

use crate::product::Product;

/// Attributes as they are stored, and the version of the pack they were checked against.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// In their normal form; `None` where there are none.
    pub(crate) attributes: Option<Map<String, Value>>,
    /// `None` where the domain has no pack.
    pub(crate) pack_version: Option<String>,
}

/// Checks what was given against the pack of the domain on the day of the request. What is wrong is
/// named by the path `attributes.<name>`.
pub(crate) async fn check(
    ctx: &Ctx,
    tx: &mut Tx,
    domain: &str,
    given: Option<&Value>,
) -> Result<Checked> {
    let none = Map::new();
    let given = match given {
        None | Some(Value::Null) => &none,
        Some(Value::Object(map)) => map,
        Some(_) => return Err(Problem::invalid("attributes", "产品属性：应为对象 { … }")),
    };
    let domains = current(tx).await?;
    let Some(pack) = domains.shown(domain, ctx.today()) else {
        return if given.is_empty() { Ok(Checked::default()) } else { Err(unknown(given)) };
    };
    let attributes = check_attributes(pack.product_schema(), given).map_err(located)?;
    Ok(Checked {
        attributes: (!attributes.is_empty()).then_some(attributes),
        pack_version: Some(pack.version.to_string()),
    })
}

/// The attributes of all domains as columns of files.
pub(crate) const SPREAD: Spread =
    Spread { field: "attributes", by: "domain", parts: |app, tx| Box::pin(parts(app, tx)) };

async fn parts(app: &App, tx: &mut Tx) -> Result<Vec<Part>> {
    let domains = current(tx).await?;
    let of = |pack: &Arc<Pack>| {
        let part = |spec: &FieldSpec| part(&pack.code, spec);
        pack.product_fields.iter().map(part).collect::<Vec<_>>()
    };
    Ok(domains.all_shown(app.today()).flat_map(of).collect())
}

/// What all products have keeps its heading.
fn heading(label: &str) -> String {
    let taken = Product::FIELDS.iter().any(|field| field.label == label);
    if taken { format!("{label}（属性）") } else { String::from(label) }
}

fn part(domain: &str, spec: &FieldSpec) -> Part {
    let (reader, writer) = (spec.clone(), spec.clone());
    let must = if spec.required { "必填" } else { "选填" };
    let hint = spec.hint.as_deref().unwrap_or_default();
    Part {
        of: String::from(domain),
        name: spec.name.clone(),
        column: Column {
            name: heading(&spec.label),
            note: format!("{must}。{hint}"),
            choices: spec.codes.iter().map(|(_, label)| label.clone()).collect(),
        },
        read: Arc::new(move |cell| reader.read_cell(cell)),
        show: Arc::new(move |value| writer.show_cell(value)),
    }
}

fn located(errors: Vec<FieldError>) -> Problem {
    Problem::Invalid(errors).within("attributes.")
}

/// Where there is no pack, there is nothing to fill in.
fn unknown(given: &Map<String, Value>) -> Problem {
    let error = |name: &String| FieldError {
        field: name.clone(),
        detail: format!("没有 {name} 这个字段：该产品领域没有领域包，不填写产品属性"),
    };
    located(given.keys().map(error).collect())
}
