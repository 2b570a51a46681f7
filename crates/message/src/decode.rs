//! From bytes to text, in the encodings that these systems use.

use encoding_rs::GB18030;

use crate::fault::{MessageError, refuse};

/// A message as text: UTF-8, or what its XML declaration names of GBK, GB 2312 and GB 18030. Without a
/// declaration, what is no UTF-8 is read as GB 18030.
pub(crate) fn text_of(bytes: &[u8]) -> Result<String, MessageError> {
    if bytes.starts_with(b"\xFE\xFF") || bytes.starts_with(b"\xFF\xFE") {
        return refuse("不接受 UTF-16 编码，应为 UTF-8 或 GBK（GB 18030）");
    }
    let bare = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match declared(bare).as_deref() {
        Some("utf-8" | "utf8") => std::str::from_utf8(bare).ok().map(String::from),
        Some("gbk" | "gb2312" | "gb18030" | "gb_18030-2000") => chinese(bare),
        Some(other) => {
            return refuse(format!("不支持编码 {other}，应为 UTF-8、GBK 或 GB18030"));
        }
        None => std::str::from_utf8(bare).ok().map(String::from).or_else(|| chinese(bare)),
    };
    text.ok_or_else(|| MessageError(String::from("文字与所声明的编码不符，应为 UTF-8 或 GBK")))
}

fn chinese(bytes: &[u8]) -> Option<String> {
    let (text, wrong) = GB18030.decode_without_bom_handling(bytes);
    (!wrong).then(|| text.into_owned())
}

/// The encoding that an XML declaration names, in small letters.
fn declared(bytes: &[u8]) -> Option<String> {
    const DECLARATION_MAX: usize = 200;
    let start = bytes.trim_ascii_start();
    let head = start.get(..start.len().min(DECLARATION_MAX))?;
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let end = head.windows(2).position(|two| two == b"?>")?;
    let head = std::str::from_utf8(&head[..end]).ok()?;
    let after = head.split("encoding").nth(1)?.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    let name = after[1..].split(quote).next()?;
    Some(name.trim().to_ascii_lowercase())
}
