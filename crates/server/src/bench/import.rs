//! A sheet of a million rows through the import door: how long it takes, and how much memory.

use std::{io::Write as _, path::Path, time::Instant};

use axum::body::Body;
use futures_util::stream;
use serde_json::Value;
use yj_model::SubjectCode;
use yj_server::Assembled;

use super::{client::Client, forget_peak, line, peak, rate, subject};
use crate::commands::say;

/// Rows of one piece of the body.
const PIECE: usize = 1000;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    rows: usize,
) -> Result<(), String> {
    let subject = subject(assembled).await?;
    let client = Client::log_in(assembled, folder).await?;
    let file = csv(&subject, rows);
    take(assembled, &client, ("CSV", file), rows).await?;
    let file = folder.join("bench.xlsx");
    xlsx(&file, &subject, rows).map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&file).map_err(|error| error.to_string())?;
    let _ = std::fs::remove_file(&file);
    let name = format!("XLSX（{} MiB）", bytes.len() >> 20);
    take(assembled, &client, (&name, Body::from(bytes)), rows).await
}

async fn take(
    assembled: &Assembled,
    client: &Client,
    (name, file): (&str, Body),
    rows: usize,
) -> Result<(), String> {
    forget_peak();
    let begun = Instant::now();
    let path = "/api/v1/trace/imports?domain=agri&type=harvest&name=bench";
    let queued = client.upload(path, file).await?;
    line(&format!("{name}：上传、检查、分份"), &format!("{:.1?}", begun.elapsed()), "≤ 60 s");
    line("　内存峰值", &peak(), "≤ 512 MiB");
    forget_peak();
    let begun = Instant::now();
    while yj_kernel::jobs::run_next(&assembled.app).await.map_err(say)? {}
    line(&format!("{name}：逐行登记"), &rate(rows, begun.elapsed()), "≥ 1000 条/秒");
    line("　内存峰值", &peak(), "≤ 512 MiB");
    let job = queued["job"].as_str().unwrap_or_default();
    let job = client.get(&format!("/api/v1/jobs/{job}")).await?;
    let job: Value = serde_json::from_slice(&job).map_err(|error| error.to_string())?;
    if job["state"] == "done" && job["failed"] == 0 && job["done"] == rows {
        return Ok(());
    }
    Err(format!("任务没有全部完成：{job}"))
}

const HEADER: [&str; 11] = [
    "主体代码",
    "发生时间",
    "产出追溯码",
    "产出数量",
    "产出单位",
    "产品代码",
    "批次号",
    "地块编号",
    "面积（亩）",
    "品种",
    "播种日期",
];

fn cells(subject: &SubjectCode, (file, number): (&str, usize)) -> [String; 11] {
    [
        subject.to_string(),
        format!("2026-01-{:02} {:02}:{:02}", number % 28 + 1, number % 24, number % 60),
        format!("{file}{number:08}"),
        format!("{}.5", number % 900 + 1),
        String::from("千克"),
        String::from("YJ-JC-01"),
        format!("PL{:05}", number / 50),
        String::from("测量地块"),
        String::from("5"),
        String::from("测量"),
        String::from("2025-09-01"),
    ]
}

/// A file that is made while it is sent.
fn csv(subject: &SubjectCode, rows: usize) -> Body {
    let subject = subject.clone();
    let pieces = (0..rows.div_ceil(PIECE)).map(move |piece| {
        let mut text = if piece == 0 { format!("{}\n", HEADER.join(",")) } else { String::new() };
        for number in piece * PIECE..((piece + 1) * PIECE).min(rows) {
            text.push_str(&cells(&subject, ("BC", number)).join(","));
            text.push('\n');
        }
        Ok::<_, std::convert::Infallible>(text)
    });
    Body::from_stream(stream::iter(pieces))
}

/// A file as Excel writes it, its texts shared, made without holding it.
fn xlsx(path: &Path, subject: &SubjectCode, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut archive = zip::ZipWriter::new(file);
    let packed = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    for (name, text) in [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" Type=\"{links}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{links}\"><sheets><sheet name=\"采收\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{links}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\" Type=\"{links}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
            ),
        ),
    ] {
        archive.start_file(name, packed)?;
        archive.write_all(text.as_bytes())?;
    }
    // The code of each row is a text of its own; the others are shared by many.
    archive.start_file("xl/sharedStrings.xml", packed)?;
    write!(archive, "<sst xmlns=\"{main}\" uniqueCount=\"{}\">", HEADER.len() + rows)?;
    for name in HEADER {
        write!(archive, "<si><t>{name}</t></si>")?;
    }
    for number in 0..rows {
        write!(archive, "<si><t>{}</t></si>", cells(subject, ("BX", number))[2])?;
    }
    write!(archive, "</sst>")?;
    archive.start_file("xl/worksheets/sheet1.xml", packed)?;
    write!(archive, "<worksheet xmlns=\"{main}\"><sheetData><row r=\"1\">")?;
    for (at, letter) in ('A'..='K').enumerate() {
        write!(archive, "<c r=\"{letter}1\" t=\"s\"><v>{at}</v></c>")?;
    }
    write!(archive, "</row>")?;
    for number in 0..rows {
        let row = number + 2;
        write!(archive, "<row r=\"{row}\">")?;
        for (letter, cell) in ('A'..='K').zip(cells(subject, ("BX", number))) {
            if letter == 'C' {
                let shared = HEADER.len() + number;
                write!(archive, "<c r=\"{letter}{row}\" t=\"s\"><v>{shared}</v></c>")?;
            } else {
                write!(
                    archive,
                    "<c r=\"{letter}{row}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>"
                )?;
            }
        }
        write!(archive, "</row>")?;
    }
    write!(archive, "</sheetData></worksheet>")?;
    archive.finish()?.flush()?;
    Ok(())
}
