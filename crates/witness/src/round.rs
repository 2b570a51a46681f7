//! One look at the log: fetch, judge, compare with others, remember, and only then sign in public.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use yj_crypto::{SigningKey, from_hex, to_hex};
use yj_proof::{Alarm, Genesis, Hash, Note, NoteKey, NoteLine};

use crate::{
    Arguments, Clock, Log,
    examine::{self, Growth, Refusal},
    key,
    log::Unfetched,
    peers::{Comparison, Peer},
    serve::{self, Shown},
    state::{Chain, State},
};

/// What came of a look.
#[derive(Debug)]
pub enum Outcome {
    /// Countersigned; with the reason where the platform did not take it.
    Signed {
        /// With our countersignature.
        note: Box<Note>,
        /// Why the platform does not have it yet.
        undelivered: Option<String>,
    },
    /// Nothing to sign, and why.
    Waiting(String),
    /// The log contradicts itself.
    Refused {
        /// As sent to the platform.
        alarm: Box<Alarm>,
        /// Where the evidence lies.
        evidence: PathBuf,
        /// Why the platform does not have it.
        undelivered: Option<String>,
    },
}

/// A witness of one log.
pub struct Witness {
    log: Log,
    state: State,
    signer: SigningKey,
    key: NoteKey,
    fingerprint: Option<Hash>,
    peers: Vec<Peer>,
    clock: Clock,
    shown: Arc<Shown>,
    /// What a look noticed that changes nothing.
    remarks: Vec<String>,
}

impl Witness {
    /// Opens the state of a witness; a damaged one is refused.
    pub fn open(arguments: &Arguments, clock: Clock) -> Result<Self, String> {
        let log = Log::at(&arguments.of).map_err(|why| format!("--of {why}"))?;
        let peers = arguments.peer.iter().map(|url| Peer::at(url));
        let peers = peers.collect::<Result<_, _>>().map_err(|why| format!("--peer {why}"))?;
        let fingerprint = arguments
            .fingerprint
            .as_deref()
            .map(|text| from_hex(text).ok_or("--fingerprint 应为 64 位小写十六进制的链指纹"));
        let fingerprint = fingerprint.transpose()?;
        let (mut state, named) = State::open(arguments.state.clone())?;
        let path = arguments.key.clone().unwrap_or_else(|| arguments.state.join("key.pem"));
        let signer = key::open(&path, named.is_none())?;
        let key = key::named(&signer, (arguments.name.as_deref(), named.as_deref()))?;
        state.require_own(&key)?;
        if let (Some(chain), Some(wanted)) = (&state.chain, fingerprint)
            && chain.genesis.chain_id() != wanted
        {
            return Err(format!(
                "状态目录见证的链指纹是 {}，不是 --fingerprint 所给的；另一条链请另用一个状态目录",
                to_hex(&chain.genesis.chain_id())
            ));
        }
        if named.is_none() {
            // The memory first: a name without one is a memory lost.
            state.keep(None, None)?;
            state.keep_name(&key)?;
        }
        let shown = Arc::new(Shown::new(&key, state.evidence()));
        shown.show(state.note.as_ref());
        let remarks = Vec::new();
        Ok(Self { log, state, signer, key, fingerprint, peers, clock, shown, remarks })
    }

    /// The key with which others check our countersignatures.
    pub fn key(&self) -> &NoteKey {
        &self.key
    }

    /// The chain that is followed, once it was seen.
    pub fn fingerprint(&self) -> Option<String> {
        self.state.chain.as_ref().map(|chain| to_hex(&chain.genesis.chain_id()))
    }

    /// Shows others the newest countersigned note, the key and the evidence, until the process
    /// ends. The address, where the system chose the port.
    pub fn listen(&self, address: SocketAddr) -> Result<SocketAddr, String> {
        serve::listen(address, &self.shown)
    }

