//! The codes of a batch as a file, made while it is sent: a million lines need no more memory than
//! some thousand.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use serde_json::json;
use yj_crypto::Shuffle;
use yj_kernel::{Ctx, Problem, Resource as _, Result, Sql, Stored, Tx, audit, disposition};
use yj_model::Form;

use crate::{
    code_batch::{CodeBatch, open_key},
    code_lookup,
};

/// Codes of one file.
const EXPORT_MAX: i64 = 10_000_000;
/// Files of codes that one person may take within a day.
const EXPORTS_A_DAY: i64 = 50;
const DAY_MS: i64 = 24 * 3_600_000;
/// Codes made at once.
const CHUNK: i64 = 4_096;

/// What of a batch goes into a file.
struct Wanted {
    csv: bool,
    from: i64,
    to: i64,
}

fn wanted(query: &str, size: i64) -> Result<Wanted> {
    let mut wanted = Wanted { csv: true, from: 1, to: size };
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let number = || text.parse().map_err(|_| Problem::invalid(name.as_ref(), "应为整数"));
        match (&*name, &*text) {
            ("format", "csv") => {}
            ("format", "txt") => wanted.csv = false,
            ("format", _) => return Err(Problem::invalid("format", "应为 csv 或 txt")),
            ("from", _) => wanted.from = number()?,
            ("to", _) => wanted.to = number()?,
            (other, _) => return Err(Problem::invalid(other, "没有这个查询条件")),
        }
    }
    if wanted.from < 1 || wanted.to < wanted.from || wanted.to > size {
        let detail = format!("序号应在 1 至 {size} 之间，且起始不大于截止");
        return Err(Problem::invalid("from", detail));
    }
    if wanted.to - wanted.from >= EXPORT_MAX {
        let detail = format!("一个文件至多 {EXPORT_MAX} 个编码，请用起止序号分次导出");
        return Err(Problem::invalid("to", detail));
    }
    Ok(wanted)
}

/// What makes the codes of a batch.
pub(crate) struct Maker {
    form: Form,
    shuffle: Option<Shuffle>,
    first: i64,
}

impl Maker {
    /// For a stored batch.
    pub(crate) async fn of(ctx: &Ctx, tx: &mut Tx, batch: &Stored<CodeBatch>) -> Result<Self> {
        let (id, form) = (batch.id.to_string(), batch.data.form()?);
        let sql = Sql::new("SELECT sealed FROM code_key WHERE batch_id = $1");
        let sealed = tx.fetch_one(sql.arg(id.as_str())).await?;
        let key = match &sealed {
            Some(row) => Some(open_key(ctx.app(), &id, row.text(0)?)?),
            None => None,
        };
        let shuffle = key.map(|key| Shuffle::new(&key, form.tail.capacity()));
        Ok(Self { form, shuffle, first: batch.data.first_no.unwrap_or(0) })
    }

    /// The code with a number, from 0.
    pub(crate) fn code(&self, number: i64) -> Result<String> {
        code_lookup::code(&self.form, self.shuffle.as_ref(), self.first, number)
    }
}

/// What a code is printed as: the address that a phone opens.
pub(crate) fn address(ctx: &Ctx, canonical: &str) -> String {
    let base = ctx.app().platform().public_url.trim_end_matches('/');
    if canonical.starts_with('/') {
        format!("{base}{canonical}")
    } else if canonical.bytes().all(|byte| byte.is_ascii_alphanumeric()) && canonical.len() == 20 {
        format!("{base}/t/{canonical}")
    } else {
        format!("{base}/id/{canonical}")
    }
}

/// The file. Its beginning is written down before the first code leaves.
pub(crate) async fn answer(
    ctx: &Ctx,
    mut tx: Tx,
    batch: &Stored<CodeBatch>,
    query: &str,
) -> Result<Response> {
    let wanted = wanted(query, batch.data.size)?;
    let done = audit::done_since(&mut tx, (ctx.actor(), "took_codes"), ctx.now_ms() - DAY_MS);
    if done.await? >= EXPORTS_A_DAY {
        let detail = format!("一天至多导出 {EXPORTS_A_DAY} 个编码文件，请明天再试");
        return Err(Problem::TooMany(detail));
    }
    let maker = Maker::of(ctx, &mut tx, batch).await?;
    let id = batch.id.to_string();
    let body = json!({ "from": wanted.from, "to": wanted.to, "recipient": ctx.actor() });
    let entry = audit::Entry { action: "took_codes", entity: CodeBatch::TABLE, record: &id, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    let (ctx, csv, to) = (ctx.clone(), wanted.csv, wanted.to);
    let head = if csv { "\u{feff}序号,编码,网址\r\n" } else { "" };
    let lines = futures_util::stream::unfold(wanted.from, move |from| {
        let made = (from <= to).then(|| {
            let until = (from + CHUNK).min(to + 1);
            (chunk(&ctx, &maker, (from, until), csv), until)
        });
        std::future::ready(made)
    });
    let begun = futures_util::stream::once(std::future::ready(Ok(Bytes::from(head))));
    let mut response =
        Response::new(Body::from_stream(futures_util::StreamExt::chain(begun, lines)));
    let (kind, ending) =
        if csv { ("text/csv; charset=utf-8", "csv") } else { ("text/plain; charset=utf-8", "txt") };
    let name = disposition(&format!("{}.{ending}", batch.data.code));
    for (header, value) in [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &name)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(header, value);
        }
    }
    Ok(response)
}

fn chunk(
    ctx: &Ctx,
    maker: &Maker,
    (from, until): (i64, i64),
    csv: bool,
) -> Result<Bytes, std::io::Error> {
    let mut text = String::new();
    for number in from..until {
        let code = maker.code(number - 1).map_err(|_| std::io::Error::other("编码超出批次"))?;
        if csv {
            let address = address(ctx, &code);
            text.push_str(&format!("{number},{},{address}\r\n", printed(&code)));
        } else {
            text.push_str(printed(&code));
            text.push('\n');
        }
    }
    Ok(Bytes::from(text))
}

/// The code as people write it: a logistic unit by its digits alone.
fn printed(canonical: &str) -> &str {
    canonical.strip_prefix("/00/").unwrap_or(canonical)
}
