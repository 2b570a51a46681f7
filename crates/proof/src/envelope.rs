//! The canonical record: what exactly was anchored.

use serde_json::{Map, Value, json};
use yj_crypto::{sm3, to_hex};

use crate::{
    Hash,
    fields::{Salt, field_digest, field_salt, flatten, record_digest},
};

/// A record in the one form in which it is hashed: I-JSON, canonicalised by RFC 8785. Quantities
/// are decimal strings, numbers are whole and below 2⁵³, 个人信息 and prices are absent or
/// replaced by salted commitments.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope(Map<String, Value>);

/// Why something is not an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an object with exactly the six members.
    #[error("存证记录应恰有 v、type、id、org、time、body 六项")]
    Members,
    /// A number that canonical JSON cannot carry exactly.
    #[error("{0} 处有小数或超过 2^53 的数字，应写成十进制字符串")]
    Number(String),
    /// A name that could be mistaken for a position in a list.
    #[error("存证记录的字段名不能全是数字：{0}")]
    Name(String),
    /// Canonicalisation failed.
    #[error("存证记录不能规范化")]
    Canonical,
}

const MEMBERS: [&str; 6] = ["v", "type", "id", "org", "time", "body"];
const VERSION: u64 = 1;
/// 2⁵³, beyond which JSON numbers are no longer exact.
const EXACT_MAX: u64 = 1 << 53;

impl Envelope {
    /// Puts a record into its envelope. `kind` is `trace_event` and the like, `org` the code of
    /// the 追溯主体, `time` RFC 3339 in UTC.
    pub fn new(
        kind: &str,
        id: &str,
        org: &str,
        time: &str,
        body: Value,
    ) -> Result<Self, EnvelopeError> {
        Self::read(json!({
            "v": VERSION, "type": kind, "id": id, "org": org, "time": time, "body": body,
        }))
    }

    /// Checks a JSON value.
    pub fn read(value: Value) -> Result<Self, EnvelopeError> {
        let Value::Object(object) = value else { return Err(EnvelopeError::Members) };
        let texts = ["type", "id", "org", "time"]
            .iter()
            .all(|name| object.get(*name).is_some_and(Value::is_string));
        let complete =
            object.len() == MEMBERS.len() && MEMBERS.iter().all(|name| object.contains_key(*name));
        if !complete
            || !texts
            || object.get("v").and_then(Value::as_u64) != Some(VERSION)
            || !object["body"].is_object()
        {
            return Err(EnvelopeError::Members);
        }
        exact(&object["body"], "body")?;
        Ok(Self(object))
    }

    /// The canonical bytes.
    pub fn canonical(&self) -> Result<Vec<u8>, EnvelopeError> {
        serde_json_canonicalizer::to_vec(&self.0).map_err(|_| EnvelopeError::Canonical)
    }

    /// The digest of the record: a commitment to its head and to every field of its body, each
    /// under a salt of its own. See `docs/proof-format.md`.
    pub fn digest(&self, salt: &Salt) -> Result<Hash, EnvelopeError> {
        let fields = self.fields().into_iter();
        let fields =
            fields.map(|(name, value)| field_digest(&field_salt(salt, &name), &name, &value));
        record_digest(&self.head(), &fields.collect::<Result<Vec<_>, _>>()?)
    }

    /// What the log holds of the record: `SM3("YJ/leaf/v1\0" ‖ entry salt ‖ record digest)`. The
    /// salt makes the leaf meaningless once record and salt are destroyed.
    pub fn entry(&self, salt: &Salt) -> Result<Hash, EnvelopeError> {
        Ok(entry_digest(&field_salt(salt, ""), &self.digest(salt)?))
    }

