//! The domains as they are known at this moment: those that ship with the product and the uploaded
//! ones that somebody has activated. Kept in memory by a digest of what they consist of, so that a
//! change on any node is seen by all with their next look.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jiff::civil::Date;
use serde_json::Value;
use yj_crypto::sm3;
use yj_kernel::{Problem, Result, Row, Sql, Tx};

use crate::{
    field::FieldSpec,
    pack::{EventType, Pack, PackVersion, Packing},
    read::read,
};

/// A version that is or was in use.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) pack: Arc<Pack>,
    /// SM3 of an uploaded pack as stored.
    pub(crate) digest: Option<String>,
    /// Whether new records may be written under it.
    pub(crate) open: bool,
}

/// Every version of every domain that records may have been written under.
#[derive(Debug, Clone)]
pub struct Domains(BTreeMap<String, Vec<Known>>);

/// The packs that ship with the product.
pub(crate) fn built_in() -> &'static [Arc<Pack>] {
    static PACKS: LazyLock<Vec<Arc<Pack>>> = LazyLock::new(|| {
        let texts = [
            include_str!("../../../domains/agri.json"),
            include_str!("../../../domains/food.json"),
            include_str!("../../../domains/drug.json"),
            include_str!("../../../domains/agri_input.json"),
            include_str!("../../../domains/special_equipment.json"),
            include_str!("../../../domains/dangerous.json"),
            include_str!("../../../domains/rare_earth.json"),
            include_str!("../../../domains/industrial.json"),
        ];
        let pack = |text| {
            let document: Value =
                serde_json::from_str(text).expect("a test reads every shipped pack");
            Arc::new(read(&document).expect("a test reads every shipped pack"))
        };
        texts.map(pack).into()
    });
    &PACKS
}

impl Domains {
    /// The shipped packs and these.
    fn of(uploaded: Vec<Known>) -> Self {
        let shipped = built_in().iter().map(|pack| Known {
            pack: Arc::clone(pack),
            digest: None,
            open: true,
        });
        let mut all: BTreeMap<String, Vec<Known>> = BTreeMap::new();
        for known in shipped.chain(uploaded) {
            all.entry(known.pack.code.clone()).or_default().push(known);
        }
        for versions in all.values_mut() {
            // What two people put into use is not superseded by an upgrade of the product; the
            // shipped version is in force again when theirs is retired.
            versions.sort_by_key(|known| (known.digest.is_some(), known.pack.version));
        }
        Self(all)
    }

    /// The shipped packs alone.
    #[cfg(fuzzing)]
    pub fn shipped() -> Self {
        Self::of(Vec::new())
    }

    /// The version under which records of a domain are written on this day: of the open ones whose
    /// day has come the newest, uploaded ones before shipped ones.
    pub fn in_force(&self, code: &str, day: Date) -> Option<&Arc<Pack>> {
        let open = |known: &&Known| known.open && known.pack.effective_on <= day;
        self.0.get(code)?.iter().rev().find(open).map(|known| &known.pack)
    }

    /// Every domain in which records may be written on this day.
    pub fn all_in_force(&self, day: Date) -> impl Iterator<Item = &Arc<Pack>> {
        self.0.keys().filter_map(move |code| self.in_force(code, day))
    }

    /// Every domain as it is shown: the version in force, or of a closed one the newest there was.
    pub fn all_shown(&self, day: Date) -> impl Iterator<Item = &Arc<Pack>> {
        self.0.keys().filter_map(move |code| self.shown(code, day))
    }

    /// One of [`Domains::all_shown`].
    pub fn shown(&self, code: &str, day: Date) -> Option<&Arc<Pack>> {
        self.in_force(code, day).or_else(|| self.newest(code))
    }

    /// The newest version that is or was in use, whether or not its day has come.
    pub(crate) fn newest(&self, code: &str) -> Option<&Arc<Pack>> {
        self.0.get(code)?.last().map(|known| &known.pack)
    }

    /// Every version under which records may be written, now or from a day to come, with the digest
    /// of an uploaded one.
    pub fn open(&self) -> impl Iterator<Item = (&Arc<Pack>, Option<&str>)> {
        let open = self.0.values().flatten().filter(|known| known.open);
        open.map(|known| (&known.pack, known.digest.as_deref()))
    }

    /// The version of this number.
    pub fn version(&self, code: &str, version: PackVersion) -> Option<&Arc<Pack>> {
        let versions = self.0.get(code)?;
        versions.iter().find(|known| known.pack.version == version).map(|known| &known.pack)
    }

    /// Attributes of a domain's products on this day; none where there is no such domain.
    pub fn product_fields(&self, code: &str, day: Date) -> &[FieldSpec] {
        self.shown(code, day).map(|pack| pack.product_fields.as_slice()).unwrap_or_default()
    }

    /// Whether an uploaded pack of this digest is or was in use and is what its digest says.
    pub(crate) fn holds(&self, code: &str, digest: &str) -> bool {
        let same = |known: &Known| known.digest.as_deref() == Some(digest);
        self.0.get(code).is_some_and(|versions| versions.iter().any(same))
    }

    /// 包装关联: what events of a type do with packages, by any version that says so. A version says of
    /// a type what was so before it could be said.
    pub fn packing(&self, code: &str, kind: &str) -> Option<Packing> {
        let versions = self.0.get(code)?.iter().rev();
        let mut types = versions.flat_map(|known| known.pack.events());
        types.find_map(|(_, event)| event.packing.filter(|_| event.code == kind))
    }