    /// What the last look noticed that changes nothing.
    pub fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Looks once. An error is ours: the state could not be kept, and nothing was signed in public.
    pub fn look(&mut self) -> Result<Outcome, String> {
        let text = match self.log.checkpoint() {
            Ok(text) => text,
            Err(Unfetched::Missing) => {
                let why = "平台还没有检查点（尚无区块，或没有公布存证日志）";
                return Ok(Outcome::Waiting(String::from(why)));
            }
            Err(why) => return Ok(Outcome::Waiting(why.to_string())),
        };
        let chain = match self.chain() {
            Ok(chain) => chain,
            Err(why) => return Ok(Outcome::Waiting(why)),
        };
        let note = match examine::read(&text, &chain) {
            Ok(Ok(note)) => note,
            Ok(Err(refusal)) => return self.refuse(&chain, refusal, &text),
            Err(why) => return Ok(Outcome::Waiting(why)),
        };
        let known = self.state.note.as_ref().map(|note| &note.checkpoint);
        let grown = match examine::growth((known, &note.checkpoint), &self.log) {
            Ok(Growth::Refused(refusal)) => return self.refuse(&chain, refusal, &text),
            Ok(Growth::Grown) => true,
            Ok(Growth::Same) => false,
            Err(why) => {
                let why = format!("不能核对一致性，暂不见证：{why}");
                return Ok(Outcome::Waiting(why));
            }
        };
        for peer in &mut self.peers {
            match peer.compare((&note.checkpoint, &chain), &self.log) {
                Comparison::Agrees => {}
                Comparison::Unclear(why) => {
                    self.remarks.push(format!("未能与 {} 核对：{why}", peer.address()));
                }
                Comparison::Split(refusal, theirs) => {
                    // Both sides of the split, as the log signed them.
                    return self.accuse((&chain, refusal), (&text, &theirs));
                }
            }
        }
        let signed = if grown { self.sign(&chain, &note)? } else { self.remembered(note.clone()) };
        // Whether it has ours may be seen in what it publishes.
        let ours = signed.lines.iter().find(|line| line.is_by(&signed.checkpoint, &self.key));
        let there = ours.is_some_and(|ours| note.lines.contains(ours));
        let undelivered = if there { None } else { self.log.hand_over(&self.alone(&signed)).err() };
        Ok(Outcome::Signed { note: Box::new(signed), undelivered })
    }

    /// The chain that is followed; on first sight the one the platform shows, if it is the wanted.
    fn chain(&self) -> Result<Chain, String> {
        if let Some(chain) = &self.state.chain {
            return Ok(chain.clone());
        }
        let bytes = self.log.genesis().map_err(|why| format!("不能取得创世文件：{why}"))?;
        let genesis = Genesis::from_bytes(&bytes).map_err(|_| "所得不是创世文件")?;
        let found = genesis.chain_id();
        if let Some(wanted) = self.fingerprint.filter(|wanted| *wanted != found) {
            return Err(format!(
                "创世文件的指纹是 {}，不是 --fingerprint 所给的 {}，不予见证",
                to_hex(&found),
                to_hex(&wanted)
            ));
        }
        Ok(Chain::of(genesis))
    }

    /// Countersigns: on disk first, then for others to see.
    fn sign(&mut self, chain: &Chain, note: &Note) -> Result<Note, String> {
        let time_s = (self.clock)();
        let line = NoteLine::cosign(&note.checkpoint, &self.key, time_s, &self.signer)
            .map_err(|error| error.to_string())?;
        let by_log =
            |line: &NoteLine| chain.keys.iter().any(|key| line.is_by(&note.checkpoint, key));
        let mut lines: Vec<_> = note.lines.iter().filter(|line| by_log(line)).cloned().collect();
        lines.push(line);
        let signed = Note { checkpoint: note.checkpoint.clone(), lines };
        self.state.keep(Some(chain), Some(&signed))?;
        self.shown.show(Some(&signed));
        Ok(signed)
    }

    /// The note that was countersigned before.
    fn remembered(&self, seen: Note) -> Note {
        self.state.note.clone().unwrap_or(seen)
    }

    /// The log's signature and ours: all that the platform needs of us.
    fn alone(&self, signed: &Note) -> Note {
        let mut lines: Vec<NoteLine> = signed.lines.iter().take(1).cloned().collect();
        let ours = signed.lines.iter().find(|line| line.is_by(&signed.checkpoint, &self.key));
        lines.extend(ours.cloned());
        Note { checkpoint: signed.checkpoint.clone(), lines }
    }

    fn refuse(&self, chain: &Chain, refusal: Refusal, seen: &str) -> Result<Outcome, String> {
        let known = self.state.note.as_ref().map(Note::to_text).unwrap_or_default();
        self.accuse((chain, refusal), (&known, seen))
    }

    /// Writes evidence durably, then tells the platform.
    fn accuse(
        &self,
        (chain, refusal): (&Chain, Refusal),
        (known, seen): (&str, &str),
    ) -> Result<Outcome, String> {
        let about = (chain.origin.as_str(), refusal.kind, (self.clock)(), refusal.detail.as_str());
        let alarm = Alarm::sign(about, (known, seen), (&self.key, &self.signer))
            .map_err(|error| error.to_string())?;
        let (evidence, _) = self.state.keep_evidence(&alarm)?;
        let undelivered = self.log.warn(&alarm).err();
        Ok(Outcome::Refused { alarm: Box::new(alarm), evidence, undelivered })
    }
}
