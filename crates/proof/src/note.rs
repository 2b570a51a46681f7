//! 检查点: what the log publishes of itself, and what witnesses countersign. The texts are C2SP's
//! `tlog-checkpoint` and `signed-note`, with a profile of our own: SM3 trees and SM2 signatures.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use yj_crypto::{CryptoError, PublicKey, Signature, Signer, from_hex, sm3, to_hex};

use crate::{Hash, Unreadable};

/// The log at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: [`Checkpoint::origin_of`] its chain.
    pub origin: String,
    /// Submissions in it.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
    /// The block that brought it to this size.
    pub height: u64,
    /// That block's identifier.
    pub block_id: Hash,
}

impl Checkpoint {
    /// The name of a chain's log.
    pub fn origin_of(chain_id: &Hash) -> String {
        format!("yuanjian/{}", to_hex(chain_id))
    }

    /// The lines that are signed.
    pub fn body(&self) -> String {
        let (root, block) = (STANDARD.encode(self.root), to_hex(&self.block_id));
        format!("{}\n{}\n{root}\nblock {} {block}\n", self.origin, self.size, self.height)
    }

    /// Reads those lines; only the one way of writing them is taken.
    pub fn read(body: &str) -> Result<Self, Unreadable> {
        let mut lines = body.strip_suffix('\n').ok_or(Unreadable)?.split('\n');
        let mut next = || lines.next().ok_or(Unreadable);
        let (origin, size, root) = (next()?, next()?, next()?);
        let (height, block) = next()?
            .strip_prefix("block ")
            .and_then(|block| block.split_once(' '))
            .ok_or(Unreadable)?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        let checkpoint = Self {
            origin: String::from(origin),
            size: number(size)?,
            root: root.ok_or(Unreadable)?,
            height: number(height)?,
            block_id: from_hex(block).ok_or(Unreadable)?,
        };
        if checkpoint.body() == body { Ok(checkpoint) } else { Err(Unreadable) }
    }

    fn cosigned(&self, time_s: u64) -> Vec<u8> {
        format!("cosignature/v1\ntime {time_s}\n{}", self.body()).into_bytes()
    }
}

/// Decimal; that it is written in the one way is seen by writing it again.
fn number(text: &str) -> Result<u64, Unreadable> {
    text.parse().map_err(|_| Unreadable)
}

/// What a key signs notes as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteKind {
    /// The log itself: one of its validators.
    Log,
    /// 见证方
    Witness,
}

impl NoteKind {
    const fn algorithm(self) -> &'static str {
        match self {
            Self::Log => "sm2-log/v1",
            Self::Witness => "sm2-cosignature/v1",
        }
    }
}

/// The type byte that signed notes leave to algorithms of one's own.
const OWN_ALGORITHM: u8 = 0xff;
/// Letters of a signer's name at most.
const NAME_MAX: usize = 100;

/// Who signs notes, and the key with which others check it (`verifier key`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: NoteKind,
    key: PublicKey,
}

impl NoteKey {
    /// A verifier key; refused when the name is empty, long, or holds blanks or `+`.
    pub fn new(name: &str, kind: NoteKind, key: PublicKey) -> Result<Self, Unreadable> {
        let sound = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
        if name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(sound) {
            return Err(Unreadable);
        }
        Ok(Self { name: String::from(name), kind, key })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs as.
    pub fn kind(&self) -> NoteKind {
        self.kind
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The first four bytes of `SM3(name ‖ "\n" ‖ ff ‖ algorithm ‖ key)`.
    pub fn id(&self) -> [u8; 4] {
        let digest = sm3::parts(&[self.name.as_bytes(), b"\n", &self.typed()]);
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn typed(&self) -> Vec<u8> {
        let algorithm = self.kind.algorithm().as_bytes();
        [&[OWN_ALGORITHM], algorithm, &self.key.to_bytes()].concat()
    }
}

/// `name+key id+base64(ff ‖ algorithm ‖ key)`
impl fmt::Display for NoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, key) = (to_hex(&self.id()), STANDARD.encode(self.typed()));
        write!(formatter, "{}+{id}+{key}", self.name)
    }
}

