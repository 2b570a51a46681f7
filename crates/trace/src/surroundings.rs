//! What stands in the database around a batch that is captured: who is named, what is touched, what
//! was stored before. Read in one trip; names are resolved here, once, at the door.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use yj_domain::Domains;
use yj_kernel::{App, Ctx, DataClass, Place, Problem, Result, Row, Sql, Tx};
use yj_model::{KnownCode, UnitCode};
use yj_product::{MadeFor, ProductBrief, ProductState};
use yj_subject::{ByCode, SubjectBrief};

use crate::{
    balance::Objects,
    event::Checked,
    handover::{self, Hands},
    hold::{self, Holds},
    holders,
    lots::{self, Lots},
    packing,
    papers::{self, Papers},
    policy::Policies,
    query::EVENT_COLUMNS,
    store,
};

/// What stands in the database around a batch: one trip, and a second one only where somebody is named
/// by a former code or something is under an order; and those before it that find the units of lots
/// which are called by GTIN and lot number.
pub(crate) struct Surroundings {
    /// The domains as they are now.
    pub(crate) domains: Arc<Domains>,
    subjects: ByCode,
    pub(crate) products: BTreeMap<String, (String, UnitCode)>,
    pub(crate) halted: BTreeMap<String, ProductBrief>,
    /// The domains that the products named are of, by their codes.
    pub(crate) product_domains: BTreeMap<String, String>,
    pub(crate) objects: Objects,
    /// Who holds the objects that are consumed, and everybody named, by identifier.
    pub(crate) holders: BTreeMap<String, SubjectBrief>,
    /// What holders of those objects gave away, and what was taken of it.
    pub(crate) hands: Hands,
    /// Orders in force over what is touched.
    pub(crate) holds: Holds,
    /// The documents that are named.
    pub(crate) papers: Papers,
    /// For whom the codes of what comes out were made, as far as batches here gave them.
    pub(crate) owners: BTreeMap<String, MadeFor>,
    known: BTreeMap<String, String>,
    pub(crate) policies: Policies,
    /// What lots are called by GTIN and lot number.
    pub(crate) lots: Lots,
}

impl Surroundings {
    pub(crate) async fn load(
        app: Option<&App>,
        tx: &mut Tx,
        checked: &mut [Result<Checked>],
    ) -> Result<Self> {
        let lots = lots::name(tx, checked).await?;
        let unnamed = packing::unnamed(tx, checked).await?;
        let events: Vec<&Checked> =
            checked.iter().filter_map(|event| event.as_ref().ok()).collect();
        let subjects = events.iter().flat_map(|event| {
            std::iter::once(event.subject.as_str())
                .chain(event.counterparty.as_ref().map(KnownCode::as_str))
        });
        let products = events
            .iter()
            .flat_map(|event| &event.outputs)
            .filter_map(|line| line.product.as_deref());
        let inputs = events.iter().flat_map(|event| &event.inputs).map(|line| line.code.as_str());
        let outputs = events.iter().flat_map(|event| &event.outputs).map(|line| line.code.as_str());
        let digests = events.iter().map(|event| event.digest.as_str());
        let mut before = Vec::new();
        for event in &events {
            before.extend(digest_before(event)?);
        }
        let mut queries = vec![
            yj_subject::query_by_codes(&distinct(subjects)),
            yj_product::query_by_codes(&distinct(products)),
            store::query_and_lock(
                tx,
                &distinct(inputs.chain(outputs).chain(unnamed.iter().map(String::as_str))),
            ),
            query_digests(digests.chain(before.iter().map(String::as_str))),
            Policies::query(),
            yj_domain::query_current(),
        ];
        let consumed = distinct(events.iter().flat_map(|event| handover::consumed(event)));
        if !consumed.is_empty() {
            queries.push(handover::query(&consumed));
            queries.push(yj_subject::query_heirs(|sql| handover::query_holders(sql, &consumed)));
        }
        let codes =
            || events.iter().flat_map(|event| &event.outputs).map(|line| line.code.as_str());
        let plain = queries.len();
        queries.extend(papers::queries(tx, &events));
        let of_papers = queries.len() - plain;
        queries.extend(yj_product::query_owners(codes()));
        let mut answers = tx.fetch_all(queries).await?;
        let mut named = answers.split_off(plain);
        let batches = named.split_off(of_papers);
        let papers = papers::read(&named)?;
        let mut owners = match (app, batches.first()) {
            (Some(app), Some(rows)) => yj_product::read_owners(app, codes(), rows)?,
            _ => BTreeMap::new(),
        };
        yj_product::mark_void(tx, &mut owners).await?;
        let [subjects, products, objects, digests, policies, domains, held @ ..] =
            answers.as_slice()
        else {
            return Err(Problem::internal("fewer answers than queries"));
        };
        let domains = yj_domain::read_current(tx, domains).await?;
        let (hands, mut holders) = match held {
            [handed, holders] => {
                (handover::read(tx, &domains, handed).await?, yj_subject::read_heirs(holders)?)
            }
            _ => (Hands::default(), BTreeMap::new()),
        };
        let subjects = yj_subject::read_by_codes(subjects)?;
        holders.extend(subjects.subjects().map(|one| (one.id.clone(), one.clone())));
        let mut known = read_digests(digests)?;
        let renamed = name_parties(&subjects, checked)?;
        if !renamed.is_empty() {
            let digests = query_digests(renamed.iter().map(String::as_str));
            known.extend(read_digests(&tx.fetch(digests).await?)?);
        }
        let products = yj_product::read_by_codes(products)?;
        let halted = |product: &&ProductBrief| product.state != ProductState::Active;
        let halted = products.values().filter(halted);
        let halted = halted.map(|product| (product.code.clone(), product.clone())).collect();
        let domain = |product: &ProductBrief| (product.code.clone(), product.domain.clone());
        let product_domains = products.values().map(domain).collect();
        let products = products
            .into_iter()
            .map(|(code, product)| (code, (product.id, product.unit)))
            .collect();
        let (mut objects, policies) = (store::objects(objects)?, Policies::read(policies)?);
        holders::complete(tx, &mut objects).await?;
        let several = objects.values().filter(|object| object.holders.are_several());
        let several: BTreeSet<&str> =
            several.flat_map(|object| object.holders.all()).map(|(holder, _)| holder).collect();
        if !several.is_empty() {
            holders.extend(yj_subject::heirs(tx, &several.into_iter().collect::<Vec<_>>()).await?);
        }
        let holds = holds(tx, &objects).await?;
        Ok(Self {
            domains,
            subjects,
            products,
            halted,
            product_domains,
            objects,
            holders,
            hands,
            holds,
            papers,
            owners,
            known,
            policies,
            lots,
        })
    }

