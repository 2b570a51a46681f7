//! 敏感数据保护 (GB/T 39786 8.4 e, PIPL): envelope encryption with SM4-GCM.
//!
//! ```text
//! root key   in a module or file, never in the database
//!  └ protection keys, one for each purpose, wrapped by the root key; rotated
//!     └ data keys, one for each person or record, wrapped by a protection key; destroyed to erase
//! ```
//!
//! A sealed value is tied to table, column and owner, so that it cannot be copied elsewhere.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use yj_crypto::{
    CryptoError, Digest, from_hex, sm3,
    sm4::{Key, Nonce},
    to_hex,
};

use serde_json::json;

use crate::{App, Ctx, Db, Environment, Match, Problem, Result, Sql, Tx, audit, record};

/// Where the root key lives: a file, or a hardware module that never gives it out.
pub trait RootKey: Send + Sync {
    /// What people are told of it, such as `软件密码模块（未经认证）`.
    fn module(&self) -> String;
    /// Protects a key. `nonce` is fresh.
    fn wrap(&self, nonce: Nonce, key: &[u8]) -> Result<Vec<u8>, CryptoError>;
    /// Gives back what [`RootKey::wrap`] protected.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Key, CryptoError>;
}

/// The root key in a file that only the server's user can read.
#[derive(Debug)]
pub struct FileRootKey(Key);

const WRAPPING: &[u8] = b"YJ/protection-key";

impl FileRootKey {
    /// Reads the file, or makes it on first use.
    pub fn open(path: &Path, environment: &dyn Environment) -> Result<Self> {
        use std::io::Write as _;
        if path.exists() {
            let text = std::fs::read_to_string(path).map_err(Problem::internal)?;
            let bytes = from_hex(text.trim())
                .ok_or_else(|| Problem::internal("the root key file must hold 32 hex digits"))?;
            return Ok(Self(Key::new(bytes)));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Problem::internal)?;
        }
        let bytes = environment.random().to_be_bytes();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(Problem::internal)?;
        let written = file.write_all(to_hex(&bytes).as_bytes()).and_then(|()| file.sync_all());
        written.map_err(Problem::internal)?;
        Ok(Self(Key::new(bytes)))
    }
}

impl RootKey for FileRootKey {
    fn module(&self) -> String {
        String::from("软件密码模块（未经认证）")
    }

    fn wrap(&self, nonce: Nonce, key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(self.0.seal(nonce, WRAPPING, key))
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Key, CryptoError> {
        Key::from_slice(&self.0.open(WRAPPING, wrapped)?)
    }
}

/// What a protection key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Wraps the data keys of persons and records.
    Personal,
    /// Makes blind indexes; rotating it needs every index anew, so it stays.
    Blind,
    /// Peppers stored passwords; stays, because passwords cannot be computed anew.
    Pepper,
    /// Authenticates roles, grants, labels and settings.
    Access,
    /// Seals secrets of the platform itself: second factors, client keys.
    Secret,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 5] =
        [Self::Personal, Self::Blind, Self::Pepper, Self::Access, Self::Secret];

    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Blind => "blind",
            Self::Pepper => "pepper",
            Self::Access => "access",
            Self::Secret => "secret",
        }
    }

    /// 中文名称
    pub const fn label(self) -> &'static str {
        match self {
            Self::Personal => "个人信息加密",
            Self::Blind => "检索盲索引",
            Self::Pepper => "口令保护",
            Self::Access => "权限完整性",
            Self::Secret => "系统秘密加密",
        }
    }
}

struct Protection {
    id: String,
    purpose: Purpose,
    key: Key,
    active: bool,
}

/// The protection keys, unwrapped, shared by all requests of this node.
#[derive(Clone)]
pub struct Vault {
    root: Arc<dyn RootKey>,
    keys: Arc<RwLock<Vec<Protection>>>,
}

impl Vault {
    /// Unwraps the protection keys; makes those that are missing.
    pub async fn open(
        db: &Db,
        root: Arc<dyn RootKey>,
        environment: &dyn Environment,
    ) -> Result<Self> {
        let vault = Self { root, keys: Arc::default() };
        vault.reload(db).await?;
        for purpose in Purpose::ALL {
            if vault.with(purpose, |_| ()).is_ok() {
                continue;
            }
            let mut tx = db.begin().await?;
            tx.later([vault.fresh(purpose, environment)?]);
            match tx.commit().await {
                // Another node was faster.
                Ok(()) | Err(Problem::Duplicate(_)) => {}
                Err(problem) => return Err(problem),
            }
        }
        vault.reload(db).await?;
        Ok(vault)
    }