impl FromStr for NoteKey {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let mut parts = text.splitn(3, '+');
        let mut next = || parts.next().ok_or(Unreadable);
        let (name, _, typed) = (next()?, next()?, next()?);
        let typed = STANDARD.decode(typed).map_err(|_| Unreadable)?;
        let typed = typed.strip_prefix(&[OWN_ALGORITHM]).ok_or(Unreadable)?;
        let read = |kind: NoteKind| Some((kind, typed.strip_prefix(kind.algorithm().as_bytes())?));
        let (kind, key) =
            [NoteKind::Log, NoteKind::Witness].into_iter().find_map(read).ok_or(Unreadable)?;
        let key = PublicKey::from_bytes(key.try_into().map_err(|_| Unreadable)?);
        let key = Self::new(name, kind, key.map_err(|_| Unreadable)?)?;
        if key.to_string() == text { Ok(key) } else { Err(Unreadable) }
    }
}

/// One signature under a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine {
    /// Name of the signer.
    pub name: String,
    /// See [`NoteKey::id`].
    pub key_id: [u8; 4],
    /// When a witness signed, in seconds since 1970; nothing for the log's own signature.
    pub time_s: Option<u64>,
    /// Over the lines of the checkpoint; a witness's also over the time.
    pub signature: Signature,
}

impl NoteLine {
    /// A witness's countersignature.
    pub fn cosign(
        checkpoint: &Checkpoint,
        key: &NoteKey,
        time_s: u64,
        signer: &dyn Signer,
    ) -> Result<Self, CryptoError> {
        let signature = signer.sign(&checkpoint.cosigned(time_s))?;
        Ok(Self { name: key.name.clone(), key_id: key.id(), time_s: Some(time_s), signature })
    }

    /// Whether the owner of `key` signed `checkpoint`.
    pub fn is_by(&self, checkpoint: &Checkpoint, key: &NoteKey) -> bool {
        let signed = match (key.kind, self.time_s) {
            (NoteKind::Log, None) => checkpoint.body().into_bytes(),
            (NoteKind::Witness, Some(time_s)) => checkpoint.cosigned(time_s),
            _ => return false,
        };
        self.name == key.name
            && self.key_id == key.id()
            && key.key.verify(&signed, &self.signature).is_ok()
    }

    /// The line as it stands in a note, without its end.
    pub fn to_text(&self) -> String {
        let time = self.time_s.map(u64::to_be_bytes);
        let time: &[u8] = time.as_ref().map_or(&[], |time| time);
        let blob = [self.key_id.as_slice(), time, &self.signature].concat();
        format!("\u{2014} {} {}", self.name, STANDARD.encode(blob))
    }

    /// Reads such a line.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let (name, blob) = text
            .strip_prefix("\u{2014} ")
            .and_then(|line| line.split_once(' '))
            .ok_or(Unreadable)?;
        let blob = STANDARD.decode(blob).map_err(|_| Unreadable)?;
        let (key_id, rest) = blob.split_first_chunk::<4>().ok_or(Unreadable)?;
        let (time_s, signature) = match rest.len() {
            64 => (None, rest),
            72 => {
                let (time, signature) = rest.split_first_chunk::<8>().ok_or(Unreadable)?;
                (Some(u64::from_be_bytes(*time)), signature)
            }
            _ => return Err(Unreadable),
        };
        let signature = signature.try_into().map_err(|_| Unreadable)?;
        Ok(Self { name: String::from(name), key_id: *key_id, time_s, signature })
    }
}

/// A checkpoint with its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The log's own signature first, then the witnesses'.
    pub lines: Vec<NoteLine>,
}

/// Bytes of a note at most.
const NOTE_MAX: usize = 64 * 1024;
/// Signatures of a note at most.
const LINES_MAX: usize = 100;

