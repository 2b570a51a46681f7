//! 数据集 (G-6.2.3): what people search, keep queries of and take out as one file. Registers are; so is
//! what has a search of its own, such as trace events, and says here what keeping and taking out need.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::{
    App, Ctx, Entity, Problem, Result, Scope, Tx, figures,
    listing::{self, Listing},
    personal_search::{note_personal_search, redacted},
};

/// What a query finds, how many and within which scopes: counting stops after the last number. Fails
/// where the query is none of the search.
type Size = for<'a> fn(Asked<'a>, &'a mut Tx, i64) -> BoxFuture<'a, Result<i64>>;

/// The next rows of what a query finds, after where the chunk before ended.
type Rows =
    for<'a> fn(&'a Ctx, &'a mut Tx, (&'a str, Option<String>)) -> BoxFuture<'a, Result<Chunk>>;

/// What is asked of a search.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Its conditions, as in the address of its list.
    pub query: &'a str,
    /// Scopes in each of which a row must lie.
    pub scopes: &'a [&'a Scope],
}

/// Rows of a file, and where the next begin.
pub struct Chunk {
    /// Cells in the order of [`Dataset::columns`].
    pub rows: Vec<Vec<String>>,
    /// None after the last.
    pub next: Option<String>,
}

/// What has a search of its own and is no register described as data.
pub struct Dataset {
    /// Stable name: that of its audit entries and of the queries kept of it.
    pub name: &'static str,
    /// 中文名称
    pub title: &'static str,
    /// The permission to read it.
    pub read: &'static str,
    /// Header of its file.
    pub columns: &'static [&'static str],
    /// How many rows a query finds.
    pub size: Size,
    /// Its rows, a chunk at a time.
    pub rows: Rows,
}

/// A register or a dataset.
#[derive(Clone, Copy)]
pub(crate) enum Collection {
    Register(&'static Entity),
    Dataset(&'static Dataset),
}

impl Collection {
    /// The collection of a name.
    pub(crate) fn named(app: &App, name: &str) -> Option<Self> {
        let register = app.entities().iter().copied().find(|entity| entity.table == name);
        let dataset = || app.datasets().iter().copied().find(|one| one.name == name);
        register.map(Self::Register).or_else(|| dataset().map(Self::Dataset))
    }

    /// The collection that a job was queued for.
    pub(crate) fn of_job(app: &App, params: &Value) -> Result<Self> {
        let name = params["entity"].as_str().unwrap_or_default();
        let missing = || Problem::internal(format!("no such register: {name}"));
        Self::named(app, name).ok_or_else(missing)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Register(entity) => entity.table,
            Self::Dataset(set) => set.name,
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Register(entity) => entity.title,
            Self::Dataset(set) => set.title,
        }
    }

    /// The permission to read it.
    pub(crate) fn permission(self) -> String {
        match self {
            Self::Register(entity) => entity.permission("read"),
            Self::Dataset(set) => String::from(set.read),
        }
    }

    /// A query as the audit trail may keep it.
    pub(crate) fn redacted(self, query: &str) -> String {
        match self {
            Self::Register(entity) => redacted(entity, query),
            Self::Dataset(_) => String::from(query),
        }
    }

    /// How many rows a query finds within every one of these scopes; counting stops after `most`.
    pub(crate) async fn size(
        self,
        app: &App,
        tx: &mut Tx,
        wanted: Asked<'_>,
        most: i64,
    ) -> Result<i64> {
        match self {
            Self::Register(entity) => {
                let listing = Listing::whole(app, tx, entity, wanted.query).await?;
                listing.size(wanted.scopes, tx, (entity, most)).await
            }
            Self::Dataset(set) => (set.size)(wanted, tx, most).await,
        }
    }

    /// Refuses what this reader may not ask for, and notes what they look for of persons.
    pub(crate) async fn require_askable(self, ctx: &Ctx, query: &str) -> Result<()> {
        let Self::Register(entity) = self else { return Ok(()) };
        let mut tx = ctx.snapshot().await?;
        let listing = Listing::whole(ctx.app(), &mut tx, entity, query).await?;
        drop(tx);
        listing::require_clearance(ctx, entity, &listing)?;
        note_personal_search(ctx, entity, query).await
    }

    /// Refuses to keep what is no question, or one that names somebody.
    pub(crate) async fn require_sound(
        self,
        ctx: &Ctx,
        tx: &mut Tx,
        (query, figure): (&str, Option<&str>),
    ) -> Result<()> {
        match self {
            Self::Register(entity) => {
                Listing::counted(ctx, tx, entity, query).await?;
                match figure {
                    Some(figure) => figures::require_sound(ctx, tx, entity, figure).await,
                    None => Ok(()),
                }
            }
            Self::Dataset(set) if figure.is_some() => {
                Err(Problem::invalid("figure", format!("{}没有可组合的指标", set.title)))
            }
            Self::Dataset(_) => {
                let wanted = Asked { query, scopes: &[ctx.scope()] };
                self.size(ctx.app(), tx, wanted, 0).await.map(drop)
            }
        }
    }
}
