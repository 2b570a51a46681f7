//! How fast records become evidence: signed by the platform, by their organisation in batches, and
//! one by one; how fast anybody checks the proofs; how large they are.

use std::{path::Path, sync::Arc, time::Instant};

use tokio::sync::watch;
use yj_crypto::{Signer as _, SigningKey};
use yj_kernel::Ctx;
use yj_ledger::{KeyOrder, SignedRecords, order_key, unsigned};
use yj_model::SubjectCode;
use yj_proof::{AttestedBy, Envelope, Hash, Submission, Trust, merkle, verify};
use yj_server::Assembled;

use super::{capture::provable, client::Client, harvest, line, rate, store, subject};
use crate::commands::say;

/// Name of the organisation's key.
const KID: &str = "bench";
/// Records of a signed batch.
const BATCH: usize = 100;
/// Records that are signed one by one, of every ten in batches.
const SINGLES: usize = 10;
/// Size of the log whose proofs are measured.
const LARGE: u64 = 10_000_000;

pub(super) async fn run(
    (assembled, folder): (&Assembled, &Path),
    records: usize,
) -> Result<(), String> {
    let subject = subject(assembled).await?;
    fill(assembled, &subject, 0, records).await?;
    let begun = Instant::now();
    assembled.ledger.drain(&assembled.app).await.map_err(say)?;
    line("存证，平台代签", &rate(records, begun.elapsed()), "≥ 15000 条/秒");

    let key = SigningKey::from_seed(&[1; 32]).ok_or("a seed that is no scalar")?;
    enrol(assembled, &subject, &key).await?;
    let (stop, stopped) = watch::channel(false);
    let ledger = tokio::spawn(assembled.ledger.clone().run(assembled.app.clone(), stopped));
    for (size, count, title, budget) in [
        (BATCH, records, "存证，企业每 100 条一签", "≥ 15000 条/秒"),
        (1, records / SINGLES, "存证，企业逐条签", "≥ 3000 条/秒"),
    ] {
        fill(assembled, &subject, records * (size + 1), count).await?;
        signed(assembled, (&subject, &key), (size, count), (title, budget)).await?;
    }
    let _ = stop.send(true);
    ledger.await.map_err(|error| error.to_string())?;
    revoke(assembled, &subject, &key).await?;

    let client = Arc::new(Client::log_in(assembled, folder).await?);
    provable(assembled, &client, &subject).await?;
    checked(assembled).await?;
    audited(assembled).await?;
    large();
    Ok(())
}

/// Events that wait for their place.
async fn fill(
    assembled: &Assembled,
    subject: &SubjectCode,
    first: usize,
    count: usize,
) -> Result<(), String> {
    for start in (0..count).step_by(BATCH) {
        let numbers = start..(start + BATCH).min(count);
        let events = numbers.map(|number| harvest(subject, 800_000_000 + first + number));
        store(assembled, &events.collect::<Result<Vec<_>, _>>()?).await?;
    }
    Ok(())
}

async fn order(
    assembled: &Assembled,
    subject: &SubjectCode,
    (key, enrols): (&SigningKey, bool),
) -> Result<(), String> {
    let ctx: Ctx = assembled.app.on_own_behalf("bench");
    let mut tx = ctx.begin().await.map_err(say)?;
    let org = subject.to_string();
    let (key, kid) = (key.public_key(), KID);
    order_key(&ctx, &mut tx, &KeyOrder { org: &org, kid, key, certificate: None, enrols });
    tx.commit().await.map_err(say)?;
    assembled.ledger.drain(&assembled.app).await.map(drop).map_err(say)
}

async fn enrol(
    assembled: &Assembled,
    subject: &SubjectCode,
    key: &SigningKey,
) -> Result<(), String> {
    order(assembled, subject, (key, true)).await
}

async fn revoke(
    assembled: &Assembled,
    subject: &SubjectCode,
    key: &SigningKey,
) -> Result<(), String> {
    order(assembled, subject, (key, false)).await
}