    /// Everything but the body: always shown.
    pub fn head(&self) -> Map<String, Value> {
        let head = self.0.iter().filter(|(name, _)| *name != "body");
        head.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The fields of the body by their JSON pointers, in the order in which they are committed to.
    pub fn fields(&self) -> Vec<(String, Value)> {
        flatten(self.body())
    }

    /// The code of the 追溯主体.
    pub fn org(&self) -> &str {
        self.0["org"].as_str().unwrap_or_default()
    }

    /// What kind of record it is, such as `trace_event`.
    pub fn kind(&self) -> &str {
        self.0["type"].as_str().unwrap_or_default()
    }

    /// The identifier of the record.
    pub fn id(&self) -> &str {
        self.0["id"].as_str().unwrap_or_default()
    }

    /// The record itself.
    pub fn body(&self) -> &Value {
        &self.0["body"]
    }

    /// The envelope as JSON.
    pub fn json(&self) -> Value {
        Value::Object(self.0.clone())
    }
}

fn exact(value: &Value, path: &str) -> Result<(), EnvelopeError> {
    match value {
        Value::Number(number) => {
            let whole = number.as_u64().is_some_and(|value| value < EXACT_MAX)
                || number.as_i64().is_some_and(|value| value.unsigned_abs() < EXACT_MAX);
            if whole { Ok(()) } else { Err(EnvelopeError::Number(String::from(path))) }
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| exact(item, &format!("{path}[{at}]"))),
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            if name.bytes().all(|letter| letter.is_ascii_digit()) {
                return Err(EnvelopeError::Name(name.clone()));
            }
            exact(member, &format!("{path}.{name}"))
        }),
        _ => Ok(()),
    }
}

/// See [`Envelope::entry`].
pub(crate) fn entry_digest(salt: &Salt, record: &Hash) -> Hash {
    sm3::parts(&[b"YJ/leaf/v1\0", salt, record])
}

/// The fields of a stored row that differ from what was anchored, as `(field, anchored, found)`.
/// `columns` is the row projected into the shape of the envelope's body.
pub fn compare_columns(anchored: &Envelope, columns: &Value) -> Vec<(String, Value, Value)> {
    let mut differences = Vec::new();
    compare("", anchored.body(), columns, &mut differences);
    differences
}

fn compare(
    path: &str,
    anchored: &Value,
    found: &Value,
    differences: &mut Vec<(String, Value, Value)>,
) {
    match (anchored, found) {
        (Value::Object(left), Value::Object(right)) => {
            let names: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let (left, right) = (left.get(name), right.get(name));
                compare(
                    &inner,
                    left.unwrap_or(&Value::Null),
                    right.unwrap_or(&Value::Null),
                    differences,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{at}]"), left, right, differences);
            }
        }
        (left, right) if left == right => {}
        (left, right) => differences.push((String::from(path), left.clone(), right.clone())),
    }
}

/// Hexadecimal of a digest, for messages.
pub(crate) fn short(hash: &Hash) -> String {
    to_hex(&hash[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(body: Value) -> Result<Envelope, EnvelopeError> {
        Envelope::new("trace_event", "id", "org", "2026-11-01T00:00:00Z", body)
    }

    #[test]
    fn canonical_form_follows_rfc_8785() {
        let body = json!({ "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "x1": "One", "a": [56, {"d": true, "x10": null}] });
        let text = String::from_utf8(envelope(body).unwrap().canonical().unwrap()).unwrap();
        assert_eq!(
            text,
            "{\"body\":{\"\\r\":\"Carriage Return\",\"a\":[56,{\"d\":true,\"x10\":null}],\"x1\":\"One\",\"\u{20ac}\":\"Euro Sign\"},\
             \"id\":\"id\",\"org\":\"org\",\"time\":\"2026-11-01T00:00:00Z\",\"type\":\"trace_event\",\"v\":1}"
        );
    }

    #[test]
    fn numbers_that_json_cannot_carry_are_refused() {
        assert_eq!(
            envelope(json!({ "a": [0, 1.5] })),
            Err(EnvelopeError::Number("body.a[1]".into()))
        );
        assert!(envelope(json!({ "a": 9_007_199_254_740_993_u64 })).is_err());
        assert!(envelope(json!({ "a": -9_007_199_254_740_991_i64 })).is_ok());
        assert!(envelope(json!([])).is_err());
    }

    #[test]
    fn a_changed_field_is_named() {
        let anchored =
            envelope(json!({ "outputs": [{ "code": "A", "quantity": "1200" }], "stage": "x" }))
                .unwrap();
        let found = json!({ "outputs": [{ "code": "A", "quantity": "1300" }], "stage": "x" });
        assert_eq!(
            compare_columns(&anchored, &found),
            [("outputs[0].quantity".into(), json!("1200"), json!("1300"))]
        );
        assert!(compare_columns(&anchored, anchored.body()).is_empty());
    }
}