    /// What people are told of the module that holds the root key.
    pub fn module(&self) -> String {
        self.root.module()
    }

    async fn reload(&self, db: &Db) -> Result<()> {
        let mut tx = db.snapshot().await?;
        let sql = "SELECT id, purpose, wrapped, state FROM protection_key ORDER BY id";
        let mut keys = Vec::new();
        for row in tx.fetch(Sql::new(sql)).await? {
            let code = row.text(1)?;
            let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.code() == code);
            let purpose =
                purpose.ok_or_else(|| Problem::internal("protection_key.purpose is unknown"))?;
            let key = self.root.unwrap(row.blob(2)?).map_err(|error| {
                tracing::error!(purpose = purpose.code(), "the root key does not open this key");
                Problem::internal(error)
            })?;
            keys.push(Protection {
                id: String::from(row.text(0)?),
                purpose,
                key,
                active: row.text(3)? == "active",
            });
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    fn fresh(&self, purpose: Purpose, environment: &dyn Environment) -> Result<Sql> {
        let key = environment.random().to_be_bytes();
        let wrapped =
            self.root.wrap(nonce(environment.random()), &key).map_err(Problem::internal)?;
        let now = environment.now();
        let unix_ms = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let id = yj_model::Id::<()>::from_parts(unix_ms, environment.random());
        let sql = Sql::new(
            "INSERT INTO protection_key (id, purpose, wrapped, state, created_at) \
             VALUES ($1, $2, $3, 'active', $4)",
        );
        let sql = sql.arg(id).arg(purpose.code()).arg(wrapped);
        Ok(sql.arg(now.as_millisecond()))
    }

    fn with<T>(&self, purpose: Purpose, work: impl FnOnce(&Protection) -> T) -> Result<T> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let found = keys.iter().rev().find(|key| key.active && key.purpose == purpose);
        found.map(work).ok_or_else(|| Problem::internal("a protection key is missing"))
    }

    fn by_id<T>(&self, id: &str, work: impl FnOnce(&Key) -> T) -> Option<T> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().find(|key| key.id == id).map(|found| work(&found.key))
    }

    /// HMAC-SM3 under a purpose's key over length-prefixed parts, so that no two lists of parts
    /// look the same.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Result<Digest> {
        let mut message = Vec::new();
        for part in parts {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part);
        }
        self.with(purpose, |found| sm3::hmac(found.key.expose(), &message))
    }

    /// Blind index of a value: equal values give equal texts, nothing else can be learnt. 80 bits.
    pub fn blind(&self, place: &str, value: &str) -> Result<String> {
        let mac = self.mac(Purpose::Blind, &[place.as_bytes(), value.as_bytes()])?;
        Ok(to_hex(&mac[..10]))
    }

    /// Seals a secret of the platform itself.
    pub fn seal_secret(&self, app: &App, place: &str, plain: &[u8]) -> Result<String> {
        self.with(Purpose::Secret, |found| {
            let sealed = found.key.seal(nonce(app.random()), place.as_bytes(), plain);
            format!("{}.{}", found.id, URL_SAFE_NO_PAD.encode(sealed))
        })
    }

    /// What [`Vault::seal_secret`] sealed.
    pub fn open_secret(&self, place: &str, sealed: &str) -> Result<zeroize::Zeroizing<Vec<u8>>> {
        let damaged = || Problem::internal("a sealed secret cannot be opened");
        let (id, text) = sealed.split_once('.').ok_or_else(damaged)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
        let opened = self.by_id(id, |key| key.open(place.as_bytes(), &bytes));
        opened.ok_or_else(damaged)?.map_err(Problem::internal)
    }
}

fn nonce(random: u128) -> Nonce {
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&random.to_be_bytes()[..12]);
    nonce
}

/// A person's or record's data key.
#[derive(Debug, Clone)]
pub enum DataKey {
    /// In use.
    Live(Key),
    /// Destroyed: what it sealed is gone.
    Destroyed,
}

/// What readers see in place of erased values.
pub const ERASED: &str = "已删除";

/// The mark of a sealed text.
const MARK: &str = "sm4:";

/// Whether a stored text is sealed.
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

