//! Files: evidence, import sources, export results. The bytes go to an object store, what they are
//! goes to the database.

use std::{path::Path as FilePath, sync::Arc};

use bytes::Bytes;
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutPayload, local::LocalFileSystem, path::Path,
};
use serde_json::{Value, json};
use yj_crypto::sm3;

use crate::{
    App, Ctx, Disk, Entity, Problem, Result, Sql, Tx, audit, record,
    vault::{self, DataKey},
};

/// Largest file, in bytes.
pub const SIZE_MAX: usize = 20 << 20;

/// Where the bytes of files lie.
#[derive(Clone)]
pub struct Attachments(Arc<dyn ObjectStore>);

impl Attachments {
    /// Files in a folder of this machine, which is created if needed.
    pub fn local(folder: &FilePath) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Problem::internal)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(Problem::internal)?;
        Ok(Self(Arc::new(store.with_fsync(true))))
    }

    async fn put(&self, id: &str, bytes: Bytes) -> Result<()> {
        self.0.put(&place(id), PutPayload::from_bytes(bytes)).await.map_err(unreachable_store)?;
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<()> {
        match self.0.delete(&place(id)).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(unreachable_store(error)),
        }
    }

    async fn get(&self, id: &str) -> Result<Bytes> {
        let found = self.0.get(&place(id)).await.map_err(unreachable_store)?;
        found.bytes().await.map_err(unreachable_store)
    }
}

/// Spread over folders, so that none holds millions.
fn place(id: &str) -> Path {
    let tail = &id[id.len().saturating_sub(2)..];
    Path::from(format!("{tail}/{id}"))
}

fn unreachable_store(error: object_store::Error) -> Problem {
    if let Some(disk) = of_disk(&error) {
        return disk.refuses_because(&error);
    }
    tracing::error!(%error, "object store");
    Problem::Unavailable(String::from("文件暂不可读写，请稍后重试"))
}

/// What lies at the bottom of it, where that is the disk.
fn of_disk(error: &(dyn std::error::Error + 'static)) -> Option<Disk> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| Disk::of(error.downcast_ref()?))
}

/// A file as it comes in.
pub struct Upload<'a> {
    /// Name for people; never part of a path.
    pub name: &'a str,
    /// The bytes.
    pub bytes: Bytes,
    /// The record it belongs to, as table and id.
    pub of: Option<(&'a str, &'a str)>,
    /// When it goes, in milliseconds since 1970; absent where it stays.
    pub expires_at: Option<i64>,
}

/// What a file is, by its first bytes; only these kinds are taken in.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(b"%PDF-") {
        Some("application/pdf")
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if starts(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if starts(b"PK\x03\x04") {
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    } else if std::str::from_utf8(bytes).is_ok_and(is_plain) {
        Some("text/plain; charset=utf-8")
    } else if yj_sheet::decode(bytes).is_ok_and(|text| is_plain(&text)) {
        Some("text/plain; charset=gb18030")
    } else {
        None
    }
}

/// Text that no browser would run.
fn is_plain(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    !start.starts_with('<')
        && !text.chars().any(|letter| letter.is_control() && !letter.is_whitespace())
}

