//! A file at the door: read as it comes, checked, and kept as sealed parts of plain rows for the job.
//! Whatever it was, a sheet of a million rows or a message of ten, the job sees rows alike; and neither
//! of them ever holds the whole file, but for XLSX, which is read from its end.

use std::io::{Cursor, Read};

use axum::RequestExt as _;
use axum::extract::{Request, rejection::LengthLimitError};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use yj_kernel::{Ctx, FieldError, Problem, Result, attachment, jobs};
use yj_message::MessageError;
use yj_sheet::{Bounds, CODES, NOTES, Row, SheetError, Visit};

use super::{
    layout::{self, Layout},
    messages::{self, Door},
};

/// Largest file at this door, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 256 << 20;
/// A part is sealed and stored when it has grown to this many bytes.
const PART_BYTES: usize = 4 << 20;
/// Pieces of the body that wait for the reader.
const WAITING: usize = 4;

/// What a file is to be read as.
pub(super) enum Wanted {
    /// Sheets of event types: one, or those of a template.
    Events(Vec<Layout>),
    /// A message.
    Message(Door),
}

/// A sheet of a file.
#[derive(Debug, Clone)]
pub(super) struct SheetOf {
    /// Code of its event type.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

impl SheetOf {
    pub(super) fn json(&self) -> Value {
        json!({ "type": self.kind, "name": self.name, "columns": self.columns })
    }
}

/// Rows of a file, one JSON list in each line: sheet, number of the row, cells.
struct Part {
    bytes: Vec<u8>,
    rows: usize,
}

/// A file that was taken in.
pub(super) struct Taken {
    pub(super) sheets: Vec<SheetOf>,
    /// Identifiers of the parts with their numbers of rows.
    pub(super) parts: Vec<(String, usize)>,
    pub(super) rows: usize,
}

/// Takes in the body of a request.
pub(super) async fn take_in(
    ctx: &Ctx,
    (wanted, name): (Wanted, &str),
    request: Request,
) -> Result<Taken> {
    let (feed, fed) = mpsc::channel(WAITING);
    let (emit, mut parts) = mpsc::channel(1);
    let reading = tokio::task::spawn_blocking(move || {
        let mut reader = Reading {
            wanted,
            current: String::new(),
            sheets: Vec::new(),
            part: Part::empty(),
            emit,
            failed: None,
        };
        let read = reader.read(Fed { fed, piece: Bytes::new() });
        (read, reader.failed, reader.sheets)
    });
    let pump = pump(request, feed);
    let keep = async {
        let mut kept = Vec::new();
        while let Some(part) = parts.recv().await {
            match keep(ctx, name, (kept.len() + 1, part)).await {
                Ok(one) => kept.push(one),
                Err(problem) => {
                    parts.close();
                    return Err(problem);
                }
            }
        }
        Ok(kept)
    };
    let (pumped, kept) = tokio::join!(pump, keep);
    let (read, failed, sheets) = reading.await.map_err(Problem::internal)?;
    let parts = kept?;
    pumped?;
    if let Some(problem) = failed {
        return Err(problem);
    }
    read.map_err(|error| Problem::invalid("file", error.to_string()))?;
    let rows = parts.iter().map(|(_, rows)| rows).sum();
    if rows == 0 {
        return Err(Problem::invalid("file", "文件中没有数据行，第一行为列名，其后每行一条"));
    }
    Ok(Taken { sheets, parts, rows })
}

/// Hands the body on, piece by piece. A reader that has seen enough says itself why; the rest is let
/// pass, for who is still sending does not hear an answer.
async fn pump(request: Request, feed: mpsc::Sender<std::io::Result<Bytes>>) -> Result<()> {
    let mut body = request.into_limited_body().into_data_stream();
    let mut heard = true;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(piece) if heard => heard = feed.send(Ok(piece)).await.is_ok(),
            Ok(_) => {}
            Err(error) => {
                let broken = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
                let heard = heard && feed.send(Err(broken)).await.is_ok();
                return if heard { Err(refusal(&error)) } else { Ok(()) };
            }
        }
    }
    Ok(())
}

fn refusal(error: &axum::Error) -> Problem {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if one.is::<LengthLimitError>() || one.to_string().contains("length limit") {
            let most = FILE_BYTES_MAX >> 20;
            return Problem::TooLarge(format!("文件至多 {most} MiB，请拆分后分批导入"));
        }
        cause = one.source();
    }
    Problem::Malformed(String::from("文件没有完整到达，请重试"))
}

async fn keep(ctx: &Ctx, name: &str, (number, part): (usize, Part)) -> Result<(String, usize)> {
    let stem: String = name.chars().take(100).collect();
    let name = format!("{stem}（第 {number} 部分）");
    let mut tx = ctx.begin().await?;
    let expires_at = Some(ctx.now_ms() + jobs::SOURCE_KEPT_MS);
    let upload = attachment::Upload { name: &name, bytes: part.bytes.into(), of: None, expires_at };
    let file = attachment::store(ctx, &mut tx, upload).await?;
    tx.commit().await?;
    Ok((String::from(file["id"].as_str().unwrap_or_default()), part.rows))
}

