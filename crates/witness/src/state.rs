//! What a witness remembers: which chain, and the newest note it countersigned. The file is
//! written durably before a countersignature leaves; a damaged or missing one stops the witness,
//! because a witness without memory would sign a rewritten log.

use std::{fs::File, path::PathBuf};

use serde::{Deserialize, Serialize};
use yj_crypto::{from_hex, sm3, to_hex};
use yj_proof::{Alarm, Checkpoint, Genesis, Hash, Note, NoteKey};

use crate::{files, log::keys_of};

/// The chain a witness follows.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) genesis: Genesis,
    pub(crate) origin: String,
    /// Who may sign for the log.
    pub(crate) keys: Vec<NoteKey>,
}

impl Chain {
    pub(crate) fn of(genesis: Genesis) -> Self {
        let origin = Checkpoint::origin_of(&genesis.chain_id());
        let keys = keys_of(&origin, &genesis.validators);
        Self { genesis, origin, keys }
    }

    /// Whether a validator of the chain signed this note for the log.
    pub(crate) fn signed(&self, note: &Note) -> bool {
        let by = |key: &NoteKey| note.lines.iter().any(|line| line.is_by(&note.checkpoint, key));
        self.keys.iter().any(by)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: String,
    /// Hex; empty before the first sight.
    genesis: String,
    /// Empty before the first countersignature.
    note: String,
    /// `SM3("YJ/witness/v1\0" ‖ genesis ‖ "\n" ‖ note)`
    digest: String,
}

const FORMAT: &str = "yjwitness/1";
/// Bytes of the file at most.
const BYTES_MAX: u64 = 512 * 1024;
/// Files of evidence at most.
const EVIDENCE_MAX: usize = 1_000;

/// The folder of a witness.
pub(crate) struct State {
    folder: PathBuf,
    pub(crate) chain: Option<Chain>,
    pub(crate) note: Option<Note>,
    _lock: File,
}

impl State {
    /// Opens a folder for nobody else; how it names the key, where it knows one already.
    pub(crate) fn open(folder: PathBuf) -> Result<(Self, Option<String>), String> {
        files::folder(&folder.join("evidence"))?;
        let lock = files::lock(&folder.join("lock"))?;
        let mut state = Self { folder, chain: None, note: None, _lock: lock };
        let name = files::read(&state.folder.join("verifier-key.txt"), 1_000)?;
        match files::read(&state.path(), BYTES_MAX)? {
            Some(text) => state.take(&text)?,
            None if name.is_some() => {
                return Err(format!(
                    "{} 不见了，拒绝继续：没有记忆的见证方会为改写过的日志签名。请从备份恢复，或另用一个状态目录与密钥重新开始",
                    state.path().display()
                ));
            }
            None => {}
        }
        Ok((state, name))
    }

    fn path(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        let damaged = |what: &str| {
            format!(
                "{} 已损坏（{what}），拒绝继续：请从备份恢复，或另用一个状态目录与密钥重新开始",
                self.path().display()
            )
        };
        let stored: Stored =
            serde_json::from_str(text).map_err(|error| damaged(&error.to_string()))?;
        if stored.format != FORMAT {
            return Err(damaged("格式不识别"));
        }
        if stored.digest != to_hex(&digest(&stored.genesis, &stored.note)) {
            return Err(damaged("摘要不符"));
        }
        if stored.genesis.is_empty() {
            return Ok(());
        }
        let genesis = bytes(&stored.genesis).and_then(|bytes| Genesis::from_bytes(&bytes).ok());
        let chain = Chain::of(genesis.ok_or_else(|| damaged("创世文件"))?);
        if !stored.note.is_empty() {
            let note = Note::read(&stored.note).map_err(|_| damaged("检查点"))?;
            if note.checkpoint.origin != chain.origin || !chain.signed(&note) {
                return Err(damaged("检查点的签名"));
            }
            self.note = Some(note);
        }
        self.chain = Some(chain);
        Ok(())
    }

    /// Makes sure that the newest note was countersigned by this witness.
    pub(crate) fn require_own(&self, key: &NoteKey) -> Result<(), String> {
        let Some(note) = &self.note else { return Ok(()) };
        if note.lines.iter().any(|line| line.is_by(&note.checkpoint, key)) {
            return Ok(());
        }
        Err(format!("{} 已损坏（见证签名不符），拒绝继续", self.path().display()))
    }

    /// Remembers, durably.
    pub(crate) fn keep(
        &mut self,
        chain: Option<&Chain>,
        note: Option<&Note>,
    ) -> Result<(), String> {
        let genesis = chain.map(|chain| hex(&chain.genesis.to_bytes())).unwrap_or_default();
        let note_text = note.map(Note::to_text).unwrap_or_default();
        let digest = to_hex(&digest(&genesis, &note_text));
        let stored = Stored { format: String::from(FORMAT), genesis, note: note_text, digest };
        let text = serde_json::to_string_pretty(&stored).map_err(|error| error.to_string())?;
        files::replace(&self.path(), &(text + "\n"))?;
        (self.chain, self.note) = (chain.cloned(), note.cloned());
        Ok(())
    }

    /// Writes down for people what the key is called; its presence says that there is a memory.
    pub(crate) fn keep_name(&self, key: &NoteKey) -> Result<(), String> {
        files::replace(&self.folder.join("verifier-key.txt"), &format!("{key}\n"))
    }

    /// The folder of evidence.
    pub(crate) fn evidence(&self) -> PathBuf {
        self.folder.join("evidence")
    }

    /// Keeps evidence durably: one file for each contradiction to what is remembered, so that a
    /// log that goes on lying does not fill the disk. The file, and whether it is new.
    pub(crate) fn keep_evidence(&self, alarm: &Alarm) -> Result<(PathBuf, bool), String> {
        let digest = sm3::parts(&[alarm.kind.code().as_bytes(), b"\n", alarm.known.as_bytes()]);
        let name = format!("{}-{}.json", alarm.kind.code(), to_hex(&digest[..8]));
        let path = self.evidence().join(name);
        if path.exists() {
            return Ok((path, false));
        }
        let there = std::fs::read_dir(self.evidence()).map_err(|error| error.to_string())?.count();
        if there >= EVIDENCE_MAX {
            return Err(format!("{} 已有 {there} 份证据，请移走", self.evidence().display()));
        }
        let text = serde_json::to_string_pretty(alarm).map_err(|error| error.to_string())?;
        files::replace(&path, &(text + "\n"))?;
        Ok((path, true))
    }
}

fn digest(genesis: &str, note: &str) -> Hash {
    sm3::parts(&[b"YJ/witness/v1\0", genesis.as_bytes(), b"\n", note.as_bytes()])
}

fn hex(bytes: &[u8]) -> String {
    to_hex(bytes)
}

/// Hexadecimal text of any even length.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let read = |pair: &[u8; 2]| {
        let pair = std::str::from_utf8(pair).ok()?;
        from_hex::<1>(pair).map(|[byte]| byte)
    };
    if rest.is_empty() { pairs.iter().map(read).collect() } else { None }
}
