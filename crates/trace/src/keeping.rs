//! 保存期限 (handbook §1.4, §4.9): until when an event or a 批次凭证 is to be kept, by what, and that what
//! is still to be kept is not erased (《个人信息保护法》第四十七条第二款).

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use yj_domain::{Asked, KEPT_MONTHS_MIN, Kept, Pack, Recorded};
use yj_kernel::{Ctx, Problem, Result, Tx};
use yj_ledger::Ground;

use crate::{document::BatchDocument, store::StoredEvent};

/// What a law asks for, as the operator's packs put it.
struct Law {
    name: String,
    basis: String,
    kept: Kept,
}

/// How long a record is kept.
pub(crate) struct Keeping {
    platform: Kept,
    law: Option<Law>,
}

impl Law {
    fn of(asked: Asked<'_>) -> Self {
        Self { name: asked.rule.name.clone(), basis: asked.rule.basis.clone(), kept: asked.kept }
    }
}

impl Keeping {
    /// Of an event: by the pack that it was recorded under or the one in force, whichever is stricter.
    pub(crate) async fn of_event(ctx: &Ctx, tx: &mut Tx, event: &StoredEvent) -> Result<Self> {
        let domains = yj_domain::current(tx).await?;
        let subject_kind = yj_subject::kind_of(tx, &event.subject_id).await?;
        let nothing = Map::new();
        let record = Recorded {
            event: &event.kind,
            subject_kind: subject_kind.as_deref().unwrap_or_default(),
            attributes: event.body["attributes"].as_object().unwrap_or(&nothing),
            event_time: event.time,
        };
        let then = event.spec.as_ref().map(yj_domain::EventType::pack);
        let now = domains.in_force(&event.domain, ctx.today()).map(AsRef::as_ref);
        let asked = [then, now].into_iter().flatten().filter_map(|pack| pack.asked(record));
        let law = asked.max_by_key(|asked| asked.kept).map(Law::of);
        Ok(Self { platform: yj_domain::kept_at_least(event.time), law })
    }

    /// Of a 批次凭证, from the day it was made out.
    pub(crate) async fn of_document(
        ctx: &Ctx,
        tx: &mut Tx,
        document: &BatchDocument,
    ) -> Result<Self> {
        let domains = yj_domain::current(tx).await?;
        let subject_kind = yj_subject::kind_of(tx, &document.subject_id.to_string()).await?;
        let kind = (document.kind()?, subject_kind.as_deref().unwrap_or_default());
        let day: Date = document.issued_on.parse().map_err(Problem::internal)?;
        // Of a product's document its domain has the say, of others whichever keeps it longest.
        let domain = match document.product_id {
            Some(id) => {
                let found = yj_product::by_ids(tx, &[id.to_string().as_str()]).await?;
                found.into_values().next().map(|product| product.domain)
            }
            None => None,
        };
        let speaks = |pack: &&std::sync::Arc<Pack>| {
            domain.as_ref().is_none_or(|domain| *domain == pack.code)
        };
        let packs = domains.all_shown(ctx.today()).filter(speaks);
        let rules = packs.flat_map(|pack| &pack.retention);
        let law = yj_domain::asked_of_document(rules, kind, day).map(Law::of);
        Ok(Self { platform: yj_domain::kept_from(day), law })
    }

    /// As answers have it: the later of both, and what the law asks for.
    pub(crate) fn json(&self) -> Value {
        let law = self.law.as_ref();
        let until = law.map_or(self.platform, |law| law.kept.max(self.platform));
        json!({
            "until": until.day(),
            "law": law.map(|law| json!({
                "name": law.name, "basis": law.basis, "until": law.kept.day(),
            })),
        })
    }

    /// Refuses to erase what is still to be kept. What was taken in unlawfully may go at any time; that
    /// the time is over is said only when it is, by the platform's own measure too.
    pub(crate) fn require_over(&self, ground: Ground, today: Date, what: &str) -> Result<()> {
        if ground == Ground::Unlawful {
            return Ok(());
        }
        if let Some(law) = self.law.as_ref().filter(|law| law.kept.lasts(today)) {
            let until = match law.kept.day() {
                Some(day) => format!("须保存至 {day}，期满前不能删除"),
                None => String::from("须长期保存，不能删除"),
            };
            return Err(Problem::Conflict(format!(
                "{what}属于“{}”（{}），{until}。个人信息确系违法收集、处理的，依据请选“违反法律、\
                 行政法规或约定处理”",
                law.name, law.basis
            )));
        }
        if ground == Ground::PeriodEnded && self.platform.lasts(today) {
            let day = self.platform.day().map(|day| day.to_string()).unwrap_or_default();
            return Err(Problem::Conflict(format!(
                "保存期限尚未届满：平台保存{what}不少于 {} 年，至 {day}。请选其他依据",
                KEPT_MONTHS_MIN / 12
            )));
        }
        Ok(())
    }
}
