//! What a verification found, step by step, in words for people.

use serde::Serialize;

use crate::{AttestedBy, Hash, NoteKey};

/// The steps of a verification, in order. The identifiers are part of the format: every
/// independent verifier reports the same ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepId {
    /// The file is a canonical bundle.
    Format,
    /// The record is well formed and can be hashed.
    Envelope,
    /// The record is part of the submission.
    RecordPath,
    /// The submission was signed by the key named.
    SubmissionSignature,
    /// The key was registered and valid at that height.
    KeyRegistry,
    /// The submission is part of the log.
    LogPath,
    /// The header names this chain, log and validators.
    Header,
    /// The validators signed the header.
    Certificate,
    /// Whoever countersigned the log signed this state of it or one that continues it.
    Witness,
    /// So does what the platform states to have anchored elsewhere.
    Anchor,
    /// The chain is the one the reader trusts.
    Trust,
}

impl StepId {
    /// What the step establishes, in Chinese.
    pub fn title(self) -> &'static str {
        match self {
            Self::Format => "证明文件完整且格式规范",
            Self::Envelope => "记录内容可复算摘要",
            Self::RecordPath => "记录属于该次提交",
            Self::SubmissionSignature => "提交由所示密钥签名",
            Self::KeyRegistry => "密钥在当时已登记且有效",
            Self::LogPath => "提交已收入存证日志",
            Self::Header => "区块头与链、日志、验证人一致",
            Self::Certificate => "验证人已签名确认区块",
            Self::Witness => "见证与本区块的日志一致",
            Self::Anchor => "外部锚定与本区块的日志一致",
            Self::Trust => "属于所信任的链",
        }
    }
}

/// The outcome of one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// What it establishes.
    pub title: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// Particulars for people.
    pub detail: String,
}

/// What the reader trusts without proof, from a source other than the bundle. By default nothing:
/// the reader compares the fingerprints shown with published ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The chain's identifier.
    pub chain: Option<Hash>,
    /// Witnesses, one of which at least must have countersigned; nobody for no such demand.
    pub witnesses: Vec<NoteKey>,
}

impl Trust {
    /// Trust in one chain.
    pub fn in_chain(chain: Hash) -> Self {
        Self { chain: Some(chain), witnesses: Vec::new() }
    }
}

/// A countersignature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WitnessFact {
    /// Whose.
    pub name: String,
    /// When they signed, in milliseconds since 1970.
    pub time_ms: u64,
}

/// A place outside where the platform says its log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorFact {
    /// Which chain.
    pub network: String,
    /// The transaction there.
    pub transaction: String,
}

/// What a proof that holds establishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Block that holds the record.
    pub height: u64,
    /// When it was made, in milliseconds since 1970.
    pub time_ms: u64,
    /// Whose record it is: code of the 追溯主体.
    pub org: String,
    /// Name of the key that signed.
    pub kid: String,
    /// Whose key that is.
    pub attested_by: AttestedBy,
    /// Submissions in the log after the block.
    pub tree_size: u64,
    /// Submissions in the log at the checkpoint that was countersigned.
    pub checkpoint: Option<u64>,
    /// Who countersigned it.
    pub witnesses: Vec<WitnessFact>,
    /// Where the platform says that the log stands.
    pub anchors: Vec<AnchorFact>,
}

impl Facts {
    /// For people. It never says that a product is genuine.
    pub(crate) fn sentence(&self) -> String {
        let signed = match self.attested_by {
            AttestedBy::Enterprise => format!("主体 {} 的密钥 {} 签名", self.org, self.kid),
            AttestedBy::Platform => format!("平台密钥 {} 代主体 {} 签名", self.kid, self.org),
        };
        let names: Vec<_> = self.witnesses.iter().map(|witness| witness.name.as_str()).collect();
        let witnessed = match self.checkpoint {
            Some(size) => format!("，{} 项的检查点由 {} 见证", size, names.join("、")),
            None => String::new(),
        };
        format!(
            "该记录自 {} 存证以来未被改动（区块 {}，{signed}{witnessed}）",
            beijing(self.time_ms),
            self.height
        )
    }
}

/// A moment as people in China write it; the calendar of Howard Hinnant's `civil_from_days`.
pub(crate) fn beijing(time_ms: u64) -> String {
    let seconds = time_ms / 1_000 + 8 * 3_600;
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}（北京时间）")
}

/// The outcome of all steps. A step that fails ends the verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether every step holds.
    pub ok: bool,
    /// One sentence. It never says that a product is genuine: only that the record is unchanged
    /// since it was anchored.
    pub conclusion: String,
    /// The steps taken.
    pub steps: Vec<Step>,
    /// What is established; nothing where a step failed.
    pub facts: Option<Facts>,
}

impl Verdict {
    /// The first step that failed.
    pub fn failed(&self) -> Option<StepId> {
        self.steps.iter().find(|step| !step.ok).map(|step| step.id)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_are_told_in_beijing_time() {
        for (time_ms, told) in [
            (0, "1970-01-01 08:00:00（北京时间）"),
            (951_753_599_999, "2000-02-28 23:59:59（北京时间）"),
            (951_753_600_000, "2000-02-29 00:00:00（北京时间）"),
            (1_798_732_800_000, "2027-01-01 00:00:00（北京时间）"),
        ] {
            assert_eq!(super::beijing(time_ms), told);
        }
    }
}
