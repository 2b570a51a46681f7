//! 检查点: the log as it is published, countersigned by witnesses and written elsewhere.

use yj_crypto::Signer as _;
use yj_kernel::{Problem, Result};
use yj_proof::{
    AnchorStatement, Anchored, Checkpoint, Hash, Header, Note, NoteKey, NoteKind, NoteLine,
    Witnessed, merkle,
};

use crate::{Ledger, store::Block};

impl Ledger {
    /// The newest checkpoint; nothing before the first block.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        Ok(self.0.store.tip()?.map(|block| self.checkpoint_of(&block)))
    }

    fn checkpoint_of(&self, block: &Block) -> Checkpoint {
        Checkpoint {
            origin: Checkpoint::origin_of(&self.0.chain_id),
            size: block.header.tree_size,
            root: block.header.tree_root,
            height: block.header.height,
            block_id: block.header.block_id(),
        }
    }

    /// The newest checkpoint, signed, with the countersignatures that it has.
    pub fn signed_checkpoint(&self) -> Result<Option<Note>> {
        let Some(checkpoint) = self.checkpoint()? else { return Ok(None) };
        if let Some((_, text)) = self.0.store.witnessed_from(checkpoint.size)? {
            let (note, _) = read_witnessed(&text)?;
            if note.checkpoint == checkpoint {
                return Ok(Some(note));
            }
        }
        let note = Note::sign_as_log(checkpoint, &self.0.keys.validator);
        note.map(Some).map_err(Problem::internal)
    }

    /// The newest checkpoint that a witness countersigned.
    pub fn witnessed_checkpoint(&self) -> Result<Option<Note>> {
        let text = self.0.store.last_witnessed()?;
        text.map(|text| read_witnessed(&text).map(|(note, _)| note)).transpose()
    }

    /// The key of the log's own signature under checkpoints.
    pub fn log_key(&self) -> Result<NoteKey> {
        let origin = Checkpoint::origin_of(&self.0.chain_id);
        let key = self.0.keys.validator.public_key().clone();
        NoteKey::new(&origin, NoteKind::Log, key).map_err(Problem::internal)
    }

    /// A complete node of the log.
    pub fn node(&self, level: u32, index: u64) -> Result<Hash> {
        self.0.store.of_nodes(|nodes| nodes(level, index))
    }

    /// Root of the log when it had `size` submissions.
    pub fn root_at(&self, size: u64) -> Result<Hash> {
        self.0.store.of_nodes(|nodes| merkle::root_at(size, nodes))
    }

    /// The proof that the log of `old` submissions is a prefix of that of `new` (RFC 9162).
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>> {
        self.0.store.of_nodes(|nodes| merkle::consistency_path(old, new, nodes))
    }

    /// Keeps a countersignature under a checkpoint of this log. What is no checkpoint of this log,
    /// or not signed by that key, is refused; a signature that is known is kept once.
    pub fn keep_cosignature(
        &self,
        key: &NoteKey,
        checkpoint: &Checkpoint,
        line: NoteLine,
    ) -> Result<()> {
        let block = self.0.store.block(checkpoint.height)?;
        if block.map(|block| self.checkpoint_of(&block)).as_ref() != Some(checkpoint) {
            return Err(Problem::Conflict(String::from("检查点不是本存证链的，未收下见证")));
        }
        if key.kind() != NoteKind::Witness || !line.is_by(checkpoint, key) {
            return Err(Problem::invalid("line", "见证签名与所登记的公钥或检查点不符"));
        }
        self.0.store.keep_witnessed(checkpoint.size, |known| {
            let known = known.map(read_witnessed).transpose()?;
            let (mut note, mut keys) = match known {
                // Of two blocks with one log the later takes the place of the earlier.
                Some((note, keys)) if note.checkpoint.height > checkpoint.height => {
                    return Ok(write_witnessed(&note, &keys));
                }
                Some((note, keys)) if note.checkpoint == *checkpoint => (note, keys),
                _ => {
                    let note = Note::sign_as_log(checkpoint.clone(), &self.0.keys.validator);
                    (note.map_err(Problem::internal)?, vec![self.log_key()?])
                }
            };
            if !keys.contains(key) {
                note.lines.push(line);
                keys.push(key.clone());
            }
            Ok(write_witnessed(&note, &keys))
        })
    }

    /// Signs a statement of where the log stands besides; see [`AnchorStatement::sign`].
    pub fn sign_anchor(&self, unsigned: AnchorStatement) -> Result<AnchorStatement> {
        AnchorStatement::sign(unsigned, &self.0.keys.validator).map_err(Problem::internal)
    }

    /// Keeps such a statement, for the proofs of all that the log held then. On one contract a log
    /// of one size stands once: what was stated of it there before is replaced.
    pub fn keep_anchor(&self, statement: &AnchorStatement) -> Result<()> {
        if self.root_at(statement.size)? != statement.root {
            return Err(Problem::internal("the statement is of another log"));
        }
        let bytes = statement.to_bytes();
        let (network, contract) = (&statement.network, &statement.contract);
        let outdated = |known: &[u8]| is_there(known, (network, contract));
        self.0.store.keep_anchored(statement.size, &bytes, outdated)
    }

    /// Forgets what was stated of the log of this size on a contract whose network no longer holds
    /// it. Proofs that are out already keep it; who looks there finds nothing.
    pub fn forget_anchor(&self, size: u64, place: (&str, &str)) -> Result<()> {
        self.0.store.forget_anchored(size, |known| is_there(known, place))
    }

    /// The first countersigned checkpoint at or after a block.
    pub(crate) fn witnesses_of(&self, header: &Header) -> Result<Option<Witnessed>> {
        let Some((size, text)) = self.0.store.witnessed_from(header.tree_size)? else {
            return Ok(None);
        };
        let (note, keys) = read_witnessed(&text)?;
        if note.checkpoint.height < header.height {
            return Ok(None);
        }
        Ok(Some(Witnessed { note, keys, path: self.consistency(header.tree_size, size)? }))
    }

    /// The first statements of other places at or after a block.
    pub(crate) fn anchors_of(&self, header: &Header) -> Result<Vec<Anchored>> {
        let mut anchors = Vec::new();
        for bytes in self.0.store.anchored_from(header.tree_size)? {
            let statement = AnchorStatement::from_bytes(&bytes).map_err(Problem::internal)?;
            if statement.height >= header.height {
                let path = self.consistency(header.tree_size, statement.size)?;
                anchors.push(Anchored { statement, path });
            }
        }
        Ok(anchors)
    }
}

/// Whether a statement is of this network and contract.
fn is_there(statement: &[u8], (network, contract): (&str, &str)) -> bool {
    AnchorStatement::from_bytes(statement)
        .is_ok_and(|known| known.network == network && known.contract == contract)
}

/// The keys, a line each; an empty line; the note.
fn write_witnessed(note: &Note, keys: &[NoteKey]) -> String {
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    format!("{keys}\n{}", note.to_text())
}

fn read_witnessed(text: &str) -> Result<(Note, Vec<NoteKey>)> {
    let damaged = || Problem::internal("the ledger store is damaged: witnessed");
    let (keys, note) = text.split_once("\n\n").ok_or_else(damaged)?;
    let keys = keys.lines().map(str::parse).collect::<Result<_, _>>().map_err(|_| damaged())?;
    Ok((Note::read(note).map_err(|_| damaged())?, keys))
}