/// What the organisation does before it sends anything: computes every leaf from its record, and
/// signs. Its own machine's time, and not counted.
async fn sign(
    assembled: &Assembled,
    (subject, key): (&SubjectCode, &SigningKey),
    (size, count): (usize, usize),
) -> Result<Vec<SignedRecords>, String> {
    let org = subject.to_string();
    let (_, chain_id) = assembled.ledger.genesis();
    let mut waiting = Vec::new();
    while waiting.len() < count {
        assembled.ledger.drain(&assembled.app).await.map_err(say)?;
        let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
        let most = i64::try_from(count).map_err(|error| error.to_string())?;
        waiting = unsigned(&mut tx, &org, most).await.map_err(say)?;
    }
    let leaf = |envelope: &str, salt: &str| {
        let envelope =
            serde_json::from_str(envelope).ok().and_then(|json| Envelope::read(json).ok());
        let entry = envelope?.entry(&yj_crypto::from_hex(salt)?).ok()?;
        Some(merkle::leaf(&entry))
    };
    let mut batches = Vec::new();
    let next = assembled.ledger.next_seq(&org).map_err(say)?;
    for (seq, part) in (next..).zip(waiting.chunks(size)) {
        let leaves: Option<Vec<Hash>> =
            part.iter().map(|item| leaf(&item.envelope, &item.salt)).collect();
        let unsigned = Submission {
            chain_id,
            org: org.clone(),
            seq,
            count: u32::try_from(part.len()).map_err(|error| error.to_string())?,
            root: merkle::root(&leaves.ok_or("a record that is no envelope")?),
            kid: String::from(KID),
            attested_by: AttestedBy::Enterprise,
            signature: [0; 64],
        };
        let signature =
            Submission::sign(unsigned, key).map_err(|error| error.to_string())?.signature;
        let records = part.iter().map(|item| item.record.clone()).collect();
        batches.push(SignedRecords {
            org: org.clone(),
            kid: String::from(KID),
            seq,
            records,
            signature,
        });
    }
    Ok(batches)
}

/// From the signatures to the acknowledged block: requests of at most 5,000 records.
async fn signed(
    assembled: &Assembled,
    who: (&SubjectCode, &SigningKey),
    (size, count): (usize, usize),
    (title, budget): (&str, &str),
) -> Result<(), String> {
    let batches = sign(assembled, who, (size, count)).await?;
    let (mut rest, mut done) = (batches.into_iter().peekable(), 0);
    let begun = Instant::now();
    while rest.peek().is_some() {
        let request: Vec<_> = rest.by_ref().take((5_000 / size).min(1_000)).collect();
        let answers = assembled.ledger.submit(&assembled.app, request).await.map_err(say)?;
        for answer in answers {
            answer.map_err(say)?;
            done += size;
        }
    }
    line(title, &rate(done.min(count), begun.elapsed()), budget);
    Ok(())
}

/// Proofs checked by all processors, with nothing but their bytes.
async fn checked(assembled: &Assembled) -> Result<(), String> {
    const PROOFS: i64 = 2_000;
    let mut tx = assembled.app.db().snapshot().await.map_err(say)?;
    let sql = yj_kernel::Sql::new("SELECT record FROM anchor_export ORDER BY id DESC LIMIT $1");
    let rows = tx.fetch(sql.arg(PROOFS)).await.map_err(say)?;
    let (mut proofs, mut sizes) = (Vec::new(), Vec::new());
    for row in &rows {
        let record = row.text(0).map_err(say)?;
        let proof = assembled.ledger.proof(&mut tx, record).await.map_err(say)?;
        sizes.push(proof.len());
        proofs.push(proof);
    }
    sizes.sort_unstable();
    let (_, chain_id) = assembled.ledger.genesis();
    let trust = Trust::in_chain(chain_id);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let sound: usize = std::thread::scope(|scope| {
        let parts = proofs.chunks(proofs.len().div_ceil(threads).max(1));
        let check = |part: &[Vec<u8>]| part.iter().filter(|proof| verify(proof, &trust).ok).count();
        let tasks: Vec<_> = parts.map(|part| scope.spawn(move || check(part))).collect();
        tasks.into_iter().map(|task| task.join().unwrap_or(0)).sum()
    });
    if sound != proofs.len() {
        return Err(format!("{} 份证明未通过核验", proofs.len() - sound));
    }
    line("离线核验", &rate(sound, begun.elapsed()), "≥ 3000 份/秒");
    let middle = sizes.get(sizes.len() / 2).copied().unwrap_or(0);
    line("　证明文件（中位）", &format!("{middle} 字节"), "—");
    Ok(())
}

/// Everything against what was anchored, as every night and as doctor does it.
async fn audited(assembled: &Assembled) -> Result<(), String> {
    let begun = Instant::now();
    let (counts, found) = assembled.tamper.inspect(&assembled.app).await.map_err(say)?;
    if let Some(found) = found.first() {
        return Err(found.sentence());
    }
    let records = usize::try_from(counts.records).map_err(|error| error.to_string())?;
    line("防篡改检查，全部记录", &rate(records, begun.elapsed()), "—");
    Ok(())
}

/// The longest path of a log of ten million submissions.
fn large() {
    let longest = (0..1_000)
        .map(|nth| {
            let node = |_: u32, _: u64| Ok::<_, std::convert::Infallible>([0; 32]);
            let Ok(path) = merkle::inclusion_path(nth * (LARGE / 1_000), LARGE, node);
            path.len() * 32
        })
        .max();
    line("一千万次提交中的路径（最长）", &format!("{} 字节", longest.unwrap_or(0)), "≤ 2048 字节");
}
