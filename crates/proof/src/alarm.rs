//! 见证告警: what a witness says when the log contradicts itself, signed, with both of the notes it
//! saw, so that others can judge for themselves.

use serde::{Deserialize, Serialize};
use yj_crypto::{CryptoError, Signature, Signer, from_hex, to_hex};

use crate::{Note, NoteKey, NoteKind, Unreadable, bytes::Writer};

/// How the log contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// 回退: it is smaller than it was.
    Rollback,
    /// 改写: it holds something else where it had grown already.
    Rewritten,
    /// 另一条链: the same address answers for another chain.
    OtherChain,
    /// 签名无效: the checkpoint is signed by none of its validators.
    BadSignature,
    /// 分叉视图: it shows different logs to different witnesses.
    SplitView,
}

impl AlarmKind {
    /// Stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rollback => "rollback",
            Self::Rewritten => "rewritten",
            Self::OtherChain => "other_chain",
            Self::BadSignature => "bad_signature",
            Self::SplitView => "split_view",
        }
    }

    /// 中文名称
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rollback => "日志回退",
            Self::Rewritten => "日志改写",
            Self::OtherChain => "换成另一条链",
            Self::BadSignature => "检查点签名无效",
            Self::SplitView => "分叉视图",
        }
    }
}

/// The statement, as sent to the platform and kept as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// `yjalarm/1`
    pub format: String,
    /// Which log the witness follows.
    pub origin: String,
    /// What is wrong.
    pub kind: AlarmKind,
    /// When it was seen, in seconds since 1970.
    pub time_s: u64,
    /// The same in words.
    pub detail: String,
    /// The note that the witness held to be true; empty before the first.
    pub known: String,
    /// What it was shown then, as it came, cut at [`Alarm::TEXT_MAX`] bytes.
    pub seen: String,
    /// Verifier key of the witness.
    pub witness: String,
    /// Its signature over all of it, as 128 hexadecimal digits.
    pub signature: String,
}

/// What an alarm says of its form.
const FORMAT: &str = "yjalarm/1";

impl Alarm {
    /// Bytes of a note in an alarm at most.
    pub const TEXT_MAX: usize = 16 * 1024;
    /// Bytes of a whole alarm at most, with room for escapes.
    pub const BYTES_MAX: usize = 64 * 1024;

    /// A signed alarm. `known` and `seen` are the notes, `seen` whatever came instead of one.
    pub fn sign(
        (origin, kind, time_s, detail): (&str, AlarmKind, u64, &str),
        (known, seen): (&str, &str),
        (key, signer): (&NoteKey, &dyn Signer),
    ) -> Result<Self, CryptoError> {
        let mut alarm = Self {
            format: String::from(FORMAT),
            origin: String::from(origin),
            kind,
            time_s,
            detail: String::from(detail),
            known: cut(known),
            seen: cut(seen),
            witness: key.to_string(),
            signature: String::new(),
        };
        alarm.signature = to_hex(&signer.sign(&alarm.signed())?);
        Ok(alarm)
    }

    /// Reads a file, and who signed it; refused where the signature is not that witness's.
    pub fn read(bytes: &[u8]) -> Result<(Self, NoteKey), Unreadable> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(Unreadable);
        }
        let alarm: Self = serde_json::from_slice(bytes).map_err(|_| Unreadable)?;
        let key: NoteKey = alarm.witness.parse()?;
        let signature: Signature = from_hex(&alarm.signature).ok_or(Unreadable)?;
        let sound = alarm.format == FORMAT
            && key.kind() == NoteKind::Witness
            && alarm.known.len().max(alarm.seen.len()).max(alarm.detail.len()) <= Self::TEXT_MAX;
        if sound && key.key().verify(&alarm.signed(), &signature).is_ok() {
            Ok((alarm, key))
        } else {
            Err(Unreadable)
        }
    }

    /// `"YJ/alarm/v1\0" ‖ time(8)`, then origin, kind, detail, known note, seen note and verifier
    /// key, each with four bytes of length before it.
    fn signed(&self) -> Vec<u8> {
        let texts = [&self.origin, self.kind.code(), &self.detail, &self.known, &self.seen];
        let start = Writer::default().raw(b"YJ/alarm/v1\0").u64(self.time_s);
        let texts = texts.into_iter().chain([self.witness.as_str()]);
        texts
            .fold(start, |bytes, text| {
                bytes.u32(u32::try_from(text.len()).unwrap_or(u32::MAX)).raw(text.as_bytes())
            })
            .0
    }

    /// Whether the two notes alone prove it, without believing the witness: both are signed by the
    /// log's own key (`log` says whether a key is), and cannot both be true.
    pub fn is_proven(&self, log: impl Fn(&Note) -> bool) -> bool {
        let (Ok(known), Ok(seen)) = (Note::read(&self.known), Note::read(&self.seen)) else {
            return false;
        };
        let (one, other) = (&known.checkpoint, &seen.checkpoint);
        let contradict = (one.size == other.size && one.root != other.root)
            || (one.height == other.height && one.block_id != other.block_id)
            || (one.size < other.size) != (one.height < other.height) && one.size != other.size;
        one.origin == other.origin && contradict && log(&known) && log(&seen)
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(Alarm::TEXT_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    String::from(&text[..end])
}

#[cfg(test)]
mod tests {
    use yj_crypto::SigningKey;

    use super::*;
    use crate::Checkpoint;

    #[test]
    fn an_alarm_reads_back_and_every_change_of_it_is_noticed() {
        let (log, witness) =
            (SigningKey::from_seed(&[1; 32]).unwrap(), SigningKey::from_seed(&[2; 32]).unwrap());
        let key = NoteKey::new("示例", NoteKind::Witness, witness.public_key().clone()).unwrap();
        let note = |size, root: u8| {
            let origin = Checkpoint::origin_of(&[7; 32]);
            let (height, block_id) = (size, [root; 32]);
            let checkpoint = Checkpoint { origin, size, root: [root; 32], height, block_id };
            Note::sign_as_log(checkpoint, &log).unwrap().to_text()
        };
        let alarm = |known: &str, seen: &str| {
            let about = ("yuanjian/07", AlarmKind::Rewritten, 5, "改写");
            Alarm::sign(about, (known, seen), (&key, &witness)).unwrap()
        };
        let one = alarm(&note(5, 1), &note(5, 2));
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(Alarm::read(text.as_bytes()), Ok((one.clone(), key.clone())));
        for (from, to) in
            [("rewritten", "rollback"), (":5", ":6"), ("改写", "改动"), ("block 5", "block 6")]
        {
            assert!(Alarm::read(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
        }
        let by_log = |note: &Note| {
            let origin = &note.checkpoint.origin;
            let key = NoteKey::new(origin, NoteKind::Log, log.public_key().clone()).unwrap();
            note.lines[0].is_by(&note.checkpoint, &key)
        };
        assert!(one.is_proven(by_log));
        assert!(!one.is_proven(|_| false));
        // A smaller log may only be an old one; that it came later is the witness's word.
        assert!(!alarm(&note(5, 1), &note(4, 2)).is_proven(by_log));
        assert!(!alarm(&note(5, 1), "404").is_proven(by_log));
        assert_eq!(alarm("", &"文".repeat(9_000)).seen.len(), 16_383);
    }
}
