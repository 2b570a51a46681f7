//! The job of an import: the rows of the kept parts, chunk by chunk, each with its result. Besides one
//! part and the wrong rows for the file that its submitter gets back, nothing is held in memory.

use serde_json::{Map, Value, json};
use yj_domain::EventType;
use yj_kernel::{
    Ctx, FieldError, JobRun, Outcome, Problem, Result, RowResult, Tx, attachment,
    jobs::{self, SheetRow},
    transfer,
};
use yj_sheet::{Column, Table};

use super::{
    layout::{KIND, Layout, WRONG},
    messages::{self, Door},
    telling::{self, Taken},
};
use crate::{
    capture::{Captured, Source, capture_in},
    event::TraceEvent,
    query::event_id,
};

/// Rows of one transaction.
const CHUNK: usize = 500;
/// Wrong rows after which a job stops: nobody mends more by hand.
const WRONG_MAX: usize = 10_000;
/// Bytes of wrong rows that are kept for the file.
const WRONG_BYTES_MAX: usize = 8 << 20;
/// Tries when others write the same codes at the same moment.
const TRIES: usize = 3;

/// A row of a part.
struct Line {
    /// Which row of the job, counted from 1.
    number: i64,
    /// Which sheet, and which row of it; of a message which record.
    sheet: usize,
    row: u64,
    /// How people are told of it.
    place: String,
    cells: Map<String, Value>,
}

/// Rows that were refused, for the file that goes back.
#[derive(Default)]
struct Wrong {
    count: usize,
    bytes: usize,
    rows: Vec<(Line, String)>,
}

impl Wrong {
    fn add(&mut self, line: Line, errors: &[FieldError]) {
        self.count += 1;
        if self.bytes > WRONG_BYTES_MAX {
            return;
        }
        let said: Vec<_> = errors.iter().map(|error| error.detail.as_str()).collect();
        let said = said.join("；");
        let cells = line.cells.values().filter_map(Value::as_str).map(str::len).sum::<usize>();
        self.bytes += cells + said.len();
        self.rows.push((line, said));
    }
}

pub(super) async fn run(run: &JobRun) -> Result<Value> {
    let total = run.params["rows"].as_i64().unwrap_or(0);
    run.expect(total).await?;
    let (mut begun, mut wrong) = (0i64, Wrong::default());
    for part in run.params["parts"].as_array().into_iter().flatten() {
        let rows = part["rows"].as_i64().unwrap_or(0);
        // A job that goes on after a crash leaves alone what is done.
        if begun + rows > run.first_row {
            let file = part["file"].as_str().unwrap_or_default();
            let mut tx = run.ctx.snapshot().await?;
            let found = attachment::open(&run.ctx, &mut tx, file).await?;
            drop(tx);
            let lines = lines(&run.params, (begun, &found.bytes));
            let mut lines =
                lines.filter(|line| line.as_ref().map_or(true, |line| line.number > run.first_row));
            loop {
                let chunk: Vec<_> = lines.by_ref().take(CHUNK).collect::<Result<_>>()?;
                if chunk.is_empty() {
                    break;
                }
                take_chunk(run, chunk, &mut wrong).await?;
                if wrong.count > WRONG_MAX {
                    return ended(run, wrong, true).await;
                }
            }
        }
        begun += rows;
    }
    ended(run, wrong, false).await
}

/// The rows of a part, each as the cells of its row.
fn lines<'a>(
    params: &'a Value,
    (begun, bytes): (i64, &'a [u8]),
) -> impl Iterator<Item = Result<Line>> + 'a {
    let sheets = params["sheets"].as_array().map_or(&[][..], Vec::as_slice);
    let texts = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (begun + 1..).zip(texts).map(move |(number, text)| {
        let mut values: Vec<Value> = serde_json::from_slice(text).map_err(Problem::internal)?;
        let whole = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or(0);
        let (sheet, row) = (whole(values.first()), whole(values.get(1)));
        let sheet = usize::try_from(sheet).map_err(Problem::internal)?;
        let of = sheets.get(sheet).unwrap_or(&Value::Null);
        let place = match sheets {
            [] => format!("第 {row} 条"),
            [_] => format!("第 {row} 行"),
            _ => format!("{} 第 {row} 行", of["name"].as_str().unwrap_or_default()),
        };
        let mut cells = Map::new();
        if let Some(Value::Object(object)) = values.get_mut(2) {
            cells = std::mem::take(object);
        } else {
            if self::text(params, "type").is_empty() {
                cells.insert(String::from(KIND), of["type"].clone());
            }
            let names = of["columns"].as_array().map_or(&[][..], Vec::as_slice);
            let names = names.iter().filter_map(Value::as_str);
            for (name, cell) in names.zip(values.into_iter().skip(2)) {
                if !WRONG.contains(&name) {
                    cells.insert(String::from(name), cell);
                }
            }
        }
        Ok(Line { number, sheet, row, place, cells })
    })
}