/// The body as something that a parser on a thread of its own can read.
struct Fed {
    fed: mpsc::Receiver<std::io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.fed.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.piece.len());
        buffer[..count].copy_from_slice(&self.piece[..count]);
        self.piece = self.piece.slice(count..);
        Ok(count)
    }
}

impl Part {
    fn empty() -> Self {
        Self { bytes: Vec::new(), rows: 0 }
    }
}

/// A file that is being read.
struct Reading {
    wanted: Wanted,
    /// Name of the sheet that is being read.
    current: String,
    sheets: Vec<SheetOf>,
    part: Part,
    emit: mpsc::Sender<Part>,
    /// Why it is not read on, where that is said field by field.
    failed: Option<Problem>,
}

impl Reading {
    fn read(&mut self, mut file: Fed) -> Result<(), SheetError> {
        let mut head = Vec::new();
        file.by_ref().take(4).read_to_end(&mut head).map_err(|_| incomplete())?;
        let whole = Cursor::new(head.clone()).chain(file);
        if let Wanted::Message(door) = self.wanted {
            self.message(door, whole)?;
        } else if yj_sheet::is_xlsx(&head) {
            let bounds = Bounds::LARGE_XLSX;
            let mut bytes = Vec::new();
            let mut limited = whole.take(bounds.file_bytes + 1);
            limited.read_to_end(&mut bytes).map_err(|_| incomplete())?;
            yj_sheet::visit_xlsx(&bytes, &bounds, self)?;
        } else {
            let bounds = Bounds { file_bytes: FILE_BYTES_MAX as u64, ..Bounds::LARGE_CSV };
            yj_sheet::visit_csv(whole, &bounds, self)?;
        }
        self.flush()
    }

    fn message(&mut self, door: Door, file: impl Read) -> Result<(), SheetError> {
        let mut bytes = Vec::new();
        let mut limited = file.take(yj_message::BYTES_MAX as u64 + 1);
        limited.read_to_end(&mut bytes).map_err(|_| incomplete())?;
        let stories =
            messages::read(door, &bytes).map_err(|MessageError(sentence)| SheetError(sentence))?;
        for story in stories {
            let number = story.records.first().copied().unwrap_or(0);
            let cells = Value::Object(messages::cells(&story.flats));
            self.write(&json!([0, number, cells]))?;
        }
        Ok(())
    }

    fn write(&mut self, row: &Value) -> Result<(), SheetError> {
        let written = serde_json::to_writer(&mut self.part.bytes, row);
        written.map_err(|error| SheetError(error.to_string()))?;
        self.part.bytes.push(b'\n');
        self.part.rows += 1;
        if self.part.bytes.len() >= PART_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), SheetError> {
        if self.part.rows == 0 {
            return Ok(());
        }
        let part = std::mem::replace(&mut self.part, Part::empty());
        self.emit.blocking_send(part).map_err(|_| incomplete())
    }

    fn stop<T>(&mut self, errors: Vec<FieldError>) -> Result<T, SheetError> {
        self.failed = Some(Problem::Invalid(errors));
        Err(incomplete())
    }
}

fn incomplete() -> SheetError {
    SheetError(String::from("文件没有完整到达，请重试"))
}

impl Visit for Reading {
    fn sheet(&mut self, name: &str) -> bool {
        let Wanted::Events(layouts) = &self.wanted else { return false };
        // Of one event type the first sheet is meant, whatever it is called.
        let enough = layouts.len() == 1 && !self.sheets.is_empty();
        let page = name == NOTES || name == CODES;
        self.current = String::from(name);
        !enough && !page
    }

    fn header(&mut self, names: &[String]) -> Result<(), SheetError> {
        let Wanted::Events(layouts) = &self.wanted else { return Ok(()) };
        let found = match layouts.as_slice() {
            [only] => Some(only),
            all => layout::recognise(all, (&self.current, names)),
        };
        let Some(layout) = found else {
            let known: Vec<_> = layouts.iter().map(|one| one.spec().name.as_str()).collect();
            let known = known.join("、");
            let detail = if self.current.is_empty() {
                format!(
                    "这些列不能对应到事件类型，请使用模板的列名，或在导入时选定事件类型：{known}"
                )
            } else {
                let sheet = &self.current;
                format!("工作表“{sheet}”不能对应到事件类型，请保留模板中的工作表名称：{known}")
            };
            return self.stop(vec![FieldError { field: self.current.clone(), detail }]);
        };
        let errors = layout.check(names);
        if !errors.is_empty() {
            return self.stop(errors);
        }
        self.sheets.push(SheetOf {
            kind: layout.spec().code.clone(),
            name: self.current.clone(),
            columns: names.to_vec(),
        });
        Ok(())
    }

    fn row(&mut self, row: Row) -> Result<(), SheetError> {
        if row.cells.iter().any(|cell| layout::is_example(cell)) {
            return Ok(());
        }
        let sheet = self.sheets.len().saturating_sub(1);
        let mut line = vec![json!(sheet), json!(row.number)];
        line.extend(row.cells.into_iter().map(Value::from));
        self.write(&Value::Array(line))
    }
}
