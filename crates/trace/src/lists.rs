//! Lists that are read page by page: 双方核对, 异常单价, 按月报送, 停报与停业.

use axum::{Json, extract::RawQuery, http::Method};
use serde_json::Value;
use yj_kernel::{Access, Ctx, Param, Result, Route, audit};

use crate::{matches, reporters, reports, unusual};

/// One of the lists.
#[derive(Debug, Clone, Copy)]
enum List {
    Matches,
    UnusualPrices,
    Reports,
    Reporters,
}

impl List {
    const ALL: [Self; 4] = [Self::Matches, Self::UnusualPrices, Self::Reports, Self::Reporters];

    /// Where it is, what it is called, and what it is asked for.
    const fn described(self) -> (&'static str, &'static str, &'static [Param]) {
        match self {
            Self::Matches => ("/api/v1/trace/matches", "检索双方登记的核对", matches::QUERY),
            Self::UnusualPrices => ("/api/v1/trace/prices/unusual", "检索异常单价", unusual::QUERY),
            Self::Reports => ("/api/v1/trace/reports", "检索按月报送情况", reports::QUERY),
            Self::Reporters => ("/api/v1/trace/reporters", "检索停报与停业", reporters::QUERY),
        }
    }

    /// What the audit trail calls what is in it.
    const fn entity(self) -> &'static str {
        match self {
            Self::Matches => "trace_match",
            Self::UnusualPrices => "trace_price",
            Self::Reports => "trace_report",
            Self::Reporters => "trace_reporter",
        }
    }

    async fn answer(self, ctx: &Ctx, query: &str) -> Result<Value> {
        let mut tx = ctx.snapshot().await?;
        let answer = match self {
            Self::Matches => matches::list(ctx, &mut tx, query).await?,
            Self::UnusualPrices => unusual::list(ctx, &mut tx, query).await?,
            Self::Reports => reports::list(ctx, &mut tx, query).await?,
            Self::Reporters => reporters::list(ctx, &mut tx, query).await?,
        };
        drop(tx);
        let rows = answer["items"].as_array().map_or(0, Vec::len);
        audit::note_use(ctx, self.entity(), (query, rows)).await?;
        Ok(answer)
    }
}

/// A route for each.
pub(crate) fn routes() -> Vec<Route> {
    let route = |list: List| {
        let (path, label, query) = list.described();
        let read = move |ctx: Ctx, RawQuery(query): RawQuery| async move {
            list.answer(&ctx, &query.unwrap_or_default()).await.map(Json::<Value>)
        };
        let access = Access::permission("trace:read");
        Route::new((Method::GET, path), access, label, read).query(query)
    };
    List::ALL.map(route).into()
}