async fn take_chunk(run: &JobRun, lines: Vec<Line>, wrong: &mut Wrong) -> Result<()> {
    if Door::find(text(&run.params, "message")).is_some() {
        for line in lines {
            take_one(run, line, wrong).await?;
        }
        return Ok(());
    }
    for attempt in 1..=TRIES {
        let mut tx = run.ctx.begin().await?;
        let outcomes = outcomes(&run.ctx, &mut tx, (&run.params, &lines)).await;
        let done = match outcomes {
            Ok(outcomes) => {
                let results: Vec<_> = lines
                    .iter()
                    .zip(outcomes)
                    .map(|(line, outcome)| result(line, outcome))
                    .collect();
                run.note(&mut tx, &results).await?;
                tx.commit().await.map(|()| results)
            }
            Err(problem) => Err(problem),
        };
        match done {
            Ok(results) => {
                run.noted();
                for (line, result) in lines.into_iter().zip(results) {
                    if let Outcome::Failed(errors) = &result.outcome {
                        wrong.add(line, errors);
                    }
                }
                return Ok(());
            }
            // Somebody else stored the same code or content between our look and our write.
            Err(Problem::Duplicate(_) | Problem::Unavailable(_)) if attempt < TRIES => {}
            Err(Problem::Duplicate(_) | Problem::Unavailable(_)) => break,
            Err(problem) => return Err(problem),
        }
    }
    // One of them cannot be stored with the others: each by itself.
    for line in lines {
        take_one(run, line, wrong).await?;
    }
    Ok(())
}

/// Takes in a row in a transaction of its own.
async fn take_one(run: &JobRun, line: Line, wrong: &mut Wrong) -> Result<()> {
    let mut tx = run.ctx.begin().await?;
    let mut attempt = 1;
    let outcome = loop {
        let row = SheetRow { params: &run.params, cells: &line.cells };
        match row_outcome(&run.ctx, &mut tx, row).await {
            Ok(outcome) => break outcome,
            // Somebody else writes the same at the same moment.
            Err(Problem::Duplicate(_) | Problem::Unavailable(_)) if attempt < TRIES => {
                attempt += 1;
                tx = run.ctx.begin().await?;
            }
            Err(problem) => {
                let refused = Outcome::refused(problem)?;
                tx = run.ctx.begin().await?;
                break refused;
            }
        }
    };
    let result = result(&line, outcome);
    run.note(&mut tx, std::slice::from_ref(&result)).await?;
    tx.commit().await?;
    run.noted();
    if let Outcome::Failed(errors) = &result.outcome {
        wrong.add(line, errors);
    }
    Ok(())
}

/// What was taken in is a record now; only what is to be mended is kept as it came.
fn result(line: &Line, outcome: Outcome) -> RowResult {
    let source = match &outcome {
        Outcome::Done(_) | Outcome::Changed(_) => Value::Null,
        Outcome::Duplicate(_) | Outcome::Failed(_) => Value::Object(line.cells.clone()),
    };
    RowResult { row: line.number, place: Some(line.place.clone()), outcome, source }
}

fn text<'a>(params: &'a Value, name: &str) -> &'a str {
    params[name].as_str().unwrap_or_default()
}

/// The layouts of the event types that a job's rows may be of.
async fn layouts(ctx: &Ctx, tx: &mut Tx, params: &Value) -> Result<Vec<Layout>> {
    let domains = yj_domain::current(tx).await?;
    let pack = domains.in_force(text(params, "domain"), ctx.today());
    let pack = pack.ok_or(Problem::NotFound("领域"))?;
    let only = text(params, "type");
    let wanted = pack.events().filter(|(_, event)| only.is_empty() || event.code == only);
    let specs = wanted.filter_map(|(_, event)| EventType::find(pack, &event.code));
    Ok(specs.map(Layout::of).collect())
}

/// The event that a row tells and the columns it is told in, or what is wrong with the row itself.
fn event<'a>(
    layouts: &'a [Layout],
    params: &Value,
    cells: &Map<String, Value>,
) -> Result<(TraceEvent, &'a Layout)> {
    let layout = match layouts {
        [only] => Some(only),
        all => {
            let kind = cells.get(KIND).and_then(Value::as_str).unwrap_or_default();
            all.iter().find(|one| one.spec().code == kind || one.spec().name == kind)
        }
    };
    let layout = layout.ok_or_else(|| {
        let known: Vec<_> = layouts.iter().map(|one| one.spec().name.as_str()).collect();
        Problem::invalid(KIND, format!("没有这个事件类型，应为：{}", known.join("、")))
    })?;
    let event = layout.event(text(params, "domain"), cells).map_err(Problem::Invalid)?;
    Ok((event, layout))
}

fn outcome(captured: Captured, layout: &Layout) -> Result<Outcome> {
    match captured {
        Captured::Refused(Problem::Invalid(errors)) => Ok(Outcome::Failed(layout.blamed(errors))),
        Captured::New { id, .. } => Ok(Outcome::Done(event_id(&id)?)),
        Captured::Duplicate { id } => Ok(Outcome::Duplicate(id)),
        Captured::Refused(problem) => Outcome::refused(problem),
    }
}

