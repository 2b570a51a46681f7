//! The doors of labels: a preview for the screen, sheets for paper, commands for label printers.

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderValue, Method, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use yj_kernel::{
    Access, Ctx, Param, Problem, Resource as _, Result, Route, Shape, Sql, Stored, Tx, audit,
    transfer::download,
};
use yj_label::{Drawing, Printer, sheet, svg, zpl};
use yj_model::Gs1Data;

use crate::{
    code_batch::CodeBatch,
    code_export::{Maker, address},
    label_template::{Filled, LabelTemplate},
};

/// Labels of one file.
const LABELS_MAX: i64 = 2_000;

const PRINT_QUERY: &[Param] = &[
    Param { name: "batch", label: "赋码批次", required: true },
    Param { name: "from", label: "起始序号，从 1 计", required: false },
    Param { name: "to", label: "截止序号，一次至多 2000 个", required: false },
    Param { name: "format", label: "pdf 或 zpl", required: false },
    Param { name: "dpi", label: "ZPL 打印机的分辨率：203、300 或 600", required: false },
    Param {
        name: "font", label: "ZPL 打印机内的汉字字体，如 E:SIMSUN.FNT", required: false
    },
];

pub(crate) fn routes() -> Vec<Route> {
    let preview = |ctx: Ctx, Path(id): Path<String>| async move {
        let mut tx = ctx.snapshot().await?;
        let template = template(&ctx, &mut tx, &id).await?;
        let words = Filled::sample(&ctx.app().platform().public_url);
        let unfit = |error: yj_label::Unfit| Problem::invalid("lines", error.0);
        let drawing = template.data.drawing(&words).map_err(unfit)?;
        let mut response = svg(&drawing).into_response();
        let kind = HeaderValue::from_static("image/svg+xml");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok::<_, Problem>(response)
    };
    let print = |ctx: Ctx, Path(id): Path<String>, RawQuery(query): RawQuery| async move {
        print(&ctx, &id, &query.unwrap_or_default()).await
    };
    vec![
        Route::new(
            (Method::GET, "/api/v1/label_template/{id}/preview.svg"),
            Access::permission("label_template:read"),
            "标签预览",
            preview,
        )
        .gives(Shape::Bytes("image/svg+xml")),
        Route::new(
            (Method::GET, "/api/v1/label_template/{id}/sheet"),
            Access::permission("code_batch:export"),
            "打印标签",
            print,
        )
        .query(PRINT_QUERY)
        .gives(Shape::Bytes("application/pdf")),
    ]
}

async fn template(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Stored<LabelTemplate>> {
    let id = id.parse().map_err(|_| Problem::NotFound(LabelTemplate::TITLE))?;
    tx.get::<LabelTemplate>(ctx, id).await
}

/// What a request wants printed.
struct Wanted {
    batch: String,
    from: i64,
    to: Option<i64>,
    zpl: bool,
    dots: u32,
    font: String,
}

fn wanted(query: &str) -> Result<Wanted> {
    let mut wanted = Wanted {
        batch: String::new(),
        from: 1,
        to: None,
        zpl: false,
        dots: 8,
        font: String::from("E:SIMSUN.FNT"),
    };
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let number = || text.parse().map_err(|_| Problem::invalid(name.as_ref(), "应为整数"));
        match (&*name, &*text) {
            ("batch", _) => wanted.batch = text.into_owned(),
            ("from", _) => wanted.from = number()?,
            ("to", _) => wanted.to = Some(number()?),
            ("format", "pdf") => {}
            ("format", "zpl") => wanted.zpl = true,
            ("format", _) => return Err(Problem::invalid("format", "应为 pdf 或 zpl")),
            ("dpi", "203") => wanted.dots = 8,
            ("dpi", "300") => wanted.dots = 12,
            ("dpi", "600") => wanted.dots = 24,
            ("dpi", _) => return Err(Problem::invalid("dpi", "应为 203、300 或 600")),
            ("font", font) => {
                let sound = (3..=20).contains(&font.len())
                    && font
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b":._-".contains(&byte));
                if !sound {
                    return Err(Problem::invalid("font", "应为打印机内的字体，如 E:SIMSUN.FNT"));
                }
                wanted.font = String::from(font);
            }
            (other, _) => return Err(Problem::invalid(other, "没有这个查询条件")),
        }
    }
    Ok(wanted)
}