impl Note {
    /// A checkpoint signed by a validator of its chain.
    pub fn sign_as_log(checkpoint: Checkpoint, signer: &dyn Signer) -> Result<Self, CryptoError> {
        let key = NoteKey::new(&checkpoint.origin, NoteKind::Log, signer.public_key().clone())
            .map_err(|_| CryptoError::Unavailable)?;
        let signature = signer.sign(checkpoint.body().as_bytes())?;
        let name = checkpoint.origin.clone();
        let line = NoteLine { name, key_id: key.id(), time_s: None, signature };
        Ok(Self { checkpoint, lines: vec![line] })
    }

    /// The file.
    pub fn to_text(&self) -> String {
        let lines = self.lines.iter().map(|line| line.to_text() + "\n").collect::<String>();
        format!("{}\n{lines}", self.checkpoint.body())
    }

    /// Reads a file; only the one way of writing it is taken.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        if text.len() > NOTE_MAX {
            return Err(Unreadable);
        }
        let (body, lines) = text.split_once("\n\n").ok_or(Unreadable)?;
        let checkpoint = Checkpoint::read(&format!("{body}\n"))?;
        let lines = lines.strip_suffix('\n').ok_or(Unreadable)?.split('\n');
        let lines = lines.map(NoteLine::read).collect::<Result<Vec<_>, _>>()?;
        let note = Self { checkpoint, lines };
        if note.lines.len() <= LINES_MAX && note.to_text() == text {
            Ok(note)
        } else {
            Err(Unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use yj_crypto::SigningKey;

    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: Checkpoint::origin_of(&[7; 32]),
            size: 20,
            root: [1; 32],
            height: 3,
            block_id: [2; 32],
        }
    }

    #[test]
    fn a_note_reads_back_and_every_other_way_of_writing_it_is_refused() {
        let (log, witness) =
            (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let mut note = Note::sign_as_log(checkpoint(), &log).unwrap();
        let key = witness.public_key().clone();
        let key = NoteKey::new("示例检测中心", NoteKind::Witness, key).unwrap();
        let line = NoteLine::cosign(&note.checkpoint, &key, 1_763_500_000, &witness).unwrap();
        assert!(line.is_by(&note.checkpoint, &key));
        note.lines.push(line);
        let text = note.to_text();
        assert_eq!(Note::read(&text).as_ref(), Ok(&note));
        for (from, to) in [("\n20\n", "\n020\n"), ("block 3", "block +3"), ("\n\n", "\n\n\n")] {
            assert!(Note::read(&text.replace(from, to)).is_err(), "{from}");
        }
        assert!(Note::read(text.trim_end()).is_err());
        assert_eq!(key.to_string().parse().as_ref(), Ok(&key));
        assert!(format!("{key}=").parse::<NoteKey>().is_err());
    }

    #[test]
    fn a_signature_counts_for_its_name_time_and_purpose_alone() {
        let signer = SigningKey::from_seed(&[2; 32]).unwrap();
        let key = |name, kind| NoteKey::new(name, kind, signer.public_key().clone()).unwrap();
        let line = NoteLine::cosign(&checkpoint(), &key("a", NoteKind::Witness), 5, &signer);
        let line = line.unwrap();
        assert!(!line.is_by(&checkpoint(), &key("b", NoteKind::Witness)));
        assert!(!line.is_by(&checkpoint(), &key("a", NoteKind::Log)));
        let later = NoteLine { time_s: Some(6), ..line.clone() };
        assert!(!later.is_by(&checkpoint(), &key("a", NoteKind::Witness)));
        let grown = Checkpoint { size: 21, ..checkpoint() };
        assert!(!line.is_by(&grown, &key("a", NoteKind::Witness)));
        for name in ["", "a b", "a+b", "a\nb"] {
            assert!(NoteKey::new(name, NoteKind::Log, signer.public_key().clone()).is_err());
        }
    }
}
