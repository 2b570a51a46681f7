//! What files are called that leave the platform: by what is in them, in letters that every file
//! system takes.

/// Letters of a name before its ending: in three bytes each, with room for `(1)`, no file system
/// refuses it.
const LONGEST: usize = 60;

/// Letters that nobody sees, and that may turn the order of those around them.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e007f}' | '\u{f0000}'..)
}

/// What is told, as a file may be called: what no file system forbids and no reader misreads. What is
/// empty is left out; a code differs from others at its end, which is kept.
pub fn file_name<'a>(told: impl IntoIterator<Item = &'a str>) -> String {
    let told: Vec<&str> = told.into_iter().filter(|text| !text.is_empty()).collect();
    let mut letters: Vec<char> = Vec::new();
    for letter in told.join("-").chars() {
        let forbidden = "\\/:*?\"<>|".contains(letter);
        if !forbidden && !letter.is_whitespace() && !is_unseen(letter) {
            letters.push(letter);
        } else if letters.last() != Some(&'\0') {
            // Any run of such letters is one stroke.
            letters.push('\0');
        }
    }
    let shown = |letter: char| if letter == '\0' { '-' } else { letter };
    let name: String = if letters.len() > LONGEST {
        let (first, last) = (LONGEST / 3, LONGEST * 2 / 3 - 1);
        let ends = letters[..first].iter().chain(&['…']).chain(&letters[letters.len() - last..]);
        ends.copied().map(shown).collect()
    } else {
        letters.into_iter().map(shown).collect()
    };
    String::from(name.trim_matches(['-', '.']))
}

/// `Content-Disposition` of a file of this name, and what those call it that read ASCII only.
pub fn disposition(name: &str) -> String {
    let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let encoded = encoded.replace('+', "%20").replace('*', "%2A");
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let plain = |text: &str| -> String {
        let kept =
            text.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter));
        kept.collect()
    };
    let stem: Vec<String> = stem.split('-').map(plain).filter(|part| !part.is_empty()).collect();
    let stem = if stem.is_empty() { String::from("file") } else { stem.join("-") };
    let ending = plain(ending);
    let dot = if ending.is_empty() { "" } else { "." };
    format!("attachment; filename=\"{stem}{dot}{ending}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_letters_that_every_file_system_takes() {
        assert_eq!(file_name(["/01/06901234567892/21/5"]), "01-06901234567892-21-5");
        assert_eq!(file_name(["..\\..\\甲:乙*?\"<>|\u{202e}\u{0}\n丙."]), "甲-乙-丙");
        assert_eq!(file_name(["采收", "", "A--B"]), "采收-A--B", "a code keeps its own strokes");
        let long = file_name([format!("{}-0042", "码".repeat(200)).as_str()]);
        assert!(long.chars().count() <= 60 && long.len() < 200 && long.ends_with("码-0042"));
    }

    #[test]
    fn who_reads_ascii_only_is_told_what_is_in_it() {
        assert_eq!(
            disposition("采收-F1-B 2026.json"),
            "attachment; filename=\"F1-B2026.json\"; \
             filename*=UTF-8''%E9%87%87%E6%94%B6-F1-B%202026.json"
        );
        assert!(disposition("行为审计.jsonl").contains("filename=\"file.jsonl\";"));
        assert!(disposition("a\"; b\r\n.zip").starts_with("attachment; filename=\"ab.zip\";"));
    }
}