async fn print(ctx: &Ctx, id: &str, query: &str) -> Result<Response> {
    let wanted = wanted(query)?;
    let mut tx = ctx.begin().await?;
    let of_templates = ctx.under("label_template:read")?;
    let template = template(&of_templates, &mut tx, id).await?;
    let missing = || Problem::invalid("batch", "没有这个赋码批次，或不在您的数据权限范围内");
    let batch = wanted.batch.parse().map_err(|_| missing())?;
    let batch = tx.get::<CodeBatch>(ctx, batch).await.map_err(|problem| match problem {
        Problem::NotFound(_) => missing(),
        other => other,
    })?;
    let (from, size) = (wanted.from, batch.data.size);
    let to = wanted.to.unwrap_or_else(|| size.min(from.saturating_add(LABELS_MAX - 1)));
    if from < 1 || to < from || to > size || to - from >= LABELS_MAX {
        let detail = format!("序号应在 1 至 {size} 之间，一次至多 {LABELS_MAX} 个");
        return Err(Problem::invalid("from", detail));
    }
    let drawings = drawings(ctx, &mut tx, (&template.data, &batch), (from, to)).await?;
    let record = batch.id.to_string();
    let body = json!({ "from": from, "to": to, "template": id, "recipient": ctx.actor() });
    let entry = audit::Entry { action: "printed", entity: CodeBatch::TABLE, record: &record, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    let name = &batch.data.code;
    if wanted.zpl {
        let printer =
            Printer { dots: wanted.dots, font: &wanted.font, kind: template.data.symbol_kind() };
        let text: String = drawings.iter().map(|drawing| zpl(drawing, printer)).collect();
        return Ok(download(&format!("{name}.zpl"), "text/plain; charset=utf-8", text.into()));
    }
    let bytes = tokio::task::spawn_blocking(move || sheet(&drawings)).await;
    let bytes = bytes.map_err(Problem::internal)?;
    Ok(download(&format!("{name}.pdf"), "application/pdf", bytes.into()))
}

/// What an activation said of each code.
async fn lots(tx: &mut Tx, batch: &str, (from, to): (i64, i64)) -> Result<Vec<[String; 3]>> {
    let sql = Sql::new(
        "SELECT s.first_index, s.last_index, a.lot, a.produced_on, a.expires_on FROM code_span s \
         JOIN code_act a ON a.id = s.act_id WHERE s.batch_id = $1 AND s.last_index >= $2 \
         AND s.first_index <= $3 ORDER BY s.first_index LIMIT $4",
    );
    let sql = sql.arg(batch).arg(from - 1).arg(to - 1).arg(LABELS_MAX);
    let count = usize::try_from(to - from + 1).unwrap_or(0);
    let mut told = vec![[String::new(), String::new(), String::new()]; count];
    for row in tx.fetch(sql).await? {
        let (first, last) = (row.int(0)?.max(from - 1), row.int(1)?.min(to - 1));
        for number in first..=last {
            let place = usize::try_from(number - (from - 1)).unwrap_or(usize::MAX);
            if let Some(place) = told.get_mut(place) {
                for (index, word) in place.iter_mut().enumerate() {
                    *word = String::from(row.text_opt(index + 2)?.unwrap_or_default());
                }
            }
        }
    }
    Ok(told)
}

async fn drawings(
    ctx: &Ctx,
    tx: &mut Tx,
    (template, batch): (&LabelTemplate, &Stored<CodeBatch>),
    (from, to): (i64, i64),
) -> Result<Vec<Drawing>> {
    let maker = Maker::of(ctx, tx, batch).await?;
    let subject = batch.data.subject_id.to_string();
    let subject = yj_subject::by_ids(tx, &[&subject]).await?.into_values().next();
    let subject = subject.map(|subject| subject.name).unwrap_or_default();
    let product = batch.data.product_id.map(|id| id.to_string()).unwrap_or_default();
    let product = crate::by_ids(tx, &[&product]).await?.into_values().next();
    let (name, spec) =
        product.map(|product| (product.name, product.spec.unwrap_or_default())).unwrap_or_default();
    let lots = lots(tx, &batch.id.to_string(), (from, to)).await?;
    let mut drawings = Vec::with_capacity(lots.len());
    for (number, [lot, produced, expires]) in (from..=to).zip(lots) {
        let code = maker.code(number - 1)?;
        let words = [
            name.clone(),
            spec.clone(),
            lot,
            produced,
            expires,
            subject.clone(),
            printed(&code),
            address(ctx, &code),
            number.to_string(),
        ];
        let filled = Filled { words, code: String::from(bare(&code)), elements: elements(&code) };
        let unfit = |error: yj_label::Unfit| Problem::invalid("lines", error.0);
        drawings.push(template.drawing(&filled).map_err(unfit)?);
    }
    Ok(drawings)
}

/// The code as scanners take it; that of a logistic unit is its digits.
fn bare(canonical: &str) -> &str {
    canonical.strip_prefix("/00/").unwrap_or(canonical)
}

/// The code as people read it: `(01)…(21)…`.
fn printed(canonical: &str) -> String {
    let bare = bare(canonical);
    let data = bare.starts_with('/').then(|| Gs1Data::read(bare)?.ok()).flatten();
    data.map_or_else(|| String::from(bare), |data| data.bracketed())
}

/// A path of GS1 as elements: `/01/…/21/…` is `01…21…`, with FNC1 where one is wanted.
fn elements(canonical: &str) -> Option<String> {
    canonical.starts_with('/').then_some(())?;
    Some(Gs1Data::read(canonical)?.ok()?.concatenated())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_elements() {
        assert_eq!(elements("/01/06901234567892/21/5").as_deref(), Some("0106901234567892215"));
        assert_eq!(elements("/00/106141412345678908").as_deref(), Some("00106141412345678908"));
        assert_eq!(elements("88.118.8/1"), None);
    }

    #[test]
    fn people_read_elements_with_their_identifiers_in_brackets() {
        assert_eq!(printed("/01/06901234567892/21/5"), "(01)06901234567892(21)5");
        assert_eq!(printed("/01/06901234567892/10/L1"), "(01)06901234567892(10)L1");
        assert_eq!(printed("/00/106141412345678908"), "106141412345678908");
        assert_eq!(printed("88.118.8/1"), "88.118.8/1");
        assert_eq!(bare("/01/06901234567892/21/5"), "/01/06901234567892/21/5");
    }
}