/// Stores a file: the bytes first, then the row, so that no row ever lacks its bytes.
pub async fn store(ctx: &Ctx, tx: &mut Tx, upload: Upload<'_>) -> Result<Value> {
    let media = media_type(&upload.bytes).ok_or_else(|| {
        Problem::UnsupportedMediaType(String::from(
            "只接受 PDF、PNG、JPEG、XLSX 和纯文本（CSV）文件",
        ))
    })?;
    let name = clean_name(upload.name)?;
    if upload.bytes.is_empty() || upload.bytes.len() > SIZE_MAX {
        return Err(Problem::TooLarge(format!(
            "文件大小应在 1 字节至 {} MiB 之间",
            SIZE_MAX >> 20
        )));
    }
    require_room(ctx, tx, upload.bytes.len()).await?;
    let id = ctx.new_id::<()>().to_string();
    let digest = sm3::hex(&sm3::digest(&upload.bytes));
    let size = i64::try_from(upload.bytes.len()).map_err(Problem::internal)?;
    let key = vault::fresh_data_key(ctx, tx, &id)?;
    let sealed = sealed(ctx, (key, &id), upload.bytes).await?;
    ctx.app().attachments().put(&id, sealed).await?;
    let (entity, record) = upload.of.unzip();
    let sql = Sql::new(
        "INSERT INTO attachment (id, name, size, media_type, sm3, entity, record, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    );
    let sql = sql.arg(id.as_str()).arg(name.as_str()).arg(size).arg(media).arg(digest.as_str());
    let sql = sql.arg(entity).arg(record).arg(ctx.now_ms()).arg(ctx.actor());
    tx.execute(sql.arg(upload.expires_at)).await?;
    Ok(json!({ "id": id, "name": name, "size": size, "media_type": media, "sm3": digest }))
}

/// What one user may store within a day, in bytes.
const DAY_MAX: usize = 2 << 30;

async fn require_room(ctx: &Ctx, tx: &mut Tx, size: usize) -> Result<()> {
    let sql = Sql::new(
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM attachment \
         WHERE created_by = $1 AND created_at > $2",
    );
    let row = tx.fetch_one(sql.arg(ctx.actor()).arg(ctx.now_ms() - 24 * 3_600_000)).await?;
    let stored = row.map_or(Ok(0), |row| row.int(0))?;
    if usize::try_from(stored).unwrap_or(usize::MAX).saturating_add(size) > DAY_MAX {
        return Err(Problem::TooMany(format!("一天内上传的文件至多 {} GiB", DAY_MAX >> 30)));
    }
    Ok(())
}

/// Files lie sealed in their store (S-34); sealing 20 MiB is work for a thread of its own.
async fn sealed(ctx: &Ctx, (key, id): (DataKey, &str), bytes: Bytes) -> Result<Bytes> {
    let (random, id) = (ctx.app().random(), String::from(id));
    let work = move || key.seal_bytes(random, ("attachment", &id), &bytes).map(Bytes::from);
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

fn clean_name(name: &str) -> Result<String> {
    let name = name.trim().rsplit(['/', '\\']).next().unwrap_or_default();
    let sound = (1..=120).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if sound {
        Ok(String::from(name))
    } else {
        Err(Problem::invalid("name", "文件名应为 1 至 120 个字，不含控制字符"))
    }
}

/// A stored file.
pub struct Found {
    /// Name for people.
    pub name: String,
    /// `application/pdf` …
    pub media_type: String,
    /// The bytes, verified against their digest.
    pub bytes: Bytes,
}

/// Reads a file that the caller made, or that belongs to a record the caller may read.
pub async fn open(ctx: &Ctx, tx: &mut Tx, id: &str) -> Result<Found> {
    let missing = || Problem::NotFound("文件");
    let sql = Sql::new(
        "SELECT name, media_type, sm3, entity, record, created_by, expires_at FROM attachment \
         WHERE id = $1",
    );
    let row = tx.fetch_one(sql.arg(id)).await?.ok_or_else(missing)?;
    if row.text(5)? != ctx.actor() {
        let (entity, record) = (row.text_opt(3)?, row.text_opt(4)?);
        let entity = ctx.app().entities().iter().find(|known| Some(known.table) == entity);
        let (Some(entity), Some(record)) = (entity, record) else { return Err(missing()) };
        reach(ctx, tx, (entity, "read"), record).await.map_err(|_| missing())?;
    }
    if row.int_opt(6)?.is_some_and(|expires| expires <= ctx.now_ms()) {
        return Err(Problem::Gone(String::from("文件已过期删除，请重新导出")));
    }
    let key = vault::data_keys(ctx.app(), tx, &[id]).await?.remove(id).ok_or_else(missing)?;
    let (sealed, owner) = (ctx.app().attachments().get(id).await?, String::from(id));
    let work = move || key.open_bytes(("attachment", &owner), &sealed).map(Bytes::from);
    let bytes = tokio::task::spawn_blocking(work).await.map_err(Problem::internal)??;
    if sm3::hex(&sm3::digest(&bytes)) != row.text(2)? {
        return Err(Problem::internal(format!("attachment {id} differs from its digest")));
    }
    let (name, media_type) = (String::from(row.text(0)?), String::from(row.text(1)?));
    Ok(Found { name, media_type, bytes })
}

/// Removes the files whose time is over: first the key, so that what may remain of the bytes says
/// nothing, then the bytes.
pub(crate) async fn sweep(app: &App) -> Result<()> {
    let ctx = app.on_own_behalf("retention");
    let mut tx = ctx.begin().await?;
    let sql = Sql::new(
        "SELECT id FROM attachment WHERE expires_at <= $1 AND removed_at IS NULL LIMIT 100",
    );
    let over = tx.fetch(sql.arg(ctx.now_ms())).await?;
    let ids = over.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    if ids.is_empty() {
        return Ok(());
    }
    vault::destroy(&ctx, &mut tx, &ids);
    let mut sql = Sql::new("UPDATE attachment SET removed_at = ");
    sql.bind(ctx.now_ms()).push(" WHERE id ").bind_texts(ids.iter().copied());
    tx.later([sql]);
    for id in &ids {
        let body = json!({ "reason": "到期" });
        let entry = audit::Entry { action: "removed", entity: "attachment", record: id, body };
        audit::write(&ctx, &mut tx, entry);
    }
    tx.commit().await?;
    for id in ids {
        app.attachments().remove(id).await?;
    }
    Ok(())
}

/// Whether the caller has a right (`read`, `write`) to the record a file belongs to.
pub(crate) async fn reach(
    ctx: &Ctx,
    tx: &mut Tx,
    (entity, verb): (&Entity, &str),
    record: &str,
) -> Result<()> {
    let ctx = ctx.under(&entity.permission(verb))?;
    record::get(&ctx, tx, entity, record).await.map(drop)
}

/// Files of one digest that are looked at, and that are told.
const SAME_MAX: i64 = 200;
const SAME_TOLD: usize = 20;

/// A file as it is found by its content.
pub struct Known {
    /// Its id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Table of the record that it belongs to, if any.
    pub entity: Option<String>,
    /// That record.
    pub record: Option<String>,
}

/// Files whose content has this SM3 digest (64 hex digits, lower case) and that the caller made, or
/// that belong to records the caller may read; 20 at most.
pub async fn of_digest(ctx: &Ctx, tx: &mut Tx, digest: &str) -> Result<Vec<Known>> {
    let sql = Sql::new(
        "SELECT id, name, entity, record, created_by FROM attachment \
         WHERE sm3 = $1 AND removed_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
         ORDER BY id LIMIT $3",
    );
    let mut known = Vec::new();
    for row in tx.fetch(sql.arg(digest).arg(ctx.now_ms()).arg(SAME_MAX)).await? {
        let (entity, record) = (row.text_opt(2)?, row.text_opt(3)?);
        let table = ctx.app().entities().iter().find(|known| Some(known.table) == entity);
        let readable = match (row.text(4)? == ctx.actor(), table, record) {
            (true, _, _) => true,
            (false, Some(entity), Some(record)) => {
                within_reach(reach(ctx, tx, (entity, "read"), record).await)?
            }
            _ => false,
        };
        if readable && known.len() < SAME_TOLD {
            known.push(Known {
                id: String::from(row.text(0)?),
                name: String::from(row.text(1)?),
                entity: entity.map(String::from),
                record: record.map(String::from),
            });
        }
    }
    Ok(known)
}

/// Whether something was found; a refusal is no failure.
fn within_reach(found: Result<()>) -> Result<bool> {
    match found {
        Ok(()) => Ok(true),
        Err(Problem::NotFound(_) | Problem::Forbidden(_)) => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// The files of one record.
pub(crate) async fn of_record(tx: &mut Tx, entity: &str, record: &str) -> Result<Value> {
    let sql = Sql::new(
        "SELECT id, name, size, media_type, sm3 FROM attachment \
         WHERE entity = $1 AND record = $2 ORDER BY id LIMIT 100",
    );
    let rows = tx.fetch(sql.arg(entity).arg(record)).await?;
    let item = |row: &crate::Row| {
        Ok(
            json!({ "id": row.text(0)?, "name": row.text(1)?, "size": row.int(2)?, "media_type": row.text(3)?, "sm3": row.text(4)? }),
        )
    };
    Ok(json!({ "items": rows.iter().map(item).collect::<Result<Vec<_>>>()? }))
}
