//! 接入: messages of many devices, from both doors, written together. Whoever has the turn writes what
//! everybody has brought until then, in one transaction; nobody is answered before it is durable.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use yj_construction::{Distrust, Speaker};
use yj_kernel::{ActorKind, App, Ctx, Origin, Principal, Problem, Result, again};
use yj_ledger::Ledger;
use yj_trace::{Captured, Source, TraceEvent};

use crate::{
    claim,
    fate::{Brought, Fate, Refusal, Told},
    message::Heard,
    store::{self, Sound},
};

/// Messages of one transaction.
const BATCH_MAX: usize = 2_000;
/// Messages that may wait at once; who brings more waits or is told to come again.
const WAITING_MAX: u32 = 20_000;
/// Wrong signatures in one device's name that are looked at in one request: verifying is work, and who
/// cannot sign sends as many as they like. Counted by request, so that nobody's forgeries cost the
/// device's own words.
const WRONG_MAX: usize = 3;
/// Attempts to capture the events of one message.
const TRIES: usize = 5;
/// An alarm about one device is looked at once in so long.
const ALARM_EVERY_MS: i64 = 60_000;
/// Devices whose last alarm is remembered.
const ALARMED_MAX: usize = 10_000;

/// Where messages come in.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

struct Inner {
    ledger: Ledger,
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
    room: Arc<Semaphore>,
    /// When an alarm about a device was last raised.
    alarmed: Mutex<BTreeMap<String, i64>>,
}

/// What one request or packet brought.
struct Waiting {
    sent: Vec<Value>,
    heard: Vec<Result<Heard>>,
    answer: oneshot::Sender<Result<Vec<Told>>>,
    _room: OwnedSemaphorePermit,
}

fn come_again() -> Problem {
    Problem::Unavailable(String::from("设备数据暂不能保存，请稍后原样重发"))
}

impl Intake {
    /// An intake whose events go to this ledger.
    pub fn new(ledger: &Ledger) -> Self {
        Self(Arc::new(Inner {
            ledger: ledger.clone(),
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            room: Arc::new(Semaphore::new(WAITING_MAX as usize)),
            alarmed: Mutex::default(),
        }))
    }

