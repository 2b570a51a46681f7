//! 选择性披露: the fields of a record are committed to one by one, so that some can be shown and
//! proved while the others stay secret (G-10.4: 商业秘密).

use serde_json::{Map, Value, json};
use yj_crypto::sm3;

use crate::{EnvelopeError, Hash};

/// Keeps a commitment from being guessed.
pub type Salt = [u8; 16];

/// The salt of one field, from the record's: the first half of
/// `SM3("YJ/salt/v1\0" ‖ salt ‖ name)`. The empty name gives the salt of the record's entry.
pub(crate) fn field_salt(salt: &Salt, name: &str) -> Salt {
    let digest = sm3::parts(&[b"YJ/salt/v1\0", salt, name.as_bytes()]);
    let mut half = Salt::default();
    half.copy_from_slice(&digest[..16]);
    half
}

/// Every value of a body that holds no other, by its JSON pointer (RFC 6901), in the order of
/// their bytes. Empty lists and objects are values.
pub(crate) fn flatten(body: &Value) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    collect(String::new(), body, &mut fields);
    fields.sort_by(|(left, _), (right, _)| left.as_bytes().cmp(right.as_bytes()));
    fields
}

fn collect(path: String, value: &Value, fields: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(format!("{path}/{name}"), member, fields);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                collect(format!("{path}/{at}"), item, fields);
            }
        }
        _ => fields.push((path, value.clone())),
    }
}

/// `SM3("YJ/field/v1\0" ‖ salt ‖ canonical [name, value])`
pub(crate) fn field_digest(salt: &Salt, name: &str, value: &Value) -> Result<Hash, EnvelopeError> {
    let pair = serde_json_canonicalizer::to_vec(&json!([name, value]));
    let pair = pair.map_err(|_| EnvelopeError::Canonical)?;
    Ok(sm3::parts(&[b"YJ/field/v1\0", salt, &pair]))
}

/// `SM3("YJ/rec/v1\0" ‖ number of fields, 4 bytes ‖ their digests ‖ canonical head)`
pub(crate) fn record_digest(
    head: &Map<String, Value>,
    fields: &[Hash],
) -> Result<Hash, EnvelopeError> {
    let head = serde_json_canonicalizer::to_vec(head).map_err(|_| EnvelopeError::Canonical)?;
    let count = u32::try_from(fields.len()).map_err(|_| EnvelopeError::Canonical)?;
    Ok(sm3::parts(&[b"YJ/rec/v1\0", &count.to_be_bytes(), fields.concat().as_slice(), &head]))
}

/// A field of a record that is shown in part.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Shown, with what proves it.
    Shown {
        /// JSON pointer.
        name: String,
        /// What it holds.
        value: Value,
        /// See [`field_salt`].
        salt: Salt,
    },
    /// Kept secret: its digest.
    Hidden(Hash),
}

impl Field {
    /// Its commitment.
    pub(crate) fn digest(&self) -> Result<Hash, EnvelopeError> {
        match self {
            Self::Shown { name, value, salt } => field_digest(salt, name, value),
            Self::Hidden(digest) => Ok(*digest),
        }
    }
}