    /// The subject that a code of an event names.
    fn named(&self, field: &'static str, code: &KnownCode) -> Result<Option<&SubjectBrief>> {
        if self.subjects.is_ambiguous(code.as_str()) {
            let detail = format!(
                "代码 {code} 对应不止一个主体，请改填现用的 18 位主体代码，并联系平台核对登记"
            );
            return Err(Problem::invalid(field, detail));
        }
        Ok(self.subjects.get(code.as_str()))
    }

    /// Whose event it is, within reach of who asks. Before anything else is said of the event: of
    /// those out of reach nobody learns what is stored.
    pub(crate) fn subject(&self, ctx: &Ctx, event: &Checked) -> Result<&SubjectBrief> {
        let reach = |subject: &&SubjectBrief| {
            ctx.scope().covers(&EVENT_COLUMNS, &stands(subject, event, None))
        };
        self.named("subject", &event.subject)?.filter(reach).ok_or_else(|| {
            // In their own words: what a code leads to is not theirs to learn.
            let code = event.as_sent.as_ref().map_or(&event.subject, |sent| &sent.subject);
            let detail = format!("主体 {code} 没有登记，或不在您的数据权限范围内");
            Problem::invalid("subject", detail)
        })
    }

    /// The other party, if one is named.
    pub(crate) fn counterparty(&self, event: &Checked) -> Result<Option<&SubjectBrief>> {
        let Some(code) = &event.counterparty else { return Ok(None) };
        let found = self.named("counterparty", code)?;
        let missing = || Problem::invalid("counterparty", format!("交易对方 {code} 没有登记"));
        found.map(Some).ok_or_else(missing)
    }

    /// The event stored before with the same content.
    pub(crate) fn same_as(&self, event: &Checked) -> Result<Option<&String>> {
        let as_sent = event.as_sent.as_ref().and_then(|sent| self.known.get(&sent.digest));
        if let Some(known) = as_sent.or_else(|| self.known.get(&event.digest)) {
            return Ok(Some(known));
        }
        Ok(digest_before(event)?.and_then(|digest| self.known.get(&digest)))
    }
}

/// Whether who sends an event of a subject is cleared for 商业秘密 where it belongs.
pub(crate) fn is_cleared(ctx: &Ctx, (subject, event): (&SubjectBrief, &Checked)) -> bool {
    let sensitive = Some(DataClass::Sensitive.level());
    ctx.scope().covers(&EVENT_COLUMNS, &stands(subject, event, sensitive))
}

/// What an event was known by before its sealed attributes were blinded; nothing where it has none.
fn digest_before(event: &Checked) -> Result<Option<String>> {
    (!event.blinded.is_empty()).then(|| event.digest_now(false)).transpose()
}

/// Where an event of a subject belongs.
fn stands<'a>(subject: &'a SubjectBrief, event: &'a Checked, label: Option<i64>) -> Place<'a> {
    Place {
        region: Some(&subject.region),
        subject: Some(&subject.id),
        category: Some(&event.domain),
        stage: Some(event.stage.code()),
        label,
        ..Place::default()
    }
}

/// The orders in force over some objects. The objects are locked and say themselves whether there are
/// any, so that what nobody has stopped costs no further trip.
pub(crate) async fn holds(tx: &mut Tx, objects: &Objects) -> Result<Holds> {
    let held = objects.iter().filter(|(_, object)| object.quality.is_some());
    let held: Vec<&str> = held.map(|(code, _)| code.as_str()).collect();
    if held.is_empty() {
        return Ok(Holds::new());
    }
    hold::read(&tx.fetch(hold::query(&held)).await?)
}

/// Puts present codes in the place of former ones, and returns the digests that came of it.
fn name_parties(subjects: &ByCode, checked: &mut [Result<Checked>]) -> Result<Vec<String>> {
    let mut renamed = Vec::new();
    for event in checked.iter_mut().filter_map(|event| event.as_mut().ok()) {
        let present = |code: &KnownCode| subjects.get(code.as_str()).map(|one| one.code.clone());
        let Some(subject) = present(&event.subject) else { continue };
        let counterparty = event.counterparty.as_ref().and_then(present);
        if event.name(&subject, counterparty.as_deref())? {
            renamed.push(event.digest.clone());
        }
    }
    Ok(renamed)
}

fn query_digests<'a>(digests: impl Iterator<Item = &'a str>) -> Sql {
    let mut sql = Sql::new("SELECT digest, uid FROM trace_event_key WHERE digest ");
    sql.bind_texts(digests);
    sql
}

fn read_digests(rows: &[Row]) -> Result<BTreeMap<String, String>> {
    rows.iter().map(|row| Ok((String::from(row.text(0)?), String::from(row.text(1)?)))).collect()
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}