    /// Takes messages in the order of their numbers and says what became of each, in the order in
    /// which they were sent; everything that is said to be stored is durable. With `patient` it
    /// waits for room; otherwise too many at once are [`Problem::Unavailable`].
    pub async fn take(&self, app: &App, sent: Vec<Value>, patient: bool) -> Result<Vec<Told>> {
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let size = u32::try_from(sent.len()).unwrap_or(WAITING_MAX).min(WAITING_MAX);
        let room = Arc::clone(&self.0.room);
        let room = if patient {
            room.acquire_many_owned(size).await.map_err(Problem::internal)?
        } else {
            let full = |_| Problem::Unavailable(String::from("设备数据积压，请稍后原样重发"));
            room.try_acquire_many_owned(size).map_err(full)?
        };
        let now_ms = app.now().as_millisecond();
        let heard = sent.iter().map(|one| Heard::read(one.clone(), now_ms)).collect();
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { sent, heard, answer, _room: room };
        self.queue().push_back(waiting);
        // Goes on when whoever asked has left: others have brought something too.
        let (own, app) = (self.clone(), app.clone());
        let turn = tokio::spawn(async move {
            let _turn = own.0.turn.lock().await;
            own.write(&app).await;
        });
        turn.await.map_err(Problem::internal)?;
        answered.await.map_err(|_| come_again())?
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, in as many transactions as it takes until the caller's own is among them.
    async fn write(&self, app: &App) {
        let (mut batch, mut count) = (Vec::new(), 0);
        {
            let mut queue = self.queue();
            while let Some(next) = queue.front() {
                if count > 0 && count + next.sent.len() > BATCH_MAX {
                    break;
                }
                count += next.sent.len();
                batch.extend(queue.pop_front());
            }
        }
        if batch.len() > 1 {
            match self.settle(app, &batch.iter().collect::<Vec<_>>()).await {
                Ok(told) => return answer(batch, told),
                Err(problem) => problem.log(),
            }
        }
        // One by one, so that nobody's trouble is everybody's.
        for one in batch {
            let told = self.settle(app, &[&one]).await.map_err(|problem| {
                problem.log();
                come_again()
            });
            // Whoever asked may have left.
            let _ = one.answer.send(told.map(|mut told| told.pop().unwrap_or_default()));
        }
    }

    /// Writes what these brought; the fates of each.
    async fn settle(&self, app: &App, batch: &[&Waiting]) -> Result<Vec<Vec<Told>>> {
        let ctx = app.on_own_behalf("device-intake");
        let mut fates: Vec<Vec<Option<Fate>>> = Vec::with_capacity(batch.len());
        let mut messages = Vec::new();
        for (from, one) in batch.iter().enumerate() {
            let mut own = Vec::with_capacity(one.heard.len());
            for (index, heard) in one.heard.iter().enumerate() {
                own.push(match heard {
                    Ok(_) => None,
                    Err(problem) => Some(Fate::Refused(Refusal::Malformed(copy(problem)))),
                });
                if let Ok(heard) = heard {
                    messages.push(((from, index), heard.clone()));
                }
            }
            fates.push(own);
        }
        for (place, fate) in self.judge(&ctx, messages).await? {
            let (from, index) = place;
            if let Some(slot) = fates.get_mut(from).and_then(|own| own.get_mut(index)) {
                *slot = Some(fate);
            }
        }
        let told = batch.iter().zip(fates).map(|(one, fates)| {
            let told = one.sent.iter().zip(fates).map(|(sent, fate)| {
                let fate = fate.ok_or_else(|| Problem::internal("a message without a fate"))?;
                Ok(Told::of(sent, fate))
            });
            told.collect::<Result<Vec<_>>>()
        });
        let told = told.collect::<Result<Vec<_>>>()?;
        self.alarm(&ctx, told.iter().flatten()).await;
        Ok(told)
    }

    async fn judge(&self, ctx: &Ctx, messages: Vec<(Place, Heard)>) -> Result<Vec<(Place, Fate)>> {
        let mut fates = Vec::with_capacity(messages.len());
        let mut tx = ctx.snapshot().await?;
        let macs = messages.iter().map(|(_, heard)| heard.mac.as_str());
        let speakers = yj_construction::speakers(&mut tx, macs, ctx.now_ms()).await?;
        drop(tx);
        // Signatures are work for a thread of its own, and done before the database is held.
        let verified = tokio::task::spawn_blocking(move || verify(messages, speakers)).await;
        let (mut sound, refused) = verified.map_err(Problem::internal)?;
        fates.extend(refused.into_iter().map(|(place, why)| (place, Fate::Refused(why))));
        let mut tx = ctx.snapshot().await?;
        for (place, why) in store::foreign(&mut tx, &mut sound).await? {
            fates.push((place, Fate::Refused(why)));
        }
        if sound.iter().any(|one| one.heard.has_events()) {
            let known = store::known(&mut tx, &sound).await?;
            drop(tx);
            for (place, why) in self.capture(ctx, &mut sound, &known).await? {
                fates.push((place, Fate::Refused(why)));
            }
        } else {
            drop(tx);
        }
        fates.extend(store::store(ctx, sound).await?);
        Ok(fates)
    }

    /// Captures the events of messages that are new, each message's all or none; says which messages
    /// are refused for theirs. What a crash leaves captured is found again when the message comes
    /// again.
    async fn capture(
        &self,
        ctx: &Ctx,
        sound: &mut Vec<Sound>,
        known: &BTreeMap<String, String>,
    ) -> Result<Vec<(Place, Refusal)>> {
        let mut tx = ctx.snapshot().await?;
        let owners: Vec<&str> = sound.iter().map(|one| one.speaker.subject.as_str()).collect();
        let owners = yj_subject::by_ids(&mut tx, &owners).await?;
        drop(tx);
        let (mut refused, mut kept) = (Vec::new(), Vec::with_capacity(sound.len()));
        let mut seen = BTreeSet::new();
        for mut one in sound.drain(..) {
            // Of one number only the first counts: what else comes under it is a repetition or a lie.
            let again = !seen.insert(one.id.clone());
            if !one.heard.has_events() || again || known.contains_key(&one.id) {
                kept.push(one);
                continue;
            }
            let owner = owners
                .get(&one.speaker.subject)
                .ok_or_else(|| Problem::internal("a device without an owner"))?;
            match events_of(ctx, &one, &owner.code).await? {
                Ok(brought) => {
                    one.brought = brought;
                    kept.push(one);
                }
                Err(refusal) => refused.push((one.place, refusal)),
            }
        }
        *sound = kept;
        self.0.ledger.ring();
        Ok(refused)
    }

    /// Raises what security administrators must look at, at most once a minute for each device.
    async fn alarm(&self, ctx: &Ctx, told: impl Iterator<Item = &Told>) {
        let (mut due, now) = (BTreeMap::new(), ctx.now_ms());
        {
            let mut alarmed = self.0.alarmed.lock().unwrap_or_else(PoisonError::into_inner);
            for one in told {
                let Fate::Refused(refusal) = &one.fate else { continue };
                let Ok(mac) = one.device.parse::<yj_model::MacAddress>() else { continue };
                let Some(detail) = refusal.alarm() else { continue };
                let mac = mac.to_string();
                if alarmed.get(&mac).is_none_or(|at| now - at >= ALARM_EVERY_MS) {
                    if alarmed.len() >= ALARMED_MAX {
                        alarmed.clear();
                    }
                    alarmed.insert(mac.clone(), now);
                    due.insert(mac, detail);
                }
            }
        }
        for (mac, detail) in due {
            yj_construction::distrust(ctx.app(), &mac, detail).await;
        }
    }
}

/// Who brought a message, and which of theirs it is.
pub(crate) type Place = (usize, usize);

fn answer(batch: Vec<Waiting>, told: Vec<Vec<Told>>) {
    for (one, told) in batch.into_iter().zip(told) {
        // Whoever asked may have left.
        let _ = one.answer.send(Ok(told));
    }
}

/// A problem with the message itself, said once more.
fn copy(problem: &Problem) -> Problem {
    match problem {
        Problem::Invalid(errors) => Problem::Invalid(errors.clone()),
        Problem::TooLarge(detail) => Problem::TooLarge(detail.clone()),
        other => Problem::Malformed(other.to_string()),
    }
}

/// Which messages their devices have signed.
fn verify(
    messages: Vec<(Place, Heard)>,
    speakers: BTreeMap<String, Speaker>,
) -> (Vec<Sound>, Vec<(Place, Refusal)>) {
    let speakers: BTreeMap<String, Arc<Speaker>> =
        speakers.into_iter().map(|(mac, one)| (mac, Arc::new(one))).collect();
    let (mut sound, mut refused) = (Vec::with_capacity(messages.len()), Vec::new());
    let mut wrong: BTreeMap<(usize, String), usize> = BTreeMap::new();
    for (place, heard) in messages {
        let Some(speaker) = speakers.get(&heard.mac) else {
            refused.push((place, Refusal::Unknown));
            continue;
        };
        let asked = (place.0, heard.mac.clone());
        let tried = wrong.get(&asked).copied().unwrap_or(0);
        let judged = if tried < WRONG_MAX {
            speaker.vouches(&heard.signed, &heard.signature)
        } else {
            Err(Distrust::BadSignature)
        };
        match judged {
            Ok(()) => sound.push(Sound::new(place, heard, Arc::clone(speaker))),
            Err(distrust) => {
                if distrust == Distrust::BadSignature {
                    *wrong.entry(asked).or_default() += 1;
                }
                refused.push((place, Refusal::Distrusted(distrust)));
            }
        }
    }
    // In the order of each device's words.
    sound.sort_by(|left, right| left.id.cmp(&right.id));
    (sound, refused)
}

/// Captures the events of one message in the device's own name, all or none, and with them claims
/// its number.
async fn events_of(ctx: &Ctx, one: &Sound, owner: &str) -> Result<Result<Vec<Brought>, Refusal>> {
    let events = match one.heard.events(owner) {
        Ok(events) => events,
        Err(problem) => return Ok(Err(Refusal::Event(problem))),
    };
    let mac = one.speaker.mac.clone();
    let mut device = Principal::new(String::new(), mac.clone(), mac, Arc::default());
    device.kind = ActorKind::Machine;
    let ctx = ctx.clone().signing_as(Some(&device), Origin::default());
    match again(TRIES, Problem::is_of_a_race, || captured(&ctx, one, &events)).await {
        Err(problem @ (Problem::Internal(_) | Problem::Unavailable(_))) => Err(problem),
        Err(problem) => Ok(Err(Refusal::Event(problem))),
        Ok(brought) => Ok(brought),
    }
}

async fn captured(
    ctx: &Ctx,
    one: &Sound,
    events: &[TraceEvent],
) -> Result<Result<Vec<Brought>, Refusal>> {
    let mut tx = ctx.begin().await?;
    tx.plan_once();
    yj_construction::hold(&mut tx, [one.speaker.id.as_str()]).await?;
    if !claim::claim(&mut tx, one).await? {
        return Ok(Err(Refusal::Contradiction));
    }
    let captured = yj_trace::capture_in(ctx, &mut tx, Source::Device, events).await?;
    let mut brought = Vec::with_capacity(captured.len());
    for (index, one) in captured.into_iter().enumerate() {
        match one {
            Captured::New { id, held } => {
                brought.push(Brought { id, state: if held { "held" } else { "accepted" } });
            }
            Captured::Duplicate { id } if yj_trace::is_erased(&mut tx, &id).await? => {
                let detail = "这条事件已依法删除，不能再次提交";
                return Ok(Err(Refusal::Event(Problem::Gone(String::from(detail)))));
            }
            Captured::Duplicate { id } => brought.push(Brought { id, state: "duplicate" }),
            Captured::Refused(problem) => {
                return Ok(Err(Refusal::Event(problem.within(&format!("events[{index}].")))));
            }
        }
    }
    tx.commit().await?;
    Ok(Ok(brought))
}
