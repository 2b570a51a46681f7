//! Alarms as anybody may send them, and notes of a log that contradict each other.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use yj_crypto::{Signer as _, SigningKey};
use yj_proof::{Alarm, AlarmKind, Note, NoteKey, NoteKind};

static WITNESS: LazyLock<(SigningKey, NoteKey)> = LazyLock::new(|| {
    let signing = SigningKey::from_seed(&[2; 32]).unwrap();
    let key = NoteKey::new("示例", NoteKind::Witness, signing.public_key().clone()).unwrap();
    (signing, key)
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok((alarm, key)) = Alarm::read(bytes) {
        assert_eq!(alarm.witness.parse(), Ok(key));
        alarm.is_proven(|_| true);
    }
    // What is said rightly is read as it was said, whatever the log has answered.
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (signing, key) = &*WITNESS;
    let (known, seen) = text.split_once('\0').unwrap_or((text, ""));
    let about = ("yuanjian/07", AlarmKind::Rewritten, 5, "改写");
    let alarm = Alarm::sign(about, (known, seen), (key, signing)).unwrap();
    alarm.is_proven(|_| true);
    let file = serde_json::to_vec(&alarm).unwrap();
    if file.len() <= Alarm::BYTES_MAX {
        assert_eq!(Alarm::read(&file), Ok((alarm, key.clone())));
    }
    if let Ok(note) = Note::read(known) {
        assert_eq!(note.to_text(), known);
    }
});
