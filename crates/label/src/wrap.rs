//! Where a line of words may be broken: at spaces and between hanzi, not inside numbers, words and
//! addresses, and never so that a line begins with a closing sign or ends with an opening one.

use crate::font::{letter_width, width};

/// Signs that end what stands before them.
const CLOSING: &str = "）］｝》〉」』】〕〗”’，。、；：！？％‰℃℉°′″…—―～·・)]},.;:!?%";
/// Signs that begin what stands behind them.
const OPENING: &str = "（［｛《〈「『【〔〖“‘([{＃￥＄$¥№";

/// Hanzi, kana and what is written among them: they stand each for itself.
fn stands_alone(letter: char) -> bool {
    letter >= '\u{2E80}' || "“”‘’…—―·".contains(letter)
}

/// Units of one letter, such as ㎡ and ㎏.
fn is_unit(letter: char) -> bool {
    ('\u{3371}'..='\u{33DF}').contains(&letter)
}

/// Whether a line may end behind the first letter and the next begin with the second.
fn may_break(before: char, behind: char) -> bool {
    if behind == ' ' || CLOSING.contains(behind) || is_unit(behind) || OPENING.contains(before) {
        return false;
    }
    before == ' ' || stands_alone(before) || stands_alone(behind)
}

/// Whether a word that has no room on a line of its own may be broken here: addresses at their parts,
/// elements of GS1 before the next.
fn may_part(before: char, behind: char) -> bool {
    "/?&=".contains(before) && !"/?&=".contains(behind) || behind == '('
}

/// A text cut where two letters may part.
fn cut(text: &str, may: fn(char, char) -> bool) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for ((_, before), (at, behind)) in text.char_indices().zip(text.char_indices().skip(1)) {
        if may(before, behind) {
            parts.push(&text[start..at]);
            start = at;
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A number and the unit behind it are one: `500 g`.
fn joined(parts: Vec<&str>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for part in parts {
        let number = |last: &String| {
            last.ends_with(' ') && last.trim_end().ends_with(|end: char| end.is_ascii_digit())
        };
        let unit = |first: char| !stands_alone(first) && !first.is_ascii_digit();
        match joined.last_mut() {
            Some(last) if number(last) && part.starts_with(unit) => last.push_str(part),
            _ => joined.push(String::from(part)),
        }
    }
    joined
}

/// The lines of a text within a room, in thousandths of the size of its letters.
struct Lines {
    room: u32,
    lines: Vec<String>,
}

impl Lines {
    fn fits(&self, text: &str) -> bool {
        width(text.trim_end_matches(' ')) <= self.room
    }

    /// Lays a text behind the last line or on a new one, in the coarsest pieces that have room.
    fn lay(&mut self, text: &str, ways: &[fn(char, char) -> bool]) {
        let last = self.lines.last().map_or("", String::as_str);
        let with = format!("{last}{text}");
        if self.fits(&with) {
            self.lines.pop();
            self.lines.push(with);
        } else if let (false, Some((way, finer))) = (self.fits(text), ways.split_first()) {
            for part in cut(text, *way) {
                self.lay(part, finer);
            }
        } else if last.is_empty() {
            self.lines.pop();
            self.lines.push(with);
        } else {
            self.lines.push(String::from(text));
        }
    }
}

/// A line in as many as its room demands, broken where readers expect it; control signs are left out.
pub(crate) fn wrapped(line: &str, room: u32) -> Vec<String> {
    let line: String = line.chars().filter(|letter| !letter.is_control()).collect();
    let mut lines = Lines { room, lines: vec![String::new()] };
    for piece in joined(cut(line.trim_end(), may_break)) {
        // A number parts from its unit before anything is torn.
        lines.lay(&piece, &[may_break, may_part, |_, _| true]);
    }
    lines.lines.iter().map(|line| String::from(line.trim_end_matches(' '))).collect()
}

/// A line in as few as its room allows, broken wherever it is full.
pub(crate) fn broken(line: &str, room: u32) -> Vec<String> {
    let (mut lines, mut last, mut used) = (Vec::new(), String::new(), 0);
    for letter in line.chars().filter(|letter| !letter.is_control()) {
        let wide = letter_width(letter);
        if !last.is_empty() && used + wide > room {
            lines.push(std::mem::take(&mut last));
            used = 0;
        }
        last.push(letter);
        used += wide;
    }
    lines.push(last);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The room of so many hanzi.
    fn of(line: &str, hanzi: u32) -> Vec<String> {
        wrapped(line, hanzi * 1_000)
    }

    #[test]
    fn numbers_words_and_units_are_whole() {
        assert_eq!(of("净含量 6 kg", 5), ["净含量", "6 kg"]);
        assert_eq!(of("规格：500 g×12", 6), ["规格：", "500 g×12"]);
        assert_eq!(of("编号 SN0000001", 6), ["编号", "SN0000001"]);
        assert_eq!(of("生产日期：2026-11-01", 7), ["生产日期：", "2026-11-01"]);
        assert_eq!(of("大棚面积120㎡", 6), ["大棚面积", "120㎡"]);
        assert_eq!(of("贮存于-18 ℃以下", 4), ["贮存于", "-18 ℃以", "下"]);
    }

    #[test]
    fn hanzi_part_but_signs_stay_with_what_they_belong_to() {
        assert_eq!(of("示例韭菜（西安）", 5), ["示例韭菜", "（西安）"]);
        assert_eq!(of("示例韭菜西安，产", 6), ["示例韭菜西", "安，产"]);
        assert_eq!(of("品名“韭菜”和", 3), ["品名", "“韭", "菜”和"]);
        assert_eq!(of("一二三四五六", 4), ["一二三四", "五六"]);
    }

    #[test]
    fn what_is_too_long_for_a_line_parts_where_its_parts_end() {
        let lines = of("https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB", 13);
        assert_eq!(lines, ["https://trace.example.cn/t/", "00A7K29QX4T0VB8M3EJB"]);
        assert_eq!(of("(01)06901234567892(21)1001", 10), ["(01)06901234567892", "(21)1001"]);
        assert_eq!(
            of("0000000001", 3).concat(),
            "0000000001",
            "torn only where nothing else helps"
        );
    }

    #[test]
    fn nothing_is_lost_or_wider_than_its_room() {
        let line = "产品 A（二级），500 g×12 袋：https://trace.example.cn/t/00A7K29QX4T0VB8M3EJB";
        let plain = |text: &str| text.replace(' ', "");
        for room in 3..40 {
            for lines in [of(line, room), broken(line, room * 1_000)] {
                assert_eq!(plain(&lines.concat()), plain(line));
                assert!(lines.iter().all(|line| width(line) <= room * 1_000), "{lines:?}");
            }
        }
    }
}
