//! 商业秘密 (G-10.4): an EPCIS event is kept and shown word for word, so what a domain pack calls a secret,
//! such as what goods cost, does not come in one.

use std::collections::BTreeSet;

use yj_domain::FieldClass;
use yj_epcis::{Event, Json};
use yj_kernel::{Ctx, Problem, Result, Tx};

use super::NAMESPACE;

/// Names of the fields that are 商业秘密 in any domain.
pub(super) struct Secrets(BTreeSet<String>);

impl Secrets {
    pub(super) async fn load(ctx: &Ctx, tx: &mut Tx) -> Result<Self> {
        let domains = yj_domain::current(tx).await?;
        let fields = domains.all_shown(ctx.today()).flat_map(|pack| pack.events());
        let fields = fields.flat_map(|(_, spec)| &spec.fields);
        let secret = fields.filter(|field| field.class == Some(FieldClass::Sensitive));
        Ok(Self(secret.map(|field| field.name.clone()).collect()))
    }

    /// Refuses an event that says one of them in our namespace, by itself, in `ilmd` or among `yj:attributes`.
    pub(super) fn require_none(&self, event: &Event) -> Result<()> {
        let ilmd = event.source().get("ilmd").map(Json::members).unwrap_or_default();
        for (name, value) in event.source().members().iter().chain(ilmd) {
            let Some((NAMESPACE, local)) = event.context().resolve(name) else { continue };
            let within = if local == "attributes" { value.members() } else { &[] };
            let within = within.iter().map(|(name, _)| {
                let resolved = event.context().resolve(name);
                resolved.map_or(name.as_str(), |(_, local)| local)
            });
            if let Some(secret) = within.chain([local]).find(|name| self.0.contains(*name)) {
                let detail = "是商业秘密，EPCIS 事件原样保存并供查询，不能载；请以 /api/v1/trace/events 登记";
                return Err(Problem::invalid(format!("yj:{secret}"), detail));
            }
        }
        Ok(())
    }
}