impl DataKey {
    /// Seals a text. `place` is table and column, `owner` whom it belongs to.
    pub fn seal(&self, ctx: &Ctx, at: (&str, &str), plain: &str) -> Result<String> {
        let sealed = self.seal_bytes(ctx.app().random(), at, plain.as_bytes())?;
        Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens a text sealed for this place and owner; [`ERASED`] where the key is destroyed.
    pub fn open(&self, at: (&str, &str), sealed: &str) -> Result<String> {
        if matches!(self, Self::Destroyed) {
            return Ok(String::from(ERASED));
        }
        let bytes = sealed.strip_prefix(MARK).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let plain = self.open_bytes(at, &bytes.ok_or_else(|| damaged(at))?)?;
        String::from_utf8(plain).map_err(|_| damaged(at))
    }

    /// The same for bytes; `random` must be fresh.
    pub fn seal_bytes(
        &self,
        random: u128,
        (place, owner): (&str, &str),
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let Self::Live(key) = self else {
            return Err(Problem::Conflict(String::from(
                "其个人信息已依法删除，不能再写入；请另行登记",
            )));
        };
        Ok(key.seal(nonce(random), format!("{place}|{owner}").as_bytes(), plain))
    }

    /// The same for bytes.
    pub fn open_bytes(&self, at: (&str, &str), sealed: &[u8]) -> Result<Vec<u8>> {
        let Self::Live(key) = self else { return Err(Problem::Gone(String::from(ERASED))) };
        let context = format!("{}|{}", at.0, at.1);
        let plain = key.open(context.as_bytes(), sealed).map_err(|_| damaged(at))?;
        Ok(plain.to_vec())
    }
}

fn damaged((place, owner): (&str, &str)) -> Problem {
    Problem::internal(format!("{place} of {owner} was changed or moved and cannot be opened"))
}

/// The data keys of some owners. Owners without one are missing from the answer.
pub async fn data_keys(
    app: &App,
    tx: &mut Tx,
    owners: &[&str],
) -> Result<BTreeMap<String, DataKey>> {
    if owners.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new("SELECT owner, protection_key, wrapped FROM data_key WHERE owner ");
    sql.bind_texts(owners.iter().copied());
    let rows = tx.fetch(sql).await?;
    let vault = app.vault();
    let unknown = |row: &crate::Row| row.text(1).is_ok_and(|id| vault.by_id(id, |_| ()).is_none());
    if rows.iter().any(unknown) {
        // Another node has rotated the protection key.
        vault.reload(app.db()).await?;
    }
    let mut keys = BTreeMap::new();
    for row in rows {
        let owner = row.text(0)?;
        let key = match row.blob_opt(2)? {
            None => DataKey::Destroyed,
            Some(wrapped) => {
                let opened = vault.by_id(row.text(1)?, |key| key.open(owner.as_bytes(), wrapped));
                let damaged = || Problem::internal(format!("the data key of {owner} is damaged"));
                let bytes = opened.ok_or_else(damaged)?.map_err(|_| damaged())?;
                DataKey::Live(Key::from_slice(&bytes).map_err(|_| damaged())?)
            }
        };
        keys.insert(String::from(owner), key);
    }
    Ok(keys)
}

/// The data key of one owner; made, with the next trip of the transaction, where there is none.
pub async fn data_key(ctx: &Ctx, tx: &mut Tx, owner: &str) -> Result<DataKey> {
    match data_keys(ctx.app(), tx, &[owner]).await?.remove(owner) {
        Some(key) => Ok(key),
        None => fresh_data_key(ctx, tx, owner),
    }
}

/// A data key for an owner who certainly has none yet.
pub fn fresh_data_key(ctx: &Ctx, tx: &mut Tx, owner: &str) -> Result<DataKey> {
    let app = ctx.app();
    let key = Key::new(app.random().to_be_bytes());
    let (id, wrapped) = app.vault().with(Purpose::Personal, |found| {
        let wrapped = found.key.seal(nonce(app.random()), owner.as_bytes(), key.expose());
        (found.id.clone(), wrapped)
    })?;
    let sql = Sql::new(
        "INSERT INTO data_key (owner, protection_key, wrapped, created_at) VALUES ($1, $2, $3, $4)",
    );
    tx.later([sql.arg(owner).arg(id).arg(wrapped).arg(ctx.now_ms())]);
    Ok(DataKey::Live(key))
}

/// Erases everything that these owners' keys sealed, here and in every backup (S-35): the keys
/// are destroyed with the next trip of the transaction.
pub fn destroy(ctx: &Ctx, tx: &mut Tx, owners: &[&str]) {
    let mut sql = Sql::new("UPDATE data_key SET wrapped = NULL, destroyed_at = ");
    sql.bind(ctx.now_ms()).push(" WHERE wrapped IS NOT NULL AND owner ");
    sql.bind_texts(owners.iter().copied());
    tx.later([sql]);
}

/// Erasures looked at in one go.
const ERASURES_CHUNK: i64 = 500;

/// Tells the witness which owners' data were erased since it last heard of one, so that a backup
/// from before cannot bring them back.
pub(crate) async fn remember_erasures(app: &App) -> Result<()> {
    let since = app.witness().last_erasure()?;
    let mut tx = app.db().snapshot().await?;
    let sql = Sql::new(
        "SELECT owner, destroyed_at FROM data_key WHERE destroyed_at >= $1 \
         ORDER BY destroyed_at, owner LIMIT $2",
    );
    let mut erased = Vec::new();
    for row in tx.fetch(sql.arg(since).arg(ERASURES_CHUNK)).await? {
        erased.push((String::from(row.text(0)?), row.int(1)?));
    }
    app.witness().keep_erasures(&erased)
}

/// Erases again what a backup has brought back; how many keys that were. Run before anything is
/// answered.
pub async fn apply_erasures(app: &App) -> Result<usize> {
    let owners = app.witness().erasures()?;
    let mut found = 0;
    for chunk in owners.chunks(usize::try_from(ERASURES_CHUNK).unwrap_or(1)) {
        let ctx = app.on_own_behalf("retention");
        let mut tx = ctx.begin().await?;
        let mut sql = Sql::new("SELECT owner FROM data_key WHERE wrapped IS NOT NULL AND owner ");
        sql.bind_texts(chunk.iter().map(String::as_str));
        let rows = tx.fetch(sql).await?;
        let back = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        if back.is_empty() {
            continue;
        }
        destroy(&ctx, &mut tx, &back);
        for entity in app.entities() {
            for field in record::personal(entity).filter(|field| field.filter != Match::Never) {
                let mut sql = Sql::new("UPDATE ");
                sql.push(entity.table).push(" SET ").push(&record::blind_column(field));
                sql.push(" = NULL WHERE id ").bind_texts(back.iter().copied());
                tx.later([sql]);
            }
        }
        let body = json!({ "owners": back, "reason": "备份恢复后重新删除" });
        let entry = audit::Entry { action: "erased", entity: "data_key", record: "", body };
        audit::write(&ctx, &mut tx, entry);
        tx.commit().await?;
        found += back.len();
    }
    Ok(found)
}

/// Data keys wrapped anew in one transaction.
const REWRAP_CHUNK: i64 = 500;

/// Replaces the protection key of personal data and wraps every data key anew. Requests go on
/// meanwhile: both keys open until the last data key has moved. Returns how many moved.
pub async fn rotate(ctx: &Ctx) -> Result<u64> {
    let app = ctx.app();
    let vault = app.vault();
    let mut tx = ctx.begin().await?;
    let retire =
        "UPDATE protection_key SET state = 'retired' WHERE purpose = $1 AND state = 'active'";
    tx.execute(Sql::new(retire).arg(Purpose::Personal.code())).await?;
    tx.later([vault.fresh(Purpose::Personal, app.environment())?]);
    let (record, body) = (Purpose::Personal.code(), json!({}));
    let entry = audit::Entry { action: "rotated", entity: "protection_key", record, body };
    audit::write(ctx, &mut tx, entry);
    tx.commit().await?;
    vault.reload(app.db()).await?;
    let current = vault.with(Purpose::Personal, |found| found.id.clone())?;
    let mut moved = 0;
    loop {
        let mut tx = ctx.begin().await?;
        let mut sql =
            Sql::new("SELECT owner FROM data_key WHERE wrapped IS NOT NULL AND protection_key <> ");
        sql.bind(current.as_str()).push(" ORDER BY owner LIMIT ").bind(REWRAP_CHUNK);
        let for_update = tx.dialect().for_update();
        sql.push(for_update);
        let rows = tx.fetch(sql).await?;
        let owners = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        if owners.is_empty() {
            break;
        }
        for (owner, key) in data_keys(app, &mut tx, &owners).await? {
            let DataKey::Live(key) = key else { continue };
            let wrapped = vault.with(Purpose::Personal, |found| {
                found.key.seal(nonce(app.random()), owner.as_bytes(), key.expose())
            })?;
            let sql =
                Sql::new("UPDATE data_key SET wrapped = $1, protection_key = $2 WHERE owner = $3");
            tx.later([sql.arg(wrapped).arg(current.as_str()).arg(owner)]);
            moved += 1;
        }
        tx.commit().await?;
    }
    // Nothing needs the old key any more.
    let mut tx = ctx.begin().await?;
    let sql = "DELETE FROM protection_key WHERE purpose = $1 AND state = 'retired' \
               AND id NOT IN (SELECT protection_key FROM data_key)";
    tx.execute(Sql::new(sql).arg(Purpose::Personal.code())).await?;
    tx.commit().await?;
    vault.reload(app.db()).await?;
    Ok(moved)
}