    /// The event type of a stored record: as it was in the version it was written under, or in the
    /// newest where that version is not at hand any more.
    pub fn event(&self, code: &str, version: &str, kind: &str) -> Option<EventType> {
        let exact = version.parse().ok().and_then(|version| self.version(code, version));
        let found = exact.and_then(|pack| EventType::find(pack, kind));
        found.or_else(|| EventType::find(self.newest(code)?, kind))
    }
}

const ROWS: &str = "SELECT id, digest, state, content FROM domain_pack \
                    WHERE activated_at IS NOT NULL ORDER BY id";

/// What the snapshot of these rows is called; empty for none, as the table begins.
fn epoch_of(rows: &[Row]) -> Result<String> {
    if rows.is_empty() {
        return Ok(String::new());
    }
    let mut message = Vec::from(*b"YJ/domains/1\0");
    for row in rows {
        for column in 0..3 {
            message.extend_from_slice(row.text(column)?.as_bytes());
            message.push(b'\n');
        }
    }
    Ok(sm3::hex(&sm3::digest(&message)))
}

/// Locks the domains against others who change them at the same moment.
pub(crate) async fn lock(tx: &mut Tx) -> Result<()> {
    let mut sql = Sql::new("SELECT value FROM domain_epoch WHERE id = 1");
    sql.push(tx.dialect().for_update());
    tx.fetch(sql).await.map(drop)
}

/// Tells every node that the domains have changed. The transaction holds [`lock`].
pub(crate) async fn changed(tx: &mut Tx) -> Result<()> {
    let epoch = epoch_of(&tx.fetch(Sql::new(ROWS)).await?)?;
    tx.execute(Sql::new("UPDATE domain_epoch SET value = $1 WHERE id = 1").arg(epoch)).await?;
    Ok(())
}

/// Snapshots kept at once.
const KEPT_MAX: usize = 32;

/// A snapshot under its name holds nothing that its name does not cover, whichever database it was
/// read from.
static KEPT: Mutex<BTreeMap<String, Arc<Domains>>> = Mutex::new(BTreeMap::new());

/// The domains as this transaction sees them.
pub async fn current(tx: &mut Tx) -> Result<Arc<Domains>> {
    let rows = tx.fetch(query_current()).await?;
    read_current(tx, &rows).await
}

/// The query for the domains, to travel with others.
pub fn query_current() -> Sql {
    Sql::new("SELECT value FROM domain_epoch WHERE id = 1")
}

/// The domains by the answer to [`query_current`].
pub async fn read_current(tx: &mut Tx, rows: &[Row]) -> Result<Arc<Domains>> {
    let row = rows.first().ok_or_else(|| Problem::internal("domain_epoch is empty"))?;
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).get(row.text(0)?).cloned();
    let domains = match kept {
        Some(kept) => kept,
        None => load(tx).await?,
    };
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&domains));
    Ok(domains)
}

/// What some transaction saw last: very likely what the next one will see, which has to find out.
static LAST: Mutex<Option<Arc<Domains>>> = Mutex::new(None);

/// The domains as they most likely are, without asking: for work that is done again where
/// [`read_current`] then says otherwise.
pub fn likely() -> Arc<Domains> {
    let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
    last.unwrap_or_else(|| Arc::new(Domains::of(Vec::new())))
}

async fn load(tx: &mut Tx) -> Result<Arc<Domains>> {
    let rows = tx.fetch(Sql::new(ROWS)).await?;
    let (mut uploaded, mut whole) = (Vec::new(), true);
    for row in &rows {
        if let Some(pack) = content(row.text(3)?, row.text(1)?) {
            uploaded.push(Known {
                pack: Arc::new(pack),
                digest: Some(String::from(row.text(1)?)),
                open: row.text(2)? == "active",
            });
        } else {
            whole = false;
            tracing::error!(id = row.text(0)?, "领域包与其摘要不符，已停用");
        }
    }
    let domains = Arc::new(Domains::of(uploaded));
    if whole {
        let epoch = epoch_of(&rows)?;
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(epoch, Arc::clone(&domains));
    }
    Ok(domains)
}

/// SM3 of a pack as stored.
pub(crate) fn digest_of(content: &str) -> String {
    sm3::hex(&sm3::parts(&[b"YJ/domain-pack/v1\0", content.as_bytes()]))
}

/// A stored pack, unless it is not what its digest says.
pub(crate) fn content(text: &str, digest: &str) -> Option<Pack> {
    if digest_of(text) != digest {
        return None;
    }
    read(&serde_json::from_str(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use yj_model::Stage;

    use super::*;

    #[test]
    fn every_shipped_pack_is_sound_and_knows_every_stage() {
        let shipped: Vec<_> =
            built_in().iter().map(|pack| (&*pack.code, pack.name.as_str())).collect();
        assert_eq!(shipped, yj_model::DOMAINS, "the domains of both standards, in their order");
        for pack in built_in() {
            // All seven stages can be recorded (G-5.1-1, D-6.1.1).
            assert_eq!(pack.stages.len(), Stage::ALL.len());
            let text = serde_json::to_string(&**pack).unwrap();
            let again = content(&text, &digest_of(&text)).unwrap();
            assert_eq!(serde_json::to_string(&again).unwrap(), text, "read back the same");
        }
    }
}
