//! 与其他见证方核对: two checkpoints that one log signed and that no proof joins are a split view.
//! A peer is not trusted: what counts is the log's own signature in its note.

use yj_proof::{AlarmKind, Checkpoint, Note};

use crate::{
    examine::{Refusal, Source, contradict, joined},
    log::{Log, Unfetched},
    state::Chain,
};

/// Another witness.
pub(crate) struct Peer {
    log: Log,
    /// Looks in a row in which the platform could not show us what the peer has seen.
    behind: u32,
}

/// So many looks in a row are no coincidence.
const BEHIND_MAX: u32 = 3;

/// What a look at a peer found.
#[derive(Debug)]
pub(crate) enum Comparison {
    /// One log.
    Agrees,
    /// Nothing can be said, and why.
    Unclear(String),
    /// Two logs; the peer's note is the proof.
    Split(Refusal, String),
}

impl Peer {
    pub(crate) fn at(url: &str) -> Result<Self, String> {
        Ok(Self { log: Log::at(url)?, behind: 0 })
    }

    pub(crate) fn address(&self) -> &str {
        self.log.address()
    }

    /// Compares what the peer countersigned last with what the log shows us.
    pub(crate) fn compare(
        &mut self,
        (ours, chain): (&Checkpoint, &Chain),
        source: &dyn Source,
    ) -> Comparison {
        let text = match self.log.witnessed() {
            Ok(text) => text,
            Err(why) => return Comparison::Unclear(why.to_string()),
        };
        let Ok(note) = Note::read(&text) else {
            return Comparison::Unclear(String::from("所得不是检查点"));
        };
        if note.checkpoint.origin != chain.origin {
            return Comparison::Unclear(format!("它见证的是 {}", note.checkpoint.origin));
        }
        if !chain.signed(&note) {
            return Comparison::Unclear(String::from("它给出的检查点没有日志的有效签名"));
        }
        self.judge((ours, &note.checkpoint), source, text)
    }

    fn judge(
        &mut self,
        (ours, theirs): (&Checkpoint, &Checkpoint),
        source: &dyn Source,
        text: String,
    ) -> Comparison {
        let split = |why: &str| {
            let detail = format!(
                "{why}：本方所见 {} 条（区块 {}），{} 所见 {} 条（区块 {}）",
                ours.size,
                ours.height,
                self.log.address(),
                theirs.size,
                theirs.height
            );
            Comparison::Split(Refusal { kind: AlarmKind::SplitView, detail }, text.clone())
        };
        if contradict(ours, theirs) {
            return split("同一日志签出互相矛盾的检查点");
        }
        let ends = if theirs.size <= ours.size { (theirs, ours) } else { (ours, theirs) };
        match joined(ends, source) {
            Ok(true) => {
                self.behind = 0;
                Comparison::Agrees
            }
            Ok(false) => split("两份检查点不能由一致性证明相连"),
            Err(Unfetched::Missing) if theirs.size > ours.size => {
                self.behind += 1;
                if self.behind >= BEHIND_MAX {
                    return split("平台一再不能给出其他见证方已见证的日志");
                }
                Comparison::Unclear(String::from("它所见的日志更长，平台尚未给出"))
            }
            Err(why) => Comparison::Unclear(why.to_string()),
        }
    }
}