/// What becomes of several rows in one transaction.
async fn outcomes(
    ctx: &Ctx,
    tx: &mut Tx,
    (params, lines): (&Value, &[Line]),
) -> Result<Vec<Outcome>> {
    let layouts = layouts(ctx, tx, params).await?;
    let told: Vec<_> = lines.iter().map(|line| event(&layouts, params, &line.cells)).collect();
    let events: Vec<TraceEvent> =
        told.iter().filter_map(|one| one.as_ref().ok()).map(|(event, _)| event.clone()).collect();
    let captured = match events.as_slice() {
        [] => Vec::new(),
        events => capture_in(ctx, tx, Source::Import, events).await?,
    };
    let mut captured = captured.into_iter();
    let missing = || Problem::internal("a captured row without a result");
    let one = |told: Result<(TraceEvent, &Layout)>| match told {
        Ok((_, layout)) => outcome(captured.next().ok_or_else(missing)?, layout),
        Err(problem) => Outcome::refused(problem),
    };
    told.into_iter().map(one).collect()
}

/// What becomes of one row: of a file, or of a failed one that was mended.
pub(super) async fn row_outcome(ctx: &Ctx, tx: &mut Tx, row: SheetRow<'_>) -> Result<Outcome> {
    if let Some(door) = Door::find(text(row.params, "message")) {
        let stories = messages::retell(door, messages::flats(row.cells));
        let [story] = stories.as_slice() else {
            let detail = "这些记录不再属于同一凭证，请更正后作为报文重新发送";
            return Err(Problem::Conflict(String::from(detail)));
        };
        return match telling::take_in(ctx, tx, Source::Import, story).await? {
            Taken::New { ids, .. } => Ok(Outcome::Done(ids.into_iter().next().unwrap_or_default())),
            Taken::Duplicate(id) => Ok(Outcome::Duplicate(id)),
            // As a problem, so that nothing of it stays.
            Taken::Refused(problem) => Err(problem),
        };
    }
    let layouts = layouts(ctx, tx, row.params).await?;
    let (event, layout) = event(&layouts, row.params, row.cells)?;
    let captured = capture_in(ctx, tx, Source::Import, std::slice::from_ref(&event)).await?;
    let one = captured.into_iter().next();
    outcome(one.ok_or_else(|| Problem::internal("a captured row without a result"))?, layout)
}

/// The end of a job: its wrong rows as a file in the columns they came in.
async fn ended(run: &JobRun, wrong: Wrong, stopped: bool) -> Result<Value> {
    let mut answer = json!({ "rows": run.params["rows"], "wrong": wrong.count });
    if stopped {
        answer["stopped"] = json!(format!(
            "错误超过 {WRONG_MAX} 行，已停止；请更正文件后重新导入，已接收的行不会重复登记"
        ));
    }
    if wrong.rows.is_empty() {
        return Ok(answer);
    }
    let table = table(&run.params, wrong);
    let bytes = tokio::task::spawn_blocking(move || yj_sheet::write_csv(&table));
    let bytes = bytes.await.map_err(Problem::internal)?.map_err(Problem::internal)?;
    let mut tx = run.ctx.begin().await?;
    let expires_at = Some(run.ctx.now_ms() + jobs::SOURCE_KEPT_MS);
    let upload =
        attachment::Upload { name: "错误的行.csv", bytes: bytes.into(), of: None, expires_at };
    let file = attachment::store(&run.ctx, &mut tx, upload).await?;
    tx.commit().await?;
    answer["file"] = file["id"].clone();
    Ok(answer)
}

fn table(params: &Value, wrong: Wrong) -> Table {
    let mut names: Vec<String> = Vec::new();
    for (line, _) in &wrong.rows {
        for name in line.cells.keys() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    let of =
        |sheet: usize| String::from(params["sheets"][sheet]["name"].as_str().unwrap_or_default());
    let row = |(line, said): &(Line, String)| {
        let cell = |name: &String| {
            String::from(line.cells.get(name).and_then(Value::as_str).unwrap_or_default())
        };
        [of(line.sheet), line.row.to_string(), said.clone()]
            .into_iter()
            .chain(names.iter().map(cell))
            .collect()
    };
    let rows = wrong.rows.iter().map(row).collect();
    let columns = WRONG.iter().map(|name| String::from(*name)).chain(names);
    let column = |name| Column { name, ..Column::default() };
    Table { columns: columns.map(column).collect(), rows, ..Table::default() }
}

/// A file that was queued whole by an earlier version.
pub(super) async fn run_whole(run: &JobRun) -> Result<Value> {
    let sheet = transfer::uploaded(run).await?;
    let labels: Vec<_> = sheet.header.iter().map(String::as_str).collect();
    transfer::take_in(run, &labels, &sheet).await
}
